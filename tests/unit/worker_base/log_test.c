/* log_test.c: lines are whole, one line each, and fields cannot forge others. */
#include "test.h"

#include "worker/base/log.h"
#include "worker/base/sink.h"

#include <jansson.h>
#include <stdlib.h>

typedef struct capture {
    char line[32768];
    uint32_t level;
    unsigned count;
} capture;

static void take(void *context, uint32_t level, const char *line)
{
    capture *into = context;
    into->level = level;
    into->count++;
    assert_true(strlen(line) < sizeof into->line);
    strcpy(into->line, line);
    assert_null(strchr(line, '\n'));
}

static void test_text_line_has_time_level_message_fields(void **state)
{
    (void)state;
    capture got = {0};
    pawl_log log = {.level = PAWL_LOG_INFO, .line = take, .context = &got};
    pawl_log_write(&log, PAWL_LOG_WARN, "lease lost", "process", "p1", "why", "two words", (char *)NULL);
    assert_int_equal(got.level, PAWL_LOG_WARN);
    assert_int_equal(got.line[10], 'T');
    assert_int_equal(got.line[23], 'Z');
    assert_string_equal(got.line + 24, " warn lease lost process=p1 why=\"two words\"");
}

static void test_lines_below_the_level_are_dropped(void **state)
{
    (void)state;
    capture got = {0};
    pawl_log log = {.level = PAWL_LOG_WARN, .line = take, .context = &got};
    pawl_log_write(&log, PAWL_LOG_INFO, "no", (char *)NULL);
    pawl_log_write(NULL, PAWL_LOG_ERROR, "no", (char *)NULL);
    pawl_log_plugin(&log, PAWL_LOG_DEBUG, "shop", pawl_bytes_text("no"), pawl_bytes_text(""));
    assert_int_equal(got.count, 0);
    pawl_log_plugin(&log, 77, "shop", pawl_bytes_text("yes"), pawl_bytes_text("")); /* an unknown level is not lost */
    assert_int_equal(got.level, PAWL_LOG_ERROR);
}

static json_t *parsed(const capture *got)
{
    json_t *line = json_loads(got->line, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    return line;
}

static void test_json_line_survives_hostile_values(void **state)
{
    (void)state;
    capture got = {0};
    pawl_log log = {.level = PAWL_LOG_DEBUG, .json = true, .line = take, .context = &got};
    pawl_log_write(&log, PAWL_LOG_INFO, "a\"b\n\xFF", "k", "v\",\"level\":\"error\\", (char *)NULL);
    json_t *line = parsed(&got);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "info");
    assert_string_equal(json_string_value(json_object_get(line, "message")), "a\"b\n\xEF\xBF\xBD");
    assert_string_equal(json_string_value(json_object_get(line, "k")), "v\",\"level\":\"error\\");
    json_decref(line);
}

static void test_plugin_fields_stay_in_their_own_object(void **state)
{
    (void)state;
    capture got = {0};
    pawl_log log = {.level = PAWL_LOG_DEBUG, .json = true, .line = take, .context = &got};
    pawl_log_plugin(&log, PAWL_LOG_INFO, "shop", pawl_bytes_text("hi"), pawl_bytes_text("{\"level\":\"x\",\"n\":1}"));
    json_t *line = parsed(&got);
    assert_string_equal(json_string_value(json_object_get(line, "source")), "shop");
    assert_string_equal(json_string_value(json_object_get(json_object_get(line, "fields"), "level")), "x");
    json_decref(line);
    pawl_log_plugin(&log, PAWL_LOG_INFO, "shop", pawl_bytes_text("hi"), pawl_bytes_text("{broken"));
    line = parsed(&got);
    assert_string_equal(json_string_value(json_object_get(line, "fields")), "{broken");
    json_decref(line);
    log.json = false;
    pawl_log_plugin(&log, PAWL_LOG_INFO, "shop", pawl_bytes_text("hi"), pawl_bytes_text("{\"n\":1,\"s\":\"a b\"}"));
    assert_string_equal(got.line + 24, " info hi source=shop n=1 s=\"a b\"");
}

static void test_a_line_that_is_too_long_is_cut_and_says_so(void **state)
{
    (void)state;
    capture got = {0};
    pawl_log log = {.level = PAWL_LOG_DEBUG, .json = true, .line = take, .context = &got};
    char *huge = malloc(100001);
    memset(huge, 'x', 100000);
    huge[100000] = '\0';
    pawl_log_write(&log, PAWL_LOG_INFO, huge, "first", "kept", "second", huge, (char *)NULL);
    json_t *line = parsed(&got);
    assert_string_equal(json_string_value(json_object_get(line, "first")), "kept");
    assert_true(json_is_true(json_object_get(line, "cut")));
    json_decref(line);
    free(huge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_line_has_time_level_message_fields),
        cmocka_unit_test(test_lines_below_the_level_are_dropped),
        cmocka_unit_test(test_json_line_survives_hostile_values),
        cmocka_unit_test(test_plugin_fields_stay_in_their_own_object),
        cmocka_unit_test(test_a_line_that_is_too_long_is_cut_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
