/* rude_effect.c: calls the host as no plugin may: after a failure, twice, with NULL, with too much. */
#define ID     "hostile.rude"
#define EFFECT "hostile.rude"
#define TABLE  &table
#include "base.h"

static void fail_oddly(const pawl_core *core, pawl_failure_sink *why)
{
    static char long_message[100000];
    pawl_failure failure;
    memset(long_message, 'x', sizeof long_message);
    failure = pawl_failure_of(77, "rude.first", "first", 0);
    failure.message = pawl_bytes_of(long_message, sizeof long_message);
    core->fail(why, &failure); /* a class that nobody knows, a message beyond the limit */
    failure = pawl_failure_of(PAWL_RETRYABLE, "rude.second", "second", 0);
    core->fail(why, &failure); /* the first call wins */
    core->fail(why, NULL);
    core->fail(NULL, &failure);
    failure.code.data = NULL; /* NULL with a length */
    core->fail(why, &failure);
}

static pawl_status PAWL_CALL misbehave(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    if (pawl_is(call->input, "fail"))
        fail_oddly(core, why);
    core->sink_write(out, NULL, 10);
    core->sink_write(NULL, "x", 1);
    core->sink_write(out, "", 0);
    core->sink_write(out, NULL, 0);
    if (pawl_is(call->input, "flood"))
        while (core->sink_write(out, "0123456789abcdef", 16) == PAWL_OK)
            continue;
    if (pawl_is(call->input, "garbage"))
        return 123456;
    core->sink_write(out, "after", 5);
    return pawl_is(call->input, "fail") ? PAWL_E_FAILED : PAWL_OK;
}
PAWL_EFFECT_TABLE(table, misbehave, NULL, NULL);
HOSTILE;
