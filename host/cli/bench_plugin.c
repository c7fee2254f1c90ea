/* bench_plugin.c: see bench_plugin.h. The step is an inline, idempotent effect that returns 100 bytes, so that what is
 * measured is the engine and its store. */
#include "host/cli/bench_plugin.h"

#include <pawl_plugin.h>
#include <pawl_process.h>

#define STEPS_MAX 1000000u

static pawl_status step(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    static const char result[] = "\"0123456789012345678901234567890123456789012345678901234567890123456789"
                                 "0123456789012345678901234567\"";
    (void)why;
    return pawl_write_text(pawl_core_of(call->host), out, result);
}

static uint32_t input_number(pawl_process *p)
{
    pawl_bytes input = pawl_input(p);
    const char *digits = input.data;
    uint32_t number = 0;
    for (size_t i = 0; i < input.size && digits[i] >= '0' && digits[i] <= '9' && number < STEPS_MAX; i++)
        number = number * 10 + (uint32_t)(digits[i] - '0');
    return number;
}

static pawl_status start_program(pawl_process *p)
{
    return pawl_complete(p, pawl_input(p));
}

static pawl_status steps_program(pawl_process *p)
{
    uint32_t steps = input_number(p);
    for (uint32_t i = 0; i < steps; i++) {
        pawl_bytes result;
        PAWL_TRY(pawl_call(p, "bench.step", pawl_input(p), &result));
    }
    return pawl_complete(p, pawl_input(p));
}

static pawl_status sleep_program(pawl_process *p)
{
    PAWL_TRY(pawl_sleep(p, 10 * PAWL_MILLISECOND));
    return pawl_complete(p, pawl_input(p));
}

static pawl_status signal_program(pawl_process *p)
{
    pawl_bytes payload;
    PAWL_TRY(pawl_signal(p, "go", &payload));
    return pawl_complete(p, payload);
}

PAWL_EFFECT_TABLE(effects, step, NULL, NULL);
PAWL_PROCESSES(PAWL_TYPE("bench.start", 1, start_program), PAWL_TYPE("bench.steps", 1, steps_program),
               PAWL_TYPE("bench.sleep", 1, sleep_program), PAWL_TYPE("bench.signal", 1, signal_program))

static const void *get_factory(const char *factory_id)
{
    if (strcmp(factory_id, PAWL_FACTORY_EFFECT) == 0)
        return &effects;
    return pawl_process_factory(factory_id);
}

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"pawl.bench\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"           \
    "\"kinds\":[\"effect\",\"process\"],"                                                                              \
    "\"effects\":[{\"name\":\"bench.step\",\"input_schema\":true,\"output_schema\":true,\"runs\":\"inline\","          \
    "\"outcome\":\"idempotent\"}],"                                                                                    \
    "\"processes\":[{\"name\":\"bench.start\",\"revision\":1,\"input_schema\":true},{\"name\":\"bench.steps\","        \
    "\"revision\":1,\"input_schema\":true},"                                                                           \
    "{\"name\":\"bench.sleep\",\"revision\":1,\"input_schema\":true},{\"name\":\"bench.signal\",\"revision\":1,"       \
    "\"input_schema\":true}]}"

#ifdef PAWL_BENCH_SHARED /* pawl-bench.so, for a `pawl serve` that is to be measured */
PAWL_PLUGIN("pawl.bench", "1.0.0", "Pawl", MANIFEST, pawl_plain_init, pawl_plain_deinit, get_factory);
#else
PAWL_LINKED_PLUGIN(pawl_bench_plugin, "pawl.bench", "1.0.0", "Pawl", MANIFEST, pawl_plain_init, pawl_plain_deinit,
                   get_factory);
#endif
