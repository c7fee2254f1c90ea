/* key_differs.c: by_key, but another result every time. */
#include <stdatomic.h>
#define EXECUTE count
#define OUTCOME "by_key"
#include "sampled.h"

static pawl_status PAWL_CALL count(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    static atomic_int calls;
    (void)why;
    return pawl_writef(pawl_core_of(call->host), out, "%d", atomic_fetch_add(&calls, 1));
}
SAMPLED;
