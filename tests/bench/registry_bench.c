/* registry_bench.c: what a durable step costs, from the provider's side: N processes, each appending 100-byte records
 * in a closed loop (the next one when the last one is durable), for N of 1, 16, 64 and 256; beside a bare loop of
 * fdatasync on the same device. One JSON line for each. Once with all waiters driven by one thread, as a shard of a
 * worker drives its processes, and once with a thread for each waiter.
 *
 *   registry_bench DIRECTORY [SECONDS]
 *
 * It goes through the plugin's root, like a host. */
#include "plugins/rocksdb/rocksdb.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WAITERS_MAX 256
#define BODY_BYTES  100
#define SECOND      1000000000ull

typedef struct waiter {
    pawl_registry_op op;
    pawl_commit commit;
    pawl_record record;
    const pawl_registry_table *registry;
    pawl_store *store;
    pthread_t thread;
    pthread_cond_t changed;
    bool done;
    uint64_t until_ns;
    uint64_t count;
} waiter;

/* Completions go to one driver thread, which submits all of them again together, as a worker's shard would. */
typedef struct bench {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pawl_registry_op *ready[WAITERS_MAX];
    size_t ready_count;
    uint64_t calls; /* of completed: flushes */
    bool threads;   /* each waiter is told by itself */
    waiter waiters[WAITERS_MAX];
} bench;

static bench state = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
static const char body[BODY_BYTES] = {1};

static uint64_t now_ns(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "registry_bench: %s\n", what);
    exit(1);
}

/* ---- a host ---- */

static pawl_status sink_write(pawl_sink *sink, const void *data, size_t size)
{
    (void)sink;
    (void)data;
    (void)size;
    return PAWL_OK;
}

static void fail(pawl_failure_sink *sink, const pawl_failure *failure)
{
    (void)sink;
    fprintf(stderr, "registry_bench: %.*s\n", (int)failure->message.size, (const char *)failure->message.data);
}

static uint64_t mono_now(const pawl_host_root *host)
{
    (void)host;
    return now_ns(CLOCK_MONOTONIC);
}

static uint64_t unix_now(const pawl_host_root *host)
{
    (void)host;
    return now_ns(CLOCK_REALTIME);
}

static const pawl_core core = {.struct_size = sizeof core,
                               .sink_write = sink_write,
                               .fail = fail,
                               .mono_now_ns = mono_now,
                               .unix_now_ns = unix_now};

static void completed(pawl_registry_op *const *ops, size_t count)
{
    pthread_mutex_lock(&state.lock);
    for (size_t i = 0; i < count; i++) {
        waiter *told = (waiter *)(void *)ops[i]; /* the op stands first */
        if (!state.threads) {
            state.ready[state.ready_count++] = ops[i];
            continue;
        }
        told->done = true;
        pthread_cond_signal(&told->changed);
    }
    state.calls++;
    pthread_cond_signal(&state.changed);
    pthread_mutex_unlock(&state.lock);
}

static void event(void *listener, const pawl_registry_event *told)
{
    (void)listener;
    (void)told;
}

static const pawl_registry_host registry_host = {
    .struct_size = sizeof registry_host, .completed = completed, .event = event};

static const void *get_extension(const pawl_host_root *host, const char *id)
{
    (void)host;
    if (strcmp(id, PAWL_EXT_CORE) == 0)
        return &core;
    return strcmp(id, PAWL_EXT_REGISTRY_HOST) == 0 ? &registry_host : NULL;
}

static const pawl_host_root host = {.struct_size = sizeof host,
                                    .abi_major = PAWL_ABI_MAJOR,
                                    .name = "registry_bench",
                                    .version = "1",
                                    .get_extension = get_extension};

/* ---- the bare device ---- */

static void bench_device(const char *directory, uint64_t span_ns)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/fdatasync", directory);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        die("cannot create a file");
    uint64_t count = 0;
    uint64_t start = now_ns(CLOCK_MONOTONIC);
    uint64_t end = start;
    while (end - start < span_ns) {
        if (write(file, body, sizeof body) != (ssize_t)sizeof body || fdatasync(file) != 0)
            die("cannot write");
        count++;
        end = now_ns(CLOCK_MONOTONIC);
    }
    close(file);
    unlink(path);
    printf("{\"bench\":\"fdatasync\",\"per_second\":%.0f,\"microseconds\":%.1f}\n",
           (double)count * SECOND / (double)(end - start), (double)(end - start) / 1000.0 / (double)count);
    fflush(stdout);
}

/* ---- the registry ---- */

static void report(const char *name, size_t waiters, uint64_t records, uint64_t span_ns)
{
    printf("{\"bench\":\"%s\",\"waiters\":%zu,\"bytes\":%d,\"records_per_second\":%.0f,"
           "\"records_per_flush\":%.1f}\n",
           name, waiters, BODY_BYTES, (double)records * (double)SECOND / (double)span_ns,
           (double)records / (double)state.calls);
    fflush(stdout);
}

static void wait_for(size_t count)
{
    pthread_mutex_lock(&state.lock);
    while (state.ready_count < count)
        pthread_cond_wait(&state.changed, &state.lock);
    for (size_t i = 0; i < count; i++)
        if (state.ready[i]->status != PAWL_OK)
            die("an operation failed");
    state.ready_count = 0;
    pthread_mutex_unlock(&state.lock);
}

/* ---- waiters that are threads: each sleeps until its own record is durable ---- */

static void *wait_in_thread(void *argument)
{
    waiter *self = argument;
    pawl_registry_op *op = &self->op;
    while (now_ns(CLOCK_MONOTONIC) < self->until_ns) {
        self->registry->submit(self->store, &op, 1);
        pthread_mutex_lock(&state.lock);
        while (!self->done)
            pthread_cond_wait(&self->changed, &state.lock);
        self->done = false;
        pthread_mutex_unlock(&state.lock);
        if (op->status != PAWL_OK)
            die("an append failed");
        self->count++;
    }
    return NULL;
}

static void bench_threads(const pawl_registry_table *registry, pawl_store *store, size_t waiters, uint64_t span_ns)
{
    uint64_t done = 0;
    uint64_t start = now_ns(CLOCK_MONOTONIC);
    state.calls = 0;
    state.threads = true;
    for (size_t i = 0; i < waiters; i++) {
        waiter *made = &state.waiters[i];
        made->registry = registry;
        made->store = store;
        made->until_ns = start + span_ns;
        made->count = 0;
        if (pthread_create(&made->thread, NULL, wait_in_thread, made) != 0)
            die("cannot start a thread");
    }
    for (size_t i = 0; i < waiters; i++) {
        pthread_join(state.waiters[i].thread, NULL);
        done += state.waiters[i].count;
    }
    state.threads = false;
    report("registry.append.threads", waiters, done, now_ns(CLOCK_MONOTONIC) - start);
}

/* One leased process for each waiter. */
static void start_waiter(const pawl_registry_table *registry, pawl_store *store, uint64_t session, size_t index)
{
    char id[32];
    snprintf(id, sizeof id, "bench-%zu", index);
    const pawl_register request = {.struct_size = sizeof request,
                                   .id = {id, strlen(id)},
                                   .type = {"bench", 5},
                                   .fingerprint = {"0123456789abcdef", 16},
                                   .claim_session = session};
    waiter *made = &state.waiters[index];
    made->op = (pawl_registry_op){.struct_size = sizeof made->op, .kind = PAWL_OP_REGISTER, .request = &request};
    pawl_registry_op *op = &made->op;
    registry->submit(store, &op, 1);
    wait_for(1);
    if ((op->flags & PAWL_RESULT_CLAIMED) == 0)
        die("a process was not leased at registration");
    made->record = (pawl_record){.struct_size = sizeof made->record, .kind = 1, .body = {body, sizeof body}};
    made->commit = (pawl_commit){.struct_size = sizeof made->commit,
                                 .number = op->number,
                                 .token = op->token,
                                 .records = &made->record,
                                 .record_count = 1,
                                 .record_size = sizeof made->record};
    pthread_cond_init(&made->changed, NULL);
    made->op.kind = PAWL_OP_APPEND;
    made->op.request = &made->commit;
}

static void bench_waiters(const pawl_registry_table *registry, pawl_store *store, size_t waiters, uint64_t span_ns)
{
    pawl_registry_op *ops[WAITERS_MAX];
    for (size_t i = 0; i < waiters; i++)
        ops[i] = &state.waiters[i].op;
    state.calls = 0;
    uint64_t start = now_ns(CLOCK_MONOTONIC);
    uint64_t end = start;
    uint64_t done = 0;
    size_t running = waiters;
    registry->submit(store, ops, waiters);
    while (running > 0) {
        pthread_mutex_lock(&state.lock);
        while (state.ready_count == 0)
            pthread_cond_wait(&state.changed, &state.lock);
        size_t count = state.ready_count;
        memcpy(ops, state.ready, count * sizeof *ops);
        state.ready_count = 0;
        pthread_mutex_unlock(&state.lock);
        done += count;
        end = now_ns(CLOCK_MONOTONIC);
        for (size_t i = 0; i < count; i++)
            if (ops[i]->status != PAWL_OK)
                die("an append failed");
        if (end - start < span_ns)
            registry->submit(store, ops, count);
        else
            running -= count;
    }
    report("registry.append", waiters, done, end - start);
}

int main(int argc, char **argv)
{
    static const size_t steps[] = {1, 16, 64, 256};
    char config[4200];
    if (argc < 2)
        die("usage: registry_bench DIRECTORY [SECONDS]");
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 2.0;
    uint64_t span_ns = (uint64_t)(seconds * (double)SECOND);
    mkdir(argv[1], 0700);
    bench_device(argv[1], span_ns);

    const pawl_plugin_root *root = pawl_rocksdb_plugin();
    if (root->init(&host, (pawl_bytes){"{}", 2}, NULL) != PAWL_OK)
        die("init failed");
    const pawl_storage_table *storage = root->get_factory(PAWL_FACTORY_STORAGE);
    const pawl_registry_table *registry = root->get_factory(PAWL_FACTORY_REGISTRY);
    snprintf(config, sizeof config, "{\"path\":\"%s/store\"}", argv[1]);
    pawl_store *store;
    uint64_t session;
    pawl_failure_sink *why = (pawl_failure_sink *)(void *)&state; /* only handed back to fail() */
    if (storage->open(&host, (pawl_bytes){config, strlen(config)}, &store, why) != PAWL_OK)
        die("open failed");
    if (registry->worker_open(store, (pawl_bytes){"bench", 5}, 3600 * SECOND, &state, &session, why) != PAWL_OK)
        die("worker_open failed");
    for (size_t i = 0; i < WAITERS_MAX; i++)
        start_waiter(registry, store, session, i);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        bench_waiters(registry, store, steps[i], span_ns);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        bench_threads(registry, store, steps[i], span_ns);
    registry->worker_close(store, session);
    storage->close(store);
    root->deinit(&host);
    return 0;
}
