/* beneath.c: confined opening, by openat2 where the kernel has it and by hand where not. See beneath.h. */
#include "plugins/connector/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEPTH_MAX   64 /* directories below the root, on the walk */
#define LINKS_MAX   40 /* as the kernel */
#define RETRIES_MAX 64 /* the kernel says EAGAIN when something was renamed meanwhile */

int pawl_connector_open_beneath(int root, const char *path, int flags, mode_t mode)
{
    struct open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
                           .mode = (flags & O_CREAT) != 0 ? mode : 0,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    const char *name = *path == '\0' ? "." : path;
    for (int i = 0; i < RETRIES_MAX; i++) {
        long fd = syscall(SYS_openat2, root, name, &how, sizeof how);
        if (fd >= 0)
            return (int)fd;
        /* EPERM comes from a system call filter that does not know openat2; the walk then says what really is. */
        if (errno == ENOSYS || errno == EPERM)
            return pawl_connector_walk_beneath(root, path, flags, mode);
        if (errno != EAGAIN && errno != EINTR)
            return -1;
    }
    errno = EAGAIN;
    return -1;
}

/* The descriptors from the root down to where the walk stands. */
typedef struct walk {
    int dirs[DEPTH_MAX];
    int depth; /* dirs[0] is the caller's and is never closed */
    int links;
    char rest[PATH_MAX]; /* what is still to be walked */
} walk;

static void step_up(walk *w)
{
    close(w->dirs[w->depth]);
    w->depth--;
}

static int step_down(walk *w, const char *name)
{
    if (w->depth + 1 >= DEPTH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = openat(w->dirs[w->depth], name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    w->dirs[++w->depth] = fd;
    return 0;
}

/* Take the first component off rest. False: there is none left. *last: nothing but slashes followed. */
static bool take(walk *w, char *name, bool *last, bool *slash)
{
    char *at = w->rest + strspn(w->rest, "/");
    size_t size = strcspn(at, "/");
    if (size == 0 || size > NAME_MAX) {
        errno = size == 0 ? 0 : ENAMETOOLONG;
        return false;
    }
    memcpy(name, at, size);
    name[size] = '\0';
    *slash = at[size] == '/';
    at += size;
    at += strspn(at, "/");
    *last = *at == '\0';
    memmove(w->rest, at, strlen(at) + 1);
    return true;
}

/* Put the target of a link in front of what is left. 1: done; 0: it is no link; -1: errno. */
static int splice_link(walk *w, const char *name, bool slash)
{
    char target[PATH_MAX], joined[PATH_MAX];
    ssize_t size = readlinkat(w->dirs[w->depth], name, target, sizeof target - 1);
    if (size < 0)
        return errno == EINVAL || errno == ENOENT ? 0 : -1;
    target[size] = '\0';
    if (++w->links > LINKS_MAX) {
        errno = ELOOP;
        return -1;
    }
    if (target[0] == '/' || target[0] == '\0') {
        errno = target[0] == '/' ? EXDEV : ENOENT;
        return -1;
    }
    int length = snprintf(joined, sizeof joined, "%s%s%s", target, slash ? "/" : "", w->rest);
    if (length < 0 || (size_t)length >= sizeof joined) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(w->rest, joined, (size_t)length + 1);
    return 1;
}

/* The last component. A link put in its place between the look and the opening is refused by O_NOFOLLOW. */
static int open_last(const walk *w, const char *name, bool slash, int flags, mode_t mode)
{
    int directory = slash ? O_DIRECTORY : 0;
    return openat(w->dirs[w->depth], name, flags | directory | O_NOFOLLOW | O_CLOEXEC, mode);
}

static int walk_rest(walk *w, int flags, mode_t mode)
{
    char name[NAME_MAX + 1];
    bool last = false, slash = false;
    /* O_EXCL and O_NOFOLLOW are about the name itself: then a link at the end is not followed. */
    bool follow_last = (flags & O_NOFOLLOW) == 0 && !((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0);
    for (;;) {
        if (!take(w, name, &last, &slash))
            return errno != 0 ? -1 : openat(w->dirs[w->depth], ".", flags | O_CLOEXEC, mode);
        if (strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0) {
            if (w->depth == 0) {
                errno = EXDEV;
                return -1;
            }
            step_up(w);
            continue;
        }
        int linked = last && !follow_last && !slash ? 0 : splice_link(w, name, slash);
        if (linked < 0)
            return -1;
        if (linked == 0 && last)
            return open_last(w, name, slash, flags, mode);
        if (linked == 0 && step_down(w, name) != 0)
            return -1;
    }
}

int pawl_connector_walk_beneath(int root, const char *path, int flags, mode_t mode)
{
    walk w = {.dirs = {root}};
    size_t size = strlen(path);
    if (size >= sizeof w.rest || path[0] == '/') {
        errno = path[0] == '/' ? EXDEV : ENAMETOOLONG;
        return -1;
    }
    memcpy(w.rest, path, size + 1);
    int fd = walk_rest(&w, flags, mode);
    int problem = errno;
    while (w.depth > 0)
        step_up(&w);
    errno = problem;
    return fd;
}
