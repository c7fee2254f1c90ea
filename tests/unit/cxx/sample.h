/* sample.h: the plugin of sample.cpp, loaded. */
#ifndef PAWL_TEST_CXX_SAMPLE_H
#define PAWL_TEST_CXX_SAMPLE_H

#include "pawl_plugin.h"

/* The factory table of this id; fails the test when there is none. The plugin stays loaded. */
const void *sample_factory(const char *id);
const pawl_plugin_root *sample_root(void);

#endif
