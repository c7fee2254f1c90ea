/* bench_common.c: what every benchmark needs: the clock, errors, percentiles, ids. Never prints. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "host/cli/bench.h"

uint64_t pawl_bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void pawl_bench_sleep_ms(uint64_t span_ms)
{
    struct timespec span = {.tv_sec = (time_t)(span_ms / 1000), .tv_nsec = (long)(span_ms % 1000) * 1000000};
    while (nanosleep(&span, &span) != 0) {
    }
}

pawl_status pawl_bench_fail(pawl_error *error, const char *code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error->status = PAWL_E_FAILED;
    snprintf(error->code, sizeof error->code, "%s", code);
    vsnprintf(error->message, sizeof error->message, format, args);
    va_end(args);
    return PAWL_E_FAILED;
}

pawl_status pawl_bench_no_memory(pawl_error *error)
{
    return pawl_bench_fail(error, "bench.no_memory", "out of memory for the benchmark");
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

void pawl_bench_sort(uint64_t *values, uint64_t count)
{
    if (count > 0)
        qsort(values, count, sizeof *values, by_size);
}

void pawl_bench_percentiles(uint64_t *values_ns, uint64_t count, pawl_bench_result *ret)
{
    if (count == 0)
        return;
    pawl_bench_sort(values_ns, count);
    ret->p50_ns = values_ns[count / 2];
    ret->p99_ns = values_ns[count * 99 / 100];
}

void pawl_bench_tag(char tag[PAWL_BENCH_TAG_ROOM])
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(tag, PAWL_BENCH_TAG_ROOM, "b%" PRIx64 "%lx-%lx-", (uint64_t)now.tv_sec, (unsigned long)now.tv_nsec,
             (unsigned long)getpid());
}

void pawl_bench_id(char id[PAWL_BENCH_ID_ROOM], const char *tag, uint64_t number)
{
    snprintf(id, PAWL_BENCH_ID_ROOM, "%s%" PRIu64, tag, number);
}

void pawl_bench_put(json_t *line, const char *key, json_t *value)
{
    json_object_set_new(line, key, value);
}

void pawl_bench_put_ms(json_t *line, const char *key, uint64_t span_ns)
{
    pawl_bench_put(line, key, json_real((double)span_ns / 1e6));
}
