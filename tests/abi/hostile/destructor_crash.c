/* destructor_crash.c: dies when the program ends. */
#include "base.h"

__attribute__((destructor)) static void crash(void)
{
    int *volatile nowhere = NULL;
    *nowhere = 1;
}
HOSTILE;
