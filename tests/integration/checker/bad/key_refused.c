/* key_refused.c: idempotent, but another attempt fails. */
#define EXECUTE refuse_again
#include "sampled.h"

static pawl_status PAWL_CALL refuse_again(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    if (call->attempt > 1)
        return pawl_fail_with(pawl_core_of(call->host), why, PAWL_TERMINAL, "key.again", "done already");
    return echo(call, out, why);
}
SAMPLED;
