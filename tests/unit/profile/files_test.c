/* files_test.c: profiles as files, and the files they name. Real files, in a directory of their own. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make(void **state)
{
    *state = make_directory();
    return 0;
}

static int clean(void **state)
{
    remove_directory(*state);
    return 0;
}

/* Load text as a file of the directory; expect one problem with this code and gist, or none for NULL. */
static void expect_load(const char *directory, const char *text, const char *code, const char *gist, uint32_t line,
                        uint32_t column)
{
    char *path = write_file(directory, "profile.yaml", text, strlen(text), 0600);
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    pawl_status status = pawl_profile_load(path, &profile, &problems);
    pawl_problems_print(&problems, stderr);
    assert_string_equal(problems.path, path);
    if (!code) {
        assert_int_equal(status, PAWL_OK);
        assert_int_equal(problems.count, 0);
        assert_string_equal(profile->directory, directory);
    } else {
        assert_int_equal(status, PAWL_E_INVALID);
        assert_null(profile);
        assert_int_equal(problems.count, 1);
        assert_string_equal(problems.items[0].code, code);
        assert_non_null(strstr(problems.items[0].message, gist));
        assert_int_equal(problems.items[0].place.line, line);
        assert_int_equal(problems.items[0].place.column, column);
    }
    pawl_profile_free(profile);
    pawl_problems_free(&problems);
    free(path);
}

static void test_H06_missing_plugin_file(void **state)
{
    expect_load(*state, HEAD "plugins:\n  - {path: lib/a.so, dev: true}\n", "profile.file", "lib/a.so: No such file", 6,
                12);
}

static void test_H06_plugin_is_a_directory(void **state)
{
    expect_load(*state, HEAD "plugins:\n  - {path: ., dev: true}\n", "profile.file", "is a directory; expected a file",
                6, 12);
}

static void test_missing_plugin_file_may_be_optional(void **state)
{
    expect_load(*state, HEAD "plugins:\n  - {path: lib/a.so, dev: true, optional: true}\n", NULL, NULL, 0, 0);
}

static void test_plugin_path_is_relative_to_the_profile(void **state)
{
    free(write_file(*state, "a.so", "", 0, 0700));
    expect_load(*state, HEAD "plugins:\n  - {path: ./a.so, dev: true}\n", NULL, NULL, 0, 0);
}

static void test_data_must_be_a_directory(void **state)
{
    free(write_file(*state, "d", "", 0, 0600));
    expect_load(*state, HEAD, "profile.file", "/d is not a directory", 3, 7);
}

static void test_loading_creates_nothing(void **state)
{
    char *data = NULL;
    assert_true(asprintf(&data, "%s/d", (char *)*state) > 0);
    expect_load(*state, HEAD, NULL, NULL, 0, 0);
    assert_int_not_equal(access(data, F_OK), 0);
    free(data);
}

static void test_place_of_a_file_that_cannot_be_read_is_the_file(void **state)
{
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    assert_int_equal(pawl_profile_load("/nonexistent/pawl.yaml", &profile, &problems), PAWL_E_NOT_FOUND);
    char *report = pawl_problems_text(&problems);
    assert_string_equal(report,
                        "/nonexistent/pawl.yaml: cannot read it: No such file or directory [profile.not_found]\n");
    free(report);
    pawl_problems_free(&problems);

    assert_int_equal(pawl_profile_load(*state, &profile, &problems), PAWL_E_IO);
    assert_string_equal(problems.items[0].code, "profile.unreadable");
    assert_non_null(strstr(problems.items[0].message, "Is a directory"));
    pawl_problems_free(&problems);
    assert_null(profile);
}

static void test_H06_empty_profile_path(void **state)
{
    (void)state;
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    assert_int_equal(pawl_profile_load("", &profile, &problems), PAWL_E_INVALID);
    assert_string_equal(problems.items[0].code, "profile.path");
    pawl_problems_free(&problems);
}

static void test_size_limit(void **state)
{
    const size_t most = PAWL_PROFILE_BYTES_MAX;
    char *text = malloc(most + 1);
    assert_non_null(text);
    memset(text, '#', most + 1);
    memcpy(text, HEAD, strlen(HEAD));
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    char *path = write_file(*state, "large.yaml", text, most + 1, 0600);
    assert_int_equal(pawl_profile_load(path, &profile, &problems), PAWL_E_LIMIT);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].code, "profile.too_large");
    assert_null(profile);
    pawl_problems_free(&problems);
    free(path);

    path = write_file(*state, "full.yaml", text, most, 0600); /* exactly the limit is allowed */
    assert_int_equal(pawl_profile_load(path, &profile, &problems), PAWL_OK);
    pawl_profile_free(profile);
    pawl_problems_free(&problems);
    free(path);
    free(text);
}

static void test_profile_named_without_directory(void **state)
{
    char here[4096];
    assert_non_null(getcwd(here, sizeof(here)));
    free(write_file(*state, "profile.yaml", HEAD, strlen(HEAD), 0600));
    assert_int_equal(chdir(*state), 0);
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    pawl_status status = pawl_profile_load("profile.yaml", &profile, &problems);
    char *expected = NULL;
    char *working = realpath(".", NULL);
    assert_true(asprintf(&expected, "%s/d/pawl.sock", working) > 0);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(status, PAWL_OK);
    assert_string_equal(profile->socket, expected);
    free(expected);
    free(working);
    pawl_profile_free(profile);
    pawl_problems_free(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_H06_missing_plugin_file, make, clean),
        cmocka_unit_test_setup_teardown(test_H06_plugin_is_a_directory, make, clean),
        cmocka_unit_test_setup_teardown(test_missing_plugin_file_may_be_optional, make, clean),
        cmocka_unit_test_setup_teardown(test_plugin_path_is_relative_to_the_profile, make, clean),
        cmocka_unit_test_setup_teardown(test_data_must_be_a_directory, make, clean),
        cmocka_unit_test_setup_teardown(test_loading_creates_nothing, make, clean),
        cmocka_unit_test_setup_teardown(test_place_of_a_file_that_cannot_be_read_is_the_file, make, clean),
        cmocka_unit_test(test_H06_empty_profile_path),
        cmocka_unit_test_setup_teardown(test_size_limit, make, clean),
        cmocka_unit_test_setup_teardown(test_profile_named_without_directory, make, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
