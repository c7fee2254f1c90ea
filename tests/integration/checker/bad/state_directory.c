/* state_directory.c: init changes the working directory. */
#define INIT init_rude
#include "pawl_plugin.h"
#include <unistd.h>

static pawl_status PAWL_CALL init_rude(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    (void)host;
    (void)config;
    (void)why;
    if (chdir("/") != 0)
        return PAWL_E_IO;
    return PAWL_OK;
}
#include "base.h"
HOSTILE;
