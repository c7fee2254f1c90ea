/* instance_one.c: every instance is the same one. */
#define CREATE  create_one
#define DESTROY destroy_none
#include "connector.h"

static pawl_connector only;

static pawl_status PAWL_CALL create_one(const pawl_host_root *host, pawl_bytes name, pawl_bytes config,
                                        pawl_connector **instance, pawl_failure_sink *why)
{
    (void)name;
    if (config.size < 2 || memcmp(config.data, "{}", 2) != 0)
        return pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "one.config", "wanted {}");
    *instance = &only;
    return PAWL_OK;
}

static void PAWL_CALL destroy_none(pawl_connector *instance)
{
    (void)instance;
}
BAD_CONNECTOR;
