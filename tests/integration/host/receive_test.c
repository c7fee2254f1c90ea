/* receive_test.c: why it exists: process code takes work from its session's queue. It waits on disk until something
 * comes, is told by every change, claims once, and what it acknowledges is gone with what it commits. Over both stores.
 * Catalogue S03, W03, W07. */
#include <pawl_queue.h> /* before cmocka, which has a macro "fail" */

#include "fixture.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SESSION "ann"

/* ---- processes ---- */

/* Adds what it receives to "sum" until it is told "stop"; says how much it was and in how many items. */
static pawl_status adder(pawl_process *p)
{
    for (long long taken = 0;;) {
        pawl_bytes before = pawl_text("0");
        pawl_received received;
        pawl_received_item item;
        PAWL_TRY(pawl_queue_receive(p, NULL, &received));
        if (received.count != 1 || !pawl_queue_next(&received, &item) || pawl_queue_next(&received, &item))
            return pawl_fail(p, "test.count", "one item was asked for");
        if (pawl_is(item.body, "\"stop\"")) {
            PAWL_TRY(pawl_queue_acknowledge(p, &received));
            return pawl_complete(p, pawl_printf(p, "%lld", taken));
        }
        taken++;
        for (pawl_status status = PAWL_E_STALE; status == PAWL_E_STALE;) {
            uint64_t revision = 0;
            status = pawl_session_get(p, "sum", &before, &revision);
            if (status != PAWL_E_NOT_FOUND)
                PAWL_TRY(status);
            long long sum = strtoll(pawl_cstring(p, before), NULL, 10) + strtoll(pawl_cstring(p, item.body), NULL, 10);
            pawl_session_change change = pawl_change_put("sum", pawl_printf(p, "%lld", sum));
            status = pawl_queue_acknowledge_and_commit(p, &received, revision, &change, 1, &revision);
            if (status != PAWL_E_STALE)
                PAWL_TRY(status);
        }
    }
}

/* Waits for at most input milliseconds (0: not at all). */
static pawl_status patient(pawl_process *p)
{
    pawl_received received;
    pawl_queue_options options = pawl_queue_defaults();
    options.timeout_ns = (uint64_t)strtoull(pawl_cstring(p, pawl_input(p)), NULL, 10) * PAWL_MILLISECOND;
    if (options.timeout_ns == 0)
        options.timeout_ns = PAWL_QUEUE_NO_WAIT;
    pawl_status status = pawl_queue_receive(p, &options, &received);
    if (status == PAWL_SUSPEND || (status < 0 && status != PAWL_E_DEADLINE))
        return status;
    return pawl_complete(p, pawl_text(status == PAWL_OK ? "\"something\"" : "\"nothing\""));
}

/* Claims for input milliseconds, waits for "go", and does what that says. */
static pawl_status holder(pawl_process *p)
{
    pawl_bytes word;
    pawl_status status;
    pawl_received received;
    pawl_queue_options options = pawl_queue_defaults();
    options.limit = 10;
    options.lease_ns = (uint64_t)strtoull(pawl_cstring(p, pawl_input(p)), NULL, 10) * PAWL_MILLISECOND;
    PAWL_TRY(pawl_queue_receive(p, &options, &received));
    PAWL_TRY(pawl_set_status(p, pawl_printf(p, "{\"has\":%d}", (int)received.count)));
    PAWL_TRY(pawl_signal(p, "go", &word));
    if (pawl_is(word, "\"release\""))
        status = pawl_queue_release(p, &received, 0);
    else if (pawl_is(word, "\"extend\""))
        status = pawl_queue_extend(p, &received, PAWL_HOUR);
    else
        status = pawl_queue_acknowledge(p, &received);
    if (status == PAWL_SUSPEND || (status < 0 && status != PAWL_E_BUSY))
        return status;
    return pawl_complete(p, pawl_printf(p, "[%d,%d]", (int)received.count, status == PAWL_E_BUSY));
}

static pawl_status source(pawl_process *p)
{
    return pawl_signal(p, "never", NULL);
}

PAWL_PROCESSES(PAWL_TYPE("recv.adder", 1, adder), PAWL_TYPE("recv.patient", 1, patient),
               PAWL_TYPE("recv.holder", 1, holder), PAWL_TYPE("recv.source", 1, source))

/* clang-format off */
PAWL_LINKED_PLUGIN(
    recv_plugin, "recv.plugin", "1.0.0", "Pawl tests",
    "{\"manifest_version\":1,\"id\":\"recv.plugin\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"
    "\"kinds\":[\"process\"],\"processes\":[{\"name\":\"recv.adder\",\"revision\":1},"
    "{\"name\":\"recv.patient\",\"revision\":1},{\"name\":\"recv.holder\",\"revision\":1},"
    "{\"name\":\"recv.source\",\"revision\":1,\"events\":[{\"type\":\"sent\",\"wake\":{}},"
    "{\"type\":\"joined\",\"wake\":{\"merge\":\"all\"}},{\"type\":\"late\",\"wake\":{\"after_ms\":300}}]}]}",
    pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
/* clang-format on */

/* ---- what the tests say ---- */

static void open_host(fixture *own)
{
    static const pawl_plugin_entry_fn plugins[] = {recv_plugin};
    char profile[1024];
    snprintf(profile, sizeof profile, "profile: test\ntier: inline\ndata: %s\nstores: { main: { provider: %s } }\n%s",
             own->directory, own->provider, own->extra == NULL ? "" : own->extra);
    pawl_host_options options = {
        .struct_size = sizeof options, .profile_text = profile, .static_plugins = plugins, .static_plugin_count = 1};
    assert_ok(pawl_host_open(&options, &own->host, &why_));
}

static int make(void **state, const char *provider)
{
    *state = fixture_make(provider);
    open_host(*state);
    return 0;
}

static int make_memory(void **state)
{
    return make(state, "memory");
}

static int make_rocksdb(void **state)
{
    return make(state, "rocksdb");
}

#define OVER_THE_TWO(test)                                                                                             \
    {#test "/memory", test, make_memory, teardown, NULL},                                                              \
    {                                                                                                                  \
#test "/rocksdb", test, make_rocksdb, teardown, NULL                                                           \
    }

static void begin(fixture *own, const char *id, const char *type, const char *input)
{
    const pawl_start wanted = {
        .struct_size = sizeof wanted, .id = id, .type = type, .input = {input, strlen(input)}, .session = SESSION};
    assert_ok(pawl_host_start(own->host, &wanted, NULL, &why_));
}

static void send_as(fixture *own, const char *type, const char *payload)
{
    const pawl_event event = {.struct_size = sizeof event, .type = type, .payload = {payload, strlen(payload)}};
    assert_ok(pawl_host_append_event(own->host, "source", &event, NULL, &why_));
}

static void send(fixture *own, const char *payload)
{
    send_as(own, "sent", payload);
}

static size_t queued(fixture *own, uint32_t dead)
{
    pawl_text text = {0};
    assert_ok(pawl_host_queue_list(own->host, SESSION, dead, 0, 0, &text, &why_));
    json_t *page = json_of(&text);
    size_t count = json_array_size(json_object_get(page, "items"));
    json_decref(page);
    return count;
}

static json_t *claim_outside(fixture *own, uint64_t wait_ns, uint32_t claims_max)
{
    pawl_text text = {0};
    const pawl_queue_claim_options options = {.struct_size = sizeof options,
                                              .consumer = "outside",
                                              .lease_ns = LONG_NS,
                                              .wait_ns = wait_ns,
                                              .claims_max = claims_max};
    assert_ok(pawl_host_queue_claim(own->host, SESSION, &options, &text, &why_));
    return json_of(&text);
}

static pawl_status settle_outside(fixture *own, const json_t *claimed, uint32_t action)
{
    pawl_error error = {0};
    const json_t *item = json_array_get(json_object_get(claimed, "items"), 0);
    const uint64_t number = (uint64_t)json_integer_value(json_object_get(item, "item"));
    return pawl_host_queue_settle(own->host, SESSION, action,
                                  (uint64_t)json_integer_value(json_object_get(claimed, "token")), &number, 1, 0,
                                  &error);
}

static void expect_sum(fixture *own, const char *sum)
{
    pawl_text text = {0};
    assert_ok(pawl_host_session_get(own->host, SESSION, "sum", &text, NULL, &why_));
    assert_int_equal(text.size, strlen(sum));
    assert_memory_equal(text.data, sum, text.size);
    pawl_text_free(&text);
}

/* It waits for this: no receive that is running is to be raced with. */
static void until_it_waits_for(fixture *own, const char *id, const char *what)
{
    for (;;) {
        json_t *row = until(own, id, "waiting");
        const char *reason = text_of(row, "reason");
        bool waits = reason != NULL && strstr(reason, what) != NULL;
        json_decref(row);
        if (waits)
            return;
        usleep(1000);
    }
}

static void until_it_waits(fixture *own, const char *id)
{
    until_it_waits_for(own, id, "pawl.queue");
}

/* ---- tests ---- */

static void test_S03_it_waits_takes_and_commits(void **state)
{
    fixture *own = *state;
    begin(own, "source", "recv.source", "1");
    begin(own, "adder", "recv.adder", "1");
    until_it_waits(own, "adder");
    send(own, "1");
    send(own, "20");
    send(own, "300");
    send(own, "\"stop\"");
    expect_end(own, "adder", "completed", "3");
    expect_sum(own, "321");
    assert_int_equal(queued(own, 0), 0);
    assert_int_equal(queued(own, 1), 0);
}

static void test_S03_what_came_before_is_taken_at_once(void **state)
{
    fixture *own = *state;
    begin(own, "source", "recv.source", "1");
    send(own, "7");
    send(own, "\"stop\"");
    begin(own, "adder", "recv.adder", "1");
    expect_end(own, "adder", "completed", "1");
    expect_sum(own, "7");
}

static void test_S03_many_receive_and_each_item_is_taken_once(void **state)
{
    fixture *own = *state;
    enum { ADDERS = 4, ITEMS = 40 };
    long long taken = 0;
    begin(own, "source", "recv.source", "1");
    for (int i = 0; i < ADDERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "adder-%d", i);
        begin(own, id, "recv.adder", "1");
    }
    for (int i = 0; i < ITEMS; i++)
        send(own, "1");
    for (int i = 0; i < ADDERS; i++)
        send(own, "\"stop\"");
    for (int i = 0; i < ADDERS; i++) {
        char id[16];
        snprintf(id, sizeof id, "adder-%d", i);
        json_t *outcome = ended(own, id);
        assert_string_equal(text_of(outcome, "status"), "completed");
        taken += json_integer_value(json_object_get(outcome, "output"));
        json_decref(outcome);
    }
    assert_int_equal(taken, ITEMS);
    expect_sum(own, "40");
    assert_int_equal(queued(own, 0), 0);
}

static void test_W03_a_delivery_racing_with_the_wait_is_not_lost(void **state)
{
    fixture *own = *state;
    enum { ROUNDS = 60 };
    begin(own, "source", "recv.source", "1");
    begin(own, "adder", "recv.adder", "1");
    for (int i = 0; i < ROUNDS; i++) { /* each comes while the one before is being worked on, or the wait begins */
        send(own, "1");
        for (int spin = 0; spin < i * 200; spin++)
            atomic_signal_fence(memory_order_seq_cst);
    }
    send(own, "\"stop\"");
    expect_end(own, "adder", "completed", "60");
    expect_sum(own, "60");
}

static void test_it_waits_so_long_and_no_longer(void **state)
{
    fixture *own = *state;
    begin(own, "source", "recv.source", "1");
    begin(own, "not-at-all", "recv.patient", "0");
    expect_end(own, "not-at-all", "completed", "\"nothing\"");
    begin(own, "a-moment", "recv.patient", "20");
    expect_end(own, "a-moment", "completed", "\"nothing\"");
    begin(own, "long", "recv.patient", "3600000");
    until_it_waits(own, "long");
    send(own, "1");
    expect_end(own, "long", "completed", "\"something\"");
}

static void test_it_is_told_when_others_give_back_or_are_done(void **state)
{
    fixture *own = *state;
    begin(own, "source", "recv.source", "1");
    send(own, "5");
    send(own, "\"stop\"");
    json_t *first = claim_outside(own, 0, 0);
    begin(own, "adder", "recv.adder", "1");
    until_it_waits(own, "adder");
    assert_int_equal(settle_outside(own, first, PAWL_QUEUE_RELEASE), PAWL_OK);
    json_decref(first);
    expect_end(own, "adder", "completed", "1");
    expect_sum(own, "5");
    send(own, "6");
    send(own, "\"stop\"");
    first = claim_outside(own, 0, 0);
    begin(own, "second", "recv.adder", "1");
    until_it_waits(own, "second");
    assert_int_equal(settle_outside(own, first, PAWL_QUEUE_ACKNOWLEDGE), PAWL_OK);
    json_decref(first);
    expect_end(own, "second", "completed", "0");
    assert_int_equal(queued(own, 0), 0);
}

static void test_it_is_told_of_what_is_redriven(void **state)
{
    fixture *own = *state;
    uint64_t done = 0;
    begin(own, "source", "recv.source", "1");
    send(own, "\"stop\"");
    json_t *claimed = claim_outside(own, 0, 1);
    assert_int_equal(settle_outside(own, claimed, PAWL_QUEUE_RELEASE), PAWL_OK);
    json_decref(claimed);
    claimed = claim_outside(own, 0, 1);
    assert_int_equal(json_array_size(json_object_get(claimed, "items")), 0);
    json_decref(claimed);
    assert_int_equal(queued(own, 1), 1);
    begin(own, "adder", "recv.adder", "1");
    until_it_waits(own, "adder");
    assert_ok(pawl_host_queue_tend(own->host, SESSION, PAWL_QUEUE_REDRIVE, NULL, 0, &done, &why_));
    assert_int_equal(done, 1);
    expect_end(own, "adder", "completed", "0");
}

static void test_neighbours_come_together_and_what_is_late_in_its_time(void **state)
{
    fixture *own = *state;
    begin(own, "source", "recv.source", "1");
    send_as(own, "joined", "1");
    send_as(own, "joined", "2");
    send_as(own, "joined", "3");
    begin(own, "holder", "recv.holder", "60000");
    signal_it(own, "holder", "go", "\"ack\"");
    expect_end(own, "holder", "completed", "[3,0]");
    assert_int_equal(queued(own, 0), 0);
    begin(own, "later", "recv.holder", "60000");
    until_it_waits(own, "later");
    send_as(own, "late", "4");
    signal_it(own, "later", "go", "\"ack\"");
    expect_end(own, "later", "completed", "[1,0]");
}

static void test_S03_who_lost_the_claim_acknowledges_nothing(void **state)
{
    fixture *own = *state;
    static const char *const words[] = {"\"ack\"", "\"release\"", "\"extend\""};
    begin(own, "source", "recv.source", "1");
    for (int i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "holder-%d", i);
        send(own, "1");
        begin(own, id, "recv.holder", "1");
        until_it_waits_for(own, id, "go");
        json_t *claimed = claim_outside(own, LONG_NS, 1000); /* when the lease is over */
        assert_int_equal(json_array_size(json_object_get(claimed, "items")), 1);
        signal_it(own, id, "go", words[i]);
        json_t *outcome = ended(own, id);
        assert_int_equal(json_integer_value(json_array_get(json_object_get(outcome, "output"), 1)), 1);
        json_decref(outcome);
        assert_int_equal(queued(own, 0), 1);
        assert_int_equal(settle_outside(own, claimed, PAWL_QUEUE_ACKNOWLEDGE), PAWL_OK);
        json_decref(claimed);
    }
}

static void test_W07_it_waits_over_a_restart(void **state)
{
    fixture *own = *state;
    begin(own, "source", "recv.source", "1");
    begin(own, "adder", "recv.adder", "1");
    until_it_waits(own, "adder");
    send(own, "8");
    fixture_close(own);
    open_host(own);
    send(own, "\"stop\"");
    expect_end(own, "adder", "completed", "1");
    expect_sum(own, "8");
}

static void test_without_a_session_there_is_no_queue(void **state)
{
    fixture *own = *state;
    const pawl_start wanted = {.struct_size = sizeof wanted, .id = "alone", .type = "recv.adder", .input = {"1", 1}};
    assert_ok(pawl_host_start(own->host, &wanted, NULL, &why_));
    expect_end(own, "alone", "failed", "session.none");
}

static void test_names_of_processes_are_theirs(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    const pawl_queue_claim_options options = {.struct_size = sizeof options, .consumer = "call:adder/1/1"};
    assert_int_equal(pawl_host_queue_claim(own->host, SESSION, &options, NULL, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "invalid_consumer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_THE_TWO(test_S03_it_waits_takes_and_commits),
        OVER_THE_TWO(test_S03_what_came_before_is_taken_at_once),
        OVER_THE_TWO(test_S03_many_receive_and_each_item_is_taken_once),
        OVER_THE_TWO(test_W03_a_delivery_racing_with_the_wait_is_not_lost),
        OVER_THE_TWO(test_it_waits_so_long_and_no_longer),
        OVER_THE_TWO(test_it_is_told_when_others_give_back_or_are_done),
        OVER_THE_TWO(test_it_is_told_of_what_is_redriven),
        OVER_THE_TWO(test_neighbours_come_together_and_what_is_late_in_its_time),
        OVER_THE_TWO(test_S03_who_lost_the_claim_acknowledges_nothing),
        {"W07/rocksdb", test_W07_it_waits_over_a_restart, make_rocksdb, teardown, NULL},
        OVER_THE_TWO(test_without_a_session_there_is_no_queue),
        OVER_THE_TWO(test_names_of_processes_are_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
