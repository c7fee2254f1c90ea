/* fault.h: what went wrong inside a store, until it is handed to a failure sink. A fault belongs to its caller; the
 * functions accept NULL. [any] */
#ifndef PAWL_STORE_FAULT_H
#define PAWL_STORE_FAULT_H

#include "pawl_abi.h"

typedef struct pawl_fault {
    pawl_status status; /**< PAWL_OK when empty */
    char code[64];      /**< "registry.stale" */
    char message[768];  /**< NUL-terminated UTF-8 */
} pawl_fault;

/** Fill a fault and return its status, so that a function can end with `return pawl_fault_set(...)`. */
pawl_status pawl_fault_set(pawl_fault *fault, pawl_status status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** Add to the message, cut at the end when it is too long. */
void pawl_fault_append(pawl_fault *fault, const char *text);

/** Out of memory, in one word. */
pawl_status pawl_fault_nomem(pawl_fault *fault);

/** Hand a fault to the caller's sink (may be NULL) and return its status. */
pawl_status pawl_fault_emit(const pawl_core *core, pawl_failure_sink *why, const pawl_fault *fault);

/** Bytes as text for a message: printable ones as they are, others as \xNN, cut at the end with "...".
 *  @return buffer */
const char *pawl_fault_text(pawl_bytes bytes, char *buffer, size_t size);

/** Bytes as hexadecimal digits, cut at the end. @return buffer */
const char *pawl_fault_hex(pawl_bytes bytes, char *buffer, size_t size);

/* What the analyser cannot see in a declaration: the status that goes in comes out. */
#ifdef __clang_analyzer__
#define pawl_fault_set(fault, status, ...) (pawl_fault_set(fault, status, __VA_ARGS__), (status))
#define pawl_fault_nomem(fault)            (pawl_fault_nomem(fault), PAWL_E_NOMEM)
#endif

#endif
