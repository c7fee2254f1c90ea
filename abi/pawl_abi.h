/* pawl_abi.h: the contract between a Pawl host and a plugin. It can never be broken, so it is as small as it can be.
 *
 * A plugin is a shared object that exports ONE symbol, pawl_plugin_entry_v1. The root it returns is frozen for ever.
 * Everything else is an interface found by a string id with a revision ("pawl.connector/1"): the plugin hands out
 * factories through root->get_factory, the host hands out extensions through host->get_extension. A change of meaning
 * gets a new id; inside a revision tables only ever grow at the end.
 *
 * Rules of this header (docs/abi-rules.md numbers them and says who enforces each):
 *  - C89 syntax, <stddef.h> and <stdint.h> only; compiles alone and twice as C89..C2x and C++98..C++20.
 *  - No enum, bit-field, bool, long, off_t, va_list or FILE* in a struct or a signature.
 *  - A struct that may grow starts with `uint32_t struct_size`, set by whoever fills it. The reader copies
 *    min(sizeof mine, theirs) into a zeroed local; a NULL or absent member means "unsupported".
 *  - An array of structs carries the size of one element, or is an array of pointers.
 *  - Bytes are borrowed until the call returns, unless the comment at a member says otherwise (pawl_registry_op does).
 *  - Results leave a plugin only through host sinks; neither side ever frees the other's memory.
 *  - No C++ exception, Rust panic or longjmp crosses a call in either direction.
 *  - Time is nanoseconds: `_unix_ns` since 1970-01-01T00:00Z, `_mono_ns` on the host's monotonic clock, `_ns` a span.
 *
 * Thread tags, on every function:
 *  [pure]     no allocation, I/O, locks or thread-local storage; callable before init
 *  [loader]   the host's single start-up and shut-down thread; no other call into this plugin runs meanwhile
 *  [worker]   a pool thread with at least 1 MiB of stack; may block; one call at a time per instance, unless the
 *             manifest says "concurrency": "shared"
 *  [instance] one call at a time per process, on any thread; must not block
 *  [any]      any thread, concurrently
 *  [nonblock] bounded time; takes no lock that may be held across a [worker] call
 */
#ifndef PAWL_ABI_H
#define PAWL_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PAWL_EXPORT __attribute__((visibility("default")))
#else
#define PAWL_EXPORT
#endif
#define PAWL_CALL /* the calling convention; reserved for platforms that have more than one */

/* A static assertion that works from C89 to C2x and from C++98 on. */
#define PAWL_CAT2_(a, b) a##b
#define PAWL_CAT_(a, b)  PAWL_CAT2_(a, b)
#if defined(__cplusplus) && __cplusplus >= 201103L
#define PAWL_STATIC_ASSERT(c, m) static_assert(c, m)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define PAWL_STATIC_ASSERT(c, m) _Static_assert(c, m)
#else
#define PAWL_STATIC_ASSERT(c, m) typedef char PAWL_CAT_(pawl_static_assert_, __LINE__)[(c) ? 1 : -1] PAWL_UNUSED_
#endif
#if defined(__GNUC__)
#define PAWL_UNUSED_ __attribute__((unused))
#else
#define PAWL_UNUSED_
#endif

#define PAWL_ABI_MAJOR 1u
#define PAWL_ABI_MINOR 0u

/* True when the table or struct at p, as sized by whoever filled it, contains member m. */
#define PAWL_HAS(p, type, m) ((p)->struct_size >= offsetof(type, m) + sizeof(((type *)0)->m))

/* ---- scalars ----------------------------------------------------------------------------------------------------- */

/* 0 is success, > 0 is control flow, < 0 is failure. */
typedef int32_t pawl_status;
#define PAWL_OK               ((pawl_status)0)
#define PAWL_SUSPEND          ((pawl_status)1)   /* process code: nothing more to do now; return this unchanged */
#define PAWL_PENDING          ((pawl_status)2)   /* started; the completion will be called */
#define PAWL_E_FAILED         ((pawl_status)-1)  /* the details were given to a failure sink */
#define PAWL_E_UNSUPPORTED    ((pawl_status)-2)  /* the callee does not offer this */
#define PAWL_E_INVALID        ((pawl_status)-3)  /* the caller broke the contract, or sent bad input */
#define PAWL_E_NOMEM          ((pawl_status)-4)  /* out of memory */
#define PAWL_E_CANCELLED      ((pawl_status)-5)  /* cancelled on request */
#define PAWL_E_DEADLINE       ((pawl_status)-6)  /* the deadline passed */
#define PAWL_E_NONDETERMINISM ((pawl_status)-7)  /* process code did something else than its journal says */
#define PAWL_E_NOT_FOUND      ((pawl_status)-8)  /* no such thing */
#define PAWL_E_CONFLICT       ((pawl_status)-9)  /* same id or key, other content */
#define PAWL_E_STALE          ((pawl_status)-10) /* the fencing token or revision is not the current one */
#define PAWL_E_TERMINAL       ((pawl_status)-11) /* the process has already ended */
#define PAWL_E_LIMIT          ((pawl_status)-12) /* a documented limit was reached */
#define PAWL_E_BUSY           ((pawl_status)-13) /* held by someone else now */
#define PAWL_E_CORRUPT        ((pawl_status)-14) /* stored data fails its check */
#define PAWL_E_IO             ((pawl_status)-15) /* the device or the network failed */
#define PAWL_E_FULL           ((pawl_status)-16) /* no space left */
#define PAWL_E_CLOSED         ((pawl_status)-17) /* the object is closing or closed */

/* Bytes with a length; never NUL-terminated by contract. data may be NULL only when size is 0. */
typedef struct pawl_bytes {
    const void *data;
    size_t size;
} pawl_bytes;

/* How the engine may treat a failure. A value it does not know is treated as PAWL_UNKNOWN_OUTCOME. */
#define PAWL_TERMINAL        1u /* do not retry; this is the result */
#define PAWL_RETRYABLE       2u /* it certainly did not happen, or doing it again is harmless */
#define PAWL_UNKNOWN_OUTCOME 3u /* it may have happened: the effect's outcome rule decides */

/* What went wrong. Copied by the host during the call it is passed to. */
typedef struct pawl_failure {
    uint32_t struct_size;
    uint32_t klass;          /* PAWL_TERMINAL | PAWL_RETRYABLE | PAWL_UNKNOWN_OUTCOME */
    pawl_bytes code;         /* stable and dotted, for programs: "http.429"; at most 128 bytes */
    pawl_bytes message;      /* UTF-8, for people; never a secret; at most 4096 bytes */
    pawl_bytes detail_json;  /* optional JSON object */
    uint64_t retry_after_ns; /* a floor for the next attempt; 0 leaves it to the host's policy */
} pawl_failure;

/* ---- host objects: opaque, used only through the host's tables --------------------------------------------------- */

typedef struct pawl_sink pawl_sink;                 /* bytes leave the plugin here; the host copies them */
typedef struct pawl_failure_sink pawl_failure_sink; /* a failure leaves the plugin here; the first one wins */
typedef struct pawl_cancel_token pawl_cancel_token; /* tells running code that it should stop */
typedef struct pawl_completion pawl_completion;     /* one-shot end of something started */
typedef struct pawl_call_context pawl_call_context; /* which process and step an effect call belongs to */

typedef struct pawl_host_root pawl_host_root;
/* What a plugin gets at init. Valid until the matching deinit returns. */
struct pawl_host_root {
    uint32_t struct_size;
    uint16_t abi_major;
    uint16_t abi_minor;
    const char *name;    /* of the host program, for logs */
    const char *version; /* of the host program */
    void *host_data;     /* the host's own */
    /* [any] An extension by id, or NULL when this host lacks it. */
    const void *(PAWL_CALL *get_extension)(const pawl_host_root *host, const char *extension_id);
};

/* "pawl.core/1": always there. The table is the same for every host in a program, so a plugin may keep it. */
#define PAWL_EXT_CORE  "pawl.core/1"
#define PAWL_LOG_DEBUG 1u
#define PAWL_LOG_INFO  2u
#define PAWL_LOG_WARN  3u
#define PAWL_LOG_ERROR 4u
typedef struct pawl_core {
    uint32_t struct_size;
    uint32_t reserved0;
    /* [any] Append bytes to a result. PAWL_E_LIMIT once the sink's limit is passed (nothing more is kept). */
    pawl_status(PAWL_CALL *sink_write)(pawl_sink *sink, const void *data, size_t size);
    /* [any] Say why the call fails. The first call wins. */
    void(PAWL_CALL *fail)(pawl_failure_sink *sink, const pawl_failure *failure);
    /* [any][nonblock] Non-zero once the call should stop. NULL is a token that never asks. */
    int32_t(PAWL_CALL *cancel_requested)(const pawl_cancel_token *token);
    /* [any][nonblock] A descriptor that becomes readable once the call should stop; -1 if there is none. Only for
     * poll: never read from it, never close it. */
    int32_t(PAWL_CALL *cancel_fd)(const pawl_cancel_token *token);
    /* [any] End something started with PAWL_PENDING, exactly once, from any thread. result counts when status is
     * PAWL_OK, failure (may be NULL) otherwise. */
    void(PAWL_CALL *complete)(pawl_completion *completion, pawl_status status, pawl_bytes result,
                              const pawl_failure *failure);
    /* [any][nonblock] One structured log line. fields_json is an optional JSON object. */
    void(PAWL_CALL *log)(const pawl_host_root *host, uint32_t level, pawl_bytes message, pawl_bytes fields_json);
    uint64_t(PAWL_CALL *mono_now_ns)(const pawl_host_root *host); /* [any][nonblock] */
    uint64_t(PAWL_CALL *unix_now_ns)(const pawl_host_root *host); /* [any][nonblock] */
} pawl_core;

/* ---- the one exported symbol ------------------------------------------------------------------------------------- */

typedef struct pawl_plugin_root {
    uint32_t struct_size;
    uint16_t abi_major;     /* must equal the major in the symbol's name */
    uint16_t abi_minor_min; /* the lowest host minor this binary needs */
    const char *id;         /* "com.example.shop"; equals the manifest's */
    const char *version;    /* of the plugin, semantic versioning; equals the manifest's */
    const char *vendor;
    pawl_bytes manifest_json; /* byte-identical to the ELF note */
    /* [loader] Called once for each host in the program (so perhaps more than once), before anything else.
     * config_json: the plugin's `config` from the profile, a JSON object. */
    pawl_status(PAWL_CALL *init)(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why);
    /* [loader] The end of one init, after the last instance made under it is gone. */
    void(PAWL_CALL *deinit)(const pawl_host_root *host);
    /* [any] A factory table by id, or NULL. Between init and deinit. The table is static. */
    const void *(PAWL_CALL *get_factory)(const char *factory_id);
} pawl_plugin_root;

#define PAWL_PLUGIN_ENTRY_SYMBOL "pawl_plugin_entry_v1"
typedef const pawl_plugin_root *(PAWL_CALL *pawl_plugin_entry_fn)(void); /* [pure] */

/* The manifest also stands in an ELF note, so that it can be read without running code:
 * section ".note.pawl", owner name "Pawl", this type, descriptor = the manifest's bytes (no NUL). */
#define PAWL_NOTE_NAME          "Pawl"
#define PAWL_NOTE_TYPE_MANIFEST 0x50570001u

/* ---- effects and connectors -------------------------------------------------------------------------------------- */

/* One attempt of one effect. */
typedef struct pawl_effect_call {
    uint32_t struct_size;
    uint32_t attempt; /* 1 and up; of this effect, across restarts */
    const pawl_host_root *host;
    const pawl_call_context *context;
    pawl_bytes operation;            /* the name declared in the manifest */
    pawl_bytes input;                /* as the operation's media type says; JSON unless it says otherwise */
    pawl_bytes idempotency_key;      /* "process/run/sequence": the same on every attempt, on every worker */
    pawl_bytes trace_context;        /* W3C traceparent; may be empty */
    uint64_t deadline_mono_ns;       /* 0: none */
    const pawl_cancel_token *cancel; /* NULL: cannot be cancelled */
} pawl_effect_call;

/* "pawl.effect/1": named effects without configuration of their own. */
#define PAWL_FACTORY_EFFECT "pawl.effect/1"
typedef struct pawl_effect_table {
    uint32_t struct_size;
    uint32_t flags; /* 0 */
    /* [worker] Do it; may block, unless the manifest says it runs "inline" ([instance], then). */
    pawl_status(PAWL_CALL *execute)(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why);
    /* [worker][nonblock] Begin it and return PAWL_PENDING; for operations that run "async". The call and its bytes
     * stay valid until the completion is called. Any other status ends the call at once. */
    pawl_status(PAWL_CALL *start)(const pawl_effect_call *call, pawl_completion *done, pawl_failure_sink *why);
    /* [worker] After a crash in an unknown place: did it happen? PAWL_OK and its result when it did,
     * PAWL_E_NOT_FOUND when it certainly did not, anything else when that cannot be told. */
    pawl_status(PAWL_CALL *reconcile)(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why);
} pawl_effect_table;

/* "pawl.connector/1": a configured client of an outside system; the profile makes instances of it. */
#define PAWL_FACTORY_CONNECTOR "pawl.connector/1"
typedef struct pawl_connector pawl_connector; /* the plugin's own */
typedef struct pawl_connector_table {
    uint32_t struct_size;
    uint32_t flags; /* 0 */
    /* [loader] One instance. name: as in the profile; config_json: an object, secrets already filled in. */
    pawl_status(PAWL_CALL *create)(const pawl_host_root *host, pawl_bytes name, pawl_bytes config_json,
                                   pawl_connector **instance, pawl_failure_sink *why);
    void(PAWL_CALL *destroy)(pawl_connector *instance); /* [loader] no call is running; NULL is allowed */
    /* [worker] As in pawl_effect_table. */
    pawl_status(PAWL_CALL *invoke)(pawl_connector *instance, const pawl_effect_call *call, pawl_sink *out,
                                   pawl_failure_sink *why);
    pawl_status(PAWL_CALL *start)(pawl_connector *instance, const pawl_effect_call *call, pawl_completion *done,
                                  pawl_failure_sink *why);
    pawl_status(PAWL_CALL *reconcile)(pawl_connector *instance, const pawl_effect_call *call, pawl_sink *out,
                                      pawl_failure_sink *why);
} pawl_connector_table;

/* "pawl.attachments/1", host to plugin: large content goes in and out of effects as attachments of the calling
 * process's session, not through the journal. */
#define PAWL_EXT_ATTACHMENTS "pawl.attachments/1"
typedef struct pawl_upload pawl_upload;
typedef struct pawl_attachments {
    uint32_t struct_size;
    uint32_t reserved0;
    /* [worker] Begin to store content for the process of this call. media_type and name may be empty. */
    pawl_status(PAWL_CALL *begin)(const pawl_call_context *context, pawl_bytes media_type, pawl_bytes name,
                                  pawl_upload **upload, pawl_failure_sink *why);
    pawl_status(PAWL_CALL *write)(pawl_upload *upload, pawl_bytes chunk, pawl_failure_sink *why); /* [worker] */
    /* [worker] Store durably; the reference ("sha256:" and 64 hex digits) is written to the sink. Frees the upload,
     * whatever it returns. */
    pawl_status(PAWL_CALL *commit)(pawl_upload *upload, pawl_sink *reference, pawl_failure_sink *why);
    void(PAWL_CALL *abort)(pawl_upload *upload); /* [worker] NULL is allowed */
    /* [worker] Up to size bytes from offset, into the sink; *total is the whole length. Only what the process's own
     * session holds can be read. */
    pawl_status(PAWL_CALL *read)(const pawl_call_context *context, pawl_bytes reference, uint64_t offset, uint64_t size,
                                 pawl_sink *out, uint64_t *total, pawl_failure_sink *why);
    /* [worker] The same into the plugin's own memory, which only a plugin can make: *loaded bytes, fewer than size only
     * at the end of the content. */
    pawl_status(PAWL_CALL *load)(const pawl_call_context *context, pawl_bytes reference, uint64_t offset, void *buffer,
                                 size_t size, size_t *loaded, uint64_t *total, pawl_failure_sink *why);
} pawl_attachments;

/* ---- process code ------------------------------------------------------------------------------------------------ */

/* A handle of something that will be there later; valid within one activation, the same number in every one. 0 is
 * "could not be started": awaiting it gives the error. */
typedef uint64_t pawl_future;

#define PAWL_AWAIT_ANY 1u
#define PAWL_AWAIT_ALL 2u

/* Per-call choices. Zero means "as the manifest and the profile say". */
typedef struct pawl_call_options {
    uint32_t struct_size;
    uint32_t attempts_max; /* 1: never retry */
    uint64_t timeout_ns;   /* of one attempt */
    /* Of all attempts and the pauses between them, from the call's first record on, also after a restart: then it fails
     * with code "effect.deadline". */
    uint64_t deadline_ns;
} pawl_call_options;

/* How a child is started. Zero means: of the parent's session, priority and key, awaited, asked to stop when its parent
 * ends. */
#define PAWL_CHILD_DETACHED   1u /* flags: its future comes when it is durably started, not when it ends */
#define PAWL_CHILD_NO_SESSION 2u /* flags: it belongs to no session, though its parent does */
typedef struct pawl_child_options {
    uint32_t struct_size;
    uint32_t flags; /* PAWL_CHILD_* */
    pawl_bytes id;  /* 1..256 bytes; empty: made from the parent's id, run and the place of this command */
    pawl_bytes session;
    uint32_t parent_close; /* PAWL_PARENT_CLOSE_*: what becomes of it when its parent ends, however that ends */
    uint32_t priority;     /* PAWL_PRIORITY_*; 0: its parent's */
    /* Not 0: when it has not ended so long after its start it is asked to stop, with its compensations, and ends failed
     * with code "process.deadline". */
    uint64_t deadline_ns;
    pawl_bytes key; /* what it shares its type's turns by; empty: the key that its parent was given, if any */
} pawl_child_options;

typedef struct pawl_process pawl_process;
/* "pawl.process-host/1": what process code may do. All functions are [instance], during activate. */
#define PAWL_EXT_PROCESS_HOST "pawl.process-host/1"
typedef struct pawl_process_host {
    uint32_t struct_size;
    uint32_t reserved0;
    pawl_bytes(PAWL_CALL *input)(pawl_process *p);
    pawl_bytes(PAWL_CALL *id)(pawl_process *p);
    pawl_bytes(PAWL_CALL *session)(pawl_process *p); /* empty when the process belongs to none */
    uint32_t(PAWL_CALL *run)(pawl_process *p);       /* 1 and up */
    /* Non-zero while the code re-lives what the journal already holds. */
    int32_t(PAWL_CALL *replaying)(pawl_process *p);
    /* Memory of this activation, zeroed, freed by the host when it ends; NULL when out of memory. */
    void *(PAWL_CALL *alloc)(pawl_process *p, size_t size);
    /* Start an effect ("bank.charge": an effect's name, or connector instance and operation). options may be NULL. */
    pawl_future(PAWL_CALL *start_call)(pawl_process *p, pawl_bytes name, pawl_bytes input,
                                       const pawl_call_options *options);
    pawl_future(PAWL_CALL *start_timer)(pawl_process *p, uint64_t after_ns);
    /* The next signal of this name that no earlier wait took. A wait that was not awaited to its end takes none. */
    pawl_future(PAWL_CALL *wait_signal)(pawl_process *p, pawl_bytes name);
    /* Wait for any or all. PAWL_OK: *index (may be NULL) is the position of the one that came first; PAWL_SUSPEND:
     * return it unchanged; PAWL_E_CANCELLED: the process was asked to stop (told once). A failed call still counts
     * as come: its failure is in result. */
    pawl_status(PAWL_CALL *await)(pawl_process *p, uint32_t mode, const pawl_future *futures, size_t count,
                                  size_t *index);
    /* The value of a future that has come, valid for this activation. PAWL_E_FAILED: it failed, see failure. */
    pawl_status(PAWL_CALL *result)(pawl_process *p, pawl_future future, pawl_bytes *value);
    /* Why it failed; PAWL_E_NOT_FOUND when it did not. The bytes are valid for this activation. */
    pawl_status(PAWL_CALL *failure)(pawl_process *p, pawl_future future, pawl_failure *failure);
    uint64_t(PAWL_CALL *now_unix_ns)(pawl_process *p);                 /* the recorded clock */
    void(PAWL_CALL *random)(pawl_process *p, void *data, size_t size); /* the same bytes in every activation */
    void(PAWL_CALL *uuid)(pawl_process *p, char text[37]);             /* version 4 in form, NUL-terminated, likewise */
    /* A document (JSON) that others can read while the process runs. Replaces the one before. */
    pawl_status(PAWL_CALL *set_status)(pawl_process *p, pawl_bytes document_json);
    /* Logged once: not while replaying. */
    void(PAWL_CALL *log)(pawl_process *p, uint32_t level, pawl_bytes message, pawl_bytes fields_json);
    /* End the process. The return value is what activate should return. */
    pawl_status(PAWL_CALL *complete)(pawl_process *p, pawl_bytes output);
    pawl_status(PAWL_CALL *fail)(pawl_process *p, const pawl_failure *failure);
    /* Why the process was asked to stop; empty if it was not, or no reason was given. */
    pawl_bytes(PAWL_CALL *cancel_reason)(pawl_process *p);
    /* Which version of a change of its code this process lives by: max when it meets the change first where its journal
     * ends (recorded then), min when its journal is older than the change; the same answer for ever. Recorded and not
     * in [min, max]: stuck. change_id: like a name of an effect. 0: it cannot be told, and the run is stuck. */
    uint32_t(PAWL_CALL *version)(pawl_process *p, pawl_bytes change_id, uint32_t min, uint32_t max);
    /* How long the journal of this run is, up to what the program has seen of it: the record that its last await ended
     * with. The same in every activation. */
    uint64_t(PAWL_CALL *journal_bytes)(pawl_process *p);
    uint64_t(PAWL_CALL *journal_records)(pawl_process *p);
    /* Non-zero: that is long, and it is time to continue as a new run. What is long is recorded when first asked. */
    int32_t(PAWL_CALL *should_continue)(pawl_process *p);
    /* End this run and go on as the next one: the same process, run one more, this input, a journal that begins anew
     * with the signals not taken and a cancel request not told. Timers are dropped. The return value is what activate
     * should return. PAWL_E_INVALID while calls are open; PAWL_E_CANCELLED when the process was told to stop. */
    pawl_status(PAWL_CALL *continue_as_new)(pawl_process *p, pawl_bytes input);
    /* Start a process of this type as a child. Its result is its output; it has failed when the child could not be
     * started or ended otherwise than completed. options may be NULL. */
    pawl_future(PAWL_CALL *start_child)(pawl_process *p, pawl_bytes type, pawl_bytes input,
                                        const pawl_child_options *options);
    /* The id of a child, known as soon as the future is. PAWL_E_INVALID when the future is not of one. */
    pawl_status(PAWL_CALL *child_id)(pawl_process *p, pawl_future future, pawl_bytes *id);
    /* Set search attributes that the host's profile names; null removes one, the others stay. Stored with what the
     * process writes next. PAWL_E_INVALID, and the process is parked as stuck, for an unknown name or a wrong type. */
    pawl_status(PAWL_CALL *set_attributes)(pawl_process *p, pawl_bytes object_json);
    /* Should the process fail or be cancelled, call this effect after the program has ended; the host does it, in
     * reverse order of completion, once each as recorded. of: a future of a call; it is undone unless it surely did not
     * happen, and its place in the order is its end. 0: undone in any case; its place is where the program stands.
     * options may be NULL. Anything but PAWL_OK: not registered. */
    pawl_status(PAWL_CALL *on_rollback)(pawl_process *p, pawl_future of, pawl_bytes name, pawl_bytes input,
                                        const pawl_call_options *options);
    /* The next update of this name that no earlier wait took; like wait_signal, in a queue of its own. */
    pawl_future(PAWL_CALL *wait_update)(pawl_process *p, pawl_bytes name);
    /* Answer an update that an await has given: with a value, or with why not (failure not NULL). Once each, and
     * recorded.
     */
    pawl_status(PAWL_CALL *answer)(pawl_process *p, pawl_future update, pawl_bytes value, const pawl_failure *failure);
} pawl_process_host;

/* What process code sees of its process: the table to use it with. The rest is the host's. */
struct pawl_process {
    const pawl_process_host *host;
};

/* "pawl.process/1": process types. */
#define PAWL_FACTORY_PROCESS "pawl.process/1"
typedef struct pawl_process_table {
    uint32_t struct_size;
    uint32_t flags; /* 0: deterministic from its journal, the host keeps nothing of it between activations */
    /* [instance] Run the program of this type from the top. PAWL_SUSPEND: it waits; PAWL_OK: complete was called;
     * < 0: it failed (with the failure given to fail, or that of the last result it saw fail). */
    pawl_status(PAWL_CALL *activate)(pawl_process *p, pawl_bytes type_name, uint32_t revision);
} pawl_process_table;

/* ---- storage: providers and the four facets ---------------------------------------------------------------------- */

#define PAWL_TIER_INLINE     0u /* gone with the OS process */
#define PAWL_TIER_CRASH_SAFE 1u /* survives kill -9 */
#define PAWL_TIER_DURABLE    2u /* survives power loss */
#define PAWL_TIER_REPLICATED 3u /* survives the loss of a machine */

/* In the order in which the tier check names them. */
#define PAWL_FACET_ATTACHMENT 0u
#define PAWL_FACET_ARTIFACT   1u
#define PAWL_FACET_SESSION    2u
#define PAWL_FACET_REGISTRY   3u
#define PAWL_FACET_COUNT      4u

/* "pawl.storage/1": opens a store; the facet tables below work on it. A plugin that offers a facet offers this too. */
#define PAWL_FACTORY_STORAGE "pawl.storage/1"
typedef struct pawl_store pawl_store; /* the plugin's own */
typedef struct pawl_storage_table {
    uint32_t struct_size;
    uint32_t facets; /* bit (1u << PAWL_FACET_x) for each facet offered */
    /* [any] The tier that a facet would really have with these settings; opens nothing. */
    pawl_status(PAWL_CALL *tier)(pawl_bytes config_json, uint32_t facet, uint32_t *tier, pawl_failure_sink *why);
    /* [loader] Open or create. PAWL_E_BUSY names the holder when another OS process has it. */
    pawl_status(PAWL_CALL *open)(const pawl_host_root *host, pawl_bytes config_json, pawl_store **store,
                                 pawl_failure_sink *why);
    /* [loader] Every submitted operation is completed (with PAWL_E_CLOSED if it was not done) before this returns. */
    void(PAWL_CALL *close)(pawl_store *store);
    /* [any] Facts for an operator, one JSON object: path, sizes, counts, epoch. */
    pawl_status(PAWL_CALL *describe)(pawl_store *store, pawl_sink *json, pawl_failure_sink *why);
} pawl_storage_table;

/* "pawl.storage-care/1", optional: looking after stores. A provider that lacks it, or a member of it, does not offer
 * that: a host says so and goes without. */
#define PAWL_FACTORY_STORAGE_CARE "pawl.storage-care/1"
#define PAWL_CARE_REPAIR          1u /* check: rebuild what is derived from what is primary */
#define PAWL_CARE_ACCEPT_DAMAGE   2u /* restore: also what the check finds problems in */

/* What a finding is. One of a kind that the receiver does not know is treated as PAWL_FINDING_PRIMARY. */
#define PAWL_FINDING_PROGRESS 1u /* no problem: so many rows of this place were looked at */
#define PAWL_FINDING_DERIVED  2u /* damage to what can be rebuilt from what is primary */
#define PAWL_FINDING_REPAIRED 3u /* the same, and it was rebuilt */
#define PAWL_FINDING_PRIMARY  4u /* damage to what stands nowhere else: only a backup has it */
/* All bytes are borrowed until the visitor returns; texts are UTF-8 for people. */
typedef struct pawl_care_finding {
    uint32_t struct_size;
    uint32_t kind;      /* PAWL_FINDING_* */
    pawl_bytes place;   /* the provider's name for where it is: a family of rows, a file */
    pawl_bytes key;     /* which row there; any bytes, may be empty */
    pawl_bytes process; /* id of the process concerned; empty: none, or not known */
    uint64_t number;    /* of that process; 0: none, or not known */
    pawl_bytes found;
    pawl_bytes wanted;
    pawl_bytes advice; /* PRIMARY: what an operator can do */
    uint64_t rows;     /* PROGRESS: looked at so far, of all places */
} pawl_care_finding;
/* [any] Receives findings as they are made. Return non-zero to stop. Implemented by the caller. */
typedef int32_t(PAWL_CALL *pawl_care_visit)(void *context, const pawl_care_finding *finding);
typedef struct pawl_storage_care_table {
    uint32_t struct_size;
    uint32_t reserved0;
    /* [loader] Check the store that these settings name, which must be there and closed (PAWL_E_NOT_FOUND,
     * PAWL_E_BUSY). Changes nothing without PAWL_CARE_REPAIR; with it, only what is derived. May be killed at any time
     * and begun again. PAWL_OK when it came to its end, whatever was found: facts says {"problems": n, ...}.
     * PAWL_E_CANCELLED when the visitor stopped it. */
    pawl_status(PAWL_CALL *check)(const pawl_host_root *host, pawl_bytes config_json, uint32_t flags,
                                  pawl_care_visit visit, void *context, pawl_sink *facts_json, pawl_failure_sink *why);
    /* [worker] Copy an open store into a directory that is not there yet, while others go on using it: everything
     * acknowledged before the call is in the copy, and the copy is as a crash would leave a store. On the device at the
     * store's tier when this returns; on failure nothing may be left that looks whole. */
    pawl_status(PAWL_CALL *backup)(pawl_store *store, pawl_bytes directory, pawl_sink *facts_json,
                                   pawl_failure_sink *why);
    /* [loader] Make the store that these settings name, which must not be there (PAWL_E_CONFLICT), from a directory
     * that backup filled, and check it on the way; damage is PAWL_E_CORRUPT and leaves nothing, unless flags accept it.
     * No token, revision or number that the restored store gives out was given out before the backup. */
    pawl_status(PAWL_CALL *restore)(const pawl_host_root *host, pawl_bytes config_json, pawl_bytes directory,
                                    uint32_t flags, pawl_care_visit visit, void *context, pawl_sink *facts_json,
                                    pawl_failure_sink *why);
} pawl_storage_care_table;

/* ---- facet: artifact ---- content-addressed code and definitions; a digest is 32 bytes of SHA-256 */
#define PAWL_FACTORY_ARTIFACT "pawl.facet.artifact/1"
typedef struct pawl_artifact_table {
    uint32_t struct_size;
    uint32_t reserved0;
    /* [worker] Store; the same bytes again are a no-op. digest receives 32 bytes. */
    pawl_status(PAWL_CALL *put)(pawl_store *store, pawl_bytes kind, pawl_bytes content, uint8_t *digest,
                                pawl_failure_sink *why);
    /* [worker] PAWL_E_NOT_FOUND if unknown, PAWL_E_CORRUPT if the bytes do not match the digest. kind may be NULL. */
    pawl_status(PAWL_CALL *get)(pawl_store *store, const uint8_t *digest, pawl_sink *content, pawl_sink *kind,
                                pawl_failure_sink *why);
    /* [worker] A holder (a process id, a profile name) keeps an artifact; both are idempotent. */
    pawl_status(PAWL_CALL *hold)(pawl_store *store, const uint8_t *digest, pawl_bytes holder, pawl_failure_sink *why);
    pawl_status(PAWL_CALL *release)(pawl_store *store, const uint8_t *digest, pawl_bytes holder,
                                    pawl_failure_sink *why);
    /* [worker] Remove one that nobody holds; PAWL_E_BUSY names a holder. */
    pawl_status(PAWL_CALL *remove)(pawl_store *store, const uint8_t *digest, pawl_failure_sink *why);
} pawl_artifact_table;

/* ---- facet: attachment ---- content-addressed blobs, linked to scopes: names of 1 to 320 bytes, those of sessions
 * and, with a word in front, the ids of processes */
#define PAWL_FACTORY_ATTACHMENT "pawl.facet.attachment/1"
typedef struct pawl_attachment_info {
    uint32_t struct_size;
    uint32_t reserved0;
    uint64_t size;
    uint64_t created_unix_ns;
    uint8_t digest[32];
    pawl_bytes media_type; /* as given by the scope asked about */
    pawl_bytes name;
} pawl_attachment_info;
/* [any] Receives one row of a listing. Return non-zero to stop. Implemented by the caller of list. */
typedef int32_t(PAWL_CALL *pawl_attachment_visit)(void *context, const pawl_attachment_info *info);
typedef struct pawl_attachment_upload pawl_attachment_upload; /* the provider's own */
/* A pass of collect: what to remove, and what was. */
typedef struct pawl_attachment_collect {
    uint32_t struct_size;
    uint32_t limit;          /* at most so many contents and uploads; 0: all */
    uint64_t before_unix_ns; /* those let go by their last scope, and uploads begun, before this */
    uint64_t removed;        /* set by the provider; as many as limit: there may be more */
    uint64_t bytes;          /* likewise: of the contents among them */
} pawl_attachment_collect;
typedef struct pawl_attachment_table {
    uint32_t struct_size;
    uint32_t reserved0;
    /* [worker] Begin to store content for a scope. An upload that is never committed leaves nothing readable and is
     * collected later. */
    pawl_status(PAWL_CALL *begin)(pawl_store *store, pawl_bytes scope, pawl_bytes media_type, pawl_bytes name,
                                  pawl_attachment_upload **upload, pawl_failure_sink *why);
    pawl_status(PAWL_CALL *write)(pawl_attachment_upload *upload, pawl_bytes chunk, pawl_failure_sink *why);
    /* [worker] Content and link in one batch, at the store's tier. Frees the upload, whatever it returns. The same
     * content again is a no-op for the content; the scope's media type and name become the new ones. */
    pawl_status(PAWL_CALL *commit)(pawl_attachment_upload *upload, uint8_t *digest, uint64_t *size,
                                   pawl_failure_sink *why);
    void(PAWL_CALL *abort)(pawl_attachment_upload *upload);
    /* [worker] A range; *total is the whole length. PAWL_E_NOT_FOUND, or PAWL_E_CORRUPT when a chunk fails its
     * check. */
    pawl_status(PAWL_CALL *read)(pawl_store *store, const uint8_t *digest, uint64_t offset, uint64_t size,
                                 pawl_sink *out, uint64_t *total, pawl_failure_sink *why);
    /* [worker] Is it linked to this scope? Calls visit once if so, else PAWL_E_NOT_FOUND. */
    pawl_status(PAWL_CALL *stat)(pawl_store *store, pawl_bytes scope, const uint8_t *digest,
                                 pawl_attachment_visit visit, void *context, pawl_failure_sink *why);
    /* [worker] Share with another scope; drop a scope's link. Both are idempotent. */
    pawl_status(PAWL_CALL *link)(pawl_store *store, pawl_bytes scope, const uint8_t *digest, pawl_bytes media_type,
                                 pawl_bytes name, pawl_failure_sink *why);
    pawl_status(PAWL_CALL *unlink)(pawl_store *store, pawl_bytes scope, const uint8_t *digest, pawl_failure_sink *why);
    /* [worker] Everything a scope links, in order of digest. */
    pawl_status(PAWL_CALL *list)(pawl_store *store, pawl_bytes scope, pawl_attachment_visit visit, void *context,
                                 pawl_failure_sink *why);
    /* [worker] Remove content that nothing links, and uploads that nobody will commit. Content with a link is never
     * removed, nor an upload that is under way. Costs what is removed, not what is stored. */
    pawl_status(PAWL_CALL *collect)(pawl_store *store, pawl_attachment_collect *pass, pawl_failure_sink *why);
} pawl_attachment_table;

/* ---- facet: session ---- revisioned key-value state */
#define PAWL_FACTORY_SESSION "pawl.facet.session/1"
#define PAWL_SESSION_PUT     1u
#define PAWL_SESSION_DELETE  2u
#define PAWL_SESSION_PUT_NEW 3u /* PAWL_E_CONFLICT when the key is there; the first value stays */
typedef struct pawl_session_change {
    uint32_t struct_size;
    uint32_t kind; /* PAWL_SESSION_* */
    pawl_bytes key;
    pawl_bytes value;
} pawl_session_change;
#define PAWL_REVISION_ANY UINT64_MAX
typedef int32_t(PAWL_CALL *pawl_session_visit)(void *context, pawl_bytes key, pawl_bytes value);
/* [any] Receives one session of a listing. Return non-zero to stop. Implemented by the caller of list. */
typedef int32_t(PAWL_CALL *pawl_session_name_visit)(void *context, pawl_bytes session, uint64_t revision);
typedef struct pawl_session_table {
    uint32_t struct_size;
    uint32_t reserved0;
    /* [worker] Change the state in one batch and raise the revision by one. Checks, in this order: (1) commit_key was
     * used in this session before with the same changes: PAWL_OK with the first outcome's revision, nothing written;
     * (2) with other changes: PAWL_E_CONFLICT; (3) expected_revision is not the current one: PAWL_E_STALE, *revision
     * is the current one; (4) PUT_NEW of a key that is there: PAWL_E_CONFLICT. A session that does not exist has
     * revision 0 and is created by its first commit. commit_key may be empty (no such check). */
    pawl_status(PAWL_CALL *commit)(pawl_store *store, pawl_bytes session, uint64_t expected_revision,
                                   pawl_bytes commit_key, const pawl_session_change *const *changes, size_t count,
                                   uint64_t *revision, pawl_failure_sink *why);
    /* [worker] One value, and the revision of the session. PAWL_E_NOT_FOUND when the key is absent (with *revision
     * set: 0 when there is no such session). */
    pawl_status(PAWL_CALL *get)(pawl_store *store, pawl_bytes session, pawl_bytes key, pawl_sink *value,
                                uint64_t *revision, pawl_failure_sink *why);
    /* [worker] Keys with this prefix, in order, from one revision. */
    pawl_status(PAWL_CALL *scan)(pawl_store *store, pawl_bytes session, pawl_bytes prefix, pawl_session_visit visit,
                                 void *context, uint64_t *revision, pawl_failure_sink *why);
    /* [worker] Remove the session's state and commit keys. Idempotent. */
    pawl_status(PAWL_CALL *remove)(pawl_store *store, pawl_bytes session, pawl_failure_sink *why);
    /* [worker] Sessions that have a revision, at most limit, those behind `after` (empty: from the first), in an order
     * of the provider's that does not change. */
    pawl_status(PAWL_CALL *list)(pawl_store *store, pawl_bytes after, uint32_t limit, pawl_session_name_visit visit,
                                 void *context, pawl_failure_sink *why);
} pawl_session_table;

/* ---- facet: process registry ----
 * A process is a header (pawl_process_row) and a journal of records numbered 1, 2, 3 ... without a gap. The provider
 * numbers and orders; what is inside a record is the worker's. Changes are asynchronous operations handed over in
 * batches; a provider commits many of them, of many processes, with one flush. Reads are synchronous. */
#define PAWL_FACTORY_REGISTRY "pawl.facet.registry/1"

#define PAWL_READY               1u  /* may be claimed */
#define PAWL_RUNNING             2u  /* leased */
#define PAWL_WAITING             3u  /* for a timer or something from outside */
#define PAWL_STUCK               4u  /* parked with a reason, until an operator resumes it */
#define PAWL_COMPENSATING        5u  /* undoes what it did; it may be leased, claimable or waiting meanwhile */
#define PAWL_COMPLETED           16u /* from here on: terminal */
#define PAWL_FAILED              17u
#define PAWL_CANCELLED           18u
#define PAWL_TERMINATED          19u
#define PAWL_IS_TERMINAL(status) ((status) >= PAWL_COMPLETED)

/* Record kinds that a provider knows by name; the worker owns 1..63, these come from outside or end a process. */
#define PAWL_RECORD_STARTED 64u /* always the first record of a run, and only it; its body is the input */
#define PAWL_RECORD_SIGNAL  65u /* posted */
#define PAWL_RECORD_CANCEL  66u /* posted: cancel was asked for */
#define PAWL_RECORD_RESUMED 67u /* posted: a stuck process may go on */
#define PAWL_RECORD_ENDED   68u /* always the last record; its body is the outcome */
#define PAWL_RECORD_REWOUND 76u /* posted: the steps from an ordinal on are to be done again, the end is void */
#define PAWL_RECORD_PARKED  69u /* the process became stuck; its body is the reason */
/* A child has ended: the provider appends it in the batch that ends the child. Its body is the child's parent_note and
 * behind it the body of the child's ENDED record. */
#define PAWL_RECORD_CHILD 70u
/* Written by a lease holder: from here on a live process that is not stuck is PAWL_COMPENSATING to all who look,
 * whether it is leased, claimable or waiting. */
#define PAWL_RECORD_COMPENSATING 82u
/* Posted: a worker died while it ran code of the process. Makes nothing ready. */
#define PAWL_RECORD_INTERRUPTED 90u
#define PAWL_RECORD_PAUSED      94u /* posted: an operator wants nothing of it to go on */
#define PAWL_RECORD_CONTINUED   95u /* posted: it may go on */
#define PAWL_RECORD_NOTICE      96u /* by the provider: the queue that the process waits for has changed */
#define PAWL_RECORD_UPDATE      80u /* posted: a request that the process answers */
#define PAWL_RECORD_REPLY       81u /* written by a lease holder: an answer; watched for by who asked */
#define PAWL_RECORD_EVENT       75u /* posted: an event of a declared type; the program never sees it */

typedef struct pawl_record {
    uint32_t struct_size;
    uint32_t kind;
    uint64_t sequence;     /* set by the provider; ignored in a request */
    uint64_t time_unix_ns; /* set by the provider: its clock at the commit */
    pawl_bytes body;
} pawl_record;

/* Which limit a ready process stands behind (see pawl_type_limits). */
#define PAWL_HELD_TYPE_CONCURRENCY 1u
#define PAWL_HELD_KEY_CONCURRENCY  2u
#define PAWL_HELD_TYPE_RATE        3u
#define PAWL_HELD_KEY_RATE         4u

/* The header of a process. As a result, all bytes are borrowed until the visitor returns. */
typedef struct pawl_process_row {
    uint32_t struct_size;
    uint32_t status;
    uint64_t number; /* dense, the provider's own; stable for the life of the process */
    pawl_bytes id;
    pawl_bytes type;
    uint32_t revision; /* of the type; at registration, or as it was pinned since */
    uint32_t run;
    pawl_bytes plugin;  /* id of the plugin it is pinned to */
    pawl_bytes digest;  /* 32 bytes of the plugin binary, or empty */
    pawl_bytes profile; /* host profile it was registered under; empty: any */
    pawl_bytes session;
    pawl_bytes parent;
    uint32_t external;      /* 1: tracked here, completed from outside, never claimed */
    uint32_t cancelled;     /* 1: cancel was asked for */
    uint64_t token;         /* of the current or last lease */
    uint64_t head;          /* sequence of the last record */
    uint64_t journal_bytes; /* of the records from base on */
    uint64_t created_unix_ns;
    uint64_t updated_unix_ns;
    uint64_t wake_unix_ns;  /* when a waiting process wakes by itself; 0: never */
    pawl_bytes reason_code; /* why stuck */
    pawl_bytes reason;      /* why stuck, or what it waits for, in words */
    pawl_bytes document;    /* status document */
    pawl_bytes outcome;     /* body of the ENDED record; terminal only */
    pawl_bytes worker;      /* name of the worker session that leases it; running only */
    uint64_t lease_left_ns; /* until its worker session expires; running only */
    uint64_t claims;        /* how often it was claimed since it was last stored as waiting; a hint */
    pawl_bytes parent_note; /* these as they were registered */
    pawl_bytes key;
    uint32_t parent_close;
    uint32_t priority; /* never 0 */
    uint64_t deadline_unix_ns;
    pawl_bytes attributes;   /* the current ones */
    uint64_t base;           /* sequence of STARTED, with which the journal begins; 1 unless a run was continued */
    uint32_t held;           /* PAWL_HELD_*: what a ready process stands behind, if the provider can tell; 0: nothing */
    uint32_t rewinds;        /* REWOUND records of this run */
    uint64_t held_limit;     /* of a concurrency: how many at once; of a rate: nanoseconds for each one */
    uint64_t ahead;          /* get: ready ones of its type, priority and key in front of it, counted up to 1000 */
    uint64_t paused_unix_ns; /* since when an operator keeps it still; 0: it is not paused */
    pawl_bytes paused;       /* body of its PAUSED record; empty when a claim hands the row out */
} pawl_process_row;
typedef int32_t(PAWL_CALL *pawl_row_visit)(void *context, const pawl_process_row *row);
typedef int32_t(PAWL_CALL *pawl_record_visit)(void *context, const pawl_record *record);

/* Operation kinds, the request each takes and the results it sets in the op. */
#define PAWL_OP_REGISTER                                                                                               \
    1u                      /* pawl_register: number, flags, sequence (of STARTED), count (the run); last two if new   \
                             */
#define PAWL_OP_APPEND   2u /* pawl_commit: sequence (first assigned), flags when it has seen */
#define PAWL_OP_SUSPEND  3u /* pawl_commit: sequence, flags; drops the lease unless PAWL_RESULT_MORE */
#define PAWL_OP_COMPLETE 4u /* pawl_commit: sequence, flags; drops the lease unless PAWL_RESULT_MORE */
#define PAWL_OP_PARK     5u /* pawl_commit: becomes stuck; drops the lease */
#define PAWL_OP_POST     6u /* pawl_post: sequence, flags */
#define PAWL_OP_WATCH    7u /* pawl_watch: sequence, result_kind, result_status */
#define PAWL_OP_PRUNE    8u /* pawl_prune: count */
#define PAWL_OP_CONTINUE 9u /* pawl_commit: sequence (of the new STARTED), flags; keeps the lease */
#define PAWL_OP_QUEUE_WAIT                                                                                             \
    10u /* pawl_queue_wait: number; asked for only with PAWL_REGISTRY_QUEUE_WAITS                                      \
         */

#define PAWL_OP_POST_ALL 11u /* pawl_post_all: count; asked for only with PAWL_REGISTRY_POST_ALL */

#define PAWL_RESULT_EXISTED  1u /* REGISTER: it was there already, with the same fingerprint */
#define PAWL_RESULT_REPLAYED 2u /* POST: this post id was accepted before; sequence is that of the first time */
/* SUSPEND, COMPLETE, APPEND with seen: records beyond seen arrived; the process stays leased. SUSPEND has appended its
 * records and changed nothing else; COMPLETE, CONTINUE and APPEND have written nothing */
#define PAWL_RESULT_MORE    4u
#define PAWL_RESULT_CLAIMED 8u  /* REGISTER with claim_session: leased at once, token is set */
#define PAWL_RESULT_QUEUED  64u /* POST with a delivery: it is a new item of the queue; else its key was known there */

/* One asynchronous operation. The caller owns it and everything it points to, and keeps all of that valid and
 * untouched until the registry host's completed() has it. */
typedef struct pawl_registry_op pawl_registry_op;
struct pawl_registry_op {
    uint32_t struct_size;
    uint32_t kind;          /* PAWL_OP_* */
    const void *request;    /* the struct that kind takes */
    void *host_data;        /* the caller's own */
    void *provider_data[4]; /* the provider's own, for queues without allocation */
    pawl_failure_sink *why; /* may be NULL */
    /* results, set by the provider before completed() */
    pawl_status status;
    uint32_t flags; /* PAWL_RESULT_* */
    uint64_t number;
    uint64_t token;
    uint64_t sequence;
    uint64_t count;
    uint32_t result_kind;
    uint32_t result_status;
};

#define PAWL_PARENT_NOTE_BYTES_MAX  64u
#define PAWL_CLOSE_BODY_BYTES_MAX   256u
#define PAWL_PARENT_CLOSE_CANCEL    0u /* it is asked to stop */
#define PAWL_PARENT_CLOSE_TERMINATE 1u
#define PAWL_PARENT_CLOSE_ABANDON   2u /* it goes on; a cancel of its parent does not reach it either */
#define PAWL_PARENT_CLOSE_UNTOLD                                                                                       \
    128u /* in a registration, added to one of these: its parent is not told of its end                                \
          */
#define PAWL_PRIORITY_HIGHEST 1u
#define PAWL_PRIORITY_NORMAL  3u
#define PAWL_PRIORITY_LOWEST  5u
/* The same content is the same process, also when it has ended; other content conflicts. */
#define PAWL_REUSE_EXISTING 0u
/* An id that is known conflicts, whatever its content. */
#define PAWL_REUSE_REJECT 1u
/* When the process has ended, a new one takes its place: other content is allowed, its number is new, its run one more,
 * and the former one is removed in the same batch. Its run is one more than that of a pruned one, too. One that has not
 * ended: as EXISTING. */
#define PAWL_REUSE_AFTER_END 2u
/* The same when it has ended otherwise than completed; one that has completed: as EXISTING, pruned: a conflict. */
#define PAWL_REUSE_AFTER_FAILURE 3u

typedef struct pawl_register {
    uint32_t struct_size;
    uint32_t external;
    pawl_bytes id;   /* 1..256 bytes, not blank */
    pawl_bytes type; /* 1..256 bytes */
    uint32_t revision;
    uint32_t reserved0;
    pawl_bytes plugin;
    pawl_bytes digest;
    pawl_bytes profile;
    pawl_bytes session;
    pawl_bytes parent;
    pawl_bytes input;       /* becomes the body of record 1 */
    pawl_bytes fingerprint; /* 16..32 bytes: the same id with another one is PAWL_E_CONFLICT */
    uint64_t claim_session; /* not 0: if it is new, lease it to this worker session in the same step (optional to do) */
    /* What the parent is told of its end begins with these bytes; at most PAWL_PARENT_NOTE_BYTES_MAX. */
    pawl_bytes parent_note;
    uint32_t parent_close;     /* PAWL_PARENT_CLOSE_*: what becomes of it when its parent ends first */
    uint32_t priority;         /* PAWL_PRIORITY_*; 0: PAWL_PRIORITY_NORMAL */
    pawl_bytes key;            /* what it shares its type's turns by; empty: its session */
    uint64_t start_unix_ns;    /* not 0: waits until then before it is ready for the first time */
    uint64_t deadline_unix_ns; /* not 0: it is to have ended by then */
    pawl_bytes attributes;     /* search attributes, a JSON object; may be empty */
    uint32_t reuse;            /* PAWL_REUSE_*: what an id that is known means */
    uint32_t exclusive;        /* 1: begins only after every exclusive process registered before it in its session
                                  has ended; wants a session, and no start_unix_ns */
    /* Of a child: the body of the CANCEL record that asks it to stop when its parent has ended, or, with
     * PAWL_PARENT_CLOSE_TERMINATE, of its ENDED record; at most PAWL_CLOSE_BODY_BYTES_MAX. The provider posts that by
     * itself. With a parent_note the parent must be leased by somebody (PAWL_E_STALE). */
    pawl_bytes close_body;
    /* With a deadline_unix_ns: the body of the CANCEL record that asks it to stop when the deadline passes before it
     * has ended and before any other cancel request, or, of an external one, of the ENDED record that ends it as
     * PAWL_FAILED. The provider posts that by itself, by its own clock; at most PAWL_CLOSE_BODY_BYTES_MAX. A REWOUND
     * makes a deadline hold again that has not passed. Empty: the deadline is shown, and nothing happens. */
    pawl_bytes deadline_body;
} pawl_register;

/* Another version of the plugin that a process is pinned to. */
typedef struct pawl_pin {
    uint32_t struct_size;
    uint32_t revision; /* of its type; not 0 */
    pawl_bytes digest; /* 32 bytes of the plugin binary, or empty */
} pawl_pin;

/* What a lease holder writes. CONTINUE ends the run and begins the next one in one batch: the same number, run one
 * more, records (STARTED first, then what was posted and not yet taken) behind the head, and no record in front of them
 * any more. It is cancelled if a CANCEL is among them. Post ids stay known. Checked inside the commit: unless token is
 * the process's current one nothing is written and the status is PAWL_E_STALE. */
typedef struct pawl_commit {
    uint32_t struct_size;
    uint32_t status; /* COMPLETE: the terminal status */
    uint64_t number;
    uint64_t token;
    /* SUSPEND, COMPLETE, CONTINUE: the last sequence the holder has seen. PARK: likewise, so that a cancel request
     * beyond it makes the process ready again at once; 0 when the journal could not be read. APPEND: 0, or the last
     * sequence that may stand in front of the records: when others stand beyond it, nothing is written
     * (PAWL_RESULT_MORE). */
    uint64_t seen;
    const pawl_record *records; /* appended in order, numbered densely after the head */
    size_t record_count;
    size_t record_size;         /* sizeof(pawl_record) as the caller knows it */
    uint64_t wake_unix_ns;      /* SUSPEND: 0 never */
    pawl_bytes reason_code;     /* PARK */
    pawl_bytes reason;          /* PARK: why; SUSPEND: what it waits for */
    const pawl_bytes *document; /* not NULL: the new status document */
    /* Not NULL: a JSON object of search attributes. A member is set, one that is null is removed, the others stay. */
    const pawl_bytes *attributes;
    const pawl_pin *pin; /* not NULL: what the process is pinned to from here on */
} pawl_commit;

/* What an event puts into the queue of a session. Of several with the same key (of this process and event type, for
 * this session) the first counts, also when its item is gone. */
typedef struct pawl_delivery {
    uint32_t struct_size;
    uint32_t exclusive; /* 1: is claimed alone */
    pawl_bytes session; /* 1..256 bytes */
    pawl_bytes type;    /* of the event; 1..256 bytes */
    pawl_bytes key;     /* at most 256 bytes; empty: this event is like no other */
    pawl_bytes merge;   /* neighbours with the same one may be claimed together; at most 256 bytes */
    pawl_bytes body;    /* what the consumer gets */
    uint64_t after_ns;  /* how long after the event it may be claimed first */
} pawl_delivery;

/* What comes from outside. Never judged by a token; once PAWL_OK it is never lost. SIGNAL, UPDATE, CANCEL, RESUMED make
 * a waiting process ready (RESUMED a stuck one; CANCEL too); ENDED ends a process: one of kind external, or any when
 * status is PAWL_TERMINATED or PAWL_CANCELLED with force (fences the holder). REWOUND, of one that is not external,
 * fences the holder and makes the process ready, also when it has ended or is paused: no end before it counts, and no
 * cancel request unless force says so. Anything else on a terminal process: PAWL_E_TERMINAL, except that an accepted
 * post id is answered as before. From PAUSED on a process cannot be claimed: a ready one is
 * waiting, nothing but CONTINUED or CANCEL makes it ready, and SUSPEND stores no wake time; its holder, told by the
 * event, goes on until it gives it back. CONTINUED makes a waiting one ready; PAWL_E_CONFLICT when it is not paused. A
 * stuck one cannot be paused (PAWL_E_CONFLICT), and parking or ending a process ends its pause. EVENT makes nothing
 * ready; with a terminal status it ends a process of kind external in the same batch, with an ENDED record behind it
 * whose body is outcome; with a delivery it puts an item into a session's queue ("pawl.queue/1") in the same batch. */
typedef struct pawl_post {
    uint32_t struct_size;
    uint32_t kind;      /* PAWL_RECORD_SIGNAL, _CANCEL, _RESUMED, _REWOUND, _INTERRUPTED, _ENDED, _PAUSED, _CONTINUED or
                           _EVENT */
    pawl_bytes id;      /* of the process */
    pawl_bytes post_id; /* 1..256 bytes: idempotency id within the process and kind */
    pawl_bytes fingerprint; /* 16..32 bytes: the same post_id with another one is PAWL_E_CONFLICT */
    pawl_bytes body;
    uint32_t status;    /* ENDED: the terminal status; EVENT: likewise, or 0 */
    uint32_t force;     /* ENDED: 1 ends a process that is not external; REWOUND: 1 keeps the cancel request */
    pawl_bytes outcome; /* EVENT with a status: the body of the ENDED record */
    const pawl_delivery *delivery; /* EVENT: what goes into a queue; NULL: nothing */
    uint32_t look; /* 1: write nothing; PAWL_OK when the post id was accepted before, else PAWL_E_NOT_FOUND, or why it
                      would be refused */
    uint32_t reserved0;
} pawl_post;

/* Completes when a record of one of the kinds stands after `after`, or when the process is terminal (then
 * result_kind is PAWL_RECORD_ENDED); at once if that is so already. PAWL_E_NOT_FOUND for an unknown id. */
typedef struct pawl_watch {
    uint32_t struct_size;
    uint32_t reserved0;
    pawl_bytes id;
    uint64_t after;
    uint64_t kinds; /* bit (1 << (kind - 64)) for kinds 64..127; 0: the end only */
} pawl_watch;

/* A process wants to know when something may be claimable in the queue of a session: the next time that an item comes
 * or comes back, or what stands in front of it goes, it gets a NOTICE record with this body, in the batch that makes it
 * so or by itself soon after, and waits no more. Waiting twice is waiting once. At most 256 wait for one queue
 * (PAWL_E_LIMIT). */
typedef struct pawl_queue_wait {
    uint32_t struct_size;
    uint32_t reserved0;
    pawl_bytes session; /* 1..256 bytes */
    pawl_bytes id;      /* of the process; PAWL_E_TERMINAL when it has ended */
    pawl_bytes body;    /* of the NOTICE record; at most 256 bytes */
} pawl_queue_wait;

/* Posts to many processes and a commit of a session's state, in one batch: all of it or nothing. A post whose process
 * has ended or is not there is passed over, as is one that was accepted before; count says how many are new. Nobody
 * else may commit to that session meanwhile. */
typedef struct pawl_post_all {
    uint32_t struct_size;
    uint32_t reserved0;
    const pawl_post *const *posts; /* of CANCEL or ENDED, to different processes */
    size_t post_count;             /* at most 1000 */
    uint8_t *is_new;               /* for each of posts; set by the provider; may be NULL */
    pawl_bytes session;
    const pawl_session_change *const *changes; /* as in a commit, at any revision and without a key */
    size_t change_count;
} pawl_post_all;

/* Removes terminal processes whose end is older. Their ids stay known as "no longer retained" until they are forgotten.
 */
typedef struct pawl_prune {
    uint32_t struct_size;
    uint32_t limit; /* at most this many in this operation */
    uint64_t ended_before_unix_ns;
    /* Not NULL: these instead of the oldest, whatever limit and ended_before_unix_ns say; at most 1000. One that is not
     * there, or has not ended, is passed over. */
    const uint64_t *numbers;
    size_t number_count;
    /* Not 0: removes no process, but forgets the ids of removed ones whose end is older than this, at most limit: they
     * are unknown then. Only with PAWL_REGISTRY_FORGETS. */
    uint64_t ids_before_unix_ns;
} pawl_prune;

/* Which ended processes to look at, from the oldest end on. The cursor is the end (updated_unix_ns) and the number of
 * the last one that was seen; zero: from the start. */
typedef struct pawl_ended {
    uint32_t struct_size;
    uint32_t limit;          /* rows; at most 1000 */
    uint64_t before_unix_ns; /* whose end is older */
    uint64_t after_unix_ns;
    uint64_t after_number;
} pawl_ended;

/* Limits of a type; they hold for all worker sessions of a store together, as the last claim of the type has them. A
 * type or key at a limit is passed over as a whole; WORK is announced when something of it may go on. A rate counts
 * what is claimed because it is ready: new, signalled, resumed. A key is pawl_register.key, else the session. */
typedef struct pawl_type_limits {
    uint32_t struct_size;
    uint32_t concurrency;          /* processes leased at once; 0: no limit */
    uint64_t rate_interval_ns;     /* one for each so many on average; 0: no limit */
    uint64_t key_rate_interval_ns; /* likewise of one key; what has no key is not counted */
    uint32_t key_concurrency;
    uint32_t rate_burst; /* so many at once after a pause; 0: 1 */
    uint32_t key_rate_burst;
    uint32_t reserved0;
} pawl_type_limits;

typedef struct pawl_claim {
    uint32_t struct_size;
    uint32_t limit;
    uint64_t session;        /* the worker session that claims */
    const pawl_bytes *types; /* only these */
    size_t type_count;
    size_t type_size; /* sizeof(pawl_bytes) */
    pawl_bytes id;    /* not empty: this process only; PAWL_E_BUSY names the holder and the time left,
                         PAWL_E_TERMINAL or PAWL_E_NOT_FOUND otherwise */
    const pawl_type_limits *const *limits; /* NULL, or for each of types its limits, or NULL */
} pawl_claim;

/* What a list asks of the search attributes of a process. A value is a JSON string, integer, real, true or false, and
 * only values of the same kind compare (an integer and a real are two kinds); what has no such value fulfils nothing
 * but NOT. Strings compare by their bytes. */
#define PAWL_CONDITION_EQUAL     1u
#define PAWL_CONDITION_NOT_EQUAL 2u /* has another value of this kind */
#define PAWL_CONDITION_LESS      3u
#define PAWL_CONDITION_AT_MOST   4u
#define PAWL_CONDITION_MORE      5u
#define PAWL_CONDITION_AT_LEAST  6u
#define PAWL_CONDITION_PREFIX    7u /* of a string */
#define PAWL_CONDITION_IN        8u /* value: a JSON array of at most 32; equals one of them */
/* These take what stands in front of them: two conditions, or one. */
#define PAWL_CONDITION_AND 16u
#define PAWL_CONDITION_OR  17u
#define PAWL_CONDITION_NOT 18u
typedef struct pawl_condition {
    uint32_t struct_size;
    uint32_t operation; /* PAWL_CONDITION_* */
    pawl_bytes name;    /* of the attribute */
    pawl_bytes value;   /* JSON */
} pawl_condition;

typedef struct pawl_list {
    uint32_t struct_size;
    uint32_t limit;        /* rows; at most 1000 */
    uint64_t status_mask;  /* bit (1 << status); 0: all */
    uint64_t after_number; /* page cursor: rows with a larger number (smaller when descending); 0: from the start */
    uint32_t descending;
    uint32_t reserved0;
    pawl_bytes type;    /* empty: all */
    pawl_bytes session; /* empty: all */
    pawl_bytes parent;  /* empty: all */
    pawl_bytes id_prefix;
    /* Conditions in postfix order; all that is left on the stack must be fulfilled. At most 64. With any, a page may
     * end early, with *next set, even without a row: a provider looks at a bounded number of rows for one page. */
    const pawl_condition *conditions;
    size_t condition_count;
    size_t condition_size; /* sizeof(pawl_condition) as the caller knows it */
} pawl_list;

#define PAWL_EVENT_POSTED 1u /* record: someone posted to a process this session leases */
#define PAWL_EVENT_LOST   2u /* the lease of number under token is gone: taken over, terminated */
#define PAWL_EVENT_WORK   3u /* there may be something to claim */
#define PAWL_EVENT_ENDED  4u /* the provider has ended a process by itself (its parent has ended); to every session */
typedef struct pawl_registry_event {
    uint32_t struct_size;
    uint32_t kind;
    uint64_t number;
    uint64_t token;
    const pawl_record *record; /* POSTED, ENDED; borrowed for the call, like what follows */
    pawl_bytes id;             /* ENDED, and so the rest: of the process */
    pawl_bytes type;
    pawl_bytes session;
    uint32_t status; /* PAWL_TERMINATED and so on */
    uint32_t reserved0;
} pawl_registry_event;

/* "pawl.registry-host/1", host to provider. Never called while the provider holds a lock. For one process the calls
 * come in the order of its records: POSTED for sequence n before completed() of an operation that was given n + 1. */
#define PAWL_EXT_REGISTRY_HOST "pawl.registry-host/1"
typedef struct pawl_registry_host {
    uint32_t struct_size;
    uint32_t reserved0;
    void(PAWL_CALL *completed)(pawl_registry_op *const *ops, size_t count); /* [any][nonblock] */
    /* [any][nonblock] listener: as given to worker_open. */
    void(PAWL_CALL *event)(void *listener, const pawl_registry_event *event);
} pawl_registry_host;

#define PAWL_REGISTRY_ATTRIBUTES 1u /* keeps and lists by search attributes */
#define PAWL_REGISTRY_ENDED      2u /* ended() is there, and PRUNE takes numbers */
#define PAWL_REGISTRY_FORGETS    4u /* PRUNE forgets ids */
#define PAWL_REGISTRY_QUEUE_WAITS                                                                                      \
    8u /* processes may wait for queues: PAWL_OP_QUEUE_WAIT, pawl_queue_claim.resume and pawl_queue_settle.holder      \
        */
#define PAWL_REGISTRY_POST_ALL 16u /* PAWL_OP_POST_ALL, when the session facet is of the same store */
typedef struct pawl_registry_table {
    uint32_t struct_size;
    uint32_t reserved0;
    /* [any][nonblock] Hand over operations; order is kept for each process. Every op is completed exactly once,
     * through the registry host, never from inside submit. */
    void(PAWL_CALL *submit)(pawl_store *store, pawl_registry_op *const *ops, size_t count);
    /* [any] Complete a WATCH op with PAWL_E_CANCELLED unless it has been completed already. */
    void(PAWL_CALL *unwatch)(pawl_store *store, pawl_registry_op *op);
    /* [any] Begin a worker session: listener gets its events. It expires ttl_ns after its last heartbeat. */
    pawl_status(PAWL_CALL *worker_open)(pawl_store *store, pawl_bytes name, uint64_t ttl_ns, void *listener,
                                        uint64_t *session, pawl_failure_sink *why);
    /* [any][nonblock] PAWL_E_STALE: it has expired, everything it leased is gone. Never waits for a write. */
    pawl_status(PAWL_CALL *heartbeat)(pawl_store *store, uint64_t session);
    /* [any] End it: what it still leases may be claimed at once. No event comes after this returns. */
    void(PAWL_CALL *worker_close)(pawl_store *store, uint64_t session);
    /* [worker] Lease processes to a worker session: ready, due, or left by an expired one. Each gets a token larger
     * than any before. visit sees each row with its status as PAWL_RUNNING. */
    pawl_status(PAWL_CALL *claim)(pawl_store *store, const pawl_claim *claim, pawl_row_visit visit, void *context,
                                  pawl_failure_sink *why);
    /* [any] Give a lease back: it may be claimed at once. PAWL_E_STALE if token is not the current one. */
    pawl_status(PAWL_CALL *release)(pawl_store *store, uint64_t number, uint64_t token);
    /* [any] Look at the clock again now: due processes are announced, expired sessions end. */
    void(PAWL_CALL *tick)(pawl_store *store);
    /* [worker] One header by id. PAWL_E_NOT_FOUND: unknown; with failure code "registry.no_longer_retained" when it
     * was pruned. */
    pawl_status(PAWL_CALL *get)(pawl_store *store, pawl_bytes id, pawl_row_visit visit, void *context,
                                pawl_failure_sink *why);
    /* [worker] Records of a process from a sequence on, in order, at most limit (0: all). */
    pawl_status(PAWL_CALL *journal)(pawl_store *store, uint64_t number, uint64_t from, uint64_t limit,
                                    pawl_record_visit visit, void *context, pawl_failure_sink *why);
    /* [worker] A page of headers. *next is the cursor of the next page, 0 at the end. */
    pawl_status(PAWL_CALL *list)(pawl_store *store, const pawl_list *list, pawl_row_visit visit, void *context,
                                 uint64_t *next, pawl_failure_sink *why);
    /* [any] How many processes have each status: counts[status], for status < count. Costs the same for any number
     * of processes. */
    pawl_status(PAWL_CALL *count)(pawl_store *store, uint64_t *counts, size_t count, pawl_failure_sink *why);
    uint64_t features; /* PAWL_REGISTRY_*: what may be asked of it beyond what is in every registry */
    /* [worker] Ended processes in the order of their end; fewer than limit: there are no more. One that cannot be read
     * is left out. */
    pawl_status(PAWL_CALL *ended)(pawl_store *store, const pawl_ended *ended, pawl_row_visit visit, void *context,
                                  pawl_failure_sink *why);
} pawl_registry_table;

/* "pawl.queue/1", optional, on a store that offers the registry: the queues of sessions. Items come from events alone
 * (pawl_delivery). They stand in the order in which they came, and are claimed in that order: a claim takes from the
 * first item on and stops at the first that cannot be claimed now. Times are the store's clock. */
#define PAWL_FACTORY_QUEUE "pawl.queue/1"
#define PAWL_QUEUE_READY   1u /* may be claimed, or will when its time has come */
#define PAWL_QUEUE_CLAIMED 2u
#define PAWL_QUEUE_DEAD    3u /* set aside after too many claims, until it is redriven or dropped */
typedef struct pawl_queue_item {
    uint32_t struct_size;
    uint32_t state; /* PAWL_QUEUE_* */
    uint64_t item;  /* its number in the queue, growing */
    uint64_t token; /* CLAIMED: of the claim */
    uint64_t number;
    pawl_bytes process; /* id of the process whose event it is, and its number, event type and sequence */
    pawl_bytes type;
    uint64_t sequence;
    pawl_bytes key;
    pawl_bytes merge;
    uint32_t exclusive;
    uint32_t claims; /* how often it was claimed since it came or was redriven */
    uint64_t created_unix_ns;
    uint64_t available_unix_ns;
    uint64_t expires_unix_ns; /* CLAIMED: when it may be claimed again */
    pawl_bytes consumer;      /* CLAIMED: who has it */
    pawl_bytes body;
} pawl_queue_item;
typedef int32_t(PAWL_CALL *pawl_queue_visit)(void *context, const pawl_queue_item *item);

typedef struct pawl_queue_claim {
    uint32_t struct_size;
    uint32_t limit; /* items; 1..1000 */
    pawl_bytes session;
    pawl_bytes consumer; /* a name for people; 1..256 bytes */
    uint64_t lease_ns;   /* how long they are held, from now */
    uint32_t claims_max; /* an item that was claimed so often in vain is set aside as dead; 0: never */
    uint32_t resume;     /* 1: what this consumer has claimed and nobody else has since is given again, under the same
                            token, and held anew; only when there is no such thing is anything claimed */
} pawl_queue_claim;

#define PAWL_QUEUE_ACKNOWLEDGE 1u /* done: the item is gone */
#define PAWL_QUEUE_RELEASE     2u /* give it back, to be claimed again after delay_ns */
#define PAWL_QUEUE_EXTEND      3u /* hold it for delay_ns from now */
typedef struct pawl_queue_settle {
    uint32_t struct_size;
    uint32_t action; /* PAWL_QUEUE_* */
    pawl_bytes session;
    const uint64_t *items; /* all of one claim, or some */
    size_t item_count;
    uint64_t token; /* of that claim */
    uint64_t delay_ns;
    uint32_t claims_max; /* RELEASE: as in a claim */
    uint32_t commit;     /* ACKNOWLEDGE: 1: in one batch with a commit of the session's state, as pawl_session_table has
                            it; a commit key that is known answers first, whatever became of the items */
    uint64_t expected_revision;
    pawl_bytes commit_key;
    const pawl_session_change *const *changes;
    size_t change_count;
    pawl_bytes holder; /* without commit: not empty: a process that settles under commit_key, its only one; when the
                          last thing that it settled in this session had that key, that answers */
} pawl_queue_settle;

#define PAWL_QUEUE_REDRIVE 1u /* dead items come to the end of the queue, as if new */
#define PAWL_QUEUE_DROP    2u /* items, dead or not claimed now, are gone */
typedef struct pawl_queue_table {
    uint32_t struct_size;
    uint32_t reserved0;
    /* [worker] Hold items for a consumer; visit sees each once that is durable. Items next to each other with the same
     * merge key are taken together, an exclusive one alone. *again_unix_ns: when nothing was claimed, when that may be
     * different by itself; 0: never. */
    pawl_status(PAWL_CALL *claim)(pawl_store *store, const pawl_queue_claim *claim, pawl_queue_visit visit,
                                  void *context, uint64_t *again_unix_ns, pawl_failure_sink *why);
    /* [worker] PAWL_E_STALE when the token is not the current claim of each item (then nothing is done); a claim whose
     * time is over counts until somebody else has claimed. revision: of the commit; may be NULL. */
    pawl_status(PAWL_CALL *settle)(pawl_store *store, const pawl_queue_settle *settle, uint64_t *revision,
                                   pawl_failure_sink *why);
    /* [worker] A page of items in order, dead ones or the others; after: the last item of the page before. */
    pawl_status(PAWL_CALL *list)(pawl_store *store, pawl_bytes session, uint32_t dead, uint64_t after, uint32_t limit,
                                 pawl_queue_visit visit, void *context, pawl_failure_sink *why);
    /* [worker] For an operator. count 0: all dead ones. *done: how many. PAWL_E_NOT_FOUND when one is not there (then
     * nothing is done), PAWL_E_BUSY when one is claimed now. */
    pawl_status(PAWL_CALL *tend)(pawl_store *store, pawl_bytes session, uint32_t action, const uint64_t *items,
                                 size_t count, uint64_t *done, pawl_failure_sink *why);
} pawl_queue_table;

/* ---- middleware and observers ------------------------------------------------------------------------------------ */

#define PAWL_ATTEMPT_UNDOES 1u /* the call undoes an earlier one: it is better not refused */
/* One attempt of a call, as middleware sees it. Bytes are valid for the call that they are passed to. */
typedef struct pawl_attempt {
    uint32_t struct_size;
    uint32_t attempt;   /* 1 and up; of this call, across restarts */
    uint32_t run;       /* of the process; 1 and up */
    uint32_t flags;     /* PAWL_ATTEMPT_* */
    uint64_t ordinal;   /* of the call in that run: the last part of its idempotency key */
    pawl_bytes process; /* its id */
    pawl_bytes type;
    pawl_bytes session; /* empty: none */
    pawl_bytes effect;  /* as process code names it: "bank.charge", or connector instance and operation */
    pawl_bytes input;   /* in `before`; empty in `after` */
} pawl_attempt;

/* What became of an attempt that was let through. */
typedef struct pawl_attempt_end {
    uint32_t struct_size;
    uint32_t begun;     /* 0: it did not begin: what stands behind held it back or refused it, or nobody wants it now */
    pawl_status status; /* of the effect; 0 when it did not begin */
    uint32_t reserved0;
    uint64_t duration_ns;
    const pawl_failure *failure; /* NULL: it did not fail */
} pawl_attempt_end;

/* "pawl.middleware/1": decides about attempts of calls before they begin, and is told how they ended. The profile makes
 * instances of it, and names them in the `order` of connectors and effects. What it counts is its own, and in memory:
 * a host that starts again makes new instances. */
#define PAWL_FACTORY_MIDDLEWARE "pawl.middleware/1"
typedef struct pawl_middleware pawl_middleware; /* the plugin's own */
typedef struct pawl_middleware_table {
    uint32_t struct_size;
    uint32_t flags; /* 0 */
    /* [loader] One instance. name: as in the profile; config_json: an object, secrets already filled in. */
    pawl_status(PAWL_CALL *create)(const pawl_host_root *host, pawl_bytes name, pawl_bytes config_json,
                                   pawl_middleware **instance, pawl_failure_sink *why);
    void(PAWL_CALL *destroy)(pawl_middleware *instance); /* [loader] no call is under way; NULL is allowed */
    /* [any][nonblock] May this attempt begin? PAWL_OK: yes; *ticket (0 at first) is given to the `after` that belongs
     * to it. PAWL_PENDING: not now; ask again after *wait_ns (1 ms to a day), or earlier; the message told to `why`, if
     * any, says what for. Negative: not at all; the call fails with what was told to `why`, and no attempt is made or
     * repeated. Any other answer fails the call, too. */
    pawl_status(PAWL_CALL *before)(pawl_middleware *instance, const pawl_attempt *attempt, uint64_t *ticket,
                                   uint64_t *wait_ns, pawl_failure_sink *why);
    /* [any][nonblock] Once for each attempt that `before` has let through, from any thread. Non-zero: what this
     * instance holds back may be let through now, and is asked about again. May be NULL. */
    int32_t(PAWL_CALL *after)(pawl_middleware *instance, const pawl_attempt *attempt, uint64_t ticket,
                              const pawl_attempt_end *end);
    /* [any][nonblock] How it is now, for an operator: one JSON object of at most 64 KiB. May be NULL. */
    pawl_status(PAWL_CALL *describe)(pawl_middleware *instance, pawl_sink *json);
} pawl_middleware_table;

/* What an observer is told of. A kind that it does not know is to be ignored. */
#define PAWL_OBSERVED_CLAIMED      1u /* this worker holds the process now */
#define PAWL_OBSERVED_ACTIVATED    2u /* its program has run: duration_ns; status: PAWL_SUSPEND, PAWL_OK, or it failed */
#define PAWL_OBSERVED_CALL_BEGAN   3u  /* ordinal, effect, attempt: handed to a thread, or run */
#define PAWL_OBSERVED_CALL_ENDED   4u  /* and status, failure, duration_ns. Not yet on record */
#define PAWL_OBSERVED_RETRY        5u  /* that attempt failed, and the next one is due at due_unix_ns */
#define PAWL_OBSERVED_CANCEL_ASKED 6u  /* it was asked to stop; told again after each claim */
#define PAWL_OBSERVED_COMPENSATING 7u  /* what it did is being undone; told again after each claim */
#define PAWL_OBSERVED_SUSPENDED    8u  /* it waits, and has left memory; due_unix_ns: until then at most; 0: no limit */
#define PAWL_OBSERVED_PARKED       9u  /* stuck: failure has code and reason */
#define PAWL_OBSERVED_CONTINUED    10u /* as a new run; `run` is that of the next one */
#define PAWL_OBSERVED_ENDED        11u /* durably: process_status; failure unless it completed */
#define PAWL_OBSERVED_LEASE_LOST   12u /* somebody else has it, or has ended it: this worker has dropped it */
#define PAWL_OBSERVED_RECONCILE    1u  /* flags: the attempt only asks whether an earlier one happened */
typedef struct pawl_observation {
    uint32_t struct_size;
    uint32_t kind; /* PAWL_OBSERVED_*: which says what of the rest is set */
    uint64_t time_unix_ns;
    pawl_bytes process; /* its id */
    pawl_bytes type;    /* empty for the end of a call whose process this worker has dropped meanwhile; session, too */
    pawl_bytes session;
    uint32_t run; /* 0: not known, as for type */
    uint32_t attempt;
    uint64_t ordinal;
    pawl_bytes effect;
    uint64_t duration_ns;
    uint64_t due_unix_ns;
    const pawl_failure *failure;
    pawl_status status;
    uint32_t process_status; /* PAWL_COMPLETED, ... */
    uint32_t flags;
    uint32_t reserved0;
} pawl_observation;

/* "pawl.observer/1": is told what a worker does. It changes nothing, and nothing waits for it, but the thread that
 * tells it. */
#define PAWL_FACTORY_OBSERVER "pawl.observer/1"
typedef struct pawl_observer pawl_observer; /* the plugin's own */
typedef struct pawl_observer_table {
    uint32_t struct_size;
    uint32_t flags; /* 0 */
    /* [loader] One for each entry of the profile. *kinds: a bit (1 << PAWL_OBSERVED_x) for each kind to be told of; all
     * at first: an observer that wants few things takes the others away, and costs less. */
    pawl_status(PAWL_CALL *create)(const pawl_host_root *host, pawl_bytes config_json, uint64_t *kinds,
                                   pawl_observer **observer, pawl_failure_sink *why);
    void(PAWL_CALL *destroy)(pawl_observer *observer); /* [loader] no call is under way; NULL is allowed */
    /* [any][nonblock] Bytes are valid for the call. Those of one process come in order while one worker holds it. A
     * call that takes longer than the profile allows is reported; after many of them the observer is told no more. */
    void(PAWL_CALL *observe)(pawl_observer *observer, const pawl_observation *observation);
    /* [any][nonblock] As in pawl_middleware_table. May be NULL. */
    pawl_status(PAWL_CALL *describe)(pawl_observer *observer, pawl_sink *json);
} pawl_observer_table;

/* ---- frozen: the size and the last member of everything released ------------------------------------------------- */

/* In bytes on a 64-bit machine. A struct that grows gets a line for its new last member and keeps the old one, as
 * PAWL_FROZEN_END_: what was released stays where it was. */
#if defined(__LP64__)
#define PAWL_FROZEN_END_(type, last, bytes)                                                                            \
    PAWL_STATIC_ASSERT(offsetof(type, last) + sizeof(((type *)0)->last) == (bytes),                                    \
                       #type ": the end of " #last " moved")
#define PAWL_FROZEN_(type, last, bytes)                                                                                \
    PAWL_STATIC_ASSERT(offsetof(type, last) + sizeof(((type *)0)->last) == (bytes) && sizeof(type) == (bytes),         \
                       #type ": its size is not that of its last release")
PAWL_FROZEN_(pawl_bytes, size, 16);
PAWL_FROZEN_(pawl_failure, retry_after_ns, 64);
PAWL_FROZEN_(pawl_host_root, get_extension, 40);
PAWL_FROZEN_(pawl_core, unix_now_ns, 72);
PAWL_FROZEN_(pawl_plugin_root, get_factory, 72);
PAWL_FROZEN_(pawl_effect_call, cancel, 104);
PAWL_FROZEN_(pawl_effect_table, reconcile, 32);
PAWL_FROZEN_(pawl_connector_table, reconcile, 48);
PAWL_FROZEN_(pawl_attachments, load, 56);
PAWL_FROZEN_(pawl_call_options, deadline_ns, 24);
PAWL_FROZEN_(pawl_child_options, key, 72);
PAWL_FROZEN_(pawl_process_host, answer, 256);
PAWL_FROZEN_(pawl_process, host, 8);
PAWL_FROZEN_(pawl_process_table, activate, 16);
PAWL_FROZEN_(pawl_storage_table, describe, 40);
PAWL_FROZEN_(pawl_care_finding, rows, 120);
PAWL_FROZEN_(pawl_storage_care_table, restore, 32);
PAWL_FROZEN_(pawl_artifact_table, remove, 48);
PAWL_FROZEN_(pawl_attachment_info, name, 88);
PAWL_FROZEN_(pawl_attachment_collect, bytes, 32);
PAWL_FROZEN_(pawl_attachment_table, collect, 88);
PAWL_FROZEN_(pawl_session_change, value, 40);
PAWL_FROZEN_(pawl_session_table, list, 48);
PAWL_FROZEN_(pawl_record, body, 40);
PAWL_FROZEN_(pawl_process_row, paused, 408);
PAWL_FROZEN_(pawl_registry_op, result_status, 112);
PAWL_FROZEN_(pawl_register, deadline_body, 280);
PAWL_FROZEN_(pawl_pin, digest, 24);
PAWL_FROZEN_(pawl_commit, pin, 120);
PAWL_FROZEN_(pawl_delivery, after_ns, 96);
PAWL_FROZEN_(pawl_post, reserved0, 112);
PAWL_FROZEN_(pawl_post_all, change_count, 64);
PAWL_FROZEN_(pawl_watch, kinds, 40);
PAWL_FROZEN_(pawl_queue_wait, body, 56);
PAWL_FROZEN_(pawl_prune, ids_before_unix_ns, 40);
PAWL_FROZEN_(pawl_ended, after_number, 32);
PAWL_FROZEN_(pawl_type_limits, reserved0, 40);
PAWL_FROZEN_(pawl_claim, limits, 64);
PAWL_FROZEN_(pawl_condition, value, 40);
PAWL_FROZEN_(pawl_list, condition_size, 120);
PAWL_FROZEN_(pawl_registry_event, reserved0, 88);
PAWL_FROZEN_(pawl_registry_host, event, 24);
PAWL_FROZEN_(pawl_registry_table, ended, 120);
PAWL_FROZEN_(pawl_queue_item, body, 168);
PAWL_FROZEN_(pawl_queue_claim, resume, 56);
PAWL_FROZEN_(pawl_queue_settle, holder, 120);
PAWL_FROZEN_(pawl_queue_table, tend, 40);
PAWL_FROZEN_(pawl_attempt, input, 104);
PAWL_FROZEN_(pawl_attempt_end, failure, 32);
PAWL_FROZEN_(pawl_middleware_table, describe, 48);
PAWL_FROZEN_(pawl_observation, reserved0, 136);
PAWL_FROZEN_(pawl_observer_table, describe, 40);
#endif

#ifdef __cplusplus
}
#endif
#endif /* PAWL_ABI_H */
