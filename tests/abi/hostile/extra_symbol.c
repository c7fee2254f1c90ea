/* extra_symbol.c: exports more than its entry. */
#include "base.h"

HOSTILE;
PAWL_EXPORT int helper_that_leaked(void);
PAWL_EXPORT int helper_that_leaked(void)
{
    return 1;
}
