/* text.c: see text.h. Running out of memory is remembered, so that it need not be asked after each word. */
#include "text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define VALUE_SHOWN ((size_t)160)

static bool make_room(pawl_tester_text *text, size_t more)
{
    if (text->size + more + 1 <= text->room)
        return true;
    size_t room = text->room == 0 ? 1024 : text->room;
    while (room < text->size + more + 1)
        room *= 2;
    char *data = realloc(text->data, room);
    if (data == NULL) {
        text->no_memory = true;
        return false;
    }
    text->data = data;
    text->room = room;
    return true;
}

void pawl_tester_text_bytes(pawl_tester_text *text, const void *data, size_t size)
{
    if (!make_room(text, size))
        return;
    if (size > 0)
        memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void pawl_tester_text_add(pawl_tester_text *text, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (size > 0 && (size_t)size < sizeof line) {
        pawl_tester_text_bytes(text, line, (size_t)size);
    } else if (size > 0 && make_room(text, (size_t)size)) {
        va_start(args, format);
        vsnprintf(text->data + text->size, (size_t)size + 1, format, args);
        va_end(args);
        text->size += (size_t)size;
    }
}

void pawl_tester_text_value(pawl_tester_text *text, pawl_bytes value)
{
    const unsigned char *data = value.data;
    size_t shown = value.size <= VALUE_SHOWN ? value.size : VALUE_SHOWN - 32;
    char line[4 * VALUE_SHOWN + 1];
    size_t at = 0;
    for (size_t i = 0; i < shown; i++) {
        if (data[i] >= 0x20 && data[i] != 0x7f)
            line[at++] = (char)data[i];
        else
            at += (size_t)snprintf(line + at, 5, "\\x%02x", data[i]);
    }
    if (value.size == 0)
        pawl_tester_text_bytes(text, "(empty)", 7);
    pawl_tester_text_bytes(text, line, at);
    if (shown < value.size)
        pawl_tester_text_add(text, "... (%zu bytes, %016" PRIx64 ")", value.size,
                             (uint64_t)XXH3_64bits(value.data, value.size));
}

void pawl_tester_text_reset(pawl_tester_text *text)
{
    text->size = 0;
    text->no_memory = false;
    if (text->data != NULL)
        text->data[0] = '\0';
}

void pawl_tester_text_finish(pawl_tester_text *text)
{
    free(text->data);
    *text = (pawl_tester_text){0};
}

const char *pawl_tester_text_of(const pawl_tester_text *text)
{
    return text->data == NULL ? "" : text->data;
}
