/* rocksdb.c: the plugin root of "pawl.rocksdb"; see rocksdb.h. Every store is its own world. */
#include "rocksdb.h"

#include "plugins/store/care.h"
#include "rocksdb_kv.h"

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"pawl.rocksdb\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"         \
    "\"kinds\":[\"storage\"],\"facets\":[{\"facet\":\"attachment\",\"tier\":\"durable\"},"                             \
    "{\"facet\":\"artifact\",\"tier\":\"durable\"},{\"facet\":\"session\",\"tier\":\"durable\"},"                      \
    "{\"facet\":\"registry\",\"tier\":\"durable\"}]}"

static uint32_t tier_of(const pawl_store_config *config)
{
    return config->sync ? PAWL_TIER_DURABLE : PAWL_TIER_CRASH_SAFE;
}

static const pawl_store_engine engine = {.on_disk = true, .open = pawl_rocksdb_kv_open, .tier = tier_of};

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

static pawl_status check(const pawl_host_root *host, pawl_bytes config_json, uint32_t flags, pawl_care_visit visit,
                         void *context, pawl_sink *facts_json, pawl_failure_sink *why)
{
    return pawl_store_care_check(&engine, host, config_json, flags, visit, context, facts_json, why);
}

static pawl_status restore(const pawl_host_root *host, pawl_bytes config_json, pawl_bytes directory, uint32_t flags,
                           pawl_care_visit visit, void *context, pawl_sink *facts_json, pawl_failure_sink *why)
{
    return pawl_store_care_restore(&engine, host, config_json, directory, flags, visit, context, facts_json, why);
}

static const pawl_storage_care_table care = {
    .struct_size = sizeof care,
    .check = check,
    .backup = pawl_store_care_backup,
    .restore = restore,
};

static const void *get_factory(const char *factory_id)
{
    if (strcmp(factory_id, PAWL_FACTORY_STORAGE_CARE) == 0)
        return &care;
    if (strcmp(factory_id, PAWL_FACTORY_STORAGE) == 0)
        return &storage;
    return pawl_store_facet(factory_id);
}

static const pawl_plugin_root root = {
    .struct_size = sizeof root,
    .abi_major = PAWL_ABI_MAJOR,
    .abi_minor_min = 0,
    .id = "pawl.rocksdb",
    .version = "1.0.0",
    .vendor = "Pawl",
    .manifest_json = {MANIFEST, sizeof MANIFEST - 1},
    .init = pawl_store_provider_init,
    .deinit = pawl_store_provider_deinit,
    .get_factory = get_factory,
};

const pawl_plugin_root *pawl_rocksdb_plugin(void)
{
    return &root;
}
