/* rewind_test.c: steps that are done again: what a program sees over a journal part of which is void, and which keys
 * its effects then get. */
#include "pawl_process.h"
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two calls, a signal, a timer, a call; a clock reading in front. */
static pawl_status trip(pawl_process *p)
{
    pawl_bytes a, b, news, c;
    (void)pawl_now(p);                               /* 1 */
    PAWL_TRY(pawl_call(p, "a", pawl_text("1"), &a)); /* 2 */
    PAWL_TRY(pawl_call(p, "b", a, &b));              /* 3 */
    PAWL_TRY(pawl_signal(p, "news", &news));
    PAWL_TRY(pawl_sleep(p, PAWL_SECOND)); /* 4 */
    PAWL_TRY(pawl_call(p, "c", b, &c));   /* 5 */
    return pawl_complete(p, pawl_printf(p, "%.*s %.*s %.*s %.*s", (int)a.size, (const char *)a.data, (int)b.size,
                                        (const char *)b.data, (int)news.size, (const char *)news.data, (int)c.size,
                                        (const char *)c.data));
}

static pawl_status cleans_up(pawl_process *p)
{
    pawl_status status = pawl_call(p, "a", pawl_text("1"), NULL); /* 1 */
    if (status == PAWL_E_CANCELLED) {
        PAWL_TRY(pawl_call(p, "undo", pawl_text("1"), NULL)); /* 2 */
        return status;
    }
    PAWL_TRY(status);
    PAWL_TRY(pawl_call(p, "b", pawl_text("2"), NULL)); /* 2 */
    return pawl_complete(p, pawl_text("done"));
}

static pawl_status side_by_side(pawl_process *p)
{
    pawl_future a = pawl_start_call(p, "a", pawl_text("1")), b = pawl_start_call(p, "b", pawl_text("2"));
    int first = 0;
    PAWL_TRY(pawl_await_any(p, &first, 2, a, b));
    PAWL_TRY(pawl_await_all(p, 2, a, b));
    return pawl_complete(p, pawl_printf(p, "first %d", first));
}

PAWL_PROCESSES(PAWL_TYPE("trip", 1, trip), PAWL_TYPE("cleans_up", 1, cleans_up),
               PAWL_TYPE("side_by_side", 1, side_by_side))

/* As it is found by who reads the journal. */
static void rewind_to(struct sim *sim, uint64_t ordinal)
{
    sim_append(sim, &(pawl_entry){.kind = PAWL_RECORD_REWOUND, .ordinal = ordinal, .value = sim_text("why")});
    sim_reload(sim);
    sim_feed_journal(sim);
}

static void finish_trip(struct sim *sim)
{
    sim_open(sim, &pawl_processes, "trip");
    sim_start(sim, "");
    sim_run(sim);
    sim_run(sim);
    sim_step(sim, 2, "A");
    sim_run(sim);
    sim_step(sim, 3, "B");
    sim_signal(sim, "news", "N");
    sim_run(sim);
    sim_timer(sim, 4);
    sim_fired(sim, 4);
    sim_run(sim);
    sim_step(sim, 5, "C");
    sim_run(sim);
    assert_int_equal(sim->result.kind, PAWL_RUN_ENDED);
    sim_entry(sim, &(pawl_entry){.kind = PAWL_RECORD_ENDED, .status = PAWL_COMPLETED, .value = sim->result.output});
    free(sim->trace);
    sim->trace = NULL;
    sim->trace_size = 0;
}

static void test_steps_from_one_on_are_done_again(void **state)
{
    (void)state;
    struct sim sim;
    finish_trip(&sim);
    assert_true(pawl_activation_ended(sim.activation));
    rewind_to(&sim, 3);
    assert_false(pawl_activation_ended(sim.activation));
    sim_run(&sim);
    sim_expect(&sim, "  call 3 b = A\n> waits: call b\n"); /* the first call is not made again, nor the clock read */
    sim_step(&sim, 3, "B2");
    sim_run(&sim); /* the signal is there already */
    sim_timer(&sim, 4);
    sim_fired(&sim, 4);
    sim_run(&sim);
    sim_step(&sim, 5, "C2");
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_ENDED);
    assert_memory_equal(sim.result.output.data, "A B2 N C2", 9);
    sim_close(&sim);
}

static void test_only_the_end_is_done_again(void **state)
{
    (void)state;
    struct sim sim;
    finish_trip(&sim);
    rewind_to(&sim, 6);
    sim_run(&sim);
    sim_expect(&sim, "> completed A B N C\n");
    sim_close(&sim);
}

static void test_X07_keys_are_new_from_there_on(void **state)
{
    (void)state;
    struct sim sim;
    finish_trip(&sim);
    rewind_to(&sim, 3);
    rewind_to(&sim, 5);
    rewind_to(&sim, 3);
    static const uint32_t expected[] = {0, 0, 2, 2, 3, 3};
    for (uint64_t ordinal = 1; ordinal <= 6; ordinal++)
        assert_int_equal(pawl_activation_generation(sim.activation, ordinal), expected[ordinal - 1]);
    sim_close(&sim);
}

static void test_a_cancel_request_is_void(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "cleans_up");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_cancel(&sim, "stop");
    sim_step_failed(&sim, 1, "cancelled", "it was told to stop");
    sim_run(&sim);
    sim_step(&sim, 2, "undone");
    sim_run(&sim);
    assert_int_equal(sim.result.status, PAWL_CANCELLED);
    rewind_to(&sim, 1);
    assert_int_equal(pawl_activation_cancel_time(sim.activation), 0);
    sim_run(&sim);
    sim_step(&sim, 1, "A");
    sim_run(&sim);
    sim_step(&sim, 2, "B");
    sim_run(&sim);
    assert_int_equal(sim.result.status, PAWL_COMPLETED);
    sim_cancel(&sim, "again"); /* a new request is one */
    assert_true(pawl_activation_cancel_time(sim.activation) > 0);
    sim_close(&sim);
}

/* Where some of the way of stopping stays, the request does, too. */
static void test_a_cancel_request_is_kept_where_that_is_said(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "cleans_up");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_cancel(&sim, "stop");
    sim_step_failed(&sim, 1, "cancelled", "it was told to stop");
    sim_run(&sim);
    sim_step_failed(&sim, 2, "no", "it could not be undone");
    sim_run(&sim);
    assert_int_equal(sim.result.status, PAWL_FAILED);
    sim_append(&sim, &(pawl_entry){.kind = PAWL_RECORD_REWOUND, .ordinal = 2, .status = 1});
    sim_reload(&sim);
    sim_feed_journal(&sim);
    assert_true(pawl_activation_cancel_time(sim.activation) > 0);
    sim_run(&sim);
    sim_step(&sim, 2, "undone");
    sim_run(&sim);
    assert_int_equal(sim.result.status, PAWL_CANCELLED);
    sim_close(&sim);
}

/* The one that stays keeps its place; what came before it and is void has none. */
static void test_results_that_stay_keep_their_order(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "side_by_side");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 2, "B");
    sim_step(&sim, 1, "A");
    sim_run(&sim);
    assert_memory_equal(sim.result.output.data, "first 1", 7);
    rewind_to(&sim, 2);
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_SUSPENDED);
    sim_step(&sim, 2, "B2");
    sim_run(&sim);
    assert_memory_equal(sim.result.output.data, "first 0", 7);
    sim_close(&sim);
}

/* Also steps that are open, in whatever state. */
static void test_open_steps_are_forgotten(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "trip");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_run(&sim);
    sim_step(&sim, 2, "A");
    sim_run(&sim);
    sim_intent(&sim, 3, 1);
    sim_attempt(&sim, 3, 1, "busy", 99);
    rewind_to(&sim, 2);
    assert_null(pawl_activation_calls(sim.activation));
    sim_run(&sim);
    pawl_open_call *open = pawl_activation_calls(sim.activation);
    assert_int_equal(open->ordinal, 2);
    assert_int_equal(open->intents, 0);
    assert_null(open->next);
    rewind_to(&sim, 1);
    assert_null(pawl_activation_calls(sim.activation));
    sim_close(&sim);
}

static void test_a_rewind_that_cannot_be_is_refused(void **state)
{
    (void)state;
    struct sim sim;
    pawl_error error;
    finish_trip(&sim);
    pawl_entry zero = {.kind = PAWL_RECORD_REWOUND};
    assert_int_equal(sim_refused(&sim, &zero, &error), PAWL_E_CORRUPT);
    pawl_entry live = {.kind = PAWL_RECORD_REWOUND, .ordinal = 3};
    assert_int_equal(sim_refused(&sim, &live, &error), PAWL_E_CORRUPT); /* its program has run over it */
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_from_one_on_are_done_again),
        cmocka_unit_test(test_only_the_end_is_done_again),
        cmocka_unit_test(test_X07_keys_are_new_from_there_on),
        cmocka_unit_test(test_a_cancel_request_is_void),
        cmocka_unit_test(test_a_cancel_request_is_kept_where_that_is_said),
        cmocka_unit_test(test_results_that_stay_keep_their_order),
        cmocka_unit_test(test_open_steps_are_forgotten),
        cmocka_unit_test(test_a_rewind_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
