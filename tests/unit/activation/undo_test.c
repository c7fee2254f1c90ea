/* undo_test.c: compensation: what is undone when a program fails or is cancelled, in which order, and that neither
 * depends on where the process was loaded again. */
#include "pawl_process.h"
#include "sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- programs ---- */

/* Three steps, and then it fails. */
static pawl_status saga(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "stock.reserve", pawl_text("1"), NULL));
    PAWL_TRY(pawl_on_rollback(p, "stock.release", pawl_text("1")));
    PAWL_TRY(pawl_call(p, "bank.charge", pawl_text("2"), NULL));
    PAWL_TRY(pawl_on_rollback(p, "bank.refund", pawl_text("2")));
    PAWL_TRY(pawl_call(p, "mail.send", pawl_text("3"), NULL));
    if (pawl_is(pawl_input(p), "good"))
        return pawl_complete(p, pawl_text("done"));
    return pawl_fail(p, "shop.closed", "no more today");
}

/* Three at once, each with its own compensation. */
static pawl_status together(pawl_process *p)
{
    pawl_future calls[3];
    for (int i = 0; i < 3; i++) {
        calls[i] = pawl_start_call(p, "a.do", pawl_printf(p, "%d", i));
        PAWL_TRY(pawl_on_rollback_of(p, calls[i], "a.undo", pawl_printf(p, "%d", i)));
    }
    if (pawl_is(pawl_input(p), "all"))
        PAWL_TRY(pawl_await_all_of(p, calls, 3));
    else
        PAWL_TRY(pawl_await_any_of(p, NULL, calls, 3));
    return pawl_fail(p, "bad.day", "it was all for nothing");
}

static pawl_status odd(pawl_process *p)
{
    pawl_bytes what = pawl_input(p);
    pawl_future timer = pawl_start_timer(p, 5);
    if (pawl_is(what, "timer"))
        return pawl_on_rollback_of(p, timer, "a.undo", pawl_text(""));
    if (pawl_is(what, "name"))
        return pawl_on_rollback(p, "two words", pawl_text(""));
    if (pawl_is(what, "refused"))
        return pawl_on_rollback_of(p, pawl_start_call(p, "two words", pawl_text("")), "a.undo", pawl_text(""));
    if (pawl_is(what, "large"))
        return pawl_on_rollback(p, "a.undo", pawl_bytes_of(pawl_alloc(p, 70000), 70000));
    if (pawl_is(what, "many"))
        for (int i = 0; i < 1000; i++)
            PAWL_TRY(pawl_on_rollback(p, "a.undo", pawl_text("")));
    return pawl_fail(p, "test.odd", "it went well");
}

static pawl_status changed(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "stock.reserve", pawl_text("1"), NULL));
    PAWL_TRY(pawl_on_rollback(p, "stock.release", pawl_text("other")));
    return pawl_complete(p, pawl_text(""));
}

static pawl_status better(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "stock.reserve", pawl_text("1"), NULL));
    PAWL_TRY(pawl_on_rollback(p, "stock.release", pawl_text("1")));
    PAWL_TRY(pawl_call(p, "bank.charge", pawl_text("2"), NULL));
    PAWL_TRY(pawl_on_rollback(p, "bank.refund", pawl_text("2")));
    PAWL_TRY(pawl_call(p, "mail.send", pawl_text("3"), NULL));
    if (pawl_is(pawl_input(p), "wait"))
        return pawl_sleep(p, PAWL_DAY);
    if (pawl_is(pawl_input(p), "code"))
        return pawl_fail(p, "shop.open", "another reason");
    return pawl_complete(p, pawl_text("done"));
}

/* Made of its own randomness: steps one by one and in groups, some awaited and some not, and then it fails. The input
 * of a compensation names the command that it undoes. */
static pawl_status any_saga(pawl_process *p)
{
    unsigned char draw[12];
    uint64_t ordinal = 0;
    pawl_random(p, draw, sizeof draw);
    for (size_t i = 0; i < sizeof draw - 1; i++) {
        if (draw[i] < 80) {
            ordinal++;
            pawl_future call = pawl_start_call(p, "a.do", pawl_printf(p, "%" PRIu64, ordinal));
            PAWL_TRY(pawl_await(p, call));
            if (pawl_result(p, call, NULL) == PAWL_OK) {
                PAWL_TRY(pawl_on_rollback(p, "a.undo", pawl_printf(p, "%" PRIu64, ordinal)));
                ordinal++;
            }
        } else if (draw[i] < 200) {
            pawl_future group[3];
            size_t count = 1 + draw[i] % 3u;
            for (size_t k = 0; k < count; k++) {
                group[k] = pawl_start_call(p, "b.do", pawl_printf(p, "%" PRIu64, ++ordinal));
                if (draw[i] % 5u != k) {
                    PAWL_TRY(pawl_on_rollback_of(p, group[k], "b.undo", pawl_printf(p, "%" PRIu64, ordinal)));
                    ordinal++;
                }
            }
            if (draw[i] % 2u == 0)
                PAWL_TRY(pawl_await_all_of(p, group, count));
            else
                PAWL_TRY(pawl_await_any_of(p, NULL, group, count));
        } else if (draw[i] < 220) {
            (void)pawl_now(p);
            ordinal++;
        }
    }
    return pawl_fail(p, "test.end", "as it must");
}

PAWL_PROCESSES(PAWL_TYPE("saga", 1, saga), PAWL_TYPE("together", 1, together), PAWL_TYPE("odd", 1, odd),
               PAWL_TYPE("changed", 1, changed), PAWL_TYPE("better", 1, better), PAWL_TYPE("any_saga", 1, any_saga))

/* ---- one by one ---- */

static void forget_trace(struct sim *sim)
{
    free(sim->trace);
    sim->trace = NULL;
    sim->trace_size = 0;
}

static void replace(struct sim *sim, const char *type)
{
    sim->config.type = sim_text(type);
    sim_reload(sim);
    sim_feed_journal(sim);
    sim_run(sim);
}

/* The saga up to where it has failed and its first compensation is under way. */
static void fail_saga(struct sim *sim, const char *input)
{
    static const char *const results[] = {"held", "paid", "sent"};
    sim_open(sim, &pawl_processes, "saga");
    sim_start(sim, input);
    for (unsigned i = 0; i < 3; i++) {
        sim_run(sim);
        sim_step(sim, 1 + 2 * i, results[i]);
    }
    sim_run(sim);
}

static void test_H12_what_was_done_is_undone_in_reverse_order(void **state)
{
    (void)state;
    struct sim sim;
    fail_saga(&sim, "");
    assert_true(sim.result.compensating);
    assert_int_equal(sim.result.undo_step, 1);
    assert_int_equal(sim.result.undo_count, 2);
    assert_true(pawl_activation_compensating(sim.activation));
    assert_int_equal(pawl_activation_program_ordinal(sim.activation), 5);
    sim_attempt(&sim, 6, 1, "bank.busy", 9);
    sim_run(&sim);
    sim_step(&sim, 6, "back");
    sim_run(&sim);
    sim_step(&sim, 7, "free");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 stock.reserve = 1\n"
                     "> waits: call stock.reserve\n"
                     "< 2 step 1 stock.reserve = held\n"
                     "  call 3 bank.charge = 2\n"
                     "> waits: call bank.charge\n"
                     "< 3 rollback 2 stock.release = 1\n"
                     "< 4 step 3 bank.charge = paid\n"
                     "  call 5 mail.send = 3\n"
                     "> waits: call mail.send\n"
                     "< 5 rollback 4 bank.refund = 2\n"
                     "< 6 step 5 mail.send = sent\n"
                     "  call 6 bank.refund = 2\n"
                     "> waits: undoes step 1 of 2: bank.refund\n"
                     "< 7 compensating failed shop.closed\n"
                     "< 8 attempt 6 bank.refund failed bank.busy\n"
                     "> waits: undoes step 1 of 2: bank.refund, attempt 2\n"
                     "< 9 step 6 bank.refund = back\n"
                     "  call 7 stock.release = 1\n"
                     "> waits: undoes step 2 of 2: stock.release\n"
                     "< 10 step 7 stock.release = free\n"
                     "> failed shop.closed: no more today\n");
    static const char list[] = "{\"rollback\":[{\"step\":1,\"ordinal\":6,\"effect\":\"bank.refund\",\"undone\":true},"
                               "{\"step\":2,\"ordinal\":7,\"effect\":\"stock.release\",\"undone\":true}]}";
    assert_int_equal(sim.result.failure.detail_json.size, sizeof list - 1);
    assert_memory_equal(sim.result.failure.detail_json.data, list, sizeof list - 1);
    sim_close(&sim);
}

static void test_H12_nothing_is_undone_when_it_completes(void **state)
{
    (void)state;
    struct sim sim;
    fail_saga(&sim, "good");
    assert_int_equal(sim.result.kind, PAWL_RUN_ENDED);
    assert_int_equal(sim.result.status, PAWL_COMPLETED);
    assert_false(pawl_activation_compensating(sim.activation));
    sim_close(&sim);
}

static void test_H12_a_failing_compensation_does_not_stop_the_others(void **state)
{
    (void)state;
    struct sim sim;
    fail_saga(&sim, "");
    sim_step_failed(&sim, 6, "bank.closed", "the bank is gone");
    sim_run(&sim);
    sim_step(&sim, 7, "free");
    forget_trace(&sim);
    sim_run(&sim);
    sim_expect(&sim,
               "> failed process.rollback_failed: 1 of 2 compensations failed, the first of them bank.refund with "
               "bank.closed: the bank is gone; before that the process had failed with shop.closed: no more "
               "today\n");
    static const char list[] =
        "{\"failure\":{\"status\":\"failed\",\"code\":\"shop.closed\",\"message\":\"no more today\"},\"rollback\":["
        "{\"step\":1,\"ordinal\":6,\"effect\":\"bank.refund\",\"undone\":false,\"code\":\"bank.closed\",\"message\":"
        "\"the bank is gone\"},{\"step\":2,\"ordinal\":7,\"effect\":\"stock.release\",\"undone\":true}]}";
    assert_int_equal(sim.result.failure.detail_json.size, sizeof list - 1);
    assert_memory_equal(sim.result.failure.detail_json.data, list, sizeof list - 1);
    sim_close(&sim);
}

static void test_H12_a_cancelled_process_is_undone_and_not_disturbed(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "saga");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 1, "held");
    sim_run(&sim);
    sim_cancel(&sim, "enough");
    sim_run(&sim); /* told; its call in flight is to end first */
    assert_true(sim.result.compensating);
    assert_int_equal(sim.result.undo_count, 0);
    sim_step_failed(&sim, 3, "cancelled", "stopped");
    sim_run(&sim);
    sim_cancel(&sim, "really");
    sim_run(&sim);
    sim_step(&sim, 4, "free");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 stock.reserve = 1\n"
                     "> waits: call stock.reserve\n"
                     "< 2 step 1 stock.reserve = held\n"
                     "  call 3 bank.charge = 2\n"
                     "> waits: call bank.charge\n"
                     "< 3 rollback 2 stock.release = 1\n"
                     "< 4 cancel = enough\n"
                     "> waits: waits for its calls in flight to end, then undoes what it did\n"
                     "< 5 compensating failed cancelled\n"
                     "< 6 step 3 bank.charge failed cancelled\n"
                     "  call 4 stock.release = 1\n"
                     "> waits: undoes step 1 of 1: stock.release\n"
                     "< 7 cancel = really\n"
                     "> waits: undoes step 1 of 1: stock.release\n"
                     "< 8 step 4 stock.release = free\n"
                     "> cancelled cancelled: enough\n");
    sim_close(&sim);
}

/* The end of each call is its place, not where it was started; what surely did not happen is not undone, and what
 * nobody knows about is. */
static void test_H12_calls_that_ran_at_once_are_undone_by_their_ends(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "together");
    sim_start(&sim, "all");
    sim_run(&sim);
    sim_step(&sim, 5, "third");
    sim_step_failed(&sim, 3, "a.no", "no");
    sim_step(&sim, 1, "first");
    forget_trace(&sim);
    sim_run(&sim);
    sim_step(&sim, 7, "");
    sim_run(&sim);
    sim_step(&sim, 8, "");
    sim_run(&sim);
    sim_expect(&sim, "  call 7 a.undo = 0\n"
                     "> waits: undoes step 1 of 2: a.undo\n"
                     "< 8 compensating failed bad.day\n"
                     "< 9 step 7 a.undo\n"
                     "  call 8 a.undo = 2\n"
                     "> waits: undoes step 2 of 2: a.undo\n"
                     "< 10 step 8 a.undo\n"
                     "> failed bad.day: it was all for nothing\n");
    sim_close(&sim);
}

static void test_H12_what_is_in_flight_or_in_doubt_is_undone_if_it_may_have_happened(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "together");
    sim_start(&sim, "any");
    sim_run(&sim);
    sim_step(&sim, 3, "second");
    forget_trace(&sim);
    sim_run(&sim);
    sim_step(&sim, 5, "third, in spite of all");
    sim_run(&sim);
    pawl_entry doubt = {.kind = PAWL_RECORD_STEP, .ordinal = 1, .attempt = 1, .name = sim_text("a.do"), .failed = true};
    doubt.failure = (pawl_failure){
        .struct_size = sizeof(pawl_failure), .klass = PAWL_UNKNOWN_OUTCOME, .code = sim_text("in_doubt")};
    sim_digest(sim_text("0"), doubt.digest);
    sim_entry(&sim, &doubt);
    sim_run(&sim);
    sim_expect(&sim, "> waits: waits for its calls in flight to end, then undoes what it did\n"
                     "< 6 compensating failed bad.day\n"
                     "< 7 step 5 a.do = third, in spite of all\n"
                     "> waits: waits for its calls in flight to end, then undoes what it did\n"
                     "< 8 step 1 a.do failed in_doubt\n"
                     "  call 7 a.undo = 0\n"
                     "> waits: undoes step 1 of 3: a.undo\n");
    sim_close(&sim);
}

static void test_H12_nothing_to_undo_is_an_end_like_any_other(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "together");
    sim_start(&sim, "all");
    sim_run(&sim);
    for (unsigned i = 1; i <= 5; i += 2)
        sim_step_failed(&sim, i, "a.no", "no");
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_ENDED);
    assert_int_equal(sim.result.failure.detail_json.size, 0);
    sim_close(&sim);
}

static void test_what_cannot_be_registered_says_why(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"timer", "process.bad_future"},
                                           {"name", "process.bad_name"},
                                           {"refused", "process.bad_name"},
                                           {"large", "process.input_too_large"},
                                           {"many", "process.too_many_rollbacks"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sim sim;
        sim_open(&sim, &pawl_processes, "odd");
        sim_start(&sim, cases[i][0]);
        sim_run(&sim);
        if (i + 1 == sizeof cases / sizeof *cases) { /* those that could be are undone, with their list cut */
            for (uint64_t ordinal = 102; sim.result.kind == PAWL_RUN_SUSPENDED; ordinal++) {
                sim_step(&sim, ordinal, "");
                sim_run(&sim);
            }
        }
        assert_int_equal(sim.result.kind, PAWL_RUN_ENDED);
        assert_int_equal(sim.result.failure.code.size, strlen(cases[i][1]));
        assert_memory_equal(sim.result.failure.code.data, cases[i][1], sim.result.failure.code.size);
        sim_close(&sim);
    }
}

/* ---- a changed program ---- */

static void test_another_compensation_than_the_journals_is_nondeterminism(void **state)
{
    (void)state;
    struct sim sim;
    fail_saga(&sim, "");
    forget_trace(&sim);
    replace(&sim, "changed");
    assert_int_equal(sim.result.kind, PAWL_RUN_STUCK);
    assert_non_null(strstr(sim.trace, "at command 2 the journal has compensation stock.release with input"));
    assert_non_null(strstr(sim.trace, "the program now starts compensation stock.release with input"));
    sim_close(&sim);
}

/* What it did is being undone: a program that now ends in another way, or not at all, cannot change that any more. */
static void test_another_end_than_the_journals_is_nondeterminism(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"",
         "> stuck nondeterminism: the journal has that the program failed with shop.closed and what it did is undone, "
         "the program now completes\n"},
        {"wait", "  timer 6 86400000000000 ns\n"
                 "> stuck nondeterminism: the journal has that the program failed with shop.closed and what it did is "
                 "undone, the program now waits\n"},
        {"code", "> stuck nondeterminism: the journal has that the program failed with shop.closed and what it did is "
                 "undone, the program now failed with shop.open\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sim sim;
        fail_saga(&sim, cases[i][0]);
        forget_trace(&sim);
        replace(&sim, "better");
        sim_expect(&sim, cases[i][1]);
        sim_close(&sim);
    }
}

static void test_records_that_contradict_are_damage(void **state)
{
    (void)state;
    struct sim sim;
    pawl_error error;
    fail_saga(&sim, "");
    pawl_entry entry = {.kind = PAWL_RECORD_COMPENSATING, .status = PAWL_FAILED, .failed = true};
    assert_int_equal(sim_refused(&sim, &entry, &error), PAWL_E_CORRUPT);
    entry = (pawl_entry){.kind = PAWL_RECORD_ROLLBACK, .ordinal = 2, .name = sim_text("stock.release")};
    assert_int_equal(sim_refused(&sim, &entry, &error), PAWL_E_CORRUPT);
    entry.ordinal = 1;
    assert_int_equal(sim_refused(&sim, &entry, &error), PAWL_E_CORRUPT);
    entry.ordinal = 20;
    entry.of = 20;
    assert_int_equal(sim_refused(&sim, &entry, &error), PAWL_E_CORRUPT);
    sim_close(&sim);
}

/* ---- any saga, loaded again anywhere ---- */

static uint32_t mix(uint32_t value)
{
    value ^= value >> 16;
    value *= 0x7feb352dU;
    value ^= value >> 15;
    value *= 0x846ca68bU;
    return value ^ value >> 16;
}

/* Which of the open calls ends next, and how: a function of the journal's length, so that it is the same in every way
 * to drive the process. */
static void end_one(struct sim *sim)
{
    uint32_t count = 0, draw = mix((uint32_t)sim->record_count);
    for (pawl_open_call *call = pawl_activation_calls(sim->activation); call != NULL; call = call->next)
        count++;
    assert_true(count > 0);
    pawl_open_call *call = pawl_activation_calls(sim->activation);
    for (uint32_t i = draw % count; i > 0; i--)
        call = call->next;
    if (draw % 7 == 0)
        sim_step_failed(sim, call->ordinal, "a.no", "no");
    else
        sim_step(sim, call->ordinal, "");
}

/* To its end, loaded again with a chance of 1 in `again` before each run (0: never). */
static void drive(struct sim *sim, const char *id, uint32_t again)
{
    sim_open(sim, &pawl_processes, "any_saga");
    sim->config.id = sim_text(id);
    sim_reload(sim);
    sim_start(sim, "");
    for (uint32_t i = 0; i == 0 || sim->result.kind == PAWL_RUN_SUSPENDED; i++) {
        if (again != 0 && mix(i * 31 + again) % again == 0) {
            sim_reload(sim);
            sim_feed_journal(sim);
        }
        sim_run(sim);
        assert_int_not_equal(sim->result.kind, PAWL_RUN_STUCK);
        if (sim->result.kind == PAWL_RUN_SUSPENDED)
            end_one(sim);
    }
}

static void decode(const struct sim *sim, size_t i, pawl_entry *entry)
{
    assert_int_equal(pawl_entry_decode(&sim->records[i], entry, NULL), PAWL_OK);
}

struct expected {
    uint64_t place, ordinal;
    uint8_t digest[16];
};

static int latest_first(const void *a, const void *b)
{
    const struct expected *x = a, *y = b;
    if (x->place != y->place)
        return x->place > y->place ? -1 : 1;
    return x->ordinal > y->ordinal ? -1 : 1;
}

/* Where the call that this compensation names has ended with success; 0: it has not. */
static uint64_t end_of_call(const struct sim *sim, const pawl_entry *rollback)
{
    uint64_t ordinal = strtoull((const char *)rollback->value.data, NULL, 10);
    for (size_t i = 0; i < sim->record_count; i++) {
        pawl_entry entry;
        decode(sim, i, &entry);
        if (entry.kind == PAWL_RECORD_STEP && entry.ordinal == ordinal)
            return entry.failed ? 0 : entry.sequence;
    }
    return 0;
}

/* Judged by the journal alone: after the record that says so, what was registered and happened is called once each, the
 * last to end first. */
static size_t check_undone(const struct sim *sim)
{
    struct expected expected[64];
    size_t count = 0, undone = 0;
    bool began = false;
    uint64_t last = 0;
    for (size_t i = 0; i < sim->record_count; i++) {
        pawl_entry entry;
        decode(sim, i, &entry);
        began = began || entry.kind == PAWL_RECORD_COMPENSATING;
        if (entry.kind == PAWL_RECORD_ROLLBACK && end_of_call(sim, &entry) != 0) {
            expected[count] = (struct expected){.place = end_of_call(sim, &entry), .ordinal = entry.ordinal};
            memcpy(expected[count++].digest, entry.digest, 16);
        }
    }
    qsort(expected, count, sizeof *expected, latest_first);
    for (size_t i = 0; i < sim->record_count; i++) {
        pawl_entry entry;
        decode(sim, i, &entry);
        if (entry.kind != PAWL_RECORD_STEP || memcmp((const char *)entry.name.data + 1, ".undo", 5) != 0)
            continue;
        assert_true(undone < count);
        assert_memory_equal(entry.digest, expected[undone].digest, 16);
        assert_true(entry.ordinal > last);
        last = entry.ordinal;
        undone++;
    }
    assert_int_equal(undone, count);
    assert_true(began || count == 0);
    return undone;
}

static void test_H12_any_saga_is_undone_the_same_wherever_it_is_loaded_again(void **state)
{
    (void)state;
    size_t undone = 0;
    for (unsigned seed = 0; seed < 300; seed++) {
        char id[16];
        struct sim plain, cut;
        snprintf(id, sizeof id, "p%u", seed);
        drive(&plain, id, 0);
        undone += check_undone(&plain);
        for (uint32_t again = 1; again <= 3; again++) {
            drive(&cut, id, again);
            assert_int_equal(cut.record_count, plain.record_count);
            for (size_t i = 0; i < plain.record_count; i++) {
                assert_int_equal(cut.records[i].kind, plain.records[i].kind);
                assert_int_equal(cut.records[i].body.size, plain.records[i].body.size);
                assert_memory_equal(cut.records[i].body.data, plain.records[i].body.data, plain.records[i].body.size);
            }
            assert_int_equal(cut.result.failure.detail_json.size, plain.result.failure.detail_json.size);
            assert_memory_equal(cut.result.failure.detail_json.data, plain.result.failure.detail_json.data,
                                plain.result.failure.detail_json.size);
            sim_close(&cut);
        }
        sim_close(&plain);
    }
    assert_true(undone > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_H12_what_was_done_is_undone_in_reverse_order),
        cmocka_unit_test(test_H12_nothing_is_undone_when_it_completes),
        cmocka_unit_test(test_H12_a_failing_compensation_does_not_stop_the_others),
        cmocka_unit_test(test_H12_a_cancelled_process_is_undone_and_not_disturbed),
        cmocka_unit_test(test_H12_calls_that_ran_at_once_are_undone_by_their_ends),
        cmocka_unit_test(test_H12_what_is_in_flight_or_in_doubt_is_undone_if_it_may_have_happened),
        cmocka_unit_test(test_H12_nothing_to_undo_is_an_end_like_any_other),
        cmocka_unit_test(test_what_cannot_be_registered_says_why),
        cmocka_unit_test(test_another_compensation_than_the_journals_is_nondeterminism),
        cmocka_unit_test(test_another_end_than_the_journals_is_nondeterminism),
        cmocka_unit_test(test_records_that_contradict_are_damage),
        cmocka_unit_test(test_H12_any_saga_is_undone_the_same_wherever_it_is_loaded_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
