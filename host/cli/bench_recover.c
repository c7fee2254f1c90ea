/* bench_recover.c: what a kill -9 costs (`bench recover`). A child fills a store with processes of counted steps and is
 * killed when half of them have run; then this program opens the store and brings all to their end. Each step
 * says in a file that it ran, and in which program; each process says at its end which program's results it had: so a
 * step whose result was recorded and which ran again all the same is seen, and counted in `repeated`.
 *
 * A child is forked while this program has a single thread: no host may be open when that is done. */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/cli/bench.h"
#include "host/cli/bench_count.h"

typedef struct recovery {
    pawl_bench *bench;
    char tag[PAWL_BENCH_TAG_ROOM];
    char counts_path[4200];
    char input[4300];
    uint32_t *results;    /* which program each step's result is from; by number and step */
    pthread_mutex_t lock; /* guards the members below */
    pthread_cond_t changed;
    uint64_t ended;
    uint64_t bad;
} recovery;

typedef struct one_end {
    recovery *r;
    uint64_t number;
} one_end;

/* ---- children ---------------------------------------------------------------------------------------------------- */

typedef pawl_status (*child_work)(recovery *r, pawl_error *error);

static pawl_status fill_with_sleepers(recovery *r, pawl_error *error)
{
    const pawl_bench_load load = {.type = "bench.start",
                                  .input = "3600000",
                                  .starts_only = true,
                                  .processes = r->bench->sleeping,
                                  .concurrency = 256};
    pawl_bench_result result = {0};
    uint64_t waiting = 0;
    pawl_status status = pawl_bench_waiting(r->bench, &waiting, error);
    if (status == PAWL_OK)
        status = pawl_bench_run(r->bench, &load, &result, error);
    return status == PAWL_OK ? pawl_bench_wait_for_waiting(r->bench, waiting + load.processes, error) : status;
}

static pawl_status run_until_killed(recovery *r, pawl_error *error)
{
    const pawl_bench_load load = {.type = r->bench->name,
                                  .input = r->input,
                                  .tag = r->tag,
                                  .numbered = true,
                                  .processes = r->bench->processes,
                                  .concurrency = r->bench->processes};
    pawl_bench_result result = {0};
    return pawl_bench_run(r->bench, &load, &result, error);
}

static pid_t begin_child(recovery *r, child_work work)
{
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0)
        return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pawl_error error = {0};
    pawl_status status = getppid() == parent ? pawl_bench_open(r->bench, &error) : PAWL_E_FAILED;
    if (status == PAWL_OK)
        status = work(r, &error);
    pawl_bench_close(r->bench);
    if (status != PAWL_OK)
        fprintf(stderr, "pawl: %s: %s\n", error.code, error.message);
    _exit(status == PAWL_OK ? 0 : 1);
}

static pawl_status put_sleepers(recovery *r, pawl_error *error)
{
    if (r->bench->sleeping == 0)
        return PAWL_OK;
    int ended = 1;
    pid_t child = begin_child(r, fill_with_sleepers);
    if (child < 0 || waitpid(child, &ended, 0) != child || ended != 0)
        return pawl_bench_fail(error, "bench.child", "the program that was to put sleepers into the store failed");
    return PAWL_OK;
}

/* The step that is the last one before half of all kills the program it runs in, wherever its other threads are. */
static pawl_status run_and_kill(recovery *r, uint64_t *ret_steps, pawl_error *error)
{
    struct stat counts;
    int ended = 0;
    pid_t child = begin_child(r, run_until_killed);
    if (child < 0 || waitpid(child, &ended, 0) != child)
        return pawl_bench_fail(error, "bench.child", "a program to be killed cannot be started");
    if (!WIFSIGNALED(ended) || WTERMSIG(ended) != SIGKILL || stat(r->counts_path, &counts) != 0)
        return pawl_bench_fail(error, "bench.child", "the program that was to be killed ended otherwise");
    *ret_steps = (uint64_t)counts.st_size / sizeof(pawl_bench_count);
    return PAWL_OK;
}

/* ---- recovery ---------------------------------------------------------------------------------------------------- */

/* "[program of step 0, of step 1, ...]" */
static bool take_results(const recovery *r, uint64_t number, pawl_bytes output)
{
    const char *at = output.data;
    const char *end = at + output.size;
    for (uint64_t step = 0; step < r->bench->steps; step++) {
        uint32_t pid = 0;
        while (at < end && (*at < '0' || *at > '9'))
            at++;
        for (; at < end && *at >= '0' && *at <= '9'; at++)
            pid = pid * 10 + (uint32_t)(*at - '0');
        if (pid == 0)
            return false;
        r->results[number * r->bench->steps + step] = pid;
    }
    return true;
}

static void on_outcome(void *context, pawl_status status, const pawl_outcome *outcome, const pawl_error *error)
{
    const one_end *end = context;
    recovery *r = end->r;
    (void)error;
    /* Not registered at the kill: its start was never acknowledged. */
    bool good = status == PAWL_E_NOT_FOUND || (status == PAWL_OK && outcome->status == PAWL_COMPLETED &&
                                               take_results(r, end->number, outcome->output));
    pthread_mutex_lock(&r->lock);
    r->ended++;
    r->bad += good ? 0 : 1;
    if (r->ended == r->bench->processes)
        pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static pawl_status wait_for_all(recovery *r, one_end *ends, pawl_error *error)
{
    pawl_status status = PAWL_PENDING;
    uint64_t asked = 0;
    for (; status == PAWL_PENDING && asked < r->bench->processes; asked++) {
        char id[PAWL_BENCH_ID_ROOM];
        ends[asked] = (one_end){r, asked};
        pawl_bench_id(id, r->tag, asked);
        status = pawl_host_wait_async(r->bench->host, id, on_outcome, &ends[asked], NULL, error);
    }
    if (status != PAWL_PENDING)
        return status; /* closing the host ends the other waits */
    pthread_mutex_lock(&r->lock);
    while (r->ended < r->bench->processes)
        pthread_cond_wait(&r->changed, &r->lock);
    uint64_t bad = r->bad;
    pthread_mutex_unlock(&r->lock);
    return bad == 0 ? PAWL_OK
                    : pawl_bench_fail(error, "bench.not_completed",
                                      "%" PRIu64 " processes did not complete after the kill", bad);
}

/* ---- judging ----------------------------------------------------------------------------------------------------- */

typedef struct verdict {
    uint64_t first_ns; /* when a step ran first after the kill */
    uint64_t again;    /* ran again, for its result had not been recorded yet */
    uint64_t repeated; /* ran again although its result was recorded */
} verdict;

/* A step may have run once in the program whose result its process had, and once before it in the killed one. */
static void judge(const recovery *r, const pawl_bench_count *count, uint32_t self, uint8_t *seen, verdict *v)
{
    uint64_t at = (uint64_t)count->number * r->bench->steps + count->step;
    bool after = count->pid == self;
    if (after && (v->first_ns == 0 || count->mono_ns < v->first_ns))
        v->first_ns = count->mono_ns;
    uint8_t bit = after ? 2 : 1;
    bool twice = (seen[at] & bit) != 0;
    if (twice || (after && r->results[at] != self))
        v->repeated++;
    else if (after && (seen[at] & 1) != 0)
        v->again++;
    seen[at] |= bit;
}

static pawl_status read_counts(const recovery *r, verdict *v, pawl_error *error)
{
    uint64_t steps = r->bench->processes * r->bench->steps;
    uint8_t *seen = calloc(steps, 1);
    FILE *file = fopen(r->counts_path, "re");
    pawl_bench_count count;
    bool good = seen != NULL && file != NULL;
    while (good && fread(&count, sizeof count, 1, file) == 1) {
        good = count.number < r->bench->processes && count.step < r->bench->steps;
        if (good)
            judge(r, &count, (uint32_t)getpid(), seen, v);
    }
    if (file != NULL)
        fclose(file);
    free(seen);
    return good ? PAWL_OK : pawl_bench_fail(error, "bench.counts", "%s cannot be read", r->counts_path);
}

static pawl_status recover(recovery *r, one_end *ends, json_t *line, pawl_bench_result *ret, pawl_error *error)
{
    uint64_t steps_before = 0;
    pawl_status status = put_sleepers(r, error);
    if (status == PAWL_OK)
        status = run_and_kill(r, &steps_before, error);
    if (status != PAWL_OK)
        return status;
    uint64_t begun_ns = pawl_bench_now_ns();
    status = pawl_bench_open(r->bench, error);
    if (status == PAWL_OK)
        status = wait_for_all(r, ends, error);
    ret->elapsed_ns = pawl_bench_now_ns() - begun_ns;
    verdict v = {0};
    if (status == PAWL_OK)
        status = read_counts(r, &v, error);
    if (status != PAWL_OK)
        return status;
    ret->completed = r->ended;
    pawl_bench_put(line, "sleeping", json_integer((json_int_t)r->bench->sleeping));
    pawl_bench_put(line, "steps_before_kill", json_integer((json_int_t)steps_before));
    if (v.first_ns > begun_ns)
        pawl_bench_put_ms(line, "first_ms", v.first_ns - begun_ns);
    pawl_bench_put_ms(line, "all_ms", ret->elapsed_ns);
    pawl_bench_put(line, "ran_again", json_integer((json_int_t)v.again));
    pawl_bench_put(line, "repeated", json_integer((json_int_t)v.repeated));
    return PAWL_OK;
}

pawl_status pawl_bench_recover(pawl_bench *bench, json_t *line, pawl_bench_result *ret, pawl_error *error)
{
    recovery r = {.bench = bench};
    if (strpbrk(bench->directory, "\"\\") != NULL || strlen(bench->directory) > 200)
        return pawl_bench_fail(error, "bench.dir", "%s: wanted a shorter --dir, without quotes", bench->directory);
    pawl_bench_tag(r.tag);
    snprintf(r.counts_path, sizeof r.counts_path, "%s/%scounts", bench->directory, r.tag);
    snprintf(r.input, sizeof r.input, "%" PRIu64 ",%" PRIu64 ",\"%s\"", bench->steps,
             (bench->processes * bench->steps + 1) / 2, r.counts_path);
    r.results = calloc(bench->processes * bench->steps, sizeof *r.results);
    one_end *ends = calloc(bench->processes, sizeof *ends);
    pawl_status status = PAWL_OK;
    if (r.results == NULL || ends == NULL) {
        status = pawl_bench_no_memory(error);
    } else {
        pthread_mutex_init(&r.lock, NULL);
        pthread_cond_init(&r.changed, NULL);
        status = recover(&r, ends, line, ret, error);
        if (status != PAWL_OK)
            pawl_bench_close(bench); /* ends every wait that is left, before what it tells goes away */
        pthread_cond_destroy(&r.changed);
        pthread_mutex_destroy(&r.lock);
    }
    unlink(r.counts_path);
    free(r.results);
    free(ends);
    return status;
}
