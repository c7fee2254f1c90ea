/* assemble_around.h: what plugins put around the work of a host: instances of middleware (pawl.middleware/1), which the
 * orders of the profile name, and observers (pawl.observer/1). Owns the instances. Never calls a plugin other than to
 * create and destroy them, and to ask them how they are; secrets are filled in here and forgotten at once. [loader] */
#ifndef PAWL_HOST_ASSEMBLE_AROUND_H
#define PAWL_HOST_ASSEMBLE_AROUND_H

#include "host/assembly/assemble_guards.h"
#include "host/loader/loader.h"
#include "worker/base/log.h"
#include "worker/observe.h"

typedef struct pawl_around_middleware {
    const pawl_middleware_table *table;
    pawl_middleware *instance; /* NULL: none was made */
} pawl_around_middleware;

/** Zeroes are nothing. */
typedef struct pawl_around {
    pawl_around_middleware *middleware;
    size_t middleware_count;
    pawl_observers *observers; /* NULL: the profile has none */
} pawl_around;

/** Make the instances, and a guard in the set for each of middleware. One whose optional plugin was left out is left
 * out with it; but where an order names it nothing may run without it, which is an error. Errors: what create() gives,
 * with the place in the profile. What was made is the caller's also then. */
pawl_status pawl_around_make(const pawl_profile *profile, const pawl_plugin_set *plugins, const pawl_clock *clock,
                             const pawl_log *log, pawl_guard_set *guards, pawl_around *ret, pawl_error *error);

/** What an observer says of itself, into the sink. False: nothing. [any] */
bool pawl_observer_describe(const pawl_observer_entry *entry, pawl_sink *json);

/** Destroy the instances, the last one first. No worker may be left. Harmless on zeroes. */
void pawl_around_finish(pawl_around *around);

#endif
