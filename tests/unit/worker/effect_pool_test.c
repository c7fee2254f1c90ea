/* effect_pool_test.c: the pool by itself: threads as needed, bulkheads, calls taken back, stopping, answers of plugins
 * that do not keep to the contract. */
#include "worker/effect/effect_pool.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define CALLS 64

/* What all effects of a test share. They wait until the gate is open. */
typedef struct place {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    uint32_t begun, running, peak, done;
    pawl_status answer;
    pawl_completion *pending[CALLS];
    uint32_t pending_count;
    pawl_host_root host; /* host_data is the place */
} place;

static void place_init(place *own)
{
    *own = (place){.open = true};
    pthread_mutex_init(&own->lock, NULL);
    pthread_cond_init(&own->changed, NULL);
    own->host = (pawl_host_root){.struct_size = sizeof own->host, .host_data = own};
}

static void place_finish(place *own)
{
    pthread_mutex_destroy(&own->lock);
    pthread_cond_destroy(&own->changed);
}

static pawl_status PAWL_CALL execute(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    place *own = call->host->host_data;
    (void)why;
    pthread_mutex_lock(&own->lock);
    own->begun++;
    own->running++;
    if (own->running > own->peak)
        own->peak = own->running;
    pthread_cond_broadcast(&own->changed);
    while (!own->open)
        pthread_cond_wait(&own->changed, &own->lock);
    own->running--;
    pawl_status answer = own->answer;
    pthread_mutex_unlock(&own->lock);
    pawl_core_table()->sink_write(out, call->input.data, call->input.size);
    return answer;
}

static pawl_status PAWL_CALL start(const pawl_effect_call *call, pawl_completion *done, pawl_failure_sink *why)
{
    place *own = call->host->host_data;
    (void)why;
    pthread_mutex_lock(&own->lock);
    own->begun++;
    own->pending[own->pending_count++] = done;
    pthread_cond_broadcast(&own->changed);
    pthread_mutex_unlock(&own->lock);
    return PAWL_PENDING;
}

static const pawl_effect_table table = {.struct_size = sizeof table, .execute = execute, .start = start};

static void on_done(pawl_call *call)
{
    place *own = call->owner;
    pthread_mutex_lock(&own->lock);
    own->done++;
    pthread_cond_broadcast(&own->changed);
    pthread_mutex_unlock(&own->lock);
}

static pawl_effect effect_of(pawl_bulkhead *bulkhead, uint32_t runs)
{
    return (pawl_effect){.name = "test.it",
                         .plugin = "test",
                         .operation = "it",
                         .effect = &table,
                         .bulkhead = bulkhead,
                         .runs = runs,
                         .outcome = PAWL_OUTCOME_IDEMPOTENT};
}

static pawl_call *call_of(place *own, const pawl_effect *effect)
{
    pawl_call_request request = {.effect = effect,
                                 .host = &own->host,
                                 .process = pawl_bytes_text("p"),
                                 .input = pawl_bytes_text("in"),
                                 .run = 1,
                                 .attempt = 1,
                                 .ordinal = 7,
                                 .output_max = 100};
    pawl_call *call = pawl_call_create(&request);
    assert_non_null(call);
    call->done = on_done;
    call->owner = own;
    return call;
}

static void wait_until(place *own, const uint32_t *count, uint32_t wanted)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 30;
    pthread_mutex_lock(&own->lock);
    int failed = 0;
    while (*count < wanted && failed == 0)
        failed = pthread_cond_timedwait(&own->changed, &own->lock, &until);
    bool enough = *count >= wanted;
    pthread_mutex_unlock(&own->lock);
    assert_true(enough);
}

static void set_open(place *own, bool open)
{
    pthread_mutex_lock(&own->lock);
    own->open = open;
    pthread_cond_broadcast(&own->changed);
    pthread_mutex_unlock(&own->lock);
}

static pawl_effect_pool *pool_of(uint32_t threads)
{
    pawl_effect_pool *pool = pawl_effect_pool_create(threads, pawl_clock_system(), NULL);
    assert_non_null(pool);
    return pool;
}

static void end_pool(pawl_effect_pool *pool)
{
    uint64_t now = pawl_clock_system()->mono_ns(pawl_clock_system());
    assert_true(pawl_effect_pool_stop(pool, now + 30 * PAWL_NS_PER_SECOND));
    pawl_effect_pool_destroy(pool);
}

static void test_threads_start_for_what_would_wait_and_no_more_than_allowed(void **state)
{
    (void)state;
    place own;
    place_init(&own);
    pawl_bulkhead bulkhead = {0};
    pawl_effect effect = effect_of(&bulkhead, PAWL_RUNS_POOL);
    pawl_effect_pool *pool = pool_of(6);
    pawl_call *calls[9];
    for (int round = 0; round < 10; round++) {
        set_open(&own, false);
        own.begun = own.done = 0;
        for (int i = 0; i < 9; i++)
            pawl_effect_pool_submit(pool, calls[i] = call_of(&own, &effect));
        wait_until(&own, &own.begun, 6); /* also when idle threads were there before */
        uint32_t running, queued;
        pawl_effect_pool_load(pool, &running, &queued);
        assert_int_equal(running, 6);
        assert_int_equal(queued, 3);
        set_open(&own, true);
        wait_until(&own, &own.done, 9);
        for (int i = 0; i < 9; i++) {
            assert_int_equal(calls[i]->status, PAWL_OK);
            assert_memory_equal(calls[i]->out.data, "in", 2);
            pawl_call_destroy(calls[i]);
        }
    }
    assert_int_equal(own.peak, 6);
    end_pool(pool);
    place_finish(&own);
}

static void test_P11_a_full_bulkhead_leaves_threads_to_others(void **state)
{
    (void)state;
    place slow, fast;
    place_init(&slow);
    place_init(&fast);
    set_open(&slow, false);
    pawl_bulkhead narrow = {.limit = 1}, wide = {0};
    pawl_effect one = effect_of(&narrow, PAWL_RUNS_POOL), two = effect_of(&wide, PAWL_RUNS_POOL);
    pawl_effect_pool *pool = pool_of(2);
    pawl_call *calls[12];
    for (int i = 0; i < 8; i++)
        pawl_effect_pool_submit(pool, calls[i] = call_of(&slow, &one));
    for (int i = 8; i < 12; i++)
        pawl_effect_pool_submit(pool, calls[i] = call_of(&fast, &two));
    wait_until(&fast, &fast.done, 4); /* behind eight that wait for one place */
    set_open(&slow, true);
    wait_until(&slow, &slow.done, 8);
    assert_int_equal(slow.peak, 1);
    for (int i = 0; i < 12; i++)
        pawl_call_destroy(calls[i]);
    end_pool(pool);
    place_finish(&slow);
    place_finish(&fast);
}

static void test_C08_what_has_not_begun_can_be_taken_back(void **state)
{
    (void)state;
    place own;
    place_init(&own);
    set_open(&own, false);
    pawl_bulkhead narrow = {.limit = 1}, wide = {0};
    pawl_effect at_bulkhead = effect_of(&narrow, PAWL_RUNS_POOL), in_queue = effect_of(&wide, PAWL_RUNS_POOL);
    pawl_effect_pool *pool = pool_of(1);
    pawl_call *running = call_of(&own, &at_bulkhead);
    pawl_effect_pool_submit(pool, running);
    wait_until(&own, &own.begun, 1);
    pawl_call *waiting[6];
    for (int i = 0; i < 6; i++)
        pawl_effect_pool_submit(pool, waiting[i] = call_of(&own, i % 2 == 0 ? &at_bulkhead : &in_queue));
    static const int order[] = {0, 5, 2, 1, 4}; /* from the middle and both ends */
    for (int i = 0; i < 5; i++) {
        pawl_call *call = waiting[order[i]];
        assert_true(pawl_effect_pool_withdraw(pool, call));
        assert_int_equal(call->status, PAWL_E_CANCELLED);
        assert_int_equal(call->why.failure.klass, PAWL_RETRYABLE); /* it certainly did not happen */
        assert_int_equal(own.done, i + 1);
        assert_false(pawl_effect_pool_withdraw(pool, call));
    }
    assert_false(pawl_effect_pool_withdraw(pool, running));
    set_open(&own, true);
    wait_until(&own, &own.done, 7);
    assert_int_equal(own.begun, 2);
    assert_int_equal(waiting[3]->status, PAWL_OK);
    pawl_call_destroy(running);
    for (int i = 0; i < 6; i++)
        pawl_call_destroy(waiting[i]);
    end_pool(pool);
    place_finish(&own);
}

static void test_C01_what_was_asked_to_stop_is_never_begun(void **state)
{
    (void)state;
    place own;
    place_init(&own);
    pawl_bulkhead bulkhead = {0};
    pawl_effect effect = effect_of(&bulkhead, PAWL_RUNS_POOL);
    pawl_effect_pool *pool = pool_of(1);
    pawl_call *call = call_of(&own, &effect);
    pawl_cancel_ask(&call->cancel);
    pawl_effect_pool_submit(pool, call);
    wait_until(&own, &own.done, 1);
    assert_int_equal(call->status, PAWL_E_CANCELLED);
    assert_int_equal(own.begun, 0);
    pawl_call_destroy(call);
    end_pool(pool);
    place_finish(&own);
}

static void test_P09_asynchronous_calls_hold_no_thread_and_free_their_place(void **state)
{
    (void)state;
    place own;
    place_init(&own);
    pawl_bulkhead bulkhead = {.limit = 10};
    pawl_effect effect = effect_of(&bulkhead, PAWL_RUNS_ASYNC);
    pawl_effect_pool *pool = pool_of(1);
    pawl_call *calls[30];
    for (int i = 0; i < 30; i++)
        pawl_effect_pool_submit(pool, calls[i] = call_of(&own, &effect));
    for (uint32_t i = 0; i < 30; i++) {
        wait_until(&own, &own.pending_count, i + 1); /* each end lets the next one in */
        pthread_mutex_lock(&own.lock);
        pawl_completion *done = own.pending[i];
        assert_in_range(own.pending_count, i + 1, i + 10);
        pthread_mutex_unlock(&own.lock);
        pawl_core_table()->complete(done, PAWL_OK, pawl_bytes_text("out"), NULL);
    }
    wait_until(&own, &own.done, 30);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(calls[i]->status, PAWL_OK);
        assert_int_equal(calls[i]->out.size, 3);
        pawl_call_destroy(calls[i]);
    }
    end_pool(pool);
    place_finish(&own);
}

static void test_H02_a_stop_ends_what_waits_and_waits_for_what_runs(void **state)
{
    (void)state;
    place own;
    place_init(&own);
    set_open(&own, false);
    pawl_bulkhead bulkhead = {.limit = 1};
    pawl_effect effect = effect_of(&bulkhead, PAWL_RUNS_POOL);
    pawl_effect_pool *pool = pool_of(1);
    pawl_call *calls[3];
    for (int i = 0; i < 3; i++)
        pawl_effect_pool_submit(pool, calls[i] = call_of(&own, &effect));
    wait_until(&own, &own.begun, 1);
    uint64_t now = pawl_clock_system()->mono_ns(pawl_clock_system());
    assert_false(pawl_effect_pool_stop(pool, now + 20 * PAWL_NS_PER_MS)); /* it still runs */
    set_open(&own, true);
    end_pool(pool);
    assert_int_equal(own.begun, 1);
    assert_int_equal(own.done, 3);
    assert_int_equal(calls[0]->status, PAWL_OK);
    assert_int_equal(calls[1]->status, PAWL_E_CANCELLED);
    assert_int_equal(calls[2]->status, PAWL_E_CANCELLED);
    for (int i = 0; i < 3; i++)
        pawl_call_destroy(calls[i]);
    place_finish(&own);
}

static void test_P15_every_answer_becomes_a_result_or_a_reason(void **state)
{
    (void)state;
    static const struct {
        pawl_status answer, status;
        uint32_t klass;
    } cases[] = {
        {PAWL_OK, PAWL_OK, 0},
        {PAWL_PENDING, PAWL_E_FAILED, PAWL_UNKNOWN_OUTCOME}, /* an effect that is not asynchronous may not say so */
        {PAWL_SUSPEND, PAWL_E_FAILED, PAWL_UNKNOWN_OUTCOME},
        {PAWL_E_INVALID, PAWL_E_INVALID, PAWL_TERMINAL},
        {PAWL_E_UNSUPPORTED, PAWL_E_UNSUPPORTED, PAWL_TERMINAL},
        {PAWL_E_NOT_FOUND, PAWL_E_NOT_FOUND, PAWL_TERMINAL},
        {PAWL_E_BUSY, PAWL_E_BUSY, PAWL_RETRYABLE},
        {PAWL_E_IO, PAWL_E_IO, PAWL_UNKNOWN_OUTCOME},
        {-12345, -12345, PAWL_UNKNOWN_OUTCOME},
    };
    place own;
    place_init(&own);
    pawl_bulkhead bulkhead = {0};
    pawl_effect effect = effect_of(&bulkhead, PAWL_RUNS_INLINE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        own.answer = cases[i].answer;
        pawl_call *call = call_of(&own, &effect);
        pawl_call_run_here(call, pawl_clock_system());
        assert_int_equal(call->status, cases[i].status);
        assert_int_equal(call->why.set ? call->why.failure.klass : 0, cases[i].klass);
        assert_string_equal(call->key, "p/1/7");
        pawl_call_destroy(call);
    }
    place_finish(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_start_for_what_would_wait_and_no_more_than_allowed),
        cmocka_unit_test(test_P11_a_full_bulkhead_leaves_threads_to_others),
        cmocka_unit_test(test_C08_what_has_not_begun_can_be_taken_back),
        cmocka_unit_test(test_C01_what_was_asked_to_stop_is_never_begun),
        cmocka_unit_test(test_P09_asynchronous_calls_hold_no_thread_and_free_their_place),
        cmocka_unit_test(test_H02_a_stop_ends_what_waits_and_waits_for_what_runs),
        cmocka_unit_test(test_P15_every_answer_becomes_a_result_or_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
