/* host_callbacks.c: see host_callbacks.h. */
#include "host_callbacks.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct pawl_callbacks {
    pthread_t thread;
    pthread_mutex_t lock; /* guards the members below */
    pthread_cond_t changed;
    pawl_callback *first;
    pawl_callback **last;
    bool stop;
};

/* All that is queued at once; waits for the first. NULL: stop was asked for and nothing is left. */
static pawl_callback *take(pawl_callbacks *callbacks)
{
    pthread_mutex_lock(&callbacks->lock);
    while (callbacks->first == NULL && !callbacks->stop)
        pthread_cond_wait(&callbacks->changed, &callbacks->lock);
    pawl_callback *all = callbacks->first;
    callbacks->first = NULL;
    callbacks->last = &callbacks->first;
    pthread_mutex_unlock(&callbacks->lock);
    return all;
}

static void *make_calls(void *context)
{
    pawl_callbacks *callbacks = context;
    for (pawl_callback *all; (all = take(callbacks)) != NULL;) {
        while (all != NULL) {
            pawl_callback *callback = all;
            all = all->next; /* before the call, which may free it */
            callback->call(callback);
        }
    }
    return NULL;
}

pawl_status pawl_callbacks_create(pawl_callbacks **ret, pawl_error *error)
{
    pawl_callbacks *callbacks = calloc(1, sizeof *callbacks);
    if (callbacks == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while opening the host");
    callbacks->last = &callbacks->first;
    pthread_mutex_init(&callbacks->lock, NULL);
    pthread_cond_init(&callbacks->changed, NULL);
    if (pthread_create(&callbacks->thread, NULL, make_calls, callbacks) == 0) {
        *ret = callbacks;
        return PAWL_OK;
    }
    pthread_cond_destroy(&callbacks->changed);
    pthread_mutex_destroy(&callbacks->lock);
    free(callbacks);
    return pawl_error_set(error, PAWL_E_NOMEM, "no_thread", "no thread could be started for the host's callbacks");
}

pawl_callbacks *pawl_callbacks_destroy(pawl_callbacks *callbacks)
{
    if (callbacks == NULL)
        return NULL;
    pthread_mutex_lock(&callbacks->lock);
    callbacks->stop = true;
    pthread_cond_signal(&callbacks->changed);
    pthread_mutex_unlock(&callbacks->lock);
    pthread_join(callbacks->thread, NULL);
    pthread_cond_destroy(&callbacks->changed);
    pthread_mutex_destroy(&callbacks->lock);
    free(callbacks);
    return NULL;
}

void pawl_callbacks_post(pawl_callbacks *callbacks, pawl_callback *callback)
{
    callback->next = NULL;
    pthread_mutex_lock(&callbacks->lock);
    *callbacks->last = callback;
    callbacks->last = &callback->next;
    pthread_cond_signal(&callbacks->changed);
    pthread_mutex_unlock(&callbacks->lock);
}
