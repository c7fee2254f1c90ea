/* resident/guard.c: what holds the attempts of a process back before they begin: guards of the profile, and an
 * operator's gate. Writes nothing and starts nothing: it says whether an attempt may begin, and when to ask again. An
 * attempt that is held back has no record, no thread and no intent. */
#include "internal.h"
#include "worker/base/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSED_LOOK_NS (30 * PAWL_NS_PER_SECOND) /* how often one that was put away looks whether it may go on */
#define SPREAD_PARTS   1000u

/* Those who wait for one moment must not all come at it: a part of the span, the same for a process every time. */
static uint64_t spread(const pawl_resident *r, uint64_t span_ns)
{
    return span_ns / SPREAD_PARTS * (r->number * UINT64_C(0x9E3779B97F4A7C15) % SPREAD_PARTS);
}

static void say(pawl_resident *r, const pawl_open_call *open, const char *why)
{
    pthread_mutex_lock(&r->shard->table_lock);
    snprintf(r->held, sizeof r->held, "call %.*s: %s", (int)open->name.size, (const char *)open->name.data, why);
    pthread_mutex_unlock(&r->shard->table_lock);
}

void pawl_resident_look_held(pawl_resident *r)
{
    if (r->held[0] == '\0')
        return;
    for (pawl_open_call *open = pawl_activation_calls(r->activation); open != NULL; open = open->next)
        if (open->worker_data != NULL && ((pawl_effort *)open->worker_data)->held)
            return;
    pthread_mutex_lock(&r->shard->table_lock);
    r->held[0] = '\0';
    pthread_mutex_unlock(&r->shard->table_lock);
}

static void hold_back(pawl_resident *r, const pawl_open_call *open, pawl_effort *effort, const pawl_held *held)
{
    effort->held = true;
    effort->stays = held->is_short;
    effort->until_told = held->until_told;
    effort->due_unix_ns = 0;
    if (held->wait_ns != UINT64_MAX) {
        uint64_t wait = held->is_short ? held->wait_ns : held->wait_ns + spread(r, held->wait_ns / 10);
        effort->due_unix_ns = resident_unix_now(r) + wait;
    }
    say(r, open, held->why);
}

static void hold_paused(pawl_resident *r, const pawl_open_call *open, const pawl_gate *gate, pawl_effort *effort)
{
    pawl_held held = {.until_told = true};
    held.is_short = atomic_load(&r->worker->resident) < r->worker->config.resident_max / 2 + 1;
    held.wait_ns = PAUSED_LOOK_NS + spread(r, PAUSED_LOOK_NS);
    snprintf(held.why, sizeof held.why, "connector %s is paused by an operator", gate->name);
    hold_back(r, open, effort, &held);
}

/* ---- a place in a line ---- */

static void on_granted(pawl_shard *shard, pawl_message *message)
{
    (void)shard;
    pawl_way *way = (pawl_way *)message;
    pawl_resident *r = way->resident;
    if (r == NULL) {
        pawl_waiter_return(&way->waiter);
        free(way);
        return;
    }
    pawl_passage_grant(&way->passage);
    pawl_resident_advance(r);
}

/* From whichever thread left the place. */
static void wake(pawl_waiter *waiter)
{
    pawl_way *way = (pawl_way *)((char *)waiter - offsetof(pawl_way, waiter));
    pawl_shard_send(way->shard, &way->message);
}

/* Middleware decides on the shard's thread: for the watchdog, and for whoever comes after a death. */
static void decides(pawl_passage *passage, const pawl_guard *guard)
{
    const pawl_way *way = (const pawl_way *)(const void *)((const char *)passage - offsetof(pawl_way, passage));
    pawl_resident *r = way->resident;
    if (guard == NULL) {
        pawl_flight_end(r->shard->flight);
        pawl_resident_ran(r);
        return;
    }
    char what[PAWL_FLIGHT_WHAT_MAX];
    pawl_line line = pawl_line_in(what, sizeof what);
    pawl_line_text(&line, "middleware ");
    pawl_line_text(&line, guard->of);
    pawl_resident_runs(r, guard->middleware.plugin);
    pawl_flight_begin(r->shard->flight, r->id, (pawl_bytes){what, line.size});
}

static bool ask_middleware(const pawl_guards *guards)
{
    for (size_t i = 0; i < guards->count; i++)
        if (guards->items[i]->kind == PAWL_GUARD_MIDDLEWARE)
            return true;
    return false;
}

/* What it tells middleware outlives the resident, as the call does. */
static void fill_attempt(pawl_way *way, const pawl_resident *r, const pawl_open_call *open, const pawl_effect *effect)
{
    const pawl_bytes *from[] = {&r->id, &r->type, &r->session};
    pawl_bytes *to[] = {&way->attempt.process, &way->attempt.type, &way->attempt.session};
    char *copy = (char *)(way + 1);
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        if (from[i]->size > 0)
            memcpy(copy, from[i]->data, from[i]->size);
        *to[i] = (pawl_bytes){copy, from[i]->size};
        copy += from[i]->size;
    }
    way->attempt.struct_size = sizeof way->attempt;
    way->attempt.attempt = open->attempts + 1;
    way->attempt.run = r->run;
    way->attempt.ordinal = open->ordinal;
    if (r->result.compensating && open->ordinal > pawl_activation_program_ordinal(r->activation))
        way->attempt.flags = PAWL_ATTEMPT_UNDOES;
    way->attempt.effect = pawl_bytes_text(effect->name);
    way->passage.attempt = &way->attempt;
    way->passage.clock = r->worker->config.clock;
    way->passage.decides = decides;
}

static pawl_way *way_of(pawl_resident *r, const pawl_open_call *open, const pawl_effect *effect, pawl_effort *effort)
{
    const pawl_guards *guards = effect->guards;
    if (effort->way != NULL)
        return effort->way;
    bool asks = ask_middleware(guards);
    size_t extra = asks ? r->id.size + r->type.size + r->session.size : 0;
    pawl_way *way = calloc(1, sizeof *way + extra);
    if (way == NULL) {
        pawl_resident_park(r, "no_memory", "no memory to start call %llu", (unsigned long long)open->ordinal);
        return NULL;
    }
    way->message.handle = on_granted;
    way->waiter.wake = wake;
    way->passage.guards = guards;
    way->shard = r->shard;
    way->resident = r;
    way->ordinal = open->ordinal;
    if (asks)
        fill_attempt(way, r, open, effect);
    effort->way = way;
    return way;
}

/* ---- may it begin? ---- */

static void refuse(pawl_resident *r, const pawl_open_call *open, const pawl_held *held)
{
    pawl_failure failure = {.struct_size = sizeof failure,
                            .klass = PAWL_RETRYABLE,
                            .code = pawl_bytes_text(held->code),
                            .message = pawl_bytes_text(held->why)};
    if (held->said.set) { /* this attempt did not happen, whatever class it was given */
        failure = held->said.failure;
        failure.klass = failure.klass == PAWL_RETRYABLE ? PAWL_RETRYABLE : PAWL_TERMINAL;
    }
    pawl_resident_refuse_call(r, open, &failure);
}

static bool pass(pawl_resident *r, pawl_open_call *open, const pawl_effect *effect, pawl_effort *effort)
{
    pawl_held held = {0};
    pawl_way *way = way_of(r, open, effect, effort);
    if (way == NULL)
        return false;
    pawl_failure_init(&held.said);
    way->attempt.input = open->input; /* while it decides, and no longer */
    pawl_pass pass =
        pawl_passage_go(&way->passage, resident_mono_now(r), r->returning && r->runs <= 1, &way->waiter, &held);
    way->attempt.input = (pawl_bytes){NULL, 0};
    if (pass == PAWL_HELD)
        hold_back(r, open, effort, &held);
    else if (pass == PAWL_REFUSED)
        refuse(r, open, &held);
    pawl_failure_finish(&held.said);
    return pass == PAWL_PASSED;
}

bool pawl_resident_may_begin(pawl_resident *r, pawl_open_call *open, const pawl_effect *effect, pawl_effort *effort)
{
    if ((effect->guards == NULL && effect->gate == NULL) || effort->admitted || effort->reconcile)
        return true;
    effort->held = effort->stays = effort->until_told = false;
    if (pawl_gate_is_shut(effect->gate)) {
        hold_paused(r, open, effect->gate, effort);
        return false;
    }
    if (effect->guards != NULL && !pass(r, open, effect, effort))
        return false;
    effort->admitted = true;
    return true;
}

void pawl_resident_look_all(pawl_shard *shard)
{
    for (size_t i = 0; i < PAWL_RESIDENT_BUCKETS; i++)
        for (pawl_resident *r = shard->table[i], *next; r != NULL; r = next) {
            next = r->next;
            bool any = pawl_resident_is_paused(r) && !r->load_again && !r->foreign;
            pawl_open_call *open =
                r->activation == NULL || r->held[0] == '\0' ? NULL : pawl_activation_calls(r->activation);
            for (; open != NULL; open = open->next) {
                pawl_effort *effort = open->worker_data;
                if (effort == NULL || !effort->until_told)
                    continue;
                effort->due_unix_ns = 0;
                any = true;
            }
            if (any)
                pawl_resident_advance(r);
        }
}

/* ---- the end ---- */

void pawl_resident_way_ended(pawl_way *way, const pawl_call *call)
{
    if (way == NULL)
        return;
    pawl_worker *worker = way->shard->worker;
    uint64_t now = worker->config.clock->mono_ns(worker->config.clock);
    uint64_t started = atomic_load(&call->started_mono_ns), deadline = call->abi.deadline_mono_ns;
    bool in_time = deadline == 0 || now < deadline;
    bool failed = call->status != PAWL_OK, terminal = failed && call->why.failure.klass == PAWL_TERMINAL;
    pawl_call_end end = {.failed = failed && !terminal,
                         .terminal = terminal,
                         .unbegun = started == 0 || (call->status == PAWL_E_CANCELLED && in_time),
                         .begun = started != 0,
                         .status = call->status,
                         .failure = failed && call->why.set ? &call->why.failure : NULL,
                         .duration_ns = now > started ? now - started : 0};
    bool changed = pawl_passage_end(&way->passage, now, &end);
    free(way);
    if (changed)
        pawl_worker_look_again(worker);
}

void pawl_resident_effort_free(pawl_resident *r, pawl_effort *effort)
{
    if (effort == NULL)
        return;
    pawl_way *way = effort->way;
    if (way != NULL) {
        way->resident = NULL;
        if (pawl_passage_abandon(&way->passage, resident_mono_now(r)))
            free(way);
    }
    free(effort);
}
