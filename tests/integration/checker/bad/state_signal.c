/* state_signal.c: init changes what a signal does. */
#define INIT init_rude
#include "pawl_plugin.h"
#include <signal.h>

static pawl_status PAWL_CALL init_rude(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    (void)host;
    (void)config;
    (void)why;
    signal(SIGPIPE, SIG_IGN);
    return PAWL_OK;
}
#include "base.h"
HOSTILE;
