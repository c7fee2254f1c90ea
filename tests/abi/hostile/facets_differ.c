/* facets_differ.c: offers other facets than its manifest says. */
#define FACTORY PAWL_FACTORY_STORAGE
#define TABLE   &storage
#define PARTS   "\"kinds\":[\"storage\"],\"facets\":[{\"facet\":\"session\",\"tier\":\"inline\"}]"
#include "base.h"

static pawl_status PAWL_CALL tier(pawl_bytes config_json, uint32_t facet, uint32_t *tier, pawl_failure_sink *why)
{
    (void)config_json;
    (void)facet;
    (void)why;
    *tier = PAWL_TIER_INLINE;
    return PAWL_OK;
}
static pawl_status PAWL_CALL open_store(const pawl_host_root *host, pawl_bytes config_json, pawl_store **store,
                                        pawl_failure_sink *why)
{
    (void)host;
    (void)config_json;
    (void)store;
    (void)why;
    return PAWL_E_UNSUPPORTED;
}
static void PAWL_CALL close_store(pawl_store *store)
{
    (void)store;
}
static const pawl_storage_table storage = {
    sizeof storage, 1u << PAWL_FACET_REGISTRY, tier, open_store, close_store, NULL};
HOSTILE;
