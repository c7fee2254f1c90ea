/* attachments.h: "pawl.attachments/1", through which effects store and read large content, over the attachment facet.
 * What is stored belongs to the scope of the calling process: its session, or "process:<id>" when it has none; nothing
 * else can be read. Owns the uploads that are under way. Never lets a call reach the store once it is closing. */
#ifndef PAWL_HOST_ATTACHMENTS_H
#define PAWL_HOST_ATTACHMENTS_H

#include "worker/base/error.h"

#include <pthread.h>
#include <stdbool.h>

/** Session names may not begin with this, or a session could pose as a process. */
#define PAWL_PROCESS_SCOPE "process:"

/** The attachment facet of a host. */
typedef struct pawl_attachment_facet {
    const pawl_attachment_table *table;
    pawl_store *store;
    pthread_mutex_t lock; /* guards the members below */
    pthread_cond_t idle;
    size_t active; /* calls that are inside the store */
    bool open;
    struct pawl_upload *uploads; /* doubly linked */
} pawl_attachment_facet;

/** [loader] */
void pawl_attachments_open(pawl_attachment_facet *facet, const pawl_attachment_table *table, pawl_store *store);
/** No call reaches the store after this returns; uploads under way are aborted. Harmless when never opened. [loader] */
void pawl_attachments_close(pawl_attachment_facet *facet);
/** After close, when no plugin code can run any more. [loader] */
void pawl_attachments_finish(pawl_attachment_facet *facet);

/** The table for get_extension, the same for every host. */
const pawl_attachments *pawl_attachments_table(void);

#endif
