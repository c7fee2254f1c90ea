/* error.h: why a call of a first-party connector fails, kept until the end of the call and told to the host once. Owns
 * the detail object it is given. One error belongs to one call or one creation: one thread at a time. It never holds a
 * secret by its own doing: who fills it keeps secrets out. */
#ifndef PAWL_CONNECTOR_ERROR_H
#define PAWL_CONNECTOR_ERROR_H

#include "pawl_plugin.h"

#include <jansson.h>
#include <stdbool.h>

typedef struct pawl_connector_error {
    pawl_status status; /* PAWL_OK until something failed */
    uint32_t klass;
    char code[64];
    char message[1024];
    json_t *detail; /* owned, may be NULL */
    uint64_t retry_after_ns;
    bool told; /* a host function has filled the failure sink already */
} pawl_connector_error;

/** Fill the error and return PAWL_E_FAILED. The first one wins. [any] */
pawl_status pawl_connector_fail(pawl_connector_error *error, uint32_t klass, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** The same with a status of its own: PAWL_E_CANCELLED, PAWL_E_DEADLINE, PAWL_E_INVALID, ... [any] */
pawl_status pawl_connector_fail_as(pawl_connector_error *error, pawl_status status, uint32_t klass, const char *code,
                                   const char *format, ...) __attribute__((format(printf, 5, 6)));

/** A host function returned this status and told the sink why, if it wished to. Returns it. [any] */
pawl_status pawl_connector_fail_told(pawl_connector_error *error, pawl_status status);

/** No memory: retryable, nothing has been done yet. [any] */
pawl_status pawl_connector_fail_memory(pawl_connector_error *error);

/* What the analyser cannot see in a declaration: none of these gives PAWL_OK. */
#ifdef __clang_analyzer__
#define pawl_connector_fail(error, ...)   (pawl_connector_fail(error, __VA_ARGS__), PAWL_E_FAILED)
#define pawl_connector_fail_memory(error) (pawl_connector_fail_memory(error), PAWL_E_NOMEM)
#endif

/** Tell the host, free the detail and return the status to return from the call. [any] */
pawl_status pawl_connector_report(pawl_connector_error *error, const pawl_core *core, pawl_failure_sink *why);

#endif
