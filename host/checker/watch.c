/* watch.c: see watch.h. Each function does what the C library's does; it must never do more than count. */
#include "watch.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* X(name) in the order in which they are told. */
#define WATCHED(X)                                                                                                     \
    X(time)                                                                                                            \
    X(gettimeofday)                                                                                                    \
    X(clock_gettime)                                                                                                   \
    X(clock)                                                                                                           \
    X(rand)                                                                                                            \
    X(random)                                                                                                          \
    X(drand48)                                                                                                         \
    X(lrand48)                                                                                                         \
    X(getrandom)                                                                                                       \
    X(getentropy)                                                                                                      \
    X(arc4random)                                                                                                      \
    X(getenv)                                                                                                          \
    X(getpid)                                                                                                          \
    X(open)                                                                                                            \
    X(open64)                                                                                                          \
    X(openat)                                                                                                          \
    X(fopen)                                                                                                           \
    X(fopen64)                                                                                                         \
    X(socket)                                                                                                          \
    X(pthread_create)                                                                                                  \
    X(sleep)                                                                                                           \
    X(usleep)                                                                                                          \
    X(nanosleep)                                                                                                       \
    X(fork)                                                                                                            \
    X(system)

enum {
#define X(name) WATCH_##name,
    WATCHED(X)
#undef X
        WATCH_COUNT
};

static const char *const names[] = {
#define X(name) #name,
    WATCHED(X)
#undef X
};

static _Thread_local bool watching;
static atomic_uint seen[WATCH_COUNT];

void lab_watch_begin(void)
{
    watching = true;
}

void lab_watch_end(void)
{
    watching = false;
}

const char *lab_watch_seen(char *text, size_t room)
{
    text[0] = '\0';
    for (size_t i = 0; i < WATCH_COUNT; i++)
        if (atomic_load(&seen[i]) > 0)
            snprintf(text + strlen(text), room - strlen(text), "%s%s", text[0] == '\0' ? "" : ", ", names[i]);
    return text;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WATCHES 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define WATCHES 0
#endif
#endif
#ifndef WATCHES
#define WATCHES 1
#endif

bool lab_can_watch(void)
{
    return WATCHES != 0;
}

#if WATCHES

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SEEN __attribute__((visibility("default")))

static void count(unsigned which)
{
    if (watching)
        atomic_fetch_add_explicit(&seen[which], 1, memory_order_relaxed);
}

/* The function of that name behind this program. */
static void *behind(const char *name)
{
    bool was = watching;
    watching = false; /* what the search itself calls is not the plugin's */
    void *found = dlsym(RTLD_NEXT, name);
    watching = was;
    return found;
}

/* result name(parameters) { count it; return the real one's answer }. dlsym gives data pointers; a copy makes one that
 * can be called. */
/* NOLINTBEGIN(bugprone-macro-parentheses): a type takes none */
#define PASS(result, name, parameters, arguments)                                                                      \
    SEEN result name parameters                                                                                        \
    {                                                                                                                  \
        static _Atomic(void *) known;                                                                                  \
        result(*real) parameters;                                                                                      \
        count(WATCH_##name);                                                                                           \
        void *found = atomic_load_explicit(&known, memory_order_relaxed);                                              \
        if (found == NULL) {                                                                                           \
            found = behind(#name);                                                                                     \
            atomic_store_explicit(&known, found, memory_order_relaxed);                                                \
        }                                                                                                              \
        memcpy(&real, &found, sizeof real);                                                                            \
        return real arguments;                                                                                         \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

PASS(time_t, time, (time_t * at), (at))
PASS(int, gettimeofday, (struct timeval *restrict at, void *restrict zone), (at, zone))
PASS(int, clock_gettime, (clockid_t clock_id, struct timespec *at), (clock_id, at))
PASS(clock_t, clock, (void), ())
PASS(int, rand, (void), ())
PASS(long, random, (void), ())
PASS(double, drand48, (void), ())
PASS(long, lrand48, (void), ())
PASS(ssize_t, getrandom, (void *data, size_t size, unsigned flags), (data, size, flags))
PASS(int, getentropy, (void *data, size_t size), (data, size))
PASS(uint32_t, arc4random, (void), ())
PASS(char *, getenv, (const char *name), (name))
PASS(pid_t, getpid, (void), ())
PASS(FILE *, fopen, (const char *restrict path, const char *restrict mode), (path, mode))
PASS(FILE *, fopen64, (const char *restrict path, const char *restrict mode), (path, mode))
PASS(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
PASS(int, pthread_create,
     (pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*run)(void *),
      void *restrict context),
     (thread, attributes, run, context))
PASS(unsigned, sleep, (unsigned seconds), (seconds))
PASS(int, usleep, (useconds_t microseconds), (microseconds))
PASS(int, nanosleep, (const struct timespec *span, struct timespec *left), (span, left))
PASS(pid_t, fork, (void), ())
PASS(int, system, (const char *command), (command))

/* The mode counts only when a file may be made; reading one that was not passed is what the C library itself does. */
#define PASS_OPEN(name)                                                                                                \
    SEEN int name(const char *path, int flags, ...)                                                                    \
    {                                                                                                                  \
        int (*real)(const char *, int, ...);                                                                           \
        va_list args;                                                                                                  \
        count(WATCH_##name);                                                                                           \
        va_start(args, flags);                                                                                         \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;                                 \
        va_end(args);                                                                                                  \
        void *found = behind(#name);                                                                                   \
        memcpy(&real, &found, sizeof real);                                                                            \
        return real(path, flags, mode);                                                                                \
    }
PASS_OPEN(open)
PASS_OPEN(open64)

SEEN int openat(int directory, const char *path, int flags, ...)
{
    int (*real)(int, const char *, int, ...);
    va_list args;
    count(WATCH_openat);
    va_start(args, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    void *found = behind("openat");
    memcpy(&real, &found, sizeof real);
    return real(directory, path, flags, mode);
}

#endif
