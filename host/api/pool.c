/* pool.c: see pool.h. Never touches an exchange after its step has handed it on. */
#include "host/api/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "worker/base/error.h"

struct pawl_pool {
    void (*done)(pawl_exchange *exchange);
    pthread_mutex_t lock; /* guards the members below */
    pthread_cond_t changed;
    pawl_exchange *first;
    pawl_exchange *last;
    bool stop;
    size_t thread_count;
    pthread_t threads[PAWL_API_POOL_THREADS];
};

/* The next exchange to run, or NULL when it is time to end. */
static pawl_exchange *take(pawl_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->stop)
        pthread_cond_wait(&pool->changed, &pool->lock);
    pawl_exchange *exchange = pool->first;
    if (exchange != NULL) {
        pool->first = exchange->queued;
        if (pool->first == NULL)
            pool->last = NULL;
        exchange->queued = NULL;
    }
    pthread_mutex_unlock(&pool->lock);
    return exchange;
}

static void *pool_thread(void *context)
{
    pawl_pool *pool = context;
    pawl_exchange *exchange;
    while ((exchange = take(pool)) != NULL)
        if (exchange->next(exchange))
            pool->done(exchange);
    return NULL;
}

pawl_status pawl_pool_open(void (*done)(pawl_exchange *exchange), pawl_pool **ret, pawl_error *error)
{
    pawl_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "api.no_memory", "out of memory for the API server");
    pool->done = done;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    while (pool->thread_count < PAWL_API_POOL_THREADS) {
        int failed = pthread_create(&pool->threads[pool->thread_count], NULL, pool_thread, pool);
        if (failed != 0) {
            pawl_pool_close(pool);
            return pawl_error_set(error, PAWL_E_FAILED, "api.start", "cannot start a thread of the API server: %s",
                                  strerror(failed));
        }
        pool->thread_count++;
    }
    *ret = pool;
    return PAWL_OK;
}

void pawl_pool_push(pawl_pool *pool, pawl_exchange *exchange)
{
    pthread_mutex_lock(&pool->lock);
    exchange->queued = NULL;
    if (pool->last != NULL)
        pool->last->queued = exchange;
    else
        pool->first = exchange;
    pool->last = exchange;
    pthread_cond_signal(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

pawl_pool *pawl_pool_close(pawl_pool *pool)
{
    if (pool == NULL)
        return NULL;
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
    return NULL;
}
