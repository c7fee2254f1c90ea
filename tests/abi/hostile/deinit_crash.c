/* deinit_crash.c: dies in deinit. */
#define DEINIT crash
#include "base.h"

static void PAWL_CALL crash(const pawl_host_root *host)
{
    int *volatile nowhere = NULL;
    (void)host;
    *nowhere = 1;
}
HOSTILE;
