/* log_record.c: see log_record.h. Reads only; whatever the bytes are, it must never read beyond them. */
#include "log_record.h"

#include <string.h>

#define MASK_DELTA 0xa282ead8u
#define POLYNOMIAL 0x82f63b78u /* CRC-32C, reflected */

enum { TYPE_ZERO, TYPE_FULL, TYPE_FIRST, TYPE_MIDDLE, TYPE_LAST, TYPE_LATEST = 9 };

typedef struct fragment {
    size_t at;
    size_t length; /* of its body */
    uint8_t type;
} fragment;

/* ---- checksums ---- */

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_by_machine(uint32_t crc, const uint8_t *data, size_t size)
{
    uint64_t wide = crc;
    for (; size >= 8; size -= 8, data += 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; size > 0; size--)
        crc = __builtin_ia32_crc32qi(crc, *data++);
    return crc;
}
#endif

static uint32_t crc_add(uint32_t crc, const uint8_t *data, size_t size)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return crc_by_machine(crc, data, size);
#endif
    for (; size > 0; size--) {
        crc ^= *data++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
    }
    return crc;
}

static uint32_t stored_crc(const uint8_t *header)
{
    uint32_t masked =
        (uint32_t)header[0] | (uint32_t)header[1] << 8 | (uint32_t)header[2] << 16 | (uint32_t)header[3] << 24;
    uint32_t rotated = masked - MASK_DELTA;
    return rotated >> 17 | rotated << 15;
}

uint32_t pawl_log_crc(const uint8_t *data, size_t size)
{
    uint32_t crc = ~crc_add(~0u, data, size);
    return (crc >> 15 | crc << 17) + MASK_DELTA;
}

/* Of the type and the body. */
static uint32_t real_crc(uint8_t type, const uint8_t *body, size_t length)
{
    return ~crc_add(crc_add(~0u, &type, 1), body, length);
}

/* ---- fragments ---- */

static size_t block_left(size_t at)
{
    return PAWL_LOG_BLOCK_BYTES - at % PAWL_LOG_BLOCK_BYTES;
}

static size_t length_of(const uint8_t *header)
{
    return (size_t)header[4] | (size_t)header[5] << 8;
}

static bool fits(size_t at, size_t length, size_t size)
{
    return length <= block_left(at) - PAWL_LOG_HEADER_BYTES && length <= size - at - PAWL_LOG_HEADER_BYTES;
}

/* Where a fragment can begin at or behind a place: never in the last six bytes of a block. */
static size_t place_for(size_t at)
{
    return block_left(at) < PAWL_LOG_HEADER_BYTES ? at + block_left(at) : at;
}

static bool is_header_there(size_t at, size_t size)
{
    return at <= size && size - at >= PAWL_LOG_HEADER_BYTES && block_left(at) >= PAWL_LOG_HEADER_BYTES;
}

static bool read_fragment(const uint8_t *data, size_t size, size_t at, fragment *found)
{
    if (!is_header_there(at, size))
        return false;
    const uint8_t *header = data + at;
    *found = (fragment){.at = at, .length = length_of(header), .type = header[6]};
    return found->type != TYPE_ZERO && fits(at, found->length, size) &&
           stored_crc(header) == real_crc(found->type, header + PAWL_LOG_HEADER_BYTES, found->length);
}

static uint64_t fixed(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static uint64_t sequence_of(const uint8_t *data, const fragment *of)
{
    return fixed(data + of->at + PAWL_LOG_HEADER_BYTES, of->length < 8 ? of->length : 8);
}

/* The head of a record of a log: the number of its first write, and how many it has. It may lie in several fragments.
 */
typedef struct head {
    uint8_t bytes[12];
    size_t size;
} head;

static void head_add(head *own, const uint8_t *data, const fragment *of)
{
    if (of->type == TYPE_FULL || of->type == TYPE_FIRST)
        own->size = 0;
    for (size_t i = 0; i < of->length && own->size < sizeof own->bytes; i++)
        own->bytes[own->size++] = data[of->at + PAWL_LOG_HEADER_BYTES + i];
}

static void head_count(const head *own, pawl_log_look *look)
{
    if (own->size < sizeof own->bytes)
        return; /* no write has so little */
    uint64_t sequence = fixed(own->bytes, 8);
    look->first = look->has_records ? look->first : sequence;
    look->next = sequence + fixed(own->bytes + 8, 4);
    look->has_records = true;
}

/* ---- behind the damage ---- */

/* The cheap questions first: this is asked at every byte. */
static bool begins_later(const uint8_t *data, size_t size, size_t at, bool sequences, uint64_t last)
{
    fragment found;
    if (!is_header_there(at, size) || (data[at + 6] != TYPE_FULL && data[at + 6] != TYPE_FIRST) ||
        (sequences && length_of(data + at) < 8) || !read_fragment(data, size, at, &found))
        return false;
    return !sequences || sequence_of(data, &found) > last;
}

/* A whole record behind a place that is not. Where fragments begin is not known any more: it may be anywhere. */
static bool find_later(const uint8_t *data, size_t size, size_t bad, bool sequences, uint64_t last, size_t *ret_at)
{
    for (size_t at = bad; at + PAWL_LOG_HEADER_BYTES <= size; at++)
        if (begins_later(data, size, at, sequences, last)) {
            *ret_at = at;
            return true;
        }
    return false;
}

/* ---- one flipped bit ---- */

/* A checksum is linear: one flipped bit changes it in a way that depends on its place alone. Walk from the end. */
static bool flipped_in_body(uint32_t difference, size_t length, size_t *ret_byte)
{
    uint32_t change = 0x80u; /* what the highest bit of the byte that is added next leaves behind */
    for (int bit = 0; bit < 8; bit++)
        change = change & 1 ? change >> 1 ^ POLYNOMIAL : change >> 1;
    for (size_t byte = length; byte-- > 0;) {
        for (int bit = 7; bit >= 0; bit--) {
            if (change == difference) {
                *ret_byte = byte;
                return true;
            }
            change = change & 1 ? change >> 1 ^ POLYNOMIAL : change >> 1; /* the next lower bit stays one step longer */
        }
    }
    return false;
}

static bool flipped_in_header(const uint8_t *data, size_t size, size_t at, size_t *ret_at)
{
    uint8_t header[PAWL_LOG_HEADER_BYTES];
    for (size_t bit = 0; bit < 8 * sizeof header; bit++) {
        memcpy(header, data + at, sizeof header);
        header[bit / 8] = (uint8_t)(header[bit / 8] ^ 1u << bit % 8);
        size_t length = length_of(header);
        if (header[6] != TYPE_ZERO && header[6] <= TYPE_LATEST && fits(at, length, size) &&
            stored_crc(header) == real_crc(header[6], data + at + sizeof header, length)) {
            *ret_at = at + bit / 8;
            return true;
        }
    }
    return false;
}

static bool is_flipped(const uint8_t *data, size_t size, size_t at, size_t *ret_at)
{
    size_t byte;
    if (!is_header_there(at, size))
        return false;
    if (flipped_in_header(data, size, at, ret_at))
        return true;
    const uint8_t *header = data + at;
    size_t length = length_of(header);
    if (header[6] == TYPE_ZERO || !fits(at, length, size) ||
        !flipped_in_body(stored_crc(header) ^ real_crc(header[6], header + PAWL_LOG_HEADER_BYTES, length), length,
                         &byte))
        return false;
    *ret_at = at + PAWL_LOG_HEADER_BYTES + byte;
    return true;
}

/* ---- a file ---- */

pawl_log_look pawl_log_look_at(const uint8_t *data, size_t size, bool sequences)
{
    pawl_log_look look = {0};
    fragment found = {0};
    head record = {0};
    bool inside = false; /* a record has begun and not ended */
    uint64_t last = 0;
    size_t at = 0;
    for (; at < size && read_fragment(data, size, at, &found);
         at = place_for(at + PAWL_LOG_HEADER_BYTES + found.length)) {
        if (found.type > TYPE_LAST) {
            look.foreign = true;
            return look;
        }
        bool begins = found.type == TYPE_FULL || found.type == TYPE_FIRST;
        if (begins == inside)
            break; /* a fragment of another record */
        if (begins && sequences)
            last = sequence_of(data, &found);
        inside = found.type == TYPE_FIRST || found.type == TYPE_MIDDLE;
        if (sequences)
            head_add(&record, data, &found);
        if (!inside)
            look.whole = at + PAWL_LOG_HEADER_BYTES + found.length;
        if (!inside && sequences)
            head_count(&record, &look);
    }
    look.bad = at < size ? at : size;
    look.complete = at >= size && !inside;
    if (look.complete)
        return look;
    look.cut_short =
        at >= size || size - at < PAWL_LOG_HEADER_BYTES || length_of(data + at) > size - at - PAWL_LOG_HEADER_BYTES;
    look.goes_on = find_later(data, size, look.bad, sequences, last, &look.goes_on_at);
    look.flipped = at < size && is_flipped(data, size, at, &look.flipped_at);
    return look;
}

bool pawl_log_next(const uint8_t *data, size_t size, size_t *at, pawl_buffer *record)
{
    fragment found;
    pawl_buffer_clear(record);
    do {
        *at = place_for(*at);
        if (!read_fragment(data, size, *at, &found))
            return false;
        pawl_buffer_append(record, data + *at + PAWL_LOG_HEADER_BYTES, found.length);
        *at += PAWL_LOG_HEADER_BYTES + found.length;
    } while (found.type == TYPE_FIRST || found.type == TYPE_MIDDLE);
    return true;
}
