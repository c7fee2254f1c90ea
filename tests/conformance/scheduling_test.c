/* scheduling_test.c: why it exists: whom a claim hands out first, and whom it passes over, is the provider's to decide:
 * priorities, the turns of keys, limits of a type, and the order of exclusive processes. Catalogue V02, V03. It never
 * asks for more than the ABI promises: which of equals comes first is open. */
#include <stdio.h>
#include <string.h>

#include "groups.h"
#include "step.h"
#include "view.h"

#define ROWS_MAX 32
#define LONG_NS  (10 * HOST_SECOND_NS) /* shorter than the lease of the world's worker */

static void add(struct world *world, const char *id, const char *key, uint32_t priority)
{
    struct step *step = step_register(world, id, "t", "");
    step->request.registration.key = step_keep(step, text_bytes(key));
    step->request.registration.priority = priority;
    assert_int_equal(step_run(step), PAWL_OK);
}

/* Of one key, which begins their ids, too. */
static void add_many(struct world *world, const char *key, unsigned count, uint32_t priority)
{
    char id[32];
    for (unsigned i = 0; i < count; i++) {
        snprintf(id, sizeof id, "%s-%u", key, i);
        add(world, id, key, priority);
    }
}

static void add_exclusive(struct world *world, const char *id, const char *session)
{
    struct step *step = step_register(world, id, "t", "");
    step->request.registration.session = step_keep(step, text_bytes(session));
    step->request.registration.exclusive = 1;
    assert_int_equal(step_run(step), PAWL_OK);
}

static size_t claim(struct world *world, const pawl_type_limits *wanted, uint32_t limit, struct row *rows)
{
    pawl_bytes types[1] = {text_bytes("t")};
    pawl_type_limits limits = *wanted;
    const pawl_type_limits *all[1] = {&limits};
    pawl_status status;
    limits.struct_size = sizeof limits;
    size_t count = claim_types_within(world, world->worker, types, all, 1, limit, rows, &status, &world->why);
    assert_int_equal(status, PAWL_OK);
    return count;
}

static size_t count_of(const struct row *rows, size_t count, const char *prefix)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += strncmp(rows[i].id.head, prefix, strlen(prefix)) == 0;
    return found;
}

/* Without settling: what else is leased stays so. */
static void end(struct world *world, const struct row *row)
{
    struct step *step = step_complete(world, row->number, row->token, row->head, PAWL_COMPLETED, "");
    assert_int_equal(step_run(step), PAWL_OK);
}

static const pawl_type_limits no_limits;

static void test_V02_the_first_priority_goes_first(void **state)
{
    struct world *world = *state;
    struct row rows[ROWS_MAX];
    add_many(world, "low", 2, PAWL_PRIORITY_LOWEST);
    add_many(world, "normal", 2, 0);
    add_many(world, "high", 2, PAWL_PRIORITY_HIGHEST);
    world_settle(world);
    assert_int_equal(claim(world, &no_limits, 2, rows), 2);
    assert_int_equal(count_of(rows, 2, "high"), 2);
    assert_int_equal(rows[0].priority, PAWL_PRIORITY_HIGHEST);
    assert_int_equal(claim(world, &no_limits, 2, rows), 2);
    assert_int_equal(count_of(rows, 2, "normal"), 2);
    assert_int_equal(rows[0].priority, PAWL_PRIORITY_NORMAL);
    assert_int_equal(claim(world, &no_limits, 2, rows), 2);
    assert_int_equal(count_of(rows, 2, "low"), 2);
}

static void test_V02_keys_take_turns(void **state)
{
    struct world *world = *state;
    struct row rows[ROWS_MAX];
    add_many(world, "acme", 12, 0);
    add_many(world, "bolt", 2, 0);
    add_many(world, "coil", 2, 0);
    world_settle(world);
    assert_int_equal(claim(world, &no_limits, 6, rows), 6);
    assert_int_equal(count_of(rows, 6, "acme"), 2);
    assert_int_equal(count_of(rows, 6, "bolt"), 2);
    assert_int_equal(count_of(rows, 6, "coil"), 2);
    assert_int_equal(claim(world, &no_limits, ROWS_MAX, rows), 10); /* who is alone waits for nobody */
}

static void test_V03_a_type_keeps_its_concurrency(void **state)
{
    struct world *world = *state;
    struct row rows[ROWS_MAX], more[ROWS_MAX];
    const pawl_type_limits limits = {.concurrency = 3};
    add_many(world, "p", 6, 0);
    world_settle(world);
    assert_int_equal(claim(world, &limits, ROWS_MAX, rows), 3);
    assert_int_equal(claim(world, &limits, ROWS_MAX, more), 0);
    end(world, &rows[1]);
    assert_int_equal(claim(world, &limits, ROWS_MAX, more), 1);
    assert_int_equal(claim(world, &no_limits, ROWS_MAX, more), 2); /* the last claim says what holds */
}

static void test_V03_a_key_at_its_limit_holds_nobody_else(void **state)
{
    struct world *world = *state;
    struct row rows[ROWS_MAX], more[ROWS_MAX];
    const pawl_type_limits limits = {.key_concurrency = 2};
    add_many(world, "acme", 8, 0);
    add_many(world, "bolt", 3, 0);
    world_settle(world);
    assert_int_equal(claim(world, &limits, ROWS_MAX, rows), 4);
    assert_int_equal(count_of(rows, 4, "acme"), 2);
    assert_int_equal(count_of(rows, 4, "bolt"), 2);
    assert_int_equal(claim(world, &limits, ROWS_MAX, more), 0);
    for (size_t i = 0; i < 4; i++)
        if (count_of(&rows[i], 1, "bolt") == 1)
            end(world, &rows[i]);
    assert_int_equal(claim(world, &limits, ROWS_MAX, more), 1);
    assert_int_equal(count_of(more, 1, "bolt"), 1);
}

static void test_V03_a_rate_lets_go_as_time_passes(void **state)
{
    struct world *world = *state;
    struct row rows[ROWS_MAX];
    const pawl_type_limits limits = {.rate_interval_ns = HOST_SECOND_NS, .rate_burst = 2};
    add_many(world, "p", 12, 0);
    world_settle(world);
    assert_int_equal(claim(world, &limits, ROWS_MAX, rows), 2);
    assert_int_equal(claim(world, &limits, ROWS_MAX, rows), 0);
    host_advance(world->host, HOST_SECOND_NS);
    assert_int_equal(claim(world, &limits, ROWS_MAX, rows), 1);
    host_advance(world->host, LONG_NS);
    assert_int_equal(claim(world, &limits, ROWS_MAX, rows), 2); /* no more than the burst has gathered */
}

static void test_V03_the_rate_of_a_key_is_its_own(void **state)
{
    struct world *world = *state;
    struct row rows[ROWS_MAX];
    const pawl_type_limits limits = {.key_rate_interval_ns = HOST_SECOND_NS};
    add_many(world, "acme", 4, 0);
    add_many(world, "bolt", 1, 0);
    world_settle(world);
    assert_int_equal(claim(world, &limits, ROWS_MAX, rows), 2);
    assert_int_equal(count_of(rows, 2, "acme"), 1);
    assert_int_equal(count_of(rows, 2, "bolt"), 1);
    assert_int_equal(claim(world, &limits, ROWS_MAX, rows), 0);
    host_advance(world->host, HOST_SECOND_NS);
    assert_int_equal(claim(world, &limits, ROWS_MAX, rows), 1);
}

static void test_V02_exclusive_processes_of_a_session_run_in_order(void **state)
{
    static const char *const order[] = {"a", "b", "c"};
    struct world *world = *state;
    struct row rows[ROWS_MAX];
    for (size_t i = 0; i < 3; i++)
        add_exclusive(world, order[i], "s");
    add_exclusive(world, "x", "another");
    world_settle(world);
    assert_int_equal(claim(world, &no_limits, ROWS_MAX, rows), 2); /* sessions do not wait for one another */
    assert_int_equal(count_of(rows, 2, "a") + count_of(rows, 2, "x"), 2);
    struct row held = rows[count_of(rows, 1, "a") == 1 ? 0 : 1];
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(held.id.head, order[i]);
        assert_int_equal(claim(world, &no_limits, ROWS_MAX, rows), 0);
        end(world, &held);
        assert_int_equal(claim(world, &no_limits, ROWS_MAX, &held), i < 2 ? 1 : 0);
    }
}

static void test_V02_who_ends_behind_another_is_passed_over(void **state)
{
    struct world *world = *state;
    struct row rows[ROWS_MAX];
    add_exclusive(world, "a", "s");
    add_exclusive(world, "b", "s");
    add_exclusive(world, "c", "s");
    world_settle(world);
    step_ok(step_force(world, "b", "f1", PAWL_TERMINATED, ""));
    assert_int_equal(claim(world, &no_limits, ROWS_MAX, rows), 1);
    assert_string_equal(rows[0].id.head, "a");
    end(world, &rows[0]);
    assert_int_equal(claim(world, &no_limits, ROWS_MAX, rows), 1);
    assert_string_equal(rows[0].id.head, "c");
}

static const struct CMUnitTest scheduling_tests[] = {
    CASE(test_V02_the_first_priority_goes_first),
    CASE(test_V02_keys_take_turns),
    CASE(test_V03_a_type_keeps_its_concurrency),
    CASE(test_V03_a_key_at_its_limit_holds_nobody_else),
    CASE(test_V03_a_rate_lets_go_as_time_passes),
    CASE(test_V03_the_rate_of_a_key_is_its_own),
    CASE(test_V02_exclusive_processes_of_a_session_run_in_order),
    CASE(test_V02_who_ends_behind_another_is_passed_over),
};
const struct group scheduling_group = GROUP(scheduling, REGISTRY_BIT);
