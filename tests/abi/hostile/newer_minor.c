/* newer_minor.c: needs a later minor, whose manifest has keys that are unknown here. */
#define ABI                     "{\"major\":1,\"minor\":9}"
#define PARTS                   "\"kinds\":[\"poem\"],\"poems\":[]"
#define PAWL_PLUGIN_NEEDS_MINOR 9
#include "base.h"

HOSTILE;
