/* damage.h: which of RocksDB's files is damaged, when RocksDB says that something is and not where, or names another: a
 * table whose properties do not read is reported as a damaged manifest, a blob by nothing at all. Reads every blob file
 * and the ends of every table: for the moment when an operator needs a name, never for every day. */
#ifndef PAWL_ROCKSDB_DAMAGE_H
#define PAWL_ROCKSDB_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>

/** Find the first damaged file of a directory. @return whether there is one; `text` says which, and where */
bool pawl_damage_find(const char *path, char *text, size_t size);

#endif
