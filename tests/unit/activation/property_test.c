/* property_test.c: what a process does depends on its journal and on nothing else: not on when it was run over which
 * part of it. Exhaustively for a small race, then for many random programs and journals. PAWL_TEST_SEED (a number)
 * chooses other random ones; a failure names the seed. */
#include "pawl_process.h"
#include "sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- the race: all orders of four events, all choices of when to run ---- */

/* Says in which order things came: c(all), t(imer), s(ignal), X when told of the cancel. */
static pawl_status race(pawl_process *p)
{
    pawl_future futures[3] = {pawl_start_call(p, "c", pawl_text("")), pawl_start_timer(p, 1), pawl_wait_signal(p, "s")};
    char letters[] = "cts", order[8] = "";
    for (size_t left = 3; left > 0;) {
        int first = 0;
        pawl_status status = pawl_await_any_of(p, &first, futures, left);
        if (status == PAWL_E_CANCELLED) {
            strcat(order, "X");
            continue;
        }
        PAWL_TRY(status);
        strncat(order, &letters[first], 1);
        left--;
        memmove(&letters[first], &letters[first + 1], 3 - (size_t)first);
        memmove(&futures[first], &futures[first + 1], (2 - (size_t)first) * sizeof *futures);
    }
    return pawl_complete(p, pawl_printf(p, "%s", order));
}

static pawl_status together(pawl_process *p)
{
    pawl_future futures[3] = {pawl_start_call(p, "c", pawl_text("")), pawl_start_timer(p, 1), pawl_wait_signal(p, "s")};
    pawl_status status = pawl_await_all_of(p, futures, 3);
    const char *told = status == PAWL_E_CANCELLED ? "X" : "";
    if (status == PAWL_E_CANCELLED)
        status = pawl_await_all_of(p, futures, 3);
    PAWL_TRY(status);
    return pawl_complete(p, pawl_printf(p, "%sall", told));
}

static void happen(struct sim *sim, char what)
{
    switch (what) {
    case 'c':
        sim_step_of(sim, 1, "c", "", "");
        break;
    case 't':
        sim_fired(sim, 2);
        break;
    case 's':
        sim_signal(sim, "s", "");
        break;
    default:
        sim_cancel(sim, "");
    }
}

/* runs: bit i: run after the i-th record. */
static void race_once(const pawl_process_table *table, const char *type, const char *order, unsigned runs,
                      const char *expected)
{
    struct sim sim;
    sim_open(&sim, table, type);
    sim_start(&sim, "");
    if (runs & 1)
        sim_run(&sim);
    sim_entry(&sim, &(pawl_entry){.kind = PAWL_RECORD_TIMER, .ordinal = 2, .after_ns = 1, .due_unix_ns = 1});
    for (size_t i = 0; i < strlen(order); i++) {
        happen(&sim, order[i]);
        if (runs & (2u << i))
            sim_run(&sim);
    }
    sim_run(&sim);
    if (sim.result.kind != PAWL_RUN_ENDED || sim.result.status != PAWL_COMPLETED ||
        sim.result.output.size != strlen(expected) || memcmp(sim.result.output.data, expected, strlen(expected)) != 0)
        fail_msg("order %s, runs %x: expected %s\n%s", order, runs, expected, sim.trace);
    sim_close(&sim);
}

static void for_every_order(void (*check)(const char *order, unsigned runs))
{
    static const char letters[] = "ctsX";
    for (unsigned code = 0; code < 256; code++) {
        char order[5] = {letters[code & 3], letters[code >> 2 & 3], letters[code >> 4 & 3], letters[code >> 6], 0};
        bool each = strchr(order, 'c') && strchr(order, 't') && strchr(order, 's') && strchr(order, 'X');
        for (unsigned runs = 0; each && runs < 32; runs++)
            check(order, runs);
    }
}

static pawl_status race_activate(pawl_process *p, pawl_bytes type, uint32_t revision)
{
    static const pawl_process_type types[] = {PAWL_TYPE("race", 1, race), PAWL_TYPE("together", 1, together)};
    return pawl_dispatch(p, type, revision, types, 2);
}
PAWL_PROCESS_TABLE(race_table, race_activate);

static void check_any(const char *order, unsigned runs)
{
    char expected[5];
    strcpy(expected, order);
    if (order[3] == 'X') /* everything was there before: the program has no await left to be told by */
        expected[3] = '\0';
    race_once(&race_table, "race", order, runs, expected);
}

static void check_all(const char *order, unsigned runs)
{
    race_once(&race_table, "together", order, runs, order[3] == 'X' ? "all" : "Xall");
}

static void test_X11_any_follows_the_order_of_records_in_all_orders(void **state)
{
    (void)state;
    for_every_order(check_any);
}

static void test_X11_all_is_the_same_in_all_orders(void **state)
{
    (void)state;
    for_every_order(check_all);
}

/* ---- random programs ---- */

#define FUTURES_MAX 24

static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* What the program knows; each command's input depends on it, so that any difference shows as nondeterminism. */
struct knowledge {
    uint64_t hash;
    pawl_future futures[FUTURES_MAX];
    size_t count;
};

static void learn(struct knowledge *known, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        known->hash = (known->hash ^ bytes[i]) * 1099511628211u;
}

static void learn_number(struct knowledge *known, uint64_t number)
{
    learn(known, &number, sizeof number);
}

static pawl_status await_some(pawl_process *p, struct knowledge *known, unsigned char order)
{
    pawl_future chosen[FUTURES_MAX];
    size_t count = 0;
    int first = -1;
    for (size_t i = 0; i < known->count; i++)
        if ((order >> (i % 5) & 1) || i + 1 == known->count)
            chosen[count++] = known->futures[i];
    pawl_status status =
        order & 0x80 ? pawl_await_any_of(p, &first, chosen, count) : pawl_await_all_of(p, chosen, count);
    if (status == PAWL_SUSPEND)
        return status;
    learn_number(known, (uint64_t)(uint32_t)status);
    learn_number(known, (uint64_t)first);
    return PAWL_OK;
}

static void look_at(pawl_process *p, struct knowledge *known, pawl_future future)
{
    pawl_bytes value = {0};
    pawl_failure failure;
    learn_number(known, (uint64_t)(uint32_t)pawl_result(p, future, &value));
    learn(known, value.data, value.size);
    if (pawl_result_failure(p, future, &failure) == PAWL_OK)
        learn(known, failure.code.data, failure.code.size);
}

static pawl_status obey(pawl_process *p, struct knowledge *known, unsigned char order)
{
    static const char *const names[] = {"a.x", "b.y", "a.z"};
    if (known->count < FUTURES_MAX) {
        switch (order % 8) {
        case 0:
        case 1:
            known->futures[known->count++] =
                pawl_start_call(p, names[order / 8 % 3], pawl_bytes_of(&known->hash, sizeof known->hash));
            return PAWL_OK;
        case 2:
            known->futures[known->count++] = pawl_start_timer(p, 1 + known->hash % 1000);
            return PAWL_OK;
        case 3:
            known->futures[known->count++] = pawl_wait_signal(p, order & 0x10 ? "x" : "y");
            return PAWL_OK;
        default:
            break;
        }
    }
    if (order % 8 == 4) {
        learn_number(known, pawl_now(p));
        pawl_random(p, &order, 1);
        learn_number(known, order);
    } else if (order % 8 == 5 && known->count > 0) {
        look_at(p, known, known->futures[order / 8 % known->count]);
    } else if (known->count > 0) {
        return await_some(p, known, order);
    }
    learn(known, pawl_cancel_reason(p).data, pawl_cancel_reason(p).size);
    return PAWL_OK;
}

/* The input is the program: one order a byte. */
static pawl_status interpret(pawl_process *p)
{
    struct knowledge known = {.hash = 14695981039346656037u};
    pawl_bytes orders = pawl_input(p);
    for (size_t i = 0; i < orders.size; i++)
        PAWL_TRY(obey(p, &known, ((const unsigned char *)orders.data)[i]));
    pawl_bytes output = pawl_printf(p, "%016" PRIx64, known.hash);
    return known.hash % 4 == 0 ? pawl_failf(p, "odd", "%016" PRIx64, known.hash) : pawl_complete(p, output);
}

static pawl_status interpret_activate(pawl_process *p, pawl_bytes type, uint32_t revision)
{
    (void)type;
    (void)revision;
    return pawl_run_program(p, interpret);
}
PAWL_PROCESS_TABLE(interpret_table, interpret_activate);

static void record_step(struct sim *sim, uint64_t *seed, const pawl_open_call *call)
{
    uint64_t value = mix(seed);
    pawl_entry entry = {.kind = PAWL_RECORD_STEP, .ordinal = call->ordinal, .attempt = 1, .name = call->name};
    memcpy(entry.digest, call->digest, sizeof entry.digest);
    entry.value = (pawl_bytes){&value, value % 9};
    if (value % 5 == 0) {
        entry.failed = true;
        entry.failure = (pawl_failure){.klass = PAWL_TERMINAL, .code = {"bad", value % 4}};
    } else if (value % 5 == 1) { /* not the end yet */
        entry.kind = value & 64 ? PAWL_RECORD_INTENT : PAWL_RECORD_ATTEMPT;
    }
    sim_append(sim, &entry);
    sim_feed_journal(sim);
}

static bool record_timer(struct sim *sim, uint64_t *seed, const pawl_open_timer *timer)
{
    pawl_entry entry = {.kind = timer->recorded ? PAWL_RECORD_FIRED : PAWL_RECORD_TIMER,
                        .ordinal = timer->ordinal,
                        .after_ns = timer->after_ns,
                        .due_unix_ns = mix(seed) % 1000};
    sim_append(sim, &entry);
    sim_feed_journal(sim);
    return true;
}

/* One more record, of something that may happen now. */
static void happen_at_random(struct sim *sim, uint64_t *seed)
{
    uint64_t dice = mix(seed) % 16;
    size_t calls = 0, timers = 0;
    for (const pawl_open_call *call = pawl_activation_calls(sim->activation); call != NULL; call = call->next)
        calls++;
    for (const pawl_open_timer *timer = pawl_activation_timers(sim->activation); timer != NULL; timer = timer->next)
        timers++;
    if (dice < 8 && calls > 0) {
        const pawl_open_call *call = pawl_activation_calls(sim->activation);
        for (uint64_t skip = mix(seed) % calls; skip > 0; skip--)
            call = call->next;
        record_step(sim, seed, call);
    } else if (dice < 13 && timers > 0) {
        const pawl_open_timer *timer = pawl_activation_timers(sim->activation);
        for (uint64_t skip = mix(seed) % timers; skip > 0; skip--)
            timer = timer->next;
        record_timer(sim, seed, timer);
    } else {
        uint64_t payload = mix(seed);
        pawl_entry entry = {
            .kind = PAWL_RECORD_SIGNAL, .name = sim_text(dice & 1 ? "x" : "y"), .value = {&payload, payload % 8}};
        if (dice == 15)
            entry = (pawl_entry){.kind = PAWL_RECORD_CANCEL, .value = sim_text("stop")};
        sim_append(sim, &entry);
        sim_feed_journal(sim);
    }
}

/* What came of it, in words. */
static void summarise(struct sim *sim, char *text, size_t size)
{
    const pawl_run_result *result = &sim->result;
    int used = snprintf(text, size, "kind %u status %u output %.*s failure %.*s/%.*s stuck %.*s waits %.*s;",
                        (unsigned)result->kind, (unsigned)result->status, (int)result->output.size,
                        (const char *)result->output.data, (int)result->failure.code.size,
                        (const char *)result->failure.code.data, (int)result->failure.message.size,
                        (const char *)result->failure.message.data, (int)result->reason.size,
                        (const char *)result->reason.data, (int)result->waits.size, (const char *)result->waits.data);
    for (const pawl_open_call *call = pawl_activation_calls(sim->activation); call != NULL; call = call->next)
        if ((size_t)used < size)
            used += snprintf(text + used, size - (size_t)used, " c%" PRIu64 ":%.*s:%02x%02x", call->ordinal,
                             (int)call->name.size, (const char *)call->name.data, call->digest[0], call->digest[1]);
    for (const pawl_open_timer *timer = pawl_activation_timers(sim->activation); timer != NULL; timer = timer->next)
        if ((size_t)used < size)
            used +=
                snprintf(text + used, size - (size_t)used, " t%" PRIu64 ":%" PRIu64, timer->ordinal, timer->after_ns);
}

/* Feed the journal to a fresh mirror, running after a record when the dice say so (every: after each). */
static void replay(struct sim *sim, uint64_t seed, uint64_t every, char *text, size_t size)
{
    sim_reload(sim);
    for (size_t i = 0; i < sim->record_count; i++) {
        pawl_error error = {0};
        if (pawl_activation_feed(sim->activation, &sim->records[i], &error) != PAWL_OK)
            fail_msg("record %zu: %s", i + 1, error.message);
        if (i + 1 == sim->record_count || mix(&seed) % every == 0)
            pawl_activation_run(sim->activation, sim->now_unix_ns, &sim->result);
        assert_true(i == 0 || sim->result.kind != PAWL_RUN_STUCK);
    }
    summarise(sim, text, size);
}

/* Live a random process; returns true when it ended. */
static bool live(struct sim *sim, uint64_t *seed)
{
    unsigned char orders[40];
    size_t size = 3 + mix(seed) % (sizeof orders - 3);
    for (size_t i = 0; i < size; i++)
        orders[i] = (unsigned char)mix(seed);
    sim_open(sim, &interpret_table, "random");
    sim_start_bytes(sim, (pawl_bytes){orders, size});
    for (int round = 0; round < 200; round++) {
        sim_run(sim);
        if (sim->result.kind != PAWL_RUN_SUSPENDED)
            return sim->result.kind == PAWL_RUN_ENDED;
        for (uint64_t i = mix(seed) % 4; i < 4; i++)
            happen_at_random(sim, seed);
    }
    return false;
}

static void test_results_do_not_depend_on_when_runs_happen(void **state)
{
    (void)state;
    const char *chosen = getenv("PAWL_TEST_SEED");
    uint64_t base = chosen == NULL ? 1 : strtoull(chosen, NULL, 10);
    size_t ended = 0, steps = 0;
    for (uint64_t number = base; number < base + 3000; number++) {
        static const uint64_t rhythms[] = {1, 2, 5, UINT64_MAX};
        char lived[4096], replayed[4096];
        uint64_t seed = number;
        struct sim sim;
        ended += live(&sim, &seed);
        steps += sim.record_count;
        /* The NOW records of the last run are in the journal since; the same program stands at the same place. */
        summarise(&sim, lived, sizeof lived);
        for (size_t i = 0; i < sizeof rhythms / sizeof *rhythms; i++) {
            replay(&sim, seed, rhythms[i], replayed, sizeof replayed);
            if (strcmp(lived, replayed) != 0)
                fail_msg("seed %" PRIu64 ", rhythm %" PRIu64 ":\nlived    %s\nreplayed %s\n%s", number, rhythms[i],
                         lived, replayed, sim.trace);
        }
        if (strstr(lived, "kind 3") != NULL)
            fail_msg("seed %" PRIu64 ": %s\n%s", number, lived, sim.trace);
        sim_close(&sim);
    }
    assert_in_range(ended, 1500, 3000); /* the programs do get somewhere */
    assert_in_range(steps, 20000, 10000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_X11_any_follows_the_order_of_records_in_all_orders),
        cmocka_unit_test(test_X11_all_is_the_same_in_all_orders),
        cmocka_unit_test(test_results_do_not_depend_on_when_runs_happen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
