/* world.c: what is outside of a process under test: effects in flight, children, timers, and what the script sends.
 * Ends of attempts mean what they mean to a worker (worker/resident/settle.c); times are virtual, and delays between
 * attempts have no jitter. Must answer the same call in the same way whenever it is made. */
#include "machine.h"

#include "worker/child.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS UINT64_C(1000000)

struct pawl_issue {
    uint32_t run, nth;
    uint64_t ordinal;
    pawl_bytes name; /* of the effect, or type of the child */
    bool child, detached;
    uint32_t parent_close;
    pawl_bytes id, input; /* of a child */
};

struct pawl_flight_in {
    uint32_t kind; /* PAWL_HAPPENS_CALL or _CHILD */
    uint32_t run, attempt, nth;
    uint64_t ordinal;
    uint64_t due_unix_ns; /* of its end */
    bool begun, stopped;
    const pawl_script_answer *answer; /* NULL: null */
};

static const pawl_bytes nothing = {NULL, 0};

/* ---- what was begun ---- */

static bool same(pawl_bytes left, pawl_bytes right)
{
    return left.size == right.size && (left.size == 0 || memcmp(left.data, right.data, left.size) == 0);
}

/* A call has the same number among those of its effect, however often it is begun. */
static pawl_issue *issue_of(pawl_machine *m, uint64_t ordinal, pawl_bytes name, bool child)
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

static pawl_flight_in *flight_of(const pawl_machine *m, uint64_t ordinal, uint32_t kind)
{
    for (size_t i = 0; i < m->flight_count; i++)
        if (m->flights[i].ordinal == ordinal && m->flights[i].kind == kind)
            return &m->flights[i];
    return NULL;
}

static void land(pawl_machine *m, pawl_flight_in *flight)
{
    *flight = m->flights[--m->flight_count];
}

static pawl_flight_in *take_off(pawl_machine *m, const pawl_flight_in *flight)
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

static pawl_open_call *open_of(const pawl_machine *m, uint64_t ordinal)
{
    pawl_open_call *open = pawl_activation_calls(m->activation);
    while (open != NULL && open->ordinal != ordinal)
        open = open->next;
    return open;
}

/* ---- rules of effects ---- */

struct rules {
    uint32_t outcome;
    pawl_retry_policy retry;
    uint64_t timeout_ns, deadline_ns;
};

static struct rules rules_of(const pawl_machine *m, const pawl_open_call *open)
{
    const pawl_script_effect *scripted = pawl_script_effect_of(m->subject->script, open->name);
    const pawl_manifest *manifest = m->subject->manifest;
    struct rules rules = {.outcome = PAWL_OUTCOME_BY_KEY, .retry = pawl_retry_default()};
    for (size_t i = 0; manifest != NULL && i < manifest->effect_count; i++) {
        const pawl_manifest_operation *one = &manifest->effects[i];
        if (strlen(one->name) != open->name.size || memcmp(one->name, open->name.data, open->name.size) != 0)
            continue;
        rules.outcome = one->outcome;
        rules.timeout_ns = one->timeout_ms * NS_PER_MS;
        rules.deadline_ns = one->deadline_ms * NS_PER_MS;
        pawl_manifest_retry(one, &rules.retry);
    }
    if (scripted != NULL && scripted->outcome != 0)
        rules.outcome = scripted->outcome;
    if (scripted != NULL && scripted->timeout_ns != 0)
        rules.timeout_ns = scripted->timeout_ns;
    if (scripted != NULL && scripted->has_attempts)
        rules.retry.attempts_max = scripted->attempts_max;
    if (open->attempts_max != 0)
        rules.retry.attempts_max = open->attempts_max;
    if (open->timeout_ns != 0)
        rules.timeout_ns = open->timeout_ns;
    if (open->deadline_ns != 0)
        rules.deadline_ns = open->deadline_ns;
    rules.retry.jitter = 0;
    return rules;
}

static bool needs_intent(const struct rules *rules)
{
    return rules->outcome == PAWL_OUTCOME_AT_MOST_ONCE || rules->outcome == PAWL_OUTCOME_RECONCILE;
}

/* ---- records of calls ---- */

static pawl_entry entry_of(const pawl_open_call *open, uint32_t kind, uint32_t attempt)
{
    pawl_entry entry = {.kind = kind, .attempt = attempt, .ordinal = open->ordinal, .name = open->name};
    memcpy(entry.digest, open->digest, sizeof entry.digest);
    return entry;
}

static void record_value(pawl_machine *m, const pawl_open_call *open, uint32_t attempt, pawl_bytes value)
{
    pawl_entry entry = entry_of(open, PAWL_RECORD_STEP, attempt);
    entry.value = value;
    pawl_machine_trace(m, open->ordinal, "came", nothing, value);
    pawl_machine_record(m, &entry); /* open is gone */
}

static void record_failure(pawl_machine *m, const pawl_open_call *open, uint32_t attempt, const pawl_failure *failure)
{
    pawl_entry entry = entry_of(open, PAWL_RECORD_STEP, attempt);
    entry.failed = true;
    entry.failure = *failure;
    pawl_machine_trace(m, open->ordinal, "failed", failure->code, failure->message);
    pawl_machine_record(m, &entry);
}

static pawl_failure failure_of(uint32_t klass, const char *code, const char *message)
{
    return (pawl_failure){.struct_size = sizeof(pawl_failure),
                          .klass = klass,
                          .code = {code, strlen(code)},
                          .message = {message, strlen(message)}};
}

static void record_doubt(pawl_machine *m, const pawl_open_call *open)
{
    const pawl_failure failure = failure_of(
        PAWL_UNKNOWN_OUTCOME, "in_doubt",
        "an attempt was begun and its outcome was never recorded; it is not repeated, because its outcome rule "
        "forbids it or its reconcile could not tell");
    m->doubtful = true;
    record_failure(m, open, open->intents == 0 ? 1 : open->intents, &failure);
}

static void record_attempt(pawl_machine *m, const pawl_open_call *open, uint32_t attempt, const pawl_failure *failure,
                           uint64_t due_unix_ns)
{
    pawl_entry entry = entry_of(open, PAWL_RECORD_ATTEMPT, attempt);
    entry.failed = true;
    entry.failure = *failure;
    entry.due_unix_ns = due_unix_ns;
    pawl_machine_trace(m, open->ordinal, "again", failure->code, failure->message);
    pawl_machine_record(m, &entry);
}

/* ---- beginning ---- */

static void refuse_unscripted(pawl_machine *m, const char *what, const char *section, pawl_bytes name, uint32_t nth,
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

static void begin(pawl_machine *m, pawl_flight_in *flight, const pawl_open_call *open, const struct rules *rules)
{
    flight->begun = true;
    pawl_machine_trace(m, open->ordinal, flight->attempt > 1 ? "call again" : "call", open->name, open->input);
    if (needs_intent(rules)) {
        pawl_entry entry = entry_of(open, PAWL_RECORD_INTENT, flight->attempt);
        pawl_machine_record(m, &entry);
    }
}

static uint64_t end_of_attempt(const pawl_script_answer *answer, const struct rules *rules, uint64_t from)
{
    uint64_t delay = answer == NULL ? 0 : answer->delay_ns;
    if (rules->timeout_ns != 0 && delay > rules->timeout_ns)
        delay = rules->timeout_ns;
    return delay > UINT64_MAX - from ? UINT64_MAX : from + delay;
}

/* Its worker was lost after it had begun. True: that settled it. */
static bool settle_doubt(pawl_machine *m, const pawl_open_call *open, const struct rules *rules,
                         const pawl_script_answer *answer)
{
    if (!needs_intent(rules) || open->intents <= open->attempts)
        return false;
    if (rules->outcome == PAWL_OUTCOME_AT_MOST_ONCE) {
        record_doubt(m, open);
        return true;
    }
    bool gave = answer == NULL || answer->kind == PAWL_ANSWER_RESULT || answer->kind == PAWL_ANSWER_ECHO;
    if (m->happened && gave) {
        pawl_bytes null = {"null", 4};
        record_value(m, open, open->intents,
                     answer == NULL                     ? null
                     : answer->kind == PAWL_ANSWER_ECHO ? open->input
                                                        : answer->value);
        return true;
    }
    const pawl_failure failure =
        failure_of(PAWL_RETRYABLE, "reconcile.did_not_happen", "the outside system does not know this attempt");
    record_attempt(m, open, open->intents, &failure, m->now);
    return false;
}

static void begin_call(pawl_machine *m, pawl_open_call *open)
{
    const pawl_script *script = m->subject->script;
    const pawl_script_effect *effect = pawl_script_effect_of(script, open->name);
    const pawl_issue *issue = issue_of(m, open->ordinal, open->name, false);
    const struct rules rules = rules_of(m, open);
    if (issue == NULL) {
        pawl_machine_stop(m, PAWL_END_MEMORY, "out_of_memory", "out of memory for a call");
        return;
    }
    const pawl_script_answer *answer =
        effect == NULL ? NULL
                       : pawl_script_answer_to(effect, open->ordinal, issue->nth, open->input, open->attempts + 1);
    if (answer == NULL && !script->answers_all) {
        refuse_unscripted(m, "it calls", "effects", open->name, issue->nth, open->input);
        return;
    }
    if (settle_doubt(m, open, &rules, answer))
        return;
    if (answer != NULL && open->attempts > 0)
        answer = pawl_script_answer_to(effect, open->ordinal, issue->nth, open->input, open->attempts + 1);
    if (rules.deadline_ns != 0 && open->deadline_unix_ns == 0) {
        pawl_entry entry = entry_of(open, PAWL_RECORD_DEADLINE, open->attempts + 1);
        entry.due_unix_ns = rules.deadline_ns > UINT64_MAX - 1 - m->now ? UINT64_MAX - 1 : m->now + rules.deadline_ns;
        pawl_machine_record(m, &entry);
    }
    uint64_t from = open->due_unix_ns > m->now ? open->due_unix_ns : m->now;
    pawl_flight_in made = {.kind = PAWL_HAPPENS_CALL,
                           .run = m->run,
                           .attempt = open->attempts + 1,
                           .nth = issue->nth,
                           .ordinal = open->ordinal,
                           .due_unix_ns = end_of_attempt(answer, &rules, from),
                           .answer = answer};
    if (open->deadline_unix_ns != 0 && open->deadline_unix_ns < made.due_unix_ns)
        made.due_unix_ns = open->deadline_unix_ns;
    pawl_flight_in *flight = take_off(m, &made);
    if (flight != NULL && from <= m->now)
        begin(m, flight, open, &rules);
}

static void fly_child(pawl_machine *m, const pawl_issue *issue)
{
    const pawl_script *script = m->subject->script;
    const pawl_script_effect *child = pawl_script_child_of(script, issue->name);
    const pawl_script_answer *answer =
        child == NULL ? NULL : pawl_script_answer_to(child, issue->ordinal, issue->nth, issue->input, 1);
    if (answer == NULL && !script->answers_all) {
        refuse_unscripted(m, "it starts a child of type", "children", issue->name, issue->nth, issue->input);
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
    (void)take_off(m, &made);
}

static void start_child(pawl_machine *m, const pawl_open_call *open)
{
    pawl_child_request request;
    if (!pawl_child_request_decode(open->input, &request)) {
        pawl_machine_stop(m, PAWL_END_STUCK, "contract", "a child's start cannot be read");
        return;
    }
    pawl_issue *issue = issue_of(m, open->ordinal, request.type, true);
    if (issue == NULL || !pawl_arena_copy(&m->arena, request.id, &issue->id) ||
        !pawl_arena_copy(&m->arena, request.input, &issue->input)) {
        pawl_machine_stop(m, PAWL_END_MEMORY, "out_of_memory", "out of memory for a child");
        return;
    }
    issue->detached = (request.flags & PAWL_CHILD_DETACHED) != 0;
    issue->parent_close = request.parent_close;
    const pawl_issue started = *issue;
    pawl_machine_trace(m, open->ordinal, "child", started.name, started.input);
    pawl_entry entry = entry_of(open, PAWL_RECORD_STEP, open->attempts + 1);
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
        pawl_flight_in *flight = flight_of(m, open->ordinal, PAWL_HAPPENS_CALL);
        if (!open->issued || open->ordinal > last || open->intents > open->attempts ||
            (flight != NULL && flight->begun))
            continue;
        bool doubtful = open->last_failure.klass == PAWL_UNKNOWN_OUTCOME;
        const pawl_failure failure = failure_of(doubtful ? PAWL_UNKNOWN_OUTCOME : PAWL_TERMINAL, "cancelled",
                                                "its process was asked to stop, or ended, before this was begun");
        if (flight != NULL)
            land(m, flight);
        else
            m->doubtful = true; /* an earlier worker may have begun it */
        record_failure(m, open, open->attempts + 1, &failure);
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
        if (!open->issued || flight_of(m, open->ordinal, PAWL_HAPPENS_CALL) != NULL)
            continue;
        if (open->child)
            start_child(m, open);
        else
            begin_call(m, open);
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
                                 .token = first->ordinal};
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
                                 .token = event->kind == PAWL_EVENT_CANCEL ? PAWL_TESTER_TOKEN_ALL
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
                                     .token = flight->ordinal};
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

static void fail_late(pawl_machine *m, const pawl_open_call *open, uint32_t attempt, bool begun)
{
    const pawl_failure late = failure_of(begun ? PAWL_UNKNOWN_OUTCOME : PAWL_RETRYABLE, "effect.deadline",
                                         "the deadline of this call is over, or would be before its next attempt");
    record_failure(m, open, attempt, &late);
}

static void after_failure(pawl_machine *m, pawl_open_call *open, const struct rules *rules,
                          const pawl_flight_in *flight, const pawl_failure *failure)
{
    uint32_t attempt = flight->attempt;
    const pawl_script_answer *answer = flight->answer;
    bool unknown = failure->klass == PAWL_UNKNOWN_OUTCOME;
    if (failure->klass == PAWL_TERMINAL || (unknown && rules->outcome == PAWL_OUTCOME_AT_MOST_ONCE)) {
        record_failure(m, open, attempt, failure);
        return;
    }
    const pawl_failure never =
        failure_of(PAWL_RETRYABLE, "reconcile.did_not_happen", "the outside system does not know this attempt");
    if (unknown && rules->outcome == PAWL_OUTCOME_RECONCILE) {
        if (answer != NULL && answer->doubt == PAWL_DOUBT_HAPPENED) {
            record_value(m, open, attempt, answer->happened);
            return;
        }
        if (answer == NULL || answer->doubt != PAWL_DOUBT_NEVER) {
            record_doubt(m, open);
            return;
        }
        failure = &never;
    }
    uint64_t first =
        open->first_attempt_unix_ns != 0 && open->first_attempt_unix_ns < m->now ? open->first_attempt_unix_ns : m->now;
    uint64_t delay = 0, deadline = open->deadline_unix_ns != 0 ? open->deadline_unix_ns : UINT64_MAX;
    bool again = pawl_retry_next(&rules->retry, attempt, m->now - first, failure, 0, &delay);
    if (m->now >= deadline || (again && delay >= deadline - m->now)) {
        fail_late(m, open, attempt, unknown);
    } else if (again) {
        record_attempt(m, open, attempt, failure, m->now + delay);
        begin_call(m, open);
    } else if (rules->retry.pause_when_exhausted) {
        pawl_machine_stop(m, PAWL_END_STUCK, "retries_exhausted", "%.*s failed %" PRIu32 " times", (int)open->name.size,
                          (const char *)open->name.data, attempt);
    } else {
        record_failure(m, open, attempt, failure);
    }
}

static void call_ends(pawl_machine *m, uint64_t ordinal)
{
    pawl_flight_in *at = flight_of(m, ordinal, PAWL_HAPPENS_CALL);
    pawl_open_call *open = open_of(m, ordinal);
    if (at == NULL || open == NULL)
        return;
    const struct rules rules = rules_of(m, open);
    bool over = open->deadline_unix_ns != 0 && open->deadline_unix_ns <= m->now && !at->stopped &&
                at->due_unix_ns == open->deadline_unix_ns;
    if (!at->begun && !over)
        begin(m, at, open, &rules);
    const pawl_flight_in flight = *at;
    const pawl_script_answer *answer = flight.answer;
    land(m, at);
    if (flight.stopped) {
        const pawl_failure failure = failure_of(PAWL_RETRYABLE, "cancelled", "it was told to stop, and did");
        record_failure(m, open, flight.attempt, &failure);
    } else if (over) {
        fail_late(m, open, flight.attempt, flight.begun);
    } else if (rules.timeout_ns != 0 && answer != NULL && answer->delay_ns > rules.timeout_ns) {
        const pawl_failure failure = failure_of(PAWL_UNKNOWN_OUTCOME, "deadline", "it took longer than its timeout");
        after_failure(m, open, &rules, &flight, &failure);
    } else if (answer == NULL) {
        record_value(m, open, flight.attempt, (pawl_bytes){"null", 4});
    } else if (answer->kind == PAWL_ANSWER_RESULT || answer->kind == PAWL_ANSWER_ECHO) {
        record_value(m, open, flight.attempt, answer->kind == PAWL_ANSWER_ECHO ? open->input : answer->value);
    } else {
        after_failure(m, open, &rules, &flight, &answer->failure);
    }
}

static void child_ends(pawl_machine *m, uint64_t ordinal)
{
    pawl_flight_in *at = flight_of(m, ordinal, PAWL_HAPPENS_CHILD);
    if (at == NULL)
        return;
    const pawl_flight_in flight = *at;
    const pawl_script_answer *answer = flight.answer;
    land(m, at);
    pawl_entry entry = {.kind = PAWL_RECORD_CHILD,
                        .ordinal = ordinal,
                        .status = PAWL_COMPLETED,
                        .value = {"null", 4},
                        .note = {.run = m->run, .ordinal = ordinal, .depth = 1}};
    if (flight.stopped) {
        entry.failed = true;
        entry.status = PAWL_CANCELLED;
        entry.failure = failure_of(PAWL_TERMINAL, "cancelled", "its parent was asked to stop");
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
        call_ends(m, what->number);
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
