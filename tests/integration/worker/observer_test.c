/* observer_test.c: observers of plugins in a real worker: they are told in order, no more than they want, and left out
 * when they keep a thread. */
#include "lab.h"

#include "abi/pawl_process.h"
#include "worker/observe.h"

#include <stdio.h>
#include <time.h>

static pawl_status one_call(pawl_process *p)
{
    pawl_bytes value;
    PAWL_TRY(pawl_call(p, "one", pawl_input(p), &value));
    return pawl_complete(p, value);
}

static pawl_status fan(pawl_process *p)
{
    pawl_future all[20];
    for (int i = 0; i < 20; i++)
        all[i] = pawl_start_call(p, "one", pawl_text("x"));
    PAWL_TRY(pawl_await_all_of(p, all, 20));
    return pawl_complete(p, pawl_text("done"));
}

/* Goes on as a new run once, then does a step, fails, and undoes it. */
static pawl_status busy(pawl_process *p)
{
    if (pawl_run_number(p) == 1)
        return pawl_continue_as_new(p, pawl_input(p));
    PAWL_TRY(pawl_call(p, "one", pawl_text("1"), NULL));
    PAWL_TRY(pawl_on_rollback(p, "undo", pawl_text("1")));
    return pawl_fail(p, "test.enough", "enough of this");
}

static pawl_status unknown(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "nowhere", pawl_input(p), NULL));
    return pawl_complete(p, pawl_text("done"));
}

static pawl_status gate(pawl_process *p)
{
    PAWL_TRY(pawl_signal(p, "go", NULL));
    return pawl_complete(p, pawl_text("went"));
}

PAWL_PROCESSES(PAWL_TYPE("one_call", 1, one_call), PAWL_TYPE("fan", 1, fan), PAWL_TYPE("busy", 1, busy),
               PAWL_TYPE("unknown", 1, unknown), PAWL_TYPE("gate", 1, gate))

static lab *lab_with(const char *provider)
{
    static const char *const types[] = {"one_call", "fan", "busy", "unknown", "gate"};
    lab *own = lab_create(provider);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        lab_add_type(own, types[i], 1, &pawl_processes);
    return own;
}

#define assert_has(text, part)                                                                                         \
    do {                                                                                                               \
        if (strstr((text), (part)) == NULL)                                                                            \
            fail_msg("\"%s\" does not contain \"%s\"", (text), (part));                                                \
    } while (0)

struct pawl_observer {
    pthread_mutex_t lock; /* guards all below */
    uint64_t nap_ns;      /* it takes so long */
    uint32_t told[PAWL_OBSERVED_LEASE_LOST + 1];
    uint32_t all;
    size_t used;
    char text[8192];
};

static void note(pawl_observer *own, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(pawl_observer *own, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int used = vsnprintf(own->text + own->used, sizeof own->text - own->used, format, args);
    va_end(args);
    if (used > 0 && own->used + (size_t)used < sizeof own->text)
        own->used += (size_t)used;
}

static void PAWL_CALL observe(pawl_observer *own, const pawl_observation *o)
{
    static const char *const names[] = {"?",      "claimed", "ran",    "began",     "ended",         "retry", "cancel",
                                        "undoes", "waits",   "parked", "continued", "process-ended", "lost"};
    pthread_mutex_lock(&own->lock);
    uint64_t nap_ns = own->nap_ns;
    own->all++;
    own->told[o->kind]++;
    note(own, "%s%s", own->used == 0 ? "" : " ", names[o->kind]);
    if (o->effect.size > 0)
        note(own, ":%.*s/%u#%u", (int)o->effect.size, (const char *)o->effect.data, (unsigned)o->ordinal, o->attempt);
    if (o->kind == PAWL_OBSERVED_CONTINUED)
        note(own, ":%u", o->run);
    if (o->kind == PAWL_OBSERVED_ENDED)
        note(own, ":%s", o->process_status == PAWL_COMPLETED ? "completed" : "failed");
    if (o->failure != NULL)
        note(own, "(%.*s)", (int)o->failure->code.size, (const char *)o->failure->code.data);
    pthread_mutex_unlock(&own->lock);
    if (nap_ns > 0)
        nanosleep(&(struct timespec){0, (long)nap_ns}, NULL);
}

static const pawl_observer_table observing = {.struct_size = sizeof observing, .observe = observe};

#define EVERYTHING   (~UINT64_C(0))
#define BIT(kind)    (UINT64_C(1) << (kind))
#define NEVER_SLOW   (3600 * PAWL_NS_PER_SECOND)
#define NO_RESIDENCY (~(BIT(PAWL_OBSERVED_CLAIMED) | BIT(PAWL_OBSERVED_ACTIVATED) | BIT(PAWL_OBSERVED_SUSPENDED)))

static pawl_observers watched_by(lab *own, pawl_observer *observer, uint64_t wants, uint64_t slow_ns)
{
    pawl_observers all = {.clock = pawl_clock_system(), .log = lab_log(own)};
    assert_true(pawl_observers_add(&all, &observing, observer, "com.example.eye", wants, slow_ns));
    return all;
}

static uint32_t told(pawl_observer *observer, uint32_t kind)
{
    pthread_mutex_lock(&observer->lock);
    uint32_t times = kind == 0 ? observer->all : observer->told[kind];
    pthread_mutex_unlock(&observer->lock);
    return times;
}

static void assert_seen(lab *own, pawl_observer *observer, const char *wanted)
{
    LAB_UNTIL(own, told(observer, PAWL_OBSERVED_ENDED) > 0);
    pthread_mutex_lock(&observer->lock);
    assert_string_equal(observer->text, wanted);
    pthread_mutex_unlock(&observer->lock);
}

static void test_MW_an_observer_is_told_in_order(void **state)
{
    lab *own = lab_with(*state);
    pawl_observer eye = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pawl_observers observers = watched_by(own, &eye, NO_RESIDENCY, NEVER_SLOW);
    lab_add(own, &(lab_effect){.name = "one", .fail_times = 1});
    lab_start(own, &(lab_settings){.observers = &observers});
    lab_register(own, "p", "one_call", "x");
    assert_string_equal(lab_wait_end(own, "p").output, "one(x)");
    assert_seen(own, &eye,
                "began:one/1#1 ended:one/1#1(lab.failed) retry:one/1#1(lab.failed) began:one/1#2 ended:one/1#2 "
                "process-ended:completed");
    lab_destroy(own);
}

static void test_MW_an_observer_is_told_of_runs_and_of_what_is_undone(void **state)
{
    lab *own = lab_with(*state);
    pawl_observer eye = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pawl_observers observers = watched_by(own, &eye, EVERYTHING, NEVER_SLOW);
    lab_add(own, &(lab_effect){.name = "one", .runs = PAWL_RUNS_INLINE});
    lab_add(own, &(lab_effect){.name = "undo"});
    lab_start(own, &(lab_settings){.observers = &observers});
    lab_register(own, "p", "busy", "x");
    assert_string_equal(lab_wait_end(own, "p").code, "test.enough");
    assert_seen(own, &eye,
                "claimed ran continued:2 ran began:one/1#1 ended:one/1#1 ran undoes began:undo/3#1 ended:undo/3#1 "
                "ran(test.enough) process-ended:failed(test.enough)");
    lab_destroy(own);
}

static void test_MW_an_observer_is_told_who_waits_who_is_stuck_and_who_is_lost(void **state)
{
    lab *own = lab_with(*state);
    pawl_observer eye = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pawl_observers observers = watched_by(own, &eye, EVERYTHING, NEVER_SLOW);
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .held = true});
    lab_start(own, &(lab_settings){.observers = &observers});
    lab_register(own, "p", "unknown", "x");
    LAB_UNTIL(own, told(&eye, PAWL_OBSERVED_PARKED) == 1);
    lab_register(own, "q", "gate", "x");
    LAB_UNTIL(own, told(&eye, PAWL_OBSERVED_SUSPENDED) == 1);
    lab_cancel(own, "q", "enough");
    LAB_UNTIL(own, told(&eye, PAWL_OBSERVED_CANCEL_ASKED) == 1);
    LAB_UNTIL(own, told(&eye, PAWL_OBSERVED_ENDED) == 1);
    lab_register(own, "r", "one_call", "x");
    lab_wait_running(one, 1);
    assert_int_equal(lab_terminate(own, "r"), PAWL_OK);
    LAB_UNTIL(own, told(&eye, PAWL_OBSERVED_LEASE_LOST) == 1);
    lab_let_go(one);
    LAB_UNTIL(own, told(&eye, PAWL_OBSERVED_CALL_ENDED) == 1); /* though nobody holds its process any more */
    pthread_mutex_lock(&eye.lock);
    assert_has(eye.text, "claimed ran parked(unknown_effect) claimed ran waits claimed cancel ran");
    assert_has(eye.text, "lost ended:one/1#1");
    pthread_mutex_unlock(&eye.lock);
    lab_end_all(own);
    lab_destroy(own);
}

static void test_MW_an_observer_that_wants_little_is_told_little(void **state)
{
    lab *own = lab_with(*state);
    pawl_observer eye = {.lock = PTHREAD_MUTEX_INITIALIZER}, blind = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pawl_observers observers = watched_by(own, &eye, BIT(PAWL_OBSERVED_ENDED), NEVER_SLOW);
    assert_true(pawl_observers_add(&observers, &observing, &blind, "com.example.mole", 0, NEVER_SLOW));
    lab_add(own, &(lab_effect){.name = "one"});
    lab_start(own, &(lab_settings){.observers = &observers});
    lab_register(own, "p", "fan", "x");
    lab_wait_end(own, "p");
    assert_seen(own, &eye, "process-ended:completed");
    assert_int_equal(told(&blind, 0), 0);
    lab_destroy(own);
}

/* Sixteen naps, and then no more; the other one goes on, and so do the processes. */
static void test_MW_I10_an_observer_that_keeps_a_thread_is_left_out(void **state)
{
    lab *own = lab_with(*state);
    pawl_observer slow = {.lock = PTHREAD_MUTEX_INITIALIZER, .nap_ns = 5 * PAWL_NS_PER_MS};
    pawl_observer eye = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pawl_observers observers = watched_by(own, &slow, BIT(PAWL_OBSERVED_CALL_BEGAN), PAWL_NS_PER_MS);
    assert_true(pawl_observers_add(&observers, &observing, &eye, "com.example.other", EVERYTHING, NEVER_SLOW));
    lab_add(own, &(lab_effect){.name = "one"});
    lab_start(own, &(lab_settings){.shards = 1, .observers = &observers});
    lab_register(own, "p", "fan", "x");
    lab_register(own, "q", "fan", "x");
    assert_string_equal(lab_wait_end(own, "p").output, "done");
    assert_string_equal(lab_wait_end(own, "q").output, "done");
    LAB_UNTIL(own, told(&eye, PAWL_OBSERVED_ENDED) == 2);
    assert_int_equal(told(&slow, 0), PAWL_OBSERVER_STRIKES);
    assert_int_equal(told(&eye, PAWL_OBSERVED_CALL_BEGAN), 40);
    pawl_observer_view view;
    pawl_observer_look(&observers.entries[0], &view);
    assert_true(view.left_out);
    assert_int_equal(view.slow, PAWL_OBSERVER_STRIKES);
    assert_true(view.longest_ns >= 5 * PAWL_NS_PER_MS);
    pawl_observer_look(&observers.entries[1], &view);
    assert_false(view.left_out);
    assert_true(lab_logged(own, "an observer is slow, and holds up the worker"));
    assert_int_equal(lab_logged_times(own, "an observer was too slow too often"), 1);
    lab_destroy(own);
}

#define OVER_BOTH(test)                                                                                                \
    {#test "/memory", test, NULL, NULL, (void *)"memory"},                                                             \
    {                                                                                                                  \
#test "/rocksdb", test, NULL, NULL, (void *)"rocksdb"                                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_MW_an_observer_is_told_in_order),
        OVER_BOTH(test_MW_an_observer_is_told_of_runs_and_of_what_is_undone),
        OVER_BOTH(test_MW_an_observer_is_told_who_waits_who_is_stuck_and_who_is_lost),
        OVER_BOTH(test_MW_an_observer_that_wants_little_is_told_little),
        OVER_BOTH(test_MW_I10_an_observer_that_keeps_a_thread_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
