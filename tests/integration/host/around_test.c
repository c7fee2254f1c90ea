/* around_test.c: middleware and observers of the profile, seen from outside: made, described, refused when they do not
 * fit; and the two examples, loaded as files, doing what they say. */
#include "fixture.h"

#include "around_plugin.h"
#include "test_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static json_t *described(fixture *own)
{
    pawl_text text = {0};
    assert_ok(pawl_host_describe(own->host, &text, &why_));
    return json_of(&text);
}

/* The n-th of a list of the description, or of what has this name in `key`; a new reference. */
static json_t *part_of(fixture *own, const char *list, const char *key, const char *name)
{
    json_t *whole = described(own), *part, *found = NULL;
    size_t i;
    json_array_foreach(json_object_get(whole, list), i,
                       part) if (found == NULL && strcmp(text_of(part, key), name) == 0) found = json_incref(part);
    json_decref(whole);
    if (found == NULL)
        fail_msg("%s has no %s", list, name);
    return found;
}

static json_int_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static fixture *opened(const char *provider, const char *extra)
{
    fixture *own = fixture_make(provider);
    test_plugin_reset();
    around_reset();
    own->extra = extra;
    fixture_open(own);
    return own;
}

static const char purse[] = "middleware: { purse: { plugin: test.around } }\n"
                            "effects: { test.flaky: { retry: { attempts: 1 }, order: [purse, circuit] } }\n";

static void test_MW_middleware_of_the_profile_is_asked_and_described(void **state)
{
    fixture *own = opened(*state, purse);
    start(own, "a", "test.flaky", "1");
    expect_end(own, "a", "completed", NULL);
    atomic_store(&around_answer, PAWL_E_FAILED);
    start(own, "b", "test.flaky", "1");
    expect_end(own, "b", "failed", "around.no");
    atomic_store(&around_answer, PAWL_PENDING);
    start(own, "c", "test.flaky", "1");
    json_t *row = until(own, "c", "waiting");
    assert_has(text_of(row, "why"), "waits for call test.flaky: middleware purse: not today");
    json_decref(row);
    json_t *guard = part_of(own, "guards", "of", "purse");
    assert_string_equal(text_of(guard, "guard"), "middleware");
    assert_string_equal(text_of(guard, "plugin"), "test.around");
    assert_int_equal(number_of(guard, "passed"), 1);
    assert_int_equal(number_of(guard, "refused"), 1);
    assert_int_equal(number_of(guard, "held"), 1);
    assert_int_equal(number_of(json_object_get(guard, "detail"), "answer"), PAWL_PENDING);
    json_decref(guard);
    assert_int_equal(atomic_load(&around_instances), 1);
    fixture_close(own);
    assert_int_equal(atomic_load(&around_instances), 0);
    fixture_remove(own);
}

/* An effect's own order does not take away what was said of its connector. */
static void test_MW_what_a_connector_names_stands_in_front_of_each_of_its_operations(void **state)
{
    fixture *own = fixture_make(*state);
    pawl_error error = {0};
    char profile[1024];
    test_plugin_reset();
    around_reset();
    snprintf(profile, sizeof profile,
             "profile: test\ntier: inline\ndata: %s\nstores: { main: { provider: %s } }\n"
             "middleware: { purse: { plugin: test.around } }\n"
             "connectors: { shop: { plugin: test.plugin, config: { greeting: hello }, order: [purse] } }\n"
             "effects: { shop.greet: { order: [rate_limit], rate_limit: { rate: 1000 } } }\n",
             own->directory, own->provider);
    if (fixture_try_open(own, profile, &error) != PAWL_OK)
        fail_msg("%s", error.message);
    atomic_store(&around_answer, PAWL_E_FAILED);
    start(own, "a", "test.greet", "1");
    expect_end(own, "a", "failed", "around.no");
    fixture_remove(own);
}

static void test_MW_I10_an_observer_that_is_slow_is_left_out_and_shown(void **state)
{
    fixture *own = opened(*state, "observers: [ { plugin: test.around, slow: 1ms } ]\nworker: { shards: 1 }\n");
    const struct timespec pause = {0, 2000000};
    atomic_store(&around_naps, 1);
    json_t *observer = NULL;
    for (int i = 0; i < 15000; i++) {
        char id[16];
        snprintf(id, sizeof id, "p%d", i);
        if (i < 10)
            start(own, id, "test.echo", "1");
        json_decref(observer);
        observer = part_of(own, "observers", "plugin", "test.around");
        if (json_is_true(json_object_get(observer, "left_out")))
            break;
        nanosleep(&pause, NULL);
    }
    assert_true(json_is_true(json_object_get(observer, "left_out")));
    assert_true(number_of(observer, "slow") >= 16);
    assert_true(number_of(observer, "longest_ns") >= 3000000);
    json_decref(observer);
    assert_true(fixture_logged(own, "it is told nothing more until the host starts again"));
    int told = atomic_load(&around_told);
    start(own, "q", "test.echo", "1");
    expect_end(own, "q", "completed", "1");
    assert_int_equal(atomic_load(&around_told), told);
    fixture_remove(own);
}

static void expect_refused(const char *provider, const char *extra, const char *code, const char *part)
{
    fixture *own = fixture_make(provider);
    pawl_error error = {0};
    char profile[2048];
    snprintf(profile, sizeof profile, "profile: test\ntier: inline\ndata: %s\nstores: { main: { provider: %s } }\n%s",
             own->directory, own->provider, extra);
    assert_true(fixture_try_open(own, profile, &error) != PAWL_OK);
    assert_string_equal(error.code, code);
    assert_has(error.message, part);
    assert_int_equal(atomic_load(&around_instances), 0);
    fixture_remove(own);
}

static void test_MW_what_does_not_fit_is_refused_with_its_place(void **state)
{
    around_reset();
    expect_refused(*state, "middleware: { purse: { plugin: test.aruond } }\n", "profile.unknown_plugin",
                   "did you mean \"test.around\"?");
    expect_refused(*state, "observers: [ { plugin: test.plugin } ]\n", "profile.unknown_plugin",
                   ":5:24: observers[0].plugin: no plugin of this profile offers the observer \"test.plugin\"");
    expect_refused(*state, "middleware: { circuit: { plugin: test.around } }\n", "profile.name",
                   "middleware.circuit: this word means something in an order");
    expect_refused(
        *state, "middleware: { purse: { plugin: test.around } }\neffects: { test.flaky: { order: [pruse] } }\n",
        "profile.value", "\"pruse\" is none of rate_limit, concurrency and circuit, and no name in middleware");
    expect_refused(*state,
                   "middleware: { one: { plugin: test.around }, purse: { plugin: test.around, config: { a: 1 } } }\n",
                   "around.config", ":5:45: middleware \"purse\" (test.around): it takes no config");
    char many[1024] = "observers: [ { plugin: test.around }";
    for (int i = 0; i < 16; i++)
        strcat(many, ", { plugin: test.around }");
    strcat(many, " ]\n");
    expect_refused(*state, many, "profile.range", "observers: 17 of them; expected at most 16");
    atomic_store(&around_gives_none, 1);
    expect_refused(*state, "middleware: { purse: { plugin: test.around } }\n", "plugin.contract", "gave nothing");
    expect_refused(*state, "observers: [ { plugin: test.around } ]\n", "plugin.contract", "gave nothing");
}

/* Loaded as files, from a profile: the budget is spent, and every event is in the file. */
static void test_MW_the_examples_do_what_they_say(void **state)
{
    fixture *own = fixture_make(*state);
    pawl_error error = {0};
    char profile[4096], path[128], text[65536] = "";
    test_plugin_reset();
    snprintf(path, sizeof path, "%s/events.jsonl", own->directory);
    snprintf(profile, sizeof profile,
             "profile: test\ntier: inline\ndata: %s/data\nstores: { main: { provider: %s } }\n"
             "plugins: [ { path: %s/budget.so, dev: true }, { path: %s/observer.so, dev: true } ]\n"
             "middleware: { purse: { plugin: com.example.budget, config: { calls: 2 } } }\n"
             "observers: [ { plugin: com.example.observer, config: { path: %s }, slow: 1h } ]\n"
             "effects: { test.flaky: { order: [purse], retry: { attempts: 3, first_delay: 1ms } } }\n",
             own->directory, own->provider, PAWL_TEST_PLUGINS, PAWL_TEST_PLUGINS, path);
    if (fixture_try_open(own, profile, &error) != PAWL_OK)
        fail_msg("%s: %s", error.code, error.message);
    start(own, "good", "test.flaky", "1");
    expect_end(own, "good", "completed", NULL);
    atomic_store(&test_plugin_healthy, 0);
    start(own, "bad", "test.flaky", "1");
    expect_end(own, "bad", "failed", "budget.spent"); /* the third attempt */
    json_t *guard = part_of(own, "guards", "of", "purse");
    char *detail = json_dumps(json_object_get(guard, "detail"), JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(detail, "{\"calls\":2,\"processes\":2,\"refused\":1}");
    free(detail);
    json_decref(guard);
    fixture_close(own); /* which writes what is still in the observer's memory */
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    int lines = 0, failed = 0, ends = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        json_t *json = json_loads(line, 0, NULL);
        if (json == NULL)
            fail_msg("not JSON: %s", line);
        lines++;
        bool of_bad = strcmp(text_of(json, "process"), "bad") == 0;
        failed += of_bad && strcmp(text_of(json, "what"), "call_ended") == 0 && number_of(json, "status") < 0;
        ends += of_bad && strcmp(text_of(json, "ended"), "failed") == 0 &&
                strcmp(text_of(json, "code"), "budget.spent") == 0;
        json_decref(json);
    }
    assert_true(lines > 8);
    assert_int_equal(failed, 2);
    assert_int_equal(ends, 1);
    fixture_remove(own);
}

/* Its plugin is optional and not there: nothing may pass without it, where it is named. */
static void test_MW_a_call_never_passes_without_the_middleware_that_is_named(void **state)
{
    around_reset();
    static const char without[] = "plugins: [ { path: /nowhere/budget.so, dev: true, optional: true } ]\n"
                                  "middleware: { purse: { plugin: com.example.budget, config: { calls: 2 } } }\n";
    fixture *own = fixture_make(*state);
    pawl_error error = {0};
    char profile[2048];
    /* What cannot be read declares nothing, and a name that nobody offers is taken for a slip of the pen. */
    snprintf(profile, sizeof profile, "profile: test\ntier: inline\ndata: %s\nstores: { main: { provider: %s } }\n%s",
             own->directory, own->provider, without);
    assert_int_equal(fixture_try_open(own, profile, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "profile.unknown_plugin");
    fixture_remove(own);

    own = fixture_make(*state); /* one that is there and is refused: the pin is not its own */
    for (int named = 0; named < 2; named++) {
        snprintf(profile, sizeof profile,
                 "profile: test\ntier: inline\ndata: %s/data\nstores: { main: { provider: %s } }\n"
                 "plugins: [ { path: %s/budget.so, sha256: %064d, optional: true } ]\n"
                 "middleware: { purse: { plugin: com.example.budget, config: { calls: 2 } } }\n%s",
                 own->directory, own->provider, PAWL_TEST_PLUGINS, 0,
                 named ? "effects: { test.flaky: { order: [purse] } }\n" : "");
        pawl_status status = fixture_try_open(own, profile, &error);
        if (!named) {
            assert_int_equal(status, PAWL_OK);
            assert_true(fixture_logged(own, "middleware left out"));
            fixture_close(own);
            continue;
        }
        assert_int_equal(status, PAWL_E_NOT_FOUND);
        assert_string_equal(error.code, "middleware.unavailable");
        assert_has(error.message, "no call may pass without it");
    }
    fixture_remove(own);
}

#define OVER(test)                                                                                                     \
    {#test "/memory", test, NULL, NULL, (void *)"memory"},                                                             \
    {                                                                                                                  \
#test "/rocksdb", test, NULL, NULL, (void *)"rocksdb"                                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER(test_MW_middleware_of_the_profile_is_asked_and_described),
        OVER(test_MW_what_a_connector_names_stands_in_front_of_each_of_its_operations),
        OVER(test_MW_I10_an_observer_that_is_slow_is_left_out_and_shown),
        OVER(test_MW_what_does_not_fit_is_refused_with_its_place),
        OVER(test_MW_the_examples_do_what_they_say),
        OVER(test_MW_a_call_never_passes_without_the_middleware_that_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
