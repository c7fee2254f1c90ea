/* rules.h: what a manifest declares of a process type beyond its name: the schema of its input, its events and its
 * updates; and the schemas of an effect. Owns
 * compiled schemas; read-only once made. [any] afterwards.
 *
 * An event type: {"type": NAME, "schema": SCHEMA, "ends": "completed"|"failed"|"cancelled", "outcome": SELECTOR,
 * "wake": {"target": SELECTOR, "input": SELECTOR, "key": SELECTOR, "when": SELECTOR, "merge": TEXT, "exclusive": BOOL,
 * "after_ms": N}}; docs/events.md says what each means. */
#ifndef PAWL_HOST_RULES_H
#define PAWL_HOST_RULES_H

#include "host/loader/manifest.h"
#include "host/schema/json_schema.h"
#include "host/schema/selector.h"
#include "worker/contract.h"

/** Selectors are NULL where the manifest says nothing. */
typedef struct pawl_event_type {
    const char *name;
    pawl_schema *schema; /* NULL: anything */
    uint32_t ends;       /* terminal status; 0: it ends nothing */
    const json_t *outcome;
    bool wakes;
    const json_t *target, *input, *key, *when;
    const char *merge;
    bool exclusive;
    uint64_t after_ms;
} pawl_event_type;

/** {"name": NAME, "schema": SCHEMA} */
typedef struct pawl_update_type {
    const char *name;
    pawl_schema *schema; /* NULL: anything, or schemas are off */
} pawl_update_type;

typedef struct pawl_type_rules {
    struct pawl_type_rules *next;
    pawl_schema *input;     /* NULL: anything, or schemas are off */
    pawl_contract contract; /* the same, for the worker */
    pawl_event_type *events;
    size_t event_count;
    bool updates_declared; /* it takes no others */
    pawl_update_type *updates;
    size_t update_count;
} pawl_type_rules;

/** Compile; *ret is NULL when nothing is declared. enforce: also the schema of inputs. Errors: PAWL_E_INVALID names the
 *  place. */
pawl_status pawl_type_rules_make(const pawl_manifest_process *process, bool enforce, pawl_type_rules **ret,
                                 pawl_error *error);
/** What a manifest declares of the values of an effect or an operation. */
typedef struct pawl_effect_rules {
    struct pawl_effect_rules *next;
    pawl_schema *input, *output; /* NULL: anything */
    pawl_contract contract;
} pawl_effect_rules;

/** Compile the schemas of an operation; *ret is NULL when nothing is to be checked: they allow everything, enforce is
 *  false, or its media type is not JSON. Errors: PAWL_E_INVALID names operation and place. */
pawl_status pawl_effect_rules_make(const pawl_manifest_operation *operation, bool enforce, pawl_effect_rules **ret,
                                   pawl_error *error);
void pawl_effect_rules_finish(pawl_effect_rules *list);

/** Free a list; NULL is allowed. */
void pawl_type_rules_finish(pawl_type_rules *list);

/** May a process of this type be asked this? "update.undeclared", "update.payload" */
pawl_status pawl_type_rules_update(const pawl_type_rules *rules, const char *name, pawl_bytes payload,
                                   pawl_error *error);

const pawl_event_type *pawl_type_rules_event(const pawl_type_rules *rules, pawl_bytes name); /**< NULL: undeclared */

#endif
