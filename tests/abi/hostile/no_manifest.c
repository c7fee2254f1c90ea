/* no_manifest.c: has an entry but no note. */
#include "base.h"

PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void);
PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void)
{
    return NULL;
}
