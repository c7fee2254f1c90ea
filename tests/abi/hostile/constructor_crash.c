/* constructor_crash.c: dies before anything of it is called. */
#include "base.h"

__attribute__((constructor)) static void crash(void)
{
    int *volatile nowhere = NULL;
    *nowhere = 1;
}
HOSTILE;
