/* shard.c: the loop of one shard: messages, then what is due, then sleep until either. */
#include "resident.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

pawl_shard *pawl_worker_shard(pawl_worker *worker, uint64_t number)
{
    return &worker->shards[number % worker->shard_count];
}

void pawl_shard_send(pawl_shard *shard, pawl_message *message)
{
    message->next = NULL;
    pthread_mutex_lock(&shard->queue_lock);
    if (shard->queue_tail == NULL)
        shard->queue_head = message;
    else
        shard->queue_tail->next = message;
    shard->queue_tail = message;
    bool wake = shard->asleep;
    shard->asleep = false;
    if (wake)
        pthread_cond_signal(&shard->queue_wake); /* under the lock: once it is handled, the shard may be gone */
    pthread_mutex_unlock(&shard->queue_lock);
}

static void flush(pawl_shard *shard)
{
    if (shard->outbox_count == 0)
        return;
    pawl_registry *registry = shard->worker->config.registry;
    registry->table.submit(registry->store, shard->outbox, shard->outbox_count);
    shard->outbox_count = 0;
}

void pawl_shard_submit(pawl_shard *shard, pawl_registry_op *op)
{
    shard->outbox[shard->outbox_count++] = op;
    if (shard->outbox_count == PAWL_OUTBOX_ROOM)
        flush(shard);
}

static uint64_t now_mono(const pawl_shard *shard)
{
    const pawl_clock *clock = shard->worker->config.clock;
    return clock->mono_ns(clock);
}

/* Sleep until a message comes or a timer is due. Locked. */
static void sleep_locked(pawl_shard *shard)
{
    pawl_timer *first = pawl_timer_first(&shard->timers);
    shard->asleep = true;
    if (first == NULL) {
        pthread_cond_wait(&shard->queue_wake, &shard->queue_lock);
    } else {
        uint64_t now = now_mono(shard);
        uint64_t left = first->due_ns > now ? first->due_ns - now : 0;
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        uint64_t ns = (uint64_t)until.tv_nsec + left % PAWL_NS_PER_SECOND;
        until.tv_sec += (time_t)(left / PAWL_NS_PER_SECOND + ns / PAWL_NS_PER_SECOND);
        until.tv_nsec = (long)(ns % PAWL_NS_PER_SECOND);
        pthread_cond_timedwait(&shard->queue_wake, &shard->queue_lock, &until);
    }
    shard->asleep = false;
}

static pawl_message *take_all(pawl_shard *shard, bool *ret_closing)
{
    pthread_mutex_lock(&shard->queue_lock);
    pawl_timer *first = pawl_timer_first(&shard->timers);
    bool due = first != NULL && first->due_ns <= now_mono(shard);
    if (shard->queue_head == NULL && !shard->closing && !due)
        sleep_locked(shard);
    pawl_message *messages = shard->queue_head;
    shard->queue_head = shard->queue_tail = NULL;
    *ret_closing = shard->closing && messages == NULL;
    pthread_mutex_unlock(&shard->queue_lock);
    return messages;
}

static void *shard_thread(void *argument)
{
    pawl_shard *shard = argument;
    for (bool closing = false; !closing;) {
        pawl_message *message = take_all(shard, &closing);
        while (message != NULL) {
            pawl_message *next = message->next;
            message->handle(shard, message);
            message = next;
        }
        uint64_t now = now_mono(shard);
        for (pawl_timer *timer; (timer = pawl_timer_first(&shard->timers)) != NULL && timer->due_ns <= now;) {
            pawl_timer_clear(&shard->timers, timer);
            pawl_resident_due(shard, timer);
        }
        flush(shard);
    }
    return NULL;
}

pawl_status pawl_shard_start(pawl_shard *shard, pawl_worker *worker, uint32_t index, pawl_error *error)
{
    memset(shard, 0, sizeof *shard);
    shard->worker = worker;
    shard->index = index;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&shard->queue_lock, NULL);
    pthread_cond_init(&shard->queue_wake, &monotonic);
    pthread_mutex_init(&shard->table_lock, NULL);
    pthread_condattr_destroy(&monotonic);
    int failed = pthread_create(&shard->thread, NULL, shard_thread, shard);
    if (failed != 0) {
        pawl_shard_finish(shard);
        return pawl_error_set(error, PAWL_E_NOMEM, "worker.thread", "cannot start the thread of shard %u: %s", index,
                              strerror(failed));
    }
    return PAWL_OK;
}

void pawl_shard_stop(pawl_shard *shard)
{
    pthread_mutex_lock(&shard->queue_lock);
    shard->closing = true;
    pthread_mutex_unlock(&shard->queue_lock);
    pthread_cond_signal(&shard->queue_wake);
    pthread_join(shard->thread, NULL);
}

void pawl_shard_finish(pawl_shard *shard)
{
    pawl_timer_heap_finish(&shard->timers);
    pthread_cond_destroy(&shard->queue_wake);
    pthread_mutex_destroy(&shard->queue_lock);
    pthread_mutex_destroy(&shard->table_lock);
}
