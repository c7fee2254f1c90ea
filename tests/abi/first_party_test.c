/* first_party_test.c: the plugins that come with Pawl keep the rules that a third party's must: all of them load, in
 * one set, pinned, and declare what the documents say. */
#include "tests/unit/loader/fixture.h"

#include "plugins/memory/memory.h"
#include "plugins/rocksdb/rocksdb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check_storage(const pawl_plugin *plugin)
{
    const uint32_t all = (1u << PAWL_FACET_COUNT) - 1;
    assert_non_null(plugin);
    assert_int_equal(plugin->manifest->kinds, PAWL_KIND_STORAGE);
    assert_int_equal(plugin->manifest->facets, all);
    assert_true(plugin->linked_in);
    assert_non_null(plugin->storage);
    assert_non_null(plugin->session);
    assert_non_null(plugin->attachment);
    assert_non_null(plugin->artifact);
    assert_non_null(plugin->registry);
}

static void check_connector(const pawl_plugin *plugin)
{
    assert_non_null(plugin);
    assert_int_equal(plugin->manifest->kinds, PAWL_KIND_CONNECTOR);
    assert_true(plugin->manifest->operation_count > 0);
    assert_non_null(plugin->connector);
    assert_non_null(plugin->connector->invoke);
}

static void test_P02_all_load_in_one_set(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    const char *http = fixture_copy_of(&f, PAWL_PLUGIN_DIR "/pawl-http.so", "http.so");
    const char *file = fixture_copy_of(&f, PAWL_PLUGIN_DIR "/pawl-file.so", "file.so");
    const char *exec = fixture_copy_of(&f, PAWL_PLUGIN_DIR "/pawl-exec.so", "exec.so");
    const pawl_plugin_request requests[] = {{.entry = pawl_memory_plugin},
                                            {.entry = pawl_rocksdb_plugin},
                                            {.path = http, .sha256 = fixture_sha256(http)},
                                            {.path = file, .sha256 = fixture_sha256(file)},
                                            {.path = exec, .sha256 = fixture_sha256(exec)}};
    pawl_plugin_set *set = NULL;
    if (pawl_loader_load(requests, 5, f.data, fixture_host(), NULL, &set, &f.error) != PAWL_OK)
        fail_msg("%s", f.error.message);
    check_storage(pawl_plugin_set_find(set, "pawl.memory"));
    check_storage(pawl_plugin_set_find(set, "pawl.rocksdb"));
    check_connector(pawl_plugin_set_find(set, "pawl.http"));
    check_connector(pawl_plugin_set_find(set, "pawl.file"));
    check_connector(pawl_plugin_set_find(set, "pawl.exec"));
    pawl_plugin_set_close(set);
    fixture_close(&f);
}

static void test_their_tiers_are_what_they_declare(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    const pawl_plugin_request requests[] = {{.entry = pawl_memory_plugin}, {.entry = pawl_rocksdb_plugin}};
    pawl_plugin_set *set = NULL;
    assert_int_equal(pawl_loader_load(requests, 2, f.data, fixture_host(), NULL, &set, &f.error), PAWL_OK);
    for (uint32_t facet = 0; facet < PAWL_FACET_COUNT; facet++) {
        assert_int_equal(pawl_plugin_set_find(set, "pawl.memory")->manifest->tiers[facet], PAWL_TIER_INLINE);
        assert_int_equal(pawl_plugin_set_find(set, "pawl.rocksdb")->manifest->tiers[facet], PAWL_TIER_DURABLE);
    }
    pawl_plugin_set_close(set);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_P02_all_load_in_one_set),
        cmocka_unit_test(test_their_tiers_are_what_they_declare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
