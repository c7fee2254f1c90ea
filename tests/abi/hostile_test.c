/* hostile_test.c: every plugin of hostile/ meets the loader. Each breaks one rule, and the refusal must name that rule;
 * the host program must still be there afterwards. */
#include "tests/unit/loader/fixture.h"
#include "worker/effect/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
    const char *plugin;
    const char *code;     /* NULL: it loads */
    const char *fragment; /* of the message */
} expectation;

static void meet(const expectation *expectations, size_t count)
{
    fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < count; i++) {
        const expectation *e = &expectations[i];
        const char *path = fixture_copy(&f, e->plugin, e->plugin);
        pawl_status status = fixture_try(&f, path, NULL);
        if (e->code == NULL && status != PAWL_OK)
            fail_msg("%s was refused: %s", e->plugin, f.error.message);
        if (e->code == NULL)
            continue;
        if (status == PAWL_OK || strcmp(f.error.code, e->code) != 0)
            fail_msg("%s: wanted %s, got %s (%s)", e->plugin, e->code, f.error.code, f.error.message);
        fixture_assert_refused(&f, status, e->code, e->fragment);
        fixture_assert_refused(&f, status, e->code, path);
    }
    fixture_close(&f);
}
#define MEET(expectations) meet(expectations, sizeof(expectations) / sizeof *(expectations))

static void test_P01_what_the_file_says_is_refused_before_it_runs(void **state)
{
    static const expectation cases[] = {
        {"wrong_major", "loader.abi_major", "built for ABI major 2; wanted 1"},
        {"next_entry", "loader.abi_major", "exports pawl_plugin_entry_v2; wanted pawl_plugin_entry_v1"},
        {"newer_minor", "loader.needs_newer_minor", "needs a host with ABI 1.9 or later; this host has 1.0"},
        {"no_entry", "loader.no_entry", "pawl_plugin_entry_v1"},
        {"data_entry", "loader.no_entry", "pawl_plugin_entry_v1"},
        {"extra_symbol", "loader.extra_symbols", "helper_that_leaked"},
        {"no_manifest", "loader.no_manifest", "\"Pawl\""},
        {"two_manifests", "loader.manifest_invalid", "has 2 manifests; wanted one"},
        {"bad_manifest", "loader.manifest_invalid",
         "at $.effects[0].runs: found \"pol\", wanted one of inline, pool, async"},
        {"exec_stack", "loader.exec_stack", "noexecstack"},
        {"text_relocation", "loader.textrel", "-fPIC"},
        {"static_tls", "loader.static_tls", "initial-exec"},
    };
    (void)state;
    MEET(cases);
}

static void test_P01_a_bad_root_is_refused(void **state)
{
    static const expectation cases[] = {
        {"null_root", "loader.root", "returned NULL"},
        {"tiny_root", "loader.root", "says it has 8 bytes"},
        {"huge_root", "loader.root", "says it has 4294967295 bytes"},
        {"null_init", "loader.root", "the member init of its root is NULL"},
        {"wrong_major_root", "loader.abi_major", "its root is of ABI major 2; wanted 1"},
        {"newer_minor_root", "loader.needs_newer_minor", "needs a host with ABI 1.9"},
    };
    (void)state;
    MEET(cases);
}

static void test_P01_a_bad_table_is_refused(void **state)
{
    static const expectation cases[] = {
        {"null_factory", "loader.no_factory", "\"pawl.effect/1\""},
        {"null_member", "loader.table_member", "the member execute of its pawl_effect_table is NULL"},
        {"async_without_start", "loader.table_member", "the member start of its pawl_effect_table is NULL"},
        {"reconcile_without", "loader.table_member", "the member reconcile of its pawl_effect_table is NULL"},
        {"null_facet_member", "loader.table_member", "the member commit of its pawl_session_table is NULL"},
        {"zero_table", "loader.table_size", "says it has 0 bytes"},
        {"tiny_table", "loader.table_size", "says it has 8 bytes"},
        {"huge_table", "loader.table_size", "says it has 4294967280 bytes"},
        {"high_flag", "loader.table_flags", "0x10000"},
        {"reserved_word", "loader.table_flags", "the reserved word of its pawl_session_table is 0x7; wanted 0"},
        {"null_before", "loader.table_member", "the member before of its pawl_middleware_table is NULL"},
        {"tiny_middleware", "loader.table_size", "its pawl_middleware_table says it has 24 bytes"},
        {"null_observe", "loader.table_member", "the member observe of its pawl_observer_table is NULL"},
        {"high_flag_observer", "loader.table_flags", "0x20000"},
        {"no_observer", "loader.no_factory", "\"pawl.observer/1\""},
        {"middleware_undeclared", "loader.manifest_invalid", "wanted nothing, or \"middleware\" among $.kinds"},
        {"facets_differ", "loader.facets_differ", "offers the facets 0x8, its manifest 0x4"},
    };
    (void)state;
    MEET(cases);
}

static void test_P14_another_manifest_than_the_note_is_refused(void **state)
{
    static const expectation cases[] = {
        {"manifest_differs", "loader.manifest_differs", "is not the"},
        {"id_differs", "loader.manifest_differs", "\"hostile.someone-else\""},
        {"version_differs", "loader.manifest_differs", "\"1.0.1\""},
    };
    (void)state;
    MEET(cases);
}

static void test_P02_what_came_later_is_accepted(void **state)
{
    static const expectation cases[] = {{"well_behaved", NULL, NULL},     {"longer_root", NULL, NULL},
                                        {"longer_table", NULL, NULL},     {"low_flag", NULL, NULL},
                                        {"plain_middleware", NULL, NULL}, {"plain_observer", NULL, NULL},
                                        {"process_type", NULL, NULL}};
    (void)state;
    MEET(cases);
}

static void test_X14_what_dies_dies_in_the_probe(void **state)
{
    static const expectation cases[] = {
        {"constructor_crash", "loader.probe_crash", "signal 11 (Segmentation fault) in: dlopen"},
        {"init_crash", "loader.probe_crash", "signal 11 (Segmentation fault) in: init"},
        {"init_abort", "loader.probe_crash", "signal 6 (Aborted) in: init"},
        {"factory_crash", "loader.probe_crash", "in: get_factory"},
        {"wild_factory", "loader.probe_crash", "signal 11 (Segmentation fault) in: get_factory"},
        {"deinit_crash", "loader.probe_crash", "in: deinit"},
        {"destructor_crash", "loader.probe_crash", "in: exit"},
        {"init_exit", "loader.probe_exit", "exit(0) in: init"},
        {"undefined_symbol", "loader.dlopen", "pawl_nobody_has_this"},
    };
    (void)state;
    MEET(cases);
}

static void test_X14_a_hang_ends_with_the_time_limit(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    const pawl_plugin_request request = {.path = fixture_copy(&f, "init_hang", "hang.so"), .dev = true};
    const pawl_loader_options options = {.probe_timeout_ms = 300};
    pawl_plugin_set *set = NULL;
    pawl_status status = pawl_loader_load(&request, 1, f.data, fixture_host(), &options, &set, &f.error);
    fixture_assert_refused(&f, status, "loader.probe_hang", "within 300 ms; it hung in: init");
    fixture_close(&f);
}

static void test_an_init_that_refuses_is_quoted(void **state)
{
    static const expectation cases[] = {
        {"init_refuses", "loader.init_failed", "hostile.mood): not with {}"},
        {"init_refuses_in_host", "loader.init_failed", "not in loader-test"},
        {"init_wants_more", "loader.init_failed", "lacks: \"com.example.flux/1\""},
        {"init_needs_config", "loader.init_failed", "a bad mood"},
    };
    fixture f;
    (void)state;
    MEET(cases);
    fixture_open(&f);
    assert_int_equal(fixture_try(&f, fixture_built("init_needs_config"), "{\"mood\":\"good\"}"), PAWL_OK);
    fixture_close(&f);
}

static void test_a_child_that_a_plugin_leaves_does_not_hold_the_host_up(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    const pawl_plugin_request request = {.path = fixture_copy(&f, "init_leaves_a_child", "x.so"), .dev = true};
    assert_int_equal(pawl_loader_probe(&request, f.data, NULL, &f.error), PAWL_OK);
    fixture_close(&f);
}

/* The calls of one load and one close, in order; the second load finds the plugin's memory as it was left, since
 * nothing is ever unloaded. */
static void test_calls_come_in_order_and_code_stays_mapped(void **state)
{
    fixture f;
    char text[256];
    (void)state;
    fixture_open(&f);
    const pawl_plugin_request request = {.path = fixture_copy(&f, "order", "order.so"), .dev = true};
    static const char *const wanted[] = {"init get_factory ", "init get_factory deinit init get_factory "};
    for (int i = 0; i < 2; i++) {
        pawl_plugin_set *set = NULL;
        assert_int_equal(pawl_loader_load(&request, 1, f.data, fixture_host(), NULL, &set, &f.error), PAWL_OK);
        const pawl_plugin *plugin = pawl_plugin_set_find(set, "hostile.order");
        assert_non_null(plugin);
        assert_int_equal(fixture_execute(plugin, "", 256, text, sizeof text, &f.error), PAWL_OK);
        assert_string_equal(text, wanted[i]);
        pawl_plugin_set_close(set);
    }
    fixture_close(&f);
}

static void test_P08_P15_a_rude_effect_gets_defined_answers(void **state)
{
    fixture f;
    char text[256];
    (void)state;
    fixture_open(&f);
    const pawl_plugin_request request = {.path = fixture_copy(&f, "rude_effect", "rude.so"), .dev = true};
    pawl_plugin_set *set = NULL;
    assert_int_equal(pawl_loader_load(&request, 1, f.data, fixture_host(), NULL, &set, &f.error), PAWL_OK);
    const pawl_plugin *rude = pawl_plugin_set_at(set, 0);

    pawl_error said = {.status = PAWL_OK};
    assert_int_equal(fixture_execute(rude, "fail", 100, text, sizeof text, &said), PAWL_E_FAILED);
    assert_string_equal(said.code, "rude.first"); /* the first failure, cut to size */
    assert_true(strlen(said.message) > 0);
    assert_string_equal(text, "after"); /* NULL with a length, and zero lengths, added nothing */

    assert_int_equal(fixture_execute(rude, "flood", 100, text, sizeof text, &said), PAWL_OK);
    assert_true(strlen(text) <= 100);
    assert_int_equal(fixture_execute(rude, "garbage", 100, text, sizeof text, &said), 123456);
    pawl_plugin_set_close(set);
    fixture_close(&f);
}

/* Only a plain yes lets a call through, and only a plain "not now" lets it wait. */
static void test_A60_what_middleware_answers_is_a_yes_a_wait_or_a_refusal(void **state)
{
    static const struct {
        pawl_status answer;
        pawl_pass pass;
        const char *code;
        uint64_t wait_ns;
    } cases[] = {{PAWL_OK, PAWL_PASSED, NULL, 0},
                 {PAWL_SUSPEND, PAWL_REFUSED, "middleware.contract", 0},
                 {PAWL_PENDING, PAWL_HELD, NULL, 24 * 3600 * PAWL_NS_PER_SECOND},
                 {3, PAWL_REFUSED, "middleware.contract", 0},
                 {INT32_MAX, PAWL_REFUSED, "middleware.contract", 0},
                 {INT32_MIN, PAWL_REFUSED, "middleware.refused", 0},
                 {-4711, PAWL_REFUSED, "middleware.refused", 0}};
    fixture f;
    pawl_middleware *instance = NULL;
    pawl_plugin_set *set = NULL;
    (void)state;
    fixture_open(&f);
    const pawl_plugin_request request = {.path = fixture_copy(&f, "garbage_middleware", "garbage.so"), .dev = true};
    assert_int_equal(pawl_loader_load(&request, 1, f.data, fixture_host(), NULL, &set, &f.error), PAWL_OK);
    const pawl_middleware_table *table = pawl_plugin_set_at(set, 0)->middleware;
    assert_int_equal(table->create(fixture_host(), pawl_bytes_text("g"), pawl_bytes_text("{}"), &instance, NULL),
                     PAWL_OK);
    pawl_guard *guard = pawl_guard_middleware("g", "hostile.plugin", table, instance);
    assert_non_null(guard);
    const pawl_guards guards = {.items = {guard}, .count = 1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pawl_attempt attempt = {.struct_size = sizeof attempt, .attempt = (uint32_t)cases[i].answer};
        pawl_passage passage = {.guards = &guards, .attempt = &attempt, .clock = pawl_clock_system()};
        pawl_held held = {.wait_ns = 0};
        assert_int_equal(pawl_passage_go(&passage, 0, false, NULL, &held), cases[i].pass);
        assert_int_equal(held.wait_ns, cases[i].wait_ns);
        if (cases[i].code != NULL)
            assert_string_equal(held.code, cases[i].code);
        assert_false(pawl_passage_end(&passage, 0, NULL));
        pawl_failure_finish(&held.said);
    }
    pawl_sink said;
    pawl_sink_init(&said, 100);
    assert_false(pawl_guard_describe(guard, &said)); /* neither is this a yes */
    pawl_sink_finish(&said);
    pawl_guard_destroy(guard);
    table->destroy(instance);
    pawl_plugin_set_close(set);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_P01_what_the_file_says_is_refused_before_it_runs),
        cmocka_unit_test(test_P01_a_bad_root_is_refused),
        cmocka_unit_test(test_P01_a_bad_table_is_refused),
        cmocka_unit_test(test_P14_another_manifest_than_the_note_is_refused),
        cmocka_unit_test(test_P02_what_came_later_is_accepted),
        cmocka_unit_test(test_X14_what_dies_dies_in_the_probe),
        cmocka_unit_test(test_X14_a_hang_ends_with_the_time_limit),
        cmocka_unit_test(test_an_init_that_refuses_is_quoted),
        cmocka_unit_test(test_a_child_that_a_plugin_leaves_does_not_hold_the_host_up),
        cmocka_unit_test(test_calls_come_in_order_and_code_stays_mapped),
        cmocka_unit_test(test_P08_P15_a_rude_effect_gets_defined_answers),
        cmocka_unit_test(test_A60_what_middleware_answers_is_a_yes_a_wait_or_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
