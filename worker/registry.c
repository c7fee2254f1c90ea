/* registry.c: see registry.h. Every operation of a pawl_request carries the request in host_data, so the provider's
 * answer finds its way without a table. */
#include "registry.h"

#include <pthread.h>
#include <string.h>

void pawl_request_init(pawl_request *request, uint32_t kind, const void *body, void (*done)(pawl_request *),
                       void *context)
{
    memset(request, 0, sizeof *request);
    pawl_failure_init(&request->failure);
    request->op.struct_size = sizeof request->op;
    request->op.kind = kind;
    request->op.request = body;
    request->op.host_data = request;
    request->op.why = &request->failure;
    request->done = done;
    request->context = context;
}

void pawl_request_finish(pawl_request *request)
{
    pawl_failure_finish(&request->failure);
}

void pawl_registry_submit(pawl_registry *registry, pawl_request *request)
{
    pawl_registry_op *op = &request->op;
    registry->table.submit(registry->store, &op, 1);
}

typedef struct waiter {
    pthread_mutex_t lock; /* guards done */
    pthread_cond_t changed;
    bool done;
} waiter;

static void wake(pawl_request *request)
{
    waiter *waiting = request->context;
    pthread_mutex_lock(&waiting->lock);
    waiting->done = true;
    pthread_cond_signal(&waiting->changed); /* under the lock: afterwards the waiter may be gone */
    pthread_mutex_unlock(&waiting->lock);
}

pawl_status pawl_registry_call(pawl_registry *registry, pawl_registry_op *op, uint32_t kind, const void *body,
                               pawl_error *error)
{
    waiter waiting = {.done = false};
    pthread_mutex_init(&waiting.lock, NULL);
    pthread_cond_init(&waiting.changed, NULL);
    pawl_request request;
    pawl_request_init(&request, kind, body, wake, &waiting);
    pawl_registry_submit(registry, &request);

    pthread_mutex_lock(&waiting.lock);
    while (!waiting.done)
        pthread_cond_wait(&waiting.changed, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    pthread_cond_destroy(&waiting.changed);
    pthread_mutex_destroy(&waiting.lock);

    *op = request.op;
    op->host_data = NULL;
    op->why = NULL;
    if (op->status < 0)
        (void)pawl_failure_error(&request.failure, op->status, error);
    pawl_request_finish(&request);
    return op->status;
}

static void PAWL_CALL completed(pawl_registry_op *const *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pawl_request *request = ops[i]->host_data;
        request->done(request);
    }
}

static void PAWL_CALL event(void *listener, const pawl_registry_event *happened)
{
    pawl_registry_listener *own = listener;
    if (own != NULL && own->event != NULL)
        own->event(own, happened);
}

const pawl_registry_host *pawl_registry_host_table(void)
{
    static const pawl_registry_host table = {sizeof(pawl_registry_host), 0, completed, event};
    return &table;
}
