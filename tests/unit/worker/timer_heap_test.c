/* timer_heap_test.c: the heap against a plain list, over random changes. */
#include "worker/timer_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define TIMERS 200

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void test_an_empty_heap_has_no_first(void **state)
{
    (void)state;
    pawl_timer_heap heap = {0};
    pawl_timer timer = {0};
    assert_null(pawl_timer_first(&heap));
    pawl_timer_clear(&heap, &timer); /* harmless */
    assert_true(pawl_timer_set(&heap, &timer, 5));
    assert_ptr_equal(pawl_timer_first(&heap), &timer);
    assert_true(pawl_timer_set(&heap, &timer, 3)); /* moved, not doubled */
    pawl_timer_clear(&heap, &timer);
    pawl_timer_clear(&heap, &timer);
    assert_null(pawl_timer_first(&heap));
    pawl_timer_heap_finish(&heap);
}

static void assert_first_is_earliest(const pawl_timer_heap *heap, const pawl_timer timers[TIMERS])
{
    uint64_t earliest = UINT64_MAX;
    size_t count = 0;
    for (size_t i = 0; i < TIMERS; i++)
        if (timers[i].place != 0) {
            count++;
            assert_ptr_equal(heap->items[timers[i].place - 1], &timers[i]);
            if (timers[i].due_ns < earliest)
                earliest = timers[i].due_ns;
        }
    assert_int_equal(heap->count, count);
    const pawl_timer *first = pawl_timer_first(heap);
    assert_true(count == 0 ? first == NULL : first != NULL && first->due_ns == earliest);
}

static void test_the_first_is_the_earliest_whatever_was_set_moved_and_cleared(void **state)
{
    (void)state;
    pawl_timer_heap heap = {0};
    static pawl_timer timers[TIMERS];
    uint32_t seed = 42;
    for (int i = 0; i < 20000; i++) {
        pawl_timer *timer = &timers[next_random(&seed) % TIMERS];
        if (next_random(&seed) % 3 == 0)
            pawl_timer_clear(&heap, timer);
        else
            assert_true(pawl_timer_set(&heap, timer, next_random(&seed) % 1000));
        assert_first_is_earliest(&heap, timers);
    }
    uint64_t last = 0;
    for (pawl_timer *first; (first = pawl_timer_first(&heap)) != NULL;) { /* and they leave in order */
        assert_true(first->due_ns >= last);
        last = first->due_ns;
        pawl_timer_clear(&heap, first);
    }
    pawl_timer_heap_finish(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_heap_has_no_first),
        cmocka_unit_test(test_the_first_is_the_earliest_whatever_was_set_moved_and_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
