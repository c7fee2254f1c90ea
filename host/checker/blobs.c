/* blobs.c: see blobs.h. Sizes are those of samples; nothing is ever removed. */
#include "blobs.h"

#include "lab.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define BLOB_BYTES_MAX ((size_t)256 << 20)
enum { DIGEST_BYTES = 32, REFERENCE_MAX = 72 };

typedef struct blob {
    struct blob *next;
    char reference[REFERENCE_MAX];
    size_t size;
    unsigned char data[];
} blob;

struct pawl_upload {
    unsigned char *data;
    size_t size;
};

static struct {
    pthread_mutex_t lock; /* guards first */
    blob *first;
    atomic_uint open;
} all = {PTHREAD_MUTEX_INITIALIZER, NULL, 0};

static pawl_status tell(pawl_failure_sink *why, pawl_status status, const char *code, const char *message)
{
    pawl_failure failure = {.struct_size = sizeof failure, .klass = PAWL_TERMINAL};
    failure.code = pawl_bytes_text(code);
    failure.message = pawl_bytes_text(message);
    if (why != NULL) {
        lab_why *own = (lab_why *)(void *)why;
        pawl_failure_tell(&own->slot, &failure);
    }
    return status;
}

static pawl_status begin(const pawl_call_context *context, pawl_bytes media_type, pawl_bytes name, pawl_upload **upload,
                         pawl_failure_sink *why)
{
    (void)media_type;
    (void)name;
    if (context == NULL || upload == NULL)
        return tell(why, PAWL_E_INVALID, "attachment.invalid", "an upload needs the call's context");
    pawl_upload *made = calloc(1, sizeof *made);
    if (made == NULL)
        return PAWL_E_NOMEM;
    atomic_fetch_add(&all.open, 1);
    *upload = made;
    return PAWL_OK;
}

static pawl_status write_chunk(pawl_upload *upload, pawl_bytes chunk, pawl_failure_sink *why)
{
    if (upload == NULL || chunk.size > BLOB_BYTES_MAX - upload->size)
        return tell(why, PAWL_E_LIMIT, "attachment.too_large", "more than a check keeps in memory");
    unsigned char *data = realloc(upload->data, upload->size + chunk.size + 1);
    if (data == NULL)
        return PAWL_E_NOMEM;
    if (chunk.size > 0)
        memcpy(data + upload->size, chunk.data, chunk.size);
    upload->data = data;
    upload->size += chunk.size;
    return PAWL_OK;
}

static void abort_upload(pawl_upload *upload)
{
    if (upload == NULL)
        return;
    atomic_fetch_sub(&all.open, 1);
    free(upload->data);
    free(upload);
}

static const blob *find(const char *reference)
{
    const blob *found = all.first;
    while (found != NULL && strcmp(found->reference, reference) != 0)
        found = found->next;
    return found;
}

static void keep(const char *reference, const unsigned char *data, size_t size)
{
    pthread_mutex_lock(&all.lock);
    if (find(reference) == NULL) {
        blob *made = calloc(1, sizeof *made + size + 1);
        if (made == NULL)
            abort();
        memcpy(made->reference, reference, strlen(reference) + 1);
        made->size = size;
        if (size > 0)
            memcpy(made->data, data, size);
        made->next = all.first;
        all.first = made;
    }
    pthread_mutex_unlock(&all.lock);
}

static pawl_status commit(pawl_upload *upload, pawl_sink *reference, pawl_failure_sink *why)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[REFERENCE_MAX] = "sha256:";
    if (upload == NULL)
        return tell(why, PAWL_E_INVALID, "attachment.invalid", "no upload");
    if (EVP_Digest(upload->size == 0 ? (const void *)"" : upload->data, upload->size, digest, NULL, EVP_sha256(),
                   NULL) != 1) {
        abort_upload(upload);
        return PAWL_E_NOMEM;
    }
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        snprintf(text + 7 + 2 * i, 3, "%02x", digest[i]);
    keep(text, upload->data, upload->size);
    abort_upload(upload);
    return lab_core_write(reference, text, strlen(text));
}

/* What is there from an offset on, at most size bytes; NULL: unknown. */
static const blob *range(pawl_bytes reference, uint64_t offset, uint64_t size, size_t *ret_size)
{
    char text[REFERENCE_MAX] = "";
    if (reference.size < sizeof text)
        memcpy(text, reference.data, reference.size);
    pthread_mutex_lock(&all.lock);
    const blob *found = find(text);
    pthread_mutex_unlock(&all.lock);
    size_t left = found != NULL && offset < found->size ? found->size - (size_t)offset : 0;
    *ret_size = size < left ? (size_t)size : left;
    return found;
}

static pawl_status read_range(const pawl_call_context *context, pawl_bytes reference, uint64_t offset, uint64_t size,
                              pawl_sink *out, uint64_t *total, pawl_failure_sink *why)
{
    size_t count = 0;
    const blob *found = range(reference, offset, size, &count);
    (void)context;
    if (found == NULL)
        return tell(why, PAWL_E_NOT_FOUND, "attachment.not_found", "the session has no such attachment");
    *total = found->size;
    return count == 0 ? PAWL_OK : lab_core_write(out, found->data + offset, count);
}

static pawl_status load(const pawl_call_context *context, pawl_bytes reference, uint64_t offset, void *buffer,
                        size_t size, size_t *loaded, uint64_t *total, pawl_failure_sink *why)
{
    size_t count = 0;
    const blob *found = range(reference, offset, size, &count);
    (void)context;
    if (found == NULL)
        return tell(why, PAWL_E_NOT_FOUND, "attachment.not_found", "the session has no such attachment");
    if (count > 0)
        memcpy(buffer, found->data + offset, count);
    *loaded = count;
    *total = found->size;
    return PAWL_OK;
}

const pawl_attachments *lab_blobs_table(void)
{
    static const pawl_attachments table = {sizeof table, 0, begin, write_chunk, commit, abort_upload, read_range, load};
    return &table;
}

unsigned lab_blobs_open(void)
{
    return atomic_load(&all.open);
}
