/* letter.c: an effect, built against an installed Pawl by pkg-config. It answers with its own idempotency key. */
#include <pawl_plugin.h>

static pawl_status drop(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    if (call->input.size == 0)
        return pawl_fail_with(core, why, PAWL_TERMINAL, "letter.empty", "an empty letter is not dropped");
    pawl_status status = pawl_write_text(core, out, "{\"key\":");
    if (status == PAWL_OK)
        status = pawl_write_json_string(core, out, call->idempotency_key);
    return status == PAWL_OK ? pawl_writef(core, out, ",\"bytes\":%u}", (unsigned)call->input.size) : status;
}

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"org.example.letter\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"   \
    "\"kinds\":[\"effect\"],\"effects\":[{\"name\":\"letter.drop\",\"input_schema\":true,\"output_schema\":true,"      \
    "\"runs\":\"pool\",\"outcome\":\"by_key\"}]}"

PAWL_EFFECT_TABLE(table, drop, NULL, NULL);
PAWL_FACTORY_OF(get_factory, PAWL_FACTORY_EFFECT, &table);
PAWL_PLUGIN("org.example.letter", "1.0.0", "Example", MANIFEST, pawl_plain_init, pawl_plain_deinit, get_factory);
