/* storage.h: a store that can be opened and holds nothing; a bad one replaces TIER or OPEN. */
#ifndef PAWL_TESTS_CHECKER_STORAGE_H
#define PAWL_TESTS_CHECKER_STORAGE_H

#include "pawl_plugin.h"

#define PARTS       "\"kinds\":[\"storage\"],\"facets\":[{\"facet\":\"artifact\",\"tier\":\"inline\"}]"
#define GET_FACTORY store_factory

static pawl_status PAWL_UNUSED_ PAWL_CALL tier_inline(pawl_bytes config, uint32_t facet, uint32_t *tier,
                                                      pawl_failure_sink *why)
{
    (void)config;
    (void)facet;
    (void)why;
    *tier = PAWL_TIER_INLINE;
    return PAWL_OK;
}

static pawl_status PAWL_UNUSED_ PAWL_CALL open_empty(const pawl_host_root *host, pawl_bytes config, pawl_store **store,
                                                     pawl_failure_sink *why)
{
    (void)host;
    (void)config;
    (void)why;
    *store = (pawl_store *)calloc(1, 1);
    return PAWL_OK;
}

static void PAWL_CALL close_empty(pawl_store *store)
{
    free(store);
}

static pawl_status PAWL_CALL put(pawl_store *store, pawl_bytes kind, pawl_bytes content, uint8_t *digest,
                                 pawl_failure_sink *why)
{
    (void)store;
    (void)kind;
    (void)content;
    (void)digest;
    (void)why;
    return PAWL_E_UNSUPPORTED;
}

static pawl_status PAWL_CALL get(pawl_store *store, const uint8_t *digest, pawl_sink *content, pawl_sink *kind,
                                 pawl_failure_sink *why)
{
    (void)store;
    (void)digest;
    (void)content;
    (void)kind;
    (void)why;
    return PAWL_E_NOT_FOUND;
}

static pawl_status PAWL_CALL hold(pawl_store *store, const uint8_t *digest, pawl_bytes holder, pawl_failure_sink *why)
{
    (void)store;
    (void)digest;
    (void)holder;
    (void)why;
    return PAWL_E_NOT_FOUND;
}

static pawl_status PAWL_CALL drop(pawl_store *store, const uint8_t *digest, pawl_failure_sink *why)
{
    (void)store;
    (void)digest;
    (void)why;
    return PAWL_E_NOT_FOUND;
}

#ifndef TIER
#define TIER tier_inline
#endif
#ifndef OPEN
#define OPEN open_empty
#endif
#define STORE                                                                                                          \
    static const pawl_artifact_table artifacts = {sizeof artifacts, 0, put, get, hold, hold, drop};                    \
    static const pawl_storage_table storage = {                                                                        \
        sizeof storage, 1u << PAWL_FACET_ARTIFACT, TIER, OPEN, close_empty, NULL};                                     \
    static const void *PAWL_CALL store_factory(const char *id)                                                         \
    {                                                                                                                  \
        if (strcmp(id, PAWL_FACTORY_STORAGE) == 0)                                                                     \
            return &storage;                                                                                           \
        return strcmp(id, PAWL_FACTORY_ARTIFACT) == 0 ? &artifacts : NULL;                                             \
    }                                                                                                                  \
    HOSTILE
#include "base.h"

#endif
