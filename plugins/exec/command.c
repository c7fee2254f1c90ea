/* command.c: from an input to a command that may be started: what is run, with which environment, and where. Everything
 * that is not allowed by the configuration is refused here; nothing is ever given to a shell unless the configuration
 * says so. */
#include "plugins/connector/beneath.h"
#include "plugins/exec/connector.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

static bool listed(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), text) == 0)
            return true;
    return false;
}

/* The first executable of this name in the search path of the configuration. */
static char *search(const char *path, const char *name)
{
    char candidate[PATH_MAX];
    while (*path != '\0') {
        size_t size = strcspn(path, ":");
        int length = snprintf(candidate, sizeof candidate, "%.*s/%s", (int)size, path, name);
        if (path[0] == '/' && length > 0 && (size_t)length < sizeof candidate && access(candidate, X_OK) == 0)
            return strdup(candidate);
        path += size + (path[size] == ':' ? 1 : 0);
    }
    return NULL;
}

static pawl_status find_program(const pawl_connector *connector, pawl_connector_call *call, const char *wanted,
                                pawl_exec_command *command)
{
    bool is_path = strchr(wanted, '/') != NULL;
    if (!listed(connector->allow, wanted) && is_path)
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "not_allowed",
                                        "program \"%s\" is not in \"allow\" of its configuration", wanted);
    char *found = is_path ? strdup(wanted) : search(connector->path, wanted);
    /* A bare name is allowed when it is listed, or when the very file it stands for is. */
    if (!is_path && !listed(connector->allow, wanted) && (found == NULL || !listed(connector->allow, found))) {
        free(found);
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "not_allowed",
                                        "program \"%s\" is not in \"allow\" of its configuration", wanted);
    }
    if (found == NULL)
        return pawl_connector_call_fail_as(call, PAWL_E_NOT_FOUND, PAWL_TERMINAL, "not_found",
                                           "program \"%s\" is not in the search path", wanted);
    command->program = found;
    return PAWL_OK;
}

static pawl_status take_arguments(const pawl_connector *connector, pawl_connector_call *call,
                                  pawl_exec_command *command)
{
    const json_t *argv = json_object_get(call->input, "argv");
    const char *shell = pawl_connector_text(call->input, "shell", NULL);
    if ((argv == NULL) == (shell == NULL))
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "invalid_input", "give either \"argv\" or \"shell\"");
    if (shell != NULL && !connector->shell)
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "not_allowed",
                                        "\"shell\" is off; its configuration must say \"shell\": true");
    size_t count = shell != NULL ? 3 : json_array_size(argv);
    if (count == 0 || count > PAWL_EXEC_ARGUMENTS_MAX)
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "invalid_input",
                                        "\"argv\" has %zu texts, expected 1 to %u", count, PAWL_EXEC_ARGUMENTS_MAX);
    command->argv = calloc(count + 1, sizeof *command->argv);
    if (command->argv == NULL)
        return pawl_connector_fail_memory(&call->error);
    if (shell != NULL) {
        command->argv[0] = "/bin/sh";
        command->argv[1] = "-c";
        command->argv[2] = shell;
        command->program = strdup("/bin/sh");
        return command->program == NULL ? pawl_connector_fail_memory(&call->error) : PAWL_OK;
    }
    for (size_t i = 0; i < count; i++)
        command->argv[i] = json_string_value(json_array_get(argv, i));
    return find_program(connector, call, command->argv[0], command);
}

/* Names that change which code an allowed program loads would undo the allow list. */
static bool changes_loading(const char *name)
{
    static const char *const names[] = {"PATH", "IFS", "ENV", "BASH_ENV", "GCONV_PATH", "NLSPATH", "SHELLOPTS"};
    if (strncmp(name, "LD_", 3) == 0 || strncmp(name, "GLIBC_", 6) == 0)
        return true;
    for (size_t i = 0; i < PAWL_CONNECTOR_COUNT(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Put NAME=value, over an earlier one of that name. */
static bool set(char **environment, size_t *used, const char *name, const char *value)
{
    size_t size = strlen(name), at = 0;
    char *text;
    if (asprintf(&text, "%s=%s", name, value) < 0)
        return false;
    while (at < *used && !(strncmp(environment[at], name, size) == 0 && environment[at][size] == '='))
        at++;
    if (at == *used)
        (*used)++;
    else
        free(environment[at]);
    environment[at] = text;
    return true;
}

static pawl_status take_environment(const pawl_connector *connector, pawl_connector_call *call,
                                    pawl_exec_command *command)
{
    const json_t *given = json_object_get(call->input, "env");
    size_t passed = 0, used = 0;
    while (connector->environment[passed] != NULL)
        passed++;
    command->environment = calloc(passed + json_object_size(given) + 2, sizeof *command->environment);
    if (command->environment == NULL || !set(command->environment, &used, "PATH", connector->path))
        return pawl_connector_fail_memory(&call->error);
    for (size_t i = 0; i < passed; i++) {
        char *equals = strchr(connector->environment[i], '=');
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)(equals - connector->environment[i]), connector->environment[i]);
        if (!set(command->environment, &used, name, equals + 1))
            return pawl_connector_fail_memory(&call->error);
    }
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)given, name, value)
    {
        bool allowed = connector->env_set != NULL ? listed(connector->env_set, name) : !changes_loading(name);
        if (name[0] == '\0' || strchr(name, '=') != NULL || !allowed)
            return pawl_connector_call_fail(call, PAWL_TERMINAL, "not_allowed", "\"env\" may not set \"%s\"", name);
        if (!set(command->environment, &used, name, json_string_value(value)))
            return pawl_connector_fail_memory(&call->error);
    }
    return PAWL_OK;
}

/* What is left of path below root, or NULL when root is not a parent of it. */
static const char *below(const char *root, const char *path)
{
    size_t size = strlen(root);
    while (size > 1 && root[size - 1] == '/')
        size--;
    if (size == 1)
        return path + strspn(path, "/");
    if (strncmp(path, root, size) != 0 || (path[size] != '/' && path[size] != '\0'))
        return NULL;
    return path + size + strspn(path + size, "/");
}

static int open_below(const char *root, const char *rest)
{
    int base = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (base < 0)
        return -1;
    int fd = pawl_connector_open_beneath(base, rest, O_PATH | O_DIRECTORY, 0);
    int problem = errno;
    close(base);
    errno = problem;
    return fd;
}

static pawl_status take_directory(const pawl_connector *connector, pawl_connector_call *call,
                                  pawl_exec_command *command)
{
    const char *first = json_string_value(json_array_get(connector->roots, 0));
    const char *wanted = pawl_connector_text(call->input, "cwd", NULL);
    if (wanted == NULL) {
        command->directory = open(first == NULL ? "/" : first, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return command->directory >= 0 ? PAWL_OK
                                       : pawl_connector_call_fail(call, PAWL_TERMINAL, "cwd", "cannot open \"%s\": %s",
                                                                  first == NULL ? "/" : first, strerror(errno));
    }
    for (size_t i = 0; i < json_array_size(connector->roots); i++) {
        const char *root = json_string_value(json_array_get(connector->roots, i));
        const char *rest = below(root, wanted);
        if (rest == NULL)
            continue;
        command->directory = open_below(root, rest);
        if (command->directory >= 0)
            return PAWL_OK;
        return pawl_connector_call_fail(call, PAWL_TERMINAL, errno == EXDEV ? "not_allowed" : "cwd",
                                        "cannot work in \"%s\": %s", wanted,
                                        errno == EXDEV ? "it leads out of \"cwd_roots\"" : strerror(errno));
    }
    return pawl_connector_call_fail(call, PAWL_TERMINAL, "not_allowed",
                                    "\"%s\" is not below a directory of \"cwd_roots\" in its configuration", wanted);
}

pawl_status pawl_exec_command_open(const pawl_connector *connector, pawl_connector_call *call,
                                   pawl_exec_command *command)
{
    *command = (pawl_exec_command){.directory = -1};
    if (take_arguments(connector, call, command) != PAWL_OK || take_environment(connector, call, command) != PAWL_OK)
        return call->error.status;
    return take_directory(connector, call, command);
}

void pawl_exec_command_close(pawl_exec_command *command)
{
    free(command->program);
    free(command->argv);
    for (size_t i = 0; command->environment != NULL && command->environment[i] != NULL; i++)
        free(command->environment[i]);
    free(command->environment);
    if (command->directory >= 0)
        close(command->directory);
}
