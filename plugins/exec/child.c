/* child.c: see child.h. The child's half, between fork and exec, is marked: it may only use async-signal-safe calls. */
#include "plugins/exec/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIVES_ON 3 /* the first descriptor the new program must not inherit */

typedef struct streams {
    int input[2], output[2], errors[2];
    int report[2]; /* the child's errno, when exec fails */
} streams;

static void close_both(int fds[2])
{
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static void close_all(streams *s)
{
    close_both(s->input);
    close_both(s->output);
    close_both(s->errors);
    close_both(s->report);
}

/* A pipe whose ends are above the standard streams, so that dup2 in the child never hits one of them. */
static int make_pipe(int fds[2])
{
    int made[2];
    if (pipe2(made, O_CLOEXEC) != 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        fds[i] = made[i] >= LIVES_ON ? made[i] : fcntl(made[i], F_DUPFD_CLOEXEC, LIVES_ON);
        if (fds[i] != made[i])
            close(made[i]);
    }
    return fds[0] >= 0 && fds[1] >= 0 ? 0 : -1;
}

static int open_streams(streams *s, bool with_input)
{
    *s = (streams){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    if (with_input) {
        if (make_pipe(s->input) != 0)
            return -1;
    } else {
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        s->input[0] = null < 0 || null >= LIVES_ON ? null : fcntl(null, F_DUPFD_CLOEXEC, LIVES_ON);
        if (s->input[0] != null)
            close(null);
        if (s->input[0] < 0)
            return -1;
    }
    return make_pipe(s->output) != 0 || make_pipe(s->errors) != 0 || make_pipe(s->report) != 0 ? -1 : 0;
}

/* ---- in the child ---- */

/* Every descriptor but the standard three closes at exec, whoever opened it and however. */
static void close_at_exec(void)
{
    if (syscall(SYS_close_range, LIVES_ON, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    struct rlimit limit;
    int last = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536 ? (int)limit.rlim_cur : 65536;
    for (int fd = LIVES_ON; fd < last; fd++)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void default_signals(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &action, NULL); /* some cannot be changed; they have their default */
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become(const pawl_exec_command *command, const streams *s, pid_t parent)
{
    if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return;
    if (getppid() != parent) { /* the host died before the line above */
        errno = ESRCH;
        return;
    }
    if (dup2(s->input[0], 0) < 0 || dup2(s->output[1], 1) < 0 || dup2(s->errors[1], 2) < 0)
        return;
    if (fchdir(command->directory) != 0)
        return;
    default_signals();
    close_at_exec();
    execve(command->program, (char *const *)command->argv, command->environment);
}

static void child_half(const pawl_exec_command *command, const streams *s, pid_t parent) __attribute__((noreturn));
static void child_half(const pawl_exec_command *command, const streams *s, pid_t parent)
{
    become(command, s, parent);
    int problem = errno;
    (void)!write(s->report[1], &problem, sizeof problem);
    _exit(127);
}

/* ---- in the host ---- */

/* 0 once the new program runs: the report pipe closed without a word. */
static int wait_for_exec(int report)
{
    int problem = 0;
    ssize_t got;
    do {
        got = read(report, &problem, sizeof problem);
    } while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof problem ? problem : 0;
}

static int keep_end(int *end)
{
    int kept = *end;
    *end = -1;
    if (kept >= 0)
        (void)fcntl(kept, F_SETFL, fcntl(kept, F_GETFL) | O_NONBLOCK);
    return kept;
}

int pawl_exec_child_open(pawl_exec_child *child, const pawl_exec_command *command, bool with_input)
{
    streams s;
    sigset_t all, before;
    *child = (pawl_exec_child){.exited = -1, .input = -1, .output = -1, .errors = -1};
    if (open_streams(&s, with_input) != 0) {
        int problem = errno;
        close_all(&s);
        return problem;
    }
    pid_t parent = getpid();
    /* No handler of the host may run in the child before its signals have their defaults. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = _Fork();
    if (pid == 0)
        child_half(command, &s, parent);
    int problem = pid < 0 ? errno : 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid > 0) {
        close(s.report[1]);
        s.report[1] = -1;
        child->pid = pid;
        problem = wait_for_exec(s.report[0]);
        child->exited = (int)syscall(SYS_pidfd_open, pid, 0);
        child->input = keep_end(&s.input[1]);
        child->output = keep_end(&s.output[0]);
        child->errors = keep_end(&s.errors[0]);
    }
    close_all(&s);
    if (problem != 0 && pid > 0)
        (void)pawl_exec_child_close(child);
    return problem;
}

bool pawl_exec_child_has_ended(const pawl_exec_child *child)
{
    siginfo_t facts = {0};
    if (child->pid == 0)
        return true;
    int answer;
    do {
        answer = waitid(P_PID, (id_t)child->pid, &facts, WEXITED | WNOHANG | WNOWAIT);
    } while (answer != 0 && errno == EINTR);
    return answer != 0 || facts.si_pid == child->pid;
}

void pawl_exec_child_signal(pawl_exec_child *child, int number)
{
    if (child->pid == 0)
        return;
    child->killed = true;
    (void)kill(-child->pid, number);
    if (number != SIGKILL)
        (void)kill(-child->pid, SIGCONT); /* a stopped one would not notice */
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int pawl_exec_child_close(pawl_exec_child *child)
{
    int status = -1;
    if (child->pid != 0) {
        /* Before the child is waited for: as long as it is a zombie its id cannot be someone else's group. */
        (void)kill(-child->pid, SIGKILL);
        (void)kill(child->pid, SIGKILL);
        pid_t got;
        do {
            got = waitpid(child->pid, &status, 0);
        } while (got < 0 && errno == EINTR);
        if (got != child->pid)
            status = -1;
        child->pid = 0;
    }
    close_one(&child->exited);
    close_one(&child->input);
    close_one(&child->output);
    close_one(&child->errors);
    return status;
}
