/* host_prune.h: the thread that forgets ended processes when the profile's retention says so. */
#ifndef PAWL_HOST_PRUNE_H
#define PAWL_HOST_PRUNE_H

#include <pawl/pawl.h>

typedef struct pawl_retention pawl_retention;

/** Start it; *ret stays NULL when the profile keeps everything. PAWL_E_UNSUPPORTED when the registry cannot prune so.
 */
pawl_status pawl_retention_start(pawl_host *host, pawl_retention **ret, pawl_error *error);
/** Stop it, after the slice that it is at. NULL is allowed; returns NULL. */
pawl_retention *pawl_retention_stop(pawl_retention *retention);

#endif
