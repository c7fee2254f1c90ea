/* manifest.h: which tables and logs RocksDB's manifest counts, read from its records without opening the database: what
 * lies in the directory beside them may be half written and is nobody's. Called while nobody writes there. */
#ifndef PAWL_ROCKSDB_MANIFEST_H
#define PAWL_ROCKSDB_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The numbers of the tables. @param ret_numbers  to be freed
 *  @return false when the manifest has anything that is not known here, or there is no memory: then nothing is said */
bool pawl_manifest_tables(const uint8_t *data, size_t size, uint64_t **ret_numbers, size_t *ret_count);

/** The logs. @param ret_oldest   what stands in logs with smaller numbers is in tables, and they are not read any more
 *  @param ret_flushed  some family's tables hold what it had in logs with smaller numbers: those were flushed before
 *  @return false when the manifest has anything that is not known here: then nothing is said */
bool pawl_manifest_logs(const uint8_t *data, size_t size, uint64_t *ret_oldest, uint64_t *ret_flushed);

/** A number as these files have it: seven bits a byte. @return false at the end of the data */
bool pawl_manifest_varint(const uint8_t *data, size_t size, size_t *at, uint64_t *value);

#endif
