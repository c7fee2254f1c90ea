/* call_pending.c: execute returns what only start may. */
#define EXECUTE pend
#include "sampled.h"

static pawl_status PAWL_CALL pend(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    (void)call;
    (void)out;
    (void)why;
    return PAWL_PENDING;
}
SAMPLED;
