/* next_entry.c: is for hosts of the next major only. */
#include "base.h"

PAWL_MANIFEST_NOTE_(MANIFEST);
PAWL_EXPORT const void *pawl_plugin_entry_v2(void);
PAWL_EXPORT const void *pawl_plugin_entry_v2(void)
{
    return NULL;
}
