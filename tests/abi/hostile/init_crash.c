/* init_crash.c: writes through a NULL pointer in init. */
#define INIT crash
#include "base.h"

static pawl_status PAWL_CALL crash(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    (void)config_json;
    (void)host;
    (void)why;
    volatile int *volatile nowhere = NULL; /* volatile twice: the write may not be left out */
    *nowhere = 1;
    return PAWL_OK;
}
HOSTILE;
