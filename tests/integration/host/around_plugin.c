/* around_plugin.c: see around_plugin.h. */
#include "around_plugin.h"

#include <pawl_plugin.h>
#include <time.h>

atomic_int around_answer;
atomic_int around_naps;
atomic_int around_told;
atomic_int around_instances;
atomic_int around_gives_none;

void around_reset(void)
{
    atomic_store(&around_answer, PAWL_OK);
    atomic_store(&around_naps, 0);
    atomic_store(&around_told, 0);
    atomic_store(&around_gives_none, 0);
}

struct pawl_middleware {
    const pawl_core *core;
};

static pawl_status PAWL_CALL create(const pawl_host_root *host, pawl_bytes name, pawl_bytes config_json,
                                    pawl_middleware **instance, pawl_failure_sink *why)
{
    (void)name;
    if (config_json.size > 2)
        return pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "around.config", "it takes no config");
    if (atomic_load(&around_gives_none))
        return PAWL_OK;
    pawl_middleware *own = calloc(1, sizeof *own);
    if (own == NULL)
        return PAWL_E_NOMEM;
    own->core = pawl_core_of(host);
    atomic_fetch_add(&around_instances, 1);
    *instance = own;
    return PAWL_OK;
}

static void PAWL_CALL destroy(pawl_middleware *instance)
{
    if (instance != NULL)
        atomic_fetch_sub(&around_instances, 1);
    free(instance);
}

static pawl_status PAWL_CALL before(pawl_middleware *instance, const pawl_attempt *attempt, uint64_t *ticket,
                                    uint64_t *wait_ns, pawl_failure_sink *why)
{
    (void)attempt;
    (void)ticket;
    pawl_status answer = atomic_load(&around_answer);
    *wait_ns = UINT64_C(3600000000000);
    if (answer == PAWL_OK)
        return answer;
    (void)pawl_fail_with(instance->core, why, PAWL_TERMINAL, "around.no", "not today");
    return answer;
}

static pawl_status PAWL_CALL describe(pawl_middleware *instance, pawl_sink *json)
{
    return pawl_writef(instance->core, json, "{\"answer\":%d}", atomic_load(&around_answer));
}

struct pawl_observer {
    char unused;
};

static pawl_status PAWL_CALL open_observer(const pawl_host_root *host, pawl_bytes config_json, uint64_t *kinds,
                                           pawl_observer **observer, pawl_failure_sink *why)
{
    (void)host;
    (void)config_json;
    (void)kinds;
    (void)why;
    if (atomic_load(&around_gives_none))
        return PAWL_OK;
    *observer = calloc(1, sizeof **observer);
    if (*observer == NULL)
        return PAWL_E_NOMEM;
    atomic_fetch_add(&around_instances, 1);
    return PAWL_OK;
}

static void PAWL_CALL close_observer(pawl_observer *observer)
{
    if (observer != NULL)
        atomic_fetch_sub(&around_instances, 1);
    free(observer);
}

static void PAWL_CALL observe(pawl_observer *observer, const pawl_observation *observation)
{
    (void)observer;
    (void)observation;
    atomic_fetch_add(&around_told, 1);
    if (atomic_load(&around_naps))
        nanosleep(&(struct timespec){0, 3000000}, NULL);
}

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"test.around\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"          \
    "\"kinds\":[\"middleware\",\"observer\"],\"middleware\":{},\"observer\":{}}"

PAWL_MIDDLEWARE_TABLE(middleware, create, destroy, before, NULL, describe);
PAWL_OBSERVER_TABLE(observer_table, open_observer, close_observer, observe, NULL);

static const void *PAWL_CALL get_factory(const char *wanted)
{
    if (strcmp(wanted, PAWL_FACTORY_MIDDLEWARE) == 0)
        return &middleware;
    return strcmp(wanted, PAWL_FACTORY_OBSERVER) == 0 ? &observer_table : NULL;
}

PAWL_LINKED_PLUGIN(around_plugin, "test.around", "1.0.0", "Test", MANIFEST, pawl_plain_init, pawl_plain_deinit,
                   get_factory);
