/* view.h: a process as others see it: its durable header, with the lease from memory laid over it. Belongs to one
 * thread; its buffers are reused from row to row. */
#ifndef PAWL_STORE_VIEW_H
#define PAWL_STORE_VIEW_H

#include "row.h"

typedef struct store_view {
    pawl_process_row row; /* bytes point into the rest, until the next read */
    pawl_buffer header;
    pawl_buffer tail;
    pawl_buffer document;
    char worker[PAWL_STORE_WORKER_NAME_BYTES_MAX];
} store_view;

/** Read one process. PAWL_E_NOT_FOUND, PAWL_E_CORRUPT. Not under lock. */
pawl_status store_view_read(store_view *view, store_registry *registry, uint64_t number, pawl_fault *fault);
void store_view_finish(store_view *view);

#endif
