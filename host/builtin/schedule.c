/* schedule.c: what a schedule's process has done for it: "pawl.schedule.turn" and ".unwatch" (".watch" is
 * watch.c's). The turn itself is host/schedule/turn.c; here it gets the host as its world. Never acts for a
 * process that is no schedule. */
#include "host/builtin/builtin.h"

#include "host/operation/schedule.h"
#include "host/schedule/program.h"
#include "host/schedule/turn.h"
#include "worker/base/sink.h"
#include "worker/effect/context.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_MAX 256

static pawl_host *host_of(pawl_builtin_call *own)
{
    return (pawl_host *)((char *)own->facet - offsetof(struct pawl_host, attachments));
}

/* The name of the schedule whose process calls. */
static bool name_of(const pawl_builtin_call *own, char name[PAWL_ID_BYTES_MAX + 1])
{
    const size_t prefix = sizeof PAWL_SCHEDULE_ID_PREFIX - 1;
    pawl_bytes id = own->call->context->process;
    if (id.size <= prefix || id.size > PAWL_ID_BYTES_MAX || memcmp(id.data, PAWL_SCHEDULE_ID_PREFIX, prefix) != 0)
        return false;
    memcpy(name, (const char *)id.data + prefix, id.size - prefix);
    name[id.size - prefix] = '\0';
    return pawl_schedule_check_name(name, NULL) == PAWL_OK;
}

static pawl_status invalid(pawl_builtin_call *own, const char *message)
{
    return pawl_builtin_fail(own, PAWL_E_INVALID, PAWL_TERMINAL, "schedule.invalid_input", message, NULL);
}

/* ---- the world of a turn ---- */

static char *text_of(const json_t *json)
{
    return json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
}

static pawl_status start_run(void *context, const pawl_schedule_spec *spec, const char *id, uint64_t now,
                             pawl_error *error)
{
    char *input = text_of(spec->input);
    char *attributes = text_of(spec->attributes);
    pawl_start start = {.struct_size = sizeof start,
                        .id = id,
                        .type = spec->type,
                        .input = pawl_bytes_text(input),
                        .session = spec->session,
                        .attributes = pawl_bytes_text(attributes),
                        .key = spec->key,
                        .priority = spec->priority,
                        .deadline_unix_ns = spec->deadline_ns == 0 ? 0 : now + spec->deadline_ns};
    pawl_status status =
        (spec->input != NULL && input == NULL) || (spec->attributes != NULL && attributes == NULL)
            ? pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while starting a run")
            : pawl_host_start(context, &start, NULL, error);
    free(input);
    free(attributes);
    return status;
}

static uint32_t fate_of(uint32_t status)
{
    switch (status) {
    case PAWL_COMPLETED:
        return PAWL_RUN_COMPLETED;
    case PAWL_FAILED:
        return PAWL_RUN_FAILED;
    case PAWL_CANCELLED:
        return PAWL_RUN_CANCELLED;
    case PAWL_TERMINATED:
        return PAWL_RUN_TERMINATED;
    default:
        return PAWL_RUN_LIVE;
    }
}

pawl_status pawl_schedule_look(void *context, const char *id, uint32_t *fate, pawl_error *error)
{
    pawl_arena arena = {0};
    pawl_process_row row;
    pawl_status status = pawl_host_row(context, id, &arena, &row, error);
    *fate = status == PAWL_OK ? fate_of(row.status) : PAWL_RUN_FORGOTTEN;
    pawl_arena_finish(&arena);
    return status == PAWL_E_NOT_FOUND ? PAWL_OK : status;
}

static pawl_status not_there_is_fine(pawl_status status)
{
    return status == PAWL_E_TERMINAL || status == PAWL_E_NOT_FOUND ? PAWL_OK : status;
}

static pawl_status cancel_run(void *context, const char *id, pawl_error *error)
{
    return not_there_is_fine(pawl_host_cancel(context, id, "the next run of its schedule is due", error));
}

static pawl_status terminate_run(void *context, const char *id, pawl_error *error)
{
    return not_there_is_fine(pawl_host_terminate(context, id, "the next run of its schedule is due", error));
}

/* ---- the turn ---- */

typedef struct texts {
    char *parts[PAWL_TURN_SIZES];
} texts;

static void finish_texts(texts *all)
{
    for (size_t i = 0; i < PAWL_TURN_SIZES; i++)
        free(all->parts[i]);
}

/* A new text of JSON that is taken over. */
static char *dump(json_t *json)
{
    char *text = text_of(json);
    json_decref(json);
    return text;
}

static pawl_status give(pawl_builtin_call *own, const char *name, const pawl_schedule_spec *spec,
                        const pawl_schedule_state *state, const pawl_schedule_turn *done)
{
    size_t sizes[PAWL_TURN_SIZES];
    texts all = {{done->respecified ? text_of(spec->json) : strdup(""), dump(pawl_schedule_state_json(state)),
                  dump(pawl_schedule_document(name, spec, state)), strdup(done->watch),
                  done->reply == NULL ? strdup("") : text_of(done->reply), strdup(done->code), strdup(done->message)}};
    pawl_status status = PAWL_OK;
    for (size_t i = 0; i < PAWL_TURN_SIZES; i++) {
        sizes[i] = all.parts[i] == NULL ? 0 : strlen(all.parts[i]);
        status = all.parts[i] == NULL ? PAWL_E_NOMEM : status;
    }
    if (status == PAWL_OK)
        status = pawl_builtin_writef(own, PAWL_TURN_FORMAT, done->again ? 1 : 0, (unsigned long long)done->wake_unix_ns,
                                     sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], sizes[6]);
    for (size_t i = 0; status == PAWL_OK && i < PAWL_TURN_SIZES; i++)
        status = pawl_sink_write(own->out, all.parts[i], sizes[i]);
    finish_texts(&all);
    return status;
}

static pawl_status do_turn(pawl_builtin_call *own, const char *name, const json_t *input)
{
    pawl_host *host = host_of(own);
    const pawl_schedule_world world = {host, start_run, pawl_schedule_look, cancel_run, terminate_run};
    pawl_schedule_spec spec;
    pawl_schedule_state state;
    pawl_schedule_turn done;
    pawl_error error = {0};
    uint64_t now = (uint64_t)json_integer_value(json_object_get(input, "now"));
    pawl_status status = pawl_schedule_spec_read(name, json_object_get(input, "spec"), &spec, NULL, &error);
    if (status != PAWL_OK)
        return invalid(own, error.message);
    if (!pawl_schedule_state_read(json_object_get(input, "state"), &state)) {
        pawl_schedule_spec_finish(&spec);
        return invalid(own, "the state of the schedule cannot be read");
    }
    status = pawl_schedule_do_turn(name, &spec, &state, json_object_get(input, "wish"), now, &world, &done, &error);
    if (status != PAWL_OK) {
        status = pawl_builtin_fail(own, status, PAWL_RETRYABLE, error.code, error.message, NULL);
    } else {
        status = give(own, name, &spec, &state, &done);
        json_decref(done.reply);
    }
    pawl_schedule_spec_finish(&spec);
    return status;
}

pawl_status pawl_builtin_schedule_turn(pawl_builtin_call *own)
{
    char name[PAWL_ID_BYTES_MAX + 1];
    if (!name_of(own, name))
        return invalid(own, "only a process whose id is \"schedule:NAME\" is a schedule; use pawl schedule create");
    json_t *input = json_loadb(own->call->input.data, own->call->input.size, 0, NULL);
    pawl_status status =
        json_is_object(input) ? do_turn(own, name, input) : invalid(own, "wanted a JSON object with \"spec\"");
    json_decref(input);
    return status;
}

pawl_status pawl_builtin_schedule_unwatch(pawl_builtin_call *own)
{
    char name[PAWL_ID_BYTES_MAX + 1];
    if (!name_of(own, name))
        return invalid(own, "only a schedule watches");
    pawl_run_watches_end(&host_of(own)->watches, own->call->context->process);
    return PAWL_OK;
}

pawl_status pawl_builtin_schedule_watch(const pawl_effect_call *call, pawl_completion *done, pawl_failure_sink *why)
{
    pawl_builtin_call own = {.call = call, .facet = pawl_attachments_of(call->context), .why = why};
    char name[PAWL_ID_BYTES_MAX + 1];
    if (own.facet == NULL)
        return pawl_builtin_fail(&own, PAWL_E_UNSUPPORTED, PAWL_TERMINAL, "builtin.unsupported",
                                 "this host does not offer that operation", NULL);
    if (!name_of(&own, name))
        return invalid(&own, "only a schedule watches");
    return pawl_run_watch_begin(host_of(&own), call, done, why);
}
