/* borrowed_past.c: it looks for a NUL behind its input. */
#define EXECUTE look_for_nul
#include "sampled.h"

static pawl_status PAWL_CALL look_for_nul(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    (void)why;
    const char *text = call->input.size == 0 ? "" : call->input.data;
    return pawl_write(pawl_core_of(call->host), out, text, strlen(text));
}
SAMPLED;
