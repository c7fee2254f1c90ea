/* gone_client_test.c: a client that dies in the middle of a request. Nobody hears the answer: what was asked in full is
 * done or not, what was not asked in full is never done, and asking again tells. */
#include "support.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define START "{\"type\":\"test.hold\",\"id\":\"a\"}"

/* Send a request, whole or not, and be gone. */
static void send_and_go(const fixture *f, const char *request, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", f->socket);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(descriptor >= 0);
    assert_int_equal(connect(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(descriptor, request, size), (ssize_t)size);
    close(descriptor);
}

static void post(char *request, size_t room, const char *path, const char *body)
{
    snprintf(request, room, "POST %s HTTP/1.1\r\nHost: p\r\nContent-Length: %zu\r\n\r\n%s", path, strlen(body), body);
}

static void test_a_request_that_was_not_sent_in_full_is_not_done(void **state)
{
    (void)state;
    char request[256];
    pawl_error error = {0};
    fixture *f = fixture_open("");
    post(request, sizeof request, "/v1/processes", START);
    for (size_t size = 1; size < strlen(request); size++)
        send_and_go(f, request, size);
    ask_well(f, "GET", "/v1/health", NULL, 200);
    assert_int_equal(ask(f, "GET", "/v1/processes/a", NULL, NULL, &error), 0);
    assert_int_equal(error.status, PAWL_E_NOT_FOUND);
    assert_int_equal(ask(f, "POST", "/v1/processes", START, NULL, &error), 201);
    fixture_close(f);
}

static void test_a_request_whose_client_is_gone_may_be_sent_again(void **state)
{
    (void)state;
    static const char go[] = "{\"name\":\"go\",\"payload\":1,\"id\":\"s\"}";
    char request[256];
    pawl_error error = {0};
    fixture *f = fixture_open("");
    post(request, sizeof request, "/v1/processes", START);
    for (int i = 0; i < 50; i++)
        send_and_go(f, request, strlen(request));
    long status = ask(f, "POST", "/v1/processes", START, NULL, NULL);
    assert_true(status == 200 || status == 201);
    post(request, sizeof request, "/v1/processes/a/signals", go);
    send_and_go(f, request, strlen(request));
    (void)ask(f, "POST", "/v1/processes/a/signals", go, NULL, &error); /* refused when the first has led to the end */
    ask_well(f, "GET", "/v1/processes/a/wait", NULL, 200);
    fixture_close(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_that_was_not_sent_in_full_is_not_done),
        cmocka_unit_test(test_a_request_whose_client_is_gone_may_be_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
