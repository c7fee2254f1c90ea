/* operator_test.c: what an operator keeps still stays still over SIGKILL, and the program says so. */
#include "yard.h"

#include <string.h>

static int open_yard(void **state)
{
    *state = yard_open("");
    return 0;
}

static int close_yard(void **state)
{
    *state = yard_close(*state);
    return 0;
}

static void test_MW_a_pause_survives_a_kill(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", "p", "signal:go step");
    api_await_status(y, "p", "waiting");
    YARD_EXPECT(y, 0, "p: paused", "pause", "p", "--reason", "ask ann");
    YARD_EXPECT(y, 0, "probe.short: paused", "pause", "--type", "probe.short");
    yard_kill(y);
    YARD_SERVE(y, NULL);
    api_start(y, "probe.short", "s", "quick");
    (void)api_signal(y, "p", "go", "1", "one");
    YARD_EXPECT(y, 0, "paused by an operator since", "show", "p");
    YARD_EXPECT(y, 0, "its type is paused by an operator since", "ps");
    YARD_EXPECT(y, 0, "ready", "ps", "--type", "probe.short");
    yard_kill(y);
    YARD_SERVE(y, NULL);
    YARD_EXPECT(y, 0, ": ask ann", "show", "p");
    YARD_EXPECT(y, 0, "p: resumed", "resume", "p");
    api_expect_end(y, "p", "completed");
    YARD_EXPECT(y, 0, "probe.short: resumed", "resume", "--type", "probe.short");
    api_expect_end(y, "s", "completed");
    json_t *journal = api_journal(y, "p");
    assert_int_equal(api_records(journal, "paused", NULL), 1);
    assert_int_equal(api_records(journal, "continued", NULL), 1);
    json_decref(journal);
    yard_stop(y);
    YARD_EXPECT(y, 0, NULL, "check", "pawl.yaml", "--store");
}

/* Killed while an effect of a paused process runs: what was not recorded is done again when it is resumed, not before.
 */
static void test_MW_a_paused_process_is_not_recovered_before_it_is_resumed(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", "p", "step:0:0:1 quick");
    yard_await_held(y, 1);
    YARD_EXPECT(y, 0, "p: paused", "pause", "p");
    yard_kill(y);
    yard_open_gate(y);
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", "other", "step step");
    api_expect_end(y, "other", "completed");
    YARD_EXPECT(y, 0, "paused by an operator", "show", "p");
    json_t *journal = api_journal(y, "p");
    assert_int_equal(api_records(journal, "step", NULL), 0);
    json_decref(journal);
    YARD_EXPECT(y, 0, "p: resumed", "resume", "p");
    api_expect_end(y, "p", "completed");
    yard_stop(y);
}

static void test_MW_a_connector_is_paused_and_shown(void **state)
{
    yard *y = *state =
        yard_open("  - { path: " HTTP_PLUGIN ", dev: true }\n"
                  "connectors: { web: { plugin: pawl.http, config: { base_url: \"http://127.0.0.1:1\" }, "
                  "circuit: { calls_min: 2 }, rate_limit: { rate: 5 } } }\n");
    YARD_SERVE(y, NULL);
    YARD_EXPECT(y, 0, "web: paused", "pause", "--connector", "web", "--reason", "moving");
    api_start(y, "probe.plan", "p", "post:/x");
    YARD_EXPECT(y, 0, "paused by an operator", "connectors");
    YARD_EXPECT(y, 0, "closed: of 0 calls", "connectors");
    YARD_EXPECT(y, 0, "5 of 5 tokens", "connectors");
    YARD_EXPECT(y, 0, "\"burst\":5", "connectors", "--json");
    YARD_EXPECT(y, 2, "give exactly one of", "pause", "--connector", "web", "--type", "x");
    YARD_EXPECT(y, 0, "web: resumed", "resume", "--connector", "web");
    yard_stop(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_MW_a_pause_survives_a_kill, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_MW_a_paused_process_is_not_recovered_before_it_is_resumed, open_yard,
                                        close_yard),
        cmocka_unit_test_teardown(test_MW_a_connector_is_paused_and_shown, close_yard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
