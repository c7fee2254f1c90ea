/* registry.h: the worker's and the host's side of the process registry facet: requests with a callback, and calls that
 * block. Owns the pawl.registry-host/1 table through which a provider answers. Judges nothing: fencing, order and
 * durability are the provider's. [any] */
#ifndef PAWL_REGISTRY_H
#define PAWL_REGISTRY_H

#include "base/error.h"
#include "base/sink.h"

/** A registry facet: the provider's table (a whole, zero-filled copy) and its store. */
typedef struct pawl_registry {
    pawl_registry_table table;
    pawl_store *store;
} pawl_registry;

/** An operation on its way. The caller sets op.kind, op.request and done, keeps everything valid until done is called,
 *  and reads the results from op. done comes on a provider thread, must not block, and may free the request. */
typedef struct pawl_request pawl_request;
struct pawl_request {
    pawl_registry_op op;
    pawl_failure_slot failure; /* what the provider said; valid in done */
    void (*done)(pawl_request *request);
    void *context;
};

/** Zero and fill a request. */
void pawl_request_init(pawl_request *request, uint32_t kind, const void *body, void (*done)(pawl_request *),
                       void *context);
/** Free what the provider may have said. Call when finished with a request. */
void pawl_request_finish(pawl_request *request);
void pawl_registry_submit(pawl_registry *registry, pawl_request *request);

/** Submit and wait. Returns op.status, with the error filled from what the provider said. [worker]: blocks */
pawl_status pawl_registry_call(pawl_registry *registry, pawl_registry_op *op, uint32_t kind, const void *body,
                               pawl_error *error);

/** The table for get_extension(PAWL_EXT_REGISTRY_HOST); the same for every host in a program. */
const pawl_registry_host *pawl_registry_host_table(void);

/** Receives events of a worker session; `listener` of worker_open points to one. */
typedef struct pawl_registry_listener {
    void (*event)(struct pawl_registry_listener *listener, const pawl_registry_event *event);
} pawl_registry_listener;

#endif
