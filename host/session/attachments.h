/* attachments.h: "pawl.attachments/1", through which effects store and read large content, over the attachment facet.
 * What is stored belongs to the scope of the calling process: its session, or "process:<id>" when it has none; nothing
 * else can be read. Owns the uploads that are under way. Never lets a call reach the store once it is closing. */
#ifndef PAWL_HOST_ATTACHMENTS_H
#define PAWL_HOST_ATTACHMENTS_H

#include "worker/base/error.h"
#include "worker/effect/context.h"

#include <pthread.h>
#include <stdbool.h>

/** Session names may not begin with this, or a session could pose as a process. */
#define PAWL_PROCESS_SCOPE  "process:"
#define PAWL_SCOPE_SIZE     (sizeof PAWL_PROCESS_SCOPE + 256)
#define PAWL_REFERENCE_SIZE 71u /* "sha256:" and 64 hex digits */

/** The attachment facet of a host, and the door in front of it. */
typedef struct pawl_attachment_facet {
    const pawl_session_table *session_table; /* the session facet is entered by the same door */
    pawl_store *session_store;
    const pawl_attachment_table *table;
    pawl_store *store;
    pthread_mutex_t lock; /* guards the members below */
    pthread_cond_t idle;
    size_t active; /* calls that are inside the store */
    bool open;
    struct pawl_upload *uploads; /* doubly linked */
} pawl_attachment_facet;

/** [loader] */
void pawl_attachments_open(pawl_attachment_facet *facet, const pawl_attachment_table *table, pawl_store *store,
                           const pawl_session_table *session_table, pawl_store *session_store);
/** No call reaches the store after this returns; uploads under way are aborted. Harmless when never opened. [loader] */
void pawl_attachments_close(pawl_attachment_facet *facet);
/** After close, when no plugin code can run any more. [loader] */
void pawl_attachments_finish(pawl_attachment_facet *facet);

/** Between these two a call may use the stores of the host. False: it is closing, and there is nothing to leave. [any]
 */
bool pawl_attachments_enter(pawl_attachment_facet *facet);
void pawl_attachments_leave(pawl_attachment_facet *facet);

/** The facet of the host that a call belongs to; NULL: none. [any] */
pawl_attachment_facet *pawl_attachments_of(const pawl_call_context *context);
/** What a call may touch: its process's session, or "process:<id>" in room. [any] */
pawl_bytes pawl_attachments_scope(const pawl_call_context *context, char room[PAWL_SCOPE_SIZE]);
/** "sha256:..." of a digest, and back; false when it is no such text. [any] */
void pawl_attachment_format(const uint8_t digest[32], char text[PAWL_REFERENCE_SIZE + 1]);
bool pawl_attachment_parse(pawl_bytes reference, uint8_t digest[32]);

/** The table for get_extension, the same for every host. */
const pawl_attachments *pawl_attachments_table(void);

#endif
