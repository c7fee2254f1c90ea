/* call_silent.c: it fails and does not say why, though its status says that it did. */
#define EXECUTE fail_silently
#include "sampled.h"

static pawl_status PAWL_CALL fail_silently(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    (void)call;
    (void)out;
    (void)why;
    return PAWL_E_FAILED;
}
SAMPLED;
