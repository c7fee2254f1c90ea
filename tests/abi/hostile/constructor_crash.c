/* constructor_crash.c: dies before anything of it is called. */
#include "base.h"

__attribute__((constructor)) static void crash(void)
{
    volatile int *volatile nowhere = NULL; /* volatile twice: the write may not be left out */
    *nowhere = 1;
}
HOSTILE;
