/* fleet_test.c: fleets under random load and trouble; the auditor's word is the test. */
#include "fleet.h"

#include "tests/integration/worker/lab.h"

/* A run in which nothing went wrong proves nothing. fleet_run() sees to it that each of these happens, under every
 * seed. */
static void assert_eventful(const auditor_report *report)
{
    assert_true(report->takeovers + report->writes_refused + report->late_executions > 0);
    assert_true(report->cancels > 0);
    assert_true(report->signals > 0);
    assert_true(report->timers > 0);
    assert_true(report->stuck > 0);
}

static void test_I1_I2_I4_I5_I7_I8_I10_a_fleet_of_two(void **state)
{
    (void)state;
    auditor_report report;
    fleet_run(&(fleet_plan){.provider = "memory", .seed = fleet_seed(1), .workers = 2, .processes = 240, .rounds = 160},
              &report);
    assert_eventful(&report);
}

static void test_I1_I2_I4_I5_I7_I8_I10_a_fleet_of_three_over_a_store_that_fails(void **state)
{
    (void)state;
    auditor_report report;
    fleet_run(&(fleet_plan){.provider = "memory",
                            .seed = fleet_seed(2),
                            .workers = 3,
                            .processes = 240,
                            .rounds = 160,
                            .weather = true},
              &report);
    assert_eventful(&report);
}

static void test_I1_I2_I4_I5_I7_I8_I10_a_fleet_of_two_over_rocksdb(void **state)
{
    (void)state;
    auditor_report report;
    fleet_run(&(fleet_plan){.provider = "rocksdb",
                            .seed = fleet_seed(3),
                            .workers = 2,
                            .processes = 160,
                            .rounds = 120,
                            .reopen = true,
                            .weather = true},
              &report);
    assert_eventful(&report);
}

static void test_I3_a_fleet_whose_clocks_jump_by_hours_and_months(void **state)
{
    (void)state;
    auditor_report report;
    fleet_run(
        &(fleet_plan){
            .provider = "memory", .seed = fleet_seed(4), .workers = 2, .processes = 160, .rounds = 120, .jumps = true},
        &report);
    assert_eventful(&report);
}

static void test_I3_a_fleet_whose_clocks_differ(void **state)
{
    (void)state;
    auditor_report report;
    fleet_run(
        &(fleet_plan){
            .provider = "memory", .seed = fleet_seed(5), .workers = 3, .processes = 160, .rounds = 120, .skewed = true},
        &report);
    assert_eventful(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_I1_I2_I4_I5_I7_I8_I10_a_fleet_of_two),
        cmocka_unit_test(test_I1_I2_I4_I5_I7_I8_I10_a_fleet_of_three_over_a_store_that_fails),
        cmocka_unit_test(test_I1_I2_I4_I5_I7_I8_I10_a_fleet_of_two_over_rocksdb),
        cmocka_unit_test(test_I3_a_fleet_whose_clocks_jump_by_hours_and_months),
        cmocka_unit_test(test_I3_a_fleet_whose_clocks_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
