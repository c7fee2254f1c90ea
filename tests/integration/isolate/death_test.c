/* death_test.c: a plugin in a process of its own dies, hangs or talks nonsense: its calls end, everything else goes on,
 * and nothing is left behind. */
#include "place.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const wish loose = {.limits = "seccomp: off", .greeting = "hello"};

static void test_X14_every_way_to_die_is_a_failed_call(void **state)
{
    static const struct {
        const char *input, *code, *words;
    } ways[] = {{"\"segv\"", "plugin.crashed", "was ended by signal 11"},
                {"\"abort\"", "plugin.crashed", "was ended by signal 6"},
                {"\"exit\"", "plugin.crashed", "ended itself with exit code 3"},
                {"\"garbage\"", "plugin.protocol", "sent what is no message"},
                {"\"unasked\"", "plugin.protocol", "the end of a call that it does not have"}};
    fixture *own = *state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        place_open(own, &(wish){.greeting = "hello"}); /* anew, since five deaths in a row would be told apart */
        pid_t before = worker_of(own);
        expect_failure(own, "wild.die", ways[i].input, ways[i].code, ways[i].words);
        expect_call(own, "shop.greet", "\"\"", "completed", "\"hello from shop\"");
        assert_int_not_equal(worker_of(own), before);
        await_gone(before);
        assert_int_equal(isolation_number(own, "deaths"), 1);
        fixture_close(own);
    }
    assert_true(fixture_logged(own, "the process of an isolated plugin has ended"));
}

static void test_a_connector_that_crashes_is_made_again(void **state)
{
    fixture *own = *state;
    place_open(own, &loose);
    expect_failure(own, "shop.greet", "\"abort\"", "plugin.crashed", "whether it happened is not known");
    expect_call(own, "shop.greet", "\"\"", "completed", "\"hello from shop\"");
}

static void test_killed_from_outside_amid_a_call(void **state)
{
    fixture *own = *state;
    place_open(own, &loose);
    call(own, "p", "wild.hang", "1");
    await_note(own, "hanging");
    assert_int_equal(kill(worker_of(own), SIGKILL), 0);
    expect_end(own, "p", "failed", "plugin.crashed");
    expect_call(own, "wild.echo", "1", "completed", "1");
}

static void test_what_hangs_is_killed_after_its_grace(void **state)
{
    fixture *own = *state;
    const wish brief = {.extra = "effects: { wild.hang: { timeout: 100ms } }\n"
                                 "timeouts: { cancel_grace: 200ms, stop_grace: 5s }\n"};
    place_open(own, &brief);
    expect_failure(own, "wild.hang", "1", "plugin.hung", "did not end a call (wild.hang) within 200 ms");
    expect_call(own, "wild.echo", "1", "completed", "1");
}

static void test_C07_a_deaf_call_ends_with_its_cancelled_process(void **state)
{
    fixture *own = *state;
    const wish brief = {.limits = "seccomp: off", .extra = "timeouts: { cancel_grace: 300ms, stop_grace: 5s }\n"};
    place_open(own, &brief);
    call(own, "p", "wild.hang", "1");
    await_note(own, "hanging");
    pid_t worker = worker_of(own);
    assert_ok(pawl_host_cancel(own->host, "p", NULL, &why_));
    json_t *outcome = ended(own, "p");
    assert_true(strcmp(text_of(outcome, "status"), "cancelled") == 0 ||
                strcmp(text_of(outcome, "status"), "terminated") == 0);
    json_decref(outcome);
    await_gone(worker);
}

static void test_X06_in_doubt_is_decided_by_the_outcome_rule(void **state)
{
    fixture *own = *state;
    place_open(own, &loose);
    expect_call(own, "wild.once", "\"again\"", "completed", "\"again\""); /* idempotent: run again */
    assert_true(is_noted(own, "died"));
    expect_call(own, "wild.ask", "\"segv\"", "completed", "\"it happened\""); /* reconcile: asked */
    expect_call(own, "wild.die", "\"segv\"", "failed", "plugin.crashed");     /* at_most_once: the program's */
}

static void test_others_in_it_share_its_fate_and_other_workers_do_not(void **state)
{
    fixture *own = *state;
    const wish two = {.limits = "seccomp: off, workers: 2"};
    place_open(own, &two);
    call(own, "waits", "wild.wait", "1");
    await_note(own, "waiting");
    expect_call(own, "wild.die", "\"abort\"", "failed", "plugin.crashed"); /* in the other one */
    json_t *row = shown(own, "waits");
    assert_true(strcmp(text_of(row, "status"), "running") == 0 || strcmp(text_of(row, "status"), "waiting") == 0);
    json_decref(row);
    assert_ok(pawl_host_cancel(own->host, "waits", NULL, &why_));
    expect_end(own, "waits", "cancelled", NULL);
    assert_int_equal(isolation_number(own, "deaths"), 1);
}

static void test_what_does_not_stay_up_fails_at_once(void **state)
{
    fixture *own = *state;
    const wish moody = {.limits = "seccomp: off", .mood = "crash_again"};
    place_open(own, &moody);
    expect_call(own, "wild.die", "\"abort\"", "failed", "plugin.crashed");
    bool available = true;
    while (available) {
        json_t *json = isolation_of(own);
        available = json_is_true(json_object_get(json, "available"));
        json_decref(json);
        rest();
    }
    expect_failure(own, "wild.fail", "\"plain\"", "plugin.unavailable", "does not stay up");
    char path[200];
    snprintf(path, sizeof path, "%s/dying", own->directory);
    assert_int_equal(unlink(path), 0); /* it is well again */
    expect_call(own, "wild.echo", "1", "completed", "1");
}

static void test_a_crash_amid_an_upload(void **state)
{
    fixture *own = *state;
    place_open(own, &loose);
    expect_failure(own, "wild.store", "666", "plugin.crashed", "signal 6");
    json_decref(output_of(own, "wild.store", "1000"));
}

static void refuse(fixture *own, const wish *wanted, const char *code, const char *words)
{
    pawl_error error = {0};
    assert_int_not_equal(place_try_open(own, wanted, &error), PAWL_OK);
    if (strcmp(error.code, code) != 0 || strstr(error.message, words) == NULL)
        fail_msg("wanted %s with \"%s\", is %s: %s", code, words, error.code, error.message);
}

static void test_what_cannot_start_is_refused_with_its_reason(void **state)
{
    fixture *own = *state;
    refuse(own, &(wish){.mood = "crash"}, "loader.probe_crash", "was ended by signal 6 (Aborted) in: init");
    refuse(own, &(wish){.mood = "exit"}, "loader.probe_exit", "ended itself with exit code 7 in: init");
    refuse(own, &(wish){.mood = "refuse"}, "loader.init_failed", "not in the mood");
    refuse(own, &(wish){.greeting = "\"\""}, "wild.config", "connector \"shop\"");
    refuse(own, &(wish){.greeting = "abort"}, "loader.probe_crash", "create of \"shop\"");
    refuse(own, &(wish){.greeting = "{ secret: \"env:NOT_THERE\" }"}, "secret.not_found", "NOT_THERE");
    place_open(own, &loose);
}

/* As long as a start may take. */
static void test_what_hangs_in_its_start_is_refused(void **state)
{
    fixture *own = *state;
    refuse(own, &(wish){.mood = "hang"}, "loader.probe_hang", "was not through within");
}

/* ---- the host dies ---- */

/* In another process: a host that runs a call which never ends, until it is killed. */
static void be_host(fixture *own, const wish *wanted, int tell)
{
    place_open(own, wanted);
    call(own, "p", "wild.hang", "1");
    await_note(own, "hanging");
    pid_t worker = worker_of(own);
    if (write(tell, &worker, sizeof worker) != sizeof worker)
        _exit(1);
    for (;;)
        pause();
}

static void test_X06_X14_a_killed_host_leaves_no_process_and_its_call_in_doubt(void **state)
{
    fixture *own = *state;
    const wish durable = {.limits = "seccomp: off", .provider = "rocksdb"};
    int tell[2];
    pid_t worker = 0;
    assert_int_equal(pipe(tell), 0);
    pid_t host = fork();
    if (host == 0)
        be_host(own, &durable, tell[1]);
    assert_int_equal(read(tell[0], &worker, sizeof worker), sizeof worker);
    assert_true(worker > 0);
    assert_int_equal(kill(host, SIGKILL), 0);
    assert_int_equal(waitpid(host, NULL, 0), host);
    await_gone(worker);
    close(tell[0]);
    close(tell[1]);
    place_open(own, &durable);
    expect_end(own, "p", "failed", "in_doubt");
}

static void test_closing_does_not_wait_for_what_hangs(void **state)
{
    fixture *own = *state;
    const wish brief = {.limits = "seccomp: off", .extra = "timeouts: { stop_grace: 200ms, cancel_grace: 60s }\n"};
    place_open(own, &brief);
    call(own, "p", "wild.hang", "1");
    await_note(own, "hanging");
    pid_t worker = worker_of(own);
    fixture_close(own);
    await_gone(worker);
    assert_false(fixture_logged(own, "an effect does not return"));
}

/* --long: what takes as long as a time limit that cannot be set. */
int main(int argc, char **argv)
{
#define PLACE(test) cmocka_unit_test_setup_teardown(test, setup_place, teardown_place)
    const struct CMUnitTest slow[] = {PLACE(test_what_hangs_in_its_start_is_refused)};
    if (argc > 1 && strcmp(argv[1], "--long") == 0)
        return cmocka_run_group_tests(slow, NULL, NULL);
    const struct CMUnitTest tests[] = {
        PLACE(test_X06_X14_a_killed_host_leaves_no_process_and_its_call_in_doubt),
        PLACE(test_X14_every_way_to_die_is_a_failed_call),
        PLACE(test_a_connector_that_crashes_is_made_again),
        PLACE(test_killed_from_outside_amid_a_call),
        PLACE(test_what_hangs_is_killed_after_its_grace),
        PLACE(test_C07_a_deaf_call_ends_with_its_cancelled_process),
        PLACE(test_X06_in_doubt_is_decided_by_the_outcome_rule),
        PLACE(test_others_in_it_share_its_fate_and_other_workers_do_not),
        PLACE(test_what_does_not_stay_up_fails_at_once),
        PLACE(test_a_crash_amid_an_upload),
        PLACE(test_what_cannot_start_is_refused_with_its_reason),
        PLACE(test_closing_does_not_wait_for_what_hangs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
