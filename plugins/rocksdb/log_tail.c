/* log_tail.c: see log_tail.h. The files are mapped for the time of the look: a log may have a hundred megabytes. */
#include "log_tail.h"

#include "log_record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES_MAX 4352

typedef struct tail {
    const char *path;
    bool synced;
    char *notice;
    size_t notice_size;
    unsigned long long newest; /* log */
} tail;

static pawl_status io_fault(pawl_fault *fault, const char *what, const char *name)
{
    return pawl_fault_set(fault, PAWL_E_IO, "store.io", "cannot %s %.400s: %s", what, name, strerror(errno));
}

static void say(const tail *own, const char *text)
{
    size_t used = strlen(own->notice);
    snprintf(own->notice + used, own->notice_size - used, "%s%s", used > 0 ? "; " : "", text);
}

static pawl_status cut(const tail *own, int file, const char *name, size_t size, size_t whole, pawl_fault *fault)
{
    char text[300];
    if (ftruncate(file, (off_t)whole) != 0 || fsync(file) != 0)
        return io_fault(fault, "cut off the unfinished end of", name);
    snprintf(text, sizeof text, "%zu bytes at the end of %.200s were a write that had not been finished: cut off",
             size - whole, name + strlen(own->path) + 1);
    say(own, text);
    return PAWL_OK;
}

static pawl_status judge(const tail *own, int file, const char *name, size_t size, const pawl_log_look *look,
                         bool is_log, bool is_newest, pawl_fault *fault)
{
    char text[200];
    if (look->foreign || look->complete)
        return PAWL_OK;
    if (look->flipped)
        return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                              "%.400s is damaged: a bit of its byte %zu has flipped; restore the store from a backup",
                              name, look->flipped_at);
    if (is_log && !own->synced) {
        /* RocksDB would pass over pages of zeros and take what stands behind them for what followed. */
        if (is_newest && (ftruncate(file, (off_t)look->whole) != 0 || fsync(file) != 0))
            return io_fault(fault, "cut off the end of", name);
        snprintf(text, sizeof text, "%.100s is whole up to byte %zu of %zu: without sync, what followed is lost",
                 name + strlen(own->path) + 1, look->whole, size);
        say(own, text);
        return PAWL_OK;
    }
    if (look->goes_on)
        return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                              "%.400s is damaged at byte %zu, in front of whole records (from byte %zu): restore the "
                              "store from a backup",
                              name, look->bad, look->goes_on_at);
    if (is_newest)
        return cut(own, file, name, size, look->whole, fault);
    /* An older log that ends in a part of a record had a write that the device refused; RocksDB passes over it. */
    if (look->cut_short)
        return PAWL_OK;
    return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                          "%.400s is damaged at byte %zu, and there is a later log: restore the store from a backup",
                          name, look->bad);
}

static pawl_status look_into(const tail *own, const char *file_name, bool is_log, bool is_newest, pawl_fault *fault)
{
    char name[PATH_BYTES_MAX];
    struct stat facts;
    snprintf(name, sizeof name, "%s/%s", own->path, file_name);
    int file = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return io_fault(fault, "open", name);
    pawl_status status = PAWL_OK;
    if (fstat(file, &facts) != 0) {
        status = io_fault(fault, "look at", name);
    } else if (facts.st_size > 0) {
        size_t size = (size_t)facts.st_size;
        uint8_t *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
        if (data == MAP_FAILED) {
            status = io_fault(fault, "read", name);
        } else {
            (void)madvise(data, size, MADV_SEQUENTIAL);
            pawl_log_look look = pawl_log_look_at(data, size, is_log);
            munmap(data, size);
            status = judge(own, file, name, size, &look, is_log, is_newest, fault);
        }
    }
    close(file);
    return status;
}

static bool is_log_name(const char *name, unsigned long long *number)
{
    char *end;
    *number = strtoull(name, &end, 10);
    return end != name && strcmp(end, ".log") == 0;
}

/* The manifest in use. A CURRENT that names none is RocksDB's to refuse. */
static pawl_status look_into_manifest(const tail *own, pawl_fault *fault)
{
    char name[PATH_BYTES_MAX];
    char text[64] = "";
    snprintf(name, sizeof name, "%s/CURRENT", own->path);
    int file = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return errno == ENOENT ? PAWL_OK : io_fault(fault, "open", name);
    ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    if (got < 0)
        return io_fault(fault, "read", name);
    text[strcspn(text, "\n")] = '\0';
    snprintf(name, sizeof name, "%s/%s", own->path, text);
    if (strncmp(text, "MANIFEST-", 9) != 0 || strchr(text, '/') != NULL || access(name, F_OK) != 0)
        return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                              "%.400s/CURRENT is damaged: it names no manifest that is there; restore the store from a "
                              "backup",
                              own->path);
    return look_into(own, text, false, true, fault);
}

pawl_status pawl_log_tail_mend(const char *path, bool synced, char *notice, size_t size, pawl_fault *fault)
{
    tail own = {.path = path, .synced = synced, .notice = notice, .notice_size = size};
    unsigned long long number;
    notice[0] = '\0';
    pawl_status status = look_into_manifest(&own, fault);
    DIR *directory = opendir(path);
    if (directory == NULL)
        return io_fault(fault, "read the directory", path);
    for (const struct dirent *found = readdir(directory); found != NULL; found = readdir(directory))
        if (is_log_name(found->d_name, &number) && number > own.newest)
            own.newest = number;
    rewinddir(directory);
    for (const struct dirent *found = readdir(directory); status == PAWL_OK && found != NULL;
         found = readdir(directory))
        if (is_log_name(found->d_name, &number))
            status = look_into(&own, found->d_name, true, number == own.newest, fault);
    closedir(directory);
    return status;
}
