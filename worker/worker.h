/* worker.h: the engine that runs processes: claims them, activates their code, runs their effects, writes what happened
 * through the registry facet. Owns its threads (one per shard, the effect pool, one that claims, one that heartbeats)
 * and the processes it has leased. Knows no dlopen, no YAML, no RocksDB: it is handed a catalog and facets.
 * Never: executes a recorded step again, lets code see a result that is not durable, writes without its token. */
#ifndef PAWL_WORKER_H
#define PAWL_WORKER_H

#include "attributes.h"
#include "base/clock.h"
#include "base/log.h"
#include "catalog.h"
#include "observe.h"
#include "registry.h"

typedef struct pawl_worker pawl_worker;

/** A process that has ended, durably. Borrowed for the call. */
typedef struct pawl_worker_end {
    pawl_bytes id, type, session;
    uint32_t status; /* terminal */
    pawl_bytes body; /* of its ENDED record */
} pawl_worker_end;

/** Limits of a process type, which the store keeps (pawl_claim.limits). */
typedef struct pawl_worker_limits {
    const char *type;
    pawl_type_limits limits;
} pawl_worker_limits;

/** What a worker needs. Everything pointed to outlives the worker. */
typedef struct pawl_worker_config {
    const char *name; /* of the worker session, for operators: "host:pid" */
    /* Of the host; processes registered under another one are left alone. NULL: runs all. */
    const char *profile;
    pawl_registry *registry;
    const pawl_catalog *catalog;
    const pawl_attribute_schema *attributes; /* that processes may have; NULL: none */
    const pawl_host_root *host;              /* given to plugins in effect calls */
    const pawl_clock *clock;
    pawl_log *log;
    /* File of the flight recorder (flight.h), by which a process that kills its workers is found out. NULL: none. */
    const char *flight_path;
    uint32_t shards;             /* 0: one per core */
    uint32_t effect_threads;     /* at most; they start when needed */
    uint32_t resident_max;       /* processes held at once */
    uint32_t effects_queued_max; /* calls waiting for a thread; beyond it nothing new is claimed */
    uint64_t lease_ttl_ns;
    uint64_t heartbeat_ns;
    uint64_t cancel_grace_ns;
    uint64_t activation_warn_ns; /* the watchdog reports code or an inline effect that runs longer */
    size_t value_bytes_max;
    uint64_t journal_warn_bytes;
    uint64_t journal_max_bytes;
    const pawl_worker_limits *limits; /* a type that is not there has none */
    size_t limit_count;
    /* Told of every end that this worker has recorded, or the store by itself, after it is durable. NULL: nobody. Must
     * not block: it comes on a shard's thread, or on the provider's; there even after the worker is gone, until the
     * store is closed. */
    void (*on_end)(void *context, const pawl_worker_end *end);
    void *on_end_context;
    pawl_observers *observers; /* told what it does; NULL: nobody */
} pawl_worker_config;

/** Numbers for operators, since the worker started. */
typedef struct pawl_worker_stats {
    uint64_t claimed, activations, steps, retries, commits, lost_leases;
    uint32_t resident, effects_running, effects_queued;
    uint32_t stop_mode; /* 0: running, else PAWL_STOP_* */
} pawl_worker_stats;

/** Start the threads and begin to claim. Errors: PAWL_E_NOMEM, PAWL_E_INVALID (lease_ttl < 3 heartbeats, no shard ...),
 * what worker_open gives. [loader] */
pawl_status pawl_worker_start(const pawl_worker_config *config, pawl_worker **ret, pawl_error *error);

/** Stop: mode 1 graceful, 2 cancel, 3 abort (PAWL_STOP_* of pawl.h); deadline_mono_ns absolute on the config's clock. A
 * later call may escalate the mode or move the deadline nearer, never the other way. Returns when the worker has
 * stopped and given its leases back. Idempotent; may be called from several threads. [any], blocks */
void pawl_worker_stop(pawl_worker *worker, uint32_t mode, uint64_t deadline_mono_ns);

/** Stop (abort, if not stopped), free. NULL is allowed; returns NULL. Effect threads that never return are abandoned
 * and their memory with them; the log says which plugin. [loader] */
pawl_worker *pawl_worker_destroy(pawl_worker *worker);

void pawl_worker_get_stats(const pawl_worker *worker, pawl_worker_stats *ret); /* [any] */

/** The worker session that registrations may be leased to at once (pawl_register.claim_session), or 0 when the worker
 * takes nothing new now. [any] */
uint64_t pawl_worker_session(const pawl_worker *worker);
/** Take over a process that REGISTER leased to this worker's session (PAWL_RESULT_CLAIMED). Bytes are copied. If the
 * worker cannot take it the lease is given back. [any] */
void pawl_worker_adopt(pawl_worker *worker, uint64_t number, uint64_t token, uint32_t run,
                       const pawl_register *registered);

/** Claim this process now, if anybody may, though its type is paused: it was asked to stop. It is best effort: who is
 *  not claimed now is when its type goes on. [worker]: asks the store */
void pawl_worker_claim_one(pawl_worker *worker, pawl_bytes id);

/** Is what a stuck process lacked in a catalog now, so that it may be resumed? False as well when it lacked nothing
 * that a catalog has. [any] */
bool pawl_worker_has_again(const pawl_catalog *catalog, const pawl_process_row *row);

/** Something that held calls back has changed (a gate was opened, a circuit closed): those held in memory look again.
 * [any] */
void pawl_worker_look_again(pawl_worker *worker);
/** A gate of a type or of a connector was shut or opened. [any] */
void pawl_worker_gates_changed(pawl_worker *worker);

/** What a resident process is doing now, in words ("runs call http.post, attempt 2, for 3.1 s"); false when it is not
 * resident here. [any] */
bool pawl_worker_explain(const pawl_worker *worker, uint64_t number, char *text, size_t room);

#endif
