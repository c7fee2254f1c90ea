/* threads_stack.c: it wants more stack than a worker's thread has. */
#define EXECUTE pile_up
#include "sampled.h"

static pawl_status PAWL_CALL pile_up(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    volatile char large[3 << 20];
    for (size_t i = 0; i < sizeof large; i += 512)
        large[i] = 1;
    return large[512] == 1 ? echo(call, out, why) : PAWL_E_FAILED;
}
SAMPLED;
