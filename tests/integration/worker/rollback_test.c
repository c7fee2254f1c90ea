/* rollback_test.c: what a process did is undone by real workers: visibly, whatever dies or says stop meanwhile, each
 * step once as recorded, and with its own retries. */
#include "lab.h"

#include "abi/pawl_process.h"

#define GRACE_NS (20 * PAWL_NS_PER_MS)

/* Two steps, each undone by its own, and a third that decides. */
static pawl_status saga(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "first", pawl_text("1"), NULL));
    PAWL_TRY(pawl_on_rollback(p, "undo-first", pawl_text("1")));
    PAWL_TRY(pawl_call(p, "second", pawl_text("2"), NULL));
    PAWL_TRY(pawl_on_rollback(p, "undo-second", pawl_text("2")));
    PAWL_TRY(pawl_call(p, "third", pawl_text("3"), NULL));
    return pawl_complete(p, pawl_text("done"));
}

/* The same with what is undone named before it is known whether it happens. */
static pawl_status both(pawl_process *p)
{
    pawl_future first = pawl_start_call(p, "first", pawl_text("1"));
    pawl_future second = pawl_start_call(p, "second", pawl_text("2"));
    pawl_future late = pawl_start_timer(p, PAWL_DAY);
    PAWL_TRY(pawl_on_rollback_of(p, first, "undo-first", pawl_text("1")));
    PAWL_TRY(pawl_on_rollback_of(p, second, "undo-second", pawl_text("2")));
    PAWL_TRY(pawl_await_all(p, 3, first, second, late));
    return pawl_complete(p, pawl_text("done"));
}

PAWL_PROCESSES(PAWL_TYPE("saga", 1, saga), PAWL_TYPE("both", 1, both))

typedef struct place {
    lab *own;
    lab_effect *first, *second, *third, *undo_first, *undo_second;
} place;

static place place_of(const char *provider, const lab_effect *third, const lab_effect *undo_second)
{
    place at = {.own = lab_create(provider)};
    lab_add_type(at.own, "saga", 1, &pawl_processes);
    lab_add_type(at.own, "both", 1, &pawl_processes);
    at.first = lab_add(at.own, &(lab_effect){.name = "first"});
    at.second = lab_add(at.own, &(lab_effect){.name = "second"});
    at.third = lab_add(at.own, third);
    at.undo_first = lab_add(at.own, &(lab_effect){.name = "undo-first"});
    at.undo_second = lab_add(at.own, undo_second);
    return at;
}

static const lab_effect bad = {.name = "third", .fail_times = 1000, .klass = PAWL_TERMINAL, .code = "no.more"};
static const lab_effect good_undo = {.name = "undo-second"};
static const lab_effect held_undo = {.name = "undo-second", .held = true};

static void test_H12_a_failed_process_is_undone_in_reverse_and_shows_it(void **state)
{
    (void)state;
    char why[256];
    place at = place_of("rocksdb", &bad, &held_undo);
    lab_worker *worker = lab_start(at.own, NULL);
    lab_register(at.own, "p", "saga", "");
    lab_wait_running(at.undo_second, 1);
    lab_wait_status(at.own, "p", PAWL_COMPENSATING);
    assert_int_equal(lab_count(at.own, PAWL_COMPENSATING), 1);
    assert_int_equal(lab_count(at.own, PAWL_RUNNING), 0);
    assert_true(lab_explain(worker, "p", why, sizeof why));
    assert_non_null(strstr(why, "undoes step 1 of 2: runs undo-second, attempt 1"));
    assert_int_equal(lab_executions(at.undo_first), 0);
    lab_let_go(at.undo_second);
    lab_row row = lab_wait_end(at.own, "p");
    assert_int_equal(row.status, PAWL_FAILED);
    assert_string_equal(row.code, "no.more");
    assert_int_equal(lab_count(at.own, PAWL_COMPENSATING), 0);
    assert_string_equal(lab_journal(at.own, "p"),
                        "started step(1 first #1 = first(1)) rollback step(3 second #1 = second(2)) rollback "
                        "step(5 third #1 ! no.more) compensating step(6 undo-second #1 = undo-second(2)) "
                        "step(7 undo-first #1 = undo-first(1)) ended(17 ! no.more)");
    lab_destroy(at.own);
}

/* Told to stop, its call in flight ends first; then no grace counts any more, and no further request disturbs. */
static void test_H12_a_cancelled_process_is_undone_beyond_the_grace(void **state)
{
    (void)state;
    place at = place_of("memory", &(lab_effect){.name = "third", .held = true}, &held_undo);
    lab_start(at.own, &(lab_settings){.cancel_grace_ns = GRACE_NS});
    lab_register(at.own, "p", "saga", "");
    lab_wait_running(at.third, 1);
    assert_int_equal(lab_cancel(at.own, "p", "enough"), PAWL_OK);
    lab_wait_running(at.undo_second, 1);
    lab_advance(at.own, 100 * GRACE_NS);
    assert_int_equal(lab_cancel(at.own, "p", "really"), PAWL_OK);
    lab_advance(at.own, 100 * GRACE_NS);
    lab_wait_status(at.own, "p", PAWL_COMPENSATING);
    assert_false(lab_execution_of(at.undo_second, 0).told_to_stop);
    lab_let_go(at.undo_second);
    lab_row row = lab_wait_end(at.own, "p");
    assert_int_equal(row.status, PAWL_CANCELLED);
    assert_string_equal(row.message, "enough");
    assert_int_equal(lab_executions(at.undo_second), 1);
    assert_int_equal(lab_executions(at.undo_first), 1);
    lab_destroy(at.own);
}

static void test_H12_terminate_ends_it_without_undoing(void **state)
{
    (void)state;
    place at = place_of("memory", &bad, &held_undo);
    lab_start(at.own, NULL);
    lab_register(at.own, "p", "saga", "");
    lab_wait_running(at.undo_second, 1);
    assert_int_equal(lab_terminate(at.own, "p"), PAWL_OK);
    assert_int_equal(lab_wait_end(at.own, "p").status, PAWL_TERMINATED);
    lab_end_all(at.own);
    assert_int_equal(lab_executions(at.undo_first), 0);
    lab_destroy(at.own);
}

/* A worker dies in each attempt to undo; the next goes on where the journal ends. */
static void test_H12_it_goes_on_under_another_worker(void **state)
{
    (void)state;
    place at = place_of("rocksdb", &bad, &held_undo);
    lab_worker *dies = lab_start(at.own, NULL);
    lab_register(at.own, "p", "saga", "");
    lab_wait_running(at.undo_second, 1);
    lab_crash(dies);
    lab_start(at.own, NULL);
    lab_wait_executions(at.undo_second, 2);
    lab_wait_status(at.own, "p", PAWL_COMPENSATING);
    lab_let_go(at.undo_second);
    assert_int_equal(lab_wait_end(at.own, "p").status, PAWL_FAILED);
    lab_execution one = lab_execution_of(at.undo_second, 0), two = lab_execution_of(at.undo_second, 1);
    assert_string_equal(one.key, two.key);
    assert_int_equal(lab_executions(at.undo_first), 1);
    assert_int_equal(lab_records(at.own, "p", PAWL_RECORD_COMPENSATING), 1);
    lab_destroy(at.own);
}

/* It waits for its next attempt outside of memory, and is still shown as what it is; then it wakes by itself. */
static void test_H12_a_retry_that_is_far_away_costs_no_memory(void **state)
{
    (void)state;
    lab_effect undo = {.name = "undo-second", .fail_times = 1};
    undo.retry = (pawl_retry_policy){.attempts_max = 3,
                                     .first_delay_ns = 3600 * PAWL_NS_PER_SECOND,
                                     .delay_max_ns = 3600 * PAWL_NS_PER_SECOND,
                                     .factor = 1};
    place at = place_of("rocksdb", &bad, &undo);
    lab_worker *worker = lab_start(at.own, NULL);
    lab_register(at.own, "p", "saga", "");
    lab_wait_executions(at.undo_second, 1);
    LAB_UNTIL(at.own, lab_stats(worker).resident == 0);
    lab_row row = lab_look(at.own, "p");
    assert_int_equal(row.status, PAWL_COMPENSATING);
    assert_string_equal(row.reason, "undoes step 1 of 2: undo-second, attempt 2");
    assert_true(row.wake_unix_ns > 0);
    lab_end(worker);
    lab_reopen(at.own);
    assert_int_equal(lab_look(at.own, "p").status, PAWL_COMPENSATING);
    assert_int_equal(lab_count(at.own, PAWL_COMPENSATING), 1);
    lab_start(at.own, NULL);
    lab_advance(at.own, 7200 * PAWL_NS_PER_SECOND);
    assert_string_equal(lab_wait_end(at.own, "p").code, "no.more");
    lab_destroy(at.own);
}

static void test_H12_what_could_not_be_undone_is_named(void **state)
{
    (void)state;
    place at = place_of("memory", &bad, &(lab_effect){.name = "undo-second", .fail_times = 1000, .code = "gone"});
    lab_start(at.own, NULL);
    lab_register(at.own, "p", "saga", "");
    lab_row row = lab_wait_end(at.own, "p");
    assert_int_equal(row.status, PAWL_FAILED);
    assert_string_equal(row.code, "process.rollback_failed");
    assert_non_null(strstr(row.message, "1 of 2 compensations failed, the first of them undo-second with gone"));
    assert_int_equal(lab_executions(at.undo_second), 5); /* by its policy */
    assert_int_equal(lab_executions(at.undo_first), 1);
    lab_destroy(at.own);
}

/* on_exhausted: pause. Stuck is shown as stuck; resumed, the compensation is tried again, and the rest follows. */
static void test_H12_a_paused_compensation_is_resumed_by_an_operator(void **state)
{
    (void)state;
    lab_effect undo = {.name = "undo-second", .fail_times = 2, .code = "gone"};
    undo.retry = (pawl_retry_policy){.attempts_max = 2,
                                     .first_delay_ns = PAWL_NS_PER_MS,
                                     .delay_max_ns = PAWL_NS_PER_MS,
                                     .factor = 1,
                                     .pause_when_exhausted = true};
    place at = place_of("rocksdb", &bad, &undo);
    lab_start(at.own, NULL);
    lab_register(at.own, "p", "saga", "");
    lab_row row = lab_wait_status(at.own, "p", PAWL_STUCK);
    assert_string_equal(row.reason_code, "retries_exhausted");
    assert_int_equal(lab_count(at.own, PAWL_COMPENSATING), 0);
    assert_int_equal(lab_executions(at.undo_first), 0);
    assert_int_equal(lab_resume(at.own, "p"), PAWL_OK);
    row = lab_wait_end(at.own, "p");
    assert_int_equal(row.status, PAWL_FAILED);
    assert_string_equal(row.code, "no.more");
    assert_int_equal(lab_executions(at.undo_second), 3);
    assert_int_equal(lab_executions(at.undo_first), 1);
    lab_destroy(at.own);
}

/* Two in flight when it is cancelled: one hears it and stops, one does not and succeeds. Each is undone, for nobody can
 * know about the first; and neither before both have ended. */
static void test_H12_calls_in_flight_end_before_anything_is_undone(void **state)
{
    (void)state;
    place at = place_of("memory", &bad, &good_undo);
    LAB_SCRIPT(at.first, held = true);
    LAB_SCRIPT(at.second, held = true);
    LAB_SCRIPT(at.second, deaf = true);
    lab_start(at.own, &(lab_settings){.cancel_grace_ns = GRACE_NS});
    lab_register(at.own, "p", "both", "");
    lab_wait_running(at.first, 1);
    lab_wait_running(at.second, 1);
    assert_int_equal(lab_cancel(at.own, "p", "enough"), PAWL_OK);
    lab_wait_running(at.first, 0);
    lab_wait_status(at.own, "p", PAWL_COMPENSATING);
    lab_advance(at.own, 100 * GRACE_NS);
    assert_int_equal(lab_executions(at.undo_second), 0);
    lab_let_go(at.second);
    assert_int_equal(lab_wait_end(at.own, "p").status, PAWL_CANCELLED);
    assert_int_equal(lab_executions(at.undo_second), 1);
    lab_destroy(at.own);
}

/* Nothing is in the journal of a call that was in flight when its worker died: it may have happened, so that it is
 * undone. */
static void test_H12_a_call_that_a_dead_worker_may_have_done_is_undone(void **state)
{
    (void)state;
    place at = place_of("rocksdb", &bad, &good_undo);
    LAB_SCRIPT(at.first, held = true);
    LAB_SCRIPT(at.second, held = true);
    lab_worker *dies = lab_start(at.own, NULL);
    lab_register(at.own, "p", "both", "");
    lab_wait_running(at.first, 1);
    lab_wait_running(at.second, 1);
    lab_crash(dies);
    assert_int_equal(lab_cancel(at.own, "p", "enough"), PAWL_OK);
    lab_start(at.own, NULL);
    assert_int_equal(lab_wait_end(at.own, "p").status, PAWL_CANCELLED);
    assert_int_equal(lab_executions(at.undo_first), 1);
    assert_int_equal(lab_executions(at.undo_second), 1);
    assert_int_equal(lab_executions(at.first), 1);
    lab_destroy(at.own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_H12_a_failed_process_is_undone_in_reverse_and_shows_it),
        cmocka_unit_test(test_H12_a_cancelled_process_is_undone_beyond_the_grace),
        cmocka_unit_test(test_H12_terminate_ends_it_without_undoing),
        cmocka_unit_test(test_H12_it_goes_on_under_another_worker),
        cmocka_unit_test(test_H12_a_retry_that_is_far_away_costs_no_memory),
        cmocka_unit_test(test_H12_what_could_not_be_undone_is_named),
        cmocka_unit_test(test_H12_a_paused_compensation_is_resumed_by_an_operator),
        cmocka_unit_test(test_H12_calls_in_flight_end_before_anything_is_undone),
        cmocka_unit_test(test_H12_a_call_that_a_dead_worker_may_have_done_is_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
