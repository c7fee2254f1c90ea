/* gone_client_test.c: a client that dies in the middle of a request. What was not asked in full is never done; what
 * was, is done or not, and asking again tells. */
#include "support.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define START_A "{\"type\":\"test.hold\",\"id\":\"a\"}"
#define START_B "{\"type\":\"test.hold\",\"id\":\"b\"}"

/* Send a request, whole or not, and read nothing. */
static int send_only(const fixture *f, const char *request, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", f->socket);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(descriptor >= 0);
    assert_int_equal(connect(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(descriptor, request, size), (ssize_t)size);
    return descriptor;
}

static size_t post(char *request, size_t room, const char *path, const char *body)
{
    return (size_t)snprintf(request, room, "POST %s HTTP/1.1\r\nHost: p\r\nContent-Length: %zu\r\n\r\n%s", path,
                            strlen(body), body);
}

static void wait_until_there(fixture *f, const char *path)
{
    struct timespec now;
    struct timespec until;
    pawl_error error = {0};
    clock_gettime(CLOCK_MONOTONIC, &until);
    while (ask(f, "GET", path, NULL, NULL, &error) != 200) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > until.tv_sec + 20)
            fail_msg("%s is not there: %s", path, error.message);
        sched_yield();
    }
}

static void assert_not_there(fixture *f, const char *path)
{
    pawl_error error = {0};
    assert_int_equal(ask(f, "GET", path, NULL, NULL, &error), 0);
    assert_int_equal(error.status, PAWL_E_NOT_FOUND);
}

static void test_a_request_that_was_not_sent_in_full_is_not_done(void **state)
{
    (void)state;
    char request[256];
    int descriptors[256];
    fixture *f = fixture_open("");
    size_t whole = post(request, sizeof request, "/v1/processes", START_A);
    for (size_t size = 1; size < whole; size++)
        descriptors[size] = send_only(f, request, size);
    ask_well(f, "POST", "/v1/processes", START_B, 201); /* came after them, and is done: so would they be */
    assert_not_there(f, "/v1/processes/a");
    for (size_t size = 1; size < whole; size++)
        close(descriptors[size]);
    ask_well(f, "POST", "/v1/processes", START_B, 200);
    assert_not_there(f, "/v1/processes/a");
    fixture_close(f);
}

static void test_a_request_whose_client_is_gone_may_be_sent_again(void **state)
{
    (void)state;
    static const char go[] = "{\"name\":\"other\",\"payload\":1,\"id\":\"s\"}";
    char request[256];
    json_t *answer = NULL;
    fixture *f = fixture_open("");
    size_t size = post(request, sizeof request, "/v1/processes", START_A);
    for (int i = 0; i < 50; i++) /* dropped or done, nobody knows */
        close(send_only(f, request, size));
    int descriptor = send_only(f, request, size);
    wait_until_there(f, "/v1/processes/a"); /* done, and the answer goes to nobody */
    close(descriptor);
    assert_int_equal(ask(f, "POST", "/v1/processes", START_A, &answer, NULL), 200);
    assert_true(json_is_true(json_object_get(answer, "existed")));
    json_decref(answer);
    size = post(request, sizeof request, "/v1/processes/a/signals", go);
    close(send_only(f, request, size));
    ask_well(f, "POST", "/v1/processes/a/signals", go, 200);
    ask_well(f, "GET", "/v1/health", NULL, 200);
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
