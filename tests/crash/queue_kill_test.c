/* queue_kill_test.c: events, the items they deliver and the claims on them survive a kill -9 at every write of the
 * store: a program that appends, claims and acknowledges dies in front of its n-th write, behind it, and half-way, for
 * every n; run again from its beginning it comes to the same end, with nothing lost and nothing settled twice. */
#include <pawl_process.h> /* before cmocka, which has a macro "fail" */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kill_writes.h"

#include <stdio.h>

#define EVENTS   4
#define LEASE_NS UINT64_C(1000000)

static pawl_status order(pawl_process *p)
{
    pawl_bytes payload;
    PAWL_TRY(pawl_signal(p, "go", &payload));
    return pawl_complete(p, payload);
}
PAWL_PROCESS("kill.order", 1, order)
PAWL_LINKED_PLUGIN(kill_plugin, "kill.plugin", "1.0.0", "Pawl tests",
                   "{\"manifest_version\":1,\"id\":\"kill.plugin\",\"version\":\"1.0.0\","
                   "\"abi\":{\"major\":1,\"minor\":0},\"kinds\":[\"process\"],\"processes\":[{\"name\":\"kill.order\","
                   "\"revision\":1,\"events\":[{\"type\":\"shipped\",\"wake\":{\"key\":{\"payload\":true}}},"
                   "{\"type\":\"done\",\"ends\":\"completed\"}]}]}",
                   pawl_plain_init, pawl_plain_deinit, pawl_process_factory);

/* ---- the program ---- */

static void begin(pawl_host *host, const char *id, uint32_t flags)
{
    pawl_error error = {0};
    const pawl_start start = {.struct_size = sizeof start,
                              .flags = flags,
                              .id = id,
                              .type = "kill.order",
                              .input = {"1", 1},
                              .session = "ann"};
    kill_check_ok(pawl_host_start(host, &start, NULL, &error), &error, "start");
}

static void append(pawl_host *host, const char *id, const char *type, int number)
{
    char key[16];
    char payload[16];
    pawl_error error = {0};
    snprintf(key, sizeof key, "%s-%d", type, number);
    int size = snprintf(payload, sizeof payload, "%d", number);
    const pawl_event event = {
        .struct_size = sizeof event, .type = type, .key = key, .payload = {payload, (size_t)size}};
    kill_check_ok(pawl_host_append_event(host, id, &event, NULL, &error), &error, "append");
}

static size_t queued(pawl_host *host, uint32_t dead)
{
    pawl_text text = {0};
    pawl_error error = {0};
    kill_check_ok(pawl_host_queue_list(host, "ann", dead, 0, 0, &text, &error), &error, "list");
    json_t *page = kill_json(&text);
    size_t count = json_array_size(json_object_get(page, "items"));
    json_decref(page);
    return count;
}

/* Take what is there, tell it, and acknowledge it. What a dead consumer held comes again when its time is over. */
static void consume(pawl_host *host)
{
    pawl_text text = {0};
    pawl_error error = {0};
    const pawl_queue_claim_options options = {
        .struct_size = sizeof options, .limit = 2, .consumer = "child", .lease_ns = LEASE_NS, .wait_ns = KILL_SPAN_NS};
    kill_check_ok(pawl_host_queue_claim(host, "ann", &options, &text, &error), &error, "claim");
    json_t *claimed = kill_json(&text);
    const json_t *items = json_object_get(claimed, "items");
    uint64_t numbers[2] = {0};
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        uint8_t input = (uint8_t)json_integer_value(json_object_get(item, "input"));
        numbers[i] = (uint64_t)json_integer_value(json_object_get(item, "item"));
        kill_tell(input);
    }
    kill_check_ok(pawl_host_queue_settle(host, "ann", PAWL_QUEUE_ACKNOWLEDGE,
                                         (uint64_t)json_integer_value(json_object_get(claimed, "token")), numbers,
                                         json_array_size(items), 0, &error),
                  &error, "acknowledge");
    json_decref(claimed);
}

static void run(const char *directory, int dies_at)
{
    pawl_host *host = kill_open(directory, kill_plugin, false);
    kill_arm(dies_at);
    begin(host, "p", 0);
    begin(host, "x", PAWL_START_EXTERNAL);
    for (int i = 0; i < EVENTS; i++)
        append(host, "p", "shipped", i);
    while (queued(host, 0) > 0)
        consume(host);
    append(host, "x", "done", 7);
    kill_arm(0);
    pawl_host_close(host);
}

/* ---- the test ---- */

static void check_end(const char *directory, const unsigned claimed[256])
{
    pawl_text text = {0};
    pawl_error error = {0};
    pawl_host *host = kill_open(directory, kill_plugin, false);
    assert_int_equal(queued(host, 0), 0);
    assert_int_equal(queued(host, 1), 0);
    kill_check_ok(pawl_host_events(host, "p", 0, "shipped", 0, &text, &error), &error, "events");
    json_t *page = kill_json(&text);
    const json_t *events = json_object_get(page, "events");
    assert_int_equal(json_array_size(events), EVENTS);
    for (int i = 0; i < EVENTS; i++) {
        assert_int_equal(json_integer_value(json_object_get(json_array_get(events, (size_t)i), "payload")), i);
        assert_true(claimed[i] >= 1); /* nothing is lost */
        assert_true(claimed[i] <= 2); /* once more at most: the kill stood between the claim and its end */
    }
    json_decref(page);
    kill_check_ok(pawl_host_wait(host, "x", KILL_SPAN_NS, &text, &error), &error, "wait");
    page = kill_json(&text);
    assert_int_equal(json_integer_value(json_object_get(page, "output")), 7);
    json_decref(page);
    pawl_host_close(host);
}

static void test_S03_I4_I5_dies_at_every_write(void **state)
{
    (void)state;
    /* start, start, four appends, claims, acknowledgements, the end: it did die */
    assert_true(kill_everywhere(run, 1, check_end) > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_S03_I4_I5_dies_at_every_write)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
