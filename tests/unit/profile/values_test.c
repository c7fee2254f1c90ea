/* values_test.c: profiles that are right, and what becomes of them: defaults, units, types, paths, aliases, and what a
 * profile is checked against later. */
#include "fixture.h"

#include "host/profile/value.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS     UINT64_C(1000000)
#define SECOND (1000 * MS)

static void test_defaults(void **state)
{
    (void)state;
    pawl_profile *p = parse_good(HEAD);
    char host[256] = "";
    (void)gethostname(host, sizeof(host) - 1);
    assert_string_equal(p->name, "shop");
    assert_int_equal(p->tier, PAWL_TIER_INLINE);
    assert_string_equal(p->directory, "/base");
    assert_string_equal(p->data, "/base/d");
    assert_string_equal(p->socket, "/base/d/pawl.sock");
    assert_int_equal(p->store_count, 1);
    assert_int_equal(p->stores[0].place.line, 4);
    assert_int_equal(p->stores[0].place.column, 10);
    for (size_t i = 0; i < PAWL_FACET_COUNT; i++)
        assert_ptr_equal(p->facets[i].store, &p->stores[0]);
    assert_int_equal(p->plugin_count + p->connector_count + p->effect_count, 0);
    assert_int_equal(p->timeouts.call_ns, 30 * SECOND);
    assert_int_equal(p->timeouts.cancel_grace_ns, 10 * SECOND);
    assert_int_equal(p->timeouts.stop_grace_ns, 30 * SECOND);
    assert_int_equal(p->timeouts.activation_warn_ns, 2 * SECOND);
    assert_int_equal(p->limits.value_bytes, 4u << 20);
    assert_int_equal(p->limits.input_bytes, 4u << 20);
    assert_int_equal(p->limits.journal_warn_bytes, 32u << 20);
    assert_int_equal(p->limits.journal_max_bytes, 64u << 20);
    assert_int_equal(p->limits.plugin_file_bytes, 256u << 20);
    assert_int_equal(p->limits.resident, 10000);
    assert_int_equal(p->limits.effects_queued, 10000);
    assert_int_equal(p->limits.requests, 256);
    assert_string_equal(p->worker.name, host);
    assert_int_equal(p->worker.shards, 0);
    assert_int_equal(p->worker.effect_threads, 16);
    assert_int_equal(p->worker.lease_ttl_ns, 15 * SECOND);
    assert_int_equal(p->worker.heartbeat_ns, 5 * SECOND);
    assert_true(p->worker.enabled);
    assert_int_equal(p->log.level, PAWL_LOG_INFO);
    assert_false(p->log.json);
    pawl_profile_free(p);
}

static void test_default_retry_is_that_of_the_worker(void **state)
{
    (void)state;
    pawl_profile *p = parse_good(HEAD "retry:\n");
    pawl_retry_policy worker = pawl_retry_default();
    assert_int_equal(p->retry_set, 0);
    assert_int_equal(p->retry.attempts_max, worker.attempts_max);
    assert_int_equal(p->retry.first_delay_ns, worker.first_delay_ns);
    assert_int_equal(p->retry.delay_max_ns, worker.delay_max_ns);
    assert_int_equal(p->retry.elapsed_max_ns, worker.elapsed_max_ns);
    assert_true(p->retry.factor == worker.factor);
    assert_true(p->retry.jitter == worker.jitter);
    assert_int_equal(p->retry.pause_when_exhausted, worker.pause_when_exhausted);
    assert_null(p->retry.non_retryable);
    pawl_profile_free(p);
}

static void test_effects_hold_only_what_was_written(void **state)
{
    (void)state;
    pawl_profile *p = parse_good(HEAD "effects:\n"
                                      "  receiver.post: {timeout: 0, retry: {attempts: 0, factor: 3, jitter: 0}}\n"
                                      "  stock.reserve: {concurrency: 7, retry: {on_exhausted: pause, non_retryable: "
                                      "[a.b, '404']}}\n"
                                      "retry: {elapsed_max: 0}\n");
    assert_int_equal(p->retry_set, PAWL_SET_ELAPSED_MAX);
    assert_int_equal(p->retry.elapsed_max_ns, 0);
    const pawl_profile_effect *post = pawl_profile_find_effect(p, "receiver.post");
    const pawl_profile_effect *reserve = pawl_profile_find_effect(p, "stock.reserve");
    assert_null(pawl_profile_find_effect(p, "stock"));
    assert_int_equal(post->set, PAWL_SET_TIMEOUT | PAWL_SET_ATTEMPTS | PAWL_SET_FACTOR | PAWL_SET_JITTER);
    assert_int_equal(reserve->set, PAWL_SET_CONCURRENCY | PAWL_SET_ON_EXHAUSTED | PAWL_SET_NON_RETRYABLE);
    assert_int_equal(reserve->concurrency, 7);

    pawl_retry_policy policy = pawl_retry_default();
    pawl_profile_retry_apply(&policy, &post->retry, post->set);
    pawl_profile_retry_apply(&policy, &reserve->retry, reserve->set);
    pawl_retry_policy before = pawl_retry_default();
    assert_int_equal(policy.attempts_max, 0);
    assert_true(policy.factor == 3.0);
    assert_true(policy.jitter == 0.0);
    assert_true(policy.pause_when_exhausted);
    assert_string_equal(policy.non_retryable[0], "a.b");
    assert_string_equal(policy.non_retryable[1], "404");
    assert_null(policy.non_retryable[2]);
    assert_int_equal(policy.first_delay_ns, before.first_delay_ns);
    assert_int_equal(policy.delay_max_ns, before.delay_max_ns);
    pawl_profile_free(p);
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        pawl_parsed parsed;
        uint64_t ns;
    } cases[] = {{"250ms", PAWL_PARSED, 250 * MS},
                 {"30s", PAWL_PARSED, 30 * SECOND},
                 {"5m", PAWL_PARSED, 300 * SECOND},
                 {"2h", PAWL_PARSED, 7200 * SECOND},
                 {"1d", PAWL_PARSED, 86400 * SECOND},
                 {"1.5s", PAWL_PARSED, 1500 * MS},
                 {"0.125us", PAWL_PARSED, 125},
                 {"1ns", PAWL_PARSED, 1},
                 {"0", PAWL_PARSED, 0},
                 {"0.0", PAWL_PARSED, 0},
                 {"18446744073709551615ns", PAWL_PARSED, UINT64_MAX},
                 {"18446744073709551616ns", PAWL_PARSED_OVERFLOW, 0},
                 {"213504d", PAWL_PARSED_OVERFLOW, 0},
                 {"30", PAWL_PARSED_UNIT, 0},
                 {"1.5", PAWL_PARSED_UNIT, 0},
                 {"30 s", PAWL_PARSED_UNIT, 0},
                 {"30S", PAWL_PARSED_UNIT, 0},
                 {"1h30m", PAWL_PARSED_UNIT, 0},
                 {"1.0625s", PAWL_PARSED_FRACTION, 0},
                 {"0.5ns", PAWL_PARSED_FRACTION, 0},
                 {"", PAWL_PARSED_FORMAT, 0},
                 {"s", PAWL_PARSED_FORMAT, 0},
                 {"-1s", PAWL_PARSED_FORMAT, 0},
                 {"+1s", PAWL_PARSED_FORMAT, 0},
                 {".5s", PAWL_PARSED_FORMAT, 0},
                 {"1.s", PAWL_PARSED_FORMAT, 0},
                 {" 1s", PAWL_PARSED_FORMAT, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t ns = 0;
        print_message("%s\n", cases[i].text);
        assert_int_equal(pawl_parse_duration(cases[i].text, &ns), cases[i].parsed);
        assert_int_equal(ns, cases[i].ns);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        pawl_parsed parsed;
        uint64_t bytes;
    } cases[] = {{"100", PAWL_PARSED, 100},
                 {"100B", PAWL_PARSED, 100},
                 {"64KiB", PAWL_PARSED, 65536},
                 {"4MiB", PAWL_PARSED, 4u << 20},
                 {"1.5GiB", PAWL_PARSED, UINT64_C(3) << 29},
                 {"2TiB", PAWL_PARSED, UINT64_C(2) << 40},
                 {"16777215TiB", PAWL_PARSED, UINT64_C(16777215) << 40},
                 {"16777216TiB", PAWL_PARSED_OVERFLOW, 0},
                 {"1.5", PAWL_PARSED_FRACTION, 0},
                 {"0.3KiB", PAWL_PARSED_FRACTION, 0},
                 {"4MB", PAWL_PARSED_UNIT, 0},
                 {"4mib", PAWL_PARSED_UNIT, 0},
                 {"4M", PAWL_PARSED_UNIT, 0},
                 {"MiB", PAWL_PARSED_FORMAT, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t bytes = 0;
        print_message("%s\n", cases[i].text);
        assert_int_equal(pawl_parse_size(cases[i].text, &bytes), cases[i].parsed);
        assert_int_equal(bytes, cases[i].bytes);
    }
}

static void test_formatting_is_the_inverse_of_parsing(void **state)
{
    (void)state;
    uint64_t value = 1;
    for (unsigned i = 0; i < 2000; i++) {
        char text[PAWL_VALUE_TEXT];
        uint64_t back = 0;
        uint64_t v = i % 3 ? value >> (i % 64) : value >> (i % 64) << (i % 50);
        pawl_format_duration(v, text);
        assert_int_equal(pawl_parse_duration(text, &back), PAWL_PARSED);
        assert_true(back == v);
        pawl_format_size(v, text);
        assert_int_equal(pawl_parse_size(text, &back), PAWL_PARSED);
        assert_true(back == v);
        value = value * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    }
}

static void test_config_has_the_types_of_yaml_1_2(void **state)
{
    (void)state;
    pawl_profile *p = parse_good(
        HEAD
        "connectors:\n"
        "  a:\n"
        "    plugin: b\n"
        "    config: {i: 12, neg: -7, hex: 0xff, oct: 0o17, least: -9223372036854775808, f: 1.5, e: 1e3, t: true,\n"
        "      no: no, n: null, tilde: ~, empty: , q: \"12\", s: '1.5', str: !!str 12, flt: !!float 3, nul: "
        "\"a\\0b\",\n"
        "      list: [1, [x], {}], 5: key, \"\\u00e9\": \"\\u20ac\", leading: 007, date: 2026-01-01, v: 1.2.3}\n");
    json_t *wanted = json_loads("{\"i\": 12, \"neg\": -7, \"hex\": 255, \"oct\": 15, \"least\": -9223372036854775808,"
                                "\"f\": 1.5, \"e\": 1000.0, \"t\": true, \"no\": \"no\", \"n\": null, \"tilde\": null,"
                                "\"empty\": null, \"q\": \"12\", \"s\": \"1.5\", \"str\": \"12\", \"flt\": 3.0,"
                                "\"nul\": \"a\\u0000b\", \"list\": [1, [\"x\"], {}], \"5\": \"key\","
                                "\"\\u00e9\": \"\\u20ac\", \"leading\": 7, \"date\": \"2026-01-01\", \"v\": \"1.2.3\"}",
                                JSON_ALLOW_NUL, NULL);
    assert_non_null(wanted);
    if (!json_equal(p->connectors[0].config, wanted)) {
        char *text = json_dumps(p->connectors[0].config, JSON_INDENT(1));
        fail_msg("%s", text);
    }
    json_decref(wanted);
    pawl_profile_free(p);
}

static void test_aliases_and_merge_keys(void **state)
{
    (void)state;
    pawl_profile *p = parse_good(HEAD "connectors:\n"
                                      "  a: &a {plugin: b, concurrency: 3, config: &c {x: 1, y: 2}}\n"
                                      "  c: {<<: *a, config: {<<: [{z: 9, x: 5}, *c], y: 7}}\n"
                                      "  d: *a\n"
                                      "worker: &w\n"
                                      "  heartbeat: &beat 1s\n"
                                      "timeouts: {call: *beat}\n");
    assert_int_equal(p->connector_count, 3);
    assert_string_equal(p->connectors[1].name, "c");
    assert_string_equal(p->connectors[1].plugin, "b");
    assert_int_equal(p->connectors[1].concurrency, 3);
    json_t *merged = json_pack("{s:i, s:i, s:i}", "x", 5, "y", 7, "z", 9);
    assert_true(json_equal(p->connectors[1].config, merged));
    json_decref(merged);
    assert_true(json_equal(p->connectors[2].config, p->connectors[0].config));
    assert_int_equal(p->connectors[2].place.line, 8);
    assert_int_equal(p->timeouts.call_ns, SECOND);
    pawl_profile_free(p);
}

/* A wrong value behind an alias is shown where it is used, since that is where it is wrong. */
static void test_place_of_an_alias_is_its_use(void **state)
{
    (void)state;
    pawl_profile *p = NULL;
    pawl_problem_list problems = {0};
    assert_int_equal(
        parse(HEAD "connectors: {a: {plugin: b, config: {x: &x soon}}}\ntimeouts: {call: *x}\n", &p, &problems),
        PAWL_E_INVALID);
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.items[0].place.line, 6);
    assert_int_equal(problems.items[0].place.column, 18);
    pawl_problems_free(&problems);
}

static void test_other_ways_to_write_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "\xef\xbb\xbf" HEAD, "%YAML 1.2\n---\n" HEAD "...\n",
        "profile: shop\r\ntier: inline\r\ndata: d\r\nstores: {main: {provider: memory}}\r\n",
        "{\"profile\": \"shop\", \"tier\": \"inline\", \"data\": \"d\", \"stores\": {\"main\": {\"provider\": "
        "\"memory\"}}}",
        HEAD "worker:\nlog:\nplugins:\nconnectors:\neffects:\nlimits: {}\n"};
    json_t *wanted = NULL;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        pawl_profile *p = parse_good(texts[i]);
        json_t *found = pawl_profile_describe(p);
        assert_non_null(found);
        if (wanted)
            assert_true(json_equal(found, wanted));
        else
            wanted = json_incref(found);
        json_decref(found);
        pawl_profile_free(p);
    }
    json_decref(wanted);
}

static void test_paths(void **state)
{
    (void)state;
    pawl_profile *p = parse_good("profile: a\ntier: inline\ndata: ./x//y/./\nsocket: /run/../a.sock\nstores:\n"
                                 "  one: {provider: rocksdb}\n"
                                 "  two: {provider: rocksdb, config: {path: z, sync: false}}\n"
                                 "  three: {provider: com.example.db, config: {path: z}}\n"
                                 "facets: {session: one, attachment: two, artifact: three, registry: one}\n"
                                 "plugins:\n  - {path: ../p.so, dev: true, config: {k: {secret: \"file:s/t\"}}}\n");
    assert_string_equal(p->data, "/base/x/y");
    assert_string_equal(p->socket, "/run/../a.sock");
    assert_string_equal(json_string_value(json_object_get(p->stores[0].config, "path")), "/base/x/y/store");
    assert_string_equal(json_string_value(json_object_get(p->stores[1].config, "path")), "/base/z");
    assert_string_equal(json_string_value(json_object_get(p->stores[2].config, "path")), "z");
    assert_string_equal(p->plugins[0].path, "/base/../p.so");
    json_t *secret = json_object_get(json_object_get(p->plugins[0].config, "k"), "secret");
    assert_string_equal(json_string_value(secret), "file:/base/s/t");
    assert_ptr_equal(p->facets[PAWL_FACET_SESSION].store, &p->stores[0]);
    assert_ptr_equal(p->facets[PAWL_FACET_ATTACHMENT].store, &p->stores[1]);
    assert_ptr_equal(p->facets[PAWL_FACET_ARTIFACT].store, &p->stores[2]);
    assert_ptr_equal(p->facets[PAWL_FACET_REGISTRY].store, &p->stores[0]);
    pawl_profile_free(p);
}

/* A mapping named secret that holds more is no reference; what is inside may be one. */
static void test_only_a_lone_secret_key_is_a_reference(void **state)
{
    (void)state;
    pawl_profile *p = parse_good(HEAD "connectors: {a: {plugin: b, config: {k: {secret: plain, more: 1},\n"
                                      "  hmac: {secret: {secret: \"env:KEY\"}}}}}\n");
    json_t *wanted = json_loads("{\"k\": {\"secret\": \"plain\", \"more\": 1}, \"hmac\": {\"secret\": {\"secret\": "
                                "\"env:KEY\"}}}",
                                0, NULL);
    assert_true(json_equal(p->connectors[0].config, wanted));
    json_decref(wanted);
    pawl_profile_free(p);
}

static void test_digest_may_look_like_a_number_and_is_lower_case(void **state)
{
    (void)state;
#define NUMBER_LIKE "1234567890123456789012345678901234567890123456789012345678901234"
#define UPPER       "ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD"
    pawl_profile *p =
        parse_good(HEAD "plugins:\n  - {path: a, sha256: " NUMBER_LIKE "}\n  - {path: b, sha256: " UPPER "}\n");
    assert_string_equal(p->plugins[0].sha256, NUMBER_LIKE);
    assert_int_equal(strncmp(p->plugins[1].sha256, "abcdef", 6), 0);
    assert_int_equal(strlen(p->plugins[1].sha256), 64);
    assert_int_equal(p->plugins[1].place.line, 7);
    pawl_profile_free(p);
}

static void test_known_plugins(void **state)
{
    (void)state;
    pawl_profile *p = parse_good("profile: a\ntier: inline\ndata: d\nstores:\n  one: {provider: com.example.bd}\n"
                                 "  two: {provider: rocksbd}\n  three: {provider: memory}\n"
                                 "facets: {session: one, attachment: two, artifact: three, registry: one}\n"
                                 "connectors:\n  web: {plugin: pawl.htpp}\n  disk: {plugin: pawl.file}\n"
                                 "effects:\n  web.psot: {timeout: 1s}\n  web.get: {timeout: 1s}\n"
                                 "middleware:\n  purse: {plugin: com.example.bugdet}\n"
                                 "observers:\n  - {plugin: com.example.obsever}\n"
                                 "types:\n  shop.chekout: {concurrency: 1}\n  shop.order: {concurrency: 1}\n");
    static const char *const providers[] = {"com.example.db", NULL};
    static const char *const connectors[] = {"pawl.file", "pawl.http", NULL};
    static const char *const effects[] = {"web.get", "web.post", "disk.read", NULL};
    static const char *const types[] = {"shop.checkout", "shop.order", NULL};
    pawl_problem_list problems = {0};
    static const char *const middleware[] = {"com.example.budget", NULL};
    static const char *const observers[] = {"com.example.observer", NULL};
    const pawl_profile_known known = {providers, connectors, effects, types, middleware, observers};
    assert_int_equal(pawl_profile_check_known(p, &known, &problems), PAWL_E_INVALID);
    static const struct {
        uint32_t line, column;
        const char *code, *gist;
    } wanted[] = {{5, 19, "profile.unknown_provider", "did you mean \"com.example.db\"?"},
                  {6, 19, "profile.unknown_provider", "did you mean \"rocksdb\"?"},
                  {10, 17, "profile.unknown_plugin", "did you mean \"pawl.http\"?"},
                  {13, 3, "profile.unknown_effect", "did you mean \"web.post\"?"},
                  {16, 19, "profile.unknown_plugin", "did you mean \"com.example.budget\"?"},
                  {18, 14, "profile.unknown_plugin", "did you mean \"com.example.observer\"?"},
                  {20, 3, "profile.unknown_type", "did you mean \"shop.checkout\"?"}};
    pawl_problems_print(&problems, stderr);
    assert_int_equal(problems.count, 7);
    assert_string_equal(problems.path, "shop.yaml");
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(problems.items[i].place.line, wanted[i].line);
        assert_int_equal(problems.items[i].place.column, wanted[i].column);
        assert_string_equal(problems.items[i].code, wanted[i].code);
        assert_non_null(strstr(problems.items[i].message, wanted[i].gist));
    }
    pawl_problems_free(&problems);
    const pawl_profile_known nothing = {NULL, NULL, NULL, NULL, NULL, NULL};
    assert_int_equal(pawl_profile_check_known(p, &nothing, &problems), PAWL_OK);
    pawl_problems_free(&problems);
    pawl_profile_free(p);
}

static void test_place_text(void **state)
{
    (void)state;
    char text[64];
    pawl_profile *p = parse_good(HEAD);
    pawl_profile_place_text(p, p->stores[0].place, text, sizeof(text));
    assert_string_equal(text, "shop.yaml:4:10");
    pawl_profile_place_text(p, p->facets[0].place, text, sizeof(text));
    assert_string_equal(text, "shop.yaml");
    pawl_profile_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_default_retry_is_that_of_the_worker),
        cmocka_unit_test(test_effects_hold_only_what_was_written),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_formatting_is_the_inverse_of_parsing),
        cmocka_unit_test(test_config_has_the_types_of_yaml_1_2),
        cmocka_unit_test(test_aliases_and_merge_keys),
        cmocka_unit_test(test_place_of_an_alias_is_its_use),
        cmocka_unit_test(test_other_ways_to_write_the_same),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_only_a_lone_secret_key_is_a_reference),
        cmocka_unit_test(test_digest_may_look_like_a_number_and_is_lower_case),
        cmocka_unit_test(test_known_plugins),
        cmocka_unit_test(test_place_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
