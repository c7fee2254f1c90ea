/* session_crash_test.c: sessions die at crash points (seam/crash_point.h) all the way: what they hold is granted,
 * shared and deleted, content that nothing refers to is collected, and exclusive processes run one after the other.
 * What is left is as if nothing had happened: a deletion that was begun is done, nobody is asked to stop that somebody
 * else holds, no content goes that is referred to, and no exclusive process begins before the one in front of it has
 * ended.
 *
 *   session-crash-test          every so manyth point, beginning at a random one, in a fresh store each
 *   session-crash-test --all    every point
 * The seed is printed; PAWL_SEED gives it again. */
#include "seam/crash_point.h"
#include "session_collect.h"

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

#define RUNS_ALL   6u /* of the default sweep, about */
#define PATIENCE_S 120
#define LIFE_DONE  0
#define LINE       4u /* exclusive processes */

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
    char line[400];
    snprintf(path, sizeof path, "%s/effects", directory);
    int size =
        snprintf(line, sizeof line, "%.*s %.*s\n", (int)call->idempotency_key.size,
                 (const char *)call->idempotency_key.data, (int)call->input.size, (const char *)call->input.data);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || write(file, line, (size_t)size) != size)
        return pawl_fail_with(pawl_core_of(call->host), why, PAWL_TERMINAL, "scene.log", "it cannot be written");
    close(file);
    return pawl_writef(pawl_core_of(call->host), out, "1");
}

static pawl_status waiter(pawl_process *p)
{
    pawl_bytes payload;
    PAWL_TRY(pawl_signal(p, "go", &payload));
    return pawl_complete(p, payload);
}

/* Two deeds, and a wait in between that takes it out of memory. */
static pawl_status turn(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "scene.note", pawl_text("\"first\""), &value));
    PAWL_TRY(pawl_sleep(p, PAWL_MILLISECOND));
    PAWL_TRY(pawl_call(p, "scene.note", pawl_text("\"last\""), &value));
    return pawl_complete(p, value);
}

PAWL_PROCESSES(PAWL_TYPE("scene.waiter", 1, waiter), PAWL_TYPE("scene.turn", 1, turn))
PAWL_EFFECT_TABLE(effects, execute, NULL, NULL);

static const void *get_factory(const char *factory_id)
{
    return strcmp(factory_id, PAWL_FACTORY_EFFECT) == 0 ? (const void *)&effects : pawl_process_factory(factory_id);
}

#define TYPE(name) "{\"name\":\"scene." name "\",\"revision\":1}"
#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"pawl.test.scene\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"      \
    "\"kinds\":[\"effect\",\"process\"],\"effects\":[{\"name\":\"scene.note\",\"runs\":\"pool\","                      \
    "\"outcome\":\"by_key\"}],\"processes\":[" TYPE("waiter") "," TYPE("turn") "]}"
PAWL_LINKED_PLUGIN(scene_plugin, "pawl.test.scene", "1.0.0", "Pawl", MANIFEST, pawl_plain_init, pawl_plain_deinit,
                   get_factory);

/* ---- one life, in a child ---------------------------------------------------------------------------------------- */

static void must(pawl_status status, const pawl_error *error, const char *what)
{
    if (status == PAWL_OK)
        return;
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
    static const pawl_plugin_entry_fn plugins[] = {scene_plugin};
    snprintf(profile, room,
             "profile: crash\ntier: durable\ndata: %s/data\nstores: { main: { provider: rocksdb } }\n"
             "log: { level: error }\ntypes: { scene.turn: { exclusive: true } }\nretention: { unreferenced: 0 }\n",
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

static bool has_file(const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

static void begin_one(pawl_host *host, const char *id, const char *type, const char *session, uint32_t flags)
{
    pawl_error error = {0};
    const pawl_start start = {
        .struct_size = sizeof start, .flags = flags, .id = id, .type = type, .session = session, .input = {"1", 1}};
    must(pawl_host_start(host, &start, NULL, &error), &error, id);
}

static void put_text(pawl_host *host, const char *scope, const char *content, char reference[PAWL_REFERENCE_BYTES + 1])
{
    pawl_error error = {0};
    pawl_put *put = NULL;
    const pawl_put_options options = {.struct_size = sizeof options, .scope = scope, .name = content};
    must(pawl_host_put(host, &options, &put, &error), &error, "put");
    must(pawl_put_write(put, content, strlen(content), &error), &error, "write");
    must(pawl_put_commit(put, reference, NULL, &error), &error, "commit");
}

/* Everything is said again in each life, until all of it has been. */
static void set_up(pawl_host *host)
{
    static const pawl_session_change change = {sizeof change, PAWL_SESSION_PUT, {"key", 3}, {"1", 1}};
    const pawl_session_change *const changes[] = {&change};
    char reference[PAWL_REFERENCE_BYTES + 1];
    char shared[PAWL_REFERENCE_BYTES + 1];
    pawl_error error = {0};
    uint64_t revision;
    if (has_file("set-up"))
        return;
    begin_one(host, "own", "scene.waiter", "ann", 0);
    begin_one(host, "outside", "scene.waiter", "ann", PAWL_START_EXTERNAL);
    begin_one(host, "kept", "scene.waiter", "ann", 0);
    begin_one(host, "guest", "scene.waiter", "bob", 0);
    begin_one(host, "given up", "scene.waiter", "bob", 0);
    must(pawl_host_handle_grant(host, "bob", "kept", &error), &error, "grant");
    must(pawl_host_handle_grant(host, "ann", "guest", &error), &error, "grant");
    must(pawl_host_handle_grant(host, "ann", "given up", &error), &error, "grant");
    must(pawl_host_handle_revoke(host, "bob", "given up", &error), &error, "revoke");
    must(pawl_host_session_commit(host, "ann", PAWL_REVISION_ANY, "k", changes, 1, &revision, &error), &error, "state");
    put_text(host, "ann", "its own", reference);
    put_text(host, "ann", "shared", shared);
    must(pawl_host_attachment_share(host, "ann", shared, "bob", &error), &error, "share");
    put_file("set-up", "");
}

static void take_away(pawl_host *host)
{
    pawl_error error = {0};
    must(pawl_host_session_delete(host, "ann", NULL, &error), &error, "delete");
    must(session_collect(host), &error, "collect");
}

static void run_in_line(pawl_host *host)
{
    char id[8];
    pawl_text text = {0};
    pawl_error error = {0};
    for (unsigned i = 0; i < LINE; i++) {
        snprintf(id, sizeof id, "x%u", i);
        begin_one(host, id, "scene.turn", "line", 0);
    }
    for (unsigned i = LINE; i-- > 0;) {
        snprintf(id, sizeof id, "x%u", i);
        must(pawl_host_wait(host, id, (uint64_t)PATIENCE_S * 1000000000u, &text, &error), &error, id);
        pawl_text_free(&text);
    }
}

static void add_status(pawl_host *host, const char *id, bool ends, char *state, size_t room)
{
    pawl_text text = {0};
    pawl_error error = {0};
    if (ends) {
        must(pawl_host_wait(host, id, (uint64_t)PATIENCE_S * 1000000000u, &text, &error), &error, id);
        pawl_text_free(&text);
    }
    must(pawl_host_get(host, id, &text, &error), &error, id);
    json_t *process = json_loadb(text.data, text.size, 0, NULL);
    const char *status = json_string_value(json_object_get(process, "status"));
    bool live = strcmp(status, "waiting") == 0 || strcmp(status, "ready") == 0 || strcmp(status, "running") == 0;
    size_t used = strlen(state);
    snprintf(state + used, room - used, "%s %s\n", id, live ? "live" : status);
    json_decref(process);
    pawl_text_free(&text);
}

/* How many there are under a name of a reply. */
static void add_count(pawl_text *text, const char *what, const char *name, char *state, size_t room)
{
    json_t *json = json_loadb(text->data, text->size, 0, NULL);
    size_t used = strlen(state);
    snprintf(state + used, room - used, "%s %zu\n", what, json_array_size(json_object_get(json, name)));
    json_decref(json);
    pawl_text_free(text);
}

static void write_state(pawl_host *host)
{
    char state[2000] = "";
    pawl_text text = {0};
    pawl_error error = {0};
    add_status(host, "own", true, state, sizeof state);
    add_status(host, "outside", true, state, sizeof state);
    add_status(host, "given up", true, state, sizeof state);
    add_status(host, "kept", false, state, sizeof state);
    add_status(host, "guest", false, state, sizeof state);
    must(pawl_host_handle_list(host, "ann", &text, &error), &error, "handles");
    add_count(&text, "handles of ann", "handles", state, sizeof state);
    must(pawl_host_handle_list(host, "bob", &text, &error), &error, "handles");
    add_count(&text, "handles of bob", "handles", state, sizeof state);
    must(pawl_host_session_show(host, "ann", NULL, NULL, 0, &text, &error), &error, "state");
    add_count(&text, "state of ann", "values", state, sizeof state);
    must(pawl_host_attachment_list(host, "ann", NULL, 0, &text, &error), &error, "attachments");
    add_count(&text, "attachments of ann", "attachments", state, sizeof state);
    must(pawl_host_attachment_list(host, "bob", NULL, 0, &text, &error), &error, "attachments");
    add_count(&text, "attachments of bob", "attachments", state, sizeof state);
    must(pawl_host_handle_check(host, "bob", "kept", &error), &error, "bob holds it");
    if (pawl_host_handle_check(host, "ann", "own", &error) != PAWL_E_NOT_FOUND &&
        pawl_host_handle_check(host, "ann", "kept", &error) != PAWL_E_NOT_FOUND)
        _exit(5);
    put_file("state", state);
}

static void live(void)
{
    char profile[700];
    char points[16];
    pawl_host_options options;
    pawl_host *host = NULL;
    pawl_error error = {0};
    options_of(&options, profile, sizeof profile);
    must(pawl_host_open(&options, &host, &error), &error, "open");
    put_file("opened", "");
    set_up(host);
    take_away(host);
    run_in_line(host);
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
    static const char expected[] = "own cancelled\n"
                                   "outside cancelled\n"
                                   "given up cancelled\n"
                                   "kept live\n"
                                   "guest live\n"
                                   "handles of ann 0\n"
                                   "handles of bob 1\n"
                                   "state of ann 0\n"
                                   "attachments of ann 0\n"
                                   "attachments of bob 1\n";
    char *state = read_file("state");
    assert_string_equal(state, expected);
    free(state);
}

/* Whoever is next in line did nothing before the one in front of it was done; a crash may have repeated the last deed
 * of one of them. */
static void check_line(bool crashed)
{
    char *text = read_file("effects");
    char *rest = NULL;
    unsigned at = 0;
    unsigned lines = 0;
    bool last = false;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest), lines++) {
        unsigned number = 0;
        char deed[16] = "";
        assert_int_equal(sscanf(line, "x%u/1/%*u \"%15[a-z]", &number, deed), 2);
        bool is_last = strcmp(deed, "last") == 0;
        if (number == at + 1) {
            assert_true(last); /* the one in front was done */
            at = number;
            last = false;
        }
        assert_int_equal(number, at);
        assert_true(is_last || !last); /* its first deed is not done again behind its last */
        last = last || is_last;
    }
    free(text);
    assert_int_equal(at, LINE - 1);
    assert_true(last);
    assert_in_range(lines, 2 * LINE, 2 * LINE + (crashed ? 1u : 0u));
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
    char profile[700];
    pawl_host_options options;
    pawl_text text = {0};
    pawl_error error = {0};
    options_of(&options, profile, sizeof profile);
    must(pawl_care_check(&options, 0, say_finding, NULL, &text, &error), &error, "check");
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
    if (ended == PAWL_CRASH_STATUS && has_file("opened") && in_child(NULL, check_store) != LIFE_DONE)
        fail_msg("point %u (seed %u): the store is not whole", point, wanted.seed);
    if (point == 0 || ended == PAWL_CRASH_STATUS) {
        int last = in_child(NULL, live);
        if (last != LIFE_DONE)
            fail_msg("point %u (seed %u): the last life ended with %d", point, wanted.seed, last);
    }
    check_end();
    check_line(ended == PAWL_CRASH_STATUS);
    assert_int_equal(in_child(NULL, check_store), LIFE_DONE);
    return ended == PAWL_CRASH_STATUS;
}

static void test_C09_S06_I4_sessions_die_at_every_point(void **state)
{
    (void)state;
    run_at(0);
    char *text = read_file("points");
    unsigned points = (unsigned)strtoul(text, NULL, 10);
    free(text);
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
    snprintf(directory, sizeof directory, "%.100s/pawl-session-XXXXXX", base == NULL ? "/tmp" : base);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_C09_S06_I4_sessions_die_at_every_point)};
    return cmocka_run_group_tests(tests, begin, end);
}
