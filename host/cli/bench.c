/* bench.c: `pawl bench ...`: a host of its own over a store of its own, the load, one line of JSON. Never touches a
 * store that is in use: without --dir it makes a directory and removes it. */
#include "host/cli/bench.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/cli/bench_plugin.h"
#include "host/cli/cli.h"

typedef struct bench {
    pawl_cli *cli;
    pawl_bench_load load;
    uint64_t steps;
    uint64_t shards;
    const char *store;
    char input[32];
    char directory[4096];
    bool remove_directory;
} bench;

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *place)
{
    (void)found;
    (void)kind;
    (void)place;
    return remove(path);
}

static int make_directory(bench *b)
{
    const char *given = pawl_cli_value(b->cli, "dir");
    if (given != NULL) {
        snprintf(b->directory, sizeof b->directory, "%s", given);
        mkdir(given, 0700);
        return access(given, W_OK) == 0
                   ? PAWL_EXIT_OK
                   : pawl_cli_fail(b->cli, PAWL_EXIT_FAILED, "bench.dir", "%s cannot be used", given);
    }
    const char *base = getenv("TMPDIR");
    snprintf(b->directory, sizeof b->directory, "%s/pawl-bench-XXXXXX",
             base == NULL || base[0] == '\0' ? "/tmp" : base);
    b->remove_directory = mkdtemp(b->directory) != NULL;
    return b->remove_directory
               ? PAWL_EXIT_OK
               : pawl_cli_fail(b->cli, PAWL_EXIT_FAILED, "bench.dir", "%s cannot be made", b->directory);
}

/* JSON is YAML too. */
static char *profile_text(const bench *b)
{
    char path[4200];
    char socket_path[4200];
    bool memory = strcmp(b->store, "memory") == 0;
    bool sync = strcmp(b->store, "rocksdb") == 0;
    snprintf(path, sizeof path, "%s/store", b->directory);
    snprintf(socket_path, sizeof socket_path, "%s/pawl.sock", b->directory);
    json_t *store = memory
                        ? json_pack("{s:s}", "provider", "memory")
                        : json_pack("{s:s, s:{s:s, s:b}}", "provider", "rocksdb", "config", "path", path, "sync", sync);
    json_t *profile = json_pack("{s:s, s:s, s:s, s:s, s:{s:o}, s:{s:I}, s:{s:s}}", "profile", "bench", "tier",
                                memory ? "inline"
                                : sync ? "durable"
                                       : "crash_safe",
                                "data", b->directory, "socket", socket_path, "stores", "main", store, "worker",
                                "shards", (json_int_t)b->shards, "log", "level", "warn");
    char *text = profile == NULL ? NULL : json_dumps(profile, JSON_COMPACT);
    json_decref(profile);
    return text;
}

static void print_result(const bench *b, const pawl_bench_result *result, const pawl_bench_sample *before,
                         const pawl_bench_sample *after)
{
    double seconds = (double)result->elapsed_ns / 1e9;
    double processes_per_s = (double)result->completed / seconds;
    bool connected = pawl_cli_value(b->cli, "connect") != NULL;
    json_t *line =
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f}", "bench", b->load.type, "store",
                  connected ? "of the server" : b->store, "processes", (json_int_t)result->completed, "concurrency",
                  (json_int_t)b->load.concurrency, "steps", (json_int_t)b->steps, "seconds", seconds, "processes_per_s",
                  processes_per_s, "steps_per_s", processes_per_s * (double)b->steps, "p50_ms",
                  (double)result->p50_ns / 1e6, "p99_ms", (double)result->p99_ns / 1e6);
    pawl_bench_sample_put(line, before, after, result, b->steps);
    json_dumpf(line, b->cli->out, JSON_COMPACT | JSON_REAL_PRECISION(6));
    fputc('\n', b->cli->out);
    json_decref(line);
}

static void sample_self(pawl_host *host, pawl_bench_sample *ret)
{
    pawl_text text = {0};
    json_t *description =
        pawl_host_describe(host, &text, NULL) == PAWL_OK ? json_loadb(text.data, text.size, 0, NULL) : NULL;
    pawl_bench_sample_take((long)getpid(), description, ret);
    json_decref(description);
    pawl_text_free(&text);
}

/* Of the server, which is another program. */
static pawl_status sample_server(const char *socket_path, pawl_bench_sample *ret, pawl_error *error)
{
    pawl_client *client = NULL;
    pawl_client_reply health = {0};
    pawl_client_reply host = {0};
    pawl_status status = pawl_client_open(socket_path, NULL, &client, error);
    if (status == PAWL_OK)
        status = pawl_client_call(client, "GET", "/v1/health", NULL, 10000, &health, error);
    if (status == PAWL_OK)
        status = pawl_client_call(client, "GET", "/v1/host", NULL, 10000, &host, error);
    if (status == PAWL_OK)
        pawl_bench_sample_take((long)json_integer_value(json_object_get(health.json, "pid")), host.json, ret);
    pawl_client_reply_finish(&health);
    pawl_client_reply_finish(&host);
    pawl_client_close(client);
    return status;
}

static int run_on_host(const bench *b, const char *profile)
{
    static const pawl_plugin_entry_fn plugins[] = {pawl_bench_plugin};
    pawl_error error = {0};
    pawl_host *host = NULL;
    pawl_host_options options = {.struct_size = sizeof options, .profile_text = profile};
    options.static_plugins = plugins;
    options.static_plugin_count = 1;
    if (pawl_host_open(&options, &host, &error) != PAWL_OK)
        return pawl_cli_fail_error(b->cli, &error);
    pawl_bench_sample before;
    pawl_bench_sample after;
    pawl_bench_result result = {0};
    sample_self(host, &before);
    pawl_status status = pawl_bench_run(host, &b->load, &result, &error);
    sample_self(host, &after);
    if (status == PAWL_OK)
        print_result(b, &result, &before, &after);
    pawl_host_close(host);
    return status == PAWL_OK ? PAWL_EXIT_OK : pawl_cli_fail_error(b->cli, &error);
}

static int run_connected(const bench *b, const char *socket_path)
{
    pawl_error error = {0};
    pawl_bench_result result = {0};
    pawl_bench_sample before;
    pawl_bench_sample after;
    pawl_status status = sample_server(socket_path, &before, &error);
    if (status == PAWL_OK)
        status = pawl_bench_run_connected(socket_path, &b->load, &result, &error);
    if (status == PAWL_OK)
        status = sample_server(socket_path, &after, &error);
    if (status != PAWL_OK)
        return pawl_cli_fail_error(b->cli, &error);
    print_result(b, &result, &before, &after);
    return PAWL_EXIT_OK;
}

static int run_bench(bench *b)
{
    const char *socket_path = pawl_cli_value(b->cli, "connect");
    if (socket_path != NULL)
        return run_connected(b, socket_path);
    int status = make_directory(b);
    if (status != PAWL_EXIT_OK)
        return status;
    char *profile = profile_text(b);
    if (profile == NULL)
        status = pawl_cli_fail(b->cli, PAWL_EXIT_FAILED, "bench.no_memory", "out of memory, or %s is not UTF-8",
                               b->directory);
    else
        status = run_on_host(b, profile);
    free(profile);
    if (b->remove_directory)
        nftw(b->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}

static int bench_command(pawl_cli *cli, const char *type)
{
    bench *b = calloc(1, sizeof *b);
    if (b == NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "bench.no_memory", "out of memory");
    b->cli = cli;
    b->load.type = type;
    b->load.signal = strcmp(type, "bench.signal") == 0;
    b->store = pawl_cli_value(cli, "store") == NULL ? "rocksdb" : pawl_cli_value(cli, "store");
    bool good = pawl_cli_number(cli, "processes", 1, 100000000, 2000, &b->load.processes) &&
                pawl_cli_number(cli, "concurrency", 1, 100000, 64, &b->load.concurrency) &&
                pawl_cli_number(cli, "steps", 0, 100000, 10, &b->steps) &&
                pawl_cli_number(cli, "shards", 0, 1024, 0, &b->shards);
    if (strcmp(type, "bench.steps") != 0)
        b->steps = strcmp(type, "bench.start") == 0 ? 0 : 1;
    snprintf(b->input, sizeof b->input, "%" PRIu64, b->steps);
    b->load.input = b->input;
    int status = PAWL_EXIT_USAGE;
    if (good && b->load.signal && pawl_cli_value(cli, "connect") != NULL)
        pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "bench signal cannot --connect; bench steps and bench start can");
    else if (good && strcmp(b->store, "rocksdb") != 0 && strcmp(b->store, "rocksdb-nosync") != 0 &&
             strcmp(b->store, "memory") != 0)
        pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--store is \"%s\"; wanted rocksdb, rocksdb-nosync or memory",
                      b->store);
    else if (good)
        status = run_bench(b);
    free(b);
    return status;
}

int pawl_cli_bench_start(pawl_cli *cli)
{
    return bench_command(cli, "bench.start");
}

int pawl_cli_bench_steps(pawl_cli *cli)
{
    return bench_command(cli, "bench.steps");
}

int pawl_cli_bench_sleep(pawl_cli *cli)
{
    return bench_command(cli, "bench.sleep");
}

int pawl_cli_bench_signal(pawl_cli *cli)
{
    return bench_command(cli, "bench.signal");
}
