/* look_test.c: what people are shown: one process, lists, journals, the host, and why a process is not running. */
#include "fixture.h"

#include "test_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void test_a_process_is_shown_whole(void **state)
{
    fixture *own = *state;
    pawl_start wanted = {
        .struct_size = sizeof wanted, .id = "p", .type = "test.gate", .session = "cart-7", .input = {"{}", 2}};
    assert_ok(pawl_host_start(own->host, &wanted, NULL, &why_));
    json_t *row = until(own, "p", "waiting");
    assert_string_equal(text_of(row, "id"), "p");
    assert_string_equal(text_of(row, "type"), "test.gate");
    assert_string_equal(text_of(row, "session"), "cart-7");
    assert_string_equal(text_of(row, "plugin"), "test.plugin");
    assert_string_equal(text_of(row, "profile"), "test");
    assert_string_equal(text_of(json_object_get(row, "document"), "at"), "the gate");
    assert_string_equal(text_of(row, "why"), "waits for signal go");
    assert_int_equal(strlen(text_of(row, "created")), 24);
    assert_true(json_integer_value(json_object_get(row, "created_unix_ns")) > 0);
    assert_true(json_integer_value(json_object_get(row, "head")) > 0);
    assert_false(json_is_true(json_object_get(row, "cancelled")));
    json_decref(row);
}

static void test_why_names_the_timer(void **state)
{
    fixture *own = *state;
    start(own, "p", "test.sleep", "3600000");
    json_t *row = until(own, "p", "waiting");
    assert_has(text_of(row, "why"), "timer");
    assert_has(text_of(row, "why"), "until 2");
    assert_has(text_of(row, "why"), "(in 59 min)");
    assert_int_equal(strlen(text_of(row, "wake")), 24);
    json_decref(row);
}

static void test_why_names_what_runs_and_by_whom(void **state)
{
    fixture *own = *state;
    const struct timespec pause = {0, 1000000};
    start(own, "p", "test.block", "1");
    while (atomic_load(&test_plugin_blocked) == 0)
        nanosleep(&pause, NULL);
    json_t *row = until(own, "p", "running");
    assert_has(text_of(row, "why"), "running on ");
    assert_has(text_of(row, "why"), "test.block");
    assert_has(text_of(row, "why"), "lease left");
    assert_true(strlen(text_of(row, "worker")) > 0);
    json_decref(row);
    assert_ok(pawl_host_cancel(own->host, "p", NULL, &why_));
    expect_end(own, "p", "cancelled", NULL);
    row = shown(own, "p");
    assert_string_equal(text_of(row, "why"), ""); /* what has ended needs no reason */
    json_decref(row);
}

static void test_why_names_a_worker_that_is_not_there(void **state)
{
    fixture *own = *state;
    fixture_close(own);
    own->no_worker = 1;
    fixture_open(own);
    start(own, "p", "test.echo", "1");
    json_t *row = shown(own, "p");
    assert_string_equal(text_of(row, "status"), "ready");
    assert_string_equal(text_of(row, "why"), "ready, but this host was opened without a worker");
    json_decref(row);
    fixture_close(own);
    own->no_worker = 0;
    own->extra = "worker: { enabled: false }\n";
    fixture_open(own);
    start(own, "p2", "test.echo", "1");
    row = shown(own, "p2");
    assert_has(text_of(row, "why"), "worker.enabled");
    json_decref(row);
}

static json_t *list(fixture *own, const pawl_list_options *options)
{
    pawl_text text = {0};
    assert_ok(pawl_host_list(own->host, options, &text, &why_));
    return json_of(&text);
}

static void test_lists_filter_and_page(void **state)
{
    fixture *own = *state;
    char id[16];
    for (int i = 0; i < 25; i++) {
        snprintf(id, sizeof id, "job-%02d", i);
        start(own, id, i % 5 == 0 ? "test.echo" : "test.gate", "1");
    }
    for (int i = 0; i < 25; i += 5) {
        snprintf(id, sizeof id, "job-%02d", i);
        expect_end(own, id, "completed", "1");
    }
    pawl_list_options options = {.struct_size = sizeof options, .status = "ended"};
    json_t *page = list(own, &options);
    assert_int_equal(json_array_size(json_object_get(page, "processes")), 5);
    assert_true(json_is_null(json_object_get(page, "next")));
    json_decref(page);

    options = (pawl_list_options){.struct_size = sizeof options, .limit = 10, .id_prefix = "job-"};
    int seen = 0;
    int pages = 0;
    for (bool more = true; more; pages++) {
        page = list(own, &options);
        seen += (int)json_array_size(json_object_get(page, "processes"));
        more = json_is_integer(json_object_get(page, "next"));
        options.after = (uint64_t)json_integer_value(json_object_get(page, "next"));
        json_decref(page);
    }
    assert_int_equal(seen, 25);
    assert_int_equal(pages, 3);

    options = (pawl_list_options){.struct_size = sizeof options, .limit = 1, .newest_first = 1, .type = "test.echo"};
    page = list(own, &options);
    json_t *first = json_array_get(json_object_get(page, "processes"), 0);
    assert_string_equal(text_of(first, "id"), "job-20");
    assert_null(json_object_get(first, "outcome")); /* a list stays small */
    json_decref(page);

    page = list(own, NULL);
    assert_int_equal(json_array_size(json_object_get(page, "processes")), 25);
    json_decref(page);
    pawl_error error = {0};
    options = (pawl_list_options){.struct_size = sizeof options, .status = "waiting,wrong"};
    assert_int_equal(pawl_host_list(own->host, &options, NULL, &error), PAWL_E_INVALID);
    assert_has(error.message, "\"wrong\"");
    options = (pawl_list_options){.struct_size = sizeof options, .limit = 1001};
    assert_int_equal(pawl_host_list(own->host, &options, NULL, &error), PAWL_E_LIMIT);
}

static void test_a_journal_is_shown_in_pages(void **state)
{
    fixture *own = *state;
    start(own, "p", "test.upper", "\"abc\"");
    expect_end(own, "p", "completed", "\"ABC\"");
    pawl_text text = {0};
    assert_ok(pawl_host_journal(own->host, "p", 1, 0, 0, &text, &why_));
    json_t *all = json_of(&text);
    json_t *records = json_object_get(all, "records");
    size_t count = json_array_size(records);
    assert_true(count >= 3);
    assert_true(json_is_null(json_object_get(all, "next")));
    assert_string_equal(text_of(json_array_get(records, 0), "kind"), "started");
    assert_string_equal(text_of(json_array_get(records, 1), "kind"), "step");
    assert_string_equal(text_of(json_array_get(records, 1), "name"), "test.upper");
    assert_string_equal(text_of(json_array_get(records, 1), "result"), "ABC");
    assert_string_equal(text_of(json_array_get(records, count - 1), "kind"), "ended");
    json_decref(all);
    assert_ok(pawl_host_journal(own->host, "p", 1, 2, 0, &text, &why_));
    json_t *page = json_of(&text);
    assert_int_equal(json_array_size(json_object_get(page, "records")), 2);
    assert_int_equal(json_integer_value(json_object_get(page, "next")), 3);
    json_decref(page);
    assert_ok(pawl_host_journal(own->host, "p", 3, 0, 0, &text, &why_));
    page = json_of(&text);
    assert_int_equal(json_array_size(json_object_get(page, "records")), count - 2);
    json_decref(page);
}

static void test_E08_beyond_the_end_of_a_journal_is_nothing(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    pawl_text text = {0};
    start(own, "p", "test.echo", "1");
    expect_end(own, "p", "completed", "1");
    assert_ok(pawl_host_journal(own->host, "p", 1000, 0, 0, &text, &why_));
    json_t *page = json_of(&text);
    assert_int_equal(json_array_size(json_object_get(page, "records")), 0);
    json_decref(page);
    assert_int_equal(pawl_host_journal(own->host, "nobody", 1, 0, 0, NULL, &error), PAWL_E_NOT_FOUND);
}

static void test_the_host_describes_itself(void **state)
{
    fixture *own = *state;
    pawl_text text = {0};
    start(own, "p", "test.echo", "1");
    expect_end(own, "p", "completed", "1");
    start(own, "q", "test.ask", "1");
    expect_end(own, "q", "completed", "null");
    assert_ok(pawl_host_describe(own->host, &text, &why_));
    json_t *all = json_of(&text);
    assert_string_equal(text_of(all, "version"), pawl_library_version());
    assert_string_equal(text_of(all, "profile"), "test");
    assert_string_equal(text_of(all, "tier"), "inline");
    assert_int_equal(json_array_size(json_object_get(all, "facets")), 4);
    assert_int_equal(json_array_size(json_object_get(all, "plugins")), 5); /* storage and those of the fixture */
    assert_int_equal(json_integer_value(json_object_get(json_object_get(all, "counts"), "completed")), 2);
    json_t *worker = json_object_get(all, "worker");
    assert_true(json_is_true(json_object_get(worker, "running")));
    json_t *connector = json_array_get(json_object_get(all, "connectors"), 0);
    assert_string_equal(text_of(connector, "name"), "shop");
    assert_int_equal(json_integer_value(json_object_get(connector, "concurrency")), 1);
    json_t *asked = json_object_get(json_object_get(all, "unknown_extensions"), "com.example.nothing/1");
    assert_string_equal(json_string_value(json_array_get(asked, 0)), "test.plugin");
    assert_non_null(json_object_get(json_object_get(all, "stores"), "main"));
    json_decref(all);
    assert_true(fixture_logged(own, "extension not offered extension=com.example.nothing/1 plugin=test.plugin"));
    assert_true(fixture_logged(own, "asked for nothing source=test.plugin"));
    assert_has(pawl_host_socket(own->host), own->directory);
    uint32_t requests = 0;
    uint64_t input = 0;
    pawl_host_request_limits(own->host, &requests, &input);
    assert_int_equal(requests, 256);
    assert_int_equal(input, 4u << 20);
}

static void test_real_numbers_come_back_as_they_were_written(void **state)
{
    fixture *own = *state;
    start(own, "p", "test.echo", "{\"price\": 9.99, \"tenth\": 0.1, \"large\": 1e300}");
    pawl_text text = {0};
    assert_ok(pawl_host_wait(own->host, "p", LONG_NS, &text, &why_));
    assert_has(text.data, "\"price\":9.99,");
    assert_has(text.data, "\"tenth\":0.1,");
    pawl_text_free(&text);
    start(own, "q", "test.echo", "not json");
    assert_ok(pawl_host_wait(own->host, "q", LONG_NS, &text, &why_));
    assert_has(text.data, "\"output_base64\":\"bm90IGpzb24=\"");
    pawl_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_a_process_is_shown_whole),
        OVER_BOTH(test_why_names_the_timer),
        OVER_BOTH(test_why_names_what_runs_and_by_whom),
        OVER_BOTH(test_why_names_a_worker_that_is_not_there),
        OVER_BOTH(test_lists_filter_and_page),
        OVER_BOTH(test_a_journal_is_shown_in_pages),
        OVER_BOTH(test_E08_beyond_the_end_of_a_journal_is_nothing),
        OVER_BOTH(test_the_host_describes_itself),
        OVER_BOTH(test_real_numbers_come_back_as_they_were_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
