/* watch.c: WATCH: be told of a record or of the end. Only the committer publishes records, and watches begin on its
 * thread after a round is published, so none can slip between the look and the wait. */
#include "round.h"

#include <stdlib.h>

static int compare_watches(const pawl_store_watch *a, const pawl_store_watch *b)
{
    return a->op < b->op ? -1 : a->op > b->op;
}

RB_GENERATE_INTERNAL(pawl_store_watch_tree, pawl_store_watch, link, compare_watches, static __attribute__((unused)))

static bool wants(uint64_t kinds, uint32_t kind)
{
    return kind >= 64 && kind < 128 && (kinds >> (kind - 64) & 1) != 0;
}

static void result(pawl_registry_op *op, const pawl_store_entry *entry, uint32_t kind, uint64_t sequence)
{
    op->status = PAWL_OK;
    op->number = entry->number;
    op->sequence = sequence;
    op->result_kind = kind;
    op->result_status = entry->state.status;
}

static void forget(pawl_store_registry *registry, pawl_store_watch *watch)
{
    RB_REMOVE(pawl_store_watch_tree, &registry->watches, watch);
    LIST_REMOVE(watch, entry_link);
    free(watch);
}

bool pawl_store_watch_remove(pawl_store_registry *registry, pawl_registry_op *op)
{
    pawl_store_watch wanted = {.op = op};
    pawl_store_watch *watch = RB_FIND(pawl_store_watch_tree, &registry->watches, &wanted);
    if (watch == NULL)
        return false;
    pawl_store_entry *entry = watch->entry;
    forget(registry, watch);
    pawl_store_entry_settle(registry, entry);
    return true;
}

/* Is it fulfilled by what was just published? */
static bool fires(const pawl_store_watch *watch, const pawl_store_stage *stage)
{
    for (const pawl_store_posted *posted = stage->posted; posted != NULL; posted = posted->next) {
        if (posted->sequence > watch->after && wants(watch->kinds, posted->kind)) {
            result(watch->op, watch->entry, posted->kind, posted->sequence);
            return true;
        }
    }
    if (!stage->ended)
        return false;
    result(watch->op, watch->entry, PAWL_RECORD_ENDED, stage->state.head);
    return true;
}

void pawl_store_watches_fire(pawl_store_round *round, pawl_store_stage *stage)
{
    if (stage->posted == NULL && !stage->ended)
        return;
    pawl_store_watch *watch = LIST_FIRST(&stage->entry->watches);
    while (watch != NULL) {
        pawl_store_watch *next = LIST_NEXT(watch, entry_link);
        if (fires(watch, stage)) {
            pawl_store_round_done(round, watch->op);
            forget(round->registry, watch);
        }
        watch = next;
    }
}

void pawl_store_watches_close(pawl_store_round *round)
{
    pawl_store_registry *registry = round->registry;
    pthread_mutex_lock(&registry->lock);
    pawl_store_watch *watch;
    while ((watch = RB_MIN(pawl_store_watch_tree, &registry->watches)) != NULL) {
        watch->op->status = PAWL_E_CLOSED;
        pawl_store_round_done(round, watch->op);
        forget(registry, watch);
    }
    pthread_mutex_unlock(&registry->lock);
}

/* The first record of a wanted kind behind `after`: walk back along the posted records from the last one.
 * PAWL_E_NOT_FOUND when there is none. */
static pawl_status look_back(pawl_store_round *round, const pawl_store_entry *entry, const pawl_watch *request,
                             uint32_t *kind, uint64_t *sequence, pawl_fault *fault)
{
    const uint64_t cancel_only = 1ull << (PAWL_RECORD_CANCEL - 64);
    *sequence = 0;
    if (request->after < entry->state.base && wants(request->kinds, PAWL_RECORD_STARTED)) { /* it is not on the chain */
        *kind = PAWL_RECORD_STARTED;
        *sequence = entry->state.base;
        return PAWL_OK;
    }
    if (request->kinds == cancel_only && !entry->state.cancelled)
        return PAWL_E_NOT_FOUND;
    bool is_void = false; /* what a rewind has undone */
    for (uint64_t at = entry->state.last_posted; at > request->after;) {
        pawl_store_record record;
        pawl_status status =
            pawl_store_read_record(round->registry->store->kv, entry->number, at, &round->scratch, &record, fault);
        if (status == PAWL_E_NOT_FOUND || (status == PAWL_OK && record.previous_posted >= at))
            return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                                  "stored data is damaged: record %llu of process number %llu", (unsigned long long)at,
                                  (unsigned long long)entry->number);
        if (status != PAWL_OK)
            return status;
        is_void = is_void || record.kind == PAWL_RECORD_REWOUND;
        bool undone = is_void && (record.kind == PAWL_RECORD_ENDED || record.kind == PAWL_RECORD_PARKED ||
                                  (record.kind == PAWL_RECORD_CANCEL && !entry->state.cancelled));
        if (wants(request->kinds, record.kind) && !undone) {
            *kind = record.kind;
            *sequence = at;
        }
        at = record.previous_posted;
    }
    return *sequence != 0 ? PAWL_OK : PAWL_E_NOT_FOUND;
}

/* Keep it until it is fulfilled. @return false when out of memory */
static bool keep(pawl_store_registry *registry, pawl_registry_op *op, pawl_store_entry *entry)
{
    const pawl_watch *request = op->request;
    pawl_store_watch *watch = malloc(sizeof *watch);
    if (watch == NULL)
        return false;
    *watch = (pawl_store_watch){.op = op, .entry = entry, .after = request->after, .kinds = request->kinds};
    RB_INSERT(pawl_store_watch_tree, &registry->watches, watch);
    LIST_INSERT_HEAD(&entry->watches, watch, entry_link);
    return true;
}

static pawl_status begin(pawl_store_round *round, pawl_registry_op *op, const uint8_t *cancelled, pawl_fault *fault)
{
    pawl_store_registry *registry = round->registry;
    const pawl_watch *request = op->request;
    if (request == NULL || request->struct_size < sizeof *request)
        return pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid", "the request of WATCH is too small");
    pawl_status status = pawl_store_check_name("a process id", request->id, PAWL_STORE_ID_BYTES_MAX, fault);
    pawl_store_entry *entry;
    if (status == PAWL_OK)
        status = pawl_store_entry_by_id(registry, request->id, &entry, fault);
    if (status != PAWL_OK)
        return status;
    uint32_t kind = 0;
    uint64_t sequence = 0;
    status = look_back(round, entry, request, &kind, &sequence, fault);
    bool terminal = PAWL_IS_TERMINAL(entry->state.status);
    pthread_mutex_lock(&registry->lock);
    if (status == PAWL_OK)
        result(op, entry, kind, sequence);
    else if (status == PAWL_E_NOT_FOUND && terminal) {
        result(op, entry, PAWL_RECORD_ENDED, entry->state.head);
        status = PAWL_OK;
    } else if (status == PAWL_E_NOT_FOUND) {
        status = *cancelled ? PAWL_E_CANCELLED : PAWL_PENDING;
        if (status == PAWL_PENDING && !keep(registry, op, entry))
            status = pawl_fault_nomem(fault);
    }
    pawl_store_entry_unpin(registry, entry);
    pthread_mutex_unlock(&registry->lock);
    return status;
}

void pawl_store_watch_begin(pawl_store_round *round, pawl_registry_op *op, const uint8_t *cancelled)
{
    pawl_fault fault = {0};
    pawl_status status = begin(round, op, cancelled, &fault);
    if (status == PAWL_PENDING)
        return;
    if (fault.status != PAWL_OK)
        pawl_fault_emit(&round->registry->store->core, op->why, &fault);
    op->status = status;
    pawl_store_round_done(round, op);
}
