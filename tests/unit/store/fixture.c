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
    uint64_t session = f->close_at_event;
    f->close_at_event = 0;
    pthread_mutex_unlock(&f->lock);
    if (session != 0)
        pawl_store_registry_table.worker_close(f->store, session);
    pthread_mutex_lock(&f->lock);
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

/* What happens between two reads of one reader. */
static void interrupt(pawl_kv *kv, pawl_family family)
{
    faulty_kv *own = faulty(kv);
    pthread_mutex_lock(&own->lock);
    void (*call)(void *) = own->interrupted == family ? own->interrupt : NULL;
    if (call != NULL)
        own->interrupt = NULL;
    pthread_mutex_unlock(&own->lock);
    if (call != NULL)
        call(own->interrupt_context);
}

static pawl_status f_get(pawl_kv *kv, pawl_family family, pawl_bytes key, pawl_buffer *value, pawl_fault *fault)
{
    interrupt(kv, family);
    return pawl_kv_get(faulty(kv)->real, family, key, value, fault);
}

static pawl_kv_cursor *f_cursor(pawl_kv *kv, pawl_family family, pawl_bytes lower, pawl_bytes upper)
{
    interrupt(kv, family);
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
