/* post_test.c: what comes to a process from outside: signals, cancel, terminate, resume, external completion. */
#include "fixture.h"

#include "test_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void test_a_signal_is_delivered_also_when_nobody_waits_yet(void **state)
{
    fixture *own = *state;
    start(own, "p", "test.gate", "1");
    json_decref(until(own, "p", "waiting"));
    signal_it(own, "p", "other", "0");
    signal_it(own, "p", "go", "{\"n\":1}");
    expect_end(own, "p", "completed", "{\"n\":1}");
    start(own, "q", "test.gate", "1");
    signal_it(own, "q", "go", "2"); /* it may not have run at all */
    expect_end(own, "q", "completed", "2");
}

static pawl_status signal_with_id(fixture *own, const char *payload, uint32_t *replayed, pawl_error *error)
{
    pawl_bytes bytes = {payload, strlen(payload)};
    return pawl_host_signal(own->host, "p", "other", bytes, "sig-1", replayed, error);
}

static void test_E02_E03_a_signal_id_counts_once(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    uint32_t replayed = 7;
    start(own, "p", "test.gate", "1");
    assert_ok(signal_with_id(own, "{\"a\":1,\"b\":2}", &replayed, &why_));
    assert_int_equal(replayed, 0);
    assert_ok(signal_with_id(own, "{\"b\":2, \"a\":1.0}", &replayed, &why_));
    assert_int_equal(replayed, 1);
    assert_int_equal(signal_with_id(own, "{\"a\":2}", &replayed, &error), PAWL_E_CONFLICT);
    signal_it(own, "p", "go", "1");
    expect_end(own, "p", "completed", "1");
    assert_ok(signal_with_id(own, "{\"a\":1,\"b\":2}", &replayed, &why_)); /* as before, also after the end */
    assert_int_equal(replayed, 1);
    assert_int_equal(pawl_host_signal(own->host, "p", "go", (pawl_bytes){"1", 1}, NULL, NULL, &error), PAWL_E_TERMINAL);
    assert_int_equal(pawl_host_signal(own->host, "nobody", "go", (pawl_bytes){"1", 1}, NULL, NULL, &error),
                     PAWL_E_NOT_FOUND);
    assert_int_equal(pawl_host_signal(own->host, "p", " ", (pawl_bytes){"1", 1}, NULL, NULL, &error), PAWL_E_INVALID);
}

static int records(fixture *own, const char *id, const char *kind)
{
    pawl_text text = {0};
    assert_ok(pawl_host_journal(own->host, id, 1, 0, 0, &text, &why_));
    json_t *page = json_of(&text);
    int count = 0;
    size_t index;
    json_t *record;
    json_array_foreach(json_object_get(page, "records"), index, record) count +=
        strcmp(text_of(record, "kind"), kind) == 0;
    json_decref(page);
    return count;
}

static void test_C01_cancel_ends_a_waiting_process(void **state)
{
    fixture *own = *state;
    start(own, "p", "test.gate", "1");
    json_decref(until(own, "p", "waiting"));
    assert_ok(pawl_host_cancel(own->host, "p", "no longer wanted", &why_));
    expect_end(own, "p", "cancelled", NULL);
    json_t *row = shown(own, "p");
    assert_true(json_is_true(json_object_get(row, "cancelled")));
    json_decref(row);
    pawl_error error = {0};
    assert_int_equal(pawl_host_cancel(own->host, "p", "another reason", &error), PAWL_E_TERMINAL);
    assert_int_equal(pawl_host_cancel(own->host, "nobody", NULL, &error), PAWL_E_NOT_FOUND);
}

static void test_C03_the_same_cancel_again_is_a_noop(void **state)
{
    fixture *own = *state;
    fixture_close(own); /* without a worker nothing ends it in between */
    own->no_worker = 1;
    fixture_open(own);
    start(own, "p", "test.gate", "1");
    assert_ok(pawl_host_cancel(own->host, "p", "why", &why_));
    assert_ok(pawl_host_cancel(own->host, "p", "why", &why_));
    assert_int_equal(records(own, "p", "cancel"), 1);
    assert_ok(pawl_host_cancel(own->host, "p", "another why", &why_));
    assert_int_equal(records(own, "p", "cancel"), 2);
}

static void test_C05_cancel_reaches_a_running_effect(void **state)
{
    fixture *own = *state;
    const struct timespec pause = {0, 1000000};
    start(own, "p", "test.block", "1");
    while (atomic_load(&test_plugin_blocked) == 0)
        nanosleep(&pause, NULL);
    assert_ok(pawl_host_cancel(own->host, "p", NULL, &why_));
    expect_end(own, "p", "cancelled", NULL);
    while (atomic_load(&test_plugin_blocked) != 0)
        nanosleep(&pause, NULL);
}

static void test_terminate_ends_what_does_not_listen(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    const struct timespec pause = {0, 1000000};
    start(own, "p", "test.block", "1");
    while (atomic_load(&test_plugin_blocked) == 0)
        nanosleep(&pause, NULL);
    assert_ok(pawl_host_terminate(own->host, "p", "enough", &why_));
    expect_end(own, "p", "terminated", "terminated");
    json_t *outcome = ended(own, "p");
    assert_string_equal(text_of(outcome, "message"), "enough");
    json_decref(outcome);
    assert_ok(pawl_host_terminate(own->host, "p", "enough", &why_)); /* the same again */
    assert_int_equal(pawl_host_terminate(own->host, "p", "more", &error), PAWL_E_TERMINAL);
    assert_int_equal(pawl_host_cancel(own->host, "p", NULL, &error), PAWL_E_TERMINAL);
    while (atomic_load(&test_plugin_blocked) != 0) /* its effect is told to stop */
        nanosleep(&pause, NULL);
}

static void test_I08_a_stuck_process_can_be_resumed(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    fixture_close(own);
    own->extra = "effects: { test.flaky: { retry: { on_exhausted: pause } } }\n";
    fixture_open(own);
    atomic_store(&test_plugin_healthy, 0);
    start(own, "p", "test.flaky", "1");
    json_t *row = until(own, "p", "stuck");
    assert_has(text_of(row, "why"), "stuck (");
    assert_has(text_of(row, "why"), "resume it, or terminate it");
    json_decref(row);
    assert_int_equal(atomic_load(&test_plugin_calls), 3); /* attempts of the manifest */
    atomic_store(&test_plugin_healthy, 1);
    assert_ok(pawl_host_resume(own->host, "p", &why_));
    expect_end(own, "p", "completed", "\"healthy\"");
    assert_int_equal(pawl_host_resume(own->host, "p", &error), PAWL_E_TERMINAL);
    start(own, "q", "test.gate", "1");
    assert_int_equal(pawl_host_resume(own->host, "q", &error), PAWL_E_CONFLICT);
    assert_string_equal(error.code, "not_stuck");
    assert_int_equal(pawl_host_resume(own->host, "nobody", &error), PAWL_E_NOT_FOUND);
}

static void test_I08_a_missing_effect_parks_only_its_process(void **state)
{
    fixture *own = *state;
    start(own, "p", "test.lost", "1");
    json_t *row = until(own, "p", "stuck");
    assert_has(text_of(row, "why"), "nobody.home");
    json_decref(row);
    start(own, "q", "test.echo", "1");
    expect_end(own, "q", "completed", "1");
    assert_ok(pawl_host_terminate(own->host, "p", NULL, &why_));
    expect_end(own, "p", "terminated", NULL);
}

static pawl_outcome completed_with(const char *output)
{
    pawl_outcome outcome = {
        .struct_size = sizeof outcome, .status = PAWL_COMPLETED, .output = {output, strlen(output)}};
    return outcome;
}

static void test_E06_an_external_process_is_completed_from_outside(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    assert_ok(try_start(own, "p", "anything.at.all", "1", PAWL_START_EXTERNAL, NULL, &why_));
    json_t *row = shown(own, "p");
    assert_string_equal(text_of(row, "status"), "waiting");
    assert_has(text_of(row, "why"), "completed from outside");
    json_decref(row);
    pawl_outcome outcome = completed_with("{\"a\":1}");
    assert_ok(pawl_host_complete(own->host, "p", &outcome, &why_));
    expect_end(own, "p", "completed", "{\"a\":1}");
    assert_ok(pawl_host_complete(own->host, "p", &outcome, &why_)); /* identical: idempotent */
    pawl_outcome other = completed_with("{\"a\":2}");
    assert_int_equal(pawl_host_complete(own->host, "p", &other, &error), PAWL_E_TERMINAL);
    pawl_outcome failed = {.struct_size = sizeof failed, .status = PAWL_FAILED, .code = {"x", 1}};
    assert_int_equal(pawl_host_complete(own->host, "p", &failed, &error), PAWL_E_TERMINAL);
    outcome.status = PAWL_TERMINATED;
    assert_int_equal(pawl_host_complete(own->host, "p", &outcome, &error), PAWL_E_INVALID);

    assert_ok(try_start(own, "f", "anything.at.all", "1", PAWL_START_EXTERNAL, NULL, &why_));
    assert_ok(pawl_host_complete(own->host, "f", &failed, &why_));
    expect_end(own, "f", "failed", "x");

    start(own, "q", "test.gate", "1");
    outcome.status = PAWL_COMPLETED;
    assert_int_equal(pawl_host_complete(own->host, "q", &outcome, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "not_external");
}

static void test_C04_cancel_of_an_external_process_ends_it_at_once(void **state)
{
    fixture *own = *state;
    assert_ok(try_start(own, "p", "anything", "1", PAWL_START_EXTERNAL, NULL, &why_));
    assert_ok(pawl_host_cancel(own->host, "p", "changed my mind", &why_));
    expect_end(own, "p", "cancelled", "cancelled");
    assert_ok(pawl_host_cancel(own->host, "p", "changed my mind", &why_));
}

static void test_C04_cancel_ends_a_stuck_process(void **state)
{
    fixture *own = *state;
    start(own, "p", "test.lost", "1");
    json_decref(until(own, "p", "stuck"));
    assert_ok(pawl_host_cancel(own->host, "p", NULL, &why_));
    expect_end(own, "p", "cancelled", NULL);
}

/* ---- signals that race with the process's own steps ---- */

typedef struct racer {
    pthread_t thread;
    fixture *own;
    int number;
    char problem[4096];
} racer;

static void *start_and_signal(void *context)
{
    racer *one = context;
    for (int i = 0; i < 100 && one->problem[0] == '\0'; i++) {
        char id[32];
        pawl_error error = {0};
        snprintf(id, sizeof id, "race-%d-%d", one->number, i);
        pawl_status status = try_start(one->own, id, "test.gate", "1", 0, NULL, &error);
        if (status == PAWL_OK)
            status = pawl_host_signal(one->own->host, id, "go", (pawl_bytes){"2", 1}, NULL, NULL, &error);
        if (status == PAWL_OK)
            status = pawl_host_wait(one->own->host, id, LONG_NS / 6, NULL, &error);
        if (status == PAWL_OK)
            continue;
        pawl_text row = {0};
        (void)pawl_host_get(one->own->host, id, &row, NULL);
        snprintf(one->problem, sizeof one->problem, "%s: %s", error.message, row.data == NULL ? "?" : row.data);
        pawl_text_free(&row);
    }
    return NULL;
}

static void test_W03_a_signal_racing_with_a_start_is_not_lost(void **state)
{
    racer all[8] = {0};
    for (int i = 0; i < 8; i++) {
        all[i].own = *state;
        all[i].number = i;
        assert_int_equal(pthread_create(&all[i].thread, NULL, start_and_signal, &all[i]), 0);
    }
    for (int i = 0; i < 8; i++)
        pthread_join(all[i].thread, NULL);
    for (int i = 0; i < 8; i++)
        if (all[i].problem[0] != '\0')
            fail_msg("%s", all[i].problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_a_signal_is_delivered_also_when_nobody_waits_yet),
        OVER_BOTH(test_E02_E03_a_signal_id_counts_once),
        OVER_BOTH(test_C01_cancel_ends_a_waiting_process),
        OVER_BOTH(test_C03_the_same_cancel_again_is_a_noop),
        OVER_BOTH(test_C05_cancel_reaches_a_running_effect),
        OVER_BOTH(test_terminate_ends_what_does_not_listen),
        OVER_BOTH(test_I08_a_stuck_process_can_be_resumed),
        OVER_BOTH(test_I08_a_missing_effect_parks_only_its_process),
        OVER_BOTH(test_E06_an_external_process_is_completed_from_outside),
        OVER_BOTH(test_C04_cancel_of_an_external_process_ends_it_at_once),
        OVER_BOTH(test_C04_cancel_ends_a_stuck_process),
        OVER_BOTH(test_W03_a_signal_racing_with_a_start_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
