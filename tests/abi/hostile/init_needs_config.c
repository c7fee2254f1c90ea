/* init_needs_config.c: takes only the config {"mood":"good"}. */
#define INIT check
#include "base.h"

static pawl_status PAWL_CALL check(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    (void)config_json;
    if (pawl_is(config_json, "{\"mood\":\"good\"}"))
        return PAWL_OK;
    return pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "hostile.mood", "a bad mood");
}
HOSTILE;
