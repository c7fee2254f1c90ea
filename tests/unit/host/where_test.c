/* where_test.c: what people write to find processes becomes the conditions that they meant, and a mistake is told with
 * its place. */
#include "host/operation/where.h"
#include "worker/base/sink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* after those */
#include <cmocka.h>

static const pawl_attribute attributes[] = {{"customer", PAWL_ATTRIBUTE_KEYWORD},
                                            {"amount", PAWL_ATTRIBUTE_INTEGER},
                                            {"rate", PAWL_ATTRIBUTE_NUMBER},
                                            {"open", PAWL_ATTRIBUTE_BOOLEAN},
                                            {"due", PAWL_ATTRIBUTE_TIME}};
static const pawl_attribute_schema schema = {attributes, 5};

/* In postfix order: "customer eq "x"; amount gt 10; and". */
static void say(const pawl_where *where, char *text, size_t room)
{
    static const char *const words[] = {
        [PAWL_CONDITION_EQUAL] = "eq",     [PAWL_CONDITION_NOT_EQUAL] = "ne", [PAWL_CONDITION_LESS] = "lt",
        [PAWL_CONDITION_AT_MOST] = "le",   [PAWL_CONDITION_MORE] = "gt",      [PAWL_CONDITION_AT_LEAST] = "ge",
        [PAWL_CONDITION_PREFIX] = "begin", [PAWL_CONDITION_IN] = "in",        [PAWL_CONDITION_AND] = "and",
        [PAWL_CONDITION_OR] = "or",        [PAWL_CONDITION_NOT] = "not"};
    text[0] = '\0';
    for (size_t i = 0; i < where->count; i++) {
        const pawl_condition *one = &where->conditions[i];
        size_t used = strlen(text);
        snprintf(text + used, room - used, "%s%.*s%s%s%s%.*s", i == 0 ? "" : "; ", (int)one->name.size,
                 one->name.size == 0 ? "" : (const char *)one->name.data, one->name.size == 0 ? "" : " ",
                 words[one->operation], one->name.size == 0 ? "" : " ", (int)one->value.size,
                 one->value.size == 0 ? "" : (const char *)one->value.data);
    }
}

static void reads(const char *expression, const char *expected)
{
    char text[2048];
    pawl_where where = {0};
    pawl_error error = {0};
    if (pawl_where_read(expression, &schema, &where, &error) != PAWL_OK)
        fail_msg("%s: %s", expression, error.message);
    say(&where, text, sizeof text);
    pawl_where_finish(&where);
    assert_string_equal(text, expected);
}

static void refuses(const char *expression, const char *code, const char *message)
{
    pawl_where where = {0};
    pawl_error error = {0};
    pawl_status status = pawl_where_read(expression, &schema, &where, &error);
    pawl_where_finish(&where);
    assert_true(status == PAWL_E_INVALID || status == PAWL_E_LIMIT);
    assert_string_equal(error.code, code);
    if (strstr(error.message, message) == NULL)
        fail_msg("%s: \"%s\" is not in \"%s\"", expression, message, error.message);
}

static void test_comparisons_become_conditions(void **state)
{
    (void)state;
    reads("customer = \"x\" and amount > 10", "customer eq \"x\"; amount gt 10; and");
    reads("customer='it\\'s \"it\"'", "customer eq \"it's \\\"it\\\"\"");
    reads("amount<-5", "amount lt -5");
    reads("amount >= +7 and amount<=9", "amount ge 7; amount le 9; and");
    reads("rate != 2", "rate ne 2.0");
    reads("rate <> 0.1", "rate ne 0.10000000000000001");
    reads("rate == 1e3", "rate eq 1000.0");
    reads("open = true", "open eq true");
    reads("customer starts with \"ab\"", "customer begin \"ab\"");
    reads("customer ^= \"ab\"", "customer begin \"ab\"");
    reads("amount in (1, 2,3)", "amount in [1,2,3]");
    reads("due < \"2026-02-03T10:00:00Z\"", "due lt 1770112800000000000");
    reads("due < '2026-02-03T11:00:00.5+01:00'", "due lt 1770112800500000000");
    reads("due = 17", "due eq 17");
    reads(" \tcustomer\n= \"\xc3\xa4\" ", "customer eq \"\xc3\xa4\"");
}

static void test_not_binds_before_and_before_or(void **state)
{
    (void)state;
    reads("amount = 1 or amount = 2 and not open = true", "amount eq 1; amount eq 2; open eq true; not; and; or");
    reads("(amount = 1 or amount = 2) and open = true", "amount eq 1; amount eq 2; or; open eq true; and");
    reads("not (not amount = 1)", "amount eq 1; not; not");
    reads("customer not in (\"a\")", "customer in [\"a\"]; not");
}

static void test_mistakes_are_told_with_their_place(void **state)
{
    (void)state;
    refuses("", "where_syntax", "column 1: found the end; wanted the name of an attribute");
    refuses("customer", "where_syntax", "column 9: found the end; wanted =, !=");
    refuses("customer = ", "where_syntax", "column 12: found the end; wanted a string in quotes");
    refuses("customer = x", "where_syntax", "column 12: found x; wanted a string in quotes");
    refuses("customer = \"x", "where_syntax", "without its closing quote");
    refuses("customer = \"x\" amount > 1", "where_syntax", "column 16: found amount; wanted and, or, or the end");
    refuses("(amount = 1", "where_syntax", "column 12: found the end; wanted and, or, or )");
    refuses("amount = 1)", "where_syntax", "column 11: found )");
    refuses("amount in 1", "where_syntax", "wanted ( and the values");
    refuses("amount in (1", "where_syntax", "wanted a comma or )");
    refuses("amount in ()", "where_syntax", "column 12: found )");
    refuses("customer starts \"x\"", "where_syntax", "wanted with");
    refuses("amount = 1 and", "where_syntax", "column 15: found the end");
    refuses("amount & 1", "where_syntax", "column 8: found &");
    refuses("costumer = 1", "attribute_unknown",
            "column 1: no attribute is named \"costumer\"; did you mean customer?");
    refuses("zzzzzzzz = 1", "attribute_unknown", "the profile has customer, amount, rate, open, due");
    refuses("amount = \"x\"", "attribute_type",
            "column 10: attribute \"amount\" is of type integer: wanted a whole number");
    refuses("amount = 1.5", "attribute_type", "found 1.5");
    refuses("customer = 12", "attribute_type", "wanted a string, found 12");
    refuses("open = 1", "attribute_type", "wanted true or false");
    refuses("due = \"tomorrow\"", "attribute_type", "RFC 3339");
    refuses("due = \"2026-02-30T10:00:00Z\"", "attribute_type", "RFC 3339");
    refuses("amount starts with \"1\"", "attribute_type", "only a keyword starts with something");
    refuses("amount = 99999999999999999999", "where_syntax", "column 10");
}

static void test_I10_expressions_have_limits(void **state)
{
    (void)state;
    char text[9000] = "";
    for (int i = 0; i < 40; i++)
        strcat(text, i == 0 ? "amount = 1" : " or amount = 1");
    refuses(text, "where_limit", "more than 64");
    memset(text, '(', 40);
    strcpy(text + 40, "amount = 1");
    refuses(text, "where_limit", "more than 32");
    strcpy(text, "amount in (");
    for (int i = 0; i < 33; i++)
        strcat(text, i == 0 ? "1" : ",1");
    strcat(text, ")");
    refuses(text, "where_limit", "33 values");
    memset(text, ' ', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    refuses(text, "where_limit", "8999 bytes");
}

static void normalises(const char *given, bool removals, const char *expected)
{
    json_t *read = NULL;
    pawl_error error = {0};
    pawl_status status = pawl_attributes_read(&schema, pawl_bytes_text(given), removals, &read, &error);
    if (status != PAWL_OK) {
        assert_string_equal(error.code, expected);
        return;
    }
    char *text = json_dumps(read, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, expected);
    free(text);
    json_decref(read);
}

static void test_values_are_kept_by_the_type_of_the_profile(void **state)
{
    (void)state;
    normalises("{\"rate\":1,\"amount\":2,\"customer\":\"x\",\"open\":false}", false,
               "{\"amount\":2,\"customer\":\"x\",\"open\":false,\"rate\":1.0}");
    normalises("{\"due\":\"1970-01-01T00:00:01Z\"}", false, "{\"due\":1000000000}");
    normalises("{\"amount\":null}", true, "{\"amount\":null}");
    normalises("{\"amount\":null}", false, "attribute_type");
    normalises("{\"amount\":1.0}", false, "attribute_type");
    normalises("{\"rate\":\"1\"}", false, "attribute_type");
    normalises("{\"other\":1}", false, "attribute_unknown");
    normalises("[]", false, "attributes_invalid");
    normalises("{", false, "attributes_invalid");
}

static void test_stored_times_are_shown_as_people_write_them(void **state)
{
    (void)state;
    json_t *shown = pawl_attributes_show(&schema, pawl_bytes_text("{\"amount\":5,\"due\":1770112800500000000}"));
    assert_string_equal(json_string_value(json_object_get(shown, "due")), "2026-02-03T10:00:00.500000000Z");
    assert_int_equal(json_integer_value(json_object_get(shown, "amount")), 5);
    json_decref(shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparisons_become_conditions),
        cmocka_unit_test(test_not_binds_before_and_before_or),
        cmocka_unit_test(test_mistakes_are_told_with_their_place),
        cmocka_unit_test(test_I10_expressions_have_limits),
        cmocka_unit_test(test_values_are_kept_by_the_type_of_the_profile),
        cmocka_unit_test(test_stored_times_are_shown_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
