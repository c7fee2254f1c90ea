/* hello.c: a whole plugin: one process type and one effect. */
#include <pawl_plugin.h>
#include <pawl_process.h>

#include <ctype.h>

static pawl_status shout(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    const char *text = call->input.data;
    (void)why;
    for (size_t i = 0; i < call->input.size; i++) {
        char upper = (char)toupper((unsigned char)text[i]);
        PAWL_TRY(pawl_write(core, out, &upper, 1));
    }
    return PAWL_OK;
}

static pawl_status greet(pawl_process *p)
{
    pawl_bytes loud, answer;
    PAWL_TRY(pawl_call(p, "hello.shout", pawl_input(p), &loud)); /* recorded: never done twice */
    PAWL_TRY(pawl_sleep(p, 2 * PAWL_SECOND));                    /* survives a restart */
    PAWL_TRY(pawl_signal(p, "answer", &answer));                 /* waits, on disk, as long as it takes */
    return pawl_complete(p, answer);
}

PAWL_EFFECT_TABLE(effects, shout, NULL, NULL);
PAWL_PROCESSES(PAWL_TYPE("hello.greet", 1, greet))

static const void *get_factory(const char *id)
{
    if (strcmp(id, PAWL_FACTORY_EFFECT) == 0)
        return &effects;
    return strcmp(id, PAWL_FACTORY_PROCESS) == 0 ? &pawl_processes : NULL;
}

PAWL_PLUGIN("com.example.hello", "1.0.0", "Example",
            "{\"manifest_version\":1, \"id\":\"com.example.hello\", \"version\":\"1.0.0\","
            "\"abi\":{\"major\":1,\"minor\":0}, \"kinds\":[\"effect\",\"process\"],"
            "\"effects\":[{\"name\":\"hello.shout\",\"runs\":\"inline\",\"outcome\":\"idempotent\"}],"
            "\"processes\":[{\"name\":\"hello.greet\",\"revision\":1}]}",
            pawl_plain_init, pawl_plain_deinit, get_factory);
