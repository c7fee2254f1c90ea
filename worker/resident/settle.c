/* resident/settle.c: what the end of an attempt means (result, another attempt, doubt), by the effect's outcome rule
 * and retry policy. Writes nothing itself: it adds records to the resident. */
#include "internal.h"
#include "worker/base/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The record that says how a call ended. */
pawl_entry pawl_open_call_entry(const pawl_open_call *open, uint32_t kind, uint32_t attempt)
{
    pawl_entry entry = {.kind = kind, .attempt = attempt, .ordinal = open->ordinal, .name = open->name};
    memcpy(entry.digest, open->digest, sizeof entry.digest);
    return entry;
}

/* Nothing may be started for this call until the record is durable. */
static void hold(const pawl_open_call *open, uint64_t due_unix_ns)
{
    pawl_effort *effort = open->worker_data;
    if (effort != NULL) {
        effort->settled = true;
        effort->held = effort->stays = false;
        effort->due_unix_ns = due_unix_ns;
    }
}

void pawl_resident_record_value(pawl_resident *r, const pawl_open_call *open, uint32_t attempt, pawl_bytes value)
{
    pawl_entry entry = pawl_open_call_entry(open, PAWL_RECORD_STEP, attempt);
    entry.value = value;
    hold(open, 0);
    pawl_resident_record(r, &entry, true);
    atomic_fetch_add_explicit(&r->shard->steps, 1, memory_order_relaxed);
}

void pawl_resident_record_failure(pawl_resident *r, const pawl_open_call *open, uint32_t attempt,
                                  const pawl_failure *failure)
{
    pawl_entry entry = pawl_open_call_entry(open, PAWL_RECORD_STEP, attempt);
    entry.failed = true;
    entry.failure = *failure;
    hold(open, 0);
    pawl_resident_record(r, &entry, true);
    atomic_fetch_add_explicit(&r->shard->steps, 1, memory_order_relaxed);
}

void pawl_resident_refuse_call(pawl_resident *r, const pawl_open_call *open, const pawl_failure *failure)
{
    pawl_resident_record_failure(r, open, open->attempts + 1, failure);
}

/* What it waits for, as an activation would say it after the record that is about to be written. */
static void say_next_undo(pawl_resident *r, const pawl_open_call *open, uint32_t attempt)
{
    pawl_line line = pawl_line_in(r->waits, sizeof r->waits);
    pawl_line_text(&line, "undoes step ");
    pawl_line_number(&line, r->result.undo_step);
    pawl_line_text(&line, " of ");
    pawl_line_number(&line, r->result.undo_count);
    pawl_line_text(&line, ": ");
    pawl_line_bytes(&line, open->name);
    pawl_line_text(&line, ", attempt ");
    pawl_line_number(&line, attempt);
}

static void record_attempt(pawl_resident *r, const pawl_open_call *open, uint32_t attempt, const pawl_failure *failure,
                           uint64_t due_unix_ns)
{
    pawl_entry entry = pawl_open_call_entry(open, PAWL_RECORD_ATTEMPT, attempt);
    entry.failed = true;
    entry.failure = *failure;
    entry.due_unix_ns = due_unix_ns;
    hold(open, due_unix_ns);
    pawl_resident_record(r, &entry, false);
    pawl_resident_tell_retry(r, open, attempt, failure, due_unix_ns);
    if (r->result.compensating && r->result.undo_step != 0)
        say_next_undo(r, open, attempt + 1);
    atomic_fetch_add_explicit(&r->shard->retries, 1, memory_order_relaxed);
}

void pawl_resident_record_doubt(pawl_resident *r, const pawl_open_call *open)
{
    char message[400];
    snprintf(message, sizeof message,
             "attempt %u of %.*s was begun and its outcome was never recorded; it is not repeated, because its outcome "
             "rule forbids it or its reconcile could not tell",
             open->intents, (int)open->name.size, (const char *)open->name.data);
    pawl_failure failure = {.struct_size = sizeof failure,
                            .klass = PAWL_UNKNOWN_OUTCOME,
                            .code = pawl_bytes_text("in_doubt"),
                            .message = pawl_bytes_text(message)};
    pawl_resident_record_failure(r, open, open->intents, &failure);
}

static pawl_retry_policy policy_of(const pawl_open_call *open, const pawl_effect *effect)
{
    pawl_retry_policy policy = effect->retry;
    if (open->attempts_max != 0)
        policy.attempts_max = open->attempts_max;
    return policy;
}

/* Not cryptographic: only spreads retries. */
static uint64_t jitter_source(const pawl_resident *r, uint64_t ordinal)
{
    uint64_t x = resident_mono_now(r) ^ (r->number << 20) ^ (ordinal * UINT64_C(0x9E3779B97F4A7C15));
    x ^= x >> 31;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    return x ^ (x >> 29);
}

/* An attempt failed; the process still wants the result. */
static void after_failure(pawl_resident *r, pawl_open_call *open, const pawl_effect *effect, uint32_t attempt,
                          const pawl_failure *failure)
{
    uint32_t klass =
        failure->klass == PAWL_TERMINAL || failure->klass == PAWL_RETRYABLE ? failure->klass : PAWL_UNKNOWN_OUTCOME;
    uint64_t now = resident_unix_now(r), deadline = pawl_resident_deadline(open);
    if (klass == PAWL_TERMINAL || (klass == PAWL_UNKNOWN_OUTCOME && effect->outcome == PAWL_OUTCOME_AT_MOST_ONCE)) {
        if (klass != PAWL_TERMINAL && now >= deadline)
            pawl_resident_fail_late(r, open, effect, attempt, failure);
        else
            pawl_resident_record_failure(r, open, attempt, failure);
        return;
    }
    if (klass == PAWL_UNKNOWN_OUTCOME && effect->outcome == PAWL_OUTCOME_RECONCILE) {
        pawl_effort *effort = pawl_resident_effort_of(r, open);
        if (effort != NULL) {
            effort->reconcile = true;
            effort->due_unix_ns = 0;
        }
        return;
    }
    pawl_retry_policy policy = policy_of(open, effect);
    uint64_t first =
        open->first_attempt_unix_ns != 0 && open->first_attempt_unix_ns < now ? open->first_attempt_unix_ns : now;
    uint64_t delay = 0;
    bool again = pawl_retry_next(&policy, attempt, now - first, failure, jitter_source(r, open->ordinal), &delay);
    if (now >= deadline || (again && delay >= deadline - now)) {
        pawl_resident_fail_late(r, open, effect, attempt, failure);
    } else if (again) {
        record_attempt(r, open, attempt, failure, now + delay);
    } else if (policy.pause_when_exhausted) {
        record_attempt(r, open, attempt, failure, now);
        pawl_resident_park(r, "retries_exhausted", "%.*s failed %u times, last with %.*s: %.*s", (int)open->name.size,
                           (const char *)open->name.data, attempt, (int)failure->code.size,
                           (const char *)failure->code.data, (int)failure->message.size,
                           (const char *)failure->message.data);
    } else {
        pawl_resident_record_failure(r, open, attempt, failure);
    }
}

/* A reconcile has answered (or could not). */
static void after_reconcile(pawl_resident *r, pawl_open_call *open, const pawl_call *call, pawl_effort *effort)
{
    const pawl_effect *effect = call->effect;
    bool seen_failing = effort->intent == open->intents; /* by this worker: no crash, a failure that counts */
    uint64_t now = resident_unix_now(r);
    if (call->status == PAWL_OK) {
        pawl_resident_record_value(r, open, open->intents, pawl_sink_bytes(&call->out));
        return;
    }
    if (call->status == PAWL_E_NOT_FOUND) {
        pawl_failure failure = {.struct_size = sizeof failure,
                                .klass = PAWL_RETRYABLE,
                                .code = pawl_bytes_text("reconcile.did_not_happen"),
                                .message = pawl_bytes_text("the outside system does not know this attempt")};
        effort->reconcile = false;
        if (seen_failing)
            after_failure(r, open, effect, open->intents, &failure);
        else
            record_attempt(r, open, open->intents, &failure, now);
        return;
    }
    pawl_retry_policy policy = effect->retry;
    uint64_t delay = 0;
    effort->reconciles++;
    if (pawl_retry_next(&policy, effort->reconciles, 0, &call->why.failure, jitter_source(r, open->ordinal), &delay))
        effort->due_unix_ns = now + delay;
    else
        pawl_resident_record_doubt(r, open);
}

/* The program has ended, and this call of its own is only awaited before what it did is undone. */
static bool is_left_over(const pawl_resident *r, uint64_t ordinal)
{
    return ordinal <= pawl_activation_program_ordinal(r->activation) && r->result.compensating;
}

/* Whether the wish that the process stop was told to this call. What was begun after it was told, to undo what was
 * done, is not meant by it. */
static bool meant_by_cancel(const pawl_resident *r, const pawl_call *call)
{
    if (r->result.compensating)
        return is_left_over(r, call->ordinal);
    return pawl_activation_cancel_time(r->activation) != 0 &&
           (!pawl_activation_cancel_told(r->activation) ||
            call->ordinal <= pawl_activation_cancel_ordinal(r->activation));
}

/* The worker stops, and the effect was stopped with it: that is not the effect's outcome. */
static bool stopped_with_worker(const pawl_resident *r, const pawl_call *call)
{
    return call->status == PAWL_E_CANCELLED && atomic_load(&r->worker->stop_mode) != 0 && !meant_by_cancel(r, call) &&
           r->result.kind != PAWL_RUN_ENDED;
}

void pawl_resident_settle(pawl_resident *r, const pawl_call *call)
{
    pawl_open_call *open = pawl_resident_find_open(r, call->ordinal);
    if (open == NULL || open->worker_data == NULL)
        return;
    pawl_effort *effort = open->worker_data;
    bool stop_asked = effort->running != NULL && effort->running->stop_asked;
    effort->running = NULL;
    uint32_t attempt = call->abi.attempt;
    if (call->bad_output) {
        pawl_resident_record_failure(r, open, attempt, &call->why.failure);
    } else if (call->reconcile) {
        after_reconcile(r, open, call, effort);
    } else if (call->status == PAWL_OK) {
        pawl_resident_record_value(r, open, attempt, pawl_sink_bytes(&call->out));
    } else if (stopped_with_worker(r, call)) {
        if (pawl_effect_needs_intent(call->effect) && call->why.failure.klass == PAWL_RETRYABLE)
            record_attempt(r, open, attempt, &call->why.failure, resident_unix_now(r));
    } else if (r->result.kind == PAWL_RUN_ENDED || is_left_over(r, call->ordinal) ||
               (stop_asked && meant_by_cancel(r, call))) {
        pawl_resident_record_failure(r, open, attempt, &call->why.failure); /* nobody waits for another attempt */
    } else {
        after_failure(r, open, call->effect, attempt, &call->why.failure);
    }
}

static void unlink_running(pawl_resident *r, pawl_running *running)
{
    pthread_mutex_lock(&r->shard->table_lock);
    pawl_running **link = &r->calls;
    while (*link != running)
        link = &(*link)->next;
    *link = running->next;
    pthread_mutex_unlock(&r->shard->table_lock);
}

void pawl_resident_call_ended(pawl_shard *shard, pawl_message *message)
{
    (void)shard;
    pawl_running *running = (pawl_running *)message;
    pawl_resident *r = running->resident;
    pawl_resident_tell_call_ended(r, running->shard, running->call);
    if (r != NULL) {
        unlink_running(r, running);
        pawl_resident_settle(r, running->call);
    }
    pawl_call_destroy(running->call);
    free(running);
    if (r != NULL)
        pawl_resident_advance(r);
}

/* From the pool's or the plugin's thread. */
void pawl_resident_call_done(pawl_call *call)
{
    pawl_running *running = call->owner;
    pawl_resident_way_ended(running->way, call);
    running->way = NULL;
    pawl_shard_send(running->shard, &running->message);
}
