/* rollout_test.c: what was parked for want of its version goes on when that is here again, and is taken over by the
 * next one, through servers that are killed while they do so. */
#include "program.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define PROCESSES 16

static void list_version(const place *at, const char *name)
{
    char text[1024];
    snprintf(text, sizeof text,
             "profile: cli\ntier: durable\ndata: data\nstores: { main: { provider: rocksdb } }\n"
             "plugins:\n  - { path: %s/versions-%s.so, dev: true }\n",
             PAWL_TEST_VERSIONS, name);
    place_write(at, "pawl.yaml", text);
}

static void server_kill(place *at)
{
    server_signal(at, SIGKILL);
    assert_int_equal(server_end(at), -SIGKILL);
}

static size_t times(const char *text, const char *part)
{
    size_t count = 0;
    while ((text = strstr(text, part)) != NULL) {
        count++;
        text += strlen(part);
    }
    return count;
}

static void check(const place *at, const char *id)
{
    command end = RUN(at, "wait", id, "--timeout", "60s");
    assert_int_equal(end.exit_code, 0);
    bool right = strstr(end.out, "completed 111") != NULL || strstr(end.out, "completed 112") != NULL ||
                 strstr(end.out, "completed 122") != NULL;
    if (!right)
        fail_msg("%s", end.out); /* never back to an older version, never a step again */
    command journal = RUN(at, "journal", id, "--json");
    assert_int_equal(times(journal.out, "\"kind\":\"parked\""), 1);
    assert_int_equal(times(journal.out, "\"kind\":\"resumed\""), 1);
    assert_int_equal(times(journal.out, "\"kind\":\"step\""), 2);
    assert_in_range(times(journal.out, "\"kind\":\"pinned\""), 0, 1);
}

static void test_V07_what_lacked_its_version_goes_on_through_kills(void **state)
{
    (void)state;
    place *at = place_open("");
    char ids[PROCESSES][8], all[16];
    snprintf(all, sizeof all, "%d\n", PROCESSES);
    server_start(at);
    for (int i = 0; i < PROCESSES; i++) {
        snprintf(ids[i], sizeof ids[i], "p%02d", i);
        EXPECT(at, 0, NULL, "start", "ver.order", "--id", ids[i], "--input", "1");
    }
    AWAIT(at, all, "count", "--status", "waiting");
    server_kill(at);
    list_version(at, "strict");
    server_start(at);
    for (int i = 0; i < PROCESSES; i++)
        EXPECT(at, 0, NULL, "signal", ids[i], "go", "1");
    AWAIT(at, all, "count", "--status", "stuck");
    EXPECT(at, 0, "pinned to plugin test.versions, revision 1", "show", ids[0]);
    server_kill(at);
    static const char *const lives[] = {"first", "first", "rebuilt", "rebuilt"};
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        list_version(at, lives[i]);
        server_start(at);
        server_kill(at);
    }
    server_start(at);
    for (int i = 0; i < PROCESSES; i++)
        check(at, ids[i]);
    EXPECT(at, 0, "not loaded", "plugin", "unused");
    server_signal(at, SIGTERM);
    assert_int_equal(server_end(at), 0);
    EXPECT(at, 0, "no problems", "check", "--store");
    place_close(at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_V07_what_lacked_its_version_goes_on_through_kills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
