/* plugin.c: the process types that the program's tests run. it.append writes one line to a file (its input, a JSON
 * string with the path), so that a test can count how often it was really done; it.nap lasts as many milliseconds as
 * its input says, unless it is told to stop. */
#include <pawl_plugin.h>
#include <pawl_process.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static pawl_status append(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    char path[512];
    if (call->input.size < 2 || call->input.size > sizeof path)
        return pawl_fail_with(core, why, PAWL_TERMINAL, "it.path", "the input is not a path");
    snprintf(path, sizeof path, "%.*s", (int)call->input.size - 2, (const char *)call->input.data + 1);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || write(file, "x\n", 2) != 2)
        return pawl_fail_with(core, why, PAWL_TERMINAL, "it.write", "%s cannot be written", path);
    close(file);
    return pawl_write_text(core, out, "\"appended\"");
}

static int milliseconds(pawl_bytes input)
{
    const char *digits = input.data;
    int number = 0;
    for (size_t i = 0; i < input.size && digits[i] >= '0' && digits[i] <= '9' && number < 1000000; i++)
        number = number * 10 + (digits[i] - '0');
    return number;
}

static pawl_status nap(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    struct pollfd stop = {.fd = call->cancel == NULL ? -1 : core->cancel_fd(call->cancel), .events = POLLIN};
    (void)why;
    if (poll(&stop, 1, milliseconds(call->input)) > 0)
        return PAWL_E_CANCELLED;
    return pawl_write_text(core, out, "\"rested\"");
}

static pawl_status execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    return pawl_is(call->operation, "it.append") ? append(call, out, why) : nap(call, out, why);
}

/* Append once, then wait for a signal. Changed without care, it rests first. */
static pawl_status letter(pawl_process *p)
{
    pawl_bytes result, answer;
#ifdef PAWL_TEST_CHANGED
    PAWL_TRY(pawl_call(p, "it.nap", pawl_text("1"), NULL));
#endif
    PAWL_TRY(pawl_call(p, "it.append", pawl_input(p), &result));
    PAWL_TRY(pawl_signal(p, "answer", &answer));
    return pawl_complete(p, answer);
}

static pawl_status rest(pawl_process *p)
{
    pawl_bytes result;
    PAWL_TRY(pawl_call(p, "it.nap", pawl_input(p), &result));
    return pawl_complete(p, result);
}

static pawl_status echo(pawl_process *p)
{
    return pawl_complete(p, pawl_input(p));
}

static pawl_status break_down(pawl_process *p)
{
    return pawl_fail(p, "it.broken", "it broke, as asked");
}

/* Against the contract: it says that it is done without having completed. */
static pawl_status vague(pawl_process *p)
{
    (void)p;
    return PAWL_OK;
}

PAWL_EFFECT_TABLE(effects, execute, NULL, NULL);
PAWL_PROCESSES(PAWL_TYPE("it.letter", 1, letter), PAWL_TYPE("it.rest", 1, rest), PAWL_TYPE("it.echo", 1, echo),
               PAWL_TYPE("it.broken", 1, break_down), PAWL_TYPE("it.vague", 1, vague))

static const void *get_factory(const char *factory_id)
{
    return strcmp(factory_id, PAWL_FACTORY_EFFECT) == 0 ? (const void *)&effects : pawl_process_factory(factory_id);
}

/* clang-format off */
#define EFFECT(name) \
    "{\"name\":\"" name "\",\"input_schema\":true,\"output_schema\":true,\"runs\":\"pool\",\"outcome\":\"idempotent\"}"
#define TYPE(name) "{\"name\":\"" name "\",\"revision\":1,\"input_schema\":true}"
#define MANIFEST \
    "{\"manifest_version\":1,\"id\":\"pawl.test.cli\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0}," \
    "\"kinds\":[\"effect\",\"process\"]," \
    "\"effects\":[" EFFECT("it.append") "," EFFECT("it.nap") "]," \
    "\"processes\":[" TYPE("it.letter") "," TYPE("it.rest") "," TYPE("it.echo") "," TYPE("it.broken") "," \
    TYPE("it.vague") "]}"
/* clang-format on */
PAWL_PLUGIN("pawl.test.cli", "1.0.0", "Pawl", MANIFEST, pawl_plain_init, pawl_plain_deinit, get_factory);
