/* bench_ends.c: hearing of the ends of many processes, with nothing kept for each: by following the host, or over the
 * stream of a server. Never calls back after it was closed. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "host/api/client.h"
#include "host/cli/bench.h"

struct pawl_bench_ends {
    char tag[PAWL_BENCH_TAG_ROOM];
    pawl_bench_on_end on_end;
    void *context;
    pawl_follow *follow;     /* of a host */
    const char *socket_path; /* of a server, listened to in a thread */
    pthread_t thread;
    bool has_thread;
    atomic_bool stop;
    pthread_mutex_t lock; /* guards the members below */
    pthread_cond_t changed;
    bool listening; /* or it never will be */
    bool over;
    pawl_error error;
};

static void on_host_end(void *context, const pawl_end *end)
{
    pawl_bench_ends *ends = context;
    size_t size = strlen(ends->tag);
    if (strncmp(end->id, ends->tag, size) == 0)
        ends->on_end(ends->context, strtoull(end->id + size, NULL, 10), end->outcome.status == PAWL_COMPLETED,
                     end->outcome.output);
}

static void now_listening(pawl_bench_ends *ends)
{
    pthread_mutex_lock(&ends->lock);
    ends->listening = true;
    pthread_cond_broadcast(&ends->changed);
    pthread_mutex_unlock(&ends->lock);
}

/* A line of the stream. Not parsed as JSON: what is measured is the server, not this program. */
static bool on_line(void *context, const char *line, size_t size)
{
    pawl_bench_ends *ends = context;
    (void)size;
    const char *id = strstr(line, "\"id\":\"");
    if (id != NULL)
        ends->on_end(ends->context, strtoull(id + 6 + strlen(ends->tag), NULL, 10),
                     strstr(line, "\"status\":\"completed\"") != NULL, (pawl_bytes){"", 0});
    else
        now_listening(ends);
    return !atomic_load(&ends->stop);
}

static void *listen_thread(void *context)
{
    pawl_bench_ends *ends = context;
    pawl_client *client = NULL;
    char path[128];
    snprintf(path, sizeof path, "/v1/ends?prefix=%s&heartbeat_ms=1000", ends->tag);
    pawl_error error = {0};
    pawl_status status = pawl_client_open(ends->socket_path, NULL, &client, &error);
    if (status == PAWL_OK)
        status = pawl_client_stream(client, path, on_line, ends, &error);
    pawl_client_close(client);
    if (status == PAWL_OK)
        pawl_bench_fail(&error, "bench.stream", "the stream of ends has ended early");
    pthread_mutex_lock(&ends->lock);
    ends->over = true;
    ends->error = error;
    pthread_cond_broadcast(&ends->changed);
    pthread_mutex_unlock(&ends->lock);
    return NULL;
}

static pawl_status listen_to_server(pawl_bench_ends *ends, pawl_error *error)
{
    if (pthread_create(&ends->thread, NULL, listen_thread, ends) != 0)
        return pawl_bench_fail(error, "bench.no_thread", "a thread cannot be started");
    ends->has_thread = true;
    pthread_mutex_lock(&ends->lock);
    while (!ends->listening && !ends->over)
        pthread_cond_wait(&ends->changed, &ends->lock);
    bool over = ends->over;
    if (over)
        *error = ends->error;
    pthread_mutex_unlock(&ends->lock);
    return over ? error->status : PAWL_OK;
}

pawl_status pawl_bench_ends_open(pawl_bench *bench, const char *tag, pawl_bench_on_end on_end, void *context,
                                 pawl_bench_ends **ret, pawl_error *error)
{
    pawl_bench_ends *ends = calloc(1, sizeof *ends);
    if (ends == NULL)
        return pawl_bench_no_memory(error);
    snprintf(ends->tag, sizeof ends->tag, "%s", tag);
    ends->on_end = on_end;
    ends->context = context;
    ends->socket_path = bench->socket_path;
    atomic_init(&ends->stop, false);
    pthread_mutex_init(&ends->lock, NULL);
    pthread_cond_init(&ends->changed, NULL);
    pawl_status status = ends->socket_path != NULL
                             ? listen_to_server(ends, error)
                             : pawl_host_follow(bench->host, on_host_end, ends, &ends->follow, error);
    if (status != PAWL_OK) {
        pawl_bench_ends_close(ends);
        return status;
    }
    *ret = ends;
    return PAWL_OK;
}

pawl_bench_ends *pawl_bench_ends_close(pawl_bench_ends *ends)
{
    if (ends == NULL)
        return NULL;
    atomic_store(&ends->stop, true);
    pawl_host_unfollow(ends->follow);
    if (ends->has_thread)
        pthread_join(ends->thread, NULL);
    pthread_cond_destroy(&ends->changed);
    pthread_mutex_destroy(&ends->lock);
    free(ends);
    return NULL;
}
