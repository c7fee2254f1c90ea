/* tiny_table.c: has a table too short for its first revision. */
#define TABLE &table
#include "base.h"

static const pawl_effect_table table = {8, 0, echo, NULL, NULL};
HOSTILE;
