/* bench_load.c: the load of bench.h on a host in this program. Uses the asynchronous calls, so that a process in flight
 * costs no thread. Never blocks in a callback. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/bench.h"

typedef struct slot {
    struct run *run;
    uint64_t begun_ns;
    char id[257];
} slot;

typedef struct run {
    pawl_host *host;
    const pawl_bench_load *load;
    pthread_mutex_t lock; /* guards the members below */
    pthread_cond_t changed;
    uint64_t begun;
    uint64_t ended;
    uint64_t active;
    uint64_t *latencies_ns;
    pawl_status status; /* what went wrong first */
    pawl_error error;
} run;

static void slot_failed(slot *s, pawl_status status, const pawl_error *error, const char *what)
{
    run *r = s->run;
    pthread_mutex_lock(&r->lock);
    if (r->status == PAWL_OK) {
        r->status = status < 0 ? status : PAWL_E_FAILED;
        r->error.status = r->status;
        snprintf(r->error.code, sizeof r->error.code, "%s", error == NULL ? "bench.failed" : error->code);
        snprintf(r->error.message, sizeof r->error.message, "%s: %.1800s", what, error == NULL ? "" : error->message);
    }
    r->active--;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void next_process(slot *s);

static void one_done(slot *s)
{
    run *r = s->run;
    uint64_t now = pawl_bench_now_ns();
    pthread_mutex_lock(&r->lock);
    r->latencies_ns[r->ended++] = now - s->begun_ns;
    pthread_mutex_unlock(&r->lock);
    next_process(s);
}

static void on_outcome(void *context, pawl_status status, const pawl_outcome *outcome, const pawl_error *error)
{
    slot *s = context;
    if (status != PAWL_OK || outcome->status != PAWL_COMPLETED) {
        pawl_error ended = {PAWL_E_FAILED, "bench.not_completed", ""};
        if (status == PAWL_OK)
            snprintf(ended.message, sizeof ended.message, "%.*s", (int)outcome->message.size,
                     (const char *)outcome->message.data);
        slot_failed(s, status, status == PAWL_OK ? &ended : error, "a process did not complete");
        return;
    }
    const pawl_bench_load *load = s->run->load;
    if (load->on_output != NULL)
        load->on_output(load->context, outcome->output);
    one_done(s);
}

static void wait_for_end(slot *s)
{
    pawl_error error = {0};
    pawl_status status = pawl_host_wait_async(s->run->host, s->id, on_outcome, s, NULL, &error);
    if (status < 0)
        slot_failed(s, status, &error, "waiting for a process");
}

static void on_started(void *context, pawl_status status, const pawl_started *started, const pawl_error *error)
{
    slot *s = context;
    run *r = s->run;
    if (status != PAWL_OK) {
        slot_failed(s, status, error, "starting a process");
        return;
    }
    if (r->load->starts_only) {
        one_done(s);
        return;
    }
    memcpy(s->id, started->id, sizeof s->id);
    wait_for_end(s);
}

static void fill_start(slot *s, uint64_t number, pawl_start *start, char *id, char *input, size_t input_room)
{
    const pawl_bench_load *load = s->run->load;
    start->type = load->type;
    start->key = load->key;
    if (load->tag != NULL) {
        pawl_bench_id(id, load->tag, number);
        start->id = id;
    }
    start->input = (pawl_bytes){load->input, strlen(load->input)};
    if (load->numbered) {
        snprintf(input, input_room, "[%" PRIu64 ",%s]", number, load->input);
        start->input = (pawl_bytes){input, strlen(input)};
    }
}

static void next_process(slot *s)
{
    run *r = s->run;
    pthread_mutex_lock(&r->lock);
    bool more = r->begun < r->load->processes && r->status == PAWL_OK;
    uint64_t number = r->begun;
    if (more)
        r->begun++;
    else
        r->active--;
    if (r->active == 0)
        pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    if (!more)
        return;
    char id[PAWL_BENCH_ID_ROOM];
    char input[4300];
    pawl_error error = {0};
    pawl_start start = {.struct_size = sizeof start};
    fill_start(s, number, &start, id, input, sizeof input);
    s->begun_ns = pawl_bench_now_ns();
    pawl_status status = pawl_host_start_async(r->host, &start, on_started, s, &error);
    if (status != PAWL_PENDING)
        slot_failed(s, status, &error, "starting a process");
}

static void drive(run *r, slot *slots, uint64_t count)
{
    r->active = count;
    for (uint64_t i = 0; i < count; i++) {
        slots[i].run = r;
        next_process(&slots[i]);
    }
    pthread_mutex_lock(&r->lock);
    while (r->active > 0)
        pthread_cond_wait(&r->changed, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

pawl_status pawl_bench_run(pawl_bench *bench, const pawl_bench_load *load, pawl_bench_result *ret, pawl_error *error)
{
    if (bench->socket_path != NULL)
        return pawl_bench_run_connected(bench->socket_path, load, ret, error);
    run r = {.host = bench->host, .load = load};
    uint64_t count = load->concurrency < load->processes ? load->concurrency : load->processes;
    slot *slots = calloc(count, sizeof *slots);
    r.latencies_ns = calloc(load->processes, sizeof *r.latencies_ns);
    if (slots == NULL || r.latencies_ns == NULL) {
        free(slots);
        free(r.latencies_ns);
        return pawl_bench_no_memory(error);
    }
    pthread_mutex_init(&r.lock, NULL);
    pthread_cond_init(&r.changed, NULL);
    uint64_t begun_ns = pawl_bench_now_ns();
    drive(&r, slots, count);
    ret->elapsed_ns = pawl_bench_now_ns() - begun_ns;
    ret->completed = r.ended;
    if (r.status == PAWL_OK)
        pawl_bench_percentiles(r.latencies_ns, r.ended, ret);
    else
        *error = r.error;
    pthread_cond_destroy(&r.changed);
    pthread_mutex_destroy(&r.lock);
    free(slots);
    free(r.latencies_ns);
    return r.status;
}
