/* pause.c: see pause.h. Each pause is one key of the session "pawl:operator": "type/NAME" or
 * "connector/NAME", with the reason and the time as JSON. */
#include "host/host_internal.h"

#include "host/operation/fingerprint.h"
#include "host/view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSION          PAWL_HOST_SCOPE "operator"
#define REASON_BYTES_MAX 4096u
#define KEY_BYTES_MAX    600u

static const char *word_of(uint32_t kind)
{
    return kind == PAWL_PAUSE_TYPE ? "type" : "connector";
}

/* ---- the list ---- */

static pawl_pausable *find(const pawl_pauses *pauses, uint32_t kind, const char *name, size_t size)
{
    for (size_t i = 0; i < pauses->count; i++)
        if (pauses->items[i].kind == kind && strlen(pauses->items[i].name) == size &&
            memcmp(pauses->items[i].name, name, size) == 0)
            return &pauses->items[i];
    return NULL;
}

static void shut(pawl_pausable *item, uint64_t since_unix_ns, const char *reason)
{
    item->since_unix_ns = since_unix_ns;
    snprintf(item->reason, sizeof item->reason, "%s", reason == NULL ? "" : reason);
    atomic_store_explicit(&item->gate->paused, true, memory_order_release);
}

static int32_t read_one(void *context, pawl_bytes key, pawl_bytes value)
{
    pawl_pauses *pauses = context;
    const char *slash = memchr(key.data, '/', key.size);
    if (slash == NULL)
        return 0;
    size_t word = (size_t)(slash - (const char *)key.data);
    uint32_t kind = word == 4 && memcmp(key.data, "type", 4) == 0 ? PAWL_PAUSE_TYPE : PAWL_PAUSE_CONNECTOR;
    pawl_pausable *item = find(pauses, kind, slash + 1, key.size - word - 1);
    if (item == NULL)
        return 0; /* this host does not have it; whoever has it keeps it still */
    json_t *json = json_loadb(value.data, value.size, 0, NULL);
    shut(item, (uint64_t)json_integer_value(json_object_get(json, "since_unix_ns")),
         json_string_value(json_object_get(json, "reason")));
    json_decref(json);
    return 0;
}

static pawl_status list_all(pawl_host *host, pawl_error *error)
{
    const pawl_type *const *types;
    size_t type_count = pawl_catalog_types(host->assembly.catalog, &types);
    pawl_pauses *pauses = &host->pauses;
    pauses->items = calloc(type_count + host->assembly.instance_count + 1, sizeof *pauses->items);
    if (pauses->items == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while opening the host");
    for (size_t i = 0; i < type_count; i++)
        pauses->items[pauses->count++] =
            (pawl_pausable){.kind = PAWL_PAUSE_TYPE, .name = types[i]->name, .gate = types[i]->gate};
    for (size_t i = 0; i < host->assembly.instance_count; i++)
        pauses->items[pauses->count++] = (pawl_pausable){.kind = PAWL_PAUSE_CONNECTOR,
                                                         .name = host->assembly.instances[i].profile->name,
                                                         .gate = &host->assembly.instances[i].gate};
    return PAWL_OK;
}

pawl_status pawl_pauses_open(pawl_host *host, pawl_error *error)
{
    const pawl_open_store *open = host->facets.facet[PAWL_FACET_SESSION];
    pthread_mutex_init(&host->pauses.lock, NULL);
    pawl_status status = list_all(host, error);
    if (status != PAWL_OK)
        return status;
    uint64_t revision;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    status = open->plugin->session->scan(open->store, pawl_bytes_text(SESSION), (pawl_bytes){NULL, 0}, read_one,
                                         &host->pauses, &revision, &why);
    if (status == PAWL_E_NOT_FOUND)
        status = PAWL_OK;
    if (status != PAWL_OK) {
        (void)pawl_failure_error(&why, status < 0 ? status : PAWL_E_FAILED, error);
        (void)pawl_error_wrap(error, "reading what is paused");
    }
    pawl_failure_finish(&why);
    return status;
}

void pawl_pauses_close(pawl_pauses *pauses)
{
    if (pauses->items == NULL)
        return;
    free(pauses->items);
    pauses->items = NULL;
    pauses->count = 0;
    pthread_mutex_destroy(&pauses->lock);
}

bool pawl_pauses_look(pawl_pauses *pauses, uint32_t kind, const char *name, size_t name_size,
                      uint64_t *ret_since_unix_ns, char *reason)
{
    pawl_pausable *item = find(pauses, kind, name, name_size);
    if (item == NULL || !pawl_gate_is_shut(item->gate))
        return false;
    pthread_mutex_lock(&pauses->lock);
    *ret_since_unix_ns = item->since_unix_ns;
    memcpy(reason, item->reason, sizeof item->reason);
    pthread_mutex_unlock(&pauses->lock);
    return true;
}

/* ---- types and connectors ---- */

static char *encode(uint64_t since_unix_ns, const char *reason)
{
    json_t *json =
        json_pack("{s:I, s:s}", "since_unix_ns", (json_int_t)since_unix_ns, "reason", reason == NULL ? "" : reason);
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}

static pawl_status store(pawl_host *host, const pawl_pausable *item, bool pause, uint64_t now, const char *reason,
                         pawl_error *error)
{
    char key[KEY_BYTES_MAX];
    const pawl_open_store *open = host->facets.facet[PAWL_FACET_SESSION];
    char *value = pause ? encode(now, reason) : NULL;
    if (pause && value == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while pausing");
    snprintf(key, sizeof key, "%s/%s", word_of(item->kind), item->name);
    pawl_session_change change = {.struct_size = sizeof change,
                                  .kind = pause ? PAWL_SESSION_PUT : PAWL_SESSION_DELETE,
                                  .key = pawl_bytes_text(key),
                                  .value = pawl_bytes_text(value)};
    const pawl_session_change *const changes[] = {&change};
    uint64_t revision;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_status status = open->plugin->session->commit(open->store, pawl_bytes_text(SESSION), PAWL_REVISION_ANY,
                                                       (pawl_bytes){NULL, 0}, changes, 1, &revision, &why);
    if (status != PAWL_OK)
        (void)pawl_failure_error(&why, status < 0 ? status : PAWL_E_FAILED, error);
    pawl_failure_finish(&why);
    free(value);
    return status;
}

/* In memory only once it is durable, and both under one lock, so that they never differ for long. */
static pawl_status turn(pawl_host *host, uint32_t kind, const char *name, bool pause, const char *reason,
                        pawl_error *error)
{
    pawl_pausable *item = find(&host->pauses, kind, name, strlen(name));
    if (item == NULL)
        return pawl_error_set(error, PAWL_E_NOT_FOUND, kind == PAWL_PAUSE_TYPE ? "unknown_type" : "unknown_connector",
                              "this host has no %s \"%s\"", kind == PAWL_PAUSE_TYPE ? "process type" : "connector",
                              name);
    uint64_t now = host->clock->unix_ns(host->clock);
    pthread_mutex_lock(&host->pauses.lock);
    bool is = pawl_gate_is_shut(item->gate);
    pawl_status status = PAWL_OK;
    if (!pause && !is)
        status = pawl_error_set(error, PAWL_E_CONFLICT, "not_paused", "%s \"%s\" is not paused", word_of(kind), name);
    else
        status = store(host, item, pause, now, reason, error);
    if (status == PAWL_OK && pause)
        shut(item, now, reason);
    else if (status == PAWL_OK)
        atomic_store_explicit(&item->gate->paused, false, memory_order_release);
    pthread_mutex_unlock(&host->pauses.lock);
    if (status == PAWL_OK && host->worker != NULL)
        pawl_worker_gates_changed(host->worker);
    return status;
}

/* ---- processes ---- */

/* A wish of its own each time: pausing again what was continued meanwhile is meant. */
static pawl_status pause_process(pawl_host *host, const char *id, const char *reason, pawl_error *error)
{
    char post_id[PAWL_NEW_ID_SIZE];
    pawl_new_id(&host->new_ids, host->clock, post_id);
    const pawl_entry entry = {.kind = PAWL_RECORD_PAUSED, .value = pawl_bytes_text(reason == NULL ? "" : reason)};
    return pawl_host_post_entry(host, id, post_id, &entry, error);
}

pawl_status pawl_host_pause(pawl_host *host, uint32_t kind, const char *name, const char *reason, pawl_error *error)
{
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK && reason != NULL && reason[0] != '\0')
        status = pawl_check_text("reason", reason, REASON_BYTES_MAX, error);
    if (status == PAWL_OK && kind == PAWL_PAUSE_PROCESS)
        status = pawl_check_id(name, error);
    else if (status == PAWL_OK)
        status = pawl_check_text("name", name, PAWL_TYPE_BYTES_MAX, error);
    if (status != PAWL_OK)
        return status;
    switch (kind) {
    case PAWL_PAUSE_PROCESS:
        return pause_process(host, name, reason, error);
    case PAWL_PAUSE_TYPE:
    case PAWL_PAUSE_CONNECTOR:
        pawl_host_entered(host);
        status = turn(host, kind, name, true, reason, error);
        pawl_host_left(host);
        return status;
    default:
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "unknown kind %u of what is to be paused",
                              kind);
    }
}

pawl_status pawl_host_unpause(pawl_host *host, uint32_t kind, const char *name, pawl_error *error)
{
    if (kind == PAWL_PAUSE_PROCESS)
        return pawl_host_resume(host, name, error);
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK)
        status = pawl_check_text("name", name, PAWL_TYPE_BYTES_MAX, error);
    if (status == PAWL_OK && kind != PAWL_PAUSE_TYPE && kind != PAWL_PAUSE_CONNECTOR)
        status = pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "unknown kind %u of what is to go on", kind);
    if (status != PAWL_OK)
        return status;
    pawl_host_entered(host);
    status = turn(host, kind, name, false, NULL, error);
    pawl_host_left(host);
    return status;
}
