/* sample.h: the plugin of sample.cpp or sample.rs, loaded. The two do the same, but for what their languages throw. */
#ifndef PAWL_TEST_SAMPLE_H
#define PAWL_TEST_SAMPLE_H

#include "pawl_plugin.h"

#ifdef SAMPLE_IS_RUST
#define THROWN_BY_EFFECT  "plugin.panic"
#define THROWN_BY_PROGRAM "process.panic"
#define THROWN_NUMBER     "the plugin panicked with something that is no text"
#else
#define THROWN_BY_EFFECT  "plugin.exception"
#define THROWN_BY_PROGRAM "process.exception"
#define THROWN_NUMBER     "the program threw something that is no std::exception"
#endif

/* The factory table of this id; fails the test when there is none. The plugin stays loaded. */
const void *sample_factory(const char *id);
const pawl_plugin_root *sample_root(void);

#endif
