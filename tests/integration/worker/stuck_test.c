/* stuck_test.c: only the offender stalls: what cannot go on is parked with a reason that says what to do, can be
 * resumed once that is done, and can always be ended. */
#include "lab.h"

#include "abi/pawl_process.h"

#include <stdio.h>

static pawl_status one_call(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), &value));
    return pawl_complete(p, value);
}

static pawl_status two_calls(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), &value));
    PAWL_TRY(pawl_call(p, "two", value, &value));
    return pawl_complete(p, value);
}

static pawl_status call_then_signal(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), NULL));
    PAWL_TRY(pawl_signal(p, "go", &value));
    PAWL_TRY(pawl_call(p, "two", value, &value));
    return pawl_complete(p, value);
}

static pawl_status hundred_calls(pawl_process *p)
{
    for (int i = 0; i < 100; i++)
        PAWL_TRY(pawl_call(p, "one", pawl_input(p), NULL));
    return pawl_complete(p, pawl_text("done"));
}

static pawl_status at_once(pawl_process *p)
{
    return pawl_complete(p, pawl_text("done"));
}

static pawl_status nonsense(pawl_process *p)
{
    (void)p;
    return PAWL_SUSPEND; /* and waits for nothing */
}

PAWL_PROCESSES(PAWL_TYPE("one_call", 1, one_call), PAWL_TYPE("two_calls", 1, two_calls),
               PAWL_TYPE("hundred_calls", 1, hundred_calls), PAWL_TYPE("at_once", 1, at_once),
               PAWL_TYPE("nonsense", 1, nonsense), PAWL_TYPE("call_then_signal", 1, call_then_signal),
               PAWL_TYPE("one_call", 2, two_calls))

/* The same type and revision, and another program: what must not happen. */
static pawl_status PAWL_CALL activate_changed(pawl_process *p, pawl_bytes type, uint32_t revision)
{
    (void)type;
    (void)revision;
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "two", pawl_input(p), &value));
    return pawl_complete(p, value);
}
static const pawl_process_table changed = {sizeof(pawl_process_table), 0, activate_changed};

static void add_types(lab *own)
{
    static const char *const types[] = {"one_call", "two_calls", "hundred_calls",
                                        "at_once",  "nonsense",  "call_then_signal"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        lab_add_type(own, types[i], 1, &pawl_processes);
}

static lab *lab_with(const char *config)
{
    lab *own = lab_create_with("memory", config);
    add_types(own);
    return own;
}

static lab_row assert_stuck(lab *own, const char *id, const char *code, const char *word)
{
    lab_row row = lab_wait_status(own, id, PAWL_STUCK);
    assert_string_equal(row.reason_code, code);
    if (strstr(row.reason, word) == NULL)
        fail_msg("the reason does not say %s: %s", word, row.reason);
    return row;
}

static void assert_others_go_on(lab *own)
{
    lab_register(own, "other", "at_once", "");
    assert_int_equal(lab_wait_end(own, "other").status, PAWL_COMPLETED);
}

static void test_V07_X02_a_changed_program_is_parked_as_nondeterminism_and_resumed_when_restored(void **state)
{
    (void)state;
    lab *own = lab_with("{}");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_effect *two = lab_add(own, &(lab_effect){.name = "two", .held = true});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "two_calls", "in");
    lab_wait_running(two, 1);
    lab_crash(worker);
    lab_wait_executions(two, 1);
    lab_end(worker);
    LAB_SCRIPT(two, held = false);
    lab_forget_types(own);
    lab_add_type(own, "two_calls", 1, &changed);
    lab_add_type(own, "at_once", 1, &pawl_processes);
    worker = lab_start(own, NULL);
    lab_row row = assert_stuck(own, "p", "nondeterminism", "one"); /* expected one, found two */
    assert_non_null(strstr(row.reason, "two"));
    assert_int_equal(lab_executions(two), 1);
    assert_others_go_on(own);
    lab_end(worker);
    lab_forget_types(own);
    add_types(own);
    worker = lab_start(own, NULL);
    assert_int_equal(lab_look(own, "p").status, PAWL_STUCK);
    assert_int_equal(lab_resume(own, "p"), PAWL_OK);
    assert_string_equal(lab_wait_end(own, "p").output, "two(one(in))");
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

static void test_V07_an_unknown_effect_parks_until_a_host_has_it(void **state)
{
    (void)state;
    lab *own = lab_with("{}");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "two_calls", "in");
    assert_stuck(own, "p", "unknown_effect", "two");
    assert_others_go_on(own);
    lab_end(worker);
    lab_add(own, &(lab_effect){.name = "two"});
    lab_start(own, NULL);
    lab_resume(own, "p");
    assert_string_equal(lab_wait_end(own, "p").output, "two(one(in))");
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

static void test_V07_an_unknown_type_is_left_to_a_worker_that_knows_it(void **state)
{
    (void)state;
    lab *own = lab_create("memory");
    lab_add_type(own, "at_once", 1, &pawl_processes);
    lab_add(own, &(lab_effect){.name = "one"});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    assert_others_go_on(own);
    assert_int_equal(lab_look(own, "p").status, PAWL_READY);
    assert_int_equal(lab_stats(worker).claimed, 1);
    lab_add_type(own, "one_call", 1, &pawl_processes);
    lab_start(own, NULL);
    assert_string_equal(lab_wait_end(own, "p").output, "one(in)");
    lab_destroy(own);
}

static void test_V07_an_unknown_revision_parks_until_a_host_has_it(void **state)
{
    (void)state;
    lab *own = lab_with("{}");
    lab_add(own, &(lab_effect){.name = "one"});
    lab_add(own, &(lab_effect){.name = "two"});
    lab_worker *worker = lab_start(own, NULL);
    lab_register_revision(own, "p", "one_call", 2, "in");
    assert_stuck(own, "p", "missing_plugin", "revision 2");
    lab_end(worker);
    lab_add_type(own, "one_call", 2, &pawl_processes);
    lab_start(own, NULL);
    lab_resume(own, "p");
    assert_string_equal(lab_wait_end(own, "p").output, "two(one(in))");
    lab_register_revision(own, "q", "one_call", 1, "in"); /* the older one is still run as it was */
    assert_string_equal(lab_wait_end(own, "q").output, "one(in)");
    lab_destroy(own);
}

static void test_V07_a_program_that_breaks_the_contract_is_parked(void **state)
{
    (void)state;
    lab *own = lab_with("{}");
    lab_start(own, NULL);
    lab_register(own, "p", "nonsense", "");
    assert_stuck(own, "p", "contract", "waits for nothing");
    assert_others_go_on(own);
    assert_int_equal(lab_terminate(own, "p"), PAWL_OK);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_TERMINATED);
    lab_destroy(own);
}

static void test_X13_exhausted_retries_can_pause_and_each_resume_is_one_more_attempt(void **state)
{
    (void)state;
    lab *own = lab_with("{}");
    lab_effect script = {.name = "one", .fail_times = 6};
    script.retry.pause_when_exhausted = true;
    lab_effect *one = lab_add(own, &script);
    lab_start(own, NULL);
    lab_register(own, "p", "one_call", "in");
    assert_stuck(own, "p", "retries_exhausted", "one failed 5 times");
    assert_others_go_on(own);
    lab_resume(own, "p");
    LAB_UNTIL(own, lab_executions(one) == 6);
    assert_stuck(own, "p", "retries_exhausted", "one failed 6 times");
    lab_resume(own, "p");
    assert_string_equal(lab_wait_end(own, "p").output, "one(in)");
    assert_int_equal(lab_execution_of(one, 6).attempt, 7);
    lab_destroy(own);
}

static void test_V05_crashes_do_not_use_up_attempts(void **state)
{
    (void)state;
    lab *own = lab_with("{}");
    lab_effect script = {.name = "one", .held = true};
    script.retry = (pawl_retry_policy){.attempts_max = 2, .factor = 1, .elapsed_max_ns = 0};
    lab_effect *one = lab_add(own, &script);
    lab_register(own, "p", "one_call", "in");
    for (uint32_t i = 1; i <= 4; i++) {
        lab_worker *worker = lab_start(own, NULL);
        lab_wait_executions(one, i);
        lab_crash(worker);
        lab_end(worker);
        LAB_SCRIPT(one, held = true);
    }
    LAB_SCRIPT(one, held = false);
    LAB_SCRIPT(one, fail_times = 2);
    lab_start(own, NULL);
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_FAILED); /* the budget of two was used up by failures alone */
    assert_string_equal(row.code, "lab.failed");
    assert_int_equal(lab_executions(one), 6);
    assert_int_equal(lab_execution_of(one, 4).attempt, 1);
    lab_destroy(own);
}

/* ---- limits ---- */

static void test_V07_too_large_a_value_parks_its_process_and_can_be_resumed(void **state)
{
    (void)state;
    lab *own = lab_with("{\"value_bytes_max\": 2000}");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .output_size = 3000});
    lab_start(own, NULL); /* its own limit is larger than the store's */
    lab_register(own, "p", "one_call", "in");
    assert_stuck(own, "p", "limit", "2000");
    assert_others_go_on(own);
    LAB_SCRIPT(one, output_size = 0);
    lab_resume(own, "p");
    assert_string_equal(lab_wait_end(own, "p").output, "one(in)");
    lab_destroy(own);
}

static void test_V07_a_full_journal_parks_its_process_which_can_still_be_ended(void **state)
{
    (void)state;
    lab *own = lab_with("{\"journal_bytes_max\": 8192}");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .output_size = 500});
    lab_start(own, NULL);
    lab_register(own, "p", "hundred_calls", "in");
    assert_stuck(own, "p", "limit", "8192");
    uint32_t executions = lab_executions(one);
    assert_in_range(executions, 5, 20);
    assert_others_go_on(own);
    lab_resume(own, "p");
    LAB_UNTIL(own, lab_executions(one) == executions + 1); /* the one whose result found no room */
    assert_stuck(own, "p", "limit", "8192");
    assert_int_equal(lab_cancel(own, "p", "too long"), PAWL_OK);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_CANCELLED);
    lab_destroy(own);
}

static void test_V07_a_worker_has_a_limit_of_its_own_for_journals(void **state)
{
    (void)state;
    lab *own = lab_with("{}");
    lab_add(own, &(lab_effect){.name = "one", .output_size = 500});
    lab_worker *worker = lab_start(own, &(lab_settings){.journal_max_bytes = 8192});
    lab_register(own, "p", "hundred_calls", "in");
    assert_stuck(own, "p", "limit", "8192");
    lab_end(worker);
    lab_start(own, NULL); /* with a larger one */
    lab_resume(own, "p");
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    lab_destroy(own);
}

/* A record that is not there is never made up for by doing its work again: replay stops, and nothing begins. */
static void test_X15_a_journal_that_misses_a_record_executes_nothing(void **state)
{
    (void)state;
    lab *own = lab_with("{}");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_effect *two = lab_add(own, &(lab_effect){.name = "two"});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "call_then_signal", "in");
    lab_wait_status(own, "p", PAWL_WAITING);
    LAB_UNTIL(own, lab_stats(worker).resident == 0);
    unruly_omit_record(lab_store(worker), 2); /* the step of the first call */
    assert_int_equal(lab_signal(own, "p", "1", "go", "x"), PAWL_OK);
    assert_stuck(own, "p", "journal_corrupt", "record 3 was fed where record 2 comes next");
    assert_int_equal(lab_executions(one), 1);
    assert_int_equal(lab_executions(two), 0);
    assert_others_go_on(own);
    unruly_omit_record(lab_store(worker), 0);
    assert_int_equal(lab_resume(own, "p"), PAWL_OK);
    assert_string_equal(lab_wait_end(own, "p").output, "two(x)");
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_V07_X02_a_changed_program_is_parked_as_nondeterminism_and_resumed_when_restored),
        cmocka_unit_test(test_V07_an_unknown_effect_parks_until_a_host_has_it),
        cmocka_unit_test(test_V07_an_unknown_type_is_left_to_a_worker_that_knows_it),
        cmocka_unit_test(test_V07_an_unknown_revision_parks_until_a_host_has_it),
        cmocka_unit_test(test_V07_a_program_that_breaks_the_contract_is_parked),
        cmocka_unit_test(test_X13_exhausted_retries_can_pause_and_each_resume_is_one_more_attempt),
        cmocka_unit_test(test_V05_crashes_do_not_use_up_attempts),
        cmocka_unit_test(test_V07_too_large_a_value_parks_its_process_and_can_be_resumed),
        cmocka_unit_test(test_V07_a_full_journal_parks_its_process_which_can_still_be_ended),
        cmocka_unit_test(test_V07_a_worker_has_a_limit_of_its_own_for_journals),
        cmocka_unit_test(test_X15_a_journal_that_misses_a_record_executes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
