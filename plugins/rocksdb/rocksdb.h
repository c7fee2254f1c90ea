/* rocksdb.h: the storage plugin that keeps everything in RocksDB, id "pawl.rocksdb". All four facets; tier durable, or
 * crash_safe with "sync": false. Linked in; reached like any other plugin, through its root. */
#ifndef PAWL_ROCKSDB_H
#define PAWL_ROCKSDB_H

#include "pawl_abi.h"

/** The plugin's root. Static. [pure] */
const pawl_plugin_root *pawl_rocksdb_plugin(void);

#endif
