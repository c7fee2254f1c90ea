/* list_test.c: why it exists: what an operator sees must be what is there, page by page, whatever else goes on.
 * Catalogue V02 (paged work lists) and H08 (results stay readable). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "step.h"
#include "view.h"

/* Twelve processes: types a and b by turns, sessions s0..s2, parents for every fourth; some have ended or are stuck. */
static void populate(struct world *world)
{
    for (int i = 0; i < 12; i++) {
        char id[32];
        char session[8];
        snprintf(id, sizeof(id), "%s-%02d", i < 6 ? "low" : "high", i);
        snprintf(session, sizeof(session), "s%d", i % 3);
        struct step *step = step_register(world, id, i % 2 ? "b" : "a", "");
        step->request.registration.session = step_keep(step, text_bytes(session));
        if (i % 4 == 0)
            step->request.registration.parent = step_keep(step, text_bytes("boss"));
        assert_int_equal(step_run(step), PAWL_OK);
    }
    assert_int_equal(step_run(step_force(world, "low-01", "e", PAWL_TERMINATED, "")), PAWL_OK);
    assert_int_equal(step_run(step_force(world, "high-08", "e", PAWL_CANCELLED, "")), PAWL_OK);
    struct lease lease = lease_claim(world, "high-10");
    assert_int_equal(step_run(step_park(world, lease.number, lease.token, "stuck")), PAWL_OK);
    lease = lease_claim(world, "low-04");
    assert_int_equal(step_run(step_suspend(world, lease.number, lease.token, 1, 0)), PAWL_OK);
    world_settle(world);
}

static size_t matching(struct world *world, pawl_list list)
{
    struct row rows[16];
    size_t count = rows_all(world, list, 3, rows, 16);
    size_t whole = rows_all(world, list, 1000, NULL, 0);
    assert_int_equal(count, whole);
    for (size_t i = 1; i < count; i++)
        assert_true(list.descending ? rows[i].number < rows[i - 1].number : rows[i].number > rows[i - 1].number);
    return count;
}

static void test_V02_every_filter_and_their_conjunction(void **state)
{
    struct world *world = *state;
    populate(world);
    for (uint32_t descending = 0; descending < 2; descending++) {
        pawl_list all = {.descending = descending};
        assert_int_equal(matching(world, all), 12);
        pawl_list list = all;
        list.type = text_bytes("a");
        assert_int_equal(matching(world, list), 6);
        list = all;
        list.session = text_bytes("s1");
        assert_int_equal(matching(world, list), 4);
        list = all;
        list.parent = text_bytes("boss");
        assert_int_equal(matching(world, list), 3);
        list = all;
        list.id_prefix = text_bytes("low-");
        assert_int_equal(matching(world, list), 6);
        list = all;
        list.status_mask = UINT64_C(1) << PAWL_READY;
        assert_int_equal(matching(world, list), 8);
        list.status_mask = UINT64_C(1) << PAWL_TERMINATED | UINT64_C(1) << PAWL_CANCELLED;
        assert_int_equal(matching(world, list), 2);
        list.status_mask = UINT64_C(1) << PAWL_STUCK | UINT64_C(1) << PAWL_WAITING;
        assert_int_equal(matching(world, list), 2);
        list.type = text_bytes("a");
        list.session = text_bytes("s1");
        list.id_prefix = text_bytes("high");
        assert_int_equal(matching(world, list), 1); /* high-10 */
        list.type = text_bytes("b");
        assert_int_equal(matching(world, list), 0);
        list = all;
        list.type = text_bytes("nothing of this type");
        assert_int_equal(matching(world, list), 0);
    }
}

static void test_V02_pages_start_after_the_cursor_and_the_last_one_says_so(void **state)
{
    struct world *world = *state;
    populate(world);
    struct row all[12];
    pawl_list list = {0};
    assert_int_equal(rows_all(world, list, 1000, all, 12), 12);
    list.struct_size = sizeof(list);
    list.limit = 5;
    list.after_number = all[3].number;
    struct row rows[5];
    uint64_t next = 0;
    pawl_status status;
    assert_int_equal(rows_list(world, &list, rows, 5, &next, &status), 5);
    assert_int_equal(rows[0].number, all[4].number);
    assert_int_not_equal(next, 0);
    list.after_number = all[11].number;
    next = 99;
    assert_int_equal(rows_list(world, &list, rows, 5, &next, &status), 0);
    assert_int_equal(status, PAWL_OK);
    assert_int_equal(next, 0);
    list.descending = 1;
    assert_int_equal(rows_list(world, &list, rows, 5, &next, &status), 5);
    assert_int_equal(rows[0].number, all[10].number);
    list.limit = 1001;
    pawl_status too_many;
    rows_list(world, &list, NULL, 0, &next, &too_many);
    assert_true(too_many == PAWL_E_LIMIT || too_many == PAWL_E_INVALID);
}

static void test_V02_rows_that_change_between_pages_are_seen_as_they_are(void **state)
{
    struct world *world = *state;
    populate(world);
    pawl_list list = {.struct_size = sizeof(list), .limit = 4, .status_mask = UINT64_C(1) << PAWL_READY};
    struct row rows[16];
    uint64_t next = 0;
    size_t first = rows_list(world, &list, rows, 4, &next, NULL);
    assert_int_equal(first, 4);
    assert_int_equal(step_run(step_force(world, "high-11", "e", PAWL_TERMINATED, "")), PAWL_OK);
    assert_int_equal(step_run(step_register(world, "new", "a", "")), PAWL_OK);
    world_settle(world);
    size_t count = first;
    while (next != 0) {
        list.after_number = next;
        count += rows_list(world, &list, rows + count, 16 - count, &next, NULL);
    }
    assert_int_equal(count, 8); /* eight, less the ended one, and the new one */
    assert_string_equal(rows[7].id.head, "new");
    for (size_t i = 0; i < count; i++)
        assert_string_not_equal(rows[i].id.head, "high-11");
}

static int32_t stop_at_once(void *context, const pawl_process_row *row)
{
    (void)row;
    ++*(int *)context;
    return 1;
}

static void test_V02_a_visitor_may_stop(void **state)
{
    struct world *world = *state;
    populate(world);
    int visits = 0;
    uint64_t next = 0;
    pawl_list list = {.struct_size = sizeof(list), .limit = 10};
    assert_int_equal(world->registry->list(world->store, &list, stop_at_once, &visits, &next, &world->why), PAWL_OK);
    assert_int_equal(visits, 1);
}

static void test_V11_counts_follow_every_change(void **state)
{
    struct world *world = *state;
    uint64_t counts[32] = {0};
    assert_int_equal(world->registry->count(world->store, counts, 32, &world->why), PAWL_OK);
    for (size_t i = 0; i < 32; i++)
        assert_int_equal(counts[i], 0);
    populate(world);
    struct row row;
    assert_int_equal(claim_id(world, world->worker, "low-00", &row), PAWL_OK);
    assert_int_equal(world->registry->count(world->store, counts, 32, &world->why), PAWL_OK);
    assert_int_equal(counts[PAWL_READY], 7);
    assert_int_equal(counts[PAWL_RUNNING], 1);
    assert_int_equal(counts[PAWL_WAITING], 1);
    assert_int_equal(counts[PAWL_STUCK], 1);
    assert_int_equal(counts[PAWL_TERMINATED], 1);
    assert_int_equal(counts[PAWL_CANCELLED], 1);
    uint64_t few[4] = {77, 77, 77, 77};
    assert_int_equal(world->registry->count(world->store, few, 3, &world->why), PAWL_OK);
    assert_int_equal(few[PAWL_READY], 7);
    assert_int_equal(few[3], 77);
}

static void test_H08_results_stay_readable_after_the_end(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_append(world, &lease, "work");
    lease_complete(world, &lease, PAWL_COMPLETED, "the result");
    host_advance_unix(world->host, UINT64_C(10) * 365 * 24 * 3600 * HOST_SECOND_NS);
    world->registry->tick(world->store);
    world_settle(world);
    struct row row = row_of(world, "p");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_string_equal(row.outcome.head, "the result");
    struct entry entries[3];
    assert_int_equal(journal_read(world, row.number, 1, 0, entries, 3, NULL), 3);
    assert_int_equal(entries[2].kind, PAWL_RECORD_ENDED);
    assert_string_equal(entries[2].body.head, "the result");
}

static size_t with_conditions(struct world *world, const pawl_condition *conditions, size_t count)
{
    pawl_list list = {.conditions = conditions, .condition_count = count, .condition_size = sizeof(*conditions)};
    return matching(world, list);
}

/* Only of a provider that says so; the host asks no other. */
static void test_V02_search_attributes_find_what_has_them(void **state)
{
    struct world *world = *state;
    if (!PAWL_HAS(world->registry, pawl_registry_table, features) ||
        (world->registry->features & PAWL_REGISTRY_ATTRIBUTES) == 0)
        skip();
    for (int i = 0; i < 8; i++) {
        char id[16];
        char json[64];
        snprintf(id, sizeof(id), "p-%d", i);
        snprintf(json, sizeof(json), "{\"customer\":\"c%d\",\"amount\":%d}", i % 2, i - 4);
        struct step *step = step_register(world, id, "t", "");
        step->request.registration.attributes = step_keep(step, text_bytes(json));
        assert_int_equal(step_run(step), PAWL_OK);
    }
    const pawl_condition asked[] = {
        {sizeof(pawl_condition), PAWL_CONDITION_EQUAL, text_bytes("customer"), text_bytes("\"c1\"")},
        {sizeof(pawl_condition), PAWL_CONDITION_MORE, text_bytes("amount"), text_bytes("0")},
        {sizeof(pawl_condition), PAWL_CONDITION_OR, {NULL, 0}, {NULL, 0}},
        {sizeof(pawl_condition), PAWL_CONDITION_NOT, {NULL, 0}, {NULL, 0}},
    };
    assert_int_equal(with_conditions(world, asked, 1), 4);
    assert_int_equal(with_conditions(world, asked, 2), 2);
    assert_int_equal(with_conditions(world, asked, 3), 5);
    assert_int_equal(with_conditions(world, asked, 4), 3);
    struct lease lease = lease_claim(world, "p-1");
    struct step *step = step_append(world, lease.number, lease.token, "note");
    const pawl_bytes patch = text_bytes("{\"customer\":null,\"amount\":100}");
    step->request.commit.attributes = &patch;
    assert_int_equal(step_run(step), PAWL_OK);
    lease.seen++;
    assert_int_equal(with_conditions(world, asked, 1), 3);
    assert_int_equal(with_conditions(world, asked, 2), 2);
    assert_int_equal(with_conditions(world, asked, 3), 5);
    lease_complete(world, &lease, PAWL_COMPLETED, "done");
    assert_int_equal(with_conditions(world, asked, 3), 5);
}

/* From its record on, leased or not, ready or waiting: that is what it is seen, listed and counted as. */
static void test_H12_what_undoes_its_steps_is_shown_as_that(void **state)
{
    struct world *world = *state;
    uint64_t counts[32];
    const pawl_list undoing = {.status_mask = UINT64_C(1) << PAWL_COMPENSATING};
    const pawl_list others = {.status_mask = UINT64_C(1) << PAWL_READY | UINT64_C(1) << PAWL_RUNNING |
                                             UINT64_C(1) << PAWL_WAITING};
    struct lease lease = lease_new(world, "p", "t");
    lease_append(world, &lease, "work");
    assert_int_equal(rows_all(world, undoing, 10, NULL, 0), 0);
    struct step *append = step_commit(world, PAWL_OP_APPEND, lease.number, lease.token, 0);
    step_record(append, PAWL_RECORD_COMPENSATING, text_bytes("it failed"));
    assert_int_equal(step_run(append), PAWL_OK);
    lease.seen++;
    assert_int_equal(row_of(world, "p").status, PAWL_COMPENSATING);
    assert_string_not_equal(row_of(world, "p").worker.head, "");
    world_settle(world); /* whose lease is gone then, and it may be claimed */
    assert_int_equal(row_of(world, "p").status, PAWL_COMPENSATING);
    assert_int_equal(rows_all(world, undoing, 10, NULL, 0), 1);
    assert_int_equal(rows_all(world, others, 10, NULL, 0), 0);
    assert_int_equal(world->registry->count(world->store, counts, 32, &world->why), PAWL_OK);
    assert_int_equal(counts[PAWL_COMPENSATING], 1);
    assert_int_equal(counts[PAWL_READY] + counts[PAWL_RUNNING] + counts[PAWL_WAITING], 0);
    lease_regain(world, &lease);
    lease_suspend(world, &lease, host_unix_ns(world->host) + 10 * HOST_SECOND_NS);
    assert_int_equal(row_of(world, "p").status, PAWL_COMPENSATING);
    assert_int_equal(rows_all(world, undoing, 10, NULL, 0), 1);
    host_advance_unix(world->host, 20 * HOST_SECOND_NS);
    world->registry->tick(world->store);
    lease = lease_claim(world, "p");
    lease_park(world, &lease, "no way on");
    assert_int_equal(row_of(world, "p").status, PAWL_STUCK);
    assert_int_equal(rows_all(world, undoing, 10, NULL, 0), 0);
    assert_int_equal(step_run(step_post(world, PAWL_RECORD_RESUMED, "p", "r", "")), PAWL_OK);
    world_settle(world);
    assert_int_equal(row_of(world, "p").status, PAWL_COMPENSATING);
    lease = lease_claim(world, "p");
    lease_complete(world, &lease, PAWL_FAILED, "it failed");
    assert_int_equal(row_of(world, "p").status, PAWL_FAILED);
    assert_int_equal(world->registry->count(world->store, counts, 32, &world->why), PAWL_OK);
    assert_int_equal(counts[PAWL_COMPENSATING], 0);
    assert_int_equal(counts[PAWL_FAILED], 1);
}

static const struct CMUnitTest list_tests[] = {
    CASE(test_V02_every_filter_and_their_conjunction),
    CASE(test_V02_pages_start_after_the_cursor_and_the_last_one_says_so),
    CASE(test_V02_rows_that_change_between_pages_are_seen_as_they_are),
    CASE(test_V02_a_visitor_may_stop),
    CASE(test_V11_counts_follow_every_change),
    CASE(test_H12_what_undoes_its_steps_is_shown_as_that),
    CASE(test_H08_results_stay_readable_after_the_end),
    CASE(test_V02_search_attributes_find_what_has_them),
};
const struct group list_group = GROUP(list, REGISTRY_BIT);
