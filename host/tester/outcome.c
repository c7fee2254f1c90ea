/* outcome.c: what a process under test came to, as text that can be compared: all that must be the same however often
 * it was interrupted, and nothing that need not be. */
#include "state.h"

#include <inttypes.h>
#include <stdlib.h>

void pawl_machine_say_end(const pawl_machine *m, pawl_tester_text *ret)
{
    switch (m->end) {
    case PAWL_END_ENDED:
        if (m->status == PAWL_COMPLETED) {
            pawl_tester_text_add(ret, "completed: ");
            pawl_tester_text_value(ret, m->output);
        } else {
            pawl_tester_text_add(ret, "%s with ", m->status == PAWL_CANCELLED ? "cancelled" : "failed");
            pawl_tester_text_value(ret, m->failure.code);
            pawl_tester_text_add(ret, ": ");
            pawl_tester_text_value(ret, m->failure.message);
        }
        break;
    case PAWL_END_WAITS:
        pawl_tester_text_add(ret, "still waiting: %s", pawl_tester_text_of(&m->reason));
        break;
    default:
        pawl_tester_text_add(ret, "stuck with %s: %s", m->code, pawl_tester_text_of(&m->reason));
    }
}

static void say_step(const pawl_entry *entry, uint32_t run, pawl_tester_text *ret)
{
    pawl_tester_text_add(ret, "  %" PRIu32 "/%" PRIu64 " ", run, entry->ordinal);
    pawl_tester_text_value(ret, entry->name);
    if (entry->failed) {
        pawl_tester_text_add(ret, " failed: ");
        pawl_tester_text_value(ret, entry->failure.code);
    } else {
        pawl_tester_text_add(ret, " = ");
        pawl_tester_text_value(ret, entry->value);
    }
    pawl_tester_text_bytes(ret, "\n", 1);
}

/* Steps in the order of the program, not of their ends. */
static int by_ordinal(const void *left, const void *right)
{
    const pawl_entry *a = left, *b = right;
    if (a->sequence != b->sequence) /* the run, here */
        return a->sequence < b->sequence ? -1 : 1;
    return a->ordinal < b->ordinal ? -1 : a->ordinal > b->ordinal;
}

static void say_steps(const pawl_machine *m, pawl_tester_text *ret)
{
    pawl_entry *steps = calloc(m->record_count + 1, sizeof *steps);
    size_t count = 0;
    for (size_t i = 0; i < m->record_count && steps != NULL; i++)
        if (m->records[i].kind == PAWL_RECORD_STEP && pawl_entry_decode(&m->records[i], &steps[count], NULL) == PAWL_OK)
            steps[count++].sequence = m->marks[i].run;
    if (count > 1)
        qsort(steps, count, sizeof *steps, by_ordinal);
    pawl_tester_text_add(ret, "steps, as recorded\n");
    for (size_t i = 0; i < count; i++)
        say_step(&steps[i], (uint32_t)steps[i].sequence, ret);
    free(steps);
}

void pawl_machine_summary(const pawl_machine *m, pawl_tester_text *ret)
{
    pawl_tester_text_bytes(ret, pawl_tester_text_of(&m->did), m->did.size);
    if (m->end != PAWL_END_ENDED) {
        pawl_tester_text_add(ret, "run %" PRIu32 "\n", m->run);
        pawl_tester_text_bytes(ret, pawl_tester_text_of(&m->witness.log), m->witness.log.size);
    }
    say_steps(m, ret);
    if (m->document.size > 0) {
        pawl_tester_text_add(ret, "status document  ");
        pawl_tester_text_value(ret, m->document);
        pawl_tester_text_add(ret, "\n");
    }
    if (m->attributes.size > 0) {
        pawl_tester_text_add(ret, "search attributes  ");
        pawl_tester_text_value(ret, m->attributes);
        pawl_tester_text_add(ret, "\n");
    }
    pawl_state_say(m, ret);
    pawl_machine_say_end(m, ret);
    pawl_tester_text_add(ret, "\n");
}
