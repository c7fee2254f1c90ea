/* bench_fairness.c: what somebody's ten processes feel of somebody else's million. The many are put into the queue by a
 * host without a worker; then a host that runs them is given the few, one after the other, under another key. */
#include <inttypes.h>

#include "host/cli/bench.h"

#define FEW 10u

static pawl_status open_anew(pawl_bench *bench, bool works, pawl_error *error)
{
    pawl_bench_close(bench);
    bench->no_worker = !works;
    return pawl_bench_open(bench, error);
}

static pawl_status run_few(pawl_bench *bench, pawl_bench_result *ret, pawl_error *error)
{
    const pawl_bench_load few = {
        .type = "bench.steps", .input = bench->input, .key = "few", .processes = FEW, .concurrency = 1};
    return pawl_bench_run(bench, &few, ret, error);
}

static pawl_status queue_many(pawl_bench *bench, pawl_bench_result *ret, pawl_error *error)
{
    const pawl_bench_load many = {.type = "bench.steps",
                                  .input = bench->input,
                                  .key = "many",
                                  .starts_only = true,
                                  .processes = bench->processes,
                                  .concurrency = 256};
    pawl_status status = open_anew(bench, false, error);
    return status == PAWL_OK ? pawl_bench_run(bench, &many, ret, error) : status;
}

static pawl_status count_ready(pawl_bench *bench, uint64_t *ret, pawl_error *error)
{
    json_t *host = NULL;
    long pid;
    pawl_status status = pawl_bench_describe(bench, &host, &pid, error);
    if (status == PAWL_OK)
        *ret = (uint64_t)json_integer_value(json_object_get(json_object_get(host, "counts"), "ready"));
    json_decref(host);
    return status;
}

pawl_status pawl_bench_fairness(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error)
{
    pawl_bench_result idle = {0};
    pawl_bench_result queued = {0};
    uint64_t left = 0;
    pawl_status status = open_anew(bench, true, error);
    if (status == PAWL_OK)
        status = run_few(bench, &idle, error); /* what is read and made once is not to be counted */
    if (status == PAWL_OK)
        status = run_few(bench, &idle, error);
    if (status == PAWL_OK)
        status = queue_many(bench, &queued, error);
    if (status == PAWL_OK)
        status = open_anew(bench, true, error);
    if (status == PAWL_OK)
        status = run_few(bench, ret, error);
    if (status == PAWL_OK)
        status = count_ready(bench, &left, error);
    if (status == PAWL_OK && left == 0)
        return pawl_bench_fail(error, "bench.too_few", "the %" PRIu64 " processes ended before the %u others did",
                               bench->processes, FEW);
    if (status != PAWL_OK)
        return status;
    pawl_bench_put(line, "few", json_integer(FEW));
    pawl_bench_put(line, "left_ready", json_integer((json_int_t)left));
    pawl_bench_put(line, "queued_per_s", json_real((double)queued.completed * 1e9 / (double)queued.elapsed_ns));
    pawl_bench_put_ms(line, "idle_p50_ms", idle.p50_ns);
    pawl_bench_put_ms(line, "idle_max_ms", idle.p99_ns);
    pawl_bench_put_ms(line, "crowded_p50_ms", ret->p50_ns);
    pawl_bench_put_ms(line, "crowded_max_ms", ret->p99_ns);
    pawl_bench_put(line, "ratio_p50", json_real((double)ret->p50_ns / (double)idle.p50_ns));
    pawl_bench_put(line, "ratio_max", json_real((double)ret->p99_ns / (double)idle.p99_ns));
    return PAWL_OK;
}
