/* frozen_test.c: plugins that were built long ago, from abi/golden/, in today's host: loaded like any other, and
 * called. */
#include "tests/unit/loader/fixture.h"

#include "worker/base/sink.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
    fixture files;
    pawl_plugin_set *set;
    const pawl_plugin *plugin;
} frozen;

static int open_frozen(void **state)
{
    static frozen f;
    fixture_open(&f.files);
    /* a checkout may be writable by a group: the copy is what is loaded */
    const pawl_plugin_request request = {.path = fixture_copy_of(&f.files, PAWL_FROZEN_PLUGIN, "frozen.so"),
                                         .dev = true};
    if (pawl_loader_load(&request, 1, f.files.data, fixture_host(), NULL, &f.set, &f.files.error) != PAWL_OK)
        fail_msg("%s", f.files.error.message);
    f.plugin = pawl_plugin_set_at(f.set, 0);
    *state = &f;
    return 0;
}

static int close_frozen(void **state)
{
    frozen *f = *state;
    pawl_plugin_set_close(f->set);
    fixture_close(&f->files);
    return 0;
}

static void test_P02_its_manifest_is_read(void **state)
{
    const frozen *f = *state;
    const pawl_manifest *manifest = f->plugin->manifest;
    assert_string_equal(manifest->id, "frozen.one-zero");
    assert_int_equal(manifest->effect_count, 2);
    assert_int_equal(manifest->effects[1].outcome, PAWL_OUTCOME_RECONCILE);
    assert_int_equal(manifest->operation_count, 1);
    assert_string_equal(manifest->processes[0].name, "frozen.process");
    assert_non_null(f->plugin->effect);
    assert_non_null(f->plugin->connector);
    assert_non_null(f->plugin->process);
    assert_null(f->plugin->connector->start);
    assert_null(f->plugin->storage);
}

static void test_P02_its_effect_answers(void **state)
{
    frozen *f = *state;
    char text[128];
    pawl_error error = {.status = PAWL_OK};
    assert_int_equal(fixture_execute(f->plugin, "hello", 100, text, sizeof text, &error), PAWL_OK);
    assert_string_equal(text, "frozen.echo:hello");
    assert_int_equal(fixture_execute(f->plugin, "", 100, text, sizeof text, &error), PAWL_E_FAILED);
    assert_string_equal(error.code, "frozen.empty");
    assert_string_equal(error.message, "there is nothing to echo");
}

static void test_P02_its_connector_answers(void **state)
{
    frozen *f = *state;
    const pawl_connector_table *table = f->plugin->connector;
    pawl_connector *instance = NULL;
    pawl_sink out;
    pawl_failure_slot why;
    pawl_sink_init(&out, 100);
    pawl_failure_init(&why);
    const pawl_host_root *host = f->plugin->host;
    assert_int_equal(table->create(host, pawl_bytes_text("a"), pawl_bytes_text(""), &instance, &why), PAWL_E_FAILED);
    assert_true(why.set);
    assert_int_equal(why.failure.klass, PAWL_TERMINAL);
    assert_int_equal(why.failure.retry_after_ns, 5);
    assert_int_equal(table->create(host, pawl_bytes_text("a"), pawl_bytes_text("{}"), &instance, &why), PAWL_OK);
    const pawl_effect_call call = {.struct_size = sizeof call,
                                   .attempt = 1,
                                   .host = host,
                                   .operation = pawl_bytes_text("prefix"),
                                   .input = pawl_bytes_text("x")};
    assert_int_equal(table->invoke(instance, &call, &out, &why), PAWL_OK);
    assert_string_equal(pawl_sink_text(&out), "prefix-x");
    table->destroy(instance);
    pawl_failure_finish(&why);
    pawl_sink_finish(&out);
}

/* ---- its process, on a host that answers the first time or the second ----------------------------------------------
 */

typedef struct {
    pawl_process process; /* first, as the ABI has it */
    bool answered;
    char called[64];
    char completed[64];
} activation;

static void keep(char *text, size_t room, pawl_bytes bytes)
{
    snprintf(text, room, "%.*s", (int)bytes.size, (const char *)bytes.data);
}

static pawl_bytes process_input(pawl_process *p)
{
    (void)p;
    return pawl_bytes_text("\"in\"");
}

static pawl_future process_start_call(pawl_process *p, pawl_bytes name, pawl_bytes input,
                                      const pawl_call_options *options)
{
    activation *a = (activation *)p;
    assert_null(options);
    assert_int_equal(input.size, 4);
    keep(a->called, sizeof a->called, name);
    return 1;
}

static pawl_status process_await(pawl_process *p, uint32_t mode, const pawl_future *futures, size_t count,
                                 size_t *index)
{
    assert_int_equal(mode, PAWL_AWAIT_ALL);
    assert_int_equal(count, 1);
    assert_int_equal(futures[0], 1);
    *index = 0;
    return ((activation *)p)->answered ? PAWL_OK : PAWL_SUSPEND;
}

static pawl_status process_result(pawl_process *p, pawl_future future, pawl_bytes *value)
{
    (void)p;
    assert_int_equal(future, 1);
    *value = pawl_bytes_text("\"out\"");
    return PAWL_OK;
}

static pawl_status process_complete(pawl_process *p, pawl_bytes output)
{
    activation *a = (activation *)p;
    keep(a->completed, sizeof a->completed, output);
    return PAWL_OK;
}

static void test_P02_its_process_runs(void **state)
{
    const frozen *f = *state;
    static const pawl_process_host host = {.struct_size = sizeof host,
                                           .input = process_input,
                                           .start_call = process_start_call,
                                           .await = process_await,
                                           .result = process_result,
                                           .complete = process_complete};
    activation a = {.process = {&host}};
    const pawl_process_table *table = f->plugin->process;
    pawl_bytes name = pawl_bytes_text("frozen.process");
    assert_int_equal(table->activate(&a.process, name, 2), PAWL_E_UNSUPPORTED);
    assert_int_equal(table->activate(&a.process, name, 1), PAWL_SUSPEND);
    assert_string_equal(a.called, "frozen.echo");
    assert_string_equal(a.completed, "");
    a.answered = true;
    assert_int_equal(table->activate(&a.process, name, 1), PAWL_OK);
    assert_string_equal(a.completed, "\"out\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_P02_its_manifest_is_read),
        cmocka_unit_test(test_P02_its_effect_answers),
        cmocka_unit_test(test_P02_its_connector_answers),
        cmocka_unit_test(test_P02_its_process_runs),
    };
    return cmocka_run_group_tests(tests, open_frozen, close_frozen);
}
