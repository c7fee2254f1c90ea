/* meta.h: the facts of a whole store, in the meta family: its format, its epoch, its id, its counters and the names of
 * process types. How they are written and read; what they mean is store.h's and registry.h's. [any] */
#ifndef PAWL_STORE_META_H
#define PAWL_STORE_META_H

#include "kv.h"

#define STORE_FORMAT 1u /* of families, keys and rows */

#define STORE_META_FORMAT   "format"
#define STORE_META_EPOCH    "epoch"
#define STORE_META_ID       "id" /* 16 random bytes, made with the store */
#define STORE_META_COUNTERS "counters"
#define STORE_META_TYPE     "type" /* and its number */

#define STORE_ID_BYTES 16u

/** PAWL_E_NOT_FOUND leaves the fault empty. */
pawl_status pawl_store_meta_number(pawl_kv *kv, const char *name, uint64_t *value, pawl_fault *fault);
void pawl_store_meta_put_number(pawl_batch *batch, const char *name, uint64_t value);

/** counts has room for STORE_STATUS_COUNT. PAWL_E_NOT_FOUND: a store without any process yet; nothing is set. */
pawl_status pawl_store_meta_counters(pawl_kv *kv, uint64_t *next_number, uint64_t *counts, pawl_fault *fault);
void pawl_store_meta_put_counters(pawl_batch *batch, uint64_t next_number, const uint64_t *counts);

/** As 32 hexadecimal digits and NUL; "" when the store has none. */
pawl_status pawl_store_meta_id(pawl_kv *kv, char *text, pawl_fault *fault);
/** A new one. */
pawl_status pawl_store_meta_put_id(pawl_batch *batch, pawl_fault *fault);

#endif
