/* files.c: why it exists: damage must be done precisely and reported by name. It must never touch a file outside of a
 * test's directory. */
#include "files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool ends_with(const char *text, const char *suffix)
{
    size_t text_size = strlen(text);
    size_t suffix_size = suffix ? strlen(suffix) : 0;
    return suffix_size <= text_size && strcmp(text + text_size - suffix_size, suffix ? suffix : "") == 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Calls visit for everything directly below a directory. */
static void each_entry(const char *directory, void (*visit)(void *context, const char *path, const struct stat *facts),
                       void *context)
{
    DIR *open = opendir(directory);
    if (!open)
        return;
    for (struct dirent *entry = readdir(open); entry; entry = readdir(open)) {
        char path[512];
        struct stat facts;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int size = snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        if (size > 0 && (size_t)size < sizeof(path) && lstat(path, &facts) == 0)
            visit(context, path, &facts);
    }
    closedir(open);
}

struct listing {
    const char *suffix;
    const char *except;
    struct file_list *list;
    uint64_t total;
};

static void list_entry(void *context, const char *path, const struct stat *facts)
{
    struct listing *listing = context;
    const char *name = strrchr(path, '/') + 1;
    if (S_ISDIR(facts->st_mode)) {
        each_entry(path, list_entry, context);
        return;
    }
    if (!S_ISREG(facts->st_mode) || (listing->except && strncmp(name, listing->except, strlen(listing->except)) == 0))
        return;
    listing->total += (uint64_t)facts->st_size;
    struct file_list *list = listing->list;
    if (!list || !ends_with(name, listing->suffix))
        return;
    /* A test that sees a part of the files and takes it for all proves nothing. */
    if (list->count == FILES_MAX) {
        fprintf(stderr, "%s is one file more than the %d that a listing holds\n", path, FILES_MAX);
        abort();
    }
    snprintf(list->paths[list->count], sizeof(list->paths[0]), "%s", path);
    list->count++;
}

void files_list(const char *directory, const char *suffix, struct file_list *list)
{
    memset(list, 0, sizeof(*list));
    struct listing listing = {.suffix = suffix, .list = list};
    each_entry(directory, list_entry, &listing);
    qsort(list->paths, list->count, sizeof(list->paths[0]), by_path);
    for (size_t i = 0; i < list->count; i++) {
        struct stat facts;
        list->sizes[i] = stat(list->paths[i], &facts) == 0 ? (uint64_t)facts.st_size : 0;
    }
}

uint64_t files_total(const char *directory, const char *except)
{
    struct listing listing = {.except = except};
    each_entry(directory, list_entry, &listing);
    return listing.total;
}

static bool copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb");
    FILE *out = in ? fopen(to, "wb") : NULL;
    char buffer[65536];
    bool good = out != NULL;
    for (size_t got = 1; good && got > 0;) {
        got = fread(buffer, 1, sizeof(buffer), in);
        good = fwrite(buffer, 1, got, out) == got;
    }
    if (in)
        fclose(in);
    if (out && fclose(out) != 0)
        good = false;
    return good;
}

struct copying {
    const char *to;
    bool good;
};

static void copy_entry(void *context, const char *path, const struct stat *facts)
{
    struct copying *copying = context;
    char target[512];
    int size = snprintf(target, sizeof(target), "%s%s", copying->to, strrchr(path, '/'));
    if (size < 0 || (size_t)size >= sizeof(target))
        copying->good = false;
    else if (S_ISDIR(facts->st_mode))
        copying->good = files_copy(path, target) && copying->good;
    else if (S_ISREG(facts->st_mode))
        copying->good = copy_file(path, target) && copying->good;
}

bool files_copy(const char *from, const char *to)
{
    struct copying copying = {.to = to, .good = mkdir(to, 0700) == 0};
    if (copying.good)
        each_entry(from, copy_entry, &copying);
    return copying.good;
}

static void remove_entry(void *context, const char *path, const struct stat *facts)
{
    (void)context;
    if (S_ISDIR(facts->st_mode))
        files_remove(path);
    else
        unlink(path);
}

void files_remove(const char *directory)
{
    each_entry(directory, remove_entry, NULL);
    rmdir(directory);
}

bool files_flip(const char *path, uint64_t offset, unsigned bit)
{
    int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return false;
    uint8_t byte;
    bool good = pread(file, &byte, 1, (off_t)offset) == 1;
    byte = (uint8_t)(byte ^ (1u << (bit & 7)));
    good = good && pwrite(file, &byte, 1, (off_t)offset) == 1;
    return close(file) == 0 && good;
}

bool files_cut(const char *path, uint64_t size)
{
    return truncate(path, (off_t)size) == 0;
}
