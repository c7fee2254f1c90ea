/* @NAME@.c: a connector whose instances greet, each in its own way. */
#include <jansson.h>
#include <pawl_plugin.h>

#include "pawl_manifest.h" /* made of manifest.json */

struct pawl_connector {
    char *greeting;
};

static pawl_status create(const pawl_host_root *host, pawl_bytes name, pawl_bytes config_json, pawl_connector **instance,
                          pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(host);
    json_error_t error;
    const char *greeting = NULL;
    (void)name;
    json_t *config = json_loadb((const char *)config_json.data, config_json.size, JSON_REJECT_DUPLICATES, &error);
    pawl_connector *made = calloc(1, sizeof *made);
    pawl_status status = PAWL_OK;
    if (json_unpack_ex(config, &error, JSON_STRICT, "{s:s !}", "greeting", &greeting) != 0)
        status = pawl_fail_with(core, why, PAWL_TERMINAL, "@NAME@.config", "%s; wanted {\"greeting\": text}", error.text);
    else if (made == NULL || (made->greeting = strdup(greeting)) == NULL)
        status = PAWL_E_NOMEM;
    json_decref(config);
    if (status != PAWL_OK)
        free(made);
    else
        *instance = made;
    return status;
}

static void destroy(pawl_connector *instance)
{
    if (instance != NULL)
        free(instance->greeting);
    free(instance);
}

static pawl_status greet(const pawl_connector *instance, const pawl_effect_call *call, const char *name, pawl_sink *out)
{
    const pawl_core *core = pawl_core_of(call->host);
    size_t size = strlen(instance->greeting) + strlen(name) + 3;
    char *text = malloc(size);
    if (text == NULL)
        return PAWL_E_NOMEM;
    snprintf(text, size, "%s, %s", instance->greeting, name);
    pawl_status status = pawl_write_text(core, out, "{\"text\":");
    if (status == PAWL_OK)
        status = pawl_write_json_string(core, out, pawl_bytes_of_text(text));
    free(text);
    return status == PAWL_OK ? pawl_write_text(core, out, "}") : status;
}

static pawl_status invoke(pawl_connector *instance, const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    json_error_t error;
    const char *name = NULL;
    if (!pawl_is(call->operation, "greet"))
        return PAWL_E_UNSUPPORTED;
    json_t *input = json_loadb((const char *)call->input.data, call->input.size, JSON_REJECT_DUPLICATES, &error);
    pawl_status status;
    if (json_unpack_ex(input, &error, JSON_STRICT, "{s:s !}", "name", &name) != 0)
        status = pawl_fail_with(core, why, PAWL_TERMINAL, "@NAME@.input", "%s; wanted {\"name\": text}", error.text);
    else
        status = greet(instance, call, name, out);
    json_decref(input);
    return status;
}

PAWL_CONNECTOR_TABLE(table, create, destroy, invoke, NULL, NULL);
PAWL_FACTORY_OF(get_factory, PAWL_FACTORY_CONNECTOR, &table);
PAWL_PLUGIN(PAWL_MANIFEST_ID, PAWL_MANIFEST_VERSION, "@VENDOR@", PAWL_MANIFEST, pawl_plain_init, pawl_plain_deinit,
            get_factory);
