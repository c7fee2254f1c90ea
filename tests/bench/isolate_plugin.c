/* isolate_plugin.c: the least that an effect can do, for isolate_bench.c. Must never do more: what is measured is the
 * way to it and back. */
#include <pawl_plugin.h>

static pawl_status PAWL_CALL execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    (void)why;
    return pawl_write(pawl_core_of(call->host), out, call->input.data, call->input.size);
}

static pawl_status PAWL_CALL start(const pawl_effect_call *call, pawl_completion *done, pawl_failure_sink *why)
{
    (void)why;
    pawl_completed(pawl_core_of(call->host), done, call->input.data, call->input.size);
    return PAWL_PENDING;
}
PAWL_EFFECT_TABLE(table, execute, start, NULL);
PAWL_FACTORY_OF(get_factory, PAWL_FACTORY_EFFECT, &table);

#define EFFECT(name, runs) "{\"name\":\"" name "\",\"outcome\":\"idempotent\",\"runs\":\"" runs "\"}"
#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"pawl.bench.echo\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"      \
    "\"kinds\":[\"effect\"],\"effects\":[" EFFECT("echo.pool", "pool") "," EFFECT("echo.async", "async") "]}"
PAWL_PLUGIN("pawl.bench.echo", "1.0.0", "Pawl", MANIFEST, pawl_plain_init, pawl_plain_deinit, get_factory);
