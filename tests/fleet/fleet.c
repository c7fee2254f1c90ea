/* fleet.c: see fleet.h. Every decision is the seed's; what the threads make of it is not, so a seed is a scenario and
 * no recording. */
#include "fleet.h"

#include "programs.h"
#include "witness.h"

#include <stdio.h>
#include <stdlib.h>

#define SLOTS_MAX    4
#define HOUR_NS      (3600 * PAWL_NS_PER_SECOND)
#define LEASE_NS     (200 * PAWL_NS_PER_MS)
#define RESIDENT_MAX 60
#define POST_TRIES   200

typedef struct slot {
    lab_worker *worker;
    uint64_t thaw_mono_ns; /* 0: it is not frozen */
} slot;

typedef struct fleet {
    const fleet_plan *plan;
    lab *own;
    witness witness;
    unruly *outside; /* what users come through */
    auditor_report looks;
    slot slots[SLOTS_MAX];
    lab_effect *slow[PROGRAM_SLOW];
    uint64_t let_go_mono_ns; /* 0: the slow effects are not held */
    char (*ids)[32];
    uint8_t *signals; /* how many each process was sent */
    uint32_t count;
    uint64_t random;
    int64_t wall_ns, wall_most_ns; /* how far the time of day was set */
} fleet;

static uint32_t roll(fleet *f, uint32_t most)
{
    f->random = f->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((f->random >> 33) % most);
}

uint64_t fleet_seed(uint64_t otherwise)
{
    const char *given = getenv("PAWL_SEED");
    return given == NULL ? otherwise : strtoull(given, NULL, 0);
}

/* ---- from outside ---- */

static bool may_pass(pawl_status status)
{
    return status == PAWL_E_IO || status == PAWL_E_BUSY || status == PAWL_E_FULL || status == PAWL_E_NOMEM;
}

static void register_of(fleet *f, const char *type)
{
    char *id = f->ids[f->count];
    snprintf(id, sizeof f->ids[0], "%s-%u", type, f->count);
    pawl_status status = PAWL_E_IO;
    for (int i = 0; i < POST_TRIES && may_pass(status); i++)
        status = lab_try_register(f->own, id, type, id, strcmp(type, "outer") == 0);
    if (status != PAWL_OK)
        fail_msg("%s was not registered: %d", id, status);
    f->count++;
}

static void register_one(fleet *f)
{
    const char *type;
    while ((type = programs_type(roll(f, 30))) == NULL)
        ;
    register_of(f, type);
}

/* Send it until it is acknowledged; sometimes once more, as one does who did not hear the answer. */
static void post(fleet *f, uint32_t target, uint32_t kind, const char *value)
{
    const char *id = f->ids[target];
    fleet_post made = {.number = lab_look(f->own, id).number, .kind = kind};
    snprintf(made.value, sizeof made.value, "%s", value);
    bool again = roll(f, 5) == 0;
    for (int i = 0; i < POST_TRIES; i++) {
        pawl_status status =
            kind == PAWL_RECORD_SIGNAL ? lab_signal(f->own, id, value, "go", value) : lab_cancel(f->own, id, value);
        made.acknowledged = made.acknowledged || status == PAWL_OK;
        if (made.acknowledged && made.sequence == 0)
            made.sequence = lab_posted(f->own);
        if (!may_pass(status) && !again)
            break;
        again = again && may_pass(status);
    }
    fleet_add_post(&f->witness.history, &made);
}

static void send_signal(fleet *f, uint32_t target)
{
    char value[64];
    snprintf(value, sizeof value, "s%u-%u", target, f->signals[target]++);
    post(f, target, PAWL_RECORD_SIGNAL, value);
}

static void ask_to_stop(fleet *f, uint32_t target)
{
    char value[64];
    snprintf(value, sizeof value, "c%u", roll(f, 1000000));
    post(f, target, PAWL_RECORD_CANCEL, value);
}

/* What users do to a process that exists. */
static void meddle(fleet *f)
{
    uint32_t target = roll(f, f->count);
    const char *id = f->ids[target];
    if (programs_is(id, "outer"))
        (void)lab_finish(f->own, id, "ended", "by the outside");
    else if (programs_is(id, "listener"))
        send_signal(f, target);
    else if (programs_needs_resuming(id))
        (void)lab_resume(f->own, id);
    else if (roll(f, 4) == 0)
        ask_to_stop(f, target);
    else if (roll(f, 30) == 0)
        (void)lab_terminate(f->own, id);
}

/* ---- workers ---- */

static void start_worker(fleet *f, slot *s)
{
    lab_settings settings = {.lease_ttl_ns = LEASE_NS,
                             .heartbeat_ns = 10 * PAWL_NS_PER_MS,
                             .resident_max = RESIDENT_MAX,
                             .value_bytes_max = 4096};
    s->worker = lab_start(f->own, &settings);
    s->thaw_mono_ns = 0;
    unruly *store = lab_store(s->worker);
    unruly_shuffle(store, roll(f, 4));
    if (f->plan->skewed)
        lab_skew(s->worker, ((int64_t)roll(f, 7200) - 3600) * (int64_t)PAWL_NS_PER_SECOND, roll(f, 3) * HOUR_NS);
    if (f->plan->weather)
        unruly_set_weather(store, &(unruly_weather){.seed = f->random,
                                                    .fail_permille = 10,
                                                    .spell_permille = 2,
                                                    .spell_max = 4,
                                                    .deaf_permille = 50,
                                                    .fence_permille = 10});
}

static void thaw(slot *s)
{
    s->thaw_mono_ns = 0;
    unruly_thaw(lab_store(s->worker));
}

/* Stopped for a while, often long enough to lose its leases; then it comes back and writes. */
static void freeze(slot *s, uint64_t ns)
{
    if (s->thaw_mono_ns != 0)
        return;
    unruly_freeze(lab_store(s->worker));
    s->thaw_mono_ns = lab_mono_ns() + ns;
}

static void replace_worker(fleet *f, slot *s, bool gracefully)
{
    if (gracefully) {
        if (s->thaw_mono_ns != 0)
            thaw(s);
        lab_stop(s->worker, 1, PAWL_NS_PER_SECOND);
        lab_end(s->worker);
    } else {
        lab_crash(s->worker); /* a frozen one is never told what it has written */
    }
    start_worker(f, s);
}

static void trouble(fleet *f, slot *s)
{
    unruly *store = lab_store(s->worker);
    switch (roll(f, 8)) {
    case 0:
    case 1:
    case 2:
        freeze(s, roll(f, 2 * LEASE_NS / PAWL_NS_PER_MS) * PAWL_NS_PER_MS);
        break;
    case 3:
        unruly_poke(store, 20);
        break;
    case 4:
        unruly_fail_heartbeats(store, 1 + roll(f, 3), PAWL_E_IO);
        break;
    case 5:
        unruly_fail_journals(store, 1, PAWL_E_IO);
        break;
    case 6:
        replace_worker(f, s, roll(f, 2) == 0);
        break;
    default:
        if (f->plan->weather) /* its n-th commit fails, and the next ones */
            unruly_add(store, &(unruly_rule){.action = UNRULY_FAIL,
                                             .skip = roll(f, 20),
                                             .times = 1 + roll(f, 4),
                                             .status = roll(f, 2) == 0 ? PAWL_E_FULL : PAWL_E_IO});
        break;
    }
}

static void let_go(fleet *f)
{
    f->let_go_mono_ns = 0;
    for (int i = 0; i < PROGRAM_SLOW; i++)
        lab_let_go(f->slow[i]);
}

static void thaw_due(fleet *f)
{
    if (f->let_go_mono_ns != 0 && lab_mono_ns() >= f->let_go_mono_ns)
        let_go(f);
    for (uint32_t i = 0; i < f->plan->workers; i++)
        if (f->slots[i].thaw_mono_ns != 0 && lab_mono_ns() >= f->slots[i].thaw_mono_ns)
            thaw(&f->slots[i]);
}

/* Stop a worker in the middle of effects that take so long that another has its processes before they end. */
static void make_zombie(fleet *f, slot *s)
{
    for (int i = 0; i < PROGRAM_SLOW; i++)
        LAB_SCRIPT(f->slow[i], held = true);
    f->let_go_mono_ns = lab_mono_ns() + 2 * LEASE_NS;
    if (s->thaw_mono_ns != 0)
        thaw(s);
    for (uint32_t i = 0; i < f->plan->processes / 8 && f->count < f->plan->processes; i++) {
        register_one(f);
        if (lab_stats(s->worker).effects_running > 1)
            break;
    }
    freeze(s, 5 * LEASE_NS / 2);
}

/* ---- time ---- */

static void set_wall(fleet *f, int64_t to_ns)
{
    int64_t by = to_ns - f->wall_ns;
    f->wall_ns = to_ns;
    f->wall_most_ns = to_ns > f->wall_most_ns ? to_ns : f->wall_most_ns;
    if (by < 0)
        f->witness.history.clock_back_ns += (uint64_t)-by;
    if (by != 0)
        lab_set_wall(f->own, by);
}

static void jump(fleet *f)
{
    static const int64_t jumps[] = {1, -1, 720, -720}; /* hours */
    set_wall(f, f->wall_ns + jumps[roll(f, 4)] * (int64_t)HOUR_NS);
}

/* ---- looking ---- */

static void look(fleet *f)
{
    for (int i = 0; i < 5 && f->count > 0; i++)
        witness_look(f->own, f->ids[roll(f, f->count)], &f->looks);
    uint64_t sum = 0;
    for (uint32_t status = PAWL_READY; status <= PAWL_TERMINATED; status++)
        sum += status > PAWL_COMPENSATING && status < PAWL_COMPLETED ? 0 : lab_count(f->own, status);
    /* Each status is counted at another moment: only at rest is the sum exact. */
    if (sum > 2ull * f->count)
        auditor_find(&f->looks, "I4.count", "%llu processes are counted, there are %u", (unsigned long long)sum,
                     f->count);
    for (uint32_t i = 0; i < f->plan->workers; i++)
        if (lab_stats(f->slots[i].worker).resident > RESIDENT_MAX + 64)
            auditor_find(&f->looks, "I10.resident", "a worker holds %u processes",
                         lab_stats(f->slots[i].worker).resident);
}

static void check_count(fleet *f)
{
    uint64_t sum = 0;
    for (uint32_t status = PAWL_READY; status <= PAWL_TERMINATED; status++)
        sum += lab_count(f->own, status);
    if (sum != f->count)
        auditor_find(&f->looks, "I4.count", "%llu processes are counted, there are %u", (unsigned long long)sum,
                     f->count);
}

/* ---- a run ---- */

/* The whole fleet ends, in the middle of everything, and another one begins over what is stored. */
static void reopen(fleet *f)
{
    f->let_go_mono_ns = 0;
    lab_end_all(f->own);
    lab_reopen(f->own);
    for (uint32_t i = 0; i < f->plan->workers; i++)
        start_worker(f, &f->slots[i]);
}

static void round_of_trouble(fleet *f, uint32_t round)
{
    uint32_t wanted = f->plan->processes * (round + 1) / f->plan->rounds;
    while (f->count < wanted)
        register_one(f);
    for (int i = 0; i < 4; i++)
        meddle(f);
    if (f->plan->reopen && round == f->plan->rounds / 2)
        reopen(f);
    thaw_due(f);
    if (round % (f->plan->rounds / 4) == f->plan->rounds / 8)
        make_zombie(f, &f->slots[round / 2 % f->plan->workers]);
    if (roll(f, 4) == 0)
        trouble(f, &f->slots[roll(f, f->plan->workers)]);
    if (roll(f, 20) == 0)
        lab_advance(f->own, HOUR_NS); /* which ends every lease, too */
    if (f->plan->jumps && roll(f, 8) == 0)
        jump(f);
    look(f);
    for (uint32_t i = 0; i < 1 + roll(f, 6); i++)
        lab_nap();
}

/* What every run has seen at its end, whatever the threads made of its seed: one that is parked and that nobody ends,
 * one that sleeps, one that is signalled (come_to_rest() does it), one that is asked to stop before anything could end
 * it, and workers that die while they hold one. */
static const char *const certain[] = {"wild", "sleeper", "listener", "outer", "fan"};
#define CERTAIN_COUNT (sizeof certain / sizeof *certain)

static uint32_t effects_running(fleet *f)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < f->plan->workers; i++)
        sum += lab_stats(f->slots[i].worker).effects_running;
    return sum;
}

static void add_certain(fleet *f)
{
    for (uint32_t i = 0; i < f->plan->workers; i++)
        if (f->slots[i].thaw_mono_ns != 0)
            thaw(&f->slots[i]);
    for (int i = 0; i < PROGRAM_SLOW; i++)
        LAB_SCRIPT(f->slow[i], held = true);
    for (size_t i = 0; i < CERTAIN_COUNT; i++) {
        register_of(f, certain[i]);
        if (strcmp(certain[i], "outer") == 0)
            ask_to_stop(f, f->count - 1);
    }
    LAB_UNTIL(f->own, effects_running(f) > 1); /* those that are held stay so */
    for (uint32_t i = 0; i < f->plan->workers; i++)
        replace_worker(f, &f->slots[i], false);
}

static bool at_rest(fleet *f)
{
    bool rest = true;
    for (uint32_t i = 0; i < f->count; i++) {
        const char *id = f->ids[i];
        lab_row row = lab_look(f->own, id);
        if (PAWL_IS_TERMINAL(row.status))
            continue;
        if (row.status == PAWL_STUCK && (programs_traits(id) & FLEET_OFFENDER) != 0)
            continue;
        rest = false;
        if (row.status == PAWL_STUCK)
            (void)lab_resume(f->own, id);
        if (programs_is(id, "outer"))
            (void)lab_finish(f->own, id, "ended", "at last");
        if (programs_is(id, "listener") && f->signals[i] < PROGRAM_SIGNALS)
            send_signal(f, i);
    }
    return rest;
}

/* No more trouble: everything that can end does. */
static void come_to_rest(fleet *f)
{
    let_go(f);
    unruly_set_weather(f->outside, &(unruly_weather){0});
    set_wall(f,
             f->wall_most_ns); /* a time of day that has been there comes again: what is due then is not waited for */
    for (uint32_t i = 0; i < f->plan->workers; i++) {
        if (f->slots[i].thaw_mono_ns != 0)
            thaw(&f->slots[i]);
        unruly_let_go(lab_store(f->slots[i].worker));
        unruly_set_weather(lab_store(f->slots[i].worker), &(unruly_weather){0});
    }
    uint64_t until = lab_mono_ns() + 2 * LAB_PATIENCE_NS;
    for (uint32_t turn = 1; !at_rest(f); turn++) {
        if (lab_mono_ns() > until)
            return; /* the auditor names what has not ended */
        if (turn % 32 == 0)
            lab_advance(f->own, HOUR_NS);
        lab_nap();
        lab_nap();
    }
}

static void begin(fleet *f, const fleet_plan *plan)
{
    *f = (fleet){.plan = plan, .random = plan->seed};
    f->ids = calloc(plan->processes + CERTAIN_COUNT, sizeof *f->ids);
    f->signals = calloc(plan->processes + CERTAIN_COUNT, 1);
    assert_non_null(f->ids);
    assert_non_null(f->signals);
    f->own = lab_create(plan->provider);
    lab_judge_no_times(f->own);
    programs_add(f->own, 20, f->slow);
    witness_init(&f->witness, f->own);
    f->witness.history.timers_by_store = !plan->skewed;
    f->outside = unruly_create(lab_registry(f->own));
    unruly_shuffle(f->outside, 1);
    if (plan->weather)
        unruly_set_weather(
            f->outside,
            &(unruly_weather){.seed = plan->seed, .fail_permille = 50, .spell_permille = 5, .spell_max = 10});
    lab_go_through(f->own, unruly_registry(f->outside));
    for (uint32_t i = 0; i < plan->workers; i++)
        start_worker(f, &f->slots[i]);
}

/* Of the process whose id stands in a text. */
static const char *journal_of(fleet *f, const char *text)
{
    for (uint32_t i = f->count; i > 0; i--) {
        const char *at = strstr(text, f->ids[i - 1]);
        if (at != NULL && strchr("0123456789", at[strlen(f->ids[i - 1])]) == NULL)
            return lab_journal(f->own, f->ids[i - 1]);
    }
    return "";
}

static void report(fleet *f, auditor_report *ret)
{
    witness_load(&f->witness, programs_traits);
    auditor_judge(&f->witness.history, ret);
    for (size_t i = 0; i < f->looks.count && i < AUDITOR_FOUND_MAX; i++)
        auditor_find(ret, f->looks.found[i].rule, "%s", f->looks.found[i].text);
    print_message("seed %llu: %llu grants, %llu takeovers, %llu writes, %llu refused, %llu executions, %llu late, "
                  "%llu cancels, %llu signals, %llu timers, %llu stuck\n",
                  (unsigned long long)f->plan->seed, (unsigned long long)ret->grants,
                  (unsigned long long)ret->takeovers, (unsigned long long)ret->writes,
                  (unsigned long long)ret->writes_refused, (unsigned long long)ret->executions,
                  (unsigned long long)ret->late_executions, (unsigned long long)ret->cancels,
                  (unsigned long long)ret->signals, (unsigned long long)ret->timers, (unsigned long long)ret->stuck);
    for (size_t i = 0; i < ret->count && i < AUDITOR_FOUND_MAX; i++) {
        print_error("%s: %s\n    %s\n", ret->found[i].rule, ret->found[i].text, journal_of(f, ret->found[i].text));
    }
}

void fleet_run(const fleet_plan *plan, auditor_report *ret)
{
    /* Not on the stack: when an assertion fails, workers go on with what is theirs. */
    fleet *f = calloc(1, sizeof *f);
    assert_non_null(f);
    print_message("fleet of %u over %s, seed %llu (PAWL_SEED chooses)\n", plan->workers, plan->provider,
                  (unsigned long long)plan->seed);
    begin(f, plan);
    for (uint32_t round = 0; round < plan->rounds; round++)
        round_of_trouble(f, round);
    add_certain(f);
    come_to_rest(f);
    check_count(f);
    lab_end_all(f->own);
    report(f, ret);
    lab_go_through(f->own, NULL);
    lab_destroy(f->own);
    unruly_destroy(f->outside);
    witness_finish(&f->witness);
    free(f->signals);
    free(f->ids);
    free(f);
    if (ret->count > 0)
        fail_msg("%zu promises were broken under seed %llu", ret->count, (unsigned long long)plan->seed);
}
