/* destructor_crash.c: dies when the program ends. */
#include "base.h"

__attribute__((destructor)) static void crash(void)
{
    volatile int *volatile nowhere = NULL; /* volatile twice: the write may not be left out */
    *nowhere = 1;
}
HOSTILE;
