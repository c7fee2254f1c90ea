/* outcome.c: see outcome.h. */
#include "host/operation/outcome.h"

#include "host/view/view.h"

#include "worker/base/sink.h"
#include "worker/journal.h"
#include <string.h>

pawl_status pawl_outcome_decode(uint32_t status, pawl_bytes body, pawl_outcome *ret, pawl_error *error)
{
    pawl_record record = {.struct_size = sizeof record, .kind = PAWL_RECORD_ENDED, .body = body};
    pawl_entry entry;
    pawl_status decoded = pawl_entry_decode(&record, &entry, error);
    if (decoded != PAWL_OK)
        return decoded;
    *ret = (pawl_outcome){.struct_size = sizeof *ret, .status = status};
    if (entry.failed) {
        ret->code = entry.failure.code;
        ret->message = entry.failure.message;
        ret->detail_json = entry.failure.detail_json;
    } else {
        ret->output = entry.value;
    }
    return PAWL_OK;
}

struct end {
    pawl_arena *arena;
    pawl_bytes body;
    bool found;
};

static int32_t PAWL_CALL keep_end(void *context, const pawl_record *record)
{
    struct end *end = context;
    end->found = record->kind == PAWL_RECORD_ENDED && pawl_arena_copy(end->arena, record->body, &end->body);
    return 1;
}

pawl_status pawl_outcome_read(pawl_host *host, const pawl_registry_op *ended, const char *id, pawl_arena *arena,
                              pawl_outcome *ret, pawl_error *error)
{
    const pawl_registry *registry = &host->registry;
    struct end end = {.arena = arena};
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_status status =
        registry->table.journal(registry->store, ended->number, ended->sequence, 1, keep_end, &end, &why);
    if (status != PAWL_OK)
        status = pawl_unknown_process(id, pawl_failure_error(&why, status, error), error);
    else if (!end.found)
        status = pawl_error_set(error, PAWL_E_CORRUPT, "journal_corrupt",
                                "record %llu of process \"%s\" cannot be read as its end",
                                (unsigned long long)ended->sequence, id);
    pawl_failure_finish(&why);
    if (status == PAWL_OK)
        status = pawl_outcome_decode(ended->result_status, end.body, ret, error);
    if (status != PAWL_OK)
        (void)pawl_error_wrap(error, "outcome of process \"%s\"", id);
    return status;
}

json_t *pawl_outcome_json(const pawl_outcome *outcome)
{
    json_t *json = json_object();
    bool made = pawl_view_set(json, "status", json_string(pawl_view_status(outcome->status)));
    if (outcome->status == PAWL_COMPLETED)
        made = made && pawl_view_value(json, "output", outcome->output);
    else
        made = made && pawl_view_set(json, "code", pawl_view_text(outcome->code)) &&
               pawl_view_set(json, "message", pawl_view_text(outcome->message));
    if (outcome->detail_json.size > 0)
        made = made && pawl_view_value(json, "detail", outcome->detail_json);
    if (made)
        return json;
    json_decref(json);
    return NULL;
}

/* ---- answers to updates ---- */

struct reply {
    pawl_arena *arena;
    pawl_record record;
    bool found;
};

static int32_t PAWL_CALL keep_reply(void *context, const pawl_record *record)
{
    struct reply *reply = context;
    reply->record = *record;
    reply->found = pawl_arena_copy(reply->arena, record->body, &reply->record.body);
    return 1;
}

/* The record that a watch has reported; its bytes are in the arena. */
static pawl_status read_watched(pawl_host *host, const pawl_registry_op *watched, pawl_arena *arena, pawl_entry *ret,
                                pawl_error *error)
{
    struct reply reply = {.arena = arena};
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_status status = host->registry.table.journal(host->registry.store, watched->number, watched->sequence, 1,
                                                      keep_reply, &reply, &why);
    pawl_failure_error(&why, status, error);
    pawl_failure_finish(&why);
    if (status != PAWL_OK)
        return status;
    if (!reply.found)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while reading what was waited for");
    return pawl_entry_decode(&reply.record, ret, error);
}

pawl_status pawl_outcome_read_event(pawl_host *host, const pawl_registry_op *watched, const char *type,
                                    pawl_arena *arena, pawl_outcome *ret, pawl_error *error)
{
    pawl_entry entry;
    pawl_status status = read_watched(host, watched, arena, &entry, error);
    if (status != PAWL_OK)
        return status;
    if (entry.kind != PAWL_RECORD_EVENT ||
        (type[0] != '\0' && (entry.name.size != strlen(type) || memcmp(entry.name.data, type, entry.name.size) != 0)))
        return PAWL_PENDING;
    size_t size = 0;
    json_t *json = pawl_event_json(&entry);
    char *text = json == NULL ? NULL : pawl_view_dump(json, &size);
    *ret = (pawl_outcome){.struct_size = sizeof *ret, .status = PAWL_COMPLETED};
    bool kept = text != NULL && pawl_arena_copy(arena, (pawl_bytes){text, size}, &ret->output);
    free(text);
    json_decref(json);
    return kept ? PAWL_OK : pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for an event");
}

pawl_status pawl_outcome_read_reply(pawl_host *host, const pawl_registry_op *watched, const char *update_id,
                                    pawl_arena *arena, pawl_outcome *ret, pawl_error *error)
{
    pawl_entry entry;
    pawl_status status = read_watched(host, watched, arena, &entry, error);
    if (status != PAWL_OK)
        return status;
    if (entry.kind != PAWL_RECORD_REPLY || entry.name.size != strlen(update_id) ||
        memcmp(entry.name.data, update_id, entry.name.size) != 0)
        return PAWL_PENDING;
    *ret = (pawl_outcome){.struct_size = sizeof *ret, .status = entry.failed ? PAWL_FAILED : PAWL_COMPLETED};
    ret->output = entry.value;
    if (entry.failed) {
        ret->code = entry.failure.code;
        ret->message = entry.failure.message;
        ret->detail_json = entry.failure.detail_json;
    }
    return PAWL_OK;
}

json_t *pawl_outcome_reply_json(const pawl_outcome *outcome)
{
    json_t *json = json_object();
    bool replied = outcome->status == PAWL_COMPLETED;
    bool made = pawl_view_set(json, "status", json_string(replied ? "replied" : "rejected"));
    if (replied)
        made = made && pawl_view_value(json, "reply", outcome->output);
    else
        made = made && pawl_view_set(json, "code", pawl_view_text(outcome->code)) &&
               pawl_view_set(json, "message", pawl_view_text(outcome->message));
    if (outcome->detail_json.size > 0)
        made = made && pawl_view_value(json, "detail", outcome->detail_json);
    if (made)
        return json;
    json_decref(json);
    return NULL;
}
