/* effect_pool.c: threads that run effects. A call waits in the pool's queue for a thread, or at its bulkhead for a
 * place; whoever frees a place hands it to the first that waits there, so a full instance costs the others nothing. */
#include "effect_pool.h"
#include "seam/crash_point.h"
#include "worker/base/line.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct pawl_effect_pool {
    pthread_mutex_t lock; /* guards everything below, and the bulkheads of all effects submitted here */
    pthread_cond_t work;
    pthread_cond_t ended;
    pawl_call *head, *tail;
    uint32_t threads, threads_max, idle;
    uint32_t running, queued;
    uint32_t ready; /* of the queued ones, those in the queue and not at a bulkhead */
    bool stopping;
    pawl_flight *flight;
    const pawl_clock *clock;
    const pawl_log *log;
};

/* ---- one call ---- */

static uint32_t class_of_bare_status(pawl_status status)
{
    switch (status) {
    case PAWL_E_INVALID:
    case PAWL_E_UNSUPPORTED:
    case PAWL_E_NOT_FOUND:
    case PAWL_E_CONFLICT:
    case PAWL_E_LIMIT:
        return PAWL_TERMINAL;
    case PAWL_E_NOMEM:
    case PAWL_E_BUSY:
        return PAWL_RETRYABLE;
    default:
        return PAWL_UNKNOWN_OUTCOME; /* it may have happened */
    }
}

static void tell(pawl_call *call, uint32_t klass, const char *code, const char *message)
{
    pawl_failure failure = {sizeof failure,           klass,     pawl_bytes_text(code),
                            pawl_bytes_text(message), {NULL, 0}, (uint64_t)0};
    pawl_failure_tell(&call->why, &failure);
}

static void tell_unfit(pawl_call *call, uint32_t klass, const char *code, const char *what, const pawl_error *why)
{
    char message[sizeof why->message + 256];
    snprintf(message, sizeof message, "the %s of %s (plugin %s) does not fit its schema: %s", what, call->effect->name,
             call->effect->plugin, why->message);
    tell(call, klass, code, message);
}

/* Before it begins: nothing has happened, and no other attempt would find anything else. */
static bool input_fits(pawl_call *call)
{
    pawl_error why = {0};
    const pawl_contract *contract = call->effect->contract;
    if (contract == NULL || contract->input == NULL || call->reconcile ||
        contract->check(contract->input, call->abi.input, &why) == PAWL_OK)
        return true;
    tell_unfit(call, PAWL_TERMINAL, "effect.input", "input", &why);
    call->status = PAWL_E_INVALID;
    return false;
}

/* It has happened, so the class says that it may have: what undoes it is due. */
static bool output_fits(pawl_call *call)
{
    pawl_error why = {0};
    const pawl_contract *contract = call->effect->contract;
    if (contract == NULL || contract->output == NULL ||
        contract->check(contract->output, pawl_sink_bytes(&call->out), &why) == PAWL_OK)
        return true;
    tell_unfit(call, PAWL_UNKNOWN_OUTCOME, "effect.output", "output", &why);
    call->bad_output = true;
    return false;
}

/* Whatever a plugin answers becomes one of: OK with bytes, NOT_FOUND of a reconcile, or a failure with its reason. */
static void settle(pawl_call *call, pawl_status status)
{
    char message[256];
    PAWL_CRASH_POINT("effect-end");
    if (status == PAWL_OK && call->out.over) {
        snprintf(message, sizeof message, "plugin %s, %s: the result is larger than the limit of %zu bytes",
                 call->effect->plugin, call->effect->name, call->out.limit);
        tell(call, PAWL_TERMINAL, "effect.output_too_large", message);
        status = PAWL_E_LIMIT;
    } else if (status == PAWL_OK && call->out.no_memory) {
        tell(call, PAWL_UNKNOWN_OUTCOME, "effect.no_memory", "no memory for the effect's result");
        status = PAWL_E_NOMEM;
    } else if (status > 0) {
        snprintf(message, sizeof message, "plugin %s, %s: answered status %d, which a call may not give",
                 call->effect->plugin, call->effect->name, (int)status);
        tell(call, PAWL_UNKNOWN_OUTCOME, "effect.contract", message);
        status = PAWL_E_FAILED;
    } else if (status < 0 && !(call->reconcile && status == PAWL_E_NOT_FOUND) && !call->why.set) {
        snprintf(message, sizeof message, "plugin %s, %s: %s, without saying why", call->effect->plugin,
                 call->effect->name, pawl_status_name(status));
        tell(call, class_of_bare_status(status), pawl_status_name(status), message);
    } else if (status == PAWL_OK && !output_fits(call)) {
        status = PAWL_E_INVALID;
    }
    call->status = status;
}

static pawl_status invoke(pawl_call *call)
{
    const pawl_effect *e = call->effect;
    if (call->reconcile) {
        if (e->connector != NULL && e->connector->reconcile != NULL)
            return e->connector->reconcile(e->instance, &call->abi, &call->out, &call->why);
        if (e->effect != NULL && e->effect->reconcile != NULL)
            return e->effect->reconcile(&call->abi, &call->out, &call->why);
        return PAWL_E_UNSUPPORTED;
    }
    if (e->runs == PAWL_RUNS_ASYNC) {
        if (e->connector != NULL && e->connector->start != NULL)
            return e->connector->start(e->instance, &call->abi, &call->completion, &call->why);
        if (e->effect != NULL && e->effect->start != NULL)
            return e->effect->start(&call->abi, &call->completion, &call->why);
        return PAWL_E_UNSUPPORTED;
    }
    if (e->connector != NULL && e->connector->invoke != NULL)
        return e->connector->invoke(e->instance, &call->abi, &call->out, &call->why);
    if (e->effect != NULL && e->effect->execute != NULL)
        return e->effect->execute(&call->abi, &call->out, &call->why);
    return PAWL_E_UNSUPPORTED;
}

static void finish(pawl_call *call, bool on_pool_thread);

/* The ABI's complete() of an asynchronous call. */
static void on_complete(pawl_completion *completion, pawl_status status, pawl_bytes result, const pawl_failure *failure)
{
    pawl_call *call = (pawl_call *)completion;
    if (status == PAWL_OK)
        (void)pawl_sink_write(&call->out, result.data, result.size);
    else if (failure != NULL)
        pawl_failure_tell(&call->why, failure);
    settle(call, status);
    finish(call, false);
}

pawl_call *pawl_call_create(const pawl_call_request *request)
{
    size_t extra = request->process.size + request->session.size + request->input.size;
    pawl_call *call = calloc(1, sizeof *call + extra);
    if (call == NULL)
        return NULL;
    char *copy = (char *)(call + 1);
    pawl_bytes *targets[] = {&call->context.process, &call->context.session, &call->abi.input};
    const pawl_bytes *sources[] = {&request->process, &request->session, &request->input};
    for (size_t i = 0; i < 3; i++) {
        if (sources[i]->size > 0)
            memcpy(copy, sources[i]->data, sources[i]->size);
        *targets[i] = (pawl_bytes){copy, sources[i]->size};
        copy += sources[i]->size;
    }
    call->completion.complete = on_complete;
    call->effect = request->effect;
    call->ordinal = request->ordinal;
    call->reconcile = request->reconcile;
    call->timeout_ns = request->timeout_ns;
    call->until_mono_ns = request->until_mono_ns;
    call->context.host = request->host;
    call->context.ordinal = request->ordinal;
    call->context.attempt = request->attempt;
    pawl_line key = pawl_line_in(call->key, sizeof call->key);
    pawl_line_bytes(&key, request->process);
    pawl_line_text(&key, "/");
    pawl_line_number(&key, request->run);
    if (request->generation > 0) { /* done again after a rewind: nothing of before */
        pawl_line_text(&key, "~");
        pawl_line_number(&key, request->generation);
    }
    pawl_line_text(&key, "/");
    pawl_line_number(&key, request->ordinal);
    call->abi.struct_size = sizeof call->abi;
    call->abi.attempt = request->attempt;
    call->abi.host = request->host;
    call->abi.context = &call->context;
    call->abi.operation = pawl_bytes_text(request->effect->operation);
    call->abi.idempotency_key = (pawl_bytes){call->key, key.size};
    call->abi.cancel = &call->cancel;
    pawl_cancel_init(&call->cancel);
    pawl_sink_init(&call->out, request->output_max);
    pawl_failure_init(&call->why);
    return call;
}

pawl_call *pawl_call_destroy(pawl_call *call)
{
    if (call != NULL) {
        pawl_cancel_finish(&call->cancel);
        pawl_sink_finish(&call->out);
        pawl_failure_finish(&call->why);
        free(call);
    }
    return NULL;
}

static void begin(pawl_call *call, const pawl_clock *clock)
{
    uint64_t now = clock->mono_ns(clock);
    if (call->timeout_ns != 0)
        call->abi.deadline_mono_ns = now + call->timeout_ns;
    if (call->until_mono_ns != 0 && (call->timeout_ns == 0 || call->until_mono_ns < call->abi.deadline_mono_ns))
        call->abi.deadline_mono_ns = call->until_mono_ns;
    atomic_store(&call->started_mono_ns, now == 0 ? 1 : now);
    PAWL_CRASH_POINT("effect-start");
}

void pawl_call_run_here(pawl_call *call, const pawl_clock *clock)
{
    if (!input_fits(call))
        return;
    begin(call, clock);
    settle(call, invoke(call));
}

/* ---- the pool ---- */

static void push(pawl_effect_pool *pool, pawl_call *call)
{
    call->next = NULL;
    if (pool->tail == NULL)
        pool->head = call;
    else
        pool->tail->next = call;
    pool->tail = call;
    pool->ready++;
}

/* The first call that has a place at its bulkhead; those that have none move to wait there. Locked. */
static pawl_call *take(pawl_effect_pool *pool)
{
    for (;;) {
        pawl_call *call = pool->head;
        if (call == NULL)
            return NULL;
        pool->head = call->next;
        if (pool->head == NULL)
            pool->tail = NULL;
        call->next = NULL;
        pool->ready--;
        pawl_bulkhead *bulkhead = call->effect->bulkhead;
        if (bulkhead->limit == 0 || bulkhead->active < bulkhead->limit || pool->stopping) {
            bulkhead->active++;
            pool->queued--;
            pool->running++;
            return call;
        }
        if (bulkhead->waiting_tail == NULL)
            bulkhead->waiting = call;
        else
            ((pawl_call *)bulkhead->waiting_tail)->next = call;
        bulkhead->waiting_tail = call;
    }
}

static void *pool_thread(void *argument);

/* Locked. One more thread when there is more to begin than threads that wait for it (a thread that was woken counts as
 * waiting until it has taken its call). One that cannot be made is not an error as long as any exists: work waits. */
static void grow(pawl_effect_pool *pool)
{
    if (pool->ready <= pool->idle || pool->threads >= pool->threads_max)
        return;
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)1 << 21); /* the ABI promises at least 1 MiB */
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attributes, pool_thread, pool);
    pthread_attr_destroy(&attributes);
    if (failed == 0)
        pool->threads++;
    else
        pawl_log_write(pool->log, PAWL_LOG_ERROR, "cannot start an effect thread", "error", strerror(failed),
                       (char *)NULL);
}

/* A place is free: the first that waits for it goes back into the queue. Locked. */
static void leave(pawl_effect_pool *pool, pawl_bulkhead *bulkhead, bool on_pool_thread)
{
    bulkhead->active--;
    pool->running--;
    pawl_call *next = bulkhead->waiting;
    if (next != NULL) {
        bulkhead->waiting = next->next;
        if (next->next == NULL)
            bulkhead->waiting_tail = NULL;
        push(pool, next);
        if (!on_pool_thread) /* such a thread takes the next call itself */
            grow(pool);
        pthread_cond_signal(&pool->work);
    }
}

/* The call has ended: its owner is told, its place goes to the next. done() may free the call. It comes first: once the
 * call no longer counts as running the pool may be stopped and freed, and what done() uses with it. */
static void finish(pawl_call *call, bool on_pool_thread)
{
    pawl_effect_pool *pool = call->pool;
    pawl_bulkhead *bulkhead = call->effect->bulkhead;
    call->done(call);
    pthread_mutex_lock(&pool->lock);
    leave(pool, bulkhead, on_pool_thread);
    pthread_cond_broadcast(&pool->ended);
    pthread_mutex_unlock(&pool->lock);
}

/* It was never begun: certainly nothing happened. */
static void end_unbegun(pawl_call *call)
{
    tell(call, PAWL_RETRYABLE, "effect.not_begun", "it was asked to stop before it was begun");
    settle(call, PAWL_E_CANCELLED);
}

static void run(pawl_effect_pool *pool, pawl_call *call, bool stopping, pawl_flight_slot *slot)
{
    if (stopping || pawl_cancel_is_asked(&call->cancel)) {
        end_unbegun(call);
        finish(call, true);
        return;
    }
    if (!input_fits(call)) {
        finish(call, true);
        return;
    }
    begin(call, pool->clock);
    bool may_pend = call->effect->runs == PAWL_RUNS_ASYNC && !call->reconcile;
    pawl_flight_begin(slot, call->context.process, pawl_bytes_text(call->effect->name));
    pawl_status status = invoke(call);
    pawl_flight_end(slot);
    if (status == PAWL_PENDING && may_pend)
        return; /* on_complete finishes it; perhaps it already has, so the call may not be looked at */
    settle(call, status);
    finish(call, true);
}

static void *pool_thread(void *argument)
{
    pawl_effect_pool *pool = argument;
    pawl_flight_slot *slot = pawl_flight_take(pool->flight);
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        pawl_call *call = take(pool);
        if (call != NULL) {
            bool stopping = pool->stopping;
            pthread_mutex_unlock(&pool->lock);
            run(pool, call, stopping, slot);
            pthread_mutex_lock(&pool->lock);
            continue;
        }
        if (pool->stopping)
            break;
        pool->idle++;
        pthread_cond_wait(&pool->work, &pool->lock);
        pool->idle--;
    }
    pool->threads--;
    pthread_cond_broadcast(&pool->ended);
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

void pawl_effect_pool_record(pawl_effect_pool *pool, pawl_flight *flight)
{
    pool->flight = flight;
}

pawl_effect_pool *pawl_effect_pool_create(uint32_t threads_max, const pawl_clock *clock, const pawl_log *log)
{
    pawl_effect_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pool->threads_max = threads_max;
    pool->clock = clock;
    pool->log = log;
    return pool;
}

void pawl_effect_pool_submit(pawl_effect_pool *pool, pawl_call *call)
{
    call->pool = pool;
    pthread_mutex_lock(&pool->lock);
    push(pool, call);
    pool->queued++;
    grow(pool);
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

/* Take a call out of a list. Locked. */
static bool take_out(pawl_call **head, pawl_call **tail, pawl_call *call)
{
    pawl_call *before = NULL, *at = *head;
    while (at != NULL && at != call) {
        before = at;
        at = at->next;
    }
    if (at == NULL)
        return false;
    if (before == NULL)
        *head = call->next;
    else
        before->next = call->next;
    if (*tail == call)
        *tail = before;
    call->next = NULL;
    return true;
}

bool pawl_effect_pool_withdraw(pawl_effect_pool *pool, pawl_call *call)
{
    pawl_bulkhead *bulkhead = call->effect->bulkhead;
    pthread_mutex_lock(&pool->lock);
    bool found = take_out(&pool->head, &pool->tail, call);
    if (found) {
        pool->ready--;
    } else {
        pawl_call *head = bulkhead->waiting, *tail = bulkhead->waiting_tail;
        found = take_out(&head, &tail, call);
        bulkhead->waiting = head;
        bulkhead->waiting_tail = tail;
    }
    if (found)
        pool->queued--;
    pthread_mutex_unlock(&pool->lock);
    if (found) {
        end_unbegun(call);
        call->done(call);
    }
    return found;
}

void pawl_effect_pool_load(pawl_effect_pool *pool, uint32_t *running, uint32_t *queued)
{
    pthread_mutex_lock(&pool->lock);
    *running = pool->running;
    *queued = pool->queued;
    pthread_mutex_unlock(&pool->lock);
}

bool pawl_effect_pool_stop(pawl_effect_pool *pool, uint64_t deadline_mono_ns)
{
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    if (pool->threads == 0)
        grow(pool);
    pthread_cond_broadcast(&pool->work);
    while (pool->threads > 0 || pool->running > 0) {
        uint64_t now = pool->clock->mono_ns(pool->clock);
        if (now >= deadline_mono_ns)
            break;
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        uint64_t left = deadline_mono_ns - now;
        uint64_t step = left < 100 * PAWL_NS_PER_MS ? left : 100 * PAWL_NS_PER_MS; /* a test's clock may jump */
        uint64_t ns = (uint64_t)until.tv_nsec + step;
        until.tv_sec += (time_t)(ns / PAWL_NS_PER_SECOND);
        until.tv_nsec = (long)(ns % PAWL_NS_PER_SECOND);
        pthread_cond_timedwait(&pool->ended, &pool->lock, &until);
    }
    bool all = pool->threads == 0 && pool->running == 0;
    pthread_mutex_unlock(&pool->lock);
    return all;
}

pawl_effect_pool *pawl_effect_pool_destroy(pawl_effect_pool *pool)
{
    if (pool != NULL) {
        pthread_cond_destroy(&pool->work);
        pthread_cond_destroy(&pool->ended);
        pthread_mutex_destroy(&pool->lock);
        free(pool);
    }
    return NULL;
}
