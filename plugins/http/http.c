/* http.c: the HTTP connector's way in: its instances and the dispatch of its operations. */
#include "plugins/http/exchange.h"
#include "plugins/http/manifest.h"

static pawl_status PAWL_CALL init(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    pawl_status status = pawl_plain_init(host, config_json, why);
    if (status != PAWL_OK)
        return status;
    /* Counted by libcurl: each init under another host has its own. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "http.init", "libcurl cannot be initialised");
    return PAWL_OK;
}

static void PAWL_CALL deinit(const pawl_host_root *host)
{
    (void)host;
    curl_global_cleanup();
}

static void PAWL_CALL destroy(pawl_connector *connector)
{
    if (connector == NULL)
        return;
    pawl_http_lanes_close(connector);
    pthread_mutex_destroy(&connector->lock);
    curl_url_cleanup(connector->base);
    json_decref(connector->config);
    json_decref(connector->secrets);
    free(connector->authorization);
    free(connector->name);
    free(connector);
}

static pawl_status PAWL_CALL create(const pawl_host_root *host, pawl_bytes name, pawl_bytes config_json,
                                    pawl_connector **instance, pawl_failure_sink *why)
{
    pawl_connector_error error = {0};
    const pawl_core *core = pawl_core_of(host);
    pawl_connector *connector = calloc(1, sizeof *connector);
    if (connector != NULL) {
        pthread_mutex_init(&connector->lock, NULL);
        connector->name = strndup(name.size == 0 ? "" : name.data, name.size);
    }
    if (connector == NULL || connector->name == NULL) {
        pawl_connector_fail_memory(&error);
    } else {
        connector->core = core;
        pawl_http_configure(connector, config_json, &error);
    }
    if (error.status == PAWL_OK)
        *instance = connector;
    else
        destroy(connector);
    return pawl_connector_report(&error, core, why);
}

static bool is_operation(pawl_bytes name)
{
    static const char *const names[] = {"get", "head", "post", "put", "patch", "delete", "request"};
    for (size_t i = 0; i < PAWL_CONNECTOR_COUNT(names); i++)
        if (pawl_is(name, names[i]))
            return true;
    return false;
}

static pawl_status PAWL_CALL invoke(pawl_connector *connector, const pawl_effect_call *abi, pawl_sink *out,
                                    pawl_failure_sink *why)
{
    pawl_connector_call call;
    if (pawl_connector_call_begin(&call, "http", connector->name, abi, out, why) != PAWL_OK)
        return pawl_connector_call_end(&call);
    if (is_operation(abi->operation))
        pawl_http_exchange(connector, &call);
    else
        pawl_connector_call_fail_as(&call, PAWL_E_UNSUPPORTED, PAWL_TERMINAL, "unknown_operation", "no such operation");
    return pawl_connector_call_end(&call);
}

#pragma GCC diagnostic ignored "-Woverlength-strings" /* the manifest is one literal */
PAWL_CONNECTOR_TABLE(table, create, destroy, invoke, NULL, NULL);
PAWL_FACTORY_OF(get_factory, PAWL_FACTORY_CONNECTOR, &table);
PAWL_PLUGIN("pawl.http", "1.0.0", "Pawl", PAWL_HTTP_MANIFEST, init, deinit, get_factory);
