/* wire.c: see wire.h. Numbers are little-endian; bytes are a 32-bit length and what follows; the last member of a
 * message is the rest of it and has no length. */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM ((size_t)64 << 10)
#define KEEP_ROOM  ((size_t)1 << 20) /* a larger buffer is given back when it is empty */

/* ---- writing ---- */

static void put_32(pawl_sink *to, uint32_t value)
{
    uint8_t bytes[4];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    (void)pawl_sink_write(to, bytes, sizeof bytes);
}

static void put_64(pawl_sink *to, uint64_t value)
{
    put_32(to, (uint32_t)value);
    put_32(to, (uint32_t)(value >> 32));
}

static void put_bytes(pawl_sink *to, pawl_bytes bytes)
{
    put_32(to, (uint32_t)bytes.size);
    (void)pawl_sink_write(to, bytes.data == NULL ? "" : bytes.data, bytes.size);
}

static size_t begin(pawl_sink *to, uint32_t kind, uint64_t id)
{
    size_t start = to->size;
    put_32(to, 0);
    put_32(to, kind);
    put_64(to, id);
    return start;
}

static void seal(pawl_sink *to, size_t start, size_t tail)
{
    if (to->over || to->no_memory)
        return;
    uint32_t size = (uint32_t)(to->size - start - WIRE_HEAD + tail);
    for (size_t i = 0; i < 4; i++)
        to->data[start + i] = (uint8_t)(size >> (8 * i));
}

void pawl_wire_bare(pawl_sink *to, uint32_t kind, uint64_t id, pawl_bytes payload)
{
    size_t start = begin(to, kind, id);
    (void)pawl_sink_write(to, payload.data == NULL ? "" : payload.data, payload.size);
    seal(to, start, 0);
}

void pawl_wire_hello(pawl_sink *to, const wire_hello *hello)
{
    size_t start = begin(to, WIRE_HELLO, 0);
    put_32(to, hello->version);
    put_32(to, hello->threads);
    put_64(to, hello->output_max);
    put_64(to, hello->memory);
    put_32(to, hello->open_files);
    put_32(to, hello->processes);
    put_32(to, hello->seccomp);
    put_32(to, hello->change_user);
    put_32(to, hello->uid);
    put_32(to, hello->gid);
    put_32(to, hello->parent);
    put_bytes(to, hello->host_version);
    put_bytes(to, hello->subject);
    (void)pawl_sink_write(to, hello->config.data, hello->config.size);
    seal(to, start, 0);
}

void pawl_wire_create(pawl_sink *to, uint64_t id, const wire_create *create)
{
    size_t start = begin(to, WIRE_CREATE, id);
    put_bytes(to, create->name);
    (void)pawl_sink_write(to, create->config.data, create->config.size);
    seal(to, start, 0);
}

void pawl_wire_call(pawl_sink *to, uint64_t id, const wire_call *call)
{
    size_t start = begin(to, WIRE_CALL, id);
    put_32(to, call->instance);
    put_32(to, call->deed);
    put_32(to, call->attempt);
    put_64(to, call->deadline_mono_ns);
    put_bytes(to, call->operation);
    put_bytes(to, call->key);
    put_bytes(to, call->trace);
    seal(to, start, call->input.size);
}

void pawl_wire_end(pawl_sink *to, uint32_t kind, uint64_t id, const wire_end *end)
{
    size_t start = begin(to, kind, id);
    put_32(to, (uint32_t)end->status);
    put_32(to, end->flags);
    put_32(to, end->klass);
    put_64(to, end->retry_after_ns);
    put_64(to, end->number);
    put_bytes(to, end->code);
    put_bytes(to, end->message);
    put_bytes(to, end->detail);
    seal(to, start, end->output.size);
}

void pawl_wire_log(pawl_sink *to, const wire_log *log)
{
    size_t start = begin(to, WIRE_LOG, 0);
    put_32(to, log->level);
    put_bytes(to, log->message);
    put_bytes(to, log->fields);
    seal(to, start, 0);
}

void pawl_wire_ask(pawl_sink *to, uint64_t id, const wire_ask *ask)
{
    size_t start = begin(to, WIRE_ASK, id);
    put_32(to, ask->what);
    put_64(to, ask->call);
    put_64(to, ask->upload);
    put_64(to, ask->offset);
    put_64(to, ask->size);
    put_bytes(to, ask->first);
    put_bytes(to, ask->second);
    seal(to, start, ask->data.size);
}

/* ---- reading ---- */

typedef struct cursor {
    const uint8_t *at;
    size_t left;
    bool bad;
} cursor;

static cursor over(pawl_bytes payload)
{
    cursor c = {payload.data, payload.size, false};
    return c;
}

static uint32_t get_32(cursor *c)
{
    if (c->bad || c->left < 4) {
        c->bad = true;
        return 0;
    }
    uint32_t value = 0;
    for (size_t i = 4; i-- > 0;)
        value = value << 8 | c->at[i];
    c->at += 4;
    c->left -= 4;
    return value;
}

static uint64_t get_64(cursor *c)
{
    uint64_t low = get_32(c);
    uint64_t high = get_32(c);
    return high << 32 | low;
}

static pawl_bytes get_bytes(cursor *c)
{
    pawl_bytes bytes = {"", get_32(c)};
    if (c->bad || c->left < bytes.size) {
        c->bad = true;
        bytes.size = 0;
        return bytes;
    }
    if (bytes.size > 0)
        bytes.data = c->at;
    c->at += bytes.size;
    c->left -= bytes.size;
    return bytes;
}

static pawl_bytes get_rest(cursor *c)
{
    pawl_bytes bytes = {c->left == 0 ? (const void *)"" : c->at, c->bad ? 0 : c->left};
    return bytes;
}

bool pawl_wire_read_hello(pawl_bytes payload, wire_hello *ret)
{
    cursor c = over(payload);
    ret->version = get_32(&c);
    ret->threads = get_32(&c);
    ret->output_max = get_64(&c);
    ret->memory = get_64(&c);
    ret->open_files = get_32(&c);
    ret->processes = get_32(&c);
    ret->seccomp = get_32(&c);
    ret->change_user = get_32(&c);
    ret->uid = get_32(&c);
    ret->gid = get_32(&c);
    ret->parent = get_32(&c);
    ret->host_version = get_bytes(&c);
    ret->subject = get_bytes(&c);
    ret->config = get_rest(&c);
    return !c.bad;
}

bool pawl_wire_read_create(pawl_bytes payload, wire_create *ret)
{
    cursor c = over(payload);
    ret->name = get_bytes(&c);
    ret->config = get_rest(&c);
    return !c.bad;
}

bool pawl_wire_read_call(pawl_bytes payload, wire_call *ret)
{
    cursor c = over(payload);
    ret->instance = get_32(&c);
    ret->deed = get_32(&c);
    ret->attempt = get_32(&c);
    ret->deadline_mono_ns = get_64(&c);
    ret->operation = get_bytes(&c);
    ret->key = get_bytes(&c);
    ret->trace = get_bytes(&c);
    ret->input = get_rest(&c);
    return !c.bad && ret->deed >= WIRE_EXECUTE && ret->deed <= WIRE_RECONCILE;
}

bool pawl_wire_read_end(pawl_bytes payload, wire_end *ret)
{
    cursor c = over(payload);
    ret->status = (pawl_status)get_32(&c);
    ret->flags = get_32(&c);
    ret->klass = get_32(&c);
    ret->retry_after_ns = get_64(&c);
    ret->number = get_64(&c);
    ret->code = get_bytes(&c);
    ret->message = get_bytes(&c);
    ret->detail = get_bytes(&c);
    ret->output = get_rest(&c);
    return !c.bad;
}

bool pawl_wire_read_log(pawl_bytes payload, wire_log *ret)
{
    cursor c = over(payload);
    ret->level = get_32(&c);
    ret->message = get_bytes(&c);
    ret->fields = get_bytes(&c);
    return !c.bad && c.left == 0;
}

bool pawl_wire_read_ask(pawl_bytes payload, wire_ask *ret)
{
    cursor c = over(payload);
    ret->what = get_32(&c);
    ret->call = get_64(&c);
    ret->upload = get_64(&c);
    ret->offset = get_64(&c);
    ret->size = get_64(&c);
    ret->first = get_bytes(&c);
    ret->second = get_bytes(&c);
    ret->data = get_rest(&c);
    return !c.bad && ret->what >= WIRE_UPLOAD_BEGIN && ret->what <= WIRE_READ;
}

void pawl_wire_take_failure(wire_end *end, const pawl_failure_slot *why)
{
    if (!why->set)
        return;
    end->flags |= WIRE_FAILURE;
    end->klass = why->failure.klass;
    end->retry_after_ns = why->failure.retry_after_ns;
    end->code = why->failure.code;
    end->message = why->failure.message;
    end->detail = why->failure.detail_json;
}

bool pawl_wire_failure(const wire_end *end, pawl_failure *ret)
{
    *ret = (pawl_failure){.struct_size = sizeof *ret,
                          .klass = end->klass,
                          .code = end->code,
                          .message = end->message,
                          .detail_json = end->detail,
                          .retry_after_ns = end->retry_after_ns};
    return (end->flags & WIRE_FAILURE) != 0;
}

/* ---- a stream ---- */

static bool grow(wire_reader *reader, size_t room)
{
    uint8_t *data = realloc(reader->data, room);
    if (data == NULL)
        return false;
    reader->data = data;
    reader->room = room;
    return true;
}

static uint32_t number_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

void *pawl_wire_space(wire_reader *reader, size_t *ret_size)
{
    size_t held = reader->have - reader->at;
    if (held == 0 && reader->room > KEEP_ROOM) {
        free(reader->data);
        reader->data = NULL;
        reader->room = 0;
    }
    if (held > 0 && reader->at > 0)
        memmove(reader->data, reader->data + reader->at, held);
    reader->at = 0;
    reader->have = held;
    /* What is announced is believed only as far as bytes have come: a length alone costs no memory. */
    size_t wanted = held < FIRST_ROOM / 2 ? FIRST_ROOM : 2 * held;
    if (reader->room < wanted && reader->room - held < FIRST_ROOM / 2 && !grow(reader, wanted))
        return NULL;
    *ret_size = reader->room - held;
    return reader->data + held;
}

void pawl_wire_took(wire_reader *reader, size_t size)
{
    reader->have += size;
}

static bool may_come(const wire_reader *reader, uint32_t kind)
{
    return reader->from_plugin ? kind >= WIRE_STAGE && kind <= WIRE_ASK : kind >= WIRE_HELLO && kind <= WIRE_ANSWER;
}

wire_result pawl_wire_next(wire_reader *reader, wire_message *ret)
{
    size_t held = reader->have - reader->at;
    if (held < WIRE_HEAD)
        return WIRE_NEED_MORE;
    const uint8_t *head = reader->data + reader->at;
    size_t size = number_at(head);
    uint32_t kind = number_at(head + 4);
    if (!may_come(reader, kind) || size > reader->payload_max)
        return WIRE_GARBAGE;
    if (held < WIRE_HEAD + size)
        return WIRE_NEED_MORE;
    ret->kind = kind;
    ret->id = (uint64_t)number_at(head + 12) << 32 | number_at(head + 8);
    ret->payload = (pawl_bytes){head + WIRE_HEAD, size};
    reader->at += WIRE_HEAD + size;
    return WIRE_GOT;
}

void pawl_wire_finish(wire_reader *reader)
{
    free(reader->data);
    *reader = (wire_reader){.payload_max = reader->payload_max, .from_plugin = reader->from_plugin};
}
