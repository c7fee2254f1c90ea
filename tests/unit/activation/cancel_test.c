/* cancel_test.c: a cancel request is one more thing awaited, told once, at the place its record has in the journal. */
#include "pawl_process.h"
#include "sim.h"

#include <string.h>

static pawl_status plain(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "one", pawl_text(""), NULL));
    PAWL_TRY(pawl_call(p, "two", pawl_text(""), NULL));
    return pawl_complete(p, pawl_text("done"));
}

/* Finishes what it began and says so. */
static pawl_status tidy(pawl_process *p)
{
    pawl_bytes reason = pawl_cancel_reason(p);
    if (reason.size > 0)
        return pawl_fail(p, "early", "the reason was told before the cancel");
    pawl_future work = pawl_start_call(p, "work", pawl_text(""));
    pawl_status status = pawl_await(p, work);
    if (status != PAWL_E_CANCELLED)
        PAWL_TRY(status);
    if (status == PAWL_E_CANCELLED) {
        PAWL_TRY(pawl_await(p, work)); /* told once: this one waits */
        PAWL_TRY(pawl_call(p, "undo", pawl_cancel_reason(p), NULL));
        return PAWL_E_CANCELLED;
    }
    return pawl_complete(p, pawl_text("done"));
}

static pawl_status ignores(pawl_process *p)
{
    pawl_future timer = pawl_start_timer(p, PAWL_SECOND);
    pawl_status status = pawl_await(p, timer);
    if (status == PAWL_E_CANCELLED)
        status = pawl_await(p, timer);
    PAWL_TRY(status);
    return pawl_complete(p, pawl_text("went on"));
}

static pawl_status lies(pawl_process *p)
{
    (void)p;
    return PAWL_E_CANCELLED;
}

static pawl_status no_await(pawl_process *p)
{
    return pawl_complete(p, pawl_text("at once"));
}

static pawl_status fails_on_cancel(pawl_process *p)
{
    pawl_status status = pawl_sleep(p, PAWL_SECOND);
    if (status == PAWL_E_CANCELLED)
        return pawl_fail(p, "gave_up", "it could not be undone");
    PAWL_TRY(status);
    return pawl_complete(p, pawl_text("slept"));
}

PAWL_PROCESSES(PAWL_TYPE("plain", 1, plain), PAWL_TYPE("tidy", 1, tidy), PAWL_TYPE("ignores", 1, ignores),
               PAWL_TYPE("lies", 1, lies), PAWL_TYPE("no_await", 1, no_await),
               PAWL_TYPE("fails_on_cancel", 1, fails_on_cancel))

static void test_cancel_before_the_result(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "plain");
    sim_start(&sim, "");
    sim_run(&sim);
    assert_int_equal(pawl_activation_cancel_time(sim.activation), 0);
    sim_cancel(&sim, "changed my mind");
    assert_int_equal(pawl_activation_cancel_time(sim.activation), SIM_TIME(2));
    assert_false(pawl_activation_cancel_told(sim.activation));
    sim_run(&sim);
    assert_true(pawl_activation_cancel_told(sim.activation));
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 one = \n"
                     "> waits: call one\n"
                     "< 2 cancel = changed my mind\n"
                     "> cancelled cancelled: changed my mind\n");
    sim_close(&sim);
}

/* It is told as any cancel request, and ends otherwise. */
static void test_I7_what_a_deadline_asks_to_stop_ends_as_failed(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "plain");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_entry(&sim, &(pawl_entry){
                        .kind = PAWL_RECORD_CANCEL, .status = PAWL_FAILED, .value = sim_text("its deadline passed")});
    sim_cancel(&sim, "too late"); /* the first one counts */
    sim_run(&sim);
    assert_true(pawl_activation_cancel_told(sim.activation));
    assert_true(pawl_activation_deadline_told(sim.activation));
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 one = \n"
                     "> waits: call one\n"
                     "< 2 cancel = its deadline passed\n"
                     "< 3 cancel = too late\n"
                     "> failed process.deadline: its deadline passed\n");
    sim_close(&sim);
}

/* The result's record stands first, so the await that it ends is not cancelled; the next one is. */
static void test_cancel_after_the_result_is_told_by_the_next_await(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "plain");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 1, "");
    sim_cancel(&sim, "");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 one = \n"
                     "> waits: call one\n"
                     "< 2 step 1 one\n"
                     "< 3 cancel\n"
                     "  call 2 two = \n"
                     "> cancelled cancelled: the process was cancelled\n");
    sim_close(&sim);
}

static void test_cancel_is_told_once_and_undoing_is_not_disturbed(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "tidy");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_cancel(&sim, "stop");
    sim_cancel(&sim, "stop again");
    sim_run(&sim);
    sim_step(&sim, 1, "");
    sim_run(&sim);
    sim_reload(&sim);
    sim_feed_journal(&sim);
    sim_run(&sim);
    sim_step(&sim, 2, "");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 work = \n"
                     "> waits: call work\n"
                     "< 2 cancel = stop\n"
                     "< 3 cancel = stop again\n"
                     "> waits: call work\n"
                     "< 4 step 1 work\n"
                     "  call 2 undo = stop\n"
                     "> waits: call undo\n"
                     "  call 2 undo = stop\n"
                     "> waits: call undo\n"
                     "< 5 step 2 undo\n"
                     "> cancelled cancelled: stop\n");
    sim_close(&sim);
}

static void test_a_program_may_go_on_after_a_cancel(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "ignores");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_timer(&sim, 1);
    sim_cancel(&sim, "");
    sim_run(&sim);
    sim_fired(&sim, 1);
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  timer 1 1000000000 ns\n"
                     "> waits: timer\n"
                     "< 2 timer 1\n"
                     "< 3 cancel\n"
                     "> waits: timer\n"
                     "< 4 fired 1\n"
                     "> completed went on\n");
    sim_close(&sim);
}

static void test_cancelled_without_being_asked_is_a_failure(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "lies");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_cancel(&sim, "not told: no await");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "> failed cancelled: the program said that it was cancelled, and nobody had asked\n"
                     "< 2 cancel = not told: no await\n"
                     "> failed cancelled: the program said that it was cancelled, and nobody had asked\n");
    sim_close(&sim);
}

static void test_a_program_that_never_awaits_completes(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "no_await");
    sim_start(&sim, "");
    sim_cancel(&sim, "too late");
    sim_run(&sim);
    assert_false(pawl_activation_cancel_told(sim.activation));
    sim_expect(&sim, "< 1 started\n"
                     "< 2 cancel = too late\n"
                     "> completed at once\n");
    sim_close(&sim);
}

static void test_a_failure_after_a_cancel_is_a_failure(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "fails_on_cancel");
    sim_start(&sim, "");
    sim_cancel(&sim, "stop");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "< 2 cancel = stop\n"
                     "  timer 1 1000000000 ns\n"
                     "> failed gave_up: it could not be undone\n");
    sim_close(&sim);
}

/* Both records are there when the program first looks: their order decides, not the moment. */
static void test_order_of_cancel_and_result_decides(void **state)
{
    (void)state;
    for (int cancel_first = 0; cancel_first < 2; cancel_first++) {
        struct sim sim;
        sim_open(&sim, &pawl_processes, "fails_on_cancel");
        sim_start(&sim, "");
        sim_run(&sim);
        sim_timer(&sim, 1);
        if (cancel_first)
            sim_cancel(&sim, "");
        sim_fired(&sim, 1);
        if (!cancel_first)
            sim_cancel(&sim, "");
        sim_reload(&sim);
        sim_feed_journal(&sim);
        sim_run(&sim);
        assert_int_equal(sim.result.kind, PAWL_RUN_ENDED);
        assert_int_equal(sim.result.status, cancel_first ? PAWL_FAILED : PAWL_COMPLETED);
        sim_close(&sim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cancel_before_the_result),
        cmocka_unit_test(test_I7_what_a_deadline_asks_to_stop_ends_as_failed),
        cmocka_unit_test(test_cancel_after_the_result_is_told_by_the_next_await),
        cmocka_unit_test(test_cancel_is_told_once_and_undoing_is_not_disturbed),
        cmocka_unit_test(test_a_program_may_go_on_after_a_cancel),
        cmocka_unit_test(test_cancelled_without_being_asked_is_a_failure),
        cmocka_unit_test(test_a_program_that_never_awaits_completes),
        cmocka_unit_test(test_a_failure_after_a_cancel_is_a_failure),
        cmocka_unit_test(test_order_of_cancel_and_result_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
