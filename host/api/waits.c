/* waits.c: see waits.h. Never calls `done` while it holds its lock, and never touches a wait after that. */
#include "host/api/waits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "worker/base/error.h"

struct pawl_waits {
    pawl_host *host;
    /* Guards everything below and the last members of every wait. Recursive, because cancelling a wait of the host may
     * call back on this thread; held across that call, because the handle dies when the callback has returned. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    TAILQ_HEAD(wait_list, pawl_timed_wait) list; /* by deadline, the next one first */
    bool closing;
    bool stop;
    pthread_t thread;
};

static uint64_t mono_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static pawl_bytes copy_bytes(pawl_bytes from)
{
    pawl_bytes to = {malloc(from.size + 1), from.size};
    if (to.data == NULL)
        to.size = 0;
    else if (from.size > 0)
        memcpy((void *)(uintptr_t)to.data, from.data, from.size);
    return to;
}

static bool copy_outcome(pawl_outcome *to, const pawl_outcome *from)
{
    to->struct_size = sizeof *to;
    to->status = from->status;
    to->output = copy_bytes(from->output);
    to->code = copy_bytes(from->code);
    to->message = copy_bytes(from->message);
    to->detail_json = copy_bytes(from->detail_json);
    return to->output.data != NULL && to->code.data != NULL && to->message.data != NULL && to->detail_json.data != NULL;
}

/* Why a wait that the host ended as cancelled was cancelled by us. */
static void judge_cancelled(pawl_timed_wait *wait)
{
    if (wait->waits->closing)
        wait->status = pawl_error_set(&wait->error, PAWL_E_CLOSED, "api.closing", "the server is stopping");
    else if (wait->expired)
        wait->status =
            pawl_error_set(&wait->error, PAWL_E_DEADLINE, "api.wait_timeout", "the process has not ended yet");
}

static void host_ended(void *context, pawl_status status, const pawl_outcome *outcome, const pawl_error *error)
{
    pawl_timed_wait *wait = context;
    pawl_waits *waits = wait->waits;
    pthread_mutex_lock(&waits->lock);
    wait->status = status;
    if (status == PAWL_OK && !copy_outcome(&wait->outcome, outcome))
        wait->status = pawl_error_set(&wait->error, PAWL_E_NOMEM, "api.no_memory", "out of memory for an outcome");
    else if (status != PAWL_OK && error != NULL)
        wait->error = *error;
    if (status == PAWL_E_CANCELLED)
        judge_cancelled(wait);
    wait->ended = true;
    if (wait->listed)
        TAILQ_REMOVE(&waits->list, wait, link);
    wait->listed = false;
    bool begun = wait->begun;
    pthread_mutex_unlock(&waits->lock);
    if (begun)
        wait->done(wait); /* else pawl_waits_begin does, which still holds the wait */
}

/* Most waits have the same limit, so that the place is nearly always at the end. */
static void list_by_deadline(pawl_waits *waits, pawl_timed_wait *wait)
{
    pawl_timed_wait *before = TAILQ_LAST(&waits->list, wait_list);
    while (before != NULL && before->deadline_mono_ns > wait->deadline_mono_ns)
        before = TAILQ_PREV(before, wait_list, link);
    if (before != NULL)
        TAILQ_INSERT_AFTER(&waits->list, before, wait, link);
    else
        TAILQ_INSERT_HEAD(&waits->list, wait, link);
    wait->listed = true;
    if (before == NULL)
        pthread_cond_signal(&waits->changed);
}

/* Under the lock. The host calls back about it, now or soon. */
static void expire(pawl_waits *waits, pawl_timed_wait *wait)
{
    if (wait->listed)
        TAILQ_REMOVE(&waits->list, wait, link);
    wait->listed = false;
    wait->expired = true;
    pawl_wait_cancel(wait->handle);
}

static void *timer_thread(void *context)
{
    pawl_waits *waits = context;
    pthread_mutex_lock(&waits->lock);
    while (!waits->stop) {
        pawl_timed_wait *first = TAILQ_FIRST(&waits->list);
        if (first == NULL) {
            pthread_cond_wait(&waits->changed, &waits->lock);
        } else if (first->deadline_mono_ns <= mono_now_ns()) {
            expire(waits, first);
        } else {
            struct timespec until = {.tv_sec = (time_t)(first->deadline_mono_ns / 1000000000u),
                                     .tv_nsec = (long)(first->deadline_mono_ns % 1000000000u)};
            pthread_cond_timedwait(&waits->changed, &waits->lock, &until);
        }
    }
    pthread_mutex_unlock(&waits->lock);
    return NULL;
}

pawl_status pawl_waits_open(pawl_host *host, pawl_waits **ret, pawl_error *error)
{
    pawl_waits *waits = calloc(1, sizeof *waits);
    if (waits == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "api.no_memory", "out of memory for the API server");
    waits->host = host;
    TAILQ_INIT(&waits->list);
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&waits->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&waits->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int failed = pthread_create(&waits->thread, NULL, timer_thread, waits);
    if (failed != 0) {
        pthread_cond_destroy(&waits->changed);
        pthread_mutex_destroy(&waits->lock);
        free(waits);
        return pawl_error_set(error, PAWL_E_FAILED, "api.start", "cannot start a thread of the API server: %s",
                              strerror(failed));
    }
    *ret = waits;
    return PAWL_OK;
}

void pawl_waits_begin(pawl_waits *waits, const char *id, uint64_t timeout_ns, pawl_timed_wait *wait)
{
    wait->waits = waits;
    wait->deadline_mono_ns = mono_now_ns() + timeout_ns;
    pawl_wait *handle = NULL;
    pawl_error error = {0};
    pawl_status status = wait->is_event
                             ? pawl_host_wait_event_async(waits->host, id, wait->event_type, wait->event_after,
                                                          host_ended, wait, &handle, &error)
                             : pawl_host_wait_async(waits->host, id, host_ended, wait, &handle, &error);
    pthread_mutex_lock(&waits->lock);
    if (status < 0) { /* no callback comes */
        wait->status = status;
        wait->error = error;
        wait->ended = true;
    }
    wait->begun = true;
    wait->handle = handle;
    bool ended = wait->ended;
    if (!ended && waits->closing)
        expire(waits, wait);
    else if (!ended)
        list_by_deadline(waits, wait);
    pthread_mutex_unlock(&waits->lock);
    if (ended)
        wait->done(wait);
}

void pawl_waits_end_all(pawl_waits *waits)
{
    pthread_mutex_lock(&waits->lock);
    waits->closing = true;
    while (!TAILQ_EMPTY(&waits->list))
        expire(waits, TAILQ_FIRST(&waits->list));
    pthread_mutex_unlock(&waits->lock);
}

pawl_waits *pawl_waits_close(pawl_waits *waits)
{
    if (waits == NULL)
        return NULL;
    pthread_mutex_lock(&waits->lock);
    waits->stop = true;
    pthread_cond_signal(&waits->changed);
    pthread_mutex_unlock(&waits->lock);
    pthread_join(waits->thread, NULL);
    pthread_cond_destroy(&waits->changed);
    pthread_mutex_destroy(&waits->lock);
    free(waits);
    return NULL;
}

static void free_bytes(pawl_bytes bytes)
{
    free((void *)(uintptr_t)bytes.data);
}

void pawl_timed_wait_finish(pawl_timed_wait *wait)
{
    free_bytes(wait->outcome.output);
    free_bytes(wait->outcome.code);
    free_bytes(wait->outcome.message);
    free_bytes(wait->outcome.detail_json);
}
