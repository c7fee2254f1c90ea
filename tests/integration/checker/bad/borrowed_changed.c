/* borrowed_changed.c: it works in the memory of its input. */
#define EXECUTE change
#include "sampled.h"

static pawl_status PAWL_CALL change(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    char *text = (char *)(uintptr_t)call->input.data;
    if (is_sample(call))
        text[1] = '"';
    return echo(call, out, why);
}
SAMPLED;
