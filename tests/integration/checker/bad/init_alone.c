/* init_alone.c: it serves one host at a time. */
#define INIT   init_alone
#define DEINIT deinit_alone
#include "pawl_plugin.h"

static int there;

static pawl_status PAWL_CALL init_alone(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    (void)config;
    if (there)
        return pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "alone.taken", "there is a host already");
    there = 1;
    return PAWL_OK;
}

static void PAWL_CALL deinit_alone(const pawl_host_root *host)
{
    (void)host;
    there = 0;
}
#include "base.h"
HOSTILE;
