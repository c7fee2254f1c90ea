/* view.h: a process as others see it: its durable header, with the lease from memory laid over it. Belongs to one
 * thread; its buffers are reused from row to row. */
#ifndef PAWL_STORE_VIEW_H
#define PAWL_STORE_VIEW_H

#include "row.h"

typedef struct pawl_store_view {
    pawl_process_row row; /* bytes point into the rest, until the next read */
    pawl_buffer header;
    pawl_buffer tail;
    pawl_buffer document;
    pawl_buffer attributes;
    pawl_buffer paused;
    char worker[PAWL_STORE_WORKER_NAME_BYTES_MAX];
    char behind[2 * PAWL_STORE_ID_BYTES_MAX + 64]; /* whose turn a process waits for, in words */
    uint8_t digest[PAWL_STORE_DIGEST_BYTES];       /* of one that was pinned anew */
    const pawl_store_type *type;
    uint32_t priority; /* from 0 */
    uint64_t lane;
    uint64_t ready_sequence; /* 0: it has no place in the queue */
} pawl_store_view;

/** Read one process. PAWL_E_NOT_FOUND, PAWL_E_CORRUPT. Not under lock. */
pawl_status pawl_store_view_read(pawl_store_view *view, pawl_store_registry *registry, uint64_t number,
                                 pawl_fault *fault);
/** A process that is in memory and leased, without reading it again; it has no reason and no outcome. The entry is
 *  pinned, and stays so as long as the row is used. Not under lock. */
pawl_status pawl_store_view_entry(pawl_store_view *view, pawl_store_registry *registry, const pawl_store_entry *entry,
                                  pawl_fault *fault);
/** Count who stands in front of the process that was read last, into its row: PAWL_STORE_AHEAD_MAX at most. */
pawl_status pawl_store_view_count_ahead(pawl_store_view *view, pawl_store_registry *registry, pawl_fault *fault);
void pawl_store_view_finish(pawl_store_view *view);

#endif
