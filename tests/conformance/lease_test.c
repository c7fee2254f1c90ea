/* lease_test.c: why it exists: at any time at most one holder can write, and a holder that lost its lease can write
 * nothing at all. Catalogue group L. Tests that look at tokens closely reopen by hand; the others through the helpers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "step.h"
#include "view.h"

static void test_L01_a_live_lease_refuses_another_and_names_the_holder(void **state)
{
    struct world *world = *state;
    struct listener *ear;
    uint64_t alice = world_worker(world, "alice", WORKER_TTL_NS, &ear);
    uint64_t bob = world_worker(world, "bob", WORKER_TTL_NS, NULL);
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    struct row row;
    assert_int_equal(claim_id(world, alice, "p", &row), PAWL_OK);
    assert_int_equal(row.status, PAWL_RUNNING);
    assert_int_not_equal(row.token, 0);
    struct row refused;
    assert_int_equal(claim_id(world, bob, "p", &refused), PAWL_E_BUSY);
    assert_int_equal(refused.number, 0);
    assert_true(failure_mentions(&world->why, "alice"));
    assert_int_equal(claim_type(world, bob, "t", 1, &refused), 0);
    assert_int_equal(step_run(step_append(world, row.number, row.token, "mine")), PAWL_OK);

    struct row seen = row_of(world, "p");
    assert_int_equal(seen.status, PAWL_RUNNING);
    assert_string_equal(seen.worker.head, "alice");
    assert_int_equal(seen.token, row.token);
    assert_true(seen.lease_left_ns > 0 && seen.lease_left_ns <= WORKER_TTL_NS);
    host_advance(world->host, 10 * HOST_SECOND_NS);
    assert_true(row_of(world, "p").lease_left_ns <= WORKER_TTL_NS - 10 * HOST_SECOND_NS);
}

static void test_L02_a_lease_ends_exactly_at_its_expiry(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_worker(world, "alice", WORKER_TTL_NS, NULL);
    uint64_t bob = world_worker(world, "bob", 2 * WORKER_TTL_NS, NULL);
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    struct row row;
    assert_int_equal(claim_id(world, alice, "p", &row), PAWL_OK);
    host_advance(world->host, WORKER_TTL_NS - 1);
    world->registry->tick(world->store);
    struct row next;
    assert_int_equal(claim_id(world, bob, "p", &next), PAWL_E_BUSY);
    assert_int_equal(claim_type(world, bob, "t", 1, &next), 0);
    host_advance(world->host, 1);
    assert_int_equal(claim_id(world, bob, "p", &next), PAWL_OK);
    assert_int_equal(next.number, row.number);
    assert_true(next.token > row.token);
    assert_int_equal(world->registry->heartbeat(world->store, alice), PAWL_E_STALE);
}

static void test_L02_what_an_expired_session_left_is_found_by_type_and_it_is_told(void **state)
{
    struct world *world = *state;
    struct listener *ear;
    uint64_t alice = world_worker(world, "alice", WORKER_TTL_NS, &ear);
    struct listener *bob_ear;
    uint64_t bob = world_worker(world, "bob", 2 * WORKER_TTL_NS, &bob_ear);
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    struct row row;
    assert_int_equal(claim_type(world, alice, "t", 1, &row), 1);
    size_t start = host_log_size(world->host);
    host_advance(world->host, WORKER_TTL_NS);
    world->registry->tick(world->store);
    size_t position = start;
    struct log_entry lost;
    assert_true(host_wait_event(world->host, PAWL_EVENT_LOST, ear, row.number, &position, &lost));
    assert_int_equal(lost.token, row.token);
    position = start;
    assert_true(host_wait_event(world->host, PAWL_EVENT_WORK, bob_ear, 0, &position, NULL));
    struct row next;
    assert_int_equal(claim_type(world, bob, "t", 1, &next), 1);
    assert_true(next.token > row.token);
    pawl_bytes type = text_bytes("t");
    pawl_status status;
    assert_int_equal(world->registry->release(world->store, next.number, next.token), PAWL_OK);
    assert_int_equal(claim_types_with(world, alice, &type, 1, 1, &next, &status, &world->why), 0);
    assert_true(status == PAWL_E_STALE || status == PAWL_OK); /* an expired session gets nothing */
}

static void test_L03_each_claim_gets_a_larger_token_also_after_a_restart(void **state)
{
    struct world *world = *state;
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    uint64_t last = 0;
    for (int round = 0; round < 12; round++) {
        struct row row;
        assert_int_equal(claim_id(world, world->worker, "p", &row), PAWL_OK);
        assert_true(row.token > last);
        last = row.token;
        if (round % 3 == 0)
            assert_int_equal(world->registry->release(world->store, row.number, row.token), PAWL_OK);
        else if (world->provider->survives_reopen)
            world_reopen(world); /* in turn with and without closing the session first */
        else
            assert_int_equal(world->registry->release(world->store, row.number, row.token), PAWL_OK);
        pawl_status status = step_run(step_append(world, row.number, row.token, "stale"));
        assert_int_equal(status, PAWL_E_STALE);
    }
}

static void test_L03_tokens_grow_across_processes_and_ways_of_claiming(void **state)
{
    struct world *world = *state;
    uint64_t last = 0;
    for (int round = 0; round < 10; round++) {
        char id[16];
        snprintf(id, sizeof(id), "p-%d", round);
        assert_int_equal(step_run(step_register(world, id, "t", "")), PAWL_OK);
        struct row row;
        if (round % 2)
            assert_int_equal(claim_id(world, world->worker, id, &row), PAWL_OK);
        else
            assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 1);
        assert_true(row.token > last);
        last = row.token;
    }
}

static void test_L04_claiming_again_never_leaves_two_usable_tokens(void **state)
{
    struct world *world = *state;
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    struct row first;
    assert_int_equal(claim_id(world, world->worker, "p", &first), PAWL_OK);
    struct row second;
    pawl_status status = claim_id(world, world->worker, "p", &second); /* its own, and still live */
    if (status == PAWL_E_BUSY) {
        assert_int_equal(world->registry->release(world->store, first.number, first.token), PAWL_OK);
        assert_int_equal(claim_id(world, world->worker, "p", &second), PAWL_OK);
    } else {
        assert_int_equal(status, PAWL_OK);
    }
    assert_true(second.token > first.token);
    assert_int_equal(step_run(step_append(world, first.number, first.token, "old")), PAWL_E_STALE);
    assert_int_equal(step_run(step_append(world, second.number, second.token, "new")), PAWL_OK);
}

static void test_L05_a_heartbeat_extends_every_lease_of_its_session(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_worker(world, "alice", WORKER_TTL_NS, NULL);
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    assert_int_equal(step_run(step_register(world, "q", "t", "")), PAWL_OK);
    struct row rows[2];
    assert_int_equal(claim_type(world, alice, "t", 2, rows), 2);
    for (int i = 0; i < 5; i++) {
        host_advance(world->host, WORKER_TTL_NS - 1);
        assert_int_equal(world->registry->heartbeat(world->store, alice), PAWL_OK);
        world->registry->tick(world->store);
    }
    uint64_t bob = world_worker(world, "bob", WORKER_TTL_NS, NULL);
    struct row row;
    assert_int_equal(claim_type(world, bob, "t", 2, &row), 0);
    assert_int_equal(step_run(step_append(world, rows[0].number, rows[0].token, "p")), PAWL_OK);
    assert_int_equal(step_run(step_append(world, rows[1].number, rows[1].token, "q")), PAWL_OK);
}

static void test_L05_an_expired_session_cannot_come_back(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_worker(world, "alice", WORKER_TTL_NS, NULL);
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    struct row row;
    assert_int_equal(claim_id(world, alice, "p", &row), PAWL_OK);
    host_advance(world->host, WORKER_TTL_NS);
    for (int i = 0; i < 3; i++)
        assert_int_equal(world->registry->heartbeat(world->store, alice), PAWL_E_STALE);
    assert_int_equal(step_run(step_append(world, row.number, row.token, "late")), PAWL_E_STALE);
    assert_int_equal(world->registry->release(world->store, row.number, row.token), PAWL_E_STALE);
    assert_int_equal(world->registry->heartbeat(world->store, alice + 12345), PAWL_E_STALE);
    struct row again;
    pawl_bytes type = text_bytes("t");
    pawl_status status;
    assert_int_equal(claim_types_with(world, alice, &type, 1, 1, &again, &status, &world->why), 0);
    assert_true(status == PAWL_E_STALE || status == PAWL_OK);
}

static void test_L06_stale_release_is_a_noop(void **state)
{
    struct world *world = *state;
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    struct row old;
    assert_int_equal(claim_id(world, world->worker, "p", &old), PAWL_OK);
    assert_int_equal(world->registry->release(world->store, old.number, old.token), PAWL_OK);
    assert_int_equal(world->registry->release(world->store, old.number, old.token), PAWL_E_STALE);
    uint64_t bob = world_worker(world, "bob", WORKER_TTL_NS, NULL);
    struct row mine;
    assert_int_equal(claim_id(world, bob, "p", &mine), PAWL_OK);
    assert_int_equal(world->registry->release(world->store, old.number, old.token), PAWL_E_STALE);
    assert_int_equal(world->registry->release(world->store, old.number, 0), PAWL_E_STALE);
    assert_int_equal(world->registry->release(world->store, old.number, UINT64_MAX), PAWL_E_STALE);
    struct row other;
    assert_int_equal(claim_type(world, world->worker, "t", 1, &other), 0);
    assert_int_equal(step_run(step_append(world, mine.number, mine.token, "still mine")), PAWL_OK);
    struct row row = row_of(world, "p");
    assert_int_equal(row.token, mine.token);
    assert_string_equal(row.worker.head, "bob");
}

/* Submits what a stale holder may try, and checks that nothing of it was written. */
static void refuse_everything(struct world *world, uint64_t number, uint64_t token, uint64_t seen)
{
    char *before = view_dump(world);
    struct step *attempts[] = {
        step_append(world, number, token, "stale"),
        step_suspend(world, number, token, seen, 0),
        step_complete(world, number, token, seen, PAWL_COMPLETED, "stale"),
        step_park(world, number, token, "stale"),
    };
    step_document(attempts[0], "{\"stale\":1}");
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
        assert_int_equal(step_run(attempts[i]), PAWL_E_STALE);
    char *after = view_dump(world);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void test_L07_stale_complete_writes_nothing(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_worker(world, "alice", WORKER_TTL_NS, NULL);
    uint64_t bob = world_worker(world, "bob", 10 * WORKER_TTL_NS, NULL);
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    struct row old;
    assert_int_equal(claim_id(world, alice, "p", &old), PAWL_OK);
    host_advance(world->host, WORKER_TTL_NS);
    struct row mine;
    assert_int_equal(claim_id(world, bob, "p", &mine), PAWL_OK);
    refuse_everything(world, old.number, old.token, 1);
    struct step *end = step_complete(world, mine.number, mine.token, 1, PAWL_COMPLETED, "mine");
    assert_int_equal(step_run(end), PAWL_OK);
    assert_int_equal(end->op.sequence, 2);
    assert_string_equal(row_of(world, "p").outcome.head, "mine");
}

static void test_L08_tokens_of_every_past_state_are_refused(void **state)
{
    struct world *world = *state;
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    uint64_t number = row_of(world, "p").number;
    refuse_everything(world, number, 0, 1);
    refuse_everything(world, number, 1, 1);
    refuse_everything(world, number, UINT64_MAX, 1);

    struct lease suspended = lease_claim(world, "p");
    assert_int_equal(step_run(step_suspend(world, number, suspended.token, 1, 0)), PAWL_OK);
    refuse_everything(world, number, suspended.token, 1);
    assert_int_equal(world->registry->release(world->store, number, suspended.token), PAWL_E_STALE);

    assert_int_equal(step_run(step_post(world, PAWL_RECORD_SIGNAL, "p", "s", "")), PAWL_OK);
    refuse_everything(world, number, suspended.token, 2);
    struct lease parked = lease_claim(world, "p");
    assert_int_equal(step_run(step_park(world, number, parked.token, "stuck")), PAWL_OK);
    refuse_everything(world, number, parked.token, 3);
    assert_int_equal(world->registry->release(world->store, number, parked.token), PAWL_E_STALE);
    assert_int_equal(row_of(world, "p").status, PAWL_STUCK);

    assert_int_equal(step_run(step_post(world, PAWL_RECORD_RESUMED, "p", "r", "")), PAWL_OK);
    struct lease released = lease_claim(world, "p");
    refuse_everything(world, number, parked.token, 4);
    assert_int_equal(world->registry->release(world->store, number, released.token), PAWL_OK);
    refuse_everything(world, number, released.token, 4);
}

static void test_L08_a_lease_of_one_process_is_none_of_another(void **state)
{
    struct world *world = *state;
    struct lease p = lease_new(world, "p", "t");
    struct lease q = lease_new(world, "q", "t");
    lease_regain(world, &p);
    refuse_everything(world, p.number, q.token, 1);
    refuse_everything(world, q.number, p.token, 1);
    assert_int_equal(world->registry->release(world->store, p.number, q.token), PAWL_E_STALE);
}

static void test_L09_claim_of_an_ended_or_unknown_process_says_so(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_complete(world, &lease, PAWL_COMPLETED, "end");
    struct row row;
    assert_int_equal(claim_id(world, world->worker, "p", &row), PAWL_E_TERMINAL);
    assert_int_equal(row.number, 0);
    assert_int_equal(claim_id(world, world->worker, "nobody", &row), PAWL_E_NOT_FOUND);
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 0);
}

static void test_L12_the_wall_clock_has_no_say_in_leases(void **state)
{
    struct world *world = *state;
    uint64_t alice = world_worker(world, "alice", WORKER_TTL_NS, NULL);
    uint64_t bob = world_worker(world, "bob", 10 * WORKER_TTL_NS, NULL);
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    struct row row;
    assert_int_equal(claim_id(world, alice, "p", &row), PAWL_OK);
    static const uint64_t walls[] = {HOST_START_UNIX_NS + 1000 * WORKER_TTL_NS, HOST_START_UNIX_NS / 2, 1};
    struct row other;
    for (size_t i = 0; i < 3; i++) {
        host_set_unix(world->host, walls[i]);
        world->registry->tick(world->store);
        assert_int_equal(claim_id(world, bob, "p", &other), PAWL_E_BUSY);
        assert_int_equal(world->registry->heartbeat(world->store, alice), PAWL_OK);
        assert_int_equal(step_run(step_append(world, row.number, row.token, "mine")), PAWL_OK);
    }
    host_advance_mono(world->host, WORKER_TTL_NS);
    assert_int_equal(claim_id(world, bob, "p", &other), PAWL_OK);
}

static void test_L15_closing_a_session_frees_what_it_held_at_once(void **state)
{
    struct world *world = *state;
    struct listener *ear;
    uint64_t alice = world_worker(world, "alice", WORKER_TTL_NS, &ear);
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    assert_int_equal(step_run(step_register(world, "q", "t", "")), PAWL_OK);
    struct row rows[2];
    assert_int_equal(claim_type(world, alice, "t", 2, rows), 2);
    size_t position = host_log_size(world->host);
    world_worker_close(world, alice, ear);
    assert_true(host_wait_event(world->host, PAWL_EVENT_WORK, world->ear, 0, &position, NULL));
    struct row taken[2];
    assert_int_equal(claim_type(world, world->worker, "t", 2, taken), 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(taken[i].token > rows[0].token && taken[i].token > rows[1].token);
        assert_int_equal(step_run(step_append(world, rows[i].number, rows[i].token, "late")), PAWL_E_STALE);
    }
    assert_int_equal(world->registry->heartbeat(world->store, alice), PAWL_E_STALE);
}

static void test_L16_a_worker_that_slept_past_its_expiry_writes_nothing(void **state)
{
    struct world *world = *state;
    uint64_t sleeper = world_worker(world, "sleeper", WORKER_TTL_NS, NULL);
    uint64_t other = world_worker(world, "other", 10 * WORKER_TTL_NS, NULL);
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    struct row old;
    assert_int_equal(claim_id(world, sleeper, "p", &old), PAWL_OK);
    host_advance(world->host, 2 * WORKER_TTL_NS); /* stopped and continued: nobody called meanwhile */
    struct row taken;
    assert_int_equal(claim_type(world, other, "t", 1, &taken), 1);
    refuse_everything(world, old.number, old.token, 1);
    assert_int_equal(world->registry->heartbeat(world->store, sleeper), PAWL_E_STALE);
}

static void test_V08_an_ended_process_is_never_run_again(void **state)
{
    struct world *world = *state;
    struct listener *ear;
    uint64_t alice = world_worker(world, "alice", WORKER_TTL_NS, &ear);
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    struct row row;
    assert_int_equal(claim_id(world, alice, "p", &row), PAWL_OK);
    assert_int_equal(step_run(step_complete(world, row.number, row.token, 1, PAWL_COMPLETED, "end")), PAWL_OK);
    world_settle(world); /* the end is there, the session's own end never was */
    host_advance(world->host, 2 * WORKER_TTL_NS);
    world->registry->tick(world->store);
    uint64_t bob = world_worker(world, "bob", WORKER_TTL_NS, NULL);
    assert_int_equal(claim_type(world, bob, "t", 1, &row), 0);
}

static const struct CMUnitTest lease_tests[] = {
    CASE(test_L01_a_live_lease_refuses_another_and_names_the_holder),
    CASE(test_L02_a_lease_ends_exactly_at_its_expiry),
    CASE(test_L02_what_an_expired_session_left_is_found_by_type_and_it_is_told),
    CASE(test_L03_each_claim_gets_a_larger_token_also_after_a_restart),
    CASE(test_L03_tokens_grow_across_processes_and_ways_of_claiming),
    CASE(test_L04_claiming_again_never_leaves_two_usable_tokens),
    CASE(test_L05_a_heartbeat_extends_every_lease_of_its_session),
    CASE(test_L05_an_expired_session_cannot_come_back),
    CASE(test_L06_stale_release_is_a_noop),
    CASE(test_L07_stale_complete_writes_nothing),
    CASE(test_L08_tokens_of_every_past_state_are_refused),
    CASE(test_L08_a_lease_of_one_process_is_none_of_another),
    CASE(test_L09_claim_of_an_ended_or_unknown_process_says_so),
    CASE(test_L12_the_wall_clock_has_no_say_in_leases),
    CASE(test_L15_closing_a_session_frees_what_it_held_at_once),
    CASE(test_L16_a_worker_that_slept_past_its_expiry_writes_nothing),
    CASE(test_V08_an_ended_process_is_never_run_again),
};
const struct group lease_group = GROUP(lease, REGISTRY_BIT);
