/* yard.c: see yard.h. */
#include "yard.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS_MAX 24

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void let_pass_ms(unsigned ms)
{
    struct timespec span = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000L};
    while (nanosleep(&span, &span) != 0 && errno == EINTR)
        ;
}

void look_again_soon(void)
{
    let_pass_ms(5);
}

/* ---- the place ----------------------------------------------------------------------------------------------------
 */

void yard_path(const yard *y, const char *name, char *path)
{
    snprintf(path, 256, "%s/%s", y->directory, name);
}

bool yard_has(const yard *y, const char *name)
{
    char path[256];
    yard_path(y, name, path);
    return access(path, F_OK) == 0;
}

void yard_write(const yard *y, const char *name, const char *format, ...)
{
    char path[256];
    va_list arguments;
    yard_path(y, name, path);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    assert_int_equal(fclose(file), 0);
}

yard *yard_open(const char *more_lines)
{
    yard *y = calloc(1, sizeof *y);
    const char *base = getenv("TMPDIR");
    char path[256];
    assert_non_null(y);
    snprintf(y->directory, sizeof y->directory, "%.60s/pawl-serve-XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(y->directory));
    yard_path(y, "at", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    y->at = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    assert_true(y->at >= 0);
    snprintf(y->profile, sizeof y->profile, "%s/pawl.yaml", y->directory);
    snprintf(y->socket, sizeof y->socket, "%s/s", y->directory);
    yard_write(y, "pawl.yaml",
               "profile: yard\ntier: durable\ndata: data\nsocket: s\nstores: { main: { provider: rocksdb } }\n"
               "plugins:\n  - { path: %s, dev: true, config: { directory: %s } }\n%s",
               PROBE_PLUGIN, y->directory, more_lines);
    return y;
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
    (void)found;
    (void)kind;
    (void)where;
    return remove(path);
}

yard *yard_close(yard *y)
{
    if (y == NULL)
        return NULL;
    if (y->server > 0) {
        kill(y->server, SIGKILL);
        waitpid(y->server, NULL, 0);
    }
    close(y->at);
    nftw(y->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(y);
    return NULL;
}

/* ---- the program ---------------------------------------------------------------------------------------------------
 */

static void redirect(const yard *y, const char *name, int flags, int descriptor)
{
    char path[256];
    yard_path(y, name, path);
    int file = open(path, O_WRONLY | O_CREAT | flags, 0600);
    if (file < 0 || dup2(file, descriptor) != descriptor)
        _exit(126);
    close(file);
}

/* The child's side: never returns. It dies with the test. */
static void become_pawl(const yard *y, const char *const *words, const char *out, const char *err, int flags)
{
    char *arguments[WORDS_MAX] = {(char *)(uintptr_t) "pawl"};
    for (size_t i = 0; words[i] != NULL && i + 2 < WORDS_MAX; i++)
        arguments[i + 1] = (char *)(uintptr_t)words[i];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    redirect(y, out, flags, STDOUT_FILENO);
    redirect(y, err, flags, STDERR_FILENO);
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || chdir(y->directory) != 0)
        _exit(126);
    unsetenv("PAWL_PROFILE");
    execv(PAWL_PROGRAM, arguments);
    _exit(127);
}

static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Wait for the end of a child; fails the test (and ends the child) when it takes too long. */
static int end_of(pid_t child, const char *what)
{
    int status = 0;
    for (double until = seconds_now() + YARD_PATIENCE_S; seconds_now() < until; look_again_soon())
        if (waitpid(child, &status, WNOHANG) == child)
            return code_of(status);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    fail_msg("%s did not end within %d s", what, YARD_PATIENCE_S);
    return 0;
}

static void read_back(const yard *y, const char *name, char *text, size_t room)
{
    char path[256];
    yard_path(y, name, path);
    FILE *file = fopen(path, "re");
    size_t size = file == NULL ? 0 : fread(text, 1, room - 1, file);
    text[size] = '\0';
    if (file != NULL)
        fclose(file);
}

void yard_run(const yard *y, command *ret, const char *const *words)
{
    pid_t child = fork();
    if (child == 0)
        become_pawl(y, words, "run.out", "run.err", O_TRUNC);
    assert_true(child > 0);
    ret->exit_code = end_of(child, words[0]);
    read_back(y, "run.out", ret->out, sizeof ret->out);
    read_back(y, "run.err", ret->err, sizeof ret->err);
}

void yard_expect(const yard *y, int exit_code, const char *part, const char *const *words)
{
    command *c = calloc(1, sizeof *c);
    assert_non_null(c);
    yard_run(y, c, words);
    bool found = part == NULL || strstr(c->out, part) != NULL || strstr(c->err, part) != NULL;
    if (c->exit_code != exit_code || !found)
        fail_msg("pawl %s %s: exit code %d, wanted %d and \"%s\"\nout: %.3000s\nerr: %.3000s", words[0],
                 words[1] == NULL ? "" : words[1], c->exit_code, exit_code, part == NULL ? "anything" : part, c->out,
                 c->err);
    free(c);
}

/* ---- the server ----------------------------------------------------------------------------------------------------
 */

static void fail_with_log(const yard *y, const char *what)
{
    static char text[16384];
    read_back(y, "serve.err", text, sizeof text);
    size_t size = strlen(text);
    fail_msg("pawl serve %s; the end of what it said:\n%s", what, size > 4000 ? text + size - 4000 : text);
}

static pid_t begin_serve(const yard *y, const char *const *arguments, int ready)
{
    const char *words[WORDS_MAX] = {"serve", "--profile", y->profile, "--ready-fd"};
    char number[16];
    snprintf(number, sizeof number, "%d", ready);
    words[4] = number;
    for (size_t i = 0; arguments != NULL && arguments[i] != NULL && i + 6 < WORDS_MAX; i++)
        words[i + 5] = arguments[i];
    pid_t child = fork();
    if (child == 0)
        become_pawl(y, words, "serve.out", "serve.err", O_APPEND);
    return child;
}

static bool serve(yard *y, const char *const *arguments)
{
    int ready[2];
    char byte;
    assert_int_equal(y->server, 0);
    assert_int_equal(pipe(ready), 0);
    fcntl(ready[0], F_SETFD, FD_CLOEXEC);
    y->server = begin_serve(y, arguments, ready[1]);
    close(ready[1]);
    assert_true(y->server > 0);
    struct pollfd wait = {.fd = ready[0], .events = POLLIN};
    bool came = poll(&wait, 1, YARD_PATIENCE_S * 1000) == 1 && read(ready[0], &byte, 1) == 1;
    close(ready[0]);
    return came;
}

void yard_serve(yard *y, const char *const *arguments)
{
    if (!serve(y, arguments))
        fail_with_log(y, "did not become ready");
}

bool yard_try_serve(yard *y)
{
    if (serve(y, NULL))
        return true;
    (void)yard_end(y);
    return false;
}

void yard_signal(const yard *y, int signal)
{
    assert_true(y->server > 0);
    assert_int_equal(kill(y->server, signal), 0);
}

int yard_end(yard *y)
{
    pid_t server = y->server;
    y->server = 0;
    return end_of(server, "pawl serve");
}

void yard_kill(yard *y)
{
    yard_signal(y, SIGKILL);
    int ended = yard_end(y);
    if (ended != -SIGKILL)
        fail_with_log(y, "had ended before it was killed");
}

void yard_stop(yard *y)
{
    yard_signal(y, SIGTERM);
    int ended = yard_end(y);
    if (ended != 0)
        fail_with_log(y, "did not end with 0 after SIGTERM");
}

/* ---- holding effects ------------------------------------------------------------------------------------------------
 */

void yard_await_held(yard *y, int count)
{
    for (double until = seconds_now() + YARD_PATIENCE_S; count > 0;) {
        char bytes[64];
        struct pollfd wait = {.fd = y->at, .events = POLLIN};
        ssize_t size = 0;
        if (poll(&wait, 1, 1000) == 1)
            size = read(y->at, bytes, count < 64 ? (size_t)count : sizeof bytes);
        count -= size > 0 ? (int)size : 0;
        if (seconds_now() > until)
            fail_with_log(y, "has not run the effects that should hold");
    }
}

void yard_open_gate(const yard *y)
{
    yard_write(y, "gate", "open\n");
}

void yard_shut_gate(const yard *y)
{
    char path[256];
    yard_path(y, "gate", path);
    unlink(path);
}
