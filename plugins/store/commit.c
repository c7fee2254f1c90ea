/* commit.c: APPEND, SUSPEND, COMPLETE, CONTINUE and PARK: what the holder of a lease writes. The token is checked here,
 * on the committer's thread, in the order of the operations: unless it is the current one, nothing is staged. */
#include "attribute.h"

static const pawl_record *record_at(const pawl_commit *commit, size_t index)
{
    return (const pawl_record *)(const void *)((const char *)commit->records + index * commit->record_size);
}

static const char *kind_name(uint32_t kind)
{
    switch (kind) {
    case PAWL_OP_APPEND:
        return "APPEND";
    case PAWL_OP_SUSPEND:
        return "SUSPEND";
    case PAWL_OP_COMPLETE:
        return "COMPLETE";
    case PAWL_OP_CONTINUE:
        return "CONTINUE";
    default:
        return "PARK";
    }
}

/* May a record of this kind stand at this place? CONTINUE begins a run: STARTED, then what was posted. */
static bool belongs(const pawl_registry_op *op, const pawl_commit *commit, uint32_t kind, size_t index)
{
    if (kind == 0 || kind > 127)
        return false;
    if (op->kind == PAWL_OP_CONTINUE)
        return index == 0 ? kind == PAWL_RECORD_STARTED
                          : kind > PAWL_RECORD_STARTED && kind != PAWL_RECORD_ENDED && kind != PAWL_RECORD_PARKED;
    if (kind == PAWL_RECORD_ENDED)
        return op->kind == PAWL_OP_COMPLETE && index + 1 == commit->record_count;
    return kind != PAWL_RECORD_STARTED;
}

#define INVALID(...) pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid", __VA_ARGS__)

static pawl_status check_records(const pawl_store_round *round, const pawl_registry_op *op, uint64_t *bytes,
                                 pawl_fault *fault)
{
    const pawl_commit *commit = op->request;
    if (commit->record_count > PAWL_STORE_COMMIT_RECORDS_MAX)
        return pawl_store_limit(fault, "the records of one operation", commit->record_count,
                                PAWL_STORE_COMMIT_RECORDS_MAX);
    if (commit->record_count > 0 && (commit->records == NULL || commit->record_size < sizeof(pawl_record)))
        return INVALID("the records of %s have elements of %zu bytes; wanted at least %zu", kind_name(op->kind),
                       commit->record_count == 0 ? 0 : commit->record_size, sizeof(pawl_record));
    *bytes = 0;
    for (size_t i = 0; i < commit->record_count; i++) {
        const pawl_record *record = record_at(commit, i);
        if (!belongs(op, commit, record->kind, i))
            return INVALID("record %zu of %s has kind %u, which does not belong there", i + 1, kind_name(op->kind),
                           record->kind);
        pawl_status status =
            pawl_store_check_size("the body of a record", record->body, round->registry->store->value_bytes_max, fault);
        if (status != PAWL_OK)
            return status;
        *bytes += record->body.size;
    }
    if (op->kind == PAWL_OP_COMPLETE &&
        (commit->record_count == 0 || record_at(commit, commit->record_count - 1)->kind != PAWL_RECORD_ENDED))
        return INVALID("the last record of COMPLETE is not ENDED");
    if (op->kind == PAWL_OP_CONTINUE && commit->record_count == 0)
        return INVALID("the first record of CONTINUE is not STARTED");
    return PAWL_OK;
}

static pawl_status check(const pawl_store_round *round, const pawl_registry_op *op, uint64_t *bytes, pawl_fault *fault)
{
    const pawl_commit *commit = op->request;
    if (commit == NULL || commit->struct_size < sizeof *commit)
        return INVALID("the request of %s is too small", kind_name(op->kind));
    if (op->kind == PAWL_OP_COMPLETE && (!PAWL_IS_TERMINAL(commit->status) || commit->status >= STORE_STATUS_COUNT))
        return INVALID("COMPLETE has status %u, which is not terminal", commit->status);
    const pawl_pin *to = commit->pin;
    if (to != NULL && (to->struct_size < sizeof *to || to->revision == 0 ||
                       (to->digest.size != 0 && to->digest.size != PAWL_STORE_DIGEST_BYTES)))
        return INVALID("the pin of %s has revision %u and a digest of %zu bytes; wanted 1 or more, and %u or none",
                       kind_name(op->kind), to->revision, to->digest.size, PAWL_STORE_DIGEST_BYTES);
    pawl_status status = check_records(round, op, bytes, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("a reason code", commit->reason_code, PAWL_STORE_REASON_CODE_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("a reason", commit->reason, PAWL_STORE_REASON_BYTES_MAX, fault);
    if (status == PAWL_OK && commit->document != NULL)
        status = pawl_store_check_size("a status document", *commit->document, round->registry->store->value_bytes_max,
                                       fault);
    return status;
}

/* The stage of the process, if the token is its lease's. Model: lease.pml, FENCE. */
static pawl_status fence(pawl_store_round *round, const pawl_commit *commit, pawl_store_stage **stage,
                         pawl_fault *fault)
{
    pawl_store_registry *registry = round->registry;
    pawl_status status = PAWL_E_STALE;
    pthread_mutex_lock(&registry->lock);
    pawl_store_entry *entry = pawl_store_entry_find(registry, commit->number); /* what is leased is in memory */
    bool held = entry != NULL && entry->worker != NULL && entry->token == commit->token &&
                (entry->stage == NULL || pawl_store_stage_is_leased(entry->stage));
    uint64_t current = entry == NULL ? 0 : entry->token;
    if (held) {
        *stage = pawl_store_stage_of(round, entry);
        status = *stage == NULL ? PAWL_E_NOMEM : PAWL_OK;
    }
    pthread_mutex_unlock(&registry->lock);
    if (status == PAWL_E_NOMEM)
        return pawl_fault_nomem(fault);
    if (status == PAWL_E_STALE && current == commit->token)
        return pawl_fault_set(fault, PAWL_E_STALE, "registry.stale",
                              "the lease of process number %llu under token %llu has ended",
                              (unsigned long long)commit->number, (unsigned long long)commit->token);
    if (status == PAWL_E_STALE)
        return pawl_fault_set(fault, PAWL_E_STALE, "registry.stale",
                              "token %llu is not the current one of process number %llu; somebody else has it",
                              (unsigned long long)commit->token, (unsigned long long)commit->number);
    return PAWL_OK;
}

static void append_records(pawl_store_round *round, pawl_store_stage *stage, pawl_registry_op *op)
{
    const pawl_commit *commit = op->request;
    op->sequence = commit->record_count > 0 ? stage->state.head + 1 : 0;
    for (size_t i = 0; i < commit->record_count; i++) {
        const pawl_record *record = record_at(commit, i);
        uint64_t sequence = pawl_store_stage_record(round, stage, record->kind, record->body);
        if (record->kind >= PAWL_RECORD_STARTED && !pawl_store_stage_note_posted(round, stage, record->kind, sequence))
            round->rows.bytes.failed = true; /* out of memory: the whole round fails, and nothing is half done */
        if (record->kind == PAWL_RECORD_COMPENSATING && !stage->state.compensating) {
            stage->state.compensating = true;
            pawl_store_stage_show(round, stage);
            pawl_store_stage_header(round, stage, (pawl_bytes){NULL, 0}, (pawl_bytes){NULL, 0});
        }
    }
}

/* @return true when there was none */
static bool put_document(pawl_store_round *round, pawl_store_stage *stage, pawl_bytes document)
{
    pawl_key key;
    bool first = !stage->state.has_document;
    pawl_store_key_number(&key, stage->entry->number);
    pawl_batch_begin(&round->rows, PAWL_FAMILY_DOCUMENT, pawl_key_bytes(&key));
    pawl_buffer_append(&round->rows.bytes, document.data, document.size);
    pawl_batch_end(&round->rows);
    stage->state.has_document = true;
    return first;
}

static void pin(pawl_store_state *state, const pawl_pin *to)
{
    state->pinned_revision = to->revision;
    state->pinned_digest_size = (uint8_t)to->digest.size;
    if (to->digest.size > 0)
        memcpy(state->pinned_digest, to->digest.data, to->digest.size);
}

/* The records, the status document, the search attributes and the pin. Every operation but APPEND writes the header
 * afterwards. */
static void append(pawl_store_round *round, pawl_store_stage *stage, pawl_registry_op *op)
{
    const pawl_commit *commit = op->request;
    append_records(round, stage, op);
    bool news = commit->document != NULL && put_document(round, stage, *commit->document);
    if (commit->attributes != NULL)
        news = pawl_store_attributes_stage(round, stage, &round->attributes) || news;
    if (commit->pin != NULL) {
        pin(&stage->state, commit->pin);
        news = true;
    }
    if (news && op->kind == PAWL_OP_APPEND)
        pawl_store_stage_header(round, stage, (pawl_bytes){NULL, 0}, (pawl_bytes){NULL, 0});
}

/* Of a holder that went on as if its records stood behind those it has seen: with others between them, they never were.
 * Model: ahead.pml, OVERTAKEN. */
static bool is_overtaken(const pawl_store_stage *stage, const pawl_commit *commit)
{
    return commit->seen != 0 && stage->state.head > commit->seen;
}

static pawl_status suspend(pawl_store_round *round, pawl_store_stage *stage, pawl_registry_op *op)
{
    const pawl_commit *commit = op->request;
    if (stage->state.head > commit->seen) {
        append_records(round, stage, op); /* and nothing else: the holder will say it again */
        op->flags |= PAWL_RESULT_MORE;
        return PAWL_OK;
    }
    append(round, stage, op);
    pawl_store_stage_move(round, stage, PAWL_WAITING, stage->state.paused != 0 ? 0 : commit->wake_unix_ns, 0);
    pawl_store_stage_header(round, stage, (pawl_bytes){NULL, 0}, commit->reason);
    stage->drop_lease = true;
    stage->waits = true;
    return PAWL_OK;
}

static pawl_status complete(pawl_store_round *round, pawl_store_stage *stage, pawl_registry_op *op, pawl_fault *fault)
{
    const pawl_commit *commit = op->request;
    pawl_store_parent parent;
    pawl_store_turn turn;
    if (stage->state.head > commit->seen) {
        op->flags |= PAWL_RESULT_MORE;
        return PAWL_OK;
    }
    pawl_status status =
        pawl_store_parent_find(round, stage, record_at(commit, commit->record_count - 1)->body, &parent, fault);
    if (status == PAWL_OK)
        status = pawl_store_turn_find(round, stage, &turn, fault);
    if (status != PAWL_OK)
        return status;
    append(round, stage, op);
    stage->state.paused = 0;
    pawl_store_stage_move(round, stage, commit->status, 0, 0);
    pawl_store_stage_header(round, stage, (pawl_bytes){NULL, 0}, (pawl_bytes){NULL, 0});
    stage->drop_lease = true;
    pawl_store_turn_hand_on(round, stage, &turn);
    pawl_store_parent_tell(round, &parent);
    return PAWL_OK;
}

/* The next run, in the place of this one: nothing of its journal is left. The row by which it was claimed stays, as it
 * does while a run goes on. */
static pawl_status continue_as_new(pawl_store_round *round, pawl_store_stage *stage, pawl_registry_op *op,
                                   uint64_t bytes, pawl_fault *fault)
{
    const pawl_commit *commit = op->request;
    pawl_store_state *state = &stage->state;
    uint64_t allowed = round->registry->store->journal_bytes_max;
    pawl_store_record paused = {0};
    if (state->head > commit->seen) {
        op->flags |= PAWL_RESULT_MORE;
        return PAWL_OK;
    }
    if (bytes > allowed)
        return pawl_store_limit(fault, "the bytes of a journal", bytes, allowed);
    if (state->paused != 0) { /* the pause goes over; everything up to what the holder has seen is in the engine */
        pawl_status status = pawl_store_read_record(round->registry->store->kv, stage->entry->number, state->paused,
                                                    &round->scratch, &paused, fault);
        if (status != PAWL_OK)
            return status;
    }
    if (state->run == UINT32_MAX)
        return pawl_store_limit(fault, "the runs of a process", (uint64_t)state->run + 1, UINT32_MAX);
    pawl_store_stage_forget(round, stage->entry->number, state->base, state->head);
    state->run++;
    state->rewinds = 0;
    state->base = state->head + 1;
    state->journal_bytes = 0;
    state->last_posted = 0;
    state->paused = 0; /* seen by its holder, who goes on nevertheless; the record of it is forgotten */
    state->cancelled = false;
    state->compensating = false;
    pawl_store_stage_show(round, stage);
    for (size_t i = 1; i < commit->record_count; i++) {
        if (record_at(commit, i)->kind != PAWL_RECORD_CANCEL)
            continue;
        state->cancelled = true;
        stage->cancel_sequence = state->base + i;
    }
    append(round, stage, op);
    if (state->paused != 0)
        state->paused = pawl_store_stage_record(round, stage, PAWL_RECORD_PAUSED, paused.body);
    pawl_store_stage_header(round, stage, (pawl_bytes){NULL, 0}, (pawl_bytes){NULL, 0});
    return PAWL_OK;
}

/* A holder that parks its process without having seen a cancel request: were it stuck now, that request would be lost
 * until an operator comes. It becomes ready instead, and whoever claims it sees the request. Model: lease.pml,
 * UNSEEN_CANCEL. */
static bool has_unseen_cancel(const pawl_store_stage *stage, const pawl_commit *commit)
{
    uint64_t cancel = stage->cancel_sequence != 0 ? stage->cancel_sequence : stage->entry->cancel_sequence;
    return commit->seen != 0 && cancel > commit->seen;
}

static pawl_status park(pawl_store_round *round, pawl_store_stage *stage, pawl_registry_op *op, pawl_fault *fault)
{
    const pawl_commit *commit = op->request;
    uint64_t ready = 0;
    bool again = has_unseen_cancel(stage, commit);
    if (again && pawl_store_stage_needs_ready(stage)) {
        pawl_status status = pawl_store_ticket(round->registry->store, &ready, fault);
        if (status != PAWL_OK)
            return status;
    }
    append(round, stage, op);
    stage->state.paused = 0; /* being stuck is still enough */
    pawl_store_stage_move(round, stage, again ? PAWL_READY : PAWL_STUCK, 0, ready);
    pawl_store_stage_header(round, stage, again ? (pawl_bytes){NULL, 0} : commit->reason_code,
                            again ? (pawl_bytes){NULL, 0} : commit->reason);
    stage->drop_lease = true;
    return PAWL_OK;
}

/* What was checked; bytes: of the records. */
static pawl_status apply(pawl_store_round *round, pawl_store_stage *stage, pawl_registry_op *op, uint64_t bytes,
                         pawl_fault *fault)
{
    const pawl_commit *commit = op->request;
    switch (op->kind) {
    case PAWL_OP_APPEND:
        if (is_overtaken(stage, commit))
            op->flags |= PAWL_RESULT_MORE;
        else
            append(round, stage, op);
        return PAWL_OK;
    case PAWL_OP_SUSPEND:
        return suspend(round, stage, op);
    case PAWL_OP_COMPLETE:
        return complete(round, stage, op, fault);
    case PAWL_OP_CONTINUE:
        return continue_as_new(round, stage, op, bytes, fault);
    default:
        return park(round, stage, op, fault);
    }
}

/* Model: lease.pml, stage_commit. */
pawl_status pawl_store_stage_commit(pawl_store_round *round, pawl_registry_op *op, pawl_fault *fault)
{
    const pawl_commit *commit = op->request;
    uint64_t bytes = 0;
    pawl_store_stage *stage = NULL;
    pawl_status status = check(round, op, &bytes, fault);
    if (status == PAWL_OK)
        status = fence(round, commit, &stage, fault);
    /* A process whose journal is full can still be ended or parked. */
    if (status == PAWL_OK && (op->kind == PAWL_OP_APPEND || op->kind == PAWL_OP_SUSPEND))
        status = pawl_store_stage_has_room(round, stage, commit->record_count, bytes, fault);
    if (status == PAWL_OK && commit->attributes != NULL)
        status = pawl_store_attributes_prepare(round, stage, *commit->attributes, &round->attributes, fault);
    if (status != PAWL_OK)
        return status;
    op->number = commit->number;
    op->token = commit->token;
    status = apply(round, stage, op, bytes, fault);
    pawl_store_attributes_forget(&round->attributes);
    return status;
}
