/* bench.c: `pawl bench ...`: a host of its own over a store of its own, the load, one line of JSON. Never touches a
 * store that is in use: without --dir it makes a directory and removes it. */
#include "host/cli/bench.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/cli/cli.h"

/* What distinguishes a benchmark from the others. */
typedef struct bench_kind {
    pawl_bench_work work;
    uint64_t processes;   /* unless told otherwise */
    uint64_t concurrency; /* the same; 0: it has none */
    uint64_t steps;       /* the same */
    uint64_t seconds;     /* the same */
    bool reports_steps;   /* its line tells steps_per_s */
    bool opens_itself;
    bool samples_itself;
} bench_kind;

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *place)
{
    (void)found;
    (void)kind;
    (void)place;
    return remove(path);
}

static int make_directory(pawl_bench *b)
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
static char *profile_text(const pawl_bench *b)
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
    if (profile != NULL && b->active > 0)
        json_object_set_new(profile, "types",
                            json_pack("{s:{s:I}}", "bench.steps", "concurrency", (json_int_t)b->active));
    if (profile != NULL && b->middleware) {
        json_object_set_new(profile, "middleware", json_pack("{s:{s:s}}", "noop", "plugin", "pawl.bench-around"));
        json_object_set_new(profile, "effects", json_pack("{s:{s:[s]}}", "bench.step", "order", "noop"));
    }
    if (profile != NULL && b->observer)
        json_object_set_new(profile, "observers", json_pack("[{s:s}]", "plugin", "pawl.bench-around"));
    char *text = profile == NULL ? NULL : json_dumps(profile, JSON_COMPACT);
    json_decref(profile);
    return text;
}

static json_t *make_line(const pawl_bench *b, const bench_kind *k)
{
    json_t *line =
        json_pack("{s:s, s:s}", "bench", b->name, "store", b->socket_path != NULL ? "of the server" : b->store);
    if (k->processes > 0)
        pawl_bench_put(line, "processes", json_integer((json_int_t)b->processes));
    if (k->concurrency > 0)
        pawl_bench_put(line, "concurrency", json_integer((json_int_t)b->concurrency));
    pawl_bench_put(line, "steps", json_integer((json_int_t)b->steps));
    if (b->payload > 0)
        pawl_bench_put(line, "payload", json_integer((json_int_t)b->payload));
    if (b->middleware)
        pawl_bench_put(line, "middleware", json_true());
    if (b->observer)
        pawl_bench_put(line, "observer", json_true());
    return line;
}

static void put_result(const pawl_bench *b, const bench_kind *k, json_t *line, const pawl_bench_result *result)
{
    double seconds = (double)result->elapsed_ns / 1e9;
    double processes_per_s = (double)result->completed / seconds;
    pawl_bench_put(line, "seconds", json_real(seconds));
    pawl_bench_put(line, "processes_per_s", json_real(processes_per_s));
    if (k->reports_steps)
        pawl_bench_put(line, "steps_per_s", json_real(processes_per_s * (double)b->steps));
    if (result->p50_ns > 0) {
        pawl_bench_put_ms(line, "p50_ms", result->p50_ns);
        pawl_bench_put_ms(line, "p99_ms", result->p99_ns);
    }
}

/* Between two samples, unless the work knows better where these belong. */
static pawl_status run_sampled(pawl_bench *b, const bench_kind *k, json_t *line, pawl_error *error)
{
    pawl_bench_result result = {0};
    pawl_bench_sample before = {0};
    pawl_bench_sample after = {0};
    before.written_bytes = before.flushes = UINT64_MAX;
    pawl_status status = PAWL_OK;
    if (!k->opens_itself)
        status = pawl_bench_sample_take(b, &before, error);
    if (status == PAWL_OK)
        status = k->work(b, line, &result, error);
    if (status == PAWL_OK && !k->samples_itself)
        status = pawl_bench_sample_take(b, &after, error);
    if (status != PAWL_OK || k->samples_itself)
        return status;
    put_result(b, k, line, &result);
    pawl_bench_sample_put(line, &before, &after, &result, b->steps);
    return PAWL_OK;
}

static int run_bench(pawl_bench *b, const bench_kind *k)
{
    pawl_error error = {0};
    pawl_status status = PAWL_OK;
    json_t *line = make_line(b, k);
    if (b->socket_path == NULL && !k->opens_itself)
        status = pawl_bench_open(b, &error);
    if (status == PAWL_OK)
        status = run_sampled(b, k, line, &error);
    if (status == PAWL_OK && b->socket_path == NULL)
        pawl_bench_put(line, "open_ms", json_real(b->open_ms));
    pawl_bench_close(b);
    if (status == PAWL_OK) {
        json_dumpf(line, b->cli->out, JSON_COMPACT | JSON_REAL_PRECISION(6));
        fputc('\n', b->cli->out);
    }
    json_decref(line);
    return status == PAWL_OK ? PAWL_EXIT_OK : pawl_cli_fail_error(b->cli, &error);
}

static int run_in_directory(pawl_bench *b, const bench_kind *k)
{
    if (b->socket_path != NULL)
        return run_bench(b, k);
    int status = make_directory(b);
    if (status != PAWL_EXIT_OK)
        return status;
    b->profile = profile_text(b);
    if (b->profile == NULL)
        status = pawl_cli_fail(b->cli, PAWL_EXIT_FAILED, "bench.no_memory", "out of memory, or %s is not UTF-8",
                               b->directory);
    else
        status = run_bench(b, k);
    free(b->profile);
    if (b->remove_directory)
        nftw(b->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return status;
}

static bool take_options(pawl_bench *b, const bench_kind *k)
{
    pawl_cli *cli = b->cli;
    const char *store = pawl_cli_value(cli, "store");
    b->socket_path = pawl_cli_value(cli, "connect");
    b->store = store == NULL ? "rocksdb" : store;
    bool good =
        pawl_cli_number(cli, "processes", 1, 100000000, k->processes, &b->processes) &&
        pawl_cli_number(cli, "concurrency", 1, 100000, k->concurrency, &b->concurrency) &&
        pawl_cli_number(cli, "steps", k->reports_steps || k->opens_itself ? 1 : 0, 1000000, k->steps, &b->steps) &&
        pawl_cli_number(cli, "payload", 3, 4000000, 0, &b->payload) &&
        pawl_cli_number(cli, "seconds", 1, 86400, k->seconds, &b->seconds) &&
        pawl_cli_number(cli, "sleeping", 0, 100000000, 0, &b->sleeping) &&
        pawl_cli_number(cli, "active", 0, 100000, 0, &b->active) &&
        pawl_cli_number(cli, "shards", 0, 1024, 0, &b->shards);
    if (!good)
        return false;
    b->middleware = pawl_cli_flag(cli, "middleware");
    b->observer = pawl_cli_flag(cli, "observer");
    if ((b->middleware || b->observer) && b->socket_path != NULL) {
        pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage",
                      "--middleware and --observer are not for a server: that has those "
                      "of its profile");
        return false;
    }
    if (strcmp(b->store, "rocksdb") != 0 && strcmp(b->store, "rocksdb-nosync") != 0 &&
        (strcmp(b->store, "memory") != 0 || k->opens_itself)) {
        pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--store is \"%s\"; wanted rocksdb, rocksdb-nosync%s", b->store,
                      k->opens_itself ? "" : " or memory");
        return false;
    }
    return true;
}

static int bench_command(pawl_cli *cli, const char *name, const bench_kind *k)
{
    pawl_bench *b = calloc(1, sizeof *b);
    if (b == NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_FAILED, "bench.no_memory", "out of memory");
    b->cli = cli;
    b->name = name;
    int status = PAWL_EXIT_USAGE;
    if (take_options(b, k)) {
        if (b->payload > 0)
            snprintf(b->input, sizeof b->input, "[%" PRIu64 ",%" PRIu64 "]", b->steps, b->payload);
        else
            snprintf(b->input, sizeof b->input, "%" PRIu64, b->seconds > 0 ? b->seconds * 1000 : b->steps);
        status = run_in_directory(b, k);
    }
    free(b);
    return status;
}

pawl_status pawl_bench_steps(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error)
{
    const pawl_bench_load load = {
        .type = bench->name, .input = bench->input, .processes = bench->processes, .concurrency = bench->concurrency};
    (void)line;
    return pawl_bench_run(bench, &load, ret, error);
}

int pawl_cli_bench_steps(pawl_cli *cli)
{
    static const bench_kind k = {
        .work = pawl_bench_steps, .processes = 2000, .concurrency = 64, .steps = 10, .reports_steps = true};
    return bench_command(cli, pawl_cli_flag(cli, "local") ? "bench.local" : "bench.steps", &k);
}

int pawl_cli_bench_start(pawl_cli *cli)
{
    static const bench_kind k = {.work = pawl_bench_start, .processes = 10000, .concurrency = 64, .seconds = 3600};
    return bench_command(cli, "bench.start", &k);
}

int pawl_cli_bench_sleep(pawl_cli *cli)
{
    static const bench_kind k = {.work = pawl_bench_sleep, .processes = 10000, .concurrency = 64, .seconds = 3};
    return bench_command(cli, "bench.sleep", &k);
}

int pawl_cli_bench_signal(pawl_cli *cli)
{
    static const bench_kind k = {.work = pawl_bench_signal, .processes = 1000, .concurrency = 1};
    return bench_command(cli, "bench.signal", &k);
}

int pawl_cli_bench_recover(pawl_cli *cli)
{
    static const bench_kind k = {.work = pawl_bench_recover, .processes = 2000, .steps = 10, .opens_itself = true};
    return bench_command(cli, "bench.recover", &k);
}

int pawl_cli_bench_fairness(pawl_cli *cli)
{
    static const bench_kind k = {.work = pawl_bench_fairness, .processes = 100000, .steps = 1, .opens_itself = true};
    return bench_command(cli, "bench.fairness", &k);
}

int pawl_cli_bench_idle(pawl_cli *cli)
{
    static const bench_kind k = {.work = pawl_bench_idle, .seconds = 5, .samples_itself = true};
    return bench_command(cli, "bench.idle", &k);
}

int pawl_cli_bench_long(pawl_cli *cli)
{
    static const bench_kind k = {.work = pawl_bench_long, .processes = 1, .steps = 10000, .reports_steps = true};
    return bench_command(cli, "bench.long", &k);
}
