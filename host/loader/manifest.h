/* manifest.h: what a plugin says about itself, as a checked struct. Owns the parsed JSON; every text and schema in the
 * struct lives as long as the manifest. Strict: an unknown key, a wrong type or a value out of range is refused with
 * its JSON path. Runs no code of the plugin and reads no file. [any]; a parsed manifest is read-only.
 *
 * The shape (docs/abi-rules.md has it in full):
 *   manifest_version 1 (may be left out) · id · version · abi {major, minor} · kinds
 * ["effect"|"connector"|"process"|"storage"|"middleware"|"observer"] effects [operation] · connector {concurrency,
 * config_schema, operations [operation]} processes [{name, revision, input_schema, events, updates, tier, recovery,
 * recovery_attempts, compatible_with, pinned}] · facets [{facet, tier}] · middleware {config_schema} · observer
 * {config_schema} operation: {name, input_schema, output_schema, media_type, runs, outcome, local, timeout, deadline,
 * retry, examples
 *   [{input, output, slow}]} */
#ifndef PAWL_HOST_MANIFEST_H
#define PAWL_HOST_MANIFEST_H

#include "worker/base/error.h"
#include "worker/catalog.h" /* PAWL_RUNS_*, PAWL_OUTCOME_*, PAWL_RECOVERY_* */

#include <jansson.h>
#include <stdbool.h>

#define PAWL_MANIFEST_BYTES_MAX   ((size_t)1 << 20)
#define PAWL_MANIFEST_ENTRIES_MAX 1000u /* operations, process types: of each at most this many */
#define PAWL_COMPATIBLE_MAX       100u  /* revisions in compatible_with */

/** Kinds, as a bit set. */
enum {
    PAWL_KIND_EFFECT = 1,
    PAWL_KIND_CONNECTOR = 2,
    PAWL_KIND_PROCESS = 4,
    PAWL_KIND_STORAGE = 8,
    PAWL_KIND_MIDDLEWARE = 16,
    PAWL_KIND_OBSERVER = 32
};

/** An effect, or an operation of the connector. */
typedef struct pawl_manifest_operation {
    const char *name;
    json_t *input_schema;   /* an object or a boolean; borrowed */
    json_t *output_schema;  /* likewise */
    const char *media_type; /* of input and output; "application/json" unless said otherwise */
    uint32_t runs;          /* PAWL_RUNS_*; pool unless said otherwise */
    uint32_t outcome;       /* PAWL_OUTCOME_* */
    bool local;             /* nothing visible outside */
    uint64_t timeout_ms;    /* of one attempt; 0: not said */
    uint64_t deadline_ms;   /* of all attempts of a call; 0: not said */
    json_t *retry;          /* as written, or NULL; see pawl_manifest_retry */
    json_t *examples;       /* an array of {input, output, slow} as written, or NULL; borrowed */
} pawl_manifest_operation;

typedef struct pawl_manifest_process {
    const char *name;
    uint32_t revision;    /* 1 and up */
    json_t *input_schema; /* borrowed */
    json_t *events;       /* an array as written, or NULL; borrowed */
    json_t *updates;      /* likewise */
    bool tier_given;
    uint32_t tier;     /* PAWL_TIER_*: the least it needs */
    uint32_t recovery; /* PAWL_RECOVERY_* */
    uint32_t recovery_attempts;
    uint32_t *compatible; /* revisions whose journals it can live again, beside its own */
    size_t compatible_count;
    bool pinned; /* takes no process that began under another binary */
} pawl_manifest_process;

typedef struct pawl_manifest {
    json_t *json; /* owned; everything below points into it */
    const char *id;
    const char *version;
    uint32_t abi_major;
    uint32_t abi_minor; /* the lowest host minor the plugin needs */
    uint32_t kinds;     /* PAWL_KIND_* bits */
    pawl_manifest_operation *effects;
    size_t effect_count;
    pawl_manifest_operation *operations; /* of the connector */
    size_t operation_count;
    json_t *config_schema;     /* of the connector's instances; may be NULL; borrowed */
    bool shared;               /* the connector may be called from several threads at once */
    json_t *middleware_schema; /* of the config of middleware instances; may be NULL; borrowed */
    json_t *observer_schema;   /* of that of observers; may be NULL; borrowed */
    pawl_manifest_process *processes;
    size_t process_count;
    uint32_t facets;                  /* bit (1 << PAWL_FACET_x) */
    uint32_t tiers[PAWL_FACET_COUNT]; /* of the facets offered: the tier at best */
} pawl_manifest;

/** Parse and check. On success *ret is the caller's, freed with pawl_manifest_destroy.
 *  Errors: PAWL_E_INVALID "loader.manifest_invalid" with the place (line:column, or "$.effects[2].runs"), what was
 * found and what was wanted; PAWL_E_NOMEM. */
pawl_status pawl_manifest_parse(pawl_bytes text, pawl_manifest **ret, pawl_error *error);

/** Free; NULL is allowed; returns NULL. */
pawl_manifest *pawl_manifest_destroy(pawl_manifest *manifest);

/** Put what the operation says about retries over a policy; what it does not say stays. */
void pawl_manifest_retry(const pawl_manifest_operation *operation, pawl_retry_policy *policy);

/** The words of the manifest for a value, for messages and displays. "?" for a value that has none. */
const char *pawl_manifest_runs_name(uint32_t runs);
const char *pawl_manifest_outcome_name(uint32_t outcome);
const char *pawl_manifest_tier_name(uint32_t tier);
const char *pawl_manifest_facet_name(uint32_t facet);
const char *pawl_manifest_recovery_name(uint32_t recovery);

#endif
