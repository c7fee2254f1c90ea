/* power_image.c: see power_image.h. It must never take anything for durable that power_loss.c has not seen flushed. */
#include "power_image.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
/* after those */
#include <cmocka.h>

#define NAMES_MAX  2048
#define PAGE_BYTES 4096u

typedef struct name {
    char text[200];
    unsigned long long inode;
} name;

typedef struct image {
    const char *shadow;
    enum power_tail tail;
    unsigned *seed;
    name names[NAMES_MAX];
    size_t count;
    uint64_t unflushed;
} image;

typedef struct content {
    uint8_t *bytes;
    size_t size;
} content;

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
    (void)found;
    (void)kind;
    (void)where;
    return remove(path);
}

void power_image_remove(const char *directory)
{
    nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- files ---- */

/* A file that is not there is empty: it was never flushed. */
static content read_all(const char *directory, const char *part, unsigned long long inode)
{
    char path[700];
    struct stat facts;
    content made = {NULL, 0};
    snprintf(path, sizeof path, "%s/%s/%llu", directory, part, inode);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return made;
    assert_int_equal(fstat(file, &facts), 0);
    made.size = (size_t)facts.st_size;
    made.bytes = malloc(made.size + 1);
    assert_non_null(made.bytes);
    for (size_t at = 0; at < made.size;) {
        ssize_t got = read(file, made.bytes + at, made.size - at);
        assert_true(got > 0);
        at += (size_t)got;
    }
    close(file);
    return made;
}

static void write_all(const char *path, const content *what)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    for (size_t at = 0; at < what->size;) {
        ssize_t put = write(file, what->bytes + at, what->size - at);
        assert_true(put > 0);
        at += (size_t)put;
    }
    close(file);
}

/* ---- before ---- */

void power_image_prepare(const char *store, const char *shadow)
{
    char path[700];
    char to[700];
    struct stat facts;
    power_image_remove(shadow);
    assert_int_equal(mkdir(shadow, 0700), 0);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", shadow, i == 0 ? "live" : "kept");
        assert_int_equal(mkdir(path, 0700), 0);
    }
    snprintf(path, sizeof path, "%s/names", shadow);
    FILE *names = fopen(path, "we");
    assert_non_null(names);
    DIR *directory = opendir(store);
    for (struct dirent *found = directory == NULL ? NULL : readdir(directory); found != NULL;
         found = readdir(directory)) {
        snprintf(path, sizeof path, "%s/%.200s", store, found->d_name);
        if (lstat(path, &facts) != 0 || !S_ISREG(facts.st_mode))
            continue;
        unsigned long long inode = facts.st_ino;
        snprintf(to, sizeof to, "%s/live/%llu", shadow, inode);
        assert_int_equal(link(path, to), 0);
        content now = read_all(shadow, "live", inode);
        snprintf(to, sizeof to, "%s/kept/%llu", shadow, inode);
        write_all(to, &now);
        free(now.bytes);
        fprintf(names, "N %llu %s\n", inode, found->d_name);
    }
    if (directory != NULL)
        closedir(directory);
    fprintf(names, "S\n");
    assert_int_equal(fclose(names), 0);
}

/* ---- afterwards ---- */

static name *find(image *own, const char *text)
{
    for (size_t i = 0; i < own->count; i++)
        if (strcmp(own->names[i].text, text) == 0)
            return &own->names[i];
    return NULL;
}

static void drop(image *own, const char *text)
{
    name *found = find(own, text);
    if (found != NULL)
        *found = own->names[--own->count];
}

static void put(image *own, const char *text, unsigned long long inode)
{
    drop(own, text);
    assert_true(own->count < NAMES_MAX);
    name *made = &own->names[own->count++];
    snprintf(made->text, sizeof made->text, "%s", text);
    made->inode = inode;
}

static void apply(image *own, const char *line)
{
    char from[200];
    char to[200];
    unsigned long long inode;
    if (sscanf(line, "N %llu %199s", &inode, to) == 2) {
        put(own, to, inode);
    } else if (sscanf(line, "R %199s %199s", from, to) == 2) {
        const name *moved = find(own, from);
        assert_non_null(moved);
        inode = moved->inode;
        drop(own, from);
        put(own, to, inode);
    } else if (sscanf(line, "U %199s", from) == 1) {
        drop(own, from);
    }
}

/* The names as they were flushed last, and perhaps some that came later, in order: a journal of the file system may
 * have written them by itself. */
static void read_names(image *own)
{
    char path[700];
    char line[700];
    size_t lines = 0;
    size_t flushed = 0;
    snprintf(path, sizeof path, "%s/names", own->shadow);
    FILE *names = fopen(path, "re");
    assert_non_null(names);
    while (fgets(line, sizeof line, names) != NULL) {
        lines++;
        flushed = line[0] == 'S' ? lines : flushed;
    }
    rewind(names);
    size_t more = (size_t)rand_r(own->seed) % 2 == 0 ? 0 : (size_t)rand_r(own->seed) % (lines - flushed + 1);
    for (size_t i = 0; i < flushed + more && fgets(line, sizeof line, names) != NULL; i++)
        apply(own, line);
    fclose(names);
}

static uint8_t byte_of(const image *own, size_t at, bool page, const content *live)
{
    switch (own->tail) {
    case POWER_TORN:
        return live->bytes[at];
    case POWER_GARBAGE:
        return (uint8_t)(rand_r(own->seed) >> 8);
    case POWER_PAGES:
        return page ? live->bytes[at] : 0;
    default:
        return 0;
    }
}

/* What was flushed, and behind it something of what was not. */
static content survive(image *own, const content *kept, const content *live)
{
    content made = {NULL, kept->size};
    if (live->size > kept->size)
        own->unflushed += live->size - kept->size;
    if (live->size > kept->size && own->tail == POWER_TORN)
        made.size += (size_t)rand_r(own->seed) % (live->size - kept->size + 1);
    else if (live->size > kept->size && own->tail != POWER_NOTHING)
        made.size = live->size;
    made.bytes = malloc(made.size + 1);
    assert_non_null(made.bytes);
    if (kept->size > 0)
        memcpy(made.bytes, kept->bytes, kept->size);
    bool page = rand_r(own->seed) % 2 == 0;
    for (size_t at = kept->size; at < made.size; at++) {
        if (at % PAGE_BYTES == 0)
            page = rand_r(own->seed) % 2 == 0;
        made.bytes[at] = byte_of(own, at, page, live);
    }
    return made;
}

uint64_t power_image_cut(const char *store, const char *shadow, enum power_tail tail, unsigned *seed)
{
    char path[900];
    char after[600];
    image *own = calloc(1, sizeof *own);
    assert_non_null(own);
    *own = (image){.shadow = shadow, .tail = tail, .seed = seed};
    read_names(own);
    snprintf(after, sizeof after, "%s.after", store);
    power_image_remove(after);
    assert_int_equal(mkdir(after, 0700), 0);
    for (size_t i = 0; i < own->count; i++) {
        content kept = read_all(shadow, "kept", own->names[i].inode);
        content live = read_all(shadow, "live", own->names[i].inode);
        content made = survive(own, &kept, &live);
        snprintf(path, sizeof path, "%s/%s", after, own->names[i].text);
        write_all(path, &made);
        free(kept.bytes);
        free(live.bytes);
        free(made.bytes);
    }
    uint64_t unflushed = own->unflushed;
    free(own);
    power_image_remove(store);
    assert_int_equal(rename(after, store), 0);
    power_image_remove(shadow);
    return unflushed;
}
