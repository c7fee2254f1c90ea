/* leak_descriptor.c: every call opens a file of its own. */
#include <fcntl.h>
#include <unistd.h>
#define EXECUTE open_one
#define DEINIT  close_all
#include "pawl_plugin.h"

static int opened[4096];
static int count;

static void PAWL_CALL close_all(const pawl_host_root *host)
{
    (void)host;
    while (count > 0)
        close(opened[--count]);
}
#include "sampled.h"

static pawl_status PAWL_CALL open_one(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    if (count < 900) /* calls of one thread at a time would do better than this */
        opened[count++] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return echo(call, out, why);
}
SAMPLED;
