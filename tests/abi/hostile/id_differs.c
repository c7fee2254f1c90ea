/* id_differs.c: has one id in its root and another in its manifest. */
#include "base.h"

HOSTILE_ROOT(sizeof(pawl_plugin_root), 1, 0, "hostile.someone-else", "1.0.0", INIT);
