/* config.c: the file connector's configuration, places and failures. See connector.h. */
#include "plugins/file/connector.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const pawl_connector_field config_fields[] = {
    {"roots", PAWL_CONNECTOR_OBJECT, true, 0, 0},
    {"max_inline", PAWL_CONNECTOR_INTEGER, false, 0, (int64_t)64 << 20},
    {"max_attachment", PAWL_CONNECTOR_INTEGER, false, 0, INT64_MAX},
};
static const pawl_connector_field root_fields[] = {
    {"path", PAWL_CONNECTOR_TEXT, true, 0, 0},
    {"write", PAWL_CONNECTOR_BOOLEAN, false, 0, 0},
};

static pawl_status open_root(pawl_connector *connector, const char *name, const json_t *value,
                             pawl_connector_error *error)
{
    char where[512];
    snprintf(where, sizeof where, "file connector \"%s\": config.roots.%s", connector->name, name);
    if (pawl_connector_check(value, root_fields, PAWL_CONNECTOR_COUNT(root_fields), where, "file.config", error) !=
        PAWL_OK)
        return error->status;
    const char *path = pawl_connector_text(value, "path", "");
    if (path[0] != '/')
        return pawl_connector_fail(error, PAWL_TERMINAL, "file.config", "%s: path \"%s\" is not absolute", where, path);
    pawl_file_root *root = &connector->roots[connector->root_count];
    root->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root->fd < 0)
        return pawl_connector_fail(error, PAWL_TERMINAL, "file.config", "%s: cannot open the directory \"%s\": %s",
                                   where, path, strerror(errno));
    connector->root_count++;
    root->write = pawl_connector_boolean(value, "write", false);
    root->name = strdup(name);
    return root->name == NULL ? pawl_connector_fail_memory(error) : PAWL_OK;
}

pawl_status pawl_file_configure(pawl_connector *connector, pawl_bytes config, pawl_connector_error *error)
{
    char where[512];
    json_t *object = NULL;
    snprintf(where, sizeof where, "file connector \"%s\": config", connector->name);
    if (pawl_connector_parse(config, where, "file.config", &object, error) != PAWL_OK)
        return error->status;
    pawl_status status =
        pawl_connector_check(object, config_fields, PAWL_CONNECTOR_COUNT(config_fields), where, "file.config", error);
    json_t *roots = json_object_get(object, "roots");
    if (status == PAWL_OK && json_object_size(roots) == 0)
        status = pawl_connector_fail(error, PAWL_TERMINAL, "file.config", "%s: \"roots\" is empty; name at least one",
                                     where);
    if (status == PAWL_OK) {
        connector->inline_bytes_max = (uint64_t)pawl_connector_integer(object, "max_inline", 1 << 20);
        connector->attachment_bytes_max = (uint64_t)pawl_connector_integer(object, "max_attachment", (int64_t)1 << 30);
        connector->roots = calloc(json_object_size(roots), sizeof *connector->roots);
        if (connector->roots == NULL)
            status = pawl_connector_fail_memory(error);
    }
    const char *name;
    json_t *value;
    json_object_foreach(roots, name, value)
    {
        if (status == PAWL_OK)
            status = open_root(connector, name, value, error);
    }
    json_decref(object);
    return status;
}

pawl_status pawl_file_place_of(const pawl_connector *connector, pawl_connector_call *call, bool write, bool may_be_root,
                               pawl_file_place *place)
{
    const char *name = pawl_connector_text(call->input, "root", "");
    place->path = pawl_connector_text(call->input, "path", "");
    place->root = NULL;
    for (size_t i = 0; i < connector->root_count; i++)
        if (strcmp(connector->roots[i].name, name) == 0)
            place->root = &connector->roots[i];
    if (place->root == NULL)
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "unknown_root",
                                        "there is no root \"%s\" in its configuration", name);
    if (write && !place->root->write)
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "read_only",
                                        "root \"%s\" is read-only; its configuration must say \"write\": true", name);
    if (place->path[0] == '/')
        return pawl_file_failed(call, EXDEV, "open", place->path);
    if (strlen(place->path) > PAWL_FILE_PATH_MAX)
        return pawl_file_failed(call, ENAMETOOLONG, "open", "");
    if (!may_be_root && place->path[0] == '\0')
        return pawl_connector_call_fail(call, PAWL_TERMINAL, "invalid_path", "\"path\" is empty");
    return PAWL_OK;
}

typedef struct kind_of_problem {
    int problem;
    pawl_status status;
    uint32_t klass;
    const char *name;
} kind_of_problem;

static const kind_of_problem kinds[] = {
    {ENOENT, PAWL_E_NOT_FOUND, PAWL_TERMINAL, "not_found"},
    {ENOTDIR, PAWL_E_NOT_FOUND, PAWL_TERMINAL, "not_found"},
    {EXDEV, PAWL_E_INVALID, PAWL_TERMINAL, "outside_root"},
    {ELOOP, PAWL_E_INVALID, PAWL_TERMINAL, "link"},
    {EACCES, PAWL_E_FAILED, PAWL_TERMINAL, "denied"},
    {EPERM, PAWL_E_FAILED, PAWL_TERMINAL, "denied"},
    {EROFS, PAWL_E_FAILED, PAWL_TERMINAL, "read_only"},
    {EISDIR, PAWL_E_INVALID, PAWL_TERMINAL, "is_directory"},
    {EEXIST, PAWL_E_CONFLICT, PAWL_TERMINAL, "exists"},
    {ENOTEMPTY, PAWL_E_CONFLICT, PAWL_TERMINAL, "not_empty"},
    {ENAMETOOLONG, PAWL_E_INVALID, PAWL_TERMINAL, "invalid_path"},
    {EFBIG, PAWL_E_LIMIT, PAWL_TERMINAL, "too_large"},
    {ENXIO, PAWL_E_INVALID, PAWL_TERMINAL, "not_regular"},
    {ENOSPC, PAWL_E_FULL, PAWL_RETRYABLE, "no_space"},
    {EDQUOT, PAWL_E_FULL, PAWL_RETRYABLE, "no_space"},
    {ENOMEM, PAWL_E_NOMEM, PAWL_RETRYABLE, "no_memory"},
    {EAGAIN, PAWL_E_BUSY, PAWL_RETRYABLE, "busy"},
    {EBUSY, PAWL_E_BUSY, PAWL_RETRYABLE, "busy"},
};

pawl_status pawl_file_failed(pawl_connector_call *call, int problem, const char *doing, const char *path)
{
    for (size_t i = 0; i < PAWL_CONNECTOR_COUNT(kinds); i++)
        if (kinds[i].problem == problem)
            return pawl_connector_call_fail_as(call, kinds[i].status, kinds[i].klass, kinds[i].name,
                                               "cannot %s \"%s\" in root \"%s\": %s", doing, path,
                                               pawl_connector_text(call->input, "root", ""),
                                               problem == EXDEV ? "it leads out of the root" : strerror(problem));
    return pawl_connector_call_fail_as(call, PAWL_E_IO, PAWL_RETRYABLE, "io", "cannot %s \"%s\" in root \"%s\": %s",
                                       doing, path, pawl_connector_text(call->input, "root", ""), strerror(problem));
}

pawl_status pawl_file_go_on(pawl_connector_call *call)
{
    if (pawl_call_cancelled(call->core, call->abi))
        return pawl_connector_call_fail_as(call, PAWL_E_CANCELLED, PAWL_RETRYABLE, "cancelled", "cancelled on request");
    if (pawl_call_time_left_ns(call->core, call->abi) == 0)
        return pawl_connector_call_fail_as(call, PAWL_E_DEADLINE, PAWL_RETRYABLE, "timeout", "the deadline has passed");
    return PAWL_OK;
}

int pawl_file_open_parent(pawl_connector_call *call, const pawl_file_place *place, const char **name, bool *absent)
{
    char parent[PAWL_FILE_PATH_MAX + 1];
    const char *slash = strrchr(place->path, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - place->path);
    *name = slash == NULL ? place->path : slash + 1;
    if ((*name)[0] == '\0' || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0) {
        pawl_connector_call_fail(call, PAWL_TERMINAL, "invalid_path", "\"%s\" does not end in a name", place->path);
        return -1;
    }
    memcpy(parent, place->path, size);
    parent[size] = '\0';
    int fd = pawl_connector_open_beneath(place->root->fd, parent, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0 && absent != NULL && errno == ENOENT)
        *absent = true;
    else if (fd < 0)
        pawl_file_failed(call, errno, "open the directory of", place->path);
    return fd;
}

bool pawl_file_is_temporary(const char *name)
{
    return strncmp(name, ".pawl-", 6) == 0 && strlen(name) == PAWL_FILE_TEMP_BYTES &&
           strspn(name + 6, "0123456789abcdef") == 16;
}

const char *pawl_file_type_name(mode_t mode)
{
    return S_ISREG(mode) ? "file" : S_ISDIR(mode) ? "directory" : S_ISLNK(mode) ? "link" : "other";
}

json_int_t pawl_file_modified(const struct stat *facts)
{
    return (json_int_t)facts->st_mtim.tv_sec * 1000000000 + facts->st_mtim.tv_nsec;
}
