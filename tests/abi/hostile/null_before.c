/* null_before.c: middleware that never decides. */
#define PARTS   "\"kinds\":[\"middleware\"],\"middleware\":{}"
#define FACTORY PAWL_FACTORY_MIDDLEWARE
#define TABLE   &table
#include "base.h"

static pawl_status PAWL_CALL create(const pawl_host_root *host, pawl_bytes name, pawl_bytes config_json,
                                    pawl_middleware **instance, pawl_failure_sink *why)
{
    static char one;
    (void)host, (void)name, (void)config_json, (void)why;
    *instance = (pawl_middleware *)(void *)&one;
    return PAWL_OK;
}

static void PAWL_CALL destroy(pawl_middleware *instance)
{
    (void)instance;
}

PAWL_MIDDLEWARE_TABLE(table, create, destroy, NULL, NULL, NULL);
HOSTILE;
