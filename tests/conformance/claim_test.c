/* claim_test.c: why it exists: every claimable process is handed out, each to one, and none is forgotten or starved.
 * The registry's side of catalogue group V. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "step.h"
#include "view.h"

static void register_many(struct world *world, const char *prefix, const char *type, int from, int to)
{
    struct step *steps[64];
    for (int i = from; i < to; i++) {
        char id[32];
        snprintf(id, sizeof(id), "%s-%04d", prefix, i);
        steps[i - from] = step_register(world, id, type, "");
        step_submit(steps[i - from]);
    }
    for (int i = from; i < to; i++)
        assert_int_equal(step_wait(steps[i - from]), PAWL_OK);
    world_settle(world);
}

static void test_V03_a_claim_hands_out_at_most_its_limit(void **state)
{
    struct world *world = *state;
    register_many(world, "p", "t", 0, 30);
    struct row rows[40];
    assert_int_equal(claim_type(world, world->worker, "t", 7, rows), 7);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(rows[i].status, PAWL_RUNNING);
        assert_int_equal(rows[i].head, 1);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(rows[i].number, rows[j].number);
            assert_int_not_equal(rows[i].token, rows[j].token);
        }
    }
    assert_int_equal(claim_type(world, world->worker, "t", 40, rows + 7), 23);
    for (size_t i = 7; i < 30; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(rows[i].number, rows[j].number);
    struct row none;
    assert_int_equal(claim_type(world, world->worker, "t", 1, &none), 0);
}

static void test_V02_work_is_handed_out_oldest_first(void **state)
{
    struct world *world = *state;
    register_many(world, "p", "t", 0, 20);
    struct row rows[20];
    assert_int_equal(claim_type(world, world->worker, "t", 20, rows), 20);
    for (size_t i = 1; i < 20; i++)
        assert_true(rows[i].number > rows[i - 1].number);
}

static void test_V02_only_the_types_asked_for(void **state)
{
    struct world *world = *state;
    register_many(world, "a", "type", 0, 3);
    register_many(world, "b", "type.longer", 0, 3);
    register_many(world, "c", "other", 0, 3);
    struct row rows[10];
    assert_int_equal(claim_type(world, world->worker, "typ", 10, rows), 0);
    assert_int_equal(claim_type(world, world->worker, "type", 10, rows), 3);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(rows[i].type.head, "type");
    pawl_bytes both[2] = {text_bytes("other"), text_bytes("type.longer")};
    pawl_status status;
    assert_int_equal(claim_types_with(world, world->worker, both, 2, 10, rows, &status, &world->why), 6);
    assert_int_equal(status, PAWL_OK);
    assert_int_equal(claim_types_with(world, world->worker, NULL, 0, 10, rows, &status, &world->why), 0);
}

static void test_I8_one_type_does_not_starve_another(void **state)
{
    struct world *world = *state;
    register_many(world, "many", "crowd", 0, 60);
    register_many(world, "few", "loner", 0, 2);
    pawl_bytes types[2] = {text_bytes("crowd"), text_bytes("loner")};
    int loners = 0;
    for (int i = 0; i < 10; i++) {
        struct row row;
        pawl_status status;
        assert_int_equal(claim_types_with(world, world->worker, types, 2, 1, &row, &status, &world->why), 1);
        loners += strcmp(row.type.head, "loner") == 0;
    }
    assert_int_equal(loners, 2);
}

static void test_V02_what_is_released_or_returned_behind_the_cursor_is_found(void **state)
{
    struct world *world = *state;
    register_many(world, "p", "t", 0, 30);
    struct row rows[30];
    assert_int_equal(claim_type(world, world->worker, "t", 25, rows), 25);
    assert_int_equal(world->registry->release(world->store, rows[3].number, rows[3].token), PAWL_OK);
    assert_int_equal(world->registry->release(world->store, rows[17].number, rows[17].token), PAWL_OK);
    struct step *suspend = step_suspend(world, rows[5].number, rows[5].token, 1, 0);
    assert_int_equal(step_run(suspend), PAWL_OK);
    assert_int_equal(step_run(step_post(world, PAWL_RECORD_SIGNAL, rows[5].id.head, "s", "")), PAWL_OK);
    struct row rest[30];
    assert_int_equal(claim_type(world, world->worker, "t", 30, rest), 8);
    int found = 0;
    for (size_t i = 0; i < 8; i++)
        found +=
            rest[i].number == rows[3].number || rest[i].number == rows[17].number || rest[i].number == rows[5].number;
    assert_int_equal(found, 3);
}

static void test_V02_what_ended_while_ready_is_skipped(void **state)
{
    struct world *world = *state;
    register_many(world, "p", "t", 0, 6);
    step_ok(step_force(world, "p-0000", "e", PAWL_TERMINATED, ""));
    step_ok(step_force(world, "p-0003", "e", PAWL_CANCELLED, ""));
    struct row rows[6];
    assert_int_equal(claim_type(world, world->worker, "t", 6, rows), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_not_equal(rows[i].id.head, "p-0000");
        assert_string_not_equal(rows[i].id.head, "p-0003");
    }
}

static void test_V02_claimed_by_id_is_not_handed_out_by_type(void **state)
{
    struct world *world = *state;
    register_many(world, "p", "t", 0, 3);
    struct lease middle = lease_claim(world, "p-0001");
    struct row rows[3];
    assert_int_equal(claim_type(world, world->worker, "t", 3, rows), 2);
    assert_int_not_equal(rows[0].number, middle.number);
    assert_int_not_equal(rows[1].number, middle.number);
    assert_int_equal(step_run(step_append(world, middle.number, middle.token, "mine")), PAWL_OK);
}

static void test_V02_everything_ready_is_found_after_a_restart(void **state)
{
    struct world *world = *state;
    if (!world->provider->survives_reopen)
        skip();
    register_many(world, "p", "t", 0, 12);
    struct row rows[12];
    assert_int_equal(claim_type(world, world->worker, "t", 8, rows), 8);
    uint64_t highest = 0;
    for (size_t i = 0; i < 8; i++)
        highest = rows[i].token > highest ? rows[i].token : highest;
    assert_int_equal(step_run(step_complete(world, rows[0].number, rows[0].token, 1, PAWL_FAILED, "")), PAWL_OK);
    assert_int_equal(step_run(step_suspend(world, rows[1].number, rows[1].token, 1, 0)), PAWL_OK);
    assert_int_equal(step_run(step_park(world, rows[2].number, rows[2].token, "x")), PAWL_OK);
    world_reopen(world);
    struct row again[12];
    assert_int_equal(claim_type(world, world->worker, "t", 12, again), 9);
    for (size_t i = 0; i < 9; i++)
        assert_true(again[i].token > highest);
}

static void test_V02_a_process_goes_round_many_times(void **state)
{
    struct world *world = *state;
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    uint64_t token = 0;
    for (int round = 0; round < 100; round++) {
        struct row row;
        assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 1);
        assert_true(row.token > token);
        token = row.token;
        uint64_t wake = round % 3 == 0 ? host_unix_ns(world->host) + HOST_SECOND_NS : 0;
        assert_int_equal(step_run(step_suspend(world, row.number, row.token, row.head, wake)), PAWL_OK);
        struct row none;
        assert_int_equal(claim_type(world, world->worker, "t", 1, &none), 0);
        if (wake) {
            host_set_unix(world->host, wake);
            world->registry->heartbeat(world->store, world->worker);
            world->registry->tick(world->store);
        } else {
            char post_id[16];
            snprintf(post_id, sizeof(post_id), "s-%d", round);
            assert_int_equal(step_run(step_post(world, PAWL_RECORD_SIGNAL, "p", post_id, "")), PAWL_OK);
        }
    }
    world_settle(world);
}

static const struct CMUnitTest claim_tests[] = {
    CASE(test_V02_work_is_handed_out_oldest_first),
    CASE(test_V02_only_the_types_asked_for),
    CASE(test_V02_what_is_released_or_returned_behind_the_cursor_is_found),
    CASE(test_V02_what_ended_while_ready_is_skipped),
    CASE(test_V02_claimed_by_id_is_not_handed_out_by_type),
    CASE(test_V02_everything_ready_is_found_after_a_restart),
    CASE(test_V02_a_process_goes_round_many_times),
    CASE(test_V03_a_claim_hands_out_at_most_its_limit),
    CASE(test_I8_one_type_does_not_starve_another),
};
const struct group claim_group = GROUP(claim, REGISTRY_BIT);
