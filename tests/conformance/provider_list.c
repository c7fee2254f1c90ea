/* provider_list.c: the providers that are linked in, and what each is held to. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "plugins/memory/memory.h"
#include "plugins/rocksdb/rocksdb.h"
#include "provider.h"

#define EVERY_FACET ((1u << PAWL_FACET_COUNT) - 1u)
#define ALL_FACETS(tier)                                                                                               \
    {                                                                                                                  \
        (tier), (tier), (tier), (tier)                                                                                 \
    }

static const pawl_conformance_provider providers[] = {
    {
        .name = "memory",
        .root = pawl_memory_plugin,
        .facets = EVERY_FACET,
        .config_template = "{}",
        .strict_config = true,
        .tier = ALL_FACETS(PAWL_TIER_INLINE),
    },
    {
        .name = "rocksdb",
        .root = pawl_rocksdb_plugin,
        .facets = EVERY_FACET,
        .config_template = "{\"path\": \"%DIR%/store\"}",
        .survives_reopen = true,
        .files = true,
        .log_suffix = ".log",
        .strict_config = true,
        .tier = ALL_FACETS(PAWL_TIER_DURABLE),
    },
    {
        .name = "rocksdb-nosync",
        .root = pawl_rocksdb_plugin,
        .facets = EVERY_FACET,
        .config_template = "{\"path\": \"%DIR%/store\", \"sync\": false}",
        .survives_reopen = true,
        .files = true,
        .log_suffix = ".log",
        .strict_config = true,
        .tier = ALL_FACETS(PAWL_TIER_CRASH_SAFE),
    },
};

const pawl_conformance_provider *pawl_conformance_find(const char *name)
{
    for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
        if (strcmp(providers[i].name, name) == 0)
            return &providers[i];
    return NULL;
}

void pawl_conformance_print_names(void)
{
    for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
        printf("%s\n", providers[i].name);
}
