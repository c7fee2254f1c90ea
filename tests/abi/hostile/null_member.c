/* null_member.c: has a table with a hole where the manifest needs a function. */
#define TABLE &table
#include "base.h"

PAWL_EFFECT_TABLE(table, NULL, NULL, NULL);
HOSTILE;
