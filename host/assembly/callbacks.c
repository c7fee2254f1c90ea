/* callbacks.c: see callbacks.h. */
#include "host/assembly/callbacks.h"

#include <stdlib.h>

struct pawl_callbacks {
    pthread_t thread;
    pawl_inbox inbox;
    pawl_callback stop;
    bool stopping; /* the thread's own */
};

static void on_stop(pawl_callback *callback)
{
    pawl_callbacks *callbacks = (pawl_callbacks *)((char *)callback - offsetof(pawl_callbacks, stop));
    callbacks->stopping = true;
}

static void *make_calls(void *context)
{
    pawl_callbacks *callbacks = context;
    for (;;) {
        pawl_inbox_item *items = pawl_inbox_take(&callbacks->inbox);
        if (items == NULL && callbacks->stopping)
            return NULL;
        if (items == NULL)
            pawl_inbox_wait(&callbacks->inbox, NULL);
        while (items != NULL) {
            pawl_callback *callback = (pawl_callback *)items;
            items = items->next; /* before the call, which may free it */
            callback->call(callback);
        }
    }
}

pawl_status pawl_callbacks_create(pawl_callbacks **ret, pawl_error *error)
{
    pawl_callbacks *callbacks = calloc(1, sizeof *callbacks);
    if (callbacks == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while opening the host");
    pawl_inbox_init(&callbacks->inbox);
    callbacks->stop.call = on_stop;
    if (pthread_create(&callbacks->thread, NULL, make_calls, callbacks) == 0) {
        *ret = callbacks;
        return PAWL_OK;
    }
    pawl_inbox_finish(&callbacks->inbox);
    free(callbacks);
    return pawl_error_set(error, PAWL_E_NOMEM, "no_thread", "no thread could be started for the host's callbacks");
}

pawl_callbacks *pawl_callbacks_destroy(pawl_callbacks *callbacks)
{
    if (callbacks == NULL)
        return NULL;
    pawl_callbacks_post(callbacks, &callbacks->stop);
    pthread_join(callbacks->thread, NULL);
    pawl_inbox_finish(&callbacks->inbox);
    free(callbacks);
    return NULL;
}

void pawl_callbacks_post(pawl_callbacks *callbacks, pawl_callback *callback)
{
    pawl_inbox_put(&callbacks->inbox, &callback->item);
}
