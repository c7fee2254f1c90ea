/* power_test.c: the power fails, many times, at any moment, under a real RocksDB. A child (tests/crash/kill_child.c)
 * does random registry operations and says what was acknowledged; it dies in the middle of its n-th write or flush, or
 * of a kill from outside, and its directory goes back to what had been flushed (power_loss.c), with all that may be
 * left of what had not.
 *
 * With `sync` everything acknowledged is there. Without it a kill loses nothing and a power failure loses what it may:
 * the end of the history, never something in its middle. That it does lose something shows that the failures bite.
 *
 * power-test [--cuts N] [--seed N] [--test PATTERN]: the seed is printed; with the same one the choices are the same,
 * the moments of the kills from outside are not quite. PATTERN (with * and ?) chooses tests by name. */
#include "power_image.h"

#include "plugins/rocksdb/rocksdb_kv.h"
#include "tests/crash/kill_line.h"
#include "tests/crash/registry_audit.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
/* after those */
#include <cmocka.h>

#define CUTS_A_STORE 25u
#define ROUNDS_MAX   60u /* a child may die before it has acknowledged anything: so many in a row are no chance */

extern char **environ;

/* A record that was acknowledged. */
typedef struct acknowledged {
    uint32_t incarnation, op, part, parts;
    uint64_t number;
    uint64_t sequence;
    char id[32];
} acknowledged;

static struct test {
    unsigned seed;
    unsigned cuts;
    char parent[64];
    char directory[80];
    char shadow[80];
    uint32_t incarnation;
    uint32_t ids;
    acknowledged *records;
    size_t count, room;
    size_t lost;
    uint64_t unflushed;
} own = {.cuts = 15};

static unsigned below(unsigned limit)
{
    return (unsigned)rand_r(&own.seed) % limit;
}

/* ---- what the child said ---- */

static void remember(const kill_line *line, uint64_t sequence, uint32_t part, uint32_t parts)
{
    if (own.count == own.room) {
        own.room = own.room * 2 + 1024;
        own.records = realloc(own.records, own.room * sizeof *own.records);
        assert_non_null(own.records);
    }
    acknowledged *made = &own.records[own.count++];
    *made = (acknowledged){.incarnation = own.incarnation,
                           .op = line->op,
                           .part = part,
                           .parts = parts,
                           .number = line->number,
                           .sequence = sequence};
    memcpy(made->id, line->id, sizeof made->id);
}

static void hear(const kill_line *line)
{
    if (line->what == LINE_INTENT && line->kind == PAWL_OP_REGISTER) {
        uint32_t id = (uint32_t)strtoul(line->id + 1, NULL, 10);
        own.ids = id >= own.ids ? id + 1 : own.ids;
    }
    bool again = (line->flags & (PAWL_RESULT_EXISTED | PAWL_RESULT_REPLAYED)) != 0;
    if (line->what != LINE_ACK || line->status != PAWL_OK || again || line->kind == PAWL_OP_PRUNE)
        return;
    if (line->kind == PAWL_OP_REGISTER) {
        remember(line, 1, 0, 1);
    } else if (line->kind == PAWL_OP_POST) {
        remember(line, line->sequence, 0, 1);
    } else if (line->kind != PAWL_OP_COMPLETE || (line->flags & PAWL_RESULT_MORE) == 0) {
        for (uint32_t i = 0; i < line->records; i++)
            remember(line, line->sequence + i, i, line->records);
    }
}

/* ---- the child ---- */

/* Begin a program under the shim: these arguments, and its end of a pipe. */
static pid_t begin(char *const *arguments, int *ret_pipe)
{
    char variables[4][200] = {"", "", "", "ASAN_OPTIONS=verify_asan_link_order=0"};
    int ends[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    char *environment[256] = {variables[0], variables[1], variables[2], variables[3]};
    size_t count = 4;
    for (char **at = environ; *at != NULL && count < 255; at++)
        environment[count++] = *at;
    snprintf(variables[0], sizeof variables[0], "LD_PRELOAD=%s", POWER_LOSS_LIBRARY);
    snprintf(variables[1], sizeof variables[1], "POWER_LOSS_STORE=%s", own.directory);
    snprintf(variables[2], sizeof variables[2], "POWER_LOSS_SHADOW=%s", own.shadow);
    assert_int_equal(pipe(ends), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_adddup2(&actions, ends[1], KILL_PIPE);
    if (ends[1] != KILL_PIPE)
        posix_spawn_file_actions_addclose(&actions, ends[1]);
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, environment), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *ret_pipe = ends[0];
    return pid;
}

static pid_t start(unsigned death, unsigned calls, bool sync, int *ret_pipe)
{
    char texts[6][16];
    const unsigned values[6] = {below(1u << 30), own.incarnation, own.ids, death, calls, sync};
    char *arguments[] = {"power-test", "--child", own.directory, texts[0], texts[1],
                         texts[2],     texts[3],  texts[4],      texts[5], NULL};
    for (size_t i = 0; i < 6; i++)
        snprintf(texts[i], sizeof texts[i], "%u", values[i]);
    return begin(arguments, ret_pipe);
}

/* Hear all it says until it is dead; kill it after so many lines. */
static void run_child(unsigned death, unsigned calls, bool sync, unsigned lines)
{
    kill_line line;
    int from;
    int status;
    pid_t pid = start(death, calls, sync, &from);
    for (unsigned heard = 1;; heard++) {
        ssize_t size = read(from, &line, sizeof line);
        if (size < 0 && errno == EINTR)
            continue;
        if (size == 0)
            break;
        assert_int_equal(size, sizeof line);
        hear(&line);
        if (heard == lines)
            kill(pid, SIGKILL); /* and what is in the pipe counts: it was acknowledged */
    }
    close(from);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("the child ended with status 0x%x instead of being killed: it could not open the store?",
                 (unsigned)status);
}

/* ---- afterwards ---- */

static bool is_there(audit *rows, const acknowledged *record)
{
    char wanted[KILL_BODY_BYTES];
    char body[KILL_BODY_BYTES + 1];
    uint32_t kind;
    if (!audit_record(rows, record->number, record->sequence, &kind, body, sizeof body))
        return audit_is_pruned(rows, record->id);
    kill_body(wanted, record->incarnation, record->op, record->part, record->parts);
    return memcmp(body, wanted, sizeof wanted) == 0;
}

/* Does everything agree, and is what is left of the history its beginning? Forgets what is lost. */
static void check(const char *how)
{
    audit *rows = audit_open(own.directory);
    if (rows == NULL)
        fail_msg("%s: the store cannot be opened", how);
    if (rows->problems[0] != '\0')
        fail_msg("%s: rows do not agree:\n%s", how, rows->problems);
    size_t left = 0;
    while (left < own.count && is_there(rows, &own.records[left]))
        left++;
    for (size_t i = left; i < own.count; i++)
        if (is_there(rows, &own.records[i]) && !audit_is_pruned(rows, own.records[i].id))
            fail_msg("%s: record %llu of %s is there, and record %llu of %s, acknowledged before it, is not", how,
                     (unsigned long long)own.records[i].sequence, own.records[i].id,
                     (unsigned long long)own.records[left].sequence, own.records[left].id);
    own.lost = own.count - left;
    own.count = left;
    audit_close(rows);
}

static void one_cut(bool sync, unsigned cut)
{
    static const char *const tails[POWER_TAILS] = {"nothing", "torn", "zeros", "garbage", "pages"};
    unsigned death = below(DEATHS);
    unsigned calls = below(4) == 0 ? 1 + below(60) : 1 + below(900); /* some while it opens */
    enum power_tail tail = (enum power_tail)below(POWER_TAILS);
    char how[128];
    snprintf(how, sizeof how, "cut %u, death %u after %u calls, tail %s, sync %d", cut, death, calls, tails[tail],
             sync);
    power_image_prepare(own.directory, own.shadow);
    run_child(death, calls, sync, death == DIES_FROM_OUTSIDE ? 1 + below(1500) : 4000);
    own.unflushed += power_image_cut(own.directory, own.shadow, tail, &own.seed);
    check(how);
    own.incarnation++;
    if (cut % 50 == 49)
        print_message("%u cuts\n", cut + 1);
}

/* ---- tests ---- */

static int open_place(void **state)
{
    const char *base = getenv("TMPDIR");
    (void)state;
    snprintf(own.parent, sizeof own.parent, "%.30s/pawl-power-XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(own.parent));
    snprintf(own.directory, sizeof own.directory, "%s/store", own.parent);
    snprintf(own.shadow, sizeof own.shadow, "%s/shadow", own.parent);
    own.incarnation = own.ids = 0;
    own.count = own.lost = 0;
    own.unflushed = 0;
    return 0;
}

static int close_place(void **state)
{
    (void)state;
    power_image_remove(own.parent);
    return 0;
}

static void test_I1_I5_what_was_acknowledged_survives_a_power_failure(void **state)
{
    size_t all = 0;
    (void)state;
    for (unsigned cut = 0; cut < own.cuts; cut++) {
        if (cut > 0 && cut % CUTS_A_STORE == 0) { /* everything is looked for after each: not ever more */
            all += own.count;
            own.count = own.ids = 0;
            power_image_remove(own.directory);
        }
        one_cut(true, cut);
        if (own.lost > 0)
            fail_msg("cut %u: %zu acknowledged records are lost, beginning with record %llu of %s", cut, own.lost,
                     (unsigned long long)own.records[own.count].sequence, own.records[own.count].id);
    }
    print_message("%u power failures, %zu acknowledged records all there, %llu bytes had not been flushed\n", own.cuts,
                  all + own.count, (unsigned long long)own.unflushed);
    assert_true(all + own.count > 0 && own.unflushed > 0);
}

static void test_I6_without_sync_a_power_failure_costs_the_end_of_the_history_and_no_more(void **state)
{
    size_t lost = 0;
    unsigned cut = 0;
    (void)state;
    for (; cut < own.cuts / 3 + 1 || (lost == 0 && cut < ROUNDS_MAX); cut++) {
        one_cut(false, cut);
        lost += own.lost;
    }
    print_message("%u power failures without sync, %zu acknowledged records lost, %zu left\n", cut, lost, own.count);
    assert_true(lost > 0);
}

static void test_I6_without_sync_a_kill_costs_nothing(void **state)
{
    (void)state;
    for (unsigned round = 0; round < own.cuts / 10 + 1 || (own.count == 0 && round < ROUNDS_MAX); round++) {
        power_image_prepare(own.directory, own.shadow);
        run_child(below(DEATHS), 1 + below(900), false, 1 + below(1500));
        power_image_remove(own.shadow);
        check("kill");
        assert_int_equal(own.lost, 0);
        own.incarnation++;
    }
    assert_true(own.count > 0);
}

/* A child that writes without sync and closes in order. */
static _Noreturn void write_and_close(char *directory)
{
    const pawl_store_config config = {.path = directory,
                                      .sync = false,
                                      .value_bytes_max = 1u << 20,
                                      .journal_bytes_max = 1u << 30,
                                      .write_buffer_bytes = 1u << 20,
                                      .block_cache_bytes = 1u << 20};
    pawl_fault fault = {0};
    pawl_kv *kv;
    if (pawl_rocksdb_kv_open(&config, &kv, &fault) != PAWL_OK) {
        fprintf(stderr, "%s\n", fault.message);
        _exit(1);
    }
    for (int i = 0; i < 100; i++) {
        char key[16];
        pawl_batch batch = {0};
        snprintf(key, sizeof key, "key-%d", i);
        pawl_batch_mark(&batch, PAWL_FAMILY_META, pawl_bytes_of(key));
        if (pawl_kv_write(kv, &batch, true, NULL) != PAWL_OK)
            _exit(1);
        pawl_batch_finish(&batch);
    }
    kv->table->close(kv);
    _exit(0);
}

/* The note of an orderly close must not promise what is not on the device yet. */
static void test_S10_a_power_failure_after_a_close_costs_nothing(void **state)
{
    char *arguments[] = {"power-test", "--close", own.directory, NULL};
    (void)state;
    for (unsigned tail = 0; tail < POWER_TAILS; tail++) {
        int from;
        int status;
        char byte;
        audit *rows;
        power_image_prepare(own.directory, own.shadow);
        pid_t pid = begin(arguments, &from);
        while (read(from, &byte, 1) > 0)
            ;
        close(from);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        (void)power_image_cut(own.directory, own.shadow, (enum power_tail)tail, &own.seed);
        rows = audit_open(own.directory);
        assert_non_null(rows);
        pawl_buffer value = {0};
        assert_int_equal(pawl_kv_get(rows->kv, PAWL_FAMILY_META, pawl_bytes_of("key-99"), &value, NULL), PAWL_OK);
        pawl_buffer_finish(&value);
        audit_close(rows);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)

int main(int argc, char **argv)
{
    struct timespec now;
    if (argc > 1 && strcmp(argv[1], "--child") == 0)
        kill_child(argc, argv);
    if (argc == 3 && strcmp(argv[1], "--close") == 0)
        write_and_close(argv[2]);
    clock_gettime(CLOCK_REALTIME, &now);
    own.seed = (unsigned)now.tv_nsec ^ (unsigned)now.tv_sec;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--cuts") == 0)
            own.cuts = (unsigned)strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seed") == 0)
            own.seed = (unsigned)strtoul(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--test") == 0)
            cmocka_set_test_filter(argv[i + 1]);
    }
    print_message("seed %u\n", own.seed);
    const struct CMUnitTest tests[] = {
        TEST(test_I1_I5_what_was_acknowledged_survives_a_power_failure),
        TEST(test_I6_without_sync_a_power_failure_costs_the_end_of_the_history_and_no_more),
        TEST(test_I6_without_sync_a_kill_costs_nothing),
        TEST(test_S10_a_power_failure_after_a_close_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
