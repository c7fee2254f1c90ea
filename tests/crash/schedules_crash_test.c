/* schedules_crash_test.c: a schedule that is filled in one by one, run by hand and left to its times, while the host
 * dies at crash points (seam/crash_point.h); in the end each time has run once, none was lost, none was doubled, and
 * those that were to wait for one another did.
 *
 *   schedules-crash-test          every so manyth point, beginning at a random one, in a fresh store each
 *   schedules-crash-test --all    every point
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

#define TIMES      8u /* of the backfill */
#define BY_HAND    3u
#define WISHES     30u /* pauses and resumes: so that its process goes through runs */
#define PATIENCE_S 120
#define LIFE_DONE  0

static struct {
    bool all;
    unsigned seed;
} wanted; /* set by main, before any test */

static char directory[200]; /* of this test program; set before any child */

/* ---- the plugin -------------------------------------------------------------------------------------------------
 */

/* "KEY INPUT": the deed. */
static pawl_status execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    char path[300];
    char line[600];
    snprintf(path, sizeof path, "%s/effects", directory);
    int size =
        snprintf(line, sizeof line, "%.*s %.*s\n", (int)call->idempotency_key.size,
                 (const char *)call->idempotency_key.data, (int)call->input.size, (const char *)call->input.data);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || write(file, line, (size_t)size) != size)
        return pawl_fail_with(pawl_core_of(call->host), why, PAWL_TERMINAL, "sched.log", "it cannot be written");
    close(file);
    return pawl_writef(pawl_core_of(call->host), out, "1");
}

static pawl_status note(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "sched.note", pawl_bytes_of_text("begun"), NULL));
    PAWL_TRY(pawl_call(p, "sched.note", pawl_bytes_of_text("done"), NULL));
    return pawl_complete(p, pawl_bytes_of_text("1"));
}

PAWL_PROCESS("sched.note", 1, note)
PAWL_EFFECT_TABLE(effects, execute, NULL, NULL);

static const void *get_factory(const char *factory_id)
{
    return strcmp(factory_id, PAWL_FACTORY_EFFECT) == 0 ? (const void *)&effects : pawl_process_factory(factory_id);
}

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"pawl.test.sched\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"      \
    "\"kinds\":[\"effect\",\"process\"],\"effects\":[{\"name\":\"sched.note\",\"runs\":\"pool\","                      \
    "\"outcome\":\"by_key\"}],\"processes\":[{\"name\":\"sched.note\",\"revision\":1}]}"
PAWL_LINKED_PLUGIN(sched_plugin, "pawl.test.sched", "1.0.0", "Pawl", MANIFEST, pawl_plain_init, pawl_plain_deinit,
                   get_factory);

/* ---- one life, in a child
 * ---------------------------------------------------------------------------------------- */

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
    static const pawl_plugin_entry_fn plugins[] = {sched_plugin};
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

static pawl_host *open_host(void)
{
    char profile[600];
    pawl_host_options options;
    pawl_host *host = NULL;
    pawl_error error = {0};
    options_of(&options, profile, sizeof profile);
    if (pawl_host_open(&options, &host, &error) != PAWL_OK)
        give_up("open", &error);
    return host;
}

static void create(pawl_host *host, const char *spec)
{
    pawl_error error = {0};
    if (pawl_host_schedule_create(host, "s", (pawl_bytes){spec, strlen(spec)}, 0, NULL, NULL, &error) != PAWL_OK)
        give_up("create", &error);
}

static json_t *shown(pawl_host *host)
{
    pawl_error error = {0};
    pawl_text text = {0};
    if (pawl_host_schedule_show(host, "s", &text, &error) != PAWL_OK)
        give_up("show", &error);
    json_t *json = json_loads(text.data, 0, NULL);
    pawl_text_free(&text);
    return json;
}

/* Wait until so many have been started, and all of them have ended. */
static void until_started(pawl_host *host, unsigned count)
{
    const struct timespec pause = {0, 3000000};
    for (;;) {
        bool done = true;
        size_t i;
        const json_t *run;
        json_t *json = shown(host);
        json_array_foreach(json_object_get(json, "runs"), i, run) done =
            done && strcmp(json_string_value(json_object_get(run, "status")), "completed") == 0;
        done = done && json_integer_value(json_object_get(json, "started")) >= count &&
               json_object_get(json, "backfills") == NULL;
        json_decref(json);
        if (done)
            return;
        nanosleep(&pause, NULL); /* alarm() ends a wait without an end */
    }
}

/* What there is in the end. */
static void leave(pawl_host *host)
{
    pawl_error error = {0};
    pawl_text text = {0};
    const pawl_list_options all = {.struct_size = sizeof all, .limit = 1000, .id_prefix = "s/"};
    if (pawl_host_list(host, &all, &text, &error) != PAWL_OK)
        give_up("list", &error);
    put_file("processes", text.data);
    pawl_text_free(&text);
    if (pawl_host_schedule_show(host, "s", &text, &error) != PAWL_OK)
        give_up("show", &error);
    put_file("schedule", text.data);
    pawl_text_free(&text);
    char points[16];
    snprintf(points, sizeof points, "%u", pawl_crash_points_passed());
    put_file("points", points);
    pawl_host_close(host);
}

/* Everything is said again in each life, under the same ids. */
static void live_by_wishes(void)
{
    pawl_error error = {0};
    pawl_host *host = open_host();
    create(host, "{\"cron\":\"0 * * * *\",\"until\":\"2020-01-02T00:00:00Z\",\"type\":\"sched.note\",\"input\":1}");
    if (pawl_host_schedule_backfill(host, "s", "2020-01-01T00:00:00Z", "2020-01-01T07:00:00Z", "buffer_one", "fill",
                                    NULL, &error) != PAWL_OK)
        give_up("backfill", &error);
    for (unsigned i = 1; i <= BY_HAND; i++) {
        char id[16];
        snprintf(id, sizeof id, "hand-%u", i);
        if (pawl_host_schedule_trigger(host, "s", "allow", id, NULL, &error) != PAWL_OK)
            give_up("trigger", &error);
    }
    for (unsigned i = 0; i < WISHES; i++)
        if (pawl_host_schedule_pause(host, "s", "test", &error) != PAWL_OK ||
            pawl_host_schedule_resume(host, "s", &error) != PAWL_OK)
            give_up("pause", &error);
    until_started(host, TIMES + BY_HAND);
    leave(host);
}

/* From when the times of the second scenario count: the moment at which its first life was about to make the
 * schedule. However slow the machine is, they are still to come then. */
static long long epoch(bool set)
{
    char path[300];
    char text[32] = "0";
    snprintf(path, sizeof path, "%s/epoch", directory);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fgets(text, sizeof text, file) == NULL)
            text[0] = '\0';
        fclose(file);
    } else if (set) {
        snprintf(text, sizeof text, "%lld", (long long)time(NULL));
        put_file("epoch", text);
    }
    return strtoll(text, NULL, 10);
}

static unsigned times_after(long long made_unix_ns)
{
    const long long second = 1000000000;
    return made_unix_ns < (epoch(false) + 2) * second ? 2 : made_unix_ns < (epoch(false) + 3) * second ? 1 : 0;
}

/* A schedule runs what comes after it was made; a crash may have been before that. */
static unsigned to_come(pawl_host *host)
{
    json_t *json = shown(host);
    long long made = json_integer_value(json_object_get(json, "created_unix_ns"));
    json_decref(json);
    return times_after(made);
}

static void live_by_time(void)
{
    char spec[300];
    pawl_host *host = open_host();
    time_t first = (time_t)epoch(true) + 2, last = (time_t)epoch(true) + 3;
    char from[32], until[32];
    struct tm parts;
    strftime(from, sizeof from, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&first, &parts));
    strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&last, &parts));
    snprintf(spec, sizeof spec,
             "{\"every\":\"1s\",\"from\":\"%s\",\"until\":\"%s\",\"type\":\"sched.note\",\"overlap\":\"allow\"}", from,
             until);
    create(host, spec);
    until_started(host, to_come(host));
    leave(host);
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

/* ---- what came of it
 * ----------------------------------------------------------------------------------------------
 */

static json_t *load(const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return json_load_file(path, JSON_DECODE_ANY, NULL);
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

/* Each run has done its two deeds, under one key each. @return how many runs there were */
static unsigned check_effects(unsigned crashes, char first[64][300])
{
    char path[300];
    char line[700];
    char keys[64][300];
    unsigned count = 0;
    unsigned lines = 0;
    unsigned runs = 0;
    snprintf(path, sizeof path, "%s/effects", directory);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    for (; fgets(line, sizeof line, file) != NULL; lines++) {
        char *blank = strchr(line, ' ');
        assert_non_null(blank);
        *blank = '\0';
        unsigned known = 0;
        while (known < count && strcmp(keys[known], line) != 0)
            known++;
        assert_true(known < 64);
        if (known < count)
            continue; /* done again after a crash, under its own key */
        snprintf(keys[count++], sizeof keys[0], "%s", line);
        if (strcmp(blank + 1, "begun\n") == 0)
            snprintf(first[runs++], sizeof keys[0], "%s", line);
    }
    fclose(file);
    assert_int_equal(count, 2 * runs);
    assert_in_range(lines, count, count + 4 * crashes); /* whatever was in flight */
    return runs;
}

static void check_processes(unsigned count)
{
    json_t *list = load("processes");
    json_t *schedule = load("schedule");
    size_t i;
    const json_t *one;
    assert_int_equal(json_array_size(json_object_get(list, "processes")), count);
    json_array_foreach(json_object_get(list, "processes"), i, one)
        assert_string_equal(json_string_value(json_object_get(one, "status")), "completed");
    assert_int_equal(json_integer_value(json_object_get(schedule, "started")), count);
    assert_int_equal(json_integer_value(json_object_get(schedule, "skipped")), 0);
    assert_int_equal(json_integer_value(json_object_get(schedule, "missed")), 0);
    assert_int_equal(json_integer_value(json_object_get(schedule, "not_started")), 0);
    json_decref(list);
    json_decref(schedule);
}

static void check_by_wishes(unsigned crashes)
{
    char first[64][300];
    unsigned runs = check_effects(crashes, first);
    unsigned filled = 0;
    assert_int_equal(runs, TIMES + BY_HAND);
    check_processes(TIMES + BY_HAND);
    for (unsigned i = 0; i < runs; i++) { /* those of the backfill one after the other */
        char expected[64];
        snprintf(expected, sizeof expected, "s/2020-01-01T%02u:00:00Z/1/1", filled);
        filled += strcmp(first[i], expected) == 0;
    }
    assert_int_equal(filled, TIMES);
}

static void check_by_time(unsigned crashes)
{
    char first[64][300];
    json_t *schedule = load("schedule");
    long long made = json_integer_value(json_object_get(schedule, "created_unix_ns"));
    unsigned count = times_after(made);
    json_decref(schedule);
    check_processes(count);
    if (count > 0)
        assert_int_equal(check_effects(crashes, first), count);
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

static void sweep(const scenario *s, unsigned least, unsigned about)
{
    run_at(s, 0);
    json_t *passed = load("points");
    unsigned points = (unsigned)json_integer_value(passed);
    json_decref(passed);
    unsigned stride = wanted.all ? 1 : points / about + 1;
    unsigned from = wanted.all ? 1 : 1 + wanted.seed % stride;
    unsigned runs = 0;
    unsigned crashes = 0;
    print_message("seed %u: %u points, every %u from %u (PAWL_SEED=%u repeats it)\n", wanted.seed, points, stride, from,
                  wanted.seed);
    assert_true(points > least);
    for (unsigned n = from; n <= points; n += stride, runs++)
        crashes += run_at(s, n) ? 1 : 0;
    print_message("%u runs, %u crashes\n", runs, crashes);
    assert_true(crashes > 0); /* writes that fall together are one: not every life has all points */
}

static void test_I1_I5_dies_at_every_point_of_a_backfill_and_runs_by_hand(void **state)
{
    (void)state;
    sweep(&(scenario){live_by_wishes, check_by_wishes}, 8 * TIMES, 3);
}

static void test_I1_dies_at_every_point_of_a_schedule_that_runs_by_itself(void **state)
{
    (void)state;
    sweep(&(scenario){live_by_time, check_by_time}, 3, 2);
}

static int begin(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%.100s/pawl-schedules-XXXXXX", base == NULL ? "/tmp" : base);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_I1_I5_dies_at_every_point_of_a_backfill_and_runs_by_hand),
                                       cmocka_unit_test(test_I1_dies_at_every_point_of_a_schedule_that_runs_by_itself)};
    return cmocka_run_group_tests(tests, begin, end);
}
