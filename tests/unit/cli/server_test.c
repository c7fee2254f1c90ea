/* server_test.c: the API server with a real client over a real socket, in front of a fake host. */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void assert_refused(fixture *f, const char *method, const char *path, const char *body, pawl_status status,
                           const char *code)
{
    pawl_error error = {0};
    long http_status = ask(f, method, path, body, NULL, &error);
    if (http_status != 0 || error.status != status || strcmp(error.code, code) != 0)
        fail_msg("%s %s: HTTP %ld, status %d, code %s: %s", method, path, http_status, error.status, error.code,
                 error.message);
}

static const char *member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static void test_start_get_wait(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    json_t *reply = NULL;
    assert_int_equal(
        ask(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"id\":\"a\",\"input\":{\"x\":[1]}}", &reply, NULL),
        201);
    assert_string_equal(member(reply, "id"), "a");
    assert_true(json_is_false(json_object_get(reply, "existed")));
    json_decref(reply);
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"id\":\"a\",\"input\":{\"x\":[1]}}", 200);
    assert_int_equal(ask(f, "GET", "/v1/processes/a/wait", NULL, &reply, NULL), 200);
    assert_string_equal(member(reply, "status"), "completed");
    assert_int_equal(json_array_size(json_object_get(json_object_get(reply, "output"), "x")), 1);
    json_decref(reply);
    assert_int_equal(ask(f, "GET", "/v1/processes/a", NULL, &reply, NULL), 200);
    assert_string_equal(member(reply, "status"), "completed");
    json_decref(reply);
    assert_int_equal(ask(f, "GET", "/v1/processes/a/journal?from=2&limit=1", NULL, &reply, NULL), 200);
    assert_int_equal(json_array_size(json_object_get(reply, "records")), 1);
    json_decref(reply);
    fixture_close(f);
}

static void test_R02_same_id_other_input_is_a_conflict(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.hold\",\"id\":\"a\",\"input\":1}", 201);
    assert_refused(f, "POST", "/v1/processes", "{\"type\":\"test.hold\",\"id\":\"a\",\"input\":2}", PAWL_E_CONFLICT,
                   "registry.conflict");
    fixture_close(f);
}

static void test_inputs_as_text_and_base64(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    json_t *reply = NULL;
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"id\":\"t\",\"input_text\":\"not json\"}", 201);
    assert_int_equal(ask(f, "GET", "/v1/processes/t/wait", NULL, &reply, NULL), 200);
    assert_string_equal(member(reply, "output_base64"), "bm90IGpzb24=");
    json_decref(reply);
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"id\":\"b\",\"input_base64\":\"eyJhIjoxfQ==\"}",
             201);
    assert_int_equal(ask(f, "GET", "/v1/processes/b/wait", NULL, &reply, NULL), 200);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(reply, "output"), "a")), 1);
    json_decref(reply);
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"id\":\"n\"}", 201);
    assert_int_equal(ask(f, "GET", "/v1/processes/n/wait", NULL, &reply, NULL), 200);
    assert_true(json_is_null(json_object_get(reply, "output")));
    json_decref(reply);
    assert_refused(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"input_base64\":\"a\"}", PAWL_E_INVALID,
                   "api.base64");
    assert_refused(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"input_base64\":\"a*==\"}", PAWL_E_INVALID,
                   "api.base64");
    assert_refused(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"input\":1,\"input_text\":\"1\"}",
                   PAWL_E_INVALID, "api.content_twice");
    fixture_close(f);
}

/* Read from a stream of ends until this text has come. */
static void read_until(int descriptor, char *text, size_t room, const char *wanted)
{
    size_t used = strlen(text);
    while (strstr(text, wanted) == NULL) {
        ssize_t part = read(descriptor, text + used, room - 1 - used);
        if (part <= 0)
            fail_msg("the stream ended before \"%s\": %s", wanted, text);
        used += (size_t)part;
        text[used] = '\0';
    }
}

static int listen_to_ends(const fixture *f, const char *query)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", f->socket);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    char request[256];
    int size = snprintf(request, sizeof request, "GET /v1/ends%s HTTP/1.1\r\nHost: p\r\n\r\n", query);
    assert_int_equal(send(descriptor, request, (size_t)size, MSG_NOSIGNAL), size);
    return descriptor;
}

static void test_ends_are_told_to_who_listens(void **state)
{
    (void)state;
    static char text[65536];
    text[0] = '\0';
    fixture *f = fixture_open("");
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"id\":\"before\"}", 201);
    int descriptor = listen_to_ends(f, "?type=test.echo&prefix=a&heartbeat_ms=100");
    read_until(descriptor, text, sizeof text, "{\"heartbeat\":100,");
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"id\":\"b1\"}", 201);
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.fail\",\"id\":\"a0\"}", 201);
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"id\":\"a1\",\"session\":\"s\",\"input\":[7]}", 201);
    read_until(descriptor, text, sizeof text, "\"id\":\"a1\"");
    read_until(descriptor, text, sizeof text, "\"ended_unix_ns\":");
    assert_contains(text, "application/x-ndjson");
    assert_contains(text, "\"output\":[7]");
    assert_contains(text, "\"session\":\"s\"");
    assert_null(strstr(text, "before"));
    assert_null(strstr(text, "\"b1\""));
    assert_null(strstr(text, "\"a0\""));
    char *last = text + strlen(text);
    read_until(descriptor, last, sizeof text - (size_t)(last - text), "{\"heartbeat\":100,");
    close(descriptor);
    assert_refused(f, "GET", "/v1/ends?heartbeat_ms=1", NULL, PAWL_E_INVALID, "api.query_value");
    fixture_close(f);
}

/* Who does not read loses ends, is told how many, and nobody else waits for it. */
static void test_I10_H14_a_slow_listener_is_told_what_it_missed(void **state)
{
    (void)state;
    static char text[4 * 1024 * 1024];
    static char body[4096];
    text[0] = '\0';
    fixture *f = fixture_open("");
    int descriptor = listen_to_ends(f, "?heartbeat_ms=30000");
    read_until(descriptor, text, sizeof text, "heartbeat");
    char long_text[3001] = "";
    memset(long_text, 'x', sizeof long_text - 1);
    for (int i = 0; i < 1000; i++) {
        snprintf(body, sizeof body, "{\"type\":\"test.echo\",\"id\":\"p%d\",\"input\":\"%s\"}", i, long_text);
        ask_well(f, "POST", "/v1/processes", body, 201);
    }
    read_until(descriptor, text, sizeof text, "{\"lagged\":{\"missed\":");
    size_t told = 0;
    for (const char *at = text; (at = strstr(at, "\"id\":\"p")) != NULL; at++)
        told++;
    read_until(descriptor, text, sizeof text, ",\"since_unix_ns\":");
    unsigned long long missed = strtoull(strstr(text, "\"missed\":") + 9, NULL, 10);
    assert_int_equal(told + missed, 1000);
    assert_true(told > 100 && missed > 100);
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"id\":\"after\"}", 201);
    read_until(descriptor, text, sizeof text, "\"id\":\"after\"");
    close(descriptor);
    fixture_close(f);
}

/* The position that the line of this process names. */
static void position_of(const char *text, const char *id, char position[64])
{
    char named[64];
    snprintf(named, sizeof named, "\"id\":\"%s\"", id);
    const char *at = strstr(text, named);
    assert_non_null(at);
    while (strncmp(at, "{\"at\":\"", 7) != 0)
        at--;
    snprintf(position, 64, "%.*s", (int)strcspn(at + 7, "\""), at + 7);
}

static void expect_stream(const fixture *f, const char *after, const char *until, char *text, size_t room)
{
    char query[128];
    text[0] = '\0';
    snprintf(query, sizeof query, "?type=test.echo&after=%s", after);
    int descriptor = listen_to_ends(f, query);
    read_until(descriptor, text, room, until);
    close(descriptor);
}

static void test_H14_a_stream_goes_on_where_it_was_lost(void **state)
{
    (void)state;
    static char text[65536];
    char position[64], beat[64];
    text[0] = '\0';
    fixture *f = fixture_open("");
    int descriptor = listen_to_ends(f, "");
    read_until(descriptor, text, sizeof text, "\"at\":\"");
    read_until(descriptor, text, sizeof text, "\"}\n");
    snprintf(beat, sizeof beat, "%.33s", strstr(text, "\"at\":\"") + 6);
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"id\":\"a\"}", 201);
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.fail\",\"id\":\"b\"}", 201);
    read_until(descriptor, text, sizeof text, "\"id\":\"b\"");
    position_of(text, "a", position);
    close(descriptor);
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"id\":\"c\"}", 201); /* nobody listens */
    ask_well(f, "GET", "/v1/processes/c/wait", NULL, 200);
    expect_stream(f, position, "\"heartbeat\"", text, sizeof text);
    assert_contains(text, "\"id\":\"c\"");
    assert_null(strstr(text, "\"id\":\"a\""));
    assert_null(strstr(text, "\"id\":\"b\"")); /* of another type */
    assert_null(strstr(text, "gap"));
    expect_stream(f, beat, "\"heartbeat\"", text, sizeof text); /* the first heartbeat named a position, too */
    assert_contains(text, "\"id\":\"a\"");
    assert_null(strstr(text, "gap"));
    position_of(text, "c", position);
    expect_stream(f, position, "\"heartbeat\"", text, sizeof text);
    assert_null(strstr(text, "\"id\""));
    assert_null(strstr(text, "gap"));
    fixture_close(f);
}

static void test_H14_a_position_that_is_not_known_is_said_to_be(void **state)
{
    (void)state;
    static char text[4 * 1024 * 1024];
    static char body[4096];
    char position[64], other[64];
    text[0] = '\0';
    fixture *f = fixture_open("");
    int descriptor = listen_to_ends(f, "");
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"id\":\"a\"}", 201);
    read_until(descriptor, text, sizeof text, "\"id\":\"a\"");
    position_of(text, "a", position);
    snprintf(other, sizeof other, "%s", position);
    other[0] = 'f'; /* of another server's life */
    expect_stream(f, other, "\"heartbeat\"", text, sizeof text);
    assert_non_null(strstr(text, "{\"gap\":\""));
    assert_true(strstr(text, "{\"gap\":\"") < strstr(text, "\"id\":\"a\"")); /* and what is kept is told */
    snprintf(other, sizeof other, "%s", position);
    memset(other + 17, '7', 16); /* a number that has not been yet */
    expect_stream(f, other, "\"heartbeat\"", text, sizeof text);
    assert_contains(text, "{\"gap\":\"");
    expect_stream(f, "nonsense", "\"heartbeat\"", text, sizeof text);
    assert_contains(text, "{\"gap\":\"");
    char long_text[3001] = "";
    memset(long_text, 'x', sizeof long_text - 1);
    for (int i = 0; i < 300; i++) { /* more than is kept */
        snprintf(body, sizeof body, "{\"type\":\"test.echo\",\"id\":\"p%d\",\"input\":\"%s\"}", i, long_text);
        ask_well(f, "POST", "/v1/processes", body, 201);
    }
    ask_well(f, "GET", "/v1/processes/p299/wait", NULL, 200);
    close(descriptor);
    expect_stream(f, position, "\"heartbeat\"", text, sizeof text);
    assert_contains(text, "{\"gap\":\"");
    assert_contains(text, "\"id\":\"p299\"");
    assert_null(strstr(text, "\"id\":\"p0\""));
    position_of(text, "p299", position);
    expect_stream(f, position, "\"heartbeat\"", text, sizeof text);
    assert_null(strstr(text, "gap"));
    fixture_close(f);
}

static void test_listeners_are_told_of_a_stop(void **state)
{
    (void)state;
    static char text[4096];
    text[0] = '\0';
    fixture *f = fixture_open("");
    int descriptor = listen_to_ends(f, "");
    read_until(descriptor, text, sizeof text, "heartbeat");
    f->server = pawl_api_server_close(f->server);
    read_until(descriptor, text, sizeof text, "{\"closed\":\"the server is stopping\"}\n");
    close(descriptor);
    fixture_close(f);
}

static void test_json_is_strict(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    assert_refused(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"inputs\":1}", PAWL_E_INVALID,
                   "api.unknown_key");
    assert_refused(f, "POST", "/v1/processes", "{\"type\":7}", PAWL_E_INVALID, "api.wrong_type");
    assert_refused(f, "POST", "/v1/processes", "{}", PAWL_E_INVALID, "api.missing_key");
    assert_refused(f, "POST", "/v1/processes", "[]", PAWL_E_INVALID, "api.not_an_object");
    assert_refused(f, "GET", "/v1/processes?state=live", NULL, PAWL_E_INVALID, "api.unknown_query");
    assert_refused(f, "GET", "/v1/processes?limit=0", NULL, PAWL_E_INVALID, "api.query_value");
    assert_refused(f, "GET", "/v1/processes?limit=9x", NULL, PAWL_E_INVALID, "api.query_value");
    assert_refused(f, "GET", "/v1/processes?limit=1&limit=2", NULL, PAWL_E_INVALID, "api.query_twice");
    assert_refused(f, "GET", "/v1/processes/%zz", NULL, PAWL_E_INVALID, "api.uri");
    assert_refused(f, "GET", "/v1/processes/a%00b", NULL, PAWL_E_INVALID, "api.uri");
    char *text =
        ask_raw(f, "POST /v1/processes HTTP/1.1\r\nHost: p\r\nConnection: close\r\nContent-Length: 7\r\n\r\n{\"a\":1,");
    assert_contains(text, "400");
    assert_contains(text, "api.not_json");
    free(text);
    fixture_close(f);
}

static void test_statuses_and_codes(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    assert_refused(f, "GET", "/v1/processes/none", NULL, PAWL_E_NOT_FOUND, "registry.not_found");
    assert_refused(f, "GET", "/v1/processes/none/wait", NULL, PAWL_E_NOT_FOUND, "registry.not_found");
    assert_refused(f, "GET", "/v2/processes", NULL, PAWL_E_NOT_FOUND, "api.no_route");
    assert_refused(f, "POST", "/v1/health", "{}", PAWL_E_UNSUPPORTED, "api.method");
    assert_refused(f, "POST", "/v1/processes", "{\"type\":\"test.full\"}", PAWL_E_FULL, "store.no_space");
    assert_refused(f, "POST", "/v1/processes", "{\"type\":\"test.closed\"}", PAWL_E_CLOSED, "host.closed");
    static const struct {
        const char *request;
        const char *wanted;
    } raw[] = {
        {"GET /v1/processes/none HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n", "HTTP/1.1 404"},
        {"GET /v1/processes/pruned HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n", "HTTP/1.1 410"},
        {"DELETE /v1/processes HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n", "HTTP/1.1 405"},
        {"DELETE /v1/processes HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n", "Allow: GET, HEAD, POST"},
        {"HEAD /v1/health HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n", "HTTP/1.1 200"},
    };
    for (size_t i = 0; i < sizeof raw / sizeof *raw; i++) {
        char *text = ask_raw(f, raw[i].request);
        assert_contains(text, raw[i].wanted);
        free(text);
    }
    fixture_close(f);
}

static void test_ids_may_hold_any_character(void **state)
{
    (void)state;
    static const char *const ids[] = {"a/b", "..", "a b?c=d&e#f%41", "\xc3\xa9t\xc3\xa9", "+"};
    fixture *f = fixture_open("");
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        json_t *body = json_pack("{s:s, s:s, s:i}", "type", "test.echo", "id", ids[i], "input", 1);
        char *text = json_dumps(body, 0);
        char *path = pawl_client_process_path(ids[i], "");
        json_t *reply = NULL;
        ask_well(f, "POST", "/v1/processes", text, 201);
        assert_int_equal(ask(f, "GET", path, NULL, &reply, NULL), 200);
        assert_string_equal(member(reply, "id"), ids[i]);
        json_decref(reply);
        json_decref(body);
        free(path);
        free(text);
    }
    fixture_close(f);
}

static void test_batch_has_a_result_for_each(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    json_t *reply = NULL;
    ask(f, "POST", "/v1/processes",
        "{\"batch\":[{\"type\":\"test.echo\",\"id\":\"a\"},{\"type\":\"test.none\"},{\"typ\":1},{\"type\":\"test."
        "closed\"},7,"
        "{\"type\":\"test.echo\",\"id\":\"a\"}]}",
        &reply, NULL);
    json_t *results = json_object_get(reply, "results");
    assert_int_equal(json_array_size(results), 6);
    assert_string_equal(member(json_array_get(results, 0), "id"), "a");
    assert_string_equal(member(json_object_get(json_array_get(results, 1), "error"), "status"), "not_found");
    assert_string_equal(member(json_object_get(json_array_get(results, 2), "error"), "code"), "api.unknown_key");
    assert_string_equal(member(json_object_get(json_array_get(results, 3), "error"), "status"), "closed");
    assert_string_equal(member(json_object_get(json_array_get(results, 4), "error"), "code"), "api.not_an_object");
    assert_true(json_is_true(json_object_get(json_array_get(results, 5), "existed")));
    json_decref(reply);
    assert_refused(f, "POST", "/v1/processes", "{\"batch\":[]}", PAWL_E_INVALID, "api.batch");
    assert_refused(f, "POST", "/v1/processes", "{\"batch\":{}}", PAWL_E_INVALID, "api.batch");
    assert_refused(f, "POST", "/v1/processes", "{\"batch\":[{}],\"type\":\"x\"}", PAWL_E_INVALID, "api.unknown_key");
    fixture_close(f);
}

static void test_large_batch(void **state)
{
    (void)state;
    fixture *f = fixture_open("input: 1000000\n");
    json_t *list = json_array();
    for (int i = 0; i < 1000; i++)
        json_array_append_new(list, json_pack("{s:s, s:i}", "type", "test.echo", "input", i));
    json_t *body = json_pack("{s:o}", "batch", list);
    char *text = json_dumps(body, 0);
    json_t *reply = NULL;
    assert_int_equal(ask(f, "POST", "/v1/processes", text, &reply, NULL), 200);
    assert_int_equal(json_array_size(json_object_get(reply, "results")), 1000);
    json_decref(reply);
    free(text);
    json_array_append_new(list, json_pack("{s:s}", "type", "test.echo"));
    text = json_dumps(body, 0);
    assert_refused(f, "POST", "/v1/processes", text, PAWL_E_LIMIT, "api.batch");
    free(text);
    json_decref(body);
    fixture_close(f);
}

static void test_H13_wait_times_out_with_204(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.hold\",\"id\":\"a\"}", 201);
    ask_well(f, "GET", "/v1/processes/a/wait?timeout_ms=0", NULL, 204);
    ask_well(f, "GET", "/v1/processes/a/wait?timeout_ms=50", NULL, 204);
    assert_int_equal(fake_host_waits(f->host), 0);
    assert_refused(f, "GET", "/v1/processes/a/wait?timeout_ms=60001", NULL, PAWL_E_INVALID, "api.query_value");
    fixture_close(f);
}

static void test_tell_a_process(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    json_t *reply = NULL;
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.hold\",\"id\":\"a\"}", 201);
    ask_well(f, "POST", "/v1/processes/a/signals", "{\"name\":\"note\",\"payload\":1,\"id\":\"s1\"}", 200);
    assert_int_equal(
        ask(f, "POST", "/v1/processes/a/signals", "{\"name\":\"note\",\"payload\":1,\"id\":\"s1\"}", &reply, NULL),
        200);
    assert_true(json_is_true(json_object_get(reply, "replayed")));
    json_decref(reply);
    assert_refused(f, "POST", "/v1/processes/a/signals", "{\"name\":\"note\",\"payload\":2,\"id\":\"s1\"}",
                   PAWL_E_CONFLICT, "registry.conflict");
    assert_refused(f, "POST", "/v1/processes/a/signals", "{\"payload\":2}", PAWL_E_INVALID, "api.missing_key");
    ask_well(f, "POST", "/v1/processes/a/signals", "{\"name\":\"go\",\"payload_text\":\"x\"}", 200);
    assert_refused(f, "POST", "/v1/processes/a/cancel", NULL, PAWL_E_TERMINAL, "registry.terminal");
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.hold\",\"id\":\"b\"}", 201);
    ask_well(f, "POST", "/v1/processes/b/cancel", "{\"reason\":\"enough\"}", 200);
    assert_int_equal(ask(f, "GET", "/v1/processes/b/wait", NULL, &reply, NULL), 200);
    assert_string_equal(member(reply, "status"), "cancelled");
    assert_string_equal(member(reply, "message"), "enough");
    json_decref(reply);
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.hold\",\"id\":\"c\"}", 201);
    ask_well(f, "POST", "/v1/processes/c/terminate", NULL, 200);
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.stuck\",\"id\":\"d\"}", 201);
    ask_well(f, "POST", "/v1/processes/d/resume", "{}", 200);
    assert_refused(f, "POST", "/v1/processes/d/resume", NULL, PAWL_E_CONFLICT, "host.not_stuck");
    ask_well(f, "POST", "/v1/processes/d/restart", "{\"from\":2,\"reason\":\"mended\",\"id\":\"r-1\"}", 200);
    ask_well(f, "POST", "/v1/processes/d/restart", "{\"from\":\"end\"}", 200);
    assert_refused(f, "POST", "/v1/processes/d/restart", "{\"from\":9}", PAWL_E_INVALID, "no_such_step");
    assert_refused(f, "POST", "/v1/processes/d/restart", "{\"from\":\"there\"}", PAWL_E_INVALID, "api.from");
    assert_refused(f, "POST", "/v1/processes", "{\"type\":\"test.echo\",\"reuse\":\"always\"}", PAWL_E_INVALID,
                   "api.reuse");
    fixture_close(f);
}

static void test_external_processes(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    json_t *reply = NULL;
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"import\",\"id\":\"a\",\"external\":true}", 201);
    assert_refused(f, "POST", "/v1/processes/a/complete", "{\"status\":\"done\"}", PAWL_E_INVALID, "api.ending");
    assert_refused(f, "POST", "/v1/processes/a/complete", "{\"status\":\"failed\",\"output\":1}", PAWL_E_INVALID,
                   "api.ending");
    ask_well(f, "POST", "/v1/processes/a/complete",
             "{\"status\":\"failed\",\"code\":\"import.bad\",\"message\":\"no\"}", 200);
    assert_int_equal(ask(f, "GET", "/v1/processes/a/wait", NULL, &reply, NULL), 200);
    assert_string_equal(member(reply, "code"), "import.bad");
    json_decref(reply);
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"import\",\"id\":\"b\",\"external\":true}", 201);
    ask_well(f, "POST", "/v1/processes/b/complete", "{\"output\":{\"rows\":3}}", 200);
    fixture_close(f);
}

static void test_list_pages(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    json_t *reply = NULL;
    for (int i = 0; i < 5; i++) {
        char body[64];
        snprintf(body, sizeof body, "{\"type\":\"test.hold\",\"id\":\"p%d\"}", i);
        ask_well(f, "POST", "/v1/processes", body, 201);
    }
    assert_int_equal(ask(f, "GET", "/v1/processes?limit=2&status=live&prefix=p", NULL, &reply, NULL), 200);
    assert_int_equal(json_array_size(json_object_get(reply, "processes")), 2);
    json_int_t next = json_integer_value(json_object_get(reply, "next"));
    json_decref(reply);
    char path[96];
    snprintf(path, sizeof path, "/v1/processes?limit=3&after=%d", (int)next);
    assert_int_equal(ask(f, "GET", path, NULL, &reply, NULL), 200);
    assert_int_equal(json_array_size(json_object_get(reply, "processes")), 3);
    assert_true(json_is_null(json_object_get(reply, "next")));
    json_decref(reply);
    fixture_close(f);
}

static void test_body_over_the_limit_is_413(void **state)
{
    (void)state;
    fixture *f = fixture_open("input: 100\n");
    assert_refused(
        f, "POST", "/v1/processes",
        "{\"type\":\"test.echo\",\"input\":\"0123456789012345678901234567890123456789012345678901234567890123456789"
        "012345678901234567890123456789\"}",
        PAWL_E_LIMIT, "host.input_too_large");
    size_t size = (size_t)2 * 1024 * 1024;
    char *input = malloc(size + 1);
    memset(input, 'x', size);
    input[size] = '\0';
    json_t *body = json_pack("{s:s, s:s}", "type", "test.echo", "input", input);
    char *text = json_dumps(body, 0);
    assert_refused(f, "POST", "/v1/processes", text, PAWL_E_LIMIT, "api.body_too_large");
    ask_well(f, "GET", "/v1/health", NULL, 200); /* the server is well */
    free(text);
    json_decref(body);
    free(input);
    fixture_close(f);
}

static void test_header_over_the_limit_is_refused(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    char *request = malloc(200000);
    int used = snprintf(request, 200000, "GET /v1/health HTTP/1.1\r\nHost: p\r\nX-Long: ");
    memset(request + used, 'x', 100000);
    snprintf(request + used + 100000, 1000, "\r\n\r\n");
    char *text = ask_raw(f, request);
    assert_true(strncmp(text, "HTTP/1.1 4", 10) == 0 || text[0] == '\0');
    free(text);
    free(request);
    ask_well(f, "GET", "/v1/health", NULL, 200);
    fixture_close(f);
}

static void *ask_slow(void *context)
{
    fixture *f = context;
    return ask_raw(f, "GET /v1/processes/slow HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n");
}

static void wait_for_count(uint32_t (*count)(pawl_host *), pawl_host *host, uint32_t wanted)
{
    struct timespec until;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &until);
    do {
        if (count(host) == wanted)
            return;
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < until.tv_sec + 20);
    fail_msg("waited in vain");
}

static void test_requests_over_the_limit_are_503(void **state)
{
    (void)state;
    fixture *f = fixture_open("requests: 2\n");
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_slow, f), 0);
    wait_for_count(fake_host_at_gate, f->host, 2);
    char *text = ask_raw(f, "GET /v1/health HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n");
    assert_contains(text, "HTTP/1.1 503");
    assert_contains(text, "Retry-After: 1");
    assert_contains(text, "api.busy");
    free(text);
    fake_host_open_gate(f->host);
    for (size_t i = 0; i < 2; i++) {
        void *reply = NULL;
        pthread_join(threads[i], &reply);
        assert_contains(reply, "HTTP/1.1 404");
        free(reply);
    }
    ask_well(f, "GET", "/v1/health", NULL, 200);
    fixture_close(f);
}

#define WAITERS 200

static void *wait_raw(void *context)
{
    fixture *f = context;
    return ask_raw(f, "GET /v1/processes/a/wait?timeout_ms=60000 HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n");
}

static void test_many_waits_hold_no_request_and_all_end(void **state)
{
    (void)state;
    fixture *f = fixture_open("requests: 4\n");
    pthread_t threads[WAITERS];
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.hold\",\"id\":\"a\"}", 201);
    for (uint32_t i = 0; i < WAITERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, wait_raw, f), 0);
        wait_for_count(fake_host_waits, f->host, i + 1);
    }
    ask_well(f, "POST", "/v1/processes/a/signals", "{\"name\":\"go\",\"payload\":42}", 200);
    for (size_t i = 0; i < WAITERS; i++) {
        void *reply = NULL;
        pthread_join(threads[i], &reply);
        assert_contains(reply, "\"output\":42");
        free(reply);
    }
    fixture_close(f);
}

static void test_close_ends_waits_and_lets_requests_finish(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    pthread_t waiter;
    pthread_t slow;
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.hold\",\"id\":\"a\"}", 201);
    assert_int_equal(pthread_create(&waiter, NULL, wait_raw, f), 0);
    assert_int_equal(pthread_create(&slow, NULL, ask_slow, f), 0);
    wait_for_count(fake_host_waits, f->host, 1);
    wait_for_count(fake_host_at_gate, f->host, 1);
    fake_host_open_gate(f->host);
    f->server = pawl_api_server_close(f->server);
    void *reply = NULL;
    pthread_join(waiter, &reply);
    assert_contains(reply, "HTTP/1.1 503");
    assert_contains(reply, "api.closing");
    free(reply);
    pthread_join(slow, &reply);
    assert_contains(reply, "HTTP/1.1 404");
    free(reply);
    assert_int_equal(access(f->socket, F_OK), -1);
    fixture_close(f);
}

static void test_waiting_client_that_goes_away_is_forgotten(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.hold\",\"id\":\"a\"}", 201);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", f->socket);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    static const char request[] = "GET /v1/processes/a/wait?timeout_ms=300 HTTP/1.1\r\nHost: p\r\n\r\n";
    assert_int_equal(connect(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(descriptor, request, sizeof request - 1), (ssize_t)sizeof request - 1);
    wait_for_count(fake_host_waits, f->host, 1);
    close(descriptor);
    wait_for_count(fake_host_waits, f->host, 0);
    ask_well(f, "GET", "/v1/health", NULL, 200);
    fixture_close(f);
}

static void test_drain_and_describe(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    json_t *reply = NULL;
    ask_well(f, "POST", "/v1/drain", "{\"mode\":\"graceful\",\"timeout_ms\":1000}", 200);
    ask_well(f, "POST", "/v1/drain", NULL, 200);
    assert_refused(f, "POST", "/v1/drain", "{\"mode\":\"now\"}", PAWL_E_INVALID, "api.mode");
    assert_int_equal(ask(f, "GET", "/v1/host", NULL, &reply, NULL), 200);
    assert_string_equal(member(reply, "profile"), "test");
    json_decref(reply);
    assert_int_equal(ask(f, "GET", "/v1/health", NULL, &reply, NULL), 200);
    assert_string_equal(member(reply, "status"), "ok");
    json_decref(reply);
    fixture_close(f);
}

static void test_H15_metrics_have_bounded_labels(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    ask_well(f, "POST", "/v1/processes", "{\"type\":\"test.hold\",\"id\":\"secret-id\"}", 201);
    char *text = ask_raw(f, "GET /metrics HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n");
    assert_contains(text, "HTTP/1.1 200");
    assert_contains(text, "text/plain; version=0.0.4");
    assert_contains(text, "pawl_processes{status=\"waiting\"} 1\n");
    assert_contains(text, "# TYPE pawl_worker_resident gauge\npawl_worker_resident 3\n");
    assert_contains(text, "# TYPE pawl_worker_steps_total counter\npawl_worker_steps_total 7\n");
    assert_contains(text, "pawl_worker_running 1\n");
    assert_contains(text, "pawl_api_requests_total 2\n");
    assert_contains(text, "pawl_info{version=\"0.1.0\",profile=\"test\",tier=\"inline\"} 1\n");
    assert_null(strstr(text, "secret-id"));
    free(text);
    fixture_close(f);
}

/* ---- the socket ----------------------------------------------------------------------------------------------------
 */

static void test_socket_is_private(void **state)
{
    (void)state;
    mode_t before = umask(0);
    fixture *f = fixture_open("");
    umask(before);
    struct stat found;
    assert_int_equal(stat(f->socket, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0600);
    fixture_close(f);
}

static void test_second_server_is_refused(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    pawl_api_server *second = NULL;
    pawl_error error = {0};
    pawl_api_server_options options = {.host = f->host};
    assert_int_equal(pawl_api_server_open(&options, &second, &error), PAWL_E_BUSY);
    assert_string_equal(error.code, "api.socket_taken");
    ask_well(f, "GET", "/v1/health", NULL, 200); /* the first one still has it */
    fixture_close(f);
}

static void test_stale_socket_is_replaced_and_other_files_are_not(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    f->server = pawl_api_server_close(f->server);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", f->socket);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    close(descriptor); /* the file stays, as after kill -9 */
    pawl_error error = {0};
    pawl_api_server_options options = {.host = f->host};
    assert_int_equal(pawl_api_server_open(&options, &f->server, &error), PAWL_OK);
    ask_well(f, "GET", "/v1/health", NULL, 200);
    f->server = pawl_api_server_close(f->server);
    char path[256];
    fixture_file(f, "pawl.sock", "precious", path);
    assert_int_equal(pawl_api_server_open(&options, &f->server, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "api.socket_not_a_socket");
    assert_int_equal(access(path, F_OK), 0);
    char longer[200];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    options.socket_path = longer;
    assert_int_equal(pawl_api_server_open(&options, &f->server, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "api.socket_path");
    options.socket_path = "/nonexistent-directory/pawl.sock";
    assert_int_equal(pawl_api_server_open(&options, &f->server, &error), PAWL_E_INVALID);
    fixture_close(f);
}

static void test_closing_leaves_another_servers_socket(void **state)
{
    (void)state;
    fixture *f = fixture_open("");
    assert_int_equal(unlink(f->socket), 0); /* somebody removed ours ... */
    pawl_api_server *second = NULL;
    pawl_error error = {0};
    pawl_api_server_options options = {.host = f->host};
    assert_int_equal(pawl_api_server_open(&options, &second, &error), PAWL_OK); /* ... and another took the path */
    f->server = pawl_api_server_close(f->server);
    assert_int_equal(access(f->socket, F_OK), 0);
    f->client = pawl_client_close(f->client);
    assert_int_equal(pawl_client_open(f->socket, NULL, &f->client, &error), PAWL_OK);
    ask_well(f, "GET", "/v1/health", NULL, 200);
    pawl_api_server_close(second);
    fixture_close(f);
}

static void test_client_says_when_nobody_listens(void **state)
{
    (void)state;
    fixture *f = fixture_bare("");
    pawl_error error = {0};
    assert_int_equal(pawl_client_open(f->socket, "shop.yaml", &f->client, &error), PAWL_OK);
    assert_int_equal(ask(f, "GET", "/v1/health", NULL, NULL, &error), 0);
    assert_string_equal(error.code, "client.no_server");
    assert_contains(error.message, "no pawl serve listens at");
    assert_contains(error.message, "pawl serve --profile shop.yaml");
    fixture_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_get_wait),
        cmocka_unit_test(test_R02_same_id_other_input_is_a_conflict),
        cmocka_unit_test(test_inputs_as_text_and_base64),
        cmocka_unit_test(test_ends_are_told_to_who_listens),
        cmocka_unit_test(test_I10_H14_a_slow_listener_is_told_what_it_missed),
        cmocka_unit_test(test_H14_a_stream_goes_on_where_it_was_lost),
        cmocka_unit_test(test_H14_a_position_that_is_not_known_is_said_to_be),
        cmocka_unit_test(test_listeners_are_told_of_a_stop),
        cmocka_unit_test(test_json_is_strict),
        cmocka_unit_test(test_statuses_and_codes),
        cmocka_unit_test(test_ids_may_hold_any_character),
        cmocka_unit_test(test_batch_has_a_result_for_each),
        cmocka_unit_test(test_large_batch),
        cmocka_unit_test(test_H13_wait_times_out_with_204),
        cmocka_unit_test(test_tell_a_process),
        cmocka_unit_test(test_external_processes),
        cmocka_unit_test(test_list_pages),
        cmocka_unit_test(test_body_over_the_limit_is_413),
        cmocka_unit_test(test_header_over_the_limit_is_refused),
        cmocka_unit_test(test_requests_over_the_limit_are_503),
        cmocka_unit_test(test_many_waits_hold_no_request_and_all_end),
        cmocka_unit_test(test_close_ends_waits_and_lets_requests_finish),
        cmocka_unit_test(test_waiting_client_that_goes_away_is_forgotten),
        cmocka_unit_test(test_drain_and_describe),
        cmocka_unit_test(test_H15_metrics_have_bounded_labels),
        cmocka_unit_test(test_socket_is_private),
        cmocka_unit_test(test_second_server_is_refused),
        cmocka_unit_test(test_stale_socket_is_replaced_and_other_files_are_not),
        cmocka_unit_test(test_closing_leaves_another_servers_socket),
        cmocka_unit_test(test_client_says_when_nobody_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
