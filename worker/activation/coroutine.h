/* coroutine.h: a function with a stack of its own, which can stop in the middle and go on later. Owns the stack. Used
 * by one thread at a time, the same for all of its life: what runs on it may keep thread-local things. Never frees a
 * stack on which something still stands: a body that has begun must end. */
#ifndef PAWL_COROUTINE_H
#define PAWL_COROUTINE_H

#include <stdbool.h>

typedef struct pawl_coroutine pawl_coroutine;

/** The stack is as large as a thread's and costs only what is touched of it, from 8 KiB on. NULL when out of memory. */
pawl_coroutine *pawl_coroutine_create(void (*body)(void *context), void *context);
/** Its body has ended, or never begun. NULL is allowed; returns NULL. */
pawl_coroutine *pawl_coroutine_destroy(pawl_coroutine *coroutine);
/** Run the body until it yields or ends. @return true when it has ended */
bool pawl_coroutine_resume(pawl_coroutine *coroutine);
/** From inside the body: stop here, until resumed. */
void pawl_coroutine_yield(pawl_coroutine *coroutine);

#endif
