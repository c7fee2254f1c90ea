/* memory.c: the plugin root of "pawl.memory"; see memory.h. Every store is its own world. */
#include "memory.h"

#include "memory_kv.h"
#include "plugins/store/provider.h"

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"pawl.memory\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"          \
    "\"kinds\":[\"storage\"],\"facets\":[{\"facet\":\"attachment\",\"tier\":\"inline\"},"                              \
    "{\"facet\":\"artifact\",\"tier\":\"inline\"},{\"facet\":\"session\",\"tier\":\"inline\"},"                        \
    "{\"facet\":\"registry\",\"tier\":\"inline\"}]}"

static pawl_status open_engine(const pawl_store_config *config, pawl_kv **kv, pawl_fault *fault)
{
    (void)config;
    return pawl_memory_kv_open(kv, fault);
}

static uint32_t tier_of(const pawl_store_config *config)
{
    (void)config;
    return PAWL_TIER_INLINE;
}

static const pawl_store_engine engine = {.on_disk = false, .open = open_engine, .tier = tier_of};

static pawl_status tier(pawl_bytes config_json, uint32_t facet, uint32_t *result, pawl_failure_sink *why)
{
    return pawl_store_provider_tier(&engine, config_json, facet, result, why);
}

static pawl_status open_store(const pawl_host_root *host, pawl_bytes config_json, pawl_store **store,
                              pawl_failure_sink *why)
{
    return pawl_store_provider_open(&engine, host, config_json, store, why);
}

static const pawl_storage_table storage = {
    .struct_size = sizeof storage,
    .facets = PAWL_STORE_FACETS,
    .tier = tier,
    .open = open_store,
    .close = pawl_store_close,
    .describe = pawl_store_describe,
};

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
    .init = pawl_store_provider_init,
    .deinit = pawl_store_provider_deinit,
    .get_factory = get_factory,
};

const pawl_plugin_root *pawl_memory_plugin(void)
{
    return &root;
}
