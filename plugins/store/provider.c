/* provider.c: see provider.h. */
#include "provider.h"

#include <stdatomic.h>

/* tier has no host to report through, and the table is the same for every host in a program: kept from init. */
static const pawl_core *_Atomic kept_core;

pawl_status pawl_store_provider_tier(const pawl_store_engine *engine, pawl_bytes config_json, uint32_t facet,
                                     uint32_t *tier, pawl_failure_sink *why)
{
    pawl_store_config config;
    pawl_fault fault = {0};
    if (facet >= PAWL_FACET_COUNT)
        return PAWL_E_UNSUPPORTED;
    pawl_status status = pawl_store_config_read(&config, config_json, engine->on_disk, &fault);
    const pawl_core *core = atomic_load(&kept_core);
    if (status != PAWL_OK)
        return core == NULL ? status : pawl_fault_emit(core, why, &fault);
    *tier = engine->tier(&config);
    pawl_store_config_finish(&config);
    return PAWL_OK;
}

pawl_status pawl_store_provider_open(const pawl_store_engine *engine, const pawl_host_root *host,
                                     pawl_bytes config_json, pawl_store **store, pawl_failure_sink *why)
{
    pawl_core core = {0};
    pawl_registry_host registry_host;
    pawl_fault fault = {0};
    pawl_store_config config;
    pawl_kv *kv;
    pawl_status status = pawl_store_take_host(host, &core, &registry_host, &fault);
    if (status == PAWL_OK)
        status = pawl_store_config_read(&config, config_json, engine->on_disk, &fault);
    if (status != PAWL_OK)
        return pawl_fault_emit(&core, why, &fault);
    status = engine->open(&config, &kv, &fault);
    if (status == PAWL_OK && kv->notice[0] != '\0' && core.log != NULL)
        core.log(host, PAWL_LOG_WARN, pawl_bytes_of(kv->notice), (pawl_bytes){NULL, 0});
    if (status == PAWL_OK)
        status = pawl_store_open(host, &config, kv, store, &fault);
    pawl_store_config_finish(&config);
    return status == PAWL_OK ? status : pawl_fault_emit(&core, why, &fault);
}

pawl_status pawl_store_provider_init(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    (void)config_json;
    pawl_core core = {0};
    pawl_registry_host registry_host;
    pawl_fault fault = {0};
    pawl_status status = pawl_store_take_host(host, &core, &registry_host, &fault);
    if (status != PAWL_OK)
        return pawl_fault_emit(&core, why, &fault);
    atomic_store(&kept_core, (const pawl_core *)host->get_extension(host, PAWL_EXT_CORE));
    return PAWL_OK;
}

void pawl_store_provider_deinit(const pawl_host_root *host)
{
    (void)host;
}
