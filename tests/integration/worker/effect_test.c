/* effect_test.c: what the journal promises of effects: one recorded result each, the same key for ever, retries by the
 * policy, wrong answers never taken for success. */
#include "lab.h"

#include "abi/pawl_process.h"

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

PAWL_PROCESSES(PAWL_TYPE("two_calls", 1, two_calls), PAWL_TYPE("one_call", 1, one_call))

static lab *lab_with(const char *provider)
{
    lab *own = lab_create(provider);
    lab_add_type(own, "two_calls", 1, &pawl_processes);
    lab_add_type(own, "one_call", 1, &pawl_processes);
    return own;
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_X01_recorded_results_are_replayed_without_calling_the_plugin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
