/* call_both.c: it tells a failure and succeeds. */
#define EXECUTE do_both
#include "sampled.h"

static pawl_status PAWL_CALL do_both(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    pawl_fail_with(pawl_core_of(call->host), why, PAWL_TERMINAL, "both.failed", "it failed");
    return echo(call, out, why);
}
SAMPLED;
