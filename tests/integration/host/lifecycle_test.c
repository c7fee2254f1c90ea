/* lifecycle_test.c: opening, draining, closing, opening again; several hosts in one program. */
#include "fixture.h"

#include "test_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void test_what_was_started_goes_on_after_reopening(void **state)
{
    fixture *own = *state;
    start(own, "gate", "test.gate", "1");
    json_decref(until(own, "gate", "waiting"));
    start(own, "late", "test.sleep", "30");
    start(own, "done", "test.upper", "\"a\"");
    expect_end(own, "done", "completed", "\"A\"");
    fixture_close(own);
    assert_int_equal(atomic_load(&test_plugin_inits), 0);
    assert_int_equal(atomic_load(&test_plugin_instances), 0);
    fixture_open(own);
    expect_end(own, "done", "completed", "\"A\"");
    expect_end(own, "late", "completed", "\"woke\"");
    json_t *row = shown(own, "gate");
    assert_string_equal(text_of(row, "status"), "waiting");
    json_decref(row);
    signal_it(own, "gate", "go", "3");
    expect_end(own, "gate", "completed", "3");
    assert_int_equal(atomic_load(&test_plugin_calls), 1); /* a recorded step is not repeated */
}

static void test_started_without_a_worker_runs_with_one(void **state)
{
    fixture *own = *state;
    fixture_close(own);
    own->no_worker = 1;
    fixture_open(own);
    start(own, "p", "test.upper", "\"a\"");
    fixture_close(own);
    own->no_worker = 0;
    fixture_open(own);
    expect_end(own, "p", "completed", "\"A\"");
}

static void test_S10_the_same_store_opens_once(void **state)
{
    fixture *own = *state;
    fixture *second = fixture_make("rocksdb");
    char profile[1024];
    pawl_error error = {0};
    snprintf(profile, sizeof profile,
             "profile: test\ntier: inline\ndata: %s\nstores: { main: { provider: rocksdb } }\n", own->directory);
    assert_int_equal(fixture_try_open(second, profile, &error), PAWL_E_BUSY);
    assert_has(error.message, "store \"main\"");
    start(own, "p", "test.echo", "1"); /* the first is none the worse */
    expect_end(own, "p", "completed", "1");
    fixture_remove(second);
}

static void test_G09_a_process_of_another_host_profile_is_left_untouched(void **state)
{
    fixture *own = *state;
    char other[1024];
    pawl_error error = {0};
    fixture_close(own);
    own->no_worker = 1;
    fixture_open(own);
    start(own, "mine", "test.upper", "\"a\"");
    fixture_close(own);
    own->no_worker = 0;
    snprintf(other, sizeof other,
             "profile: another\ntier: inline\ndata: %s\nstores: { main: { provider: rocksdb } }\n"
             "connectors: { shop: { plugin: test.plugin, config: { greeting: hi } } }\n",
             own->directory);
    if (fixture_try_open(own, other, &error) != PAWL_OK)
        fail_msg("%s: %s", error.code, error.message);
    start(own, "theirs", "test.upper", "\"b\""); /* the worker is at work ... */
    expect_end(own, "theirs", "completed", "\"B\"");
    json_t *row = until(own, "mine", "running"); /* ... and has met the other one */
    assert_int_equal(json_integer_value(json_object_get(row, "head")), 1);
    assert_has(text_of(row, "why"), "registered under host profile test");
    json_decref(row);
    fixture_close(own);
    fixture_open(own); /* the right profile takes it up as it was */
    expect_end(own, "mine", "completed", "\"A\"");
}

static void test_H05_a_stop_that_races_with_the_natural_end_loses_nothing(void **state)
{
    fixture *own = *state;
    for (int round = 0; round < 12; round++) {
        char id[32];
        const struct timespec pause = {0, round * 150 * 1000}; /* 0 to 1.7 ms: before, during and after the end */
        snprintf(id, sizeof id, "race-%d", round);
        start(own, id, "test.upper", "\"a\"");
        nanosleep(&pause, NULL);
        assert_ok(pawl_host_drain(own->host, PAWL_STOP_GRACEFUL, 0, &why_));
        fixture_close(own);
        fixture_open(own);
        expect_end(own, id, "completed", "\"A\"");
        json_t *row = shown(own, id);
        assert_int_equal(json_integer_value(json_object_get(row, "head")), 3); /* started, one step, ended: each once */
        json_decref(row);
    }
}

static void test_two_hosts_in_one_program_do_not_meet(void **state)
{
    fixture *own = *state;
    fixture *second = fixture_make(own->provider);
    fixture_open(second);
    pawl_error error = {0};
    start(own, "p", "test.gate", "1");
    start(second, "p", "test.gate", "2");
    signal_it(second, "p", "go", "22");
    expect_end(second, "p", "completed", "22");
    json_decref(until(own, "p", "waiting"));
    start(second, "only here", "test.echo", "1");
    expect_end(second, "only here", "completed", "1");
    assert_int_equal(pawl_host_get(own->host, "only here", NULL, &error), PAWL_E_NOT_FOUND);
    fixture_remove(second);
    assert_int_equal(atomic_load(&test_plugin_inits), 1); /* one init for each host */
    signal_it(own, "p", "go", "11");
    expect_end(own, "p", "completed", "11");
}

static void test_H01_H02_drain_stops_claiming_and_is_idempotent(void **state)
{
    fixture *own = *state;
    assert_ok(pawl_host_drain(own->host, PAWL_STOP_GRACEFUL, 0, &why_));
    assert_ok(pawl_host_drain(own->host, PAWL_STOP_GRACEFUL, 0, &why_));
    start(own, "p", "test.echo", "1");
    json_t *row = shown(own, "p");
    assert_string_equal(text_of(row, "status"), "ready");
    assert_string_equal(text_of(row, "why"), "ready, but this host's worker is stopping");
    json_decref(row);
    assert_ok(pawl_host_drain(own->host, PAWL_STOP_ABORT, 1, &why_));
    pawl_error error = {0};
    assert_int_equal(pawl_host_drain(own->host, 4, 0, &error), PAWL_E_INVALID);
    assert_int_equal(pawl_host_drain(own->host, 0, 0, &error), PAWL_E_INVALID);
}

static void test_H02_a_running_effect_is_told_to_stop_at_the_deadline(void **state)
{
    fixture *own = *state;
    const struct timespec pause = {0, 1000000};
    start(own, "p", "test.block", "1");
    while (atomic_load(&test_plugin_blocked) == 0)
        nanosleep(&pause, NULL);
    assert_ok(pawl_host_drain(own->host, PAWL_STOP_GRACEFUL, 50000000, &why_));
    while (atomic_load(&test_plugin_blocked) != 0)
        nanosleep(&pause, NULL);
    json_t *row = shown(own, "p"); /* not lost, not ended: for another worker */
    assert_false(strcmp(text_of(row, "status"), "completed") == 0);
    json_decref(row);
}

/* In a child process: what is abandoned stays, and a leak checker would say so. */
static int close_over_a_deaf_effect(const char *provider)
{
    const struct timespec pause = {0, 1000000};
    fixture *own = fixture_make(provider);
    own->extra = "timeouts: { stop_grace: 50ms }\n";
    fixture_open(own);
    atomic_store(&test_plugin_deaf, 1);
    start(own, "p", "test.deaf", "1");
    while (atomic_load(&test_plugin_blocked) == 0)
        nanosleep(&pause, NULL);
    fixture_close(own); /* returns all the same */
    if (own->host != NULL || !fixture_logged(own, "an effect does not return"))
        return 2;
    atomic_store(&test_plugin_deaf, 0);
    while (atomic_load(&test_plugin_blocked) != 0)
        nanosleep(&pause, NULL);
    if (atomic_load(&test_plugin_late) != PAWL_E_CLOSED || !fixture_logged(own, "the deaf one is back"))
        return 3;
    fixture_remove(own);
    return 0;
}

static void test_P09_an_effect_that_returns_too_late_finds_a_closed_door(void **state)
{
    static const char *const providers[] = {"memory", "rocksdb"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        int status = 0;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(close_over_a_deaf_effect(providers[i]));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

static void test_H09_an_idle_host_writes_nothing_to_the_log(void **state)
{
    fixture *own = *state;
    const struct timespec pause = {0, 300000000};
    start(own, "p", "test.echo", "1");
    expect_end(own, "p", "completed", "1");
    pthread_mutex_lock(&own->lock);
    size_t before = strlen(own->log);
    pthread_mutex_unlock(&own->lock);
    nanosleep(&pause, NULL); /* idle for a while is what is tested */
    pthread_mutex_lock(&own->lock);
    assert_int_equal(strlen(own->log), before);
    pthread_mutex_unlock(&own->lock);
}

static void test_mistakes_of_a_profile_are_all_named(void **state)
{
    fixture *own = *state;
    fixture *second = fixture_make("memory");
    pawl_error error = {0};
    (void)own;
    assert_int_equal(fixture_try_open(second, "profile: x\ntier: solid\nnonsense: 1\n", &error), PAWL_E_INVALID);
    assert_has(error.message, "(profile):2:");
    assert_has(error.message, "(profile):3:1");
    assert_int_equal(
        fixture_try_open(second,
                         "profile: x\ntier: inline\ndata: /nonexistent/pawl\nstores: { main: { provider: nobody } }\n",
                         &error),
        PAWL_E_INVALID);
    assert_has(error.message, "nobody");
    assert_int_equal(
        fixture_try_open(second,
                         "profile: x\ntier: inline\ndata: /nonexistent/pawl\nstores: { main: { provider: memory } }\n"
                         "connectors: { shop: { plugin: test.plugn } }\n",
                         &error),
        PAWL_E_INVALID);
    assert_has(error.message, "test.plugin");
    assert_int_equal(
        fixture_try_open(second,
                         "profile: x\ntier: inline\ndata: /nonexistent/pawl\nstores: { main: { provider: memory } }\n"
                         "effects: { test.uper: { timeout: 1s } }\n",
                         &error),
        PAWL_E_INVALID);
    assert_has(error.message, "test.upper");
    assert_int_equal(
        fixture_try_open(second,
                         "profile: x\ntier: inline\ndata: /nonexistent/pawl\nstores: { main: { provider: memory } }\n"
                         "connectors: { shop: { plugin: test.plugin } }\n",
                         &error),
        PAWL_E_FAILED);
    assert_string_equal(error.code, "shop.config");
    assert_has(error.message, "(profile):5:15: connector \"shop\" (test.plugin): a greeting is needed");
    assert_int_equal(atomic_load(&test_plugin_inits), 1); /* only the fixture's own host is left */
    fixture_remove(second);
}

static void test_options_are_checked(void **state)
{
    pawl_error error = {0};
    pawl_host *host = NULL;
    pawl_host_options options = {0};
    (void)state;
    assert_int_equal(pawl_host_open(&options, &host, &error), PAWL_E_INVALID);
    assert_int_equal(pawl_host_open(NULL, &host, &error), PAWL_E_INVALID);
    options.struct_size = sizeof options;
    assert_int_equal(pawl_host_open(&options, &host, &error), PAWL_E_INVALID);
    options.profile_path = "/nonexistent/pawl.yaml";
    assert_int_equal(pawl_host_open(&options, &host, &error), PAWL_E_NOT_FOUND);
    assert_has(error.message, "/nonexistent/pawl.yaml");
    assert_null(pawl_host_close(NULL));
    pawl_text_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_P09_an_effect_that_returns_too_late_finds_a_closed_door), /* first: it forks */
        cmocka_unit_test_setup_teardown(test_what_was_started_goes_on_after_reopening, setup_rocksdb, teardown),
        cmocka_unit_test_setup_teardown(test_started_without_a_worker_runs_with_one, setup_rocksdb, teardown),
        cmocka_unit_test_setup_teardown(test_S10_the_same_store_opens_once, setup_rocksdb, teardown),
        cmocka_unit_test_setup_teardown(test_G09_a_process_of_another_host_profile_is_left_untouched, setup_rocksdb,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_H05_a_stop_that_races_with_the_natural_end_loses_nothing, setup_rocksdb,
                                        teardown),
        OVER_BOTH(test_two_hosts_in_one_program_do_not_meet),
        OVER_BOTH(test_H01_H02_drain_stops_claiming_and_is_idempotent),
        OVER_BOTH(test_H02_a_running_effect_is_told_to_stop_at_the_deadline),
        OVER_BOTH(test_H09_an_idle_host_writes_nothing_to_the_log),
        cmocka_unit_test_setup_teardown(test_mistakes_of_a_profile_are_all_named, setup_memory, teardown),
        cmocka_unit_test(test_options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
