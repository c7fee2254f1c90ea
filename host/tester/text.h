/* text.h: texts that grow, and values as people can read them. A text is its owner's. [any] */
#ifndef PAWL_TESTER_TEXT_H
#define PAWL_TESTER_TEXT_H

#include "pawl_abi.h"

#include <stdbool.h>
#include <stddef.h>

/** A text that grows. */
typedef struct pawl_tester_text {
    char *data; /* NUL-terminated once anything was written; NULL before */
    size_t size, room;
    bool no_memory;
} pawl_tester_text;

void pawl_tester_text_add(pawl_tester_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pawl_tester_text_bytes(pawl_tester_text *text, const void *data, size_t size);
/** Bytes as people can read them: cut, on one line, with a digest when they were cut. */
void pawl_tester_text_value(pawl_tester_text *text, pawl_bytes value);
void pawl_tester_text_reset(pawl_tester_text *text);
void pawl_tester_text_finish(pawl_tester_text *text);
const char *pawl_tester_text_of(const pawl_tester_text *text); /* never NULL */

#endif
