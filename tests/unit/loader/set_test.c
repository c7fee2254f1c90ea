/* set_test.c: many plugins: all or none, in order, each name once; linked-in ones; inspection; quarantine. */
#include "fixture.h"

#include "abi/pawl_plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- plugins that are part of this program ------------------------------------------------------------------------
 */

static char calls[512]; /* what was called, in order */

static void note(const char *what)
{
    size_t used = strlen(calls);
    snprintf(calls + used, sizeof calls - used, "%s ", what);
}

static pawl_status serve(const pawl_effect_call *call, pawl_sink *out, pawl_failure_sink *why)
{
    (void)call;
    (void)out;
    (void)why;
    return PAWL_OK;
}
PAWL_EFFECT_TABLE(table, serve, NULL, NULL);
PAWL_FACTORY_OF(get_factory, PAWL_FACTORY_EFFECT, &table);

#define LINKED_MANIFEST(name)                                                                                          \
    "{\"id\":\"linked." name "\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},\"kinds\":[\"effect\"],"      \
    "\"effects\":[{\"name\":\"linked." name "\",\"input_schema\":true,\"output_schema\":true,"                         \
    "\"outcome\":\"idempotent\"}]}"
#define LINKED(name, result)                                                                                           \
    static pawl_status init_##name(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)              \
    {                                                                                                                  \
        (void)config;                                                                                                  \
        note("+" #name);                                                                                               \
        return (result) == PAWL_OK                                                                                     \
                   ? PAWL_OK                                                                                           \
                   : pawl_fail_with(pawl_core_of(host), why, PAWL_TERMINAL, "linked.no", "%s says no", #name);         \
    }                                                                                                                  \
    static void deinit_##name(const pawl_host_root *host)                                                              \
    {                                                                                                                  \
        (void)host;                                                                                                    \
        note("-" #name);                                                                                               \
    }                                                                                                                  \
    static const pawl_plugin_root *entry_##name(void)                                                                  \
    {                                                                                                                  \
        static const pawl_plugin_root root = {sizeof root,                                                             \
                                              PAWL_ABI_MAJOR,                                                          \
                                              0,                                                                       \
                                              "linked." #name,                                                         \
                                              "1.0.0",                                                                 \
                                              "Test",                                                                  \
                                              {LINKED_MANIFEST(#name), sizeof LINKED_MANIFEST(#name) - 1},             \
                                              init_##name,                                                             \
                                              deinit_##name,                                                           \
                                              get_factory};                                                            \
        return &root;                                                                                                  \
    }                                                                                                                  \
    struct pawl_plugin_end_

LINKED(one, PAWL_OK);
LINKED(two, PAWL_OK);
LINKED(three, PAWL_OK);
LINKED(refusing, PAWL_E_FAILED);

static const pawl_plugin_root *entry_null(void)
{
    return NULL;
}

/* ---- helpers ------------------------------------------------------------------------------------------------------
 */

static pawl_plugin_set *load(fixture *f, const pawl_plugin_request *requests, size_t count)
{
    pawl_plugin_set *set = NULL;
    calls[0] = '\0';
    if (pawl_loader_load(requests, count, f->data, fixture_host(), NULL, &set, &f->error) != PAWL_OK)
        fail_msg("%s", f->error.message);
    return set;
}

static void refuse(fixture *f, const pawl_plugin_request *requests, size_t count, const char *code,
                   const char *fragment)
{
    pawl_plugin_set *set = NULL;
    calls[0] = '\0';
    pawl_status status = pawl_loader_load(requests, count, f->data, fixture_host(), NULL, &set, &f->error);
    fixture_assert_refused(f, status, code, fragment);
    assert_null(set);
}

/* ---- tests --------------------------------------------------------------------------------------------------------
 */

static void test_an_empty_set_is_a_set(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    pawl_plugin_set *set = load(&f, NULL, 0);
    assert_int_equal(pawl_plugin_set_count(set), 0);
    assert_null(pawl_plugin_set_at(set, 0));
    assert_null(pawl_plugin_set_close(set));
    assert_null(pawl_plugin_set_close(NULL));
    fixture_close(&f);
}

static void test_a_pinned_plugin_loads_from_its_copy(void **state)
{
    fixture f;
    char text[64];
    (void)state;
    fixture_open(&f);
    const char *path = fixture_copy(&f, "well_behaved", "x.so");
    const pawl_plugin_request request = {.path = path, .sha256 = fixture_sha256(path)};
    pawl_plugin_set *set = load(&f, &request, 1);
    const pawl_plugin *plugin = pawl_plugin_set_at(set, 0);
    assert_string_equal(plugin->path, path);
    assert_int_equal(strncmp(plugin->copy_path, f.data, strlen(f.data)), 0);
    assert_non_null(strstr(plugin->copy_path, request.sha256));
    assert_string_equal(plugin->manifest->id, "hostile.plugin");
    assert_string_equal(plugin->root->vendor, "Hostile");
    assert_ptr_equal(plugin->host, fixture_host());
    assert_false(plugin->linked_in);
    assert_non_null(plugin->effect);
    assert_null(plugin->connector);
    assert_null(plugin->registry);
    assert_int_equal(unlink(path), 0); /* what was loaded does not depend on the file any more */
    assert_int_equal(fixture_execute(plugin, "hello", 64, text, sizeof text, &f.error), PAWL_OK);
    assert_string_equal(text, "hello");
    pawl_plugin_set_close(set);
    fixture_close(&f);
}

static void test_pins_are_wanted_and_checked(void **state)
{
    fixture f;
    char pin[PATH_MAX];
    (void)state;
    fixture_open(&f);
    const char *path = fixture_copy(&f, "well_behaved", "x.so");
    pawl_plugin_request request = {.path = path, .place = "profile.yaml:7:5"};
    refuse(&f, &request, 1, "loader.unpinned", "has no sha256");
    assert_int_equal(strncmp(f.error.message, "profile.yaml:7:5: ", 18), 0);
    request.sha256 = "1234";
    refuse(&f, &request, 1, "loader.request", "\"1234\"; wanted 64 hex digits");
    snprintf(pin, sizeof pin, "%s", fixture_sha256(path));
    request.sha256 = pin;
    pin[0] = pin[0] == '0' ? '1' : '0';
    refuse(&f, &request, 1, "loader.digest", "as the profile pins it");
    request.dev = true; /* a pin that is there counts in development, too */
    refuse(&f, &request, 1, "loader.digest", "as the profile pins it");
    request.path = NULL;
    refuse(&f, &request, 1, "loader.request", "neither a path nor an entry");
    fixture_close(&f);
}

static void test_an_upper_case_pin_is_a_pin(void **state)
{
    fixture f;
    char pin[65];
    (void)state;
    fixture_open(&f);
    const char *path = fixture_copy(&f, "well_behaved", "x.so");
    snprintf(pin, sizeof pin, "%.64s", fixture_sha256(path));
    for (char *c = pin; *c != '\0'; c++)
        *c = (char)(*c >= 'a' && *c <= 'f' ? *c - 'a' + 'A' : *c);
    const pawl_plugin_request request = {.path = path, .sha256 = pin};
    pawl_plugin_set_close(load(&f, &request, 1));
    fixture_close(&f);
}

static void test_P03_names_are_there_once(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    const char *first = fixture_copy(&f, "well_behaved", "first.so");
    const char *second = fixture_copy(&f, "well_behaved", "second.so");
    const char *effect = fixture_copy(&f, "same_effect", "effect.so");
    const char *type = fixture_copy(&f, "process_type", "type.so");
    const char *same = fixture_copy(&f, "same_type", "same.so");
    const pawl_plugin_request plugins[] = {{.path = first, .dev = true}, {.path = second, .dev = true}};
    const pawl_plugin_request effects[] = {{.path = first, .dev = true}, {.path = effect, .dev = true}};
    const pawl_plugin_request types[] = {{.path = type, .dev = true}, {.path = same, .dev = true}};
    const pawl_plugin_request linked[] = {{.entry = entry_one}, {.entry = entry_two}, {.entry = entry_one}};
    refuse(&f, plugins, 2, "loader.duplicate_plugin", "\"hostile.plugin\"");
    assert_non_null(strstr(f.error.message, first));
    assert_non_null(strstr(f.error.message, second));
    refuse(&f, effects, 2, "loader.duplicate_effect", "\"hostile.echo\", which plugin hostile.plugin");
    assert_non_null(strstr(f.error.message, "hostile.same-effect"));
    refuse(&f, types, 2, "loader.duplicate_type", "\"hostile.type\", which plugin hostile.process");
    assert_non_null(strstr(f.error.message, "hostile.same-type"));
    refuse(&f, linked, 3, "loader.duplicate_plugin", "\"linked.one\"");
    assert_string_equal(calls, ""); /* found before anything was initialised */
    fixture_close(&f);
}

static void test_P05_a_late_refusal_undoes_the_earlier_ones_in_reverse(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    const pawl_plugin_request requests[] = {
        {.entry = entry_one}, {.entry = entry_two}, {.entry = entry_refusing}, {.entry = entry_three}};
    refuse(&f, requests, 4, "loader.init_failed", "linked.refusing (linked in): its init refused");
    assert_non_null(strstr(f.error.message, "refusing says no"));
    assert_string_equal(calls, "+one +two +refusing -two -one ");
    fixture_close(&f);
}

static void test_P05_the_refusal_may_come_from_a_file(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    const char *path = fixture_copy(&f, "init_refuses_in_host", "x.so");
    const pawl_plugin_request requests[] = {
        {.entry = entry_one}, {.entry = entry_two}, {.path = path, .dev = true}, {.entry = entry_three}};
    refuse(&f, requests, 4, "loader.init_failed", "not in loader-test");
    assert_string_equal(calls, "+one +two -two -one ");
    fixture_close(&f);
}

static void test_a_set_closes_in_reverse(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    const pawl_plugin_request requests[] = {{.entry = entry_one}, {.entry = entry_two}, {.entry = entry_three}};
    pawl_plugin_set *set = load(&f, requests, 3);
    assert_int_equal(pawl_plugin_set_count(set), 3);
    assert_string_equal(pawl_plugin_set_at(set, 1)->manifest->id, "linked.two");
    assert_true(pawl_plugin_set_at(set, 1)->linked_in);
    assert_null(pawl_plugin_set_at(set, 1)->copy_path);
    assert_ptr_equal(pawl_plugin_set_find(set, "linked.three"), pawl_plugin_set_at(set, 2));
    assert_null(pawl_plugin_set_find(set, "linked.four"));
    pawl_plugin_set_close(set);
    assert_string_equal(calls, "+one +two +three -three -two -one ");
    fixture_close(&f);
}

static void test_P01_a_linked_plugin_is_checked_like_any_other(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    const pawl_plugin_request requests[] = {{.entry = entry_one}, {.entry = entry_null}};
    refuse(&f, requests, 2, "loader.root", "returned NULL");
    assert_string_equal(calls, "");
    fixture_close(&f);
}

/* Nothing runs while a later file still could be refused for what it is. */
static void test_no_code_runs_before_all_files_are_good(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    const char *crash = fixture_copy(&f, "init_crash", "crash.so");
    const char *bad = fixture_copy(&f, "bad_manifest", "bad.so");
    const pawl_plugin_request requests[] = {
        {.entry = entry_one}, {.path = crash, .dev = true}, {.path = bad, .dev = true}};
    refuse(&f, requests, 3, "loader.manifest_invalid", bad);
    refuse(&f, requests, 2, "loader.probe_crash", crash);
    assert_string_equal(calls, ""); /* the first one was not initialised, since the second died in its probe */
    fixture_close(&f);
}

typedef struct {
    int count;
    char code[64];
    char path[PATH_MAX];
} left_out_log;

static void left_out(void *context, const pawl_plugin_request *request, const pawl_error *why)
{
    left_out_log *log = context;
    log->count++;
    snprintf(log->code, sizeof log->code, "%s", why->code);
    snprintf(log->path, sizeof log->path, "%s", request->path);
}

static void test_P13_an_optional_plugin_is_left_out_with_a_word(void **state)
{
    fixture f;
    left_out_log log = {.count = 0};
    (void)state;
    fixture_open(&f);
    static const char *const bad[] = {"init_refuses_in_host", "init_crash", "bad_manifest", "null_member"};
    static const char *const codes[] = {"loader.init_failed", "loader.probe_crash", "loader.manifest_invalid",
                                        "loader.table_member"};
    const char *good = fixture_copy(&f, "other_well_behaved", "good.so");
    for (size_t i = 0; i < 4; i++) {
        const pawl_plugin_request requests[] = {
            {.path = fixture_copy(&f, bad[i], "bad.so"), .dev = true, .optional = true},
            {.path = good, .dev = true, .optional = true}};
        const pawl_loader_options options = {.left_out = left_out, .left_out_context = &log};
        pawl_plugin_set *set = NULL;
        assert_int_equal(pawl_loader_load(requests, 2, f.data, fixture_host(), &options, &set, &f.error), PAWL_OK);
        assert_int_equal(log.count, i + 1);
        assert_string_equal(log.code, codes[i]);
        assert_non_null(strstr(log.path, "bad.so"));
        assert_int_equal(pawl_plugin_set_count(set), 1);
        assert_string_equal(pawl_plugin_set_at(set, 0)->manifest->id, "hostile.other");
        pawl_plugin_set_close(set);
    }
    fixture_close(&f);
}

static const pawl_host_root *root_for(void *context, const char *plugin_id)
{
    static pawl_host_root own;
    own = *fixture_host();
    own.name = context;
    note(plugin_id);
    return &own;
}

static void test_each_plugin_may_have_a_root_of_its_own(void **state)
{
    fixture f;
    char name[] = "own";
    (void)state;
    fixture_open(&f);
    const pawl_plugin_request requests[] = {{.entry = entry_one}, {.entry = entry_two}};
    const pawl_loader_options options = {.root_for = root_for, .root_context = name};
    pawl_plugin_set *set = NULL;
    calls[0] = '\0';
    assert_int_equal(pawl_loader_load(requests, 2, f.data, NULL, &options, &set, &f.error), PAWL_OK);
    assert_string_equal(calls, "linked.one +one linked.two +two ");
    assert_string_equal(pawl_plugin_set_at(set, 0)->host->name, "own");
    pawl_plugin_set_close(set);
    assert_int_equal(pawl_loader_load(requests, 2, f.data, NULL, NULL, &set, &f.error), PAWL_E_INVALID);
    fixture_close(&f);
}

static void test_two_hosts_may_load_the_same_plugin(void **state)
{
    fixture f, g;
    char text[64];
    (void)state;
    fixture_open(&f);
    fixture_open(&g);
    const pawl_plugin_request request = {.path = fixture_copy(&f, "well_behaved", "x.so"), .dev = true};
    pawl_plugin_set *first = load(&f, &request, 1);
    pawl_plugin_set *second = load(&g, &request, 1);
    pawl_plugin_set *third = load(&f, &request, 1);
    pawl_plugin_set_close(first);
    assert_int_equal(fixture_execute(pawl_plugin_set_at(third, 0), "a", 64, text, sizeof text, &f.error), PAWL_OK);
    assert_int_equal(fixture_execute(pawl_plugin_set_at(second, 0), "b", 64, text, sizeof text, &f.error), PAWL_OK);
    pawl_plugin_set_close(second);
    pawl_plugin_set_close(third);
    fixture_close(&g);
    fixture_close(&f);
}

/* ---- isolation ---- */

typedef struct elsewhere {
    int begun, ended;
} elsewhere;

static pawl_status begin_elsewhere(void *context, const pawl_plugin_request *request, const pawl_plugin *plugin,
                                   struct pawl_isolated **ret, pawl_error *error)
{
    elsewhere *place = context;
    (void)error;
    assert_ptr_equal(request->isolation, place);
    assert_string_equal(plugin->manifest->id, "hostile.plugin");
    assert_non_null(plugin->copy_path);
    assert_non_null(plugin->host);
    place->begun++;
    *ret = (struct pawl_isolated *)context;
    return PAWL_OK;
}

static void end_elsewhere(void *context, struct pawl_isolated *isolated)
{
    elsewhere *place = context;
    assert_ptr_equal(isolated, context);
    place->ended++;
}

static void test_what_is_isolated_never_runs_here(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    elsewhere place = {0, 0};
    const pawl_host_root root = {.struct_size = sizeof root};
    pawl_loader_options options = {
        .isolate = begin_elsewhere, .end_isolated = end_elsewhere, .isolate_context = &place};
    pawl_plugin_set *set = NULL;
    pawl_plugin_request request = {.path = fixture_copy(&f, "init_crash", "x.so"), .dev = true, .isolation = &place};
    pawl_status status = pawl_loader_load(&request, 1, f.data, &root, &options, &set, &f.error);
    if (status != PAWL_OK)
        fail_msg("%s", f.error.message);
    assert_int_equal(place.begun, 1);
    const pawl_plugin *plugin = pawl_plugin_set_at(set, 0);
    assert_ptr_equal(plugin->isolated, &place);
    assert_null(plugin->effect);
    assert_null(plugin->root);
    pawl_plugin_set_close(set);
    assert_int_equal(place.ended, 1);

    request.path = fixture_copy(&f, "process_type", "type.so");
    status = pawl_loader_load(&request, 1, f.data, &root, &options, &set, &f.error);
    fixture_assert_refused(&f, status, "loader.isolation_kind", "wanted only effects and a connector");
    request.path = fixture_copy(&f, "well_behaved", "good.so");
    status = pawl_loader_load(&request, 1, f.data, &root, NULL, &set, &f.error);
    fixture_assert_refused(&f, status, "loader.isolation_kind", "isolation: process");
    assert_int_equal(place.begun, 1);
    fixture_close(&f);
}

/* ---- quarantine ---------------------------------------------------------------------------------------------------
 */

static void test_a_crash_quarantines_the_digest(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    const pawl_plugin_request request = {.path = fixture_copy(&f, "init_crash", "x.so"), .dev = true};
    refuse(&f, &request, 1, "loader.probe_crash", "signal 11");
    refuse(&f, &request, 1, "loader.quarantined", "signal 11");
    assert_non_null(strstr(f.error.message, "pawl plugin probe"));
    pawl_status status = pawl_loader_probe(&request, f.data, NULL, &f.error); /* tried again, and again it dies */
    fixture_assert_refused(&f, status, "loader.probe_crash", "signal 11");
    refuse(&f, &request, 1, "loader.quarantined", "signal 11");
    fixture_copy(&f, "well_behaved", "x.so"); /* a mended plugin has another digest */
    pawl_plugin_set_close(load(&f, &request, 1));
    fixture_close(&f);
}

static void test_a_passed_probe_lifts_the_quarantine(void **state)
{
    fixture f;
    char mark[PATH_MAX + 256];
    (void)state;
    fixture_open(&f);
    const pawl_plugin_request request = {.path = fixture_copy(&f, "well_behaved", "x.so"), .dev = true};
    pawl_plugin_set_close(load(&f, &request, 1));
    snprintf(mark, sizeof mark, "%s/plugins/%s.quarantined", f.data, fixture_sha256(request.path));
    fixture_write(mark, "it looked at me in a funny way");
    refuse(&f, &request, 1, "loader.quarantined", "it looked at me in a funny way");
    assert_int_equal(pawl_loader_probe(&request, f.data, NULL, &f.error), PAWL_OK);
    pawl_plugin_set_close(load(&f, &request, 1));
    fixture_close(&f);
}

static void test_only_a_crash_quarantines(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f);
    const pawl_plugin_request request = {
        .path = fixture_copy(&f, "init_needs_config", "x.so"), .dev = true, .config_json = "{\"mood\":\"bad\"}"};
    pawl_plugin_request mended = request;
    mended.config_json = "{\"mood\":\"good\"}";
    refuse(&f, &request, 1, "loader.init_failed", "a bad mood");
    pawl_plugin_set_close(load(&f, &mended, 1));
    fixture_close(&f);
}

/* ---- inspection ---------------------------------------------------------------------------------------------------
 */

static void test_inspection_tells_facts_and_writes_nothing(void **state)
{
    fixture f;
    pawl_plugin_facts facts;
    (void)state;
    fixture_open(&f);
    const char *path = fixture_copy(&f, "well_behaved", "x.so");
    assert_int_equal(pawl_loader_inspect(path, NULL, &facts, &f.error), PAWL_OK);
    assert_int_equal(facts.trust.status, PAWL_OK);
    assert_int_equal(facts.image.status, PAWL_OK);
    assert_string_equal(facts.manifest->id, "hostile.plugin");
    assert_string_equal(facts.needed, "libc.so.6");
    assert_string_equal(facts.run_path, "");
    assert_true(facts.size > 1000);
    assert_int_equal(((const char *)facts.manifest_text.data)[0], '{');
    pawl_plugin_facts_finish(&facts);
    assert_int_equal(rmdir(f.data), 0); /* still empty */
    fixture_close(&f);
}

static void test_inspection_tells_what_would_be_refused(void **state)
{
    static const char *const plugins[] = {"init_crash", "extra_symbol", "bad_manifest", "wrong_major", "no_manifest"};
    static const char *const codes[] = {"", "loader.extra_symbols", "loader.manifest_invalid", "loader.abi_major",
                                        "loader.no_manifest"};
    fixture f;
    pawl_plugin_facts facts;
    (void)state;
    fixture_open(&f);
    for (size_t i = 0; i < sizeof plugins / sizeof *plugins; i++) {
        const char *path = fixture_copy(&f, plugins[i], "x.so");
        assert_int_equal(chmod(path, 0777), 0);
        assert_int_equal(pawl_loader_inspect(path, NULL, &facts, &f.error), PAWL_OK);
        assert_string_equal(facts.trust.code, "loader.writable");
        assert_string_equal(facts.image.code, codes[i]);
        assert_int_equal(facts.manifest != NULL, i < 2); /* told as far as it could be read */
        pawl_plugin_facts_finish(&facts);
    }
    fixture_write(fixture_path(&f, "x.so"), "no plugin");
    assert_int_equal(pawl_loader_inspect(fixture_path(&f, "x.so"), NULL, &facts, &f.error), PAWL_OK);
    assert_string_equal(facts.image.code, "loader.not_elf");
    pawl_plugin_facts_finish(&facts);
    pawl_status status = pawl_loader_inspect(fixture_path(&f, "none.so"), NULL, &facts, &f.error);
    fixture_assert_refused(&f, status, "loader.not_found", "none.so");
    status = pawl_loader_inspect(f.data, NULL, &facts, &f.error);
    fixture_assert_refused(&f, status, "loader.not_regular", f.data);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_set_is_a_set),
        cmocka_unit_test(test_a_pinned_plugin_loads_from_its_copy),
        cmocka_unit_test(test_pins_are_wanted_and_checked),
        cmocka_unit_test(test_an_upper_case_pin_is_a_pin),
        cmocka_unit_test(test_P03_names_are_there_once),
        cmocka_unit_test(test_P05_a_late_refusal_undoes_the_earlier_ones_in_reverse),
        cmocka_unit_test(test_P05_the_refusal_may_come_from_a_file),
        cmocka_unit_test(test_a_set_closes_in_reverse),
        cmocka_unit_test(test_P01_a_linked_plugin_is_checked_like_any_other),
        cmocka_unit_test(test_no_code_runs_before_all_files_are_good),
        cmocka_unit_test(test_P13_an_optional_plugin_is_left_out_with_a_word),
        cmocka_unit_test(test_each_plugin_may_have_a_root_of_its_own),
        cmocka_unit_test(test_two_hosts_may_load_the_same_plugin),
        cmocka_unit_test(test_what_is_isolated_never_runs_here),
        cmocka_unit_test(test_a_crash_quarantines_the_digest),
        cmocka_unit_test(test_a_passed_probe_lifts_the_quarantine),
        cmocka_unit_test(test_only_a_crash_quarantines),
        cmocka_unit_test(test_inspection_tells_facts_and_writes_nothing),
        cmocka_unit_test(test_inspection_tells_what_would_be_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
