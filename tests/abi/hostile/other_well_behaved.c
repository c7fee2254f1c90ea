/* other_well_behaved.c: breaks no rule; for sets of more than one. */
#define ID     "hostile.other"
#define EFFECT "hostile.other"
#include "base.h"

HOSTILE;
