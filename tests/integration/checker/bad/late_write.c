/* late_write.c: at its end it writes to the sink of a call that is long over. */
#define EXECUTE keep
#define DEINIT  write_late
#include "pawl_plugin.h"

static pawl_sink *kept;
static void PAWL_CALL write_late(const pawl_host_root *host)
{
    if (kept != NULL)
        pawl_core_of(host)->sink_write(kept, "late", 4);
    kept = NULL;
}
#include "sampled.h"

static pawl_status PAWL_CALL keep(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    kept = out;
    return echo(call, out, why);
}
SAMPLED;
