/* instance_any.c: create takes what the config schema excludes. */
#define CREATE        create_any
#define CONFIG_SCHEMA "{\"type\":\"object\",\"additionalProperties\":false}"
#include "connector.h"

static pawl_status PAWL_CALL create_any(const pawl_host_root *host, pawl_bytes name, pawl_bytes config,
                                        pawl_connector **instance, pawl_failure_sink *why)
{
    (void)config;
    return create_plain(host, name, pawl_bytes_of_text("{}"), instance, why);
}
BAD_CONNECTOR;
