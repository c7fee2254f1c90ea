/* stop_test.c: how a worker stops: finishing what runs, harder when time is up, never longer than it was told, giving
 * back what it held; and what it says when something does not return. */
#include "lab.h"

#include "abi/pawl_process.h"

#include <stdatomic.h>
#include <stdio.h>

#define HOUR_NS (3600 * PAWL_NS_PER_SECOND)

static pawl_status two_calls(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), &value));
    PAWL_TRY(pawl_call(p, "two", value, &value));
    return pawl_complete(p, value);
}

static pawl_status fan(pawl_process *p)
{
    pawl_future all[8];
    for (int i = 0; i < 8; i++)
        all[i] = pawl_start_call(p, "one", pawl_text("x"));
    PAWL_TRY(pawl_await_all_of(p, all, 8));
    return pawl_complete(p, pawl_text("done"));
}

static pawl_status at_once(pawl_process *p)
{
    return pawl_complete(p, pawl_text("done"));
}

/* Undoes what it began. */
static pawl_status tidy(pawl_process *p)
{
    pawl_status status = pawl_call(p, "one", pawl_input(p), NULL);
    if (status != PAWL_E_CANCELLED)
        return status == PAWL_OK ? pawl_complete(p, pawl_text("kept")) : status;
    PAWL_TRY(pawl_call(p, "undo", pawl_input(p), NULL));
    return PAWL_E_CANCELLED;
}

static pawl_status slow_call(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "slow", pawl_input(p), NULL));
    return pawl_complete(p, pawl_text("done"));
}

/* Runs on until told, without ever giving the shard back: what a watchdog is for. */
static atomic_bool busy_may_end;
static pawl_status busy(pawl_process *p)
{
    while (!atomic_load(&busy_may_end))
        lab_nap();
    return pawl_complete(p, pawl_text("at last"));
}

PAWL_PROCESSES(PAWL_TYPE("two_calls", 1, two_calls), PAWL_TYPE("fan", 1, fan), PAWL_TYPE("at_once", 1, at_once),
               PAWL_TYPE("busy", 1, busy), PAWL_TYPE("tidy", 1, tidy), PAWL_TYPE("slow_call", 1, slow_call))

static lab *lab_with(const char *provider)
{
    static const char *const types[] = {"two_calls", "fan", "at_once", "busy", "tidy", "slow_call"};
    lab *own = lab_create(provider);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        lab_add_type(own, types[i], 1, &pawl_processes);
    return own;
}

/* A stop on a thread of its own. */
typedef struct stopping {
    lab_worker *worker;
    uint32_t mode;
    uint64_t within_ns;
    pthread_t thread;
    atomic_bool ended;
} stopping;

static void *stop_it(void *argument)
{
    stopping *s = argument;
    lab_stop(s->worker, s->mode, s->within_ns);
    atomic_store(&s->ended, true);
    return NULL;
}

static void begin_stop(stopping *s, lab_worker *worker, uint32_t mode, uint64_t within_ns)
{
    *s = (stopping){.worker = worker, .mode = mode, .within_ns = within_ns};
    assert_int_equal(pthread_create(&s->thread, NULL, stop_it, s), 0);
}

static void test_H02_a_graceful_stop_records_what_runs_and_begins_nothing_new(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_effect *two = lab_add(own, &(lab_effect){.name = "two"});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "two_calls", "in");
    lab_wait_running(one, 1);
    stopping stop;
    begin_stop(&stop, worker, 1, HOUR_NS);
    LAB_UNTIL(own, lab_stop_mode(worker) == 1);
    lab_register(own, "q", "at_once", "");
    unruly_poke(lab_store(worker), 10);
    assert_false(atomic_load(&stop.ended));
    lab_let_go(one);
    pthread_join(stop.thread, NULL);
    assert_false(lab_execution_of(one, 0).told_to_stop);
    assert_string_equal(lab_journal(own, "p"), "started step(1 one #1 = one(in))");
    assert_int_equal(lab_executions(two), 0);
    assert_int_equal(lab_look(own, "q").status, PAWL_READY);
    assert_int_equal(lab_stats(worker).resident, 0);
    lab_start(own, NULL);
    assert_string_equal(lab_wait_end(own, "p").output, "two(one(in))");
    assert_int_equal(lab_wait_end(own, "q").status, PAWL_COMPLETED);
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

static void test_H02_a_graceful_stop_records_a_failed_attempt(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one =
        lab_add(own, &(lab_effect){.name = "one", .held = true, .fail_times = 1, .outcome = PAWL_OUTCOME_AT_MOST_ONCE});
    lab_add(own, &(lab_effect){.name = "two"});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "two_calls", "in");
    lab_wait_running(one, 1);
    stopping stop;
    begin_stop(&stop, worker, 1, HOUR_NS);
    LAB_UNTIL(own, lab_stop_mode(worker) == 1);
    lab_let_go(one);
    pthread_join(stop.thread, NULL);
    assert_string_equal(lab_journal(own, "p"), "started intent(1 one #1) attempt(1 one #1 ! lab.failed)");
    lab_start(own, NULL);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED); /* it failed for sure: no doubt, another attempt */
    lab_destroy(own);
}

static void test_H02_the_deadline_escalates_to_cancel(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *worker = lab_start(own, &(lab_settings){.effect_threads = 3});
    lab_register(own, "p", "fan", ""); /* three run, five wait for a thread */
    lab_wait_running(one, 3);
    uint64_t start = lab_mono_ns();
    lab_stop(worker, 1, 50 * PAWL_NS_PER_MS);
    assert_true(lab_mono_ns() - start >= 49 * PAWL_NS_PER_MS);
    assert_true(lab_execution_of(one, 0).told_to_stop);
    assert_int_equal(lab_executions(one), 3); /* what had not begun never did */
    assert_string_equal(lab_journal(own, "p"), "started");
    lab_let_go(one);
    lab_start(own, NULL);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    lab_destroy(own);
}

static void test_I7_an_effect_that_undoes_is_not_lost_with_its_worker(void **state)
{
    (void)state;
    for (uint32_t threads = 1; threads <= 2; threads++) { /* with one the call still waits for it */
        lab *own = lab_with("memory");
        lab_effect *slow = lab_add(own, &(lab_effect){.name = "slow", .held = true, .deaf = true});
        lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
        lab_effect *undo = lab_add(own, &(lab_effect){.name = "undo", .held = true});
        lab_worker *worker = lab_start(own, &(lab_settings){.effect_threads = threads, .shards = 1});
        lab_register(own, "p", "tidy", "in");
        lab_wait_running(one, 1);
        lab_register(own, "q", "slow_call", "in"); /* has the thread, as soon as it is free */
        LAB_UNTIL(own, lab_stats(worker).effects_queued + lab_running(slow) == 1);
        assert_int_equal(lab_cancel(own, "p", "enough"), PAWL_OK);
        LAB_UNTIL(own, lab_running(slow) == 1 && lab_stats(worker).effects_queued == 2 - threads &&
                           lab_running(undo) == threads - 1);
        stopping stop;
        begin_stop(&stop, worker, 2, HOUR_NS);
        LAB_UNTIL(own, lab_stop_mode(worker) == 2);
        lab_let_go(slow);
        pthread_join(stop.thread, NULL);
        lab_let_go(undo);
        lab_start(own, NULL);
        assert_int_equal(lab_wait_end(own, "p").status, PAWL_CANCELLED);
        assert_non_null(strstr(lab_journal(own, "p"), "undo(in)")); /* it was executed, and ended well */
        lab_destroy(own);
    }
}

static void test_H02_an_effect_that_ignores_it_is_left_behind(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true, .deaf = true});
    lab_add(own, &(lab_effect){.name = "two"});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "two_calls", "in");
    lab_wait_running(one, 1);
    lab_stop(worker, 1, 0);
    assert_int_equal(lab_stop_mode(worker), 3);
    assert_int_equal(lab_stats(worker).resident, 0); /* given back, though the effect still runs */
    assert_int_equal(lab_running(one), 1);
    lab_start(own, NULL);
    lab_wait_running(one, 2);
    lab_let_go(one);
    assert_string_equal(lab_wait_end(own, "p").output, "two(one(in))");
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_STEP), 2);
    lab_destroy(own);
}

static void test_H03_a_later_stop_may_shorten_the_time_and_not_extend_it(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "two_calls", "in");
    lab_wait_running(one, 1);
    stopping patient, hasty;
    begin_stop(&patient, worker, 1, HOUR_NS);
    LAB_UNTIL(own, lab_stop_mode(worker) == 1);
    begin_stop(&hasty, worker, 1, 20 * PAWL_NS_PER_MS);
    pthread_join(hasty.thread, NULL);
    pthread_join(patient.thread, NULL); /* long before its hour */
    assert_true(lab_execution_of(one, 0).told_to_stop);
    lab_end(worker);

    lab_execution first = lab_execution_of(one, 0);
    LAB_SCRIPT(one, held = true);
    worker = lab_start(own, NULL);
    lab_wait_executions(one, 2);
    begin_stop(&hasty, worker, 1, 50 * PAWL_NS_PER_MS);
    LAB_UNTIL(own, lab_stop_mode(worker) >= 1);
    lab_stop(worker, 1, HOUR_NS); /* does not extend it */
    pthread_join(hasty.thread, NULL);
    assert_true(lab_execution_of(one, 1).told_to_stop);
    assert_true(first.told_to_stop);
    lab_destroy(own);
}

static void test_H03_a_mode_never_becomes_softer(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true, .deaf = true});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "two_calls", "in");
    lab_wait_running(one, 1);
    stopping graceful, cancel;
    begin_stop(&graceful, worker, 1, HOUR_NS);
    LAB_UNTIL(own, lab_stop_mode(worker) == 1);
    begin_stop(&cancel, worker, 2, HOUR_NS);
    LAB_UNTIL(own, lab_stop_mode(worker) == 2);
    stopping again;
    begin_stop(&again, worker, 1, HOUR_NS);
    LAB_UNTIL(own, lab_execution_of(one, 0).told_to_stop);
    assert_int_equal(lab_stop_mode(worker), 2);
    lab_stop(worker, 3, HOUR_NS); /* gives back at once */
    pthread_join(graceful.thread, NULL);
    pthread_join(cancel.thread, NULL);
    pthread_join(again.thread, NULL);
    assert_int_equal(lab_stop_mode(worker), 3);
    assert_int_equal(lab_running(one), 1);
    lab_destroy(own);
}

static void test_H01_stopping_twice_or_before_anything_is_fine(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_worker *worker = lab_start(own, NULL);
    lab_stop(worker, 1, HOUR_NS);
    lab_stop(worker, 1, HOUR_NS);
    lab_stop(worker, 3, 0);
    lab_register(own, "p", "at_once", "");
    assert_int_equal(lab_look(own, "p").status, PAWL_READY);
    lab_end(worker);
    for (int i = 0; i < 30; i++) { /* while it claims */
        char id[16];
        snprintf(id, sizeof id, "p%d", i);
        lab_register(own, id, "at_once", "");
        lab_end(lab_start(own, NULL));
    }
    lab_start(own, NULL);
    LAB_UNTIL(own, lab_count(own, PAWL_COMPLETED) == 31);
    lab_destroy(own);
}

static void test_H02_a_stop_waits_for_a_store_that_is_slow_to_take_the_last_result(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true, .outcome = PAWL_OUTCOME_AT_MOST_ONCE});
    lab_add(own, &(lab_effect){.name = "two"});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "two_calls", "in");
    lab_wait_running(one, 1);
    unruly_add(lab_store(worker),
               &(unruly_rule){.action = UNRULY_FAIL, .times = 2, .status = PAWL_E_IO}); /* then it takes it */
    stopping stop;
    begin_stop(&stop, worker, 1, HOUR_NS);
    LAB_UNTIL(own, lab_stop_mode(worker) == 1);
    lab_let_go(one);
    pthread_join(stop.thread, NULL);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_STEP), 1);
    lab_start(own, NULL);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

static void test_H02_abort_gives_back_what_commits_and_runs_at_once(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_effect *two = lab_add(own, &(lab_effect){.name = "two"});
    (void)two;
    lab_worker *worker = lab_start(own, &(lab_settings){.effect_threads = 8});
    unruly_add(lab_store(worker), &(unruly_rule){.action = UNRULY_HOLD, .record_kind = PAWL_RECORD_STEP, .times = 1});
    LAB_SCRIPT(one, deaf = true);
    lab_register(own, "p", "fan", "");
    assert_true(unruly_wait_held(lab_store(worker), 1)); /* some have ended, and their steps are on their way */
    stopping stop;
    begin_stop(&stop, worker, 3, HOUR_NS);
    LAB_UNTIL(own, lab_stop_mode(worker) == 3);
    unruly_let_go(lab_store(worker));
    pthread_join(stop.thread, NULL);
    assert_int_equal(lab_stats(worker).resident, 0);
    lab_start(own, NULL);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    lab_destroy(own);
}

static void test_H02_an_asynchronous_effect_may_end_while_its_worker_ends(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        lab *own = lab_with("memory");
        lab_effect *one =
            lab_add(own, &(lab_effect){.name = "one", .held = true, .deaf = true, .runs = PAWL_RUNS_ASYNC});
        lab_worker *worker = lab_start(own, NULL);
        lab_register(own, "p", "fan", "");
        lab_wait_running(one, 8);
        lab_stop(worker, 3, HOUR_NS);
        lab_end(worker); /* lets them go: their completions meet the end of the pool */
        lab_start(own, NULL);
        assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
        lab_destroy(own);
    }
}

#define WATCHDOG "process code or an inline effect runs too long"

static void wait_for_watchdog(lab *own, const char *id)
{
    char named[64];
    snprintf(named, sizeof named, "process=%s plugin=lab seconds=", id);
    LAB_UNTIL(own, lab_logged(own, WATCHDOG));
    if (!lab_logged(own, named))
        fail_msg("%s is not in\n%s", named, lab_log_text(own));
}

static void test_V10_the_watchdog_names_an_activation_that_runs_too_long(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    atomic_store(&busy_may_end, false);
    lab_start(own, &(lab_settings){.activation_warn_ns = 20 * PAWL_NS_PER_MS, .heartbeat_ns = 10 * PAWL_NS_PER_MS});
    lab_register(own, "p", "busy", "");
    wait_for_watchdog(own, "p");
    atomic_store(&busy_may_end, true);
    assert_string_equal(lab_wait_end(own, "p").output, "at last");
    lab_destroy(own);
}

/* An inline effect that blocks is as bad as code that does. The other shard goes on, and so does the heart. */
static void test_V10_an_inline_effect_that_blocks_is_named_and_holds_up_its_shard_alone(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *slow =
        lab_add(own, &(lab_effect){.name = "slow", .runs = PAWL_RUNS_INLINE, .held = true, .deaf = true});
    lab_settings settings = {
        .shards = 2, .activation_warn_ns = 20 * PAWL_NS_PER_MS, .heartbeat_ns = 10 * PAWL_NS_PER_MS};
    lab_worker *worker = lab_start(own, &settings);
    lab_register(own, "p", "slow_call", "in");
    lab_wait_running(slow, 1);
    wait_for_watchdog(own, "p");
    lab_register(own, "q", "at_once", ""); /* numbers fall to the shards in turn */
    lab_register(own, "r", "at_once", "");
    LAB_UNTIL(own, lab_count(own, PAWL_COMPLETED) == 1);
    uint32_t beats = lab_logged_times(own, WATCHDOG); /* said at each beat of the heart */
    LAB_UNTIL(own, lab_logged_times(own, WATCHDOG) > beats + 2);
    assert_int_equal(lab_count(own, PAWL_COMPLETED), 1);
    lab_let_go(slow);
    LAB_UNTIL(own, lab_count(own, PAWL_COMPLETED) == 3);
    assert_int_equal(lab_executions(slow), 1);
    assert_int_equal(lab_stats(worker).lost_leases, 0);
    lab_destroy(own);
}

/* Last: what it leaves behind stays until the program ends. */
static void test_H02_a_worker_ends_though_an_effect_never_returns(void **state)
{
    (void)state;
    static lab *forever; /* still in use */
    forever = lab_with("memory");
    lab_effect *one = lab_add(forever, &(lab_effect){.name = "one", .held = true, .deaf = true});
    lab_worker *worker = lab_start(forever, NULL);
    lab_register(forever, "p", "two_calls", "in");
    lab_wait_running(one, 1);
    uint64_t start = lab_mono_ns();
    lab_abandon(worker);
    assert_true(lab_mono_ns() - start < 20 * PAWL_NS_PER_SECOND);
    assert_true(lab_logged(forever, "did not return"));
    assert_int_equal(lab_look(forever, "p").status, PAWL_READY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_H02_a_graceful_stop_records_what_runs_and_begins_nothing_new),
        cmocka_unit_test(test_H02_a_graceful_stop_records_a_failed_attempt),
        cmocka_unit_test(test_H02_the_deadline_escalates_to_cancel),
        cmocka_unit_test(test_I7_an_effect_that_undoes_is_not_lost_with_its_worker),
        cmocka_unit_test(test_H02_an_effect_that_ignores_it_is_left_behind),
        cmocka_unit_test(test_H03_a_later_stop_may_shorten_the_time_and_not_extend_it),
        cmocka_unit_test(test_H03_a_mode_never_becomes_softer),
        cmocka_unit_test(test_H01_stopping_twice_or_before_anything_is_fine),
        cmocka_unit_test(test_H02_a_stop_waits_for_a_store_that_is_slow_to_take_the_last_result),
        cmocka_unit_test(test_H02_abort_gives_back_what_commits_and_runs_at_once),
        cmocka_unit_test(test_H02_an_asynchronous_effect_may_end_while_its_worker_ends),
        cmocka_unit_test(test_V10_the_watchdog_names_an_activation_that_runs_too_long),
        cmocka_unit_test(test_V10_an_inline_effect_that_blocks_is_named_and_holds_up_its_shard_alone),
        cmocka_unit_test(test_H02_a_worker_ends_though_an_effect_never_returns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
