/* file_plugin_test.c: plugins that are files: named in a profile, pinned, loaded, called, kept as artifacts; and the
 * tools that look at them. Uses the file connector as it is built. */
#include "fixture.h"

#include "host/host_internal.h"
#include "test_plugin.h"
#include "worker/base/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char plugin_path[] = PAWL_TEST_PLUGINS "/pawl-file.so";

static int setup_files(void **state)
{
    fixture *own = fixture_make("rocksdb");
    test_plugin_reset();
    *state = own;
    return 0;
}

static void digest_of(char digest[65])
{
    pawl_text text = {0};
    assert_ok(pawl_plugin_inspect(plugin_path, &text, &why_));
    json_t *facts = json_of(&text);
    snprintf(digest, 65, "%s", text_of(facts, "digest"));
    json_decref(facts);
    assert_int_equal(strlen(digest), 64);
}

/* A profile with the file connector, its root in the fixture's directory. */
static pawl_status open_with(fixture *own, const char *pin, pawl_error *error)
{
    char profile[2048];
    snprintf(profile, sizeof profile,
             "profile: files\ntier: durable\ndata: %s/data\nstores: { main: { provider: rocksdb } }\n"
             "plugins: [ { path: %s, %s } ]\n"
             "connectors: { disk: { plugin: pawl.file, config: { roots: { work: { path: %s, write: true } } } } }\n",
             own->directory, plugin_path, pin, own->directory);
    return fixture_try_open(own, profile, error);
}

static void test_a_pinned_file_is_loaded_called_and_kept(void **state)
{
    fixture *own = *state;
    char digest[65];
    char pin[100];
    pawl_error error = {0};
    digest_of(digest);
    snprintf(pin, sizeof pin, "sha256: %s", digest);
    if (open_with(own, pin, &error) != PAWL_OK)
        fail_msg("%s: %s", error.code, error.message);

    start(own, "w", "test.call",
          "{\"effect\":\"disk.write\",\"input\":{\"root\":\"work\",\"path\":\"a.txt\",\"text\":\"hello\"}}");
    expect_end(own, "w", "completed", NULL);
    start(own, "r", "test.call", "{\"effect\":\"disk.read\",\"input\":{\"root\":\"work\",\"path\":\"a.txt\"}}");
    json_t *outcome = ended(own, "r");
    assert_string_equal(text_of(json_object_get(outcome, "output"), "text"), "hello");
    json_decref(outcome);

    /* The very bytes are in the artifact facet, and somebody holds them. */
    const pawl_open_store *open = own->host->facets.facet[PAWL_FACET_ARTIFACT];
    const pawl_plugin *plugin = pawl_plugin_set_find(own->host->plugins, "pawl.file");
    pawl_sink content;
    pawl_sink kind;
    pawl_sink_init(&content, SIZE_MAX);
    pawl_sink_init(&kind, 100);
    assert_int_equal(open->plugin->artifact->get(open->store, plugin->digest, &content, &kind, NULL), PAWL_OK);
    struct stat facts;
    assert_int_equal(stat(plugin_path, &facts), 0);
    assert_int_equal(pawl_sink_bytes(&content).size, facts.st_size);
    assert_string_equal(pawl_sink_text(&kind), "plugin");
    pawl_failure_slot why;
    pawl_failure_init(&why);
    assert_int_equal(open->plugin->artifact->remove(open->store, plugin->digest, &why), PAWL_E_BUSY);
    assert_true(why.set);
    char message[500];
    snprintf(message, sizeof message, "%.*s", (int)why.failure.message.size, (const char *)why.failure.message.data);
    assert_has(message, "files"); /* the profile's name */
    pawl_failure_finish(&why);
    pawl_sink_finish(&content);
    pawl_sink_finish(&kind);

    pawl_text text = {0};
    assert_ok(pawl_host_describe(own->host, &text, &why_));
    assert_has(text.data, digest);
    pawl_text_free(&text);
}

static void test_a_file_with_another_digest_is_refused(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    char pin[100] = "sha256: ";
    memset(pin + 8, 'a', 64);
    assert_int_equal(open_with(own, pin, &error), PAWL_E_CONFLICT);
    assert_string_equal(error.code, "loader.digest");
    assert_has(error.message, "(profile):5:");
    assert_int_equal(atomic_load(&test_plugin_inits), 0); /* all plugins or none */
    char store[128];
    struct stat facts;
    snprintf(store, sizeof store, "%s/data/store", own->directory);
    assert_int_not_equal(stat(store, &facts), 0);
    assert_int_equal(errno, ENOENT);
}

static void test_an_optional_plugin_may_be_left_out_with_its_connectors(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    char pin[100] = "optional: true, sha256: ";
    memset(pin + 24, 'a', 64);
    if (open_with(own, pin, &error) != PAWL_OK)
        fail_msg("%s: %s", error.code, error.message);
    assert_true(fixture_logged(own, "optional plugin left out"));
    assert_true(fixture_logged(own, "connector left out"));
    start(own, "p", "test.echo", "1");
    expect_end(own, "p", "completed", "1");
}

static void test_tools_look_at_a_plugin_and_probe_it(void **state)
{
    fixture *own = *state;
    pawl_text text = {0};
    pawl_error error = {0};
    assert_ok(pawl_plugin_inspect(plugin_path, &text, &why_));
    json_t *facts = json_of(&text);
    assert_string_equal(text_of(facts, "id"), "pawl.file");
    assert_string_equal(text_of(json_object_get(facts, "elf"), "machine"), "x86-64");
    assert_true(json_is_true(json_object_get(facts, "image_ok")));
    assert_true(json_array_size(json_object_get(facts, "operations")) >= 4);
    json_decref(facts);
    assert_ok(pawl_plugin_probe(plugin_path, own->directory, &text, &why_));
    pawl_text_free(&text);
    assert_ok(pawl_plugin_probe(plugin_path, NULL, &text, &why_));
    pawl_text_free(&text);
    assert_int_equal(pawl_plugin_inspect("/nonexistent/x.so", &text, &error), PAWL_E_NOT_FOUND);
    assert_has(error.message, "/nonexistent/x.so");
    assert_int_equal(pawl_plugin_probe("/etc/hostname", NULL, &text, &error), PAWL_E_INVALID);
    assert_int_equal(pawl_plugin_inspect("", &text, &error), PAWL_E_INVALID);
}

static void test_H06_a_profile_is_checked_without_a_host(void **state)
{
    fixture *own = *state;
    pawl_text text = {0};
    pawl_error error = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/pawl.yaml", own->directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "profile: x\ntier: durable\ndata: data\nstores: { main: { provider: rocksdb } }\n");
    fclose(file);
    assert_ok(pawl_profile_check(path, &text, &why_));
    assert_string_equal(text.data, "");
    pawl_text_free(&text);
    file = fopen(path, "a");
    assert_non_null(file);
    fprintf(file, "worker: { lease_ttl: 1s, heartbeat: 5s }\nnonsense: 1\n");
    fclose(file);
    assert_int_equal(pawl_profile_check(path, &text, &error), PAWL_E_INVALID);
    assert_has(text.data, "pawl.yaml:6:1");
    assert_has(text.data, "pawl.yaml:5:");
    pawl_text_free(&text);
    char store[128];
    struct stat facts;
    snprintf(store, sizeof store, "%s/data", own->directory);
    assert_int_not_equal(stat(store, &facts), 0); /* it only looks */
}

static pawl_status check_with_plugin(const fixture *own, const char *settings, pawl_text *report)
{
    char path[128];
    snprintf(path, sizeof path, "%s/pawl.yaml", own->directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "profile: x\ntier: durable\ndata: data\nstores: { main: { provider: rocksdb } }\n"
            "plugins: [ { path: %s } ]\n",
            settings);
    fclose(file);
    pawl_error error = {0};
    return pawl_profile_check(path, report, &error);
}

static void test_H06_a_check_looks_at_the_plugins_too(void **state)
{
    fixture *own = *state;
    pawl_text text = {0};
    char digest[65];
    char settings[512];
    digest_of(digest);
    snprintf(settings, sizeof settings, "%s, sha256: %s", plugin_path, digest);
    assert_int_equal(check_with_plugin(own, settings, &text), PAWL_OK);
    assert_string_equal(text.data, "");
    pawl_text_free(&text);

    digest[0] = digest[0] == '0' ? '1' : '0';
    snprintf(settings, sizeof settings, "%s, sha256: %s", plugin_path, digest);
    assert_int_equal(check_with_plugin(own, settings, &text), PAWL_E_INVALID);
    assert_has(text.data, "pawl.yaml:5:");
    assert_has(text.data, digest);
    assert_has(text.data, "A-29");
    pawl_text_free(&text);

    assert_int_equal(check_with_plugin(own, "/etc/passwd, dev: true", &text), PAWL_E_INVALID);
    assert_has(text.data, "A-32");
    pawl_text_free(&text);
    assert_int_equal(check_with_plugin(own, "/etc/passwd, dev: true, optional: true", &text), PAWL_OK);
    pawl_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_pinned_file_is_loaded_called_and_kept, setup_files, teardown),
        cmocka_unit_test_setup_teardown(test_a_file_with_another_digest_is_refused, setup_files, teardown),
        cmocka_unit_test_setup_teardown(test_an_optional_plugin_may_be_left_out_with_its_connectors, setup_files,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_tools_look_at_a_plugin_and_probe_it, setup_files, teardown),
        cmocka_unit_test_setup_teardown(test_H06_a_profile_is_checked_without_a_host, setup_files, teardown),
        cmocka_unit_test_setup_teardown(test_H06_a_check_looks_at_the_plugins_too, setup_files, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
