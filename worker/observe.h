/* observe.h: the observers of a host: who is told what a worker does. Owns what is known of each (how often it was
 * told, how long that took), not the observers themselves, which are plugins' (pawl.observer/1).
 *
 * They are told on the thread where it happens, so each call is measured: one that takes long is reported, and an
 * observer of which too many were is told no more. Nothing that a process does depends on them. Never calls one under a
 * lock; allocates nothing. */
#ifndef PAWL_OBSERVE_H
#define PAWL_OBSERVE_H

#include "base/clock.h"
#include "pawl_abi.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define PAWL_OBSERVERS_MAX 16u
/** Slow calls until an observer is told no more; each PAWL_OBSERVER_FORGIVEN calls that are not take one back. */
#define PAWL_OBSERVER_STRIKES  16u
#define PAWL_OBSERVER_FORGIVEN 256u

typedef struct pawl_observer_entry {
    const pawl_observer_table *table;
    pawl_observer *observer; /* the plugin's */
    const char *plugin;      /* its id */
    uint64_t slow_ns;        /* a call that takes longer is slow */
    uint64_t wants;          /* bits (1 << PAWL_OBSERVED_*) */
    atomic_bool left_out;
    atomic_uint strikes, quick; /* slow calls not forgiven; calls since that were not */
    atomic_uint_fast64_t told, slow, total_ns, longest_ns;
    atomic_uint_fast64_t warned_mono_ns; /* of the last report; 0: none */
} pawl_observer_entry;

/** Zeroes are none. Filled before the first is told, and not changed while a worker runs. */
typedef struct pawl_observers {
    pawl_observer_entry entries[PAWL_OBSERVERS_MAX];
    size_t count;
    atomic_uint_fast64_t wanted; /* kinds that anybody wants who is not left out */
    const pawl_clock *clock;
    const struct pawl_log *log;
} pawl_observers;

/** What an operator sees of one. */
typedef struct pawl_observer_view {
    uint64_t told, slow, total_ns, longest_ns;
    bool left_out;
} pawl_observer_view;

/** Add one. False: there are PAWL_OBSERVERS_MAX already. [loader] */
bool pawl_observers_add(pawl_observers *observers, const pawl_observer_table *table, pawl_observer *observer,
                        const char *plugin, uint64_t wants, uint64_t slow_ns);

/** Does anybody want to be told of this kind? NULL is allowed: nobody. [any][nonblock] */
static inline bool pawl_observers_want(const pawl_observers *observers, uint32_t kind)
{
    return observers != NULL && (atomic_load_explicit(&observers->wanted, memory_order_relaxed) >> kind & 1) != 0;
}

/** Tell all who want it. struct_size, kind and time are set. naming: holds the id of the plugin that is called now; may
 * be NULL. [any] */
void pawl_observers_tell(pawl_observers *observers, const pawl_observation *observation, const char *_Atomic *naming);

void pawl_observer_look(const pawl_observer_entry *entry, pawl_observer_view *ret); /* [any] */

#endif
