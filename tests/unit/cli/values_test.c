/* values_test.c: taking targets apart, and bytes into JSON and back, without a server. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "host/api/uri.h"
#include "host/api/values.h"

static void test_uri_round_trip_of_every_byte(void **state)
{
    (void)state;
    char text[256];
    for (int i = 1; i < 256; i++)
        text[i - 1] = (char)i;
    text[255] = '\0';
    char *path = pawl_client_query(pawl_client_process_path(text, "/wait"), "type", text);
    pawl_uri uri;
    pawl_error error = {0};
    assert_int_equal(pawl_uri_parse(path, &uri, &error), PAWL_OK);
    assert_int_equal(uri.segment_count, 4);
    assert_string_equal(uri.segments[2], text);
    assert_string_equal(uri.segments[3], "wait");
    assert_string_equal(pawl_uri_query(&uri, "type"), text);
    pawl_uri_finish(&uri);
    free(path);
}

static void test_uri_survives_any_text(void **state)
{
    (void)state;
    static const char alphabet[] = "/%?&=+aZ0.";
    unsigned seed = 7;
    for (int round = 0; round < 20000; round++) {
        char text[40] = "/";
        size_t size = 1 + (seed >> 8) % 38;
        for (size_t i = 1; i < size; i++) {
            seed = seed * 1103515245u + 12345u;
            text[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        seed = seed * 1103515245u + 12345u;
        pawl_uri uri;
        pawl_error error = {0};
        if (pawl_uri_parse(text, &uri, &error) == PAWL_OK)
            pawl_uri_finish(&uri);
        else
            assert_true(error.status < 0 && error.message[0] != '\0');
    }
}

static void test_content_round_trip(void **state)
{
    (void)state;
    unsigned char bytes[600];
    for (size_t size = 0; size < sizeof bytes; size++) {
        bytes[size] = (unsigned char)(size * 151u + 200u);
        json_t *object = json_object();
        assert_true(pawl_value_put_content(object, "output", (pawl_bytes){bytes, size}));
        pawl_bytes back = {0};
        pawl_error error = {0};
        assert_int_equal(pawl_value_content(object, "output", &back, &error), PAWL_OK);
        if (json_object_get(object, "output_base64") != NULL) {
            assert_int_equal(back.size, size);
            assert_memory_equal(back.data, bytes, size);
        }
        free((void *)(uintptr_t)back.data);
        json_decref(object);
    }
}

static void test_json_content_keeps_its_meaning(void **state)
{
    (void)state;
    static const char *const values[] = {"1",    "-2.5",           "\"text\"",         "null",
                                         "true", "[1,{\"a\":[]}]", "{\"b\":1,\"a\":2}"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        json_t *object = json_object();
        pawl_bytes back = {0};
        pawl_error error = {0};
        assert_true(pawl_value_put_content(object, "input", (pawl_bytes){values[i], strlen(values[i])}));
        assert_int_equal(pawl_value_content(object, "input", &back, &error), PAWL_OK);
        assert_int_equal(back.size, strlen(values[i]));
        assert_memory_equal(back.data, values[i], back.size);
        free((void *)(uintptr_t)back.data);
        json_decref(object);
    }
}

static void test_base64_with_padding_in_the_wrong_place_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"A=AA", "====", "=AAA", "A=A=", "AAA=AAAA", " AAA", "AAA", "-_-_"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        pawl_error error = {0};
        pawl_bytes bytes = {0};
        json_t *object = json_pack("{s:s}", "input_base64", texts[i]);
        assert_int_equal(pawl_value_content(object, "input", &bytes, &error), PAWL_E_INVALID);
        assert_string_equal(error.code, "api.base64");
        assert_null(bytes.data);
        json_decref(object);
    }
}

static void test_outcome_of_any_bytes(void **state)
{
    (void)state;
    pawl_outcome outcome = {.struct_size = sizeof outcome, .status = PAWL_FAILED};
    outcome.code = (pawl_bytes){"a.b", 3};
    outcome.message = (pawl_bytes){"\xff\xfe", 2};
    outcome.detail_json = (pawl_bytes){"{\"n\":1}", 7};
    json_t *json = pawl_value_outcome(&outcome);
    assert_string_equal(json_string_value(json_object_get(json, "status")), "failed");
    assert_string_equal(json_string_value(json_object_get(json, "message_base64")), "//4=");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "detail"), "n")), 1);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uri_round_trip_of_every_byte),
        cmocka_unit_test(test_uri_survives_any_text),
        cmocka_unit_test(test_content_round_trip),
        cmocka_unit_test(test_json_content_keeps_its_meaning),
        cmocka_unit_test(test_base64_with_padding_in_the_wrong_place_is_refused),
        cmocka_unit_test(test_outcome_of_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
