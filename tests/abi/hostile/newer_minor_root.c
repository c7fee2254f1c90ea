/* newer_minor_root.c: needs a later minor, but only its root says so. */
#include "base.h"

HOSTILE_ROOT(sizeof(pawl_plugin_root), 1, 9, ID, "1.0.0", INIT);
