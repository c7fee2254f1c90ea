/* receive_kill_test.c: a process that takes work from its session's queue survives a kill -9 at every write of its
 * store: whoever dies, each item is taken by it once, is acknowledged once, and what was committed with that is there
 * once. */
#include <pawl_queue.h> /* before cmocka, which has a macro "fail" */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kill_writes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS 4 /* and one that says stop */

/* ---- the process ---- */

static pawl_status add_and_acknowledge(pawl_process *p, const pawl_received *received, long number)
{
    for (;;) {
        uint64_t revision = 0;
        pawl_bytes before = pawl_text("0");
        pawl_status status = pawl_session_get(p, "sum", &before, &revision);
        if (status != PAWL_E_NOT_FOUND)
            PAWL_TRY(status);
        pawl_session_change change =
            pawl_change_put("sum", pawl_printf(p, "%ld", strtol(pawl_cstring(p, before), NULL, 10) + number));
        status = pawl_queue_acknowledge_and_commit(p, received, revision, &change, 1, NULL);
        if (status != PAWL_E_STALE)
            return status;
    }
}

/* Even numbers are added to the session's sum in the batch that acknowledges them, odd ones only acknowledged. Says
 * which ones it had, as bits. */
static pawl_status taker(pawl_process *p)
{
    for (unsigned had = 0;;) {
        pawl_received received;
        pawl_received_item item;
        PAWL_TRY(pawl_queue_receive(p, NULL, &received));
        if (!pawl_queue_next(&received, &item))
            return pawl_fail(p, "kill.nothing", "it received nothing");
        long number = strtol(pawl_cstring(p, item.body), NULL, 10);
        if ((had & 1u << number) != 0)
            return pawl_fail(p, "kill.twice", "it was taken before");
        had |= 1u << number;
        PAWL_TRY(number % 2 == 0 ? add_and_acknowledge(p, &received, number + 1)
                                 : pawl_queue_acknowledge(p, &received));
        if (number == EVENTS)
            return pawl_complete(p, pawl_printf(p, "%u", had));
    }
}
PAWL_PROCESS("kill.taker", 1, taker)
PAWL_LINKED_PLUGIN(take_plugin, "take.plugin", "1.0.0", "Pawl tests",
                   "{\"manifest_version\":1,\"id\":\"take.plugin\",\"version\":\"1.0.0\","
                   "\"abi\":{\"major\":1,\"minor\":0},\"kinds\":[\"process\"],\"processes\":[{\"name\":\"kill.taker\","
                   "\"revision\":1,\"events\":[{\"type\":\"sent\",\"wake\":{\"key\":{\"payload\":true}}}]}]}",
                   pawl_plain_init, pawl_plain_deinit, pawl_process_factory);

/* ---- the program ---- */

static void begin(pawl_host *host, const char *id, uint32_t flags)
{
    pawl_error error = {0};
    const pawl_start start = {.struct_size = sizeof start,
                              .flags = flags,
                              .id = id,
                              .type = "kill.taker",
                              .input = {"1", 1},
                              .session = "ann"};
    kill_check_ok(pawl_host_start(host, &start, NULL, &error), &error, "start");
}

static void send(pawl_host *host, int number)
{
    char key[16];
    char payload[16];
    pawl_error error = {0};
    snprintf(key, sizeof key, "k-%d", number);
    int size = snprintf(payload, sizeof payload, "%d", number);
    const pawl_event event = {
        .struct_size = sizeof event, .type = "sent", .key = key, .payload = {payload, (size_t)size}};
    kill_check_ok(pawl_host_append_event(host, "x", &event, NULL, &error), &error, "append");
}

/* Until the taker has settled what came, so that it waits for most of what comes next. */
static void until_taken(pawl_host *host)
{
    for (size_t left = 1; left > 0;) {
        pawl_text text = {0};
        pawl_error error = {0};
        kill_check_ok(pawl_host_queue_list(host, "ann", 0, 0, 0, &text, &error), &error, "list");
        json_t *page = kill_json(&text);
        left = json_array_size(json_object_get(page, "items"));
        json_decref(page);
    }
}

static void run(const char *directory, int dies_at)
{
    pawl_text text = {0};
    pawl_error error = {0};
    pawl_host *host = kill_open(directory, take_plugin, true);
    kill_arm(dies_at);
    begin(host, "taker", 0);
    begin(host, "x", PAWL_START_EXTERNAL);
    for (int i = 0; i <= EVENTS; i++) {
        send(host, i);
        if (i % 3 != 1)
            until_taken(host);
    }
    kill_check_ok(pawl_host_wait(host, "taker", KILL_SPAN_NS, &text, &error), &error, "wait");
    pawl_text_free(&text);
    kill_arm(0);
    pawl_host_close(host);
}

/* ---- the test ---- */

static int stride;

static void check_end(const char *directory, const unsigned heard[256])
{
    (void)heard;
    pawl_text text = {0};
    pawl_error error = {0};
    pawl_host *host = kill_open(directory, take_plugin, false);
    kill_check_ok(pawl_host_wait(host, "taker", KILL_SPAN_NS, &text, &error), &error, "wait");
    json_t *outcome = kill_json(&text);
    assert_string_equal(json_string_value(json_object_get(outcome, "status")), "completed");
    assert_int_equal(json_integer_value(json_object_get(outcome, "output")), (1 << (EVENTS + 1)) - 1);
    json_decref(outcome);
    kill_check_ok(pawl_host_session_get(host, "ann", "sum", &text, NULL, &error), &error, "get");
    assert_int_equal(text.size, 1);
    assert_memory_equal(text.data, "9", 1); /* 1 + 3 + 5 */
    pawl_text_free(&text);
    kill_check_ok(pawl_host_queue_list(host, "ann", 0, 0, 0, &text, &error), &error, "list");
    json_t *page = kill_json(&text);
    assert_int_equal(json_array_size(json_object_get(page, "items")), 0);
    json_decref(page);
    pawl_host_close(host);
}

static void test_S03_W07_a_receiver_dies_at_every_write(void **state)
{
    (void)state;
    assert_true(kill_everywhere(run, stride, check_end) > 20);
}

/* --all: at every write, and not only at some of them. */
int main(int argc, char **argv)
{
    stride = argc > 1 && strcmp(argv[1], "--all") == 0 ? 1 : 5;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_S03_W07_a_receiver_dies_at_every_write)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
