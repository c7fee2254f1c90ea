/* upkeep.h: what a host puts away by itself: ended processes and their ids, as the profile's retention says, and
 * content that nothing refers to. One thread, which does little at a time and sleeps in between. Owns the thread and
 * the counts of what it did. */
#ifndef PAWL_HOST_UPKEEP_H
#define PAWL_HOST_UPKEEP_H

#include <jansson.h>
#include <pawl/pawl.h>

typedef struct pawl_upkeep pawl_upkeep;

/** Start it; *ret stays NULL when the profile keeps everything. PAWL_E_UNSUPPORTED when a store cannot do what the
 * profile asks. [loader] */
pawl_status pawl_upkeep_start(pawl_host *host, pawl_upkeep **ret, pawl_error *error);
/** Stop it, after the slice that it is at. NULL is allowed; returns NULL. [loader] */
pawl_upkeep *pawl_upkeep_stop(pawl_upkeep *upkeep);
/** {"pruned", "ids_forgotten", "attachments_collected", "bytes_collected", "failures"} since this host was opened; NULL
 * upkeep: all 0. [any] */
json_t *pawl_upkeep_view(const pawl_upkeep *upkeep);

#endif
