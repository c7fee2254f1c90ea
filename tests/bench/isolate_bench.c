/* isolate_bench.c: what a call costs when its plugin runs in a process of its own: the same plugin, the same calls,
 * inside the host and outside of it, in turns, in one run. Calls go through the effect pool as a worker's do, without a
 * process, journal or disk. Usage: isolate_bench PLUGIN [CALLS]; prints a line of JSON for each kind of call. */
#include "host/host_internal.h"
#include "worker/effect/effect_pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS     5
#define TOGETHER   64u
#define THREADS    16u
#define INPUT_SIZE 100u

typedef struct load {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    const pawl_effect *effect;
    const pawl_host_root *host;
    pawl_effect_pool *pool;
    uint64_t begun, over, failed, wanted;
} load;

static void out_of(const char *what)
{
    fprintf(stderr, "isolate_bench: %s\n", what);
    exit(EXIT_FAILURE);
}

static void done(pawl_call *call);

static void submit(load *own, uint64_t number)
{
    static char input[INPUT_SIZE];
    const pawl_call_request request = {.effect = own->effect,
                                       .host = own->effect->host,
                                       .process = {"bench", 5},
                                       .input = {input, sizeof input},
                                       .run = 1,
                                       .attempt = 1,
                                       .ordinal = number,
                                       .timeout_ns = 30000000000u,
                                       .output_max = 4096};
    pawl_call *call = pawl_call_create(&request);
    if (call == NULL)
        out_of("no memory");
    call->owner = own;
    call->done = done;
    pawl_effect_pool_submit(own->pool, call);
}

static void done(pawl_call *call)
{
    load *own = call->owner;
    pthread_mutex_lock(&own->lock);
    own->failed += call->status != PAWL_OK || pawl_sink_bytes(&call->out).size != INPUT_SIZE;
    bool more = own->begun < own->wanted;
    uint64_t number = own->begun += more;
    own->over++;
    pthread_cond_signal(&own->ended);
    pthread_mutex_unlock(&own->lock);
    pawl_call_destroy(call);
    if (more)
        submit(own, number);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* So many calls, so many at once; the time they took. */
static uint64_t run(load *own, uint64_t calls, uint64_t at_once)
{
    uint64_t begun_ns = now_ns();
    own->over = own->failed = 0;
    own->wanted = calls;
    own->begun = at_once;
    for (uint64_t i = 0; i < at_once; i++)
        submit(own, i + 1);
    pthread_mutex_lock(&own->lock);
    while (own->over < calls)
        pthread_cond_wait(&own->ended, &own->lock);
    pthread_mutex_unlock(&own->lock);
    if (own->failed > 0)
        out_of("calls failed");
    return now_ns() - begun_ns;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double median_us(load *own, uint64_t calls)
{
    uint64_t *spans = calloc(calls, sizeof *spans);
    if (spans == NULL)
        out_of("no memory");
    for (uint64_t i = 0; i < calls; i++)
        spans[i] = run(own, 1, 1);
    qsort(spans, calls, sizeof *spans, by_size);
    uint64_t middle_ns = spans[calls / 2];
    double median = (double)middle_ns / 1000;
    free(spans);
    return median;
}

static pawl_host *open_host(const char *plugin, const char *directory, bool isolated)
{
    char profile[9000];
    pawl_host *host = NULL;
    pawl_error error = {0};
    snprintf(profile, sizeof profile,
             "profile: bench\ntier: inline\ndata: %s\nstores: { main: { provider: memory } }\n"
             "log: { level: warn }\nplugins: [ { path: %s, dev: true, isolation: %s } ]\n",
             directory, plugin, isolated ? "process" : "none");
    const pawl_host_options options = {.struct_size = sizeof options, .no_worker = 1, .profile_text = profile};
    if (pawl_host_open(&options, &host, &error) != PAWL_OK)
        out_of(error.message);
    return host;
}

typedef struct figures {
    double p50_us, calls_per_s;
} figures;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double middle(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

static figures measure(pawl_host *host, const char *effect, uint64_t calls)
{
    load own = {.effect = pawl_catalog_effect(host->assembly.catalog, (pawl_bytes){effect, strlen(effect)}),
                .pool = pawl_effect_pool_create(THREADS, host->clock, &host->log)};
    if (own.effect == NULL || own.pool == NULL)
        out_of("no such effect, or no memory");
    pthread_mutex_init(&own.lock, NULL);
    pthread_cond_init(&own.ended, NULL);
    (void)run(&own, calls / 10 + TOGETHER, TOGETHER); /* threads are there then */
    figures found = {.p50_us = median_us(&own, calls / 10 + 1)};
    found.calls_per_s = (double)calls * 1e9 / (double)run(&own, calls, TOGETHER);
    if (!pawl_effect_pool_stop(own.pool, host->clock->mono_ns(host->clock) + 10000000000u))
        out_of("calls do not end");
    pawl_effect_pool_destroy(own.pool);
    pthread_cond_destroy(&own.ended);
    pthread_mutex_destroy(&own.lock);
    return found;
}

/* In turns, so that a busy minute of the machine is in both; the medians. */
static void compare(pawl_host *inside, pawl_host *outside, const char *effect, uint64_t calls)
{
    double p50[2][ROUNDS], rate[2][ROUNDS];
    for (int round = 0; round < ROUNDS; round++)
        for (int mode = 0; mode < 2; mode++) {
            figures found = measure(mode == 0 ? inside : outside, effect, calls);
            p50[mode][round] = found.p50_us;
            rate[mode][round] = found.calls_per_s;
        }
    double in_us = middle(p50[0]), out_us = middle(p50[1]), in_rate = middle(rate[0]), out_rate = middle(rate[1]);
    printf("{\"bench\":\"isolated\",\"effect\":\"%s\",\"calls\":%llu,\"inside_p50_us\":%.2f,\"isolated_p50_us\":%.2f,"
           "\"ratio_p50\":%.2f,\"added_us\":%.2f,\"inside_calls_per_s\":%.0f,\"isolated_calls_per_s\":%.0f,"
           "\"ratio_calls\":%.2f}\n",
           effect, (unsigned long long)calls, in_us, out_us, out_us / in_us, out_us - in_us, in_rate, out_rate,
           out_rate / in_rate);
}

int main(int argc, char **argv)
{
    char directory[] = "/tmp/pawl-isolate-bench-XXXXXX";
    char command[100];
    uint64_t calls = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000;
    if (argc < 2 || calls < TOGETHER || mkdtemp(directory) == NULL)
        out_of("wanted: PLUGIN [CALLS, at least 64], and a place in /tmp");
    pawl_host *inside = open_host(argv[1], directory, false);
    pawl_host *outside = open_host(argv[1], directory, true);
    compare(inside, outside, "echo.pool", calls);
    compare(inside, outside, "echo.async", calls);
    pawl_host_close(outside);
    pawl_host_close(inside);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE; /* NOLINT(cert-env33-c): a path made here */
}
