/* full_disk.c: why it exists: a disk that fills up, fails to flush, and gets well again, without a mount or a
 * privilege. Preloaded into a real program, this library lets the regular files of one directory have so many bytes
 * together and no more: a write that does not fit is cut short, then refused with ENOSPC, as a file system does it.
 *
 *   $FULL_DISK_STORE    the directory, as the program spells it
 *   $FULL_DISK_CONTROL  a file that is read anew at each call: "budget BYTES" and "eio" (flushes fail), in any order;
 *                       not there: no trouble
 *
 * It must never give back an error that a real disk would not give at that call. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PUBLIC    __attribute__((visibility("default")))
#define UNLIMITED UINT64_MAX

static struct shim {
    pthread_mutex_t lock; /* one writer at a time: what is used and what is added must not come apart */
    char store[512];
    char control[512];
} shim = {.lock = PTHREAD_MUTEX_INITIALIZER};

__attribute__((constructor)) static void begin(void)
{
    const char *store = getenv("FULL_DISK_STORE");
    const char *control = getenv("FULL_DISK_CONTROL");
    if (store != NULL && control != NULL) {
        snprintf(shim.store, sizeof shim.store, "%s", store);
        snprintf(shim.control, sizeof shim.control, "%s", control);
    }
}

static void read_control(uint64_t *budget, bool *eio)
{
    char text[128] = "";
    *budget = UNLIMITED;
    *eio = false;
    if (shim.control[0] == '\0')
        return;
    int file = (int)syscall(SYS_openat, AT_FDCWD, shim.control, O_RDONLY | O_CLOEXEC, 0);
    if (file < 0)
        return;
    long got = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    text[got > 0 ? got : 0] = '\0';
    const char *found = strstr(text, "budget ");
    if (found != NULL)
        *budget = strtoull(found + 7, NULL, 10);
    *eio = strstr(text, "eio") != NULL;
}

static uint64_t used(void)
{
    uint64_t sum = 0;
    char path[800];
    struct stat facts;
    DIR *directory = opendir(shim.store);
    for (const struct dirent *found = directory == NULL ? NULL : readdir(directory); found != NULL;
         found = readdir(directory)) {
        snprintf(path, sizeof path, "%s/%s", shim.store, found->d_name);
        if (lstat(path, &facts) == 0 && S_ISREG(facts.st_mode))
            sum += (uint64_t)facts.st_size;
    }
    if (directory != NULL)
        closedir(directory);
    return sum;
}

/* Is it a file of the directory? */
static bool is_ours(int file)
{
    char link[64];
    char path[600];
    struct stat facts;
    if (shim.store[0] == '\0' || fstat(file, &facts) != 0 || !(S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode)))
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    size_t own = strlen(shim.store);
    return strncmp(path, shim.store, own) == 0 && (path[own] == '/' || path[own] == '\0');
}

/* How many bytes a file may grow by. */
static uint64_t room(void)
{
    uint64_t budget;
    bool eio;
    read_control(&budget, &eio);
    if (budget == UNLIMITED)
        return UNLIMITED;
    uint64_t now = used();
    return now < budget ? budget - now : 0;
}

/* So much of a write from `at` fits. */
static size_t fitting(int file, off_t at, size_t size)
{
    struct stat facts;
    uint64_t left = room();
    if (left == UNLIMITED || fstat(file, &facts) != 0)
        return size;
    uint64_t inside = at < facts.st_size ? (uint64_t)(facts.st_size - at) : 0;
    return size <= inside + left ? size : (size_t)(inside + left);
}

static ssize_t write_some(int file, const void *data, size_t size, off_t at, bool positioned)
{
    pthread_mutex_lock(&shim.lock);
    size_t part = fitting(file, at, size);
    ssize_t done = -1;
    errno = ENOSPC;
    if (part > 0 || size == 0)
        done = positioned ? syscall(SYS_pwrite64, file, data, part, at) : syscall(SYS_write, file, data, part);
    int error = errno;
    pthread_mutex_unlock(&shim.lock);
    errno = error;
    return done;
}

static off_t place_of(int file)
{
    struct stat facts;
    bool appends = (fcntl(file, F_GETFL) & O_APPEND) != 0;
    return appends && fstat(file, &facts) == 0 ? facts.st_size : lseek(file, 0, SEEK_CUR);
}

PUBLIC ssize_t write(int file, const void *data, size_t size)
{
    if (!is_ours(file))
        return syscall(SYS_write, file, data, size);
    return write_some(file, data, size, place_of(file), false);
}

PUBLIC ssize_t pwrite(int file, const void *data, size_t size, off_t at)
{
    if (!is_ours(file))
        return syscall(SYS_pwrite64, file, data, size, at);
    return write_some(file, data, size, at, true);
}

PUBLIC ssize_t pwrite64(int file, const void *data, size_t size, off64_t at)
{
    return pwrite(file, data, size, at);
}

PUBLIC ssize_t writev(int file, const struct iovec *parts, int count)
{
    if (!is_ours(file) || count < 1)
        return syscall(SYS_writev, file, parts, count);
    return write(file, parts[0].iov_base, parts[0].iov_len); /* a short write is one, too */
}

PUBLIC int fallocate(int file, int mode, off_t at, off_t size)
{
    if (is_ours(file) && mode == 0 && fitting(file, at, (size_t)size) < (size_t)size) {
        errno = ENOSPC;
        return -1;
    }
    return (int)syscall(SYS_fallocate, file, mode, at, size);
}

PUBLIC int fallocate64(int file, int mode, off64_t at, off64_t size)
{
    return fallocate(file, mode, at, size);
}

static int flush(int file, long number)
{
    uint64_t budget;
    bool eio;
    read_control(&budget, &eio);
    if (eio && is_ours(file)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(number, file);
}

PUBLIC int fsync(int file)
{
    return flush(file, SYS_fsync);
}

PUBLIC int fdatasync(int file)
{
    return flush(file, SYS_fdatasync);
}

/* RocksDB waits for free space by asking for it. */
PUBLIC int statvfs(const char *path, struct statvfs *facts)
{
    struct statfs real;
    if (syscall(SYS_statfs, path, &real) != 0)
        return -1;
    memset(facts, 0, sizeof *facts);
    facts->f_bsize = facts->f_frsize = (unsigned long)real.f_bsize;
    facts->f_blocks = (fsblkcnt_t)real.f_blocks;
    facts->f_bfree = (fsblkcnt_t)real.f_bfree;
    facts->f_bavail = (fsblkcnt_t)real.f_bavail;
    facts->f_files = (fsfilcnt_t)real.f_files;
    facts->f_ffree = facts->f_favail = (fsfilcnt_t)real.f_ffree;
    facts->f_namemax = (unsigned long)real.f_namelen;
    size_t own = strlen(shim.store);
    if (own > 0 && strncmp(path, shim.store, own) == 0) {
        uint64_t left = room();
        if (left != UNLIMITED && left / facts->f_frsize < facts->f_bavail)
            facts->f_bavail = facts->f_bfree = left / facts->f_frsize;
    }
    return 0;
}

PUBLIC int statvfs64(const char *path, struct statvfs64 *facts)
{
    return statvfs(path, (struct statvfs *)(void *)facts);
}
