/* retention_test.c: ended processes that go, on demand and by the profile, with a real server: only ended ones, only
 * old ones, with what was theirs; "no longer retained" is not "unknown"; and the same when the server is killed
 * meanwhile. */
#include "yard.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_yard(void **state)
{
    *state = yard_open("attributes: { customer: keyword }\n");
    return 0;
}

static int open_short(void **state)
{
    *state = yard_open("retention: { ended: 1s, types: { probe.long: 0 } }\n");
    return 0;
}

static int close_yard(void **state)
{
    *state = yard_close(*state);
    return 0;
}

static void start_and_end(const yard *y, const char *type, const char *id)
{
    api_start(y, type, id, "attributes:{\"customer\":\"x\"} clock step");
    api_expect_end(y, id, "completed");
}

static void test_S11_pruned_on_demand_and_known_as_no_longer_retained(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, NULL);
    start_and_end(y, "probe.plan", "old");
    start_and_end(y, "probe.short", "other");
    api_start(y, "probe.plan", "open", "attributes:{\"customer\":\"x\"} signal:go");
    api_await_status(y, "open", "waiting");
    YARD_EXPECT(y, 0, "0 ended processes forgotten", "prune", "--older-than", "1h");
    YARD_EXPECT(y, 0, "1 ended processes would be forgotten", "prune", "--older-than", "0s", "--dry-run", "--type",
                "probe.plan");
    YARD_EXPECT(y, 0, "completed", "show", "old"); /* H08: until it is pruned */
    YARD_EXPECT(y, 0, "1 ended processes forgotten", "prune", "--older-than", "0s", "--type", "probe.plan");
    YARD_EXPECT(y, 0, "completed", "show", "other");
    YARD_EXPECT(y, 3, "no longer retained", "show", "old");
    YARD_EXPECT(y, 3, "no longer retained", "wait", "old");
    YARD_EXPECT(y, 3, "no longer retained", "signal", "old", "go");
    YARD_EXPECT(y, 4, "no longer retained", "start", "probe.plan", "--id", "old", "--text", "clock");
    YARD_EXPECT(y, 3, "there is no process", "show", "never");
    YARD_EXPECT(y, 0, "2\n", "count", "--where", "customer = 'x'");
    YARD_EXPECT(y, 0, "\"pruned\":1", "prune", "--older-than", "0s", "--json");
    YARD_EXPECT(y, 0, "open", "ps", "--all");
    YARD_EXPECT(y, 2, "--older-than", "prune");
    yard_kill(y);
    YARD_SERVE(y, NULL);
    YARD_EXPECT(y, 3, "no longer retained", "show", "old");
    yard_stop(y);
    YARD_EXPECT(y, 0, "", "check", "--store");
}

/* A failed look is not an empty one: nobody is told that nothing had to go. */
static void test_S12_a_prune_that_nobody_did_is_no_empty_report(void **state)
{
    yard *y = *state;
    YARD_EXPECT(y, 5, "no pawl serve listens at", "prune", "--older-than", "1h");
    YARD_EXPECT(y, 5, "\"client.no_server\"", "prune", "--older-than", "1h", "--json");
}

#define PROCESSES 60

static void test_S11_kill_9_amid_a_prune_leaves_each_whole_or_gone(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, NULL);
    for (int i = 0; i < PROCESSES; i++) {
        char id[16];
        snprintf(id, sizeof id, "p%02d", i);
        api_start(y, "probe.plan", id, "attributes:{\"customer\":\"x\"} clock");
    }
    api_await_ended(y, PROCESSES);
    json_int_t pruned = 0;
    while (pruned < PROCESSES) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) { /* in small pieces, until the server is gone */
            for (int i = 0; i < PROCESSES; i++)
                if (api_call(y, "POST", "/v1/prune", json_pack("{s:i, s:i}", "older_than_ms", 0, "limit", 3), NULL) !=
                    200)
                    break;
            _exit(0);
        }
        let_pass_ms(15);
        yard_kill(y);
        waitpid(child, NULL, 0);
        YARD_EXPECT(y, 0, "", "check", "--store");
        YARD_SERVE(y, NULL);
        json_int_t left = api_count(y, "completed");
        pruned = PROCESSES - left;
        char count[16];
        snprintf(count, sizeof count, "%d\n", (int)left);
        YARD_EXPECT(y, 0, count, "count", "--where", "customer = 'x'");
    }
    yard_stop(y);
    YARD_EXPECT(y, 0, "", "check", "--store");
}

static void test_S11_the_profile_forgets_by_itself(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", "gone", "clock");
    api_start(y, "probe.long", "kept", "clock");
    api_start(y, "probe.plan", "open", "signal:go");
    api_expect_end(y, "gone", "completed");
    api_expect_end(y, "kept", "completed");
    while (api_process(y, "GET", "gone", "", NULL, NULL) != 410)
        look_again_soon();
    YARD_EXPECT(y, 0, "completed", "show", "kept");
    YARD_EXPECT(y, 0, "waiting", "show", "open");
    yard_stop(y);
    YARD_EXPECT(y, 0, "", "check", "--store");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_S11_pruned_on_demand_and_known_as_no_longer_retained, open_yard,
                                        close_yard),
        cmocka_unit_test_setup_teardown(test_S12_a_prune_that_nobody_did_is_no_empty_report, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_S11_kill_9_amid_a_prune_leaves_each_whole_or_gone, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_S11_the_profile_forgets_by_itself, open_short, close_yard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
