/* log_record.h: the format of the files that RocksDB appends to: blocks of 32 KiB, in them fragments with a header of
 * seven bytes (checksum, length, type), of which a record has one or several. [pure] */
#ifndef PAWL_ROCKSDB_LOG_RECORD_H
#define PAWL_ROCKSDB_LOG_RECORD_H

#include "plugins/store/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAWL_LOG_BLOCK_BYTES  32768u
#define PAWL_LOG_HEADER_BYTES 7u

/** What a file holds. */
typedef struct pawl_log_look {
    bool complete;     /**< every record is whole, and none has begun at the end */
    size_t whole;      /**< where the last whole record ends */
    size_t bad;        /**< where the first fragment begins that is not whole; the size when all are */
    bool foreign;      /**< has fragments of a kind that is not known here: nothing else is said */
    bool cut_short;    /**< it would be longer than the file: nothing says that it was ever written */
    bool goes_on;      /**< whole records follow behind that */
    size_t goes_on_at; /**< the first of them */
    bool flipped;      /**< one bit more or less, and the fragment at `bad` were whole */
    size_t flipped_at; /**< the byte with that bit */
    bool has_records;  /**< there is a whole one. Of a file with sequence numbers: */
    uint64_t first;    /**< the number of the first write in it */
    uint64_t next;     /**< the number of the first write behind its last whole record */
} pawl_log_look;

/** Look at a whole file. sequences: records begin with a sequence number that only grows, as those of a log do. */
pawl_log_look pawl_log_look_at(const uint8_t *data, size_t size, bool sequences);

/** The next whole record. *at starts at 0. @return false at the end, and where it is not whole */
bool pawl_log_next(const uint8_t *data, size_t size, size_t *at, pawl_buffer *record);

/** The checksum of bytes as these files have it. */
uint32_t pawl_log_crc(const uint8_t *data, size_t size);

#endif
