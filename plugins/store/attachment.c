/* attachment.c: reading and sharing attachments. A link is two rows, one under the scope and one under the digest,
 * always written together; whoever takes the last one leaves a third, by which collect.c finds the content. */
#include "attachment.h"

static pawl_status emit(const pawl_store *store, pawl_failure_sink *why, const pawl_fault *fault, pawl_status status)
{
    if (status != PAWL_OK && fault->status != PAWL_OK)
        pawl_fault_emit(&store->core, why, fault);
    return status;
}

static pawl_bytes digest_bytes(const uint8_t *digest)
{
    return (pawl_bytes){digest, PAWL_STORE_DIGEST_BYTES};
}

/* ---- rows ---- */

static void key_blob(pawl_key *key, const uint8_t *digest)
{
    pawl_key_start(key);
    pawl_key_u8(key, 'd');
    pawl_key_append(key, digest_bytes(digest));
}

void pawl_store_key_upload(pawl_key *key, uint64_t blob)
{
    pawl_key_start(key);
    pawl_key_u8(key, 'u');
    pawl_key_u64(key, blob);
}

void pawl_store_key_chunk(pawl_key *key, uint64_t blob, uint32_t index)
{
    pawl_key_start(key);
    pawl_key_u64(key, blob);
    pawl_key_u32(key, index);
}

static void key_scope(pawl_key *key, pawl_bytes scope)
{
    pawl_key_start(key);
    pawl_key_u8(key, 's');
    pawl_key_part(key, scope);
}

static void key_link(pawl_key *key, pawl_bytes scope, const uint8_t *digest)
{
    key_scope(key, scope);
    pawl_key_append(key, digest_bytes(digest));
}

static void key_reverse(pawl_key *key, const uint8_t *digest, pawl_bytes scope)
{
    key_blob(key, digest);
    pawl_key_append(key, scope);
}

void pawl_store_key_loose(pawl_key *key, uint64_t loose_unix_ns, const uint8_t *digest)
{
    pawl_key_start(key);
    pawl_key_u8(key, 'g');
    pawl_key_u64(key, loose_unix_ns);
    pawl_key_append(key, digest_bytes(digest));
}

void pawl_store_blob_put(pawl_batch *batch, const uint8_t *digest, const pawl_store_blob *blob)
{
    pawl_key key;
    key_blob(&key, digest);
    pawl_batch_begin(batch, PAWL_FAMILY_ATTACHMENT, pawl_key_bytes(&key));
    pawl_buffer_u64(&batch->bytes, blob->number);
    pawl_buffer_u64(&batch->bytes, blob->size);
    pawl_buffer_u64(&batch->bytes, blob->created_unix_ns);
    pawl_buffer_u64(&batch->bytes, blob->loose_unix_ns);
    pawl_batch_end(batch);
    if (blob->loose_unix_ns == 0)
        return;
    pawl_store_key_loose(&key, blob->loose_unix_ns, digest);
    pawl_batch_mark(batch, PAWL_FAMILY_ATTACHMENT, pawl_key_bytes(&key));
}

void pawl_store_blob_tighten(pawl_batch *batch, const uint8_t *digest, pawl_store_blob *blob)
{
    pawl_key key;
    if (blob->loose_unix_ns == 0)
        return;
    pawl_store_key_loose(&key, blob->loose_unix_ns, digest);
    pawl_batch_delete(batch, PAWL_FAMILY_ATTACHMENT, pawl_key_bytes(&key));
    blob->loose_unix_ns = 0;
    pawl_store_blob_put(batch, digest, blob);
}

pawl_status pawl_store_blob_decode(pawl_bytes key, pawl_bytes value, pawl_store_blob *blob, pawl_fault *fault)
{
    pawl_reader reader;
    pawl_status status = pawl_row_open(&reader, PAWL_FAMILY_ATTACHMENT, key, value, fault);
    if (status != PAWL_OK)
        return status;
    blob->number = pawl_reader_u64(&reader);
    blob->size = pawl_reader_u64(&reader);
    blob->created_unix_ns = pawl_reader_u64(&reader);
    blob->loose_unix_ns = pawl_reader_u64(&reader);
    return reader.bad ? pawl_row_bad(PAWL_FAMILY_ATTACHMENT, key, "it is too short", fault) : PAWL_OK;
}

pawl_status pawl_store_blob_read(pawl_store *store, const uint8_t *digest, pawl_store_blob *blob, pawl_fault *fault)
{
    char text[32];
    pawl_key key;
    pawl_buffer buffer = {0};
    key_blob(&key, digest);
    pawl_status status = pawl_kv_get(store->kv, PAWL_FAMILY_ATTACHMENT, pawl_key_bytes(&key), &buffer, fault);
    if (status == PAWL_E_NOT_FOUND)
        pawl_fault_set(fault, status, "attachment.not_found", "there is no attachment %s",
                       pawl_store_digest_text(digest, text));
    if (status == PAWL_OK)
        status = pawl_store_blob_decode(pawl_key_bytes(&key), (pawl_bytes){buffer.data, buffer.size}, blob, fault);
    pawl_buffer_finish(&buffer);
    return status;
}

void pawl_store_chunks_delete(pawl_batch *batch, uint64_t blob)
{
    pawl_key from;
    pawl_key to;
    pawl_store_key_chunk(&from, blob, 0);
    pawl_store_key_chunk(&to, blob + 1, 0);
    pawl_batch_delete_range(batch, PAWL_FAMILY_CHUNK, pawl_key_bytes(&from), pawl_key_bytes(&to));
}

void pawl_store_blob_delete(pawl_batch *batch, const uint8_t *digest, const pawl_store_blob *blob)
{
    pawl_key key;
    key_blob(&key, digest);
    pawl_batch_delete(batch, PAWL_FAMILY_ATTACHMENT, pawl_key_bytes(&key));
    pawl_store_chunks_delete(batch, blob->number);
}

pawl_status pawl_store_link_check(pawl_bytes scope, pawl_bytes media_type, pawl_bytes name, pawl_fault *fault)
{
    pawl_status status = pawl_store_check_name("a scope", scope, PAWL_STORE_SCOPE_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("a media type", media_type, PAWL_STORE_MEDIA_TYPE_BYTES_MAX, fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("the name of an attachment", name, PAWL_STORE_NAME_BYTES_MAX, fault);
    return status;
}

void pawl_store_link_put(pawl_batch *batch, pawl_bytes scope, const uint8_t *digest, pawl_bytes media_type,
                         pawl_bytes name)
{
    pawl_key key;
    key_link(&key, scope, digest);
    pawl_batch_begin(batch, PAWL_FAMILY_LINK, pawl_key_bytes(&key));
    pawl_buffer_bytes(&batch->bytes, media_type);
    pawl_buffer_bytes(&batch->bytes, name);
    pawl_batch_end(batch);
    key_reverse(&key, digest, scope);
    pawl_batch_mark(batch, PAWL_FAMILY_LINK, pawl_key_bytes(&key));
}

/* ---- reading ---- */

/* A chunk that is not there is damage, unless the content was let go and collected while it was read. */
static pawl_status chunk_missing(pawl_store *store, const uint8_t *digest, const pawl_store_blob *blob,
                                 const pawl_key *key, pawl_fault *fault)
{
    pawl_store_blob now;
    pawl_status status = pawl_store_blob_read(store, digest, &now, fault);
    if (status == PAWL_OK && now.number != blob->number)
        return pawl_fault_set(fault, PAWL_E_NOT_FOUND, "attachment.not_found",
                              "the attachment was let go and stored anew while it was read; read it again");
    if (status != PAWL_OK)
        return status;
    return pawl_row_bad(PAWL_FAMILY_CHUNK, pawl_key_bytes(key), "it is missing", fault);
}

static pawl_status read_chunk(pawl_store *store, const uint8_t *digest, const pawl_store_blob *blob, uint32_t index,
                              pawl_buffer *buffer, pawl_bytes *content, pawl_fault *fault)
{
    pawl_key key;
    pawl_reader reader;
    pawl_store_key_chunk(&key, blob->number, index);
    pawl_status status = pawl_kv_get(store->kv, PAWL_FAMILY_CHUNK, pawl_key_bytes(&key), buffer, fault);
    if (status == PAWL_E_NOT_FOUND)
        return chunk_missing(store, digest, blob, &key, fault);
    if (status == PAWL_OK)
        status = pawl_row_open(&reader, PAWL_FAMILY_CHUNK, pawl_key_bytes(&key),
                               (pawl_bytes){buffer->data, buffer->size}, fault);
    if (status != PAWL_OK)
        return status;
    *content = pawl_reader_rest(&reader);
    uint64_t left = blob->size - (uint64_t)index * PAWL_STORE_CHUNK_BYTES;
    if (content->size != (left < PAWL_STORE_CHUNK_BYTES ? left : PAWL_STORE_CHUNK_BYTES))
        return pawl_row_bad(PAWL_FAMILY_CHUNK, pawl_key_bytes(&key), "it has the wrong size", fault);
    return PAWL_OK;
}

static pawl_status read_range(pawl_store *store, const uint8_t *digest, const pawl_store_blob *blob, uint64_t offset,
                              uint64_t size, pawl_sink *out, pawl_fault *fault)
{
    pawl_buffer buffer = {0};
    pawl_status status = PAWL_OK;
    uint64_t end = blob->size;
    if (offset < end && size < end - offset)
        end = offset + size;
    while (offset < end && status == PAWL_OK) {
        pawl_bytes content = {NULL, 0};
        status = read_chunk(store, digest, blob, (uint32_t)(offset / PAWL_STORE_CHUNK_BYTES), &buffer, &content, fault);
        if (status != PAWL_OK)
            break;
        size_t skip = (size_t)(offset % PAWL_STORE_CHUNK_BYTES);
        size_t part = content.size - skip;
        part = part < end - offset ? part : (size_t)(end - offset);
        status = store->core.sink_write(out, (const uint8_t *)content.data + skip, part);
        offset += part;
    }
    pawl_buffer_finish(&buffer);
    return status;
}

pawl_status pawl_store_attachment_read(pawl_store *store, const uint8_t *digest, uint64_t offset, uint64_t size,
                                       pawl_sink *out, uint64_t *total, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_store_blob blob;
    pawl_status status = pawl_store_blob_read(store, digest, &blob, &fault);
    if (status == PAWL_OK && total != NULL)
        *total = blob.size;
    if (status == PAWL_OK && size > 0)
        status = read_range(store, digest, &blob, offset, size, out, &fault);
    return emit(store, why, &fault, status);
}

/* One row of a listing. @return the visitor's answer in *stop */
static pawl_status visit_link(pawl_store *store, const uint8_t *digest, pawl_bytes key, pawl_bytes value,
                              pawl_attachment_visit visit, void *context, int32_t *stop, pawl_fault *fault)
{
    pawl_reader reader;
    pawl_store_blob blob;
    pawl_status status = pawl_row_open(&reader, PAWL_FAMILY_LINK, key, value, fault);
    if (status == PAWL_OK)
        status = pawl_store_blob_read(store, digest, &blob, fault);
    if (status == PAWL_E_NOT_FOUND)
        return pawl_row_bad(PAWL_FAMILY_LINK, key, "what it links is not there", fault);
    if (status != PAWL_OK)
        return status;
    pawl_attachment_info info = {
        .struct_size = sizeof info, .size = blob.size, .created_unix_ns = blob.created_unix_ns};
    memcpy(info.digest, digest, sizeof info.digest);
    info.media_type = pawl_reader_bytes(&reader);
    info.name = pawl_reader_bytes(&reader);
    if (reader.bad)
        return pawl_row_bad(PAWL_FAMILY_LINK, key, "its fields do not fit", fault);
    *stop = visit == NULL ? 0 : visit(context, &info);
    return PAWL_OK;
}

pawl_status pawl_store_attachment_stat(pawl_store *store, pawl_bytes scope, const uint8_t *digest,
                                       pawl_attachment_visit visit, void *context, pawl_failure_sink *why)
{
    char text[32];
    pawl_fault fault = {0};
    pawl_key key;
    pawl_buffer buffer = {0};
    int32_t stop;
    pawl_status status = pawl_store_check_name("a scope", scope, PAWL_STORE_SCOPE_BYTES_MAX, &fault);
    if (status == PAWL_OK) {
        key_link(&key, scope, digest);
        status = pawl_kv_get(store->kv, PAWL_FAMILY_LINK, pawl_key_bytes(&key), &buffer, &fault);
    }
    if (status == PAWL_E_NOT_FOUND)
        pawl_fault_set(&fault, status, "attachment.not_found", "attachment %s is not linked to this scope",
                       pawl_store_digest_text(digest, text));
    if (status == PAWL_OK)
        status = visit_link(store, digest, pawl_key_bytes(&key), (pawl_bytes){buffer.data, buffer.size}, visit, context,
                            &stop, &fault);
    pawl_buffer_finish(&buffer);
    return emit(store, why, &fault, status);
}

static pawl_status visit_links(pawl_store *store, pawl_kv_cursor *cursor, const pawl_key *prefix,
                               pawl_attachment_visit visit, void *context, pawl_fault *fault)
{
    int32_t stop = 0;
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(prefix)); cursor->valid && stop == 0; pawl_kv_cursor_next(cursor)) {
        uint8_t digest[PAWL_STORE_DIGEST_BYTES];
        if (cursor->key.size != prefix->size + sizeof digest)
            return pawl_row_bad(PAWL_FAMILY_LINK, cursor->key, "its key does not fit", fault);
        memcpy(digest, (const uint8_t *)cursor->key.data + prefix->size, sizeof digest);
        pawl_status status = visit_link(store, digest, cursor->key, cursor->value, visit, context, &stop, fault);
        if (status != PAWL_OK)
            return status;
    }
    return pawl_kv_cursor_status(cursor, fault);
}

pawl_status pawl_store_attachment_list(pawl_store *store, pawl_bytes scope, pawl_attachment_visit visit, void *context,
                                       pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_key prefix;
    pawl_status status = pawl_store_check_name("a scope", scope, PAWL_STORE_SCOPE_BYTES_MAX, &fault);
    if (status == PAWL_OK) {
        key_scope(&prefix, scope);
        pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(store->kv, PAWL_FAMILY_LINK, &prefix);
        status =
            cursor == NULL ? pawl_fault_nomem(&fault) : visit_links(store, cursor, &prefix, visit, context, &fault);
        pawl_kv_cursor_close(cursor);
    }
    return emit(store, why, &fault, status);
}

/* ---- sharing ---- */

static pawl_status link_locked(pawl_store *store, pawl_bytes scope, const uint8_t *digest, pawl_bytes media_type,
                               pawl_bytes name, pawl_fault *fault)
{
    pawl_store_blob blob;
    pawl_batch batch = {0};
    pawl_status status = pawl_store_blob_read(store, digest, &blob, fault);
    if (status != PAWL_OK)
        return status;
    pawl_store_blob_tighten(&batch, digest, &blob);
    pawl_store_link_put(&batch, scope, digest, media_type, name);
    status = pawl_kv_write(store->kv, &batch, true, fault);
    pawl_batch_finish(&batch);
    return status;
}

pawl_status pawl_store_attachment_link(pawl_store *store, pawl_bytes scope, const uint8_t *digest,
                                       pawl_bytes media_type, pawl_bytes name, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_status status = pawl_store_link_check(scope, media_type, name, &fault);
    if (status == PAWL_OK) {
        pthread_mutex_lock(pawl_store_digest_lock(store, digest));
        status = link_locked(store, scope, digest, media_type, name, &fault);
        pthread_mutex_unlock(pawl_store_digest_lock(store, digest));
    }
    return emit(store, why, &fault, status);
}

pawl_status pawl_store_is_linked(pawl_store *store, const uint8_t *digest, pawl_bytes but, bool *linked,
                                 pawl_fault *fault)
{
    pawl_key prefix;
    pawl_key own;
    key_blob(&prefix, digest);
    key_reverse(&own, digest, but);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(store->kv, PAWL_FAMILY_LINK, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix));
    if (cursor->valid && but.size > 0 && pawl_bytes_equal(cursor->key, pawl_key_bytes(&own)))
        pawl_kv_cursor_next(cursor);
    *linked = cursor->valid;
    pawl_status status = pawl_kv_cursor_status(cursor, fault);
    pawl_kv_cursor_close(cursor);
    return status;
}

/* When this was the last link, the content is loose from now on. */
static pawl_status stage_loose(pawl_store *store, pawl_bytes scope, const uint8_t *digest, pawl_batch *batch,
                               pawl_fault *fault)
{
    bool linked = false;
    pawl_store_blob blob;
    pawl_status status = pawl_store_blob_read(store, digest, &blob, fault);
    if (status == PAWL_OK && blob.loose_unix_ns == 0)
        status = pawl_store_is_linked(store, digest, scope, &linked, fault);
    if (status == PAWL_OK && blob.loose_unix_ns == 0 && !linked) {
        blob.loose_unix_ns = pawl_store_unix_now(store);
        pawl_store_blob_put(batch, digest, &blob);
    }
    if (status == PAWL_E_CORRUPT) /* who wants to let go of it can */
        pawl_store_log(store, PAWL_LOG_ERROR, "an attachment will not be collected: %s", fault->message);
    if (status == PAWL_E_CORRUPT || status == PAWL_E_NOT_FOUND) {
        *fault = (pawl_fault){0};
        return PAWL_OK;
    }
    return status;
}

static pawl_status unlink_locked(pawl_store *store, pawl_bytes scope, const uint8_t *digest, pawl_fault *fault)
{
    pawl_key key;
    pawl_batch batch = {0};
    pawl_status status = stage_loose(store, scope, digest, &batch, fault);
    if (status == PAWL_OK) {
        key_link(&key, scope, digest);
        pawl_batch_delete(&batch, PAWL_FAMILY_LINK, pawl_key_bytes(&key));
        key_reverse(&key, digest, scope);
        pawl_batch_delete(&batch, PAWL_FAMILY_LINK, pawl_key_bytes(&key));
        status = pawl_kv_write(store->kv, &batch, true, fault);
    }
    pawl_batch_finish(&batch);
    return status;
}

pawl_status pawl_store_attachment_unlink(pawl_store *store, pawl_bytes scope, const uint8_t *digest,
                                         pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_status status = pawl_store_check_name("a scope", scope, PAWL_STORE_SCOPE_BYTES_MAX, &fault);
    if (status == PAWL_OK) {
        pthread_mutex_lock(pawl_store_digest_lock(store, digest));
        status = unlink_locked(store, scope, digest, &fault);
        pthread_mutex_unlock(pawl_store_digest_lock(store, digest));
    }
    return emit(store, why, &fault, status);
}
