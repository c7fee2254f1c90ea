/* exec_test.c: the exec connector against real processes. */
#include "tests/plugins/fake_host.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ull
/* Generous: the machine may be busy. What is asserted is "well before the child would have ended by itself". */
#define PROMPT (20 * SECOND)

#define CONFIG                                                                                                         \
    "{\"allow\":[\"sh\",\"cat\",\"/usr/bin/env\",\"sleep\",\"pwd\",\"head\",\"no-such-program\"],"                     \
    "\"cwd_roots\":[\"/tmp\",\"/usr\"],\"env_allow\":[\"PAWL_TEST_PASSED\",\"PAWL_TEST_ABSENT\"],"                     \
    "\"max_output\":65536}"

static int open_host(void **state)
{
    setenv("PAWL_TEST_PASSED", "yes", 1);
    setenv("PAWL_TEST_KEPT_BACK", "secret", 1);
    fake_host *host = fake_host_open("exec");
    fake_must_create(host, CONFIG);
    *state = host;
    return 0;
}

/* This program is the reaper of its orphans (see main), so that it sees every process a call leaves behind.
 * Grandchildren become zombies here, which is their parents' doing; a child of the connector's own would be a leak. */
static void reap_orphans(void)
{
    for (int i = 0; i < 1000; i++) {
        siginfo_t facts = {0};
        if (waitid(P_ALL, 0, &facts, WEXITED | WNOHANG | WNOWAIT) != 0) {
            assert_int_equal(errno, ECHILD);
            return;
        }
        if (facts.si_pid == 0) {
            nanosleep(&(struct timespec){0, 10000000}, NULL);
            continue;
        }
        assert_int_not_equal(getpgid(facts.si_pid), facts.si_pid);
        assert_int_equal(waitpid(facts.si_pid, NULL, 0), facts.si_pid);
    }
    fail_msg("a process of a call is still running");
}

static int close_host(void **state)
{
    fake_host_close(*state);
    reap_orphans();
    return 0;
}

static void test_output_and_exit(void **state)
{
    fake_answer a = fake_callf(*state, "run", "{\"argv\":[\"sh\",\"-c\",\"echo out; echo err >&2\"]}");
    assert_string_equal(fake_text(&a, "stdout"), "out\n");
    assert_string_equal(fake_text(&a, "stderr"), "err\n");
    assert_int_equal(fake_integer(&a, "exit"), 0);
    fake_answer_free(&a);
}

static void test_arguments_are_not_for_a_shell(void **state)
{
    fake_answer a = fake_callf(*state, "run", "{\"argv\":[\"/usr/bin/env\",\"printf\",\"%%s\",\"$HOME; *|\"]}");
    assert_string_equal(fake_text(&a, "stdout"), "$HOME; *|");
    fake_answer_free(&a);
}

static void test_exit_code_is_a_terminal_failure_with_detail(void **state)
{
    const char *input = "{\"argv\":[\"sh\",\"-c\",\"echo why >&2; exit 3\"]}";
    fake_answer a = fake_call(*state, "run", input, NULL);
    assert_int_equal(json_integer_value(json_object_get(a.detail, "exit")), 3);
    assert_string_equal(json_string_value(json_object_get(a.detail, "stderr")), "why\n");
    assert_null(strstr(a.message, "why"));
    fake_expect_failure(a, PAWL_E_FAILED, PAWL_TERMINAL, "exec.exit");
    a = fake_callf(*state, "query", "{\"argv\":[\"sh\",\"-c\",\"exit 3\"],\"ok_exits\":[0,3]}");
    assert_int_equal(fake_integer(&a, "exit"), 3);
    fake_answer_free(&a);
    a = fake_callf(*state, "run", "{\"argv\":[\"sh\",\"-c\",\"exit 0\"],\"ok_exits\":[3]}");
    fake_expect_failure(a, PAWL_E_FAILED, PAWL_TERMINAL, "exec.exit");
}

static void test_X05_death_by_signal_is_no_permanent_outcome(void **state)
{
    const char *input = "{\"argv\":[\"sh\",\"-c\",\"kill -9 $$\"]}";
    fake_answer a = fake_call(*state, "run", input, NULL);
    assert_int_equal(json_integer_value(json_object_get(a.detail, "signal")), 9);
    fake_expect_failure(a, PAWL_E_FAILED, PAWL_UNKNOWN_OUTCOME, "exec.signal");
    fake_expect_failure(fake_call(*state, "query", input, NULL), PAWL_E_FAILED, PAWL_RETRYABLE, "exec.signal");
}

static void test_P10_only_allowed_programs_run(void **state)
{
    static const char *const refused[] = {
        "{\"argv\":[\"ls\"]}",
        "{\"argv\":[\"/bin/ls\"]}",
        "{\"argv\":[\"/bin/sh\",\"-c\",\"true\"]}",
        "{\"argv\":[\"/usr/bin/../bin/env\"]}",
        "{\"argv\":[\"./sh\"]}",
        "{\"argv\":[\"\"]}",
        "{\"shell\":\"true\"}",
        "{\"argv\":[\"cat\"],\"env\":{\"LD_PRELOAD\":\"/tmp/x.so\"}}",
        "{\"argv\":[\"cat\"],\"env\":{\"PATH\":\"/tmp\"}}",
        "{\"argv\":[\"cat\"],\"env\":{\"A=B\":\"c\"}}",
        "{\"argv\":[\"cat\"],\"cwd\":\"/etc\"}",
        "{\"argv\":[\"cat\"],\"cwd\":\"/tmpfoo\"}",
        "{\"argv\":[\"cat\"],\"cwd\":\"/usr/../etc\"}",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        fake_expect_failure(fake_call(*state, "run", refused[i], NULL), PAWL_E_FAILED, PAWL_TERMINAL,
                            "exec.not_allowed");
    fake_expect_failure(fake_callf(*state, "run", "{\"argv\":[\"no-such-program\"]}"), PAWL_E_NOT_FOUND, PAWL_TERMINAL,
                        "exec.not_found");
}

static void test_P10_working_directory_link_out_is_refused(void **state)
{
    char directory[] = "/tmp/pawl-exec-XXXXXX", link[64], config[256];
    assert_non_null(mkdtemp(directory));
    snprintf(link, sizeof link, "%s/out", directory);
    assert_int_equal(symlink("/etc", link), 0);
    snprintf(config, sizeof config, "{\"allow\":[\"pwd\"],\"cwd_roots\":[\"%s\"]}", directory);
    fake_must_create(*state, config);
    fake_expect_failure(fake_callf(*state, "run", "{\"argv\":[\"pwd\"],\"cwd\":\"%s\"}", link), PAWL_E_FAILED,
                        PAWL_TERMINAL, "exec.not_allowed");
    fake_answer a = fake_callf(*state, "run", "{\"argv\":[\"pwd\"],\"cwd\":\"%s\"}", directory);
    assert_memory_equal(fake_text(&a, "stdout"), directory, strlen(directory));
    fake_answer_free(&a);
    assert_int_equal(unlink(link), 0);
    assert_int_equal(rmdir(directory), 0);
}

static void test_shell_when_the_configuration_says_so(void **state)
{
    fake_must_create(*state, "{\"allow\":[],\"shell\":true}");
    fake_answer a = fake_callf(*state, "run", "{\"shell\":\"echo $((6*7))\"}");
    assert_string_equal(fake_text(&a, "stdout"), "42\n");
    fake_answer_free(&a);
}

static void test_environment_is_only_what_was_allowed(void **state)
{
    fake_answer a = fake_callf(*state, "run",
                               "{\"argv\":[\"/usr/bin/env\"],\"env\":{\"GIVEN\":\"1\",\"PAWL_TEST_PASSED\":\"no\"}}");
    assert_string_equal(fake_text(&a, "stdout"), "PATH=/usr/local/bin:/usr/bin:/bin\nPAWL_TEST_PASSED=no\nGIVEN=1\n");
    fake_answer_free(&a);
    fake_must_create(*state, "{\"allow\":[\"env\"],\"env_input\":[\"ONE\"]}");
    fake_expect_failure(fake_callf(*state, "run", "{\"argv\":[\"env\"],\"env\":{\"TWO\":\"\"}}"), PAWL_E_FAILED,
                        PAWL_TERMINAL, "exec.not_allowed");
}

static void test_stdin_of_every_kind(void **state)
{
    fake_host *host = *state;
    fake_answer a = fake_callf(host, "run", "{\"argv\":[\"cat\"],\"stdin\":{\"text\":\"t\\u00e4st\"}}");
    assert_string_equal(fake_text(&a, "stdout"), "t\xc3\xa4st");
    fake_answer_free(&a);
    a = fake_callf(host, "run", "{\"argv\":[\"cat\"],\"stdin\":{\"base64\":\"AAH/\"},\"stdout\":\"base64\"}");
    assert_string_equal(fake_text(&a, "stdout_base64"), "AAH/");
    fake_answer_free(&a);
    a = fake_callf(host, "run", "{\"argv\":[\"cat\"],\"stdin\":{\"base64\":\"AAH/\"}}");
    assert_string_equal(fake_text(&a, "stdout_base64"), "AAH/"); /* not text: nothing is lost */
    fake_answer_free(&a);
    a = fake_callf(host, "run", "{\"argv\":[\"cat\"]}");
    assert_string_equal(fake_text(&a, "stdout"), "");
    fake_answer_free(&a);
    fake_expect_failure(fake_callf(host, "run", "{\"argv\":[\"cat\"],\"stdin\":{\"base64\":\"AAH\"}}"), PAWL_E_FAILED,
                        PAWL_TERMINAL, "exec.invalid_input");
    fake_expect_failure(fake_callf(host, "run", "{\"argv\":[\"cat\"],\"stdin\":{\"text\":\"\",\"json\":1}}"),
                        PAWL_E_FAILED, PAWL_TERMINAL, "exec.invalid_input");
}

/* Both directions at once and far more than a pipe holds, from and to attachments. */
static void test_attachments_through_a_program(void **state)
{
    fake_host *host = *state;
    size_t size = (size_t)5 << 20;
    unsigned char *content = malloc(size);
    for (size_t i = 0; i < size; i++)
        content[i] = (unsigned char)(i * 2654435761u >> 13);
    const char *reference = fake_attachment_put(host, content, size);
    fake_answer a = fake_callf(host, "run",
                               "{\"argv\":[\"cat\"],\"stdin\":{\"attachment\":\"%s\"},"
                               "\"stdout\":\"attachment\"}",
                               reference);
    fake_expect_ok(&a);
    const json_t *out = json_object_get(a.json, "stdout");
    assert_int_equal(json_integer_value(json_object_get(out, "size")), size);
    assert_string_equal(json_string_value(json_object_get(out, "attachment")), reference);
    fake_answer_free(&a);
    free(content);
    a = fake_callf(host, "run", "{\"argv\":[\"cat\"],\"stdin\":{\"attachment\":\"sha256:%064d\"}}", 0);
    fake_expect_failure(a, PAWL_E_NOT_FOUND, PAWL_TERMINAL, "attachment.not_found");
    host->no_attachments = true;
    a = fake_callf(host, "run", "{\"argv\":[\"cat\"],\"stdout\":\"attachment\"}");
    fake_expect_failure(a, PAWL_E_UNSUPPORTED, PAWL_TERMINAL, "exec.no_attachments");
}

static void test_child_that_does_not_read_its_input(void **state)
{
    fake_host *host = *state;
    size_t size = (size_t)1 << 20;
    char *content = calloc(1, size);
    const char *reference = fake_attachment_put(host, content, size);
    struct sigaction before, now;
    sigaction(SIGPIPE, NULL, &before);
    fake_answer a =
        fake_callf(host, "run", "{\"argv\":[\"head\",\"-c\",\"3\"],\"stdin\":{\"attachment\":\"%s\"}}", reference);
    assert_int_equal(fake_integer(&a, "exit"), 0); /* and SIGPIPE has not ended this program */
    fake_answer_free(&a);
    sigaction(SIGPIPE, NULL, &now);
    assert_true(before.sa_handler == now.sa_handler);
    free(content);
}

static void test_P15_output_limit_kills_the_group(void **state)
{
    fake_answer a = fake_callf(*state, "run", "{\"argv\":[\"sh\",\"-c\",\"cat /dev/zero\"]}");
    assert_true(a.took_ns < PROMPT);
    fake_expect_failure(a, PAWL_E_LIMIT, PAWL_TERMINAL, "exec.output_limit");
    a = fake_callf(*state, "run", "{\"argv\":[\"sh\",\"-c\",\"cat /dev/zero >&2\"]}");
    fake_expect_failure(a, PAWL_E_LIMIT, PAWL_TERMINAL, "exec.output_limit");
    a = fake_callf(*state, "run", "{\"argv\":[\"head\",\"-c\",\"65536\",\"/dev/zero\"],\"stdout\":\"base64\"}");
    fake_expect_ok(&a); /* the limit itself is allowed */
    fake_answer_free(&a);
}

/* True once no process is left in the group whose id the script wrote to the file. */
static bool group_is_gone(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    pid_t group = (pid_t)atoi(text);
    assert_true(group > 1);
    reap_orphans();
    return kill(-group, 0) != 0 && errno == ESRCH;
}

typedef struct asker {
    pawl_cancel_token *token;
    const char *path; /* ask once this exists and has content */
} asker;

static void *ask(void *argument)
{
    const asker *a = argument;
    struct stat facts;
    while (stat(a->path, &facts) != 0 || facts.st_size == 0)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    fake_cancel_ask(a->token);
    return NULL;
}

/* script runs with $F naming the file; it must write its group id there when it is ready to be cancelled. */
static fake_answer cancel_while_running(fake_host *host, const char *operation, const char *script, bool *gone)
{
    char directory[] = "/tmp/pawl-exec-XXXXXX", path[64], input[1024];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/group", directory);
    snprintf(input, sizeof input, "{\"argv\":[\"sh\",\"-c\",\"%s\"],\"env\":{\"F\":\"%s\"}}", script, path);
    asker a = {fake_cancel_create(), path};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ask, &a), 0);
    fake_answer answer = fake_call(host, operation, input, &(fake_options){.cancel = a.token});
    pthread_join(thread, NULL);
    *gone = group_is_gone(path);
    fake_cancel_destroy(a.token);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
    return answer;
}

static void test_X05_cancel_ends_grandchildren_promptly(void **state)
{
    bool gone;
    fake_answer a =
        cancel_while_running(*state, "run", "sleep 600 & sleep 600 & (sleep 600 | cat) & echo $$ > $F; wait", &gone);
    assert_true(gone);
    assert_true(a.took_ns < PROMPT);
    fake_expect_failure(a, PAWL_E_CANCELLED, PAWL_UNKNOWN_OUTCOME, "exec.cancelled");
}

/* From the request to the answer, not from nap to nap: the best of several, because the machine may be busy. */
static void test_X05_cancel_wakes_the_waiting_call(void **state)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 10; i++) {
        bool gone;
        fake_answer a = cancel_while_running(*state, "query", "echo $$ > $F; sleep 600", &gone);
        assert_true(gone);
        best = a.took_ns < best ? a.took_ns : best;
        fake_expect_failure(a, PAWL_E_CANCELLED, PAWL_RETRYABLE, "exec.cancelled");
    }
    assert_true(best < SECOND / 2);
}

static void test_group_that_ignores_sigterm_is_killed(void **state)
{
    bool gone;
    fake_answer a = cancel_while_running(
        *state, "run", "trap '' TERM; (trap '' TERM; sleep 600) & echo $$ > $F; while :; do sleep 600; done", &gone);
    assert_true(gone);
    assert_true(a.took_ns >= SECOND / 2 && a.took_ns < PROMPT);
    fake_expect_failure(a, PAWL_E_CANCELLED, PAWL_UNKNOWN_OUTCOME, "exec.cancelled");
}

static void test_sigterm_lets_a_program_end_in_its_own_way(void **state)
{
    bool gone;
    fake_answer a = cancel_while_running(
        *state, "run", "trap 'rm -f $F.lock; echo $$ > $F; exit 0' TERM; : > $F.lock; echo $$ > $F; sleep 600 & wait",
        &gone);
    assert_true(gone); /* and rmdir in the helper succeeded: the lock is gone too */
    fake_expect_failure(a, PAWL_E_CANCELLED, PAWL_UNKNOWN_OUTCOME, "exec.cancelled");
}

static void test_X05_deadline(void **state)
{
    fake_options soon = {.timeout_ns = SECOND / 5};
    fake_answer a = fake_call(*state, "run", "{\"argv\":[\"sleep\",\"600\"]}", &soon);
    assert_true(a.took_ns < PROMPT);
    fake_expect_failure(a, PAWL_E_DEADLINE, PAWL_UNKNOWN_OUTCOME, "exec.timeout");
    a = fake_call(*state, "query", "{\"argv\":[\"sleep\",\"600\"]}", &soon);
    fake_expect_failure(a, PAWL_E_DEADLINE, PAWL_RETRYABLE, "exec.timeout");
    a = fake_call(*state, "run", "{\"argv\":[\"sleep\",\"600\"]}", &(fake_options){.timeout_ns = 1});
    fake_expect_failure(a, PAWL_E_DEADLINE, PAWL_RETRYABLE, "exec.timeout"); /* it was not even started */
}

static void test_cancelled_before_the_start_did_certainly_not_run(void **state)
{
    fake_options o = {.cancel = fake_cancel_create()};
    fake_cancel_ask(o.cancel);
    fake_expect_failure(fake_call(*state, "run", "{\"argv\":[\"sleep\",\"600\"]}", &o), PAWL_E_CANCELLED,
                        PAWL_RETRYABLE, "exec.cancelled");
    fake_cancel_destroy(o.cancel);
}

static void test_background_children_do_not_outlive_the_call(void **state)
{
    char directory[] = "/tmp/pawl-exec-XXXXXX", path[64];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/group", directory);
    fake_answer a =
        fake_callf(*state, "run",
                   "{\"argv\":[\"sh\",\"-c\",\"echo $$ > $F; sleep 600 & echo done\"],\"env\":{\"F\":\"%s\"}}", path);
    assert_string_equal(fake_text(&a, "stdout"), "done\n");
    assert_true(a.took_ns < PROMPT);
    fake_answer_free(&a);
    assert_true(group_is_gone(path));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

static void test_no_descriptor_is_inherited(void **state)
{
    int left_open = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, as a careless library does */
    assert_true(left_open >= 0);
    int high = fcntl(left_open, F_DUPFD, 77);
    assert_int_equal(high, 77);
    fake_answer a = fake_callf(*state, "run", "{\"argv\":[\"sh\",\"-c\",\"ls /proc/$$/fd; :\"]}");
    close(left_open);
    close(high);
    assert_string_equal(fake_text(&a, "stdout"), "0\n1\n2\n");
    fake_answer_free(&a);
}

static void test_P07_bad_input_names_the_place(void **state)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "nonsense",
        "{\"argv\":[]}",
        "{\"argv\":\"cat\"}",
        "{\"argv\":[1]}",
        "{\"argv\":[\"cat\"],\"argv\":[]}",
        "{\"argv\":[\"cat\"],\"shell\":\"x\"}",
        "{\"argv\":[\"cat\"],\"bogus\":1}",
        "{\"argv\":[\"cat\"],\"stdout\":\"x\"}",
        "{\"argv\":[\"cat\"],\"ok_exits\":[\"0\"]}",
        "{\"argv\":[\"cat\"],\"stdin\":{\"nope\":1}}",
        "{\"argv\":[\"c\\u0000at\"]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fake_answer a = fake_call(*state, "run", bad[i], NULL);
        assert_non_null(strstr(a.message, "exec connector \"unit\""));
        fake_expect_failure(a, PAWL_E_FAILED, PAWL_TERMINAL, "exec.invalid_input");
    }
    fake_expect_failure(fake_call(*state, "walk", "{}", NULL), PAWL_E_UNSUPPORTED, PAWL_TERMINAL,
                        "exec.unknown_operation");
}

static void test_configuration_is_strict(void **state)
{
    static const char *const bad[] = {"{}",
                                      "",
                                      "{\"allow\":\"sh\"}",
                                      "{\"allow\":[\"bin/sh\"]}",
                                      "{\"allow\":[\"\"]}",
                                      "{\"allow\":[],\"alow\":[]}",
                                      "{\"allow\":[],\"cwd_roots\":[\"tmp\"]}",
                                      "{\"allow\":[],\"max_output\":-1}",
                                      "{\"allow\":[],\"shell\":\"yes\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fake_answer a = fake_create(*state, bad[i]);
        assert_non_null(strstr(a.message, "exec connector \"unit\": config"));
        fake_expect_failure(a, PAWL_E_FAILED, PAWL_TERMINAL, "exec.config");
    }
}

static void test_P08_bytes_without_an_address_are_refused(void **state)
{
    fake_host *host = *state;
    pawl_connector *made = NULL;
    pawl_bytes nowhere = {NULL, 5}, name = {"x", 1};
    assert_int_equal(host->table->create(&host->root, name, nowhere, &made, NULL), PAWL_E_INVALID);
    assert_null(made);
}

typedef struct crowd {
    fake_host *host;
    int number;
    bool good;
} crowd;

static void *run_many(void *argument)
{
    crowd *c = argument;
    c->good = true;
    for (int i = 0; i < 20; i++) {
        char input[128], wanted[32];
        snprintf(wanted, sizeof wanted, "%d-%d", c->number, i);
        snprintf(input, sizeof input, "{\"argv\":[\"cat\"],\"stdin\":{\"text\":\"%s\"}}", wanted);
        fake_answer a = fake_call(c->host, "run", input, NULL);
        const char *text = json_string_value(json_object_get(a.json, "stdout"));
        c->good = c->good && text != NULL && strcmp(text, wanted) == 0;
        fake_answer_free(&a);
    }
    return NULL;
}

/* A pipe end inherited by another thread's child would keep an end of file from arriving: this would then hang. */
static void test_many_threads_at_once(void **state)
{
    crowd crowds[8];
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        crowds[i] = (crowd){*state, i, false};
        assert_int_equal(pthread_create(&threads[i], NULL, run_many, &crowds[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_true(crowds[i].good);
    }
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, open_host, close_host)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_output_and_exit),
        EACH(test_arguments_are_not_for_a_shell),
        EACH(test_exit_code_is_a_terminal_failure_with_detail),
        EACH(test_X05_death_by_signal_is_no_permanent_outcome),
        EACH(test_P10_only_allowed_programs_run),
        EACH(test_P10_working_directory_link_out_is_refused),
        EACH(test_shell_when_the_configuration_says_so),
        EACH(test_environment_is_only_what_was_allowed),
        EACH(test_stdin_of_every_kind),
        EACH(test_attachments_through_a_program),
        EACH(test_child_that_does_not_read_its_input),
        EACH(test_P15_output_limit_kills_the_group),
        EACH(test_X05_cancel_ends_grandchildren_promptly),
        EACH(test_X05_cancel_wakes_the_waiting_call),
        EACH(test_group_that_ignores_sigterm_is_killed),
        EACH(test_sigterm_lets_a_program_end_in_its_own_way),
        EACH(test_X05_deadline),
        EACH(test_cancelled_before_the_start_did_certainly_not_run),
        EACH(test_background_children_do_not_outlive_the_call),
        EACH(test_no_descriptor_is_inherited),
        EACH(test_P07_bad_input_names_the_place),
        EACH(test_configuration_is_strict),
        EACH(test_P08_bytes_without_an_address_are_refused),
        EACH(test_many_threads_at_once),
    };
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
        return 1;
    return cmocka_run_group_tests_name("exec connector", tests, NULL, NULL);
}
