/* exec.c: the exec connector's way in: its instances and its two operations. It runs programs that its configuration
 * allows, by their arguments and never through a shell of its own accord. What it runs is not confined: see
 * docs/connectors.md. */
#include "plugins/exec/connector.h"
#include "plugins/exec/manifest.h"

static void PAWL_CALL destroy(pawl_connector *connector)
{
    if (connector == NULL)
        return;
    for (size_t i = 0; connector->environment != NULL && connector->environment[i] != NULL; i++)
        free(connector->environment[i]);
    free(connector->environment);
    json_decref(connector->config);
    free(connector->name);
    free(connector);
}

static pawl_status PAWL_CALL create(const pawl_host_root *host, pawl_bytes name, pawl_bytes config_json,
                                    pawl_connector **instance, pawl_failure_sink *why)
{
    pawl_connector_error error = {0};
    const pawl_core *core = pawl_core_of(host);
    pawl_connector *connector = calloc(1, sizeof *connector);
    if (connector != NULL)
        connector->name = strndup(name.size == 0 ? "" : name.data, name.size);
    if (connector == NULL || connector->name == NULL) {
        pawl_connector_fail_memory(&error);
    } else {
        connector->core = core;
        pawl_exec_configure(connector, config_json, &error);
    }
    if (error.status == PAWL_OK)
        *instance = connector;
    else
        destroy(connector);
    return pawl_connector_report(&error, core, why);
}

static pawl_status PAWL_CALL invoke(pawl_connector *connector, const pawl_effect_call *abi, pawl_sink *out,
                                    pawl_failure_sink *why)
{
    pawl_connector_call call;
    if (pawl_connector_call_begin(&call, "exec", connector->name, abi, out, why) != PAWL_OK)
        return pawl_connector_call_end(&call);
    bool query = pawl_is(abi->operation, "query");
    if (query || pawl_is(abi->operation, "run"))
        pawl_exec_run(connector, &call, query);
    else
        pawl_connector_call_fail_as(&call, PAWL_E_UNSUPPORTED, PAWL_TERMINAL, "unknown_operation", "no such operation");
    return pawl_connector_call_end(&call);
}

#pragma GCC diagnostic ignored "-Woverlength-strings" /* the manifest is one literal */
PAWL_CONNECTOR_TABLE(table, create, destroy, invoke, NULL, NULL);
PAWL_FACTORY_OF(get_factory, PAWL_FACTORY_CONNECTOR, &table);
PAWL_PLUGIN("pawl.exec", "1.0.0", "Pawl", PAWL_EXEC_MANIFEST, pawl_plain_init, pawl_plain_deinit, get_factory);
