/* version_test.c: changes of a program that its processes meet half-way: which version each lives by, in every run and
 * after every restart. Two revisions of one program play over the same journal, as two builds of a plugin would. */
#include "pawl_process.h"
#include "sim.h"

#include <stdlib.h>
#include <string.h>

static pawl_status say(pawl_process *p, uint32_t version)
{
    return pawl_complete(p, pawl_printf(p, "version %u", (unsigned)version));
}

/* How the program was before the change. */
static pawl_status before(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "stock.reserve", pawl_text("1"), NULL));
    PAWL_TRY(pawl_call(p, "bank.charge", pawl_text("2"), NULL));
    PAWL_TRY(pawl_signal(p, "go", NULL));
    return say(p, 0);
}

/* It packs before it charges now, and asks for the version twice more: where the journal may have ended meanwhile. */
static pawl_status changed(pawl_process *p, uint32_t min, uint32_t max)
{
    PAWL_TRY(pawl_call(p, "stock.reserve", pawl_text("1"), NULL));
    uint32_t version = pawl_version(p, "pack-first", min, max);
    if (version >= 1)
        PAWL_TRY(pawl_call(p, "stock.pack", pawl_text("1"), NULL));
    PAWL_TRY(pawl_call(p, "bank.charge", pawl_text("2"), NULL));
    if (pawl_version(p, "pack-first", min, max) != version)
        return pawl_fail(p, "test.version", "another version in one run");
    PAWL_TRY(pawl_signal(p, "go", NULL));
    if (pawl_version(p, "pack-first", min, max) != version)
        return pawl_fail(p, "test.version", "another version in one run");
    return say(p, version);
}

static pawl_status after(pawl_process *p)
{
    return changed(p, 0, 1);
}

static pawl_status later(pawl_process *p)
{
    return changed(p, 0, 2);
}

static pawl_status much_later(pawl_process *p)
{
    return changed(p, 2, 3);
}

static pawl_status bad(pawl_process *p)
{
    return say(p, pawl_version(p, pawl_input(p).size > 0 ? "two words" : "x", 2, pawl_input(p).size > 0 ? 3 : 1));
}

PAWL_PROCESSES(PAWL_TYPE("before", 1, before), PAWL_TYPE("after", 1, after), PAWL_TYPE("later", 1, later),
               PAWL_TYPE("much_later", 1, much_later), PAWL_TYPE("bad", 1, bad))

/* The plugin was replaced: the same journal under another program. */
static void replace(struct sim *sim, const char *type)
{
    sim->config.type = sim_text(type);
    sim_reload(sim);
    sim_feed_journal(sim);
    sim_run(sim);
}

static void test_a_new_process_lives_by_the_newest_version(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "after");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 1, "held");
    sim_run(&sim);
    sim_step(&sim, 2, "packed");
    sim_run(&sim);
    sim_step(&sim, 3, "paid");
    sim_run(&sim);
    sim_signal(&sim, "go", "");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  call 1 stock.reserve = 1\n"
                     "> waits: call stock.reserve\n"
                     "< 2 step 1 stock.reserve = held\n"
                     "  call 2 stock.pack = 1\n"
                     "> waits: call stock.pack\n"
                     "< 3 marker pack-first\n"
                     "< 4 step 2 stock.pack = packed\n"
                     "  call 3 bank.charge = 2\n"
                     "> waits: call bank.charge\n"
                     "< 5 step 3 bank.charge = paid\n"
                     "> waits: signal go (signal)\n"
                     "< 6 signal go\n"
                     "> completed version 1\n");
    replace(&sim, "later"); /* what was recorded stays, whatever is the newest by now */
    sim_expect(&sim, "> completed version 1\n");
    sim_close(&sim);
}

/* Its journal goes on behind the place of the change: it lives by the oldest one, at that place and behind it, now and
 * after every restart. */
static void test_a_journal_older_than_the_change_keeps_the_oldest_version(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "before");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 1, "held");
    sim_run(&sim);
    sim_step(&sim, 2, "paid");
    sim_run(&sim);
    free(sim.trace);
    sim.trace = NULL;
    sim.trace_size = 0;
    replace(&sim, "after");
    sim_expect(&sim, "> waits: signal go (signal)\n"); /* and no marker */
    sim_signal(&sim, "go", "");
    sim_run(&sim);
    sim_expect(&sim, "< 4 signal go\n> completed version 0\n");
    replace(&sim, "after");
    sim_expect(&sim, "> completed version 0\n");
    sim_close(&sim);
}

/* Nothing behind the place is in the journal: the call that the old program had begun there was never recorded. */
static void test_the_place_of_the_change_is_where_the_journal_ends(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "before");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 1, "held");
    sim_run(&sim);
    free(sim.trace);
    sim.trace = NULL;
    sim.trace_size = 0;
    replace(&sim, "after");
    sim_expect(&sim, "  call 2 stock.pack = 1\n> waits: call stock.pack\n< 3 marker pack-first\n");
    sim_close(&sim);
}

static void test_a_version_that_is_no_longer_supported_is_named(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "after");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 1, "held");
    sim_run(&sim);
    free(sim.trace);
    sim.trace = NULL;
    sim.trace_size = 0;
    replace(&sim, "much_later");
    sim_expect(&sim,
               "> stuck nondeterminism: change pack-first: the process lives by version 1, the program now supports "
               "2 to 3\n");
    sim_close(&sim);
}

/* Every run asks for the marker again until it is in the journal: it may have been lost on its way. */
static void test_a_marker_is_asked_for_until_it_is_recorded(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "after");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_step(&sim, 1, "held");
    for (int i = 0; i < 2; i++) {
        pawl_activation_run(sim.activation, 7, &sim.result);
        assert_int_equal(sim.result.local_count, 1);
        pawl_record local = sim.result.local[0];
        pawl_entry entry;
        local.sequence = 3;
        assert_int_equal(pawl_entry_decode(&local, &entry, NULL), PAWL_OK);
        assert_int_equal(entry.kind, PAWL_RECORD_MARKER);
        assert_int_equal(entry.status, 1);
        sim_signal(&sim, "unrelated", "");
    }
    sim_entry(&sim, &(pawl_entry){.kind = PAWL_RECORD_MARKER, .name = sim_text("pack-first"), .status = 1});
    sim_run(&sim);
    assert_int_equal(sim.result.local_count, 0);
    sim_close(&sim);
}

static void test_a_change_without_sense_breaks_the_contract(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        struct sim sim;
        sim_open(&sim, &pawl_processes, "bad");
        sim_start(&sim, named ? "x" : "");
        sim_run(&sim);
        assert_int_equal(sim.result.kind, PAWL_RUN_STUCK);
        assert_memory_equal(sim.result.reason_code.data, "contract", 8);
        sim_close(&sim);
    }
}

static void test_one_change_is_marked_once(void **state)
{
    (void)state;
    struct sim sim;
    pawl_error error;
    sim_open(&sim, &pawl_processes, "after");
    sim_start(&sim, "");
    sim_entry(&sim, &(pawl_entry){.kind = PAWL_RECORD_MARKER, .name = sim_text("pack-first"), .status = 1});
    const pawl_entry again = {.kind = PAWL_RECORD_MARKER, .name = sim_text("pack-first"), .status = 1};
    assert_int_equal(sim_refused(&sim, &again, &error), PAWL_E_CORRUPT);
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_process_lives_by_the_newest_version),
        cmocka_unit_test(test_a_journal_older_than_the_change_keeps_the_oldest_version),
        cmocka_unit_test(test_the_place_of_the_change_is_where_the_journal_ends),
        cmocka_unit_test(test_a_version_that_is_no_longer_supported_is_named),
        cmocka_unit_test(test_a_marker_is_asked_for_until_it_is_recorded),
        cmocka_unit_test(test_a_change_without_sense_breaks_the_contract),
        cmocka_unit_test(test_one_change_is_marked_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
