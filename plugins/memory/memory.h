/* memory.h: the storage plugin that keeps everything in memory, id "pawl.memory". All four facets, tier inline. Linked
 * in; reached like any other plugin, through its root. */
#ifndef PAWL_MEMORY_H
#define PAWL_MEMORY_H

#include "pawl_abi.h"

/** The plugin's root. Static. [pure] */
const pawl_plugin_root *pawl_memory_plugin(void);

#endif
