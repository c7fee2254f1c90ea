/* null_root.c: has nothing to show. */
#include "base.h"

PAWL_MANIFEST_NOTE_(MANIFEST);
PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void);
PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void)
{
    return NULL;
}
