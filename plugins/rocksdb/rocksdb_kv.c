/* rocksdb_kv.c: see rocksdb_kv.h. Each family is a column family with options for what it holds; a batch becomes one
 * RocksDB write batch. The write-ahead log makes a batch atomic over all families.
 *
 * It must never report a batch as written that the configuration wanted flushed and RocksDB did not flush. */
#include "rocksdb_kv.h"

#include "closed.h"
#include "damage.h"
#include "directory.h"
#include "log_tail.h"
#include "options.h"
#include "seam/crash_point.h"

#include <pthread.h>
#include <rocksdb/c.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define IDLE_BATCHES_MAX     4u
#define IDLE_BATCH_BYTES_MAX (4u << 20) /* a larger one is freed rather than kept for reuse */

struct rocksdb_kv {
    pawl_kv base;
    char *path;
    int lock;
    bool sync;
    bool writable;
    pawl_rocksdb_options options;
    rocksdb_t *db;
    rocksdb_column_family_handle_t *families[PAWL_FAMILY_COUNT];
    rocksdb_readoptions_t *read;
    rocksdb_writeoptions_t *write_synced;
    rocksdb_writeoptions_t *write_unsynced;
    atomic_bool failed;                 /* the device refused a write for another reason than space: no more of them */
    atomic_uint_fast64_t synced_writes; /* each flushed the log once */
    pthread_mutex_t damage_lock;        /* guards the next two */
    bool damage_sought;                 /* once: it reads a lot */
    char damage[256];
    pthread_mutex_t batches_lock; /* guards the idle batches */
    rocksdb_writebatch_t *batches[IDLE_BATCHES_MAX];
    size_t batch_count;
};

struct rocksdb_cursor {
    pawl_kv_cursor base;
    struct rocksdb_kv *kv;
    rocksdb_iterator_t *iterator;
    rocksdb_readoptions_t *read;
    uint8_t bounds[];
};

/* Takes the text over. */
static pawl_status rocksdb_fault(char *text, const char *what, pawl_fault *fault)
{
    pawl_status status = PAWL_E_IO;
    const char *code = "store.io";
    if (strstr(text, "No space left") != NULL || strstr(text, "NoSpace") != NULL ||
        strstr(text, "Disk quota") != NULL || strstr(text, "Max allowed space") != NULL) {
        status = PAWL_E_FULL;
        code = "store.full";
    } else if (strncmp(text, "Corruption", 10) == 0) {
        status = PAWL_E_CORRUPT;
        code = "store.corrupt";
    }
    pawl_fault_set(fault, status, code, "%s: %.500s", what, text);
    rocksdb_free(text);
    return status;
}

/* RocksDB names the table whose data does not read, and neither the one that does not open nor a blob file. */
static pawl_status read_fault(struct rocksdb_kv *kv, char *text, const char *what, pawl_fault *fault)
{
    bool named = strstr(text, ".sst") != NULL || strstr(text, ".blob") != NULL;
    pawl_status status = rocksdb_fault(text, what, fault);
    if (status != PAWL_E_CORRUPT || named || fault == NULL)
        return status;
    pthread_mutex_lock(&kv->damage_lock);
    if (!kv->damage_sought && !pawl_damage_find(kv->path, kv->damage, sizeof kv->damage))
        kv->damage[0] = '\0';
    kv->damage_sought = true;
    if (kv->damage[0] != '\0') {
        pawl_fault_append(fault, "; ");
        pawl_fault_append(fault, kv->damage);
    }
    pthread_mutex_unlock(&kv->damage_lock);
    return status;
}

/* ---- reading ---- */

static pawl_status kv_get(pawl_kv *base, pawl_family family, pawl_bytes key, pawl_buffer *value, pawl_fault *fault)
{
    struct rocksdb_kv *kv = (struct rocksdb_kv *)base;
    char *error = NULL;
    pawl_buffer_clear(value);
    rocksdb_pinnableslice_t *slice =
        rocksdb_get_pinned_cf(kv->db, kv->read, kv->families[family], key.data, key.size, &error);
    if (error != NULL)
        return read_fault(kv, error, "cannot read the store", fault);
    if (slice == NULL)
        return PAWL_E_NOT_FOUND;
    size_t size;
    const char *data = rocksdb_pinnableslice_value(slice, &size);
    pawl_buffer_append(value, data, size);
    rocksdb_pinnableslice_destroy(slice);
    return value->failed ? pawl_fault_nomem(fault) : PAWL_OK;
}

static const pawl_kv_table table;

static pawl_kv_cursor *kv_cursor_open(pawl_kv *base, pawl_family family, pawl_bytes lower, pawl_bytes upper)
{
    struct rocksdb_kv *kv = (struct rocksdb_kv *)base;
    struct rocksdb_cursor *cursor = calloc(1, sizeof *cursor + lower.size + upper.size);
    if (cursor == NULL)
        return NULL;
    cursor->base.table = &table;
    cursor->kv = kv;
    cursor->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_verify_checksums(cursor->read, 1);
    rocksdb_readoptions_set_ignore_range_deletions(cursor->read, 1); /* see delete_range */
    if (lower.size > 0) {
        memcpy(cursor->bounds, lower.data, lower.size);
        rocksdb_readoptions_set_iterate_lower_bound(cursor->read, (const char *)cursor->bounds, lower.size);
    }
    if (upper.size > 0) {
        memcpy(cursor->bounds + lower.size, upper.data, upper.size);
        rocksdb_readoptions_set_iterate_upper_bound(cursor->read, (const char *)cursor->bounds + lower.size,
                                                    upper.size);
    }
    cursor->iterator = rocksdb_create_iterator_cf(kv->db, cursor->read, kv->families[family]);
    return &cursor->base;
}

static void settle(struct rocksdb_cursor *cursor)
{
    cursor->base.valid = rocksdb_iter_valid(cursor->iterator);
    if (!cursor->base.valid)
        return;
    cursor->base.key.data = rocksdb_iter_key(cursor->iterator, &cursor->base.key.size);
    cursor->base.value.data = rocksdb_iter_value(cursor->iterator, &cursor->base.value.size);
}

static void kv_cursor_seek(pawl_kv_cursor *base, pawl_bytes key)
{
    struct rocksdb_cursor *cursor = (struct rocksdb_cursor *)base;
    rocksdb_iter_seek(cursor->iterator, key.size == 0 ? "" : key.data, key.size);
    settle(cursor);
}

static void kv_cursor_last(pawl_kv_cursor *base)
{
    struct rocksdb_cursor *cursor = (struct rocksdb_cursor *)base;
    rocksdb_iter_seek_to_last(cursor->iterator);
    settle(cursor);
}

static void kv_cursor_before(pawl_kv_cursor *base, pawl_bytes key)
{
    struct rocksdb_cursor *cursor = (struct rocksdb_cursor *)base;
    rocksdb_iter_seek_for_prev(cursor->iterator, key.data, key.size);
    settle(cursor);
    if (base->valid && pawl_bytes_equal(base->key, key)) {
        rocksdb_iter_prev(cursor->iterator);
        settle(cursor);
    }
}

static void kv_cursor_next(pawl_kv_cursor *base)
{
    struct rocksdb_cursor *cursor = (struct rocksdb_cursor *)base;
    rocksdb_iter_next(cursor->iterator);
    settle(cursor);
}

static void kv_cursor_previous(pawl_kv_cursor *base)
{
    struct rocksdb_cursor *cursor = (struct rocksdb_cursor *)base;
    rocksdb_iter_prev(cursor->iterator);
    settle(cursor);
}

static pawl_status kv_cursor_status(pawl_kv_cursor *base, pawl_fault *fault)
{
    struct rocksdb_cursor *cursor = (struct rocksdb_cursor *)base;
    char *error = NULL;
    rocksdb_iter_get_error(cursor->iterator, &error);
    return error == NULL ? PAWL_OK : read_fault(cursor->kv, error, "cannot read the store", fault);
}

static void kv_cursor_close(pawl_kv_cursor *base)
{
    struct rocksdb_cursor *cursor = (struct rocksdb_cursor *)base;
    rocksdb_iter_destroy(cursor->iterator);
    rocksdb_readoptions_destroy(cursor->read);
    free(cursor);
}

/* ---- writing ---- */

static rocksdb_writebatch_t *take_batch(struct rocksdb_kv *kv)
{
    rocksdb_writebatch_t *batch = NULL;
    pthread_mutex_lock(&kv->batches_lock);
    if (kv->batch_count > 0)
        batch = kv->batches[--kv->batch_count];
    pthread_mutex_unlock(&kv->batches_lock);
    return batch != NULL ? batch : rocksdb_writebatch_create();
}

static void give_batch(struct rocksdb_kv *kv, rocksdb_writebatch_t *batch, size_t bytes)
{
    pthread_mutex_lock(&kv->batches_lock);
    if (kv->batch_count < IDLE_BATCHES_MAX && bytes <= IDLE_BATCH_BYTES_MAX) {
        rocksdb_writebatch_clear(batch);
        kv->batches[kv->batch_count++] = batch;
        batch = NULL;
    }
    pthread_mutex_unlock(&kv->batches_lock);
    if (batch != NULL)
        rocksdb_writebatch_destroy(batch);
}

/* A range is deleted key by key. With range deletions in play RocksDB 7.8 passes over a damaged table in silence, and
 * everything behind it on its level with it, when a cursor runs over several levels; and the places where it remembers
 * to have written last are mixed up by them. So cursors are told that there are none (kv_cursor_open), and there are
 * none. */
static pawl_status delete_range(struct rocksdb_kv *kv, rocksdb_writebatch_t *to, const pawl_batch *from, size_t end,
                                const pawl_batch_item *range, pawl_fault *fault)
{
    rocksdb_column_family_handle_t *family = kv->families[range->family];
    pawl_batch_item item;
    for (size_t at = 0; at < end && pawl_batch_next(from, &at, &item);) /* what the batch itself puts in front of it */
        if (item.family == range->family && item.kind == PAWL_BATCH_PUT &&
            pawl_bytes_compare(item.key, range->key) >= 0 && pawl_bytes_compare(item.key, range->value) < 0)
            rocksdb_writebatch_delete_cf(to, family, item.key.data, item.key.size);
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(&kv->base, range->family, range->key, range->value);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    for (pawl_kv_cursor_seek(cursor, range->key); cursor->valid; pawl_kv_cursor_next(cursor))
        rocksdb_writebatch_delete_cf(to, family, cursor->key.data, cursor->key.size);
    pawl_status status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    return status;
}

static pawl_status fill(struct rocksdb_kv *kv, rocksdb_writebatch_t *to, const pawl_batch *from, pawl_fault *fault)
{
    pawl_batch_item item;
    pawl_status status = PAWL_OK;
    for (size_t at = 0; status == PAWL_OK;) {
        size_t begin = at;
        if (!pawl_batch_next(from, &at, &item))
            break;
        rocksdb_column_family_handle_t *family = kv->families[item.family];
        if (item.kind == PAWL_BATCH_PUT)
            rocksdb_writebatch_put_cf(to, family, item.key.data, item.key.size, item.value.data, item.value.size);
        else if (item.kind == PAWL_BATCH_DELETE)
            rocksdb_writebatch_delete_cf(to, family, item.key.data, item.key.size);
        else
            status = delete_range(kv, to, from, begin, &item, fault);
    }
    return status;
}

static pawl_status kv_write(pawl_kv *base, const pawl_batch *batch, bool sync, pawl_fault *fault)
{
    struct rocksdb_kv *kv = (struct rocksdb_kv *)base;
    if (batch->bytes.failed)
        return pawl_fault_nomem(fault);
    if (atomic_load_explicit(&kv->failed, memory_order_relaxed))
        return pawl_fault_set(fault, PAWL_E_IO, "store.io",
                              "the device of the store %.300s has failed; it takes no more writes until it is opened "
                              "again",
                              kv->path);
    rocksdb_writebatch_t *rows = take_batch(kv);
    pawl_status filled = fill(kv, rows, batch, fault);
    if (filled != PAWL_OK) {
        give_batch(kv, rows, batch->bytes.size);
        return filled;
    }
    char *error = NULL;
    PAWL_CRASH_POINT("store-before");
    rocksdb_write(kv->db, sync && kv->sync ? kv->write_synced : kv->write_unsynced, rows, &error);
    PAWL_CRASH_POINT("store-after");
    give_batch(kv, rows, batch->bytes.size);
    if (error == NULL) {
        atomic_fetch_add_explicit(&kv->synced_writes, sync && kv->sync, memory_order_relaxed);
        return PAWL_OK;
    }
    pawl_status status = rocksdb_fault(error, "cannot write to the store", fault);
    /* RocksDB takes up writing by itself when there is space again. After any other refusal of the device nobody knows
     * what is on it: a later flush may succeed and yet not cover what the failed one has dropped. So nothing is written
     * until recovery has read it all and written it anew, whether RocksDB would or not. */
    if (status != PAWL_E_FULL) {
        atomic_store(&kv->failed, true);
        pawl_fault_append(fault, "; it takes no more writes until it is opened again");
    }
    return status;
}

/* ---- copying ---- */

/* Without a flush: the files are linked (or copied, to another device) and the log is copied as far as it goes now, so
 * that everything reported as written is inside, and a device without space fails the copy, never the store. */
static pawl_status kv_checkpoint(pawl_kv *base, const char *directory, pawl_fault *fault)
{
    struct rocksdb_kv *kv = (struct rocksdb_kv *)base;
    char *error = NULL;
    rocksdb_checkpoint_t *checkpoint = rocksdb_checkpoint_object_create(kv->db, &error);
    if (error == NULL)
        rocksdb_checkpoint_create(checkpoint, directory, UINT64_MAX, &error);
    if (checkpoint != NULL)
        rocksdb_checkpoint_object_destroy(checkpoint);
    return error == NULL ? PAWL_OK : rocksdb_fault(error, "cannot copy the store", fault);
}

/* ---- facts ---- */

static void add_property(struct rocksdb_kv *kv, json_t *facts, const char *name, const char *property)
{
    uint64_t total = 0;
    for (size_t i = 0; i < PAWL_FAMILY_COUNT; i++) {
        uint64_t value = 0;
        if (rocksdb_property_int_cf(kv->db, kv->families[i], property, &value) == 0)
            total += value;
    }
    json_object_set_new(facts, name, json_integer((json_int_t)total));
}

static void kv_describe(pawl_kv *base, json_t *facts)
{
    struct rocksdb_kv *kv = (struct rocksdb_kv *)base;
    json_object_set_new(facts, "engine", json_string("rocksdb"));
    json_object_set_new(facts, "path", json_string(kv->path));
    json_object_set_new(facts, "sync", json_boolean(kv->sync));
    json_object_set_new(facts, "device_failed", json_boolean(atomic_load(&kv->failed)));
    json_object_set_new(facts, "synced_writes", json_integer((json_int_t)atomic_load(&kv->synced_writes)));
    add_property(kv, facts, "file_bytes", "rocksdb.total-sst-files-size");
    add_property(kv, facts, "blob_bytes", "rocksdb.total-blob-file-size");
    add_property(kv, facts, "memory_bytes", "rocksdb.cur-size-all-mem-tables");
    add_property(kv, facts, "pending_compaction_bytes", "rocksdb.estimate-pending-compaction-bytes");
}

/* ---- opening ---- */

static void kv_close(pawl_kv *base)
{
    struct rocksdb_kv *kv = (struct rocksdb_kv *)base;
    for (size_t i = 0; i < kv->batch_count; i++)
        rocksdb_writebatch_destroy(kv->batches[i]);
    if (kv->db != NULL) {
        for (size_t i = 0; i < PAWL_FAMILY_COUNT; i++)
            rocksdb_column_family_handle_destroy(kv->families[i]);
        rocksdb_close(kv->db);
        if (kv->writable && !atomic_load(&kv->failed))
            pawl_closed_note(kv->path);
    }
    rocksdb_readoptions_destroy(kv->read);
    rocksdb_writeoptions_destroy(kv->write_synced);
    rocksdb_writeoptions_destroy(kv->write_unsynced);
    pawl_rocksdb_options_finish(&kv->options);
    pthread_mutex_destroy(&kv->damage_lock);
    pthread_mutex_destroy(&kv->batches_lock);
    if (kv->lock >= 0)
        pawl_directory_leave(kv->lock);
    free(kv->path);
    free(kv);
}

/* Before anything is made in its place. */
static pawl_status check_existing(struct rocksdb_kv *kv, pawl_fault *fault)
{
    char name[4096];
    struct stat facts;
    int size = snprintf(name, sizeof name, "%s/CURRENT", kv->path); /* which every RocksDB database has */
    if (size > 0 && (size_t)size < sizeof name && stat(name, &facts) == 0)
        return PAWL_OK;
    return pawl_fault_set(fault, PAWL_E_NOT_FOUND, "store.not_found", "there is no store in %.400s", kv->path);
}

static pawl_status open_database(struct rocksdb_kv *kv, pawl_store_access access, pawl_fault *fault)
{
    const char *names[PAWL_FAMILY_COUNT];
    const rocksdb_options_t *options[PAWL_FAMILY_COUNT];
    for (size_t i = 0; i < PAWL_FAMILY_COUNT; i++) {
        /* RocksDB insists on a family of this name; the store's own facts live in it. */
        names[i] = i == PAWL_FAMILY_META ? "default" : pawl_family_name((pawl_family)i);
        options[i] = kv->options.family[i];
    }
    char *error = NULL;
    char what[512];
    if (access == PAWL_STORE_READ)
        kv->db = rocksdb_open_for_read_only_column_families(kv->options.database, kv->path, PAWL_FAMILY_COUNT, names,
                                                            options, kv->families, 0, &error);
    else
        kv->db = rocksdb_open_column_families(kv->options.database, kv->path, PAWL_FAMILY_COUNT, names, options,
                                              kv->families, &error);
    if (error == NULL)
        return PAWL_OK;
    kv->db = NULL;
    snprintf(what, sizeof what, "cannot open the store %.400s", kv->path);
    return read_fault(kv, error, what, fault);
}

/* Before RocksDB takes damage at the end of a file for the end of it. */
static pawl_status check_files(struct rocksdb_kv *kv, pawl_fault *fault)
{
    bool closed;
    pawl_status status = pawl_closed_check(kv->path, &closed, fault);
    if (status == PAWL_OK && !closed && kv->writable)
        status = pawl_log_tail_mend(kv->path, kv->sync, kv->base.notice, sizeof kv->base.notice, fault);
    if (status == PAWL_OK)
        status = pawl_damage_check_tables(kv->path, fault);
    if (status == PAWL_OK && closed && kv->writable)
        status = pawl_closed_forget(kv->path, fault);
    return status;
}

static const pawl_kv_table table = {
    .get = kv_get,
    .cursor_open = kv_cursor_open,
    .cursor_seek = kv_cursor_seek,
    .cursor_last = kv_cursor_last,
    .cursor_before = kv_cursor_before,
    .cursor_next = kv_cursor_next,
    .cursor_previous = kv_cursor_previous,
    .cursor_status = kv_cursor_status,
    .cursor_close = kv_cursor_close,
    .write = kv_write,
    .checkpoint = kv_checkpoint,
    .describe = kv_describe,
    .close = kv_close,
};

pawl_status pawl_rocksdb_kv_open(const pawl_store_config *config, pawl_kv **kv, pawl_fault *fault)
{
    struct rocksdb_kv *made = calloc(1, sizeof *made);
    char *path = strdup(config->path);
    if (made == NULL || path == NULL) {
        free(made);
        free(path);
        return pawl_fault_nomem(fault);
    }
    made->base.table = &table;
    made->path = path;
    made->lock = -1;
    made->sync = config->sync;
    made->writable = config->access != PAWL_STORE_READ;
    pthread_mutex_init(&made->damage_lock, NULL);
    pthread_mutex_init(&made->batches_lock, NULL);
    pawl_rocksdb_options_init(&made->options, config);
    made->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_verify_checksums(made->read, 1);
    made->write_synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(made->write_synced, 1);
    made->write_unsynced = rocksdb_writeoptions_create();
    pawl_status status = config->access == PAWL_STORE_CREATE ? PAWL_OK : check_existing(made, fault);
    if (status == PAWL_OK)
        status = pawl_directory_take(path, &made->lock, fault);
    if (status == PAWL_OK)
        status = check_files(made, fault);
    if (status == PAWL_OK)
        status = open_database(made, config->access, fault);
    if (status == PAWL_OK && config->access != PAWL_STORE_READ)
        status = pawl_directory_mark(path, fault);
    if (status != PAWL_OK) {
        kv_close(&made->base);
        return status;
    }
    *kv = &made->base;
    return PAWL_OK;
}
