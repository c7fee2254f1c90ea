/* counting_store.c: see counting_store.h. */
#include "counting_store.h"

#include "plugins/memory/memory.h"

#include <pawl_plugin.h>

atomic_int counting_store_tiers;
atomic_int counting_store_opens;
atomic_uint counting_store_says[PAWL_FACET_COUNT];
atomic_int counting_store_fails;
static const pawl_core *core; /* the same for every host */

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"test.store\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"           \
    "\"kinds\":[\"storage\"],\"facets\":[{\"facet\":\"attachment\",\"tier\":\"durable\"},"                             \
    "{\"facet\":\"artifact\",\"tier\":\"durable\"},{\"facet\":\"session\",\"tier\":\"durable\"},"                      \
    "{\"facet\":\"registry\",\"tier\":\"durable\"}]}"

static const void *inner(const char *id)
{
    return pawl_memory_plugin()->get_factory(id);
}

static const pawl_storage_table *inner_storage(void)
{
    return (const pawl_storage_table *)inner(PAWL_FACTORY_STORAGE);
}

static pawl_status fail_check(pawl_failure_sink *why)
{
    return pawl_fail_with(core, why, PAWL_TERMINAL, "test.flush", "the device answers a flush before it is done");
}

static pawl_status PAWL_CALL tier(pawl_bytes config_json, uint32_t facet, uint32_t *ret, pawl_failure_sink *why)
{
    (void)config_json;
    atomic_fetch_add(&counting_store_tiers, 1);
    if (atomic_load(&counting_store_fails) == 1)
        return fail_check(why);
    *ret = atomic_load(&counting_store_says[facet]);
    return PAWL_OK;
}

static pawl_status PAWL_CALL open_store(const pawl_host_root *host, pawl_bytes config_json, pawl_store **store,
                                        pawl_failure_sink *why)
{
    atomic_fetch_add(&counting_store_opens, 1);
    if (atomic_load(&counting_store_fails) == 2)
        return fail_check(why);
    return inner_storage()->open(host, config_json, store, why);
}

static void PAWL_CALL close_store(pawl_store *store)
{
    inner_storage()->close(store);
}

static pawl_status PAWL_CALL describe(pawl_store *store, pawl_sink *json, pawl_failure_sink *why)
{
    return inner_storage()->describe(store, json, why);
}

static pawl_status PAWL_CALL init(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    core = pawl_core_of(host);
    return pawl_plain_init(host, config_json, why);
}

static const pawl_storage_table storage = {
    sizeof(pawl_storage_table), (1u << PAWL_FACET_COUNT) - 1, tier, open_store, close_store, describe};

static const void *PAWL_CALL get_factory(const char *id)
{
    return strcmp(id, PAWL_FACTORY_STORAGE) == 0 ? &storage : inner(id);
}

PAWL_LINKED_PLUGIN(counting_store_plugin, "test.store", "1.0.0", "Pawl tests", MANIFEST, init, pawl_plain_deinit,
                   get_factory);
