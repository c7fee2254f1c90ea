/* state.c: see state.h. The JSON of a state is written and read by this file alone; a state that cannot be read is
 * never taken for a new one. */
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEXT_SHOWN      5
#define INPUT_SHOWN_MAX 4096u

static const char *const fates[] = {"running",    "completed",          "failed",     "cancelled",
                                    "terminated", "no longer retained", "not started"};

const char *pawl_run_fate_name(uint32_t fate)
{
    return fate < sizeof fates / sizeof *fates ? fates[fate] : "?";
}

static bool read_count(const json_t *json, const char *name, uint64_t *ret)
{
    const json_t *value = json_object_get(json, name);
    *ret = (uint64_t)json_integer_value(value);
    return value == NULL || (json_is_integer(value) && json_integer_value(value) >= 0);
}

static bool read_text(const json_t *json, const char *name, char *text, size_t room)
{
    const json_t *value = json_object_get(json, name);
    const char *from = value == NULL ? "" : json_string_value(value);
    if (from == NULL || strlen(from) >= room)
        return false;
    memcpy(text, from, strlen(from) + 1);
    return true;
}

static bool read_runs(const json_t *json, pawl_schedule_state *state)
{
    const json_t *list = json_object_get(json, "runs");
    state->run_count = json_array_size(list);
    if (state->run_count > PAWL_SCHEDULE_RUNS_MAX)
        return false;
    for (size_t i = 0; i < state->run_count; i++) {
        const json_t *one = json_array_get(list, i);
        pawl_schedule_run *run = &state->runs[i];
        uint64_t fate;
        if (!read_text(one, "id", run->id, sizeof run->id) || !read_count(one, "time", &run->time) ||
            !read_count(one, "fate", &fate) || !read_text(one, "why", run->why, sizeof run->why) ||
            fate > PAWL_RUN_NOT_STARTED)
            return false;
        run->fate = (uint32_t)fate;
    }
    return true;
}

static bool read_backfills(const json_t *json, pawl_schedule_state *state)
{
    const json_t *list = json_object_get(json, "backfills");
    state->backfill_count = json_array_size(list);
    if (state->backfill_count > PAWL_SCHEDULE_BACKFILLS_MAX)
        return false;
    for (size_t i = 0; i < state->backfill_count; i++) {
        const json_t *one = json_array_get(list, i);
        pawl_schedule_backfill *backfill = &state->backfills[i];
        if (!read_count(one, "after", &backfill->after) || !read_count(one, "until", &backfill->until))
            return false;
        backfill->one_by_one = json_is_true(json_object_get(one, "one_by_one"));
    }
    return true;
}

static bool read_answers(const json_t *json, pawl_schedule_state *state)
{
    const json_t *list = json_object_get(json, "answers");
    state->answer_count = json_array_size(list);
    if (state->answer_count > PAWL_SCHEDULE_ANSWERS_MAX)
        return false;
    for (size_t i = 0; i < state->answer_count; i++) {
        const json_t *one = json_array_get(list, i);
        pawl_schedule_answer *answer = &state->answers[i];
        if (!read_text(one, "id", answer->id, sizeof answer->id) ||
            !read_text(one, "reply", answer->reply, sizeof answer->reply))
            return false;
    }
    return true;
}

bool pawl_schedule_state_read(const json_t *json, pawl_schedule_state *ret)
{
    *ret = (pawl_schedule_state){0};
    if (json == NULL)
        return true;
    ret->paused = json_is_true(json_object_get(json, "paused"));
    ret->profile = json_is_true(json_object_get(json, "profile"));
    return json_is_object(json) && read_count(json, "considered", &ret->considered) &&
           read_text(json, "note", ret->note, sizeof ret->note) &&
           read_count(json, "paused_since", &ret->paused_since) && read_count(json, "started", &ret->started) &&
           read_count(json, "skipped", &ret->skipped) && read_count(json, "missed", &ret->missed) &&
           read_count(json, "not_started", &ret->not_started) && read_count(json, "manual", &ret->manual) &&
           read_count(json, "buffered", &ret->buffered.time) &&
           read_count(json, "buffered_manual", &ret->buffered.manual) && read_runs(json, ret) &&
           read_backfills(json, ret) && read_answers(json, ret);
}

static json_t *runs_json(const pawl_schedule_state *state)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < state->run_count; i++) {
        const pawl_schedule_run *run = &state->runs[i];
        json_t *one =
            json_pack("{s:s, s:I, s:i}", "id", run->id, "time", (json_int_t)run->time, "fate", (int)run->fate);
        if (run->why[0] != '\0')
            (void)json_object_set_new(one, "why", json_string(run->why));
        (void)json_array_append_new(list, one);
    }
    return list;
}

static json_t *backfills_json(const pawl_schedule_state *state)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < state->backfill_count; i++) {
        const pawl_schedule_backfill *one = &state->backfills[i];
        (void)json_array_append_new(list, json_pack("{s:I, s:I, s:b}", "after", (json_int_t)one->after, "until",
                                                    (json_int_t)one->until, "one_by_one", (int)one->one_by_one));
    }
    return list;
}

static json_t *answers_json(const pawl_schedule_state *state)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < state->answer_count; i++)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s}", "id", state->answers[i].id, "reply", state->answers[i].reply));
    return list;
}

json_t *pawl_schedule_state_json(const pawl_schedule_state *state)
{
    return json_pack("{s:I, s:b, s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "considered",
                     (json_int_t)state->considered, "paused", (int)state->paused, "profile", (int)state->profile,
                     "note", state->note, "paused_since", (json_int_t)state->paused_since, "started",
                     (json_int_t)state->started, "skipped", (json_int_t)state->skipped, "missed",
                     (json_int_t)state->missed, "not_started", (json_int_t)state->not_started, "manual",
                     (json_int_t)state->manual, "buffered", (json_int_t)state->buffered.time, "buffered_manual",
                     (json_int_t)state->buffered.manual, "runs", runs_json(state), "backfills", backfills_json(state),
                     "answers", answers_json(state));
}

/* ---- the document ---- */

static json_t *moment_json(uint64_t unix_ns)
{
    char text[PAWL_MOMENT_SIZE];
    pawl_moment_write(unix_ns, text);
    return json_string(text);
}

/* With jitter: when it will really happen. */
static json_t *next_json(const pawl_schedule_spec *spec, const pawl_schedule_state *state)
{
    json_t *list = json_array();
    uint64_t at = pawl_calendar_next(&spec->calendar, state->considered);
    for (int i = 0; list != NULL && i < NEXT_SHOWN && at != 0; i++, at = pawl_calendar_next(&spec->calendar, at))
        (void)json_array_append_new(list, moment_json(pawl_calendar_due(&spec->calendar, at)));
    return list;
}

/* Newest first. */
static json_t *shown_runs(const pawl_schedule_state *state)
{
    json_t *list = json_array();
    for (size_t i = state->run_count; list != NULL && i-- > 0;) {
        const pawl_schedule_run *run = &state->runs[i];
        json_t *one = json_pack("{s:s, s:o, s:s}", "id", run->id, "time", moment_json(run->time), "status",
                                pawl_run_fate_name(run->fate));
        if (run->why[0] != '\0')
            (void)json_object_set_new(one, "why", json_string(run->why));
        (void)json_array_append_new(list, one);
    }
    return list;
}

static bool add_pause(json_t *json, const pawl_schedule_state *state)
{
    if (!state->paused)
        return true;
    return json_object_set_new(json, "note", json_string(state->note)) == 0 &&
           json_object_set_new(json, "paused_since", moment_json(state->paused_since)) == 0;
}

static bool add_waiting(json_t *json, const pawl_schedule_state *state)
{
    if (state->buffered.time != 0 && json_object_set_new(json, "buffered", moment_json(state->buffered.time)) != 0)
        return false;
    if (state->backfill_count == 0)
        return true;
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < state->backfill_count; i++)
        (void)json_array_append_new(list, json_pack("{s:o, s:o}", "done_until", moment_json(state->backfills[i].after),
                                                    "to", moment_json(state->backfills[i].until)));
    return json_object_set_new(json, "backfills", list) == 0;
}

json_t *pawl_schedule_document(const char *name, const pawl_schedule_spec *spec, const pawl_schedule_state *state)
{
    json_t *shown = json_copy(spec->json);
    char *input = spec->input == NULL ? NULL : json_dumps(spec->input, JSON_COMPACT | JSON_ENCODE_ANY);
    if (input != NULL && strlen(input) > INPUT_SHOWN_MAX) {
        (void)json_object_del(shown, "input");
        (void)json_object_set_new(shown, "input_bytes", json_integer((json_int_t)strlen(input)));
    }
    free(input);
    json_t *json = json_pack("{s:s, s:o, s:s, s:b, s:b, s:o, s:o, s:I, s:I, s:I, s:I}", "schedule", name, "spec", shown,
                             "digest", spec->digest, "profile", (int)state->profile, "paused", (int)state->paused,
                             "next", next_json(spec, state), "runs", shown_runs(state), "started",
                             (json_int_t)state->started, "skipped", (json_int_t)state->skipped, "missed",
                             (json_int_t)state->missed, "not_started", (json_int_t)state->not_started);
    if (json != NULL && add_pause(json, state) && add_waiting(json, state))
        return json;
    json_decref(json);
    return NULL;
}
