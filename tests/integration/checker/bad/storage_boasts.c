/* storage_boasts.c: it claims a better tier than its manifest has. */
#define TIER tier_durable
#include "storage.h"

static pawl_status PAWL_CALL tier_durable(pawl_bytes config, uint32_t facet, uint32_t *tier, pawl_failure_sink *why)
{
    (void)config;
    (void)facet;
    (void)why;
    *tier = PAWL_TIER_DURABLE;
    return PAWL_OK;
}
STORE;
