/* schema_test.c: JSON Schemas and selectors: what fits, what does not and how that is told, and what is refused before
 * it is ever used. */
#include "host/schema/json_schema.h"
#include "host/schema/selector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static json_t *json(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

static void test_P07_values_fit_or_do_not(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *good;
        const char *bad;
        const char *told; /* in the message about the bad one */
    } cases[] = {
        {"{\"type\":\"integer\"}", "1.0", "1.5", "at \"\": found 1.5 (a number), wanted the type \"integer\""},
        {"{\"type\":[\"string\",\"null\"]}", "null", "1", "wanted the type"},
        {"{\"enum\":[1,\"a\",{\"b\":[]}]}", "{\"b\":[]}", "2", "3 values"},
        {"{\"const\":0}", "0.0", "false", "wanted 0"},
        {"{\"minimum\":3,\"exclusiveMaximum\":5,\"multipleOf\":0.5}", "4.5", "5", "less than 5"},
        {"{\"maxLength\":2}", "\"\\u00e4\\u00f6\"", "\"abc\"", "at most 2 characters, not 3"},
        {"{\"pattern\":\"^a\\\\d+$\"}", "\"a12\"", "\"b\"", "matches"},
        {"{\"items\":{\"type\":\"number\"},\"uniqueItems\":true}", "[1,2]", "[1,1.0]", "differ"},
        {"{\"items\":[{},{\"type\":\"null\"}],\"additionalItems\":false}", "[1,null]", "[1,null,2]", "at \"/2\""},
        {"{\"contains\":{\"const\":1}}", "[0,1]", "[0]", "contains"},
        {"{\"properties\":{\"a\":{\"properties\":{\"b\":{\"type\":\"string\"}}}}}", "{\"a\":{}}", "{\"a\":{\"b\":1}}",
         "at \"/a/b\": found 1 (a number)"},
        {"{\"required\":[\"a\"]}", "{\"a\":1}", "{}", "has \"a\""},
        {"{\"patternProperties\":{\"^x\":{}},\"additionalProperties\":false}", "{\"xy\":1}", "{\"y\":1}",
         "no member \"y\""},
        {"{\"propertyNames\":{\"maxLength\":1}}", "{\"a\":1}", "{\"ab\":1}", "at most 1"},
        {"{\"dependencies\":{\"a\":[\"b\"],\"c\":{\"minProperties\":2}}}", "{\"c\":1,\"d\":1}", "{\"a\":1}",
         "has \"b\""},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":2}]}", "2", "1", "anyOf"},
        {"{\"oneOf\":[{\"minimum\":2},{\"maximum\":3}]}", "1", "2", "exactly one"},
        {"{\"allOf\":[{\"minimum\":2},{\"not\":{\"const\":3}}]}", "2", "3", "not"},
        {"{\"if\":{\"type\":\"string\"},\"then\":{\"minLength\":1},\"else\":{\"minimum\":1}}", "\"a\"", "0",
         "at least 1"},
        {"{\"definitions\":{\"n/m\":{\"type\":\"null\"}},\"items\":{\"$ref\":\"#/definitions/n~1m\"}}", "[null]", "[1]",
         "at \"/0\""},
        {"{\"properties\":{\"next\":{\"$ref\":\"#\"}},\"additionalProperties\":false}", "{\"next\":{\"next\":{}}}",
         "{\"next\":{\"last\":1}}", "at \"/next/last\""},
        {"false", NULL, "1", "nothing here"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pawl_schema *schema;
        pawl_error error = {0};
        json_t *text = json(cases[i].schema);
        assert_int_equal(pawl_schema_compile(text, &schema, &error), PAWL_OK);
        if (cases[i].good != NULL &&
            pawl_schema_check_text(schema, (pawl_bytes){cases[i].good, strlen(cases[i].good)}, &error) != PAWL_OK)
            fail_msg("%s: %s: %s", cases[i].schema, cases[i].good, error.message);
        assert_int_equal(pawl_schema_check_text(schema, (pawl_bytes){cases[i].bad, strlen(cases[i].bad)}, &error),
                         PAWL_E_INVALID);
        if (strstr(error.message, cases[i].told) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].schema, error.message, cases[i].told);
        pawl_schema_destroy(schema);
        json_decref(text);
    }
}

static void test_P07_bad_schemas_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *told;
    } cases[] = {
        {"1", "an object or a boolean"},
        {"{\"type\":\"strnig\"}", "/type"},
        {"{\"properties\":{\"a\":{\"minimum\":\"1\"}}}", "/properties/a/minimum"},
        {"{\"pattern\":\"(\"}", "regular expression"},
        {"{\"items\":[1]}", "/items/0"},
        {"{\"multipleOf\":0}", "above 0"},
        {"{\"$ref\":\"#/definitions/none\"}", "JSON pointer"},
        {"{\"$ref\":\"http://example.com/s.json\"}", "JSON pointer"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pawl_schema *schema = NULL;
        pawl_error error = {0};
        json_t *text = json(cases[i].schema);
        assert_int_equal(pawl_schema_compile(text, &schema, &error), PAWL_E_INVALID);
        assert_null(schema);
        if (strstr(error.message, cases[i].told) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].schema, error.message, cases[i].told);
        json_decref(text);
    }
}

/* A schema that refers to itself, a value that is deep, a pattern that tries for ever: an answer, and no crash. */
static void test_neither_depth_nor_patterns_take_the_host_along(void **state)
{
    (void)state;
    pawl_error error = {0};
    pawl_schema *schema;
    json_t *text = json("{\"$ref\":\"#\"}");
    assert_int_equal(pawl_schema_compile(text, &schema, &error), PAWL_OK);
    assert_int_equal(pawl_schema_check_text(schema, (pawl_bytes){"1", 1}, &error), PAWL_E_INVALID);
    pawl_schema_destroy(schema);
    json_decref(text);
    text = json("{\"items\":{\"$ref\":\"#\"}}");
    assert_int_equal(pawl_schema_compile(text, &schema, &error), PAWL_OK);
    char deep[2001];
    memset(deep, '[', 1000);
    memset(deep + 1000, ']', 1000);
    assert_int_equal(pawl_schema_check_text(schema, (pawl_bytes){deep, 2000}, &error), PAWL_E_INVALID);
    pawl_schema_destroy(schema);
    json_decref(text);
    text = json("{\"pattern\":\"^(a+)+$\"}");
    assert_int_equal(pawl_schema_compile(text, &schema, &error), PAWL_OK);
    char *many = malloc(1 << 20);
    assert_non_null(many);
    memset(many, 'a', 1 << 20);
    many[0] = many[(1 << 20) - 1] = '"';
    many[(1 << 20) - 2] = 'b';
    assert_int_equal(pawl_schema_check_text(schema, (pawl_bytes){many, 1 << 20}, &error), PAWL_E_INVALID);
    free(many);
    pawl_schema_destroy(schema);
    json_decref(text);
}

static void test_a_schema_that_allows_everything_costs_nothing(void **state)
{
    (void)state;
    pawl_error error = {0};
    pawl_schema *schema = (pawl_schema *)&error;
    json_t *text = json("{}");
    assert_int_equal(pawl_schema_compile(text, &schema, &error), PAWL_OK);
    assert_null(schema);
    assert_int_equal(pawl_schema_check_text(schema, (pawl_bytes){"not even JSON", 13}, &error), PAWL_OK);
    json_decref(text);
}

/* ---- selectors ---- */

static char *taken(const char *selector, const char *payload, pawl_error *error)
{
    json_t *from = json(payload);
    json_t *what = json(selector);
    json_t *value = NULL;
    assert_int_equal(pawl_selector_check(what, "here", error), PAWL_OK);
    char *text = NULL;
    if (pawl_selector_take(what, from, &value, error) == PAWL_OK)
        text = pawl_selector_text(value);
    json_decref(value);
    json_decref(what);
    json_decref(from);
    return text;
}

static void test_E10_a_value_that_looks_like_a_field_is_not_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *selector;
        const char *text;
    } cases[] = {
        {"{\"template\":\"{a}-{b}\",\"fields\":{\"a\":{\"pointer\":\"/a\"},\"b\":{\"pointer\":\"/b\"}}}", "{b}-{a}"},
        {"{\"template\":\"<{a}{a}>\",\"fields\":{\"a\":{\"const\":{\"y\":1,\"x\":2}}}}",
         "<{\"x\":2,\"y\":1}{\"x\":2,\"y\":1}>"},
        {"{\"template\":\"plain\"}", "plain"},
        {"{\"pointer\":\"/list/1\"}", "7"},
        {"{\"pointer\":\"/t~1~0\"}", "tilde"},
        {"{\"pointer\":\"\"}", NULL},
        {"{\"present\":\"/a\"}", "true"},
        {"{\"present\":\"/none\"}", "false"},
        {"{\"const\":null}", "null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pawl_error error = {0};
        char *text = taken(cases[i].selector, "{\"a\":\"{b}\",\"b\":\"{a}\",\"list\":[0,7],\"t/~\":\"tilde\"}", &error);
        assert_non_null(text);
        if (cases[i].text != NULL)
            assert_string_equal(text, cases[i].text);
        free(text);
    }
    pawl_error error = {0};
    assert_null(taken("{\"pointer\":\"/list/01\"}", "{\"list\":[0,7]}", &error));
    assert_string_equal(error.code, "event.pointer");
}

static void test_E11_what_is_true(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool truth;
    } cases[] = {{"null", false}, {"false", false}, {"\"\"", false},       {"[]", false},
                 {"{}", false},   {"true", true},   {"0", true},           {"0.0", true},
                 {"\"0\"", true}, {"[0]", true},    {"{\"a\":null}", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *value = json(cases[i].value);
        assert_int_equal(pawl_selector_truth(value), cases[i].truth);
        json_decref(value);
    }
}

static void test_bad_selectors_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"1",
                                      "{}",
                                      "{\"pointer\":\"a\"}",
                                      "{\"pointer\":\"/a\",\"const\":1}",
                                      "{\"payload\":false}",
                                      "{\"template\":\"{a}\"}",
                                      "{\"template\":\"{a\",\"fields\":{}}",
                                      "{\"template\":\"{a}\",\"fields\":{\"a\":{}}}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pawl_error error = {0};
        json_t *selector = json(bad[i]);
        if (pawl_selector_check(selector, "here", &error) == PAWL_OK)
            fail_msg("%s is no selector", bad[i]);
        assert_string_equal(error.code, "selector.invalid");
        json_decref(selector);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_P07_values_fit_or_do_not),
        cmocka_unit_test(test_P07_bad_schemas_are_refused_with_their_place),
        cmocka_unit_test(test_neither_depth_nor_patterns_take_the_host_along),
        cmocka_unit_test(test_a_schema_that_allows_everything_costs_nothing),
        cmocka_unit_test(test_E10_a_value_that_looks_like_a_field_is_not_replaced),
        cmocka_unit_test(test_E11_what_is_true),
        cmocka_unit_test(test_bad_selectors_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
