/* resident/deadline.c: the deadline of a call: of all its attempts together, and of its waits between them and in front
 * of them. It is on record before anything of the call begins, so that it is the same after a restart. Says which class
 * the failure has by what is known: must never call something surely not happened that a worker may have begun. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

uint64_t pawl_resident_deadline(const pawl_open_call *open)
{
    const pawl_effort *effort = open->worker_data;
    if (open->deadline_unix_ns != 0)
        return open->deadline_unix_ns;
    return effort != NULL && effort->until_unix_ns != 0 ? effort->until_unix_ns : UINT64_MAX;
}

uint64_t pawl_resident_deadline_mono(const pawl_resident *r, const pawl_open_call *open)
{
    uint64_t deadline = pawl_resident_deadline(open), now = resident_unix_now(r), mono = resident_mono_now(r);
    if (deadline == UINT64_MAX)
        return 0;
    return deadline > now && deadline - now > UINT64_MAX - mono ? 0 : mono + (deadline > now ? deadline - now : 0);
}

void pawl_resident_set_deadline(pawl_resident *r, const pawl_open_call *open, const pawl_effect *effect,
                                pawl_effort *effort)
{
    uint64_t span = open->deadline_ns != 0 ? open->deadline_ns : effect->deadline_ns;
    if (span == 0 || open->deadline_unix_ns != 0 || effort->until_unix_ns != 0)
        return;
    uint64_t now = resident_unix_now(r);
    effort->until_unix_ns = span > UINT64_MAX - 1 - now ? UINT64_MAX - 1 : now + span;
    effort->fresh = open->attempts == 0 && open->intents == 0;
    pawl_entry entry = {.kind = PAWL_RECORD_DEADLINE,
                        .attempt = open->attempts + 1,
                        .ordinal = open->ordinal,
                        .name = open->name,
                        .due_unix_ns = effort->until_unix_ns};
    memcpy(entry.digest, open->digest, sizeof entry.digest);
    pawl_resident_record(r, &entry, false);
}

/* Of the failure that ends it. failure: of the attempt that ended just now, or NULL. */
static uint32_t class_of(const pawl_open_call *open, const pawl_effect *effect, const pawl_effort *effort,
                         const pawl_failure *failure)
{
    bool unknown = open->maybe_happened;
    if (failure != NULL)
        unknown |= failure->klass != PAWL_RETRYABLE;
    if (effect != NULL && pawl_effect_needs_intent(effect)) /* what it did is on record; earlier doubts were settled */
        unknown = failure != NULL ? failure->klass != PAWL_RETRYABLE : pawl_resident_in_doubt(open, effort);
    else if (effort == NULL || !effort->fresh) /* by a worker that died before it could say */
        unknown = true;
    return unknown ? PAWL_UNKNOWN_OUTCOME : PAWL_RETRYABLE;
}

void pawl_resident_fail_late(pawl_resident *r, pawl_open_call *open, const pawl_effect *effect, uint32_t attempt,
                             const pawl_failure *failure)
{
    const pawl_failure *last = failure != NULL ? failure : &open->last_failure;
    char message[600];
    if (last->code.size > 0)
        snprintf(message, sizeof message,
                 "the deadline of this call is over, or would be before attempt %u; the last "
                 "one failed with %.*s: %.*s",
                 attempt + 1, (int)last->code.size, (const char *)last->code.data,
                 (int)(last->message.size < 300 ? last->message.size : 300), (const char *)last->message.data);
    else
        snprintf(message, sizeof message, "the deadline of this call was over before attempt %u", attempt + 1);
    const pawl_failure late = {.struct_size = sizeof late,
                               .klass = class_of(open, effect, open->worker_data, failure),
                               .code = pawl_bytes_text("effect.deadline"),
                               .message = pawl_bytes_text(message)};
    pawl_resident_record_failure(r, open, attempt == 0 ? 1 : attempt, &late);
}

bool pawl_resident_expire(pawl_resident *r, pawl_open_call *open)
{
    const pawl_effort *effort = open->worker_data;
    if (!open->issued || open->child || open->deadline_unix_ns > resident_unix_now(r) ||
        (effort != NULL && (effort->running != NULL || effort->settled)))
        return false;
    const pawl_effect *effect = pawl_catalog_effect(r->worker->config.catalog, open->name);
    bool may_ask = effect != NULL && effect->outcome == PAWL_OUTCOME_RECONCILE && pawl_effect_has_reconcile(effect) &&
                   pawl_resident_in_doubt(open, effort);
    if (may_ask && (effort == NULL || effort->reconciles == 0))
        return false; /* to ask whether it happened is no attempt: once is never too late */
    if (pawl_resident_effort_of(r, open) == NULL)
        return false;
    uint32_t last = open->intents > open->attempts ? open->intents : open->attempts;
    pawl_resident_fail_late(r, open, effect, last, NULL);
    return true;
}
