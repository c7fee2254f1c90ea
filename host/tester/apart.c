/* apart.c: runs that may end in another way than the basic one, but must end: asked to stop before every event, and
 * every call or child failing in turn. Each is run again with its worker lost after every record, and must then come to
 * what it came to itself. */
#include "tester_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void run_apart(pawl_tester *t, pawl_tester_group *group, const char *name, pawl_machine *m)
{
    char prefix[80];
    pawl_tester_text summary = {0};
    pawl_machine_run(m);
    pawl_tester_judge(t, group, name, m, &t->expected, true);
    pawl_machine_summary(m, &summary);
    snprintf(prefix, sizeof prefix, "%s/", name);
    if (t->finding_count == 0)
        pawl_tester_crashes(t, group, m, &summary, prefix);
    pawl_tester_text_finish(&summary);
}

/* ---- asked to stop ---- */

static void run_cancel(pawl_tester *t, pawl_tester_group *group, size_t at)
{
    char name[64];
    pawl_machine m;
    snprintf(name, sizeof name, "cancel@%zu", at);
    if (!pawl_tester_asks(t, name) || !pawl_tester_begin(t, group, name))
        return;
    snprintf(t->context, sizeof t->context, "it was asked to stop before event %zu", at);
    (void)pawl_machine_init(&m, &t->subject, pawl_tester_traced(t, name));
    m.plan = t->basic.history;
    m.plan_count = at - 1;
    m.cancel_at = at;
    run_apart(t, group, name, &m);
    pawl_machine_finish(&m);
}

void pawl_tester_cancels(pawl_tester *t)
{
    pawl_tester_group group = {.name = "cancel"};
    if (!t->request->cancel_everywhere || !pawl_tester_wants(t, "cancel"))
        return;
    for (size_t at = 1; at <= t->basic.history_count && t->finding_count == 0 && !group.cut_short; at++)
        run_cancel(t, &group, at);
    pawl_tester_report_group(t, &group, NULL);
}

/* ---- failures ---- */

static pawl_fault fault_of(const pawl_happening *what, uint32_t klass)
{
    static const char *const codes[] = {[PAWL_TERMINAL] = "test.fault",
                                        [PAWL_RETRYABLE] = "test.fault.retryable",
                                        [PAWL_UNKNOWN_OUTCOME] = "test.fault.unknown"};
    pawl_fault fault = {.run = what->run, .ordinal = what->number};
    fault.attempt = klass == PAWL_RETRYABLE ? 1 : 0;
    fault.answer.kind = klass == PAWL_UNKNOWN_OUTCOME ? PAWL_ANSWER_UNKNOWN : PAWL_ANSWER_FAILURE;
    fault.answer.child = PAWL_FAILED;
    fault.answer.failure = (pawl_failure){.struct_size = sizeof fault.answer.failure,
                                          .klass = klass,
                                          .code = {codes[klass], strlen(codes[klass])},
                                          .message = {"failed by the test", 18}};
    return fault;
}

static void run_fault(pawl_tester *t, pawl_tester_group *group, const pawl_happening *what, uint32_t klass)
{
    static const char *const words[] = {
        [PAWL_TERMINAL] = "", [PAWL_RETRYABLE] = "+retryable", [PAWL_UNKNOWN_OUTCOME] = "+unknown"};
    char name[64], run[32] = "";
    pawl_machine m;
    const pawl_fault fault = fault_of(what, klass);
    if (what->run > 1)
        snprintf(run, sizeof run, "%" PRIu32 ".", what->run);
    snprintf(name, sizeof name, "fault@%s%" PRIu64 "%s", run, what->number, words[klass]);
    if (!pawl_tester_asks(t, name) || !pawl_tester_begin(t, group, name))
        return;
    snprintf(t->context, sizeof t->context, "#%" PRIu64 " failed with %.*s", what->number,
             (int)fault.answer.failure.code.size, (const char *)fault.answer.failure.code.data);
    (void)pawl_machine_init(&m, &t->subject, pawl_tester_traced(t, name));
    m.fault = &fault;
    run_apart(t, group, name, &m);
    pawl_machine_finish(&m);
}

void pawl_tester_faults(pawl_tester *t)
{
    pawl_tester_group group = {.name = "fault"};
    if (!t->request->fail_everywhere || !pawl_tester_wants(t, "fault"))
        return;
    for (size_t i = 0; i < t->basic.history_count && t->finding_count == 0 && !group.cut_short; i++) {
        const pawl_happening *what = &t->basic.history[i];
        bool call = what->kind == PAWL_HAPPENS_CALL && what->attempt == 1;
        if (!call && what->kind != PAWL_HAPPENS_CHILD)
            continue;
        run_fault(t, &group, what, PAWL_TERMINAL);
        if (call) {
            run_fault(t, &group, what, PAWL_RETRYABLE);
            run_fault(t, &group, what, PAWL_UNKNOWN_OUTCOME);
        }
    }
    pawl_tester_report_group(t, &group, NULL);
}
