/* post_test.c: why it exists: what comes from outside is accepted once, never lost and never judged by a lease.
 * Catalogue E02, E03, and the registry's side of group C; invariants I5, I7, I8. */
#include <stdio.h>
#include <string.h>

#include "groups.h"
#include "step.h"
#include "view.h"

static void test_E02_the_same_post_again_is_answered_as_before(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", ""));
    const struct step *first = step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "hello"));
    assert_int_equal(first->op.flags & PAWL_RESULT_REPLAYED, 0);
    assert_int_equal(first->op.sequence, 2);
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-2", "hello"));
    const struct step *again = step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "hello"));
    assert_int_equal(again->op.flags & PAWL_RESULT_REPLAYED, PAWL_RESULT_REPLAYED);
    assert_int_equal(again->op.sequence, 2);
    assert_int_equal(row_of(world, "p").head, 3);
}

static void test_E02_twice_in_one_batch_is_once(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", ""));
    struct step *first = step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "hello");
    struct step *second = step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "hello");
    struct step *other = step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "other");
    pawl_registry_op *ops[3] = {&first->op, &second->op, &other->op};
    host_submit(world->host, world->registry, world->store, ops, 3);
    assert_int_equal(step_wait(first), PAWL_OK);
    assert_int_equal(step_wait(second), PAWL_OK);
    assert_int_equal(step_wait(other), PAWL_E_CONFLICT);
    assert_int_equal(second->op.flags & PAWL_RESULT_REPLAYED, PAWL_RESULT_REPLAYED);
    assert_int_equal(second->op.sequence, first->op.sequence);
    world_settle(world);
    assert_int_equal(row_of(world, "p").head, 2);
}

static void test_E03_a_post_id_with_other_content_is_a_conflict(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", ""));
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "hello"));
    step_refused(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "goodbye"), PAWL_E_CONFLICT);
}

static void test_E02_post_ids_count_within_their_process_and_kind(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", ""));
    step_ok(step_register(world, "q", "t", ""));
    static const uint32_t kinds[] = {PAWL_RECORD_SIGNAL, PAWL_RECORD_CANCEL, PAWL_RECORD_RESUMED};
    static const char *const ids[] = {"p", "q"};
    for (size_t p = 0; p < 2; p++) {
        for (size_t k = 0; k < 3; k++) {
            const struct step *step = step_ok(step_post(world, kinds[k], ids[p], "same", "body"));
            assert_int_equal(step->op.flags & PAWL_RESULT_REPLAYED, 0);
            assert_int_equal(step->op.sequence, k + 2);
        }
    }
}

static void test_E02_one_post_id_of_several_kinds_in_one_batch(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", ""));
    struct step *steps[3] = {
        step_post(world, PAWL_RECORD_SIGNAL, "p", "same", "one"),
        step_post(world, PAWL_RECORD_CANCEL, "p", "same", "two"),
        step_post(world, PAWL_RECORD_RESUMED, "p", "same", "one"),
    };
    pawl_registry_op *ops[3] = {&steps[0]->op, &steps[1]->op, &steps[2]->op};
    host_submit(world->host, world->registry, world->store, ops, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(step_wait(steps[i]), PAWL_OK);
        assert_int_equal(steps[i]->op.flags & PAWL_RESULT_REPLAYED, 0);
        assert_int_equal(steps[i]->op.sequence, i + 2);
    }
}

static void test_E04_bad_posts_leave_no_trace(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", ""));
    step_refused(step_post(world, PAWL_RECORD_SIGNAL, "p", "", "x"), PAWL_E_INVALID);
    step_refused(step_post(world, PAWL_RECORD_STARTED, "p", "s", "x"), PAWL_E_INVALID);
    step_refused(step_post(world, KIND_NOTE, "p", "s", "x"), PAWL_E_INVALID);
    struct step *no_fingerprint = step_post(world, PAWL_RECORD_SIGNAL, "p", "s", "x");
    no_fingerprint->request.post.fingerprint.size = 3;
    step_refused(no_fingerprint, PAWL_E_INVALID);
    char long_id[257];
    memset(long_id, 'i', sizeof(long_id));
    struct step *too_long = step_post(world, PAWL_RECORD_SIGNAL, "p", "s", "x");
    too_long->request.post.post_id = step_keep(too_long, bytes_of(long_id, 257));
    pawl_status status = step_run(too_long);
    assert_true(status == PAWL_E_INVALID || status == PAWL_E_LIMIT);
    assert_int_equal(row_of(world, "p").head, 1);
}

static void test_I5_a_signal_wakes_what_waits(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_suspend(world, &lease, 0);
    struct row row = row_of(world, "p");
    assert_int_equal(row.status, PAWL_WAITING);
    assert_int_equal(row.wake_unix_ns, 0);
    assert_string_equal(row.reason.head, "waits");
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 0);
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "hello"));
    assert_int_equal(row_of(world, "p").status, PAWL_READY);
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 1);
    assert_int_equal(row.head, 2);
    struct entry entries[2];
    assert_int_equal(journal_read(world, row.number, 1, 0, entries, 2, NULL), 2);
    assert_int_equal(entries[1].kind, PAWL_RECORD_SIGNAL);
    assert_string_equal(entries[1].body.head, "hello");
}

static void test_E02_E03_I5_an_update_counts_once_and_wakes_what_waits(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_suspend(world, &lease, 0);
    const struct step *first = step_ok(step_post(world, PAWL_RECORD_UPDATE, "p", "u-1", "ask"));
    assert_int_equal(first->op.flags & PAWL_RESULT_REPLAYED, 0);
    assert_int_equal(first->op.sequence, 2);
    struct row row = row_of(world, "p");
    assert_int_equal(row.status, PAWL_READY);
    const struct step *again = step_ok(step_post(world, PAWL_RECORD_UPDATE, "p", "u-1", "ask"));
    assert_int_equal(again->op.flags & PAWL_RESULT_REPLAYED, PAWL_RESULT_REPLAYED);
    assert_int_equal(again->op.sequence, 2);
    step_refused(step_post(world, PAWL_RECORD_UPDATE, "p", "u-1", "something else"), PAWL_E_CONFLICT);
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "u-1", "ask")); /* another kind: another id */
    struct entry entries[3];
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 1);
    assert_int_equal(row.head, 3);
    assert_int_equal(journal_read(world, row.number, 1, 0, entries, 3, NULL), 3);
    assert_int_equal(entries[1].kind, PAWL_RECORD_UPDATE);
    assert_string_equal(entries[1].body.head, "ask");
    world_settle(world);
    step_ok(step_force(world, "p", "f", PAWL_TERMINATED, "gone"));
    again = step_ok(step_post(world, PAWL_RECORD_UPDATE, "p", "u-1", "ask")); /* as before, also after the end */
    assert_int_equal(again->op.sequence, 2);
    step_refused(step_post(world, PAWL_RECORD_UPDATE, "p", "u-2", "ask"), PAWL_E_TERMINAL);
}

static void test_I5_a_post_between_look_and_suspend_is_never_slept_over(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "hello"));
    lease_regain(world, &lease);
    struct step *step = step_commit(world, PAWL_OP_SUSPEND, lease.number, lease.token, 1);
    step_record(step, KIND_NOTE, text_bytes("kept"));
    step->request.commit.wake_unix_ns = HOST_START_UNIX_NS + HOST_SECOND_NS;
    assert_int_equal(step_run(step), PAWL_OK);
    assert_int_equal(step->op.flags & PAWL_RESULT_MORE, PAWL_RESULT_MORE);
    assert_int_equal(step->op.sequence, 3);
    struct row row = row_of(world, "p");
    assert_int_equal(row.status, PAWL_RUNNING);
    assert_int_equal(row.token, lease.token);
    assert_int_equal(row.head, 3);

    struct step *end = step_complete(world, lease.number, lease.token, 1, PAWL_COMPLETED, "end");
    assert_int_equal(step_run(end), PAWL_OK);
    assert_int_equal(end->op.flags & PAWL_RESULT_MORE, PAWL_RESULT_MORE);
    assert_int_equal(row_of(world, "p").head, 3);
    assert_int_equal(row_of(world, "p").status, PAWL_RUNNING);
    world_settle(world);
    lease_regain(world, &lease);
    lease.seen = 3;
    lease_complete(world, &lease, PAWL_COMPLETED, "end");
}

static void test_C01_the_holder_hears_of_a_post_before_anything_later_completes(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    size_t position = host_log_size(world->host);
    struct step *cancel = step_post(world, PAWL_RECORD_CANCEL, "p", "c-1", "why not");
    struct step *append = step_append(world, lease.number, lease.token, "after");
    pawl_registry_op *ops[2] = {&cancel->op, &append->op};
    host_submit(world->host, world->registry, world->store, ops, 2);
    assert_int_equal(step_wait(cancel), PAWL_OK);
    assert_int_equal(step_wait(append), PAWL_OK);
    assert_int_equal(append->op.sequence, cancel->op.sequence + 1);
    struct log_entry found;
    assert_true(host_wait_event(world->host, PAWL_EVENT_POSTED, world->ear, lease.number, &position, &found));
    assert_int_equal(found.token, lease.token);
    assert_int_equal(found.kind, PAWL_RECORD_CANCEL);
    assert_int_equal(found.sequence, cancel->op.sequence);
    assert_memory_equal(found.body, "why not", 7);
    assert_true(position < append->pending.order);
    assert_int_equal(row_of(world, "p").cancelled, 1);
}

static void test_C03_a_reason_again_is_one_record_another_is_a_second(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", ""));
    step_ok(step_post(world, PAWL_RECORD_CANCEL, "p", "reason-a", "a"));
    step_ok(step_post(world, PAWL_RECORD_CANCEL, "p", "reason-a", "a"));
    step_ok(step_post(world, PAWL_RECORD_CANCEL, "p", "reason-b", "b"));
    struct row row = row_of(world, "p");
    assert_int_equal(row.head, 3);
    assert_int_equal(row.cancelled, 1);
    assert_int_equal(row.status, PAWL_READY);
}

static void test_C04_cancel_of_an_ended_process_leaves_its_journal(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_complete(world, &lease, PAWL_COMPLETED, "done");
    step_refused(step_post(world, PAWL_RECORD_CANCEL, "p", "c", "late"), PAWL_E_TERMINAL);
    assert_int_equal(row_of(world, "p").cancelled, 0);
}

static void test_C10_C11_cancel_wakes_waiting_and_stuck_processes(void **state)
{
    struct world *world = *state;
    struct lease waiting = lease_new(world, "waiting", "t");
    lease_suspend(world, &waiting, HOST_START_UNIX_NS + 3600 * HOST_SECOND_NS);
    struct lease stuck = lease_new(world, "stuck", "t");
    lease_park(world, &stuck, "no plugin");
    step_ok(step_post(world, PAWL_RECORD_CANCEL, "waiting", "c", "stop"));
    step_ok(step_post(world, PAWL_RECORD_CANCEL, "stuck", "c", "stop"));
    struct row rows[2];
    assert_int_equal(row_of(world, "waiting").status, PAWL_READY);
    assert_int_equal(row_of(world, "stuck").status, PAWL_READY);
    assert_int_equal(claim_type(world, world->worker, "t", 2, rows), 2);
    assert_int_equal(rows[0].cancelled, 1);
    assert_int_equal(rows[1].cancelled, 1);
}

static void test_V07_parked_with_a_reason_until_resumed(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_park(world, &lease, "the plugin is missing");
    struct row row = row_of(world, "p");
    assert_int_equal(row.status, PAWL_STUCK);
    assert_string_equal(row.reason_code.head, "test.parked");
    assert_string_equal(row.reason.head, "the plugin is missing");
    assert_int_equal(row.head, 2);
    struct row claimed;
    assert_int_equal(claim_type(world, world->worker, "t", 1, &claimed), 0);

    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s", "hello")); /* kept, but does not free it */
    row = row_of(world, "p");
    assert_int_equal(row.status, PAWL_STUCK);
    assert_int_equal(row.head, 3);
    assert_int_equal(claim_type(world, world->worker, "t", 1, &claimed), 0);
    host_advance_unix(world->host, 1000 * HOST_SECOND_NS);
    world->registry->tick(world->store);
    assert_int_equal(claim_type(world, world->worker, "t", 1, &claimed), 0);

    step_ok(step_post(world, PAWL_RECORD_RESUMED, "p", "r", ""));
    row = row_of(world, "p");
    assert_int_equal(row.status, PAWL_READY);
    assert_int_equal(row.reason_code.size, 0);
    struct lease again = lease_claim(world, "p");
    assert_true(again.token > lease.token);
    lease_complete(world, &again, PAWL_COMPLETED, "after all");
}

static void test_MW_a_paused_process_is_claimed_by_nobody_until_it_is_continued(void **state)
{
    struct world *world = *state;
    struct row claimed;
    step_ok(step_register(world, "ready", "t", ""));
    struct lease waiting = lease_new(world, "waiting", "t");
    lease_suspend(world, &waiting, HOST_START_UNIX_NS + 60 * HOST_SECOND_NS);
    step_ok(step_post(world, PAWL_RECORD_PAUSED, "ready", "p", "maintenance"));
    step_ok(step_post(world, PAWL_RECORD_PAUSED, "waiting", "p", "maintenance"));
    struct row row = row_of(world, "ready");
    assert_int_equal(row.status, PAWL_WAITING);
    assert_int_equal(row.paused_unix_ns, HOST_START_UNIX_NS);
    assert_string_equal(row.paused.head, "maintenance");
    assert_int_equal(row_of(world, "waiting").wake_unix_ns, 0);
    host_advance_unix(world->host, 1000 * HOST_SECOND_NS);
    world->registry->tick(world->store);
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "waiting", "s", "kept")); /* and wakes nobody */
    assert_int_equal(row_of(world, "waiting").status, PAWL_WAITING);
    assert_int_equal(row_of(world, "waiting").head, 3);
    assert_int_equal(claim_type(world, world->worker, "t", 10, &claimed), 0);

    step_ok(step_post(world, PAWL_RECORD_CONTINUED, "ready", "c", ""));
    step_ok(step_post(world, PAWL_RECORD_CONTINUED, "waiting", "c", ""));
    row = row_of(world, "ready");
    assert_int_equal(row.status, PAWL_READY);
    assert_int_equal(row.paused_unix_ns, 0);
    struct row rows[2];
    assert_int_equal(claim_type(world, world->worker, "t", 10, rows), 2);
    step_refused(step_post(world, PAWL_RECORD_CONTINUED, "ready", "c2", ""), PAWL_E_CONFLICT);
    step_ok(step_post(world, PAWL_RECORD_CONTINUED, "ready", "c", "")); /* the same one again */
}

static void test_MW_a_pause_takes_no_lease_away_and_holds_from_its_end(void **state)
{
    struct world *world = *state;
    struct row claimed;
    struct lease lease = lease_new(world, "p", "t");
    struct step *pause = step_post(world, PAWL_RECORD_PAUSED, "p", "p", "wait");
    assert_int_equal(step_run(pause), PAWL_OK); /* no reopening here: what is paused cannot be claimed again */
    assert_int_equal(row_of(world, "p").status, PAWL_RUNNING);
    lease.seen = pause->op.sequence;
    lease_suspend(world, &lease, HOST_START_UNIX_NS + HOST_SECOND_NS);
    assert_int_equal(row_of(world, "p").status, PAWL_WAITING);
    assert_int_equal(row_of(world, "p").wake_unix_ns, 0);
    host_advance_unix(world->host, 1000 * HOST_SECOND_NS);
    world->registry->tick(world->store);
    assert_int_equal(claim_type(world, world->worker, "t", 1, &claimed), 0);
    step_ok(step_post(world, PAWL_RECORD_CONTINUED, "p", "c", ""));
    lease = lease_claim(world, "p");
    lease_complete(world, &lease, PAWL_COMPLETED, "done");
}

static void test_MW_a_cancel_request_ends_a_pause(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_suspend(world, &lease, 0);
    step_ok(step_post(world, PAWL_RECORD_PAUSED, "p", "p", "wait"));
    step_ok(step_post(world, PAWL_RECORD_CANCEL, "p", "c", "stop"));
    struct row row = row_of(world, "p");
    assert_int_equal(row.status, PAWL_READY);
    assert_int_equal(row.paused_unix_ns, 0);
    lease = lease_claim(world, "p");
    assert_int_equal(step_run(step_post(world, PAWL_RECORD_PAUSED, "p", "p2", "wait again")), PAWL_OK);
    lease_park(world, &lease, "poison"); /* stuck is still enough */
    assert_int_equal(row_of(world, "p").status, PAWL_STUCK);
    assert_int_equal(row_of(world, "p").paused_unix_ns, 0);
    step_refused(step_post(world, PAWL_RECORD_PAUSED, "p", "p3", "once more"), PAWL_E_CONFLICT);
}

static void test_I8_a_stuck_process_can_always_be_ended(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_park(world, &lease, "poison");
    const struct step *end = step_ok(step_force(world, "p", "end", PAWL_TERMINATED, "by operator"));
    assert_int_equal(end->op.sequence, 3);
    struct row row = row_of(world, "p");
    assert_int_equal(row.status, PAWL_TERMINATED);
    assert_string_equal(row.outcome.head, "by operator");
}

static void test_C06_terminate_fences_the_holder_at_once(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    size_t position = host_log_size(world->host);
    assert_int_equal(step_run(step_force(world, "p", "end", PAWL_TERMINATED, "enough")), PAWL_OK);
    struct log_entry found;
    assert_true(host_wait_event(world->host, PAWL_EVENT_LOST, world->ear, lease.number, &position, &found));
    assert_int_equal(found.token, lease.token);
    pawl_status status = step_run(step_append(world, lease.number, lease.token, "late"));
    assert_true(status == PAWL_E_STALE || status == PAWL_E_TERMINAL);
    status = step_run(step_complete(world, lease.number, lease.token, 9, PAWL_COMPLETED, "late"));
    assert_true(status == PAWL_E_STALE || status == PAWL_E_TERMINAL);
    world_settle(world);
    struct row row = row_of(world, "p");
    assert_int_equal(row.head, 2);
    assert_int_equal(row.status, PAWL_TERMINATED);
    assert_int_equal(row.worker.size, 0);

    const struct step *again = step_ok(step_force(world, "p", "end", PAWL_TERMINATED, "enough"));
    assert_int_equal(again->op.flags & PAWL_RESULT_REPLAYED, PAWL_RESULT_REPLAYED);
    assert_int_equal(again->op.sequence, 2);
}

static void test_I5_an_end_from_outside_needs_the_right(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", ""));
    struct step *no_force = step_force(world, "p", "end", PAWL_TERMINATED, "");
    no_force->request.post.force = 0;
    step_refused(no_force, PAWL_E_INVALID);
    step_refused(step_force(world, "p", "end", PAWL_COMPLETED, ""), PAWL_E_INVALID);
    step_refused(step_force(world, "p", "end", PAWL_STUCK, ""), PAWL_E_INVALID);
    step_ok(step_force(world, "p", "end", PAWL_CANCELLED, "never ran"));
    assert_int_equal(row_of(world, "p").status, PAWL_CANCELLED);
    struct row row;
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 0);
}

static void test_C07_of_an_end_inside_and_one_outside_exactly_one_counts(void **state)
{
    struct world *world = *state;
    for (int round = 0; round < 20; round++) {
        char id[16];
        snprintf(id, sizeof(id), "p-%d", round);
        struct step *started = step_register(world, id, "t", "");
        assert_int_equal(step_run(started), PAWL_OK);
        struct lease lease = lease_claim(world, id);
        struct step *inside = step_complete(world, lease.number, lease.token, 1, PAWL_COMPLETED, "inside");
        struct step *outside = step_force(world, id, "end", PAWL_TERMINATED, "outside");
        pawl_registry_op *ops[2] = {&inside->op, &outside->op};
        if (round % 2) {
            ops[0] = &outside->op;
            ops[1] = &inside->op;
        }
        host_submit(world->host, world->registry, world->store, ops, 2);
        pawl_status in = step_wait(inside);
        pawl_status out = step_wait(outside);
        bool inside_won = in == PAWL_OK && out == PAWL_E_TERMINAL;
        bool outside_won = out == PAWL_OK && (in == PAWL_E_STALE || in == PAWL_E_TERMINAL);
        assert_true(inside_won || outside_won);
        assert_int_equal(inside_won, round % 2 == 0);
        struct row row = row_of(world, id);
        assert_string_equal(row.outcome.head, inside_won ? "inside" : "outside");
        assert_int_equal(row.head, 2);
    }
    world_settle(world);
}

static const struct CMUnitTest post_tests[] = {
    CASE(test_E02_the_same_post_again_is_answered_as_before),
    CASE(test_E02_twice_in_one_batch_is_once),
    CASE(test_E02_post_ids_count_within_their_process_and_kind),
    CASE(test_E02_one_post_id_of_several_kinds_in_one_batch),
    CASE(test_E03_a_post_id_with_other_content_is_a_conflict),
    CASE(test_E04_bad_posts_leave_no_trace),
    CASE(test_I5_a_signal_wakes_what_waits),
    CASE(test_E02_E03_I5_an_update_counts_once_and_wakes_what_waits),
    CASE(test_I5_a_post_between_look_and_suspend_is_never_slept_over),
    CASE(test_I5_an_end_from_outside_needs_the_right),
    CASE(test_C01_the_holder_hears_of_a_post_before_anything_later_completes),
    CASE(test_C03_a_reason_again_is_one_record_another_is_a_second),
    CASE(test_C04_cancel_of_an_ended_process_leaves_its_journal),
    CASE(test_C06_terminate_fences_the_holder_at_once),
    CASE(test_C07_of_an_end_inside_and_one_outside_exactly_one_counts),
    CASE(test_C10_C11_cancel_wakes_waiting_and_stuck_processes),
    CASE(test_V07_parked_with_a_reason_until_resumed),
    CASE(test_MW_a_paused_process_is_claimed_by_nobody_until_it_is_continued),
    CASE(test_MW_a_pause_takes_no_lease_away_and_holds_from_its_end),
    CASE(test_MW_a_cancel_request_ends_a_pause),
    CASE(test_I8_a_stuck_process_can_always_be_ended),
};
const struct group post_group = GROUP(post, REGISTRY_BIT);
