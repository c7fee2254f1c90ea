/* api.h: one request to `pawl serve` over its socket: all that a client in any language needs. */
#ifndef INTAKE_API_H
#define INTAKE_API_H

#include <jansson.h>
#include <stddef.h>

/** The path of a process: "/v1/processes/" + percent-encoded id + tail. */
void api_path(char *path, size_t room, const char *id, const char *tail);
/** HTTP status of the answer, 0 when nobody answers. body may be NULL; *ret_answer (may be NULL) is the caller's. */
long api_call(const char *socket, const char *method, const char *path, const json_t *body, json_t **ret_answer);

#endif
