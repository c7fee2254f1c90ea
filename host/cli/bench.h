/* bench.h: a closed loop of processes against one host: so many at once, each one's end starting the next. */
#ifndef PAWL_CLI_BENCH_H
#define PAWL_CLI_BENCH_H

#include <jansson.h>
#include <pawl/pawl.h>
#include <stdbool.h>
#include <stdlib.h>

typedef struct pawl_bench_load {
    const char *type;
    const char *input;
    bool signal; /* send each a signal "go" when it has been started */
    uint64_t processes;
    uint64_t concurrency;
} pawl_bench_load;

typedef struct pawl_bench_result {
    uint64_t elapsed_ns;
    uint64_t completed;
    uint64_t p50_ns; /* from asking for the start of a process to hearing of its end */
    uint64_t p99_ns;
} pawl_bench_result;

/** Of the monotonic clock (bench_common.c, and the following). */
uint64_t pawl_bench_now_ns(void);
/** Fill an error; returns PAWL_E_FAILED. */
pawl_status pawl_bench_fail(pawl_error *error, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** In ascending order, for percentiles. */
void pawl_bench_sort(uint64_t *values, uint64_t count);

/** Run the load to its end. Fails with what went wrong first when a process did not complete. Call it from one thread.
 */
pawl_status pawl_bench_run(pawl_host *host, const pawl_bench_load *load, pawl_bench_result *ret, pawl_error *error);

/** The same through the socket of a server whose profile names the plugin pawl-bench.so (bench_connect.c). */
pawl_status pawl_bench_run_connected(const char *socket_path, const pawl_bench_load *load, pawl_bench_result *ret,
                                     pawl_error *error);

/** What a program has used since it began; UINT64_MAX: cannot be told. */
typedef struct pawl_bench_sample {
    uint64_t rss_bytes;
    uint64_t rss_peak_bytes;
    uint64_t written_bytes; /* to the device, as the kernel counts */
    uint64_t flushes;       /* writes that its stores have flushed, each by one fdatasync */
    double cpu_s;
} pawl_bench_sample;

/** pid: of the program; host: its description, what pawl_host_describe gives (bench_sample.c). */
void pawl_bench_sample_take(long pid, const json_t *host, pawl_bench_sample *ret);
/** Put what lies between two samples into a line. steps: of each process. */
void pawl_bench_sample_put(json_t *line, const pawl_bench_sample *before, const pawl_bench_sample *after,
                           const pawl_bench_result *result, uint64_t steps);

#endif
