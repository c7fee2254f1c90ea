/* init_refuses_in_host.c: passes its probe and refuses the host itself. */
#define INIT refuse
#include "base.h"

static pawl_status PAWL_CALL refuse(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    (void)config_json;
    if (strcmp(host->name, "pawl-probe") == 0)
        return PAWL_OK;
    return pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "hostile.mood", "not in %s", host->name);
}
HOSTILE;
