/* registration_test.c: why it exists: an id must mean one process for ever, whoever asks, however often. Catalogue
 * group R, and what of group G a provider answers for (tiers, ids, profiles). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "step.h"
#include "view.h"

static void test_R01_same_id_same_content_is_the_same_process(void **state)
{
    struct world *world = *state;
    const struct step *first = step_ok(step_register(world, "order-1", "shop.order", "{\"a\":1}"));
    assert_int_equal(first->op.flags & PAWL_RESULT_EXISTED, 0);
    assert_int_not_equal(first->op.number, 0);
    const struct step *again = step_ok(step_register(world, "order-1", "shop.order", "{\"a\":1}"));
    assert_int_equal(again->op.flags & PAWL_RESULT_EXISTED, PAWL_RESULT_EXISTED);
    assert_int_equal(again->op.number, first->op.number);

    struct row rows[4];
    pawl_list all = {0};
    assert_int_equal(rows_all(world, all, 10, rows, 4), 1);
    assert_int_equal(rows[0].head, 1);
}

static void test_R01_registered_again_after_the_end_is_the_same_process(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "order-1", "shop.order");
    lease_complete(world, &lease, PAWL_COMPLETED, "done");
    const struct step *again = step_ok(step_register(world, "order-1", "shop.order", "input"));
    assert_int_equal(again->op.flags & PAWL_RESULT_EXISTED, PAWL_RESULT_EXISTED);
    assert_int_equal(again->op.number, lease.number);
    struct row row = row_of(world, "order-1");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_string_equal(row.outcome.head, "done");
}

static void test_R01_two_of_one_id_in_one_batch_are_one_process(void **state)
{
    struct world *world = *state;
    struct step *first = step_register(world, "twin", "t", "x");
    struct step *second = step_register(world, "twin", "t", "x");
    struct step *third = step_register(world, "twin", "t", "other");
    pawl_registry_op *ops[3] = {&first->op, &second->op, &third->op};
    host_submit(world->host, world->registry, world->store, ops, 3);
    assert_int_equal(step_wait(first), PAWL_OK);
    assert_int_equal(step_wait(second), PAWL_OK);
    assert_int_equal(step_wait(third), PAWL_E_CONFLICT);
    assert_int_equal(first->op.flags & PAWL_RESULT_EXISTED, 0);
    assert_int_equal(second->op.flags & PAWL_RESULT_EXISTED, PAWL_RESULT_EXISTED);
    assert_int_equal(second->op.number, first->op.number);
    world_settle(world);
    assert_int_equal(row_of(world, "twin").head, 1);
}

static bool mentions_fingerprint(const pawl_failure_sink *why, pawl_bytes fingerprint)
{
    char hex[9];
    const uint8_t *data = fingerprint.data;
    snprintf(hex, sizeof(hex), "%02x%02x%02x%02x", data[0], data[1], data[2], data[3]);
    return failure_mentions(why, hex);
}

static void test_R03_other_content_is_a_conflict_that_names_both(void **state)
{
    struct world *world = *state;
    const struct step *first = step_ok(step_register(world, "order-1", "shop.order", "one"));
    const struct step *other = step_refused(step_register(world, "order-1", "shop.order", "two"), PAWL_E_CONFLICT);
    assert_true(failure_mentions(&other->why, "order-1"));
    assert_true(mentions_fingerprint(&other->why, first->request.registration.fingerprint));
    assert_true(mentions_fingerprint(&other->why, other->request.registration.fingerprint));
    struct entry entry;
    assert_int_equal(journal_read(world, first->op.number, 1, 0, &entry, 1, NULL), 1);
    assert_string_equal(entry.body.head, "one");
}

static void refuse_id(struct world *world, pawl_bytes id)
{
    struct step *step = step_register(world, "x", "t", "");
    step->request.registration.id = step_keep(step, id);
    char *before = view_dump(world);
    pawl_status status = step_run(step);
    char *after = view_dump(world);
    assert_true(status == PAWL_E_INVALID || status == PAWL_E_LIMIT);
    assert_true(step->why.message[0] != '\0');
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void test_R04_G08_bad_ids_leave_no_trace(void **state)
{
    struct world *world = *state;
    char long_id[257];
    memset(long_id, 'a', sizeof(long_id));
    refuse_id(world, bytes_of(NULL, 0));
    refuse_id(world, text_bytes(" "));
    refuse_id(world, text_bytes(" \t\n "));
    refuse_id(world, bytes_of(long_id, 257));
    world_settle(world);

    struct step *longest = step_register(world, "x", "t", "");
    longest->request.registration.id = step_keep(longest, bytes_of(long_id, 256));
    step_ok(longest);
    pawl_list all = {0};
    assert_int_equal(rows_all(world, all, 10, NULL, 0), 1);
}

static void test_R04_bad_requests_leave_no_trace(void **state)
{
    struct world *world = *state;
    char long_type[257];
    memset(long_type, 't', sizeof(long_type));
    struct step *no_type = step_register(world, "a", "", "");
    step_refused(no_type, PAWL_E_INVALID);
    struct step *short_fingerprint = step_register(world, "a", "t", "");
    short_fingerprint->request.registration.fingerprint.size = 15;
    step_refused(short_fingerprint, PAWL_E_INVALID);
    struct step *no_fingerprint = step_register(world, "a", "t", "");
    no_fingerprint->request.registration.fingerprint = bytes_of(NULL, 0);
    step_refused(no_fingerprint, PAWL_E_INVALID);
    struct step *bad_digest = step_register(world, "a", "t", "");
    bad_digest->request.registration.digest = step_keep(bad_digest, text_bytes("short"));
    step_refused(bad_digest, PAWL_E_INVALID);
    struct step *type_too_long = step_register(world, "a", "t", "");
    type_too_long->request.registration.type = step_keep(type_too_long, bytes_of(long_type, 257));
    pawl_status status = step_run(type_too_long);
    assert_true(status == PAWL_E_INVALID || status == PAWL_E_LIMIT);
    struct row row;
    assert_int_equal(row_get(world, "a", &row), PAWL_E_NOT_FOUND);
}

static void test_R04_an_unknown_operation_is_refused(void **state)
{
    struct world *world = *state;
    struct step *step = step_register(world, "a", "t", "");
    step->op.kind = 4711;
    pawl_status status = step_run(step);
    assert_true(status == PAWL_E_INVALID || status == PAWL_E_UNSUPPORTED);
}

static void test_R08_every_field_survives(void **state)
{
    struct world *world = *state;
    uint8_t digest[32];
    for (size_t i = 0; i < sizeof(digest); i++)
        digest[i] = (uint8_t)(i * 7);
    uint8_t input[300];
    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (uint8_t)i;
    struct lease parent = lease_new(world, "parent-3", "t"); /* a child needs one that somebody holds */
    lease_regain(world, &parent);
    struct step *step = step_register(world, "full", "shop.order", NULL);
    pawl_register *request = &step->request.registration;
    request->revision = 42;
    request->digest = step_keep(step, bytes_of(digest, sizeof(digest)));
    request->profile = step_keep(step, text_bytes("production"));
    request->session = step_keep(step, text_bytes("session-9"));
    request->parent = step_keep(step, text_bytes("parent-3"));
    request->parent_note = step_keep(step, text_bytes("note of the parent"));
    request->parent_close = PAWL_PARENT_CLOSE_ABANDON;
    request->priority = PAWL_PRIORITY_LOWEST;
    request->key = step_keep(step, text_bytes("tenant-7"));
    request->deadline_unix_ns = HOST_START_UNIX_NS + HOST_SECOND_NS;
    request->input = step_keep(step, bytes_of(input, sizeof(input)));
    step_ok(step);

    struct row row = row_of(world, "full");
    assert_int_equal(row.status, PAWL_READY);
    assert_int_equal(row.number, step->op.number);
    assert_string_equal(row.id.head, "full");
    assert_string_equal(row.type.head, "shop.order");
    assert_int_equal(row.revision, 42);
    assert_true(row.run >= 1);
    assert_string_equal(row.plugin.head, "com.example.conformance");
    assert_int_equal(row.digest.size, 32);
    assert_memory_equal(row.digest.head, digest, 32);
    assert_string_equal(row.profile.head, "production");
    assert_string_equal(row.session.head, "session-9");
    assert_string_equal(row.parent.head, "parent-3");
    assert_string_equal(row.parent_note.head, "note of the parent");
    assert_int_equal(row.parent_close, PAWL_PARENT_CLOSE_ABANDON);
    assert_int_equal(row.priority, PAWL_PRIORITY_LOWEST);
    assert_string_equal(row.key.head, "tenant-7");
    assert_int_equal(row.deadline_unix_ns, HOST_START_UNIX_NS + HOST_SECOND_NS);
    assert_int_equal(row.external, 0);
    assert_int_equal(row.cancelled, 0);
    assert_int_equal(row.head, 1);
    assert_true(row.journal_bytes >= sizeof(input));
    assert_int_equal(row.created_unix_ns, HOST_START_UNIX_NS);
    assert_int_equal(row.updated_unix_ns, HOST_START_UNIX_NS);
    assert_int_equal(row.wake_unix_ns, 0);
    assert_int_equal(row.outcome.size, 0);

    struct entry entry;
    assert_int_equal(journal_read(world, row.number, 1, 0, &entry, 1, NULL), 1);
    assert_int_equal(entry.kind, PAWL_RECORD_STARTED);
    assert_int_equal(entry.sequence, 1);
    assert_int_equal(entry.time_unix_ns, HOST_START_UNIX_NS);
    assert_int_equal(entry.body.size, sizeof(input));
    assert_int_equal(entry.body.hash, bytes_hash(bytes_of(input, sizeof(input))));
}

static void test_R09_ids_that_look_alike_stay_apart(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *data;
        size_t size;
    } ids[] = {{"a", 1},   {"a\0", 2}, {"a\0b", 3},  {"ab", 2},           {"A", 1},   {"a ", 2},       {" a", 2},
               {"a/1", 3}, {"a:1", 3}, {"a\xff", 2}, {"\xff\xff\xff", 3}, {"a\n", 2}, {"\xc3\xa4", 2}, {"a\xcc\x88", 3},
               {"\0", 1}};
    size_t count = sizeof(ids) / sizeof(ids[0]);
    uint64_t numbers[sizeof(ids) / sizeof(ids[0])];
    for (size_t i = 0; i < count; i++) {
        struct step *step = step_register(world, "x", "t", "same");
        step->request.registration.id = step_keep(step, bytes_of(ids[i].data, ids[i].size));
        assert_int_equal(step_run(step), PAWL_OK);
        assert_int_equal(step->op.flags & PAWL_RESULT_EXISTED, 0);
        numbers[i] = step->op.number;
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(numbers[i], numbers[j]);
    }
    world_settle(world);
    for (size_t i = 0; i < count; i++) {
        struct step *step = step_register(world, "x", "t", "same");
        step->request.registration.id = step_keep(step, bytes_of(ids[i].data, ids[i].size));
        assert_int_equal(step_run(step), PAWL_OK);
        assert_int_equal(step->op.flags & PAWL_RESULT_EXISTED, PAWL_RESULT_EXISTED);
        assert_int_equal(step->op.number, numbers[i]);
    }
}

static void test_R06_registered_and_claimed_in_one_step(void **state)
{
    struct world *world = *state;
    struct step *step = step_register(world, "now", "t", "");
    step->request.registration.claim_session = world->worker;
    assert_int_equal(step_run(step), PAWL_OK);
    struct row row;
    if (step->op.flags & PAWL_RESULT_CLAIMED) {
        assert_int_not_equal(step->op.token, 0);
        assert_int_equal(row_of(world, "now").status, PAWL_RUNNING);
        assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 0);
        assert_int_equal(step_run(step_append(world, step->op.number, step->op.token, "note")), PAWL_OK);
    } else {
        assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 1);
    }
    struct step *again = step_register(world, "now", "t", "");
    again->request.registration.claim_session = world->worker;
    assert_int_equal(step_run(again), PAWL_OK);
    assert_int_equal(again->op.flags & (PAWL_RESULT_EXISTED | PAWL_RESULT_CLAIMED), PAWL_RESULT_EXISTED);
    if (world->provider->survives_reopen) {
        world_reopen(world); /* a lease that nobody renews must not swallow the process */
        struct lease lease = lease_claim(world, "now");
        assert_true(lease.token > step->op.token);
    }
}

static void test_R06_claimed_for_a_session_that_is_gone_is_only_registered(void **state)
{
    struct world *world = *state;
    struct listener *ear;
    uint64_t gone = world_worker(world, "gone", WORKER_TTL_NS, &ear);
    world_worker_close(world, gone, ear);
    struct step *step = step_register(world, "orphan", "t", "");
    step->request.registration.claim_session = gone;
    step_ok(step);
    assert_int_equal(step->op.flags & PAWL_RESULT_CLAIMED, 0);
    struct row row;
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 1);
    assert_string_equal(row.id.head, "orphan");
}

static void test_R10_an_external_process_is_tracked_and_never_claimed(void **state)
{
    struct world *world = *state;
    struct step *step = step_register(world, "outside", "t", "");
    step->request.registration.external = 1;
    step_ok(step);
    struct row row = row_of(world, "outside");
    assert_int_equal(row.status, PAWL_WAITING);
    assert_int_equal(row.external, 1);
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 0);
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "outside", "s-1", "hello"));
    step_ok(step_post(world, PAWL_RECORD_CANCEL, "outside", "c-1", "please"));
    assert_int_equal(claim_type(world, world->worker, "t", 1, &row), 0);
    row = row_of(world, "outside");
    assert_int_equal(row.head, 3);
    assert_int_equal(row.cancelled, 1);
    assert_false(PAWL_IS_TERMINAL(row.status));

    struct step *open_end = step_post(world, PAWL_RECORD_ENDED, "outside", "end-0", "no");
    open_end->request.post.status = PAWL_WAITING;
    step_refused(open_end, PAWL_E_INVALID);
    struct step *end = step_post(world, PAWL_RECORD_ENDED, "outside", "end-1", "result");
    end->request.post.status = PAWL_COMPLETED;
    step_ok(end);
    assert_int_equal(end->op.sequence, 4);
    row = row_of(world, "outside");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_string_equal(row.outcome.head, "result");
}

static void test_G10_processes_of_every_profile_are_handed_out_with_their_profile(void **state)
{
    struct world *world = *state;
    struct step *one = step_register(world, "one", "t", "");
    one->request.registration.profile = step_keep(one, text_bytes("blue"));
    step_ok(one);
    step_ok(step_register(world, "any", "t", ""));
    struct row rows[4];
    assert_int_equal(claim_type(world, world->worker, "t", 4, rows), 2);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(rows[i].profile.head, strcmp(rows[i].id.head, "one") == 0 ? "blue" : "");
}

static const struct CMUnitTest registration_tests[] = {
    CASE(test_R01_same_id_same_content_is_the_same_process),
    CASE(test_R01_registered_again_after_the_end_is_the_same_process),
    CASE(test_R01_two_of_one_id_in_one_batch_are_one_process),
    CASE(test_R03_other_content_is_a_conflict_that_names_both),
    CASE(test_R04_G08_bad_ids_leave_no_trace),
    CASE(test_R04_bad_requests_leave_no_trace),
    CASE(test_R04_an_unknown_operation_is_refused),
    CASE(test_R06_registered_and_claimed_in_one_step),
    CASE(test_R06_claimed_for_a_session_that_is_gone_is_only_registered),
    CASE(test_R08_every_field_survives),
    CASE(test_R09_ids_that_look_alike_stay_apart),
    CASE(test_R10_an_external_process_is_tracked_and_never_claimed),
    CASE(test_G10_processes_of_every_profile_are_handed_out_with_their_profile),
};
const struct group registration_group = GROUP(registration, REGISTRY_BIT);
