/* waiting_test.c: why it exists: whoever waits is told, once, and never of something old. Catalogue group W, wake-ups
 * by time, and the announcements to workers. */
#include <string.h>

#include "groups.h"
#include "step.h"
#include "view.h"

#define BIT(kind) (UINT64_C(1) << ((kind)-64))

static void test_W01_what_is_there_already_is_told_at_once_the_earliest_first(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", ""));
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "one"));
    step_ok(step_post(world, PAWL_RECORD_CANCEL, "p", "c-1", "stop"));
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-2", "two"));
    struct step *watch = step_watch(world, "p", 0, BIT(PAWL_RECORD_SIGNAL));
    assert_int_equal(step_run(watch), PAWL_OK);
    assert_int_equal(watch->op.sequence, 2);
    assert_int_equal(watch->op.result_kind, PAWL_RECORD_SIGNAL);
    watch = step_watch(world, "p", 2, BIT(PAWL_RECORD_SIGNAL));
    assert_int_equal(step_run(watch), PAWL_OK);
    assert_int_equal(watch->op.sequence, 4);
    watch = step_watch(world, "p", 0, BIT(PAWL_RECORD_CANCEL));
    assert_int_equal(step_run(watch), PAWL_OK);
    assert_int_equal(watch->op.sequence, 3);
    assert_int_equal(watch->op.result_kind, PAWL_RECORD_CANCEL);
    watch = step_watch(world, "p", 1, BIT(PAWL_RECORD_CANCEL) | BIT(PAWL_RECORD_SIGNAL));
    assert_int_equal(step_run(watch), PAWL_OK);
    assert_int_equal(watch->op.sequence, 2);
}

static void test_W02_nothing_at_or_before_the_cursor_is_told(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", ""));
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "one"));
    struct step *watch = step_watch(world, "p", 2, BIT(PAWL_RECORD_SIGNAL));
    struct step *end_only = step_watch(world, "p", 0, 0);
    step_submit(watch);
    step_submit(end_only);
    struct step *other = step_post(world, PAWL_RECORD_CANCEL, "p", "c-1", "not of this kind");
    assert_int_equal(step_run(other), PAWL_OK);
    struct step *again = step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "one"); /* a replay is not news */
    assert_int_equal(step_run(again), PAWL_OK);
    assert_false(host_is_done(world->host, &watch->pending));
    struct step *next = step_post(world, PAWL_RECORD_SIGNAL, "p", "s-2", "two");
    assert_int_equal(step_run(next), PAWL_OK);
    assert_int_equal(step_wait(watch), PAWL_OK);
    assert_int_equal(watch->op.sequence, 4);
    assert_int_equal(watch->op.result_kind, PAWL_RECORD_SIGNAL);
    assert_false(host_is_done(world->host, &end_only->pending));
    assert_int_equal(step_run(step_force(world, "p", "e", PAWL_TERMINATED, "")), PAWL_OK);
    assert_int_equal(step_wait(end_only), PAWL_OK);
}

static void test_W02_a_cursor_may_lie_ahead(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", ""));
    struct step *watch = step_watch(world, "p", 2, BIT(PAWL_RECORD_SIGNAL)); /* there is no record 2 yet */
    step_submit(watch);
    assert_int_equal(step_run(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "one")), PAWL_OK);
    assert_int_equal(step_run(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-2", "two")), PAWL_OK);
    assert_int_equal(step_wait(watch), PAWL_OK);
    assert_int_equal(watch->op.sequence, 3);
}

static void test_W04_the_end_ends_every_wait(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    struct step *signal = step_watch(world, "p", 1, BIT(PAWL_RECORD_SIGNAL));
    struct step *end = step_watch(world, "p", 0, 0);
    struct step *beyond = step_watch(world, "p", 1000, BIT(PAWL_RECORD_CANCEL));
    step_submit(signal);
    step_submit(end);
    step_submit(beyond);
    struct step *complete = step_complete(world, lease.number, lease.token, 1, PAWL_FAILED, "end");
    assert_int_equal(step_run(complete), PAWL_OK);
    struct step *watches[] = {signal, end, beyond};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(step_wait(watches[i]), PAWL_OK);
        assert_int_equal(watches[i]->op.result_kind, PAWL_RECORD_ENDED);
        assert_int_equal(watches[i]->op.result_status, PAWL_FAILED);
        assert_int_equal(watches[i]->op.sequence, 2);
    }
}

static void test_W06_waiting_for_what_has_ended_returns_at_once(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_complete(world, &lease, PAWL_CANCELLED, "end");
    static const uint64_t kinds[] = {0, BIT(PAWL_RECORD_SIGNAL)};
    for (size_t i = 0; i < 2; i++) {
        struct step *watch = step_watch(world, "p", 0, kinds[i]);
        assert_int_equal(step_run(watch), PAWL_OK);
        assert_int_equal(watch->op.result_kind, PAWL_RECORD_ENDED);
        assert_int_equal(watch->op.result_status, PAWL_CANCELLED);
    }
    assert_int_equal(step_run(step_watch(world, "nobody", 0, 0)), PAWL_E_NOT_FOUND);
}

static void test_W05_many_waiters_are_all_told(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", ""));
    enum { COUNT = 200 };
    struct step *watches[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        watches[i] = step_watch(world, "p", 1, i % 2 ? BIT(PAWL_RECORD_SIGNAL) : BIT(PAWL_RECORD_CANCEL));
        step_submit(watches[i]);
    }
    assert_int_equal(step_run(step_post(world, PAWL_RECORD_SIGNAL, "p", "s", "go")), PAWL_OK);
    for (size_t i = 1; i < COUNT; i += 2)
        assert_int_equal(step_wait(watches[i]), PAWL_OK);
    for (size_t i = 0; i < COUNT; i += 2)
        assert_false(host_is_done(world->host, &watches[i]->pending));
    assert_int_equal(step_run(step_post(world, PAWL_RECORD_CANCEL, "p", "c", "go")), PAWL_OK);
    for (size_t i = 0; i < COUNT; i += 2) {
        assert_int_equal(step_wait(watches[i]), PAWL_OK);
        assert_int_equal(watches[i]->op.sequence, 3);
    }
}

static void test_W05_a_wait_can_be_given_up(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", ""));
    struct step *given_up = step_watch(world, "p", 1, BIT(PAWL_RECORD_SIGNAL));
    struct step *kept = step_watch(world, "p", 1, BIT(PAWL_RECORD_SIGNAL));
    step_submit(given_up);
    step_submit(kept);
    world->registry->unwatch(world->store, &given_up->op);
    assert_int_equal(step_wait(given_up), PAWL_E_CANCELLED);
    assert_int_equal(step_run(step_post(world, PAWL_RECORD_SIGNAL, "p", "s", "go")), PAWL_OK);
    assert_int_equal(step_wait(kept), PAWL_OK);
    world->registry->unwatch(world->store, &kept->op); /* too late: nothing happens */
    assert_int_equal(kept->op.status, PAWL_OK);
}

static void test_W07_a_wait_across_a_restart_is_told_once(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", ""));
    struct step *watch = step_watch(world, "p", 1, BIT(PAWL_RECORD_SIGNAL));
    step_submit(watch);
    world_close(world, true);
    assert_int_equal(step_wait(watch), PAWL_E_CLOSED);
    assert_int_equal(world_open(world), PAWL_OK);
    if (!world->provider->survives_reopen) {
        assert_int_equal(step_run(step_watch(world, "p", 1, 0)), PAWL_E_NOT_FOUND);
        return;
    }
    struct step *again = step_watch(world, "p", 1, BIT(PAWL_RECORD_SIGNAL));
    step_submit(again);
    assert_int_equal(step_run(step_post(world, PAWL_RECORD_SIGNAL, "p", "s", "go")), PAWL_OK);
    assert_int_equal(step_wait(again), PAWL_OK);
    assert_int_equal(again->op.sequence, 2);
}

static void test_X10_a_due_time_wakes_a_process_exactly_then(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    uint64_t due = HOST_START_UNIX_NS + 60 * HOST_SECOND_NS;
    lease_suspend(world, &lease, due);
    struct row row = row_of(world, "p");
    assert_int_equal(row.status, PAWL_WAITING);
    assert_int_equal(row.wake_unix_ns, due);
    host_set_unix(world->host, due - 1);
    world->registry->tick(world->store);
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 0);
    world_settle(world);
    size_t position = host_log_size(world->host);
    host_set_unix(world->host, due);
    world->registry->tick(world->store);
    assert_true(host_wait_event(world->host, PAWL_EVENT_WORK, world->ear, 0, &position, NULL));
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 1);
    assert_int_equal(row.number, lease.number);
    assert_true(row.token > lease.token);
    struct lease again = {.id = "p", .number = row.number, .token = row.token, .seen = row.head};
    again.reopenings = world->reopenings;
    lease_suspend(world, &again, due + HOST_SECOND_NS); /* the second sleep is its own */
    assert_int_equal(row_of(world, "p").wake_unix_ns, due + HOST_SECOND_NS);
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 0);
}

static void test_X10_a_start_that_is_delayed_is_ready_exactly_then(void **state)
{
    struct world *world = *state;
    uint64_t due = HOST_START_UNIX_NS + 60 * HOST_SECOND_NS;
    struct step *step = step_register(world, "later", "t", "");
    step->request.registration.start_unix_ns = due;
    step->request.registration.claim_session = world->worker;
    step_ok(step);
    assert_int_equal(step->op.flags & PAWL_RESULT_CLAIMED, 0);
    struct row row = row_of(world, "later");
    assert_int_equal(row.status, PAWL_WAITING);
    assert_int_equal(row.priority, PAWL_PRIORITY_NORMAL);
    assert_int_equal(row.wake_unix_ns, due);
    host_set_unix(world->host, due - 1);
    world->registry->tick(world->store);
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 0);
    host_set_unix(world->host, due);
    world->registry->tick(world->store);
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 1);
    assert_int_equal(row.number, step->op.number);
}

static void test_X10_a_due_time_in_the_past_is_due_now(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_suspend(world, &lease, 1);
    struct row row;
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 1);
}

static void test_X10_a_process_that_woke_early_does_not_wake_again_for_its_old_time(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    uint64_t due = HOST_START_UNIX_NS + 60 * HOST_SECOND_NS;
    lease_suspend(world, &lease, due);
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s", "early"));
    struct lease again = lease_claim(world, "p");
    lease_suspend(world, &again, 0);
    host_set_unix(world->host, due + HOST_SECOND_NS);
    world->registry->tick(world->store);
    struct row row;
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 0);
    assert_int_equal(row_of(world, "p").status, PAWL_WAITING);
}

static void test_V12_due_times_and_ended_processes_do_not_disturb_a_start(void **state)
{
    struct world *world = *state;
    struct lease slept = lease_new(world, "slept", "t");
    lease_suspend(world, &slept, HOST_START_UNIX_NS + HOST_SECOND_NS);
    struct lease ended = lease_new(world, "ended", "t");
    lease_suspend(world, &ended, HOST_START_UNIX_NS + HOST_SECOND_NS);
    step_ok(step_force(world, "ended", "e", PAWL_TERMINATED, ""));
    host_advance(world->host, 5 * HOST_SECOND_NS);
    if (world->provider->survives_reopen)
        world_reopen(world);
    world->registry->tick(world->store);
    struct row rows[4];
    assert_int_equal(claim_type(world, world->worker, "t", 4, rows), 1);
    assert_string_equal(rows[0].id.head, "slept");
}

static void test_V13_time_alone_ends_nothing(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_suspend(world, &lease, 0);
    step_ok(step_register(world, "q", "t", ""));
    host_advance_unix(world->host, UINT64_C(400) * 24 * 3600 * HOST_SECOND_NS);
    world->registry->tick(world->store);
    world_settle(world);
    assert_int_equal(row_of(world, "p").status, PAWL_WAITING);
    assert_int_equal(row_of(world, "q").status, PAWL_READY);
}

static void test_W05_work_is_announced_to_every_worker_session(void **state)
{
    struct world *world = *state;
    struct listener *other_ear;
    uint64_t other = world_worker(world, "other", WORKER_TTL_NS, &other_ear);
    size_t position = host_log_size(world->host);
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    size_t at = position;
    assert_true(host_wait_event(world->host, PAWL_EVENT_WORK, world->ear, 0, &at, NULL));
    at = position;
    assert_true(host_wait_event(world->host, PAWL_EVENT_WORK, other_ear, 0, &at, NULL));

    struct lease lease = lease_claim(world, "p");
    lease.seen = 1;
    struct step *suspend = step_suspend(world, lease.number, lease.token, 1, 0);
    assert_int_equal(step_run(suspend), PAWL_OK);
    position = host_log_size(world->host);
    assert_int_equal(step_run(step_post(world, PAWL_RECORD_SIGNAL, "p", "s", "")), PAWL_OK);
    assert_true(host_wait_event(world->host, PAWL_EVENT_WORK, other_ear, 0, &position, NULL));

    lease = lease_claim(world, "p");
    position = host_log_size(world->host);
    assert_int_equal(world->registry->release(world->store, lease.number, lease.token), PAWL_OK);
    assert_true(host_wait_event(world->host, PAWL_EVENT_WORK, other_ear, 0, &position, NULL));
    world_worker_close(world, other, other_ear);
}

static const struct CMUnitTest waiting_tests[] = {
    CASE(test_W01_what_is_there_already_is_told_at_once_the_earliest_first),
    CASE(test_W02_nothing_at_or_before_the_cursor_is_told),
    CASE(test_W02_a_cursor_may_lie_ahead),
    CASE(test_W04_the_end_ends_every_wait),
    CASE(test_W05_many_waiters_are_all_told),
    CASE(test_W05_a_wait_can_be_given_up),
    CASE(test_W05_work_is_announced_to_every_worker_session),
    CASE(test_W06_waiting_for_what_has_ended_returns_at_once),
    CASE(test_W07_a_wait_across_a_restart_is_told_once),
    CASE(test_X10_a_start_that_is_delayed_is_ready_exactly_then),
    CASE(test_X10_a_due_time_wakes_a_process_exactly_then),
    CASE(test_X10_a_due_time_in_the_past_is_due_now),
    CASE(test_X10_a_process_that_woke_early_does_not_wake_again_for_its_old_time),
    CASE(test_V12_due_times_and_ended_processes_do_not_disturb_a_start),
    CASE(test_V13_time_alone_ends_nothing),
};
const struct group waiting_group = GROUP(waiting, REGISTRY_BIT);
