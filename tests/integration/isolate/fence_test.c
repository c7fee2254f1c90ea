/* fence_test.c: what a plugin in a process of its own may use: memory, CPU time, descriptors, processes, system calls,
 * and as whom. */
#include "place.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static int64_t number_of(fixture *own, const char *effect, const char *input)
{
    json_t *output = output_of(own, effect, input);
    int64_t number = json_integer_value(output);
    json_decref(output);
    return number;
}

static void test_I10_memory_has_a_limit(void **state)
{
#ifdef SANITIZED
    (void)state;
    skip(); /* a sanitizer maps terabytes for its own use: under one nothing is limited */
#else
    fixture *own = *state;
    place_open(own, &(wish){.limits = "memory: 64MiB"});
    int64_t eaten = number_of(own, "wild.eat", "1");
    assert_in_range(eaten, 32, 120); /* MiB; what threads do not use of their stacks is the plugin's, too */
    expect_call(own, "wild.echo", "1", "completed", "1");
#endif
}

static void test_I10_open_files_have_a_limit(void **state)
{
    fixture *own = *state;
    place_open(own, &(wish){.limits = "open_files: 32"});
    assert_in_range(number_of(own, "wild.open", "1"), 10, 31);
    assert_in_range(number_of(own, "wild.open", "1"), 10, 31);
}

static void test_I10_cpu_time_has_a_limit(void **state)
{
    fixture *own = *state;
    place_open(own, &(wish){.limits = "cpu: 300ms"});
    expect_failure(own, "wild.spin", "1", "plugin.cpu_limit", "of CPU time without ending a call");
    expect_call(own, "wild.echo", "1", "completed", "1");
}

static void test_a_strict_filter(void **state)
{
    fixture *own = *state;
    place_open(own, &(wish){.limits = NULL});
    assert_int_equal(number_of(own, "wild.multiply", "1"), 0); /* of a hundred forks */
    assert_int_equal(number_of(own, "wild.trespass", "\"socket\""), EPERM);
    assert_int_equal(number_of(own, "wild.trespass", "\"write\""), EPERM);
    assert_int_equal(number_of(own, "wild.trespass", "\"kill\""), EPERM);
    assert_int_equal(number_of(own, "wild.trespass", "\"limit\""), EPERM);
    assert_int_equal(number_of(own, "wild.trespass", "\"read\""), 0);
    assert_false(is_noted(own, "trespassed"));
    assert_int_equal(isolation_number(own, "deaths"), 0);
    expect_failure(own, "wild.trespass", "\"ptrace\"", "plugin.crashed", "a system call that its filter forbids");
    expect_call(own, "wild.echo", "1", "completed", "1");
}

static void test_a_filter_for_clients_of_a_network(void **state)
{
    fixture *own = *state;
    place_open(own, &(wish){.limits = "seccomp: network"});
    assert_int_equal(number_of(own, "wild.trespass", "\"socket\""), 0);
    assert_int_equal(number_of(own, "wild.trespass", "\"write\""), EPERM);
    assert_int_equal(number_of(own, "wild.multiply", "1"), 0);
}

static void test_no_filter(void **state)
{
    fixture *own = *state;
    place_open(own, &(wish){.limits = "seccomp: off"});
    assert_int_equal(number_of(own, "wild.trespass", "\"write\""), 0);
    assert_true(is_noted(own, "trespassed"));
}

/* At most a thousand lines of it in any second, and the rest is told of in the next. */
static void test_I10_a_flood_of_log_lines_is_dammed(void **state)
{
    fixture *own = *state;
    place_open(own, &(wish){.limits = NULL});
    expect_call(own, "wild.chatter", "1", "completed", "1");
    assert_true(fixture_logged(own, "chatter 0"));
    for (int i = 0; i < 100 && !fixture_logged(own, "were dropped: too many in a second"); i++) {
        for (int j = 0; j < 100; j++)
            rest();
        expect_call(own, "wild.chatter", "1", "completed", "1");
    }
    assert_true(fixture_logged(own, "were dropped: too many in a second"));
    assert_int_equal(isolation_number(own, "deaths"), 0);
}

/* What it has started ends with it. */
static void test_processes_that_it_may_start(void **state)
{
    fixture *own = *state;
    place_open(own, &(wish){.limits = "processes: 4000"});
    assert_int_equal(number_of(own, "wild.multiply", "1"), 100);
    pid_t worker = worker_of(own);
    fixture_close(own);
    await_gone(worker);
    await_gone(-worker); /* its group */
}

static void test_another_user(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    assert_int_not_equal(place_try_open(own, &(wish){.limits = "user: no-such-user-here"}, &error), PAWL_OK);
    assert_string_equal(error.code, "isolation.user");
    const struct passwd *nobody = getpwnam("nobody");
    if (nobody == NULL)
        skip();
    uid_t uid = nobody->pw_uid;
    if (geteuid() != 0) {
        assert_int_not_equal(place_try_open(own, &(wish){.limits = "user: nobody"}, &error), PAWL_OK);
        assert_string_equal(error.code, "isolation.user");
        assert_has(error.message, "only root");
        return;
    }
    place_open(own, &(wish){.limits = "user: nobody", .greeting = "hello"});
    json_t *told = output_of(own, "wild.tell", "1");
    assert_int_equal(json_integer_value(json_object_get(told, "uid")), uid);
    json_decref(told);
    expect_call(own, "shop.greet", "\"\"", "completed", "\"hello from shop\"");
    expect_failure(own, "wild.die", "\"abort\"", "plugin.crashed", "signal 6");
    expect_call(own, "shop.greet", "\"\"", "completed", "\"hello from shop\"");
}

int main(void)
{
#define PLACE(test) cmocka_unit_test_setup_teardown(test, setup_place, teardown_place)
    const struct CMUnitTest tests[] = {
        PLACE(test_I10_memory_has_a_limit),
        PLACE(test_I10_open_files_have_a_limit),
        PLACE(test_I10_cpu_time_has_a_limit),
        PLACE(test_a_strict_filter),
        PLACE(test_a_filter_for_clients_of_a_network),
        PLACE(test_no_filter),
        PLACE(test_I10_a_flood_of_log_lines_is_dammed),
        PLACE(test_processes_that_it_may_start),
        PLACE(test_another_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
