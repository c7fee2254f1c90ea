/* calls_state.c: a call changes the working directory. */
#include <unistd.h>
#define EXECUTE move
#include "sampled.h"

static pawl_status PAWL_CALL move(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    if (chdir("/") != 0)
        return PAWL_E_IO;
    return echo(call, out, why);
}
SAMPLED;
