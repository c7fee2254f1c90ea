/* cases_process.c: process code, activated the way workers do it: from the top, again and again, on whichever thread.
 */
#include "call.h"
#include "cases.h"
#include "watch.h"
#include "world.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, PROMPT_WARN_MS = 100, PROMPT_MAX_MS = 1000 };
#define NS_PER_MS UINT64_C(1000000)

/* What a case does with one activation. False: enough of this type. */
typedef bool (*look_at)(checker_lab *lab, const char *where, world *w, uint32_t reached, const world_run *run);

static bool is_over(const world_run *run)
{
    return run->status != PAWL_SUSPEND || run->ended;
}

/* One process of a type in a world of this policy, until it ends or has been activated often enough. */
static void live(checker_lab *lab, const pawl_manifest_process *type, world_policy policy, const char *how,
                 look_at look)
{
    char where[300];
    char *input = lab_type_input(lab, type);
    world *w = input == NULL ? NULL : lab_world_create(lab, type, input, policy);
    snprintf(where, sizeof where, "%s revision %u%s", type->name, type->revision, how);
    for (uint32_t reached = 0; w != NULL && reached < WORLD_ACTIVATIONS_MAX; reached++) {
        lab_stage(lab, "activate of %s with %u things there", where, reached);
        world_run run = lab_world_activate(w, reached);
        lab_checked(lab);
        bool more = look(lab, where, w, reached, &run) && !is_over(&run);
        free(run.trace);
        if (!more)
            break;
    }
    lab_world_free(w);
    free(input);
}

static void live_all(checker_lab *lab, world_policy policy, const char *how, look_at look)
{
    for (size_t i = 0; i < lab->manifest->process_count; i++)
        live(lab, &lab->manifest->processes[i], policy, how, look);
}

/* ---- what activate returns ---- */

static bool judge_end(checker_lab *lab, const char *where, world *w, uint32_t reached, const world_run *run)
{
    char text[64];
    (void)w;
    (void)reached;
    if (run->status > PAWL_OK && run->status != PAWL_SUSPEND)
        lab_find(lab, VERDICT_FAIL, where, "PAWL_SUSPEND, PAWL_OK or a failure", "that activate returns status %s",
                 lab_status_text(run->status, text));
    else if (run->status == PAWL_OK && !run->ended)
        lab_find(lab, VERDICT_FAIL, where, "`return pawl_complete(...)`: a program that ends says with what",
                 "PAWL_OK although nothing was completed");
    else if (run->status == PAWL_SUSPEND && !run->suspended)
        lab_find(lab, VERDICT_FAIL, where, "an await: nothing would ever wake it",
                 "PAWL_SUSPEND although no await said so");
    if (run->invalid > 0)
        lab_find(lab, VERDICT_FAIL, where, "calls that the host can understand", "%s", run->after_what);
    return true;
}

void case_process_activate(checker_lab *lab)
{
    if (!lab_tables(lab))
        return;
    live_all(lab, WORLD_GOOD, "", judge_end);
    if (lab_world_strays() > 0)
        lab_find(lab, VERDICT_FAIL, NULL, "calls within activate alone, on its thread",
                 "%u calls of the host by process code that no activation ran for", lab_world_strays());
    lab_close(lab);
}

/* ---- suspending ---- */

static bool judge_suspend(checker_lab *lab, const char *where, world *w, uint32_t reached, const world_run *run)
{
    char text[64];
    (void)w;
    (void)reached;
    if (run->suspended && run->after_suspend > 0)
        lab_find(lab, VERDICT_FAIL, where, "a return at once: PAWL_TRY does that",
                 "a call of %s after an await gave PAWL_SUSPEND", run->after_what);
    else if (run->after_suspend > 0)
        lab_find(lab, VERDICT_FAIL, where, "`return` what complete, fail and continue_as_new return",
                 "a call of %s after the program had ended", run->after_what);
    if (run->suspended && run->status != PAWL_SUSPEND)
        lab_find(lab, VERDICT_FAIL, where, "PAWL_SUSPEND, unchanged",
                 "that activate returns status %s after an await gave PAWL_SUSPEND",
                 lab_status_text(run->status, text));
    return run->after_suspend == 0 && run->status == PAWL_SUSPEND;
}

void case_process_suspend(checker_lab *lab)
{
    if (!lab_tables(lab))
        return;
    live_all(lab, WORLD_GOOD, "", judge_suspend);
    lab_close(lab);
}

/* ---- the same again ---- */

/* The first line in which two traces differ; false: they do not. prefix: only as far as the first one goes, without its
 * last line. */
static bool differ(const char *a, const char *b, bool prefix, char left[400], char right[400], unsigned *ret_line)
{
    for (*ret_line = 1;; ++*ret_line) {
        size_t m = strcspn(a, "\n"), n = strcspn(b, "\n");
        bool last = a[m] == '\0' || a[m + 1] == '\0';
        if (prefix && (last || *a == '\0'))
            return false;
        if (m != n || memcmp(a, b, m) != 0) {
            snprintf(left, 400, "%.*s", (int)m, *a == '\0' ? "nothing more" : a);
            snprintf(right, 400, "%.*s", (int)n, *b == '\0' ? "nothing more" : b);
            if (*a == '\0')
                snprintf(left, 400, "nothing more");
            if (*b == '\0')
                snprintf(right, 400, "nothing more");
            return true;
        }
        if (*a == '\0')
            return false;
        a += m + (a[m] == '\n');
        b += n + (b[n] == '\n');
    }
}

static bool compare(checker_lab *lab, const char *where, const char *what, const world_run *one, const world_run *two,
                    bool prefix)
{
    char left[400], right[400];
    unsigned number = 0;
    if (one->trace == NULL || two->trace == NULL || !differ(one->trace, two->trace, prefix, left, right, &number))
        return true;
    lab_find(
        lab, VERDICT_FAIL, where,
        "the same steps for the same journal: nothing may come from clocks, chance, memory or addresses of its own",
        "%s: step %u was \"%s\" and is \"%s\"", what, number, left, right);
    return false;
}

static bool judge_repeat(checker_lab *lab, const char *where, world *w, uint32_t reached, const world_run *run)
{
    lab_stage(lab, "activate of %s with %u things there, again", where, reached);
    world_run again = lab_world_activate(w, reached);
    bool same = compare(lab, where, "two activations over the same journal", run, &again, false);
    free(again.trace);
    if (!same || is_over(run))
        return false;
    world_run next = lab_world_activate(w, reached + 1);
    same = compare(lab, where, "an activation over a longer journal", run, &next, true);
    free(next.trace);
    return same;
}

void case_process_repeat(checker_lab *lab)
{
    if (!lab_tables(lab))
        return;
    live_all(lab, WORLD_GOOD, "", judge_repeat);
    lab_close(lab);
}

/* ---- what it looks at ---- */

static bool look_on(checker_lab *lab, const char *where, world *w, uint32_t reached, const world_run *run)
{
    (void)lab;
    (void)where;
    (void)w;
    (void)reached;
    (void)run;
    return true;
}

void case_process_outside(checker_lab *lab)
{
    char seen[400];
    if (!lab_tables(lab))
        return;
    if (!lab_can_watch()) {
        lab_skip(lab, "this build of the check has a sanitizer in the place from which it would watch");
        return;
    }
    live_all(lab, WORLD_GOOD, "", look_on);
    if (lab_watch_seen(seen, sizeof seen)[0] != '\0')
        lab_find(lab, VERDICT_FAIL, NULL,
                 "the host's clock, chance and ids (pawl_now, pawl_random, pawl_uuid), and effects for the rest",
                 "that process code calls %s", seen);
    lab_close(lab);
}

/* ---- bad days ---- */

void case_process_failures(checker_lab *lab)
{
    if (!lab_tables(lab))
        return;
    live_all(lab, WORLD_FAILS, ", where every call fails", judge_end);
    live_all(lab, WORLD_CANCELLED, ", cancelled while it waits", judge_end);
    live_all(lab, WORLD_STRANGE, ", where results are no JSON", judge_end);
    lab_close(lab);
}

static void try_unknown(checker_lab *lab, const char *name, uint32_t revision, const char *what)
{
    char text[64];
    const pawl_manifest_process type = {.name = name, .revision = revision};
    world *w = lab_world_create(lab, &type, "{}", WORLD_GOOD);
    lab_stage(lab, "activate of %s", what);
    world_run run = lab_world_activate(w, 0);
    lab_checked(lab);
    if (run.status >= PAWL_OK)
        lab_find(lab, VERDICT_FAIL, what, "PAWL_E_UNSUPPORTED: its process waits for a plugin that has it", "status %s",
                 lab_status_text(run.status, text));
    else if (run.status != PAWL_E_UNSUPPORTED)
        lab_find(lab, VERDICT_WARN, what, "PAWL_E_UNSUPPORTED: with another status the process fails for good",
                 "status %s", lab_status_text(run.status, text));
    free(run.trace);
    lab_world_free(w);
}

void case_process_unknown(checker_lab *lab)
{
    if (!lab_tables(lab))
        return;
    try_unknown(lab, "pawl-check.unknown", 1, "a type that it does not have");
    if (lab->manifest->process_count > 0)
        try_unknown(lab, lab->manifest->processes[0].name, 4000000000u, "a revision that it does not have");
    lab_close(lab);
}

static bool judge_prompt(checker_lab *lab, const char *where, world *w, uint32_t reached, const world_run *run)
{
    uint64_t ms = run->took_ns / NS_PER_MS;
    for (unsigned i = 0; i < 2 && ms > PROMPT_WARN_MS; i++) { /* a busy machine may have been the reason */
        world_run again = lab_world_activate(w, reached);
        ms = again.took_ns / NS_PER_MS < ms ? again.took_ns / NS_PER_MS : ms;
        free(again.trace);
    }
    if (ms <= PROMPT_WARN_MS)
        return true;
    lab_find(lab, ms > PROMPT_MAX_MS ? VERDICT_FAIL : VERDICT_WARN, where,
             "long work in an effect: an activation holds up every process of its shard",
             "that an activation takes %llu ms", (unsigned long long)ms);
    return false;
}

void case_process_prompt(checker_lab *lab)
{
    if (!lab_tables(lab))
        return;
    live_all(lab, WORLD_GOOD, "", judge_prompt);
    lab_close(lab);
}

/* ---- many at once ---- */

typedef struct {
    checker_lab *lab;
    const pawl_manifest_process *type;
    const char *input;
    char *const *expected; /* traces of one alone, by activation; NULL ends them */
    atomic_uint *differences;
} crowd;

static void *live_in_crowd(void *context)
{
    const crowd *c = context;
    world *w = lab_world_create(c->lab, c->type, c->input, WORLD_GOOD);
    for (uint32_t reached = 0; reached < WORLD_ACTIVATIONS_MAX && c->expected[reached] != NULL; reached++) {
        world_run run = lab_world_activate(w, reached);
        if (run.trace == NULL || strcmp(run.trace, c->expected[reached]) != 0)
            atomic_fetch_add(c->differences, 1);
        free(run.trace);
    }
    lab_world_free(w);
    return NULL;
}

static void crowd_in(const crowd *one)
{
    pthread_t threads[THREADS];
    unsigned started = 0;
    for (; started < THREADS; started++)
        if (pthread_create(&threads[started], NULL, live_in_crowd, (void *)(uintptr_t)one) != 0)
            break;
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

/* Traces of one process alone; false: it does not repeat itself alone either, which is another case's matter. */
static bool live_alone(checker_lab *lab, const pawl_manifest_process *type, const char *input,
                       char *traces[WORLD_ACTIVATIONS_MAX + 1])
{
    bool steady = true;
    world *w = lab_world_create(lab, type, input, WORLD_GOOD);
    for (uint32_t reached = 0; reached < WORLD_ACTIVATIONS_MAX; reached++) {
        world_run run = lab_world_activate(w, reached);
        world_run again = lab_world_activate(w, reached);
        steady = steady && run.trace != NULL && again.trace != NULL && strcmp(run.trace, again.trace) == 0;
        free(again.trace);
        traces[reached] = run.trace;
        if (is_over(&run))
            break;
    }
    lab_world_free(w);
    return steady;
}

void case_process_threads(checker_lab *lab)
{
    if (!lab_tables(lab))
        return;
    for (size_t i = 0; i < lab->manifest->process_count; i++) {
        const pawl_manifest_process *type = &lab->manifest->processes[i];
        char *traces[WORLD_ACTIVATIONS_MAX + 1] = {NULL};
        atomic_uint differences = 0;
        char *input = lab_type_input(lab, type);
        lab_stage(lab, "activate of %s, alone", type->name);
        if (input != NULL && live_alone(lab, type, input, traces)) {
            const crowd one = {lab, type, input, traces, &differences};
            lab_stage(lab, "activate of %s, %u processes on threads of their own", type->name, THREADS);
            lab_checked(lab);
            crowd_in(&one);
        }
        if (atomic_load(&differences) > 0)
            lab_find(lab, VERDICT_FAIL, type->name, "the steps it takes alone: processes must not share anything",
                     "other steps in %u activations, with %u processes at once", atomic_load(&differences), THREADS);
        for (size_t t = 0; t < WORLD_ACTIVATIONS_MAX; t++)
            free(traces[t]);
        free(input);
    }
    lab_close(lab);
}
