/* catalog.h: what a worker can run: effects by the name that process code calls, and process types by name. Filled by
 * the host before the worker starts, read-only afterwards. Owns its copies of names; the tables and instances belong to
 * the plugins and outlive it. Knows nothing of files or profiles. [any] once filled. */
#ifndef PAWL_CATALOG_H
#define PAWL_CATALOG_H

#include "base/error.h"
#include "contract.h"
#include "effect/guard.h"
#include "retry.h"

#include <stdbool.h>

enum { PAWL_RUNS_INLINE = 1, PAWL_RUNS_POOL = 2, PAWL_RUNS_ASYNC = 3 };
enum {
    PAWL_OUTCOME_IDEMPOTENT = 1,
    PAWL_OUTCOME_BY_KEY = 2,
    PAWL_OUTCOME_AT_MOST_ONCE = 3,
    PAWL_OUTCOME_RECONCILE = 4
};

/** At most `limit` calls at once for everything that shares it (one connector instance, one effect). Used by the effect
 *  pool under its own lock. */
typedef struct pawl_bulkhead {
    uint32_t limit; /* 0: none; 1 for a plugin that is not safe to share */
    uint32_t active;
    void *waiting; /* the pool's own queue */
    void *waiting_tail;
} pawl_bulkhead;

/** One name that process code can call. Exactly one of effect and connector is set (connector with its instance). */
typedef struct pawl_effect {
    const char *name;           /* "bank.charge" or "receiver.post" */
    const char *plugin;         /* id of the plugin, for messages */
    uint8_t digest[32];         /* of the plugin binary; zeros for one linked in, and for connectors */
    uint32_t rank;              /* among the versions of its plugin: the largest is the current one */
    const char *operation;      /* as the plugin knows it */
    const pawl_host_root *host; /* the plugin's own root, given to it in calls; NULL: the worker's */
    const pawl_effect_table *effect;
    const pawl_connector_table *connector;
    pawl_connector *instance;
    pawl_bulkhead *bulkhead; /* never NULL; shared by the operations of an instance */
    uint32_t runs;           /* PAWL_RUNS_* */
    uint32_t outcome;        /* PAWL_OUTCOME_* */
    bool local;              /* nothing visible outside */
    uint64_t timeout_ns;     /* of one attempt; 0: none */
    uint64_t deadline_ns;    /* of all attempts of a call together; 0: none */
    pawl_retry_policy retry;
    const pawl_guards *guards;       /* what an attempt passes before it begins; NULL: nothing. The host's */
    const pawl_gate *gate;           /* an operator's switch over it; NULL: none. The host's */
    const pawl_contract *contract;   /* of its inputs and outputs; NULL: anything */
    const struct pawl_effect *older; /* of another version of the same plugin; the catalog's own */
} pawl_effect;

/** What becomes of processes whose worker was lost. */
enum { PAWL_RECOVERY_RERUN = 1, PAWL_RECOVERY_OWNER_BOUND = 2 };
/** A process is parked when so many workers in a row have died while they ran its code, unless its type says so. */
#define PAWL_RECOVERY_ATTEMPTS 8u

/** One revision of a process type, in one version of its plugin. */
typedef struct pawl_type {
    const char *name;
    uint32_t revision;
    const char *plugin;
    uint8_t digest[32];         /* of the plugin binary; zeros for one linked in */
    uint32_t rank;              /* among the versions of its plugin: the largest is the current one */
    const uint32_t *compatible; /* revisions whose journals this one can live again; beside its own */
    size_t compatible_count;
    bool pinned;                /* takes no process that began under another binary */
    uint32_t recovery;          /* PAWL_RECOVERY_*; 0: RERUN */
    uint32_t recovery_attempts; /* 0: PAWL_RECOVERY_ATTEMPTS */
    const pawl_process_table *program;
    const void *rules;             /* what the host keeps with it; none of the worker's business */
    const pawl_contract *contract; /* of the inputs of children and further runs; NULL: anything */
    pawl_gate *gate;               /* an operator's switch over all processes of it; NULL: none. The host's */
    const struct pawl_type *older; /* the next after it for new processes; the catalog's own */
} pawl_type;

typedef struct pawl_catalog pawl_catalog;

pawl_catalog *pawl_catalog_create(void);                   /* NULL: out of memory */
pawl_catalog *pawl_catalog_destroy(pawl_catalog *catalog); /* NULL is allowed; returns NULL */

/** Add; the struct and its strings are copied. PAWL_E_CONFLICT names both plugins when the name is taken. One plugin
 * may add several revisions of a type, and several versions of it may add the same one: new processes get the newest
 * revision of the version with the largest rank, older ones go on with theirs. */
pawl_status pawl_catalog_add_effect(pawl_catalog *catalog, const pawl_effect *effect, pawl_error *error);
pawl_status pawl_catalog_add_type(pawl_catalog *catalog, const pawl_type *type, pawl_error *error);
/** A bulkhead that lives as long as the catalog. NULL: out of memory. */
pawl_bulkhead *pawl_catalog_bulkhead(pawl_catalog *catalog, uint32_t limit);

const pawl_effect *pawl_catalog_effect(const pawl_catalog *catalog, pawl_bytes name); /* current; NULL: unknown */
/** As the code of this type calls it: of its own version of its plugin when that has it. of: NULL: the current one. */
const pawl_effect *pawl_catalog_effect_of(const pawl_catalog *catalog, pawl_bytes name, const pawl_type *of);
const pawl_type *pawl_catalog_type(const pawl_catalog *catalog, pawl_bytes name); /* current; NULL: unknown */

/** What a process is pinned to. */
typedef struct pawl_pinned {
    pawl_bytes type;
    pawl_bytes plugin; /* its id; empty: not known */
    uint32_t revision;
    pawl_bytes digest; /* 32 bytes, or empty */
} pawl_pinned;
/** What may run it: the very binary when it is here; else the most current revision that can live its journal again,
 *  which is to be tried (*ret_trial). NULL: nothing here may. */
const pawl_type *pawl_catalog_type_for(const pawl_catalog *catalog, const pawl_pinned *pinned, bool *ret_trial);
/** All types (the current of each) and effects, in order of addition. */
size_t pawl_catalog_types(const pawl_catalog *catalog, const pawl_type *const **ret);
size_t pawl_catalog_effects(const pawl_catalog *catalog, const pawl_effect *const **ret);

#endif
