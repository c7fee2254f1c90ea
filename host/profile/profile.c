/* profile.c: loading, from file to checked struct, and the small questions asked of a profile afterwards. Returns a
 * profile only when nothing at all is wrong with it. */
#include "host/profile/profile.h"

#include "host/profile/read.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const pawl_place nowhere = {0, 0};

/* ---- paths ---- */

const char *pawl_profile_absolute(pawl_profile_memory *memory, const char *directory, const char *path)
{
    size_t room = strlen(directory) + strlen(path) + 3;
    char *whole = pawl_profile_memory_array(memory, room, 1);
    char *clean = pawl_profile_memory_array(memory, room, 1);
    if (!whole || !clean)
        return NULL;
    (void)snprintf(whole, room, "%s/%s", path[0] == '/' ? "" : directory, path);
    char *out = clean;
    for (const char *part = whole; *part;) {
        size_t size = strcspn(part, "/");
        if (size > 0 && !(size == 1 && part[0] == '.')) { /* ".." stays: a symbolic link may stand before it */
            *out++ = '/';
            memcpy(out, part, size);
            out += size;
        }
        part += size + (part[size] == '/');
    }
    if (out == clean)
        *out = '/';
    return clean;
}

static const char *working_directory(pawl_profile_memory *memory, pawl_problem_list *problems)
{
    char here[PATH_MAX];
    if (getcwd(here, sizeof(here)))
        return pawl_profile_memory_copy(memory, here, strlen(here));
    pawl_problems_add(problems, nowhere, "profile.unreadable", "cannot tell the working directory: %s",
                      strerror(errno));
    return NULL;
}

/* ---- parsing ---- */

static pawl_profile *new_profile(const char *name, const char *directory, pawl_problem_list *problems)
{
    pawl_profile_memory *memory = pawl_profile_memory_create();
    pawl_profile *profile = memory ? pawl_profile_memory_array(memory, 1, sizeof(*profile)) : NULL;
    if (!profile) {
        pawl_profile_memory_destroy(memory);
        return NULL;
    }
    profile->memory = memory;
    profile->path = pawl_profile_memory_copy(memory, name, strlen(name));
    if (!directory || directory[0] != '/')
        profile->directory = working_directory(memory, problems);
    if (directory && (directory[0] == '/' || profile->directory))
        profile->directory = pawl_profile_absolute(memory, profile->directory ? profile->directory : "/", directory);
    return profile;
}

static void fill(pawl_profile *profile, const char *text, size_t size, uint32_t flags, pawl_problem_list *problems)
{
    const pawl_tree_node *root = pawl_profile_tree_read(text, size, profile->memory, problems);
    if (!root || pawl_profile_memory_failed(profile->memory))
        return;
    pawl_profile_reader reader = {
        .profile = profile, .memory = profile->memory, .problems = problems, .root = root, .flags = flags};
    pawl_profile_read_tree(&reader);
    if (root->kind == PAWL_TREE_MAPPING && !pawl_profile_memory_failed(profile->memory))
        pawl_profile_check_all(&reader);
}

pawl_status pawl_profile_parse(const char *text, size_t size, const char *name, const char *directory, uint32_t flags,
                               pawl_profile **ret, pawl_problem_list *problems)
{
    if (!problems->path && !(problems->path = strdup(name)))
        return PAWL_E_NOMEM;
    if (size > PAWL_PROFILE_BYTES_MAX) {
        pawl_problems_add(problems, nowhere, "profile.too_large", "more than %u bytes, the limit of a profile",
                          PAWL_PROFILE_BYTES_MAX);
        return PAWL_E_LIMIT;
    }
    pawl_profile *profile = new_profile(name, directory, problems);
    if (!profile)
        return PAWL_E_NOMEM;
    if (profile->path && profile->directory)
        fill(profile, text, size, flags, problems);
    bool failed = pawl_profile_memory_failed(profile->memory);
    if (!failed && problems->count == 0 && problems->more == 0) {
        *ret = profile;
        return PAWL_OK;
    }
    pawl_profile_free(profile);
    if (!failed)
        return PAWL_E_INVALID;
    pawl_problems_add(problems, nowhere, "profile.memory", "out of memory");
    return PAWL_E_NOMEM;
}

pawl_profile *pawl_profile_free(pawl_profile *profile)
{
    if (profile)
        pawl_profile_memory_destroy(profile->memory);
    return NULL;
}

/* ---- files ---- */

/* Reads at most one byte more than is allowed, so that pawl_profile_parse can tell. */
static pawl_status read_file(const char *path, char **ret, size_t *ret_size, pawl_problem_list *problems)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    int error = file < 0 ? errno : 0;
    size_t size = 0;
    char *text = file < 0 ? NULL : malloc(PAWL_PROFILE_BYTES_MAX + 1);
    while (text && size <= PAWL_PROFILE_BYTES_MAX) {
        ssize_t got = read(file, text + size, PAWL_PROFILE_BYTES_MAX + 1 - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            error = errno;
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    if (file >= 0)
        (void)close(file);
    if (text && !error) {
        *ret = text;
        *ret_size = size;
        return PAWL_OK;
    }
    free(text);
    if (!error)
        return PAWL_E_NOMEM;
    bool missing = error == ENOENT || error == ENOTDIR;
    pawl_problems_add(problems, nowhere, missing ? "profile.not_found" : "profile.unreadable", "cannot read it: %s",
                      strerror(error));
    return missing ? PAWL_E_NOT_FOUND : PAWL_E_IO;
}

pawl_status pawl_profile_load(const char *path, pawl_profile **ret, pawl_problem_list *problems)
{
    char *text = NULL;
    size_t size = 0;
    if (!problems->path && !(problems->path = strdup(path)))
        return PAWL_E_NOMEM;
    if (!*path) {
        pawl_problems_add(problems, nowhere, "profile.path", "an empty path of a profile");
        return PAWL_E_INVALID;
    }
    pawl_status status = read_file(path, &text, &size, problems);
    if (status != PAWL_OK)
        return status;
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    char *directory = strndup(path, length);
    if (directory)
        status = pawl_profile_parse(text, size, path, length ? directory : NULL, 0, ret, problems);
    else
        status = PAWL_E_NOMEM;
    free(directory);
    free(text);
    return status;
}

/* ---- using ---- */

const pawl_profile_effect *pawl_profile_find_effect(const pawl_profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->effect_count; i++)
        if (strcmp(profile->effects[i].name, name) == 0)
            return &profile->effects[i];
    return NULL;
}

const pawl_profile_middleware *pawl_profile_find_middleware(const pawl_profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->middleware_count; i++)
        if (strcmp(profile->middleware[i].name, name) == 0)
            return &profile->middleware[i];
    return NULL;
}

const pawl_profile_type *pawl_profile_find_type(const pawl_profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->type_count; i++)
        if (strcmp(profile->types[i].name, name) == 0)
            return &profile->types[i];
    return NULL;
}

void pawl_profile_retry_apply(pawl_retry_policy *policy, const pawl_retry_policy *over, uint32_t set)
{
    if (set & PAWL_SET_ATTEMPTS)
        policy->attempts_max = over->attempts_max;
    if (set & PAWL_SET_FIRST_DELAY)
        policy->first_delay_ns = over->first_delay_ns;
    if (set & PAWL_SET_FACTOR)
        policy->factor = over->factor;
    if (set & PAWL_SET_MAX_DELAY)
        policy->delay_max_ns = over->delay_max_ns;
    if (set & PAWL_SET_JITTER)
        policy->jitter = over->jitter;
    if (set & PAWL_SET_ELAPSED_MAX)
        policy->elapsed_max_ns = over->elapsed_max_ns;
    if (set & PAWL_SET_ON_EXHAUSTED)
        policy->pause_when_exhausted = over->pause_when_exhausted;
    if (set & PAWL_SET_NON_RETRYABLE)
        policy->non_retryable = over->non_retryable;
}

void pawl_profile_place_text(const pawl_profile *profile, pawl_place place, char *text, size_t room)
{
    if (place.line)
        (void)snprintf(text, room, "%s:%u:%u", profile->path, place.line, place.column);
    else
        (void)snprintf(text, room, "%s", profile->path);
}
