/* effect_pool.h: runs attempts of effects on threads that may block, within the bulkheads. Owns its threads and the
 * calls handed to it until their done() is called. Decides nothing about retries or records: that is the resident's
 * matter. Never calls a plugin or done() under a lock. */
#ifndef PAWL_EFFECT_POOL_H
#define PAWL_EFFECT_POOL_H

#include "cancel.h"
#include "context.h"
#include "core_table.h"
#include "worker/base/clock.h"
#include "worker/base/log.h"
#include "worker/base/sink.h"
#include "worker/catalog.h"
#include "worker/flight.h"

#include <stdatomic.h>

/** One attempt of one effect, from its start to its end. It copies all it needs, so that it may outlive the process's
 *  residency when a lease is lost or a plugin does not return. */
typedef struct pawl_call {
    pawl_completion completion; /* first: pawl_completion is the call to the ABI */
    struct pawl_call *next;     /* the pool's queue */
    const pawl_effect *effect;
    pawl_effect_call abi;
    pawl_call_context context;
    pawl_cancel_token cancel;
    bool reconcile; /* ask whether it happened instead of doing it */
    uint64_t ordinal;
    uint64_t timeout_ns;                  /* 0: none */
    uint64_t until_mono_ns;               /* a deadline whenever it begins; 0: none */
    atomic_uint_fast64_t started_mono_ns; /* 0: waits for a thread; its time runs from here */
    /* results, in done() */
    pawl_status status; /* PAWL_OK, PAWL_E_NOT_FOUND (reconcile), or negative with why set */
    pawl_sink out;
    pawl_failure_slot why;
    bool bad_output; /* it happened, and what it gave does not fit: no attempt is to follow */
    /* [any] Called once, when the plugin has answered. */
    void (*done)(struct pawl_call *call);
    void *owner; /* the caller's own */
    struct pawl_effect_pool *pool;
    char key[320]; /* idempotency key */
} pawl_call;

/** What a call is made of. All bytes are copied. */
typedef struct pawl_call_request {
    const pawl_effect *effect;
    const pawl_host_root *host;
    pawl_bytes process, session, input;
    uint32_t run, generation, attempt;
    uint64_t ordinal;
    uint64_t timeout_ns;    /* 0: none */
    uint64_t until_mono_ns; /* 0: none */
    bool reconcile;
    size_t output_max;
} pawl_call_request;

/** NULL: out of memory. */
pawl_call *pawl_call_create(const pawl_call_request *request);
/** NULL is allowed; returns NULL. Only before submit or in/after done. */
pawl_call *pawl_call_destroy(pawl_call *call);
/** Run it on this thread, for effects that run inline. done() is not called. [instance] */
void pawl_call_run_here(pawl_call *call, const pawl_clock *clock);

typedef struct pawl_effect_pool pawl_effect_pool;
/** NULL: out of memory. threads_max >= 1; threads start when there is work for them. */
pawl_effect_pool *pawl_effect_pool_create(uint32_t threads_max, const pawl_clock *clock, const pawl_log *log);
/** Record what its threads run. Before the first submit; the recorder outlives the pool. */
void pawl_effect_pool_record(pawl_effect_pool *pool, pawl_flight *flight);
void pawl_effect_pool_submit(pawl_effect_pool *pool, pawl_call *call);
/** Take back a call that was submitted and has not begun: it ends as PAWL_E_CANCELLED, with done(), on this thread.
 * False when it has begun (or has ended): then it is only asked to stop. [any] */
bool pawl_effect_pool_withdraw(pawl_effect_pool *pool, pawl_call *call);
/** Calls running (including asynchronous ones) and queued now. */
void pawl_effect_pool_load(pawl_effect_pool *pool, uint32_t *running, uint32_t *queued);
/** No more work; calls not yet begun end as PAWL_E_CANCELLED. Waits for the threads until deadline_mono_ns. True when
 * all have ended; otherwise the pool (and what its threads use) must be left alone for ever. */
bool pawl_effect_pool_stop(pawl_effect_pool *pool, uint64_t deadline_mono_ns);
/** After a stop that gave true. NULL is allowed; returns NULL. */
pawl_effect_pool *pawl_effect_pool_destroy(pawl_effect_pool *pool);

#endif
