/* static_tls.c: wants thread-local storage at a fixed place. */
#include "base.h"

static __thread int counter __attribute__((tls_model("initial-exec")));

static pawl_status PAWL_CALL count(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    (void)why;
    return pawl_writef(pawl_core_of(call->host), out, "%d", ++counter);
}
static const pawl_effect_table PAWL_UNUSED_ other = {sizeof other, 0, count, NULL, NULL};
__attribute__((used)) static const pawl_effect_table *keep(void)
{
    return &other;
}
HOSTILE;
