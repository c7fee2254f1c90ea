/* facets.c: the facet tables; see facets.h. */
#include "facets.h"

#include "registry.h"

const pawl_registry_table pawl_store_registry_table = {
    .struct_size = sizeof pawl_store_registry_table,
    .submit = store_submit,
    .unwatch = store_unwatch,
    .worker_open = store_worker_open,
    .heartbeat = store_heartbeat,
    .worker_close = store_worker_close,
    .claim = store_claim,
    .release = store_release,
    .tick = store_tick,
    .get = store_get,
    .journal = store_journal,
    .list = store_list,
    .count = store_count,
};

const void *pawl_store_facet(const char *factory_id)
{
    if (strcmp(factory_id, PAWL_FACTORY_REGISTRY) == 0)
        return &pawl_store_registry_table;
    return NULL;
}
