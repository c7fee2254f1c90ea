/* run_test.c: why it exists: a process goes on as a new run of itself in one step: its number and what was posted and
 * not taken stay, its journal begins anew, and nobody but its holder can do it. Invariants I2, I4, I5. */
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

static const struct CMUnitTest runs_tests[] = {
    CASE(test_I4_a_new_run_has_a_journal_of_its_own), CASE(test_many_runs_leave_one_journal),
    CASE(test_I5_not_over_what_was_posted_meanwhile), CASE(test_I2_a_stale_token_begins_no_run),
    CASE(test_E02_post_ids_stay_known_over_runs),     CASE(test_I7_a_cancel_request_goes_over),
    CASE(test_E04_bad_new_runs_leave_no_trace),       CASE(test_a_process_of_many_runs_is_pruned_whole),
};
const struct group runs_group = GROUP(runs, REGISTRY_BIT);
