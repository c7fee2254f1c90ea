/* file.c: the file connector's way in: its instances and the dispatch of its operations. What it opens is confined to
 * the directories its configuration names; it never follows a link out of them. */
#include "plugins/file/connector.h"
#include "plugins/file/manifest.h"

#include <unistd.h>

static void PAWL_CALL destroy(pawl_connector *connector)
{
    if (connector == NULL)
        return;
    for (size_t i = 0; i < connector->root_count; i++) {
        close(connector->roots[i].fd);
        free(connector->roots[i].name);
    }
    free(connector->roots);
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
        pawl_file_configure(connector, config_json, &error);
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
    static const struct {
        const char *name;
        pawl_status (*run)(const pawl_connector *, pawl_connector_call *);
    } operations[] = {{"read", pawl_file_read},
                      {"write", pawl_file_write},
                      {"list", pawl_file_list},
                      {"stat", pawl_file_stat},
                      {"remove", pawl_file_remove}};
    pawl_connector_call call;
    if (pawl_connector_call_begin(&call, "file", connector->name, abi, out, why) != PAWL_OK)
        return pawl_connector_call_end(&call);
    size_t i = 0;
    while (i < PAWL_CONNECTOR_COUNT(operations) && !pawl_is(abi->operation, operations[i].name))
        i++;
    if (i < PAWL_CONNECTOR_COUNT(operations)) {
        pawl_status status = operations[i].run(connector, &call);
        if (status != PAWL_OK)
            pawl_connector_call_fail_as(&call, status, PAWL_UNKNOWN_OUTCOME, "internal", "failed without a reason");
    } else {
        pawl_connector_call_fail_as(&call, PAWL_E_UNSUPPORTED, PAWL_TERMINAL, "unknown_operation", "no such operation");
    }
    return pawl_connector_call_end(&call);
}

#pragma GCC diagnostic ignored "-Woverlength-strings" /* the manifest is one literal */
PAWL_CONNECTOR_TABLE(table, create, destroy, invoke, NULL, NULL);
PAWL_FACTORY_OF(get_factory, PAWL_FACTORY_CONNECTOR, &table);
PAWL_PLUGIN("pawl.file", "1.0.0", "Pawl", PAWL_FILE_MANIFEST, pawl_plain_init, pawl_plain_deinit, get_factory);
