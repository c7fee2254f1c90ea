/* state_umask.c: init changes the umask. */
#define INIT init_rude
#include "pawl_plugin.h"
#include <sys/stat.h>

static pawl_status PAWL_CALL init_rude(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    (void)host;
    (void)config;
    (void)why;
    umask(0);
    return PAWL_OK;
}
#include "base.h"
HOSTILE;
