/* pause_test.c: a worker that is stopped for longer than its lease and then wakes (SIGSTOP, SIGCONT): it must notice,
 * drop what it held and go on as a new owner; nothing that it did before may be written under the old token. The lease
 * is short, so that letting it expire takes no longer than a second. */
#include "audit.h"
#include "yard.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define LEASE_MS 300

static int open_yard(void **state)
{
    *state = yard_open("worker: { lease_ttl: 300ms, heartbeat: 100ms }\n"
                       "retry: { attempts: 20, first_delay: 20ms, max_delay: 100ms }\n");
    return 0;
}

static int close_yard(void **state)
{
    *state = yard_close(*state);
    return 0;
}

/* Stop the server, and return when the kernel says that it is stopped. */
static void pause_server(const yard *y)
{
    int status = 0;
    yard_signal(y, SIGSTOP);
    assert_int_equal(waitpid(y->server, &status, WUNTRACED), y->server);
    assert_true(WIFSTOPPED(status));
}

static void test_L16_a_paused_worker_wakes_after_its_lease_is_gone(void **state)
{
    static const char *const effects[] = {"step", "later", "keyed", "check", "once"};
    const char *ids[5];
    char names[5][16];
    yard *y = *state;
    YARD_SERVE(y, NULL);
    for (size_t i = 0; i < 5; i++) {
        char plan[64];
        snprintf(names[i], sizeof names[i], "held-%s", effects[i]);
        ids[i] = names[i];
        snprintf(plan, sizeof plan, "step %s:0:0:1 step", effects[i]);
        api_start(y, "probe.plan", ids[i], plan);
    }
    yard_await_held(y, 5);
    pause_server(y);
    yard_open_gate(y); /* what is held ends as soon as it wakes: with a result under a lease that is gone */
    let_pass_ms(4 * LEASE_MS);
    yard_signal(y, SIGCONT);
    for (size_t i = 0; i < 5; i++)
        api_expect_end(y, ids[i], "completed");
    audit a = audit_ended(y, ids, 5);
    assert_int_equal(a.completed, 5);
    assert_true(api_worker_number(y, "lost_leases") > 0);
    api_start(y, "probe.plan", "after", "step once"); /* it is a worker again */
    api_expect_end(y, "after", "completed");
    yard_stop(y);
}

/* What is still held when the worker wakes is told to stop, begun again under a new lease (with the same key), and
 * recorded once. */
static void test_L16_an_effect_that_outlives_the_lease_is_recorded_once(void **state)
{
    const char *id = "outlives";
    yard *y = *state;
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", id, "step step:0:0:1 step");
    yard_await_held(y, 1);
    for (int round = 0; round < 3; round++) {
        pause_server(y);
        let_pass_ms(3 * LEASE_MS);
        yard_signal(y, SIGCONT);
        yard_await_held(y, 1); /* begun again by the new owner */
    }
    yard_open_gate(y);
    api_expect_end(y, id, "completed");
    audit a = audit_ended(y, &id, 1);
    assert_int_equal(a.steps, 3);
    json_t *journal = api_journal(y, id);
    assert_int_equal(api_records(journal, "step", "probe.step"), 3);
    json_decref(journal);
    yard_stop(y);
}

#define CROWD 60

static void test_L16_a_crowd_and_many_pauses(void **state)
{
    static const char *const plans[] = {"step:5 once:5 step:5 once:5 check:5", "later:8 later:8 check:8 keyed:8",
                                        "quick sleep:50 once:3 sleep:50 check:3", "both:6 once:10 both:6"};
    static char names[CROWD][8];
    const char *ids[CROWD];
    yard *y = *state;
    YARD_SERVE(y, NULL);
    for (size_t i = 0; i < CROWD; i++) {
        snprintf(names[i], sizeof names[i], "p%02zu", i);
        ids[i] = names[i];
        api_start(y, i % 2 == 0 ? "probe.plan" : "probe.short", ids[i], plans[i % 4]);
    }
    for (int round = 0; round < 4; round++) {
        pause_server(y);
        let_pass_ms(2 * LEASE_MS);
        yard_signal(y, SIGCONT);
        let_pass_ms(20);
    }
    api_await_ended(y, CROWD);
    audit a = audit_ended(y, ids, CROWD);
    assert_int_equal(a.completed, CROWD);
    yard_stop(y);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_L16_a_paused_worker_wakes_after_its_lease_is_gone, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_L16_an_effect_that_outlives_the_lease_is_recorded_once, open_yard,
                                        close_yard),
        cmocka_unit_test_setup_teardown(test_L16_a_crowd_and_many_pauses, open_yard, close_yard),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
