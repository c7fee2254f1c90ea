/* closed.c: see closed.h. One line a file: name, size, XXH3 of the content or "-"; the last line seals the others. */
#include "closed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define NAME           "pawl.closed"
#define FIRST_LINE     "pawl closed 1\n"
#define PATH_BYTES_MAX 4352
#define NOTE_BYTES_MAX (16u << 20)

static pawl_status io_fault(pawl_fault *fault, const char *what, const char *name)
{
    return pawl_fault_set(fault, PAWL_E_IO, "store.io", "cannot %s %.400s: %s", what, name, strerror(errno));
}

static bool ends_with(const char *name, const char *end)
{
    size_t size = strlen(name);
    return size >= strlen(end) && strcmp(name + size - strlen(end), end) == 0;
}

/* RocksDB's log in words, and files of this moment, may be anything. */
static bool matters(const char *name)
{
    return name[0] != '.' && strncmp(name, "LOG", 3) != 0 && strcmp(name, "LOCK") != 0 &&
           strncmp(name, "pawl.closed", 11) != 0 && strcmp(name, "pawl.holder") != 0 && strcmp(name, "pawl.room") != 0;
}

static bool has_own_checksums(const char *name)
{
    return ends_with(name, ".sst") || ends_with(name, ".blob");
}

/* Size and content of a file as they stand in a line. flush: they must not be less after a power failure than the note
 * says, and without sync nobody else sees to that. */
static bool measure(const char *path, const char *name, bool flush, unsigned long long *size, char hash[20])
{
    char full[PATH_BYTES_MAX];
    struct stat facts;
    snprintf(full, sizeof full, "%s/%s", path, name);
    int file = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool good = file >= 0 && fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) && (!flush || fsync(file) == 0);
    if (good) {
        *size = (unsigned long long)facts.st_size;
        snprintf(hash, 20, "-");
        if (!has_own_checksums(name)) {
            void *data = *size == 0 ? NULL : mmap(NULL, (size_t)*size, PROT_READ, MAP_PRIVATE, file, 0);
            good = data != MAP_FAILED;
            if (good)
                snprintf(hash, 20, "%016llx", (unsigned long long)XXH3_64bits(data, (size_t)*size));
            if (good && data != NULL)
                munmap(data, (size_t)*size);
        }
    }
    if (file >= 0)
        close(file);
    return good;
}

/* ---- checking ---- */

/* The whole note, NUL-terminated; NULL with errno. */
static char *read_note(const char *full)
{
    struct stat facts;
    int file = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return NULL;
    char *text = NULL;
    if (fstat(file, &facts) == 0 && facts.st_size >= 0 && facts.st_size <= NOTE_BYTES_MAX)
        text = calloc((size_t)facts.st_size + 1, 1);
    size_t used = 0;
    while (text != NULL && used < (size_t)facts.st_size) {
        ssize_t got = read(file, text + used, (size_t)facts.st_size - used);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    close(file);
    if (text == NULL)
        errno = EFBIG;
    return text;
}

/* Cuts the seal off the text. */
static bool is_sealed(char *text)
{
    char seal[32];
    char *end = strstr(text, "\nend ");
    if (end == NULL || strncmp(text, FIRST_LINE, sizeof FIRST_LINE - 1) != 0)
        return false;
    end++;
    snprintf(seal, sizeof seal, "end %016llx\n", (unsigned long long)XXH3_64bits(text, (size_t)(end - text)));
    bool good = strcmp(end, seal) == 0;
    *end = '\0';
    return good;
}

static pawl_status check_line(const char *path, const char *line, pawl_fault *fault)
{
    char name[256];
    char noted[20];
    char hash[20];
    unsigned long long noted_size;
    unsigned long long size;
    if (sscanf(line, "%255s %llu %19s", name, &noted_size, noted) != 3)
        return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt", "%.300s/" NAME " is damaged", path);
    if (!measure(path, name, false, &size, hash))
        return pawl_fault_set(
            fault, PAWL_E_CORRUPT, "store.corrupt",
            "%.300s/%.100s is missing or cannot be read (%s); it was there when the store was closed: "
            "restore the store from a backup",
            path, name, strerror(errno));
    if (size != noted_size)
        return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                              "%.300s/%.100s is damaged: it has %llu bytes, and had %llu when the store was closed: "
                              "restore the store from a backup",
                              path, name, size, noted_size);
    if (strcmp(hash, noted) != 0)
        return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                              "%.300s/%.100s is damaged: its content is not what it was when the store was closed: "
                              "restore the store from a backup",
                              path, name);
    return PAWL_OK;
}

pawl_status pawl_closed_check(const char *path, bool *closed, pawl_fault *fault)
{
    char full[PATH_BYTES_MAX];
    snprintf(full, sizeof full, "%s/" NAME, path);
    char *text = read_note(full);
    *closed = text != NULL;
    if (text == NULL)
        return errno == ENOENT ? PAWL_OK : io_fault(fault, "read", full);
    pawl_status status = PAWL_OK;
    if (!is_sealed(text))
        status =
            pawl_fault_set(fault, PAWL_E_CORRUPT, "store.corrupt",
                           "%.300s is damaged; what it says of the other files cannot be checked: restore the store "
                           "from a backup, or remove this file and run `pawl check --store`",
                           full);
    for (char *line = text + sizeof FIRST_LINE - 1; status == PAWL_OK && *line != '\0';) {
        char *next = strchr(line, '\n');
        next = next == NULL ? line + strlen(line) : next + 1;
        status = check_line(path, line, fault);
        line = next;
    }
    free(text);
    return status;
}

/* ---- writing ---- */

static bool flush_directory(const char *path)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = directory >= 0 && (fsync(directory) == 0 || errno == EINVAL); /* not every file system knows how */
    if (directory >= 0)
        close(directory);
    return good;
}

pawl_status pawl_closed_forget(const char *path, pawl_fault *fault)
{
    char full[PATH_BYTES_MAX];
    snprintf(full, sizeof full, "%s/" NAME, path);
    if (unlink(full) != 0)
        return errno == ENOENT ? PAWL_OK : io_fault(fault, "remove", full);
    return flush_directory(path) ? PAWL_OK : io_fault(fault, "flush", path);
}

static bool write_lines(FILE *note, const char *path)
{
    char hash[20];
    unsigned long long size;
    DIR *directory = opendir(path);
    bool good = directory != NULL && fputs(FIRST_LINE, note) >= 0;
    for (const struct dirent *found = good ? readdir(directory) : NULL; good && found != NULL;
         found = readdir(directory))
        if (matters(found->d_name) && found->d_type != DT_DIR)
            good = measure(path, found->d_name, true, &size, hash) &&
                   fprintf(note, "%s %llu %s\n", found->d_name, size, hash) > 0;
    if (directory != NULL)
        closedir(directory);
    return good;
}

static bool write_file(const char *full, const char *text, size_t size)
{
    int file = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = file >= 0 && write(file, text, size) == (ssize_t)size && fsync(file) == 0;
    if (file >= 0)
        close(file);
    return good;
}

void pawl_closed_note(const char *path)
{
    char full[PATH_BYTES_MAX];
    char next[PATH_BYTES_MAX];
    char *text = NULL;
    size_t size = 0;
    snprintf(full, sizeof full, "%s/" NAME, path);
    snprintf(next, sizeof next, "%s/" NAME ".next", path);
    FILE *note = open_memstream(&text, &size);
    bool good = note != NULL && write_lines(note, path) && fflush(note) == 0 &&
                fprintf(note, "end %016llx\n", (unsigned long long)XXH3_64bits(text, size)) > 0;
    if (note != NULL)
        good = fclose(note) == 0 && good;
    good = good && write_file(next, text, size) && flush_directory(path) && rename(next, full) == 0;
    if (good)
        (void)flush_directory(path);
    else
        unlink(next);
    free(text);
}
