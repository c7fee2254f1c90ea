/* order.c: tells, as the result of its effect, in which order it was called so far. */
#define ID          "hostile.order"
#define EFFECT      "hostile.order"
#define INIT        init
#define DEINIT      deinit
#define GET_FACTORY get_factory
#include "base.h"

static char calls[512];

static void note(const char *name)
{
    size_t used = strlen(calls);
    snprintf(calls + used, sizeof calls - used, "%s ", name);
}
static pawl_status PAWL_CALL init(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    (void)host;
    (void)config_json;
    (void)why;
    note("init");
    return PAWL_OK;
}
static void PAWL_CALL deinit(const pawl_host_root *host)
{
    (void)host;
    note("deinit");
}
static pawl_status PAWL_CALL tell(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    (void)why;
    return pawl_write_text(pawl_core_of(call->host), out, calls);
}
PAWL_EFFECT_TABLE(table, tell, NULL, NULL);
static const void *PAWL_CALL get_factory(const char *id)
{
    note("get_factory");
    return strcmp(id, PAWL_FACTORY_EFFECT) == 0 ? &table : NULL;
}
HOSTILE;
