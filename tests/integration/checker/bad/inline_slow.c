/* inline_slow.c: it runs inline, and takes long. */
#include <time.h>
#define EXECUTE dawdle
#define MORE    ",\"runs\":\"inline\""
#include "sampled.h"

static pawl_status PAWL_CALL dawdle(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const struct timespec span = {1, 100000000};
    nanosleep(&span, NULL);
    return echo(call, out, why);
}
SAMPLED;
