/* row.c: see row.h. */
#include "row.h"

#include <xxhash.h>

#define FLAG_CANCELLED    1u
#define FLAG_CHILDREN     2u
#define FLAG_COMPENSATING 4u
#define FLAG_PAUSED       8u
#define FLAG_BEHIND       16u
#define FLAG_PINNED       32u /* anew, since it was registered */
#define FLAG_UNTIMED      64u
#define FLAGS_ALL         127u

/* What stands beside a header, in the family of documents. */
#define HAS_DOCUMENT   1u
#define HAS_ATTRIBUTES 2u

uint64_t pawl_store_hash(pawl_bytes bytes)
{
    return XXH3_64bits(bytes.data, bytes.size);
}

/* ---- keys ---- */

void pawl_store_key_number(pawl_key *key, uint64_t number)
{
    pawl_key_start(key);
    pawl_key_u64(key, number);
}

void pawl_store_key_journal(pawl_key *key, uint64_t number, uint64_t sequence)
{
    pawl_store_key_number(key, number);
    pawl_key_u64(key, sequence);
}

uint32_t pawl_store_priority_of(const pawl_store_identity *identity)
{
    uint32_t priority = identity->priority == 0 ? PAWL_PRIORITY_NORMAL : identity->priority;
    return (priority <= PAWL_PRIORITY_LOWEST ? priority : PAWL_PRIORITY_LOWEST) - PAWL_PRIORITY_HIGHEST;
}

void pawl_store_key_lane(pawl_key *key, uint32_t type, uint32_t priority, uint64_t lane)
{
    pawl_key_start(key);
    pawl_key_u32(key, type);
    pawl_key_u8(key, (uint8_t)(priority << 1 | (lane != 0)));
    if (lane != 0)
        pawl_key_u64(key, lane);
}

void pawl_store_key_ready(pawl_key *key, const pawl_store_identity *identity, uint64_t ready_sequence)
{
    pawl_store_key_lane(key, identity->type, pawl_store_priority_of(identity), identity->lane);
    pawl_key_u64(key, ready_sequence);
}

bool pawl_store_read_ready_key(pawl_bytes key, uint32_t *type, uint32_t *priority, uint64_t *lane, uint64_t *sequence)
{
    pawl_reader reader = pawl_reader_of(key);
    *type = pawl_reader_u32(&reader);
    uint32_t place = pawl_reader_u8(&reader);
    *priority = place >> 1;
    *lane = (place & 1) != 0 ? pawl_reader_u64(&reader) : 0;
    *sequence = pawl_reader_u64(&reader);
    return !reader.bad && reader.at == reader.end && *priority < STORE_PRIORITY_COUNT;
}

void pawl_store_key_turn(pawl_key *key, uint64_t session, uint64_t number)
{
    pawl_key_start(key);
    pawl_key_u64(key, session);
    if (number != 0)
        pawl_key_u64(key, number);
}

void pawl_store_key_wake(pawl_key *key, uint32_t type, uint64_t due, uint64_t number)
{
    pawl_key_start(key);
    pawl_key_u32(key, type);
    pawl_key_u64(key, due);
    pawl_key_u64(key, number);
}

void pawl_store_key_status(pawl_key *key, uint32_t status, uint64_t number)
{
    pawl_key_start(key);
    pawl_key_u32(key, status);
    pawl_key_u64(key, number);
}

void pawl_store_key_ended(pawl_key *key, uint64_t ended_unix_ns, uint64_t number)
{
    pawl_key_start(key);
    pawl_key_u64(key, ended_unix_ns);
    pawl_key_u64(key, number);
}

void pawl_store_key_post(pawl_key *key, uint64_t number, uint32_t kind, pawl_bytes post_id)
{
    pawl_store_key_number(key, number);
    pawl_key_u8(key, (uint8_t)kind);
    pawl_key_append(key, post_id);
}

void pawl_store_key_relation(pawl_key *key, uint8_t relation, uint64_t value, uint64_t number)
{
    pawl_key_start(key);
    pawl_key_u8(key, relation);
    pawl_key_u64(key, value);
    pawl_key_u64(key, number);
}

/* ---- headers ---- */

/* Which of the rarer facts stand behind the others. */
enum {
    IDENTITY_EXTERNAL = 1,
    IDENTITY_CHILD = 2, /* parent_note, parent_close, close_body */
    IDENTITY_PRIORITY = 4,
    IDENTITY_KEY = 8,
    IDENTITY_DEADLINE = 16,
    IDENTITY_EXCLUSIVE = 32,
    IDENTITY_ALL = 63,
};

static uint8_t identity_flags(const pawl_store_identity *identity)
{
    unsigned flags = identity->external != 0 ? IDENTITY_EXTERNAL : 0;
    flags |= identity->parent_note.size > 0 || identity->parent_close != 0 || identity->close_body.size > 0
                 ? IDENTITY_CHILD
                 : 0;
    flags |= identity->priority != PAWL_PRIORITY_NORMAL ? IDENTITY_PRIORITY : 0;
    flags |= identity->key.size > 0 ? IDENTITY_KEY : 0;
    flags |= identity->deadline_unix_ns != 0 ? IDENTITY_DEADLINE : 0;
    flags |= identity->exclusive ? IDENTITY_EXCLUSIVE : 0;
    return (uint8_t)flags;
}

static void encode_rest(pawl_buffer *encoded, const pawl_store_identity *identity, uint8_t flags)
{
    if ((flags & IDENTITY_CHILD) != 0) {
        pawl_buffer_bytes(encoded, identity->parent_note);
        pawl_buffer_u8(encoded, (uint8_t)identity->parent_close);
        pawl_buffer_bytes(encoded, identity->close_body);
    }
    if ((flags & IDENTITY_PRIORITY) != 0)
        pawl_buffer_u8(encoded, (uint8_t)identity->priority);
    if ((flags & IDENTITY_KEY) != 0)
        pawl_buffer_bytes(encoded, identity->key);
    if ((flags & IDENTITY_DEADLINE) != 0) {
        pawl_buffer_u64(encoded, identity->deadline_unix_ns);
        pawl_buffer_bytes(encoded, identity->deadline_body);
    }
}

static void decode_rest(pawl_reader *reader, pawl_store_identity *identity, uint8_t flags)
{
    const pawl_bytes none = {NULL, 0};
    bool child = (flags & IDENTITY_CHILD) != 0;
    identity->external = (flags & IDENTITY_EXTERNAL) != 0;
    identity->exclusive = (flags & IDENTITY_EXCLUSIVE) != 0;
    identity->parent_note = child ? pawl_reader_bytes(reader) : none;
    identity->parent_close = child ? pawl_reader_u8(reader) : 0;
    identity->close_body = child ? pawl_reader_bytes(reader) : none;
    identity->priority = (flags & IDENTITY_PRIORITY) != 0 ? pawl_reader_u8(reader) : PAWL_PRIORITY_NORMAL;
    identity->key = (flags & IDENTITY_KEY) != 0 ? pawl_reader_bytes(reader) : none;
    identity->deadline_unix_ns = (flags & IDENTITY_DEADLINE) != 0 ? pawl_reader_u64(reader) : 0;
    identity->deadline_body = (flags & IDENTITY_DEADLINE) != 0 ? pawl_reader_bytes(reader) : none;
}

void pawl_store_identity_encode(pawl_buffer *encoded, const pawl_store_identity *identity)
{
    const uint8_t flags = identity_flags(identity);
    pawl_buffer_u32(encoded, identity->type);
    pawl_buffer_u32(encoded, identity->revision);
    pawl_buffer_u8(encoded, flags);
    pawl_buffer_u64(encoded, identity->created_unix_ns);
    pawl_buffer_bytes(encoded, identity->id);
    pawl_buffer_bytes(encoded, identity->plugin);
    pawl_buffer_bytes(encoded, identity->digest);
    pawl_buffer_bytes(encoded, identity->profile);
    pawl_buffer_bytes(encoded, identity->session);
    pawl_buffer_bytes(encoded, identity->parent);
    pawl_buffer_bytes(encoded, identity->fingerprint);
    encode_rest(encoded, identity, flags);
}

/* Who says no key queues with its session. */
static uint64_t lane_of(const pawl_store_identity *identity)
{
    pawl_bytes name = identity->key.size > 0 ? identity->key : identity->session;
    uint64_t hash = name.size == 0 ? 0 : pawl_store_hash(name);
    return name.size > 0 && hash == 0 ? 1 : hash;
}

bool pawl_store_identity_decode(pawl_bytes encoded, pawl_store_identity *identity)
{
    pawl_reader reader = pawl_reader_of(encoded);
    identity->type = pawl_reader_u32(&reader);
    identity->revision = pawl_reader_u32(&reader);
    uint8_t flags = pawl_reader_u8(&reader);
    identity->created_unix_ns = pawl_reader_u64(&reader);
    identity->id = pawl_reader_bytes(&reader);
    identity->plugin = pawl_reader_bytes(&reader);
    identity->digest = pawl_reader_bytes(&reader);
    identity->profile = pawl_reader_bytes(&reader);
    identity->session = pawl_reader_bytes(&reader);
    identity->parent = pawl_reader_bytes(&reader);
    identity->fingerprint = pawl_reader_bytes(&reader);
    decode_rest(&reader, identity, flags);
    identity->encoded = encoded;
    identity->lane = lane_of(identity);
    return !reader.bad && reader.at == reader.end && (flags & ~(unsigned)IDENTITY_ALL) == 0;
}

void pawl_store_put_header(pawl_batch *batch, uint64_t number, const pawl_store_state *state,
                           pawl_bytes encoded_identity, pawl_bytes reason_code, pawl_bytes reason)
{
    pawl_key key;
    pawl_store_key_number(&key, number);
    pawl_batch_begin(batch, PAWL_FAMILY_PROCESS, pawl_key_bytes(&key));
    pawl_buffer *to = &batch->bytes;
    pawl_buffer_u32(to, state->status);
    unsigned flags = (state->cancelled ? FLAG_CANCELLED : 0) | (state->has_children ? FLAG_CHILDREN : 0) |
                     (state->compensating ? FLAG_COMPENSATING : 0) | (state->paused != 0 ? FLAG_PAUSED : 0) |
                     (state->behind ? FLAG_BEHIND : 0) | (state->pinned_revision != 0 ? FLAG_PINNED : 0) |
                     (state->untimed ? FLAG_UNTIMED : 0);
    pawl_buffer_u8(to, (uint8_t)flags);
    pawl_buffer_u8(to,
                   (uint8_t)((state->has_document ? HAS_DOCUMENT : 0) | (state->has_attributes ? HAS_ATTRIBUTES : 0)));
    pawl_buffer_varint(to, state->run);
    pawl_buffer_varint(to, state->base);
    pawl_buffer_varint(to, state->rewinds);
    pawl_buffer_u64(to, state->ready_sequence);
    pawl_buffer_u64(to, state->wake_unix_ns);
    pawl_buffer_u64(to, state->token);
    pawl_buffer_u64(to, state->updated_unix_ns);
    if (state->paused != 0)
        pawl_buffer_u64(to, state->paused);
    if (state->pinned_revision != 0) {
        pawl_buffer_u32(to, state->pinned_revision);
        pawl_buffer_bytes(to, (pawl_bytes){state->pinned_digest, state->pinned_digest_size});
    }
    pawl_buffer_bytes(to, reason_code);
    pawl_buffer_bytes(to, reason);
    pawl_buffer_append(to, encoded_identity.data, encoded_identity.size);
    pawl_batch_end(batch);
}

static bool read_pin(pawl_reader *reader, pawl_store_state *state)
{
    state->pinned_revision = pawl_reader_u32(reader);
    pawl_bytes digest = pawl_reader_bytes(reader);
    if (state->pinned_revision == 0 || digest.size > sizeof state->pinned_digest)
        return false;
    state->pinned_digest_size = (uint8_t)digest.size;
    if (digest.size > 0)
        memcpy(state->pinned_digest, digest.data, digest.size);
    return true;
}

pawl_status pawl_store_decode_header(pawl_bytes key, pawl_bytes value, pawl_store_header *header, pawl_fault *fault)
{
    pawl_reader reader;
    pawl_status status = pawl_row_open(&reader, PAWL_FAMILY_PROCESS, key, value, fault);
    if (status != PAWL_OK)
        return status;
    header->state = (pawl_store_state){.status = pawl_reader_u32(&reader)};
    uint32_t flags = pawl_reader_u8(&reader);
    header->state.cancelled = (flags & FLAG_CANCELLED) != 0;
    header->state.has_children = (flags & FLAG_CHILDREN) != 0;
    header->state.behind = (flags & FLAG_BEHIND) != 0;
    header->state.untimed = (flags & FLAG_UNTIMED) != 0;
    header->state.compensating = (flags & FLAG_COMPENSATING) != 0;
    header->state.shown = pawl_store_shown(&header->state);
    uint32_t has = pawl_reader_u8(&reader);
    header->state.has_document = (has & HAS_DOCUMENT) != 0;
    header->state.has_attributes = (has & HAS_ATTRIBUTES) != 0;
    uint64_t run = pawl_reader_varint(&reader);
    header->state.run = (uint32_t)run;
    header->state.base = pawl_reader_varint(&reader);
    uint64_t rewinds = pawl_reader_varint(&reader);
    header->state.rewinds = (uint32_t)rewinds;
    header->state.ready_sequence = pawl_reader_u64(&reader);
    header->state.wake_unix_ns = pawl_reader_u64(&reader);
    header->state.token = pawl_reader_u64(&reader);
    header->state.updated_unix_ns = pawl_reader_u64(&reader);
    if ((flags & FLAG_PAUSED) != 0)
        header->state.paused = pawl_reader_u64(&reader);
    bool pinned = (flags & FLAG_PINNED) == 0 || read_pin(&reader, &header->state);
    header->reason_code = pawl_reader_bytes(&reader);
    header->reason = pawl_reader_bytes(&reader);
    if (!pawl_store_identity_decode(pawl_reader_rest(&reader), &header->identity) || reader.bad ||
        header->state.status >= STORE_STATUS_COUNT || run == 0 || run > UINT32_MAX || rewinds > UINT32_MAX ||
        header->state.base == 0 || (flags & ~FLAGS_ALL) != 0 || !pinned ||
        ((flags & FLAG_PAUSED) != 0) != (header->state.paused != 0))
        return pawl_row_bad(PAWL_FAMILY_PROCESS, key, "its fields do not fit", fault);
    return PAWL_OK;
}

pawl_status pawl_store_read_header(pawl_kv *kv, uint64_t number, pawl_buffer *buffer, pawl_store_header *header,
                                   pawl_fault *fault)
{
    pawl_key key;
    pawl_store_key_number(&key, number);
    pawl_status status = pawl_kv_get(kv, PAWL_FAMILY_PROCESS, pawl_key_bytes(&key), buffer, fault);
    if (status != PAWL_OK)
        return status;
    return pawl_store_decode_header(pawl_key_bytes(&key), (pawl_bytes){buffer->data, buffer->size}, header, fault);
}

/* ---- records ---- */

void pawl_store_put_record(pawl_batch *batch, uint64_t number, const pawl_store_record *record)
{
    pawl_key key;
    pawl_store_key_journal(&key, number, record->sequence);
    pawl_batch_begin(batch, PAWL_FAMILY_JOURNAL, pawl_key_bytes(&key));
    pawl_buffer *to = &batch->bytes;
    pawl_buffer_u8(to, (uint8_t)record->kind);
    pawl_buffer_u64(to, record->time_unix_ns);
    pawl_buffer_varint(to, record->journal_bytes);
    pawl_buffer_varint(to, record->previous_posted);
    pawl_buffer_append(to, record->body.data, record->body.size);
    pawl_batch_end(batch);
}

pawl_status pawl_store_decode_record(pawl_bytes key, pawl_bytes value, pawl_store_record *record, pawl_fault *fault)
{
    pawl_reader reader;
    pawl_status status = pawl_row_open(&reader, PAWL_FAMILY_JOURNAL, key, value, fault);
    if (status != PAWL_OK)
        return status;
    pawl_reader key_reader = pawl_reader_of(key);
    pawl_reader_u64(&key_reader);
    record->sequence = pawl_reader_u64(&key_reader);
    record->kind = pawl_reader_u8(&reader);
    record->time_unix_ns = pawl_reader_u64(&reader);
    record->journal_bytes = pawl_reader_varint(&reader);
    record->previous_posted = pawl_reader_varint(&reader);
    record->body = pawl_reader_rest(&reader);
    if (reader.bad || key_reader.bad)
        return pawl_row_bad(PAWL_FAMILY_JOURNAL, key, "its fields do not fit", fault);
    return PAWL_OK;
}

pawl_status pawl_store_read_record(pawl_kv *kv, uint64_t number, uint64_t sequence, pawl_buffer *buffer,
                                   pawl_store_record *record, pawl_fault *fault)
{
    pawl_key key;
    pawl_store_key_journal(&key, number, sequence);
    pawl_status status = pawl_kv_get(kv, PAWL_FAMILY_JOURNAL, pawl_key_bytes(&key), buffer, fault);
    if (status == PAWL_OK)
        status =
            pawl_store_decode_record(pawl_key_bytes(&key), (pawl_bytes){buffer->data, buffer->size}, record, fault);
    return status;
}

/* Of a process that is not being run the header knows the last record, and two reads by key are cheaper than a
 * cursor. */
static pawl_status read_tail_at(pawl_kv *kv, uint64_t number, uint64_t head, pawl_buffer *buffer,
                                pawl_store_record *record, pawl_fault *fault)
{
    pawl_status status = pawl_store_read_record(kv, number, head + 1, buffer, record, fault);
    if (status != PAWL_E_NOT_FOUND)
        return PAWL_E_NOT_FOUND;
    return pawl_store_read_record(kv, number, head, buffer, record, fault);
}

pawl_status pawl_store_read_tail(pawl_kv *kv, uint64_t number, uint64_t head, pawl_buffer *buffer,
                                 pawl_store_record *record, pawl_fault *fault)
{
    pawl_status at_head = read_tail_at(kv, number, head, buffer, record, fault);
    if (at_head != PAWL_E_NOT_FOUND)
        return at_head;
    pawl_key prefix;
    pawl_store_key_number(&prefix, number);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(kv, PAWL_FAMILY_JOURNAL, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_kv_cursor_last(cursor);
    pawl_status status = pawl_kv_cursor_status(cursor, fault);
    if (status == PAWL_OK && !cursor->valid)
        status = pawl_row_bad(PAWL_FAMILY_JOURNAL, pawl_key_bytes(&prefix), "the process has no journal", fault);
    if (status == PAWL_OK) {
        pawl_buffer_clear(buffer);
        pawl_buffer_append(buffer, cursor->value.data, cursor->value.size);
        status = buffer->failed
                     ? pawl_fault_nomem(fault)
                     : pawl_store_decode_record(cursor->key, (pawl_bytes){buffer->data, buffer->size}, record, fault);
    }
    pawl_kv_cursor_close(cursor);
    return status;
}

bool pawl_store_has_header(pawl_kv *kv, uint64_t number)
{
    pawl_key key;
    pawl_buffer buffer = {0};
    pawl_store_key_number(&key, number);
    pawl_status status = pawl_kv_get(kv, PAWL_FAMILY_PROCESS, pawl_key_bytes(&key), &buffer, NULL);
    pawl_buffer_finish(&buffer);
    return status != PAWL_E_NOT_FOUND;
}

static pawl_status no_process(uint64_t number, pawl_fault *fault)
{
    return pawl_fault_set(fault, PAWL_E_NOT_FOUND, "registry.not_found", "there is no process number %llu",
                          (unsigned long long)number);
}

pawl_status pawl_store_read_process(pawl_kv *kv, uint64_t number, pawl_buffer *header_buffer, pawl_store_header *header,
                                    pawl_buffer *tail_buffer, pawl_store_record *tail, pawl_fault *fault)
{
    pawl_status status = pawl_store_read_header(kv, number, header_buffer, header, fault);
    if (status == PAWL_E_NOT_FOUND)
        return no_process(number, fault);
    if (status == PAWL_OK)
        status = pawl_store_read_tail(kv, number, header->state.head, tail_buffer, tail, fault);
    if (status == PAWL_E_CORRUPT && !pawl_store_has_header(kv, number)) /* the rest went with it, in between */
        return no_process(number, fault);
    return status;
}

void pawl_store_state_advance(pawl_store_state *state, const pawl_store_record *tail)
{
    state->head = tail->sequence;
    state->journal_bytes = tail->journal_bytes;
    state->last_posted = tail->kind > PAWL_RECORD_STARTED ? tail->sequence : tail->previous_posted;
    if (tail->time_unix_ns > state->updated_unix_ns)
        state->updated_unix_ns = tail->time_unix_ns;
}

/* ---- ids ---- */

pawl_status pawl_store_read_ident(pawl_kv *kv, pawl_bytes id, uint64_t *number, pawl_fault *fault)
{
    char text[300];
    pawl_buffer buffer = {0};
    pawl_reader reader = {0};
    pawl_status status = pawl_kv_get(kv, PAWL_FAMILY_IDENT, id, &buffer, fault);
    if (status == PAWL_E_NOT_FOUND)
        pawl_fault_set(fault, status, "registry.not_found", "there is no process \"%s\"",
                       pawl_fault_text(id, text, sizeof text));
    if (status == PAWL_OK)
        status = pawl_row_open(&reader, PAWL_FAMILY_IDENT, id, (pawl_bytes){buffer.data, buffer.size}, fault);
    if (status == PAWL_OK) {
        uint32_t tag = pawl_reader_u8(&reader);
        *number = pawl_reader_u64(&reader);
        pawl_reader_u64(&reader);
        if (reader.bad)
            status = pawl_row_bad(PAWL_FAMILY_IDENT, id, "its fields do not fit", fault);
        else if (tag == STORE_IDENT_PRUNED)
            status = pawl_fault_set(fault, PAWL_E_NOT_FOUND, STORE_NO_LONGER_RETAINED,
                                    "process \"%s\" has ended and is no longer retained",
                                    pawl_fault_text(id, text, sizeof text));
    }
    pawl_buffer_finish(&buffer);
    return status;
}

void pawl_store_put_ident(pawl_batch *batch, pawl_bytes id, uint64_t number)
{
    pawl_batch_begin(batch, PAWL_FAMILY_IDENT, id);
    pawl_buffer_u8(&batch->bytes, STORE_IDENT_LIVE);
    pawl_buffer_u64(&batch->bytes, number);
    pawl_buffer_u64(&batch->bytes, 0);
    pawl_batch_end(batch);
}
