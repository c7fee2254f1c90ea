/* headers.h: what may stand in a request's headers, and a list of them in which the first of a name wins. [any] */
#ifndef PAWL_HTTP_HEADERS_H
#define PAWL_HTTP_HEADERS_H

#include <curl/curl.h>
#include <stdbool.h>

/** A token of RFC 9110, not longer than 128 bytes. */
bool pawl_http_is_header_name(const char *name);
/** No control characters: a line break would begin another header. */
bool pawl_http_is_header_value(const char *value);
/** True for what belongs to the connection and is the connector's own business. */
bool pawl_http_is_reserved_header(const char *name);

/** Add a header unless one of that name is there. False: out of memory. */
bool pawl_http_add_header(struct curl_slist **list, const char *name, const char *value);
bool pawl_http_has_header(const struct curl_slist *list, const char *name);

#endif
