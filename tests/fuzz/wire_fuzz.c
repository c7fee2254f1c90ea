/* wire_fuzz.c: what an isolated plugin, or somebody in its place, sends to its host, and the other way round. Cut into
 * pieces of any size it gives the same messages; what can be read as a message of some kind is, written again, the same
 * bytes; nothing is ever longer than its limit. */
#include "fuzz.h"

#include "host/isolate/wire.h"

#include <string.h>

#define LIMIT 4096u

static void same(const pawl_sink *written, pawl_bytes tail, pawl_bytes payload)
{
    FUZZ_CHECK(!written->no_memory && written->size + tail.size == WIRE_HEAD + payload.size);
    FUZZ_CHECK(memcmp(written->data + WIRE_HEAD, payload.data, payload.size - tail.size) == 0);
    FUZZ_CHECK(tail.size == 0 ||
               memcmp((const uint8_t *)payload.data + payload.size - tail.size, tail.data, tail.size) == 0);
}

static void check_to_plugin(pawl_bytes payload, pawl_sink *again)
{
    const pawl_bytes none = {"", 0};
    wire_hello hello;
    wire_create create;
    wire_call call;
    if (pawl_wire_read_hello(payload, &hello)) {
        pawl_wire_hello(again, &hello);
        same(again, none, payload);
        again->size = 0;
    }
    if (pawl_wire_read_create(payload, &create)) {
        pawl_wire_create(again, 1, &create);
        same(again, none, payload);
        again->size = 0;
    }
    if (pawl_wire_read_call(payload, &call)) {
        pawl_wire_call(again, 1, &call);
        same(again, call.input, payload);
        again->size = 0;
    }
}

static void check_to_host(pawl_bytes payload, pawl_sink *again)
{
    const pawl_bytes none = {"", 0};
    wire_end end;
    wire_log line;
    wire_ask ask;
    pawl_failure failure;
    if (pawl_wire_read_end(payload, &end)) {
        FUZZ_CHECK(pawl_wire_failure(&end, &failure) == ((end.flags & WIRE_FAILURE) != 0));
        pawl_wire_end(again, WIRE_END, 1, &end);
        same(again, end.output, payload);
        again->size = 0;
    }
    if (pawl_wire_read_log(payload, &line)) {
        pawl_wire_log(again, &line);
        same(again, none, payload);
        again->size = 0;
    }
    if (pawl_wire_read_ask(payload, &ask)) {
        pawl_wire_ask(again, 1, &ask);
        same(again, ask.data, payload);
        again->size = 0;
    }
}

/* A sum of all messages, and whether it ended in garbage, whatever the pieces were. */
static uint64_t read_in_pieces(const uint8_t *data, size_t size, size_t piece, bool from_plugin, bool check)
{
    wire_reader reader = {.payload_max = LIMIT, .from_plugin = from_plugin};
    wire_message message;
    wire_result result = WIRE_NEED_MORE;
    uint64_t sum = 14695981039346656037u;
    pawl_sink again;
    pawl_sink_init(&again, SIZE_MAX);
    for (size_t at = 0; at < size && result == WIRE_NEED_MORE;) {
        size_t room = 0;
        void *space = pawl_wire_space(&reader, &room);
        FUZZ_CHECK(space != NULL && room > 0);
        size_t part = size - at < piece ? size - at : piece;
        part = part < room ? part : room;
        memcpy(space, data + at, part);
        pawl_wire_took(&reader, part);
        at += part;
        while ((result = pawl_wire_next(&reader, &message)) == WIRE_GOT) {
            FUZZ_CHECK(message.payload.size <= LIMIT);
            FUZZ_CHECK((message.kind >= 32) == from_plugin);
            sum = (sum ^ message.kind ^ message.id) * 1099511628211u;
            for (size_t i = 0; i < message.payload.size; i++)
                sum = (sum ^ ((const uint8_t *)message.payload.data)[i]) * 1099511628211u;
            if (check) {
                check_to_host(message.payload, &again);
                check_to_plugin(message.payload, &again);
            }
        }
        FUZZ_CHECK(reader.room <= 4 * (LIMIT + WIRE_HEAD) + (256u << 10));
    }
    pawl_sink_finish(&again);
    pawl_wire_finish(&reader);
    return result == WIRE_GARBAGE ? ~sum : sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int from_plugin = 0; from_plugin < 2; from_plugin++) {
        uint64_t whole = read_in_pieces(data, size, size + 1, from_plugin != 0, true);
        FUZZ_CHECK(read_in_pieces(data, size, 1, from_plugin != 0, false) == whole);
        FUZZ_CHECK(read_in_pieces(data, size, 7, from_plugin != 0, false) == whole);
    }
    return 0;
}
