/* deadline_test.c: why it exists: a deadline that passes is told to its process, by the provider alone, once, whatever
 * state the process is in and whoever was there at that moment. Invariants I3, I4, I7. */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "groups.h"
#include "step.h"
#include "view.h"

#define DUE_NS (HOST_START_UNIX_NS + 100 * HOST_SECOND_NS)

static uint64_t real_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * HOST_SECOND_NS + (uint64_t)now.tv_nsec;
}

static struct step *timed_step(struct world *world, const char *id)
{
    struct step *step = step_register(world, id, "t", "input");
    step->request.registration.deadline_unix_ns = DUE_NS;
    step->request.registration.deadline_body = step_keep(step, text_bytes("too late"));
    return step;
}

static struct lease timed_lease(struct world *world, const char *id)
{
    step_ok(timed_step(world, id));
    return lease_claim(world, id);
}

static void pass_until(struct world *world, uint64_t unix_ns)
{
    host_set_unix(world->host, unix_ns);
    world->registry->tick(world->store);
}

static struct row wait_head(struct world *world, const char *id, uint64_t head)
{
    struct row row;
    uint64_t until = real_ns() + HOST_WAIT_S * HOST_SECOND_NS;
    while ((row = row_of(world, id)).head < head && real_ns() < until)
        sched_yield();
    assert_int_equal(row.head, head);
    return row;
}

/* What was posted by anybody else after this was posted after all deadlines that had passed. */
static void wait_for_a_round(struct world *world)
{
    static unsigned count;
    char id[32];
    snprintf(id, sizeof id, "other-%u", count++);
    for (int i = 0; i < 2; i++) {
        struct step *step = step_register(world, id, "other", "");
        assert_int_equal(step_run(step), PAWL_OK);
    }
}

static void expect_asked(struct world *world, const char *id, uint64_t head)
{
    struct entry entries[8];
    struct row row = wait_head(world, id, head);
    assert_int_equal(row.cancelled, 1);
    assert_int_equal(journal_read(world, row.number, 1, 0, entries, 8, NULL), head);
    assert_int_equal(entries[head - 1].kind, PAWL_RECORD_CANCEL);
    assert_string_equal(entries[head - 1].body.head, "too late");
}

static void test_I7_a_deadline_reaches_a_process_in_every_state(void **state)
{
    struct world *world = *state;
    struct log_entry found;
    struct step *step = timed_step(world, "not begun");
    step->request.registration.start_unix_ns = DUE_NS + HOST_SECOND_NS;
    step_ok(step);
    struct lease waiting = timed_lease(world, "waiting");
    lease_suspend(world, &waiting, 0);
    struct lease sleeping = timed_lease(world, "sleeping");
    lease_suspend(world, &sleeping, DUE_NS + 1000 * HOST_SECOND_NS);
    struct lease stuck = timed_lease(world, "stuck");
    lease_park(world, &stuck, "why");
    step_ok(timed_step(world, "paused"));
    step_ok(step_post(world, PAWL_RECORD_PAUSED, "paused", "p-1", "still"));
    step_ok(timed_step(world, "ready"));
    struct lease held = timed_lease(world, "held");
    lease_regain(world, &held);
    size_t position = host_log_size(world->host);

    pass_until(world, DUE_NS - 1);
    wait_for_a_round(world);
    static const char *const ids[] = {"not begun", "waiting", "sleeping", "stuck", "paused", "ready", "held"};
    static const uint64_t heads[] = {2, 2, 2, 3, 3, 2, 2};
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(row_of(world, ids[i]).head, heads[i] - 1);
    pass_until(world, DUE_NS);
    for (size_t i = 0; i < 7; i++) {
        expect_asked(world, ids[i], heads[i]);
        assert_int_equal(row_of(world, ids[i]).status, i == 6 ? PAWL_RUNNING : PAWL_READY);
    }
    assert_true(host_wait_event(world->host, PAWL_EVENT_POSTED, world->ear, held.number, &position, &found));
    assert_int_equal(found.kind, PAWL_RECORD_CANCEL);
    world_settle(world);
    pass_until(world, DUE_NS + HOST_SECOND_NS);
    wait_for_a_round(world);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(row_of(world, ids[i]).head, heads[i]);
}

static void test_I7_a_deadline_that_passed_while_nobody_was_there(void **state)
{
    struct world *world = *state;
    struct lease waiting = timed_lease(world, "waiting");
    lease_suspend(world, &waiting, 0);
    if (world->provider->survives_reopen) {
        world_close(world, false);
        host_set_unix(world->host, DUE_NS);
        assert_int_equal(world_open(world), PAWL_OK);
    } else {
        pass_until(world, DUE_NS);
    }
    expect_asked(world, "waiting", 2);
    world_settle(world);
    wait_for_a_round(world);
    assert_int_equal(row_of(world, "waiting").head, 2);
}

static void test_I7_what_has_ended_or_was_asked_before_is_left_alone(void **state)
{
    struct world *world = *state;
    struct lease ended = timed_lease(world, "ended");
    lease_complete(world, &ended, PAWL_COMPLETED, "done");
    step_ok(timed_step(world, "asked"));
    step_ok(step_post(world, PAWL_RECORD_CANCEL, "asked", "c-1", "why"));
    struct step *shown = timed_step(world, "only shown");
    shown->request.registration.deadline_body = (pawl_bytes){NULL, 0};
    step_ok(shown);
    struct lease pruned = timed_lease(world, "pruned");
    lease_complete(world, &pruned, PAWL_COMPLETED, "done");
    pass_until(world, DUE_NS + HOST_SECOND_NS);
    wait_for_a_round(world);
    assert_int_equal(row_of(world, "ended").head, 2);
    assert_int_equal(row_of(world, "asked").head, 2);
    assert_int_equal(row_of(world, "only shown").head, 1);
    assert_int_equal(row_of(world, "only shown").deadline_unix_ns, DUE_NS);
}

static void test_I3_a_clock_that_is_set_back_tells_nothing_twice(void **state)
{
    struct world *world = *state;
    step_ok(timed_step(world, "p"));
    pass_until(world, DUE_NS);
    expect_asked(world, "p", 2);
    pass_until(world, DUE_NS - 50 * HOST_SECOND_NS);
    step_ok(timed_step(world, "q"));
    wait_for_a_round(world);
    assert_int_equal(row_of(world, "q").head, 1);
    pass_until(world, DUE_NS);
    expect_asked(world, "q", 2);
    assert_int_equal(row_of(world, "p").head, 2);
}

static void test_I7_an_external_process_ends_at_its_deadline(void **state)
{
    struct world *world = *state;
    struct entry entries[4];
    struct step *step = timed_step(world, "external");
    step->request.registration.external = 1;
    step_ok(step);
    pass_until(world, DUE_NS);
    struct row row = wait_head(world, "external", 2);
    assert_int_equal(row.status, PAWL_FAILED);
    assert_int_equal(journal_read(world, row.number, 1, 0, entries, 4, NULL), 2);
    assert_int_equal(entries[1].kind, PAWL_RECORD_ENDED);
    assert_string_equal(entries[1].body.head, "too late");
    world_settle(world);
}

static void test_I7_rewound_it_is_held_to_a_deadline_that_has_not_passed(void **state)
{
    struct world *world = *state;
    struct lease ended = timed_lease(world, "in time");
    lease_complete(world, &ended, PAWL_FAILED, "no");
    step_ok(step_post(world, PAWL_RECORD_REWOUND, "in time", "r-1", "again"));
    step_ok(timed_step(world, "late"));
    pass_until(world, DUE_NS);
    expect_asked(world, "in time", 4);
    expect_asked(world, "late", 2);
    step_ok(step_post(world, PAWL_RECORD_REWOUND, "late", "r-1", "again"));
    wait_for_a_round(world);
    assert_int_equal(row_of(world, "late").head, 3);
    assert_int_equal(row_of(world, "late").cancelled, 0);
}

#define MANY 600

static void test_I4_many_deadlines_pass_at_once_and_a_reopening_goes_on(void **state)
{
    struct world *world = *state;
    char id[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "p-%d", i);
        struct step *step = timed_step(world, id);
        assert_int_equal(step_run(step), PAWL_OK);
        step_free(step);
    }
    pass_until(world, DUE_NS + HOST_SECOND_NS);
    if (world->provider->survives_reopen) { /* wherever the provider is with it */
        world_close(world, false);
        assert_int_equal(world_open(world), PAWL_OK);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof id, "p-%d", i);
        wait_head(world, id, 2);
    }
    wait_for_a_round(world);
    assert_int_equal(row_of(world, "p-0").head, 2);
}

static const struct CMUnitTest deadline_tests[] = {
    CASE(test_I7_a_deadline_reaches_a_process_in_every_state),
    CASE(test_I7_a_deadline_that_passed_while_nobody_was_there),
    CASE(test_I7_what_has_ended_or_was_asked_before_is_left_alone),
    CASE(test_I3_a_clock_that_is_set_back_tells_nothing_twice),
    CASE(test_I7_an_external_process_ends_at_its_deadline),
    CASE(test_I7_rewound_it_is_held_to_a_deadline_that_has_not_passed),
    CASE(test_I4_many_deadlines_pass_at_once_and_a_reopening_goes_on),
};

const struct group deadline_group = GROUP(deadline, REGISTRY_BIT);
