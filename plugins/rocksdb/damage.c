/* damage.c: see damage.h. The formats are those of RocksDB's block-based tables (version 2 and up) and blob files
 * (version 1). It must never read beyond a file, and never call damaged what it does not understand. */
#include "damage.h"

#include "log_record.h"
#include "manifest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define FOOTER_BYTES      53u
#define TABLE_MAGIC       0x88e241b785f4cff7u
#define TABLE_VERSION_MAX 6u /* that this RocksDB, or the next, knows */
#define TRAILER_BYTES     5u
#define CHECK_CRC32C      1u
#define CHECK_XXH3        4u
#define XXH3_LAST_BYTE    0x6b9083d9u
#define BLOB_MAGIC        0x00248f37u
#define BLOB_HEADER_BYTES 30u
#define BLOB_FOOTER_BYTES 32u
#define BLOB_RECORD_BYTES 32u
#define WHOLE             SIZE_MAX /* instead of a place of damage */

typedef struct view {
    const uint8_t *data;
    size_t size;
} view;

static uint64_t fixed(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

/* ---- tables ---- */

typedef struct handle {
    uint64_t offset;
    uint64_t size;
} handle;

static bool read_handle(const view *of, size_t *at, handle *found)
{
    return pawl_manifest_varint(of->data, of->size, at, &found->offset) &&
           pawl_manifest_varint(of->data, of->size, at, &found->size);
}

static bool is_block_whole(const view *table, const handle *block, uint8_t check)
{
    if (block->offset > table->size || block->size > table->size - block->offset ||
        table->size - block->offset - block->size < TRAILER_BYTES)
        return false;
    const uint8_t *data = table->data + block->offset;
    uint32_t stored = (uint32_t)fixed(data + block->size + 1, 4);
    if (check == CHECK_CRC32C)
        return pawl_log_crc(data, (size_t)block->size + 1) == stored;
    if (check == CHECK_XXH3)
        return ((uint32_t)XXH3_64bits(data, (size_t)block->size) ^ data[block->size] * XXH3_LAST_BYTE) == stored;
    return true;
}

/* The blocks that a table is opened by are listed in its metaindex: name, and where. */
static size_t check_listed(const view *table, const handle *list, uint8_t check, bool large_too)
{
    static const char properties[] = "rocksdb.properties";
    view block = {table->data + list->offset, (size_t)list->size};
    if (block.size < 4)
        return (size_t)list->offset;
    uint64_t restarts = fixed(block.data + block.size - 4, 4);
    if (restarts > (block.size - 4) / 4)
        return (size_t)list->offset;
    block.size -= 4 + (size_t)restarts * 4;
    for (size_t at = 0; at < block.size;) {
        uint64_t shared;
        uint64_t fresh;
        uint64_t size;
        handle listed;
        if (!pawl_manifest_varint(block.data, block.size, &at, &shared) ||
            !pawl_manifest_varint(block.data, block.size, &at, &fresh) ||
            !pawl_manifest_varint(block.data, block.size, &at, &size) || fresh > block.size - at ||
            size > block.size - at - fresh)
            return (size_t)list->offset;
        const char *name = (const char *)block.data + at;
        at += (size_t)fresh;
        size_t value = at;
        bool wanted =
            large_too || fresh < sizeof properties - 1 || memcmp(name, properties, sizeof properties - 1) == 0;
        if (wanted && read_handle(&block, &value, &listed) && !is_block_whole(table, &listed, check))
            return (size_t)listed.offset;
        at += (size_t)size;
    }
    return WHOLE;
}

static size_t check_ends(const view *table, bool large_too)
{
    if (table->size < FOOTER_BYTES)
        return table->size;
    size_t footer = table->size - FOOTER_BYTES;
    if (fixed(table->data + table->size - 8, 8) != TABLE_MAGIC)
        return table->size - 8;
    if (fixed(table->data + table->size - 12, 4) > TABLE_VERSION_MAX)
        return table->size - 12;
    uint8_t check = table->data[footer];
    size_t at = footer + 1;
    handle list;
    handle index;
    if (check > CHECK_XXH3 || !read_handle(table, &at, &list) || !read_handle(table, &at, &index))
        return footer;
    if (!is_block_whole(table, &list, check))
        return list.offset < table->size ? (size_t)list.offset : footer;
    if (large_too && !is_block_whole(table, &index, check))
        return index.offset < table->size ? (size_t)index.offset : footer;
    return check_listed(table, &list, check, large_too);
}

static size_t check_table(const view *table)
{
    return check_ends(table, true);
}

/* Without filters and indexes, which are large, and which RocksDB checks itself. */
static size_t check_opening(const view *table)
{
    return check_ends(table, false);
}

/* ---- blob files ---- */

static size_t check_blobs(const view *file)
{
    if (file->size < BLOB_HEADER_BYTES || fixed(file->data, 4) != BLOB_MAGIC)
        return 0;
    size_t end = file->size;
    if (end >= BLOB_HEADER_BYTES + BLOB_FOOTER_BYTES && fixed(file->data + end - BLOB_FOOTER_BYTES, 4) == BLOB_MAGIC) {
        end -= BLOB_FOOTER_BYTES;
        if (pawl_log_crc(file->data + end, BLOB_FOOTER_BYTES - 4) != fixed(file->data + file->size - 4, 4))
            return end;
    }
    for (size_t at = BLOB_HEADER_BYTES; at < end;) {
        const uint8_t *record = file->data + at;
        if (end - at < BLOB_RECORD_BYTES || pawl_log_crc(record, 24) != fixed(record + 24, 4))
            return at;
        uint64_t key = fixed(record, 8);
        uint64_t value = fixed(record + 8, 8);
        size_t left = end - at - BLOB_RECORD_BYTES;
        if (key > left || value > left - key ||
            pawl_log_crc(record + BLOB_RECORD_BYTES, (size_t)(key + value)) != fixed(record + 28, 4))
            return at;
        at += BLOB_RECORD_BYTES + (size_t)(key + value);
    }
    return WHOLE;
}

/* ---- a directory ---- */

static bool ends_with(const char *name, const char *end)
{
    size_t size = strlen(name);
    return size > strlen(end) && strcmp(name + size - strlen(end), end) == 0;
}

static size_t check_file(const char *full, size_t (*check)(const view *file))
{
    struct stat facts;
    size_t place = WHOLE;
    int file = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return WHOLE;
    if (fstat(file, &facts) == 0 && S_ISREG(facts.st_mode)) {
        size_t size = (size_t)facts.st_size;
        void *data = size == 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
        place = size == 0 ? 0 : WHOLE;
        if (data != MAP_FAILED) {
            const view seen = {data, size};
            place = check(&seen);
            munmap(data, size);
        }
    }
    close(file);
    return place;
}

bool pawl_damage_find(const char *path, char *text, size_t size)
{
    char full[4352];
    bool found_one = false;
    DIR *directory = opendir(path);
    for (const struct dirent *found = directory == NULL ? NULL : readdir(directory); found != NULL && !found_one;
         found = readdir(directory)) {
        bool table = ends_with(found->d_name, ".sst");
        if (!table && !ends_with(found->d_name, ".blob"))
            continue;
        snprintf(full, sizeof full, "%s/%s", path, found->d_name);
        size_t place = check_file(full, table ? check_table : check_blobs);
        found_one = place != WHOLE;
        if (found_one)
            snprintf(text, size, "%.200s is damaged, at or behind its byte %zu", found->d_name, place);
    }
    if (directory != NULL)
        closedir(directory);
    return found_one;
}

static bool map_file(const char *full, view *ret_view)
{
    struct stat facts;
    int file = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    void *data = MAP_FAILED;
    if (file >= 0 && fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0)
        data = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (file >= 0)
        close(file);
    if (data == MAP_FAILED)
        return false;
    *ret_view = (view){data, (size_t)facts.st_size};
    return true;
}

static bool list_tables(const char *path, uint64_t **ret_numbers, size_t *ret_count)
{
    char full[4352];
    view current;
    view manifest;
    snprintf(full, sizeof full, "%s/CURRENT", path);
    if (!map_file(full, &current))
        return false;
    int size = (int)(current.size < 64 ? current.size - 1 : 64); /* without the end of the line */
    snprintf(full, sizeof full, "%s/%.*s", path, size, (const char *)current.data);
    munmap((void *)(uintptr_t)current.data, current.size);
    if (!map_file(full, &manifest))
        return false;
    bool good = pawl_manifest_tables(manifest.data, manifest.size, ret_numbers, ret_count);
    munmap((void *)(uintptr_t)manifest.data, manifest.size);
    return good;
}

pawl_status pawl_damage_check_tables(const char *path, pawl_fault *fault)
{
    char full[4352];
    uint64_t *numbers = NULL;
    size_t count = 0;
    pawl_status status = PAWL_OK;
    if (!list_tables(path, &numbers, &count))
        return PAWL_OK; /* new, or RocksDB's to judge */
    for (size_t i = 0; i < count && status == PAWL_OK; i++) {
        snprintf(full, sizeof full, "%s/%06llu.sst", path, (unsigned long long)numbers[i]);
        size_t place = check_file(full, check_opening);
        if (place != WHOLE)
            status = pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                                    "%.400s is damaged, at or behind its byte %zu: restore the store from a backup",
                                    full, place);
    }
    free(numbers);
    return status;
}
