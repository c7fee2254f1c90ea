/* bytes.c: see bytes.h. */
#include "bytes.h"

#include <assert.h>
#include <stdlib.h>

#define VARINT_BYTES_MAX 10u

bool pawl_buffer_reserve(pawl_buffer *buffer, size_t more)
{
    if (buffer->failed)
        return false;
    if (more <= buffer->capacity - buffer->size)
        return true;
    size_t wanted = buffer->capacity < 256 ? 256 : buffer->capacity;
    while (wanted - buffer->size < more) {
        if (wanted > SIZE_MAX / 2) {
            buffer->failed = true;
            return false;
        }
        wanted *= 2;
    }
    uint8_t *data = realloc(buffer->data, wanted);
    if (data == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = wanted;
    return true;
}

void pawl_buffer_append(pawl_buffer *buffer, const void *data, size_t size)
{
    if (size == 0 || !pawl_buffer_reserve(buffer, size))
        return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void pawl_buffer_u8(pawl_buffer *buffer, uint8_t value)
{
    pawl_buffer_append(buffer, &value, 1);
}

static void pawl_store_u32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void pawl_store_u64(uint8_t *to, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(value >> (56 - 8 * i));
}

void pawl_buffer_u32(pawl_buffer *buffer, uint32_t value)
{
    uint8_t bytes[4];
    pawl_store_u32(bytes, value);
    pawl_buffer_append(buffer, bytes, sizeof bytes);
}

void pawl_buffer_u64(pawl_buffer *buffer, uint64_t value)
{
    uint8_t bytes[8];
    pawl_store_u64(bytes, value);
    pawl_buffer_append(buffer, bytes, sizeof bytes);
}

void pawl_buffer_varint(pawl_buffer *buffer, uint64_t value)
{
    uint8_t bytes[VARINT_BYTES_MAX];
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        bytes[size++] = (uint8_t)(value | 0x80);
    bytes[size++] = (uint8_t)value;
    pawl_buffer_append(buffer, bytes, size);
}

void pawl_buffer_bytes(pawl_buffer *buffer, pawl_bytes bytes)
{
    assert(bytes.size <= UINT32_MAX);
    pawl_buffer_varint(buffer, bytes.size);
    pawl_buffer_append(buffer, bytes.data, bytes.size);
}

void pawl_buffer_clear(pawl_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

void pawl_buffer_finish(pawl_buffer *buffer)
{
    free(buffer->data);
    *buffer = (pawl_buffer){0};
}

void pawl_key_start(pawl_key *key)
{
    key->size = 0;
}

static uint8_t *key_room(pawl_key *key, size_t size)
{
    assert(size <= PAWL_KEY_BYTES_MAX - key->size);
    uint8_t *at = key->data + key->size;
    key->size += size;
    return at;
}

void pawl_key_u8(pawl_key *key, uint8_t value)
{
    *key_room(key, 1) = value;
}

void pawl_key_u32(pawl_key *key, uint32_t value)
{
    pawl_store_u32(key_room(key, 4), value);
}

void pawl_key_u64(pawl_key *key, uint64_t value)
{
    pawl_store_u64(key_room(key, 8), value);
}

void pawl_key_append(pawl_key *key, pawl_bytes bytes)
{
    if (bytes.size > 0)
        memcpy(key_room(key, bytes.size), bytes.data, bytes.size);
}

void pawl_key_part(pawl_key *key, pawl_bytes bytes)
{
    assert(bytes.size <= UINT16_MAX);
    uint8_t *at = key_room(key, 2);
    at[0] = (uint8_t)(bytes.size >> 8);
    at[1] = (uint8_t)bytes.size;
    pawl_key_append(key, bytes);
}

bool pawl_key_successor(pawl_key *key)
{
    while (key->size > 0) {
        if (key->data[key->size - 1] != 0xff) {
            key->data[key->size - 1]++;
            return true;
        }
        key->size--;
    }
    return false;
}

static const uint8_t *take(pawl_reader *reader, size_t size)
{
    if (reader->bad || (size_t)(reader->end - reader->at) < size) {
        reader->bad = true;
        return NULL;
    }
    const uint8_t *at = reader->at;
    reader->at += size;
    return at;
}

uint8_t pawl_reader_u8(pawl_reader *reader)
{
    const uint8_t *at = take(reader, 1);
    return at == NULL ? 0 : *at;
}

uint32_t pawl_reader_u32(pawl_reader *reader)
{
    const uint8_t *at = take(reader, 4);
    uint32_t value = 0;
    for (int i = 0; at != NULL && i < 4; i++)
        value = value << 8 | at[i];
    return value;
}

uint64_t pawl_reader_u64(pawl_reader *reader)
{
    const uint8_t *at = take(reader, 8);
    uint64_t value = 0;
    for (int i = 0; at != NULL && i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

uint64_t pawl_reader_varint(pawl_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t byte = pawl_reader_u8(reader);
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            /* One number has one form: no zero at its end, nothing beyond 64 bits. */
            reader->bad = reader->bad || (byte == 0 && shift > 0) || (shift == 63 && byte > 1);
            return reader->bad ? 0 : value;
        }
    }
    reader->bad = true;
    return 0;
}

pawl_bytes pawl_reader_bytes(pawl_reader *reader)
{
    uint64_t size = pawl_reader_varint(reader);
    const uint8_t *at = take(reader, size);
    return at == NULL ? (pawl_bytes){NULL, 0} : (pawl_bytes){at, size};
}

pawl_bytes pawl_reader_rest(pawl_reader *reader)
{
    size_t size = reader->bad ? 0 : (size_t)(reader->end - reader->at);
    return (pawl_bytes){take(reader, size), size};
}

int pawl_bytes_compare(pawl_bytes a, pawl_bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    if (order != 0)
        return order;
    return a.size < b.size ? -1 : a.size > b.size;
}
