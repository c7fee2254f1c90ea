/* factory_prefix.c: it compares the beginning of an id. */
#define GET_FACTORY prefix_factory
#include "base.h"

PAWL_EFFECT_TABLE(table, echo, NULL, NULL);

static const void *PAWL_CALL prefix_factory(const char *id)
{
    return strncmp(id, "pawl.effect", 11) == 0 ? &table : NULL;
}
HOSTILE;
