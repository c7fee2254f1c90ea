/* assemble.h: from loaded plugins and a profile to what a worker can run: the catalog of effects and process types, and
 * the connector instances behind some of them. Owns the catalog and the instances. Never calls a plugin other than to
 * create and destroy instances; secrets are filled in here and forgotten at once. [loader] */
#ifndef PAWL_HOST_ASSEMBLE_H
#define PAWL_HOST_ASSEMBLE_H

#include "host/assembly/assemble_around.h"
#include "host/assembly/assemble_guards.h"
#include "host/loader/loader.h"
#include "host/schema/rules.h"
#include "worker/base/log.h"

/** An instance of a connector, as the profile makes it. */
typedef struct pawl_instance {
    const pawl_profile_connector *profile;
    const pawl_plugin *plugin; /* NULL: its plugin is optional and was left out */
    pawl_connector *instance;
    pawl_bulkhead *bulkhead;
    pawl_instance_guards guards;
    pawl_gate gate; /* an operator's */
} pawl_instance;

/** The places of an isolated plugin's threads: a call without one has not begun, and its time does not run. */
typedef struct pawl_elsewhere {
    struct pawl_elsewhere *next;
    const struct pawl_isolated *isolated;
    pawl_bulkhead *bulkhead;
} pawl_elsewhere;

/** An operator's switch over a process type. */
typedef struct pawl_type_gate {
    struct pawl_type_gate *next;
    pawl_gate gate;
} pawl_type_gate;

typedef struct pawl_assembly {
    pawl_catalog *catalog;
    pawl_instance *instances; /* as in the profile */
    size_t instance_count;
    pawl_guard_set guards;
    pawl_around around;
    pawl_type_gate *type_gates;
    pawl_elsewhere *elsewhere;
    pawl_type_rules *rules;          /* a list; those of a type are its `rules` */
    pawl_effect_rules *effect_rules; /* likewise; an effect has their contract */
} pawl_assembly;

/** Fill a catalog. How an operation is run: what the profile's `effects` says of it, else the manifest, else the
 * profile's `retry` and `timeouts.call`. A connector that is not safe to share is called one call at a time, whatever
 * the profile says. Errors: what create() gives, with the connector's place; a name that two plugins offer. Undoes what
 * it did. */
pawl_status pawl_assemble(const pawl_profile *profile, const pawl_plugin_set *plugins, const pawl_clock *clock,
                          const pawl_log *log, pawl_assembly *ret, pawl_error *error);

/** Destroy the instances, the last one first, what stands around them, and the catalog. No call may be running.
 * Harmless on zeros. */
void pawl_assembly_finish(pawl_assembly *assembly);

#endif
