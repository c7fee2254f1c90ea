/* pool.h: the threads that run the steps of exchanges. Owns the threads and the queue; the queue needs no memory of its
 * own and is as long as the server's limits allow. */
#ifndef PAWL_API_POOL_H
#define PAWL_API_POOL_H

#include "host/api/exchange.h"

/** Blocking requests that run at once; a store commits those together. */
#define PAWL_API_POOL_THREADS 8u

typedef struct pawl_pool pawl_pool;

/** done: called with an exchange whose step said that the reply is set. */
pawl_status pawl_pool_open(void (*done)(pawl_exchange *exchange), pawl_pool **ret, pawl_error *error);
/** Run exchange->next soon. [any] */
void pawl_pool_push(pawl_pool *pool, pawl_exchange *exchange);
/** Finish what is queued, then end. NULL allowed; returns NULL. */
pawl_pool *pawl_pool_close(pawl_pool *pool);

#endif
