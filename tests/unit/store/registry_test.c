/* registry_test.c: the registry's inner workings, on both engines: what the conformance suite cannot reach from
 * outside, and the ways of a process in short. */
#include "fixture.h"

#include "plugins/store/facets.h"
#include "plugins/store/meta.h"
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

static void test_P09_a_session_may_be_closed_from_inside_its_event(void **state)
{
    fixture *f = *state;
    row got[2];
    int other = 0;
    uint64_t session = do_worker(f, "w", TTL, f);
    uint64_t rest = do_worker(f, "x", TTL, &other);
    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&f->lock);
        f->close_at_event = i == 0 ? session : rest;
        pthread_mutex_unlock(&f->lock);
        assert_int_equal(do_register(f, i == 0 ? "p" : "q", "t", NULL), PAWL_OK);
        fixture_event(f, PAWL_EVENT_WORK, 0);
    }
    /* A round that begins now has seen both callbacks return. */
    assert_int_equal(do_register(f, "r", "t", NULL), PAWL_OK);
    assert_int_equal(pawl_store_registry_table.heartbeat(f->store, session), PAWL_E_STALE);
    assert_int_equal(pawl_store_registry_table.heartbeat(f->store, rest), PAWL_E_STALE);
    rest = do_worker(f, "y", TTL, &other);
    assert_int_equal(do_claim(f, rest, "t", got, 2), 2);
}

/* The counters row can be behind: damage that was repaired badly, a row put back from elsewhere. */
static void test_a_number_is_never_given_twice(void **state)
{
    (void)state;
    fixture *f = fixture_open(true, "");
    uint64_t number = 0;
    for (int i = 0; i < 3; i++) {
        char id[8];
        snprintf(id, sizeof id, "p%d", i);
        assert_int_equal(do_register(f, id, "t", &number), PAWL_OK);
    }
    pawl_batch batch = {0};
    uint64_t counts[STORE_STATUS_COUNT] = {0};
    pawl_store_meta_put_counters(&batch, 1, counts);
    assert_int_equal(pawl_kv_write(f->kv->real, &batch, true, NULL), PAWL_OK);
    pawl_batch_finish(&batch);
    uint64_t lines = f->log_lines;
    fixture_reopen(f);
    assert_true(f->log_lines > lines); /* it is said */
    uint64_t next = 0;
    assert_int_equal(do_register(f, "p3", "t", &next), PAWL_OK);
    assert_int_equal(next, number + 1);
    fixture_close(f);
}

int main(void)
{
#define ON_BOTH(test)                                                                                                  \
    {#test "[memory]", test, open_memory, close_any, NULL},                                                            \
    {                                                                                                                  \
#test "[rocksdb]", test, open_disk, close_any, NULL                                                            \
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_number_is_never_given_twice),
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
        ON_BOTH(test_P09_a_session_may_be_closed_from_inside_its_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
