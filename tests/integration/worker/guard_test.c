/* guard_test.c: what stands in front of effects, in a real worker: calls that are held back have no attempt, no thread
 * and no intent; long waits are put away and come back by themselves; an operator's gate holds and lets go. */
#include "lab.h"

#include "abi/pawl_process.h"

#include <stdio.h>

static pawl_status one_call(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), &value));
    return pawl_complete(p, value);
}

static pawl_status fan(pawl_process *p)
{
    pawl_future all[40];
    for (int i = 0; i < 40; i++)
        all[i] = pawl_start_call(p, "one", pawl_text("x"));
    PAWL_TRY(pawl_await_all_of(p, all, 40));
    return pawl_complete(p, pawl_text("done"));
}

PAWL_PROCESSES(PAWL_TYPE("one_call", 1, one_call), PAWL_TYPE("fan", 1, fan))

static lab *lab_with(const char *provider)
{
    lab *own = lab_create(provider);
    lab_add_type(own, "one_call", 1, &pawl_processes);
    lab_add_type(own, "fan", 1, &pawl_processes);
    return own;
}

static const pawl_circuit_config config = {.window = 4,
                                           .calls_min = 2,
                                           .failure_rate = 0.5,
                                           .slow_rate = 0,
                                           .slow_call_ns = 3600 * PAWL_NS_PER_SECOND,
                                           .open_ns = 600 * PAWL_NS_PER_SECOND,
                                           .probes = 1};

static void register_many(lab *own, const char *type, int from, int to)
{
    for (int i = from; i < to; i++) {
        char id[16];
        snprintf(id, sizeof id, "p%d", i);
        lab_register(own, id, type, "x");
    }
}

static pawl_guard_view view_of(lab *own, pawl_guard *guard)
{
    pawl_guard_view view;
    pawl_guard_look(guard, lab_store_mono_ns(own), &view);
    return view;
}

static pawl_circuit_state state_of(lab *own, pawl_guard *guard)
{
    return view_of(own, guard).state;
}

static const char *explained(lab_worker *w, const char *id)
{
    static char text[512];
    text[0] = '\0';
    (void)lab_explain(w, id, text, sizeof text);
    return text;
}

#define assert_has(text, part)                                                                                         \
    do {                                                                                                               \
        if (strstr((text), (part)) == NULL)                                                                            \
            fail_msg("\"%s\" does not contain \"%s\"", (text), (part));                                                \
    } while (0)

/* ---- circuits ---- */

/* Two failures open it; the third process waits without an attempt, is put away, and is the probe when it is time. */
static void test_MW_an_open_circuit_holds_calls_back_without_an_attempt(void **state)
{
    lab *own = lab_with(*state);
    pawl_guard *guard = pawl_guard_circuit("bank", &config);
    pawl_guards guards = {{guard}, 1};
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one",
                                                 .guards = &guards,
                                                 .fail_times = 2,
                                                 .klass = PAWL_UNKNOWN_OUTCOME,
                                                 .retry = {.attempts_max = 1}});
    lab_worker *w = lab_start(own, NULL);
    register_many(own, "one_call", 0, 2);
    assert_int_equal(lab_wait_end(own, "p0").status, PAWL_FAILED);
    assert_int_equal(lab_wait_end(own, "p1").status, PAWL_FAILED);
    assert_int_equal(state_of(own, guard), PAWL_CIRCUIT_OPEN);
    register_many(own, "one_call", 2, 6);
    LAB_UNTIL(own, lab_count(own, PAWL_WAITING) == 4 && lab_stats(w).resident == 0);
    lab_row row = lab_look(own, "p2");
    assert_string_equal(row.reason, "call one: circuit of bank is open (2 of 2 calls failed)");
    assert_true(row.wake_unix_ns > 0);
    assert_int_equal(lab_executions(one), 2);
    assert_string_equal(lab_journal(own, "p2"), "started");
    lab_advance(own, 700 * PAWL_NS_PER_SECOND); /* one probe goes, and when it ended well, everybody */
    for (int i = 2; i < 6; i++) {
        char id[8];
        snprintf(id, sizeof id, "p%d", i);
        assert_int_equal(lab_wait_end(own, id).status, PAWL_COMPLETED);
    }
    assert_int_equal(state_of(own, guard), PAWL_CIRCUIT_CLOSED);
    assert_int_equal(lab_executions(one), 6);
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

static void test_MW_an_open_circuit_can_fail_calls_at_once(void **state)
{
    lab *own = lab_with(*state);
    pawl_circuit_config fails = config;
    fails.fails_when_open = true;
    pawl_guard *guard = pawl_guard_circuit("bank", &fails);
    pawl_guards guards = {{guard}, 1};
    lab_effect *one =
        lab_add(own, &(lab_effect){.name = "one", .guards = &guards, .fail_times = 2, .retry = {.attempts_max = 1}});
    lab_start(own, NULL);
    register_many(own, "one_call", 0, 2);
    lab_wait_end(own, "p0");
    lab_wait_end(own, "p1");
    lab_register(own, "p2", "one_call", "x");
    lab_row row = lab_wait_end(own, "p2");
    assert_int_equal(row.status, PAWL_FAILED);
    assert_string_equal(row.code, "circuit.open");
    assert_string_equal(row.message, "circuit of bank is open (2 of 2 calls failed)");
    assert_int_equal(lab_executions(one), 2);
    assert_int_equal(view_of(own, guard).refused, 1);
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

/* A no of the other side is an answer. */
static void test_MW_terminal_failures_do_not_open_a_circuit(void **state)
{
    lab *own = lab_with(*state);
    pawl_guard *guard = pawl_guard_circuit("bank", &config);
    pawl_guards guards = {{guard}, 1};
    lab_add(own, &(lab_effect){.name = "one", .guards = &guards, .fail_times = 8, .klass = PAWL_TERMINAL});
    lab_start(own, NULL);
    register_many(own, "one_call", 0, 8);
    LAB_UNTIL(own, lab_count(own, PAWL_FAILED) == 8);
    assert_int_equal(state_of(own, guard), PAWL_CIRCUIT_CLOSED);
    assert_int_equal(view_of(own, guard).calls, 4);
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

/* An intent that was written for a call which is then held back would be taken for doubt after a crash. */
static void test_MW_I1_a_call_that_is_held_back_is_never_in_doubt(void **state)
{
    lab *own = lab_with(*state);
    pawl_guard *guard = pawl_guard_circuit("bank", &config);
    pawl_guards guards = {{guard}, 1};
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one",
                                                 .outcome = PAWL_OUTCOME_AT_MOST_ONCE,
                                                 .guards = &guards,
                                                 .fail_times = 2,
                                                 .retry = {.attempts_max = 1}});
    lab_worker *w = lab_start(own, NULL);
    register_many(own, "one_call", 0, 2);
    lab_wait_end(own, "p0");
    lab_wait_end(own, "p1");
    lab_register(own, "p2", "one_call", "x");
    LAB_UNTIL(own, lab_look(own, "p2").status == PAWL_WAITING);
    assert_int_equal(lab_records(own, "p2", PAWL_RECORD_INTENT), 0);
    lab_crash(w);
    lab_start(own, NULL);
    lab_advance(own, 700 * PAWL_NS_PER_SECOND);
    assert_string_equal(lab_wait_end(own, "p2").output, "one(x)");
    assert_int_equal(lab_executions(one), 3);
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

/* ---- rate limits ---- */

static void test_MW_a_rate_limit_spreads_calls_and_puts_long_waits_away(void **state)
{
    lab *own = lab_with(*state);
    pawl_guard *guard = pawl_guard_rate("bank", pawl_rate_make(1, 600 * PAWL_NS_PER_SECOND, 2));
    pawl_guards guards = {{guard}, 1};
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .guards = &guards});
    lab_worker *w = lab_start(own, NULL);
    register_many(own, "one_call", 0, 5);
    LAB_UNTIL(own, lab_count(own, PAWL_COMPLETED) == 2 && lab_count(own, PAWL_WAITING) == 3);
    LAB_UNTIL(own, lab_stats(w).resident == 0);
    for (uint64_t done = 3; done <= 5; done++) {
        lab_advance(own, 700 * PAWL_NS_PER_SECOND);
        LAB_UNTIL(own, lab_count(own, PAWL_COMPLETED) == done);
    }
    assert_int_equal(lab_executions(one), 5);
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

static void test_MW_a_short_wait_for_a_token_stays_in_memory(void **state)
{
    lab *own = lab_with(*state);
    pawl_guard *guard = pawl_guard_rate("bank", pawl_rate_make(100, PAWL_NS_PER_SECOND, 1));
    pawl_guards guards = {{guard}, 1};
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .guards = &guards});
    lab_worker *w = lab_start(own, NULL);
    uint64_t before = lab_store_unix_ns(own);
    lab_register(own, "f", "fan", "x");
    assert_string_equal(lab_wait_end(own, "f").output, "done");
    assert_int_equal(lab_executions(one), 40);
    assert_int_equal(lab_stats(w).claimed, 1);
    uint64_t last = lab_execution_of(one, 39).begin_unix_ns; /* 39 intervals of 10 ms; clocks may step a little */
    assert_true(last - before >= 380 * PAWL_NS_PER_MS);
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

/* ---- places ---- */

static void test_MW_calls_beyond_the_places_wait_in_a_line_without_a_thread(void **state)
{
    lab *own = lab_with(*state);
    pawl_guard *guard = pawl_guard_places("bank", 2);
    pawl_guards guards = {{guard}, 1};
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .guards = &guards, .held = true});
    lab_worker *w = lab_start(own, &(lab_settings){.effect_threads = 3});
    lab_register(own, "f", "fan", "x");
    lab_wait_running(one, 2);
    LAB_UNTIL(own, view_of(own, guard).waiting == 38);
    assert_int_equal(lab_stats(w).effects_queued, 0);
    lab_register(own, "p", "one_call", "x");
    LAB_UNTIL(own, view_of(own, guard).waiting == 39);
    LAB_UNTIL(own, strstr(explained(w, "p"), "all 2 places of bank are taken") != NULL);
    lab_let_go(one);
    assert_string_equal(lab_wait_end(own, "f").output, "done");
    assert_string_equal(lab_wait_end(own, "p").output, "one(x)");
    assert_int_equal(one->running_peak, 2);
    assert_int_equal(view_of(own, guard).taken, 0);
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

/* Whoever goes, ends, is cancelled or dies while it waits leaves no place taken. */
static void test_MW_a_place_is_never_lost(void **state)
{
    lab *own = lab_with(*state);
    pawl_guard *places = pawl_guard_places("bank", 2);
    pawl_guard *rate = pawl_guard_rate("bank", pawl_rate_make(1000, PAWL_NS_PER_SECOND, 5));
    pawl_guard *circuit = pawl_guard_circuit("bank", &config);
    pawl_guards guards = {{rate, places, circuit}, 3};
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .guards = &guards, .held = true});
    lab_worker *w = lab_start(own, NULL);
    lab_register(own, "f", "fan", "x");
    register_many(own, "one_call", 0, 20);
    lab_wait_running(one, 2);
    for (int i = 0; i < 20; i += 2) {
        char id[8];
        snprintf(id, sizeof id, "p%d", i);
        lab_cancel(own, id, "enough");
    }
    lab_terminate(own, "f");
    lab_let_go(one);
    for (int i = 0; i < 20; i++) {
        char id[8];
        snprintf(id, sizeof id, "p%d", i);
        lab_wait_end(own, id);
    }
    LAB_UNTIL(own, view_of(own, places).taken == 0 && view_of(own, places).waiting == 0);
    LAB_UNTIL(own, lab_stats(w).resident == 0);
    lab_register(own, "q", "one_call", "x");
    assert_string_equal(lab_wait_end(own, "q").output, "one(x)");
    lab_destroy(own);
    pawl_guard_destroy(places);
    pawl_guard_destroy(rate);
    pawl_guard_destroy(circuit);
}

/* ---- an operator's gate ---- */

static void test_MW_a_paused_connector_holds_its_calls_until_it_is_resumed(void **state)
{
    lab *own = lab_with(*state);
    pawl_gate gate = {.name = "bank"};
    atomic_init(&gate.paused, true);
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .gate = &gate});
    lab_worker *w = lab_start(own, NULL);
    lab_register(own, "p", "one_call", "x");
    LAB_UNTIL(own, strstr(explained(w, "p"), "connector bank is paused by an operator") != NULL);
    assert_has(explained(w, "p"), "waits for call one");
    assert_int_equal(lab_executions(one), 0);
    atomic_store(&gate.paused, false);
    lab_look_again(w);
    assert_string_equal(lab_wait_end(own, "p").output, "one(x)");
    lab_destroy(own);
}

#define OVER_BOTH(test)                                                                                                \
    {#test "/memory", test, NULL, NULL, (void *)"memory"},                                                             \
    {                                                                                                                  \
#test "/rocksdb", test, NULL, NULL, (void *)"rocksdb"                                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_MW_an_open_circuit_holds_calls_back_without_an_attempt),
        OVER_BOTH(test_MW_an_open_circuit_can_fail_calls_at_once),
        OVER_BOTH(test_MW_terminal_failures_do_not_open_a_circuit),
        OVER_BOTH(test_MW_I1_a_call_that_is_held_back_is_never_in_doubt),
        OVER_BOTH(test_MW_a_rate_limit_spreads_calls_and_puts_long_waits_away),
        OVER_BOTH(test_MW_a_short_wait_for_a_token_stays_in_memory),
        OVER_BOTH(test_MW_calls_beyond_the_places_wait_in_a_line_without_a_thread),
        OVER_BOTH(test_MW_a_place_is_never_lost),
        OVER_BOTH(test_MW_a_paused_connector_holds_its_calls_until_it_is_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
