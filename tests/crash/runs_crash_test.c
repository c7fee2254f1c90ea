/* runs_crash_test.c: a process that continues as a new run of itself twenty times, while signals arrive, dies at crash
 * points (seam/crash_point.h) all the way; what it ends with, what its effects did and what is in the store are as if
 * nothing had happened: no signal is lost, none is taken twice, no run is repeated or left out.
 *
 *   runs-crash-test          every so manyth point, beginning at a random one, in a fresh store each
 *   runs-crash-test --all    every point
 * The seed is printed; PAWL_SEED gives it again. */
#include "seam/crash_point.h"

#include <pawl/pawl.h>
#include <pawl_plugin.h>
#include <pawl_process.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIGNALS    40u
#define PER_RUN    2u
#define LAST_RUN   (SIGNALS / PER_RUN + 1) /* the last one only ends */
#define RUNS_ALL   8u                      /* of the default sweep, about */
#define PATIENCE_S 120
#define LIFE_DONE  0

static struct {
    bool all;
    unsigned seed;
} wanted; /* set by main, before any test */

static char directory[200]; /* of this test program; set before any child */

/* ---- the plugin ------------------------------------------------------------------------------------------------- */

/* Fails, until it is done again. */
static bool is_first_try(const pawl_effect_call *call)
{
    return pawl_is(call->operation, "runs.again") &&
           memchr(call->idempotency_key.data, '~', call->idempotency_key.size) == NULL;
}

/* "KEY VALUE": the deed. */
static pawl_status execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    char path[300];
    char line[200];
    snprintf(path, sizeof path, "%s/effects", directory);
    int size =
        snprintf(line, sizeof line, "%.*s %.*s\n", (int)call->idempotency_key.size,
                 (const char *)call->idempotency_key.data, (int)call->input.size, (const char *)call->input.data);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || write(file, line, (size_t)size) != size)
        return pawl_fail_with(pawl_core_of(call->host), why, PAWL_TERMINAL, "runs.log", "it cannot be written");
    close(file);
    if (is_first_try(call))
        return pawl_fail_with(pawl_core_of(call->host), why, PAWL_TERMINAL, "runs.again", "not at the first try");
    return pawl_writef(pawl_core_of(call->host), out, "%.*s", (int)call->input.size, (const char *)call->input.data);
}

static pawl_status three_steps(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "runs.note", pawl_bytes_of_text("1"), NULL));
    PAWL_TRY(pawl_call(p, "runs.again", pawl_bytes_of_text("2"), NULL));
    PAWL_TRY(pawl_call(p, "runs.note", pawl_bytes_of_text("3"), NULL));
    return pawl_complete(p, pawl_bytes_of_text("\"three steps\""));
}

/* Input "COUNT SUM": what earlier runs have taken. */
static pawl_status count(pawl_process *p)
{
    char *rest = pawl_cstring(p, pawl_input(p));
    unsigned long taken = strtoul(rest + (*rest == '"'), &rest, 10), sum = strtoul(rest, NULL, 10);
    if (taken / PER_RUN + 1 != pawl_run_number(p))
        return pawl_failf(p, "runs.run", "run %u has the input of another", (unsigned)pawl_run_number(p));
    if (taken == SIGNALS)
        return pawl_complete(p, pawl_printf(p, "\"%lu signals, sum %lu\"", taken, sum));
    for (unsigned i = 0; i < PER_RUN; i++, taken++) {
        pawl_bytes value;
        PAWL_TRY(pawl_signal(p, "add", &value));
        PAWL_TRY(pawl_call(p, "runs.note", value, NULL));
        sum += strtoul(pawl_cstring(p, value), NULL, 10);
    }
    if (pawl_should_continue(p))
        return pawl_fail(p, "runs.long", "the journal of a short run is long");
    return pawl_continue_as_new(p, pawl_printf(p, "%lu %lu", taken, sum));
}

PAWL_PROCESSES(PAWL_TYPE("runs.count", 1, count), PAWL_TYPE("runs.steps", 1, three_steps))
PAWL_EFFECT_TABLE(effects, execute, NULL, NULL);

static const void *get_factory(const char *factory_id)
{
    return strcmp(factory_id, PAWL_FACTORY_EFFECT) == 0 ? (const void *)&effects : pawl_process_factory(factory_id);
}

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"pawl.test.runs\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"       \
    "\"kinds\":[\"effect\",\"process\"],\"effects\":[{\"name\":\"runs.note\",\"runs\":\"pool\","                       \
    "\"outcome\":\"by_key\"},{\"name\":\"runs.again\",\"runs\":\"pool\",\"outcome\":\"by_key\"}],"                     \
    "\"processes\":[{\"name\":\"runs.count\",\"revision\":1},{\"name\":\"runs.steps\",\"revision\":1}]}"
PAWL_LINKED_PLUGIN(runs_plugin, "pawl.test.runs", "1.0.0", "Pawl", MANIFEST, pawl_plain_init, pawl_plain_deinit,
                   get_factory);

/* ---- one life, in a child ---------------------------------------------------------------------------------------- */

static void give_up(const char *what, const pawl_error *error) __attribute__((noreturn));
static void give_up(const char *what, const pawl_error *error)
{
    fprintf(stderr, "%s: %s: %s\n", what, error->code, error->message);
    _exit(3);
}

static void no_log(void *context, uint32_t level, const char *line)
{
    (void)context;
    if (level >= PAWL_LOG_ERROR)
        fprintf(stderr, "%s\n", line);
}

static void options_of(pawl_host_options *options, char *profile, size_t room)
{
    static const pawl_plugin_entry_fn plugins[] = {runs_plugin};
    snprintf(profile, room,
             "profile: crash\ntier: durable\ndata: %s/data\nstores: { main: { provider: rocksdb } }\n"
             "log: { level: error }\ntimeouts: { stop_grace: 30s }\n",
             directory);
    *options = (pawl_host_options){.struct_size = sizeof *options,
                                   .profile_text = profile,
                                   .log = no_log,
                                   .static_plugins = plugins,
                                   .static_plugin_count = 1};
}

static void put_file(const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "we");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        _exit(4);
}

/* Everything is said again in each life, under the same ids. */
static void live(void)
{
    char profile[600];
    pawl_host_options options;
    pawl_host *host = NULL;
    pawl_error error = {0};
    pawl_text text = {0};
    options_of(&options, profile, sizeof profile);
    if (pawl_host_open(&options, &host, &error) != PAWL_OK)
        give_up("open", &error);
    pawl_start start = {.struct_size = sizeof start, .id = "p", .type = "runs.count", .input = {"\"0 0\"", 5}};
    if (pawl_host_start(host, &start, NULL, &error) != PAWL_OK)
        give_up("start", &error);
    for (unsigned i = 1; i <= SIGNALS; i++) {
        char id[16];
        char value[16];
        snprintf(id, sizeof id, "s-%u", i);
        int size = snprintf(value, sizeof value, "%u", i);
        pawl_bytes payload = {value, (size_t)size};
        pawl_status sent = pawl_host_signal(host, "p", "add", payload, id, NULL, &error);
        if (sent != PAWL_OK)
            give_up("signal", &error);
    }
    if (pawl_host_wait(host, "p", (uint64_t)PATIENCE_S * 1000000000u, &text, &error) != PAWL_OK)
        give_up("wait", &error);
    put_file("outcome", text.data);
    pawl_text_free(&text);
    if (pawl_host_get(host, "p", &text, &error) != PAWL_OK)
        give_up("get", &error);
    put_file("process", text.data);
    pawl_text_free(&text);
    char points[16];
    snprintf(points, sizeof points, "%u", pawl_crash_points_passed());
    put_file("points", points);
    pawl_host_close(host);
}

static bool has_failed(pawl_host *host)
{
    pawl_text text = {0};
    pawl_error error = {0};
    if (pawl_host_wait(host, "p", (uint64_t)PATIENCE_S * 1000000000u, &text, &error) != PAWL_OK)
        give_up("wait", &error);
    bool failed = strstr(text.data, "\"failed\"") != NULL;
    put_file("outcome", text.data);
    pawl_text_free(&text);
    return failed;
}

/* A process that fails and is restarted from the step that failed. */
static void live_and_restart(void)
{
    char profile[600];
    pawl_host_options options;
    pawl_host *host = NULL;
    pawl_error error = {0};
    options_of(&options, profile, sizeof profile);
    if (pawl_host_open(&options, &host, &error) != PAWL_OK)
        give_up("open", &error);
    pawl_start start = {.struct_size = sizeof start, .id = "p", .type = "runs.steps", .input = {"1", 1}};
    if (pawl_host_start(host, &start, NULL, &error) != PAWL_OK)
        give_up("start", &error);
    if (has_failed(host)) {
        if (pawl_host_restart(host, "p", 2, NULL, "r-1", NULL, &error) != PAWL_OK)
            give_up("restart", &error);
        if (has_failed(host))
            _exit(6);
    }
    char points[16];
    snprintf(points, sizeof points, "%u", pawl_crash_points_passed());
    put_file("points", points);
    pawl_host_close(host);
}

/* The store is opened in children alone: its threads do not go over into a fork. */
static int in_child(const char *point, void (*what)(void))
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(PATIENCE_S);
        if (point != NULL)
            setenv("PAWL_CRASH_POINT", point, 1);
        else
            unsetenv("PAWL_CRASH_POINT");
        what();
        exit(LIFE_DONE);
    }
    int ended = 0;
    assert_int_equal(waitpid(child, &ended, 0), child);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : -WTERMSIG(ended);
}

/* ---- what came of it ----------------------------------------------------------------------------------------------
 */

static json_t *load(const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return json_load_file(path, JSON_DECODE_ANY, NULL);
}

static void check_end(void)
{
    char expected[64];
    json_t *outcome = load("outcome");
    json_t *process = load("process");
    snprintf(expected, sizeof expected, "%u signals, sum %u", SIGNALS, SIGNALS * (SIGNALS + 1) / 2);
    assert_string_equal(json_string_value(json_object_get(outcome, "status")), "completed");
    assert_string_equal(json_string_value(json_object_get(outcome, "output")), expected);
    assert_int_equal(json_integer_value(json_object_get(process, "run")), LAST_RUN);
    json_decref(outcome);
    json_decref(process);
}

/* Each signal led to one step, under one key, in the run that took it. */
static void check_effects(unsigned crashes)
{
    char path[300];
    char line[200];
    unsigned keys[LAST_RUN + 1][PER_RUN + 1];
    unsigned seen[SIGNALS + 1] = {0};
    unsigned lines = 0;
    memset(keys, 0, sizeof keys);
    snprintf(path, sizeof path, "%s/effects", directory);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    for (; fgets(line, sizeof line, file) != NULL; lines++) {
        unsigned run;
        unsigned ordinal;
        unsigned value;
        assert_int_equal(sscanf(line, "p/%u/%u %u", &run, &ordinal, &value), 3);
        assert_in_range(run, 1, LAST_RUN);
        assert_in_range(ordinal, 1, PER_RUN);
        assert_in_range(value, 1, SIGNALS);
        assert_true(keys[run][ordinal] == 0 || keys[run][ordinal] == value);
        if (keys[run][ordinal] == 0)
            seen[value]++;
        keys[run][ordinal] = value;
    }
    fclose(file);
    for (unsigned i = 1; i <= SIGNALS; i++)
        assert_int_equal(seen[i], 1);
    assert_in_range(lines, SIGNALS, SIGNALS + crashes);
}

static int32_t say_finding(void *context, const char *store, const pawl_care_finding *finding)
{
    (void)context;
    (void)store;
    if (finding->kind != PAWL_FINDING_PROGRESS)
        print_error("finding: %.*s, wanted %.*s\n", (int)finding->found.size, (const char *)finding->found.data,
                    (int)finding->wanted.size, (const char *)finding->wanted.data);
    return 0;
}

static void check_store(void)
{
    char profile[600];
    pawl_host_options options;
    pawl_text text = {0};
    pawl_error error = {0};
    options_of(&options, profile, sizeof profile);
    if (pawl_care_check(&options, 0, say_finding, NULL, &text, &error) != PAWL_OK)
        give_up("check", &error);
    json_t *facts = json_loads(text.data, 0, NULL);
    if (json_integer_value(json_object_get(facts, "problems")) != 0)
        _exit(5);
    json_decref(facts);
    pawl_text_free(&text);
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
    (void)found;
    (void)kind;
    (void)where;
    return remove(path);
}

static void remove_all(void)
{
    nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* What each step did: once under its first key, and from the second on once under its second one. */
static void check_steps(unsigned crashes)
{
    static const char *const keys[] = {"p/1/1 1\n", "p/1/2 2\n", "p/1~1/2 2\n", "p/1~1/3 3\n"};
    char path[300];
    char line[200];
    unsigned seen[4] = {0};
    unsigned lines = 0;
    json_t *outcome = load("outcome");
    assert_string_equal(json_string_value(json_object_get(outcome, "output")), "three steps");
    json_decref(outcome);
    snprintf(path, sizeof path, "%s/effects", directory);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    for (; fgets(line, sizeof line, file) != NULL; lines++)
        for (size_t i = 0; i < 4; i++)
            seen[i] += strcmp(line, keys[i]) == 0;
    fclose(file);
    for (size_t i = 0; i < 4; i++)
        assert_in_range(seen[i], 1, 1 + crashes);
    assert_int_equal(lines, seen[0] + seen[1] + seen[2] + seen[3]);
    assert_in_range(lines, 4, 4 + crashes);
}

static void check_runs(unsigned crashes)
{
    check_end();
    check_effects(crashes);
}

typedef struct scenario {
    void (*live)(void);
    void (*check)(unsigned crashes);
} scenario;

/* @return whether it died there */
static bool run_at(const scenario *s, unsigned point)
{
    char text[16];
    remove_all();
    assert_int_equal(mkdir(directory, 0700), 0);
    snprintf(text, sizeof text, "%u", point);
    int ended = point == 0 ? LIFE_DONE : in_child(text, s->live);
    if (ended != LIFE_DONE && ended != PAWL_CRASH_STATUS)
        fail_msg("point %u (seed %u): it ended with %d", point, wanted.seed, ended);
    int last = in_child(NULL, s->live);
    if (last != LIFE_DONE)
        fail_msg("point %u (seed %u): the last life ended with %d", point, wanted.seed, last);
    s->check(ended == PAWL_CRASH_STATUS);
    assert_int_equal(in_child(NULL, check_store), LIFE_DONE);
    return ended == PAWL_CRASH_STATUS;
}

static void sweep(const scenario *s, unsigned least)
{
    run_at(s, 0);
    json_t *passed = load("points");
    unsigned points = (unsigned)json_integer_value(passed);
    json_decref(passed);
    unsigned stride = wanted.all ? 1 : points / RUNS_ALL + 1;
    unsigned from = wanted.all ? 1 : 1 + wanted.seed % stride;
    unsigned runs = 0;
    unsigned crashes = 0;
    print_message("seed %u: %u points, every %u from %u (PAWL_SEED=%u repeats it)\n", wanted.seed, points, stride, from,
                  wanted.seed);
    assert_true(points > least);
    for (unsigned n = from; n <= points; n += stride, runs++)
        crashes += run_at(s, n) ? 1 : 0;
    print_message("%u runs, %u crashes\n", runs, crashes);
    assert_true(crashes * 2 >= runs); /* writes that fall together are one: not every life has all points */
}

static void test_I1_I4_I5_dies_at_every_point_of_twenty_runs(void **state)
{
    (void)state;
    sweep(&(scenario){live, check_runs}, 4 * SIGNALS);
}

static void test_I1_I4_dies_at_every_point_of_a_restart(void **state)
{
    (void)state;
    sweep(&(scenario){live_and_restart, check_steps}, 15);
}

static int begin(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%.100s/pawl-runs-XXXXXX", base == NULL ? "/tmp" : base);
    return mkdtemp(directory) == NULL ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    remove_all();
    return 0;
}

int main(int argc, char **argv)
{
    const char *given = getenv("PAWL_SEED");
    wanted.seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    wanted.all = argc > 1 && strcmp(argv[1], "--all") == 0;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_I1_I4_I5_dies_at_every_point_of_twenty_runs),
                                       cmocka_unit_test(test_I1_I4_dies_at_every_point_of_a_restart)};
    return cmocka_run_group_tests(tests, begin, end);
}
