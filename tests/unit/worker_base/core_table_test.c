/* core_table_test.c: what a plugin can do with pawl.core/1, and that a NULL does no harm. */
#include "test.h"

#include "worker/base/sink.h"
#include "worker/effect/cancel.h"
#include "worker/effect/core_table.h"

typedef struct ended {
    pawl_completion completion;
    pawl_status status;
    size_t size;
} ended;

static void end(pawl_completion *completion, pawl_status status, pawl_bytes result, const pawl_failure *failure)
{
    (void)failure;
    ((ended *)completion)->status = status;
    ((ended *)completion)->size = result.size;
}

static uint64_t seven(const pawl_clock *clock)
{
    (void)clock;
    return 7;
}

static void line(void *context, uint32_t level, const char *text)
{
    (void)level;
    strncpy(context, text, 199);
}

static void test_clock_log_and_completion_are_the_hosts(void **state)
{
    (void)state;
    char text[200] = "";
    pawl_clock clock = {seven, seven};
    pawl_log log = {.level = PAWL_LOG_INFO, .line = line, .context = text};
    pawl_host_data data = {&clock, &log, "shop"};
    pawl_host_root root = {.struct_size = sizeof root, .host_data = &data};
    const pawl_core *core = pawl_core_table();
    assert_int_equal(core->mono_now_ns(&root), 7);
    assert_int_equal(core->unix_now_ns(&root), 7);
    core->log(&root, PAWL_LOG_WARN, pawl_bytes_text("hello"), pawl_bytes_text(""));
    assert_string_equal(text + 24, " warn hello source=shop");

    ended own = {.completion.complete = end};
    core->complete(&own.completion, PAWL_OK, pawl_bytes_text("four"), NULL);
    assert_int_equal(own.status, PAWL_OK);
    assert_int_equal(own.size, 4);
}

static void test_null_does_no_harm(void **state)
{
    (void)state;
    const pawl_core *core = pawl_core_table();
    core->complete(NULL, PAWL_OK, pawl_bytes_text(""), NULL);
    (core->fail)(NULL, NULL); /* not the macro of cmocka */
    core->log(NULL, PAWL_LOG_WARN, pawl_bytes_text("x"), pawl_bytes_text(""));
    assert_int_equal(core->sink_write(NULL, "x", 1), PAWL_E_INVALID);
    assert_int_equal(core->cancel_requested(NULL), 0);
    assert_int_equal(core->cancel_fd(NULL), -1);
    assert_true(core->mono_now_ns(NULL) > 0);
    assert_true(PAWL_HAS(core, pawl_core, unix_now_ns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_log_and_completion_are_the_hosts),
        cmocka_unit_test(test_null_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
