/* guest_attachments.c: pawl.attachments/1 over the socket: each call of the plugin is a question to the host, and waits
 * for its answer. Content goes in pieces. Which process's content may be touched the host decides, by the call. */
#include "guest.h"

#include <stdlib.h>
#include <string.h>

struct pawl_upload {
    guest *owner;
    uint64_t call;
    uint64_t handle;
};

static pawl_status say(pawl_failure_sink *why, pawl_status status, const char *code, const char *message)
{
    pawl_failure failure = {.struct_size = sizeof failure,
                            .klass = status == PAWL_E_NOMEM ? PAWL_RETRYABLE : PAWL_TERMINAL,
                            .code = pawl_bytes_text(code),
                            .message = pawl_bytes_text(message)};
    if (why != NULL)
        pawl_failure_tell(why, &failure);
    return status;
}

static const guest_call *call_of(const pawl_call_context *context)
{
    return (const guest_call *)(const void *)context;
}

/* The answer is in question->end until pawl free of question->payload. */
static pawl_status ask(guest *g, wire_ask *wire, guest_question *question, pawl_failure_sink *why)
{
    pawl_sink message;
    pawl_failure failure;
    pawl_sink_init(&message, SIZE_MAX);
    *question = (guest_question){.answered = false};
    pthread_mutex_lock(&g->lock);
    question->id = ++g->last_question;
    question->next = g->questions;
    g->questions = question;
    pthread_mutex_unlock(&g->lock);
    pawl_wire_ask(&message, question->id, wire);
    pawl_guest_send(g, &message, wire->data);
    pawl_sink_finish(&message);
    pthread_mutex_lock(&g->lock);
    while (!question->answered)
        pthread_cond_wait(&g->changed, &g->lock);
    guest_question **link = &g->questions;
    while (*link != question)
        link = &(*link)->next;
    *link = question->next;
    pthread_mutex_unlock(&g->lock);
    if (question->end.status != PAWL_OK && pawl_wire_failure(&question->end, &failure) && why != NULL)
        pawl_failure_tell(why, &failure);
    return question->end.status;
}

static pawl_status PAWL_CALL upload_begin(const pawl_call_context *context, pawl_bytes media_type, pawl_bytes name,
                                          pawl_upload **ret, pawl_failure_sink *why)
{
    if (context == NULL || ret == NULL)
        return say(why, PAWL_E_INVALID, "attachment.invalid",
                   "begin needs the context of a running call and a place for the upload");
    pawl_upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL)
        return say(why, PAWL_E_NOMEM, "out_of_memory", "out of memory");
    guest_question question;
    upload->owner = call_of(context)->owner;
    upload->call = call_of(context)->id;
    wire_ask wire = {.what = WIRE_UPLOAD_BEGIN, .call = upload->call, .first = media_type, .second = name};
    pawl_status status = ask(upload->owner, &wire, &question, why);
    upload->handle = question.end.number;
    free(question.payload);
    if (status == PAWL_OK)
        *ret = upload;
    else
        free(upload);
    return status;
}

static pawl_status PAWL_CALL upload_write(pawl_upload *upload, pawl_bytes chunk, pawl_failure_sink *why)
{
    if (upload == NULL || (chunk.data == NULL && chunk.size > 0))
        return say(why, PAWL_E_INVALID, "attachment.invalid", "write needs an upload, and bytes");
    pawl_status status = PAWL_OK;
    for (size_t at = 0; at < chunk.size && status == PAWL_OK;) {
        size_t size = chunk.size - at < WIRE_CHUNK ? chunk.size - at : WIRE_CHUNK;
        guest_question question;
        wire_ask wire = {.what = WIRE_UPLOAD_WRITE,
                         .call = upload->call,
                         .upload = upload->handle,
                         .data = {(const uint8_t *)chunk.data + at, size}};
        status = ask(upload->owner, &wire, &question, why);
        free(question.payload);
        at += size;
    }
    return status;
}

static pawl_status PAWL_CALL upload_commit(pawl_upload *upload, pawl_sink *reference, pawl_failure_sink *why)
{
    if (upload == NULL)
        return say(why, PAWL_E_INVALID, "attachment.invalid", "commit needs an upload");
    guest_question question;
    wire_ask wire = {.what = WIRE_UPLOAD_COMMIT, .call = upload->call, .upload = upload->handle};
    pawl_status status = ask(upload->owner, &wire, &question, why);
    if (status == PAWL_OK)
        status = pawl_sink_write(reference, question.end.output.data, question.end.output.size);
    free(question.payload);
    free(upload);
    return status;
}

static void PAWL_CALL upload_abort(pawl_upload *upload)
{
    if (upload == NULL)
        return;
    guest_question question;
    wire_ask wire = {.what = WIRE_UPLOAD_ABORT, .call = upload->call, .upload = upload->handle};
    (void)ask(upload->owner, &wire, &question, NULL);
    free(question.payload);
    free(upload);
}

/* Up to a piece of it, into the sink or the buffer. */
static pawl_status read_piece(const guest_call *call, pawl_bytes reference, uint64_t offset, uint64_t size,
                              pawl_sink *out, void *buffer, size_t *ret_size, uint64_t *total, pawl_failure_sink *why)
{
    guest_question question;
    wire_ask wire = {.what = WIRE_READ,
                     .call = call->id,
                     .offset = offset,
                     .size = size < WIRE_CHUNK ? size : WIRE_CHUNK,
                     .first = reference};
    pawl_status status = ask(call->owner, &wire, &question, why);
    *ret_size = 0;
    if (status == PAWL_OK) {
        pawl_bytes got = question.end.output;
        *total = question.end.number;
        *ret_size = got.size < size ? got.size : (size_t)size;
        if (buffer != NULL)
            memcpy(buffer, got.data, *ret_size);
        else
            status = pawl_sink_write(out, got.data, *ret_size);
    }
    free(question.payload);
    return status;
}

static pawl_status PAWL_CALL attachment_read(const pawl_call_context *context, pawl_bytes reference, uint64_t offset,
                                             uint64_t size, pawl_sink *out, uint64_t *total, pawl_failure_sink *why)
{
    if (context == NULL || total == NULL)
        return say(why, PAWL_E_INVALID, "attachment.invalid",
                   "read needs the context of a running call and a place for the length");
    for (;;) {
        size_t got = 0;
        pawl_status status = read_piece(call_of(context), reference, offset, size, out, NULL, &got, total, why);
        offset += got;
        size -= got;
        if (status != PAWL_OK || got == 0 || size == 0 || offset >= *total)
            return status;
    }
}

static pawl_status PAWL_CALL attachment_load(const pawl_call_context *context, pawl_bytes reference, uint64_t offset,
                                             void *buffer, size_t size, size_t *loaded, uint64_t *total,
                                             pawl_failure_sink *why)
{
    if (context == NULL || total == NULL || loaded == NULL || (buffer == NULL && size > 0))
        return say(why, PAWL_E_INVALID, "attachment.invalid",
                   "load needs the context of a running call, a buffer and places for two numbers");
    uint8_t none;
    uint8_t *to = buffer == NULL ? &none : buffer;
    size_t done = 0;
    *loaded = 0;
    for (;;) {
        size_t got = 0;
        pawl_status status =
            read_piece(call_of(context), reference, offset + done, size - done, NULL, to + done, &got, total, why);
        done += got;
        if (status != PAWL_OK)
            return status;
        *loaded = done;
        if (got == 0 || done == size || offset + done >= *total)
            return PAWL_OK;
    }
}

const pawl_attachments *pawl_guest_attachments(void)
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
