/* trace_test.c: programs and what they do, as readable traces: `<` a record is fed, `>` a run ends, between them what
 * it started. */
#include "pawl_process.h"
#include "sim.h"

#include <string.h>

static pawl_status two_calls(pawl_process *p)
{
    pawl_bytes first, second;
    PAWL_TRY(pawl_call(p, "stock.reserve", pawl_input(p), &first));
    PAWL_TRY(pawl_call(p, "bank.charge", first, &second));
    return pawl_complete(p, pawl_printf(p, "%.*s and %.*s", (int)first.size, (const char *)first.data, (int)second.size,
                                        (const char *)second.data));
}

/* The sample of the header. */
static pawl_status checkout(pawl_process *p)
{
    pawl_bytes hold, receipt;
    PAWL_TRY(pawl_call(p, "stock.reserve", pawl_input(p), &hold));
    pawl_future pay = pawl_start_call(p, "bank.charge", hold);
    pawl_future late = pawl_start_timer(p, 30 * PAWL_SECOND);
    int first;
    PAWL_TRY(pawl_await_any(p, &first, 2, pay, late));
    if (first == 1)
        return pawl_fail(p, "checkout.timeout", "the bank did not answer in 30 s");
    PAWL_TRY(pawl_result(p, pay, &receipt));
    return pawl_complete(p, receipt);
}

static pawl_status two_sleeps(pawl_process *p)
{
    PAWL_TRY(pawl_sleep(p, 10 * PAWL_SECOND));
    PAWL_TRY(pawl_call(p, "between", pawl_text(""), NULL));
    PAWL_TRY(pawl_sleep(p, 20 * PAWL_SECOND));
    return pawl_complete(p, pawl_text("slept"));
}

static pawl_status all_of_three(pawl_process *p)
{
    pawl_bytes a, b, c;
    pawl_future fa = pawl_start_call(p, "a", pawl_text("1"));
    pawl_future fb = pawl_start_call(p, "b", pawl_text("2"));
    pawl_future fc = pawl_start_call(p, "c", pawl_text("3"));
    PAWL_TRY(pawl_await_all(p, 3, fa, fb, fc));
    PAWL_TRY(pawl_result(p, fa, &a));
    PAWL_TRY(pawl_result(p, fb, &b));
    PAWL_TRY(pawl_result(p, fc, &c));
    return pawl_complete(p,
                         pawl_printf(p, "%c%c%c", *(const char *)a.data, *(const char *)b.data, *(const char *)c.data));
}

static pawl_status wait_many(pawl_process *p)
{
    pawl_future futures[50];
    for (int i = 0; i < 50; i++)
        futures[i] = pawl_start_call(p, "some.long.name.of.a.call", pawl_text(""));
    PAWL_TRY(pawl_await_all_of(p, futures, 50));
    return pawl_complete(p, pawl_text(""));
}

static pawl_status own_failure(pawl_process *p)
{
    pawl_failure failure;
    pawl_future future = pawl_start_call(p, "fragile", pawl_text("x"));
    PAWL_TRY(pawl_await(p, future));
    if (pawl_result(p, future, NULL) == PAWL_E_FAILED && pawl_result_failure(p, future, &failure) == PAWL_OK &&
        pawl_is(failure.code, "soft"))
        return pawl_complete(p, failure.message);
    if (pawl_result_failure(p, future, &failure) == PAWL_E_NOT_FOUND)
        return pawl_complete(p, pawl_text("it went well"));
    return pawl_result(p, future, NULL);
}

static pawl_status clock_reader(pawl_process *p)
{
    uint64_t first = pawl_now(p);
    PAWL_TRY(pawl_call(p, "work", pawl_text(""), NULL));
    uint64_t second = pawl_now(p);
    PAWL_TRY(pawl_call(p, "more", pawl_text(""), NULL));
    return pawl_complete(p, pawl_printf(p, "%u %u", (unsigned)first, (unsigned)second));
}

static pawl_status random_reader(pawl_process *p)
{
    char first[37], second[37], third[37];
    unsigned char bytes[20], again[20];
    pawl_uuid(p, first);
    pawl_uuid(p, second);
    pawl_random(p, bytes, sizeof bytes);
    pawl_random(p, again, sizeof again);
    PAWL_TRY(pawl_call(p, "work", pawl_printf(p, "%s%s", first, second), NULL));
    pawl_uuid(p, third);
    if (strcmp(first, second) == 0 || strcmp(second, third) == 0 || memcmp(bytes, again, sizeof bytes) == 0)
        return pawl_fail(p, "same", "two draws were equal");
    return pawl_complete(p, pawl_printf(p, "%s %s %02x%02x", first, third, bytes[0], bytes[19]));
}

static pawl_status talker(pawl_process *p)
{
    pawl_log(p, PAWL_LOG_INFO, "began with %.*s", (int)pawl_input(p).size, (const char *)pawl_input(p).data);
    PAWL_TRY(pawl_set_status(p, pawl_text("{\"at\":1}")));
    PAWL_TRY(pawl_call(p, "one", pawl_text(""), NULL));
    pawl_log_fields(p, PAWL_LOG_WARN, "one is done", pawl_text("{\"n\":1}"));
    PAWL_TRY(pawl_set_status(p, pawl_text("{\"at\":2}")));
    if (!pawl_replaying(p))
        pawl_log(p, PAWL_LOG_DEBUG, "guarded");
    PAWL_TRY(pawl_call(p, "two", pawl_text(""), NULL));
    pawl_log(p, PAWL_LOG_INFO, "two is done");
    return pawl_complete(p, pawl_text("ok"));
}

static pawl_status facts(pawl_process *p)
{
    pawl_bytes id = pawl_id(p), session = pawl_session_of(p);
    char *input = pawl_cstring(p, pawl_input(p));
    return pawl_complete(p, pawl_printf(p, "%.*s %.*s %u %s", (int)id.size, (const char *)id.data, (int)session.size,
                                        (const char *)session.data, (unsigned)pawl_run_number(p), input));
}

PAWL_PROCESSES(PAWL_TYPE("two_calls", 1, two_calls), PAWL_TYPE("checkout", 1, checkout),
               PAWL_TYPE("two_sleeps", 1, two_sleeps), PAWL_TYPE("all_of_three", 1, all_of_three),
               PAWL_TYPE("wait_many", 1, wait_many), PAWL_TYPE("own_failure", 1, own_failure),
               PAWL_TYPE("clock_reader", 1, clock_reader), PAWL_TYPE("random_reader", 1, random_reader),
               PAWL_TYPE("talker", 1, talker), PAWL_TYPE("facts", 1, facts))

static void test_calls_in_sequence(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "two_calls");
    sim_start(&sim, "cart");
    sim_run(&sim);
    sim_step(&sim, 1, "held");
    sim_run(&sim);
    sim_step(&sim, 2, "paid");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started = cart\n"
                     "  call 1 stock.reserve = cart\n"
                     "> waits: call stock.reserve\n"
                     "< 2 step 1 stock.reserve = held\n"
                     "  call 2 bank.charge = held\n"
                     "> waits: call bank.charge\n"
                     "< 3 step 2 bank.charge = paid\n"
                     "> completed held and paid\n");
    sim_close(&sim);
}

/* What the journal holds is answered, not started again. */
static void test_X01_a_recorded_step_is_not_started_again(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "two_calls");
    sim_start(&sim, "cart");
    sim_run(&sim);
    sim_step(&sim, 1, "held");
    sim_expect(&sim, "< 1 started = cart\n"
                     "  call 1 stock.reserve = cart\n"
                     "> waits: call stock.reserve\n"
                     "< 2 step 1 stock.reserve = held\n");
    sim_reload(&sim);
    sim_feed_journal(&sim);
    assert_null(pawl_activation_calls(sim.activation));
    sim_run(&sim);
    assert_null(sim_call(&sim, 1));
    sim_expect(&sim, "  call 2 bank.charge = held\n"
                     "> waits: call bank.charge\n");
    sim_close(&sim);
}

static void test_checkout_is_paid(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "checkout");
    sim_start(&sim, "cart");
    sim_run(&sim);
    sim_step(&sim, 1, "held");
    sim_run(&sim);
    sim_timer(&sim, 3);
    sim_run(&sim);
    sim_step(&sim, 2, "receipt 9");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started = cart\n"
                     "  call 1 stock.reserve = cart\n"
                     "> waits: call stock.reserve\n"
                     "< 2 step 1 stock.reserve = held\n"
                     "  call 2 bank.charge = held\n"
                     "  timer 3 30000000000 ns\n"
                     "> waits: call bank.charge, timer\n"
                     "< 3 timer 3\n"
                     "> waits: call bank.charge, timer\n"
                     "< 4 step 2 bank.charge = receipt 9\n"
                     "> completed receipt 9\n");
    sim_close(&sim);
}

/* The timer's record stands first, so it wins, also when the answer has arrived before the program looks. */
static void test_X11_checkout_is_late_even_if_the_answer_is_there_too(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "checkout");
    sim_start(&sim, "cart");
    sim_run(&sim);
    sim_step(&sim, 1, "held");
    sim_run(&sim);
    sim_timer(&sim, 3);
    sim_fired(&sim, 3);
    sim_step(&sim, 2, "receipt 9");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started = cart\n"
                     "  call 1 stock.reserve = cart\n"
                     "> waits: call stock.reserve\n"
                     "< 2 step 1 stock.reserve = held\n"
                     "  call 2 bank.charge = held\n"
                     "  timer 3 30000000000 ns\n"
                     "> waits: call bank.charge, timer\n"
                     "< 3 timer 3\n"
                     "< 4 fired 3\n"
                     "< 5 step 2 bank.charge = receipt 9\n"
                     "> failed checkout.timeout: the bank did not answer in 30 s\n");
    sim_close(&sim);
}

static void test_X10_the_second_sleep_is_not_skipped_and_the_first_not_repeated(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "two_sleeps");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_timer(&sim, 1);
    sim_fired(&sim, 1);
    sim_run(&sim);
    sim_step(&sim, 2, "");
    sim_reload(&sim);
    sim_feed_journal(&sim);
    sim_run(&sim);
    sim_timer(&sim, 3);
    sim_reload(&sim); /* while it sleeps: the recorded due time counts */
    sim_feed_journal(&sim);
    assert_int_equal(pawl_activation_timers(sim.activation)->ordinal, 3);
    assert_int_equal(pawl_activation_timers(sim.activation)->due_unix_ns, 20 * PAWL_SECOND);
    sim_run(&sim);
    sim_fired(&sim, 3);
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  timer 1 10000000000 ns\n"
                     "> waits: timer\n"
                     "< 2 timer 1\n"
                     "< 3 fired 1\n"
                     "  call 2 between = \n"
                     "> waits: call between\n"
                     "< 4 step 2 between\n"
                     "  timer 3 20000000000 ns\n"
                     "> waits: timer\n"
                     "< 5 timer 3\n"
                     "> waits: timer\n"
                     "< 6 fired 3\n"
                     "> completed slept\n");
    sim_close(&sim);
}

static void test_await_all_names_what_is_missing(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "all_of_three");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 2, "B");
    sim_run(&sim);
    sim_step(&sim, 3, "C");
    sim_step(&sim, 1, "A");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 a = 1\n"
                     "  call 2 b = 2\n"
                     "  call 3 c = 3\n"
                     "> waits: call a, call b, call c\n"
                     "< 2 step 2 b = B\n"
                     "> waits: call a, call c\n"
                     "< 3 step 3 c = C\n"
                     "< 4 step 1 a = A\n"
                     "> completed ABC\n");
    sim_close(&sim);
}

static void test_waits_are_cut_with_a_count(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "wait_many");
    sim_start(&sim, "");
    pawl_activation_run(sim.activation, 1, &sim.result);
    assert_int_equal(sim.result.kind, PAWL_RUN_SUSPENDED);
    assert_in_range(sim.result.waits.size, 200, 256);
    char text[257] = "";
    memcpy(text, sim.result.waits.data, sim.result.waits.size);
    assert_string_equal(text, "call some.long.name.of.a.call, call some.long.name.of.a.call, "
                              "call some.long.name.of.a.call, call some.long.name.of.a.call, "
                              "call some.long.name.of.a.call, call some.long.name.of.a.call, "
                              "call some.long.name.of.a.call and 43 more");
    sim_close(&sim);
}

static void test_attempts_are_in_the_open_call(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "two_calls");
    sim_start(&sim, "cart");
    sim_run(&sim);
    sim_intent(&sim, 1, 1);
    sim_attempt(&sim, 1, 1, "stock.busy", 700);
    sim_intent(&sim, 1, 2);
    sim_run(&sim);
    sim_reload(&sim);
    sim_feed_journal(&sim);
    const pawl_open_call *call = sim_call(&sim, 1);
    assert_false(call->issued);
    assert_int_equal(call->input.size, 0);
    assert_int_equal(call->intents, 2);
    assert_int_equal(call->attempts, 1);
    assert_int_equal(call->due_unix_ns, 700);
    assert_memory_equal(call->last_failure.code.data, "stock.busy", call->last_failure.code.size);
    sim_run(&sim);
    assert_true(call->issued);
    assert_int_equal(call->intents, 2);
    sim_step(&sim, 1, "held");
    assert_null(sim_call(&sim, 1));
    sim_expect(&sim, "< 1 started = cart\n"
                     "  call 1 stock.reserve = cart\n"
                     "> waits: call stock.reserve\n"
                     "< 2 intent 1 stock.reserve\n"
                     "< 3 attempt 1 stock.reserve failed stock.busy\n"
                     "< 4 intent 1 stock.reserve\n"
                     "> waits: call stock.reserve (attempt 2)\n"
                     "  call 1 stock.reserve = cart\n"
                     "> waits: call stock.reserve (attempt 2)\n"
                     "< 5 step 1 stock.reserve = held\n");
    sim_close(&sim);
}

static void test_a_failure_can_be_handled_or_passed_on(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "own_failure");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step_failed(&sim, 1, "soft", "never mind");
    sim_run(&sim);
    sim_close(&sim);
    sim_open(&sim, &pawl_processes, "own_failure");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step_failed(&sim, 1, "hard", "no way");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 fragile = x\n"
                     "> waits: call fragile\n"
                     "< 2 step 1 fragile failed hard\n"
                     "> failed hard: no way\n");
    assert_int_equal(sim.result.failure.klass, PAWL_TERMINAL);
    sim_close(&sim);
    sim_open(&sim, &pawl_processes, "own_failure");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 1, "");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 fragile = x\n"
                     "> waits: call fragile\n"
                     "< 2 step 1 fragile\n"
                     "> completed it went well\n");
    sim_close(&sim);
}

static void test_the_clock_is_recorded(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "clock_reader");
    sim_start(&sim, "");
    sim.now_unix_ns = 7;
    sim_run(&sim); /* feeds the NOW record */
    sim.now_unix_ns = 8;
    sim_run(&sim); /* reads the recorded one */
    sim_step(&sim, 2, "");
    sim_run(&sim);
    sim_reload(&sim);
    sim_feed_journal(&sim);
    sim.now_unix_ns = 9;
    sim_run(&sim);
    sim_step(&sim, 4, "");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  call 2 work = \n"
                     "> waits: call work\n"
                     "< 2 now 1\n"
                     "> waits: call work\n"
                     "< 3 step 2 work\n"
                     "  call 4 more = \n"
                     "> waits: call more\n"
                     "< 4 now 3\n"
                     "  call 4 more = \n"
                     "> waits: call more\n"
                     "< 5 step 4 more\n"
                     "> completed 7 8\n");
    sim_close(&sim);
}

/* Something else makes the program run again before the record could be written: the same time again, asked to be
 * written again. */
static void test_a_clock_reading_holds_before_its_record_is_there(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "clock_reader");
    sim_start(&sim, "");
    for (uint64_t now = 7; now < 9; now++) {
        pawl_activation_run(sim.activation, now, &sim.result);
        assert_int_equal(sim.result.local_count, 1);
        pawl_record local = sim.result.local[0];
        pawl_entry entry;
        assert_int_equal(pawl_entry_decode(&local, &entry, NULL), PAWL_OK);
        assert_int_equal(entry.kind, PAWL_RECORD_NOW);
        assert_int_equal(entry.ordinal, 1);
        assert_int_equal(entry.due_unix_ns, 7);
        sim_signal(&sim, "unrelated", "");
    }
    sim_entry(&sim, &(pawl_entry){.kind = PAWL_RECORD_NOW, .ordinal = 1, .due_unix_ns = 7});
    sim_run(&sim);
    assert_int_equal(sim.result.local_count, 0);
    sim_step(&sim, 2, "");
    sim.now_unix_ns = 9;
    sim_run(&sim);
    sim_step(&sim, 4, "");
    sim_run(&sim);
    assert_memory_equal(sim.result.output.data, "7 9", 3);
    sim_close(&sim);
}

/* A commit may have been refused: what is not known to be stored is given again. */
static void test_a_status_document_is_given_until_it_is_stored(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "talker");
    sim_start(&sim, "");
    for (int i = 0; i < 3; i++) {
        pawl_activation_run(sim.activation, 1, &sim.result);
        assert_non_null(sim.result.document);
        assert_memory_equal(sim.result.document->data, "{\"at\":1}", 8);
    }
    pawl_activation_document_stored(sim.activation);
    pawl_activation_run(sim.activation, 1, &sim.result);
    assert_null(sim.result.document);
    sim_step(&sim, 1, "");
    for (int i = 0; i < 3; i++) {
        pawl_activation_run(sim.activation, 1, &sim.result);
        assert_non_null(sim.result.document);
        assert_memory_equal(sim.result.document->data, "{\"at\":2}", 8);
    }
    sim.config.document = sim_text("{\"at\":2}"); /* loaded again by someone who knows what is stored */
    sim_reload(&sim);
    sim_feed_journal(&sim);
    pawl_activation_run(sim.activation, 1, &sim.result);
    assert_int_equal(sim.result.kind, PAWL_RUN_SUSPENDED);
    assert_null(sim.result.document);
    sim_close(&sim);
}

static void test_randomness_is_the_same_in_every_run_and_differs_between_processes(void **state)
{
    (void)state;
    char first[128] = "", other[128] = "";
    struct sim sim;
    sim_open(&sim, &pawl_processes, "random_reader");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 1, "");
    sim_reload(&sim);
    sim_feed_journal(&sim);
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_ENDED);
    assert_int_equal(sim.result.status, PAWL_COMPLETED);
    memcpy(first, sim.result.output.data, sim.result.output.size);
    /* xxxxxxxx-xxxx-4xxx-[89ab]xxx-xxxxxxxxxxxx */
    assert_int_equal(first[8], '-');
    assert_int_equal(first[14], '4');
    assert_non_null(strchr("89ab", first[19]));
    assert_int_equal(first[36], ' ');
    sim_run(&sim);
    assert_memory_equal(sim.result.output.data, first, sim.result.output.size);
    sim_close(&sim);

    sim_open(&sim, &pawl_processes, "random_reader");
    pawl_activation_destroy(sim.activation);
    sim.config.run = 2;
    assert_int_equal(pawl_activation_create(&sim.config, &sim.activation, NULL), PAWL_OK);
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 1, "");
    sim_run(&sim);
    memcpy(other, sim.result.output.data, sim.result.output.size);
    assert_string_not_equal(first, other);
    sim_close(&sim);
}

static void test_log_lines_and_status_come_once(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "talker");
    sim_start(&sim, "x");
    sim_run(&sim);
    sim_run(&sim); /* nothing new */
    sim_step(&sim, 1, "");
    sim_run(&sim);
    sim_signal(&sim, "unrelated", "");
    sim_run(&sim);
    sim_step(&sim, 2, "");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started = x\n"
                     "  log 2 began with x\n"
                     "  call 1 one = \n"
                     "  status {\"at\":1}\n"
                     "> waits: call one\n"
                     "> waits: call one\n"
                     "< 2 step 1 one\n"
                     "  log 3 one is done {\"n\":1}\n"
                     "  log 1 guarded\n"
                     "  call 2 two = \n"
                     "  status {\"at\":2}\n"
                     "> waits: call two\n"
                     "< 3 signal unrelated\n"
                     "> waits: call two\n"
                     "< 4 step 2 two\n"
                     "  log 2 two is done\n"
                     "> completed ok\n");
    sim_close(&sim);
}

/* After a load only lines since the last record may come again; the last document is told again, for the store may have
 * missed it. */
static void test_log_lines_after_a_load(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "talker");
    sim_start(&sim, "x");
    sim_step_of(&sim, 1, "one", "", "");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started = x\n"
                     "< 2 step 1 one\n"
                     "  log 3 one is done {\"n\":1}\n"
                     "  log 1 guarded\n"
                     "  call 2 two = \n"
                     "  status {\"at\":2}\n"
                     "> waits: call two\n");
    sim_close(&sim);
}

static void test_facts(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "facts");
    sim_start(&sim, "hello");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started = hello\n"
                     "> completed p1 s1 1 hello\n");
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_in_sequence),
        cmocka_unit_test(test_X01_a_recorded_step_is_not_started_again),
        cmocka_unit_test(test_checkout_is_paid),
        cmocka_unit_test(test_X11_checkout_is_late_even_if_the_answer_is_there_too),
        cmocka_unit_test(test_X10_the_second_sleep_is_not_skipped_and_the_first_not_repeated),
        cmocka_unit_test(test_await_all_names_what_is_missing),
        cmocka_unit_test(test_waits_are_cut_with_a_count),
        cmocka_unit_test(test_attempts_are_in_the_open_call),
        cmocka_unit_test(test_a_failure_can_be_handled_or_passed_on),
        cmocka_unit_test(test_the_clock_is_recorded),
        cmocka_unit_test(test_a_clock_reading_holds_before_its_record_is_there),
        cmocka_unit_test(test_a_status_document_is_given_until_it_is_stored),
        cmocka_unit_test(test_randomness_is_the_same_in_every_run_and_differs_between_processes),
        cmocka_unit_test(test_log_lines_and_status_come_once),
        cmocka_unit_test(test_log_lines_after_a_load),
        cmocka_unit_test(test_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
