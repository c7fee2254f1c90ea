/* init_leaves_a_child.c: starts a process in init that outlives it and keeps every descriptor. */
#define INIT spread
#include "base.h"

#include <unistd.h>

static pawl_status PAWL_CALL spread(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    (void)config_json;
    (void)host;
    (void)why;
    if (fork() == 0)
        for (;;)
            pause();
    return PAWL_OK;
}
HOSTILE;
