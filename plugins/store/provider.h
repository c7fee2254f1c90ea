/* provider.h: what every engine's plugin does in the same way: read a config, say its tier, open a store over the
 * engine. An engine's plugin adds its id, its manifest and one of these. No state but the host's core table, which is
 * the same for every host in a program. */
#ifndef PAWL_STORE_PROVIDER_H
#define PAWL_STORE_PROVIDER_H

#include "config.h"
#include "facets.h"
#include "store.h"

/** An engine, as its plugin describes it. Static. */
typedef struct pawl_store_engine {
    bool on_disk; /* its config has a path */
    pawl_status (*open)(const pawl_store_config *config, pawl_kv **kv, pawl_fault *fault);
    uint32_t (*tier)(const pawl_store_config *config); /* PAWL_TIER_*, of every facet */
} pawl_store_engine;

/** pawl_storage_table.tier over an engine. [any] */
pawl_status pawl_store_provider_tier(const pawl_store_engine *engine, pawl_bytes config_json, uint32_t facet,
                                     uint32_t *tier, pawl_failure_sink *why);
/** pawl_storage_table.open over an engine. [loader] */
pawl_status pawl_store_provider_open(const pawl_store_engine *engine, const pawl_host_root *host,
                                     pawl_bytes config_json, pawl_store **store, pawl_failure_sink *why);
/** init and deinit of the plugin root: all settings belong to a store. [loader] */
pawl_status pawl_store_provider_init(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why);
void pawl_store_provider_deinit(const pawl_host_root *host);

#endif
