/* bench_load.c: see bench.h. Uses the asynchronous calls, so that a process in flight costs no thread; only signals, of
 * which the API has no asynchronous form, are sent by a few threads. Never blocks in a callback. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/bench.h"

#define SENDERS 16u

typedef struct slot {
    struct run *run;
    struct slot *queued; /* of the senders */
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
    slot *first; /* for the senders */
    slot *last;
    bool stop;
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

static void on_outcome(void *context, pawl_status status, const pawl_outcome *outcome, const pawl_error *error)
{
    slot *s = context;
    run *r = s->run;
    uint64_t now = pawl_bench_now_ns();
    if (status != PAWL_OK || outcome->status != PAWL_COMPLETED) {
        pawl_error ended = {PAWL_E_FAILED, "bench.not_completed", ""};
        if (status == PAWL_OK)
            snprintf(ended.message, sizeof ended.message, "%.*s", (int)outcome->message.size,
                     (const char *)outcome->message.data);
        slot_failed(s, status, status == PAWL_OK ? &ended : error, "a process did not complete");
        return;
    }
    pthread_mutex_lock(&r->lock);
    r->latencies_ns[r->ended++] = now - s->begun_ns;
    pthread_mutex_unlock(&r->lock);
    next_process(s);
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
    memcpy(s->id, started->id, sizeof s->id);
    if (!r->load->signal) {
        wait_for_end(s);
        return;
    }
    pthread_mutex_lock(&r->lock);
    s->queued = NULL;
    if (r->last != NULL)
        r->last->queued = s;
    else
        r->first = s;
    r->last = s;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void next_process(slot *s)
{
    run *r = s->run;
    pthread_mutex_lock(&r->lock);
    bool more = r->begun < r->load->processes && r->status == PAWL_OK;
    if (more)
        r->begun++;
    else
        r->active--;
    if (r->active == 0)
        pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    if (!more)
        return;
    pawl_error error = {0};
    pawl_start start = {.struct_size = sizeof start, .type = r->load->type};
    start.input = (pawl_bytes){r->load->input, strlen(r->load->input)};
    s->begun_ns = pawl_bench_now_ns();
    pawl_status status = pawl_host_start_async(r->host, &start, on_started, s, &error);
    if (status != PAWL_PENDING)
        slot_failed(s, status, &error, "starting a process");
}

static void *sender_thread(void *context)
{
    run *r = context;
    pthread_mutex_lock(&r->lock);
    while (!r->stop) {
        slot *s = r->first;
        if (s == NULL) {
            pthread_cond_wait(&r->changed, &r->lock);
            continue;
        }
        r->first = s->queued;
        if (r->first == NULL)
            r->last = NULL;
        pthread_mutex_unlock(&r->lock);
        pawl_error error = {0};
        pawl_bytes payload = {"1", 1};
        pawl_status status = pawl_host_signal(r->host, s->id, "go", payload, "go", NULL, &error);
        if (status != PAWL_OK)
            slot_failed(s, status, &error, "sending a signal");
        else
            wait_for_end(s);
        pthread_mutex_lock(&r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static void drive(run *r, slot *slots, uint64_t count)
{
    pthread_t senders[SENDERS];
    size_t sender_count = 0;
    while (r->load->signal && sender_count < SENDERS &&
           pthread_create(&senders[sender_count], NULL, sender_thread, r) == 0)
        sender_count++;
    r->active = count;
    for (uint64_t i = 0; i < count; i++) {
        slots[i].run = r;
        next_process(&slots[i]);
    }
    pthread_mutex_lock(&r->lock);
    while (r->active > 0)
        pthread_cond_wait(&r->changed, &r->lock);
    r->stop = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < sender_count; i++)
        pthread_join(senders[i], NULL);
}

pawl_status pawl_bench_run(pawl_host *host, const pawl_bench_load *load, pawl_bench_result *ret, pawl_error *error)
{
    run r = {.host = host, .load = load};
    uint64_t count = load->concurrency < load->processes ? load->concurrency : load->processes;
    slot *slots = calloc(count, sizeof *slots);
    r.latencies_ns = calloc(load->processes, sizeof *r.latencies_ns);
    if (slots == NULL || r.latencies_ns == NULL) {
        free(slots);
        free(r.latencies_ns);
        *error = (pawl_error){PAWL_E_NOMEM, "bench.no_memory", "out of memory for the benchmark"};
        return PAWL_E_NOMEM;
    }
    pthread_mutex_init(&r.lock, NULL);
    pthread_cond_init(&r.changed, NULL);
    uint64_t begun_ns = pawl_bench_now_ns();
    drive(&r, slots, count);
    ret->elapsed_ns = pawl_bench_now_ns() - begun_ns;
    ret->completed = r.ended;
    if (r.status == PAWL_OK) {
        pawl_bench_sort(r.latencies_ns, r.ended);
        ret->p50_ns = r.latencies_ns[r.ended / 2];
        ret->p99_ns = r.latencies_ns[(r.ended * 99) / 100];
    }
    pthread_cond_destroy(&r.changed);
    pthread_mutex_destroy(&r.lock);
    free(slots);
    free(r.latencies_ns);
    *error = r.error;
    return r.status;
}
