/* local_test.c: results of effects that show nothing outside may be seen before they are durable; nothing visible may
 * begin before they are, and whatever comes in between makes them never to have been. */
#include "lab.h"

#include "abi/pawl_process.h"

#include <stdio.h>
#include <stdlib.h>

static int number_of(pawl_process *p)
{
    const char *text = pawl_cstring(p, pawl_input(p));
    return text == NULL ? 0 : atoi(text);
}

/* So many local steps, one after the other. */
static pawl_status many(pawl_process *p)
{
    int count = number_of(p);
    for (int i = 0; i < count; i++)
        PAWL_TRY(pawl_call(p, "local", pawl_printf(p, "%d", i), NULL));
    return pawl_complete(p, pawl_printf(p, "%d steps", count));
}

/* Local steps, then one that everybody sees. */
static pawl_status then_seen(pawl_process *p)
{
    pawl_bytes value;
    int count = number_of(p);
    for (int i = 0; i < count; i++)
        PAWL_TRY(pawl_call(p, "local", pawl_printf(p, "%d", i), NULL));
    PAWL_TRY(pawl_call(p, "seen", pawl_input(p), &value));
    PAWL_TRY(pawl_call(p, "local", pawl_input(p), NULL));
    return pawl_complete(p, value);
}

/* What it does next depends on where among its steps a signal stands. */
static pawl_status race(pawl_process *p)
{
    int count = number_of(p), first = 0, i = 0;
    pawl_bytes value;
    pawl_future signal = pawl_wait_signal(p, "go");
    for (; i < count && first == 0; i++) {
        pawl_future step = pawl_start_call(p, "local", pawl_printf(p, "%d", i));
        PAWL_TRY(pawl_await_any(p, &first, 2, step, signal));
        PAWL_TRY(pawl_await(p, step));
    }
    pawl_bytes what = pawl_printf(p, "%s %d", first == 0 ? "no signal in" : "signal at", i);
    PAWL_TRY(pawl_call(p, "seen", what, &value));
    return pawl_complete(p, value);
}

/* Local steps, then it waits for something else. */
static pawl_status then_signal(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "local", pawl_input(p), NULL));
    PAWL_TRY(pawl_set_status(p, pawl_printf(p, "{\"at\":1}")));
    PAWL_TRY(pawl_call(p, "local", pawl_input(p), NULL));
    (void)pawl_now(p);
    PAWL_TRY(pawl_call(p, "local", pawl_input(p), NULL));
    PAWL_TRY(pawl_signal(p, "go", &value));
    PAWL_TRY(pawl_call(p, "local", pawl_input(p), NULL));
    PAWL_TRY(pawl_sleep(p, 1));
    PAWL_TRY(pawl_call(p, "local", pawl_input(p), NULL));
    return pawl_complete(p, value);
}

/* Local steps, then one that nobody knows. */
static pawl_status then_stuck(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "local", pawl_input(p), NULL));
    PAWL_TRY(pawl_call(p, "nobody", pawl_input(p), NULL));
    return pawl_complete(p, pawl_input(p));
}

PAWL_PROCESSES(PAWL_TYPE("many", 1, many), PAWL_TYPE("then_seen", 1, then_seen), PAWL_TYPE("race", 1, race),
               PAWL_TYPE("then_signal", 1, then_signal), PAWL_TYPE("then_stuck", 1, then_stuck))

typedef struct place {
    lab *own;
    lab_effect *local, *seen;
} place;

static place place_on(const char *provider)
{
    static const char *const types[] = {"many", "then_seen", "race", "then_signal", "then_stuck"};
    place at = {.own = lab_create(provider)};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        lab_add_type(at.own, types[i], 1, &pawl_processes);
    at.local = lab_add(at.own, &(lab_effect){.name = "local", .runs = PAWL_RUNS_INLINE, .local = true});
    at.seen = lab_add(at.own, &(lab_effect){.name = "seen", .outcome = PAWL_OUTCOME_AT_MOST_ONCE});
    return at;
}

static void test_I4_ten_local_steps_and_the_end_are_one_commit(void **state)
{
    (void)state;
    place at = place_on("rocksdb");
    lab_worker *worker = lab_start(at.own, NULL);
    lab_register(at.own, "p", "many", "10");
    lab_row row = lab_wait_status(at.own, "p", PAWL_COMPLETED);
    assert_string_equal(row.output, "10 steps");
    assert_int_equal(row.head, 12);
    assert_int_equal(lab_executions(at.local), 10);
    assert_int_equal(lab_stats(worker).commits, 1);
    lab_destroy(at.own);
}

static void test_I10_so_much_may_be_ahead_and_no_more(void **state)
{
    (void)state;
    place at = place_on("memory");
    lab_worker *worker = lab_start(at.own, NULL);
    lab_register(at.own, "p", "many", "200");
    lab_wait_status(at.own, "p", PAWL_COMPLETED);
    uint64_t commits = lab_stats(worker).commits;
    assert_in_range(commits, 4, 8); /* at most 64 records each: and it does use them */
    LAB_SCRIPT(at.local, output_size = 60000);
    lab_register(at.own, "q", "many", "20");
    lab_wait_status(at.own, "q", PAWL_COMPLETED);
    assert_in_range(lab_stats(worker).commits - commits, 4, 8); /* at most 256 KiB and one result */
    assert_int_equal(lab_executions(at.local), 220);
    lab_destroy(at.own);
}

static void test_I1_what_is_seen_outside_begins_when_local_steps_are_durable(void **state)
{
    (void)state;
    place at = place_on("memory");
    lab_worker *worker = lab_start(at.own, NULL);
    unruly_add(lab_store(worker), &(unruly_rule){.action = UNRULY_HOLD, .op_kind = PAWL_OP_APPEND, .times = 1});
    lab_register(at.own, "p", "then_seen", "5");
    assert_true(unruly_wait_held(lab_store(worker), 1));
    assert_int_equal(lab_executions(at.local), 5);
    assert_int_equal(lab_look(at.own, "p").head, 1);
    for (int i = 0; i < 20; i++) {
        lab_nap();
        assert_int_equal(lab_executions(at.seen), 0);
    }
    unruly_let_go(lab_store(worker));
    lab_wait_status(at.own, "p", PAWL_COMPLETED);
    assert_int_equal(lab_executions(at.local), 6);
    assert_int_equal(lab_executions(at.seen), 1);
    assert_int_equal(lab_stats(worker).commits, 3); /* five steps and the intent; its end; one step and the end */
    lab_destroy(at.own);
}

static void test_I5_a_signal_in_between_is_seen_before_what_was_ahead(void **state)
{
    (void)state;
    place at = place_on("memory");
    lab_worker *worker = lab_start(at.own, NULL);
    unruly_add(lab_store(worker), &(unruly_rule){.action = UNRULY_HOLD, .op_kind = PAWL_OP_APPEND, .times = 1});
    lab_register(at.own, "p", "race", "5");
    assert_true(unruly_wait_held(lab_store(worker), 1));
    assert_int_equal(lab_signal(at.own, "p", "1", "go", ""), PAWL_OK);
    unruly_let_go(lab_store(worker));
    lab_row row = lab_wait_status(at.own, "p", PAWL_COMPLETED);
    assert_string_equal(row.output, "seen(signal at 1)");
    assert_int_equal(lab_executions(at.local), 6); /* five that never were, and one */
    assert_int_equal(lab_executions(at.seen), 1);
    lab_destroy(at.own);
}

static void test_I7_a_cancel_in_between_is_told(void **state)
{
    (void)state;
    for (int deaf = 0; deaf < 2; deaf++) {
        place at = place_on("memory");
        lab_worker *worker = lab_start(at.own, NULL);
        unruly_add(lab_store(worker), &(unruly_rule){.action = UNRULY_HOLD, .op_kind = PAWL_OP_COMPLETE, .times = 1});
        lab_register(at.own, "p", "many", "5");
        assert_true(unruly_wait_held(lab_store(worker), 1));
        if (deaf)
            unruly_deafen(lab_store(worker));
        assert_int_equal(lab_cancel(at.own, "p", "why"), PAWL_OK);
        unruly_let_go(lab_store(worker));
        lab_wait_status(at.own, "p", PAWL_CANCELLED);
        assert_int_equal(lab_executions(at.local), 5); /* nothing more was begun */
        lab_destroy(at.own);
    }
}

/* One commit of each is held, and something comes in between: at the first, in the middle, at the last. */
static void test_I5_I7_a_hundred_interleavings_end_right(void **state)
{
    (void)state;
    place at = place_on("memory");
    lab_worker *worker = lab_start(at.own, NULL);
    uint32_t cancelled = 0;
    for (uint32_t i = 0; i < 100; i++) {
        char id[16], steps[16], expected[48];
        snprintf(id, sizeof id, "p%u", i);
        snprintf(steps, sizeof steps, "%u", 1 + (i * 7) % 150);
        uint32_t before = lab_executions(at.seen);
        unruly_add(lab_store(worker), &(unruly_rule){.action = UNRULY_HOLD, .skip = i % 3, .times = 1});
        lab_register(at.own, id, "race", steps);
        assert_true(unruly_wait_held(lab_store(worker), 1));
        if (i % 4 == 3)
            assert_int_equal(lab_cancel(at.own, id, "why"), PAWL_OK);
        else
            assert_int_equal(lab_signal(at.own, id, "1", "go", ""), PAWL_OK);
        unruly_let_go(lab_store(worker));
        lab_row row = lab_wait_end(at.own, id);
        cancelled += row.status == PAWL_CANCELLED;
        if (i % 4 == 3 && i % 3 == 0)
            assert_int_equal(row.status, PAWL_CANCELLED);
        if (i % 4 != 3) {
            assert_int_equal(row.status, PAWL_COMPLETED);
            assert_int_equal(lab_executions(at.seen), before + 1);
        }
        if (i % 4 != 3 && i % 3 == 0) { /* before everything that was ahead */
            snprintf(expected, sizeof expected, "seen(signal at 1)");
            assert_string_equal(row.output, expected);
        }
        LAB_UNTIL(at.own, lab_stats(worker).resident == 0);
    }
    assert_in_range(cancelled, 9, 25);
    lab_destroy(at.own);
}

/* The same without order: answers come late, posts whenever they come, workers die and stores fail. */
static void test_I1_I5_local_steps_in_every_trouble(void **state)
{
    (void)state;
    place at = place_on("memory");
    enum { COUNT = 150 };
    lab_worker *workers[2];
    for (int i = 0; i < 2; i++) {
        workers[i] = lab_start(at.own, &(lab_settings){.heartbeat_ns = 10 * PAWL_NS_PER_MS, .resident_max = 20});
        unruly_shuffle(lab_store(workers[i]), 3);
        unruly_set_weather(lab_store(workers[i]),
                           &(unruly_weather){.seed = 7 + (uint64_t)i, .fail_permille = 20, .deaf_permille = 50});
    }
    char id[16], steps[16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(id, sizeof id, "p%d", i);
        snprintf(steps, sizeof steps, "%d", 1 + (i * 31) % 140);
        lab_register(at.own, id, "race", steps);
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(id, sizeof id, "p%d", i);
        (void)(i % 5 == 4 ? lab_cancel(at.own, id, "why") : lab_signal(at.own, id, "1", "go", ""));
        if (i % 10 == 0)
            lab_nap();
        if (i == 60) {
            lab_crash(workers[0]);
            workers[0] = lab_start(at.own, &(lab_settings){.heartbeat_ns = 10 * PAWL_NS_PER_MS});
        }
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(id, sizeof id, "p%d", i);
        lab_row row = lab_wait_end(at.own, id);
        if (row.status == PAWL_FAILED) /* its worker died in the middle of what may not be repeated */
            assert_string_equal(row.code, "in_doubt");
        else
            assert_true(row.status == PAWL_COMPLETED || (i % 5 == 4 && row.status == PAWL_CANCELLED));
    }
    lab_destroy(at.own); /* and audits */
}

static void test_I1_killed_while_ahead_another_worker_comes_to_the_same_end(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {PAWL_OP_APPEND, PAWL_OP_COMPLETE};
    for (size_t i = 0; i < 2; i++) {
        place at = place_on("rocksdb");
        lab_worker *worker = lab_start(at.own, NULL);
        unruly_add(lab_store(worker), &(unruly_rule){.action = UNRULY_HOLD, .op_kind = kinds[i], .times = 1});
        lab_register(at.own, "p", "many", i == 0 ? "70" : "7");
        assert_true(unruly_wait_held(lab_store(worker), 1));
        assert_int_equal(lab_look(at.own, "p").head, 1);
        lab_crash(worker);
        lab_start(at.own, NULL);
        lab_row row = lab_wait_status(at.own, "p", PAWL_COMPLETED);
        assert_string_equal(row.output, i == 0 ? "70 steps" : "7 steps");
        assert_int_equal(row.head, i == 0 ? 72 : 9);
        lab_destroy(at.own);
    }
}

static void test_I4_a_wait_a_clock_and_a_document_behind_local_steps(void **state)
{
    (void)state;
    place at = place_on("rocksdb");
    lab_worker *worker = lab_start(at.own, NULL);
    lab_register(at.own, "p", "then_signal", "in");
    lab_row row = lab_wait_status(at.own, "p", PAWL_WAITING);
    assert_string_equal(row.document, "{\"at\":1}");
    assert_int_equal(lab_records(at.own, "p", PAWL_RECORD_STEP), 3);
    assert_int_equal(lab_signal(at.own, "p", "1", "go", "hello"), PAWL_OK);
    row = lab_wait_status(at.own, "p", PAWL_COMPLETED);
    assert_string_equal(row.output, "hello");
    assert_int_equal(lab_executions(at.local), 5);
    assert_int_equal(lab_stats(worker).lost_leases, 0);
    lab_destroy(at.own);
}

static void test_I8_stuck_behind_a_local_step(void **state)
{
    (void)state;
    place at = place_on("memory");
    lab_worker *worker = lab_start(at.own, NULL);
    lab_register(at.own, "p", "then_stuck", "in");
    lab_row row = lab_wait_status(at.own, "p", PAWL_STUCK);
    assert_string_equal(row.reason_code, "unknown_effect");
    assert_int_equal(lab_records(at.own, "p", PAWL_RECORD_STEP), 1);
    assert_int_equal(lab_terminate(at.own, "p"), PAWL_OK);
    /* That it is stuck is no more true than what it follows from. */
    unruly_add(lab_store(worker), &(unruly_rule){.action = UNRULY_HOLD, .op_kind = PAWL_OP_APPEND, .times = 1});
    lab_register(at.own, "q", "then_stuck", "in");
    assert_true(unruly_wait_held(lab_store(worker), 1));
    assert_int_equal(lab_cancel(at.own, "q", "why"), PAWL_OK);
    unruly_let_go(lab_store(worker));
    lab_wait_status(at.own, "q", PAWL_CANCELLED);
    assert_int_equal(lab_records(at.own, "q", PAWL_RECORD_STEP), 0);
    lab_destroy(at.own);
}

/* The store does not take what was ahead: the process is stuck, and a cancel that came meanwhile is not lost. */
static void test_I7_a_refusal_of_what_was_ahead_hides_no_cancel(void **state)
{
    (void)state;
    for (int cancel = 0; cancel < 2; cancel++) {
        place at = place_on("memory");
        lab_worker *worker = lab_start(at.own, NULL);
        unruly *store = lab_store(worker);
        unruly_add(store, &(unruly_rule){
                              .action = UNRULY_FAIL, .op_kind = PAWL_OP_APPEND, .times = 1, .status = PAWL_E_LIMIT});
        unruly_add(store, &(unruly_rule){.action = UNRULY_HOLD, .op_kind = PAWL_OP_PARK, .times = 1});
        lab_register(at.own, "p", "then_seen", "5");
        assert_true(unruly_wait_held(store, 1));
        unruly_deafen(store);
        if (cancel)
            assert_int_equal(lab_cancel(at.own, "p", "why"), PAWL_OK);
        unruly_let_go(store);
        lab_wait_status(at.own, "p", cancel ? PAWL_READY : PAWL_STUCK);
        assert_int_equal(lab_executions(at.seen), 0);
        assert_int_equal(lab_look(at.own, "p").head, cancel ? 3 : 2);
        lab_start(at.own, NULL);
        if (!cancel)
            assert_int_equal(lab_resume(at.own, "p"), PAWL_OK);
        lab_wait_status(at.own, "p", cancel ? PAWL_CANCELLED : PAWL_COMPLETED);
        lab_destroy(at.own);
    }
}

static void test_I4_a_local_step_that_fails_is_tried_again(void **state)
{
    (void)state;
    place at = place_on("memory");
    at.local->fail_times = 2;
    lab_start(at.own, NULL);
    lab_register(at.own, "p", "many", "5");
    lab_wait_status(at.own, "p", PAWL_COMPLETED);
    assert_int_equal(lab_executions(at.local), 7);
    assert_int_equal(lab_records(at.own, "p", PAWL_RECORD_ATTEMPT), 2);
    lab_destroy(at.own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_I4_ten_local_steps_and_the_end_are_one_commit),
        cmocka_unit_test(test_I10_so_much_may_be_ahead_and_no_more),
        cmocka_unit_test(test_I1_what_is_seen_outside_begins_when_local_steps_are_durable),
        cmocka_unit_test(test_I5_a_signal_in_between_is_seen_before_what_was_ahead),
        cmocka_unit_test(test_I7_a_cancel_in_between_is_told),
        cmocka_unit_test(test_I5_I7_a_hundred_interleavings_end_right),
        cmocka_unit_test(test_I1_I5_local_steps_in_every_trouble),
        cmocka_unit_test(test_I1_killed_while_ahead_another_worker_comes_to_the_same_end),
        cmocka_unit_test(test_I4_a_wait_a_clock_and_a_document_behind_local_steps),
        cmocka_unit_test(test_I8_stuck_behind_a_local_step),
        cmocka_unit_test(test_I7_a_refusal_of_what_was_ahead_hides_no_cancel),
        cmocka_unit_test(test_I4_a_local_step_that_fails_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
