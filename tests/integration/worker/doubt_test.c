/* doubt_test.c: what happens to a call whose worker died around it, by the effect's outcome rule. The worker dies
 * before its intent is durable, after that, while the effect runs, and between its result and the record of it. */
#include "lab.h"

#include "abi/pawl_process.h"

static pawl_status one_call(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), &value));
    return pawl_complete(p, value);
}

/* Lives with doubt. */
static pawl_status careful(pawl_process *p)
{
    pawl_future call = pawl_start_call(p, "one", pawl_input(p));
    pawl_failure failure;
    PAWL_TRY(pawl_await(p, call));
    if (pawl_result_failure(p, call, &failure) == PAWL_OK && pawl_is(failure.code, "in_doubt"))
        return pawl_complete(p, pawl_text("asked a person"));
    return pawl_complete(p, pawl_text("certain"));
}

/* Stays in memory as long as the other call runs. */
static pawl_status pair(pawl_process *p)
{
    pawl_future one = pawl_start_call(p, "one", pawl_input(p)), other = pawl_start_call(p, "other", pawl_input(p));
    PAWL_TRY(pawl_await_all(p, 2, one, other));
    return pawl_complete(p, pawl_text("done"));
}

PAWL_PROCESSES(PAWL_TYPE("one_call", 1, one_call), PAWL_TYPE("careful", 1, careful), PAWL_TYPE("pair", 1, pair))

static lab *lab_with(const lab_effect *script, lab_effect **effect)
{
    lab *own = lab_create("memory");
    lab_add_type(own, "one_call", 1, &pawl_processes);
    lab_add_type(own, "careful", 1, &pawl_processes);
    *effect = lab_add(own, script);
    return own;
}

/* The first worker dies while the effect runs; the second one finishes. */
static lab *crash_during(const lab_effect *script, const char *type, lab_effect **effect)
{
    lab *own = lab_with(script, effect);
    LAB_SCRIPT(*effect, held = true);
    LAB_SCRIPT(*effect, deaf = true);
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", type, "in");
    lab_wait_running(*effect, 1);
    lab_crash(first);
    lab_let_go(*effect); /* whatever its dead worker's effect still answers, nobody hears it */
    lab_start(own, NULL);
    return own;
}

static void test_X06_idempotent_runs_again_with_the_same_key(void **state)
{
    (void)state;
    static const uint32_t rules[] = {PAWL_OUTCOME_IDEMPOTENT, PAWL_OUTCOME_BY_KEY};
    for (size_t i = 0; i < 2; i++) {
        lab_effect *one;
        lab *own = crash_during(&(lab_effect){.name = "one", .outcome = rules[i]}, "one_call", &one);
        assert_string_equal(lab_wait_end(own, "p").output, "one(in)");
        assert_int_equal(lab_executions(one), 2);
        assert_string_equal(lab_execution_of(one, 0).key, lab_execution_of(one, 1).key);
        assert_int_equal(lab_execution_of(one, 1).attempt, 1); /* the crash was no fault of the effect */
        assert_string_equal(lab_journal(own, "p"), "started step(1 one #1 = one(in)) ended(16 = one(in))");
        lab_destroy(own);
    }
}

static void test_X06_at_most_once_is_in_doubt_and_not_repeated(void **state)
{
    (void)state;
    lab_effect *one;
    lab *own = crash_during(&(lab_effect){.name = "one", .outcome = PAWL_OUTCOME_AT_MOST_ONCE}, "one_call", &one);
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_FAILED);
    assert_string_equal(row.code, "in_doubt");
    assert_non_null(strstr(row.message, "attempt 1 of one"));
    assert_int_equal(lab_executions(one), 1);
    assert_string_equal(lab_journal(own, "p"),
                        "started intent(1 one #1) step(1 one #1 ! in_doubt) ended(17 ! in_doubt)");
    lab_destroy(own);
}

static void test_X06_a_program_can_handle_doubt(void **state)
{
    (void)state;
    lab_effect *one;
    lab *own = crash_during(&(lab_effect){.name = "one", .outcome = PAWL_OUTCOME_AT_MOST_ONCE}, "careful", &one);
    assert_string_equal(lab_wait_end(own, "p").output, "asked a person");
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

static void test_X06_reconcile_that_says_it_happened_gives_the_result(void **state)
{
    (void)state;
    lab_effect *one;
    lab_effect script = {.name = "one", .outcome = PAWL_OUTCOME_RECONCILE, .reconcile = LAB_HAPPENED};
    lab *own = crash_during(&script, "one_call", &one);
    assert_string_equal(lab_wait_end(own, "p").output, "reconciled(in)");
    assert_int_equal(lab_executions(one), 1);
    lab_execution asked = lab_execution_of(one, 1);
    assert_true(asked.reconcile);
    assert_int_equal(asked.attempt, 1);
    assert_string_equal(asked.key, "p/1/1");
    lab_destroy(own);
}

static void test_X06_reconcile_that_says_it_did_not_happen_lets_it_run(void **state)
{
    (void)state;
    lab_effect *one;
    lab *own = crash_during(&(lab_effect){.name = "one", .outcome = PAWL_OUTCOME_RECONCILE}, "one_call", &one);
    assert_string_equal(lab_wait_end(own, "p").output, "one(in)");
    assert_int_equal(lab_executions(one), 2);
    assert_string_equal(lab_execution_of(one, 2).key, "p/1/1");
    assert_string_equal(lab_journal(own, "p"),
                        "started intent(1 one #1) attempt(1 one #1 ! reconcile.did_not_happen) intent(1 one #2) "
                        "step(1 one #2 = one(in)) ended(16 = one(in))");
    lab_destroy(own);
}

static void test_X06_reconcile_that_cannot_tell_is_asked_again_and_then_in_doubt(void **state)
{
    (void)state;
    lab_effect *one;
    lab_effect script = {.name = "one", .outcome = PAWL_OUTCOME_RECONCILE, .reconcile = LAB_CANNOT_TELL};
    lab *own = crash_during(&script, "one_call", &one);
    assert_string_equal(lab_wait_end(own, "p").code, "in_doubt");
    assert_int_equal(lab_executions(one), 1);
    assert_int_equal(one->reconciles, 5);
    lab_destroy(own);
}

static void test_X06_reconcile_rule_without_the_function_is_in_doubt(void **state)
{
    (void)state;
    lab_effect *one;
    lab_effect script = {.name = "one", .outcome = PAWL_OUTCOME_RECONCILE, .no_reconcile = true};
    lab *own = crash_during(&script, "one_call", &one);
    assert_string_equal(lab_wait_end(own, "p").code, "in_doubt");
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

/* ---- an unknown outcome without a crash ---- */

static void test_X06_an_unknown_outcome_is_judged_by_the_rule(void **state)
{
    (void)state;
    static const struct {
        uint32_t outcome, reconcile, executions, reconciles;
        const char *output, *code;
    } cases[] = {
        {PAWL_OUTCOME_IDEMPOTENT, 0, 2, 0, "one(in)", ""},
        {PAWL_OUTCOME_BY_KEY, 0, 2, 0, "one(in)", ""},
        {PAWL_OUTCOME_AT_MOST_ONCE, 0, 1, 0, "", "lab.failed"},
        {PAWL_OUTCOME_RECONCILE, LAB_HAPPENED, 1, 1, "reconciled(in)", ""},
        {PAWL_OUTCOME_RECONCILE, LAB_DID_NOT_HAPPEN, 2, 1, "one(in)", ""},
        {PAWL_OUTCOME_RECONCILE, LAB_CANNOT_TELL, 1, 5, "", "in_doubt"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lab_effect *one;
        lab *own = lab_with(&(lab_effect){.name = "one",
                                          .outcome = cases[i].outcome,
                                          .reconcile = cases[i].reconcile,
                                          .fail_times = 1,
                                          .klass = PAWL_UNKNOWN_OUTCOME},
                            &one);
        lab_start(own, NULL);
        lab_register(own, "p", "one_call", "in");
        lab_row row = lab_wait_end(own, "p");
        assert_string_equal(row.output, cases[i].output);
        assert_string_equal(row.code, cases[i].code);
        assert_int_equal(lab_executions(one), cases[i].executions);
        assert_int_equal(one->reconciles, cases[i].reconciles);
        lab_destroy(own);
    }
}

static void test_X13_attempts_that_did_not_happen_count_too(void **state)
{
    (void)state;
    lab_effect *one;
    lab *own = lab_with(&(lab_effect){.name = "one",
                                      .outcome = PAWL_OUTCOME_RECONCILE,
                                      .reconcile = LAB_DID_NOT_HAPPEN,
                                      .fail_times = 1000,
                                      .klass = PAWL_UNKNOWN_OUTCOME},
                        &one);
    lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_FAILED);
    assert_int_equal(lab_executions(one), 5);
    lab_destroy(own);
}

/* ---- other moments ---- */

static void test_X14_a_result_that_was_not_recorded_is_in_doubt_and_no_success(void **state)
{
    (void)state;
    lab_effect *one;
    lab *own = lab_with(&(lab_effect){.name = "one", .outcome = PAWL_OUTCOME_AT_MOST_ONCE}, &one);
    lab_worker *first = lab_start(own, NULL);
    unruly_add(lab_store(first), &(unruly_rule){.action = UNRULY_HOLD, .record_kind = PAWL_RECORD_STEP});
    lab_register(own, "p", "one_call", "in");
    assert_true(unruly_wait_held(lab_store(first), 1));
    lab_crash(first);
    lab_start(own, NULL);
    assert_string_equal(lab_wait_end(own, "p").code, "in_doubt");
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

static void test_X14_nothing_runs_before_its_intent_is_durable(void **state)
{
    (void)state;
    lab_effect *one;
    lab *own = lab_with(&(lab_effect){.name = "one", .outcome = PAWL_OUTCOME_AT_MOST_ONCE}, &one);
    lab_worker *first = lab_start(own, NULL);
    unruly_add(lab_store(first), &(unruly_rule){.action = UNRULY_HOLD, .record_kind = PAWL_RECORD_INTENT});
    lab_register(own, "p", "one_call", "in");
    assert_true(unruly_wait_held(lab_store(first), 1));
    assert_int_equal(lab_executions(one), 0);
    lab_crash(first);
    lab_start(own, NULL);
    assert_string_equal(lab_wait_end(own, "p").output, "one(in)");
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

static void test_X14_an_intent_without_its_effect_is_in_doubt_or_asked_about(void **state)
{
    (void)state;
    static const uint32_t rules[] = {PAWL_OUTCOME_AT_MOST_ONCE, PAWL_OUTCOME_RECONCILE};
    for (size_t i = 0; i < 2; i++) {
        lab_effect *one;
        lab *own = lab_with(&(lab_effect){.name = "one", .outcome = rules[i]}, &one);
        lab_worker *first = lab_start(own, NULL);
        unruly_add(lab_store(first), &(unruly_rule){.action = UNRULY_FORGET, .record_kind = PAWL_RECORD_INTENT});
        lab_register(own, "p", "one_call", "in");
        assert_true(unruly_wait_held(lab_store(first), 1)); /* stored, and the worker was not told */
        lab_crash(first);
        lab_start(own, NULL);
        lab_row row = lab_wait_end(own, "p");
        assert_string_equal(i == 0 ? row.code : row.output, i == 0 ? "in_doubt" : "one(in)");
        assert_int_equal(lab_executions(one), i);
        lab_destroy(own);
    }
}

static void test_V09_an_end_that_was_not_recorded_repeats_no_effect(void **state)
{
    (void)state;
    lab_effect *one;
    lab *own = lab_with(&(lab_effect){.name = "one", .outcome = PAWL_OUTCOME_AT_MOST_ONCE}, &one);
    lab_worker *first = lab_start(own, NULL);
    unruly_add(lab_store(first), &(unruly_rule){.action = UNRULY_HOLD, .op_kind = PAWL_OP_COMPLETE});
    lab_register(own, "p", "one_call", "in");
    assert_true(unruly_wait_held(lab_store(first), 1));
    lab_crash(first);
    lab_start(own, NULL);
    assert_string_equal(lab_wait_end(own, "p").output, "one(in)");
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

/* A worker that stops says what it knows: an effect that was never begun is not in doubt. */
static void test_X06_what_a_stopping_worker_never_began_is_not_in_doubt(void **state)
{
    (void)state;
    lab_effect *one;
    lab *own =
        lab_with(&(lab_effect){.name = "one", .outcome = PAWL_OUTCOME_AT_MOST_ONCE, .limit = 1, .held = true}, &one);
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", "one_call", "p");
    lab_wait_running(one, 1);
    lab_register(own, "q", "one_call", "q");
    LAB_UNTIL(own, lab_stats(first).effects_queued == 1);
    lab_stop(first, 2, LAB_PATIENCE_NS);
    LAB_SCRIPT(one, held = false);
    lab_start(own, NULL);
    assert_string_equal(lab_wait_end(own, "q").output, "one(q)");
    assert_string_equal(lab_wait_end(own, "p").output, "one(p)"); /* it answered that it did not happen */
    lab_destroy(own);
}

/* An attempt may become due between any two looks at the clock. */
static void test_I1_no_attempt_begins_without_its_intent_whenever_it_becomes_due(void **state)
{
    (void)state;
    for (uint64_t looks = 1; looks <= 40; looks++) {
        lab_effect *one;
        lab_effect script = {.name = "one", .outcome = PAWL_OUTCOME_AT_MOST_ONCE, .fail_times = 1};
        script.retry = (pawl_retry_policy){
            .attempts_max = 5, .first_delay_ns = looks * PAWL_NS_PER_MS, .delay_max_ns = PAWL_NS_PER_SECOND};
        lab *own = lab_with(&script, &one);
        lab_effect *other = lab_add(own, &(lab_effect){.name = "other", .held = true});
        lab_add_type(own, "pair", 1, &pawl_processes);
        lab_step(lab_start(own, NULL), PAWL_NS_PER_MS);
        lab_register(own, "p", "pair", "in");
        lab_wait_executions(one, 2);
        lab_let_go(other);
        assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
        assert_int_equal(lab_executions(one), 2);
        assert_int_equal(lab_records(own, "p", PAWL_RECORD_INTENT), 2);
        lab_destroy(own);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_X06_idempotent_runs_again_with_the_same_key),
        cmocka_unit_test(test_X06_at_most_once_is_in_doubt_and_not_repeated),
        cmocka_unit_test(test_X06_a_program_can_handle_doubt),
        cmocka_unit_test(test_X06_reconcile_that_says_it_happened_gives_the_result),
        cmocka_unit_test(test_X06_reconcile_that_says_it_did_not_happen_lets_it_run),
        cmocka_unit_test(test_X06_reconcile_that_cannot_tell_is_asked_again_and_then_in_doubt),
        cmocka_unit_test(test_X06_reconcile_rule_without_the_function_is_in_doubt),
        cmocka_unit_test(test_X06_an_unknown_outcome_is_judged_by_the_rule),
        cmocka_unit_test(test_X13_attempts_that_did_not_happen_count_too),
        cmocka_unit_test(test_X14_a_result_that_was_not_recorded_is_in_doubt_and_no_success),
        cmocka_unit_test(test_X14_nothing_runs_before_its_intent_is_durable),
        cmocka_unit_test(test_X14_an_intent_without_its_effect_is_in_doubt_or_asked_about),
        cmocka_unit_test(test_V09_an_end_that_was_not_recorded_repeats_no_effect),
        cmocka_unit_test(test_X06_what_a_stopping_worker_never_began_is_not_in_doubt),
        cmocka_unit_test(test_I1_no_attempt_begins_without_its_intent_whenever_it_becomes_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
