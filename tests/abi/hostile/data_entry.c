/* data_entry.c: has a variable by the name of the entry. */
#include "base.h"

PAWL_MANIFEST_NOTE_(MANIFEST);
PAWL_EXPORT extern const int pawl_plugin_entry_v1;
PAWL_EXPORT const int pawl_plugin_entry_v1 = 1;
