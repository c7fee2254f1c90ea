/* program_test.c: process code in C++ and Rust: what exceptions and panics become, that objects are gone when a run
 * ends, and that a program may wait inside a catch block while others do the same on the same thread. */
#include "sample.h"
#include "sim.h"

#include <string.h>

static void open_sample(struct sim *sim, const char *type, const char *input)
{
    sim_open(sim, sample_factory(PAWL_FACTORY_PROCESS), type);
    sim_start(sim, input);
    sim_run(sim);
}

static char alive_text[32];

static pawl_status PAWL_CALL take(pawl_sink *sink, const void *data, size_t size)
{
    (void)sink;
    assert_true(size < sizeof alive_text);
    memcpy(alive_text, data, size);
    alive_text[size] = '\0';
    return PAWL_OK;
}

static const void *PAWL_CALL extension(const pawl_host_root *host, const char *id)
{
    static const pawl_core core = {.struct_size = sizeof core, .sink_write = take};
    (void)host;
    return strcmp(id, PAWL_EXT_CORE) == 0 ? &core : NULL;
}

/* How many objects of its programs are there now? */
static const char *alive(void)
{
    static const pawl_host_root host = {.struct_size = sizeof host, .get_extension = extension};
    const pawl_effect_call call = {.struct_size = sizeof call, .host = &host, .operation = pawl_bytes_of_text("alive")};
    const pawl_effect_table *table = sample_factory(PAWL_FACTORY_EFFECT);
    assert_int_equal(table->execute(&call, NULL, NULL), PAWL_OK);
    return alive_text;
}

static void expect_alive(bool kept, const char *when_kept)
{
    assert_string_equal(alive(), kept && SIM_KEEP_FROM == 0 ? when_kept : "0");
}

static void test_a_program_is_run_to_its_end(void **state)
{
    (void)state;
    struct sim sim;
    open_sample(&sim, "checkout", "cart 7");
    expect_alive(true, "1");
    sim_step(&sim, 1, "hold 7");
    sim_run(&sim);
    assert_int_equal(sim_call(&sim, 3)->attempts_max, 3);
    assert_int_equal(sim_call(&sim, 3)->deadline_ns, 60000000000u);
    sim_timer(&sim, 4);
    sim_step(&sim, 3, "receipt 7");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started = cart 7\n"
                     "  call 1 stock.reserve = cart 7\n"
                     "> waits: call stock.reserve\n"
                     "< 2 step 1 stock.reserve = hold 7\n"
                     "  call 3 bank.charge = hold 7\n"
                     "  timer 4 30000000000 ns\n"
                     "> waits: call bank.charge, timer\n"
                     "< 3 rollback 2 stock.release = hold 7\n"
                     "< 4 timer 4\n"
                     "< 5 step 3 bank.charge = receipt 7\n"
                     "> completed receipt 7\n");
    expect_alive(false, "");
    sim_close(&sim);
}

/* Dropped in the middle, as a worker does with what it gives up. */
static void test_no_object_outlives_its_run(void **state)
{
    (void)state;
    struct sim sim;
    open_sample(&sim, "mends", "7");
    sim_step_failed(&sim, 1, "try.no", "it does not work");
    sim_run(&sim);
    expect_alive(true, "1");
    sim_close(&sim);
    expect_alive(false, "");
}

/* Two of them stand in their catch blocks at once; each goes on with its own exception. */
static void test_programs_may_wait_in_catch_blocks(void **state)
{
    (void)state;
    struct sim one, two;
    open_sample(&one, "mends", "1");
    open_sample(&two, "mends", "2");
    sim_step_failed(&one, 1, "try.one", "the first does not work");
    sim_run(&one);
    sim_step_failed(&two, 1, "try.two", "the second does not work");
    sim_run(&two);
    sim_step(&one, 2, "");
    sim_run(&one);
    sim_timer(&one, 3);
    sim_fired(&one, 3);
    sim_run(&one);
    sim_step(&two, 2, "");
    sim_run(&two);
    sim_timer(&two, 3);
    sim_fired(&two, 3);
    sim_run(&two);
    sim_expect(&one, "< 1 started = 1\n"
                     "  call 1 try = 1\n"
                     "> waits: call try\n"
                     "< 2 step 1 try failed try.one\n"
                     "  call 2 undo = try.one\n"
                     "> waits: call undo\n"
                     "< 3 step 2 undo\n"
                     "  timer 3 1000000000 ns\n"
                     "> waits: timer\n"
                     "< 4 timer 3\n"
                     "< 5 fired 3\n"
                     "> failed try.one: the first does not work\n");
    sim_expect(&two, "< 1 started = 2\n"
                     "  call 1 try = 2\n"
                     "> waits: call try\n"
                     "< 2 step 1 try failed try.two\n"
                     "  call 2 undo = try.two\n"
                     "> waits: call undo\n"
                     "< 3 step 2 undo\n"
                     "  timer 3 1000000000 ns\n"
                     "> waits: timer\n"
                     "< 4 timer 3\n"
                     "< 5 fired 3\n"
                     "> failed try.two: the second does not work\n");
    expect_alive(false, "");
    sim_close(&one);
    sim_close(&two);
}

static void test_who_swallows_a_suspension_gets_no_further(void **state)
{
    (void)state;
    struct sim sim;
    open_sample(&sim, "swallows", "");
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 one = \n"
                     "> waits: call one\n");
    sim_step(&sim, 1, "");
    sim_run(&sim);
    sim_step(&sim, 2, "");
    sim_run(&sim);
    sim_step(&sim, 3, "");
    sim_run(&sim);
    sim_expect(&sim, "< 2 step 1 one\n"
                     "  call 2 one = \n"
                     "> waits: call one\n"
                     "< 3 step 2 one\n"
                     "  call 3 one = \n"
                     "> waits: call one\n"
                     "< 4 step 3 one\n"
                     "> completed swallowed\n");
    sim_close(&sim);
}

static void test_a_cancel_is_an_exception_of_its_own(void **state)
{
    (void)state;
    struct sim sim;
    open_sample(&sim, "stops", "");
    sim_cancel(&sim, "enough");
    sim_run(&sim);
    sim_step(&sim, 1, "");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "> waits: signal never (signal)\n"
                     "< 2 cancel = enough\n"
                     "  call 1 undo = enough\n"
                     "> waits: call undo\n"
                     "< 3 step 1 undo\n"
                     "> cancelled cancelled: enough\n");
    sim_close(&sim);
}

static void test_what_leaves_a_program_is_its_failure(void **state)
{
    (void)state;
    struct sim sim;
    open_sample(&sim, "throws", "");
    sim_step(&sim, 1, "");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 one = \n"
                     "> waits: call one\n"
                     "< 2 step 1 one\n"
                     "> failed " THROWN_BY_PROGRAM ": a plain exception\n");
    sim_close(&sim);
    open_sample(&sim, "number", "");
    sim_expect(&sim, "< 1 started\n"
                     "> failed " THROWN_BY_PROGRAM ": " THROWN_NUMBER "\n");
    sim_close(&sim);
}

#ifndef SAMPLE_IS_RUST /* whose programs end the host when there is no memory, as its allocator decides */
static void test_without_memory_the_process_is_parked(void **state)
{
    (void)state;
    struct sim sim;
    open_sample(&sim, "runs-out", "");
    assert_non_null(strstr(sim.trace, "> stuck "));
    sim_close(&sim);
}
#endif

static void test_sleeping_until_a_moment(void **state)
{
    (void)state;
    struct sim sim;
    open_sample(&sim, "wakes", "");
    sim_timer(&sim, 2);
    sim_fired(&sim, 2);
    sim_run(&sim);
    assert_non_null(strstr(sim.trace, "  timer 2 999995000 ns\n"));
    assert_non_null(strstr(sim.trace, "> completed woken\n"));
    sim_close(&sim);
}

static void test_a_run_goes_on_as_the_next_one(void **state)
{
    (void)state;
    struct sim sim;
    open_sample(&sim, "goes-on", "7");
    sim_expect(&sim, "< 1 started = 7\n"
                     "> continued 7+\n");
    sim_close(&sim);
}

static void test_signals_updates_and_what_else_there_is(void **state)
{
    (void)state;
    struct sim sim;
    open_sample(&sim, "waits", "");
    sim_signal(&sim, "go", "now");
    sim_run(&sim);
    pawl_entry asked = {.kind = PAWL_RECORD_UPDATE, .name = sim_text("ask"), .value = sim_text("yes")};
    asked.failure.code = sim_text("u1");
    sim_entry(&sim, &asked);
    sim_run(&sim);
    sim_step(&sim, 3, "");
    sim_step(&sim, 4, "");
    sim_run(&sim);
    assert_non_null(strstr(sim.trace, "reply 2"));
    assert_non_null(strstr(sim.trace, "> completed waited"));
    sim_close(&sim);
}

#ifndef SAMPLE_IS_RUST /* which has calls for that, but no words */
static void test_the_state_of_its_session(void **state)
{
    (void)state;
    struct sim sim;
    open_sample(&sim, "remembers", "");
    sim_step(&sim, 1, "4 7");
    sim_run(&sim);
    sim_step(&sim, 2, "5");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 pawl.session.get = count\n"
                     "> waits: call pawl.session.get\n"
                     "< 2 step 1 pawl.session.get = 4 7\n"
                     "  call 2 pawl.session.commit = 4\nput 5 1\ncount1\n\n"
                     "> waits: call pawl.session.commit\n"
                     "< 3 step 2 pawl.session.commit = 5\n"
                     "> completed 7 5\n");
    sim_close(&sim);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_program_is_run_to_its_end),
        cmocka_unit_test(test_no_object_outlives_its_run),
        cmocka_unit_test(test_programs_may_wait_in_catch_blocks),
        cmocka_unit_test(test_who_swallows_a_suspension_gets_no_further),
        cmocka_unit_test(test_a_cancel_is_an_exception_of_its_own),
        cmocka_unit_test(test_what_leaves_a_program_is_its_failure),
        cmocka_unit_test(test_sleeping_until_a_moment),
        cmocka_unit_test(test_a_run_goes_on_as_the_next_one),
        cmocka_unit_test(test_signals_updates_and_what_else_there_is),
#ifndef SAMPLE_IS_RUST
        cmocka_unit_test(test_without_memory_the_process_is_parked),
        cmocka_unit_test(test_the_state_of_its_session),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
