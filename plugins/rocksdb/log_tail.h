/* log_tail.h: what stands at the end of the files that RocksDB appends to, its write-ahead logs and its manifest, after
 * the store was not closed: a write that the crash cut short, or damage? RocksDB by itself refuses some that is merely
 * cut short and takes some that is damaged for cut short, which silently forgets what was acknowledged.
 *
 *   every record is whole                     nothing is done
 *   whole records behind one that is not      damage: they were written when that one had been flushed. Refused
 *   the last one is one flipped bit from      damage: no write that was cut short looks like that. Refused
 *   being whole
 *   the last one is anything else             it was cut short and never acknowledged. Cut off, and said
 *
 * Without sync a power failure may also take the end of one log and leave something of the next one. Every write has a
 * number; where those of one log do not follow on those of the one before it, the history ends there, and the logs
 * behind it are emptied. (Not when that log had been flushed, as RocksDB does before tables replace a part of it: then
 * it is damage.)
 *
 * What cannot be told apart: more than one bit of the very last record before a crash.
 *
 * It must never cut off a record that is whole, but behind such a gap. Called with the directory's lock held, before
 * RocksDB opens it. */
#ifndef PAWL_ROCKSDB_LOG_TAIL_H
#define PAWL_ROCKSDB_LOG_TAIL_H

#include "plugins/store/fault.h"

#include <stdbool.h>
#include <stddef.h>

/** Look at the logs and the manifest of a directory and cut off what a crash has left unfinished.
 *  @param path    the store's directory
 *  @param synced  every write was flushed before the next began. Otherwise a power failure may leave whole records
 *                 behind a broken one: the newest log is cut off at the first that is not whole, and recovery ends
 * there
 *  @param notice  what was cut off, as text; "" when nothing was
 *  @param size    of notice
 *  @return PAWL_E_CORRUPT names the file and the place; PAWL_E_IO, PAWL_E_NOMEM */
pawl_status pawl_log_tail_mend(const char *path, bool synced, char *notice, size_t size, pawl_fault *fault);

#endif
