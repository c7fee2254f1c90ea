/* pause_test.c: an operator keeps a process, a type or a connector still, and lets it go on; also across closing. */
#include "fixture.h"

#include "test_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static pawl_status turn(fixture *own, uint32_t kind, const char *name, const char *reason)
{
    pawl_error error = {0};
    return reason == NULL ? pawl_host_unpause(own->host, kind, name, &error)
                          : pawl_host_pause(own->host, kind, name, reason, &error);
}

static void must(fixture *own, uint32_t kind, const char *name, const char *reason)
{
    if (turn(own, kind, name, reason) != PAWL_OK)
        fail_msg("%s %s", reason == NULL ? "resume" : "pause", name);
}

/* The answer to "why", until it holds this text. */
static void until_why(fixture *own, const char *id, const char *part)
{
    const struct timespec pause = {0, 2000000};
    char last[512] = "";
    for (int i = 0; i < 15000; i++) {
        json_t *row = shown(own, id);
        snprintf(last, sizeof last, "%s", text_of(row, "why"));
        json_decref(row);
        if (strstr(last, part) != NULL)
            return;
        nanosleep(&pause, NULL);
    }
    fail_msg("%s: \"%s\" does not contain \"%s\"", id, last, part);
}

/* RocksDB only: memory forgets. */
static void reopen(fixture *own)
{
    if (strcmp(own->provider, "memory") == 0)
        return;
    fixture_close(own);
    fixture_open(own);
}

static void test_MW_a_paused_process_keeps_still_and_its_signals(void **state)
{
    fixture *own = *state;
    start(own, "p", "test.gate", "1");
    json_decref(until(own, "p", "waiting"));
    must(own, PAWL_PAUSE_PROCESS, "p", "ask ann");
    until_why(own, "p", "paused by an operator since 20");
    until_why(own, "p", ": ask ann");
    signal_it(own, "p", "go", "5");
    reopen(own);
    until_why(own, "p", ": ask ann");
    json_t *row = shown(own, "p");
    assert_string_equal(text_of(row, "status"), "waiting");
    assert_string_equal(text_of(json_object_get(row, "paused"), "reason"), "ask ann");
    json_decref(row);
    must(own, PAWL_PAUSE_PROCESS, "p", NULL);
    expect_end(own, "p", "completed", "5");
    assert_int_equal(turn(own, PAWL_PAUSE_PROCESS, "p", "late"), PAWL_E_TERMINAL);
    assert_int_equal(turn(own, PAWL_PAUSE_PROCESS, "nobody", "x"), PAWL_E_NOT_FOUND);
}

static void test_MW_an_effect_that_runs_ends_and_is_recorded(void **state)
{
    fixture *own = *state;
    int before = atomic_load(&test_plugin_blocked);
    start(own, "p", "test.block", "1");
    while (atomic_load(&test_plugin_blocked) == before)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    must(own, PAWL_PAUSE_PROCESS, "p", "wait");
    until_why(own, "p", "what runs ends first");
    pawl_error error = {0};
    assert_int_equal(pawl_host_cancel(own->host, "p", "enough", &error), PAWL_OK); /* and so the pause ends */
    expect_end(own, "p", "cancelled", NULL);
}

static void test_MW_a_paused_type_keeps_all_of_it_still(void **state)
{
    fixture *own = *state;
    must(own, PAWL_PAUSE_TYPE, "test.echo", "new version");
    start(own, "a", "test.echo", "1");
    start(own, "b", "test.upper", "\"x\"");
    expect_end(own, "b", "completed", "\"X\"");
    until_why(own, "a", "its type is paused by an operator since 20");
    reopen(own);
    start(own, "c", "test.echo", "2");
    until_why(own, "a", ": new version");
    json_t *row = shown(own, "c");
    assert_string_equal(text_of(row, "status"), "ready");
    json_decref(row);
    must(own, PAWL_PAUSE_TYPE, "test.echo", NULL);
    expect_end(own, "a", "completed", "1");
    expect_end(own, "c", "completed", "2");
    assert_int_equal(turn(own, PAWL_PAUSE_TYPE, "test.echo", NULL), PAWL_E_CONFLICT);
    assert_int_equal(turn(own, PAWL_PAUSE_TYPE, "test.other", "x"), PAWL_E_NOT_FOUND);
}

/* What waits in memory for nothing but a timer leaves it when its type is paused, and wakes after that. */
static void test_MW_a_type_is_paused_while_its_processes_wait(void **state)
{
    fixture *own = *state;
    start(own, "g", "test.gate", "1");
    json_decref(until(own, "g", "waiting"));
    must(own, PAWL_PAUSE_TYPE, "test.gate", "x");
    signal_it(own, "g", "go", "7");
    until_why(own, "g", "its type is paused");
    must(own, PAWL_PAUSE_TYPE, "test.gate", NULL);
    expect_end(own, "g", "completed", "7");
}

/* Stopping is not going on: who waits, and who has not begun, ends; the others stay. */
static void test_MW_I7_a_cancel_passes_a_paused_type(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    start(own, "waits", "test.gate", "1");
    start(own, "stays", "test.gate", "1");
    json_decref(until(own, "waits", "waiting"));
    json_decref(until(own, "stays", "waiting"));
    must(own, PAWL_PAUSE_TYPE, "test.gate", "x");
    start(own, "new", "test.gate", "1");
    until_why(own, "new", "its type is paused");
    signal_it(own, "stays", "go", "3");
    until_why(own, "stays", "its type is paused");
    assert_int_equal(pawl_host_cancel(own->host, "waits", "enough", &error), PAWL_OK);
    assert_int_equal(pawl_host_cancel(own->host, "new", "enough", &error), PAWL_OK);
    expect_end(own, "waits", "cancelled", NULL);
    expect_end(own, "new", "cancelled", NULL);
    until_why(own, "stays", "its type is paused");
    must(own, PAWL_PAUSE_TYPE, "test.gate", NULL);
    expect_end(own, "stays", "completed", "3");
}

static void test_MW_a_paused_connector_keeps_its_calls_waiting(void **state)
{
    fixture *own = *state;
    must(own, PAWL_PAUSE_CONNECTOR, "shop", "bank holiday");
    reopen(own);
    int before = atomic_load(&test_plugin_calls);
    start(own, "p", "test.greet", "1");
    until_why(own, "p", "call shop.greet: connector shop is paused by an operator");
    assert_int_equal(atomic_load(&test_plugin_calls), before);
    pawl_text text = {0};
    assert_ok(pawl_host_describe(own->host, &text, &why_));
    json_t *host = json_of(&text);
    const json_t *shop = json_array_get(json_object_get(host, "connectors"), 0);
    assert_string_equal(text_of(json_object_get(shop, "paused"), "reason"), "bank holiday");
    json_decref(host);
    must(own, PAWL_PAUSE_CONNECTOR, "shop", NULL);
    expect_end(own, "p", "completed", NULL);
}

static void test_MW_the_sessions_of_the_host_are_its_own(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    pawl_start wanted = {
        .struct_size = sizeof wanted, .id = "p", .type = "test.echo", .session = "pawl:operator", .input = {"1", 1}};
    assert_int_equal(pawl_host_start(own->host, &wanted, NULL, &error), PAWL_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_MW_a_paused_process_keeps_still_and_its_signals),
        OVER_BOTH(test_MW_an_effect_that_runs_ends_and_is_recorded),
        OVER_BOTH(test_MW_a_paused_type_keeps_all_of_it_still),
        OVER_BOTH(test_MW_a_type_is_paused_while_its_processes_wait),
        OVER_BOTH(test_MW_I7_a_cancel_passes_a_paused_type),
        OVER_BOTH(test_MW_a_paused_connector_keeps_its_calls_waiting),
        OVER_BOTH(test_MW_the_sessions_of_the_host_are_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
