/* content.c: content that comes into a call and goes out of it. See call.h. */
#include "plugins/connector/call.h"
#include "plugins/connector/text.h"

static pawl_status no_attachments(pawl_connector_call *call)
{
    return pawl_connector_call_fail_as(call, PAWL_E_UNSUPPORTED, PAWL_TERMINAL, "no_attachments",
                                       "this host offers no attachments (pawl.attachments/1)");
}

static bool is_reference(const char *text)
{
    return strncmp(text, "sha256:", 7) == 0 && strlen(text) == 71 && strspn(text + 7, "0123456789abcdef") == 64;
}

static pawl_status open_attachment(pawl_connector_source *source, const json_t *value)
{
    pawl_connector_call *call = source->call;
    const char *text = json_string_value(value);
    if (text == NULL || !is_reference(text))
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "invalid_input",
                                        "\"attachment\" is not \"sha256:\" and 64 lower-case hexadecimal digits");
    if (call->attachments == NULL)
        return no_attachments(call);
    source->reference = pawl_bytes_of_text(text);
    char first;
    size_t loaded = 0;
    pawl_status status =
        call->attachments->load(call->abi->context, source->reference, 0, &first, 1, &loaded, &source->size, call->why);
    return status == PAWL_OK ? PAWL_OK : pawl_connector_fail_told(&call->error, status);
}

static pawl_status open_base64(pawl_connector_source *source, const json_t *value)
{
    bool memory;
    size_t size = 0;
    if (!json_is_string(value))
        return pawl_connector_call_fail(source->call, PAWL_TERMINAL, "invalid_input", "\"base64\" is not a text");
    if (!pawl_connector_base64_decode(json_string_value(value), json_string_length(value), &source->owned, &size,
                                      &memory))
        return memory ? pawl_connector_fail_memory(&source->call->error)
                      : pawl_connector_call_fail(source->call, PAWL_TERMINAL, "invalid_input",
                                                 "\"base64\" is not base64 with padding");
    source->data = source->owned;
    source->size = size;
    return PAWL_OK;
}

pawl_status pawl_connector_source_open(pawl_connector_source *source, pawl_connector_call *call, const json_t *object)
{
    static const char *const keys[] = {"json", "text", "base64", "attachment"};
    const json_t *value = NULL;
    size_t kind = 0;
    *source = (pawl_connector_source){.call = call};
    for (size_t i = 0; i < 4; i++) {
        const json_t *found = json_object_get(object, keys[i]);
        if (found != NULL && value != NULL)
            return pawl_connector_call_fail(call, PAWL_TERMINAL, "invalid_input",
                                            "both \"%s\" and \"%s\" are given; give one", keys[kind], keys[i]);
        if (found != NULL) {
            value = found;
            kind = i;
        }
    }
    if (value == NULL)
        return PAWL_OK;
    source->present = true;
    source->media_type = kind == 0   ? "application/json"
                         : kind == 1 ? "text/plain; charset=utf-8"
                                     : "application/octet-stream";
    if (kind == 3)
        return open_attachment(source, value);
    if (kind == 2)
        return open_base64(source, value);
    if (kind == 1 && !json_is_string(value))
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "invalid_input", "\"text\" is not a text");
    if (kind == 0 && (source->owned = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY)) == NULL)
        return pawl_connector_fail_memory(&call->error);
    source->data = kind == 0 ? source->owned : json_string_value(value);
    source->size = kind == 0 ? strlen(source->owned) : json_string_length(value);
    return PAWL_OK;
}

pawl_status pawl_connector_source_read(pawl_connector_source *source, uint64_t offset, void *buffer, size_t size,
                                       size_t *got)
{
    *got = 0;
    if (offset >= source->size || size == 0)
        return PAWL_OK;
    if (source->data != NULL) {
        uint64_t left = source->size - offset;
        *got = left < size ? (size_t)left : size;
        memcpy(buffer, (const char *)source->data + offset, *got);
        return PAWL_OK;
    }
    pawl_connector_call *call = source->call;
    uint64_t total = 0;
    pawl_status status =
        call->attachments->load(call->abi->context, source->reference, offset, buffer, size, got, &total, call->why);
    if (status != PAWL_OK)
        return pawl_connector_fail_told(&call->error, status);
    if (*got == 0 || *got > size) /* a host that gives nothing before the end would make a caller wait for ever */
        return pawl_connector_call_fail_as(call, PAWL_E_IO, PAWL_RETRYABLE, "attachment",
                                           "the attachment ended at byte %llu of %llu", (unsigned long long)offset,
                                           (unsigned long long)source->size);
    return PAWL_OK;
}

void pawl_connector_source_close(pawl_connector_source *source)
{
    free(source->owned);
    source->owned = NULL;
}

void pawl_connector_body_open(pawl_connector_body *body, pawl_connector_call *call, uint64_t limit)
{
    *body = (pawl_connector_body){.call = call, .limit = limit};
}

pawl_status pawl_connector_body_save(pawl_connector_body *body, const char *media_type, const char *name)
{
    pawl_connector_call *call = body->call;
    if (call->attachments == NULL)
        return no_attachments(call);
    pawl_status status = call->attachments->begin(call->abi->context, pawl_bytes_of_text(media_type),
                                                  pawl_bytes_of_text(name), &body->upload, call->why);
    return status == PAWL_OK ? PAWL_OK : pawl_connector_fail_told(&call->error, status);
}

static pawl_status keep(pawl_connector_body *body, const void *data, size_t size)
{
    if (size >= body->room - body->size) { /* one byte more, for the NUL */
        size_t room = body->room == 0 ? 4096 : body->room;
        while (room - body->size <= size)
            room *= 2;
        char *grown = realloc(body->data, room);
        if (grown == NULL)
            return pawl_connector_call_fail_as(body->call, PAWL_E_NOMEM, PAWL_UNKNOWN_OUTCOME, "no_memory",
                                               "out of memory for %zu bytes", room);
        body->data = grown;
        body->room = room;
    }
    memcpy(body->data + body->size, data, size);
    body->size += size;
    body->data[body->size] = '\0';
    return PAWL_OK;
}

pawl_status pawl_connector_body_write(pawl_connector_body *body, const void *data, size_t size)
{
    if (size == 0)
        return PAWL_OK;
    uint64_t room = body->limit - body->total;
    body->over = size > room;
    if (body->over)
        size = (size_t)room;
    body->total += size;
    pawl_status status = PAWL_OK;
    if (size > 0 && body->upload == NULL) {
        status = keep(body, data, size);
    } else if (size > 0) {
        status = body->call->attachments->write(body->upload, pawl_bytes_of(data, size), body->call->why);
        if (status != PAWL_OK)
            pawl_connector_fail_told(&body->call->error, status);
    }
    return status == PAWL_OK && body->over ? PAWL_E_LIMIT : status;
}

void pawl_connector_body_close(pawl_connector_body *body)
{
    if (body->upload != NULL)
        body->call->attachments->abort(body->upload);
    body->upload = NULL;
    free(body->data);
    body->data = NULL;
}
