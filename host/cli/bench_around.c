/* bench_around.c: see bench_plugin.h. Middleware that lets everything pass, and an observer that looks at nothing: what
 * is measured with them is what it costs to have any. */
#include "host/cli/bench_plugin.h"

#include <pawl_plugin.h>

static const char none; /* an instance needs an address, and has no state */

static pawl_status create_middleware(const pawl_host_root *host, pawl_bytes name, pawl_bytes config_json,
                                     pawl_middleware **instance, pawl_failure_sink *why)
{
    (void)host;
    (void)name;
    (void)config_json;
    (void)why;
    *instance = (pawl_middleware *)(uintptr_t)&none;
    return PAWL_OK;
}

static void destroy_middleware(pawl_middleware *instance)
{
    (void)instance;
}

static pawl_status before(pawl_middleware *instance, const pawl_attempt *attempt, uint64_t *ticket, uint64_t *wait_ns,
                          pawl_failure_sink *why)
{
    (void)instance;
    (void)attempt;
    (void)ticket;
    (void)wait_ns;
    (void)why;
    return PAWL_OK;
}

static int32_t after(pawl_middleware *instance, const pawl_attempt *attempt, uint64_t ticket,
                     const pawl_attempt_end *end)
{
    (void)instance;
    (void)attempt;
    (void)ticket;
    (void)end;
    return 0;
}

static pawl_status create_observer(const pawl_host_root *host, pawl_bytes config_json, uint64_t *kinds,
                                   pawl_observer **observer, pawl_failure_sink *why)
{
    (void)host;
    (void)config_json;
    (void)kinds;
    (void)why;
    *observer = (pawl_observer *)(uintptr_t)&none;
    return PAWL_OK;
}

static void destroy_observer(pawl_observer *observer)
{
    (void)observer;
}

static void observe(pawl_observer *observer, const pawl_observation *observation)
{
    (void)observer;
    (void)observation;
}

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"pawl.bench-around\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"    \
    "\"kinds\":[\"middleware\",\"observer\"],\"middleware\":{},\"observer\":{}}"

PAWL_MIDDLEWARE_TABLE(middleware, create_middleware, destroy_middleware, before, after, NULL);
PAWL_OBSERVER_TABLE(observer_table, create_observer, destroy_observer, observe, NULL);

static const void *get_factory(const char *factory_id)
{
    if (strcmp(factory_id, PAWL_FACTORY_MIDDLEWARE) == 0)
        return &middleware;
    return strcmp(factory_id, PAWL_FACTORY_OBSERVER) == 0 ? &observer_table : NULL;
}

PAWL_LINKED_PLUGIN(pawl_bench_around, "pawl.bench-around", "1.0.0", "Pawl", MANIFEST, pawl_plain_init,
                   pawl_plain_deinit, get_factory);
