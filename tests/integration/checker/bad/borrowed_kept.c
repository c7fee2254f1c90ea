/* borrowed_kept.c: it remembers the operation of the call before by its address. */
#define EXECUTE remember
#include "sampled.h"

static const volatile char *last;

static pawl_status PAWL_CALL remember(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    if (last != NULL && *last == 'x')
        return PAWL_E_CONFLICT;
    last = call->operation.data;
    return echo(call, out, why);
}
SAMPLED;
