/* attachments.c: see attachments.h. Every call enters the facet first and leaves it after, so that closing can wait for
 * those inside and turn away the rest: an effect that did not stop in time finds a closed door, not a freed store. */
#include "host/session/attachments.h"

#include "host/care/roots.h"
#include "worker/base/sink.h"
#include "worker/effect/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFERENCE_PREFIX "sha256:"

struct pawl_upload {
    pawl_attachment_facet *facet;
    pawl_attachment_upload *inner; /* NULL: aborted by closing */
    struct pawl_upload *next;
    struct pawl_upload **link; /* what points here */
};

void pawl_attachments_open(pawl_attachment_facet *facet, const pawl_attachment_table *table, pawl_store *store,
                           const pawl_session_table *session_table, pawl_store *session_store)
{
    *facet = (pawl_attachment_facet){
        .table = table, .store = store, .session_table = session_table, .session_store = session_store, .open = true};
    pthread_mutex_init(&facet->lock, NULL);
    pthread_cond_init(&facet->idle, NULL);
}

/* Takes the provider's uploads from their owners, who from now on meet a closed door. False when out of memory. */
static bool take_uploads(pawl_attachment_facet *facet, pawl_attachment_upload ***ret, size_t *ret_count)
{
    size_t count = 0;
    for (struct pawl_upload *upload = facet->uploads; upload != NULL; upload = upload->next)
        count++;
    pawl_attachment_upload **inner = calloc(count + 1, sizeof *inner);
    if (inner == NULL)
        return false;
    *ret = inner;
    *ret_count = count;
    for (struct pawl_upload *upload = facet->uploads, *next; upload != NULL; upload = next) {
        next = upload->next;
        *inner++ = upload->inner;
        upload->inner = NULL;
        upload->next = NULL;
        upload->link = NULL;
    }
    facet->uploads = NULL;
    return true;
}

void pawl_attachments_close(pawl_attachment_facet *facet)
{
    if (facet->table == NULL)
        return;
    pawl_attachment_upload **left = NULL;
    size_t count = 0;
    pthread_mutex_lock(&facet->lock);
    facet->open = false;
    while (facet->active > 0)
        pthread_cond_wait(&facet->idle, &facet->lock);
    (void)take_uploads(facet, &left, &count); /* without memory they stay, and the provider collects them later */
    pthread_mutex_unlock(&facet->lock);
    for (size_t i = 0; i < count; i++)
        facet->table->abort(left[i]);
    free(left);
}

void pawl_attachments_finish(pawl_attachment_facet *facet)
{
    if (facet->table == NULL)
        return;
    pthread_mutex_destroy(&facet->lock);
    pthread_cond_destroy(&facet->idle);
    *facet = (pawl_attachment_facet){0};
}

static pawl_status say(pawl_failure_sink *why, pawl_status status, uint32_t klass, const char *code,
                       const char *message)
{
    pawl_failure failure = {.struct_size = sizeof failure,
                            .klass = klass,
                            .code = pawl_bytes_text(code),
                            .message = pawl_bytes_text(message)};
    pawl_failure_tell(why, &failure);
    return status;
}

static pawl_status invalid(pawl_failure_sink *why, const char *message)
{
    return say(why, PAWL_E_INVALID, PAWL_TERMINAL, "attachment.invalid", message);
}

bool pawl_attachments_enter(pawl_attachment_facet *facet)
{
    pthread_mutex_lock(&facet->lock);
    bool open = facet->open;
    if (open)
        facet->active++;
    pthread_mutex_unlock(&facet->lock);
    return open;
}

void pawl_attachments_leave(pawl_attachment_facet *facet)
{
    pthread_mutex_lock(&facet->lock);
    facet->active--;
    if (facet->active == 0)
        pthread_cond_broadcast(&facet->idle);
    pthread_mutex_unlock(&facet->lock);
}

static pawl_status closed(pawl_failure_sink *why)
{
    return say(why, PAWL_E_CLOSED, PAWL_RETRYABLE, "attachment.closed", "the host is closing");
}

pawl_attachment_facet *pawl_attachments_of(const pawl_call_context *context)
{
    pawl_roots *roots = context == NULL ? NULL : pawl_roots_of(context->host);
    return roots == NULL || roots->attachments->table == NULL ? NULL : roots->attachments;
}

pawl_bytes pawl_attachments_scope(const pawl_call_context *context, char room[PAWL_SCOPE_SIZE])
{
    if (context->session.size > 0)
        return context->session;
    int size = snprintf(room, PAWL_SCOPE_SIZE, PAWL_PROCESS_SCOPE "%.*s", (int)context->process.size,
                        (const char *)context->process.data);
    pawl_bytes scope = {room, (size_t)size < PAWL_SCOPE_SIZE ? (size_t)size : PAWL_SCOPE_SIZE - 1};
    return scope;
}

static void unlink_upload(struct pawl_upload *upload)
{
    pthread_mutex_lock(&upload->facet->lock);
    if (upload->link != NULL) {
        *upload->link = upload->next;
        if (upload->next != NULL)
            upload->next->link = upload->link;
    }
    pthread_mutex_unlock(&upload->facet->lock);
}

static void link_upload(struct pawl_upload *upload)
{
    pawl_attachment_facet *facet = upload->facet;
    pthread_mutex_lock(&facet->lock);
    upload->next = facet->uploads;
    upload->link = &facet->uploads;
    if (upload->next != NULL)
        upload->next->link = &upload->next;
    facet->uploads = upload;
    pthread_mutex_unlock(&facet->lock);
}

static pawl_status PAWL_CALL upload_begin(const pawl_call_context *context, pawl_bytes media_type, pawl_bytes name,
                                          pawl_upload **ret, pawl_failure_sink *why)
{
    pawl_attachment_facet *facet = pawl_attachments_of(context);
    if (facet == NULL || ret == NULL)
        return invalid(why, "begin needs the context of a running call and a place for the upload");
    pawl_upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL)
        return say(why, PAWL_E_NOMEM, PAWL_RETRYABLE, "out_of_memory", "out of memory");
    if (!pawl_attachments_enter(facet)) {
        free(upload);
        return closed(why);
    }
    char room[PAWL_SCOPE_SIZE];
    pawl_status status =
        facet->table->begin(facet->store, pawl_attachments_scope(context, room), media_type, name, &upload->inner, why);
    upload->facet = facet;
    if (status == PAWL_OK) {
        link_upload(upload);
        *ret = upload;
    } else {
        free(upload);
    }
    pawl_attachments_leave(facet);
    return status;
}

static pawl_status PAWL_CALL upload_write(pawl_upload *upload, pawl_bytes chunk, pawl_failure_sink *why)
{
    if (upload == NULL)
        return invalid(why, "write needs an upload");
    if (!pawl_attachments_enter(upload->facet))
        return closed(why);
    pawl_status status = upload->facet->table->write(upload->inner, chunk, why);
    pawl_attachments_leave(upload->facet);
    return status;
}

void pawl_attachment_format(const uint8_t digest[32], char text[PAWL_REFERENCE_SIZE + 1])
{
    static const char hex[] = "0123456789abcdef";
    char *at = stpcpy(text, REFERENCE_PREFIX);
    for (size_t i = 0; i < 32; i++) {
        *at++ = hex[digest[i] >> 4];
        *at++ = hex[digest[i] & 15];
    }
    *at = '\0';
}

static int hex_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

bool pawl_attachment_parse(pawl_bytes reference, uint8_t digest[32])
{
    const uint8_t *text = reference.data;
    const size_t prefix = sizeof REFERENCE_PREFIX - 1;
    if (reference.size != PAWL_REFERENCE_SIZE || memcmp(text, REFERENCE_PREFIX, prefix) != 0)
        return false;
    for (size_t i = 0; i < 32; i++) {
        int high = hex_value(text[prefix + 2 * i]);
        int low = hex_value(text[prefix + 2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        digest[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static pawl_status PAWL_CALL upload_commit(pawl_upload *upload, pawl_sink *reference, pawl_failure_sink *why)
{
    if (upload == NULL)
        return invalid(why, "commit needs an upload");
    pawl_attachment_facet *facet = upload->facet;
    if (!pawl_attachments_enter(facet)) {
        free(upload);
        return closed(why);
    }
    unlink_upload(upload);
    uint8_t digest[32];
    uint64_t size = 0;
    pawl_status status = facet->table->commit(upload->inner, digest, &size, why);
    free(upload);
    pawl_attachments_leave(facet);
    if (status != PAWL_OK)
        return status;
    char text[PAWL_REFERENCE_SIZE + 1];
    pawl_attachment_format(digest, text);
    return pawl_sink_write(reference, text, PAWL_REFERENCE_SIZE);
}

static void PAWL_CALL upload_abort(pawl_upload *upload)
{
    if (upload == NULL)
        return;
    pawl_attachment_facet *facet = upload->facet;
    if (pawl_attachments_enter(facet)) {
        unlink_upload(upload);
        facet->table->abort(upload->inner);
        pawl_attachments_leave(facet);
    }
    free(upload);
}

static int32_t PAWL_CALL ignore(void *context, const pawl_attachment_info *info)
{
    (void)context;
    (void)info;
    return 0;
}

static pawl_status PAWL_CALL attachment_read(const pawl_call_context *context, pawl_bytes reference, uint64_t offset,
                                             uint64_t size, pawl_sink *out, uint64_t *total, pawl_failure_sink *why)
{
    pawl_attachment_facet *facet = pawl_attachments_of(context);
    uint8_t digest[32];
    if (facet == NULL || total == NULL)
        return invalid(why, "read needs the context of a running call and a place for the length");
    if (!pawl_attachment_parse(reference, digest))
        return invalid(why, "a reference is \"sha256:\" and 64 lower-case hex digits");
    if (!pawl_attachments_enter(facet))
        return closed(why);
    char room[PAWL_SCOPE_SIZE];
    pawl_failure_slot unsaid; /* a provider's own words about a missing link would not name the rule */
    pawl_failure_init(&unsaid);
    pawl_status status =
        facet->table->stat(facet->store, pawl_attachments_scope(context, room), digest, ignore, NULL, &unsaid);
    if (status == PAWL_E_NOT_FOUND)
        (void)say(why, status, PAWL_TERMINAL, "attachment.not_found",
                  "the process's session (or the process, if it has none) holds no attachment of this reference");
    else if (status != PAWL_OK && unsaid.set)
        pawl_failure_tell(why, &unsaid.failure);
    if (status == PAWL_OK)
        status = facet->table->read(facet->store, digest, offset, size, out, total, why);
    pawl_failure_finish(&unsaid);
    pawl_attachments_leave(facet);
    return status;
}

/* A sink of the host's own stands in between: a plugin's memory is no sink. */
static pawl_status PAWL_CALL attachment_load(const pawl_call_context *context, pawl_bytes reference, uint64_t offset,
                                             void *buffer, size_t size, size_t *loaded, uint64_t *total,
                                             pawl_failure_sink *why)
{
    if (loaded == NULL || (buffer == NULL && size > 0))
        return invalid(why, "load needs a buffer and a place for the number of bytes");
    pawl_sink sink;
    pawl_sink_init(&sink, size);
    pawl_status status = attachment_read(context, reference, offset, size, &sink, total, why);
    pawl_bytes bytes = pawl_sink_bytes(&sink);
    if (status == PAWL_OK && buffer != NULL && bytes.size > 0)
        memcpy(buffer, bytes.data, bytes.size);
    *loaded = status == PAWL_OK ? bytes.size : 0;
    pawl_sink_finish(&sink);
    return status;
}

const pawl_attachments *pawl_attachments_table(void)
{
    static const pawl_attachments table = {
        .struct_size = sizeof(pawl_attachments),
        .begin = upload_begin,
        .write = upload_write,
        .commit = upload_commit,
        .abort = upload_abort,
        .read = attachment_read,
        .load = attachment_load,
    };
    return &table;
}
