/* times_test.c: processes that begin later, and processes that are to have ended by a time, over each provider. */
#include "fixture.h"

#include "test_plugin.h"

#include <time.h>

#define MS UINT64_C(1000000)

static uint64_t unix_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

static void start_timed(fixture *own, const char *id, const char *type, uint64_t begins, uint64_t deadline,
                        uint32_t flags)
{
    const pawl_start start = {.struct_size = sizeof start,
                              .id = id,
                              .type = type,
                              .input = {"1", 1},
                              .flags = flags,
                              .start_unix_ns = begins,
                              .deadline_unix_ns = deadline};
    assert_ok(pawl_host_start(own->host, &start, NULL, &why_));
}

static void test_X10_a_start_may_lie_ahead_and_be_signalled_meanwhile(void **state)
{
    fixture *own = *state;
    uint64_t begins = unix_now_ns() + 300 * MS;
    start_timed(own, "p", "test.gate", begins, 0, 0);
    json_t *row = until(own, "p", "waiting");
    assert_has(text_of(row, "why"), "its start");
    json_decref(row);
    signal_it(own, "p", "go", "7");
    expect_end(own, "p", "completed", "7"); /* a signal lets it begin: there is something to do */
    start_timed(own, "q", "test.echo", begins, 0, 0);
    expect_end(own, "q", "completed", "1");
    assert_true(unix_now_ns() >= begins);
}

static void test_C02_a_start_that_lies_ahead_is_cancelled_at_once(void **state)
{
    fixture *own = *state;
    start_timed(own, "p", "test.gate", unix_now_ns() + 3600 * 1000 * MS, 0, 0);
    assert_ok(pawl_host_cancel(own->host, "p", "not wanted any more", &why_));
    expect_end(own, "p", "cancelled", "cancelled");
}

static void test_I7_a_deadline_ends_what_waits_runs_and_is_tracked(void **state)
{
    fixture *own = *state;
    uint64_t deadline = unix_now_ns() + 100 * MS;
    start_timed(own, "waits", "test.gate", 0, deadline, 0);
    start_timed(own, "calls", "test.block", 0, deadline, 0);
    start_timed(own, "tracked", "test.else", 0, deadline, PAWL_START_EXTERNAL);
    start_timed(own, "in time", "test.echo", 0, unix_now_ns() + LONG_NS, 0);
    expect_end(own, "waits", "failed", "process.deadline");
    expect_end(own, "calls", "failed", "process.deadline");
    expect_end(own, "tracked", "failed", "process.deadline");
    expect_end(own, "in time", "completed", "1");
    assert_true(unix_now_ns() >= deadline);
    json_t *row = shown(own, "waits");
    assert_int_equal(json_integer_value(json_object_get(row, "deadline_unix_ns")), deadline);
    json_decref(row);
}

static void test_R01_neither_time_is_compared(void **state)
{
    fixture *own = *state;
    pawl_started again = {0};
    start_timed(own, "p", "test.gate", unix_now_ns() + LONG_NS, unix_now_ns() + 2 * LONG_NS, 0);
    assert_ok(try_start(own, "p", "test.gate", "1", 0, &again, &why_));
    assert_int_equal(again.existed, 1);
}

static void test_R04_a_deadline_before_the_beginning_is_refused(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    const pawl_start start = {.struct_size = sizeof start,
                              .id = "p",
                              .type = "test.gate",
                              .start_unix_ns = unix_now_ns() + LONG_NS,
                              .deadline_unix_ns = unix_now_ns()};
    assert_int_equal(pawl_host_start(own->host, &start, NULL, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "invalid_deadline");
}

static void test_I7_a_type_may_have_a_deadline_by_the_profile(void **state)
{
    fixture *own = *state;
    fixture_close(own);
    own->extra = "types: { test.gate: { deadline: 50ms } }\n";
    fixture_open(own);
    start_timed(own, "p", "test.gate", 0, 0, 0);
    start_timed(own, "own", "test.gate", 0, unix_now_ns() + LONG_NS, 0);
    start_timed(own, "none", "test.gate", 0, PAWL_NO_DEADLINE, 0);
    expect_end(own, "p", "failed", "process.deadline");
    signal_it(own, "own", "go", "1");
    signal_it(own, "none", "go", "2");
    expect_end(own, "own", "completed", "1");
    expect_end(own, "none", "completed", "2");
}

static void test_I7_a_deadline_that_passes_while_no_host_is_open(void **state)
{
    fixture *own = *state;
    if (strcmp(own->provider, "memory") == 0)
        return;
    uint64_t deadline = unix_now_ns() + 50 * MS;
    start_timed(own, "p", "test.gate", 0, deadline, 0);
    fixture_close(own);
    while (unix_now_ns() < deadline) {
        const struct timespec pause = {0, 5000000};
        nanosleep(&pause, NULL);
    }
    fixture_open(own);
    expect_end(own, "p", "failed", "process.deadline");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_X10_a_start_may_lie_ahead_and_be_signalled_meanwhile),
        OVER_BOTH(test_C02_a_start_that_lies_ahead_is_cancelled_at_once),
        OVER_BOTH(test_I7_a_deadline_ends_what_waits_runs_and_is_tracked),
        OVER_BOTH(test_R01_neither_time_is_compared),
        OVER_BOTH(test_R04_a_deadline_before_the_beginning_is_refused),
        OVER_BOTH(test_I7_a_type_may_have_a_deadline_by_the_profile),
        OVER_BOTH(test_I7_a_deadline_that_passes_while_no_host_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
