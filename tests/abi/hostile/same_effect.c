/* same_effect.c: another id, but the effect of well_behaved.c. */
#define ID "hostile.same-effect"
#include "base.h"

HOSTILE;
