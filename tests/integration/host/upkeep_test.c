/* upkeep_test.c: what a host puts away by itself: ended processes beyond a number, ids that need not be known any more,
 * attachments that nothing refers to; and what it leaves alone. */
#include "fixture.h"

#include <stdio.h>
#include <time.h>

#define PROCESSES 6

static int open_over(void **state, const char *provider)
{
    fixture *own = fixture_make(provider);
    own->extra = "retention: { max: 3, ids: 1s, unreferenced: 1s }\n";
    fixture_open(own);
    *state = own;
    return 0;
}

static int open_memory(void **state)
{
    return open_over(state, "memory");
}

static int open_rocksdb(void **state)
{
    return open_over(state, "rocksdb");
}

static void start_in(fixture *own, const char *id, const char *session, const char *input)
{
    const pawl_start begin = {.struct_size = sizeof begin,
                              .id = id,
                              .type = "state.attach",
                              .session = session,
                              .input = {input, strlen(input)}};
    assert_ok(pawl_host_start(own->host, &begin, NULL, &why_));
}

/* Until a process of this id is answered with this code. */
static void until_code(fixture *own, const char *id, const char *code)
{
    const struct timespec soon = {0, 20 * 1000 * 1000};
    for (;;) {
        pawl_text text = {0};
        pawl_error error = {0};
        if (pawl_host_get(own->host, id, &text, &error) != PAWL_OK && strcmp(error.code, code) == 0)
            return;
        pawl_text_free(&text);
        nanosleep(&soon, NULL);
    }
}

static json_int_t upkeep_number(fixture *own, const char *name)
{
    pawl_text text = {0};
    assert_ok(pawl_host_describe(own->host, &text, &why_));
    json_t *host = json_of(&text);
    json_int_t number = json_integer_value(json_object_get(json_object_get(host, "upkeep"), name));
    json_decref(host);
    return number;
}

static void until_number(fixture *own, const char *name, json_int_t least)
{
    const struct timespec soon = {0, 20 * 1000 * 1000};
    while (upkeep_number(own, name) < least)
        nanosleep(&soon, NULL);
}

static void test_S11_so_many_are_kept_and_ids_are_forgotten_in_time(void **state)
{
    fixture *own = *state;
    char id[8];
    start(own, "open", "test.gate", "1");
    for (int i = 0; i < PROCESSES; i++) {
        snprintf(id, sizeof id, "p%d", i);
        start(own, id, "test.echo", "1");
        expect_end(own, id, "completed", "1");
    }
    for (int i = 0; i < PROCESSES - 3; i++) { /* the oldest go, and at last nobody knows them */
        snprintf(id, sizeof id, "p%d", i);
        until_code(own, id, "unknown_process");
    }
    for (int i = PROCESSES - 3; i < PROCESSES; i++) {
        snprintf(id, sizeof id, "p%d", i);
        expect_end(own, id, "completed", "1");
    }
    json_decref(until(own, "open", "waiting"));
    until_number(own, "pruned", PROCESSES - 3); /* it is counted a moment after it is done */
    until_number(own, "ids_forgotten", PROCESSES - 3);
    assert_int_equal(upkeep_number(own, "pruned"), PROCESSES - 3);
    assert_int_equal(upkeep_number(own, "ids_forgotten"), PROCESSES - 3);
    assert_int_equal(upkeep_number(own, "failures"), 0);
    start(own, "p0", "test.echo", "2"); /* as if it were new */
    expect_end(own, "p0", "completed", "2");
}

static void test_S06_what_nothing_refers_to_goes_and_the_rest_stays(void **state)
{
    fixture *own = *state;
    start_in(own, "keeper", "ann", "\"keep\"");
    expect_end(own, "keeper", "completed", "\"kept\"");
    start_in(own, "dropper", "bob", "1"); /* what it lets go is what ann keeps */
    expect_end(own, "dropper", "failed", "attachment.not_found");
    assert_ok(pawl_host_session_delete(own->host, "ann", NULL, &why_));
    until_number(own, "attachments_collected", 1);
    until_number(own, "bytes_collected", 1);
    start_in(own, "again", "ann", "\"keep\"");
    expect_end(own, "again", "completed", "\"kept\"");
    assert_int_equal(upkeep_number(own, "failures"), 0);
}

int main(void)
{
    /* Each over one provider: what they ask of a store is asked of every one by the conformance tests. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_S11_so_many_are_kept_and_ids_are_forgotten_in_time, open_rocksdb,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_S06_what_nothing_refers_to_goes_and_the_rest_stays, open_memory, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
