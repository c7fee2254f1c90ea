/* sink.h: where a plugin's results and failures land: the host's side of pawl_sink and pawl_failure_sink, and the
 * pawl.core/1 table that reaches them. One thread at a time per sink. */
#ifndef PAWL_BASE_SINK_H
#define PAWL_BASE_SINK_H

#include "error.h"

#include <stdbool.h>

/** Collects bytes up to a limit. Opaque to plugins as pawl_sink. */
struct pawl_sink {
    uint8_t *data; /* malloc'ed */
    size_t size;
    size_t room;
    size_t limit;
    bool over; /* more than limit was written */
    bool no_memory;
};
void pawl_sink_init(pawl_sink *sink, size_t limit);
void pawl_sink_finish(pawl_sink *sink);
pawl_bytes pawl_sink_bytes(const pawl_sink *sink);
/** As a NUL-terminated text; "" when empty or out of memory. Lives as long as the sink is not written to. */
const char *pawl_sink_text(pawl_sink *sink);
pawl_status pawl_sink_write(pawl_sink *sink, const void *data, size_t size);

/** Holds the first failure told, copied and cut to the ABI's limits. Opaque to plugins as pawl_failure_sink. */
struct pawl_failure_sink {
    bool set;
    pawl_failure failure; /* bytes point into text */
    char *text;           /* malloc'ed */
};
typedef struct pawl_failure_sink pawl_failure_slot;
void pawl_failure_init(pawl_failure_slot *slot);
void pawl_failure_finish(pawl_failure_slot *slot);
void pawl_failure_tell(pawl_failure_slot *slot, const pawl_failure *failure);
/** Fill an error from it and return the status. */
pawl_status pawl_failure_error(const pawl_failure_slot *slot, pawl_status status, pawl_error *error);

static inline pawl_bytes pawl_bytes_text(const char *text)
{
    pawl_bytes bytes = {text, text == NULL ? 0 : __builtin_strlen(text)};
    return bytes;
}

#endif
