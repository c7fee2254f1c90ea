/* kv.c: batches and seals; see kv.h. A batch is one flat buffer, so that building it allocates nothing once the buffer
 * has grown, and an engine can replay it into its own form. */
#include "kv.h"

#include <assert.h>
#include <xxhash.h>

#define ROW_FORMAT  1u
#define ITEM_HEADER 10u /* family u8, kind u8, key size u32, value size u32 */
#define SEAL_BYTES  9u  /* format in front, checksum behind */

const char *pawl_family_name(pawl_family family)
{
    static const char *const names[PAWL_FAMILY_COUNT] = {
        "meta",   "ident",    "process",  "journal",  "ready",   "wake",       "post",
        "status", "relation", "ended",    "document", "session", "commit_key", "attachment",
        "link",   "chunk",    "artifact", "holder",   "inbox",   "delivery",   "turn",
    };
    return names[family];
}

static uint64_t seal_of(pawl_family family, pawl_bytes key, const uint8_t *data, size_t size)
{
    return XXH3_64bits_withSeed(data, size, XXH3_64bits_withSeed(key.data, key.size, (uint64_t)family));
}

static void put_u32_at(pawl_buffer *buffer, size_t at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        buffer->data[at + i] = (uint8_t)(value >> (24 - 8 * i));
}

static void item_header(pawl_batch *batch, pawl_family family, uint32_t kind, pawl_bytes key, size_t value_size)
{
    pawl_buffer *bytes = &batch->bytes;
    pawl_buffer_reserve(bytes, ITEM_HEADER + key.size + value_size);
    pawl_buffer_u8(bytes, (uint8_t)family);
    pawl_buffer_u8(bytes, (uint8_t)kind);
    pawl_buffer_u32(bytes, (uint32_t)key.size);
    pawl_buffer_u32(bytes, (uint32_t)value_size);
    pawl_buffer_append(bytes, key.data, key.size);
    batch->count++;
}

void pawl_batch_begin(pawl_batch *batch, pawl_family family, pawl_bytes key)
{
    batch->open = batch->bytes.size;
    item_header(batch, family, PAWL_BATCH_PUT, key, 0);
    pawl_buffer_u8(&batch->bytes, ROW_FORMAT);
}

void pawl_batch_end(pawl_batch *batch)
{
    pawl_buffer *bytes = &batch->bytes;
    if (bytes->failed)
        return;
    pawl_reader header = {bytes->data + batch->open, bytes->data + bytes->size, false};
    pawl_family family = (pawl_family)pawl_reader_u8(&header);
    pawl_reader_u8(&header);
    pawl_bytes key = {bytes->data + batch->open + ITEM_HEADER, pawl_reader_u32(&header)};
    size_t value_at = batch->open + ITEM_HEADER + key.size;
    uint64_t seal = seal_of(family, key, bytes->data + value_at, bytes->size - value_at);
    pawl_buffer_u64(bytes, seal);
    if (!bytes->failed)
        put_u32_at(bytes, batch->open + 6, (uint32_t)(bytes->size - value_at));
}

void pawl_batch_mark(pawl_batch *batch, pawl_family family, pawl_bytes key)
{
    pawl_batch_begin(batch, family, key);
    pawl_batch_end(batch);
}

void pawl_batch_delete(pawl_batch *batch, pawl_family family, pawl_bytes key)
{
    item_header(batch, family, PAWL_BATCH_DELETE, key, 0);
}

void pawl_batch_delete_range(pawl_batch *batch, pawl_family family, pawl_bytes from, pawl_bytes to)
{
    item_header(batch, family, PAWL_BATCH_DELETE_RANGE, from, to.size);
    pawl_buffer_append(&batch->bytes, to.data, to.size);
}

bool pawl_batch_next(const pawl_batch *batch, size_t *position, pawl_batch_item *item)
{
    const pawl_buffer *bytes = &batch->bytes;
    if (*position >= bytes->size)
        return false;
    pawl_reader reader = {bytes->data + *position, bytes->data + bytes->size, false};
    item->family = (pawl_family)pawl_reader_u8(&reader);
    item->kind = pawl_reader_u8(&reader);
    item->key.size = pawl_reader_u32(&reader);
    item->value.size = pawl_reader_u32(&reader);
    item->key.data = reader.at;
    item->value.data = reader.at + item->key.size;
    *position += ITEM_HEADER + item->key.size + item->value.size;
    assert(*position <= bytes->size);
    return true;
}

void pawl_batch_clear(pawl_batch *batch)
{
    pawl_buffer_clear(&batch->bytes);
    batch->count = 0;
}

void pawl_batch_finish(pawl_batch *batch)
{
    pawl_buffer_finish(&batch->bytes);
    batch->count = 0;
}

pawl_status pawl_row_bad(pawl_family family, pawl_bytes key, const char *what, pawl_fault *fault)
{
    char hex[129];
    return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                          "stored data is damaged: row %s of family \"%s\": %s; restore it from a backup",
                          pawl_fault_hex(key, hex, sizeof hex), pawl_family_name(family), what);
}

pawl_status pawl_row_open(pawl_reader *reader, pawl_family family, pawl_bytes key, pawl_bytes value, pawl_fault *fault)
{
    const uint8_t *data = value.data;
    if (value.size < SEAL_BYTES)
        return pawl_row_bad(family, key, "it is too short", fault);
    size_t size = value.size - 8;
    pawl_reader sum = {data + size, data + value.size, false};
    if (pawl_reader_u64(&sum) != seal_of(family, key, data, size))
        return pawl_row_bad(family, key, "its checksum does not match", fault);
    if (data[0] != ROW_FORMAT)
        return pawl_row_bad(family, key, "its row format is unknown to this version", fault);
    *reader = (pawl_reader){data + 1, data + size, false};
    return PAWL_OK;
}

pawl_kv_cursor *pawl_kv_cursor_prefix(pawl_kv *kv, pawl_family family, const pawl_key *prefix)
{
    pawl_key upper;
    upper.size = prefix->size;
    memcpy(upper.data, prefix->data, prefix->size);
    bool bounded = pawl_key_successor(&upper);
    return pawl_kv_cursor_open(kv, family, pawl_key_bytes(prefix),
                               bounded ? pawl_key_bytes(&upper) : (pawl_bytes){NULL, 0});
}
