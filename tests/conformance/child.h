/* child.h: what only another OS process can show: that a second one is refused, and what is left after one is killed.
 *
 * child_run starts this program again with the same provider and a scenario's name; child_main is what it then does.
 * A child ends with _exit and never closes its store, unless its scenario says so: it dies as a killed one does.
 */
#ifndef PAWL_CONFORMANCE_CHILD_H
#define PAWL_CONFORMANCE_CHILD_H

#include "world.h"

/** Run a scenario in another process on this directory. output receives what it printed. @return its exit status */
int child_run(const struct world_options *options, const char *scenario, const char *directory, char *output,
              size_t size);

/** Begin it and do not wait: *pid, and *from: a descriptor with its output. */
bool child_start(const struct world_options *options, const char *scenario, const char *directory, int *pid, int *from);

#endif
