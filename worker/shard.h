/* shard.h: one thread that owns the processes whose number falls to it. Others reach it by messages only. Owns the
 * message queue, the timer heap and the table of residents. What a process does is in resident.c. */
#ifndef PAWL_SHARD_H
#define PAWL_SHARD_H

#include "base/inbox.h"
#include "effect/effect_pool.h"
#include "flight.h"
#include "timer_heap.h"
#include "worker.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct pawl_shard pawl_shard;
typedef struct pawl_resident pawl_resident;

/** Something for a shard to do. Embedded in what it is about; handle() runs on the shard's thread and may free it. */
typedef struct pawl_message {
    pawl_inbox_item item;
    void (*handle)(pawl_shard *shard, struct pawl_message *message);
} pawl_message;

/* Stop modes, as in pawl_worker_stop. */
enum { STOP_GRACEFUL = 1, STOP_CANCEL = 2, STOP_ABORT = 3 };

/* A program that has issued so many commands is kept where it waits instead of being run from the top each time; so
 * many at once, for each touches at least 8 KiB of a stack. */
#define PAWL_KEEP_FROM 64u
#define PAWL_KEEPS_MAX 256u

#define PAWL_OUTBOX_ROOM      256u
#define PAWL_RESIDENT_BUCKETS 4096u /* of one shard; a chain holds resident_max / shards / this, about one */

struct pawl_shard {
    pawl_worker *worker;
    uint32_t index;
    pthread_t thread;

    pawl_inbox inbox;
    pawl_message close;
    bool closing; /* the shard's own: it has handled the message */

    pthread_mutex_t table_lock; /* guards the table's links and each resident's list of running calls, for explain;
                                   only the shard's thread changes them, so it reads without */
    pawl_resident *table[PAWL_RESIDENT_BUCKETS];
    uint32_t count;

    pawl_timer_heap timers; /* of residents, by monotonic time */

    pawl_registry_op *outbox[PAWL_OUTBOX_ROOM]; /* operations that leave together at the end of a turn */
    size_t outbox_count;

    atomic_uint_fast64_t running_since_mono_ns; /* the program or inline effect that runs; 0: none. For the watchdog */
    atomic_uint_fast64_t running_number;
    const char *_Atomic running_plugin; /* id of the plugin whose code it is; the catalog's */
    pawl_flight_slot *flight;           /* what it runs, for whoever comes after its death; may be NULL */
    atomic_uint_fast64_t activations, steps, retries, commits;
};

/** The parts of a worker that shards and residents use. */
struct pawl_worker {
    pawl_worker_config config;
    pawl_registry_listener listener; /* events of the worker session */
    pawl_shard *shards;
    uint32_t shard_count;
    pawl_effect_pool *pool;
    pawl_flight *flight; /* NULL: not recorded */
    atomic_uint_fast64_t session;
    uint64_t alive_mono_ns;         /* when the session was last known to live; once started, the heart's own */
    atomic_uint_fast32_t resident;  /* processes held, all shards */
    atomic_uint_fast32_t stop_mode; /* 0, or 1..3 as in pawl_worker_stop */
    atomic_uint_fast64_t claimed, lost_leases;
    atomic_uint_fast32_t keeps_left; /* programs that may still be kept where they wait */

    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    bool work; /* there may be something to claim */
    bool closing;
    bool stopped;
    uint64_t stop_deadline_mono_ns;
    pthread_t claimer, heart;
};

pawl_status pawl_shard_start(pawl_shard *shard, pawl_worker *worker, uint32_t index, pawl_error *error);
/** Every message sent before is still handled. [any] */
void pawl_shard_stop(pawl_shard *shard);
/** Free what a stopped shard holds. */
void pawl_shard_finish(pawl_shard *shard);
/** Hand over a message. [any][nonblock] */
void pawl_shard_send(pawl_shard *shard, pawl_message *message);
/** Hand an operation to the registry at the end of this turn, with the others. [shard] */
void pawl_shard_submit(pawl_shard *shard, pawl_registry_op *op);
pawl_shard *pawl_worker_shard(pawl_worker *worker, uint64_t number);

/** Told by a shard when a process has left: the claimer may have room again. [any] */
void pawl_worker_left(pawl_worker *worker);

#endif
