/* init_wants_more.c: needs an extension that no host has. */
#define INIT want
#include "base.h"

static pawl_status PAWL_CALL want(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    (void)config_json;
    (void)why;
    return host->get_extension(host, "com.example.flux/1") == NULL ? PAWL_E_UNSUPPORTED : PAWL_OK;
}
HOSTILE;
