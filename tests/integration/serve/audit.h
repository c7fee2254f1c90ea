/* audit.h: compares what the effects did, by their own log (probe_plugin.c), with what the journals say. It says the
 * first thing that may never be, naming the process and the step:
 *   - a journal has every sequence once, begins with `started`, and one that ended has one `ended`, as its last
 *   - a recorded step is never executed again: no execution begins after its record was made           (I1, X01)
 *   - an execution only begins after the result it builds on was recorded, and that result is the one it got  (I1)
 *   - a recorded result is one that an execution really gave
 *   - an idempotency key belongs to one step, and every execution of that step has it                 (X07)
 *   - at_most_once begins once, but for attempts that said they had failed; reconcile never after it happened (X06)
 *   - the process's output is made of the recorded results */
#ifndef SERVE_AUDIT_H
#define SERVE_AUDIT_H

#include "yard.h"

typedef struct audit {
    size_t processes;
    size_t completed;
    size_t steps;      /* recorded */
    size_t executions; /* begun */
    size_t repeated;   /* executions of one attempt beyond its first: after a crash, of a step that was not recorded */
    size_t asked;      /* reconcile */
    size_t in_doubt;
    char trouble[300]; /* empty when nothing is wrong */
} audit;

/** Audit these processes; each must have ended. */
audit audit_ended(const yard *y, const char *const *ids, size_t count);
/** The same, without failing the test: `trouble` says what is wrong. */
audit audit_quietly(const yard *y, const char *const *ids, size_t count, bool must_have_ended);
/** How often the log has this phase (NULL: any) of this effect ("probe.step"; NULL: any) of this process (NULL: any).
 */
size_t audit_log_count(const yard *y, const char *id, const char *effect, const char *phase);

#endif
