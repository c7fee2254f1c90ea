/* program.c: see program.h. Between two awaits nothing may need cleaning up: what jansson makes is let go of before the
 * next call to the host. */
#include "program.h"

#include <jansson.h>
#include <pawl_process.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS_MAX  50u                /* of one run; then the journal begins anew */
#define READ_PAUSE PAWL_SECOND        /* for whoever was answered: an answer goes with its run */
#define TURN_PAUSE (30 * PAWL_SECOND) /* after one that failed */

/* What is known between two turns. */
typedef struct schedule {
    pawl_process *p;
    pawl_bytes spec;
    pawl_bytes state;
    pawl_bytes wish;    /* empty: none */
    pawl_future update; /* whose wish it is; 0: none */
    pawl_future timer;
    uint64_t timer_unix_ns;
    pawl_future watch; /* open; 0: none */
    unsigned turns;
} schedule;

/* What a turn gave. */
typedef struct outcome {
    bool failed; /* nothing has changed; to be tried again */
    int again;
    uint64_t wake_unix_ns;
    pawl_bytes parts[PAWL_TURN_SIZES];
} outcome;

enum { SPEC, STATE, DOCUMENT, WATCH, REPLY, CODE, MESSAGE };

static pawl_bytes copy(pawl_process *p, const char *text)
{
    return text == NULL ? pawl_bytes_of("", 0) : pawl_printf(p, "%s", text);
}

/* A member as text, in the memory of this activation. Empty when it is not there. */
static pawl_bytes member(pawl_process *p, const json_t *object, const char *name)
{
    char *text = json_dumps(json_object_get(object, name), JSON_COMPACT | JSON_ENCODE_ANY);
    pawl_bytes bytes = copy(p, text);
    free(text);
    return bytes;
}

static bool read_input(schedule *s)
{
    pawl_bytes input = pawl_input(s->p);
    json_t *json = json_loadb(input.data, input.size, 0, NULL);
    s->spec = member(s->p, json, "spec");
    s->state = member(s->p, json, "state");
    json_decref(json);
    return s->spec.size > 0 && s->state.size > 0;
}

static bool is_object(pawl_bytes text)
{
    json_t *json = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    bool object = json_is_object(json);
    json_decref(json);
    return object;
}

static pawl_status read_outcome(pawl_process *p, pawl_bytes output, outcome *ret)
{
    unsigned long long wake;
    size_t sizes[PAWL_TURN_SIZES];
    const char *text = pawl_cstring(p, output);
    const char *at = text == NULL ? NULL : strchr(text, '\n');
    if (at == NULL || sscanf(text, "%d %llu %zu %zu %zu %zu %zu %zu %zu", &ret->again, &wake, &sizes[0], &sizes[1],
                             &sizes[2], &sizes[3], &sizes[4], &sizes[5], &sizes[6]) != 2 + PAWL_TURN_SIZES)
        return PAWL_E_INVALID;
    size_t left = output.size - (size_t)(++at - text);
    for (size_t i = 0; i < PAWL_TURN_SIZES; i++) {
        if (sizes[i] > left)
            return PAWL_E_INVALID;
        ret->parts[i] = pawl_bytes_of(at, sizes[i]);
        at += sizes[i];
        left -= sizes[i];
    }
    ret->wake_unix_ns = wake;
    return PAWL_OK;
}

/* One turn. Of one that failed, why has been said to whoever wished for something. */
static pawl_status turn(schedule *s, outcome *ret)
{
    pawl_process *p = s->p;
    pawl_failure why;
    pawl_bytes output;
    bool wish = s->wish.size > 0;
    pawl_bytes input =
        pawl_printf(p, "{\"now\":%llu,\"spec\":%.*s,\"state\":%.*s%s%.*s}", (unsigned long long)pawl_now(p),
                    (int)s->spec.size, (const char *)s->spec.data, (int)s->state.size, (const char *)s->state.data,
                    wish ? ",\"wish\":" : "", (int)s->wish.size, wish ? (const char *)s->wish.data : "");
    pawl_future call = pawl_start_call(p, "pawl.schedule.turn", input);
    PAWL_TRY(pawl_await(p, call));
    pawl_future update = s->update;
    s->update = 0;
    s->wish = pawl_bytes_of("", 0);
    if (pawl_result_failure(p, call, &why) == PAWL_OK) {
        if (update != 0)
            PAWL_TRY(p->host->answer(p, update, pawl_bytes_of("", 0), &why));
        ret->failed = true;
        return pawl_is(why.code, "schedule.invalid_input") ? pawl_fail_as(p, &why) : PAWL_OK;
    }
    PAWL_TRY(pawl_result(p, call, &output));
    PAWL_TRY(read_outcome(p, output, ret));
    if (ret->parts[SPEC].size > 0)
        s->spec = ret->parts[SPEC];
    s->state = ret->parts[STATE];
    if (update != 0 && ret->parts[CODE].size > 0)
        PAWL_TRY(pawl_reject(p, update, pawl_cstring(p, ret->parts[CODE]), pawl_cstring(p, ret->parts[MESSAGE])));
    else if (update != 0)
        PAWL_TRY(pawl_reply(p, update, ret->parts[REPLY]));
    return pawl_set_status(p, ret->parts[DOCUMENT]);
}

/* The watch that is open has to end before a run or the process can. */
static pawl_status end_watch(schedule *s)
{
    pawl_future watch = s->watch;
    if (watch == 0)
        return PAWL_OK;
    s->watch = 0;
    PAWL_TRY(pawl_call(s->p, "pawl.schedule.unwatch", pawl_bytes_of("", 0), NULL));
    return pawl_await(s->p, watch);
}

static pawl_status next_run(schedule *s, bool answered)
{
    PAWL_TRY(end_watch(s));
    if (answered)
        PAWL_TRY(pawl_sleep(s->p, READ_PAUSE));
    return pawl_continue_as_new(s->p, pawl_printf(s->p, "{\"spec\":%.*s,\"state\":%.*s}", (int)s->spec.size,
                                                  (const char *)s->spec.data, (int)s->state.size,
                                                  (const char *)s->state.data));
}

/* What somebody wishes, if it can be one. */
static pawl_status take_wish(schedule *s, pawl_future update)
{
    pawl_bytes payload;
    PAWL_TRY(pawl_result(s->p, update, &payload));
    if (!is_object(payload))
        return pawl_reject(s->p, update, "schedule.invalid", "wanted a JSON object with \"do\"");
    s->update = update;
    s->wish = payload;
    return PAWL_OK;
}

/* A timer cannot be taken back, so one that is still right is used again. */
static bool set_timer(schedule *s, uint64_t wake_unix_ns)
{
    if (wake_unix_ns == 0 || (s->timer != 0 && s->timer_unix_ns == wake_unix_ns))
        return true;
    uint64_t now = pawl_now(s->p);
    if (now >= wake_unix_ns)
        return false;
    s->timer = pawl_start_timer(s->p, wake_unix_ns - now);
    s->timer_unix_ns = wake_unix_ns;
    return true;
}

/* Until there is something to do. */
static pawl_status wait_for_more(schedule *s, const outcome *last)
{
    pawl_future any[3];
    size_t count = 0;
    int first = 0;
    if (last->again || !set_timer(s, last->wake_unix_ns))
        return PAWL_OK;
    if (s->watch == 0 && last->parts[WATCH].size > 0)
        s->watch = pawl_start_call(s->p, "pawl.schedule.watch", last->parts[WATCH]);
    any[count++] = pawl_wait_update(s->p, PAWL_SCHEDULE_UPDATE);
    if (last->wake_unix_ns != 0)
        any[count++] = s->timer;
    if (s->watch != 0)
        any[count++] = s->watch;
    PAWL_TRY(pawl_await_any_of(s->p, &first, any, count));
    if (first == 0)
        return take_wish(s, any[0]);
    if (any[first] == s->watch)
        s->watch = 0;
    else
        s->timer = 0;
    return PAWL_OK;
}

static pawl_status go_on(schedule *s)
{
    for (;;) {
        outcome last = {.failed = false};
        bool answered = s->update != 0;
        PAWL_TRY(turn(s, &last));
        if (++s->turns >= TURNS_MAX)
            return next_run(s, answered);
        PAWL_TRY(last.failed ? pawl_sleep(s->p, TURN_PAUSE) : wait_for_more(s, &last));
    }
}

static pawl_status run(pawl_process *p)
{
    schedule s = {.p = p};
    if (!read_input(&s))
        return pawl_fail(p, "schedule.invalid_input", "wanted {\"spec\": {...}, \"state\": {...}}; use pawl schedule");
    pawl_status status = go_on(&s);
    if (status == PAWL_E_CANCELLED)
        PAWL_TRY(end_watch(&s)); /* what was started goes on by itself */
    return status;
}

static pawl_status PAWL_CALL activate(pawl_process *p, pawl_bytes type, uint32_t revision)
{
    (void)type;
    return revision == PAWL_SCHEDULE_REVISION ? run(p) : PAWL_E_UNSUPPORTED;
}

const pawl_process_table *pawl_schedule_program(void)
{
    static const pawl_process_table table = {sizeof(pawl_process_table), 0, activate};
    return &table;
}
