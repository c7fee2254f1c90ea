/* registry_kill_test.c: kill -9 at any moment, many times, on one directory. A child (kill_child.c) does random
 * registry operations and says what it is about to do and what was acknowledged; after each kill the rows are audited,
 * everything acknowledged is looked for, and the store is opened: what was leased can be claimed at once, under larger
 * tokens.
 *
 * registry-kill-test [--kills N] [--seed N]: the seed is printed; with the same one the choices are the same, the
 * moments of the kills are not quite. */
#include "kill_line.h"
#include "registry_audit.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
/* after those */
#include <cmocka.h>

extern char **environ;

/* A record or a post that was acknowledged. */
typedef struct acknowledged {
    uint32_t process; /* index of known */
    uint32_t incarnation, op, part, parts;
    uint32_t kind; /* of a post; 0: any */
    uint64_t sequence;
    char post_id[16]; /* "" is no post */
} acknowledged;

/* What is known of a process from what was acknowledged. */
typedef struct known {
    bool registered;
    bool external;
    bool leased;
    bool gone;          /* pruned */
    uint32_t in_flight; /* announced, not acknowledged */
    uint32_t status;
    uint64_t number;
    uint64_t wake_unix_ns;
    bool claimed; /* after the kill */
} known;

static struct test {
    unsigned seed;
    unsigned kills;
    char directory[64];
    uint32_t incarnation;
    uint32_t ids;
    bool prunes; /* a prune was announced in this incarnation */
    known *processes;
    size_t room;
    acknowledged *records;
    size_t record_count, record_room;
    uint64_t token_max; /* of everything before this incarnation */
    uint64_t token_now;
    uint64_t acks;
} own;

static unsigned below(unsigned limit)
{
    return (unsigned)rand_r(&own.seed) % limit;
}

/* ---- what the child said ---- */

static known *known_of(const char *id)
{
    uint32_t index = (uint32_t)strtoul(id + 1, NULL, 10);
    assert_true(id[0] == 'p');
    while (index >= own.room) {
        size_t room = own.room * 2 + 256;
        own.processes = realloc(own.processes, room * sizeof *own.processes);
        assert_non_null(own.processes);
        memset(own.processes + own.room, 0, (room - own.room) * sizeof *own.processes);
        own.room = room;
    }
    if (index >= own.ids)
        own.ids = index + 1;
    return &own.processes[index];
}

static void note_record(const kill_line *line, uint64_t sequence, uint32_t part, uint32_t parts)
{
    if (own.record_count == own.record_room) {
        own.record_room = own.record_room * 2 + 1024;
        own.records = realloc(own.records, own.record_room * sizeof *own.records);
        assert_non_null(own.records);
    }
    acknowledged *made = &own.records[own.record_count++];
    *made = (acknowledged){.process = (uint32_t)(known_of(line->id) - own.processes),
                           .incarnation = own.incarnation,
                           .op = line->op,
                           .part = part,
                           .parts = parts,
                           .sequence = sequence};
    if (line->kind == PAWL_OP_POST) {
        made->kind = line->record_kind;
        memcpy(made->post_id, line->post_id, sizeof made->post_id);
    }
}

static void note_token(uint64_t token)
{
    assert_true(token > own.token_max);
    if (token > own.token_now)
        own.token_now = token;
}

static void ack_register(known *process, const kill_line *line)
{
    if ((line->flags & PAWL_RESULT_EXISTED) != 0) {
        if (process->registered)
            assert_int_equal(line->number, process->number);
        return;
    }
    assert_false(process->registered);
    process->registered = true;
    process->external = line->external != 0;
    process->number = line->number;
    process->status = process->external ? PAWL_WAITING : PAWL_READY;
    process->leased = (line->flags & PAWL_RESULT_CLAIMED) != 0;
    if (process->leased)
        note_token(line->token);
    note_record(line, 1, 0, 1);
}

static void ack_commit(known *process, const kill_line *line)
{
    bool more = (line->flags & PAWL_RESULT_MORE) != 0;
    if (more && line->kind == PAWL_OP_COMPLETE)
        return;
    for (uint32_t i = 0; i < line->records; i++)
        note_record(line, line->sequence + i, i, line->records);
    if (more || line->kind == PAWL_OP_APPEND)
        return;
    process->leased = false;
    process->wake_unix_ns = line->kind == PAWL_OP_SUSPEND ? line->wake_unix_ns : 0;
    process->status = line->kind == PAWL_OP_SUSPEND ? PAWL_WAITING
                      : line->kind == PAWL_OP_PARK  ? PAWL_STUCK
                                                    : line->ends_as;
}

static void ack_post(known *process, const kill_line *line)
{
    if ((line->flags & PAWL_RESULT_REPLAYED) != 0) {
        for (size_t i = 0; i < own.record_count; i++) {
            const acknowledged *record = &own.records[i];
            if (&own.processes[record->process] == process && record->kind == line->record_kind &&
                strcmp(record->post_id, line->post_id) == 0)
                assert_int_equal(record->sequence, line->sequence);
        }
        return;
    }
    note_record(line, line->sequence, 0, 1);
    if (line->record_kind == PAWL_RECORD_ENDED) {
        process->status = line->ends_as;
        process->leased = false;
        process->wake_unix_ns = 0;
    } else if (!process->external && (process->status == PAWL_WAITING ||
                                      (process->status == PAWL_STUCK && line->record_kind != PAWL_RECORD_SIGNAL))) {
        process->status = PAWL_READY;
        process->wake_unix_ns = 0;
    }
}

static void acknowledge(const kill_line *line)
{
    own.acks++;
    if (line->kind == PAWL_OP_PRUNE)
        return;
    known *process = known_of(line->id);
    assert_true(process->in_flight > 0);
    process->in_flight--;
    if (line->status != PAWL_OK)
        return; /* a refusal changes nothing: what is expected stays */
    if (line->kind == PAWL_OP_REGISTER)
        ack_register(process, line);
    else if (line->kind == PAWL_OP_POST)
        ack_post(process, line);
    else
        ack_commit(process, line);
}

static void hear(const kill_line *line)
{
    switch (line->what) {
    case LINE_INTENT:
        if (line->kind == PAWL_OP_PRUNE)
            own.prunes = true;
        else
            known_of(line->id)->in_flight++;
        break;
    case LINE_ACK:
        acknowledge(line);
        break;
    case LINE_CLAIM:
        note_token(line->token);
        known_of(line->id)->leased = true;
        break;
    case LINE_RELEASE:
        for (uint32_t i = 0; i < own.ids; i++)
            if (own.processes[i].number == line->number)
                own.processes[i].leased = false;
        break;
    default:
        break;
    }
}

/* ---- the child ---- */

static pid_t start(unsigned death, unsigned calls, int *ret_pipe)
{
    char texts[6][16];
    int ends[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe(ends), 0);
    snprintf(texts[0], sizeof texts[0], "%u", below(1u << 30));
    snprintf(texts[1], sizeof texts[1], "%u", own.incarnation);
    snprintf(texts[2], sizeof texts[2], "%u", own.ids);
    snprintf(texts[3], sizeof texts[3], "%u", death);
    snprintf(texts[4], sizeof texts[4], "%u", calls);
    snprintf(texts[5], sizeof texts[5], "%u", below(2));
    char *arguments[] = {"registry-kill-test",
                         "--child",
                         own.directory,
                         texts[0],
                         texts[1],
                         texts[2],
                         texts[3],
                         texts[4],
                         texts[5],
                         NULL};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_adddup2(&actions, ends[1], KILL_PIPE);
    if (ends[1] != KILL_PIPE)
        posix_spawn_file_actions_addclose(&actions, ends[1]);
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *ret_pipe = ends[0];
    return pid;
}

/* Hear all it says until it is dead; kill it after so many acknowledgements. */
static void run_child(unsigned death, unsigned calls, uint64_t acks)
{
    kill_line line;
    int from;
    int status;
    bool killed = false;
    pid_t pid = start(death, calls, &from);
    uint64_t last = own.acks + acks;
    for (;;) {
        ssize_t size = read(from, &line, sizeof line);
        if (size < 0 && errno == EINTR)
            continue;
        if (size == 0)
            break;
        assert_int_equal(size, sizeof line);
        hear(&line);
        if (!killed && own.acks >= last) {
            kill(pid, SIGKILL);
            killed = true; /* and what is in the pipe counts: it was acknowledged */
        }
    }
    close(from);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* ---- afterwards ---- */

static void check_process(audit *rows, uint32_t index)
{
    char id[16];
    known *process = &own.processes[index];
    snprintf(id, sizeof id, "p%u", index);
    const audit_process *found = audit_find(rows, id);
    if (found == NULL) {
        bool pruned = audit_is_pruned(rows, id);
        if (process->registered && !pruned)
            fail_msg("%s was acknowledged and is not there", id);
        if (pruned && !process->gone && !own.prunes)
            fail_msg("%s is pruned and nobody asked for it", id);
        if (pruned && process->in_flight == 0 && process->registered && !PAWL_IS_TERMINAL(process->status))
            fail_msg("%s is pruned and had not ended", id);
        process->gone = pruned;
        return;
    }
    if (process->gone)
        fail_msg("%s was pruned and is back", id);
    if (process->registered && process->number != found->number)
        fail_msg("%s had number %llu and has %llu", id, (unsigned long long)process->number,
                 (unsigned long long)found->number);
    if (process->in_flight == 0 && !process->registered)
        fail_msg("%s is there and its registration was refused", id);
    if (process->in_flight == 0 &&
        (process->status != found->state.status || process->wake_unix_ns != found->state.wake_unix_ns))
        fail_msg("%s has status %u, wakes at %llu; acknowledged was %u, %llu", id, found->state.status,
                 (unsigned long long)found->state.wake_unix_ns, process->status,
                 (unsigned long long)process->wake_unix_ns);
    /* What is there now is what the next incarnation starts from. */
    process->registered = true;
    process->external = found->external;
    process->number = found->number;
    process->status = found->state.status;
    process->wake_unix_ns = found->state.wake_unix_ns;
}

static void check_records(audit *rows)
{
    char wanted[KILL_BODY_BYTES];
    char body[KILL_BODY_BYTES + 1];
    for (size_t i = 0; i < own.record_count; i++) {
        const acknowledged *record = &own.records[i];
        const known *process = &own.processes[record->process];
        uint32_t kind = 0;
        if (process->gone)
            continue;
        kill_body(wanted, record->incarnation, record->op, record->part, record->parts);
        if (!audit_record(rows, process->number, record->sequence, &kind, body, sizeof body))
            fail_msg("p%u: record %llu was acknowledged and is not there", record->process,
                     (unsigned long long)record->sequence);
        if (memcmp(body, wanted, sizeof wanted) != 0 || (record->kind != 0 && record->kind != kind))
            fail_msg("p%u: record %llu is \"%.30s\" of kind %u; acknowledged was \"%.30s\"", record->process,
                     (unsigned long long)record->sequence, body, kind, wanted);
    }
}

static void check_rows(void)
{
    audit *rows = audit_open(own.directory);
    assert_non_null(rows);
    if (rows->problems[0] != '\0')
        fail_msg("rows do not agree:\n%s", rows->problems);
    for (uint32_t i = 0; i < own.ids; i++)
        check_process(rows, i);
    check_records(rows);
    for (uint32_t i = 0; i < own.ids; i++) {
        own.processes[i].in_flight = 0;
        own.processes[i].leased = own.processes[i].claimed = false;
    }
    audit_close(rows);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards a waited-for operation's host_data */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void on_completed(pawl_registry_op *op)
{
    pthread_mutex_lock(&lock);
    op->host_data = op;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static int32_t visit_claimed(void *context, const pawl_process_row *row)
{
    size_t *count = context;
    char id[32];
    snprintf(id, sizeof id, "%.*s", (int)row->id.size, (const char *)row->id.data);
    known *process = known_of(id);
    note_token(row->token);
    if (process->claimed || process->external)
        fail_msg("%s was handed out twice, or ought not to be", id);
    process->claimed = true;
    (*count)++;
    return 0;
}

static void check_claims(const pawl_registry_table *registry, pawl_store *store)
{
    static const pawl_bytes types[KILL_TYPES] = {{"type-0", 6}, {"type-1", 6}};
    uint64_t session;
    size_t count = 0;
    size_t before;
    uint64_t counts[20];
    assert_int_equal(
        registry->worker_open(store, (pawl_bytes){"heir", 4}, UINT64_C(3600000000000), NULL, &session, NULL), PAWL_OK);
    pawl_claim claim = {.struct_size = sizeof claim,
                        .limit = 7,
                        .session = session,
                        .types = types,
                        .type_count = KILL_TYPES,
                        .type_size = sizeof types[0]};
    do {
        before = count;
        assert_int_equal(registry->claim(store, &claim, visit_claimed, &count, NULL), PAWL_OK);
    } while (count > before);
    for (uint32_t i = 0; i < own.ids; i++) {
        const known *process = &own.processes[i];
        bool wanted =
            process->registered && !process->gone && !process->external &&
            (process->status == PAWL_READY || (process->status == PAWL_WAITING && process->wake_unix_ns != 0 &&
                                               process->wake_unix_ns < UINT64_C(4000000000000000000)));
        if (wanted != process->claimed)
            fail_msg("p%u has status %u, wakes at %llu, and was%s claimed", i, process->status,
                     (unsigned long long)process->wake_unix_ns, process->claimed ? "" : " not");
    }
    assert_int_equal(registry->count(store, counts, 20, NULL), PAWL_OK);
    assert_int_equal(counts[PAWL_RUNNING], count);
    assert_int_equal(counts[PAWL_READY], 0);
}

/* A post that was acknowledged is answered as before. */
static void check_replay(const pawl_registry_table *registry, pawl_store *store, const acknowledged *record)
{
    char id[16];
    uint8_t fingerprint[16];
    snprintf(id, sizeof id, "p%u", record->process);
    kill_fingerprint(fingerprint, id, record->post_id);
    pawl_post post = {.struct_size = sizeof post,
                      .kind = record->kind,
                      .id = {id, strlen(id)},
                      .post_id = {record->post_id, strlen(record->post_id)},
                      .fingerprint = {fingerprint, sizeof fingerprint},
                      .body = {"other", 5},
                      .status = PAWL_TERMINATED,
                      .force = 1};
    pawl_registry_op op = {.struct_size = sizeof op, .kind = PAWL_OP_POST, .request = &post};
    pawl_registry_op *ops[] = {&op};
    registry->submit(store, ops, 1);
    pthread_mutex_lock(&lock);
    while (op.host_data == NULL)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    if (op.status != PAWL_OK || (op.flags & PAWL_RESULT_REPLAYED) == 0 || op.sequence != record->sequence)
        fail_msg("%s, post %s of kind %u: status %d, flags %u, sequence %llu; acknowledged was %llu", id,
                 record->post_id, record->kind, op.status, op.flags, (unsigned long long)op.sequence,
                 (unsigned long long)record->sequence);
}

static void check_store(void)
{
    const pawl_storage_table *storage;
    const pawl_registry_table *registry;
    own.token_max = own.token_now;
    pawl_store *store = kill_open(own.directory, 0, &storage, &registry);
    assert_non_null(store);
    check_claims(registry, store);
    for (size_t i = 0, checked = 0; i < own.record_count && checked < 50; i++) {
        const acknowledged *record = &own.records[own.record_count - 1 - i];
        if (record->post_id[0] == '\0' || own.processes[record->process].gone)
            continue;
        check_replay(registry, store, record);
        checked++;
    }
    storage->close(store);
    own.token_max = own.token_now;
}

/* Nothing acknowledged is lost, nothing is half done, tokens grow, counters and indexes agree with the headers. */
static void test_I2_I4_I5_killed_at_any_moment(void **state)
{
    (void)state;
    char removal[128];
    unsigned deaths[DEATHS] = {0};
    print_message("seed %u, %u kills\n", own.seed, own.kills);
    snprintf(own.directory, sizeof own.directory, "/tmp/pawl-kill-XXXXXX");
    assert_non_null(mkdtemp(own.directory));
    (void)kill_host(on_completed);
    for (own.incarnation = 1; own.incarnation <= own.kills; own.incarnation++) {
        unsigned death = below(3) == 0 ? DIES_FROM_OUTSIDE : below(DEATHS);
        own.prunes = false;
        deaths[death]++;
        run_child(death, 1 + below(below(4) == 0 ? 20 : 200), 20 + below(600));
        check_rows();
        check_store();
    }
    print_message("%u processes, %llu acknowledged operations, %zu records; deaths:", own.ids,
                  (unsigned long long)own.acks, own.record_count);
    for (size_t i = 0; i < DEATHS; i++)
        print_message(" %u", deaths[i]);
    print_message("\n");
    free(own.processes);
    free(own.records);
    snprintf(removal, sizeof removal, "rm -rf %s", own.directory);
    assert_int_equal(system(removal), 0);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--child") == 0)
        kill_child(argc, argv);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    own.seed = (unsigned)now.tv_nsec ^ (unsigned)getpid();
    own.kills = 20;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--kills") == 0)
            own.kills = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            own.seed = (unsigned)strtoul(argv[i + 1], NULL, 10);
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_I2_I4_I5_killed_at_any_moment)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
