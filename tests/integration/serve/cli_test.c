/* cli_test.c: every command of `pawl` against a real server, once for people and once with --json: its exit code, and
 * that with --json each line it prints, on either stream, is JSON. */
#include "yard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_yard(void **state)
{
    *state = yard_open("timeouts: { call: 0s }\n");
    return 0;
}

static int close_yard(void **state)
{
    *state = yard_close(*state);
    return 0;
}

typedef struct step {
    int exit_code;
    const char *text; /* a part of what is printed for people */
    const char *json; /* a part of what is printed with --json */
    const char *words[8];
} step;

static void run_once(const yard *y, const step *s, bool json, command *c)
{
    const char *words[12] = {NULL};
    size_t count = 0;
    const char *part = json ? s->json : s->text;
    for (; s->words[count] != NULL; count++)
        words[count] = s->words[count];
    if (json)
        words[count] = "--json";
    yard_run(y, c, words);
    if (c->exit_code != s->exit_code || (strstr(c->out, part) == NULL && strstr(c->err, part) == NULL))
        fail_msg("pawl %s %s%s: exit code %d, wanted %d and \"%s\"\nout: %.2000s\nerr: %.2000s", s->words[0],
                 s->words[1] == NULL ? "" : s->words[1], json ? " --json" : "", c->exit_code, s->exit_code, part,
                 c->out, c->err);
}

/* Every line is one JSON value. */
static void expect_json(const step *s, char *text)
{
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        json_t *value = json_loads(line, JSON_DECODE_ANY, NULL);
        if (value == NULL)
            fail_msg("pawl %s %s --json prints a line that is no JSON: %s", s->words[0],
                     s->words[1] == NULL ? "" : s->words[1], line);
        json_decref(value);
    }
}

static void run_steps(const yard *y, const step *steps, size_t count)
{
    command *c = calloc(1, sizeof *c);
    assert_non_null(c);
    for (size_t i = 0; i < count; i++) {
        run_once(y, &steps[i], false, c);
        if (strchr(c->out, '\033') != NULL || strchr(c->err, '\033') != NULL)
            fail_msg("pawl %s colors what is no terminal", steps[i].words[0]);
        run_once(y, &steps[i], true, c);
        expect_json(&steps[i], c->out);
        expect_json(&steps[i], c->err);
    }
    free(c);
}
#define RUN_STEPS(y, steps) run_steps(y, steps, sizeof(steps) / sizeof *(steps))

static void test_every_command_about_processes(void **state)
{
    static const step steps[] = {
        {0, "p1\n", "\"id\":\"p1\"", {"start", "probe.plan", "--id", "p1", "--text", "step"}},
        {0, "\"", "\"completed\"", {"start", "probe.plan", "--id", "p1", "--text", "step", "--wait"}},
        {4, "p1", "\"exit\":4", {"start", "probe.plan", "--id", "p1", "--text", "step step"}},
        {3, "probe.plam", "\"exit\":3", {"start", "probe.plam"}},
        {8,
         "f1 failed: it failed, as planned [probe.no]",
         "\"probe.no\"",
         {"start", "probe.plan", "--id", "f1", "--text", "fail:probe.no", "--wait"}},
        {0, "p1 completed", "\"status\":\"completed\"", {"wait", "p1"}},
        {8, "f1 failed [probe.no]", "\"failed\"", {"wait", "f1", "p1"}},
        {3, "nobody", "\"exit\":3", {"wait", "nobody"}},
        {0, "w1\n", "\"existed\":true", {"start", "probe.waiter", "--id", "w1", "--text", "step signal:go signal:go"}},
        {7, "has not ended in time", "\"exit\":7", {"wait", "w1", "--timeout", "30ms"}},
        {0, "w1", "\"id\":\"w1\"", {"ps"}},
        {0, "f1", "\"f1\"", {"ps", "--status", "failed", "--newest", "--limit", "5"}},
        {0, "p1", "\"next\":", {"ps", "--all", "--prefix", "p", "--type", "probe.plan"}},
        {0, "no processes", "\"processes\":[]", {"ps", "--session", "none"}},
        {0, "completed", "\"status\":\"completed\"", {"show", "p1"}},
        {3, "nobody", "\"exit\":3", {"show", "nobody"}},
        {0, "probe.step", "\"name\":\"probe.step\"", {"journal", "p1", "--whole"}},
        {0, "started", "\"kind\":\"started\"", {"journal", "p1", "--from", "1", "--limit", "1"}},
        {3, "nobody", "\"exit\":3", {"journal", "nobody"}},
        {0, "signal sent", "\"replayed\":true", {"signal", "w1", "go", "{\"a\":1}", "--signal-id", "s1"}},
        {4, "s1", "\"exit\":4", {"signal", "w1", "go", "{\"a\":2}", "--signal-id", "s1"}},
        {0, "was sent before", "\"replayed\":true", {"signal", "w1", "go", "{\"a\":1}", "--signal-id", "s1"}},
        {0, "signal sent", "\"replayed\"", {"signal", "w1", "other", "--text", "plain"}},
        {4, "not stuck", "\"exit\":4", {"resume", "w1"}},
        {3, "nobody", "\"exit\":3", {"resume", "nobody"}},
        {0, "x1\n", "\"id\":\"x1\"", {"start", "import.any", "--external", "--id", "x1"}},
        {0, "ended", "\"id\":\"x1\"", {"complete", "x1", "--output", "{\"rows\":1}"}},
        {4, "x1", "\"exit\":4", {"complete", "x1", "--fail", "import.bad", "--message", "late"}},
        {1, "only an external one", "\"not_external\"", {"complete", "w1", "--output", "1"}},
        {4, "p1", "\"exit\":4", {"cancel", "p1", "--reason", "late"}},
        {4, "p1", "\"exit\":4", {"terminate", "p1"}},
    };
    yard *y = *state;
    YARD_SERVE(y, NULL);
    RUN_STEPS(y, steps);
    yard_stop(y);
}

/* What can be done once only, so each form has a process of its own. */
static void test_every_command_that_ends_a_process(void **state)
{
    static const struct {
        const char *word;
        const char *text;
        const char *end;
    } ways[] = {{"cancel", "cancel requested", "cancelled"}, {"terminate", "terminated", "terminated"}};
    yard *y = *state;
    YARD_SERVE(y, NULL);
    for (size_t i = 0; i < 4; i++) {
        char id[16];
        snprintf(id, sizeof id, "e%zu", i);
        api_start(y, "probe.waiter", id, "signal:go");
        api_await_status(y, id, "waiting");
        if (i % 2 == 0)
            YARD_EXPECT(y, 0, ways[i / 2].text, ways[i / 2].word, id, "--reason", "as asked");
        else
            YARD_EXPECT(y, 0, id, ways[i / 2].word, id, "--reason", "as asked", "--json");
        YARD_EXPECT(y, 8, ways[i / 2].end, "wait", id, "--timeout", "30s");
    }
    yard_stop(y);
}

static void test_every_command_about_the_host(void **state)
{
    static const step steps[] = {
        {0, "yard", "\"profile\":\"yard\"", {"host"}},
        {0, "pawl.test.probe", "\"pawl.test.probe\"", {"plugin", "list"}},
        {0, "pawl.test.probe", "\"id\":\"pawl.test.probe\"", {"plugin", "show", PROBE_PLUGIN}},
        {3, "absent.so", "\"exit\":3", {"plugin", "show", "absent.so"}},
        {0, "loader.not_elf", "\"loader.not_elf\"", {"plugin", "show", "text.so"}},
        {6, "loader.not_elf", "\"exit\":6", {"plugin", "probe", "text.so"}},
        {0, "the probe passed", "\"pawl.http\"", {"plugin", "probe", HTTP_PLUGIN}},
        {0, "no problems", "\"ok\":true", {"check"}},
        {0, "no problems", "\"problems\":[]", {"check", "pawl.yaml"}},
        {6, "bad.yaml:2:7", "\"ok\":false", {"check", "bad.yaml"}},
        {0, "pawl 0.1.0", "\"abi\":\"1.0\"", {"version"}},
        {2, "pawl", "\"exit\":2", {"frobnicate"}},
        {2, "--limit", "\"exit\":2", {"ps", "--limt", "5"}},
        {2, "too few arguments", "\"exit\":2", {"show"}},
        {2, "span with its unit", "\"exit\":2", {"wait", "p", "--timeout", "5"}},
        {0, "the worker has stopped", "\"drained\":true", {"drain", "--timeout", "5s"}},
        {0, "the worker has stopped", "\"drained\":true", {"drain", "--mode", "abort"}},
        {1, "mode", "\"exit\":1", {"drain", "--mode", "gently"}},
    };
    yard *y = *state;
    yard_write(y, "text.so", "text\n");
    yard_write(y, "bad.yaml", "profile: bad\ntier: durabel\ndata: d\nstores: { main: { provider: memory } }\n");
    YARD_SERVE(y, NULL);
    RUN_STEPS(y, steps);
    yard_stop(y);
}

static void test_every_command_has_help_and_says_when_nobody_is_there(void **state)
{
    static const char *const asking[] = {
        "ps",   "show p", "journal p",   "signal p n", "cancel p", "terminate p", "resume p", "complete p --output 1",
        "host", "drain",  "plugin list", "start t",    "wait p"};
    static const char *const others[] = {"serve",       "plugin show", "plugin probe", "check",   "bench start",
                                         "bench steps", "bench sleep", "bench signal", "version", "help"};
    yard *y = *state;
    for (size_t i = 0; i < sizeof asking / sizeof *asking; i++) {
        char text[64];
        const char *words[8] = {NULL};
        char *rest = NULL;
        size_t count = 0;
        snprintf(text, sizeof text, "%s", asking[i]);
        for (char *word = strtok_r(text, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
            words[count++] = word;
        yard_expect(y, 5, "no pawl serve listens at", words);
        words[count] = "--json";
        yard_expect(y, 5, "\"client.no_server\"", words);
        words[count] = "--help";
        yard_expect(y, 0, "--socket", words);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s", others[i]);
        char *second = strchr(text, ' ');
        if (second != NULL)
            *second++ = '\0';
        YARD_EXPECT(y, 0, "--json", "help", text, second);
    }
    YARD_EXPECT(y, 0, "serve", "help");
}

static void test_serve_says_in_json_when_it_is_ready(void **state)
{
    yard *y = *state;
    char path[256];
    char line[1024];
    YARD_SERVE(y, "--json");
    yard_path(y, "serve.out", path);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    json_t *ready = json_loads(line, 0, NULL);
    assert_non_null(ready);
    assert_int_equal(json_integer_value(json_object_get(ready, "pid")), y->server);
    assert_string_equal(json_string_value(json_object_get(ready, "event")), "ready");
    assert_string_equal(json_string_value(json_object_get(ready, "tier")), "durable");
    json_decref(ready);
    yard_stop(y);
}

/* JSON may hold one, and not every reader of JSON takes it. */
static void test_a_value_with_a_NUL_character_is_shown(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", "nul", "\"a\\u0000b\"");
    api_await_status(y, "nul", "stuck");
    YARD_EXPECT(y, 0, "started", "journal", "nul");
    YARD_EXPECT(y, 0, "\"input\":\"a\\u0000b\"", "journal", "nul", "--json");
    yard_stop(y);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_command_about_processes, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_every_command_that_ends_a_process, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_every_command_about_the_host, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_every_command_has_help_and_says_when_nobody_is_there, open_yard,
                                        close_yard),
        cmocka_unit_test_setup_teardown(test_serve_says_in_json_when_it_is_ready, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_a_value_with_a_NUL_character_is_shown, open_yard, close_yard),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
