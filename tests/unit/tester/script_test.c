/* script_test.c: the script of `pawl test`: what it can say, and every mistake with its place. */
#include "host/tester/script.h"
#include "worker/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs the three above */

static pawl_bytes bytes(const char *text)
{
    return (pawl_bytes){text, strlen(text)};
}

static void read_good(const char *text, pawl_script *ret)
{
    pawl_problem_list problems = {0};
    pawl_status status = pawl_script_read(text, strlen(text), ret, &problems);
    if (status != PAWL_OK)
        fail_msg("%s", problems.count > 0 ? problems.items[0].message : "out of memory");
    pawl_problems_free(&problems);
}

static void refused(const char *text, uint32_t line, uint32_t column, const char *words)
{
    pawl_problem_list problems = {0};
    pawl_script script;
    if (pawl_script_read(text, strlen(text), &script, &problems) != PAWL_E_INVALID || problems.count == 0)
        fail_msg("accepted: %s", text);
    if (strstr(problems.items[0].message, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", problems.items[0].message, words);
    if (problems.items[0].place.line != line || problems.items[0].place.column != column)
        fail_msg("%s: is said of %u:%u", text, problems.items[0].place.line, problems.items[0].place.column);
    pawl_problems_free(&problems);
}

static void same(pawl_bytes found, const char *expected)
{
    assert_int_equal(found.size, strlen(expected));
    assert_memory_equal(found.data, expected, found.size);
}

static const pawl_script_answer *answer(const pawl_script *script, const char *effect, uint64_t ordinal, uint32_t nth,
                                        const char *input, uint32_t attempt)
{
    const pawl_script_effect *found = pawl_script_effect_of(script, bytes(effect));
    assert_non_null(found);
    return pawl_script_answer_to(found, ordinal, nth, bytes(input), attempt);
}

static void test_answers_by_call_attempt_input_and_ordinal(void **state)
{
    (void)state;
    pawl_script script;
    read_good(
        "effects:\n"
        "  a: {result: {x: [1, -2.5, true, null, \"1\"]}}\n"
        "  b: [{result: 1}, {result: 2, delay: 3s}]\n"
        "  c: {attempts: [{failure: {class: retryable, code: down}}, {text: plain}]}\n"
        "  d: [{input: {k: 1}, result: one}, {call: 3, result: third}, {ordinal: 9, result: ninth}, {echo: true}]\n"
        "  e: {outcome: reconcile, calls: [{unknown: true, reconcile: {result: 7}}]}\n",
        &script);
    same(answer(&script, "a", 1, 1, "", 1)->value, "{\"x\":[1,-2.5,true,null,\"1\"]}");
    same(answer(&script, "b", 1, 1, "", 1)->value, "1");
    same(answer(&script, "b", 2, 2, "", 1)->value, "2");
    same(answer(&script, "b", 3, 7, "", 1)->value, "2");
    assert_int_equal(answer(&script, "b", 2, 2, "", 1)->delay_ns, 3000000000);
    assert_int_equal(answer(&script, "c", 1, 1, "", 1)->failure.klass, PAWL_RETRYABLE);
    same(answer(&script, "c", 1, 1, "", 2)->value, "plain");
    same(answer(&script, "c", 1, 1, "", 5)->value, "plain");
    same(answer(&script, "d", 1, 1, "{ \"k\": 1 }", 1)->value, "\"one\"");
    same(answer(&script, "d", 1, 3, "x", 1)->value, "\"third\"");
    same(answer(&script, "d", 9, 1, "x", 1)->value, "\"ninth\"");
    assert_int_equal(answer(&script, "d", 2, 2, "x", 1)->kind, PAWL_ANSWER_ECHO);
    assert_int_equal(pawl_script_effect_of(&script, bytes("e"))->outcome, PAWL_OUTCOME_RECONCILE);
    same(answer(&script, "e", 1, 1, "", 1)->happened, "7");
    assert_null(pawl_script_effect_of(&script, bytes("f")));
    pawl_script_finish(&script);
}

static void test_events_expectations_and_the_process(void **state)
{
    (void)state;
    pawl_script script;
    read_good("start: 2026-02-03T10:00:00Z\n"
              "process: {type: shop.order, input: {n: 1}, id: order-1}\n"
              "attributes: {customer: keyword, amount: integer}\n"
              "events:\n"
              "  - {signal: packed, payload: 4}\n"
              "  - {update: add, at: 2s}\n"
              "  - {cancel: enough}\n"
              "expect: {status: cancelled, code: cancelled}\n",
              &script);
    assert_string_equal(script.type, "shop.order");
    same(script.input, "{\"n\":1}");
    assert_int_equal(script.start_unix_ns, UINT64_C(1770112800000000000));
    assert_int_equal(script.event_count, 3);
    same(script.events[0].payload, "4");
    assert_false(script.events[0].timed);
    assert_true(script.events[1].timed);
    same(script.events[1].id, "update-2");
    assert_int_equal(script.events[2].kind, PAWL_EVENT_CANCEL);
    assert_int_equal(script.expect.status, PAWL_CANCELLED);
    assert_int_equal(script.attributes.count, 2);
    pawl_script_finish(&script);
}

static void test_every_mistake_has_its_place(void **state)
{
    (void)state;
    refused("effects:\n  a: {reslt: 1}\n", 2, 6, "one of result");
    refused("efects: {}\n", 1, 1, "did you mean \"effects\"");
    refused("effects:\n  a:\n    - {result: 1, failure: x}\n", 3, 7, "has 2");
    refused("effects: {a: {result: 1, delay: 3}}\n", 1, 33, "a span");
    refused("events:\n  - {signal: a, cancel: b}\n", 2, 5, "one of signal");
    refused("events: {}\n", 1, 9, "a list");
    refused("expect: {status: done}\n", 1, 18, "one of completed");
    refused("start: tomorrow\n", 1, 8, "a time");
    refused("effects:\n  a: [{result: 1, outcome: by_key}]\n", 2, 19, "no key \"outcome\"");
    refused("effects:\n  a: {outcome: sometimes, result: 1}\n", 2, 16, "idempotent");
    refused("effects: {a: {attempts: []}}\n", 1, 25, "a list of answers");
    refused("a: [1\n", 2, 1, "");
}

static void test_the_script_in_the_documentation_can_be_read(void **state)
{
    (void)state;
    static char text[65536];
    FILE *page = fopen(PAWL_TESTING_PAGE, "r");
    assert_non_null(page);
    text[fread(text, 1, sizeof text - 1, page)] = '\0';
    fclose(page);
    char *begin = strstr(text, "```yaml\n"), *end = begin == NULL ? NULL : strstr(begin + 8, "```");
    assert_non_null(end);
    *end = '\0';
    pawl_script script;
    read_good(begin + 8, &script);
    assert_true(script.effect_count >= 4 && script.child_count >= 1 && script.event_count >= 4 && script.has_state);
    pawl_script_finish(&script);
}

static void test_the_automatic_script_has_no_answers_of_its_own(void **state)
{
    (void)state;
    pawl_script script;
    assert_int_equal(pawl_script_auto(&script), PAWL_OK);
    assert_true(script.answers_all);
    assert_null(pawl_script_effect_of(&script, bytes("a")));
    pawl_script_finish(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_by_call_attempt_input_and_ordinal),
        cmocka_unit_test(test_events_expectations_and_the_process),
        cmocka_unit_test(test_every_mistake_has_its_place),
        cmocka_unit_test(test_the_script_in_the_documentation_can_be_read),
        cmocka_unit_test(test_the_automatic_script_has_no_answers_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
