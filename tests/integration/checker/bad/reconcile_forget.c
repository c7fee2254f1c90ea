/* reconcile_forget.c: it says of everything that it did not happen. */
#define EXECUTE   echo
#define RECONCILE deny
#define OUTCOME   "reconcile"
#include "sampled.h"

static pawl_status PAWL_CALL deny(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    (void)call;
    (void)out;
    (void)why;
    return PAWL_E_NOT_FOUND;
}
SAMPLED;
