/* calls.c: the attempts of a process's effects: when one may start, and starting and stopping it; what its end means is
 * in settle.c. Writes nothing itself: it adds records to the resident. */
#include "internal.h"
#include "worker/base/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool pawl_effect_needs_intent(const pawl_effect *effect)
{
    return effect->outcome == PAWL_OUTCOME_AT_MOST_ONCE || effect->outcome == PAWL_OUTCOME_RECONCILE;
}

pawl_effort *pawl_resident_effort_of(pawl_resident *r, pawl_open_call *open)
{
    if (open->worker_data == NULL) {
        open->worker_data = calloc(1, sizeof(pawl_effort));
        if (open->worker_data == NULL)
            pawl_resident_park(r, "no_memory", "no memory to start call %llu", (unsigned long long)open->ordinal);
    }
    return open->worker_data;
}

pawl_open_call *pawl_resident_find_open(pawl_resident *r, uint64_t ordinal)
{
    pawl_open_call *open = pawl_activation_calls(r->activation);
    while (open != NULL && open->ordinal != ordinal)
        open = open->next;
    return open;
}

bool pawl_effect_has_reconcile(const pawl_effect *effect)
{
    return (effect->connector != NULL && effect->connector->reconcile != NULL) ||
           (effect->effect != NULL && effect->effect->reconcile != NULL);
}

bool pawl_resident_in_doubt(const pawl_open_call *open, const pawl_effort *effort)
{
    return open->intents > open->attempts && (effort == NULL || effort->intent != open->intents || effort->reconcile);
}

static bool in_line(const pawl_effort *effort)
{
    return effort->way != NULL && effort->way->passage.waiter != NULL;
}

static bool is_due(const pawl_resident *r, const pawl_open_call *open, const pawl_effort *effort)
{
    uint64_t now = resident_unix_now(r);
    return open->due_unix_ns <= now && (effort == NULL || effort->due_unix_ns <= now);
}

/* An open call that could be started now, records permitting. */
bool pawl_resident_is_startable(const pawl_resident *r, const pawl_open_call *open)
{
    const pawl_effort *effort = open->worker_data;
    return open->issued && (effort == NULL || (effort->running == NULL && !effort->settled && !in_line(effort))) &&
           is_due(r, open, effort);
}

void pawl_resident_prepare_calls(pawl_resident *r)
{
    for (pawl_open_call *open = pawl_activation_calls(r->activation); open != NULL; open = open->next) {
        if ((open->deadline_unix_ns != 0 && pawl_resident_expire(r, open)) || !pawl_resident_is_startable(r, open))
            continue;
        if (open->child) {
            pawl_resident_check_child(r, open);
            (void)pawl_resident_effort_of(r, open);
            continue;
        }
        const pawl_effect *effect = pawl_catalog_effect_of(r->worker->config.catalog, open->name, r->code);
        if (effect == NULL) {
            pawl_resident_park(r, "unknown_effect",
                               PAWL_REASON_CALLS
                               "%.*s, and this host has no such effect; add the plugin or connector to the "
                               "profile, then resume",
                               (int)open->name.size, (const char *)open->name.data);
            return;
        }
        pawl_effort *effort = pawl_resident_effort_of(r, open);
        if (effort == NULL)
            continue;
        pawl_resident_set_deadline(r, open, effect, effort);
        bool doubt = pawl_effect_needs_intent(effect) && pawl_resident_in_doubt(open, effort);
        if (doubt) {
            if (effect->outcome == PAWL_OUTCOME_RECONCILE && pawl_effect_has_reconcile(effect))
                effort->reconcile = true;
            else
                pawl_resident_record_doubt(r, open);
        } else if (pawl_resident_may_begin(r, open, effect, effort) && pawl_effect_needs_intent(effect) &&
                   effort->intent != open->attempts + 1) {
            effort->intent = open->attempts + 1;
            pawl_entry entry = pawl_open_call_entry(open, PAWL_RECORD_INTENT, effort->intent);
            pawl_resident_record(r, &entry, false);
        }
    }
    pawl_resident_look_held(r);
}

/* May a call that this worker has not begun have happened all the same? By another worker that died before it could
 * say, or in an attempt whose outcome nobody knows. */
static bool may_have_happened(const pawl_resident *r, const pawl_open_call *open)
{
    bool never_begun = open->ordinal > pawl_activation_awaited_ordinal(r->activation);
    return open->last_failure.klass == PAWL_UNKNOWN_OUTCOME || (open->worker_data == NULL && !never_begun);
}

static void drop(pawl_resident *r, pawl_open_call *open)
{
    bool doubtful = may_have_happened(r, open);
    const char *message = doubtful ? "its process was asked to stop, or ended, and whether this had begun is not known"
                                   : "its process was asked to stop, or ended, before this was begun";
    const pawl_failure failure = {.struct_size = sizeof failure,
                                  .klass = doubtful ? PAWL_UNKNOWN_OUTCOME : PAWL_TERMINAL,
                                  .code = pawl_bytes_text("cancelled"),
                                  .message = pawl_bytes_text(message)};
    pawl_bytes id;
    if (pawl_resident_effort_of(r, open) == NULL)
        return;
    if (open->child && pawl_resident_child_was_started(r, open, &id)) /* begun after all, before a crash */
        pawl_resident_record_value(r, open, open->attempts + 1, id);
    else
        pawl_resident_record_failure(r, open, open->attempts + 1, &failure);
}

void pawl_resident_drop_unbegun(pawl_resident *r)
{
    uint64_t last = pawl_activation_cancel_ordinal(r->activation);
    if (r->result.compensating)
        last = pawl_activation_program_ordinal(r->activation);
    for (pawl_open_call *open = pawl_activation_calls(r->activation); open != NULL; open = open->next) {
        const pawl_effort *effort = open->worker_data;
        if (open->issued && open->ordinal <= last && open->intents <= open->attempts &&
            (effort == NULL || (effort->running == NULL && !effort->settled)))
            drop(r, open);
    }
}

bool pawl_resident_waits_here(pawl_resident *r)
{
    for (pawl_open_call *open = pawl_activation_calls(r->activation); open != NULL; open = open->next) {
        const pawl_effort *effort = open->worker_data;
        if (effort != NULL && (effort->reconcile || effort->stays))
            return true;
    }
    return false;
}

size_t pawl_resident_startable(pawl_resident *r)
{
    size_t count = 0;
    for (pawl_open_call *open = pawl_activation_calls(r->activation); open != NULL; open = open->next)
        count += pawl_resident_is_startable(r, open);
    return count;
}

static pawl_call *make_call(pawl_resident *r, const pawl_open_call *open, const pawl_effect *effect, bool reconcile)
{
    pawl_call_request request = {
        .effect = effect,
        .host = effect->host != NULL ? effect->host : r->worker->config.host,
        .process = r->id,
        .session = r->session,
        .input = open->input,
        .run = r->run,
        .generation = pawl_activation_generation(r->activation, open->ordinal),
        .attempt = reconcile ? open->intents : open->attempts + 1,
        .ordinal = open->ordinal,
        .timeout_ns = open->timeout_ns != 0 ? open->timeout_ns : effect->timeout_ns,
        .until_mono_ns = reconcile ? 0 : pawl_resident_deadline_mono(r, open),
        .reconcile = reconcile,
        .output_max = r->worker->config.value_bytes_max,
    };
    return pawl_call_create(&request);
}

/* Under the eye of the watchdog, like the program: both hold up the shard. */
static void run_inline(pawl_resident *r, pawl_call *call)
{
    pawl_shard *shard = r->shard;
    pawl_resident_runs(r, call->effect->plugin);
    pawl_flight_begin(shard->flight, r->id, pawl_bytes_text(call->effect->name));
    pawl_call_run_here(call, r->worker->config.clock);
    pawl_flight_end(shard->flight);
    pawl_resident_ran(r);
}

/* It begins: what it was let through by is the call's from here on. */
static pawl_way *take_way(pawl_effort *effort)
{
    pawl_way *way = effort->way;
    effort->way = NULL;
    effort->admitted = false;
    return way;
}

/* Model: lease.pml, begin_effect. */
static void start_one(pawl_resident *r, pawl_open_call *open)
{
    if (open->child) {
        pawl_resident_start_child(r, open);
        return;
    }
    const pawl_effect *effect = pawl_catalog_effect_of(r->worker->config.catalog, open->name, r->code);
    pawl_effort *effort = open->worker_data;
    if (effect == NULL || effort == NULL)
        return; /* parked by prepare */
    pawl_call *call = make_call(r, open, effect, effort->reconcile);
    if (call == NULL) {
        pawl_resident_park(r, "no_memory", "no memory to start call %llu", (unsigned long long)open->ordinal);
        return;
    }
    if (effect->runs == PAWL_RUNS_INLINE && effect->bulkhead->limit == 0 && !call->reconcile) {
        bool ahead = pawl_resident_may_go_ahead(r, open);
        pawl_way *way = take_way(effort);
        pawl_resident_tell_begun(r, call);
        run_inline(r, call);
        pawl_resident_tell_call_ended(r, r->shard, call);
        pawl_resident_settle(r, call); /* open may be gone after what follows */
        pawl_resident_way_ended(way, call);
        if (ahead && call->status == PAWL_OK)
            pawl_resident_go_ahead(r);
        pawl_call_destroy(call);
        return;
    }
    pawl_running *running = calloc(1, sizeof *running);
    if (running == NULL) {
        pawl_call_destroy(call);
        pawl_resident_park(r, "no_memory", "no memory to start call %llu", (unsigned long long)open->ordinal);
        return;
    }
    running->message.handle = pawl_resident_call_ended;
    running->resident = r;
    running->shard = r->shard;
    running->call = call;
    running->way = take_way(effort);
    call->owner = running;
    call->done = pawl_resident_call_done;
    effort->running = running;
    pthread_mutex_lock(&r->shard->table_lock);
    running->next = r->calls;
    r->calls = running;
    pthread_mutex_unlock(&r->shard->table_lock);
    pawl_resident_tell_begun(r, call); /* before it can end */
    pawl_effect_pool_submit(r->worker->pool, call);
}

/* Time goes on: a call may have become due after intents were recorded. Then it is not its turn yet. */
static bool is_prepared(const pawl_resident *r, const pawl_open_call *open)
{
    const pawl_effect *effect = pawl_catalog_effect_of(r->worker->config.catalog, open->name, r->code);
    const pawl_effort *effort = open->worker_data;
    if (open->child)
        return effort != NULL;
    if (effect == NULL || effort == NULL)
        return false;
    if (effort->until_unix_ns != 0 && open->deadline_unix_ns == 0)
        return false;
    uint32_t attempt = open->attempts + 1;
    bool guarded = effect->guards != NULL || effect->gate != NULL;
    if (guarded && !effort->admitted && !effort->reconcile)
        return false;
    return !pawl_effect_needs_intent(effect) || effort->reconcile ||
           (effort->intent == attempt && open->intents == attempt);
}

void pawl_resident_start_calls(pawl_resident *r)
{
    for (pawl_open_call *open = pawl_activation_calls(r->activation), *next; open != NULL && !r->parking; open = next) {
        next = open->next;
        if (pawl_resident_is_startable(r, open) && is_prepared(r, open))
            start_one(r, open);
    }
}

void pawl_resident_start_intended(pawl_resident *r)
{
    for (pawl_open_call *open = pawl_activation_calls(r->activation), *next; open != NULL && !r->parking; open = next) {
        next = open->next;
        const pawl_effort *effort = open->worker_data;
        if (effort != NULL && !effort->reconcile && effort->intent > open->attempts &&
            effort->intent == open->intents && pawl_resident_is_startable(r, open) && is_prepared(r, open))
            start_one(r, open);
    }
}

void pawl_resident_call_recorded(pawl_resident *r, uint32_t kind, uint64_t ordinal)
{
    pawl_open_call *open = pawl_resident_find_open(r, ordinal);
    if (open == NULL || open->worker_data == NULL)
        return;
    if (kind == PAWL_RECORD_STEP) {
        pawl_resident_effort_free(r, open->worker_data);
        open->worker_data = NULL;
    } else if (kind == PAWL_RECORD_ATTEMPT) {
        ((pawl_effort *)open->worker_data)->settled = false;
    }
}

void pawl_resident_forget_efforts(pawl_resident *r)
{
    for (pawl_open_call *open = pawl_activation_calls(r->activation); open != NULL; open = open->next) {
        pawl_resident_effort_free(r, open->worker_data);
        open->worker_data = NULL;
    }
}

uint64_t pawl_resident_next_attempt(pawl_resident *r)
{
    uint64_t next = UINT64_MAX;
    for (pawl_open_call *open = pawl_activation_calls(r->activation); open != NULL; open = open->next) {
        const pawl_effort *effort = open->worker_data;
        if (!open->issued || (effort != NULL && effort->running != NULL))
            continue;
        uint64_t due = open->due_unix_ns, deadline = pawl_resident_deadline(open);
        if (effort != NULL && effort->due_unix_ns > due)
            due = effort->due_unix_ns;
        if (effort != NULL && in_line(effort))
            due = UINT64_MAX;
        if (deadline < due)
            due = deadline;
        if (due < next)
            next = due;
    }
    return next;
}
