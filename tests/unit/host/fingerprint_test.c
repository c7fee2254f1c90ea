/* fingerprint_test.c: what counts as the same request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/operation/fingerprint.h"
#include "worker/base/sink.h"

#include <stdlib.h>

static void expect_canonical(const char *text, const char *wanted)
{
    size_t size = 0;
    char *canonical = pawl_canonical_json(pawl_bytes_text(text), &size);
    if (wanted == NULL) {
        assert_null(canonical);
        return;
    }
    assert_non_null(canonical);
    assert_string_equal(canonical, wanted);
    assert_int_equal(size, strlen(wanted));
    free(canonical);
}

static void test_R02_canonical_form(void **state)
{
    (void)state;
    expect_canonical("{ \"b\" : 1, \"a\" : [ 1.0, 1e2, -0.0, 1.5 ] }", "{\"a\":[1,100,0,1.5],\"b\":1}");
    expect_canonical("\t7.0 ", "7");
    expect_canonical("\"x\\u0041\"", "\"xA\"");
    expect_canonical("{\"z\":{\"y\":null,\"x\":true}}", "{\"z\":{\"x\":true,\"y\":null}}");
    expect_canonical("9007199254740993", "9007199254740993"); /* an integer stays exact */
    expect_canonical("1e300", "1.0000000000000001e300");
    expect_canonical("", NULL);
    expect_canonical("not json", NULL);
    expect_canonical("{\"a\":1,\"a\":2}", NULL); /* says two things: not JSON for us */
    expect_canonical("[1] x", NULL);
}

static int same(const char *domain, pawl_bytes part, const char *a, const char *b)
{
    uint8_t first[PAWL_FINGERPRINT_SIZE];
    uint8_t second[PAWL_FINGERPRINT_SIZE];
    assert_int_equal(pawl_fingerprint(domain, &part, 1, pawl_bytes_text(a), first, NULL), PAWL_OK);
    assert_int_equal(pawl_fingerprint(domain, &part, 1, pawl_bytes_text(b), second, NULL), PAWL_OK);
    return memcmp(first, second, sizeof first) == 0;
}

static void test_R02_meaning_counts_and_spelling_does_not(void **state)
{
    (void)state;
    pawl_bytes part = pawl_bytes_text("x");
    assert_true(same("start", part, "{\"a\":1,\"b\":2}", "{\"b\":2.0, \"a\":1}"));
    assert_false(same("start", part, "{\"a\":1}", "{\"a\":2}"));
    assert_false(same("start", part, "[1,2]", "[2,1]"));
    assert_false(same("start", part, "1", "\"1\""));
    assert_false(same("start", part, "9007199254740993", "9007199254740992"));
    assert_true(same("start", part, "plain text", "plain text"));
    assert_false(same("start", part, "plain text", "plain  text"));
    assert_false(same("start", part, "", "null"));
}

static void test_R09_parts_do_not_run_together(void **state)
{
    (void)state;
    const pawl_bytes first[] = {pawl_bytes_text("ab"), pawl_bytes_text("c")};
    const pawl_bytes second[] = {pawl_bytes_text("a"), pawl_bytes_text("bc")};
    uint8_t a[PAWL_FINGERPRINT_SIZE];
    uint8_t b[PAWL_FINGERPRINT_SIZE];
    assert_int_equal(pawl_fingerprint("start", first, 2, pawl_bytes_text("1"), a, NULL), PAWL_OK);
    assert_int_equal(pawl_fingerprint("start", second, 2, pawl_bytes_text("1"), b, NULL), PAWL_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(pawl_fingerprint("signal", first, 2, pawl_bytes_text("1"), b, NULL), PAWL_OK);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_R02_canonical_form),
        cmocka_unit_test(test_R02_meaning_counts_and_spelling_does_not),
        cmocka_unit_test(test_R09_parts_do_not_run_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
