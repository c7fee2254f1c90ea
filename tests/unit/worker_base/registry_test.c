/* registry_test.c: requests find their way back from a provider, also one that answers on a thread of its own. */
#include "test.h"

#include "worker/registry.h"

#include <pthread.h>

/* A provider of one slot: a thread answers what is put there. */
typedef struct fake {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pawl_registry_op *slot;
    int stop;
    pthread_t thread;
} fake;

static void *answer(void *context)
{
    fake *store = context;
    pthread_mutex_lock(&store->lock);
    for (;;) {
        while (store->slot == NULL && !store->stop)
            pthread_cond_wait(&store->changed, &store->lock);
        pawl_registry_op *op = store->slot;
        if (op == NULL)
            break;
        store->slot = NULL;
        pthread_mutex_unlock(&store->lock);
        const pawl_prune *prune = op->request;
        if (prune->limit == 0) {
            pawl_failure failure = {.struct_size = sizeof failure,
                                    .klass = PAWL_TERMINAL,
                                    .code = pawl_bytes_text("registry.limit"),
                                    .message = pawl_bytes_text("nothing asked for")};
            pawl_failure_tell(op->why, &failure);
            op->status = PAWL_E_LIMIT;
        } else {
            op->status = PAWL_OK;
            op->count = prune->limit;
        }
        pawl_registry_host_table()->completed(&op, 1);
        pthread_mutex_lock(&store->lock);
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

static void submit(pawl_store *store, pawl_registry_op *const *ops, size_t count)
{
    fake *own = (fake *)store;
    assert_int_equal(count, 1);
    pthread_mutex_lock(&own->lock);
    own->slot = ops[0];
    pthread_cond_signal(&own->changed);
    pthread_mutex_unlock(&own->lock);
}

static void test_call_gives_results_and_the_providers_words(void **state)
{
    (void)state;
    fake store = {.slot = NULL};
    pthread_mutex_init(&store.lock, NULL);
    pthread_cond_init(&store.changed, NULL);
    assert_int_equal(pthread_create(&store.thread, NULL, answer, &store), 0);
    pawl_registry registry = {.table = {.struct_size = sizeof(pawl_registry_table), .submit = submit},
                              .store = (pawl_store *)&store};
    for (uint32_t i = 1; i <= 1000; i++) {
        pawl_prune prune = {.struct_size = sizeof prune, .limit = i};
        pawl_registry_op op;
        pawl_error error = {0};
        assert_int_equal(pawl_registry_call(&registry, &op, PAWL_OP_PRUNE, &prune, &error), PAWL_OK);
        assert_int_equal(op.count, i);
        assert_int_equal(error.status, 0);
    }
    pawl_prune prune = {.struct_size = sizeof prune};
    pawl_registry_op op;
    pawl_error error = {0};
    assert_int_equal(pawl_registry_call(&registry, &op, PAWL_OP_PRUNE, &prune, &error), PAWL_E_LIMIT);
    assert_string_equal(error.code, "registry.limit");
    assert_string_equal(error.message, "nothing asked for");
    pthread_mutex_lock(&store.lock);
    store.stop = 1;
    pthread_cond_signal(&store.changed);
    pthread_mutex_unlock(&store.lock);
    pthread_join(store.thread, NULL);
    pthread_mutex_destroy(&store.lock);
    pthread_cond_destroy(&store.changed);
}

typedef struct ear {
    pawl_registry_listener listener;
    uint64_t number;
} ear;

static void hear(pawl_registry_listener *listener, const pawl_registry_event *event)
{
    ((ear *)listener)->number = event->number;
}

static void test_events_reach_the_listener(void **state)
{
    (void)state;
    ear own = {.listener.event = hear};
    pawl_registry_event event = {.struct_size = sizeof event, .kind = PAWL_EVENT_WORK, .number = 7};
    pawl_registry_host_table()->event(&own.listener, &event);
    assert_int_equal(own.number, 7);
    pawl_registry_host_table()->event(NULL, &event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call_gives_results_and_the_providers_words),
        cmocka_unit_test(test_events_reach_the_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
