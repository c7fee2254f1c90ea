/* registry_test.c: the registry's inner workings, on both engines: what the conformance suite cannot reach from
 * outside, and the ways of a process in short. */
#include "fixture.h"

#include "plugins/store/facets.h"
#include "plugins/store/registry.h"

#include <stdio.h>
#include <stdlib.h>

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

static bool on_disk(const fixture *f)
{
    return f->directory[0] != '\0';
}

/* The life of one process, with a look at the counts at every step. */
static void test_life_of_a_process(void **state)
{
    fixture *f = *state;
    row got;
    uint64_t number;
    assert_int_equal(do_register(f, "p", "t", &number), PAWL_OK);
    assert_counts(f, 1, 0, 0, 0, 0);
    uint64_t session = do_worker(f, "w", TTL, f);
    assert_int_equal(do_claim(f, session, "t", &got, 5), 1);
    assert_int_equal(got.status, PAWL_RUNNING);
    assert_int_equal(got.number, number);
    assert_int_equal(got.head, 1);
    assert_string_equal(got.worker, "w");
    assert_counts(f, 0, 1, 0, 0, 0);
    uint64_t sequence;
    assert_int_equal(do_append(f, &got, "one", &sequence), PAWL_OK);
    assert_int_equal(sequence, 2);
    uint64_t wake = f->unix_ns + 1000;
    assert_int_equal(do_suspend(f, &got, 2, wake, NULL), PAWL_OK);
    assert_counts(f, 0, 0, 1, 0, 0);
    row now;
    assert_int_equal(do_get(f, "p", &now, NULL), PAWL_OK);
    assert_int_equal(now.status, PAWL_WAITING);
    assert_string_equal(now.reason, "a bell");
    assert_int_equal(now.wake_unix_ns, wake);
    assert_int_equal(do_claim(f, session, "t", &got, 5), 0);
    fixture_advance(f, 1000);
    assert_int_equal(do_claim(f, session, "t", &got, 5), 1);
    uint32_t flags;
    assert_int_equal(do_complete(f, &got, 2, PAWL_COMPLETED, &flags), PAWL_OK);
    assert_int_equal(flags, 0);
    assert_counts(f, 0, 0, 0, 0, 1);
    assert_int_equal(do_get(f, "p", &now, NULL), PAWL_OK);
    assert_int_equal(now.status, PAWL_COMPLETED);
    assert_string_equal(now.outcome, "done");
    assert_int_equal(do_journal_length(f, number), 3);
    assert_int_equal(do_claim(f, session, "t", &got, 5), 0);
    if (on_disk(f)) {
        fixture_reopen(f);
        assert_counts(f, 0, 0, 0, 0, 1);
        assert_int_equal(do_get(f, "p", &now, NULL), PAWL_OK);
        assert_string_equal(now.outcome, "done");
    }
}

int main(void)
{
#define ON_BOTH(test)                                                                                                  \
    {#test "[memory]", test, open_memory, close_any, NULL},                                                            \
    {                                                                                                                  \
        #test "[rocksdb]", test, open_disk, close_any, NULL                                                            \
    }
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_life_of_a_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
