/* probe.c: the parent's side of a probe; see probe.h. It must never wait without a deadline, leave a child behind, or
 * believe that a child which died had nothing wrong with it. */
#include "probe.h"
#include "program.h"
#include "refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REPORT_MAX = 8192, ASK_EVERY_MS = 5, MS_PER_SECOND = 1000, NS_PER_MS = 1000000 };

extern char **environ;

typedef struct {
    const probe_request *request;
    pawl_error *error;
    pid_t pid;
    int channel;
    int watch; /* readable once the child has ended; -1: not to be had */
    int64_t deadline_ms;
    size_t sent;
    size_t used;
    char report[REPORT_MAX + 1];
} probe;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / NS_PER_MS;
}

/* ---- starting -----------------------------------------------------------------------------------------------------
 */

/* The child gets the channel, the standard error of this program, and nothing else that is open here. */
static int set_actions(posix_spawn_file_actions_t *actions, int channel)
{
    int failed = posix_spawn_file_actions_adddup2(actions, channel, PROBE_CHANNEL);
    if (failed == 0)
        failed = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (failed == 0)
        failed = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (failed == 0)
        failed = posix_spawn_file_actions_addclosefrom_np(actions, PROBE_CHANNEL + 1);
    return failed;
}

/* Its own process group, so that what a plugin starts can be ended with it; no signal blocked or ignored. */
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

static int spawn(probe *p, const char *program, int channel)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char name[] = "pawl-probe";
    char *arguments[] = {name, (char *)p->request->copy_path, (char *)p->request->subject, NULL};
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0)
        return failed;
    failed = posix_spawnattr_init(&attributes);
    if (failed == 0) {
        failed = set_actions(&actions, channel);
        if (failed == 0)
            failed = set_attributes(&attributes);
        if (failed == 0)
            failed = posix_spawn(&p->pid, program, &actions, &attributes, arguments, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static pawl_status start(probe *p, const char *program)
{
    int pair[2];
    int failed = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 ? 0 : errno;
    if (failed == 0) {
        failed = spawn(p, program, pair[1]);
        close(pair[1]);
        if (failed != 0)
            close(pair[0]);
    }
    if (failed != 0)
        return pawl_loader_refuse(p->error, "loader.probe_missing", p->request->subject,
                                  "cannot be probed: %s cannot be started: %s", program, strerror(failed));
    p->channel = pair[0];
    p->watch = pidfd_open(p->pid, 0);
    uint32_t timeout_ms = p->request->timeout_ms == 0 ? PROBE_TIMEOUT_MS_DEFAULT : p->request->timeout_ms;
    p->deadline_ms = now_ms() + timeout_ms;
    return PAWL_OK;
}

/* ---- talking ------------------------------------------------------------------------------------------------------
 */

static void send_config(probe *p)
{
    const char *config = p->request->config_json;
    size_t left = strlen(config) - p->sent;
    ssize_t sent = left == 0 ? 0 : send(p->channel, config + p->sent, left, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0)
        p->sent += (size_t)sent;
    else if (sent < 0 && errno != EAGAIN && errno != EINTR)
        p->sent += left; /* the child is gone; its end will say why */
    if (config[p->sent] == '\0')
        shutdown(p->channel, SHUT_WR);
}

/* False at the end of the report. */
static bool receive(probe *p)
{
    char dropped[512];
    bool room = p->used < REPORT_MAX;
    ssize_t size = recv(p->channel, room ? p->report + p->used : dropped, room ? REPORT_MAX - p->used : sizeof dropped,
                        MSG_DONTWAIT);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    if (room)
        p->used += (size_t)size;
    return size > 0;
}

/* Has the child ended? It is left to be reaped. Without a descriptor to poll (none was free) it has to be asked. */
static bool child_ended(const probe *p, const struct pollfd *watch)
{
    siginfo_t info = {.si_pid = 0};
    if (p->watch >= 0)
        return watch->revents != 0;
    return waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == p->pid;
}

/* What the child said last, before it ended. */
static void drain(probe *p)
{
    while (p->used < REPORT_MAX && recv(p->channel, p->report + p->used, 1, MSG_DONTWAIT) == 1)
        p->used++;
}

/* Until the child has ended, which is more than that it has said its last word: its exit handlers count. False: the
 * deadline passed. */
static bool converse(probe *p)
{
    bool listening = true;
    for (;;) {
        int64_t left = p->deadline_ms - now_ms();
        bool sending = p->request->config_json[p->sent] != '\0';
        struct pollfd fds[2] = {
            {.fd = listening ? p->channel : -1, .events = (short)(sending ? POLLIN | POLLOUT : POLLIN)},
            {.fd = p->watch, .events = POLLIN}};
        if (left <= 0)
            return false;
        if (poll(fds, 2, p->watch < 0 && left > ASK_EVERY_MS ? ASK_EVERY_MS : (int)left) < 0 && errno != EINTR)
            return false;
        if (sending && (fds[0].revents & (POLLOUT | POLLERR | POLLHUP)) != 0)
            send_config(p);
        bool ended = child_ended(p, &fds[1]);
        if (listening && (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            listening = receive(p);
        if (ended) {
            drain(p);
            return true;
        }
    }
}

/* ---- judging ------------------------------------------------------------------------------------------------------
 */

/* The text after the last line that begins with this word, cut at its end; NULL when there is none. */
static const char *last_line(const char *report, const char *word, char *text, size_t room)
{
    const char *found = NULL;
    size_t size = strlen(word);
    for (const char *line = report; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        if (*line == '\n' && *++line == '\0')
            break;
        if (strncmp(line, word, size) == 0 && line[size] == ' ')
            found = line + size + 1;
    }
    if (found == NULL)
        return NULL;
    snprintf(text, room, "%.*s", (int)strcspn(found, "\n"), found);
    return text;
}

static pawl_status judge_end(const probe *p, int end, bool known, bool *ret_crashed)
{
    char stage[64] = "starting";
    char text[sizeof p->error->message];
    char code[64] = "";
    int status = 0;
    int consumed = 0;
    last_line(p->report, "stage", stage, sizeof stage);
    if (known && WIFSIGNALED(end)) {
        *ret_crashed = true;
        return pawl_loader_refuse(p->error, "loader.probe_crash", p->request->subject,
                                  "crashed its probe with signal %d (%s) in: %s; it is under quarantine until "
                                  "`pawl plugin probe %s` passes",
                                  WTERMSIG(end), strsignal(WTERMSIG(end)), stage, p->request->subject);
    }
    if (last_line(p->report, "done", text, sizeof text) != NULL)
        return PAWL_OK;
    if (last_line(p->report, "refused", text, sizeof text) != NULL &&
        sscanf(text, "%d %63s %n", &status, code, &consumed) == 2 && status < 0)
        return pawl_error_set(p->error, status, code, "%s", text + consumed);
    return pawl_loader_refuse(
        p->error, "loader.probe_exit", p->request->subject,
        "ended its probe by exit(%d) in: %s; wanted a return: a plugin must never end the program "
        "it runs in",
        known ? WEXITSTATUS(end) : -1, stage);
}

static pawl_status judge_hang(const probe *p)
{
    char stage[64] = "starting";
    last_line(p->report, "stage", stage, sizeof stage);
    uint32_t timeout_ms = p->request->timeout_ms == 0 ? PROBE_TIMEOUT_MS_DEFAULT : p->request->timeout_ms;
    return pawl_loader_refuse(p->error, "loader.probe_hang", p->request->subject,
                              "did not end its probe within %u ms; it hung in: %s", timeout_ms, stage);
}

/* Collect the child. The program may reap children of its own accord; then how it ended is not known. */
static bool reap(pid_t pid, int *ret_end)
{
    pid_t got;
    do
        got = waitpid(pid, ret_end, 0);
    while (got < 0 && errno == EINTR);
    return got == pid;
}

pawl_status pawl_probe_run(const probe_request *request, bool *ret_crashed, pawl_error *error)
{
    char program[PATH_MAX];
    int end = 0;
    *ret_crashed = false;
    pawl_status status =
        pawl_loader_find_program("pawl-probe", request->program, request->subject, program, sizeof program, error);
    if (status != PAWL_OK)
        return status;
    probe *p = calloc(1, sizeof *p);
    if (p == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "loader.nomem", "out of memory");
    p->request = request;
    p->error = error;
    status = start(p, program);
    if (status == PAWL_OK) {
        if (p->request->config_json[0] == '\0')
            shutdown(p->channel, SHUT_WR);
        bool ended = converse(p);
        kill(-p->pid, SIGKILL); /* the child, or what it left behind in its group */
        bool known = reap(p->pid, &end);
        status = ended ? judge_end(p, end, known, ret_crashed) : judge_hang(p);
        close(p->channel);
        if (p->watch >= 0)
            close(p->watch);
    }
    free(p);
    return status;
}
