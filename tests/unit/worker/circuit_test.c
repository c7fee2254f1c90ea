/* circuit_test.c: the circuit breaker, told in a trace: each line is what happened and how the circuit is then. */
#include "worker/effect/circuit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S  UINT64_C(1000000000)
#define MS UINT64_C(1000000)

typedef struct bench {
    pawl_circuit circuit;
    uint64_t now;
    uint64_t permit; /* of the last call that was let through */
    char trace[4096];
} bench;

static void note(bench *b, const char *what)
{
    const pawl_circuit *c = &b->circuit;
    size_t used = strlen(b->trace);
    snprintf(b->trace + used, sizeof b->trace - used, "%llu ms %s: %s %u/%u/%u\n", (unsigned long long)(b->now / MS),
             what, pawl_circuit_state_name(c->state), c->calls, c->failed, c->slow);
}

static void begin(bench *b, const pawl_circuit_config *config)
{
    *b = (bench){.now = 1000 * MS};
    assert_true(pawl_circuit_init(&b->circuit, config));
}

static bool ask(bench *b)
{
    uint64_t wait = 0;
    char what[64];
    bool let = pawl_circuit_ask(&b->circuit, b->now, &b->permit, &wait);
    if (let)
        snprintf(what, sizeof what, "asks, goes");
    else
        snprintf(what, sizeof what, "asks, waits %llu ms", (unsigned long long)(wait / MS));
    note(b, what);
    return let;
}

static void end_of(bench *b, uint64_t permit, bool failed, uint64_t took_ms)
{
    char what[64];
    snprintf(what, sizeof what, "%s after %llu ms", failed ? "failed" : "went well", (unsigned long long)took_ms);
    (void)pawl_circuit_ended(&b->circuit, b->now, permit, failed, took_ms * MS);
    note(b, what);
}

static void call(bench *b, bool failed, uint64_t took_ms)
{
    uint64_t wait;
    assert_true(pawl_circuit_ask(&b->circuit, b->now, &b->permit, &wait));
    end_of(b, b->permit, failed, took_ms);
}

static void expect(bench *b, const char *trace)
{
    assert_string_equal(b->trace, trace);
    pawl_circuit_finish(&b->circuit);
}

static const pawl_circuit_config by_count = {.window = 4,
                                             .calls_min = 2,
                                             .failure_rate = 0.5,
                                             .slow_rate = 1.0,
                                             .slow_call_ns = 100 * MS,
                                             .open_ns = 5 * S,
                                             .probes = 2};

static void test_it_opens_probes_and_closes(void **state)
{
    (void)state;
    bench b;
    begin(&b, &by_count);
    call(&b, false, 1);
    call(&b, false, 1);
    call(&b, true, 1);
    call(&b, true, 1);
    b.now += 2000 * MS;
    ask(&b);
    b.now += 3000 * MS;
    ask(&b);
    uint64_t first = b.permit;
    ask(&b);
    ask(&b);
    end_of(&b, first, false, 1);
    end_of(&b, b.permit, false, 1);
    ask(&b);
    expect(&b, "1000 ms went well after 1 ms: closed 1/0/0\n"
               "1000 ms went well after 1 ms: closed 2/0/0\n"
               "1000 ms failed after 1 ms: closed 3/1/0\n"
               "1000 ms failed after 1 ms: open 0/0/0\n"
               "3000 ms asks, waits 3000 ms: open 0/0/0\n"
               "6000 ms asks, goes: half_open 0/0/0\n"
               "6000 ms asks, goes: half_open 0/0/0\n"
               "6000 ms asks, waits 0 ms: half_open 0/0/0\n"
               "6000 ms went well after 1 ms: half_open 1/0/0\n"
               "6000 ms went well after 1 ms: closed 0/0/0\n"
               "6000 ms asks, goes: closed 0/0/0\n");
}

static void test_failing_probes_open_it_again(void **state)
{
    (void)state;
    bench b;
    char why[64];
    begin(&b, &by_count);
    call(&b, true, 1);
    call(&b, true, 1);
    pawl_circuit_explain(&b.circuit, why, sizeof why);
    assert_string_equal(why, "2 of 2 calls failed");
    b.now += 5000 * MS;
    call(&b, false, 1);
    call(&b, true, 1);
    ask(&b);
    pawl_circuit_explain(&b.circuit, why, sizeof why);
    assert_string_equal(why, "1 of 2 calls failed");
    assert_int_equal(b.circuit.transitions[PAWL_CIRCUIT_OPEN], 2);
    assert_int_equal(b.circuit.transitions[PAWL_CIRCUIT_HALF_OPEN], 1);
    expect(&b, "1000 ms failed after 1 ms: closed 1/1/0\n"
               "1000 ms failed after 1 ms: open 0/0/0\n"
               "6000 ms went well after 1 ms: half_open 1/0/0\n"
               "6000 ms failed after 1 ms: open 0/0/0\n"
               "6000 ms asks, waits 5000 ms: open 0/0/0\n");
}

static void test_slow_calls_open_it(void **state)
{
    (void)state;
    bench b;
    char why[64];
    begin(&b, &by_count);
    call(&b, false, 99);
    call(&b, false, 100);
    call(&b, false, 3000);
    call(&b, false, 100);
    call(&b, false, 200); /* the fast one has left the window */
    pawl_circuit_explain(&b.circuit, why, sizeof why);
    assert_string_equal(why, "4 of 4 calls were slow");
    expect(&b, "1000 ms went well after 99 ms: closed 1/0/0\n"
               "1000 ms went well after 100 ms: closed 2/0/1\n"
               "1000 ms went well after 3000 ms: closed 3/0/2\n"
               "1000 ms went well after 100 ms: closed 4/0/3\n"
               "1000 ms went well after 200 ms: open 0/0/0\n");
}

static void test_what_began_before_a_transition_does_not_count(void **state)
{
    (void)state;
    bench b;
    begin(&b, &by_count);
    ask(&b);
    uint64_t old = b.permit;
    call(&b, true, 1);
    call(&b, true, 1);
    b.now += 5000 * MS;
    ask(&b);
    end_of(&b, old, true, 9000);
    pawl_circuit_give_back(&b.circuit, b.permit); /* the probe was not begun: another may be */
    note(&b, "gave back");
    ask(&b);
    ask(&b);
    ask(&b);
    expect(&b, "1000 ms asks, goes: closed 0/0/0\n"
               "1000 ms failed after 1 ms: closed 1/1/0\n"
               "1000 ms failed after 1 ms: open 0/0/0\n"
               "6000 ms asks, goes: half_open 0/0/0\n"
               "6000 ms failed after 9000 ms: half_open 0/0/0\n"
               "6000 ms gave back: half_open 0/0/0\n"
               "6000 ms asks, goes: half_open 0/0/0\n"
               "6000 ms asks, goes: half_open 0/0/0\n"
               "6000 ms asks, waits 0 ms: half_open 0/0/0\n");
}

static void test_a_window_of_time_forgets(void **state)
{
    (void)state;
    bench b;
    pawl_circuit_config config = by_count;
    config.window_ns = 10 * S;
    config.calls_min = 3;
    begin(&b, &config);
    call(&b, true, 1);
    call(&b, true, 1);
    b.now += 11000 * MS;
    call(&b, true, 1);
    call(&b, false, 1);
    b.now += 1000 * MS;
    call(&b, false, 1);
    call(&b, true, 1);
    expect(&b, "1000 ms failed after 1 ms: closed 1/1/0\n"
               "1000 ms failed after 1 ms: closed 2/2/0\n"
               "12000 ms failed after 1 ms: closed 1/1/0\n"
               "12000 ms went well after 1 ms: closed 2/1/0\n"
               "13000 ms went well after 1 ms: closed 3/1/0\n"
               "13000 ms failed after 1 ms: open 0/0/0\n");
}

static void test_a_rate_of_zero_is_not_judged(void **state)
{
    (void)state;
    bench b;
    pawl_circuit_config config = by_count;
    config.failure_rate = config.slow_rate = 0;
    begin(&b, &config);
    for (int i = 0; i < 100; i++)
        call(&b, true, 5000);
    assert_int_equal(b.circuit.state, PAWL_CIRCUIT_CLOSED);
    pawl_circuit_finish(&b.circuit);
}

/* Whatever comes in whatever order: no transition but those of the header, never more probes than allowed, counts that
 * fit. */
static void test_random_calls_keep_the_invariants(void **state)
{
    (void)state;
    uint64_t permits[16] = {0};
    bool running[16] = {false};
    bench b;
    pawl_circuit_config config = by_count;
    config.window = 6;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        srand(seed);
        config.window_ns = seed % 2 == 0 ? 0 : 4 * S;
        begin(&b, &config);
        memset(running, 0, sizeof running);
        for (int i = 0; i < 5000; i++) {
            pawl_circuit_state before = b.circuit.state;
            size_t at = (size_t)rand() % 16;
            uint64_t wait;
            if (!running[at])
                running[at] = pawl_circuit_ask(&b.circuit, b.now, &permits[at], &wait);
            else if (rand() % 8 == 0)
                running[at] = (pawl_circuit_give_back(&b.circuit, permits[at]), false);
            else
                running[at] = ((void)pawl_circuit_ended(&b.circuit, b.now, permits[at], rand() % 3 == 0, MS), false);
            b.now += (uint64_t)(rand() % 300) * MS;
            pawl_circuit_state after = b.circuit.state;
            assert_false(before == PAWL_CIRCUIT_CLOSED && after == PAWL_CIRCUIT_HALF_OPEN);
            assert_false(before == PAWL_CIRCUIT_OPEN && after == PAWL_CIRCUIT_CLOSED);
            assert_true(b.circuit.probing <= b.circuit.let_through && b.circuit.let_through <= config.probes);
            assert_true(b.circuit.failed <= b.circuit.calls && b.circuit.slow <= b.circuit.calls);
        }
        assert_true(b.circuit.transitions[PAWL_CIRCUIT_CLOSED] > 0);
        pawl_circuit_finish(&b.circuit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_opens_probes_and_closes),
        cmocka_unit_test(test_failing_probes_open_it_again),
        cmocka_unit_test(test_slow_calls_open_it),
        cmocka_unit_test(test_what_began_before_a_transition_does_not_count),
        cmocka_unit_test(test_a_window_of_time_forgets),
        cmocka_unit_test(test_a_rate_of_zero_is_not_judged),
        cmocka_unit_test(test_random_calls_keep_the_invariants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
