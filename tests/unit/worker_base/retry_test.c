/* retry_test.c: the retry policy, which is pure. */
#include "test.h"

#include "worker/base/sink.h"
#include "worker/retry.h"

#define MS UINT64_C(1000000)

static pawl_retry_policy exact(void)
{
    pawl_retry_policy policy = pawl_retry_default();
    policy.jitter = 0;
    return policy;
}

static void test_delays_double_up_to_the_maximum(void **state)
{
    (void)state;
    pawl_retry_policy policy = exact();
    policy.attempts_max = 0;
    policy.elapsed_max_ns = 0;
    const uint64_t expected[] = {200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    for (uint32_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        uint64_t delay = 0;
        assert_true(pawl_retry_next(&policy, i + 1, 0, NULL, 0, &delay));
        assert_int_equal(delay, expected[i] * MS);
    }
    uint64_t delay = 0;
    assert_true(pawl_retry_next(&policy, UINT32_MAX, 0, NULL, 0, &delay));
    assert_int_equal(delay, 30000 * MS);
}

static void test_attempts_end(void **state)
{
    (void)state;
    pawl_retry_policy policy = exact();
    uint64_t delay = 0;
    assert_true(pawl_retry_next(&policy, 4, 0, NULL, 0, &delay));
    assert_false(pawl_retry_next(&policy, 5, 0, NULL, 0, &delay));
    policy.attempts_max = 1;
    assert_false(pawl_retry_next(&policy, 1, 0, NULL, 0, &delay));
}

static void test_elapsed_time_ends_it(void **state)
{
    (void)state;
    pawl_retry_policy policy = exact();
    policy.elapsed_max_ns = 1000 * MS;
    uint64_t delay = 0;
    assert_true(pawl_retry_next(&policy, 1, 800 * MS, NULL, 0, &delay));
    assert_false(pawl_retry_next(&policy, 1, 801 * MS, NULL, 0, &delay));
    assert_false(pawl_retry_next(&policy, 1, UINT64_MAX, NULL, 0, &delay));
}

static void test_class_and_code_and_retry_after(void **state)
{
    (void)state;
    static const char *const codes[] = {"card.declined", NULL};
    pawl_retry_policy policy = exact();
    policy.non_retryable = codes;
    pawl_failure failure = {.struct_size = sizeof failure, .klass = PAWL_TERMINAL, .code = pawl_bytes_text("x")};
    uint64_t delay = 0;
    assert_false(pawl_retry_next(&policy, 1, 0, &failure, 0, &delay));
    failure.klass = PAWL_RETRYABLE;
    assert_true(pawl_retry_next(&policy, 1, 0, &failure, 0, &delay));
    failure.code = pawl_bytes_text("card.declined");
    assert_false(pawl_retry_next(&policy, 1, 0, &failure, 0, &delay));
    failure.code = pawl_bytes_text("card.declined_too");
    failure.retry_after_ns = 60000 * MS; /* a floor, above the policy's own maximum */
    assert_true(pawl_retry_next(&policy, 1, 0, &failure, 0, &delay));
    assert_int_equal(delay, 60000 * MS);
    failure.retry_after_ns = 1;
    assert_true(pawl_retry_next(&policy, 1, 0, &failure, 0, &delay));
    assert_int_equal(delay, 200 * MS);
}

static void test_jitter_only_takes_off(void **state)
{
    (void)state;
    pawl_retry_policy policy = pawl_retry_default();
    uint64_t lowest = 0;
    uint64_t highest = 0;
    assert_true(pawl_retry_next(&policy, 1, 0, NULL, 0, &highest));
    assert_true(pawl_retry_next(&policy, 1, 0, NULL, UINT64_MAX, &lowest));
    assert_int_equal(highest, 200 * MS);
    assert_in_range(lowest, 160 * MS, 161 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delays_double_up_to_the_maximum),
        cmocka_unit_test(test_attempts_end),
        cmocka_unit_test(test_elapsed_time_ends_it),
        cmocka_unit_test(test_class_and_code_and_retry_after),
        cmocka_unit_test(test_jitter_only_takes_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
