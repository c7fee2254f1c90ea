/* restart_test.c: steps done again and ids used again, as an embedder asks for it. */
#include "fixture.h"

#include "test_plugin.h"

static pawl_status restart(fixture *own, const char *id, uint64_t step, const char *request, uint32_t *replayed,
                           pawl_error *error)
{
    return pawl_host_restart(own->host, id, step, "for a test", request, replayed, error);
}

/* The same wish, said again after a restart, is a new one. */
static void test_C03_a_cancel_after_a_restart_is_another(void **state)
{
    fixture *own = *state;
    start(own, "p", "test.gate", "1");
    for (int round = 0; round < 3; round++) {
        json_decref(until(own, "p", "waiting"));
        assert_ok(pawl_host_cancel(own->host, "p", "not now", &why_));
        expect_end(own, "p", "cancelled", NULL);
        assert_ok(restart(own, "p", PAWL_RESTART_FROM_START, NULL, NULL, &why_));
    }
    for (int round = 0; round < 3; round++) {
        json_decref(until(own, "p", "waiting"));
        assert_ok(pawl_host_terminate(own->host, "p", "not now", &why_));
        expect_end(own, "p", "terminated", NULL);
        assert_ok(restart(own, "p", PAWL_RESTART_AT_END, NULL, NULL, &why_));
    }
    signal_it(own, "p", "go", "7");
    expect_end(own, "p", "completed", "7");
}

static void test_a_restart_is_done_once(void **state)
{
    fixture *own = *state;
    uint32_t replayed = 7;
    pawl_error error = {0};
    start(own, "p", "test.upper", "\"a\"");
    expect_end(own, "p", "completed", "\"A\"");
    assert_ok(restart(own, "p", 1, "again-1", &replayed, &why_));
    assert_int_equal(replayed, 0);
    expect_end(own, "p", "completed", "\"A\"");
    assert_ok(restart(own, "p", 1, "again-1", &replayed, &why_));
    assert_int_equal(replayed, 1);
    assert_int_equal(restart(own, "p", 2, "again-1", &replayed, &error), PAWL_E_CONFLICT);
    pawl_text text = {0};
    assert_ok(pawl_host_journal(own->host, "p", 1, 0, 0, &text, &why_));
    assert_has(text.data, "rewound");
    assert_has(text.data, "for a test");
    pawl_text_free(&text);
}

static void test_a_restart_that_cannot_be_is_refused_by_name(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    pawl_started started;
    assert_int_equal(restart(own, "nobody", 1, NULL, NULL, &error), PAWL_E_NOT_FOUND);
    assert_ok(try_start(own, "outside", "test.echo", "1", PAWL_START_EXTERNAL, &started, &why_));
    assert_int_equal(restart(own, "outside", 1, NULL, NULL, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "external");
    start(own, "p", "test.upper", "\"a\"");
    expect_end(own, "p", "completed", NULL);
    assert_int_equal(restart(own, "p", 3, NULL, NULL, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "no_such_step");
    assert_int_equal(restart(own, "p", PAWL_RESTART_FROM_FAILURE, NULL, NULL, &error), PAWL_E_INVALID);
    assert_string_equal(error.code, "no_failed_step");
    assert_int_equal(pawl_host_restart(own->host, "p", 1, NULL, " ", NULL, &error), PAWL_E_INVALID);
}

static pawl_status start_again(fixture *own, const char *input, uint32_t reuse, pawl_started *started,
                               pawl_error *error)
{
    pawl_start again = {
        .struct_size = sizeof again, .id = "p", .type = "test.echo", .input = {input, strlen(input)}, .reuse = reuse};
    return pawl_host_start(own->host, &again, started, error);
}

static void test_R01_an_id_is_used_again_where_that_is_wanted(void **state)
{
    fixture *own = *state;
    pawl_error error = {0};
    pawl_started started;
    assert_ok(start_again(own, "1", PAWL_REUSE_REJECT, &started, &why_));
    expect_end(own, "p", "completed", "1");
    assert_int_equal(start_again(own, "1", PAWL_REUSE_REJECT, &started, &error), PAWL_E_CONFLICT);
    assert_int_equal(start_again(own, "2", PAWL_REUSE_EXISTING, &started, &error), PAWL_E_CONFLICT);
    assert_int_equal(start_again(own, "2", PAWL_REUSE_AFTER_FAILURE, &started, &error), PAWL_E_CONFLICT);
    assert_int_equal(start_again(own, "2", 17, &started, &error), PAWL_E_INVALID);
    for (int run = 2; run < 6; run++) {
        assert_ok(start_again(own, "2", PAWL_REUSE_AFTER_END, &started, &why_));
        assert_int_equal(started.existed, 0);
        expect_end(own, "p", "completed", "2");
        json_t *row = shown(own, "p");
        assert_int_equal(json_integer_value(json_object_get(row, "run")), run);
        assert_true(json_object_get(row, "run_started") != NULL);
        json_decref(row);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVER_BOTH(test_C03_a_cancel_after_a_restart_is_another),
        OVER_BOTH(test_a_restart_is_done_once),
        OVER_BOTH(test_a_restart_that_cannot_be_is_refused_by_name),
        OVER_BOTH(test_R01_an_id_is_used_again_where_that_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
