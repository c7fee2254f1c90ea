/* memory_test.c: the n-th allocation fails, for every n. Loading must say so, give no profile, and leak nothing (the
 * sanitizers watch). The program is linked so that the room's own allocations come here; those of JSON come through its
 * hooks. */
#include "fixture.h"

#include "host/profile/secret.h"

#include <stdlib.h>
#include <string.h>

/* Set by the tests; the linker's --wrap leaves no other way in. */
static long left = -1;

static int spent(void)
{
    return left >= 0 && left-- == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

void *__wrap_malloc(size_t size)
{
    return spent() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return spent() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return spent() ? NULL : __real_realloc(old, size);
}

char *__wrap_strndup(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    char *copy = spent() ? NULL : __real_malloc(length + 1);
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = 0;
    }
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, SIZE_MAX);
}

#define RICH                                                                                                           \
    "profile: shop\ntier: durable\ndata: d\n"                                                                          \
    "stores: {main: {provider: rocksdb}, other: {provider: rocksdb, config: {path: x}}}\n"                             \
    "facets: {session: main, attachment: other, artifact: main, registry: main}\n"                                     \
    "plugins: [&p {path: x.so, dev: true, config: {a: [1, 2.5, true, {secret: \"file:x\"}]}}]\n"                       \
    "connectors: {a: &a {plugin: b, config: {k: {secret: env:A}}}, c: {<<: *a}}\n"                                     \
    "effects: {a.b: {retry: {non_retryable: [x, y]}}}\n"                                                               \
    "schedules: {s: {cron: [\"@daily\", 5 * * * *], time_zone: Europe/Berlin, type: t, input: {a: 1}, catch_up: "      \
    "2h}}\n"

#define WRONG                                                                                                          \
    "profile: My Shop\ntier: inline\ndatas: d\nstores: {main: {provider: memory}, main: {}}\n"                         \
    "facets: {session: mian}\nconnectors: {a: {plugin: b, config: {k: {secret: x}}}}\n"

typedef void (*allocation_test)(long n, bool *finished);

static void for_every_allocation(allocation_test test, long least)
{
    bool finished = false;
    long n = 0;
    for (; !finished; n++) {
        assert_true(n < 20000);
        test(n, &finished);
    }
    print_message("%ld allocations\n", n);
    assert_true(n > least); /* otherwise nothing was tried */
}

static void load_rich(long n, bool *finished)
{
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    left = n;
    pawl_status status = parse(RICH, &profile, &problems);
    *finished = left >= 0;
    left = -1;
    assert_int_equal(status, *finished ? PAWL_OK : PAWL_E_NOMEM);
    assert_int_equal(profile != NULL, *finished);
    pawl_profile_free(profile);
    pawl_problems_free(&problems);
}

static void load_wrong(long n, bool *finished)
{
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    left = n;
    pawl_status status = parse(WRONG, &profile, &problems);
    *finished = left >= 0;
    left = -1;
    assert_true(status == PAWL_E_INVALID || status == PAWL_E_NOMEM);
    if (*finished)
        assert_int_equal(problems.count, 6);
    assert_null(profile);
    pawl_problems_free(&problems);
}

static void load_file(long n, bool *finished)
{
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    left = n;
    pawl_status status = pawl_profile_load(PAWL_SOURCE_DIR "/examples/profile.yaml", &profile, &problems);
    *finished = left >= 0;
    left = -1;
    assert_int_equal(status, *finished ? PAWL_OK : PAWL_E_NOMEM);
    pawl_profile_free(profile);
    pawl_problems_free(&problems);
}

static void describe_and_resolve(long n, bool *finished)
{
    pawl_profile *profile = parse_good(RICH);
    json_t *resolved = NULL;
    pawl_error error = {0};
    left = n;
    json_t *description = pawl_profile_describe(profile);
    pawl_status status = pawl_secret_resolve(profile->connectors[0].config, &resolved, &error);
    *finished = left >= 0;
    left = -1;
    if (*finished) {
        assert_non_null(description);
        assert_int_equal(status, PAWL_OK);
    } else {
        assert_true(!description || status != PAWL_OK);
    }
    json_decref(description);
    pawl_secret_forget(resolved);
    pawl_profile_free(profile);
}

static void test_own_allocations(void **state)
{
    (void)state;
    for_every_allocation(load_rich, 100);
    for_every_allocation(load_wrong, 50);
    for_every_allocation(load_file, 100);
}

static void test_json_allocations(void **state)
{
    (void)state;
    assert_int_equal(setenv("A", "value", 1), 0);
    json_set_alloc_funcs(__wrap_malloc, free);
    for_every_allocation(load_rich, 100);
    for_every_allocation(describe_and_resolve, 100);
    json_set_alloc_funcs(__real_malloc, free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_own_allocations), cmocka_unit_test(test_json_allocations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
