/* factory_crash.c: dies when asked for a table. */
#define GET_FACTORY crash
#include "base.h"

static const void *PAWL_CALL crash(const char *id)
{
    volatile int *volatile nowhere = NULL; /* volatile twice: the write may not be left out */
    *nowhere = id == NULL;
    return NULL;
}
HOSTILE;
