/* soak_audit.c: at the end, what was acknowledged against what is. The effects' own log is judged by audit.h (nothing
 * that was recorded was executed again); here: every start is there and has ended as it must, every signal was
 * delivered once and in order, every cancel was honoured and none came from nowhere. */
#include "soak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void wrong(const soak_process *process, const json_t *journal, const char *what)
{
    char *text = json_dumps(journal, JSON_COMPACT);
    fail_msg("%s (%s): %s: %.6000s", process->id, soak_plan_of(process)->words, what, text == NULL ? "" : text);
}

/* Each acknowledged signal has one record; delivered in the order in which they came. */
static void audit_signals(const soak_process *process, const json_t *journal)
{
    size_t i;
    json_t *record;
    unsigned found = 0;
    json_array_foreach(journal, i, record)
    {
        char payload[32];
        if (strcmp(text_of(record, "kind"), "signal") != 0)
            continue;
        snprintf(payload, sizeof payload, "%s-%u", process->id, found++);
        if (strcmp(text_of(record, "payload"), payload) != 0)
            wrong(process, journal, "a signal is there twice, or in another order than it was sent");
    }
    /* One whose answer was lost may have come before a cancel ended the process. */
    if (found < process->signals && !process->cancel_asked)
        wrong(process, journal, "an acknowledged signal is not in the journal");
}

static void audit_output(const soak_process *process, const json_t *journal, const char *output)
{
    unsigned items = output[0] != '\0';
    unsigned signals = 0;
    for (const char *at = output; *at != '\0'; at++)
        items += *at == ',';
    if (items != soak_plan_of(process)->results)
        wrong(process, journal, "its output has not one item for each result");
    for (const char *at = output; (at = strstr(at, "s=")) != NULL; at += 2) {
        char payload[40];
        int size = snprintf(payload, sizeof payload, "s=%s-%u", process->id, signals++);
        if (strncmp(at, payload, (size_t)size) != 0)
            wrong(process, journal, "a signal was delivered twice, or in another order");
    }
    if (signals != soak_plan_of(process)->signals)
        wrong(process, journal, "it completed without all its signals");
}

static void audit_end(const soak_process *process, const json_t *journal)
{
    const json_t *last = json_array_get(journal, json_array_size(journal) - 1);
    const char *status = text_of(last, "status");
    unsigned flags = soak_plan_of(process)->flags;
    bool cancel_came = api_records(journal, "cancel", NULL) > 0;
    if (process->cancelled && !cancel_came)
        wrong(process, journal, "an acknowledged cancel is not in the journal");
    if (api_records(journal, "cancel", NULL) > 1)
        wrong(process, journal, "it was cancelled more than once");
    bool by_grace = strcmp(status, "terminated") == 0 &&
                    strcmp(text_of(json_object_get(last, "failure"), "code"), "cancel_grace") == 0;
    if (strcmp(status, "cancelled") == 0 || by_grace) { /* the latter when its worker was on its way out */
        if (!process->cancel_asked || !cancel_came)
            wrong(process, journal, "it is cancelled, and nobody asked for that");
    } else if (strcmp(status, "completed") == 0 && (flags & SOAK_COMPLETES) != 0) {
        audit_output(process, journal, text_of(last, "output"));
    } else if (strcmp(status, "failed") != 0 || (flags & SOAK_FAILS) == 0 ||
               strcmp(text_of(json_object_get(last, "failure"), "code"), "planned") != 0) {
        wrong(process, journal, "it ended as it must not");
    }
}

void soak_audit(soak *s)
{
    double from = seconds_now();
    const char **ids = calloc(s->count + 1, sizeof *ids);
    assert_non_null(ids);
    for (size_t i = 0; i < s->count; i++) {
        const soak_process *process = &s->processes[i];
        ids[i] = process->id;
        assert_true(process->started);
        json_t *journal = api_journal(s->y, process->id);
        audit_signals(process, journal);
        audit_end(process, journal);
        json_decref(journal);
    }
    audit a = audit_ended(s->y, ids, s->count);
    free(ids);
    assert_int_equal(s->ended, (json_int_t)s->count);
    print_message(
        "audit of %zu processes in %.1f s: %zu completed; %zu steps recorded, %zu executions begun (%zu again, "
        "none after its record), %zu asked whether they had happened, %zu in doubt: nothing wrong\n",
        a.processes, seconds_now() - from, a.completed, a.steps, a.executions, a.repeated, a.asked, a.in_doubt);
}
