/* kill_child.c: the program that is killed: random operations on a registry, each announced before it is handed over
 * and reported the moment the store has acknowledged it. It can also kill itself in the middle of a write to a file,
 * which a kill from outside almost never meets: before it, after half of its bytes, behind it, around a flush.
 *
 * It must never report what the store has not acknowledged. */
#include "kill_line.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPS_MAX     12u
#define LEASES_MAX  64u
#define RECORDS_MAX 5u
#define IDS_MAX     100000u

typedef struct child_op {
    pawl_registry_op op;
    kill_line line;
    union {
        pawl_register registration;
        pawl_commit commit;
        pawl_post post;
        pawl_prune prune;
    } request;
    pawl_record records[RECORDS_MAX];
    char bodies[RECORDS_MAX][KILL_BODY_BYTES];
    char padded[4096];
    char session[8];
    uint8_t fingerprint[16];
    pawl_bytes document;
    pawl_failure_sink why;
} child_op;

typedef struct lease {
    uint64_t number;
    uint64_t token;
    uint64_t head;
    char id[32];
} lease;

static struct child {
    unsigned seed;
    uint32_t incarnation;
    uint32_t ids; /* p0 .. have been used */
    uint32_t next_op;
    const pawl_registry_table *registry;
    pawl_store *store;
    uint64_t session;
    lease leases[LEASES_MAX];
    size_t lease_count;
    child_op ops[OPS_MAX];
    size_t op_count;
    pthread_mutex_t lock; /* guards done */
    pthread_cond_t changed;
    size_t done;
} own = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* ---- dying ---- */

static atomic_uint death = DIES_FROM_OUTSIDE;
static atomic_int calls_left; /* of the kind that this death is about */

static _Noreturn void die(void)
{
    for (;;)
        kill(getpid(), SIGKILL);
}

static bool is_time(unsigned a, unsigned b, unsigned c)
{
    unsigned how = atomic_load(&death);
    return (how == a || how == b || how == c) && atomic_fetch_sub(&calls_left, 1) == 1;
}

/* In front of the C library's: the engine's writes come through here, and go on to whatever stands next. */
static ssize_t write_on(int file, const void *data, size_t size)
{
    ssize_t (*next)(int, const void *, size_t);
    *(void **)&next = dlsym(RTLD_NEXT, "write");
    return next(file, data, size);
}

static int fdatasync_on(int file)
{
    int (*next)(int);
    *(void **)&next = dlsym(RTLD_NEXT, "fdatasync");
    return next(file);
}

__attribute__((visibility("default"))) ssize_t write(int file, const void *data, size_t size)
{
    if (file > KILL_PIPE && is_time(DIES_BEFORE_WRITE, DIES_HALFWAY, DIES_AFTER_WRITE)) {
        size_t part = atomic_load(&death) == DIES_BEFORE_WRITE ? 0 : size;
        if (atomic_load(&death) == DIES_HALFWAY)
            part = size / 2;
        (void)write_on(file, data, part);
        die();
    }
    return write_on(file, data, size);
}

__attribute__((visibility("default"))) int fdatasync(int file)
{
    if (is_time(DIES_BEFORE_FLUSH, DIES_AFTER_FLUSH, DIES_AFTER_FLUSH)) {
        if (atomic_load(&death) == DIES_AFTER_FLUSH)
            (void)fdatasync_on(file);
        die();
    }
    return fdatasync_on(file);
}

/* ---- telling ---- */

static void tell(const kill_line *line)
{
    if (write(KILL_PIPE, line, sizeof *line) != (ssize_t)sizeof *line)
        _exit(4);
}

static void on_completed(pawl_registry_op *op)
{
    child_op *of = op->host_data;
    of->line.what = LINE_ACK;
    of->line.status = op->status;
    of->line.flags = op->flags;
    of->line.number = op->number;
    of->line.token = op->token;
    of->line.sequence = op->sequence;
    tell(&of->line);
    pthread_mutex_lock(&own.lock);
    own.done++;
    pthread_cond_signal(&own.changed);
    pthread_mutex_unlock(&own.lock);
}

/* ---- choosing ---- */

static uint32_t below(uint32_t limit)
{
    return (uint32_t)rand_r(&own.seed) % limit;
}

static child_op *begin(uint32_t kind)
{
    child_op *made = &own.ops[own.op_count++];
    memset(made, 0, sizeof *made);
    made->line = (kill_line){.what = LINE_INTENT, .op = own.next_op++, .kind = kind};
    made->op = (pawl_registry_op){
        .struct_size = sizeof made->op, .kind = kind, .request = &made->request, .host_data = made, .why = &made->why};
    return made;
}

static pawl_bytes body_of(child_op *made, uint32_t part, uint32_t parts)
{
    kill_body(made->bodies[part], own.incarnation, made->line.op, part, parts);
    return (pawl_bytes){made->bodies[part], KILL_BODY_BYTES};
}

static pawl_bytes text_of(const char *text)
{
    return (pawl_bytes){text, strlen(text)};
}

static void choose_register(bool new)
{
    static const char *const types[KILL_TYPES] = {"type-0", "type-1"};
    child_op *made = begin(PAWL_OP_REGISTER);
    uint32_t id = new || own.ids == 0 ? own.ids++ : below(own.ids);
    snprintf(made->line.id, sizeof made->line.id, "p%u", id);
    snprintf(made->session, sizeof made->session, "s%u", id % 7);
    made->line.external = id % 9 == 8;
    kill_fingerprint(made->fingerprint, made->line.id, "");
    memset(made->padded, ' ', sizeof made->padded);
    memcpy(made->padded, body_of(made, 0, 1).data, KILL_BODY_BYTES);
    made->request.registration = (pawl_register){
        .struct_size = sizeof made->request.registration,
        .external = made->line.external,
        .id = text_of(made->line.id),
        .type = text_of(types[id % KILL_TYPES]),
        .session = id % 3 == 0 ? text_of(made->session) : (pawl_bytes){NULL, 0},
        .input = {made->padded, KILL_BODY_BYTES + below(sizeof made->padded - KILL_BODY_BYTES)},
        .fingerprint = {made->fingerprint, 16},
        .claim_session = below(2) == 0 ? own.session : 0,
    };
}

static void choose_commit(uint32_t kind)
{
    static const uint32_t ends[] = {PAWL_COMPLETED, PAWL_FAILED, PAWL_CANCELLED};
    if (own.lease_count == 0) {
        choose_register(true);
        return;
    }
    lease *held = &own.leases[below((uint32_t)own.lease_count)];
    child_op *made = begin(kind);
    uint32_t count = kind == PAWL_OP_SUSPEND ? below(3) : 1 + below(RECORDS_MAX);
    memcpy(made->line.id, held->id, sizeof made->line.id);
    made->line.records = count;
    made->line.number = held->number;
    made->line.token = held->token;
    made->line.ends_as = ends[below(3)];
    for (uint32_t i = 0; i < count; i++)
        made->records[i] =
            (pawl_record){.struct_size = sizeof(pawl_record), .kind = 1 + below(6), .body = body_of(made, i, count)};
    if (kind == PAWL_OP_COMPLETE)
        made->records[count - 1].kind = PAWL_RECORD_ENDED;
    if (kind == PAWL_OP_PARK)
        made->records[count - 1].kind = PAWL_RECORD_PARKED;
    if (kind == PAWL_OP_SUSPEND) {
        uint32_t when = below(4); /* never, in the past, far ahead */
        uint64_t base = when == 1 ? 1 : UINT64_C(4000000000000000000);
        made->line.wake_unix_ns = when == 0 ? 0 : base + made->line.op;
    }
    made->document = (pawl_bytes){"{\"a\":1}", 7};
    made->request.commit = (pawl_commit){
        .struct_size = sizeof made->request.commit,
        .status = kind == PAWL_OP_COMPLETE ? made->line.ends_as : 0,
        .number = held->number,
        .token = held->token,
        .seen = kind == PAWL_OP_PARK || kind == PAWL_OP_APPEND ? 0 : held->head,
        .records = made->records,
        .record_count = count,
        .record_size = sizeof(pawl_record),
        .wake_unix_ns = made->line.wake_unix_ns,
        .reason_code = text_of(kind == PAWL_OP_PARK ? "test" : ""),
        .reason = text_of("because"),
        .document = below(4) == 0 ? &made->document : NULL,
    };
    if (kind == PAWL_OP_APPEND)
        held->head += count; /* what it will be if nobody else writes */
}

static void choose_post(void)
{
    static const uint32_t kinds[] = {PAWL_RECORD_SIGNAL, PAWL_RECORD_SIGNAL,  PAWL_RECORD_SIGNAL,
                                     PAWL_RECORD_CANCEL, PAWL_RECORD_RESUMED, PAWL_RECORD_ENDED};
    if (own.ids == 0) {
        choose_register(true);
        return;
    }
    child_op *made = begin(PAWL_OP_POST);
    uint32_t newest = own.ids < 40 ? own.ids : 40; /* mostly the same few, so that ids of posts come again */
    snprintf(made->line.id, sizeof made->line.id, "p%u", own.ids - 1 - below(newest));
    snprintf(made->line.post_id, sizeof made->line.post_id, "x%u", below(6));
    made->line.record_kind = kinds[below(6)];
    made->line.ends_as = PAWL_TERMINATED;
    made->line.records = 1;
    kill_fingerprint(made->fingerprint, made->line.id, made->line.post_id);
    made->request.post = (pawl_post){
        .struct_size = sizeof made->request.post,
        .kind = made->line.record_kind,
        .id = text_of(made->line.id),
        .post_id = text_of(made->line.post_id),
        .fingerprint = {made->fingerprint, 16},
        .body = body_of(made, 0, 1),
        .status = PAWL_TERMINATED,
        .force = 1,
    };
}

static void choose_prune(void)
{
    child_op *made = begin(PAWL_OP_PRUNE);
    made->request.prune = (pawl_prune){
        .struct_size = sizeof made->request.prune, .limit = 1 + below(5), .ended_before_unix_ns = UINT64_MAX};
}

static void choose(void)
{
    uint32_t what = below(100);
    if (what < 22)
        choose_register(true);
    else if (what < 26)
        choose_register(false);
    else if (what < 50)
        choose_commit(PAWL_OP_APPEND);
    else if (what < 64)
        choose_commit(PAWL_OP_SUSPEND);
    else if (what < 72)
        choose_commit(PAWL_OP_COMPLETE);
    else if (what < 77)
        choose_commit(PAWL_OP_PARK);
    else if (what < 98)
        choose_post();
    else
        choose_prune();
}

/* ---- holding ---- */

static void hold(uint64_t number, uint64_t token, uint64_t head, const char *id)
{
    if (own.lease_count == LEASES_MAX) {
        (void)own.registry->release(own.store, number, token);
        tell(&(kill_line){.what = LINE_RELEASE, .number = number, .token = token});
        return;
    }
    lease *made = &own.leases[own.lease_count++];
    *made = (lease){.number = number, .token = token, .head = head};
    memcpy(made->id, id, sizeof made->id);
}

static int32_t visit_claimed(void *context, const pawl_process_row *row)
{
    (void)context;
    kill_line line = {.what = LINE_CLAIM, .number = row->number, .token = row->token};
    snprintf(line.id, sizeof line.id, "%.*s", (int)row->id.size, (const char *)row->id.data);
    tell(&line);
    hold(row->number, row->token, row->head, line.id);
    return 0;
}

static void claim(void)
{
    static const pawl_bytes types[KILL_TYPES] = {{"type-0", 6}, {"type-1", 6}};
    pawl_claim request = {.struct_size = sizeof request,
                          .limit = 1 + below(6),
                          .session = own.session,
                          .types = types,
                          .type_count = KILL_TYPES,
                          .type_size = sizeof types[0]};
    (void)own.registry->claim(own.store, &request, visit_claimed, NULL, NULL);
}

static void drop(uint64_t number)
{
    for (size_t i = 0; i < own.lease_count; i++)
        if (own.leases[i].number == number) {
            own.leases[i] = own.leases[--own.lease_count];
            return;
        }
}

/* What a finished operation means for the leases. */
static void learn(const child_op *of)
{
    const kill_line *line = &of->line;
    if (line->kind == PAWL_OP_REGISTER && (line->flags & PAWL_RESULT_CLAIMED) != 0)
        hold(line->number, line->token, line->sequence, line->id);
    bool commits = line->kind == PAWL_OP_SUSPEND || line->kind == PAWL_OP_COMPLETE || line->kind == PAWL_OP_PARK;
    bool lets_go = (commits && (line->flags & PAWL_RESULT_MORE) == 0) ||
                   (line->kind == PAWL_OP_POST && line->record_kind == PAWL_RECORD_ENDED);
    if (line->status == PAWL_OK && lets_go)
        drop(line->number);
    for (size_t i = 0; i < own.lease_count; i++) {
        uint64_t last = line->sequence + (line->records > 0 ? line->records - 1 : 0);
        if (own.leases[i].number == line->number && line->status == PAWL_OK && last > own.leases[i].head &&
            below(8) != 0) /* now and then it has not seen everything */
            own.leases[i].head = last;
    }
}

static void one_round(void)
{
    pawl_registry_op *ops[OPS_MAX];
    size_t wanted = 1 + below(OPS_MAX);
    own.op_count = 0;
    own.done = 0;
    while (own.op_count < wanted)
        choose();
    for (size_t i = 0; i < own.op_count; i++) {
        tell(&own.ops[i].line);
        ops[i] = &own.ops[i].op;
    }
    own.registry->submit(own.store, ops, own.op_count);
    pthread_mutex_lock(&own.lock);
    while (own.done < own.op_count)
        pthread_cond_wait(&own.changed, &own.lock);
    pthread_mutex_unlock(&own.lock);
    for (size_t i = 0; i < own.op_count; i++)
        learn(&own.ops[i]);
    if (below(3) == 0)
        claim();
    if (own.lease_count > 0 && below(6) == 0) {
        lease given = own.leases[below((uint32_t)own.lease_count)];
        drop(given.number);
        if (own.registry->release(own.store, given.number, given.token) == PAWL_OK)
            tell(&(kill_line){.what = LINE_RELEASE, .number = given.number, .token = given.token});
    }
}

/* --child DIRECTORY SEED INCARNATION IDS DEATH CALLS SYNC */
void kill_child(int argc, char **argv)
{
    const pawl_storage_table *storage;
    if (argc != 9)
        _exit(2);
    own.seed = (unsigned)strtoul(argv[3], NULL, 10);
    own.incarnation = (uint32_t)strtoul(argv[4], NULL, 10);
    own.ids = (uint32_t)strtoul(argv[5], NULL, 10);
    atomic_store(&calls_left, (int)strtol(argv[7], NULL, 10));
    atomic_store(&death, (unsigned)strtoul(argv[6], NULL, 10));
    (void)kill_host(on_completed);
    own.store = kill_open(argv[2], (uint32_t)strtoul(argv[8], NULL, 10), &storage, &own.registry);
    if (own.store == NULL)
        _exit(3);
    pawl_status status =
        own.registry->worker_open(own.store, text_of("victim"), UINT64_C(3600000000000), NULL, &own.session, NULL);
    if (status != PAWL_OK)
        _exit(3);
    tell(&(kill_line){.what = LINE_BEGIN});
    while (own.ids < IDS_MAX)
        one_round();
    _exit(5);
}
