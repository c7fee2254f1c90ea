/* return.h: the thread that, once when a host has opened, resumes what was parked for want of a plugin that this
 * host has. */
#ifndef PAWL_HOST_RETURN_H
#define PAWL_HOST_RETURN_H

#include <pawl/pawl.h>

typedef struct pawl_return pawl_return;

/** Start it, unless the host has no worker; *ret then stays NULL. */
pawl_status pawl_return_start(pawl_host *host, pawl_return **ret, pawl_error *error);
/** Stop it, after the process that it is at. NULL is allowed; returns NULL. */
pawl_return *pawl_return_stop(pawl_return *own);

#endif
