/* observe_test.c: how observers are judged, on a clock that the observer itself turns: who is slow now and then is
 * forgiven, who is slow again and again is told no more, and nobody else hears less for it. */
#include "worker/base/log.h"
#include "worker/observe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SLOW_NS PAWL_NS_PER_MS

typedef struct place {
    pawl_clock clock; /* first: a clock is its place */
    uint64_t now_ns;
    uint32_t warnings, errors;
    pawl_log log;
    pawl_observers all;
} place;

struct pawl_observer {
    place *at;
    uint64_t takes_ns;
    uint32_t told;
};

static uint64_t mono_ns(const pawl_clock *clock)
{
    return ((const place *)(const void *)clock)->now_ns;
}

static void take_line(void *context, uint32_t level, const char *line)
{
    place *at = context;
    (void)line;
    at->warnings += level == PAWL_LOG_WARN;
    at->errors += level == PAWL_LOG_ERROR;
}

static void PAWL_CALL observe(pawl_observer *own, const pawl_observation *observation)
{
    (void)observation;
    own->told++;
    own->at->now_ns += own->takes_ns;
}

static const pawl_observer_table table = {.struct_size = sizeof table, .observe = observe};

static void open_place(place *at)
{
    *at = (place){.clock = {mono_ns, mono_ns}, .now_ns = PAWL_NS_PER_SECOND};
    at->log = (pawl_log){.level = PAWL_LOG_DEBUG, .line = take_line, .context = at};
    at->all.clock = &at->clock;
    at->all.log = &at->log;
}

static pawl_observer *add(place *at, pawl_observer *own, uint64_t wants)
{
    *own = (pawl_observer){.at = at};
    assert_true(pawl_observers_add(&at->all, &table, own, "com.example.eye", wants, SLOW_NS));
    return own;
}

static void tell(place *at, uint32_t kind, uint32_t times)
{
    const pawl_observation what = {.struct_size = sizeof what, .kind = kind};
    for (uint32_t i = 0; i < times; i++)
        if (pawl_observers_want(&at->all, kind))
            pawl_observers_tell(&at->all, &what, NULL);
}

static pawl_observer_view view_of(place *at, size_t index)
{
    pawl_observer_view view;
    pawl_observer_look(&at->all.entries[index], &view);
    return view;
}

static void test_nobody_wants_anything_of_none(void **state)
{
    (void)state;
    assert_false(pawl_observers_want(NULL, PAWL_OBSERVED_ENDED));
    place at;
    open_place(&at);
    assert_false(pawl_observers_want(&at.all, PAWL_OBSERVED_ENDED));
}

/* One strike in 256 calls: for ever. */
static void test_who_is_slow_now_and_then_is_forgiven(void **state)
{
    (void)state;
    place at;
    pawl_observer own;
    open_place(&at);
    add(&at, &own, UINT64_MAX);
    for (uint32_t i = 0; i < 4 * PAWL_OBSERVER_STRIKES; i++) {
        own.takes_ns = SLOW_NS + 1;
        tell(&at, PAWL_OBSERVED_ENDED, 1);
        own.takes_ns = SLOW_NS; /* as long as it may */
        tell(&at, PAWL_OBSERVED_ENDED, PAWL_OBSERVER_FORGIVEN);
    }
    pawl_observer_view view = view_of(&at, 0);
    assert_false(view.left_out);
    assert_int_equal(view.slow, 4 * PAWL_OBSERVER_STRIKES);
    assert_int_equal(view.told, 4 * PAWL_OBSERVER_STRIKES * (PAWL_OBSERVER_FORGIVEN + 1));
    assert_int_equal(view.longest_ns, SLOW_NS + 1);
    assert_int_equal(view.total_ns, view.told * SLOW_NS + view.slow);
    assert_int_equal(at.errors, 0);
}

static void test_I10_who_is_slow_again_and_again_is_told_no_more(void **state)
{
    (void)state;
    place at;
    pawl_observer slow, other;
    open_place(&at);
    add(&at, &slow, UINT64_MAX);
    add(&at, &other, UINT64_C(1) << PAWL_OBSERVED_ENDED);
    for (uint32_t i = 0; i < 2 * PAWL_OBSERVER_STRIKES; i++) {
        slow.takes_ns = 100 * SLOW_NS;
        tell(&at, PAWL_OBSERVED_ENDED, 1);
        slow.takes_ns = 0;
        tell(&at, PAWL_OBSERVED_CLAIMED, PAWL_OBSERVER_FORGIVEN / 4); /* too few to be forgiven */
    }
    assert_true(view_of(&at, 0).left_out);
    assert_in_range(view_of(&at, 0).slow, PAWL_OBSERVER_STRIKES, 2 * PAWL_OBSERVER_STRIKES - 1);
    assert_false(view_of(&at, 1).left_out);
    assert_int_equal(other.told, 2 * PAWL_OBSERVER_STRIKES);
    assert_false(pawl_observers_want(&at.all, PAWL_OBSERVED_CLAIMED)); /* nobody is left who does */
    assert_true(pawl_observers_want(&at.all, PAWL_OBSERVED_ENDED));
    assert_int_equal(at.errors, 1);
    assert_int_equal(at.warnings, 1); /* not for each: every ten seconds */
    uint32_t told = slow.told;
    tell(&at, PAWL_OBSERVED_ENDED, 10);
    assert_int_equal(slow.told, told);
}

static void test_I10_there_are_so_many_and_no_more(void **state)
{
    (void)state;
    place at;
    pawl_observer all[PAWL_OBSERVERS_MAX], more = {0};
    open_place(&at);
    for (size_t i = 0; i < PAWL_OBSERVERS_MAX; i++)
        add(&at, &all[i], UINT64_MAX);
    assert_false(pawl_observers_add(&at.all, &table, &more, "com.example.more", UINT64_MAX, SLOW_NS));
    tell(&at, PAWL_OBSERVED_ENDED, 1);
    for (size_t i = 0; i < PAWL_OBSERVERS_MAX; i++)
        assert_int_equal(all[i].told, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_wants_anything_of_none),
        cmocka_unit_test(test_who_is_slow_now_and_then_is_forgiven),
        cmocka_unit_test(test_I10_who_is_slow_again_and_again_is_told_no_more),
        cmocka_unit_test(test_I10_there_are_so_many_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
