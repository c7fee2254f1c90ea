/* attribute.h: search attributes: a small JSON object for each process, and the index rows that find a process by them.
 * What they are called and which kind a value has is the host's to say; here a value is a string, an integer, a real or
 * a boolean, and sorts among its like.
 *
 * The object stands beside the status document; an index row is name, kind, value and process number, in the family of
 * relations, and holds nothing. [any] */
#ifndef PAWL_STORE_ATTRIBUTE_H
#define PAWL_STORE_ATTRIBUTE_H

#include "round.h"

/** The object in these bytes: checked; PAWL_E_INVALID or PAWL_E_LIMIT say what is wrong with it. patch: null is
 * allowed, it removes. *ret is a new reference. */
pawl_status pawl_store_attributes_parse(pawl_bytes json, bool patch, json_t **ret, pawl_fault *fault);

/** The stored object of a process; an empty one when there is none. *ret is a new reference. PAWL_E_CORRUPT. */
pawl_status pawl_store_attributes_read(pawl_kv *kv, uint64_t number, json_t **ret, pawl_fault *fault);
/** Its bytes, into a buffer. PAWL_E_NOT_FOUND leaves the fault empty. */
pawl_status pawl_store_attributes_bytes(pawl_kv *kv, uint64_t number, pawl_buffer *buffer, pawl_bytes *ret,
                                        pawl_fault *fault);

/** What applying these bytes would do to the process of this stage, or to a new one (NULL). A change of nothing is left
 *  zero. */
pawl_status pawl_store_attributes_prepare(pawl_store_round *round, const pawl_store_stage *stage, pawl_bytes patch,
                                          pawl_store_attribute_change *ret, pawl_fault *fault);
/** Stage it and forget it. @return true when the header must be written, for it says that there are attributes */
bool pawl_store_attributes_stage(pawl_store_round *round, pawl_store_stage *stage, pawl_store_attribute_change *change);
void pawl_store_attributes_forget(pawl_store_attribute_change *change);
/** Stage the removal of all rows. */
void pawl_store_attributes_remove(pawl_batch *batch, uint64_t number, json_t *attributes);

/** What one value's rows begin with: name, kind, value. */
void pawl_store_key_attribute_value(pawl_key *key, pawl_bytes name, const json_t *value);
/** What the rows of one name and the kind of this value begin with. */
void pawl_store_key_attribute_kind(pawl_key *key, pawl_bytes name, const json_t *value);
/** What those of strings that begin so begin with. */
void pawl_store_key_attribute_prefix(pawl_key *key, pawl_bytes name, pawl_bytes prefix);
/** The whole key of a row. */
void pawl_store_key_attribute(pawl_key *key, pawl_bytes name, const json_t *value, uint64_t number);
/** Where the object of a process stands in the family of documents. */
void pawl_store_key_attributes(pawl_key *key, uint64_t number);
/** The name in the key of an index row; empty when it has none. */
pawl_bytes pawl_store_attribute_key_name(pawl_bytes key);

#endif
