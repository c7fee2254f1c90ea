/* schedule.c: schedules for those who make and tend them. A schedule is a process of the type "pawl.schedule";
 * what is wished of it is an update, so it is durable, and answered once. Never decides anything itself: host/schedule
 * does. */
#include "host/operation/schedule.h"

#include "host/schedule/program.h"
#include "host/schedule/turn.h"
#include "host/schema/rules.h"
#include "host/view/view.h"
#include "worker/base/sink.h"
#include "worker/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_NS  (UINT64_C(30) * PAWL_NS_PER_SECOND)
#define ID_SIZE    (sizeof PAWL_SCHEDULE_ID_PREFIX + PAWL_SCHEDULE_NAME_BYTES_MAX)
#define LIST_MAX   1000u
#define LIST_USUAL 100u

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while looking after a schedule");
}

static pawl_status check(pawl_host *host, const char *name, char id[ID_SIZE], pawl_error *error)
{
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK)
        status = pawl_schedule_check_name(name, error);
    if (status == PAWL_OK)
        snprintf(id, ID_SIZE, PAWL_SCHEDULE_ID_PREFIX "%s", name);
    return status;
}

static pawl_status unknown(const char *name, pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOT_FOUND, "unknown_schedule", "there is no schedule \"%s\"", name);
}

/* The row of a schedule that has not ended. */
static pawl_status live_row(pawl_host *host, const char *name, const char *id, pawl_arena *arena, pawl_process_row *row,
                            pawl_error *error)
{
    pawl_status status = pawl_host_row(host, id, arena, row, error);
    if (status == PAWL_E_NOT_FOUND)
        return unknown(name, error);
    bool schedule = status == PAWL_OK && row->type.size == strlen(PAWL_SCHEDULE_TYPE) &&
                    memcmp(row->type.data, PAWL_SCHEDULE_TYPE, row->type.size) == 0;
    return status == PAWL_OK && (!schedule || PAWL_IS_TERMINAL(row->status)) ? unknown(name, error) : status;
}

/* ---- wishes ---- */

/* What the schedule said. Takes the answer over. */
static pawl_status read_answer(json_t *answer, const char *name, pawl_text *ret_json, pawl_error *error)
{
    const char *status = json_string_value(json_object_get(answer, "status"));
    const char *code = json_string_value(json_object_get(answer, "code"));
    const char *message = json_string_value(json_object_get(answer, "message"));
    json_t *reply = json_object_get(answer, "reply");
    pawl_status result = PAWL_OK;
    if (status == NULL || strcmp(status, "replied") != 0)
        result = pawl_error_set(error, PAWL_E_INVALID, code == NULL ? "schedule.refused" : code, "schedule \"%s\": %s",
                                name, message == NULL ? "it refused" : message);
    else if (ret_json != NULL)
        result = pawl_view_give(json_incref(reply), ret_json, error);
    json_decref(answer);
    return result;
}

/* Tell it, and wait for its answer if it is to be waited for. Takes the wish over. The schedule itself knows requests
 * that come again: an update's answer is known no longer than the run that gave it. */
static pawl_status wish(pawl_host *host, const char *name, json_t *given, bool wait, pawl_text *ret_json,
                        pawl_error *error)
{
    char id[ID_SIZE];
    char own_id[PAWL_UPDATE_ID_SIZE];
    uint64_t sequence;
    pawl_text answer = {0};
    pawl_arena arena = {0};
    pawl_process_row row;
    char *payload = given == NULL ? NULL : json_dumps(given, JSON_COMPACT);
    json_decref(given);
    pawl_status status = payload == NULL ? no_memory(error) : check(host, name, id, error);
    if (status == PAWL_OK)
        status = live_row(host, name, id, &arena, &row, error);
    pawl_arena_finish(&arena);
    if (status == PAWL_OK && !wait)
        status = pawl_host_post_update(host, id, PAWL_SCHEDULE_UPDATE, pawl_bytes_text(payload), NULL, own_id,
                                       &sequence, error);
    else if (status == PAWL_OK)
        status =
            pawl_host_update(host, id, PAWL_SCHEDULE_UPDATE, pawl_bytes_text(payload), NULL, ANSWER_NS, &answer, error);
    free(payload);
    if (status == PAWL_E_TERMINAL)
        status = unknown(name, error);
    if (status != PAWL_OK || !wait)
        return status;
    json_t *read = json_loadb(answer.data, answer.size, 0, NULL);
    pawl_text_free(&answer);
    return read_answer(read, name, ret_json, error);
}

pawl_status pawl_host_schedule_pause(pawl_host *host, const char *name, const char *note, pawl_error *error)
{
    return wish(host, name, json_pack("{s:s, s:s}", "do", "pause", "note", note == NULL ? "" : note), true, NULL,
                error);
}

pawl_status pawl_host_schedule_resume(pawl_host *host, const char *name, pawl_error *error)
{
    return wish(host, name, json_pack("{s:s}", "do", "resume"), true, NULL, error);
}

pawl_status pawl_host_schedule_trigger(pawl_host *host, const char *name, const char *overlap, const char *request_id,
                                       pawl_text *ret_json, pawl_error *error)
{
    return wish(host, name, json_pack("{s:s, s:s*, s:s*}", "do", "trigger", "overlap", overlap, "id", request_id), true,
                ret_json, error);
}

pawl_status pawl_host_schedule_backfill(pawl_host *host, const char *name, const char *from, const char *to,
                                        const char *overlap, const char *request_id, pawl_text *ret_json,
                                        pawl_error *error)
{
    return wish(host, name,
                json_pack("{s:s, s:s*, s:s*, s:s*, s:s*}", "do", "backfill", "from", from, "to", to, "overlap", overlap,
                          "id", request_id),
                true, ret_json, error);
}

pawl_status pawl_host_schedule_delete(pawl_host *host, const char *name, pawl_error *error)
{
    char id[ID_SIZE];
    pawl_arena arena = {0};
    pawl_process_row row;
    pawl_status status = check(host, name, id, error);
    if (status == PAWL_OK)
        status = live_row(host, name, id, &arena, &row, error);
    pawl_arena_finish(&arena);
    if (status != PAWL_OK)
        return status;
    status = pawl_host_terminate(host, id, "the schedule was deleted", error);
    pawl_run_watches_end(&host->watches, pawl_bytes_text(id));
    return status == PAWL_E_TERMINAL ? unknown(name, error) : status;
}

/* ---- making one ---- */

/* What only a host can tell of a spec: type, input, attributes. */
static pawl_status check_against_host(pawl_host *host, const pawl_schedule_spec *spec, pawl_error *error)
{
    const pawl_type *type = pawl_catalog_type(host->assembly.catalog, pawl_bytes_text(spec->type));
    if (type == NULL)
        return pawl_unknown_type(host, spec->type, error);
    pawl_status status = PAWL_OK;
    const pawl_type_rules *rules = type->rules;
    char *input = spec->input == NULL ? NULL : json_dumps(spec->input, JSON_COMPACT | JSON_ENCODE_ANY);
    if (rules != NULL && pawl_schema_check_text(rules->input, pawl_bytes_text(input), error) != PAWL_OK) {
        pawl_error why = error == NULL ? (pawl_error){0} : *error;
        status = pawl_error_set(error, PAWL_E_INVALID, "schema.input",
                                "input: the input of process type \"%s\" does not fit: %s", spec->type, why.message);
    }
    free(input);
    if (status != PAWL_OK || spec->attributes == NULL)
        return status;
    char *attributes = json_dumps(spec->attributes, JSON_COMPACT);
    json_t *read = NULL;
    status = attributes == NULL
                 ? no_memory(error)
                 : pawl_attributes_read(&host->attributes, pawl_bytes_text(attributes), false, &read, error);
    json_decref(read);
    free(attributes);
    return status;
}

pawl_status pawl_schedule_check_spec(pawl_host *host, const char *name, const json_t *json, pawl_schedule_spec *ret,
                                     pawl_error *error)
{
    pawl_status status = pawl_schedule_spec_read(name, json, ret, NULL, error);
    if (status != PAWL_OK)
        return status;
    status = check_against_host(host, ret, error);
    if (status != PAWL_OK)
        pawl_schedule_spec_finish(ret);
    return status;
}

/* The digest of what it does now: from its document, or, before its first turn, from what it was started with. */
typedef struct present {
    const char *name;
    char digest[33];
} present;

static int32_t PAWL_CALL take_started(void *context, const pawl_record *record)
{
    present *own = context;
    pawl_entry entry;
    pawl_schedule_spec spec;
    if (pawl_entry_decode(record, &entry, NULL) != PAWL_OK)
        return 1;
    json_t *json = json_loadb(entry.value.data, entry.value.size, 0, NULL);
    if (pawl_schedule_spec_read(own->name, json_object_get(json, "spec"), &spec, NULL, NULL) == PAWL_OK) {
        memcpy(own->digest, spec.digest, sizeof own->digest);
        pawl_schedule_spec_finish(&spec);
    }
    json_decref(json);
    return 1;
}

static pawl_status digest_now(pawl_host *host, const char *name, const char *id, char digest[33], pawl_error *error)
{
    pawl_arena arena = {0};
    pawl_process_row row;
    present own = {.name = name};
    pawl_status status = live_row(host, name, id, &arena, &row, error);
    if (status == PAWL_OK) {
        json_t *document = json_loadb(row.document.data, row.document.size, 0, NULL);
        const char *known = json_string_value(json_object_get(document, "digest"));
        if (known != NULL)
            snprintf(own.digest, sizeof own.digest, "%s", known);
        else
            (void)host->registry.table.journal(host->registry.store, row.number, row.base, 1, take_started, &own, NULL);
        json_decref(document);
    }
    pawl_arena_finish(&arena);
    memcpy(digest, own.digest, sizeof own.digest);
    return status;
}

static pawl_status start_process(pawl_host *host, const char *id, const pawl_schedule_spec *spec,
                                 const pawl_schedule_making *how, pawl_error *error)
{
    uint64_t now = host->clock->unix_ns(host->clock);
    bool paused = (how->flags & PAWL_SCHEDULE_PAUSED) != 0;
    json_t *json = json_pack("{s:O, s:{s:I, s:b, s:b, s:s, s:I}}", "spec", spec->json, "state", "considered",
                             (json_int_t)now, "paused", (int)paused, "profile", (int)how->profile, "note",
                             how->note == NULL ? "" : how->note, "paused_since", (json_int_t)(paused ? now : 0));
    char *input = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (input == NULL)
        return no_memory(error);
    const pawl_start start = {.struct_size = sizeof start,
                              .id = id,
                              .type = PAWL_SCHEDULE_TYPE,
                              .input = pawl_bytes_text(input),
                              .reuse = PAWL_REUSE_AFTER_END,
                              .deadline_unix_ns = PAWL_NO_DEADLINE};
    pawl_status status = pawl_host_start(host, &start, NULL, error);
    free(input);
    return status;
}

pawl_status pawl_schedule_make(pawl_host *host, const char *name, const pawl_schedule_spec *spec,
                               const pawl_schedule_making *how, uint32_t *ret_made, pawl_error *error)
{
    char id[ID_SIZE];
    char digest[33];
    pawl_status status = check(host, name, id, error);
    *ret_made = PAWL_SCHEDULE_CREATED;
    if (status == PAWL_OK)
        status = start_process(host, id, spec, how, error);
    if (status != PAWL_E_CONFLICT) /* the time in the input makes it another one each time */
        return status;
    status = digest_now(host, name, id, digest, error);
    if (status != PAWL_OK)
        return status;
    *ret_made = PAWL_SCHEDULE_KEPT;
    if (strcmp(digest, spec->digest) == 0)
        return PAWL_OK;
    if ((how->flags & PAWL_SCHEDULE_REPLACE) == 0)
        return pawl_error_set(error, PAWL_E_CONFLICT, "schedule.exists",
                              "schedule \"%s\" is there already and does something else; replace or delete it", name);
    *ret_made = PAWL_SCHEDULE_REPLACED;
    return wish(host, name,
                json_pack("{s:s, s:O, s:b}", "do", "replace", "spec", spec->json, "profile", (int)how->profile),
                how->wait, NULL, error);
}

pawl_status pawl_host_schedule_create(pawl_host *host, const char *name, pawl_bytes spec_json, uint32_t flags,
                                      const char *note, uint32_t *ret_made, pawl_error *error)
{
    char id[ID_SIZE];
    uint32_t made = PAWL_SCHEDULE_CREATED;
    json_error_t why;
    pawl_schedule_spec spec;
    pawl_status status = check(host, name, id, error);
    if (status == PAWL_OK && (flags & ~(PAWL_SCHEDULE_PAUSED | PAWL_SCHEDULE_REPLACE)) != 0)
        status = pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "unknown flags 0x%x", flags);
    if (status == PAWL_OK && note != NULL && note[0] != '\0')
        status = pawl_check_text("note", note, PAWL_SCHEDULE_NOTE_BYTES_MAX, error);
    if (status != PAWL_OK)
        return status;
    json_t *json =
        spec_json.size == 0 ? NULL : json_loadb(spec_json.data, spec_json.size, JSON_REJECT_DUPLICATES, &why);
    if (json == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "schedule.invalid", "the schedule is no JSON: %s",
                              spec_json.size == 0 ? "it is empty" : why.text);
    status = pawl_schedule_check_spec(host, name, json, &spec, error);
    json_decref(json);
    if (status != PAWL_OK)
        return status;
    const pawl_schedule_making how = {.flags = flags, .note = note, .wait = true};
    status = pawl_schedule_make(host, name, &spec, &how, &made, error);
    pawl_schedule_spec_finish(&spec);
    if (status == PAWL_OK && ret_made != NULL)
        *ret_made = made;
    return status;
}

/* ---- looking ---- */

static json_t *document_of(const pawl_process_row *row)
{
    const size_t prefix = sizeof PAWL_SCHEDULE_ID_PREFIX - 1;
    json_t *json = row->document.size == 0 ? NULL : json_loadb(row->document.data, row->document.size, 0, NULL);
    if (json_is_object(json))
        return json;
    json_decref(json); /* its first turn is still to come */
    return json_pack("{s:s%, s:b, s:[], s:[]}", "schedule", (const char *)row->id.data + prefix, row->id.size - prefix,
                     "paused", 0, "next", "runs");
}

/* What became of the runs meanwhile. */
static void refresh_runs(pawl_host *host, json_t *document)
{
    size_t i;
    json_t *run;
    json_array_foreach(json_object_get(document, "runs"), i, run)
    {
        uint32_t fate;
        const char *id = json_string_value(json_object_get(run, "id"));
        const char *known = json_string_value(json_object_get(run, "status"));
        if (id != NULL && known != NULL && strcmp(known, pawl_run_fate_name(PAWL_RUN_LIVE)) == 0 &&
            pawl_schedule_look(host, id, &fate, NULL) == PAWL_OK)
            (void)json_object_set_new(run, "status", json_string(pawl_run_fate_name(fate)));
    }
}

/* When it does not do what it should: why. */
static bool add_process(pawl_host *host, const pawl_process_row *row, json_t *document)
{
    char why[512] = "";
    if (row->status == PAWL_STUCK || row->paused_unix_ns != 0)
        pawl_view_why(host, row, why, sizeof why);
    return pawl_view_set(document, "process", pawl_view_text(row->id)) &&
           pawl_view_set(document, "status", json_string(pawl_view_status(row->status))) &&
           (why[0] == '\0' || pawl_view_set(document, "why", json_string(why))) &&
           pawl_view_time(document, "created", row->created_unix_ns);
}

pawl_status pawl_host_schedule_show(pawl_host *host, const char *name, pawl_text *ret_json, pawl_error *error)
{
    char id[ID_SIZE];
    pawl_arena arena = {0};
    pawl_process_row row;
    pawl_status status = check(host, name, id, error);
    if (status != PAWL_OK)
        return status;
    pawl_host_entered(host);
    status = live_row(host, name, id, &arena, &row, error);
    if (status == PAWL_OK) {
        json_t *document = document_of(&row);
        refresh_runs(host, document);
        if (document != NULL && !add_process(host, &row, document)) {
            json_decref(document);
            document = NULL;
        }
        status = pawl_view_give(document, ret_json, error);
    }
    pawl_host_left(host);
    pawl_arena_finish(&arena);
    return status;
}

typedef struct page {
    pawl_host *host;
    json_t *list;
    bool failed;
} page;

/* Its latest runs are for those who look at it alone. */
static int32_t PAWL_CALL take_row(void *context, const pawl_process_row *given)
{
    page *own = context;
    pawl_process_row row = {0};
    memcpy(&row, given, given->struct_size < sizeof row ? given->struct_size : sizeof row);
    json_t *document = document_of(&row);
    bool made = document != NULL && add_process(own->host, &row, document);
    (void)json_object_del(document, "runs");
    own->failed = !made || json_array_append(own->list, document) != 0;
    json_decref(document);
    return own->failed;
}

pawl_status pawl_schedule_each(pawl_host *host, uint32_t limit, uint64_t after, json_t *list, uint64_t *next,
                               pawl_error *error)
{
    page own = {.host = host, .list = list};
    pawl_list asked = {.struct_size = sizeof asked,
                       .limit = limit,
                       .after_number = after,
                       .type = pawl_bytes_text(PAWL_SCHEDULE_TYPE),
                       .id_prefix = pawl_bytes_text(PAWL_SCHEDULE_ID_PREFIX)};
    pawl_failure_slot why;
    pawl_status status = pawl_view_status_mask("live", &asked.status_mask, error);
    pawl_failure_init(&why);
    if (status == PAWL_OK)
        status = host->registry.table.list(host->registry.store, &asked, take_row, &own, next, &why);
    if (status < 0)
        (void)pawl_failure_error(&why, status, error);
    else
        status = own.failed ? no_memory(error) : PAWL_OK;
    pawl_failure_finish(&why);
    return status;
}

pawl_status pawl_host_schedule_list(pawl_host *host, uint32_t limit, uint64_t after, pawl_text *ret_json,
                                    pawl_error *error)
{
    uint64_t next = 0;
    json_t *list = json_array();
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK && limit > LIST_MAX)
        status = pawl_error_set(error, PAWL_E_LIMIT, "limit", "a page of %u schedules was asked for; at most %u fit",
                                limit, LIST_MAX);
    if (status == PAWL_OK && list == NULL)
        status = no_memory(error);
    if (status == PAWL_OK) {
        pawl_host_entered(host);
        status = pawl_schedule_each(host, limit == 0 ? LIST_USUAL : limit, after, list, &next, error);
        pawl_host_left(host);
    }
    if (status == PAWL_OK)
        status = pawl_view_give(json_pack("{s:O, s:o}", "schedules", list, "next",
                                          next == 0 ? json_null() : json_integer((json_int_t)next)),
                                ret_json, error);
    json_decref(list);
    return status;
}
