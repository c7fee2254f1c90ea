/* directory.h: what surrounds the database in a store's directory: who holds it, and in which format it was written.
 * Both are looked at before the database is touched. [loader] */
#ifndef PAWL_ROCKSDB_DIRECTORY_H
#define PAWL_ROCKSDB_DIRECTORY_H

#include "plugins/store/fault.h"

#define PAWL_STORE_FORMAT 1u /* of the whole store: families, keys, rows */

/** Create the directory if it is missing, refuse a newer format, and lock it for this open store: `pawl.holder` in it
 *  is locked and says which process of which machine has it.
 *  @param lock receives the descriptor that holds the lock */
pawl_status pawl_directory_take(const char *path, int *lock, pawl_fault *fault);

/** Write the format file, once the database is known to open. */
pawl_status pawl_directory_mark(const char *path, pawl_fault *fault);

/** Let go of the lock. */
void pawl_directory_leave(int lock);

#endif
