/* turn_test.c: why it exists: of the exclusive processes of a session one runs at a time, in the order in which they
 * were registered, whatever ends, is cancelled or crashes meanwhile. */
#include "fixture.h"

#include "plugins/store/facets.h"
#include "plugins/store/registry.h"

#include <stdio.h>
#include <stdlib.h>

#define TTL (30ull * 1000000000ull)

static pawl_register request_of(const char *id, const char *session)
{
    return (pawl_register){.struct_size = sizeof(pawl_register),
                           .id = pawl_bytes_of(id),
                           .type = BYTES("t"),
                           .session = pawl_bytes_of(session),
                           .fingerprint = fingerprint_1,
                           .exclusive = 1};
}

static void add(fixture *f, const char *id, const char *session)
{
    const pawl_register request = request_of(id, session);
    pawl_registry_op op = {.kind = PAWL_OP_REGISTER, .request = &request};
    assert_int_equal(fixture_run(f, &op), PAWL_OK);
}

static void expect(fixture *f, const char *id, uint32_t status)
{
    row now;
    assert_int_equal(do_get(f, id, &now, NULL), PAWL_OK);
    assert_int_equal(now.status, status);
}

/* The one that may run. */
static row take_one(fixture *f, uint64_t session, const char *id)
{
    row got[4];
    assert_int_equal(do_claim(f, session, "t", got, 4), 1);
    assert_string_equal(got[0].id, id);
    return got[0];
}

static void end(fixture *f, const row *lease)
{
    assert_int_equal(do_complete(f, lease, lease->head, PAWL_COMPLETED, NULL), PAWL_OK);
}

static void test_V02_exclusive_processes_of_a_session_run_one_by_one(void **state)
{
    fixture *f = *state;
    row now;
    row none[4];
    uint64_t session = do_worker(f, "w", TTL, f);
    add(f, "a", "s");
    add(f, "b", "s");
    add(f, "c", "s");
    row lease = take_one(f, session, "a");
    assert_int_equal(do_get(f, "b", &now, NULL), PAWL_OK);
    assert_int_equal(now.status, PAWL_WAITING);
    assert_string_equal(now.reason, "its turn, behind process \"a\" of session \"s\"");
    /* Not while it waits, either. */
    assert_int_equal(do_suspend(f, &lease, 1, 0, NULL), PAWL_OK);
    assert_int_equal(do_claim(f, session, "t", none, 4), 0);
    assert_int_equal(do_post(f, "a", PAWL_RECORD_SIGNAL, "go", NULL, NULL), PAWL_OK);
    lease = take_one(f, session, "a");
    end(f, &lease);
    lease = take_one(f, session, "b");
    add(f, "d", "s");
    end(f, &lease);
    lease = take_one(f, session, "c");
    end(f, &lease);
    lease = take_one(f, session, "d");
    end(f, &lease);
    add(f, "e", "s");
    lease = take_one(f, session, "e");
    end(f, &lease);
}

static void test_V02_other_sessions_and_others_of_the_session_go_on(void **state)
{
    fixture *f = *state;
    row got[8];
    uint64_t session = do_worker(f, "w", TTL, f);
    add(f, "a", "s");
    add(f, "b", "s");
    add(f, "x", "other");
    pawl_register plain = request_of("plain", "s");
    plain.exclusive = 0;
    pawl_registry_op op = {.kind = PAWL_OP_REGISTER, .request = &plain};
    assert_int_equal(fixture_run(f, &op), PAWL_OK);
    assert_int_equal(do_claim(f, session, "t", got, 8), 3);
    expect(f, "b", PAWL_WAITING);
}

static void test_V02_a_signal_waits_with_it_and_a_cancel_does_not(void **state)
{
    fixture *f = *state;
    row got[4];
    uint64_t session = do_worker(f, "w", TTL, f);
    add(f, "a", "s");
    add(f, "b", "s");
    add(f, "c", "s");
    row lease = take_one(f, session, "a");
    assert_int_equal(do_post(f, "b", PAWL_RECORD_SIGNAL, "go", NULL, NULL), PAWL_OK);
    assert_int_equal(do_claim(f, session, "t", got, 4), 0);
    assert_int_equal(do_post(f, "b", PAWL_RECORD_CANCEL, "stop", NULL, NULL), PAWL_OK);
    row cancelled = take_one(f, session, "b");
    assert_int_equal(do_complete(f, &cancelled, cancelled.head, PAWL_CANCELLED, NULL), PAWL_OK);
    assert_int_equal(do_claim(f, session, "t", got, 4), 0); /* the turn is still a's */
    end(f, &lease);
    lease = take_one(f, session, "c");
    end(f, &lease);
}

static void test_V02_who_is_ended_from_outside_hands_the_turn_on(void **state)
{
    fixture *f = *state;
    row got[4];
    uint64_t session = do_worker(f, "w", TTL, f);
    add(f, "a", "s");
    add(f, "b", "s");
    add(f, "c", "s");
    assert_int_equal(do_end(f, "b", "e", PAWL_TERMINATED, 1), PAWL_OK);
    (void)take_one(f, session, "a");
    assert_int_equal(do_claim(f, session, "t", got, 4), 0);
    assert_int_equal(do_end(f, "a", "e", PAWL_TERMINATED, 1), PAWL_OK);
    row lease = take_one(f, session, "c");
    end(f, &lease);
}

static void test_V02_turns_within_one_write(void **state)
{
    fixture *f = *state;
    uint64_t session = do_worker(f, "w", TTL, f);
    add(f, "z", "s");
    row lease = take_one(f, session, "z");
    pawl_register requests[3] = {request_of("a", "s"), request_of("b", "s"), request_of("c", "s")};
    pawl_record record = {.struct_size = sizeof record, .kind = PAWL_RECORD_ENDED, .body = BYTES("done")};
    pawl_commit complete = {.struct_size = sizeof complete,
                            .status = PAWL_COMPLETED,
                            .number = lease.number,
                            .token = lease.token,
                            .seen = 1,
                            .records = &record,
                            .record_count = 1,
                            .record_size = sizeof record};
    const pawl_post stop = {.struct_size = sizeof stop,
                            .kind = PAWL_RECORD_ENDED,
                            .id = BYTES("a"),
                            .post_id = BYTES("e"),
                            .fingerprint = fingerprint_1,
                            .status = PAWL_TERMINATED,
                            .force = 1};
    pawl_registry_op ops[] = {{.kind = PAWL_OP_REGISTER, .request = &requests[0]},
                              {.kind = PAWL_OP_REGISTER, .request = &requests[1]},
                              {.kind = PAWL_OP_COMPLETE, .request = &complete}, /* a's turn */
                              {.kind = PAWL_OP_REGISTER, .request = &requests[2]},
                              {.kind = PAWL_OP_POST, .request = &stop}}; /* b's */
    pawl_registry_op *all[] = {&ops[0], &ops[1], &ops[2], &ops[3], &ops[4]};
    fixture_submit_all(f, all, 5);
    for (int i = 0; i < 5; i++) {
        fixture_wait(f, &ops[i]);
        assert_int_equal(ops[i].status, PAWL_OK);
    }
    lease = take_one(f, session, "b");
    end(f, &lease);
    lease = take_one(f, session, "c");
    end(f, &lease);
}

static void test_V02_the_order_outlives_a_crash(void **state)
{
    fixture *f = *state;
    if (f->directory[0] == '\0')
        skip();
    uint64_t session = do_worker(f, "w", TTL, f);
    add(f, "a", "s");
    add(f, "b", "s");
    add(f, "c", "s");
    row lease = take_one(f, session, "a");
    fixture_reopen(f);
    session = do_worker(f, "w", TTL, f);
    lease = take_one(f, session, "a");
    fixture_fail_writes(f, 1, PAWL_E_IO);
    assert_int_equal(do_complete(f, &lease, lease.head, PAWL_COMPLETED, NULL), PAWL_E_IO);
    row none[4];
    assert_int_equal(do_claim(f, session, "t", none, 4), 0);
    end(f, &lease);
    fixture_reopen(f);
    session = do_worker(f, "w", TTL, f);
    lease = take_one(f, session, "b");
    end(f, &lease);
    fixture_reopen(f);
    session = do_worker(f, "w", TTL, f);
    lease = take_one(f, session, "c");
    end(f, &lease);
}

static void test_V02_what_cannot_be_exclusive_is_refused(void **state)
{
    fixture *f = *state;
    pawl_register request = request_of("a", "");
    pawl_registry_op op = {.kind = PAWL_OP_REGISTER, .request = &request};
    assert_int_equal(fixture_run(f, &op), PAWL_E_INVALID);
    request.session = BYTES("s");
    request.external = 1;
    assert_int_equal(fixture_run(f, &op), PAWL_E_INVALID);
    request.external = 0;
    request.start_unix_ns = f->unix_ns + 1;
    assert_int_equal(fixture_run(f, &op), PAWL_E_INVALID);
    assert_int_equal(do_get(f, "a", NULL, NULL), PAWL_E_NOT_FOUND);
}

static int open_memory(void **state)
{
    *state = fixture_open(false, NULL);
    return 0;
}

static int open_disk(void **state)
{
    *state = fixture_open(true, NULL);
    return 0;
}

static int close_any(void **state)
{
    fixture_close(*state);
    return 0;
}

int main(void)
{
#define ON_BOTH(test)                                                                                                  \
    {#test "[memory]", test, open_memory, close_any, NULL},                                                            \
    {                                                                                                                  \
#test "[rocksdb]", test, open_disk, close_any, NULL                                                            \
    }
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_V02_exclusive_processes_of_a_session_run_one_by_one),
        ON_BOTH(test_V02_other_sessions_and_others_of_the_session_go_on),
        ON_BOTH(test_V02_a_signal_waits_with_it_and_a_cancel_does_not),
        ON_BOTH(test_V02_who_is_ended_from_outside_hands_the_turn_on),
        ON_BOTH(test_V02_turns_within_one_write),
        ON_BOTH(test_V02_the_order_outlives_a_crash),
        ON_BOTH(test_V02_what_cannot_be_exclusive_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
