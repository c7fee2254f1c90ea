/* run_test.c: why it exists: the runs of an id. A process goes on as a new run of itself in one step: its number and
 * what was posted and not taken stay, its journal begins anew, and nobody but its holder can do it. An id is used again
 * where that is asked for, and a process is rewound. Catalogue R01, R07, E06; invariants I2, I4, I5. */
#include <stdio.h>
#include <string.h>

#include "groups.h"
#include "step.h"
#include "view.h"

static struct step *step_continue(struct world *world, const struct lease *lease, const char *input)
{
    struct step *step = step_commit(world, PAWL_OP_CONTINUE, lease->number, lease->token, lease->seen);
    step_record(step, PAWL_RECORD_STARTED, text_bytes(input));
    return step;
}

static void lease_continue(struct world *world, struct lease *lease, const char *input)
{
    const struct step *step = step_ok(step_continue(world, lease, input));
    assert_int_equal(step->op.flags & PAWL_RESULT_MORE, 0);
    lease->seen = step->op.sequence;
    lease_regain(world, lease);
}

static void test_I4_a_new_run_has_a_journal_of_its_own(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    uint64_t number = lease.number;
    lease_append(world, &lease, "one");
    lease_append(world, &lease, "two");
    struct row before = row_of(world, "p");
    assert_int_equal(before.run, 1);
    assert_int_equal(before.base, 1);
    struct step *step = step_continue(world, &lease, "again");
    step_record(step, PAWL_RECORD_SIGNAL, text_bytes("kept"));
    assert_int_equal(step_ok(step)->op.sequence, 4);
    lease.seen = 5;
    lease_regain(world, &lease);
    struct row row = row_of(world, "p");
    assert_int_equal(row.number, number);
    assert_int_equal(row.status, PAWL_RUNNING);
    assert_int_equal(row.run, 2);
    assert_int_equal(row.base, 4);
    assert_int_equal(row.head, 5);
    assert_int_equal(row.journal_bytes, strlen("again") + strlen("kept"));
    assert_int_equal(row.created_unix_ns, before.created_unix_ns);
    struct entry entries[4];
    assert_int_equal(journal_read(world, number, 1, 0, entries, 4, NULL), 2);
    assert_int_equal(entries[0].sequence, 4);
    assert_int_equal(entries[0].kind, PAWL_RECORD_STARTED);
    assert_string_equal(entries[0].body.head, "again");
    assert_int_equal(entries[1].kind, PAWL_RECORD_SIGNAL);
    assert_int_equal(journal_read(world, number, 3, 1, entries, 4, NULL), 1);
    assert_int_equal(entries[0].sequence, 4);
    assert_int_equal(journal_read(world, number, 5, 0, entries, 4, NULL), 1);
    assert_int_equal(entries[0].sequence, 5);
    lease_append(world, &lease, "three");
    lease_complete(world, &lease, PAWL_COMPLETED, "end");
    assert_int_equal(row_of(world, "p").run, 2);
    assert_int_equal(journal_read(world, number, 0, 0, entries, 4, NULL), 4);
}

static void test_many_runs_leave_one_journal(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    for (unsigned run = 2; run <= 8; run++) {
        lease_append(world, &lease, "note");
        lease_continue(world, &lease, "again");
        assert_int_equal(row_of(world, "p").run, run);
    }
    lease_suspend(world, &lease, 0);
    struct entry entries[4];
    assert_int_equal(journal_read(world, lease.number, 1, 0, entries, 4, NULL), 1);
    assert_int_equal(entries[0].sequence, row_of(world, "p").base);
}

static void test_I5_not_over_what_was_posted_meanwhile(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "hello"));
    lease_regain(world, &lease);
    lease.seen = 1;
    const struct step *step = step_ok(step_continue(world, &lease, "again"));
    assert_int_equal(step->op.flags & PAWL_RESULT_MORE, PAWL_RESULT_MORE);
    lease_regain(world, &lease);
    struct row row = row_of(world, "p");
    assert_int_equal(row.run, 1);
    assert_int_equal(row.head, 2);
    lease.seen = 2;
    lease_continue(world, &lease, "again");
    assert_int_equal(row_of(world, "p").run, 2);
}

static void test_I2_a_stale_token_begins_no_run(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    struct lease stale = lease;
    stale.token--;
    step_refused(step_continue(world, &stale, "again"), PAWL_E_STALE);
    lease_regain(world, &lease);
    step_ok(step_force(world, "p", "f", PAWL_TERMINATED, "over"));
    step_refused(step_continue(world, &lease, "again"), PAWL_E_STALE);
    assert_int_equal(row_of(world, "p").run, 1);
}

static void test_E02_post_ids_stay_known_over_runs(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "hello"));
    lease_regain(world, &lease);
    lease.seen = 2;
    lease_continue(world, &lease, "again");
    const struct step *again = step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "hello"));
    assert_int_equal(again->op.flags & PAWL_RESULT_REPLAYED, PAWL_RESULT_REPLAYED);
    assert_int_equal(again->op.sequence, 2);
    step_refused(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "goodbye"), PAWL_E_CONFLICT);
    lease_regain(world, &lease);
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-2", "hello"));
    assert_int_equal(row_of(world, "p").head, 4);
}

static void test_I7_a_cancel_request_goes_over(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    step_ok(step_post(world, PAWL_RECORD_CANCEL, "p", "c-1", "stop"));
    lease_regain(world, &lease);
    lease.seen = 2;
    struct step *step = step_continue(world, &lease, "again");
    step_record(step, PAWL_RECORD_CANCEL, text_bytes("stop"));
    step_ok(step);
    assert_int_equal(row_of(world, "p").cancelled, 1);
    struct step *watch = step_watch(world, "p", 0, 1ull << (PAWL_RECORD_CANCEL - 64));
    assert_int_equal(step_run(watch), PAWL_OK);
    assert_int_equal(watch->op.sequence, 4);
}

static void test_E04_bad_new_runs_leave_no_trace(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    struct step *none = step_commit(world, PAWL_OP_CONTINUE, lease.number, lease.token, lease.seen);
    step_refused(none, PAWL_E_INVALID);
    lease_regain(world, &lease);
    struct step *note = step_commit(world, PAWL_OP_CONTINUE, lease.number, lease.token, lease.seen);
    step_record(note, KIND_NOTE, text_bytes("x"));
    step_refused(note, PAWL_E_INVALID);
    lease_regain(world, &lease);
    struct step *twice = step_continue(world, &lease, "again");
    step_record(twice, PAWL_RECORD_STARTED, text_bytes("x"));
    step_refused(twice, PAWL_E_INVALID);
    lease_regain(world, &lease);
    struct step *ended = step_continue(world, &lease, "again");
    step_record(ended, PAWL_RECORD_ENDED, text_bytes("x"));
    step_refused(ended, PAWL_E_INVALID);
    lease_regain(world, &lease);
    struct step *started = step_commit(world, PAWL_OP_APPEND, lease.number, lease.token, lease.seen);
    step_record(started, PAWL_RECORD_STARTED, text_bytes("x"));
    step_refused(started, PAWL_E_INVALID);
    assert_int_equal(row_of(world, "p").run, 1);
}

static void test_a_process_of_many_runs_is_pruned_whole(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_continue(world, &lease, "again");
    lease_append(world, &lease, "note");
    lease_complete(world, &lease, PAWL_COMPLETED, "end");
    assert_int_equal(step_ok(step_prune(world, UINT64_MAX, 10))->op.count, 1);
    pawl_status status;
    assert_int_equal(journal_read(world, lease.number, 1, 0, NULL, 0, &status), 0);
    assert_int_equal(status, PAWL_E_NOT_FOUND);
}

/* ---- an id used again ---- */

static struct step *step_reuse(struct world *world, const char *id, const char *type, const char *input, uint32_t reuse)
{
    struct step *step = step_register(world, id, type, input);
    step->request.registration.reuse = reuse;
    return step;
}

static void test_R01_a_known_id_may_be_refused(void **state)
{
    struct world *world = *state;
    assert_int_equal(step_ok(step_reuse(world, "p", "t", "one", PAWL_REUSE_REJECT))->op.count, 1);
    step_refused(step_reuse(world, "p", "t", "one", PAWL_REUSE_REJECT), PAWL_E_CONFLICT);
    step_ok(step_force(world, "p", "f", PAWL_TERMINATED, "over"));
    step_refused(step_reuse(world, "p", "t", "one", PAWL_REUSE_REJECT), PAWL_E_CONFLICT);
    step_refused(step_reuse(world, "p", "t", "one", PAWL_REUSE_AFTER_FAILURE + 1), PAWL_E_INVALID);
}

static void test_R01_an_id_is_used_again_after_the_end(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    uint64_t number = lease.number;
    lease_append(world, &lease, "note");
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "hello"));
    const struct step *live = step_ok(step_reuse(world, "p", "t", "input", PAWL_REUSE_AFTER_END));
    assert_int_equal(live->op.flags & PAWL_RESULT_EXISTED, PAWL_RESULT_EXISTED); /* it has not ended */
    step_refused(step_reuse(world, "p", "t", "other", PAWL_REUSE_AFTER_END), PAWL_E_CONFLICT);
    lease_regain(world, &lease);
    lease.seen = 3;
    lease_complete(world, &lease, PAWL_COMPLETED, "end");
    const struct step *again = step_ok(step_reuse(world, "p", "t2", "other", PAWL_REUSE_AFTER_END));
    assert_int_equal(again->op.flags & PAWL_RESULT_EXISTED, 0);
    assert_true(again->op.number > number);
    assert_int_equal(again->op.count, 2);
    struct row row = row_of(world, "p");
    assert_int_equal(row.run, 2);
    assert_int_equal(row.status, PAWL_READY);
    assert_string_equal(row.type.head, "t2");
    assert_int_equal(row.head, 1);
    pawl_status status;
    assert_int_equal(journal_read(world, number, 1, 0, NULL, 0, &status), 0);
    assert_int_equal(status, PAWL_E_NOT_FOUND);
    const struct step *signal = step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "hello"));
    assert_int_equal(signal->op.flags & PAWL_RESULT_REPLAYED, 0); /* that was for the former one */
    uint64_t counts[32] = {0};
    assert_int_equal(world->registry->count(world->store, counts, 32, &world->why), PAWL_OK);
    assert_int_equal(counts[PAWL_COMPLETED], 0);
    assert_int_equal(counts[PAWL_READY], 1);
    pawl_list all = {0};
    assert_int_equal(rows_all(world, all, 10, NULL, 0), 1);
    lease = lease_claim(world, "p");
    assert_true(lease.number > number);
}

static void test_R01_an_id_is_used_again_after_a_failure_only(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "good", "t");
    lease_complete(world, &lease, PAWL_COMPLETED, "end");
    const struct step *kept = step_ok(step_reuse(world, "good", "t", "input", PAWL_REUSE_AFTER_FAILURE));
    assert_int_equal(kept->op.flags & PAWL_RESULT_EXISTED, PAWL_RESULT_EXISTED);
    lease = lease_new(world, "bad", "t");
    lease_complete(world, &lease, PAWL_FAILED, "end");
    assert_int_equal(step_ok(step_reuse(world, "bad", "t", "input", PAWL_REUSE_AFTER_FAILURE))->op.count, 2);
    assert_int_equal(row_of(world, "bad").status, PAWL_READY);
}

static void test_R01_a_pruned_id_is_used_again_with_the_next_run(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_continue(world, &lease, "again");
    lease_complete(world, &lease, PAWL_FAILED, "end");
    assert_int_equal(step_ok(step_prune(world, UINT64_MAX, 10))->op.count, 1);
    step_refused(step_reuse(world, "p", "t", "input", PAWL_REUSE_AFTER_FAILURE), PAWL_E_CONFLICT);
    assert_int_equal(step_ok(step_reuse(world, "p", "t", "input", PAWL_REUSE_AFTER_END))->op.count, 3);
    assert_int_equal(row_of(world, "p").run, 3);
}

/* The end and the new start in one submission: what stands behind meets the new one. */
static void test_R07_ended_and_used_again_at_once(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    struct step *end = step_complete(world, lease.number, lease.token, lease.seen, PAWL_COMPLETED, "end");
    struct step *again = step_reuse(world, "p", "t", "other", PAWL_REUSE_AFTER_END);
    struct step *signal = step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "hello");
    struct step *third = step_reuse(world, "p", "t", "other", PAWL_REUSE_AFTER_END);
    pawl_registry_op *ops[4] = {&end->op, &again->op, &signal->op, &third->op};
    host_submit(world->host, world->registry, world->store, ops, 4);
    assert_int_equal(step_wait(end), PAWL_OK);
    assert_int_equal(step_wait(again), PAWL_OK);
    assert_int_equal(step_wait(signal), PAWL_OK);
    assert_int_equal(step_wait(third), PAWL_OK);
    world_settle(world);
    assert_int_equal(again->op.count, 2);
    assert_int_equal(signal->op.number, again->op.number);
    assert_int_equal(third->op.flags & PAWL_RESULT_EXISTED, PAWL_RESULT_EXISTED);
    assert_int_equal(row_of(world, "p").head, 2);
}

/* ---- rewinding ---- */

static uint64_t rewind_it(struct world *world, const char *id, const char *post_id)
{
    const struct step *step = step_ok(step_post(world, PAWL_RECORD_REWOUND, id, post_id, "from here"));
    assert_int_equal(step->op.flags & PAWL_RESULT_REPLAYED, 0);
    return step->op.sequence;
}

static void test_E06_a_rewound_process_is_live_again(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    step_ok(step_post(world, PAWL_RECORD_CANCEL, "p", "c-1", "stop"));
    lease_regain(world, &lease);
    lease.seen = 2;
    lease_complete(world, &lease, PAWL_CANCELLED, "end");
    step_refused(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "late"), PAWL_E_TERMINAL);
    assert_int_equal(rewind_it(world, "p", "r-1"), 4);
    struct row row = row_of(world, "p");
    assert_int_equal(row.status, PAWL_READY);
    assert_int_equal(row.cancelled, 0);
    assert_int_equal(row.rewinds, 1);
    assert_int_equal(row.outcome.size, 0);
    uint64_t counts[32] = {0};
    assert_int_equal(world->registry->count(world->store, counts, 32, &world->why), PAWL_OK);
    assert_int_equal(counts[PAWL_CANCELLED], 0);
    assert_int_equal(counts[PAWL_READY], 1);
    assert_int_equal(step_ok(step_prune(world, UINT64_MAX, 10))->op.count, 0); /* it has not ended any more */
    const struct step *again = step_ok(step_post(world, PAWL_RECORD_REWOUND, "p", "r-1", "from here"));
    assert_int_equal(again->op.flags & PAWL_RESULT_REPLAYED, PAWL_RESULT_REPLAYED);
    assert_int_equal(row_of(world, "p").rewinds, 1);
    struct lease next = lease_claim(world, "p");
    assert_true(next.token > lease.token);
    lease_complete(world, &next, PAWL_COMPLETED, "other end");
    row = row_of(world, "p");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_string_equal(row.outcome.head, "other end");
    struct entry entries[8];
    assert_int_equal(journal_read(world, lease.number, 1, 0, entries, 8, NULL), 5); /* everything is still there */
    assert_int_equal(entries[2].kind, PAWL_RECORD_ENDED);
    assert_int_equal(entries[3].kind, PAWL_RECORD_REWOUND);
    assert_int_equal(step_ok(step_prune(world, UINT64_MAX, 10))->op.count, 1);
}

static void test_I2_a_rewind_fences_the_holder(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    rewind_it(world, "p", "r-1");
    step_refused(step_append(world, lease.number, lease.token, "late"), PAWL_E_STALE);
    struct row row;
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 1); /* it is not lost for those who look */
    assert_true(row.token > lease.token);
}

static void test_a_rewind_wakes_whatever_rests(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "waits", "t");
    lease_suspend(world, &lease, HOST_START_UNIX_NS + 1000 * HOST_SECOND_NS);
    lease = lease_new(world, "stuck", "t");
    lease_park(world, &lease, "why");
    step_ok(step_register(world, "ready", "t", ""));
    static const char *const ids[] = {"waits", "stuck", "ready"};
    for (size_t i = 0; i < 3; i++) {
        rewind_it(world, ids[i], "r-1");
        struct row row = row_of(world, ids[i]);
        assert_int_equal(row.status, PAWL_READY);
        assert_int_equal(row.wake_unix_ns, 0);
        assert_int_equal(row.reason.size, 0);
        lease_claim(world, ids[i]);
    }
    struct step *external = step_register(world, "external", "t", "");
    external->request.registration.external = 1;
    step_ok(external);
    step_refused(step_post(world, PAWL_RECORD_REWOUND, "external", "r-1", ""), PAWL_E_INVALID);
}

/* A watch for the end is not told of one that is void. */
static void test_W07_a_void_end_is_no_end(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_complete(world, &lease, PAWL_FAILED, "end");
    rewind_it(world, "p", "r-1");
    struct step *watch = step_watch(world, "p", 0, 1ull << (PAWL_RECORD_ENDED - 64));
    step_submit(watch);
    lease = lease_claim(world, "p");
    struct step *end = step_complete(world, lease.number, lease.token, lease.seen, PAWL_COMPLETED, "end");
    assert_int_equal(step_run(end), PAWL_OK);
    assert_int_equal(step_wait(watch), PAWL_OK);
    assert_int_equal(watch->op.result_status, PAWL_COMPLETED);
}

static const struct CMUnitTest runs_tests[] = {
    CASE(test_I4_a_new_run_has_a_journal_of_its_own),
    CASE(test_many_runs_leave_one_journal),
    CASE(test_I5_not_over_what_was_posted_meanwhile),
    CASE(test_I2_a_stale_token_begins_no_run),
    CASE(test_E02_post_ids_stay_known_over_runs),
    CASE(test_I7_a_cancel_request_goes_over),
    CASE(test_E04_bad_new_runs_leave_no_trace),
    CASE(test_a_process_of_many_runs_is_pruned_whole),
    CASE(test_R01_a_known_id_may_be_refused),
    CASE(test_R01_an_id_is_used_again_after_the_end),
    CASE(test_R01_an_id_is_used_again_after_a_failure_only),
    CASE(test_R01_a_pruned_id_is_used_again_with_the_next_run),
    CASE(test_R07_ended_and_used_again_at_once),
    CASE(test_E06_a_rewound_process_is_live_again),
    CASE(test_I2_a_rewind_fences_the_holder),
    CASE(test_a_rewind_wakes_whatever_rests),
    CASE(test_W07_a_void_end_is_no_end),
};
const struct group runs_group = GROUP(runs, REGISTRY_BIT);
