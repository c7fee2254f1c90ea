/* counting_store.h: a storage plugin for the tests of the tier check: it says what tier it is told to say, counts who
 * calls it, and otherwise is the memory provider. Declares durable at best. */
#ifndef PAWL_TESTS_HOST_COUNTING_STORE_H
#define PAWL_TESTS_HOST_COUNTING_STORE_H

#include <pawl_abi.h>
#include <stdatomic.h>

const pawl_plugin_root *counting_store_plugin(void);

extern atomic_int counting_store_tiers; /* calls of tier() */
extern atomic_int counting_store_opens; /* calls of open() */
/** By facet: what tier() says. */
extern atomic_uint counting_store_says[PAWL_FACET_COUNT];
/** Its self-check fails: 1: in tier(), 2: in open(), with the code test.flush. */
extern atomic_int counting_store_fails;

#endif
