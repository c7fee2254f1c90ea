/* attribute_test.c: search attributes with a real server: set at a start and by process code, asked for by expressions,
 * refused with a reason, and the same after kill -9. */
#include "yard.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_yard(void **state)
{
    *state = yard_open("attributes: { customer: keyword, amount: integer, rate: number, open: boolean, due: time }\n");
    return 0;
}

static int close_yard(void **state)
{
    *state = yard_close(*state);
    return 0;
}

/* The ids that `pawl ps --all --where` gives, with blanks between them. */
static void find(const yard *y, const char *where, char *ids, size_t room)
{
    command *c = calloc(1, sizeof *c);
    assert_non_null(c);
    yard_run(y, c, (const char *const[]){"ps", "--all", "--json", "--where", where, NULL});
    if (c->exit_code != 0)
        fail_msg("%s: %s", where, c->err);
    json_t *page = json_loads(c->out, 0, NULL);
    const json_t *rows = json_object_get(page, "processes");
    ids[0] = '\0';
    for (size_t i = 0; i < json_array_size(rows); i++) {
        size_t used = strlen(ids);
        snprintf(ids + used, room - used, "%s%s", i == 0 ? "" : " ",
                 json_string_value(json_object_get(json_array_get(rows, i), "id")));
    }
    json_decref(page);
    free(c);
}

#define EXPECT_FOUND(y, where, expected)                                                                               \
    do {                                                                                                               \
        char ids_[2048];                                                                                               \
        find(y, where, ids_, sizeof ids_);                                                                             \
        assert_string_equal(ids_, expected);                                                                           \
    } while (0)

static void test_attributes_are_set_and_found(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, NULL);
    YARD_EXPECT(y, 0, "a", "start", "probe.plan", "--id", "a", "--text", "signal:go", "--attribute", "customer=12",
                "--attribute", "amount=12", "--attribute", "open=true", "--attribute", "due=2026-02-03T10:00:00Z");
    api_start(y, "probe.plan", "b",
              "attributes:{\"customer\":\"x\",\"amount\":5} signal:go attributes:{\"amount\":50} "
              "signal:on attributes:{\"amount\":null,\"rate\":1}");
    api_await_status(y, "b", "waiting");
    EXPECT_FOUND(y, "customer = \"12\"", "a");
    EXPECT_FOUND(y, "amount < 10", "b");
    EXPECT_FOUND(y, "due < '2026-02-03T10:00:01Z' and open = true", "a");
    EXPECT_FOUND(y, "amount > 1 and not customer in ('y')", "a b");
    YARD_EXPECT(y, 0, "\"due\":\"2026-02-03T10:00:00Z\"", "show", "a", "--json");
    YARD_EXPECT(y, 0, "2\n", "count", "--where", "amount > 1", "--status", "live");
    api_signal(y, "b", "go", "1", "s1");
    while (true) { /* until it waits again, behind its second change */
        char ids[64];
        find(y, "amount = 50", ids, sizeof ids);
        if (strcmp(ids, "b") == 0)
            break;
        look_again_soon();
    }
    yard_kill(y);
    YARD_SERVE(y, NULL);
    EXPECT_FOUND(y, "amount = 50", "b");
    EXPECT_FOUND(y, "amount = 5", "");
    api_signal(y, "b", "on", "1", "s2");
    api_expect_end(y, "b", "completed");
    EXPECT_FOUND(y, "customer = 'x' and rate >= 1", "b");
    EXPECT_FOUND(y, "amount = 50", "");
    yard_stop(y);
    YARD_EXPECT(y, 0, "", "check", "--store");
}

static void test_attributes_that_do_not_fit_are_refused(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, NULL);
    YARD_EXPECT(y, 1, "attribute \"colour\" is unknown; the profile has customer, amount", "start", "probe.plan",
                "--id", "p", "--text", "clock", "--attribute", "colour=red");
    YARD_EXPECT(y, 1, "attribute \"amount\" is of type integer: wanted a whole number, found \"many\"", "start",
                "probe.plan", "--id", "p", "--text", "clock", "--attribute", "amount=many");
    YARD_EXPECT(y, 3, "there is no process", "show", "p");
    YARD_EXPECT(y, 1, "column 11: found =", "ps", "--where", "amount == = 1");
    YARD_EXPECT(y, 1, "did you mean amount?", "count", "--where", "amuont = 1");
    api_start(y, "probe.plan", "stuck", "attributes:{\"amount\":\"many\"}");
    api_await_status(y, "stuck", "stuck");
    YARD_EXPECT(y, 0, "found \"many\"", "show", "stuck");
    yard_stop(y);
}

#define PROCESSES 24
#define KILLS     4

/* Whatever is on disk when it dies, the index answers what the processes say of themselves, and nothing goes back. */
static void test_attributes_survive_kill_9_at_any_moment(void **state)
{
    yard *y = *state;
    YARD_SERVE(y, NULL);
    for (int i = 0; i < PROCESSES; i++) {
        char id[16];
        char plan[512] = "";
        snprintf(id, sizeof id, "p%02d", i);
        for (int step = 1; step <= 8; step++)
            snprintf(plan + strlen(plan), sizeof plan - strlen(plan),
                     "attributes:{\"amount\":%d,\"customer\":\"c%d\"} step:5 ", step, step % 3);
        strcat(plan, "attributes:{\"customer\":null,\"open\":true}");
        api_start(y, "probe.plan", id, plan);
    }
    for (int i = 0; i < KILLS; i++) {
        let_pass_ms(10 + 30 * (unsigned)i);
        yard_kill(y);
        YARD_EXPECT(y, 0, "", "check", "--store");
        YARD_SERVE(y, NULL);
    }
    api_await_ended(y, PROCESSES);
    YARD_EXPECT(y, 0, "24\n", "count", "--where", "amount = 8 and open = true");
    YARD_EXPECT(y, 0, "0\n", "count", "--where", "amount < 8 or customer ^= ''");
    yard_stop(y);
    YARD_EXPECT(y, 0, "", "check", "--store");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_attributes_are_set_and_found, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_attributes_that_do_not_fit_are_refused, open_yard, close_yard),
        cmocka_unit_test_setup_teardown(test_attributes_survive_kill_9_at_any_moment, open_yard, close_yard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
