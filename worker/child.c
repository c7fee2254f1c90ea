/* child.c: see child.h. */
#include "child.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* ---- requests ---- */

/* version, flags, parent_close (one byte each), then id, session and type with their sizes (4 bytes), and the input as
 * what is left; numbers with the least significant byte first. In front of the id stand in version 2 the deadline (8
 * bytes), in version 3 the deadline, the priority (one byte) and the key with its size. The lowest version that says it
 * all is written: a digest stays what it was. */
#define REQUEST_VERSION  1u
#define REQUEST_DEADLINE 2u
#define REQUEST_PLACE    3u
#define REQUEST_FIXED    ((size_t)3 + 3 * 4)

static uint8_t *put_part(uint8_t *at, pawl_bytes part)
{
    for (int i = 0; i < 4; i++)
        *at++ = (uint8_t)(part.size >> (8 * i));
    if (part.size > 0)
        memcpy(at, part.data, part.size);
    return at + part.size;
}

pawl_status pawl_child_request_encode(pawl_arena *arena, const pawl_child_request *request, pawl_bytes *ret)
{
    bool place = request->priority != 0 || request->key.size > 0;
    bool timed = place || request->deadline_ns != 0;
    size_t size = REQUEST_FIXED + (timed ? 8 : 0) + (place ? 5 + request->key.size : 0) + request->id.size +
                  request->session.size + request->type.size + request->input.size;
    uint8_t *bytes = pawl_arena_alloc(arena, size);
    if (bytes == NULL)
        return PAWL_E_NOMEM;
    uint8_t *at = bytes;
    *at++ = place ? REQUEST_PLACE : timed ? REQUEST_DEADLINE : REQUEST_VERSION;
    *at++ = (uint8_t)request->flags;
    *at++ = (uint8_t)request->parent_close;
    for (int i = 0; timed && i < 8; i++)
        *at++ = (uint8_t)(request->deadline_ns >> (8 * i));
    if (place) {
        *at++ = (uint8_t)request->priority;
        at = put_part(at, request->key);
    }
    at = put_part(at, request->id);
    at = put_part(at, request->session);
    at = put_part(at, request->type);
    if (request->input.size > 0)
        memcpy(at, request->input.data, request->input.size);
    *ret = (pawl_bytes){bytes, size};
    return PAWL_OK;
}

static bool get_part(const uint8_t **at, size_t *left, pawl_bytes *ret)
{
    size_t size = 0;
    if (*left < 4)
        return false;
    for (int i = 0; i < 4; i++)
        size |= (size_t)(*at)[i] << (8 * i);
    if (size > *left - 4)
        return false;
    *ret = (pawl_bytes){*at + 4, size};
    *at += 4 + size;
    *left -= 4 + size;
    return true;
}

bool pawl_child_request_decode(pawl_bytes bytes, pawl_child_request *ret)
{
    const uint8_t *at = bytes.data;
    size_t left = bytes.size;
    if (left < REQUEST_FIXED || at[0] < REQUEST_VERSION || at[0] > REQUEST_PLACE)
        return false;
    bool timed = at[0] >= REQUEST_DEADLINE;
    pawl_child_request request = {.flags = at[1], .parent_close = at[2]};
    bool place = at[0] == REQUEST_PLACE;
    at += 3;
    left -= 3;
    for (int i = 0; timed && i < 8; i++)
        request.deadline_ns |= (uint64_t)at[i] << (8 * i);
    at += timed ? 8 : 0;
    left -= timed ? 8 : 0;
    if (place) {
        request.priority = *at++;
        left--;
        if (request.priority > PAWL_PRIORITY_LOWEST || !get_part(&at, &left, &request.key))
            return false;
    }
    if (!get_part(&at, &left, &request.id) || !get_part(&at, &left, &request.session) ||
        !get_part(&at, &left, &request.type))
        return false;
    request.input = (pawl_bytes){at, left};
    *ret = request;
    return true;
}

/* ---- ids ---- */

static int make_id(const char *parent, size_t size, const pawl_child_note *note, char *to, size_t room)
{
    char again[16] = "";
    if (note->generation != 0)
        snprintf(again, sizeof again, "~%" PRIu32, note->generation);
    return snprintf(to, room, "%.*s/%" PRIu32 "%s/%" PRIu64, (int)size, parent, note->run, again, note->ordinal);
}

size_t pawl_child_make_id(pawl_bytes parent, const pawl_child_note *note, char to[PAWL_CHILD_ID_BYTES_MAX + 1])
{
    char hashed[2 + 32 + 1];
    int size = make_id(parent.data, parent.size, note, to, PAWL_CHILD_ID_BYTES_MAX + 1);
    if (size > 0 && (size_t)size <= PAWL_CHILD_ID_BYTES_MAX)
        return (size_t)size;
    XXH128_hash_t hash = XXH3_128bits(parent.data, parent.size);
    snprintf(hashed, sizeof hashed, "~%016" PRIx64 "%016" PRIx64, hash.high64, hash.low64);
    size = make_id(hashed, strlen(hashed), note, to, PAWL_CHILD_ID_BYTES_MAX + 1);
    return size > 0 ? (size_t)size : 0;
}

/* ---- its end, and its parent's ---- */

static pawl_bytes text(const char *words)
{
    return (pawl_bytes){words, strlen(words)};
}

pawl_status pawl_child_close_body(pawl_arena *arena, uint32_t parent_close, pawl_bytes *ret)
{
    static const char why[] = "its parent has ended";
    pawl_entry entry = {.kind = PAWL_RECORD_CANCEL, .value = text(why)};
    *ret = (pawl_bytes){NULL, 0};
    if (parent_close == PAWL_PARENT_CLOSE_ABANDON)
        return PAWL_OK;
    if (parent_close == PAWL_PARENT_CLOSE_TERMINATE) {
        entry = (pawl_entry){.kind = PAWL_RECORD_ENDED, .status = PAWL_TERMINATED, .failed = true};
        entry.failure = (pawl_failure){.struct_size = sizeof entry.failure,
                                       .klass = PAWL_TERMINAL,
                                       .code = text("parent_closed"),
                                       .message = text(why)};
    }
    return pawl_entry_encode(arena, &entry, ret);
}

pawl_status pawl_deadline_body(pawl_arena *arena, bool external, pawl_bytes *ret)
{
    static const char why[] = "its deadline passed";
    pawl_entry entry = {.kind = PAWL_RECORD_CANCEL, .status = PAWL_FAILED, .value = text(why)};
    if (external) {
        entry = (pawl_entry){.kind = PAWL_RECORD_ENDED, .status = PAWL_FAILED, .failed = true};
        entry.failure = (pawl_failure){.struct_size = sizeof entry.failure,
                                       .klass = PAWL_TERMINAL,
                                       .code = text("process.deadline"),
                                       .message = text(why)};
    }
    return pawl_entry_encode(arena, &entry, ret);
}

static const char *how(uint32_t status)
{
    switch (status) {
    case PAWL_FAILED:
        return "failed";
    case PAWL_CANCELLED:
        return "cancelled";
    default:
        return "terminated";
    }
}

static bool copy_text(pawl_arena *arena, const char *made, pawl_bytes *ret)
{
    return made != NULL && pawl_arena_copy(arena, text(made), ret);
}

/* {"child": id, "status": "failed", "detail": what the child itself gave} */
static pawl_status make_detail(pawl_arena *arena, pawl_bytes id, uint32_t status, pawl_bytes detail, pawl_bytes *ret)
{
    json_t *name = json_stringn(id.data, id.size); /* NULL: not UTF-8 */
    json_t *inner = detail.size == 0 ? NULL : json_loadb(detail.data, detail.size, JSON_DECODE_ANY, NULL);
    json_t *whole = json_pack("{s:o, s:s, s:o*}", "child", name == NULL ? json_null() : name, "status", how(status),
                              "detail", inner);
    char *made = whole == NULL ? NULL : json_dumps(whole, JSON_COMPACT | JSON_ENCODE_ANY);
    bool done = copy_text(arena, made, ret);
    free(made);
    json_decref(whole);
    return done ? PAWL_OK : PAWL_E_NOMEM;
}

pawl_status pawl_child_failure(pawl_arena *arena, pawl_bytes id, uint32_t status, const pawl_failure *of_child,
                               pawl_failure *ret)
{
    char message[4096];
    pawl_failure made = {.struct_size = sizeof made, .klass = PAWL_TERMINAL};
    pawl_bytes said = of_child->message;
    int size = snprintf(message, sizeof message, "child %.*s %s%s: %.*s", (int)id.size, (const char *)id.data,
                        status == PAWL_FAILED ? "" : "was ", how(status), (int)(said.size < 3500 ? said.size : 3500),
                        said.size == 0 ? "" : (const char *)said.data);
    pawl_bytes code = of_child->code.size > 0 ? of_child->code : text(how(status));
    if (size < 0 || !pawl_arena_copy(arena, code, &made.code) || !copy_text(arena, message, &made.message))
        return PAWL_E_NOMEM;
    pawl_status done = make_detail(arena, id, status, of_child->detail_json, &made.detail_json);
    if (done == PAWL_OK)
        *ret = made;
    return done;
}
