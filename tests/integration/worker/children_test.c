/* children_test.c: processes that start others: each child once, its end told to its parent, a cancel that goes down
 * the tree and is reported only when it has ended, and children whose parent has gone. */
#include "lab.h"

#include "abi/pawl_process.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- programs ---- */

static pawl_status leaf(pawl_process *p)
{
    pawl_bytes input = pawl_input(p);
    return pawl_complete(p, pawl_printf(p, "leaf(%.*s)", (int)input.size, (const char *)input.data));
}

static pawl_status broken(pawl_process *p)
{
    pawl_failure failure = pawl_failure_of(PAWL_TERMINAL, "leaf.broken", "it broke", 0);
    failure.detail_json = pawl_text("{\"where\":7}");
    return pawl_fail_as(p, &failure);
}

static pawl_status sleeper(pawl_process *p)
{
    PAWL_TRY(pawl_sleep(p, PAWL_DAY));
    return pawl_complete(p, pawl_text("slept"));
}

/* Hears of the wish that it stop, and goes on. */
static pawl_status stubborn(pawl_process *p)
{
    pawl_status status = pawl_signal(p, "never", NULL);
    if (status == PAWL_E_CANCELLED)
        status = pawl_signal(p, "never", NULL);
    PAWL_TRY(status);
    return pawl_complete(p, pawl_text("ended"));
}

/* One child of the type that the input names. */
static pawl_status parent(pawl_process *p)
{
    pawl_bytes output;
    PAWL_TRY(pawl_child(p, pawl_cstring(p, pawl_input(p)), pawl_text("in"), &output));
    return pawl_complete(p, output);
}

/* Tells why its child did not complete. */
static pawl_status curious(pawl_process *p)
{
    pawl_failure failure;
    pawl_future child = pawl_start_child(p, pawl_cstring(p, pawl_input(p)), pawl_text("in"));
    PAWL_TRY(pawl_await(p, child));
    if (pawl_result(p, child, NULL) == PAWL_OK)
        return pawl_complete(p, pawl_text("it completed"));
    PAWL_TRY(pawl_result_failure(p, child, &failure));
    return pawl_complete(p, pawl_printf(p, "%.*s: %.*s %.*s", (int)failure.code.size, (const char *)failure.code.data,
                                        (int)failure.message.size, (const char *)failure.message.data,
                                        (int)failure.detail_json.size, (const char *)failure.detail_json.data));
}

/* Tells why its child, which has a twentieth of a second, did not complete. */
static pawl_status hasty(pawl_process *p)
{
    pawl_failure failure;
    pawl_child_options options = pawl_child_defaults();
    options.deadline_ns = 50 * PAWL_MILLISECOND;
    pawl_future child = pawl_start_child_with(p, pawl_cstring(p, pawl_input(p)), pawl_text("in"), &options);
    PAWL_TRY(pawl_await(p, child));
    if (pawl_result(p, child, NULL) == PAWL_OK)
        return pawl_complete(p, pawl_text("it completed"));
    PAWL_TRY(pawl_result_failure(p, child, &failure));
    return pawl_complete(p, failure.code);
}

/* As many children as the input says, all at once. */
static pawl_status fan(pawl_process *p)
{
    size_t count = (size_t)strtoul(pawl_cstring(p, pawl_input(p)), NULL, 10), bytes = 0;
    pawl_future *children = pawl_alloc(p, count * sizeof *children);
    if (children == NULL)
        return PAWL_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        children[i] = pawl_start_child(p, "leaf", pawl_printf(p, "%zu", i));
    PAWL_TRY(pawl_await_all_of(p, children, count));
    for (size_t i = 0; i < count; i++) {
        pawl_bytes output;
        PAWL_TRY(pawl_result(p, children[i], &output));
        bytes += output.size;
    }
    return pawl_complete(p, pawl_printf(p, "%zu", bytes));
}

/* A chain of as many floors as the input says; the lowest one sleeps. */
static pawl_status tower(pawl_process *p)
{
    unsigned long floors = strtoul(pawl_cstring(p, pawl_input(p)), NULL, 10);
    pawl_bytes output;
    if (floors == 0)
        return sleeper(p);
    PAWL_TRY(pawl_child(p, "tower", pawl_printf(p, "%lu", floors - 1), &output));
    return pawl_complete(p, output);
}

/* Starts itself for ever. */
static pawl_status runaway(pawl_process *p)
{
    pawl_bytes output;
    PAWL_TRY(pawl_child(p, "runaway", pawl_text("in"), &output));
    return pawl_complete(p, output);
}

/* One child for each way of closing it, and then a wait. */
static pawl_status family(pawl_process *p)
{
    static const char *const ids[] = {"asked", "ended", "left"};
    for (uint32_t i = 0; i < 3; i++) {
        pawl_child_options options = pawl_child_defaults();
        options.id = pawl_text(ids[i]);
        options.parent_close = PAWL_PARENT_CLOSE_CANCEL + i;
        pawl_start_child_with(p, "sleeper", pawl_text("in"), &options);
    }
    PAWL_TRY(pawl_signal(p, "go", NULL));
    return pawl_complete(p, pawl_text("gone"));
}

static pawl_status launcher(pawl_process *p)
{
    pawl_bytes id, told;
    pawl_future child = pawl_start_detached(p, "sleeper", pawl_input(p));
    PAWL_TRY(pawl_child_id(p, child, &id));
    PAWL_TRY(pawl_await(p, child));
    PAWL_TRY(pawl_result(p, child, &told));
    return pawl_complete(p,
                         id.size == told.size && memcmp(id.data, told.data, id.size) == 0 ? id : pawl_text("differ"));
}

/* A child under an id that is taken, or was used by this very process before. */
static pawl_status clasher(pawl_process *p)
{
    pawl_child_options options = pawl_child_defaults();
    options.id = pawl_input(p);
    pawl_future first = pawl_start_child_with(p, "leaf", pawl_text("1"), &options);
    PAWL_TRY(pawl_await(p, first));
    PAWL_TRY(pawl_result(p, first, NULL));
    pawl_future second = pawl_start_child_with(p, "leaf", pawl_text("1"), &options);
    PAWL_TRY(pawl_await(p, second));
    PAWL_TRY(pawl_result(p, second, NULL));
    return pawl_complete(p, pawl_text("twice"));
}

PAWL_PROCESSES(PAWL_TYPE("leaf", 1, leaf), PAWL_TYPE("broken", 1, broken), PAWL_TYPE("sleeper", 1, sleeper),
               PAWL_TYPE("stubborn", 1, stubborn), PAWL_TYPE("parent", 1, parent), PAWL_TYPE("curious", 1, curious),
               PAWL_TYPE("fan", 1, fan), PAWL_TYPE("tower", 1, tower), PAWL_TYPE("runaway", 1, runaway),
               PAWL_TYPE("family", 1, family), PAWL_TYPE("launcher", 1, launcher), PAWL_TYPE("clasher", 1, clasher),
               PAWL_TYPE("hasty", 1, hasty))

static lab *lab_with(const char *provider)
{
    static const char *const types[] = {"leaf",  "broken",  "sleeper", "stubborn", "parent",  "curious", "fan",
                                        "tower", "runaway", "family",  "launcher", "clasher", "hasty"};
    lab *own = lab_create(provider);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        lab_add_type(own, types[i], 1, &pawl_processes);
    return own;
}

/* ---- what children give ---- */

static void test_I4_a_child_gives_its_output_to_its_parent(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, NULL);
    lab_register(own, "p", "parent", "leaf");
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_string_equal(row.output, "leaf(in)");
    assert_int_equal(lab_look(own, "p/1/1").status, PAWL_COMPLETED);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_STEP), 1);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_CHILD), 1);
    lab_destroy(own);
}

static void test_H11_a_child_that_failed_is_a_failure(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, NULL);
    lab_register(own, "p", "parent", "broken");
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_FAILED);
    assert_string_equal(row.code, "leaf.broken");
    lab_register(own, "c", "curious", "broken");
    row = lab_wait_end(own, "c");
    assert_string_equal(row.output, "leaf.broken: child c/1/1 failed: it broke "
                                    "{\"child\":\"c/1/1\",\"status\":\"failed\",\"detail\":{\"where\":7}}");
    lab_destroy(own);
}

static void test_H11_a_cancelled_child_is_not_a_completed_parent(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, NULL);
    lab_register(own, "p", "parent", "sleeper");
    lab_wait_status(own, "p", PAWL_WAITING);
    LAB_UNTIL(own, strstr(lab_look(own, "p").reason, "child p/1/1") != NULL);
    assert_int_equal(lab_cancel(own, "p/1/1", "away with it"), PAWL_OK);
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_FAILED);
    assert_string_equal(row.code, "cancelled");
    lab_register(own, "c", "curious", "sleeper");
    lab_wait_status(own, "c", PAWL_WAITING);
    lab_wait_status(own, "c/1/1", PAWL_WAITING);
    assert_int_equal(lab_terminate(own, "c/1/1"), PAWL_OK);
    row = lab_wait_end(own, "c");
    assert_non_null(strstr(row.output, "child c/1/1 was terminated"));
    assert_non_null(strstr(row.output, "\"status\":\"terminated\""));
    lab_destroy(own);
}

static void test_a_child_has_so_long_and_no_longer(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, NULL);
    lab_register(own, "p", "hasty", "sleeper");
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_string_equal(row.output, "process.deadline");
    assert_int_equal(lab_look(own, "p/1/1").status, PAWL_FAILED);
    lab_register(own, "q", "curious", "leaf"); /* and without one it has as long as it takes */
    row = lab_wait_end(own, "q");
    assert_string_equal(row.output, "it completed");
    lab_destroy(own);
}

static void test_I1_a_thousand_children(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, &(lab_settings){.resident_max = 200});
    lab_register(own, "p", "fan", "1000");
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_string_equal(row.output, "8890"); /* leaf() 6 bytes each, and 2890 digits */
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_CHILD), 1000);
    assert_int_equal(lab_count(own, PAWL_COMPLETED), 1001);
    lab_destroy(own);
}

static void test_I10_a_tree_has_a_deepest_floor(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, NULL);
    lab_register(own, "p", "runaway", "in");
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_FAILED);
    assert_string_equal(row.code, "child.too_deep");
    assert_int_equal(lab_count(own, PAWL_FAILED), 65);
    lab_destroy(own);
}

static void test_I10_an_id_that_is_taken_is_a_failure(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, NULL);
    lab_register(own, "p", "clasher", "mine");
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_FAILED);
    assert_string_equal(row.code, "child.conflict");
    assert_string_equal(lab_look(own, "mine").output, "leaf(1)");
    lab_destroy(own);
}

static void test_V07_a_child_of_no_known_type_parks_its_parent(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, NULL);
    lab_register(own, "p", "parent", "nonsense");
    lab_row row = lab_wait_status(own, "p", PAWL_STUCK);
    assert_string_equal(row.reason_code, "unknown_type");
    lab_terminate(own, "p");
    lab_destroy(own);
}

/* ---- cancel and close ---- */

static void test_I7_a_cancel_goes_down_three_floors_and_is_told_from_below(void **state)
{
    (void)state;
    static const char *const floors[] = {"p", "p/1/1", "p/1/1/1/1", "p/1/1/1/1/1/1"};
    lab *own = lab_with("rocksdb");
    lab_start(own, NULL);
    lab_register(own, "p", "tower", "3");
    LAB_UNTIL(own, lab_count(own, PAWL_WAITING) == 4);
    assert_int_equal(lab_cancel(own, "p", "enough"), PAWL_OK);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(lab_wait_end(own, floors[i]).status, PAWL_CANCELLED);
    for (size_t i = 0; i < 3; i++) { /* each has heard of the end below it before its own */
        assert_int_equal(lab_records(own, floors[i], PAWL_RECORD_CHILD), 1);
        const char *journal = lab_journal(own, floors[i]);
        assert_non_null(strstr(journal, "child"));
        assert_true(strstr(journal, "child(") < strstr(journal, "ended("));
    }
    lab_destroy(own);
}

static void test_I7_children_that_do_not_stop_are_ended_and_then_their_parent_is_cancelled(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, &(lab_settings){.cancel_grace_ns = 100 * PAWL_NS_PER_MS});
    lab_register(own, "p", "parent", "stubborn");
    lab_wait_status(own, "p", PAWL_WAITING);
    lab_wait_status(own, "p/1/1", PAWL_WAITING);
    assert_int_equal(lab_cancel(own, "p", "enough"), PAWL_OK);
    assert_int_equal(lab_wait_end(own, "p/1/1").status, PAWL_TERMINATED);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_CANCELLED);
    lab_destroy(own);
}

/* Nobody runs the child: only its parent can end it. */
static void test_I7_a_child_that_nobody_runs_is_ended_by_its_parent(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_worker *w = lab_start(own, NULL);
    lab_register(own, "p", "parent", "stubborn");
    lab_wait_status(own, "p", PAWL_WAITING);
    lab_wait_status(own, "p/1/1", PAWL_WAITING);
    lab_end(w);
    lab_forget_types(own);
    lab_add_type(own, "parent", 1, &pawl_processes);
    lab_start(own, &(lab_settings){.cancel_grace_ns = 100 * PAWL_NS_PER_MS});
    assert_int_equal(lab_cancel(own, "p", "enough"), PAWL_OK);
    assert_int_equal(lab_wait_end(own, "p/1/1").status, PAWL_TERMINATED);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_CANCELLED);
    lab_destroy(own);
}

static void end_family(bool by_force)
{
    lab *own = lab_with("memory");
    lab_start(own, NULL);
    lab_register(own, "p", "family", "");
    LAB_UNTIL(own, lab_count(own, PAWL_WAITING) == 4);
    if (by_force)
        assert_int_equal(lab_terminate(own, "p"), PAWL_OK);
    else
        assert_int_equal(lab_signal(own, "p", "s-1", "go", ""), PAWL_OK);
    assert_int_equal(lab_wait_end(own, "p").status, by_force ? PAWL_TERMINATED : PAWL_COMPLETED);
    assert_int_equal(lab_wait_end(own, "asked").status, PAWL_CANCELLED);
    lab_row ended = lab_wait_end(own, "ended");
    assert_int_equal(ended.status, PAWL_TERMINATED);
    assert_string_equal(ended.code, "parent_closed");
    assert_int_equal(lab_look(own, "left").status, PAWL_WAITING);
    lab_destroy(own);
}

static void test_I4_children_are_closed_when_their_parent_has_completed(void **state)
{
    (void)state;
    end_family(false);
}

static void test_I4_children_are_closed_when_their_parent_was_terminated(void **state)
{
    (void)state;
    end_family(true);
}

static void test_I7_a_cancelled_parent_leaves_whom_it_abandoned(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, NULL);
    lab_register(own, "p", "family", "");
    LAB_UNTIL(own, lab_count(own, PAWL_WAITING) == 4);
    assert_int_equal(lab_cancel(own, "p", "enough"), PAWL_OK);
    assert_int_equal(lab_wait_end(own, "p").status, PAWL_CANCELLED);
    assert_int_equal(lab_look(own, "asked").status, PAWL_CANCELLED);
    assert_int_equal(lab_look(own, "ended").status, PAWL_TERMINATED);
    assert_int_equal(lab_look(own, "left").status, PAWL_WAITING);
    lab_destroy(own);
}

static void test_I4_a_detached_child_outlives_its_parent(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, NULL);
    lab_register(own, "p", "launcher", "in");
    lab_row row = lab_wait_end(own, "p");
    assert_string_equal(row.output, "p/1/1");
    lab_wait_status(own, "p/1/1", PAWL_WAITING);
    lab_advance(own, 2 * PAWL_DAY);
    assert_string_equal(lab_wait_end(own, "p/1/1").output, "slept");
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_CHILD), 0);
    lab_destroy(own);
}

/* ---- workers that go ---- */

static void test_I1_workers_that_crash_start_no_child_twice(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_worker *first = lab_start(own, &(lab_settings){.lease_ttl_ns = PAWL_NS_PER_SECOND});
    lab_register(own, "p", "fan", "300");
    LAB_UNTIL(own, lab_count(own, PAWL_COMPLETED) > 20);
    lab_crash(first);
    lab_start(own, NULL);
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_CHILD), 300);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_STEP), 300);
    LAB_UNTIL(own, lab_count(own, PAWL_COMPLETED) == 301);
    lab_destroy(own);
}

static void test_I4_a_parent_that_was_stopped_hears_of_the_end_of_its_child(void **state)
{
    (void)state;
    lab *own = lab_with("rocksdb");
    lab_worker *w = lab_start(own, NULL);
    lab_register(own, "p", "parent", "sleeper");
    lab_wait_status(own, "p", PAWL_WAITING);
    lab_wait_status(own, "p/1/1", PAWL_WAITING);
    lab_end(w);
    lab_reopen(own);
    assert_int_equal(lab_terminate(own, "p/1/1"), PAWL_OK);
    lab_reopen(own);
    lab_start(own, NULL);
    lab_row row = lab_wait_end(own, "p");
    assert_int_equal(row.status, PAWL_FAILED);
    assert_string_equal(row.code, "terminated");
    lab_destroy(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_I4_a_child_gives_its_output_to_its_parent),
        cmocka_unit_test(test_H11_a_child_that_failed_is_a_failure),
        cmocka_unit_test(test_H11_a_cancelled_child_is_not_a_completed_parent),
        cmocka_unit_test(test_a_child_has_so_long_and_no_longer),
        cmocka_unit_test(test_I1_a_thousand_children),
        cmocka_unit_test(test_I10_a_tree_has_a_deepest_floor),
        cmocka_unit_test(test_I10_an_id_that_is_taken_is_a_failure),
        cmocka_unit_test(test_V07_a_child_of_no_known_type_parks_its_parent),
        cmocka_unit_test(test_I7_a_cancel_goes_down_three_floors_and_is_told_from_below),
        cmocka_unit_test(test_I7_children_that_do_not_stop_are_ended_and_then_their_parent_is_cancelled),
        cmocka_unit_test(test_I7_a_child_that_nobody_runs_is_ended_by_its_parent),
        cmocka_unit_test(test_I4_children_are_closed_when_their_parent_has_completed),
        cmocka_unit_test(test_I4_children_are_closed_when_their_parent_was_terminated),
        cmocka_unit_test(test_I7_a_cancelled_parent_leaves_whom_it_abandoned),
        cmocka_unit_test(test_I4_a_detached_child_outlives_its_parent),
        cmocka_unit_test(test_I1_workers_that_crash_start_no_child_twice),
        cmocka_unit_test(test_I4_a_parent_that_was_stopped_hears_of_the_end_of_its_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
