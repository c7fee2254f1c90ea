/* threads_shared.c: all calls work on one thing, and there is time between two steps of one. */
#include <sched.h>
#include <stdatomic.h>
#include <time.h>
#define EXECUTE work
#include "sampled.h"

static atomic_int working;

static pawl_status PAWL_CALL work(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const struct timespec span = {0, 5000000};
    int others = atomic_fetch_add(&working, 1);
    if (is_sample(call))
        nanosleep(&span, NULL);
    atomic_fetch_sub(&working, 1);
    (void)why;
    return pawl_writef(pawl_core_of(call->host), out, "{\"others\":%d}", others);
}
SAMPLED;
