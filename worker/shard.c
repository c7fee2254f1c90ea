/* shard.c: the loop of one shard: messages, then what is due, then sleep until either. */
#include "resident/resident.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

pawl_shard *pawl_worker_shard(pawl_worker *worker, uint64_t number)
{
    return &worker->shards[number % worker->shard_count];
}

void pawl_shard_send(pawl_shard *shard, pawl_message *message)
{
    pawl_inbox_put(&shard->inbox, &message->item);
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

/* Sleep until a message comes or a timer is due. */
static void sleep_until_due(pawl_shard *shard)
{
    pawl_timer *first = pawl_timer_first(&shard->timers);
    if (first == NULL) {
        pawl_inbox_wait(&shard->inbox, NULL);
        return;
    }
    uint64_t now = now_mono(shard);
    if (first->due_ns <= now)
        return;
    uint64_t left = first->due_ns - now;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t ns = (uint64_t)until.tv_nsec + left % PAWL_NS_PER_SECOND;
    until.tv_sec += (time_t)(left / PAWL_NS_PER_SECOND + ns / PAWL_NS_PER_SECOND);
    until.tv_nsec = (long)(ns % PAWL_NS_PER_SECOND);
    pawl_inbox_wait(&shard->inbox, &until);
}

static void handle(pawl_shard *shard, pawl_inbox_item *messages)
{
    while (messages != NULL) {
        pawl_message *message = (pawl_message *)messages;
        messages = messages->next; /* before it is handled, which may free it */
        message->handle(shard, message);
    }
}

static void *shard_thread(void *argument)
{
    pawl_shard *shard = argument;
    for (;;) {
        pawl_inbox_item *messages = pawl_inbox_take(&shard->inbox);
        if (messages == NULL && shard->closing)
            return NULL;
        if (messages == NULL) {
            sleep_until_due(shard);
            messages = pawl_inbox_take(&shard->inbox);
        }
        handle(shard, messages);
        uint64_t now = now_mono(shard);
        for (pawl_timer *timer; (timer = pawl_timer_first(&shard->timers)) != NULL && timer->due_ns <= now;) {
            pawl_timer_clear(&shard->timers, timer);
            pawl_resident_due(shard, timer);
        }
        flush(shard);
    }
}

static void on_close(pawl_shard *shard, pawl_message *message)
{
    (void)message;
    shard->closing = true;
}

pawl_status pawl_shard_start(pawl_shard *shard, pawl_worker *worker, uint32_t index, pawl_error *error)
{
    memset(shard, 0, sizeof *shard);
    shard->worker = worker;
    shard->index = index;
    shard->flight = pawl_flight_take(worker->flight);
    shard->close.handle = on_close;
    pawl_inbox_init(&shard->inbox);
    pthread_mutex_init(&shard->table_lock, NULL);
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
    pawl_shard_send(shard, &shard->close);
    pthread_join(shard->thread, NULL);
}

void pawl_shard_finish(pawl_shard *shard)
{
    pawl_timer_heap_finish(&shard->timers);
    pawl_inbox_finish(&shard->inbox);
    pthread_mutex_destroy(&shard->table_lock);
}
