/* continue_test.c: a process that goes on as a new run of itself: when it may, what goes over, where the new journal
 * begins, and that it is told the same of its length in every run. */
#include "pawl_process.h"
#include "sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adds up what it is sent; "next" goes on as a new run with the sum. */
static pawl_status adding(pawl_process *p)
{
    unsigned long sum = strtoul(pawl_cstring(p, pawl_input(p)), NULL, 10);
    for (;;) {
        pawl_bytes value;
        PAWL_TRY(pawl_signal(p, "add", &value));
        if (pawl_is(value, "next"))
            return pawl_continue_as_new(p, pawl_printf(p, "%lu", sum));
        sum += strtoul(pawl_cstring(p, value), NULL, 10);
    }
}

static pawl_status leaves_a_call(pawl_process *p)
{
    (void)pawl_start_call(p, "a", pawl_text("1"));
    PAWL_TRY(pawl_signal(p, "go", NULL));
    return pawl_continue_as_new(p, pawl_text("x"));
}

static pawl_status leaves_a_timer(pawl_process *p)
{
    pawl_future call = pawl_start_call(p, "a", pawl_text("1"));
    pawl_future timer = pawl_start_timer(p, PAWL_HOUR);
    PAWL_TRY(pawl_await_any(p, NULL, 2, call, timer));
    return pawl_continue_as_new(p, pawl_text("x"));
}

static pawl_status runs_from_a_cancel(pawl_process *p)
{
    pawl_status status = pawl_signal(p, "go", NULL);
    return status == PAWL_SUSPEND ? status : pawl_continue_as_new(p, pawl_text("x"));
}

static pawl_status says_both(pawl_process *p)
{
    (void)pawl_continue_as_new(p, pawl_text("x"));
    return pawl_complete(p, pawl_text("y"));
}

static pawl_status then_fails(pawl_process *p)
{
    (void)pawl_continue_as_new(p, pawl_text("x"));
    return PAWL_E_FAILED;
}

static pawl_status leaves_a_compensation(pawl_process *p)
{
    PAWL_TRY(pawl_on_rollback(p, "undo", pawl_text("1")));
    return pawl_continue_as_new(p, pawl_text("x"));
}

/* What it is told at each of its steps. */
static pawl_status measures(pawl_process *p)
{
    pawl_bytes said = pawl_text("");
    for (int i = 0; i < 3; i++) {
        if (i == 1)
            PAWL_TRY(pawl_signal(p, "go", NULL));
        else
            PAWL_TRY(pawl_call(p, "a", pawl_text("1"), NULL));
        said = pawl_printf(p, "%.*s %" PRIu64 "/%" PRIu64 "%s", (int)said.size, (const char *)said.data,
                           pawl_journal_records(p), pawl_journal_bytes(p), pawl_should_continue(p) ? "!" : "");
    }
    return pawl_complete(p, said);
}

static pawl_status draws(pawl_process *p)
{
    char text[37];
    pawl_uuid(p, text);
    return pawl_complete(p, pawl_printf(p, "%u %.*s %s", (unsigned)pawl_run_number(p), (int)pawl_input(p).size,
                                        (const char *)pawl_input(p).data, text));
}

PAWL_PROCESSES(PAWL_TYPE("adding", 1, adding), PAWL_TYPE("leaves_a_call", 1, leaves_a_call),
               PAWL_TYPE("leaves_a_timer", 1, leaves_a_timer),
               PAWL_TYPE("leaves_a_compensation", 1, leaves_a_compensation),
               PAWL_TYPE("runs_from_a_cancel", 1, runs_from_a_cancel), PAWL_TYPE("says_both", 1, says_both),
               PAWL_TYPE("then_fails", 1, then_fails), PAWL_TYPE("measures", 1, measures), PAWL_TYPE("draws", 1, draws))

static pawl_status note_carried(void *context, const pawl_entry *entry)
{
    sim_note(context, "  carries %" PRIu64 " %s %.*s = %.*s", entry->sequence, pawl_record_name(entry->kind),
             (int)entry->name.size, (const char *)entry->name.data, (int)entry->value.size,
             (const char *)entry->value.data);
    return PAWL_OK;
}

static void note_all_carried(struct sim *sim)
{
    assert_int_equal(sim->result.kind, PAWL_RUN_CONTINUED);
    assert_int_equal(pawl_activation_carry(sim->activation, note_carried, sim), PAWL_OK);
}

static void test_what_was_not_taken_goes_over_in_its_order(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "adding");
    sim_start(&sim, "10");
    sim_run(&sim);
    sim_signal(&sim, "add", "5");
    sim_run(&sim);
    sim_signal(&sim, "other", "a");
    sim_signal(&sim, "add", "next");
    sim_signal(&sim, "add", "7");
    sim_cancel(&sim, "enough");
    sim_signal(&sim, "other", "b");
    sim_run(&sim);
    note_all_carried(&sim);
    sim_expect(&sim, "< 1 started = 10\n"
                     "> waits: signal add (signal)\n"
                     "< 2 signal add = 5\n"
                     "> waits: signal add (signal)\n"
                     "< 3 signal other = a\n"
                     "< 4 signal add = next\n"
                     "< 5 signal add = 7\n"
                     "< 6 cancel = enough\n"
                     "< 7 signal other = b\n"
                     "> continued 15\n"
                     "  carries 3 signal other = a\n"
                     "  carries 5 signal add = 7\n"
                     "  carries 6 cancel  = enough\n"
                     "  carries 7 signal other = b\n");
    sim_close(&sim);
}

static void test_a_cancel_that_nobody_was_told_of_goes_over_alone(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "adding");
    sim_start(&sim, "1");
    sim_signal(&sim, "add", "next");
    sim_cancel(&sim, "late");
    sim_run(&sim);
    note_all_carried(&sim);
    sim_expect(&sim, "< 1 started = 1\n"
                     "< 2 signal add = next\n"
                     "< 3 cancel = late\n"
                     "> continued 1\n"
                     "  carries 3 cancel  = late\n");
    sim_close(&sim);
}

static void test_not_while_calls_are_open(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "leaves_a_call");
    sim_start(&sim, "");
    sim_signal(&sim, "go", "");
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_ENDED);
    assert_string_equal(sim.result.failure.code.data, "process.calls_open");
    assert_non_null(strstr(sim.result.failure.message.data, "1 calls or children are open"));
    sim_step(&sim, 1, "done"); /* it came, and the program has not seen it: the same answer */
    sim_reload(&sim);
    sim_feed_journal(&sim);
    sim_run(&sim);
    assert_string_equal(sim.result.failure.code.data, "process.calls_open");
    sim_close(&sim);
}

static void test_not_while_compensations_are_registered(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "leaves_a_compensation");
    sim_start(&sim, "");
    sim_run(&sim); /* it fails, and so it is undone */
    assert_int_equal(sim.result.kind, PAWL_RUN_SUSPENDED);
    assert_true(sim.result.compensating);
    sim_close(&sim);
}

static void test_timers_are_dropped(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "leaves_a_timer");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 1, "done");
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_CONTINUED);
    sim_close(&sim);
}

static void test_I7_a_process_that_was_told_to_stop_does_not_run_away(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "runs_from_a_cancel");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_cancel(&sim, "stop");
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_ENDED);
    assert_int_equal(sim.result.status, PAWL_CANCELLED);
    sim_close(&sim);
}

static void test_it_is_an_end_like_any_other(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "says_both");
    sim_start(&sim, "");
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_STUCK); /* it was refused, and the program returned that */
    assert_string_equal(sim.result.reason_code.data, "contract");
    sim_close(&sim);
    sim_open(&sim, &pawl_processes, "then_fails");
    sim_start(&sim, "");
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_STUCK);
    assert_string_equal(sim.result.reason_code.data, "contract");
    sim_close(&sim);
}

static void test_a_run_begins_at_any_sequence(void **state)
{
    (void)state;
    struct sim sim;
    char first[64];
    sim_open(&sim, &pawl_processes, "draws");
    sim_start(&sim, "x");
    sim_run(&sim);
    snprintf(first, sizeof first, "%.*s", (int)sim.result.output.size, (const char *)sim.result.output.data);
    sim.config.run = 2;
    sim_reload(&sim);
    pawl_error error = {0};
    pawl_record later = sim.records[0];
    later.sequence = 41;
    assert_int_equal(pawl_activation_feed(sim.activation, &later, &error), PAWL_OK);
    assert_int_equal(pawl_activation_head(sim.activation), 41);
    pawl_activation_run(sim.activation, 0, &sim.result);
    assert_memory_equal(sim.result.output.data, "2 x ", 4);
    assert_memory_not_equal(sim.result.output.data, first, sim.result.output.size); /* another run, another seed */
    later.sequence = 43;
    assert_int_equal(pawl_activation_feed(sim.activation, &later, &error), PAWL_E_INVALID);
    later.sequence = 42;
    assert_int_equal(pawl_activation_feed(sim.activation, &later, &error), PAWL_E_CORRUPT);
    sim_close(&sim);
}

/* The numbers of the moment each question was first asked, whatever the journal and the limits are by now. */
static void test_its_length_is_the_same_in_every_run(void **state)
{
    (void)state;
    struct sim sim;
    char said[100];
    sim_open(&sim, &pawl_processes, "measures");
    sim.config.warn_records = 5;
    sim_reload(&sim);
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 1, "one");
    sim_run(&sim);
    sim_signal(&sim, "go", "");
    sim_run(&sim);
    sim_signal(&sim, "go", "more");
    sim_step(&sim, 2, "two");
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_ENDED);
    snprintf(said, sizeof said, "%.*s", (int)sim.result.output.size, (const char *)sim.result.output.data);
    assert_memory_equal(said, " 2/", 3);
    assert_non_null(strstr(said, " 4/"));
    assert_non_null(strstr(said, " 6/"));
    assert_ptr_equal(strchr(said, '!'), said + strlen(said) - 1); /* at the end alone */
    uint64_t bytes = 0;
    for (size_t i = 0; i < 6; i++)
        bytes += sim.records[i].body.size;
    assert_int_equal(strtoul(strrchr(said, '/') + 1, NULL, 10), bytes);
    sim.config.warn_records = 2; /* they were recorded: it is not asked again */
    sim_reload(&sim);
    sim_feed_journal(&sim);
    sim_run(&sim);
    assert_int_equal(sim.result.output.size, strlen(said));
    assert_memory_equal(sim.result.output.data, said, strlen(said));
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_not_taken_goes_over_in_its_order),
        cmocka_unit_test(test_a_cancel_that_nobody_was_told_of_goes_over_alone),
        cmocka_unit_test(test_not_while_calls_are_open),
        cmocka_unit_test(test_not_while_compensations_are_registered),
        cmocka_unit_test(test_timers_are_dropped),
        cmocka_unit_test(test_I7_a_process_that_was_told_to_stop_does_not_run_away),
        cmocka_unit_test(test_it_is_an_end_like_any_other),
        cmocka_unit_test(test_a_run_begins_at_any_sequence),
        cmocka_unit_test(test_its_length_is_the_same_in_every_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
