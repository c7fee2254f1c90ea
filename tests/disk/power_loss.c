/* power_loss.c: why it exists: a kill leaves everything that was written in the kernel's hands; a power failure leaves
 * only what was flushed. This library, preloaded into a real program, stands in front of the calls that change one
 * directory and keeps a second image of it: what the device would have. Killing the program with SIGKILL at any moment
 * is then a power failure, and power_image.c puts the directory back to what that image says.
 *
 *   $POWER_LOSS_STORE    the directory, as the program spells it
 *   $POWER_LOSS_SHADOW   made by power_image_prepare; on the same file system:
 *       live/INODE       a link to each file, so that what was unlinked is still there and no inode is used twice
 *       kept/INODE       its content as it was last flushed
 *       names            the changes of names, in order; a line S where the directory was flushed
 *
 * A file's content is durable after fsync or fdatasync of it, to the length it had then; a name after fsync of the
 * directory, and not before, which is stricter than most file systems are. sync_file_range makes nothing durable. The
 * flushes themselves are not passed on to the device: the image is what they are for.
 *
 * It must never let a change pass unseen: what it cannot follow ends the program. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES_MAX     4096
#define PUBLIC        __attribute__((visibility("default")))
#define DIRECTORY_INO 1u /* no file has it */

/* What has changed since the last flush: one span is enough, for files grow at their end. */
typedef struct tracked {
    ino_t inode;
    off_t from, to;
    int kept;
} tracked;

static struct shim {
    pthread_mutex_t lock; /* guards all of it, and holds changes and flushes apart */
    char store[512];
    char shadow[512];
    int names;
    size_t file_count;
    tracked files[FILES_MAX];
    tracked directory;
    tracked *of[FILES_MAX]; /* by descriptor */
} shim = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Noreturn void give_up(const char *what, const char *about)
{
    fprintf(stderr, "power_loss: %s: %s\n", about, what);
    _exit(99);
}

__attribute__((constructor)) static void begin(void)
{
    const char *store = getenv("POWER_LOSS_STORE");
    const char *shadow = getenv("POWER_LOSS_SHADOW");
    char path[600];
    if (store == NULL || shadow == NULL)
        return;
    snprintf(shim.store, sizeof shim.store, "%s", store);
    snprintf(shim.shadow, sizeof shim.shadow, "%s", shadow);
    snprintf(path, sizeof path, "%s/names", shadow);
    shim.directory.inode = DIRECTORY_INO;
    shim.names = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
    if (shim.names < 0)
        give_up("no shadow was prepared", path);
}

/* The name of a file in the directory, or NULL when the path is not in it. */
static const char *name_of(const char *path)
{
    size_t size = strlen(shim.store);
    if (size == 0 || path == NULL || strncmp(path, shim.store, size) != 0 || path[size] != '/')
        return NULL;
    const char *name = path + size + strspn(path + size, "/");
    if (strchr(name, '/') != NULL && strncmp(name, "..", 2) != 0)
        give_up("a directory in the directory", path);
    return name[0] == '\0' || name[0] == '.' ? NULL : name;
}

static void note(const char *format, ...)
{
    char line[700];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (syscall(SYS_write, shim.names, line, (size_t)size) != size)
        give_up("cannot be written", "names");
}

static tracked *find(ino_t inode, const char *path)
{
    char link[600];
    for (size_t i = 0; i < shim.file_count; i++)
        if (shim.files[i].inode == inode)
            return &shim.files[i];
    if (shim.file_count == FILES_MAX)
        give_up("too many files", path);
    snprintf(link, sizeof link, "%s/live/%llu", shim.shadow, (unsigned long long)inode);
    if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, link, 0) != 0 && errno != EEXIST)
        give_up("cannot be linked", path);
    tracked *made = &shim.files[shim.file_count++];
    *made = (tracked){.inode = inode, .kept = -1};
    return made;
}

static off_t size_of(int file)
{
    struct stat facts;
    return fstat(file, &facts) == 0 ? facts.st_size : 0;
}

static void changed(tracked *of, off_t from, off_t to)
{
    if (from >= to)
        return;
    of->from = of->to == 0 || from < of->from ? from : of->from;
    of->to = to > of->to ? to : of->to;
}

/* The C library closes a descriptor of its own without coming by here: what a number stands for is looked up. */
static tracked *tracked_of(int file)
{
    struct stat facts;
    tracked *of = file >= 0 && file < FILES_MAX ? shim.of[file] : NULL;
    if (of == NULL || fstat(file, &facts) != 0)
        return NULL;
    return facts.st_ino == of->inode || (of == &shim.directory && S_ISDIR(facts.st_mode)) ? of : NULL;
}

/* ---- opening ---- */

static int open_file(int at, const char *path, int flags, mode_t mode)
{
    struct stat facts;
    const char *name = name_of(path);
    pthread_mutex_lock(&shim.lock);
    bool is_new = name != NULL && (flags & O_CREAT) != 0 && stat(path, &facts) != 0;
    off_t before = name != NULL && !is_new && stat(path, &facts) == 0 ? facts.st_size : 0;
    int file = (int)syscall(SYS_openat, at, path, flags, mode);
    int error = errno;
    if (file >= FILES_MAX)
        give_up("too many descriptors", path);
    if (file >= 0 && name != NULL && fstat(file, &facts) == 0) {
        tracked *of = shim.of[file] = find(facts.st_ino, path);
        if (is_new)
            note("N %llu %s\n", (unsigned long long)facts.st_ino, name);
        if ((flags & O_TRUNC) != 0)
            changed(of, 0, before);
    } else if (file >= 0) {
        shim.of[file] = shim.store[0] != '\0' && strcmp(path, shim.store) == 0 ? &shim.directory : NULL;
    }
    pthread_mutex_unlock(&shim.lock);
    errno = error;
    return file;
}

#define OPEN(at)                                                                                                       \
    va_list args;                                                                                                      \
    va_start(args, flags);                                                                                             \
    mode_t mode = (flags & O_CREAT) != 0 ? (mode_t)va_arg(args, int) : 0;                                              \
    va_end(args);                                                                                                      \
    return open_file(at, path, flags, mode)

PUBLIC int open(const char *path, int flags, ...)
{
    OPEN(AT_FDCWD);
}

PUBLIC int open64(const char *path, int flags, ...)
{
    OPEN(AT_FDCWD);
}

PUBLIC int openat(int at, const char *path, int flags, ...)
{
    OPEN(at);
}

PUBLIC int openat64(int at, const char *path, int flags, ...)
{
    OPEN(at);
}

PUBLIC int creat(const char *path, mode_t mode)
{
    return open_file(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

PUBLIC int close(int file)
{
    pthread_mutex_lock(&shim.lock);
    if (file >= 0 && file < FILES_MAX)
        shim.of[file] = NULL;
    int result = (int)syscall(SYS_close, file);
    pthread_mutex_unlock(&shim.lock);
    return result;
}

/* ---- changing ---- */

#define CHANGE(file, start, call)                                                                                      \
    tracked *of = tracked_of(file);                                                                                    \
    if (of == NULL)                                                                                                    \
        return (ssize_t)(call);                                                                                        \
    pthread_mutex_lock(&shim.lock);                                                                                    \
    off_t at = (start);                                                                                                \
    ssize_t done = (ssize_t)(call);                                                                                    \
    changed(of, at, at + done);                                                                                        \
    pthread_mutex_unlock(&shim.lock);                                                                                  \
    return done

static off_t place_of(int file)
{
    bool appends = (fcntl(file, F_GETFL) & O_APPEND) != 0;
    return appends ? size_of(file) : lseek(file, 0, SEEK_CUR);
}

PUBLIC ssize_t write(int file, const void *data, size_t size)
{
    CHANGE(file, place_of(file), syscall(SYS_write, file, data, size));
}

PUBLIC ssize_t writev(int file, const struct iovec *parts, int count)
{
    CHANGE(file, place_of(file), syscall(SYS_writev, file, parts, count));
}

PUBLIC ssize_t pwrite(int file, const void *data, size_t size, off_t offset)
{
    CHANGE(file, offset, syscall(SYS_pwrite64, file, data, size, offset));
}

PUBLIC ssize_t pwrite64(int file, const void *data, size_t size, off64_t offset)
{
    CHANGE(file, offset, syscall(SYS_pwrite64, file, data, size, offset));
}

PUBLIC ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset)
{
    CHANGE(file, offset, syscall(SYS_pwritev, file, parts, count, offset, 0));
}

PUBLIC ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t offset)
{
    CHANGE(file, offset, syscall(SYS_pwritev, file, parts, count, offset, 0));
}

/* A call that may change the size: what lies between the old and the new one is new. */
static int resize(int file, long result, off_t before)
{
    int error = errno;
    tracked *of = tracked_of(file);
    off_t after = size_of(file);
    if (of != NULL)
        changed(of, before < after ? before : after, before < after ? after : before);
    pthread_mutex_unlock(&shim.lock);
    errno = error;
    return (int)result;
}

PUBLIC int ftruncate(int file, off_t size)
{
    pthread_mutex_lock(&shim.lock);
    off_t before = size_of(file);
    return resize(file, syscall(SYS_ftruncate, file, size), before);
}

PUBLIC int ftruncate64(int file, off64_t size)
{
    return ftruncate(file, size);
}

PUBLIC int fallocate(int file, int mode, off_t offset, off_t size)
{
    if (tracked_of(file) != NULL && (mode & ~FALLOC_FL_KEEP_SIZE) != 0 &&
        (mode & FALLOC_FL_KEEP_SIZE) == 0) /* punching a hole behind the end gives space back, nothing else */
        give_up("a kind of fallocate that is not followed", "fallocate");
    pthread_mutex_lock(&shim.lock);
    off_t before = size_of(file);
    return resize(file, syscall(SYS_fallocate, file, mode, offset, size), before);
}

PUBLIC int fallocate64(int file, int mode, off64_t offset, off64_t size)
{
    return fallocate(file, mode, offset, size);
}

PUBLIC int posix_fallocate(int file, off_t offset, off_t size)
{
    return fallocate(file, 0, offset, size) == 0 ? 0 : errno;
}

PUBLIC void *mmap(void *where, size_t size, int protection, int flags, int file, off_t offset)
{
    if (tracked_of(file) != NULL && (protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0)
        give_up("a file is mapped for writing", "mmap");
    return (void *)(uintptr_t)syscall(SYS_mmap, where, size, protection, flags, file, offset);
}

PUBLIC void *mmap64(void *where, size_t size, int protection, int flags, int file, off64_t offset)
{
    return mmap(where, size, protection, flags, file, offset);
}

PUBLIC int truncate(const char *path, off_t size)
{
    if (name_of(path) != NULL)
        give_up("truncate by name", path);
    return (int)syscall(SYS_truncate, path, size);
}

PUBLIC ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t size, unsigned flags)
{
    if (tracked_of(to) != NULL)
        give_up("a range is copied into a file", "copy_file_range");
    return syscall(SYS_copy_file_range, from, from_at, to, to_at, size, flags);
}

/* ---- flushing ---- */

static void keep(int file, tracked *of)
{
    char block[65536];
    char path[600];
    if (of->kept < 0) {
        snprintf(path, sizeof path, "%s/kept/%llu", shim.shadow, (unsigned long long)of->inode);
        of->kept = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (of->kept < 0)
            give_up(strerror(errno), path);
    }
    /* The program's descriptor may not be one to read from. */
    snprintf(path, sizeof path, "%s/live/%llu", shim.shadow, (unsigned long long)of->inode);
    int live = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    off_t size = size_of(file);
    for (off_t at = of->from; at < of->to && at < size;) {
        off_t left = (of->to < size ? of->to : size) - at;
        size_t wanted = left < (off_t)sizeof block ? (size_t)left : sizeof block;
        long got = syscall(SYS_pread64, live, block, wanted, at);
        if (got <= 0 || syscall(SYS_pwrite64, of->kept, block, (size_t)got, at) != got)
            give_up(strerror(errno), path);
        at += got;
    }
    if (syscall(SYS_ftruncate, of->kept, size) != 0)
        give_up(strerror(errno), path);
    syscall(SYS_close, live);
    of->from = of->to = 0;
}

static int flush(int file, long number)
{
    tracked *of = tracked_of(file);
    if (of == NULL)
        return (int)syscall(number, file);
    pthread_mutex_lock(&shim.lock);
    if (of == &shim.directory)
        note("S\n");
    else
        keep(file, of);
    pthread_mutex_unlock(&shim.lock);
    return 0;
}

PUBLIC int fsync(int file)
{
    return flush(file, SYS_fsync);
}

PUBLIC int fdatasync(int file)
{
    return flush(file, SYS_fdatasync);
}

PUBLIC int sync_file_range(int file, off64_t offset, off64_t size, unsigned flags)
{
    return tracked_of(file) != NULL ? 0 : (int)syscall(SYS_sync_file_range, file, offset, size, flags);
}

/* ---- names ---- */

PUBLIC int rename(const char *from, const char *to)
{
    const char *old_name = name_of(from);
    const char *new_name = name_of(to);
    if ((old_name == NULL) != (new_name == NULL))
        give_up("a file is moved in or out", from);
    pthread_mutex_lock(&shim.lock);
    int result = (int)syscall(SYS_rename, from, to);
    if (result == 0 && new_name != NULL)
        note("R %s %s\n", old_name, new_name);
    pthread_mutex_unlock(&shim.lock);
    return result;
}

PUBLIC int link(const char *from, const char *to)
{
    struct stat facts;
    const char *name = name_of(to);
    pthread_mutex_lock(&shim.lock);
    int result = (int)syscall(SYS_link, from, to);
    if (result == 0 && name != NULL && stat(to, &facts) == 0) {
        (void)find(facts.st_ino, to);
        note("N %llu %s\n", (unsigned long long)facts.st_ino, name);
    }
    pthread_mutex_unlock(&shim.lock);
    return result;
}

PUBLIC int unlink(const char *path)
{
    const char *name = name_of(path);
    pthread_mutex_lock(&shim.lock);
    int result = (int)syscall(SYS_unlink, path);
    int error = errno;
    if (result == 0 && name != NULL)
        note("U %s\n", name);
    pthread_mutex_unlock(&shim.lock);
    errno = error;
    return result;
}

PUBLIC int remove(const char *path)
{
    int result = unlink(path);
    return result != 0 && errno == EISDIR ? rmdir(path) : result;
}

PUBLIC int unlinkat(int at, const char *path, int flags)
{
    if (name_of(path) != NULL && flags == 0)
        return unlink(path);
    return (int)syscall(SYS_unlinkat, at, path, flags);
}

PUBLIC int renameat(int from_at, const char *from, int to_at, const char *to)
{
    if (name_of(from) != NULL || name_of(to) != NULL)
        return rename(from, to);
    return (int)syscall(SYS_renameat, from_at, from, to_at, to);
}
