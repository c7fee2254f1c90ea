/* cases_leak.c: does doing it again and again take more and more? Growth is a leak when it comes with every batch of
 * rounds; what a plugin takes once and keeps is none. */
#include "call.h"
#include "cases.h"
#include "snapshot.h"
#include "world.h"

#include <stdlib.h>

enum {
    BATCHES = 4,
    ROUNDS_MOST = 64,
    ROUNDS_LEAST = 6,
    WARM_ROUNDS = 24,
    BYTES_PER_ROUND = 8,
    UNEVEN_BYTES = 256,
    LOOKS = 2
};
#define TIME_FOR_ALL_NS UINT64_C(4000000000)

typedef struct {
    checker_lab *lab;
    const lab_walk *walk;
    world *w;
    bool good; /* a round did what it should */
} rounds;

typedef void (*one_round)(rounds *r);

/* For rounds that other files have. */
typedef struct {
    rounds r; /* first */
    bool (*round)(void *context);
    void *context;
} foreign;

typedef struct {
    size_t memory;
    unsigned descriptors, threads;
} held;

static held look(void)
{
    return (held){lab_count_memory(), lab_count_descriptors(), lab_count_threads()};
}

/* So many rounds that all of them take a few seconds at most. */
static unsigned warm_up(rounds *r, one_round round)
{
    uint64_t begun = lab_now_ns(), now = begun;
    unsigned count = 0;
    for (; count < WARM_ROUNDS && r->good && now - begun < TIME_FOR_ALL_NS / 3; count++) {
        round(r);
        now = lab_now_ns();
    }
    uint64_t each = count == 0 ? 1 : (now - begun) / count + 1;
    uint64_t fit = TIME_FOR_ALL_NS / BATCHES / each;
    if (fit * 3 < ROUNDS_LEAST)
        r->good = false;
    return fit > ROUNDS_MOST ? ROUNDS_MOST : fit < ROUNDS_LEAST ? ROUNDS_LEAST : (unsigned)fit;
}

/* What grew in every batch, and by as much in each, as a leak does. */
typedef struct {
    bool memory, descriptors, threads;
} growth;

static growth grown(const held *seen, unsigned count)
{
    growth g = {lab_can_count_memory(), true, true};
    size_t least = SIZE_MAX, most = 0;
    for (unsigned i = 1; i <= BATCHES; i++) {
        size_t more = seen[i].memory > seen[i - 1].memory ? seen[i].memory - seen[i - 1].memory : 0;
        least = more < least ? more : least;
        most = more > most ? more : most;
        g.descriptors = g.descriptors && seen[i].descriptors >= seen[i - 1].descriptors + count / 4 + 1;
        g.threads = g.threads && seen[i].threads >= seen[i - 1].threads + count / 4 + 1;
    }
    g.memory = g.memory && least >= (size_t)count * BYTES_PER_ROUND && most <= 2 * least + UNEVEN_BYTES;
    return g;
}

static void tell(checker_lab *lab, const char *where, const held *seen, unsigned count, growth g)
{
    if (g.memory)
        lab_find(lab, VERDICT_FAIL, where, "as much given back as taken",
                 "%zu bytes more in use after each round, in %u rounds",
                 (seen[BATCHES].memory - seen[0].memory) / count / BATCHES, count * BATCHES);
    if (g.descriptors)
        lab_find(lab, VERDICT_FAIL, where, "every descriptor closed", "%u descriptors more after %u rounds",
                 seen[BATCHES].descriptors - seen[0].descriptors, count * BATCHES);
    if (g.threads)
        lab_find(lab, VERDICT_FAIL, where, "every thread ended and joined", "%u threads more after %u rounds",
                 seen[BATCHES].threads - seen[0].threads, count * BATCHES);
}

static void measure(rounds *r, unsigned count, one_round round, held seen[BATCHES + 1])
{
    seen[0] = look();
    for (unsigned batch = 1; batch <= BATCHES; batch++) {
        for (unsigned i = 0; i < count && r->good; i++)
            round(r);
        seen[batch] = look();
    }
}

/* A second look, before anything is said: caches grow for a while, leaks for ever. */
static void repeat(rounds *r, const char *where, one_round round)
{
    held seen[BATCHES + 1];
    r->good = true;
    lab_stage(r->lab, "%s, again and again", where);
    unsigned count = warm_up(r, round);
    growth first = {true, true, true};
    for (unsigned i = 0; i < LOOKS && r->good && (first.memory || first.descriptors || first.threads); i++) {
        measure(r, count, round, seen);
        growth now = grown(seen, count);
        first =
            (growth){first.memory && now.memory, first.descriptors && now.descriptors, first.threads && now.threads};
    }
    if (!r->good) {
        lab_skip(r->lab, "%s fails, or takes too long to be repeated", where);
        return;
    }
    lab_checked(r->lab);
    tell(r->lab, where, seen, count, first);
}

static void foreign_round(rounds *r)
{
    foreign *f = (foreign *)(void *)r;
    r->good = f->round(f->context);
}

void lab_repeat(checker_lab *lab, const char *where, bool (*round)(void *context), void *context)
{
    foreign f = {.r = {.lab = lab}, .round = round, .context = context};
    repeat(&f.r, where, foreign_round);
}

/* ---- what is repeated ---- */

static void create_once(rounds *r)
{
    pawl_connector *instance = NULL;
    lab_why *why = lab_why_create();
    r->good = lab_create_with(r->lab, &r->lab->host, "check", lab_instance_config(r->lab), &instance, why) == PAWL_OK;
    lab_why_free(why);
    if (r->good)
        r->lab->tables.connector.destroy(instance);
}

static void live_once(rounds *r)
{
    lab_why *why = lab_why_create();
    r->good = lab_init_with(r->lab, &r->lab->host, r->lab->options->config, why) == PAWL_OK;
    lab_why_free(why);
    if (r->good)
        r->lab->root.deinit(&r->lab->host.root);
}

static void call_once(rounds *r)
{
    const lab_request request = {.operation = r->walk->now, .input = lab_walk_input(r->walk)};
    lab_answer answer = lab_call(r->lab, &request);
    lab_answer_free(&answer);
}

void case_leak_life(checker_lab *lab)
{
    rounds r = {.lab = lab};
    if (lab_load(lab))
        repeat(&r, "init and deinit", live_once);
}

void case_leak_instance(checker_lab *lab)
{
    rounds r = {.lab = lab};
    if (!lab_instance(lab))
        return;
    repeat(&r, "create and destroy", create_once);
    lab_close(lab);
}

void case_leak_calls(checker_lab *lab)
{
    lab_walk walk = {0};
    rounds r = {.lab = lab, .walk = &walk};
    if (!lab_instance(lab))
        return;
    while (lab_walk_next(lab, &walk))
        repeat(&r, walk.where, call_once);
    if (lab->checked == 0)
        lab_skip_without_samples(lab);
    lab_close(lab);
}

/* From the first activation to the last. */
static void live_through(rounds *r)
{
    for (uint32_t reached = 0; reached < WORLD_ACTIVATIONS_MAX; reached++) {
        world_run run = lab_world_activate(r->w, reached);
        free(run.trace);
        if (run.status != PAWL_SUSPEND)
            break;
    }
}

void case_leak_process(checker_lab *lab)
{
    rounds r = {.lab = lab};
    if (!lab_tables(lab))
        return;
    for (size_t i = 0; i < lab->manifest->process_count; i++) {
        char *input = lab_type_input(lab, &lab->manifest->processes[i]);
        if (input == NULL)
            continue;
        r.w = lab_world_create(lab, &lab->manifest->processes[i], input, WORLD_GOOD);
        repeat(&r, lab->manifest->processes[i].name, live_through);
        free(input);
    }
    lab_close(lab);
}
