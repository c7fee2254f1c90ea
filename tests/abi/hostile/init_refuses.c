/* init_refuses.c: does not like its config, and says why. */
#define INIT refuse
#include "base.h"

static pawl_status PAWL_CALL refuse(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    (void)config_json;
    return pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "hostile.mood", "not with %.*s",
                          (int)config_json.size, (const char *)config_json.data);
}
HOSTILE;
