/* worker.c: a worker's life: its session in the registry, the thread that claims, the thread that beats, stopping. */
#include "resident/resident.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CLAIM_PAGE            64u
#define CLAIM_RETRY_NS        PAWL_NS_PER_SECOND
#define ABORT_AFTER_CANCEL_NS PAWL_NS_PER_SECOND
#define POOL_PATIENCE_NS      (2 * PAWL_NS_PER_SECOND)

static uint64_t mono_now(const pawl_worker *worker)
{
    return worker->config.clock->mono_ns(worker->config.clock);
}

/* Wait on the worker's condition for at most ns. Locked. */
static void wait_for(pawl_worker *worker, uint64_t ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t sum = (uint64_t)until.tv_nsec + ns % PAWL_NS_PER_SECOND;
    until.tv_sec += (time_t)(ns / PAWL_NS_PER_SECOND + sum / PAWL_NS_PER_SECOND);
    until.tv_nsec = (long)(sum % PAWL_NS_PER_SECOND);
    pthread_cond_timedwait(&worker->changed, &worker->lock, &until);
}

/* ---- a message to every shard ---- */

typedef struct pawl_order {
    pawl_message message;
    void (*carry_out)(pawl_shard *shard);
} pawl_order;

static void handle_order(pawl_shard *shard, pawl_message *message)
{
    pawl_order *order = (pawl_order *)message;
    order->carry_out(shard);
    free(order);
}

static void order_all(pawl_worker *worker, void (*carry_out)(pawl_shard *))
{
    for (uint32_t i = 0; i < worker->shard_count; i++) {
        pawl_order *order = calloc(1, sizeof *order);
        if (order == NULL) {
            pawl_log_write(worker->config.log, PAWL_LOG_ERROR, "no memory to tell a shard something", (char *)NULL);
            continue;
        }
        order->message.handle = handle_order;
        order->carry_out = carry_out;
        pawl_shard_send(&worker->shards[i], &order->message);
    }
}

static void poke(pawl_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->work = true;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

void pawl_worker_look_again(pawl_worker *worker)
{
    order_all(worker, pawl_resident_look_all);
}

void pawl_worker_gates_changed(pawl_worker *worker)
{
    pawl_worker_look_again(worker);
    poke(worker);
}

/* One that the store has made by itself. A worker that held the process hears that from its lost lease. */
static void tell_end(const pawl_worker *worker, const pawl_registry_event *event)
{
    const pawl_worker_config *config = &worker->config;
    if (config->on_end == NULL || event->record == NULL)
        return;
    pawl_worker_end end = {event->id, event->type, event->session, event->status, event->record->body};
    config->on_end(config->on_end_context, &end);
}

static void on_event(pawl_registry_listener *listener, const pawl_registry_event *event)
{
    pawl_worker *worker = (pawl_worker *)((char *)listener - offsetof(pawl_worker, listener));
    if (event->kind == PAWL_EVENT_WORK)
        poke(worker);
    else if (event->kind == PAWL_EVENT_ENDED)
        tell_end(worker, event);
    else
        pawl_resident_event(worker, event);
}

static pawl_status open_session(pawl_worker *worker, pawl_error *error)
{
    pawl_registry *registry = worker->config.registry;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    uint64_t session = 0;
    uint64_t asked = mono_now(worker);
    pawl_status status = registry->table.worker_open(registry->store, pawl_bytes_text(worker->config.name),
                                                     worker->config.lease_ttl_ns, &worker->listener, &session, &why);
    if (status == PAWL_OK) {
        atomic_store(&worker->session, session);
        worker->alive_mono_ns = asked;
    } else {
        (void)pawl_failure_error(&why, status, error);
    }
    pawl_failure_finish(&why);
    return status;
}

/* The session expired (this program was stopped, or starved): everything leased is gone. Begin anew. */
static void renew_session(pawl_worker *worker)
{
    pawl_registry *registry = worker->config.registry;
    pawl_log_write(worker->config.log, PAWL_LOG_WARN,
                   "the worker session expired; its processes are dropped and claimed anew", "worker",
                   worker->config.name, (char *)NULL);
    uint64_t old = atomic_exchange(&worker->session, 0);
    registry->table.worker_close(registry->store, old);
    order_all(worker, pawl_resident_lose_all);
    pawl_error error = {0};
    if (open_session(worker, &error) == PAWL_OK)
        poke(worker);
    else
        pawl_log_write(worker->config.log, PAWL_LOG_ERROR, "cannot open a worker session", "error", error.message,
                       (char *)NULL);
}

/* ---- claiming ---- */

struct page {
    pawl_worker *worker;
    uint32_t count;
};

static int32_t visit_claimed(void *context, const pawl_process_row *row)
{
    struct page *page = context;
    pawl_claimed claimed = {.number = row->number,
                            .token = row->token,
                            .revision = row->revision,
                            .run = row->run,
                            .id = row->id,
                            .type = row->type,
                            .plugin = row->plugin,
                            .digest = row->digest,
                            .session = row->session,
                            .profile = row->profile,
                            .returning = row->wake_unix_ns != 0,
                            .document = row->document,
                            .parent_note = row->parent_note,
                            .key = row->key,
                            .priority = row->priority,
                            .attributes = row->attributes};
    page->count++;
    (void)pawl_resident_admit(page->worker, &claimed);
    return 0;
}

static uint32_t room(const pawl_worker *worker)
{
    uint32_t resident = (uint32_t)atomic_load(&worker->resident);
    if (resident >= worker->config.resident_max)
        return 0;
    uint32_t running = 0, queued = 0;
    pawl_effect_pool_load(worker->pool, &running, &queued);
    if (queued >= worker->config.effects_queued_max)
        return 0;
    uint32_t left = worker->config.resident_max - resident;
    return left < CLAIM_PAGE ? left : CLAIM_PAGE;
}

/* What is claimed, and within which limits. */
typedef struct wanted_types {
    size_t count;
    pawl_bytes *names;
    const pawl_type_limits **limits; /* of each, or NULL */
} wanted_types;

static void forget_types(wanted_types *wanted)
{
    free(wanted->names);
    free(wanted->limits);
}

static bool make_types(const pawl_worker *worker, wanted_types *wanted)
{
    const pawl_type *const *types;
    size_t count = pawl_catalog_types(worker->config.catalog, &types);
    wanted->names = calloc(count + 1, sizeof *wanted->names);
    wanted->limits = calloc(count + 1, sizeof *wanted->limits);
    return wanted->names != NULL && wanted->limits != NULL && count > 0;
}

/* Those that no operator has paused, or all. */
static void list_types(const pawl_worker *worker, bool all, wanted_types *wanted)
{
    const pawl_type *const *types;
    const pawl_worker_config *config = &worker->config;
    size_t count = pawl_catalog_types(config->catalog, &types);
    wanted->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!all && pawl_gate_is_shut(types[i]->gate))
            continue;
        wanted->names[wanted->count] = pawl_bytes_text(types[i]->name);
        wanted->limits[wanted->count] = NULL;
        for (size_t j = 0; j < config->limit_count; j++)
            if (strcmp(types[i]->name, config->limits[j].type) == 0)
                wanted->limits[wanted->count] = &config->limits[j].limits;
        wanted->count++;
    }
}

/* One page. True when there may be more. */
static bool claim_page(pawl_worker *worker, uint32_t limit, const wanted_types *wanted, pawl_bytes id,
                       pawl_status *ret_status)
{
    pawl_registry *registry = worker->config.registry;
    struct page page = {worker, 0};
    pawl_claim claim = {.struct_size = sizeof claim,
                        .limit = limit,
                        .session = atomic_load(&worker->session),
                        .types = wanted->names,
                        .type_count = wanted->count,
                        .type_size = sizeof *wanted->names,
                        .id = id,
                        .limits = wanted->limits};
    pawl_failure_slot why;
    pawl_failure_init(&why);
    *ret_status = registry->table.claim(registry->store, &claim, visit_claimed, &page, &why);
    if (*ret_status != PAWL_OK && *ret_status != PAWL_E_STALE && id.size == 0) {
        pawl_error error = {0};
        pawl_failure_error(&why, *ret_status, &error);
        pawl_log_write(worker->config.log, PAWL_LOG_ERROR, "cannot claim; trying again in 1 s", "error", error.message,
                       (char *)NULL);
    }
    pawl_failure_finish(&why);
    return *ret_status == PAWL_OK && page.count == limit;
}

void pawl_worker_claim_one(pawl_worker *worker, pawl_bytes id)
{
    pawl_status status;
    wanted_types wanted = {0};
    if (atomic_load(&worker->stop_mode) == 0 && atomic_load(&worker->session) != 0 && make_types(worker, &wanted)) {
        list_types(worker, true, &wanted);
        (void)claim_page(worker, 1, &wanted, id, &status);
    }
    forget_types(&wanted);
}

static void *claimer_thread(void *argument)
{
    pawl_worker *worker = argument;
    wanted_types wanted = {0};
    bool able = make_types(worker, &wanted);
    pthread_mutex_lock(&worker->lock);
    while (!worker->closing) {
        uint32_t limit = worker->work ? room(worker) : 0;
        if (!able || limit == 0 || atomic_load(&worker->stop_mode) != 0 || atomic_load(&worker->session) == 0) {
            pthread_cond_wait(&worker->changed, &worker->lock);
            continue;
        }
        worker->work = false;
        pthread_mutex_unlock(&worker->lock);
        pawl_status status;
        list_types(worker, false, &wanted);
        bool more = claim_page(worker, limit, &wanted, (pawl_bytes){NULL, 0}, &status);
        pthread_mutex_lock(&worker->lock);
        if (more || (status != PAWL_OK && status != PAWL_E_STALE))
            worker->work = true;
        if (status != PAWL_OK && status != PAWL_E_STALE && !worker->closing)
            wait_for(worker, CLAIM_RETRY_NS);
    }
    pthread_mutex_unlock(&worker->lock);
    forget_types(&wanted);
    return NULL;
}

void pawl_worker_left(pawl_worker *worker)
{
    uint64_t before = atomic_fetch_sub(&worker->resident, 1);
    bool stopping = atomic_load(&worker->stop_mode) != 0;
    if (before >= worker->config.resident_max || (stopping && before == 1)) {
        pthread_mutex_lock(&worker->lock);
        if (!stopping)
            worker->work = true;
        pthread_cond_broadcast(&worker->changed);
        pthread_mutex_unlock(&worker->lock);
    }
}

/* ---- the heart ---- */

static void watch_activations(pawl_worker *worker)
{
    uint64_t now = mono_now(worker);
    for (uint32_t i = 0; i < worker->shard_count; i++)
        pawl_resident_watch(&worker->shards[i], now);
}

/* Wait for the next beat. False: closing. Locked. */
static bool wait_beat(pawl_worker *worker)
{
    uint64_t start = mono_now(worker), pause = worker->config.heartbeat_ns, passed = 0;
    while (!worker->closing && passed < pause) {
        wait_for(worker, pause - passed);
        passed = mono_now(worker) - start;
    }
    return !worker->closing;
}

/* One beat. A worker whose session the store does not keep, or cannot be asked about for as long as it lasts, drops
 * everything by itself: others may have it by now. */
static void beat(pawl_worker *worker)
{
    pawl_registry *registry = worker->config.registry;
    uint64_t now = mono_now(worker);
    pawl_status status = registry->table.heartbeat(registry->store, atomic_load(&worker->session));
    bool overdue = now - worker->alive_mono_ns >= worker->config.lease_ttl_ns;
    if (status == PAWL_E_STALE || (status != PAWL_OK && overdue))
        renew_session(worker);
    if (status == PAWL_OK || status == PAWL_E_STALE || overdue)
        worker->alive_mono_ns = now;
}

static void *heart_thread(void *argument)
{
    pawl_worker *worker = argument;
    pawl_registry *registry = worker->config.registry;
    pthread_mutex_lock(&worker->lock);
    while (wait_beat(worker)) {
        pthread_mutex_unlock(&worker->lock);
        beat(worker);
        registry->table.tick(registry->store);
        watch_activations(worker);
        pthread_mutex_lock(&worker->lock);
        pthread_cond_broadcast(&worker->changed); /* the pool may have drained below its limit: let the claimer look */
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

/* ---- start ---- */

static pawl_status check_config(const pawl_worker_config *config, pawl_error *error)
{
    if (config->heartbeat_ns == 0 || config->lease_ttl_ns < 3 * config->heartbeat_ns)
        return pawl_error_set(error, PAWL_E_INVALID, "worker.lease_ttl",
                              "lease_ttl is %.3f s, wanted at least 3 heartbeats of %.3f s",
                              (double)config->lease_ttl_ns / 1e9, (double)config->heartbeat_ns / 1e9);
    if (config->effect_threads == 0 || config->resident_max == 0 || config->effects_queued_max == 0)
        return pawl_error_set(error, PAWL_E_INVALID, "worker.limits",
                              "effect_threads, resident and effects_queued are %u, %u and %u, wanted at least 1 each",
                              config->effect_threads, config->resident_max, config->effects_queued_max);
    return PAWL_OK;
}

static uint32_t shard_count(const pawl_worker_config *config)
{
    if (config->shards != 0)
        return config->shards;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > 64 ? 64 : (uint32_t)cores;
}

static void free_worker(pawl_worker *worker)
{
    pawl_effect_pool_destroy(worker->pool);
    pawl_flight_close(worker->flight);
    free(worker->shards);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

static void stop_shards(pawl_worker *worker, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        pawl_shard_stop(&worker->shards[i]);
    for (uint32_t i = 0; i < count; i++)
        pawl_shard_finish(&worker->shards[i]);
}

/* A worker runs without it, too: it is evidence for the next one, not truth. */
static void open_flight(pawl_worker *worker)
{
    const pawl_worker_config *config = &worker->config;
    uint32_t slots = worker->shard_count + config->effect_threads;
    pawl_error error = {0};
    if (config->flight_path == NULL)
        return;
    if (pawl_flight_open(config->flight_path, slots < PAWL_FLIGHT_SLOTS_MAX ? slots : PAWL_FLIGHT_SLOTS_MAX,
                         config->clock->unix_ns(config->clock), &worker->flight, &error) == PAWL_OK)
        pawl_effect_pool_record(worker->pool, worker->flight);
    else
        pawl_log_write(config->log, PAWL_LOG_WARN,
                       "no flight recorder: a process that kills its worker will not be found out", "error",
                       error.message, (char *)NULL);
}

static pawl_worker *create(const pawl_worker_config *config)
{
    pawl_worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return NULL;
    worker->config = *config;
    worker->listener.event = on_event;
    worker->work = true;
    atomic_init(&worker->keeps_left, PAWL_KEEPS_MAX);
    worker->shard_count = shard_count(config);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    worker->shards = calloc(worker->shard_count, sizeof *worker->shards);
    worker->pool = pawl_effect_pool_create(config->effect_threads, config->clock, config->log);
    if (worker->shards == NULL || worker->pool == NULL) {
        free_worker(worker);
        return NULL;
    }
    open_flight(worker);
    return worker;
}

static pawl_status start_threads(pawl_worker *worker, pawl_error *error)
{
    int failed = pthread_create(&worker->claimer, NULL, claimer_thread, worker);
    if (failed == 0) {
        failed = pthread_create(&worker->heart, NULL, heart_thread, worker);
        if (failed != 0) {
            pthread_mutex_lock(&worker->lock);
            worker->closing = true;
            pthread_cond_broadcast(&worker->changed);
            pthread_mutex_unlock(&worker->lock);
            pthread_join(worker->claimer, NULL);
        }
    }
    if (failed != 0)
        return pawl_error_set(error, PAWL_E_NOMEM, "worker.thread", "cannot start a worker thread: %s",
                              strerror(failed));
    return PAWL_OK;
}

pawl_status pawl_worker_start(const pawl_worker_config *config, pawl_worker **ret, pawl_error *error)
{
    pawl_status status = check_config(config, error);
    if (status != PAWL_OK)
        return status;
    pawl_worker *worker = create(config);
    if (worker == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "worker.memory", "no memory for a worker");
    uint32_t started = 0;
    while (status == PAWL_OK && started < worker->shard_count) {
        status = pawl_shard_start(&worker->shards[started], worker, started, error);
        started += status == PAWL_OK;
    }
    if (status == PAWL_OK)
        status = open_session(worker, error);
    if (status == PAWL_OK) {
        status = pawl_resident_report_victims(worker, error);
        if (status == PAWL_OK)
            status = start_threads(worker, error);
        if (status != PAWL_OK)
            config->registry->table.worker_close(config->registry->store, atomic_load(&worker->session));
    }
    if (status != PAWL_OK) {
        stop_shards(worker, started);
        free_worker(worker);
        return status;
    }
    *ret = worker;
    return PAWL_OK;
}

/* ---- stop ---- */

/* Escalate, or bring the deadline nearer. True when the mode changed. Locked. */
static bool tighten(pawl_worker *worker, uint32_t mode, uint64_t deadline_mono_ns)
{
    uint32_t now = (uint32_t)atomic_load(&worker->stop_mode);
    bool changed = mode > now;
    if (changed)
        atomic_store(&worker->stop_mode, mode);
    if (now == 0 || deadline_mono_ns < worker->stop_deadline_mono_ns)
        worker->stop_deadline_mono_ns = deadline_mono_ns;
    return changed;
}

/* Wait until every process has left, getting harder as the deadline passes. Locked. */
static void wait_empty(pawl_worker *worker)
{
    while (atomic_load(&worker->resident) > 0) {
        uint64_t now = mono_now(worker);
        uint32_t mode = (uint32_t)atomic_load(&worker->stop_mode);
        if (now >= worker->stop_deadline_mono_ns && mode < STOP_ABORT) {
            atomic_store(&worker->stop_mode, mode + 1);
            worker->stop_deadline_mono_ns = now + ABORT_AFTER_CANCEL_NS;
            pthread_mutex_unlock(&worker->lock);
            order_all(worker, pawl_resident_stop_all);
            pthread_mutex_lock(&worker->lock);
            continue;
        }
        if (now >= worker->stop_deadline_mono_ns)
            break; /* aborted, and the registry still holds commits: closing the store ends them */
        wait_for(worker, worker->stop_deadline_mono_ns - now);
    }
}

void pawl_worker_stop(pawl_worker *worker, uint32_t mode, uint64_t deadline_mono_ns)
{
    pthread_mutex_lock(&worker->lock);
    bool changed = !worker->stopped && tighten(worker, mode, deadline_mono_ns);
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    if (changed)
        order_all(worker, pawl_resident_stop_all);
    pthread_mutex_lock(&worker->lock);
    wait_empty(worker);
    worker->stopped = true;
    pthread_mutex_unlock(&worker->lock);
}

pawl_worker *pawl_worker_destroy(pawl_worker *worker)
{
    if (worker == NULL)
        return NULL;
    pawl_worker_stop(worker, STOP_ABORT, mono_now(worker) + ABORT_AFTER_CANCEL_NS);
    pthread_mutex_lock(&worker->lock);
    worker->closing = true;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->claimer, NULL);
    pthread_join(worker->heart, NULL);
    pthread_mutex_lock(&worker->lock);
    wait_empty(worker); /* what the claimer got while the worker stopped is on its way out */
    pthread_mutex_unlock(&worker->lock);
    pawl_registry *registry = worker->config.registry;
    registry->table.worker_close(registry->store, atomic_load(&worker->session));
    bool all = pawl_effect_pool_stop(worker->pool, mono_now(worker) + POOL_PATIENCE_NS);
    if (!all || atomic_load(&worker->resident) > 0) {
        /* A plugin that never returns still uses what it was given: leave that in place for ever. */
        pawl_log_write(worker->config.log, PAWL_LOG_ERROR,
                       "an effect did not return; its thread and memory are abandoned", (char *)NULL);
        return NULL;
    }
    stop_shards(worker, worker->shard_count);
    free_worker(worker);
    return NULL;
}

/* ---- facts ---- */

void pawl_worker_get_stats(const pawl_worker *worker, pawl_worker_stats *ret)
{
    *ret = (pawl_worker_stats){0};
    for (uint32_t i = 0; i < worker->shard_count; i++) {
        const pawl_shard *shard = &worker->shards[i];
        ret->activations += atomic_load(&shard->activations);
        ret->steps += atomic_load(&shard->steps);
        ret->retries += atomic_load(&shard->retries);
        ret->commits += atomic_load(&shard->commits);
    }
    ret->claimed = atomic_load(&worker->claimed);
    ret->lost_leases = atomic_load(&worker->lost_leases);
    ret->resident = (uint32_t)atomic_load(&worker->resident);
    ret->stop_mode = (uint32_t)atomic_load(&worker->stop_mode);
    pawl_effect_pool_load(worker->pool, &ret->effects_running, &ret->effects_queued);
}

uint64_t pawl_worker_session(const pawl_worker *worker)
{
    if (atomic_load(&worker->stop_mode) != 0 || atomic_load(&worker->resident) >= worker->config.resident_max)
        return 0;
    return atomic_load(&worker->session);
}

bool pawl_worker_explain(const pawl_worker *worker, uint64_t number, char *text, size_t room_bytes)
{
    pawl_shard *shard = &worker->shards[number % worker->shard_count];
    return pawl_resident_explain(shard, number, text, room_bytes);
}
