/* guest.c: one process of an isolated plugin: how it begins, how it is ended, and how it ended. It gets a socket, the
 * standard error of this program, a handful of environment variables, and nothing else that this program has. Started
 * by the listening thread alone: a process dies with the thread that started it. */
#include "isolate_internal.h"

#include "host/profile/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <pawl/pawl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

#define VARIABLES_MAX 32

/* A host's environment may hold secrets, of other plugins too. */
static bool may_see(const char *variable)
{
    static const char *const names[] = {"PATH=",         "LANG=",           "LC_ALL=",          "LC_CTYPE=",
                                        "TZ=",           "TMPDIR=",         "LD_LIBRARY_PATH=", "SSL_CERT_FILE=",
                                        "SSL_CERT_DIR=", "CURL_CA_BUNDLE=", "ASAN_OPTIONS=",    "UBSAN_OPTIONS=",
                                        "TSAN_OPTIONS="};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static void choose_environment(char *chosen[VARIABLES_MAX])
{
    size_t count = 0;
    for (char **at = environ; at != NULL && *at != NULL && count + 1 < VARIABLES_MAX; at++)
        if (may_see(*at))
            chosen[count++] = *at;
    chosen[count] = NULL;
}

static int set_actions(posix_spawn_file_actions_t *actions, int channel)
{
    int failed = posix_spawn_file_actions_adddup2(actions, channel, WIRE_CHANNEL);
    if (failed == 0)
        failed = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (failed == 0)
        failed = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (failed == 0)
        failed = posix_spawn_file_actions_addclosefrom_np(actions, WIRE_CHANNEL + 1);
    return failed;
}

/* Its own process group, so that what it starts can be ended with it; no signal blocked or ignored. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int failed = posix_spawnattr_setsigmask(attributes, &none);
    if (failed == 0)
        failed = posix_spawnattr_setsigdefault(attributes, &all);
    if (failed == 0)
        failed = posix_spawnattr_setpgroup(attributes, 0);
    if (failed == 0)
        failed = posix_spawnattr_setflags(attributes,
                                          POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    return failed;
}

static int spawn(guest *g, int channel)
{
    const pawl_isolated *plugin = g->plugin;
    char name[] = "pawl-plugin-host";
    char *arguments[] = {name, (char *)(uintptr_t)plugin->request.copy_path,
                         (char *)(uintptr_t)plugin->request.manifest->id, NULL};
    char *environment[VARIABLES_MAX];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    choose_environment(environment);
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0)
        return failed;
    failed = posix_spawnattr_init(&attributes);
    if (failed == 0) {
        failed = set_actions(&actions, channel);
        if (failed == 0)
            failed = set_attributes(&attributes);
        if (failed == 0)
            failed = posix_spawn(&g->pid, plugin->isolation->program, &actions, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static int watch(guest *g)
{
    int poll = g->plugin->isolation->poll;
    struct epoll_event socket = {.events = EPOLLIN, .data.ptr = &g->socket_watch};
    struct epoll_event end = {.events = EPOLLIN, .data.ptr = &g->end_watch};
    g->end = pidfd_open(g->pid, 0);
    if (g->end < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, g->end, &end) != 0 ||
        epoll_ctl(poll, EPOLL_CTL_ADD, g->socket, &socket) != 0)
        return errno;
    return 0;
}

static int open_process(guest *g)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return errno;
    g->socket = pair[0];
    int failed = spawn(g, pair[1]);
    close(pair[1]);
    if (failed == 0) {
        failed = watch(g);
        if (failed != 0) { /* nobody would see its end */
            kill(-g->pid, SIGKILL);
            (void)waitpid(g->pid, NULL, 0);
        }
    }
    if (failed != 0) {
        close(g->socket);
        if (g->end >= 0)
            close(g->end);
        g->socket = g->end = -1;
        g->pid = 0;
    }
    return failed;
}

static void say_hello(guest *g, const char *config, size_t size)
{
    const pawl_isolated *plugin = g->plugin;
    const pawl_profile_plugin *profile = plugin->request.profile;
    pawl_sink *scratch = &g->plugin->scratch;
    const wire_hello hello = {.version = WIRE_VERSION,
                              .threads = plugin->isolation->config.threads,
                              .output_max = plugin->isolation->config.output_max,
                              .memory = profile->limits.memory_bytes,
                              .open_files = profile->limits.open_files,
                              .processes = profile->limits.processes,
                              .seccomp = profile->limits.seccomp,
                              .change_user = plugin->change_user,
                              .uid = plugin->uid,
                              .gid = plugin->gid,
                              .parent = (uint32_t)getpid(),
                              .host_version = pawl_bytes_text(pawl_library_version()),
                              .subject = pawl_bytes_text(plugin->request.subject),
                              .config = {config, size}};
    pawl_wire_hello(scratch, &hello);
    pawl_guest_send(g, (pawl_bytes){"", 0});
    if (scratch->data != NULL)
        memset(scratch->data, 0, scratch->room); /* there may be secrets in it */
}

static void fail_start(guest *g, pawl_status status, const char *code, const char *message)
{
    pawl_isolated *plugin = g->plugin;
    snprintf(g->why, sizeof g->why, "could not be started: %s", message);
    if (!plugin->failed && plugin->opening) {
        plugin->failed = true;
        (void)pawl_error_set(&plugin->error, status, code, "%s", message);
    }
}

void pawl_guest_start(guest *g)
{
    pawl_isolated *plugin = g->plugin;
    char *config = NULL;
    size_t size = 0;
    pawl_error error = {.status = PAWL_OK};
    g->deaf = false;
    g->created = 0;
    g->questions = 0;
    g->code[0] = g->stage[0] = '\0';
    g->in = (wire_reader){.payload_max = plugin->isolation->config.output_max + WIRE_MORE, .from_plugin = true};
    g->began_mono_ns = pawl_isolate_now();
    if (pawl_secret_resolve_text(plugin->request.profile->config, &config, &size, &error) != PAWL_OK) {
        fail_start(g, error.status, error.code, error.message);
        return;
    }
    int failed = open_process(g);
    if (failed != 0) {
        snprintf(error.message, sizeof error.message, "%s: %s", plugin->isolation->program, strerror(failed));
        fail_start(g, PAWL_E_IO, "isolation.start", error.message);
    } else {
        plugin->starts++;
        g->state = GUEST_STARTING;
        g->due_mono_ns = g->began_mono_ns + ISOLATE_START_NS;
        say_hello(g, config, size);
    }
    pawl_secret_forget_text(config, size);
}

void pawl_guest_kill(guest *g, const char *code, const char *format, ...)
{
    if (g->state == GUEST_DOWN || g->state == GUEST_KILLED)
        return;
    if (format != NULL) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(g->why, sizeof g->why, format, arguments);
        va_end(arguments);
    }
    snprintf(g->code, sizeof g->code, "%s", format == NULL ? "" : code);
    g->state = GUEST_KILLED;
    kill(-g->pid, SIGKILL);
}

static void say_end(guest *g, bool known, int end)
{
    if (!known)
        snprintf(g->why, sizeof g->why, "ended");
    else if (WIFSIGNALED(end))
        snprintf(g->why, sizeof g->why, "was ended by signal %d (%s)%s", WTERMSIG(end), strsignal(WTERMSIG(end)),
                 WTERMSIG(end) == SIGSYS ? ", for a system call that its filter forbids" : "");
    else
        snprintf(g->why, sizeof g->why, "ended itself with exit code %d", WEXITSTATUS(end));
}

void pawl_guest_collect(guest *g)
{
    int poll = g->plugin->isolation->poll;
    int end = 0;
    pid_t got;
    kill(-g->pid, SIGKILL); /* what it left behind in its group; it is not collected yet, so the number is still its */
    do
        got = waitpid(g->pid, &end, 0);
    while (got < 0 && errno == EINTR);
    if (g->code[0] == '\0')
        say_end(g, got == g->pid, end);
    (void)epoll_ctl(poll, EPOLL_CTL_DEL, g->end, NULL);
    (void)epoll_ctl(poll, EPOLL_CTL_DEL, g->socket, NULL);
    close(g->end);
    close(g->socket);
    free(g->out);
    g->out = NULL;
    g->out_at = g->out_size = g->out_room = 0;
    g->end = g->socket = -1;
    g->pid = 0;
    pawl_wire_finish(&g->in);
}

uint64_t pawl_guest_cpu_ns(const guest *g)
{
    clockid_t clock;
    struct timespec used;
    if (g->pid == 0 || clock_getcpuclockid(g->pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (uint64_t)used.tv_sec * UINT64_C(1000000000) + (uint64_t)used.tv_nsec;
}
