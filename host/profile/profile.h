/* profile.h: a host profile, read from YAML into a checked struct. Owns the parsed profile and everything in it.
 *
 * Every problem of a file is found in one pass, each with its place. Loading reads the profile and looks whether the
 * files it names exist; it opens no store, loads no plugin, resolves no secret, creates nothing.
 * Never: lets a value through that was not checked, puts the value of a secret anywhere (secret.h fills them in later).
 *
 * All relative paths are relative to the directory of the profile file; in the struct every path is absolute.
 * Thread tags: load, parse and free belong to one thread at a time; everything on a const profile is [any]. */
#ifndef PAWL_HOST_PROFILE_H
#define PAWL_HOST_PROFILE_H

#include "worker/base/error.h"
#include "worker/effect/circuit.h"
#include "worker/retry.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#define PAWL_PROFILE_BYTES_MAX (1024u * 1024u) /* of a profile file */
#define PAWL_PROFILE_DEPTH_MAX 40u             /* of nesting, with aliases followed */
#define PAWL_PROFILE_NODES_MAX 100000u         /* values in it, with aliases followed */
#define PAWL_PROBLEMS_MAX      200u            /* kept of one file; the rest are counted */

/** Where something stands in the profile; both count from 1, columns in characters. {0, 0}: nowhere (a default). */
typedef struct pawl_place {
    uint32_t line;
    uint32_t column;
} pawl_place;

/* ---- problems ---- */

/** One thing wrong with a profile. */
typedef struct pawl_problem {
    pawl_place place;
    const char *code; /* stable, static: "profile.unknown_key" (docs/profile.md lists them) */
    char *message;    /* what was found, what was expected */
} pawl_problem;

/** All that is wrong with one file, in the order of places. Zero-initialise; free with pawl_problems_free. */
typedef struct pawl_problem_list {
    char *path; /* of the profile, as given */
    pawl_problem *items;
    size_t count;
    size_t more; /* found but not kept, beyond PAWL_PROBLEMS_MAX */
} pawl_problem_list;

/** Add a problem, for checks made after loading. code: static. Running out of memory drops it into `more`. */
void pawl_problems_add(pawl_problem_list *list, pawl_place place, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/** The problems, one per line: "path:line:column: message [code]". Ends with a newline unless there are none.
 *  @return heap text for the caller to free(), or NULL when out of memory. */
char *pawl_problems_text(const pawl_problem_list *list);
void pawl_problems_print(const pawl_problem_list *list, FILE *out);
/** Free what the list holds and zero it. NULL allowed. */
void pawl_problems_free(pawl_problem_list *list);

/* ---- the profile ---- */

/** stores.NAME */
typedef struct pawl_profile_store {
    const char *name;
    const char *provider; /* "rocksdb", "memory" (linked in) or the id of a plugin */
    json_t *config;       /* an object, never NULL; for rocksdb "path" is set and absolute */
    pawl_place place;     /* of the name */
    pawl_place provider_place;
} pawl_profile_store;

/** facets.* */
typedef struct pawl_profile_facet {
    const pawl_profile_store *store;
    pawl_place place; /* of the store's name; {0, 0} when it was left to the only store */
} pawl_profile_facet;

enum { PAWL_ISOLATION_NONE = 0, PAWL_ISOLATION_PROCESS = 1 };
enum { PAWL_SECCOMP_STRICT = 0, PAWL_SECCOMP_NETWORK = 1, PAWL_SECCOMP_OFF = 2 };

/** plugins[].limits: of each process of an isolated plugin. */
typedef struct pawl_profile_isolation {
    uint64_t memory_bytes;
    uint64_t cpu_ns; /* without ending a call; 0: any */
    uint32_t open_files;
    uint32_t processes; /* 0: it may start none */
    uint32_t seccomp;   /* PAWL_SECCOMP_* */
    uint32_t workers;   /* processes that share its calls */
    const char *user;   /* NULL: the host's own */
} pawl_profile_isolation;

/** One of plugins */
typedef struct pawl_profile_plugin {
    const char *path;
    const char *sha256; /* 64 lower-case hex digits, or NULL (only when dev) */
    bool dev;
    bool optional;
    bool current;       /* of several versions of a plugin: what begins now begins with this one */
    uint32_t isolation; /* PAWL_ISOLATION_* */
    pawl_profile_isolation limits;
    json_t *config; /* an object, never NULL */
    pawl_place place;
} pawl_profile_plugin;

/** A token bucket. */
typedef struct pawl_profile_rate {
    bool written;
    uint32_t rate; /* so many in a span of per_ns */
    uint64_t per_ns;
    uint32_t burst; /* 0: as rate */
} pawl_profile_rate;

/** What stands between processes and an instance or effect. */
typedef struct pawl_profile_guards {
    pawl_profile_rate rate_limit;
    struct {
        bool written;
        pawl_circuit_config config;
    } circuit;
    const char *const *order; /* NULL: the usual one; NULL-terminated */
    pawl_place order_place;
} pawl_profile_guards;

/** middleware.NAME */
typedef struct pawl_profile_middleware {
    const char *name;
    const char *plugin; /* id of the plugin */
    json_t *config;     /* an object, never NULL */
    pawl_place place;   /* of the name */
    pawl_place plugin_place;
} pawl_profile_middleware;

/** One of observers */
typedef struct pawl_profile_observer {
    const char *plugin; /* id of the plugin */
    json_t *config;     /* an object, never NULL */
    uint64_t slow_ns;   /* a call that takes longer is slow */
    pawl_place place;
    pawl_place plugin_place;
} pawl_profile_observer;

#define PAWL_QUEUE_ANY 1000000u

/** connectors.NAME */
typedef struct pawl_profile_connector {
    const char *name;
    const char *plugin;   /* id of the plugin */
    json_t *config;       /* an object, never NULL */
    uint32_t concurrency; /* calls at once; 0: as many as there are effect threads */
    uint32_t queue;       /* calls handed to threads beyond those; PAWL_QUEUE_ANY: as many as there are */
    pawl_profile_guards guards;
    pawl_place place; /* of the name */
    pawl_place plugin_place;
} pawl_profile_connector;

/* Which members of an effect's settings were written in the profile. */
#define PAWL_SET_TIMEOUT       1u
#define PAWL_SET_CONCURRENCY   2u
#define PAWL_SET_ATTEMPTS      4u
#define PAWL_SET_FIRST_DELAY   8u
#define PAWL_SET_FACTOR        16u
#define PAWL_SET_MAX_DELAY     32u
#define PAWL_SET_JITTER        64u
#define PAWL_SET_ELAPSED_MAX   128u
#define PAWL_SET_ON_EXHAUSTED  256u
#define PAWL_SET_NON_RETRYABLE 512u
#define PAWL_SET_DEADLINE      1024u

/** effects."NAME": overrides for one effect ("stock.reserve") or connector operation ("receiver.post"). Members whose
 *  bit is not in `set` hold nothing of meaning. */
typedef struct pawl_profile_effect {
    const char *name;
    uint32_t set;         /* PAWL_SET_* */
    uint64_t timeout_ns;  /* of one attempt; 0: none */
    uint64_t deadline_ns; /* of all attempts of a call; 0: none */
    uint32_t concurrency;
    pawl_retry_policy retry;
    pawl_profile_guards guards;
    pawl_place place; /* of the name */
} pawl_profile_effect;

/** attributes.NAME: a search attribute that processes may have. */
typedef struct pawl_profile_attribute {
    const char *name;
    uint32_t type;    /* PAWL_ATTRIBUTE_* (worker/attributes.h) */
    pawl_place place; /* of the name */
} pawl_profile_attribute;
/** Limits of one process type, or of each key of it. */
typedef struct pawl_profile_type_limits {
    uint32_t concurrency; /* processes held at once; 0: no limit */
    pawl_profile_rate rate_limit;
} pawl_profile_type_limits;

/** types."NAME" */
typedef struct pawl_profile_type {
    const char *name;
    pawl_profile_type_limits whole;
    pawl_profile_type_limits per_key;
    bool exclusive;       /* of those with a session, one at a time in it, in the order of their starts */
    uint64_t deadline_ns; /* of processes whose start says nothing; 0: none */
    pawl_place place;     /* of the name */
} pawl_profile_type;

/** retention.types.NAME: how long ended processes of one type are kept. */
typedef struct pawl_profile_keep {
    const char *name;  /* of the process type */
    uint64_t ended_ns; /* 0: for ever */
    pawl_place place;  /* of the name */
} pawl_profile_keep;

/** schedules.NAME */
typedef struct pawl_profile_schedule {
    const char *name;
    json_t *spec;     /* as written; host/schedule/spec.h reads it, and has found it right */
    pawl_place place; /* of the name */
    pawl_place type_place;
} pawl_profile_schedule;

enum { PAWL_SCHEMAS_ENFORCE = 0, PAWL_SCHEMAS_OFF = 1 };

/** A checked profile. Read-only once loaded; free with pawl_profile_free. */
typedef struct pawl_profile {
    const char *path;      /* of the file, as given; for error messages */
    const char *directory; /* absolute: what relative paths are relative to */
    const char *name;
    uint32_t tier;    /* PAWL_TIER_* that every facet must have */
    uint32_t schemas; /* PAWL_SCHEMAS_*: are inputs checked against what manifests declare? */
    const char *data;
    const char *socket;
    pawl_profile_store *stores;
    size_t store_count;
    pawl_profile_facet facets[PAWL_FACET_COUNT]; /* by PAWL_FACET_*; no store is NULL */
    pawl_profile_plugin *plugins;                /* in load order */
    size_t plugin_count;
    pawl_profile_connector *connectors;
    size_t connector_count;
    pawl_profile_middleware *middleware;
    size_t middleware_count;
    pawl_profile_observer *observers;
    size_t observer_count;
    pawl_profile_effect *effects;
    size_t effect_count;
    pawl_profile_type *types;
    size_t type_count;
    pawl_retry_policy retry; /* for effects whose manifest and override say nothing */
    uint32_t retry_set;      /* PAWL_SET_* of the members written in the profile */
    struct {
        uint64_t call_ns; /* of one attempt, for effects that say nothing; 0: none */
        uint64_t cancel_grace_ns;
        uint64_t stop_grace_ns;
        uint64_t activation_warn_ns;
    } timeouts;
    struct {
        uint64_t value_bytes;
        uint64_t journal_warn_bytes;
        uint64_t journal_max_bytes;
        uint64_t input_bytes;
        uint64_t plugin_file_bytes;
        uint64_t attachment_bytes;
        uint32_t resident;
        uint32_t effects_queued;
        uint32_t requests;
    } limits;
    struct {
        const char *name; /* never NULL: the host name when not given */
        uint32_t shards;  /* 0: one per core */
        uint32_t effect_threads;
        uint64_t lease_ttl_ns;
        uint64_t heartbeat_ns;
        bool enabled;
    } worker;
    struct {
        uint32_t level; /* PAWL_LOG_* */
        bool json;
    } log;
    pawl_profile_schedule *schedules;
    size_t schedule_count;
    pawl_profile_attribute *attributes;
    size_t attribute_count;
    struct {
        uint64_t ended_ns; /* how long a process is kept after its end; 0: for ever */
        pawl_profile_keep *types;
        size_t type_count;
        uint32_t max;             /* so many ended processes are kept; 0: any number */
        uint64_t ids_ns;          /* how long after its end the id of a forgotten process is known; 0: for ever */
        uint64_t unreferenced_ns; /* how long content is kept that nothing refers to; 0: for ever */
    } retention;
    struct {
        bool known; /* what begins in a session that nobody has committed to is refused */
    } sessions;
    struct pawl_profile_memory *memory; /* owns all text and arrays above */
} pawl_profile;

/* ---- loading ---- */

/** Read and check a profile file.
 *  @param[out] ret       the profile, only when PAWL_OK is returned; free with pawl_profile_free
 *  @param[out] problems  zero-initialised by the caller, who frees it; holds at least one unless the status is PAWL_OK
 *                       or PAWL_E_NOMEM
 *  @return PAWL_OK, PAWL_E_INVALID (something is wrong with it), PAWL_E_NOT_FOUND or PAWL_E_IO (the file cannot be
 * read), PAWL_E_LIMIT (too large), PAWL_E_NOMEM */
pawl_status pawl_profile_load(const char *path, pawl_profile **ret, pawl_problem_list *problems);

#define PAWL_PROFILE_NO_FILES 1u /* do not look whether the named files exist (tests, fuzzing, checks elsewhere) */

/** As pawl_profile_load, from text. name: stands for the path in reports; directory: what relative paths are relative
 * to, NULL for the working directory; flags: PAWL_PROFILE_*. */
pawl_status pawl_profile_parse(const char *text, size_t size, const char *name, const char *directory, uint32_t flags,
                               pawl_profile **ret, pawl_problem_list *problems);

/** NULL allowed; returns NULL. */
pawl_profile *pawl_profile_free(pawl_profile *profile);

/** What the manifests of the named plugins offer. NULL-terminated lists; a NULL list is not checked against. */
typedef struct pawl_profile_known {
    const char *const *providers;  /* ids of plugins with storage, beside "rocksdb" and "memory" */
    const char *const *connectors; /* ids of plugins with a connector */
    const char *const *effects;    /* names of effects and "instance.operation" of connectors */
    const char *const *types;      /* names of process types */
    const char *const *middleware; /* ids of plugins with middleware */
    const char *const *observers;  /* ids of plugins with an observer */
} pawl_profile_known;

/** Check the ids in a profile against the plugins, once their manifests have been read: a store with an unknown
 * provider, a connector with an unknown plugin, overrides for an unknown effect; each with the closest known one.
 *  @return PAWL_OK or PAWL_E_INVALID, with problems added (problems->path is set if it was NULL) */
pawl_status pawl_profile_check_known(const pawl_profile *profile, const pawl_profile_known *known,
                                     pawl_problem_list *problems);

/* ---- using ---- */

/** The overrides for an effect by its full name, or NULL. */
const pawl_profile_effect *pawl_profile_find_effect(const pawl_profile *profile, const char *name);

/** The middleware of this name, or NULL. */
const pawl_profile_middleware *pawl_profile_find_middleware(const pawl_profile *profile, const char *name);

/** What the profile says of a process type, or NULL. */
const pawl_profile_type *pawl_profile_find_type(const pawl_profile *profile, const char *name);

/** Lay the members of `over` that `set` names over *policy. Non-retryable codes are replaced, not joined. */
void pawl_profile_retry_apply(pawl_retry_policy *policy, const pawl_retry_policy *over, uint32_t set);

/** "profile.yaml:12:3" for messages and pawl_plugin_request.place; cut to room. */
void pawl_profile_place_text(const pawl_profile *profile, pawl_place place, char *text, size_t room);

/** The whole profile with all defaults filled in, in the shape of the file. Secrets appear as references.
 *  @return a new object for the caller to json_decref, or NULL when out of memory */
json_t *pawl_profile_describe(const pawl_profile *profile);

#endif
