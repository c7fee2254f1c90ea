/* collect.c: removing content that nothing links, and uploads that nobody will finish. Both are found by rows of their
 * own, the oldest first, so that a pass costs what there is to remove and not what there is. Must never remove content
 * with a link, whatever the rows say that led to it. */
#include "attachment.h"

typedef struct pass {
    pawl_store *store;
    uint64_t before_unix_ns;
    uint64_t limit;
    uint64_t removed;
    uint64_t bytes;
} pass;

static pawl_status write_and_finish(pass *own, pawl_batch *batch, pawl_fault *fault)
{
    pawl_status status = pawl_kv_write(own->store->kv, batch, true, fault);
    pawl_batch_finish(batch);
    return status;
}

/* Under the digest's lock, so that nobody links it in between. The row is that of the cursor's snapshot: it counts only
 * if the content still has the moment that it names. */
static pawl_status collect_blob(pass *own, pawl_bytes key, uint64_t loose_unix_ns, const uint8_t *digest,
                                pawl_fault *fault)
{
    bool linked = false;
    pawl_store_blob blob = {0};
    pawl_batch batch = {0};
    pawl_status status = pawl_store_blob_read(own->store, digest, &blob, fault);
    if (status == PAWL_E_NOT_FOUND || (status == PAWL_OK && blob.loose_unix_ns != loose_unix_ns)) {
        pawl_batch_delete(&batch, PAWL_FAMILY_ATTACHMENT, key);
        return write_and_finish(own, &batch, fault);
    }
    if (status == PAWL_OK)
        status = pawl_store_is_linked(own->store, digest, (pawl_bytes){NULL, 0}, &linked, fault);
    if (status != PAWL_OK)
        return status;
    if (linked) {
        pawl_store_blob_tighten(&batch, digest, &blob);
        return write_and_finish(own, &batch, fault);
    }
    pawl_batch_delete(&batch, PAWL_FAMILY_ATTACHMENT, key);
    pawl_store_blob_delete(&batch, digest, &blob);
    status = write_and_finish(own, &batch, fault);
    own->removed += status == PAWL_OK;
    own->bytes += status == PAWL_OK ? blob.size : 0;
    return status;
}

static pawl_status collect_loose(pass *own, pawl_bytes key, uint64_t loose_unix_ns, pawl_fault *fault)
{
    uint8_t digest[PAWL_STORE_DIGEST_BYTES];
    memcpy(digest, (const uint8_t *)key.data + key.size - sizeof digest, sizeof digest);
    pthread_mutex_lock(pawl_store_digest_lock(own->store, digest));
    pawl_status status = collect_blob(own, key, loose_unix_ns, digest, fault);
    pthread_mutex_unlock(pawl_store_digest_lock(own->store, digest));
    return status;
}

static pawl_status collect_upload(pass *own, pawl_bytes key, pawl_bytes value, uint64_t blob, pawl_fault *fault)
{
    pawl_reader reader;
    pawl_batch batch = {0};
    pawl_status status = pawl_row_open(&reader, PAWL_FAMILY_ATTACHMENT, key, value, fault);
    if (status != PAWL_OK)
        return status;
    if (pawl_reader_u64(&reader) >= own->before_unix_ns || pawl_store_upload_is_running(own->store, blob))
        return PAWL_OK;
    /* The row is that of the cursor's snapshot. If it is gone by now the upload was committed meanwhile, and its chunks
     * are content. */
    pawl_buffer current = {0};
    status = pawl_kv_get(own->store->kv, PAWL_FAMILY_ATTACHMENT, key, &current, fault);
    pawl_buffer_finish(&current);
    if (status != PAWL_OK)
        return status == PAWL_E_NOT_FOUND ? PAWL_OK : status;
    pawl_batch_delete(&batch, PAWL_FAMILY_ATTACHMENT, key);
    pawl_store_chunks_delete(&batch, blob);
    status = write_and_finish(own, &batch, fault);
    own->removed += status == PAWL_OK;
    return status;
}

/* One row: the number behind its tag is a moment ('g') or an upload ('u'). @return false when the rest is younger */
static bool collect_row(pass *own, uint8_t tag, const pawl_kv_cursor *cursor, pawl_status *status, pawl_fault *fault)
{
    pawl_reader key = pawl_reader_of(cursor->key);
    pawl_reader_u8(&key);
    uint64_t number = pawl_reader_u64(&key);
    bool loose = tag == 'g';
    if (key.bad || (size_t)(key.end - key.at) != (loose ? PAWL_STORE_DIGEST_BYTES : 0u))
        return true; /* the audit tells of it */
    if (loose && number >= own->before_unix_ns)
        return false;
    *status = loose ? collect_loose(own, cursor->key, number, fault)
                    : collect_upload(own, cursor->key, cursor->value, number, fault);
    if (*status == PAWL_E_CORRUPT) { /* a damaged row stops nothing: it is reported, and what it stands for stays */
        pawl_store_log(own->store, PAWL_LOG_ERROR, "collect leaves an attachment behind: %s", fault->message);
        *fault = (pawl_fault){0};
        *status = PAWL_OK;
    }
    return true;
}

static pawl_status collect_all(pass *own, uint8_t tag, pawl_fault *fault)
{
    pawl_key prefix;
    pawl_key_start(&prefix);
    pawl_key_u8(&prefix, tag);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(own->store->kv, PAWL_FAMILY_ATTACHMENT, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_status status = PAWL_OK;
    bool more = true;
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix)); more && cursor->valid && own->removed < own->limit;
         pawl_kv_cursor_next(cursor)) {
        more = collect_row(own, tag, cursor, &status, fault);
        more = more && status == PAWL_OK;
    }
    if (status == PAWL_OK)
        status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    return status;
}

pawl_status pawl_store_attachment_collect(pawl_store *store, pawl_attachment_collect *given, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    if (given == NULL || given->struct_size < sizeof *given) {
        (void)pawl_fault_set(&fault, PAWL_E_INVALID, "attachment.invalid", "the request of collect is too small");
        return pawl_fault_emit(&store->core, why, &fault);
    }
    pass own = {.store = store,
                .before_unix_ns = given->before_unix_ns,
                .limit = given->limit == 0 ? UINT64_MAX : given->limit};
    pawl_status status = collect_all(&own, 'g', &fault);
    if (status == PAWL_OK)
        status = collect_all(&own, 'u', &fault);
    given->removed = own.removed;
    given->bytes = own.bytes;
    return status == PAWL_OK ? status : pawl_fault_emit(&store->core, why, &fault);
}
