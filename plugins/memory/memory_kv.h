/* memory_kv.h: an ordered map in memory behind the key-value seam. Owns its rows; gone when closed. [any] */
#ifndef PAWL_MEMORY_KV_H
#define PAWL_MEMORY_KV_H

#include "plugins/store/kv.h"

/** An empty engine, closed through its table. */
pawl_status pawl_memory_kv_open(pawl_kv **kv, pawl_fault *fault);

#endif
