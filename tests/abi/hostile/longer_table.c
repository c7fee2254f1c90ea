/* longer_table.c: was built with a header whose table has grown: allowed. */
#define TABLE &longer
#include "base.h"

static const struct {
    pawl_effect_table table;
    void *later[4];
} longer = {{sizeof longer, 0, echo, NULL, NULL}, {NULL}};
HOSTILE;
