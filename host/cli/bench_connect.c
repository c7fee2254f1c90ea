/* bench_connect.c: the load of bench.h from outside, through the socket of a `pawl serve`: starts in batches over a few
 * connections, each acknowledged when it is durable; ends over one stream. Never counts a process as ended of which the
 * stream has not told. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/api/client.h"
#include "host/cli/bench.h"

#define STARTERS  2u
#define BATCH_MAX 256u
#define ANSWER_MS 60000u

typedef struct link_run {
    const char *socket_path;
    const pawl_bench_load *load;
    char tag[PAWL_BENCH_TAG_ROOM];
    pthread_mutex_t lock; /* guards the members below */
    pthread_cond_t changed;
    bool listening; /* the stream has begun */
    uint64_t begun;
    uint64_t ended;
    uint64_t *begun_ns; /* by number of the process */
    uint64_t *latencies_ns;
    pawl_status status; /* what went wrong first */
    pawl_error error;
} link_run;

static void failed(link_run *r, const pawl_error *error)
{
    pthread_mutex_lock(&r->lock);
    if (r->status == PAWL_OK) {
        r->status = error->status;
        r->error = *error;
    }
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void failed_with(link_run *r, const char *what, const char *detail, size_t size)
{
    pawl_error error = {0};
    pawl_bench_fail(&error, "bench.failed", "%s: %.*s", what, (int)(size < 500 ? size : 500), detail);
    failed(r, &error);
}

/* A line of the stream. Not parsed as JSON: what is measured is the server, not this program. */
static bool on_line(void *context, const char *line, size_t size)
{
    link_run *r = context;
    const char *id = strstr(line, "\"id\":\"");
    if (id == NULL) {
        if (strncmp(line, "{\"heartbeat\"", 12) != 0)
            failed_with(r, "the stream of ends", line, size);
        pthread_mutex_lock(&r->lock);
        r->listening = true;
        bool go_on = r->status == PAWL_OK;
        pthread_cond_broadcast(&r->changed);
        pthread_mutex_unlock(&r->lock);
        return go_on;
    }
    uint64_t number = strtoull(id + 6 + strlen(r->tag), NULL, 10);
    if (number >= r->load->processes || strstr(line, "\"status\":\"completed\"") == NULL) {
        failed_with(r, "a process did not complete", line, size);
        return false;
    }
    uint64_t now = pawl_bench_now_ns();
    pthread_mutex_lock(&r->lock);
    r->latencies_ns[r->ended++] = now - r->begun_ns[number];
    bool more = r->ended < r->load->processes && r->status == PAWL_OK;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return more;
}

static void *listen_thread(void *context)
{
    link_run *r = context;
    pawl_error error = {0};
    pawl_client *client = NULL;
    char path[128];
    snprintf(path, sizeof path, "/v1/ends?prefix=%s&heartbeat_ms=1000", r->tag);
    pawl_status status = pawl_client_open(r->socket_path, NULL, &client, &error);
    if (status == PAWL_OK)
        status = pawl_client_stream(client, path, on_line, r, &error);
    pawl_client_close(client);
    if (status != PAWL_OK)
        failed(r, &error);
    pthread_mutex_lock(&r->lock);
    bool early = r->ended < r->load->processes && r->status == PAWL_OK;
    pthread_mutex_unlock(&r->lock);
    if (early)
        failed_with(r, "the stream of ends", "it has ended early", 18);
    return NULL;
}

/* How many to start now, and the first one's number; 0: all are. */
static uint64_t take(link_run *r, uint64_t *first)
{
    pthread_mutex_lock(&r->lock);
    uint64_t room = 0;
    while (r->status == PAWL_OK && r->begun < r->load->processes) {
        room = r->listening ? r->load->concurrency - (r->begun - r->ended) : 0;
        if (room > 0)
            break;
        pthread_cond_wait(&r->changed, &r->lock);
    }
    uint64_t left = r->load->processes - r->begun;
    room = r->status != PAWL_OK ? 0 : room < left ? room : left;
    room = room < BATCH_MAX ? room : BATCH_MAX;
    *first = r->begun;
    uint64_t now = pawl_bench_now_ns();
    for (uint64_t i = 0; i < room; i++)
        r->begun_ns[r->begun++] = now;
    pthread_mutex_unlock(&r->lock);
    return room;
}

static pawl_status start_batch(link_run *r, pawl_client *client, uint64_t first, uint64_t count, pawl_error *error)
{
    json_t *batch = json_array();
    for (uint64_t i = first; i < first + count; i++) {
        char id[PAWL_BENCH_ID_ROOM];
        pawl_bench_id(id, r->tag, i);
        json_array_append_new(
            batch, json_pack("{s:s, s:s, s:s}", "type", r->load->type, "id", id, "input_text", r->load->input));
    }
    json_t *body = json_pack("{s:o}", "batch", batch);
    pawl_client_reply reply = {0};
    pawl_status status = pawl_client_call(client, "POST", "/v1/processes", body, ANSWER_MS, &reply, error);
    json_decref(body);
    if (status != PAWL_OK)
        return status;
    size_t i;
    json_t *result;
    json_array_foreach(json_object_get(reply.json, "results"), i, result)
    {
        const json_t *why = json_object_get(result, "error");
        if (why != NULL && status == PAWL_OK)
            status = pawl_bench_fail(error, "bench.refused", "a start was refused: %s",
                                     json_string_value(json_object_get(why, "message")));
    }
    pawl_client_reply_finish(&reply);
    return status;
}

/* A start that is acknowledged is all that is wanted of it. */
static void acknowledged(link_run *r, uint64_t first, uint64_t count)
{
    uint64_t now = pawl_bench_now_ns();
    pthread_mutex_lock(&r->lock);
    for (uint64_t i = first; i < first + count; i++)
        r->latencies_ns[r->ended++] = now - r->begun_ns[i];
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void *start_thread(void *context)
{
    link_run *r = context;
    pawl_error error = {0};
    pawl_client *client = NULL;
    pawl_status status = pawl_client_open(r->socket_path, NULL, &client, &error);
    uint64_t first;
    uint64_t count;
    while (status == PAWL_OK && (count = take(r, &first)) > 0) {
        status = start_batch(r, client, first, count, &error);
        if (status == PAWL_OK && r->load->starts_only)
            acknowledged(r, first, count);
    }
    pawl_client_close(client);
    if (status != PAWL_OK)
        failed(r, &error);
    return NULL;
}

static void drive(link_run *r)
{
    pthread_t threads[STARTERS + 1];
    size_t wanted = r->load->starts_only ? STARTERS : STARTERS + 1;
    size_t count = 0;
    r->listening = r->load->starts_only;
    while (count < wanted &&
           pthread_create(&threads[count], NULL, count < STARTERS ? start_thread : listen_thread, r) == 0)
        count++;
    if (count < wanted) {
        pawl_error error = {PAWL_E_FAILED, "bench.no_thread", "a thread cannot be started"};
        failed(r, &error);
    }
    while (count > 0)
        pthread_join(threads[--count], NULL);
}

pawl_status pawl_bench_run_connected(const char *socket_path, const pawl_bench_load *load, pawl_bench_result *ret,
                                     pawl_error *error)
{
    link_run r = {.socket_path = socket_path, .load = load};
    r.begun_ns = calloc(load->processes, sizeof *r.begun_ns);
    r.latencies_ns = calloc(load->processes, sizeof *r.latencies_ns);
    if (r.begun_ns == NULL || r.latencies_ns == NULL) {
        free(r.begun_ns);
        free(r.latencies_ns);
        return pawl_bench_no_memory(error);
    }
    if (load->tag == NULL)
        pawl_bench_tag(r.tag);
    else
        snprintf(r.tag, sizeof r.tag, "%s", load->tag);
    pthread_mutex_init(&r.lock, NULL);
    pthread_cond_init(&r.changed, NULL);
    uint64_t begun_ns = pawl_bench_now_ns();
    drive(&r);
    ret->elapsed_ns = pawl_bench_now_ns() - begun_ns;
    ret->completed = r.ended;
    pawl_bench_percentiles(r.latencies_ns, r.ended, ret);
    pthread_cond_destroy(&r.changed);
    pthread_mutex_destroy(&r.lock);
    free(r.begun_ns);
    free(r.latencies_ns);
    if (r.status != PAWL_OK)
        *error = r.error;
    return r.status;
}
