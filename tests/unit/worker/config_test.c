/* config_test.c: what a worker refuses to start with, before it touches anything. */
#include "worker/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static pawl_worker_config good(void)
{
    return (pawl_worker_config){.name = "w",
                                .clock = pawl_clock_system(),
                                .shards = 1,
                                .effect_threads = 1,
                                .resident_max = 1,
                                .effects_queued_max = 1,
                                .lease_ttl_ns = 3 * PAWL_NS_PER_SECOND,
                                .heartbeat_ns = PAWL_NS_PER_SECOND};
}

static void assert_refused(const pawl_worker_config *config, const char *code, const char *word)
{
    pawl_worker *worker = NULL;
    pawl_error error = {0};
    assert_int_equal(pawl_worker_start(config, &worker, &error), PAWL_E_INVALID);
    assert_null(worker);
    assert_string_equal(error.code, code);
    assert_non_null(strstr(error.message, word));
}

static void test_L13_a_lease_shorter_than_three_heartbeats_is_refused(void **state)
{
    (void)state;
    pawl_worker_config config = good();
    config.lease_ttl_ns--;
    assert_refused(&config, "worker.lease_ttl", "at least 3 heartbeats");
    config = good();
    config.heartbeat_ns = 0;
    assert_refused(&config, "worker.lease_ttl", "0.000 s");
}

static void test_H06_limits_of_zero_are_refused(void **state)
{
    (void)state;
    pawl_worker_config config = good();
    config.effect_threads = 0;
    assert_refused(&config, "worker.limits", "0, 1 and 1");
    config = good();
    config.resident_max = 0;
    assert_refused(&config, "worker.limits", "1, 0 and 1");
    config = good();
    config.effects_queued_max = 0;
    assert_refused(&config, "worker.limits", "1, 1 and 0");
    assert_null(pawl_worker_destroy(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_L13_a_lease_shorter_than_three_heartbeats_is_refused),
        cmocka_unit_test(test_H06_limits_of_zero_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
