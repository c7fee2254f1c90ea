/* bench_idle.c: what a host costs that has nothing to do (`bench idle`), and whether the steps of one process take
 * longer the more of them there are (`bench long`). */
#include "host/cli/bench.h"

#define SETTLE_MS 1000u

pawl_status pawl_bench_idle(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error)
{
    pawl_bench_sample before;
    pawl_bench_sample after;
    pawl_bench_sleep_ms(SETTLE_MS); /* what an opening leaves to do in the background */
    pawl_status status = pawl_bench_sample_take(bench, &before, error);
    if (status != PAWL_OK)
        return status;
    uint64_t begun_ns = pawl_bench_now_ns();
    pawl_bench_sleep_ms(bench->seconds * 1000);
    ret->elapsed_ns = pawl_bench_now_ns() - begun_ns;
    status = pawl_bench_sample_take(bench, &after, error);
    if (status != PAWL_OK)
        return status;
    double seconds = (double)ret->elapsed_ns / 1e9;
    if (before.wakeups != UINT64_MAX && after.wakeups != UINT64_MAX)
        pawl_bench_put(line, "wakeups_per_s", json_real((double)(after.wakeups - before.wakeups) / seconds));
    pawl_bench_put(line, "seconds", json_real(seconds));
    pawl_bench_sample_put(line, &before, &after, ret, 0);
    return PAWL_OK;
}

/* The program says in nanoseconds for each step how long they took: the first tenth and the last, and the same in
 * processor time. */
static void take_spans(void *context, pawl_bytes output)
{
    static const char *const keys[] = {"first_us_per_step", "last_us_per_step", "first_cpu_us_per_step",
                                       "last_cpu_us_per_step"};
    json_t *line = context;
    json_t *spans = json_loadb(output.data, output.size, 0, NULL);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        pawl_bench_put(line, keys[i], json_real(json_number_value(json_array_get(spans, i)) / 1e3));
    json_decref(spans);
}

pawl_status pawl_bench_long(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error)
{
    const pawl_bench_load load = {.type = bench->name,
                                  .input = bench->input,
                                  .processes = 1,
                                  .concurrency = 1,
                                  .on_output = take_spans,
                                  .context = line};
    return pawl_bench_run(bench, &load, ret, error);
}
