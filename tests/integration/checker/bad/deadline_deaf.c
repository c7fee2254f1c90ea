/* deadline_deaf.c: a call that has a deadline is taken to the end. */
#include <time.h>
#define EXECUTE  wait_deaf
#define EXAMPLES "{\"input\":{\"a\":1}},{\"input\":{\"slow\":1},\"slow\":true}"
#include "sampled.h"

static pawl_status PAWL_CALL wait_deaf(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    const struct timespec span = {0, 10000000};
    for (unsigned i = 0; is_slow(call) && i < 6000; i++) {
        if (call->deadline_mono_ns == 0 && pawl_call_cancelled(core, call))
            return PAWL_E_CANCELLED;
        nanosleep(&span, NULL);
    }
    return echo(call, out, why);
}
SAMPLED;
