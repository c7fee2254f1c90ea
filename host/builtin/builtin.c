/* builtin.c: see builtin.h. Inputs and outputs are lines of text with counted bytes behind them, so that any key and
 * value goes through and a person can still read a journal. */
#include "host/builtin/builtin.h"

#include "host/care/roots.h"
#include "host/operation/fingerprint.h"
#include "worker/base/sink.h"

#include <stdio.h>
#include <string.h>

typedef struct builtin {
    const char *name;
    pawl_status (*run)(pawl_builtin_call *own);
} builtin;

#define OPERATION(operation_name, shows_nothing)                                                                       \
    {                                                                                                                  \
        .name = (operation_name), .media_type = "application/octet-stream", .runs = PAWL_RUNS_POOL,                    \
        .outcome = PAWL_OUTCOME_IDEMPOTENT, .local = (shows_nothing)                                                   \
    }

#define TURN_TIMEOUT_MS  (UINT64_C(10) * 60 * 1000)
#define WATCH_TIMEOUT_MS (UINT64_C(100) * 365 * 24 * 3600 * 1000)
#define SCHEDULE_OPERATION(word, how, limit_ms)                                                                        \
    {                                                                                                                  \
        .name = "pawl.schedule." word, .media_type = "application/octet-stream", .runs = (how),                        \
        .outcome = PAWL_OUTCOME_IDEMPOTENT, .timeout_ms = (limit_ms)                                                   \
    }

static const builtin builtins[] = {
    {"pawl.session.get", pawl_builtin_session_get},         {"pawl.session.scan", pawl_builtin_session_scan},
    {"pawl.session.commit", pawl_builtin_session_commit},   {"pawl.attachment.put", pawl_builtin_attachment_put},
    {"pawl.attachment.read", pawl_builtin_attachment_read}, {"pawl.attachment.list", pawl_builtin_attachment_list},
    {"pawl.attachment.drop", pawl_builtin_attachment_drop}, {"pawl.event.append", pawl_builtin_event_append},
    {"pawl.queue.receive", pawl_builtin_queue_receive},     {"pawl.queue.settle", pawl_builtin_queue_settle},
    {"pawl.schedule.turn", pawl_builtin_schedule_turn},     {"pawl.schedule.unwatch", pawl_builtin_schedule_unwatch},
};

const pawl_manifest_operation *pawl_builtin_operations(size_t *count)
{
    static const pawl_manifest_operation operations[] = {
        OPERATION("pawl.session.get", true),
        OPERATION("pawl.session.scan", true),
        OPERATION("pawl.session.commit", false),
        OPERATION("pawl.attachment.put", false),
        OPERATION("pawl.attachment.read", true),
        OPERATION("pawl.attachment.list", true),
        OPERATION("pawl.attachment.drop", false),
        OPERATION("pawl.event.append", false),
        OPERATION("pawl.queue.receive", false),
        OPERATION("pawl.queue.settle", false),
        SCHEDULE_OPERATION("turn", PAWL_RUNS_POOL, TURN_TIMEOUT_MS),
        SCHEDULE_OPERATION("unwatch", PAWL_RUNS_POOL, TURN_TIMEOUT_MS),
        SCHEDULE_OPERATION("watch", PAWL_RUNS_ASYNC, WATCH_TIMEOUT_MS),
    };
    *count = sizeof operations / sizeof *operations;
    return operations;
}

pawl_status pawl_builtin_fail(pawl_builtin_call *own, pawl_status status, uint32_t klass, const char *code,
                              const char *message, const char *detail_json)
{
    pawl_failure failure = {.struct_size = sizeof failure,
                            .klass = klass,
                            .code = pawl_bytes_text(code),
                            .message = pawl_bytes_text(message),
                            .detail_json = pawl_bytes_text(detail_json)};
    pawl_failure_tell(own->why, &failure);
    return status;
}

pawl_status pawl_builtin_writef(pawl_builtin_call *own, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return size < 0 || (size_t)size >= sizeof text ? PAWL_E_INVALID : pawl_sink_write(own->out, text, (size_t)size);
}

bool pawl_builtin_take(pawl_bytes *input, uint64_t size, pawl_bytes *taken)
{
    if (size > input->size)
        return false;
    *taken = (pawl_bytes){input->data, (size_t)size};
    *input = (pawl_bytes){(const char *)input->data + size, input->size - (size_t)size};
    return true;
}

bool pawl_builtin_line(pawl_bytes *input, pawl_bytes *line)
{
    const char *end = input->size == 0 ? NULL : memchr(input->data, '\n', input->size);
    pawl_bytes newline;
    return end != NULL && pawl_builtin_take(input, (uint64_t)(end - (const char *)input->data), line) &&
           pawl_builtin_take(input, 1, &newline);
}

bool pawl_builtin_word(pawl_bytes *line, pawl_bytes *word)
{
    if (line->size == 0)
        return false;
    const char *blank = memchr(line->data, ' ', line->size);
    size_t size = blank == NULL ? line->size : (size_t)(blank - (const char *)line->data);
    pawl_bytes rest;
    return pawl_builtin_take(line, size, word) && pawl_builtin_take(line, blank == NULL ? 0 : 1, &rest);
}

bool pawl_builtin_number(pawl_bytes *line, uint64_t *number)
{
    pawl_bytes word;
    if (!pawl_builtin_word(line, &word) || word.size == 0)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < word.size; i++) {
        uint8_t digit = (uint8_t)(((const uint8_t *)word.data)[i] - '0');
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}

pawl_status pawl_builtin_key(pawl_builtin_call *own, char text[PAWL_BUILTIN_KEY_MAX + 1])
{
    pawl_bytes key = own->call->idempotency_key;
    size_t prefix = sizeof PAWL_BUILTIN_KEY_PREFIX - 1;
    memcpy(text, PAWL_BUILTIN_KEY_PREFIX, prefix + 1);
    if (key.size <= PAWL_BUILTIN_KEY_MAX - prefix) {
        if (key.size > 0)
            memcpy(text + prefix, key.data, key.size);
        text[prefix + key.size] = '\0';
        return PAWL_OK;
    }
    uint8_t digest[PAWL_FINGERPRINT_SIZE];
    pawl_status status = pawl_fingerprint("call-key", &key, 1, (pawl_bytes){NULL, 0}, digest, NULL);
    if (status == PAWL_OK)
        pawl_attachment_format(digest, text + prefix);
    return status;
}

static const builtin *find(pawl_bytes name)
{
    for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
        if (strlen(builtins[i].name) == name.size && memcmp(builtins[i].name, name.data, name.size) == 0)
            return &builtins[i];
    return NULL;
}

static pawl_status PAWL_CALL execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    pawl_builtin_call own = {.call = call, .facet = pawl_attachments_of(call->context), .out = out, .why = why};
    const builtin *found = find(call->operation);
    if (found == NULL || own.facet == NULL)
        return pawl_builtin_fail(&own, PAWL_E_UNSUPPORTED, PAWL_TERMINAL, "builtin.unsupported",
                                 "this host does not offer that operation", NULL);
    if (!pawl_attachments_enter(own.facet))
        return pawl_builtin_fail(&own, PAWL_E_CLOSED, PAWL_RETRYABLE, "host.closed", "the host is closing", NULL);
    pawl_status status = found->run(&own);
    pawl_attachments_leave(own.facet);
    return status;
}

static pawl_status PAWL_CALL start(const pawl_effect_call *call, pawl_completion *done, pawl_failure_sink *why)
{
    return pawl_builtin_schedule_watch(call, done, why); /* the only one that ends later */
}

const pawl_effect_table *pawl_builtin_table(void)
{
    static const pawl_effect_table table = {.struct_size = sizeof table, .execute = execute, .start = start};
    return &table;
}
