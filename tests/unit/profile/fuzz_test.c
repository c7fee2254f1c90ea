/* fuzz_test.c: the parser meets files that nobody would write. The corpus, then mutations of it, from a seed that is
 * printed; PAWL_FUZZ_SEED repeats one, PAWL_FUZZ_RUNS runs more. Whatever the bytes: no crash, no leak, a profile
 * exactly when there is no problem, problems in order, and a description that is again the same profile. */
#include "fixture.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CORPUS    PAWL_SOURCE_DIR "/tests/unit/profile/profile_fuzz_corpus"
#define FILES_MAX 64
#define TEXT_MAX  8192

typedef struct corpus {
    char *text[FILES_MAX];
    size_t size[FILES_MAX];
    size_t count;
} corpus;

static void check_description(const pawl_profile *profile)
{
    json_t *first = pawl_profile_describe(profile);
    assert_non_null(first);
    char *text = json_dumps(first, JSON_INDENT(1));
    assert_non_null(text);
    pawl_profile *again = NULL;
    pawl_problem_list problems = {0};
    pawl_status status = parse(text, &again, &problems);
    pawl_problems_print(&problems, stderr);
    assert_int_equal(status, PAWL_OK);
    json_t *second = pawl_profile_describe(again);
    assert_true(json_equal(first, second));
    json_decref(first);
    json_decref(second);
    free(text);
    pawl_profile_free(again);
    pawl_problems_free(&problems);
}

/* Returns whether it was a good profile. */
static bool check_one(const char *text, size_t size)
{
    pawl_profile *profile = NULL;
    pawl_problem_list problems = {0};
    pawl_status status =
        pawl_profile_parse(text, size, "fuzz.yaml", "/base", PAWL_PROFILE_NO_FILES, &profile, &problems);
    bool good = status == PAWL_OK;
    assert_int_equal(good, profile != NULL);
    assert_int_equal(good, problems.count == 0);
    for (size_t i = 0; i < problems.count; i++) {
        const pawl_problem *p = &problems.items[i];
        assert_true(p->code[0] && p->message[0]);
        assert_true(p->place.line >= 1 && p->place.column >= 1);
        assert_string_not_equal(p->code, "profile.memory");
        if (i > 0)
            assert_true(problems.items[i - 1].place.line <= p->place.line);
    }
    if (good)
        check_description(profile);
    pawl_profile_free(profile);
    pawl_problems_free(&problems);
    return good;
}

static int load_corpus(void **state)
{
    static corpus all;
    DIR *directory = opendir(CORPUS);
    assert_non_null(directory);
    const struct dirent *entry;
    while ((entry = readdir(directory))) {
        char path[1024];
        if (entry->d_name[0] == '.')
            continue;
        assert_true(all.count < FILES_MAX);
        (void)snprintf(path, sizeof(path), "%s/%s", CORPUS, entry->d_name);
        all.text[all.count] = read_whole_file(path, &all.size[all.count]);
        assert_true(all.size[all.count] < TEXT_MAX / 2);
        all.count++;
    }
    (void)closedir(directory);
    assert_true(all.count >= 8);
    *state = &all;
    return 0;
}

static int free_corpus(void **state)
{
    corpus *all = *state;
    while (all->count)
        free(all->text[--all->count]);
    return 0;
}

static uint64_t next(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

static size_t below(uint64_t *random, size_t limit)
{
    return limit ? (size_t)(next(random) % limit) : 0;
}

/* Things that matter to YAML or to a profile. */
static const char *const pieces[] = {"&a ",
                                     "*a",
                                     "<<: *a",
                                     "{",
                                     "}",
                                     "[",
                                     "]",
                                     ": ",
                                     "- ",
                                     "\n",
                                     "\n  ",
                                     "\"",
                                     "'",
                                     "#",
                                     "!!str ",
                                     "!!int ",
                                     "? ",
                                     "|\n",
                                     "---\n",
                                     "...\n",
                                     "\t",
                                     "\\x00",
                                     "\xff",
                                     "\xe2\x82",
                                     "~",
                                     "null",
                                     "true",
                                     "0x",
                                     "1e999",
                                     "-9223372036854775809",
                                     "30s",
                                     "4MiB",
                                     "secret: env:A",
                                     "{secret: x}",
                                     "main",
                                     "%YAML 1.2\n",
                                     "\r",
                                     ">-\n",
                                     "@",
                                     "`"};

static size_t replace(char *text, size_t size, size_t at, size_t cut, const char *piece, size_t piece_size)
{
    if (size - cut + piece_size > TEXT_MAX)
        return size;
    memmove(text + at + piece_size, text + at + cut, size - at - cut);
    memcpy(text + at, piece, piece_size);
    return size - cut + piece_size;
}

static size_t mutate(const corpus *all, uint64_t *random, char *text, size_t size)
{
    size_t at = below(random, size + 1);
    size_t span = below(random, size - at < 40 ? size - at + 1 : 40);
    const char *piece = pieces[below(random, sizeof(pieces) / sizeof(pieces[0]))];
    size_t other = below(random, all->count);
    size_t from = below(random, all->size[other] + 1);
    char byte = (char)next(random);
    switch (below(random, 6)) {
    case 0:
        return replace(text, size, at, size > at, &byte, 1);
    case 1:
        return replace(text, size, at, span, "", 0);
    case 2:
        return replace(text, size, at, 0, piece, strlen(piece));
    case 3:
        return replace(text, size, at, span, piece, strlen(piece));
    case 4:
        return replace(text, size, at, span, all->text[other] + from, below(random, all->size[other] - from + 1));
    default: {
        char copy[40];
        memcpy(copy, text + at, span);
        return replace(text, size, below(random, size + 1), 0, copy, span);
    }
    }
}

static void test_corpus(void **state)
{
    const corpus *all = *state;
    size_t good = 0;
    for (size_t i = 0; i < all->count; i++)
        good += check_one(all->text[i], all->size[i]);
    assert_true(good >= 2); /* some must get to the end, or the mutations never leave the shallows */
    assert_true(good < all->count);
}

static void test_mutations(void **state)
{
    const corpus *all = *state;
    const char *given = getenv("PAWL_FUZZ_SEED");
    const char *runs_given = getenv("PAWL_FUZZ_RUNS");
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * UINT64_C(2654435761);
    unsigned long runs = runs_given ? strtoul(runs_given, NULL, 0) : 10000;
    (void)fprintf(stderr, "PAWL_FUZZ_SEED=%" PRIu64 "\n", seed);
    uint64_t random = seed ? seed : 1;
    char *text = malloc(TEXT_MAX);
    assert_non_null(text);
    unsigned long good = 0;
    for (unsigned long run = 0; run < runs; run++) {
        size_t which = below(&random, all->count);
        size_t size = all->size[which];
        memcpy(text, all->text[which], size);
        for (size_t i = run % 2 ? 1 : 1 + below(&random, 6); i > 0; i--)
            size = mutate(all, &random, text, size);
        char *exact = malloc(size ? size : 1); /* so that reading past the end is seen */
        assert_non_null(exact);
        memcpy(exact, text, size);
        good += check_one(exact, size);
        free(exact);
    }
    (void)fprintf(stderr, "%lu of %lu were good profiles\n", good, runs);
    free(text);
}

static void test_random_bytes(void **state)
{
    (void)state;
    uint64_t random = (uint64_t)time(NULL) | 1;
    (void)fprintf(stderr, "seed %" PRIu64 "\n", random);
    for (unsigned run = 0; run < 500; run++) {
        size_t size = below(&random, 200);
        char *text = malloc(size ? size : 1);
        assert_non_null(text);
        for (size_t i = 0; i < size; i++)
            text[i] = run % 2 ? (char)next(&random) : (char)(next(&random) % 96 + 32);
        (void)check_one(text, size);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus), cmocka_unit_test(test_mutations),
                                       cmocka_unit_test(test_random_bytes)};
    return cmocka_run_group_tests(tests, load_corpus, free_corpus);
}
