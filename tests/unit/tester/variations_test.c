/* variations_test.c: programs that are as they should be pass every variation; what is counted, and what each order and
 * each doubt comes to, is said. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs the three above */

#define WORLD "effects:\n  shop.pack: {echo: true}\n  shop.left: {echo: true}\n  shop.right: {echo: true}\n"

static json_t *pass(const char *type, const char *script, pawl_tester_request request)
{
    json_t *report = tester_report(type, script, request);
    const json_t *finding = tester_finding(report);
    if (finding != NULL)
        fail_msg("%s in %s: %s", tester_text(finding, "kind"), tester_text(finding, "variation"),
                 tester_text(finding, "message"));
    return report;
}

static json_int_t orders(const json_t *report, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(report, "orders"), key));
}

static size_t outcomes(const json_t *report)
{
    return json_array_size(json_object_get(json_object_get(report, "orders"), "outcomes"));
}

static void test_clock_timer_and_ids_of_the_host_are_the_same_each_time(void **state)
{
    (void)state;
    json_t *report = pass("good.good", WORLD "expect: {status: completed, output: 3600}\n", (pawl_tester_request){0});
    assert_int_equal(tester_runs(report, "twice"), 1);
    assert_int_equal(tester_runs(report, "dropped"), 1);
    assert_int_equal(tester_runs(report, "kept"), 1);
    assert_true(tester_runs(report, "crash") >= 5);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(report, "end"), "virtual_ms")), 3600000);
    json_decref(report);
}

static void test_orders_that_the_program_cannot_tell_apart_are_one(void **state)
{
    (void)state;
    json_t *report = pass("good.all", WORLD, (pawl_tester_request){0});
    assert_int_equal(orders(report, "tried"), 1);
    assert_true(json_is_true(json_object_get(json_object_get(report, "orders"), "all")));
    assert_true(json_real_value(json_object_get(json_object_get(report, "orders"), "in_all")) == 24.0);
    json_decref(report);
}

static void test_orders_that_it_can_tell_apart_are_all_tried(void **state)
{
    (void)state;
    json_t *report = pass("good.come", WORLD, (pawl_tester_request){0});
    assert_int_equal(orders(report, "tried"), 24); /* of four calls, each order once */
    assert_true(json_is_true(json_object_get(json_object_get(report, "orders"), "all")));
    json_decref(report);
    report = pass("good.first", WORLD, (pawl_tester_request){0});
    assert_int_equal(orders(report, "tried"), 2);
    assert_int_equal(outcomes(report), 2);
    json_decref(report);
}

static void test_a_bound_on_orders_is_kept_and_said(void **state)
{
    (void)state;
    json_t *report = pass("good.come", WORLD, (pawl_tester_request){.orders_max = 10, .seed = 3});
    assert_int_equal(orders(report, "tried"), 10);
    assert_false(json_is_true(json_object_get(json_object_get(report, "orders"), "all")));
    json_decref(report);
}

static void test_one_outcome_may_be_demanded_of_all_orders(void **state)
{
    (void)state;
    json_t *report = tester_report("good.first", WORLD, (pawl_tester_request){.same_outcome = true});
    assert_string_equal(tester_text(tester_finding(report), "kind"), "outcome");
    json_decref(report);
    report = pass("good.all", WORLD, (pawl_tester_request){.same_outcome = true});
    json_decref(report);
}

static void test_doubt_about_what_must_not_be_repeated_is_no_difference(void **state)
{
    (void)state;
    json_t *report = pass("good.pays",
                          "effects: {bank.pay: {result: paid, outcome: at_most_once}}\n"
                          "expect: {output: paid}\n",
                          (pawl_tester_request){0});
    assert_int_equal(tester_runs(report, "crash"), 4);
    json_decref(report);
    /* What can be asked ends alike, whether it had happened or not. */
    report = pass("good.pays", "effects: {bank.pay: {result: paid, outcome: reconcile}}\n", (pawl_tester_request){0});
    assert_int_equal(tester_runs(report, "crash"), 4);
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(report, "variations"), i, one)
        assert_int_equal(json_integer_value(json_object_get(one, "differed")), 0);
    json_decref(report);
}

static void test_attempts_retries_and_an_unknown_outcome(void **state)
{
    (void)state;
    json_t *report = pass("good.pays",
                          "effects:\n  bank.pay:\n    attempts:\n"
                          "      - {failure: {class: retryable, code: down}}\n"
                          "      - {failure: {class: retryable, code: down}}\n"
                          "      - {result: paid}\n"
                          "expect: {output: paid}\n",
                          (pawl_tester_request){0});
    json_decref(report);
    report = pass("good.pays",
                  "effects:\n  bank.pay:\n    outcome: reconcile\n    attempts_max: 3\n    attempts:\n"
                  "      - {unknown: true, reconcile: did_not_happen}\n"
                  "      - {unknown: true, reconcile: {result: found}}\n"
                  "expect: {output: found}\n",
                  (pawl_tester_request){0});
    json_decref(report);
    report = pass("good.pays",
                  "effects: {bank.pay: {outcome: at_most_once, unknown: true}}\n"
                  "expect: {status: failed, code: test.unknown}\n",
                  (pawl_tester_request){0});
    json_decref(report);
}

static void test_runs_that_follow_each_other(void **state)
{
    (void)state;
    json_t *report = pass("good.runs",
                          WORLD "events: [{signal: order, payload: 1}, {signal: order, payload: 2}, "
                                "{signal: order, payload: 3}]\nexpect: {output: 3}\n",
                          (pawl_tester_request){.cancel_everywhere = true});
    assert_true(tester_runs(report, "cancel") > 0);
    json_decref(report);
}

static void test_every_call_fails_once_in_each_way(void **state)
{
    (void)state;
    json_t *report = pass("good.all", WORLD, (pawl_tester_request){.fail_everywhere = true});
    assert_true(tester_runs(report, "fault") > 4 * 3); /* each with lost workers, too */
    json_decref(report);
    report = pass("good.first", WORLD, (pawl_tester_request){.fail_everywhere = true, .only = "fault@2+retryable"});
    assert_int_equal(tester_runs(report, "fault"), 1);
    assert_true(tester_has_line(json_object_get(report, "only_trace"), "test.fault.retryable"));
    json_decref(report);
}

static size_t with_end(const json_t *report, const char *words)
{
    size_t i, count = 0;
    const json_t *one;
    json_array_foreach(json_object_get(json_object_get(report, "orders"), "outcomes"), i, one) count +=
        strstr(tester_text(one, "end"), words) != NULL;
    return count;
}

static void test_somebody_else_commits_between_reading_and_committing(void **state)
{
    (void)state;
    json_t *report = pass("good.account",
                          "session: {balance: 100}\nevents: [{session: {balance: 120}}]\n"
                          "process: {input: 5}\n",
                          (pawl_tester_request){0});
    assert_int_equal(with_end(report, "105"), 1);
    assert_int_equal(with_end(report, "125"), 1); /* begun anew, or begun later */
    assert_int_equal(outcomes(report), 2);
    json_decref(report);
}

#define ANY_WORLD                                                                                                      \
    "effects:\n"                                                                                                       \
    "  any.once: {outcome: at_most_once, calls: [{result: 1, delay: 1s}, {failure: any.no}, {echo: true, delay: "      \
    "3s}]}\n"                                                                                                          \
    "  any.again: {attempts: [{failure: {class: retryable, code: any.down}}, {echo: true}]}\n"                         \
    "  any.asked: {outcome: reconcile, calls: [{result: 7, delay: 2s}, {unknown: true, reconcile: {result: 9}}, "      \
    "{echo: true}]}\n"                                                                                                 \
    "  any.slow: {echo: true, delay: 30s}\n"                                                                           \
    "  any.undo: {echo: true}\n"                                                                                       \
    "children:\n  any.child: [{result: c, delay: 2s}, {failure: any.child}, {result: c}]\n"
#define FEW_SIGNALS "events: [{signal: left, payload: 1}, {signal: right}, {signal: left}, {signal: right}]\n"
#define MANY_SIGNALS                                                                                                   \
    "events: [{signal: left, payload: 1}, {signal: right}, {signal: left, payload: 3, at: 4s}, {signal: right},\n"     \
    "  {signal: left}, {signal: right}, {signal: left}, {signal: right}, {signal: left}, {signal: right},\n"           \
    "  {signal: left}, {signal: right}, {signal: left}, {signal: right}, {signal: left}, {signal: right}]\n"

/* The ends of all orders, sorted and without their numbers. */
static json_t *ends_of(unsigned input, bool all, json_int_t *ret_tried)
{
    char text[16];
    int size = snprintf(text, sizeof text, "%u", input);
    size_t i;
    const json_t *one;
    json_t *ends = json_object();
    json_t *report = pass("good.any", ANY_WORLD FEW_SIGNALS,
                          (pawl_tester_request){.input = {text, (size_t)size},
                                                .orders_max = 5000,
                                                .all_orders = all,
                                                .only = "order",
                                                .time_max_ms = 120000,
                                                .hang_ms = 60000});
    assert_true(json_is_true(json_object_get(json_object_get(report, "orders"), "all")));
    json_array_foreach(json_object_get(json_object_get(report, "orders"), "outcomes"), i, one)
        json_object_set_new(ends, tester_text(one, "end"), json_true());
    *ret_tried = orders(report, "tried");
    json_decref(report);
    return ends;
}

/* What was left out because the program cannot tell it apart would have given no other end. */
static void test_orders_that_are_left_out_give_nothing_new(void **state)
{
    (void)state;
    static const unsigned inputs[] = {33, 34, 37, 53, 61, 63, 64, 65};
    json_int_t some = 0, all = 0;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        json_int_t few = 0, every = 0;
        json_t *left = ends_of(inputs[i], false, &few), *right = ends_of(inputs[i], true, &every);
        if (!json_equal(left, right))
            fail_msg("of program %u orders that matter were left out", inputs[i]);
        some += few;
        all += every;
        json_decref(left);
        json_decref(right);
    }
    assert_true(some * 5 < all);
}

/* Calls of each outcome rule, retries, doubts, children, signals with and without a time: a program of its own for each
 * input, none of which does anything wrong. What is found in one is the test's own mistake. */
static void test_good_programs_of_all_kinds_pass_everything(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 8; i++) {
        char input[16];
        int size = snprintf(input, sizeof input, "%u", i);
        json_t *report = pass("good.any", ANY_WORLD MANY_SIGNALS,
                              (pawl_tester_request){.input = {input, (size_t)size},
                                                    .orders_max = 12,
                                                    .seed = i,
                                                    .cancel_everywhere = true,
                                                    .fail_everywhere = true,
                                                    .hang_ms = 60000});
        assert_true(json_integer_value(json_object_get(report, "runs")) > 10);
        json_decref(report);
    }
}

static void test_what_the_script_does_not_say_is_named_with_the_line_to_add(void **state)
{
    (void)state;
    json_t *report = tester_report("good.pays", "{}", (pawl_tester_request){0});
    assert_string_equal(tester_text(tester_finding(report), "kind"), "unscripted");
    assert_non_null(strstr(tester_text(tester_finding(report), "message"), "\"bank.pay\": {result: ...}"));
    json_decref(report);
    report = pass("good.pays", "others: 'null'\n", (pawl_tester_request){0});
    json_decref(report);
}

static void test_an_expectation_that_is_not_met_is_found(void **state)
{
    (void)state;
    json_t *report =
        tester_report("good.pays", "effects: {bank.pay: {result: 1}}\nexpect: {output: 2}\n", (pawl_tester_request){0});
    assert_string_equal(tester_text(tester_finding(report), "kind"), "expect");
    json_decref(report);
}

static void test_one_variation_alone_with_its_trace(void **state)
{
    (void)state;
    json_t *report = pass("good.first", WORLD, (pawl_tester_request){.only = "order@1/crash@2"});
    assert_int_equal(tester_runs(report, "crash"), -1);
    assert_true(tester_has_line(json_object_get(report, "only_trace"), "its worker is lost"));
    json_decref(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_timer_and_ids_of_the_host_are_the_same_each_time),
        cmocka_unit_test(test_orders_that_the_program_cannot_tell_apart_are_one),
        cmocka_unit_test(test_orders_that_it_can_tell_apart_are_all_tried),
        cmocka_unit_test(test_a_bound_on_orders_is_kept_and_said),
        cmocka_unit_test(test_one_outcome_may_be_demanded_of_all_orders),
        cmocka_unit_test(test_doubt_about_what_must_not_be_repeated_is_no_difference),
        cmocka_unit_test(test_attempts_retries_and_an_unknown_outcome),
        cmocka_unit_test(test_runs_that_follow_each_other),
        cmocka_unit_test(test_every_call_fails_once_in_each_way),
        cmocka_unit_test(test_somebody_else_commits_between_reading_and_committing),
        cmocka_unit_test(test_orders_that_are_left_out_give_nothing_new),
        cmocka_unit_test(test_good_programs_of_all_kinds_pass_everything),
        cmocka_unit_test(test_what_the_script_does_not_say_is_named_with_the_line_to_add),
        cmocka_unit_test(test_an_expectation_that_is_not_met_is_found),
        cmocka_unit_test(test_one_variation_alone_with_its_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
