/* bench_signal.c: how long it takes from sending a signal until the end of the process that waited for it is known. All
 * processes wait before the first signal is sent, so that no start is in what is measured. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "host/api/client.h"
#include "host/cli/bench.h"

#define SENDERS_MAX 256u
#define ANSWER_MS   60000u
#define PATIENCE_S  60

typedef struct sender {
    struct signals *all;
    pthread_t thread;
    pthread_cond_t told;
    uint64_t number; /* of the process whose end is waited for; guarded by the lock of all, like ended */
    bool ended;
} sender;

typedef struct signals {
    pawl_bench *bench;
    char tag[PAWL_BENCH_TAG_ROOM];
    sender *senders;
    size_t sender_count;
    pthread_mutex_t lock; /* guards the members below */
    uint64_t next;
    uint64_t ended;
    uint64_t *latencies_ns;
    pawl_status status; /* what went wrong first */
    pawl_error error;
} signals;

static void failed(signals *all, const pawl_error *error)
{
    pthread_mutex_lock(&all->lock);
    if (all->status == PAWL_OK) {
        all->error = *error;
        all->status = error->status < 0 ? error->status : PAWL_E_FAILED;
    }
    pthread_mutex_unlock(&all->lock);
}

static void on_end(void *context, uint64_t number, bool completed, pawl_bytes output)
{
    signals *all = context;
    (void)output;
    if (!completed) {
        pawl_error error = {0};
        pawl_bench_fail(&error, "bench.not_completed", "a process that got its signal did not complete");
        failed(all, &error);
    }
    pthread_mutex_lock(&all->lock);
    for (size_t i = 0; i < all->sender_count; i++) {
        sender *s = &all->senders[i];
        if (s->number != number)
            continue;
        s->ended = true;
        pthread_cond_signal(&s->told);
        break;
    }
    pthread_mutex_unlock(&all->lock);
}

static pawl_status send_one(const signals *all, pawl_client *client, uint64_t number, pawl_error *error)
{
    char id[PAWL_BENCH_ID_ROOM];
    pawl_bench_id(id, all->tag, number);
    if (client == NULL)
        return pawl_host_signal(all->bench->host, id, "go", (pawl_bytes){"1", 1}, "go", NULL, error);
    char path[PAWL_BENCH_ID_ROOM + 32];
    snprintf(path, sizeof path, "/v1/processes/%s/signals", id);
    pawl_client_reply reply = {0};
    json_t *body = json_pack("{s:s, s:i, s:s}", "name", "go", "payload", 1, "id", "go");
    pawl_status status = pawl_client_call(client, "POST", path, body, ANSWER_MS, &reply, error);
    json_decref(body);
    pawl_client_reply_finish(&reply);
    return status;
}

/* The next process to signal; false: there is none. */
static bool take(signals *all, sender *s)
{
    pthread_mutex_lock(&all->lock);
    bool more = all->status == PAWL_OK && all->next < all->bench->processes;
    if (more) {
        s->number = all->next++;
        s->ended = false;
    }
    pthread_mutex_unlock(&all->lock);
    return more;
}

static pawl_status wait_for_end(signals *all, sender *s, uint64_t sent_ns, pawl_error *error)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&all->lock);
    int waited = 0;
    while (!s->ended && waited == 0)
        waited = pthread_cond_timedwait(&s->told, &all->lock, &until);
    if (s->ended)
        all->latencies_ns[all->ended++] = pawl_bench_now_ns() - sent_ns;
    bool ended = s->ended;
    pthread_mutex_unlock(&all->lock);
    return ended ? PAWL_OK
                 : pawl_bench_fail(error, "bench.late", "a signal did not end its process in %d s", PATIENCE_S);
}

static void *sender_thread(void *context)
{
    sender *s = context;
    signals *all = s->all;
    pawl_error error = {0};
    pawl_client *client = NULL;
    pawl_status status = PAWL_OK;
    if (all->bench->socket_path != NULL)
        status = pawl_client_open(all->bench->socket_path, NULL, &client, &error);
    while (status == PAWL_OK && take(all, s)) {
        uint64_t sent_ns = pawl_bench_now_ns();
        status = send_one(all, client, s->number, &error);
        if (status == PAWL_OK)
            status = wait_for_end(all, s, sent_ns, &error);
    }
    pawl_client_close(client);
    if (status != PAWL_OK)
        failed(all, &error);
    return NULL;
}

static void send_all(signals *all)
{
    size_t running = 0;
    while (running < all->sender_count &&
           pthread_create(&all->senders[running].thread, NULL, sender_thread, &all->senders[running]) == 0)
        running++;
    if (running < all->sender_count) {
        pawl_error error = {0};
        pawl_bench_fail(&error, "bench.no_thread", "a thread cannot be started");
        failed(all, &error);
    }
    while (running > 0)
        pthread_join(all->senders[--running].thread, NULL);
}

static pawl_status start_all(signals *all, pawl_error *error)
{
    pawl_bench *bench = all->bench;
    const pawl_bench_load load = {.type = bench->name,
                                  .input = bench->input,
                                  .tag = all->tag,
                                  .starts_only = true,
                                  .processes = bench->processes,
                                  .concurrency = 64};
    pawl_bench_result starts = {0};
    uint64_t waiting = 0;
    pawl_status status = pawl_bench_waiting(bench, &waiting, error);
    if (status == PAWL_OK)
        status = pawl_bench_run(bench, &load, &starts, error);
    return status == PAWL_OK ? pawl_bench_wait_for_waiting(bench, waiting + bench->processes, error) : status;
}

static pawl_status run(signals *all, pawl_bench_result *ret, pawl_error *error)
{
    pawl_bench_ends *ends = NULL;
    pawl_status status = start_all(all, error);
    if (status == PAWL_OK)
        status = pawl_bench_ends_open(all->bench, all->tag, on_end, all, &ends, error);
    if (status != PAWL_OK)
        return status;
    uint64_t begun_ns = pawl_bench_now_ns();
    send_all(all);
    ret->elapsed_ns = pawl_bench_now_ns() - begun_ns;
    pawl_bench_ends_close(ends);
    ret->completed = all->ended;
    pawl_bench_percentiles(all->latencies_ns, all->ended, ret);
    if (all->status != PAWL_OK)
        *error = all->error;
    return all->status;
}

pawl_status pawl_bench_signal(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error)
{
    (void)line;
    uint64_t most = bench->concurrency < bench->processes ? bench->concurrency : bench->processes;
    signals all = {.bench = bench, .sender_count = most < SENDERS_MAX ? most : SENDERS_MAX};
    bench->concurrency = all.sender_count;
    all.senders = calloc(all.sender_count, sizeof *all.senders);
    all.latencies_ns = calloc(bench->processes, sizeof *all.latencies_ns);
    if (all.senders == NULL || all.latencies_ns == NULL) {
        free(all.senders);
        free(all.latencies_ns);
        return pawl_bench_no_memory(error);
    }
    pawl_bench_tag(all.tag);
    pthread_mutex_init(&all.lock, NULL);
    for (size_t i = 0; i < all.sender_count; i++) {
        all.senders[i].all = &all;
        all.senders[i].number = UINT64_MAX;
        pthread_cond_init(&all.senders[i].told, NULL);
    }
    pawl_status status = run(&all, ret, error);
    for (size_t i = 0; i < all.sender_count; i++)
        pthread_cond_destroy(&all.senders[i].told);
    pthread_mutex_destroy(&all.lock);
    free(all.senders);
    free(all.latencies_ns);
    return status;
}
