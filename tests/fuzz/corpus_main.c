/* corpus_main.c: runs a fuzz target over directories of files, without a fuzzer: every file as it is, and cut short at
 * up to 64 places. Each input is an allocation of its exact size, so that reading past its end is seen under ASan.
 * Never passes over nothing: a directory without files is a failure. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

#define CUTS      64u
#define FILE_MAX  ((size_t)1 << 20)
#define PATH_ROOM 1024

static void run_one(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(exact != NULL);
    if (size > 0)
        memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static void run_file(const char *path)
{
    uint8_t *data = malloc(FILE_MAX);
    FILE *file = fopen(path, "re");
    FUZZ_CHECK(data != NULL && file != NULL);
    size_t size = fread(data, 1, FILE_MAX, file);
    FUZZ_CHECK(!ferror(file) && size < FILE_MAX);
    (void)fclose(file);
    (void)fprintf(stderr, "%s\n", path); /* the last one named is the one that failed */
    run_one(data, size);
    size_t step = size / CUTS + 1;
    for (size_t cut = 0; cut < size; cut += step)
        run_one(data, cut);
    free(data);
}

static size_t run_directory(const char *path)
{
    size_t count = 0;
    DIR *directory = opendir(path);
    if (directory == NULL)
        (void)fprintf(stderr, "cannot read %s\n", path);
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char name[PATH_ROOM];
        int length = snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        FUZZ_CHECK(length > 0 && (size_t)length < sizeof name);
        if (entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN)
            continue;
        if (entry->d_name[0] == '.')
            continue;
        run_file(name);
        count++;
    }
    if (directory != NULL)
        (void)closedir(directory);
    return count;
}

int main(int count, char **words)
{
    bool whole = count > 1;
    for (int i = 1; i < count; i++) {
        size_t files = run_directory(words[i]);
        (void)fprintf(stderr, "%s: %zu files\n", words[i], files);
        whole = whole && files > 0;
    }
    return whole ? 0 : 1;
}
