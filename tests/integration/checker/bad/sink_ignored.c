/* sink_ignored.c: it does not look at what a write returns. */
#define EXECUTE ignore
#include "sampled.h"

static pawl_status PAWL_CALL ignore(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    (void)echo(call, out, why);
    return PAWL_OK;
}
SAMPLED;
