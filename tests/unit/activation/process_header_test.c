/* process_header_test.c: the comfortable face of process code, and a whole plugin written with it, loaded from its .so.
 */
#include "pawl_process.h"
#include "sim.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static pawl_status miscounts(pawl_process *p)
{
    pawl_future one = pawl_start_timer(p, 1);
    if (pawl_await_any(p, NULL, 2, one) != PAWL_E_INVALID || pawl_await_all(p, 0, one) != PAWL_E_INVALID)
        return PAWL_E_IO;
    return pawl_fail(p, "miscounted", "as expected");
}

static pawl_status prints(pawl_process *p)
{
    pawl_bytes longer = pawl_printf(p, "%0*d", 3000, 7), none = pawl_printf(p, "%s", "");
    const char *text = (const char *)longer.data;
    if (longer.size != 3000 || text[2999] != '7' || text[3000] != '\0' || none.size != 0)
        return PAWL_E_IO;
    if (strcmp(pawl_cstring(p, pawl_bytes_of("ab", 2)), "ab") != 0)
        return PAWL_E_IO;
    return pawl_complete(p, pawl_text("printed"));
}

static pawl_status options(pawl_process *p)
{
    pawl_call_options some = pawl_options(3, 7);
    return pawl_call_with(p, "one", pawl_text(""), &some, NULL);
}

/* The clock of the test stands at 5000. */
static pawl_status until(pawl_process *p)
{
    PAWL_TRY(pawl_sleep_until(p, 4000)); /* long past */
    PAWL_TRY(pawl_sleep_until(p, 5700));
    PAWL_TRY(pawl_await(p, pawl_start_timer_until(p, 6000)));
    return pawl_complete(p, pawl_text("awake"));
}

static pawl_status second_revision(pawl_process *p)
{
    return pawl_complete(p, pawl_text("revision 2"));
}

PAWL_PROCESSES(PAWL_TYPE("miscounts", 1, miscounts), PAWL_TYPE("prints", 1, prints),
               PAWL_TYPE("prints", 2, second_revision), PAWL_TYPE("options", 1, options), PAWL_TYPE("until", 1, until))

static void test_a_wrong_count_is_invalid(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "miscounts");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  timer 1 1 ns\n"
                     "> failed miscounted: as expected\n");
    sim_close(&sim);
}

static void test_a_sleep_ends_at_a_time_of_the_clock(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "until");
    sim_start(&sim, "");
    sim_run(&sim);
    sim_timer(&sim, 3);
    sim_fired(&sim, 3);
    sim.now_unix_ns = 5700;
    sim_run(&sim);
    sim_timer(&sim, 5);
    sim_fired(&sim, 5);
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "  timer 3 700 ns\n"
                     "> waits: timer\n"
                     "< 2 now 1\n"
                     "< 3 now 2\n"
                     "< 4 timer 3\n"
                     "< 5 fired 3\n"
                     "  timer 5 300 ns\n"
                     "> waits: timer\n"
                     "< 6 now 4\n"
                     "< 7 timer 5\n"
                     "< 8 fired 5\n"
                     "> completed awake\n");
    sim_close(&sim);
}

static void test_programs_are_chosen_by_name_and_revision(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "prints");
    sim_start(&sim, "");
    sim_run(&sim);
    sim.config.revision = 2;
    sim_reload(&sim);
    sim_feed_journal(&sim);
    sim_run(&sim);
    sim.config.revision = 3;
    sim_reload(&sim);
    sim_feed_journal(&sim);
    sim_run(&sim);
    sim_expect(&sim, "< 1 started\n"
                     "> completed printed\n"
                     "> completed revision 2\n"
                     "> stuck unsupported: the plugin has no program for type prints, revision 3\n");
    sim_close(&sim);
}

static void test_options_reach_the_open_call(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "options");
    sim_start(&sim, "");
    sim_run(&sim);
    assert_int_equal(sim_call(&sim, 1)->attempts_max, 3);
    assert_int_equal(sim_call(&sim, 1)->timeout_ns, 7);
    sim_close(&sim);
}

static void test_the_factory_knows_one_interface(void **state)
{
    (void)state;
    assert_ptr_equal(pawl_process_factory(PAWL_FACTORY_PROCESS), &pawl_processes);
    assert_null(pawl_process_factory(PAWL_FACTORY_EFFECT));
    assert_int_equal(pawl_processes.struct_size, sizeof(pawl_process_table));
}

/* The sample that authors see, from source to outcome. */
static void test_a_whole_plugin_runs(void **state)
{
    (void)state;
    void *library = dlopen(PAWL_TEST_CHECKOUT_PLUGIN, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        fail_msg("%s", dlerror());
    union {
        void *symbol;
        pawl_plugin_entry_fn entry;
    } found = {dlsym(library, PAWL_PLUGIN_ENTRY_SYMBOL)};
    assert_non_null(found.symbol);
    const pawl_plugin_root *root = found.entry();
    assert_string_equal(root->id, "com.example.shop");
    const pawl_process_table *table = root->get_factory(PAWL_FACTORY_PROCESS);
    assert_non_null(table);

    struct sim sim;
    sim_open(&sim, table, "shop.checkout");
    sim.config.revision = 3;
    sim_reload(&sim);
    sim_start(&sim, "cart 7");
    sim_run(&sim);
    sim_step(&sim, 1, "hold 7");
    sim_run(&sim);
    sim_timer(&sim, 3);
    sim_step(&sim, 2, "receipt 7");
    sim_run(&sim);
    sim_expect(&sim, "< 1 started = cart 7\n"
                     "  call 1 stock.reserve = cart 7\n"
                     "> waits: call stock.reserve\n"
                     "< 2 step 1 stock.reserve = hold 7\n"
                     "  call 2 bank.charge = hold 7\n"
                     "  timer 3 30000000000 ns\n"
                     "> waits: call bank.charge, timer\n"
                     "< 3 timer 3\n"
                     "< 4 step 2 bank.charge = receipt 7\n"
                     "> completed receipt 7\n");
    sim_close(&sim);
    dlclose(library);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_wrong_count_is_invalid),
        cmocka_unit_test(test_a_sleep_ends_at_a_time_of_the_clock),
        cmocka_unit_test(test_programs_are_chosen_by_name_and_revision),
        cmocka_unit_test(test_options_reach_the_open_call),
        cmocka_unit_test(test_the_factory_knows_one_interface),
        cmocka_unit_test(test_a_whole_plugin_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
