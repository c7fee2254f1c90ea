/* http_test.c: the real HTTP connector in a real `pawl serve`, against a real server on loopback that remembers the
 * idempotency keys it was sent. */
#include "audit.h"
#include "tests/plugins/http_server.h"
#include "yard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct scene {
    yard *y;
    http_server *server;
} scene;

static int open_scene(void **state)
{
    char text[1024];
    scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->server = http_server_open(NULL, NULL, NULL);
    snprintf(
        text, sizeof text,
        "  - { path: %s, dev: true%s }\n"
        "connectors:\n  web: { plugin: pawl.http, config: { base_url: \"http://127.0.0.1:%u\" }, concurrency: 4 }\n"
        "retry: { attempts: 4, first_delay: 20ms, max_delay: 50ms }\n",
        HTTP_PLUGIN,
        getenv("PAWL_TEST_ISOLATED") == NULL ? "" : ", isolation: process, limits: { seccomp: network, workers: 2 }",
        (unsigned)http_server_port(s->server));
    s->y = yard_open(text);
    *state = s;
    return 0;
}

static int close_scene(void **state)
{
    scene *s = *state;
    yard_close(s->y);
    http_server_close(s->server);
    free(s);
    return 0;
}

static void expect_key(const scene *s, int request, const char *key)
{
    if (strcmp(http_server_key(s->server, request), key) != 0)
        fail_msg("request %d came with key \"%s\", wanted \"%s\"", request, http_server_key(s->server, request), key);
}

static void test_X07_a_post_carries_the_key_of_its_step(void **state)
{
    scene *s = *state;
    YARD_SERVE(s->y, NULL);
    api_start(s->y, "probe.plan", "order-1", "step post:/echo post:/echo");
    api_expect_end(s->y, "order-1", "completed");
    assert_int_equal(http_server_requests(s->server), 2);
    json_t *journal = api_journal(s->y, "order-1");
    size_t posts = 0;
    size_t i;
    json_t *record;
    json_array_foreach(journal, i, record)
    {
        const char *name = json_string_value(json_object_get(record, "name"));
        char key[64];
        if (name == NULL || strcmp(name, "web.post") != 0)
            continue;
        snprintf(key, sizeof key, "order-1/1/%lld", (long long)json_integer_value(json_object_get(record, "ordinal")));
        expect_key(s, (int)posts++, key);
        json_t *result = json_object_get(record, "result");
        assert_int_equal(json_integer_value(json_object_get(result, "status")), 200);
        assert_string_equal(json_string_value(json_object_get(json_object_get(result, "json"), "method")), "POST");
    }
    assert_int_equal(posts, 2);
    assert_string_not_equal(http_server_key(s->server, 0), http_server_key(s->server, 1));
    json_decref(journal);
    yard_stop(s->y);
}

static void test_X07_X13_every_attempt_has_the_same_key(void **state)
{
    scene *s = *state;
    YARD_SERVE(s->y, NULL);
    api_start(s->y, "probe.plan", "busy", "post:/status/503");
    api_expect_end(s->y, "busy", "failed");
    assert_int_equal(http_server_requests(s->server), 4);
    for (int i = 0; i < 4; i++)
        expect_key(s, i, http_server_key(s->server, 0));
    json_t *outcome = api_outcome(s->y, "busy");
    assert_string_equal(json_string_value(json_object_get(outcome, "code")), "http.503");
    json_decref(outcome);
    api_start(s->y, "probe.plan", "refused", "post:/status/404"); /* terminal: one attempt */
    api_expect_end(s->y, "refused", "failed");
    assert_int_equal(http_server_requests(s->server), 5);
    yard_stop(s->y);
}

static void test_X06_X07_a_post_cut_by_a_kill_is_sent_again_with_its_key(void **state)
{
    scene *s = *state;
    YARD_SERVE(s->y, NULL);
    api_start(s->y, "probe.plan", "cut", "step post:/slow");
    http_server_wait_for(s->server, 1);
    yard_kill(s->y);
    YARD_SERVE(s->y, NULL);
    http_server_wait_for(s->server, 2);
    assert_true(http_server_key(s->server, 0)[0] != '\0');
    expect_key(s, 1, http_server_key(s->server, 0));
    YARD_EXPECT(s->y, 0, "cancel requested", "cancel", "cut"); /* reaches into the transfer */
    api_expect_end(s->y, "cut", "cancelled");
    assert_int_equal(audit_log_count(s->y, "cut", "probe.step", "begin"), 1);
    yard_stop(s->y);
}

static void test_an_answer_recorded_before_the_kill_is_not_asked_for_again(void **state)
{
    scene *s = *state;
    YARD_SERVE(s->y, NULL);
    api_start(s->y, "probe.plan", "kept", "post:/echo step:0:0:1");
    yard_await_held(s->y, 1);
    yard_kill(s->y);
    yard_open_gate(s->y);
    YARD_SERVE(s->y, NULL);
    api_expect_end(s->y, "kept", "completed");
    assert_int_equal(http_server_requests(s->server), 1);
    yard_stop(s->y);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_X07_a_post_carries_the_key_of_its_step, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(test_X07_X13_every_attempt_has_the_same_key, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(test_X06_X07_a_post_cut_by_a_kill_is_sent_again_with_its_key, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(test_an_answer_recorded_before_the_kill_is_not_asked_for_again, open_scene,
                                        close_scene),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
