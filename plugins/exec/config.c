/* config.c: the exec connector's configuration. See connector.h. */
#include "plugins/exec/connector.h"

#include <unistd.h>

static const pawl_connector_field fields[] = {
    {"allow", PAWL_CONNECTOR_LIST, true, 0, 0},
    {"path", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"env_allow", PAWL_CONNECTOR_LIST, false, 0, 0},
    {"env_input", PAWL_CONNECTOR_LIST, false, 0, 0},
    {"max_output", PAWL_CONNECTOR_INTEGER, false, 0, (int64_t)64 << 20},
    {"max_attachment", PAWL_CONNECTOR_INTEGER, false, 0, INT64_MAX},
    {"shell", PAWL_CONNECTOR_BOOLEAN, false, 0, 0},
    {"cwd_roots", PAWL_CONNECTOR_LIST, false, 0, 0},
};

/* The environment is read once: reading it while other threads change it is not safe, and a later change should not
 * change what a process's effects do. */
static pawl_status pass_through(pawl_connector *connector, const json_t *names, pawl_connector_error *error)
{
    size_t count = json_array_size(names), used = 0;
    connector->environment = calloc(count + 1, sizeof *connector->environment);
    if (connector->environment == NULL)
        return pawl_connector_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        const char *value = getenv(name);
        if (value == NULL)
            continue;
        if (asprintf(&connector->environment[used], "%s=%s", name, value) < 0) {
            connector->environment[used] = NULL;
            return pawl_connector_fail_memory(error);
        }
        used++;
    }
    return PAWL_OK;
}

static pawl_status check_paths(const json_t *list, const char *key, bool names_too, const char *where,
                               pawl_connector_error *error)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        bool name = names_too && text[0] != '\0' && strchr(text, '/') == NULL;
        if (text[0] != '/' && !name)
            return pawl_connector_fail(error, PAWL_TERMINAL, "exec.config",
                                       "%s: \"%s\" in \"%s\" is not an absolute path%s", where, text, key,
                                       names_too ? " or a bare program name" : "");
    }
    return PAWL_OK;
}

pawl_status pawl_exec_configure(pawl_connector *connector, pawl_bytes config, pawl_connector_error *error)
{
    char where[512];
    snprintf(where, sizeof where, "exec connector \"%s\": config", connector->name);
    if (pawl_connector_parse(config, where, "exec.config", &connector->config, error) != PAWL_OK ||
        pawl_connector_check(connector->config, fields, PAWL_CONNECTOR_COUNT(fields), where, "exec.config", error) !=
            PAWL_OK)
        return error->status;
    const json_t *object = connector->config;
    connector->allow = json_object_get(object, "allow");
    connector->path = pawl_connector_text(object, "path", "/usr/local/bin:/usr/bin:/bin");
    connector->roots = json_object_get(object, "cwd_roots");
    connector->env_set = json_object_get(object, "env_input");
    connector->shell = pawl_connector_boolean(object, "shell", false);
    connector->output_bytes_max = (uint64_t)pawl_connector_integer(object, "max_output", 1 << 20);
    connector->attachment_bytes_max = (uint64_t)pawl_connector_integer(object, "max_attachment", (int64_t)1 << 30);
    if (check_paths(connector->allow, "allow", true, where, error) != PAWL_OK ||
        check_paths(connector->roots, "cwd_roots", false, where, error) != PAWL_OK)
        return error->status;
    return pass_through(connector, json_object_get(object, "env_allow"), error);
}
