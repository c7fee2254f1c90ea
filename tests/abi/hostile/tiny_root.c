/* tiny_root.c: has a root too short to hold what every root holds. */
#include "base.h"

HOSTILE_ROOT(8, 1, 0, ID, "1.0.0", INIT);
