/* secret_test.c: resolving references, from real files and the real environment; and that no value is ever shown. */
#include "fixture.h"

#include "host/profile/secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALUE "s3cr3t-value"

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

/* {"a": [{"k": {"secret": "PREFIX..."}}], "n": 5} */
static json_t *config_with(const char *prefix, const char *rest)
{
    json_t *config = json_pack("{s:[{s:{s:s+}}], s:i}", "a", "k", "secret", prefix, rest, "n", 5);
    assert_non_null(config);
    return config;
}

static void expect_resolved(json_t *config, const char *value)
{
    json_t *before = json_deep_copy(config);
    json_t *resolved = NULL;
    pawl_error error = {0};
    if (pawl_secret_resolve(config, &resolved, &error) != PAWL_OK)
        fail_msg("%s", error.message);
    json_t *found = json_object_get(json_array_get(json_object_get(resolved, "a"), 0), "k");
    assert_string_equal(json_string_value(found), value);
    assert_int_equal(json_integer_value(json_object_get(resolved, "n")), 5);
    assert_true(json_equal(config, before)); /* the original keeps its references */
    json_decref(before);
    json_decref(config);
    pawl_secret_forget(resolved);
}

static void expect_refusal(json_t *config, pawl_status status, const char *code, const char *gist)
{
    json_t *resolved = NULL;
    pawl_error error = {0};
    assert_int_equal(pawl_secret_resolve(config, &resolved, &error), status);
    assert_null(resolved);
    assert_string_equal(error.code, code);
    if (!strstr(error.message, gist) || strncmp(error.message, "a: [0]: k: ", 11) != 0)
        fail_msg("%s", error.message);
    assert_null(strstr(error.message, VALUE));
    assert_int_equal(pawl_secret_resolve(config, &resolved, NULL), status);
    json_decref(config);
}

static void expect_file(const char *directory, const char *content, size_t size, unsigned mode, const char *value,
                        pawl_status status, const char *code, const char *gist)
{
    char *path = write_file(directory, "token", content, size, mode);
    json_t *config = config_with("file:", path);
    if (value)
        expect_resolved(config, value);
    else
        expect_refusal(config, status, code, gist);
    free(path);
}

static void test_environment(void **state)
{
    (void)state;
    assert_int_equal(setenv("PAWL_TEST_SECRET", VALUE, 1), 0);
    expect_resolved(config_with("env:", "PAWL_TEST_SECRET"), VALUE);
    assert_int_equal(setenv("PAWL_TEST_SECRET", "", 1), 0);
    expect_refusal(config_with("env:", "PAWL_TEST_SECRET"), PAWL_E_INVALID, "secret.empty",
                   "secret env:PAWL_TEST_SECRET");
    assert_int_equal(setenv("PAWL_TEST_SECRET", "\xff" VALUE, 1), 0);
    expect_refusal(config_with("env:", "PAWL_TEST_SECRET"), PAWL_E_INVALID, "secret.encoding", "not UTF-8");
    assert_int_equal(unsetenv("PAWL_TEST_SECRET"), 0);
    expect_refusal(config_with("env:", "PAWL_TEST_SECRET"), PAWL_E_NOT_FOUND, "secret.not_found",
                   "secret env:PAWL_TEST_SECRET: the environment variable is not set");
}

static void test_file_without_its_newline(void **state)
{
    expect_file(*state, VALUE, strlen(VALUE), 0600, VALUE, 0, NULL, NULL);
    expect_file(*state, VALUE "\n", strlen(VALUE) + 1, 0600, VALUE, 0, NULL, NULL);
    expect_file(*state, VALUE "\r\n", strlen(VALUE) + 2, 0640, VALUE, 0, NULL, NULL);
    expect_file(*state, VALUE "\n\n", strlen(VALUE) + 2, 0600, VALUE "\n", 0, NULL, NULL);
}

static void test_file_that_is_no_text(void **state)
{
    expect_file(*state, "", 0, 0600, NULL, PAWL_E_INVALID, "secret.empty", "empty");
    expect_file(*state, "\n", 1, 0600, NULL, PAWL_E_INVALID, "secret.empty", "empty");
    expect_file(*state, VALUE "\0x", strlen(VALUE) + 2, 0600, NULL, PAWL_E_INVALID, "secret.encoding", "NUL");
    expect_file(*state, VALUE "\xff", strlen(VALUE) + 1, 0600, NULL, PAWL_E_INVALID, "secret.encoding", "not UTF-8");
}

static void test_file_open_to_others_is_refused(void **state)
{
    expect_file(*state, VALUE, strlen(VALUE), 0644, NULL, PAWL_E_INVALID, "secret.open_to_others", "mode 0644");
    expect_file(*state, VALUE, strlen(VALUE), 0602, NULL, PAWL_E_INVALID, "secret.open_to_others", "may write");
}

static void test_file_size_limit(void **state)
{
    char *large = malloc(PAWL_SECRET_BYTES_MAX + 3);
    assert_non_null(large);
    memset(large, 'x', PAWL_SECRET_BYTES_MAX + 3);
    char *most = strndup(large, PAWL_SECRET_BYTES_MAX);
    expect_file(*state, large, PAWL_SECRET_BYTES_MAX, 0600, most, 0, NULL, NULL);
    expect_file(*state, large, PAWL_SECRET_BYTES_MAX + 1, 0600, NULL, PAWL_E_LIMIT, "secret.too_large", "65536");
    expect_file(*state, large, PAWL_SECRET_BYTES_MAX + 3, 0600, NULL, PAWL_E_LIMIT, "secret.too_large", "65536");
    large[PAWL_SECRET_BYTES_MAX] = '\n'; /* the newline does not count */
    expect_file(*state, large, PAWL_SECRET_BYTES_MAX + 1, 0600, most, 0, NULL, NULL);
    free(most);
    free(large);
}

static void test_file_must_be_regular(void **state)
{
    char *path = NULL;
    assert_true(asprintf(&path, "%s/missing", (char *)*state) > 0);
    expect_refusal(config_with("file:", path), PAWL_E_NOT_FOUND, "secret.not_found", "/missing: cannot open the file");
    expect_refusal(config_with("file:", *state), PAWL_E_INVALID, "secret.not_regular", "not a regular file");
    assert_int_equal(mkfifo(path, 0600), 0); /* must not wait for a writer */
    expect_refusal(config_with("file:", path), PAWL_E_INVALID, "secret.not_regular", "not a regular file");
    free(path);
}

static void test_symbolic_link_is_followed(void **state)
{
    char *target = write_file(*state, "real", VALUE, strlen(VALUE), 0600);
    char *link_path = NULL;
    assert_true(asprintf(&link_path, "%s/link", (char *)*state) > 0);
    assert_int_equal(symlink(target, link_path), 0);
    expect_resolved(config_with("file:", link_path), VALUE);
    free(link_path);
    free(target);
}

static void test_what_is_no_reference_is_not_shown(void **state)
{
    (void)state;
    expect_refusal(config_with(VALUE, ""), PAWL_E_INVALID, "secret.reference", "never as itself");
    expect_refusal(config_with("env:", ""), PAWL_E_INVALID, "secret.reference", "env:NAME");
    expect_refusal(config_with("env:", "1X"), PAWL_E_INVALID, "secret.reference", "env:NAME");
    expect_refusal(config_with("env:", "A B"), PAWL_E_INVALID, "secret.reference", "env:NAME");
    expect_refusal(config_with("file:", ""), PAWL_E_INVALID, "secret.reference", "file:PATH");
}

static void test_text_for_a_plugin(void **state)
{
    (void)state;
    assert_int_equal(setenv("PAWL_TEST_SECRET", VALUE, 1), 0);
    json_t *config = config_with("env:", "PAWL_TEST_SECRET");
    char *text = NULL;
    size_t size = 0;
    pawl_error error = {0};
    assert_int_equal(pawl_secret_resolve_text(config, &text, &size, &error), PAWL_OK);
    assert_string_equal(text, "{\"a\":[{\"k\":\"" VALUE "\"}],\"n\":5}");
    assert_int_equal(size, strlen(text));
    pawl_secret_forget_text(text, size);
    assert_int_equal(unsetenv("PAWL_TEST_SECRET"), 0);
    assert_int_equal(pawl_secret_resolve_text(config, &text, &size, &error), PAWL_E_NOT_FOUND);
    json_decref(config);
    pawl_secret_forget(NULL);
    pawl_secret_forget_text(NULL, 0);
}

/* The profile itself, and what describes it, hold the reference even when the secret could be resolved. */
static void test_description_shows_references_only(void **state)
{
    (void)state;
    assert_int_equal(setenv("PAWL_TEST_SECRET", VALUE, 1), 0);
    pawl_profile *profile =
        parse_good(HEAD "connectors: {a: {plugin: b, config: {k: {secret: env:PAWL_TEST_SECRET}}}}\n");
    json_t *description = pawl_profile_describe(profile);
    char *text = json_dumps(description, 0);
    assert_non_null(strstr(text, "{\"secret\": \"env:PAWL_TEST_SECRET\"}"));
    assert_null(strstr(text, VALUE));
    free(text);
    json_decref(description);
    pawl_profile_free(profile);
    assert_int_equal(unsetenv("PAWL_TEST_SECRET"), 0);
}

/* Changing a description must not reach into the profile. */
static void test_description_is_a_copy(void **state)
{
    (void)state;
    pawl_profile *profile = parse_good(HEAD "connectors: {a: {plugin: b, config: {k: {x: 1}}}}\n");
    json_t *description = pawl_profile_describe(profile);
    json_t *config = json_object_get(json_object_get(json_object_get(description, "connectors"), "a"), "config");
    assert_int_equal(json_object_clear(json_object_get(config, "k")), 0);
    assert_int_equal(json_object_size(json_object_get(profile->connectors[0].config, "k")), 1);
    json_decref(description);
    pawl_profile_free(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_environment),
        cmocka_unit_test_setup_teardown(test_file_without_its_newline, make, clean),
        cmocka_unit_test_setup_teardown(test_file_that_is_no_text, make, clean),
        cmocka_unit_test_setup_teardown(test_file_open_to_others_is_refused, make, clean),
        cmocka_unit_test_setup_teardown(test_file_size_limit, make, clean),
        cmocka_unit_test_setup_teardown(test_file_must_be_regular, make, clean),
        cmocka_unit_test_setup_teardown(test_symbolic_link_is_followed, make, clean),
        cmocka_unit_test(test_what_is_no_reference_is_not_shown),
        cmocka_unit_test(test_text_for_a_plugin),
        cmocka_unit_test(test_description_shows_references_only),
        cmocka_unit_test(test_description_is_a_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
