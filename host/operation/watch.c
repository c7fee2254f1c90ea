/* watch.c: see watch.h. Cancels a wait only while its callback cannot have returned: the callback takes its
 * watch off the list first, and waits for whoever is cancelling it. */
#include "host/operation/watch.h"

#include "host/host_internal.h"
#include "worker/base/sink.h"
#include "worker/effect/core_table.h"

#include <stdlib.h>
#include <string.h>

typedef struct pawl_run_watch {
    struct pawl_run_watch *next;
    struct pawl_run_watch **link; /* what points here; NULL: not listed */
    pawl_run_watches *list;
    pawl_completion *done;
    pawl_wait *wait;
    bool begun;                          /* the wait is there to be cancelled */
    bool cancelling;                     /* by somebody, now */
    bool ended;                          /* told to end before it had begun */
    char process[PAWL_ID_BYTES_MAX + 1]; /* whose call it is */
} pawl_run_watch;

void pawl_run_watches_init(pawl_run_watches *watches)
{
    pthread_mutex_init(&watches->lock, NULL);
    pthread_cond_init(&watches->told, NULL);
}

void pawl_run_watches_finish(pawl_run_watches *watches)
{
    pthread_cond_destroy(&watches->told);
    pthread_mutex_destroy(&watches->lock);
}

/* With the lock held. */
static void unlist(pawl_run_watch *watch)
{
    if (watch->link == NULL)
        return;
    *watch->link = watch->next;
    if (watch->next != NULL)
        watch->next->link = watch->link;
    watch->link = NULL;
}

/* It has ended, nobody knows it, or nobody waits any more: whoever watches looks for himself. */
static void ended(void *context, pawl_status status, const pawl_outcome *outcome, const pawl_error *error)
{
    pawl_run_watch *watch = context;
    pawl_run_watches *list = watch->list;
    (void)status;
    (void)outcome;
    (void)error;
    pthread_mutex_lock(&list->lock);
    unlist(watch);
    while (watch->cancelling || !watch->begun)
        pthread_cond_wait(&list->told, &list->lock);
    pthread_mutex_unlock(&list->lock);
    pawl_core_table()->complete(watch->done, PAWL_OK, (pawl_bytes){"", 0}, NULL);
    free(watch);
}

static pawl_status refuse(pawl_failure_sink *why, pawl_status status, const char *code, const char *message)
{
    const pawl_failure failure = {.struct_size = sizeof failure,
                                  .klass = PAWL_RETRYABLE,
                                  .code = pawl_bytes_text(code),
                                  .message = pawl_bytes_text(message)};
    pawl_failure_tell(why, &failure);
    return status;
}

static bool enlist(pawl_run_watches *list, pawl_run_watch *watch)
{
    pthread_mutex_lock(&list->lock);
    bool open = !list->shut;
    if (open) {
        watch->next = list->first;
        watch->link = &list->first;
        if (watch->next != NULL)
            watch->next->link = &watch->next;
        list->first = watch;
    }
    pthread_mutex_unlock(&list->lock);
    return open;
}

/* The wait is on its way, or never will be. */
static void settle(pawl_run_watch *watch, bool pending)
{
    pawl_run_watches *list = watch->list;
    pthread_mutex_lock(&list->lock);
    if (!pending)
        unlist(watch);
    bool cancel = pending && watch->ended;
    watch->cancelling = cancel;
    watch->begun = true;
    pthread_cond_broadcast(&list->told);
    pthread_mutex_unlock(&list->lock);
    if (!cancel)
        return;
    pawl_wait_cancel(watch->wait);
    pthread_mutex_lock(&list->lock);
    watch->cancelling = false;
    pthread_cond_broadcast(&list->told);
    pthread_mutex_unlock(&list->lock);
}

pawl_status pawl_run_watch_begin(pawl_host *host, const pawl_effect_call *call, pawl_completion *done,
                                 pawl_failure_sink *why)
{
    char id[PAWL_ID_BYTES_MAX + 1];
    pawl_bytes process = call->context->process;
    pawl_run_watch *watch = calloc(1, sizeof *watch);
    pawl_error error = {0};
    if (watch == NULL)
        return refuse(why, PAWL_E_NOMEM, "out_of_memory", "out of memory while watching a process");
    if (call->input.size > PAWL_ID_BYTES_MAX || process.size > PAWL_ID_BYTES_MAX) {
        free(watch);
        return refuse(why, PAWL_E_INVALID, "schedule.invalid", "wanted the id of a process");
    }
    memcpy(id, call->input.data, call->input.size);
    id[call->input.size] = '\0';
    memcpy(watch->process, process.data, process.size);
    watch->list = &host->watches;
    watch->done = done;
    if (!enlist(watch->list, watch)) {
        free(watch);
        return refuse(why, PAWL_E_CLOSED, "host.closed", "the host is stopping");
    }
    pawl_status status = pawl_host_wait_async(host, id, ended, watch, &watch->wait, &error);
    bool pending = status == PAWL_PENDING;
    settle(watch, pending);
    if (pending)
        return status;
    free(watch);
    return refuse(why, status, error.code, error.message);
}

/* One of them that nobody cancels yet, marked as being cancelled; NULL: none. With the lock held. */
static pawl_run_watch *next_to_end(pawl_run_watches *list, pawl_bytes process)
{
    for (pawl_run_watch *watch = list->first; watch != NULL; watch = watch->next) {
        bool own = process.size == 0 ||
                   (strlen(watch->process) == process.size && memcmp(watch->process, process.data, process.size) == 0);
        if (!own || watch->ended)
            continue;
        watch->ended = true;
        if (!watch->begun)
            continue; /* whoever begins it sees that */
        watch->cancelling = true;
        return watch;
    }
    return NULL;
}

void pawl_run_watches_end(pawl_run_watches *watches, pawl_bytes process)
{
    pthread_mutex_lock(&watches->lock);
    for (;;) {
        pawl_run_watch *watch = next_to_end(watches, process);
        if (watch == NULL)
            break;
        pthread_mutex_unlock(&watches->lock);
        pawl_wait_cancel(watch->wait);
        pthread_mutex_lock(&watches->lock);
        watch->cancelling = false;
        pthread_cond_broadcast(&watches->told);
    }
    pthread_mutex_unlock(&watches->lock);
}

void pawl_run_watches_shut(pawl_run_watches *watches)
{
    pthread_mutex_lock(&watches->lock);
    watches->shut = true;
    pthread_mutex_unlock(&watches->lock);
    pawl_run_watches_end(watches, (pawl_bytes){"", 0});
}
