/* huge_root.c: has a struct_size that is not a size. */
#include "base.h"

HOSTILE_ROOT(0xffffffffu, 1, 0, ID, "1.0.0", INIT);
