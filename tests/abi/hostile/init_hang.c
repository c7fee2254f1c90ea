/* init_hang.c: never comes back from init. */
#define INIT hang
#include "base.h"

#include <unistd.h>

static pawl_status PAWL_CALL hang(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    (void)config_json;
    (void)host;
    (void)why;
    for (;;)
        pause();
    return PAWL_OK;
}
HOSTILE;
