/* attachments_test.c: the attachment extension over a fake facet: scopes, and closing while uploads are under way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/care/roots.h"
#include "host/session/attachments.h"
#include "worker/base/sink.h"
#include "worker/effect/context.h"

#include <stdio.h>

/* A facet that holds one blob of each scope. */
struct pawl_attachment_upload {
    int open;
};
typedef struct fake {
    char scope[300];
    struct pawl_attachment_upload uploads[4];
    int begun;
} fake;

static pawl_status begin(pawl_store *store, pawl_bytes scope, pawl_bytes media_type, pawl_bytes name,
                         pawl_attachment_upload **upload, pawl_failure_sink *why)
{
    fake *own = (fake *)store;
    (void)media_type;
    (void)name;
    (void)why;
    snprintf(own->scope, sizeof own->scope, "%.*s", (int)scope.size, (const char *)scope.data);
    *upload = &own->uploads[own->begun++];
    (*upload)->open = 1;
    return PAWL_OK;
}

static pawl_status write_chunk(pawl_attachment_upload *upload, pawl_bytes chunk, pawl_failure_sink *why)
{
    (void)chunk;
    (void)why;
    return upload->open ? PAWL_OK : PAWL_E_INVALID;
}

static pawl_status commit(pawl_attachment_upload *upload, uint8_t *digest, uint64_t *size, pawl_failure_sink *why)
{
    (void)why;
    assert_int_equal(upload->open, 1);
    upload->open = 0;
    memset(digest, 0xAB, 32);
    *size = 1;
    return PAWL_OK;
}

static void abort_upload(pawl_attachment_upload *upload)
{
    assert_int_equal(upload->open, 1);
    upload->open = 0;
}

static pawl_status stat_one(pawl_store *store, pawl_bytes scope, const uint8_t *digest, pawl_attachment_visit visit,
                            void *context, pawl_failure_sink *why)
{
    pawl_attachment_info info = {.struct_size = sizeof info};
    (void)store;
    (void)why;
    if (scope.size != 2 || memcmp(scope.data, "s1", 2) != 0 || digest[0] != 0xAB)
        return PAWL_E_NOT_FOUND;
    (void)visit(context, &info);
    return PAWL_OK;
}

static pawl_status read_range(pawl_store *store, const uint8_t *digest, uint64_t offset, uint64_t size, pawl_sink *out,
                              uint64_t *total, pawl_failure_sink *why)
{
    (void)store;
    (void)digest;
    (void)offset;
    (void)size;
    (void)why;
    *total = 4;
    return pawl_sink_write(out, "text", 4);
}

static const pawl_attachment_table table = {
    .struct_size = sizeof table,
    .begin = begin,
    .write = write_chunk,
    .commit = commit,
    .abort = abort_upload,
    .read = read_range,
    .stat = stat_one,
};

typedef struct world {
    fake store;
    pawl_attachment_facet facet;
    pawl_roots roots;
    pawl_call_context context;
    const pawl_attachments *api;
} world;

static void make(world *w, const char *session)
{
    memset(w, 0, sizeof *w);
    pawl_attachments_open(&w->facet, &table, (pawl_store *)&w->store, NULL, NULL);
    assert_int_equal(pawl_roots_init(&w->roots, pawl_clock_system(), NULL, NULL), PAWL_OK);
    w->roots.attachments = &w->facet;
    const pawl_host_root *root = pawl_roots_add(&w->roots, "test");
    w->context =
        (pawl_call_context){.host = root, .process = pawl_bytes_text("p7"), .session = pawl_bytes_text(session)};
    w->api = root->get_extension(root, PAWL_EXT_ATTACHMENTS);
    assert_non_null(w->api);
}

static void unmake(world *w)
{
    pawl_attachments_close(&w->facet);
    pawl_attachments_finish(&w->facet);
    pawl_roots_finish(&w->roots);
}

static void test_scope_is_the_session_or_the_process(void **state)
{
    (void)state;
    world w;
    pawl_upload *upload;
    pawl_sink reference;
    make(&w, "s1");
    pawl_sink_init(&reference, 100);
    assert_int_equal(w.api->begin(&w.context, pawl_bytes_text(""), pawl_bytes_text(""), &upload, NULL), PAWL_OK);
    assert_string_equal(w.store.scope, "s1");
    assert_int_equal(w.api->write(upload, pawl_bytes_text("x"), NULL), PAWL_OK);
    assert_int_equal(w.api->commit(upload, &reference, NULL), PAWL_OK);
    assert_int_equal(reference.size, 7 + 64);
    assert_memory_equal(pawl_sink_text(&reference), "sha256:abab", 11);
    uint64_t total = 0;
    pawl_sink out;
    pawl_sink_init(&out, 100);
    assert_int_equal(w.api->read(&w.context, pawl_sink_bytes(&reference), 0, 4, &out, &total, NULL), PAWL_OK);
    assert_string_equal(pawl_sink_text(&out), "text");
    char buffer[8] = "";
    size_t loaded = 99;
    const pawl_bytes ref = pawl_sink_bytes(&reference);
    assert_int_equal(w.api->load(&w.context, ref, 0, buffer, 4, &loaded, &total, NULL), PAWL_OK);
    assert_int_equal(loaded, 4);
    assert_string_equal(buffer, "text");
    assert_int_equal(w.api->load(&w.context, ref, 0, NULL, 4, &loaded, &total, NULL), PAWL_E_INVALID);
    w.context.session = pawl_bytes_text("");
    assert_int_equal(w.api->begin(&w.context, pawl_bytes_text(""), pawl_bytes_text(""), &upload, NULL), PAWL_OK);
    assert_string_equal(w.store.scope, "process:p7");
    w.api->abort(upload);
    pawl_failure_slot why;
    pawl_failure_init(&why);
    assert_int_equal(w.api->read(&w.context, pawl_sink_bytes(&reference), 0, 4, &out, &total, &why), PAWL_E_NOT_FOUND);
    assert_memory_equal(why.failure.code.data, "attachment.not_found", 20);
    assert_int_equal(w.api->load(&w.context, ref, 0, buffer, 4, &loaded, &total, NULL), PAWL_E_NOT_FOUND);
    assert_int_equal(loaded, 0);
    pawl_failure_finish(&why);
    assert_int_equal(w.api->read(&w.context, pawl_bytes_text("sha256:AB"), 0, 4, &out, &total, NULL), PAWL_E_INVALID);
    pawl_sink_finish(&out);
    pawl_sink_finish(&reference);
    unmake(&w);
}

static void test_closing_aborts_uploads_and_turns_calls_away(void **state)
{
    (void)state;
    world w;
    pawl_upload *first;
    pawl_upload *second;
    pawl_sink reference;
    make(&w, "s1");
    pawl_sink_init(&reference, 100);
    assert_int_equal(w.api->begin(&w.context, pawl_bytes_text(""), pawl_bytes_text(""), &first, NULL), PAWL_OK);
    assert_int_equal(w.api->begin(&w.context, pawl_bytes_text(""), pawl_bytes_text(""), &second, NULL), PAWL_OK);
    pawl_attachments_close(&w.facet);
    assert_int_equal(w.store.uploads[0].open, 0);
    assert_int_equal(w.store.uploads[1].open, 0);
    assert_int_equal(w.api->write(first, pawl_bytes_text("x"), NULL), PAWL_E_CLOSED);
    assert_int_equal(w.api->commit(first, &reference, NULL), PAWL_E_CLOSED);
    w.api->abort(second);
    assert_int_equal(w.api->begin(&w.context, pawl_bytes_text(""), pawl_bytes_text(""), &first, NULL), PAWL_E_CLOSED);
    w.api->abort(NULL);
    pawl_sink_finish(&reference);
    unmake(&w);
}

static void test_an_unknown_extension_is_remembered(void **state)
{
    (void)state;
    world w;
    make(&w, "s1");
    assert_null(w.context.host->get_extension(w.context.host, "com.example.x/1"));
    assert_null(w.context.host->get_extension(w.context.host, "com.example.x/1"));
    assert_null(w.context.host->get_extension(w.context.host, NULL));
    assert_non_null(w.context.host->get_extension(w.context.host, PAWL_EXT_CORE));
    assert_non_null(w.context.host->get_extension(w.context.host, PAWL_EXT_PROCESS_HOST));
    assert_non_null(w.context.host->get_extension(w.context.host, PAWL_EXT_REGISTRY_HOST));
    json_t *unknown = pawl_roots_unknown(&w.roots);
    assert_int_equal(json_object_size(unknown), 1);
    assert_int_equal(json_array_size(json_object_get(unknown, "com.example.x/1")), 1);
    json_decref(unknown);
    unmake(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scope_is_the_session_or_the_process),
        cmocka_unit_test(test_closing_aborts_uploads_and_turns_calls_away),
        cmocka_unit_test(test_an_unknown_extension_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
