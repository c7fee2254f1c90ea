/* feed_test.c: what a mirror accepts as its next record, what it refuses, what it costs. */
#include "pawl_process.h"
#include "sim.h"
#include "worker/activation/mirror.h"

#include <stdlib.h>
#include <string.h>

/* Input: how many calls, one after the other. */
static pawl_status in_sequence(pawl_process *p)
{
    int count = atoi(pawl_cstring(p, pawl_input(p)));
    for (int i = 0; i < count; i++)
        PAWL_TRY(pawl_call(p, "work.step", pawl_bytes_of(&i, sizeof i), NULL));
    return pawl_complete(p, pawl_text("all"));
}

/* Input: how many calls, all at once. */
static pawl_status fan_out(pawl_process *p)
{
    int count = atoi(pawl_cstring(p, pawl_input(p)));
    pawl_future *futures = (pawl_future *)pawl_alloc(p, (size_t)count * sizeof *futures);
    for (int i = 0; i < count; i++)
        futures[i] = pawl_start_call(p, "work.step", pawl_bytes_of(&i, sizeof i));
    PAWL_TRY(pawl_await_all_of(p, futures, (size_t)count));
    return pawl_complete(p, pawl_text("all"));
}

/* Input: how many sleeps and signals in turn. */
static pawl_status sleeper(pawl_process *p)
{
    int count = atoi(pawl_cstring(p, pawl_input(p)));
    for (int i = 0; i < count; i++) {
        pawl_future futures[2] = {pawl_wait_signal(p, "never"), pawl_start_timer(p, 1)};
        PAWL_TRY(pawl_await_any_of(p, NULL, futures, 2));
        PAWL_TRY(pawl_signal(p, "tick", NULL));
    }
    return pawl_complete(p, pawl_text("all"));
}

PAWL_PROCESSES(PAWL_TYPE("in_sequence", 1, in_sequence), PAWL_TYPE("fan_out", 1, fan_out),
               PAWL_TYPE("sleeper", 1, sleeper))

static void expect_refused(struct sim *sim, pawl_entry entry, pawl_status status, const char *words)
{
    pawl_error error;
    assert_int_equal(sim_refused(sim, &entry, &error), status);
    if (strstr(error.message, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.message, words);
}

static pawl_entry step_of(uint64_t ordinal, const char *name, int input)
{
    pawl_entry entry = {.kind = PAWL_RECORD_STEP, .ordinal = ordinal, .attempt = 1, .name = sim_text(name)};
    sim_digest((pawl_bytes){&input, sizeof input}, entry.digest);
    return entry;
}

static void test_X15_records_come_in_order(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "in_sequence");
    expect_refused(&sim, (pawl_entry){.kind = PAWL_RECORD_CANCEL}, PAWL_E_CORRUPT, "the first record must be");
    sim_start(&sim, "2");
    expect_refused(&sim, (pawl_entry){.kind = PAWL_RECORD_STARTED}, PAWL_E_CORRUPT, "only the first record starts");
    pawl_error error;
    pawl_record gap = sim.records[0];
    gap.sequence = 3;
    assert_int_equal(pawl_activation_feed(sim.activation, &gap, &error), PAWL_E_INVALID);
    assert_non_null(strstr(error.message, "record 3 was fed where record 2 comes next"));
    gap.sequence = 1;
    assert_int_equal(pawl_activation_feed(sim.activation, &gap, &error), PAWL_E_INVALID);
    assert_int_equal(pawl_activation_head(sim.activation), 1);
    assert_false(pawl_activation_ended(sim.activation));
    sim_entry(&sim, &(pawl_entry){.kind = PAWL_RECORD_ENDED, .status = PAWL_COMPLETED});
    assert_true(pawl_activation_ended(sim.activation));
    expect_refused(&sim, (pawl_entry){.kind = PAWL_RECORD_CANCEL}, PAWL_E_CORRUPT, "nothing follows");
    sim_close(&sim);
}

static void test_contradictions_are_refused_and_change_nothing(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "in_sequence");
    sim_start(&sim, "2");
    sim_run(&sim);
    expect_refused(&sim, step_of(1, "other", 0), PAWL_E_CORRUPT, "another name or input");
    expect_refused(&sim, step_of(1, "work.step", 5), PAWL_E_CORRUPT, "another name or input");
    expect_refused(&sim, step_of(0, "work.step", 0), PAWL_E_CORRUPT, "ordinals begin with 1");
    expect_refused(&sim, step_of((uint64_t)1 << 40, "work.step", 0), PAWL_E_CORRUPT, "far beyond");
    expect_refused(&sim, (pawl_entry){.kind = PAWL_RECORD_TIMER, .ordinal = 1}, PAWL_E_CORRUPT, "another kind");
    expect_refused(&sim, (pawl_entry){.kind = PAWL_RECORD_FIRED, .ordinal = 2}, PAWL_E_CORRUPT, "no timer was set");
    assert_non_null(sim_call(&sim, 1));
    sim_step(&sim, 1, "");
    expect_refused(&sim, step_of(1, "work.step", 0), PAWL_E_CORRUPT, "has ended");
    sim_entry(&sim, &(pawl_entry){.kind = PAWL_RECORD_TIMER, .ordinal = 7, .after_ns = 5, .due_unix_ns = 50});
    expect_refused(&sim, (pawl_entry){.kind = PAWL_RECORD_TIMER, .ordinal = 7, .after_ns = 5}, PAWL_E_CORRUPT,
                   "was set before");
    expect_refused(&sim, step_of(7, "work.step", 0), PAWL_E_CORRUPT, "another kind");
    sim_fired(&sim, 7);
    expect_refused(&sim, (pawl_entry){.kind = PAWL_RECORD_FIRED, .ordinal = 7}, PAWL_E_CORRUPT, "has ended");
    sim_entry(&sim, &(pawl_entry){.kind = PAWL_RECORD_NOW, .ordinal = 8, .due_unix_ns = 5});
    expect_refused(&sim, (pawl_entry){.kind = PAWL_RECORD_NOW, .ordinal = 8, .due_unix_ns = 5}, PAWL_E_CORRUPT,
                   "recorded before");
    sim_close(&sim);
}

static void test_an_unread_record_kind_or_version_is_unsupported(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "in_sequence");
    sim_start(&sim, "2");
    pawl_error error = {0};
    pawl_record record = {sizeof record, 63, 2, 0, {"\1", 1}};
    assert_int_equal(pawl_activation_feed(sim.activation, &record, &error), PAWL_E_UNSUPPORTED);
    record = (pawl_record){sizeof record, PAWL_RECORD_CANCEL, 2, 0, {"\2\0", 2}};
    assert_int_equal(pawl_activation_feed(sim.activation, &record, &error), PAWL_E_UNSUPPORTED);
    assert_int_equal(pawl_activation_head(sim.activation), 1);
    sim_close(&sim);
}

/* What the store lends is gone after the feed. */
static void test_fed_bytes_are_copied(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "in_sequence");
    sim_start(&sim, "1");
    pawl_entry entry = step_of(1, "work.step", 0);
    sim_append(&sim, &entry);
    for (size_t i = 0; i < sim.record_count; i++) {
        char *copy = malloc(sim.records[i].body.size);
        memcpy(copy, sim.records[i].body.data, sim.records[i].body.size);
        sim.records[i].body.data = copy;
    }
    sim_reload(&sim);
    sim_feed_journal(&sim);
    for (size_t i = 0; i < sim.record_count; i++) {
        memset((void *)(uintptr_t)sim.records[i].body.data, 0xee, sim.records[i].body.size);
        free((void *)(uintptr_t)sim.records[i].body.data);
    }
    sim_run(&sim);
    assert_int_equal(sim.result.status, PAWL_COMPLETED);
    sim_close(&sim);
}

/* Open calls that were known from INTENT records only, and new ones, stand in one order. */
static void test_open_calls_stay_in_order_whatever_the_order_of_their_records(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "fan_out");
    sim_start(&sim, "9");
    static const uint64_t recorded[] = {7, 2, 5};
    for (size_t i = 0; i < 3; i++) {
        pawl_entry intent = step_of(recorded[i], "work.step", (int)recorded[i] - 1);
        intent.kind = PAWL_RECORD_INTENT;
        sim_entry(&sim, &intent);
    }
    pawl_entry step = step_of(4, "work.step", 3);
    sim_entry(&sim, &step);
    uint64_t known = 0;
    for (const pawl_open_call *call = pawl_activation_calls(sim.activation); call != NULL; call = call->next)
        known = known * 10 + call->ordinal;
    assert_int_equal(known, 257);
    sim_run(&sim); /* checks the order */
    known = 0;
    for (const pawl_open_call *call = pawl_activation_calls(sim.activation); call != NULL; call = call->next)
        known = known * 10 + call->ordinal;
    assert_int_equal(known, 12356789);
    sim_close(&sim);
}

/* ---- cost ---- */

/* Journal of a finished process; the last run of it, fresh from disk. Returns the rounds of loops that it took. */
static uint64_t effort_of(const char *type, int count, size_t *ret_memory)
{
    struct sim sim;
    char input[16];
    sim_open(&sim, &pawl_processes, type);
    snprintf(input, sizeof input, "%d", count);
    sim_append(&sim, &(pawl_entry){.kind = PAWL_RECORD_STARTED, .value = sim_text(input)});
    for (int i = 0; i < count; i++) {
        if (strcmp(type, "sleeper") == 0) {
            uint64_t ordinal = (uint64_t)i + 1;
            sim_append(&sim, &(pawl_entry){.kind = PAWL_RECORD_TIMER, .ordinal = ordinal, .after_ns = 1});
            sim_append(&sim, &(pawl_entry){.kind = PAWL_RECORD_FIRED, .ordinal = ordinal});
            sim_append(&sim, &(pawl_entry){.kind = PAWL_RECORD_SIGNAL, .name = sim_text("tick")});
            continue;
        }
        /* Fan-out ends from the last to the first. */
        int which = strcmp(type, "fan_out") == 0 ? count - 1 - i : i;
        pawl_entry entry = step_of((uint64_t)which + 1, "work.step", which);
        entry.value = (pawl_bytes){"0123456789012345678901234567890123456789012345678901234567890123456789", 70};
        sim_append(&sim, &entry);
    }
    sim.config.commands_max = 10000;
    sim_reload(&sim);
    sim_feed_journal(&sim);
    pawl_activation_run(sim.activation, 1, &sim.result);
    assert_int_equal(sim.result.kind, PAWL_RUN_ENDED);
    assert_int_equal(sim.result.status, PAWL_COMPLETED);
    uint64_t effort = sim.activation->effort + sim.activation->run.host_calls;
    *ret_memory = pawl_activation_memory(sim.activation);
    sim_close(&sim);
    return effort;
}

static void test_replay_of_10000_steps_is_linear(void **state)
{
    (void)state;
    static const char *const types[] = {"in_sequence", "fan_out", "sleeper"};
    for (size_t i = 0; i < 3; i++) {
        size_t memory, memory_of_few;
        uint64_t few = effort_of(types[i], 100, &memory_of_few);
        uint64_t many = effort_of(types[i], 10000, &memory);
        assert_in_range(many, 50 * few, 110 * few);
        assert_in_range(memory, 10000, 110 * memory_of_few);
        assert_in_range(memory, 0, 10000 * 400); /* 70 bytes of result and what is needed to find it */
    }
}

/* A run over what the journal holds allocates nothing for its steps. */
static void test_a_replayed_step_needs_no_memory(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "in_sequence");
    sim_start(&sim, "1000");
    for (int i = 0; i < 999; i++) {
        pawl_entry entry = step_of((uint64_t)i + 1, "work.step", i);
        sim_append(&sim, &entry);
    }
    sim_feed_journal(&sim);
    sim_run(&sim);
    size_t used = sim.activation->arena.used;
    size_t memory = pawl_activation_memory(sim.activation);
    for (int i = 0; i < 10; i++) {
        sim_run(&sim);
        assert_int_equal(sim.result.kind, PAWL_RUN_SUSPENDED);
        assert_in_range(sim.activation->run_arena.used, 0, 64); /* the input's copy */
    }
    assert_int_equal(sim.activation->arena.used, used);
    assert_int_equal(pawl_activation_memory(sim.activation), memory);
    sim_close(&sim);
}

static void test_a_waiting_process_is_small(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "in_sequence");
    sim_start(&sim, "1");
    sim_run(&sim);
    assert_in_range(pawl_activation_memory(sim.activation), 1000, 8192);
    sim_close(&sim);
}

/* The input of a call is given back when the call ends. */
static void test_inputs_of_ended_calls_are_not_kept(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "fan_out");
    sim_start(&sim, "90");
    sim_run(&sim);
    assert_int_equal(sim.activation->input_bytes, 90 * sizeof(int));
    for (uint64_t i = 90; i > 0; i--)
        sim_step(&sim, i, "");
    assert_int_equal(sim.activation->input_bytes, 0);
    assert_null(pawl_activation_calls(sim.activation));
    sim_run(&sim);
    assert_int_equal(sim.result.status, PAWL_COMPLETED);
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_X15_records_come_in_order),
        cmocka_unit_test(test_contradictions_are_refused_and_change_nothing),
        cmocka_unit_test(test_an_unread_record_kind_or_version_is_unsupported),
        cmocka_unit_test(test_fed_bytes_are_copied),
        cmocka_unit_test(test_open_calls_stay_in_order_whatever_the_order_of_their_records),
        cmocka_unit_test(test_replay_of_10000_steps_is_linear),
        cmocka_unit_test(test_a_replayed_step_needs_no_memory),
        cmocka_unit_test(test_a_waiting_process_is_small),
        cmocka_unit_test(test_inputs_of_ended_calls_are_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
