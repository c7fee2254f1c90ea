/* registry_test.c: the registry's inner workings, on both engines: what the conformance suite cannot reach from
 * outside, and the ways of a process in short. */
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

/* The life of one process, with a look at the counts at every step. */
static void test_life_of_a_process(void **state)
{
    fixture *f = *state;
    row got;
    uint64_t number;
    assert_int_equal(do_register(f, "p", "t", &number), PAWL_OK);
    assert_counts(f, 1, 0, 0, 0, 0);
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_claim(f, session, "t", &got, 5), 1);
    assert_int_equal(got.status, PAWL_RUNNING);
    assert_int_equal(got.number, number);
    assert_int_equal(got.head, 1);
    assert_string_equal(got.worker, "w");
    assert_counts(f, 0, 1, 0, 0, 0);
    uint64_t sequence;
    assert_int_equal(do_append(f, &got, "one", &sequence), PAWL_OK);
    assert_int_equal(sequence, 2);
    uint64_t wake = f->unix_ns + 1000;
    assert_int_equal(do_suspend(f, &got, 2, wake, NULL), PAWL_OK);
    assert_counts(f, 0, 0, 1, 0, 0);
    row now;
    assert_int_equal(do_get(f, "p", &now, NULL), PAWL_OK);
    assert_int_equal(now.status, PAWL_WAITING);
    assert_string_equal(now.reason, "a bell");
    assert_int_equal(now.wake_unix_ns, wake);
    assert_int_equal(do_claim(f, session, "t", &got, 5), 0);
    fixture_advance(f, 1000);
    assert_int_equal(do_claim(f, session, "t", &got, 5), 1);
    uint32_t flags;
    assert_int_equal(do_complete(f, &got, 2, PAWL_COMPLETED, &flags), PAWL_OK);
    assert_int_equal(flags, 0);
    assert_counts(f, 0, 0, 0, 0, 1);
    assert_int_equal(do_get(f, "p", &now, NULL), PAWL_OK);
    assert_int_equal(now.status, PAWL_COMPLETED);
    assert_string_equal(now.outcome, "done");
    assert_int_equal(do_journal_length(f, number), 3);
    assert_int_equal(do_claim(f, session, "t", &got, 5), 0);
    if (on_disk(f)) {
        fixture_reopen(f);
        assert_counts(f, 0, 0, 0, 0, 1);
        assert_int_equal(do_get(f, "p", &now, NULL), PAWL_OK);
        assert_string_equal(now.outcome, "done");
    }
}

/* ---- writes that fail -------------------------------------------------------------------------------------------- */

static void test_S10_failed_write_leaves_no_trace(void **state)
{
    fixture *f = *state;
    uint64_t number;
    fixture_fail_writes(f, 1, PAWL_E_FULL);
    assert_int_equal(do_register(f, "p", "first-type", &number), PAWL_E_FULL);
    assert_int_equal(number, 0);
    assert_int_equal(do_get(f, "p", NULL, NULL), PAWL_E_NOT_FOUND);
    assert_counts(f, 0, 0, 0, 0, 0);
    /* The type that failed keeps its number and is written with the next one, so that the numbers have no gap. */
    assert_int_equal(do_register(f, "q", "second-type", &number), PAWL_OK);
    assert_int_equal(number, 1);
    assert_int_equal(do_register(f, "p", "first-type", &number), PAWL_OK);
    assert_int_equal(number, 2);
    if (on_disk(f)) {
        row got;
        fixture_reopen(f);
        assert_int_equal(do_get(f, "p", &got, NULL), PAWL_OK);
        assert_string_equal(got.type, "first-type");
        assert_int_equal(do_get(f, "q", &got, NULL), PAWL_OK);
        assert_string_equal(got.type, "second-type");
    }
}

static void test_S10_failed_write_keeps_the_lease_and_the_numbering(void **state)
{
    fixture *f = *state;
    row lease;
    uint64_t sequence;
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
    fixture_fail_writes(f, 3, PAWL_E_IO);
    assert_int_equal(do_append(f, &lease, "lost", NULL), PAWL_E_IO);
    assert_int_equal(do_suspend(f, &lease, 1, 0, NULL), PAWL_E_IO);
    assert_int_equal(do_complete(f, &lease, 1, PAWL_COMPLETED, NULL), PAWL_E_IO);
    assert_counts(f, 0, 1, 0, 0, 0);
    assert_int_equal(do_append(f, &lease, "kept", &sequence), PAWL_OK);
    assert_int_equal(sequence, 2);
    assert_int_equal(do_complete(f, &lease, 2, PAWL_COMPLETED, NULL), PAWL_OK);
    assert_int_equal(do_journal_length(f, lease.number), 3);
    assert_counts(f, 0, 0, 0, 0, 1);
}

static void test_S10_failed_post_can_be_repeated(void **state)
{
    fixture *f = *state;
    uint64_t sequence;
    uint32_t flags;
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    fixture_fail_writes(f, 1, PAWL_E_FULL);
    assert_int_equal(do_post(f, "p", PAWL_RECORD_SIGNAL, "s", NULL, NULL), PAWL_E_FULL);
    assert_int_equal(do_post(f, "p", PAWL_RECORD_SIGNAL, "s", &sequence, &flags), PAWL_OK);
    assert_int_equal(sequence, 2);
    assert_int_equal(flags, 0);
    assert_int_equal(do_post(f, "p", PAWL_RECORD_SIGNAL, "s", &sequence, &flags), PAWL_OK);
    assert_int_equal(sequence, 2);
    assert_int_equal(flags, PAWL_RESULT_REPLAYED);
}

/* ---- group commit ------------------------------------------------------------------------------------------------ */

enum { MANY = 50 };

static void test_operations_that_arrive_during_a_write_share_the_next_one(void **state)
{
    fixture *f = *state;
    pawl_registry_op ops[MANY];
    pawl_register requests[MANY];
    char ids[MANY][16];
    fixture_gate(f, true);
    uint64_t before = fixture_writes(f);
    for (int i = 0; i < MANY; i++) {
        snprintf(ids[i], sizeof ids[i], "p%d", i);
        requests[i] = (pawl_register){.struct_size = sizeof requests[i],
                                      .id = pawl_bytes_of(ids[i]),
                                      .type = BYTES("t"),
                                      .fingerprint = fingerprint_1};
        ops[i] = (pawl_registry_op){.kind = PAWL_OP_REGISTER, .request = &requests[i]};
        fixture_submit(f, &ops[i]);
        if (i == 0)
            fixture_await_gated(f);
    }
    for (int i = 0; i < MANY; i++)
        assert_false(fixture_is_done(f, &ops[i])); /* nothing is told before it is durable */
    assert_int_equal(do_get(f, "p0", NULL, NULL), PAWL_E_NOT_FOUND);
    fixture_gate(f, false);
    for (int i = 0; i < MANY; i++) {
        fixture_wait(f, &ops[i]);
        assert_int_equal(ops[i].status, PAWL_OK);
        assert_int_equal(ops[i].number, i + 1);
    }
    assert_int_equal(fixture_writes(f) - before, 2);
    assert_counts(f, MANY, 0, 0, 0, 0);
}

/* Operations of one round see what those in front of them did. */
static void test_a_round_sees_its_own_operations(void **state)
{
    fixture *f = *state;
    uint64_t session = do_worker(f, "w", TTL, f);
    row lease;
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
    pawl_record record = {.struct_size = sizeof record, .kind = 1, .body = BYTES("x")};
    pawl_commit commit = {.struct_size = sizeof commit,
                          .number = lease.number,
                          .token = lease.token,
                          .seen = 3,
                          .records = &record,
                          .record_count = 1,
                          .record_size = sizeof record};
    pawl_post signal = {.struct_size = sizeof signal,
                        .kind = PAWL_RECORD_SIGNAL,
                        .id = BYTES("p"),
                        .post_id = BYTES("s"),
                        .fingerprint = fingerprint_1};
    pawl_register again = {
        .struct_size = sizeof again, .id = BYTES("q"), .type = BYTES("u"), .fingerprint = fingerprint_2};
    pawl_registry_op ops[] = {
        {.kind = PAWL_OP_APPEND, .request = &commit},  {.kind = PAWL_OP_POST, .request = &signal},
        {.kind = PAWL_OP_POST, .request = &signal},    {.kind = PAWL_OP_SUSPEND, .request = &commit},
        {.kind = PAWL_OP_APPEND, .request = &commit},  {.kind = PAWL_OP_REGISTER, .request = &again},
        {.kind = PAWL_OP_REGISTER, .request = &again},
    };
    enum { COUNT = sizeof ops / sizeof *ops };
    pawl_registry_op blocker = {.kind = PAWL_OP_POST, .request = &signal};
    pawl_post first = signal;
    first.id = BYTES("other");
    blocker.request = &first;
    assert_int_equal(do_register(f, "other", "t", NULL), PAWL_OK);
    fixture_gate(f, true);
    fixture_submit(f, &blocker);
    fixture_await_gated(f);
    for (int i = 0; i < COUNT; i++)
        fixture_submit(f, &ops[i]);
    fixture_gate(f, false);
    fixture_wait(f, &blocker);
    for (int i = 0; i < COUNT; i++)
        fixture_wait(f, &ops[i]);
    assert_int_equal(ops[0].status, PAWL_OK);
    assert_int_equal(ops[0].sequence, 2);
    assert_int_equal(ops[1].sequence, 3);
    assert_int_equal(ops[2].flags, PAWL_RESULT_REPLAYED);
    assert_int_equal(ops[2].sequence, 3);
    assert_int_equal(ops[3].status, PAWL_OK); /* it had seen the signal */
    assert_int_equal(ops[3].flags, 0);
    assert_int_equal(ops[4].status, PAWL_E_STALE); /* the lease ended in front of it */
    assert_int_equal(ops[5].status, PAWL_OK);
    assert_int_equal(ops[6].flags, PAWL_RESULT_EXISTED);
    assert_int_equal(ops[6].number, ops[5].number);
    assert_int_equal(do_journal_length(f, lease.number), 4);
    /* POSTED was told to the holder, in its place. */
    seen_event posted = fixture_event(f, PAWL_EVENT_POSTED, lease.number);
    (void)posted;
}

static void test_a_process_in_the_running_round_is_claimed_after_it(void **state)
{
    fixture *f = *state;
    uint64_t session = do_worker(f, "w", TTL, f);
    row lease;
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    fixture_event(f, PAWL_EVENT_WORK, 0);
    pawl_post signal = {.struct_size = sizeof signal,
                        .kind = PAWL_RECORD_SIGNAL,
                        .id = BYTES("p"),
                        .post_id = BYTES("s"),
                        .fingerprint = fingerprint_1};
    pawl_registry_op op = {.kind = PAWL_OP_POST, .request = &signal};
    fixture_gate(f, true);
    fixture_submit(f, &op);
    fixture_await_gated(f);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 0);
    fixture_gate(f, false);
    fixture_wait(f, &op);
    fixture_event(f, PAWL_EVENT_WORK, 0); /* so that it is not forgotten */
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
    assert_int_equal(lease.head, 2); /* and the holder reads what the round brought */
    assert_int_equal(fixture_count_events(f, PAWL_EVENT_POSTED), 0);
}

/* The rows of a round are in the engine before the round is published: a claim that meets them in between must neither
 * lease what is not published nor pass it over for ever. */
static void test_V02_rows_met_before_they_are_published_are_not_lost(void **state)
{
    fixture *f = *state;
    row got[4];
    row lease;
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    fixture_event(f, PAWL_EVENT_WORK, 0);
    assert_int_equal(do_register(f, "r", "t", NULL), PAWL_OK); /* so that the claim below has rows to look at */
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
    pawl_commit suspend = {
        .struct_size = sizeof suspend, .number = lease.number, .token = lease.token, .seen = lease.head};
    pawl_post signal = {.struct_size = sizeof signal,
                        .kind = PAWL_RECORD_SIGNAL,
                        .id = BYTES("p"),
                        .post_id = BYTES("s"),
                        .fingerprint = fingerprint_1};
    pawl_register request = {
        .struct_size = sizeof request, .id = BYTES("q"), .type = BYTES("t"), .fingerprint = fingerprint_1};
    pawl_registry_op ops[] = {{.kind = PAWL_OP_REGISTER, .request = &request},
                              {.kind = PAWL_OP_SUSPEND, .request = &suspend},
                              {.kind = PAWL_OP_POST, .request = &signal}};
    pawl_registry_op *all[] = {&ops[0], &ops[1], &ops[2]};
    fixture_event(f, PAWL_EVENT_WORK, 0);
    fixture_gate_after(f, true);
    fixture_submit_all(f, all, 3);
    fixture_await_gated_after(f);
    assert_int_equal(do_claim(f, session, "t", got, 4), 1);
    assert_string_equal(got[0].id, "r");
    fixture_gate_after(f, false);
    for (int i = 0; i < 3; i++) {
        fixture_wait(f, &ops[i]);
        assert_int_equal(ops[i].status, PAWL_OK);
    }
    fixture_event(f, PAWL_EVENT_WORK, 0);
    assert_int_equal(do_claim(f, session, "t", got, 4), 2);
    assert_int_equal(do_claim(f, session, "t", got, 4), 0);
}

/* Sequences of ready rows and the order in which a round publishes them differ. */
static void test_a_round_published_out_of_order_is_claimed_whole(void **state)
{
    fixture *f = *state;
    row lease;
    row got[4];
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    assert_int_equal(do_claim(f, session, "t", got, 4), 1);
    lease = got[0];
    assert_int_equal(do_claim(f, session, "t", got, 4), 0); /* to the end: drained */
    pawl_commit suspend = {
        .struct_size = sizeof suspend, .number = lease.number, .token = lease.token, .seen = lease.head};
    pawl_register request = {
        .struct_size = sizeof request, .id = BYTES("q"), .type = BYTES("t"), .fingerprint = fingerprint_1};
    pawl_post signal = {.struct_size = sizeof signal,
                        .kind = PAWL_RECORD_SIGNAL,
                        .id = BYTES("p"),
                        .post_id = BYTES("s"),
                        .fingerprint = fingerprint_1};
    pawl_registry_op ops[] = {{.kind = PAWL_OP_SUSPEND, .request = &suspend}, /* p is staged first */
                              {.kind = PAWL_OP_REGISTER, .request = &request},
                              {.kind = PAWL_OP_POST, .request = &signal}}; /* and its ready row is the later one */
    pawl_registry_op *all[] = {&ops[0], &ops[1], &ops[2]};
    fixture_submit_all(f, all, 3);
    for (int i = 0; i < 3; i++)
        fixture_wait(f, &ops[i]);
    assert_int_equal(do_claim(f, session, "t", got, 4), 2);
}

typedef struct claim_thread {
    fixture *f;
    uint64_t session;
    row lease;
    pawl_status status;
} claim_thread;

static void *claim_by_id(void *argument)
{
    claim_thread *claim = argument;
    claim->status = do_claim_id(claim->f, claim->session, "p", &claim->lease, NULL);
    return NULL;
}

static void test_claim_by_id_waits_for_the_running_round(void **state)
{
    fixture *f = *state;
    claim_thread claim = {.f = f, .session = do_worker(f, "w", TTL, f)};
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    pawl_post signal = {.struct_size = sizeof signal,
                        .kind = PAWL_RECORD_SIGNAL,
                        .id = BYTES("p"),
                        .post_id = BYTES("s"),
                        .fingerprint = fingerprint_1};
    pawl_registry_op op = {.kind = PAWL_OP_POST, .request = &signal};
    fixture_gate(f, true);
    fixture_submit(f, &op);
    fixture_await_gated(f);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, claim_by_id, &claim), 0);
    assert_int_equal(pawl_store_registry_table.heartbeat(f->store, claim.session), PAWL_OK); /* waits for no write */
    fixture_gate(f, false);
    fixture_wait(f, &op);
    pthread_join(thread, NULL);
    assert_int_equal(claim.status, PAWL_OK);
    assert_int_equal(claim.lease.head, 2);
}

/* ---- leases, tokens ---------------------------------------------------------------------------------------------- */

static void test_a_claim_and_a_heartbeat_write_nothing(void **state)
{
    fixture *f = *state;
    row lease;
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    uint64_t before = fixture_writes(f);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
        assert_int_equal(pawl_store_registry_table.heartbeat(f->store, session), PAWL_OK);
        assert_int_equal(pawl_store_registry_table.release(f->store, lease.number, lease.token), PAWL_OK);
        fixture_advance(f, TTL / 4);
    }
    assert_int_equal(fixture_writes(f), before);
    assert_int_equal(lease.claims, 10);
}

static void test_L14_token_counter_at_its_end_raises_the_epoch(void **state)
{
    fixture *f = *state;
    row first;
    row second;
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    pthread_mutex_lock(&f->store->tickets.lock);
    f->store->tickets.counter = UINT32_MAX - 1;
    uint32_t epoch = f->store->tickets.epoch;
    pthread_mutex_unlock(&f->store->tickets.lock);
    assert_int_equal(do_claim_id(f, session, "p", &first, NULL), PAWL_OK);
    assert_int_equal(first.token, (uint64_t)epoch << 32 | UINT32_MAX);
    assert_int_equal(do_claim_id(f, session, "p", &second, NULL), PAWL_OK);
    assert_int_equal(second.token, (epoch + 1ull) << 32 | 1);
    assert_int_equal(do_append(f, &first, "old", NULL), PAWL_E_STALE);
    assert_int_equal(do_append(f, &second, "new", NULL), PAWL_OK);
}

static void test_L14_epoch_at_its_end_is_a_typed_error(void **state)
{
    fixture *f = *state;
    row lease;
    failure why = {0};
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    pthread_mutex_lock(&f->store->tickets.lock);
    f->store->tickets.counter = UINT32_MAX;
    f->store->tickets.epoch = UINT32_MAX;
    pthread_mutex_unlock(&f->store->tickets.lock);
    assert_int_equal(do_claim_id(f, session, "p", &lease, &why), PAWL_E_LIMIT);
    assert_string_equal(why.code, "store.tickets_exhausted");
    assert_int_equal(do_register(f, "q", "t", NULL), PAWL_E_LIMIT);
    assert_int_equal(do_get(f, "p", NULL, NULL), PAWL_OK);
}

/* A failed raise is no raise: the old epoch is not used beyond its end either. */
static void test_L14_failed_raise_gives_no_token(void **state)
{
    fixture *f = *state;
    row lease;
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    pthread_mutex_lock(&f->store->tickets.lock);
    f->store->tickets.counter = UINT32_MAX;
    pthread_mutex_unlock(&f->store->tickets.lock);
    fixture_fail_writes(f, 1, PAWL_E_IO);
    assert_int_equal(do_claim_id(f, session, "p", &lease, NULL), PAWL_E_IO);
    assert_int_equal(do_claim_id(f, session, "p", &lease, NULL), PAWL_OK);
}

static void test_L02_a_session_that_nobody_looked_at_writes_nothing_after_its_time(void **state)
{
    fixture *f = *state;
    row lease;
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
    pthread_mutex_lock(&f->lock);
    f->mono_ns += TTL; /* without a tick; equal counts as over */
    pthread_mutex_unlock(&f->lock);
    assert_int_equal(do_append(f, &lease, "late", NULL), PAWL_E_STALE);
    assert_int_equal(do_journal_length(f, lease.number), 1);
    seen_event lost = fixture_event(f, PAWL_EVENT_LOST, lease.number);
    assert_int_equal(lost.token, lease.token);
    assert_int_equal(pawl_store_registry_table.heartbeat(f->store, session), PAWL_E_STALE);
}

static void test_no_event_after_worker_close(void **state)
{
    fixture *f = *state;
    row lease;
    int other = 0;
    uint64_t session = do_worker(f, "w", TTL, f);
    uint64_t rest = do_worker(f, "x", TTL, &other);
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
    pawl_store_registry_table.worker_close(f->store, session);
    pthread_mutex_lock(&f->lock);
    f->event_count = 0;
    pthread_mutex_unlock(&f->lock);
    assert_int_equal(do_post(f, "p", PAWL_RECORD_SIGNAL, "s", NULL, NULL), PAWL_OK);
    assert_int_equal(do_register(f, "q", "t", NULL), PAWL_OK);
    seen_event work = fixture_event(f, PAWL_EVENT_WORK, 0);
    assert_ptr_equal(work.listener, &other);
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->event_count; i++)
        assert_ptr_equal(f->events[i].listener, &other);
    pthread_mutex_unlock(&f->lock);
    row both[5];
    assert_int_equal(do_claim(f, rest, "t", both, 5), 2); /* what it had leased is there at once */
    assert_int_equal(pawl_store_registry_table.heartbeat(f->store, session), PAWL_E_STALE);
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
        ON_BOTH(test_life_of_a_process),
        ON_BOTH(test_S10_failed_write_leaves_no_trace),
        ON_BOTH(test_S10_failed_write_keeps_the_lease_and_the_numbering),
        ON_BOTH(test_S10_failed_post_can_be_repeated),
        ON_BOTH(test_operations_that_arrive_during_a_write_share_the_next_one),
        ON_BOTH(test_a_round_sees_its_own_operations),
        ON_BOTH(test_a_process_in_the_running_round_is_claimed_after_it),
        ON_BOTH(test_V02_rows_met_before_they_are_published_are_not_lost),
        ON_BOTH(test_a_round_published_out_of_order_is_claimed_whole),
        ON_BOTH(test_claim_by_id_waits_for_the_running_round),
        ON_BOTH(test_a_claim_and_a_heartbeat_write_nothing),
        ON_BOTH(test_L14_token_counter_at_its_end_raises_the_epoch),
        ON_BOTH(test_L14_epoch_at_its_end_is_a_typed_error),
        ON_BOTH(test_L14_failed_raise_gives_no_token),
        ON_BOTH(test_L02_a_session_that_nobody_looked_at_writes_nothing_after_its_time),
        ON_BOTH(test_no_event_after_worker_close),
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
