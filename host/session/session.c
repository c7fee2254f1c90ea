/* session.c: the state of sessions as seen from outside. Everything is one call of the session facet; what is read
 * is copied before anything else is done with it. Never touches the sessions that Pawl keeps for itself. */
#include "host/host_internal.h"

#include "host/view/view.h"
#include "worker/base/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_DEFAULT       100u
#define PAGE_MAX           1000u
#define PAGE_BYTES_MAX     (16u * 1024u * 1024u)
#define SESSION_KEY_MAX    1024u
#define COMMIT_KEY_MAX     200u
#define OUTSIDE_KEY_PREFIX "key:" /* keeps the keys of others apart from those of calls */

static const pawl_open_store *facet_of(const pawl_host *host)
{
    return host->facets.facet[PAWL_FACET_SESSION];
}

static pawl_status failed(pawl_failure_slot *why, pawl_status status, pawl_error *error)
{
    if (status != PAWL_OK)
        status = pawl_failure_error(why, status < 0 ? status : PAWL_E_FAILED, error);
    pawl_failure_finish(why);
    return status;
}

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while looking at sessions");
}

static pawl_status check_limit(uint32_t *limit, pawl_error *error)
{
    if (*limit > PAGE_MAX)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "the limit is %u; wanted 1 to %u", *limit,
                              PAGE_MAX);
    *limit = *limit == 0 ? PAGE_DEFAULT : *limit;
    return PAWL_OK;
}

/* ---- list ---- */

typedef struct naming {
    json_t *list;
    uint32_t limit;
    bool no_memory;
    bool more;
    char last[PAWL_SESSION_BYTES_MAX + 1];
} naming;

static int32_t PAWL_CALL take_name(void *context, pawl_bytes session, uint64_t revision)
{
    naming *own = context;
    const size_t kept = sizeof PAWL_HOST_SCOPE - 1;
    if (json_array_size(own->list) == own->limit) {
        own->more = true;
        return 1;
    }
    snprintf(own->last, sizeof own->last, "%.*s", (int)session.size, (const char *)session.data);
    if (session.size >= kept && memcmp(session.data, PAWL_HOST_SCOPE, kept) == 0)
        return 0;
    own->no_memory = json_array_append_new(own->list, json_pack("{s:o, s:I}", "session", pawl_view_text(session),
                                                                "revision", (json_int_t)revision)) != 0;
    return own->no_memory;
}

pawl_status pawl_host_session_list(pawl_host *host, const char *after, uint32_t limit, pawl_text *ret_json,
                                   pawl_error *error)
{
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK && after != NULL)
        status = pawl_check_text("after", after, PAWL_SESSION_BYTES_MAX, error);
    if (status == PAWL_OK)
        status = check_limit(&limit, error);
    if (status != PAWL_OK)
        return status;
    const pawl_open_store *open = facet_of(host);
    if (open->plugin->session->list == NULL)
        return pawl_error_set(error, PAWL_E_UNSUPPORTED, "store.not_offered",
                              "store \"%s\": its provider, %s, cannot list sessions", open->profile->name,
                              open->profile->provider);
    naming own = {.list = json_array(), .limit = limit};
    if (own.list == NULL)
        return no_memory(error);
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_host_entered(host);
    /* Some more than wanted: those that are Pawl's own are left out, and one tells whether there are more. */
    status = open->plugin->session->list(open->store, pawl_bytes_text(after), limit + 17, take_name, &own, &why);
    pawl_host_left(host);
    status = failed(&why, status, error);
    if (status == PAWL_OK && own.no_memory)
        status = no_memory(error);
    if (status != PAWL_OK) {
        json_decref(own.list);
        return status;
    }
    return pawl_view_give(
        json_pack("{s:o, s:o}", "sessions", own.list, "next", own.more ? json_string(own.last) : json_null()), ret_json,
        error);
}

/* ---- show ---- */

typedef struct showing {
    json_t *values;
    const char *after;
    uint32_t limit;
    size_t bytes;
    bool no_memory;
    bool more;
    char last[SESSION_KEY_MAX + 1];
} showing;

static int compare(pawl_bytes key, const char *text)
{
    size_t size = strlen(text);
    int order = memcmp(key.data, text, key.size < size ? key.size : size);
    return order != 0 ? order : (key.size > size) - (key.size < size);
}

static int32_t PAWL_CALL take_value(void *context, pawl_bytes key, pawl_bytes value)
{
    showing *own = context;
    if (own->after != NULL && compare(key, own->after) <= 0)
        return 0;
    if (json_array_size(own->values) == own->limit || own->bytes > PAGE_BYTES_MAX) {
        own->more = true;
        return 1;
    }
    json_t *row = json_pack("{s:o}", "key", pawl_view_text(key));
    own->no_memory = row == NULL || !pawl_view_value(row, "value", value);
    if (own->no_memory) {
        json_decref(row);
        return 1;
    }
    own->no_memory = json_array_append_new(own->values, row) != 0;
    own->bytes += key.size + value.size;
    snprintf(own->last, sizeof own->last, "%.*s", (int)key.size, (const char *)key.data);
    return own->no_memory;
}

pawl_status pawl_host_session_show(pawl_host *host, const char *session, const char *prefix, const char *after,
                                   uint32_t limit, pawl_text *ret_json, pawl_error *error)
{
    uint64_t revision = 0;
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK)
        status = pawl_check_session(session, error);
    if (status == PAWL_OK)
        status = check_limit(&limit, error);
    if (status != PAWL_OK)
        return status;
    const pawl_open_store *open = facet_of(host);
    showing own = {.values = json_array(), .after = after, .limit = limit};
    if (own.values == NULL)
        return no_memory(error);
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_host_entered(host);
    status = open->plugin->session->scan(open->store, pawl_bytes_text(session), pawl_bytes_text(prefix), take_value,
                                         &own, &revision, &why);
    pawl_host_left(host);
    status = failed(&why, status == PAWL_E_NOT_FOUND ? PAWL_OK : status, error);
    if (status == PAWL_OK && own.no_memory)
        status = no_memory(error);
    if (status != PAWL_OK) {
        json_decref(own.values);
        return status;
    }
    return pawl_view_give(json_pack("{s:s, s:I, s:o, s:o}", "session", session, "revision", (json_int_t)revision,
                                    "values", own.values, "next", own.more ? json_string(own.last) : json_null()),
                          ret_json, error);
}

/* ---- one key, and changes ---- */

pawl_status pawl_host_session_get(pawl_host *host, const char *session, const char *key, pawl_text *ret_value,
                                  uint64_t *ret_revision, pawl_error *error)
{
    uint64_t revision = 0;
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK)
        status = pawl_check_session(session, error);
    if (status == PAWL_OK)
        status = pawl_check_text("key", key, SESSION_KEY_MAX, error);
    if (status != PAWL_OK)
        return status;
    const pawl_open_store *open = facet_of(host);
    pawl_sink value;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_sink_init(&value, SIZE_MAX);
    pawl_host_entered(host);
    status = open->plugin->session->get(open->store, pawl_bytes_text(session), pawl_bytes_text(key), &value, &revision,
                                        &why);
    pawl_host_left(host);
    if (ret_revision != NULL)
        *ret_revision = revision;
    if (status == PAWL_E_NOT_FOUND) {
        pawl_failure_finish(&why);
        (void)pawl_error_set(error, status, "unknown_key", "session \"%s\" has no key \"%s\"", session, key);
    } else {
        status = failed(&why, status, error);
    }
    if (status == PAWL_OK && ret_value != NULL) {
        const char *text = pawl_sink_text(&value);
        ret_value->size = pawl_sink_bytes(&value).size;
        ret_value->data = malloc(ret_value->size + 1);
        if (ret_value->data == NULL)
            status = no_memory(error);
        else
            memcpy(ret_value->data, text, ret_value->size + 1);
    }
    pawl_sink_finish(&value);
    return status;
}

pawl_status pawl_host_session_commit(pawl_host *host, const char *session, uint64_t expected_revision,
                                     const char *commit_key, const pawl_session_change *const *changes, size_t count,
                                     uint64_t *ret_revision, pawl_error *error)
{
    char key[sizeof OUTSIDE_KEY_PREFIX + COMMIT_KEY_MAX] = "";
    uint64_t revision = 0;
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK)
        status = pawl_check_session(session, error);
    if (status == PAWL_OK && commit_key != NULL)
        status = pawl_check_text("commit key", commit_key, COMMIT_KEY_MAX, error);
    if (status != PAWL_OK)
        return status;
    if (commit_key != NULL)
        snprintf(key, sizeof key, OUTSIDE_KEY_PREFIX "%s", commit_key);
    const pawl_open_store *open = facet_of(host);
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_host_entered(host);
    status = open->plugin->session->commit(open->store, pawl_bytes_text(session), expected_revision,
                                           pawl_bytes_text(key), changes, count, &revision, &why);
    pawl_host_left(host);
    if (ret_revision != NULL && (status == PAWL_OK || status == PAWL_E_STALE))
        *ret_revision = revision;
    return failed(&why, status, error);
}
