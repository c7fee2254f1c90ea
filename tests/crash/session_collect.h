/* session_collect.h: the step of the upkeep that a test of crashes takes itself, so that it falls at a known place. */
#ifndef PAWL_TEST_CRASH_SESSION_COLLECT_H
#define PAWL_TEST_CRASH_SESSION_COLLECT_H

#include <pawl/pawl.h>

/** Remove, one at a time, all content that nothing refers to. */
pawl_status session_collect(pawl_host *host);

#endif
