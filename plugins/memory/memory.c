/* memory.c: the plugin root of "pawl.memory"; see memory.h. Every store is its own world. */
#include "memory.h"

#include "memory_kv.h"
#include "plugins/store/config.h"
#include "plugins/store/facets.h"
#include "plugins/store/store.h"

#include <stdatomic.h>

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"pawl.memory\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"          \
    "\"kinds\":[\"storage\"],\"facets\":[{\"facet\":\"attachment\",\"tier\":\"inline\"},"                              \
    "{\"facet\":\"artifact\",\"tier\":\"inline\"},{\"facet\":\"session\",\"tier\":\"inline\"},"                        \
    "{\"facet\":\"registry\",\"tier\":\"inline\"}]}"

/* tier has no host to report through, and the table is the same for every host in a program: kept from init. */
static const pawl_core *_Atomic kept_core;

static pawl_status tier(pawl_bytes config_json, uint32_t facet, uint32_t *result, pawl_failure_sink *why)
{
    pawl_store_config config;
    pawl_fault fault = {0};
    if (facet >= PAWL_FACET_COUNT)
        return PAWL_E_UNSUPPORTED;
    pawl_status status = pawl_store_config_read(&config, config_json, false, &fault);
    const pawl_core *core = atomic_load(&kept_core);
    if (status != PAWL_OK)
        return core == NULL ? status : pawl_fault_emit(core, why, &fault);
    pawl_store_config_finish(&config);
    *result = PAWL_TIER_INLINE;
    return PAWL_OK;
}

static pawl_status open_store(const pawl_host_root *host, pawl_bytes config_json, pawl_store **store,
                              pawl_failure_sink *why)
{
    pawl_core core = {0};
    pawl_registry_host registry_host;
    pawl_fault fault = {0};
    pawl_store_config config;
    pawl_kv *kv;
    pawl_status status = pawl_store_take_host(host, &core, &registry_host, &fault);
    if (status == PAWL_OK)
        status = pawl_store_config_read(&config, config_json, false, &fault);
    if (status != PAWL_OK)
        return pawl_fault_emit(&core, why, &fault);
    status = pawl_memory_kv_open(&kv, &fault);
    if (status == PAWL_OK)
        status = pawl_store_open(host, &config, kv, store, &fault);
    pawl_store_config_finish(&config);
    return status == PAWL_OK ? status : pawl_fault_emit(&core, why, &fault);
}

static const pawl_storage_table storage = {
    .struct_size = sizeof storage,
    .facets = PAWL_STORE_FACETS,
    .tier = tier,
    .open = open_store,
    .close = pawl_store_close,
    .describe = pawl_store_describe,
};

static pawl_status init(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    (void)config_json; /* all settings belong to a store */
    pawl_core core = {0};
    pawl_registry_host registry_host;
    pawl_fault fault = {0};
    pawl_status status = pawl_store_take_host(host, &core, &registry_host, &fault);
    if (status != PAWL_OK)
        return pawl_fault_emit(&core, why, &fault);
    atomic_store(&kept_core, (const pawl_core *)host->get_extension(host, PAWL_EXT_CORE));
    return PAWL_OK;
}

static void deinit(const pawl_host_root *host)
{
    (void)host;
}

static const void *get_factory(const char *factory_id)
{
    if (strcmp(factory_id, PAWL_FACTORY_STORAGE) == 0)
        return &storage;
    return pawl_store_facet(factory_id);
}

static const pawl_plugin_root root = {
    .struct_size = sizeof root,
    .abi_major = PAWL_ABI_MAJOR,
    .abi_minor_min = 0,
    .id = "pawl.memory",
    .version = "1.0.0",
    .vendor = "Pawl",
    .manifest_json = {MANIFEST, sizeof MANIFEST - 1},
    .init = init,
    .deinit = deinit,
    .get_factory = get_factory,
};

const pawl_plugin_root *pawl_memory_plugin(void)
{
    return &root;
}
