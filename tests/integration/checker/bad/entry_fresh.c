/* entry_fresh.c: every call of the entry makes another root. */
#include "base.h"

PLAIN_FACTORY;
PAWL_MANIFEST_NOTE_(MANIFEST);
PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void);
PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void)
{
    const pawl_plugin_root root = {
        sizeof root, 1,      0,          ID, "1.0.0", "Hostile", {pawl_plugin_note_.descriptor, sizeof(MANIFEST) - 1},
        INIT,        DEINIT, GET_FACTORY};
    pawl_plugin_root *made = malloc(sizeof *made);
    *made = root;
    return made;
}
