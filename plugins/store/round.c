/* round.c: see round.h. Staging writes rows into one batch and new states into stages; nothing that others can see
 * changes before the write has succeeded. */
#include "round.h"

#include <stdlib.h>

pawl_store_round *pawl_store_round_create(pawl_store_registry *registry)
{
    pawl_store_round *round = calloc(1, sizeof *round);
    if (round == NULL)
        return NULL;
    round->registry = registry;
    round->ops = calloc(PAWL_STORE_ROUND_OPS_MAX, sizeof(pawl_registry_op *));
    if (round->ops == NULL) {
        free(round);
        return NULL;
    }
    round->stages_end = &round->stages;
    return round;
}

void pawl_store_round_destroy(pawl_store_round *round)
{
    if (round == NULL)
        return;
    pawl_batch_finish(&round->rows);
    pawl_store_arena_finish(&round->arena);
    pawl_buffer_finish(&round->scratch);
    free(round->ops);
    free(round->done);
    free(round);
}

void pawl_store_round_begin(pawl_store_round *round)
{
    pawl_batch_clear(&round->rows);
    pawl_store_arena_clear(&round->arena);
    round->stages = NULL;
    round->stages_end = &round->stages;
    round->refusals = NULL;
    round->turns = NULL;
    memset(round->deltas, 0, sizeof round->deltas);
    round->next_number = round->registry->next_number;
    round->types_stored = round->registry->types_stored;
    round->prune_from = round->registry->prune_from;
    round->now_unix_ns = pawl_store_unix_now(round->registry->store);
    round->closed = false;
    round->orphan_parent = round->orphan_after = 0;
    round->orphan_scanned = round->orphans_done = false;
    round->queue_waits = false;
    round->deadlines_looked_at = false;
    round->deadline_next = round->deadline_set = STORE_NEVER;
}

void pawl_store_round_done(pawl_store_round *round, pawl_registry_op *op)
{
    op->provider_data[0] = NULL;
    if (round->done_last == NULL)
        round->done_first = op;
    else
        round->done_last->provider_data[0] = op;
    round->done_last = op;
    round->done_count++;
}

/* ---- stages ---- */

pawl_store_stage *pawl_store_stage_of(pawl_store_round *round, pawl_store_entry *entry)
{
    if (entry->stage != NULL)
        return entry->stage;
    pawl_store_stage *stage = pawl_store_arena_take(&round->arena, sizeof *stage);
    if (stage == NULL)
        return NULL;
    stage->entry = entry;
    stage->state = entry->state;
    stage->posted_end = &stage->posted;
    stage->events_end = &stage->events;
    *round->stages_end = stage;
    round->stages_end = &stage->next;
    entry->stage = stage;
    pawl_store_entry_settle(round->registry, entry);
    return stage;
}

bool pawl_store_stage_is_leased(const pawl_store_stage *stage)
{
    return (stage->entry->worker != NULL || stage->claim != NULL) && !stage->drop_lease && !stage->ended &&
           !stage->fenced;
}

pawl_status pawl_store_stage_by_number(pawl_store_round *round, uint64_t number, pawl_store_stage **ret, bool *leased,
                                       pawl_fault *fault)
{
    pawl_store_registry *registry = round->registry;
    pawl_store_entry *entry;
    pawl_status status = pawl_store_entry_by_number(registry, number, &entry, fault);
    if (status != PAWL_OK)
        return status;
    pthread_mutex_lock(&registry->lock);
    *ret = pawl_store_stage_of(round, entry);
    *leased = *ret != NULL && pawl_store_stage_is_leased(*ret);
    pawl_store_entry_unpin(registry, entry);
    pthread_mutex_unlock(&registry->lock);
    return *ret == NULL ? pawl_fault_nomem(fault) : PAWL_OK;
}

pawl_status pawl_store_stage_has_room(const pawl_store_round *round, const pawl_store_stage *stage, uint64_t records,
                                      uint64_t bytes, pawl_fault *fault)
{
    uint64_t allowed = round->registry->store->journal_bytes_max;
    if (stage->state.journal_bytes > allowed || bytes > allowed - stage->state.journal_bytes)
        return pawl_store_limit(fault, "the bytes of a journal", stage->state.journal_bytes + bytes, allowed);
    uint64_t count = stage->state.head + 1 - stage->state.base + records;
    if (count > PAWL_STORE_JOURNAL_RECORDS_MAX)
        return pawl_store_limit(fault, "the records of a journal", count, PAWL_STORE_JOURNAL_RECORDS_MAX);
    return PAWL_OK;
}

uint64_t pawl_store_stage_record(pawl_store_round *round, pawl_store_stage *stage, uint32_t kind, pawl_bytes body)
{
    pawl_store_state *state = &stage->state;
    const pawl_store_record record = {
        .kind = kind,
        .sequence = ++state->head,
        .time_unix_ns = round->now_unix_ns,
        .journal_bytes = state->journal_bytes += body.size,
        .previous_posted = state->last_posted,
        .body = body,
    };
    if (kind > PAWL_RECORD_STARTED)
        state->last_posted = state->head;
    state->updated_unix_ns = round->now_unix_ns;
    pawl_store_put_record(&round->rows, stage->entry->number, &record);
    return state->head;
}

/* The sequences are known, so no cursor has to look for them. */
void pawl_store_stage_forget(pawl_store_round *round, uint64_t number, uint64_t first, uint64_t last)
{
    pawl_key key;
    for (uint64_t sequence = first; sequence <= last; sequence++) {
        pawl_store_key_journal(&key, number, sequence);
        pawl_batch_delete(&round->rows, PAWL_FAMILY_JOURNAL, pawl_key_bytes(&key));
    }
}

bool pawl_store_stage_note_posted(pawl_store_round *round, pawl_store_stage *stage, uint32_t kind, uint64_t sequence)
{
    pawl_store_posted *posted = pawl_store_arena_take(&round->arena, sizeof *posted);
    if (posted == NULL)
        return false;
    posted->kind = kind;
    posted->sequence = sequence;
    *stage->posted_end = posted;
    stage->posted_end = &posted->next;
    return true;
}

bool pawl_store_stage_needs_ready(const pawl_store_stage *stage)
{
    return stage->state.ready_sequence == 0;
}

static void move_ready(pawl_store_round *round, pawl_store_stage *stage, uint32_t status, uint64_t ready)
{
    pawl_key key;
    pawl_store_state *state = &stage->state;
    if (status != PAWL_READY && state->ready_sequence != 0) {
        pawl_store_key_ready(&key, &stage->entry->identity, state->ready_sequence);
        pawl_batch_delete(&round->rows, PAWL_FAMILY_READY, pawl_key_bytes(&key));
        state->ready_sequence = 0;
        stage->made_ready = false;
    } else if (status == PAWL_READY && state->ready_sequence == 0) {
        state->ready_sequence = ready;
        pawl_store_key_ready(&key, &stage->entry->identity, ready);
        pawl_batch_begin(&round->rows, PAWL_FAMILY_READY, pawl_key_bytes(&key));
        pawl_buffer_u64(&round->rows.bytes, stage->entry->number);
        pawl_batch_end(&round->rows);
        stage->made_ready = true;
    }
}

static void move_wake(pawl_store_round *round, pawl_store_stage *stage, uint64_t wake_unix_ns)
{
    pawl_key key;
    pawl_store_state *state = &stage->state;
    if (state->wake_unix_ns == wake_unix_ns)
        return;
    if (state->wake_unix_ns != 0) {
        pawl_store_key_wake(&key, stage->entry->type->id, state->wake_unix_ns, stage->entry->number);
        pawl_batch_delete(&round->rows, PAWL_FAMILY_WAKE, pawl_key_bytes(&key));
    }
    state->wake_unix_ns = wake_unix_ns;
    if (wake_unix_ns != 0) {
        pawl_store_key_wake(&key, stage->entry->type->id, wake_unix_ns, stage->entry->number);
        pawl_batch_mark(&round->rows, PAWL_FAMILY_WAKE, pawl_key_bytes(&key));
    }
}

void pawl_store_stage_show(pawl_store_round *round, pawl_store_stage *stage)
{
    pawl_key key;
    pawl_store_state *state = &stage->state;
    uint32_t shown = pawl_store_shown(state);
    if (state->shown == shown)
        return;
    if (state->shown != 0) {
        pawl_store_key_status(&key, state->shown, stage->entry->number);
        pawl_batch_delete(&round->rows, PAWL_FAMILY_STATUS, pawl_key_bytes(&key));
        round->deltas[state->shown]--;
    }
    pawl_store_key_status(&key, shown, stage->entry->number);
    pawl_batch_mark(&round->rows, PAWL_FAMILY_STATUS, pawl_key_bytes(&key));
    round->deltas[shown]++;
    state->shown = shown;
}

void pawl_store_stage_move(pawl_store_round *round, pawl_store_stage *stage, uint32_t status, uint64_t wake_unix_ns,
                           uint64_t ready)
{
    pawl_key key;
    pawl_store_state *state = &stage->state;
    move_ready(round, stage, status, ready);
    move_wake(round, stage, status == PAWL_WAITING ? wake_unix_ns : 0);
    stage->wake_set = stage->state.wake_unix_ns != 0;
    state->status = status;
    pawl_store_stage_show(round, stage);
    if (PAWL_IS_TERMINAL(status)) {
        stage->ended = true;
        pawl_store_deadline_drop(round, stage);
        if (state->updated_unix_ns < round->prune_from)
            round->prune_from = state->updated_unix_ns; /* the clock was set back */
        pawl_store_key_ended(&key, state->updated_unix_ns, stage->entry->number);
        pawl_batch_mark(&round->rows, PAWL_FAMILY_ENDED, pawl_key_bytes(&key));
        if (state->has_children) {
            pawl_store_key_relation(&key, STORE_RELATION_ORPHANS, 0, stage->entry->number);
            pawl_batch_mark(&round->rows, PAWL_FAMILY_RELATION, pawl_key_bytes(&key));
            stage->orphans = true;
        }
    }
}

void pawl_store_stage_header(pawl_store_round *round, pawl_store_stage *stage, pawl_bytes reason_code,
                             pawl_bytes reason)
{
    if (stage->entry->token > stage->state.token)
        stage->state.token = stage->entry->token;
    pawl_store_put_header(&round->rows, stage->entry->number, &stage->state, stage->entry->identity.encoded,
                          reason_code, reason);
}

/* ---- the end of a round ---- */

static void publish_claim(pawl_store_round *round, pawl_store_stage *stage)
{
    pawl_store_registry *registry = round->registry;
    const pawl_register *request = stage->claim->request;
    pawl_store_worker *worker = pawl_store_worker_find(registry, request->claim_session);
    if (worker == NULL || worker->expired || stage->ended || stage->fenced)
        return; /* it ended meanwhile: the process is ready like any other */
    if (!pawl_store_queue_is_clear(stage->entry->type, pawl_store_priority_of(&stage->entry->identity)))
        return; /* others were here first: it joins them */
    pawl_store_lease_take(registry, stage->entry, worker, stage->claim_token);
    stage->claim->token = stage->claim_token;
    stage->claim->flags |= PAWL_RESULT_CLAIMED;
}

/* Records that came from outside while it was leased, to its holder. */
static void tell_posted(pawl_store_registry *registry, const pawl_store_stage *stage)
{
    const pawl_store_entry *entry = stage->entry;
    for (pawl_store_posted_event *event = stage->events; event != NULL; event = event->next)
        pawl_store_event_push(registry, &(pawl_store_event){.worker = entry->worker->id,
                                                            .kind = PAWL_EVENT_POSTED,
                                                            .number = entry->number,
                                                            .token = entry->token,
                                                            .record = &event->record});
}

/* An end that nobody has asked for, to everybody: no answer of an operation tells it. */
static void tell_end(pawl_store_registry *registry, const pawl_store_stage *stage)
{
    pawl_store_worker *worker;
    LIST_FOREACH(worker, &registry->workers, link)
    if (!worker->expired)
        pawl_store_event_push(registry, &(pawl_store_event){.worker = worker->id,
                                                            .kind = PAWL_EVENT_ENDED,
                                                            .number = stage->entry->number,
                                                            .record = &stage->told_end->record,
                                                            .ended = stage->told_end});
}

/* Model: lease.pml, publish. */
static void publish_stage(pawl_store_round *round, pawl_store_stage *stage)
{
    pawl_store_registry *registry = round->registry;
    pawl_store_entry *entry = stage->entry;
    if (entry->worker != NULL) /* first of all, also if it has given the lease up in the same round */
        tell_posted(registry, stage);
    const bool held = entry->worker != NULL;
    if (stage->drop_lease || stage->ended || stage->fenced)
        pawl_store_lease_drop(registry, entry, !stage->drop_lease);
    else if (entry->worker != NULL && entry->state.shown != stage->state.shown) {
        registry->leased[entry->state.shown]--;
        registry->leased[stage->state.shown]++;
    }
    if (stage->told_end != NULL)
        tell_end(registry, stage);
    entry->state = stage->state;
    entry->fresh = false;
    entry->stage = NULL;
    if (!stage->pruned)
        pawl_store_entry_list(registry, entry);
    if (stage->cancel_sequence != 0)
        entry->cancel_sequence = stage->cancel_sequence;
    if (stage->waits)
        entry->claims = 0;
    if (stage->claim != NULL)
        publish_claim(round, stage);
    if (stage->claim != NULL && entry->worker != NULL)
        tell_posted(registry, stage);
    if (stage->wake_set)
        pawl_store_type_note_wake(entry->type, entry->state.wake_unix_ns, entry->number);
    if (entry->worker != NULL || !pawl_store_claimable(entry, UINT64_MAX))
        pawl_store_returned_remove(registry, entry);
    /* Parked or rewound, and ready again under the row it was claimed by: no scan will meet that row again. */
    if ((stage->drop_lease || (stage->fenced && held)) && entry->state.status == PAWL_READY && !stage->made_ready)
        pawl_store_returned_add(entry);
    if (stage->made_ready && entry->worker == NULL) {
        pawl_store_queue_note(registry, entry);
        pawl_store_announce_work(registry);
    } else if (entry->returned) {
        pawl_store_announce_work(registry); /* it was passed over while it was part of this round */
    }
    pawl_store_watches_fire(round, stage);
    if (stage->orphans)
        pawl_store_orphans_note(registry, entry->number);
    if (stage->pruned)
        pawl_store_entry_remove(registry, entry);
    else
        pawl_store_entry_settle(registry, entry);
}

void pawl_store_round_publish(pawl_store_round *round)
{
    pawl_store_registry *registry = round->registry;
    pthread_mutex_lock(&registry->lock);
    for (size_t i = 0; i < STORE_STATUS_COUNT; i++)
        registry->counts[i] = (uint64_t)((int64_t)registry->counts[i] + round->deltas[i]);
    registry->next_number = round->next_number;
    registry->types_stored = round->types_stored;
    registry->prune_from = round->prune_from;
    pawl_store_orphans_publish(round);
    pawl_store_deadlines_publish(round);
    for (pawl_store_stage *stage = round->stages, *next; stage != NULL; stage = next) {
        next = stage->next;
        publish_stage(round, stage);
    }
    pthread_cond_broadcast(&registry->published);
    pthread_mutex_unlock(&registry->lock);
}

/* Model: lease.pml, answer_round. */
void pawl_store_round_undo(pawl_store_round *round, const pawl_fault *fault)
{
    pawl_store_registry *registry = round->registry;
    pthread_mutex_lock(&registry->lock);
    for (pawl_store_stage *stage = round->stages, *next; stage != NULL; stage = next) {
        next = stage->next;
        pawl_store_entry *entry = stage->entry;
        entry->stage = NULL;
        if (entry->fresh || entry->worker != NULL || !pawl_store_claimable(entry, UINT64_MAX))
            pawl_store_returned_remove(registry, entry);
        if (entry->fresh) {
            pawl_store_entry_remove(registry, entry);
            continue;
        }
        if (entry->returned)
            pawl_store_announce_work(registry); /* it was passed over while it was part of this round */
        pawl_store_entry_settle(registry, entry);
    }
    pthread_cond_broadcast(&registry->published);
    pthread_mutex_unlock(&registry->lock);
    for (size_t i = round->op_from; i < round->op_at; i++) {
        pawl_registry_op *op = round->ops[i];
        if (op->status != PAWL_OK || op->kind == PAWL_OP_WATCH)
            continue;
        op->status = pawl_fault_emit(&registry->store->core, op->why, fault);
        op->flags = 0;
        op->number = op->sequence = op->token = op->count = 0;
    }
}
