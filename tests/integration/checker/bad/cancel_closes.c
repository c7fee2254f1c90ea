/* cancel_closes.c: it reads from the descriptor of its cancel token. */
#include <poll.h>
#include <unistd.h>
#define EXECUTE  wait_rudely
#define EXAMPLES "{\"input\":{\"a\":1}},{\"input\":{\"slow\":1},\"slow\":true}"
#include "sampled.h"

static pawl_status PAWL_CALL wait_rudely(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    uint64_t value;
    int fd = core->cancel_fd(call->cancel);
    struct pollfd ready = {fd, POLLIN, 0};
    if (fd >= 0 && is_slow(call) && call->deadline_mono_ns == 0 && poll(&ready, 1, -1) == 1 &&
        read(fd, &value, sizeof value) > 0)
        return PAWL_E_CANCELLED;
    return echo(call, out, why);
}
SAMPLED;
