/* attachment_test.c: attachments from outside, over both stores: what is put is found by processes and by others who
 * share it, what breaks off or does not fit leaves nothing, and nothing is added to what is on its way out. */
#include "fixture.h"

#include "host/host_internal.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#define BIG 700000u

static int open_small(void **state)
{
    fixture *own = fixture_make("memory");
    own->extra = "limits: { attachment: 64KiB }\nsessions: { known: true }\n";
    fixture_open(own);
    *state = own;
    return 0;
}

static void reference_of(const void *data, size_t size, char reference[PAWL_REFERENCE_BYTES + 1])
{
    unsigned char digest[32];
    SHA256(data, size, digest);
    strcpy(reference, "sha256:");
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(reference + 7 + 2 * i, 3, "%02x", digest[i]);
}

static pawl_put_options put_options(const char *scope, const char *name, const char *reference)
{
    const pawl_put_options options = {.struct_size = sizeof options,
                                      .scope = scope,
                                      .media_type = "text/plain",
                                      .name = name,
                                      .reference = reference};
    return options;
}

static pawl_status try_put(fixture *own, const pawl_put_options *options, const char *data, size_t size,
                           pawl_error *error)
{
    char reference[PAWL_REFERENCE_BYTES + 1];
    char made[PAWL_REFERENCE_BYTES + 1];
    uint64_t stored = 0;
    pawl_put *put = NULL;
    pawl_status status = pawl_host_put(own->host, options, &put, error);
    for (size_t at = 0; status == PAWL_OK && at < size; at += 10000)
        status = pawl_put_write(put, data + at, size - at < 10000 ? size - at : 10000, error);
    if (status != PAWL_OK) {
        assert_null(pawl_put_abort(put));
        return status;
    }
    status = pawl_put_commit(put, reference, &stored, error);
    reference_of(data, size, made);
    if (status == PAWL_OK) {
        assert_string_equal(reference, made);
        assert_int_equal(stored, size);
    }
    return status;
}

static void put_text(fixture *own, const char *scope, const char *name, const char *text,
                     char reference[PAWL_REFERENCE_BYTES + 1])
{
    const pawl_put_options options = put_options(scope, name, NULL);
    assert_ok(try_put(own, &options, text, strlen(text), &why_));
    reference_of(text, strlen(text), reference);
}

/* How many the scope refers to. */
static size_t listed(fixture *own, const char *scope)
{
    pawl_text text = {0};
    assert_ok(pawl_host_attachment_list(own->host, scope, NULL, 0, &text, &why_));
    json_t *json = json_of(&text);
    size_t count = json_array_size(json_object_get(json, "attachments"));
    json_decref(json);
    return count;
}

static void expect_content(fixture *own, const char *scope, const char *reference, const char *wanted)
{
    pawl_text bytes = {0};
    uint64_t total = 0;
    assert_ok(pawl_host_attachment_read(own->host, scope, reference, 0, UINT64_MAX, &bytes, &total, &why_));
    assert_int_equal(total, strlen(wanted));
    assert_string_equal(bytes.data, wanted);
    pawl_text_free(&bytes);
}

static void expect_none(fixture *own, const char *scope, const char *reference)
{
    pawl_error error = {0};
    pawl_text bytes = {0};
    assert_int_equal(pawl_host_attachment_read(own->host, scope, reference, 0, 10, &bytes, NULL, &error),
                     PAWL_E_NOT_FOUND);
    assert_string_equal(error.code, "attachment.not_found");
}

static void test_S05_what_is_put_is_found_in_ranges_and_pages(void **state)
{
    fixture *own = *state;
    char big[PAWL_REFERENCE_BYTES + 1];
    char small[PAWL_REFERENCE_BYTES + 1];
    char *data = malloc(BIG);
    uint64_t total = 0;
    pawl_text bytes = {0};
    for (size_t i = 0; i < BIG; i++)
        data[i] = (char)((i * 2654435761u) >> 11);
    reference_of(data, BIG, big);
    const pawl_put_options options = put_options("ann", "big", big);
    assert_ok(try_put(own, &options, data, BIG, &why_));
    put_text(own, "ann", "small", "", small);
    assert_ok(pawl_host_attachment_read(own->host, "ann", big, 262140, 10, &bytes, &total, &why_));
    assert_int_equal(total, BIG);
    assert_int_equal(bytes.size, 10);
    assert_memory_equal(bytes.data, data + 262140, 10);
    pawl_text_free(&bytes);
    assert_ok(pawl_host_attachment_read(own->host, "ann", big, BIG, 10, &bytes, NULL, &why_));
    assert_int_equal(bytes.size, 0);
    pawl_text_free(&bytes);
    expect_content(own, "ann", small, "");
    pawl_text text = {0};
    assert_ok(pawl_host_attachment_list(own->host, "ann", NULL, 1, &text, &why_));
    json_t *page = json_of(&text);
    const char *next = text_of(page, "next");
    assert_int_equal(json_array_size(json_object_get(page, "attachments")), 1);
    assert_ok(pawl_host_attachment_list(own->host, "ann", next, 1, &text, &why_));
    json_t *rest = json_of(&text);
    const json_t *second = json_array_get(json_object_get(rest, "attachments"), 0);
    assert_true(strcmp(text_of(second, "reference"), next) > 0);
    assert_true(json_is_null(json_object_get(rest, "next")));
    json_decref(page);
    json_decref(rest);
    assert_ok(pawl_host_attachment_stat(own->host, "ann", big, &text, &why_));
    json_t *facts = json_of(&text);
    assert_string_equal(text_of(facts, "name"), "big");
    assert_string_equal(text_of(facts, "media_type"), "text/plain");
    assert_int_equal(json_integer_value(json_object_get(facts, "size")), BIG);
    json_decref(facts);
    free(data);
}

static void test_S05_shared_content_outlives_the_session_it_came_from(void **state)
{
    fixture *own = *state;
    char reference[PAWL_REFERENCE_BYTES + 1];
    pawl_text text = {0};
    put_text(own, "ann", "note", "shared", reference);
    expect_none(own, "bob", reference);
    assert_ok(pawl_host_attachment_share(own->host, "ann", reference, "bob", &why_));
    assert_ok(pawl_host_attachment_share(own->host, "ann", reference, "bob", &why_));
    assert_ok(pawl_host_session_delete(own->host, "ann", NULL, &why_));
    expect_none(own, "ann", reference);
    expect_content(own, "bob", reference, "shared");
    assert_ok(pawl_host_attachment_stat(own->host, "bob", reference, &text, &why_));
    json_t *facts = json_of(&text);
    assert_string_equal(text_of(facts, "name"), "note");
    json_decref(facts);
    assert_ok(pawl_host_attachment_drop(own->host, "bob", reference, &why_));
    assert_ok(pawl_host_attachment_drop(own->host, "bob", reference, &why_));
    expect_none(own, "bob", reference);
    pawl_error error = {0};
    assert_int_equal(pawl_host_attachment_share(own->host, "bob", reference, "cid", &error), PAWL_E_NOT_FOUND);
    assert_string_equal(error.code, "attachment.not_found");
}

/* A process without a session has a scope of its own, whatever the length of its id; one with a session has that. */
static void test_S05_a_process_is_a_scope(void **state)
{
    fixture *own = *state;
    char id[257];
    char scope[300];
    char reference[PAWL_REFERENCE_BYTES + 1];
    pawl_error error = {0};
    memset(id, 'i', 256);
    id[256] = '\0';
    snprintf(scope, sizeof scope, "process:%s", id);
    start(own, id, "test.gate", "1");
    put_text(own, scope, "note", "for the process", reference);
    expect_content(own, scope, reference, "for the process");
    assert_int_equal(listed(own, scope), 1);
    const pawl_start begin = {
        .struct_size = sizeof begin, .id = "in a session", .type = "test.gate", .session = "ann", .input = {"1", 1}};
    assert_ok(pawl_host_start(own->host, &begin, NULL, &why_));
    put_text(own, "process:in a session", "note", "for the session", reference);
    expect_content(own, "ann", reference, "for the session");
    /* What an ended process keeps may be forgotten at any time. */
    assert_ok(pawl_host_terminate(own->host, id, "test", &why_));
    expect_end(own, id, "terminated", NULL);
    const pawl_put_options late = put_options(scope, "late", NULL);
    assert_int_equal(try_put(own, &late, "late", 4, &error), PAWL_E_TERMINAL);
    assert_int_equal(pawl_host_attachment_share(own->host, "ann", reference, scope, &error), PAWL_E_TERMINAL);
    assert_int_equal(listed(own, scope), 1);
    const pawl_put_options nobody = put_options("process:nobody", "x", NULL);
    assert_int_equal(try_put(own, &nobody, "x", 1, &error), PAWL_E_NOT_FOUND);
    assert_string_equal(error.code, "unknown_process");
}

/* The process ends while its content is on its way. */
static void test_S06_a_put_whose_process_has_ended_leaves_nothing(void **state)
{
    fixture *own = *state;
    char reference[PAWL_REFERENCE_BYTES + 1];
    pawl_error error = {0};
    pawl_put *put = NULL;
    const pawl_put_options options = put_options("process:p", "x", NULL);
    start(own, "p", "test.gate", "1");
    assert_ok(pawl_host_put(own->host, &options, &put, &why_));
    assert_ok(pawl_put_write(put, "x", 1, &why_));
    assert_ok(pawl_host_terminate(own->host, "p", "test", &why_));
    expect_end(own, "p", "terminated", NULL);
    assert_int_equal(pawl_put_commit(put, reference, NULL, &error), PAWL_E_TERMINAL);
    assert_int_equal(listed(own, "process:p"), 0);
}

static void test_S06_what_does_not_fit_leaves_nothing(void **state)
{
    fixture *own = *state;
    char reference[PAWL_REFERENCE_BYTES + 1];
    char other[PAWL_REFERENCE_BYTES + 1];
    pawl_error error = {0};
    pawl_put *put = NULL;
    reference_of("another", 7, other);
    const struct {
        pawl_put_options options;
        pawl_status status;
        const char *code;
    } bad[] = {
        {put_options("ann", "x", other), PAWL_E_CONFLICT, "attachment.digest"},
        {put_options("ann", "x", "sha256:12"), PAWL_E_INVALID, "attachment.reference"},
        {put_options("ann", "a\nb", NULL), PAWL_E_INVALID, "attachment.invalid"},
        {put_options("pawl:handles", "x", NULL), PAWL_E_INVALID, "invalid_session"},
        {put_options("", "x", NULL), PAWL_E_INVALID, NULL},
        {put_options(NULL, "x", NULL), PAWL_E_INVALID, "missing_scope"},
        {put_options("process:", "x", NULL), PAWL_E_INVALID, NULL},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(try_put(own, &bad[i].options, "content", 7, &error), bad[i].status);
        if (bad[i].code != NULL)
            assert_string_equal(error.code, bad[i].code);
    }
    assert_int_equal(listed(own, "ann"), 0);
    const pawl_put_options options = put_options("ann", "x", NULL);
    assert_ok(pawl_host_put(own->host, &options, &put, &why_)); /* begun, and broken off */
    assert_ok(pawl_put_write(put, "content", 7, &why_));
    assert_null(pawl_put_abort(put));
    assert_null(pawl_put_abort(NULL));
    reference_of("content", 7, reference);
    expect_none(own, "ann", reference);
    pawl_text text = {0};
    assert_int_equal(pawl_host_attachment_read(own->host, "ann", "md5:1", 0, 1, &text, NULL, &error), PAWL_E_INVALID);
    assert_int_equal(pawl_host_attachment_list(own->host, "ann", "x", 0, &text, &error), PAWL_E_INVALID);
    assert_int_equal(pawl_host_attachment_list(own->host, "ann", NULL, 1001, &text, &error), PAWL_E_INVALID);
}

static void test_S06_limits_and_known_sessions_are_the_profiles(void **state)
{
    fixture *own = *state;
    static char data[65537];
    pawl_error error = {0};
    uint64_t revision = 0;
    const pawl_put_options options = put_options("ann", "x", NULL);
    assert_int_equal(try_put(own, &options, data, 10, &error), PAWL_E_NOT_FOUND);
    assert_string_equal(error.code, "unknown_session");
    assert_ok(pawl_host_session_commit(own->host, "ann", 0, NULL, NULL, 0, &revision, &why_));
    assert_int_equal(try_put(own, &options, data, sizeof data, &error), PAWL_E_LIMIT);
    assert_string_equal(error.code, "attachment.too_large");
    assert_int_equal(listed(own, "ann"), 0);
    assert_ok(try_put(own, &options, data, sizeof data - 1, &why_));
    char reference[PAWL_REFERENCE_BYTES + 1];
    reference_of(data, sizeof data - 1, reference);
    assert_int_equal(pawl_host_attachment_share(own->host, "ann", reference, "bob", &error), PAWL_E_NOT_FOUND);
    assert_string_equal(error.code, "unknown_session");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_S05_what_is_put_is_found_in_ranges_and_pages),
        OVER_BOTH(test_S05_shared_content_outlives_the_session_it_came_from),
        cmocka_unit_test_setup_teardown(test_S05_a_process_is_a_scope, setup_rocksdb, teardown),
        cmocka_unit_test_setup_teardown(test_S06_a_put_whose_process_has_ended_leaves_nothing, setup_memory, teardown),
        cmocka_unit_test_setup_teardown(test_S06_what_does_not_fit_leaves_nothing, setup_memory, teardown),
        cmocka_unit_test_setup_teardown(test_S06_limits_and_known_sessions_are_the_profiles, open_small, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
