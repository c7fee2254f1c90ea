/* init_picky.c: it wants a host of its own minor, not that or a later one. */
#define INIT init_picky
#include "pawl_plugin.h"

static pawl_status PAWL_CALL init_picky(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    (void)config;
    return host->abi_minor == PAWL_ABI_MINOR
               ? PAWL_OK
               : pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "picky.minor", "another minor");
}
#include "base.h"
HOSTILE;
