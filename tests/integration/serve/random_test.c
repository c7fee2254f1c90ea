/* random_test.c: many processes of every kind, and SIGKILL at random moments. What must hold afterwards is in audit.h;
 * nothing here knows where the kills fell. The seed is printed; PAWL_SEED gives it again. `--long` is more of both. */
#include "audit.h"
#include "yard.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PROCESSES_MAX 3000

typedef struct load {
    size_t processes;
    unsigned kills;
    unsigned seed;
} load;

static load wanted; /* set by main, before any test */

static const char *const types[] = {"probe.plan", "probe.short", "probe.long", "probe.waiter"};
static const char *const plans[] = {
    "step step step",
    "quick quick step quick clock quick",
    "once:3 step once:1 check:3 keyed:2",
    "later:4 both:5 later:1 step",
    "step sleep:40 check:5 sleep:120 once",
    "step:2:2 once:1:1 keyed:1:1 later:1:1",
    "check:4 check:4 check:4 once:4 once:4",
    "step signal:go once:2 signal:go check:2",
    "both:4 both:3 clock sleep:15 quick",
    "later:20 once:20 check:20 step:20",
};

static int open_yard(void **state)
{
    *state =
        yard_open("retry: { attempts: 20, first_delay: 20ms, max_delay: 100ms }\nworker: { effect_threads: 12 }\n");
    return 0;
}

static int close_yard(void **state)
{
    *state = yard_close(*state);
    return 0;
}

/* A generator of our own, so that a seed means the same on every machine. */
static unsigned next(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

typedef struct crowd {
    size_t count;
    size_t started;
    size_t told; /* of the waiters, how many signals were answered */
    char names[PROCESSES_MAX][12];
    const char *ids[PROCESSES_MAX];
    unsigned char plan[PROCESSES_MAX];
    unsigned char signals[PROCESSES_MAX]; /* answered so far, for those that wait for two */
} crowd;

static const char *plan_of(const crowd *c, size_t i)
{
    return plans[c->plan[i]];
}

/* Some more starts and signals; whatever is not answered is simply sent again later, under the same id. */
static void feed(const yard *y, crowd *c, size_t many)
{
    for (size_t n = 0; n < many && c->started < c->count; n++, c->started++) {
        json_t *body = json_pack("{s:s, s:s, s:s}", "type", types[c->started % 4], "id", c->ids[c->started],
                                 "input_text", plan_of(c, c->started));
        long status = api_call(y, "POST", "/v1/processes", body, NULL);
        if (status != 200 && status != 201)
            fail_msg("start %s: HTTP status %ld", c->ids[c->started], status);
    }
    for (size_t i = 0; i < c->started; i++)
        for (; strstr(plan_of(c, i), "signal") != NULL && c->signals[i] < 2 && many > 0; many--, c->told++) {
            char signal_id[8];
            snprintf(signal_id, sizeof signal_id, "s%d", c->signals[i]);
            api_signal(y, c->ids[i], "go", signal_id, signal_id);
            c->signals[i]++;
        }
}

static void rounds_of_kills(yard *y, crowd *c, unsigned *seed)
{
    for (unsigned kill = 0; kill < wanted.kills; kill++) {
        unsigned moment = next(seed);
        YARD_SERVE(y, NULL);
        feed(y, c, c->count / wanted.kills + 1);
        let_pass_ms(moment % 3 == 0 ? 0 : moment % 250);
        if (moment % 5 == 1)
            yard_signal(y, SIGTERM); /* and the kill falls into the stop */
        yard_signal(y, SIGKILL);
        int ended = yard_end(y);
        if (ended != -SIGKILL && ended != 0)
            fail_msg("pawl serve ended with %d before kill %u", ended, kill);
    }
}

static void test_L10_V01_kills_at_random_moments(void **state)
{
    static crowd c;
    yard *y = *state;
    unsigned seed = wanted.seed;
    c = (crowd){.count = wanted.processes};
    print_message("seed %u: %zu processes, %u kills (PAWL_SEED=%u repeats it)\n", seed, c.count, wanted.kills, seed);
    for (size_t i = 0; i < c.count; i++) {
        snprintf(c.names[i], sizeof c.names[i], "r%05zu", i);
        c.ids[i] = c.names[i];
        c.plan[i] = (unsigned char)(next(&seed) % (sizeof plans / sizeof *plans));
    }
    rounds_of_kills(y, &c, &seed);
    YARD_SERVE(y, NULL);
    feed(y, &c, 3 * c.count);
    api_await_ended(y, (json_int_t)c.count);
    audit a = audit_ended(y, c.ids, c.count);
    print_message("%zu steps recorded, %zu executed (%zu again, after a kill), %zu asked, %zu in doubt\n", a.steps,
                  a.executions, a.repeated, a.asked, a.in_doubt);
    assert_int_equal(a.completed, c.count);
    assert_int_equal(api_count(y, "completed"), (json_int_t)c.count);
    assert_int_equal(api_count(y, "running") + api_count(y, "ready") + api_count(y, "waiting"), 0);
    assert_true(a.executions + a.in_doubt >= a.steps);
    yard_stop(y);
}

int main(int argc, char **argv)
{
    const char *given = getenv("PAWL_SEED");
    bool long_one = argc > 1 && strcmp(argv[1], "--long") == 0;
    wanted = (load){.processes = long_one ? 3000 : 200, .kills = long_one ? 200 : 10};
    wanted.seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_L10_V01_kills_at_random_moments, open_yard, close_yard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
