/* artifact.c: the artifact facet: code and definitions by digest, and who keeps them. The row with the facts is written
 * last: an artifact is there when that row is, whatever chunks an interrupted put has left. */
#include "artifact.h"

#include <openssl/evp.h>

#define BATCH_BYTES_MAX (8u << 20)

static pawl_status emit(const pawl_store *store, pawl_failure_sink *why, const pawl_fault *fault, pawl_status status)
{
    if (status != PAWL_OK && fault->status != PAWL_OK)
        pawl_fault_emit(&store->core, why, fault);
    return status;
}

static void key_artifact(pawl_key *key, const uint8_t *digest)
{
    pawl_key_start(key);
    pawl_key_append(key, (pawl_bytes){digest, PAWL_STORE_DIGEST_BYTES});
}

static void key_chunk(pawl_key *key, const uint8_t *digest, uint32_t index)
{
    key_artifact(key, digest);
    pawl_key_u32(key, index);
}

static void key_holder(pawl_key *key, const uint8_t *digest, pawl_bytes holder)
{
    key_artifact(key, digest);
    pawl_key_append(key, holder);
}

/* The facts of an artifact; kind points into the buffer. */
static pawl_status read_facts(pawl_store *store, const uint8_t *digest, pawl_buffer *buffer, uint64_t *size,
                              pawl_bytes *kind, pawl_fault *fault)
{
    char text[32];
    pawl_key key;
    pawl_reader reader;
    key_artifact(&key, digest);
    pawl_status status = pawl_kv_get(store->kv, PAWL_FAMILY_ARTIFACT, pawl_key_bytes(&key), buffer, fault);
    if (status == PAWL_E_NOT_FOUND)
        return pawl_fault_set(fault, status, "artifact.not_found", "there is no artifact %s",
                              pawl_store_digest_text(digest, text));
    if (status == PAWL_OK)
        status = pawl_row_open(&reader, PAWL_FAMILY_ARTIFACT, pawl_key_bytes(&key),
                               (pawl_bytes){buffer->data, buffer->size}, fault);
    if (status != PAWL_OK)
        return status;
    *size = pawl_reader_u64(&reader);
    *kind = pawl_reader_rest(&reader);
    return reader.bad ? pawl_row_bad(PAWL_FAMILY_ARTIFACT, pawl_key_bytes(&key), "it is too short", fault) : PAWL_OK;
}

static pawl_status is_there(pawl_store *store, const uint8_t *digest, pawl_fault *fault)
{
    pawl_buffer buffer = {0};
    uint64_t size;
    pawl_bytes kind;
    pawl_status status = read_facts(store, digest, &buffer, &size, &kind, fault);
    pawl_buffer_finish(&buffer);
    return status;
}

/* ---- put ---- */

static pawl_status write_content(pawl_store *store, pawl_batch *batch, pawl_bytes kind, pawl_bytes content,
                                 const uint8_t *digest, pawl_fault *fault)
{
    pawl_key key;
    uint32_t index = 0;
    const uint8_t *data = content.data;
    for (size_t at = 0; at < content.size; at += PAWL_STORE_CHUNK_BYTES) {
        size_t part = content.size - at < PAWL_STORE_CHUNK_BYTES ? content.size - at : PAWL_STORE_CHUNK_BYTES;
        key_chunk(&key, digest, index++);
        pawl_batch_begin(batch, PAWL_FAMILY_ARTIFACT, pawl_key_bytes(&key));
        pawl_buffer_append(&batch->bytes, data + at, part);
        pawl_batch_end(batch);
        if (batch->bytes.size < BATCH_BYTES_MAX)
            continue;
        pawl_status status = pawl_kv_write(store->kv, batch, true, fault);
        if (status != PAWL_OK)
            return status;
        pawl_batch_clear(batch);
    }
    key_artifact(&key, digest);
    pawl_batch_begin(batch, PAWL_FAMILY_ARTIFACT, pawl_key_bytes(&key));
    pawl_buffer_u64(&batch->bytes, content.size);
    pawl_buffer_append(&batch->bytes, kind.data, kind.size);
    pawl_batch_end(batch);
    return pawl_kv_write(store->kv, batch, true, fault);
}

pawl_status pawl_store_artifact_put(pawl_store *store, pawl_bytes kind, pawl_bytes content, uint8_t *digest,
                                    pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    uint8_t made[PAWL_STORE_DIGEST_BYTES];
    pawl_status status = pawl_store_check_size("the kind of an artifact", kind, PAWL_STORE_ID_BYTES_MAX, &fault);
    if (status == PAWL_OK)
        status = pawl_store_check_size("an artifact", content, PAWL_STORE_ARTIFACT_BYTES_MAX, &fault);
    if (status == PAWL_OK &&
        EVP_Digest(content.size == 0 ? "" : content.data, content.size, made, NULL, EVP_sha256(), NULL) != 1)
        status = pawl_fault_nomem(&fault);
    if (status != PAWL_OK)
        return emit(store, why, &fault, status);
    pthread_mutex_lock(pawl_store_digest_lock(store, made));
    status = is_there(store, made, &fault);
    if (status == PAWL_E_NOT_FOUND) {
        pawl_batch batch = {0};
        fault = (pawl_fault){0};
        status = write_content(store, &batch, kind, content, made, &fault);
        pawl_batch_finish(&batch);
    }
    pthread_mutex_unlock(pawl_store_digest_lock(store, made));
    if (status == PAWL_OK)
        memcpy(digest, made, sizeof made);
    return emit(store, why, &fault, status);
}

/* ---- get ---- */

static pawl_status hand_out(pawl_store *store, const uint8_t *digest, uint64_t size, EVP_MD_CTX *hash,
                            pawl_sink *content, pawl_fault *fault)
{
    pawl_buffer buffer = {0};
    pawl_status status = PAWL_OK;
    uint32_t index = 0;
    for (uint64_t at = 0; at < size && status == PAWL_OK;) {
        pawl_key key;
        pawl_reader reader;
        key_chunk(&key, digest, index++);
        status = pawl_kv_get(store->kv, PAWL_FAMILY_ARTIFACT, pawl_key_bytes(&key), &buffer, fault);
        if (status == PAWL_E_NOT_FOUND)
            status = pawl_row_bad(PAWL_FAMILY_ARTIFACT, pawl_key_bytes(&key), "it is missing", fault);
        if (status == PAWL_OK)
            status = pawl_row_open(&reader, PAWL_FAMILY_ARTIFACT, pawl_key_bytes(&key),
                                   (pawl_bytes){buffer.data, buffer.size}, fault);
        if (status != PAWL_OK)
            break;
        pawl_bytes part = pawl_reader_rest(&reader);
        if (part.size == 0 || part.size > size - at) {
            status = pawl_row_bad(PAWL_FAMILY_ARTIFACT, pawl_key_bytes(&key), "it has the wrong size", fault);
            break;
        }
        EVP_DigestUpdate(hash, part.data, part.size);
        at += part.size;
        if (content != NULL)
            status = store->core.sink_write(content, part.data, part.size);
    }
    pawl_buffer_finish(&buffer);
    return status;
}

static pawl_status check_digest(EVP_MD_CTX *hash, const uint8_t *digest, pawl_fault *fault)
{
    char text[32];
    uint8_t made[PAWL_STORE_DIGEST_BYTES];
    if (EVP_DigestFinal_ex(hash, made, NULL) != 1)
        return pawl_fault_nomem(fault);
    if (memcmp(made, digest, sizeof made) != 0)
        return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                              "stored data is damaged: the bytes of artifact %s have another digest",
                              pawl_store_digest_text(digest, text));
    return PAWL_OK;
}

pawl_status pawl_store_artifact_get(pawl_store *store, const uint8_t *digest, pawl_sink *content, pawl_sink *kind,
                                    pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_buffer buffer = {0};
    uint64_t size;
    pawl_bytes kind_bytes;
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    pawl_status status = PAWL_OK;
    if (hash == NULL || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
        status = pawl_fault_nomem(&fault);
    if (status == PAWL_OK)
        status = read_facts(store, digest, &buffer, &size, &kind_bytes, &fault);
    if (status == PAWL_OK)
        status = hand_out(store, digest, size, hash, content, &fault);
    if (status == PAWL_OK)
        status = check_digest(hash, digest, &fault);
    if (status == PAWL_OK && kind != NULL)
        status = store->core.sink_write(kind, kind_bytes.data, kind_bytes.size);
    EVP_MD_CTX_free(hash);
    pawl_buffer_finish(&buffer);
    return emit(store, why, &fault, status);
}

/* ---- holders ---- */

static pawl_status write_holder(pawl_store *store, const uint8_t *digest, pawl_bytes holder, bool holds,
                                pawl_fault *fault)
{
    pawl_key key;
    pawl_batch batch = {0};
    pawl_status status = PAWL_OK;
    key_holder(&key, digest, holder);
    if (holds)
        pawl_batch_mark(&batch, PAWL_FAMILY_HOLDER, pawl_key_bytes(&key));
    else
        pawl_batch_delete(&batch, PAWL_FAMILY_HOLDER, pawl_key_bytes(&key));
    pthread_mutex_lock(pawl_store_digest_lock(store, digest));
    if (holds)
        status = is_there(store, digest, fault);
    if (status == PAWL_OK)
        status = pawl_kv_write(store->kv, &batch, true, fault);
    pthread_mutex_unlock(pawl_store_digest_lock(store, digest));
    pawl_batch_finish(&batch);
    return status;
}

pawl_status pawl_store_artifact_hold(pawl_store *store, const uint8_t *digest, pawl_bytes holder,
                                     pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_status status = pawl_store_check_name("a holder", holder, PAWL_STORE_ID_BYTES_MAX, &fault);
    if (status == PAWL_OK)
        status = write_holder(store, digest, holder, true, &fault);
    return emit(store, why, &fault, status);
}

pawl_status pawl_store_artifact_release(pawl_store *store, const uint8_t *digest, pawl_bytes holder,
                                        pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_status status = pawl_store_check_name("a holder", holder, PAWL_STORE_ID_BYTES_MAX, &fault);
    if (status == PAWL_OK)
        status = write_holder(store, digest, holder, false, &fault);
    return emit(store, why, &fault, status);
}

static pawl_status check_free(pawl_store *store, const uint8_t *digest, pawl_fault *fault)
{
    char digest_text[32];
    char text[300];
    pawl_key prefix;
    key_artifact(&prefix, digest);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(store->kv, PAWL_FAMILY_HOLDER, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix));
    pawl_status status = pawl_kv_cursor_status(cursor, fault);
    if (status == PAWL_OK && cursor->valid) {
        pawl_bytes holder = {(const uint8_t *)cursor->key.data + prefix.size, cursor->key.size - prefix.size};
        status =
            pawl_fault_set(fault, PAWL_E_BUSY, "artifact.held", "artifact %s is held by \"%s\"",
                           pawl_store_digest_text(digest, digest_text), pawl_fault_text(holder, text, sizeof text));
    }
    pawl_kv_cursor_close(cursor);
    return status;
}

static pawl_status remove_locked(pawl_store *store, const uint8_t *digest, pawl_fault *fault)
{
    pawl_key key;
    pawl_key end;
    pawl_batch batch = {0};
    pawl_status status = is_there(store, digest, fault);
    if (status == PAWL_OK)
        status = check_free(store, digest, fault);
    if (status != PAWL_OK)
        return status;
    key_artifact(&key, digest);
    pawl_batch_delete(&batch, PAWL_FAMILY_ARTIFACT, pawl_key_bytes(&key));
    key_chunk(&key, digest, 0);
    key_chunk(&end, digest, UINT32_MAX); /* there are never so many chunks */
    pawl_batch_delete_range(&batch, PAWL_FAMILY_ARTIFACT, pawl_key_bytes(&key), pawl_key_bytes(&end));
    status = pawl_kv_write(store->kv, &batch, true, fault);
    pawl_batch_finish(&batch);
    return status;
}

pawl_status pawl_store_artifact_remove(pawl_store *store, const uint8_t *digest, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pthread_mutex_lock(pawl_store_digest_lock(store, digest));
    pawl_status status = remove_locked(store, digest, &fault);
    pthread_mutex_unlock(pawl_store_digest_lock(store, digest));
    return emit(store, why, &fault, status);
}
