/* lease_test.c: who may write, and what a worker does when it may no longer: taken over, expired, fenced, stopped,
 * with a store that fails meanwhile. */
#include "lab.h"

#include "abi/pawl_process.h"

#include <stdio.h>
#include <time.h>

#define HOUR_NS (3600 * PAWL_NS_PER_SECOND)

static pawl_status one_call(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), &value));
    return pawl_complete(p, value);
}

static pawl_status three_calls(pawl_process *p)
{
    for (int i = 0; i < 3; i++) {
        pawl_future call = pawl_start_call(p, "one", pawl_input(p));
        PAWL_TRY(pawl_await(p, call));
        pawl_status status = pawl_result(p, call, NULL);
        pawl_failure failure;
        if (status != PAWL_OK &&
            (pawl_result_failure(p, call, &failure) != PAWL_OK || !pawl_is(failure.code, "in_doubt")))
            return status;
    }
    return pawl_complete(p, pawl_text("done"));
}

static pawl_status sleeper(pawl_process *p)
{
    PAWL_TRY(pawl_sleep(p, PAWL_HOUR));
    return pawl_complete(p, pawl_text("slept"));
}

static pawl_status listener(pawl_process *p)
{
    PAWL_TRY(pawl_signal(p, "go", NULL));
    return pawl_complete(p, pawl_text("went"));
}

static pawl_status at_once(pawl_process *p)
{
    return pawl_complete(p, pawl_text("done"));
}

PAWL_PROCESSES(PAWL_TYPE("one_call", 1, one_call), PAWL_TYPE("three_calls", 1, three_calls),
               PAWL_TYPE("sleeper", 1, sleeper), PAWL_TYPE("listener", 1, listener), PAWL_TYPE("at_once", 1, at_once))

static lab *lab_with(const char *provider)
{
    static const char *const types[] = {"one_call", "three_calls", "sleeper", "listener", "at_once"};
    lab *own = lab_create(provider);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        lab_add_type(own, types[i], 1, &pawl_processes);
    return own;
}

/* ---- fencing ---- */

static void test_L07_L08_X04_a_worker_whose_lease_is_gone_writes_nothing(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true, .deaf = true});
    lab_worker *first = lab_start(own, &(lab_settings){.name = "first"});
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    uint64_t token = lab_look(own, "p").token;
    unruly_fail_heartbeats(lab_store(first), UINT32_MAX, PAWL_OK); /* it does not notice, and hears nothing */
    unruly_deafen(lab_store(first));
    lab_advance(own, 120 * PAWL_NS_PER_SECOND);
    lab_worker *second = lab_start(own, &(lab_settings){.name = "second"});
    lab_wait_running(one, 2);
    assert_true(lab_look(own, "p").token > token);
    unruly_add(lab_store(second), &(unruly_rule){.action = UNRULY_HOLD, .record_kind = PAWL_RECORD_STEP});
    lab_let_go(one);
    LAB_UNTIL(own, lab_stats(first).lost_leases == 1); /* its step came first, and was refused */
    assert_int_equal(lab_look(own, "p").head, 1);
    assert_true(lab_logged(own, "lease lost"));
    unruly_let_go(lab_store(second));
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    assert_string_equal(lab_journal(own, "p"), "started step(1 one #1 = one(in)) ended(16 = one(in))");
    lab_destroy(own);
}

static void test_L07_an_end_under_an_old_token_is_refused(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_add(own, &(lab_effect){.name = "one"});
    lab_worker *first = lab_start(own, NULL);
    unruly_add(lab_store(first), &(unruly_rule){.action = UNRULY_HOLD, .op_kind = PAWL_OP_COMPLETE});
    lab_register(own, "p", "one_call", "in");
    assert_true(unruly_wait_held(lab_store(first), 1));
    unruly_fail_heartbeats(lab_store(first), UINT32_MAX, PAWL_OK);
    unruly_deafen(lab_store(first));
    lab_advance(own, 120 * PAWL_NS_PER_SECOND);
    lab_start(own, NULL);
    lab_row row = lab_wait_end(own, "p");
    unruly_let_go(lab_store(first));
    LAB_UNTIL(own, lab_stats(first).resident == 0);
    assert_int_equal(lab_look(own, "p").head, row.head);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_ENDED), 1);
    lab_destroy(own);
}

static void test_L16_an_expired_session_drops_everything_and_claims_anew(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *worker = lab_start(own, &(lab_settings){.effect_threads = 8});
    char id[16];
    for (int i = 0; i < 4; i++) {
        snprintf(id, sizeof id, "p%d", i);
        lab_register(own, id, "one_call", id);
    }
    lab_wait_running(one, 4);
    unruly_fail_heartbeats(lab_store(worker), 1, PAWL_E_STALE);
    lab_wait_executions(one, 8); /* all are told to stop, and begin again under new leases */
    lab_wait_running(one, 4);
    assert_true(lab_logged(own, "the worker session expired"));
    for (uint32_t i = 0; i < 4; i++)
        assert_true(lab_execution_of(one, i).told_to_stop);
    lab_let_go(one);
    for (int i = 0; i < 4; i++) {
        snprintf(id, sizeof id, "p%d", i);
        assert_int_equal(lab_wait_end(own, id).status, PAWL_COMPLETED);
    }
    assert_int_equal(lab_stats(worker).claimed, 8);
    lab_destroy(own);
}

static void test_L16_a_worker_that_slept_beyond_its_lease_begins_anew(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    lab_advance(own, 3600 * PAWL_NS_PER_SECOND); /* as if it had been stopped for an hour */
    lab_wait_executions(one, 2);
    lab_let_go(one);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    assert_int_equal(lab_stats(worker).claimed, 2);
    lab_destroy(own);
}

static void test_L11_passing_failures_of_the_heartbeat_lose_nothing(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *worker = lab_start(own, &(lab_settings){.heartbeat_ns = 5 * PAWL_NS_PER_MS});
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    unruly_fail_heartbeats(lab_store(worker), 3, PAWL_E_IO);
    lab_let_go(one);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    assert_int_equal(lab_executions(one), 1);
    assert_int_equal(lab_stats(worker).claimed, 1);
    lab_destroy(own);
}

static void test_L11_a_heartbeat_that_stays_overdue_drops_everything(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    unruly_deafen(lab_store(worker));
    unruly_fail_heartbeats(lab_store(worker), UINT32_MAX, PAWL_E_IO);
    lab_advance(own, 61 * PAWL_NS_PER_SECOND);
    LAB_UNTIL(own, lab_execution_of(one, 0).told_to_stop); /* nobody told it: it counts for itself */
    assert_true(lab_logged(own, "the worker session expired"));
    unruly_fail_heartbeats(lab_store(worker), 0, PAWL_OK);
    lab_let_go(one);
    lab_start(own, NULL);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    lab_destroy(own);
}

/* ---- taking over ---- */

static void test_L15_a_graceful_stop_lets_another_take_over_at_once(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *first = lab_start(own, &(lab_settings){.lease_ttl_ns = HOUR_NS});
    lab_register(own, "p", "three_calls", "in");
    lab_wait_running(one, 1);
    lab_stop(first, 1, 0); /* no time left: told to stop, then given back */
    lab_let_go(one);
    lab_start(own, NULL);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED); /* long before the lease could expire */
    assert_int_equal(lab_stats(first).resident, 0);
    lab_destroy(own);
}

static void crash_some(lab *own, lab_effect *one, uint32_t outcome)
{
    char id[16];
    lab_worker *workers[4];
    (void)outcome;
    for (int i = 0; i < 4; i++) {
        workers[i] = lab_start(own, &(lab_settings){.effect_threads = 3});
        unruly_shuffle(lab_store(workers[i]), 2);
    }
    for (int i = 0; i < 60; i++) {
        snprintf(id, sizeof id, "p%d", i);
        lab_register(own, id, "three_calls", id);
    }
    lab_wait_executions(one, 20);
    lab_crash(workers[1]);
    lab_wait_executions(one, 60);
    lab_crash(workers[3]);
    unruly_fail_heartbeats(lab_store(workers[0]), 1, PAWL_E_STALE);
    for (int i = 0; i < 60; i++) {
        snprintf(id, sizeof id, "p%d", i);
        assert_int_equal(lab_wait_end(own, id).status, PAWL_COMPLETED);
        assert_int_equal(lab_records(own, id, PAWL_RECORD_STEP), 3);
        assert_int_equal(lab_records(own, id, PAWL_RECORD_ENDED), 1);
    }
}

static void test_L10_many_workers_and_crashes_give_one_end_each(void **state)
{
    (void)state;
    static const uint32_t rules[] = {PAWL_OUTCOME_IDEMPOTENT, PAWL_OUTCOME_AT_MOST_ONCE, PAWL_OUTCOME_RECONCILE};
    for (size_t i = 0; i < 3; i++) {
        lab *own = lab_with("memory");
        lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .outcome = rules[i]});
        crash_some(own, one, rules[i]);
        lab_destroy(own); /* the audit sees to "at most once" */
    }
}

static void test_V08_an_end_whose_answer_was_lost_is_not_run_again(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_worker *first = lab_start(own, NULL);
    unruly_add(lab_store(first), &(unruly_rule){.action = UNRULY_FORGET, .op_kind = PAWL_OP_COMPLETE});
    lab_register(own, "p", "one_call", "in");
    assert_true(unruly_wait_held(lab_store(first), 1));
    lab_crash(first);
    lab_worker *second = lab_start(own, NULL);
    lab_register(own, "q", "at_once", "");
    lab_wait_end(own, "q");
    assert_int_equal(lab_stats(second).claimed, 1);
    assert_int_equal(lab_executions(one), 1);
    assert_int_equal(lab_look(own, "p").status, PAWL_COMPLETED);
    lab_destroy(own);
}

/* ---- a store that fails ---- */

static void test_V06_a_store_that_cannot_be_read_ends_no_process(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_worker *worker = lab_start(own, NULL);
    unruly_fail_claims(lab_store(worker), 1, PAWL_E_IO);
    unruly_fail_journals(lab_store(worker), 1, PAWL_E_IO);
    lab_register(own, "p", "one_call", "in");
    assert_string_equal(lab_wait_end(own, "p").output, "one(in)");
    assert_true(lab_logged(own, "cannot claim"));
    assert_true(lab_logged(own, "cannot read a journal"));
    assert_int_equal(lab_executions(one), 1);
    assert_int_equal(lab_stats(worker).claimed, 1); /* the lease was kept meanwhile */
    lab_destroy(own);
}

static void test_V09_refused_commits_are_written_later_and_repeat_nothing(void **state)
{
    (void)state;
    static const pawl_status refusals[] = {PAWL_E_IO, PAWL_E_FULL, PAWL_E_NOMEM, PAWL_E_BUSY};
    for (size_t i = 0; i < 4; i++) {
        lab *own = lab_with("memory");
        lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .outcome = PAWL_OUTCOME_AT_MOST_ONCE});
        lab_worker *worker = lab_start(own, NULL);
        for (uint32_t kind = PAWL_RECORD_STEP; kind <= PAWL_RECORD_INTENT; kind++)
            unruly_add(lab_store(worker),
                       &(unruly_rule){.action = UNRULY_FAIL, .record_kind = kind, .times = 2, .status = refusals[i]});
        unruly_add(
            lab_store(worker),
            &(unruly_rule){.action = UNRULY_FAIL, .op_kind = PAWL_OP_COMPLETE, .times = 1, .status = refusals[i]});
        lab_register(own, "p", "one_call", "in");
        assert_string_equal(lab_wait_end(own, "p").output, "one(in)");
        assert_int_equal(unruly_touched(lab_store(worker)), 5);
        assert_int_equal(lab_executions(one), 1);
        lab_destroy(own);
    }
}

/* While a commit is tried again the clock of its timers must not wake the shard without end. */
static void test_V09_waiting_for_the_store_costs_no_time(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_worker *worker = lab_start(own, &(lab_settings){.shards = 1});
    unruly_add(
        lab_store(worker),
        &(unruly_rule){.action = UNRULY_FAIL, .record_kind = PAWL_RECORD_FIRED, .times = 3, .status = PAWL_E_IO});
    lab_register(own, "p", "sleeper", "");
    lab_wait_status(own, "p", PAWL_WAITING);
    struct timespec before, after;
    lab_advance(own, HOUR_NS);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    assert_string_equal(lab_wait_end(own, "p").output, "slept");
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    double used = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    assert_true(used < 0.25); /* of at least 0.35 s: 50 + 100 + 200 ms */
    lab_destroy(own);
}

static void test_I7_what_was_ended_before_it_was_read_executes_nothing(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_worker *worker = lab_start(own, NULL);
    unruly_fail_journals(lab_store(worker), 1, PAWL_E_IO);
    lab_register(own, "p", "one_call", "in");
    LAB_UNTIL(own, lab_logged(own, "cannot read a journal"));
    unruly_deafen(lab_store(worker)); /* nobody tells it that its lease is gone */
    assert_int_equal(lab_terminate(own, "p"), PAWL_OK);
    LAB_UNTIL(own, lab_stats(worker).resident == 0); /* it reads the journal again after a second */
    assert_int_equal(lab_executions(one), 0);
    lab_destroy(own);
}

static void test_I7_what_was_ended_meanwhile_executes_nothing_more(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "three_calls", "in");
    lab_wait_running(one, 1);
    unruly_deafen(lab_store(worker)); /* it learns from the answer to its commit that there is more in the journal */
    assert_int_equal(lab_signal(own, "p", "1", "go", ""), PAWL_OK);
    unruly_add(lab_store(worker), &(unruly_rule){.action = UNRULY_FORGET, .record_kind = PAWL_RECORD_STEP});
    lab_let_go(one);
    assert_true(unruly_wait_held(lab_store(worker), 1));
    assert_int_equal(lab_terminate(own, "p"), PAWL_OK);
    unruly_let_go(lab_store(worker));
    LAB_UNTIL(own, lab_stats(worker).resident == 0);
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

/* ---- limits and storms ---- */

static void test_V03_never_more_than_the_limits_are_held_or_run(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    char id[16];
    for (int i = 0; i < 400; i++) {
        snprintf(id, sizeof id, "p%d", i);
        lab_register(own, id, "three_calls", "");
    }
    LAB_SCRIPT(one, held = true);
    lab_worker *worker = lab_start(own, &(lab_settings){.resident_max = 7, .effect_threads = 50});
    lab_wait_running(one, 7);
    unruly_poke(lab_store(worker), 100);
    assert_true(lab_stats(worker).resident <= 7);
    assert_int_equal(lab_count(own, PAWL_RUNNING), 7);
    lab_let_go(one);
    LAB_UNTIL(own, lab_stats(worker).resident <= 7 && lab_count(own, PAWL_COMPLETED) == 400);
    assert_true(one->running_peak <= 7);
    lab_destroy(own);
}

static void test_V03_a_full_effect_queue_stops_the_claiming(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    char id[16];
    lab_worker *worker = lab_start(own, &(lab_settings){.effect_threads = 1, .effects_queued_max = 3});
    for (uint32_t i = 0; i < 5; i++) { /* one at a time, so that the claimer sees each in the queue */
        snprintf(id, sizeof id, "p%u", i);
        lab_register(own, id, "one_call", "");
        LAB_UNTIL(own, lab_stats(worker).effects_queued + lab_stats(worker).effects_running == (i < 4 ? i + 1 : 4));
    }
    unruly_poke(lab_store(worker), 50);
    uint32_t claims = unruly_claims(lab_store(worker));
    lab_register(own, "late", "at_once", "");
    assert_int_equal(lab_look(own, "late").status, PAWL_READY);
    assert_int_equal(unruly_claims(lab_store(worker)), claims);
    lab_let_go(one);
    assert_int_equal(lab_wait_end(own, "late").status, PAWL_COMPLETED);
    LAB_UNTIL(own, lab_count(own, PAWL_COMPLETED) == 6);
    lab_destroy(own);
}

static void test_V14_pokes_never_run_a_process_twice(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_worker *worker = lab_start(own, NULL);
    char id[16];
    for (int i = 0; i < 50; i++) {
        snprintf(id, sizeof id, "p%d", i);
        lab_register(own, id, "three_calls", "");
        unruly_poke(lab_store(worker), 40);
    }
    LAB_UNTIL(own, lab_count(own, PAWL_COMPLETED) == 50);
    assert_int_equal(lab_executions(one), 150);
    lab_destroy(own);
}

static void test_V12_timers_due_and_processes_ended_do_not_hinder_a_start(void **state)
{
    (void)state;
    lab *own = lab_with("rocksdb");
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "sleeps", "sleeper", "");
    lab_register(own, "dies", "sleeper", "");
    lab_register(own, "done", "at_once", "");
    lab_wait_end(own, "done");
    lab_wait_status(own, "sleeps", PAWL_WAITING);
    lab_wait_status(own, "dies", PAWL_WAITING);
    lab_end(first);
    lab_terminate(own, "dies"); /* its timer is still there */
    lab_advance(own, 2 * HOUR_NS);
    lab_reopen(own);
    lab_start(own, NULL);
    assert_string_equal(lab_wait_end(own, "sleeps").output, "slept");
    assert_int_equal(lab_look(own, "dies").status, PAWL_TERMINATED);
    assert_int_equal(lab_look(own, "done").status, PAWL_COMPLETED);
    lab_destroy(own);
}

static void test_V14_what_is_leased_at_registration_is_run_by_that_worker_once(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_worker *worker = lab_start(own, &(lab_settings){.name = "own"});
    char id[16];
    uint32_t claimed = 0;
    for (int i = 0; i < 50; i++) {
        snprintf(id, sizeof id, "p%d", i);
        claimed += lab_register_claimed(worker, id, "three_calls", id);
    }
    LAB_UNTIL(own, lab_count(own, PAWL_COMPLETED) == 50);
    assert_true(claimed > 0);
    assert_int_equal(lab_executions(one), 150);
    assert_int_equal(lab_stats(worker).claimed, 50);
    assert_false(lab_register_claimed(worker, "p0", "three_calls", "p0")); /* it exists */
    lab_stop(worker, 1, HOUR_NS);
    assert_false(lab_register_claimed(worker, "late", "three_calls", "")); /* it takes nothing new */
    assert_int_equal(lab_look(own, "late").status, PAWL_READY);
    lab_destroy(own);
}

static void test_V13_time_alone_ends_nothing(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, NULL);
    lab_register(own, "p", "listener", "");
    lab_wait_status(own, "p", PAWL_WAITING);
    for (int i = 0; i < 10; i++)
        lab_advance(own, 24 * 365 * HOUR_NS);
    lab_register(own, "q", "at_once", "");
    lab_wait_end(own, "q");
    assert_int_equal(lab_look(own, "p").status, PAWL_WAITING);
    lab_signal(own, "p", "1", "go", "");
    assert_string_equal(lab_wait_end(own, "p").output, "went");
    lab_destroy(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_L07_L08_X04_a_worker_whose_lease_is_gone_writes_nothing),
        cmocka_unit_test(test_L07_an_end_under_an_old_token_is_refused),
        cmocka_unit_test(test_L16_an_expired_session_drops_everything_and_claims_anew),
        cmocka_unit_test(test_L16_a_worker_that_slept_beyond_its_lease_begins_anew),
        cmocka_unit_test(test_L11_passing_failures_of_the_heartbeat_lose_nothing),
        cmocka_unit_test(test_L11_a_heartbeat_that_stays_overdue_drops_everything),
        cmocka_unit_test(test_L15_a_graceful_stop_lets_another_take_over_at_once),
        cmocka_unit_test(test_L10_many_workers_and_crashes_give_one_end_each),
        cmocka_unit_test(test_I7_what_was_ended_meanwhile_executes_nothing_more),
        cmocka_unit_test(test_I7_what_was_ended_before_it_was_read_executes_nothing),
        cmocka_unit_test(test_V08_an_end_whose_answer_was_lost_is_not_run_again),
        cmocka_unit_test(test_V06_a_store_that_cannot_be_read_ends_no_process),
        cmocka_unit_test(test_V09_refused_commits_are_written_later_and_repeat_nothing),
        cmocka_unit_test(test_V09_waiting_for_the_store_costs_no_time),
        cmocka_unit_test(test_V03_never_more_than_the_limits_are_held_or_run),
        cmocka_unit_test(test_V03_a_full_effect_queue_stops_the_claiming),
        cmocka_unit_test(test_V14_pokes_never_run_a_process_twice),
        cmocka_unit_test(test_V12_timers_due_and_processes_ended_do_not_hinder_a_start),
        cmocka_unit_test(test_V14_what_is_leased_at_registration_is_run_by_that_worker_once),
        cmocka_unit_test(test_V13_time_alone_ends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
