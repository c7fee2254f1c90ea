/* around_plugin.h: a plugin linked into the tests, with middleware and an observer that do what a test says. */
#ifndef PAWL_TESTS_HOST_AROUND_PLUGIN_H
#define PAWL_TESTS_HOST_AROUND_PLUGIN_H

#include <pawl_abi.h>
#include <stdatomic.h>

const pawl_plugin_root *around_plugin(void);

extern atomic_int around_answer;     /* of middleware: a pawl_status; PAWL_PENDING waits for an hour */
extern atomic_int around_naps;       /* 1: the observer takes 3 ms each time */
extern atomic_int around_told;       /* times that it was told */
extern atomic_int around_instances;  /* of both, alive */
extern atomic_int around_gives_none; /* 1: create says that all is well, and gives nothing */
void around_reset(void);

#endif
