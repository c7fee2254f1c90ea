/* deaf_test.c: events are hints: one may get lost where there is no memory for it. Whatever it told of is in the
 * journal and must take effect all the same: the holder learns from the answers to its commits that there is more. */
#include "lab.h"

#include "abi/pawl_process.h"

/* A call, then a signal: what comes during the call stands in the journal in front of the call's record. */
static pawl_status call_then_signal(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), NULL));
    PAWL_TRY(pawl_signal(p, "go", &value));
    return pawl_complete(p, value);
}

static pawl_status one_call(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), &value));
    return pawl_complete(p, value);
}

PAWL_PROCESSES(PAWL_TYPE("call_then_signal", 1, call_then_signal), PAWL_TYPE("one_call", 1, one_call))

static lab *lab_with(const char *provider)
{
    lab *own = lab_create(provider);
    lab_add_type(own, "call_then_signal", 1, &pawl_processes);
    lab_add_type(own, "one_call", 1, &pawl_processes);
    return own;
}

static void test_I5_a_signal_whose_event_is_lost_during_a_call(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "call_then_signal", "in");
    lab_wait_running(one, 1);
    unruly_deafen(lab_store(worker));
    assert_int_equal(lab_signal(own, "p", "1", "go", "hello"), PAWL_OK);
    lab_let_go(one);
    lab_row row = lab_wait_status(own, "p", PAWL_COMPLETED);
    assert_string_equal(row.output, "hello");
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

/* The commit that meets the unseen record, by its kind: SUSPEND, or COMPLETE. */
static void post_before(lab *own, uint32_t op_kind, const char *type)
{
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_worker *worker = lab_start(own, NULL);
    unruly *store = lab_store(worker);
    unruly_add(store, &(unruly_rule){.action = UNRULY_HOLD, .op_kind = op_kind, .times = 1});
    lab_register(own, "p", type, "in");
    assert_true(unruly_wait_held(store, 1));
    unruly_deafen(store);
    assert_int_equal(lab_signal(own, "p", "1", "go", "hello"), PAWL_OK);
    unruly_let_go(store);
    lab_wait_status(own, "p", PAWL_COMPLETED);
    assert_int_equal(lab_executions(one), 1);
}

static void test_I5_a_signal_whose_event_is_lost_before_a_suspend(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    post_before(own, PAWL_OP_SUSPEND, "call_then_signal");
    lab_destroy(own);
}

static void test_I5_a_signal_whose_event_is_lost_before_the_end(void **state)
{
    (void)state;
    lab *own = lab_with("rocksdb");
    post_before(own, PAWL_OP_COMPLETE, "one_call");
    lab_destroy(own);
}

static void test_I7_a_cancel_whose_event_is_lost(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one"});
    lab_worker *worker = lab_start(own, NULL);
    unruly *store = lab_store(worker);
    unruly_add(store, &(unruly_rule){.action = UNRULY_HOLD, .op_kind = PAWL_OP_SUSPEND, .times = 1});
    lab_register(own, "p", "call_then_signal", "in");
    assert_true(unruly_wait_held(store, 1));
    unruly_deafen(store);
    assert_int_equal(lab_cancel(own, "p", "why"), PAWL_OK);
    unruly_let_go(store);
    lab_wait_status(own, "p", PAWL_CANCELLED);
    assert_int_equal(lab_executions(one), 1);
    lab_destroy(own);
}

/* And the journal cannot be read just then: it is given back, and goes on from there. */
static void test_I5_a_signal_whose_event_is_lost_and_the_store_fails(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "call_then_signal", "in");
    lab_wait_running(one, 1);
    unruly_deafen(lab_store(worker));
    unruly_fail_journals(lab_store(worker), 1, PAWL_E_IO);
    assert_int_equal(lab_signal(own, "p", "1", "go", "hello"), PAWL_OK);
    lab_let_go(one);
    lab_start(own, NULL); /* the deaf one does not hear that there is work */
    lab_row row = lab_wait_status(own, "p", PAWL_COMPLETED);
    assert_string_equal(row.output, "hello");
    lab_destroy(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_I5_a_signal_whose_event_is_lost_during_a_call),
        cmocka_unit_test(test_I5_a_signal_whose_event_is_lost_before_a_suspend),
        cmocka_unit_test(test_I5_a_signal_whose_event_is_lost_before_the_end),
        cmocka_unit_test(test_I7_a_cancel_whose_event_is_lost),
        cmocka_unit_test(test_I5_a_signal_whose_event_is_lost_and_the_store_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
