/* cancel_deaf.c: it waits until its deadline, whoever asks it to stop. */
#include <time.h>
#define EXECUTE  wait_deaf
#define EXAMPLES "{\"input\":{\"a\":1}},{\"input\":{\"slow\":1},\"slow\":true}"
#include "sampled.h"

static pawl_status PAWL_CALL wait_deaf(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    const struct timespec span = {0, 10000000};
    for (unsigned i = 0; is_slow(call) && i < 6000 && pawl_call_time_left_ns(core, call) > 0; i++)
        nanosleep(&span, NULL);
    return echo(call, out, why);
}
SAMPLED;
