/* error_test.c: errors: names of statuses, wrapping, taking over what a plugin said. */
#include "test.h"

#include "worker/base/error.h"

#include <string.h>

static const pawl_status all[] = {
    PAWL_OK,          PAWL_SUSPEND,    PAWL_PENDING,     PAWL_E_FAILED,   PAWL_E_UNSUPPORTED,
    PAWL_E_INVALID,   PAWL_E_NOMEM,    PAWL_E_CANCELLED, PAWL_E_DEADLINE, PAWL_E_NONDETERMINISM,
    PAWL_E_NOT_FOUND, PAWL_E_CONFLICT, PAWL_E_STALE,     PAWL_E_TERMINAL, PAWL_E_LIMIT,
    PAWL_E_BUSY,      PAWL_E_CORRUPT,  PAWL_E_IO,        PAWL_E_FULL,     PAWL_E_CLOSED,
};

static void test_G13_each_status_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_string_not_equal(pawl_status_name(all[i]), "unknown");
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(pawl_status_name(all[i]), pawl_status_name(all[j]));
    }
    assert_string_equal(pawl_status_name(-99), "unknown");
    assert_string_equal(pawl_status_name(99), "unknown");
}

static void test_G13_a_code_that_nobody_knows_is_kept(void **state)
{
    (void)state;
    pawl_error error = {0};
    pawl_failure failure = {
        .struct_size = sizeof failure, .code = {"vendor.new_code", 15}, .message = {"something of its own", 20}};
    assert_int_equal(pawl_error_from_failure(&error, -99, &failure), -99);
    assert_int_equal(error.status, -99);
    assert_string_equal(error.code, "vendor.new_code");
    assert_string_equal(error.message, "something of its own");
    pawl_failure nothing = {.struct_size = sizeof nothing};
    assert_int_equal(pawl_error_from_failure(&error, PAWL_E_IO, &nothing), PAWL_E_IO);
    assert_string_equal(error.code, "io");
}

static void test_context_is_put_in_front_and_the_end_is_cut(void **state)
{
    (void)state;
    pawl_error error = {0};
    assert_int_equal(pawl_error_set(&error, PAWL_E_LIMIT, "a.limit", "found %d, wanted %d", 5, 4), PAWL_E_LIMIT);
    assert_int_equal(pawl_error_wrap(&error, "file %s", "x"), PAWL_E_LIMIT);
    assert_string_equal(error.message, "file x: found 5, wanted 4");
    assert_string_equal(error.code, "a.limit");
    char text[400];
    memset(text, 'c', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 20; i++)
        pawl_error_wrap(&error, "%s", text);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
    assert_int_equal(pawl_error_set(NULL, PAWL_E_IO, "x", "y"), PAWL_E_IO); /* nobody wants to know: not a crash */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_G13_each_status_has_a_name_of_its_own),
        cmocka_unit_test(test_G13_a_code_that_nobody_knows_is_kept),
        cmocka_unit_test(test_context_is_put_in_front_and_the_end_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
