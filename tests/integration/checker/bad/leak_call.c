/* leak_call.c: every call forgets some memory. */
#define EXECUTE forget
#include "sampled.h"

static pawl_status PAWL_CALL forget(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    void *volatile lost = malloc(40);
    (void)lost;
    return echo(call, out, why);
}
SAMPLED;
