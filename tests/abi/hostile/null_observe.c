/* null_observe.c: an observer that cannot be told anything. */
#define PARTS   "\"kinds\":[\"observer\"],\"observer\":{}"
#define FACTORY PAWL_FACTORY_OBSERVER
#define TABLE   &table
#include "base.h"

static pawl_status PAWL_CALL create(const pawl_host_root *host, pawl_bytes config_json, uint64_t *kinds,
                                    pawl_observer **observer, pawl_failure_sink *why)
{
    static char one;
    (void)host, (void)config_json, (void)kinds, (void)why;
    *observer = (pawl_observer *)(void *)&one;
    return PAWL_OK;
}

static void PAWL_CALL destroy(pawl_observer *observer)
{
    (void)observer;
}

PAWL_OBSERVER_TABLE(table, create, destroy, NULL, NULL);
HOSTILE;
