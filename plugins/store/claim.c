/* claim.c: leasing processes to a worker session. A claim reads and writes nothing: the lease is in memory, and the
 * ready or wake row that made the process claimable stays until the holder ends its activation.
 *
 * For each type: first what was given back, then what is due, then what is ready. Cursors remember how far the rows
 * were looked at, so that deleted ones are never waded through again. */
#include "claim.h"
#include "view.h"

#include <assert.h>
#include <stdlib.h>

typedef pawl_store_claiming claiming;
typedef pawl_store_pick leased;

static pawl_status stale(pawl_fault *fault)
{
    return pawl_fault_set(fault, PAWL_E_STALE, "registry.stale", "the worker session has ended or expired");
}

static pawl_status fetch_token(claiming *c)
{
    return c->token != 0 ? PAWL_OK : pawl_store_ticket(c->registry->store, &c->token, c->fault);
}

/* Lease a pinned entry, if it can be leased now; the pin goes with it. Under lock.
 *
 * Whatever is not leased here although it may be claimable, now or in a moment, is put on its type's list: the scan
 * that met it moves on, and no other will meet its row again. First of all what is part of the running round, whatever
 * it looks like: its new rows may be in the engine already, and what is in memory is as it was before.
 * Model: lease.pml, CLAIMABLE and take_lease. */
static bool lease(claiming *c, pawl_store_entry *entry)
{
    if (entry->stage != NULL) {
        pawl_store_returned_add(entry); /* announced, or taken off again, when the round is published */
        return false;
    }
    if (entry->worker != NULL || !pawl_store_claimable(entry, c->now_unix_ns))
        return false;
    if (!pawl_store_queue_key_has_room(entry->type, entry->identity.lane) &&
        pawl_store_queue_hold_entry(c->registry, entry))
        return false;
    pawl_store_worker *worker = pawl_store_worker_alive(c->registry, c->session);
    c->over = worker == NULL;
    if (c->over || c->token <= entry->token) { /* nobody to lease it to; or leased meanwhile under a younger token */
        pawl_store_returned_add(entry);
        pawl_store_announce_work(c->registry);
        c->token = c->over ? c->token : 0;
        return false;
    }
    pawl_store_lease_take(c->registry, entry, worker, c->token);
    c->token = 0;
    c->picks[c->count++] = (leased){entry, entry->token};
    return true;
}

/* ---- 1: what was given back ---- */

/* One entry of the list. Under lock. */
static void try_returned(claiming *c, pawl_store_type *type, pawl_store_entry *entry)
{
    if (!pawl_store_claimable(entry, c->now_unix_ns)) {
        pawl_store_returned_remove(c->registry, entry);
        if (entry->state.wake_unix_ns != 0) /* the clock was set back: it is due again later */
            pawl_store_type_note_wake(type, entry->state.wake_unix_ns, entry->number);
        pawl_store_entry_settle(c->registry, entry);
        return;
    }
    pawl_store_entry_pin(c->registry, entry);
    if (!lease(c, entry))
        pawl_store_entry_unpin(c->registry, entry);
}

static pawl_status pick_returned(claiming *c, pawl_store_type *type)
{
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&c->registry->lock);
    pawl_store_entry *entry = TAILQ_FIRST(&type->returned);
    while (entry != NULL && c->count < c->limit && !c->over && status == PAWL_OK) {
        pawl_store_entry *next = TAILQ_NEXT(entry, returned_link);
        if (c->token == 0) { /* fetching one may write; the list may change meanwhile: start over */
            pthread_mutex_unlock(&c->registry->lock);
            status = fetch_token(c);
            pthread_mutex_lock(&c->registry->lock);
            entry = TAILQ_FIRST(&type->returned);
            while (entry != NULL && entry->stage != NULL)
                entry = TAILQ_NEXT(entry, returned_link);
            continue;
        }
        if (entry->stage == NULL)
            try_returned(c, type, entry);
        entry = next;
    }
    pthread_mutex_unlock(&c->registry->lock);
    return status;
}

/* ---- 2 and 3: rows ---- */

pawl_status pawl_store_claim_number(pawl_store_claiming *c, uint64_t number)
{
    pawl_store_entry *entry;
    pawl_fault fault = {0};
    pawl_status status = fetch_token(c);
    if (status != PAWL_OK)
        return status;
    status = pawl_store_entry_by_number(c->registry, number, &entry, &fault);
    if (status == PAWL_E_CORRUPT || status == PAWL_E_NOT_FOUND) {
        pawl_store_log(c->registry->store, PAWL_LOG_ERROR, "claim passes over a process: %s", fault.message);
        return PAWL_OK;
    }
    if (status != PAWL_OK) {
        *c->fault = fault;
        return status;
    }
    pthread_mutex_lock(&c->registry->lock);
    if (!lease(c, entry))
        pawl_store_entry_unpin(c->registry, entry);
    pthread_mutex_unlock(&c->registry->lock);
    return PAWL_OK;
}

pawl_kv_cursor *pawl_store_claim_cursor(pawl_store_claiming *c, pawl_family family, uint32_t type)
{
    pawl_key prefix;
    pawl_key_start(&prefix);
    pawl_key_u32(&prefix, type);
    return pawl_kv_cursor_prefix(c->registry->store->kv, family, &prefix);
}

static bool is_crowded(claiming *c, const pawl_store_type *type)
{
    pthread_mutex_lock(&c->registry->lock);
    bool crowded = pawl_store_queue_is_crowded(type);
    pthread_mutex_unlock(&c->registry->lock);
    return crowded;
}

typedef struct wake_scan {
    uint64_t due; /* where the cursor stands */
    uint64_t number;
    uint64_t next_due;
    uint64_t writes;
} wake_scan;

static pawl_status scan_wakes(claiming *c, pawl_store_type *type, pawl_kv_cursor *cursor, wake_scan *scan)
{
    pawl_key key;
    pawl_status status = PAWL_OK;
    pawl_store_key_wake(&key, type->id, scan->due, scan->number);
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&key)); cursor->valid; pawl_kv_cursor_next(cursor)) {
        pawl_reader reader = pawl_reader_of(cursor->key);
        pawl_reader_u32(&reader);
        scan->next_due = pawl_reader_u64(&reader);
        uint64_t number = pawl_reader_u64(&reader);
        if (scan->next_due > c->now_unix_ns || c->count == c->limit || c->over || is_crowded(c, type))
            return PAWL_OK;
        status = pawl_store_claim_number(c, number);
        if (status != PAWL_OK)
            return status;
        scan->due = scan->next_due;
        scan->number = number + 1;
    }
    scan->next_due = STORE_NEVER;
    return pawl_kv_cursor_status(cursor, c->fault);
}

static pawl_status pick_due(claiming *c, pawl_store_type *type)
{
    wake_scan scan = {0};
    pthread_mutex_lock(&c->registry->lock);
    bool due = type->next_due <= c->now_unix_ns;
    scan.due = type->wake_cursor_due;
    scan.number = type->wake_cursor_number;
    scan.writes = type->wake_writes;
    pthread_mutex_unlock(&c->registry->lock);
    if (!due || c->count == c->limit)
        return PAWL_OK;
    pawl_kv_cursor *cursor = pawl_store_claim_cursor(c, PAWL_FAMILY_WAKE, type->id);
    if (cursor == NULL)
        return pawl_fault_nomem(c->fault);
    pawl_status status = scan_wakes(c, type, cursor, &scan);
    pawl_kv_cursor_close(cursor);
    pthread_mutex_lock(&c->registry->lock);
    if (type->wake_writes == scan.writes && status == PAWL_OK) {
        type->wake_cursor_due = scan.due;
        type->wake_cursor_number = scan.number;
        type->next_due = scan.next_due;
    }
    type->announced = type->next_due <= c->now_unix_ns && type->wake_writes == scan.writes;
    pthread_mutex_unlock(&c->registry->lock);
    pawl_store_poke(c->registry); /* what the clock is waited for has changed */
    return status;
}

/* ---- many ---- */

/* The types of a claim, with the limits that it has for them. */
static pawl_store_type **find_types(claiming *c, const pawl_claim *claim, size_t *count)
{
    pawl_store_registry *registry = c->registry;
    pawl_store_type **types = calloc(claim->type_count, sizeof *types);
    if (types == NULL)
        return NULL;
    pthread_mutex_lock(&registry->lock);
    for (size_t i = 0; i < claim->type_count; i++) {
        const void *name = (const char *)claim->types + i * claim->type_size;
        const pawl_type_limits *limits = claim->limits == NULL ? NULL : claim->limits[i];
        pawl_type_limits told = {.struct_size = sizeof told};
        pawl_store_type *type = pawl_store_type_find(registry, *(const pawl_bytes *)name);
        if (type == NULL)
            continue;
        if (limits != NULL)
            memcpy(&told, limits, limits->struct_size < sizeof told ? limits->struct_size : sizeof told);
        pawl_store_queue_set_limits(registry, type, &told);
        types[(*count)++] = type;
    }
    pthread_mutex_unlock(&registry->lock);
    return types;
}

static size_t room_of(claiming *c, const pawl_store_type *type)
{
    pthread_mutex_lock(&c->registry->lock);
    size_t room = pawl_store_queue_room(type);
    pthread_mutex_unlock(&c->registry->lock);
    return room;
}

/* What is due gets half of it, so that a million timers do not go before what is ready. */
static pawl_status pick_half_due(claiming *c, pawl_store_type *type)
{
    size_t outer = c->limit;
    c->limit = c->count + (outer - c->count + 1) / 2;
    pawl_status status = pick_due(c, type);
    c->limit = outer;
    return status;
}

/* What one type gives, to c->limit at most. */
static pawl_status pick_type(claiming *c, pawl_store_type *type)
{
    size_t room = room_of(c, type);
    if (room < c->limit - c->count)
        c->limit = c->count + room;
    if (room == 0)
        return PAWL_OK; /* who leaves makes room, and tells */
    pawl_status status = pick_returned(c, type);
    if (status == PAWL_OK)
        status = pick_half_due(c, type);
    if (status == PAWL_OK)
        status = pawl_store_claim_ready(c, type);
    if (status == PAWL_OK)
        status = pick_due(c, type);
    return status;
}

/* Round robin: each type gets an equal share of what is left, as long as any has something to give. */
static pawl_status pick(claiming *c, pawl_store_type **types, size_t type_count)
{
    size_t limit = c->limit;
    size_t before = SIZE_MAX;
    pawl_status status = PAWL_OK;
    while (c->count < limit && c->count != before && !c->over) {
        before = c->count;
        for (size_t i = 0; i < type_count && c->count < limit && status == PAWL_OK; i++) {
            pawl_store_type *type = types[(c->registry->next_type + i) % type_count];
            size_t share = (limit - c->count + type_count - i - 1) / (type_count - i);
            c->limit = c->count + share;
            status = pick_type(c, type);
        }
        c->registry->next_type++;
        if (status != PAWL_OK)
            break;
    }
    return c->count > 0 ? PAWL_OK : status; /* what is leased is handed over in any case */
}

static pawl_status claim_many(claiming *c, const pawl_claim *claim)
{
    if (claim->type_count == 0)
        return PAWL_OK;
    if (claim->types == NULL || claim->type_size < sizeof(pawl_bytes))
        return pawl_fault_set(c->fault, PAWL_E_INVALID, "registry.invalid",
                              "the types of CLAIM have elements of %zu bytes; wanted %zu", claim->type_size,
                              sizeof(pawl_bytes));
    pthread_mutex_lock(&c->registry->lock);
    c->over = pawl_store_worker_alive(c->registry, c->session) == NULL;
    pthread_mutex_unlock(&c->registry->lock);
    if (c->over)
        return stale(c->fault);
    size_t type_count = 0;
    pawl_store_type **types = find_types(c, claim, &type_count);
    if (types == NULL)
        return pawl_fault_nomem(c->fault);
    pawl_status status = PAWL_OK;
    if (type_count > 0) {
        pthread_mutex_lock(&c->registry->claim_lock);
        status = pick(c, types, type_count);
        pthread_mutex_unlock(&c->registry->claim_lock);
    }
    free(types);
    return status == PAWL_OK && c->count == 0 && c->over ? stale(c->fault) : status;
}

/* ---- one ---- */

static pawl_status held(claiming *c, const pawl_store_entry *entry)
{
    uint64_t now = pawl_store_mono_now(c->registry->store);
    uint64_t left = entry->worker->expires_mono_ns > now ? entry->worker->expires_mono_ns - now : 0;
    char id[300];
    char name[300];
    return pawl_fault_set(
        c->fault, PAWL_E_BUSY, "registry.leased", "process \"%s\" is held by \"%s\" for another %llu ms",
        pawl_fault_text(entry->identity.id, id, sizeof id),
        pawl_fault_text((pawl_bytes){entry->worker->name, entry->worker->name_size}, name, sizeof name),
        (unsigned long long)(left / 1000000));
}

static const char *why_not(const pawl_store_entry *entry)
{
    if (entry->identity.external)
        return "is completed from outside";
    return entry->state.status == PAWL_STUCK ? "is stuck" : "is waiting";
}

/* Wait until the process is not part of the running round, with a token younger than its last one. Under lock, which is
 * given up meanwhile. */
static pawl_status prepare_one(claiming *c, pawl_store_entry *entry)
{
    pawl_status status = PAWL_OK;
    while (status == PAWL_OK && (entry->stage != NULL || c->token <= entry->token)) {
        if (entry->stage != NULL) {
            pthread_cond_wait(&c->registry->published, &c->registry->lock);
            continue;
        }
        c->token = 0;
        pthread_mutex_unlock(&c->registry->lock);
        status = fetch_token(c);
        pthread_mutex_lock(&c->registry->lock);
    }
    return status;
}

/* Under lock. */
static pawl_status claim_entry(claiming *c, pawl_store_entry *entry)
{
    char id[300];
    pawl_store_worker *worker = pawl_store_worker_alive(c->registry, c->session);
    pawl_fault_text(entry->identity.id, id, sizeof id);
    if (worker == NULL)
        return stale(c->fault);
    if (entry->gone)
        return pawl_fault_set(c->fault, PAWL_E_NOT_FOUND, "registry.not_found", "there is no process \"%s\"", id);
    if (PAWL_IS_TERMINAL(entry->state.status))
        return pawl_fault_set(c->fault, PAWL_E_TERMINAL, "registry.terminal", "process \"%s\" has already ended", id);
    if (entry->worker != NULL && entry->worker != worker)
        return held(c, entry);
    if (entry->worker == NULL && !pawl_store_claimable(entry, c->now_unix_ns))
        return pawl_fault_set(c->fault, PAWL_E_BUSY, "registry.not_claimable",
                              "process \"%s\" cannot be claimed: it %s", id, why_not(entry));
    pawl_store_lease_drop(c->registry, entry, true);
    pawl_store_lease_take(c->registry, entry, worker, c->token);
    c->token = 0;
    c->picks[c->count++] = (leased){entry, entry->token};
    return PAWL_OK;
}

static pawl_status claim_one(claiming *c, pawl_bytes id)
{
    pawl_store_entry *entry;
    pawl_status status = pawl_store_check_name("a process id", id, PAWL_STORE_ID_BYTES_MAX, c->fault);
    if (status == PAWL_OK)
        status = pawl_store_entry_by_id(c->registry, id, &entry, c->fault);
    if (status != PAWL_OK)
        return status;
    pthread_mutex_lock(&c->registry->lock);
    status = prepare_one(c, entry);
    if (status == PAWL_OK)
        status = claim_entry(c, entry);
    if (status != PAWL_OK)
        pawl_store_entry_unpin(c->registry, entry);
    pthread_mutex_unlock(&c->registry->lock);
    return status;
}

/* ---- handing over ---- */

static bool is_held(const leased *pick)
{
    return pick->entry->worker != NULL && pick->entry->token == pick->token;
}

static void give_back(claiming *c, const leased *pick, bool claimable)
{
    pawl_store_entry *entry = pick->entry;
    pthread_mutex_lock(&c->registry->lock);
    if (is_held(pick)) {
        pawl_store_lease_drop(c->registry, entry, false);
        if (claimable)
            pawl_store_returned_add(entry);
    }
    pthread_mutex_unlock(&c->registry->lock);
}

static void hand_over(claiming *c, pawl_row_visit visit, void *context)
{
    pawl_store_view view = {0};
    bool stopped = false;
    for (size_t i = 0; i < c->count; i++) {
        const leased *pick = &c->picks[i];
        pawl_store_entry *entry = pick->entry;
        pawl_fault fault = {0};
        pthread_mutex_lock(&c->registry->lock);
        bool lost = !is_held(pick); /* meanwhile, and another may have it by now, under a token that is not for us */
        pthread_mutex_unlock(&c->registry->lock);
        if (stopped) {
            give_back(c, pick, true);
        } else if (lost) {
            /* its holder is told by others, or is nobody */
        } else if (pawl_store_view_entry(&view, c->registry, entry, &fault) != PAWL_OK) {
            pawl_store_log(c->registry->store, PAWL_LOG_ERROR, "claim passes over a process: %s", fault.message);
            give_back(c, pick, false);
        } else {
            view.row.token = pick->token;
            view.row.status = PAWL_RUNNING;
            stopped = visit(context, &view.row) != 0;
        }
        pthread_mutex_lock(&c->registry->lock);
        pawl_store_entry_unpin(c->registry, entry);
        pthread_mutex_unlock(&c->registry->lock);
    }
    pawl_store_view_finish(&view);
}

pawl_status pawl_store_claim(pawl_store *store, const pawl_claim *claim, pawl_row_visit visit, void *context,
                             pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    if (claim == NULL || claim->struct_size < sizeof *claim || visit == NULL)
        return pawl_fault_emit(
            &store->core, why,
            (pawl_fault_set(&fault, PAWL_E_INVALID, "registry.invalid", "CLAIM is too small"), &fault));
    claiming c = {
        .registry = store->registry,
        .session = claim->session,
        .now_unix_ns = pawl_store_unix_now(store),
        .limit = claim->id.size > 0 ? 1 : claim->limit,
        .fault = &fault,
    };
    if (c.limit > PAWL_STORE_CLAIM_MAX)
        c.limit = PAWL_STORE_CLAIM_MAX;
    if (c.limit == 0)
        return PAWL_OK;
    c.picks = calloc(c.limit, sizeof *c.picks);
    pawl_status status = PAWL_OK;
    if (c.picks == NULL)
        status = pawl_fault_nomem(&fault);
    else
        status = claim->id.size > 0 ? claim_one(&c, claim->id) : claim_many(&c, claim);
    if (c.count > 0)
        hand_over(&c, visit, context);
    free(c.picks);
    return status == PAWL_OK ? status : pawl_fault_emit(&store->core, why, &fault);
}
