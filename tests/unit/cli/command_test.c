/* command_test.c: the commands of `pawl`, run inside the test against a server in front of a fake host. What a script
 * relies on is asserted: exit codes, what stands on which stream, and the JSON. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/cli.h"

/* Run, check the exit code and one part of each stream (NULL: the stream is empty). */
static void expect(const fixture *f, int exit_code, const char *out, const char *err, const char *const *words)
{
    char *all[32];
    int count = 0;
    all[count++] = (char *)(uintptr_t) "pawl";
    for (; *words != NULL; words++)
        all[count++] = (char *)(uintptr_t)*words;
    if (f != NULL) {
        all[count++] = (char *)(uintptr_t) "--socket";
        all[count++] = (char *)(uintptr_t)f->socket;
    }
    command_run run = {0};
    size_t size = 0;
    FILE *out_stream = open_memstream(&run.out, &size);
    FILE *err_stream = open_memstream(&run.err, &size);
    run.exit_code = pawl_cli_main(count, all, stdin, out_stream, err_stream);
    fclose(out_stream);
    fclose(err_stream);
    assert_exit(&run, exit_code);
    if (out != NULL)
        assert_contains(run.out, out);
    else
        assert_string_equal(run.out, "");
    if (err != NULL)
        assert_contains(run.err, err);
    else
        assert_string_equal(run.err, "");
    run_free(&run);
}
#define EXPECT(f, exit_code, out, err, ...) expect(f, exit_code, out, err, (const char *const[]){__VA_ARGS__, NULL})

static void test_start_and_wait(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    EXPECT(f, 0, "a\n", NULL, "start", "test.echo", "--id", "a", "--input", "{\"x\": 1}");
    EXPECT(f, 0, "{\"x\":1}\n", NULL, "start", "test.echo", "--id=a", "--input={\"x\":1}", "--wait");
    EXPECT(f, 8, NULL, "test.boom", "start", "test.fail", "--id", "b", "--wait");
    EXPECT(f, 0, "a completed {\"x\":1}\n", NULL, "wait", "a");
    EXPECT(f, 8, "b failed [test.boom] it failed, as asked\n", NULL, "wait", "a", "b");
    EXPECT(f, 0, "{\"id\":\"a\",\"outcome\":{\"status\":\"completed\",\"output\":{\"x\":1}}}\n", NULL, "wait", "a",
           "--json");
    EXPECT(f, 4, NULL, "registry.conflict", "start", "test.echo", "--id", "a", "--input", "2");
    EXPECT(f, 3, NULL, "host.unknown_type", "start", "test.none");
    EXPECT(f, 3, NULL, "registry.not_found", "wait", "none");
    fixture_close(f);
}

static void test_H13_wait_timeout_has_its_exit_code(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    EXPECT(f, 7, NULL, "has not ended in time", "start", "test.hold", "--id", "a", "--wait", "--timeout", "20ms");
    EXPECT(f, 7, NULL, "has not ended in time", "wait", "a", "--timeout", "0s");
    EXPECT(f, 2, NULL, "wanted a span", "wait", "a", "--timeout", "5");
    EXPECT(f, 2, NULL, "--timeout goes with --wait", "start", "test.hold", "--timeout", "5s");
    fixture_close(f);
}

static void test_content_from_files_and_standard_input(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    char path[256];
    char at[257];
    fixture_file(f, "input.json", " [1,\n2] ", path);
    snprintf(at, sizeof at, "@%s", path);
    EXPECT(f, 0, "[1,2]\n", NULL, "start", "test.echo", "--input", at, "--wait");
    EXPECT(f, 0, "IFsxLAo=\n", NULL, "start", "test.echo", "--text", " [1,\n", "--wait");
    command_run run = run_command(f, "{\"from\": \"stdin\"}", "start", "test.echo", "--input", "-", "--wait", NULL);
    assert_exit(&run, 0);
    assert_string_equal(run.out, "{\"from\":\"stdin\"}\n");
    run_free(&run);
    EXPECT(f, 2, NULL, "is not JSON", "start", "test.echo", "--input", "{\"x\": }");
    EXPECT(f, 2, NULL, "cannot read /nonexistent/input: No such file", "start", "test.echo", "--input",
           "@/nonexistent/input");
    EXPECT(f, 2, NULL, "not both", "start", "test.echo", "--input", "1", "--text", "1");
    fixture_close(f);
}

static void test_ps_and_show(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    EXPECT(f, 0, NULL, "no processes", "ps");
    EXPECT(f, 0, "a", NULL, "start", "test.hold", "--id", "a");
    EXPECT(f, 0, "s", NULL, "start", "test.stuck", "--id", "s", "--session", "team");
    EXPECT(f, 0, "e", NULL, "start", "test.echo", "--id", "e");
    command_run run = run_command(f, NULL, "ps", NULL);
    assert_exit(&run, 0);
    assert_string_equal(run.out, "ID  TYPE        STATUS   AGE  WHY\n"
                                 "a   test.hold   waiting  0s   waits for signal go\n"
                                 "s   test.stuck  stuck    0s   stuck: broken on purpose; pawl resume lets it go on\n");
    run_free(&run);
    run = run_command(f, NULL, "ps", "--all", "--newest", "--json", NULL);
    json_t *page = json_loads(run.out, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(page, "processes")), 3);
    json_decref(page);
    run_free(&run);
    EXPECT(f, 0, "ID", "there are more: pawl ps --after 1", "ps", "--limit", "1");
    EXPECT(f, 0, "s   test.stuck", NULL, "ps", "--status", "stuck", "--session", "team");
    EXPECT(f, 2, NULL, "not both", "ps", "--all", "--status", "stuck");
    EXPECT(f, 2, NULL, "--limit is \"0\"", "ps", "--limit", "0");
    EXPECT(f, 0, "s  test.stuck  stuck\n  stuck: broken on purpose", NULL, "show", "s");
    EXPECT(f, 0, "session       team", NULL, "show", "s");
    EXPECT(f, 0, "\"status\":\"stuck\"", NULL, "show", "s", "--json");
    EXPECT(f, 3, NULL, "there is no process \"zz\"", "show", "zz");
    EXPECT(f, 3, NULL, "no longer retained", "show", "pruned");
    fixture_close(f);
}

static void test_journal(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    EXPECT(f, 0, "a", NULL, "start", "test.hold", "--id", "a");
    EXPECT(f, 0, "signal sent", NULL, "signal", "a", "note");
    EXPECT(f, 0, "signal sent", NULL, "signal", "a", "go", "[7]");
    EXPECT(f, 0, "started", NULL, "journal", "a");
    EXPECT(f, 0, "signal note", NULL, "journal", "a", "--from", "2", "--limit", "1");
    command_run run = run_command(f, NULL, "journal", "a", "--json", NULL);
    size_t lines = 0;
    for (const char *at = run.out; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 4); /* one record a line: started, signal, signal, ended */
    run_free(&run);
    fixture_close(f);
}

static void test_tell(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    EXPECT(f, 0, "a", NULL, "start", "test.hold", "--id", "a");
    EXPECT(f, 0, "a: signal sent\n", NULL, "signal", "a", "note", "{\"n\":1}", "--signal-id", "1");
    EXPECT(f, 0, "a: was sent before\n", NULL, "signal", "a", "note", "{\"n\":1}", "--signal-id", "1");
    EXPECT(f, 0, "{\"replayed\":true}\n", NULL, "signal", "a", "note", "{\"n\":1}", "--signal-id", "1", "--json");
    EXPECT(f, 4, NULL, "registry.conflict", "signal", "a", "note", "{\"n\":2}", "--signal-id", "1");
    EXPECT(f, 0, "a: cancel requested\n", NULL, "cancel", "a", "--reason", "enough");
    EXPECT(f, 4, NULL, "registry.terminal", "cancel", "a");
    EXPECT(f, 0, "b", NULL, "start", "test.hold", "--id", "b");
    EXPECT(f, 0, "b: terminated\n", NULL, "terminate", "b");
    EXPECT(f, 0, "s", NULL, "start", "test.stuck", "--id", "s");
    EXPECT(f, 0, "s: resumed\n", NULL, "resume", "s");
    EXPECT(f, 4, NULL, "not stuck", "resume", "s");
    EXPECT(f, 0, "s: restarted\n", NULL, "restart", "s", "--from", "2", "--reason", "mended");
    EXPECT(f, 0, "s: was sent before\n", NULL, "restart", "s", "--from-start", "--request-id", "twice");
    EXPECT(f, 0, "s: restarted\n", NULL, "restart", "s", "--at-end");
    EXPECT(f, 1, NULL, "no step 9", "restart", "s", "--from", "9");
    EXPECT(f, 2, NULL, "give one of", "restart", "s", "--from", "1", "--at-end");
    EXPECT(f, 2, NULL, "from", "restart", "s", "--from", "0");
    EXPECT(f, 0, "x", NULL, "start", "import", "--external", "--id", "x");
    EXPECT(f, 2, NULL, "exactly one of", "complete", "x");
    EXPECT(f, 2, NULL, "exactly one of", "complete", "x", "--fail", "c", "--output", "1");
    EXPECT(f, 2, NULL, "--message goes with", "complete", "x", "--output", "1", "--message", "m");
    EXPECT(f, 0, "x: ended\n", NULL, "complete", "x", "--fail", "import.bad", "--message", "no header");
    EXPECT(f, 8, "x failed [import.bad] no header\n", NULL, "wait", "x");
    fixture_close(f);
}

static void test_host_and_plugins(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    EXPECT(f, 0, "profile  test", NULL, "host");
    EXPECT(f, 0, "com.example.\"x\"  1.0.0    process  0123456789ab  current     3          /p.so", NULL, "plugin",
           "list");
    EXPECT(f, 0, "{\"plugins\":[{", NULL, "plugin", "list", "--json");
    EXPECT(f, 0, "fedcba987654  not loaded  0", NULL, "plugin", "unused");
    char digest[65];
    memset(digest, 'b', 64);
    digest[64] = '\0';
    EXPECT(f, 0, "forgotten", NULL, "plugin", "forget", digest);
    digest[0] = 'a';
    EXPECT(f, 4, NULL, "is pinned to it", "plugin", "forget", digest);
    EXPECT(f, 2, NULL, "64 hex digits", "plugin", "forget", "abc");
    EXPECT(f, 0, "name  two", NULL, "plugin", "show", "good.so");
    EXPECT(f, 0, "the probe passed", NULL, "plugin", "probe", "good.so");
    EXPECT(f, 6, NULL, "loader.not_elf", "plugin", "show", "bad.so");
    EXPECT(f, 0, "worker has stopped", NULL, "drain", "--mode", "cancel", "--timeout", "1s");
    EXPECT(f, 1, NULL, "api.mode", "drain", "--mode", "gently");
    fixture_close(f);
}

static void test_check(void **state)
{
    (void)state;
    fixture *f = fixture_bare("");
    EXPECT(NULL, 0, "no problems", NULL, "check", f->profile);
    EXPECT(NULL, 0, "\"ok\":true", NULL, "check", "--profile", f->profile, "--json");
    EXPECT(NULL, 3, NULL, "cannot be read", "check", "/nonexistent.yaml");
    fixture_close(f);
    f = fixture_bare("refuse: profile.bad\n");
    EXPECT(NULL, 6, NULL, ":3:1: unknown key", "check", f->profile);
    command_run run = run_command(NULL, NULL, "check", f->profile, "--json", NULL);
    assert_exit(&run, 6);
    json_t *report = json_loads(run.out, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(report, "problems")), 2);
    json_decref(report);
    run_free(&run);
    fixture_close(f);
}

static void test_no_server(void **state)
{
    (void)state;
    fixture *f = fixture_bare("");
    EXPECT(NULL, 5, NULL, "no pawl serve listens at", "ps", "--profile", f->profile);
    EXPECT(NULL, 5, NULL, "start it with: pawl serve --profile", "show", "a", "--profile", f->profile);
    EXPECT(NULL, 5, NULL, "{\"error\":{\"exit\":5,\"code\":\"client.no_server\"", "ps", "--json", "--profile",
           f->profile);
    EXPECT(f, 5, NULL, "start it with: pawl serve [client.no_server]", "ps");
    unsetenv("PAWL_PROFILE");
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir("/"), 0);
    EXPECT(NULL, 2, NULL, "which server?", "ps");
    setenv("PAWL_PROFILE", f->profile, 1);
    EXPECT(NULL, 5, NULL, f->profile, "ps");
    unsetenv("PAWL_PROFILE");
    assert_int_equal(chdir(f->directory), 0);
    EXPECT(NULL, 5, NULL, "(profile pawl.yaml)", "ps");
    assert_int_equal(chdir(before), 0);
    fixture_close(f);
}

static void test_usage(void **state)
{
    (void)state;
    EXPECT(NULL, 2, NULL, "did you mean \"start\"?", "strat");
    EXPECT(NULL, 2, NULL, "unknown command \"frobnicate\"; pawl help", "frobnicate");
    EXPECT(NULL, 2, NULL, "did you mean --session?", "start", "x", "--sesion", "y");
    EXPECT(NULL, 2, NULL, "has no option --frobnicate; see: pawl help start", "start", "x", "--frobnicate");
    EXPECT(NULL, 2, NULL, "--id is given twice", "start", "x", "--id", "a", "--id", "b");
    EXPECT(NULL, 2, NULL, "--id wants a value: --id ID", "start", "x", "--id");
    EXPECT(NULL, 2, NULL, "--wait takes no value", "start", "x", "--wait=yes");
    EXPECT(NULL, 2, NULL, "options have two dashes", "start", "x", "-w");
    EXPECT(NULL, 2, NULL, "too few arguments; usage: pawl signal ID NAME [PAYLOAD]", "signal", "a");
    EXPECT(NULL, 2, NULL, "too many arguments", "show", "a", "b");
    EXPECT(NULL, 2, NULL, "group of commands: pawl plugin list, pawl plugin show, pawl plugin probe", "plugin");
    EXPECT(NULL, 2, NULL, "--color is \"red\"", "version", "--color", "red");
    EXPECT(NULL, 2, NULL, "wanted rocksdb", "bench", "steps", "--store", "paper");
}

static void test_help_comes_from_the_table(void **state)
{
    (void)state;
    command_run run = run_command(NULL, NULL, "help", NULL);
    assert_exit(&run, 0);
    for (const pawl_cli_command *command = pawl_cli_commands; command->name != NULL; command++) {
        assert_contains(run.out, command->summary);
        assert_non_null(command->examples);
        command_run one = run_command(NULL, NULL, "help", command->name, NULL);
        if (strchr(command->name, ' ') == NULL) {
            assert_exit(&one, 0);
            assert_contains(one.out, command->examples[0] == '\0' ? "" : "Examples:");
            for (const pawl_cli_option *option = command->options; option->name != NULL; option++)
                assert_contains(one.out, option->help);
        }
        run_free(&one);
    }
    run_free(&run);
    EXPECT(NULL, 0, "Usage: pawl start TYPE [OPTIONS]", NULL, "start", "--help");
    EXPECT(NULL, 0, "Usage: pawl start TYPE [OPTIONS]", NULL, "start", "-h");
    EXPECT(NULL, 0, "Usage: pawl plugin probe FILE", NULL, "help", "plugin", "probe");
    EXPECT(NULL, 0, "Usage: pawl plugin probe FILE", NULL, "help", "plugin");
    EXPECT(NULL, 2, NULL, "there is no command", "help", "nothing");
    EXPECT(NULL, 0, "Processes:\n  start TYPE ", NULL, "--help");
    EXPECT(NULL, 0, "pawl 0.1.0", NULL, "--version");
    EXPECT(NULL, 0, "{\"version\":\"0.1.0\",\"abi\":\"1.0\"}", NULL, "version", "--json");
}

static void test_color_only_when_wanted(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    EXPECT(f, 0, "s", NULL, "start", "test.stuck", "--id", "s");
    command_run run = run_command(f, NULL, "show", "s", NULL);
    assert_null(strchr(run.out, '\033')); /* not a terminal */
    run_free(&run);
    EXPECT(f, 0, "\033[31mstuck\033[0m", NULL, "show", "s", "--color", "always");
    EXPECT(f, 0, "\033[31mstuck\033[0m", NULL, "ps", "--color=always");
    run = run_command(f, NULL, "ps", "--color", "never", NULL);
    assert_null(strchr(run.out, '\033'));
    run_free(&run);
    fixture_close(f);
}

static void test_text_from_outside_cannot_drive_a_terminal(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.hold\",\"id\":\"evil\\u001b]0;x\\u0007\\u009b2J\"}", 201);
    command_run run = run_command(f, NULL, "ps", NULL);
    assert_exit(&run, 0);
    assert_contains(run.out, "evil\\x1b]0;x\\x07\\x9b2J");
    assert_null(strchr(run.out, '\033'));
    run_free(&run);
    fixture_close(f);
}

static void test_spans_and_ages(void **state)
{
    (void)state;
    static const struct {
        uint64_t seconds;
        const char *text;
    } ages[] = {{0, "0s"}, {59, "59s"}, {119, "119s"}, {120, "2m"}, {7199, "119m"}, {7200, "2h"}, {172800, "2d"}};
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
        char text[32];
        pawl_cli_age(1000000000u, 1000000000u + ages[i].seconds * 1000000000u, text, sizeof text);
        assert_string_equal(text, ages[i].text);
    }
    char text[96];
    setenv("TZ", "UTC", 1);
    pawl_cli_moment(0, UINT64_C(30000000000), text, sizeof text);
    assert_string_equal(text, "1970-01-01 00:00:00 (30 s ago)");
    pawl_cli_moment(UINT64_C(90000000000), 0, text, sizeof text);
    assert_string_equal(text, "1970-01-01 00:01:30 (in 90 s)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_and_wait),
        cmocka_unit_test(test_H13_wait_timeout_has_its_exit_code),
        cmocka_unit_test(test_content_from_files_and_standard_input),
        cmocka_unit_test(test_ps_and_show),
        cmocka_unit_test(test_journal),
        cmocka_unit_test(test_tell),
        cmocka_unit_test(test_host_and_plugins),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_no_server),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_help_comes_from_the_table),
        cmocka_unit_test(test_color_only_when_wanted),
        cmocka_unit_test(test_text_from_outside_cannot_drive_a_terminal),
        cmocka_unit_test(test_spans_and_ages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
