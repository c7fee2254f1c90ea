/* test_plugin.c: see test_plugin.h. Written as an author would write it, but for the switches. */
#include "test_plugin.h"

#include <pawl_process.h>
#include <poll.h>
#include <time.h>

atomic_int test_plugin_healthy;
atomic_int test_plugin_calls;
atomic_int test_plugin_instances;
atomic_int test_plugin_together;
atomic_int test_plugin_blocked;
atomic_int test_plugin_inits;
atomic_int test_plugin_deaf;
atomic_int test_plugin_late;

void test_plugin_reset(void)
{
    atomic_store(&test_plugin_healthy, 1);
    atomic_store(&test_plugin_calls, 0);
    atomic_store(&test_plugin_together, 0);
}

/* clang-format off */
#define ANY "\"input_schema\":true,\"output_schema\":true"
#define EFFECT(name, more) "{\"name\":\"" name "\",\"outcome\":\"idempotent\"," ANY more "}"
#define PROCESS(name) "{\"name\":\"" name "\",\"revision\":1,\"input_schema\":true}"
#define MANIFEST \
    "{\"manifest_version\":1,\"id\":\"test.plugin\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0}," \
    "\"kinds\":[\"process\",\"effect\",\"connector\"],\"effects\":[" \
    EFFECT("test.upper", ",\"runs\":\"inline\"") "," \
    EFFECT("test.flaky", ",\"retry\":{\"attempts\":3,\"first_delay_ms\":1,\"max_delay_ms\":2}") "," \
    EFFECT("test.store", "") "," EFFECT("test.load", "") "," EFFECT("test.ask", "") "," \
    EFFECT("test.deaf", "") "," \
    "{\"name\":\"test.block\",\"outcome\":\"at_most_once\",\"timeout\":600000," ANY "}]," \
    "\"connector\":{\"concurrency\":\"serial\",\"config_schema\":true,\"operations\":[" EFFECT("greet", "") "]}," \
    "\"processes\":[" PROCESS("test.echo") "," PROCESS("test.upper") "," PROCESS("test.gate") "," \
    PROCESS("test.sleep") "," PROCESS("test.fail") "," PROCESS("test.block") "," PROCESS("test.flaky") "," \
    PROCESS("test.lost") "," PROCESS("test.attach") "," PROCESS("test.greet") "," PROCESS("test.load") "," \
    PROCESS("test.ask") "," PROCESS("test.deaf") "," PROCESS("test.call") "," \
    PROCESS("test.parent") "," PROCESS("test.answer") "]}"
/* clang-format on */

/* ---- effects ---- */

static pawl_status upper(const pawl_core *core, const pawl_effect_call *call, pawl_sink *out)
{
    const char *text = call->input.data;
    for (size_t i = 0; i < call->input.size; i++) {
        char letter = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 32 : text[i]);
        PAWL_TRY(pawl_write(core, out, &letter, 1));
    }
    return PAWL_OK;
}

/* Blocks until the call is told to stop. */
static pawl_status block(const pawl_core *core, const pawl_effect_call *call)
{
    struct pollfd wanted = {.fd = core->cancel_fd(call->cancel), .events = POLLIN};
    atomic_fetch_add(&test_plugin_blocked, 1);
    while (!pawl_call_cancelled(core, call))
        (void)poll(&wanted, 1, 1000);
    atomic_fetch_sub(&test_plugin_blocked, 1);
    return PAWL_E_CANCELLED;
}

/* Blocks until the test lets it go, whatever it is told. */
static pawl_status deaf(const pawl_core *core, const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const struct timespec pause = {0, 1000000};
    const pawl_attachments *attachments =
        (const pawl_attachments *)call->host->get_extension(call->host, PAWL_EXT_ATTACHMENTS);
    pawl_upload *upload;
    PAWL_TRY(attachments->begin(call->context, pawl_bytes_of_text(""), pawl_bytes_of_text(""), &upload, why));
    atomic_fetch_add(&test_plugin_blocked, 1);
    while (atomic_load(&test_plugin_deaf))
        nanosleep(&pause, NULL);
    pawl_status status = attachments->commit(upload, out, why);
    pawl_logf(core, call->host, PAWL_LOG_INFO, "the deaf one is back");
    atomic_store(&test_plugin_late, status);
    atomic_fetch_sub(&test_plugin_blocked, 1);
    return PAWL_OK;
}

static pawl_status store(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_attachments *attachments =
        (const pawl_attachments *)call->host->get_extension(call->host, PAWL_EXT_ATTACHMENTS);
    pawl_upload *upload;
    PAWL_TRY(
        attachments->begin(call->context, pawl_bytes_of_text("text/plain"), pawl_bytes_of_text("note"), &upload, why));
    pawl_status status = attachments->write(upload, call->input, why);
    if (status != PAWL_OK) {
        attachments->abort(upload);
        return status;
    }
    PAWL_TRY(pawl_write(pawl_core_of(call->host), out, "\"", 1));
    PAWL_TRY(attachments->commit(upload, out, why));
    return pawl_write(pawl_core_of(call->host), out, "\"", 1);
}

static pawl_status load(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_attachments *attachments =
        (const pawl_attachments *)call->host->get_extension(call->host, PAWL_EXT_ATTACHMENTS);
    uint64_t total = 0;
    pawl_bytes reference = {(const char *)call->input.data + 1, call->input.size - 2}; /* without the quotes */
    return attachments->read(call->context, reference, 0, 1000, out, &total, why);
}

static pawl_status PAWL_CALL execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(call->host);
    atomic_fetch_add(&test_plugin_calls, 1);
    if (pawl_is(call->operation, "test.upper"))
        return upper(core, call, out);
    if (pawl_is(call->operation, "test.block"))
        return block(core, call);
    if (pawl_is(call->operation, "test.deaf"))
        return deaf(core, call, out, why);
    if (pawl_is(call->operation, "test.store"))
        return store(call, out, why);
    if (pawl_is(call->operation, "test.load"))
        return load(call, out, why);
    if (pawl_is(call->operation, "test.ask")) {
        const void *nothing = call->host->get_extension(call->host, "com.example.nothing/1");
        pawl_logf(core, call->host, PAWL_LOG_INFO, "asked for nothing");
        return pawl_write_text(core, out, nothing == NULL ? "null" : "1");
    }
    if (atomic_load(&test_plugin_healthy))
        return pawl_write_text(core, out, "\"healthy\"");
    return pawl_fail_with(core, why, PAWL_RETRYABLE, "test.ill", "the patient is ill");
}
PAWL_EFFECT_TABLE(effects, execute, NULL, NULL);

/* ---- the connector ---- */

struct pawl_connector {
    const pawl_core *core;
    char greeting[64];
    atomic_int active;
};

static pawl_status PAWL_CALL create(const pawl_host_root *host, pawl_bytes name, pawl_bytes config_json,
                                    pawl_connector **instance, pawl_failure_sink *why)
{
    const char *greeting = strstr((const char *)config_json.data, "\"greeting\":");
    const char *text = greeting == NULL ? NULL : strchr(greeting + 11, '"');
    const char *end = text == NULL ? NULL : strchr(text + 1, '"');
    (void)name;
    if (end == NULL || end - text > 60)
        return pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "shop.config", "a greeting is needed");
    pawl_connector *own = calloc(1, sizeof *own);
    if (own == NULL)
        return PAWL_E_NOMEM;
    own->core = pawl_core_of(host);
    memcpy(own->greeting, text + 1, (size_t)(end - text - 1));
    atomic_fetch_add(&test_plugin_instances, 1);
    *instance = own;
    return PAWL_OK;
}

static void PAWL_CALL destroy(pawl_connector *instance)
{
    if (instance != NULL)
        atomic_fetch_sub(&test_plugin_instances, 1);
    free(instance);
}

static pawl_status PAWL_CALL invoke(pawl_connector *instance, const pawl_effect_call *call, pawl_sink *out,
                                    pawl_failure_sink *why)
{
    const struct timespec pause = {0, 3000000};
    (void)call;
    (void)why;
    int together = atomic_fetch_add(&instance->active, 1) + 1;
    if (together > atomic_load(&test_plugin_together))
        atomic_store(&test_plugin_together, together);
    nanosleep(&pause, NULL); /* long enough that others would overlap if they could */
    atomic_fetch_sub(&instance->active, 1);
    return pawl_writef(instance->core, out, "\"%s\"", instance->greeting);
}
PAWL_CONNECTOR_TABLE(connectors, create, destroy, invoke, NULL, NULL);

/* ---- processes ---- */

static pawl_status call_once(pawl_process *p, const char *effect)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, effect, pawl_input(p), &value));
    return pawl_complete(p, value);
}

static pawl_status echo(pawl_process *p)
{
    return pawl_complete(p, pawl_input(p));
}

static pawl_status run_upper(pawl_process *p)
{
    return call_once(p, "test.upper");
}

static pawl_status gate(pawl_process *p)
{
    pawl_bytes payload;
    PAWL_TRY(pawl_set_status(p, pawl_text("{\"at\":\"the gate\"}")));
    PAWL_TRY(pawl_signal(p, "go", &payload));
    return pawl_complete(p, payload);
}

static pawl_status sleep_long(pawl_process *p)
{
    char *text = pawl_cstring(p, pawl_input(p));
    PAWL_TRY(pawl_sleep(p, (uint64_t)strtoull(text, NULL, 10) * PAWL_MILLISECOND));
    return pawl_complete(p, pawl_text("\"woke\""));
}

static pawl_status run_fail(pawl_process *p)
{
    return pawl_fail(p, "test.wanted", "as asked for");
}

static pawl_status run_block(pawl_process *p)
{
    return call_once(p, "test.block");
}

static pawl_status run_deaf(pawl_process *p)
{
    return call_once(p, "test.deaf");
}

/* {"effect":"a.b","input":JSON}, written without spaces */
static pawl_status run_call(pawl_process *p)
{
    char *text = pawl_cstring(p, pawl_input(p));
    char *effect = strstr(text, "{\"effect\":\"");
    char *end = effect == NULL ? NULL : strstr(effect + 11, "\",\"input\":");
    if (end == NULL)
        return pawl_fail(p, "test.input", "not of the form {\"effect\":\"a.b\",\"input\":JSON}");
    *end = '\0';
    pawl_bytes input = pawl_text(end + 10);
    input.size--; /* the closing brace */
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, effect + 11, input, &value));
    return pawl_complete(p, value);
}

static pawl_status run_flaky(pawl_process *p)
{
    return call_once(p, "test.flaky");
}

static pawl_status run_lost(pawl_process *p)
{
    return call_once(p, "nobody.home");
}

static pawl_status attach(pawl_process *p)
{
    pawl_bytes reference, content;
    PAWL_TRY(pawl_call(p, "test.store", pawl_input(p), &reference));
    PAWL_TRY(pawl_call(p, "test.load", reference, &content));
    return pawl_complete(p, pawl_printf(p, "{\"reference\":%.*s,\"content\":%.*s}", (int)reference.size,
                                        (const char *)reference.data, (int)content.size, (const char *)content.data));
}

static pawl_status run_load(pawl_process *p)
{
    return call_once(p, "test.load");
}

static pawl_status run_ask(pawl_process *p)
{
    return call_once(p, "test.ask");
}

static pawl_status greet(pawl_process *p)
{
    return call_once(p, "shop.greet");
}

/* Starts a child that waits, called like itself with "-child" behind it, and ends. */
static pawl_status run_parent(pawl_process *p)
{
    pawl_child_options options = pawl_child_defaults();
    pawl_bytes id;
    options.flags = PAWL_CHILD_DETACHED;
    options.id = pawl_printf(p, "%s-child", pawl_cstring(p, pawl_id(p)));
    options.parent_close = PAWL_PARENT_CLOSE_TERMINATE;
    pawl_future child = pawl_start_child_with(p, "test.gate", pawl_input(p), &options);
    PAWL_TRY(pawl_await(p, child));
    PAWL_TRY(pawl_result(p, child, &id));
    return pawl_complete(p, pawl_input(p));
}

/* Answers updates called "ask" with what they say; refuses null; at "silence" waits for a signal "go" first; at "end"
 * ends without an answer. */
static pawl_status run_answer(pawl_process *p)
{
    for (;;) {
        pawl_future update;
        pawl_bytes payload;
        PAWL_TRY(pawl_update(p, "ask", &update, &payload));
        const char *text = pawl_cstring(p, payload);
        if (strcmp(text, "\"end\"") == 0)
            return pawl_complete(p, payload);
        if (strcmp(text, "\"silence\"") == 0)
            PAWL_TRY(pawl_signal(p, "go", NULL));
        PAWL_TRY(strcmp(text, "null") == 0 ? pawl_reject(p, update, "test.null", "nothing was asked")
                                           : pawl_reply(p, update, payload));
    }
}

PAWL_PROCESSES(PAWL_TYPE("test.echo", 1, echo), PAWL_TYPE("test.upper", 1, run_upper), PAWL_TYPE("test.gate", 1, gate),
               PAWL_TYPE("test.sleep", 1, sleep_long), PAWL_TYPE("test.fail", 1, run_fail),
               PAWL_TYPE("test.block", 1, run_block), PAWL_TYPE("test.flaky", 1, run_flaky),
               PAWL_TYPE("test.lost", 1, run_lost), PAWL_TYPE("test.attach", 1, attach),
               PAWL_TYPE("test.greet", 1, greet), PAWL_TYPE("test.load", 1, run_load),
               PAWL_TYPE("test.ask", 1, run_ask), PAWL_TYPE("test.deaf", 1, run_deaf),
               PAWL_TYPE("test.call", 1, run_call), PAWL_TYPE("test.parent", 1, run_parent),
               PAWL_TYPE("test.answer", 1, run_answer))

static const void *PAWL_CALL get_factory(const char *id)
{
    if (strcmp(id, PAWL_FACTORY_EFFECT) == 0)
        return &effects;
    if (strcmp(id, PAWL_FACTORY_CONNECTOR) == 0)
        return &connectors;
    return pawl_process_factory(id);
}

static pawl_status PAWL_CALL init(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    atomic_fetch_add(&test_plugin_inits, 1);
    return pawl_plain_init(host, config_json, why);
}

static void PAWL_CALL deinit(const pawl_host_root *host)
{
    (void)host;
    atomic_fetch_sub(&test_plugin_inits, 1);
}

PAWL_LINKED_PLUGIN(test_plugin, "test.plugin", "1.0.0", "Pawl tests", MANIFEST, init, deinit, get_factory);
