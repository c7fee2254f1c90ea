/* null_factory.c: declares a kind and offers no table for it. */
#define GET_FACTORY nothing
#include "base.h"

static const void *PAWL_CALL nothing(const char *id)
{
    (void)id;
    return NULL;
}
HOSTILE;
