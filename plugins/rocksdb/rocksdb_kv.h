/* rocksdb_kv.h: RocksDB behind the key-value seam. Owns the store's directory: its lock, its holder file, its format
 * file and the database. [any] after open. */
#ifndef PAWL_ROCKSDB_KV_H
#define PAWL_ROCKSDB_KV_H

#include "plugins/store/config.h"
#include "plugins/store/kv.h"

/** Open or create the directory config->path (its parent must exist). PAWL_E_BUSY names who holds it; a directory
 *  written by a newer format is PAWL_E_UNSUPPORTED, and nothing is written. Closed through its table. */
pawl_status pawl_rocksdb_kv_open(const pawl_store_config *config, pawl_kv **kv, pawl_fault *fault);

#endif
