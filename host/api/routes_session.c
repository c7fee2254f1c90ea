/* routes_session.c: the state of sessions. Each step is one blocking call of <pawl/pawl.h>. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/api/routes.h"
#include "host/api/values.h"
#include "worker/base/error.h"

#define CHANGES_MAX 4096u

static bool answer_text(pawl_exchange *exchange, pawl_status status, pawl_text *text, const pawl_error *error)
{
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, error);
    bool answered = pawl_exchange_text(exchange, 200, "application/json", text->data, text->size);
    pawl_text_free(text);
    return answered;
}

bool pawl_route_sessions(pawl_exchange *exchange)
{
    pawl_error error = {0};
    pawl_text text = {0};
    uint64_t limit = 0;
    pawl_status status = pawl_uri_number(&exchange->uri, "limit", 1, 1000, 100, &limit, &error);
    if (status == PAWL_OK)
        status = pawl_host_session_list(exchange->host, pawl_uri_query(&exchange->uri, "after"), (uint32_t)limit, &text,
                                        &error);
    return answer_text(exchange, status, &text, &error);
}

bool pawl_route_session(pawl_exchange *exchange)
{
    pawl_error error = {0};
    pawl_text text = {0};
    uint64_t limit = 0;
    pawl_status status = pawl_uri_number(&exchange->uri, "limit", 1, 1000, 100, &limit, &error);
    if (status == PAWL_OK)
        status =
            pawl_host_session_show(exchange->host, pawl_exchange_id(exchange), pawl_uri_query(&exchange->uri, "prefix"),
                                   pawl_uri_query(&exchange->uri, "after"), (uint32_t)limit, &text, &error);
    return answer_text(exchange, status, &text, &error);
}

bool pawl_route_session_key(pawl_exchange *exchange)
{
    pawl_error error = {0};
    pawl_text value = {0};
    uint64_t revision = 0;
    const char *key = exchange->uri.segments[4];
    pawl_status status =
        pawl_host_session_get(exchange->host, pawl_exchange_id(exchange), key, &value, &revision, &error);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    json_t *json = json_pack("{s:s, s:I}", "key", key, "revision", (json_int_t)revision);
    if (json != NULL && !pawl_value_put_content(json, "value", (pawl_bytes){value.data, value.size})) {
        json_decref(json);
        json = NULL;
    }
    pawl_text_free(&value);
    return pawl_exchange_json(exchange, 200, json);
}

/* ---- commit ---- */

typedef struct committing {
    pawl_session_change *changes;
    const pawl_session_change **list;
    size_t count;
} committing;

static void commit_free(committing *own)
{
    for (size_t i = 0; own->changes != NULL && i < own->count; i++)
        free((void *)(uintptr_t)own->changes[i].value.data);
    free(own->changes);
    free(own->list);
}

static pawl_status read_change(json_t *given, pawl_session_change *change, pawl_error *error)
{
    static const char *const keys[] = {"put", "put_new", "delete", "value", "value_text", "value_base64", NULL};
    static const uint32_t kinds[] = {PAWL_SESSION_PUT, PAWL_SESSION_PUT_NEW, PAWL_SESSION_DELETE};
    const char *key = NULL;
    size_t named = 0;
    *change = (pawl_session_change){.struct_size = sizeof *change};
    pawl_status status = pawl_value_keys(given, "a change", keys, error);
    for (size_t i = 0; i < 3 && status == PAWL_OK; i++) {
        const char *found = NULL;
        status = pawl_value_string(given, keys[i], false, &found, error);
        if (found == NULL)
            continue;
        named++;
        key = found;
        change->kind = kinds[i];
    }
    if (status == PAWL_OK && named != 1)
        return pawl_error_set(error, PAWL_E_INVALID, "api.change",
                              "a change has one of \"put\", \"put_new\" and \"delete\", each with a key");
    if (status == PAWL_OK)
        status = pawl_value_content(given, "value", &change->value, error);
    if (status == PAWL_OK)
        change->key = (pawl_bytes){key, strlen(key)};
    return status;
}

static pawl_status read_changes(json_t *body, committing *own, pawl_error *error)
{
    json_t *given = json_object_get(body, "changes");
    size_t count = json_array_size(given);
    if ((given != NULL && !json_is_array(given)) || count > CHANGES_MAX)
        return pawl_error_set(error, count > CHANGES_MAX ? PAWL_E_LIMIT : PAWL_E_INVALID, "api.changes",
                              "\"changes\" is not an array of at most %u changes", CHANGES_MAX);
    own->changes = calloc(count + 1, sizeof *own->changes);
    own->list = calloc(count + 1, sizeof *own->list);
    if (own->changes == NULL || own->list == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "api.no_memory", "out of memory for the changes of a session");
    pawl_status status = PAWL_OK;
    for (; own->count < count && status == PAWL_OK; own->count++) {
        status = read_change(json_array_get(given, own->count), &own->changes[own->count], error);
        own->list[own->count] = &own->changes[own->count];
    }
    return status;
}

bool pawl_route_session_commit(pawl_exchange *exchange)
{
    static const char *const keys[] = {"revision", "key", "changes", NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    const char *commit_key = NULL;
    committing own = {0};
    uint64_t revision = PAWL_REVISION_ANY;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    if (status == PAWL_OK)
        status = pawl_value_number(body, "revision", PAWL_REVISION_ANY, &revision, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "key", false, &commit_key, &error);
    if (status == PAWL_OK)
        status = read_changes(body, &own, &error);
    if (status == PAWL_OK)
        status = pawl_host_session_commit(exchange->host, pawl_exchange_id(exchange), revision, commit_key, own.list,
                                          own.count, &revision, &error);
    commit_free(&own);
    json_decref(body);
    if (status != PAWL_OK)
        return pawl_exchange_error(exchange, &error);
    return pawl_exchange_json(exchange, 200, json_pack("{s:I}", "revision", (json_int_t)revision));
}

/* ---- handles and the end of a session ---- */

typedef pawl_status (*letting_go)(pawl_host *host, const char *session, pawl_text *ret_json, pawl_error *error);

static bool let_go(pawl_exchange *exchange, letting_go how)
{
    static const char *const keys[] = {NULL};
    pawl_error error = {0};
    json_t *body = NULL;
    pawl_text text = {0};
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    json_decref(body);
    if (status == PAWL_OK)
        status = how(exchange->host, pawl_exchange_id(exchange), &text, &error);
    return answer_text(exchange, status, &text, &error);
}

bool pawl_route_session_delete(pawl_exchange *exchange)
{
    return let_go(exchange, pawl_host_session_delete);
}

bool pawl_route_session_release(pawl_exchange *exchange)
{
    return let_go(exchange, pawl_host_session_release);
}

bool pawl_route_handles(pawl_exchange *exchange)
{
    pawl_error error = {0};
    pawl_text text = {0};
    pawl_status status = pawl_host_handle_list(exchange->host, pawl_exchange_id(exchange), &text, &error);
    return answer_text(exchange, status, &text, &error);
}

/* {"grant": id}, {"revoke": id} or {"transfer": [ids], "to": session} */
bool pawl_route_change_handles(pawl_exchange *exchange)
{
    static const char *const keys[] = {"grant", "revoke", "transfer", "to", NULL};
    const char *session = pawl_exchange_id(exchange);
    const char *grant = NULL, *revoke = NULL, *to = NULL;
    const char *ids[1000];
    pawl_error error = {0};
    json_t *body = NULL;
    pawl_status status = pawl_exchange_body(exchange, keys, &body, &error);
    const json_t *transfer = json_object_get(body, "transfer");
    size_t count = json_array_size(transfer);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "grant", false, &grant, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "revoke", false, &revoke, &error);
    if (status == PAWL_OK)
        status = pawl_value_string(body, "to", transfer != NULL, &to, &error);
    bool strings = count <= 1000;
    for (size_t i = 0; i < count && strings; i++)
        strings = (ids[i] = json_string_value(json_array_get(transfer, i))) != NULL;
    if (status == PAWL_OK && (!strings || (grant != NULL) + (revoke != NULL) + (count > 0) != 1))
        status = pawl_error_set(&error, PAWL_E_INVALID, "api.handles",
                                "wanted one of \"grant\", \"revoke\" and \"transfer\", an array of 1 to 1000 ids");
    if (status == PAWL_OK)
        status = grant != NULL    ? pawl_host_handle_grant(exchange->host, session, grant, &error)
                 : revoke != NULL ? pawl_host_handle_revoke(exchange->host, session, revoke, &error)
                                  : pawl_host_handle_transfer(exchange->host, session, to, ids, count, &error);
    json_decref(body);
    return status == PAWL_OK ? pawl_exchange_json(exchange, 200, json_pack("{s:s}", "session", session))
                             : pawl_exchange_error(exchange, &error);
}
