/* inbox.c: see inbox.h. */
#include "inbox.h"

#include <errno.h>
#include <stddef.h>

void pawl_inbox_init(pawl_inbox *inbox)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&inbox->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&inbox->lock, NULL);
    atomic_init(&inbox->top, NULL);
    inbox->woken = false;
}

void pawl_inbox_finish(pawl_inbox *inbox)
{
    pthread_cond_destroy(&inbox->wake);
    pthread_mutex_destroy(&inbox->lock);
}

/* What stands in the place of the items while the taker sleeps. */
static pawl_inbox_item *asleep(pawl_inbox *inbox)
{
    return (pawl_inbox_item *)(void *)inbox;
}

void pawl_inbox_put(pawl_inbox *inbox, pawl_inbox_item *item)
{
    pawl_inbox_item *top = atomic_load_explicit(&inbox->top, memory_order_relaxed);
    do
        item->next = top == asleep(inbox) ? NULL : top;
    while (!atomic_compare_exchange_weak_explicit(&inbox->top, &top, item, memory_order_acq_rel, memory_order_relaxed));
    if (top != asleep(inbox))
        return;
    pthread_mutex_lock(&inbox->lock); /* the taker waits for just this */
    inbox->woken = true;
    pthread_cond_signal(&inbox->wake);
    pthread_mutex_unlock(&inbox->lock);
}

pawl_inbox_item *pawl_inbox_take(pawl_inbox *inbox)
{
    if (atomic_load_explicit(&inbox->top, memory_order_relaxed) == NULL)
        return NULL;
    pawl_inbox_item *newest = atomic_exchange_explicit(&inbox->top, NULL, memory_order_acquire);
    pawl_inbox_item *oldest = NULL;
    while (newest != NULL) {
        pawl_inbox_item *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

void pawl_inbox_wait(pawl_inbox *inbox, const struct timespec *until)
{
    pthread_mutex_lock(&inbox->lock);
    pawl_inbox_item *expected = NULL;
    if (atomic_compare_exchange_strong(&inbox->top, &expected, asleep(inbox))) {
        int waited = 0;
        while (!inbox->woken && waited != ETIMEDOUT)
            waited = until == NULL ? pthread_cond_wait(&inbox->wake, &inbox->lock)
                                   : pthread_cond_timedwait(&inbox->wake, &inbox->lock, until);
        expected = asleep(inbox);
        /* When somebody has put an item in and is about to say so, he must be done with the inbox before it is left. */
        if (!inbox->woken && !atomic_compare_exchange_strong(&inbox->top, &expected, NULL))
            while (!inbox->woken)
                pthread_cond_wait(&inbox->wake, &inbox->lock);
        inbox->woken = false;
    }
    pthread_mutex_unlock(&inbox->lock);
}
