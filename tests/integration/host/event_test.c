/* event_test.c: events of declared types and the queues they fill, through the embedding API: what is refused leaves
 * nothing behind, what is waited for is told once, an item belongs to one consumer. Catalogue E, W, S03, P07. */
#include <pawl_session.h> /* before cmocka, which has a macro "fail" */

#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

static pawl_status order(pawl_process *p)
{
    pawl_bytes payload;
    PAWL_TRY(pawl_signal(p, "go", &payload));
    return pawl_complete(p, payload);
}

/* Tells of itself before and after a wait, and of what is refused. */
static pawl_status teller(pawl_process *p)
{
    pawl_bytes payload;
    pawl_failure failure;
    uint64_t sequence = 0;
    PAWL_TRY(pawl_emit(p, "said", NULL, pawl_text("{\"n\":1}"), &sequence));
    pawl_future bad = pawl_start_call(p, "pawl.event.append", pawl_text("4 0\nsaid1"));
    pawl_status status = pawl_await(p, bad);
    if (status != PAWL_OK)
        return status;
    if (pawl_result(p, bad, &payload) != PAWL_E_FAILED || pawl_result_failure(p, bad, &failure) != PAWL_OK ||
        !pawl_is(failure.code, "event.payload"))
        return pawl_fail(p, "test.accepted", "an event that does not fit was accepted");
    PAWL_TRY(pawl_signal(p, "go", &payload));
    PAWL_TRY(pawl_emit(p, "said", "last", pawl_text("{\"n\":2}"), NULL));
    return sequence == 0 ? pawl_fail(p, "test.sequence", "no sequence") : pawl_complete(p, payload);
}
PAWL_PROCESSES(PAWL_TYPE("event.order", 1, order), PAWL_TYPE("event.teller", 1, teller))

/* clang-format off */
PAWL_LINKED_PLUGIN(
    event_plugin, "event.plugin", "1.0.0", "Pawl tests",
    "{\"manifest_version\":1,\"id\":\"event.plugin\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"
    "\"kinds\":[\"process\"],\"processes\":[{\"name\":\"event.order\",\"revision\":1,"
    "\"input_schema\":{\"type\":\"object\",\"required\":[\"sku\"]},\"events\":["
    "{\"type\":\"noted\"},"
    "{\"type\":\"priced\",\"schema\":{\"type\":\"object\",\"properties\":{\"price\":{\"type\":\"number\"}},"
      "\"required\":[\"price\"]}},"
    "{\"type\":\"shipped\",\"wake\":{\"input\":{\"pointer\":\"/parcel\"}}},"
    "{\"type\":\"same\",\"wake\":{\"key\":{\"const\":\"k\"}}},"
    "{\"type\":\"sent\",\"wake\":{\"target\":{\"pointer\":\"/to\"},\"key\":{\"template\":\"{a}/{b}\",\"fields\":"
      "{\"a\":{\"pointer\":\"/a\"},\"b\":{\"pointer\":\"/b\"}}},\"when\":{\"pointer\":\"/loud\"},"
      "\"exclusive\":true}},"
    "{\"type\":\"done\",\"ends\":\"completed\",\"outcome\":{\"pointer\":\"/result\"}},"
    "{\"type\":\"broken\",\"ends\":\"failed\",\"outcome\":{\"payload\":true}}]},"
    "{\"name\":\"event.teller\",\"revision\":1,\"input_schema\":true,\"events\":[{\"type\":\"said\","
      "\"schema\":{\"type\":\"object\"},\"wake\":{}}]}]}",
    pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
/* clang-format on */

static void open_host(fixture *own)
{
    static const pawl_plugin_entry_fn plugins[] = {event_plugin};
    char profile[1024];
    snprintf(profile, sizeof profile, "profile: test\ntier: inline\ndata: %s\nstores: { main: { provider: %s } }\n%s",
             own->directory, own->provider, own->extra == NULL ? "" : own->extra);
    pawl_host_options options = {.struct_size = sizeof options,
                                 .profile_text = profile,
                                 .no_worker = own->no_worker,
                                 .static_plugins = plugins,
                                 .static_plugin_count = 1};
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

static void begin(fixture *own, const char *id, const char *session, uint32_t flags)
{
    const pawl_start wanted = {.struct_size = sizeof wanted,
                               .flags = flags,
                               .id = id,
                               .type = "event.order",
                               .input = {"{\"sku\":1}", 9},
                               .session = session};
    assert_ok(pawl_host_start(own->host, &wanted, NULL, &why_));
}

static pawl_status append(fixture *own, const char *id, const char *type, const char *key, const char *payload,
                          pawl_event_appended *ret, pawl_error *error)
{
    const pawl_event event = {
        .struct_size = sizeof event, .type = type, .key = key, .payload = {payload, strlen(payload)}};
    return pawl_host_append_event(own->host, id, &event, ret, error);
}

static pawl_event_appended appended(fixture *own, const char *id, const char *type, const char *key,
                                    const char *payload)
{
    pawl_event_appended made = {0};
    assert_ok(append(own, id, type, key, payload, &made, &why_));
    return made;
}

static void refused(fixture *own, const char *id, const char *type, const char *key, const char *payload,
                    pawl_status status, const char *code)
{
    pawl_error error = {0};
    assert_int_equal(append(own, id, type, key, payload, NULL, &error), status);
    assert_string_equal(error.code, code);
}

static json_t *events(fixture *own, const char *id, uint64_t after, const char *type)
{
    pawl_text text = {0};
    assert_ok(pawl_host_events(own->host, id, after, type, 0, &text, &why_));
    return json_of(&text);
}

static size_t count_of(fixture *own, const char *id, uint64_t after, const char *type)
{
    json_t *page = events(own, id, after, type);
    size_t count = json_array_size(json_object_get(page, "events"));
    json_decref(page);
    return count;
}

static uint64_t head_of(fixture *own, const char *id)
{
    json_t *row = shown(own, id);
    uint64_t head = (uint64_t)json_integer_value(json_object_get(row, "head"));
    json_decref(row);
    return head;
}

/* ---- appending ---- */

static void test_E02_E03_a_key_counts_once_by_meaning(void **state)
{
    fixture *own = *state;
    begin(own, "p", NULL, 0);
    pawl_event_appended first = appended(own, "p", "priced", "k", "{\"price\":1,\"note\":\"a\"}");
    assert_int_equal(first.replayed, 0);
    pawl_event_appended again = appended(own, "p", "priced", "k", "{\"note\":\"a\", \"price\":1.0}");
    assert_int_equal(again.replayed, 1);
    assert_int_equal(again.sequence, first.sequence);
    refused(own, "p", "priced", "k", "{\"price\":2}", PAWL_E_CONFLICT, "registry.conflict");
    refused(own, "p", "noted", "k", "{\"note\":\"a\",\"price\":1}", PAWL_E_CONFLICT, "registry.conflict");
    assert_true(appended(own, "p", "noted", NULL, "1").sequence < appended(own, "p", "noted", NULL, "1").sequence);
    assert_int_equal(count_of(own, "p", 0, NULL), 3);
    /* A key that is known answers first, whatever else is wrong. */
    refused(own, "p", "unheard of", "k", "{\"price\":1,\"note\":\"a\"}", PAWL_E_CONFLICT, "registry.conflict");
}

static void test_E04_refusals_in_their_order_leave_nothing(void **state)
{
    fixture *own = *state;
    begin(own, "p", NULL, 0);
    json_decref(until(own, "p", "waiting"));
    uint64_t head = head_of(own, "p");
    refused(own, "p", "unheard of", NULL, "{", PAWL_E_INVALID, "event.undeclared");
    refused(own, "p", "done", NULL, "{", PAWL_E_INVALID, "event.key_required");
    refused(own, "p", "priced", NULL, "{", PAWL_E_INVALID, "event.payload");
    refused(own, "p", "priced", NULL, "{\"price\":\"much\"}", PAWL_E_INVALID, "event.payload");
    refused(own, "p", "shipped", NULL, "{}", PAWL_E_INVALID, "event.pointer"); /* before: there is no target either */
    refused(own, "p", "done", "k", "{}", PAWL_E_INVALID, "event.pointer");
    refused(own, "p", "done", "k", "{\"result\":1}", PAWL_E_INVALID, "registry.not_external");
    refused(own, "p", "shipped", NULL, "{\"parcel\":1}", PAWL_E_INVALID, "event.no_target");
    refused(own, "nobody", "noted", NULL, "1", PAWL_E_NOT_FOUND, "unknown_process");
    assert_int_equal(head_of(own, "p"), head);
    signal_it(own, "p", "go", "1");
    expect_end(own, "p", "completed", "1");
    refused(own, "p", "noted", NULL, "1", PAWL_E_TERMINAL, "registry.terminal");
    refused(own, "p", "shipped", NULL, "{\"parcel\":1}", PAWL_E_TERMINAL, "registry.terminal");
}

static void test_E05_E06_E07_an_event_ends_an_external_process(void **state)
{
    fixture *own = *state;
    begin(own, "x", NULL, PAWL_START_EXTERNAL);
    uint64_t noted = appended(own, "x", "noted", "n", "1").sequence;
    uint64_t done = appended(own, "x", "done", "d", "{\"result\":{\"n\":7}}").sequence;
    expect_end(own, "x", "completed", "{\"n\":7}");
    assert_int_equal(appended(own, "x", "done", "d", "{\"result\":{\"n\":7}}").sequence, done);
    refused(own, "x", "done", "d", "{\"result\":8}", PAWL_E_CONFLICT, "registry.conflict");
    refused(own, "x", "broken", "b", "{\"code\":\"no\"}", PAWL_E_TERMINAL, "registry.terminal");
    refused(own, "x", "noted", "m", "1", PAWL_E_TERMINAL, "registry.terminal");
    assert_int_equal(appended(own, "x", "noted", "n", "1").sequence, noted);
    begin(own, "y", NULL, PAWL_START_EXTERNAL);
    appended(own, "y", "broken", "b", "{\"code\":\"shop.lost\",\"message\":\"gone\"}");
    expect_end(own, "y", "failed", "shop.lost");
}

static void test_E08_events_after_every_boundary(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    begin(own, "p", NULL, 0);
    uint64_t first = appended(own, "p", "noted", "a", "\"one\"").sequence;
    signal_it(own, "p", "other", "1");
    uint64_t last = appended(own, "p", "priced", "b", "{\"price\":1}").sequence;
    assert_int_equal(count_of(own, "p", 0, NULL), 2);
    assert_int_equal(count_of(own, "p", first, NULL), 1);
    assert_int_equal(count_of(own, "p", first - 1, "noted"), 1);
    assert_int_equal(count_of(own, "p", last, NULL), 0);
    assert_int_equal(count_of(own, "p", last + 1000, NULL), 0);
    assert_int_equal(count_of(own, "p", UINT64_MAX, NULL), 0);
    assert_int_equal(pawl_host_events(own->host, "nobody", 0, NULL, 0, NULL, &error), PAWL_E_NOT_FOUND);
    json_t *page = events(own, "p", 0, "noted");
    const json_t *event = json_array_get(json_object_get(page, "events"), 0);
    assert_string_equal(text_of(event, "key"), "a");
    assert_string_equal(text_of(event, "payload"), "one");
    json_decref(page);
}

static void test_E14_odd_payloads_are_kept_whole_or_refused(void **state)
{
    fixture *own = *state;
    begin(own, "p", NULL, 0);
    refused(own, "p", "noted", NULL, "\"\xff\"", PAWL_E_INVALID, "event.payload");
    refused(own, "p", "noted", NULL, "\"a\\u0000b\"", PAWL_E_INVALID, "event.payload");
    size_t size = 1 << 20;
    char *large = malloc(size + 1);
    assert_non_null(large);
    memset(large, 'x', size);
    large[0] = large[size - 1] = '"';
    large[size] = '\0';
    appended(own, "p", "noted", "large", large);
    json_t *page = events(own, "p", 0, NULL);
    const json_t *list = json_object_get(page, "events");
    assert_int_equal(json_string_length(json_object_get(json_array_get(list, 0), "payload")), size - 2);
    json_decref(page);
    memset(large, '[', size);
    pawl_error error = {0};
    assert_int_equal(append(own, "p", "noted", NULL, large, NULL, &error), PAWL_E_INVALID); /* too deep */
    free(large);
}

/* ---- waiting ---- */

static json_t *next(fixture *own, const char *id, const char *type, uint64_t after)
{
    pawl_text text = {0};
    assert_ok(pawl_host_wait_event(own->host, id, type, after, LONG_NS, &text, &why_));
    return json_of(&text);
}

static void test_W01_W02_the_earliest_behind_the_cursor(void **state)
{
    fixture *own = *state;
    begin(own, "p", NULL, 0);
    appended(own, "p", "priced", NULL, "{\"price\":1}");
    uint64_t first = appended(own, "p", "noted", NULL, "1").sequence;
    appended(own, "p", "noted", NULL, "2");
    json_t *event = next(own, "p", "noted", 0);
    assert_int_equal(json_integer_value(json_object_get(event, "payload")), 1);
    json_decref(event);
    event = next(own, "p", NULL, first);
    assert_int_equal(json_integer_value(json_object_get(event, "payload")), 2);
    json_decref(event);
    pawl_error error = {0};
    assert_int_equal(pawl_host_wait_event(own->host, "p", "noted", first + 1, 1000000, NULL, &error), PAWL_E_DEADLINE);
    assert_int_equal(pawl_host_wait_event(own->host, "nobody", NULL, 0, LONG_NS, NULL, &error), PAWL_E_NOT_FOUND);
}

typedef struct waiter {
    fixture *own;
    uint64_t after;
    const char *type;
    pawl_status status;
    char code[64];
} waiter;

static void *wait_on(void *context)
{
    waiter *w = context;
    pawl_error error = {0};
    w->status = pawl_host_wait_event(w->own->host, "p", w->type, w->after, LONG_NS, NULL, &error);
    snprintf(w->code, sizeof w->code, "%s", error.code);
    return NULL;
}

static void test_W03_an_append_racing_with_a_wait_is_not_lost(void **state)
{
    fixture *own = *state;
    uint64_t after = 0;
    begin(own, "p", NULL, 0);
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        waiter w = {.own = own, .after = after, .type = "noted"};
        assert_int_equal(pthread_create(&thread, NULL, wait_on, &w), 0);
        after = appended(own, "p", "noted", NULL, "1").sequence;
        pthread_join(thread, NULL);
        assert_int_equal(w.status, PAWL_OK);
    }
}

static void test_W04_W05_the_end_ends_every_wait(void **state)
{
    fixture *own = *state;
    enum { WAITERS = 16 };
    pthread_t threads[WAITERS];
    waiter waiters[WAITERS];
    begin(own, "p", NULL, 0);
    appended(own, "p", "priced", NULL, "{\"price\":1}");
    for (int i = 0; i < WAITERS; i++) {
        waiters[i] = (waiter){.own = own, .type = "noted"};
        assert_int_equal(pthread_create(&threads[i], NULL, wait_on, &waiters[i]), 0);
    }
    signal_it(own, "p", "go", "1");
    for (int i = 0; i < WAITERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(waiters[i].status, PAWL_E_TERMINAL);
        assert_string_equal(waiters[i].code, "event.process_ended");
    }
    json_t *event = next(own, "p", "priced", 0); /* what was there is told, also afterwards */
    json_decref(event);
}

/* ---- queues ---- */

static json_t *claim(fixture *own, const char *session, uint32_t limit, uint64_t wait_ns)
{
    const pawl_queue_claim_options options = {
        .struct_size = sizeof options, .limit = limit, .consumer = "test", .wait_ns = wait_ns};
    pawl_text text = {0};
    assert_ok(pawl_host_queue_claim(own->host, session, &options, &text, &why_));
    return json_of(&text);
}

static size_t queued(fixture *own, const char *session)
{
    pawl_text text = {0};
    assert_ok(pawl_host_queue_list(own->host, session, 0, 0, 0, &text, &why_));
    json_t *page = json_of(&text);
    size_t count = json_array_size(json_object_get(page, "items"));
    json_decref(page);
    return count;
}

static pawl_status acknowledge(fixture *own, const char *session, const json_t *claimed, pawl_error *error)
{
    const json_t *item = json_array_get(json_object_get(claimed, "items"), 0);
    uint64_t number = (uint64_t)json_integer_value(json_object_get(item, "item"));
    return pawl_host_queue_settle(own->host, session, PAWL_QUEUE_ACKNOWLEDGE,
                                  (uint64_t)json_integer_value(json_object_get(claimed, "token")), &number, 1, 0,
                                  error);
}

static void test_E13_an_acknowledged_wake_is_gone(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    begin(own, "p", "ann", 0);
    assert_int_equal(appended(own, "p", "shipped", "s", "{\"parcel\":{\"n\":4}}").queued, 1);
    assert_int_equal(appended(own, "p", "shipped", "s", "{\"parcel\":{\"n\":4}}").queued, 0);
    assert_int_equal(queued(own, "ann"), 1);
    json_t *claimed = claim(own, "ann", 10, 0);
    const json_t *item = json_array_get(json_object_get(claimed, "items"), 0);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(item, "input"), "n")), 4);
    assert_string_equal(text_of(item, "process"), "p");
    assert_string_equal(text_of(item, "type"), "shipped");
    assert_int_equal(acknowledge(own, "ann", claimed, &error), PAWL_OK);
    assert_int_equal(queued(own, "ann"), 0);
    assert_int_equal(acknowledge(own, "ann", claimed, &error), PAWL_E_STALE);
    assert_string_equal(error.code, "queue.claim_expired");
    json_decref(claimed);
}

static void test_E09_a_constant_key_is_its_processs_own(void **state)
{
    fixture *own = *state;
    begin(own, "p", "ann", 0);
    begin(own, "q", "ann", 0);
    assert_int_equal(appended(own, "p", "same", NULL, "1").queued, 1);
    assert_int_equal(appended(own, "p", "same", NULL, "2").queued, 0);
    assert_int_equal(appended(own, "q", "same", NULL, "3").queued, 1);
    assert_int_equal(queued(own, "ann"), 2);
    assert_int_equal(count_of(own, "p", 0, NULL), 2); /* the event itself is there */
}

static void test_E10_E11_target_key_and_condition_come_from_the_payload(void **state)
{
    fixture *own = *state;
    begin(own, "p", NULL, 0);
    assert_int_equal(appended(own, "p", "sent", NULL, "{\"to\":\"bob\",\"a\":\"{b}\",\"b\":\"x\",\"loud\":0}").queued,
                     1);
    assert_int_equal(appended(own, "p", "sent", NULL, "{\"to\":\"bob\",\"a\":\"x\",\"b\":\"x\",\"loud\":\"0\"}").queued,
                     1);
    assert_int_equal(appended(own, "p", "sent", NULL, "{\"to\":\"bob\",\"a\":1,\"b\":2,\"loud\":\"\"}").queued, 0);
    assert_int_equal(appended(own, "p", "sent", NULL, "{\"loud\":[]}").queued, 0);
    refused(own, "p", "sent", NULL, "{\"to\":\"\",\"a\":1,\"b\":2,\"loud\":true}", PAWL_E_INVALID, "event.no_target");
    json_t *claimed = claim(own, "bob", 10, 0);
    assert_int_equal(json_array_size(json_object_get(claimed, "items")), 1); /* exclusive */
    assert_string_equal(text_of(json_array_get(json_object_get(claimed, "items"), 0), "key"), "{b}/x");
    json_decref(claimed);
}

typedef struct consumer {
    fixture *own;
    json_t *claimed;
} consumer;

static void *consume(void *context)
{
    consumer *c = context;
    c->claimed = claim(c->own, "ann", 1, LONG_NS);
    return NULL;
}

static void test_W05_who_waits_for_an_item_gets_it(void **state)
{
    fixture *own = *state;
    pthread_t thread;
    pawl_error error = {0};
    begin(own, "p", "ann", 0);
    for (int i = 0; i < 20; i++) {
        consumer c = {.own = own};
        assert_int_equal(pthread_create(&thread, NULL, consume, &c), 0);
        appended(own, "p", "shipped", NULL, "{\"parcel\":1}");
        pthread_join(thread, NULL);
        assert_int_equal(json_array_size(json_object_get(c.claimed, "items")), 1);
        assert_int_equal(acknowledge(own, "ann", c.claimed, &error), PAWL_OK);
        json_decref(c.claimed);
    }
    json_t *none = claim(own, "ann", 1, 1000000);
    assert_int_equal(json_array_size(json_object_get(none, "items")), 0);
    json_decref(none);
}

static void test_W07_events_and_items_survive_a_restart(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    if (strcmp(own->provider, "rocksdb") != 0)
        skip();
    begin(own, "p", "ann", 0);
    uint64_t sequence = appended(own, "p", "shipped", "s", "{\"parcel\":1}").sequence;
    json_t *claimed = claim(own, "ann", 1, 0);
    fixture_close(own);
    open_host(own);
    json_t *event = next(own, "p", "shipped", 0);
    assert_int_equal(json_integer_value(json_object_get(event, "sequence")), sequence);
    json_decref(event);
    pawl_event_appended again = appended(own, "p", "shipped", "s", "{\"parcel\":1}");
    assert_int_equal(again.replayed, 1);
    assert_int_equal(acknowledge(own, "ann", claimed, &error), PAWL_OK); /* a claim is as durable as what it holds */
    assert_int_equal(queued(own, "ann"), 0);
    json_decref(claimed);
    signal_it(own, "p", "go", "1");
    expect_end(own, "p", "completed", "1"); /* the program never saw the event */
}

/* ---- from the program ---- */

static void test_E02_a_program_tells_each_event_once(void **state)
{
    fixture *own = *state;
    const pawl_start wanted = {
        .struct_size = sizeof wanted, .id = "t", .type = "event.teller", .input = {"1", 1}, .session = "ann"};
    assert_ok(pawl_host_start(own->host, &wanted, NULL, &why_));
    json_decref(until(own, "t", "waiting"));
    assert_int_equal(count_of(own, "t", 0, "said"), 1);
    fixture_close(own);
    open_host(own);
    if (strcmp(own->provider, "rocksdb") != 0)
        return; /* nothing is left of it */
    signal_it(own, "t", "go", "7");
    expect_end(own, "t", "completed", "7");
    assert_int_equal(count_of(own, "t", 0, "said"), 2);
    assert_int_equal(queued(own, "ann"), 2);
}

/* ---- schemas ---- */

static void test_P07_an_input_that_does_not_fit_registers_nothing(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    const pawl_start wanted = {
        .struct_size = sizeof wanted, .id = "p", .type = "event.order", .input = {"{\"size\":1}", 10}};
    assert_int_equal(pawl_host_start(own->host, &wanted, NULL, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "schema.input");
    assert_has(error.message, "sku");
    assert_int_equal(pawl_host_get(own->host, "p", NULL, &error), PAWL_E_NOT_FOUND);
    fixture_close(own);
    own->extra = "schemas: off\n";
    open_host(own);
    assert_ok(pawl_host_start(own->host, &wanted, NULL, &why_));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_THE_TWO(test_E02_E03_a_key_counts_once_by_meaning),
        OVER_THE_TWO(test_E04_refusals_in_their_order_leave_nothing),
        OVER_THE_TWO(test_E05_E06_E07_an_event_ends_an_external_process),
        OVER_THE_TWO(test_E08_events_after_every_boundary),
        OVER_THE_TWO(test_E14_odd_payloads_are_kept_whole_or_refused),
        OVER_THE_TWO(test_W01_W02_the_earliest_behind_the_cursor),
        OVER_THE_TWO(test_W03_an_append_racing_with_a_wait_is_not_lost),
        OVER_THE_TWO(test_W04_W05_the_end_ends_every_wait),
        OVER_THE_TWO(test_E13_an_acknowledged_wake_is_gone),
        OVER_THE_TWO(test_E09_a_constant_key_is_its_processs_own),
        OVER_THE_TWO(test_E10_E11_target_key_and_condition_come_from_the_payload),
        OVER_THE_TWO(test_W05_who_waits_for_an_item_gets_it),
        OVER_THE_TWO(test_W07_events_and_items_survive_a_restart),
        OVER_THE_TWO(test_E02_a_program_tells_each_event_once),
        OVER_THE_TWO(test_P07_an_input_that_does_not_fit_registers_nothing),
    };
    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
