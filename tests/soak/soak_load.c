/* soak_load.c: the client of the soak. It believes only answers: whatever was not acknowledged is asked again under the
 * same id, so that a lost answer is harmless and a lost promise is seen in the audit. */
#include "soak.h"

#include <stdio.h>
#include <string.h>

static const char *const types[] = {"probe.plan", "probe.short", "probe.long", "probe.waiter"};

static const soak_plan plans[] = {
    {"step step step", SOAK_COMPLETES, 3, 0},
    {"quick quick step quick clock quick", SOAK_COMPLETES, 5, 0},
    {"once:3 step once:1 check:3 later:2", SOAK_COMPLETES, 5, 0},
    {"later:4 both:5 later:1 step", SOAK_COMPLETES, 8, 0},
    {"step sleep:40 check:5 sleep:400 once", SOAK_COMPLETES, 3, 0},
    {"step:2:2 once:1:1 later:1:1", SOAK_COMPLETES, 3, 0},
    {"check:4 check:4 once:4 once:4", SOAK_COMPLETES, 4, 0},
    {"step signal:go once:2 signal:go check:2", SOAK_COMPLETES, 5, 2},
    {"signal:go step signal:go signal:go", SOAK_COMPLETES, 4, 3},
    {"step keyed:1:1 step", SOAK_COMPLETES | SOAK_PARKS, 3, 0},
    {"step fail:planned", SOAK_FAILS, 0, 0},
    {"step signal:never step", SOAK_ONLY_BY_CANCEL, 0, 0},
    {"once:2 sleep:86400000 step", SOAK_ONLY_BY_CANCEL, 0, 0},
    {"step:30 step:30 sleep:200 step:30 signal:go step:30", SOAK_COMPLETES | SOAK_MAY_BE_CANCELLED, 5, 1},
    {"later:200 check:100 once:100", SOAK_COMPLETES | SOAK_MAY_BE_CANCELLED, 3, 0},
};
#define PLANS (sizeof plans / sizeof *plans)

const soak_plan *soak_plan_of(const soak_process *process)
{
    return &plans[process->plan];
}

unsigned soak_random(soak *s, unsigned below)
{
    s->seed = s->seed * 1664525u + 1013904223u;
    return (s->seed >> 8) % below;
}

/* Refused for a reason that passes: stopping, killed in between, no space. */
static bool passes(soak *s, long status)
{
    s->numbers.unanswered += status == 0;
    s->numbers.refused += status == 503 || status == 507 || status == 429;
    return status == 0 || status == 503 || status == 507 || status == 429;
}

static void unexpected(const char *what, const soak_process *process, long status, json_t *answer)
{
    char *text = json_dumps(answer, JSON_COMPACT);
    fail_msg("%s %s (%s): HTTP status %ld: %s", what, process->id, soak_plan_of(process)->words, status,
             text == NULL ? "nothing" : text);
}

static void start(soak *s, size_t i)
{
    soak_process *process = &s->processes[i];
    json_t *answer = NULL;
    json_t *body = json_pack("{s:s, s:s, s:s}", "type", types[i % 4], "id", process->id, "input_text",
                             soak_plan_of(process)->words);
    long status = api_call(s->y, "POST", "/v1/processes", body, &answer);
    bool again = process->started;
    if (status == 200 || status == 201) {
        if (again && (status != 200 || !json_is_true(json_object_get(answer, "existed"))))
            unexpected("the second start of", process, status, answer);
        s->started += !again;
        process->started = true;
    } else if (!passes(s, status)) {
        unexpected("start", process, status, answer);
    }
    json_decref(answer);
}

/* The same id with another input is another process: never taken for the first. */
static void start_otherwise(soak *s, size_t i)
{
    json_t *answer = NULL;
    json_t *body =
        json_pack("{s:s, s:s, s:s}", "type", types[i % 4], "id", s->processes[i].id, "input_text", "something else");
    long status = api_call(s->y, "POST", "/v1/processes", body, &answer);
    if (status != 409 && !passes(s, status))
        unexpected("a conflicting start of", &s->processes[i], status, answer);
    json_decref(answer);
}

static void start_new(soak *s)
{
    soak_process *process = &s->processes[s->count];
    *process = (soak_process){.plan = (unsigned char)soak_random(s, PLANS)};
    snprintf(process->id, sizeof process->id, "s%06zu", s->count);
    unsigned flags = soak_plan_of(process)->flags;
    process->to_cancel =
        (flags & SOAK_ONLY_BY_CANCEL) != 0 || ((flags & SOAK_MAY_BE_CANCELLED) != 0 && soak_random(s, 2) == 0);
    start(s, s->count++);
}

/* Has this ended without our doing? Then there is nobody left to tell. */
static bool is_over(long status, const json_t *answer)
{
    const char *code = json_string_value(json_object_get(json_object_get(answer, "error"), "code"));
    return status == 409 && code != NULL && strstr(code, "terminal") != NULL;
}

static void send_signal(soak *s, soak_process *process)
{
    char payload[32];
    json_t *answer = NULL;
    snprintf(payload, sizeof payload, "%s-%u", process->id, process->signals);
    json_t *body = json_pack("{s:s, s:s, s:s}", "name", "go", "payload_text", payload, "id", payload);
    long status = api_process(s->y, "POST", process->id, "/signals", body, &answer);
    if (status == 200 && soak_random(s, 4) == 0) { /* once more: it must be known */
        json_t *second = NULL;
        body = json_pack("{s:s, s:s, s:s}", "name", "go", "payload_text", payload, "id", payload);
        long again = api_process(s->y, "POST", process->id, "/signals", body, &second);
        if (again == 200 ? !json_is_true(json_object_get(second, "replayed"))
                         : !passes(s, again) && !is_over(again, second))
            unexpected("the second sending of a signal to", process, again, second);
        json_decref(second);
        s->numbers.duplicates++;
    }
    if (status == 200) {
        process->signals++;
        s->numbers.signals++;
    } else if (is_over(status, answer) && process->cancel_asked) {
        process->signals = (unsigned char)soak_plan_of(process)->signals;
    } else if (!passes(s, status)) {
        unexpected("signal", process, status, answer);
    }
    json_decref(answer);
}

static void send_cancel(soak *s, soak_process *process)
{
    json_t *answer = NULL;
    process->cancel_asked = true;
    long status =
        api_process(s->y, "POST", process->id, "/cancel", json_pack("{s:s}", "reason", "no longer wanted"), &answer);
    if (status == 200) {
        process->cancelled = true;
        process->to_cancel = false;
        s->numbers.cancels++;
    } else if (is_over(status, answer)) {
        process->to_cancel = false; /* by its own end, or an earlier request whose answer was lost: see the audit */
    } else if (!passes(s, status)) {
        unexpected("cancel", process, status, answer);
    }
    json_decref(answer);
}

static bool needs(const soak_process *process)
{
    return !process->started || process->to_cancel || process->signals < soak_plan_of(process)->signals;
}

static void tend(soak *s, size_t i)
{
    soak_process *process = &s->processes[i];
    if (!process->started)
        start(s, i);
    else if (process->to_cancel && soak_random(s, 60) == 0)
        send_cancel(s, process);
    else if (process->signals < soak_plan_of(process)->signals && soak_random(s, 40) == 0)
        send_signal(s, process);
}

static void resume_parked(soak *s)
{
    json_t *page = NULL;
    size_t i;
    json_t *row;
    if (s->stuck == 0 || api_call(s->y, "GET", "/v1/processes?status=stuck&limit=50", NULL, &page) != 200) {
        json_decref(page);
        return;
    }
    json_array_foreach(json_object_get(page, "processes"), i, row)
    {
        const char *id = json_string_value(json_object_get(row, "id"));
        unsigned long at = id == NULL ? s->count : strtoul(id + 1, NULL, 10);
        if (at >= s->count || (soak_plan_of(&s->processes[at])->flags & SOAK_PARKS) == 0)
            fail_msg("%s is stuck: %s", id == NULL ? "somebody" : id, json_dumps(row, JSON_COMPACT));
        s->numbers.resumed += api_process(s->y, "POST", id, "/resume", NULL, NULL) == 200;
    }
    json_decref(page);
}

void soak_feed(soak *s, bool more)
{
    double elapsed = seconds_now() - s->began;
    size_t allowed = (size_t)(elapsed * SOAK_PER_SECOND) + 20;
    for (unsigned n = 0;
         more && n < 8 && s->count < s->room && s->count < allowed && (json_int_t)s->count - s->ended < SOAK_LIVE_MAX;
         n++)
        start_new(s);
    if (s->count > 0 && soak_random(s, 4) == 0) {
        size_t i = soak_random(s, (unsigned)s->count);
        if (s->processes[i].started && soak_random(s, 2) == 0)
            start_otherwise(s, i);
        else
            start(s, i);
        s->numbers.duplicates++;
    }
    while (s->first < s->count && !needs(&s->processes[s->first]))
        s->first++;
    for (size_t i = s->first; i < s->count && s->y->server > 0; i++)
        if (needs(&s->processes[i]))
            tend(s, i);
    resume_parked(s);
}

bool soak_is_fed(const soak *s)
{
    for (size_t i = s->first; i < s->count; i++)
        if (needs(&s->processes[i]))
            return false;
    return true;
}
