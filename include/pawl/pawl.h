/* pawl.h: a Pawl host inside your program. Public.
 *
 * A host is a profile, its plugins, its stores and a worker. Open one, start processes, wait for them, close it. There
 * are no globals: any number of hosts may live in one program, as long as no two open the same store.
 *
 * Threads: every function may be called from any thread, except that open and close of one host may not overlap with
 * any other call on it. Callbacks come on the host's own threads, must not block, and may call anything here but
 * pawl_host_close. Strings and bytes passed in are copied; what a callback gets is borrowed until it returns; a
 * pawl_text is the caller's, freed with pawl_text_free.
 *
 * Errors: a negative status, and *error filled (error may be NULL): PAWL_E_INVALID (bad argument or input),
 * PAWL_E_NOT_FOUND, PAWL_E_CONFLICT (same id, other content), PAWL_E_TERMINAL (the process has ended), PAWL_E_LIMIT,
 * PAWL_E_FULL, PAWL_E_DEADLINE (a timeout passed), PAWL_E_CLOSED, ... (docs/operators-guide.md lists the codes). */
#ifndef PAWL_PAWL_H
#define PAWL_PAWL_H

#include <pawl/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pawl_host pawl_host;

/** Text that Pawl made: NUL-terminated UTF-8 (JSON where said). Freed with pawl_text_free. */
typedef struct pawl_text {
    char *data;
    size_t size; /**< without the NUL */
} pawl_text;

/** "0.1.0". Since 0.1. */
PAWL_EXPORT const char *pawl_library_version(void);

/** Free a text; an empty one is allowed. Since 0.1. */
PAWL_EXPORT void pawl_text_free(pawl_text *text);

/* ---- opening and closing ----------------------------------------------------------------------------------------- */

/** Receives log lines of the host, as one JSON object or one line of text, without a newline. [any], must not block. */
typedef void (*pawl_log_line)(void *context, uint32_t level, const char *line);

/** How to open a host. Zero what you do not need. */
typedef struct pawl_host_options {
    uint32_t struct_size;     /**< sizeof(pawl_host_options) */
    uint32_t no_worker;       /**< 1: run nothing here; only start, signal, look */
    const char *profile_path; /**< the profile file; or NULL with profile_text */
    const char *profile_text; /**< a profile as text; relative paths are relative to the working directory */
    pawl_log_line log;        /**< NULL: standard error */
    void *log_context;
    const pawl_plugin_entry_fn *static_plugins; /**< plugins compiled into this program, or NULL */
    size_t static_plugin_count;
} pawl_host_options;

/** Check the profile, check the tiers of all facets, load the plugins, open the stores, start the worker, in this
 * order; a failure undoes what was done and leaves every process as it was. When the tier check fails the error's code
 * is "durable_store_required:<facet>" of the first failing facet (attachment, artifact, session, process_registry) and
 * the message names every failing one. Since 0.1.
 * @param options      how; borrowed for the call
 * @param[out] ret     the host; close it with pawl_host_close
 * @param[out] error   why not; may be NULL
 * @return PAWL_OK, or a negative status. [any] */
PAWL_EXPORT pawl_status pawl_host_open(const pawl_host_options *options, pawl_host **ret, pawl_error *error);

/** Every problem of a profile, one per line as "file:line:column: message", in *ret_report (empty when there is none).
 * PAWL_OK: no problem; PAWL_E_INVALID: some. Reads the plugin files, but runs no code of theirs. What only an open host
 * can tell (names that no plugin offers, a store's tier, secrets, the config of a connector) is not looked at.
 * Since 0.1. */
PAWL_EXPORT pawl_status pawl_profile_check(const char *profile_path, pawl_text *ret_report, pawl_error *error);

#define PAWL_STOP_GRACEFUL 1u /**< claim nothing new; let running effects finish and be recorded, then release */
#define PAWL_STOP_CANCEL   2u /**< tell running effects to stop; release as they do */
#define PAWL_STOP_ABORT    3u /**< release now */

/** Stop the worker. timeout_ns is a span from now that becomes one absolute deadline; at the deadline a graceful stop
 * becomes cancel, and cancel (after a further second) abort. Calling it again may escalate or shorten, never extend or
 * relax. Returns when the worker has stopped; idempotent. 0: the profile's stop_grace. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_drain(pawl_host *host, uint32_t mode, uint64_t timeout_ns, pawl_error *error);

/** Drain (graceful, if not done yet), end all waits with PAWL_E_CLOSED, close stores and plugins, free. NULL allowed;
 * returns NULL. Since 0.1. */
PAWL_EXPORT pawl_host *pawl_host_close(pawl_host *host);

/* ---- processes --------------------------------------------------------------------------------------------------- */

#define PAWL_START_EXTERNAL      1u /**< only registered and tracked; completed with pawl_host_complete */
#define PAWL_START_KNOWN_SESSION 2u /**< PAWL_E_NOT_FOUND, "unknown_session", unless the session has a revision */

/** A process to start. */
typedef struct pawl_start {
    uint32_t struct_size; /**< sizeof(pawl_start) */
    uint32_t flags;       /**< PAWL_START_* */
    const char *id;       /**< 1..256 bytes; the same id with the same type and input is the same process. NULL: a new
                               uuid is made */
    const char *type;     /**< a process type, e.g. "shop.checkout" */
    pawl_bytes input;     /**< JSON unless the type says otherwise; compared by meaning when it is JSON */
    const char *session;  /**< the session it belongs to, or NULL */
    /** Search attributes to begin with: a JSON object, checked against the profile's; or empty. Not compared when the
     * process exists already. */
    pawl_bytes attributes;
    const char *key;   /**< 1..256 bytes: it shares its type's turns with others of this key. NULL: its session */
    uint32_t priority; /**< 1 (first) to 5 (last); 0: 3 */
    uint32_t reuse;    /**< PAWL_REUSE_*: what it means that the id is known; 0: the same start is the same process */
    /** When it begins; 0 or in the past: now. Until then it waits, and can be signalled and cancelled. Neither this nor
     * the deadline is compared when the process exists already: it keeps those of its first start. */
    uint64_t start_unix_ns;
    /** Not 0: when this passes before its end it is asked to stop, as by a cancel, with its compensations, and ends
     * failed with the code "process.deadline"; an external process ends so at once. Behind start_unix_ns. 0: what the
     * profile says for its type, counted from its start. PAWL_NO_DEADLINE: none at all. */
    uint64_t deadline_unix_ns;
} pawl_start;

#define PAWL_NO_DEADLINE UINT64_MAX

/** What a start gave. */
typedef struct pawl_started {
    char id[257];
    uint32_t existed; /**< 1: it was there already, with the same type and input */
} pawl_started;

/** Register a process; durable when this returns PAWL_OK. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_start(pawl_host *host, const pawl_start *start, pawl_started *ret, pawl_error *error);

/** How a process ended. */
typedef struct pawl_outcome {
    uint32_t struct_size;
    uint32_t status;    /**< PAWL_COMPLETED, PAWL_FAILED, PAWL_CANCELLED or PAWL_TERMINATED */
    pawl_bytes output;  /**< completed: what it gave */
    pawl_bytes code;    /**< otherwise: stable code */
    pawl_bytes message; /**< otherwise: for people */
    pawl_bytes detail_json;
} pawl_outcome;

/** status: PAWL_OK, with started or outcome; otherwise error says why. */
typedef void (*pawl_on_started)(void *context, pawl_status status, const pawl_started *started,
                                const pawl_error *error);
typedef void (*pawl_on_outcome)(void *context, pawl_status status, const pawl_outcome *outcome,
                                const pawl_error *error);

/** As pawl_host_start, without waiting: PAWL_PENDING, then the callback, once. Any other status: no callback comes.
 * Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_start_async(pawl_host *host, const pawl_start *start, pawl_on_started done,
                                              void *context, pawl_error *error);

typedef struct pawl_wait pawl_wait;
/** Wait for the end of a process without blocking: the callback comes once, with PAWL_OK and the outcome,
 * PAWL_E_CANCELLED after pawl_wait_cancel, PAWL_E_NOT_FOUND, or PAWL_E_CLOSED. Since 0.1.
 * @param host        the host
 * @param id          of the process
 * @param done        the callback, once
 * @param context     given to it
 * @param[out] ret    a handle that lives until the callback has returned; may be NULL
 * @param[out] error  why no wait was begun; may be NULL
 * @return PAWL_PENDING when the callback will come, else a negative status. [any] */
PAWL_EXPORT pawl_status pawl_host_wait_async(pawl_host *host, const char *id, pawl_on_outcome done, void *context,
                                             pawl_wait **ret, pawl_error *error);
/** End a wait early; harmless if it is just ending, not allowed after its callback returned. Since 0.1. */
PAWL_EXPORT void pawl_wait_cancel(pawl_wait *wait);

/** Wait for the end of a process. *ret_outcome_json: {"status", "output" | "output_base64", "code", "message",
 * "detail"}. timeout_ns 0: for ever; PAWL_E_DEADLINE when it passes. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_wait(pawl_host *host, const char *id, uint64_t timeout_ns,
                                       pawl_text *ret_outcome_json, pawl_error *error);

/** A process that has ended. Borrowed for the call. */
typedef struct pawl_end {
    uint32_t struct_size;
    uint32_t reserved0;
    const char *id;
    const char *type;
    const char *session; /**< "" when it belongs to none */
    uint64_t ended_unix_ns;
    pawl_outcome outcome;
} pawl_end;
typedef void (*pawl_on_end)(void *context, const pawl_end *end);

typedef struct pawl_follow pawl_follow;
/** Be told of every process that ends on this host from now on, once its end is durable. The host keeps nothing: the
 * callback comes from the thread that learned of the end, perhaps from several at once, and must return at once (copy
 * what you need); what ended while nobody followed is found with pawl_host_list. Another host's ends are not told.
 * Since 0.1.
 * @param host        the host; end the following before closing it
 * @param on_end      the callback
 * @param context     given to it
 * @param[out] ret    ended with pawl_host_unfollow
 * @param[out] error  why not; may be NULL
 * @return PAWL_OK, PAWL_E_INVALID, PAWL_E_NOMEM or PAWL_E_CLOSED. [any] */
PAWL_EXPORT pawl_status pawl_host_follow(pawl_host *host, pawl_on_end on_end, void *context, pawl_follow **ret,
                                         pawl_error *error);
/** End it: no callback runs or comes any more when this returns. Not from inside the callback. NULL allowed; returns
 * NULL. Since 0.1. */
PAWL_EXPORT pawl_follow *pawl_host_unfollow(pawl_follow *follow);

/** Send a signal; durable when this returns PAWL_OK, delivered once. signal_id: its idempotency id; the same one again
 * with the same content is a no-op (*ret_replayed = 1; may be NULL), with other content PAWL_E_CONFLICT. NULL: a new
 * uuid. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_signal(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                                         const char *signal_id, uint32_t *ret_replayed, pawl_error *error);

/** Send a request that the process answers, and wait for the answer (timeout_ns 0: for ever; PAWL_E_DEADLINE when it
 * passes, and the request stays). update_id: its idempotency id; the same one again with the same content is the same
 * request and gives the same answer, also after a restart or the process's end; with other content PAWL_E_CONFLICT.
 * NULL: a new uuid. *ret_json: {"status": "replied", "reply" | "reply_base64"} or {"status": "rejected", "code",
 * "message", "detail"}. PAWL_E_TERMINAL, code "update.process_ended", when the process ends without answering. Since
 * 0.1. */
PAWL_EXPORT pawl_status pawl_host_update(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                                         const char *update_id, uint64_t timeout_ns, pawl_text *ret_json,
                                         pawl_error *error);

/** The same without waiting for the answer (but until the request is durable): PAWL_PENDING, then the callback, once,
 * with an outcome whose status is PAWL_COMPLETED (output: the reply) or PAWL_FAILED (code, message: the rejection).
 * ret: as pawl_host_wait_async. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_update_async(pawl_host *host, const char *id, const char *name, pawl_bytes payload,
                                               const char *update_id, pawl_on_outcome done, void *context,
                                               pawl_wait **ret, pawl_error *error);

/** Ask a process to stop; durable when this returns. reason may be NULL. Repeating it with the same reason is a no-op;
 * on an ended process PAWL_E_TERMINAL. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_cancel(pawl_host *host, const char *id, const char *reason, pawl_error *error);

/** End a process now, whatever it does: nothing more is accepted from it, no compensation runs. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_terminate(pawl_host *host, const char *id, const char *reason, pawl_error *error);

#define PAWL_PAUSE_PROCESS   1u
#define PAWL_PAUSE_TYPE      2u
#define PAWL_PAUSE_CONNECTOR 3u
/** Keep something still; durable when this returns PAWL_OK, until pawl_host_unpause. Effects that run end and are
 * recorded; nothing new begins. What is posted meanwhile is kept. A cancel request ends the pause of its process, but
 * not that of its type; terminating needs no end of a pause. Since 0.1.
 * @param host        the host
 * @param kind        PAWL_PAUSE_PROCESS; PAWL_PAUSE_TYPE: all processes of a type; PAWL_PAUSE_CONNECTOR: the calls of a
 *                    connector instance
 * @param name        id of the process, name of the type or of the instance
 * @param reason      for people, at most 4096 bytes; may be NULL
 * @param[out] error  why not; may be NULL
 * @return PAWL_OK, PAWL_E_NOT_FOUND, PAWL_E_TERMINAL (the process has ended), PAWL_E_CONFLICT (it is stuck),
 *         PAWL_E_INVALID (it is external). Pausing again replaces the reason. [any] */
PAWL_EXPORT pawl_status pawl_host_pause(pawl_host *host, uint32_t kind, const char *name, const char *reason,
                                        pawl_error *error);
/** Let it go on. PAWL_E_CONFLICT when it is not paused. A process: as pawl_host_resume. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_unpause(pawl_host *host, uint32_t kind, const char *name, pawl_error *error);

/** Let a stuck or paused process go on. PAWL_E_CONFLICT when it is neither. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_resume(pawl_host *host, const char *id, pawl_error *error);

#define PAWL_RESTART_FROM_START   1u         /**< pawl_host_restart: everything again */
#define PAWL_RESTART_FROM_FAILURE 0u         /**< from the step that failed last */
#define PAWL_RESTART_AT_END       UINT64_MAX /**< no step again, only what comes after the last one */

/** Do the steps of a process again from one on: one that has ended, is stuck or waits, or one that runs, which whoever
 * runs it then loses. Durable when this returns. What is recorded of the steps before stays, and so do the seed and the
 * keys of their effects; those from it on get new keys ("process/run~1/step"). Signals are there to be taken again, in
 * their order, by what takes them again; an end is void, and a cancel request unless a step that stays was done after
 * it. What the steps did outside is not undone. The journal keeps everything, and a record that says so. Since 0.1.
 * @param host        the host
 * @param id          of the process; not an external one
 * @param step        its ordinal, 1 to one more than the last (`pawl journal` shows them), or PAWL_RESTART_*
 * @param reason      for people; may be NULL
 * @param request_id  the same again is a no-op; NULL: one of the place where it stands
 * @param[out] ret_replayed  1 when it was one; may be NULL
 * @param[out] error  PAWL_E_NOT_FOUND; PAWL_E_INVALID (no such step, external); PAWL_E_CONFLICT (the request id had
 *                    another wish) */
PAWL_EXPORT pawl_status pawl_host_restart(pawl_host *host, const char *id, uint64_t step, const char *reason,
                                          const char *request_id, uint32_t *ret_replayed, pawl_error *error);

/** End a process of kind external. outcome->status: PAWL_COMPLETED, PAWL_FAILED or PAWL_CANCELLED. The same outcome
 * again is a no-op; another one is PAWL_E_TERMINAL. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_complete(pawl_host *host, const char *id, const pawl_outcome *outcome,
                                           pawl_error *error);

/* ---- events ------------------------------------------------------------------------------------------------------ */

/** An event of a type that the process's type declares (docs/events.md). */
typedef struct pawl_event {
    uint32_t struct_size; /**< sizeof(pawl_event) */
    uint32_t reserved0;
    const char *type;
    const char *key; /**< its idempotency key, 1..256 bytes; NULL or "": none, which events that end a process need */
    pawl_bytes payload; /**< JSON; empty: null */
} pawl_event;

/** What became of it. */
typedef struct pawl_event_appended {
    uint64_t sequence; /**< its place in the journal */
    uint32_t replayed; /**< 1: this key was there already, with the same type and payload; nothing was written */
    uint32_t queued;   /**< 1: it put an item into a session's queue */
} pawl_event_appended;

/** Append an event; durable when this returns PAWL_OK. Errors, in this order, each leaving nothing behind:
 * PAWL_E_CONFLICT (the key is known with other content), "event.undeclared", "event.key_required", "event.payload",
 * "event.pointer", PAWL_E_TERMINAL, "event.no_target". Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_append_event(pawl_host *host, const char *id, const pawl_event *event,
                                               pawl_event_appended *ret, pawl_error *error);

/** Events of the present run after a sequence, in order: {"events": [{sequence, time, type, key, payload}], "next": n
 * or null}. type NULL: of all types; limit 0: 100, at most 1000. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_events(pawl_host *host, const char *id, uint64_t after, const char *type,
                                         uint32_t limit, pawl_text *ret_json, pawl_error *error);

/** Wait for the earliest event after a sequence; type NULL: of any type. timeout_ns 0: for ever. *ret_json: the event.
 * PAWL_E_DEADLINE when the time is over; PAWL_E_TERMINAL "event.process_ended" when the process has ended without it.
 * Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_wait_event(pawl_host *host, const char *id, const char *type, uint64_t after,
                                             uint64_t timeout_ns, pawl_text *ret_json, pawl_error *error);

/** The same without blocking, as pawl_host_wait_async: outcome->output is the event. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_wait_event_async(pawl_host *host, const char *id, const char *type, uint64_t after,
                                                   pawl_on_outcome done, void *context, pawl_wait **ret,
                                                   pawl_error *error);

/* ---- the queue of a session ---- what events delivered to it, in order */

/** How to claim. Zero what you do not need. */
typedef struct pawl_queue_claim_options {
    uint32_t struct_size; /**< sizeof(pawl_queue_claim_options) */
    uint32_t limit;       /**< items at once; 0: 1 */
    const char *consumer; /**< a name for people */
    uint64_t lease_ns;    /**< how long they are held; 0: 30 s */
    uint64_t wait_ns;     /**< how long to wait for an item that can be claimed; 0: not at all */
    uint32_t claims_max;  /**< an item that was claimed so often in vain is set aside; 0: 5 */
    uint32_t reserved0;
} pawl_queue_claim_options;

/** Claim the next items: {"token": n, "items": [{item, process, type, sequence, key, claims, input, ...}]}; none when
 * there is nothing. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_queue_claim(pawl_host *host, const char *session,
                                              const pawl_queue_claim_options *options, pawl_text *ret_json,
                                              pawl_error *error);
/** Settle claimed items: action PAWL_QUEUE_ACKNOWLEDGE, _RELEASE (claimable again after delay_ns) or _EXTEND (held for
 * delay_ns from now). PAWL_E_STALE when the claim holds one of them no more: then nothing was done. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_queue_settle(pawl_host *host, const char *session, uint32_t action, uint64_t token,
                                               const uint64_t *items, size_t count, uint64_t delay_ns,
                                               pawl_error *error);
/** A page of items: {"items": [...], "next": n or null}; dead 1: those set aside. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_queue_list(pawl_host *host, const char *session, uint32_t dead, uint64_t after,
                                             uint32_t limit, pawl_text *ret_json, pawl_error *error);
/** PAWL_QUEUE_REDRIVE items that were set aside, or PAWL_QUEUE_DROP items; count 0: all that were set aside. Since
 * 0.1. */
PAWL_EXPORT pawl_status pawl_host_queue_tend(pawl_host *host, const char *session, uint32_t action,
                                             const uint64_t *items, size_t count, uint64_t *ret_done,
                                             pawl_error *error);

/* ---- looking ----------------------------------------------------------------------------------------------------- */

/** One process as JSON: id, type, revision, status, why (the one-line answer to "why is it not running?", for processes
 * that have not ended), reason, document, attributes, outcome, session, times (RFC 3339 and _unix_ns), run, base, head,
 * journal_bytes, plugin, digest, worker, cancelled, paused ({"since", "reason"}, if so). Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_get(pawl_host *host, const char *id, pawl_text *ret_json, pawl_error *error);

/** Which processes to list. Zero: all. */
typedef struct pawl_list_options {
    uint32_t struct_size; /**< sizeof(pawl_list_options) */
    uint32_t limit;       /**< 1..1000; 0: 100 */
    const char *status;   /**< "waiting,stuck", "live" (not ended), "ended", or NULL */
    const char *type;
    const char *session;
    const char *id_prefix;
    uint64_t after; /**< "next" of the page before */
    uint32_t newest_first;
    uint32_t documents; /**< 1: with the status document of each */
    const char *where;  /**< an expression over search attributes, as `customer = "x" and amount > 10`; or NULL */
    const char *parent; /**< only children of this process; or NULL */
    const char *plugin; /**< only those pinned to this plugin, by its id; or NULL */
    const char *digest; /**< only those pinned to this binary: its SHA-256 in hex, or how that begins; or NULL */
} pawl_list_options;

/** A page: {"processes": [{id, type, status, why, attributes, created, updated, ...}], "next": n or null}, by the order
 * in which they were started. With `where` a page may hold fewer than asked for, even none, with more to come: go on
 * until "next" is null. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_list(pawl_host *host, const pawl_list_options *options, pawl_text *ret_json,
                                       pawl_error *error);

/** How many processes fit (limit, after, newest_first and documents mean nothing here): {"count": n, "complete":
 * true}. Stops when it has counted limit_rows (0: 1000000), or has read limit_rows / 1000 pages; "complete" is false
 * then. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_count(pawl_host *host, const pawl_list_options *options, uint64_t limit_rows,
                                        pawl_text *ret_json, pawl_error *error);

/** Records of a process: {"records": [{sequence, kind, time, ...}], "next": n or null}. from: first sequence (1);
 * limit 0: 1000; whole_values 1: results are not cut; 2: and `body` has each record as it is stored, in hex. Since 0.1.
 */
PAWL_EXPORT pawl_status pawl_host_journal(pawl_host *host, const char *id, uint64_t from, uint32_t limit,
                                          uint32_t whole_values, pawl_text *ret_json, pawl_error *error);

/** The host itself: {"version", "profile", "tier", "facets": [{facet, store, provider, tier}], "plugins": [...],
 * "connectors": [...], "types": [...], "attributes": {name: type}, "worker": {...}, "counts": {status: n}, "stores":
 * {...}}. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_describe(pawl_host *host, pawl_text *ret_json, pawl_error *error);

/** Versions of plugins, and how many live processes are pinned to each: {"plugins": [{id, version, digest, loaded,
 * current, processes, ...}], "looked_at": n, "complete": true}. Those that are not loaded are listed when a process is
 * pinned to them, or a copy of them is kept. Stops when it has looked at rows_max live processes (0: 100000);
 * "complete" is false then. [any], blocks. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_versions(pawl_host *host, uint64_t rows_max, pawl_text *ret_json, pawl_error *error);

/** Remove the kept bytes of a version that is not loaded and that no live process is pinned to. digest: 64 hex digits.
 * PAWL_E_BUSY names who holds it; PAWL_E_NOT_FOUND: nothing of it is kept. Looks at every live process. [any], blocks.
 * Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_forget_version(pawl_host *host, const char *digest, pawl_error *error);

/** Path of the socket that the profile names for `pawl serve`; lives as long as the host. Since 0.1. */
PAWL_EXPORT const char *pawl_host_socket(const pawl_host *host);

/** What the profile's `limits.requests` and `limits.input` allow an API server. Since 0.1. */
PAWL_EXPORT void pawl_host_request_limits(const pawl_host *host, uint32_t *requests, uint64_t *input_bytes);

/** Which ended processes to forget. */
typedef struct pawl_prune_options {
    uint32_t struct_size;    /**< sizeof(pawl_prune_options) */
    uint32_t dry_run;        /**< 1: only count */
    uint64_t before_unix_ns; /**< those whose end is older; never 0 */
    const char *type;        /**< of this type only, or NULL */
    uint32_t limit;          /**< so many are looked at in one call, 1..10000; 0: 1000 */
    uint32_t reserved0;
    uint64_t after_unix_ns; /**< both as the call before gave them, to go on; 0: from the oldest */
    uint64_t after_number;
} pawl_prune_options;

/** Forget ended processes, from the oldest end on, with everything that was theirs alone. Their ids stay known as "no
 * longer retained" and are not used again. {"pruned": n (with dry_run: that would be), "attachments": links let go,
 * "looked": n, "more": whether to go on, "after_unix_ns", "after_number"}. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_prune(pawl_host *host, const pawl_prune_options *options, pawl_text *ret_json,
                                        pawl_error *error);

/* ---- sessions ---------------------------------------------------------------------------------------------------- */
/* A session is there from its first commit on. Names have 1 to 256 bytes and do not begin with "process:" or "pawl:".
 */

/** Sessions that have state: {"sessions": [{"session", "revision"}], "next": name or null}, shorter names first. after:
 * "next" of the page before, or NULL; limit 0: 100, at most 1000. PAWL_E_UNSUPPORTED when the provider cannot list.
 * Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_session_list(pawl_host *host, const char *after, uint32_t limit, pawl_text *ret_json,
                                               pawl_error *error);

/** State: {"session", "revision", "values": [{"key", "value" or "value_base64"}], "next": key or null}, in the order of
 * the keys. prefix and after may be NULL; limit 0: 100, at most 1000. Of a session that is not there: revision 0 and
 * nothing. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_session_show(pawl_host *host, const char *session, const char *prefix,
                                               const char *after, uint32_t limit, pawl_text *ret_json,
                                               pawl_error *error);

/** The bytes of one key. *ret_revision (may be NULL): of the session. PAWL_E_NOT_FOUND, code "unknown_key". Since 0.1.
 */
PAWL_EXPORT pawl_status pawl_host_session_get(pawl_host *host, const char *session, const char *key,
                                              pawl_text *ret_value, uint64_t *ret_revision, pawl_error *error);

/** Change state, all changes or none; durable when this returns PAWL_OK. No change at all only makes a new revision.
 * @param host               the host
 * @param session            its name
 * @param expected_revision  of the session, or PAWL_REVISION_ANY
 * @param commit_key         idempotency id: the same one with the same changes is answered with the first outcome, with
 *                           others PAWL_E_CONFLICT; at most 200 bytes; or NULL
 * @param changes            at most 4096
 * @param count              of them
 * @param[out] ret_revision  of this commit; with PAWL_E_STALE the one that the session has; may be NULL
 * @param[out] error         PAWL_E_STALE ("session.stale"), PAWL_E_CONFLICT ("session.exists": a PUT_NEW of a key that
 *                           is there; "session.conflict"), PAWL_E_INVALID, PAWL_E_LIMIT. Since 0.1. [any] */
PAWL_EXPORT pawl_status pawl_host_session_commit(pawl_host *host, const char *session, uint64_t expected_revision,
                                                 const char *commit_key, const pawl_session_change *const *changes,
                                                 size_t count, uint64_t *ret_revision, pawl_error *error);

/** Give a session a handle of a process: the right to act on it in the session's name. The session in which a process
 * was started has that right from the start, in the same write as the process. Granting again is a no-op. PAWL_E_BUSY,
 * "session.deleting": the session is being deleted. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_handle_grant(pawl_host *host, const char *session, const char *id, pawl_error *error);
/** Take it back, also from the session of the process. Nothing happens to the process. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_handle_revoke(pawl_host *host, const char *session, const char *id,
                                                pawl_error *error);
/** Hand over the handles of at most 1000 processes, all or none: PAWL_E_NOT_FOUND, "session.no_handle", names the first
 * that `from` does not hold. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_handle_transfer(pawl_host *host, const char *from, const char *to,
                                                  const char *const *ids, size_t count, pawl_error *error);
/** PAWL_OK when the session may act on the process; PAWL_E_NOT_FOUND, "session.no_handle". Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_handle_check(pawl_host *host, const char *session, const char *id, pawl_error *error);
/** Handles that were given to a session: {"handles": [id], "more": bool}, at most 10000. Its own processes are not
 * among them: pawl_host_list has those. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_handle_list(pawl_host *host, const char *session, pawl_text *ret_json,
                                              pawl_error *error);

/** Delete a session: its handles are revoked, live processes that no other session holds are asked to stop, and its
 * state, commit keys, queue and attachments go. What it began it brings to its end, also after a crash: the next host
 * on the store goes on. Meanwhile nothing can be started in the session. What still runs may commit to it, which begins
 * it anew. Deleting again is harmless. {"session", "cancelled", "preserved", "revoked", "attachments"}. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_session_delete(pawl_host *host, const char *session, pawl_text *ret_json,
                                                 pawl_error *error);
/** Only the first half of that: let go of all processes, and ask those to stop that no other session holds. Since 0.1.
 */
PAWL_EXPORT pawl_status pawl_host_session_release(pawl_host *host, const char *session, pawl_text *ret_json,
                                                  pawl_error *error);

/* ---- attachments -------------------------------------------------------------------------------------------------
 */
/* Content that is too large for inputs and state. It is stored once, and named by its digest: "sha256:" and 64 hex
 * digits, the reference. Who refers to it is a scope: the name of a session, or "process:" and the id of a process,
 * which is the scope of its session when it has one. Content that no scope refers to goes after the profile's
 * retention.unreferenced. Errors: PAWL_E_NOT_FOUND ("attachment.not_found", "unknown_process"), PAWL_E_INVALID
 * ("attachment.reference", "invalid_session"), PAWL_E_BUSY ("session.deleting"). */

#define PAWL_REFERENCE_BYTES   71u /**< without a NUL */
#define PAWL_PUT_KNOWN_SESSION 1u  /**< as PAWL_START_KNOWN_SESSION */

/** Content on its way into a store. Belongs to one thread at a time; ended by commit or abort, before its host is
 * closed. */
typedef struct pawl_put pawl_put;

typedef struct pawl_put_options {
    uint32_t struct_size;   /**< sizeof(pawl_put_options) */
    uint32_t flags;         /**< PAWL_PUT_* */
    const char *scope;      /**< who will refer to it */
    const char *media_type; /**< at most 256 bytes of printable text, or NULL */
    const char *name;       /**< at most 1024 bytes, or NULL */
    const char *reference;  /**< what its digest must be, or NULL */
} pawl_put_options;

/** Begin to store content. PAWL_E_TERMINAL: the process whose own scope it is has ended. Since 0.1. [any], blocks */
PAWL_EXPORT pawl_status pawl_host_put(pawl_host *host, const pawl_put_options *options, pawl_put **ret,
                                      pawl_error *error);
/** The next bytes. Memory is bounded, whatever the size. PAWL_E_LIMIT, "attachment.too_large", beyond the profile's
 * limits.attachment. After any error only abort makes sense. Since 0.1. [any], blocks */
PAWL_EXPORT pawl_status pawl_put_write(pawl_put *put, const void *data, size_t size, pawl_error *error);
/** Content and link, durable when this returns PAWL_OK; frees the put, whatever it returns. PAWL_E_CONFLICT,
 * "attachment.digest": it is not what the options said, and nothing is stored. Since 0.1. [any], blocks
 * @param put             it
 * @param[out] reference  of the content, with a NUL
 * @param[out] ret_size   bytes; may be NULL
 * @param[out] error      why not */
PAWL_EXPORT pawl_status pawl_put_commit(pawl_put *put, char reference[PAWL_REFERENCE_BYTES + 1], uint64_t *ret_size,
                                        pawl_error *error);
/** Leave nothing of it. NULL allowed; returns NULL. Since 0.1. [any], blocks */
PAWL_EXPORT pawl_put *pawl_put_abort(pawl_put *put);

/** Bytes from an offset, at most 16 MiB of them in one call; *ret_total (may be NULL): of the whole. At its end: none.
 * Since 0.1. [any], blocks */
PAWL_EXPORT pawl_status pawl_host_attachment_read(pawl_host *host, const char *scope, const char *reference,
                                                  uint64_t offset, uint64_t size, pawl_text *ret_bytes,
                                                  uint64_t *ret_total, pawl_error *error);
/** {"reference", "size", "created_unix_ns", "media_type", "name"}, as this scope refers to it. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_attachment_stat(pawl_host *host, const char *scope, const char *reference,
                                                  pawl_text *ret_json, pawl_error *error);
/** {"attachments": [as stat gives], "next": reference or null}, in the order of the references. after: "next" of the
 * page before, or NULL; limit 0: 100, at most 1000. Of a scope without any: none. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_attachment_list(pawl_host *host, const char *scope, const char *after, uint32_t limit,
                                                  pawl_text *ret_json, pawl_error *error);
/** Let another scope refer to it, too, under the same media type and name. Nothing is copied. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_attachment_share(pawl_host *host, const char *scope, const char *reference,
                                                   const char *to, pawl_error *error);
/** This scope refers to it no longer; again is a no-op. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_attachment_drop(pawl_host *host, const char *scope, const char *reference,
                                                  pawl_error *error);

/* ---- schedules --------------------------------------------------------------------------------------------------- */
/* A schedule starts a process at certain times. It is a process itself, of the type "pawl.schedule" with the id
 * "schedule:NAME", so it lives in the store and survives what processes survive. Each run has the id NAME/TIME (UTC),
 * so no time is run twice. docs/operators-guide.md has all of it. */

#define PAWL_SCHEDULE_PAUSED  1u /**< it begins paused */
#define PAWL_SCHEDULE_REPLACE 2u /**< one of that name that does something else does this from now on */

#define PAWL_SCHEDULE_CREATED  0u
#define PAWL_SCHEDULE_KEPT     1u /**< it was there already and does just that */
#define PAWL_SCHEDULE_REPLACED 2u

/** Make a schedule; durable when this returns PAWL_OK. Since 0.1.
 * @param host           the host
 * @param name           1 to 128 letters, digits, ".", "_" and "-"
 * @param spec_json      {"cron" and/or "every", "time_zone", ..., "type", "input", ...}: docs/operators-guide.md
 * @param flags          PAWL_SCHEDULE_*
 * @param note           why it is paused; may be NULL
 * @param[out] ret_made  PAWL_SCHEDULE_CREATED, _KEPT or _REPLACED; may be NULL
 * @param[out] error     PAWL_E_INVALID ("schedule.invalid", "schedule.cron"), PAWL_E_NOT_FOUND (no such type),
 *                       PAWL_E_CONFLICT "schedule.exists", PAWL_E_DEADLINE (it was told to be replaced, and has not
 *                       answered in 30 s: no worker runs it) [any], blocks */
PAWL_EXPORT pawl_status pawl_host_schedule_create(pawl_host *host, const char *name, pawl_bytes spec_json,
                                                  uint32_t flags, const char *note, uint32_t *ret_made,
                                                  pawl_error *error);
/** {"schedule", "spec", "paused", "note", "next": [the next five times], "runs": [{"id", "time", "status", "why"}],
 * newest first, at most ten, "started", "skipped", "missed", "not_started", "buffered", "backfills", "process",
 * "status"}. PAWL_E_NOT_FOUND "unknown_schedule". Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_schedule_show(pawl_host *host, const char *name, pawl_text *ret_json,
                                                pawl_error *error);
/** A page of schedules, as above without runs: {"schedules": [...], "next": n or null}. limit 0: 100, at most 1000.
 * Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_schedule_list(pawl_host *host, uint32_t limit, uint64_t after, pawl_text *ret_json,
                                                pawl_error *error);
/** Start nothing until it is resumed; times that pass meanwhile are not made up for. note may be NULL. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_schedule_pause(pawl_host *host, const char *name, const char *note,
                                                 pawl_error *error);
PAWL_EXPORT pawl_status pawl_host_schedule_resume(pawl_host *host, const char *name, pawl_error *error);
/** Run it now, also while it is paused: {"id", "run": "started", "buffered" or "skipped"}. overlap: a policy for this
 * run, or NULL; request_id: the same one again is the same run; or NULL. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_schedule_trigger(pawl_host *host, const char *name, const char *overlap,
                                                   const char *request_id, pawl_text *ret_json, pawl_error *error);
/** Run the times of a range that is past, both ends in it (RFC 3339): {"times": n}. A time that has run already is not
 * run again. overlap: "allow" or NULL: at once; "buffer_one": one after the other. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_schedule_backfill(pawl_host *host, const char *name, const char *from, const char *to,
                                                    const char *overlap, const char *request_id, pawl_text *ret_json,
                                                    pawl_error *error);
/** Forget it. What it has started goes on. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_schedule_delete(pawl_host *host, const char *name, pawl_error *error);

/* ---- looking after stores ---------------------------------------------------------------------------------------- */

/** A finding in a store, as its provider tells it (pawl_abi.h); also progress. Return non-zero to stop. */
typedef int32_t (*pawl_on_finding)(void *context, const char *store, const pawl_care_finding *finding);

/** Check the closed stores of a profile; with PAWL_CARE_REPAIR also rebuild what is derived. Opens no host; only
 * options->profile_path or profile_text, log and static plugins are used. PAWL_OK when the check came to its end,
 * whatever it found: *ret_json is {"stores": [{"store", "provider", "problems", "repairable", "repaired", ...}],
 * "problems", "repaired"}. PAWL_E_BUSY when a store is open somewhere, PAWL_E_UNSUPPORTED when its provider does not
 * offer it. Since 0.1. */
PAWL_EXPORT pawl_status pawl_care_check(const pawl_host_options *options, uint32_t flags, pawl_on_finding found,
                                        void *context, pawl_text *ret_json, pawl_error *error);

/** Copy the stores of an open host into a directory that is not there yet or empty (absolute path), while it works on.
 * All that was acknowledged before the call is inside. *ret_json: what stands in its pawl.backup.json. PAWL_E_CONFLICT
 * when the directory holds something; on any failure it is not there. May take long. Since 0.1. */
PAWL_EXPORT pawl_status pawl_host_backup(pawl_host *host, const char *directory, pawl_text *ret_json,
                                         pawl_error *error);

/** The same for a profile that no host has open. Since 0.1. */
PAWL_EXPORT pawl_status pawl_care_backup(const pawl_host_options *options, const char *directory, pawl_text *ret_json,
                                         pawl_error *error);

/** Make the stores of a profile, which must not be there, from a backup, and check them on the way. Damage is
 * PAWL_E_CORRUPT and nothing is restored, unless flags have PAWL_CARE_ACCEPT_DAMAGE. Since 0.1. */
PAWL_EXPORT pawl_status pawl_care_restore(const pawl_host_options *options, const char *directory, uint32_t flags,
                                          pawl_on_finding found, void *context, pawl_text *ret_json, pawl_error *error);

/** What `pawl plugin show` prints, as JSON: id, version, ABI, kinds, operations, digest, ELF facts. Runs no code of the
 * plugin. Since 0.1. */
PAWL_EXPORT pawl_status pawl_plugin_inspect(const char *path, pawl_text *ret_json, pawl_error *error);

/** Load, init and deinit a plugin in a child process, as a host would before trusting it. data_dir: of the profile, to
 * lift a quarantine when it now passes; may be NULL. Since 0.1. */
PAWL_EXPORT pawl_status pawl_plugin_probe(const char *path, const char *data_dir, pawl_text *ret_json,
                                          pawl_error *error);

#ifdef __cplusplus
}
#endif
#endif
