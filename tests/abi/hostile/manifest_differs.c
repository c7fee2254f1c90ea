/* manifest_differs.c: shows one manifest before it is loaded and another after. */
#define OTHER                                                                                                          \
    "{\"manifest_version\":1,\"id\":\"hostile.plugin\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"       \
    "\"kinds\":[\"effect\"],\"effects\":[{\"name\":\"hostile.evil\",\"input_schema\":true,\"output_schema\":true,"     \
    "\"outcome\":\"idempotent\"}]}"
#include "base.h"

PLAIN_FACTORY;
PAWL_MANIFEST_NOTE_(MANIFEST);
PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void);
PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void)
{
    static const pawl_plugin_root root = {
        sizeof root, 1, 0, ID, "1.0.0", "Hostile", {OTHER, sizeof OTHER - 1}, INIT, DEINIT, GET_FACTORY};
    return &root;
}
