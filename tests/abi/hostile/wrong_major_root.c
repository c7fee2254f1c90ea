/* wrong_major_root.c: has a root of another major than its note says. */
#include "base.h"

HOSTILE_ROOT(sizeof(pawl_plugin_root), 2, 0, ID, "1.0.0", INIT);
