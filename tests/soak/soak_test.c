/* soak_test.c: soak-test [--seconds N | --minutes N] [--stall]. PAWL_SEED repeats a run's choices (moments differ as
 * the machine does). --stall holds every effect, to show that the detector of stuck runs sees it: that run must fail.
 */
#include "soak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static soak all; /* set by main, before the test */

static int open_yard(void **state)
{
    all.y = yard_open("retry: { attempts: 20, first_delay: 20ms, max_delay: 100ms }\nworker: { effect_threads: 12 }\n"
                      "effects: { probe.keyed: { retry: { attempts: 1, on_exhausted: pause } } }\n");
    all.room = (size_t)(all.seconds * SOAK_PER_SECOND) + 100;
    all.processes = calloc(all.room, sizeof *all.processes);
    *state = &all;
    return all.processes == NULL ? -1 : 0;
}

static int close_yard(void **state)
{
    (void)state;
    all.y = yard_close(all.y);
    free(all.processes);
    return 0;
}

static void load(soak *s)
{
    while (seconds_now() - s->began < s->seconds) {
        soak_plan_trouble(s);
        soak_feed(s, true);
        soak_look(s);
        soak_keep_alive(s);
        let_pass_ms(s->spell ? 40 : 5);
    }
}

static void bring_home(soak *s)
{
    soak_calm(s);
    s->moved = seconds_now();
    while (!soak_is_fed(s) || s->ended < (json_int_t)s->count) {
        soak_feed(s, false);
        soak_look(s);
        let_pass_ms(5);
    }
}

static void stall(soak *s)
{
    api_start(s->y, "probe.plan", "s000000", "step:0:0:1");
    s->count = s->started = 1;
    for (;;) {
        soak_look(s);
        look_again_soon();
    }
}

static void test_I1_I5_I7_I8_I10_a_soak_loses_nothing_acknowledged(void **state)
{
    soak *s = *state;
    print_message("seed %u: %.0f s (PAWL_SEED=%u repeats it)\n", s->seed, s->seconds, s->seed);
    s->began = s->moved = seconds_now();
    soak_serve(s);
    if (s->stall)
        stall(s);
    load(s);
    bring_home(s);
    soak_audit(s);
    yard_stop(s->y);
}

int main(int count, char **words)
{
    const char *given = getenv("PAWL_SEED");
    all.seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    all.seconds = 300;
    all.patience = 90;
    for (int i = 1; i < count; i++) {
        double number = i + 1 < count ? strtod(words[i + 1], NULL) : 0;
        if (strcmp(words[i], "--minutes") == 0)
            all.seconds = 60 * number;
        if (strcmp(words[i], "--seconds") == 0)
            all.seconds = number;
        all.stall = all.stall || strcmp(words[i], "--stall") == 0;
    }
    if (all.stall)
        all.patience = 2;
    if (all.seconds < 1) {
        (void)fprintf(stderr, "wanted: soak-test [--seconds N | --minutes N] [--stall]\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_I1_I5_I7_I8_I10_a_soak_loses_nothing_acknowledged, open_yard, close_yard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
