/* serve_test.c: `pawl serve` as a program of its own (built on the fake host), with real signals. */
#include "support.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 20000

typedef struct served {
    pid_t pid;
    int out;
    int err;
    int ready;
} served;

extern char **environ;

/* Start the program; descriptor 3 is its --ready-fd. */
static served serve(const fixture *f)
{
    served s = {0};
    int out[2];
    int err[2];
    int ready[2];
    assert_int_equal(pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC) | pipe2(ready, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    int third = fcntl(ready[1], F_DUPFD_CLOEXEC, 10); /* so that the dup2 below never is a no-op on itself */
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    posix_spawn_file_actions_adddup2(&actions, third, 3);
    char *words[] = {(char *)(uintptr_t) "pawl",
                     (char *)(uintptr_t) "serve",
                     (char *)(uintptr_t) "--profile",
                     (char *)(uintptr_t)f->profile,
                     (char *)(uintptr_t) "--ready-fd",
                     (char *)(uintptr_t) "3",
                     NULL};
    assert_int_equal(posix_spawn(&s.pid, PAWL_FAKE_PROGRAM, &actions, NULL, words, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    close(err[1]);
    close(ready[1]);
    close(third);
    s.out = out[0];
    s.err = err[0];
    s.ready = ready[0];
    return s;
}

/* Read until the text has come or the stream ends; the text so far. */
static char *read_until(int descriptor, const char *wanted)
{
    char *text = calloc(1, 16384);
    size_t used = 0;
    while (wanted == NULL || strstr(text, wanted) == NULL) {
        struct pollfd end = {.fd = descriptor, .events = POLLIN};
        if (poll(&end, 1, PATIENCE_MS) != 1 || used > 16000)
            fail_msg("waited in vain for \"%s\"; so far: %s", wanted == NULL ? "the end" : wanted, text);
        ssize_t part = read(descriptor, text + used, 16383 - used);
        if (part <= 0)
            break;
        used += (size_t)part;
    }
    return text;
}

static void expect_text(int descriptor, const char *wanted)
{
    char *text = read_until(descriptor, wanted);
    assert_contains(text, wanted == NULL ? "" : wanted);
    free(text);
}

static void wait_ready(const served *s)
{
    struct pollfd end = {.fd = s->ready, .events = POLLIN};
    char byte = 0;
    assert_int_equal(poll(&end, 1, PATIENCE_MS), 1);
    assert_int_equal(read(s->ready, &byte, 1), 1);
    assert_int_equal(byte, '\n');
    assert_int_equal(read(s->ready, &byte, 1), 0); /* and it was closed */
}

static int end_of(served *s)
{
    int status = 0;
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    close(s->out);
    close(s->err);
    close(s->ready);
    if (!WIFEXITED(status))
        fail_msg("ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static void test_serve_stops_cleanly(void **state)
{
    (void)state;
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < 3; i++) {
        fixture *f = fixture_bare("");
        served s = serve(f);
        wait_ready(&s);
        expect_text(s.out, "ready: profile test, tier inline, socket ");
        command_run run = run_command(f, NULL, "start", "test.echo", "--input", "5", "--wait", NULL);
        assert_exit(&run, 0);
        assert_string_equal(run.out, "5\n");
        run_free(&run);
        assert_int_equal(kill(s.pid, signals[i]), 0);
        expect_text(s.out, "pawl stopped");
        assert_int_equal(end_of(&s), 0);
        assert_int_equal(access(f->socket, F_OK), -1);
        fixture_close(f);
    }
}

static void test_H03_further_signals_escalate(void **state)
{
    (void)state;
    fixture *f = fixture_bare("busy: 1\n"); /* a drain lasts until it is an abort */
    served s = serve(f);
    wait_ready(&s);
    kill(s.pid, SIGTERM);
    expect_text(s.err, "running effects may finish");
    command_run run = run_command(f, NULL, "host", NULL); /* it goes on answering while it stops */
    assert_exit(&run, 0);
    run_free(&run);
    kill(s.pid, SIGINT);
    expect_text(s.err, "cancelling running effects");
    kill(s.pid, SIGTERM);
    expect_text(s.err, "releasing everything now");
    assert_int_equal(end_of(&s), 0);
    fixture_close(f);
}

static void test_serve_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        int exit_code;
        const char *text;
    } cases[] = {
        {"refuse: durable_store_required:session\n", 6, "durable_store_required:session"},
        {"refuse: loader.digest\n", 6, "loader.digest"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture *f = fixture_bare(cases[i].lines);
        served s = serve(f);
        expect_text(s.err, cases[i].text);
        assert_int_equal(end_of(&s), cases[i].exit_code);
        fixture_close(f);
    }
}

static void test_second_serve_is_refused(void **state)
{
    (void)state;
    fixture *f = fixture_bare("");
    served first = serve(f);
    wait_ready(&first);
    served second = serve(f);
    expect_text(second.err, "another server answers at");
    assert_int_equal(end_of(&second), 4);
    kill(first.pid, SIGTERM);
    assert_int_equal(end_of(&first), 0);
    fixture_close(f);
}

static void test_serve_after_kill_9(void **state)
{
    (void)state;
    fixture *f = fixture_bare("");
    served s = serve(f);
    wait_ready(&s);
    kill(s.pid, SIGKILL);
    assert_int_equal(waitpid(s.pid, NULL, 0), s.pid);
    close(s.out);
    close(s.err);
    close(s.ready);
    assert_int_equal(access(f->socket, F_OK), 0); /* left behind */
    s = serve(f);
    wait_ready(&s);
    kill(s.pid, SIGTERM);
    assert_int_equal(end_of(&s), 0);
    fixture_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serve_stops_cleanly), cmocka_unit_test(test_H03_further_signals_escalate),
        cmocka_unit_test(test_serve_is_refused),    cmocka_unit_test(test_second_serve_is_refused),
        cmocka_unit_test(test_serve_after_kill_9),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
