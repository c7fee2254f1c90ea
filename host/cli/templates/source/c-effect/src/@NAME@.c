/* @NAME@.c: the effect @NAME@.stamp, which gives its input back with the key of the call. */
#include <pawl_plugin.h>

#include "pawl_manifest.h" /* made of manifest.json */

static pawl_status stamp(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    if (pawl_call_cancelled(core, call)) /* what takes long looks here now and then */
        return pawl_fail_with(core, why, PAWL_RETRYABLE, "@NAME@.stopped", "asked to stop before anything was done");
    if (call->input.size <= 2) /* {} */
        return pawl_fail_with(core, why, PAWL_TERMINAL, "@NAME@.nothing", "there is nothing to stamp");
    pawl_status status = pawl_write_text(core, out, "{\"stamped\":");
    if (status == PAWL_OK)
        status = pawl_write(core, out, call->input.data, call->input.size); /* JSON, as the manifest says */
    if (status == PAWL_OK)
        status = pawl_write_text(core, out, ",\"key\":");
    if (status == PAWL_OK)
        status = pawl_write_json_string(core, out, call->idempotency_key);
    return status == PAWL_OK ? pawl_write_text(core, out, "}") : status;
}

static pawl_status execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    if (pawl_is(call->operation, "@NAME@.stamp"))
        return stamp(call, out, why);
    return PAWL_E_UNSUPPORTED;
}

PAWL_EFFECT_TABLE(table, execute, NULL, NULL);
PAWL_FACTORY_OF(get_factory, PAWL_FACTORY_EFFECT, &table);
PAWL_PLUGIN(PAWL_MANIFEST_ID, PAWL_MANIFEST_VERSION, "@VENDOR@", PAWL_MANIFEST, pawl_plain_init, pawl_plain_deinit,
            get_factory);
