/* config_silent.c: it refuses a config and does not say why. */
#define INIT init_silent
#include "pawl_plugin.h"

static pawl_status PAWL_CALL init_silent(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    (void)host;
    (void)why;
    return config.size == 2 && memcmp(config.data, "{}", 2) == 0 ? PAWL_OK : PAWL_E_INVALID;
}
#include "base.h"
HOSTILE;
