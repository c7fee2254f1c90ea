/* memory_test.c: every allocation of the core fails once, at each place where it can. The process is then refused or
 * stuck, never wrong: with memory back, it goes on and ends as if nothing had been. Linked with --wrap for the
 * allocator. */
#include "pawl_process.h"
#include "sim.h"

#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

/* The test's seam: how many allocations still succeed; negative: all. The wrapped functions have no other way in. */
static long allocations_left = -1;

static bool is_refused(void)
{
    if (allocations_left < 0)
        return false;
    if (allocations_left == 0)
        return true;
    allocations_left--;
    return false;
}

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return is_refused() ? NULL : __real_realloc(memory, size);
}

/* Uses everything that allocates. */
static pawl_status busy(pawl_process *p)
{
    pawl_future futures[40];
    char *large = (char *)pawl_alloc(p, 3000);
    if (large == NULL)
        return PAWL_E_NOMEM;
    for (int i = 0; i < 20; i++) {
        futures[2 * i] = pawl_start_call(p, i % 2 ? "a.x" : "b.y", pawl_printf(p, "%d", i));
        futures[2 * i + 1] = pawl_start_timer(p, (uint64_t)i + 1);
    }
    for (int i = 0; i < 6; i++)
        (void)pawl_now(p);
    PAWL_TRY(pawl_set_status(p, pawl_bytes_of(large, 100)));
    PAWL_TRY(pawl_await_any_of(p, NULL, futures, 40));
    pawl_future waits[6];
    for (int i = 0; i < 6; i++)
        waits[i] = pawl_wait_signal(p, i % 2 ? "x" : "y");
    PAWL_TRY(pawl_await_all_of(p, waits, 6));
    PAWL_TRY(pawl_set_status(p, pawl_bytes_of(large, 2000)));
    return pawl_complete(p, pawl_text("done"));
}

static pawl_status busy_activate(pawl_process *p, pawl_bytes type, uint32_t revision)
{
    (void)type;
    (void)revision;
    return pawl_run_program(p, busy);
}
PAWL_PROCESS_TABLE(busy_table, busy_activate);

/* Feed and run with so many allocations; whatever is refused is done again with memory back. Returns whether anything
 * was refused. */
static bool live_with(const struct sim *told, long allocations)
{
    bool refused = false;
    pawl_activation *activation = NULL;
    pawl_run_result result;
    pawl_error error = {0};
    allocations_left = allocations;
    while (pawl_activation_create(&told->config, &activation, &error) != PAWL_OK) {
        assert_int_equal(error.status, PAWL_E_NOMEM);
        refused = true;
        allocations_left = -1;
    }
    for (size_t i = 0; i < told->record_count; i++) {
        while (pawl_activation_feed(activation, &told->records[i], &error) != PAWL_OK) {
            assert_int_equal(error.status, PAWL_E_NOMEM);
            assert_int_equal(pawl_activation_head(activation), i);
            refused = true;
            allocations_left = -1;
        }
        pawl_activation_run(activation, 5000, &result);
        if (result.kind == PAWL_RUN_STUCK) {
            assert_memory_equal(result.reason_code.data, "out_of_memory", result.reason_code.size);
            refused = true;
            allocations_left = -1;
            pawl_activation_run(activation, 5000, &result);
        }
        assert_int_equal(result.kind, i + 1 < told->record_count ? PAWL_RUN_SUSPENDED : PAWL_RUN_ENDED);
    }
    allocations_left = -1;
    assert_int_equal(result.status, PAWL_COMPLETED);
    pawl_activation_destroy(activation);
    return refused;
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    struct sim told;
    sim_open(&told, &busy_table, "busy");
    sim_start(&told, "");
    sim_run(&told);
    sim_intent(&told, 3, 1);
    sim_attempt(&told, 3, 1, "busy", 5);
    sim_timer(&told, 2);
    sim_step(&told, 1, "first");
    sim_step_failed(&told, 3, "bad", "it failed");
    for (int i = 0; i < 6; i++)
        sim_signal(&told, i % 2 ? "x" : "y", "payload");
    sim_run(&told);
    assert_int_equal(told.result.kind, PAWL_RUN_ENDED);
    long allocations = 0;
    while (live_with(&told, allocations))
        allocations++;
    assert_in_range(allocations, 30, 10000); /* so many places were tried */
    sim_close(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
