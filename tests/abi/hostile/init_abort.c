/* init_abort.c: aborts in init. */
#define INIT give_up
#include "base.h"

static pawl_status PAWL_CALL give_up(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    (void)config_json;
    (void)host;
    (void)why;
    abort();
}
HOSTILE;
