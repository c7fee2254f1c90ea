/* reference_test.c: the example and the reference say what the code does: every key is in both, with its default. */
#include "fixture.h"

#include "host/profile/schema.h"
#include "host/profile/value.h"

#include <stdlib.h>
#include <string.h>

#define EXAMPLE   PAWL_SOURCE_DIR "/examples/profile.yaml"
#define REFERENCE PAWL_SOURCE_DIR "/docs/profile.md"

static void test_example_loads_without_problems(void **state)
{
    (void)state;
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    pawl_status status = pawl_profile_load(EXAMPLE, &profile, &problems);
    pawl_problems_print(&problems, stderr);
    assert_int_equal(status, PAWL_OK);
    assert_int_equal(problems.count, 0);
    pawl_profile_free(profile);
    pawl_problems_free(&problems);
}

/* Does a line of text begin with `key:`, after blanks and a dash, perhaps as a comment? */
static bool has_key(const char *text, const char *key)
{
    size_t size = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += strspn(line, " \n-");
        if (strncmp(line, key, size) == 0 && line[size] == ':')
            return true;
    }
    return false;
}

static void look_in_example(void *context, const char *path, const pawl_key *key)
{
    if (strcmp(key->name, "NAME") != 0 && !has_key(context, key->name)) /* a name is anybody's choice */
        fail_msg("%s is missing in " EXAMPLE, path);
}

static void test_example_has_every_key(void **state)
{
    (void)state;
    char *text = read_whole_file(EXAMPLE, NULL);
    pawl_profile_schema_walk(look_in_example, text);
    free(text);
}

/* What the example shows as a default is the default: leaving the section out makes no difference. */
static void test_example_shows_the_defaults(void **state)
{
    (void)state;
    pawl_profile *example = NULL;
    pawl_problem_list problems = {0};
    assert_int_equal(pawl_profile_load(EXAMPLE, &example, &problems), PAWL_OK);
    pawl_profile *bare = parse_good(HEAD);
    json_t *shown = pawl_profile_describe(example);
    json_t *used = pawl_profile_describe(bare);
    static const char *const sections[] = {"retry", "timeouts", "limits", "worker", "log"};
    assert_int_equal(json_object_del(json_object_get(shown, "worker"), "name"), 0);
    assert_int_equal(json_object_del(json_object_get(used, "worker"), "name"), 0);
    assert_int_equal(json_object_del(json_object_get(shown, "retry"), "non_retryable"), 0);
    assert_int_equal(json_object_del(json_object_get(used, "retry"), "non_retryable"), 0);
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        print_message("%s\n", sections[i]);
        assert_true(json_equal(json_object_get(shown, sections[i]), json_object_get(used, sections[i])));
    }
    json_decref(shown);
    json_decref(used);
    pawl_profile_free(example);
    pawl_profile_free(bare);
    pawl_problems_free(&problems);
}

static void range_of(const pawl_key *key, char *text, size_t room)
{
    char least[PAWL_VALUE_TEXT] = "";
    char most[PAWL_VALUE_TEXT] = "";
    *text = 0;
    if (key->kind == PAWL_KEY_DURATION) {
        pawl_format_duration(key->min, least);
        pawl_format_duration(key->max, most);
    } else if (key->kind == PAWL_KEY_SIZE) {
        pawl_format_size(key->min, least);
        pawl_format_size(key->max, most);
    } else if (key->kind == PAWL_KEY_COUNT || key->kind == PAWL_KEY_DECIMAL) {
        (void)snprintf(least, sizeof(least), "%llu", (unsigned long long)key->min);
        (void)snprintf(most, sizeof(most), "%llu", (unsigned long long)key->max);
    } else {
        return;
    }
    (void)snprintf(text, room, "| %s to %s |", least, most);
}

/* A row of the reference: "| `path` | type | default | range | meaning |". */
static void look_in_reference(void *context, const char *path, const pawl_key *key)
{
    char start[300];
    (void)snprintf(start, sizeof(start), "\n| `%s` |", path);
    if (strncmp(path, "effects.NAME.retry.", 19) == 0 || strncmp(path, "effects.NAME.rate_limit.", 24) == 0 ||
        strncmp(path, "effects.NAME.circuit.", 21) == 0 || strncmp(path, "types.NAME.per_key.rate_limit.", 30) == 0)
        return; /* said once, at `retry`, at `connectors` and at `types.NAME.rate_limit` */
    const char *row = strstr(context, start);
    if (!row)
        fail_msg("no row for %s in " REFERENCE, path);
    char *copy = strndup(row + 1, strcspn(row + 1, "\n"));
    char wanted[128];
    if (key->required)
        (void)snprintf(wanted, sizeof(wanted), "| required |");
    else
        (void)snprintf(wanted, sizeof(wanted), "| `%s` |", key->initial ? key->initial : "");
    if ((key->required || key->initial) && !strstr(copy, wanted))
        fail_msg("the row of %s should have %s: %s", path, wanted, copy);
    for (const pawl_choice *c = key->choices; c && c->word; c++) {
        (void)snprintf(wanted, sizeof(wanted), "`%s`", c->word);
        if (!strstr(copy, wanted))
            fail_msg("the row of %s should have %s: %s", path, wanted, copy);
    }
    range_of(key, wanted, sizeof(wanted));
    if (!strstr(copy, wanted))
        fail_msg("the row of %s should have the range %s: %s", path, wanted, copy);
    free(copy);
}

static void test_reference_has_every_key_with_its_default(void **state)
{
    (void)state;
    char *text = read_whole_file(REFERENCE, NULL);
    pawl_profile_schema_walk(look_in_reference, text);
    free(text);
}

/* Every default must itself be a value that may be written. */
static void write_default(void *context, const char *path, const pawl_key *key)
{
    const char *dot = strchr(path, '.');
    if (!key->initial || !dot || strchr(path, '[') || strstr(path, "NAME"))
        return;
    (void)fprintf(context, "%.*s: {%s: %s}\n", (int)(dot - path), path, key->name, key->initial);
}

static void test_defaults_can_be_written(void **state)
{
    (void)state;
    char *lines = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&lines, &size);
    assert_non_null(out);
    pawl_profile_schema_walk(write_default, out);
    assert_int_equal(fclose(out), 0);
    size_t count = 0;
    for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
        char text[512];
        (void)snprintf(text, sizeof(text), HEAD "%s\n", line);
        pawl_profile *profile = parse_good(text);
        pawl_profile_free(profile);
        count++;
    }
    assert_true(count > 20);
    free(lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example_loads_without_problems),
        cmocka_unit_test(test_example_has_every_key),
        cmocka_unit_test(test_example_shows_the_defaults),
        cmocka_unit_test(test_reference_has_every_key_with_its_default),
        cmocka_unit_test(test_defaults_can_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
