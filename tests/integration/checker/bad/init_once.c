/* init_once.c: what deinit took down, init does not make again. */
#define INIT   init_once
#define DEINIT deinit_for_ever
#include "pawl_plugin.h"

static int gone;

static pawl_status PAWL_CALL init_once(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    (void)config;
    return gone ? pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "once.gone", "it is gone") : PAWL_OK;
}

static void PAWL_CALL deinit_for_ever(const pawl_host_root *host)
{
    (void)host;
    gone = 1;
}
#include "base.h"
HOSTILE;
