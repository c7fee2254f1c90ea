/* inbox.h: many threads put items in, one takes out all there are, oldest first, and sleeps while there is none. Owns
 * no item. No lock is taken unless the taker sleeps, so that putting costs the same however busy the taker is. */
#ifndef PAWL_BASE_INBOX_H
#define PAWL_BASE_INBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

/** Embedded in what is put in, as its first member. */
typedef struct pawl_inbox_item {
    struct pawl_inbox_item *next;
} pawl_inbox_item;

typedef struct pawl_inbox {
    _Atomic(pawl_inbox_item *) top; /* newest first; the inbox's own address: the taker sleeps */
    pthread_mutex_t lock;           /* guards woken */
    pthread_cond_t wake;
    bool woken;
} pawl_inbox;

void pawl_inbox_init(pawl_inbox *inbox);
/** Nobody uses it any more. */
void pawl_inbox_finish(pawl_inbox *inbox);
/** The inbox is not touched any more once the item can be taken: handling it may free both. [any][nonblock] */
void pawl_inbox_put(pawl_inbox *inbox, pawl_inbox_item *item);
/** Take all items, linked oldest first; NULL when there is none. One thread at a time. */
pawl_inbox_item *pawl_inbox_take(pawl_inbox *inbox);
/** Sleep until there is something to take, or until a moment of CLOCK_MONOTONIC (NULL: for ever). The taker's thread.
 */
void pawl_inbox_wait(pawl_inbox *inbox, const struct timespec *until);

#endif
