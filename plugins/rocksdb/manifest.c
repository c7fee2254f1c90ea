/* manifest.c: see manifest.h. A record is one edit of the set of tables: tagged fields, one behind the other. A tag
 * that is not known ends it all, for where its field ends is not known either. */
#include "manifest.h"

#include "log_record.h"
#include "plugins/store/bytes.h"

#include <stdlib.h>

enum {
    TAG_COMPARATOR = 1,
    TAG_LOG = 2,
    TAG_NEXT_FILE = 3,
    TAG_LAST_SEQUENCE = 4,
    TAG_CURSOR = 5,
    TAG_DELETED = 6,
    TAG_PREVIOUS_LOG = 9,
    TAG_OLDEST_LOG = 10,
    TAG_NEW_TABLE = 103,
    TAG_FAMILY = 200,
    TAG_FAMILY_ADDED = 201,
    TAG_FAMILY_DROPPED = 202,
    TAG_FAMILY_MAX = 203,
    TAG_GROUP = 300,
    TAG_BLOB_ADDED = 400,
    TAG_BLOB_GARBAGE = 401,
    TAG_MAY_BE_SKIPPED = 1 << 13
};

typedef struct edits {
    const uint8_t *data; /* of one record */
    size_t size;
    size_t at;
    bool bad;
    uint64_t *tables;
    size_t count;
    size_t room;
} edits;

bool pawl_manifest_varint(const uint8_t *data, size_t size, size_t *at, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && *at < size; shift += 7) {
        uint8_t byte = data[(*at)++];
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

static uint64_t number(edits *own)
{
    uint64_t value;
    if (!pawl_manifest_varint(own->data, own->size, &own->at, &value))
        own->bad = true;
    return own->bad ? 0 : value;
}

static void skip_numbers(edits *own, unsigned count)
{
    while (count-- > 0)
        (void)number(own);
}

static void skip_text(edits *own)
{
    uint64_t size = number(own);
    if (size > own->size - own->at)
        own->bad = true;
    else
        own->at += (size_t)size;
}

/* Fields with a tag of their own and a length, up to one with the tag `end`. */
static void skip_fields(edits *own, uint64_t end)
{
    while (!own->bad && number(own) != end)
        skip_text(own);
}

static void remove_table(edits *own, uint64_t table)
{
    for (size_t i = 0; i < own->count; i++)
        if (own->tables[i] == table) {
            own->tables[i] = own->tables[--own->count];
            return;
        }
}

static void add_table(edits *own, uint64_t table)
{
    if (own->count == own->room) {
        size_t room = own->room * 2 + 64;
        uint64_t *tables = realloc(own->tables, room * sizeof *tables);
        if (tables == NULL) {
            own->bad = true;
            return;
        }
        own->tables = tables;
        own->room = room;
    }
    own->tables[own->count++] = table;
}

/* Level, number, size, smallest and largest key, smallest and largest sequence, more. */
static void new_table(edits *own)
{
    skip_numbers(own, 1);
    uint64_t table = number(own);
    skip_numbers(own, 1);
    skip_text(own);
    skip_text(own);
    skip_numbers(own, 2);
    skip_fields(own, 1);
    if (!own->bad)
        add_table(own, table);
}

static void field(edits *own, uint64_t tag)
{
    switch (tag) {
    case TAG_LOG:
    case TAG_NEXT_FILE:
    case TAG_LAST_SEQUENCE:
    case TAG_PREVIOUS_LOG:
    case TAG_OLDEST_LOG:
    case TAG_FAMILY:
    case TAG_FAMILY_MAX:
    case TAG_GROUP:
        skip_numbers(own, 1);
        break;
    case TAG_COMPARATOR:
    case TAG_FAMILY_ADDED:
        skip_text(own);
        break;
    case TAG_CURSOR:
        skip_numbers(own, 1);
        skip_text(own);
        break;
    case TAG_DELETED:
        skip_numbers(own, 1);
        remove_table(own, number(own));
        break;
    case TAG_NEW_TABLE:
        new_table(own);
        break;
    case TAG_BLOB_ADDED: /* number, count, bytes, two texts, more */
        skip_numbers(own, 3);
        skip_text(own);
        skip_text(own);
        skip_fields(own, 0);
        break;
    case TAG_BLOB_GARBAGE:
        skip_numbers(own, 3);
        skip_fields(own, 0);
        break;
    case TAG_FAMILY_DROPPED:
        break;
    default:
        if ((tag & TAG_MAY_BE_SKIPPED) != 0)
            skip_text(own);
        else
            own->bad = true;
    }
}

bool pawl_manifest_tables(const uint8_t *data, size_t size, uint64_t **ret_numbers, size_t *ret_count)
{
    edits own = {0};
    pawl_buffer record = {0};
    for (size_t at = 0; !own.bad && pawl_log_next(data, size, &at, &record);) {
        own.data = record.data;
        own.size = record.size;
        own.at = 0;
        while (!own.bad && own.at < own.size)
            field(&own, number(&own));
    }
    bool good = !own.bad && !record.failed;
    pawl_buffer_finish(&record);
    if (!good) {
        free(own.tables);
        return false;
    }
    *ret_numbers = own.tables;
    *ret_count = own.count;
    return true;
}
