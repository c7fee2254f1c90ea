/* late_completion.c: it completes what it started twice. */
#define EXECUTE NULL
#define START   complete_twice
#define MORE    ",\"runs\":\"async\""
#include "sampled.h"

static pawl_status PAWL_CALL complete_twice(const pawl_effect_call *call, pawl_completion *done, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    (void)why;
    pawl_completed(core, done, "{}", 2);
    pawl_completed(core, done, "{}", 2);
    return PAWL_PENDING;
}
SAMPLED;
