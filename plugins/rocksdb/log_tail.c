/* log_tail.c: see log_tail.h. The files are mapped for the time of the look: a log may have a hundred megabytes. */
#include "log_tail.h"

#include "log_record.h"
#include "manifest.h"

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

#define NAME_BYTES_MAX 64

typedef struct log_file {
    unsigned long long number;
    char name[NAME_BYTES_MAX];
    pawl_log_look look;
} log_file;

typedef struct tail {
    const char *path;
    bool synced;
    char *notice;
    size_t notice_size;
    log_file *logs; /* by number, the oldest first */
    size_t count;
    size_t room;
    bool manifest_known; /* and so is what it says: */
    uint64_t oldest;     /* logs with smaller numbers are not read any more */
    uint64_t flushed;    /* logs with smaller numbers were flushed */
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

/* log: NULL for the manifest */
static pawl_status look_into(tail *own, const char *file_name, log_file *log, pawl_fault *fault)
{
    bool is_newest = log == NULL || log == &own->logs[own->count - 1];
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
            pawl_log_look look = pawl_log_look_at(data, size, log != NULL);
            if (log != NULL)
                log->look = look;
            else
                own->manifest_known = pawl_manifest_logs(data, size, &own->oldest, &own->flushed);
            munmap(data, size);
            status = judge(own, file, name, size, &look, log != NULL, is_newest, fault);
        }
    }
    /* What recovery makes of it is flushed: it must not be ahead of a log that a second failure takes away. */
    if (status == PAWL_OK && log != NULL && !own->synced && fsync(file) != 0)
        status = io_fault(fault, "flush", name);
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
static pawl_status look_into_manifest(tail *own, pawl_fault *fault)
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
    return look_into(own, text, NULL, fault);
}

static pawl_status add_log(tail *own, const char *name, unsigned long long number, pawl_fault *fault)
{
    if (own->count == own->room) {
        size_t room = own->room * 2 + 8;
        log_file *logs = realloc(own->logs, room * sizeof *logs);
        if (logs == NULL)
            return pawl_fault_nomem(fault);
        own->logs = logs;
        own->room = room;
    }
    log_file *made = &own->logs[own->count++];
    *made = (log_file){.number = number};
    snprintf(made->name, sizeof made->name, "%s", name);
    return PAWL_OK;
}

static int by_number(const void *a, const void *b)
{
    const log_file *one = a;
    const log_file *other = b;
    return (one->number > other->number) - (one->number < other->number);
}

static pawl_status list_logs(tail *own, pawl_fault *fault)
{
    unsigned long long number;
    pawl_status status = PAWL_OK;
    DIR *directory = opendir(own->path);
    if (directory == NULL)
        return io_fault(fault, "read the directory", own->path);
    for (const struct dirent *found = readdir(directory); status == PAWL_OK && found != NULL;
         found = readdir(directory))
        if (is_log_name(found->d_name, &number) && strlen(found->d_name) < NAME_BYTES_MAX)
            status = add_log(own, found->d_name, number, fault);
    closedir(directory);
    if (own->count > 0)
        qsort(own->logs, own->count, sizeof *own->logs, by_number);
    return status;
}

/* ---- from one log to the next ---- */

/* The first log of those that are read whose writes do not follow on what stands before it; the count when all do. A
 * refused write leaves no gap: the next one has its number. A log without any record was never flushed, or there would
 * be none behind it: nothing says what followed it. */
static size_t find_gap(const tail *own, size_t *ret_before)
{
    bool begun = false;
    uint64_t next = 0;
    for (size_t i = 0; i < own->count; i++) {
        const pawl_log_look *look = &own->logs[i].look;
        if (own->logs[i].number < own->oldest)
            continue;
        if (look->foreign)
            return own->count;
        if (begun && look->has_records && look->first > next)
            return i;
        next = look->has_records ? look->next : next;
        *ret_before = i;
        begun = true;
    }
    return own->count;
}

static pawl_status forget_log(const tail *own, const log_file *log, pawl_fault *fault)
{
    char name[PATH_BYTES_MAX];
    char text[200];
    snprintf(name, sizeof name, "%s/%s", own->path, log->name);
    int file = open(name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return io_fault(fault, "open", name);
    pawl_status status = PAWL_OK;
    if (ftruncate(file, 0) != 0 || fsync(file) != 0)
        status = io_fault(fault, "empty", name);
    close(file);
    snprintf(text, sizeof text, "what stood before %.64s was not flushed: without sync, what is in it is lost",
             log->name);
    say(own, text);
    return status;
}

/* Without sync a power failure may take the end of one log and leave something of the next. RocksDB would read on. */
static pawl_status mend_gap(const tail *own, pawl_fault *fault)
{
    size_t before = 0;
    size_t gap = find_gap(own, &before);
    if (gap == own->count)
        return PAWL_OK;
    if (own->logs[before].number < own->flushed)
        return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                              "%.300s/%s is damaged: its end is missing, in front of %s, and it had been flushed; "
                              "restore the store from a backup",
                              own->path, own->logs[before].name, own->logs[gap].name);
    /* The last one first: whatever is left half done is found again as a gap. */
    pawl_status status = PAWL_OK;
    for (size_t i = own->count; i-- > gap && status == PAWL_OK;)
        if (own->logs[i].look.has_records)
            status = forget_log(own, &own->logs[i], fault);
    return status;
}

pawl_status pawl_log_tail_mend(const char *path, bool synced, char *notice, size_t size, pawl_fault *fault)
{
    tail own = {.path = path, .synced = synced, .notice = notice, .notice_size = size};
    notice[0] = '\0';
    pawl_status status = look_into_manifest(&own, fault);
    if (status == PAWL_OK)
        status = list_logs(&own, fault);
    for (size_t i = 0; status == PAWL_OK && i < own.count; i++)
        status = look_into(&own, own.logs[i].name, &own.logs[i], fault);
    if (status == PAWL_OK && !synced && own.manifest_known)
        status = mend_gap(&own, fault);
    free(own.logs);
    return status;
}
