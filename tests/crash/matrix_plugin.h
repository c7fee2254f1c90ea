/* matrix_plugin.h: what the crash matrix runs: a plan is a list of words, each an effect of some outcome rule, a timer,
 * a signal or the like. Every effect writes down each thing it did, with one append, so that an audit can say
 * afterwards what was really done, however often the program died between. Owns nothing but the log's path. */
#ifndef CRASH_MATRIX_PLUGIN_H
#define CRASH_MATRIX_PLUGIN_H

#include <pawl_abi.h>
#include <stdbool.h>

/** The plugin "crash", linked in: type crash.plan. Words: step quick later (idempotent: pool, inline, async), keyed
 * (by_key), once (at_most_once), check (reconcile), flaky (fails twice), bad (fails for good), hold (until it is asked
 * to stop), all (step, keyed, once and later together), sleep:MS, signal:NAME, clock, status. */
const pawl_plugin_root *matrix_plugin(void);

/** Where the log is: DIRECTORY/effects, a line for each thing: KEY OPERATION ATTEMPT PHASE NONCE PREVIOUS UNIX_NS.
 * Phases: begin, fail, stop, end (the deed itself), ask. Set before a host is opened. */
void matrix_plugin_use(const char *directory);
/** Whether a "hold" is running now. [any] */
bool matrix_plugin_holds(void);

#endif
