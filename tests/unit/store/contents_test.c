/* contents_test.c: attachments, artifacts and sessions from the inside: what is left in the engine, what damage and
 * failed writes do. Their meaning as seen from outside is the conformance suite's. */
#include "fixture.h"

#include "plugins/store/facets.h"

#include <stdio.h>
#include <stdlib.h>

#define BIG (3u * PAWL_STORE_CHUNK_BYTES + 1000)

static const pawl_attachment_table *const attachments = &pawl_store_attachment_table;
static const pawl_artifact_table *const artifacts = &pawl_store_artifact_table;
static const pawl_session_table *const sessions = &pawl_store_session_table;
static const pawl_bytes none = {NULL, 0};

static int open_memory(void **state)
{
    *state = fixture_open(false, NULL);
    return 0;
}

static int open_disk(void **state)
{
    *state = fixture_open(true, NULL);
    return 0;
}

static int close_any(void **state)
{
    fixture_close(*state);
    return 0;
}

static uint8_t *big_content(void)
{
    uint8_t *content = malloc(BIG);
    for (size_t i = 0; i < BIG; i++)
        content[i] = (uint8_t)(i * 31 + i / 251);
    return content;
}

static size_t count_rows(fixture *f, pawl_family family)
{
    size_t count = 0;
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(&f->kv->base, family, none, none);
    for (pawl_kv_cursor_seek(cursor, none); cursor->valid; pawl_kv_cursor_next(cursor))
        count++;
    pawl_kv_cursor_close(cursor);
    return count;
}

/* Flip one bit of the n-th row of a family, past the engine's own checksums. */
static void damage(fixture *f, pawl_family family, size_t index)
{
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(&f->kv->base, family, none, none);
    pawl_kv_cursor_seek(cursor, none);
    while (index-- > 0)
        pawl_kv_cursor_next(cursor);
    assert_true(cursor->valid);

    pawl_batch batch = {0};
    pawl_batch_begin(&batch, family, cursor->key);
    pawl_buffer_append(&batch.bytes, cursor->value.data, cursor->value.size);
    pawl_batch_end(&batch);
    batch.bytes.data[batch.bytes.size - 20] ^= 1;
    assert_int_equal(pawl_kv_write(&f->kv->base, &batch, false, NULL), PAWL_OK);
    pawl_batch_finish(&batch);
    pawl_kv_cursor_close(cursor);
}

static pawl_attachment_upload *begin(fixture *f, const char *scope)
{
    pawl_attachment_upload *upload = NULL;
    assert_int_equal(
        attachments->begin(f->store, pawl_bytes_of(scope), BYTES("text/plain"), BYTES("a name"), &upload, NULL),
        PAWL_OK);
    return upload;
}

static pawl_status collect(fixture *f, uint64_t before_unix_ns, uint64_t *removed)
{
    pawl_attachment_collect pass = {.struct_size = sizeof pass, .before_unix_ns = before_unix_ns};
    pawl_status status = attachments->collect(f->store, &pass, NULL);
    *removed = pass.removed;
    return status;
}

static void put_big(fixture *f, const char *scope, const uint8_t *content, uint8_t *digest)
{
    uint64_t size = 0;
    pawl_attachment_upload *upload = begin(f, scope);
    for (size_t at = 0; at < BIG; at += 100000) {
        pawl_bytes part = {content + at, BIG - at < 100000 ? BIG - at : 100000};
        assert_int_equal(attachments->write(upload, part, NULL), PAWL_OK);
    }
    assert_int_equal(attachments->commit(upload, digest, &size, NULL), PAWL_OK);
    assert_int_equal(size, BIG);
}

static pawl_status read_all(fixture *f, const uint8_t *digest, uint64_t offset, uint64_t size, sink *out, failure *why)
{
    uint64_t total = 0;
    pawl_buffer_clear(&out->bytes);
    return attachments->read(f->store, digest, offset, size, (pawl_sink *)(void *)out, &total,
                             (pawl_failure_sink *)(void *)why);
}

static void test_S05_same_content_is_stored_once(void **state)
{
    fixture *f = *state;
    uint8_t digests[2][32];
    uint64_t removed;
    sink out = {{0}};
    uint8_t *content = big_content();
    put_big(f, "one", content, digests[0]);
    assert_int_equal(count_rows(f, PAWL_FAMILY_CHUNK), 4);
    put_big(f, "two", content, digests[1]);
    assert_memory_equal(digests[0], digests[1], 32);
    assert_int_equal(count_rows(f, PAWL_FAMILY_CHUNK), 4); /* what the second upload wrote is gone */
    assert_int_equal(count_rows(f, PAWL_FAMILY_ATTACHMENT), 1);
    assert_int_equal(attachments->unlink(f->store, BYTES("one"), digests[0], NULL), PAWL_OK);
    fixture_advance(f, 1000);
    assert_int_equal(collect(f, f->unix_ns, &removed), PAWL_OK);
    assert_int_equal(removed, 0); /* "two" still has it */
    assert_int_equal(read_all(f, digests[0], 0, UINT64_MAX, &out, NULL), PAWL_OK);
    assert_int_equal(out.bytes.size, BIG);
    assert_memory_equal(out.bytes.data, content, BIG);
    assert_int_equal(attachments->unlink(f->store, BYTES("two"), digests[0], NULL), PAWL_OK);
    assert_int_equal(collect(f, f->unix_ns, &removed), PAWL_OK);
    assert_int_equal(removed, 0); /* it counts from the last link on */
    fixture_advance(f, 1);
    assert_int_equal(collect(f, f->unix_ns, &removed), PAWL_OK);
    assert_int_equal(removed, 1);
    assert_int_equal(count_rows(f, PAWL_FAMILY_CHUNK), 0);
    assert_int_equal(count_rows(f, PAWL_FAMILY_LINK), 0);
    pawl_buffer_finish(&out.bytes);
    free(content);
}

static void test_ranges_across_chunks(void **state)
{
    fixture *f = *state;
    uint8_t digest[32];
    sink out = {{0}};
    uint8_t *content = big_content();
    put_big(f, "s", content, digest);
    static const uint64_t ranges[][2] = {{0, 1},
                                         {PAWL_STORE_CHUNK_BYTES - 1, 2},
                                         {PAWL_STORE_CHUNK_BYTES, PAWL_STORE_CHUNK_BYTES},
                                         {5, BIG - 10},
                                         {BIG - 1, 1},
                                         {BIG - 1, UINT64_MAX}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        uint64_t left = BIG - ranges[i][0];
        uint64_t wanted = ranges[i][1] < left ? ranges[i][1] : left;
        assert_int_equal(read_all(f, digest, ranges[i][0], ranges[i][1], &out, NULL), PAWL_OK);
        assert_int_equal(out.bytes.size, wanted);
        assert_memory_equal(out.bytes.data, content + ranges[i][0], wanted);
    }
    assert_int_equal(read_all(f, digest, BIG, 10, &out, NULL), PAWL_OK);
    assert_int_equal(out.bytes.size, 0);
    assert_int_equal(read_all(f, digest, UINT64_MAX, UINT64_MAX, &out, NULL), PAWL_OK);
    assert_int_equal(out.bytes.size, 0);
    pawl_buffer_finish(&out.bytes);
    free(content);
}

static void test_S06_a_running_upload_is_not_collected(void **state)
{
    fixture *f = *state;
    uint8_t digest[32];
    uint64_t removed;
    uint8_t *content = big_content();
    pawl_attachment_upload *upload = begin(f, "s");
    assert_int_equal(attachments->write(upload, (pawl_bytes){content, BIG}, NULL), PAWL_OK);
    fixture_advance(f, 1000);
    assert_int_equal(collect(f, f->unix_ns, &removed), PAWL_OK);
    assert_int_equal(removed, 0);
    assert_int_equal(attachments->commit(upload, digest, NULL, NULL), PAWL_OK);
    assert_int_equal(count_rows(f, PAWL_FAMILY_CHUNK), 4);
    upload = begin(f, "s");
    assert_int_equal(attachments->write(upload, (pawl_bytes){content + 1, BIG - 1}, NULL), PAWL_OK);
    attachments->abort(upload);
    assert_int_equal(count_rows(f, PAWL_FAMILY_CHUNK), 4); /* an abort takes its chunks with it */
    attachments->abort(NULL);
    free(content);
}

/* What a crash leaves: chunks, and the row that says when the upload began. */
static void test_S06_an_abandoned_upload_is_collected_when_it_is_old_enough(void **state)
{
    fixture *f = *state;
    uint64_t removed;
    uint8_t *content = big_content();
    pawl_attachment_upload *upload = begin(f, "s");
    assert_int_equal(attachments->write(upload, (pawl_bytes){content, BIG}, NULL), PAWL_OK);
    uint64_t started = f->unix_ns;
    fixture_fail_writes(f, 1, PAWL_E_IO); /* the abort cannot remove them, as a crash would not */
    attachments->abort(upload);
    assert_true(count_rows(f, PAWL_FAMILY_CHUNK) > 0);
    fixture_reopen(f);
    fixture_advance(f, 1000);
    assert_int_equal(collect(f, started, &removed), PAWL_OK);
    assert_int_equal(removed, 0);
    assert_int_equal(collect(f, started + 1, &removed), PAWL_OK);
    assert_int_equal(removed, 1);
    assert_int_equal(count_rows(f, PAWL_FAMILY_CHUNK), 0);
    assert_int_equal(count_rows(f, PAWL_FAMILY_ATTACHMENT), 0);
    free(content);
}

static void test_a_commit_that_fails_links_nothing(void **state)
{
    fixture *f = *state;
    uint8_t digest[32];
    uint64_t removed;
    uint8_t *content = big_content();
    pawl_attachment_upload *upload = begin(f, "s");
    assert_int_equal(attachments->write(upload, (pawl_bytes){content, BIG}, NULL), PAWL_OK);
    fixture_fail_writes(f, 1, PAWL_E_FULL);
    assert_int_equal(attachments->commit(upload, digest, NULL, NULL), PAWL_E_FULL);
    assert_int_equal(count_rows(f, PAWL_FAMILY_LINK), 0);
    assert_int_equal(count_rows(f, PAWL_FAMILY_CHUNK), 0);
    put_big(f, "s", content, digest);
    fixture_advance(f, 1000);
    assert_int_equal(collect(f, f->unix_ns, &removed), PAWL_OK);
    assert_int_equal(removed, 0);
    free(content);
}

static void test_S07_a_damaged_chunk_is_found_before_it_is_handed_out(void **state)
{
    fixture *f = *state;
    uint8_t digest[32];
    sink out = {{0}};
    failure why = {0};
    uint8_t *content = big_content();
    put_big(f, "s", content, digest);
    damage(f, PAWL_FAMILY_CHUNK, 1);
    assert_int_equal(read_all(f, digest, 0, UINT64_MAX, &out, &why), PAWL_E_CORRUPT);
    assert_int_equal(out.bytes.size, PAWL_STORE_CHUNK_BYTES);
    assert_non_null(strstr(why.message, "\"chunk\""));
    assert_int_equal(read_all(f, digest, 2 * PAWL_STORE_CHUNK_BYTES, 100, &out, &why), PAWL_OK); /* the rest is fine */
    pawl_buffer_finish(&out.bytes);
    free(content);
}

static void test_S07_a_damaged_artifact_is_refused(void **state)
{
    fixture *f = *state;
    uint8_t digest[32];
    sink out = {{0}};
    uint8_t *content = big_content();
    fixture_fail_writes(f, 1, PAWL_E_FULL);
    assert_int_equal(artifacts->put(f->store, BYTES("k"), (pawl_bytes){content, BIG}, digest, NULL), PAWL_E_FULL);
    assert_int_equal(artifacts->put(f->store, BYTES("k"), (pawl_bytes){content, BIG}, digest, NULL), PAWL_OK);
    assert_int_equal(artifacts->get(f->store, digest, (pawl_sink *)(void *)&out, NULL, NULL), PAWL_OK);
    assert_int_equal(out.bytes.size, BIG);
    assert_memory_equal(out.bytes.data, content, BIG);
    damage(f, PAWL_FAMILY_ARTIFACT, 2);
    assert_int_equal(artifacts->get(f->store, digest, NULL, NULL, NULL), PAWL_E_CORRUPT);
    assert_int_equal(artifacts->remove(f->store, digest, NULL), PAWL_OK);
    assert_int_equal(count_rows(f, PAWL_FAMILY_ARTIFACT), 0);
    pawl_buffer_finish(&out.bytes);
    free(content);
}

/* ---- sessions ---- */

static void test_S01_a_session_commit_that_fails_changes_nothing(void **state)
{
    fixture *f = *state;
    uint64_t revision = 99;
    pawl_session_change change = {
        .struct_size = sizeof change, .kind = PAWL_SESSION_PUT_NEW, .key = BYTES("k"), .value = BYTES("v")};
    const pawl_session_change *changes[] = {&change};
    fixture_fail_writes(f, 1, PAWL_E_IO);
    assert_int_equal(sessions->commit(f->store, BYTES("s"), 0, BYTES("c"), changes, 1, &revision, NULL), PAWL_E_IO);
    assert_int_equal(sessions->get(f->store, BYTES("s"), BYTES("k"), NULL, &revision, NULL), PAWL_E_NOT_FOUND);
    assert_int_equal(revision, 0);
    assert_int_equal(sessions->commit(f->store, BYTES("s"), 0, BYTES("c"), changes, 1, &revision, NULL), PAWL_OK);
    assert_int_equal(revision, 1);
    assert_int_equal(sessions->commit(f->store, BYTES("s"), 0, BYTES("c"), changes, 1, &revision, NULL), PAWL_OK);
    assert_int_equal(revision, 1); /* the same commit again */
}

static void test_S08_put_new_counts_what_the_same_commit_did(void **state)
{
    fixture *f = *state;
    uint64_t revision;
    pawl_session_change changes[] = {
        {.struct_size = sizeof *changes, .kind = PAWL_SESSION_PUT_NEW, .key = BYTES("k"), .value = BYTES("1")},
        {.struct_size = sizeof *changes, .kind = PAWL_SESSION_PUT_NEW, .key = BYTES("k"), .value = BYTES("2")},
        {.struct_size = sizeof *changes, .kind = PAWL_SESSION_DELETE, .key = BYTES("k")},
    };
    const pawl_session_change *twice[] = {&changes[0], &changes[1]};
    const pawl_session_change *over[] = {&changes[0], &changes[2], &changes[1]};
    assert_int_equal(sessions->commit(f->store, BYTES("s"), 0, none, twice, 2, &revision, NULL), PAWL_E_CONFLICT);
    assert_int_equal(sessions->commit(f->store, BYTES("s"), 0, none, over, 3, &revision, NULL), PAWL_OK);
    sink out = {{0}};
    assert_int_equal(sessions->get(f->store, BYTES("s"), BYTES("k"), (pawl_sink *)(void *)&out, &revision, NULL),
                     PAWL_OK);
    assert_int_equal(out.bytes.size, 1);
    assert_int_equal(out.bytes.data[0], '2');
    pawl_buffer_finish(&out.bytes);
}

/* Names that are prefixes of each other are different sessions, in every row. */
static void test_R09_sessions_with_similar_names_do_not_meet(void **state)
{
    fixture *f = *state;
    uint64_t revision;
    static const char *const names[] = {"a", "ab", "a\x01", "abc"};
    pawl_session_change change = {
        .struct_size = sizeof change, .kind = PAWL_SESSION_PUT, .key = BYTES("b"), .value = BYTES("v")};
    const pawl_session_change *changes[] = {&change};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(
            sessions->commit(f->store, pawl_bytes_of(names[i]), 0, BYTES("c"), changes, 1, &revision, NULL), PAWL_OK);
    assert_int_equal(sessions->remove(f->store, BYTES("a"), NULL), PAWL_OK);
    assert_int_equal(sessions->remove(f->store, BYTES("ab"), NULL), PAWL_OK);
    assert_int_equal(sessions->get(f->store, BYTES("a"), BYTES("b"), NULL, &revision, NULL), PAWL_E_NOT_FOUND);
    assert_int_equal(sessions->get(f->store, BYTES("abc"), BYTES("b"), NULL, &revision, NULL), PAWL_OK);
    assert_int_equal(sessions->get(f->store, BYTES("a\x01"), BYTES("b"), NULL, &revision, NULL), PAWL_OK);
    assert_int_equal(count_rows(f, PAWL_FAMILY_COMMIT_KEY), 2);
    assert_int_equal(count_rows(f, PAWL_FAMILY_SESSION), 4);
}

int main(void)
{
#define ON_BOTH(test)                                                                                                  \
    {#test "[memory]", test, open_memory, close_any, NULL},                                                            \
    {                                                                                                                  \
#test "[rocksdb]", test, open_disk, close_any, NULL                                                            \
    }
#define ON_DISK(test)                                                                                                  \
    {                                                                                                                  \
#test "[rocksdb]", test, open_disk, close_any, NULL                                                            \
    }
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_S05_same_content_is_stored_once),
        ON_BOTH(test_ranges_across_chunks),
        ON_BOTH(test_S06_a_running_upload_is_not_collected),
        ON_DISK(test_S06_an_abandoned_upload_is_collected_when_it_is_old_enough),
        ON_BOTH(test_a_commit_that_fails_links_nothing),
        ON_BOTH(test_S07_a_damaged_chunk_is_found_before_it_is_handed_out),
        ON_BOTH(test_S07_a_damaged_artifact_is_refused),
        ON_BOTH(test_S01_a_session_commit_that_fails_changes_nothing),
        ON_BOTH(test_S08_put_new_counts_what_the_same_commit_did),
        ON_BOTH(test_R09_sessions_with_similar_names_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
