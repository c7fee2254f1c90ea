/* refusal_test.c: what `pawl serve` refuses before it touches anything: stores that are not as durable as the profile
 * demands, and profiles with mistakes. Exit code 6 in every case, and the processes in the store stay as they were. */
#include "audit.h"
#include "yard.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int open_yard(void **state)
{
    *state = yard_open("");
    return 0;
}

static int close_yard(void **state)
{
    *state = yard_close(*state);
    return 0;
}

/* ---- the gate -----------------------------------------------------------------------------------------------------
 */

static const char *const facets[] = {"attachment", "artifact", "session", "registry"}; /* in the order of the gate */
static const char *const codes[] = {"durable_store_required:attachment", "durable_store_required:artifact",
                                    "durable_store_required:session", "durable_store_required:process_registry"};

/* The yard's profile with some facets in a store that is weaker; weak: bit (1 << index into facets). */
static void write_profile(const yard *y, const char *name, const char *tier, unsigned weak, const char *weak_store)
{
    const char *store[4];
    for (unsigned i = 0; i < 4; i++)
        store[i] = (weak & (1u << i)) != 0 ? "weak" : "main";
    yard_write(y, name,
               "profile: yard\ntier: %s\ndata: data\nsocket: s\n"
               "stores:\n  main: { provider: rocksdb }\n  weak: %s\n"
               "facets: { attachment: %s, artifact: %s, session: %s, registry: %s }\n"
               "plugins:\n  - { path: %s, dev: true, config: { directory: %s } }\n",
               tier, weak_store, store[0], store[1], store[2], store[3], PROBE_PLUGIN, y->directory);
}

/* One refused serve: its code, and that it names exactly the failing facets with provider and tiers. */
static void expect_refusal(const yard *y, const char *profile, unsigned weak, const char *provider, const char *given,
                           const char *required)
{
    command *c = calloc(1, sizeof *c);
    json_t *error = NULL;
    unsigned first = 0;
    assert_non_null(c);
    yard_run(y, c, (const char *const[]){"serve", "--profile", profile, "--json", NULL});
    while ((weak & (1u << first)) == 0)
        first++;
    const char *line = strstr(c->err, "{\"error\"");
    error = line == NULL ? NULL : json_loads(line, JSON_DISABLE_EOF_CHECK, NULL);
    const char *code = json_string_value(json_object_get(json_object_get(error, "error"), "code"));
    const char *message = json_string_value(json_object_get(json_object_get(error, "error"), "message"));
    if (c->exit_code != 6 || code == NULL || strcmp(code, codes[first]) != 0 || message == NULL)
        fail_msg("%s: exit code %d, wanted 6 and %s\n%s%s", profile, c->exit_code, codes[first], c->out, c->err);
    assert_string_equal(c->out, ""); /* it never said that it was ready */
    for (unsigned i = 0; message != NULL && i < 4; i++) {
        bool named = strstr(message, i == 3 ? "registry" : facets[i]) != NULL;
        if (named != ((weak & (1u << i)) != 0))
            fail_msg("%s: %s is %s in: %s", profile, facets[i], named ? "named" : "not named", message);
    }
    if (message != NULL &&
        (strstr(message, provider) == NULL || strstr(message, given) == NULL || strstr(message, required) == NULL))
        fail_msg("%s: wanted %s, %s and %s in: %s", profile, provider, given, required, message);
    json_decref(error);
    free(c);
}

/* Everything that an observer sees of a directory: names, sizes, times. */
static unsigned long long look_of(const yard *y, const char *name)
{
    char path[256];
    char file[600];
    unsigned long long sum = 0;
    struct stat found;
    yard_path(y, name, path);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || stat(file, &found) != 0)
            continue;
        unsigned long long one = (unsigned long long)found.st_size * 31 + (unsigned long long)found.st_mtim.tv_nsec;
        for (const char *c = entry->d_name; *c != '\0'; c++)
            one = one * 131 + (unsigned char)*c;
        sum += one;
    }
    closedir(directory);
    return sum;
}

/* Three processes, each somewhere else in its life, and nobody running them. */
static void leave_processes(yard *y)
{
    YARD_SERVE(y, NULL);
    api_start(y, "probe.waiter", "waiting", "step signal:go step");
    api_await_status(y, "waiting", "waiting");
    yard_stop(y);
    YARD_SERVE(y, "--no-worker");
    api_start(y, "probe.plan", "ready", "step once");
    api_start(y, "probe.plan", "also", "check quick");
    yard_stop(y);
}

static void expect_untouched(yard *y, size_t executions)
{
    static const char *const ids[] = {"waiting", "ready", "also"};
    assert_int_equal(audit_log_count(y, NULL, NULL, "begin"), executions);
    YARD_SERVE(y, NULL);
    api_signal(y, "waiting", "go", "on", NULL);
    for (size_t i = 0; i < 3; i++)
        api_expect_end(y, ids[i], "completed");
    audit a = audit_ended(y, ids, 3);
    assert_int_equal(a.executions, 6);
    assert_int_equal(a.repeated + a.in_doubt, 0);
    yard_stop(y);
}

static void test_G01_G02_G03_G04_G14_one_weak_facet_is_refused_by_name(void **state)
{
    yard *y = *state;
    char name[32];
    leave_processes(y);
    unsigned long long before = look_of(y, "data/store");
    for (unsigned i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "weak-%u.yaml", i);
        write_profile(y, name, "durable", 1u << i, "{ provider: memory }");
        expect_refusal(y, name, 1u << i, "memory", "inline", "durable");
    }
    assert_true(look_of(y, "data/store") == before); /* not even opened */
    expect_untouched(y, 1);
}

static void test_G05_every_failing_facet_is_named_and_the_attachment_first(void **state)
{
    yard *y = *state;
    char name[32];
    leave_processes(y);
    unsigned long long before = look_of(y, "data/store");
    for (unsigned weak = 1; weak < 16; weak++) { /* every combination */
        snprintf(name, sizeof name, "weak-%u.yaml", weak);
        write_profile(y, name, "durable", weak, "{ provider: rocksdb, config: { path: data/weak, sync: false } }");
        expect_refusal(y, name, weak, "rocksdb", "crash_safe", "durable");
    }
    assert_false(yard_has(y, "data/weak"));
    write_profile(y, "high.yaml", "replicated", 0, "{ provider: memory }");
    expect_refusal(y, "high.yaml", 15, "rocksdb", "durable", "replicated");
    assert_true(look_of(y, "data/store") == before);
    expect_untouched(y, 1);
}

static void test_G06_G07_what_is_durable_enough_passes(void **state)
{
    static const struct {
        const char *tier;
        const char *store;
    } good[] = {
        {"inline", "{ provider: memory }"},
        {"inline", "{ provider: rocksdb, config: { path: w1, sync: false } }"},
        {"crash_safe", "{ provider: rocksdb, config: { path: w2, sync: false } }"},
        {"crash_safe", "{ provider: rocksdb, config: { path: w3 } }"},
        {"durable", "{ provider: rocksdb, config: { path: w4 } }"},
    };
    yard *y = *state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const char *id = "p";
        char log[256];
        write_profile(y, "pawl.yaml", good[i].tier, 15, good[i].store);
        YARD_SERVE(y, NULL);
        api_start(y, "probe.plan", id, "step once check");
        api_expect_end(y, id, "completed");
        assert_int_equal(audit_ended(y, &id, 1).executions, 3);
        yard_stop(y);
        yard_path(y, "effects", log);
        assert_int_equal(remove(log), 0); /* the same id, in another store, next time */
    }
}

/* ---- profiles -------------------------------------------------------------------------------------------------------
 */

#define STORES "stores: { main: { provider: memory } }\n"

static void test_H06_L13_a_mistake_in_a_profile_has_its_place(void **state)
{
    static const struct {
        const char *text;
        const char *place;
        const char *code;
    } bad[] = {
        {"profile: bad\ntier: durabel\ndata: d\n" STORES, "bad.yaml:2:7: ", "[profile.value]"},
        {"profile: bad\ntier: inline\ndata: d\n" STORES "sokcet: x\n", "bad.yaml:5:1: ", "[profile.unknown_key]"},
        {"profile: bad\ntier: inline\n" STORES, "bad.yaml:1:1: ", "[profile.missing_key]"},
        {"profile: bad\ntier: inline\ndata: d\n" STORES "facets: { session: other }\n",
         "bad.yaml:5:20: ", "[profile.unknown_store]"},
        {"profile: bad\ntier: inline\ndata: d\n" STORES "worker: { lease_ttl: 1s, heartbeat: 500ms }\n",
         "bad.yaml:5:22: ", "[profile.lease]"},
        {"profile: bad\ntier: inline\ndata: d\n" STORES "timeouts:\n  call: 5\n", "bad.yaml:6:9: ", "[profile.unit]"},
        {"profile: bad\ntier: inline\ndata: d\n" STORES "plugins: [ { path: gone.so, dev: true } ]\n",
         "bad.yaml:5:20: ", "[profile.file]"},
        {"profile: bad\ntier: inline\ndata: d\n" STORES "limits: { requests: 0 }\n",
         "bad.yaml:5:21: ", "[profile.range]"},
        {"profile: bad\ntier: [inline\n", "bad.yaml:", "[profile.syntax]"},
    };
    yard *y = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        yard_write(y, "bad.yaml", "%s", bad[i].text);
        YARD_EXPECT(y, 6, bad[i].place, "serve", "--profile", "bad.yaml");
        YARD_EXPECT(y, 6, bad[i].code, "serve", "--profile", "bad.yaml");
        YARD_EXPECT(y, 6, bad[i].place, "check", "bad.yaml");
        YARD_EXPECT(y, 6, bad[i].code, "check", "bad.yaml", "--json");
        assert_false(yard_has(y, "d")); /* nothing was made */
    }
    YARD_EXPECT(y, 6, "profile.not_found", "serve", "--profile", "absent.yaml");
}

static void test_every_mistake_is_reported_in_one_pass(void **state)
{
    yard *y = *state;
    command *c = calloc(1, sizeof *c);
    assert_non_null(c);
    yard_write(y, "bad.yaml", "profile: bad\ntier: durabel\ndata: d\n" STORES "timeouts: { call: 5 }\nsokcet: x\n");
    YARD_EXPECT(y, 6, "bad.yaml:2:7", "check", "bad.yaml");
    YARD_EXPECT(y, 6, "bad.yaml:5:19", "check", "bad.yaml");
    YARD_EXPECT(y, 6, "bad.yaml:6:1", "check", "bad.yaml");
    yard_run(y, c, (const char *const[]){"serve", "--profile", "bad.yaml", NULL});
    assert_int_equal(c->exit_code, 6);
    const char *last = strstr(c->err, "bad.yaml:6:1");
    assert_non_null(last);
    const char *code = strstr(last, "[profile.unknown_key]");
    assert_non_null(code);
    assert_null(strstr(code + 1, "[profile.")); /* each problem has its code, once */
    free(c);
}

static void test_P03_a_plugin_that_is_wrong_is_refused_with_its_place(void **state)
{
    yard *y = *state;
    char digest[65];
    memset(digest, '0', 64);
    digest[64] = '\0';
    yard_write(y, "p.yaml", "profile: p\ntier: inline\ndata: d\n" STORES "plugins:\n  - { path: %s, sha256: %s }\n",
               PROBE_PLUGIN, digest);
    YARD_EXPECT(y, 6, "loader.digest", "serve", "--profile", "p.yaml");
    yard_write(y, "p.yaml", "profile: p\ntier: inline\ndata: d\n" STORES "plugins:\n  - { path: %s, dev: true }\n",
               PROBE_PLUGIN);
    YARD_EXPECT(y, 6, "p.yaml:6:", "serve", "--profile", "p.yaml"); /* its config wants a directory */
    YARD_EXPECT(y, 6, "wanted a directory", "serve", "--profile", "p.yaml");
    yard_write(y, "p.yaml",
               "profile: p\ntier: inline\ndata: d\n" STORES
               "plugins:\n  - { path: %s, dev: true, config: { directory: /tmp } }\n"
               "connectors: { web: { plugin: pawl.http, config: {} } }\n",
               PROBE_PLUGIN);
    YARD_EXPECT(y, 6, "pawl.http", "serve", "--profile", "p.yaml"); /* nobody offers it */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_G01_G02_G03_G04_G14_one_weak_facet_is_refused_by_name, open_yard,
                                        close_yard),
        cmocka_unit_test_setup_teardown(test_G05_every_failing_facet_is_named_and_the_attachment_first, open_yard,
                                        close_yard),
        cmocka_unit_test_setup_teardown(test_G06_G07_what_is_durable_enough_passes, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_H06_L13_a_mistake_in_a_profile_has_its_place, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_every_mistake_is_reported_in_one_pass, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_P03_a_plugin_that_is_wrong_is_refused_with_its_place, open_yard,
                                        close_yard),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
