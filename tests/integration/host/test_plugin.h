/* test_plugin.h: a plugin linked into the tests, with process types, effects and a connector, and switches for the
 * tests. */
#ifndef PAWL_TESTS_HOST_TEST_PLUGIN_H
#define PAWL_TESTS_HOST_TEST_PLUGIN_H

#include <pawl_abi.h>
#include <stdatomic.h>

const pawl_plugin_root *test_plugin(void);

extern atomic_int test_plugin_healthy;   /* 0: test.flaky fails */
extern atomic_int test_plugin_calls;     /* effect calls so far */
extern atomic_int test_plugin_instances; /* connector instances alive */
extern atomic_int test_plugin_together;  /* the most connector calls at once */
extern atomic_int test_plugin_blocked;   /* calls inside test.block */
extern atomic_int test_plugin_inits;     /* inits without deinit */
extern atomic_int test_plugin_deaf;      /* 1: calls of test.deaf do not return */
extern atomic_int test_plugin_late;      /* what the last of them got from the host when it did */
void test_plugin_reset(void);

#endif
