/* routes_process.c: looking at processes and telling them something. Each step is one blocking call of <pawl/pawl.h>;
 * none decides anything about a process itself. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/api/routes.h"
#include "host/api/values.h"
#include "worker/base/error.h"

/* The host's JSON, or its error. */
static bool answer_text(pawl_exchange *exchange, pawl_status status, pawl_text *text, const pawl_error *error)
{
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, error);
    bool answered = pawl_exchange_text(exchange, 200, "application/json", text->data, text->size);
    pawl_text_free(text);
    return answered;
}

/* {"id": ...}, or the error. */
static bool answer_done(pawl_exchange *exchange, pawl_status status, const pawl_error *error)
{
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, error);
    return pawl_exchange_json(exchange, 200, json_pack("{s:o?}", "id", json_string(pawl_exchange_id(exchange))));
}

/* Which processes are meant; the texts are the request's. */
static pawl_list_options which(const pawl_uri *uri)
{
    return (pawl_list_options){.struct_size = sizeof(pawl_list_options),
                               .status = pawl_uri_query(uri, "status"),
                               .type = pawl_uri_query(uri, "type"),
                               .session = pawl_uri_query(uri, "session"),
                               .parent = pawl_uri_query(uri, "parent"),
                               .id_prefix = pawl_uri_query(uri, "prefix"),
                               .where = pawl_uri_query(uri, "where"),
                               .plugin = pawl_uri_query(uri, "plugin"),
                               .digest = pawl_uri_query(uri, "digest")};
}

bool pawl_route_list(pawl_exchange *exchange)
{
    pawl_error error = {0};
    const pawl_uri *uri = &exchange->uri;
    pawl_list_options options = which(uri);
    uint64_t limit = 0;
    uint64_t newest = 0;
    uint64_t documents = 0;
    pawl_status status = pawl_uri_number(uri, "limit", 1, 1000, 100, &limit, &error);
    if (status == PAWL_OK)
        status = pawl_uri_number(uri, "after", 0, UINT64_MAX, 0, &options.after, &error);
    if (status == PAWL_OK)
        status = pawl_uri_number(uri, "newest", 0, 1, 0, &newest, &error);
    if (status == PAWL_OK)
        status = pawl_uri_number(uri, "documents", 0, 1, 0, &documents, &error);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    options.limit = (uint32_t)limit;
    options.newest_first = (uint32_t)newest;
    options.documents = (uint32_t)documents;
    pawl_text text = {0};
    status = pawl_host_list(exchange->host, &options, &text, &error);
    return answer_text(exchange, status, &text, &error);
}

bool pawl_route_count(pawl_exchange *exchange)
{
    pawl_error error = {0};
    pawl_text text = {0};
    uint64_t limit = 0;
    const pawl_list_options options = which(&exchange->uri);
    pawl_status status = pawl_uri_number(&exchange->uri, "limit", 1, UINT64_MAX, 1000000, &limit, &error);
    if (status == PAWL_OK)
        status = pawl_host_count(exchange->host, &options, limit, &text, &error);
    return answer_text(exchange, status, &text, &error);
}

bool pawl_route_get(pawl_exchange *exchange)
{
    pawl_error error = {0};
    pawl_text text = {0};
    pawl_status status = pawl_host_get(exchange->host, pawl_exchange_id(exchange), &text, &error);
    return answer_text(exchange, status, &text, &error);
}

bool pawl_route_journal(pawl_exchange *exchange)
{
    pawl_error error = {0};
    uint64_t from = 0;
    uint64_t limit = 0;
    uint64_t whole = 0;
    pawl_status status = pawl_uri_number(&exchange->uri, "from", 1, UINT64_MAX, 1, &from, &error);
    if (status == PAWL_OK)
        status = pawl_uri_number(&exchange->uri, "limit", 1, 1000, 1000, &limit, &error);
    if (status == PAWL_OK)
        status = pawl_uri_number(&exchange->uri, "whole", 0, 2, 0, &whole, &error);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    pawl_text text = {0};
    status = pawl_host_journal(exchange->host, pawl_exchange_id(exchange), from, (uint32_t)limit, (uint32_t)whole,
                               &text, &error);
    return answer_text(exchange, status, &text, &error);
}

/* A request in the name of a session is for processes that it holds. */
static pawl_status check_as(pawl_exchange *exchange, const json_t *body, pawl_error *error)
{
    const char *session = NULL;
    pawl_status status = pawl_value_string(body, "as", false, &session, error);
    if (status == PAWL_OK && session != NULL)
        status = pawl_host_handle_check(exchange->host, session, pawl_exchange_id(exchange), error);
    return status;
}

bool pawl_route_signal(pawl_exchange *exchange)
{
    static const char *const keys[] = {"name", "payload", "payload_text", "payload_base64", "id", "as", NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    const char *name = NULL;
    const char *signal_id = NULL;
    pawl_bytes payload = {0};
    uint32_t replayed = 0;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "name", true, &name, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "id", false, &signal_id, &error);
    if (status == PAWL_OK)
        status = pawl_value_content(body, "payload", &payload, &error);
    if (status == PAWL_OK)
        status = check_as(exchange, body, &error);
    if (status == PAWL_OK)
        status =
            pawl_host_signal(exchange->host, pawl_exchange_id(exchange), name, payload, signal_id, &replayed, &error);
    free((void *)(uintptr_t)payload.data);
    json_decref(body);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    return pawl_exchange_json(exchange, 200, json_pack("{s:b}", "replayed", replayed != 0));
}

#define UPDATE_TIMEOUT_MS     10000
#define UPDATE_TIMEOUT_MS_MAX 60000 /* it holds a thread of the server meanwhile */

static pawl_status read_timeout(const json_t *body, uint64_t *ret_ns, pawl_error *error)
{
    const json_t *value = json_object_get(body, "timeout_ms");
    json_int_t timeout_ms = value == NULL ? UPDATE_TIMEOUT_MS : json_integer_value(value);
    if ((value != NULL && !json_is_integer(value)) || timeout_ms < 1 || timeout_ms > UPDATE_TIMEOUT_MS_MAX)
        return pawl_error_set(error, PAWL_E_INVALID, "api.timeout", "\"timeout_ms\" is not a number from 1 to %d",
                              UPDATE_TIMEOUT_MS_MAX);
    *ret_ns = (uint64_t)timeout_ms * 1000000u;
    return PAWL_OK;
}

bool pawl_route_update(pawl_exchange *exchange)
{
    static const char *const keys[] = {"payload", "payload_text", "payload_base64", "id", "timeout_ms", NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    const char *update_id = NULL;
    pawl_bytes payload = {0};
    pawl_text text = {0};
    uint64_t timeout_ns = 0;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "id", false, &update_id, &error);
    if (status == PAWL_OK)
        status = read_timeout(body, &timeout_ns, &error);
    if (status == PAWL_OK)
        status = pawl_value_content(body, "payload", &payload, &error);
    if (status == PAWL_OK)
        status = pawl_host_update(exchange->host, pawl_exchange_id(exchange), exchange->uri.segments[4], payload,
                                  update_id, timeout_ns, &text, &error);
    free((void *)(uintptr_t)payload.data);
    json_decref(body);
    return answer_text(exchange, status, &text, &error);
}

typedef pawl_status (*with_reason)(pawl_host *host, const char *id, const char *reason, pawl_error *error);

static bool stop_process(pawl_exchange *exchange, with_reason stop)
{
    static const char *const keys[] = {"reason", "as", NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    const char *reason = NULL;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "reason", false, &reason, &error);
    if (status == PAWL_OK)
        status = check_as(exchange, body, &error);
    if (status == PAWL_OK)
        status = stop(exchange->host, pawl_exchange_id(exchange), reason, &error);
    json_decref(body);
    return answer_done(exchange, status, &error);
}

bool pawl_route_cancel(pawl_exchange *exchange)
{
    return stop_process(exchange, pawl_host_cancel);
}

bool pawl_route_terminate(pawl_exchange *exchange)
{
    return stop_process(exchange, pawl_host_terminate);
}

/* By the path: /v1/processes, /v1/types or /v1/connectors. */
static uint32_t pause_kind(const pawl_exchange *exchange)
{
    const char *what = exchange->uri.segments[1];
    return strcmp(what, "types") == 0        ? PAWL_PAUSE_TYPE
           : strcmp(what, "connectors") == 0 ? PAWL_PAUSE_CONNECTOR
                                             : PAWL_PAUSE_PROCESS;
}

bool pawl_route_pause(pawl_exchange *exchange)
{
    static const char *const keys[] = {"reason", NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    const char *reason = NULL;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "reason", false, &reason, &error);
    if (status == PAWL_OK)
        status = pawl_host_pause(exchange->host, pause_kind(exchange), pawl_exchange_id(exchange), reason, &error);
    json_decref(body);
    return answer_done(exchange, status, &error);
}

bool pawl_route_resume(pawl_exchange *exchange)
{
    static const char *const keys[] = {NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_host_unpause(exchange->host, pause_kind(exchange), pawl_exchange_id(exchange), &error);
    json_decref(body);
    return answer_done(exchange, status, &error);
}

/* A number, or the name of a place. */
static pawl_status read_step(const json_t *body, uint64_t *ret, pawl_error *error)
{
    const json_t *from = json_object_get(body, "from");
    const char *name = json_string_value(from);
    *ret = PAWL_RESTART_FROM_FAILURE;
    if (from == NULL || (name != NULL && strcmp(name, "failure") == 0))
        return PAWL_OK;
    if (name != NULL && strcmp(name, "start") == 0)
        *ret = PAWL_RESTART_FROM_START;
    else if (name != NULL && strcmp(name, "end") == 0)
        *ret = PAWL_RESTART_AT_END;
    else if (json_is_integer(from) && json_integer_value(from) > 0)
        *ret = (uint64_t)json_integer_value(from);
    else
        return pawl_error_set(error, PAWL_E_INVALID, "api.from",
                              "\"from\" is neither the number of a step, from 1 on, nor start, failure or end");
    return PAWL_OK;
}

bool pawl_route_restart(pawl_exchange *exchange)
{
    static const char *const keys[] = {"from", "reason", "id", NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    const char *reason = NULL;
    const char *request_id = NULL;
    uint64_t step = 0;
    uint32_t replayed = 0;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "reason", false, &reason, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "id", false, &request_id, &error);
    if (status == PAWL_OK)
        status = read_step(body, &step, &error);
    if (status == PAWL_OK)
        status =
            pawl_host_restart(exchange->host, pawl_exchange_id(exchange), step, reason, request_id, &replayed, &error);
    json_decref(body);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    return pawl_exchange_json(exchange, 200, json_pack("{s:b}", "replayed", replayed != 0));
}

static pawl_bytes bytes_of(const char *text)
{
    return (pawl_bytes){text, text == NULL ? 0 : strlen(text)};
}

static pawl_status read_ending(const json_t *body, pawl_outcome *outcome, pawl_error *error)
{
    const char *status_name = NULL;
    const char *code = NULL;
    const char *message = NULL;
    pawl_status status = pawl_value_string(body, "status", false, &status_name, error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "code", false, &code, error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "message", false, &message, error);
    if (status != PAWL_OK)
        return status;
    outcome->code = bytes_of(code);
    outcome->message = bytes_of(message);
    for (uint32_t ending = PAWL_COMPLETED; ending <= PAWL_CANCELLED; ending++)
        if (strcmp(status_name == NULL ? "completed" : status_name, pawl_value_status_name(ending)) == 0)
            outcome->status = ending;
    if (outcome->status == 0)
        return pawl_error_set(error, PAWL_E_INVALID, "api.ending",
                              "\"status\" is \"%.64s\"; wanted completed, failed or cancelled", status_name);
    return PAWL_OK;
}

bool pawl_route_complete(pawl_exchange *exchange)
{
    static const char *const keys[] = {"status", "output",  "output_text", "output_base64",
                                       "code",   "message", "detail",      NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    pawl_outcome outcome = {.struct_size = sizeof outcome};
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = read_ending(body, &outcome, &error);
    if (status == PAWL_OK)
        status = pawl_value_content(body, "output", &outcome.output, &error);
    if (status == PAWL_OK)
        status = pawl_value_content(body, "detail", &outcome.detail_json, &error);
    if (status == PAWL_OK && outcome.output.size > 0 && outcome.status != PAWL_COMPLETED)
        status = pawl_error_set(&error, PAWL_E_INVALID, "api.ending", "an output goes only with the status completed");
    if (status == PAWL_OK)
        status = pawl_host_complete(exchange->host, pawl_exchange_id(exchange), &outcome, &error);
    free((void *)(uintptr_t)outcome.output.data);
    free((void *)(uintptr_t)outcome.detail_json.data);
    json_decref(body);
    return answer_done(exchange, status, &error);
}
