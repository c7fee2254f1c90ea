/* threads_bound.c: an instance can only be used on the thread that made it. */
#include <pthread.h>

#include "pawl_plugin.h"
#define CONCURRENCY "serial"
#define INVOKE      invoke_bound
#include "connector.h"

static pthread_t maker;

__attribute__((constructor)) static void remember(void)
{
    maker = pthread_self();
}

static pawl_status PAWL_CALL invoke_bound(pawl_connector *instance, const pawl_effect_call *call, pawl_sink *out,
                                          pawl_failure_sink *why)
{
    if (!pthread_equal(maker, pthread_self()))
        return pawl_fail_with(pawl_core_of(call->host), why, PAWL_TERMINAL, "bound.thread", "another thread");
    return invoke_plain(instance, call, out, why);
}
BAD_CONNECTOR;
