/* wait_test.c: what a process waits for: signals (buffered, each taken once, whenever they come), timers, any and all
 * of several, over and over in memory and out of it. */
#include "lab.h"

#include "abi/pawl_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static pawl_status two_signals(pawl_process *p)
{
    pawl_bytes one, two;
    PAWL_TRY(pawl_signal(p, "go", &one));
    PAWL_TRY(pawl_signal(p, "go", &two));
    return pawl_complete(
        p, pawl_printf(p, "%.*s %.*s", (int)one.size, (const char *)one.data, (int)two.size, (const char *)two.data));
}

/* A call first: what is signalled meanwhile waits for it. */
static pawl_status call_then_signal(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), NULL));
    PAWL_TRY(pawl_signal(p, "go", &value));
    return pawl_complete(p, value);
}

static pawl_status impatient(pawl_process *p)
{
    pawl_bytes value;
    pawl_status status = pawl_signal_within(p, "go", PAWL_HOUR, &value);
    if (status == PAWL_E_DEADLINE)
        return pawl_complete(p, pawl_text("gave up"));
    PAWL_TRY(status);
    return pawl_complete(p, value);
}

/* A call against a timer. */
static pawl_status call_or_timer(pawl_process *p)
{
    pawl_future call = pawl_start_call(p, "one", pawl_input(p));
    pawl_future timer = pawl_start_timer(p, 30 * PAWL_MILLISECOND);
    int first = 0;
    PAWL_TRY(pawl_await_any(p, &first, 2, call, timer));
    if (first == 1)
        return pawl_complete(p, pawl_text("too slow"));
    pawl_bytes value;
    PAWL_TRY(pawl_result(p, call, &value));
    return pawl_complete(p, value);
}

/* Has ended when it is signalled; its call and a timer are still there. */
static pawl_status leaves_a_timer(pawl_process *p)
{
    pawl_future call = pawl_start_call(p, "one", pawl_input(p));
    pawl_future signal = pawl_wait_signal(p, "go");
    (void)pawl_start_timer(p, 300 * PAWL_MILLISECOND);
    PAWL_TRY(pawl_await_any(p, NULL, 2, call, signal));
    return pawl_complete(p, pawl_text("left"));
}

static pawl_status everything(pawl_process *p)
{
    pawl_future call = pawl_start_call(p, "one", pawl_text("x"));
    pawl_future timer = pawl_start_timer(p, 5 * PAWL_MILLISECOND);
    pawl_future signal = pawl_wait_signal(p, "go");
    PAWL_TRY(pawl_await_all(p, 3, call, timer, signal));
    pawl_bytes one, two;
    PAWL_TRY(pawl_result(p, call, &one));
    PAWL_TRY(pawl_result(p, signal, &two));
    return pawl_complete(
        p, pawl_printf(p, "%.*s %.*s", (int)one.size, (const char *)one.data, (int)two.size, (const char *)two.data));
}

/* Adds up what it is sent until there were a hundred. */
static pawl_status adding(pawl_process *p)
{
    int sum = 0;
    for (int i = 0; i < 100; i++) {
        pawl_bytes value;
        PAWL_TRY(pawl_signal(p, "add", &value));
        sum += (int)strtol(pawl_cstring(p, value), NULL, 10);
    }
    return pawl_complete(p, pawl_printf(p, "%d", sum));
}

/* Ticks; each tick reads the clock and tells. */
static pawl_status ticking(pawl_process *p)
{
    uint64_t last = pawl_now(p);
    for (int i = 1; i <= 20; i++) {
        PAWL_TRY(pawl_sleep(p, PAWL_MILLISECOND));
        uint64_t now = pawl_now(p);
        if (now < last + PAWL_MILLISECOND)
            return pawl_fail(p, "early", "a timer fired too early");
        last = now;
        PAWL_TRY(pawl_set_status(p, pawl_printf(p, "{\"ticks\": %d}", i)));
    }
    return pawl_complete(p, pawl_text("done"));
}

/* Says where it is, then waits. */
static pawl_status telling(pawl_process *p)
{
    PAWL_TRY(pawl_set_status(p, pawl_text("{\"at\": \"gate\"}")));
    PAWL_TRY(pawl_signal(p, "go", NULL));
    PAWL_TRY(pawl_set_status(p, pawl_text("{\"at\": \"end\"}")));
    return pawl_complete(p, pawl_text("done"));
}

PAWL_PROCESSES(PAWL_TYPE("two_signals", 1, two_signals), PAWL_TYPE("call_then_signal", 1, call_then_signal),
               PAWL_TYPE("impatient", 1, impatient), PAWL_TYPE("call_or_timer", 1, call_or_timer),
               PAWL_TYPE("everything", 1, everything), PAWL_TYPE("adding", 1, adding), PAWL_TYPE("ticking", 1, ticking),
               PAWL_TYPE("telling", 1, telling), PAWL_TYPE("leaves_a_timer", 1, leaves_a_timer))

static lab *lab_with(const char *provider)
{
    static const char *const types[] = {"two_signals", "call_then_signal", "impatient", "call_or_timer", "everything",
                                        "adding",      "ticking",          "telling",   "leaves_a_timer"};
    lab *own = lab_create(provider);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        lab_add_type(own, types[i], 1, &pawl_processes);
    return own;
}

static void test_W01_signals_before_the_first_claim_are_kept(void **state)
{
    (void)state;
    lab *own = lab_with("rocksdb");
    lab_register(own, "p", "two_signals", "");
    lab_signal(own, "p", "1", "go", "a");
    lab_signal(own, "p", "2", "other", "x"); /* of another name: nobody's */
    lab_signal(own, "p", "3", "go", "b");
    lab_reopen(own);
    lab_start(own, NULL);
    assert_string_equal(lab_wait_end(own, "p").output, "a b");
    lab_destroy(own);
}

static void test_W01_a_signal_while_it_waits_wakes_it_and_is_taken_once(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_worker *worker = lab_start(own, NULL);
    lab_register(own, "p", "two_signals", "");
    lab_row row = lab_wait_status(own, "p", PAWL_WAITING);
    assert_non_null(strstr(row.reason, "go"));
    LAB_UNTIL(own, lab_stats(worker).resident == 0); /* waiting, it is on disk only */
    lab_signal(own, "p", "1", "go", "a");
    LAB_UNTIL(own, lab_look(own, "p").status == PAWL_WAITING && lab_look(own, "p").head == 2);
    assert_int_equal(lab_signal(own, "p", "1", "go", "a"), PAWL_OK); /* the same again: no second record */
    assert_int_equal(lab_signal(own, "p", "1", "go", "z"), PAWL_E_CONFLICT);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_SIGNAL), 1);
    assert_int_equal(lab_look(own, "p").status, PAWL_WAITING);
    lab_signal(own, "p", "2", "go", "b");
    assert_string_equal(lab_wait_end(own, "p").output, "a b");
    lab_destroy(own);
}

static void test_W01_a_signal_while_an_effect_runs_is_buffered(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", "call_then_signal", "in");
    lab_wait_running(one, 1);
    lab_signal(own, "p", "1", "go", "early");
    lab_let_go(one);
    assert_string_equal(lab_wait_end(own, "p").output, "early");

    LAB_SCRIPT(one, held = true);
    lab_register(own, "q", "call_then_signal", "in");
    lab_wait_running(one, 1);
    lab_signal(own, "q", "1", "go", "kept");
    lab_crash(first);
    lab_let_go(one);
    lab_start(own, NULL);
    assert_string_equal(lab_wait_end(own, "q").output, "kept");
    lab_destroy(own);
}

static void test_W01_a_signal_that_meets_a_suspension_is_not_lost(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_worker *worker = lab_start(own, NULL);
    unruly_add(lab_store(worker), &(unruly_rule){.action = UNRULY_HOLD, .op_kind = PAWL_OP_SUSPEND, .times = 1});
    lab_register(own, "p", "two_signals", "");
    assert_true(unruly_wait_held(lab_store(worker), 1));
    lab_signal(own, "p", "1", "go", "a"); /* the suspension on its way has not seen it */
    unruly_let_go(lab_store(worker));
    lab_signal(own, "p", "2", "go", "b");
    assert_string_equal(lab_wait_end(own, "p").output, "a b");
    lab_destroy(own);
}

struct sender {
    lab *own;
    int from;
};

static void *send_some(void *argument)
{
    struct sender *s = argument;
    for (int i = s->from; i < 100; i += 4) {
        char post_id[16], payload[16];
        snprintf(post_id, sizeof post_id, "%d", i);
        snprintf(payload, sizeof payload, "%d", i + 1);
        if (lab_signal(s->own, "p", post_id, "add", payload) != PAWL_OK)
            abort();
    }
    return NULL;
}

static void test_W01_a_hundred_signals_from_four_threads_are_each_taken_once(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_worker *worker = lab_start(own, NULL);
    unruly_shuffle(lab_store(worker), 1);
    lab_register(own, "p", "adding", "");
    pthread_t threads[4];
    struct sender senders[4];
    for (int i = 0; i < 4; i++) {
        senders[i] = (struct sender){own, i};
        assert_int_equal(pthread_create(&threads[i], NULL, send_some, &senders[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_string_equal(lab_wait_end(own, "p").output, "5050");
    lab_destroy(own);
}

static void test_H13_waiting_with_a_limit_ends_with_whichever_comes_first(void **state)
{
    (void)state;
    lab *own = lab_with("rocksdb");
    lab_worker *first = lab_start(own, NULL);
    lab_register(own, "p", "impatient", "");
    lab_register(own, "q", "impatient", "");
    lab_wait_status(own, "p", PAWL_WAITING);
    lab_wait_status(own, "q", PAWL_WAITING);
    lab_end(first);
    lab_signal(own, "q", "1", "go", "in time");
    lab_advance(own, 3601 * PAWL_NS_PER_SECOND);
    lab_reopen(own);
    lab_start(own, NULL);
    assert_string_equal(lab_wait_end(own, "p").output, "gave up");
    assert_string_equal(lab_wait_end(own, "q").output, "in time"); /* its record stands before that of the timer */
    lab_destroy(own);
}

static void test_X11_a_call_against_a_timer(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_start(own, NULL);
    lab_register(own, "slow", "call_or_timer", "in");
    assert_string_equal(lab_wait_end(own, "slow").output, "too slow");
    assert_true(lab_execution_of(one, 0).told_to_stop); /* nobody wants it any more */
    assert_string_equal(lab_journal(own, "slow"), "started timer(2) fired(2) step(1 one #1 ! lab.stopped) "
                                                  "ended(16 = too slow)");
    lab_let_go(one);
    lab_register(own, "fast", "call_or_timer", "in");
    lab_row row = lab_wait_end(own, "fast");
    assert_true(strcmp(row.output, "one(in)") == 0 || strcmp(row.output, "too slow") == 0); /* on a busy machine */
    lab_destroy(own);
}

static void test_X11_an_end_that_waits_for_its_effect_costs_no_time(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true, .deaf = true});
    lab_start(own, NULL);
    lab_register(own, "p", "leaves_a_timer", "in");
    lab_wait_running(one, 1);
    lab_signal(own, "p", "1", "go", "");
    LAB_UNTIL(own, lab_execution_of(one, 0).told_to_stop);
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    uint64_t until = lab_mono_ns() + 8 * PAWL_NS_PER_SECOND / 10;
    while (lab_mono_ns() < until)
        lab_nap();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    double used = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    assert_true(used < 0.25); /* a timer that is due and that nobody waits for must not keep the shard awake */
    lab_let_go(one);
    assert_string_equal(lab_wait_end(own, "p").output, "left");
    lab_destroy(own);
}

static void test_X11_all_of_a_call_a_timer_and_a_signal(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_start(own, NULL);
    lab_register(own, "p", "everything", "");
    lab_wait_running(one, 1);
    lab_signal(own, "p", "1", "go", "sig");
    LAB_UNTIL(own, lab_records(own, "p", PAWL_RECORD_FIRED) == 1);
    lab_let_go(one);
    assert_string_equal(lab_wait_end(own, "p").output, "one(x) sig");
    lab_destroy(own);
}

static void test_X10_many_short_sleeps_never_fire_early(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, NULL);
    char id[16];
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "p%d", i);
        lab_register(own, id, "ticking", "");
    }
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "p%d", i);
        lab_row row = lab_wait_end(own, id);
        assert_string_equal(row.output, "done");
        assert_string_equal(row.document, "{\"ticks\": 20}");
        assert_int_equal(lab_records(own, id, PAWL_RECORD_FIRED), 20);
        assert_int_equal(lab_records(own, id, PAWL_RECORD_NOW), 21);
    }
    lab_destroy(own);
}

static void test_W01_a_status_document_is_seen_while_it_waits(void **state)
{
    (void)state;
    lab *own = lab_with("memory");
    lab_start(own, NULL);
    lab_register(own, "p", "telling", "");
    assert_string_equal(lab_wait_status(own, "p", PAWL_WAITING).document, "{\"at\": \"gate\"}");
    lab_signal(own, "p", "1", "go", "");
    assert_string_equal(lab_wait_end(own, "p").document, "{\"at\": \"end\"}");
    lab_destroy(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_W01_signals_before_the_first_claim_are_kept),
        cmocka_unit_test(test_W01_a_signal_while_it_waits_wakes_it_and_is_taken_once),
        cmocka_unit_test(test_W01_a_signal_while_an_effect_runs_is_buffered),
        cmocka_unit_test(test_W01_a_signal_that_meets_a_suspension_is_not_lost),
        cmocka_unit_test(test_W01_a_hundred_signals_from_four_threads_are_each_taken_once),
        cmocka_unit_test(test_H13_waiting_with_a_limit_ends_with_whichever_comes_first),
        cmocka_unit_test(test_X11_a_call_against_a_timer),
        cmocka_unit_test(test_X11_an_end_that_waits_for_its_effect_costs_no_time),
        cmocka_unit_test(test_X11_all_of_a_call_a_timer_and_a_signal),
        cmocka_unit_test(test_X10_many_short_sleeps_never_fire_early),
        cmocka_unit_test(test_W01_a_status_document_is_seen_while_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
