/* callbacks.h: the thread on which callbacks of the embedding API are made. Stores answer on threads that must not
 * block; what the user's code does is not known, so it never runs there. Owns one thread and a queue of what is to be
 * called; allocates nothing per callback. */
#ifndef PAWL_HOST_CALLBACKS_H
#define PAWL_HOST_CALLBACKS_H

#include "worker/base/error.h"
#include "worker/base/inbox.h"

typedef struct pawl_callbacks pawl_callbacks;

/** Something to be called once; embedded in what it is about, which it may free. */
typedef struct pawl_callback {
    pawl_inbox_item item;
    void (*call)(struct pawl_callback *callback);
} pawl_callback;

/** Errors: PAWL_E_NOMEM. [loader] */
pawl_status pawl_callbacks_create(pawl_callbacks **ret, pawl_error *error);
/** Make those that are queued, end the thread, free. Not from a callback. NULL is allowed; returns NULL. [loader] */
pawl_callbacks *pawl_callbacks_destroy(pawl_callbacks *callbacks);
/** Call it soon, in the order of posting. [any][nonblock] */
void pawl_callbacks_post(pawl_callbacks *callbacks, pawl_callback *callback);

#endif
