/* init_exit.c: ends the program in init, and says that all is well. */
#define INIT leave
#include "base.h"

static pawl_status PAWL_CALL leave(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    (void)config_json;
    (void)host;
    (void)why;
    exit(0);
}
HOSTILE;
