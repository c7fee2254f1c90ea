/* response.c: see response.h. */
#include "plugins/http/response.h"

#include "plugins/connector/text.h"

/* "application/json" or "application/anything+json", with or without parameters. */
static bool says_json(const char *type)
{
    if (type == NULL)
        return false;
    size_t size = strcspn(type, "; \t");
    return (size == 16 && strncasecmp(type, "application/json", 16) == 0) ||
           (size > 5 && strncasecmp(type + size - 5, "+json", 5) == 0);
}

/* JSON when it says so and is; text when it can be; base64 otherwise. An empty body gives nothing. */
static pawl_status put_content(pawl_http_transfer *t, json_t *result)
{
    pawl_connector_call *call = t->request->call;
    const pawl_connector_body *body = &t->body;
    if (body->upload != NULL || body->size == 0)
        return PAWL_OK;
    if (says_json(pawl_http_transfer_header(t, "content-type"))) {
        json_t *value = json_loadb(body->data, body->size, JSON_DECODE_ANY, NULL);
        if (value != NULL)
            return json_object_set_new(result, "json", value) == 0 ? PAWL_OK : pawl_connector_fail_memory(&call->error);
    }
    if (pawl_connector_is_text(body->data, body->size))
        return pawl_connector_put_text(call, result, "text", body->data, body->size);
    return pawl_connector_put_base64(call, result, "base64", body->data, body->size);
}

pawl_status pawl_http_answer(pawl_http_transfer *transfer)
{
    pawl_http_transfer *t = transfer;
    pawl_connector_call *call = t->request->call;
    json_t *result = json_pack("{s:i, s:O}", "status", (int)t->status, "headers", t->headers);
    if (result == NULL)
        return pawl_connector_fail_memory(&call->error);
    pawl_status status = put_content(t, result);
    if (status == PAWL_OK)
        status = pawl_connector_answer(call, result, &t->body, NULL);
    json_decref(result);
    return status;
}
