/* leak_life.c: every init forgets some memory. */
#define INIT init_leaking
#include "pawl_plugin.h"

static pawl_status PAWL_CALL init_leaking(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    void *volatile lost = malloc(100);
    (void)lost;
    (void)host;
    (void)config;
    (void)why;
    return PAWL_OK;
}
#include "base.h"
HOSTILE;
