/* call.c: the frame of a call: input in, failure or result out. See call.h. */
#include "plugins/connector/call.h"

#include "plugins/connector/text.h"

/* NULL unless the host can do all that the connectors need of it. */
static const pawl_attachments *attachments_of(const pawl_host_root *host)
{
    const pawl_attachments *table = host->get_extension(host, PAWL_EXT_ATTACHMENTS);
    if (table == NULL || !PAWL_HAS(table, pawl_attachments, load))
        return NULL;
    bool whole = table->begin != NULL && table->write != NULL && table->commit != NULL && table->abort != NULL;
    return whole && table->load != NULL ? table : NULL;
}

pawl_status pawl_connector_call_begin(pawl_connector_call *call, const char *family, const char *instance,
                                      const pawl_effect_call *abi, pawl_sink *out, pawl_failure_sink *why)
{
    memset(call, 0, sizeof *call);
    call->abi = abi;
    call->out = out;
    call->why = why;
    call->family = family;
    call->core = pawl_core_of(abi->host);
    call->attachments = attachments_of(abi->host);
    snprintf(call->where, sizeof call->where, "%s connector \"%s\": %.*s", family, instance,
             abi->operation.size > 64 ? 64 : (int)abi->operation.size, (const char *)abi->operation.data);
    char where[600], code[64];
    snprintf(where, sizeof where, "%s: input", call->where);
    snprintf(code, sizeof code, "%s.invalid_input", family);
    return pawl_connector_parse(abi->input, where, code, &call->input, &call->error);
}

pawl_status pawl_connector_call_end(pawl_connector_call *call)
{
    json_decref(call->input);
    call->input = NULL;
    return pawl_connector_report(&call->error, call->core, call->why);
}

static pawl_status fail(pawl_connector_call *call, pawl_status status, uint32_t klass, const char *name,
                        const char *format, va_list args)
{
    char code[64], message[1024];
    snprintf(code, sizeof code, "%s.%s", call->family, name);
    vsnprintf(message, sizeof message, format, args);
    return pawl_connector_fail_as(&call->error, status, klass, code, "%s: %s", call->where, message);
}

pawl_status pawl_connector_call_fail(pawl_connector_call *call, uint32_t klass, const char *name, const char *format,
                                     ...)
{
    va_list args;
    va_start(args, format);
    pawl_status status = fail(call, PAWL_E_FAILED, klass, name, format, args);
    va_end(args);
    return status;
}

pawl_status pawl_connector_call_fail_as(pawl_connector_call *call, pawl_status status, uint32_t klass, const char *name,
                                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pawl_status filled = fail(call, status, klass, name, format, args);
    va_end(args);
    return filled;
}

pawl_status pawl_connector_call_check(pawl_connector_call *call, const pawl_connector_field *fields, size_t count)
{
    char where[600], code[64];
    snprintf(where, sizeof where, "%s: input", call->where);
    snprintf(code, sizeof code, "%s.invalid_input", call->family);
    return pawl_connector_check(call->input, fields, count, where, code, &call->error);
}

static pawl_status put(pawl_connector_call *call, const char *text, size_t size)
{
    pawl_status status = call->core->sink_write(call->out, text, size);
    if (status == PAWL_OK)
        return PAWL_OK;
    if (status == PAWL_E_LIMIT)
        return pawl_connector_call_fail_as(call, status, PAWL_TERMINAL, "result_too_large",
                                           "the result is larger than the host takes; use an attachment");
    return pawl_connector_call_fail_as(call, status, PAWL_UNKNOWN_OUTCOME, "result",
                                       "the host did not take the result");
}

/* The reference goes from the host's commit straight into the result: between the two halves of an unfinished object.
 */
static pawl_status put_attachment(pawl_connector_call *call, pawl_connector_body *body, bool first, const char *key)
{
    char text[160];
    int size = key == NULL ? snprintf(text, sizeof text, "%s\"size\":%llu,\"attachment\":\"", first ? "" : ",",
                                      (unsigned long long)body->total)
                           : snprintf(text, sizeof text, "%s\"%s\":{\"size\":%llu,\"attachment\":\"", first ? "" : ",",
                                      key, (unsigned long long)body->total);
    if (put(call, text, (size_t)size) != PAWL_OK)
        return call->error.status;
    pawl_upload *upload = body->upload;
    body->upload = NULL; /* commit frees it, whatever it returns */
    pawl_status status = call->attachments->commit(upload, call->out, call->why);
    if (status != PAWL_OK)
        return pawl_connector_fail_told(&call->error, status);
    return put(call, key == NULL ? "\"}" : "\"}}", key == NULL ? 2 : 3);
}

pawl_status pawl_connector_answer(pawl_connector_call *call, const json_t *result, pawl_connector_body *body,
                                  const char *key)
{
    char *text = json_dumps(result, JSON_COMPACT);
    if (text == NULL)
        return pawl_connector_fail_memory(&call->error);
    size_t size = strlen(text);
    bool attached = body != NULL && body->upload != NULL;
    pawl_status status = put(call, text, attached ? size - 1 : size);
    if (status == PAWL_OK && attached)
        status = put_attachment(call, body, json_object_size(result) == 0, key);
    free(text);
    return status;
}

pawl_status pawl_connector_put_base64(pawl_connector_call *call, json_t *object, const char *key, const void *data,
                                      size_t size)
{
    char *text = pawl_connector_base64_encode(data, size);
    int failed = text == NULL || json_object_set_new(object, key, json_string(text)) != 0;
    free(text);
    return failed ? pawl_connector_fail_memory(&call->error) : PAWL_OK;
}

pawl_status pawl_connector_put_text(pawl_connector_call *call, json_t *object, const char *key, const void *data,
                                    size_t size)
{
    if (!pawl_connector_is_text(data, size)) {
        char name[64];
        snprintf(name, sizeof name, "%s_base64", key);
        return pawl_connector_put_base64(call, object, name, data, size);
    }
    json_t *text = json_stringn(size == 0 ? "" : data, size);
    return json_object_set_new(object, key, text) == 0 ? PAWL_OK : pawl_connector_fail_memory(&call->error);
}
