/* runs_test.c: processes that go on as new runs of themselves under a real worker: nothing posted is lost or taken
 * twice across runs, whatever the store and the worker do meanwhile, and what is over leaves nothing behind. */
#include "lab.h"

#include "abi/pawl_process.h"

#include <stdio.h>
#include <stdlib.h>

/* Input "RUNS SUM": adds up what it is sent, so many signals in each run, until it is sent "end". */
#define SIGNALS_A_RUN 3
static pawl_status summing(pawl_process *p)
{
    char *rest = pawl_cstring(p, pawl_input(p));
    unsigned long runs = strtoul(rest, &rest, 10), sum = strtoul(rest, NULL, 10);
    if (runs + 1 != pawl_run_number(p))
        return pawl_fail(p, "test.run", "it was given the input of another run");
    for (int i = 0; i < SIGNALS_A_RUN; i++) {
        pawl_bytes value, result;
        PAWL_TRY(pawl_signal(p, "add", &value));
        if (pawl_is(value, "end"))
            return pawl_complete(p, pawl_printf(p, "%lu", sum));
        PAWL_TRY(pawl_call(p, "one", value, &result));
        sum += strtoul(pawl_cstring(p, value), NULL, 10);
    }
    PAWL_TRY(pawl_set_status(p, pawl_printf(p, "{\"runs\": %lu}", runs + 1)));
    return pawl_continue_as_new(p, pawl_printf(p, "%lu %lu", runs + 1, sum));
}

/* Counts down, a run for each. */
static pawl_status counting(pawl_process *p)
{
    unsigned long left = strtoul(pawl_cstring(p, pawl_input(p)), NULL, 10);
    (void)pawl_now(p);
    PAWL_TRY(pawl_call(p, "local", pawl_input(p), NULL));
    if (left == 0)
        return pawl_complete(p, pawl_printf(p, "%u", (unsigned)pawl_run_number(p)));
    return pawl_continue_as_new(p, pawl_printf(p, "%lu", left - 1));
}

/* Goes on before it could be told of a cancel request; the next run waits. */
static pawl_status hasty(pawl_process *p)
{
    PAWL_TRY(pawl_signal(p, "go", NULL));
    return pawl_continue_as_new(p, pawl_text(""));
}

/* As long as nobody says that its journal is long. */
static pawl_status measured(pawl_process *p)
{
    for (unsigned i = 0;; i++) {
        if (pawl_run_number(p) == 2)
            return pawl_complete(p, pawl_input(p));
        PAWL_TRY(pawl_call(p, "one", pawl_printf(p, "%u", i), NULL));
        if (pawl_should_continue(p))
            return pawl_continue_as_new(p, pawl_printf(p, "%u", i));
    }
}

/* Three steps; the second one is the one that may fail. */
static pawl_status three_steps(pawl_process *p)
{
    pawl_bytes value = pawl_input(p);
    PAWL_TRY(pawl_call(p, "one", value, &value));
    PAWL_TRY(pawl_call(p, "two", value, &value));
    PAWL_TRY(pawl_call(p, "one", value, &value));
    return pawl_complete(p, value);
}

PAWL_PROCESSES(PAWL_TYPE("summing", 1, summing), PAWL_TYPE("counting", 1, counting), PAWL_TYPE("hasty", 1, hasty),
               PAWL_TYPE("measured", 1, measured), PAWL_TYPE("three_steps", 1, three_steps))

static lab *lab_with(const char *provider)
{
    static const char *const types[] = {"summing", "counting", "hasty", "measured", "three_steps"};
    lab *own = lab_create(provider);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        lab_add_type(own, types[i], 1, &pawl_processes);
    return own;
}

static void send(lab *own, const char *id, unsigned number)
{
    char post[16], value[16];
    snprintf(post, sizeof post, "s-%u", number);
    snprintf(value, sizeof value, "%u", number);
    assert_int_equal(lab_signal(own, id, post, "add", value), PAWL_OK);
}

/* Signals that come faster than they are taken, over many runs. */
static void sum_up(const char *provider, bool reopen)
{
    enum { SIGNALS = 100 };
    lab *own = lab_with(provider);
    lab_add(own, &(lab_effect){.name = "one", .runs = PAWL_RUNS_INLINE});
    lab_register(own, "p", "summing", "0 0");
    lab_start(own, NULL);
    for (unsigned i = 1; i <= SIGNALS; i++) {
        send(own, "p", i);
        if (reopen && i % 20 == 0) { /* the worker is gone in the middle of it, and what it knew */
            lab_end_all(own);
            lab_reopen(own);
            lab_start(own, NULL);
        }
    }
    assert_int_equal(lab_signal(own, "p", "end", "add", "end"), PAWL_OK);
    lab_row row = lab_wait_end(own, "p");
    assert_string_equal(row.output, "5050");
    assert_int_equal(row.run, SIGNALS / SIGNALS_A_RUN + 1);
    assert_string_equal(row.document, "{\"runs\": 33}");
    assert_true(row.base > SIGNALS);
    assert_true(row.head - row.base < 10);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_STARTED), 1);
    lab_destroy(own);
}

static void test_I5_no_signal_is_lost_or_taken_twice_across_runs(void **state)
{
    (void)state;
    sum_up("memory", false);
    sum_up("rocksdb", false);
}

static void test_I5_no_signal_is_lost_when_workers_come_and_go(void **state)
{
    (void)state;
    sum_up("rocksdb", true);
}

static void test_X07_keys_name_the_run(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_register(own, "p", "summing", "0 0");
    for (unsigned i = 1; i <= 4; i++)
        send(own, "p", i);
    lab_start(own, NULL);
    lab_wait_executions(one, 4);
    assert_string_equal(lab_execution_of(one, 0).key, "p/1/1");
    assert_string_equal(lab_execution_of(one, 2).key, "p/1/3");
    assert_string_equal(lab_execution_of(one, 3).key, "p/2/1");
    assert_int_equal(lab_signal(own, "p", "end", "add", "end"), PAWL_OK);
    assert_string_equal(lab_wait_end(own, "p").output, "10");
    lab_destroy(own);
}

/* The worker dies soon after a run began; whoever comes next goes on with that run. */
static void test_I1_a_killed_worker_repeats_no_run(void **state)
{
    (void)state;
    lab *own = lab_with("rocksdb");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_register(own, "p", "summing", "0 0");
    for (unsigned i = 1; i <= 5; i++)
        send(own, "p", i);
    lab_worker *first = lab_start(own, &(lab_settings){.lease_ttl_ns = 10 * PAWL_NS_PER_SECOND});
    lab_wait_executions(one, 4); /* three in the first run, one in the second */
    lab_crash(first);
    lab_start(own, NULL);
    lab_advance(own, 20 * PAWL_NS_PER_SECOND);
    assert_int_equal(lab_signal(own, "p", "end", "add", "end"), PAWL_OK);
    lab_row row = lab_wait_end(own, "p");
    assert_string_equal(row.output, "15");
    assert_int_equal(row.run, 2);
    lab_destroy(own);
}

static void test_I7_a_cancel_request_meets_the_next_run(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_register(own, "p", "hasty", "");
    assert_int_equal(lab_signal(own, "p", "1", "go", ""), PAWL_OK);
    assert_int_equal(lab_cancel(own, "p", "stop it"), PAWL_OK);
    lab_start(own, &(lab_settings){.cancel_grace_ns = 3600 * PAWL_NS_PER_SECOND});
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_CANCELLED);
    assert_int_equal(row.run, 2);
    assert_string_equal(row.message, "stop it");
    lab_destroy(own);
}

static void test_it_is_told_when_its_journal_is_long(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_add(own, &(lab_effect){.name = "one", .runs = PAWL_RUNS_INLINE, .output_size = 1000});
    lab_register(own, "p", "measured", "");
    lab_start(own, &(lab_settings){.journal_warn_bytes = 50000});
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_in_range(strtoul(row.output, NULL, 10), 40, 50); /* steps of a thousand bytes */
    lab_destroy(own);
}

/* ---- steps that are done again ---- */

static void test_X07_rewound_steps_have_keys_of_their_own(void **state)
{
    (void)state;
    lab *own = lab_with("rocksdb");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_effect *two = lab_add(own, &(lab_effect){.name = "two", .fail_times = 1, .klass = PAWL_TERMINAL});
    lab_register(own, "p", "three_steps", "x");
    lab_start(own, NULL);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_FAILED);
    assert_int_equal(lab_rewind(own, "p", "r-1", 2), PAWL_OK);
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_string_equal(row.output, "one(two(one(x)))");
    assert_int_equal(lab_executions(one), 2);
    assert_string_equal(lab_execution_of(one, 0).key, "p/1/1"); /* not done again */
    assert_string_equal(lab_execution_of(two, 0).key, "p/1/2");
    assert_string_equal(lab_execution_of(two, 1).key, "p/1~1/2");
    assert_string_equal(lab_execution_of(one, 1).key, "p/1~1/3");
    assert_int_equal(lab_rewind(own, "p", "r-2", 3), PAWL_OK);
    LAB_UNTIL(own, lab_executions(one) == 3);
    assert_string_equal(lab_execution_of(one, 2).key, "p/1~2/3");
    lab_wait_end(own, "p");
    lab_destroy(own);
}

/* Under way, in doubt, and with its worker dead: what was rewound is not what was in doubt. */
static void test_I2_a_rewind_takes_the_process_from_its_worker(void **state)
{
    (void)state;
    lab *own = lab_with("rocksdb");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_effect *two = lab_add(own, &(lab_effect){.name = "two", .held = true, .outcome = PAWL_OUTCOME_AT_MOST_ONCE});
    lab_register(own, "p", "three_steps", "x");
    lab_start(own, NULL);
    lab_wait_running(two, 1);
    assert_int_equal(lab_rewind(own, "p", "r-1", 1), PAWL_OK);
    lab_wait_executions(two, 2); /* the first one was told to stop */
    lab_let_go(two);
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_string_equal(row.output, "one(two(one(x)))");
    assert_true(lab_executions(one) == 3); /* the first step twice */
    lab_end_all(own);
    lab_reopen(own);
    assert_int_equal(lab_rewind(own, "p", "r-2", 4), PAWL_OK); /* the end alone */
    lab_start(own, NULL);
    assert_string_equal(lab_wait_end(own, "p").output, "one(two(one(x)))");
    assert_true(lab_executions(one) == 3);
    lab_destroy(own);
}

/* A signal that was taken is taken again by what takes it again; a cancel request is not told again. */
static void test_I5_signals_are_there_again(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_add(own, &(lab_effect){.name = "one", .runs = PAWL_RUNS_INLINE});
    lab_register(own, "p", "summing", "0 0");
    lab_start(own, NULL);
    send(own, "p", 1);
    send(own, "p", 2);
    assert_int_equal(lab_signal(own, "p", "end", "add", "end"), PAWL_OK);
    assert_string_equal(lab_wait_end(own, "p").output, "3");
    assert_int_equal(lab_rewind(own, "p", "r-1", 1), PAWL_OK);
    LAB_UNTIL(own, lab_look(own, "p").status == PAWL_COMPLETED && lab_records(own, "p", PAWL_RECORD_ENDED) == 2);
    assert_string_equal(lab_look(own, "p").output, "3");
    lab_destroy(own);
}

static void test_ten_thousand_runs_leave_nothing_behind(void **state)
{
    (void)state;
    enum { RUNS = 10000 };
    lab *own = lab_with("rocksdb");
    lab_add(own, &(lab_effect){.name = "local", .runs = PAWL_RUNS_INLINE, .local = true});
    lab_register(own, "p", "counting", "10000");
    lab_start(own, NULL);
    lab_row row = lab_wait_end(own, "p");
    assert_string_equal(row.output, "10001");
    assert_int_equal(row.run, RUNS + 1);
    assert_true(row.head - row.base < 5);
    lab_end_all(own);
    lab_reopen(own); /* the log is replayed, and what was overwritten goes */
    lab_reopen(own);
    assert_true(lab_store_bytes(own) < 2000000); /* the records of so many runs would take more than three megabytes */
    uint64_t begun = lab_mono_ns();
    for (int i = 0; i < 100; i++)
        assert_int_equal(lab_records(own, "p", PAWL_RECORD_STARTED), 1);
    assert_true(lab_mono_ns() - begun < 5 * PAWL_NS_PER_SECOND); /* nothing of theirs is waded through */
    lab_destroy(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_I5_no_signal_is_lost_or_taken_twice_across_runs),
        cmocka_unit_test(test_I5_no_signal_is_lost_when_workers_come_and_go),
        cmocka_unit_test(test_X07_keys_name_the_run),
        cmocka_unit_test(test_I1_a_killed_worker_repeats_no_run),
        cmocka_unit_test(test_I7_a_cancel_request_meets_the_next_run),
        cmocka_unit_test(test_it_is_told_when_its_journal_is_long),
        cmocka_unit_test(test_X07_rewound_steps_have_keys_of_their_own),
        cmocka_unit_test(test_I2_a_rewind_takes_the_process_from_its_worker),
        cmocka_unit_test(test_I5_signals_are_there_again),
        cmocka_unit_test(test_ten_thousand_runs_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
