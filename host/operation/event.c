/* event.c: events of declared types: checked against what the process's type declares, posted once under their
 * key, and read. The order of the checks is the same for everybody (docs/events.md): a key that is known answers first,
 * whatever else is wrong. Nothing is left behind by an event that is refused. */
#include "host/host_internal.h"

#include "host/operation/fingerprint.h"
#include "host/schema/rules.h"
#include "host/view/view.h"
#include "worker/base/sink.h"
#include "worker/journal.h"

#include <stdlib.h>
#include <string.h>

#define EVENT_TYPE_BYTES_MAX 256u
#define EVENT_KEY_BYTES_MAX  256u
#define EVENT_PAGE_MAX       1000u

/* An event on its way, and what was made of it. */
typedef struct appending {
    pawl_host *host;
    const char *id;
    const pawl_event *event;
    bool has_key;
    pawl_process_row row;
    const pawl_event_type *type;
    json_t *payload;
    bool no_target;
    char *target; /* malloc'ed, like the next four */
    char *key;
    char *input;
    char *outcome;
    pawl_arena arena;
    pawl_delivery delivery;
    pawl_post post;
    uint8_t fingerprint[PAWL_FINGERPRINT_SIZE];
    char made_id[PAWL_NEW_ID_SIZE];
} appending;

static void finish(appending *own)
{
    json_decref(own->payload);
    free(own->target);
    free(own->key);
    free(own->input);
    free(own->outcome);
    pawl_arena_finish(&own->arena);
}

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for an event");
}

/* ---- what the type declares ---- */

const pawl_type_rules *pawl_host_rules_of(const pawl_host *host, const pawl_process_row *row)
{
    bool trial;
    const pawl_pinned pinned = {row->type, row->plugin, row->revision, row->digest};
    const pawl_type *type = row->external != 0 ? NULL : pawl_catalog_type_for(host->assembly.catalog, &pinned, &trial);
    if (type == NULL)
        type = pawl_catalog_type(host->assembly.catalog, row->type);
    return type == NULL ? NULL : type->rules;
}

static pawl_status find_type(appending *own, pawl_error *error)
{
    own->type = pawl_type_rules_event(pawl_host_rules_of(own->host, &own->row), pawl_bytes_text(own->event->type));
    if (own->type == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "event.undeclared",
                              "process \"%s\" has type \"%.*s\", which declares no event type \"%s\"", own->id,
                              (int)own->row.type.size, (const char *)own->row.type.data, own->event->type);
    if (own->type->ends != 0 && !own->has_key)
        return pawl_error_set(error, PAWL_E_INVALID, "event.key_required",
                              "an event of type \"%s\" ends its process, so it needs a key", own->event->type);
    return PAWL_OK;
}

static pawl_status read_payload(appending *own, pawl_error *error)
{
    json_error_t problem;
    pawl_bytes text = own->event->payload;
    own->payload = json_loadb(text.size == 0 ? "null" : text.data, text.size == 0 ? 4 : text.size,
                              JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &problem);
    if (own->payload == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "event.payload",
                              "the payload of an event of type \"%s\" is not JSON: %s (byte %d)", own->event->type,
                              problem.text, problem.position);
    pawl_error why = {0};
    if (pawl_schema_check(own->type->schema, own->payload, &why) != PAWL_OK)
        return pawl_error_set(error, PAWL_E_INVALID, "event.payload",
                              "the payload of an event of type \"%s\" does not fit: %s", own->event->type, why.message);
    return PAWL_OK;
}

/* What a selector gives: as text, or as JSON. Nothing when the manifest has no such selector. */
static pawl_status take(appending *own, const json_t *selector, bool as_json, char **ret, pawl_error *error)
{
    json_t *value = NULL;
    if (selector == NULL)
        return PAWL_OK;
    pawl_status status = pawl_selector_take(selector, own->payload, &value, error);
    if (status != PAWL_OK)
        return status;
    size_t size;
    *ret = as_json ? pawl_view_dump(value, &size) : pawl_selector_text(value);
    json_decref(value);
    return *ret == NULL ? no_memory(error) : PAWL_OK;
}

static pawl_status is_wanted(appending *own, bool *ret, pawl_error *error)
{
    json_t *value = NULL;
    *ret = own->type->wakes;
    if (!own->type->wakes || own->type->when == NULL)
        return PAWL_OK;
    pawl_status status = pawl_selector_take(own->type->when, own->payload, &value, error);
    if (status == PAWL_OK)
        *ret = pawl_selector_truth(value);
    json_decref(value);
    return status;
}

static pawl_status check_target(appending *own, pawl_error *error)
{
    size_t size = own->delivery.session.size;
    own->no_target = size == 0;
    if (own->no_target)
        return pawl_error_set(error, PAWL_E_INVALID, "event.no_target",
                              "an event of type \"%s\" goes to the queue of a session; process \"%s\" has no session, "
                              "and its type declares no target",
                              own->event->type, own->id);
    if (size > PAWL_SESSION_BYTES_MAX)
        return pawl_error_set(error, PAWL_E_LIMIT, "event.target", "the target has %zu bytes; at most %u are allowed",
                              size, PAWL_SESSION_BYTES_MAX);
    if (own->delivery.key.size > EVENT_KEY_BYTES_MAX)
        return pawl_error_set(error, PAWL_E_LIMIT, "event.wake_key",
                              "the wake key has %zu bytes; at most %u are allowed", own->delivery.key.size,
                              EVENT_KEY_BYTES_MAX);
    return PAWL_OK;
}

static pawl_status make_delivery(appending *own, pawl_error *error)
{
    bool wanted = false;
    const pawl_event_type *type = own->type;
    pawl_status status = is_wanted(own, &wanted, error);
    if (status != PAWL_OK || !wanted)
        return status;
    status = take(own, type->input, true, &own->input, error);
    if (status == PAWL_OK)
        status = take(own, type->key, false, &own->key, error);
    if (status == PAWL_OK)
        status = take(own, type->target, false, &own->target, error);
    if (status != PAWL_OK)
        return status;
    own->delivery = (pawl_delivery){
        .struct_size = sizeof own->delivery,
        .exclusive = type->exclusive ? 1 : 0,
        .session = type->target == NULL ? own->row.session : pawl_bytes_text(own->target),
        .type = pawl_bytes_text(type->name),
        .key = pawl_bytes_text(own->key),
        .merge = pawl_bytes_text(type->merge),
        .body = own->input == NULL ? own->event->payload : pawl_bytes_text(own->input),
        .after_ns = type->after_ms * PAWL_NS_PER_MS,
    };
    own->post.delivery = &own->delivery;
    return check_target(own, error);
}

/* ---- the record, and what it ends ---- */

static pawl_bytes text_member(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(object, key));
    return pawl_bytes_text(text == NULL ? fallback : text);
}

/* Completed: the outcome is the output. Failed or cancelled: an object with code and message, or a text: the message.
 */
static pawl_status make_outcome(appending *own, pawl_error *error)
{
    const pawl_event_type *type = own->type;
    if (type->ends == 0)
        return PAWL_OK;
    json_t *value = NULL;
    pawl_status status = take(own, type->outcome, true, &own->outcome, error);
    if (status != PAWL_OK)
        return status;
    pawl_entry entry = {.kind = PAWL_RECORD_ENDED, .status = type->ends, .failed = type->ends != PAWL_COMPLETED};
    if (type->ends == PAWL_COMPLETED) {
        entry.value = own->outcome == NULL ? own->event->payload : pawl_bytes_text(own->outcome);
    } else {
        status = pawl_selector_take(type->outcome, own->payload, &value, error);
        const char *fallback = type->ends == PAWL_FAILED ? "failed" : "cancelled";
        entry.failure = (pawl_failure){
            .struct_size = sizeof entry.failure,
            .klass = PAWL_TERMINAL,
            .code = text_member(value, "code", fallback),
            .message = text_member(value, "message", json_is_string(value) ? json_string_value(value) : own->outcome)};
    }
    if (status == PAWL_OK && pawl_entry_encode(&own->arena, &entry, &own->post.outcome) != PAWL_OK)
        status = no_memory(error);
    own->post.status = type->ends;
    json_decref(value);
    return status;
}

/* Everything that can be wrong without asking the store. */
static pawl_status materialise(appending *own, pawl_error *error)
{
    pawl_status status = find_type(own, error);
    if (status == PAWL_OK)
        status = read_payload(own, error);
    if (status == PAWL_OK)
        status = make_outcome(own, error);
    if (status == PAWL_OK)
        status = make_delivery(own, error);
    return status;
}

static pawl_status prepare(appending *own, pawl_error *error)
{
    const pawl_bytes parts[] = {pawl_bytes_text(own->event->type)};
    const pawl_bytes payload = own->event->payload.size == 0 ? pawl_bytes_text("null") : own->event->payload;
    const pawl_entry entry = {.kind = PAWL_RECORD_EVENT,
                              .name = pawl_bytes_text(own->event->type),
                              .failure = {.code = pawl_bytes_text(own->event->key)},
                              .status = own->type == NULL ? 0 : own->type->ends,
                              .value = payload};
    pawl_status status = pawl_fingerprint("event", parts, 1, payload, own->fingerprint, error);
    if (status != PAWL_OK)
        return status;
    if (!own->has_key)
        pawl_new_id(&own->host->new_ids, own->host->clock, own->made_id);
    if (pawl_entry_encode(&own->arena, &entry, &own->post.body) != PAWL_OK)
        return no_memory(error);
    own->post.struct_size = sizeof own->post;
    own->post.kind = PAWL_RECORD_EVENT;
    own->post.id = pawl_bytes_text(own->id);
    own->post.post_id = pawl_bytes_text(own->has_key ? own->event->key : own->made_id);
    own->post.fingerprint = (pawl_bytes){own->fingerprint, sizeof own->fingerprint};
    return PAWL_OK;
}

/* ---- posting ---- */

static pawl_status post(appending *own, pawl_event_appended *ret, pawl_error *error)
{
    pawl_registry_op op;
    pawl_status status = pawl_registry_call(&own->host->registry, &op, PAWL_OP_POST, &own->post, error);
    if (status < 0)
        return status;
    bool replayed = (op.flags & PAWL_RESULT_REPLAYED) != 0;
    *ret = (pawl_event_appended){
        .sequence = op.sequence, .replayed = replayed ? 1 : 0, .queued = (op.flags & PAWL_RESULT_QUEUED) != 0 ? 1 : 0};
    if (ret->queued != 0)
        pawl_host_queue_changed(own->host);
    if (own->post.status != 0 && !replayed) {
        pawl_post end = own->post;
        end.body = own->post.outcome;
        pawl_follows_tell_posted(own->host, &end);
    }
    return PAWL_OK;
}

/* The event cannot be appended; but a key that is known answers, and so does an end when only the target is missing. */
static pawl_status refuse(appending *own, pawl_status refused, pawl_event_appended *ret, pawl_error *error)
{
    pawl_error why = {0};
    own->post.look = 1;
    own->post.delivery = NULL;
    own->post.status = 0;
    if (!own->has_key && !own->no_target)
        return refused;
    pawl_status status = post(own, ret, &why);
    if (status == PAWL_OK)
        return PAWL_OK;
    if (status != PAWL_E_CONFLICT && !(status == PAWL_E_TERMINAL && own->no_target))
        return refused;
    if (error != NULL)
        *error = why;
    return status;
}

static pawl_status check(pawl_host *host, const char *id, const pawl_event *event, pawl_error *error)
{
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK)
        status = pawl_check_id(id, error);
    if (status == PAWL_OK)
        status = pawl_check_text("event type", event->type, EVENT_TYPE_BYTES_MAX, error);
    if (status == PAWL_OK && event->key != NULL && event->key[0] != '\0')
        status = pawl_check_text("event key", event->key, EVENT_KEY_BYTES_MAX, error);
    if (status == PAWL_OK)
        status = pawl_check_bytes("payload", event->payload, host->profile->limits.value_bytes, error);
    return status;
}

static pawl_status append(appending *own, pawl_event_appended *ret, pawl_error *error)
{
    pawl_status status = pawl_host_row(own->host, own->id, &own->arena, &own->row, error);
    if (status != PAWL_OK)
        return status;
    pawl_error why = {0};
    pawl_status refused = materialise(own, &why);
    status = refused == PAWL_E_NOMEM ? refused : prepare(own, error);
    if (status != PAWL_OK)
        return status;
    if (refused == PAWL_OK)
        return post(own, ret, error);
    if (error != NULL)
        *error = why;
    return refuse(own, refused, ret, error);
}

pawl_status pawl_host_append_event(pawl_host *host, const char *id, const pawl_event *given, pawl_event_appended *ret,
                                   pawl_error *error)
{
    pawl_event event;
    pawl_event_appended made = {0};
    if (!pawl_take_struct(&event, sizeof event, given))
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "event.struct_size is not set");
    pawl_status status = check(host, id, &event, error);
    if (status != PAWL_OK)
        return status;
    appending own = {.host = host, .id = id, .event = &event, .has_key = event.key != NULL && event.key[0] != '\0'};
    pawl_host_entered(host);
    status = append(&own, &made, error);
    finish(&own);
    pawl_host_left(host);
    if (status == PAWL_OK && ret != NULL)
        *ret = made;
    return status == PAWL_OK ? status : pawl_unknown_process(id, status, error);
}

/* ---- reading ---- */

json_t *pawl_event_json(const pawl_entry *entry)
{
    json_t *json = json_object();
    bool good = json != NULL && pawl_view_set(json, "sequence", json_integer((json_int_t)entry->sequence)) &&
                pawl_view_time(json, "time", entry->time_unix_ns) &&
                pawl_view_set(json, "type", pawl_view_text(entry->name)) &&
                (entry->failure.code.size == 0 || pawl_view_set(json, "key", pawl_view_text(entry->failure.code))) &&
                pawl_view_value(json, "payload", entry->value);
    if (good)
        return json;
    json_decref(json);
    return NULL;
}

typedef struct reading {
    const char *type; /* NULL: any */
    json_t *events;
    uint32_t limit;
    uint64_t next;
    pawl_status status;
    pawl_error *error;
} reading;

static int32_t read_record(void *context, const pawl_record *record)
{
    reading *own = context;
    pawl_entry entry;
    if (record->kind != PAWL_RECORD_EVENT)
        return 0;
    own->status = pawl_entry_decode(record, &entry, own->error);
    if (own->status != PAWL_OK)
        return 1;
    if (own->type != NULL &&
        (entry.name.size != strlen(own->type) || memcmp(entry.name.data, own->type, entry.name.size) != 0))
        return 0;
    if (json_array_append_new(own->events, pawl_event_json(&entry)) != 0) {
        own->status = no_memory(own->error);
        return 1;
    }
    own->next = entry.sequence;
    return json_array_size(own->events) >= own->limit;
}

pawl_status pawl_host_events(pawl_host *host, const char *id, uint64_t after, const char *type, uint32_t limit,
                             pawl_text *ret_json, pawl_error *error)
{
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK)
        status = pawl_check_id(id, error);
    if (status != PAWL_OK)
        return status;
    if (limit > EVENT_PAGE_MAX)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "a page of %u events; at most %u are allowed",
                              limit, EVENT_PAGE_MAX);
    pawl_arena arena = {0};
    pawl_process_row row;
    reading own = {.type = type, .events = json_array(), .limit = limit == 0 ? 100 : limit, .error = error};
    status = own.events == NULL ? no_memory(error) : pawl_host_row(host, id, &arena, &row, error);
    if (status == PAWL_OK && after < row.head) {
        pawl_failure_slot why;
        pawl_failure_init(&why);
        status = host->registry.table.journal(host->registry.store, row.number, after + 1, 0, read_record, &own, &why);
        if (status != PAWL_OK)
            status = pawl_failure_error(&why, status < 0 ? status : PAWL_E_FAILED, error);
        else
            status = own.status;
        pawl_failure_finish(&why);
    }
    pawl_arena_finish(&arena);
    bool more = own.events != NULL && json_array_size(own.events) >= own.limit;
    if (status == PAWL_OK)
        return pawl_view_give(json_pack("{s:o, s:o}", "events", own.events, "next",
                                        more ? json_integer((json_int_t)own.next) : json_null()),
                              ret_json, error);
    json_decref(own.events);
    return status;
}
