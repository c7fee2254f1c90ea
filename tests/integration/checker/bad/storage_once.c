/* storage_once.c: what was closed it does not open again. */
#define OPEN open_once
#include "storage.h"

static pawl_status PAWL_CALL open_once(const pawl_host_root *host, pawl_bytes config, pawl_store **store,
                                       pawl_failure_sink *why)
{
    static int opened;
    if (opened++)
        return pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "once.opened", "it was opened before");
    return open_empty(host, config, store, why);
}
STORE;
