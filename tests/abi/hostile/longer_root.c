/* longer_root.c: was built for a host whose root has grown: allowed. */
#include "base.h"

PLAIN_FACTORY;
PAWL_MANIFEST_NOTE_(MANIFEST);
PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void);
PAWL_EXPORT const pawl_plugin_root *pawl_plugin_entry_v1(void)
{
    static const struct {
        pawl_plugin_root root;
        void *later[4];
    } longer = {{sizeof longer,
                 1,
                 0,
                 ID,
                 "1.0.0",
                 NULL,
                 {pawl_plugin_note_.descriptor, sizeof(MANIFEST) - 1},
                 INIT,
                 DEINIT,
                 GET_FACTORY},
                {NULL}};
    return &longer.root;
}
