/* prune_test.c: why it exists: what is removed must have ended, must be old enough, and must not be mistaken for what
 * never was. Catalogue S11. */
#include <stdio.h>
#include <string.h>

#include "groups.h"
#include "step.h"
#include "view.h"

static void end_one(struct world *world, const char *id)
{
    struct lease lease = lease_new(world, id, "t");
    lease_append(world, &lease, "work");
    lease_complete(world, &lease, PAWL_COMPLETED, "done");
}

static void test_S11_only_ended_ones_past_the_cutoff_are_removed(void **state)
{
    struct world *world = *state;
    end_one(world, "old");
    step_ok(step_register(world, "old but open", "t", ""));
    host_advance_unix(world->host, 100 * HOST_SECOND_NS);
    end_one(world, "new");
    uint64_t old_end = row_of(world, "old").updated_unix_ns;

    const struct step *none = step_ok(step_prune(world, old_end, 100)); /* not older than its own end */
    assert_int_equal(none->op.count, 0);
    uint64_t number = row_of(world, "old").number;
    const struct step *one = step_ok(step_prune(world, old_end + 1, 100));
    assert_int_equal(one->op.count, 1);
    struct row row;
    assert_int_equal(row_get(world, "old", &row), PAWL_E_NOT_FOUND);
    pawl_status status;
    assert_int_equal(journal_read(world, number, 1, 0, NULL, 0, &status), 0);
    assert_int_equal(status, PAWL_E_NOT_FOUND);
    assert_int_equal(row_of(world, "old but open").status, PAWL_READY);
    assert_int_equal(row_of(world, "new").status, PAWL_COMPLETED);
    pawl_list all = {0};
    assert_int_equal(rows_all(world, all, 10, NULL, 0), 2);
    uint64_t counts[32] = {0};
    assert_int_equal(world->registry->count(world->store, counts, 32, &world->why), PAWL_OK);
    assert_int_equal(counts[PAWL_COMPLETED], 1);
    assert_int_equal(step_ok(step_prune(world, old_end + 1, 100))->op.count, 0);
}

static void test_S11_no_longer_retained_is_not_unknown(void **state)
{
    struct world *world = *state;
    end_one(world, "old");
    assert_int_equal(step_ok(step_prune(world, UINT64_MAX, 10))->op.count, 1);
    struct row row;
    assert_int_equal(row_get(world, "old", &row), PAWL_E_NOT_FOUND);
    assert_string_equal(world->why.code, "registry.no_longer_retained");
    assert_int_equal(row_get(world, "never", &row), PAWL_E_NOT_FOUND);
    assert_string_not_equal(world->why.code, "registry.no_longer_retained");
    step_refused(step_post(world, PAWL_RECORD_SIGNAL, "old", "s", ""), PAWL_E_NOT_FOUND);
    assert_int_equal(step_run(step_watch(world, "old", 0, 0)), PAWL_E_NOT_FOUND);
    assert_int_equal(claim_id(world, world->worker, "old", &row), PAWL_E_NOT_FOUND);
}

static void test_S11_a_pruned_id_is_not_used_again(void **state)
{
    struct world *world = *state;
    end_one(world, "old");
    uint64_t number = row_of(world, "old").number;
    assert_int_equal(step_ok(step_prune(world, UINT64_MAX, 10))->op.count, 1);
    const struct step *same = step_refused(step_register(world, "old", "t", "input"), PAWL_E_CONFLICT);
    assert_true(failure_mentions(&same->why, "retained") || failure_mentions(&same->why, "pruned"));
    step_refused(step_register(world, "old", "t", "other"), PAWL_E_CONFLICT);
    const struct step *next = step_ok(step_register(world, "young", "t", ""));
    assert_true(next->op.number > number); /* a number means one process for ever, too */
}

static uint64_t forget(struct world *world, uint64_t before_unix_ns, uint32_t limit)
{
    struct step *step = step_prune(world, 0, limit);
    step->request.prune.ids_before_unix_ns = before_unix_ns;
    return step_ok(step)->op.count;
}

static void test_S11_a_pruned_id_is_forgotten_when_that_is_asked_for(void **state)
{
    struct world *world = *state;
    struct row row;
    if ((world->registry->features & PAWL_REGISTRY_FORGETS) == 0)
        skip();
    end_one(world, "old");
    uint64_t old_end = row_of(world, "old").updated_unix_ns;
    uint64_t number = row_of(world, "old").number;
    assert_int_equal(forget(world, UINT64_MAX, 100), 0); /* it is there */
    assert_int_equal(row_of(world, "old").status, PAWL_COMPLETED);
    assert_int_equal(step_ok(step_prune(world, UINT64_MAX, 10))->op.count, 1);
    assert_int_equal(forget(world, old_end, 100), 0); /* not older than its own end */
    assert_int_equal(row_get(world, "old", &row), PAWL_E_NOT_FOUND);
    assert_string_equal(world->why.code, "registry.no_longer_retained");
    assert_int_equal(forget(world, old_end + 1, 100), 1);
    assert_int_equal(row_get(world, "old", &row), PAWL_E_NOT_FOUND);
    assert_string_not_equal(world->why.code, "registry.no_longer_retained");
    const struct step *again = step_ok(step_register(world, "old", "t", ""));
    assert_true(again->op.number > number); /* its number is never another's */
    assert_int_equal(forget(world, UINT64_MAX, 100), 0);
    assert_int_equal(row_of(world, "old").status, PAWL_READY);
}

static void test_S11_an_id_that_is_used_again_is_not_forgotten(void **state)
{
    struct world *world = *state;
    if ((world->registry->features & PAWL_REGISTRY_FORGETS) == 0)
        skip();
    end_one(world, "old");
    end_one(world, "other");
    assert_int_equal(step_ok(step_prune(world, UINT64_MAX, 10))->op.count, 2);
    struct step *again = step_register(world, "old", "t", "");
    again->request.registration.reuse = PAWL_REUSE_AFTER_END;
    assert_int_equal(step_ok(again)->op.count, 2);     /* the run */
    assert_int_equal(forget(world, UINT64_MAX, 1), 1); /* the other one */
    assert_int_equal(forget(world, UINT64_MAX, 1), 0);
    assert_int_equal(row_of(world, "old").status, PAWL_READY);
}

static void test_S11_at_most_limit_at_a_time(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof(id), "p-%d", i);
        assert_int_equal(step_run(step_register(world, id, "t", "")), PAWL_OK);
        assert_int_equal(step_run(step_force(world, id, "e", PAWL_TERMINATED, "")), PAWL_OK);
    }
    assert_int_equal(step_ok(step_prune(world, UINT64_MAX, 2))->op.count, 2);
    assert_int_equal(step_ok(step_prune(world, UINT64_MAX, 2))->op.count, 2);
    assert_int_equal(step_ok(step_prune(world, UINT64_MAX, 2))->op.count, 1);
    assert_int_equal(step_ok(step_prune(world, UINT64_MAX, 2))->op.count, 0);
    pawl_list all = {0};
    assert_int_equal(rows_all(world, all, 10, NULL, 0), 0);
}

static const struct CMUnitTest prune_tests[] = {
    CASE(test_S11_only_ended_ones_past_the_cutoff_are_removed),
    CASE(test_S11_no_longer_retained_is_not_unknown),
    CASE(test_S11_a_pruned_id_is_not_used_again),
    CASE(test_S11_a_pruned_id_is_forgotten_when_that_is_asked_for),
    CASE(test_S11_an_id_that_is_used_again_is_not_forgotten),
    CASE(test_S11_at_most_limit_at_a_time),
};
const struct group prune_group = GROUP(prune, REGISTRY_BIT);
