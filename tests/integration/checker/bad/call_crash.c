/* call_crash.c: it dies of its sample. */
#define EXECUTE crash
#include "sampled.h"

static pawl_status PAWL_CALL crash(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    (void)call;
    (void)out;
    (void)why;
    abort();
}
SAMPLED;
