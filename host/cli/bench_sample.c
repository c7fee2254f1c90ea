/* bench_sample.c: what a program has used so far, from /proc, and how often its stores have flushed, from what the host
 * says of itself. Guesses nothing: what cannot be read is left out of the line. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/bench.h"

static uint64_t field_of(long pid, const char *file_name, const char *key, uint64_t absent)
{
    char path[64];
    char line[256];
    snprintf(path, sizeof path, "/proc/%ld/%s", pid, file_name);
    FILE *file = fopen(path, "re");
    uint64_t value = absent;
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            value = strtoull(line + strlen(key), NULL, 10);
    if (file != NULL)
        fclose(file);
    return value;
}

static double cpu_seconds(long pid)
{
    char path[64];
    char text[1024] = "";
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    if (file != NULL && fgets(text, sizeof text, file) == NULL)
        text[0] = '\0';
    if (file != NULL)
        fclose(file);
    const char *at = strrchr(text, ')'); /* the name may hold anything */
    unsigned long long user = 0;
    unsigned long long system = 0;
    if (at == NULL || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
        return 0;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* Voluntary context switches: how often a thread stopped to wait, and was woken again. */
static uint64_t wakeups_of(long pid)
{
    char path[64];
    uint64_t sum = 0;
    snprintf(path, sizeof path, "/proc/%ld/task", pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        return UINT64_MAX;
    const struct dirent *task;
    while ((task = readdir(tasks)) != NULL) {
        char name[64];
        if (task->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "task/%.20s/status", task->d_name);
        sum += field_of(pid, name, "voluntary_ctxt_switches:", 0);
    }
    closedir(tasks);
    return sum;
}

static uint64_t flushes_of(const json_t *host)
{
    uint64_t sum = UINT64_MAX;
    const char *name;
    json_t *store;
    json_object_foreach(json_object_get(host, "stores"), name, store)
    {
        const json_t *flushes = json_object_get(json_object_get(store, "facts"), "synced_writes");
        if (flushes != NULL)
            sum = (sum == UINT64_MAX ? 0 : sum) + (uint64_t)json_integer_value(flushes);
    }
    return sum;
}

pawl_status pawl_bench_sample_take(pawl_bench *bench, pawl_bench_sample *ret, pawl_error *error)
{
    json_t *host = NULL;
    long pid = 0;
    pawl_status status = pawl_bench_describe(bench, &host, &pid, error);
    if (status != PAWL_OK)
        return status;
    ret->flushes = flushes_of(host);
    json_decref(host);
    ret->rss_bytes = field_of(pid, "status", "VmRSS:", 0) * 1024;
    ret->rss_peak_bytes = field_of(pid, "status", "VmHWM:", 0) * 1024;
    ret->written_bytes = field_of(pid, "io", "write_bytes:", UINT64_MAX);
    ret->cpu_s = cpu_seconds(pid);
    ret->wakeups = wakeups_of(pid);
    return PAWL_OK;
}

void pawl_bench_sample_put(json_t *line, const pawl_bench_sample *before, const pawl_bench_sample *after,
                           const pawl_bench_result *result, uint64_t steps)
{
    double cpu_s = after->cpu_s - before->cpu_s;
    uint64_t total = result->completed * (steps == 0 ? 1 : steps);
    double seconds = (double)(result->total_ns == 0 ? result->elapsed_ns : result->total_ns) / 1e9;
    pawl_bench_put(line, "rss_bytes", json_integer((json_int_t)after->rss_bytes));
    pawl_bench_put(line, "rss_peak_bytes", json_integer((json_int_t)after->rss_peak_bytes));
    pawl_bench_put(line, "cpu_s", json_real(cpu_s));
    if (total > 0)
        pawl_bench_put(line, "cpu_us_per_step", json_real(cpu_s * 1e6 / (double)total));
    if (after->written_bytes != UINT64_MAX && before->written_bytes != UINT64_MAX) {
        uint64_t written = after->written_bytes - before->written_bytes;
        pawl_bench_put(line, "bytes_written", json_integer((json_int_t)written));
        if (result->completed > 0)
            pawl_bench_put(line, "bytes_written_per_process", json_integer((json_int_t)(written / result->completed)));
    }
    if (after->flushes != UINT64_MAX && before->flushes != UINT64_MAX)
        pawl_bench_put(line, "fdatasync_per_s", json_real((double)(after->flushes - before->flushes) / seconds));
}
