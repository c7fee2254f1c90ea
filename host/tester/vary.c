/* vary.c: the same process again, treated worse: every activation twice, dropped at every wait, kept at every wait, its
 * worker lost after every record, asked to stop at every moment. What it does, the steps it has recorded and its end
 * must be the same each time. Nothing of the plugin's static memory outlives a lost worker here either. */
#include "tester_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PROGRESS_NS UINT64_C(2000000000)

static uint64_t mono_ns(void)
{
    return pawl_clock_system()->mono_ns(pawl_clock_system());
}

bool pawl_tester_wants(const pawl_tester *t, const char *name)
{
    const char *only = t->request->only;
    size_t size = strlen(name);
    return only == NULL || strncmp(only, name, size) == 0;
}

bool pawl_tester_asks(const pawl_tester *t, const char *name)
{
    const char *only = t->request->only;
    size_t size = strlen(name);
    return only == NULL || strcmp(only, name) == 0 || (strncmp(only, name, size) == 0 && only[size] == '/');
}

uint32_t pawl_tester_traced(const pawl_tester *t, const char *name)
{
    return t->request->only != NULL && strcmp(t->request->only, name) == 0 ? PAWL_MACHINE_TRACED : 0;
}

static void tell(pawl_tester *t, const char *name)
{
    uint64_t now = mono_ns();
    if (t->request->progress == NULL || now - t->told_mono_ns < PROGRESS_NS)
        return;
    if (t->told_mono_ns != 0)
        fprintf(t->request->progress, "%s, %" PRIu64 " runs so far\n", name, t->runs);
    t->told_mono_ns = now;
}

bool pawl_tester_begin(pawl_tester *t, pawl_tester_group *group, const char *name)
{
    if (t->finding_count > 0)
        return false; /* the first difference is what counts: what follows mostly follows from it */
    if (mono_ns() >= t->stop_mono_ns) {
        group->cut_short = true;
        return false;
    }
    group->runs++;
    t->runs++;
    t->context[0] = '\0';
    if (t->shared != NULL) {
        snprintf(t->shared->what, sizeof t->shared->what, "%s", name);
        atomic_store(&t->shared->runs, t->runs);
    }
    tell(t, name);
    return true;
}

static void find_machine(pawl_tester *t, const char *name, const char *kind, const pawl_machine *m)
{
    const char *why = pawl_tester_text_of(&m->reason);
    char message[2300];
    snprintf(message, sizeof message, "%s%s%s", m->end == PAWL_END_STUCK ? m->code : "",
             m->end == PAWL_END_STUCK ? ": " : "", why);
    bool both = m->expected.size + m->found.size > 0;
    pawl_tester_find(t, name, kind, message, both ? &m->expected : NULL, both ? &m->found : &m->witness.log);
}

static bool same_text(const pawl_tester_text *left, const pawl_tester_text *right)
{
    return left->size == right->size && memcmp(pawl_tester_text_of(left), pawl_tester_text_of(right), left->size) == 0;
}

void pawl_tester_judge(pawl_tester *t, pawl_tester_group *group, const char *name, const pawl_machine *m,
                       const pawl_tester_text *expected, bool loose)
{
    pawl_tester_text summary = {0};
    if (t->request->only != NULL && strcmp(t->request->only, name) == 0 && t->only_trace == NULL)
        t->only_trace = pawl_tester_lines(pawl_tester_text_of(&m->trace));
    switch (m->end) {
    case PAWL_END_DIFFERS:
        find_machine(t, name, "nondeterminism", m);
        return;
    case PAWL_END_STUCK:
        find_machine(t, name, strcmp(m->code, "nondeterminism") == 0 ? "nondeterminism" : "stuck", m);
        return;
    case PAWL_END_UNSCRIPTED:
        find_machine(t, name, "unscripted", m);
        return;
    case PAWL_END_ENDLESS:
        find_machine(t, name, "endless", m);
        return;
    case PAWL_END_MEMORY:
        find_machine(t, name, "out_of_memory", m);
        return;
    case PAWL_END_WAITS:
        if (t->basic.end == PAWL_END_ENDED) {
            find_machine(t, name, "never_ends", m);
            return;
        }
        break;
    default:
        break;
    }
    pawl_machine_summary(m, &summary);
    bool same = expected == NULL || same_text(expected, &summary);
    if (!same && !loose && !m->doubtful)
        pawl_tester_find(t, name, "differs", "it came to something else than without this", expected, &summary);
    else
        group->differed += !same;
    pawl_tester_text_finish(&summary);
}

/* ---- the basic run ---- */

static void check_output(pawl_tester *t)
{
    const pawl_script_expect *expect = &t->script.expect;
    const pawl_machine *m = &t->basic;
    pawl_tester_text end = {0}, message = {0};
    pawl_machine_say_end(m, &end);
    json_t *output = json_loadb(m->output.data, m->output.size, JSON_DECODE_ANY, NULL);
    const char *wanted = NULL;
    if (expect->status != 0 && (m->end != PAWL_END_ENDED || expect->status != m->status))
        wanted = expect->status == PAWL_COMPLETED ? "completed"
                 : expect->status == PAWL_FAILED  ? "failed"
                                                  : "cancelled";
    else if (expect->code != NULL && (strlen(expect->code) != m->failure.code.size ||
                                      memcmp(expect->code, m->failure.code.data, m->failure.code.size) != 0))
        wanted = expect->code;
    if (wanted != NULL) {
        pawl_tester_text_add(&message, "the script expects %s; it is %s", wanted, pawl_tester_text_of(&end));
    } else if (expect->output != NULL && !json_equal(output, expect->output)) {
        char *text = json_dumps(expect->output, JSON_COMPACT | JSON_ENCODE_ANY);
        pawl_tester_text_add(&message, "the script expects the output %s; it is %s", text == NULL ? "" : text,
                             pawl_tester_text_of(&end));
        free(text);
    }
    if (message.size > 0)
        pawl_tester_find(t, "basic", "expect", pawl_tester_text_of(&message), NULL, NULL);
    json_decref(output);
    pawl_tester_text_finish(&end);
    pawl_tester_text_finish(&message);
}

bool pawl_tester_basic(pawl_tester *t)
{
    pawl_tester_group group = {.name = "basic"};
    (void)pawl_tester_begin(t, &group, "basic");
    (void)pawl_machine_init(&t->basic, &t->subject, PAWL_MACHINE_TRACED);
    pawl_machine_run(&t->basic);
    pawl_machine_summary(&t->basic, &t->expected);
    if (t->basic.end == PAWL_END_WAITS) {
        find_machine(t, "basic", "waits", &t->basic);
        return false;
    }
    pawl_tester_judge(t, &group, "basic", &t->basic, NULL, false);
    if (t->finding_count == 0)
        check_output(t);
    return t->finding_count == 0;
}

/* ---- modes ---- */

static void run_mode(pawl_tester *t, const char *name, uint32_t mode)
{
    pawl_tester_group group = {.name = name};
    pawl_machine m;
    if (!pawl_tester_asks(t, name) || !pawl_tester_begin(t, &group, name))
        return;
    (void)pawl_machine_init(&m, &t->subject, mode | pawl_tester_traced(t, name));
    m.plan = t->basic.history;
    m.plan_count = t->basic.history_count;
    pawl_machine_run(&m);
    pawl_tester_judge(t, &group, name, &m, &t->expected, false);
    pawl_machine_finish(&m);
    pawl_tester_report_group(t, &group, NULL);
}

void pawl_tester_modes(pawl_tester *t)
{
    run_mode(t, "twice", PAWL_MACHINE_TWICE);
    run_mode(t, "dropped", PAWL_MACHINE_DROPPED);
    run_mode(t, "kept", PAWL_MACHINE_KEPT);
}

/* ---- lost workers ---- */

static void say_crash(pawl_tester *t, const pawl_machine *of, size_t count)
{
    pawl_entry entry = {0};
    (void)pawl_entry_decode(&of->records[count - 1], &entry, NULL);
    int size = snprintf(t->context, sizeof t->context, "its worker was lost after record %zu: %s", count,
                        pawl_record_name(entry.kind));
    if (entry.ordinal != 0 && size > 0 && (size_t)size < sizeof t->context)
        snprintf(t->context + size, sizeof t->context - (size_t)size, " of #%" PRIu64, entry.ordinal);
}

static void crash(pawl_tester *t, pawl_tester_group *group, const pawl_machine *of, size_t count, bool happened,
                  const pawl_tester_text *expected, const char *prefix)
{
    char name[120];
    pawl_machine m;
    snprintf(name, sizeof name, "%scrash@%zu%s", prefix, count, happened ? "+happened" : "");
    if (!pawl_tester_asks(t, name) || !pawl_tester_begin(t, group, name))
        return;
    say_crash(t, of, count);
    pawl_traps_statics_restore(t->traps);
    (void)pawl_machine_init_after(&m, of, count, PAWL_MACHINE_LONG | pawl_tester_traced(t, name));
    m.happened = happened;
    pawl_machine_run(&m);
    pawl_tester_judge(t, group, name, &m, expected, false);
    pawl_machine_finish(&m);
}

static bool has_end(const pawl_machine *m, size_t from, size_t count, uint64_t ordinal)
{
    pawl_entry entry;
    for (size_t i = from; i < count; i++)
        if ((m->records[i].kind == PAWL_RECORD_STEP || m->records[i].kind == PAWL_RECORD_ATTEMPT) &&
            pawl_entry_decode(&m->records[i], &entry, NULL) == PAWL_OK && entry.ordinal == ordinal)
            return true;
    return false;
}

/* Is a call on record as begun here, whose end is not? */
static bool in_doubt_at(const pawl_machine *m, size_t count)
{
    pawl_entry entry;
    for (size_t i = m->marks[count - 1].run_first; i < count; i++)
        if (m->records[i].kind == PAWL_RECORD_INTENT && pawl_entry_decode(&m->records[i], &entry, NULL) == PAWL_OK &&
            !has_end(m, i + 1, count, entry.ordinal))
            return true;
    return false;
}

void pawl_tester_crashes(pawl_tester *t, pawl_tester_group *group, const pawl_machine *of,
                         const pawl_tester_text *expected, const char *prefix)
{
    size_t last = of->end == PAWL_END_ENDED ? of->record_count - 1 : of->record_count; /* an end is the end */
    for (size_t count = 1; count <= last && t->finding_count == 0 && !group->cut_short; count++) {
        if (of->marks[count - 1].together)
            continue;
        crash(t, group, of, count, false, expected, prefix);
        if (in_doubt_at(of, count) && t->finding_count == 0)
            crash(t, group, of, count, true, expected, prefix);
    }
}

void pawl_tester_all_crashes(pawl_tester *t)
{
    pawl_tester_group group = {.name = "crash"};
    if (!pawl_tester_wants(t, "crash"))
        return;
    pawl_tester_crashes(t, &group, &t->basic, &t->expected, "");
    pawl_tester_report_group(t, &group,
                             group.differed == 0
                                 ? NULL
                                 : "ended in another way where a call was in doubt, as its outcome rule "
                                   "wants it");
}
