/* kill_test.c: SIGKILL at every place where a process can be: about to be claimed, in an effect, between an effect and
 * its record, waiting, being told something, stopping. After the next start everything goes on and nothing repeats. */
#include "audit.h"
#include "yard.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLAIMED_MAX 300

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

/* ---- claim ------------------------------------------------------------------------------------------------------ */

static void test_V01_L10_kill_while_many_are_claimed(void **state)
{
    static const char *const plans[] = {"quick step", "step quick quick", "later step once", "check:2 keyed"};
    static char names[CLAIMED_MAX][16];
    const char *ids[CLAIMED_MAX];
    yard *y = *state;
    YARD_SERVE(y, "--no-worker");
    for (size_t i = 0; i < CLAIMED_MAX; i++) {
        snprintf(names[i], sizeof names[i], "c%03zu", i);
        ids[i] = names[i];
        api_start(y, i % 3 == 0 ? "probe.short" : "probe.plan", names[i], plans[i % 4]);
    }
    assert_int_equal(api_count(y, "ready"), CLAIMED_MAX);
    yard_kill(y);
    for (int round = 0; round < 5; round++) { /* at once, and then ever deeper into the crowd */
        YARD_SERVE(y, NULL);
        for (double until = seconds_now() + 0.01 * round; seconds_now() < until;)
            if (api_worker_number(y, "claimed") >= 20 * round)
                break;
        yard_kill(y);
    }
    YARD_SERVE(y, NULL);
    api_await_ended(y, CLAIMED_MAX);
    audit a = audit_ended(y, ids, CLAIMED_MAX);
    assert_int_equal(a.completed, CLAIMED_MAX);
    yard_stop(y);
}

/* ---- effects ----------------------------------------------------------------------------------------------------- */

typedef struct doubt {
    const char *effect;
    int hold;        /* 1: killed before it was done, 2: after, before its record */
    size_t begun;    /* executions in all */
    size_t asked;    /* how often reconcile was */
    size_t in_doubt; /* steps that end so */
} doubt;

static void kill_in_effect(void **state, const doubt *d)
{
    yard *y = *state = yard_open("");
    char plan[64];
    char name[32];
    const char *id = "d1";
    snprintf(plan, sizeof plan, "step %s:0:0:%d step", d->effect, d->hold);
    snprintf(name, sizeof name, "probe.%s", d->effect);
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", id, plan);
    yard_await_held(y, 1);
    yard_kill(y);
    yard_open_gate(y);
    YARD_SERVE(y, NULL);
    api_expect_end(y, id, "completed");
    audit a = audit_ended(y, &id, 1);
    size_t begun = audit_log_count(y, id, NULL, "begin") - 2; /* but for the steps around it */
    if (begun != d->begun || a.asked != d->asked || a.in_doubt != d->in_doubt || a.steps != 3)
        fail_msg("%s, hold %d: begun %zu, asked %zu, in doubt %zu; wanted %zu, %zu, %zu; steps %zu", d->effect, d->hold,
                 begun, a.asked, a.in_doubt, d->begun, d->asked, d->in_doubt, a.steps);
    yard_stop(y);
    *state = yard_close(y);
}

static void test_X06_X07_kill_before_and_after_the_deed_by_each_outcome_rule(void **state)
{
    static const doubt doubts[] = {
        {"step", 1, 2, 0, 0},  {"step", 2, 2, 0, 0},  {"keyed", 1, 2, 0, 0}, {"keyed", 2, 2, 0, 0},
        {"later", 1, 2, 0, 0}, {"later", 2, 2, 0, 0}, {"once", 1, 1, 0, 1},  {"once", 2, 1, 0, 1},
        {"check", 1, 2, 1, 0}, {"check", 2, 1, 1, 0},
    };
    for (size_t i = 0; i < sizeof doubts / sizeof *doubts; i++)
        kill_in_effect(state, &doubts[i]);
}

static void test_X01_kill_again_and_again_in_one_process(void **state)
{
    yard *y = *state;
    const char *id = "again";
    YARD_SERVE(y, NULL);
    api_start(y, "probe.long", id, "step once check quick keyed later step:0:0:1 step once");
    for (int round = 0; round < 4; round++) {
        yard_await_held(y, 1);
        yard_kill(y);
        YARD_SERVE(y, NULL);
    }
    yard_await_held(y, 1);
    yard_open_gate(y);
    api_expect_end(y, id, "completed");
    audit a = audit_ended(y, &id, 1);
    assert_int_equal(a.steps, 9);
    assert_int_equal(a.executions, 9 + 4); /* only the one that was never recorded was repeated */
    assert_int_equal(a.in_doubt, 0);
    yard_stop(y);
}

static void test_X13_attempts_survive_a_kill(void **state)
{
    yard *y = *state;
    const char *id = "flaky";
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", id, "step:0:2:1 once:0:1");
    yard_await_held(y, 1);
    yard_open_gate(y); /* the first attempt fails, and the second ... */
    for (double until = seconds_now() + YARD_PATIENCE_S; audit_log_count(y, id, "probe.step", "fail") == 0;)
        assert_true(seconds_now() < until);
    yard_kill(y);
    YARD_SERVE(y, NULL);
    api_expect_end(y, id, "completed");
    audit a = audit_ended(y, &id, 1); /* attempts never go back */
    assert_int_equal(a.steps, 2);
    assert_int_equal(audit_log_count(y, id, "probe.once", "begin"), 2);
    assert_int_equal(audit_log_count(y, id, "probe.step", "end"), 1);
    yard_stop(y);
}

/* ---- waiting ------------------------------------------------------------------------------------------------------
 */

static void test_W07_kill_while_suspended_on_a_signal(void **state)
{
    yard *y = *state;
    const char *id = "sig";
    YARD_SERVE(y, NULL);
    api_start(y, "probe.waiter", id, "step signal:go step");
    api_await_status(y, id, "waiting");
    yard_kill(y);
    YARD_SERVE(y, NULL);
    api_await_status(y, id, "waiting");
    assert_int_equal(api_worker_number(y, "claimed"), 0); /* nothing was due, so nothing was touched */
    assert_false(api_signal(y, id, "go", "now", "s1"));
    api_expect_end(y, id, "completed");
    assert_int_equal(audit_ended(y, &id, 1).executions, 2);
    yard_stop(y);
}

static void test_X10_kill_while_suspended_on_a_timer(void **state)
{
    yard *y = *state;
    const char *id = "timer";
    json_t *record;
    size_t i;
    json_int_t due = 0;
    json_int_t fired = 0;
    YARD_SERVE(y, NULL);
    api_start(y, "probe.waiter", id, "step sleep:1500 step sleep:10 quick");
    api_await_status(y, id, "waiting");
    yard_kill(y);
    YARD_SERVE(y, NULL);
    api_expect_end(y, id, "completed");
    json_t *journal = api_journal(y, id);
    assert_int_equal(api_records(journal, "timer", NULL), 2);
    assert_int_equal(api_records(journal, "fired", NULL), 2);
    json_array_foreach(journal, i, record)
    {
        const char *kind = json_string_value(json_object_get(record, "kind"));
        if (strcmp(kind, "timer") == 0 && due == 0)
            due = json_integer_value(json_object_get(record, "due_unix_ns"));
        if (strcmp(kind, "fired") == 0 && fired == 0)
            fired = json_integer_value(json_object_get(record, "time_unix_ns"));
    }
    assert_true(due > 0 && fired >= due); /* the recorded time, not a new one from the restart */
    assert_true(fired - due < 10 * 1000000000LL);
    json_decref(journal);
    assert_int_equal(audit_ended(y, &id, 1).executions, 3);
    yard_stop(y);
}

static void test_X10_a_timer_that_came_due_while_down(void **state)
{
    yard *y = *state;
    const char *id = "overdue";
    YARD_SERVE(y, NULL);
    api_start(y, "probe.waiter", id, "step sleep:300 step");
    api_await_status(y, id, "waiting");
    yard_kill(y);
    let_pass_ms(400);
    YARD_SERVE(y, NULL);
    api_expect_end(y, id, "completed");
    assert_int_equal(audit_ended(y, &id, 1).executions, 2);
    yard_stop(y);
}

/* ---- signals ------------------------------------------------------------------------------------------------------
 */

#define TOLD 24

static void test_I5_a_signal_answered_before_the_kill_is_not_lost(void **state)
{
    yard *y = *state;
    static char names[TOLD][16];
    const char *ids[TOLD];
    YARD_SERVE(y, NULL);
    for (size_t i = 0; i < TOLD; i++) {
        snprintf(names[i], sizeof names[i], "t%02zu", i);
        ids[i] = names[i];
        api_start(y, "probe.waiter", ids[i], "signal:go step signal:more");
    }
    for (size_t i = 0; i < TOLD; i++)
        api_await_status(y, ids[i], "waiting");
    for (size_t i = 0; i < TOLD; i++) /* the second one is not waited for yet */
        for (int n = 0; n < 2; n++)
            assert_false(api_signal(y, ids[i], n == 0 ? "more" : "go", "x", n == 0 ? "m" : "g"));
    yard_kill(y);
    YARD_SERVE(y, NULL);
    for (size_t i = 0; i < TOLD; i++) {
        api_expect_end(y, ids[i], "completed");
        assert_true(api_signal(y, ids[i], "go", "x", "g")); /* known, also now */
        json_t *journal = api_journal(y, ids[i]);
        assert_int_equal(api_records(journal, "signal", "go"), 1);
        assert_int_equal(api_records(journal, "signal", "more"), 1);
        json_decref(journal);
    }
    assert_int_equal(audit_ended(y, ids, TOLD).completed, TOLD);
    yard_stop(y);
}

static void test_I5_a_signal_while_down_is_refused_clearly(void **state)
{
    yard *y = *state;
    const char *id = "down";
    YARD_SERVE(y, NULL);
    api_start(y, "probe.waiter", id, "signal:go");
    api_await_status(y, id, "waiting");
    yard_kill(y);
    assert_true(yard_has(y, "s")); /* the socket's file is still there, and nobody behind it */
    YARD_EXPECT(y, 5, "no pawl serve listens at", "signal", id, "go", "\"lost?\"");
    assert_int_equal(api_process(y, "POST", id, "/signals", json_pack("{s:s}", "name", "go"), NULL), 0);
    YARD_SERVE(y, NULL);
    json_t *journal = api_journal(y, id);
    assert_int_equal(api_records(journal, "signal", NULL), 0); /* refused is not accepted */
    json_decref(journal);
    YARD_EXPECT(y, 0, "signal sent", "signal", id, "go", "\"kept\"");
    api_expect_end(y, id, "completed");
    yard_stop(y);
}

static void test_I5_a_signal_to_a_running_process_survives_its_kill(void **state)
{
    yard *y = *state;
    const char *id = "early";
    YARD_SERVE(y, NULL);
    api_start(y, "probe.waiter", id, "step:0:0:1 signal:go quick");
    yard_await_held(y, 1);
    assert_false(api_signal(y, id, "go", "early", "e1"));
    yard_kill(y);
    yard_open_gate(y);
    YARD_SERVE(y, NULL);
    json_t *outcome = api_outcome(y, id);
    const char *output = json_string_value(json_object_get(outcome, "output"));
    assert_non_null(output);
    assert_non_null(strstr(output, "s=early"));
    json_decref(outcome);
    yard_stop(y);
}

/* ---- cancel -------------------------------------------------------------------------------------------------------
 */

static void test_C10_C02_a_cancel_recorded_while_no_worker_runs(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, NULL);
    api_start(y, "probe.waiter", "waits", "step signal:go step");
    api_await_status(y, "waits", "waiting");
    yard_kill(y);
    YARD_SERVE(y, "--no-worker");
    api_start(y, "probe.plan", "fresh", "step once");
    YARD_EXPECT(y, 0, "cancel requested", "cancel", "waits", "--reason", "late");
    YARD_EXPECT(y, 0, "cancel requested", "cancel", "fresh", "--reason", "never mind");
    yard_kill(y);
    YARD_SERVE(y, NULL);
    api_expect_end(y, "waits", "cancelled");
    api_expect_end(y, "fresh", "cancelled");
    assert_int_equal(audit_log_count(y, "fresh", NULL, NULL), 0); /* it never did a thing */
    assert_int_equal(audit_log_count(y, "waits", NULL, "begin"), 1);
    yard_stop(y);
}

static void test_C10_a_cancel_answered_before_the_kill(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", "runs", "step:0:0:1 step");
    api_start(y, "probe.plan", "waits", "signal:go");
    yard_await_held(y, 1);
    api_await_status(y, "waits", "waiting");
    assert_int_equal(api_process(y, "POST", "waits", "/cancel", json_pack("{s:s}", "reason", "a"), NULL), 200);
    assert_int_equal(api_process(y, "POST", "runs", "/cancel", json_pack("{s:s}", "reason", "b"), NULL), 200);
    yard_kill(y);
    YARD_SERVE(y, NULL);
    api_expect_end(y, "waits", "cancelled");
    api_expect_end(y, "runs", "cancelled");
    json_t *journal = api_journal(y, "waits");
    assert_int_equal(api_records(journal, "cancel", NULL), 1);
    json_decref(journal);
    assert_int_equal(audit_log_count(y, "runs", "probe.step", "begin"), 1); /* the second step never began */
    yard_stop(y);
}

/* ---- stopping -----------------------------------------------------------------------------------------------------
 */

static void test_V01_kill_during_a_graceful_stop(void **state)
{
    yard *y = *state;
    static const char *const ids[] = {"g1", "g2", "g3"};
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", ids[0], "step step:0:0:1 once step");
    api_start(y, "probe.plan", ids[1], "check:0:0:2 step");
    api_start(y, "probe.waiter", ids[2], "step signal:go step");
    yard_await_held(y, 2);
    api_await_status(y, ids[2], "waiting");
    yard_signal(y, SIGTERM);
    for (bool stopping = false; !stopping; look_again_soon()) {
        json_t *host = NULL;
        assert_int_equal(api_call(y, "GET", "/v1/host", NULL, &host), 200);
        const char *mode = json_string_value(json_object_get(json_object_get(host, "worker"), "stopping"));
        stopping = mode != NULL && strcmp(mode, "graceful") == 0;
        json_decref(host);
    }
    assert_false(api_signal(y, ids[2], "go", "while stopping", "s1")); /* it still takes what comes from outside */
    yard_kill(y);
    yard_open_gate(y);
    YARD_SERVE(y, NULL);
    for (size_t i = 0; i < 3; i++)
        api_expect_end(y, ids[i], "completed");
    audit a = audit_ended(y, ids, 3);
    assert_int_equal(a.repeated, 1); /* g1's held step; g2's had happened, which reconcile found */
    assert_int_equal(a.asked, 1);
    yard_stop(y);
}

/* ---- poison -------------------------------------------------------------------------------------------------------
 */

#define OTHERS 12
#define DEATHS 3 /* in a row, that probe.fragile is allowed */

static json_t *row_of(const yard *y, const char *id)
{
    json_t *row = NULL;
    assert_int_equal(api_process(y, "GET", id, "", NULL, &row), 200);
    return row;
}

/* One process kills every worker that runs it. It is found out, given a pause after each death, and parked; what the
 * others record between two deaths stays recorded, so they come to their ends. */
static void test_V10_V05_I8_a_poison_process_is_found_out_and_parked(void **state)
{
    yard *y = *state;
    static char names[OTHERS][16];
    const char *ids[OTHERS];
    YARD_SERVE(y, "--no-worker");
    api_start(y, "probe.fragile", "poison", "step step:40:0:3 step");
    for (size_t i = 0; i < OTHERS; i++) {
        snprintf(names[i], sizeof names[i], "other-%zu", i);
        ids[i] = names[i];
        api_start(y, "probe.plan", ids[i],
                  i % 2 == 0 ? "step:4 step:4 check:4 later:4 step:4" : "once:6 both:8 keyed:6");
    }
    yard_stop(y);
    for (int deaths = 0; deaths < DEATHS; deaths++)
        if (yard_try_serve(y))
            assert_int_equal(yard_end(y), -SIGKILL);
    YARD_SERVE(y, NULL);
    api_await_status(y, "poison", "stuck");
    json_t *row = row_of(y, "poison");
    assert_string_equal(json_string_value(json_object_get(row, "reason_code")), "poison");
    json_decref(row);
    json_t *journal = api_journal(y, "poison");
    assert_int_equal(api_records(journal, "interrupted", "probe.step"), DEATHS);
    json_decref(journal);
    api_await_ended(y, OTHERS);
    assert_int_equal(audit_ended(y, ids, OTHERS).completed, OTHERS);
    /* Resumed, it may try as often again. */
    YARD_EXPECT(y, 0, NULL, "resume", "poison");
    assert_int_equal(yard_end(y), -SIGKILL);
    YARD_SERVE(y, "--no-worker");
    YARD_EXPECT(y, 0, "terminated", "terminate", "poison", "--reason", "it kills workers");
    yard_stop(y);
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", "after", "step");
    api_expect_end(y, "after", "completed");
    api_expect_end(y, "poison", "terminated");
    yard_stop(y);
}

/* Workers that are killed for other reasons: a process that gets on in between is not suspected. */
static void test_V05_deaths_between_which_a_process_gets_on_do_not_add_up(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, "--no-worker");
    api_start(y, "probe.fragile", "steady",
              "step:0:0:1 signal:0 step:0:0:1 signal:1 step:0:0:1 signal:2 step:0:0:1 signal:3 step");
    yard_stop(y);
    YARD_SERVE(y, NULL);
    for (int round = 0; round < DEATHS + 1; round++) {
        char name[8];
        snprintf(name, sizeof name, "%d", round);
        yard_await_held(y, 1);
        yard_kill(y);
        YARD_SERVE(y, NULL);
        yard_await_held(y, 1);
        yard_open_gate(y);
        api_await_status(y, "steady", "waiting");
        yard_shut_gate(y);
        api_signal(y, "steady", name, "1", name);
    }
    api_expect_end(y, "steady", "completed");
    yard_stop(y);
}

static void test_V04_an_owner_bound_process_ends_with_its_owner(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, "--no-worker");
    api_start(y, "probe.bound", "fresh", "step");
    yard_stop(y);
    YARD_SERVE(y, NULL);
    api_expect_end(y, "fresh", "completed"); /* it had no owner yet */
    api_start(y, "probe.bound", "bound", "quick signal:go once");
    api_await_status(y, "bound", "waiting");
    api_start(y, "probe.bound", "slept", "quick sleep:20 quick");
    api_expect_end(y, "slept", "completed"); /* put away and taken up again by its owner */
    yard_kill(y);
    YARD_SERVE(y, NULL);
    api_signal(y, "bound", "go", "1", "s1");
    json_t *outcome = api_outcome(y, "bound");
    assert_string_equal(json_string_value(json_object_get(outcome, "status")), "failed");
    assert_string_equal(json_string_value(json_object_get(outcome, "code")), "process.abandoned");
    json_decref(outcome);
    json_t *journal = api_journal(y, "bound");
    assert_int_equal(api_records(journal, "owner", NULL), 1);
    assert_int_equal(api_records(journal, "step", "probe.once"), 0);
    json_decref(journal);
    yard_stop(y);
}

/* ---- the auditor itself --------------------------------------------------------------------------------------------
 */

/* Write one more line into the log of effects, made from the format of one that is there. */
static void forge(const yard *y, const char *format, ...)
{
    char path[256];
    va_list arguments;
    yard_path(y, "effects", path);
    FILE *file = fopen(path, "ae");
    assert_non_null(file);
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    assert_int_equal(fclose(file), 0);
}

static void test_the_auditor_sees_what_may_never_be(void **state)
{
    static const struct {
        const char *line;
        const char *part;
    } forged[] = {
        {"%s/1/1 probe.step 1 begin 7-7 - 9000000000000000000\n", "executed again"},
        {"%s/1/2 probe.once 1 begin 7-8 - 1\n%s/1/2 probe.once 1 begin 7-9 - 2\n", "at_most_once"},
        {"%s/1/3 probe.check 1 end 7-7 - 1\n%s/1/3 probe.check 1 begin 7-8 - 2\n", "could tell"},
        {"%s/1/3 probe.check 1 begin 7-7 9-9 1\n", "which is not in the journal"},
        {"%s/1/1 probe.keyed 1 begin 7-7 - 1\n", "under one key"},
        {"%s/1/9 probe.step 1 begin 7-7 - 1\n", "does not know"},
    };
    yard *y = *state;
    YARD_SERVE(y, NULL);
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        char name[16];
        const char *id = name;
        snprintf(name, sizeof name, "f%zu", i);
        api_start(y, "probe.plan", id, "step once check");
        api_expect_end(y, id, "completed");
        audit_ended(y, &id, 1);
        forge(y, forged[i].line, id, id);
        audit a = audit_quietly(y, &id, 1, true);
        if (strstr(a.trouble, forged[i].part) == NULL)
            fail_msg("a forged line %zu was taken for \"%s\", wanted \"%s\"", i, a.trouble, forged[i].part);
    }
    yard_stop(y);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_auditor_sees_what_may_never_be, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_V01_L10_kill_while_many_are_claimed, open_yard, close_yard),
        cmocka_unit_test_teardown(test_X06_X07_kill_before_and_after_the_deed_by_each_outcome_rule, close_yard),
        cmocka_unit_test_setup_teardown(test_X01_kill_again_and_again_in_one_process, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_X13_attempts_survive_a_kill, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_W07_kill_while_suspended_on_a_signal, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_X10_kill_while_suspended_on_a_timer, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_X10_a_timer_that_came_due_while_down, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_I5_a_signal_answered_before_the_kill_is_not_lost, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_I5_a_signal_while_down_is_refused_clearly, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_I5_a_signal_to_a_running_process_survives_its_kill, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_C10_C02_a_cancel_recorded_while_no_worker_runs, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_C10_a_cancel_answered_before_the_kill, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_V01_kill_during_a_graceful_stop, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_V10_V05_I8_a_poison_process_is_found_out_and_parked, open_yard,
                                        close_yard),
        cmocka_unit_test_setup_teardown(test_V05_deaths_between_which_a_process_gets_on_do_not_add_up, open_yard,
                                        close_yard),
        cmocka_unit_test_setup_teardown(test_V04_an_owner_bound_process_ends_with_its_owner, open_yard, close_yard),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
