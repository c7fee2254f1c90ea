/* state_prints.c: init changes nothing but prints. */
#define INIT init_rude
#include "pawl_plugin.h"
#include <stdio.h>

static pawl_status PAWL_CALL init_rude(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    (void)host;
    (void)config;
    (void)why;
    puts("hello from a plugin");
    return PAWL_OK;
}
#include "base.h"
HOSTILE;
