/* deadline_test.c: deadlines of calls in a real worker: over all attempts and the waits between and in front of them,
 * the same after a restart; and the class of the failure, which says what is known. */
#include "lab.h"

#include "abi/pawl_process.h"

#include <stdio.h>

#define HOUR_NS (3600 * PAWL_NS_PER_SECOND)

static pawl_status told(pawl_process *p, pawl_future call)
{
    pawl_bytes value;
    PAWL_TRY(pawl_await(p, call));
    pawl_failure failure;
    if (p->host->failure(p, call, &failure) != PAWL_OK) {
        PAWL_TRY(pawl_result(p, call, &value));
        return pawl_complete(p, value);
    }
    static const char *const names[] = {"?", "terminal", "retryable", "unknown"};
    char *text = pawl_alloc(p, 200);
    snprintf(text, 200, "%.*s %s", (int)failure.code.size, (const char *)failure.code.data, names[failure.klass]);
    return pawl_complete(p, pawl_text(text));
}

/* The effect's own deadline. */
static pawl_status plain(pawl_process *p)
{
    return told(p, pawl_start_call(p, "one", pawl_input(p)));
}

/* Three hours, whatever the effect says. */
static pawl_status hurried(pawl_process *p)
{
    pawl_call_options options = pawl_options_within(pawl_options(0, 0), 3 * PAWL_HOUR);
    return told(p, pawl_start_call_with(p, "one", pawl_input(p), &options));
}

/* Some milliseconds. */
static pawl_status brief(pawl_process *p)
{
    pawl_call_options options = pawl_options_within(pawl_options(0, 0), 100 * PAWL_MILLISECOND);
    return told(p, pawl_start_call_with(p, "one", pawl_input(p), &options));
}

PAWL_PROCESSES(PAWL_TYPE("plain", 1, plain), PAWL_TYPE("brief", 1, brief), PAWL_TYPE("hurried", 1, hurried))

static lab *lab_with(const char *provider)
{
    lab *own = lab_create(provider);
    lab_add_type(own, "plain", 1, &pawl_processes);
    lab_add_type(own, "brief", 1, &pawl_processes);
    lab_add_type(own, "hurried", 1, &pawl_processes);
    return own;
}

static const pawl_retry_policy hourly = {
    .attempts_max = 99, .first_delay_ns = HOUR_NS, .factor = 1, .delay_max_ns = HOUR_NS};

/* What would begin too late is not begun, and nobody waits for it. */
static void test_X13_no_attempt_is_made_that_would_begin_after_the_deadline_of_its_call(void **state)
{
    lab *own = lab_with(*state);
    lab_effect *one =
        lab_add(own, &(lab_effect){.name = "one", .deadline_ns = HOUR_NS / 2, .fail_times = 9, .retry = hourly});
    lab_start(own, NULL);
    lab_register(own, "p", "plain", "in");
    assert_string_equal(lab_wait_end(own, "p").output, "effect.deadline retryable");
    assert_int_equal(lab_executions(one), 1);
    assert_string_equal(lab_journal(own, "p"), "started deadline(1 one #1) step(1 one #1 ! effect.deadline) "
                                               "ended(16 = effect.deadline retryable)");
    lab_register(own, "q", "hurried", "in"); /* its own option: a retry that comes in time is made */
    LAB_UNTIL(own, lab_executions(one) == 2 && lab_look(own, "q").status == PAWL_WAITING);
    LAB_SCRIPT(one, fail_times = 0);
    lab_advance(own, HOUR_NS + PAWL_NS_PER_SECOND);
    assert_string_equal(lab_wait_end(own, "q").output, "one(in)");
    lab_destroy(own);
}

/* It counts from the first start, over every crash and restart. */
static void test_X13_the_deadline_of_a_call_is_the_same_after_a_crash(void **state)
{
    (void)state;
    lab *own = lab_with("rocksdb");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .fail_times = 9, .retry = hourly});
    for (uint32_t attempt = 1; attempt <= 2; attempt++) { /* at 0 and at 1 hour */
        lab_worker *w = lab_start(own, NULL);
        if (attempt == 1)
            lab_register(own, "p", "hurried", "in");
        LAB_UNTIL(own, lab_executions(one) == attempt && lab_records(own, "p", PAWL_RECORD_ATTEMPT) == attempt);
        lab_crash(w);
        lab_end_all(own);
        lab_reopen(own);
        lab_advance(own, HOUR_NS + PAWL_NS_PER_SECOND);
    }
    lab_start(own, NULL); /* the third at 2 hours; the next one would be at 3 */
    assert_string_equal(lab_wait_end(own, "p").output, "effect.deadline unknown");
    assert_int_equal(lab_executions(one), 3);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_DEADLINE), 1);
    lab_destroy(own);
}

static void test_X13_an_attempt_that_runs_at_the_deadline_of_its_call_is_told_to_stop(void **state)
{
    lab *own = lab_with(*state);
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one",
                                                 .held = true,
                                                 .deadline_ns = 40 * PAWL_NS_PER_MS,
                                                 .timeout_ns = HOUR_NS,
                                                 .retry = {.attempts_max = 9, .first_delay_ns = HOUR_NS}});
    lab_start(own, NULL);
    lab_register(own, "p", "plain", "in");
    lab_row row = lab_wait_end(own, "p");
    assert_memory_equal(row.output, "effect.deadline", 15);
    assert_true(lab_execution_of(one, 0).told_to_stop);
    assert_true(lab_execution_of(one, 0).deadline_mono_ns != 0);
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

/* Held back by a limit for longer than that, put away meanwhile: it comes back for its deadline alone. */
static void test_X13_a_call_that_is_held_back_ends_at_its_deadline(void **state)
{
    lab *own = lab_with(*state);
    pawl_guard *guard = pawl_guard_rate("bank", pawl_rate_make(1, 24 * HOUR_NS, 1));
    pawl_guards guards = {{guard}, 1};
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .guards = &guards, .deadline_ns = HOUR_NS});
    lab_worker *w = lab_start(own, NULL);
    lab_register(own, "first", "plain", "in");
    assert_string_equal(lab_wait_end(own, "first").output, "one(in)");
    lab_register(own, "p", "plain", "in");
    LAB_UNTIL(own, lab_look(own, "p").status == PAWL_WAITING && lab_stats(w).resident == 0);
    lab_row row = lab_look(own, "p");
    assert_true(row.wake_unix_ns > 0 && row.wake_unix_ns <= lab_store_unix_ns(own) + HOUR_NS);
    lab_advance(own, HOUR_NS + PAWL_NS_PER_SECOND);
    assert_memory_equal(lab_wait_end(own, "p").output, "effect.deadline", 15);
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

/* In the line for a place, and in front of a thread: nothing has begun, and that is known. */
static void test_X13_a_call_that_waits_for_a_place_or_a_thread_ends_at_its_deadline(void **state)
{
    (void)state;
    for (int places = 0; places < 2; places++) {
        lab *own = lab_with("memory");
        pawl_guard *guard = pawl_guard_places("bank", 1);
        pawl_guards guards = {{guard}, 1};
        lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .guards = places ? &guards : NULL, .held = true});
        lab_start(own, &(lab_settings){.effect_threads = 1});
        lab_register(own, "first", "plain", "in");
        lab_wait_running(one, 1);
        lab_register(own, "p", "brief", "in");
        assert_string_equal(lab_wait_end(own, "p").output, "effect.deadline retryable");
        assert_int_equal(lab_executions(one), 1);
        lab_let_go(one);
        assert_string_equal(lab_wait_end(own, "first").output, "one(in)");
        lab_register(own, "q", "hurried", "in"); /* its place was given back */
        assert_string_equal(lab_wait_end(own, "q").output, "one(in)");
        lab_destroy(own);
        pawl_guard_destroy(guard);
    }
}

/* A worker died while it ran, and the deadline passed before there was another. */
static lab *late_after_crash(const lab_effect *script, lab_effect **effect)
{
    lab *own = lab_with("memory");
    *effect = lab_add(own, script);
    LAB_SCRIPT(*effect, held = true);
    LAB_SCRIPT(*effect, deaf = true);
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", "hurried", "in");
    lab_wait_running(*effect, 1);
    lab_crash(first);
    lab_let_go(*effect);
    lab_advance(own, 4 * HOUR_NS);
    lab_start(own, NULL);
    return own;
}

static void test_X13_X06_what_a_dead_worker_may_have_done_is_of_unknown_outcome_after_the_deadline(void **state)
{
    (void)state;
    static const uint32_t rules[] = {PAWL_OUTCOME_IDEMPOTENT, PAWL_OUTCOME_BY_KEY, PAWL_OUTCOME_AT_MOST_ONCE};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        lab_effect *one;
        lab *own = late_after_crash(&(lab_effect){.name = "one", .outcome = rules[i]}, &one);
        assert_string_equal(lab_wait_end(own, "p").output, "effect.deadline unknown");
        assert_int_equal(lab_executions(one), 1);
        lab_destroy(own);
    }
}

static void test_X13_X06_after_the_deadline_it_is_asked_once_whether_it_happened(void **state)
{
    (void)state;
    static const struct {
        uint32_t answer;
        const char *output;
    } cases[] = {{LAB_HAPPENED, "reconciled(in)"},
                 {LAB_DID_NOT_HAPPEN, "effect.deadline retryable"},
                 {LAB_CANNOT_TELL, "effect.deadline unknown"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lab_effect *one;
        lab *own = late_after_crash(
            &(lab_effect){.name = "one", .outcome = PAWL_OUTCOME_RECONCILE, .reconcile = cases[i].answer}, &one);
        assert_string_equal(lab_wait_end(own, "p").output, cases[i].output);
        assert_int_equal(lab_executions(one), 1);
        lab_destroy(own);
    }
}

int main(void)
{
    static char memory[] = "memory", rocksdb[] = "rocksdb";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_X13_no_attempt_is_made_that_would_begin_after_the_deadline_of_its_call, memory),
        cmocka_unit_test_prestate(test_X13_no_attempt_is_made_that_would_begin_after_the_deadline_of_its_call, rocksdb),
        cmocka_unit_test(test_X13_the_deadline_of_a_call_is_the_same_after_a_crash),
        cmocka_unit_test_prestate(test_X13_an_attempt_that_runs_at_the_deadline_of_its_call_is_told_to_stop, memory),
        cmocka_unit_test_prestate(test_X13_a_call_that_is_held_back_ends_at_its_deadline, memory),
        cmocka_unit_test_prestate(test_X13_a_call_that_is_held_back_ends_at_its_deadline, rocksdb),
        cmocka_unit_test(test_X13_a_call_that_waits_for_a_place_or_a_thread_ends_at_its_deadline),
        cmocka_unit_test(test_X13_X06_what_a_dead_worker_may_have_done_is_of_unknown_outcome_after_the_deadline),
        cmocka_unit_test(test_X13_X06_after_the_deadline_it_is_asked_once_whether_it_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
