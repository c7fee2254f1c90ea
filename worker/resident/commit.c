/* resident/commit.c: how what a process did becomes durable: one batch at a time, and what the registry's answer
 * means. Nothing is shown to the program here before it is durable; what it was shown before (resident/ahead.c) is
 * written only where it was said to stand. */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMIT_RETRY_FIRST_NS (50 * PAWL_NS_PER_MS)
#define COMMIT_RETRY_LAST_NS  PAWL_NS_PER_SECOND

/* ---- batches of records ---- */

void pawl_resident_batch_reset(pawl_batch *batch)
{
    pawl_arena_reset(&batch->arena);
    batch->count = 0;
    batch->has_document = false;
    batch->has_attributes = false;
}

void pawl_resident_batch_finish(pawl_batch *batch)
{
    pawl_arena_finish(&batch->arena);
    free(batch->records);
    *batch = (pawl_batch){0};
}

bool pawl_resident_batch_add(pawl_batch *batch, uint32_t kind, pawl_bytes body)
{
    if (batch->count == batch->room) {
        size_t room = batch->room == 0 ? 4 : batch->room * 2;
        pawl_record *records = realloc(batch->records, room * sizeof *records);
        if (records == NULL)
            return false;
        batch->records = records;
        batch->room = room;
    }
    batch->records[batch->count++] = (pawl_record){.struct_size = sizeof(pawl_record), .kind = kind, .body = body};
    return true;
}

static bool resident_batch_entry(pawl_batch *batch, const pawl_entry *entry)
{
    pawl_bytes body;
    return pawl_entry_encode(&batch->arena, entry, &body) == PAWL_OK &&
           pawl_resident_batch_add(batch, entry->kind, body);
}

bool pawl_resident_batch_empty(const pawl_batch *batch)
{
    return batch->count == 0 && !batch->has_document && !batch->has_attributes;
}

void pawl_resident_record(pawl_resident *r, const pawl_entry *entry, bool result)
{
    if (!resident_batch_entry(&r->pending, entry))
        pawl_resident_park(r, "no_memory", "no memory for a %s record", pawl_record_name(entry->kind));
    else if (result)
        r->results = true;
}

void pawl_resident_park(pawl_resident *r, const char *code, const char *format, ...)
{
    if (r->parking)
        return;
    r->parking = true;
    snprintf(r->park_code, sizeof r->park_code, "%s", code);
    va_list args;
    va_start(args, format);
    vsnprintf(r->park_reason, sizeof r->park_reason, format, args);
    va_end(args);
    pawl_log_write(r->worker->config.log, PAWL_LOG_WARN, "a process is stuck", "process", (const char *)r->id.data,
                   "code", r->park_code, "reason", r->park_reason, (char *)NULL);
}

/* ---- writing ---- */

/* The first records of the next run: its input, and what goes over. What is pending is of this run, and goes with it.
 */
static pawl_status carry(void *context, const pawl_entry *entry)
{
    return resident_batch_entry(context, entry) ? PAWL_OK : PAWL_E_NOMEM;
}

static bool fill_next_run(pawl_resident *r)
{
    const pawl_entry started = {.kind = PAWL_RECORD_STARTED, .value = r->result.output};
    r->batch.count = 0;
    return resident_batch_entry(&r->batch, &started) &&
           pawl_activation_carry(r->activation, carry, &r->batch) == PAWL_OK;
}

/* When a process that is put away must come back by itself. 0: never. */
static uint64_t wake_time(pawl_resident *r)
{
    uint64_t wake = pawl_resident_next_attempt(r), timer = pawl_resident_next_timer(r);
    if (timer < wake)
        wake = timer;
    for (size_t i = 0; i < r->batch.count; i++) { /* timers that this very batch sets */
        pawl_entry entry;
        if (r->batch.records[i].kind == PAWL_RECORD_TIMER &&
            pawl_entry_decode(&r->batch.records[i], &entry, NULL) == PAWL_OK && entry.due_unix_ns < wake)
            wake = entry.due_unix_ns;
    }
    return wake == UINT64_MAX ? 0 : wake;
}

static void committed(pawl_request *request)
{
    pawl_resident *r = request->context;
    pawl_shard_send(r->shard, &r->committed);
}

void pawl_resident_submit(pawl_resident *r)
{
    r->committing = true;
    atomic_fetch_add_explicit(&r->shard->commits, 1, memory_order_relaxed);
    uint32_t kind = r->request.op.kind;
    pawl_request_finish(&r->request);
    pawl_request_init(&r->request, kind, &r->commit, committed, r);
    pawl_shard_submit(r->shard, &r->request.op);
}

/* Model: ahead.pml, submit. */
void pawl_resident_commit(pawl_resident *r, uint32_t kind)
{
    pawl_batch swap = r->batch;
    r->batch = r->pending;
    r->pending = swap;
    pawl_resident_batch_reset(&r->pending);
    r->results = false;
    r->commit = (pawl_commit){.struct_size = sizeof r->commit,
                              .number = r->number,
                              .token = r->token,
                              .seen = pawl_resident_durable_head(r),
                              .record_size = sizeof(pawl_record)};
    if (kind == PAWL_OP_APPEND && r->ahead == 0)
        r->commit.seen = 0; /* wherever it comes to stand */
    bool ok = true;
    if (kind == PAWL_OP_COMPLETE) {
        pawl_entry ended = {.kind = PAWL_RECORD_ENDED, .status = r->result.status};
        ended.failed = r->result.status != PAWL_COMPLETED;
        ended.value = r->result.output;
        ended.failure = r->result.failure;
        r->commit.status = r->result.status;
        ok = resident_batch_entry(&r->batch, &ended);
    } else if (kind == PAWL_OP_CONTINUE) {
        ok = fill_next_run(r);
    } else if (kind == PAWL_OP_PARK) {
        pawl_entry parked = {.kind = PAWL_RECORD_PARKED, .value = pawl_bytes_text(r->park_reason)};
        parked.failure.code = pawl_bytes_text(r->park_code);
        r->commit.reason_code = pawl_bytes_text(r->park_code);
        r->commit.reason = pawl_bytes_text(r->park_reason);
        /* A cancel request behind what cannot be read will never be seen: it must not make the process ready again. */
        if (strncmp(r->park_code, "journal_", 8) == 0)
            r->commit.seen = 0;
        ok = resident_batch_entry(&r->batch, &parked);
    } else if (kind == PAWL_OP_SUSPEND) {
        r->commit.wake_unix_ns = wake_time(r);
        r->commit.reason = pawl_bytes_text(r->held[0] != '\0' ? r->held : r->waits);
    }
    if (!ok) {
        pawl_log_write(r->worker->config.log, PAWL_LOG_ERROR, "no memory to write a record; the process is held",
                       "process", (const char *)r->id.data, (char *)NULL);
        r->broken = true;
        return;
    }
    r->commit.records = r->batch.records;
    r->commit.record_count = r->batch.count;
    r->commit.document = r->batch.has_document ? &r->batch.document : NULL;
    r->commit.attributes = r->batch.has_attributes ? &r->batch.attributes : NULL;
    r->commit.pin = r->pinning ? &r->pin : NULL;
    r->pinning = false;
    r->request.op.kind = kind;
    pawl_resident_submit(r);
}

/* The records are durable: the mirror and the program may see them. Model: ahead.pml, feed. */
static void feed_batch(pawl_resident *r, uint64_t first_sequence)
{
    uint64_t now = resident_unix_now(r); /* about the provider's time; nothing deterministic depends on it */
    size_t ahead = r->ahead;
    r->ahead = 0;
    for (size_t i = ahead; i < r->batch.count && !r->parking; i++) {
        pawl_resident_feed_early(r);
        r->batch.records[i].sequence = first_sequence + i;
        r->batch.records[i].time_unix_ns = now;
        pawl_resident_feed(r, &r->batch.records[i]);
    }
    pawl_resident_batch_reset(&r->batch);
    pawl_resident_feed_early(r);
}

static int32_t read_on(void *context, const pawl_record *record)
{
    return pawl_resident_feed(context, record) ? 0 : 1;
}

/* Events are hints: there may have been no memory for one. Then the answer to a commit shows that records stand before
 * it, or beyond what was seen, of which we were not told. The journal has them, and behind them what we have just
 * written. */
static bool catch_up(pawl_resident *r)
{
    pawl_registry *registry = r->worker->config.registry;
    uint64_t from = pawl_activation_head(r->activation) + 1;
    return registry->table.journal(registry->store, r->number, from, 0, read_on, r, NULL) == PAWL_OK;
}

/* What was committed, and what came meanwhile, to the mirror. False: the journal was needed and could not be read.
 * Model: lease.pml, answer. */
static bool feed_committed(pawl_resident *r, const pawl_registry_op *op)
{
    bool more = (op->flags & PAWL_RESULT_MORE) != 0;
    bool appended = op->kind != PAWL_OP_COMPLETE && op->kind != PAWL_OP_CONTINUE && r->batch.count > 0;
    pawl_resident_feed_early(r);
    uint64_t head = pawl_activation_head(r->activation);
    if ((more && head <= r->commit.seen) || (appended && op->sequence > head + 1)) {
        if (!catch_up(r) || pawl_activation_ended(r->activation)) /* over its head: nothing of it begins any more */
            return false;
        r->wait_more = more && !r->parking && pawl_activation_head(r->activation) <= r->commit.seen;
    } else if (appended) {
        feed_batch(r, op->sequence);
    }
    pawl_resident_batch_reset(&r->batch);
    pawl_resident_feed_early(r);
    return true;
}

static void on_refused(pawl_resident *r, uint32_t kind, const pawl_error *error)
{
    const char *id = (const char *)r->id.data;
    const pawl_log *log = r->worker->config.log;
    switch (error->status) {
    case PAWL_E_STALE:
    case PAWL_E_TERMINAL:
    case PAWL_E_NOT_FOUND:
        pawl_log_write(log, PAWL_LOG_WARN, "lease lost: nothing was written", "process", id, "error", error->message,
                       (char *)NULL);
        atomic_fetch_add_explicit(&r->worker->lost_leases, 1, memory_order_relaxed);
        pawl_resident_tell_plain(r, PAWL_OBSERVED_LEASE_LOST);
        pawl_resident_leave(r);
        return;
    case PAWL_E_CLOSED:
        pawl_resident_leave(r);
        return;
    case PAWL_E_FULL:
    case PAWL_E_IO:
    case PAWL_E_NOMEM:
    case PAWL_E_BUSY: { /* the store's trouble, not the process's: the same batch again, later */
        uint64_t delay = COMMIT_RETRY_FIRST_NS << (r->commit_failures < 7 ? r->commit_failures : 7);
        if (r->commit_failures++ == 0)
            pawl_log_write(log, PAWL_LOG_ERROR, "the store refused a commit; it will be tried again", "process", id,
                           "error", error->message, (char *)NULL);
        r->commit_again_mono_ns = resident_mono_now(r) + (delay < COMMIT_RETRY_LAST_NS ? delay : COMMIT_RETRY_LAST_NS);
        pawl_resident_advance(r);
        return;
    }
    default:
        break;
    }
    if (kind == PAWL_OP_PARK) {
        pawl_log_write(log, PAWL_LOG_ERROR,
                       "a process can neither go on nor be parked; it is held until the worker stops", "process", id,
                       "error", error->message, (char *)NULL);
        r->broken = true;
    } else {
        pawl_resident_batch_reset(&r->batch);
        pawl_resident_park(r, error->status == PAWL_E_LIMIT ? "limit" : "refused", "%s", error->message);
    }
    pawl_resident_advance(r);
}

/* Before anything else is done with it, because nothing of it may be left afterwards. */
static void tell_end(const pawl_resident *r)
{
    const pawl_worker_config *config = &r->worker->config;
    const pawl_registry_op *op = &r->request.op;
    bool ended = op->kind == PAWL_OP_COMPLETE && op->status == PAWL_OK && (op->flags & PAWL_RESULT_MORE) == 0;
    if (!ended || config->on_end == NULL)
        return;
    pawl_worker_end end = {.id = r->id, .type = r->type, .session = r->session, .status = r->commit.status};
    end.body = r->batch.records[r->batch.count - 1].body; /* the ENDED record */
    config->on_end(config->on_end_context, &end);
}

/* Model: lease.pml, answer; Model: ahead.pml, answer. */
void pawl_resident_committed(pawl_shard *shard, pawl_message *message)
{
    (void)shard;
    pawl_resident *r = (pawl_resident *)((char *)message - offsetof(pawl_resident, committed));
    r->committing = false;
    const pawl_registry_op *op = &r->request.op;
    tell_end(r);
    if (r->worker->config.observers != NULL)
        pawl_resident_tell_committed(r, op);
    if (r->lost) {
        pawl_resident_leave(r);
        return;
    }
    if (op->status != PAWL_OK) {
        pawl_error error = {0};
        pawl_failure_error(&r->request.failure, op->status, &error);
        on_refused(r, op->kind, &error);
        return;
    }
    r->commit_failures = 0;
    bool more = (op->flags & PAWL_RESULT_MORE) != 0;
    if (op->kind == PAWL_OP_CONTINUE && !more) {
        r->run++;
        r->warned_size = false;
        pawl_resident_go_back(r); /* to the start: what the journal holds now is of the new run */
        return;
    }
    if (op->kind == PAWL_OP_PARK || (op->kind != PAWL_OP_APPEND && !more)) {
        pawl_resident_leave(r);
        return;
    }
    if (r->ahead > 0 && (more || op->sequence != pawl_resident_durable_head(r) + 1)) {
        pawl_resident_go_back(r);
        return;
    }
    if (op->kind == PAWL_OP_APPEND && r->batch.has_document)
        pawl_activation_document_stored(r->activation); /* a SUSPEND that came back with MORE has not stored it */
    if (op->kind == PAWL_OP_APPEND && r->batch.has_attributes)
        pawl_activation_attributes_stored(r->activation);
    if (!feed_committed(r, op)) {
        pawl_registry *registry = r->worker->config.registry; /* whoever claims it next reads the whole journal */
        (void)registry->table.release(registry->store, r->number, r->token);
        pawl_resident_leave(r);
        return;
    }
    pawl_resident_advance(r);
}

enum { UNDER_WAY = 0, ANSWERED = 1, ABANDONED = 2 };

/* It may outlive the resident: whoever comes second to its state frees it. */
struct pawl_termination {
    pawl_request request;
    pawl_post post;
    pawl_arena arena;
    atomic_int state;
    pawl_status status;                                        /* when ANSWERED */
    void (*on_end)(void *context, const pawl_worker_end *end); /* the worker's, which it may outlive, too */
    void *on_end_context;
    pawl_bytes type, session; /* in the arena */
    char id[257], post_id[48];
};

static void free_termination(pawl_termination *t)
{
    pawl_arena_finish(&t->arena);
    free(t);
}

static void terminated_posted(pawl_request *request)
{
    pawl_termination *t = request->context;
    t->status = request->op.status;
    pawl_request_finish(request);
    if (t->status == PAWL_OK && (request->op.flags & PAWL_RESULT_REPLAYED) == 0 && t->on_end != NULL) {
        pawl_worker_end end = {t->post.id, t->type, t->session, t->post.status, t->post.body};
        t->on_end(t->on_end_context, &end);
    }
    if (atomic_exchange(&t->state, ANSWERED) == ABANDONED)
        free_termination(t);
}

void pawl_resident_detach_termination(pawl_resident *r)
{
    if (r->termination != NULL && atomic_exchange(&r->termination->state, ABANDONED) == ANSWERED)
        free_termination(r->termination);
    r->termination = NULL;
}

static pawl_termination *make_termination(const pawl_resident *r)
{
    pawl_termination *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    pawl_entry ended = {.kind = PAWL_RECORD_ENDED, .status = PAWL_TERMINATED, .failed = true};
    ended.failure =
        (pawl_failure){.struct_size = sizeof ended.failure,
                       .klass = PAWL_TERMINAL,
                       .code = pawl_bytes_text("cancel_grace"),
                       .message = pawl_bytes_text("it did not end within the grace after a cancel request")};
    static const uint8_t fingerprint[16] = "cancel_grace";
    pawl_bytes body;
    t->on_end = r->worker->config.on_end;
    t->on_end_context = r->worker->config.on_end_context;
    if (pawl_entry_encode(&t->arena, &ended, &body) != PAWL_OK || !pawl_arena_copy(&t->arena, r->type, &t->type) ||
        !pawl_arena_copy(&t->arena, r->session, &t->session)) {
        free_termination(t);
        return NULL;
    }
    memcpy(t->id, r->id.data, r->id.size);
    /* Of this request: after a rewind there may be another one. */
    snprintf(t->post_id, sizeof t->post_id, "pawl.cancel_grace:%llu",
             (unsigned long long)pawl_activation_cancel_time(r->activation));
    t->post = (pawl_post){.struct_size = sizeof t->post,
                          .kind = PAWL_RECORD_ENDED,
                          .id = {t->id, r->id.size},
                          .post_id = pawl_bytes_text(t->post_id),
                          .fingerprint = {fingerprint, sizeof fingerprint},
                          .body = body,
                          .status = PAWL_TERMINATED,
                          .force = 1};
    pawl_request_init(&t->request, PAWL_OP_POST, &t->post, terminated_posted, t);
    return t;
}

/* The grace after a cancel is over: end it over its head. The registry fences us; the LOST event does the rest. */
void pawl_resident_terminate(pawl_resident *r)
{
    pawl_termination *t = r->termination;
    if (t != NULL) {
        bool refused = atomic_load(&t->state) == ANSWERED && t->status != PAWL_OK && t->status != PAWL_E_TERMINAL;
        if (!refused)
            return;
        pawl_log_write(r->worker->config.log, PAWL_LOG_ERROR, "the store refused to terminate a process; again",
                       "process", (const char *)r->id.data, "error", pawl_status_name(t->status), (char *)NULL);
        pawl_resident_detach_termination(r);
    }
    r->termination = make_termination(r); /* NULL: tried again at the next look */
    if (r->termination != NULL)
        pawl_shard_submit(r->shard, &r->termination->request.op);
}
