/* meta.c: see meta.h. */
#include "meta.h"

#include "registry.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static pawl_status open_row(pawl_kv *kv, const char *name, pawl_buffer *buffer, pawl_reader *reader, pawl_fault *fault)
{
    const pawl_bytes key = pawl_bytes_of(name);
    pawl_status status = pawl_kv_get(kv, PAWL_FAMILY_META, key, buffer, fault);
    if (status == PAWL_OK)
        status = pawl_row_open(reader, PAWL_FAMILY_META, key, (pawl_bytes){buffer->data, buffer->size}, fault);
    return status;
}

static pawl_status done(const char *name, const pawl_reader *reader, pawl_status status, pawl_fault *fault)
{
    if (status == PAWL_OK && reader->bad)
        return pawl_row_bad(PAWL_FAMILY_META, pawl_bytes_of(name), "its fields do not fit", fault);
    return status;
}

pawl_status pawl_store_meta_number(pawl_kv *kv, const char *name, uint64_t *value, pawl_fault *fault)
{
    pawl_buffer buffer = {0};
    pawl_reader reader = {0};
    pawl_status status = open_row(kv, name, &buffer, &reader, fault);
    if (status == PAWL_OK)
        *value = pawl_reader_u64(&reader);
    status = done(name, &reader, status, fault);
    pawl_buffer_finish(&buffer);
    return status;
}

void pawl_store_meta_put_number(pawl_batch *batch, const char *name, uint64_t value)
{
    pawl_batch_begin(batch, PAWL_FAMILY_META, pawl_bytes_of(name));
    pawl_buffer_u64(&batch->bytes, value);
    pawl_batch_end(batch);
}

pawl_status pawl_store_meta_counters(pawl_kv *kv, uint64_t *next_number, uint64_t *counts, pawl_fault *fault)
{
    pawl_buffer buffer = {0};
    pawl_reader reader = {0};
    pawl_status status = open_row(kv, STORE_META_COUNTERS, &buffer, &reader, fault);
    if (status == PAWL_OK) {
        *next_number = pawl_reader_u64(&reader);
        uint32_t count = pawl_reader_u32(&reader);
        for (uint32_t i = 0; i < count && i < STORE_STATUS_COUNT; i++)
            counts[i] = pawl_reader_u64(&reader);
    }
    status = done(STORE_META_COUNTERS, &reader, status, fault);
    pawl_buffer_finish(&buffer);
    return status;
}

void pawl_store_meta_put_counters(pawl_batch *batch, uint64_t next_number, const uint64_t *counts)
{
    pawl_batch_begin(batch, PAWL_FAMILY_META, pawl_bytes_of(STORE_META_COUNTERS));
    pawl_buffer_u64(&batch->bytes, next_number);
    pawl_buffer_u32(&batch->bytes, STORE_STATUS_COUNT);
    for (size_t i = 0; i < STORE_STATUS_COUNT; i++)
        pawl_buffer_u64(&batch->bytes, counts[i]);
    pawl_batch_end(batch);
}

pawl_status pawl_store_meta_id(pawl_kv *kv, char *text, pawl_fault *fault)
{
    pawl_buffer buffer = {0};
    pawl_reader reader = {0};
    text[0] = '\0';
    pawl_status status = open_row(kv, STORE_META_ID, &buffer, &reader, fault);
    if (status == PAWL_OK)
        pawl_fault_hex(pawl_reader_rest(&reader), text, 2 * STORE_ID_BYTES + 1);
    pawl_buffer_finish(&buffer);
    return status == PAWL_E_NOT_FOUND ? PAWL_OK : status;
}

pawl_status pawl_store_meta_put_id(pawl_batch *batch, pawl_fault *fault)
{
    uint8_t id[STORE_ID_BYTES];
    if (getrandom(id, sizeof id, 0) != (ssize_t)sizeof id)
        return pawl_fault_set(fault, PAWL_E_IO, "store.random", "no random bytes for the id of the store: %s",
                              strerror(errno));
    pawl_batch_begin(batch, PAWL_FAMILY_META, pawl_bytes_of(STORE_META_ID));
    pawl_buffer_append(&batch->bytes, id, sizeof id);
    pawl_batch_end(batch);
    return PAWL_OK;
}
