/* directory.c: see directory.h. The lock belongs to the open file description, so that a second open is refused
 * within the same OS process too, and a crash always frees it. */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOLDER_NAME    "pawl.holder"
#define FORMAT_NAME    "pawl.format"
#define ROOM_NAME      "pawl.room"
#define ROOM_BYTES     (256u << 10)
#define PATH_BYTES_MAX 4096

static pawl_status io_fault(pawl_fault *fault, const char *what, const char *path)
{
    int error = errno;
    pawl_status status = error == ENOSPC || error == EDQUOT ? PAWL_E_FULL : PAWL_E_IO;
    return pawl_fault_set(fault, status, status == PAWL_E_FULL ? "store.full" : "store.io", "%s %.400s: %s", what, path,
                          strerror(error));
}

static pawl_status file_in(char *name, const char *path, const char *file, pawl_fault *fault)
{
    int size = snprintf(name, PATH_BYTES_MAX, "%s/%s", path, file);
    if (size < 0 || size >= PATH_BYTES_MAX)
        return pawl_fault_set(fault, PAWL_E_INVALID, "store.config", "store path has %zu bytes; at most %d are allowed",
                              strlen(path), PATH_BYTES_MAX - 16);
    return PAWL_OK;
}

/* A small text file; "" when it is not there. */
static pawl_status read_text(const char *name, char *text, size_t size, pawl_fault *fault)
{
    text[0] = '\0';
    int file = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return errno == ENOENT ? PAWL_OK : io_fault(fault, "cannot open", name);
    ssize_t got = read(file, text, size - 1);
    close(file);
    if (got < 0)
        return io_fault(fault, "cannot read", name);
    text[got] = '\0';
    return PAWL_OK;
}

static pawl_status check_format(const char *path, pawl_fault *fault)
{
    char name[PATH_BYTES_MAX];
    char text[32];
    pawl_status status = file_in(name, path, FORMAT_NAME, fault);
    if (status == PAWL_OK)
        status = read_text(name, text, sizeof text, fault);
    if (status != PAWL_OK || text[0] == '\0')
        return status;
    char *end;
    unsigned long format = strtoul(text, &end, 10);
    if (end == text || format == 0)
        return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt", "%.400s does not hold a format number", name);
    if (format > PAWL_STORE_FORMAT)
        return pawl_fault_set(fault, PAWL_E_UNSUPPORTED, "store.format_newer",
                              "store %.400s has format %lu (" FORMAT_NAME
                              "); this version knows formats up to %u: use the newer version",
                              path, format, PAWL_STORE_FORMAT);
    return PAWL_OK;
}

static pawl_status busy(const char *path, const char *name, pawl_fault *fault)
{
    char holder[256];
    if (read_text(name, holder, sizeof holder, NULL) != PAWL_OK || holder[0] == '\0')
        snprintf(holder, sizeof holder, "a process that did not leave its name");
    holder[strcspn(holder, "\n")] = '\0';
    return pawl_fault_set(fault, PAWL_E_BUSY, "store.busy",
                          "store %.400s is held by %s; one store is open in one process at a time", path, holder);
}

static pawl_status write_holder(int lock, const char *name, pawl_fault *fault)
{
    char host[128] = "";
    char text[256];
    gethostname(host, sizeof host - 1);
    int size = snprintf(text, sizeof text, "pid %ld on %s\n", (long)getpid(), host);
    if (ftruncate(lock, 0) != 0 || pwrite(lock, text, (size_t)size, 0) != size)
        return io_fault(fault, "cannot write", name);
    return PAWL_OK;
}

/* Opening needs some room, and a database that finds none halfway is worse than one that was not opened. */
static pawl_status check_room(const char *path, pawl_fault *fault)
{
    char name[PATH_BYTES_MAX];
    char block[4096] = {0};
    pawl_status status = file_in(name, path, ROOM_NAME, fault);
    if (status != PAWL_OK)
        return status;
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return io_fault(fault, "cannot create", name);
    for (size_t left = ROOM_BYTES; left > 0 && status == PAWL_OK; left -= sizeof block)
        if (write(file, block, sizeof block) != (ssize_t)sizeof block)
            status = io_fault(fault, "cannot write", name);
    close(file);
    unlink(name);
    return status;
}

/* A directory that was just made can be gone after a power failure, with all that was flushed in it, until its entry in
 * the one above is flushed, too. Done at every opening: the one that made it may have died in between. */
static pawl_status flush_parent(const char *path, pawl_fault *fault)
{
    char parent[PATH_BYTES_MAX];
    int size = snprintf(parent, sizeof parent, "%s/..", path);
    if (size < 0 || size >= PATH_BYTES_MAX)
        return PAWL_OK; /* the names of its files do not fit either: refused with those */
    int directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return errno == EACCES ? PAWL_OK : io_fault(fault, "cannot open", parent); /* then somebody else made it */
    bool flushed = fsync(directory) == 0 || errno == EINVAL;                       /* not every file system knows how */
    pawl_status status = flushed ? PAWL_OK : io_fault(fault, "cannot flush", parent);
    close(directory);
    return status;
}

pawl_status pawl_directory_take(const char *path, int *lock, pawl_fault *fault)
{
    char name[PATH_BYTES_MAX];
    pawl_status status = file_in(name, path, HOLDER_NAME, fault);
    if (status != PAWL_OK)
        return status;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return io_fault(fault, "cannot create the store directory", path);
    status = check_format(path, fault);
    if (status == PAWL_OK)
        status = flush_parent(path, fault);
    if (status != PAWL_OK)
        return status;
    int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return io_fault(fault, "cannot open", name);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(file, F_OFD_SETLK, &whole) != 0) {
        status = errno == EAGAIN || errno == EACCES ? busy(path, name, fault) : io_fault(fault, "cannot lock", name);
        close(file);
        return status;
    }
    status = write_holder(file, name, fault);
    if (status == PAWL_OK)
        status = check_room(path, fault);
    if (status != PAWL_OK) {
        close(file);
        return status;
    }
    *lock = file;
    return PAWL_OK;
}

pawl_status pawl_directory_mark(const char *path, pawl_fault *fault)
{
    char name[PATH_BYTES_MAX];
    char text[32];
    pawl_status status = file_in(name, path, FORMAT_NAME, fault);
    if (status == PAWL_OK)
        status = read_text(name, text, sizeof text, fault);
    if (status != PAWL_OK || text[0] != '\0')
        return status;
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return io_fault(fault, "cannot create", name);
    int size = snprintf(text, sizeof text, "%u\n", PAWL_STORE_FORMAT);
    bool written = write(file, text, (size_t)size) == size && fsync(file) == 0;
    status = written ? PAWL_OK : io_fault(fault, "cannot write", name);
    close(file);
    return status;
}

void pawl_directory_leave(int lock)
{
    close(lock);
}
