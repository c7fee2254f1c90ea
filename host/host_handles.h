/* host_handles.h: which sessions may act on which processes, and what is being deleted. A process belongs to the
 * session that it was started in, by its own row; every other right is a handle, kept in the session facet as state of
 * the session "pawl:handles". Owns what of that is held in memory. Costs a process without handles nothing. */
#ifndef PAWL_HOST_HANDLES_H
#define PAWL_HOST_HANDLES_H

#include "worker/base/error.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct pawl_host;

/** A session whose deletion has begun and has not come to its end. */
typedef struct pawl_deleted {
    struct pawl_deleted *next;
    char name[];
} pawl_deleted;

typedef struct pawl_handles {
    bool open;
    pthread_mutex_t lock; /* one at a time reads and changes handles */
    atomic_bool any;      /* there is, or was, a handle */
    atomic_bool some_deleted;
    pthread_mutex_t deleted_lock; /* guards deleted */
    pawl_deleted *deleted;
} pawl_handles;

/** Read what is there, and bring deletions to their end that an earlier host began; of these, one that fails stays for
 *  the next time. Last of all when a host opens. [loader] */
pawl_status pawl_handles_open(struct pawl_host *host, pawl_error *error);
/** Harmless when never opened. [loader] */
void pawl_handles_close(pawl_handles *handles);
/** PAWL_E_BUSY, "session.deleting", while this session is being deleted. [any] */
pawl_status pawl_handles_may_start(struct pawl_host *host, const char *session, pawl_error *error);
/** Forget the handles of a process that is about to be pruned. [worker] */
pawl_status pawl_handles_forget(struct pawl_host *host, pawl_bytes id, pawl_error *error);

#endif
