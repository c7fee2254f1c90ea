/* origin.c: it looks for libraries beside itself (see the link option). */
#include "base.h"
HOSTILE;
