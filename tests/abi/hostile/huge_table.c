/* huge_table.c: has a table whose struct_size is not a size. */
#define TABLE &table
#include "base.h"

static const pawl_effect_table table = {0xfffffff0u, 0, echo, NULL, NULL};
HOSTILE;
