/* bench_common.c: what every benchmark needs: the clock, errors, percentiles. Never prints. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "host/cli/bench.h"

uint64_t pawl_bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
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
