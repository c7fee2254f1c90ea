/* report.h: what a check found, and the ways to tell it. Owns the results of a run; writes them as text for people, as
 * JSON and as JUnit for programs. Never runs anything. One thread. */
#ifndef PAWL_HOST_CHECKER_REPORT_H
#define PAWL_HOST_CHECKER_REPORT_H

#include "checker.h"

#include <stdio.h>

#define REPORT_OUTPUT_MAX 16384u /* what is kept of a case's own output: the end of it */

/** What one case gave. */
typedef struct checker_result {
    const checker_case *entry;
    checker_verdict verdict;
    json_t *findings; /**< array of {verdict, where, found, wanted}; owned */
    char stage[256];  /**< what ran last; for a crash or a hang */
    char reason[512]; /**< of a skip, a crash, a timeout */
    char *output;     /**< what the plugin printed; owned; may be NULL */
    uint64_t took_ms;
    bool done; /**< there is a verdict */
} checker_result;

typedef struct checker_report {
    const checker_options *options;
    const char *id; /**< of the plugin; "" when it has no manifest */
    const char *version;
    char digest[65]; /**< "" when it is not known */
    checker_result *results;
    size_t count;
    size_t verdicts[VERDICT_TIMEOUT + 1];
    bool good; /**< nothing that fails the check */
} checker_report;

/** Count the verdicts and decide. */
void checker_report_close(checker_report *report);
void checker_report_text(const checker_report *report, FILE *out);
void checker_report_json(const checker_report *report, FILE *out);
/** False: the file cannot be written; printed. */
bool checker_report_junit(const checker_report *report);
/** The list of all cases, as text or JSON. */
void checker_report_list(const checker_options *options, FILE *out);
/** One result as it is told to people. */
void checker_report_one(const checker_report *report, const checker_result *result, FILE *out);
/** The command that runs one case alone under a debugger; free() it. NULL: out of memory. */
char *checker_report_repeat(const checker_options *options, const char *name);

#endif
