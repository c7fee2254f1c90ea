/* http_failure_test.c: the HTTP connector against a server that fails, stalls, redirects and lies: what each failure is
 * called, and whether it may be tried again. */
#include "tests/plugins/http_test_place.h"

#include <pthread.h>
#include <time.h>

static void expect(place *p, const char *operation, const char *path, uint32_t klass, const char *code)
{
    fake_answer a = fake_callf(p->host, operation, "{\"path\":\"%s\"}", path);
    if (a.status != PAWL_E_FAILED || a.klass != klass || strcmp(a.code, code) != 0)
        fail_msg("%s %s: status %d, class %u, %s", operation, path, (int)a.status, a.klass, a.code);
    fake_answer_free(&a);
}

static void test_X05_class_of_every_status(void **state)
{
    place *p = *state;
    static const struct {
        const char *path, *code;
        uint32_t get, put, post_with_key, post_without;
    } rows[] = {
        {"status/400", "http.400", PAWL_TERMINAL, PAWL_TERMINAL, PAWL_TERMINAL, PAWL_TERMINAL},
        {"status/404", "http.404", PAWL_TERMINAL, PAWL_TERMINAL, PAWL_TERMINAL, PAWL_TERMINAL},
        {"status/408", "http.408", PAWL_RETRYABLE, PAWL_RETRYABLE, PAWL_RETRYABLE, PAWL_UNKNOWN_OUTCOME},
        {"status/409", "http.409", PAWL_TERMINAL, PAWL_TERMINAL, PAWL_TERMINAL, PAWL_TERMINAL},
        {"status/429", "http.429", PAWL_RETRYABLE, PAWL_RETRYABLE, PAWL_RETRYABLE, PAWL_RETRYABLE},
        {"status/500", "http.500", PAWL_RETRYABLE, PAWL_RETRYABLE, PAWL_UNKNOWN_OUTCOME, PAWL_UNKNOWN_OUTCOME},
        {"status/502", "http.502", PAWL_RETRYABLE, PAWL_RETRYABLE, PAWL_RETRYABLE, PAWL_UNKNOWN_OUTCOME},
        {"status/503", "http.503", PAWL_RETRYABLE, PAWL_RETRYABLE, PAWL_RETRYABLE, PAWL_UNKNOWN_OUTCOME},
        {"status/504", "http.504", PAWL_RETRYABLE, PAWL_RETRYABLE, PAWL_RETRYABLE, PAWL_UNKNOWN_OUTCOME},
        {"status/599", "http.599", PAWL_RETRYABLE, PAWL_RETRYABLE, PAWL_UNKNOWN_OUTCOME, PAWL_UNKNOWN_OUTCOME},
        {"redirect/302/echo", "http.302", PAWL_TERMINAL, PAWL_TERMINAL, PAWL_TERMINAL, PAWL_TERMINAL},
    };
    configure(p, "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        expect(p, "get", rows[i].path, rows[i].get, rows[i].code);
        expect(p, "put", rows[i].path, rows[i].put, rows[i].code);
        expect(p, "delete", rows[i].path, rows[i].put, rows[i].code);
        expect(p, "post", rows[i].path, rows[i].post_with_key, rows[i].code);
        expect(p, "patch", rows[i].path, rows[i].post_with_key, rows[i].code);
    }
    configure(p, ",\"idempotency_header\":\"\"");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(p, "post", rows[i].path, rows[i].post_without, rows[i].code);
}

static void test_success_is_what_the_configuration_says(void **state)
{
    place *p = *state;
    configure(p, ",\"success\":[404,\"200-201\"]");
    fake_answer a = fake_callf(p->host, "get", "{\"path\":\"status/404\"}");
    assert_int_equal(fake_integer(&a, "status"), 404);
    assert_string_equal(fake_text(&a, "text"), "said the server");
    fake_answer_free(&a);
    expect(p, "get", "status/202", PAWL_TERMINAL, "http.202");
}

static void test_retry_after_in_seconds_and_as_a_date(void **state)
{
    place *p = *state;
    configure(p, "");
    fake_answer a = fake_callf(p->host, "get", "{\"path\":\"status/503\",\"query\":{\"after\":\"7\"}}");
    assert_int_equal(a.retry_after_ns, 7 * SECOND);
    fake_answer_free(&a);
    char date[64], input[160];
    time_t at = time(NULL) + 100;
    struct tm parts;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &parts));
    snprintf(input, sizeof input, "{\"path\":\"status/429\",\"query\":{\"after\":\"%s\"}}", date);
    a = fake_call(p->host, "post", input, NULL);
    assert_int_equal(a.klass, PAWL_RETRYABLE);
    assert_in_range(a.retry_after_ns, 60 * SECOND, 101 * SECOND);
    fake_answer_free(&a);
    static const char *const nothing[] = {"", "-1", "soon", "Mon, 01 Jan 2001 00:00:00 GMT", "1.5"};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        snprintf(input, sizeof input, "{\"path\":\"status/503\",\"query\":{\"after\":\"%s\"}}", nothing[i]);
        a = fake_call(p->host, "get", input, NULL);
        assert_int_equal(a.retry_after_ns, 0);
        fake_answer_free(&a);
    }
    a = fake_callf(p->host, "get", "{\"path\":\"status/503\",\"query\":{\"after\":\"99999999999999999999999\"}}");
    assert_int_equal(a.retry_after_ns, 7 * 24 * 3600 * SECOND); /* a server cannot park a process for ever */
    fake_answer_free(&a);
}

static void test_X05_what_was_never_sent_is_retryable(void **state)
{
    place *p = *state;
    char config[128];
    snprintf(config, sizeof config, "{\"base_url\":\"http://127.0.0.1:%u\"}", http_free_port());
    fake_must_create(p->host, config);
    expect(p, "post", "x", PAWL_RETRYABLE, "http.connect");
    fake_must_create(p->host, "{\"base_url\":\"http://no-such-host.invalid\"}");
    expect(p, "post", "x", PAWL_RETRYABLE, "http.dns");
    fake_must_create(p->host, "{\"base_url\":\"http://x\",\"unix_socket\":\"/tmp/no/such/socket\"}");
    expect(p, "post", "x", PAWL_RETRYABLE, "http.connect");
}

static void test_X05_connection_lost_after_sending(void **state)
{
    place *p = *state;
    configure(p, "");
    expect(p, "get", "drop", PAWL_RETRYABLE, "http.reset");
    expect(p, "put", "drop", PAWL_RETRYABLE, "http.reset");
    expect(p, "post", "drop", PAWL_UNKNOWN_OUTCOME, "http.reset");
    expect(p, "get", "cut", PAWL_RETRYABLE, "http.reset");
    expect(p, "post", "cut", PAWL_UNKNOWN_OUTCOME, "http.reset");
    expect(p, "patch", "cut", PAWL_UNKNOWN_OUTCOME, "http.reset");
}

static void test_lost_post_without_a_key_is_sent_once(void **state)
{
    place *p = *state;
    configure(p, ",\"idempotency_header\":\"\"");
    fake_answer a = fake_callf(p->host, "post", "{\"path\":\"echo\"}"); /* leaves a connection behind */
    fake_expect_ok(&a);
    fake_answer_free(&a);
    expect(p, "post", "drop", PAWL_UNKNOWN_OUTCOME, "http.reset");
    assert_int_equal(http_server_requests(p->server), 2);
}

static void test_P15_response_too_large(void **state)
{
    place *p = *state;
    configure(p, ",\"max_response\":1000");
    fake_answer a = fake_callf(p->host, "get", "{\"path\":\"bytes/1000\"}");
    fake_expect_ok(&a);
    fake_answer_free(&a);
    fake_expect_failure(fake_callf(p->host, "get", "{\"path\":\"bytes/1001\"}"), PAWL_E_LIMIT, PAWL_TERMINAL,
                        "http.too_large");
    fake_expect_failure(fake_callf(p->host, "post", "{\"path\":\"bytes/9000000\"}"), PAWL_E_LIMIT, PAWL_TERMINAL,
                        "http.too_large");
    configure(p, "");
    p->host->output_limit = 500;
    fake_expect_failure(fake_callf(p->host, "get", "{\"path\":\"bytes/1000\"}"), PAWL_E_LIMIT, PAWL_TERMINAL,
                        "http.result_too_large");
}

typedef struct asker {
    place *place;
    pawl_cancel_token *token;
    int after; /* this many requests have reached the server */
} asker;

static void *ask(void *argument)
{
    asker *a = argument;
    http_server_wait_for(a->place->server, a->after);
    fake_cancel_ask(a->token);
    return NULL;
}

static fake_answer cancel_when_sent(place *p, const char *operation)
{
    asker a = {p, fake_cancel_create(), http_server_requests(p->server) + 1};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ask, &a), 0);
    fake_answer answer = fake_call(p->host, operation, "{\"path\":\"slow\"}", &(fake_options){.cancel = a.token});
    pthread_join(thread, NULL);
    fake_cancel_destroy(a.token);
    return answer;
}

static void test_X05_cancel_in_flight_is_prompt(void **state)
{
    place *p = *state;
    configure(p, "");
    fake_answer a = cancel_when_sent(p, "post");
    assert_true(a.took_ns < PROMPT);
    fake_expect_failure(a, PAWL_E_CANCELLED, PAWL_UNKNOWN_OUTCOME, "http.cancelled");
    uint64_t best = UINT64_MAX; /* of several: the machine may be busy. Less than any nap of the connector */
    for (int i = 0; i < 10; i++) {
        a = cancel_when_sent(p, "get");
        best = a.took_ns < best ? a.took_ns : best;
        fake_expect_failure(a, PAWL_E_CANCELLED, PAWL_RETRYABLE, "http.cancelled");
    }
    assert_true(best < SECOND / 2);
    a = fake_callf(p->host, "get", "{\"path\":\"echo\"}"); /* the lane is as good as new */
    fake_expect_ok(&a);
    fake_answer_free(&a);
}

static void test_X05_cancelled_before_sending(void **state)
{
    place *p = *state;
    fake_options o = {.cancel = fake_cancel_create()};
    configure(p, "");
    fake_cancel_ask(o.cancel);
    fake_expect_failure(fake_call(p->host, "post", "{\"path\":\"echo\"}", &o), PAWL_E_CANCELLED, PAWL_RETRYABLE,
                        "http.cancelled");
    fake_cancel_destroy(o.cancel);
    assert_int_equal(http_server_requests(p->server), 0);
}

static void test_X05_deadline_and_timeout(void **state)
{
    place *p = *state;
    configure(p, "");
    fake_options soon = {.timeout_ns = SECOND / 5};
    fake_answer a = fake_call(p->host, "post", "{\"path\":\"slow\"}", &soon);
    assert_true(a.took_ns >= SECOND / 5 && a.took_ns < PROMPT);
    fake_expect_failure(a, PAWL_E_DEADLINE, PAWL_UNKNOWN_OUTCOME, "http.timeout");
    fake_expect_failure(fake_call(p->host, "get", "{\"path\":\"slow\"}", &soon), PAWL_E_DEADLINE, PAWL_RETRYABLE,
                        "http.timeout");
    configure(p, ",\"timeout_ms\":100");
    expect(p, "post", "slow", PAWL_UNKNOWN_OUTCOME, "http.timeout");
    expect(p, "get", "slow", PAWL_RETRYABLE, "http.timeout");
}

static void test_redirects_are_followed_within_the_origin(void **state)
{
    place *p = *state;
    configure(p, ",\"redirects\":2,\"headers\":{\"X-Key\":\"inside\"}");
    fake_answer a = fake_callf(p->host, "post", "{\"path\":\"redirect/303/echo\",\"text\":\"body\"}");
    fake_expect_ok(&a);
    const json_t *echo = json_object_get(a.json, "json");
    assert_string_equal(json_string_value(json_object_get(echo, "method")), "GET");
    assert_string_equal(json_string_value(json_object_get(echo, "body")), "");
    assert_null(json_object_get(json_object_get(echo, "headers"), "Content-Type"));
    assert_string_equal(json_string_value(json_object_get(json_object_get(echo, "headers"), "X-Key")), "inside");
    fake_answer_free(&a);
    a = fake_callf(p->host, "post", "{\"path\":\"redirect/307/redirect/308/echo\",\"text\":\"body\"}");
    fake_expect_ok(&a);
    echo = json_object_get(a.json, "json");
    assert_string_equal(json_string_value(json_object_get(echo, "method")), "POST");
    assert_string_equal(json_string_value(json_object_get(echo, "body")), "body");
    fake_answer_free(&a);
    expect(p, "get", "redirect/302/redirect/302/redirect/302/echo", PAWL_TERMINAL, "http.too_many_redirects");
    /* The POST was done; that its result could not be fetched does not make it undone. */
    expect(p, "post", "redirect/303/drop", PAWL_UNKNOWN_OUTCOME, "http.reset");
}

static void test_P10_redirect_to_another_host(void **state)
{
    place *p = *state;
    char path[128];
    http_server *other = http_server_open(NULL, NULL, NULL);
    configure(p, ",\"redirects\":3,\"auth\":{\"bearer\":\"s3cr3t\"},\"headers\":{\"X-Key\":\"inside\"}");
    snprintf(path, sizeof path, "redirect/307/http://127.0.0.1:%u/echo", http_server_port(other));
    expect(p, "post", path, PAWL_TERMINAL, "http.other_host");
    expect(p, "get", "redirect/302/http://user:pw@127.0.0.1/", PAWL_TERMINAL, "http.redirect");
    assert_int_equal(http_server_requests(other), 0);
    /* Where it is allowed, nothing of the configuration or the caller's own credentials goes along. */
    configure(p, ",\"redirects\":3,\"auth\":{\"bearer\":\"s3cr3t\"},\"headers\":{\"X-Key\":\"inside\"},"
                 "\"allow_other_hosts\":true");
    fake_answer a = fake_callf(p->host, "post",
                               "{\"path\":\"%s\",\"text\":\"x\",\"headers\":{\"Cookie\":\"c=1\","
                               "\"Accept\":\"a/b\"}}",
                               path);
    fake_expect_ok(&a);
    const json_t *headers = json_object_get(json_object_get(a.json, "json"), "headers");
    assert_null(json_object_get(headers, "Authorization"));
    assert_null(json_object_get(headers, "X-Key"));
    assert_null(json_object_get(headers, "Cookie"));
    assert_string_equal(json_string_value(json_object_get(headers, "Accept")), "a/b");
    fake_answer_free(&a);
    http_server_close(other);
}

static void test_secrets_stay_out_of_failures(void **state)
{
    place *p = *state;
    configure(p, ",\"auth\":{\"bearer\":\"s3cr3t-token\"},\"headers\":{\"X-Api\":\"another-secret\"}");
    static const char *const paths[] = {"status/500", "status/404", "drop", "cut", "bytes/9000000"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        fake_answer a = fake_callf(p->host, "post", "{\"path\":\"%s\",\"query\":{\"key\":\"q-secret\"}}", paths[i]);
        char *detail = a.detail == NULL ? strdup("") : json_dumps(a.detail, 0);
        assert_null(strstr(a.message, "s3cr3t"));
        assert_null(strstr(a.message, "another-secret"));
        assert_null(strstr(a.message, "q-secret"));
        assert_null(strstr(detail, "s3cr3t"));
        free(detail);
        fake_answer_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_X05_class_of_every_status),
        EACH(test_success_is_what_the_configuration_says),
        EACH(test_retry_after_in_seconds_and_as_a_date),
        EACH(test_X05_what_was_never_sent_is_retryable),
        EACH(test_X05_connection_lost_after_sending),
        EACH(test_lost_post_without_a_key_is_sent_once),
        EACH(test_P15_response_too_large),
        EACH(test_X05_cancel_in_flight_is_prompt),
        EACH(test_X05_cancelled_before_sending),
        EACH(test_X05_deadline_and_timeout),
        EACH(test_redirects_are_followed_within_the_origin),
        EACH(test_P10_redirect_to_another_host),
        EACH(test_secrets_stay_out_of_failures),
    };
    return cmocka_run_group_tests_name("http connector, failures", tests, NULL, NULL);
}
