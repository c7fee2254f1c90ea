/* nondeterminism_test.c: a program that does not do what its journal says is stopped at the first difference, and the
 * reason names the place, what was expected and what was found. */
#include "pawl_process.h"
#include "sim.h"

#include <stdlib.h>
#include <string.h>

/* A program made of its input: each letter is a command, so that "the code was changed" is another letter. The
 * revision is told apart by the type name: old_... reads the first half of the input (up to '|'), new_... the second.
 */
static pawl_status obey(pawl_process *p, const char *orders)
{
    for (; *orders != '\0' && *orders != '|'; orders++) {
        switch (*orders) {
        case 'a':
            PAWL_TRY(pawl_call(p, "bank.charge", pawl_text("10"), NULL));
            break;
        case 'A':
            PAWL_TRY(pawl_call(p, "bank.charge", pawl_text("11"), NULL));
            break;
        case 'b':
            PAWL_TRY(pawl_call(p, "mail.send", pawl_text("10"), NULL));
            break;
        case 't':
            PAWL_TRY(pawl_sleep(p, 30 * PAWL_SECOND));
            break;
        case 'T':
            PAWL_TRY(pawl_sleep(p, 1500 * PAWL_MILLISECOND));
            break;
        case 'n':
            (void)pawl_now(p);
            break;
        case 's':
            PAWL_TRY(pawl_signal(p, "go", NULL));
            break;
        case 'f':
            return pawl_fail(p, "order", "ordered to fail");
        case 'i': /* ignores every status */
            (void)pawl_call(p, "mail.send", pawl_text("12"), NULL);
            (void)pawl_sleep(p, 1);
            (void)pawl_now(p);
            return pawl_complete(p, pawl_text("ignored"));
        default:
            return PAWL_E_INVALID;
        }
    }
    return pawl_complete(p, pawl_text("done"));
}

static pawl_status old_code(pawl_process *p)
{
    return obey(p, pawl_cstring(p, pawl_input(p)));
}

static pawl_status new_code(pawl_process *p)
{
    return obey(p, strchr(pawl_cstring(p, pawl_input(p)), '|') + 1);
}

PAWL_PROCESSES(PAWL_TYPE("old", 1, old_code), PAWL_TYPE("new", 1, new_code))

/* Bring the old code as far as it gets with every call and timer ended, but the last `open` ones. */
static void live(struct sim *sim, const char *input, int open)
{
    sim_open(sim, &pawl_processes, "old");
    sim_start(sim, input);
    int orders = (int)(strchr(input, '|') - input);
    for (int i = 0; i < orders - open; i++) {
        sim_run(sim);
        pawl_open_call *call = pawl_activation_calls(sim->activation);
        pawl_open_timer *timer = pawl_activation_timers(sim->activation);
        if (timer != NULL) {
            sim_timer(sim, timer->ordinal);
            sim_fired(sim, timer->ordinal);
        } else if (call != NULL) {
            sim_step(sim, call->ordinal, "");
        }
    }
}

/* Load the journal under the new code and compare how the run ends. */
static void expect_end(const char *input, const char *expected)
{
    struct sim sim;
    live(&sim, input, 0);
    sim.config.type = sim_text("new");
    sim_reload(&sim);
    sim_feed_journal(&sim);
    free(sim.trace);
    sim.trace = NULL;
    sim.trace_size = 0;
    sim_run(&sim);
    sim_expect(&sim, expected);
    sim_close(&sim);
}

static void test_X02_another_call_name(void **state)
{
    (void)state;
    expect_end("a|b", "> stuck nondeterminism: at command 1 the journal has call bank.charge with input "
                      "cc662761ad24bd12, the program now starts call mail.send with input cc662761ad24bd12\n");
}

static void test_X02_another_input(void **state)
{
    (void)state;
    struct sim sim;
    live(&sim, "ta|tA", 0);
    sim.config.type = sim_text("new");
    sim_reload(&sim);
    sim_feed_journal(&sim);
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_STUCK);
    uint8_t expected[16], found[16];
    sim_digest(sim_text("10"), expected);
    sim_digest(sim_text("11"), found);
    char reason[256];
    int used = snprintf(reason, sizeof reason, "at command 2 the journal has call bank.charge with input ");
    for (int i = 0; i < 8; i++)
        used += snprintf(reason + used, sizeof reason - (size_t)used, "%02x", expected[i]);
    used +=
        snprintf(reason + used, sizeof reason - (size_t)used, ", the program now starts call bank.charge with input ");
    for (int i = 0; i < 8; i++)
        used += snprintf(reason + used, sizeof reason - (size_t)used, "%02x", found[i]);
    assert_int_equal(sim.result.reason.size, used);
    assert_memory_equal(sim.result.reason.data, reason, sim.result.reason.size);
    sim_close(&sim);
}

static void test_X02_another_kind(void **state)
{
    (void)state;
    expect_end("ta|tt", "> stuck nondeterminism: at command 2 the journal has call bank.charge with input "
                        "cc662761ad24bd12, the program now starts timer 30 s\n");
    expect_end("t|a", "> stuck nondeterminism: at command 1 the journal has timer 30 s, the program now starts call "
                      "bank.charge with input cc662761ad24bd12\n");
    expect_end("nt|tn", "> stuck nondeterminism: at command 1 the journal has reading of the clock, the program now "
                        "starts timer 30 s\n");
    expect_end("t|n", "> stuck nondeterminism: at command 1 the journal has timer 30 s, the program now starts reading "
                      "of the clock\n");
}

static void test_X02_another_span(void **state)
{
    (void)state;
    expect_end("t|T", "> stuck nondeterminism: at command 1 the journal has timer 30 s, the program now starts timer "
                      "1500 ms\n");
}

static void test_commands_that_the_program_no_longer_issues(void **state)
{
    (void)state;
    expect_end("tt|t", "> stuck nondeterminism: at command 2 the journal has timer 30 s, the program now ends after "
                       "command 1\n");
    expect_end("tt|", "> stuck nondeterminism: at command 1 the journal has timer 30 s, the program now ends after "
                      "command 0\n");
    expect_end("tt|f", "> stuck nondeterminism: at command 1 the journal has timer 30 s, the program now ends after "
                       "command 0\n");
    expect_end("tt|ts", "> stuck nondeterminism: at command 2 the journal has timer 30 s, the program now waits after "
                        "command 1\n");
}

static void test_commands_after_the_journal_are_no_difference(void **state)
{
    (void)state;
    expect_end("ta|tat", "  timer 3 30000000000 ns\n> waits: timer\n");
}

/* Whatever the program makes of its statuses, it stays stuck and starts nothing. */
static void test_nondeterminism_is_sticky(void **state)
{
    (void)state;
    expect_end("a|i", "> stuck nondeterminism: at command 1 the journal has call bank.charge with input "
                      "cc662761ad24bd12, the program now starts call mail.send with input 3f99c012c8367637\n");
}

/* An open call of which only the intent is recorded binds the program too. */
static void test_an_intent_counts(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "old");
    sim_start(&sim, "a|b");
    sim_run(&sim);
    sim_intent(&sim, 1, 1);
    sim.config.type = sim_text("new");
    sim_reload(&sim);
    sim_feed_journal(&sim);
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_STUCK);
    assert_memory_equal(sim.result.reason_code.data, "nondeterminism", sim.result.reason_code.size);
    assert_false(sim_call(&sim, 1)->issued);
    sim_close(&sim);
}

/* What this check exists for: code that depends on something that is not in the journal. The call is under way and has
 * no record yet; it binds the program all the same. */
static pawl_status flips(pawl_process *p)
{
    return obey(p, pawl_replaying(p) ? "b" : "a");
}

static pawl_status flips_activate(pawl_process *p, pawl_bytes type, uint32_t revision)
{
    (void)type;
    (void)revision;
    return pawl_run_program(p, flips);
}
PAWL_PROCESS_TABLE(flips_table, flips_activate);

static void test_what_an_earlier_run_started_counts(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &flips_table, "flips");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 bank.charge = 10\n"
                     "> waits: call bank.charge\n"
                     "> stuck nondeterminism: at command 1 an earlier run of the program started call bank.charge with "
                     "input cc662761ad24bd12, the program now starts call mail.send with input cc662761ad24bd12\n");
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_X02_another_call_name),
        cmocka_unit_test(test_X02_another_input),
        cmocka_unit_test(test_X02_another_kind),
        cmocka_unit_test(test_X02_another_span),
        cmocka_unit_test(test_commands_that_the_program_no_longer_issues),
        cmocka_unit_test(test_commands_after_the_journal_are_no_difference),
        cmocka_unit_test(test_nondeterminism_is_sticky),
        cmocka_unit_test(test_an_intent_counts),
        cmocka_unit_test(test_what_an_earlier_run_started_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
