/* bytes.h: growing buffers, keys that sort, and reading back what was written. Numbers are big-endian throughout, so
 * that keys sort by value. A buffer or a key belongs to one thread. */
#ifndef PAWL_STORE_BYTES_H
#define PAWL_STORE_BYTES_H

#include "pawl_abi.h"

#include <stdbool.h>
#include <string.h>

/** Grows as needed. Running out of memory sets `failed`, which sticks until the buffer is cleared: check it once. */
typedef struct pawl_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed;
} pawl_buffer;

bool pawl_buffer_reserve(pawl_buffer *buffer, size_t more);
void pawl_buffer_append(pawl_buffer *buffer, const void *data, size_t size);
void pawl_buffer_u8(pawl_buffer *buffer, uint8_t value);
void pawl_buffer_u32(pawl_buffer *buffer, uint32_t value);
void pawl_buffer_u64(pawl_buffer *buffer, uint64_t value);
void pawl_buffer_varint(pawl_buffer *buffer, uint64_t value); /**< 1 byte for up to 7 bits, 10 for 64 */
/** A length (varint) and the bytes. */
void pawl_buffer_bytes(pawl_buffer *buffer, pawl_bytes bytes);
void pawl_buffer_clear(pawl_buffer *buffer);  /**< keeps the memory */
void pawl_buffer_finish(pawl_buffer *buffer); /**< frees it */

/** A key under construction: room for the longest one, and nothing is ever cut: appending beyond is a program error. */
#define PAWL_KEY_BYTES_MAX 1344u
typedef struct pawl_key {
    size_t size;
    uint8_t data[PAWL_KEY_BYTES_MAX];
} pawl_key;

void pawl_key_start(pawl_key *key);
void pawl_key_u8(pawl_key *key, uint8_t value);
void pawl_key_u32(pawl_key *key, uint32_t value);
void pawl_key_u64(pawl_key *key, uint64_t value);
void pawl_key_append(pawl_key *key, pawl_bytes bytes);
/** A length (u16) and the bytes, so that no two different sequences of parts give the same key. */
void pawl_key_part(pawl_key *key, pawl_bytes bytes);
/** The first key behind every key that starts with this one. @return false when there is none (all 0xff) */
bool pawl_key_successor(pawl_key *key);

static inline pawl_bytes pawl_key_bytes(const pawl_key *key)
{
    return (pawl_bytes){key->data, key->size};
}

/** Reads fields in order. Reading beyond the end sets `bad` and gives zeros. */
typedef struct pawl_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
} pawl_reader;

uint8_t pawl_reader_u8(pawl_reader *reader);
uint32_t pawl_reader_u32(pawl_reader *reader);
uint64_t pawl_reader_u64(pawl_reader *reader);
uint64_t pawl_reader_varint(pawl_reader *reader);
pawl_bytes pawl_reader_bytes(pawl_reader *reader);
pawl_bytes pawl_reader_rest(pawl_reader *reader);

static inline pawl_reader pawl_reader_of(pawl_bytes bytes)
{
    const uint8_t *data = bytes.data;
    return (pawl_reader){data, data == NULL ? NULL : data + bytes.size, false};
}

/** memcmp order, a prefix before what it starts. */
int pawl_bytes_compare(pawl_bytes a, pawl_bytes b);

static inline bool pawl_bytes_equal(pawl_bytes a, pawl_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool pawl_bytes_start_with(pawl_bytes bytes, pawl_bytes prefix)
{
    return bytes.size >= prefix.size && (prefix.size == 0 || memcmp(bytes.data, prefix.data, prefix.size) == 0);
}

static inline pawl_bytes pawl_bytes_of(const char *text)
{
    return (pawl_bytes){text, strlen(text)};
}

#endif
