/* registry_edge_test.c: moments that a random kill meets too seldom: each test is one that once went wrong, or that
 * only reading the code shows to be right. */
#include "tests/unit/store/fixture.h"

#include "plugins/store/facets.h"

#include <stdio.h>

static int open_memory(void **state)
{
    *state = fixture_open(false, NULL);
    return 0;
}

static int close_any(void **state)
{
    fixture_close(*state);
    return 0;
}

/* A lease of a new process. */
static row hold(fixture *f, const char *id)
{
    row held;
    uint64_t number;
    uint64_t session = do_worker(f, "w", UINT64_C(3600000000000), NULL);
    assert_int_equal(do_register(f, id, "type", &number), PAWL_OK);
    assert_int_equal(do_claim_id(f, session, id, &held, NULL), PAWL_OK);
    return held;
}

static pawl_status commit(fixture *f, uint32_t kind, const row *held, uint64_t seen, const char *document,
                          uint32_t *flags)
{
    pawl_record record = {.struct_size = sizeof record, .kind = 7, .body = BYTES("note")};
    pawl_bytes bytes = document == NULL ? (pawl_bytes){NULL, 0} : pawl_bytes_of(document);
    pawl_commit request = {.struct_size = sizeof request,
                           .number = held->number,
                           .token = held->token,
                           .seen = seen,
                           .records = &record,
                           .record_count = 1,
                           .record_size = sizeof record,
                           .document = document == NULL ? NULL : &bytes};
    pawl_registry_op op = {.kind = kind, .request = &request};
    pawl_status status = fixture_run(f, &op);
    *flags = op.flags;
    return status;
}

/* SUSPEND with records it has not seen appends its own records "and changed nothing else": its document neither. */
static void test_a_suspend_that_came_back_stores_no_document(void **state)
{
    fixture *f = *state;
    row got;
    uint32_t flags;
    row held = hold(f, "p");
    assert_int_equal(do_post(f, "p", PAWL_RECORD_SIGNAL, "x", NULL, NULL), PAWL_OK);
    assert_int_equal(commit(f, PAWL_OP_SUSPEND, &held, 1, "first", &flags), PAWL_OK);
    assert_int_equal(flags, PAWL_RESULT_MORE);
    assert_int_equal(do_get(f, "p", &got, NULL), PAWL_OK);
    assert_string_equal(got.document, "");
    assert_int_equal(got.head, 3);
    assert_int_equal(commit(f, PAWL_OP_APPEND, &held, 3, "second", &flags), PAWL_OK);
    assert_int_equal(do_get(f, "p", &got, NULL), PAWL_OK);
    assert_string_equal(got.document, "second");
}

/* A refusal that was judged by what a failed write has undone would be a lie. */
static void test_I4_what_a_failed_round_judged_is_void(void **state)
{
    fixture *f = *state;
    row got;
    pawl_post end = {.struct_size = sizeof end,
                     .kind = PAWL_RECORD_ENDED,
                     .id = BYTES("p"),
                     .post_id = BYTES("end"),
                     .fingerprint = fingerprint_1,
                     .status = PAWL_TERMINATED,
                     .force = 1};
    pawl_post signal = {.struct_size = sizeof signal,
                        .kind = PAWL_RECORD_SIGNAL,
                        .id = BYTES("p"),
                        .post_id = BYTES("x"),
                        .fingerprint = fingerprint_1};
    row held = hold(f, "p");
    pawl_record record = {.struct_size = sizeof record, .kind = 7, .body = BYTES("note")};
    pawl_commit append = {.struct_size = sizeof append,
                          .number = held.number,
                          .token = held.token,
                          .records = &record,
                          .record_count = 1,
                          .record_size = sizeof record};
    pawl_registry_op first = {.kind = PAWL_OP_POST, .request = &end};
    pawl_registry_op second = {.kind = PAWL_OP_POST, .request = &signal};
    pawl_registry_op third = {.kind = PAWL_OP_APPEND, .request = &append};
    pawl_registry_op *ops[] = {&first, &second, &third};
    fixture_fail_writes(f, 1, PAWL_E_IO);
    fixture_submit_all(f, ops, 3);
    for (size_t i = 0; i < 3; i++) {
        fixture_wait(f, ops[i]);
        assert_int_equal(ops[i]->status, PAWL_E_IO);
    }
    assert_int_equal(do_get(f, "p", &got, NULL), PAWL_OK);
    assert_int_equal(got.status, PAWL_RUNNING);
    uint64_t sequence;
    assert_int_equal(do_append(f, &held, "still mine", &sequence), PAWL_OK);
    assert_int_equal(sequence, 2);
}

/* Whether a signal is acted on never depends on the clock: not on one that was set back behind the time at which the
 * process woke, either. */
static void test_I3_a_signal_outlives_a_clock_that_is_set_back(void **state)
{
    fixture *f = *state;
    row got;
    row held = hold(f, "p");
    assert_int_equal(do_suspend(f, &held, 1, f->unix_ns + 1000, NULL), PAWL_OK);
    fixture_advance(f, 2000);
    uint64_t session = do_worker(f, "first", UINT64_C(3600000000000), NULL);
    assert_int_equal(do_claim(f, session, "type", &held, 1), 1);
    assert_int_equal(do_post(f, "p", PAWL_RECORD_SIGNAL, "x", NULL, NULL), PAWL_OK);
    assert_counts(f, 0, 1, 0, 0, 0);
    pthread_mutex_lock(&f->lock);
    f->unix_ns -= 1000000000;
    pthread_mutex_unlock(&f->lock);
    pawl_store_registry_table.worker_close(f->store, session);
    session = do_worker(f, "second", UINT64_C(3600000000000), NULL);
    assert_int_equal(do_claim(f, session, "type", &got, 1), 1);
    assert_int_equal(do_suspend(f, &got, got.head, f->unix_ns + 1000, NULL), PAWL_OK);
    assert_counts(f, 0, 0, 1, 0, 0);
    assert_int_equal(do_claim(f, session, "type", &got, 1), 0);
    fixture_advance(f, 2000);
    assert_int_equal(do_claim(f, session, "type", &got, 1), 1);
}

/* The smallest write buffer that the settings allow is one that can be written to. */
static void test_the_smallest_write_buffer_works(void **state)
{
    fixture *f = fixture_open(true, ",\"sync\":false,\"write_buffer_bytes\":65536");
    char id[16];
    uint64_t number;
    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(id, sizeof id, "p%u", i);
        assert_int_equal(do_register(f, id, "type", &number), PAWL_OK);
    }
    fixture_reopen(f);
    assert_counts(f, 2000, 0, 0, 0, 0);
    fixture_close(f);
}

/* ---- an upload that is committed while content is collected ---- */

static struct hook {
    const pawl_kv_table *real;
    pawl_kv_table table;
    pawl_attachment_upload *upload; /* committed within the next write */
    uint8_t digest[32];
} hook;

static pawl_status write_and_commit(pawl_kv *kv, const pawl_batch *batch, bool sync, pawl_fault *fault)
{
    pawl_attachment_upload *upload = hook.upload;
    hook.upload = NULL;
    if (upload != NULL)
        assert_int_equal(pawl_store_attachment_table.commit(upload, hook.digest, NULL, NULL), PAWL_OK);
    return hook.real->write(kv, batch, sync, fault);
}

static pawl_attachment_upload *upload_of(fixture *f, const void *data, size_t size)
{
    const pawl_attachment_table *table = &pawl_store_attachment_table;
    pawl_attachment_upload *upload;
    assert_int_equal(table->begin(f->store, BYTES("scope"), BYTES("text/plain"), BYTES("name"), &upload, NULL),
                     PAWL_OK);
    assert_int_equal(table->write(upload, (pawl_bytes){data, size}, NULL), PAWL_OK);
    return upload;
}

static pawl_status collect(fixture *f, uint64_t before_unix_ns, uint64_t *removed)
{
    pawl_attachment_collect pass = {.struct_size = sizeof pass, .before_unix_ns = before_unix_ns};
    pawl_status status = pawl_store_attachment_table.collect(f->store, &pass, NULL);
    *removed = pass.removed;
    return status;
}

/* Content with a link is never removed, also when it is linked while a collection is under way. */
static void test_S06_content_committed_during_a_collection_stays(void **state)
{
    fixture *f = *state;
    const pawl_attachment_table *table = &pawl_store_attachment_table;
    static char large[600000];
    uint8_t garbage[32];
    uint64_t removed = 0;
    uint64_t total = 0;
    memset(large, 'x', sizeof large);
    assert_int_equal(table->commit(upload_of(f, "garbage", 7), garbage, NULL, NULL), PAWL_OK);
    assert_int_equal(table->unlink(f->store, BYTES("scope"), garbage, NULL), PAWL_OK);
    hook.upload = upload_of(f, large, sizeof large);
    fixture_advance(f, 1000000000);
    hook.real = f->store->kv->table;
    hook.table = *hook.real;
    hook.table.write = write_and_commit;
    f->store->kv->table = &hook.table;
    assert_int_equal(collect(f, f->unix_ns, &removed), PAWL_OK);
    f->store->kv->table = hook.real;
    assert_null(hook.upload);
    assert_int_equal(removed, 1); /* the garbage */
    sink out = {0};
    assert_int_equal(table->read(f->store, hook.digest, 0, sizeof large, (pawl_sink *)(void *)&out, &total, NULL),
                     PAWL_OK);
    assert_int_equal(total, sizeof large);
    assert_int_equal(out.bytes.size, sizeof large);
    assert_memory_equal(out.bytes.data, large, sizeof large);
    pawl_buffer_finish(&out.bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_memory, close_any)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_suspend_that_came_back_stores_no_document),
        TEST(test_I4_what_a_failed_round_judged_is_void),
        TEST(test_I3_a_signal_outlives_a_clock_that_is_set_back),
        TEST(test_S06_content_committed_during_a_collection_stays),
        cmocka_unit_test(test_the_smallest_write_buffer_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
