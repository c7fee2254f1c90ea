/* inbox_row.c: the rows of queues, and how the committer adds an item; see inbox.h. */
#include "inbox.h"

/* ---- keys ---- */

void pawl_store_inbox_prefix(pawl_key *key, uint8_t tag, pawl_bytes session)
{
    pawl_key_start(key);
    pawl_key_u8(key, tag);
    if (session.size > 0)
        pawl_key_part(key, session);
}

void pawl_store_inbox_key(pawl_key *key, uint8_t tag, pawl_bytes session, uint64_t item)
{
    pawl_store_inbox_prefix(key, tag, session);
    pawl_key_u64(key, item);
}

bool pawl_store_inbox_key_parts(pawl_bytes key, uint8_t *tag, pawl_bytes *session, uint64_t *item)
{
    pawl_reader reader = pawl_reader_of(key);
    *tag = pawl_reader_u8(&reader);
    size_t high = pawl_reader_u8(&reader);
    size_t size = high << 8 | pawl_reader_u8(&reader);
    if (reader.bad || size == 0 || size > PAWL_STORE_ID_BYTES_MAX || (size_t)(reader.end - reader.at) != size + 8)
        return false;
    *session = (pawl_bytes){reader.at, size};
    reader.at += size;
    *item = pawl_reader_u64(&reader);
    return *tag == STORE_INBOX_ITEM || *tag == STORE_INBOX_CLAIM || *tag == STORE_INBOX_DEAD ||
           *tag == STORE_INBOX_WAIT || *tag == STORE_INBOX_NEWS || *tag == STORE_INBOX_SETTLED;
}

void pawl_store_key_delivery(pawl_key *key, uint64_t number, const pawl_delivery *delivery)
{
    pawl_store_key_number(key, number);
    pawl_key_part(key, delivery->session);
    pawl_key_part(key, delivery->type);
    pawl_key_append(key, delivery->key);
}

/* ---- rows ---- */

void pawl_store_inbox_put_item(pawl_batch *batch, const pawl_key *key, const pawl_queue_item *item)
{
    pawl_batch_begin(batch, PAWL_FAMILY_INBOX, pawl_key_bytes(key));
    pawl_buffer *to = &batch->bytes;
    pawl_buffer_u8(to, item->exclusive != 0);
    pawl_buffer_varint(to, item->claims);
    pawl_buffer_u64(to, item->number);
    pawl_buffer_u64(to, item->sequence);
    pawl_buffer_u64(to, item->created_unix_ns);
    pawl_buffer_u64(to, item->available_unix_ns);
    pawl_buffer_bytes(to, item->process);
    pawl_buffer_bytes(to, item->type);
    pawl_buffer_bytes(to, item->key);
    pawl_buffer_bytes(to, item->merge);
    pawl_buffer_append(to, item->body.data, item->body.size);
    pawl_batch_end(batch);
}

pawl_status pawl_store_inbox_decode(pawl_bytes key, pawl_bytes value, pawl_queue_item *item, pawl_fault *fault)
{
    uint8_t tag;
    pawl_bytes session;
    uint64_t number;
    pawl_reader reader;
    pawl_status status = pawl_row_open(&reader, PAWL_FAMILY_INBOX, key, value, fault);
    if (status != PAWL_OK)
        return status;
    if (!pawl_store_inbox_key_parts(key, &tag, &session, &number))
        return pawl_row_bad(PAWL_FAMILY_INBOX, key, "its key names no session and item", fault);
    *item = (pawl_queue_item){.struct_size = sizeof *item, .state = PAWL_QUEUE_READY, .item = number};
    item->exclusive = pawl_reader_u8(&reader);
    item->claims = (uint32_t)pawl_reader_varint(&reader);
    item->number = pawl_reader_u64(&reader);
    item->sequence = pawl_reader_u64(&reader);
    item->created_unix_ns = pawl_reader_u64(&reader);
    item->available_unix_ns = pawl_reader_u64(&reader);
    item->process = pawl_reader_bytes(&reader);
    item->type = pawl_reader_bytes(&reader);
    item->key = pawl_reader_bytes(&reader);
    item->merge = pawl_reader_bytes(&reader);
    item->body = pawl_reader_rest(&reader);
    if (tag == STORE_INBOX_DEAD)
        item->state = PAWL_QUEUE_DEAD;
    if (reader.bad || item->exclusive > 1 || item->process.size == 0)
        return pawl_row_bad(PAWL_FAMILY_INBOX, key, "its fields do not fit", fault);
    return PAWL_OK;
}

void pawl_store_inbox_put_claims(pawl_batch *batch, const pawl_key *key, const pawl_store_inbox_claims *claims)
{
    pawl_batch_begin(batch, PAWL_FAMILY_INBOX, pawl_key_bytes(key));
    pawl_buffer_u64(&batch->bytes, claims->token);
    pawl_buffer_u64(&batch->bytes, claims->until_unix_ns);
    pawl_buffer_varint(&batch->bytes, claims->count);
    pawl_buffer_append(&batch->bytes, claims->consumer.data, claims->consumer.size);
    pawl_batch_end(batch);
}

pawl_status pawl_store_inbox_decode_claims(pawl_bytes key, pawl_bytes value, pawl_store_inbox_claims *claims,
                                           pawl_fault *fault)
{
    pawl_reader reader;
    pawl_status status = pawl_row_open(&reader, PAWL_FAMILY_INBOX, key, value, fault);
    if (status != PAWL_OK)
        return status;
    claims->token = pawl_reader_u64(&reader);
    claims->until_unix_ns = pawl_reader_u64(&reader);
    claims->count = (uint32_t)pawl_reader_varint(&reader);
    claims->consumer = pawl_reader_rest(&reader);
    return reader.bad ? pawl_row_bad(PAWL_FAMILY_INBOX, key, "its fields do not fit", fault) : PAWL_OK;
}

/* ---- delivering ---- */

pawl_status pawl_store_inbox_check(const pawl_store *store, const pawl_delivery *delivery, pawl_fault *fault)
{
    if (delivery->struct_size < sizeof *delivery)
        return pawl_fault_set(fault, PAWL_E_INVALID, "registry.invalid", "the delivery of an event is too small");
    pawl_status status =
        pawl_store_check_name("the session of a delivery", delivery->session, PAWL_STORE_ID_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status =
            pawl_store_check_name("the event type of a delivery", delivery->type, PAWL_STORE_TYPE_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status =
            pawl_store_check_size("the key of a delivery", delivery->key, PAWL_STORE_DELIVERY_KEY_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("the merge key of a delivery", delivery->merge,
                                       PAWL_STORE_DELIVERY_KEY_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("the body of a delivery", delivery->body, store->value_bytes_max, fault);
    return status;
}

pawl_status pawl_store_inbox_is_known(pawl_store_round *round, uint64_t number, const pawl_delivery *delivery,
                                      bool *known, pawl_fault *fault)
{
    pawl_key key;
    *known = false;
    if (delivery->key.size == 0)
        return PAWL_OK;
    pawl_store_key_delivery(&key, number, delivery);
    pawl_status status =
        pawl_kv_get(round->registry->store->kv, PAWL_FAMILY_DELIVERY, pawl_key_bytes(&key), &round->scratch, fault);
    *known = status == PAWL_OK;
    return status == PAWL_E_NOT_FOUND ? PAWL_OK : status;
}

void pawl_store_inbox_stage(pawl_store_round *round, const pawl_store_stage *stage, const pawl_delivery *delivery,
                            uint64_t sequence, uint64_t item)
{
    pawl_key key;
    const pawl_queue_item made = {
        .exclusive = delivery->exclusive,
        .number = stage->entry->number,
        .process = stage->entry->identity.id,
        .type = delivery->type,
        .sequence = sequence,
        .key = delivery->key,
        .merge = delivery->merge,
        .created_unix_ns = round->now_unix_ns,
        .available_unix_ns = delivery->after_ns == 0 ? 0 : round->now_unix_ns + delivery->after_ns,
        .body = delivery->body,
    };
    pawl_store_inbox_key(&key, STORE_INBOX_ITEM, delivery->session, item);
    pawl_store_inbox_put_item(&round->rows, &key, &made);
    if (delivery->key.size == 0)
        return;
    pawl_store_key_delivery(&key, stage->entry->number, delivery);
    pawl_batch_begin(&round->rows, PAWL_FAMILY_DELIVERY, pawl_key_bytes(&key));
    pawl_buffer_u64(&round->rows.bytes, item);
    pawl_batch_end(&round->rows);
}

/* ---- forgetting ---- */

/* Row by row: most processes have none, and what a range deletion leaves behind slows every later look. */
pawl_status pawl_store_inbox_forget_process(pawl_store_round *round, uint64_t number, pawl_fault *fault)
{
    pawl_key prefix;
    pawl_store_key_number(&prefix, number);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(round->registry->store->kv, PAWL_FAMILY_DELIVERY, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix)); cursor->valid; pawl_kv_cursor_next(cursor))
        pawl_batch_delete(&round->rows, PAWL_FAMILY_DELIVERY, cursor->key);
    pawl_status status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    return status;
}

void pawl_store_inbox_forget_session(pawl_batch *batch, pawl_bytes session)
{
    static const uint8_t tags[] = {STORE_INBOX_ITEM, STORE_INBOX_CLAIM, STORE_INBOX_DEAD,
                                   STORE_INBOX_WAIT, STORE_INBOX_NEWS,  STORE_INBOX_SETTLED};
    for (size_t i = 0; i < sizeof tags; i++) {
        pawl_key from;
        pawl_store_inbox_prefix(&from, tags[i], session);
        pawl_key to = from;
        (void)pawl_key_successor(&to); /* always there: a tag is not all ones */
        pawl_batch_delete_range(batch, PAWL_FAMILY_INBOX, pawl_key_bytes(&from), pawl_key_bytes(&to));
    }
}
