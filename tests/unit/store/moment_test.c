/* moment_test.c: what is read and handed over in the moments in between: while a claim hands over and its session is
 * lost, while a round is written and not yet published. On both engines. */
#include "fixture.h"

#include "plugins/store/facets.h"

#define TTL 15000000000ull

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

typedef struct robbery {
    fixture *f;
    uint64_t thief;
    row taken[2]; /* by the thief, while the claim hands over */
    uint64_t tokens[2];
    size_t handed_over;
} robbery;

/* A session that expires while its claim still hands over, and another that takes everything meanwhile. */
static int32_t rob(void *context, const pawl_process_row *given)
{
    robbery *r = context;
    r->tokens[r->handed_over++] = given->token;
    if (r->handed_over > 1)
        return 0;
    pthread_mutex_lock(&r->f->lock);
    r->f->mono_ns += TTL;
    pthread_mutex_unlock(&r->f->lock);
    r->thief = do_worker(r->f, "thief", TTL, r->f);
    assert_int_equal(do_claim(r->f, r->thief, "t", r->taken, 2), 2);
    return 0;
}

static void test_I2_a_claim_hands_nobody_the_token_of_another(void **state)
{
    fixture *f = *state;
    robbery r = {.f = f};
    pawl_bytes type = BYTES("t");
    pawl_claim claim = {.struct_size = sizeof claim,
                        .limit = 2,
                        .session = do_worker(f, "w", TTL, f),
                        .types = &type,
                        .type_count = 1,
                        .type_size = sizeof type};
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    assert_int_equal(do_register(f, "q", "t", NULL), PAWL_OK);
    assert_int_equal(pawl_store_registry_table.claim(f->store, &claim, rob, &r, NULL), PAWL_OK);
    for (size_t i = 0; i < r.handed_over; i++)
        for (size_t j = 0; j < 2; j++)
            assert_int_not_equal(r.tokens[i], r.taken[j].token);
    assert_int_equal(do_append(f, &r.taken[0], "mine", NULL), PAWL_OK);
    assert_int_equal(do_append(f, &r.taken[1], "mine", NULL), PAWL_OK);
}

static void test_I4_a_journal_is_never_older_than_a_header_that_was_read_before(void **state)
{
    fixture *f = *state;
    row lease, seen;
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    assert_int_equal(do_claim(f, session, "t", &lease, 1), 1);
    pawl_record record = {.struct_size = sizeof record, .kind = 1, .body = BYTES("step")};
    pawl_commit commit = {.struct_size = sizeof commit,
                          .number = lease.number,
                          .token = lease.token,
                          .records = &record,
                          .record_count = 1,
                          .record_size = sizeof record};
    pawl_registry_op op = {.kind = PAWL_OP_APPEND, .request = &commit};
    fixture_gate_after(f, true);
    fixture_submit(f, &op);
    fixture_await_gated_after(f); /* written, and not published */
    assert_int_equal(do_get(f, "p", &seen, NULL), PAWL_OK);
    uint64_t length = do_journal_length(f, lease.number);
    fixture_gate_after(f, false);
    fixture_wait(f, &op);
    assert_int_equal(op.status, PAWL_OK);
    assert_int_equal(seen.head, 2);
    assert_int_equal(length, 2);
}

typedef struct ending {
    fixture *f;
    row lease;
} ending;

static void end_it(void *context)
{
    ending *e = context;
    assert_int_equal(do_complete(e->f, &e->lease, 1, PAWL_COMPLETED, NULL), PAWL_OK);
}

static void test_I4_a_process_that_ends_while_it_is_looked_at_has_ended_or_not(void **state)
{
    fixture *f = *state;
    ending e = {.f = f};
    row seen;
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_register(f, "p", "t", NULL), PAWL_OK);
    assert_int_equal(do_claim(f, session, "t", &e.lease, 1), 1);
    pthread_mutex_lock(&f->kv->lock);
    f->kv->interrupted = PAWL_FAMILY_JOURNAL; /* the header has been read by then */
    f->kv->interrupt_context = &e;
    f->kv->interrupt = end_it;
    pthread_mutex_unlock(&f->kv->lock);
    assert_int_equal(do_get(f, "p", &seen, NULL), PAWL_OK);
    assert_int_equal(do_journal_length(f, e.lease.number), 2);
    assert_int_equal(seen.head, 2);
    assert_int_equal(seen.status, PAWL_COMPLETED);
}

int main(void)
{
#define ON_BOTH(test)                                                                                                  \
    {#test "[memory]", test, open_memory, close_any, NULL},                                                            \
    {                                                                                                                  \
#test "[rocksdb]", test, open_disk, close_any, NULL                                                            \
    }
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_I2_a_claim_hands_nobody_the_token_of_another),
        ON_BOTH(test_I4_a_process_that_ends_while_it_is_looked_at_has_ended_or_not),
        ON_BOTH(test_I4_a_journal_is_never_older_than_a_header_that_was_read_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
