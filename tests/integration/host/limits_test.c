/* limits_test.c: why it exists: the limits of a profile hold what is ready, the next one follows when something leaves,
 * and a process says which limit it stands behind. */
#include "fixture.h"

#include "test_plugin.h"

#include <stdio.h>
#include <stdlib.h>

static fixture *opened(const char *provider, const char *extra)
{
    fixture *own = fixture_make(provider);
    test_plugin_reset();
    own->extra = extra;
    fixture_open(own);
    return own;
}

static void start_under(fixture *own, const char *id, const char *type, const char *key, uint32_t priority)
{
    const pawl_start wanted = {
        .struct_size = sizeof wanted, .id = id, .type = type, .input = {"1", 1}, .key = key, .priority = priority};
    assert_ok(pawl_host_start(own->host, &wanted, NULL, &why_));
}

static void expect_why(fixture *own, const char *id, const char *part)
{
    json_t *row = shown(own, id);
    assert_string_equal(text_of(row, "status"), "ready");
    assert_has(text_of(row, "why"), part);
    json_decref(row);
}

static void cancel(fixture *own, const char *id)
{
    assert_ok(pawl_host_cancel(own->host, id, "enough", &why_));
}

static void test_V03_a_process_says_which_limit_holds_it(void **state)
{
    fixture *own = opened(*state, "types: { test.block: { concurrency: 3, per_key: { concurrency: 1 } } }\n");
    start_under(own, "a1", "test.block", "acme", 0);
    json_decref(until(own, "a1", "running"));
    start_under(own, "a2", "test.block", "acme", 0);
    start_under(own, "a3", "test.block", "acme", 0);
    start_under(own, "b1", "test.block", "bolt", 0);
    json_decref(until(own, "b1", "running"));
    expect_why(own, "a2", "ready, but key acme of type test.block is at its concurrency limit of 1");
    expect_why(own, "a3", "1 before it under key acme");
    start_under(own, "n1", "test.block", NULL, 0);
    json_decref(until(own, "n1", "running"));
    start_under(own, "n2", "test.block", NULL, 0);
    expect_why(own, "n2", "ready, but type test.block is at its concurrency limit of 3");
    pawl_text text = {0};
    assert_ok(pawl_host_describe(own->host, &text, &why_));
    json_t *host = json_of(&text);
    const json_t *type;
    size_t i;
    json_array_foreach(json_object_get(host, "types"), i, type)
    {
        bool limited = strcmp(text_of(type, "name"), "test.block") == 0;
        assert_int_equal(json_integer_value(json_object_get(type, "concurrency")), limited ? 3 : 0);
        assert_int_equal(json_integer_value(json_object_get(json_object_get(type, "per_key"), "concurrency")), limited);
    }
    assert_true(json_integer_value(json_object_get(json_object_get(host, "limits"), "value_bytes")) > 0);
    json_decref(host);
    cancel(own, "b1");
    json_decref(until(own, "n2", "running"));
    cancel(own, "a1");
    json_decref(until(own, "a2", "running"));
    expect_why(own, "a3", "limit of");
    cancel(own, "a2");
    json_decref(until(own, "a3", "running"));
    cancel(own, "a3");
    cancel(own, "n1");
    cancel(own, "n2");
    expect_end(own, "n2", "cancelled", NULL);
    fixture_remove(own);
}

static void test_V03_a_rate_is_kept_and_told(void **state)
{
    fixture *own = opened(*state, "types: { test.echo: { rate_limit: { rate: 2, per: 1h } } }\n");
    start_under(own, "e1", "test.echo", NULL, 0);
    start_under(own, "e2", "test.echo", NULL, 0);
    expect_end(own, "e1", "completed", NULL);
    expect_end(own, "e2", "completed", NULL);
    start_under(own, "e3", "test.echo", NULL, 0);
    expect_why(own, "e3", "ready, but type test.echo is at its rate limit of one in 1800 s");
    start_under(own, "other", "test.upper", NULL, 0);
    expect_end(own, "other", "completed", NULL);
    expect_why(own, "e3", "rate limit");
    fixture_remove(own);
}

static void start_in(fixture *own, const char *id, const char *session)
{
    const pawl_start wanted = {.struct_size = sizeof wanted, .id = id, .type = "test.gate", .session = session};
    assert_ok(pawl_host_start(own->host, &wanted, NULL, &why_));
}

static void test_V02_exclusive_processes_say_behind_whom_they_wait(void **state)
{
    fixture *own = opened(*state, "types: { test.gate: { exclusive: true } }\n");
    start_in(own, "a", "s");
    start_in(own, "b", "s");
    start_in(own, "alone", NULL);
    start_in(own, "other", "other");
    json_decref(until(own, "a", "waiting"));
    json_t *row = shown(own, "b");
    assert_string_equal(text_of(row, "status"), "waiting");
    assert_has(text_of(row, "why"), "waits for its turn, behind process \"a\" of session \"s\"");
    json_decref(row);
    signal_it(own, "b", "go", "2");
    signal_it(own, "alone", "go", "3");
    signal_it(own, "other", "go", "4");
    expect_end(own, "alone", "completed", "3");
    expect_end(own, "other", "completed", "4");
    row = shown(own, "b");
    assert_has(text_of(row, "why"), "waits for its turn");
    json_decref(row);
    signal_it(own, "a", "go", "1");
    expect_end(own, "a", "completed", "1");
    expect_end(own, "b", "completed", "2");
    fixture_remove(own);
}

static void test_V02_a_priority_out_of_range_is_refused(void **state)
{
    fixture *own = opened(*state, NULL);
    pawl_error error = {0};
    const pawl_start wanted = {.struct_size = sizeof wanted, .id = "p", .type = "test.echo", .priority = 6};
    assert_int_equal(pawl_host_start(own->host, &wanted, NULL, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "invalid_priority");
    assert_has(error.message, "the priority is 6; wanted 1 (first) to 5 (last)");
    start_under(own, "p", "test.gate", "acme", 1);
    json_t *row = until(own, "p", "waiting");
    assert_int_equal(json_integer_value(json_object_get(row, "priority")), 1);
    assert_string_equal(text_of(row, "key"), "acme");
    json_decref(row);
    fixture_remove(own);
}

static void test_V03_limits_for_an_unknown_type_have_their_place(void **state)
{
    fixture *own = fixture_make(*state);
    pawl_error error = {0};
    char profile[512];
    snprintf(profile, sizeof profile,
             "profile: test\ntier: inline\ndata: %s\nstores: { main: { provider: %s } }\n"
             "types:\n  test.ecko:\n    concurrency: 1\n",
             own->directory, own->provider);
    assert_int_equal(fixture_try_open(own, profile, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "profile.unknown_type");
    assert_has(error.message, ":6:3: ");
    assert_has(error.message, "did you mean \"test.echo\"?");
    fixture_remove(own);
}

int main(void)
{
#define OVER_EACH(test)                                                                                                \
    {#test "/memory", test, NULL, NULL, (void *)(uintptr_t) "memory"},                                                 \
    {                                                                                                                  \
#test "/rocksdb", test, NULL, NULL, (void *)(uintptr_t) "rocksdb"                                              \
    }
    const struct CMUnitTest tests[] = {
        OVER_EACH(test_V03_a_process_says_which_limit_holds_it),
        OVER_EACH(test_V03_a_rate_is_kept_and_told),
        OVER_EACH(test_V02_exclusive_processes_say_behind_whom_they_wait),
        OVER_EACH(test_V02_a_priority_out_of_range_is_refused),
        OVER_EACH(test_V03_limits_for_an_unknown_type_have_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
