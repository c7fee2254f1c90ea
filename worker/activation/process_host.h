/* process_host.h: what process code may call, "pawl.process-host/1", over one run of an activation. Owns nothing; the
 * table is the same for every process. Only activation.c uses it. [instance] */
#ifndef PAWL_PROCESS_HOST_H
#define PAWL_PROCESS_HOST_H

#include "pawl_abi.h"

/** The table that struct pawl_process points to. Never NULL. [any] */
const pawl_process_host *pawl_process_host_table(void);

#endif
