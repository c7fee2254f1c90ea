/* together_test.c: why it exists: requests to many processes and the state of a session that says why are one batch:
 * a host that dies finds both or neither. */
#include <string.h>

#include "groups.h"
#include "step.h"
#include "view.h"

static void expect_mark(struct world *world, const char *wanted)
{
    pawl_sink value = {0};
    uint64_t revision = 0;
    failure_reset(&world->why);
    pawl_status status =
        world->session->get(world->store, text_bytes("pawl:test"), text_bytes("mark"), &value, &revision, &world->why);
    bool right = wanted == NULL
                     ? status == PAWL_E_NOT_FOUND
                     : status == PAWL_OK && value.size == strlen(wanted) && memcmp(value.data, wanted, value.size) == 0;
    sink_reset(&value);
    assert_true(right);
}

static bool offered(const struct world *world)
{
    return (world->registry->features & PAWL_REGISTRY_POST_ALL) != 0;
}

static void test_C09_I4_requests_and_state_in_one_batch(void **state)
{
    struct world *world = *state;
    static const char *const ids[] = {"ready", "held", "ended", "never", "waiting", NULL};
    if (!offered(world))
        skip(); /* it is optional */
    world_track_session(world, "pawl:test");
    step_ok(step_register(world, "ready", "t", ""));
    struct lease ended = lease_new(world, "ended", "t");
    lease_complete(world, &ended, PAWL_COMPLETED, "done");
    struct lease waiting = lease_new(world, "waiting", "t");
    step_ok(step_suspend(world, waiting.number, waiting.token, 1, 0));
    struct lease held = lease_new(world, "held", "t");
    struct step *first = step_cancel_all(world, ids, "pawl:test", "one");
    static const uint8_t is_new[] = {1, 1, 0, 0, 1};
    assert_int_equal(step_ok(first)->op.count, 3);
    assert_memory_equal(first->request.post_all.is_new, is_new, sizeof is_new);
    expect_mark(world, "one");
    assert_int_equal(row_of(world, "ready").cancelled, 1);
    assert_int_equal(row_of(world, "held").cancelled, 1);
    assert_int_equal(row_of(world, "waiting").status, PAWL_READY); /* it is to hear of it */
    assert_int_equal(row_of(world, "ended").status, PAWL_COMPLETED);
    uint64_t head = row_of(world, "ready").head;
    struct step *again = step_cancel_all(world, ids, "pawl:test", "two"); /* nothing is asked twice */
    assert_int_equal(step_ok(again)->op.count, 0);
    expect_mark(world, "two");
    assert_int_equal(row_of(world, "ready").head, head);
    (void)held;
}

static void test_C09_I4_what_is_refused_leaves_no_trace(void **state)
{
    struct world *world = *state;
    static const char *const ids[] = {"one", "two", NULL};
    if (!offered(world))
        skip();
    world_track_session(world, "pawl:test");
    step_ok(step_register(world, "one", "t", ""));
    step_ok(step_register(world, "two", "t", ""));
    struct step *signal = step_cancel_all(world, ids, "pawl:test", "x");
    ((pawl_post *)(uintptr_t)signal->request.post_all.posts[1])->kind = PAWL_RECORD_SIGNAL;
    step_refused(signal, PAWL_E_INVALID);
    struct step *change = step_cancel_all(world, ids, "pawl:test", "x");
    ((pawl_session_change *)(uintptr_t)change->request.post_all.changes[0])->kind = 99;
    step_refused(change, PAWL_E_INVALID);
    struct step *session = step_cancel_all(world, ids, "", "x");
    step_refused(session, PAWL_E_INVALID);
    struct step *many = step_cancel_all(world, ids, "pawl:test", "x");
    many->request.post_all.post_count = 1001; /* refused before any of them is looked at */
    step_refused(many, PAWL_E_LIMIT);
    expect_mark(world, NULL);
    assert_int_equal(row_of(world, "one").cancelled, 0);
}

static const struct CMUnitTest together_tests[] = {
    CASE(test_C09_I4_requests_and_state_in_one_batch),
    CASE(test_C09_I4_what_is_refused_leaves_no_trace),
};
const struct group together_group = GROUP(together, REGISTRY_BIT | FACET_BIT(PAWL_FACET_SESSION));
