/* line.h: a short text put together piece by piece in a buffer of fixed size, for places that are passed too often for
 * printf. What does not fit is cut at the end; the text is always NUL-terminated. [any] */
#ifndef PAWL_BASE_LINE_H
#define PAWL_BASE_LINE_H

#include "pawl_abi.h"

#include <string.h>

typedef struct pawl_line {
    char *text;  /**< the caller's buffer */
    size_t room; /**< its size in bytes, at least 1 */
    size_t size; /**< of the text, without the NUL */
} pawl_line;

/** An empty text in a buffer of room bytes, at least 1. */
static inline pawl_line pawl_line_in(char *buffer, size_t room)
{
    buffer[0] = '\0';
    return (pawl_line){.text = buffer, .room = room};
}

static inline void pawl_line_bytes(pawl_line *line, pawl_bytes bytes)
{
    size_t left = line->room - 1 - line->size;
    size_t size = bytes.size < left ? bytes.size : left;
    if (size > 0)
        memcpy(line->text + line->size, bytes.data, size);
    line->size += size;
    line->text[line->size] = '\0';
}

static inline void pawl_line_text(pawl_line *line, const char *text)
{
    pawl_line_bytes(line, (pawl_bytes){text, strlen(text)});
}

/** In decimal. */
static inline void pawl_line_number(pawl_line *line, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    pawl_line_bytes(line, (pawl_bytes){digits + at, sizeof digits - at});
}

#endif
