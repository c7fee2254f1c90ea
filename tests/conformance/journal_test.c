/* journal_test.c: why it exists: the journal is the process. It must have no gap, no change and no loss. Catalogue
 * group E, as far as it is a provider's matter. */
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "step.h"
#include "view.h"

static void test_E01_records_are_numbered_densely_across_batches(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    assert_int_equal(lease_append(world, &lease, "two"), 2);
    struct step *three = step_commit(world, PAWL_OP_APPEND, lease.number, lease.token, 0);
    step_record(three, 1, text_bytes("three"));
    step_record(three, 2, text_bytes("four"));
    step_record(three, 3, text_bytes("five"));
    step_ok(three);
    assert_int_equal(three->op.sequence, 3);
    lease_regain(world, &lease);
    lease.seen = 5;
    assert_int_equal(lease_append(world, &lease, "six"), 6);

    static const char *const bodies[] = {"input", "two", "three", "four", "five", "six"};
    struct entry entries[8];
    assert_int_equal(journal_read(world, lease.number, 1, 0, entries, 8, NULL), 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(entries[i].sequence, i + 1);
        assert_string_equal(entries[i].body.head, bodies[i]);
    }
    assert_int_equal(row_of(world, "p").head, 6);
}

static void test_E01_operations_handed_over_together_keep_their_order(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    enum { COUNT = 40 };
    pawl_registry_op *ops[COUNT];
    struct step *steps[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        char body[2] = {(char)('A' + (char)i), '\0'};
        steps[i] = step_append(world, lease.number, lease.token, body);
        ops[i] = &steps[i]->op;
    }
    host_submit(world->host, world->registry, world->store, ops, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(step_wait(steps[i]), PAWL_OK);
        assert_int_equal(steps[i]->op.sequence, i + 2);
        assert_true(i == 0 || steps[i]->pending.order > steps[i - 1]->pending.order);
    }
    world_settle(world);
    struct entry entries[COUNT + 1];
    assert_int_equal(journal_read(world, lease.number, 1, 0, entries, COUNT + 1, NULL), COUNT + 1);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(entries[i + 1].body.head[0], 'A' + (int)i);
}

static void test_E01_operations_see_the_ones_before_them_in_one_batch(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    struct step *append = step_append(world, lease.number, lease.token, "two");
    struct step *complete = step_complete(world, lease.number, lease.token, 2, PAWL_COMPLETED, "three");
    struct step *late = step_append(world, lease.number, lease.token, "four");
    struct step *signal = step_post(world, PAWL_RECORD_SIGNAL, "p", "s", "late");
    pawl_registry_op *ops[4] = {&append->op, &complete->op, &late->op, &signal->op};
    host_submit(world->host, world->registry, world->store, ops, 4);
    assert_int_equal(step_wait(append), PAWL_OK);
    assert_int_equal(step_wait(complete), PAWL_OK);
    assert_int_equal(complete->op.flags & PAWL_RESULT_MORE, 0);
    pawl_status status = step_wait(late);
    assert_true(status == PAWL_E_STALE || status == PAWL_E_TERMINAL);
    assert_int_equal(step_wait(signal), PAWL_E_TERMINAL);
    world_settle(world);
    struct row row = row_of(world, "p");
    assert_int_equal(row.head, 3);
    assert_int_equal(row.status, PAWL_COMPLETED);
}

static void test_E05_the_end_is_one_step_status_journal_and_counts(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_append(world, &lease, "note");
    host_advance(world->host, HOST_SECOND_NS);
    lease_regain(world, &lease);
    struct step *step = step_commit(world, PAWL_OP_COMPLETE, lease.number, lease.token, lease.seen);
    step->request.commit.status = PAWL_FAILED;
    step_record(step, KIND_NOTE, text_bytes("last words"));
    step_record(step, PAWL_RECORD_ENDED, text_bytes("outcome"));
    step_document(step, "{\"final\":true}");
    step_ok(step);
    assert_int_equal(step->op.sequence, 3);
    struct row row = row_of(world, "p");
    assert_int_equal(row.status, PAWL_FAILED);
    assert_int_equal(row.head, 4);
    assert_string_equal(row.outcome.head, "outcome");
    assert_string_equal(row.document.head, "{\"final\":true}");
    assert_true(row.updated_unix_ns >= row.created_unix_ns + HOST_SECOND_NS);
    uint64_t counts[32] = {0};
    assert_int_equal(world->registry->count(world->store, counts, 32, &world->why), PAWL_OK);
    assert_int_equal(counts[PAWL_FAILED], 1);
    assert_int_equal(counts[PAWL_RUNNING] + counts[PAWL_READY], 0);
}

static void test_E05_an_end_that_is_not_one_writes_nothing(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    struct step *no_record = step_commit(world, PAWL_OP_COMPLETE, lease.number, lease.token, 1);
    no_record->request.commit.status = PAWL_COMPLETED;
    step_refused(no_record, PAWL_E_INVALID);
    lease_regain(world, &lease);
    struct step *not_last = step_complete(world, lease.number, lease.token, 1, PAWL_COMPLETED, "end");
    step_record(not_last, KIND_NOTE, text_bytes("after the end"));
    step_refused(not_last, PAWL_E_INVALID);
    lease_regain(world, &lease);
    step_refused(step_complete(world, lease.number, lease.token, 1, PAWL_WAITING, "end"), PAWL_E_INVALID);
    lease_regain(world, &lease);
    lease_complete(world, &lease, PAWL_COMPLETED, "end");
}

static void test_E07_nothing_is_appended_after_the_end(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    const struct step *early = step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "early", "one"));
    lease_regain(world, &lease);
    lease.seen = 2;
    lease_complete(world, &lease, PAWL_CANCELLED, "end");

    struct step *late = step_append(world, lease.number, lease.token, "late");
    pawl_status status = step_run(late);
    assert_true(status == PAWL_E_STALE || status == PAWL_E_TERMINAL);
    step_refused(step_post(world, PAWL_RECORD_SIGNAL, "p", "late", "two"), PAWL_E_TERMINAL);
    step_refused(step_post(world, PAWL_RECORD_CANCEL, "p", "late", "two"), PAWL_E_TERMINAL);
    step_refused(step_post(world, PAWL_RECORD_RESUMED, "p", "late", "two"), PAWL_E_TERMINAL);
    step_refused(step_force(world, "p", "late", PAWL_TERMINATED, "two"), PAWL_E_TERMINAL);

    const struct step *replay = step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "early", "one"));
    assert_int_equal(replay->op.flags & PAWL_RESULT_REPLAYED, PAWL_RESULT_REPLAYED);
    assert_int_equal(replay->op.sequence, early->op.sequence);
    step_refused(step_post(world, PAWL_RECORD_SIGNAL, "p", "early", "other"), PAWL_E_CONFLICT);
    struct row row = row_of(world, "p");
    assert_int_equal(row.head, 3);
    assert_int_equal(row.status, PAWL_CANCELLED);
}

static void test_E06_a_second_end_is_refused(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_complete(world, &lease, PAWL_COMPLETED, "first");
    struct step *again = step_complete(world, lease.number, lease.token, 2, PAWL_FAILED, "second");
    pawl_status status = step_run(again);
    assert_true(status == PAWL_E_STALE || status == PAWL_E_TERMINAL);
    struct row row = row_of(world, "p");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_string_equal(row.outcome.head, "first");
    assert_int_equal(row.head, 2);
}

static int32_t stop_at_second(void *context, const pawl_record *record)
{
    uint64_t *last = context;
    *last = record->sequence;
    return record->sequence == 2;
}

static void test_E08_reading_from_every_boundary(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_append(world, &lease, "two");
    lease_append(world, &lease, "three");
    step_ok(step_register(world, "neighbour", "t", "not mine"));
    struct entry entries[4];
    pawl_status status;
    assert_int_equal(journal_read(world, lease.number, 0, 0, entries, 4, &status), 3);
    assert_int_equal(status, PAWL_OK);
    assert_int_equal(journal_read(world, lease.number, 1, 0, entries, 4, &status), 3);
    assert_int_equal(journal_read(world, lease.number, 3, 0, entries, 4, &status), 1);
    assert_int_equal(entries[0].sequence, 3);
    assert_int_equal(journal_read(world, lease.number, 4, 0, entries, 4, &status), 0);
    assert_int_equal(status, PAWL_OK);
    assert_int_equal(journal_read(world, lease.number, UINT64_MAX, 0, entries, 4, &status), 0);
    assert_int_equal(status, PAWL_OK);
    assert_int_equal(journal_read(world, lease.number, 1, 2, entries, 4, &status), 2);
    assert_int_equal(entries[1].sequence, 2);
    assert_int_equal(journal_read(world, lease.number, 2, 1, entries, 4, &status), 1);
    assert_int_equal(entries[0].sequence, 2);
    assert_int_equal(journal_read(world, lease.number + 1000, 1, 0, entries, 4, &status), 0);
    assert_int_equal(status, PAWL_E_NOT_FOUND);
    assert_int_equal(journal_read(world, 0, 1, 0, entries, 4, &status), 0);
    assert_int_equal(status, PAWL_E_NOT_FOUND);

    uint64_t last = 0;
    status = world->registry->journal(world->store, lease.number, 1, 0, stop_at_second, &last, &world->why);
    assert_int_equal(status, PAWL_OK);
    assert_int_equal(last, 2);
}

static void test_E08_unknown_ids_are_not_found(void **state)
{
    struct world *world = *state;
    struct row row;
    assert_int_equal(row_get(world, "nobody", &row), PAWL_E_NOT_FOUND);
    assert_string_not_equal(world->why.code, "registry.no_longer_retained");
    step_refused(step_post(world, PAWL_RECORD_SIGNAL, "nobody", "s", ""), PAWL_E_NOT_FOUND);
    assert_int_equal(step_run(step_watch(world, "nobody", 0, 0)), PAWL_E_NOT_FOUND);
    struct step *step = step_append(world, 999999, 1, "x");
    pawl_status status = step_run(step);
    assert_true(status == PAWL_E_STALE || status == PAWL_E_NOT_FOUND);
}

/* Appends a body of this size; it is there whole, or refused without a trace. @return was it taken? */
static bool append_size(struct world *world, struct lease *lease, size_t size)
{
    uint8_t *body = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        body[i] = (uint8_t)(i * 31 + (i >> 8));
    struct step *step = step_commit(world, PAWL_OP_APPEND, lease->number, lease->token, 0);
    step_record(step, KIND_NOTE, bytes_of(body, size));
    pawl_status status = step_run(step);
    bool taken = status == PAWL_OK;
    bool right = taken || (status == PAWL_E_LIMIT && step->why.message[0] != '\0');
    uint64_t hash = bytes_hash(bytes_of(body, size));
    free(body);
    assert_true(right);
    lease->seen += taken;
    struct entry entry;
    size_t found = journal_read(world, lease->number, lease->seen, 0, &entry, 1, NULL);
    step_free(step);
    assert_int_equal(found, 1);
    if (taken) {
        assert_int_equal(entry.body.size, size);
        assert_int_equal(entry.body.hash, hash);
    }
    world_settle(world);
    lease_regain(world, lease);
    return taken;
}

static void test_E14_large_and_odd_bodies_are_kept_whole_or_refused(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    static const size_t sizes[] = {0, 1, 2, 127, 128, 4095, 4096, 4097, 65535, 65536, 1000000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        assert_true(append_size(world, &lease, sizes[i]));
    for (size_t size = (size_t)2 << 20; size <= ((size_t)16 << 20); size *= 2)
        append_size(world, &lease, size);
    append_size(world, &lease, ((size_t)4 << 20) + 1);
    assert_int_equal(row_of(world, "p").head, lease.seen);
    lease_append(world, &lease, "still good");
}

static void test_E14_an_oversized_input_registers_nothing(void **state)
{
    struct world *world = *state;
    size_t size = (size_t)64 << 20;
    char *input = calloc(1, size);
    struct step *step = step_register(world, "big", "t", "");
    step->request.registration.input = bytes_of(input, size);
    pawl_status status = step_run(step);
    step->request.registration.input = bytes_of(NULL, 0);
    free(input);
    struct row row;
    if (status == PAWL_OK) {
        assert_true(row_of(world, "big").journal_bytes >= size);
    } else {
        assert_int_equal(status, PAWL_E_LIMIT);
        assert_int_equal(row_get(world, "big", &row), PAWL_E_NOT_FOUND);
    }
    step_ok(step_register(world, "small", "t", ""));
}

static void test_I08_one_oversized_record_stops_only_its_own_operation(void **state)
{
    struct world *world = *state;
    struct lease fat = lease_new(world, "fat", "t");
    step_ok(step_register(world, "slim", "t", ""));
    lease_regain(world, &fat);
    struct lease slim = lease_claim(world, "slim");
    size_t size = (size_t)64 << 20;
    char *body = calloc(1, size);
    struct step *big = step_commit(world, PAWL_OP_APPEND, fat.number, fat.token, 0);
    step_record(big, KIND_NOTE, text_bytes("in the same operation"));
    step_record(big, KIND_NOTE, bytes_of(body, size));
    free(body);
    struct step *other = step_append(world, slim.number, slim.token, "fine");
    struct step *after = step_append(world, fat.number, fat.token, "fine too");
    pawl_registry_op *ops[3] = {&big->op, &other->op, &after->op};
    host_submit(world->host, world->registry, world->store, ops, 3);
    pawl_status status = step_wait(big);
    assert_true(status == PAWL_OK || status == PAWL_E_LIMIT);
    assert_int_equal(step_wait(other), PAWL_OK);
    assert_int_equal(step_wait(after), PAWL_OK);
    assert_int_equal(after->op.sequence, status == PAWL_OK ? 4 : 2);
    step_free(big);
}

static void test_E12_the_document_is_replaced_and_kept(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    struct step *first = step_append(world, lease.number, lease.token, "a");
    step_document(first, "{\"step\":1}");
    step_ok(first);
    lease_regain(world, &lease);
    assert_string_equal(row_of(world, "p").document.head, "{\"step\":1}");
    lease.seen = 2;
    lease_append(world, &lease, "b"); /* without one: the old one stays */
    assert_string_equal(row_of(world, "p").document.head, "{\"step\":1}");
    struct step *suspend = step_suspend(world, lease.number, lease.token, lease.seen, 0);
    step_document(suspend, "{\"step\":2}");
    step_ok(suspend);
    assert_string_equal(row_of(world, "p").document.head, "{\"step\":2}");
}

/* What a process is pinned to changes with the records that say so, and with nobody else's. */
static void test_V07_a_pin_changes_with_its_records(void **state)
{
    struct world *world = *state;
    static const uint8_t digest[32] = "another binary";
    const pawl_pin pin = {sizeof pin, 7, {digest, sizeof digest}}, none = {sizeof none, 8, {NULL, 0}};
    const pawl_pin bad[] = {{sizeof pin, 0, {digest, sizeof digest}}, {sizeof pin, 7, {digest, 31}}};
    struct lease lease = lease_new(world, "p", "t");
    uint32_t registered = row_of(world, "p").revision;
    for (size_t i = 0; i < 2; i++) {
        struct step *refused = step_append(world, lease.number, lease.token, "never");
        refused->request.commit.pin = &bad[i];
        step_refused(refused, PAWL_E_INVALID);
        lease_regain(world, &lease);
    }
    struct step *stale = step_append(world, lease.number, lease.token + 1, "never");
    stale->request.commit.pin = &pin;
    step_refused(stale, PAWL_E_STALE);
    lease_regain(world, &lease);
    assert_int_equal(row_of(world, "p").revision, registered);
    struct step *step = step_append(world, lease.number, lease.token, "a");
    step->request.commit.pin = &pin;
    step_ok(step);
    lease_regain(world, &lease);
    struct row row = row_of(world, "p");
    assert_int_equal(row.revision, 7);
    assert_int_equal(row.digest.size, sizeof digest);
    assert_memory_equal(row.digest.head, "another binary", 14);
    assert_int_equal(row.head, 2);
    lease.seen = 2;
    step_ok(step_suspend(world, lease.number, lease.token, lease.seen, 0));
    assert_int_equal(row_of(world, "p").revision, 7); /* it stays */
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "wake", "up"));
    lease = lease_claim(world, "p");
    step = step_append(world, lease.number, lease.token, "b");
    step->request.commit.pin = &none;
    step_ok(step);
    row = row_of(world, "p");
    assert_int_equal(row.revision, 8);
    assert_int_equal(row.digest.size, 0);
}

/* With `seen` an append is for that place in the journal, and for no other. */
static void test_E01_an_append_that_was_overtaken_writes_nothing(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    struct step *there = step_commit(world, PAWL_OP_APPEND, lease.number, lease.token, 1);
    step_record(there, 1, text_bytes("two"));
    step_record(there, 2, text_bytes("three"));
    step_ok(there);
    assert_int_equal(there->op.sequence, 2);
    assert_int_equal(there->op.flags, 0);
    lease_regain(world, &lease);
    assert_int_equal(step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "between", "four"))->op.sequence, 4);
    lease_regain(world, &lease);
    struct step *late = step_commit(world, PAWL_OP_APPEND, lease.number, lease.token, 3);
    step_record(late, 1, text_bytes("never"));
    step_document(late, "{\"step\":1}");
    step_ok(late);
    assert_int_equal(late->op.flags, PAWL_RESULT_MORE);
    struct row row = row_of(world, "p");
    assert_int_equal(row.head, 4);
    assert_string_equal(row.document.head, "");
    lease_regain(world, &lease);
    struct step *again = step_commit(world, PAWL_OP_APPEND, lease.number, lease.token, 4); /* the lease is kept */
    step_record(again, 1, text_bytes("five"));
    step_ok(again);
    assert_int_equal(again->op.sequence, 5);
    lease_regain(world, &lease);
    assert_int_equal(lease_append(world, &lease, "six"), 6); /* without: wherever it comes to stand */
}

static const struct CMUnitTest journal_tests[] = {
    CASE(test_E01_records_are_numbered_densely_across_batches),
    CASE(test_E01_operations_handed_over_together_keep_their_order),
    CASE(test_E01_operations_see_the_ones_before_them_in_one_batch),
    CASE(test_E01_an_append_that_was_overtaken_writes_nothing),
    CASE(test_E05_the_end_is_one_step_status_journal_and_counts),
    CASE(test_E05_an_end_that_is_not_one_writes_nothing),
    CASE(test_E06_a_second_end_is_refused),
    CASE(test_E07_nothing_is_appended_after_the_end),
    CASE(test_E08_reading_from_every_boundary),
    CASE(test_E08_unknown_ids_are_not_found),
    CASE(test_E12_the_document_is_replaced_and_kept),
    CASE(test_V07_a_pin_changes_with_its_records),
    CASE(test_E14_large_and_odd_bodies_are_kept_whole_or_refused),
    CASE(test_E14_an_oversized_input_registers_nothing),
    CASE(test_I08_one_oversized_record_stops_only_its_own_operation),
};
const struct group journal_group = GROUP(journal, REGISTRY_BIT);
