/* text.h: base64 (RFC 4648, padded, strict) and the check for UTF-8. Pure functions. [any] */
#ifndef PAWL_CONNECTOR_TEXT_H
#define PAWL_CONNECTOR_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** Encode into a new NUL-terminated text, freed by the caller; NULL: out of memory. */
char *pawl_connector_base64_encode(const void *data, size_t size);

/** Decode into new memory, freed by the caller. False: out of memory or not base64; *memory tells which. */
bool pawl_connector_base64_decode(const char *text, size_t size, void **data, size_t *data_size, bool *memory);

/** True when the bytes are UTF-8 without NUL: what a JSON text can hold. */
bool pawl_connector_is_text(const void *data, size_t size);

#endif
