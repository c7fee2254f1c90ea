/* versions_test.c: several versions of one plugin: what begins with which, what goes on with which, and what becomes of
 * a process whose version is not there. Real files, loaded as any other plugin. */
#include "fixture.h"

#include "test_plugin.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_OF(name) PAWL_TEST_VERSIONS "/versions-" name ".so"

static int setup(void **state)
{
    fixture *own = fixture_make("rocksdb");
    test_plugin_reset();
    *state = own;
    return 0;
}

static void digest_of(const char *name, char digest[65])
{
    char path[600];
    pawl_text text = {0};
    snprintf(path, sizeof path, "%s/versions-%s.so", PAWL_TEST_VERSIONS, name);
    assert_ok(pawl_plugin_inspect(path, &text, &why_));
    json_t *facts = json_of(&text);
    snprintf(digest, 65, "%s", text_of(facts, "digest"));
    json_decref(facts);
}

/* Open the host with these versions, in this order: "first, rebuilt" or "first!, rebuilt"; ! marks the current one. */
static pawl_status try_open(fixture *own, const char *names, pawl_error *error)
{
    char profile[4096];
    int size = snprintf(profile, sizeof profile,
                        "profile: versions\ntier: durable\ndata: %s/data\nstores: { main: { provider: rocksdb } }\n"
                        "plugins:\n",
                        own->directory);
    char copy[200];
    snprintf(copy, sizeof copy, "%s", names);
    for (char *rest = copy, *name; (name = strtok_r(rest, ", ", &rest)) != NULL;) {
        size_t length = strcspn(name, "!");
        size += snprintf(profile + size, sizeof profile - (size_t)size,
                         "- { path: %s/versions-%.*s.so, dev: true, current: %s }\n", PAWL_TEST_VERSIONS, (int)length,
                         name, name[length] == '!' ? "true" : "false");
    }
    return fixture_try_open(own, profile, error);
}

static void open_with(fixture *own, const char *names)
{
    pawl_error error = {0};
    if (try_open(own, names, &error) != PAWL_OK)
        fail_msg("%s: %s", error.code, error.message);
}

static void reopen_with(fixture *own, const char *names)
{
    fixture_close(own);
    open_with(own, names);
}

/* It has done its first step and waits for the signal. */
static void begin(fixture *own, const char *id)
{
    start(own, id, "ver.order", "1");
    json_decref(until(own, id, "waiting"));
}

static void go(fixture *own, const char *id)
{
    signal_it(own, id, "go", "1");
}

static void expect_pinned(fixture *own, const char *id, const char *name, int revision)
{
    char digest[65];
    json_t *row = shown(own, id);
    digest_of(name, digest);
    assert_string_equal(text_of(row, "digest"), digest);
    assert_int_equal(json_integer_value(json_object_get(row, "revision")), revision);
    assert_string_equal(text_of(row, "plugin"), "test.versions");
    json_decref(row);
}

static bool journal_has(fixture *own, const char *id, const char *part)
{
    pawl_text text = {0};
    assert_ok(pawl_host_journal(own->host, id, 1, 0, 0, &text, &why_));
    bool found = strstr(text.data, part) != NULL;
    pawl_text_free(&text);
    return found;
}

static void test_V07_new_processes_begin_with_the_current_version_and_old_ones_keep_theirs(void **state)
{
    fixture *own = *state;
    open_with(own, "first");
    begin(own, "a");
    reopen_with(own, "first, rebuilt");
    expect_pinned(own, "a", "first", 1);
    begin(own, "b");
    expect_pinned(own, "b", "rebuilt", 1);
    go(own, "a");
    go(own, "b");
    expect_end(own, "a", "completed", "111"); /* its effects, too, are those of its version */
    expect_end(own, "b", "completed", "222");
    assert_false(journal_has(own, "a", "pinned"));
    reopen_with(own, "first!, rebuilt"); /* back, without taking anything away */
    begin(own, "c");
    expect_pinned(own, "c", "first", 1);
}

static void test_V07_a_rebuilt_plugin_takes_over_after_a_trial_replay(void **state)
{
    fixture *own = *state;
    open_with(own, "first");
    begin(own, "a");
    begin(own, "b");
    reopen_with(own, "rebuilt");
    go(own, "a");
    expect_end(own, "a", "completed", "122");
    expect_pinned(own, "a", "rebuilt", 1);
    assert_true(journal_has(own, "a", "\"kind\":\"pinned\""));
    reopen_with(own, "next"); /* another revision, which says that it can */
    go(own, "b");
    expect_end(own, "b", "completed", "144");
    expect_pinned(own, "b", "next", 2);
}

static void test_V07_P16_a_trial_replay_that_differs_parks_and_writes_nothing(void **state)
{
    fixture *own = *state;
    open_with(own, "first");
    begin(own, "a");
    json_t *before = shown(own, "a");
    json_int_t head = json_integer_value(json_object_get(before, "head"));
    json_decref(before);
    reopen_with(own, "changed");
    go(own, "a");
    json_t *row = until(own, "a", "stuck");
    assert_string_equal(text_of(row, "reason_code"), "nondeterminism");
    assert_has(text_of(row, "reason"), "ver.note");
    assert_has(text_of(row, "reason"), "ver.other");
    assert_has(text_of(row, "reason"), "pinned to plugin test.versions, revision 1, binary ");
    json_decref(row);
    row = shown(own, "a");
    assert_int_equal(json_integer_value(json_object_get(row, "head")), head + 2); /* the signal, and why it is stuck */
    assert_null(json_object_get(row, "document"));
    json_decref(row);
    expect_pinned(own, "a", "first", 1);
    reopen_with(own, "first, changed");
    expect_end(own, "a", "completed", "111"); /* by itself */
    assert_true(journal_has(own, "a", "what it lacked is here again"));
}

static void test_V07_P16_a_version_that_is_not_there_parks_its_processes(void **state)
{
    fixture *own = *state;
    open_with(own, "next");
    begin(own, "a");
    reopen_with(own, "first"); /* revision 2 is unknown to it */
    go(own, "a");
    json_t *row = until(own, "a", "stuck");
    assert_string_equal(text_of(row, "reason_code"), "missing_plugin");
    assert_has(text_of(row, "reason"), "plugin test.versions, revision 2, binary ");
    json_decref(row);
    reopen_with(own, "first"); /* what it lacks is still not here: it stays as it is */
    begin(own, "b");
    row = until(own, "a", "stuck");
    json_decref(row);
    assert_false(journal_has(own, "a", "resumed"));
    reopen_with(own, "strict"); /* the revision is the same, and it takes no other binary's processes */
    go(own, "b");
    row = until(own, "b", "stuck");
    assert_string_equal(text_of(row, "reason_code"), "missing_plugin");
    json_decref(row);
    reopen_with(own, "first, strict, next");
    expect_end(own, "a", "completed", "444"); /* having it again is enough */
    expect_end(own, "b", "completed", "111");
}

/* How many are pinned to it, as the host counts them; -1: it does not know this version. */
static int pinned_to(fixture *own, const char *name, bool loaded, bool current)
{
    char digest[65];
    pawl_text text = {0};
    int found = -1;
    size_t i;
    json_t *plugin;
    digest_of(name, digest);
    assert_ok(pawl_host_versions(own->host, 0, &text, &why_));
    json_t *versions = json_of(&text);
    assert_true(json_is_true(json_object_get(versions, "complete")));
    json_array_foreach(json_object_get(versions, "plugins"), i, plugin)
    {
        const char *of = json_string_value(json_object_get(plugin, "digest"));
        if (of == NULL || strcmp(of, digest) != 0)
            continue;
        found = (int)json_integer_value(json_object_get(plugin, "processes"));
        assert_int_equal(json_is_true(json_object_get(plugin, "loaded")), loaded);
        assert_string_equal(text_of(plugin, "id"), "test.versions"); /* from what is kept, when it is not loaded */
        assert_int_equal(json_is_true(json_object_get(plugin, "current")), current);
    }
    json_decref(versions);
    return found;
}

static json_int_t listed(fixture *own, const char *plugin, const char *digest)
{
    const pawl_list_options options = {.struct_size = sizeof options, .limit = 2, .plugin = plugin, .digest = digest};
    pawl_list_options page = options;
    json_int_t count = 0;
    do {
        pawl_text text = {0};
        assert_ok(pawl_host_list(own->host, &page, &text, &why_));
        json_t *rows = json_of(&text);
        assert_true(json_array_size(json_object_get(rows, "processes")) <= 2);
        count += (json_int_t)json_array_size(json_object_get(rows, "processes"));
        page.after = (uint64_t)json_integer_value(json_object_get(rows, "next"));
        json_decref(rows);
    } while (page.after != 0);
    pawl_text text = {0};
    assert_ok(pawl_host_count(own->host, &options, 0, &text, &why_));
    json_t *counted = json_of(&text);
    assert_int_equal(json_integer_value(json_object_get(counted, "count")), count);
    json_decref(counted);
    return count;
}

static void test_P12_a_version_is_kept_until_nobody_is_pinned_to_it(void **state)
{
    fixture *own = *state;
    static const char *const ids[] = {"a", "b", "c", "d", "e"};
    char first[65], rebuilt[65];
    pawl_error error = {0};
    digest_of("first", first);
    digest_of("rebuilt", rebuilt);
    open_with(own, "first");
    for (size_t i = 0; i < 5; i++)
        begin(own, ids[i]);
    reopen_with(own, "first, rebuilt");
    begin(own, "f");
    assert_int_equal(pinned_to(own, "first", true, false), 5);
    assert_int_equal(pinned_to(own, "rebuilt", true, true), 1);
    assert_int_equal(listed(own, NULL, first), 5);
    first[10] = '\0'; /* as it is shown */
    assert_int_equal(listed(own, "test.versions", first), 5);
    digest_of("first", first);
    assert_int_equal(listed(own, "test.versions", NULL), 6);
    assert_int_equal(listed(own, "other", first), 0);
    assert_int_equal(pawl_host_forget_version(own->host, first, &error), PAWL_E_BUSY);
    assert_string_equal(error.code, "plugin.loaded");
    reopen_with(own, "rebuilt");
    assert_int_equal(pinned_to(own, "first", false, false), 5); /* nothing has woken them */
    assert_int_equal(pawl_host_forget_version(own->host, first, &error), PAWL_E_BUSY);
    assert_string_equal(error.code, "plugin.pinned");
    assert_has(error.message, "\"a\"");
    for (size_t i = 0; i < 5; i++) {
        go(own, ids[i]);
        expect_end(own, ids[i], "completed", "122");
    }
    assert_int_equal(pinned_to(own, "first", false, false), 0);
    assert_ok(pawl_host_forget_version(own->host, first, &why_));
    assert_int_equal(pinned_to(own, "first", false, false), -1);
    assert_int_equal(pawl_host_forget_version(own->host, first, &error), PAWL_E_NOT_FOUND);
    assert_int_equal(pinned_to(own, "rebuilt", true, true), 1);
}

static void test_P12_a_kept_copy_may_be_listed_when_the_file_is_gone(void **state)
{
    fixture *own = *state;
    char digest[65], profile[2048];
    pawl_error error = {0};
    open_with(own, "first");
    begin(own, "a");
    fixture_close(own);
    digest_of("first", digest);
    snprintf(profile, sizeof profile,
             "profile: versions\ntier: durable\ndata: %s/data\nstores: { main: { provider: rocksdb } }\n"
             "plugins:\n- { path: %s/data/plugins/%s.so, sha256: %s }\n- { path: %s, dev: true }\n",
             own->directory, own->directory, digest, digest, FILE_OF("changed"));
    if (fixture_try_open(own, profile, &error) != PAWL_OK)
        fail_msg("%s: %s", error.code, error.message);
    go(own, "a");
    expect_end(own, "a", "completed", "111");
    expect_pinned(own, "a", "first", 1);
}

static void expect_refused(fixture *own, const char *names, const char *code, const char *part, const char *place)
{
    pawl_error error = {0};
    assert_int_not_equal(try_open(own, names, &error), PAWL_OK);
    assert_string_equal(error.code, code);
    assert_has(error.message, part);
    assert_has(error.message, place);
}

static void test_P03_versions_that_cannot_stand_beside_each_other_are_refused_with_their_place(void **state)
{
    fixture *own = *state;
    expect_refused(own, "first!, rebuilt!", "loader.duplicate_plugin", "marked as current", "(profile):7:3");
    expect_refused(own, "first!, rebuilt!", "loader.duplicate_plugin", "(profile):6:3", "versions-rebuilt.so");
    expect_refused(own, "first, rival", "loader.duplicate_effect", "test.rival", "(profile):7:3");
    open_with(own, "first, rebuilt, next");
}

static void copy_file(const char *from, const char *to)
{
    char bytes[4096];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_non_null(in);
    assert_non_null(out);
    for (size_t size; (size = fread(bytes, 1, sizeof bytes, in)) > 0;)
        assert_int_equal(fwrite(bytes, 1, size, out), size);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static void test_P14_the_same_bytes_are_one_version_wherever_they_lie(void **state)
{
    fixture *own = *state;
    char copy[200], profile[2048];
    pawl_error error = {0};
    snprintf(copy, sizeof copy, "%s/copy.so", own->directory);
    copy_file(FILE_OF("first"), copy);
    snprintf(profile, sizeof profile,
             "profile: twice\ntier: inline\ndata: %s/data\nstores: { main: { provider: memory } }\n"
             "plugins: [ { path: %s, dev: true }, { path: %s, dev: true } ]\n",
             own->directory, FILE_OF("first"), copy);
    assert_int_equal(fixture_try_open(own, profile, &error), PAWL_E_CONFLICT);
    assert_string_equal(error.code, "loader.duplicate_plugin");
    assert_has(error.message, "the same file");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_V07_new_processes_begin_with_the_current_version_and_old_ones_keep_theirs),
        TEST(test_V07_a_rebuilt_plugin_takes_over_after_a_trial_replay),
        TEST(test_V07_P16_a_trial_replay_that_differs_parks_and_writes_nothing),
        TEST(test_V07_P16_a_version_that_is_not_there_parks_its_processes),
        TEST(test_P12_a_version_is_kept_until_nobody_is_pinned_to_it),
        TEST(test_P12_a_kept_copy_may_be_listed_when_the_file_is_gone),
        TEST(test_P03_versions_that_cannot_stand_beside_each_other_are_refused_with_their_place),
        TEST(test_P14_the_same_bytes_are_one_version_wherever_they_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
