/* turn.c: see turn.h. Never starts anything whose id does not follow from the schedule's name and the time or number
 * that it is for. */
#include "turn.h"

#include "worker/base/date.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct turn {
    const char *name;
    pawl_schedule_spec *spec;
    pawl_schedule_state *state;
    uint64_t now;
    const pawl_schedule_world *world;
    pawl_schedule_turn *ret;
    pawl_error *error;
    uint32_t starts;
} turn;

static bool passes(pawl_status status)
{
    return status == PAWL_E_IO || status == PAWL_E_FULL || status == PAWL_E_BUSY || status == PAWL_E_NOMEM ||
           status == PAWL_E_CLOSED;
}

/* ---- runs ---- */

static pawl_schedule_run *live_run(pawl_schedule_state *state)
{
    for (size_t i = 0; i < state->run_count; i++)
        if (state->runs[i].fate == PAWL_RUN_LIVE)
            return &state->runs[i];
    return NULL;
}

/* What has become of those that had not ended. */
static pawl_status refresh(turn *t)
{
    for (size_t i = 0; i < t->state->run_count; i++) {
        pawl_schedule_run *run = &t->state->runs[i];
        if (run->fate != PAWL_RUN_LIVE)
            continue;
        pawl_status status = t->world->look(t->world->context, run->id, &run->fate, t->error);
        if (status != PAWL_OK)
            return status;
    }
    return PAWL_OK;
}

/* Room for one more: the oldest that has ended goes, or the oldest. */
static pawl_schedule_run *new_run(pawl_schedule_state *state)
{
    if (state->run_count == PAWL_SCHEDULE_RUNS_MAX) {
        size_t gone = 0;
        for (size_t i = state->run_count; i-- > 0;)
            if (state->runs[i].fate != PAWL_RUN_LIVE)
                gone = i;
        memmove(&state->runs[gone], &state->runs[gone + 1], (state->run_count - gone - 1) * sizeof state->runs[0]);
        state->run_count--;
    }
    pawl_schedule_run *run = &state->runs[state->run_count++];
    *run = (pawl_schedule_run){0};
    return run;
}

static void name_run(const turn *t, pawl_schedule_slot slot, char id[PAWL_RUN_ID_SIZE])
{
    char time[PAWL_MOMENT_SIZE];
    pawl_moment_write(slot.time - slot.time % UINT64_C(1000000000), time);
    if (slot.manual == 0)
        snprintf(id, PAWL_RUN_ID_SIZE, "%s/%s", t->name, time);
    else
        snprintf(id, PAWL_RUN_ID_SIZE, "%s/%s/%" PRIu64, t->name, time, slot.manual);
}

static pawl_status start(turn *t, pawl_schedule_slot slot)
{
    pawl_error why = {0};
    char id[PAWL_RUN_ID_SIZE];
    name_run(t, slot, id);
    t->starts++;
    pawl_status status = t->world->start(t->world->context, t->spec, id, t->now, &why);
    if (passes(status)) {
        if (t->error != NULL)
            *t->error = why;
        return status;
    }
    pawl_schedule_run *run = new_run(t->state);
    memcpy(run->id, id, sizeof id);
    run->time = slot.time;
    if (status == PAWL_OK) {
        t->state->started++;
        return PAWL_OK;
    }
    t->state->not_started++;
    run->fate = PAWL_RUN_NOT_STARTED;
    snprintf(run->why, sizeof run->why, "%s: %s", why.code, why.message);
    return PAWL_OK;
}

/* Ask all that have not ended to stop, or end them. */
static pawl_status stop_others(turn *t, bool at_once)
{
    for (size_t i = 0; i < t->state->run_count; i++) {
        pawl_schedule_run *run = &t->state->runs[i];
        if (run->fate != PAWL_RUN_LIVE)
            continue;
        pawl_status status = at_once ? t->world->terminate(t->world->context, run->id, t->error)
                                     : t->world->cancel(t->world->context, run->id, t->error);
        if (status != PAWL_OK)
            return status;
        if (at_once)
            run->fate = PAWL_RUN_TERMINATED;
    }
    return PAWL_OK;
}

static void buffer(turn *t, pawl_schedule_slot slot)
{
    t->state->skipped += t->state->buffered.time != 0; /* the one that it replaces */
    t->state->buffered = slot;
}

/* A time, or a run by hand: started, kept for later, or let go, as the policy says. */
static pawl_status run(turn *t, pawl_schedule_slot slot, uint32_t overlap)
{
    pawl_status status = PAWL_OK;
    if (live_run(t->state) == NULL || overlap == PAWL_OVERLAP_ALLOW)
        return start(t, slot);
    switch (overlap) {
    case PAWL_OVERLAP_BUFFER_ONE:
        if (t->state->buffered.time == 0)
            t->state->buffered = slot;
        else
            t->state->skipped++;
        return PAWL_OK;
    case PAWL_OVERLAP_CANCEL_OTHER:
        status = stop_others(t, false);
        if (status == PAWL_OK)
            buffer(t, slot);
        return status;
    case PAWL_OVERLAP_TERMINATE_OTHER:
        status = stop_others(t, true);
        return status == PAWL_OK ? start(t, slot) : status;
    default:
        t->state->skipped++;
        return PAWL_OK;
    }
}

/* What waited for the end of others. */
static pawl_status run_buffered(turn *t)
{
    pawl_schedule_slot slot = t->state->buffered;
    if (slot.time == 0 || t->state->paused || live_run(t->state) != NULL)
        return PAWL_OK;
    t->state->buffered = (pawl_schedule_slot){0};
    return start(t, slot);
}

/* ---- the passing of time ---- */

/* Every time that has become due since: run it, or count it as missed. */
static pawl_status advance(turn *t)
{
    pawl_schedule_state *state = t->state;
    const pawl_calendar *calendar = &t->spec->calendar;
    if (state->considered == 0 || (state->paused && t->now > state->considered))
        state->considered =
            t->now; /* of what was before there was a schedule, or while it was paused, nothing is run */
    for (uint32_t steps = 0; !state->paused; steps++) {
        uint64_t at = pawl_calendar_next(calendar, state->considered);
        uint64_t due = at == 0 ? 0 : pawl_calendar_due(calendar, at);
        pawl_status status = PAWL_OK;
        if (at == 0 || due > t->now)
            return PAWL_OK;
        t->ret->again = t->starts >= PAWL_SCHEDULE_STARTS_MAX || steps >= PAWL_SCHEDULE_STEPS_MAX;
        if (t->ret->again)
            return PAWL_OK;
        if (t->now - due > t->spec->catch_up_ns)
            state->missed++;
        else
            status = run(t, (pawl_schedule_slot){.time = at}, t->spec->overlap);
        if (status != PAWL_OK)
            return status;
        state->considered = at;
    }
    return PAWL_OK;
}

static void drop_backfill(pawl_schedule_state *state)
{
    state->backfill_count--;
    memmove(&state->backfills[0], &state->backfills[1], state->backfill_count * sizeof state->backfills[0]);
}

/* The first backfill goes on; a time that has run already is the same run. Goes on while the schedule is paused, too.
 */
static pawl_status go_on_backfilling(turn *t)
{
    while (t->state->backfill_count > 0) {
        pawl_schedule_backfill *own = &t->state->backfills[0];
        uint64_t at = pawl_calendar_next(&t->spec->calendar, own->after);
        if (at == 0 || at > own->until) {
            drop_backfill(t->state);
            continue;
        }
        if (own->one_by_one && live_run(t->state) != NULL)
            return PAWL_OK;
        if (t->starts >= PAWL_SCHEDULE_STARTS_MAX) {
            t->ret->again = true;
            return PAWL_OK;
        }
        pawl_status status = start(t, (pawl_schedule_slot){.time = at});
        if (status == PAWL_OK && own->one_by_one)
            status = refresh(t); /* it may be one that has ended long ago */
        if (status != PAWL_OK)
            return status;
        own->after = at;
    }
    return PAWL_OK;
}

/* ---- wishes ---- */

static void refuse(turn *t, const char *code, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void refuse(turn *t, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(t->ret->message, sizeof t->ret->message, format, args);
    va_end(args);
    snprintf(t->ret->code, sizeof t->ret->code, "%s", code);
}

static pawl_status take_note(turn *t, const json_t *wish, const char **note)
{
    const json_t *given = json_object_get(wish, "note");
    *note = given == NULL ? "" : json_string_value(given);
    if (*note != NULL && strlen(*note) <= PAWL_SCHEDULE_NOTE_BYTES_MAX)
        return PAWL_OK;
    refuse(t, "schedule.invalid", "note: wanted a text of at most %u bytes", PAWL_SCHEDULE_NOTE_BYTES_MAX);
    return PAWL_E_INVALID;
}

static pawl_status wish_pause(turn *t, const json_t *wish)
{
    const char *note;
    if (take_note(t, wish, &note) != PAWL_OK)
        return PAWL_OK;
    if (!t->state->paused)
        t->state->paused_since = t->now;
    t->state->paused = true;
    snprintf(t->state->note, sizeof t->state->note, "%s", note);
    t->ret->reply = json_pack("{s:b}", "paused", 1);
    return PAWL_OK;
}

/* Times that have passed meanwhile are not caught up. */
static pawl_status wish_resume(turn *t, const json_t *wish)
{
    (void)wish;
    t->state->paused = false;
    t->state->paused_since = 0;
    t->state->note[0] = '\0';
    t->ret->reply = json_pack("{s:b}", "paused", 0);
    return PAWL_OK;
}

/* Also while it is paused. */
static pawl_status wish_trigger(turn *t, const json_t *wish)
{
    const char *word = json_string_value(json_object_get(wish, "overlap"));
    int overlap = word == NULL ? (int)t->spec->overlap : pawl_overlap_read(word);
    if (overlap < 0 || (word == NULL && json_object_get(wish, "overlap") != NULL)) {
        refuse(t, "schedule.invalid", "overlap: wanted skip, buffer_one, allow, cancel_other or terminate_other");
        return PAWL_OK;
    }
    pawl_schedule_slot slot = {.time = t->now, .manual = ++t->state->manual};
    uint64_t refused = t->state->not_started;
    uint32_t starts = t->starts;
    char id[PAWL_RUN_ID_SIZE];
    name_run(t, slot, id);
    pawl_status status = run(t, slot, (uint32_t)overlap);
    if (status != PAWL_OK)
        return status;
    bool buffered = t->state->buffered.manual == slot.manual;
    if (t->state->not_started > refused)
        refuse(t, "schedule.not_started", "%s", t->state->runs[t->state->run_count - 1].why);
    else
        t->ret->reply = json_pack("{s:s, s:s}", "id", id, "run",
                                  t->starts > starts ? "started"
                                  : buffered         ? "buffered"
                                                     : "skipped");
    return PAWL_OK;
}

static bool read_moment(turn *t, const json_t *wish, const char *name, uint64_t *ret)
{
    int64_t ns = 0;
    const char *text = json_string_value(json_object_get(wish, name));
    if (text != NULL && pawl_time_read(text, &ns) && ns > 0 && (uint64_t)ns <= t->now) {
        *ret = (uint64_t)ns;
        return true;
    }
    refuse(t, "schedule.invalid", "%s: %s%.60s; wanted a time that is past, such as 2026-11-21T08:00:00Z", name,
           text == NULL ? "missing" : "found ", text == NULL ? "" : text);
    return false;
}

/* Both ends belong to the range. */
static pawl_status wish_backfill(turn *t, const json_t *wish)
{
    uint64_t from, to;
    const char *word = json_string_value(json_object_get(wish, "overlap"));
    bool one_by_one = word != NULL && strcmp(word, "buffer_one") == 0;
    if (!read_moment(t, wish, "from", &from) || !read_moment(t, wish, "to", &to))
        return PAWL_OK;
    if (word != NULL && !one_by_one && strcmp(word, "allow") != 0)
        refuse(t, "schedule.invalid", "overlap: found %.40s; wanted allow (all at once) or buffer_one (one by one)",
               word);
    else if (to < from)
        refuse(t, "schedule.invalid", "to: it is before \"from\"");
    else if (t->state->backfill_count == PAWL_SCHEDULE_BACKFILLS_MAX)
        refuse(t, "schedule.too_many_backfills", "%u backfills are not done yet; wait for one of them",
               PAWL_SCHEDULE_BACKFILLS_MAX);
    else {
        uint64_t count = pawl_calendar_count(&t->spec->calendar, from - 1, to, PAWL_SCHEDULE_STEPS_MAX);
        t->state->backfills[t->state->backfill_count++] = (pawl_schedule_backfill){from - 1, to, one_by_one};
        t->ret->reply = json_pack("{s:I}", "times", (json_int_t)count);
    }
    return PAWL_OK;
}

static pawl_status wish_replace(turn *t, const json_t *wish)
{
    pawl_schedule_spec spec;
    pawl_error why = {0};
    pawl_status status = pawl_schedule_spec_read(t->name, json_object_get(wish, "spec"), &spec, NULL, &why);
    if (status == PAWL_E_NOMEM)
        return status;
    if (status != PAWL_OK) {
        refuse(t, why.code, "%s", why.message);
        return PAWL_OK;
    }
    pawl_schedule_spec_finish(t->spec);
    *t->spec = spec;
    t->ret->respecified = true;
    t->state->profile = t->state->profile || json_is_true(json_object_get(wish, "profile"));
    t->state->considered = t->now; /* of the new times only those to come */
    t->ret->reply = json_pack("{s:b}", "replaced", 1);
    return PAWL_OK;
}

static pawl_status wish_look(turn *t, const json_t *wish)
{
    (void)wish;
    t->ret->reply = json_object();
    return PAWL_OK;
}

/* The same request as one before, by its id: the same answer, and nothing is done. */
static bool is_known(turn *t, const char *id)
{
    for (size_t i = 0; id != NULL && i < t->state->answer_count; i++)
        if (strcmp(t->state->answers[i].id, id) == 0) {
            t->ret->reply = json_loads(t->state->answers[i].reply, 0, NULL);
            return true;
        }
    return false;
}

static void remember(turn *t, const char *id)
{
    pawl_schedule_state *state = t->state;
    char *reply = id == NULL || strlen(id) >= PAWL_REQUEST_ID_SIZE || t->ret->reply == NULL
                      ? NULL
                      : json_dumps(t->ret->reply, JSON_COMPACT);
    if (reply != NULL && strlen(reply) < PAWL_ANSWER_SIZE) {
        if (state->answer_count == PAWL_SCHEDULE_ANSWERS_MAX)
            memmove(&state->answers[0], &state->answers[1], --state->answer_count * sizeof state->answers[0]);
        pawl_schedule_answer *own = &state->answers[state->answer_count++];
        snprintf(own->id, sizeof own->id, "%s", id);
        snprintf(own->reply, sizeof own->reply, "%s", reply);
    }
    free(reply);
}

static pawl_status grant(turn *t, const json_t *wish)
{
    static const struct {
        const char *word;
        pawl_status (*grant)(turn *t, const json_t *wish);
    } wishes[] = {{"pause", wish_pause},       {"resume", wish_resume},   {"trigger", wish_trigger},
                  {"backfill", wish_backfill}, {"replace", wish_replace}, {"look", wish_look}};
    const char *word = json_string_value(json_object_get(wish, "do"));
    const char *id = json_string_value(json_object_get(wish, "id"));
    if (is_known(t, id))
        return PAWL_OK;
    for (size_t i = 0; word != NULL && i < sizeof wishes / sizeof *wishes; i++)
        if (strcmp(word, wishes[i].word) == 0) {
            pawl_status status = wishes[i].grant(t, wish);
            if (status == PAWL_OK)
                remember(t, id);
            return status;
        }
    refuse(t, "schedule.invalid", "do: found %.40s; wanted pause, resume, trigger, backfill, replace or look",
           word == NULL ? "no such text" : word);
    return PAWL_OK;
}

/* ---- the whole ---- */

static void what_next(turn *t)
{
    pawl_schedule_state *state = t->state;
    const pawl_schedule_run *live = live_run(state);
    uint64_t at = state->paused ? 0 : pawl_calendar_next(&t->spec->calendar, state->considered);
    t->ret->wake_unix_ns = at == 0 ? 0 : pawl_calendar_due(&t->spec->calendar, at);
    bool waits =
        (state->buffered.time != 0 && !state->paused) || (state->backfill_count > 0 && state->backfills[0].one_by_one);
    if (waits && live != NULL)
        memcpy(t->ret->watch, live->id, sizeof live->id);
}

pawl_status pawl_schedule_do_turn(const char *name, pawl_schedule_spec *spec, pawl_schedule_state *state,
                                  const json_t *wish, uint64_t now_unix_ns, const pawl_schedule_world *world,
                                  pawl_schedule_turn *ret, pawl_error *error)
{
    turn t = {
        .name = name, .spec = spec, .state = state, .now = now_unix_ns, .world = world, .ret = ret, .error = error};
    *ret = (pawl_schedule_turn){0};
    pawl_status status = refresh(&t);
    if (status == PAWL_OK)
        status = run_buffered(&t);
    if (status == PAWL_OK)
        status = advance(&t);
    if (status == PAWL_OK && wish != NULL)
        status = grant(&t, wish);
    if (status == PAWL_OK)
        status = run_buffered(&t); /* a resume lets it go */
    if (status == PAWL_OK)
        status = go_on_backfilling(&t);
    if (status == PAWL_OK)
        what_next(&t);
    if (status != PAWL_OK)
        json_decref(ret->reply);
    return status;
}
