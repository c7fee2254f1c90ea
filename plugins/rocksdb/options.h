/* options.h: how RocksDB is set up, and why. Owned by the open engine. [loader] */
#ifndef PAWL_ROCKSDB_OPTIONS_H
#define PAWL_ROCKSDB_OPTIONS_H

#include "plugins/store/config.h"
#include "plugins/store/kv.h"

#include <rocksdb/c.h>

typedef struct pawl_rocksdb_options {
    rocksdb_options_t *database;
    rocksdb_options_t *family[PAWL_FAMILY_COUNT];
    rocksdb_block_based_table_options_t *point_table; /* with a filter, for families read by whole keys */
    rocksdb_block_based_table_options_t *range_table;
    rocksdb_cache_t *cache; /* one for all families */
} pawl_rocksdb_options;

void pawl_rocksdb_options_init(pawl_rocksdb_options *options, const pawl_store_config *config);
void pawl_rocksdb_options_finish(pawl_rocksdb_options *options);

#endif
