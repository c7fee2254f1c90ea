/* no_entry.c: hides its entry. */
#include "base.h"

PAWL_MANIFEST_NOTE_(MANIFEST);
const pawl_plugin_root *pawl_plugin_entry_v1(void);
const pawl_plugin_root *pawl_plugin_entry_v1(void)
{
    return NULL;
}
