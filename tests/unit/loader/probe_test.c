/* probe_test.c: the child process, whatever the program around it does with signals, descriptors and threads. */
#include "fixture.h"

#include "host/loader/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static pawl_status probe(fixture *f, const char *plugin, const char *config, bool *ret_crashed)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", fixture_built(plugin));
    const probe_request request = {.copy_path = path, .subject = plugin, .config_json = config, .timeout_ms = 20000};
    return pawl_probe_run(&request, ret_crashed, &f->error);
}

static void test_the_good_pass_and_the_dead_are_reported(void **state)
{
    fixture f;
    bool crashed = true;
    (void)state;
    memset(&f, 0, sizeof f);
    assert_int_equal(probe(&f, "well_behaved", "{}", &crashed), PAWL_OK);
    assert_false(crashed);
    fixture_assert_refused(&f, probe(&f, "init_abort", "{}", &crashed), "loader.probe_crash", "init_abort: crashed");
    assert_true(crashed);
    fixture_assert_refused(&f, probe(&f, "init_exit", "{}", &crashed), "loader.probe_exit", "init_exit: ended");
    assert_false(crashed);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(errno, ECHILD);
}

static void test_a_config_may_be_large(void **state)
{
    enum { SIZE = 3 << 20 };
    fixture f;
    bool crashed;
    char *config = malloc(SIZE + 1);
    (void)state;
    memset(&f, 0, sizeof f);
    assert_non_null(config);
    memset(config, ' ', SIZE);
    config[0] = '{';
    config[SIZE - 1] = '}';
    config[SIZE] = '\0';
    assert_int_equal(probe(&f, "well_behaved", config, &crashed), PAWL_OK);
    fixture_assert_refused(&f, probe(&f, "init_refuses", config, &crashed), "loader.init_failed", "hostile.mood");
    assert_int_equal(probe(&f, "well_behaved", "", &crashed), PAWL_OK);
    fixture_assert_refused(&f, probe(&f, "init_crash", config, &crashed), "loader.probe_crash", "signal 11");
    free(config);
}

static void test_a_program_that_reaps_its_children_can_probe(void **state)
{
    fixture f;
    bool crashed;
    (void)state;
    memset(&f, 0, sizeof f);
    assert_true(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    assert_int_equal(probe(&f, "well_behaved", "{}", &crashed), PAWL_OK);
    fixture_assert_refused(&f, probe(&f, "init_refuses", "{}", &crashed), "loader.init_failed", "hostile.mood");
    assert_true(probe(&f, "init_crash", "{}", &crashed) < 0); /* how it died cannot be known any more */
    assert_true(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
}

static void test_a_program_without_standard_descriptors_can_probe(void **state)
{
    fixture f;
    bool crashed;
    (void)state;
    memset(&f, 0, sizeof f);
    int saved[3];
    for (int i = 0; i < 3; i++)
        saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 50);
    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 3; i++)
        close(i);
    pawl_status status = probe(&f, "well_behaved", "{}", &crashed);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(dup2(saved[i], i), i);
        close(saved[i]);
    }
    assert_int_equal(status, PAWL_OK);
}

static void test_blocked_signals_are_not_inherited(void **state)
{
    fixture f;
    bool crashed;
    sigset_t all, before;
    (void)state;
    memset(&f, 0, sizeof f);
    sigfillset(&all);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &all, &before), 0);
    pawl_status status = probe(&f, "init_abort", "{}", &crashed);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    fixture_assert_refused(&f, status, "loader.probe_crash", "signal 6");
}

static int count_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void test_no_descriptor_is_left_open(void **state)
{
    static const char *const plugins[] = {"well_behaved", "init_crash", "init_refuses", "init_leaves_a_child"};
    fixture f;
    bool crashed;
    (void)state;
    memset(&f, 0, sizeof f);
    int before = count_descriptors();
    for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++)
        probe(&f, plugins[i], "{}", &crashed);
    assert_int_equal(count_descriptors(), before);
}

static void test_a_missing_program_is_named(void **state)
{
    fixture f;
    bool crashed;
    (void)state;
    fixture_open(&f);
    probe_request request = {
        .program = fixture_path(&f, "none"), .copy_path = "x", .subject = "x", .config_json = "{}"};
    pawl_status status = pawl_probe_run(&request, &crashed, &f.error);
    fixture_assert_refused(&f, status, "loader.probe_missing", "/none cannot be used");
    fixture_write(fixture_path(&f, "text"), "not a program");
    request.program = fixture_path(&f, "text");
    status = pawl_probe_run(&request, &crashed, &f.error);
    fixture_assert_refused(&f, status, "loader.probe_missing", "/text cannot be started");
    assert_int_equal(chmod(fixture_path(&f, "text"), 0600), 0);
    status = pawl_probe_run(&request, &crashed, &f.error);
    fixture_assert_refused(&f, status, "loader.probe_missing", "it is not executable");
    assert_int_equal(chmod(fixture_path(&f, "text"), 0777), 0);
    status = pawl_probe_run(&request, &crashed, &f.error);
    fixture_assert_refused(&f, status, "loader.probe_missing", "has mode 0777");
    fixture_close(&f);
}

static void *probe_some(void *context)
{
    static const char *const plugins[] = {"well_behaved", "init_crash", "init_exit"};
    static const pawl_status statuses[] = {PAWL_OK, PAWL_E_FAILED, PAWL_E_FAILED};
    int *failures = context;
    for (size_t i = 0; i < 6; i++) {
        pawl_error error = {.status = PAWL_OK};
        bool crashed = false;
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s.so", PAWL_HOSTILE_DIR, plugins[i % 3]);
        const probe_request request = {.copy_path = path, .subject = "x", .config_json = "{}", .timeout_ms = 60000};
        if (pawl_probe_run(&request, &crashed, &error) != statuses[i % 3] || crashed != (i % 3 == 1))
            ++*failures;
    }
    return NULL;
}

static void test_P09_threads_may_probe_side_by_side(void **state)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    int failures[THREADS] = {0};
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, probe_some, &failures[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(failures[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_good_pass_and_the_dead_are_reported),
        cmocka_unit_test(test_a_config_may_be_large),
        cmocka_unit_test(test_a_program_that_reaps_its_children_can_probe),
        cmocka_unit_test(test_a_program_without_standard_descriptors_can_probe),
        cmocka_unit_test(test_blocked_signals_are_not_inherited),
        cmocka_unit_test(test_no_descriptor_is_left_open),
        cmocka_unit_test(test_a_missing_program_is_named),
        cmocka_unit_test(test_P09_threads_may_probe_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
