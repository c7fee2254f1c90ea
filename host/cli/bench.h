/* bench.h: what the benchmarks share: the host or server they drive, the load, what is measured. One pawl_bench is one
 * run; all of it belongs to the thread that runs the command. Nothing here prints, except where it says so. */
#ifndef PAWL_CLI_BENCH_H
#define PAWL_CLI_BENCH_H

#include <jansson.h>
#include <pawl/pawl.h>
#include <stdbool.h>
#include <stdlib.h>

#define PAWL_BENCH_TAG_ROOM 48u
#define PAWL_BENCH_ID_ROOM  80u

typedef struct pawl_cli pawl_cli;
typedef struct pawl_bench pawl_bench;

typedef struct pawl_bench_result {
    uint64_t elapsed_ns; /* of the load */
    uint64_t total_ns;   /* until the work had ended, e.g. all slept; 0: elapsed_ns */
    uint64_t completed;  /* processes, or starts where only these count */
    uint64_t p50_ns;     /* from asking until hearing of the answer */
    uint64_t p99_ns;
} pawl_bench_result;

/** The work of a benchmark: drive the open host or the server, put keys of its own into the line, fill the result. */
typedef pawl_status (*pawl_bench_work)(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error);

struct pawl_bench {
    pawl_cli *cli;
    const char *name;        /* "bench.steps", also its process type */
    const char *store;       /* "rocksdb", "rocksdb-nosync" or "memory" */
    const char *socket_path; /* of the server that is driven instead of a host; NULL: none */
    char *profile;           /* of the host, JSON */
    pawl_host *host;         /* NULL with a server */
    double open_ms;
    uint64_t processes;
    uint64_t concurrency;
    uint64_t steps;
    uint64_t payload; /* bytes that a step returns; 0: 100 */
    uint64_t seconds;
    uint64_t sleeping;
    uint64_t shards;
    char input[64];
    char directory[4096];
    bool remove_directory;
    bool no_worker;  /* of the host that is opened next */
    bool middleware; /* steps: some that does nothing stands in front of each call */
    bool observer;   /* likewise, and is told of everything */
    uint64_t active; /* fairness: processes at once, a limit of their type; 0: none */
};

/* ---- the works --------------------------------------------------------------------------------------------------- */

pawl_status pawl_bench_steps(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error);
pawl_status pawl_bench_start(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error);
pawl_status pawl_bench_sleep(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error);
pawl_status pawl_bench_signal(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error);
pawl_status pawl_bench_idle(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error);
pawl_status pawl_bench_long(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error);
/** These two open the host themselves: in turns, one without a worker; first in children, which it kills. */
pawl_status pawl_bench_fairness(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error);
pawl_status pawl_bench_recover(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error);

/* ---- the load ---------------------------------------------------------------------------------------------------- */

/** Processes that are started, so many at once. */
typedef struct pawl_bench_load {
    const char *type;
    const char *input;
    const char *tag;  /* ids are this and a number from 0; NULL: new uuids (with a server: a tag of its own) */
    const char *key;  /* of each, or NULL (not with a server) */
    bool numbered;    /* the input is an array, of the number of the process and `input` (not with a server) */
    bool starts_only; /* each start makes room for the next one when it is acknowledged, not when its process has ended
                       */
    uint64_t processes;
    uint64_t concurrency;
    void (*on_output)(void *context, pawl_bytes output); /* of each process, or NULL (not with a server) */
    void *context;
} pawl_bench_load;

/** Run the load to its end. Fails with what went wrong first when a process did not complete. Keeps 8 bytes for each
 * process until it returns, and a slot for each one at once (bench_load.c; with a server bench_connect.c). */
pawl_status pawl_bench_run(pawl_bench *bench, const pawl_bench_load *load, pawl_bench_result *ret, pawl_error *error);
pawl_status pawl_bench_run_connected(const char *socket_path, const pawl_bench_load *load, pawl_bench_result *ret,
                                     pawl_error *error);

/** How many processes of the stores wait now (bench_state.c). */
pawl_status pawl_bench_waiting(pawl_bench *bench, uint64_t *ret, pawl_error *error);
/** Until so many wait. Fails when for a minute no more came. */
pawl_status pawl_bench_wait_for_waiting(pawl_bench *bench, uint64_t wanted, pawl_error *error);

/** Told of a process that ended: its number, whether it completed, and its output (empty with a server). From other
 * threads; may not block. */
typedef void (*pawl_bench_on_end)(void *context, uint64_t number, bool completed, pawl_bytes output);
typedef struct pawl_bench_ends pawl_bench_ends;
/** Be told of the ends of all processes of a tag from now on (bench_ends.c). */
pawl_status pawl_bench_ends_open(pawl_bench *bench, const char *tag, pawl_bench_on_end on_end, void *context,
                                 pawl_bench_ends **ret, pawl_error *error);
/** No more is told when this returns, which may take a second. NULL allowed; returns NULL. */
pawl_bench_ends *pawl_bench_ends_close(pawl_bench_ends *ends);

/* ---- the host ---------------------------------------------------------------------------------------------------- */

/** Open the host of the profile, with the time it took in open_ms (bench_state.c). */
pawl_status pawl_bench_open(pawl_bench *bench, pawl_error *error);
/** Harmless when none is open. */
void pawl_bench_close(pawl_bench *bench);
/** What the host or the server says of itself; *ret_pid: the program it is in. */
pawl_status pawl_bench_describe(pawl_bench *bench, json_t **ret, long *ret_pid, pawl_error *error);

/* ---- what is used ------------------------------------------------------------------------------------------------ */

/** What a program has used since it began; UINT64_MAX: cannot be told. */
typedef struct pawl_bench_sample {
    uint64_t rss_bytes;
    uint64_t rss_peak_bytes;
    uint64_t written_bytes; /* to the device, as the kernel counts */
    uint64_t flushes;       /* writes that its stores have flushed, each by one fdatasync */
    uint64_t wakeups;       /* of all its threads */
    double cpu_s;
} pawl_bench_sample;

/** Of the program that holds the host (bench_sample.c). */
pawl_status pawl_bench_sample_take(pawl_bench *bench, pawl_bench_sample *ret, pawl_error *error);
/** Put what lies between two samples into a line. steps: of each process. */
void pawl_bench_sample_put(json_t *line, const pawl_bench_sample *before, const pawl_bench_sample *after,
                           const pawl_bench_result *result, uint64_t steps);

/* ---- small things (bench_common.c) ------------------------------------------------------------------------------- */

/** Of the monotonic clock. */
uint64_t pawl_bench_now_ns(void);
void pawl_bench_sleep_ms(uint64_t span_ms);
/** Fill an error; returns PAWL_E_FAILED. */
pawl_status pawl_bench_fail(pawl_error *error, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
pawl_status pawl_bench_no_memory(pawl_error *error);
/** In ascending order, for percentiles. */
void pawl_bench_sort(uint64_t *values, uint64_t count);
/** Sort, and take the median and the 99th percentile. */
void pawl_bench_percentiles(uint64_t *values_ns, uint64_t count, pawl_bench_result *ret);
/** A beginning for ids that no other run has used. */
void pawl_bench_tag(char tag[PAWL_BENCH_TAG_ROOM]);
void pawl_bench_id(char id[PAWL_BENCH_ID_ROOM], const char *tag, uint64_t number);
void pawl_bench_put(json_t *line, const char *key, json_t *value);
void pawl_bench_put_ms(json_t *line, const char *key, uint64_t span_ns);

#endif
