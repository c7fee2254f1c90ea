/* manifest_test.c: what a manifest may say, and that every mistake is refused with its place. */
#include "host/loader/manifest.h"
#include "worker/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD              "\"id\":\"com.example.shop\",\"version\":\"1.2.3\",\"abi\":{\"major\":1,\"minor\":0}"
#define EFFECT(rest)      "{\"name\":\"a.b\",\"input_schema\":true,\"output_schema\":{},\"outcome\":\"by_key\"" rest "}"
#define WITH_EFFECT(rest) "{" HEAD ",\"kinds\":[\"effect\"],\"effects\":[" EFFECT(rest) "]}"
#define WITH_PARTS(parts) "{" HEAD "," parts "}"

static pawl_bytes bytes_of(const char *text)
{
    pawl_bytes bytes = {text, strlen(text)};
    return bytes;
}

static pawl_manifest *accept(const char *text)
{
    pawl_manifest *manifest = NULL;
    pawl_error error = {.status = PAWL_OK};
    if (pawl_manifest_parse(bytes_of(text), &manifest, &error) != PAWL_OK)
        fail_msg("%s\n%s", error.message, text);
    return manifest;
}

static void refuse(const char *text, const char *code, const char *fragment)
{
    pawl_manifest *manifest = NULL;
    pawl_error error = {.status = PAWL_OK};
    if (pawl_manifest_parse(bytes_of(text), &manifest, &error) == PAWL_OK) {
        pawl_manifest_destroy(manifest);
        fail_msg("accepted: %s", text);
    }
    assert_null(manifest);
    if (strcmp(error.code, code) != 0 || strstr(error.message, fragment) == NULL)
        fail_msg("%s (%s) lacks \"%s\"", error.message, error.code, fragment);
}

static void invalid(const char *text, const char *fragment)
{
    refuse(text, "loader.manifest_invalid", fragment);
}

static void test_P07_every_part_is_read(void **state)
{
    (void)state;
    pawl_manifest *m = accept(
        "{\"manifest_version\":1,\"id\":\"com.example.all-in-1\",\"version\":\"1.0.0-rc.1+build.5\","
        "\"abi\":{\"major\":1,\"minor\":0},\"kinds\":[\"effect\",\"connector\",\"process\",\"storage\"],"
        "\"effects\":[{\"name\":\"bank.charge\",\"input_schema\":{\"type\":\"object\"},\"output_schema\":false,"
        "\"media_type\":\"text/plain\",\"runs\":\"async\",\"outcome\":\"reconcile\",\"timeout\":1500,\"deadline\":9000,"
        "\"retry\":{\"attempts\":7,\"first_delay_ms\":10,\"factor\":1.5,\"max_delay_ms\":20},"
        "\"examples\":[{\"input\":1},{\"input\":null,\"output\":{},\"slow\":true}]},"
        "{\"name\":\"note\",\"input_schema\":true,\"output_schema\":true,\"outcome\":\"idempotent\",\"local\":true,"
        "\"runs\":\"inline\"}],"
        "\"connector\":{\"concurrency\":\"shared\",\"config_schema\":{},\"operations\":[{\"name\":\"get\","
        "\"input_schema\":true,\"output_schema\":true,\"outcome\":\"at_most_once\"}]},"
        "\"processes\":[{\"name\":\"shop.checkout\",\"revision\":3,\"input_schema\":{},\"tier\":\"durable\","
        "\"recovery\":\"owner_bound\",\"pinned\":true},"
        "{\"name\":\"shop.checkout\",\"revision\":4,\"input_schema\":{},\"compatible_with\":[1,7]}],"
        "\"facets\":[{\"facet\":\"registry\",\"tier\":\"replicated\"},{\"facet\":\"session\",\"tier\":\"crash_safe\"}]"
        "}");
    assert_string_equal(m->id, "com.example.all-in-1");
    assert_string_equal(m->version, "1.0.0-rc.1+build.5");
    assert_int_equal(m->kinds, PAWL_KIND_EFFECT | PAWL_KIND_CONNECTOR | PAWL_KIND_PROCESS | PAWL_KIND_STORAGE);
    assert_int_equal(m->effect_count, 2);
    assert_string_equal(m->effects[0].name, "bank.charge");
    assert_string_equal(m->effects[0].media_type, "text/plain");
    assert_int_equal(m->effects[0].runs, PAWL_RUNS_ASYNC);
    assert_int_equal(m->effects[0].outcome, PAWL_OUTCOME_RECONCILE);
    assert_int_equal(m->effects[0].timeout_ms, 1500);
    assert_int_equal(m->effects[0].deadline_ms, 9000);
    assert_true(json_is_false(m->effects[0].output_schema));
    assert_int_equal(json_array_size(m->effects[0].examples), 2);
    assert_null(m->effects[1].examples);
    assert_true(m->effects[1].local);
    assert_int_equal(m->effects[1].runs, PAWL_RUNS_INLINE);
    assert_int_equal(m->operation_count, 1);
    assert_true(m->shared);
    assert_true(json_is_object(m->config_schema));
    assert_int_equal(m->operations[0].outcome, PAWL_OUTCOME_AT_MOST_ONCE);
    assert_int_equal(m->process_count, 2);
    assert_int_equal(m->processes[0].revision, 3);
    assert_true(m->processes[0].tier_given);
    assert_int_equal(m->processes[0].tier, PAWL_TIER_DURABLE);
    assert_int_equal(m->processes[0].recovery, PAWL_RECOVERY_OWNER_BOUND);
    assert_false(m->processes[1].tier_given);
    assert_true(m->processes[0].pinned);
    assert_int_equal(m->processes[0].compatible_count, 0);
    assert_false(m->processes[1].pinned);
    assert_int_equal(m->processes[1].compatible_count, 2);
    assert_int_equal(m->processes[1].compatible[0], 1);
    assert_int_equal(m->processes[1].compatible[1], 7);
    assert_int_equal(m->facets, 1u << PAWL_FACET_REGISTRY | 1u << PAWL_FACET_SESSION);
    assert_int_equal(m->tiers[PAWL_FACET_REGISTRY], PAWL_TIER_REPLICATED);
    assert_int_equal(m->tiers[PAWL_FACET_SESSION], PAWL_TIER_CRASH_SAFE);
    pawl_manifest_destroy(m);
}

static void test_what_is_not_said_has_a_default(void **state)
{
    (void)state;
    pawl_manifest *m = accept(WITH_EFFECT(""));
    assert_string_equal(m->effects[0].media_type, "application/json");
    assert_int_equal(m->effects[0].runs, PAWL_RUNS_POOL);
    assert_false(m->effects[0].local);
    assert_int_equal(m->effects[0].timeout_ms, 0);
    assert_null(m->effects[0].retry);
    pawl_manifest_destroy(m);
    m = accept(
        WITH_PARTS("\"kinds\":[\"process\"],\"processes\":[{\"name\":\"p\",\"revision\":1,\"input_schema\":true}]"));
    assert_int_equal(m->processes[0].recovery, PAWL_RECOVERY_RERUN);
    pawl_manifest_destroy(m);
}

static void test_a_retry_overrides_only_what_it_says(void **state)
{
    (void)state;
    pawl_manifest *m = accept(WITH_EFFECT(",\"retry\":{\"attempts\":0,\"max_delay_ms\":90000}"));
    pawl_retry_policy policy = {.attempts_max = 5, .first_delay_ns = 77, .factor = 2.5, .delay_max_ns = 1};
    pawl_manifest_retry(&m->effects[0], &policy);
    assert_int_equal(policy.attempts_max, 0);
    assert_int_equal(policy.first_delay_ns, 77);
    assert_true(policy.factor == 2.5);
    assert_true(policy.delay_max_ns == UINT64_C(90000000000));
    pawl_manifest_destroy(m);
    m = accept(WITH_EFFECT(",\"retry\":{\"first_delay_ms\":3,\"factor\":4}"));
    pawl_manifest_retry(&m->effects[0], &policy);
    assert_int_equal(policy.first_delay_ns, 3000000);
    assert_true(policy.factor == 4.0);
    pawl_manifest_destroy(m);
}

static void test_P07_names_have_a_form(void **state)
{
    static const char *const bad[] = {"", "A", "a..b", ".a", "a.", "a b", "a/b", "\\u00e4"};
    static const char *const good[] = {"a", "a.b", "a_b-c.d9", "0"};
    char text[512];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text,
                 "{" HEAD ",\"kinds\":[\"effect\"],\"effects\":[{\"name\":\"%s\",\"input_schema\":true,"
                 "\"output_schema\":true,\"outcome\":\"by_key\"}]}",
                 bad[i]);
        invalid(text, "at $.effects[0].name: found");
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(text, sizeof text,
                 "{" HEAD ",\"kinds\":[\"effect\"],\"effects\":[{\"name\":\"%s\",\"input_schema\":true,"
                 "\"output_schema\":true,\"outcome\":\"by_key\"}]}",
                 good[i]);
        pawl_manifest_destroy(accept(text));
    }
    memset(text, 'a', sizeof text);
    memcpy(text, "{\"id\":\"", 7);
    snprintf(text + 200, sizeof text - 200, "\",\"version\":\"1.0.0\"}");
    invalid(text, "at $.id: found \"aaa");
}

static void test_versions_are_semantic(void **state)
{
    static const char *const bad[] = {"1",          "1.2",    "1.2.3.4", "01.2.3",      "1.2.x",  "1.2.3-",  "1.2.3+",
                                      "1.2.3-a..b", "v1.2.3", "1.2.3 ",  "1.2.3-a+b+c", "-1.2.3", "1.2.3-+b"};
    static const char *const good[] = {"0.0.0", "1.2.3", "10.20.30-alpha.1", "1.2.3+20250101", "1.2.3-a-b+c.d"};
    char text[256];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text,
                 "{\"id\":\"a\",\"version\":\"%s\",\"abi\":{\"major\":1,\"minor\":0},\"kinds\":[\"effect\"],"
                 "\"effects\":[" EFFECT("") "]}",
                 bad[i]);
        invalid(text, "at $.version: found");
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(text, sizeof text,
                 "{\"id\":\"a\",\"version\":\"%s\",\"abi\":{\"major\":1,\"minor\":0},\"kinds\":[\"effect\"],"
                 "\"effects\":[" EFFECT("") "]}",
                 good[i]);
        pawl_manifest_destroy(accept(text));
    }
}

static const struct {
    const char *text;
    const char *fragment;
} mistakes[] = {
    {"", "is not JSON at line 1"},
    {"{", "is not JSON at line 1, column 1"},
    {"{\"a\":1,\"a\":2}", "duplicate"},
    {"{} x", "is not JSON"},
    {"[]", "at $: found an array of 0, wanted an object"},
    {"{}", "at $.id: found nothing, wanted a text of 1 to 128 bytes"},
    {"{\"colour\":\"red\"}", "at $.colour: found \"red\", wanted no such key; this host knows manifest_version, id"},
    {"{\"manifest_version\":2}", "at $.manifest_version: found 2, wanted a whole number from 1 to 1"},
    {"{\"id\":7}", "at $.id: found 7"},
    {"{\"id\":\"a_b\"}", "at $.id: found \"a_b\", wanted segments of a-z, 0-9 and -"},
    {"{\"id\":\"a\",\"version\":\"1.0.0\"}", "at $.abi: found nothing, wanted an object"},
    {"{\"id\":\"a\",\"version\":\"1.0.0\",\"abi\":{\"major\":1}}", "at $.abi.minor: found nothing"},
    {"{\"id\":\"a\",\"version\":\"1.0.0\",\"abi\":{\"major\":true,\"minor\":0}}", "at $.abi.major: found true"},
    {"{\"id\":\"a\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0,\"patch\":1}}",
     "at $.abi.patch: found 1, wanted no such key"},
    {"{" HEAD "}", "at $.kinds: found nothing, wanted an array of effect"},
    {WITH_PARTS("\"kinds\":[]"), "at $.kinds: found an array of 0"},
    {WITH_PARTS("\"kinds\":[\"middleware\"]"),
     "at $.middleware: found nothing, wanted what the kind \"middleware\" of $.kinds offers"},
    {WITH_PARTS("\"kinds\":[\"middleware\"],\"middleware\":{\"config_schema\":1}"),
     "at $.middleware.config_schema: found 1"},
    {WITH_PARTS("\"kinds\":[\"observer\"],\"observer\":{\"kinds\":[]}"), "at $.observer"},
    {WITH_PARTS("\"kinds\":[\"observer\"],\"observer\":[]"), "at $.observer: found an array"},
    {WITH_PARTS("\"kinds\":[\"poem\"]"), "at $.kinds[0]: found \"poem\", wanted one of effect"},
    {WITH_PARTS("\"kinds\":[\"effect\",\"effect\"]"), "at $.kinds[1]: found \"effect\", wanted each kind once"},
    {WITH_PARTS("\"kinds\":[\"effect\"]"), "at $.effects: found nothing, wanted what the kind \"effect\""},
    {WITH_PARTS("\"kinds\":[\"storage\"],\"effects\":[" EFFECT("") "]"), "wanted nothing, or \"effect\" among $.kinds"},
    {WITH_PARTS("\"kinds\":[\"effect\"],\"effects\":{}"),
     "at $.effects: found an object, wanted an array of 1 to 1000"},
    {WITH_PARTS("\"kinds\":[\"effect\"],\"effects\":[" EFFECT("") "," EFFECT("") "]"),
     "at $.effects[1].name: found \"a.b\", wanted each name once"},
    {WITH_PARTS("\"kinds\":[\"effect\"],\"effects\":[{\"name\":\"a\",\"input_schema\":1}]"),
     "at $.effects[0].input_schema: found 1, wanted a JSON Schema"},
    {WITH_PARTS("\"kinds\":[\"effect\"],\"effects\":[{\"name\":\"a\",\"input_schema\":true,\"output_schema\":\"x\"}]"),
     "at $.effects[0].output_schema: found \"x\""},
    {WITH_PARTS("\"kinds\":[\"effect\"],\"effects\":[{\"name\":\"a\",\"input_schema\":true,\"output_schema\":true}]"),
     "at $.effects[0].outcome: found nothing, wanted one of idempotent, by_key, at_most_once, reconcile"},
    {WITH_EFFECT(",\"runs\":\"fast\""), "at $.effects[0].runs: found \"fast\", wanted one of inline, pool, async"},
    {WITH_EFFECT(",\"media_type\":\"json\""), "at $.effects[0].media_type: found \"json\""},
    {WITH_EFFECT(",\"local\":1"), "at $.effects[0].local: found 1, wanted true or false"},
    {WITH_EFFECT(",\"local\":true"), "at $.effects[0].local: found true, wanted false, or the outcome \"idempotent\""},
    {WITH_EFFECT(",\"timeout\":0"), "at $.effects[0].timeout: found 0, wanted a whole number from 1"},
    {WITH_EFFECT(",\"deadline\":0"), "at $.effects[0].deadline: found 0, wanted a whole number from 1"},
    {WITH_EFFECT(",\"timeout\":-5"), "at $.effects[0].timeout: found -5"},
    {WITH_EFFECT(",\"timeout\":1.5"), "at $.effects[0].timeout: found 1.5"},
    {WITH_EFFECT(",\"timeout\":99999999999999"), "at $.effects[0].timeout: found 99999999999999"},
    {WITH_EFFECT(",\"examples\":{}"), "at $.effects[0].examples: found an object, wanted an array of 1 to 16"},
    {WITH_EFFECT(",\"examples\":[{}]"), "at $.effects[0].examples[0].input: found nothing, wanted an input to try"},
    {WITH_EFFECT(",\"examples\":[{\"input\":1,\"output\":2}]"),
     "at $.effects[0].examples[0].output: found 2, wanted a JSON Schema"},
    {WITH_EFFECT(",\"examples\":[{\"input\":1,\"fast\":true}]"), "at $.effects[0].examples[0].fast: found true"},
    {WITH_EFFECT(",\"retry\":5"), "at $.effects[0].retry: found 5, wanted an object"},
    {WITH_EFFECT(",\"retry\":{\"attempts\":-1}"), "at $.effects[0].retry.attempts: found -1"},
    {WITH_EFFECT(",\"retry\":{\"factor\":0.5}"), "at $.effects[0].retry.factor: found 0.5, wanted a number from 1"},
    {WITH_EFFECT(",\"retry\":{\"factor\":\"2\"}"), "at $.effects[0].retry.factor: found \"2\""},
    {WITH_EFFECT(",\"retry\":{\"first_delay_ms\":50,\"max_delay_ms\":40}"),
     "at $.effects[0].retry.max_delay_ms: found 40, wanted a whole number from 50"},
    {WITH_EFFECT(",\"retry\":{\"jitter\":1}"), "at $.effects[0].retry.jitter: found 1, wanted no such key"},
    {WITH_PARTS("\"kinds\":[\"connector\"],\"connector\":{}"), "at $.connector.operations: found nothing"},
    {WITH_PARTS("\"kinds\":[\"connector\"],\"connector\":{\"concurrency\":\"wild\"}"),
     "at $.connector.concurrency: found \"wild\", wanted one of serial, shared"},
    {WITH_PARTS("\"kinds\":[\"connector\"],\"connector\":{\"operations\":[" EFFECT(",\"x\":null") "]}"),
     "at $.connector.operations[0].x: found null, wanted no such key"},
    {WITH_PARTS("\"kinds\":[\"process\"],\"processes\":[{\"name\":\"p\",\"revision\":0,\"input_schema\":true}]"),
     "at $.processes[0].revision: found 0, wanted a whole number from 1"},
    {WITH_PARTS("\"kinds\":[\"process\"],\"processes\":[{\"name\":\"p\",\"revision\":1,\"input_schema\":true},"
                "{\"name\":\"p\",\"revision\":1,\"input_schema\":true}]"),
     "at $.processes[1].name: found \"p\", wanted each name and revision once"},
    {WITH_PARTS("\"kinds\":[\"process\"],\"processes\":[{\"name\":\"p\",\"revision\":1,\"input_schema\":true,"
                "\"recovery\":\"hope\"}]"),
     "at $.processes[0].recovery: found \"hope\", wanted one of rerun, owner_bound"},
    {WITH_PARTS("\"kinds\":[\"process\"],\"processes\":[{\"name\":\"p\",\"revision\":2,\"compatible_with\":[1,1]}]"),
     "at $.processes[0].compatible_with[1]: found 1, wanted another revision than its own"},
    {WITH_PARTS("\"kinds\":[\"process\"],\"processes\":[{\"name\":\"p\",\"revision\":2,\"compatible_with\":[2]}]"),
     "at $.processes[0].compatible_with[0]: found 2, wanted another revision than its own"},
    {WITH_PARTS("\"kinds\":[\"process\"],\"processes\":[{\"name\":\"p\",\"revision\":2,\"compatible_with\":[0]}]"),
     "at $.processes[0].compatible_with[0]: found 0"},
    {WITH_PARTS("\"kinds\":[\"process\"],\"processes\":[{\"name\":\"p\",\"revision\":2,\"compatible_with\":[\"1\"]}]"),
     "at $.processes[0].compatible_with[0]: found \"1\""},
    {WITH_PARTS("\"kinds\":[\"process\"],\"processes\":[{\"name\":\"p\",\"revision\":2,\"pinned\":true,"
                "\"compatible_with\":[1]}]"),
     "at $.processes[0].compatible_with: "},
    {WITH_PARTS("\"kinds\":[\"storage\"],\"facets\":[{\"facet\":\"drawer\",\"tier\":\"inline\"}]"),
     "at $.facets[0].facet: found \"drawer\""},
    {WITH_PARTS("\"kinds\":[\"storage\"],\"facets\":[{\"facet\":\"session\",\"tier\":\"solid\"}]"),
     "at $.facets[0].tier: found \"solid\", wanted one of inline, crash_safe, durable, replicated"},
    {WITH_PARTS("\"kinds\":[\"storage\"],\"facets\":[{\"facet\":\"session\",\"tier\":\"inline\"},"
                "{\"facet\":\"session\",\"tier\":\"inline\"}]"),
     "at $.facets[1].facet: found \"session\", wanted each facet once"},
};

static void test_P07_every_mistake_has_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        invalid(mistakes[i].text, mistakes[i].fragment);
}

static void test_P01_the_abi_is_looked_at_before_the_keys(void **state)
{
    (void)state;
    refuse("{\"abi\":{\"major\":2,\"minor\":0},\"flux\":1}", "loader.abi_major", "ABI major 2; wanted 1");
    refuse("{\"abi\":{\"major\":0,\"minor\":0}}", "loader.abi_major", "ABI major 0; wanted 1");
    refuse("{\"abi\":{\"major\":1,\"minor\":1},\"flux\":1}", "loader.needs_newer_minor", "ABI 1.1 or later");
}

static void test_sizes_are_limited(void **state)
{
    pawl_error error = {.status = PAWL_OK};
    pawl_manifest *manifest = NULL;
    char *large = malloc(PAWL_MANIFEST_BYTES_MAX + 1);
    (void)state;
    assert_non_null(large);
    memset(large, ' ', PAWL_MANIFEST_BYTES_MAX + 1);
    pawl_bytes text = {large, PAWL_MANIFEST_BYTES_MAX + 1};
    assert_int_equal(pawl_manifest_parse(text, &manifest, &error), PAWL_E_INVALID);
    assert_non_null(strstr(error.message, "wanted at most 1048576"));
    free(large);
    pawl_bytes none = {NULL, 0};
    pawl_bytes lie = {NULL, 5};
    assert_int_equal(pawl_manifest_parse(none, &manifest, &error), PAWL_E_INVALID);
    assert_int_equal(pawl_manifest_parse(lie, &manifest, &error), PAWL_E_INVALID);
    assert_int_equal(pawl_manifest_parse(lie, &manifest, NULL), PAWL_E_INVALID);
}

/* Any bytes at all, and mutations of a good manifest, give an answer. */
static void test_noise_is_answered(void **state)
{
    static const char good[] = WITH_EFFECT(",\"retry\":{\"attempts\":1},\"timeout\":5,\"runs\":\"pool\"");
    unsigned seed = 20260101;
    int accepted = 0;
    (void)state;
    print_message("seed %u\n", seed);
    for (int i = 0; i < 20000; i++) {
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        for (int changes = rand_r(&seed) % 3; changes >= 0; changes--)
            text[(size_t)rand_r(&seed) % (sizeof good - 1)] = (char)rand_r(&seed);
        pawl_bytes bytes = {text, sizeof good - 1};
        pawl_manifest *manifest = NULL;
        if (pawl_manifest_parse(bytes, &manifest, NULL) == PAWL_OK)
            accepted++;
        pawl_manifest_destroy(manifest);
    }
    assert_true(accepted < 20000);
}

static void test_words_have_names(void **state)
{
    (void)state;
    assert_string_equal(pawl_manifest_runs_name(PAWL_RUNS_ASYNC), "async");
    assert_string_equal(pawl_manifest_outcome_name(PAWL_OUTCOME_BY_KEY), "by_key");
    assert_string_equal(pawl_manifest_tier_name(PAWL_TIER_CRASH_SAFE), "crash_safe");
    assert_string_equal(pawl_manifest_facet_name(PAWL_FACET_ARTIFACT), "artifact");
    assert_string_equal(pawl_manifest_recovery_name(PAWL_RECOVERY_RERUN), "rerun");
    assert_string_equal(pawl_manifest_tier_name(99), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_P07_every_part_is_read),
        cmocka_unit_test(test_what_is_not_said_has_a_default),
        cmocka_unit_test(test_a_retry_overrides_only_what_it_says),
        cmocka_unit_test(test_P07_names_have_a_form),
        cmocka_unit_test(test_versions_are_semantic),
        cmocka_unit_test(test_P07_every_mistake_has_its_place),
        cmocka_unit_test(test_P01_the_abi_is_looked_at_before_the_keys),
        cmocka_unit_test(test_sizes_are_limited),
        cmocka_unit_test(test_noise_is_answered),
        cmocka_unit_test(test_words_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
