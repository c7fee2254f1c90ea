/* schedule_test.c: schedules on a real host: what is due is started, once; what is wished for is done; all of it goes
 * on where it stood after closing and opening. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define YEARLY "{\"cron\":\"@yearly\",\"type\":\"test.gate\",\"input\":1"

static void create(fixture *own, const char *name, const char *spec)
{
    uint32_t made = 9;
    assert_ok(pawl_host_schedule_create(own->host, name, (pawl_bytes){spec, strlen(spec)}, 0, NULL, &made, &why_));
    assert_int_equal(made, PAWL_SCHEDULE_CREATED);
}

static json_t *schedule(fixture *own, const char *name)
{
    pawl_text text = {0};
    assert_ok(pawl_host_schedule_show(own->host, name, &text, &why_));
    return json_of(&text);
}

static json_int_t number(fixture *own, const char *name, const char *key)
{
    json_t *json = schedule(own, name);
    json_int_t value = json_integer_value(json_object_get(json, key));
    json_decref(json);
    return value;
}

static void until_number(fixture *own, const char *name, const char *key, json_int_t least)
{
    const struct timespec pause = {0, 5000000};
    json_int_t found = 0;
    for (int i = 0; i < 12000; i++) {
        found = number(own, name, key);
        if (found >= least)
            return;
        nanosleep(&pause, NULL);
    }
    fail_msg("%s: %s is %lld, not %lld", name, key, (long long)found, (long long)least);
}

/* Run it now; what became of that, and the id. */
static void trigger(fixture *own, const char *name, const char *overlap, const char *fate, char id[257])
{
    pawl_text text = {0};
    assert_ok(pawl_host_schedule_trigger(own->host, name, overlap, NULL, &text, &why_));
    json_t *reply = json_of(&text);
    assert_string_equal(text_of(reply, "run"), fate);
    snprintf(id, 257, "%s", text_of(reply, "id"));
    json_decref(reply);
}

/* RocksDB only: memory forgets. */
static void reopen(fixture *own)
{
    if (strcmp(own->provider, "memory") == 0)
        return;
    fixture_close(own);
    fixture_open(own);
}

static void test_runs_come_at_their_times_and_are_shown(void **state)
{
    fixture *own = *state;
    create(own, "often", "{\"every\":\"1s\",\"type\":\"test.echo\",\"input\":{\"a\":1},\"overlap\":\"allow\"}");
    until_number(own, "often", "started", 2);
    json_t *json = schedule(own, "often");
    assert_int_equal(json_array_size(json_object_get(json, "next")), 5);
    const json_t *run = json_array_get(json_object_get(json, "runs"), 0);
    char id[257], expected[300];
    snprintf(expected, sizeof expected, "often/%s", text_of(run, "time"));
    snprintf(id, sizeof id, "%s", text_of(run, "id"));
    assert_string_equal(id, expected);
    json_decref(json);
    expect_end(own, id, "completed", "{\"a\":1}");
    assert_ok(pawl_host_schedule_delete(own->host, "often", &why_));
    pawl_error error = {0};
    assert_int_equal(pawl_host_schedule_delete(own->host, "often", &error), PAWL_E_NOT_FOUND);
    assert_string_equal(error.code, "unknown_schedule");
    pawl_text text = {0};
    assert_int_equal(pawl_host_schedule_show(own->host, "often", &text, &error), PAWL_E_NOT_FOUND);
    create(own, "often", YEARLY "}"); /* the name is free again */
    assert_ok(pawl_host_schedule_delete(own->host, "often", &why_));
}

static void test_one_waits_for_the_end_of_another_and_the_host_does_not_wait_for_it(void **state)
{
    fixture *own = *state;
    char first[257], second[257], third[257];
    create(own, "s", YEARLY "}");
    trigger(own, "s", NULL, "started", first);
    trigger(own, "s", NULL, "skipped", third);
    trigger(own, "s", "buffer_one", "buffered", second);
    trigger(own, "s", "buffer_one", "skipped", third);
    assert_int_equal(number(own, "s", "started"), 1);
    reopen(own); /* the watch is open; the profile's stop_grace is longer than the test may take */
    signal_it(own, first, "go", "5");
    expect_end(own, first, "completed", "5");
    until_number(own, "s", "started", 2);
    json_decref(until(own, second, "waiting"));
    trigger(own, "s", "cancel_other", "buffered", third);
    expect_end(own, second, "cancelled", NULL);
    until_number(own, "s", "started", 3);
    json_decref(until(own, third, "waiting"));
    trigger(own, "s", "terminate_other", "started", first);
    expect_end(own, third, "terminated", NULL);
    trigger(own, "s", "allow", "started", second);
    signal_it(own, first, "go", "1");
    signal_it(own, second, "go", "2");
    expect_end(own, first, "completed", "1");
    expect_end(own, second, "completed", "2");
    json_t *json = schedule(own, "s");
    assert_int_equal(json_integer_value(json_object_get(json, "skipped")), 2);
    const json_t *oldest = json_array_get(json_object_get(json, "runs"), 4);
    assert_string_equal(text_of(oldest, "status"), "completed"); /* as it is now, not as the schedule last saw it */
    json_decref(json);
}

static void test_a_backfill_runs_each_time_once(void **state)
{
    fixture *own = *state;
    create(own, "hourly", "{\"cron\":\"0 * * * *\",\"type\":\"test.echo\",\"input\":7}");
    for (int again = 0; again < 2; again++) {
        pawl_text text = {0};
        assert_ok(pawl_host_schedule_backfill(own->host, "hourly", "2020-03-01T06:00:00Z", "2020-03-01T09:00:00+01:00",
                                              again == 0 ? "buffer_one" : NULL, NULL, &text, &why_));
        json_t *reply = json_of(&text);
        assert_int_equal(json_integer_value(json_object_get(reply, "times")), 3);
        json_decref(reply);
        until_number(own, "hourly", "started", again == 0 ? 3 : 6);
        expect_end(own, "hourly/2020-03-01T06:00:00Z", "completed", "7");
        expect_end(own, "hourly/2020-03-01T08:00:00Z", "completed", "7");
    }
    pawl_text text = {0};
    const pawl_list_options options = {.struct_size = sizeof options, .id_prefix = "hourly/"};
    assert_ok(pawl_host_count(own->host, &options, 0, &text, &why_));
    json_t *json = json_of(&text);
    assert_int_equal(json_integer_value(json_object_get(json, "count")), 3);
    json_decref(json);
}

static void test_what_is_known_stays_over_many_runs_of_its_process(void **state)
{
    fixture *own = *state;
    char first[257], second[257];
    create(own, "s", YEARLY ",\"time_zone\":\"Europe/Berlin\"}");
    trigger(own, "s", NULL, "started", first);
    trigger(own, "s", "buffer_one", "buffered", second); /* so that a watch is open all the time */
    for (int i = 0; i < 60; i++) {
        assert_ok(pawl_host_schedule_pause(own->host, "s", "ask ann", &why_));
        if (i % 25 == 0)
            reopen(own);
        if (i < 59)
            assert_ok(pawl_host_schedule_resume(own->host, "s", &why_));
    }
    json_t *row = shown(own, "schedule:s");
    assert_true(json_integer_value(json_object_get(row, "run")) >= 3);
    assert_true(json_integer_value(json_object_get(row, "journal_bytes")) < 300000);
    json_decref(row);
    json_t *json = schedule(own, "s");
    assert_string_equal(text_of(json, "note"), "ask ann");
    assert_int_equal(json_integer_value(json_object_get(json, "started")), 1);
    json_decref(json);
    signal_it(own, first, "go", "1");
    expect_end(own, first, "completed", "1");
    assert_ok(pawl_host_schedule_resume(own->host, "s", &why_));
    until_number(own, "s", "started", 2);
    json_decref(until(own, second, "waiting"));
}

static void test_making_it_again_keeps_replaces_or_conflicts(void **state)
{
    fixture *own = *state;
    static const char same[] = "{\"input\":1,\"overlap\":\"skip\",\"type\":\"test.gate\",\"cron\":[\"@yearly\"]}";
    static const char other[] = "{\"every\":\"24h\",\"type\":\"test.gate\",\"input\":1}";
    uint32_t made = 9;
    pawl_error error = {0};
    create(own, "s", YEARLY "}");
    assert_ok(pawl_host_schedule_create(own->host, "s", (pawl_bytes){same, sizeof same - 1}, 0, NULL, &made, &why_));
    assert_int_equal(made, PAWL_SCHEDULE_KEPT);
    assert_int_equal(
        pawl_host_schedule_create(own->host, "s", (pawl_bytes){other, sizeof other - 1}, 0, NULL, &made, &error),
        PAWL_E_CONFLICT);
    assert_string_equal(error.code, "schedule.exists");
    assert_ok(pawl_host_schedule_create(own->host, "s", (pawl_bytes){other, sizeof other - 1}, PAWL_SCHEDULE_REPLACE,
                                        NULL, &made, &why_));
    assert_int_equal(made, PAWL_SCHEDULE_REPLACED);
    reopen(own);
    json_t *json = schedule(own, "s");
    assert_string_equal(text_of(json_object_get(json, "spec"), "every"), "1d");
    json_decref(json);
    pawl_text text = {0};
    assert_ok(pawl_host_schedule_list(own->host, 0, 0, &text, &why_));
    json = json_of(&text);
    assert_int_equal(json_array_size(json_object_get(json, "schedules")), 1);
    assert_true(json_is_null(json_object_get(json, "next")));
    json_decref(json);
}

static void test_what_cannot_be_is_refused_before_anything_is_written(void **state)
{
    static const struct {
        const char *name;
        const char *spec;
        pawl_status status;
        const char *code;
    } cases[] = {
        {"a b", YEARLY "}", PAWL_E_INVALID, "schedule.invalid_name"},
        {"", YEARLY "}", PAWL_E_INVALID, "schedule.invalid_name"},
        {"s", "{\"cron\":\"@yearly\",\"type\":\"test.gat\"}", PAWL_E_NOT_FOUND, "unknown_process_type"},
        {"s", "{\"cron\":\"0 0 0 0 0\",\"type\":\"test.gate\"}", PAWL_E_INVALID, "schedule.invalid"},
        {"s", "{", PAWL_E_INVALID, "schedule.invalid"},
        {"s", "", PAWL_E_INVALID, "schedule.invalid"},
        {"s", YEARLY ",\"attributes\":{\"x\":1}}", PAWL_E_INVALID, NULL},
    };
    fixture *own = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pawl_error error = {0};
        pawl_status status = pawl_host_schedule_create(
            own->host, cases[i].name, (pawl_bytes){cases[i].spec, strlen(cases[i].spec)}, 0, NULL, NULL, &error);
        if (status != cases[i].status || (cases[i].code != NULL && strcmp(error.code, cases[i].code) != 0))
            fail_msg("%s: %d %s: %s", cases[i].spec, (int)status, error.code, error.message);
    }
    pawl_error error = {0};
    pawl_text text = {0};
    assert_int_equal(pawl_host_schedule_pause(own->host, "s", NULL, &error), PAWL_E_NOT_FOUND);
    create(own, "s", YEARLY "}");
    assert_int_equal(pawl_host_schedule_trigger(own->host, "s", "dance", NULL, &text, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "schedule.invalid");
    start(own, "schedule:x", "test.gate", "1"); /* not one, whatever its id says */
    assert_int_equal(pawl_host_schedule_show(own->host, "x", &text, &error), PAWL_E_NOT_FOUND);
    start(own, "p", "pawl.schedule", "{}");
    expect_end(own, "p", "failed", "schedule.invalid_input");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_runs_come_at_their_times_and_are_shown),
        OVER_BOTH(test_one_waits_for_the_end_of_another_and_the_host_does_not_wait_for_it),
        OVER_BOTH(test_a_backfill_runs_each_time_once),
        OVER_BOTH(test_what_is_known_stays_over_many_runs_of_its_process),
        OVER_BOTH(test_making_it_again_keeps_replaces_or_conflicts),
        OVER_BOTH(test_what_cannot_be_is_refused_before_anything_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
