/* waiting_test.c: watches, wakes, clocks, memory, pruning and damage, from the inside and on both engines. */
#include "fixture.h"

#include "plugins/store/facets.h"
#include "plugins/store/registry.h"

#include <stdio.h>
#include <stdlib.h>

#define TTL 15000000000ull

static int open_memory(void **state)
{
    *state = fixture_open(false, NULL);
    return 0;
}

static int open_disk(void **state)
{
    *state = fixture_open(true, NULL);
    return 0;
}

static int close_any(void **state)
{
    fixture_close(*state);
    return 0;
}

static bool on_disk(const fixture *f)
{
    return f->directory[0] != '\0';
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static void test_unwatch_finds_a_watch_wherever_it_is(void **state)
{
    fixture *f = *state;
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    pawl_watch request = {.struct_size = sizeof request, .id = BYTES("p")};
    pawl_registry_op kept = {.kind = PAWL_OP_WATCH, .request = &request};
    pawl_registry_op in_round = {.kind = PAWL_OP_WATCH, .request = &request};
    pawl_registry_op queued = {.kind = PAWL_OP_WATCH, .request = &request};
    pawl_registry_op stays = {.kind = PAWL_OP_WATCH, .request = &request};
    pawl_post signal = {.struct_size = sizeof signal,
                        .kind = PAWL_RECORD_SIGNAL,
                        .id = BYTES("p"),
                        .post_id = BYTES("s"),
                        .fingerprint = fingerprint_1};
    pawl_registry_op post = {.kind = PAWL_OP_POST, .request = &signal};
    fixture_submit(f, &kept);
    assert_int_equal(do_register(f, "q", "t", NULL), PAWL_OK); /* a round later it is kept */
    fixture_gate(f, true);
    fixture_submit(f, &in_round);
    fixture_submit(f, &post);
    fixture_await_gated(f);
    fixture_submit(f, &queued);
    fixture_submit(f, &stays);
    pawl_store_registry_table.unwatch(f->store, &kept);
    pawl_store_registry_table.unwatch(f->store, &in_round);
    pawl_store_registry_table.unwatch(f->store, &queued);
    pawl_store_registry_table.unwatch(f->store, &post); /* no watch: nothing happens */
    fixture_gate(f, false);
    fixture_wait(f, &kept);
    fixture_wait(f, &in_round);
    fixture_wait(f, &queued);
    fixture_wait(f, &post);
    assert_int_equal(kept.status, PAWL_E_CANCELLED);
    assert_int_equal(in_round.status, PAWL_E_CANCELLED);
    assert_int_equal(queued.status, PAWL_E_CANCELLED);
    assert_int_equal(post.status, PAWL_OK);
    assert_int_equal(do_end(f, "p", "e", PAWL_TERMINATED, 1), PAWL_OK);
    fixture_wait(f, &stays);
    assert_int_equal(stays.status, PAWL_OK);
    assert_int_equal(stays.result_kind, PAWL_RECORD_ENDED);
    assert_int_equal(stays.result_status, PAWL_TERMINATED);
    pawl_store_registry_table.unwatch(f->store, &stays); /* completed: nothing happens */
}

static void test_closing_completes_what_waits(void **state)
{
    fixture *f = *state;
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    pawl_watch request = {.struct_size = sizeof request, .id = BYTES("p"), .kinds = 1ull << 2};
    pawl_registry_op op = {.kind = PAWL_OP_WATCH, .request = &request};
    fixture_submit(f, &op);
    fixture_close_store(f);
    assert_true(fixture_is_done(f, &op));
    assert_int_equal(op.status, PAWL_E_CLOSED);
    fixture_wait(f, &op);
    if (on_disk(f))
        fixture_open_store(f);
}

static void test_W01_watch_finds_the_earliest_record_of_its_kinds(void **state)
{
    fixture *f = *state;
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    char id[16];
    for (int i = 2; i <= 40; i++) {
        snprintf(id, sizeof id, "s%d", i);
        uint32_t kind = i % 10 == 0 ? PAWL_RECORD_RESUMED : PAWL_RECORD_SIGNAL;
        assert_int_equal(do_post(f, "p", kind, id, NULL, NULL), PAWL_OK);
    }
    for (int again = 0; again < 2; again++) {
        for (uint64_t after = 0; after < 40; after++) {
            pawl_watch request = {
                .struct_size = sizeof request, .id = BYTES("p"), .after = after, .kinds = 1ull << (67 - 64)};
            pawl_registry_op op = {.kind = PAWL_OP_WATCH, .request = &request};
            assert_int_equal(fixture_run(f, &op), PAWL_OK);
            assert_int_equal(op.result_kind, PAWL_RECORD_RESUMED);
            assert_int_equal(op.sequence, (after / 10 + 1) * 10);
        }
        if (on_disk(f))
            fixture_reopen(f);
    }
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void test_I09_waiting_processes_cost_no_memory(void **state)
{
    enum { COUNT = (int)PAWL_STORE_IDLE_ENTRIES_MAX + 500 };
    fixture *f = *state;
    row lease;
    char id[16];
    uint64_t session = do_worker(f, "w", TTL, f);
    pawl_registry_op *ops = calloc(COUNT, sizeof *ops);
    pawl_register *requests = calloc(COUNT, sizeof *requests);
    char(*ids)[16] = calloc(COUNT, sizeof *ids);
    for (int i = 0; i < COUNT; i++) {
        snprintf(ids[i], sizeof ids[i], "p%d", i);
        requests[i] = (pawl_register){.struct_size = sizeof requests[i],
                                      .id = pawl_bytes_of(ids[i]),
                                      .type = BYTES("t"),
                                      .fingerprint = fingerprint_1};
        ops[i] = (pawl_registry_op){.kind = PAWL_OP_REGISTER, .request = &requests[i]};
        fixture_submit(f, &ops[i]);
    }
    for (int i = 0; i < COUNT; i++)
        fixture_wait(f, &ops[i]);
    pthread_mutex_lock(&f->store->registry->lock);
    size_t entries = f->store->registry->entry_count;
    pthread_mutex_unlock(&f->store->registry->lock);
    assert_true(entries <= PAWL_STORE_IDLE_ENTRIES_MAX);
    for (int i = 0; i < COUNT; i += COUNT / 7) { /* gone from memory or not, they are all there */
        snprintf(id, sizeof id, "p%d", i);
        assert_int_equal(do_post(f, id, PAWL_RECORD_SIGNAL, "s", NULL, NULL), PAWL_OK);
    }
    size_t claimed = 0;
    size_t got;
    row *many = calloc(PAWL_STORE_CLAIM_MAX, sizeof *many);
    while ((got = do_claim(f, session, "t", many, PAWL_STORE_CLAIM_MAX)) > 0)
        claimed += got;
    assert_int_equal(claimed, COUNT);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 0);
    assert_counts(f, 0, COUNT, 0, 0, 0);
    free(many);
    free(ops);
    free(requests);
    free(ids);
}

static void test_claims_take_turns_between_types(void **state)
{
    fixture *f = *state;
    row rows[12];
    char id[16];
    uint64_t session = do_worker(f, "w", TTL, f);
    for (int i = 0; i < 30; i++) {
        snprintf(id, sizeof id, "many%d", i);
        assert_int_equal(do_register(f, id, "many", NULL), PAWL_OK);
    }
    assert_int_equal(do_register(f, "few", "few", NULL), PAWL_OK);
    pawl_bytes types[] = {BYTES("many"), BYTES("few"), BYTES("none")};
    (void)types;
    assert_int_equal(do_claim(f, session, "many", rows, 3), 3);
    assert_string_equal(rows[0].id, "many0"); /* the oldest first */
    assert_string_equal(rows[2].id, "many2");
    assert_int_equal(do_claim(f, session, "few", rows, 3), 1);
    assert_int_equal(do_claim(f, session, "many", rows, 12), 12);
    assert_string_equal(rows[0].id, "many3");
}

/* ---- parking, clocks --------------------------------------------------------------------------------------------- */

static void test_I07_a_cancel_that_was_not_seen_does_not_wait_behind_a_park(void **state)
{
    fixture *f = *state;
    row lease;
    row got;
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
    assert_int_equal(do_post(f, "p", PAWL_RECORD_CANCEL, "c", NULL, NULL), PAWL_OK);
    assert_int_equal(do_park(f, &lease, 1), PAWL_OK); /* it has seen record 1, the request is record 2 */
    assert_int_equal(do_get(f, "p", &got, NULL), PAWL_OK);
    assert_int_equal(got.status, PAWL_READY);
    assert_int_equal(got.cancelled, 1);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
    assert_int_equal(do_park(f, &lease, lease.head), PAWL_OK); /* now it has: stuck it is */
    assert_int_equal(do_get(f, "p", &got, NULL), PAWL_OK);
    assert_int_equal(got.status, PAWL_STUCK);
    assert_string_equal(got.reason_code, "test.stuck");
    assert_string_equal(got.reason, "no way on");
}

static void test_V13_a_clock_set_back_delays_a_wake_and_loses_none(void **state)
{
    fixture *f = *state;
    row lease;
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
    uint64_t due = f->unix_ns + 1000000;
    assert_int_equal(do_suspend(f, &lease, 1, due, NULL), PAWL_OK);
    fixture_advance(f, 1000000);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
    assert_int_equal(pawl_store_registry_table.release(f->store, lease.number, lease.token), PAWL_OK);
    pthread_mutex_lock(&f->lock);
    f->unix_ns -= 500000;
    pthread_mutex_unlock(&f->lock);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 0);
    fixture_advance(f, 500000);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
}

static void test_wakes_behind_and_in_front_of_the_cursor_are_found(void **state)
{
    fixture *f = *state;
    row leases[4];
    char id[16];
    uint64_t session = do_worker(f, "w", TTL, f);
    uint64_t start = f->unix_ns;
    const uint64_t due[] = {30, 10, 20, 10};
    for (int i = 0; i < 4; i++) {
        snprintf(id, sizeof id, "p%d", i);
        assert_int_equal(do_register(f, id, "t", NULL), PAWL_OK);
    }
    assert_int_equal(do_claim(f, session, "t", leases, 4), 4);
    assert_int_equal(do_suspend(f, &leases[0], 1, start + due[0], NULL), PAWL_OK);
    fixture_advance(f, 15);
    assert_int_equal(do_claim(f, session, "t", leases, 4), 0);                     /* looked, and nothing was due */
    assert_int_equal(do_suspend(f, &leases[1], 1, start + due[1], NULL), PAWL_OK); /* due already */
    assert_int_equal(do_suspend(f, &leases[2], 1, start + due[2], NULL), PAWL_OK);
    row got[4];
    assert_int_equal(do_claim(f, session, "t", got, 4), 1);
    assert_string_equal(got[0].id, "p1");
    assert_int_equal(do_suspend(f, &leases[3], 1, start + due[3], NULL), PAWL_OK);
    fixture_advance(f, 100);
    assert_int_equal(do_claim(f, session, "t", got, 4), 3);
    assert_string_equal(got[0].id, "p3");
    assert_string_equal(got[1].id, "p2");
    assert_string_equal(got[2].id, "p0");
}

static void test_due_wakes_are_announced_once(void **state)
{
    fixture *f = *state;
    row lease;
    uint64_t session = do_worker(f, "w", 3600 * TTL, f);
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    fixture_event(f, PAWL_EVENT_WORK, 0);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
    assert_int_equal(do_suspend(f, &lease, 1, f->unix_ns + 5000, NULL), PAWL_OK);
    assert_int_equal(fixture_count_events(f, PAWL_EVENT_WORK), 0);
    fixture_advance(f, 5000);
    fixture_event(f, PAWL_EVENT_WORK, 0);
    fixture_advance(f, 5000);
    assert_int_equal(do_register(f, "q", "other", NULL), PAWL_OK); /* a round later */
    fixture_event(f, PAWL_EVENT_WORK, 0);                          /* this one is for q */
    assert_int_equal(fixture_count_events(f, PAWL_EVENT_WORK), 0);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
}

/* ---- pruning ----------------------------------------------------------------------------------------------------- */

static void test_S11_prune_takes_the_oldest_and_keeps_the_ids(void **state)
{
    fixture *f = *state;
    char id[16];
    failure why = {0};
    row got;
    uint64_t counts[20];
    for (int i = 0; i < 6; i++) {
        snprintf(id, sizeof id, "p%d", i);
        assert_int_equal(do_register(f, id, "t", NULL), PAWL_OK);
        assert_int_equal(do_post(f, id, PAWL_RECORD_SIGNAL, "s", NULL, NULL), PAWL_OK);
        if (i != 1)
            assert_int_equal(do_end(f, id, "e", PAWL_TERMINATED, 1), PAWL_OK);
        fixture_advance(f, 1000);
    }
    assert_int_equal(do_prune(f, f->unix_ns - 1000, 2), 2); /* p0 and p2; p1 is not over */
    assert_int_equal(do_get(f, "p0", &got, &why), PAWL_E_NOT_FOUND);
    assert_string_equal(why.code, "registry.no_longer_retained");
    assert_int_equal(do_get(f, "p1", &got, NULL), PAWL_OK);
    assert_int_equal(do_register(f, "p2", "t", NULL), PAWL_E_CONFLICT);
    assert_int_equal(do_post(f, "p2", PAWL_RECORD_SIGNAL, "s", NULL, NULL), PAWL_E_NOT_FOUND);
    assert_int_equal(do_prune(f, f->unix_ns - 1000, 100), 2);
    assert_int_equal(do_get(f, "p5", &got, NULL), PAWL_OK); /* not older than the limit */
    assert_int_equal(do_prune(f, f->unix_ns + 1, 100), 1);
    assert_int_equal(do_prune(f, f->unix_ns + 1, 100), 0);
    assert_int_equal(pawl_store_registry_table.count(f->store, counts, 20, NULL), PAWL_OK);
    assert_int_equal(counts[PAWL_TERMINATED], 0);
    assert_int_equal(do_register(f, "p9", "t", NULL), PAWL_OK);
    assert_int_equal(do_get(f, "p9", &got, NULL), PAWL_OK);
    assert_int_equal(got.number, 7); /* numbers are not used again */
    if (on_disk(f)) {
        fixture_reopen(f);
        assert_int_equal(do_get(f, "p3", &got, &why), PAWL_E_NOT_FOUND);
        assert_string_equal(why.code, "registry.no_longer_retained");
        assert_int_equal(do_get(f, "p1", &got, NULL), PAWL_OK);
    }
}

/* ---- damage ------------------------------------------------------------------------------------------------------ */

static void test_S10_a_damaged_process_stalls_nobody_else(void **state)
{
    fixture *f = *state;
    row got[3];
    failure why = {0};
    uint64_t number;
    assert_int_equal(do_register(f, "bad", "t", &number), PAWL_OK);
    assert_int_equal(do_register(f, "good", "t", NULL), PAWL_OK);
    if (!on_disk(f))
        skip(); /* in memory the entry hides its row */
    pawl_batch batch = {0};
    uint8_t key[8] = {0, 0, 0, 0, 0, 0, 0, (uint8_t)number};
    pawl_batch_begin(&batch, PAWL_FAMILY_PROCESS, (pawl_bytes){key, sizeof key});
    pawl_buffer_append(&batch.bytes, "rubbish", 7);
    pawl_batch_end(&batch);
    assert_int_equal(pawl_kv_write(&f->kv->base, &batch, true, NULL), PAWL_OK);
    pawl_batch_finish(&batch);
    fixture_reopen(f);
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_claim(f, session, "t", got, 3), 1);
    assert_string_equal(got[0].id, "good");
    assert_int_equal(do_get(f, "bad", &got[0], &why), PAWL_E_CORRUPT);
    assert_string_equal(why.code, "store.corrupt");
    assert_non_null(strstr(why.message, "\"process\""));
    assert_non_null(strstr(why.message, "0000000000000001"));
    assert_int_equal(do_post(f, "bad", PAWL_RECORD_SIGNAL, "s", NULL, NULL), PAWL_E_CORRUPT);
    assert_true(f->log_lines > 0);
}

int main(void)
{
#define ON_BOTH(test)                                                                                                  \
    {#test "[memory]", test, open_memory, close_any, NULL},                                                            \
    {                                                                                                                  \
#test "[rocksdb]", test, open_disk, close_any, NULL                                                            \
    }
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_unwatch_finds_a_watch_wherever_it_is),
        ON_BOTH(test_closing_completes_what_waits),
        ON_BOTH(test_W01_watch_finds_the_earliest_record_of_its_kinds),
        ON_BOTH(test_I09_waiting_processes_cost_no_memory),
        ON_BOTH(test_claims_take_turns_between_types),
        ON_BOTH(test_I07_a_cancel_that_was_not_seen_does_not_wait_behind_a_park),
        ON_BOTH(test_V13_a_clock_set_back_delays_a_wake_and_loses_none),
        ON_BOTH(test_wakes_behind_and_in_front_of_the_cursor_are_found),
        ON_BOTH(test_due_wakes_are_announced_once),
        ON_BOTH(test_S11_prune_takes_the_oldest_and_keeps_the_ids),
        ON_BOTH(test_S10_a_damaged_process_stalls_nobody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
