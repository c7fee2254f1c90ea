/* refusal_test.c: what a program may not do, and what becomes of the process: a failure when the program was told and
 * gave up, stuck when the program broke the contract and an operator must look. */
#include "pawl_process.h"
#include "sim.h"

#include <stdlib.h>
#include <string.h>

/* ---- the contract: how activate may end ---- */

static pawl_status suspends_for_nothing(pawl_process *p)
{
    (void)p;
    return PAWL_SUSPEND;
}

static pawl_status ends_silently(pawl_process *p)
{
    (void)p;
    return PAWL_OK;
}

static pawl_status completes_and_suspends(pawl_process *p)
{
    PAWL_TRY(pawl_complete(p, pawl_text("x")));
    return PAWL_SUSPEND;
}

static pawl_status completes_and_fails(pawl_process *p)
{
    PAWL_TRY(pawl_complete(p, pawl_text("x")));
    return PAWL_E_IO;
}

static pawl_status fails_and_succeeds(pawl_process *p)
{
    pawl_fail(p, "a", "b");
    return PAWL_OK;
}

static pawl_status returns_nonsense(pawl_process *p)
{
    (void)p;
    return (pawl_status)77;
}

static pawl_status forgets_to_suspend(pawl_process *p)
{
    pawl_status status = pawl_call(p, "one", pawl_text(""), NULL);
    (void)status;
    return PAWL_OK;
}

/* Goes on after a suspend as if nothing were; every host call says suspend, so it ends well all the same. */
static pawl_status ignores_statuses(pawl_process *p)
{
    pawl_bytes value = {"none", 4};
    uint64_t now = 1;
    if (pawl_call(p, "one", pawl_text(""), &value) == PAWL_SUSPEND) {
        if (pawl_start_call(p, "two", value) != 0 || pawl_start_timer(p, 1) != 0 || pawl_wait_signal(p, "x") != 0)
            return pawl_fail(p, "started", "something was started after a suspend");
        now = pawl_now(p);
        pawl_log(p, PAWL_LOG_INFO, "not to be seen");
        if (now != 0 || pawl_set_status(p, value) != PAWL_SUSPEND || pawl_result(p, 2, NULL) != PAWL_SUSPEND ||
            pawl_fail(p, "x", "y") != PAWL_SUSPEND || pawl_sleep(p, 1) != PAWL_SUSPEND)
            return PAWL_E_IO;
    }
    return pawl_complete(p, value);
}

static pawl_status completes_twice(pawl_process *p)
{
    PAWL_TRY(pawl_complete(p, pawl_text("x")));
    if (pawl_start_call(p, "one", pawl_text("")) != 0 || pawl_sleep(p, 1) != PAWL_E_INVALID)
        return PAWL_E_IO;
    return pawl_complete(p, pawl_text("y"));
}

static pawl_status fails_its_own_way(pawl_process *p)
{
    pawl_failf(p, "own.code", "%d times", 3);
    return PAWL_E_DEADLINE;
}

static pawl_status fails_without_words(pawl_process *p)
{
    (void)p;
    return PAWL_E_DEADLINE;
}

static pawl_status is_not_here(pawl_process *p)
{
    (void)p;
    return PAWL_E_UNSUPPORTED;
}

/* ---- limits and misuse ---- */

static pawl_status large_input(pawl_process *p)
{
    size_t size = 65537;
    void *data = pawl_alloc(p, size);
    return pawl_call(p, "big.one", pawl_bytes_of(data, size), NULL);
}

static pawl_status large_output(pawl_process *p)
{
    return pawl_complete(p, pawl_bytes_of(pawl_alloc(p, 65537), 65537));
}

static pawl_status large_document(pawl_process *p)
{
    return pawl_set_status(p, pawl_bytes_of(pawl_alloc(p, 65537), 65537));
}

static pawl_status bad_names(pawl_process *p)
{
    char name[260];
    memset(name, 'n', sizeof name);
    name[257] = '\0';
    if (pawl_start_call(p, "", pawl_text("")) != 0 || pawl_start_call(p, "a b", pawl_text("")) != 0 ||
        pawl_start_call(p, name, pawl_text("")) != 0 || pawl_wait_signal(p, "a\nb") != 0)
        return pawl_fail(p, "accepted", "a bad name was accepted");
    name[256] = '\0';
    return pawl_call(p, pawl_start_call(p, name, pawl_text("")) != 0 ? "not ok" : "ok", pawl_text(""), NULL);
}

static pawl_status too_many(pawl_process *p)
{
    pawl_future last = 0;
    for (int i = 0; i < 100; i++)
        last = i % 2 ? pawl_start_timer(p, 1) : pawl_start_call(p, "one", pawl_text(""));
    if (last == 0)
        return PAWL_E_IO;
    return pawl_await(p, pawl_start_call(p, "one.more", pawl_text("")));
}

/* The limit is of what is open at once: this one may go on for ever. Input: how many. */
static pawl_status one_by_one(pawl_process *p)
{
    int count = atoi(pawl_cstring(p, pawl_input(p)));
    for (int i = 0; i < count; i++)
        PAWL_TRY(pawl_call(p, "one", pawl_text(""), NULL));
    return pawl_complete(p, pawl_text("all"));
}

static pawl_status awaits_nonsense(pawl_process *p)
{
    pawl_future nonsense = (pawl_future)9999;
    if (pawl_await_any_of(p, NULL, NULL, 0) != PAWL_E_INVALID || pawl_await_all_of(p, NULL, 0) != PAWL_OK ||
        pawl_await_any(p, NULL, 2, nonsense) != PAWL_E_INVALID || pawl_await(p, nonsense | 1) != PAWL_E_INVALID ||
        p->host->await(p, 7, &nonsense, 1, NULL) != PAWL_E_INVALID || pawl_await(p, 0) != PAWL_E_INVALID ||
        pawl_await(p, 1) != PAWL_E_INVALID)
        return PAWL_E_IO;
    return pawl_result(p, nonsense, NULL);
}

/* The second call may have ended too, but no await has said so. */
static pawl_status peeks(pawl_process *p)
{
    int first;
    pawl_future one = pawl_start_call(p, "one", pawl_text("")), two = pawl_start_call(p, "two", pawl_text(""));
    PAWL_TRY(pawl_await_any(p, &first, 2, one, two));
    PAWL_TRY(pawl_result(p, first == 0 ? one : two, NULL));
    return pawl_result(p, first == 0 ? two : one, NULL);
}

static pawl_status asks_for_ever(pawl_process *p)
{
    for (;;)
        if (pawl_await_all_of(p, NULL, 0) != PAWL_OK)
            return pawl_complete(p, pawl_text("ended"));
}

static pawl_status eats_memory(pawl_process *p)
{
    while (pawl_alloc(p, (size_t)100 * 1024 * 1024) != NULL)
        ;
    return PAWL_E_NOMEM;
}

static pawl_status long_failure(pawl_process *p)
{
    pawl_failure failure = pawl_failure_of(PAWL_TERMINAL, NULL, NULL, 0);
    char *text = (char *)pawl_alloc(p, 8200);
    for (int i = 0; i < 8200; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    failure.code = pawl_bytes_of(text, 8200);
    failure.message = pawl_bytes_of(text + 1, 8199);
    return pawl_fail_as(p, &failure);
}

PAWL_PROCESSES(PAWL_TYPE("suspends_for_nothing", 1, suspends_for_nothing), PAWL_TYPE("ends_silently", 1, ends_silently),
               PAWL_TYPE("completes_and_suspends", 1, completes_and_suspends),
               PAWL_TYPE("completes_and_fails", 1, completes_and_fails),
               PAWL_TYPE("fails_and_succeeds", 1, fails_and_succeeds),
               PAWL_TYPE("returns_nonsense", 1, returns_nonsense),
               PAWL_TYPE("forgets_to_suspend", 1, forgets_to_suspend),
               PAWL_TYPE("ignores_statuses", 1, ignores_statuses), PAWL_TYPE("completes_twice", 1, completes_twice),
               PAWL_TYPE("fails_its_own_way", 1, fails_its_own_way),
               PAWL_TYPE("fails_without_words", 1, fails_without_words), PAWL_TYPE("is_not_here", 1, is_not_here),
               PAWL_TYPE("large_input", 1, large_input), PAWL_TYPE("large_output", 1, large_output),
               PAWL_TYPE("large_document", 1, large_document), PAWL_TYPE("bad_names", 1, bad_names),
               PAWL_TYPE("too_many", 1, too_many), PAWL_TYPE("one_by_one", 1, one_by_one),
               PAWL_TYPE("awaits_nonsense", 1, awaits_nonsense), PAWL_TYPE("peeks", 1, peeks),
               PAWL_TYPE("asks_for_ever", 1, asks_for_ever), PAWL_TYPE("eats_memory", 1, eats_memory),
               PAWL_TYPE("long_failure", 1, long_failure))

/* Run a program once and compare how it ends. */
static void expect_end(const char *type, const char *expected)
{
    struct sim sim;
    sim_open(&sim, &pawl_processes, type);
    sim_start(&sim, "");
    free(sim.trace);
    sim.trace = NULL;
    sim.trace_size = 0;
    sim_run(&sim);
    sim_expect(&sim, expected);
    sim_close(&sim);
}

static void test_ends_that_break_the_contract_make_the_process_stuck(void **state)
{
    (void)state;
    expect_end("suspends_for_nothing",
               "> stuck contract: the program suspended but waits for nothing (it returned suspend, 1)\n");
    expect_end("ends_silently", "> stuck contract: the program ended without calling complete (it returned ok, 0)\n");
    expect_end("completes_and_suspends",
               "> stuck contract: the program called complete or fail and then suspended (it returned suspend, 1)\n");
    expect_end("completes_and_fails",
               "> stuck contract: the program called complete and then returned a failure (it returned io, -15)\n");
    expect_end("fails_and_succeeds",
               "> stuck contract: the program called fail and then returned success (it returned ok, 0)\n");
    expect_end("returns_nonsense",
               "> stuck contract: the program returned a status that means nothing here (it returned unknown, 77)\n");
    expect_end("forgets_to_suspend",
               "  call 1 one = \n> stuck contract: an await gave PAWL_SUSPEND and the program did "
               "not return it (it returned ok, 0)\n");
    expect_end("completes_twice", "> stuck contract: the program called complete and then returned a failure (it "
                                  "returned invalid, -3)\n");
}

static void test_ends_that_are_failures(void **state)
{
    (void)state;
    expect_end("fails_its_own_way", "> failed own.code: 3 times\n");
    expect_end("fails_without_words", "> failed deadline: the program returned this status and gave no details\n");
}

static void test_a_missing_revision_parks_the_process(void **state)
{
    (void)state;
    expect_end("is_not_here", "> stuck unsupported: the plugin has no program for type is_not_here, revision 1\n");
    expect_end("unknown", "> stuck unsupported: the plugin has no program for type unknown, revision 1\n");
}

static void test_nothing_happens_after_a_suspend(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "ignores_statuses");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 1, "value");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 one = \n"
                     "> waits: call one\n"
                     "< 2 step 1 one = value\n"
                     "> completed value\n");
    sim_close(&sim);
}

static void test_values_that_are_too_large_fail_the_process(void **state)
{
    (void)state;
    expect_end("large_input", "> failed process.input_too_large: the input of call big.one is 65537 bytes, at most "
                              "65536 are allowed: put large content into an attachment\n");
    expect_end("large_output", "> failed process.output_too_large: the output is larger than a value may be: put large "
                               "content into an attachment\n");
    expect_end("large_document",
               "> failed process.document_too_large: the status document is larger than a value may be\n");
}

/* A step that was recorded under a larger limit is not judged again. */
static void test_a_recorded_call_is_not_judged_by_a_new_limit(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "large_input");
    sim_start(&sim, "");
    char *zeros = pawl_arena_alloc(&sim.arena, 65537);
    pawl_entry step = {.kind = PAWL_RECORD_STEP, .ordinal = 1, .attempt = 1, .name = sim_text("big.one")};
    sim_digest((pawl_bytes){zeros, 65537}, step.digest);
    sim_entry(&sim, &step);
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_STUCK); /* it returns OK without complete: it got that far */
    assert_memory_equal(sim.result.reason_code.data, "contract", 8);
    sim_close(&sim);
}

static void test_bad_names_are_refused(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "bad_names");
    sim_start(&sim, "");
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_ENDED);
    assert_memory_equal(sim.result.failure.code.data, "process.bad_name", 16);
    assert_non_null(sim_call(&sim, 1)); /* the one of 256 bytes */
    assert_null(sim_call(&sim, 2));
    sim_close(&sim);
}

static void test_open_commands_are_limited(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "too_many");
    sim_start(&sim, "");
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_ENDED);
    assert_memory_equal(sim.result.failure.code.data, "process.too_many_open", 21);
    /* Whether some of them have ended by now must not matter: the program has not seen it. */
    sim_step(&sim, 1, "");
    sim_step(&sim, 3, "");
    sim_run(&sim);
    assert_memory_equal(sim.result.failure.code.data, "process.too_many_open", 21);
    sim_close(&sim);
}

static void test_ended_commands_do_not_count_as_open(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "one_by_one");
    sim_start(&sim, "250");
    for (uint64_t i = 1; i <= 250; i++) {
        sim_run(&sim);
        assert_int_equal(sim.result.kind, PAWL_RUN_SUSPENDED);
        sim_step(&sim, i, "");
    }
    sim_run(&sim);
    assert_int_equal(sim.result.status, PAWL_COMPLETED);
    sim_close(&sim);
}

static void test_nonsense_futures_are_refused(void **state)
{
    (void)state;
    expect_end("awaits_nonsense",
               "> failed process.bad_future: a result was asked of a future that this run has not started\n");
}

/* Whether the other call has ended yet must not show, in whichever run the program asks. */
static void test_a_result_that_no_await_gave_is_refused(void **state)
{
    (void)state;
    for (int both = 0; both < 2; both++) {
        struct sim sim;
        sim_open(&sim, &pawl_processes, "peeks");
        sim_start(&sim, "");
        sim_run(&sim);
        sim_step(&sim, 2, "");
        if (both)
            sim_step(&sim, 1, "");
        sim_run(&sim);
        assert_int_equal(sim.result.kind, PAWL_RUN_ENDED);
        assert_int_equal(sim.result.status, PAWL_FAILED);
        assert_memory_equal(sim.result.failure.code.data, "process.not_awaited", 19);
        sim_close(&sim);
    }
}

static void test_host_calls_of_one_run_are_limited(void **state)
{
    (void)state;
    expect_end("asks_for_ever", "> stuck limit: the program made more than 10000000 host calls in one run\n");
}

static void test_memory_of_one_run_is_limited(void **state)
{
    (void)state;
    expect_end("eats_memory", "> stuck limit: the program asked for more than 268435456 bytes in one run\n");
}

static void test_a_long_failure_is_cut_between_characters(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "long_failure");
    sim_start(&sim, "");
    pawl_activation_run(sim.activation, 1, &sim.result);
    assert_int_equal(sim.result.failure.code.size, 128);
    assert_int_equal(sim.result.failure.message.size, 4095); /* begins inside a character */
    sim_close(&sim);
}

static void test_a_mirror_without_record_1_is_stuck(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "one_by_one");
    sim_run(&sim);
    sim_expect(&sim, "> stuck contract: the process has no first record\n");
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends_that_break_the_contract_make_the_process_stuck),
        cmocka_unit_test(test_ends_that_are_failures),
        cmocka_unit_test(test_a_missing_revision_parks_the_process),
        cmocka_unit_test(test_nothing_happens_after_a_suspend),
        cmocka_unit_test(test_values_that_are_too_large_fail_the_process),
        cmocka_unit_test(test_a_recorded_call_is_not_judged_by_a_new_limit),
        cmocka_unit_test(test_bad_names_are_refused),
        cmocka_unit_test(test_open_commands_are_limited),
        cmocka_unit_test(test_ended_commands_do_not_count_as_open),
        cmocka_unit_test(test_nonsense_futures_are_refused),
        cmocka_unit_test(test_a_result_that_no_await_gave_is_refused),
        cmocka_unit_test(test_host_calls_of_one_run_are_limited),
        cmocka_unit_test(test_memory_of_one_run_is_limited),
        cmocka_unit_test(test_a_long_failure_is_cut_between_characters),
        cmocka_unit_test(test_a_mirror_without_record_1_is_stuck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
