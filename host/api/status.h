/* status.h: how a pawl_status travels over HTTP, and back. Owns the one table of it. [any] */
#ifndef PAWL_API_STATUS_H
#define PAWL_API_STATUS_H

#include <jansson.h>
#include <pawl/error.h>

/** The HTTP status of an error. A process that is no longer retained is 410, not 404. */
unsigned pawl_api_http_status(const pawl_error *error);

/** The status that a name such as "not_found" stands for; PAWL_E_FAILED for a name nobody knows. */
pawl_status pawl_api_status_named(const char *name);

/** {"status": "not_found", "code": "...", "message": "..."}: a new reference, or NULL when out of memory. */
json_t *pawl_api_error_json(const pawl_error *error);

#endif
