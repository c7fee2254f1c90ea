/* closed.h: what a store's files were when it was closed, in a small file beside them (pawl.closed), so that whatever
 * has happened to them since is noticed and named: after a close nothing may be cut short, and nothing missing. RocksDB
 * by itself takes a log or a manifest that ends early for one that a crash cut short.
 *
 * Tables and blob files are known by their size, for their blocks have checksums of their own; everything else by its
 * content, too. The note is removed before RocksDB opens the store and written after it has closed it; a store that was
 * not closed has none. Called with the directory's lock held. It must never outlive the state it describes. */
#ifndef PAWL_ROCKSDB_CLOSED_H
#define PAWL_ROCKSDB_CLOSED_H

#include "plugins/store/fault.h"

#include <stdbool.h>

/** Are the files as they were when the store was closed?
 *  @param closed  whether there is a note at all
 *  @return PAWL_E_CORRUPT names the first file that is not; PAWL_E_IO */
pawl_status pawl_closed_check(const char *path, bool *closed, pawl_fault *fault);
/** Remove the note, for good even if the power fails: the files are about to change. */
pawl_status pawl_closed_forget(const char *path, pawl_fault *fault);
/** Write the note. Without space, or on any other failure, there is none: the store counts as not closed. */
void pawl_closed_note(const char *path);

#endif
