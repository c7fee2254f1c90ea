/* cancel_test.c: a wish that a process stop is durable, told once, promptly, and never lost; its way of stopping is
 * not disturbed; what does not stop is ended over its head. */
#include "lab.h"

#include "abi/pawl_process.h"

#include <stdio.h>

#define HOUR_NS (3600 * PAWL_NS_PER_SECOND)

static pawl_status one_call(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), &value));
    return pawl_complete(p, value);
}

/* Undoes what it began. */
static pawl_status tidy(pawl_process *p)
{
    pawl_bytes value;
    pawl_status status = pawl_call(p, "one", pawl_input(p), &value);
    if (status != PAWL_E_CANCELLED)
        return status == PAWL_OK ? pawl_complete(p, value) : status;
    PAWL_TRY(pawl_call(p, "undo", pawl_input(p), NULL));
    return PAWL_E_CANCELLED;
}

/* Looks again at what it had started before it was told. */
static pawl_status stubborn(pawl_process *p)
{
    pawl_future call = pawl_start_call(p, "one", pawl_input(p));
    pawl_status status = pawl_await(p, call);
    if (status == PAWL_E_CANCELLED)
        status = pawl_await(p, call);
    PAWL_TRY(status);
    pawl_failure failure;
    if (pawl_result_failure(p, call, &failure) == PAWL_OK)
        return pawl_complete(p, failure.code);
    return pawl_complete(p, pawl_text("it ran"));
}

static pawl_status sleeper(pawl_process *p)
{
    PAWL_TRY(pawl_sleep(p, PAWL_DAY));
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

PAWL_PROCESSES(PAWL_TYPE("one_call", 1, one_call), PAWL_TYPE("tidy", 1, tidy), PAWL_TYPE("stubborn", 1, stubborn),
               PAWL_TYPE("sleeper", 1, sleeper), PAWL_TYPE("listener", 1, listener), PAWL_TYPE("at_once", 1, at_once))

static lab *lab_with(const char *provider)
{
    static const char *const types[] = {"one_call", "tidy", "stubborn", "sleeper", "listener", "at_once"};
    lab *own = lab_create(provider);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        lab_add_type(own, types[i], 1, &pawl_processes);
    return own;
}

static void assert_cancelled(lab *own, const char *id, const char *reason)
{
    lab_row row = lab_wait_end(own, id);
    assert_int_equal(row.status, PAWL_CANCELLED);
    assert_string_equal(row.code, "cancelled");
    assert_string_equal(row.message, reason);
    assert_true(row.cancelled);
    assert_int_equal(lab_records(own, id, PAWL_RECORD_ENDED), 1);
}

static void test_C01_a_running_effect_is_told_and_the_process_ends_cancelled(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    assert_int_equal(lab_cancel(own, "p", "no longer wanted"), PAWL_OK);
    assert_cancelled(own, "p", "no longer wanted");
    assert_true(lab_execution_of(one, 0).told_to_stop);
    assert_int_equal(lab_executions(one), 1);
    /* The end is told only when its effects have ended, and what they came to is recorded. */
    assert_string_equal(lab_journal(own, "p"), "started cancel step(1 one #1 ! lab.stopped) ended(18 ! cancelled)");
    lab_destroy(own);
}

static void test_C01_asynchronous_effects_are_told_too(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true, .runs = PAWL_RUNS_ASYNC});
    lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    lab_cancel(own, "p", "why");
    assert_cancelled(own, "p", "why");
    assert_true(lab_execution_of(one, 0).told_to_stop);
    lab_destroy(own);
}

static void test_C02_cancelled_before_its_first_claim_it_executes_nothing(void **state)
{
    (void)state;
    static const char *const types[] = {"one_call", "tidy", "stubborn"};
    for (size_t i = 0; i < 3; i++) {
        lab *own = lab_with("memory");
        lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
        lab_effect *undo = lab_add(own, &(lab_effect){.name = "undo"});
        lab_register(own, "p", types[i], "in");
        lab_cancel(own, "p", "changed my mind");
        lab_start(own, NULL);
        lab_row row = lab_wait_end(own, "p");
        assert_int_equal(lab_executions(one), 0);
        assert_int_equal(lab_executions(undo), i == 1);
        assert_int_equal(row.status, i == 2 ? PAWL_COMPLETED : PAWL_CANCELLED);
        if (i == 2)
            assert_string_equal(row.output, "cancelled"); /* what became of the call it insisted on */
        lab_destroy(own);
    }
}

static void test_C03_a_repeated_cancel_is_one_record_and_another_reason_a_second(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true, .deaf = true});
    lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(lab_cancel(own, "p", "first"), PAWL_OK);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_CANCEL), 1);
    assert_int_equal(lab_cancel(own, "p", "second"), PAWL_OK);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_CANCEL), 2);
    lab_let_go(one);
    assert_cancelled(own, "p", "first");
    lab_destroy(own);
}

static void test_C04_cancelling_what_has_ended_changes_nothing(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, NULL);
    lab_register(own, "p", "at_once", "");
    uint64_t head = lab_wait_end(own, "p").head;
    assert_int_equal(lab_cancel(own, "p", "late"), PAWL_E_TERMINAL);
    assert_int_equal(lab_terminate(own, "p"), PAWL_E_TERMINAL);
    assert_int_equal(lab_look(own, "p").head, head);
    assert_int_equal(lab_look(own, "p").status, PAWL_COMPLETED);
    lab_destroy(own);
}

static void test_C05_a_cancel_takes_effect_though_the_store_fails_for_a_while(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    unruly_add(lab_store(worker), &(unruly_rule){.action = UNRULY_FAIL, .times = 3, .status = PAWL_E_IO});
    lab_cancel(own, "p", "why");
    assert_cancelled(own, "p", "why");
    assert_int_equal(unruly_touched(lab_store(worker)), 3);
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

static void test_C05_a_cancel_is_heard_without_its_event(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_effect *undo = lab_add(own, &(lab_effect){.name = "undo"});
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", "tidy", "in");
    lab_wait_running(one, 1);
    unruly_deafen(lab_store(first)); /* the watcher is dead; the record is not */
    lab_cancel(own, "p", "why");
    lab_crash(first);
    lab_start(own, NULL);
    assert_cancelled(own, "p", "why");
    assert_int_equal(lab_executions(undo), 1);
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

static void test_C06_what_ignores_a_cancel_is_terminated_after_the_grace(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true, .deaf = true});
    lab_worker *worker = lab_start(own, &(lab_settings){.cancel_grace_ns = 100 * PAWL_NS_PER_MS});
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    uint64_t asked = lab_mono_ns();
    lab_cancel(own, "p", "why");
    lab_row row = lab_wait_end(own, "p");
    assert_true(lab_mono_ns() - asked >= 99 * PAWL_NS_PER_MS);
    assert_int_equal(row.status, PAWL_TERMINATED);
    assert_string_equal(row.code, "cancel_grace");
    assert_true(lab_execution_of(one, 0).told_to_stop);
    LAB_UNTIL(own, lab_stats(worker).resident == 0);
    lab_let_go(one);
    lab_wait_running(one, 0);
    lab_register(own, "q", "at_once", ""); /* the shard has handled the late answer by then */
    lab_wait_end(own, "q");
    assert_int_equal(lab_look(own, "p").head, row.head); /* nothing was written by what was left behind */
    lab_destroy(own);
}

static void test_C06_termination_is_tried_again_when_the_store_refuses_it(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true, .deaf = true});
    lab_worker *worker = lab_start(own, &(lab_settings){.cancel_grace_ns = 20 * PAWL_NS_PER_MS});
    unruly_add(lab_store(worker),
               &(unruly_rule){.action = UNRULY_FAIL, .op_kind = PAWL_OP_POST, .times = 1, .status = PAWL_E_IO});
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    lab_cancel(own, "p", "why");
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_TERMINATED);
    assert_int_equal(unruly_touched(lab_store(worker)), 1);
    lab_destroy(own);
}

static void test_C06_a_worker_may_end_while_a_termination_is_on_its_way(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true, .deaf = true});
    lab_worker *worker = lab_start(own, &(lab_settings){.cancel_grace_ns = 20 * PAWL_NS_PER_MS});
    unruly_add(lab_store(worker), &(unruly_rule){.action = UNRULY_HOLD, .op_kind = PAWL_OP_POST});
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    lab_cancel(own, "p", "why");
    assert_true(unruly_wait_held(lab_store(worker), 1));
    lab_stop(worker, 3, LAB_PATIENCE_NS);
    lab_end(worker);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_TERMINATED);
    lab_destroy(own);
}

static void test_C07_a_cancel_beside_the_end_gives_exactly_one_end(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_add(own, &(lab_effect){.name = "one"});
    lab_worker *worker = lab_start(own, NULL);
    unruly_add(lab_store(worker), &(unruly_rule){.action = UNRULY_HOLD, .op_kind = PAWL_OP_COMPLETE});
    lab_register(own, "p", "one_call", "in");
    assert_true(unruly_wait_held(lab_store(worker), 1));
    assert_int_equal(lab_cancel(own, "p", "too late"), PAWL_OK); /* its code has no await left that could be told */
    unruly_let_go(lab_store(worker));
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_true(row.cancelled);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_ENDED), 1);

    unruly_shuffle(lab_store(worker), 3);
    char id[16];
    for (int i = 0; i < 60; i++) {
        snprintf(id, sizeof id, "r%d", i);
        lab_register(own, id, "one_call", "in");
    }
    for (int i = 0; i < 60; i++) {
        snprintf(id, sizeof id, "r%d", i);
        pawl_status status = lab_cancel(own, id, "race");
        assert_true(status == PAWL_OK || status == PAWL_E_TERMINAL);
    }
    for (int i = 0; i < 60; i++) {
        snprintf(id, sizeof id, "r%d", i);
        row = lab_wait_end(own, id);
        assert_true(row.status == PAWL_COMPLETED || row.status == PAWL_CANCELLED);
        assert_int_equal(lab_records(own, id, PAWL_RECORD_ENDED), 1);
    }
    lab_destroy(own);
}

static void test_C08_sleeps_backoffs_and_queues_are_left_promptly(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    pawl_retry_policy policy = pawl_retry_default();
    policy.elapsed_max_ns = 0;
    lab_effect *one = lab_add(
        own, &(lab_effect){.name = "one", .fail_times = 1, .retry_after_ns = HOUR_NS, .retry = policy, .limit = 1});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "sleeps", "sleeper", "");
    lab_wait_status(own, "sleeps", PAWL_WAITING);
    lab_cancel(own, "sleeps", "a");
    assert_cancelled(own, "sleeps", "a");

    lab_register(own, "backs off", "one_call", "");
    lab_wait_status(own, "backs off", PAWL_WAITING);
    lab_cancel(own, "backs off", "b");
    assert_cancelled(own, "backs off", "b");
    assert_int_equal(lab_executions(one), 1);

    LAB_SCRIPT(one, held = true);
    lab_register(own, "runs", "one_call", "");
    lab_wait_running(one, 1);
    lab_register(own, "queues", "one_call", "");
    LAB_UNTIL(own, lab_stats(worker).effects_queued == 1);
    lab_cancel(own, "queues", "c");
    assert_cancelled(own, "queues", "c"); /* though the place it waited for is still taken */
    assert_int_equal(lab_executions(one), 2);
    assert_int_equal(lab_stats(worker).effects_queued, 0);
    lab_let_go(one);
    assert_int_equal(lab_wait_end(own, "runs").status, PAWL_COMPLETED);
    lab_destroy(own);
}

static void test_C08_a_backoff_before_the_cancel_is_not_waited_for(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    pawl_retry_policy policy = pawl_retry_default();
    policy.elapsed_max_ns = 0;
    lab_effect *one =
        lab_add(own, &(lab_effect){.name = "one", .fail_times = 1, .retry_after_ns = HOUR_NS, .retry = policy});
    lab_start(own, NULL);
    lab_register(own, "p", "stubborn", "");
    lab_wait_status(own, "p", PAWL_WAITING);
    lab_cancel(own, "p", "why");
    assert_string_equal(lab_wait_end(own, "p").output, "cancelled");
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

static void test_C10_a_cancel_recorded_while_no_worker_runs_is_honoured(void **state)
{
    (void)state;
    lab *own = lab_with("rocksdb");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_effect *undo = lab_add(own, &(lab_effect){.name = "undo"});
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", "tidy", "in");
    lab_register(own, "q", "sleeper", "");
    lab_wait_running(one, 1);
    lab_wait_status(own, "q", PAWL_WAITING);
    lab_crash(first);
    lab_end(first);
    lab_cancel(own, "p", "while it was down");
    lab_cancel(own, "q", "while it was down");
    lab_reopen(own);
    lab_start(own, NULL);
    assert_cancelled(own, "p", "while it was down");
    assert_cancelled(own, "q", "while it was down");
    assert_int_equal(lab_executions(one), 1);
    assert_int_equal(lab_executions(undo), 1);
    lab_destroy(own);
}

static void test_C11_waiting_and_stuck_processes_can_be_cancelled(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect script = {.name = "one", .fail_times = 100};
    script.retry.pause_when_exhausted = true;
    lab_add(own, &script);
    lab_effect *undo = lab_add(own, &(lab_effect){.name = "undo"});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "waits", "listener", "");
    lab_register(own, "paused", "tidy", "");
    lab_wait_status(own, "waits", PAWL_WAITING);
    assert_string_equal(lab_wait_status(own, "paused", PAWL_STUCK).reason_code, "retries_exhausted");
    LAB_UNTIL(own, lab_stats(worker).resident == 0); /* nobody holds them */
    lab_cancel(own, "waits", "x");
    lab_cancel(own, "paused", "y");
    assert_cancelled(own, "waits", "x");
    assert_cancelled(own, "paused", "y");
    assert_int_equal(lab_executions(undo), 1);
    lab_destroy(own);
}

/* ---- the way of stopping ---- */

static void test_C06_the_way_of_stopping_is_retried_and_not_cancelled_again(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_effect *undo = lab_add(own, &(lab_effect){.name = "undo", .held = true, .fail_times = 2});
    lab_start(own, NULL);
    lab_register(own, "p", "tidy", "in");
    lab_wait_running(one, 1);
    lab_cancel(own, "p", "first");
    lab_wait_running(undo, 1);
    lab_cancel(own, "p", "second"); /* told once: the undo goes on */
    LAB_UNTIL(own, lab_records(own, "p", PAWL_RECORD_CANCEL) == 2);
    lab_let_go(undo);
    assert_cancelled(own, "p", "first");
    assert_int_equal(lab_executions(undo), 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_false(lab_execution_of(undo, i).told_to_stop);
    lab_destroy(own);
}

static void test_C06_the_way_of_stopping_survives_its_worker(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_effect *undo = lab_add(own, &(lab_effect){.name = "undo", .held = true, .deaf = true});
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", "tidy", "in");
    lab_wait_running(one, 1);
    lab_cancel(own, "p", "why");
    lab_wait_running(undo, 1);
    lab_crash(first);
    lab_let_go(undo);
    lab_start(own, NULL);
    assert_cancelled(own, "p", "why");
    assert_int_equal(lab_executions(undo), 2); /* idempotent: again, with its key */
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

/* ---- terminate ---- */

static void test_C06_terminate_fences_a_running_effect(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "tidy", "in");
    lab_wait_running(one, 1);
    assert_int_equal(lab_terminate(own, "p"), PAWL_OK);
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_TERMINATED);
    lab_wait_running(one, 0);
    assert_true(lab_execution_of(one, 0).told_to_stop);
    LAB_UNTIL(own, lab_stats(worker).resident == 0);
    assert_int_equal(lab_look(own, "p").head, row.head);
    assert_string_equal(lab_journal(own, "p"), "started ended(19 ! terminated)");
    lab_destroy(own);
}

static void test_C06_terminate_takes_what_waits_in_the_queue_with_it(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true, .deaf = true, .limit = 1});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "one_call", "p");
    lab_wait_running(one, 1);
    lab_register(own, "q", "one_call", "q");
    LAB_UNTIL(own, lab_stats(worker).effects_queued == 1);
    lab_terminate(own, "q");
    LAB_UNTIL(own, lab_stats(worker).effects_queued == 0);
    lab_let_go(one);
    lab_wait_end(own, "p");
    assert_int_equal(lab_executions(one), 1); /* q's never ran */
    lab_destroy(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C01_a_running_effect_is_told_and_the_process_ends_cancelled),
        cmocka_unit_test(test_C01_asynchronous_effects_are_told_too),
        cmocka_unit_test(test_C02_cancelled_before_its_first_claim_it_executes_nothing),
        cmocka_unit_test(test_C03_a_repeated_cancel_is_one_record_and_another_reason_a_second),
        cmocka_unit_test(test_C04_cancelling_what_has_ended_changes_nothing),
        cmocka_unit_test(test_C05_a_cancel_takes_effect_though_the_store_fails_for_a_while),
        cmocka_unit_test(test_C05_a_cancel_is_heard_without_its_event),
        cmocka_unit_test(test_C06_what_ignores_a_cancel_is_terminated_after_the_grace),
        cmocka_unit_test(test_C06_termination_is_tried_again_when_the_store_refuses_it),
        cmocka_unit_test(test_C06_a_worker_may_end_while_a_termination_is_on_its_way),
        cmocka_unit_test(test_C07_a_cancel_beside_the_end_gives_exactly_one_end),
        cmocka_unit_test(test_C08_sleeps_backoffs_and_queues_are_left_promptly),
        cmocka_unit_test(test_C08_a_backoff_before_the_cancel_is_not_waited_for),
        cmocka_unit_test(test_C10_a_cancel_recorded_while_no_worker_runs_is_honoured),
        cmocka_unit_test(test_C11_waiting_and_stuck_processes_can_be_cancelled),
        cmocka_unit_test(test_C06_the_way_of_stopping_is_retried_and_not_cancelled_again),
        cmocka_unit_test(test_C06_the_way_of_stopping_survives_its_worker),
        cmocka_unit_test(test_C06_terminate_fences_a_running_effect),
        cmocka_unit_test(test_C06_terminate_takes_what_waits_in_the_queue_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
