/* wild_factory.c: gives a pointer into nowhere for a table. */
#define GET_FACTORY wild
#include "base.h"

static const void *PAWL_CALL wild(const char *id)
{
    (void)id;
    return (const void *)(uintptr_t)0xdead0000u;
}
HOSTILE;
