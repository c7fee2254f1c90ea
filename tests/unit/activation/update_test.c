/* update_test.c: requests that a program answers: taken in their own queue, answered once each, the same in every run.
 */
#include "pawl_process.h"
#include "sim.h"

#include <string.h>

/* A cart: takes two items; a third is refused, and the update that closes it is answered after it is paid. */
static pawl_status cart(pawl_process *p)
{
    pawl_bytes item;
    pawl_future update, done = pawl_wait_update(p, "close");
    for (int count = 0;; count++) {
        pawl_future next = pawl_wait_update(p, "add");
        int first;
        PAWL_TRY(pawl_await_any(p, &first, 2, next, done));
        if (first == 1)
            break;
        PAWL_TRY(pawl_result(p, next, &item));
        if (count == 2)
            PAWL_TRY(pawl_reject(p, next, "cart.full", "no more room"));
        else
            PAWL_TRY(pawl_reply(p, next, pawl_printf(p, "%d %.*s", count, (int)item.size, (const char *)item.data)));
    }
    PAWL_TRY(pawl_call(p, "bank.charge", pawl_text("2"), NULL));
    PAWL_TRY(pawl_reply(p, done, pawl_text("closed")));
    PAWL_TRY(pawl_update(p, "rate", &update, NULL));
    if (pawl_reply(p, update, pawl_text("")) != PAWL_OK || pawl_reply(p, update, pawl_text("")) != PAWL_E_INVALID)
        return pawl_fail(p, "test.twice", "it could be answered twice");
    return pawl_complete(p, pawl_text("done"));
}

static pawl_status other(pawl_process *p)
{
    pawl_future update;
    PAWL_TRY(pawl_update(p, "add", &update, NULL));
    PAWL_TRY(pawl_reply(p, update, pawl_text("something else")));
    return pawl_complete(p, pawl_text(""));
}

static pawl_status early(pawl_process *p)
{
    return pawl_reply(p, pawl_wait_update(p, "add"), pawl_text(""));
}

PAWL_PROCESSES(PAWL_TYPE("cart", 1, cart), PAWL_TYPE("other", 1, other), PAWL_TYPE("early", 1, early))

static void update(struct sim *sim, const char *name, const char *id, const char *payload)
{
    pawl_entry entry = {.kind = PAWL_RECORD_UPDATE, .name = sim_text(name), .value = sim_text(payload)};
    entry.failure.code = sim_text(id);
    sim_entry(sim, &entry);
}

static void drive(struct sim *sim, bool again)
{
    static const char *const items[] = {"bread", "milk", "tea"};
    sim_open(sim, &pawl_processes, "cart");
    sim_start(sim, "");
    for (size_t i = 0; i < 8; i++) {
        if (again) {
            sim_reload(sim);
            sim_feed_journal(sim);
        }
        sim_run(sim);
        if (i < 3)
            update(sim, "add", items[i], items[i]);
        else if (i == 3)
            sim_signal(sim, "close", "of another queue");
        else if (i == 4)
            update(sim, "close", "u9", "");
        else if (i == 5)
            sim_step(sim, 4, "paid");
        else if (i == 6)
            update(sim, "rate", "u10", "");
    }
}

static void test_updates_are_taken_in_order_and_answered_once(void **state)
{
    (void)state;
    struct sim sim, again;
    drive(&sim, false);
    sim_expect(&sim, "< 1 started\n"
                     "> waits: update add, update close (signal)\n"
                     "< 2 update add = bread\n"
                     "> waits: update add, update close (signal)\n"
                     "< 3 reply 1 bread = 0 bread\n"
                     "< 4 update add = milk\n"
                     "> waits: update add, update close (signal)\n"
                     "< 5 reply 2 milk = 1 milk\n"
                     "< 6 update add = tea\n"
                     "> waits: update add, update close (signal)\n"
                     "< 7 reply 3 tea failed cart.full\n"
                     "< 8 signal close = of another queue\n"
                     "> waits: update add, update close (signal)\n"
                     "< 9 update close\n"
                     "  call 4 bank.charge = 2\n"
                     "> waits: call bank.charge\n"
                     "< 10 step 4 bank.charge = paid\n"
                     "> waits: update rate (signal)\n"
                     "< 11 reply 5 u9 = closed\n"
                     "< 12 update rate\n"
                     "> completed done\n"
                     "< 13 reply 6 u10\n");
    drive(&again, true);
    assert_int_equal(again.record_count, sim.record_count);
    for (size_t i = 0; i < sim.record_count; i++) {
        assert_int_equal(again.records[i].body.size, sim.records[i].body.size);
        assert_memory_equal(again.records[i].body.data, sim.records[i].body.data, sim.records[i].body.size);
    }
    sim_close(&again);
    sim_close(&sim);
}

static void test_another_answer_than_the_journals_is_nondeterminism(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "cart");
    sim_start(&sim, "");
    update(&sim, "add", "u1", "bread");
    sim_run(&sim);
    sim.config.type = sim_text("other");
    sim_reload(&sim);
    sim_feed_journal(&sim);
    sim_run(&sim);
    assert_int_equal(sim.result.kind, PAWL_RUN_STUCK);
    assert_non_null(strstr(sim.trace, "at command 1 the journal has answer to update u1 with content"));
    sim_close(&sim);
}

static void test_what_was_not_given_cannot_be_answered(void **state)
{
    (void)state;
    struct sim sim;
    sim_open(&sim, &pawl_processes, "early");
    sim_start(&sim, "");
    sim_run(&sim);
    assert_int_equal(sim.result.status, PAWL_FAILED);
    assert_memory_equal(sim.result.failure.code.data, "process.bad_future", 18);
    sim_close(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_updates_are_taken_in_order_and_answered_once),
        cmocka_unit_test(test_another_answer_than_the_journals_is_nondeterminism),
        cmocka_unit_test(test_what_was_not_given_cannot_be_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
