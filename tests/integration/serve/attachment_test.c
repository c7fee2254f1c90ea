/* attachment_test.c: attachments through a real server and the program: content that is larger than any buffer on the
 * way, ranges, clients that go away in the middle, and a server that is killed while content comes in. */
#include "yard.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIG   3000017u
#define MAX   "8MiB"
#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static int open_yard(void **state)
{
    yard *y = yard_open("limits: { attachment: " MAX " }\nretention: { unreferenced: 1s }\n");
    char path[256];
    yard_path(y, "big", path);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    for (uint32_t i = 0; i < BIG; i++)
        fputc((int)((i * 2654435761u) >> 13 & 0xff), file);
    assert_int_equal(fclose(file), 0);
    *state = y;
    return 0;
}

static int close_yard(void **state)
{
    *state = yard_close(*state);
    return 0;
}

/* Put the large file, and its reference. */
static void put_big(const yard *y, const char *scope, char reference[80])
{
    command done;
    yard_run(y, &done, (const char *const[]){"attachment", "put", scope, "big", "--media-type", "a/b", NULL});
    assert_int_equal(done.exit_code, 0);
    snprintf(reference, 80, "%.71s", done.out);
}

/* Compare two files of the yard from an offset of the first on. */
static void expect_same(const yard *y, const char *whole, long offset, const char *part, size_t size)
{
    char path[256];
    static char a[BIG + 1];
    static char b[BIG + 1];
    yard_path(y, whole, path);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, SEEK_SET), 0);
    size_t got = fread(a, 1, sizeof a, file);
    fclose(file);
    yard_path(y, part, path);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fread(b, 1, sizeof b, file), size);
    fclose(file);
    assert_true(got >= size);
    assert_memory_equal(a, b, size);
}

static void test_S05_content_in_and_out_through_the_program(void **state)
{
    yard *y = *state;
    char reference[80];
    YARD_SERVE(y, NULL);
    put_big(y, "ann", reference);
    YARD_EXPECT(y, 0, "3000017", "attachment", "list", "ann");
    YARD_EXPECT(y, 0, "a/b", "attachment", "show", "ann", reference);
    YARD_EXPECT(y, 0, "", "attachment", "get", "ann", reference, "--out", "back");
    expect_same(y, "big", 0, "back", BIG);
    YARD_EXPECT(y, 0, "", "attachment", "get", "ann", reference, "--out", "part", "--offset", "262000", "--size",
                "400000");
    expect_same(y, "big", 262000, "part", 400000);
    YARD_EXPECT(y, 0, "shared", "attachment", "share", "ann", reference, "bob");
    YARD_EXPECT(y, 0, "dropped", "attachment", "drop", "ann", reference);
    YARD_EXPECT(y, 3, "attachment.not_found", "attachment", "get", "ann", reference);
    YARD_EXPECT(y, 0, "", "attachment", "get", "bob", reference, "--out", "back");
    expect_same(y, "big", 0, "back", BIG);
    yard_kill(y);
    YARD_SERVE(y, NULL);
    YARD_EXPECT(y, 0, "", "attachment", "get", "bob", reference, "--out", "again");
    expect_same(y, "big", 0, "again", BIG);
    yard_stop(y);
    YARD_EXPECT(y, 0, "1 attachments", "check", "--store");
}

static void test_S06_bad_input_is_told_and_leaves_nothing(void **state)
{
    yard *y = *state;
    char path[256];
    YARD_SERVE(y, NULL);
    YARD_EXPECT(y, 4, "attachment.digest", "attachment", "put", "ann", "big", "--digest", EMPTY);
    yard_path(y, "huge", path);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), 9 << 20), 0);
    fclose(file);
    YARD_EXPECT(y, 1, "attachment.too_large", "attachment", "put", "ann", "huge");
    YARD_EXPECT(y, 3, "unknown_process", "attachment", "put", "process:none", "big");
    YARD_EXPECT(y, 1, "invalid_session", "attachment", "put", "pawl:x", "big");
    YARD_EXPECT(y, 3, "unknown_session", "attachment", "put", "ann", "big", "--known-session");
    YARD_EXPECT(y, 1, "cannot read", "attachment", "put", "ann", "not-there");
    YARD_EXPECT(y, 1, "attachment.reference", "attachment", "get", "ann", "sha256:xyz");
    YARD_EXPECT(y, 0, "\"attachments\":[]", "attachment", "list", "ann", "--json");
    YARD_EXPECT(y, 5, "no pawl serve", "attachment", "put", "ann", "big", "--socket", "elsewhere.sock");
    assert_int_equal(api_call(y, "POST", "/v1/attachments/ann?known_session=maybe", NULL, NULL), 400);
    assert_int_equal(api_call(y, "POST", "/v1/attachments/ann?colour=red", NULL, NULL), 400);
    yard_stop(y);
    YARD_EXPECT(y, 0, "0 attachments", "check", "--store");
}

/* A request by hand: head, and the first part of a body. Returns the socket. */
static int half_request(const yard *y, const char *head, size_t body)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static char zeros[100000];
    int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(file >= 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", y->socket);
    assert_int_equal(connect(file, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(file, head, strlen(head)), (ssize_t)strlen(head));
    while (body > 0) {
        size_t part = body < sizeof zeros ? body : sizeof zeros;
        ssize_t sent = write(file, zeros, part);
        assert_true(sent > 0);
        body -= (size_t)sent;
    }
    return file;
}

#define HALF_HEAD "POST /v1/attachments/ann?name=half HTTP/1.1\r\nHost: pawl\r\nContent-Length: 4000000\r\n\r\n"

static void test_S06_a_client_that_goes_away_leaves_nothing(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, NULL);
    for (int i = 0; i < 3; i++)
        close(half_request(y, HALF_HEAD, 1000000));
    int waiting = half_request(y, HALF_HEAD, 1000000); /* and one that is there when the server stops */
    char reference[80];
    put_big(y, "ann", reference);
    YARD_EXPECT(y, 0, "big", "attachment", "list", "ann");
    int hangs_up = half_request(y, "GET /v1/attachments/ann/none HTTP/1.1\r\nHost: pawl\r\n\r\n", 0);
    close(hangs_up);
    yard_stop(y);
    close(waiting);
    YARD_EXPECT(y, 0, "1 attachments", "check", "--store");
    command done;
    yard_run(y, &done, (const char *const[]){"check", "--store", "--json", NULL});
    assert_non_null(strstr(done.out, "\"abandoned_uploads\":0"));
}

/* What a killed server had of an upload is no content, and goes by itself. */
static void test_S06_a_server_killed_while_content_comes_in(void **state)
{
    yard *y = *state;
    char reference[80];
    YARD_SERVE(y, NULL);
    put_big(y, "ann", reference);
    for (int i = 0; i < 2; i++) {
        int file = half_request(y, HALF_HEAD, 1000000 + (size_t)i * 300000);
        yard_kill(y);
        close(file);
        YARD_EXPECT(y, 0, "1 attachments", "check", "--store");
        YARD_SERVE(y, NULL);
        YARD_EXPECT(y, 0, "", "attachment", "get", "ann", reference, "--out", "back");
    }
    expect_same(y, "big", 0, "back", BIG);
    command done;
    for (;;) { /* the upkeep takes what is left of them, when its time has come */
        let_pass_ms(1500);
        yard_stop(y);
        yard_run(y, &done, (const char *const[]){"check", "--store", "--json", NULL});
        assert_non_null(strstr(done.out, "\"problems\":0"));
        if (strstr(done.out, "\"abandoned_uploads\":0") != NULL)
            break;
        YARD_SERVE(y, NULL);
    }
    YARD_EXPECT(y, 0, "1 attachments", "check", "--store");
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_S05_content_in_and_out_through_the_program, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_S06_bad_input_is_told_and_leaves_nothing, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_S06_a_client_that_goes_away_leaves_nothing, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_S06_a_server_killed_while_content_comes_in, open_yard, close_yard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
