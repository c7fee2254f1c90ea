/* program_test.c: the whole of Pawl through its program: a real store, a real plugin, real signals, kill -9. */
#include "program.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_a_process_from_start_to_end(void **state)
{
    (void)state;
    place *at = place_open("");
    server_start(at);
    EXPECT(at, 0, "{\"n\":1}\n", "start", "it.echo", "--input", "{\"n\":1}", "--wait");
    EXPECT(at, 8, "it.broken", "start", "it.broken", "--id", "b", "--wait");
    EXPECT(at, 8, "b failed [it.broken] it broke, as asked", "wait", "b");
    EXPECT(at, 3, NULL, "show", "nobody");
    EXPECT(at, 3, NULL, "start", "it.ecko");
    EXPECT(at, 0, "pawl.test.cli", "plugin", "list");
    EXPECT(at, 0, "\"profile\":\"cli\"", "host", "--json");
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    EXPECT(at, 5, "no pawl serve listens at", "ps");
    place_close(at);
}

static void test_kill_9_loses_nothing_and_repeats_nothing(void **state)
{
    (void)state;
    place *at = place_open("");
    char input[200];
    snprintf(input, sizeof input, "\"%s/letters\"", at->directory);
    server_start(at);
    EXPECT(at, 0, "l1\n", "start", "it.letter", "--id", "l1", "--input", input);
    AWAIT(at, "answer", "show", "l1"); /* it says what it waits for */
    EXPECT(at, 0, "it.append", "journal", "l1");
    server_signal(at, SIGKILL);
    assert_int_equal(server_end(at), -SIGKILL);
    server_start(at);
    EXPECT(at, 0, "existed", "start", "it.letter", "--id", "l1", "--input", input, "--json");
    EXPECT(at, 7, "has not ended in time", "wait", "l1", "--timeout", "50ms");
    EXPECT(at, 0, "signal sent", "signal", "l1", "answer", "\"yes\"", "--signal-id", "s1");
    EXPECT(at, 0, "l1 completed yes", "wait", "l1", "--timeout", "20s");
    EXPECT(at, 0, "was sent before", "signal", "l1", "answer", "\"yes\"", "--signal-id", "s1");
    EXPECT(at, 4, NULL, "signal", "l1", "answer", "\"more\"", "--signal-id", "s2");
    assert_int_equal(place_lines(at, "letters"), 1);
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    place_close(at);
}

static void test_H02_a_running_effect_may_finish(void **state)
{
    (void)state;
    place *at = place_open("timeouts: { stop_grace: 20s }\n");
    server_start(at);
    EXPECT(at, 0, "r1\n", "start", "it.rest", "--id", "r1", "--input", "700");
    AWAIT(at, "it.nap", "show", "r1");
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    server_start(at);
    EXPECT(at, 0, "r1 completed rested", "wait", "r1", "--timeout", "20s");
    command journal = RUN(at, "journal", "r1");
    const char *first = strstr(journal.out, "it.nap");
    assert_non_null(first);
    assert_null(strstr(first + 1, "it.nap")); /* recorded before the stop, and not done again */
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    place_close(at);
}

static void test_H03_a_second_signal_cancels_and_the_process_goes_on_later(void **state)
{
    (void)state;
    place *at = place_open("timeouts: { stop_grace: 600s, call: 0s }\n");
    server_start(at);
    EXPECT(at, 0, "r1\n", "start", "it.rest", "--id", "r1", "--input", "900000");
    AWAIT(at, "it.nap", "show", "r1");
    server_signal(at, SIGTERM);
    AWAIT(at, "graceful", "host"); /* the worker is stopping; the server answers */
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    server_start(at);
    EXPECT(at, 0, "r1", "ps", "--status", "live");
    EXPECT(at, 0, "terminated", "terminate", "r1", "--reason", "long enough");
    EXPECT(at, 8, "r1 terminated", "wait", "r1", "--timeout", "20s");
    server_signal(at, SIGTERM);
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    place_close(at);
}

static void test_C11_cancel_of_a_waiting_process(void **state)
{
    (void)state;
    place *at = place_open("");
    char input[200];
    snprintf(input, sizeof input, "\"%s/letters\"", at->directory);
    server_start(at);
    EXPECT(at, 0, NULL, "start", "it.letter", "--id", "l1", "--input", input);
    AWAIT(at, "answer", "show", "l1");
    EXPECT(at, 0, "cancel requested", "cancel", "l1", "--reason", "enough");
    EXPECT(at, 8, "l1 cancelled", "wait", "l1", "--timeout", "20s");
    EXPECT(at, 4, NULL, "cancel", "l1", "--reason", "again");
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    place_close(at);
}

static void test_stuck_says_why_and_can_be_ended(void **state)
{
    (void)state;
    place *at = place_open("");
    server_start(at);
    EXPECT(at, 0, NULL, "start", "it.vague", "--id", "v1");
    AWAIT(at, "stuck", "show", "v1");
    EXPECT(at, 0, "contract", "show", "v1");
    EXPECT(at, 0, "v1", "ps", "--status", "stuck");
    EXPECT(at, 0, "resumed", "resume", "v1");
    AWAIT(at, "stuck", "show", "v1");
    EXPECT(at, 0, "terminated", "terminate", "v1");
    EXPECT(at, 0, "terminated", "show", "v1");
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    place_close(at);
}

static void test_external_process(void **state)
{
    (void)state;
    place *at = place_open("");
    server_start(at);
    EXPECT(at, 0, "x1\n", "start", "import.nightly", "--external", "--id", "x1");
    EXPECT(at, 0, "waits to be completed from outside", "show", "x1");
    EXPECT(at, 0, "ended", "complete", "x1", "--output", "{\"rows\":3}");
    EXPECT(at, 0, "x1 completed {\"rows\":3}", "wait", "x1");
    EXPECT(at, 0, NULL, "complete", "x1", "--output", "{\"rows\":3}"); /* the same again is a no-op */
    EXPECT(at, 4, NULL, "complete", "x1", "--fail", "import.late");
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    place_close(at);
}

static void test_drain_keeps_answering(void **state)
{
    (void)state;
    place *at = place_open("");
    server_start(at);
    EXPECT(at, 0, "the worker has stopped", "drain", "--timeout", "10s");
    EXPECT(at, 0, "e1\n", "start", "it.echo", "--id", "e1");
    EXPECT(at, 0, "ready", "show", "e1");
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    server_start(at);
    EXPECT(at, 0, "e1 completed", "wait", "e1", "--timeout", "20s");
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    place_close(at);
}

static void test_refusals_have_their_exit_code(void **state)
{
    (void)state;
    place *at = place_open("");
    place_write(at, "weak.yaml", "profile: weak\ntier: durable\ndata: weak\nstores: { main: { provider: memory } }\n");
    EXPECT(at, 6, "durable_store_required:attachment", "serve", "--profile", "weak.yaml");
    EXPECT(at, 6, "process_registry", "serve", "--profile", "weak.yaml"); /* every failing facet is named */
    place_write(at, "bad.yaml",
                "profile: bad\ntier: durabel\ndata: d\nstores: { main: { provider: memory } }\nsokcet: x\n");
    EXPECT(at, 6, "bad.yaml:2:7", "check", "bad.yaml");
    EXPECT(at, 6, "bad.yaml:5:1", "check", "bad.yaml");
    EXPECT(at, 6, "bad.yaml:5:1", "serve", "--profile", "bad.yaml");
    EXPECT(at, 6, "bad.yaml:5:1", "ps", "--profile", "bad.yaml");
    place_write(at, "not-a-plugin.so", "text");
    place_write(at, "plug.yaml",
                "profile: plug\ntier: inline\ndata: d\nstores: { main: { provider: memory } }\n"
                "plugins: [ { path: not-a-plugin.so, dev: true } ]\n");
    EXPECT(at, 6, "loader.not_elf", "serve", "--profile", "plug.yaml");
    EXPECT(at, 6, "loader.not_elf", "plugin", "probe", "not-a-plugin.so");
    EXPECT(at, 6, "absent.yaml", "check", "absent.yaml");
    EXPECT(at, 0, "no problems", "check");
    place_close(at);
}

static void test_S10_a_second_host_on_the_store_is_refused(void **state)
{
    (void)state;
    place *at = place_open("");
    char text[1024];
    server_start(at);
    EXPECT(at, 4, "pid", "serve", "--socket", "other.sock"); /* it names who holds the store */
    snprintf(text, sizeof text,
             "profile: second\ntier: inline\ndata: second\nsocket: %s/data/pawl.sock\nstores: { main: { provider: "
             "memory } }\n",
             at->directory);
    place_write(at, "second.yaml", text);
    EXPECT(at, 4, "another server answers at", "serve", "--profile", "second.yaml");
    EXPECT(at, 0, "e1\n", "start", "it.echo", "--id", "e1"); /* the first one is well */
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    place_close(at);
}

static void test_plugin_file(void **state)
{
    (void)state;
    place *at = place_open("");
    EXPECT(at, 0, "pawl.test.cli", "plugin", "show", PAWL_TEST_PLUGIN);
    command c = RUN(at, "plugin", "show", PAWL_TEST_PLUGIN, "--json");
    json_t *facts = json_loads(c.out, 0, NULL);
    assert_non_null(facts);
    json_decref(facts);
    EXPECT(at, 0, "the probe passed", "plugin", "probe", PAWL_TEST_PLUGIN);
    place_close(at);
}

static void test_many_processes_are_listed_and_counted(void **state)
{
    (void)state;
    place *at = place_open("");
    server_start(at);
    for (int i = 0; i < 30; i++) {
        char id[16];
        snprintf(id, sizeof id, "p%02d", i);
        EXPECT(at, 0, NULL, "start", "import.nightly", "--external", "--id", id, "--session",
               i % 2 == 0 ? "even" : "odd");
    }
    EXPECT(at, 0, "there are more", "ps", "--limit", "10");
    command c = RUN(at, "ps", "--json", "--session", "even", "--limit", "1000");
    json_t *page = json_loads(c.out, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(page, "processes")), 15);
    json_decref(page);
    c = RUN(at, "ps", "--newest", "--limit", "1", "--prefix", "p");
    assert_non_null(strstr(c.out, "p29"));
    EXPECT(at, 0, "\"waiting\":30", "host", "--json");
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    place_close(at);
}

static void test_bench_runs(void **state)
{
    (void)state;
    static const char *const loads[] = {"start", "steps", "sleep", "signal"};
    place *at = place_open("");
    for (size_t i = 0; i < 4; i++) {
        command c = RUN(at, "bench", loads[i], "--processes", "50", "--concurrency", "8", "--store",
                        i % 2 == 0 ? "rocksdb" : "memory");
        json_t *line = json_loads(c.out, 0, NULL);
        if (c.exit_code != 0 || line == NULL)
            fail_msg("bench %s: exit code %d\n%s%s", loads[i], c.exit_code, c.out, c.err);
        assert_int_equal(json_integer_value(json_object_get(line, "processes")), 50);
        assert_true(json_real_value(json_object_get(line, "p99_ms")) > 0);
        json_decref(line);
    }
    place_close(at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_process_from_start_to_end),
        cmocka_unit_test(test_kill_9_loses_nothing_and_repeats_nothing),
        cmocka_unit_test(test_H02_a_running_effect_may_finish),
        cmocka_unit_test(test_H03_a_second_signal_cancels_and_the_process_goes_on_later),
        cmocka_unit_test(test_C11_cancel_of_a_waiting_process),
        cmocka_unit_test(test_stuck_says_why_and_can_be_ended),
        cmocka_unit_test(test_external_process),
        cmocka_unit_test(test_drain_keeps_answering),
        cmocka_unit_test(test_refusals_have_their_exit_code),
        cmocka_unit_test(test_S10_a_second_host_on_the_store_is_refused),
        cmocka_unit_test(test_plugin_file),
        cmocka_unit_test(test_many_processes_are_listed_and_counted),
        cmocka_unit_test(test_bench_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
