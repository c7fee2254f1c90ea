/* bench_plugin.c: see bench_plugin.h. Steps are inline, idempotent effects, so that what is measured is the engine and
 * its store. These programs read clocks of their own, which no program may that is not itself a measuring device: what
 * they read goes into outputs alone, never into what they do. */
#include "host/cli/bench_plugin.h"

#include <fcntl.h>
#include <pawl_plugin.h>
#include <pawl_process.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "host/cli/bench_count.h"

#define NUMBER_MAX  (UINT64_MAX / 100)
#define RESULT_SIZE 100u
#define PATH_ROOM   4200u

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The n-th whole number in a text, from 0; 0 when there is none. */
static uint64_t number_at(pawl_bytes text, uint32_t n)
{
    const char *at = (const char *)text.data;
    const char *end = at + text.size;
    for (;; n--) {
        uint64_t number = 0;
        while (at < end && (*at < '0' || *at > '9'))
            at++;
        for (; at < end && *at >= '0' && *at <= '9'; at++)
            number = number < NUMBER_MAX ? number * 10 + (uint64_t)(*at - '0') : number;
        if (n == 0 || at == end)
            return n == 0 ? number : 0;
    }
}

/* ---- effects ----------------------------------------------------------------------------------------------------- */

/* A JSON string of `size` bytes in all. */
static pawl_status write_filled(const pawl_core *core, pawl_sink *out, const char *head, uint64_t size)
{
    char block[512];
    int used = snprintf(block, sizeof block, "\"%s", head);
    if (used < 0 || (uint64_t)used >= sizeof block)
        return PAWL_E_FAILED;
    uint64_t left = size > (uint64_t)used + 1 ? size - (uint64_t)used - 1 : 0;
    pawl_status status = core->sink_write(out, block, (size_t)used);
    memset(block, 'x', sizeof block);
    while (status == PAWL_OK && left > 0) {
        size_t part = left < sizeof block ? (size_t)left : sizeof block;
        status = core->sink_write(out, block, part);
        left -= part;
    }
    return status == PAWL_OK ? core->sink_write(out, "\"", 1) : status;
}

static pawl_status run_step(const pawl_effect_call *call, pawl_sink *out)
{
    static const char result[] = "\"0123456789012345678901234567890123456789012345678901234567890123456789"
                                 "0123456789012345678901234567\"";
    uint64_t size = number_at(call->input, 1);
    if (size == 0)
        return pawl_write_text(pawl_core_of(call->host), out, result);
    return write_filled(pawl_core_of(call->host), out, "", size);
}

static pawl_status run_stamp(const pawl_effect_call *call, pawl_sink *out)
{
    char head[64];
    snprintf(head, sizeof head, "%llu %llu ", (unsigned long long)now_ns(CLOCK_MONOTONIC),
             (unsigned long long)now_ns(CLOCK_PROCESS_CPUTIME_ID));
    return write_filled(pawl_core_of(call->host), out, head, RESULT_SIZE);
}

/* The one that is the KILL_AT-th line of its file ends the program it runs in. Not for somebody's server. */
static void kill_at(int file, uint64_t lines)
{
#ifndef PAWL_BENCH_SHARED
    if (lseek(file, 0, SEEK_CUR) == (off_t)(lines * sizeof(pawl_bench_count)))
        kill(getpid(), SIGKILL);
#else
    (void)file;
    (void)lines;
#endif
}

/* Input: [NUMBER, STEP, KILL_AT, "FILE"]. */
static pawl_status run_count(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    const char *input = (const char *)call->input.data;
    const char *quote = (const char *)memchr(input, '"', call->input.size);
    size_t size = quote == NULL ? 0 : call->input.size - (size_t)(quote - input);
    const char *end = size < 2 ? NULL : (const char *)memchr(quote + 1, '"', size - 1);
    char path[PATH_ROOM];
    int file = -1;
    if (end != NULL && (size_t)(end - quote) < sizeof path) {
        snprintf(path, sizeof path, "%.*s", (int)(end - quote - 1), quote + 1);
        file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    }
    pawl_bench_count count = {.mono_ns = now_ns(CLOCK_MONOTONIC), .pid = (uint32_t)getpid()};
    count.number = (uint32_t)number_at(call->input, 0);
    count.step = (uint32_t)number_at(call->input, 1);
    ssize_t written = file < 0 ? -1 : write(file, &count, sizeof count);
    if (written == (ssize_t)sizeof count)
        kill_at(file, number_at(call->input, 2));
    if (file >= 0)
        close(file);
    if (written != (ssize_t)sizeof count) {
        pawl_failure failure = pawl_failure_of(PAWL_TERMINAL, "bench.file", "a counted step cannot write its file", 0);
        core->fail(why, &failure);
        return PAWL_E_FAILED;
    }
    char head[32];
    snprintf(head, sizeof head, "%lu ", (unsigned long)count.pid);
    return write_filled(core, out, head, RESULT_SIZE);
}

static pawl_status execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    if (pawl_is(call->operation, "bench.stamp"))
        return run_stamp(call, out);
    return pawl_is(call->operation, "bench.count") ? run_count(call, out, why) : run_step(call, out);
}

/* ---- programs ---------------------------------------------------------------------------------------------------- */

static pawl_status call_repeatedly(pawl_process *p, const char *effect)
{
    uint64_t steps = number_at(pawl_input(p), 0);
    for (uint64_t i = 0; i < steps; i++) {
        pawl_bytes result;
        PAWL_TRY(pawl_call(p, effect, pawl_input(p), &result));
    }
    return pawl_complete(p, pawl_input(p));
}

static pawl_status steps_program(pawl_process *p)
{
    return call_repeatedly(p, "bench.step");
}

static pawl_status local_program(pawl_process *p)
{
    return call_repeatedly(p, "bench.local_step");
}

static pawl_status start_program(pawl_process *p)
{
    PAWL_TRY(pawl_sleep(p, number_at(pawl_input(p), 0) * PAWL_MILLISECOND));
    return pawl_complete(p, pawl_input(p));
}

static pawl_status sleep_program(pawl_process *p)
{
    uint64_t span_ns = number_at(pawl_input(p), 0) * PAWL_MILLISECOND;
    uint64_t due_ns = pawl_now(p) + span_ns;
    PAWL_TRY(pawl_sleep(p, span_ns));
    uint64_t now = now_ns(CLOCK_REALTIME);
    return pawl_complete(p, pawl_printf(p, "%llu", (unsigned long long)(now > due_ns ? now - due_ns : 0)));
}

static pawl_status signal_program(pawl_process *p)
{
    pawl_bytes payload;
    PAWL_TRY(pawl_signal(p, "go", &payload));
    return pawl_complete(p, payload);
}

/* Time, and processor time of the whole host, which a device that is busy does not spoil. */
static pawl_status long_program(pawl_process *p)
{
    uint64_t steps = number_at(pawl_input(p), 0);
    uint64_t tenth = steps < 10 ? 1 : steps / 10;
    /* Of the first tenth, and of the last. */
    const uint64_t marks[4] = {0, tenth, steps > tenth ? steps - 1 - tenth : 0, steps - 1};
    uint64_t times[4] = {0};
    uint64_t cpu[4] = {0};
    for (uint64_t i = 0; i < steps; i++) {
        pawl_bytes result;
        PAWL_TRY(pawl_call(p, "bench.stamp", pawl_bytes_of("", 0), &result));
        for (size_t mark = 0; mark < 4; mark++)
            if (marks[mark] == i) {
                times[mark] = number_at(result, 0);
                cpu[mark] = number_at(result, 1);
            }
    }
    return pawl_complete(p, pawl_printf(p, "[%llu,%llu,%llu,%llu]", (unsigned long long)((times[1] - times[0]) / tenth),
                                        (unsigned long long)((times[3] - times[2]) / tenth),
                                        (unsigned long long)((cpu[1] - cpu[0]) / tenth),
                                        (unsigned long long)((cpu[3] - cpu[2]) / tenth)));
}

static pawl_status recover_program(pawl_process *p)
{
    pawl_bytes input = pawl_input(p);
    unsigned long long number = number_at(input, 0);
    uint64_t steps = number_at(input, 1);
    unsigned long long kill_at_line = number_at(input, 2);
    const char *quote = (const char *)memchr(input.data, '"', input.size);
    if (quote == NULL)
        return pawl_fail(p, "bench.input", "wanted [NUMBER, STEPS, KILL_AT, FILE]");
    int path_size = (int)(input.size - (size_t)(quote - (const char *)input.data)) - 1; /* without the bracket */
    pawl_bytes output = pawl_bytes_of("[", 1);
    for (uint64_t i = 0; i < steps; i++) {
        pawl_bytes result;
        pawl_bytes counted =
            pawl_printf(p, "[%llu,%llu,%llu,%.*s]", number, (unsigned long long)i, kill_at_line, path_size, quote);
        PAWL_TRY(pawl_call(p, "bench.count", counted, &result));
        output = pawl_printf(p, "%.*s%s%llu", (int)output.size, (const char *)output.data, i == 0 ? "" : ",",
                             (unsigned long long)number_at(result, 0));
    }
    return pawl_complete(p, pawl_printf(p, "%.*s]", (int)output.size, (const char *)output.data));
}

PAWL_EFFECT_TABLE(effects, execute, NULL, NULL);
PAWL_PROCESSES(PAWL_TYPE("bench.start", 1, start_program), PAWL_TYPE("bench.steps", 1, steps_program),
               PAWL_TYPE("bench.local", 1, local_program), PAWL_TYPE("bench.sleep", 1, sleep_program),
               PAWL_TYPE("bench.signal", 1, signal_program), PAWL_TYPE("bench.long", 1, long_program),
               PAWL_TYPE("bench.recover", 1, recover_program))

static const void *get_factory(const char *factory_id)
{
    if (strcmp(factory_id, PAWL_FACTORY_EFFECT) == 0)
        return &effects;
    return pawl_process_factory(factory_id);
}

#define EFFECT_OF(name, more)                                                                                          \
    "{\"name\":\"" name                                                                                                \
    "\",\"input_schema\":true,\"output_schema\":true,\"runs\":\"inline\",\"outcome\":\"idempotent\"" more "}"
#define EFFECT(name)  EFFECT_OF(name, "")
#define PROCESS(name) "{\"name\":\"" name "\",\"revision\":1,\"input_schema\":true}"
#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"pawl.bench\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"           \
    "\"kinds\":[\"effect\",\"process\"],\"effects\":[" EFFECT("bench.step") "," EFFECT("bench.stamp") "," EFFECT(      \
        "ben"                                                                                                          \
        "ch."                                                                                                          \
        "cou"                                                                                                          \
        "nt") "," EFFECT_OF("bench.local_step",                                                                        \
                            ",\"local\":true") "],\"processes\":[" PROCESS("bench.start") "," PROCESS("bench.steps") "," PROCESS("bench.local") "," PROCESS("bench.sleep") "," PROCESS("bench.signal") "," PROCESS("bench.long") "," PROCESS("bench.recover") "]}"

#ifdef PAWL_BENCH_SHARED /* pawl-bench.so, for a `pawl serve` that is to be measured */
PAWL_PLUGIN("pawl.bench", "1.0.0", "Pawl", MANIFEST, pawl_plain_init, pawl_plain_deinit, get_factory);
#else
PAWL_LINKED_PLUGIN(pawl_bench_plugin, "pawl.bench", "1.0.0", "Pawl", MANIFEST, pawl_plain_init, pawl_plain_deinit,
                   get_factory);
#endif
