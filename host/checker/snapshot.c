/* snapshot.c: see snapshot.h. Reads /proc and asks the C library; it must never change what it looks at. */
#include "snapshot.h"

#include "lab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SIGNALS = 64, LIMITS = RLIM_NLIMITS, TARGET_MAX = 128, TIMERS = 3 };

typedef struct {
    int fd;
    bool close_on_exec;
    char target[TARGET_MAX];
} descriptor;

struct snapshot {
    struct sigaction actions[SIGNALS + 1];
    sigset_t mask;
    char *locale;
    char *environment;
    char directory[4096];
    char umask[32];
    struct rlimit limits[LIMITS];
    int rounding, exceptions;
    bool timers[TIMERS];
    descriptor descriptors[SNAPSHOT_FDS_MAX];
    size_t descriptor_count;
};

/* ---- taking ---- */

static char *copy_environment(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    for (char **entry = environ; out != NULL && entry != NULL && *entry != NULL; entry++)
        fprintf(out, "%s\n", *entry);
    if (out != NULL)
        fclose(out);
    return text;
}

/* Asking with umask() would change it for a moment. */
static void read_umask(char text[32])
{
    char line[256];
    FILE *file = fopen("/proc/self/status", "re");
    text[0] = '\0';
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Umask: %31s", text) == 1)
            break;
    if (file != NULL)
        fclose(file);
}

static void read_descriptors(snapshot *s)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return;
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(directory) || s->descriptor_count == SNAPSHOT_FDS_MAX)
            continue;
        descriptor *d = &s->descriptors[s->descriptor_count++];
        ssize_t size = readlinkat(dirfd(directory), entry->d_name, d->target, sizeof d->target - 1);
        d->target[size < 0 ? 0 : size] = '\0';
        d->fd = fd;
        d->close_on_exec = (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
    }
    closedir(directory);
}

snapshot *lab_snapshot_take(void)
{
    struct itimerval timer;
    snapshot *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    for (int i = 1; i <= SIGNALS; i++)
        sigaction(i, NULL, &s->actions[i]);
    pthread_sigmask(SIG_SETMASK, NULL, &s->mask);
    s->locale = strdup(setlocale(LC_ALL, NULL));
    s->environment = copy_environment();
    if (getcwd(s->directory, sizeof s->directory) == NULL)
        s->directory[0] = '\0';
    read_umask(s->umask);
    for (int i = 0; i < LIMITS; i++)
        getrlimit((__rlimit_resource_t)i, &s->limits[i]);
    s->rounding = fegetround();
    s->exceptions = fegetexcept();
    for (int i = 0; i < TIMERS; i++)
        s->timers[i] =
            getitimer((__itimer_which_t)i, &timer) == 0 && (timer.it_value.tv_sec != 0 || timer.it_value.tv_usec != 0);
    read_descriptors(s);
    return s;
}

void lab_snapshot_free(snapshot *s)
{
    if (s == NULL)
        return;
    free(s->locale);
    free(s->environment);
    free(s);
}

/* ---- comparing ---- */

typedef struct {
    void (*tell)(void *context, const char *difference);
    void *context;
    unsigned count;
} telling;

static void say(telling *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(telling *t, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    t->count++;
    t->tell(t->context, text);
}

static void compare_signals(telling *t, const snapshot *before, const snapshot *after)
{
    for (int i = 1; i <= SIGNALS; i++) {
        const struct sigaction *a = &before->actions[i], *b = &after->actions[i];
        if (a->sa_handler != b->sa_handler || a->sa_flags != b->sa_flags)
            say(t, "the signal %d (%s) has another handler", i, strsignal(i));
        if (sigismember(&before->mask, i) != sigismember(&after->mask, i))
            say(t, "the signal %d (%s) is %s in the calling thread", i, strsignal(i),
                sigismember(&after->mask, i) == 1 ? "blocked" : "no longer blocked");
    }
    for (int i = 0; i < TIMERS; i++)
        if (before->timers[i] != after->timers[i])
            say(t, "an interval timer of the program is set (setitimer or alarm)");
}

/* The name of the first variable that differs, without its value: that may be a secret. */
static void compare_environment(telling *t, const char *before, const char *after)
{
    if (before == NULL || after == NULL || strcmp(before, after) == 0)
        return;
    while (*before != '\0' && *after != '\0') {
        size_t a = strcspn(before, "\n"), b = strcspn(after, "\n");
        if (a != b || memcmp(before, after, a) != 0)
            break;
        before += a + 1;
        after += b + 1;
    }
    const char *differs = *after != '\0' ? after : before;
    say(t, "the environment has changed, at the variable %.*s", (int)strcspn(differs, "=\n"), differs);
}

unsigned lab_snapshot_compare(const snapshot *before, const snapshot *after,
                              void (*tell)(void *context, const char *difference), void *context)
{
    telling t = {tell, context, 0};
    compare_signals(&t, before, after);
    if (before->locale != NULL && after->locale != NULL && strcmp(before->locale, after->locale) != 0)
        say(&t, "the locale was %s and is %s", before->locale, after->locale);
    compare_environment(&t, before->environment, after->environment);
    if (strcmp(before->directory, after->directory) != 0)
        say(&t, "the working directory was %.200s and is %.200s", before->directory, after->directory);
    if (strcmp(before->umask, after->umask) != 0)
        say(&t, "the umask was %s and is %s", before->umask, after->umask);
    for (int i = 0; i < LIMITS; i++)
        if (before->limits[i].rlim_cur != after->limits[i].rlim_cur ||
            before->limits[i].rlim_max != after->limits[i].rlim_max)
            say(&t, "the resource limit %d (setrlimit) was %llu and is %llu", i,
                (unsigned long long)before->limits[i].rlim_cur, (unsigned long long)after->limits[i].rlim_cur);
    if (before->rounding != after->rounding || before->exceptions != after->exceptions)
        say(&t, "the floating-point environment (rounding, or which exceptions trap) has changed");
    return t.count;
}

static const descriptor *find(const snapshot *s, const descriptor *d)
{
    for (size_t i = 0; i < s->descriptor_count; i++)
        if (s->descriptors[i].fd == d->fd && strcmp(s->descriptors[i].target, d->target) == 0)
            return &s->descriptors[i];
    return NULL;
}

unsigned lab_snapshot_descriptors(const snapshot *before, const snapshot *after, bool not_inherited,
                                  void (*tell)(void *context, const char *difference), void *context)
{
    telling t = {tell, context, 0};
    for (size_t i = 0; i < after->descriptor_count; i++) {
        const descriptor *d = &after->descriptors[i];
        if (find(before, d) == NULL && !(not_inherited && d->close_on_exec))
            say(&t, "the descriptor %d, which is %s%s", d->fd, d->target,
                not_inherited ? ", without close-on-exec" : "");
    }
    return t.count;
}

/* ---- counting ---- */

static unsigned count_entries(const char *path)
{
    unsigned count = 0;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return 0;
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory))
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

unsigned lab_count_threads(void)
{
    return count_entries("/proc/self/task");
}

unsigned lab_count_threads_until(unsigned wanted)
{
    unsigned count = lab_count_threads();
    for (unsigned i = 0; i < 100 && count > wanted; i++) {
        lab_pause_ms(10);
        count = lab_count_threads();
    }
    return count;
}

unsigned lab_count_descriptors(void)
{
    return count_entries("/proc/self/fd") - 1; /* without the one it reads with */
}

unsigned lab_count_children(void)
{
    char path[64];
    unsigned count = 0;
    siginfo_t info = {.si_pid = 0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return 0; /* ECHILD */
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    int pid = 0;
    while (file != NULL && fscanf(file, "%d", &pid) == 1)
        count++;
    if (file != NULL)
        fclose(file);
    return count == 0 ? 1 : count; /* waitid has seen one: of another thread, or the kernel has no such file */
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define COUNTED 0
#endif
#endif
#ifndef COUNTED
#define COUNTED 1
#endif

bool lab_can_count_memory(void)
{
    return COUNTED != 0;
}

size_t lab_count_memory(void)
{
    struct mallinfo2 info = mallinfo2();
    return COUNTED != 0 ? info.uordblks + info.hblkhd : 0;
}
