/* secret.c: resolves references to secrets at the moment an instance is made. Messages hold the reference and the JSON
 * path, never a byte of the value; buffers are overwritten before they are freed. */
#include "host/profile/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENV_PREFIX  "env:"
#define FILE_PREFIX "file:"

static const char *after_prefix(const char *reference, const char *prefix)
{
    size_t size = strlen(prefix);
    return strncmp(reference, prefix, size) == 0 ? reference + size : NULL;
}

bool pawl_secret_is_reference(const json_t *value)
{
    return json_is_object(value) && json_object_size(value) == 1 && json_is_string(json_object_get(value, "secret"));
}

bool pawl_secret_is_valid(const char *reference)
{
    const char *name = after_prefix(reference, ENV_PREFIX);
    const char *path = after_prefix(reference, FILE_PREFIX);
    if (path)
        return *path != 0;
    if (!name || !*name || (*name >= '0' && *name <= '9'))
        return false;
    return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")] == 0;
}

/* ---- one secret ---- */

static pawl_status from_environment(const char *name, json_t **ret, pawl_error *error)
{
    const char *value = getenv(name);
    if (!value)
        return pawl_error_set(error, PAWL_E_NOT_FOUND, "secret.not_found", "the environment variable is not set");
    if (!*value)
        return pawl_error_set(error, PAWL_E_INVALID, "secret.empty", "the environment variable is empty");
    if (strlen(value) > PAWL_SECRET_BYTES_MAX)
        return pawl_error_set(error, PAWL_E_LIMIT, "secret.too_large", "it has more than %u bytes",
                              PAWL_SECRET_BYTES_MAX);
    *ret = json_string(value);
    return *ret ? PAWL_OK : pawl_error_set(error, PAWL_E_INVALID, "secret.encoding", "its value is not UTF-8 text");
}

static pawl_status check_file(int file, pawl_error *error)
{
    struct stat found;
    if (fstat(file, &found) != 0)
        return pawl_error_set(error, PAWL_E_IO, "secret.unreadable", "cannot look at the file: %s", strerror(errno));
    if (!S_ISREG(found.st_mode))
        return pawl_error_set(error, PAWL_E_INVALID, "secret.not_regular", "it is not a regular file");
    if (found.st_mode & (S_IROTH | S_IWOTH))
        return pawl_error_set(error, PAWL_E_INVALID, "secret.open_to_others",
                              "others may %s the file (mode %04o); take that away with chmod o-rwx",
                              found.st_mode & S_IROTH ? "read" : "write", (unsigned)(found.st_mode & 07777u));
    return PAWL_OK;
}

static pawl_status read_all(int file, char *text, size_t room, size_t *ret_size, pawl_error *error)
{
    size_t size = 0;
    while (size < room) {
        ssize_t got = read(file, text + size, room - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return pawl_error_set(error, PAWL_E_IO, "secret.unreadable", "cannot read the file: %s", strerror(errno));
        if (got == 0)
            break;
        size += (size_t)got;
    }
    *ret_size = size;
    return PAWL_OK;
}

static pawl_status to_text(const char *text, size_t size, json_t **ret, pawl_error *error)
{
    if (size > PAWL_SECRET_BYTES_MAX)
        return pawl_error_set(error, PAWL_E_LIMIT, "secret.too_large", "the file has more than %u bytes",
                              PAWL_SECRET_BYTES_MAX);
    if (size && text[size - 1] == '\n')
        size--;
    if (size && text[size - 1] == '\r')
        size--;
    if (!size)
        return pawl_error_set(error, PAWL_E_INVALID, "secret.empty", "the file is empty");
    if (memchr(text, 0, size))
        return pawl_error_set(error, PAWL_E_INVALID, "secret.encoding",
                              "the file holds a NUL byte; expected UTF-8 text");
    *ret = json_stringn(text, size);
    return *ret ? PAWL_OK : pawl_error_set(error, PAWL_E_INVALID, "secret.encoding", "the file is not UTF-8 text");
}

/* A symbolic link is followed: that is how secrets are mounted into containers. */
static pawl_status from_file(const char *path, json_t **ret, pawl_error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0) {
        bool missing = errno == ENOENT || errno == ENOTDIR;
        return pawl_error_set(error, missing ? PAWL_E_NOT_FOUND : PAWL_E_IO,
                              missing ? "secret.not_found" : "secret.unreadable", "cannot open the file: %s",
                              strerror(errno));
    }
    const size_t room = PAWL_SECRET_BYTES_MAX + 2; /* one byte too many, beside a newline, tells that it is too large */
    size_t size = 0;
    char *text = malloc(room);
    pawl_status status =
        text ? check_file(file, error) : pawl_error_set(error, PAWL_E_NOMEM, "memory", "out of memory");
    if (status == PAWL_OK)
        status = read_all(file, text, room, &size, error);
    if (status == PAWL_OK && size > PAWL_SECRET_BYTES_MAX && text[size - 1] == '\n')
        size--;
    if (status == PAWL_OK)
        status = to_text(text, size, ret, error);
    if (text)
        explicit_bzero(text, room);
    free(text);
    (void)close(file);
    return status;
}

static pawl_status resolve_one(const char *reference, json_t **ret, pawl_error *error)
{
    const char *path = after_prefix(reference, FILE_PREFIX);
    if (!pawl_secret_is_valid(reference)) /* what stands there may be the secret itself */
        return pawl_error_set(error, PAWL_E_INVALID, "secret.reference",
                              "a secret is given as env:NAME or file:PATH, never as itself");
    pawl_status status =
        path ? from_file(path, ret, error) : from_environment(after_prefix(reference, ENV_PREFIX), ret, error);
    if (status != PAWL_OK)
        (void)pawl_error_wrap(error, "secret %.200s", reference);
    return status;
}

/* ---- a whole config ---- */

static pawl_status resolve(const json_t *value, json_t **ret, pawl_error *error);

static pawl_status out_of_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "memory", "out of memory");
}

static pawl_status resolve_object(const json_t *value, json_t *copy, pawl_error *error)
{
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        json_t *resolved = NULL;
        pawl_status status = resolve(member, &resolved, error);
        if (status != PAWL_OK) {
            (void)pawl_error_wrap(error, "%.80s", key);
            return status;
        }
        if (json_object_set_new(copy, key, resolved) != 0)
            return out_of_memory(error);
    }
    return PAWL_OK;
}

static pawl_status resolve_array(const json_t *value, json_t *copy, pawl_error *error)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *resolved = NULL;
        pawl_status status = resolve(json_array_get(value, i), &resolved, error);
        if (status != PAWL_OK) {
            (void)pawl_error_wrap(error, "[%zu]", i);
            return status;
        }
        if (json_array_append_new(copy, resolved) != 0)
            return out_of_memory(error);
    }
    return PAWL_OK;
}

/* As deep as a config is: PAWL_PROFILE_DEPTH_MAX. */
static pawl_status resolve(const json_t *value, json_t **ret, pawl_error *error)
{
    if (pawl_secret_is_reference(value))
        return resolve_one(json_string_value(json_object_get(value, "secret")), ret, error);
    if (!json_is_object(value) && !json_is_array(value)) {
        *ret = json_deep_copy(value);
        return *ret ? PAWL_OK : out_of_memory(error);
    }
    json_t *copy = json_is_object(value) ? json_object() : json_array();
    if (!copy)
        return out_of_memory(error);
    pawl_status status = json_is_object(value) ? resolve_object(value, copy, error) : resolve_array(value, copy, error);
    if (status == PAWL_OK)
        *ret = copy;
    else
        pawl_secret_forget(copy);
    return status;
}

pawl_status pawl_secret_resolve(const json_t *config, json_t **ret, pawl_error *error)
{
    return resolve(config, ret, error);
}

pawl_status pawl_secret_resolve_text(const json_t *config, char **ret, size_t *ret_size, pawl_error *error)
{
    json_t *resolved = NULL;
    pawl_status status = pawl_secret_resolve(config, &resolved, error);
    if (status != PAWL_OK)
        return status;
    size_t size = json_dumpb(resolved, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
    char *text = size ? malloc(size + 1) : NULL;
    if (text && json_dumpb(resolved, text, size, JSON_COMPACT | JSON_ENCODE_ANY) == size) {
        text[size] = 0;
        *ret = text;
        *ret_size = size;
    } else {
        free(text);
        status = out_of_memory(error);
    }
    pawl_secret_forget(resolved);
    return status;
}

/* ---- forgetting ---- */

static void overwrite(json_t *value)
{
    const char *key;
    json_t *member;
    if (json_is_string(value)) {
        /* The value belongs to whoever holds the last reference, and that is us. */
        explicit_bzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    } else if (json_is_object(value)) {
        json_object_foreach(value, key, member) overwrite(member);
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            overwrite(json_array_get(value, i));
    }
}

void pawl_secret_forget(json_t *resolved)
{
    if (!resolved)
        return;
    overwrite(resolved);
    json_decref(resolved);
}

void pawl_secret_forget_text(char *text, size_t size)
{
    if (text)
        explicit_bzero(text, size);
    free(text);
}
