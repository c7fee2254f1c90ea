/* stop_test.c: the server as a program among others: signals and exit codes, its socket, a second one on the same data,
 * two side by side, and how quiet an idle one is. */
#include "audit.h"
#include "yard.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int open_yard(void **state)
{
    *state = yard_open("timeouts: { stop_grace: 600s, call: 0s }\n");
    return 0;
}

static int close_yard(void **state)
{
    *state = yard_close(*state);
    return 0;
}

static void await_stopping(const yard *y, const char *mode)
{
    for (double until = seconds_now() + YARD_PATIENCE_S; seconds_now() < until; look_again_soon()) {
        json_t *host = NULL;
        api_call(y, "GET", "/v1/host", NULL, &host);
        const char *found = json_string_value(json_object_get(json_object_get(host, "worker"), "stopping"));
        bool same = found != NULL && strcmp(found, mode) == 0;
        json_decref(host);
        if (same)
            return;
    }
    fail_msg("the worker never said that its stop is %s", mode);
}

/* ---- signals ------------------------------------------------------------------------------------------------------
 */

static void test_H02_SIGTERM_lets_a_running_effect_end_and_exits_with_0(void **state)
{
    yard *y = *state;
    const char *id = "held";
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", id, "once:0:0:1 step");
    yard_await_held(y, 1);
    yard_signal(y, SIGTERM);
    await_stopping(y, "graceful");
    api_start(y, "probe.plan", "late", "step"); /* taken, and kept for the next worker */
    yard_open_gate(y);
    assert_int_equal(yard_end(y), 0);
    assert_false(yard_has(y, "s")); /* a clean stop takes its socket away */
    assert_int_equal(audit_log_count(y, id, "probe.once", "end"), 1);
    assert_int_equal(audit_log_count(y, "late", NULL, NULL), 0);
    YARD_SERVE(y, NULL);
    api_expect_end(y, id, "completed");
    api_expect_end(y, "late", "completed");
    audit a = audit_ended(y, &id, 1);
    assert_int_equal(a.in_doubt, 0); /* it was recorded before the stop */
    yard_stop(y);
}

static void test_H03_a_second_SIGTERM_cancels_and_a_third_is_harmless(void **state)
{
    yard *y = *state;
    const char *id = "held";
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", id, "step:0:0:1 step");
    yard_await_held(y, 1);
    yard_signal(y, SIGTERM);
    await_stopping(y, "graceful");
    yard_signal(y, SIGTERM);
    yard_signal(y, SIGTERM);
    assert_int_equal(yard_end(y), 0);
    assert_int_equal(audit_log_count(y, id, "probe.step", "stop"), 1); /* it was told */
    yard_open_gate(y);
    YARD_SERVE(y, NULL);
    api_expect_end(y, id, "completed"); /* stopping a host cancels calls, never processes */
    assert_int_equal(audit_ended(y, &id, 1).steps, 2);
    yard_stop(y);
}

static void test_H01_SIGINT_is_the_same_and_drain_before_it_is_harmless(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, NULL);
    for (int i = 0; i < 2; i++)
        assert_int_equal(api_call(y, "POST", "/v1/drain", json_pack("{s:s}", "mode", "graceful"), NULL), 200);
    api_start(y, "probe.plan", "later", "step");
    api_await_status(y, "later", "ready");
    yard_signal(y, SIGINT);
    assert_int_equal(yard_end(y), 0);
    YARD_SERVE(y, NULL);
    api_expect_end(y, "later", "completed");
    yard_stop(y);
}

static void test_L15_a_released_process_is_taken_over_at_once(void **state)
{
    yard *y = *state;
    const char *id = "released";
    YARD_SERVE(y, NULL);
    api_start(y, "probe.plan", id, "step:0:0:1 step");
    yard_await_held(y, 1);
    yard_signal(y, SIGTERM);
    await_stopping(y, "graceful");
    yard_signal(y, SIGTERM);
    assert_int_equal(yard_end(y), 0);
    double start = seconds_now();
    YARD_SERVE(y, NULL);
    yard_await_held(y, 1);
    assert_true(seconds_now() - start < 10); /* the lease of 15 s was not waited for */
    yard_open_gate(y);
    api_expect_end(y, id, "completed");
    yard_stop(y);
}

/* ---- threads -------------------------------------------------------------------------------------------------------
 */

/* Effects that block hold up nobody as long as there are threads left: with 16 threads, 16 are held at once, however
 * closely their calls follow each other. */
static void test_V03_as_many_effects_at_once_as_there_are_threads(void **state)
{
    yard *y = *state;
    char id[16];
    YARD_SERVE(y, NULL);
    for (int round = 0; round < 4; round++) {
        yard_shut_gate(y);
        for (int i = 0; i < 16; i++) {
            snprintf(id, sizeof id, "t%d-%d", round, i);
            api_start(y, "probe.plan", id, i % 2 == 0 ? "step:0:0:1" : "step step:0:0:1");
        }
        yard_await_held(y, 16);
        assert_int_equal(api_worker_number(y, "effects_running"), 16);
        yard_open_gate(y);
        api_await_ended(y, 16 * (round + 1));
    }
    yard_stop(y);
}

/* ---- the socket ---------------------------------------------------------------------------------------------------
 */

static void test_the_socket_belongs_to_its_user_alone(void **state)
{
    yard *y = *state;
    struct stat found;
    mode_t before = umask(0); /* the mode must not depend on it */
    YARD_SERVE(y, NULL);
    umask(before);
    assert_int_equal(stat(y->socket, &found), 0);
    assert_true(S_ISSOCK(found.st_mode));
    assert_int_equal(found.st_mode & 0777, 0600);
    yard_stop(y);
}

static void test_a_stale_socket_is_replaced_and_a_file_is_not(void **state)
{
    yard *y = *state;
    char path[256];
    YARD_SERVE(y, NULL);
    yard_kill(y);
    assert_true(yard_has(y, "s"));
    YARD_SERVE(y, NULL);
    assert_int_equal(api_call(y, "GET", "/v1/health", NULL, NULL), 200);
    yard_stop(y);
    yard_write(y, "s", "precious\n");
    YARD_EXPECT(y, 1, "api.socket_not_a_socket", "serve");
    yard_path(y, "s", path);
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_size, 9);
}

static void test_a_living_socket_is_not_taken(void **state)
{
    yard *y = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", y->socket);
    int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(other >= 0);
    assert_int_equal(bind(other, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(other, 4), 0);
    YARD_EXPECT(y, 4, "api.socket_taken", "serve");
    assert_true(yard_has(y, "s"));
    close(other);
}

/* ---- more than one -------------------------------------------------------------------------------------------------
 */

static void test_S10_a_second_server_on_the_same_data_names_the_holder(void **state)
{
    yard *y = *state;
    char pid[24];
    YARD_SERVE(y, NULL);
    snprintf(pid, sizeof pid, "%d", (int)y->server);
    YARD_EXPECT(y, 4, pid, "serve", "--socket", "second.sock");
    YARD_EXPECT(y, 4, pid, "serve", "--no-worker", "--socket", "second.sock", "--json");
    assert_false(yard_has(y, "second.sock"));
    api_start(y, "probe.plan", "one", "step"); /* the first one is well */
    api_expect_end(y, "one", "completed");
    yard_kill(y);
    YARD_SERVE(y, NULL); /* a dead holder holds nothing */
    yard_stop(y);
}

static void test_two_hosts_with_different_profiles_side_by_side(void **state)
{
    yard *y = *state;
    yard other = *y;
    yard_write(y, "other.yaml",
               "profile: other\ntier: crash_safe\ndata: other\nsocket: o\n"
               "stores: { main: { provider: rocksdb, config: { sync: false } } }\n"
               "plugins:\n  - { path: %s, dev: true, config: { directory: %s } }\n",
               PROBE_PLUGIN, y->directory);
    snprintf(other.profile, sizeof other.profile, "%s/other.yaml", y->directory);
    snprintf(other.socket, sizeof other.socket, "%s/o", y->directory);
    other.server = 0;
    YARD_SERVE(y, NULL);
    YARD_SERVE(&other, NULL);
    api_start(y, "probe.plan", "mine", "step:0:0:1 once");
    api_start(&other, "probe.plan", "yours", "step:0:0:1 once");
    yard_await_held(y, 2);
    assert_int_equal(api_process(y, "GET", "yours", "", NULL, NULL), 404);
    assert_int_equal(api_process(&other, "GET", "mine", "", NULL, NULL), 404);
    yard_kill(y);
    yard_open_gate(y);
    api_expect_end(&other, "yours", "completed"); /* the other one never noticed */
    YARD_SERVE(y, NULL);
    api_expect_end(y, "mine", "completed");
    YARD_EXPECT(y, 0, "\"profile\":\"other\"", "host", "--json", "--profile", "other.yaml");
    YARD_EXPECT(y, 0, "\"profile\":\"yard\"", "host", "--json");
    yard_kill(&other); /* crash_safe survives this */
    YARD_SERVE(&other, NULL);
    api_expect_end(&other, "yours", "completed");
    const char *mine = "mine";
    const char *yours = "yours";
    assert_int_equal(audit_ended(y, &mine, 1).completed, 1);
    assert_int_equal(audit_ended(&other, &yours, 1).completed, 1);
    yard_stop(&other);
    yard_stop(y);
}

/* ---- idle
 * ------------------------------------------------------------------------------------------------------------ */

typedef struct usage {
    unsigned long long written;
    unsigned long long ticks;
} usage;

static usage usage_of(pid_t pid)
{
    char path[64];
    char text[1024];
    usage u = {0, 0};
    unsigned long long user = 0;
    unsigned long long system = 0;
    snprintf(path, sizeof path, "/proc/%d/io", (int)pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(text, sizeof text, file) != NULL)
        sscanf(text, "wchar: %llu", &u.written);
    if (file != NULL)
        fclose(file);
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system);
    u.ticks = user + system;
    return u;
}

static void test_H09_W05_an_idle_host_writes_nothing_and_rests(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, NULL);
    api_start(y, "probe.waiter", "w1", "step signal:go");
    api_start(y, "probe.waiter", "w2", "step sleep:3600000");
    api_await_status(y, "w1", "waiting");
    api_await_status(y, "w2", "waiting");
    let_pass_ms(1500); /* the connection of the last look ends */
    usage before = usage_of(y->server);
    let_pass_ms(3000);
    usage after = usage_of(y->server);
    unsigned long long rest = (unsigned long long)sysconf(_SC_CLK_TCK) * 3 / 10;
    if (after.ticks - before.ticks > rest)
        fail_msg("an idle host used %llu ticks in 3 s", after.ticks - before.ticks);
    if (after.written - before.written > 256) /* wake-up bytes between its threads */
        fail_msg("an idle host wrote %llu bytes in 3 s", after.written - before.written);
    yard_stop(y);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_H02_SIGTERM_lets_a_running_effect_end_and_exits_with_0, open_yard,
                                        close_yard),
        cmocka_unit_test_setup_teardown(test_H03_a_second_SIGTERM_cancels_and_a_third_is_harmless, open_yard,
                                        close_yard),
        cmocka_unit_test_setup_teardown(test_H01_SIGINT_is_the_same_and_drain_before_it_is_harmless, open_yard,
                                        close_yard),
        cmocka_unit_test_setup_teardown(test_L15_a_released_process_is_taken_over_at_once, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_V03_as_many_effects_at_once_as_there_are_threads, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_the_socket_belongs_to_its_user_alone, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_a_stale_socket_is_replaced_and_a_file_is_not, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_a_living_socket_is_not_taken, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_S10_a_second_server_on_the_same_data_names_the_holder, open_yard,
                                        close_yard),
        cmocka_unit_test_setup_teardown(test_two_hosts_with_different_profiles_side_by_side, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_H09_W05_an_idle_host_writes_nothing_and_rests, open_yard, close_yard),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
