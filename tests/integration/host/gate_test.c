/* gate_test.c: no host runs on storage below its tier, and it finds out before it opens or runs anything. */
#include "fixture.h"

#include "counting_store.h"
#include "strict_plugin.h"
#include "test_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void all_say(unsigned tier)
{
    for (int i = 0; i < (int)PAWL_FACET_COUNT; i++)
        atomic_store(&counting_store_says[i], tier);
    atomic_store(&counting_store_opens, 0);
    atomic_store(&counting_store_tiers, 0);
    test_plugin_reset();
}

static pawl_status open_counting(fixture *own, const char *tier, pawl_error *error)
{
    char profile[1024];
    snprintf(profile, sizeof profile,
             "profile: test\ntier: %s\ndata: %s/data\nstores: { main: { provider: test.store } }\n"
             "connectors: { shop: { plugin: test.plugin, config: { greeting: hello } } }\n",
             tier, own->directory);
    return fixture_try_open(own, profile, error);
}

static int setup_gate(void **state)
{
    *state = fixture_make("test.store");
    return 0;
}

static void expect_refused(fixture *own, uint32_t facet, const char *code)
{
    pawl_error error = {0};
    all_say(PAWL_TIER_DURABLE);
    atomic_store(&counting_store_says[facet], PAWL_TIER_INLINE);
    pawl_status status = open_counting(own, "durable", &error);
    if (status != PAWL_E_UNSUPPORTED)
        fail_msg("%d %s", status, error.message);
    assert_null(own->host);
    assert_string_equal(error.code, code);
    assert_has(error.message, "test.store");
    assert_has(error.message, "gives inline, required is durable");
    assert_true(atomic_load(&counting_store_tiers) > 0);
    assert_int_equal(atomic_load(&counting_store_opens), 0);
    assert_int_equal(atomic_load(&test_plugin_calls), 0);
    assert_int_equal(atomic_load(&test_plugin_instances), 0);
    assert_int_equal(atomic_load(&test_plugin_inits), 0); /* what was loaded is given back */
}

static void test_G01_attachment_below_the_tier_is_refused(void **state)
{
    expect_refused(*state, PAWL_FACET_ATTACHMENT, "durable_store_required:attachment");
}

static void test_G02_artifact_below_the_tier_is_refused(void **state)
{
    expect_refused(*state, PAWL_FACET_ARTIFACT, "durable_store_required:artifact");
}

static void test_G03_session_below_the_tier_is_refused(void **state)
{
    expect_refused(*state, PAWL_FACET_SESSION, "durable_store_required:session");
}

static void test_G04_registry_below_the_tier_is_refused(void **state)
{
    expect_refused(*state, PAWL_FACET_REGISTRY, "durable_store_required:process_registry");
}

static void test_G05_all_failing_facets_are_named_and_attachment_comes_first(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    all_say(PAWL_TIER_CRASH_SAFE);
    assert_int_equal(open_counting(own, "durable", &error), PAWL_E_UNSUPPORTED);
    assert_string_equal(error.code, "durable_store_required:attachment");
    const char *at = error.message;
    const char *const order[] = {"facet attachment", "facet artifact", "facet session", "facet process_registry"};
    for (int i = 0; i < 4; i++) {
        at = strstr(at, order[i]);
        assert_non_null(at);
    }
    assert_has(error.message, "gives crash_safe");
}

static void test_G06_an_inline_host_accepts_any_tier(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    all_say(PAWL_TIER_INLINE);
    if (open_counting(own, "inline", &error) != PAWL_OK)
        fail_msg("%s", error.message);
    start(own, "p", "test.echo", "1");
    expect_end(own, "p", "completed", "1");
    assert_int_equal(atomic_load(&counting_store_opens), 1); /* one store, four facets */
}

static void test_G07_all_durable_passes(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    all_say(PAWL_TIER_DURABLE);
    if (open_counting(own, "durable", &error) != PAWL_OK)
        fail_msg("%s", error.message);
    start(own, "p", "test.echo", "1");
    expect_end(own, "p", "completed", "1");
}

static void test_G14_linked_in_memory_is_refused_before_any_plugin_is_loaded(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    char profile[1024];
    char data[128];
    all_say(PAWL_TIER_DURABLE);
    snprintf(data, sizeof data, "%s/data", own->directory);
    snprintf(profile, sizeof profile,
             "profile: test\ntier: durable\ndata: %s\n"
             "stores: { good: { provider: test.store }, quick: { provider: memory } }\n"
             "facets: { registry: good, session: quick, attachment: good, artifact: good }\n",
             data);
    assert_int_equal(fixture_try_open(own, profile, &error), PAWL_E_UNSUPPORTED);
    assert_string_equal(error.code, "durable_store_required:session");
    assert_has(error.message, "store \"quick\" (memory) gives inline");
    assert_int_equal(atomic_load(&counting_store_tiers), 0); /* that plugin was not loaded, so it was not asked */
    assert_int_equal(atomic_load(&counting_store_opens), 0);
    assert_int_equal(atomic_load(&test_plugin_inits), 0);
    struct stat facts;
    assert_int_not_equal(stat(data, &facts), 0); /* and nothing was made on disk */
}

static void test_G14_rocksdb_without_sync_is_refused_and_opens_nothing(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    char profile[1024];
    char data[128];
    all_say(PAWL_TIER_DURABLE);
    snprintf(data, sizeof data, "%s/data", own->directory);
    snprintf(profile, sizeof profile,
             "profile: test\ntier: durable\ndata: %s\n"
             "stores: { main: { provider: rocksdb, config: { sync: false } } }\n",
             data);
    assert_int_equal(fixture_try_open(own, profile, &error), PAWL_E_UNSUPPORTED);
    assert_string_equal(error.code, "durable_store_required:attachment");
    assert_has(error.message, "gives crash_safe, required is durable");
    struct stat facts;
    assert_int_not_equal(stat(data, &facts), 0);
}

static void test_G01_a_process_types_own_tier_counts(void **state)
{
    fixture *own = *state;
    static const pawl_plugin_entry_fn plugins[] = {strict_plugin};
    pawl_error error = {0};
    pawl_host_options options = {.struct_size = sizeof options,
                                 .profile_text = "profile: test\ntier: inline\ndata: /nonexistent/pawl\n"
                                                 "stores: { main: { provider: memory } }\n",
                                 .static_plugins = plugins,
                                 .static_plugin_count = 1};
    assert_int_equal(pawl_host_open(&options, &own->host, &error), PAWL_E_UNSUPPORTED);
    assert_string_equal(error.code, "durable_store_required:attachment");
    assert_has(error.message, "process type strict.ledger");
    assert_has(error.message, "required is durable");
}

/* What a provider claims and what it finds of itself: a failed self-check refuses the host, in the provider's words,
 * whether it is made before anything is opened or while opening. */
static void test_G12_a_failed_self_check_refuses_the_host(void **state)
{
    fixture *own = *state;
    for (int when = 1; when <= 2; when++) {
        pawl_error error = {0};
        all_say(PAWL_TIER_DURABLE);
        atomic_store(&counting_store_fails, when);
        pawl_status status = open_counting(own, "durable", &error);
        atomic_store(&counting_store_fails, 0);
        assert_true(status < 0);
        assert_null(own->host);
        assert_string_equal(error.code, "test.flush");
        assert_has(error.message, "store \"main\" (test.store)");
        assert_has(error.message, "the device answers a flush before it is done");
        assert_int_equal(atomic_load(&counting_store_opens), when - 1);
        assert_int_equal(atomic_load(&test_plugin_calls), 0);
        assert_int_equal(atomic_load(&test_plugin_inits), 0);
    }
    pawl_error error = {0};
    all_say(PAWL_TIER_REPLICATED); /* more than its manifest promises counts as what that promises */
    assert_int_equal(open_counting(own, "replicated", &error), PAWL_E_UNSUPPORTED);
    assert_has(error.message, "gives durable, required is replicated");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_G01_attachment_below_the_tier_is_refused, setup_gate, teardown),
        cmocka_unit_test_setup_teardown(test_G02_artifact_below_the_tier_is_refused, setup_gate, teardown),
        cmocka_unit_test_setup_teardown(test_G03_session_below_the_tier_is_refused, setup_gate, teardown),
        cmocka_unit_test_setup_teardown(test_G04_registry_below_the_tier_is_refused, setup_gate, teardown),
        cmocka_unit_test_setup_teardown(test_G05_all_failing_facets_are_named_and_attachment_comes_first, setup_gate,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_G06_an_inline_host_accepts_any_tier, setup_gate, teardown),
        cmocka_unit_test_setup_teardown(test_G07_all_durable_passes, setup_gate, teardown),
        cmocka_unit_test_setup_teardown(test_G12_a_failed_self_check_refuses_the_host, setup_gate, teardown),
        cmocka_unit_test_setup_teardown(test_G14_linked_in_memory_is_refused_before_any_plugin_is_loaded, setup_gate,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_G14_rocksdb_without_sync_is_refused_and_opens_nothing, setup_gate,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_G01_a_process_types_own_tier_counts, setup_gate, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
