/* guest_filter.c: which system calls the process may make. What is on no list fails with EPERM; what no plugin has any
 * business with ends the process. Lists name what they allow, so that a call which a later kernel brings is refused. */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ALLOW(name) SCMP_SYS(name)

/* Memory, threads, time, and what is open already; reading of files. */
static const int always[] = {ALLOW(read),
                             ALLOW(readv),
                             ALLOW(pread64),
                             ALLOW(preadv),
                             ALLOW(preadv2),
                             ALLOW(write),
                             ALLOW(writev),
                             ALLOW(pwrite64),
                             ALLOW(close),
                             ALLOW(close_range),
                             ALLOW(lseek),
                             ALLOW(dup),
                             ALLOW(dup2),
                             ALLOW(dup3),
                             ALLOW(fcntl),
                             ALLOW(pipe),
                             ALLOW(pipe2),
                             ALLOW(poll),
                             ALLOW(ppoll),
                             ALLOW(select),
                             ALLOW(pselect6),
                             ALLOW(epoll_create),
                             ALLOW(epoll_create1),
                             ALLOW(epoll_ctl),
                             ALLOW(epoll_wait),
                             ALLOW(epoll_pwait),
                             ALLOW(epoll_pwait2),
                             ALLOW(eventfd),
                             ALLOW(eventfd2),
                             ALLOW(timerfd_create),
                             ALLOW(timerfd_settime),
                             ALLOW(timerfd_gettime),
                             ALLOW(fstat),
                             ALLOW(stat),
                             ALLOW(lstat),
                             ALLOW(newfstatat),
                             ALLOW(statx),
                             ALLOW(fstatfs),
                             ALLOW(statfs),
                             ALLOW(access),
                             ALLOW(faccessat),
                             ALLOW(faccessat2),
                             ALLOW(readlink),
                             ALLOW(readlinkat),
                             ALLOW(getdents),
                             ALLOW(getdents64),
                             ALLOW(getcwd),
                             ALLOW(fadvise64),
                             ALLOW(mmap),
                             ALLOW(munmap),
                             ALLOW(mprotect),
                             ALLOW(mremap),
                             ALLOW(madvise),
                             ALLOW(mincore),
                             ALLOW(msync),
                             ALLOW(mlock),
                             ALLOW(munlock),
                             ALLOW(brk),
                             ALLOW(membarrier),
                             ALLOW(futex),
                             ALLOW(futex_waitv),
                             ALLOW(set_robust_list),
                             ALLOW(get_robust_list),
                             ALLOW(rseq),
                             ALLOW(set_tid_address),
                             ALLOW(arch_prctl),
                             ALLOW(gettid),
                             ALLOW(getpid),
                             ALLOW(getppid),
                             ALLOW(getuid),
                             ALLOW(geteuid),
                             ALLOW(getgid),
                             ALLOW(getegid),
                             ALLOW(getgroups),
                             ALLOW(getresuid),
                             ALLOW(getresgid),
                             ALLOW(getpgrp),
                             ALLOW(getpgid),
                             ALLOW(getsid),
                             ALLOW(getrusage),
                             ALLOW(getrlimit),
                             ALLOW(times),
                             ALLOW(sysinfo),
                             ALLOW(uname),
                             ALLOW(getcpu),
                             ALLOW(sched_yield),
                             ALLOW(sched_getaffinity),
                             ALLOW(sched_getparam),
                             ALLOW(sched_getscheduler),
                             ALLOW(sched_get_priority_max),
                             ALLOW(sched_get_priority_min),
                             ALLOW(clock_gettime),
                             ALLOW(clock_getres),
                             ALLOW(clock_nanosleep),
                             ALLOW(nanosleep),
                             ALLOW(gettimeofday),
                             ALLOW(time),
                             ALLOW(getrandom),
                             ALLOW(rt_sigaction),
                             ALLOW(rt_sigprocmask),
                             ALLOW(rt_sigreturn),
                             ALLOW(rt_sigpending),
                             ALLOW(rt_sigtimedwait),
                             ALLOW(rt_sigsuspend),
                             ALLOW(sigaltstack),
                             ALLOW(restart_syscall),
                             ALLOW(pause),
                             ALLOW(umask),
                             ALLOW(exit),
                             ALLOW(exit_group)};

/* A client's sockets. Not: waiting for others to connect. */
static const int network[] = {ALLOW(connect),    ALLOW(bind),       ALLOW(getsockname), ALLOW(getpeername),
                              ALLOW(setsockopt), ALLOW(getsockopt), ALLOW(send),        ALLOW(sendto),
                              ALLOW(sendmsg),    ALLOW(sendmmsg),   ALLOW(recv),        ALLOW(recvfrom),
                              ALLOW(recvmsg),    ALLOW(recvmmsg),   ALLOW(shutdown),    ALLOW(socketpair)};

/* With limits.processes: others may be started, waited for and ended. */
static const int processes[] = {ALLOW(fork),      ALLOW(vfork),      ALLOW(clone),  ALLOW(execve),
                                ALLOW(execveat),  ALLOW(wait4),      ALLOW(waitid), ALLOW(waitpid),
                                ALLOW(kill),      ALLOW(setpgid),    ALLOW(chdir),  ALLOW(fchdir),
                                ALLOW(prlimit64), ALLOW(pidfd_open), ALLOW(setsid), ALLOW(pidfd_send_signal)};

static const int never[] = {ALLOW(ptrace),
                            ALLOW(process_vm_readv),
                            ALLOW(process_vm_writev),
                            ALLOW(mount),
                            ALLOW(umount2),
                            ALLOW(pivot_root),
                            ALLOW(chroot),
                            ALLOW(reboot),
                            ALLOW(kexec_load),
                            ALLOW(kexec_file_load),
                            ALLOW(init_module),
                            ALLOW(finit_module),
                            ALLOW(delete_module),
                            ALLOW(bpf),
                            ALLOW(perf_event_open),
                            ALLOW(keyctl),
                            ALLOW(add_key),
                            ALLOW(request_key),
                            ALLOW(setuid),
                            ALLOW(setgid),
                            ALLOW(setresuid),
                            ALLOW(setresgid),
                            ALLOW(setreuid),
                            ALLOW(setregid),
                            ALLOW(setgroups),
                            ALLOW(unshare),
                            ALLOW(setns),
                            ALLOW(swapon),
                            ALLOW(swapoff),
                            ALLOW(settimeofday),
                            ALLOW(clock_settime),
                            ALLOW(sethostname),
                            ALLOW(open_by_handle_at)};

/* A call that this machine does not have is no gap. */
static int add(scmp_filter_ctx filter, uint32_t action, int call, unsigned count, const struct scmp_arg_cmp *when)
{
    int failed = seccomp_rule_add_array(filter, action, call, count, when);
    return failed == -EDOM || failed == -EOPNOTSUPP ? 0 : failed;
}

static int add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
    int failed = 0;
    for (size_t i = 0; i < count && failed == 0; i++)
        failed = add(filter, action, calls[i], 0, NULL);
    return failed;
}
#define ADD_ALL(filter, action, calls) add_all(filter, action, calls, sizeof(calls) / sizeof *(calls))

static int add_when(scmp_filter_ctx filter, int call, struct scmp_arg_cmp when)
{
    return add(filter, SCMP_ACT_ALLOW, call, 1, &when);
}

/* Those that depend on what they are asked for. */
static int add_conditions(scmp_filter_ctx filter)
{
    static const unsigned names[] = {PR_SET_NAME, PR_GET_NAME, 0x53564d41 /* PR_SET_VMA: names of mappings */};
    static const unsigned long controls[] = {FIONREAD, FIONBIO, FIOCLEX, FIONCLEX,
                                             0x5401 /* TCGETS: is it a terminal? */};
    const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC;
    int failed = add_when(filter, SCMP_SYS(open), SCMP_A1(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));
    if (failed == 0)
        failed = add_when(filter, SCMP_SYS(openat), SCMP_A2(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));
    if (failed == 0)
        failed = add_when(filter, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    if (failed == 0) /* its arguments are in memory, where a filter cannot look; without it the C library uses clone */
        failed = add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
    if (failed == 0)
        failed = add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0, NULL);
    if (failed == 0)
        failed = add_when(filter, SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0));
    if (failed == 0) /* abort() */
        failed = add_when(filter, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    for (size_t i = 0; i < sizeof names / sizeof *names && failed == 0; i++)
        failed = add_when(filter, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, names[i]));
    for (size_t i = 0; i < sizeof controls / sizeof *controls && failed == 0; i++)
        failed = add_when(filter, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, controls[i]));
    return failed;
}

static int add_network(scmp_filter_ctx filter)
{
    static const unsigned families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    int failed = ADD_ALL(filter, SCMP_ACT_ALLOW, network);
    for (size_t i = 0; i < sizeof families / sizeof *families && failed == 0; i++)
        failed = add_when(filter, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, families[i]));
    return failed;
}

static int fill(scmp_filter_ctx filter, const wire_hello *hello)
{
    int failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
    if (failed == 0)
        failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (failed == 0)
        failed = ADD_ALL(filter, SCMP_ACT_ALLOW, always);
    if (failed == 0)
        failed = ADD_ALL(filter, SCMP_ACT_KILL_PROCESS, never);
    if (failed == 0)
        failed = add_conditions(filter);
    if (failed == 0 && hello->seccomp == WIRE_SECCOMP_NETWORK)
        failed = add_network(filter);
    if (failed == 0 && hello->processes > 0)
        failed = ADD_ALL(filter, SCMP_ACT_ALLOW, processes);
    return failed;
}

pawl_status pawl_guest_filter(const wire_hello *hello, pawl_error *error)
{
    if (hello->seccomp == WIRE_SECCOMP_OFF)
        return PAWL_OK;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int failed = filter == NULL ? -ENOMEM : fill(filter, hello);
    if (failed == 0)
        failed = seccomp_load(filter);
    if (filter != NULL)
        seccomp_release(filter);
    if (failed != 0)
        return pawl_error_set(error, PAWL_E_UNSUPPORTED, "isolation.limit",
                              "its system calls cannot be limited: %s; with seccomp: off it runs without that",
                              strerror(-failed));
    return PAWL_OK;
}
