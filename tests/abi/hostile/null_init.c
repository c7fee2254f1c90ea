/* null_init.c: has no init. */
#include "base.h"

HOSTILE_ROOT(sizeof(pawl_plugin_root), 1, 0, ID, "1.0.0", NULL);
