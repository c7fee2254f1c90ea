/* zero_table.c: forgot to set struct_size. */
#define TABLE &table
#include "base.h"

static const pawl_effect_table table = {0, 0, echo, NULL, NULL};
HOSTILE;
