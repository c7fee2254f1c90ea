/* uri.h: the target of a request, taken apart, and put together. A segment or value is percent-decoded only after the
 * split, so that an id may hold any byte but NUL ("/" and "?" included). [any]; a pawl_uri belongs to its caller. */
#ifndef PAWL_API_URI_H
#define PAWL_API_URI_H

#include <pawl/error.h>

#define PAWL_URI_SEGMENTS_MAX 6u
#define PAWL_URI_QUERY_MAX    16u

typedef struct pawl_uri {
    char *memory; /* what the members below point into */
    size_t segment_count;
    const char *segments[PAWL_URI_SEGMENTS_MAX];
    size_t query_count;
    struct {
        const char *key;
        const char *value;
    } query[PAWL_URI_QUERY_MAX];
} pawl_uri;

/** Take "/a/b%2Fc?d=e" apart. Errors: PAWL_E_INVALID (not starting with "/", a bad or NUL escape, too many parts, a key
 *  given twice), PAWL_E_NOMEM. */
pawl_status pawl_uri_parse(const char *raw, pawl_uri *ret, pawl_error *error);
/** Free what parse took; a zeroed one is allowed. */
void pawl_uri_finish(pawl_uri *uri);

/** The value of a query key, or NULL. */
const char *pawl_uri_query(const pawl_uri *uri, const char *key);
/** A decimal number of the query within [least, most]; absent: fallback. PAWL_E_INVALID otherwise. */
pawl_status pawl_uri_number(const pawl_uri *uri, const char *key, uint64_t least, uint64_t most, uint64_t fallback,
                            uint64_t *ret, pawl_error *error);

/** Percent-encode one segment or value; free() it. NULL when out of memory. */
char *pawl_uri_encode(const char *text);

#endif
