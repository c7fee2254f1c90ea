/* family_test.c: why it exists: what a provider does by itself for parents and children: the end of a child is told to
 * its parent in the write that ends it, and children whose parent has ended are closed, as each was registered to be.
 * Invariants I4, I7. */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "groups.h"
#include "step.h"
#include "view.h"

static struct step *child_step(struct world *world, const char *parent, const char *id, uint32_t close)
{
    struct step *step = step_register(world, id, "child", "input");
    pawl_register *request = &step->request.registration;
    request->parent = step_keep(step, text_bytes(parent));
    request->parent_note = step_keep(step, text_bytes("note:"));
    request->parent_close = close;
    if ((close & ~PAWL_PARENT_CLOSE_UNTOLD) != PAWL_PARENT_CLOSE_ABANDON)
        request->close_body = step_keep(step, text_bytes("parent is gone"));
    return step;
}

/* A child of a process that is held for it. */
static void start_child(struct world *world, struct lease *parent, const char *id, uint32_t close)
{
    lease_regain(world, parent);
    step_ok(child_step(world, parent->id, id, close));
}

static size_t records_of(struct world *world, const char *id, struct entry *entries, size_t room)
{
    return journal_read(world, row_of(world, id).number, 1, 0, entries, room, NULL);
}

/* Without settling: what the provider does next, it does when it likes. */
static void end_now(struct world *world, struct lease *lease)
{
    lease_regain(world, lease);
    struct step *step = step_complete(world, lease->number, lease->token, lease->seen, PAWL_COMPLETED, "done");
    assert_int_equal(step_run(step), PAWL_OK);
    assert_int_equal(step->op.flags & PAWL_RESULT_MORE, 0);
}

static uint64_t real_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * HOST_SECOND_NS + (uint64_t)now.tv_nsec;
}

/* Until it is closed: ended, or asked to stop. */
static struct row wait_closed(struct world *world, const char *id)
{
    struct row row;
    uint64_t until = real_ns() + HOST_WAIT_S * HOST_SECOND_NS;
    do {
        row = row_of(world, id);
        sched_yield();
    } while (!PAWL_IS_TERMINAL(row.status) && !row.cancelled && real_ns() < until);
    assert_true(PAWL_IS_TERMINAL(row.status) || row.cancelled);
    return row;
}

/* Until nothing more will happen to the children of an ended process: then it can be pruned. */
static void wait_looked_after(struct world *world, const char *parent)
{
    uint64_t until = real_ns() + HOST_WAIT_S * HOST_SECOND_NS;
    struct row row;
    host_advance(world->host, 1000 * HOST_SECOND_NS);
    do {
        step_run(step_prune(world, host_unix_ns(world->host), 100));
    } while (row_get(world, parent, &row) == PAWL_OK && real_ns() < until);
    assert_int_equal(row_get(world, parent, &row), PAWL_E_NOT_FOUND);
}

static void test_I4_the_end_of_a_child_wakes_its_parent_with_its_outcome(void **state)
{
    struct world *world = *state;
    struct entry entries[4];
    struct lease parent = lease_new(world, "parent", "t");
    start_child(world, &parent, "child", PAWL_PARENT_CLOSE_CANCEL);
    lease_suspend(world, &parent, 0);
    assert_int_equal(row_of(world, "parent").status, PAWL_WAITING);
    struct lease child = lease_claim(world, "child");
    lease_complete(world, &child, PAWL_COMPLETED, "done");
    assert_int_equal(row_of(world, "parent").status, PAWL_READY);
    assert_int_equal(records_of(world, "parent", entries, 4), 2);
    assert_int_equal(entries[1].kind, PAWL_RECORD_CHILD);
    assert_string_equal(entries[1].body.head, "note:done");
}

static void test_I4_the_holder_of_the_parent_hears_of_it(void **state)
{
    struct world *world = *state;
    struct log_entry found;
    struct lease parent = lease_new(world, "parent", "t");
    start_child(world, &parent, "child", PAWL_PARENT_CLOSE_CANCEL);
    struct lease child = lease_claim(world, "child");
    lease_regain(world, &parent);
    size_t position = host_log_size(world->host);
    end_now(world, &child);
    assert_true(host_wait_event(world->host, PAWL_EVENT_POSTED, world->ear, parent.number, &position, &found));
    assert_int_equal(found.kind, PAWL_RECORD_CHILD);
    assert_int_equal(found.sequence, 2);
    assert_memory_equal(found.body, "note:done", 9);
    struct step *blind = step_complete(world, parent.number, parent.token, 1, PAWL_COMPLETED, "end");
    assert_int_equal(step_run(blind), PAWL_OK);
    assert_int_equal(blind->op.flags & PAWL_RESULT_MORE, PAWL_RESULT_MORE);
}

static void test_I4_however_a_child_ends_its_parent_is_told_once(void **state)
{
    struct world *world = *state;
    struct entry entries[8];
    struct lease parent = lease_new(world, "parent", "t");
    start_child(world, &parent, "forced", PAWL_PARENT_CLOSE_CANCEL);
    start_child(world, &parent, "silent", PAWL_PARENT_CLOSE_ABANDON | PAWL_PARENT_CLOSE_UNTOLD);
    lease_regain(world, &parent);
    struct step *external = child_step(world, "parent", "external", PAWL_PARENT_CLOSE_CANCEL);
    external->request.registration.external = 1;
    step_ok(external);
    step_ok(step_force(world, "forced", "f-1", PAWL_TERMINATED, "killed"));
    step_ok(step_force(world, "forced", "f-1", PAWL_TERMINATED, "killed"));
    step_ok(step_force(world, "silent", "f-1", PAWL_TERMINATED, "killed"));
    struct step *done = step_post(world, PAWL_RECORD_ENDED, "external", "e-1", "out");
    done->request.post.status = PAWL_COMPLETED;
    step_ok(done);
    assert_int_equal(records_of(world, "parent", entries, 8), 3);
    assert_string_equal(entries[1].body.head, "note:killed");
    assert_string_equal(entries[2].body.head, "note:out");
    /* A parent that has ended is told nothing more, and its child ends all the same. */
    parent.seen = 3;
    start_child(world, &parent, "late", PAWL_PARENT_CLOSE_ABANDON);
    end_now(world, &parent);
    struct lease late = lease_claim(world, "late");
    end_now(world, &late);
    assert_int_equal(row_of(world, "late").status, PAWL_COMPLETED);
    assert_int_equal(records_of(world, "parent", entries, 8), 4);
    wait_looked_after(world, "parent");
}

static void test_I4_a_child_needs_a_parent_that_somebody_holds(void **state)
{
    struct world *world = *state;
    step_refused(child_step(world, "nobody", "a", PAWL_PARENT_CLOSE_CANCEL), PAWL_E_NOT_FOUND);
    struct lease parent = lease_new(world, "parent", "t");
    start_child(world, &parent, "first", PAWL_PARENT_CLOSE_ABANDON);
    lease_suspend(world, &parent, 0);
    step_refused(child_step(world, "parent", "b", PAWL_PARENT_CLOSE_CANCEL), PAWL_E_STALE);
    /* What is there is there, whoever asks. */
    struct step *again = child_step(world, "parent", "first", PAWL_PARENT_CLOSE_ABANDON);
    assert_int_equal(step_run(again), PAWL_OK);
    assert_int_equal(again->op.flags & PAWL_RESULT_EXISTED, PAWL_RESULT_EXISTED);
    step_ok(step_force(world, "parent", "f", PAWL_TERMINATED, "gone"));
    step_refused(child_step(world, "parent", "c", PAWL_PARENT_CLOSE_CANCEL), PAWL_E_STALE);
    struct step *no_parent = child_step(world, "", "d", PAWL_PARENT_CLOSE_CANCEL);
    step_refused(no_parent, PAWL_E_INVALID);
}

static void test_I4_children_of_a_parent_that_ends_are_closed_as_they_were_registered(void **state)
{
    struct world *world = *state;
    struct entry entries[4];
    struct lease parent = lease_new(world, "parent", "t");
    start_child(world, &parent, "asked", PAWL_PARENT_CLOSE_CANCEL);
    start_child(world, &parent, "ended", PAWL_PARENT_CLOSE_TERMINATE);
    start_child(world, &parent, "left", PAWL_PARENT_CLOSE_ABANDON);
    start_child(world, &parent, "asked before", PAWL_PARENT_CLOSE_CANCEL);
    step_ok(step_post(world, PAWL_RECORD_CANCEL, "asked before", "c-1", "why"));
    end_now(world, &parent);
    assert_int_equal(wait_closed(world, "asked").status, PAWL_READY);
    struct row ended = wait_closed(world, "ended");
    assert_int_equal(ended.status, PAWL_TERMINATED);
    assert_string_equal(ended.outcome.head, "parent is gone");
    assert_int_equal(records_of(world, "asked", entries, 4), 2);
    assert_int_equal(entries[1].kind, PAWL_RECORD_CANCEL);
    assert_string_equal(entries[1].body.head, "parent is gone");
    wait_looked_after(world, "parent");
    assert_int_equal(records_of(world, "asked before", entries, 4), 2);
    assert_string_equal(entries[1].body.head, "why");
    assert_int_equal(row_of(world, "left").cancelled, 0);
    assert_int_equal(row_of(world, "left").head, 1);
    world_settle(world);
}

/* Nobody has asked for that end, so no answer tells it: every worker session hears of it, whoever held the child. */
static void test_I4_an_end_that_the_provider_makes_is_told_to_every_session(void **state)
{
    struct world *world = *state;
    struct log_entry found;
    struct lease parent = lease_new(world, "parent", "t");
    start_child(world, &parent, "ended", PAWL_PARENT_CLOSE_TERMINATE);
    start_child(world, &parent, "held", PAWL_PARENT_CLOSE_TERMINATE);
    struct lease held = lease_claim(world, "held");
    uint64_t ended = row_of(world, "ended").number;
    lease_regain(world, &parent);
    size_t from = host_log_size(world->host), position = from;
    end_now(world, &parent);
    assert_true(host_wait_event(world->host, PAWL_EVENT_ENDED, world->ear, ended, &position, &found));
    assert_int_equal(found.sequence, 2);
    assert_int_equal(found.kind, PAWL_RECORD_ENDED);
    assert_memory_equal(found.body, "parent is gone", 14);
    assert_string_equal(found.text, "ended child  19");
    position = from;
    assert_true(host_wait_event(world->host, PAWL_EVENT_ENDED, world->ear, held.number, &position, &found));
    wait_looked_after(world, "parent");
    world_settle(world);
}

static void test_I7_closing_goes_down_the_tree(void **state)
{
    struct world *world = *state;
    struct lease top = lease_new(world, "top", "t");
    start_child(world, &top, "middle", PAWL_PARENT_CLOSE_TERMINATE);
    struct lease middle = lease_claim(world, "middle");
    start_child(world, &middle, "low", PAWL_PARENT_CLOSE_TERMINATE);
    struct lease low = lease_claim(world, "low");
    start_child(world, &low, "lowest", PAWL_PARENT_CLOSE_CANCEL);
    assert_int_equal(step_run(step_force(world, "top", "f", PAWL_TERMINATED, "gone")), PAWL_OK);
    assert_int_equal(wait_closed(world, "middle").status, PAWL_TERMINATED);
    assert_int_equal(wait_closed(world, "low").status, PAWL_TERMINATED);
    assert_int_equal(wait_closed(world, "lowest").cancelled, 1);
}

#define MANY 600

static void test_I4_many_children_are_closed_and_a_reopening_goes_on(void **state)
{
    struct world *world = *state;
    char id[32];
    struct lease parent = lease_new(world, "parent", "t");
    lease_regain(world, &parent);
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "child-%d", i);
        struct step *step = child_step(world, "parent", id, PAWL_PARENT_CLOSE_CANCEL);
        assert_int_equal(step_run(step), PAWL_OK);
        step_free(step);
    }
    end_now(world, &parent);
    if (world->provider->survives_reopen) { /* wherever the provider is with it */
        world_close(world, false);
        assert_int_equal(world_open(world), PAWL_OK);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "child-%d", i);
        assert_int_equal(wait_closed(world, id).head, 2);
    }
    wait_looked_after(world, "parent");
}

static const struct CMUnitTest family_tests[] = {
    CASE(test_I4_the_end_of_a_child_wakes_its_parent_with_its_outcome),
    CASE(test_I4_the_holder_of_the_parent_hears_of_it),
    CASE(test_I4_however_a_child_ends_its_parent_is_told_once),
    CASE(test_I4_a_child_needs_a_parent_that_somebody_holds),
    CASE(test_I4_children_of_a_parent_that_ends_are_closed_as_they_were_registered),
    CASE(test_I4_an_end_that_the_provider_makes_is_told_to_every_session),
    CASE(test_I7_closing_goes_down_the_tree),
    CASE(test_I4_many_children_are_closed_and_a_reopening_goes_on),
};

const struct group family_group = GROUP(family, REGISTRY_BIT);
