/* world.c: what is outside of a process under test: effects in flight, children, timers, and what the script sends.
 * Times are virtual. Must answer the same call in the same way whenever it is made. */
#include "world.h"

#include "worker/child.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const pawl_bytes nothing = {NULL, 0};

/* ---- what was begun ---- */

static bool same(pawl_bytes left, pawl_bytes right)
{
    return left.size == right.size && (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

/* A call has the same number among those of its effect, however often it is begun. */
pawl_issue *pawl_world_issue(pawl_machine *m, uint64_t ordinal, pawl_bytes name, bool child)
{
    uint32_t nth = 1;
    for (size_t i = 0; i < m->issue_count; i++) {
        pawl_issue *issue = &m->issues[i];
        bool alike = issue->child == child && same(issue->name, name);
        if (alike && issue->run == m->run && issue->ordinal == ordinal)
            return issue;
        nth += alike;
    }
    if (m->issue_count == m->issue_room) {
        size_t room = m->issue_room == 0 ? 16 : m->issue_room * 2;
        pawl_issue *issues = realloc(m->issues, room * sizeof *issues);
        if (issues == NULL)
            return NULL;
        m->issues = issues;
        m->issue_room = room;
    }
    pawl_issue *made = &m->issues[m->issue_count];
    *made = (pawl_issue){.run = m->run, .nth = nth, .ordinal = ordinal, .child = child};
    if (!pawl_arena_copy(&m->arena, name, &made->name))
        return NULL;
    m->issue_count++;
    return made;
}

bool pawl_world_copy(pawl_machine *m, const pawl_machine *from)
{
    if (from->issue_count == 0)
        return true;
    m->issues = malloc(from->issue_count * sizeof *m->issues);
    if (m->issues == NULL)
        return false;
    memcpy(m->issues, from->issues, from->issue_count * sizeof *m->issues);
    m->issue_count = m->issue_room = from->issue_count;
    return true;
}

void pawl_world_finish(pawl_machine *m)
{
    free(m->issues);
    free(m->flights);
}

pawl_flight_in *pawl_world_flight(const pawl_machine *m, uint64_t ordinal, uint32_t kind)
{
    for (size_t i = 0; i < m->flight_count; i++)
        if (m->flights[i].ordinal == ordinal && m->flights[i].kind == kind)
            return &m->flights[i];
    return NULL;
}

void pawl_world_land(pawl_machine *m, pawl_flight_in *flight)
{
    *flight = m->flights[--m->flight_count];
}

pawl_flight_in *pawl_world_take_off(pawl_machine *m, const pawl_flight_in *flight)
{
    if (m->flight_count == m->flight_room) {
        size_t room = m->flight_room == 0 ? 8 : m->flight_room * 2;
        pawl_flight_in *flights = realloc(m->flights, room * sizeof *flights);
        if (flights == NULL) {
            pawl_machine_stop(m, PAWL_END_MEMORY, "out_of_memory", "out of memory for a call");
            return NULL;
        }
        m->flights = flights;
        m->flight_room = room;
    }
    m->flights[m->flight_count] = *flight;
    return &m->flights[m->flight_count++];
}

/* ---- answers ---- */

/* What the script says, unless it is to fail. */
const pawl_script_answer *pawl_world_answer(const pawl_machine *m, const pawl_script_effect *effect,
                                            const pawl_issue *issue, pawl_bytes input, uint32_t attempt)
{
    const pawl_fault *fault = m->fault;
    if (fault != NULL && fault->run == issue->run && fault->ordinal == issue->ordinal &&
        (fault->attempt == 0 || fault->attempt == attempt))
        return &fault->answer;
    return effect == NULL ? NULL : pawl_script_answer_to(effect, issue->ordinal, issue->nth, input, attempt);
}

void pawl_world_refuse(pawl_machine *m, const char *what, const char *section, pawl_bytes name, uint32_t nth,
                       pawl_bytes input)
{
    int shown = (int)(input.size < 120 ? input.size : 120);
    pawl_machine_stop(m, PAWL_END_UNSCRIPTED, "unscripted",
                      "%s %.*s (number %" PRIu32 ", with %.*s), and the script does not say what that gives; add under "
                      "`%s:`  \"%.*s\": {result: ...}",
                      what, (int)name.size, (const char *)name.data, nth, shown,
                      input.size == 0 ? "" : (const char *)input.data, section, (int)name.size,
                      (const char *)name.data);
}

/* ---- children ---- */

static void fly_child(pawl_machine *m, const pawl_issue *issue)
{
    const pawl_script *script = m->subject->script;
    const pawl_script_effect *child = pawl_script_child_of(script, issue->name);
    const pawl_script_answer *answer = pawl_world_answer(m, child, issue, issue->input, 1);
    if (answer == NULL && !script->answers_all) {
        pawl_world_refuse(m, "it starts a child of type", "children", issue->name, issue->nth, issue->input);
        return;
    }
    uint64_t delay = answer == NULL ? 0 : answer->delay_ns;
    const pawl_flight_in made = {.kind = PAWL_HAPPENS_CHILD,
                                 .run = m->run,
                                 .attempt = 1,
                                 .nth = issue->nth,
                                 .ordinal = issue->ordinal,
                                 .due_unix_ns = delay > UINT64_MAX - m->now ? UINT64_MAX : m->now + delay,
                                 .begun = true,
                                 .answer = answer};
    (void)pawl_world_take_off(m, &made);
}

static void start_child(pawl_machine *m, const pawl_open_call *open)
{
    pawl_child_request request;
    if (!pawl_child_request_decode(open->input, &request)) {
        pawl_machine_stop(m, PAWL_END_STUCK, "contract", "a child's start cannot be read");
        return;
    }
    pawl_issue *issue = pawl_world_issue(m, open->ordinal, request.type, true);
    if (issue == NULL || !pawl_arena_copy(&m->arena, request.id, &issue->id) ||
        !pawl_arena_copy(&m->arena, request.input, &issue->input)) {
        pawl_machine_stop(m, PAWL_END_MEMORY, "out_of_memory", "out of memory for a child");
        return;
    }
    issue->detached = (request.flags & PAWL_CHILD_DETACHED) != 0;
    issue->parent_close = request.parent_close;
    const pawl_issue started = *issue;
    pawl_machine_trace(m, open->ordinal, "child", started.name, started.input);
    pawl_entry entry = pawl_tester_call_entry(open, PAWL_RECORD_STEP, open->attempts + 1);
    entry.value = started.id;
    if (!started.detached)
        fly_child(m, &started);
    pawl_machine_record(m, &entry);
}

void pawl_world_recover(pawl_machine *m)
{
    for (const pawl_open_child *child = pawl_activation_children(m->activation); child != NULL; child = child->next)
        for (size_t i = 0; i < m->issue_count; i++) {
            const pawl_issue issue = m->issues[i];
            if (issue.child && !issue.detached && issue.run == m->run && issue.ordinal == child->ordinal)
                fly_child(m, &issue);
        }
}

/* ---- stopping ---- */

static void stop_flights(pawl_machine *m, uint64_t last, bool calls, bool children)
{
    for (size_t i = 0; i < m->flight_count; i++) {
        pawl_flight_in *flight = &m->flights[i];
        bool meant = flight->kind == PAWL_HAPPENS_CALL ? calls && flight->begun : children;
        if (!meant || flight->stopped || flight->ordinal > last || (flight->answer != NULL && flight->answer->deaf))
            continue;
        flight->stopped = true;
        flight->due_unix_ns = m->now;
    }
}

/* What the process has started and nobody has begun, once it is told to stop. */
static void drop_unbegun(pawl_machine *m)
{
    uint64_t last = pawl_activation_cancel_ordinal(m->activation);
    if (m->result.compensating)
        last = pawl_activation_program_ordinal(m->activation);
    for (pawl_open_call *open = pawl_activation_calls(m->activation), *next; open != NULL; open = next) {
        next = open->next;
        pawl_flight_in *flight = pawl_world_flight(m, open->ordinal, PAWL_HAPPENS_CALL);
        if (!open->issued || open->ordinal > last || open->intents > open->attempts ||
            (flight != NULL && flight->begun))
            continue;
        bool doubtful = open->last_failure.klass == PAWL_UNKNOWN_OUTCOME;
        const pawl_failure failure =
            pawl_tester_call_failure(doubtful ? PAWL_UNKNOWN_OUTCOME : PAWL_TERMINAL, "cancelled",
                                     "its process was asked to stop, or ended, before this was begun");
        if (flight != NULL)
            pawl_world_land(m, flight);
        else
            m->doubtful = true; /* an earlier worker may have begun it */
        pawl_tester_call_record_failure(m, open, open->attempts + 1, &failure);
    }
}

static void stop_what_is_to_stop(pawl_machine *m)
{
    bool cancelled = pawl_activation_cancel_time(m->activation) != 0;
    if (m->result.compensating) {
        uint64_t last = pawl_activation_program_ordinal(m->activation);
        stop_flights(m, last, true, false);
    } else if (cancelled && !m->stop_told) {
        stop_flights(m, UINT64_MAX, true, false);
        m->stop_told = true;
    }
    if (cancelled && pawl_activation_cancel_told(m->activation))
        stop_flights(m, pawl_activation_cancel_ordinal(m->activation), false, true);
    if (cancelled || m->result.compensating)
        drop_unbegun(m);
}

void pawl_world_end(pawl_machine *m)
{
    for (size_t i = 0; i < m->flight_count; i++)
        pawl_machine_trace(m, m->flights[i].ordinal, "left", nothing, nothing);
    m->flight_count = 0;
}

/* ---- looking ---- */

static void set_timers(pawl_machine *m)
{
    if (m->result.compensating)
        return;
    for (pawl_open_timer *t = pawl_activation_timers(m->activation); t != NULL; t = t->next) {
        if (t->recorded)
            continue;
        pawl_entry entry = {.kind = PAWL_RECORD_TIMER, .ordinal = t->ordinal, .after_ns = t->after_ns};
        entry.due_unix_ns = t->after_ns > UINT64_MAX - m->now ? UINT64_MAX : m->now + t->after_ns;
        char span[64];
        int size = snprintf(span, sizeof span, "%" PRIu64 ".%03" PRIu64 " s", t->after_ns / 1000000000,
                            t->after_ns / 1000000 % 1000);
        pawl_machine_trace(m, t->ordinal, "timer", (pawl_bytes){span, (size_t)size}, nothing);
        pawl_machine_record(m, &entry);
    }
}

void pawl_world_look(pawl_machine *m)
{
    set_timers(m);
    stop_what_is_to_stop(m);
    for (pawl_open_call *open = pawl_activation_calls(m->activation), *next; open != NULL && m->end == PAWL_END_NONE;
         open = next) {
        next = open->next;
        if (!open->issued || pawl_world_flight(m, open->ordinal, PAWL_HAPPENS_CALL) != NULL)
            continue;
        if (open->child)
            start_child(m, open);
        else
            pawl_tester_call_begin(m, open);
    }
}

/* ---- what could happen ---- */

static void could(pawl_machine *m, const pawl_happening *what)
{
    if (m->could_count == m->could_room) {
        size_t room = m->could_room == 0 ? 64 : m->could_room * 2;
        pawl_happening *list = realloc(m->could, room * sizeof *list);
        if (list == NULL) {
            pawl_machine_stop(m, PAWL_END_MEMORY, "out_of_memory", "out of memory for what could happen");
            return;
        }
        m->could = list;
        m->could_room = room;
    }
    m->could[m->could_count++] = *what;
}

static void could_fire(pawl_machine *m)
{
    const pawl_open_timer *first = NULL;
    if (m->result.compensating)
        return;
    for (const pawl_open_timer *t = pawl_activation_timers(m->activation); t != NULL; t = t->next)
        if (t->recorded && (first == NULL || t->due_unix_ns < first->due_unix_ns))
            first = t;
    if (first == NULL)
        return;
    const pawl_happening what = {.kind = PAWL_HAPPENS_TIMER,
                                 .run = m->run,
                                 .number = first->ordinal,
                                 .unix_ns = first->due_unix_ns,
                                 .token = PAWL_TESTER_TOKEN_OF(m->run, first->ordinal)};
    could(m, &what);
}

static void could_be_sent(pawl_machine *m)
{
    const pawl_script *script = m->subject->script;
    if (m->script_at >= script->event_count)
        return;
    const pawl_script_event *event = &script->events[m->script_at];
    uint64_t at = event->timed ? script->start_unix_ns + event->at_ns : m->now;
    const pawl_happening what = {.kind = PAWL_HAPPENS_SCRIPT,
                                 .number = m->script_at,
                                 .unix_ns = at,
                                 .token = event->kind == PAWL_EVENT_CANCEL || event->kind == PAWL_EVENT_SESSION
                                              ? PAWL_TESTER_TOKEN_ALL
                                              : pawl_tester_token_of_signal(event->name)};
    could(m, &what);
}

size_t pawl_world_could(pawl_machine *m, size_t *first)
{
    *first = m->could_count;
    for (size_t i = 0; i < m->flight_count; i++) {
        const pawl_flight_in *flight = &m->flights[i];
        const pawl_happening what = {.kind = flight->kind,
                                     .run = flight->run,
                                     .attempt = flight->attempt,
                                     .number = flight->ordinal,
                                     .unix_ns = flight->due_unix_ns,
                                     .shared = flight->state,
                                     .token = PAWL_TESTER_TOKEN_OF(m->run, flight->ordinal)};
        could(m, &what);
    }
    could_fire(m);
    could_be_sent(m);
    return m->could_count - *first;
}

static int rank(const pawl_happening *what)
{
    return what->kind == PAWL_HAPPENS_SCRIPT ? 0 : what->kind == PAWL_HAPPENS_TIMER ? 2 : 1;
}

static bool sooner(const pawl_happening *left, const pawl_happening *right)
{
    if (left->unix_ns != right->unix_ns)
        return left->unix_ns < right->unix_ns;
    return rank(left) != rank(right) ? rank(left) < rank(right) : left->number < right->number;
}

size_t pawl_world_next(const pawl_machine *m, size_t first, size_t count)
{
    size_t best = SIZE_MAX, untimed = SIZE_MAX;
    for (size_t i = first; i < first + count; i++) {
        const pawl_happening *what = &m->could[i];
        if (what->kind == PAWL_HAPPENS_SCRIPT && !m->subject->script->events[what->number].timed)
            untimed = i;
        else if (best == SIZE_MAX || sooner(what, &m->could[best]))
            best = i;
    }
    /* What is sent without a time comes when the process would only wait for time to pass. */
    bool waits = best == SIZE_MAX || m->could[best].kind == PAWL_HAPPENS_TIMER;
    return untimed != SIZE_MAX && waits ? untimed : best;
}

/* ---- what happens ---- */

static void child_ends(pawl_machine *m, uint64_t ordinal)
{
    pawl_flight_in *at = pawl_world_flight(m, ordinal, PAWL_HAPPENS_CHILD);
    if (at == NULL)
        return;
    const pawl_flight_in flight = *at;
    const pawl_script_answer *answer = flight.answer;
    pawl_world_land(m, at);
    pawl_entry entry = {.kind = PAWL_RECORD_CHILD,
                        .ordinal = ordinal,
                        .status = PAWL_COMPLETED,
                        .value = {"null", 4},
                        .note = {.run = m->run, .ordinal = ordinal, .depth = 1}};
    if (flight.stopped) {
        entry.failed = true;
        entry.status = PAWL_CANCELLED;
        entry.failure = pawl_tester_call_failure(PAWL_TERMINAL, "cancelled", "its parent was asked to stop");
    } else if (answer != NULL && answer->kind == PAWL_ANSWER_RESULT) {
        entry.value = answer->value;
    } else if (answer != NULL && answer->kind == PAWL_ANSWER_ECHO) {
        for (size_t i = 0; i < m->issue_count; i++)
            if (m->issues[i].child && m->issues[i].run == m->run && m->issues[i].ordinal == ordinal)
                entry.value = m->issues[i].input;
    } else if (answer != NULL) {
        entry.failed = true;
        entry.status = answer->child != 0 ? answer->child : PAWL_FAILED;
        entry.failure = answer->failure;
    }
    if (entry.failed)
        pawl_machine_trace(m, ordinal, "failed", entry.failure.code, entry.failure.message);
    else
        pawl_machine_trace(m, ordinal, "came", nothing, entry.value);
    pawl_machine_record(m, &entry);
}

static void send(pawl_machine *m, const pawl_script_event *event)
{
    pawl_entry entry = {.name = event->name, .value = event->payload};
    m->script_at++;
    if (event->kind == PAWL_EVENT_SESSION) { /* nobody is told */
        pawl_machine_trace(m, 0, "session", (pawl_bytes){"was changed by somebody else", 28}, nothing);
        return;
    }
    if (event->kind == PAWL_EVENT_CANCEL) {
        entry.kind = PAWL_RECORD_CANCEL;
        pawl_machine_trace(m, 0, "cancel", event->payload, nothing);
    } else if (event->kind == PAWL_EVENT_SIGNAL) {
        entry.kind = PAWL_RECORD_SIGNAL;
        pawl_machine_trace(m, 0, "signal", event->name, event->payload);
    } else {
        entry.kind = PAWL_RECORD_UPDATE;
        entry.failure.code = event->id;
        pawl_machine_trace(m, 0, "update", event->name, event->payload);
    }
    pawl_machine_record(m, &entry);
}

void pawl_world_happen(pawl_machine *m, const pawl_happening *what)
{
    switch (what->kind) {
    case PAWL_HAPPENS_CALL:
        pawl_tester_call_end(m, what->number);
        break;
    case PAWL_HAPPENS_CHILD:
        child_ends(m, what->number);
        break;
    case PAWL_HAPPENS_TIMER: {
        const pawl_entry entry = {.kind = PAWL_RECORD_FIRED, .ordinal = what->number};
        pawl_machine_trace(m, what->number, "fired", nothing, nothing);
        pawl_machine_record(m, &entry);
        break;
    }
    default:
        send(m, &m->subject->script->events[what->number]);
    }
}
