/* version_differs.c: has one version in its root and another in its manifest. */
#include "base.h"

HOSTILE_ROOT(sizeof(pawl_plugin_root), 1, 0, ID, "1.0.1", INIT);
