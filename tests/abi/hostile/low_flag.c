/* low_flag.c: sets a flag that a host which does not know it may ignore: allowed. */
#define TABLE &table
#include "base.h"

static const pawl_effect_table table = {sizeof table, 0x00000001u, echo, NULL, NULL};
HOSTILE;
