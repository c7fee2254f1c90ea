/* fingerprint.h: are two requests the same? Content that is JSON is compared by meaning: the order of keys, white space
 * and the spelling of numbers do not count; anything else is compared byte by byte. Pure. [any] */
#ifndef PAWL_HOST_FINGERPRINT_H
#define PAWL_HOST_FINGERPRINT_H

#include "worker/base/error.h"

#define PAWL_FINGERPRINT_SIZE 32u

/** SHA-256 over a domain ("start", "signal"), parts that are compared byte by byte, and content compared by meaning.
 *  Errors: PAWL_E_NOMEM. */
pawl_status pawl_fingerprint(const char *domain, const pawl_bytes *parts, size_t part_count, pawl_bytes content,
                             uint8_t ret[PAWL_FINGERPRINT_SIZE], pawl_error *error);

/** The canonical form of a JSON text: sorted keys, no white space, one spelling for each number (1.0, 1e0 and 1 are the
 *  same). malloc'ed, with its length; NULL when the text is not JSON (or has a key twice) or memory is out. */
char *pawl_canonical_json(pawl_bytes text, size_t *ret_size);

#endif
