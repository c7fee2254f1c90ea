/* crash_matrix_test.c: the crash matrix. A scenario with every outcome rule, a timer, a signal, cancels, retries, an
 * external and a failing process is run once uncut; that counts its crash points (seam/crash_point.h). Then it dies at
 * each of them, is started again, and must end as if nothing had happened; what its effects did is audited.
 *
 *   crash-matrix-test            every third point, beginning at a random one, in a fresh store each
 *   crash-matrix-test --all      every point, and as many double crashes: the recovery dies at a random point, too
 *   crash-matrix-test --at N [M] dies at point N (and its recovery at M) and says what came of it
 * The seed is printed; PAWL_SEED gives it again. */
#include "matrix_audit.h"
#include "matrix_run.h"
#include "seam/crash_point.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CRASHES_MAX 2
#ifndef STRIDE
#define STRIDE 3 /* of the default sweep; more where a sanitizer makes every life slow */
#endif

static struct {
    bool all;
    unsigned seed;
    unsigned at[CRASHES_MAX]; /* --at */
} wanted;                     /* set by main, before any test */

typedef struct sweep {
    char directory[200];
    char *uncut; /* the end state to be reached */
    unsigned points;
    unsigned runs, crashes, repeated, asked, in_doubt;
} sweep;

/* A generator of our own, so that a seed means the same on every machine. */
static unsigned next(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
    (void)found;
    (void)kind;
    (void)where;
    return remove(path);
}

static void renew(const sweep *s)
{
    nftw(s->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir(s->directory, 0700), 0);
}

/* The first line in which two end states differ. */
static void say_difference(const char *uncut, const char *found)
{
    while (*uncut != '\0' && strcspn(uncut, "\n") == strcspn(found, "\n") &&
           strncmp(uncut, found, strcspn(uncut, "\n") + 1) == 0) {
        found += strcspn(uncut, "\n") + 1;
        uncut += strcspn(uncut, "\n") + 1;
    }
    print_error("uncut: %.*s\nfound: %.*s\n", (int)strcspn(uncut, "\n"), uncut, (int)strcspn(found, "\n"), found);
}

/* How many steps that may not be repeated one crash can cut: one of each process that has any. */
static unsigned blind_scenes(void)
{
    unsigned count = 0;
    for (size_t i = 0; i < matrix_scene_count; i++) {
        const char *plan = matrix_scenes[i].plan == NULL ? "" : matrix_scenes[i].plan;
        count += strstr(plan, "once") != NULL || strstr(plan, "all") != NULL;
    }
    return count;
}

static void judge(sweep *s, const char *what, unsigned crashes)
{
    char *found = matrix_end_state(s->directory);
    matrix_audit a = matrix_judge(s->directory, crashes);
    if (a.trouble[0] != '\0')
        fail_msg("%s (seed %u): %s", what, wanted.seed, a.trouble);
    if (a.in_doubt > crashes * blind_scenes())
        fail_msg("%s (seed %u): %u steps in doubt after %u crashes", what, wanted.seed, a.in_doubt, crashes);
    assert_non_null(found);
    if (s->uncut == NULL) {
        s->uncut = found;
        return;
    }
    if (strcmp(s->uncut, found) != 0) {
        say_difference(s->uncut, found);
        fail_msg("%s (seed %u): it did not end as the uncut run did", what, wanted.seed);
    }
    s->repeated += a.repeated;
    s->asked += a.asked;
    s->in_doubt += a.in_doubt;
    free(found);
}

/* Lives that die at these points, as far as they come, and one that nothing cuts. */
static void run_once(sweep *s, const char *const *points)
{
    char what[80] = "uncut";
    unsigned crashes = 0;
    int ended = PAWL_CRASH_STATUS;
    renew(s);
    for (size_t i = 0; points[i] != NULL && ended == PAWL_CRASH_STATUS; i++) {
        size_t used = i == 0 ? 0 : strlen(what);
        snprintf(what + used, sizeof what - used, "%s%s", i == 0 ? "killed at " : " and ", points[i]);
        ended = matrix_live(s->directory, points[i]);
        crashes += ended == PAWL_CRASH_STATUS;
        if (ended != PAWL_CRASH_STATUS && ended != MATRIX_DONE)
            fail_msg("%s (seed %u): it ended with %d", what, wanted.seed, ended);
    }
    int last = matrix_live(s->directory, NULL); /* also after an uncut life: nothing may change then */
    if (last != MATRIX_DONE)
        fail_msg("%s (seed %u): the last life ended with %d", what, wanted.seed, last);
    judge(s, what, crashes);
    s->runs++;
    s->crashes += crashes;
    if (s->runs % 50 == 0)
        print_message("%u runs, %u crashes: %u executions repeated, %u asked, %u in doubt\n", s->runs, s->crashes,
                      s->repeated, s->asked, s->in_doubt);
}

static void run_at(sweep *s, unsigned first, unsigned second)
{
    char texts[CRASHES_MAX][16];
    const char *points[CRASHES_MAX + 1] = {texts[0], second == 0 ? NULL : texts[1], NULL};
    snprintf(texts[0], sizeof texts[0], "%u", first);
    snprintf(texts[1], sizeof texts[1], "%u", second);
    run_once(s, points);
}

static int begin(void **state)
{
    static const char *const nowhere[] = {NULL};
    sweep *s = calloc(1, sizeof *s);
    const char *base = getenv("TMPDIR");
    assert_non_null(s);
    snprintf(s->directory, sizeof s->directory, "%.100s/pawl-crash-XXXXXX", base == NULL ? "/tmp" : base);
    assert_non_null(mkdtemp(s->directory));
    *state = s;
    renew(s);
    assert_int_equal(matrix_live(s->directory, NULL), MATRIX_DONE);
    s->points = matrix_points(s->directory);
    assert_true(s->points > 50);
    run_once(s, nowhere);
    s->runs = 0;
    return 0;
}

static int end(void **state)
{
    sweep *s = *state;
    nftw(s->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(s->uncut);
    free(s);
    return 0;
}

static void test_I1_I4_I5_X06_dies_at_every_point(void **state)
{
    sweep *s = *state;
    unsigned seed = wanted.seed;
    unsigned from = 1 + (wanted.all ? 0 : next(&seed) % STRIDE);
    print_message("seed %u: %u points, every %u from %u (PAWL_SEED=%u repeats it)\n", wanted.seed, s->points,
                  wanted.all ? 1 : STRIDE, from, wanted.seed);
    for (unsigned n = from; n <= s->points; n += wanted.all ? 1 : STRIDE)
        run_at(s, n, 0);
    print_message("%u runs, %u crashes: %u executions repeated, %u asked, %u in doubt\n", s->runs, s->crashes,
                  s->repeated, s->asked, s->in_doubt);
    assert_true(s->crashes * 2 >= s->runs); /* writes that fall together are one: not every run has all points */
}

static void test_I1_I4_I5_X06_dies_again_while_it_recovers(void **state)
{
    sweep *s = *state;
    unsigned seed = wanted.seed;
    unsigned runs = wanted.all ? s->points : 4 + s->points / (8 * STRIDE);
    for (unsigned i = 0; i < runs; i++) {
        unsigned first = wanted.all ? i + 1 : 1 + next(&seed) % s->points;
        run_at(s, first, 1 + next(&seed) % (s->points - first + 12));
    }
    print_message("%u runs, %u crashes: %u executions repeated, %u asked, %u in doubt\n", s->runs, s->crashes,
                  s->repeated, s->asked, s->in_doubt);
    assert_true(s->crashes * 2 >= s->runs); /* a recovery may be over before its point comes */
}

static void test_dies_where_it_is_told(void **state)
{
    sweep *s = *state;
    run_at(s, wanted.at[0], wanted.at[1]);
    print_message("%u crashes: %u executions repeated, %u asked, %u in doubt\n%s", s->crashes, s->repeated, s->asked,
                  s->in_doubt, s->uncut);
}

int main(int argc, char **argv)
{
    const char *given = getenv("PAWL_SEED");
    wanted.seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    wanted.all = argc > 1 && strcmp(argv[1], "--all") == 0;
    const struct CMUnitTest sweeps[] = {
        cmocka_unit_test_setup_teardown(test_I1_I4_I5_X06_dies_at_every_point, begin, end),
        cmocka_unit_test_setup_teardown(test_I1_I4_I5_X06_dies_again_while_it_recovers, begin, end),
    };
    const struct CMUnitTest one[] = {cmocka_unit_test_setup_teardown(test_dies_where_it_is_told, begin, end)};
    if (argc > 2 && strcmp(argv[1], "--at") == 0) {
        for (int i = 0; i < CRASHES_MAX && i + 2 < argc; i++)
            wanted.at[i] = (unsigned)strtoul(argv[i + 2], NULL, 10);
        return cmocka_run_group_tests(one, NULL, NULL);
    }
    return cmocka_run_group_tests(sweeps, NULL, NULL);
}
