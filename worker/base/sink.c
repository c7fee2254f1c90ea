/* sink.c: see sink.h. What a plugin says is untrusted: sizes are limited, a smaller struct of an older plugin is read
 * as far as it goes, and nothing here keeps a pointer into the plugin's memory. */
#include "sink.h"

#include <stdlib.h>
#include <string.h>

#define CODE_MAX    128u
#define MESSAGE_MAX 4096u
#define DETAIL_MAX  65536u
#define FIRST_ROOM  256u

void pawl_sink_init(pawl_sink *sink, size_t limit)
{
    *sink = (pawl_sink){.limit = limit};
}

void pawl_sink_finish(pawl_sink *sink)
{
    free(sink->data);
    *sink = (pawl_sink){.limit = sink->limit};
}

pawl_bytes pawl_sink_bytes(const pawl_sink *sink)
{
    pawl_bytes bytes = {sink->data == NULL ? (const void *)"" : sink->data, sink->size};
    return bytes;
}

/* Room for size bytes and a NUL. */
static bool reserve(pawl_sink *sink, size_t size)
{
    if (size < sink->room)
        return true;
    if (size > SIZE_MAX / 2 - FIRST_ROOM)
        return false;
    size_t room = sink->room == 0 ? FIRST_ROOM : sink->room;
    while (room <= size)
        room *= 2;
    uint8_t *data = realloc(sink->data, room);
    if (data == NULL)
        return false;
    sink->data = data;
    sink->room = room;
    return true;
}

const char *pawl_sink_text(pawl_sink *sink)
{
    if (sink->size == 0 || !reserve(sink, sink->size))
        return "";
    sink->data[sink->size] = '\0';
    return (const char *)sink->data;
}

pawl_status pawl_sink_write(pawl_sink *sink, const void *data, size_t size)
{
    if (sink == NULL || (data == NULL && size > 0))
        return PAWL_E_INVALID;
    if (sink->over || size > sink->limit - sink->size) {
        sink->over = true;
        return PAWL_E_LIMIT;
    }
    if (sink->no_memory || !reserve(sink, sink->size + size)) {
        sink->no_memory = true;
        return PAWL_E_NOMEM;
    }
    if (size > 0)
        memcpy(sink->data + sink->size, data, size);
    sink->size += size;
    return PAWL_OK;
}

void pawl_failure_init(pawl_failure_slot *slot)
{
    *slot = (pawl_failure_slot){.set = false};
}

void pawl_failure_finish(pawl_failure_slot *slot)
{
    free(slot->text);
    pawl_failure_init(slot);
}

/* At most max bytes, without half a UTF-8 sequence at the end. */
static size_t cut(pawl_bytes text, size_t max)
{
    if (text.data == NULL)
        return 0;
    if (text.size <= max)
        return text.size;
    const uint8_t *bytes = text.data;
    size_t size = max;
    while (size > 0 && (bytes[size] & 0xC0) == 0x80)
        size--;
    return size;
}

static pawl_bytes take(char **room, pawl_bytes from, size_t size)
{
    pawl_bytes copy = {*room, size};
    if (size > 0)
        memcpy(*room, from.data, size);
    *room += size;
    return copy;
}

void pawl_failure_tell(pawl_failure_slot *slot, const pawl_failure *failure)
{
    if (slot == NULL || slot->set)
        return;
    pawl_failure told = {0};
    if (failure != NULL)
        memcpy(&told, failure, failure->struct_size < sizeof told ? failure->struct_size : sizeof told);
    if (told.klass != PAWL_TERMINAL && told.klass != PAWL_RETRYABLE)
        told.klass = PAWL_UNKNOWN_OUTCOME;
    size_t code = cut(told.code, CODE_MAX);
    size_t message = cut(told.message, MESSAGE_MAX);
    /* Half a JSON object is of no use to anyone. */
    size_t detail = told.detail_json.data == NULL || told.detail_json.size > DETAIL_MAX ? 0 : told.detail_json.size;
    slot->set = true;
    slot->failure = (pawl_failure){.struct_size = sizeof(pawl_failure),
                                   .klass = told.klass,
                                   .code = pawl_bytes_text("out_of_memory"),
                                   .message = pawl_bytes_text("the failure's text could not be kept: out of memory"),
                                   .detail_json = pawl_bytes_text(""),
                                   .retry_after_ns = told.retry_after_ns};
    slot->text = malloc(code + message + detail + 1);
    if (slot->text == NULL)
        return;
    char *room = slot->text;
    slot->failure.code = take(&room, told.code, code);
    slot->failure.message = take(&room, told.message, message);
    slot->failure.detail_json = take(&room, told.detail_json, detail);
}

pawl_status pawl_failure_error(const pawl_failure_slot *slot, pawl_status status, pawl_error *error)
{
    return pawl_error_from_failure(error, status, slot->set ? &slot->failure : NULL);
}
