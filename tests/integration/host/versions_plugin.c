/* versions_plugin.c: one plugin in several versions, for tests of what runs with which: built with VERSION (a digit,
 * which its effect answers), REVISION and COMPATIBLE (JSON members) of its process type, and FIRST, the effect that the
 * process calls first: another one there is another program. */
#include <pawl_plugin.h>
#include <pawl_process.h>

static pawl_status execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    (void)why;
    return pawl_write_text(pawl_core_of(call->host), out, VERSION);
}

/* Says which version did the first step, which the second, and which the last. */
static pawl_status order(pawl_process *p)
{
    pawl_bytes first, second;
    if (strcmp(FIRST, "ver.note") != 0) /* must be seen by nobody, when it is this that differs */
        PAWL_TRY(pawl_set_status(p, pawl_text("{\"differs\":true}")));
    PAWL_TRY(pawl_call(p, FIRST, pawl_input(p), &first));
    PAWL_TRY(pawl_signal(p, "go", NULL));
    PAWL_TRY(pawl_call(p, "ver.note", pawl_input(p), &second));
    char said[3] = {*(const char *)first.data, *(const char *)second.data, VERSION[0]};
    return pawl_complete(p, (pawl_bytes){said, sizeof said});
}

PAWL_EFFECT_TABLE(effects, execute, NULL, NULL);
PAWL_PROCESSES(PAWL_TYPE("ver.order", REVISION, order))

static const void *get_factory(const char *factory_id)
{
    return strcmp(factory_id, PAWL_FACTORY_EFFECT) == 0 ? (const void *)&effects : pawl_process_factory(factory_id);
}

/* clang-format off */
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define EFFECT(name) "{\"name\":\"" name "\",\"runs\":\"pool\",\"outcome\":\"idempotent\"}"
#define MANIFEST \
    "{\"id\":\"" ID "\",\"version\":\"" VERSION ".0.0\",\"abi\":{\"major\":1,\"minor\":0}," \
    "\"kinds\":[\"effect\",\"process\"],\"effects\":[" EFFECT("ver.note") "," EFFECT("ver.other") "]," \
    "\"processes\":[{\"name\":\"ver.order\",\"revision\":" TEXT(REVISION) COMPATIBLE "}]}"
/* clang-format on */
PAWL_PLUGIN(ID, VERSION ".0.0", "Pawl", MANIFEST, pawl_plain_init, pawl_plain_deinit, get_factory);
