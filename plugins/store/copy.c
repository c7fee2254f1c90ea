/* copy.c: see copy.h. */
#include "copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES (256u << 10)

static pawl_status io_fault(pawl_fault *fault, const char *what, const char *path)
{
    int error = errno;
    pawl_status status = error == ENOSPC || error == EDQUOT ? PAWL_E_FULL : PAWL_E_IO;
    return pawl_fault_set(fault, status, status == PAWL_E_FULL ? "store.full" : "store.io", "%s %.400s: %s", what, path,
                          strerror(error));
}

/* ---- the files of a directory ---- */

typedef pawl_status (*visit_file)(int directory, const char *name, void *context, pawl_fault *fault);

static pawl_status each_file(const char *path, visit_file visit, void *context, pawl_fault *fault)
{
    DIR *list = opendir(path);
    if (list == NULL)
        return io_fault(fault, "cannot open", path);
    pawl_status status = PAWL_OK;
    errno = 0;
    for (struct dirent *entry; status == PAWL_OK && (entry = readdir(list)) != NULL; errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = visit(dirfd(list), entry->d_name, context, fault);
    if (status == PAWL_OK && errno != 0)
        status = io_fault(fault, "cannot read", path);
    closedir(list);
    return status;
}

/* ---- removing ---- */

static void clear(int parent, const char *name);

static void clear_entries(int directory)
{
    int again = dup(directory);
    DIR *list = again < 0 ? NULL : fdopendir(again);
    if (list == NULL) {
        if (again >= 0)
            close(again);
        return;
    }
    rewinddir(list);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            clear(dirfd(list), entry->d_name);
    closedir(list);
}

static void clear(int parent, const char *name)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return;
    int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory >= 0) {
        clear_entries(directory);
        close(directory);
    }
    unlinkat(parent, name, AT_REMOVEDIR);
}

void pawl_store_copy_remove(const char *directory)
{
    clear(AT_FDCWD, directory);
}

/* ---- flushing ---- */

static pawl_status flush_at(int directory, const char *name, void *context, pawl_fault *fault)
{
    (void)context;
    int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0)
        return io_fault(fault, "cannot open", name);
    pawl_status status = fsync(file) == 0 || errno == EINVAL ? PAWL_OK : io_fault(fault, "cannot flush", name);
    close(file);
    return status;
}

pawl_status pawl_store_copy_flush(const char *directory, pawl_fault *fault)
{
    pawl_status status = each_file(directory, flush_at, NULL, fault);
    return status == PAWL_OK ? flush_at(AT_FDCWD, directory, NULL, fault) : status;
}

static pawl_status flush_parent(const char *path, pawl_fault *fault)
{
    char *parent = strdup(path);
    if (parent == NULL)
        return pawl_fault_nomem(fault);
    char *slash = strrchr(parent, '/');
    if (slash == parent)
        slash++;
    if (slash != NULL)
        *slash = '\0';
    pawl_status status = flush_at(AT_FDCWD, slash == NULL ? "." : parent, NULL, fault);
    free(parent);
    return status;
}

/* ---- copying ---- */

/* What says who has a store open, or what it logged, is not part of it. */
static bool belongs_to_holder(const char *name)
{
    static const char *const names[] = {"LOCK", "pawl.holder", "pawl.room"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "LOG", 3) == 0;
}

static pawl_status copy_bytes(int from, int to, const char *name, pawl_fault *fault)
{
    pawl_status status = PAWL_OK;
    char *block = malloc(BLOCK_BYTES);
    if (block == NULL)
        return pawl_fault_nomem(fault);
    for (;;) {
        ssize_t got = read(from, block, BLOCK_BYTES);
        if (got < 0)
            status = io_fault(fault, "cannot read", name);
        for (ssize_t at = 0; at < got && status == PAWL_OK;) {
            ssize_t wrote = write(to, block + at, (size_t)(got - at));
            if (wrote < 0)
                status = io_fault(fault, "cannot write", name);
            else
                at += wrote;
        }
        if (got <= 0 || status != PAWL_OK)
            break;
    }
    free(block);
    if (status == PAWL_OK && fsync(to) != 0)
        status = io_fault(fault, "cannot flush", name);
    return status;
}

static pawl_status copy_at(int directory, const char *name, void *context, pawl_fault *fault)
{
    struct stat facts;
    const int *to_directory = context;
    if (belongs_to_holder(name))
        return PAWL_OK;
    int from = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (from < 0 || fstat(from, &facts) != 0) {
        pawl_status status = io_fault(fault, "cannot open", name);
        if (from >= 0)
            close(from);
        return status;
    }
    if (!S_ISREG(facts.st_mode)) {
        close(from);
        return pawl_fault_set(fault, PAWL_E_INVALID, "store.backup", "%.200s is no file: this is no copy of a store",
                              name);
    }
    int to = openat(*to_directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    pawl_status status = to < 0 ? io_fault(fault, "cannot create", name) : copy_bytes(from, to, name, fault);
    close(from);
    if (to >= 0)
        close(to);
    return status;
}

pawl_status pawl_store_copy_files(const char *from, const char *to, pawl_fault *fault)
{
    int directory = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return io_fault(fault, "cannot open", to);
    pawl_status status = each_file(from, copy_at, &directory, fault);
    close(directory);
    return status;
}

/* ---- a directory in the making ---- */

static pawl_status found_one(int directory, const char *name, void *context, pawl_fault *fault)
{
    (void)directory;
    (void)name;
    (void)fault;
    *(bool *)context = true;
    return PAWL_OK;
}

static pawl_status check_free(const char *path, pawl_fault *fault)
{
    struct stat facts;
    bool any = false;
    if (lstat(path, &facts) != 0)
        return errno == ENOENT ? PAWL_OK : io_fault(fault, "cannot look at", path);
    pawl_status status = S_ISDIR(facts.st_mode) ? each_file(path, found_one, &any, fault) : PAWL_OK;
    if (status == PAWL_OK && (any || !S_ISDIR(facts.st_mode)))
        return pawl_fault_set(
            fault, PAWL_E_CONFLICT, "store.exists",
            "%.400s is there and not empty; nothing is overwritten: name another place, or move it away", path);
    return status;
}

static pawl_status take_partial(pawl_copy *copy, pawl_fault *fault)
{
    if (mkdir(copy->partial, 0700) != 0 && errno != EEXIST)
        return io_fault(fault, "cannot make", copy->partial);
    copy->lock = open(copy->partial, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (copy->lock < 0)
        return io_fault(fault, "cannot open", copy->partial);
    if (flock(copy->lock, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? pawl_fault_set(fault, PAWL_E_BUSY, "store.copying",
                                                     "%.400s is being filled by somebody else now", copy->partial)
                                    : io_fault(fault, "cannot lock", copy->partial);
    clear_entries(copy->lock); /* of an attempt that was interrupted */
    return PAWL_OK;
}

pawl_status pawl_store_copy_begin(pawl_copy *copy, const char *path, pawl_fault *fault)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    pawl_copy made = {.path = strndup(path, size), .partial = malloc(size + sizeof ".partial"), .lock = -1};
    pawl_status status = PAWL_OK;
    if (made.path == NULL || made.partial == NULL)
        status = pawl_fault_nomem(fault);
    if (status == PAWL_OK) {
        snprintf(made.partial, size + sizeof ".partial", "%s.partial", made.path);
        status = check_free(made.path, fault);
    }
    if (status == PAWL_OK)
        status = take_partial(&made, fault);
    if (status == PAWL_OK) {
        *copy = made;
        return PAWL_OK;
    }
    if (made.lock >= 0)
        close(made.lock);
    free(made.path);
    free(made.partial);
    return status;
}

pawl_status pawl_store_copy_place(pawl_copy *copy, pawl_fault *fault)
{
    pawl_status status = pawl_store_copy_flush(copy->partial, fault);
    if (status == PAWL_OK && rename(copy->partial, copy->path) != 0) /* an empty directory there gives way */
        status = errno == ENOTEMPTY || errno == EEXIST ? check_free(copy->path, fault)
                                                       : io_fault(fault, "cannot put in place", copy->path);
    if (status != PAWL_OK)
        return status;
    free(copy->partial);
    copy->partial = NULL;
    return flush_parent(copy->path, fault);
}

void pawl_store_copy_finish(pawl_copy *copy)
{
    if (copy->path == NULL)
        return;
    if (copy->partial != NULL)
        pawl_store_copy_remove(copy->partial);
    close(copy->lock);
    free(copy->partial);
    free(copy->path);
    *copy = (pawl_copy){0};
}
