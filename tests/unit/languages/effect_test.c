/* effect_test.c: effects and connectors in C++ and Rust: results, what exceptions and panics become at the edge, and
 * that a call which was taken over always ends, once. */
#include "sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct pawl_sink {
    char text[256];
    size_t size;
};

struct pawl_failure_sink {
    uint32_t klass;
    char code[64], message[128], detail[64];
    uint64_t retry_after_ns;
};

struct pawl_completion {
    int ends;
    pawl_status status;
    char text[64]; /* the result, or the code of the failure */
};

static void keep(char *text, size_t room, pawl_bytes bytes)
{
    assert_true(bytes.size < room);
    if (bytes.size > 0)
        memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
}

static pawl_status PAWL_CALL sink_write(pawl_sink *sink, const void *data, size_t size)
{
    assert_true(sink->size + size < sizeof sink->text);
    memcpy(sink->text + sink->size, data, size);
    sink->size += size;
    return PAWL_OK;
}

static void PAWL_CALL core_fail(pawl_failure_sink *sink, const pawl_failure *failure)
{
    sink->klass = failure->klass;
    keep(sink->code, sizeof sink->code, failure->code);
    keep(sink->message, sizeof sink->message, failure->message);
    keep(sink->detail, sizeof sink->detail, failure->detail_json);
    sink->retry_after_ns = failure->retry_after_ns;
}

static void PAWL_CALL core_complete(pawl_completion *completion, pawl_status status, pawl_bytes result,
                                    const pawl_failure *failure)
{
    completion->ends++;
    completion->status = status;
    keep(completion->text, sizeof completion->text, status == PAWL_OK ? result : failure->code);
}

static const void *PAWL_CALL extension(const pawl_host_root *host, const char *id)
{
    static const pawl_core core = {
        .struct_size = sizeof core, .sink_write = sink_write, .fail = core_fail, .complete = core_complete};
    (void)host;
    return strcmp(id, PAWL_EXT_CORE) == 0 ? &core : NULL;
}

static const pawl_host_root host = {.struct_size = sizeof host, .get_extension = extension};

static pawl_effect_call call_of(const char *operation, const char *input)
{
    return (pawl_effect_call){.struct_size = sizeof(pawl_effect_call),
                              .attempt = 1,
                              .host = &host,
                              .operation = pawl_bytes_of_text(operation),
                              .input = pawl_bytes_of_text(input),
                              .idempotency_key = pawl_bytes_of_text("p/1/1")};
}

static void test_a_result_is_written(void **state)
{
    (void)state;
    const pawl_effect_table *table = sample_factory(PAWL_FACTORY_EFFECT);
    pawl_effect_call call = call_of("echo", "a \"b\"\n");
    pawl_sink out = {.size = 0};
    assert_int_equal(table->execute(&call, &out, NULL), PAWL_OK);
    assert_string_equal(out.text, "{\"echo\":\"a \\\"b\\\"\\u000a\",\"key\":\"p/1/1\"}");
    call = call_of("unknown", "");
    assert_int_equal(table->execute(&call, &out, NULL), PAWL_E_UNSUPPORTED);
    call = call_of("answer", "");
    assert_int_equal(table->execute(&call, &out, NULL), PAWL_E_UNSUPPORTED);
}

static pawl_failure_sink failed(pawl_status (*execute)(const pawl_effect_call *, pawl_sink *, pawl_failure_sink *),
                                const char *input)
{
    pawl_effect_call call = call_of("echo", input);
    pawl_sink out = {.size = 0};
    pawl_failure_sink why = {.klass = 0};
    assert_int_equal(execute(&call, &out, &why), PAWL_E_FAILED);
    assert_int_equal(out.size, 0);
    return why;
}

static void test_exceptions_become_failures(void **state)
{
    (void)state;
    const pawl_effect_table *table = sample_factory(PAWL_FACTORY_EFFECT);
    pawl_failure_sink why = failed(table->execute, "later");
    assert_int_equal(why.klass, PAWL_RETRYABLE);
    assert_string_equal(why.code, "echo.later");
    assert_string_equal(why.message, "not now");
    assert_string_equal(why.detail, "{\"why\":1}");
    assert_int_equal(why.retry_after_ns, 3000000000u);
    why = failed(table->execute, "throw");
    assert_int_equal(why.klass, PAWL_UNKNOWN_OUTCOME);
    assert_string_equal(why.code, THROWN_BY_EFFECT);
    assert_string_equal(why.message, "a plain exception");
    why = failed(table->execute, "number");
    assert_int_equal(why.klass, PAWL_UNKNOWN_OUTCOME);
    assert_string_equal(why.code, THROWN_BY_EFFECT);
}

static void test_whether_it_happened(void **state)
{
    (void)state;
    const pawl_effect_table *table = sample_factory(PAWL_FACTORY_EFFECT);
    pawl_sink out = {.size = 0};
    pawl_effect_call call = call_of("echo", "yes");
    assert_int_equal(table->reconcile(&call, &out, NULL), PAWL_OK);
    assert_string_equal(out.text, "it was");
    call = call_of("echo", "no");
    assert_int_equal(table->reconcile(&call, &out, NULL), PAWL_E_NOT_FOUND);
    assert_string_equal(failed(table->reconcile, "throw").code, "echo.unknown");
    call = call_of("alive", "");
    assert_int_equal(table->reconcile(&call, &out, NULL), PAWL_E_UNSUPPORTED);
}

static pawl_completion answered(const char *input)
{
    const pawl_effect_table *table = sample_factory(PAWL_FACTORY_EFFECT);
    pawl_effect_call call = call_of("answer", input);
    pawl_completion done = {.ends = 0};
    pawl_failure_sink why = {.klass = 0};
    assert_int_equal(table->start(&call, &done, &why), PAWL_PENDING);
    assert_string_equal(why.code, "");
    assert_int_equal(done.ends, 1);
    return done;
}

static void test_a_call_that_was_taken_over_ends_once(void **state)
{
    (void)state;
    assert_string_equal(answered("later on").text, "later on");
    assert_string_equal(answered("fail").text, "answer.no");
    assert_string_equal(answered("drop").text, "effect.dropped");
    assert_string_equal(answered("forget").text, "effect.dropped");
}

static void test_a_call_that_was_not_begun_ends_at_once(void **state)
{
    (void)state;
    const pawl_effect_table *table = sample_factory(PAWL_FACTORY_EFFECT);
    pawl_effect_call call = call_of("answer", "refuse");
    pawl_completion done = {.ends = 0};
    pawl_failure_sink why = {.klass = 0};
#ifdef SAMPLE_IS_RUST /* where the completion alone says how the call ends */
    assert_int_equal(table->start(&call, &done, &why), PAWL_PENDING);
    assert_string_equal(done.text, "answer.refused");
    assert_int_equal(done.ends, 1);
#else
    assert_int_equal(table->start(&call, &done, &why), PAWL_E_FAILED);
    assert_string_equal(why.code, "answer.refused");
    assert_int_equal(done.ends, 0);
#endif
}

static void test_instances_of_a_connector(void **state)
{
    (void)state;
    const pawl_connector_table *table = sample_factory(PAWL_FACTORY_CONNECTOR);
    pawl_failure_sink why = {.klass = 0};
    pawl_connector *one = NULL, *two = NULL, *none = NULL;
    assert_int_equal(table->create(&host, pawl_bytes_of_text("bad"), pawl_bytes_of_text("[]"), &none, &why),
                     PAWL_E_FAILED);
    assert_null(none);
    assert_string_equal(why.code, "counter.config");
    assert_int_equal(table->create(&host, pawl_bytes_of_text("one"), pawl_bytes_of_text("{}"), &one, &why), PAWL_OK);
    assert_int_equal(table->create(&host, pawl_bytes_of_text("two"), pawl_bytes_of_text("{}"), &two, &why), PAWL_OK);
    pawl_effect_call call = call_of("next", "");
    pawl_sink out = {.size = 0};
    assert_int_equal(table->invoke(one, &call, &out, &why), PAWL_OK);
    assert_int_equal(table->invoke(two, &call, &out, &why), PAWL_OK);
    assert_int_equal(table->invoke(one, &call, &out, &why), PAWL_OK);
    assert_string_equal(out.text, "one 1two 1one 2");
#ifndef SAMPLE_IS_RUST
    assert_int_equal(table->start(one, &call, NULL, &why), PAWL_E_UNSUPPORTED);
#endif
    assert_int_equal(table->reconcile(one, &call, &out, &why), PAWL_E_UNSUPPORTED);
    table->destroy(one);
    table->destroy(two);
    table->destroy(NULL);
}

static void test_the_entry(void **state)
{
    (void)state;
    const pawl_plugin_root *root = sample_root();
    pawl_failure_sink why = {.klass = 0};
    assert_string_equal(root->id, "com.example.sample");
    assert_null(root->get_factory(PAWL_FACTORY_STORAGE));
    assert_int_equal(root->init(&host, pawl_bytes_of_text("{}"), &why), PAWL_OK);
    assert_int_equal(root->init(&host, pawl_bytes_of_text("bad"), &why), PAWL_E_FAILED);
    assert_string_equal(why.code, "sample.config");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_result_is_written),
        cmocka_unit_test(test_exceptions_become_failures),
        cmocka_unit_test(test_whether_it_happened),
        cmocka_unit_test(test_a_call_that_was_taken_over_ends_once),
        cmocka_unit_test(test_a_call_that_was_not_begun_ends_at_once),
        cmocka_unit_test(test_instances_of_a_connector),
        cmocka_unit_test(test_the_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
