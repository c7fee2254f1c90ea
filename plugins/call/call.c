/* call.c: the plugin pawl-call.so, whose one process type, call.once, makes one call and ends with its result: for
 * trying an effect or a connector by hand. Its input is {"call": NAME, "input": ANY}; it must never do more than that
 * one call. */
#include <jansson.h>
#include <pawl_plugin.h>
#include <pawl_process.h>

/* What of the input is to be called. False: the process has failed already, with *status. */
static int read_input(pawl_process *p, pawl_bytes *name, pawl_bytes *input, pawl_status *status)
{
    json_error_t error;
    pawl_bytes text = pawl_input(p);
    json_t *whole = json_loadb((const char *)text.data, text.size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    const char *called = NULL;
    json_t *given = NULL;
    int right = json_unpack_ex(whole, &error, JSON_STRICT, "{s:s, s?o !}", "call", &called, "input", &given) == 0;
    if (right) {
        char *encoded = given == NULL ? NULL : json_dumps(given, JSON_COMPACT | JSON_ENCODE_ANY);
        *name = pawl_printf(p, "%s", called);
        *input = encoded == NULL ? pawl_text("null") : pawl_printf(p, "%s", encoded);
        free(encoded);
    } else {
        *status = pawl_failf(p, "call.input", "%s; wanted {\"call\": NAME, \"input\": ANY}", error.text);
    }
    json_decref(whole);
    return right;
}

static pawl_status once(pawl_process *p)
{
    pawl_bytes name, input, output;
    pawl_status status = PAWL_OK;
    if (!read_input(p, &name, &input, &status))
        return status;
    PAWL_TRY(pawl_call(p, (const char *)name.data, input, &output));
    return pawl_complete(p, output);
}

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"pawl.call\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"            \
    "\"kinds\":[\"process\"],\"processes\":[{\"name\":\"call.once\",\"revision\":1}]}"

PAWL_PROCESS("call.once", 1, once)
PAWL_PLUGIN("pawl.call", "1.0.0", "Pawl", MANIFEST, pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
