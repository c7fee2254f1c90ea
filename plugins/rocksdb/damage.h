/* damage.h: which of RocksDB's files is damaged, when RocksDB says that something is and not where, or names another,
 * or dies of it: a table whose properties do not read is reported as a damaged manifest, a blob by nothing at all.
 * Finding reads every blob file and the ends of every table: for the moment when an operator needs a name. */
#ifndef PAWL_ROCKSDB_DAMAGE_H
#define PAWL_ROCKSDB_DAMAGE_H

#include "plugins/store/fault.h"

#include <stdbool.h>
#include <stddef.h>

/** Are the tables in use such that RocksDB can open them? It does not check what it opens them by, and may die of it.
 *  Reads a page or two of each. @return PAWL_E_CORRUPT names the first that is not */
pawl_status pawl_damage_check_tables(const char *path, pawl_fault *fault);

/** Find the first damaged file of a directory. @return whether there is one; `text` says which, and where */
bool pawl_damage_find(const char *path, char *text, size_t size);

#endif
