/* config_crash.c: it believes that a config is an object. */
#define INIT init_believing
#include "pawl_plugin.h"

static pawl_status PAWL_CALL init_believing(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    const char *text = config.data;
    (void)host;
    (void)why;
    if (config.size == 0 || text[0] != '{')
        abort();
    return PAWL_OK;
}
#include "base.h"
HOSTILE;
