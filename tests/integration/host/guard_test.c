/* guard_test.c: what the profile puts in front of calls, seen from outside: the description, and why a process waits.
 */
#include "fixture.h"

#include "test_plugin.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *described(fixture *own)
{
    pawl_text text = {0};
    assert_ok(pawl_host_describe(own->host, &text, &why_));
    return json_of(&text);
}

/* The guard of this kind; a new reference. */
static json_t *guard_of(fixture *own, const char *of, const char *kind)
{
    json_t *whole = described(own), *guard, *found = NULL;
    size_t i;
    json_array_foreach(json_object_get(whole, "guards"), i,
                       guard) if (strcmp(text_of(guard, "of"), of) == 0 && strcmp(text_of(guard, "guard"), kind) == 0)
        found = json_incref(guard);
    json_decref(whole);
    if (found == NULL)
        fail_msg("no guard %s of %s", kind, of);
    return found;
}

static fixture *opened(const char *provider, const char *extra)
{
    fixture *own = fixture_make(provider);
    test_plugin_reset();
    own->extra = extra;
    fixture_open(own);
    return own;
}

static void test_MW_an_open_circuit_is_seen_and_told(void **state)
{
    fixture *own =
        opened(*state, "effects: { test.flaky: { retry: { attempts: 1 }, circuit: { window: 4, calls_min: 2, "
                       "open: 1h } } }\n");
    atomic_store(&test_plugin_healthy, 0);
    start(own, "a", "test.flaky", "1");
    start(own, "b", "test.flaky", "1");
    expect_end(own, "a", "failed", NULL);
    expect_end(own, "b", "failed", NULL);
    json_t *guard = guard_of(own, "test.flaky", "circuit");
    assert_string_equal(text_of(guard, "state"), "open");
    assert_int_equal(json_integer_value(json_object_get(guard, "failed")), 2);
    assert_true(json_integer_value(json_object_get(guard, "open_left_ns")) > 0);
    json_decref(guard);
    start(own, "c", "test.flaky", "1");
    json_t *row = until(own, "c", "waiting");
    assert_has(text_of(row, "why"), "waits for call test.flaky: circuit of test.flaky is open (2 of 2 calls failed)");
    assert_has(text_of(row, "why"), "(in ");
    json_decref(row);
    fixture_remove(own);
}

static void test_MW_an_instance_has_its_guards_in_the_order_of_the_profile(void **state)
{
    fixture *own = opened(*state, "");
    fixture_close(own);
    char profile[1024];
    snprintf(profile, sizeof profile,
             "profile: test\ntier: inline\ndata: %s\nstores: { main: { provider: %s } }\n"
             "connectors: { shop: { plugin: test.plugin, config: { greeting: hello }, queue: 2,\n"
             "  rate_limit: { rate: 1000, burst: 7 }, circuit: { calls_min: 3 }, order: [circuit] } }\n",
             own->directory, own->provider);
    pawl_error error = {0};
    if (fixture_try_open(own, profile, &error) != PAWL_OK)
        fail_msg("%s", error.message);
    start(own, "a", "test.greet", "1");
    expect_end(own, "a", "completed", NULL);
    static const char *const kinds[] = {"rate_limit", "concurrency", "circuit"};
    for (size_t i = 0; i < 3; i++) {
        json_t *guard = guard_of(own, "shop", kinds[i]);
        assert_int_equal(json_integer_value(json_object_get(guard, "passed")), 1);
        json_decref(guard);
    }
    json_t *places = guard_of(own, "shop", "concurrency");
    assert_int_equal(json_integer_value(json_object_get(places, "limit")), 3); /* one at a time, and two in front */
    assert_int_equal(json_integer_value(json_object_get(places, "taken")), 0);
    json_decref(places);
    fixture_remove(own);
}

static void test_MW_an_unknown_word_in_an_order_has_its_place(void **state)
{
    fixture *own = fixture_make(*state);
    pawl_error error = {0};
    char profile[512];
    snprintf(profile, sizeof profile,
             "profile: test\ntier: inline\ndata: %s\nstores: { main: { provider: %s } }\n"
             "effects:\n  test.flaky:\n    order: [circuit, circiut, circuit]\n",
             own->directory, own->provider);
    assert_int_equal(fixture_try_open(own, profile, &error), PAWL_E_INVALID);
    assert_has(error.message, ":7:12: effects.test.flaky.order: \"circiut\" is none of");
    assert_has(error.message, "\"circuit\" stands twice");
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
        OVER(test_MW_an_open_circuit_is_seen_and_told),
        OVER(test_MW_an_instance_has_its_guards_in_the_order_of_the_profile),
        OVER(test_MW_an_unknown_word_in_an_order_has_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
