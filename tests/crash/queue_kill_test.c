/* queue_kill_test.c: events, the items they deliver and the claims on them survive a kill -9 at every write of the
 * store: a program that appends, claims and acknowledges dies in front of its n-th write, behind it, and half-way, for
 * every n; run again from its beginning it comes to the same end, with nothing lost and nothing settled twice. */
#include <pawl_process.h> /* before cmocka, which has a macro "fail" */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <ftw.h>
#include <jansson.h>
#include <pawl/pawl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS   4
#define PIPE     3 /* where the child tells what it has claimed; the files of the store come behind it */
#define SPAN_NS  UINT64_C(60000000000)
#define LEASE_NS UINT64_C(1000000)

static pawl_status order(pawl_process *p)
{
    pawl_bytes payload;
    PAWL_TRY(pawl_signal(p, "go", &payload));
    return pawl_complete(p, payload);
}
PAWL_PROCESS("kill.order", 1, order)
PAWL_LINKED_PLUGIN(kill_plugin, "kill.plugin", "1.0.0", "Pawl tests",
                   "{\"manifest_version\":1,\"id\":\"kill.plugin\",\"version\":\"1.0.0\","
                   "\"abi\":{\"major\":1,\"minor\":0},\"kinds\":[\"process\"],\"processes\":[{\"name\":\"kill.order\","
                   "\"revision\":1,\"events\":[{\"type\":\"shipped\",\"wake\":{\"key\":{\"payload\":true}}},"
                   "{\"type\":\"done\",\"ends\":\"completed\"}]}]}",
                   pawl_plain_init, pawl_plain_deinit, pawl_process_factory);

/* ---- dying ---- */

enum death { BEFORE, HALFWAY, AFTER, DEATHS };
static atomic_int writes_left; /* 0: it does not die */
static enum death death;

static ssize_t write_on(int file, const void *data, size_t size)
{
    ssize_t (*next)(int, const void *, size_t);
    *(void **)&next = dlsym(RTLD_NEXT, "write");
    return next(file, data, size);
}

__attribute__((visibility("default"))) ssize_t write(int file, const void *data, size_t size)
{
    if (file > PIPE && atomic_load(&writes_left) > 0 && atomic_fetch_sub(&writes_left, 1) == 1) {
        (void)write_on(file, data, death == BEFORE ? 0 : death == HALFWAY ? size / 2 : size);
        for (;;)
            kill(getpid(), SIGKILL);
    }
    return write_on(file, data, size);
}

/* ---- the program ---- */

static void quiet(void *context, uint32_t level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

static void check_ok(pawl_status status, const pawl_error *error, const char *what)
{
    if (status == PAWL_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, error->code, error->message);
    _exit(3);
}

static pawl_host *open_store(const char *directory)
{
    static const pawl_plugin_entry_fn plugins[] = {kill_plugin};
    char profile[512];
    pawl_error error = {0};
    pawl_host *host = NULL;
    snprintf(profile, sizeof profile,
             "profile: kill\ntier: durable\ndata: %s\nstores: { main: { provider: rocksdb } }\n", directory);
    const pawl_host_options options = {.struct_size = sizeof options,
                                       .no_worker = 1,
                                       .profile_text = profile,
                                       .log = quiet,
                                       .static_plugins = plugins,
                                       .static_plugin_count = 1};
    check_ok(pawl_host_open(&options, &host, &error), &error, "open");
    return host;
}

static void begin(pawl_host *host, const char *id, uint32_t flags)
{
    pawl_error error = {0};
    const pawl_start start = {.struct_size = sizeof start,
                              .flags = flags,
                              .id = id,
                              .type = "kill.order",
                              .input = {"1", 1},
                              .session = "ann"};
    check_ok(pawl_host_start(host, &start, NULL, &error), &error, "start");
}

static void append(pawl_host *host, const char *id, const char *type, int number)
{
    char key[16];
    char payload[16];
    pawl_error error = {0};
    snprintf(key, sizeof key, "%s-%d", type, number);
    int size = snprintf(payload, sizeof payload, "%d", number);
    const pawl_event event = {
        .struct_size = sizeof event, .type = type, .key = key, .payload = {payload, (size_t)size}};
    check_ok(pawl_host_append_event(host, id, &event, NULL, &error), &error, "append");
}

static json_t *json_of(pawl_text *text)
{
    json_t *json = json_loadb(text->data, text->size, 0, NULL);
    pawl_text_free(text);
    return json;
}

static size_t queued(pawl_host *host, uint32_t dead)
{
    pawl_text text = {0};
    pawl_error error = {0};
    check_ok(pawl_host_queue_list(host, "ann", dead, 0, 0, &text, &error), &error, "list");
    json_t *page = json_of(&text);
    size_t count = json_array_size(json_object_get(page, "items"));
    json_decref(page);
    return count;
}

/* Take what is there, tell it, and acknowledge it. What a dead consumer held comes again when its time is over. */
static void consume(pawl_host *host)
{
    pawl_text text = {0};
    pawl_error error = {0};
    const pawl_queue_claim_options options = {
        .struct_size = sizeof options, .limit = 2, .consumer = "child", .lease_ns = LEASE_NS, .wait_ns = SPAN_NS};
    check_ok(pawl_host_queue_claim(host, "ann", &options, &text, &error), &error, "claim");
    json_t *claimed = json_of(&text);
    const json_t *items = json_object_get(claimed, "items");
    uint64_t numbers[2] = {0};
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        uint8_t input = (uint8_t)json_integer_value(json_object_get(item, "input"));
        numbers[i] = (uint64_t)json_integer_value(json_object_get(item, "item"));
        if (write_on(PIPE, &input, 1) != 1)
            _exit(4);
    }
    check_ok(pawl_host_queue_settle(host, "ann", PAWL_QUEUE_ACKNOWLEDGE,
                                    (uint64_t)json_integer_value(json_object_get(claimed, "token")), numbers,
                                    json_array_size(items), 0, &error),
             &error, "acknowledge");
    json_decref(claimed);
}

static _Noreturn void run(const char *directory, int dies_at)
{
    pawl_host *host = open_store(directory);
    atomic_store(&writes_left, dies_at);
    begin(host, "p", 0);
    begin(host, "x", PAWL_START_EXTERNAL);
    for (int i = 0; i < EVENTS; i++)
        append(host, "p", "shipped", i);
    while (queued(host, 0) > 0)
        consume(host);
    append(host, "x", "done", 7);
    atomic_store(&writes_left, 0);
    pawl_host_close(host);
    _exit(0);
}

/* ---- the test ---- */

/* True when it came to its end. claimed: how often each item was given out. */
static bool child(const char *directory, int dies_at, unsigned claimed[EVENTS])
{
    int ends[2];
    uint8_t input;
    int status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (dup2(ends[1], PIPE) != PIPE)
            _exit(5);
        for (int i = 0; i < 2; i++)
            if (ends[i] != PIPE)
                close(ends[i]);
        run(directory, dies_at);
    }
    close(ends[1]);
    while (read(ends[0], &input, 1) == 1)
        if (input < EVENTS)
            claimed[input]++;
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    else
        assert_int_equal(WTERMSIG(status), SIGKILL);
    return WIFEXITED(status);
}

static void check_end(const char *directory, const unsigned claimed[EVENTS])
{
    pawl_text text = {0};
    pawl_error error = {0};
    pawl_host *host = open_store(directory);
    assert_int_equal(queued(host, 0), 0);
    assert_int_equal(queued(host, 1), 0);
    check_ok(pawl_host_events(host, "p", 0, "shipped", 0, &text, &error), &error, "events");
    json_t *page = json_of(&text);
    const json_t *events = json_object_get(page, "events");
    assert_int_equal(json_array_size(events), EVENTS);
    for (int i = 0; i < EVENTS; i++) {
        assert_int_equal(json_integer_value(json_object_get(json_array_get(events, (size_t)i), "payload")), i);
        assert_true(claimed[i] >= 1); /* nothing is lost */
        assert_true(claimed[i] <= 2); /* once more at most: the kill stood between the claim and its end */
    }
    json_decref(page);
    check_ok(pawl_host_wait(host, "x", SPAN_NS, &text, &error), &error, "wait");
    page = json_of(&text);
    assert_int_equal(json_integer_value(json_object_get(page, "output")), 7);
    json_decref(page);
    pawl_host_close(host);
}

static int32_t no_finding(void *context, const char *store, const pawl_care_finding *finding)
{
    (void)context;
    if (finding->kind != PAWL_FINDING_PROGRESS)
        fprintf(stderr, "%s: %.*s: found %.*s\n", store, (int)finding->place.size, (const char *)finding->place.data,
                (int)finding->found.size, (const char *)finding->found.data);
    return 0;
}

static void check_store(const char *directory)
{
    char profile[512];
    pawl_text text = {0};
    pawl_error error = {0};
    snprintf(profile, sizeof profile,
             "profile: kill\ntier: durable\ndata: %s\nstores: { main: { provider: rocksdb } }\n", directory);
    const pawl_host_options options = {.struct_size = sizeof options, .profile_text = profile, .log = quiet};
    check_ok(pawl_care_check(&options, 0, no_finding, NULL, &text, &error), &error, "check");
    json_t *facts = json_of(&text);
    assert_int_equal(json_integer_value(json_object_get(facts, "problems")), 0);
    json_decref(facts);
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void test_S03_I4_I5_dies_at_every_write(void **state)
{
    (void)state;
    int at = 0;
    bool whole = false;
    while (!whole) {
        char directory[64];
        unsigned claimed[EVENTS] = {0};
        const char *base = getenv("TMPDIR");
        snprintf(directory, sizeof directory, "%s/pawl-queue-kill-XXXXXX", base == NULL ? "/tmp" : base);
        assert_non_null(mkdtemp(directory));
        death = (enum death)(at % DEATHS);
        whole = child(directory, ++at, claimed);
        check_store(directory);
        if (!whole)
            assert_true(child(directory, 0, claimed));
        check_end(directory, claimed);
        check_store(directory);
        (void)nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    }
    assert_true(at > 8); /* start, start, four appends, claims, acknowledgements, the end: it did die */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_S03_I4_I5_dies_at_every_write)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
