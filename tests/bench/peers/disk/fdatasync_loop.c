/* fdatasync_loop.c: what one durable write costs on a device, with nothing around it: the measure for everything else
 * in a run of the comparison. Appends BYTES and flushes, again and again, for SECONDS; `append` to a file that grows,
 * `prealloc` inside a region that was written and flushed before, where a flush has no metadata to write.
 *
 *   fdatasync_loop DIRECTORY append|prealloc BYTES SECONDS
 *
 * One line of JSON. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BYTES_MAX    (1u << 20)
#define REGION_BYTES (8u << 20)
#define SAMPLES_MAX  4000000u

static char buffer[BYTES_MAX];
static uint64_t samples_ns[SAMPLES_MAX];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t mono_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static int open_file(const char *directory, bool filled)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/fdatasync_loop", directory);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        die(path);
    unlink(path);
    for (off_t at = 0; filled && at < (off_t)REGION_BYTES; at += BYTES_MAX)
        if (pwrite(fd, buffer, BYTES_MAX, at) != BYTES_MAX)
            die("pwrite");
    if (filled && fsync(fd) != 0)
        die("fsync");
    return fd;
}

static size_t write_and_flush(int fd, size_t bytes, uint64_t until_ns, bool filled)
{
    size_t count = 0;
    off_t at = 0;
    for (uint64_t before = mono_now_ns(); before < until_ns && count < SAMPLES_MAX; count++) {
        if (filled && at + (off_t)bytes > (off_t)REGION_BYTES)
            at = 0;
        if (pwrite(fd, buffer, bytes, at) != (ssize_t)bytes || fdatasync(fd) != 0)
            die("fdatasync");
        at += (off_t)bytes;
        uint64_t now = mono_now_ns();
        samples_ns[count] = now - before;
        before = now;
    }
    return count;
}

int main(int argc, char **argv)
{
    size_t bytes = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
    double seconds = argc == 5 ? strtod(argv[4], NULL) : 0;
    bool filled = argc == 5 && strcmp(argv[2], "prealloc") == 0;
    if (bytes == 0 || bytes > BYTES_MAX || seconds <= 0 || (!filled && strcmp(argv[2], "append") != 0)) {
        fprintf(stderr, "usage: fdatasync_loop DIRECTORY append|prealloc BYTES SECONDS\n");
        return 2;
    }
    int fd = open_file(argv[1], filled);
    uint64_t begun = mono_now_ns();
    size_t count = write_and_flush(fd, bytes, begun + (uint64_t)(seconds * 1e9), filled);
    double elapsed = (double)(mono_now_ns() - begun) / 1e9;
    close(fd);
    qsort(samples_ns, count, sizeof *samples_ns, by_size);
    uint64_t median_ns = samples_ns[count / 2];
    uint64_t late_ns = samples_ns[count * 99 / 100];
    printf("{\"bench\":\"disk\",\"mode\":\"%s\",\"bytes\":%zu,\"fdatasync_per_s\":%.1f,\"p50_ms\":%.4f,"
           "\"p99_ms\":%.4f}\n",
           argv[2], bytes, (double)count / elapsed, (double)median_ns / 1e6, (double)late_ns / 1e6);
    return 0;
}
