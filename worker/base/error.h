/* error.h: building and wrapping errors. Built where the fact is known, wrapped with context on the way up; never
 * both logged and returned. All functions accept error == NULL. [any] */
#ifndef PAWL_BASE_ERROR_H
#define PAWL_BASE_ERROR_H

#include <pawl/error.h>

/** Fill an error and return its status, so that a function can end with `return pawl_error_set(...)`. */
pawl_status pawl_error_set(pawl_error *error, pawl_status status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** Put "context: " in front of the message; returns the error's status. */
pawl_status pawl_error_wrap(pawl_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Take over what a plugin said (cut to the limits), or, when it said nothing, name the bare status. */
pawl_status pawl_error_from_failure(pawl_error *error, pawl_status status, const pawl_failure *failure);

/** "not_found" for PAWL_E_NOT_FOUND and so on; "status -99" texts are never needed: unknown gives "unknown". */
const char *pawl_status_name(pawl_status status);

/* What the analyser cannot see in a declaration: the status that goes in comes out. */
#ifdef __clang_analyzer__
#define pawl_error_set(error, status, ...) (pawl_error_set(error, status, __VA_ARGS__), (status))
#endif

#endif
