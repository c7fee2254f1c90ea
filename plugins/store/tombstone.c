/* tombstone.c: what is left of a pruned process: its id, so that "no longer retained" is told from "unknown", and so
 * that its next run does not repeat a number. A second row, in the order of their ends, is there so that forgetting the
 * oldest costs what is forgotten. Must never forget the id of a process that is there. */
#include "round.h"

#include "row.h"

void pawl_store_key_tombstone(pawl_key *key, const pawl_store_tombstone *tombstone)
{
    pawl_store_key_relation(key, STORE_RELATION_TOMBSTONE, tombstone->ended_unix_ns, tombstone->number);
}

static void put_way(pawl_batch *batch, pawl_bytes id, const pawl_store_tombstone *tombstone)
{
    pawl_key key;
    pawl_store_key_tombstone(&key, tombstone);
    pawl_batch_begin(batch, PAWL_FAMILY_RELATION, pawl_key_bytes(&key));
    pawl_buffer_append(&batch->bytes, id.data, id.size);
    pawl_batch_end(batch);
}

void pawl_store_put_tombstone(pawl_batch *batch, pawl_bytes id, const pawl_store_tombstone *tombstone)
{
    pawl_batch_begin(batch, PAWL_FAMILY_IDENT, id);
    pawl_buffer_u8(&batch->bytes, STORE_IDENT_PRUNED);
    pawl_buffer_u64(&batch->bytes, tombstone->number);
    pawl_buffer_u64(&batch->bytes, tombstone->ended_unix_ns);
    pawl_buffer_u32(&batch->bytes, tombstone->run);
    pawl_batch_end(batch);
    put_way(batch, id, tombstone);
}

pawl_status pawl_store_read_tombstone(pawl_kv *kv, pawl_bytes id, pawl_store_tombstone *ret, pawl_fault *fault)
{
    pawl_buffer buffer = {0};
    pawl_reader reader = {0};
    pawl_status status = pawl_kv_get(kv, PAWL_FAMILY_IDENT, id, &buffer, fault);
    if (status == PAWL_OK)
        status = pawl_row_open(&reader, PAWL_FAMILY_IDENT, id, (pawl_bytes){buffer.data, buffer.size}, fault);
    if (status == PAWL_OK) {
        bool pruned = pawl_reader_u8(&reader) == STORE_IDENT_PRUNED;
        ret->number = pawl_reader_u64(&reader);
        ret->ended_unix_ns = pawl_reader_u64(&reader);
        ret->run = pawl_reader_u32(&reader);
        if (reader.bad)
            status = pawl_row_bad(PAWL_FAMILY_IDENT, id, "its fields do not fit", fault);
        else if (!pruned)
            status = pawl_fault_set(fault, PAWL_E_NOT_FOUND, "registry.not_found", "the id is that of a process");
    }
    pawl_buffer_finish(&buffer);
    return status;
}

/* One row of the way there: the id goes with it, unless the round or an earlier one has given it to a new process. */
static pawl_status forget_one(pawl_store_round *round, const pawl_kv_cursor *cursor, uint64_t ended, uint64_t number,
                              pawl_fault *fault)
{
    pawl_store_registry *registry = round->registry;
    pawl_store_tombstone found = {0};
    pawl_store_entry *entry = NULL;
    pawl_reader row;
    pawl_status status = pawl_row_open(&row, PAWL_FAMILY_RELATION, cursor->key, cursor->value, fault);
    if (status != PAWL_OK)
        return status;
    pawl_bytes id = pawl_reader_rest(&row);
    status = pawl_store_entry_by_id(registry, id, &entry, fault);
    if (status == PAWL_OK) {
        pthread_mutex_lock(&registry->lock);
        pawl_store_entry_unpin(registry, entry);
        pthread_mutex_unlock(&registry->lock);
        return PAWL_E_BUSY;
    }
    bool is_tombstone = strcmp(fault->code, STORE_NO_LONGER_RETAINED) == 0;
    if (status != PAWL_E_NOT_FOUND)
        return status;
    *fault = (pawl_fault){0};
    if (is_tombstone)
        status = pawl_store_read_tombstone(registry->store->kv, id, &found, fault);
    if (is_tombstone && status != PAWL_OK)
        return status;
    if (is_tombstone && found.number == number && found.ended_unix_ns == ended)
        pawl_batch_delete(&round->rows, PAWL_FAMILY_IDENT, id);
    pawl_batch_delete(&round->rows, PAWL_FAMILY_RELATION, cursor->key);
    return PAWL_OK;
}

pawl_status pawl_store_stage_forget_ids(pawl_store_round *round, const pawl_prune *prune, uint64_t *count,
                                        pawl_fault *fault)
{
    pawl_key prefix;
    uint64_t limit = prune->limit < PAWL_STORE_PRUNE_MAX ? prune->limit : PAWL_STORE_PRUNE_MAX;
    pawl_key_start(&prefix);
    pawl_key_u8(&prefix, STORE_RELATION_TOMBSTONE);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(round->registry->store->kv, PAWL_FAMILY_RELATION, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_status status = PAWL_OK;
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix));
         status == PAWL_OK && cursor->valid && *count < limit && round->rows.bytes.size <= PAWL_STORE_ROUND_BYTES_MAX;
         pawl_kv_cursor_next(cursor)) {
        pawl_fault one = {0};
        pawl_reader key = pawl_reader_of(cursor->key);
        pawl_reader_u8(&key);
        uint64_t ended = pawl_reader_u64(&key);
        uint64_t number = pawl_reader_u64(&key);
        if (ended >= prune->ids_before_unix_ns)
            break;
        status = forget_one(round, cursor, ended, number, &one);
        *count += status == PAWL_OK;
        if (status == PAWL_E_CORRUPT)
            pawl_store_log(round->registry->store, PAWL_LOG_ERROR, "the id of a pruned process stays known: %s",
                           one.message);
        if (status == PAWL_E_CORRUPT || status == PAWL_E_BUSY)
            status = PAWL_OK;
        else if (status != PAWL_OK)
            *fault = one;
    }
    if (status == PAWL_OK)
        status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    return status;
}
