/* input_crash.c: it believes that an input is an object. */
#define EXECUTE believe
#include "sampled.h"

static pawl_status PAWL_CALL believe(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const char *text = call->input.data;
    if (call->input.size == 0 || text[0] != '{')
        abort();
    return echo(call, out, why);
}
SAMPLED;
