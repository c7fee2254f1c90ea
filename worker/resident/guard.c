/* resident/guard.c: what holds the attempts of a process back before they begin: guards of the profile, and an
 * operator's gate. Writes nothing and starts nothing: it says whether an attempt may begin, and when to ask again. An
 * attempt that is held back has no record, no thread and no intent. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

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

static pawl_way *way_of(pawl_resident *r, const pawl_open_call *open, const pawl_guards *guards, pawl_effort *effort)
{
    if (effort->way != NULL)
        return effort->way;
    pawl_way *way = calloc(1, sizeof *way);
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
    pawl_resident_refuse_call(r, open, &failure);
}

static bool pass(pawl_resident *r, pawl_open_call *open, const pawl_guards *guards, pawl_effort *effort)
{
    pawl_held held = {0};
    pawl_way *way = way_of(r, open, guards, effort);
    if (way == NULL)
        return false;
    switch (pawl_passage_go(&way->passage, resident_mono_now(r), r->returning && r->runs <= 1, &way->waiter, &held)) {
    case PAWL_PASSED:
        return true;
    case PAWL_HELD:
        hold_back(r, open, effort, &held);
        return false;
    default:
        refuse(r, open, &held);
        return false;
    }
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
    if (effect->guards != NULL && !pass(r, open, effect->guards, effort))
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
