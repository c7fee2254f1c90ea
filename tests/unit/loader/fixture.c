/* fixture.c: see fixture.h. */
#include "fixture.h"

#include "host/loader/trust.h"
#include "worker/base/sink.h"
#include "worker/effect/core_table.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXTS = 64 };

/* One of a few texts, in turn: enough for an expression. */
static char *next_text(void)
{
    static char texts[TEXTS][PATH_MAX + 256];
    static int next;
    next = (next + 1) % TEXTS;
    return texts[next];
}

void fixture_open(fixture *f)
{
    const char *base = getenv("TMPDIR");
    memset(f, 0, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "%s/pawl-loader-XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(f->directory));
    assert_true(snprintf(f->data, sizeof f->data, "%s/data", f->directory) < (int)sizeof f->data);
    assert_int_equal(mkdir(f->data, 0700), 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void fixture_close(fixture *f)
{
    assert_int_equal(nftw(f->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void completed(pawl_registry_op *const *ops, size_t count)
{
    (void)ops;
    (void)count;
}

static void event(void *listener, const pawl_registry_event *what)
{
    (void)listener;
    (void)what;
}

static const void *get_extension(const pawl_host_root *host, const char *id)
{
    static const pawl_registry_host registry = {sizeof registry, 0, completed,
                                                event}; /* providers look for it in init */
    (void)host;
    if (strcmp(id, PAWL_EXT_REGISTRY_HOST) == 0)
        return &registry;
    return strcmp(id, PAWL_EXT_CORE) == 0 ? pawl_core_table() : NULL;
}

const pawl_host_root *fixture_host(void)
{
    static const pawl_log log = {.level = PAWL_LOG_ERROR};
    static pawl_host_data data = {.log = &log, .source = "test"};
    static const pawl_host_root host = {sizeof host, PAWL_ABI_MAJOR, PAWL_ABI_MINOR, "loader-test",
                                        "1",         &data,          get_extension};
    data.clock = pawl_clock_system();
    return &host;
}

const char *fixture_built(const char *name)
{
    char *text = next_text();
    snprintf(text, PATH_MAX, "%s/%s.so", PAWL_HOSTILE_DIR, name);
    return text;
}

const char *fixture_path(const fixture *f, const char *name)
{
    char *text = next_text();
    snprintf(text, PATH_MAX + 256, "%s/%s", f->directory, name);
    return text;
}

static char *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    char *bytes = malloc((size_t)size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
    fclose(file);
    *ret_size = (size_t)size;
    return bytes;
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
}

void fixture_write(const char *path, const char *text)
{
    write_file(path, text, strlen(text));
}

const char *fixture_copy(fixture *f, const char *name, const char *as)
{
    return fixture_copy_of(f, fixture_built(name), as);
}

const char *fixture_copy_of(fixture *f, const char *from, const char *as)
{
    size_t size;
    char *bytes = read_file(from, &size);
    const char *path = fixture_path(f, as);
    write_file(path, bytes, size);
    free(bytes);
    return path;
}

size_t fixture_patch(const char *path, const void *from, const void *to, size_t size)
{
    size_t total;
    size_t count = 0;
    char *bytes = read_file(path, &total);
    for (char *at = bytes; (at = memmem(at, total - (size_t)(at - bytes), from, size)) != NULL; at += size) {
        memcpy(at, to, size);
        count++;
    }
    write_file(path, bytes, total);
    free(bytes);
    return count;
}

const char *fixture_sha256(const char *path)
{
    uint8_t digest[32];
    uint64_t size;
    char *text = next_text();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pawl_trust_digest(fd, path, UINT64_MAX, digest, &size, NULL), PAWL_OK);
    close(fd);
    pawl_digest_text(digest, text);
    return text;
}

pawl_status fixture_try(fixture *f, const char *path, const char *config)
{
    const pawl_plugin_request request = {.path = path, .dev = true, .config_json = config};
    pawl_plugin_set *set = NULL;
    memset(&f->error, 0, sizeof f->error);
    pawl_status status = pawl_loader_load(&request, 1, f->data, fixture_host(), NULL, &set, &f->error);
    if (status == PAWL_OK)
        pawl_plugin_set_close(set);
    else
        assert_null(set);
    return status;
}

pawl_status fixture_execute(const pawl_plugin *plugin, const char *input, size_t limit, char *text, size_t room,
                            pawl_error *error)
{
    pawl_sink out;
    pawl_failure_slot why;
    pawl_sink_init(&out, limit);
    pawl_failure_init(&why);
    const pawl_effect_call call = {.struct_size = sizeof call,
                                   .attempt = 1,
                                   .host = plugin->host,
                                   .operation = pawl_bytes_text(plugin->manifest->effects[0].name),
                                   .input = pawl_bytes_text(input)};
    pawl_status status = plugin->effect->execute(&call, &out, &why);
    snprintf(text, room, "%s", pawl_sink_text(&out));
    if (why.set)
        pawl_failure_error(&why, status, error);
    pawl_failure_finish(&why);
    pawl_sink_finish(&out);
    return status;
}

void fixture_assert_refused(const fixture *f, pawl_status status, const char *code, const char *fragment)
{
    const char *rule = pawl_loader_rule(code);
    char ending[32];
    assert_non_null(rule);
    assert_true(status < 0);
    assert_string_equal(f->error.code, code);
    assert_int_equal(f->error.status, status);
    snprintf(ending, sizeof ending, "[rule %s]", rule);
    if (strstr(f->error.message, ending) == NULL || (fragment != NULL && strstr(f->error.message, fragment) == NULL))
        fail_msg("\"%s\" lacks \"%s\" or \"%s\"", f->error.message, ending, fragment == NULL ? "" : fragment);
}
