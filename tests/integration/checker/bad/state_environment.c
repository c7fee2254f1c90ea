/* state_environment.c: init changes the environment. */
#define INIT init_rude
#include "pawl_plugin.h"
#include <stdlib.h>

static pawl_status PAWL_CALL init_rude(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    (void)host;
    (void)config;
    (void)why;
    setenv("PAWL_CHECK_SECRET", "x", 1);
    return PAWL_OK;
}
#include "base.h"
HOSTILE;
