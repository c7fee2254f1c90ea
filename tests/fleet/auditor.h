/* auditor.h: judges a fleet's history by the promises I1 to I10, as far as each can be judged from outside. Pure: data
 * in, findings out; owns nothing. Its own test feeds it histories with one lie each. */
#ifndef PAWL_TEST_FLEET_AUDITOR_H
#define PAWL_TEST_FLEET_AUDITOR_H

#include "history.h"

#define AUDITOR_FOUND_MAX 16

typedef struct auditor_finding {
    const char *rule; /* "I2.stale_write": promise and rule; auditor.c lists them */
    char text[256];
} auditor_finding;

typedef struct auditor_report {
    size_t count; /* of all; the first AUDITOR_FOUND_MAX are kept */
    auditor_finding found[AUDITOR_FOUND_MAX];
    /* How much there was to judge; a run that shows none of it proves little. */
    uint64_t grants, takeovers, writes, writes_refused, executions, late_executions, cancels, signals, timers, stuck;
} auditor_report;

void auditor_judge(const fleet_history *history, auditor_report *ret);

/** What two looks at a process and the journal read between them say about it (I4). Only judged when nothing was
 *  written meanwhile, that is when the heads are the same. */
typedef struct auditor_look {
    const char *id;
    uint32_t status_before, status_after;
    uint64_t head_before, head_after, wake_unix_ns;
    bool cancelled;
    bool has_reason_code;
    const fleet_record *records;
    size_t record_count;
} auditor_look;
void auditor_judge_look(const auditor_look *look, auditor_report *report);

/** For other judges. */
void auditor_find(auditor_report *report, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
