/* high_flag_observer.c: an observer with a flag that no host may ignore. */
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

static void PAWL_CALL observe(pawl_observer *observer, const pawl_observation *observation)
{
    (void)observer, (void)observation;
}

static const pawl_observer_table table = {sizeof(pawl_observer_table), 0x20000, create, destroy, observe, NULL};
HOSTILE;
