/* inbox_test.c: an inbox loses nothing, keeps the order of each who puts in, wakes who sleeps, and may be gone as soon
 * as the last item has been taken. */
#include "worker/base/inbox.h"

#include "test.h"

#include <stdint.h>
#include <stdlib.h>

#define PUTTERS 4u
#define EACH    20000u

typedef struct parcel {
    pawl_inbox_item item;
    unsigned from;
    unsigned number;
} parcel;

typedef struct putter {
    pawl_inbox *inbox;
    parcel *parcels;
    pthread_t thread;
} putter;

static void *put_all(void *context)
{
    putter *self = context;
    for (unsigned i = 0; i < EACH; i++)
        pawl_inbox_put(self->inbox, &self->parcels[i].item);
    return NULL;
}

static void start(putter *self, pawl_inbox *inbox, unsigned from)
{
    self->inbox = inbox;
    self->parcels = calloc(EACH, sizeof *self->parcels);
    assert_non_null(self->parcels);
    for (unsigned i = 0; i < EACH; i++) {
        self->parcels[i].from = from;
        self->parcels[i].number = i;
    }
    assert_int_equal(pthread_create(&self->thread, NULL, put_all, self), 0);
}

static void test_nothing_is_lost_and_each_ones_order_is_kept(void **state)
{
    (void)state;
    pawl_inbox inbox;
    putter putters[PUTTERS];
    unsigned next[PUTTERS] = {0};
    pawl_inbox_init(&inbox);
    for (unsigned i = 0; i < PUTTERS; i++)
        start(&putters[i], &inbox, i);
    for (unsigned taken = 0; taken < PUTTERS * EACH;) {
        pawl_inbox_item *item = pawl_inbox_take(&inbox);
        if (item == NULL)
            pawl_inbox_wait(&inbox, NULL);
        for (; item != NULL; item = item->next) {
            const parcel *got = (const parcel *)item;
            assert_int_equal(got->number, next[got->from]);
            next[got->from]++;
            taken++;
        }
    }
    assert_null(pawl_inbox_take(&inbox));
    for (unsigned i = 0; i < PUTTERS; i++) {
        pthread_join(putters[i].thread, NULL);
        free(putters[i].parcels);
    }
    pawl_inbox_finish(&inbox);
}

static void *put_one(void *context)
{
    putter *self = context;
    pawl_inbox_put(self->inbox, &self->parcels[0].item);
    return NULL;
}

/* The memory of an inbox may go as soon as its last item is taken, while who put it in still returns. */
static void test_an_inbox_may_go_with_its_last_item(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        pawl_inbox *inbox = malloc(sizeof *inbox);
        assert_non_null(inbox);
        pawl_inbox_init(inbox);
        parcel one = {.number = i};
        putter self = {.inbox = inbox, .parcels = &one};
        assert_int_equal(pthread_create(&self.thread, NULL, put_one, &self), 0);
        pawl_inbox_item *item;
        while ((item = pawl_inbox_take(inbox)) == NULL)
            pawl_inbox_wait(inbox, NULL);
        assert_ptr_equal(item, &one.item);
        pawl_inbox_finish(inbox);
        free(inbox);
        pthread_join(self.thread, NULL);
    }
}

static void test_a_wait_ends_at_its_moment(void **state)
{
    (void)state;
    pawl_inbox inbox;
    parcel one = {.number = 1};
    pawl_inbox_init(&inbox);
    struct timespec past = {0};
    pawl_inbox_wait(&inbox, &past);
    assert_null(pawl_inbox_take(&inbox));
    pawl_inbox_put(&inbox, &one.item); /* after a wait that ended by itself an item is an item again */
    pawl_inbox_wait(&inbox, NULL);     /* and nobody sleeps over one that is there */
    assert_ptr_equal(pawl_inbox_take(&inbox), &one.item);
    pawl_inbox_finish(&inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_lost_and_each_ones_order_is_kept),
        cmocka_unit_test(test_an_inbox_may_go_with_its_last_item),
        cmocka_unit_test(test_a_wait_ends_at_its_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
