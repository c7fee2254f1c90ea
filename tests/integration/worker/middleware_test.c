/* middleware_test.c: middleware of plugins in a real worker: it lets pass, holds back and refuses, and each of its
 * yeses is followed by one end. */
#include "lab.h"

#include "abi/pawl_process.h"
#include "worker/effect/guard.h"

#include <stdio.h>

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

static pawl_status pair(pawl_process *p)
{
    pawl_bytes value;
    pawl_future other = pawl_start_call(p, "other", pawl_input(p));
    pawl_future one = pawl_start_call(p, "one", pawl_input(p));
    PAWL_TRY(pawl_await_all(p, 2, other, one));
    PAWL_TRY(pawl_result(p, one, &value));
    return pawl_complete(p, value);
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

PAWL_PROCESSES(PAWL_TYPE("one_call", 1, one_call), PAWL_TYPE("fan", 1, fan), PAWL_TYPE("pair", 1, pair),
               PAWL_TYPE("busy", 1, busy))

static lab *lab_with(const char *provider)
{
    static const char *const types[] = {"one_call", "fan", "pair", "busy"};
    lab *own = lab_create(provider);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        lab_add_type(own, types[i], 1, &pawl_processes);
    return own;
}

/* Its session outlives every leap of the lab's clock. */
static const lab_settings patient = {.lease_ttl_ns = 365 * 24 * 3600 * PAWL_NS_PER_SECOND};

static const char *explained(lab_worker *w, const char *id)
{
    static char text[512];
    text[0] = '\0';
    (void)lab_explain(w, id, text, sizeof text);
    return text;
}

/* ---- middleware by script ---- */

struct pawl_middleware {
    pthread_mutex_t lock; /* guards all below */
    pawl_status answer;   /* what it says now */
    uint64_t wait_ns;
    uint32_t klass; /* not 0: it says why, with this class */
    int32_t again;  /* what `after` answers */
    uint32_t asked, yes, ended, begun;
    uint64_t tickets, tickets_back; /* sums */
    char last[256];                 /* the last attempt and its end, in words */
};

static pawl_middleware ware_of(pawl_status answer)
{
    return (pawl_middleware){.lock = PTHREAD_MUTEX_INITIALIZER, .answer = answer};
}

static void describe_attempt(char *text, size_t room, const pawl_attempt *a)
{
    snprintf(text, room, "%.*s %.*s/%u %.*s(%.*s)#%u%s", (int)a->type.size, (const char *)a->type.data,
             (int)a->process.size, (const char *)a->process.data, a->run, (int)a->effect.size,
             (const char *)a->effect.data, (int)a->input.size, (const char *)a->input.data, a->attempt,
             (a->flags & PAWL_ATTEMPT_UNDOES) != 0 ? " undoes" : "");
}

static pawl_status PAWL_CALL before(pawl_middleware *ware, const pawl_attempt *attempt, uint64_t *ticket,
                                    uint64_t *wait_ns, pawl_failure_sink *why)
{
    pthread_mutex_lock(&ware->lock);
    ware->asked++;
    pawl_status answer = ware->answer;
    uint32_t klass = ware->klass;
    *wait_ns = ware->wait_ns;
    if (answer == PAWL_OK) {
        *ticket += ++ware->yes;
        ware->tickets += ware->yes;
        describe_attempt(ware->last, sizeof ware->last, attempt);
    }
    pthread_mutex_unlock(&ware->lock);
    if (klass != 0) {
        pawl_failure said = {.struct_size = sizeof said,
                             .klass = klass,
                             .code = pawl_text("ware.said"),
                             .message = pawl_text("the purse is empty")};
        lab_core()->fail(why, &said);
    }
    return answer;
}

static int32_t PAWL_CALL after(pawl_middleware *ware, const pawl_attempt *attempt, uint64_t ticket,
                               const pawl_attempt_end *end)
{
    char text[256];
    describe_attempt(text, sizeof text, attempt);
    pthread_mutex_lock(&ware->lock);
    ware->ended++;
    ware->begun += end->begun;
    ware->tickets_back += ticket;
    snprintf(ware->last, sizeof ware->last, "%s: %s, status %d%s%.*s", text, end->begun ? "ran" : "did not begin",
             (int)end->status, end->failure == NULL ? "" : ", ",
             end->failure == NULL ? 0 : (int)end->failure->code.size,
             end->failure == NULL ? "" : (const char *)end->failure->code.data);
    int32_t again = ware->again;
    pthread_mutex_unlock(&ware->lock);
    return again;
}

static const pawl_middleware_table table = {.struct_size = sizeof table, .before = before, .after = after};

static pawl_guard *guard_of(pawl_middleware *ware)
{
    pawl_guard *guard = pawl_guard_middleware("purse", "com.example.purse", &table, ware);
    assert_non_null(guard);
    return guard;
}

static void answer(pawl_middleware *ware, pawl_status status)
{
    pthread_mutex_lock(&ware->lock);
    ware->answer = status;
    pthread_mutex_unlock(&ware->lock);
}

static uint32_t look(pawl_middleware *ware, const uint32_t *member)
{
    pthread_mutex_lock(&ware->lock);
    uint32_t value = *member;
    pthread_mutex_unlock(&ware->lock);
    return value;
}

/* Every yes has had its end, with its own ticket. */
static void assert_even(pawl_middleware *ware)
{
    pthread_mutex_lock(&ware->lock);
    assert_int_equal(ware->yes, ware->ended);
    assert_int_equal(ware->tickets, ware->tickets_back);
    pthread_mutex_unlock(&ware->lock);
}

static pawl_guard_view view_of(pawl_guard *guard)
{
    pawl_guard_view view;
    pawl_guard_look(guard, 0, &view);
    return view;
}

#define assert_has(text, part)                                                                                         \
    do {                                                                                                               \
        if (strstr((text), (part)) == NULL)                                                                            \
            fail_msg("\"%s\" does not contain \"%s\"", (text), (part));                                                \
    } while (0)

static void test_MW_middleware_is_asked_before_and_told_after(void **state)
{
    lab *own = lab_with(*state);
    pawl_middleware ware = ware_of(PAWL_OK);
    pawl_guard *guard = guard_of(&ware);
    pawl_guards guards = {{guard}, 1};
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .guards = &guards, .fail_times = 1});
    lab_start(own, NULL);
    lab_register(own, "p", "one_call", "x");
    assert_string_equal(lab_wait_end(own, "p").output, "one(x)");
    assert_int_equal(lab_executions(one), 2);
    assert_int_equal(ware.asked, 2); /* each attempt by itself */
    assert_int_equal(ware.begun, 2);
    assert_string_equal(ware.last, "one_call p/1 one()#2: ran, status 0");
    assert_int_equal(view_of(guard).passed, 2);
    assert_even(&ware);
    LAB_SCRIPT(one, fail_times = 1);
    LAB_SCRIPT(one, klass = PAWL_TERMINAL);
    lab_register(own, "q", "one_call", "x");
    assert_int_equal(lab_wait_end(own, "q").status, PAWL_FAILED);
    assert_string_equal(ware.last, "one_call q/1 one()#1: ran, status -1, lab.failed");
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

/* Also a class that would make the engine doubt whether it happened: it did not. */
static void test_MW_A12_middleware_can_refuse_a_call_which_is_then_no_attempt(void **state)
{
    static const struct {
        pawl_status answer;
        uint32_t klass;
        const char *code, *message;
    } cases[] = {
        {PAWL_E_FAILED, PAWL_RETRYABLE, "ware.said", "the purse is empty"},
        {PAWL_E_FAILED, PAWL_UNKNOWN_OUTCOME, "ware.said", "the purse is empty"},
        {PAWL_E_LIMIT, 0, "middleware.refused", "middleware purse refuses it: limit, without saying why"},
        {-4711, 77, "ware.said", "the purse is empty"},
        {4711, 0, "middleware.contract",
         "middleware purse (com.example.purse) answered status 4711, which it may not give"},
        {PAWL_SUSPEND, PAWL_RETRYABLE, "middleware.contract",
         "middleware purse (com.example.purse) answered status 1, which it may not give"},
    };
    lab *own = lab_with(*state);
    pawl_middleware ware = ware_of(PAWL_OK);
    pawl_guard *guard = guard_of(&ware);
    pawl_guards guards = {{guard}, 1};
    lab_effect *one =
        lab_add(own, &(lab_effect){.name = "one", .guards = &guards, .outcome = PAWL_OUTCOME_AT_MOST_ONCE});
    lab_start(own, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char id[8];
        snprintf(id, sizeof id, "p%zu", i);
        answer(&ware, cases[i].answer);
        ware.klass = cases[i].klass;
        lab_register(own, id, "one_call", "x");
        lab_row row = lab_wait_end(own, id);
        assert_int_equal(row.status, PAWL_FAILED);
        assert_string_equal(row.code, cases[i].code);
        assert_string_equal(row.message, cases[i].message);
        assert_int_equal(lab_records(own, id, PAWL_RECORD_INTENT), 0);
        assert_int_equal(lab_records(own, id, PAWL_RECORD_ATTEMPT), 0);
    }
    assert_int_equal(lab_executions(one), 0);
    assert_int_equal(ware.ended, 0);
    assert_int_equal(view_of(guard).refused, sizeof cases / sizeof *cases);
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

static void test_MW_middleware_holds_a_call_back_in_memory_or_on_disk(void **state)
{
    lab *own = lab_with(*state);
    pawl_middleware ware = ware_of(PAWL_PENDING);
    pawl_guard *guard = guard_of(&ware);
    pawl_guards guards = {{guard}, 1};
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .guards = &guards});
    lab_worker *w = lab_start(own, &patient);
    ware.wait_ns = 0; /* at once: that is a millisecond */
    ware.klass = PAWL_RETRYABLE;
    lab_register(own, "p", "one_call", "x");
    LAB_UNTIL(own, look(&ware, &ware.asked) > 3);
    assert_has(explained(w, "p"), "waits for call one: middleware purse: the purse is empty");
    assert_int_equal(lab_stats(w).claimed, 1);
    pthread_mutex_lock(&ware.lock);
    ware.wait_ns = 600 * PAWL_NS_PER_SECOND;
    pthread_mutex_unlock(&ware.lock);
    LAB_UNTIL(own, lab_look(own, "p").status == PAWL_WAITING && lab_stats(w).resident == 0);
    lab_row row = lab_look(own, "p");
    assert_string_equal(row.reason, "call one: middleware purse: the purse is empty");
    assert_true(row.wake_unix_ns > 0);
    assert_string_equal(lab_journal(own, "p"), "started");
    answer(&ware, PAWL_OK);
    lab_advance(own, 700 * PAWL_NS_PER_SECOND);
    assert_string_equal(lab_wait_end(own, "p").output, "one(x)");
    assert_int_equal(lab_executions(one), 1);
    assert_even(&ware);
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

/* A day is the longest wait that it can ask for. */
static void test_MW_a_wait_without_end_is_looked_at_again_the_next_day(void **state)
{
    lab *own = lab_with(*state);
    pawl_middleware ware = ware_of(PAWL_PENDING);
    pawl_guard *guard = guard_of(&ware);
    pawl_guards guards = {{guard}, 1};
    lab_add(own, &(lab_effect){.name = "one", .guards = &guards});
    lab_worker *w = lab_start(own, &patient);
    ware.wait_ns = UINT64_MAX;
    lab_register(own, "p", "one_call", "x");
    LAB_UNTIL(own, lab_look(own, "p").status == PAWL_WAITING && lab_stats(w).resident == 0);
    answer(&ware, PAWL_OK);
    lab_advance(own, 27 * 3600 * PAWL_NS_PER_SECOND); /* and up to a tenth, so that not all come at once */
    assert_string_equal(lab_wait_end(own, "p").output, "one(x)");
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

/* The first one's end says that there is room: the second, which its other call keeps in memory, is asked about again
 * at once. */
static void test_MW_the_end_of_a_call_lets_those_look_again_that_are_held_back(void **state)
{
    lab *own = lab_with(*state);
    pawl_middleware ware = ware_of(PAWL_OK);
    pawl_guard *guard = guard_of(&ware);
    pawl_guards guards = {{guard}, 1};
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .guards = &guards, .held = true});
    lab_effect *other = lab_add(own, &(lab_effect){.name = "other", .held = true});
    lab_start(own, NULL);
    ware.again = 1;
    ware.wait_ns = 600 * PAWL_NS_PER_SECOND;
    lab_register(own, "p", "one_call", "x");
    lab_wait_running(one, 1);
    answer(&ware, PAWL_PENDING);
    lab_register(own, "q", "pair", "x");
    LAB_UNTIL(own, look(&ware, &ware.asked) == 2);
    answer(&ware, PAWL_OK);
    lab_let_go(one);
    lab_wait_executions(one, 2);
    lab_let_go(other);
    assert_string_equal(lab_wait_end(own, "q").output, "one(x)");
    assert_even(&ware);
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

/* What it let through, and something behind it did not; what was cancelled in a line; what was told to stop. */
static void test_MW_every_yes_of_middleware_has_its_end(void **state)
{
    lab *own = lab_with(*state);
    pawl_middleware ware = ware_of(PAWL_OK);
    pawl_guard *guard = guard_of(&ware), *places = pawl_guard_places("bank", 2);
    pawl_guard *rate = pawl_guard_rate("bank", pawl_rate_make(1, 600 * PAWL_NS_PER_SECOND, 12));
    pawl_guards guards = {{guard, places, rate}, 3};
    lab_effect *one = lab_add(own, &(lab_effect){.name = "one", .guards = &guards, .held = true});
    lab_worker *w = lab_start(own, &patient);
    lab_register(own, "f", "fan", "x");
    for (int i = 0; i < 20; i++) {
        char id[8];
        snprintf(id, sizeof id, "p%d", i);
        lab_register(own, id, "one_call", "x");
    }
    lab_wait_running(one, 2);
    for (int i = 0; i < 20; i += 2) {
        char id[8];
        snprintf(id, sizeof id, "p%d", i);
        lab_cancel(own, id, "enough");
    }
    lab_terminate(own, "f");
    lab_let_go(one);
    for (int rounds = 0; rounds < 40 && lab_count(own, PAWL_COMPLETED) < 10; rounds++) {
        LAB_UNTIL(own, lab_stats(w).resident == 0);
        lab_advance(own, 700 * PAWL_NS_PER_SECOND);
        LAB_UNTIL(own, lab_stats(w).resident == 0);
    }
    for (int i = 0; i < 20; i++) {
        char id[8];
        snprintf(id, sizeof id, "p%d", i);
        lab_wait_end(own, id);
    }
    LAB_UNTIL(own, lab_stats(w).resident == 0 && lab_stats(w).effects_running == 0);
    LAB_UNTIL(own, look(&ware, &ware.ended) == look(&ware, &ware.yes));
    assert_even(&ware);
    assert_true(ware.begun < ware.ended);
    lab_destroy(own);
    pawl_guard_destroy(guard);
    pawl_guard_destroy(places);
    pawl_guard_destroy(rate);
}

/* Its state dies with the host, and nothing of a process depends on that. */
static void test_MW_I1_a_call_that_middleware_holds_survives_its_worker(void **state)
{
    lab *own = lab_with(*state);
    pawl_middleware ware = ware_of(PAWL_PENDING);
    pawl_guard *guard = guard_of(&ware);
    pawl_guards guards = {{guard}, 1};
    lab_effect *one =
        lab_add(own, &(lab_effect){.name = "one", .guards = &guards, .outcome = PAWL_OUTCOME_AT_MOST_ONCE});
    lab_worker *w = lab_start(own, NULL);
    ware.wait_ns = PAWL_NS_PER_SECOND;
    lab_register(own, "p", "one_call", "x");
    LAB_UNTIL(own, look(&ware, &ware.asked) > 0);
    lab_crash(w);
    answer(&ware, PAWL_OK);
    lab_advance(own, 700 * PAWL_NS_PER_SECOND);
    lab_start(own, NULL);
    assert_string_equal(lab_wait_end(own, "p").output, "one(x)");
    assert_int_equal(lab_executions(one), 1);
    assert_int_equal(lab_records(own, "p", PAWL_RECORD_INTENT), 1);
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

static void test_MW_middleware_is_told_what_undoes(void **state)
{
    lab *own = lab_with(*state);
    pawl_middleware ware = ware_of(PAWL_OK);
    pawl_guard *guard = guard_of(&ware);
    pawl_guards guards = {{guard}, 1};
    lab_add(own, &(lab_effect){.name = "one"});
    lab_effect *undo = lab_add(own, &(lab_effect){.name = "undo", .guards = &guards});
    lab_start(own, NULL);
    lab_register(own, "p", "busy", "x");
    assert_string_equal(lab_wait_end(own, "p").code, "test.enough");
    assert_int_equal(lab_executions(undo), 1);
    assert_string_equal(ware.last, "busy p/2 undo()#1 undoes: ran, status 0");
    lab_destroy(own);
    pawl_guard_destroy(guard);
}

#define OVER_BOTH(test)                                                                                                \
    {#test "/memory", test, NULL, NULL, (void *)"memory"},                                                             \
    {                                                                                                                  \
#test "/rocksdb", test, NULL, NULL, (void *)"rocksdb"                                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_MW_middleware_is_asked_before_and_told_after),
        OVER_BOTH(test_MW_A12_middleware_can_refuse_a_call_which_is_then_no_attempt),
        OVER_BOTH(test_MW_middleware_holds_a_call_back_in_memory_or_on_disk),
        OVER_BOTH(test_MW_a_wait_without_end_is_looked_at_again_the_next_day),
        OVER_BOTH(test_MW_the_end_of_a_call_lets_those_look_again_that_are_held_back),
        OVER_BOTH(test_MW_every_yes_of_middleware_has_its_end),
        OVER_BOTH(test_MW_I1_a_call_that_middleware_holds_survives_its_worker),
        OVER_BOTH(test_MW_middleware_is_told_what_undoes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
