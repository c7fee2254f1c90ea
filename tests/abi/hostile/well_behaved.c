/* well_behaved.c: breaks no rule. */
#include "base.h"

HOSTILE;
