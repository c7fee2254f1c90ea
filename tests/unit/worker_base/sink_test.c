/* sink_test.c: results and failures that a plugin hands over are copied, limited and never half kept. */
#include "test.h"

#include "worker/base/sink.h"

#include <stdlib.h>

static void test_sink_collects_and_terminates_text(void **state)
{
    (void)state;
    pawl_sink sink;
    pawl_sink_init(&sink, 10);
    assert_string_equal(pawl_sink_text(&sink), "");
    assert_int_equal(pawl_sink_write(&sink, "hello", 5), PAWL_OK);
    assert_int_equal(pawl_sink_write(&sink, "world", 5), PAWL_OK);
    assert_string_equal(pawl_sink_text(&sink), "helloworld");
    assert_int_equal(pawl_sink_bytes(&sink).size, 10);
    pawl_sink_finish(&sink);
}

static void test_sink_keeps_nothing_beyond_its_limit(void **state)
{
    (void)state;
    pawl_sink sink;
    pawl_sink_init(&sink, 4);
    assert_int_equal(pawl_sink_write(&sink, "abc", 3), PAWL_OK);
    assert_int_equal(pawl_sink_write(&sink, "de", 2), PAWL_E_LIMIT);
    assert_int_equal(pawl_sink_write(&sink, "f", 1), PAWL_E_LIMIT); /* would fit, but a hole must not arise */
    assert_true(sink.over);
    assert_string_equal(pawl_sink_text(&sink), "abc");
    assert_int_equal(pawl_sink_write(&sink, NULL, 1), PAWL_E_INVALID);
    assert_int_equal(pawl_sink_write(NULL, "x", 1), PAWL_E_INVALID);
    pawl_sink_finish(&sink);
}

static void test_sink_grows_to_large_results(void **state)
{
    (void)state;
    pawl_sink sink;
    pawl_sink_init(&sink, 1 << 20);
    for (size_t i = 0; i < (1 << 20) / 64; i++)
        assert_int_equal(pawl_sink_write(&sink, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64),
                         PAWL_OK);
    assert_int_equal(pawl_sink_bytes(&sink).size, 1 << 20);
    assert_int_equal(strlen(pawl_sink_text(&sink)), 1 << 20);
    pawl_sink_finish(&sink);
}

static void test_failure_first_one_wins_and_is_copied(void **state)
{
    (void)state;
    char code[] = "http.429";
    pawl_failure failure = {.struct_size = sizeof failure,
                            .klass = PAWL_RETRYABLE,
                            .code = pawl_bytes_text(code),
                            .message = pawl_bytes_text("too many"),
                            .retry_after_ns = 7};
    pawl_failure_slot slot;
    pawl_failure_init(&slot);
    pawl_failure_tell(&slot, &failure);
    memset(code, 'x', sizeof code - 1);
    failure.klass = PAWL_TERMINAL;
    pawl_failure_tell(&slot, &failure);
    assert_int_equal(slot.failure.klass, PAWL_RETRYABLE);
    assert_memory_equal(slot.failure.code.data, "http.429", 8);
    assert_int_equal(slot.failure.retry_after_ns, 7);
    pawl_error error = {0};
    assert_int_equal(pawl_failure_error(&slot, PAWL_E_FAILED, &error), PAWL_E_FAILED);
    assert_string_equal(error.code, "http.429");
    assert_string_equal(error.message, "too many");
    pawl_failure_finish(&slot);
}

static void test_failure_is_cut_to_the_limits_between_characters(void **state)
{
    (void)state;
    char *message = malloc(5000);
    memset(message, 'a', 5000);
    memcpy(message + 4095, "\xC3\xA9", 2); /* would be cut in two at 4096 */
    pawl_failure failure = {.struct_size = sizeof failure, .klass = 99, .message = {message, 5000}};
    pawl_failure_slot slot;
    pawl_failure_init(&slot);
    pawl_failure_tell(&slot, &failure);
    assert_int_equal(slot.failure.message.size, 4095);
    assert_int_equal(slot.failure.klass, PAWL_UNKNOWN_OUTCOME); /* a class nobody knows */
    free(message);
    pawl_failure_finish(&slot);
}

static void test_failure_of_an_older_plugin_is_read_as_far_as_it_goes(void **state)
{
    (void)state;
    pawl_failure failure = {.struct_size = offsetof(pawl_failure, message),
                            .klass = PAWL_TERMINAL,
                            .code = pawl_bytes_text("old"),
                            .message = {(const void *)1, 99}}; /* not part of its struct: must not be touched */
    pawl_failure_slot slot;
    pawl_failure_init(&slot);
    pawl_failure_tell(&slot, &failure);
    assert_int_equal(slot.failure.klass, PAWL_TERMINAL);
    assert_int_equal(slot.failure.message.size, 0);
    pawl_failure_finish(&slot);

    pawl_failure_tell(&slot, NULL);
    assert_true(slot.set);
    assert_int_equal(slot.failure.klass, PAWL_UNKNOWN_OUTCOME);
    pawl_failure_finish(&slot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sink_collects_and_terminates_text),
        cmocka_unit_test(test_sink_keeps_nothing_beyond_its_limit),
        cmocka_unit_test(test_sink_grows_to_large_results),
        cmocka_unit_test(test_failure_first_one_wins_and_is_copied),
        cmocka_unit_test(test_failure_is_cut_to_the_limits_between_characters),
        cmocka_unit_test(test_failure_of_an_older_plugin_is_read_as_far_as_it_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
