/* queue_test.c: why it exists: whose turn it is. Priorities, keys that take turns, and the limits of types and keys,
 * through the registry and its real engines, with the test's own clock. */
#include "fixture.h"

#include "plugins/store/facets.h"
#include "plugins/store/registry.h"

#include <stdio.h>
#include <stdlib.h>

#define TTL (30ull * 1000000000ull)
#define MS  1000000ull

/* ---- what the tests say ------------------------------------------------------------------------------------------ */

static void add(fixture *f, const char *id, const char *key, uint32_t priority)
{
    pawl_register request = {.struct_size = sizeof request,
                             .id = pawl_bytes_of(id),
                             .type = BYTES("t"),
                             .fingerprint = fingerprint_1,
                             .key = pawl_bytes_of(key),
                             .priority = priority};
    pawl_registry_op op = {.kind = PAWL_OP_REGISTER, .request = &request};
    assert_int_equal(fixture_run(f, &op), PAWL_OK);
}

/* Processes a-0, a-1 ... under the key a. */
static void add_many(fixture *f, const char *key, int count, uint32_t priority)
{
    for (int i = 0; i < count; i++) {
        char id[64];
        snprintf(id, sizeof id, "%s-%d", key, i);
        add(f, id, key, priority);
    }
}

typedef struct taken {
    row *rows;
    size_t count;
} taken;

static int32_t visit(void *context, const pawl_process_row *from)
{
    taken *to = context;
    row *at = &to->rows[to->count++];
    *at = (row){.status = from->status, .number = from->number, .head = from->head, .token = from->token};
    snprintf(at->id, sizeof at->id, "%.*s", (int)from->id.size, (const char *)from->id.data);
    return 0;
}

static size_t claim(fixture *f, uint64_t session, const pawl_type_limits *limits, row *rows, uint32_t most)
{
    taken to = {rows, 0};
    const pawl_bytes type = BYTES("t");
    pawl_type_limits told = limits == NULL ? (pawl_type_limits){.concurrency = 0} : *limits;
    const pawl_type_limits *const each[] = {&told};
    told.struct_size = sizeof told;
    const pawl_claim request = {.struct_size = sizeof request,
                                .limit = most,
                                .session = session,
                                .types = &type,
                                .type_count = 1,
                                .type_size = sizeof type,
                                .limits = each};
    assert_int_equal(pawl_store_registry_table.claim(f->store, &request, visit, &to, NULL), PAWL_OK);
    return to.count;
}

static void end(fixture *f, const row *lease)
{
    assert_int_equal(do_complete(f, lease, lease->head, PAWL_COMPLETED, NULL), PAWL_OK);
}

static size_t count_of(const row *rows, size_t count, const char *key)
{
    size_t found = 0;
    size_t size = strlen(key);
    for (size_t i = 0; i < count; i++)
        found += strncmp(rows[i].id, key, size) == 0 && rows[i].id[size] == '-';
    return found;
}

static uint32_t held_of(fixture *f, const char *id, uint64_t *limit, uint64_t *ahead);

/* ---- keys and priorities ----------------------------------------------------------------------------------------- */

static void test_V02_keys_take_turns(void **state)
{
    fixture *f = *state;
    row got[64];
    uint64_t session = do_worker(f, "w", TTL, f);
    add_many(f, "acme", 40, 0);
    add_many(f, "bolt", 3, 0);
    add_many(f, "", 3, 0);
    size_t count = claim(f, session, NULL, got, 6);
    assert_int_equal(count, 6);
    assert_int_equal(count_of(got, 6, "acme"), 2);
    assert_int_equal(count_of(got, 6, "bolt"), 2);
    assert_int_equal(count_of(got, 6, ""), 2);
    size_t acme = 0;
    size_t others = 0;
    for (int i = 0; i < 6; i++) { /* one at a time: it goes round */
        assert_int_equal(claim(f, session, NULL, got, 1), 1);
        acme += count_of(got, 1, "acme");
        others += 1 - count_of(got, 1, "acme");
    }
    assert_int_equal(others, 2);
    assert_int_equal(acme, 4);
    assert_int_equal(claim(f, session, NULL, got, 64), 34);
    assert_int_equal(claim(f, session, NULL, got, 64), 0);
}

static void test_V02_within_a_key_first_come_first_served(void **state)
{
    fixture *f = *state;
    row got[64];
    uint64_t session = do_worker(f, "w", TTL, f);
    add_many(f, "acme", 5, 0);
    add_many(f, "bolt", 5, 0);
    assert_int_equal(claim(f, session, NULL, got, 10), 10);
    int next[2] = {0, 0};
    for (size_t i = 0; i < 10; i++) {
        char id[64];
        int *at = &next[got[i].id[0] == 'b'];
        snprintf(id, sizeof id, "%s-%d", got[i].id[0] == 'b' ? "bolt" : "acme", (*at)++);
        assert_string_equal(got[i].id, id);
    }
}

static void test_V02_a_session_is_the_key_of_who_has_none(void **state)
{
    fixture *f = *state;
    row got[8];
    uint64_t session = do_worker(f, "w", TTL, f);
    for (int i = 0; i < 8; i++) {
        char id[16];
        snprintf(id, sizeof id, "%s-%d", i < 6 ? "s1" : "s2", i);
        pawl_register request = {.struct_size = sizeof request,
                                 .id = pawl_bytes_of(id),
                                 .type = BYTES("t"),
                                 .fingerprint = fingerprint_1,
                                 .session = pawl_bytes_of(i < 6 ? "s1" : "s2")};
        pawl_registry_op op = {.kind = PAWL_OP_REGISTER, .request = &request};
        assert_int_equal(fixture_run(f, &op), PAWL_OK);
    }
    assert_int_equal(claim(f, session, NULL, got, 4), 4);
    assert_int_equal(count_of(got, 4, "s1"), 2);
    assert_int_equal(count_of(got, 4, "s2"), 2);
}

static void test_V02_the_first_priority_goes_first_and_none_starves(void **state)
{
    fixture *f = *state;
    row got[64];
    uint64_t session = do_worker(f, "w", TTL, f);
    add_many(f, "low", 4, PAWL_PRIORITY_LOWEST);
    add_many(f, "normal", 4, 0);
    add_many(f, "high", 90, PAWL_PRIORITY_HIGHEST);
    assert_int_equal(claim(f, session, NULL, got, 30), 30);
    assert_int_equal(count_of(got, 30, "high"), 30);
    size_t high = 30;
    size_t low = 0;
    size_t normal = 0;
    while (high < 70) {
        assert_int_equal(claim(f, session, NULL, got, 1), 1);
        high += count_of(got, 1, "high");
        low += count_of(got, 1, "low");
        normal += count_of(got, 1, "normal");
    }
    assert_int_equal(low, 2);
    assert_int_equal(normal, 2);
}

static void test_V02_everything_is_found_after_reopening(void **state)
{
    fixture *f = *state;
    row got[64];
    if (f->directory[0] == '\0')
        skip();
    char key[16];
    for (int i = 0; i < 12; i++) {
        snprintf(key, sizeof key, "key%d", i);
        add_many(f, key, 2, (uint32_t)(i % 5) + 1);
    }
    fixture_reopen(f);
    uint64_t session = do_worker(f, "w", TTL, f);
    size_t count = 0;
    for (size_t more = 1; more > 0; count += more)
        more = claim(f, session, NULL, got, 5);
    assert_int_equal(count, 24);
    add(f, "late", "key3", 0);
    assert_int_equal(claim(f, session, NULL, got, 5), 1);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

static void test_V03_a_type_keeps_its_concurrency(void **state)
{
    fixture *f = *state;
    row got[64];
    row more[8];
    uint64_t limit;
    const pawl_type_limits limits = {.concurrency = 3};
    uint64_t session = do_worker(f, "w", TTL, f);
    add_many(f, "", 6, 0);
    assert_int_equal(claim(f, session, &limits, got, 64), 3);
    assert_int_equal(claim(f, session, &limits, more, 8), 0);
    assert_int_equal(held_of(f, "-5", &limit, NULL), PAWL_HELD_TYPE_CONCURRENCY);
    assert_int_equal(limit, 3);
    size_t told = fixture_count_events(f, PAWL_EVENT_WORK);
    end(f, &got[0]);
    while (fixture_count_events(f, PAWL_EVENT_WORK) == told)
        fixture_event(f, PAWL_EVENT_WORK, 0);
    assert_int_equal(claim(f, session, &limits, more, 8), 1);
    assert_string_equal(more[0].id, "-3");
    /* A lease that is lost makes room, too. */
    uint64_t other = do_worker(f, "other", 2 * TTL, f);
    fixture_advance(f, TTL);
    assert_int_equal(claim(f, other, &limits, more, 8), 3);
}

static void test_V03_a_key_at_its_limit_holds_nobody_else(void **state)
{
    fixture *f = *state;
    row got[64];
    row more[8];
    uint64_t limit;
    uint64_t ahead;
    const pawl_type_limits limits = {.key_concurrency = 2};
    uint64_t session = do_worker(f, "w", TTL, f);
    add_many(f, "acme", 10, 0);
    add_many(f, "bolt", 3, 0);
    add_many(f, "", 4, 0);
    assert_int_equal(claim(f, session, &limits, got, 64), 8);
    assert_int_equal(count_of(got, 8, "acme"), 2);
    assert_int_equal(count_of(got, 8, "bolt"), 2);
    assert_int_equal(count_of(got, 8, ""), 4);
    assert_int_equal(held_of(f, "acme-9", &limit, &ahead), PAWL_HELD_KEY_CONCURRENCY);
    assert_int_equal(limit, 2);
    assert_int_equal(ahead, 7);
    assert_int_equal(claim(f, session, &limits, more, 8), 0);
    for (size_t i = 0; i < 8; i++)
        if (got[i].id[0] == 'a')
            end(f, &got[i]);
    assert_int_equal(claim(f, session, &limits, more, 8), 2);
    assert_int_equal(count_of(more, 2, "acme"), 2);
    assert_int_equal(claim(f, session, NULL, more, 8), 7); /* the limit is gone: so is what it held */
}

static void test_V03_a_timer_waits_for_its_key(void **state)
{
    fixture *f = *state;
    row got[64];
    row more[8];
    const pawl_type_limits limits = {.key_concurrency = 2};
    uint64_t session = do_worker(f, "w", TTL, f);
    add_many(f, "acme", 4, 0);
    assert_int_equal(claim(f, session, NULL, got, 64), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(do_suspend(f, &got[i], got[i].head, f->unix_ns + MS, NULL), PAWL_OK);
    fixture_advance(f, MS);
    assert_int_equal(claim(f, session, &limits, got, 64), 2);
    assert_int_equal(claim(f, session, &limits, more, 8), 0);
    end(f, &got[0]);
    assert_int_equal(claim(f, session, &limits, more, 8), 1);
    end(f, &got[1]);
    assert_int_equal(claim(f, session, &limits, more, 8), 1);
}

static void test_V03_a_rate_lets_go_as_time_passes(void **state)
{
    fixture *f = *state;
    row got[64];
    uint64_t interval;
    const pawl_type_limits limits = {.rate_interval_ns = 10 * MS, .rate_burst = 3};
    uint64_t session = do_worker(f, "w", 1000 * TTL, f);
    add_many(f, "", 20, 0);
    assert_int_equal(claim(f, session, &limits, got, 64), 3);
    assert_int_equal(claim(f, session, &limits, got, 64), 0);
    assert_int_equal(held_of(f, "-9", &interval, NULL), PAWL_HELD_TYPE_RATE);
    assert_int_equal(interval, 10 * MS);
    size_t told = fixture_count_events(f, PAWL_EVENT_WORK);
    fixture_advance(f, 10 * MS);
    pawl_store_tick(f->store);
    while (fixture_count_events(f, PAWL_EVENT_WORK) == told)
        fixture_event(f, PAWL_EVENT_WORK, 0);
    assert_int_equal(claim(f, session, &limits, got, 64), 1);
    fixture_advance(f, 25 * MS);
    assert_int_equal(claim(f, session, &limits, got, 64), 2);
    fixture_advance(f, 1000 * MS);
    assert_int_equal(claim(f, session, &limits, got, 64), 3);
}

static void test_V03_the_rate_of_a_key_is_its_own(void **state)
{
    fixture *f = *state;
    row got[64];
    uint64_t interval;
    const pawl_type_limits limits = {.key_rate_interval_ns = 10 * MS, .key_rate_burst = 2};
    uint64_t session = do_worker(f, "w", 1000 * TTL, f);
    add_many(f, "acme", 10, 0);
    add_many(f, "bolt", 1, 0);
    assert_int_equal(claim(f, session, &limits, got, 64), 3);
    assert_int_equal(claim(f, session, &limits, got, 64), 0);
    assert_int_equal(held_of(f, "acme-9", &interval, NULL), PAWL_HELD_KEY_RATE);
    assert_int_equal(interval, 10 * MS);
    add(f, "bolt-1", "bolt", 0);
    add(f, "bolt-2", "bolt", 0);
    assert_int_equal(claim(f, session, &limits, got, 64), 1);
    assert_string_equal(got[0].id, "bolt-1");
    size_t told = fixture_count_events(f, PAWL_EVENT_WORK);
    fixture_advance(f, 10 * MS);
    pawl_store_tick(f->store);
    while (fixture_count_events(f, PAWL_EVENT_WORK) == told)
        fixture_event(f, PAWL_EVENT_WORK, 0);
    assert_int_equal(claim(f, session, &limits, got, 64), 2);
    /* Once its rate has recovered nothing of a key is left behind: it starts with the whole burst. */
    fixture_advance(f, 1000 * MS);
    assert_int_equal(claim(f, session, &limits, got, 64), 2);
}

static void test_V03_a_start_does_not_jump_over_the_queue(void **state)
{
    fixture *f = *state;
    row got[8];
    uint64_t session = do_worker(f, "w", TTL, f);
    pawl_register request = {.struct_size = sizeof request,
                             .id = BYTES("first"),
                             .type = BYTES("t"),
                             .fingerprint = fingerprint_1,
                             .claim_session = session};
    pawl_registry_op op = {.kind = PAWL_OP_REGISTER, .request = &request};
    assert_int_equal(fixture_run(f, &op), PAWL_OK);
    assert_int_equal(op.flags, PAWL_RESULT_CLAIMED);
    add_many(f, "", 2, 0);
    request.id = BYTES("third");
    assert_int_equal(fixture_run(f, &op), PAWL_OK);
    assert_int_equal(op.flags, 0);
    request.id = BYTES("urgent");
    request.priority = PAWL_PRIORITY_HIGHEST;
    assert_int_equal(fixture_run(f, &op), PAWL_OK);
    assert_int_equal(op.flags, PAWL_RESULT_CLAIMED);
    request.priority = 0;
    assert_int_equal(claim(f, session, NULL, got, 8), 3);
    assert_string_equal(got[2].id, "third");
    assert_int_equal(claim(f, session, NULL, got, 8), 0);
    request.id = BYTES("fourth");
    assert_int_equal(fixture_run(f, &op), PAWL_OK);
    assert_int_equal(op.flags, PAWL_RESULT_CLAIMED);
    const pawl_type_limits limits = {.concurrency = 100};
    assert_int_equal(claim(f, session, &limits, got, 8), 0);
    request.id = BYTES("fifth");
    assert_int_equal(fixture_run(f, &op), PAWL_OK);
    assert_int_equal(op.flags, 0);
    assert_int_equal(claim(f, session, &limits, got, 8), 1);
}

/* ---- over random arrivals ---------------------------------------------------------------------------------------- */

#define KEYS 7

/* While a key has something ready, it gets its share of every claim: between two of its own, no other key gets more
 * than its turn and what rounding leaves. */
static void test_V02_no_key_waits_longer_than_a_turn_of_all(void **state)
{
    fixture *f = *state;
    row got[16];
    unsigned seed = 20260101;
    int ready[KEYS] = {0};
    int waited[KEYS] = {0};
    int next[KEYS] = {0};
    uint64_t session = do_worker(f, "w", TTL, f);
    for (int step = 0; step < 400; step++) {
        seed = seed * 1103515245u + 12345u;
        int key = (int)(seed >> 16) % KEYS;
        int count = key == 0 ? 5 : (int)(seed >> 24) % 2;
        for (int i = 0; i < count; i++) {
            char id[32];
            char name[8];
            snprintf(name, sizeof name, "k%d", key);
            snprintf(id, sizeof id, "k%d-%d", key, next[key]++);
            add(f, id, name, 0);
            ready[key]++;
        }
        size_t taken_now = claim(f, session, NULL, got, 1);
        int total = 0;
        for (int i = 0; i < KEYS; i++)
            total += ready[i];
        assert_int_equal(taken_now, total > 0);
        for (size_t i = 0; i < taken_now; i++) {
            int mine = got[i].id[1] - '0';
            ready[mine]--;
            for (int k = 0; k < KEYS; k++)
                waited[k] = k == mine || ready[k] == 0 ? 0 : waited[k] + 1;
        }
        for (int k = 0; k < KEYS; k++)
            assert_true(waited[k] <= KEYS);
    }
}

/* ---- what a row says --------------------------------------------------------------------------------------------- */

typedef struct held {
    uint32_t by;
    uint64_t limit;
    uint64_t ahead;
} held;

static int32_t visit_held(void *context, const pawl_process_row *from)
{
    *(held *)context = (held){from->held, from->held_limit, from->ahead};
    return 0;
}

static uint32_t held_of(fixture *f, const char *id, uint64_t *limit, uint64_t *ahead)
{
    held found = {0};
    assert_int_equal(pawl_store_registry_table.get(f->store, pawl_bytes_of(id), visit_held, &found, NULL), PAWL_OK);
    if (limit != NULL)
        *limit = found.limit;
    if (ahead != NULL)
        *ahead = found.ahead;
    return found.by;
}

static int set_up_memory(void **state)
{
    *state = fixture_open(false, NULL);
    return 0;
}

static int set_up_disk(void **state)
{
    *state = fixture_open(true, NULL);
    return 0;
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

int main(void)
{
#define ON_BOTH(test)                                                                                                  \
    {#test "[memory]", test, set_up_memory, tear_down, NULL},                                                          \
    {                                                                                                                  \
#test "[rocksdb]", test, set_up_disk, tear_down, NULL                                                          \
    }
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_V02_keys_take_turns),
        ON_BOTH(test_V02_within_a_key_first_come_first_served),
        ON_BOTH(test_V02_a_session_is_the_key_of_who_has_none),
        ON_BOTH(test_V02_the_first_priority_goes_first_and_none_starves),
        ON_BOTH(test_V02_everything_is_found_after_reopening),
        ON_BOTH(test_V03_a_type_keeps_its_concurrency),
        ON_BOTH(test_V03_a_key_at_its_limit_holds_nobody_else),
        ON_BOTH(test_V03_a_timer_waits_for_its_key),
        ON_BOTH(test_V03_a_rate_lets_go_as_time_passes),
        ON_BOTH(test_V03_the_rate_of_a_key_is_its_own),
        ON_BOTH(test_V03_a_start_does_not_jump_over_the_queue),
        ON_BOTH(test_V02_no_key_waits_longer_than_a_turn_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
