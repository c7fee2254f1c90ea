/* deinit_crash.c: dies in deinit. */
#define DEINIT crash
#include "base.h"

static void PAWL_CALL crash(const pawl_host_root *host)
{
    volatile int *volatile nowhere = NULL; /* volatile twice: the write may not be left out */
    (void)host;
    *nowhere = 1;
}
HOSTILE;
