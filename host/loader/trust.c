/* trust.c: who could have written this file? Walks the path component by component on open directories, so that what
 * was checked is what is used. It must never look at a path twice, or follow the last component. */
#include "trust.h"
#include "refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 };

/* A walk from the root directory towards a file. rest is what is still to go. */
typedef struct {
    const char *path; /* as asked for, for messages */
    bool dev;
    int directory; /* open, checked */
    int links;
    char rest[2 * PATH_MAX];
    pawl_error *error;
} walk;

static bool owner_is_trusted(const struct stat *st)
{
    return st->st_uid == 0 || st->st_uid == geteuid();
}

/* Writable by someone who is neither root nor this user. In development the user's own group may write. */
static bool others_may_write(const struct stat *st, bool dev)
{
    bool group = (st->st_mode & S_IWGRP) != 0 && st->st_gid != 0 && !(dev && st->st_gid == getegid());
    return group || (st->st_mode & S_IWOTH) != 0;
}

/* The real path of an open directory, for messages. */
static void name_of(int fd, char *name, size_t room)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, name, room - 1);
    if (size < 0)
        snprintf(name, room, "(a directory of the path)");
    else
        name[size] = '\0';
}

/* A directory that others may write is good enough only when it is sticky: then they cannot replace what is in it, and
 * the next component is checked for its owner anyway. */
static pawl_status check_directory(const walk *w, int fd, const struct stat *st)
{
    char name[PATH_MAX];
    if (!owner_is_trusted(st)) {
        name_of(fd, name, sizeof name);
        return pawl_loader_refuse(
            w->error, "loader.parent_owner", w->path,
            "directory %s belongs to user %u; wanted root or user %u, who runs this host: move the "
            "plugin or chown the directory",
            name, (unsigned)st->st_uid, (unsigned)geteuid());
    }
    if (others_may_write(st, w->dev) && (st->st_mode & S_ISVTX) == 0) {
        name_of(fd, name, sizeof name);
        return pawl_loader_refuse(w->error, "loader.parent_writable", w->path,
                                  "directory %s has mode %04o, so others can replace what is in it; wanted no write "
                                  "permission for group and others: chmod go-w %s",
                                  name, (unsigned)(st->st_mode & 07777), name);
    }
    return PAWL_OK;
}

static pawl_status io_refusal(const walk *w, int number)
{
    const char *code = number == ENOENT || number == ENOTDIR ? "loader.not_found" : "loader.unreadable";
    return pawl_loader_refuse(w->error, code, w->path, "cannot be opened: %s; check the path and its permissions",
                              strerror(number));
}

static void step_to(walk *w, int fd)
{
    close(w->directory);
    w->directory = fd;
}

/* Put the target of a link in front of what is still to go. */
static pawl_status follow(walk *w, int fd, const struct stat *st)
{
    char target[PATH_MAX];
    char after[sizeof w->rest];
    ssize_t size = readlinkat(fd, "", target, sizeof target - 1);
    int number = errno;
    close(fd);
    if (size < 0)
        return io_refusal(w, number);
    target[size] = '\0';
    if (!owner_is_trusted(st))
        return pawl_loader_refuse(w->error, "loader.parent_owner", w->path,
                                  "a symbolic link on the way (to %s) belongs to user %u; wanted root or user %u",
                                  target, (unsigned)st->st_uid, (unsigned)geteuid());
    if (++w->links > LINKS_MAX)
        return pawl_loader_refuse(w->error, "loader.symlink", w->path,
                                  "more than %d symbolic links on the way; wanted "
                                  "a path without a loop",
                                  LINKS_MAX);
    memcpy(after, w->rest, sizeof after);
    int written = snprintf(w->rest, sizeof w->rest, "%s/%s", target, after);
    if (written < 0 || (size_t)written >= sizeof w->rest)
        return io_refusal(w, ENAMETOOLONG);
    if (target[0] != '/')
        return PAWL_OK;
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return io_refusal(w, errno);
    step_to(w, root);
    return PAWL_OK;
}

/* One component that is not the last. */
static pawl_status enter(walk *w, const char *component)
{
    struct stat st;
    int fd = openat(w->directory, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return io_refusal(w, errno);
    if (fstat(fd, &st) != 0) {
        int number = errno;
        close(fd);
        return io_refusal(w, number);
    }
    if (S_ISLNK(st.st_mode))
        return follow(w, fd, &st);
    if (!S_ISDIR(st.st_mode)) {
        close(fd);
        return io_refusal(w, ENOTDIR);
    }
    pawl_status status = check_directory(w, fd, &st);
    if (status != PAWL_OK) {
        close(fd);
        return status;
    }
    step_to(w, fd);
    return PAWL_OK;
}

/* Cut the next component off rest; true when more follow. */
static bool next_component(walk *w, char component[NAME_MAX + 1])
{
    char *start = w->rest + strspn(w->rest, "/");
    size_t size = strcspn(start, "/");
    char *after = start + size + strspn(start + size, "/");
    snprintf(component, NAME_MAX + 1, "%.*s", (int)(size > NAME_MAX ? NAME_MAX : size), start);
    bool more = *after != '\0';
    memmove(w->rest, after, strlen(after) + 1);
    return more;
}

/* Walk to the directory of the file; component is left as the file's name. */
static pawl_status walk_to_parent(walk *w, char component[NAME_MAX + 1])
{
    struct stat st;
    w->directory = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (w->directory < 0 || fstat(w->directory, &st) != 0)
        return io_refusal(w, errno);
    pawl_status status = check_directory(w, w->directory, &st);
    while (status == PAWL_OK && next_component(w, component))
        status = enter(w, component);
    return status;
}

static pawl_status check_file(const walk *w, const struct stat *st, uint64_t bytes_max)
{
    if (!S_ISREG(st->st_mode))
        return pawl_loader_refuse(w->error, "loader.not_regular", w->path,
                                  "is not a regular file; wanted a shared object");
    if (!owner_is_trusted(st))
        return pawl_loader_refuse(w->error, "loader.owner", w->path,
                                  "belongs to user %u; wanted root or user %u, who runs this host: chown it",
                                  (unsigned)st->st_uid, (unsigned)geteuid());
    if (others_may_write(st, w->dev))
        return pawl_loader_refuse(w->error, "loader.writable", w->path,
                                  "has mode %04o, so others can change it; wanted no write permission for group and "
                                  "others: chmod go-w %s",
                                  (unsigned)(st->st_mode & 07777), w->path);
    if ((uint64_t)st->st_size > bytes_max)
        return pawl_loader_refuse(w->error, "loader.too_large", w->path,
                                  "has %llu bytes; at most %llu are allowed "
                                  "(limits.plugin_file in the profile)",
                                  (unsigned long long)st->st_size, (unsigned long long)bytes_max);
    return PAWL_OK;
}

static pawl_status open_file(const walk *w, const char *name, uint64_t bytes_max, int *ret_fd)
{
    struct stat st;
    /* non-blocking, so that a pipe in its place cannot hold up the host */
    int fd = openat(w->directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ELOOP)
        return pawl_loader_refuse(w->error, "loader.symlink", w->path,
                                  "is a symbolic link; wanted the file itself: name the link's target");
    if (fd < 0 && (errno == ENXIO || errno == ENODEV))
        return pawl_loader_refuse(w->error, "loader.not_regular", w->path,
                                  "is not a regular file; wanted a shared object");
    if (fd < 0)
        return io_refusal(w, errno);
    pawl_status status = fstat(fd, &st) == 0 ? check_file(w, &st, bytes_max) : io_refusal(w, errno);
    if (status != PAWL_OK)
        close(fd);
    else
        *ret_fd = fd;
    return status;
}

/* The whole way as an absolute path: what is above the working directory counts as well. */
static pawl_status begin(walk *w)
{
    char here[PATH_MAX] = "";
    if (w->path[0] != '/' && getcwd(here, sizeof here) == NULL)
        return io_refusal(w, errno);
    int written = snprintf(w->rest, sizeof w->rest, "%s/%s", here, w->path);
    return written < 0 || (size_t)written >= PATH_MAX ? io_refusal(w, ENAMETOOLONG) : PAWL_OK;
}

pawl_status pawl_trust_open(const char *path, bool dev, uint64_t bytes_max, int *ret_fd, pawl_error *error)
{
    char name[NAME_MAX + 1] = "";
    walk w = {.path = path, .dev = dev, .directory = -1, .error = error};
    pawl_status status = begin(&w);
    if (status == PAWL_OK)
        status = walk_to_parent(&w, name);
    if (status == PAWL_OK)
        status = open_file(&w, name, bytes_max, ret_fd);
    if (w.directory >= 0)
        close(w.directory);
    return status;
}
