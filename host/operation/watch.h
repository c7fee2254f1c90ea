/* watch.h: calls of "pawl.schedule.watch" that are open: each ends when the process that it names has ended, when
 * its own process calls "pawl.schedule.unwatch", or when this host drains or closes. Owns the list of them. A watch
 * costs no thread. */
#ifndef PAWL_HOST_WATCH_H
#define PAWL_HOST_WATCH_H

#include "pawl_abi.h"

#include <pthread.h>
#include <stdbool.h>

struct pawl_host;

typedef struct pawl_run_watches {
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t told;
    struct pawl_run_watch *first; /* doubly linked */
    bool shut;                    /* none begins any more */
} pawl_run_watches;

void pawl_run_watches_init(pawl_run_watches *watches);   /* [loader] */
void pawl_run_watches_finish(pawl_run_watches *watches); /* [loader] no call is open */

/** The call's way in: PAWL_PENDING, or why not. [worker][nonblock] */
pawl_status pawl_run_watch_begin(struct pawl_host *host, const pawl_effect_call *call, pawl_completion *done,
                                 pawl_failure_sink *why);
/** End those of one process; empty: all. Blocks until none of them is being ended here. [any] */
void pawl_run_watches_end(pawl_run_watches *watches, pawl_bytes process);
/** The same of all, and none begins any more. [any] */
void pawl_run_watches_shut(pawl_run_watches *watches);

#endif
