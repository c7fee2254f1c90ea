/* clock_test.c: the time of day is set by an hour and by a month, forward and back, and monotonic clocks run apart. No
 * timer is lost, none fires before the store's clock shows its time, and no lease changes hands for it. */
#include "witness.h"

#include "abi/pawl_process.h"

#include <stdio.h>
#include <stdlib.h>

#define HOUR_NS  (3600 * PAWL_NS_PER_SECOND)
#define MONTH_NS (720 * HOUR_NS)

static pawl_status sleeper(pawl_process *p)
{
    PAWL_TRY(pawl_sleep(p, 2 * PAWL_HOUR));
    return pawl_complete(p, pawl_text("slept"));
}

static pawl_status one_call(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), &value));
    return pawl_complete(p, value);
}

static pawl_status at_once(pawl_process *p)
{
    return pawl_complete(p, pawl_text("done"));
}

PAWL_PROCESSES(PAWL_TYPE("sleeper", 1, sleeper), PAWL_TYPE("one_call", 1, one_call), PAWL_TYPE("at_once", 1, at_once))

static lab *lab_with(const char *provider)
{
    lab *own = lab_create(provider);
    lab_judge_no_times(own);
    lab_add_type(own, "sleeper", 1, &pawl_processes);
    lab_add_type(own, "one_call", 1, &pawl_processes);
    lab_add_type(own, "at_once", 1, &pawl_processes);
    return own;
}

/* Everything that is due now has been claimed before this comes back. */
static void let_the_due_run(lab *own)
{
    static int count;
    char id[16];
    lab_advance(own, 0);
    snprintf(id, sizeof id, "q%d", count++);
    lab_register(own, id, "at_once", "");
    (void)lab_wait_end(own, id);
}

static void assert_fired_in_time(lab *own, const char *id)
{
    fleet_process p = {0};
    uint64_t due = 0;
    assert_int_equal(witness_read_journal(own, lab_look(own, id).number, &p), PAWL_OK);
    for (size_t i = 0; i < p.record_count; i++) {
        if (p.records[i].kind == PAWL_RECORD_TIMER)
            due = p.records[i].due_unix_ns;
        if (p.records[i].kind == PAWL_RECORD_FIRED)
            assert_true(p.records[i].time_unix_ns >= due);
    }
    assert_int_not_equal(due, 0);
    free(p.records);
}

/* What waits until a time of day waits for just that, however the time of day comes and goes. */
static void sleep_over_a_jump(const char *provider, int64_t jump_ns)
{
    lab *own = lab_with(provider);
    lab_start(own, NULL);
    lab_start(own, NULL);
    lab_register(own, "p", "sleeper", "");
    uint64_t due = lab_wait_status(own, "p", PAWL_WAITING).wake_unix_ns;
    lab_set_wall(own, jump_ns);
    let_the_due_run(own);
    if (lab_store_unix_ns(own) < due) {
        assert_int_equal(lab_look(own, "p").status, PAWL_WAITING);
        uint64_t left = due - lab_store_unix_ns(own);
        lab_advance(own, left - HOUR_NS / 2);
        let_the_due_run(own);
        assert_int_equal(lab_look(own, "p").status, PAWL_WAITING);
        assert_int_equal(lab_look(own, "p").wake_unix_ns, due);
        lab_advance(own, HOUR_NS / 2);
    }
    assert_string_equal(lab_wait_end(own, "p").output, "slept");
    assert_fired_in_time(own, "p");
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_FIRED), 1);
    lab_destroy(own);
}

static void test_I3_no_timer_is_lost_or_early_when_the_time_of_day_is_set(void **state)
{
    (void)state;
    static const int64_t jumps[] = {HOUR_NS, -(int64_t)HOUR_NS, MONTH_NS, -(int64_t)MONTH_NS};
    for (size_t i = 0; i < 4; i++)
        sleep_over_a_jump("memory", jumps[i]);
    sleep_over_a_jump("rocksdb", jumps[1]);
    sleep_over_a_jump("rocksdb", jumps[2]);
}

/* Woken, and the time of day is set back before its program looks: it goes back to sleep and wakes again. */
static void test_I3_a_timer_whose_time_is_taken_back_while_it_wakes_fires_later(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "sleeper", "");
    lab_wait_status(own, "p", PAWL_WAITING);
    unruly_freeze(lab_store(worker));
    lab_advance(own, 2 * HOUR_NS); /* which also ends its leases */
    lab_set_wall(own, -(int64_t)HOUR_NS);
    unruly_thaw(lab_store(worker));
    let_the_due_run(own);
    assert_int_equal(lab_look(own, "p").status, PAWL_WAITING);
    lab_advance(own, HOUR_NS);
    assert_string_equal(lab_wait_end(own, "p").output, "slept");
    assert_fired_in_time(own, "p");
    lab_destroy(own);
}

static void test_I3_another_attempt_is_made_though_the_time_of_day_is_set(void **state)
{
    (void)state;
    static const int64_t jumps[] = {HOUR_NS, -(int64_t)HOUR_NS, MONTH_NS, -(int64_t)MONTH_NS};
    for (size_t i = 0; i < 4; i++) {
        lab *own = lab_with("memory");
        lab_effect script = {.name = "one", .fail_times = 1};
        script.retry = (pawl_retry_policy){
            .attempts_max = 3, .first_delay_ns = 2 * HOUR_NS, .factor = 1, .delay_max_ns = 2 * HOUR_NS};
        lab_effect *one = lab_add(own, &script);
        lab_start(own, NULL);
        lab_register(own, "p", "one_call", "in");
        uint64_t due = lab_wait_status(own, "p", PAWL_WAITING).wake_unix_ns;
        lab_set_wall(own, jumps[i]);
        if (lab_store_unix_ns(own) < due)
            lab_advance(own, due - lab_store_unix_ns(own));
        let_the_due_run(own);
        assert_string_equal(lab_wait_end(own, "p").output, "one(in)");
        assert_int_equal(lab_executions(one), 2);
        assert_int_equal(lab_execution_of(one, 1).attempt, 2);
        lab_destroy(own);
    }
}

/* ---- leases ---- */

static void test_I3_the_time_of_day_moves_no_lease(void **state)
{
    (void)state;
    static const int64_t jumps[] = {HOUR_NS, -(int64_t)HOUR_NS, MONTH_NS, -(int64_t)MONTH_NS};
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    uint64_t token = lab_look(own, "p").token;
    lab_start(own, NULL);
    for (size_t i = 0; i < 4; i++) {
        lab_set_wall(own, jumps[i]);
        let_the_due_run(own);
        assert_int_equal(lab_look(own, "p").token, token);
        assert_int_equal(lab_look(own, "p").status, PAWL_RUNNING);
    }
    lab_let_go(one);
    assert_string_equal(lab_wait_end(own, "p").output, "one(in)");
    assert_int_equal(lab_executions(one), 1);
    assert_int_equal(lab_stats(first).lost_leases, 0);
    lab_destroy(own);
}

/* A worker whose own clock runs a month ahead may give up what it holds, and cannot keep what it lost. */
static void test_I3_a_monotonic_clock_that_runs_ahead_makes_no_second_owner(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    unruly_fail_heartbeats(lab_store(first), 1, PAWL_E_IO); /* it cannot ask, and counts for itself */
    lab_skew(first, 0, MONTH_NS);
    LAB_UNTIL(own, lab_execution_of(one, 0).told_to_stop);
    lab_start(own, NULL);
    lab_wait_executions(one, 2);
    lab_let_go(one);
    assert_string_equal(lab_wait_end(own, "p").output, "one(in)");
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_STEP), 1);
    lab_destroy(own);
}

/* ---- what sleeps ---- */

static void test_I9_a_fleet_holds_nothing_of_what_sleeps(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    lab *own = lab_with("memory");
    lab_worker *workers[2] = {lab_start(own, NULL), lab_start(own, NULL)};
    char id[16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(id, sizeof id, "p%d", i);
        lab_register(own, id, "sleeper", "");
    }
    LAB_UNTIL(own, lab_count(own, PAWL_WAITING) == COUNT);
    uint64_t claims = lab_stats(workers[0]).claimed + lab_stats(workers[1]).claimed;
    assert_int_equal(claims, COUNT);
    for (int i = 0; i < 2; i++)
        LAB_UNTIL(own, lab_stats(workers[i]).resident == 0);
    lab_advance(own, HOUR_NS); /* half of their time: nobody is looked at */
    let_the_due_run(own);
    assert_int_equal(lab_stats(workers[0]).claimed + lab_stats(workers[1]).claimed, COUNT + 1);
    lab_advance(own, HOUR_NS);
    LAB_UNTIL(own, lab_count(own, PAWL_COMPLETED) == COUNT + 1);
    lab_destroy(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_I3_no_timer_is_lost_or_early_when_the_time_of_day_is_set),
        cmocka_unit_test(test_I3_a_timer_whose_time_is_taken_back_while_it_wakes_fires_later),
        cmocka_unit_test(test_I3_another_attempt_is_made_though_the_time_of_day_is_set),
        cmocka_unit_test(test_I3_the_time_of_day_moves_no_lease),
        cmocka_unit_test(test_I3_a_monotonic_clock_that_runs_ahead_makes_no_second_owner),
        cmocka_unit_test(test_I9_a_fleet_holds_nothing_of_what_sleeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
