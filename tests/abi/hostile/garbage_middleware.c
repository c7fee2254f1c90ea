/* garbage_middleware.c: middleware that answers whatever comes to it: with the number of the attempt. */
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

static pawl_status PAWL_CALL before(pawl_middleware *instance, const pawl_attempt *attempt, uint64_t *ticket,
                                    uint64_t *wait_ns, pawl_failure_sink *why)
{
    (void)instance, (void)why;
    *ticket = UINT64_MAX;
    *wait_ns = attempt->attempt % 2 == 0 ? UINT64_MAX : 0;
    return (pawl_status)attempt->attempt;
}

static pawl_status PAWL_CALL describe(pawl_middleware *instance, pawl_sink *json)
{
    (void)instance, (void)json;
    return 4711;
}

PAWL_MIDDLEWARE_TABLE(table, create, destroy, before, NULL, describe);
HOSTILE;
