/* queue_test.c: why it exists: an event stands once in the journal, whatever was posted twice; what it delivers is in
 * the queue of its session in the same batch, once, in order, and belongs to one consumer at a time. Catalogue E01,
 * E02, E03, E05, E06, E07, E09, S03, S04. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"
#include "step.h"
#include "view.h"

#define SECOND HOST_SECOND_NS

struct items {
    struct item {
        uint32_t state;
        uint32_t claims;
        uint64_t item;
        uint64_t token;
        uint64_t sequence;
        char body[32];
        char process[32];
        char consumer[32];
    } items[16];
    size_t count;
    uint64_t again;
};

static void keep_text(char to[32], pawl_bytes from)
{
    snprintf(to, 32, "%.*s", (int)from.size, from.size > 0 ? (const char *)from.data : "");
}

static int32_t keep_item(void *context, const pawl_queue_item *from)
{
    struct items *items = context;
    assert_true(items->count < 16);
    struct item *to = &items->items[items->count++];
    *to = (struct item){.state = from->state,
                        .claims = from->claims,
                        .item = from->item,
                        .token = from->token,
                        .sequence = from->sequence};
    keep_text(to->body, from->body);
    keep_text(to->process, from->process);
    keep_text(to->consumer, from->consumer);
    return 0;
}

static const pawl_queue_table *table_of(struct world *world)
{
    const pawl_queue_table *table = world->root->get_factory(PAWL_FACTORY_QUEUE);
    if (table == NULL)
        skip(); /* it is optional */
    return table;
}

static struct step *step_deliver(struct world *world, const char *id, const char *post_id, const char *session,
                                 const char *key, const char *body)
{
    struct step *step = step_post(world, PAWL_RECORD_EVENT, id, post_id, body);
    const pawl_delivery delivery = {.struct_size = sizeof delivery,
                                    .session = step_keep(step, text_bytes(session)),
                                    .type = step_keep(step, text_bytes("moved")),
                                    .key = step_keep(step, text_bytes(key)),
                                    .body = step_keep(step, text_bytes(body))};
    step->request.post.delivery = step_keep(step, bytes_of(&delivery, sizeof delivery)).data;
    return step;
}

/* Of a step that was prepared by step_deliver and not submitted. */
static pawl_delivery *delivery_of(struct step *step)
{
    return (pawl_delivery *)(uintptr_t)step->request.post.delivery;
}

static struct items claim_as(struct world *world, const char *session, const char *consumer, uint32_t limit,
                             uint32_t claims_max)
{
    struct items items = {0};
    const pawl_queue_claim claim = {.struct_size = sizeof claim,
                                    .limit = limit,
                                    .session = text_bytes(session),
                                    .consumer = text_bytes(consumer),
                                    .lease_ns = 30 * SECOND,
                                    .claims_max = claims_max};
    failure_reset(&world->why);
    assert_int_equal(table_of(world)->claim(world->store, &claim, keep_item, &items, &items.again, &world->why),
                     PAWL_OK);
    world_settle(world);
    return items;
}

static pawl_status settle(struct world *world, const char *session, uint32_t action, const struct item *item,
                          uint64_t delay_ns)
{
    const pawl_queue_settle request = {.struct_size = sizeof request,
                                       .action = action,
                                       .session = text_bytes(session),
                                       .items = &item->item,
                                       .item_count = 1,
                                       .token = item->token,
                                       .delay_ns = delay_ns};
    failure_reset(&world->why);
    pawl_status status = table_of(world)->settle(world->store, &request, NULL, &world->why);
    world_settle(world);
    return status;
}

static struct items list(struct world *world, const char *session, uint32_t dead)
{
    struct items items = {0};
    failure_reset(&world->why);
    assert_int_equal(
        table_of(world)->list(world->store, text_bytes(session), dead, 0, 16, keep_item, &items, &world->why), PAWL_OK);
    return items;
}

static struct step *external(struct world *world, const char *id)
{
    struct step *step = step_register(world, id, "t", "in");
    step->request.registration.external = 1;
    return step;
}

/* ---- events ---- */

static void test_E02_E03_an_event_stands_once_under_its_key(void **state)
{
    struct world *world = *state;
    uint64_t number = step_ok(step_register(world, "p", "t", "in"))->op.number;
    const struct step *first = step_ok(step_post(world, PAWL_RECORD_EVENT, "p", "e-1", "one"));
    assert_int_equal(first->op.sequence, 2);
    assert_int_equal(first->op.flags & PAWL_RESULT_REPLAYED, 0);
    step_ok(step_post(world, PAWL_RECORD_EVENT, "p", "e-2", "two"));
    const struct step *again = step_ok(step_post(world, PAWL_RECORD_EVENT, "p", "e-1", "one"));
    assert_int_equal(again->op.sequence, 2);
    assert_true((again->op.flags & PAWL_RESULT_REPLAYED) != 0);
    step_refused(step_post(world, PAWL_RECORD_EVENT, "p", "e-1", "other"), PAWL_E_CONFLICT);
    struct entry entries[4];
    assert_int_equal(journal_read(world, number, 1, 0, entries, 4, NULL), 3);
    assert_int_equal(entries[1].kind, PAWL_RECORD_EVENT);
    assert_string_equal(entries[1].body.head, "one");
}

static void test_E01_an_event_makes_nothing_ready(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_new(world, "p", "t");
    lease_suspend(world, &lease, 0);
    step_ok(step_post(world, PAWL_RECORD_EVENT, "p", "e-1", "one"));
    assert_int_equal(row_of(world, "p").status, PAWL_WAITING);
    step_ok(step_post(world, PAWL_RECORD_SIGNAL, "p", "s-1", "go"));
    assert_int_equal(row_of(world, "p").status, PAWL_READY);
}

static void test_E04_looking_writes_nothing(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", "in"));
    struct step *look = step_post(world, PAWL_RECORD_EVENT, "p", "e-1", "one");
    look->request.post.look = 1;
    step_refused(look, PAWL_E_NOT_FOUND);
    step_ok(step_post(world, PAWL_RECORD_EVENT, "p", "e-1", "one"));
    look = step_post(world, PAWL_RECORD_EVENT, "p", "e-1", "one");
    look->request.post.look = 1;
    assert_int_equal(step_ok(look)->op.sequence, 2);
    look = step_post(world, PAWL_RECORD_EVENT, "p", "e-1", "other");
    look->request.post.look = 1;
    step_refused(look, PAWL_E_CONFLICT);
}

static struct step *ending(struct world *world, const char *post_id, uint32_t status, const char *outcome)
{
    struct step *step = step_post(world, PAWL_RECORD_EVENT, "x", post_id, outcome);
    step->request.post.status = status;
    step->request.post.outcome = step_keep(step, text_bytes(outcome));
    return step;
}

static void test_E05_E06_E07_an_event_ends_an_external_process_in_one_batch(void **state)
{
    struct world *world = *state;
    uint64_t number = step_ok(external(world, "x"))->op.number;
    step_ok(step_post(world, PAWL_RECORD_EVENT, "x", "e-1", "one"));
    struct step *watch = step_watch(world, "x", 2, (uint64_t)1 << (PAWL_RECORD_EVENT - 64));
    step_submit(watch);
    step_ok(ending(world, "end", PAWL_COMPLETED, "done"));
    struct row row = row_of(world, "x");
    assert_int_equal(row.status, PAWL_COMPLETED);
    assert_string_equal(row.outcome.head, "done");
    struct entry entries[8];
    assert_int_equal(journal_read(world, number, 1, 0, entries, 8, NULL), 4);
    assert_int_equal(entries[2].kind, PAWL_RECORD_EVENT);
    assert_int_equal(entries[3].kind, PAWL_RECORD_ENDED);
    step_refused(ending(world, "other end", PAWL_FAILED, "failed"), PAWL_E_TERMINAL);
    step_refused(ending(world, "end", PAWL_COMPLETED, "otherwise"), PAWL_E_CONFLICT);
    const struct step *again = step_ok(ending(world, "end", PAWL_COMPLETED, "done"));
    assert_int_equal(again->op.sequence, 3);
    step_refused(step_post(world, PAWL_RECORD_EVENT, "x", "late", "late"), PAWL_E_TERMINAL);
    assert_int_equal(step_ok(step_post(world, PAWL_RECORD_EVENT, "x", "e-1", "one"))->op.sequence, 2);
}

static void test_E05_an_event_ends_no_process_of_a_worker(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "x", "t", "in"));
    step_refused(ending(world, "end", PAWL_COMPLETED, "done"), PAWL_E_INVALID);
}

static void test_W03_a_watch_is_told_of_an_event(void **state)
{
    struct world *world = *state;
    step_ok(step_register(world, "p", "t", "in"));
    struct step *watch = step_watch(world, "p", 1, (uint64_t)1 << (PAWL_RECORD_EVENT - 64));
    step_submit(watch);
    assert_int_equal(step_run(step_post(world, PAWL_RECORD_EVENT, "p", "e-1", "one")), PAWL_OK);
    assert_int_equal(step_wait(watch), PAWL_OK);
    assert_int_equal(watch->op.result_kind, PAWL_RECORD_EVENT);
    assert_int_equal(watch->op.sequence, 2);
}

/* ---- deliveries ---- */

static void test_E09_a_key_delivers_once_and_is_its_processs_own(void **state)
{
    struct world *world = *state;
    table_of(world);
    step_ok(step_register(world, "p", "t", "in"));
    step_ok(step_register(world, "q", "t", "in"));
    assert_true((step_ok(step_deliver(world, "p", "e-1", "s", "k", "one"))->op.flags & PAWL_RESULT_QUEUED) != 0);
    assert_int_equal(step_ok(step_deliver(world, "p", "e-2", "s", "k", "two"))->op.flags & PAWL_RESULT_QUEUED, 0);
    assert_true((step_ok(step_deliver(world, "q", "e-1", "s", "k", "three"))->op.flags & PAWL_RESULT_QUEUED) != 0);
    assert_true((step_ok(step_deliver(world, "p", "e-3", "u", "k", "four"))->op.flags & PAWL_RESULT_QUEUED) != 0);
    assert_true((step_ok(step_deliver(world, "p", "e-4", "s", "", "five"))->op.flags & PAWL_RESULT_QUEUED) != 0);
    assert_true((step_ok(step_deliver(world, "p", "e-5", "s", "", "six"))->op.flags & PAWL_RESULT_QUEUED) != 0);
    step_ok(step_deliver(world, "p", "e-5", "s", "", "six")); /* a replay */
    struct items items = list(world, "s", 0);
    assert_int_equal(items.count, 4);
    assert_string_equal(items.items[0].body, "one");
    assert_string_equal(items.items[0].process, "p");
    assert_string_equal(items.items[1].body, "three");
    assert_string_equal(items.items[1].process, "q");
    assert_string_equal(items.items[2].body, "five");
    assert_string_equal(items.items[3].body, "six");
    assert_int_equal(list(world, "u", 0).count, 1);
}

/* Two in one group commit, of which neither is stored when the other is judged. */
static void test_E09_two_at_once_are_one(void **state)
{
    struct world *world = *state;
    table_of(world);
    step_ok(step_register(world, "p", "t", "in"));
    struct step *steps[8];
    pawl_registry_op *ops[8];
    for (size_t i = 0; i < 8; i++) {
        char post_id[16];
        snprintf(post_id, sizeof post_id, "e-%zu", i);
        steps[i] = step_deliver(world, "p", post_id, "s", "k", post_id);
        ops[i] = &steps[i]->op;
    }
    host_submit(world->host, world->registry, world->store, ops, 8);
    size_t queued = 0;
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(step_wait(steps[i]), PAWL_OK);
        queued += (steps[i]->op.flags & PAWL_RESULT_QUEUED) != 0;
    }
    assert_int_equal(queued, 1);
    world_settle(world);
    assert_int_equal(list(world, "s", 0).count, 1);
}

static void test_S03_a_key_is_remembered_until_its_process_is_pruned(void **state)
{
    struct world *world = *state;
    table_of(world);
    step_ok(external(world, "x"));
    step_ok(step_deliver(world, "x", "e-1", "s", "k", "one"));
    struct items claimed = claim_as(world, "s", "c", 10, 0);
    assert_int_equal(claimed.count, 1);
    assert_int_equal(settle(world, "s", PAWL_QUEUE_ACKNOWLEDGE, &claimed.items[0], 0), PAWL_OK);
    assert_int_equal(list(world, "s", 0).count, 0);
    assert_int_equal(step_ok(step_deliver(world, "x", "e-2", "s", "k", "two"))->op.flags & PAWL_RESULT_QUEUED, 0);
    assert_int_equal(list(world, "s", 0).count, 0);
    step_ok(ending(world, "end", PAWL_COMPLETED, "done"));
    host_advance(world->host, SECOND);
    assert_int_equal(step_ok(step_prune(world, host_unix_ns(world->host), 10))->op.count, 1);
}

/* ---- consumers ---- */

static void deliver(struct world *world, const char *body)
{
    step_ok(step_deliver(world, "p", body, "s", "", body));
}

static void test_S04_one_consumer_at_a_time_and_in_order(void **state)
{
    struct world *world = *state;
    table_of(world);
    step_ok(step_register(world, "p", "t", "in"));
    deliver(world, "one");
    deliver(world, "two");
    struct items mine = claim_as(world, "s", "a", 1, 0);
    assert_int_equal(mine.count, 1);
    assert_string_equal(mine.items[0].body, "one");
    struct items theirs = claim_as(world, "s", "b", 1, 0); /* nobody overtakes the first */
    assert_int_equal(theirs.count, 0);
    if (!world->options->real_time)
        assert_int_equal(theirs.again, host_unix_ns(world->host) + 30 * SECOND);
    assert_string_equal(list(world, "s", 0).items[0].consumer, "a");
    assert_int_equal(claim_as(world, "other", "b", 10, 0).count, 0);
    assert_int_equal(settle(world, "s", PAWL_QUEUE_ACKNOWLEDGE, &mine.items[0], 0), PAWL_OK);
    theirs = claim_as(world, "s", "b", 10, 0);
    assert_int_equal(theirs.count, 1);
    assert_string_equal(theirs.items[0].body, "two");
    assert_int_equal(settle(world, "s", PAWL_QUEUE_ACKNOWLEDGE, &mine.items[0], 0), PAWL_E_STALE);
}

static void test_S04_exclusive_and_merge(void **state)
{
    struct world *world = *state;
    table_of(world);
    step_ok(step_register(world, "p", "t", "in"));
    static const struct {
        const char *body;
        const char *merge;
        uint32_t exclusive;
    } plan[] = {{"a", "m", 0}, {"b", "m", 0}, {"c", "", 0}, {"d", "", 0}, {"e", "", 1}, {"f", "", 0}};
    for (size_t i = 0; i < 6; i++) {
        struct step *step = step_deliver(world, "p", plan[i].body, "s", "", plan[i].body);
        delivery_of(step)->exclusive = plan[i].exclusive;
        delivery_of(step)->merge = step_keep(step, text_bytes(plan[i].merge));
        step_ok(step);
    }
    static const char *const groups[] = {"ab", "cd", "e", "f", ""};
    for (size_t g = 0; g < 5; g++) {
        char got[16] = "";
        struct items items = claim_as(world, "s", "a", 10, 0);
        for (size_t i = 0; i < items.count; i++) {
            strcat(got, items.items[i].body);
            assert_int_equal(settle(world, "s", PAWL_QUEUE_ACKNOWLEDGE, &items.items[i], 0), PAWL_OK);
        }
        assert_string_equal(got, groups[g]);
    }
}

static void test_S04_not_before_its_time(void **state)
{
    struct world *world = *state;
    table_of(world);
    if (world->options->real_time)
        skip();
    step_ok(step_register(world, "p", "t", "in"));
    struct step *step = step_deliver(world, "p", "e", "s", "", "later");
    delivery_of(step)->after_ns = 10 * SECOND;
    step_ok(step);
    deliver(world, "behind");
    struct items items = claim_as(world, "s", "a", 10, 0);
    assert_int_equal(items.count, 0);
    assert_int_equal(items.again, host_unix_ns(world->host) + 10 * SECOND);
    host_advance(world->host, 10 * SECOND - 1);
    assert_int_equal(claim_as(world, "s", "a", 10, 0).count, 0);
    host_advance(world->host, 1);
    assert_int_equal(claim_as(world, "s", "a", 10, 0).count, 2);
}

static void test_S03_a_claim_whose_time_is_over_counts_until_the_next(void **state)
{
    struct world *world = *state;
    table_of(world);
    if (world->options->real_time)
        skip();
    step_ok(step_register(world, "p", "t", "in"));
    deliver(world, "one");
    struct items first = claim_as(world, "s", "a", 10, 0);
    host_advance(world->host, 29 * SECOND);
    assert_int_equal(settle(world, "s", PAWL_QUEUE_EXTEND, &first.items[0], 30 * SECOND), PAWL_OK);
    host_advance(world->host, 29 * SECOND);
    assert_int_equal(claim_as(world, "s", "b", 10, 0).count, 0);
    host_advance(world->host, SECOND);
    struct items second = claim_as(world, "s", "b", 10, 0);
    assert_int_equal(second.count, 1);
    assert_true(second.items[0].token > first.items[0].token);
    assert_int_equal(second.items[0].claims, 2);
    assert_int_equal(settle(world, "s", PAWL_QUEUE_ACKNOWLEDGE, &first.items[0], 0), PAWL_E_STALE);
    assert_int_equal(settle(world, "s", PAWL_QUEUE_RELEASE, &first.items[0], 0), PAWL_E_STALE);
    assert_int_equal(settle(world, "s", PAWL_QUEUE_EXTEND, &first.items[0], SECOND), PAWL_E_STALE);
    host_advance(world->host, 60 * SECOND);
    assert_int_equal(settle(world, "s", PAWL_QUEUE_ACKNOWLEDGE, &second.items[0], 0), PAWL_OK);
    assert_int_equal(list(world, "s", 0).count, 0);
}

static void test_S03_what_fails_too_often_is_set_aside_and_redriven(void **state)
{
    struct world *world = *state;
    table_of(world);
    step_ok(step_register(world, "p", "t", "in"));
    deliver(world, "poison");
    deliver(world, "good");
    for (uint32_t i = 1; i <= 3; i++) {
        struct items items = claim_as(world, "s", "a", 1, 3);
        assert_int_equal(items.count, 1);
        assert_string_equal(items.items[0].body, "poison");
        assert_int_equal(items.items[0].claims, i);
        assert_int_equal(settle(world, "s", PAWL_QUEUE_RELEASE, &items.items[0], 0), PAWL_OK);
    }
    struct items next = claim_as(world, "s", "a", 1, 3);
    assert_string_equal(next.items[0].body, "good");
    struct items dead = list(world, "s", 1);
    assert_int_equal(dead.count, 1);
    assert_int_equal(dead.items[0].claims, 3);
    assert_int_equal(dead.items[0].state, PAWL_QUEUE_DEAD);
    uint64_t done = 0;
    uint64_t wrong = dead.items[0].item + 1000;
    failure_reset(&world->why);
    assert_int_equal(
        table_of(world)->tend(world->store, text_bytes("s"), PAWL_QUEUE_REDRIVE, &wrong, 1, &done, &world->why),
        PAWL_E_NOT_FOUND);
    failure_reset(&world->why);
    assert_int_equal(
        table_of(world)->tend(world->store, text_bytes("s"), PAWL_QUEUE_REDRIVE, NULL, 0, &done, &world->why), PAWL_OK);
    assert_int_equal(done, 1);
    world_settle(world);
    assert_int_equal(list(world, "s", 1).count, 0);
    struct items all = list(world, "s", 0);
    assert_int_equal(all.count, 2);
    assert_string_equal(all.items[1].body, "poison"); /* at the end */
    assert_int_equal(all.items[1].claims, 0);
    failure_reset(&world->why);
    assert_int_equal(table_of(world)->tend(world->store, text_bytes("s"), PAWL_QUEUE_DROP, &all.items[0].item, 1, &done,
                                           &world->why),
                     PAWL_E_BUSY);
    failure_reset(&world->why);
    assert_int_equal(table_of(world)->tend(world->store, text_bytes("s"), PAWL_QUEUE_DROP, &all.items[1].item, 1, &done,
                                           &world->why),
                     PAWL_OK);
    assert_int_equal(list(world, "s", 0).count, 1);
}

/* ---- with the state of the session ---- */

static pawl_status acknowledge_and_put(struct world *world, const struct item *item, uint64_t expected,
                                       const char *commit_key, const char *value, uint64_t *revision)
{
    world_track_session(world, "s");
    const pawl_session_change change = {
        .struct_size = sizeof change, .kind = PAWL_SESSION_PUT, .key = text_bytes("k"), .value = text_bytes(value)};
    const pawl_session_change *const changes[] = {&change};
    const pawl_queue_settle request = {.struct_size = sizeof request,
                                       .action = PAWL_QUEUE_ACKNOWLEDGE,
                                       .session = text_bytes("s"),
                                       .items = &item->item,
                                       .item_count = 1,
                                       .token = item->token,
                                       .commit = 1,
                                       .expected_revision = expected,
                                       .commit_key = text_bytes(commit_key),
                                       .changes = changes,
                                       .change_count = 1};
    failure_reset(&world->why);
    pawl_status status = table_of(world)->settle(world->store, &request, revision, &world->why);
    world_settle(world);
    return status;
}

static void test_S03_acknowledged_and_committed_together_or_not_at_all(void **state)
{
    struct world *world = *state;
    table_of(world);
    uint64_t revision = 0;
    step_ok(step_register(world, "p", "t", "in"));
    deliver(world, "one");
    struct items items = claim_as(world, "s", "a", 10, 0);
    struct item stale = items.items[0];
    stale.token--;
    assert_int_equal(acknowledge_and_put(world, &items.items[0], 7, "c-1", "v", &revision), PAWL_E_STALE);
    assert_int_equal(acknowledge_and_put(world, &stale, 0, "c-1", "v", &revision), PAWL_E_STALE);
    assert_int_equal(list(world, "s", 0).count, 1);
    pawl_sink sink = {0};
    failure_reset(&world->why);
    assert_int_equal(world->session->get(world->store, text_bytes("s"), text_bytes("k"), &sink, &revision, &world->why),
                     PAWL_E_NOT_FOUND);
    assert_int_equal(revision, 0);
    assert_int_equal(acknowledge_and_put(world, &items.items[0], 0, "c-1", "v", &revision), PAWL_OK);
    assert_int_equal(revision, 1);
    assert_int_equal(list(world, "s", 0).count, 0);
    /* Sent again, it is told what it did, though the items are gone and the head has moved. */
    assert_int_equal(acknowledge_and_put(world, &items.items[0], 0, "c-1", "v", &revision), PAWL_OK);
    assert_int_equal(revision, 1);
    assert_int_equal(acknowledge_and_put(world, &items.items[0], 1, "c-2", "w", &revision), PAWL_E_STALE);
    sink_reset(&sink);
}

static void test_S03_with_its_session_goes_the_queue(void **state)
{
    struct world *world = *state;
    table_of(world);
    step_ok(step_register(world, "p", "t", "in"));
    deliver(world, "one");
    step_ok(step_deliver(world, "p", "e", "t", "", "kept"));
    assert_int_equal(claim_as(world, "s", "a", 10, 0).count, 1);
    failure_reset(&world->why);
    assert_int_equal(world->session->remove(world->store, text_bytes("s"), &world->why), PAWL_OK);
    world_settle(world);
    assert_int_equal(list(world, "s", 0).count, 0);
    assert_int_equal(list(world, "t", 0).count, 1);
}

static void test_H06_bad_requests_are_refused(void **state)
{
    struct world *world = *state;
    table_of(world);
    struct items items = {0};
    step_ok(step_register(world, "p", "t", "in"));
    struct step *step = step_deliver(world, "p", "e", "", "", "x");
    step_refused(step, PAWL_E_INVALID);
    step = step_post(world, PAWL_RECORD_SIGNAL, "p", "s", "x");
    const pawl_delivery delivery = {.struct_size = sizeof delivery};
    step->request.post.delivery = &delivery;
    step_refused(step, PAWL_E_INVALID);
    const pawl_queue_claim nobody = {
        .struct_size = sizeof nobody, .limit = 1, .session = text_bytes("s"), .lease_ns = SECOND};
    failure_reset(&world->why);
    assert_int_equal(table_of(world)->claim(world->store, &nobody, keep_item, &items, NULL, &world->why),
                     PAWL_E_INVALID);
    const struct item none = {.item = 1, .token = 1};
    assert_int_equal(settle(world, "s", 9, &none, 0), PAWL_E_INVALID);
    assert_int_equal(settle(world, "s", PAWL_QUEUE_ACKNOWLEDGE, &none, 0), PAWL_E_STALE);
}

static const struct CMUnitTest queue_tests[] = {
    CASE(test_E02_E03_an_event_stands_once_under_its_key),
    CASE(test_E01_an_event_makes_nothing_ready),
    CASE(test_E04_looking_writes_nothing),
    CASE(test_E05_E06_E07_an_event_ends_an_external_process_in_one_batch),
    CASE(test_E05_an_event_ends_no_process_of_a_worker),
    CASE(test_W03_a_watch_is_told_of_an_event),
    CASE(test_E09_a_key_delivers_once_and_is_its_processs_own),
    CASE(test_E09_two_at_once_are_one),
    CASE(test_S03_a_key_is_remembered_until_its_process_is_pruned),
    CASE(test_S04_one_consumer_at_a_time_and_in_order),
    CASE(test_S04_exclusive_and_merge),
    CASE(test_S04_not_before_its_time),
    CASE(test_S03_a_claim_whose_time_is_over_counts_until_the_next),
    CASE(test_S03_what_fails_too_often_is_set_aside_and_redriven),
    CASE(test_S03_acknowledged_and_committed_together_or_not_at_all),
    CASE(test_S03_with_its_session_goes_the_queue),
    CASE(test_H06_bad_requests_are_refused),
};
const struct group queue_group = GROUP(queue, REGISTRY_BIT | FACET_BIT(PAWL_FACET_SESSION));
