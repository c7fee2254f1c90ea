/* kill_writes.c: see kill_writes.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kill_writes.h"

#include <dlfcn.h>
#include <ftw.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE 3 /* of what the child tells; the files of the store come behind it */

/* ---- dying ---- */

enum death { BEFORE, HALFWAY, AFTER, DEATHS };
static atomic_int writes_left; /* 0: it does not die */
static enum death death;

static ssize_t write_on(int file, const void *data, size_t size)
{
    ssize_t (*next)(int, const void *, size_t);
    *(void **)&next = dlsym(RTLD_NEXT, "write");
    return next(file, data, size);
}

__attribute__((visibility("default"))) ssize_t write(int file, const void *data, size_t size)
{
    if (file > PIPE && atomic_load(&writes_left) > 0 && atomic_fetch_sub(&writes_left, 1) == 1) {
        (void)write_on(file, data, death == BEFORE ? 0 : death == HALFWAY ? size / 2 : size);
        for (;;)
            kill(getpid(), SIGKILL);
    }
    return write_on(file, data, size);
}

void kill_arm(int dies_at)
{
    atomic_store(&writes_left, dies_at);
}

/* ---- the program's side ---- */

static void quiet(void *context, uint32_t level, const char *line)
{
    (void)context;
    (void)level;
    (void)line;
}

void kill_check_ok(pawl_status status, const pawl_error *error, const char *what)
{
    if (status == PAWL_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, error->code, error->message);
    _exit(3);
}

static void profile_of(const char *directory, char text[512])
{
    snprintf(text, 512, "profile: kill\ntier: durable\ndata: %s\nstores: { main: { provider: rocksdb } }\n", directory);
}

pawl_host *kill_open(const char *directory, pawl_plugin_entry_fn plugin, bool worker)
{
    char profile[512];
    pawl_error error = {0};
    pawl_host *host = NULL;
    profile_of(directory, profile);
    const pawl_host_options options = {.struct_size = sizeof options,
                                       .no_worker = worker ? 0 : 1,
                                       .profile_text = profile,
                                       .log = quiet,
                                       .static_plugins = &plugin,
                                       .static_plugin_count = 1};
    kill_check_ok(pawl_host_open(&options, &host, &error), &error, "open");
    return host;
}

json_t *kill_json(pawl_text *text)
{
    json_t *json = json_loadb(text->data, text->size, JSON_DECODE_ANY, NULL);
    pawl_text_free(text);
    return json;
}

void kill_tell(uint8_t byte)
{
    if (write_on(PIPE, &byte, 1) != 1)
        _exit(4);
}

/* ---- the test's side ---- */

bool kill_child(void (*program)(const char *directory, int dies_at), const char *directory, int dies_at,
                unsigned heard[256])
{
    int ends[2];
    uint8_t input;
    int status = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (dup2(ends[1], PIPE) != PIPE)
            _exit(5);
        for (int i = 0; i < 2; i++)
            if (ends[i] != PIPE)
                close(ends[i]);
        program(directory, dies_at);
        _exit(0);
    }
    close(ends[1]);
    while (read(ends[0], &input, 1) == 1)
        heard[input]++;
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    else
        assert_int_equal(WTERMSIG(status), SIGKILL);
    return WIFEXITED(status);
}

static int32_t no_finding(void *context, const char *store, const pawl_care_finding *finding)
{
    (void)context;
    if (finding->kind != PAWL_FINDING_PROGRESS)
        fprintf(stderr, "%s: %.*s: found %.*s\n", store, (int)finding->place.size, (const char *)finding->place.data,
                (int)finding->found.size, (const char *)finding->found.data);
    return 0;
}

void kill_check_store(const char *directory)
{
    char profile[512];
    pawl_text text = {0};
    pawl_error error = {0};
    profile_of(directory, profile);
    const pawl_host_options options = {.struct_size = sizeof options, .profile_text = profile, .log = quiet};
    kill_check_ok(pawl_care_check(&options, 0, no_finding, NULL, &text, &error), &error, "check");
    json_t *facts = kill_json(&text);
    assert_int_equal(json_integer_value(json_object_get(facts, "problems")), 0);
    json_decref(facts);
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

int kill_everywhere(void (*program)(const char *directory, int dies_at), int stride,
                    void (*check)(const char *directory, const unsigned heard[256]))
{
    int at = 0;
    for (bool whole = false; !whole; at += stride) {
        char directory[64];
        unsigned heard[256] = {0};
        const char *base = getenv("TMPDIR");
        snprintf(directory, sizeof directory, "%s/pawl-kill-XXXXXX", base == NULL ? "/tmp" : base);
        assert_non_null(mkdtemp(directory));
        death = (enum death)(at / stride % DEATHS);
        whole = kill_child(program, directory, at + 1, heard);
        kill_check_store(directory);
        if (!whole)
            assert_true(kill_child(program, directory, 0, heard));
        check(directory, heard);
        kill_check_store(directory);
        (void)nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    }
    return at;
}
