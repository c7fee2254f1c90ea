/* frozen-1.0.c: a plugin as it could have been built on the day ABI 1.0 was released. frozen-1.0.so beside it is this
 * file compiled once, for x86-64; it is never built again, and every later 1.x host must load it and get the same
 * answers (tests/abi/frozen_test.c). It uses the ABI plainly, without the comforts of pawl_plugin.h, so that the binary
 * stands for the ABI and not for a header that may change. tests/abi/golden.sh says how it was built. */
#include "pawl_abi.h"

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"frozen.one-zero\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"      \
    "\"kinds\":[\"effect\",\"connector\",\"process\"],"                                                                \
    "\"effects\":[{\"name\":\"frozen.echo\",\"input_schema\":true,\"output_schema\":true,\"outcome\":\"idempotent\"}," \
    "{\"name\":\"frozen.later\",\"input_schema\":true,\"output_schema\":true,\"runs\":\"async\","                      \
    "\"outcome\":\"reconcile\",\"timeout\":1000,\"retry\":{\"attempts\":2,\"first_delay_ms\":1}}],"                    \
    "\"connector\":{\"concurrency\":\"serial\",\"config_schema\":{},\"operations\":[{\"name\":\"prefix\","             \
    "\"input_schema\":true,\"output_schema\":true,\"outcome\":\"by_key\"}]},"                                          \
    "\"processes\":[{\"name\":\"frozen.process\",\"revision\":1,\"input_schema\":true,\"recovery\":\"rerun\"}]}"

static const struct {
    uint32_t name_size, descriptor_size, type;
    char name[8];
    char descriptor[(sizeof(MANIFEST) + 2) / 4 * 4 + 4];
    uint32_t end[2];
} note __attribute__((section(".note.pawl"), used, aligned(4))) = {
    5, sizeof(MANIFEST) - 1, PAWL_NOTE_TYPE_MANIFEST, PAWL_NOTE_NAME, MANIFEST, {0, 0}};

static pawl_bytes text(const char *chars)
{
    pawl_bytes bytes;
    bytes.data = chars;
    bytes.size = 0;
    while (chars[bytes.size] != '\0')
        bytes.size++;
    return bytes;
}

static int same(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b)
        a++, b++;
    return *a == *b;
}

static const pawl_core *core_of(const pawl_host_root *host)
{
    return (const pawl_core *)host->get_extension(host, PAWL_EXT_CORE);
}

static pawl_status fail(const pawl_host_root *host, pawl_failure_sink *why, uint32_t klass, const char *code,
                        const char *message)
{
    pawl_failure failure;
    failure.struct_size = sizeof failure;
    failure.klass = klass;
    failure.code = text(code);
    failure.message = text(message);
    failure.detail_json = text("{\"frozen\":true}");
    failure.retry_after_ns = 5;
    core_of(host)->fail(why, &failure);
    return PAWL_E_FAILED;
}

static pawl_status PAWL_CALL execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    const pawl_core *core = core_of(call->host);
    if (call->input.size == 0)
        return fail(call->host, why, PAWL_RETRYABLE, "frozen.empty", "there is nothing to echo");
    if (core->cancel_requested(call->cancel) != 0)
        return PAWL_E_CANCELLED;
    core->sink_write(out, call->operation.data, call->operation.size);
    core->sink_write(out, ":", 1);
    return core->sink_write(out, call->input.data, call->input.size);
}

static pawl_status PAWL_CALL start(const pawl_effect_call *call, pawl_completion *done, pawl_failure_sink *why)
{
    (void)why;
    core_of(call->host)->complete(done, PAWL_OK, call->input, (const pawl_failure *)0);
    return PAWL_PENDING;
}

static pawl_status PAWL_CALL reconcile(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    (void)call;
    (void)out;
    (void)why;
    return PAWL_E_NOT_FOUND;
}

/* One instance is enough for a test; the pointer stands for it. */
static const pawl_host_root *instance_host;

static pawl_status PAWL_CALL create(const pawl_host_root *host, pawl_bytes name, pawl_bytes config_json,
                                    pawl_connector **instance, pawl_failure_sink *why)
{
    if (config_json.size < 2)
        return fail(host, why, PAWL_TERMINAL, "frozen.config", "the config is no object");
    (void)name;
    instance_host = host;
    *instance = (pawl_connector *)&instance_host;
    return PAWL_OK;
}

static void PAWL_CALL destroy(pawl_connector *instance)
{
    (void)instance;
    instance_host = (const pawl_host_root *)0;
}

static pawl_status PAWL_CALL invoke(pawl_connector *instance, const pawl_effect_call *call, pawl_sink *out,
                                    pawl_failure_sink *why)
{
    const pawl_core *core = core_of(instance_host);
    if (instance != (pawl_connector *)&instance_host)
        return fail(call->host, why, PAWL_UNKNOWN_OUTCOME, "frozen.instance", "this is not the instance");
    core->sink_write(out, "prefix-", 7);
    return core->sink_write(out, call->input.data, call->input.size);
}

/* Calls an effect, waits for it and completes with its result. */
static pawl_status PAWL_CALL activate(pawl_process *p, pawl_bytes type_name, uint32_t revision)
{
    pawl_bytes value;
    pawl_future future;
    size_t index;
    pawl_status status;
    (void)type_name;
    if (revision != 1)
        return PAWL_E_UNSUPPORTED;
    future = p->host->start_call(p, text("frozen.echo"), p->host->input(p), (const pawl_call_options *)0);
    status = p->host->await(p, PAWL_AWAIT_ALL, &future, 1, &index);
    if (status != PAWL_OK)
        return status;
    status = p->host->result(p, future, &value);
    return status == PAWL_OK ? p->host->complete(p, value) : status;
}

static pawl_status PAWL_CALL init(const pawl_host_root *host, pawl_bytes config_json, pawl_failure_sink *why)
{
    (void)config_json;
    if (core_of(host) == (const pawl_core *)0)
        return PAWL_E_UNSUPPORTED;
    if (host->abi_major != 1)
        return fail(host, why, PAWL_TERMINAL, "frozen.major", "this host is of another major");
    return PAWL_OK;
}

static void PAWL_CALL deinit(const pawl_host_root *host)
{
    (void)host;
}

static const void *PAWL_CALL get_factory(const char *id)
{
    static const pawl_effect_table effects = {sizeof effects, 0, execute, start, reconcile};
    static const pawl_connector_table connectors = {
        sizeof connectors,
        0,
        create,
        destroy,
        invoke,
        (pawl_status(PAWL_CALL *)(pawl_connector *, const pawl_effect_call *, pawl_completion *, pawl_failure_sink *))0,
        (pawl_status(PAWL_CALL *)(pawl_connector *, const pawl_effect_call *, pawl_sink *, pawl_failure_sink *))0};
    static const pawl_process_table processes = {sizeof processes, 0, activate};
    if (same(id, PAWL_FACTORY_EFFECT))
        return &effects;
    if (same(id, PAWL_FACTORY_CONNECTOR))
        return &connectors;
    return same(id, PAWL_FACTORY_PROCESS) ? &processes : (const void *)0;
}

PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void);
PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void)
{
    static const pawl_plugin_root root = {
        sizeof root, 1,      0,          "frozen.one-zero", "1.0.0", "Pawl", {note.descriptor, sizeof(MANIFEST) - 1},
        init,        deinit, get_factory};
    return &root;
}
