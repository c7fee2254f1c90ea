/* lease.c: worker sessions and leases; see registry.h. Both live in memory only: after a crash nobody holds anything,
 * and whatever was leased still has the ready or wake row it was claimed by.
 *
 * A session expires when the clock reaches its time (equal counts), whether or not anybody looks; every use of a
 * session looks first. */
#include "row.h"

#include <assert.h>
#include <stdlib.h>

/* A clock that was set forward is noticed within this time. */
#define UNIX_LOOK_MAX_NS (60ull * 1000000000ull)

/* ---- leases ---- */

bool pawl_store_claimable(const pawl_store_entry *entry, uint64_t now_unix_ns)
{
    const pawl_store_state *state = &entry->state;
    if (entry->identity.external || entry->fresh || entry->gone || state->paused != 0)
        return false;
    return state->status == PAWL_READY ||
           (state->status == PAWL_WAITING && state->wake_unix_ns != 0 && state->wake_unix_ns <= now_unix_ns);
}

void pawl_store_returned_add(pawl_store_entry *entry)
{
    if (entry->returned)
        return;
    entry->returned = true;
    TAILQ_INSERT_TAIL(&entry->type->returned, entry, returned_link);
}

void pawl_store_returned_remove(pawl_store_registry *registry, pawl_store_entry *entry)
{
    if (!entry->returned)
        return;
    entry->returned = false;
    if (entry->held != NULL)
        pawl_store_queue_drop_entry(registry, entry);
    else
        TAILQ_REMOVE(&entry->type->returned, entry, returned_link);
}

void pawl_store_lease_take(pawl_store_registry *registry, pawl_store_entry *entry, pawl_store_worker *worker,
                           uint64_t token)
{
    assert(entry->worker == NULL);
    assert(token > entry->token);
    entry->token = token;
    entry->worker = worker;
    entry->claims++;
    LIST_INSERT_HEAD(&worker->leases, entry, lease_link);
    registry->leased[entry->state.shown]++;
    pawl_store_returned_remove(registry, entry);
    pawl_store_queue_took(registry, entry);
}

void pawl_store_lease_drop(pawl_store_registry *registry, pawl_store_entry *entry, bool lost)
{
    if (entry->worker == NULL)
        return;
    if (lost)
        pawl_store_event_push(registry, &(pawl_store_event){.worker = entry->worker->id,
                                                            .kind = PAWL_EVENT_LOST,
                                                            .number = entry->number,
                                                            .token = entry->token});
    LIST_REMOVE(entry, lease_link);
    entry->worker = NULL;
    registry->leased[entry->state.shown]--;
    pawl_store_queue_left(registry, entry);
}

/* Everything a session leases may be claimed at once. */
static void return_all(pawl_store_registry *registry, pawl_store_worker *worker, bool lost)
{
    pawl_store_entry *entry;
    bool any = false;
    while ((entry = LIST_FIRST(&worker->leases)) != NULL) {
        pawl_store_lease_drop(registry, entry, lost);
        pawl_store_returned_add(entry);
        any = true;
    }
    if (any)
        pawl_store_announce_work(registry);
}

/* Model: lease.pml, release. */
pawl_status pawl_store_release(pawl_store *store, uint64_t number, uint64_t token)
{
    pawl_store_registry *registry = store->registry;
    pawl_status status = PAWL_E_STALE;
    pthread_mutex_lock(&registry->lock);
    pawl_store_workers_expire(registry);
    pawl_store_entry *entry = pawl_store_entry_find(registry, number);
    if (entry != NULL && entry->worker != NULL && entry->token == token) {
        pawl_store_lease_drop(registry, entry, false);
        pawl_store_returned_add(entry);
        pawl_store_announce_work(registry);
        status = PAWL_OK;
    }
    pthread_mutex_unlock(&registry->lock);
    return status;
}

/* ---- worker sessions ---- */

pawl_store_worker *pawl_store_worker_find(pawl_store_registry *registry, uint64_t id)
{
    pawl_store_worker *worker;
    LIST_FOREACH(worker, &registry->workers, link)
    if (worker->id == id)
        return worker;
    return NULL;
}

/* Model: lease.pml, clock: at any moment. */
static void expire(pawl_store_registry *registry, pawl_store_worker *worker)
{
    worker->expired = true;
    worker->work = false;
    registry->worker_count--;
    return_all(registry, worker, true);
}

void pawl_store_workers_expire(pawl_store_registry *registry)
{
    if (registry->worker_count == 0)
        return;
    uint64_t now = pawl_store_mono_now(registry->store);
    pawl_store_worker *worker;
    LIST_FOREACH(worker, &registry->workers, link)
    if (!worker->expired && worker->expires_mono_ns <= now)
        expire(registry, worker);
}

pawl_store_worker *pawl_store_worker_alive(pawl_store_registry *registry, uint64_t id)
{
    pawl_store_workers_expire(registry);
    pawl_store_worker *worker = pawl_store_worker_find(registry, id);
    return worker == NULL || worker->expired ? NULL : worker;
}

static uint64_t later(uint64_t now, uint64_t span)
{
    return span > UINT64_MAX - now ? UINT64_MAX : now + span;
}

static pawl_status worker_open(pawl_store_registry *registry, pawl_bytes name, uint64_t ttl_ns, void *listener,
                               uint64_t *session, pawl_fault *fault)
{
    pawl_status status = pawl_store_check_size("the name of a worker", name, PAWL_STORE_WORKER_NAME_BYTES_MAX, fault);
    if (status != PAWL_OK)
        return status;
    if (ttl_ns == 0)
        return pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid",
                              "a worker session has a time to live of 0; wanted a positive one");
    uint64_t id;
    status = pawl_store_ticket(registry->store, &id, fault);
    if (status != PAWL_OK)
        return status;
    pawl_store_worker *worker = calloc(1, sizeof *worker + name.size);
    if (worker == NULL)
        return pawl_fault_nomem(fault);
    worker->id = id;
    worker->ttl_ns = ttl_ns;
    worker->listener = listener;
    worker->name_size = name.size;
    if (name.size > 0)
        memcpy(worker->name, name.data, name.size);
    LIST_INIT(&worker->leases);
    pthread_mutex_lock(&registry->lock);
    pawl_store_workers_expire(registry);
    bool room = registry->worker_count < PAWL_STORE_WORKERS_MAX;
    if (room) {
        worker->expires_mono_ns = later(pawl_store_mono_now(registry->store), ttl_ns);
        LIST_INSERT_HEAD(&registry->workers, worker, link);
        registry->worker_count++;
    }
    pthread_mutex_unlock(&registry->lock);
    if (!room) {
        free(worker);
        return pawl_store_limit(fault, "open worker sessions", PAWL_STORE_WORKERS_MAX + 1ull, PAWL_STORE_WORKERS_MAX);
    }
    pawl_store_poke(registry); /* its end is something to wait for */
    *session = id;
    return PAWL_OK;
}

pawl_status pawl_store_worker_open(pawl_store *store, pawl_bytes name, uint64_t ttl_ns, void *listener,
                                   uint64_t *session, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_status status = worker_open(store->registry, name, ttl_ns, listener, session, &fault);
    return status == PAWL_OK ? status : pawl_fault_emit(&store->core, why, &fault);
}

pawl_status pawl_store_heartbeat(pawl_store *store, uint64_t session)
{
    pawl_store_registry *registry = store->registry;
    pthread_mutex_lock(&registry->lock);
    pawl_store_worker *worker = pawl_store_worker_alive(registry, session);
    if (worker != NULL)
        worker->expires_mono_ns = later(pawl_store_mono_now(store), worker->ttl_ns);
    pthread_mutex_unlock(&registry->lock);
    return worker != NULL ? PAWL_OK : PAWL_E_STALE;
}

void pawl_store_worker_close(pawl_store *store, uint64_t session)
{
    pawl_store_registry *registry = store->registry;
    bool inside = pthread_equal(pthread_self(), registry->committer) != 0;
    pthread_mutex_lock(&registry->lock);
    pawl_store_worker *worker = pawl_store_worker_find(registry, session);
    if (worker != NULL) {
        if (!worker->expired)
            registry->worker_count--;
        LIST_REMOVE(worker, link); /* from here on no event finds it */
        return_all(registry, worker, false);
        worker->closed = worker->delivering && !inside;
        worker->abandoned = worker->delivering && inside;
        while (worker->delivering && !worker->abandoned)
            pthread_cond_wait(&registry->delivered, &registry->lock);
        if (!worker->abandoned)
            free(worker);
    }
    pthread_mutex_unlock(&registry->lock);
}

void pawl_store_workers_finish(pawl_store_registry *registry)
{
    pawl_store_worker *worker;
    while ((worker = LIST_FIRST(&registry->workers)) != NULL) {
        LIST_REMOVE(worker, link);
        free(worker);
    }
    free(registry->events);
}

/* ---- clocks ---- */

void pawl_store_announce_due(pawl_store_registry *registry)
{
    uint64_t now = 0;
    if (registry->worker_count == 0)
        return; /* nobody to tell; whoever comes claims before it waits */
    for (uint32_t i = 0; i < registry->type_count; i++) {
        pawl_store_type *type = registry->types_by_id[i];
        if (type->queue.look_mono_ns != STORE_NEVER &&
            type->queue.look_mono_ns <= pawl_store_mono_now(registry->store)) {
            type->queue.look_mono_ns = STORE_NEVER; /* the claim that follows lets go what is due */
            pawl_store_announce_work(registry);
        }
        if (type->next_due == STORE_NEVER || type->announced)
            continue;
        if (now == 0)
            now = pawl_store_unix_now(registry->store);
        if (type->next_due <= now) {
            type->announced = true;
            pawl_store_announce_work(registry);
        }
    }
}

uint64_t pawl_store_next_look(pawl_store_registry *registry)
{
    uint64_t next = STORE_NEVER;
    uint64_t mono = registry->worker_count > 0 ? pawl_store_mono_now(registry->store) : 0;
    pawl_store_worker *worker;
    LIST_FOREACH(worker, &registry->workers, link)
    {
        if (worker->expired || worker->expires_mono_ns == UINT64_MAX)
            continue;
        uint64_t left = worker->expires_mono_ns > mono ? worker->expires_mono_ns - mono : 0;
        next = left < next ? left : next;
    }
    uint64_t due = STORE_NEVER;
    for (uint32_t i = 0; i < registry->type_count; i++) {
        const pawl_store_type *type = registry->types_by_id[i];
        if (!type->announced && type->next_due < due)
            due = type->next_due;
        if (type->queue.look_mono_ns == STORE_NEVER || registry->worker_count == 0)
            continue;
        uint64_t left = type->queue.look_mono_ns > mono ? type->queue.look_mono_ns - mono : 0;
        next = left < next ? left : next;
    }
    if (due != STORE_NEVER && registry->worker_count > 0) {
        uint64_t now = pawl_store_unix_now(registry->store);
        uint64_t left = due > now ? due - now : 0;
        left = left < UNIX_LOOK_MAX_NS ? left : UNIX_LOOK_MAX_NS;
        next = left < next ? left : next;
    }
    return next;
}

void pawl_store_tick(pawl_store *store)
{
    pawl_store_registry *registry = store->registry;
    pthread_mutex_lock(&registry->lock);
    pawl_store_workers_expire(registry);
    pawl_store_announce_due(registry);
    pthread_mutex_unlock(&registry->lock);
    pawl_store_poke(registry); /* the clock may have been moved: what it waits for has to be worked out anew */
}

/* ---- events ---- */

void pawl_store_event_push(pawl_store_registry *registry, const pawl_store_event *event)
{
    if (registry->event_count == registry->event_capacity) {
        size_t capacity = registry->event_capacity == 0 ? 64 : registry->event_capacity * 2;
        pawl_store_event *events = realloc(registry->events, capacity * sizeof *events);
        if (events == NULL)
            return; /* events are hints: commits tell a holder of a lost lease, and of records it has not seen */
        registry->events = events;
        registry->event_capacity = capacity;
    }
    registry->events[registry->event_count++] = *event;
    pawl_store_poke(registry);
}

void pawl_store_announce_work(pawl_store_registry *registry)
{
    bool any = false;
    pawl_store_worker *worker;
    LIST_FOREACH(worker, &registry->workers, link)
    if (!worker->expired && !worker->work)
        worker->work = any = true;
    if (any)
        pawl_store_poke(registry);
}

/* Under lock, which is given up for the call. */
static void deliver(pawl_store_registry *registry, pawl_store_worker *worker, const pawl_store_event *event)
{
    pawl_registry_event told = {
        .struct_size = sizeof told,
        .kind = event->kind,
        .number = event->number,
        .token = event->token,
        .record = event->record,
    };
    if (event->ended != NULL) {
        told.id = event->ended->id;
        told.type = event->ended->type;
        told.session = event->ended->session;
        told.status = event->ended->status;
    }
    void *listener = worker->listener;
    worker->delivering = true;
    pthread_mutex_unlock(&registry->lock);
    registry->store->registry_host.event(listener, &told);
    pthread_mutex_lock(&registry->lock);
    worker->delivering = false;
    if (worker->abandoned)
        free(worker);
    else if (worker->closed)
        pthread_cond_broadcast(&registry->delivered);
}

static void deliver_work(pawl_store_registry *registry)
{
    for (;;) {
        pawl_store_worker *worker;
        LIST_FOREACH(worker, &registry->workers, link)
        if (worker->work)
            break;
        if (worker == NULL)
            return;
        worker->work = false;
        deliver(registry, worker, &(pawl_store_event){.kind = PAWL_EVENT_WORK});
    }
}

void pawl_store_events_deliver(pawl_store_registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    for (size_t i = 0; i < registry->event_count; i++) {
        pawl_store_event event = registry->events[i]; /* the array may move while the lock is given up */
        pawl_store_worker *worker = pawl_store_worker_find(registry, event.worker);
        if (worker != NULL)
            deliver(registry, worker, &event);
    }
    registry->event_count = 0;
    deliver_work(registry);
    pthread_mutex_unlock(&registry->lock);
}
