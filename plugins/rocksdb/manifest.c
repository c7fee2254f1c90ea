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

#define FAMILIES_MAX 256u

/* A family's tables hold what it had in logs with smaller numbers. */
typedef struct family {
    bool known;
    uint64_t log;
} family;

typedef struct edits {
    const uint8_t *data; /* of one record */
    size_t size;
    size_t at;
    bool bad;
    uint64_t *tables;
    size_t count;
    size_t room;
    uint64_t oldest_log;
    uint64_t family; /* the one that the record is about */
    uint64_t log;    /* its log, when the record has one; else 0 */
    bool added;
    bool dropped;
    family families[FAMILIES_MAX];
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
        own->log = number(own);
        break;
    case TAG_OLDEST_LOG: {
        uint64_t oldest = number(own);
        own->oldest_log = oldest > own->oldest_log ? oldest : own->oldest_log;
        break;
    }
    case TAG_FAMILY:
        own->family = number(own);
        break;
    case TAG_NEXT_FILE:
    case TAG_LAST_SEQUENCE:
    case TAG_PREVIOUS_LOG:
    case TAG_FAMILY_MAX:
    case TAG_GROUP:
        skip_numbers(own, 1);
        break;
    case TAG_FAMILY_ADDED:
        own->added = true;
        skip_text(own);
        break;
    case TAG_COMPARATOR:
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
        own->dropped = true;
        break;
    default:
        if ((tag & TAG_MAY_BE_SKIPPED) != 0)
            skip_text(own);
        else
            own->bad = true;
    }
}

static void apply(edits *own)
{
    if (own->family >= FAMILIES_MAX) {
        own->bad = true;
        return;
    }
    family *of = &own->families[own->family];
    if (own->added || own->dropped)
        *of = (family){.known = own->added};
    if (own->log > of->log)
        of->log = own->log;
}

/* Everything, one record after the other. The caller frees the tables. */
static bool read_all(edits *own, const uint8_t *data, size_t size)
{
    pawl_buffer record = {0};
    own->families[0].known = true; /* nobody adds the default one */
    for (size_t at = 0; !own->bad && pawl_log_next(data, size, &at, &record);) {
        own->data = record.data;
        own->size = record.size;
        own->at = 0;
        own->family = own->log = 0;
        own->added = own->dropped = false;
        while (!own->bad && own->at < own->size)
            field(own, number(own));
        if (!own->bad)
            apply(own);
    }
    bool good = !own->bad && !record.failed;
    pawl_buffer_finish(&record);
    return good;
}

bool pawl_manifest_tables(const uint8_t *data, size_t size, uint64_t **ret_numbers, size_t *ret_count)
{
    edits own = {0};
    if (!read_all(&own, data, size)) {
        free(own.tables);
        return false;
    }
    *ret_numbers = own.tables;
    *ret_count = own.count;
    return true;
}

bool pawl_manifest_logs(const uint8_t *data, size_t size, uint64_t *ret_oldest, uint64_t *ret_flushed)
{
    edits own = {0};
    bool good = read_all(&own, data, size);
    uint64_t oldest = UINT64_MAX;
    uint64_t flushed = 0;
    free(own.tables);
    for (size_t i = 0; i < FAMILIES_MAX; i++) {
        const family *of = &own.families[i];
        if (!of->known)
            continue;
        oldest = of->log < oldest ? of->log : oldest;
        flushed = of->log > flushed ? of->log : flushed;
    }
    if (good) {
        *ret_oldest = own.oldest_log > oldest ? own.oldest_log : oldest;
        *ret_flushed = flushed;
    }
    return good;
}
