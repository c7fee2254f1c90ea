/* rate_test.c: the token bucket, on a clock that the test turns. */
#include "worker/effect/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

static uint64_t take(pawl_rate *rate, uint64_t now)
{
    bool kept;
    uint64_t wait = pawl_rate_take(rate, now, false, &kept);
    assert_true(kept || wait > PAWL_RATE_LINE_NS);
    return wait;
}

static void test_a_burst_goes_through_and_then_one_in_each_interval(void **state)
{
    (void)state;
    pawl_rate rate = pawl_rate_make(10, S, 3);
    uint64_t now = 100 * S;
    assert_int_equal(pawl_rate_tokens(&rate, now), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(take(&rate, now), 0);
    assert_int_equal(pawl_rate_tokens(&rate, now), 0);
    for (uint64_t i = 1; i <= 10; i++) /* places in line, one interval apart */
        assert_int_equal(take(&rate, now), i * S / 10);
}

static void test_a_quiet_time_fills_the_bucket_and_no_more(void **state)
{
    (void)state;
    pawl_rate rate = pawl_rate_make(10, S, 3);
    uint64_t now = S;
    for (int i = 0; i < 3; i++)
        (void)take(&rate, now);
    now += 3600 * S;
    assert_int_equal(pawl_rate_tokens(&rate, now), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(take(&rate, now), 0);
    assert_int_not_equal(take(&rate, now), 0);
}

static void test_never_more_than_the_rate_over_a_long_time(void **state)
{
    (void)state;
    pawl_rate rate = pawl_rate_make(7, S, 2);
    uint64_t passed = 0;
    for (uint64_t now = 0; now < 60 * S; now += 3 * S / 1000) {
        bool kept;
        uint64_t wait = pawl_rate_take(&rate, now, true, &kept);
        if (wait == 0)
            passed++;
        else if (kept)
            pawl_rate_give_back(&rate, now);
    }
    assert_in_range(passed, 7 * 60 - 2, 7 * 60 + 2);
}

static void test_a_token_given_back_is_there_again(void **state)
{
    (void)state;
    pawl_rate rate = pawl_rate_make(1, 60 * S, 1);
    assert_int_equal(take(&rate, S), 0);
    pawl_rate_give_back(&rate, S);
    assert_int_equal(pawl_rate_tokens(&rate, S), 1);
    pawl_rate_give_back(&rate, S); /* never more than a full bucket */
    assert_int_equal(pawl_rate_tokens(&rate, S), 1);
    assert_int_equal(take(&rate, S), 0);
    assert_int_not_equal(take(&rate, S), 0);
}

static void test_who_must_wait_long_gets_a_moment_of_its_own(void **state)
{
    (void)state;
    pawl_rate rate = pawl_rate_make(1, 10 * S, 1);
    bool kept;
    uint64_t now = 100 * S;
    assert_int_equal(take(&rate, now), 0);
    for (uint64_t i = 1; i <= 5; i++) {
        assert_int_equal(pawl_rate_take(&rate, now, false, &kept), i * 10 * S);
        assert_false(kept);
    }
    /* They come back one by one and find their token, although others come anew in between. */
    for (uint64_t i = 1; i <= 5; i++) {
        now = 100 * S + i * 10 * S;
        if (i < 5)
            assert_true(pawl_rate_take(&rate, now, false, &kept) > PAWL_RATE_LINE_NS);
        assert_int_equal(pawl_rate_take(&rate, now, true, &kept), 0);
        assert_true(kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_goes_through_and_then_one_in_each_interval),
        cmocka_unit_test(test_a_quiet_time_fills_the_bucket_and_no_more),
        cmocka_unit_test(test_never_more_than_the_rate_over_a_long_time),
        cmocka_unit_test(test_a_token_given_back_is_there_again),
        cmocka_unit_test(test_who_must_wait_long_gets_a_moment_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
