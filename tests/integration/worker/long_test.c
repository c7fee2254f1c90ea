/* long_test.c: programs that do so much that they are kept where they wait: whatever ends or interrupts them, they
 * return from there once, in order, and another worker that runs them from the top comes to the same end. */
#include "lab.h"

#include "abi/pawl_process.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define CALLS 400

/* Programs that stand somewhere: each frees what it holds however it leaves. */
static atomic_int standing;

static pawl_status walk(pawl_process *p, int from, int to)
{
    char input[32];
    for (int i = from; i < to; i++) {
        pawl_bytes value;
        snprintf(input, sizeof input, "%d", i);
        PAWL_TRY(pawl_call(p, "one", pawl_text(input), &value));
    }
    return PAWL_OK;
}

static pawl_status long_walk(pawl_process *p)
{
    char *own = malloc(100); /* the sanitizers see when it is not freed */
    if (own == NULL)
        return PAWL_E_NOMEM;
    atomic_fetch_add(&standing, 1);
    pawl_status status = walk(p, 0, CALLS);
    if (status == PAWL_OK)
        status = pawl_signal(p, "go", NULL);
    if (status == PAWL_OK)
        status = walk(p, CALLS, 2 * CALLS);
    free(own);
    atomic_fetch_sub(&standing, 1);
    return status == PAWL_OK ? pawl_complete(p, pawl_text("walked")) : status;
}

PAWL_PROCESSES(PAWL_TYPE("long_walk", 1, long_walk))

static lab *lab_with(const char *provider, lab_effect **one, bool held)
{
    lab *own = lab_create(provider);
    lab_add_type(own, "long_walk", 1, &pawl_processes);
    *one = lab_add(own, &(lab_effect){.name = "one", .runs = PAWL_RUNS_INLINE, .held = held});
    return own;
}

static void test_a_long_program_is_run_once_and_not_from_the_top(void **state)
{
    (void)state;
    lab_effect *one;
    lab *own = lab_with("rocksdb", &one, false);
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "long_walk", "in");
    LAB_UNTIL(own, lab_look(own, "p").status == PAWL_WAITING);
    assert_int_equal(lab_signal(own, "p", "s1", "go", ""), PAWL_OK);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    assert_int_equal(lab_executions(one), 2 * CALLS);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_STEP), 2 * CALLS);
    LAB_UNTIL(own, lab_stats(worker).resident == 0);
    assert_int_equal(atomic_load(&standing), 0);
    lab_destroy(own);
}

/* A cancel reaches it where it stands. */
static void test_I7_a_cancel_reaches_a_program_that_is_kept(void **state)
{
    (void)state;
    lab_effect *one;
    lab *own = lab_with("memory", &one, false);
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "long_walk", "in");
    LAB_UNTIL(own, lab_executions(one) >= CALLS / 2);
    assert_int_equal(lab_cancel(own, "p", "enough"), PAWL_OK);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_CANCELLED);
    LAB_UNTIL(own, lab_stats(worker).resident == 0);
    assert_int_equal(atomic_load(&standing), 0);
    lab_destroy(own);
}

/* Workers come and go at any moment; whoever is last finds the same program at the same place. */
static void test_I1_a_kept_program_is_taken_over_and_repeats_nothing_recorded(void **state)
{
    (void)state;
    lab_effect *one;
    lab *own = lab_with("memory", &one, false);
    lab_register(own, "p", "long_walk", "in");
    assert_int_equal(lab_signal(own, "p", "s1", "go", ""), PAWL_OK);
    for (uint32_t i = 1; i <= 6; i++) {
        lab_worker *worker = lab_start(own, NULL);
        LAB_UNTIL(own, lab_executions(one) >= i * CALLS / 4 || lab_look(own, "p").status == PAWL_COMPLETED);
        if (i % 2 == 0)
            lab_stop(worker, 1, 0); /* gracefully, without waiting */
        lab_end(worker);
        assert_int_equal(atomic_load(&standing), 0);
    }
    lab_start(own, NULL);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_COMPLETED);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_STEP), 2 * CALLS);
    lab_destroy(own); /* its audit: no recorded step was executed again */
    assert_int_equal(atomic_load(&standing), 0);
}

/* More of them than are kept at once: the others are run from the top, and nobody sees a difference. */
static void test_more_long_programs_than_are_kept(void **state)
{
    (void)state;
    lab_effect *one;
    lab *own = lab_with("memory", &one, false);
    char id[16];
    for (int i = 0; i < 300; i++) {
        snprintf(id, sizeof id, "p%d", i);
        lab_register(own, id, "long_walk", id);
        assert_int_equal(lab_signal(own, id, "s1", "go", ""), PAWL_OK);
    }
    lab_worker *worker = lab_start(own, &(lab_settings){.resident_max = 300});
    LAB_UNTIL(own, lab_executions(one) > 300 * 100);
    lab_end(worker);
    assert_int_equal(atomic_load(&standing), 0);
    lab_destroy(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_long_program_is_run_once_and_not_from_the_top),
        cmocka_unit_test(test_I7_a_cancel_reaches_a_program_that_is_kept),
        cmocka_unit_test(test_I1_a_kept_program_is_taken_over_and_repeats_nothing_recorded),
        cmocka_unit_test(test_more_long_programs_than_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
