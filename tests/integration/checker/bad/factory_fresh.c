/* factory_fresh.c: every lookup makes another table. */
#define GET_FACTORY fresh_factory
#include "base.h"

static const void *PAWL_CALL fresh_factory(const char *id)
{
    pawl_effect_table *made = NULL;
    if (strcmp(id, PAWL_FACTORY_EFFECT) == 0 && (made = calloc(1, sizeof *made)) != NULL) {
        made->struct_size = sizeof *made;
        made->execute = echo;
    }
    return made;
}
HOSTILE;
