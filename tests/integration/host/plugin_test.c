/* plugin_test.c: what plugins get from a host: attachments within their scope, one call at a time where they ask for
 * it, limits from the profile. */
#include "fixture.h"

#include "test_plugin.h"

#include <stdio.h>
#include <stdlib.h>

static void start_in(fixture *own, const char *id, const char *type, const char *session, const char *input)
{
    pawl_start wanted = {
        .struct_size = sizeof wanted, .id = id, .type = type, .session = session, .input = {input, strlen(input)}};
    assert_ok(pawl_host_start(own->host, &wanted, NULL, &why_));
}

static void attached(fixture *own, const char *id, char reference[128])
{
    json_t *outcome = ended(own, id);
    json_t *output = json_object_get(outcome, "output");
    if (output == NULL)
        fail_msg("%s", json_dumps(outcome, 0));
    assert_string_equal(text_of(output, "content"), "note");
    snprintf(reference, 128, "\"%s\"", text_of(output, "reference"));
    assert_int_equal(strlen(reference), 7 + 64 + 2);
    json_decref(outcome);
}

static void test_an_attachment_belongs_to_its_session(void **state)
{
    fixture *own = *state;
    char reference[128];
    start_in(own, "a", "test.attach", "s1", "\"note\"");
    attached(own, "a", reference);
    start_in(own, "b", "test.load", "s1", reference);
    expect_end(own, "b", "completed", "\"note\"");
    start_in(own, "c", "test.load", "s2", reference);
    expect_end(own, "c", "failed", "attachment.not_found");
    start_in(own, "d", "test.load", NULL, reference);
    expect_end(own, "d", "failed", "attachment.not_found");
    start_in(own, "e", "test.load", "s1", "\"sha256:xyz\"");
    expect_end(own, "e", "failed", "attachment.invalid");
}

static void test_an_attachment_of_a_process_without_session_is_its_own(void **state)
{
    fixture *own = *state;
    char reference[128];
    start_in(own, "a", "test.attach", NULL, "\"note\"");
    attached(own, "a", reference);
    start_in(own, "b", "test.load", NULL, reference);
    expect_end(own, "b", "failed", "attachment.not_found");
}

static void test_P11_a_serial_connector_is_called_one_at_a_time(void **state)
{
    fixture *own = *state;
    char id[16];
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "p%d", i);
        start(own, id, "test.greet", "1");
    }
    for (int i = 0; i < 20; i++) {
        snprintf(id, sizeof id, "p%d", i);
        expect_end(own, id, "completed", "\"hello\"");
    }
    assert_int_equal(atomic_load(&test_plugin_together), 1);
}

static void test_the_profile_overrides_the_manifest(void **state)
{
    fixture *own = *state;
    atomic_store(&test_plugin_healthy, 0);
    start(own, "p", "test.flaky", "1");
    expect_end(own, "p", "failed", "test.ill");
    assert_int_equal(atomic_load(&test_plugin_calls), 3); /* the manifest's attempts */
    fixture_close(own);
    own->extra = "effects: { test.flaky: { retry: { attempts: 2 } } }\n";
    fixture_open(own);
    atomic_store(&test_plugin_calls, 0);
    start(own, "q", "test.flaky", "1");
    expect_end(own, "q", "failed", "test.ill");
    assert_int_equal(atomic_load(&test_plugin_calls), 2);
    fixture_close(own);
    own->extra = "effects: { test.flaky: { retry: { non_retryable: [test.ill] } } }\n";
    fixture_open(own);
    atomic_store(&test_plugin_calls, 0);
    start(own, "r", "test.flaky", "1");
    expect_end(own, "r", "failed", "test.ill");
    assert_int_equal(atomic_load(&test_plugin_calls), 1);
}

static void test_H10_the_profiles_timeout_is_applied(void **state)
{
    fixture *own = *state;
    fixture_close(own);
    own->extra = "effects: { test.block: { timeout: 50ms } }\n";
    fixture_open(own);
    start(own, "p", "test.block", "1");
    json_t *outcome = ended(own, "p");
    assert_string_equal(text_of(outcome, "status"), "failed");
    json_decref(outcome);
    assert_int_equal(atomic_load(&test_plugin_blocked), 0);
}

static json_t *effect_of(json_t *all, const char *name)
{
    size_t index;
    json_t *effect;
    json_array_foreach(json_object_get(all, "effects"), index,
                       effect) if (strcmp(text_of(effect, "name"), name) == 0) return effect;
    fail_msg("no effect %s", name);
    return NULL;
}

static void expect_effect(json_t *all, const char *name, json_int_t timeout_ms, json_int_t attempts)
{
    json_t *effect = effect_of(all, name);
    assert_int_equal(json_integer_value(json_object_get(effect, "timeout_ns")), timeout_ms * 1000000);
    assert_int_equal(json_integer_value(json_object_get(effect, "attempts_max")), attempts);
}

static void test_H10_override_then_manifest_then_profile_then_default(void **state)
{
    fixture *own = *state;
    fixture_close(own);
    own->extra = "timeouts: { call: 7s }\nretry: { attempts: 9 }\n"
                 "effects: { shop.greet: { timeout: 2s, deadline: 3s }, test.flaky: { retry: { attempts: 4 } } }\n";
    fixture_open(own);
    pawl_text text = {0};
    assert_ok(pawl_host_describe(own->host, &text, &why_));
    json_t *all = json_of(&text);
    expect_effect(all, "test.upper", 7000, 9);   /* the profile's */
    expect_effect(all, "test.block", 600000, 9); /* the manifest's timeout */
    expect_effect(all, "test.flaky", 7000, 4);   /* the override over the manifest's 3 */
    expect_effect(all, "shop.greet", 2000, 9);   /* by instance and operation */
    assert_int_equal(json_integer_value(json_object_get(effect_of(all, "shop.greet"), "deadline_ns")), 3000000000);
    assert_int_equal(json_integer_value(json_object_get(effect_of(all, "test.upper"), "deadline_ns")), 0);
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_an_attachment_belongs_to_its_session),
        OVER_BOTH(test_an_attachment_of_a_process_without_session_is_its_own),
        OVER_BOTH(test_P11_a_serial_connector_is_called_one_at_a_time),
        OVER_BOTH(test_the_profile_overrides_the_manifest),
        OVER_BOTH(test_H10_the_profiles_timeout_is_applied),
        OVER_BOTH(test_H10_override_then_manifest_then_profile_then_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
