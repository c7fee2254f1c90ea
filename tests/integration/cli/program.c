/* program.c: see program.h. */
#include "program.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 20000

extern char **environ;

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
    (void)found;
    (void)kind;
    (void)where;
    return remove(path);
}

static void path_of(const place *at, const char *name, char *path)
{
    snprintf(path, 256, "%s/%s", at->directory, name);
}

void place_write(const place *at, const char *name, const char *text)
{
    char path[256];
    path_of(at, name, path);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

int place_lines(const place *at, const char *name)
{
    char path[256];
    path_of(at, name, path);
    FILE *file = fopen(path, "re");
    int lines = 0;
    int byte = 0;
    while (file != NULL && (byte = fgetc(file)) != EOF)
        lines += byte == '\n';
    if (file != NULL)
        fclose(file);
    return lines;
}

place *place_open(const char *more_lines)
{
    place *at = calloc(1, sizeof *at);
    const char *base = getenv("TMPDIR");
    char text[2048];
    snprintf(at->directory, sizeof at->directory, "%.80s/pawl-program-XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(at->directory));
    snprintf(text, sizeof text,
             "profile: cli\ntier: durable\ndata: data\nstores: { main: { provider: rocksdb } }\n"
             "plugins:\n  - { path: %s, dev: true }\n%s",
             PAWL_TEST_PLUGIN, more_lines);
    place_write(at, "pawl.yaml", text);
    snprintf(at->profile, sizeof at->profile, "%.120s/pawl.yaml", at->directory);
    return at;
}

void place_close(place *at)
{
    if (at->server != 0) {
        kill(at->server, SIGKILL);
        server_end(at);
    }
    nftw(at->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(at);
}

/* Start the program in the directory, its output in the files out and err there. */
static pid_t start(const place *at, const char *const *words, const char *out, const char *err, int third)
{
    char *all[40] = {(char *)(uintptr_t) "pawl"};
    char out_path[256];
    char err_path[256];
    pid_t pid = 0;
    for (int i = 1; *words != NULL; words++, i++)
        all[i] = (char *)(uintptr_t)*words;
    path_of(at, out, out_path);
    path_of(at, err, err_path);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, at->directory);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (third >= 0)
        posix_spawn_file_actions_adddup2(&actions, third, 3);
    assert_int_equal(posix_spawn(&pid, PAWL_PROGRAM, &actions, NULL, all, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void read_back(const place *at, const char *name, char *text, size_t room)
{
    char path[256];
    path_of(at, name, path);
    FILE *file = fopen(path, "re");
    size_t size = file == NULL ? 0 : fread(text, 1, room - 1, file);
    text[size] = '\0';
    if (file != NULL)
        fclose(file);
}

static int end_of(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void server_start(place *at)
{
    static const char *const words[] = {"serve", "--ready-fd", "3", NULL};
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    int third = fcntl(ready[1], F_DUPFD_CLOEXEC, 10);
    at->server = start(at, words, "server.out", "server.err", third);
    close(ready[1]);
    close(third);
    struct pollfd end = {.fd = ready[0], .events = POLLIN};
    if (poll(&end, 1, PATIENCE_MS) != 1 || read(ready[0], &byte, 1) != 1) {
        char err[4096];
        read_back(at, "server.err", err, sizeof err);
        fail_msg("pawl serve did not become ready: %s", err);
    }
    close(ready[0]);
}

void server_signal(const place *at, int signal)
{
    assert_int_equal(kill(at->server, signal), 0);
}

int server_end(place *at)
{
    int ended = end_of(at->server);
    at->server = 0;
    return ended;
}

command run(const place *at, const char *const *words)
{
    command c = {.exit_code = end_of(start(at, words, "run.out", "run.err", -1))};
    read_back(at, "run.out", c.out, sizeof c.out);
    read_back(at, "run.err", c.err, sizeof c.err);
    return c;
}

void expect_run(const place *at, int exit_code, const char *part, const char *const *words)
{
    command c = run(at, words);
    if (c.exit_code != exit_code)
        fail_msg("pawl %s: exit code %d, wanted %d\nout: %s\nerr: %s", words[0], c.exit_code, exit_code, c.out, c.err);
    if (part != NULL && strstr(c.out, part) == NULL && strstr(c.err, part) == NULL)
        fail_msg("pawl %s: \"%s\" is not in\nout: %s\nerr: %s", words[0], part, c.out, c.err);
}

void await_run(const place *at, const char *part, const char *const *words)
{
    struct timespec until;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &until);
    for (;;) {
        command c = run(at, words);
        if (strstr(c.out, part) != NULL)
            return;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > until.tv_sec + PATIENCE_MS / 1000)
            fail_msg("pawl %s: \"%s\" never came; last\nout: %s\nerr: %s", words[0], part, c.out, c.err);
    }
}
