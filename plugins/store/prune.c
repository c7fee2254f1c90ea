/* prune.c: PRUNE: remove terminal processes whose end is old enough. The id stays, as a tombstone. A process whose
 * rows are damaged is left alone and reported; the others go. */
#include "attribute.h"
#include "inbox.h"

#define COUNTED_RECORDS_MAX 100000u

/* What is there under a number. Not as a range: the engine would look through the whole batch for each one, and nothing
 * of what goes was written in this round, for it has ended in an earlier one. */
static pawl_status delete_found(pawl_store_round *round, pawl_family family, uint64_t number, pawl_fault *fault)
{
    pawl_key prefix;
    pawl_store_key_number(&prefix, number);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(round->registry->store->kv, family, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix)); cursor->valid; pawl_kv_cursor_next(cursor))
        pawl_batch_delete(&round->rows, family, cursor->key);
    pawl_status status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    return status;
}

/* Counting reads nothing; but a damaged last record may have any sequence, and must not make the committer count to
 * it. */
static pawl_status delete_journal(pawl_store_round *round, uint64_t number, const pawl_store_state *state,
                                  pawl_fault *fault)
{
    if (state->head - state->base >= COUNTED_RECORDS_MAX)
        return delete_found(round, PAWL_FAMILY_JOURNAL, number, fault);
    pawl_store_stage_forget(round, number, state->base, state->head);
    return PAWL_OK;
}

static void delete_key(pawl_store_round *round, pawl_family family, const pawl_key *key)
{
    pawl_batch_delete(&round->rows, family, pawl_key_bytes(key));
}

static void delete_rest(pawl_store_round *round, const pawl_store_stage *stage, uint64_t ended_unix_ns)
{
    const pawl_store_entry *entry = stage->entry;
    pawl_key key;
    pawl_store_key_number(&key, entry->number);
    delete_key(round, PAWL_FAMILY_PROCESS, &key);
    delete_key(round, PAWL_FAMILY_DOCUMENT, &key);
    pawl_store_key_status(&key, stage->state.status, entry->number);
    delete_key(round, PAWL_FAMILY_STATUS, &key);
    pawl_store_key_ended(&key, ended_unix_ns, entry->number);
    delete_key(round, PAWL_FAMILY_ENDED, &key);
    pawl_store_key_relation(&key, 't', entry->type->id, entry->number);
    delete_key(round, PAWL_FAMILY_RELATION, &key);
    if (entry->identity.session.size > 0) {
        pawl_store_key_relation(&key, 's', pawl_store_hash(entry->identity.session), entry->number);
        delete_key(round, PAWL_FAMILY_RELATION, &key);
    }
    if (entry->identity.parent.size > 0) {
        pawl_store_key_relation(&key, 'p', pawl_store_hash(entry->identity.parent), entry->number);
        delete_key(round, PAWL_FAMILY_RELATION, &key);
    }
}

pawl_status pawl_store_stage_remove(pawl_store_round *round, pawl_store_stage *stage, uint64_t ended_unix_ns,
                                    pawl_fault *fault)
{
    const uint64_t number = stage->entry->number;
    json_t *attributes = NULL;
    const size_t size = round->rows.bytes.size;
    const size_t count = round->rows.count;
    pawl_status status = PAWL_OK;
    if (stage->state.has_attributes)
        status = pawl_store_attributes_read(round->registry->store->kv, number, &attributes, fault);
    if (status == PAWL_OK)
        status = pawl_store_inbox_forget_process(round, number, fault);
    if (status == PAWL_OK)
        status = pawl_store_queue_forget(round, stage, fault);
    if (status == PAWL_OK)
        status = delete_journal(round, number, &stage->state, fault);
    if (status == PAWL_OK)
        status = delete_found(round, PAWL_FAMILY_POST, number, fault);
    if (status == PAWL_OK && attributes != NULL)
        pawl_store_attributes_remove(&round->rows, number, attributes);
    json_decref(attributes);
    if (status != PAWL_OK) { /* all of it or nothing */
        round->rows.bytes.size = size;
        round->rows.count = count;
        return status;
    }
    delete_rest(round, stage, ended_unix_ns);
    round->deltas[stage->state.status]--;
    stage->pruned = true;
    return PAWL_OK;
}

static pawl_status prune_one(pawl_store_round *round, uint64_t number, uint64_t ended_unix_ns, pawl_fault *fault)
{
    pawl_store_registry *registry = round->registry;
    pawl_store_entry *entry;
    pawl_status status = pawl_store_entry_by_number(registry, number, &entry, fault);
    if (status != PAWL_OK)
        return status;
    pthread_mutex_lock(&registry->lock);
    pawl_store_stage *stage = pawl_store_stage_of(round, entry);
    pawl_store_entry_unpin(registry, entry);
    pthread_mutex_unlock(&registry->lock);
    if (stage == NULL)
        return pawl_fault_nomem(fault);
    if (!PAWL_IS_TERMINAL(stage->state.status))
        return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                              "stored data is damaged: process number %llu is listed as ended and has status %u",
                              (unsigned long long)number, stage->state.status);
    if (stage->state.has_children)
        return PAWL_E_BUSY; /* its children are being looked after */
    status = pawl_store_stage_remove(round, stage, ended_unix_ns, fault);
    if (status == PAWL_OK)
        pawl_store_put_tombstone(&round->rows, entry->identity.id,
                                 &(pawl_store_tombstone){number, ended_unix_ns, stage->state.run});
    return status;
}

/* The rows of the running round are not in the engine yet; a prune sees what earlier rounds have ended. */
static pawl_status prune_all(pawl_store_round *round, pawl_kv_cursor *cursor, const pawl_prune *prune, uint64_t *count,
                             pawl_fault *fault)
{
    uint64_t limit = prune->limit < PAWL_STORE_PRUNE_MAX ? prune->limit : PAWL_STORE_PRUNE_MAX;
    bool kept = false; /* one that is damaged was left behind */
    pawl_key from;
    pawl_store_key_ended(&from, round->prune_from, 0);
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&from)); cursor->valid && *count < limit;
         pawl_kv_cursor_next(cursor)) {
        pawl_reader key = pawl_reader_of(cursor->key);
        uint64_t ended = pawl_reader_u64(&key);
        uint64_t number = pawl_reader_u64(&key);
        if (ended >= prune->ended_before_unix_ns)
            break;
        pawl_fault one = {0};
        pawl_status status = prune_one(round, number, ended, &one);
        if (status == PAWL_E_BUSY) {
            kept = true;
            continue;
        }
        if (status == PAWL_E_CORRUPT || status == PAWL_E_NOT_FOUND) {
            pawl_store_log(round->registry->store, PAWL_LOG_ERROR, "prune leaves a process behind: %s", one.message);
            kept = true;
            continue;
        }
        if (status != PAWL_OK) {
            *fault = one;
            return status;
        }
        (*count)++;
        if (!kept)
            round->prune_from = ended;
        if (round->rows.bytes.size > PAWL_STORE_ROUND_BYTES_MAX)
            break;
    }
    return pawl_kv_cursor_status(cursor, fault);
}

/* By number, whatever their end. */
static pawl_status prune_given(pawl_store_round *round, const pawl_prune *prune, uint64_t *count, pawl_fault *fault)
{
    pawl_store_registry *registry = round->registry;
    for (size_t i = 0; i < prune->number_count && round->rows.bytes.size <= PAWL_STORE_ROUND_BYTES_MAX; i++) {
        pawl_fault one = {0};
        pawl_store_entry *entry = NULL;
        uint64_t ended = 0;
        pawl_status status = pawl_store_entry_by_number(registry, prune->numbers[i], &entry, &one);
        if (status == PAWL_OK) {
            pthread_mutex_lock(&registry->lock);
            bool terminal = PAWL_IS_TERMINAL(entry->state.status) && (entry->stage == NULL || !entry->stage->pruned);
            ended = entry->state.updated_unix_ns;
            pawl_store_entry_unpin(registry, entry);
            pthread_mutex_unlock(&registry->lock);
            status = terminal ? prune_one(round, prune->numbers[i], ended, &one) : PAWL_E_NOT_FOUND;
        }
        if (status == PAWL_E_CORRUPT)
            pawl_store_log(registry->store, PAWL_LOG_ERROR, "prune leaves a process behind: %s", one.message);
        if (status == PAWL_OK)
            (*count)++;
        else if (status != PAWL_E_CORRUPT && status != PAWL_E_NOT_FOUND && status != PAWL_E_BUSY) {
            *fault = one;
            return status;
        }
    }
    return PAWL_OK;
}

pawl_status pawl_store_stage_prune(pawl_store_round *round, pawl_registry_op *op, pawl_fault *fault)
{
    const pawl_prune *prune = op->request;
    if (prune == NULL || prune->struct_size < sizeof *prune)
        return pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid", "the request of PRUNE is too small");
    if (prune->numbers != NULL) {
        if (prune->number_count > PAWL_STORE_LIST_PAGE_MAX)
            return pawl_store_limit(fault, "the processes of one prune", prune->number_count, PAWL_STORE_LIST_PAGE_MAX);
        round->closed = true;
        pawl_status given = prune_given(round, prune, &op->count, fault);
        return op->count > 0 ? PAWL_OK : given;
    }
    if (prune->ids_before_unix_ns != 0) {
        round->closed = true;
        return pawl_store_stage_forget_ids(round, prune, &op->count, fault);
    }
    const pawl_bytes none = {NULL, 0};
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(round->registry->store->kv, PAWL_FAMILY_ENDED, none, none);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    uint64_t count = 0;
    pawl_status status = prune_all(round, cursor, prune, &count, fault);
    pawl_kv_cursor_close(cursor);
    round->closed = true; /* what follows must see the tombstones */
    op->count = count;
    return count > 0 ? PAWL_OK : status; /* fewer than could be: the count says so */
}
