/* factory_crash.c: dies when asked for a table. */
#define GET_FACTORY crash
#include "base.h"

static const void *PAWL_CALL crash(const char *id)
{
    int *volatile nowhere = NULL;
    *nowhere = id == NULL;
    return NULL;
}
HOSTILE;
