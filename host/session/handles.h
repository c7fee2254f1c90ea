/* handles.h: which sessions may act on which processes, and what is being deleted. A process belongs to the
 * session that it was started in, by its own row; every other right is a handle, kept in the session facet as state of
 * the session "pawl:handles". Owns what of that is held in memory. Costs a process without handles nothing. */
#ifndef PAWL_HOST_HANDLES_H
#define PAWL_HOST_HANDLES_H

#include "worker/base/error.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

struct pawl_host;

/** A session whose deletion has begun and has not come to its end. */
typedef struct pawl_deleted {
    struct pawl_deleted *next;
    char name[];
} pawl_deleted;

/** Something that is being done in a session by its name; whoever deletes the session waits for its end. */
typedef struct pawl_session_use {
    LIST_ENTRY(pawl_session_use) link;
    pawl_bytes session; /* borrowed; empty: it is not in use */
} pawl_session_use;

typedef struct pawl_handles {
    bool open;
    pthread_mutex_t lock; /* one at a time reads and changes handles */
    atomic_bool any;      /* there is, or was, a handle */
    atomic_bool some_deleted;
    pthread_mutex_t deleted_lock; /* guards the members below */
    pthread_cond_t unused;        /* a use has ended */
    pawl_deleted *deleted;
    LIST_HEAD(, pawl_session_use) uses;
} pawl_handles;

/** Read what is there, and bring deletions to their end that an earlier host began; of these, one that fails stays for
 *  the next time. Last of all when a host opens. [loader] */
pawl_status pawl_handles_open(struct pawl_host *host, pawl_error *error);
/** Harmless when never opened. [loader] */
void pawl_handles_close(pawl_handles *handles);
/** PAWL_E_BUSY, "session.deleting", while this session is being deleted. [any] */
pawl_status pawl_handles_may_start(struct pawl_host *host, const char *session, pawl_error *error);
/** The same, and until unuse nobody begins to delete the session. The bytes of session stay valid until then; on
 * failure there is nothing to end. Never waits for long. [any] */
pawl_status pawl_handles_use(struct pawl_host *host, pawl_bytes session, pawl_session_use *use, pawl_error *error);
/** Harmless when it is not in use. [any][nonblock] */
void pawl_handles_unuse(struct pawl_host *host, pawl_session_use *use);
/** Forget the handles of a process that is about to be pruned. [worker] */
pawl_status pawl_handles_forget(struct pawl_host *host, pawl_bytes id, pawl_error *error);

#endif
