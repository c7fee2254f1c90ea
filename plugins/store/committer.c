/* committer.c: the thread that makes everything durable; see registry.h. It takes all that is queued, writes once,
 * and then tells: events first, completions last. Operations that arrive during a write form the next round. With
 * nothing queued and nothing due it sleeps.
 *
 * It must never call out while it holds a lock, and never complete an operation before its round is on the device. */
#include "inbox.h"
#include "meta.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define DONE_CHUNK 64u

/* ---- the queue ---- */

void pawl_store_submit(pawl_store *store, pawl_registry_op *const *ops, size_t count)
{
    pawl_store_registry *registry = store->registry;
    pawl_registry_op *first = NULL;
    pawl_registry_op *last = NULL;
    for (size_t i = 0; i < count; i++) {
        ops[i]->provider_data[0] = NULL;
        if (last == NULL)
            first = ops[i];
        else
            last->provider_data[0] = ops[i];
        last = ops[i];
    }
    if (first == NULL)
        return;
    pthread_mutex_lock(&registry->queue_lock);
    if (registry->queue_last == NULL)
        registry->queue_first = first;
    else
        registry->queue_last->provider_data[0] = first;
    registry->queue_last = last;
    bool wake = registry->sleeping;
    registry->sleeping = false;
    pthread_mutex_unlock(&registry->queue_lock);
    if (wake)
        pthread_cond_signal(&registry->queue_cond);
}

void pawl_store_poke(pawl_store_registry *registry)
{
    pthread_mutex_lock(&registry->queue_lock);
    registry->poked = true;
    bool wake = registry->sleeping;
    registry->sleeping = false;
    pthread_mutex_unlock(&registry->queue_lock);
    if (wake)
        pthread_cond_signal(&registry->queue_cond);
}

/* Take an operation out of the queue. Under queue_lock. */
static bool unqueue(pawl_store_registry *registry, pawl_registry_op *op)
{
    pawl_registry_op *before = NULL;
    for (pawl_registry_op *at = registry->queue_first; at != NULL; at = at->provider_data[0]) {
        if (at == op) {
            if (before == NULL)
                registry->queue_first = op->provider_data[0];
            else
                before->provider_data[0] = op->provider_data[0];
            if (registry->queue_last == op)
                registry->queue_last = before;
            return true;
        }
        before = at;
    }
    return false;
}

void pawl_store_unwatch(pawl_store *store, pawl_registry_op *op)
{
    pawl_store_registry *registry = store->registry;
    pthread_mutex_lock(&registry->lock);
    pthread_mutex_lock(&registry->queue_lock);
    bool found = unqueue(registry, op);
    pthread_mutex_unlock(&registry->queue_lock);
    for (size_t i = 0; !found && i < registry->round_count; i++)
        if (registry->round_ops[i] == op)
            registry->round_cancelled[i] = 1; /* the committer completes it */
    if (found || pawl_store_watch_remove(registry, op)) {
        op->provider_data[0] = registry->unwatched;
        registry->unwatched = op;
        pawl_store_poke(registry);
    }
    pthread_mutex_unlock(&registry->lock);
}

static void take(pawl_store_registry *registry)
{
    pawl_store_round *round = registry->round;
    round->op_count = round->op_at = 0;
    registry->orphans.wait = false;
    registry->deadlines.wait = false;
    registry->queue_news_wait = false;
    pthread_mutex_lock(&registry->lock);
    pthread_mutex_lock(&registry->queue_lock);
    while (registry->queue_first != NULL && round->op_count < PAWL_STORE_ROUND_OPS_MAX) {
        pawl_registry_op *op = registry->queue_first;
        registry->queue_first = op->provider_data[0];
        registry->round_cancelled[round->op_count] = 0;
        round->ops[round->op_count++] = op;
    }
    if (registry->queue_first == NULL)
        registry->queue_last = NULL;
    pthread_mutex_unlock(&registry->queue_lock);
    registry->round_count = round->op_count;
    pthread_mutex_unlock(&registry->lock);
}

/* ---- one round ---- */

static void refuse(pawl_store_round *round, pawl_registry_op *op, const pawl_fault *fault)
{
    pawl_store_refusal *made = pawl_store_arena_take(&round->arena, sizeof *made);
    if (made == NULL) {
        pawl_fault_emit(&round->registry->store->core, op->why, fault);
        return;
    }
    *made = (pawl_store_refusal){.next = round->refusals, .op = op, .fault = *fault};
    round->refusals = made;
}

/* Judged by what stands in front of it, which the same round may have staged: a lease given up, an end, an id taken. */
static bool is_judgement(pawl_status status)
{
    return status == PAWL_E_STALE || status == PAWL_E_TERMINAL || status == PAWL_E_CONFLICT || status == PAWL_E_LIMIT;
}

/* failure: why the write failed, or NULL. A judgement by what was undone is none. */
static void tell_refusals(pawl_store_round *round, const pawl_fault *failure)
{
    for (pawl_store_refusal *refusal = round->refusals; refusal != NULL; refusal = refusal->next) {
        bool void_now = failure != NULL && is_judgement(refusal->op->status);
        if (void_now)
            refusal->op->status = failure->status;
        pawl_fault_emit(&round->registry->store->core, refusal->op->why, void_now ? failure : &refusal->fault);
    }
    round->refusals = NULL;
}

/* @return false when it has to wait for the next round */
static bool stage(pawl_store_round *round, pawl_registry_op *op)
{
    pawl_fault fault = {0};
    pawl_status status;
    op->status = PAWL_OK;
    op->flags = op->result_kind = op->result_status = 0;
    op->number = op->token = op->sequence = op->count = 0;
    switch (op->kind) {
    case PAWL_OP_REGISTER:
        status = pawl_store_stage_register(round, op, &fault);
        break;
    case PAWL_OP_APPEND:
    case PAWL_OP_SUSPEND:
    case PAWL_OP_COMPLETE:
    case PAWL_OP_PARK:
    case PAWL_OP_CONTINUE:
        status = pawl_store_stage_commit(round, op, &fault);
        break;
    case PAWL_OP_POST:
        status = pawl_store_stage_post(round, op, &fault);
        break;
    case PAWL_OP_QUEUE_WAIT:
        status = pawl_store_stage_queue_wait(round, op, &fault);
        break;
    case PAWL_OP_POST_ALL:
        status = pawl_store_stage_post_all(round, op, &fault);
        break;
    case PAWL_OP_PRUNE:
        status = pawl_store_stage_prune(round, op, &fault);
        break;
    case PAWL_OP_WATCH:
        return true; /* begins when the round is published */
    default:
        status = pawl_fault_set(&fault, PAWL_E_UNSUPPORTED, "registry.unsupported",
                                "operation kind %u is unknown to this store", op->kind);
    }
    op->status = status;
    if (status == PAWL_PENDING)
        return false;
    if (status != PAWL_OK)
        refuse(round, op, &fault);
    return true;
}

static void stage_all(pawl_store_round *round)
{
    pawl_store_registry *registry = round->registry;
    pawl_store_round_begin(round);
    pthread_mutex_lock(&registry->lock);
    pawl_store_workers_expire(registry); /* a session that is over writes nothing more, even if nobody has looked yet */
    pthread_mutex_unlock(&registry->lock);
    round->op_from = round->op_at;
    while (round->op_at < round->op_count && !round->closed && round->rows.bytes.size < PAWL_STORE_ROUND_BYTES_MAX)
        if (stage(round, round->ops[round->op_at]))
            round->op_at++;
        else
            round->closed = true; /* something else was staged before it, so there is progress */
    pawl_store_stage_queue_news(round);
    pawl_store_stage_orphans(round);
    pawl_store_stage_deadlines(round);
}

static void put_counters(pawl_store_round *round)
{
    pawl_store_registry *registry = round->registry;
    bool changed = round->next_number != registry->next_number;
    for (size_t i = 0; i < STORE_STATUS_COUNT; i++)
        changed = changed || round->deltas[i] != 0;
    if (!changed)
        return;
    uint64_t counts[STORE_STATUS_COUNT];
    for (size_t i = 0; i < STORE_STATUS_COUNT; i++)
        counts[i] = (uint64_t)((int64_t)registry->counts[i] + round->deltas[i]);
    pawl_store_meta_put_counters(&round->rows, round->next_number, counts);
}

/* A number is never given twice, whatever the counters row says: the rows of one process would fall to another. */
static pawl_status pass_over_numbers(pawl_store_registry *registry, pawl_fault *fault)
{
    const pawl_bytes none = {NULL, 0};
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(registry->store->kv, PAWL_FAMILY_PROCESS, none, none);
    if (cursor == NULL)
        return pawl_fault_nomem(fault);
    pawl_kv_cursor_last(cursor);
    pawl_status status = pawl_kv_cursor_status(cursor, fault);
    if (cursor->valid) {
        pawl_reader key = pawl_reader_of(cursor->key);
        uint64_t largest = pawl_reader_u64(&key);
        if (!key.bad && largest >= registry->next_number) {
            pawl_store_log(registry->store, PAWL_LOG_WARN,
                           "the counters are behind: process number %llu is there; pawl check --store tells more",
                           (unsigned long long)largest);
            registry->next_number = largest + 1;
        }
    }
    pawl_kv_cursor_close(cursor);
    return status;
}

static pawl_status read_counters(pawl_store_registry *registry, pawl_fault *fault)
{
    registry->next_number = 1;
    registry->orphans.scan = true; /* nobody knows yet */
    atomic_store(&registry->queue_news, true);
    pawl_status status = pawl_store_meta_counters(registry->store->kv, &registry->next_number, registry->counts, fault);
    if (status != PAWL_OK && status != PAWL_E_NOT_FOUND)
        return status;
    return pass_over_numbers(registry, fault);
}

static void commit(pawl_store_round *round)
{
    pawl_fault fault = {0};
    pawl_status status = PAWL_OK;
    put_counters(round);
    if (round->rows.count > 0)
        status = pawl_kv_write(round->registry->store->kv, &round->rows, true, &fault);
    if (status == PAWL_OK) {
        pawl_store_round_publish(round);
        tell_refusals(round, NULL);
        return;
    }
    pawl_store_log(round->registry->store, PAWL_LOG_ERROR, "a group commit of %zu operations failed: %s",
                   round->op_at - round->op_from, fault.message);
    round->registry->orphans.wait = true;
    round->registry->deadlines.wait = true;
    round->registry->queue_news_wait = true;
    atomic_store(&round->registry->queue_news, true);
    pawl_store_round_undo(round, &fault);
    tell_refusals(round, &fault);
}

/* The operations of this write, in their order, and whatever they set off. Watches that fired stand behind them. */
static void finish(pawl_store_round *round)
{
    pawl_store_registry *registry = round->registry;
    pawl_registry_op *fired = round->done_first;
    pawl_registry_op *fired_last = round->done_last;
    size_t fired_count = round->done_count;
    round->done_first = round->done_last = NULL;
    round->done_count = 0;
    for (size_t i = round->op_from; i < round->op_at; i++) {
        if (round->ops[i]->kind == PAWL_OP_WATCH)
            pawl_store_watch_begin(round, round->ops[i], &registry->round_cancelled[i]);
        else
            pawl_store_round_done(round, round->ops[i]);
    }
    if (fired != NULL) {
        if (round->done_last == NULL)
            round->done_first = fired;
        else
            round->done_last->provider_data[0] = fired;
        round->done_last = fired_last;
        round->done_count += fired_count;
    }
    pthread_mutex_lock(&registry->lock);
    for (size_t i = round->op_from; i < round->op_at; i++)
        round->ops[i] = NULL; /* unwatch must not find what may be gone */
    pthread_mutex_unlock(&registry->lock);
}

static void call_completed(pawl_store_round *round)
{
    if (round->done_count == 0)
        return;
    pawl_registry_op *chunk[DONE_CHUNK];
    pawl_registry_op **array = chunk;
    size_t capacity = DONE_CHUNK;
    if (round->done_count > round->done_capacity && round->done_count > DONE_CHUNK) {
        pawl_registry_op **grown = realloc(round->done, round->done_count * sizeof *grown);
        if (grown != NULL) {
            round->done = grown;
            round->done_capacity = round->done_count;
        }
    }
    if (round->done_capacity > DONE_CHUNK) { /* else: out of memory, and several calls do */
        array = round->done;
        capacity = round->done_capacity;
    }
    pawl_registry_op *op = round->done_first;
    round->done_first = round->done_last = NULL;
    round->done_count = 0;
    while (op != NULL) {
        size_t count = 0;
        for (; op != NULL && count < capacity; op = op->provider_data[0])
            array[count++] = op;
        round->registry->store->registry_host.completed(array, count);
    }
}

/* What unwatch has left for us. */
static void finish_unwatched(pawl_store_round *round)
{
    pawl_store_registry *registry = round->registry;
    pthread_mutex_lock(&registry->lock);
    pawl_registry_op *op = registry->unwatched;
    registry->unwatched = NULL;
    pthread_mutex_unlock(&registry->lock);
    while (op != NULL) {
        pawl_registry_op *next = op->provider_data[0];
        op->status = PAWL_E_CANCELLED;
        pawl_store_round_done(round, op);
        op = next;
    }
}

/* ---- the thread ---- */

static void wait_at_most(pawl_store_registry *registry, uint64_t span_ns)
{
    struct timespec until;
    if (span_ns == STORE_NEVER) {
        pthread_cond_wait(&registry->queue_cond, &registry->queue_lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    const uint64_t second = 1000000000;
    span_ns = span_ns < 3600 * second ? span_ns : 3600 * second;
    uint64_t ns = (uint64_t)until.tv_nsec + span_ns;
    until.tv_sec += (time_t)(ns / second);
    until.tv_nsec = (long)(ns % second);
    if (pthread_cond_timedwait(&registry->queue_cond, &registry->queue_lock, &until) == ETIMEDOUT)
        registry->poked = true;
}

/* Wait for something to do. @return false when the store is closing and everything is done */
static bool await_work(pawl_store_registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    pawl_store_workers_expire(registry);
    pawl_store_announce_due(registry);
    uint64_t look = pawl_store_next_look(registry);
    uint64_t left = pawl_store_deadlines_left(registry);
    look = left < look ? left : look;
    pthread_mutex_lock(&registry->queue_lock);
    pthread_mutex_unlock(&registry->lock);
    bool left_over = pawl_store_orphans_left(registry) || pawl_store_queue_news_left(registry);
    while (registry->queue_first == NULL && !registry->poked && !registry->stopping && !left_over) {
        registry->sleeping = true;
        wait_at_most(registry, look);
        registry->sleeping = false;
    }
    bool more = registry->queue_first != NULL || registry->poked || !registry->stopping;
    registry->poked = false;
    pthread_mutex_unlock(&registry->queue_lock);
    return more;
}

/* Model: lease.pml, committer. */
static void *run(void *argument)
{
    pawl_store_registry *registry = argument;
    pawl_store_round *round = registry->round;
    while (await_work(registry)) {
        take(registry);
        do {
            stage_all(round);
            commit(round);
            finish(round);
            finish_unwatched(round);
            pawl_store_events_deliver(registry);
            call_completed(round);
        } while (round->op_at < round->op_count);
    }
    pawl_store_watches_close(round);
    finish_unwatched(round);
    call_completed(round);
    return NULL;
}

/* ---- opening and closing ---- */

static pawl_status start(pawl_store_registry *registry, pawl_fault *fault)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&registry->queue_cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
    sigset_t all;
    sigset_t before;
    sigfillset(&all); /* signals are the host's; none is to interrupt a commit */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&registry->committer, NULL, run, registry);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        return PAWL_OK;
    pthread_cond_destroy(&registry->queue_cond);
    return pawl_fault_set(fault, PAWL_E_NOMEM, "store.thread", "cannot start a thread: %s", strerror(error));
}

static void destroy(pawl_store_registry *registry)
{
    pawl_store_workers_finish(registry);
    pawl_store_entries_finish(registry);
    pawl_store_types_finish(registry);
    pawl_store_round_destroy(registry->round);
    pthread_cond_destroy(&registry->delivered);
    pthread_cond_destroy(&registry->published);
    pthread_mutex_destroy(&registry->lock);
    pthread_mutex_destroy(&registry->queue_lock);
    pthread_mutex_destroy(&registry->claim_lock);
    free(registry->round_cancelled);
    free(registry->orphans.parents);
    free(registry);
}

pawl_status pawl_store_registry_open(pawl_store *store, pawl_fault *fault)
{
    pawl_store_registry *registry = calloc(1, sizeof *registry);
    if (registry == NULL)
        return pawl_fault_nomem(fault);
    registry->store = store;
    pthread_mutex_init(&registry->claim_lock, NULL);
    pthread_mutex_init(&registry->lock, NULL);
    pthread_mutex_init(&registry->queue_lock, NULL);
    pthread_cond_init(&registry->delivered, NULL);
    pthread_cond_init(&registry->published, NULL);
    RB_INIT(&registry->by_number);
    RB_INIT(&registry->by_id);
    RB_INIT(&registry->types);
    RB_INIT(&registry->watches);
    TAILQ_INIT(&registry->idle);
    LIST_INIT(&registry->workers);
    registry->round = pawl_store_round_create(registry);
    registry->round_cancelled = calloc(PAWL_STORE_ROUND_OPS_MAX, 1);
    pawl_status status = PAWL_OK;
    if (registry->round == NULL || registry->round_cancelled == NULL)
        status = pawl_fault_nomem(fault);
    else
        registry->round_ops = registry->round->ops;
    if (status == PAWL_OK)
        status = read_counters(registry, fault);
    if (status == PAWL_OK)
        status = pawl_store_types_open(registry, fault);
    if (status == PAWL_OK)
        status = start(registry, fault);
    if (status != PAWL_OK) {
        destroy(registry);
        return status;
    }
    store->registry = registry;
    return PAWL_OK;
}

void pawl_store_registry_close(pawl_store *store)
{
    pawl_store_registry *registry = store->registry;
    if (registry == NULL)
        return;
    pthread_mutex_lock(&registry->queue_lock);
    registry->stopping = true;
    pthread_mutex_unlock(&registry->queue_lock);
    pthread_cond_signal(&registry->queue_cond);
    pthread_join(registry->committer, NULL);
    pthread_cond_destroy(&registry->queue_cond);
    destroy(registry);
    store->registry = NULL;
}

void pawl_store_registry_describe(pawl_store_registry *registry, json_t *facts)
{
    static const char *const names[STORE_STATUS_COUNT] = {
        [PAWL_READY] = "ready",         [PAWL_WAITING] = "waiting",
        [PAWL_STUCK] = "stuck",         [PAWL_COMPENSATING] = "compensating",
        [PAWL_COMPLETED] = "completed", [PAWL_FAILED] = "failed",
        [PAWL_CANCELLED] = "cancelled", [PAWL_TERMINATED] = "terminated",
        [PAWL_RUNNING] = "running",
    };
    uint64_t counts[STORE_STATUS_COUNT];
    pawl_store_count(registry->store, counts, STORE_STATUS_COUNT, NULL);
    json_t *processes = json_object();
    for (size_t i = 0; i < STORE_STATUS_COUNT; i++)
        if (names[i] != NULL)
            json_object_set_new(processes, names[i], json_integer((json_int_t)counts[i]));
    json_object_set_new(facts, "processes", processes);
    pthread_mutex_lock(&registry->lock);
    json_object_set_new(facts, "processes_in_memory", json_integer((json_int_t)registry->entry_count));
    json_object_set_new(facts, "process_types", json_integer(registry->type_count));
    json_object_set_new(facts, "worker_sessions", json_integer(registry->worker_count));
    pthread_mutex_unlock(&registry->lock);
}
