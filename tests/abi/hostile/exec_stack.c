/* exec_stack.c: is linked with an executable stack. */
#include "base.h"

HOSTILE;
