/* bench_state.c: the host of a benchmark, or the server that stands for it: opening it, and what it says of itself. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "host/api/client.h"
#include "host/cli/bench.h"
#include "host/cli/bench_plugin.h"

#define ANSWER_MS   60000u
#define PATIENCE_NS 60000000000u

pawl_status pawl_bench_open(pawl_bench *bench, pawl_error *error)
{
    static const pawl_plugin_entry_fn plugins[] = {pawl_bench_plugin, pawl_bench_around};
    pawl_host_options options = {.struct_size = sizeof options, .profile_text = bench->profile};
    options.static_plugins = plugins;
    options.static_plugin_count = sizeof plugins / sizeof *plugins;
    options.no_worker = bench->no_worker;
    uint64_t begun_ns = pawl_bench_now_ns();
    pawl_status status = pawl_host_open(&options, &bench->host, error);
    bench->open_ms = (double)(pawl_bench_now_ns() - begun_ns) / 1e6;
    return status;
}

void pawl_bench_close(pawl_bench *bench)
{
    bench->host = pawl_host_close(bench->host);
}

/* Of the server, which is another program. */
static pawl_status ask_server(const char *socket_path, json_t **ret, long *ret_pid, pawl_error *error)
{
    pawl_client *client = NULL;
    pawl_client_reply health = {0};
    pawl_client_reply host = {0};
    pawl_status status = pawl_client_open(socket_path, NULL, &client, error);
    if (status == PAWL_OK)
        status = pawl_client_call(client, "GET", "/v1/health", NULL, ANSWER_MS, &health, error);
    if (status == PAWL_OK)
        status = pawl_client_call(client, "GET", "/v1/host", NULL, ANSWER_MS, &host, error);
    if (status == PAWL_OK) {
        *ret_pid = (long)json_integer_value(json_object_get(health.json, "pid"));
        *ret = json_incref(host.json);
    }
    pawl_client_reply_finish(&health);
    pawl_client_reply_finish(&host);
    pawl_client_close(client);
    return status;
}

pawl_status pawl_bench_describe(pawl_bench *bench, json_t **ret, long *ret_pid, pawl_error *error)
{
    if (bench->socket_path != NULL)
        return ask_server(bench->socket_path, ret, ret_pid, error);
    pawl_text text = {0};
    pawl_status status = pawl_host_describe(bench->host, &text, error);
    if (status != PAWL_OK)
        return status;
    *ret = json_loadb(text.data, text.size, 0, NULL);
    *ret_pid = (long)getpid();
    pawl_text_free(&text);
    return *ret == NULL ? pawl_bench_no_memory(error) : PAWL_OK;
}

pawl_status pawl_bench_waiting(pawl_bench *bench, uint64_t *ret, pawl_error *error)
{
    json_t *host = NULL;
    long pid;
    pawl_status status = pawl_bench_describe(bench, &host, &pid, error);
    if (status == PAWL_OK)
        *ret = (uint64_t)json_integer_value(json_object_get(json_object_get(host, "counts"), "waiting"));
    json_decref(host);
    return status;
}

pawl_status pawl_bench_wait_for_waiting(pawl_bench *bench, uint64_t wanted, pawl_error *error)
{
    uint64_t most = 0;
    uint64_t most_ns = pawl_bench_now_ns();
    for (;;) {
        uint64_t waiting = 0;
        pawl_status status = pawl_bench_waiting(bench, &waiting, error);
        if (status != PAWL_OK || waiting >= wanted)
            return status;
        if (waiting > most) {
            most = waiting;
            most_ns = pawl_bench_now_ns();
        } else if (pawl_bench_now_ns() - most_ns > PATIENCE_NS) {
            return pawl_bench_fail(error, "bench.not_waiting", "%" PRIu64 " processes wait; wanted %" PRIu64, waiting,
                                   wanted);
        }
        pawl_bench_sleep_ms(10);
    }
}
