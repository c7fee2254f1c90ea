/* children_crash_test.c: parents and children die at crash points (seam/crash_point.h) all the way: a fan of children
 * with effects, a tree of four floors that is cancelled, and a parent that leaves children behind. What all of them end
 * with, what their effects did and what is in the store are as if nothing had happened: no child is started twice, no
 * end is lost or told twice, none is left over.
 *
 *   children-crash-test          every so manyth point, beginning at a random one, in a fresh store each
 *   children-crash-test --all    every point
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

#define FAN        5u /* children of "trip" that run an effect */
#define RUNS_ALL   8u /* of the default sweep, about */
#define PATIENCE_S 120
#define LIFE_DONE  0

static struct {
    bool all;
    unsigned seed;
} wanted; /* set by main, before any test */

static char directory[200]; /* of this test program; set before any child */

/* ---- the plugin ------------------------------------------------------------------------------------------------- */

/* "KEY INPUT": the deed. */
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
        return pawl_fail_with(pawl_core_of(call->host), why, PAWL_TERMINAL, "children.log", "it cannot be written");
    close(file);
    return pawl_writef(pawl_core_of(call->host), out, "%.*s", (int)call->input.size, (const char *)call->input.data);
}

static pawl_status leaf(pawl_process *p)
{
    pawl_bytes value;
    if (pawl_is(pawl_input(p), "4"))
        return pawl_fail(p, "children.four", "as asked");
    PAWL_TRY(pawl_call(p, "children.note", pawl_input(p), &value));
    return pawl_complete(p, value);
}

/* A fan of leaves, one of which fails, and one that goes on by itself. */
static pawl_status trip(pawl_process *p)
{
    pawl_future futures[FAN + 1];
    unsigned long sum = 0;
    unsigned failed = 0;
    for (unsigned i = 0; i < FAN; i++)
        futures[i] = pawl_start_child(p, "children.leaf", pawl_printf(p, "%u", i));
    futures[FAN] = pawl_start_detached(p, "children.leaf", pawl_text("77"));
    PAWL_TRY(pawl_await_all_of(p, futures, FAN + 1));
    for (unsigned i = 0; i < FAN; i++) {
        pawl_bytes value;
        pawl_status status = pawl_result(p, futures[i], &value);
        if (status == PAWL_OK)
            sum += strtoul(pawl_cstring(p, value), NULL, 10);
        failed += status == PAWL_E_FAILED;
    }
    pawl_bytes last;
    PAWL_TRY(pawl_child(p, "children.leaf", pawl_printf(p, "%lu", sum), &last));
    return pawl_complete(p, pawl_printf(p, "\"%.*s, %u failed\"", (int)last.size, (const char *)last.data, failed));
}

/* A chain; the lowest one waits. */
static pawl_status tower(pawl_process *p)
{
    unsigned long floors = strtoul(pawl_cstring(p, pawl_input(p)), NULL, 10);
    pawl_bytes output;
    if (floors == 0)
        PAWL_TRY(pawl_signal(p, "go", NULL));
    else
        PAWL_TRY(pawl_child(p, "children.tower", pawl_printf(p, "%lu", floors - 1), &output));
    return pawl_complete(p, pawl_text("\"built\""));
}

/* Ends before its children do. */
static pawl_status leaver(pawl_process *p)
{
    static const char *const ids[] = {"asked", "ended", "alone"};
    for (uint32_t i = 0; i < 3; i++) {
        pawl_child_options options = pawl_child_defaults();
        options.id = pawl_text(ids[i]);
        options.parent_close = PAWL_PARENT_CLOSE_CANCEL + i;
        pawl_start_child_with(p, "children.tower", pawl_text("0"), &options);
    }
    PAWL_TRY(pawl_signal(p, "go", NULL));
    return pawl_complete(p, pawl_text("\"left\""));
}

PAWL_PROCESSES(PAWL_TYPE("children.leaf", 1, leaf), PAWL_TYPE("children.trip", 1, trip),
               PAWL_TYPE("children.tower", 1, tower), PAWL_TYPE("children.leaver", 1, leaver))
PAWL_EFFECT_TABLE(effects, execute, NULL, NULL);

static const void *get_factory(const char *factory_id)
{
    return strcmp(factory_id, PAWL_FACTORY_EFFECT) == 0 ? (const void *)&effects : pawl_process_factory(factory_id);
}

#define TYPE(name) "{\"name\":\"children." name "\",\"revision\":1}"
#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"pawl.test.children\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"   \
    "\"kinds\":[\"effect\",\"process\"],\"effects\":[{\"name\":\"children.note\",\"runs\":\"pool\","                   \
    "\"outcome\":\"by_key\"}],\"processes\":[" TYPE("leaf") "," TYPE("trip") "," TYPE("tower") "," TYPE("leaver") "]}"
PAWL_LINKED_PLUGIN(children_plugin, "pawl.test.children", "1.0.0", "Pawl", MANIFEST, pawl_plain_init, pawl_plain_deinit,
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
    static const pawl_plugin_entry_fn plugins[] = {children_plugin};
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

static const char *const all_ids[] = {
    "trip", "trip/1/1", "trip/1/2",     "trip/1/3",         "trip/1/4", "trip/1/5", "trip/1/6", "trip/1/7",
    "stop", "stop/1/1", "stop/1/1/1/1", "stop/1/1/1/1/1/1", "leave",    "asked",    "ended",    "alone",
};
#define ALL_IDS (sizeof all_ids / sizeof *all_ids)

/* Its status; "" when there is no such process yet. */
static const char *status_of(pawl_host *host, const char *id, char text[32])
{
    pawl_text got = {0};
    pawl_error error = {0};
    text[0] = '\0';
    if (pawl_host_get(host, id, &got, &error) != PAWL_OK)
        return text;
    json_t *process = json_loadb(got.data, got.size, 0, NULL);
    snprintf(text, 32, "%s", json_string_value(json_object_get(process, "status")));
    json_decref(process);
    pawl_text_free(&got);
    return text;
}

static bool has_ended(const char *status)
{
    return strcmp(status, "completed") == 0 || strcmp(status, "failed") == 0 || strcmp(status, "cancelled") == 0 ||
           strcmp(status, "terminated") == 0;
}

/* Until it waits, or its topmost ancestor has ended. alarm() bounds this. */
static void until_waiting(pawl_host *host, const char *id, const char *top)
{
    char text[32];
    static const struct timespec soon = {0, 500000};
    while (strcmp(status_of(host, id, text), "waiting") != 0 && !has_ended(status_of(host, top, text)))
        nanosleep(&soon, NULL);
}

static void start(pawl_host *host, const char *id, const char *type, const char *input)
{
    pawl_error error = {0};
    pawl_start wanted_start = {
        .struct_size = sizeof wanted_start, .id = id, .type = type, .input = {input, strlen(input)}};
    if (pawl_host_start(host, &wanted_start, NULL, &error) != PAWL_OK)
        give_up(id, &error);
}

static void wait_for(pawl_host *host, const char *id)
{
    pawl_error error = {0};
    pawl_text text = {0};
    if (pawl_host_wait(host, id, (uint64_t)PATIENCE_S * 1000000000u, &text, &error) != PAWL_OK)
        give_up(id, &error);
    pawl_text_free(&text);
}

static void send_go(pawl_host *host, const char *id)
{
    pawl_error error = {0};
    pawl_status status = pawl_host_signal(host, id, "go", (pawl_bytes){"1", 1}, "s-1", NULL, &error);
    if (status != PAWL_OK)
        give_up(id, &error);
}

/* "id status output code", one line each, and how many processes there are in all. */
static void write_state(pawl_host *host)
{
    char state[4000] = "";
    size_t used = 0;
    pawl_error error = {0};
    pawl_text text = {0};
    for (size_t i = 0; i < ALL_IDS; i++) {
        if (pawl_host_wait(host, all_ids[i], (uint64_t)PATIENCE_S * 1000000000u, &text, &error) != PAWL_OK)
            give_up(all_ids[i], &error);
        json_t *outcome = json_loadb(text.data, text.size, 0, NULL);
        char *whole = json_dumps(json_object_get(outcome, "output"), JSON_ENCODE_ANY);
        const char *code = json_string_value(json_object_get(outcome, "code"));
        used += (size_t)snprintf(state + used, sizeof state - used, "%s %s %s %s\n", all_ids[i],
                                 json_string_value(json_object_get(outcome, "status")), whole == NULL ? "-" : whole,
                                 code == NULL ? "-" : code);
        free(whole);
        json_decref(outcome);
        pawl_text_free(&text);
    }
    pawl_list_options all = {.struct_size = sizeof all, .limit = 1000};
    if (pawl_host_list(host, &all, &text, &error) != PAWL_OK)
        give_up("list", &error);
    json_t *list = json_loadb(text.data, text.size, 0, NULL);
    snprintf(state + used, sizeof state - used, "%zu processes\n", json_array_size(json_object_get(list, "processes")));
    json_decref(list);
    pawl_text_free(&text);
    put_file("state", state);
}

/* Everything is said again in each life, under the same ids. */
static void live(void)
{
    char profile[600];
    char points[16];
    pawl_host_options options;
    pawl_host *host = NULL;
    pawl_error error = {0};
    options_of(&options, profile, sizeof profile);
    if (pawl_host_open(&options, &host, &error) != PAWL_OK)
        give_up("open", &error);
    start(host, "trip", "children.trip", "\"in\"");
    start(host, "stop", "children.tower", "3");
    start(host, "leave", "children.leaver", "\"in\"");
    until_waiting(host, "stop/1/1/1/1/1/1", "stop");
    pawl_status status = pawl_host_cancel(host, "stop", "enough", &error);
    if (status != PAWL_OK && status != PAWL_E_TERMINAL)
        give_up("cancel", &error);
    until_waiting(host, "alone", "leave");
    send_go(host, "leave");
    wait_for(host, "leave");
    send_go(host, "alone");
    for (size_t i = 0; i < ALL_IDS; i++)
        wait_for(host, all_ids[i]);
    write_state(host);
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

static char *read_file(const char *name)
{
    char path[300];
    char *text = calloc(1, 8000);
    assert_non_null(text);
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_true(fread(text, 1, 7999, file) < 7999);
    fclose(file);
    return text;
}

static void check_end(void)
{
    static const char expected[] = "trip completed \"6, 1 failed\" -\n"
                                   "trip/1/1 completed 0 -\n"
                                   "trip/1/2 completed 1 -\n"
                                   "trip/1/3 completed 2 -\n"
                                   "trip/1/4 completed 3 -\n"
                                   "trip/1/5 failed - children.four\n"
                                   "trip/1/6 completed 77 -\n"
                                   "trip/1/7 completed 6 -\n"
                                   "stop cancelled - cancelled\n"
                                   "stop/1/1 cancelled - cancelled\n"
                                   "stop/1/1/1/1 cancelled - cancelled\n"
                                   "stop/1/1/1/1/1/1 cancelled - cancelled\n"
                                   "leave completed \"left\" -\n"
                                   "asked cancelled - cancelled\n"
                                   "ended terminated - parent_closed\n"
                                   "alone completed \"built\" -\n"
                                   "16 processes\n";
    char *state = read_file("state");
    assert_string_equal(state, expected);
    free(state);
}

/* Each leaf did its deed under one key, and repeated it only where a crash came between. */
static void check_effects(unsigned crashes)
{
    char *text = read_file("effects");
    char *rest = NULL;
    unsigned lines = 0;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest), lines++) {
        unsigned child;
        unsigned value;
        assert_int_equal(sscanf(line, "trip/1/%u/1/1 %u", &child, &value), 2);
        assert_int_equal(value, child == 7 ? 6 : child == 6 ? 77 : child - 1);
    }
    free(text);
    assert_in_range(lines, FAN + 1, FAN + 1 + crashes * (FAN + 1));
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

/* @return whether it died there */
static bool run_at(unsigned point)
{
    char text[16];
    remove_all();
    assert_int_equal(mkdir(directory, 0700), 0);
    snprintf(text, sizeof text, "%u", point);
    int ended = point == 0 ? LIFE_DONE : in_child(text, live);
    if (ended != LIFE_DONE && ended != PAWL_CRASH_STATUS)
        fail_msg("point %u (seed %u): it ended with %d", point, wanted.seed, ended);
    int last = in_child(NULL, live);
    if (last != LIFE_DONE)
        fail_msg("point %u (seed %u): the last life ended with %d", point, wanted.seed, last);
    check_end();
    check_effects(ended == PAWL_CRASH_STATUS);
    assert_int_equal(in_child(NULL, check_store), LIFE_DONE);
    return ended == PAWL_CRASH_STATUS;
}

static void test_I1_I4_I7_H11_families_die_at_every_point(void **state)
{
    (void)state;
    run_at(0);
    json_t *passed = load("points");
    unsigned points = (unsigned)json_integer_value(passed);
    json_decref(passed);
    unsigned stride = wanted.all ? 1 : points / RUNS_ALL + 1;
    unsigned from = wanted.all ? 1 : 1 + wanted.seed % stride;
    unsigned runs = 0;
    unsigned crashes = 0;
    print_message("seed %u: %u points, every %u from %u (PAWL_SEED=%u repeats it)\n", wanted.seed, points, stride, from,
                  wanted.seed);
    assert_true(points > 30);
    for (unsigned n = from; n <= points; n += stride, runs++)
        crashes += run_at(n) ? 1 : 0;
    print_message("%u runs, %u crashes\n", runs, crashes);
    assert_true(crashes * 2 >= runs); /* writes that fall together are one: not every life has all points */
}

static int begin(void **state)
{
    (void)state;
    const char *base = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%.100s/pawl-children-XXXXXX", base == NULL ? "/tmp" : base);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_I1_I4_I7_H11_families_die_at_every_point)};
    return cmocka_run_group_tests(tests, begin, end);
}
