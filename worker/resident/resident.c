/* resident.c: what a held process does next. One function decides, pawl_resident_advance: results are written before
 * the program sees them, the program runs only over durable records, and effects start only when the records they
 * depend on are durable. Everything else here brings facts to it: a commit that ended, an event, a timer. */
#include "internal.h"
#include "worker/base/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A posted record that came before an earlier one of our own was told durable. */
typedef struct pawl_posted {
    pawl_message message;
    struct pawl_posted *next;
    pawl_worker *worker;
    uint64_t number, token;
    uint32_t event;
    pawl_record record; /* body behind this struct */
} pawl_posted;

#define TIME_CHECK_NS      (10 * PAWL_NS_PER_SECOND) /* how long a jump of the wall clock may go unnoticed */
#define TERMINATE_RETRY_NS PAWL_NS_PER_SECOND

/* ---- coming and going ---- */

pawl_resident **pawl_resident_find(pawl_shard *shard, uint64_t number)
{
    pawl_resident **link = &shard->table[(number / shard->worker->shard_count) % PAWL_RESIDENT_BUCKETS];
    while (*link != NULL && (*link)->number != number)
        link = &(*link)->next;
    return link;
}

void pawl_resident_drop_early(pawl_resident *r)
{
    while (r->early != NULL) {
        pawl_posted *next = r->early->next;
        free(r->early);
        r->early = next;
    }
}

/* Everything of it is forgotten here; what was durable stays, what was not never was. */
void pawl_resident_leave(pawl_resident *r)
{
    if (r->child_ops > 0) { /* what is at the registry must come back first; then it goes */
        r->lost = true;
        return;
    }
    pawl_shard *shard = r->shard;
    pawl_worker *worker = r->worker;
    pthread_mutex_lock(&shard->table_lock);
    /* By itself, not by its number: a newer lease of the same process may already stand in front of it. */
    pawl_resident **link = pawl_resident_find(shard, r->number);
    while (*link != NULL && *link != r)
        link = &(*link)->next;
    if (*link == r) {
        *link = r->next;
        shard->count--;
    }
    pthread_mutex_unlock(&shard->table_lock);
    pawl_timer_clear(&shard->timers, &r->timer);
    pawl_resident_detach_calls(r);
    pawl_resident_detach_termination(r);
    if (r->activation != NULL)
        pawl_resident_forget_efforts(r);
    pawl_activation_destroy(r->activation);
    pawl_resident_drop_early(r);
    pawl_resident_batch_finish(&r->pending);
    pawl_resident_batch_finish(&r->batch);
    pawl_request_finish(&r->request);
    free(r);
    pawl_worker_left(worker);
}

void pawl_resident_release(pawl_resident *r)
{
    pawl_registry *registry = r->worker->config.registry;
    (void)registry->table.release(registry->store, r->number, r->token); /* stale: someone else's already */
    pawl_resident_leave(r);
}

/* The lease is gone. What is at the registry must come back before the memory may go. */
void pawl_resident_lose(pawl_resident *r)
{
    if (r->lost)
        return; /* it only waits for its commit */
    r->lost = true;
    atomic_fetch_add_explicit(&r->worker->lost_leases, 1, memory_order_relaxed);
    pawl_resident_tell_plain(r, PAWL_OBSERVED_LEASE_LOST);
    pawl_resident_cancel_calls(r);
    if (!r->committing)
        pawl_resident_leave(r);
}

/* ---- feeding the mirror ---- */

static bool wakes_program(uint32_t kind)
{
    switch (kind) {
    case PAWL_RECORD_INTENT:
    case PAWL_RECORD_DEADLINE:
    case PAWL_RECORD_ATTEMPT:
    case PAWL_RECORD_TIMER:
    case PAWL_RECORD_NOW:
    case PAWL_RECORD_MARKER:
    case PAWL_RECORD_PINNED:
    case PAWL_RECORD_LIMITS:
    case PAWL_RECORD_ROLLBACK:
    case PAWL_RECORD_REPLY:
    case PAWL_RECORD_COMPENSATING:
    case PAWL_RECORD_PARKED:
    case PAWL_RECORD_INTERRUPTED:
        return false;
    default:
        return true;
    }
}

bool pawl_resident_feed(pawl_resident *r, const pawl_record *record)
{
    pawl_error error = {0};
    bool first_cancel = record->kind == PAWL_RECORD_CANCEL && pawl_activation_cancel_time(r->activation) == 0;
    if (record->kind == PAWL_RECORD_STEP || record->kind == PAWL_RECORD_ATTEMPT) {
        pawl_entry entry;
        if (pawl_entry_decode(record, &entry, NULL) == PAWL_OK)
            pawl_resident_call_recorded(r, record->kind, entry.ordinal);
    }
    if (pawl_activation_feed(r->activation, record, &error) != PAWL_OK) {
        pawl_resident_park(r, error.status == PAWL_E_UNSUPPORTED ? "journal_version" : "journal_corrupt", "%s",
                           error.message);
        return false;
    }
    r->journal_bytes += record->body.size;
    pawl_resident_note_recovery(r, record);
    if (wakes_program(record->kind))
        r->dirty = true;
    pawl_resident_note_pause(r, record->kind);
    if (first_cancel) { /* told once: a second one does not disturb the way of stopping */
        pawl_resident_tell_plain(r, PAWL_OBSERVED_CANCEL_ASKED);
        pawl_resident_cancel_program_calls(r);
    }
    return true;
}

/* Posted records whose turn has come. Where one stands is known only when nothing is ahead of the store.
 * Model: ahead.pml, MAY_FEED. */
void pawl_resident_feed_early(pawl_resident *r)
{
    while (r->ahead == 0 && r->early != NULL && r->early->record.sequence <= pawl_activation_head(r->activation) + 1) {
        pawl_posted *posted = r->early;
        r->early = posted->next;
        if (posted->record.sequence == pawl_activation_head(r->activation) + 1) {
            pawl_resident_feed(r, &posted->record);
            r->wait_more = false;
        }
        free(posted);
    }
}

static void keep_early(pawl_resident *r, pawl_posted *posted)
{
    pawl_posted **link = &r->early;
    while (*link != NULL && (*link)->record.sequence < posted->record.sequence)
        link = &(*link)->next;
    posted->next = *link;
    *link = posted;
    pawl_resident_feed_early(r);
}

/* ---- running the program ---- */

static void take_local(pawl_resident *r)
{
    for (size_t i = 0; i < r->result.local_count; i++) {
        pawl_bytes body;
        if (!pawl_arena_copy(&r->pending.arena, r->result.local[i].body, &body) ||
            !pawl_resident_batch_add(&r->pending, r->result.local[i].kind, body))
            pawl_resident_park(r, "no_memory", "no memory for a record");
    }
    if (r->result.document != NULL) {
        r->pending.has_document = pawl_arena_copy(&r->pending.arena, *r->result.document, &r->pending.document);
        if (!r->pending.has_document)
            pawl_resident_park(r, "no_memory", "no memory for the status document");
    }
    if (r->result.attributes != NULL) {
        r->pending.has_attributes = pawl_arena_copy(&r->pending.arena, *r->result.attributes, &r->pending.attributes);
        if (!r->pending.has_attributes)
            pawl_resident_park(r, "no_memory", "no memory for the search attributes");
    }
}

static void run(pawl_resident *r)
{
    pawl_shard *shard = r->shard;
    pawl_resident_runs(r, r->code == NULL ? NULL : r->code->plugin);
    r->dirty = false;
    r->runs++;
    bool observed = pawl_resident_observed(r, PAWL_OBSERVED_ACTIVATED);
    uint64_t began_mono_ns = observed ? resident_mono_now(r) : 0;
    pawl_flight_begin(shard->flight, r->id, (pawl_bytes){"its program", 11});
    pawl_activation_run(r->activation, resident_unix_now(r), &r->result);
    pawl_flight_end(shard->flight);
    if (observed)
        pawl_resident_tell_ran(r, began_mono_ns);
    if (r->result.kind != PAWL_RUN_ENDED) {
        r->ends_cancelled = false;
        atomic_store_explicit(&r->waits_children, 0, memory_order_relaxed);
    }
    pawl_resident_ran(r);
    atomic_fetch_add_explicit(&shard->activations, 1, memory_order_relaxed);
    take_local(r);
    if (r->result.kind == PAWL_RUN_STUCK) {
        pawl_bytes code = r->result.reason_code.size > 0 ? r->result.reason_code : pawl_bytes_text("stuck");
        char text[sizeof r->park_code];
        snprintf(text, sizeof text, "%.*s", (int)code.size, (const char *)code.data);
        pawl_resident_park(r, text, "%.*s", (int)r->result.reason.size, (const char *)r->result.reason.data);
    }
    if (r->trial)
        pawl_resident_end_trial(r);
    pawl_line waits = pawl_line_in(r->waits, sizeof r->waits);
    pawl_line_bytes(&waits, r->result.waits);
    if (r->result.compensating) {
        atomic_store_explicit(&r->undoes, (uint64_t)r->result.undo_step << 32 | r->result.undo_count,
                              memory_order_relaxed);
        if (!r->told_compensating)
            pawl_resident_tell_plain(r, PAWL_OBSERVED_COMPENSATING);
        r->told_compensating = true;
        pawl_resident_cancel_program_calls(r);
    }
    if (!r->warned_size && pawl_activation_memory(r->activation) > r->worker->config.journal_warn_bytes) {
        r->warned_size = true;
        pawl_log_write(r->worker->config.log, PAWL_LOG_WARN, "a journal is near its limit", "process",
                       (const char *)r->id.data, (char *)NULL);
    }
}

/* TIMER records of timers that the program has just set; FIRED records of those that are due. */
static void prepare_timers(pawl_resident *r)
{
    if (r->result.compensating)
        return; /* nobody waits for them any more */
    uint64_t now = resident_unix_now(r);
    for (pawl_open_timer *t = pawl_activation_timers(r->activation); t != NULL; t = t->next) {
        pawl_entry entry = {.ordinal = t->ordinal};
        if (!t->recorded) {
            entry.kind = PAWL_RECORD_TIMER;
            entry.after_ns = t->after_ns;
            entry.due_unix_ns = t->after_ns > UINT64_MAX - now ? UINT64_MAX : now + t->after_ns;
            pawl_resident_record(r, &entry, false);
        } else if (t->due_unix_ns <= now) {
            entry.kind = PAWL_RECORD_FIRED;
            pawl_resident_record(r, &entry, true);
        }
    }
}

uint64_t pawl_resident_next_timer(const pawl_resident *r)
{
    uint64_t next = UINT64_MAX;
    if (r->result.compensating)
        return next;
    for (pawl_open_timer *t = pawl_activation_timers(r->activation); t != NULL; t = t->next)
        if (t->recorded && t->due_unix_ns < next)
            next = t->due_unix_ns;
    return next;
}

/* ---- what next ---- */

/* Of the first request: it goes over into a new run, and the grace does not begin anew. */
static uint64_t grace_end(pawl_resident *r)
{
    uint64_t asked = pawl_activation_cancel_time(r->activation);
    if (asked == 0)
        return UINT64_MAX;
    if (pawl_activation_compensating(r->activation) && r->result.kind != PAWL_RUN_ENDED) {
        r->grace_from_unix_ns = resident_unix_now(r); /* what undoes it is limited by its effects alone */
        return UINT64_MAX;
    }
    if (r->grace_from_unix_ns == 0) /* its code gets the whole grace */
        r->grace_from_unix_ns = asked > r->loaded_unix_ns ? asked : r->loaded_unix_ns;
    uint64_t grace = r->worker->config.cancel_grace_ns;
    /* Children have a grace of their own, which began a little later: those that wait for nobody end within it. */
    return r->grace_from_unix_ns + (r->ends_cancelled ? 2 * grace : grace);
}

/* Set the timer to the next moment at which something changes by itself. */
static void schedule(pawl_resident *r)
{
    uint64_t mono = resident_mono_now(r), now = resident_unix_now(r);
    uint64_t due = pawl_resident_call_deadlines(r, mono);
    if (r->commit_again_mono_ns != 0 && r->commit_again_mono_ns < due)
        due = r->commit_again_mono_ns;
    uint64_t wall = UINT64_MAX;
    /* Only while it waits are timers and attempts looked at when they are due; otherwise this would spin. */
    bool waits = !r->committing && !r->parking && !r->broken && !r->wait_more && r->commit_again_mono_ns == 0 &&
                 r->result.kind == PAWL_RUN_SUSPENDED && atomic_load(&r->worker->stop_mode) == 0 &&
                 !pawl_resident_is_paused(r);
    if (waits) {
        wall = pawl_resident_next_attempt(r);
        uint64_t timer = pawl_resident_next_timer(r);
        if (timer < wall)
            wall = timer;
    }
    uint64_t back_off = atomic_load_explicit(&r->recovery.back_off_unix_ns, memory_order_relaxed);
    if (back_off > now)
        wall = back_off;
    uint64_t grace = grace_end(r);
    if (grace > now && grace < wall)
        wall = grace;
    bool told = r->termination != NULL || r->ends_cancelled;
    uint64_t look = mono + (told ? TERMINATE_RETRY_NS : 0); /* over: end it, see that it ended */
    if (grace <= now && look < due)
        due = look;
    if (wall != UINT64_MAX) {
        uint64_t left = wall > now ? wall - now : 0;
        uint64_t check = mono + (left < TIME_CHECK_NS ? left : TIME_CHECK_NS);
        if (check < due)
            due = check;
    }
    if (due == UINT64_MAX)
        pawl_timer_clear(&r->shard->timers, &r->timer);
    else if (!pawl_timer_set(&r->shard->timers, &r->timer, due))
        pawl_resident_park(r, "no_memory", "no memory for a timer");
}

/* The program waits: start what can start, or put the process away. False: look again from the top. */
static bool advance_suspended(pawl_resident *r)
{
    uint64_t most = r->worker->config.journal_max_bytes;
    bool ends = pawl_activation_cancel_time(r->activation) != 0 || r->result.compensating; /* by itself, and soon */
    if (r->journal_bytes > most && most != 0 && !ends) {
        pawl_resident_park(r, "limit",
                           "its journal has %llu bytes, and it goes on; at most %llu are allowed: raise the limit and "
                           "resume it, or cancel it",
                           (unsigned long long)r->journal_bytes, (unsigned long long)most);
        return false;
    }
    prepare_timers(r);
    pawl_resident_drop_unbegun(r);
    pawl_resident_stop_children(r, false);
    pawl_resident_prepare_calls(r);
    if (r->results || r->parking)
        return false;
    size_t startable = pawl_resident_startable(r);
    /* Once told to stop, a process stays in memory until it ends: the grace is counted here. What undoes its steps has
     * none, and may wait long for its next attempt. */
    bool in_grace = pawl_activation_cancel_time(r->activation) != 0 && !r->result.compensating;
    bool stay = startable > 0 || r->calls != NULL || r->child_ops > 0 || in_grace || pawl_resident_waits_here(r);
    if (!pawl_resident_batch_empty(&r->pending) && !pawl_resident_may_stay_ahead(r)) {
        pawl_resident_commit(r, stay || r->ahead > 0 ? PAWL_OP_APPEND : PAWL_OP_SUSPEND);
        return true;
    }
    if (startable > 0) {
        pawl_resident_start_calls(r);
        return !(r->results || r->parking || !pawl_resident_batch_empty(&r->pending));
    }
    if (!stay)
        pawl_resident_commit(r, PAWL_OP_SUSPEND);
    return true;
}

/* The program has ended, and so have its effects. An end as cancelled, or after a deadline, is reported only when its
 * children have ended, too; what becomes of them otherwise is up to the store. */
static void advance_ended(pawl_resident *r)
{
    if (r->result.kind == PAWL_RUN_CONTINUED) {
        if (r->child_ops == 0)
            pawl_resident_commit(r, PAWL_OP_CONTINUE);
        return;
    }
    r->ends_cancelled = r->result.status == PAWL_CANCELLED ||
                        (r->result.status == PAWL_FAILED && pawl_activation_deadline_told(r->activation));
    if (r->ends_cancelled)
        pawl_resident_stop_children(r, true);
    uint32_t left = r->ends_cancelled ? pawl_resident_children_left(r) : 0;
    atomic_store_explicit(&r->waits_children, left, memory_order_relaxed);
    if (left == 0 && r->child_ops == 0)
        pawl_resident_commit(r, PAWL_OP_COMPLETE);
}

/* Everything that can be done without waiting is done; false: r is gone. Model: lease.pml, next.
 * Model: ahead.pml, next. */
static bool step(pawl_resident *r)
{
    for (;;) {
        if (r->committing || r->lost)
            return true;
        uint32_t stop = (uint32_t)atomic_load(&r->worker->stop_mode);
        if (stop >= STOP_ABORT || (stop != 0 && r->broken)) {
            pawl_resident_release(r);
            return false;
        }
        if (r->broken)
            return true;
        if (r->commit_again_mono_ns != 0) {
            if (stop <= STOP_GRACEFUL && resident_mono_now(r) < r->commit_again_mono_ns)
                return true;
            if (stop <= STOP_GRACEFUL) { /* a graceful stop, too, still tries until its deadline */
                r->commit_again_mono_ns = 0;
                pawl_resident_submit(r);
                return true;
            }
            pawl_resident_release(r); /* the store does not take it and we must go: what was not written runs again */
            return false;
        }
        if (stop == 0 && !r->parking && pawl_resident_backs_off(r))
            return true;
        if (r->parking) {
            bool ahead = r->ahead > 0 && !pawl_resident_batch_empty(&r->pending); /* PARK would write it anywhere */
            if (r->calls == NULL && r->child_ops == 0)
                pawl_resident_commit(r, ahead ? PAWL_OP_APPEND : PAWL_OP_PARK);
            return true;
        }
        /* What is pending is written before the program runs again (it would ask for its clock readings twice) and
         * before the process is given back: a failed attempt that is not recorded would be in doubt. */
        bool unwritten = stop != 0 ? !pawl_resident_batch_empty(&r->pending) : pawl_resident_has_unseen(r);
        if (r->results || ((r->dirty || stop != 0) && unwritten)) {
            pawl_resident_commit(r, PAWL_OP_APPEND);
            return true;
        }
        if (r->wait_more)
            return true;
        if (stop != 0) {
            if (r->calls != NULL || r->child_ops > 0)
                return true;
            pawl_resident_release(r);
            return false;
        }
        if (pawl_resident_is_paused(r))
            return pawl_resident_keep_still(r);
        if (r->dirty && !r->recovery.abandoned) {
            run(r);
            continue;
        }
        if (r->result.kind == PAWL_RUN_ENDED || r->result.kind == PAWL_RUN_CONTINUED) {
            if (r->calls == NULL)
                advance_ended(r);
            else
                pawl_resident_cancel_calls(r); /* an end is reported only when its effects have ended */
            return true;
        }
        if (advance_suspended(r))
            return true;
    }
}

void pawl_resident_advance(pawl_resident *r)
{
    if (step(r) && !r->lost)
        schedule(r);
}

/* ---- facts from outside ---- */

void pawl_resident_due(pawl_shard *shard, pawl_timer *timer)
{
    (void)shard;
    pawl_resident *r = (pawl_resident *)((char *)timer - offsetof(pawl_resident, timer));
    if (r->load_again) {
        pawl_resident_start(r);
        return;
    }
    if (r->lost)
        return;
    if (grace_end(r) <= resident_unix_now(r)) {
        if (r->ends_cancelled) /* its own code has stopped in time */
            pawl_resident_end_children(r);
        else
            pawl_resident_terminate(r);
    }
    pawl_resident_advance(r);
}

static void on_event(pawl_shard *shard, pawl_message *message)
{
    pawl_posted *posted = (pawl_posted *)message;
    pawl_resident *r = *pawl_resident_find(shard, posted->number);
    if (r == NULL || r->token != posted->token || r->lost) {
        free(posted); /* not ours, or read from the journal already */
        return;
    }
    if (posted->event == PAWL_EVENT_LOST) {
        free(posted);
        pawl_resident_lose(r);
        return;
    }
    if (r->load_again || r->foreign) {
        free(posted); /* the journal, once it can be read, has it */
        return;
    }
    keep_early(r, posted);
    pawl_resident_advance(r);
}

void pawl_resident_event(pawl_worker *worker, const pawl_registry_event *event)
{
    size_t size = event->record == NULL ? 0 : event->record->body.size;
    pawl_posted *posted = calloc(1, sizeof *posted + size);
    if (posted == NULL)
        return; /* the commit that follows says MORE or STALE, and a later claim reads it */
    posted->message.handle = on_event;
    posted->worker = worker;
    posted->number = event->number;
    posted->token = event->token;
    posted->event = event->kind;
    if (event->record != NULL) {
        posted->record = *event->record;
        if (size > 0)
            memcpy(posted + 1, event->record->body.data, size);
        posted->record.body = (pawl_bytes){posted + 1, size};
    }
    pawl_shard_send(pawl_worker_shard(worker, event->number), &posted->message);
}

void pawl_resident_stop_all(pawl_shard *shard)
{
    uint32_t mode = (uint32_t)atomic_load(&shard->worker->stop_mode);
    for (size_t i = 0; i < PAWL_RESIDENT_BUCKETS; i++)
        for (pawl_resident *r = shard->table[i], *next; r != NULL; r = next) {
            next = r->next;
            if (mode >= STOP_CANCEL)
                pawl_resident_cancel_calls(r);
            bool useless = r->broken || r->load_again || r->foreign;
            if (useless || (mode >= STOP_ABORT && !r->committing))
                pawl_resident_release(r);
            else
                pawl_resident_advance(r);
        }
}

void pawl_resident_lose_all(pawl_shard *shard)
{
    for (size_t i = 0; i < PAWL_RESIDENT_BUCKETS; i++)
        for (pawl_resident *r = shard->table[i], *next; r != NULL; r = next) {
            next = r->next;
            pawl_resident_lose(r);
        }
}
