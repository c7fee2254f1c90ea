/* upload.c: storing an attachment. Its digest is known only at the end, so chunks are stored under a number, with a
 * row that says when the upload began; the last batch names the content and takes that row away. What was never
 * committed is found by it and collected. */
#include "attachment.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct pawl_attachment_upload {
    LIST_ENTRY(pawl_attachment_upload) link;
    pawl_store *store;
    EVP_MD_CTX *hash;
    uint64_t blob;
    uint64_t started_unix_ns;
    uint64_t size;
    uint32_t chunks;  /* written */
    pawl_buffer rest; /* what does not fill a chunk yet */
    pawl_bytes scope; /* these point into text */
    pawl_bytes media_type;
    pawl_bytes name;
    uint8_t text[];
};

static void destroy(pawl_attachment_upload *upload)
{
    if (upload == NULL)
        return;
    pawl_store_contents *contents = upload->store->contents;
    pthread_mutex_lock(&contents->lock);
    LIST_REMOVE(upload, link);
    pthread_mutex_unlock(&contents->lock);
    EVP_MD_CTX_free(upload->hash);
    pawl_buffer_finish(&upload->rest);
    free(upload);
}

static pawl_bytes keep(uint8_t **at, pawl_bytes bytes)
{
    pawl_bytes kept = {*at, bytes.size};
    if (bytes.size > 0)
        memcpy(*at, bytes.data, bytes.size);
    *at += bytes.size;
    return kept;
}

static pawl_status begin(pawl_store *store, pawl_bytes scope, pawl_bytes media_type, pawl_bytes name,
                         pawl_attachment_upload **upload, pawl_fault *fault)
{
    uint64_t blob;
    pawl_status status = pawl_store_link_check(scope, media_type, name, fault);
    if (status == PAWL_OK)
        status = pawl_store_ticket(store, &blob, fault);
    if (status != PAWL_OK)
        return status;
    pawl_attachment_upload *made = calloc(1, sizeof *made + scope.size + media_type.size + name.size);
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (made == NULL || hash == NULL || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1) {
        free(made);
        EVP_MD_CTX_free(hash);
        return pawl_fault_nomem(fault);
    }
    uint8_t *at = made->text;
    made->store = store;
    made->hash = hash;
    made->blob = blob;
    made->started_unix_ns = pawl_store_unix_now(store);
    made->scope = keep(&at, scope);
    made->media_type = keep(&at, media_type);
    made->name = keep(&at, name);
    pthread_mutex_lock(&store->contents->lock);
    LIST_INSERT_HEAD(&store->contents->uploads, made, link);
    pthread_mutex_unlock(&store->contents->lock);
    *upload = made;
    return PAWL_OK;
}

pawl_status pawl_store_upload_begin(pawl_store *store, pawl_bytes scope, pawl_bytes media_type, pawl_bytes name,
                                    pawl_attachment_upload **upload, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_status status = begin(store, scope, media_type, name, upload, &fault);
    return status == PAWL_OK ? status : pawl_fault_emit(&store->core, why, &fault);
}

static void put_chunk(pawl_attachment_upload *upload, pawl_batch *batch, pawl_bytes content)
{
    pawl_key key;
    pawl_store_key_chunk(&key, upload->blob, upload->chunks++);
    pawl_batch_begin(batch, PAWL_FAMILY_CHUNK, pawl_key_bytes(&key));
    pawl_buffer_append(&batch->bytes, content.data, content.size);
    pawl_batch_end(batch);
}

/* A full chunk goes to the engine at once, flushed like everything: several writes in a row that were not flushed are,
 * after a power failure, not to be told from damage in the log. */
static pawl_status write_chunk(pawl_attachment_upload *upload, pawl_fault *fault)
{
    pawl_key key;
    pawl_batch batch = {0};
    if (upload->chunks == 0) {
        pawl_store_key_upload(&key, upload->blob);
        pawl_batch_begin(&batch, PAWL_FAMILY_ATTACHMENT, pawl_key_bytes(&key));
        pawl_buffer_u64(&batch.bytes, upload->started_unix_ns);
        pawl_batch_end(&batch);
    }
    put_chunk(upload, &batch, (pawl_bytes){upload->rest.data, upload->rest.size});
    pawl_status status = pawl_kv_write(upload->store->kv, &batch, true, fault);
    pawl_batch_finish(&batch);
    if (status == PAWL_OK)
        pawl_buffer_clear(&upload->rest);
    else
        upload->chunks--; /* the caller may try again */
    return status;
}

static pawl_status write_all(pawl_attachment_upload *upload, pawl_bytes bytes, pawl_fault *fault)
{
    const uint8_t *data = bytes.data;
    size_t left = bytes.size;
    if (left > PAWL_STORE_ATTACHMENT_BYTES_MAX - upload->size)
        return pawl_store_limit(fault, "the bytes of an attachment", upload->size + left,
                                PAWL_STORE_ATTACHMENT_BYTES_MAX);
    while (left > 0) {
        if (upload->rest.size == PAWL_STORE_CHUNK_BYTES) {
            pawl_status status = write_chunk(upload, fault);
            if (status != PAWL_OK)
                return status;
        }
        size_t part = PAWL_STORE_CHUNK_BYTES - upload->rest.size;
        part = part < left ? part : left;
        pawl_buffer_append(&upload->rest, data, part);
        if (upload->rest.failed)
            return pawl_fault_nomem(fault);
        EVP_DigestUpdate(upload->hash, data, part);
        upload->size += part;
        data += part;
        left -= part;
    }
    return PAWL_OK;
}

pawl_status pawl_store_upload_write(pawl_attachment_upload *upload, pawl_bytes chunk, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_status status = write_all(upload, chunk, &fault);
    return status == PAWL_OK ? status : pawl_fault_emit(&upload->store->core, why, &fault);
}

/* Under the digest's lock: name the content, or drop it if it is there already. */
static pawl_status write_content(pawl_attachment_upload *upload, const uint8_t *digest, pawl_fault *fault)
{
    pawl_key key;
    pawl_batch batch = {0};
    pawl_store_blob blob;
    pawl_status status = pawl_store_blob_read(upload->store, digest, &blob, fault);
    if (status != PAWL_OK && status != PAWL_E_NOT_FOUND)
        return status;
    bool stored_in_part = upload->chunks > 0;
    if (stored_in_part) {
        pawl_store_key_upload(&key, upload->blob);
        pawl_batch_delete(&batch, PAWL_FAMILY_ATTACHMENT, pawl_key_bytes(&key));
    }
    if (status == PAWL_OK) {
        if (stored_in_part)
            pawl_store_chunks_delete(&batch, upload->blob);
        pawl_store_blob_tighten(&batch, digest, &blob);
    } else {
        blob = (pawl_store_blob){upload->blob, upload->size, pawl_store_unix_now(upload->store), 0};
        if (upload->rest.size > 0)
            put_chunk(upload, &batch, (pawl_bytes){upload->rest.data, upload->rest.size});
        pawl_store_blob_put(&batch, digest, &blob);
    }
    pawl_store_link_put(&batch, upload->scope, digest, upload->media_type, upload->name);
    status = pawl_kv_write(upload->store->kv, &batch, true, fault);
    pawl_batch_finish(&batch);
    return status;
}

/* Chunks of an upload that comes to nothing. Should this fail, collect finds them by the upload's row. */
static void drop_chunks(pawl_attachment_upload *upload)
{
    if (upload->chunks == 0)
        return;
    pawl_key key;
    pawl_batch batch = {0};
    pawl_store_key_upload(&key, upload->blob);
    pawl_batch_delete(&batch, PAWL_FAMILY_ATTACHMENT, pawl_key_bytes(&key));
    pawl_store_chunks_delete(&batch, upload->blob);
    pawl_kv_write(upload->store->kv, &batch, true, NULL);
    pawl_batch_finish(&batch);
}

pawl_status pawl_store_upload_commit(pawl_attachment_upload *upload, uint8_t *digest, uint64_t *size,
                                     pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    uint8_t made[PAWL_STORE_DIGEST_BYTES];
    pawl_store *store = upload->store;
    pawl_status status = PAWL_OK;
    if (upload->rest.failed || EVP_DigestFinal_ex(upload->hash, made, NULL) != 1)
        status = pawl_fault_nomem(&fault);
    if (status == PAWL_OK) {
        pthread_mutex_lock(pawl_store_digest_lock(store, made));
        status = write_content(upload, made, &fault);
        pthread_mutex_unlock(pawl_store_digest_lock(store, made));
    }
    if (status == PAWL_OK) {
        memcpy(digest, made, sizeof made);
        if (size != NULL)
            *size = upload->size;
    } else if (status != PAWL_E_IO) { /* after an I/O error nobody knows what is on the device: leave it to collect */
        drop_chunks(upload);
    }
    destroy(upload);
    return status == PAWL_OK ? status : pawl_fault_emit(&store->core, why, &fault);
}

void pawl_store_upload_abort(pawl_attachment_upload *upload)
{
    if (upload == NULL)
        return;
    drop_chunks(upload);
    destroy(upload);
}

bool pawl_store_upload_is_running(pawl_store *store, uint64_t blob)
{
    const pawl_attachment_upload *upload;
    bool running = false;
    pthread_mutex_lock(&store->contents->lock);
    LIST_FOREACH(upload, &store->contents->uploads, link)
    running = running || upload->blob == blob;
    pthread_mutex_unlock(&store->contents->lock);
    return running;
}
