/* suspects_test.c: what a durable program must not do is found for certain, and said with what is to blame. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h> /* needs the three above */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_ALLOCATOR 1 /* gives memory back in an order of its own */
#else
#define OWN_ALLOCATOR 0
#endif

#define WORLD "effects:\n  shop.pack: {echo: true}\n  shop.send: {echo: true}\n"

static void expect_finding(const char *type, const char *variation, const char *kind, const char *hint)
{
    json_t *report = tester_report(type, WORLD, (pawl_tester_request){.hang_ms = 60000});
    const json_t *finding = tester_finding(report);
    assert_non_null(finding);
    assert_false(json_is_true(json_object_get(report, "ok")));
    assert_string_equal(tester_text(finding, "variation"), variation);
    assert_string_equal(tester_text(finding, "kind"), kind);
    if (hint != NULL && !tester_has_line(json_object_get(finding, "hints"), hint) &&
        strstr(tester_text(finding, "message"), hint) == NULL)
        fail_msg("nothing says \"%s\"", hint);
    json_decref(report);
}

static void test_chance_is_found_and_named(void **state)
{
    (void)state;
    expect_finding("bad.chance", "twice", "nondeterminism", "rand()");
}

static void test_the_time_of_day_is_found_and_named(void **state)
{
    (void)state;
    expect_finding("bad.hour", "twice", "nondeterminism", "time()");
}

static void test_a_static_counter_is_found_and_named(void **state)
{
    (void)state;
    expect_finding("bad.counts", "twice", "nondeterminism", "static variables");
}

static void test_what_only_a_lost_worker_forgets_is_found(void **state)
{
    (void)state;
    expect_finding("bad.remembers", "crash@3", "differs", "static variables");
}

static void test_the_order_of_addresses_is_found(void **state)
{
    (void)state;
    if (OWN_ALLOCATOR)
        skip();
    expect_finding("bad.addresses", "twice", "nondeterminism", "addresses");
}

static void test_what_is_done_outside_without_an_effect_is_found(void **state)
{
    (void)state;
    expect_finding("bad.outside", "basic", "outside", "open()");
}

static void test_a_crash_of_the_program_is_a_finding(void **state)
{
    (void)state;
    expect_finding("bad.crashes", "basic", "crash", "the program");
}

static void test_a_program_that_never_comes_back_is_a_finding(void **state)
{
    (void)state;
    json_t *report = tester_report("bad.hangs", WORLD, (pawl_tester_request){.hang_ms = 300});
    assert_string_equal(tester_text(tester_finding(report), "kind"), "hangs");
    json_decref(report);
}

static void test_an_end_that_depends_on_the_order_and_never_comes_is_found(void **state)
{
    (void)state;
    expect_finding("bad.deadlock", "order@1", "never_ends", "nobody-sends-this");
}

static void test_the_first_difference_is_two_traces_and_a_line(void **state)
{
    (void)state;
    json_t *report = tester_report("bad.chance", WORLD, (pawl_tester_request){0});
    const json_t *finding = tester_finding(report);
    size_t line = (size_t)json_integer_value(json_object_get(finding, "line"));
    const char *expected = json_string_value(json_array_get(json_object_get(finding, "expected"), line - 1));
    const char *found = json_string_value(json_array_get(json_object_get(finding, "found"), line - 1));
    assert_int_equal(line, 4);
    assert_non_null(strstr(expected, "completes with"));
    assert_non_null(strstr(found, "completes with"));
    assert_string_not_equal(expected, found);
    json_decref(report);
}

static void test_a_clock_of_no_consequence_is_a_warning_unless_strict(void **state)
{
    (void)state;
    json_t *report = tester_report("warn.clock", WORLD, (pawl_tester_request){0});
    assert_null(tester_finding(report));
    assert_true(tester_has_line(json_object_get(report, "warnings"), "clock_gettime()"));
    json_decref(report);
    report = tester_report("warn.clock", WORLD, (pawl_tester_request){.strict = true});
    assert_non_null(tester_finding(report));
    json_decref(report);
}

static void test_the_same_test_finds_the_same_twice(void **state)
{
    (void)state;
    json_t *first = tester_report("bad.chance", WORLD, (pawl_tester_request){0});
    json_t *second = tester_report("bad.chance", WORLD, (pawl_tester_request){0});
    assert_true(json_equal(json_object_get(first, "findings"), json_object_get(second, "findings")));
    assert_true(json_equal(json_object_get(first, "trace"), json_object_get(second, "trace")));
    json_decref(first);
    json_decref(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chance_is_found_and_named),
        cmocka_unit_test(test_the_time_of_day_is_found_and_named),
        cmocka_unit_test(test_a_static_counter_is_found_and_named),
        cmocka_unit_test(test_what_only_a_lost_worker_forgets_is_found),
        cmocka_unit_test(test_the_order_of_addresses_is_found),
        cmocka_unit_test(test_what_is_done_outside_without_an_effect_is_found),
        cmocka_unit_test(test_a_crash_of_the_program_is_a_finding),
        cmocka_unit_test(test_a_program_that_never_comes_back_is_a_finding),
        cmocka_unit_test(test_an_end_that_depends_on_the_order_and_never_comes_is_found),
        cmocka_unit_test(test_the_first_difference_is_two_traces_and_a_line),
        cmocka_unit_test(test_a_clock_of_no_consequence_is_a_warning_unless_strict),
        cmocka_unit_test(test_the_same_test_finds_the_same_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
