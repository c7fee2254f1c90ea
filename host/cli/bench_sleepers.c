/* bench_sleepers.c: processes that sleep: what starting and keeping many costs (`bench start`), and how late they wake
 * (`bench sleep`). Nothing is kept for a process that sleeps, so that what is measured is the host's memory. */
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>

#include "host/cli/bench.h"

#define PATIENCE_NS 60000000000u

pawl_status pawl_bench_start(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error)
{
    const pawl_bench_load load = {.type = bench->name,
                                  .input = bench->input,
                                  .starts_only = true,
                                  .processes = bench->processes,
                                  .concurrency = bench->concurrency};
    pawl_bench_sample before;
    pawl_bench_sample after;
    uint64_t waiting = 0;
    uint64_t begun_ns = pawl_bench_now_ns();
    malloc_trim(0);
    pawl_status status = pawl_bench_sample_take(bench, &before, error);
    if (status == PAWL_OK)
        status = pawl_bench_waiting(bench, &waiting, error);
    if (status == PAWL_OK)
        status = pawl_bench_run(bench, &load, ret, error);
    if (status == PAWL_OK)
        status = pawl_bench_wait_for_waiting(bench, waiting + bench->processes, error);
    ret->total_ns = pawl_bench_now_ns() - begun_ns;
    malloc_trim(0); /* of this program; a server keeps what its allocator keeps */
    if (status == PAWL_OK)
        status = pawl_bench_sample_take(bench, &after, error);
    if (status != PAWL_OK)
        return status;
    uint64_t asleep = waiting + bench->processes;
    double grown = (double)after.rss_bytes - (double)before.rss_bytes;
    pawl_bench_put(line, "starts_per_s", json_real((double)ret->completed * 1e9 / (double)ret->elapsed_ns));
    pawl_bench_put_ms(line, "asleep_ms", ret->total_ns);
    pawl_bench_put(line, "sleepers", json_integer((json_int_t)asleep));
    pawl_bench_put(line, "bytes_per_sleeper", json_real(grown / (double)bench->processes));
    return PAWL_OK;
}

typedef struct sleepers {
    uint64_t processes;
    pthread_mutex_t lock; /* guards the members below */
    pthread_cond_t changed;
    uint64_t ended;
    uint64_t failed;
    uint64_t *late_ns;
} sleepers;

/* A sleeper's output is how late it was, as it saw itself. */
static void on_woken(void *context, uint64_t number, bool completed, pawl_bytes output)
{
    sleepers *s = context;
    char digits[24] = "";
    (void)number;
    snprintf(digits, sizeof digits, "%.*s", (int)(output.size < 23 ? output.size : 23), (const char *)output.data);
    pthread_mutex_lock(&s->lock);
    if (s->ended < s->processes)
        s->late_ns[s->ended++] = strtoull(digits, NULL, 10);
    if (!completed)
        s->failed++;
    if (s->ended == s->processes)
        pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static pawl_status wait_for_all(sleepers *s, uint64_t seconds, pawl_error *error)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)seconds + (time_t)(PATIENCE_NS / 1000000000u);
    pthread_mutex_lock(&s->lock);
    int waited = 0;
    while (s->ended < s->processes && waited == 0)
        waited = pthread_cond_timedwait(&s->changed, &s->lock, &until);
    uint64_t ended = s->ended;
    uint64_t bad = s->failed;
    pthread_mutex_unlock(&s->lock);
    if (ended == s->processes && bad == 0)
        return PAWL_OK;
    return pawl_bench_fail(error, "bench.not_completed",
                           "%" PRIu64 " of %" PRIu64 " sleepers have ended, %" PRIu64 " otherwise than completed",
                           ended, s->processes, bad);
}

static void report(sleepers *s, const pawl_bench_result *starts, json_t *line, pawl_bench_result *ret)
{
    pawl_bench_percentiles(s->late_ns, s->processes, ret);
    pawl_bench_put(line, "starts_per_s", json_real((double)s->processes * 1e9 / (double)starts->elapsed_ns));
    pawl_bench_put_ms(line, "late_p50_ms", ret->p50_ns);
    pawl_bench_put_ms(line, "late_p99_ms", ret->p99_ns);
    pawl_bench_put_ms(line, "late_max_ms", s->late_ns[s->processes - 1]);
    ret->completed = s->processes;
    ret->p50_ns = starts->p50_ns;
    ret->p99_ns = starts->p99_ns;
}

pawl_status pawl_bench_sleep(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error)
{
    char tag[PAWL_BENCH_TAG_ROOM];
    pawl_bench_tag(tag);
    const pawl_bench_load load = {.type = bench->name,
                                  .input = bench->input,
                                  .tag = tag,
                                  .starts_only = true,
                                  .processes = bench->processes,
                                  .concurrency = bench->concurrency};
    sleepers s = {.processes = bench->processes, .late_ns = calloc(bench->processes, sizeof(uint64_t))};
    if (s.late_ns == NULL)
        return pawl_bench_no_memory(error);
    pthread_mutex_init(&s.lock, NULL);
    pthread_cond_init(&s.changed, NULL);
    pawl_bench_result starts = {0};
    pawl_bench_ends *ends = NULL;
    uint64_t begun_ns = pawl_bench_now_ns();
    pawl_status status = pawl_bench_ends_open(bench, tag, on_woken, &s, &ends, error);
    if (status == PAWL_OK)
        status = pawl_bench_run(bench, &load, &starts, error);
    if (status == PAWL_OK)
        status = wait_for_all(&s, bench->seconds, error);
    ret->elapsed_ns = pawl_bench_now_ns() - begun_ns;
    pawl_bench_ends_close(ends);
    if (status == PAWL_OK)
        report(&s, &starts, line, ret);
    pthread_cond_destroy(&s.changed);
    pthread_mutex_destroy(&s.lock);
    free(s.late_ns);
    return status;
}
