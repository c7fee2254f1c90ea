/* care_test.c: the audit of a store. A store with something of everything is whole; then each of its rows in turn is
 * taken away or damaged, and the audit must find that. What is derived must come back as it was, byte for byte. */
#include "fixture.h"

#include "plugins/store/audit.h"
#include "plugins/store/facets.h"

#include <stdio.h>
#include <stdlib.h>

static const pawl_bytes none = {NULL, 0};

typedef struct findings {
    uint64_t derived;
    uint64_t repaired;
    uint64_t primary;
    uint64_t stop_after; /* 0: never */
    char last[600];
    char process[64];
} findings;

static int32_t take(void *context, const pawl_care_finding *finding)
{
    findings *own = context;
    own->derived += finding->kind == PAWL_FINDING_DERIVED;
    own->repaired += finding->kind == PAWL_FINDING_REPAIRED;
    own->primary += finding->kind == PAWL_FINDING_PRIMARY;
    if (finding->kind == PAWL_FINDING_PROGRESS)
        return 0;
    snprintf(own->last, sizeof own->last, "%.*s: found %.*s; wanted %.*s", (int)finding->place.size,
             (const char *)finding->place.data, (int)finding->found.size, (const char *)finding->found.data,
             (int)finding->wanted.size, (const char *)finding->wanted.data);
    snprintf(own->process, sizeof own->process, "%.*s", (int)finding->process.size,
             (const char *)finding->process.data);
    uint64_t all = own->derived + own->repaired + own->primary;
    return own->stop_after != 0 && all >= own->stop_after;
}

static pawl_status look(fixture *f, bool repair, findings *found)
{
    pawl_fault fault = {0};
    uint64_t stop_after = found->stop_after;
    *found = (findings){.stop_after = stop_after};
    pawl_audit audit = {.kv = &f->kv->base, .repair = repair, .visit = take, .context = found};
    pawl_status status = pawl_store_audit_run(&audit, &fault);
    if (status == PAWL_OK)
        assert_int_equal(audit.problems, found->derived + found->repaired + found->primary);
    pawl_store_audit_finish(&audit);
    return status;
}

/* ---- a store with something of everything ---- */

static void lease(fixture *f, uint64_t worker, const char *id, row *got)
{
    failure why = {0};
    assert_int_equal(do_claim_id(f, worker, id, got, &why), PAWL_OK);
}

static void make_processes(fixture *f)
{
    static const char *const ids[] = {"ready", "waiting", "timer", "stuck", "done", "cancelled", "gone", "odd end"};
    row got;
    uint32_t flags;
    uint64_t worker = do_worker(f, "w", 1000000000000, NULL);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        assert_int_equal(do_register(f, ids[i], i % 2 == 0 ? "even" : "odd", NULL), PAWL_OK);
    assert_int_equal(do_end(f, "gone", "e1", PAWL_TERMINATED, 1), PAWL_OK);
    fixture_advance(f, 1000);
    assert_int_equal(do_prune(f, f->unix_ns, 1), 1);
    lease(f, worker, "waiting", &got);
    assert_int_equal(do_append(f, &got, "a step", NULL), PAWL_OK);
    assert_int_equal(do_suspend(f, &got, 2, 0, &flags), PAWL_OK);
    lease(f, worker, "timer", &got);
    assert_int_equal(do_suspend(f, &got, 1, f->unix_ns + 1000000000000, &flags), PAWL_OK);
    lease(f, worker, "stuck", &got);
    assert_int_equal(do_park(f, &got, 1), PAWL_OK);
    assert_int_equal(do_post(f, "stuck", PAWL_RECORD_SIGNAL, "s1", NULL, NULL), PAWL_OK);
    lease(f, worker, "done", &got);
    assert_int_equal(do_complete(f, &got, 1, PAWL_COMPLETED, &flags), PAWL_OK);
    assert_int_equal(do_end(f, "odd end", "e2", PAWL_TERMINATED, 1), PAWL_OK);
    assert_int_equal(do_post(f, "cancelled", PAWL_RECORD_CANCEL, "c1", NULL, NULL), PAWL_OK);
    /* with a session, a parent, a status document and a deadline */
    pawl_register request = {.struct_size = sizeof request,
                             .id = BYTES("child"),
                             .type = BYTES("even"),
                             .revision = 1,
                             .session = BYTES("a session"),
                             .parent = BYTES("ready"),
                             .input = BYTES("input"),
                             .deadline_unix_ns = f->unix_ns + 1000000000000000,
                             .deadline_body = BYTES("late"),
                             .fingerprint = fingerprint_1};
    pawl_registry_op op = {.kind = PAWL_OP_REGISTER, .request = &request};
    assert_int_equal(fixture_run(f, &op), PAWL_OK);
    lease(f, worker, "child", &got);
    const pawl_bytes document = BYTES("{}");
    const pawl_bytes attributes = BYTES("{\"customer\":\"x\",\"amount\":-1}");
    pawl_commit commit = {.struct_size = sizeof commit,
                          .number = got.number,
                          .token = got.token,
                          .record_size = sizeof(pawl_record),
                          .document = &document,
                          .attributes = &attributes};
    op = (pawl_registry_op){.kind = PAWL_OP_APPEND, .request = &commit};
    assert_int_equal(fixture_run(f, &op), PAWL_OK);
    /* one whose turn it is, and one behind it */
    request.exclusive = 1;
    request.id = BYTES("its turn");
    op = (pawl_registry_op){.kind = PAWL_OP_REGISTER, .request = &request};
    assert_int_equal(fixture_run(f, &op), PAWL_OK);
    request.id = BYTES("behind");
    assert_int_equal(fixture_run(f, &op), PAWL_OK);
}

/* A parent with one child that has ended and one that has not. */
static void make_family(fixture *f)
{
    static const char *const ids[] = {"kid ended", "kid"};
    row got;
    uint64_t worker = do_worker(f, "nanny", 1000000000000, NULL);
    assert_int_equal(do_register(f, "family", "even", NULL), PAWL_OK);
    lease(f, worker, "family", &got);
    for (size_t i = 0; i < 2; i++) {
        pawl_register request = {.struct_size = sizeof request,
                                 .id = {ids[i], strlen(ids[i])},
                                 .type = BYTES("odd"),
                                 .revision = 1,
                                 .parent = BYTES("family"),
                                 .parent_note = BYTES("note"),
                                 .close_body = BYTES("close"),
                                 .input = BYTES("input"),
                                 .fingerprint = fingerprint_1};
        pawl_registry_op op = {.kind = PAWL_OP_REGISTER, .request = &request};
        assert_int_equal(fixture_run(f, &op), PAWL_OK);
    }
    assert_int_equal(do_end(f, "kid ended", "e9", PAWL_TERMINATED, 1), PAWL_OK);
}

/* Rights of a session on a process, as a host writes them. */
static void make_handles(fixture *f)
{
    static const char *const keys[] = {"p005readyann", "s003annready", "x004doneann", "dbob"};
    pawl_session_change puts[4];
    const pawl_session_change *changes[4];
    uint64_t revision;
    for (size_t i = 0; i < 4; i++) {
        puts[i] = (pawl_session_change){sizeof puts[i], PAWL_SESSION_PUT, pawl_bytes_of(keys[i]), none};
        changes[i] = &puts[i];
    }
    assert_int_equal(pawl_store_session_table.commit(f->store, BYTES("pawl:handles"), PAWL_REVISION_ANY, none, changes,
                                                     4, &revision, NULL),
                     PAWL_OK);
}

static void make_contents(fixture *f)
{
    uint64_t revision;
    uint8_t digest[32];
    pawl_attachment_upload *upload = NULL;
    const size_t size = PAWL_STORE_CHUNK_BYTES + 100;
    char *content = calloc(1, size);
    const pawl_session_change put = {sizeof put, PAWL_SESSION_PUT, BYTES("key"), BYTES("value")};
    const pawl_session_change *const changes[] = {&put};
    assert_int_equal(pawl_store_session_table.commit(f->store, BYTES("a session"), PAWL_REVISION_ANY, BYTES("k1"),
                                                     changes, 1, &revision, NULL),
                     PAWL_OK);
    assert_int_equal(
        pawl_store_attachment_table.begin(f->store, BYTES("a session"), none, BYTES("name"), &upload, NULL), PAWL_OK);
    assert_int_equal(pawl_store_attachment_table.write(upload, (pawl_bytes){content, size}, NULL), PAWL_OK);
    assert_int_equal(pawl_store_attachment_table.commit(upload, digest, NULL, NULL), PAWL_OK);
    /* one that nothing links any more */
    assert_int_equal(
        pawl_store_attachment_table.begin(f->store, BYTES("a session"), none, BYTES("loose"), &upload, NULL), PAWL_OK);
    assert_int_equal(pawl_store_attachment_table.commit(upload, digest, NULL, NULL), PAWL_OK);
    assert_int_equal(pawl_store_attachment_table.unlink(f->store, BYTES("a session"), digest, NULL), PAWL_OK);
    assert_int_equal(
        pawl_store_artifact_table.put(f->store, BYTES("plugin"), (pawl_bytes){content, size}, digest, NULL), PAWL_OK);
    assert_int_equal(pawl_store_artifact_table.hold(f->store, digest, BYTES("me"), NULL), PAWL_OK);
    free(content);
}

static int open_full(void **state)
{
    fixture *f = fixture_open(false, NULL);
    make_processes(f);
    make_family(f);
    make_contents(f);
    make_handles(f);
    *state = f;
    return 0;
}

static int close_full(void **state)
{
    fixture_close(*state);
    return 0;
}

/* ---- rows, past seals and engine ---- */

typedef struct raw_row {
    pawl_family family;
    pawl_key key;
    pawl_buffer value;
} raw_row;

static void put_raw(fixture *f, const raw_row *raw)
{
    pawl_batch batch = {0};
    pawl_batch_begin(&batch, raw->family, pawl_key_bytes(&raw->key));
    batch.bytes.size--; /* the format byte: the value has its own */
    pawl_buffer_append(&batch.bytes, raw->value.data, raw->value.size);
    size_t at = batch.open + 6; /* where an item has the size of its value */
    for (size_t i = 0; i < 4; i++)
        batch.bytes.data[at + i] = (uint8_t)(raw->value.size >> (24 - 8 * i));
    assert_int_equal(pawl_kv_write(&f->kv->base, &batch, true, NULL), PAWL_OK);
    pawl_batch_finish(&batch);
}

static void delete_raw(fixture *f, const raw_row *raw)
{
    pawl_batch batch = {0};
    pawl_batch_delete(&batch, raw->family, pawl_key_bytes(&raw->key));
    assert_int_equal(pawl_kv_write(&f->kv->base, &batch, true, NULL), PAWL_OK);
    pawl_batch_finish(&batch);
}

static raw_row *all_rows(fixture *f, size_t *count)
{
    raw_row *rows = calloc(512, sizeof *rows);
    *count = 0;
    for (uint32_t family = 0; family < PAWL_FAMILY_COUNT; family++) {
        pawl_kv_cursor *cursor = pawl_kv_cursor_open(&f->kv->base, (pawl_family)family, none, none);
        for (pawl_kv_cursor_seek(cursor, none); cursor->valid; pawl_kv_cursor_next(cursor)) {
            raw_row *raw = &rows[(*count)++];
            assert_true(*count < 512);
            raw->family = (pawl_family)family;
            pawl_key_start(&raw->key);
            pawl_key_append(&raw->key, cursor->key);
            pawl_buffer_append(&raw->value, cursor->value.data, cursor->value.size);
        }
        pawl_kv_cursor_close(cursor);
    }
    return rows;
}

static void free_rows(raw_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pawl_buffer_finish(&rows[i].value);
    free(rows);
}

static bool is_same(fixture *f, const raw_row *raw)
{
    pawl_buffer value = {0};
    pawl_status status = pawl_kv_get(&f->kv->base, raw->family, pawl_key_bytes(&raw->key), &value, NULL);
    bool same = status == PAWL_OK &&
                pawl_bytes_equal((pawl_bytes){value.data, value.size}, (pawl_bytes){raw->value.data, raw->value.size});
    pawl_buffer_finish(&value);
    return same;
}

static bool key_is(const raw_row *raw, const char *name)
{
    return raw->family == PAWL_FAMILY_META && pawl_bytes_equal(pawl_key_bytes(&raw->key), pawl_bytes_of(name));
}

/* What a repair must bring back as it was. An epoch comes back larger; a tombstone stands nowhere else. */
static bool is_derived(const raw_row *raw, bool is_tombstone)
{
    return (raw->family == PAWL_FAMILY_IDENT && !is_tombstone) || raw->family == PAWL_FAMILY_READY ||
           raw->family == PAWL_FAMILY_WAKE || raw->family == PAWL_FAMILY_STATUS ||
           raw->family == PAWL_FAMILY_RELATION || raw->family == PAWL_FAMILY_ENDED || raw->family == PAWL_FAMILY_TURN ||
           key_is(raw, "counters") || (raw->family == PAWL_FAMILY_LINK && raw->key.data[0] == 'd') ||
           (raw->family == PAWL_FAMILY_ATTACHMENT && raw->key.data[0] == 'g');
}

static bool is_tombstone(const raw_row *raw)
{
    return raw->family == PAWL_FAMILY_IDENT && raw->key.size == 4 && memcmp(raw->key.data, "gone", 4) == 0;
}

/* Nothing points at these: the last step of a journal that goes on, that a store has an id, that an id was used before,
 * the last value of a session, a key that a commit had, who holds an artifact. Their damage is seen, their absence
 * cannot be. */
static bool may_be_absent(const raw_row *raw)
{
    return is_tombstone(raw) || key_is(raw, "id") || raw->family == PAWL_FAMILY_COMMIT_KEY ||
           raw->family == PAWL_FAMILY_HOLDER || raw->family == PAWL_FAMILY_SESSION ||
           (raw->family == PAWL_FAMILY_JOURNAL && raw->value.data[1] < PAWL_RECORD_STARTED) ||
           (raw->family == PAWL_FAMILY_POST && raw->key.data[8] == PAWL_RECORD_ENDED);
}

/* ---- tests ---- */

static void test_a_whole_store_has_no_problems(void **state)
{
    findings found = {0};
    assert_int_equal(look(*state, false, &found), PAWL_OK);
    if (found.derived + found.primary > 0)
        fail_msg("%s", found.last);
}

static void expect(fixture *f, const raw_row *raw, bool derived, bool absent_is_fine, const char *what)
{
    findings found = {0};
    assert_int_equal(look(f, false, &found), PAWL_OK);
    if (found.derived + found.primary == 0 && !absent_is_fine)
        fail_msg("nobody misses a row of %s that was %s", pawl_family_name(raw->family), what);
    if (derived && found.primary > 0)
        fail_msg("a row of %s that was %s: %s", pawl_family_name(raw->family), what, found.last);
    if (!derived)
        return;
    assert_int_equal(look(f, true, &found), PAWL_OK);
    assert_true(found.repaired > 0);
    assert_int_equal(look(f, false, &found), PAWL_OK);
    if (found.derived + found.primary > 0 || !is_same(f, raw))
        fail_msg("a row of %s that was %s is not as it was: %s", pawl_family_name(raw->family), what, found.last);
}

static void test_every_row_that_is_missing_is_missed_and_what_is_derived_comes_back(void **state)
{
    fixture *f = *state;
    size_t count;
    raw_row *rows = all_rows(f, &count);
    for (size_t i = 0; i < count; i++) {
        delete_raw(f, &rows[i]);
        expect(f, &rows[i], is_derived(&rows[i], is_tombstone(&rows[i])), may_be_absent(&rows[i]), "taken away");
        put_raw(f, &rows[i]);
    }
    findings found = {0};
    assert_int_equal(look(f, false, &found), PAWL_OK);
    assert_int_equal(found.derived + found.primary, 0);
    free_rows(rows, count);
}

static void test_every_row_that_is_damaged_is_named_and_what_is_derived_is_mended(void **state)
{
    fixture *f = *state;
    size_t count;
    raw_row *rows = all_rows(f, &count);
    for (size_t i = 0; i < count; i++) {
        size_t at = rows[i].value.size / 2;
        rows[i].value.data[at] ^= 0x10;
        put_raw(f, &rows[i]);
        rows[i].value.data[at] ^= 0x10;
        expect(f, &rows[i], is_derived(&rows[i], is_tombstone(&rows[i])), false, "damaged");
        put_raw(f, &rows[i]);
    }
    free_rows(rows, count);
}

static void add_row(fixture *f, pawl_family family, const pawl_key *key, uint64_t value)
{
    pawl_batch batch = {0};
    pawl_batch_begin(&batch, family, pawl_key_bytes(key));
    pawl_buffer_u64(&batch.bytes, value);
    pawl_batch_end(&batch);
    assert_int_equal(pawl_kv_write(&f->kv->base, &batch, true, NULL), PAWL_OK);
    pawl_batch_finish(&batch);
}

static void test_rows_that_are_too_much_are_taken_away(void **state)
{
    fixture *f = *state;
    pawl_key key;
    size_t before;
    size_t after;
    findings found = {0};
    raw_row *rows = all_rows(f, &before);
    free_rows(rows, before);
    pawl_store_key_status(&key, PAWL_READY, 2); /* it waits */
    add_row(f, PAWL_FAMILY_STATUS, &key, 0);
    pawl_store_key_status(&key, PAWL_READY, 9999); /* it was never there */
    add_row(f, PAWL_FAMILY_STATUS, &key, 0);
    pawl_store_key_ready(&key, &(pawl_store_identity){.type = 0}, 5);
    add_row(f, PAWL_FAMILY_READY, &key, 2);
    pawl_store_key_wake(&key, 0, 77, 2);
    add_row(f, PAWL_FAMILY_WAKE, &key, 0);
    pawl_store_key_ended(&key, 77, 2);
    add_row(f, PAWL_FAMILY_ENDED, &key, 0);
    pawl_store_key_relation(&key, 's', 77, 2);
    add_row(f, PAWL_FAMILY_RELATION, &key, 0);
    pawl_store_key_relation(&key, STORE_RELATION_DEADLINE, 77, 2);
    add_row(f, PAWL_FAMILY_RELATION, &key, 0);
    pawl_store_key_number(&key, 9999);
    add_row(f, PAWL_FAMILY_DOCUMENT, &key, 0);
    assert_int_equal(look(f, false, &found), PAWL_OK);
    assert_int_equal(found.derived, 9); /* and the counters: a number beyond the next one */
    assert_int_equal(found.primary, 0);
    assert_int_equal(look(f, true, &found), PAWL_OK);
    assert_int_equal(look(f, false, &found), PAWL_OK);
    assert_int_equal(found.derived + found.primary, 0);
    rows = all_rows(f, &after);
    free_rows(rows, after);
    assert_int_equal(before, after);
}

/* Content whose row and loose row say other things than its links do. */
static void test_S06_content_that_nobody_would_collect_is_found_and_what_is_linked_stays(void **state)
{
    fixture *f = *state;
    size_t count;
    findings found = {0};
    raw_row *rows = all_rows(f, &count);
    pawl_attachment_collect pass = {.struct_size = sizeof pass, .before_unix_ns = UINT64_MAX};
    for (size_t i = 0; i < count; i++) /* the links of all, as if they had never been */
        if (rows[i].family == PAWL_FAMILY_LINK)
            delete_raw(f, &rows[i]);
    assert_int_equal(look(f, false, &found), PAWL_OK);
    assert_int_equal(found.derived, 1);
    assert_int_equal(found.primary, 0);
    assert_int_equal(look(f, true, &found), PAWL_OK);
    for (size_t i = 0; i < count; i++) /* and there again: now it is loose and linked */
        if (rows[i].family == PAWL_FAMILY_LINK)
            put_raw(f, &rows[i]);
    assert_int_equal(look(f, false, &found), PAWL_OK);
    assert_int_equal(found.derived, 1);
    assert_int_equal(pawl_store_attachment_table.collect(f->store, &pass, NULL), PAWL_OK);
    assert_int_equal(pass.removed, 1); /* the one that is loose; the other one is put right */
    assert_int_equal(look(f, false, &found), PAWL_OK);
    assert_int_equal(found.derived + found.primary, 0);
    free_rows(rows, count);
}

/* A right is two keys, or none; and none on a process that is not there. */
static void test_C09_both_halves_of_a_handle_or_none(void **state)
{
    fixture *f = *state;
    size_t count;
    findings found = {0};
    raw_row *rows = all_rows(f, &count);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *tag = rows[i].key.size > 15 ? &rows[i].key.data[15] : NULL; /* behind "pawl:handles" */
        if (rows[i].family != PAWL_FAMILY_SESSION || tag == NULL || (*tag != 'p' && *tag != 's'))
            continue;
        if (memcmp(rows[i].key.data + 2, "pawl:handles", 12) != 0)
            continue;
        delete_raw(f, &rows[i]);
        expect(f, &rows[i], true, false, "taken away");
    }
    const pawl_session_change put = {sizeof put, PAWL_SESSION_PUT, BYTES("x004goneann"), {NULL, 0}};
    const pawl_session_change odd = {sizeof odd, PAWL_SESSION_PUT, BYTES("p999ann"), {NULL, 0}};
    const pawl_session_change *const changes[] = {&put, &odd};
    uint64_t revision;
    assert_int_equal(pawl_store_session_table.commit(f->store, BYTES("pawl:handles"), PAWL_REVISION_ANY, none, changes,
                                                     2, &revision, NULL),
                     PAWL_OK);
    assert_int_equal(look(f, false, &found), PAWL_OK);
    assert_int_equal(found.derived, 1); /* of a process that was pruned */
    assert_int_equal(found.primary, 1); /* of no known kind */
    assert_int_equal(look(f, true, &found), PAWL_OK);
    assert_int_equal(found.repaired, 1);
    free_rows(rows, count);
}

/* Broken off after each of its changes, as by kill -9, and begun again. */
static void test_a_repair_that_is_broken_off_anywhere_goes_on(void **state)
{
    fixture *f = *state;
    size_t count;
    raw_row *rows = all_rows(f, &count);
    findings found = {0};
    uint64_t rounds = 0;
    for (size_t i = 0; i < count; i++)
        if (is_derived(&rows[i], is_tombstone(&rows[i])))
            delete_raw(f, &rows[i]);
    do {
        found.stop_after = 1;
        rounds++;
    } while (look(f, true, &found) == PAWL_E_CANCELLED);
    assert_true(rounds > 20);
    for (size_t i = 0; i < count; i++)
        if (is_derived(&rows[i], is_tombstone(&rows[i])) && !is_same(f, &rows[i]))
            fail_msg("a row of %s is not as it was", pawl_family_name(rows[i].family));
    free_rows(rows, count);
}

static void test_a_repair_leaves_what_is_primary_alone_and_names_the_process(void **state)
{
    fixture *f = *state;
    size_t count;
    findings found = {0};
    raw_row *rows = all_rows(f, &count);
    raw_row *record = NULL;
    for (size_t i = 0; i < count; i++)
        if (rows[i].family == PAWL_FAMILY_JOURNAL && record == NULL)
            record = &rows[i];
    record->value.data[5] ^= 1;
    put_raw(f, record);
    assert_int_equal(look(f, true, &found), PAWL_OK);
    assert_int_equal(found.repaired, 0);
    assert_int_equal(found.primary, 1);
    assert_string_equal(found.process, "ready");
    assert_true(is_same(f, record));
    free_rows(rows, count);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_full, close_full)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_whole_store_has_no_problems),
        TEST(test_every_row_that_is_missing_is_missed_and_what_is_derived_comes_back),
        TEST(test_every_row_that_is_damaged_is_named_and_what_is_derived_is_mended),
        TEST(test_rows_that_are_too_much_are_taken_away),
        TEST(test_C09_both_halves_of_a_handle_or_none),
        TEST(test_S06_content_that_nobody_would_collect_is_found_and_what_is_linked_stays),
        TEST(test_a_repair_that_is_broken_off_anywhere_goes_on),
        TEST(test_a_repair_leaves_what_is_primary_alone_and_names_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
