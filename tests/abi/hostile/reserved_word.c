/* reserved_word.c: uses a reserved word of a facet table. */
#define GET_FACTORY tables
#define PARTS       "\"kinds\":[\"storage\"],\"facets\":[{\"facet\":\"session\",\"tier\":\"inline\"}]"
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
    sizeof storage, 1u << PAWL_FACET_SESSION, tier, open_store, close_store, NULL};
static const pawl_session_table session = {sizeof session, 7, NULL, NULL, NULL, NULL, NULL};

static const void *PAWL_CALL tables(const char *id)
{
    if (strcmp(id, PAWL_FACTORY_STORAGE) == 0)
        return &storage;
    return strcmp(id, PAWL_FACTORY_SESSION) == 0 ? &session : NULL;
}
HOSTILE;
