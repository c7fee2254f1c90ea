/* stress_test.c: many processes at once, and everything going wrong at once. */
#include "lab.h"

#include "abi/pawl_process.h"

#include <stdio.h>
#include <stdlib.h>

/* Ten steps: most inline, some on threads, some asynchronous. */
static pawl_status ten_steps(pawl_process *p)
{
    static const char *const names[] = {"quick", "quick", "pool",  "quick", "async",
                                        "quick", "pool",  "quick", "quick", "async"};
    for (int i = 0; i < 10; i++)
        PAWL_TRY(pawl_call(p, names[i], pawl_input(p), NULL));
    return pawl_complete(p, pawl_text("done"));
}

/* A little of everything; lives with doubt and with failure. */
static pawl_status mixed(pawl_process *p)
{
    static const char *const names[] = {"quick", "pool", "async", "once", "asked"};
    char dice[5];
    pawl_random(p, dice, sizeof dice);
    for (int i = 0; i < 5; i++) {
        pawl_future call = pawl_start_call(p, names[(unsigned char)dice[i] % 5], pawl_input(p));
        pawl_future timer = pawl_start_timer(p, PAWL_MILLISECOND);
        PAWL_TRY(pawl_await_all(p, 2, call, timer));
        (void)pawl_now(p);
    }
    PAWL_TRY(pawl_signal(p, "end", NULL));
    return pawl_complete(p, pawl_text("done"));
}

PAWL_PROCESSES(PAWL_TYPE("ten_steps", 1, ten_steps), PAWL_TYPE("mixed", 1, mixed))

static lab *make(lab_effect *effects[5], uint32_t failing)
{
    lab *own = lab_create("memory");
    lab_add_type(own, "ten_steps", 1, &pawl_processes);
    lab_add_type(own, "mixed", 1, &pawl_processes);
    effects[0] = lab_add(own, &(lab_effect){.name = "quick", .runs = PAWL_RUNS_INLINE, .fail_times = failing});
    effects[1] = lab_add(own, &(lab_effect){.name = "pool", .limit = 3, .fail_times = failing});
    effects[2] = lab_add(own, &(lab_effect){.name = "async", .runs = PAWL_RUNS_ASYNC, .limit = 8});
    effects[3] = lab_add(own, &(lab_effect){.name = "once", .outcome = PAWL_OUTCOME_AT_MOST_ONCE});
    effects[4] = lab_add(own, &(lab_effect){.name = "asked",
                                            .outcome = PAWL_OUTCOME_RECONCILE,
                                            .reconcile = LAB_HAPPENED,
                                            .fail_times = failing,
                                            .klass = PAWL_UNKNOWN_OUTCOME});
    return own;
}

static void test_V03_two_thousand_processes_of_ten_steps(void **state)
{
    (void)state;
    lab_effect *effects[5];
    lab *own = make(effects, 0);
    lab_worker *worker = lab_start(own, &(lab_settings){.resident_max = 300, .effects_queued_max = 200});
    char id[16];
    for (int i = 0; i < 2000; i++) {
        snprintf(id, sizeof id, "p%d", i);
        lab_register(own, id, "ten_steps", id);
    }
    LAB_UNTIL(own, lab_count(own, PAWL_COMPLETED) == 2000);
    assert_int_equal(lab_executions(effects[0]), 12000);
    assert_int_equal(lab_executions(effects[1]), 4000);
    assert_int_equal(lab_executions(effects[2]), 4000);
    assert_int_equal(lab_stats(worker).steps, 20000);
    assert_true(effects[1]->running_peak <= 3);
    assert_true(effects[2]->running_peak <= 8);
    LAB_UNTIL(own, lab_stats(worker).resident == 0);
    lab_destroy(own);
}

static void trouble(lab_worker *worker, int round)
{
    unruly *store = lab_store(worker);
    switch (round % 5) {
    case 0:
        unruly_add(store, &(unruly_rule){.action = UNRULY_FAIL, .times = 5, .status = PAWL_E_IO});
        break;
    case 1:
        unruly_fail_heartbeats(store, 1, PAWL_E_STALE);
        break;
    case 2:
        unruly_fail_journals(store, 2, PAWL_E_IO);
        break;
    case 3:
        unruly_poke(store, 50);
        break;
    default:
        unruly_let_go(store);
        break;
    }
}

static void test_L10_everything_goes_wrong_and_every_process_ends_once(void **state)
{
    (void)state;
    lab_effect *effects[5];
    lab *own = make(effects, 20);
    lab_worker *workers[3];
    char id[16], post_id[24];
    enum { COUNT = 150 };
    for (int i = 0; i < 3; i++) {
        workers[i] = lab_start(own, &(lab_settings){.heartbeat_ns = 10 * PAWL_NS_PER_MS, .resident_max = 40});
        unruly_shuffle(lab_store(workers[i]), 3);
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(id, sizeof id, "m%d", i);
        lab_register(own, id, "mixed", id);
    }
    for (int round = 0; round < 30; round++) {
        for (int i = 0; i < 5; i++) {
            snprintf(id, sizeof id, "m%d", round * 5 + i);
            snprintf(post_id, sizeof post_id, "end %d", round);
            if (i == 4)
                (void)lab_cancel(own, id, "some are cancelled");
            else
                assert_int_equal(lab_signal(own, id, post_id, "end", ""), PAWL_OK);
        }
        trouble(workers[round % 3], round);
        if (round == 10 || round == 20) {
            lab_crash(workers[round / 10]);
            workers[round / 10] = lab_start(own, &(lab_settings){.heartbeat_ns = 10 * PAWL_NS_PER_MS});
        }
        lab_nap();
    }
    for (int i = 0; i < COUNT; i++) {
        snprintf(id, sizeof id, "m%d", i);
        lab_row row = lab_wait_end(own, id);
        assert_int_equal(row.status, i % 5 == 4 ? PAWL_CANCELLED : PAWL_COMPLETED);
        assert_int_equal(lab_records(own, id, PAWL_RECORD_ENDED), 1);
    }
    lab_destroy(own); /* and audits */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_V03_two_thousand_processes_of_ten_steps),
        cmocka_unit_test(test_L10_everything_goes_wrong_and_every_process_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
