/* plain_middleware.c: lacks what middleware may lack, and is accepted. */
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
    (void)instance, (void)attempt, (void)ticket, (void)wait_ns, (void)why;
    return PAWL_OK;
}

PAWL_MIDDLEWARE_TABLE(table, create, destroy, before, NULL, NULL);
HOSTILE;
