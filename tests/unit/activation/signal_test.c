/* signal_test.c: signals are kept until a wait takes them, each once, in order; a wait that is given up takes none. */
#include "pawl_process.h"
#include "sim.h"

#include <string.h>

static pawl_status say(pawl_process *p, pawl_bytes a, pawl_bytes b)
{
    return pawl_complete(
        p, pawl_printf(p, "%.*s,%.*s", (int)a.size, (const char *)a.data, (int)b.size, (const char *)b.data));
}

static pawl_status two_of_a_name(pawl_process *p)
{
    pawl_bytes first, second;
    PAWL_TRY(pawl_signal(p, "news", &first));
    PAWL_TRY(pawl_signal(p, "news", &second));
    return say(p, first, second);
}

/* The first wait is given up; the signal that comes later belongs to the second. */
static pawl_status gives_up(pawl_process *p)
{
    pawl_bytes payload = pawl_text("");
    pawl_status status = pawl_signal_within(p, "accepted", PAWL_SECOND, &payload);
    if (status == PAWL_OK)
        return say(p, pawl_text("in time"), payload);
    if (status != PAWL_E_DEADLINE)
        return status;
    PAWL_TRY(pawl_call(p, "remind", pawl_text(""), NULL));
    PAWL_TRY(pawl_signal(p, "accepted", &payload));
    return say(p, pawl_text("late"), payload);
}

/* Waits in another order than they were begun: the one an await ends with takes the earliest. */
static pawl_status backwards(pawl_process *p)
{
    pawl_bytes a, b;
    pawl_future first = pawl_wait_signal(p, "x"), second = pawl_wait_signal(p, "x");
    PAWL_TRY(pawl_await(p, second));
    PAWL_TRY(pawl_await(p, first));
    PAWL_TRY(pawl_result(p, first, &a));
    PAWL_TRY(pawl_result(p, second, &b));
    return say(p, a, b);
}

static pawl_status all_together(pawl_process *p)
{
    pawl_bytes a, b, c;
    pawl_future waits[4] = {pawl_wait_signal(p, "x"), pawl_wait_signal(p, "y"), pawl_wait_signal(p, "x"), 0};
    waits[3] = waits[0]; /* named twice, taken once */
    PAWL_TRY(pawl_await_all_of(p, waits, 4));
    PAWL_TRY(pawl_result(p, waits[0], &a));
    PAWL_TRY(pawl_result(p, waits[1], &b));
    PAWL_TRY(pawl_result(p, waits[2], &c));
    return pawl_complete(p, pawl_printf(p, "%.*s%.*s%.*s", (int)a.size, (const char *)a.data, (int)b.size,
                                        (const char *)b.data, (int)c.size, (const char *)c.data));
}

/* An await that is cancelled takes no signal. */
static pawl_status cancelled_wait(pawl_process *p)
{
    pawl_bytes a;
    pawl_status status = pawl_signal(p, "x", &a);
    if (status == PAWL_E_CANCELLED)
        PAWL_TRY(pawl_signal(p, "x", &a));
    else
        PAWL_TRY(status);
    return say(p, pawl_text("got"), a);
}

static pawl_status early_result(pawl_process *p)
{
    pawl_bytes a;
    pawl_future wait = pawl_wait_signal(p, "x");
    PAWL_TRY(pawl_result(p, wait, &a));
    return pawl_complete(p, a);
}

PAWL_PROCESSES(PAWL_TYPE("two_of_a_name", 1, two_of_a_name), PAWL_TYPE("gives_up", 1, gives_up),
               PAWL_TYPE("backwards", 1, backwards), PAWL_TYPE("all_together", 1, all_together),
               PAWL_TYPE("cancelled_wait", 1, cancelled_wait), PAWL_TYPE("early_result", 1, early_result))

static void test_signals_are_kept_until_someone_waits_and_taken_once(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "two_of_a_name");
    sim_start(&sim, "");
    sim_signal(&sim, "other", "no");
    sim_signal(&sim, "news", "1");
    sim_run(&sim);
    sim_signal(&sim, "news", "2");
    sim_signal(&sim, "news", "3");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "< 2 signal other = no\n"
                     "< 3 signal news = 1\n"
                     "> waits: signal news (signal)\n"
                     "< 4 signal news = 2\n"
                     "< 5 signal news = 3\n"
                     "> completed 1,2\n");
    sim_close(&sim);
}

static void test_H13_an_abandoned_wait_takes_no_signal(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "gives_up");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_timer(&sim, 1);
    sim_fired(&sim, 1);
    sim_signal(&sim, "accepted", "yes");
    sim_reload(&sim); /* the whole story at once: the timer still came first */
    sim_feed_journal(&sim);
    sim_run(&sim);
    sim_step(&sim, 2, "");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  timer 1 1000000000 ns\n"
                     "> waits: signal accepted, timer (signal)\n"
                     "< 2 timer 1\n"
                     "< 3 fired 1\n"
                     "< 4 signal accepted = yes\n"
                     "  call 2 remind = \n"
                     "> waits: call remind\n"
                     "< 5 step 2 remind\n"
                     "> completed late,yes\n");
    sim_close(&sim);
}

static void test_H13_a_signal_in_time_wins_over_the_timer(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "gives_up");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_timer(&sim, 1);
    sim_signal(&sim, "accepted", "yes");
    sim_fired(&sim, 1);
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  timer 1 1000000000 ns\n"
                     "> waits: signal accepted, timer (signal)\n"
                     "< 2 timer 1\n"
                     "< 3 signal accepted = yes\n"
                     "< 4 fired 1\n"
                     "> completed in time,yes\n");
    sim_close(&sim);
}

static void test_waits_take_in_the_order_in_which_awaits_end(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "backwards");
    sim_start(&sim, "");
    sim_signal(&sim, "x", "1");
    sim_run(&sim);
    sim_signal(&sim, "x", "2");
    sim_run(&sim);
    sim_reload(&sim);
    sim_feed_journal(&sim);
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "< 2 signal x = 1\n"
                     "> waits: signal x (signal)\n"
                     "< 3 signal x = 2\n"
                     "> completed 2,1\n"
                     "> completed 2,1\n");
    sim_close(&sim);
}

static void test_all_takes_one_signal_for_each_wait(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "all_together");
    sim_start(&sim, "");
    sim_signal(&sim, "x", "1");
    sim_signal(&sim, "y", "2");
    sim_run(&sim);
    sim_signal(&sim, "x", "3");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "< 2 signal x = 1\n"
                     "< 3 signal y = 2\n"
                     "> waits: signal x (signal)\n"
                     "< 4 signal x = 3\n"
                     "> completed 123\n");
    sim_close(&sim);
}

static void test_a_cancelled_await_takes_no_signal(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "cancelled_wait");
    sim_start(&sim, "");
    sim_cancel(&sim, "");
    sim_signal(&sim, "x", "1");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "< 2 cancel\n"
                     "< 3 signal x = 1\n"
                     "> completed got,1\n");
    sim_close(&sim);
}

/* Whether the signal is there yet must not show. */
static void test_the_result_of_a_wait_needs_an_await(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "early_result");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_signal(&sim, "x", "1");
    sim_run(&sim);
    sim_expect(&sim,
               "< 1 started\n"
               "> failed process.not_awaited: the result of a signal wait was asked before an await ended with it\n"
               "< 2 signal x = 1\n"
               "> failed process.not_awaited: the result of a signal wait was asked before an await ended with it\n");
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signals_are_kept_until_someone_waits_and_taken_once),
        cmocka_unit_test(test_H13_an_abandoned_wait_takes_no_signal),
        cmocka_unit_test(test_H13_a_signal_in_time_wins_over_the_timer),
        cmocka_unit_test(test_waits_take_in_the_order_in_which_awaits_end),
        cmocka_unit_test(test_all_takes_one_signal_for_each_wait),
        cmocka_unit_test(test_a_cancelled_await_takes_no_signal),
        cmocka_unit_test(test_the_result_of_a_wait_needs_an_await),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
