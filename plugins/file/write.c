/* write.c: file write and file remove. A write is seen whole or not at all, and is on disk before it is reported: a
 * temporary file beside the target, flushed, renamed, and the directory flushed. A temporary file that a killed host
 * left behind is never listed and never mistaken for content. */
#include "plugins/file/connector.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

static const pawl_connector_field write_fields[] = {
    {"root", PAWL_CONNECTOR_TEXT, true, 0, 0},    {"path", PAWL_CONNECTOR_TEXT, true, 0, 0},
    {"json", PAWL_CONNECTOR_ANY, false, 0, 0},    {"text", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"base64", PAWL_CONNECTOR_TEXT, false, 0, 0}, {"attachment", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"mode", PAWL_CONNECTOR_TEXT, false, 0, 0},   {"create", PAWL_CONNECTOR_TEXT, false, 0, 0},
};
static const pawl_connector_field remove_fields[] = {
    {"root", PAWL_CONNECTOR_TEXT, true, 0, 0},
    {"path", PAWL_CONNECTOR_TEXT, true, 0, 0},
    {"directory", PAWL_CONNECTOR_BOOLEAN, false, 0, 0},
};

/* One write under way. */
typedef struct writing {
    pawl_connector_call *call;
    const char *path; /* for messages */
    const char *name; /* of the target in its directory */
    int directory;
    int fd;
    char temporary[PAWL_FILE_TEMP_BYTES + 1]; /* "" when there is none */
    pawl_connector_source source;
    mode_t mode;
    bool only_new;
    bool existed;
} writing;

static pawl_status create_temporary(writing *w)
{
    for (int i = 0; i < 16; i++) {
        uint64_t number;
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
            return pawl_file_failed(w->call, errno, "name a temporary file for", w->path);
        snprintf(w->temporary, sizeof w->temporary, ".pawl-%016llx", (unsigned long long)number);
        w->fd = openat(w->directory, w->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (w->fd >= 0)
            return PAWL_OK;
        w->temporary[0] = '\0';
        if (errno != EEXIST)
            break;
    }
    return pawl_file_failed(w->call, errno, "create", w->path);
}

static pawl_status put(writing *w, const char *chunk, size_t size)
{
    while (size > 0) {
        ssize_t done = write(w->fd, chunk, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return pawl_file_failed(w->call, errno, "write", w->path);
        chunk += done;
        size -= (size_t)done;
    }
    return PAWL_OK;
}

static pawl_status fill(writing *w)
{
    char *chunk = malloc(PAWL_FILE_CHUNK);
    if (chunk == NULL)
        return pawl_connector_fail_memory(&w->call->error);
    pawl_status status = PAWL_OK;
    for (uint64_t at = 0; status == PAWL_OK && at < w->source.size;) {
        size_t got = 0;
        status = pawl_file_go_on(w->call);
        if (status == PAWL_OK)
            status = pawl_connector_source_read(&w->source, at, chunk, PAWL_FILE_CHUNK, &got);
        if (status == PAWL_OK)
            status = put(w, chunk, got);
        at += got;
    }
    free(chunk);
    if (status == PAWL_OK && (fchmod(w->fd, w->mode) != 0 || fsync(w->fd) != 0))
        status = pawl_file_failed(w->call, errno, "flush", w->path);
    return status == PAWL_OK ? pawl_file_go_on(w->call) : status;
}

/* A repeated attempt of "create new" finds what the attempt before it made, if that got so far. */
static bool same_content(writing *w)
{
    int fd = openat(w->directory, w->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat facts;
    char *mine = malloc(2 * PAWL_FILE_CHUNK);
    bool same = fd >= 0 && mine != NULL && fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) &&
                (uint64_t)facts.st_size == w->source.size;
    for (off_t at = 0; same && (uint64_t)at < w->source.size;) {
        char *theirs = mine + PAWL_FILE_CHUNK;
        ssize_t a = pread(w->fd, mine, PAWL_FILE_CHUNK, at);
        ssize_t b = pread(fd, theirs, PAWL_FILE_CHUNK, at);
        same = a > 0 && a == b && memcmp(mine, theirs, (size_t)a) == 0;
        at += a > 0 ? a : 0;
    }
    free(mine);
    if (fd >= 0)
        close(fd);
    return same;
}

/* Rename without replacing; where the file system cannot, a hard link does the same. */
static int rename_new(writing *w)
{
    if (syscall(SYS_renameat2, w->directory, w->temporary, w->directory, w->name, RENAME_NOREPLACE) == 0) {
        w->temporary[0] = '\0';
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return linkat(w->directory, w->temporary, w->directory, w->name, 0);
}

static pawl_status put_in_place(writing *w)
{
    if (w->only_new) {
        int problem = rename_new(w) == 0 ? 0 : errno;
        w->existed = problem == EEXIST && w->call->abi->attempt > 1 && same_content(w);
        if (problem != 0 && !w->existed)
            return pawl_file_failed(w->call, problem, "create", w->path);
    } else if (renameat(w->directory, w->temporary, w->directory, w->name) != 0) {
        return pawl_file_failed(w->call, errno, "replace", w->path);
    } else {
        w->temporary[0] = '\0';
    }
    if (fsync(w->directory) != 0)
        return pawl_file_failed(w->call, errno, "flush the directory of", w->path);
    return PAWL_OK;
}

static pawl_status options_of(writing *w)
{
    const char *mode = pawl_connector_text(w->call->input, "mode", "0644");
    const char *create = pawl_connector_text(w->call->input, "create", "any");
    size_t size = strlen(mode);
    if (size < 3 || size > 4 || strspn(mode, "01234567") != size || strtoul(mode, NULL, 8) > 0777)
        return pawl_connector_call_fail(w->call, PAWL_TERMINAL, "invalid_input",
                                        "\"mode\" is \"%s\", expected octal digits up to \"0777\"", mode);
    w->mode = (mode_t)strtoul(mode, NULL, 8);
    w->only_new = strcmp(create, "new") == 0;
    if (!w->only_new && strcmp(create, "any") != 0)
        return pawl_connector_call_fail(w->call, PAWL_TERMINAL, "invalid_input",
                                        "\"create\" is \"%s\", expected any or new", create);
    if (pawl_connector_source_open(&w->source, w->call, w->call->input) != PAWL_OK)
        return w->call->error.status;
    if (!w->source.present)
        return pawl_connector_call_fail(w->call, PAWL_TERMINAL, "invalid_input",
                                        "there is no content: give text, json, base64 or attachment");
    return PAWL_OK;
}

static pawl_status answer_write(writing *w)
{
    json_t *result = json_pack("{s:I, s:b}", "size", (json_int_t)w->source.size, "existed", (int)w->existed);
    if (result == NULL)
        return pawl_connector_fail_memory(&w->call->error);
    pawl_status status = pawl_connector_answer(w->call, result, NULL, NULL);
    json_decref(result);
    return status;
}

pawl_status pawl_file_write(const pawl_connector *connector, pawl_connector_call *call)
{
    pawl_file_place place;
    writing w = {.call = call, .directory = -1, .fd = -1};
    if (pawl_connector_call_check(call, write_fields, PAWL_CONNECTOR_COUNT(write_fields)) != PAWL_OK ||
        pawl_file_place_of(connector, call, true, false, &place) != PAWL_OK)
        return call->error.status;
    w.path = place.path;
    pawl_status status = options_of(&w);
    if (status == PAWL_OK) {
        w.directory = pawl_file_open_parent(call, &place, &w.name, NULL);
        status = w.directory < 0 ? call->error.status : create_temporary(&w);
    }
    if (status == PAWL_OK)
        status = fill(&w);
    if (status == PAWL_OK)
        status = put_in_place(&w);
    if (status == PAWL_OK)
        status = answer_write(&w);
    if (w.temporary[0] != '\0')
        unlinkat(w.directory, w.temporary, 0);
    if (w.fd >= 0)
        close(w.fd);
    if (w.directory >= 0)
        close(w.directory);
    pawl_connector_source_close(&w.source);
    return status;
}

static pawl_status answer_remove(pawl_connector_call *call, bool removed)
{
    return call->core->sink_write(call->out, removed ? "{\"removed\":true}" : "{\"removed\":false}", removed ? 16 : 17);
}

pawl_status pawl_file_remove(const pawl_connector *connector, pawl_connector_call *call)
{
    pawl_file_place place;
    const char *name;
    bool absent = false;
    if (pawl_connector_call_check(call, remove_fields, PAWL_CONNECTOR_COUNT(remove_fields)) != PAWL_OK ||
        pawl_file_place_of(connector, call, true, false, &place) != PAWL_OK || pawl_file_go_on(call) != PAWL_OK)
        return call->error.status;
    int directory = pawl_file_open_parent(call, &place, &name, &absent);
    if (absent)
        return answer_remove(call, false);
    if (directory < 0)
        return call->error.status;
    bool is_directory = pawl_connector_boolean(call->input, "directory", false);
    bool removed = unlinkat(directory, name, is_directory ? AT_REMOVEDIR : 0) == 0;
    /* The flush stands also when it was gone already: an earlier attempt may have been killed before its flush. */
    if (!removed && errno != ENOENT)
        pawl_file_failed(call, errno, "remove", place.path);
    else if (fsync(directory) != 0)
        pawl_file_failed(call, errno, "flush the directory of", place.path);
    close(directory);
    return call->error.status != PAWL_OK ? call->error.status : answer_remove(call, removed);
}
