/* builtin.h: the operations that every host offers to process code by itself: the state and the attachments of the
 * calling process's session, and its events (docs/process-code.md; abi/pawl_session.h is the comfortable face). They
 * are effects like any other: journaled, retried, called with a key. Owns nothing. Never touches what belongs to
 * another session, and never reaches a store once the host is closing. */
#ifndef PAWL_HOST_BUILTIN_H
#define PAWL_HOST_BUILTIN_H

#include "attachments.h"
#include "loader/manifest.h"

/** All of them, as a manifest would say it; static. */
const pawl_manifest_operation *pawl_builtin_operations(size_t *count);
/** The table behind them. */
const pawl_effect_table *pawl_builtin_table(void);

/* ---- between builtin*.c ---- */

/** One call, inside the door. */
typedef struct pawl_builtin_call {
    const pawl_effect_call *call;
    pawl_attachment_facet *facet;
    pawl_sink *out;
    pawl_failure_sink *why;
} pawl_builtin_call;

pawl_status pawl_builtin_session_get(pawl_builtin_call *own);
pawl_status pawl_builtin_session_scan(pawl_builtin_call *own);
pawl_status pawl_builtin_session_commit(pawl_builtin_call *own);
pawl_status pawl_builtin_attachment_put(pawl_builtin_call *own);
pawl_status pawl_builtin_attachment_read(pawl_builtin_call *own);
pawl_status pawl_builtin_attachment_list(pawl_builtin_call *own);
pawl_status pawl_builtin_attachment_drop(pawl_builtin_call *own);
pawl_status pawl_builtin_event_append(pawl_builtin_call *own);

/** Say why it fails, and return the status. detail_json may be NULL. */
pawl_status pawl_builtin_fail(pawl_builtin_call *own, pawl_status status, uint32_t klass, const char *code,
                              const char *message, const char *detail_json);
/** Text with a format into the output. */
pawl_status pawl_builtin_writef(pawl_builtin_call *own, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Take a line, without its newline, from the front of input. False when there is none. */
bool pawl_builtin_line(pawl_bytes *input, pawl_bytes *line);
/** Take a word (up to a blank or the end) from the front of a line. False when the line is empty. */
bool pawl_builtin_word(pawl_bytes *line, pawl_bytes *word);
/** The same, a decimal number. */
bool pawl_builtin_number(pawl_bytes *line, uint64_t *number);
/** Take size bytes from the front of input. False when there are fewer. */
bool pawl_builtin_take(pawl_bytes *input, uint64_t size, pawl_bytes *taken);

#endif
