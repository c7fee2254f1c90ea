/* failure_form.c: what it fails with is no code. */
#define EXECUTE fail_badly
#include "sampled.h"

static pawl_status PAWL_CALL fail_badly(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    if (is_sample(call))
        return echo(call, out, why);
    return pawl_fail_with(pawl_core_of(call->host), why, PAWL_TERMINAL, "Something Went Wrong!", "what is this?");
}
SAMPLED;
