/* json_test.c: a journal entry for people and tools. */
#include "worker/journal_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* needs setjmp, stdarg and stddef */

static pawl_bytes text(const char *text)
{
    return (pawl_bytes){text, strlen(text)};
}

static void expect(const pawl_entry *entry, bool with_values, const char *expected)
{
    json_t *json = NULL;
    assert_int_equal(pawl_entry_to_json(entry, with_values, &json), PAWL_OK);
    char *found = json_dumps(json, JSON_COMPACT);
    assert_string_equal(found, expected);
    free(found);
    json_decref(json);
}

static void test_a_step(void **state)
{
    (void)state;
    pawl_entry entry = {.kind = PAWL_RECORD_STEP,
                        .sequence = 4,
                        .time_unix_ns = 1700000000123456789,
                        .ordinal = 2,
                        .attempt = 1,
                        .name = text("bank.charge"),
                        .value = text("{\"paid\":true}")};
    expect(&entry, false,
           "{\"sequence\":4,\"time\":\"2023-11-14T22:13:20.123456789Z\",\"time_unix_ns\":1700000000123456789,"
           "\"kind\":\"step\",\"ordinal\":2,\"attempt\":1,\"name\":\"bank.charge\","
           "\"input_digest\":\"00000000000000000000000000000000\",\"result\":{\"paid\":true}}");
    entry.failed = true;
    entry.failure = (pawl_failure){.klass = PAWL_RETRYABLE,
                                   .code = text("http.429"),
                                   .message = text("slow \"down\""),
                                   .detail_json = text("{\"n\":1}"),
                                   .retry_after_ns = UINT64_MAX};
    expect(&entry, false,
           "{\"sequence\":4,\"time\":\"2023-11-14T22:13:20.123456789Z\",\"time_unix_ns\":1700000000123456789,"
           "\"kind\":\"step\",\"ordinal\":2,\"attempt\":1,\"name\":\"bank.charge\","
           "\"input_digest\":\"00000000000000000000000000000000\",\"failure\":{\"class\":\"retryable\","
           "\"code\":\"http.429\",\"message\":\"slow \\\"down\\\"\",\"detail\":{\"n\":1},"
           "\"retry_after_ns\":9223372036854775807}}");
}

#define HEAD "{\"sequence\":0,\"time\":\"1970-01-01T00:00:00.000000000Z\",\"time_unix_ns\":0,\"kind\":"

static void test_every_kind_has_its_words(void **state)
{
    (void)state;
    expect(&(pawl_entry){.kind = PAWL_RECORD_STARTED, .value = text("[1]")}, false, HEAD "\"started\",\"input\":[1]}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_SIGNAL, .name = text("go"), .value = text("\"x\"")}, false,
           HEAD "\"signal\",\"name\":\"go\",\"payload\":\"x\"}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_CANCEL, .value = text("stop")}, false,
           HEAD "\"cancel\",\"reason\":\"stop\"}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_CANCEL, .status = PAWL_FAILED, .value = text("late")}, false,
           HEAD "\"cancel\",\"reason\":\"late\",\"by_deadline\":true}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_RESUMED, .value = text("")}, false, HEAD "\"resumed\",\"reason\":\"\"}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_PARKED, .failure.code = text("limit"), .value = text("too much")}, false,
           HEAD "\"parked\",\"code\":\"limit\",\"message\":\"too much\"}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_ENDED, .status = PAWL_COMPLETED, .value = text("1")}, false,
           HEAD "\"ended\",\"status\":\"completed\",\"output\":1}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_ENDED, .status = PAWL_CANCELLED, .failed = true}, false,
           HEAD "\"ended\",\"status\":\"cancelled\",\"failure\":{\"class\":\"unknown_outcome\",\"code\":\"\","
                "\"message\":\"\"}}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_TIMER, .ordinal = 3, .after_ns = 5, .due_unix_ns = 1000000001}, false,
           HEAD "\"timer\",\"ordinal\":3,\"after_ns\":5,\"due\":\"1970-01-01T00:00:01.000000001Z\","
                "\"due_unix_ns\":1000000001}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_FIRED, .ordinal = 3}, false, HEAD "\"fired\",\"ordinal\":3}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_NOW, .ordinal = 3, .due_unix_ns = 1000000000}, false,
           HEAD "\"now\",\"ordinal\":3,\"value\":\"1970-01-01T00:00:01.000000000Z\",\"value_unix_ns\":1000000000}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_INTENT, .ordinal = 1, .attempt = 2, .name = text("a")}, false,
           HEAD "\"intent\",\"ordinal\":1,\"attempt\":2,\"name\":\"a\","
                "\"input_digest\":\"00000000000000000000000000000000\"}");
    pawl_entry rollback = {.kind = PAWL_RECORD_ROLLBACK, .ordinal = 4, .name = text("a"), .value = text("1")};
    expect(&rollback, false, HEAD "\"rollback\",\"ordinal\":4,\"name\":\"a\",\"input\":1}");
    rollback.of = 3;
    expect(&rollback, false, HEAD "\"rollback\",\"ordinal\":4,\"of\":3,\"name\":\"a\",\"input\":1}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_COMPENSATING, .status = PAWL_FAILED, .failed = true}, false,
           HEAD "\"compensating\",\"status\":\"failed\",\"failure\":{\"class\":\"unknown_outcome\",\"code\":\"\","
                "\"message\":\"\"}}");
    pawl_entry update = {.kind = PAWL_RECORD_UPDATE, .name = text("add"), .value = text("1")};
    update.failure.code = text("u1");
    expect(&update, false, HEAD "\"update\",\"name\":\"add\",\"update_id\":\"u1\",\"payload\":1}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_REPLY, .ordinal = 3, .name = text("u1"), .value = text("2")}, false,
           HEAD "\"reply\",\"ordinal\":3,\"update_id\":\"u1\",\"reply\":2}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_MARKER, .name = text("a"), .status = 2}, false,
           HEAD "\"marker\",\"name\":\"a\",\"version\":2}");
    expect(&(pawl_entry){.kind = PAWL_RECORD_PINNED, .name = text("shop"), .status = 2, .value = text("\x01\xfe")},
           false, HEAD "\"pinned\",\"plugin\":\"shop\",\"revision\":2,\"digest\":\"01fe\"}");
    expect(&(pawl_entry){.kind = 99}, false, HEAD "\"unknown\"}");
}

static void test_values_that_are_not_json(void **state)
{
    (void)state;
    pawl_entry entry = {.kind = PAWL_RECORD_STARTED, .value = text("hello {")};
    expect(&entry, false, HEAD "\"started\",\"input\":\"hello {\",\"input_encoding\":\"text\"}");
    entry.value = (pawl_bytes){"\xff\xfe\x00", 3};
    expect(&entry, false, HEAD "\"started\",\"input\":\"//4A\",\"input_encoding\":\"base64\"}");
    entry.value = (pawl_bytes){"\xff\xfe", 2};
    expect(&entry, false, HEAD "\"started\",\"input\":\"//4=\",\"input_encoding\":\"base64\"}");
    entry.value = (pawl_bytes){"\xff", 1};
    expect(&entry, false, HEAD "\"started\",\"input\":\"/w==\",\"input_encoding\":\"base64\"}");
    entry.value = (pawl_bytes){NULL, 0};
    expect(&entry, false, HEAD "\"started\",\"input\":\"\",\"input_encoding\":\"text\"}");
    entry.value = text("123456789012345678901234567890"); /* no JSON library keeps that */
    expect(&entry, false, HEAD "\"started\",\"input\":\"123456789012345678901234567890\",\"input_encoding\":\"text\"}");
}

static void test_long_values_are_cut_unless_asked_for(void **state)
{
    (void)state;
    char value[2001];
    value[0] = '"';
    for (size_t i = 1; i < 1999; i += 2)
        memcpy(value + i, "\xc3\xa4", 2); /* two bytes a letter, so that a cut at 512 would split one */
    value[1999] = '"';
    pawl_entry entry = {.kind = PAWL_RECORD_STARTED, .value = {value, 2000}};
    json_t *json = NULL;
    assert_int_equal(pawl_entry_to_json(&entry, false, &json), PAWL_OK);
    assert_int_equal(json_string_length(json_object_get(json, "input")), 511);
    assert_string_equal(json_string_value(json_object_get(json, "input_encoding")), "text");
    assert_string_equal(json_string_value(json_object_get(json, "input_note")), "the first 512 of 2000 bytes");
    json_decref(json);
    assert_int_equal(pawl_entry_to_json(&entry, true, &json), PAWL_OK);
    assert_int_equal(json_string_length(json_object_get(json, "input")), 1998);
    assert_null(json_object_get(json, "input_note"));
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_step),
        cmocka_unit_test(test_every_kind_has_its_words),
        cmocka_unit_test(test_values_that_are_not_json),
        cmocka_unit_test(test_long_values_are_cut_unless_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
