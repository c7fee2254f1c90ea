/* wait.c: waiting for the end of a process, or for its answer to an update. A wait is a watch in the registry and
 * costs no thread. Whoever waits reads the outcome on his own thread (or that of the callbacks), never on the store's.
 */
#include "host/host_internal.h"

#include "host/operation/outcome.h"
#include "host/view/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct pawl_wait {
    pawl_request request;
    pawl_watch watch;
    pawl_callback callback;
    pawl_host *host;
    pawl_wait *next;  /* guarded by host->lock, like link */
    pawl_wait **link; /* what points here; NULL: not listed */
    atomic_uint references;
    pawl_on_outcome done; /* NULL: someone waits with lock and changed */
    void *context;
    pthread_mutex_t lock; /* guards ended */
    pthread_cond_t changed;
    bool ended;
    char id[PAWL_ID_BYTES_MAX + 1];
    atomic_bool cancelled;               /* an update's watch begins anew, and must not after this */
    char update_id[PAWL_UPDATE_ID_SIZE]; /* "": it waits for the end, or for an event */
    bool is_event;
    char event_type[PAWL_TYPE_BYTES_MAX + 1]; /* "": any */
};

static void release(pawl_wait *wait)
{
    if (atomic_fetch_sub(&wait->references, 1) != 1)
        return;
    pawl_request_finish(&wait->request);
    pthread_cond_destroy(&wait->changed);
    pthread_mutex_destroy(&wait->lock);
    free(wait);
}

/* Hand the watch to the store, and list the wait so that closing finds it. When it came too late for that, it is as if
 * closing had ended it. */
static pawl_status submit(pawl_wait *wait, pawl_error *error)
{
    pawl_host *host = wait->host;
    pthread_mutex_lock(&host->lock);
    if (atomic_load(&host->closing)) {
        pthread_mutex_unlock(&host->lock);
        release(wait);
        return pawl_error_set(error, PAWL_E_CLOSED, "closed", "the host is closing");
    }
    host->in_flight++;
    wait->next = host->waits;
    wait->link = &host->waits;
    if (wait->next != NULL)
        wait->next->link = &wait->next;
    host->waits = wait;
    pthread_mutex_unlock(&host->lock);
    pawl_registry_submit(&host->registry, &wait->request);
    return PAWL_OK;
}

/* With host->lock held. */
static void unlist(pawl_wait *wait)
{
    if (wait->link == NULL)
        return;
    *wait->link = wait->next;
    if (wait->next != NULL)
        wait->next->link = wait->link;
    wait->link = NULL;
}

/* What the watch gave: PAWL_OK with the outcome in the arena, or why not. */
static pawl_status result(pawl_wait *wait, pawl_arena *arena, pawl_outcome *outcome, pawl_error *error)
{
    pawl_status status = wait->request.op.status;
    if (status == PAWL_OK && wait->is_event) {
        if (wait->request.op.result_kind == PAWL_RECORD_EVENT)
            return pawl_outcome_read_event(wait->host, &wait->request.op, wait->event_type, arena, outcome, error);
        return pawl_error_set(error, PAWL_E_TERMINAL, "event.process_ended",
                              "process \"%s\" has ended without the event that was waited for", wait->id);
    }
    if (status == PAWL_OK && wait->update_id[0] != '\0') {
        if (wait->request.op.result_kind == PAWL_RECORD_REPLY)
            return pawl_outcome_read_reply(wait->host, &wait->request.op, wait->update_id, arena, outcome, error);
        return pawl_error_set(error, PAWL_E_TERMINAL, "update.process_ended",
                              "process \"%s\" has ended without answering update \"%s\"", wait->id, wait->update_id);
    }
    if (status == PAWL_OK)
        return pawl_outcome_read(wait->host, &wait->request.op, wait->id, arena, outcome, error);
    bool closing = atomic_load(&wait->host->closing);
    if (status == PAWL_E_CLOSED || (status == PAWL_E_CANCELLED && closing))
        return pawl_error_set(error, PAWL_E_CLOSED, "closed", "the host closed while process \"%s\" was waited for",
                              wait->id);
    if (status == PAWL_E_CANCELLED)
        return pawl_error_set(error, status, "wait_cancelled", "the wait for process \"%s\" was cancelled", wait->id);
    status = pawl_failure_error(&wait->request.failure, status < 0 ? status : PAWL_E_FAILED, error);
    return pawl_unknown_process(wait->id, status, error);
}

static void watched(pawl_request *request);

/* What was reported answers another update: watch on behind it. Who cancels meanwhile is seen here, or sees the new
 * watch. The caller holds a reference: the new watch may end while it is looked at.
 */
static void watch_on(pawl_wait *wait)
{
    wait->watch.after = wait->request.op.sequence;
    wait->ended = false;
    pawl_request_finish(&wait->request);
    pawl_request_init(&wait->request, PAWL_OP_WATCH, &wait->watch, watched, wait);
    pawl_registry_submit(&wait->host->registry, &wait->request);
    if (atomic_load(&wait->cancelled) || atomic_load(&wait->host->closing))
        wait->host->registry.table.unwatch(wait->host->registry.store, &wait->request.op);
}

static void call_back(pawl_callback *callback)
{
    pawl_wait *wait = (pawl_wait *)((char *)callback - offsetof(pawl_wait, callback));
    pawl_host *host = wait->host;
    pawl_arena arena = {0};
    pawl_outcome outcome;
    pawl_error error = {0};
    pawl_status status = result(wait, &arena, &outcome, &error);
    if (status == PAWL_PENDING) {
        pawl_arena_finish(&arena);
        atomic_fetch_add(&wait->references, 1); /* another thread may call back before watch_on() is through */
        watch_on(wait);
        release(wait);
        return;
    }
    wait->done(wait->context, status, status == PAWL_OK ? &outcome : NULL, status == PAWL_OK ? NULL : &error);
    pawl_arena_finish(&arena);
    pthread_mutex_lock(&host->lock);
    unlist(wait);
    pthread_mutex_unlock(&host->lock);
    release(wait);
    pawl_host_left(host);
}

/* On a thread of the store. */
static void watched(pawl_request *request)
{
    pawl_wait *wait = request->context;
    if (wait->done != NULL) {
        pawl_callbacks_post(wait->host->callbacks, &wait->callback);
        return;
    }
    pthread_mutex_lock(&wait->lock);
    wait->ended = true;
    pthread_cond_signal(&wait->changed);
    pthread_mutex_unlock(&wait->lock);
}

static pawl_status begin(pawl_host *host, const char *id, pawl_wait **ret, pawl_error *error)
{
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK)
        status = pawl_check_id(id, error);
    if (status != PAWL_OK)
        return status;
    pawl_wait *wait = calloc(1, sizeof *wait);
    if (wait == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while waiting for \"%s\"", id);
    wait->host = host;
    memcpy(wait->id, id, strlen(id));
    wait->watch = (pawl_watch){.struct_size = sizeof wait->watch, .id = pawl_bytes_text(wait->id)};
    wait->callback.call = call_back;
    atomic_init(&wait->references, 1);
    atomic_init(&wait->cancelled, false);
    pthread_mutex_init(&wait->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&wait->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pawl_request_init(&wait->request, PAWL_OP_WATCH, &wait->watch, watched, wait);
    *ret = wait;
    return PAWL_OK;
}

pawl_status pawl_host_wait_async(pawl_host *host, const char *id, pawl_on_outcome done, void *context, pawl_wait **ret,
                                 pawl_error *error)
{
    if (done == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "the callback is missing");
    pawl_wait *wait;
    pawl_status status = begin(host, id, &wait, error);
    if (status != PAWL_OK)
        return status;
    wait->done = done;
    wait->context = context;
    if (ret != NULL)
        *ret = wait; /* before the callback can come */
    status = submit(wait, error);
    return status == PAWL_OK ? PAWL_PENDING : status;
}

void pawl_wait_cancel(pawl_wait *wait)
{
    if (wait == NULL)
        return;
    atomic_store(&wait->cancelled, true);
    wait->host->registry.table.unwatch(wait->host->registry.store, &wait->request.op);
}

void pawl_host_end_waits(pawl_host *host)
{
    for (;;) {
        pthread_mutex_lock(&host->lock);
        pawl_wait *wait = host->waits;
        if (wait != NULL) {
            unlist(wait);
            atomic_fetch_add(&wait->references, 1); /* it may end while it is being ended */
        }
        pthread_mutex_unlock(&host->lock);
        if (wait == NULL)
            return;
        pawl_wait_cancel(wait);
        release(wait);
    }
}

/* False when the time is over first. */
static bool wait_for_end(pawl_wait *wait, uint64_t timeout_ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t seconds = timeout_ns / PAWL_NS_PER_SECOND;
    until.tv_sec += (time_t)(seconds > INT32_MAX ? INT32_MAX : seconds);
    until.tv_nsec += (long)(timeout_ns % PAWL_NS_PER_SECOND);
    if (until.tv_nsec >= (long)PAWL_NS_PER_SECOND) {
        until.tv_sec++;
        until.tv_nsec -= (long)PAWL_NS_PER_SECOND;
    }
    int waited = 0;
    pthread_mutex_lock(&wait->lock);
    while (!wait->ended && waited != ETIMEDOUT)
        waited = timeout_ns == 0 ? pthread_cond_wait(&wait->changed, &wait->lock)
                                 : pthread_cond_timedwait(&wait->changed, &wait->lock, &until);
    bool ended = wait->ended;
    pthread_mutex_unlock(&wait->lock);
    return ended;
}

pawl_status pawl_host_wait(pawl_host *host, const char *id, uint64_t timeout_ns, pawl_text *ret_outcome_json,
                           pawl_error *error)
{
    pawl_wait *wait;
    pawl_status status = begin(host, id, &wait, error);
    if (status != PAWL_OK)
        return status;
    status = submit(wait, error);
    if (status != PAWL_OK)
        return status;
    bool late = !wait_for_end(wait, timeout_ns);
    if (late) {
        pawl_wait_cancel(wait);
        (void)wait_for_end(wait, 0); /* the request is the store's until it has answered */
    }
    pawl_arena arena = {0};
    pawl_outcome outcome;
    status = result(wait, &arena, &outcome, error);
    if (late && status == PAWL_E_CANCELLED)
        status = pawl_error_set(error, PAWL_E_DEADLINE, "wait_timeout", "process \"%s\" has not ended in %.3f s", id,
                                (double)timeout_ns / 1e9);
    if (status == PAWL_OK)
        status = pawl_view_give(pawl_outcome_json(&outcome), ret_outcome_json, error);
    pawl_arena_finish(&arena);
    pthread_mutex_lock(&host->lock);
    unlist(wait);
    pthread_mutex_unlock(&host->lock);
    release(wait);
    pawl_host_left(host);
    return status;
}

/* ---- updates ---- */

/* The request is durable when this returns PAWL_OK; its answer is not watched for yet. */
static pawl_status begin_update(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                                const char *update_id, pawl_wait **ret, pawl_error *error)
{
    pawl_wait *wait;
    pawl_status status = begin(host, id, &wait, error);
    if (status != PAWL_OK)
        return status;
    status = pawl_host_post_update(host, id, name, payload, update_id, wait->update_id, &wait->watch.after, error);
    if (status != PAWL_OK) {
        release(wait);
        return status;
    }
    wait->watch.kinds = UINT64_C(1) << (PAWL_RECORD_REPLY - 64);
    *ret = wait;
    return PAWL_OK;
}

pawl_status pawl_host_update_async(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                                   const char *update_id, pawl_on_outcome done, void *context, pawl_wait **ret,
                                   pawl_error *error)
{
    if (done == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "the callback is missing");
    pawl_wait *wait;
    pawl_status status = begin_update(host, id, name, payload, update_id, &wait, error);
    if (status != PAWL_OK)
        return status;
    wait->done = done;
    wait->context = context;
    if (ret != NULL)
        *ret = wait; /* before the callback can come */
    status = submit(wait, error);
    return status == PAWL_OK ? PAWL_PENDING : status;
}

/* Until an answer to this very update, the process's end, or the time. */
static pawl_status await_answer(pawl_wait *wait, uint64_t timeout_ns, pawl_arena *arena, pawl_outcome *outcome,
                                pawl_error *error)
{
    const pawl_clock *clock = wait->host->clock;
    uint64_t until = timeout_ns == 0 ? 0 : clock->mono_ns(clock) + timeout_ns;
    for (;;) {
        uint64_t now = timeout_ns == 0 ? 0 : clock->mono_ns(clock);
        uint64_t left = timeout_ns == 0 ? 0 : until > now ? until - now : 1;
        bool late = !wait_for_end(wait, left);
        if (late) {
            pawl_wait_cancel(wait);
            (void)wait_for_end(wait, 0); /* the request is the store's until it has answered */
        }
        pawl_status status = result(wait, arena, outcome, error);
        if (status == PAWL_PENDING && late) /* another one's answer came in the last moment */
            status = PAWL_E_CANCELLED;
        if (late && status == PAWL_E_CANCELLED)
            return wait->is_event
                       ? pawl_error_set(error, PAWL_E_DEADLINE, "wait_timeout",
                                        "process \"%s\" had no such event in %.3f s", wait->id,
                                        (double)timeout_ns / 1e9)
                       : pawl_error_set(
                             error, PAWL_E_DEADLINE, "update.timeout",
                             "process \"%s\" has not answered update \"%s\" in %.3f s; it may still do so: ask again "
                             "with the same id",
                             wait->id, wait->update_id, (double)timeout_ns / 1e9);
        if (status != PAWL_PENDING)
            return status;
        watch_on(wait);
    }
}

pawl_status pawl_host_update(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                             const char *update_id, uint64_t timeout_ns, pawl_text *ret_json, pawl_error *error)
{
    pawl_wait *wait;
    pawl_status status = begin_update(host, id, name, payload, update_id, &wait, error);
    if (status == PAWL_OK)
        status = submit(wait, error);
    if (status != PAWL_OK)
        return status;
    pawl_arena arena = {0};
    pawl_outcome outcome;
    status = await_answer(wait, timeout_ns, &arena, &outcome, error);
    if (status == PAWL_OK)
        status = pawl_view_give(pawl_outcome_reply_json(&outcome), ret_json, error);
    pawl_arena_finish(&arena);
    pthread_mutex_lock(&host->lock);
    unlist(wait);
    pthread_mutex_unlock(&host->lock);
    release(wait);
    pawl_host_left(host);
    return status;
}

/* ---- events ---- */

static pawl_status copy_text(pawl_bytes from, pawl_text *ret, pawl_error *error)
{
    if (ret == NULL)
        return PAWL_OK;
    ret->data = malloc(from.size + 1);
    if (ret->data == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for an event");
    if (from.data != NULL)
        memcpy(ret->data, from.data, from.size);
    ret->data[from.size] = '\0';
    ret->size = from.size;
    return PAWL_OK;
}

static pawl_status begin_event(pawl_host *host, const char *id, const char *type, uint64_t after, pawl_wait **ret,
                               pawl_error *error)
{
    pawl_wait *wait;
    pawl_status status = type == NULL ? PAWL_OK : pawl_check_text("event type", type, PAWL_TYPE_BYTES_MAX, error);
    if (status == PAWL_OK)
        status = begin(host, id, &wait, error);
    if (status != PAWL_OK)
        return status;
    wait->is_event = true;
    if (type != NULL)
        memcpy(wait->event_type, type, strlen(type));
    wait->watch.after = after;
    wait->watch.kinds = UINT64_C(1) << (PAWL_RECORD_EVENT - 64);
    *ret = wait;
    return PAWL_OK;
}

pawl_status pawl_host_wait_event_async(pawl_host *host, const char *id, const char *type, uint64_t after,
                                       pawl_on_outcome done, void *context, pawl_wait **ret, pawl_error *error)
{
    if (done == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "the callback is missing");
    pawl_wait *wait;
    pawl_status status = begin_event(host, id, type, after, &wait, error);
    if (status != PAWL_OK)
        return status;
    wait->done = done;
    wait->context = context;
    if (ret != NULL)
        *ret = wait; /* before the callback can come */
    status = submit(wait, error);
    return status == PAWL_OK ? PAWL_PENDING : status;
}

pawl_status pawl_host_wait_event(pawl_host *host, const char *id, const char *type, uint64_t after, uint64_t timeout_ns,
                                 pawl_text *ret_json, pawl_error *error)
{
    pawl_wait *wait;
    pawl_status status = begin_event(host, id, type, after, &wait, error);
    if (status == PAWL_OK)
        status = submit(wait, error);
    if (status != PAWL_OK)
        return status;
    pawl_arena arena = {0};
    pawl_outcome outcome = {0};
    status = await_answer(wait, timeout_ns, &arena, &outcome, error);
    if (status == PAWL_OK)
        status = copy_text(outcome.output, ret_json, error);
    pawl_arena_finish(&arena);
    pthread_mutex_lock(&host->lock);
    unlist(wait);
    pthread_mutex_unlock(&host->lock);
    release(wait);
    pawl_host_left(host);
    return status;
}
