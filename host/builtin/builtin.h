/* builtin.h: the operations that every host offers to process code by itself: the state and the attachments of the
 * calling process's session, its queue, the process's events, and what a schedule does (docs/process-code.md;
 * abi/pawl_session.h and pawl_queue.h are the comfortable face). They are effects like any other: journaled, retried,
 * called with a key. Owns nothing. Never touches what belongs to another session, and never reaches a store once the
 * host is closing. */
#ifndef PAWL_HOST_BUILTIN_H
#define PAWL_HOST_BUILTIN_H

#include "host/loader/manifest.h"
#include "host/session/attachments.h"

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
pawl_status pawl_builtin_queue_receive(pawl_builtin_call *own);
pawl_status pawl_builtin_queue_settle(pawl_builtin_call *own);

#define PAWL_BUILTIN_KEY_MAX 256u
/** Of consumers and commits: those that begin so are calls of processes, and come from nobody else. */
#define PAWL_BUILTIN_KEY_PREFIX "call:"
/** What stands for this call, the same at each attempt: the prefix and its key, or the key's digest when that would be
 *  too long. */
pawl_status pawl_builtin_key(pawl_builtin_call *own, char text[PAWL_BUILTIN_KEY_MAX + 1]);
/** Fails as "session.none". */
pawl_status pawl_builtin_no_session(pawl_builtin_call *own);

/** A commit of session state as a call says it; bytes point into its input. */
typedef struct pawl_builtin_commit {
    uint64_t expected;
    pawl_session_change *changes;
    const pawl_session_change **list;
    size_t count;
} pawl_builtin_commit;
/** Read it from what is left of the input; finish it in any case. */
pawl_status pawl_builtin_commit_read(pawl_builtin_call *own, pawl_bytes input, pawl_builtin_commit *ret);
void pawl_builtin_commit_finish(pawl_builtin_commit *commit);
/** Fails as "session.stale", with the revision that the session has. */
pawl_status pawl_builtin_stale(pawl_builtin_call *own, uint64_t revision, uint64_t expected);
pawl_status pawl_builtin_schedule_turn(pawl_builtin_call *own);
pawl_status pawl_builtin_schedule_unwatch(pawl_builtin_call *own);
/** Asynchronous: PAWL_PENDING, then the completion. */
pawl_status pawl_builtin_schedule_watch(const pawl_effect_call *call, pawl_completion *done, pawl_failure_sink *why);

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
