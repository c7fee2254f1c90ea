/* effect_test.c: what the journal promises of effects: one recorded result each, the same key for ever, retries by the
 * policy, wrong answers never taken for success, limits kept. */
#include "lab.h"

#include "abi/pawl_process.h"

#include <stdio.h>

#define HOUR_NS (3600 * PAWL_NS_PER_SECOND)

static pawl_status two_calls(pawl_process *p)
{
    pawl_bytes one, two;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), &one));
    PAWL_TRY(pawl_call(p, "two", one, &two));
    return pawl_complete(p, two);
}

static pawl_status one_call(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), &value));
    return pawl_complete(p, value);
}

static pawl_status one_attempt(pawl_process *p)
{
    pawl_bytes value;
    pawl_call_options once = pawl_options(1, 0);
    PAWL_TRY(pawl_call_with(p, "one", pawl_input(p), &once, &value));
    return pawl_complete(p, value);
}

static pawl_status two_sleeps(pawl_process *p)
{
    PAWL_TRY(pawl_sleep(p, PAWL_HOUR));
    PAWL_TRY(pawl_sleep(p, PAWL_HOUR));
    return pawl_complete(p, pawl_text("rested"));
}

/* The order in which three came, then their results in order of their start. */
static pawl_status race(pawl_process *p)
{
    static const char *const names[] = {"one", "two", "three"};
    pawl_future all[3];
    pawl_bytes value, text = pawl_text("");
    int first = 0;
    for (int i = 0; i < 3; i++)
        all[i] = pawl_start_call(p, names[i], pawl_text("x"));
    PAWL_TRY(pawl_await_any_of(p, &first, all, 3));
    PAWL_TRY(pawl_await_all_of(p, all, 3));
    for (int i = 0; i < 3; i++) {
        PAWL_TRY(pawl_result(p, all[i], &value));
        text = pawl_printf(p, "%.*s %.*s", (int)text.size, (const char *)text.data, (int)value.size,
                           (const char *)value.data);
    }
    PAWL_TRY(pawl_call(p, "last", text, NULL));
    return pawl_complete(p, pawl_printf(p, "%s first:%.*s", names[first], (int)text.size, (const char *)text.data));
}

static pawl_status fan(pawl_process *p)
{
    pawl_future all[8];
    for (int i = 0; i < 8; i++)
        all[i] = pawl_start_call(p, "one", pawl_text("x"));
    PAWL_TRY(pawl_await_all_of(p, all, 8));
    return pawl_complete(p, pawl_text("done"));
}

PAWL_PROCESSES(PAWL_TYPE("two_calls", 1, two_calls), PAWL_TYPE("one_call", 1, one_call),
               PAWL_TYPE("one_attempt", 1, one_attempt), PAWL_TYPE("two_sleeps", 1, two_sleeps),
               PAWL_TYPE("race", 1, race), PAWL_TYPE("fan", 1, fan))

static lab *lab_with(const char *provider)
{
    static const char *const types[] = {"two_calls", "one_call", "one_attempt", "two_sleeps", "race", "fan"};
    lab *own = lab_create(provider);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        lab_add_type(own, types[i], 1, &pawl_processes);
    return own;
}

/* ---- records and keys ---- */

static void test_X01_recorded_results_are_replayed_without_calling_the_plugin(void **state)
{
    (void)state;
    lab *own = lab_with("rocksdb");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_effect *two = lab_add(own, &(lab_effect){.name = "two", .held = true});
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", "two_calls", "in");
    lab_wait_running(two, 1);
    lab_crash(first);
    lab_end(first);
    lab_reopen(own);
    lab_start(own, NULL);
    lab_row row = lab_wait_end(own, "p");
    assert_string_equal(row.output, "two(one(in))");
    assert_int_equal(lab_executions(one), 1);
    assert_int_equal(lab_executions(two), 2); /* its record was lost with the crash: again, with the same key */
    assert_string_equal(lab_execution_of(two, 0).key, lab_execution_of(two, 1).key);
    assert_string_equal(lab_journal(own, "p"),
                        "started step(1 one #1 = one(in)) step(2 two #1 = two(one(in))) ended(16 = two(one(in)))");
    lab_destroy(own);
}

static void test_X05_passing_failures_are_not_recorded_as_results(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .fail_times = 2});
    lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_int_equal(lab_executions(one), 3);
    assert_string_equal(lab_journal(own, "p"), "started attempt(1 one #1 ! lab.failed) attempt(1 one #2 ! lab.failed) "
                                               "step(1 one #3 = one(in)) ended(16 = one(in))");
    lab_destroy(own);
}

static void test_X05_an_effect_stopped_with_its_worker_runs_again_elsewhere(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    lab_stop(first, 2, LAB_PATIENCE_NS);
    assert_true(lab_execution_of(one, 0).told_to_stop);
    assert_string_equal(lab_journal(own, "p"), "started");
    lab_let_go(one);
    lab_start(own, NULL);
    assert_string_equal(lab_wait_end(own, "p").output, "one(in)");
    assert_int_equal(lab_execution_of(one, 1).attempt, 1);
    lab_destroy(own);
}

static void test_X07_keys_stay_the_same_over_attempts_restarts_and_workers(void **state)
{
    (void)state;
    lab *own = lab_with("rocksdb");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .fail_times = 2});
    lab_effect *two = lab_add(own, &(lab_effect){.name = "two", .held = true});
    for (uint32_t crashes = 1; crashes <= 3; crashes++) {
        lab_worker *worker = lab_start(own, NULL);
        if (crashes == 1)
            lab_register(own, "p", "two_calls", "in");
        lab_wait_executions(two, crashes);
        lab_crash(worker);
        lab_end(worker);
        lab_reopen(own);
        LAB_SCRIPT(two, held = crashes < 3);
    }
    lab_start(own, NULL);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    for (uint32_t i = 0; i < 3; i++)
        assert_string_equal(lab_execution_of(one, i).key, "p/1/1");
    for (uint32_t i = 0; i < 4; i++)
        assert_string_equal(lab_execution_of(two, i).key, "p/1/2");
    lab_destroy(own);
}

static void test_X08_calls_of_two_processes_have_different_keys(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_wait_end(own, "p");
    lab_register(own, "q", "one_call", "in");
    lab_wait_end(own, "q");
    assert_string_equal(lab_execution_of(one, 0).key, "p/1/1");
    assert_string_equal(lab_execution_of(one, 1).key, "q/1/1");
    lab_destroy(own);
}

/* Whatever its outcome rule, wherever it runs: no effect is ever called without its key, nor with that of another. */
static void test_X09_no_effect_is_called_without_its_key(void **state)
{
    (void)state;
    static const uint32_t runs[] = {PAWL_RUNS_POOL, PAWL_RUNS_INLINE, PAWL_RUNS_ASYNC};
    static const uint32_t rules[] = {PAWL_OUTCOME_IDEMPOTENT, PAWL_OUTCOME_BY_KEY, PAWL_OUTCOME_AT_MOST_ONCE,
                                     PAWL_OUTCOME_RECONCILE};
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 4; j++) {
            lab *own = lab_with("memory");
            lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .runs = runs[i], .outcome = rules[j]});
            lab_effect *two = lab_add(own, &(lab_effect){.name = "two", .outcome = rules[j], .local = true});
            lab_start(own, NULL);
            lab_register(own, "p", "two_calls", "in");
            assert_string_equal(lab_wait_end(own, "p").output, "two(one(in))");
            assert_string_equal(lab_execution_of(one, 0).key, "p/1/1");
            assert_string_equal(lab_execution_of(two, 0).key, "p/1/2");
            lab_destroy(own);
        }
    }
}

static void test_X10_a_sleep_goes_on_to_its_recorded_time_over_a_restart(void **state)
{
    (void)state;
    lab *own = lab_with("rocksdb");
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", "two_sleeps", "");
    uint64_t wake = lab_wait_status(own, "p", PAWL_WAITING).wake_unix_ns;
    lab_end(first);
    lab_advance(own, HOUR_NS / 2);
    lab_reopen(own);
    lab_start(own, NULL);
    assert_int_equal(lab_wait_status(own, "p", PAWL_WAITING).wake_unix_ns, wake);
    lab_advance(own, HOUR_NS / 2);
    LAB_UNTIL(own, lab_look(own, "p").head == 4 && lab_look(own, "p").status == PAWL_WAITING);
    assert_true(lab_look(own, "p").wake_unix_ns > wake + HOUR_NS / 2);
    assert_string_equal(lab_journal(own, "p"), "started timer(1) fired(1) timer(2)");
    lab_advance(own, HOUR_NS);
    assert_string_equal(lab_wait_end(own, "p").output, "rested");
    assert_string_equal(lab_journal(own, "p"), "started timer(1) fired(1) timer(2) fired(2) ended(16 = rested)");
    lab_destroy(own);
}

static void test_X11_replay_does_not_depend_on_the_order_of_completion(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *effects[3];
    static const char *const names[] = {"one", "two", "three"};
    for (int i = 0; i < 3; i++)
        effects[i] = lab_add(own, &(lab_effect){.name = names[i], .held = true});
    lab_effect *last = lab_add(own, &(lab_effect){.name = "last", .held = true});
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", "race", "");
    for (int i = 0; i < 3; i++)
        lab_wait_running(effects[i], 1);
    for (int i = 2; i >= 0; i--) { /* the last that was started comes first */
        lab_let_go(effects[i]);
        LAB_UNTIL(own, lab_look(own, "p").head == (uint64_t)(4 - i));
    }
    lab_wait_running(last, 1);
    lab_crash(first);
    lab_let_go(last);
    lab_start(own, NULL);
    assert_string_equal(lab_wait_end(own, "p").output, "three first: one(x) two(x) three(x)");
    for (int i = 0; i < 3; i++)
        assert_int_equal(lab_executions(effects[i]), 1);
    lab_destroy(own);
}

/* ---- answers ---- */

static void test_X12_a_wrong_answer_is_an_error_and_never_success(void **state)
{
    (void)state;
    static const struct {
        pawl_status answer;
        const char *code;
        uint32_t executions;
    } cases[] = {
        {PAWL_PENDING, "effect.contract", 5}, /* it may have happened: repeated, for it is idempotent */
        {PAWL_SUSPEND, "effect.contract", 5}, {77, "effect.contract", 5}, {-99, "unknown", 5},
        {PAWL_E_INVALID, "invalid", 1},       {PAWL_E_IO, "io", 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lab *own = lab_with("memory");
        lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .answer = cases[i].answer});
        lab_start(own, NULL);
        lab_register(own, "p", "one_call", "in");
        lab_row row = lab_wait_end(own, "p");
        assert_int_equal(row.status, PAWL_FAILED);
        assert_string_equal(row.code, cases[i].code);
        assert_non_null(strstr(row.message, "one"));
        assert_int_equal(lab_executions(one), cases[i].executions);
        lab_destroy(own);
    }
}

static void test_P15_too_large_a_result_is_a_failure_of_its_own(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .output_size = 2000});
    lab_effect *two = lab_add(own, &(lab_effect){.name = "two", .output_size = 2000, .runs = PAWL_RUNS_ASYNC});
    (void)two;
    lab_start(own, &(lab_settings){.value_bytes_max = 1000});
    lab_register(own, "p", "one_call", "in");
    lab_row row = lab_wait_end(own, "p");
    assert_string_equal(row.code, "effect.output_too_large");
    assert_int_equal(lab_executions(one), 1);
    LAB_SCRIPT(one, output_size = 0);
    lab_register(own, "q", "two_calls", "in");
    assert_string_equal(lab_wait_end(own, "q").code, "effect.output_too_large");
    lab_destroy(own);
}

/* ---- retries ---- */

static void test_X13_only_what_may_be_repeated_is_repeated(void **state)
{
    (void)state;
    static const char *const never[] = {"card.declined", NULL};
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .fail_times = 1, .klass = PAWL_TERMINAL});
    lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    assert_string_equal(lab_wait_end(own, "p").code, "lab.failed");
    assert_int_equal(lab_executions(one), 1);
    LAB_SCRIPT(one, fail_times = 1);
    LAB_SCRIPT(one, klass = 0);
    lab_register(own, "q", "one_attempt", "in"); /* the program asked for a single attempt */
    assert_int_equal(lab_wait_end(own, "q").status, PAWL_FAILED);
    assert_int_equal(lab_executions(one), 2);
    lab_destroy(own);

    own = lab_with("memory");
    pawl_retry_policy policy = pawl_retry_default();
    policy.non_retryable = never;
    one = lab_add(own, &(lab_effect){.name = "one", .fail_times = 1, .code = "card.declined", .retry = policy});
    lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    assert_string_equal(lab_wait_end(own, "p").code, "card.declined");
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

static void test_X13_a_failed_attempt_is_recorded_though_a_result_is_on_its_way(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_effect *two =
        lab_add(own, &(lab_effect){.name = "two", .outcome = PAWL_OUTCOME_AT_MOST_ONCE, .held = true, .fail_times = 1});
    lab_effect *three = lab_add(own, &(lab_effect){.name = "three", .held = true});
    lab_add(own, &(lab_effect){.name = "last"});
    lab_worker *worker = lab_start(own, NULL);
    unruly_add(lab_store(worker), &(unruly_rule){.action = UNRULY_HOLD, .record_kind = PAWL_RECORD_STEP, .times = 1});
    lab_register(own, "p", "race", "");
    assert_true(unruly_wait_held(lab_store(worker), 1)); /* the step of one */
    lab_wait_running(two, 1);
    lab_let_go(two);
    char text[200];
    LAB_UNTIL(own, lab_explain(worker, "p", text, sizeof text) && strstr(text, "more") == NULL);
    assert_non_null(strstr(text, "three")); /* the failure of two is known, and cannot be written yet */
    unruly_let_go(lab_store(worker));
    lab_wait_executions(two, 2);
    lab_let_go(three);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_ATTEMPT), 1);
    assert_int_equal(lab_executions(two), 2);
    assert_int_equal(lab_execution_of(two, 1).attempt, 2);
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

static void test_X13_exhausted_attempts_give_the_last_failure(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .fail_times = 100});
    lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_FAILED);
    assert_string_equal(row.code, "lab.failed");
    assert_int_equal(lab_executions(one), 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(lab_execution_of(one, i).attempt, i + 1);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_ATTEMPT), 4);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_STEP), 1);
    lab_destroy(own);
}

static void test_X13_the_delay_an_effect_asks_for_is_kept_over_a_restart(void **state)
{
    (void)state;
    lab *own = lab_with("rocksdb");
    pawl_retry_policy policy = pawl_retry_default();
    policy.elapsed_max_ns = 0;
    lab_effect *one =
        lab_add(own, &(lab_effect){.name = "one", .fail_times = 1, .retry_after_ns = HOUR_NS, .retry = policy});
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_row row = lab_wait_status(own, "p", PAWL_WAITING);
    uint64_t failed_unix_ns = lab_execution_of(one, 0).end_unix_ns;
    assert_true(row.wake_unix_ns >= failed_unix_ns + HOUR_NS);
    lab_end(first);
    lab_reopen(own);
    lab_start(own, NULL);
    lab_advance(own, HOUR_NS / 2);
    assert_int_equal(lab_wait_status(own, "p", PAWL_WAITING).wake_unix_ns, row.wake_unix_ns);
    assert_int_equal(lab_executions(one), 1);
    lab_advance(own, HOUR_NS / 2 + PAWL_NS_PER_SECOND);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    lab_execution second = lab_execution_of(one, 1);
    assert_int_equal(second.attempt, 2);
    assert_true(second.begin_unix_ns >= failed_unix_ns + HOUR_NS);
    lab_destroy(own);
}

static void test_X13_a_timed_out_attempt_is_told_to_stop_and_tried_again(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true, .timeout_ns = 30 * PAWL_NS_PER_MS});
    lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_wait_executions(one, 2);
    lab_execution first = lab_execution_of(one, 0);
    assert_true(first.told_to_stop);
    assert_true(first.end_unix_ns - first.begin_unix_ns >= 29 * PAWL_NS_PER_MS);
    assert_true(first.deadline_mono_ns > 0);
    lab_let_go(one);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    lab_destroy(own);
}

/* ---- where they run ---- */

static void test_P11_a_bulkhead_is_never_passed_and_holds_up_nobody_else(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .limit = 2, .held = true});
    lab_effect *two = lab_add(own, &(lab_effect){.name = "two"});
    lab_effect *three = lab_add(own, &(lab_effect){.name = "three", .limit = 1, .runs = PAWL_RUNS_ASYNC});
    lab_effect *last = lab_add(own, &(lab_effect){.name = "last", .limit = 1, .runs = PAWL_RUNS_INLINE});
    lab_start(own, &(lab_settings){.effect_threads = 6});
    char id[16];
    for (int i = 0; i < 6; i++) {
        snprintf(id, sizeof id, "p%d", i);
        lab_register(own, id, "race", "");
    }
    LAB_UNTIL(own, lab_executions(two) == 6 && lab_executions(three) == 6 && lab_running(one) == 2);
    lab_let_go(one);
    for (int i = 0; i < 6; i++) {
        snprintf(id, sizeof id, "p%d", i);
        assert_int_equal(lab_wait_end(own, id).status, PAWL_COMPLETED);
    }
    assert_int_equal(one->running_peak, 2);
    assert_int_equal(three->running_peak, 1);
    assert_int_equal(last->running_peak, 1);
    assert_int_equal(lab_executions(one), 6);
    lab_destroy(own);
}

static void test_X03_blocking_effects_run_beside_each_other_up_to_the_threads(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *worker = lab_start(own, &(lab_settings){.effect_threads = 8});
    lab_register(own, "p", "fan", "");
    lab_wait_running(one, 8);
    char text[200];
    assert_true(lab_explain(worker, "p", text, sizeof text));
    assert_non_null(strstr(text, "runs one, attempt 1"));
    assert_non_null(strstr(text, "and 7 more"));
    lab_let_go(one);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    lab_register(own, "q", "fan", ""); /* on threads that are there and idle */
    LAB_SCRIPT(one, held = true);
    lab_end(worker);
    lab_start(own, NULL);
    assert_int_equal(lab_wait_end(own, "q").status, PAWL_COMPLETED);
    lab_destroy(own);
}

static void test_X03_every_idle_thread_is_used_before_work_waits(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_start(own, &(lab_settings){.effect_threads = 8});
    for (int round = 0; round < 20; round++) {
        char id[16];
        snprintf(id, sizeof id, "p%d", round);
        LAB_SCRIPT(one, held = true);
        lab_register(own, id, "fan", "");
        lab_wait_running(one, 8); /* would hang if a call waited behind a busy thread while others are idle */
        lab_let_go(one);
        assert_int_equal(lab_wait_end(own, id).status, PAWL_COMPLETED);
    }
    lab_destroy(own);
}

static void test_P09_asynchronous_effects_complete_from_foreign_threads(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .runs = PAWL_RUNS_ASYNC, .held = true});
    lab_worker *worker = lab_start(own, &(lab_settings){.effect_threads = 1});
    char id[16];
    for (int i = 0; i < 10; i++) {
        snprintf(id, sizeof id, "p%d", i);
        lab_register(own, id, "fan", "");
    }
    lab_wait_running(one, 80); /* on a single thread: none is taken while they run */
    assert_int_equal(lab_stats(worker).effects_running, 80);
    lab_let_go(one);
    for (int i = 0; i < 10; i++) {
        snprintf(id, sizeof id, "p%d", i);
        assert_int_equal(lab_wait_end(own, id).status, PAWL_COMPLETED);
    }
    LAB_SCRIPT(one, fail_times = 3);
    lab_register(own, "again", "fan", "");
    assert_int_equal(lab_wait_end(own, "again").status, PAWL_COMPLETED);
    assert_int_equal(lab_records(own, "again", PAWL_RECORD_ATTEMPT), 3);
    lab_destroy(own);
}

static void test_X03_inline_effects_run_on_the_shard_and_may_fail(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .runs = PAWL_RUNS_INLINE, .fail_times = 2});
    lab_add(own, &(lab_effect){
                     .name = "two", .runs = PAWL_RUNS_INLINE, .outcome = PAWL_OUTCOME_AT_MOST_ONCE, .fail_times = 1});
    lab_start(own, NULL);
    lab_register(own, "p", "two_calls", "in");
    assert_string_equal(lab_wait_end(own, "p").output, "two(one(in))");
    assert_int_equal(lab_executions(one), 3);
    assert_string_equal(
        lab_journal(own, "p"),
        "started attempt(1 one #1 ! lab.failed) attempt(1 one #2 ! lab.failed) step(1 one #3 = one(in)) "
        "intent(2 two #1) attempt(2 two #1 ! lab.failed) intent(2 two #2) "
        "step(2 two #2 = two(one(in))) ended(16 = two(one(in)))");
    lab_destroy(own);
}

static void test_X16_a_journal_stays_until_its_process_has_ended(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_wait_running(one, 1);
    uint64_t removed = 99;
    assert_int_equal(lab_prune(own, &removed), PAWL_OK);
    assert_int_equal(removed, 0);
    lab_let_go(one);
    lab_wait_end(own, "p");
    LAB_UNTIL(own, lab_prune(own, &removed) == PAWL_OK && removed == 1);
    lab_destroy(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_X01_recorded_results_are_replayed_without_calling_the_plugin),
        cmocka_unit_test(test_X05_passing_failures_are_not_recorded_as_results),
        cmocka_unit_test(test_X05_an_effect_stopped_with_its_worker_runs_again_elsewhere),
        cmocka_unit_test(test_X07_keys_stay_the_same_over_attempts_restarts_and_workers),
        cmocka_unit_test(test_X09_no_effect_is_called_without_its_key),
        cmocka_unit_test(test_X08_calls_of_two_processes_have_different_keys),
        cmocka_unit_test(test_X10_a_sleep_goes_on_to_its_recorded_time_over_a_restart),
        cmocka_unit_test(test_X11_replay_does_not_depend_on_the_order_of_completion),
        cmocka_unit_test(test_X12_a_wrong_answer_is_an_error_and_never_success),
        cmocka_unit_test(test_P15_too_large_a_result_is_a_failure_of_its_own),
        cmocka_unit_test(test_X13_only_what_may_be_repeated_is_repeated),
        cmocka_unit_test(test_X13_a_failed_attempt_is_recorded_though_a_result_is_on_its_way),
        cmocka_unit_test(test_X13_exhausted_attempts_give_the_last_failure),
        cmocka_unit_test(test_X13_the_delay_an_effect_asks_for_is_kept_over_a_restart),
        cmocka_unit_test(test_X13_a_timed_out_attempt_is_told_to_stop_and_tried_again),
        cmocka_unit_test(test_P11_a_bulkhead_is_never_passed_and_holds_up_nobody_else),
        cmocka_unit_test(test_X03_blocking_effects_run_beside_each_other_up_to_the_threads),
        cmocka_unit_test(test_X03_every_idle_thread_is_used_before_work_waits),
        cmocka_unit_test(test_P09_asynchronous_effects_complete_from_foreign_threads),
        cmocka_unit_test(test_X03_inline_effects_run_on_the_shard_and_may_fail),
        cmocka_unit_test(test_X16_a_journal_stays_until_its_process_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
