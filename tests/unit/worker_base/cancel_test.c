/* cancel_test.c: a wish to stop is seen through the flag and the descriptor, whichever was made first. */
#include "test.h"

#include "worker/effect/cancel.h"

#include <poll.h>
#include <pthread.h>

static int readable(int fd)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    return poll(&wanted, 1, 0);
}

static void test_descriptor_made_before_and_after_the_wish(void **state)
{
    (void)state;
    pawl_cancel_token token;
    pawl_cancel_init(&token);
    int fd = pawl_cancel_fd(&token);
    assert_true(fd >= 0);
    assert_int_equal(pawl_cancel_fd(&token), fd);
    assert_int_equal(readable(fd), 0);
    assert_int_equal(pawl_cancel_is_asked(&token), 0);
    pawl_cancel_ask(&token);
    pawl_cancel_ask(&token);
    assert_int_equal(pawl_cancel_is_asked(&token), 1);
    assert_int_equal(readable(fd), 1);
    pawl_cancel_finish(&token);

    pawl_cancel_init(&token);
    pawl_cancel_ask(&token);
    assert_int_equal(readable(pawl_cancel_fd(&token)), 1);
    pawl_cancel_finish(&token);
}

static void test_no_token_never_asks(void **state)
{
    (void)state;
    assert_int_equal(pawl_cancel_is_asked(NULL), 0);
    assert_int_equal(pawl_cancel_fd(NULL), -1);
}

static void *ask(void *token)
{
    pawl_cancel_ask(token);
    return NULL;
}

static void test_wish_racing_with_the_descriptor_is_never_lost(void **state)
{
    (void)state;
    for (int i = 0; i < 500; i++) {
        pawl_cancel_token token;
        pawl_cancel_init(&token);
        pthread_t other;
        assert_int_equal(pthread_create(&other, NULL, ask, &token), 0);
        int fd = pawl_cancel_fd(&token);
        struct pollfd wanted = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&wanted, 1, 30000), 1);
        pthread_join(other, NULL);
        pawl_cancel_finish(&token);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptor_made_before_and_after_the_wish),
        cmocka_unit_test(test_no_token_never_asks),
        cmocka_unit_test(test_wish_racing_with_the_descriptor_is_never_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
