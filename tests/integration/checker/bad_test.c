/* bad_test.c: every bad plugin meets the check. Each breaks one rule: the case about it must say so, and no other. */
#include "checker.h"

#define MEET(directory, expectations) check_meet(directory, expectations, sizeof(expectations) / sizeof *(expectations))

static void test_P01_the_check_names_what_a_loader_refuses(void **state)
{
    static const check_expectation cases[] = {
        {"bad_manifest", "file.facts", "fail", "A-32", "at $.effects[0].runs: found \"pol\"", NULL},
        {"extra_symbol", "file.facts", "fail", "A-32", "helper_that_leaked", NULL},
        {"null_root", "entry.contract", "fail", "A-51", "returned NULL", NULL},
        {"constructor_crash", "entry.contract", "crash", "A-51", "dlopen", NULL},
        {"init_crash", "life.init", "crash", "A-54", "in: init", NULL},
        {"init_refuses", "life.init", "fail", "A-54", "--config", NULL},
        {"init_exit", "life.init", "crash", "A-54", "must never end the program", NULL},
        {"init_hang", "life.init", "timeout", "A-54", "it hung in: init", "--timeout 3s --case life.init"},
        {"deinit_crash", "life.init", "crash", "A-54", "in: deinit", NULL},
        {"null_factory", "life.tables", "fail", "A-55", "\"pawl.effect/1\"", NULL},
        {"null_member", "life.tables", "fail", "A-55", "the member execute", NULL},
        {"destructor_crash", "life.exit", "crash", "A-47", "in: exit", NULL},
        {"well_behaved", NULL, NULL, NULL, NULL, NULL},
    };
    (void)state;
    MEET(PAWL_HOSTILE_DIR, cases);
}

static void test_P01_the_check_finds_what_a_file_or_an_entry_does(void **state)
{
    static const check_expectation cases[] = {
        {"origin", "file.alone", "fail", "A-30", "$ORIGIN/lib", NULL},
        {"schema", "manifest.schemas", "fail", "B-1", "bad.schema.input_schema", NULL},
        {"entry_thread", "entry.pure", "fail", "B-2", "a thread that was not there before", NULL},
        {"entry_environment", "entry.pure", "fail", "B-2", "PAWL_CHECK_TEST", NULL},
        {"entry_fresh", "entry.pure", "fail", "B-2", "another root", NULL},
    };
    (void)state;
    MEET(PAWL_BAD_DIR, cases);
}

static void test_P01_the_check_finds_what_is_wrong_with_a_life(void **state)
{
    static const check_expectation cases[] = {
        {"init_once", "life.again", "fail", "A-14", "once.gone", NULL},
        {"init_alone", "life.two_hosts", "fail", "A-14", "alone.taken", NULL},
        {"init_picky", "life.newer_host", "fail", "B-4", "picky.minor", NULL},
        {"init_trusting", "life.bare_host", "crash", "B-4", "in: init under a host", NULL},
        {"config_crash", "life.bad_config", "crash", "B-5", "an array", NULL},
        {"config_silent", "life.bad_config", "fail", "B-5", "no reason", NULL},
        {"factory_fresh", "life.factory", "fail", "B-3", "another table", NULL},
        {"factory_prefix", "life.factory", "fail", "B-3", "pawl.effect/999", NULL},
        {"instance_null", "instance.null", "crash", "B-6", "destroy(NULL)", NULL},
        {"instance_one", "instance.several", "fail", "B-6", "the same instance", NULL},
        {"instance_any", "instance.bad_config", "fail", "B-5", "the config_schema excludes it", NULL},
    };
    (void)state;
    MEET(PAWL_BAD_DIR, cases);
}

static void test_P01_the_check_finds_what_is_changed_or_left(void **state)
{
    static const check_expectation cases[] = {
        {"state_signal", "state.life", "fail", "A-18", "the signal 13", NULL},
        {"state_locale", "state.life", "fail", "A-18", "C.UTF-8", NULL},
        {"state_directory", "state.life", "fail", "A-18", "the working directory was", NULL},
        {"state_umask", "state.life", "fail", "A-18", "and is 0000", NULL},
        {"state_environment", "state.life", "fail", "A-18", "PAWL_CHECK_SECRET", NULL},
        {"state_prints", "state.printed", "fail", "B-9", "hello from a plugin", NULL},
        {"left_thread", "left.life", "fail", "B-7", "1 threads more", NULL},
        {"left_descriptor", "left.life", "fail", "B-7", "/dev/null", NULL},
        {"left_child", "left.life", "fail", "B-7", "child processes", NULL},
        {"left_exec", "left.exec", "fail", "B-8", "without close-on-exec", NULL},
    };
    (void)state;
    MEET(PAWL_BAD_DIR, cases);
}

static void test_P15_the_check_finds_what_a_call_gives_that_it_may_not(void **state)
{
    static const check_expectation cases[] = {
        {"call_pending", "call.sample", "fail", "B-10", "status 2 (pending)", NULL},
        {"call_silent", "call.sample", "fail", "B-10", "without a reason", NULL},
        {"call_both", "call.sample", "fail", "B-10", "both.failed", NULL},
        {"call_crash", "call.sample", "crash", "B-10", "in: bad.effect", NULL},
        {"output_schema", "call.output", "fail", "B-11", "\"b\"", NULL},
        {"output_example", "call.output", "fail", "B-11", "/a", NULL},
        {"failure_form", "call.failure", "fail", "B-10", "Something Went Wrong!", NULL},
        {"input_crash", "input.odd", "crash", "B-12", "no input as input", NULL},
        {"sink_ignored", "sink.refuses", "fail", "B-14", "PAWL_E_LIMIT at once", NULL},
        {"inline_slow", "call.inline", "fail", "A-17", "runs inline", "--case call.inline"},
    };
    (void)state;
    MEET(PAWL_BAD_DIR, cases);
}

static void test_P08_the_check_finds_what_is_done_with_borrowed_things(void **state)
{
    static const check_expectation cases[] = {
        {"borrowed_past", "call.borrowed", "crash", "A-9", "reading past its input", NULL},
        {"borrowed_changed", "call.borrowed", "crash", "A-9", "writing to it", NULL},
        {"borrowed_kept", "call.borrowed", "crash", "A-9", "of an earlier call", NULL},
        {"late_write", "call.late", "fail", "A-9", "a write to the sink of a call that was over", NULL},
        {"late_completion", "call.late", "fail", "B-13", "complete exactly once", NULL},
        {"late_upload", "call.late", "fail", "A-10", "1 uploads of attachments left open", NULL},
    };
    (void)state;
    MEET(PAWL_BAD_DIR, cases);
}

static void test_P15_the_check_finds_what_a_repeated_or_stopped_call_does(void **state)
{
    static const check_expectation cases[] = {
        {"cancel_deaf", "cancel.latency", "fail", "B-15", "after it was cancelled", "--latency 2s"},
        {"deadline_deaf", "deadline.latency", "fail", "B-15", "after its deadline", "--latency 2s"},
        {"cancel_closes", "cancel.latency", "fail", "B-15", "was read from", NULL},
        {"key_differs", "key.same", "fail", "B-16", "another result", NULL},
        {"key_refused", "key.same", "fail", "B-16", "key.again", NULL},
        {"reconcile_guess", "reconcile.unknown", "fail", "B-17", "that it happened", NULL},
        {"reconcile_forget", "reconcile.done", "fail", "B-17", "PAWL_E_NOT_FOUND for a call that succeeded", NULL},
    };
    (void)state;
    MEET(PAWL_BAD_DIR, cases);
}

static void test_P09_the_check_finds_what_threads_and_repetition_do(void **state)
{
    static const check_expectation cases[] = {
        {"threads_shared", "threads.calls", "fail", "A-17", "another result", NULL},
        {"threads_bound", "threads.moved", "fail", "A-17", "bound.thread", NULL},
        {"threads_stack", "threads.moved", "crash", "A-17", "with a stack of 1 MiB", NULL},
        {"calls_state", "state.calls", "fail", "A-18", "the working directory was", NULL},
        {"leak_call", "leak.calls", "fail", "B-18", "bytes more in use", NULL},
        {"leak_descriptor", "leak.calls", "fail", "B-18", "descriptors more", NULL},
        {"leak_life", "leak.life", "fail", "B-18", "init and deinit", NULL},
        {"leak_instance", "leak.instance", "fail", "B-18", "create and destroy", NULL},
    };
    (void)state;
    MEET(PAWL_BAD_DIR, cases);
}

static void test_P15_the_check_finds_what_process_code_may_not_do(void **state)
{
    static const check_expectation cases[] = {
        {"process_well", NULL, NULL, NULL, NULL, NULL},
        {"process_empty", "process.activate", "fail", "B-19", "nothing was completed", NULL},
        {"process_stray", "process.activate", "fail", "B-19", "that no activation ran for", NULL},
        {"process_goes_on", "process.suspend", "fail", "B-20", "a call of set_status", NULL},
        {"process_swallows", "process.suspend", "fail", "B-20", "status -1 (failed)", NULL},
        {"process_random", "process.repeat", "fail", "B-21", "step 1 was \"call other.effect", NULL},
        {"process_counter", "process.repeat", "fail", "B-21", "step 3 was \"complete", NULL},
        {"process_clock", "process.outside", "fail", "B-21", "calls time", NULL},
        {"process_environment", "process.outside", "fail", "B-21", "calls getenv", NULL},
        {"process_thread", "process.threads", "fail", "A-17", "other steps", NULL},
        {"process_slow", "process.prompt", "fail", "A-17", "an activation takes", "--case process.prompt"},
        {"process_any", "process.unknown", "fail", "B-22", "a type that it does not have", NULL},
        {"process_trusting", "process.failures", "crash", "B-23", "where every call fails", NULL},
        {"process_leak", "leak.process", "fail", "B-18", "bytes more in use", NULL},
    };
    (void)state;
    MEET(PAWL_BAD_DIR, cases);
}

static void test_P15_the_check_finds_what_stores_middleware_and_observers_do(void **state)
{
    static const check_expectation cases[] = {
        {"storage_boasts", "storage.tier", "fail", "B-24", "the tier durable, where the manifest says inline",
         "--waive storage.conformance=empty"},
        {"storage_once", "storage.open", "fail", "B-24", "it was opened before", NULL},
        {"storage_empty", "storage.conformance", "fail", "B-25", "pawl-conformance ends with exit code", NULL},
        {"around_answer", "middleware.use", "fail", "A-60", "the answer 42", NULL},
        {"around_describe", "middleware.use", "fail", "A-60", "0 bytes that are no JSON", NULL},
        {"around_kind", "observer.use", "crash", "A-62", "in: observe", NULL},
        {"around_leak", "leak.observer", "fail", "B-18", "bytes more in use", NULL},
    };
    (void)state;
    MEET(PAWL_BAD_DIR, cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_P01_the_check_names_what_a_loader_refuses),
        cmocka_unit_test(test_P01_the_check_finds_what_a_file_or_an_entry_does),
        cmocka_unit_test(test_P01_the_check_finds_what_is_wrong_with_a_life),
        cmocka_unit_test(test_P01_the_check_finds_what_is_changed_or_left),
        cmocka_unit_test(test_P15_the_check_finds_what_a_call_gives_that_it_may_not),
        cmocka_unit_test(test_P08_the_check_finds_what_is_done_with_borrowed_things),
        cmocka_unit_test(test_P15_the_check_finds_what_a_repeated_or_stopped_call_does),
        cmocka_unit_test(test_P09_the_check_finds_what_threads_and_repetition_do),
        cmocka_unit_test(test_P15_the_check_finds_what_process_code_may_not_do),
        cmocka_unit_test(test_P15_the_check_finds_what_stores_middleware_and_observers_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
