/* queue_wait_test.c: why it exists: a process that waits for the queue of a session is told by every change of it,
 * once, and in the batch of a delivery; a claim and a settlement that are repeated by the same process are what they
 * were. Catalogue S03, W03. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "groups.h"
#include "step.h"
#include "view.h"

#define SECOND HOST_SECOND_NS

struct items {
    uint64_t items[16];
    uint64_t token;
    uint32_t claims;
    size_t count;
};

static int32_t keep_item(void *context, const pawl_queue_item *from)
{
    struct items *items = context;
    assert_true(items->count < 16);
    items->items[items->count++] = from->item;
    items->token = from->token;
    items->claims = from->claims;
    return 0;
}

static const pawl_queue_table *table_of(struct world *world)
{
    const pawl_queue_table *table = world->root->get_factory(PAWL_FACTORY_QUEUE);
    if (table == NULL || (world->registry->features & PAWL_REGISTRY_QUEUE_WAITS) == 0)
        skip(); /* it is optional */
    return table;
}

/* Not settled: whoever waits is told behind some of what follows. */
static void deliver_key(struct world *world, const char *id, const char *post_id, const char *session, const char *key)
{
    struct step *step = step_post(world, PAWL_RECORD_EVENT, id, post_id, "body");
    const pawl_delivery delivery = {.struct_size = sizeof delivery,
                                    .session = step_keep(step, text_bytes(session)),
                                    .type = step_keep(step, text_bytes("moved")),
                                    .key = step_keep(step, text_bytes(key)),
                                    .body = step_keep(step, text_bytes("body"))};
    step->request.post.delivery = step_keep(step, bytes_of(&delivery, sizeof delivery)).data;
    step_ok(step);
}

static void deliver(struct world *world, const char *post_id)
{
    deliver_key(world, "source", post_id, "s", "");
}

static struct items claim_as(struct world *world, const char *consumer, uint32_t limit, uint32_t resume)
{
    struct items items = {0};
    const pawl_queue_claim claim = {.struct_size = sizeof claim,
                                    .limit = limit,
                                    .session = text_bytes("s"),
                                    .consumer = text_bytes(consumer),
                                    .lease_ns = 30 * SECOND,
                                    .resume = resume};
    failure_reset(&world->why);
    assert_int_equal(table_of(world)->claim(world->store, &claim, keep_item, &items, NULL, &world->why), PAWL_OK);
    return items;
}

static pawl_status settle_as(struct world *world, uint32_t action, const struct items *items, const char *holder,
                             const char *key)
{
    const pawl_queue_settle request = {.struct_size = sizeof request,
                                       .action = action,
                                       .session = text_bytes("s"),
                                       .items = items->items,
                                       .item_count = items->count,
                                       .token = items->token,
                                       .holder = text_bytes(holder),
                                       .commit_key = text_bytes(key)};
    failure_reset(&world->why);
    return table_of(world)->settle(world->store, &request, NULL, &world->why);
}

/* A process that is stored as waiting. */
static void sleeper(struct world *world, const char *id)
{
    struct lease lease = lease_new(world, id, "t");
    step_ok(step_suspend(world, lease.number, lease.token, lease.seen, 0));
}

static uint64_t notices(struct world *world, const char *id)
{
    struct entry entries[16];
    const struct row row = row_of(world, id);
    size_t count = journal_read(world, row.number, 1, 0, entries, 16, NULL);
    uint64_t found = 0;
    assert_true(count <= 16);
    for (size_t i = 0; i < count; i++)
        found += entries[i].kind == PAWL_RECORD_NOTICE;
    return found;
}

/* What is told by itself comes soon. */
static void until_noticed(struct world *world, const char *id, uint64_t wanted)
{
    const struct timespec pause = {0, 1000000};
    for (int i = 0; i < 20000 && notices(world, id) < wanted; i++)
        nanosleep(&pause, NULL);
    assert_int_equal(notices(world, id), wanted);
}

/* ---- tests ---- */

static void test_W03_a_delivery_tells_all_who_wait_once(void **state)
{
    struct world *world = *state;
    table_of(world);
    step_ok(step_register(world, "source", "t", "in"));
    sleeper(world, "a");
    sleeper(world, "b");
    sleeper(world, "other");
    step_ok(step_queue_wait(world, "a", "s", "told"));
    step_ok(step_queue_wait(world, "a", "s", "told")); /* twice is once */
    step_ok(step_queue_wait(world, "b", "s", "told"));
    step_ok(step_queue_wait(world, "other", "s-2", "told"));
    assert_int_equal(row_of(world, "a").status, PAWL_WAITING);
    deliver(world, "e-1");
    assert_int_equal(notices(world, "a"), 1);
    assert_int_equal(notices(world, "b"), 1);
    assert_int_equal(notices(world, "other"), 0);
    assert_int_equal(row_of(world, "a").status, PAWL_READY);
    assert_int_equal(row_of(world, "other").status, PAWL_WAITING);
    deliver(world, "e-2");
    assert_int_equal(notices(world, "a"), 1);
    step_ok(step_queue_wait(world, "a", "s", "told"));
    deliver(world, "e-3");
    assert_int_equal(notices(world, "a"), 2);
    assert_int_equal(notices(world, "b"), 1);
}

static void test_W03_what_delivers_nothing_tells_nobody(void **state)
{
    struct world *world = *state;
    table_of(world);
    step_ok(step_register(world, "source", "t", "in"));
    sleeper(world, "a");
    deliver_key(world, "source", "e-1", "s", "k");
    step_ok(step_queue_wait(world, "a", "s", "told"));
    deliver_key(world, "source", "e-2", "s", "k"); /* delivered before */
    assert_int_equal(notices(world, "a"), 0);
    step_ok(step_post(world, PAWL_RECORD_EVENT, "source", "e-3", "no delivery"));
    assert_int_equal(notices(world, "a"), 0);
    deliver_key(world, "source", "e-4", "s", "l");
    assert_int_equal(notices(world, "a"), 1);
}

static void test_W03_waits_and_deliveries_at_once(void **state)
{
    struct world *world = *state;
    table_of(world);
    step_ok(step_register(world, "source", "t", "in"));
    sleeper(world, "a");
    for (uint64_t i = 1; i <= 5; i++) {
        char post_id[16];
        snprintf(post_id, sizeof post_id, "e-%u", (unsigned)i);
        struct step *wait = step_queue_wait(world, "a", "s", "told");
        struct step *step = step_post(world, PAWL_RECORD_EVENT, "source", post_id, "body");
        const pawl_delivery delivery = {.struct_size = sizeof delivery,
                                        .session = step_keep(step, text_bytes("s")),
                                        .type = step_keep(step, text_bytes("moved")),
                                        .body = step_keep(step, text_bytes("body"))};
        step->request.post.delivery = step_keep(step, bytes_of(&delivery, sizeof delivery)).data;
        step_submit(wait); /* one behind the other, and most often in one write */
        step_submit(step);
        assert_int_equal(step_wait(wait), PAWL_OK);
        assert_int_equal(step_wait(step), PAWL_OK);
        assert_int_equal(notices(world, "a"), i);
    }
    world_settle(world);
}

static void test_S03_who_is_done_or_gives_back_tells_too(void **state)
{
    struct world *world = *state;
    uint64_t done = 0;
    const pawl_queue_table *table = table_of(world);
    step_ok(step_register(world, "source", "t", "in"));
    sleeper(world, "a");
    deliver(world, "e-1");
    deliver(world, "e-2");
    struct items items = claim_as(world, "c", 1, 0);
    step_ok(step_queue_wait(world, "a", "s", "told"));
    assert_int_equal(settle_as(world, PAWL_QUEUE_EXTEND, &items, "", ""), PAWL_OK);
    assert_int_equal(settle_as(world, PAWL_QUEUE_RELEASE, &items, "", ""), PAWL_OK);
    until_noticed(world, "a", 1);
    items = claim_as(world, "c", 1, 0);
    step_ok(step_queue_wait(world, "a", "s", "told"));
    assert_int_equal(settle_as(world, PAWL_QUEUE_ACKNOWLEDGE, &items, "", ""), PAWL_OK);
    until_noticed(world, "a", 2);
    items = claim_as(world, "c", 1, 0);
    assert_int_equal(settle_as(world, PAWL_QUEUE_RELEASE, &items, "", ""), PAWL_OK); /* nobody waits: no notice */
    step_ok(step_queue_wait(world, "a", "s", "told"));
    failure_reset(&world->why);
    assert_int_equal(table->tend(world->store, text_bytes("s"), PAWL_QUEUE_DROP, items.items, 1, &done, &world->why),
                     PAWL_OK);
    until_noticed(world, "a", 3);
    world_settle(world);
    assert_int_equal(notices(world, "a"), 3);
}

static void test_S03_who_has_ended_is_not_told(void **state)
{
    struct world *world = *state;
    table_of(world);
    step_ok(step_register(world, "source", "t", "in"));
    sleeper(world, "a");
    step_ok(step_queue_wait(world, "a", "s", "told"));
    step_ok(step_force(world, "a", "f", PAWL_TERMINATED, "enough"));
    deliver(world, "e-1");
    assert_int_equal(notices(world, "a"), 0);
    step_refused(step_queue_wait(world, "a", "s", "told"), PAWL_E_TERMINAL);
    step_refused(step_queue_wait(world, "nobody", "s", "told"), PAWL_E_NOT_FOUND);
    step_refused(step_queue_wait(world, "source", "", "told"), PAWL_E_INVALID);
    struct step *external = step_register(world, "x", "t", "in");
    external->request.registration.external = 1;
    step_ok(external);
    step_refused(step_queue_wait(world, "x", "s", "told"), PAWL_E_INVALID);
}

static void test_I10_so_many_wait_and_no_more(void **state)
{
    struct world *world = *state;
    table_of(world);
    if (world->options->reopen)
        skip(); /* hundreds of reopenings show nothing new */
    char id[16];
    for (int i = 0; i <= 256; i++) {
        snprintf(id, sizeof id, "p-%d", i);
        step_ok(step_register(world, id, "t", "in"));
        if (i < 256)
            step_ok(step_queue_wait(world, id, "s", "told"));
    }
    step_refused(step_queue_wait(world, id, "s", "told"), PAWL_E_LIMIT);
    step_ok(step_queue_wait(world, "p-0", "s", "told")); /* it waits already */
    step_ok(step_queue_wait(world, id, "s-2", "told"));
}

static void test_S03_a_claim_is_resumed_by_its_consumer(void **state)
{
    struct world *world = *state;
    table_of(world);
    step_ok(step_register(world, "source", "t", "in"));
    deliver(world, "e-1");
    deliver(world, "e-2");
    deliver(world, "e-3");
    struct items first = claim_as(world, "call:a", 2, 1);
    assert_int_equal(first.count, 2);
    world_settle(world);
    struct items again = claim_as(world, "call:a", 2, 1);
    assert_int_equal(again.count, 2);
    assert_int_equal(again.token, first.token);
    assert_int_equal(again.claims, 1);
    assert_memory_equal(again.items, first.items, 2 * sizeof *first.items);
    assert_int_equal(claim_as(world, "call:b", 2, 1).count, 0);
    assert_int_equal(claim_as(world, "call:a", 2, 0).count, 0); /* only who asks for it */
    if (!world->options->real_time) {
        host_advance(world->host, 29 * SECOND);
        assert_int_equal(claim_as(world, "call:a", 2, 1).token, first.token); /* and is held anew */
        host_advance(world->host, 29 * SECOND);
        assert_int_equal(claim_as(world, "call:b", 2, 1).count, 0);
        host_advance(world->host, 2 * SECOND);
        assert_int_equal(claim_as(world, "call:a", 2, 1).token, first.token); /* nobody else has it since */
        host_advance(world->host, 31 * SECOND);
        assert_true(claim_as(world, "call:b", 2, 1).token > first.token);
        assert_int_equal(claim_as(world, "call:a", 2, 1).count, 0);
    }
    world_settle(world);
}

static void test_S03_a_settlement_answers_when_it_is_repeated(void **state)
{
    struct world *world = *state;
    table_of(world);
    step_ok(step_register(world, "source", "t", "in"));
    deliver(world, "e-1");
    deliver(world, "e-2");
    struct items first = claim_as(world, "call:a", 1, 1);
    assert_int_equal(settle_as(world, PAWL_QUEUE_ACKNOWLEDGE, &first, "a", ""), PAWL_E_INVALID);
    assert_int_equal(settle_as(world, PAWL_QUEUE_ACKNOWLEDGE, &first, "a", "key-1"), PAWL_OK);
    world_settle(world);
    assert_int_equal(settle_as(world, PAWL_QUEUE_ACKNOWLEDGE, &first, "a", "key-1"), PAWL_OK);
    assert_int_equal(settle_as(world, PAWL_QUEUE_ACKNOWLEDGE, &first, "b", "key-1"), PAWL_E_STALE);
    assert_int_equal(settle_as(world, PAWL_QUEUE_ACKNOWLEDGE, &first, "a", "key-2"), PAWL_E_STALE);
    struct items second = claim_as(world, "call:b", 1, 1);
    assert_int_equal(second.count, 1);
    assert_int_equal(settle_as(world, PAWL_QUEUE_RELEASE, &second, "a", "key-2"), PAWL_OK);
    assert_int_equal(settle_as(world, PAWL_QUEUE_RELEASE, &second, "a", "key-2"), PAWL_OK);
    assert_int_equal(settle_as(world, PAWL_QUEUE_ACKNOWLEDGE, &first, "a", "key-1"), PAWL_E_STALE); /* only the last */
    assert_int_equal(claim_as(world, "call:c", 10, 1).count, 1);
    world_settle(world);
}

static const struct CMUnitTest queue_wait_tests[] = {
    CASE(test_W03_a_delivery_tells_all_who_wait_once), CASE(test_W03_what_delivers_nothing_tells_nobody),
    CASE(test_W03_waits_and_deliveries_at_once),       CASE(test_S03_who_is_done_or_gives_back_tells_too),
    CASE(test_S03_who_has_ended_is_not_told),          CASE(test_I10_so_many_wait_and_no_more),
    CASE(test_S03_a_claim_is_resumed_by_its_consumer), CASE(test_S03_a_settlement_answers_when_it_is_repeated),
};
const struct group queue_wait_group = GROUP(queue_wait, REGISTRY_BIT | FACET_BIT(PAWL_FACET_SESSION));
