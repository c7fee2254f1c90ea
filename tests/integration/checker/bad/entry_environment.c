/* entry_environment.c: a constructor sets an environment variable. */
#include "base.h"

__attribute__((constructor)) static void begin(void)
{
    setenv("PAWL_CHECK_TEST", "1", 1);
}
HOSTILE;
