/* fixture.c: see fixture.h. */
#include "fixture.h"

#include "plugins/memory/memory_kv.h"
#include "plugins/rocksdb/rocksdb_kv.h"
#include "plugins/store/facets.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WAIT_SECONDS 20

const pawl_bytes fingerprint_1 = {"fingerprint-1---", 16};
const pawl_bytes fingerprint_2 = {"fingerprint-2---", 16};

/* ---- the host ---- */

static pawl_status sink_write(pawl_sink *to, const void *data, size_t size)
{
    pawl_buffer_append(&((sink *)(void *)to)->bytes, data, size);
    return PAWL_OK;
}

static void copy(char *to, size_t size, pawl_bytes from)
{
    size_t used = from.size < size - 1 ? from.size : size - 1;
    if (used > 0)
        memcpy(to, from.data, used);
    to[used] = '\0';
}

static void fail_sink(pawl_failure_sink *to, const pawl_failure *failed)
{
    failure *into = (failure *)(void *)to;
    copy(into->code, sizeof into->code, failed->code);
    copy(into->message, sizeof into->message, failed->message);
}

static fixture *of(const pawl_host_root *host)
{
    return host->host_data;
}

static void log_line(const pawl_host_root *host, uint32_t level, pawl_bytes message, pawl_bytes fields)
{
    (void)level;
    (void)message;
    (void)fields;
    pthread_mutex_lock(&of(host)->lock);
    of(host)->log_lines++;
    pthread_mutex_unlock(&of(host)->lock);
}

static uint64_t mono_now(const pawl_host_root *host)
{
    pthread_mutex_lock(&of(host)->lock);
    uint64_t now = of(host)->mono_ns;
    pthread_mutex_unlock(&of(host)->lock);
    return now;
}

static uint64_t unix_now(const pawl_host_root *host)
{
    pthread_mutex_lock(&of(host)->lock);
    uint64_t now = of(host)->unix_ns;
    pthread_mutex_unlock(&of(host)->lock);
    return now;
}

const pawl_core test_core = {
    .struct_size = sizeof test_core,
    .sink_write = sink_write,
    .fail = fail_sink,
    .log = log_line,
    .mono_now_ns = mono_now,
    .unix_now_ns = unix_now,
};

/* What an op's host_data points to. */
typedef struct waiter {
    fixture *f;
    bool done;
} waiter;

static void completed(pawl_registry_op *const *ops, size_t count)
{
    fixture *f = ((waiter *)ops[0]->host_data)->f;
    pthread_mutex_lock(&f->lock);
    f->completed_calls++;
    for (size_t i = 0; i < count; i++) {
        waiter *waits = ops[i]->host_data;
        assert_false(waits->done);
        waits->done = true;
        f->completed_ops++;
    }
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static fixture *current; /* events carry a listener, not a host: tests run one at a time */

static void event(void *listener, const pawl_registry_event *told)
{
    fixture *f = current;
    pthread_mutex_lock(&f->lock);
    assert_true(f->event_count < EVENTS_MAX);
    f->events[f->event_count++] = (seen_event){
        .listener = listener,
        .kind = told->kind,
        .number = told->number,
        .token = told->token,
        .sequence = told->record == NULL ? 0 : told->record->sequence,
        .record_kind = told->record == NULL ? 0 : told->record->kind,
    };
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static const pawl_registry_host registry_host = {
    .struct_size = sizeof registry_host,
    .completed = completed,
    .event = event,
};

static const void *get_extension(const pawl_host_root *host, const char *id)
{
    (void)host;
    if (strcmp(id, PAWL_EXT_CORE) == 0)
        return &test_core;
    if (strcmp(id, PAWL_EXT_REGISTRY_HOST) == 0)
        return &registry_host;
    return NULL;
}

/* ---- the faulty engine ---- */

static faulty_kv *faulty(pawl_kv *kv)
{
    return (faulty_kv *)(void *)kv;
}

static pawl_status f_get(pawl_kv *kv, pawl_family family, pawl_bytes key, pawl_buffer *value, pawl_fault *fault)
{
    return pawl_kv_get(faulty(kv)->real, family, key, value, fault);
}

static pawl_kv_cursor *f_cursor(pawl_kv *kv, pawl_family family, pawl_bytes lower, pawl_bytes upper)
{
    return pawl_kv_cursor_open(faulty(kv)->real, family, lower, upper);
}

static pawl_status f_write(pawl_kv *kv, const pawl_batch *batch, bool sync, pawl_fault *fault)
{
    faulty_kv *self = faulty(kv);
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&self->lock);
    self->waiting++;
    pthread_cond_broadcast(&self->changed);
    while (self->gate)
        pthread_cond_wait(&self->changed, &self->lock);
    self->waiting--;
    self->writes++;
    bool first = self->fail_after;
    if (self->failures > 0) {
        self->failures--;
        status = pawl_fault_set(fault, self->fail_with, "test.write", "a write failed on purpose");
    }
    pthread_mutex_unlock(&self->lock);
    if (status == PAWL_OK) {
        status = pawl_kv_write(self->real, batch, sync, fault);
        pthread_mutex_lock(&self->lock);
        self->done_waits = self->gate_after;
        pthread_cond_broadcast(&self->changed);
        while (self->gate_after)
            pthread_cond_wait(&self->changed, &self->lock);
        self->done_waits = false;
        pthread_mutex_unlock(&self->lock);
        return status;
    }
    if (first)
        pawl_kv_write(self->real, batch, sync, NULL);
    return status;
}

static void f_describe(pawl_kv *kv, json_t *facts)
{
    faulty(kv)->real->table->describe(faulty(kv)->real, facts);
}

static void f_close(pawl_kv *kv)
{
    faulty_kv *self = faulty(kv);
    self->real->table->close(self->real);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->changed);
    free(self);
}

static const pawl_kv_table faulty_table = {
    .get = f_get, .cursor_open = f_cursor, .write = f_write, .describe = f_describe, .close = f_close};

/* ---- open and close ---- */

void fixture_open_store(fixture *f)
{
    char json[512];
    pawl_fault fault = {0};
    pawl_store_config config;
    bool on_disk = f->directory[0] != '\0';
    if (on_disk)
        snprintf(json, sizeof json, "{\"path\":\"%s/store\"%s}", f->directory, f->extra);
    else
        snprintf(json, sizeof json, "{%s}", f->extra[0] == ',' ? f->extra + 1 : "");
    pawl_status status = pawl_store_config_read(&config, pawl_bytes_of(json), on_disk, &fault);
    if (status != PAWL_OK)
        fail_msg("%s", fault.message);
    faulty_kv *kv = calloc(1, sizeof *kv);
    kv->base.table = &faulty_table;
    pthread_mutex_init(&kv->lock, NULL);
    pthread_cond_init(&kv->changed, NULL);
    status = on_disk ? pawl_rocksdb_kv_open(&config, &kv->real, &fault) : pawl_memory_kv_open(&kv->real, &fault);
    if (status == PAWL_OK)
        status = pawl_store_open(&f->root, &config, &kv->base, &f->store, &fault);
    pawl_store_config_finish(&config);
    if (status != PAWL_OK)
        fail_msg("%s", fault.message);
    f->kv = kv;
    kv->writes = 0;
}

fixture *fixture_open(bool on_disk, const char *extra)
{
    fixture *f = calloc(1, sizeof *f);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    f->mono_ns = 1000000000;
    f->unix_ns = 1700000000000000000;
    f->extra = extra == NULL ? "" : extra;
    f->root = (pawl_host_root){.struct_size = sizeof f->root,
                               .abi_major = PAWL_ABI_MAJOR,
                               .name = "test",
                               .version = "0",
                               .host_data = f,
                               .get_extension = get_extension};
    if (on_disk) {
        const char *base = getenv("TMPDIR");
        snprintf(f->directory, sizeof f->directory, "%s/pawl-store-XXXXXX", base == NULL ? "/tmp" : base);
        assert_non_null(mkdtemp(f->directory));
    }
    current = f;
    fixture_open_store(f);
    return f;
}

void fixture_close_store(fixture *f)
{
    pawl_store_close(f->store);
    f->store = NULL;
    f->kv = NULL;
}

void fixture_reopen(fixture *f)
{
    fixture_close_store(f);
    fixture_open_store(f);
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *at)
{
    (void)facts;
    (void)kind;
    (void)at;
    return remove(path);
}

void fixture_close(fixture *f)
{
    pawl_store_close(f->store);
    if (f->directory[0] != '\0')
        nftw(f->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    free(f);
}

void fixture_advance(fixture *f, uint64_t ns)
{
    pthread_mutex_lock(&f->lock);
    f->mono_ns += ns;
    f->unix_ns += ns;
    pthread_mutex_unlock(&f->lock);
    if (f->store != NULL)
        pawl_store_registry_table.tick(f->store);
}

/* ---- operations and events ---- */

static void deadline(struct timespec *until)
{
    clock_gettime(CLOCK_REALTIME, until);
    until->tv_sec += WAIT_SECONDS;
}

/* Under f->lock; a test that waits in vain fails without it, so that the store can still be closed. */
static void await_change(fixture *f, const struct timespec *until)
{
    if (pthread_cond_timedwait(&f->changed, &f->lock, until) == 0)
        return;
    pthread_mutex_unlock(&f->lock);
    fail_msg("waited %d s in vain", WAIT_SECONDS);
}

void fixture_submit_all(fixture *f, pawl_registry_op **ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        waiter *waits = calloc(1, sizeof *waits);
        waits->f = f;
        ops[i]->struct_size = sizeof *ops[i];
        ops[i]->host_data = waits;
    }
    pawl_store_registry_table.submit(f->store, ops, count);
}

void fixture_submit(fixture *f, pawl_registry_op *op)
{
    fixture_submit_all(f, &op, 1);
}

bool fixture_is_done(fixture *f, const pawl_registry_op *op)
{
    pthread_mutex_lock(&f->lock);
    bool done = ((const waiter *)op->host_data)->done;
    pthread_mutex_unlock(&f->lock);
    return done;
}

void fixture_wait(fixture *f, pawl_registry_op *op)
{
    struct timespec until;
    waiter *waits = op->host_data;
    deadline(&until);
    pthread_mutex_lock(&f->lock);
    while (!waits->done)
        await_change(f, &until);
    pthread_mutex_unlock(&f->lock);
    free(waits);
}

pawl_status fixture_run(fixture *f, pawl_registry_op *op)
{
    fixture_submit(f, op);
    fixture_wait(f, op);
    return op->status;
}

seen_event fixture_event(fixture *f, uint32_t kind, uint64_t number)
{
    struct timespec until;
    deadline(&until);
    pthread_mutex_lock(&f->lock);
    for (;;) {
        for (size_t i = 0; i < f->event_count; i++) {
            seen_event found = f->events[i];
            if (found.kind != kind || found.number != number)
                continue;
            memmove(f->events + i, f->events + i + 1, (f->event_count - i - 1) * sizeof *f->events);
            f->event_count--;
            pthread_mutex_unlock(&f->lock);
            return found;
        }
        await_change(f, &until);
    }
}

size_t fixture_count_events(fixture *f, uint32_t kind)
{
    size_t count = 0;
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->event_count; i++)
        count += f->events[i].kind == kind;
    pthread_mutex_unlock(&f->lock);
    return count;
}

void fixture_fail_writes(fixture *f, int count, pawl_status status)
{
    pthread_mutex_lock(&f->kv->lock);
    f->kv->failures = count;
    f->kv->fail_with = status;
    pthread_mutex_unlock(&f->kv->lock);
}

void fixture_gate(fixture *f, bool closed)
{
    pthread_mutex_lock(&f->kv->lock);
    f->kv->gate = closed;
    pthread_cond_broadcast(&f->kv->changed);
    pthread_mutex_unlock(&f->kv->lock);
}

void fixture_await_gated(fixture *f)
{
    struct timespec until;
    deadline(&until);
    pthread_mutex_lock(&f->kv->lock);
    while (f->kv->waiting == 0)
        assert_int_equal(pthread_cond_timedwait(&f->kv->changed, &f->kv->lock, &until), 0);
    pthread_mutex_unlock(&f->kv->lock);
}

void fixture_gate_after(fixture *f, bool closed)
{
    pthread_mutex_lock(&f->kv->lock);
    f->kv->gate_after = closed;
    pthread_cond_broadcast(&f->kv->changed);
    pthread_mutex_unlock(&f->kv->lock);
}

void fixture_await_gated_after(fixture *f)
{
    struct timespec until;
    deadline(&until);
    pthread_mutex_lock(&f->kv->lock);
    while (!f->kv->done_waits)
        assert_int_equal(pthread_cond_timedwait(&f->kv->changed, &f->kv->lock, &until), 0);
    pthread_mutex_unlock(&f->kv->lock);
}

uint64_t fixture_writes(fixture *f)
{
    pthread_mutex_lock(&f->kv->lock);
    uint64_t writes = f->kv->writes;
    pthread_mutex_unlock(&f->kv->lock);
    return writes;
}

/* ---- shorthands ---- */

pawl_status do_register(fixture *f, const char *id, const char *type, uint64_t *number)
{
    pawl_register request = {.struct_size = sizeof request,
                             .id = pawl_bytes_of(id),
                             .type = pawl_bytes_of(type),
                             .revision = 1,
                             .input = BYTES("input"),
                             .fingerprint = fingerprint_1};
    pawl_registry_op op = {.kind = PAWL_OP_REGISTER, .request = &request};
    pawl_status status = fixture_run(f, &op);
    if (number != NULL)
        *number = op.number;
    return status;
}

pawl_status do_post(fixture *f, const char *id, uint32_t kind, const char *post_id, uint64_t *sequence, uint32_t *flags)
{
    pawl_post request = {.struct_size = sizeof request,
                         .kind = kind,
                         .id = pawl_bytes_of(id),
                         .post_id = pawl_bytes_of(post_id),
                         .fingerprint = fingerprint_1,
                         .body = BYTES("posted")};
    pawl_registry_op op = {.kind = PAWL_OP_POST, .request = &request};
    pawl_status status = fixture_run(f, &op);
    if (sequence != NULL)
        *sequence = op.sequence;
    if (flags != NULL)
        *flags = op.flags;
    return status;
}

pawl_status do_end(fixture *f, const char *id, const char *post_id, uint32_t status, uint32_t force)
{
    pawl_post request = {.struct_size = sizeof request,
                         .kind = PAWL_RECORD_ENDED,
                         .id = pawl_bytes_of(id),
                         .post_id = pawl_bytes_of(post_id),
                         .fingerprint = fingerprint_1,
                         .body = BYTES("ended"),
                         .status = status,
                         .force = force};
    pawl_registry_op op = {.kind = PAWL_OP_POST, .request = &request};
    return fixture_run(f, &op);
}

pawl_status do_append(fixture *f, const row *lease, const char *body, uint64_t *sequence)
{
    pawl_record record = {.struct_size = sizeof record, .kind = 1, .body = pawl_bytes_of(body)};
    pawl_commit request = {.struct_size = sizeof request,
                           .number = lease->number,
                           .token = lease->token,
                           .records = &record,
                           .record_count = 1,
                           .record_size = sizeof record};
    pawl_registry_op op = {.kind = PAWL_OP_APPEND, .request = &request};
    pawl_status status = fixture_run(f, &op);
    if (sequence != NULL)
        *sequence = op.sequence;
    return status;
}

pawl_status do_suspend(fixture *f, const row *lease, uint64_t seen, uint64_t wake, uint32_t *flags)
{
    pawl_commit request = {.struct_size = sizeof request,
                           .number = lease->number,
                           .token = lease->token,
                           .seen = seen,
                           .wake_unix_ns = wake,
                           .reason = BYTES("a bell")};
    pawl_registry_op op = {.kind = PAWL_OP_SUSPEND, .request = &request};
    pawl_status status = fixture_run(f, &op);
    if (flags != NULL)
        *flags = op.flags;
    return status;
}

pawl_status do_complete(fixture *f, const row *lease, uint64_t seen, uint32_t end, uint32_t *flags)
{
    pawl_record record = {.struct_size = sizeof record, .kind = PAWL_RECORD_ENDED, .body = BYTES("done")};
    pawl_commit request = {.struct_size = sizeof request,
                           .status = end,
                           .number = lease->number,
                           .token = lease->token,
                           .seen = seen,
                           .records = &record,
                           .record_count = 1,
                           .record_size = sizeof record};
    pawl_registry_op op = {.kind = PAWL_OP_COMPLETE, .request = &request};
    pawl_status status = fixture_run(f, &op);
    if (flags != NULL)
        *flags = op.flags;
    return status;
}

pawl_status do_park(fixture *f, const row *lease, uint64_t seen)
{
    pawl_record record = {.struct_size = sizeof record, .kind = PAWL_RECORD_PARKED, .body = BYTES("why")};
    pawl_commit request = {.struct_size = sizeof request,
                           .number = lease->number,
                           .token = lease->token,
                           .seen = seen,
                           .records = &record,
                           .record_count = 1,
                           .record_size = sizeof record,
                           .reason_code = BYTES("test.stuck"),
                           .reason = BYTES("no way on")};
    pawl_registry_op op = {.kind = PAWL_OP_PARK, .request = &request};
    return fixture_run(f, &op);
}

uint64_t do_prune(fixture *f, uint64_t before, uint32_t limit)
{
    pawl_prune request = {.struct_size = sizeof request, .limit = limit, .ended_before_unix_ns = before};
    pawl_registry_op op = {.kind = PAWL_OP_PRUNE, .request = &request};
    assert_int_equal(fixture_run(f, &op), PAWL_OK);
    return op.count;
}

uint64_t do_worker(fixture *f, const char *name, uint64_t ttl_ns, void *listener)
{
    uint64_t session = 0;
    assert_int_equal(
        pawl_store_registry_table.worker_open(f->store, pawl_bytes_of(name), ttl_ns, listener, &session, NULL),
        PAWL_OK);
    return session;
}

static void take_row(row *to, const pawl_process_row *from)
{
    *to = (row){.status = from->status,
                .number = from->number,
                .head = from->head,
                .journal_bytes = from->journal_bytes,
                .token = from->token,
                .wake_unix_ns = from->wake_unix_ns,
                .claims = from->claims,
                .lease_left_ns = from->lease_left_ns,
                .cancelled = from->cancelled};
    copy(to->id, sizeof to->id, from->id);
    copy(to->type, sizeof to->type, from->type);
    copy(to->worker, sizeof to->worker, from->worker);
    copy(to->reason, sizeof to->reason, from->reason);
    copy(to->reason_code, sizeof to->reason_code, from->reason_code);
    copy(to->outcome, sizeof to->outcome, from->outcome);
    copy(to->document, sizeof to->document, from->document);
}

typedef struct rows {
    row *at;
    size_t count;
} rows;

static int32_t visit_row(void *context, const pawl_process_row *from)
{
    rows *to = context;
    take_row(&to->at[to->count++], from);
    return 0;
}

size_t do_claim(fixture *f, uint64_t session, const char *type, row *got, uint32_t limit)
{
    pawl_bytes name = pawl_bytes_of(type);
    rows to = {got, 0};
    pawl_claim claim = {.struct_size = sizeof claim,
                        .limit = limit,
                        .session = session,
                        .types = &name,
                        .type_count = 1,
                        .type_size = sizeof name};
    assert_int_equal(pawl_store_registry_table.claim(f->store, &claim, visit_row, &to, NULL), PAWL_OK);
    return to.count;
}

pawl_status do_claim_id(fixture *f, uint64_t session, const char *id, row *got, failure *why)
{
    rows to = {got, 0};
    pawl_claim claim = {.struct_size = sizeof claim, .limit = 1, .session = session, .id = pawl_bytes_of(id)};
    return pawl_store_registry_table.claim(f->store, &claim, visit_row, &to, (pawl_failure_sink *)(void *)why);
}

pawl_status do_get(fixture *f, const char *id, row *got, failure *why)
{
    row unused;
    rows to = {got == NULL ? &unused : got, 0};
    return pawl_store_registry_table.get(f->store, pawl_bytes_of(id), visit_row, &to, (pawl_failure_sink *)(void *)why);
}

static int32_t count_record(void *context, const pawl_record *record)
{
    uint64_t *length = context;
    assert_int_equal(record->sequence, ++*length);
    return 0;
}

uint64_t do_journal_length(fixture *f, uint64_t number)
{
    uint64_t length = 0;
    assert_int_equal(pawl_store_registry_table.journal(f->store, number, 1, 0, count_record, &length, NULL), PAWL_OK);
    return length;
}

void assert_counts(fixture *f, uint64_t ready, uint64_t running, uint64_t waiting, uint64_t stuck, uint64_t ended)
{
    uint64_t counts[32];
    assert_int_equal(pawl_store_registry_table.count(f->store, counts, 32, NULL), PAWL_OK);
    assert_int_equal(counts[PAWL_READY], ready);
    assert_int_equal(counts[PAWL_RUNNING], running);
    assert_int_equal(counts[PAWL_WAITING], waiting);
    assert_int_equal(counts[PAWL_STUCK], stuck);
    assert_int_equal(counts[PAWL_COMPLETED] + counts[PAWL_FAILED] + counts[PAWL_CANCELLED] + counts[PAWL_TERMINATED],
                     ended);
}
