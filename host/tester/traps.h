/* traps.h: finds out what process code asks of the machine instead of its host: clocks, chance, its surroundings, the
 * outside. The plugin's own table of imported functions is changed in memory, so that its calls come by here first.
 * While the program runs a clock shows virtual time and chance is always the same, unless it is disturbed on purpose:
 * so a program that depends on one of them is caught for certain, and in the same way every time. Owns the changed
 * table and a copy of the plugin's static variables. For tests of plugins only: never part of a host that serves.
 * One thread. */
#ifndef PAWL_TESTER_TRAPS_H
#define PAWL_TESTER_TRAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pawl_traps pawl_traps;

enum { PAWL_TRAP_CLOCK = 1, PAWL_TRAP_CHANCE, PAWL_TRAP_SURROUNDINGS, PAWL_TRAP_OUTSIDE };

typedef struct pawl_trap_call {
    const char *name;
    uint32_t kind; /* PAWL_TRAP_* */
    uint64_t count;
} pawl_trap_call;

/** Set traps in the shared object that this address lies in. NULL: out of memory, or it has no table that we know. */
pawl_traps *pawl_traps_set(const void *inside);
/** The table stays as it is. NULL is allowed; returns NULL. */
pawl_traps *pawl_traps_free(pawl_traps *traps);

/** The program begins to run at this virtual time, and has come back. NULL is allowed, likewise below. */
void pawl_traps_enter(pawl_traps *traps, uint64_t now_unix_ns);
void pawl_traps_leave(pawl_traps *traps);
/** Let clock, chance and the order of memory be different from now on; 0: as at first. */
void pawl_traps_disturb(pawl_traps *traps, uint32_t how);
/** What was called so far while the program ran. */
size_t pawl_traps_calls(const pawl_traps *traps, const pawl_trap_call **ret);

/** Were the plugin's static variables ever seen to be different from what they were when the traps were set? */
bool pawl_traps_statics_changed(pawl_traps *traps);
/** Put them back, as a worker that has just loaded the plugin finds them. */
void pawl_traps_statics_restore(pawl_traps *traps);

#endif
