/* log.h: structured log lines: a level, a message, fields. Text or JSON lines, to a callback. Never logs a secret: who
 * logs a field knows that. [any] */
#ifndef PAWL_BASE_LOG_H
#define PAWL_BASE_LOG_H

#include "pawl_abi.h"

#include <stdbool.h>

typedef struct pawl_log {
    uint32_t level; /* lines below are dropped: PAWL_LOG_DEBUG .. PAWL_LOG_ERROR */
    bool json;
    /* NULL: standard error. Gets one whole line without newline. */
    void (*line)(void *context, uint32_t level, const char *line);
    void *context;
} pawl_log;

/** Write a line. fields: pairs of key and text value, ended by NULL: pawl_log_write(log, PAWL_LOG_WARN, "lease lost",
 *  "process", id, "worker", name, (char *)NULL). A NULL log drops it. */
void pawl_log_write(const pawl_log *log, uint32_t level, const char *message, ...) __attribute__((sentinel));

/** A line whose fields are already a JSON object (may be empty), from `source` (a plugin or process id). */
void pawl_log_plugin(const pawl_log *log, uint32_t level, const char *source, pawl_bytes message,
                     pawl_bytes fields_json);

#endif
