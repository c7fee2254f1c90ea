/* mistakes_test.c: one test for each kind of mistake. Each profile has exactly one, and the report must name its place
 * to the column, its code, and what was found or wanted. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

static void expect_one(const char *text, uint32_t line, uint32_t column, const char *code, const char *gist)
{
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    pawl_status status = parse(text, &profile, &problems);
    char *report = pawl_problems_text(&problems);
    assert_non_null(report);
    assert_null(profile);
    assert_int_equal(status, PAWL_E_INVALID);
    if (problems.count != 1 || problems.more)
        fail_msg("%zu problems instead of one:\n%s", problems.count + problems.more, report);
    const pawl_problem *p = &problems.items[0];
    if (p->place.line != line || p->place.column != column || strcmp(p->code, code) != 0 || !strstr(p->message, gist))
        fail_msg("expected %u:%u %s ... %s ...\n%s", line, column, code, gist, report);
    char start[64];
    (void)snprintf(start, sizeof(start), "shop.yaml:%u:%u: ", line, column);
    assert_int_equal(strncmp(report, start, strlen(start)), 0);
    free(report);
    pawl_problems_free(&problems);
}

#define DIGEST      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NESTED10(x) "[[[[[[[[[[" x "]]]]]]]]]]"

/* X(test name, line, column, code, gist, text) */
#define MISTAKES(X)                                                                                                    \
    /* the text as such */                                                                                             \
    X(empty_file, 1, 1, "profile.empty", "empty", "")                                                                  \
    X(only_comments, 1, 1, "profile.empty", "empty", "# nothing\n\n# here\n")                                          \
    X(invalid_utf8, 2, 7, "profile.encoding", "0xFF", "a: b\ntier: \xff\n")                                            \
    X(overlong_utf8, 1, 4, "profile.encoding", "0xC0", "a: \xc0\xaf\n")                                                \
    X(truncated_utf8, 1, 4, "profile.encoding", "0xE2", "a: \xe2\x82")                                                 \
    X(columns_count_characters, 1, 6, "profile.encoding", "U+0007", "\xc3\xa9: \xe2\x82\xac\xf0\x9f\x98\x80\a\n")      \
    X(control_character, 1, 5, "profile.encoding", "U+0001", "a: b\x01\n")                                             \
    X(surrogate_escape, 1, 11, "profile.syntax", "escape", "profile: \"\\ud800\"\n" TAIL)                              \
    X(unclosed_list, 2, 1, "profile.syntax", "closing bracket", "profile: [1, 2\n")                                    \
    X(unclosed_quote, 1, 11, "profile.syntax", "closing quote", "profile: \"x\n")                                      \
    X(tab_indent, 2, 1, "profile.syntax", "tab", "stores:\n\tmain: {}\n")                                              \
    X(two_values_on_a_line, 1, 11, "profile.syntax", "same line", "profile: a: b\n")                                   \
    X(bad_indicator, 1, 10, "profile.syntax", "'@'", "profile: @x\n")                                                  \
    X(undefined_tag_handle, 1, 10, "profile.syntax", "tag", "profile: !e!t x\n")                                       \
    X(second_document, 5, 1, "profile.documents", "second document", HEAD "---\nprofile: b\n")                         \
    X(not_a_mapping_list, 1, 1, "profile.type", "expected a mapping, found a list", "- profile\n")                     \
    X(not_a_mapping_text, 1, 1, "profile.type", "expected a mapping, found the text \"hello\"", "hello\n")             \
    X(too_deep, 5, 123, "profile.too_deep", "40",                                                                      \
      HEAD "connectors: {a: {plugin: b, config: {x: "                                                                  \
           "                                              " NESTED10(NESTED10(NESTED10(NESTED10("1")))) "}}}\n")       \
    /* keys */                                                                                                         \
    X(schedule_name, 6, 3, "profile.name", "not a good name", HEAD "schedules:\n  a b: {every: 5m, type: t}\n")        \
    X(schedule_no_mapping, 6, 6, "profile.type", "expected a mapping", HEAD "schedules:\n  s: 5m\n")                   \
    X(schedule_unknown_member, 6, 33, "profile.schedule", "ever: unknown",                                             \
      HEAD "schedules:\n  s: {every: 5m, type: t, ever: 1}\n")                                                         \
    X(schedule_cron_element, 8, 22, "profile.schedule", "cron[1]: \"0 25 * * *\", column 3: the hour is \"25\"",       \
      HEAD "schedules:\n  s:\n    type: t\n    cron: [\"@daily\", \"0 25 * * *\"]\n")                                  \
    X(schedule_type_missing, 6, 3, "profile.schedule", "type: missing", HEAD "schedules:\n  s: {every: 5m}\n")         \
    X(schedule_span, 6, 14, "profile.schedule", "wanted a span", HEAD "schedules:\n  s: {every: 300, type: t}\n")      \
    X(schedule_zone, 6, 27, "profile.schedule", "no time zone \"Moon\"",                                               \
      HEAD "schedules:\n  s: {type: t, time_zone: Moon, every: 5m}\n")                                                 \
    X(unknown_key, 5, 1, "profile.unknown_key", "did you mean \"socket\"", HEAD "sockte: x\n")                         \
    X(unknown_key_far_off, 5, 1, "profile.unknown_key", "expected one of profile, tier", HEAD "zebra: x\n")            \
    X(unknown_key_in_section, 6, 3, "profile.unknown_key", "in worker; did you mean \"heartbeat\"",                    \
      HEAD "worker:\n  hartbeat: 1s\n")                                                                                \
    X(key_of_another_section, 5, 1, "profile.unknown_key", "there is worker.lease_ttl", HEAD "lease_ttl: 15s\n")       \
    X(unknown_key_in_plugin, 5, 56, "profile.unknown_key", "in plugins[0]; did you mean \"optional\"",                 \
      HEAD "plugins: [{path: x.so, dev: true, config: {a: {b: 1}}, optoinal: true}]\n")                                \
    X(duplicate_key, 5, 1, "profile.duplicate_key", "\"tier\" is here again; the first one is at shop.yaml:2:1",       \
      HEAD "tier: inline\n")                                                                                           \
    X(duplicate_connector, 7, 3, "profile.duplicate_key", "\"a\" is here again; the first one is at shop.yaml:6:3",    \
      HEAD "connectors:\n  a: {plugin: x}\n  a: {plugin: y}\n")                                                        \
    X(duplicate_key_in_config, 5, 44, "profile.duplicate_key", "shop.yaml:5:38",                                       \
      HEAD "connectors: {a: {plugin: b, config: {k: 1, k: 2}}}\n")                                                     \
    X(key_is_a_list, 5, 3, "profile.key", "found a list", HEAD "? [a]\n: b\n")                                         \
    X(key_is_empty, 5, 1, "profile.key", "empty key", HEAD "\"\": b\n")                                                \
    X(missing_key, 1, 1, "profile.missing_key", "tier is required",                                                    \
      "profile: a\ndata: d\nstores: {main: {provider: memory}}\n")                                                     \
    X(missing_key_in_connector, 6, 3, "profile.missing_key", "connectors.shop.plugin is required",                     \
      HEAD "connectors:\n  shop: {config: {}}\n")                                                                      \
    X(missing_path_of_plugin, 6, 5, "profile.missing_key", "plugins[0].path", HEAD "plugins:\n  - {dev: true}\n")      \
    /* aliases */                                                                                                      \
    X(unknown_alias, 5, 9, "profile.alias", "no anchor &x", HEAD "socket: *x\n")                                       \
    X(alias_in_itself, 5, 44, "profile.alias", "inside its own anchor",                                                \
      HEAD "connectors: {a: {plugin: b, config: &c {x: *c}}}\n")                                                       \
    X(merge_of_a_text, 5, 14, "profile.merge", "mapping or a list of mappings",                                        \
      HEAD "worker: {<<: x, heartbeat: 1s}\n")                                                                         \
    X(merge_of_a_mixed_list, 5, 14, "profile.merge", "mapping or a list of mappings",                                  \
      HEAD "worker: {<<: [{heartbeat: 1s, shards: 1, name: a}, 5], heartbeat: 1s}\n")                                  \
    X(unknown_tag, 5, 18, "profile.tag", "!celsius", HEAD "socket: !celsius x\n")                                      \
    X(tag_that_does_not_fit, 5, 24, "profile.tag", "int", HEAD "worker: {shards: !!int x}\n")                          \
    /* types */                                                                                                        \
    X(text_for_number, 5, 18, "profile.type", "expected a whole number, found the text \"many\"",                      \
      HEAD "worker: {shards: many}\n")                                                                                 \
    X(quoted_number, 5, 18, "profile.type", "found the text \"2\"", HEAD "worker: {shards: \"2\"}\n")                  \
    X(fraction_for_count, 5, 18, "profile.type", "found the number 1.5", HEAD "worker: {shards: 1.5}\n")               \
    X(yes_for_true, 5, 19, "profile.type", "expected true or false, found the text \"yes\"",                           \
      HEAD "worker: {enabled: yes}\n")                                                                                 \
    X(number_for_text, 1, 10, "profile.type", "found the number 12", "profile: 12\n" TAIL)                             \
    X(nothing_for_text, 1, 1, "profile.type", "found nothing", "profile:\n" TAIL)                                      \
    X(list_for_section, 5, 9, "profile.type", "worker: expected a mapping, found a list", HEAD "worker: [1]\n")        \
    X(mapping_for_list, 5, 10, "profile.type", "plugins: expected a list, found a mapping", HEAD "plugins: {a: b}\n")  \
    X(element_no_mapping, 6, 5, "profile.type", "plugins[0]: expected a mapping", HEAD "plugins:\n  - x.so\n")         \
    X(mapping_for_text, 5, 9, "profile.type", "expected a path, found a mapping", HEAD "socket: {a: b}\n")             \
    X(text_for_config, 5, 37, "profile.type", "expected a mapping, found a text",                                      \
      HEAD "connectors: {a: {plugin: b, config: hunter2}}\n")                                                          \
    X(text_for_codes, 5, 24, "profile.type", "list of failure codes", HEAD "retry: {non_retryable: http.409}\n")       \
    /* values */                                                                                                       \
    X(bad_name, 1, 10, "profile.name", "1 to 64 of a-z", "profile: My Shop\n" TAIL)                                    \
    X(bad_store_name, 5, 10, "profile.name", "stores.1st",                                                             \
      "profile: a\ntier: inline\ndata: d\n#\nstores: {\"1st\": {provider: memory}}\n")                                 \
    X(bad_choice, 5, 14, "profile.value", "expected debug, info, warn or error, found the text \"loud\"",              \
      HEAD "log: {level: loud}\n")                                                                                     \
    X(duration_without_unit, 5, 21, "profile.unit", "with its unit", HEAD "timeouts: {call:    30}\n")                 \
    X(duration_with_unknown_unit, 5, 18, "profile.unit", "found the text \"3sec\"", HEAD "timeouts: {call: 3sec}\n")   \
    X(duration_that_is_none, 5, 18, "profile.value", "found the text \"soon\"", HEAD "timeouts: {call: soon}\n")       \
    X(duration_too_precise, 5, 18, "profile.value", "too precise", HEAD "timeouts: {call: 0.5ns}\n")                   \
    X(size_with_decimal_unit, 5, 17, "profile.unit", "found the text \"4MB\"", HEAD "limits: {value: 4MB}\n")          \
    X(size_overflow, 5, 17, "profile.range", "out of range", HEAD "limits: {value: 99999999999TiB}\n")                 \
    X(short_digest, 5, 32, "profile.value", "64 hexadecimal digits", HEAD "plugins: [{path: x.so, sha256: 12ab}]\n")   \
    X(code_with_blank, 5, 28, "profile.value", "retry.non_retryable[1]: expected a failure code",                      \
      HEAD "retry: {non_retryable: [a, \"b c\"]}\n")                                                                   \
    X(integer_beyond_64_bits, 5, 41, "profile.range", "connectors.a.config.n: a whole number beyond 64 bits",          \
      HEAD "connectors: {a: {plugin: b, config: {n: 9223372036854775808}}}\n")                                         \
    X(float_that_json_lacks, 5, 41, "profile.range", "JSON cannot hold",                                               \
      HEAD "connectors: {a: {plugin: b, config: {n: .inf}}}\n")                                                        \
    X(number_too_large, 5, 18, "profile.range", "5000 is out of range; expected 0 to 1024",                            \
      HEAD "worker: {shards: 5000}\n")                                                                                 \
    X(number_negative, 5, 18, "profile.range", "-1 is out of range; expected 0 to 1024",                               \
      HEAD "worker: {shards: -1}\n")                                                                                   \
    X(decimal_out_of_range, 5, 17, "profile.range", "1.5 is out of range; expected 0 to 1",                            \
      HEAD "retry: {jitter: 1.5}\n")                                                                                   \
    /* secrets */                                                                                                      \
    X(secret_as_itself, 5, 50, "profile.secret", "connectors.a.config.k: a secret is given as env:NAME",               \
      HEAD "connectors: {a: {plugin: b, config: {k: {secret: hunter2}}}}\n")                                           \
    X(config_is_a_secret, 5, 37, "profile.secret", "stands for a text",                                                \
      HEAD "connectors: {a: {plugin: b, config: {secret: env:A}}}\n")                                                  \
    /* what must agree */                                                                                              \
    X(unknown_store, 5, 19, "profile.unknown_store", "no store is named \"mian\"; did you mean \"main\"?",             \
      HEAD "facets: {session: mian}\n")                                                                                \
    X(no_store, 4, 1, "profile.missing_key", "at least one store", "profile: a\ntier: inline\ndata: d\nstores: {}\n")  \
    X(facet_left_out, 5, 1, "profile.missing_key", "facets.registry is required",                                      \
      "profile: a\ntier: inline\ndata: d\nstores: {a: {provider: memory}, b: {provider: memory}}\n"                    \
      "facets: {session: a, attachment: a, artifact: b}\n")                                                            \
    X(two_stores_one_path, 6, 42, "profile.duplicate",                                                                 \
      "stores.b and stores.a (at shop.yaml:5:3) have the same path /base/x",                                           \
      "profile: a\ntier: inline\ndata: d\nstores:\n  a: {provider: rocksdb, config: {path: x}}\n"                      \
      "  b: {provider: rocksdb, config: { path: ././x}}\nfacets: {session: a, attachment: a, artifact: b, registry: "  \
      "b}\n")                                                                                                          \
    X(two_plugins_one_file, 7, 12, "profile.duplicate", "plugins[1] and plugins[0] (at shop.yaml:6:5)",                \
      HEAD "plugins:\n  - {path: x.so, dev: true}\n  - {path: /base/x.so, dev: true}\n")                               \
    X(unpinned_plugin, 6, 5, "profile.unpinned", "sha256 is required", HEAD "plugins:\n  - path: x.so\n")              \
    X(unpinned_not_dev, 6, 5, "profile.unpinned", "sha256", HEAD "plugins:\n  - {path: x.so, dev: false}\n")           \
    X(limits_without_isolation, 6, 37, "profile.inconsistent", "plugins[0].limits: nothing limits a plugin",           \
      HEAD "plugins:\n  - {path: x.so, dev: true, limits: {memory: 64MiB}}\n")                                         \
    X(isolation_unknown, 6, 40, "profile.value", "plugins[0].isolation",                                               \
      HEAD "plugins:\n  - {path: x.so, dev: true, isolation: thread}\n")                                               \
    X(no_workers, 6, 67, "profile.range", "plugins[0].limits.workers",                                                 \
      HEAD "plugins:\n  - {path: x.so, dev: true, isolation: process, limits: {workers: 0}}\n")                        \
    X(input_above_value, 5, 17, "profile.inconsistent", "limits.input is 8MiB, more than limits.value, which is 4MiB", \
      HEAD "limits: {input: 8MiB}\n")                                                                                  \
    X(warn_above_max, 5, 24, "profile.inconsistent", "limits.journal_warn", HEAD "limits: {journal_warn: 65MiB}\n")    \
    X(value_above_journal, 5, 23, "profile.inconsistent",                                                              \
      "limits.journal_warn is 32MiB, more than limits.journal_max", HEAD "limits: {journal_max: 16MiB}\n")             \
    X(first_delay_above_max, 5, 22, "profile.inconsistent", "first_delay is 40s, more than retry.max_delay",           \
      HEAD "retry: {first_delay: 40s}\n")                                                                              \
    X(effect_first_delay_above_max, 5, 41, "profile.inconsistent", "effects.x.y.retry.first_delay is 2s",              \
      HEAD "effects: {x.y: {retry: {first_delay:    2s, max_delay: 1s}}}\n")                                           \
    X(socket_too_long, 5, 9, "profile.path", "the system allows 107", HEAD "socket: /" DIGEST DIGEST "\n")             \
    X(data_makes_socket_too_long, 3, 7, "profile.path", "set a shorter socket",                                        \
      "profile: a\ntier: inline\ndata: /" DIGEST DIGEST "\nstores: {main: {provider: memory}}\n")                      \
    /* catalogue */                                                                                                    \
    X(L13_lease_shorter_than_three_heartbeats, 5, 21, "profile.lease", "at least three heartbeats (15s)",              \
      HEAD "worker: {lease_ttl: 14s}\n")                                                                               \
    X(L13_heartbeat_too_slow_for_default_lease, 5, 21, "profile.lease", "heartbeat of 5001ms",                         \
      HEAD "worker: {heartbeat: 5001ms}\n")                                                                            \
    X(H06_zero_heartbeat, 5, 21, "profile.range", "0s is out of range; expected 100ms to 1h",                          \
      HEAD "worker: {heartbeat: 0s}\n")                                                                                \
    X(H06_zero_lease, 5, 21, "profile.range", "0 is out of range; expected 300ms to 1d",                               \
      HEAD "worker: {lease_ttl: 0}\n")                                                                                 \
    X(H06_zero_grace, 5, 24, "profile.range", "0ms is out of range", HEAD "timeouts: {stop_grace: 0ms}\n")             \
    X(H06_zero_first_delay, 5, 22, "profile.range", "0s is out of range", HEAD "retry: {first_delay: 0s}\n")           \
    X(H06_empty_data, 3, 7, "profile.path", "data: an empty path",                                                     \
      "profile: a\ntier: inline\ndata: \"\"\nstores: {main: {provider: memory}}\n")                                    \
    X(H06_empty_plugin_path, 5, 18, "profile.path", "plugins[0].path: an empty path",                                  \
      HEAD "plugins: [{path: '', dev: true}]\n")                                                                       \
    X(H06_empty_store_path, 4, 51, "profile.path", "stores.main.config.path: expected a path, found an empty one",     \
      "profile: a\ntier: inline\ndata: d\nstores: {main: {provider: rocksdb, config: {path: \"\"}}}\n")                \
    X(store_path_is_a_number, 4, 51, "profile.path", "another kind of value",                                          \
      "profile: a\ntier: inline\ndata: d\nstores: {main: {provider: rocksdb, config: {path: 5}}}\n")

#define TAIL "tier: inline\ndata: d\nstores: {main: {provider: memory}}\n"

#define DEFINE(name, line, column, code, gist, text)                                                                   \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        expect_one(text, line, column, code, gist);                                                                    \
    }
MISTAKES(DEFINE)

/* One pass finds all of them, in the order of the file. */
static void test_every_problem_in_one_pass(void **state)
{
    (void)state;
    static const struct {
        uint32_t line;
        const char *code;
    } wanted[] = {{1, "profile.name"},        {2, "profile.value"},       {3, "profile.path"},
                  {4, "profile.unknown_key"}, {6, "profile.missing_key"}, {7, "profile.name"},
                  {8, "profile.unit"},        {8, "profile.unknown_key"}, {9, "profile.duplicate_key"}};
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    pawl_status status = parse("profile: My Shop\n"
                               "tier: durabel\n"
                               "data: ''\n"
                               "sockets: x\n"
                               "stores:\n"
                               "  main: {}\n"
                               "connectors: {Q: {plugin: x}}\n"
                               "worker: {heartbeat: 5, hearts: 3}\n"
                               "tier: inline\n",
                               &profile, &problems);
    assert_int_equal(status, PAWL_E_INVALID);
    pawl_problems_print(&problems, stderr);
    assert_int_equal(problems.count, sizeof(wanted) / sizeof(wanted[0]));
    for (size_t i = 0; i < problems.count; i++) {
        assert_int_equal(problems.items[i].place.line, wanted[i].line);
        assert_string_equal(problems.items[i].code, wanted[i].code);
    }
    pawl_problems_free(&problems);
}

static void test_value_of_a_misplaced_secret_is_never_shown(void **state)
{
    (void)state;
    static const char *const texts[] = {
        HEAD "connectors: {a: {plugin: b, config: {k: {secret: hunter2}}}}\n",
        HEAD "connectors: {a: {plugin: b, config: hunter2}}\n",
        HEAD "connectors: {a: {plugin: b, config: [hunter2]}}\n",
        HEAD "connectors: {a: {plugin: b, config: {k: {secret: \"env:hunter2 \"}}}}\n",
        "profile: a\ntier: inline\ndata: d\nstores: {main: {provider: memory, config: {secret: hunter2}}}\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        pawl_profile *profile = NULL;
        pawl_problem_list problems = {0};
        assert_int_equal(parse(texts[i], &profile, &problems), PAWL_E_INVALID);
        char *report = pawl_problems_text(&problems);
        assert_non_null(report);
        assert_true(problems.count > 0);
        assert_null(strstr(report, "hunter2"));
        free(report);
        pawl_problems_free(&problems);
    }
}

static void test_problems_beyond_the_limit_are_counted(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    (void)fputs(HEAD, out);
    for (unsigned i = 0; i < 300; i++)
        (void)fprintf(out, "zebra%u: 1\n", i);
    assert_int_equal(fclose(out), 0);
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    assert_int_equal(parse(text, &profile, &problems), PAWL_E_INVALID);
    assert_int_equal(problems.count, PAWL_PROBLEMS_MAX);
    assert_int_equal(problems.more, 300 - PAWL_PROBLEMS_MAX);
    char *report = pawl_problems_text(&problems);
    assert_non_null(report);
    assert_non_null(strstr(report, "shop.yaml: and 100 more\n"));
    free(report);
    free(text);
    pawl_problems_free(&problems);
}

/* Nine lists, each naming the one before nine times: a few hundred bytes that stand for 400 million values. */
static void test_aliases_cannot_multiply_without_bound(void **state)
{
    (void)state;
    char text[4096] = HEAD "connectors: {a: {plugin: b, config: {\n  l0: &l0 [x, x, x, x, x, x, x, x, x],\n";
    for (unsigned i = 1; i < 9; i++) {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof(text) - used,
                       "  l%u: &l%u [*l%u, *l%u, *l%u, *l%u, *l%u, *l%u, *l%u, *l%u, *l%u],\n", i, i, i - 1, i - 1,
                       i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    strcat(text, "}}}\n");
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    assert_int_equal(parse(text, &profile, &problems), PAWL_E_INVALID);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].code, "profile.too_many_values");
    pawl_problems_free(&problems);
}

static void test_depth_counts_aliases(void **state)
{
    (void)state;
    char text[4096] = HEAD "connectors: {a: {plugin: b, config: {\n  l0: &l0 [[[[[x]]]]],\n";
    for (unsigned i = 1; i < 9; i++) {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof(text) - used, "  l%u: &l%u [[[[[*l%u]]]]],\n", i, i, i - 1);
    }
    strcat(text, "}}}\n");
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    assert_int_equal(parse(text, &profile, &problems), PAWL_E_INVALID);
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.items[0].code, "profile.too_deep");
    pawl_problems_free(&problems);
}

#define REGISTER(name, line, column, code, gist, text) cmocka_unit_test(test_##name),

int main(void)
{
    const struct CMUnitTest tests[] = {MISTAKES(REGISTER) cmocka_unit_test(test_every_problem_in_one_pass),
                                       cmocka_unit_test(test_value_of_a_misplaced_secret_is_never_shown),
                                       cmocka_unit_test(test_problems_beyond_the_limit_are_counted),
                                       cmocka_unit_test(test_aliases_cannot_multiply_without_bound),
                                       cmocka_unit_test(test_depth_counts_aliases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
