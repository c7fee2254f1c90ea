/* concurrent_test.c: why it exists: races are where records get lost. Many threads, one store; each test states what
 * must hold whatever the order. Catalogue R07, E01, W03, L10, C07. Threads collect, the test's own thread asserts. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "step.h"
#include "view.h"

#define THREADS_MAX 16

struct racer {
    struct world *world;
    unsigned index;
    unsigned rounds;
    pthread_barrier_t *barrier;
    uint64_t numbers[64];
    unsigned won;
    unsigned failed;
    uint64_t token_a;
    uint64_t number_a;
};

static void race(struct world *world, void *(*run)(void *), struct racer *racers, unsigned count, unsigned rounds)
{
    pthread_barrier_t barrier;
    pthread_t threads[THREADS_MAX];
    pthread_barrier_init(&barrier, NULL, count);
    for (unsigned i = 0; i < count; i++) {
        racers[i].world = world;
        racers[i].index = i;
        racers[i].rounds = rounds;
        racers[i].barrier = &barrier;
        pthread_create(&threads[i], NULL, run, &racers[i]);
    }
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
}

static unsigned thread_count(const struct world *world)
{
    unsigned wanted = world->options->threads;
    return wanted < 2 ? 2 : wanted > THREADS_MAX ? THREADS_MAX : wanted;
}

static void *register_same(void *context)
{
    struct racer *racer = context;
    for (unsigned round = 0; round < racer->rounds; round++) {
        char id[16];
        snprintf(id, sizeof(id), "p-%u", round);
        struct step *step = step_register(racer->world, id, "t", "same");
        pthread_barrier_wait(racer->barrier);
        racer->failed += step_run(step) != PAWL_OK;
        racer->won += (step->op.flags & PAWL_RESULT_EXISTED) == 0;
        racer->numbers[round] = step->op.number;
    }
    return NULL;
}

static void test_R07_many_register_one_id_and_one_wins(void **state)
{
    struct world *world = *state;
    struct racer racers[THREADS_MAX] = {0};
    unsigned count = thread_count(world);
    race(world, register_same, racers, count, 50);
    unsigned won = 0;
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(racers[i].failed, 0);
        won += racers[i].won;
        for (unsigned round = 0; round < 50; round++)
            assert_int_equal(racers[i].numbers[round], racers[0].numbers[round]);
    }
    assert_int_equal(won, 50);
    pawl_list all = {0};
    assert_int_equal(rows_all(world, all, 7, NULL, 0), 50);
}

/* Even racers post signals; odd ones append under a lease they share. */
static void *append_and_post(void *context)
{
    struct racer *racer = context;
    struct world *world = racer->world;
    pthread_barrier_wait(racer->barrier);
    for (unsigned round = 0; round < racer->rounds; round++) {
        char text[32];
        snprintf(text, sizeof(text), "r-%u-%u", racer->index, round);
        struct step *step = racer->index % 2 ? step_append(world, racer->number_a, racer->token_a, text)
                                             : step_post(world, PAWL_RECORD_SIGNAL, "p", text, text);
        racer->failed += step_run(step) != PAWL_OK || step->op.sequence == 0;
        step_free(step);
    }
    return NULL;
}

struct dense {
    uint64_t next;
    unsigned per_racer[THREADS_MAX];
    bool wrong;
};

static int32_t check_dense(void *context, const pawl_record *record)
{
    struct dense *dense = context;
    dense->wrong = dense->wrong || record->sequence != dense->next++;
    char text[64] = {0};
    unsigned racer;
    unsigned round;
    memcpy(text, record->body.data, record->body.size < 63 ? record->body.size : 63);
    if (sscanf(text, "r-%u-%u", &racer, &round) == 2) {
        dense->wrong = dense->wrong || racer >= THREADS_MAX || round != dense->per_racer[racer];
        if (!dense->wrong)
            dense->per_racer[racer]++;
    }
    return 0;
}

static void test_E01_sequences_have_no_gap_under_many_writers(void **state)
{
    struct world *world = *state;
    struct racer racers[THREADS_MAX] = {0};
    unsigned count = thread_count(world);
    unsigned rounds = world->options->iterations / 20;
    struct lease lease = lease_new(world, "p", "t");
    for (unsigned i = 0; i < count; i++) {
        racers[i].number_a = lease.number;
        racers[i].token_a = lease.token;
    }
    race(world, append_and_post, racers, count, rounds);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(racers[i].failed, 0);
    struct dense dense = {.next = 1};
    assert_int_equal(world->registry->journal(world->store, lease.number, 1, 0, check_dense, &dense, &world->why),
                     PAWL_OK);
    assert_false(dense.wrong); /* dense, and each racer's in its own order */
    assert_int_equal(dense.next, 2 + (uint64_t)count * rounds);
    assert_int_equal(row_of(world, "p").head, 1 + (uint64_t)count * rounds);
    world_settle(world);
}

static void *watch_each(void *context)
{
    struct racer *racer = context;
    struct world *world = racer->world;
    for (unsigned round = 0; round < racer->rounds; round++) {
        uint64_t expected = round + 2;
        struct step *step = racer->index == 0 ? NULL : step_watch(world, "p", expected - 1, UINT64_C(1) << 1);
        if (racer->index == 0) {
            char post_id[16];
            snprintf(post_id, sizeof(post_id), "s-%u", round);
            step = step_post(world, PAWL_RECORD_SIGNAL, "p", post_id, "");
        }
        pthread_barrier_wait(racer->barrier);
        racer->failed += step_run(step) != PAWL_OK || step->op.sequence != expected;
        step_free(step);
    }
    return NULL;
}

static void test_W03_an_append_racing_with_a_wait_is_never_lost(void **state)
{
    struct world *world = *state;
    assert_int_equal(step_run(step_register(world, "p", "t", "")), PAWL_OK);
    struct racer racers[THREADS_MAX] = {0};
    race(world, watch_each, racers, 2, world->options->iterations);
    assert_int_equal(racers[0].failed, 0);
    assert_int_equal(racers[1].failed, 0);
    assert_int_equal(row_of(world, "p").head, world->options->iterations + 1);
}

/* Racer 0 ends processes, racer 1 waits for each end, racer 2 gives up waits: each completes exactly once. */
static void *end_wait_give_up(void *context)
{
    struct racer *racer = context;
    struct world *world = racer->world;
    for (unsigned round = 0; round < racer->rounds; round++) {
        char id[16];
        snprintf(id, sizeof(id), "p-%u", round);
        if (racer->index == 0)
            racer->failed += step_run(step_register(world, id, "t", "")) != PAWL_OK;
        pthread_barrier_wait(racer->barrier);
        struct step *step =
            racer->index == 0 ? step_force(world, id, "e", PAWL_TERMINATED, "") : step_watch(world, id, 0, 0);
        step_submit(step);
        if (racer->index == 2)
            world->registry->unwatch(world->store, &step->op);
        pawl_status status = step_wait(step);
        racer->failed += status != PAWL_OK && !(racer->index == 2 && status == PAWL_E_CANCELLED);
        racer->won += status == PAWL_OK;
    }
    return NULL;
}

static void test_W05_giving_up_a_wait_races_with_its_end(void **state)
{
    struct world *world = *state;
    struct racer racers[THREADS_MAX] = {0};
    unsigned rounds = world->options->iterations / 10;
    race(world, end_wait_give_up, racers, 3, rounds);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(racers[i].failed, 0);
    assert_int_equal(racers[1].won, rounds);
}

/* Each racer claims what it can and ends it; every process must be ended by exactly one. */
static void *claim_and_end(void *context)
{
    struct racer *racer = context;
    struct world *world = racer->world;
    pawl_failure_sink why;
    uint64_t session = racer->numbers[0];
    pawl_bytes type = text_bytes("t");
    pthread_barrier_wait(racer->barrier);
    for (unsigned idle = 0; idle < 3;) {
        struct row rows[4];
        pawl_status status;
        size_t got = claim_types_with(world, session, &type, 1, 4, rows, &status, &why);
        racer->failed += status != PAWL_OK;
        idle = got == 0 ? idle + 1 : 0;
        for (size_t i = 0; i < got; i++) {
            struct step *append = step_append(world, rows[i].number, rows[i].token, "mine");
            struct step *end = step_complete(world, rows[i].number, rows[i].token, 2, PAWL_COMPLETED, "mine");
            pawl_registry_op *ops[2] = {&append->op, &end->op};
            host_submit(world->host, world->registry, world->store, ops, 2);
            bool good = step_wait(append) == PAWL_OK && step_wait(end) == PAWL_OK;
            racer->failed += !good;
            racer->won += good;
        }
    }
    return NULL;
}

static void test_L10_many_claim_and_each_process_is_ended_by_one(void **state)
{
    struct world *world = *state;
    struct racer racers[THREADS_MAX] = {0};
    unsigned count = thread_count(world);
    unsigned processes = world->options->iterations / 20;
    struct step **steps = calloc(processes, sizeof(struct step *));
    for (unsigned i = 0; i < processes; i++) {
        char id[16];
        snprintf(id, sizeof(id), "p-%u", i);
        steps[i] = step_register(world, id, "t", "");
        step_submit(steps[i]);
    }
    unsigned registered = 0;
    for (unsigned i = 0; i < processes; i++)
        registered += step_wait(steps[i]) == PAWL_OK;
    free(steps);
    assert_int_equal(registered, processes);
    for (unsigned i = 0; i < count; i++)
        racers[i].numbers[0] = world_worker(world, "racer", WORKER_TTL_NS, NULL);
    race(world, claim_and_end, racers, count, 1);
    unsigned won = 0;
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(racers[i].failed, 0);
        won += racers[i].won;
    }
    assert_int_equal(won, processes);
    uint64_t counts[32] = {0};
    assert_int_equal(world->registry->count(world->store, counts, 32, &world->why), PAWL_OK);
    assert_int_equal(counts[PAWL_COMPLETED], processes);
    world_settle(world);
}

/* Racer 0 holds "p" and suspends again and again; racer 1 signals. Nothing may be slept over. */
static void *suspend_or_signal(void *context)
{
    struct racer *racer = context;
    struct world *world = racer->world;
    uint64_t token = racer->token_a;
    uint64_t head = 1;
    for (unsigned round = 0; round < racer->rounds; round++) {
        char post_id[16];
        snprintf(post_id, sizeof(post_id), "s-%u", round);
        struct step *step = racer->index == 1 ? step_post(world, PAWL_RECORD_SIGNAL, "p", post_id, "")
                                              : step_suspend(world, racer->number_a, token, head, 0);
        pthread_barrier_wait(racer->barrier);
        racer->failed += step_run(step) != PAWL_OK;
        bool more = (step->op.flags & PAWL_RESULT_MORE) != 0;
        pthread_barrier_wait(racer->barrier); /* both are done */
        head++;
        if (racer->index == 0 && !more) {
            struct row row;
            pawl_failure_sink why;
            pawl_status status;
            pawl_bytes type = text_bytes("t");
            bool claimed = claim_types_with(world, world->worker, &type, 1, 1, &row, &status, &why) == 1;
            racer->failed += !claimed || row.head != head;
            token = claimed ? row.token : token;
        }
        step_free(step);
    }
    return NULL;
}

static void test_I5_a_signal_racing_with_a_suspend_is_never_slept_over(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    struct racer racers[THREADS_MAX] = {0};
    racers[0].number_a = lease.number;
    racers[0].token_a = lease.token;
    race(world, suspend_or_signal, racers, 2, world->options->iterations / 5);
    assert_int_equal(racers[0].failed, 0);
    assert_int_equal(racers[1].failed, 0);
    world_settle(world);
}

/* Sessions come and go while work is posted and claimed: tokens stay unique, no event comes for a closed session. */
static void *come_and_go(void *context)
{
    struct racer *racer = context;
    struct world *world = racer->world;
    pawl_bytes type = text_bytes("t");
    for (unsigned round = 0; round < racer->rounds; round++) {
        struct listener *ear;
        pawl_failure_sink why = {0};
        uint64_t session = world_worker(world, "visitor", WORKER_TTL_NS, &ear);
        struct row row;
        pawl_status status;
        if (claim_types_with(world, session, &type, 1, 1, &row, &status, &why) == 1) {
            struct step *append = step_append(world, row.number, row.token, "visited");
            racer->failed += step_run(append) != PAWL_OK;
            step_free(append);
            racer->won++;
        }
        racer->failed += world->registry->heartbeat(world->store, session) != PAWL_OK;
        world_worker_close(world, session, ear);
    }
    return NULL;
}

static void test_L15_sessions_come_and_go_while_work_goes_on(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof(id), "p-%d", i);
        assert_int_equal(step_run(step_register(world, id, "t", "")), PAWL_OK);
    }
    struct racer racers[THREADS_MAX] = {0};
    unsigned count = 4;
    race(world, come_and_go, racers, count, 50);
    uint64_t visits = 0;
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(racers[i].failed, 0);
        visits += racers[i].won;
    }
    uint64_t records = 0;
    for (int i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof(id), "p-%d", i);
        records += row_of(world, id).head - 1;
        assert_int_equal(row_of(world, id).status, PAWL_READY);
    }
    assert_int_equal(records, visits);
    assert_true(visits > 0);
}

/* Racer 0 registers; the others claim as fast as they can, suspend every fourth process and signal it at once
 * (without waiting for either), and keep it when they get it again. */
static void send_round(struct world *world, const struct row *row)
{
    if (row->head > 1 || row->number % 4 != 0)
        return;
    struct step *suspend = step_suspend(world, row->number, row->token, 1, 0);
    struct step *signal = step_post(world, PAWL_RECORD_SIGNAL, row->id.head, "again", "");
    pawl_registry_op *ops[2] = {&suspend->op, &signal->op};
    host_submit(world->host, world->registry, world->store, ops, 2);
}

static void *register_or_send_round(void *context)
{
    struct racer *racer = context;
    struct world *world = racer->world;
    pawl_bytes type = text_bytes("t");
    pthread_barrier_wait(racer->barrier);
    struct step *under_way[32] = {NULL}; /* so that while one is claimed the next is being written */
    for (unsigned round = 0; racer->index == 0 && round < racer->rounds + 32; round++) {
        struct step **place = &under_way[round % 32];
        char id[16];
        if (*place) {
            racer->failed += step_wait(*place) != PAWL_OK;
            step_free(*place);
        }
        snprintf(id, sizeof(id), "p-%u", round);
        *place = round < racer->rounds ? step_register(world, id, "t", "") : NULL;
        if (*place)
            step_submit(*place);
    }
    /* A claimer stops early or late as it likes: what it leaves, the test's own thread takes. */
    for (unsigned round = 0; racer->index != 0 && round < racer->rounds; round++) {
        struct row rows[16];
        pawl_status status;
        pawl_failure_sink why;
        size_t got = claim_types_with(world, world->worker, &type, 1, 1 + round % 16, rows, &status, &why);
        racer->failed += status != PAWL_OK;
        for (size_t i = 0; i < got; i++)
            send_round(world, &rows[i]);
    }
    return NULL;
}

/* Have all operations been completed, well? */
static bool all_done(struct world *world)
{
    bool done = true;
    for (struct step *step = world->steps; step; step = step->next) {
        bool one = host_is_done(world->host, &step->pending);
        if (one && step->op.status != PAWL_OK)
            host_violation(world->host, "an operation of kind %u: status %d\n", step->op.kind, step->op.status);
        done = done && one;
    }
    return done;
}

static void test_V02_what_becomes_ready_while_others_claim_is_never_missed(void **state)
{
    struct world *world = *state;
    unsigned rounds = world->options->iterations / 5;
    struct racer racers[THREADS_MAX] = {0};
    host_delay_clock(world->host, 20);
    race(world, register_or_send_round, racers, 4, rounds);
    host_delay_clock(world->host, 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(racers[i].failed, 0);
    uint64_t counts[32] = {0};
    for (bool quiet = false; !quiet;) {
        struct row row;
        while (claim_type(world, world->worker, "t", 1, &row) == 1)
            send_round(world, &row);
        quiet = all_done(world); /* nothing can become ready any more */
        while (claim_type(world, world->worker, "t", 1, &row) == 1)
            send_round(world, &row);
        quiet = quiet && all_done(world);
    }
    assert_int_equal(world->registry->count(world->store, counts, 32, &world->why), PAWL_OK);
    if (counts[PAWL_RUNNING] != rounds)
        fail_msg("of %u processes %u are held, %u are ready and nobody gets them, %u wait", rounds,
                 (unsigned)counts[PAWL_RUNNING], (unsigned)counts[PAWL_READY], (unsigned)counts[PAWL_WAITING]);
}

static const struct CMUnitTest concurrent_tests[] = {
    CASE(test_V02_what_becomes_ready_while_others_claim_is_never_missed),
    CASE(test_R07_many_register_one_id_and_one_wins),
    CASE(test_E01_sequences_have_no_gap_under_many_writers),
    CASE(test_W03_an_append_racing_with_a_wait_is_never_lost),
    CASE(test_W05_giving_up_a_wait_races_with_its_end),
    CASE(test_L10_many_claim_and_each_process_is_ended_by_one),
    CASE(test_L15_sessions_come_and_go_while_work_goes_on),
    CASE(test_I5_a_signal_racing_with_a_suspend_is_never_slept_over),
};
const struct group concurrent_group = GROUP(concurrent, REGISTRY_BIT);
