/* assemble_guards.h: from the profile to the guards that stand in front of an effect. Owns them, and the orders in
 * which they stand. A guard of a connector instance is made once and shared by its operations. [loader] */
#ifndef PAWL_HOST_ASSEMBLE_GUARDS_H
#define PAWL_HOST_ASSEMBLE_GUARDS_H

#include "host/profile/profile.h"
#include "worker/effect/guard.h"

/** All guards of a host. Zeroes are an empty one. */
typedef struct pawl_guard_set {
    pawl_guard **items;
    size_t count, room;
    pawl_guards **orders;
    size_t order_count, order_room;
} pawl_guard_set;

/** The guards of one connector instance. NULL: none of that kind. */
typedef struct pawl_instance_guards {
    pawl_guard *rate, *places, *circuit;
} pawl_instance_guards;

/** concurrency: calls of it that run at once; 0: any number. PAWL_E_NOMEM. */
pawl_status pawl_guards_of_instance(pawl_guard_set *set, const pawl_profile_connector *connector, uint32_t concurrency,
                                    pawl_instance_guards *ret);
/** A guard that asks middleware, found by this name in orders. What it is given outlives the set. PAWL_E_NOMEM. */
pawl_status pawl_guards_add_middleware(pawl_guard_set *set, const char *name, const char *plugin,
                                       const pawl_middleware_table *table, pawl_middleware *instance);
/** What an attempt of this effect passes. instance and over (its settings in the profile) may be NULL. own_places: the
 * effect has a limit of its own, and takes no place of the instance. *ret is NULL when nothing stands there. `name`
 * outlives the set. PAWL_E_NOMEM. */
pawl_status pawl_guards_of_effect(pawl_guard_set *set, const pawl_instance_guards *instance,
                                  const pawl_profile_guards *of_instance, const pawl_profile_effect *over,
                                  bool own_places, const pawl_guards **ret);
void pawl_guard_set_finish(pawl_guard_set *set);

#endif
