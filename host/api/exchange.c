/* exchange.c: what a step does with its exchange (exchange.h). Never sends anything: a reply is kept until the HTTP
 * thread fetches it. */
#include "host/api/exchange.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/api/status.h"
#include "host/api/values.h"
#include "worker/base/error.h"

const char *pawl_exchange_id(const pawl_exchange *exchange)
{
    return exchange->uri.segments[2]; /* every path with "{id}" is /v1/processes/{id}... */
}

pawl_status pawl_exchange_body(pawl_exchange *exchange, const char *const *keys, json_t **ret, pawl_error *error)
{
    *ret = NULL;
    json_error_t where;
    json_t *body = exchange->body_size == 0 ? json_object()
                                            : json_loadb(exchange->body, exchange->body_size,
                                                         JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (body == NULL && exchange->body_size == 0)
        return pawl_error_set(error, PAWL_E_NOMEM, "api.no_memory", "out of memory for a request");
    if (body == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "api.not_json", "the body is not JSON: %d:%d: %s", where.line,
                              where.column, where.text);
    static const char *const none[] = {NULL};
    pawl_status status = PAWL_OK;
    if (keys != NULL || !json_is_object(body))
        status = pawl_value_keys(body, "the body", keys == NULL ? none : keys, error);
    if (status != PAWL_OK)
        json_decref(body);
    else
        *ret = body;
    return status;
}

static bool set_reply(pawl_exchange *exchange, unsigned http_status, const char *type, char *text, size_t size)
{
    free(exchange->reply);
    exchange->reply_status = http_status;
    exchange->reply = text;
    exchange->reply_size = text == NULL ? 0 : size;
    exchange->reply_type = type;
    return true;
}

bool pawl_exchange_json(pawl_exchange *exchange, unsigned http_status, json_t *json)
{
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(json);
    if (text == NULL)
        return set_reply(exchange, 503, "application/json", NULL, 0);
    return set_reply(exchange, http_status, "application/json", text, strlen(text));
}

bool pawl_exchange_text(pawl_exchange *exchange, unsigned http_status, const char *type, const char *text, size_t size)
{
    char *copy = malloc(size + 1);
    if (copy == NULL)
        return set_reply(exchange, 503, type, NULL, 0);
    if (size > 0)
        memcpy(copy, text, size);
    return set_reply(exchange, http_status, type, copy, size);
}

bool pawl_exchange_empty(pawl_exchange *exchange, unsigned http_status)
{
    return set_reply(exchange, http_status, NULL, NULL, 0);
}

void pawl_exchange_header(pawl_exchange *exchange, const char *name, const char *format, ...)
{
    if (exchange->header_count == PAWL_EXCHANGE_HEADERS)
        return;
    va_list arguments;
    va_start(arguments, format);
    exchange->headers[exchange->header_count].name = name;
    vsnprintf(exchange->headers[exchange->header_count].value, sizeof exchange->headers->value, format, arguments);
    va_end(arguments);
    exchange->header_count++;
}

bool pawl_exchange_error(pawl_exchange *exchange, const pawl_error *error)
{
    json_t *body = json_pack("{s:o}", "error", pawl_api_error_json(error));
    return pawl_exchange_json(exchange, pawl_api_http_status(error), body);
}
