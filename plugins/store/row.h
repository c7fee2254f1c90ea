/* row.h: the registry's rows: how headers, records and index keys are written and read back. Nothing here knows what
 * is in memory. [any] */
#ifndef PAWL_STORE_ROW_H
#define PAWL_STORE_ROW_H

#include "registry.h"

/* A header row, decoded; bytes point into the buffer it was read into. */
typedef struct pawl_store_header {
    pawl_store_state state;
    pawl_store_identity identity;
    pawl_bytes reason_code;
    pawl_bytes reason;
} pawl_store_header;

/* A journal row, decoded. */
typedef struct pawl_store_record {
    uint32_t kind;
    uint64_t sequence;
    uint64_t time_unix_ns;
    uint64_t journal_bytes;   /* of all bodies up to and including this one */
    uint64_t previous_posted; /* the last record of kind 64 and up in front of this one (STARTED not counted) */
    pawl_bytes body;
} pawl_store_record;

/** The constant part of a header, as it is stored. encoded is filled and identity's bytes point into it. */
void pawl_store_identity_encode(pawl_buffer *encoded, const pawl_store_identity *identity);
/** Read it back; false when it is damaged. */
bool pawl_store_identity_decode(pawl_bytes encoded, pawl_store_identity *identity);

void pawl_store_put_header(pawl_batch *batch, uint64_t number, const pawl_store_state *state,
                           pawl_bytes encoded_identity, pawl_bytes reason_code, pawl_bytes reason);
/** Read a header row; the header's bytes point into the value. */
pawl_status pawl_store_decode_header(pawl_bytes key, pawl_bytes value, pawl_store_header *header, pawl_fault *fault);
pawl_status pawl_store_read_header(pawl_kv *kv, uint64_t number, pawl_buffer *buffer, pawl_store_header *header,
                                   pawl_fault *fault);

void pawl_store_put_record(pawl_batch *batch, uint64_t number, const pawl_store_record *record);
pawl_status pawl_store_decode_record(pawl_bytes key, pawl_bytes value, pawl_store_record *record, pawl_fault *fault);
/** One record; PAWL_E_NOT_FOUND. */
pawl_status pawl_store_read_record(pawl_kv *kv, uint64_t number, uint64_t sequence, pawl_buffer *buffer,
                                   pawl_store_record *record, pawl_fault *fault);
/** The last record of a process; its body goes to the buffer. head: what its header says of it, or 0; the journal may
 *  be longer. PAWL_E_CORRUPT when there is none. */
pawl_status pawl_store_read_tail(pawl_kv *kv, uint64_t number, uint64_t head, pawl_buffer *buffer,
                                 pawl_store_record *record, pawl_fault *fault);
/** Header and last record. PAWL_E_NOT_FOUND when there is no such process, also when it is pruned meanwhile. */
pawl_status pawl_store_read_process(pawl_kv *kv, uint64_t number, pawl_buffer *header_buffer, pawl_store_header *header,
                                    pawl_buffer *tail_buffer, pawl_store_record *tail, pawl_fault *fault);
/** Is there (still) a header row? */
bool pawl_store_has_header(pawl_kv *kv, uint64_t number);
/** Bring a state that was read from a header up to the last record. */
void pawl_store_state_advance(pawl_store_state *state, const pawl_store_record *tail);

/** id -> number. PAWL_E_NOT_FOUND; pruned ones give PAWL_E_NOT_FOUND with code "registry.no_longer_retained". */
pawl_status pawl_store_read_ident(pawl_kv *kv, pawl_bytes id, uint64_t *number, pawl_fault *fault);
void pawl_store_put_ident(pawl_batch *batch, pawl_bytes id, uint64_t number);
#define STORE_IDENT_LIVE   0u
#define STORE_IDENT_PRUNED 1u

/** What is left of a pruned process beside its id. (tombstone.c) */
typedef struct pawl_store_tombstone {
    uint64_t number;
    uint64_t ended_unix_ns;
    uint32_t run;
} pawl_store_tombstone;
/** The row under its id, and the one by which it is found when it is to be forgotten. */
void pawl_store_put_tombstone(pawl_batch *batch, pawl_bytes id, const pawl_store_tombstone *tombstone);
/** PAWL_E_NOT_FOUND: the id is unknown, or that of a process. */
pawl_status pawl_store_read_tombstone(pawl_kv *kv, pawl_bytes id, pawl_store_tombstone *ret, pawl_fault *fault);
/** The row by which it is found; its value is the id. */
void pawl_store_key_tombstone(pawl_key *key, const pawl_store_tombstone *tombstone);
#define STORE_NO_LONGER_RETAINED "registry.no_longer_retained"

/** number 0: the row that says whose turn it is. */
void pawl_store_key_turn(pawl_key *key, uint64_t session, uint64_t number);
/** Whose turn it is in the session with this hash; 0: nobody's. (turn.c) */
pawl_status pawl_store_read_turn(pawl_kv *kv, uint64_t session, uint64_t *holder, pawl_fault *fault);
void pawl_store_key_number(pawl_key *key, uint64_t number);
void pawl_store_key_journal(pawl_key *key, uint64_t number, uint64_t sequence);
/** Type, priority and whether there is a key in one byte, the key's hash if so, ready sequence. */
void pawl_store_key_ready(pawl_key *key, const pawl_store_identity *identity, uint64_t ready_sequence);
/** The part of it that all ready rows of one priority and key share; of all keys of a priority: KEYED. */
void pawl_store_key_lane(pawl_key *key, uint32_t type, uint32_t priority, uint64_t lane);
/** What a key of a ready row says; false: it is none. */
bool pawl_store_read_ready_key(pawl_bytes key, uint32_t *type, uint32_t *priority, uint64_t *lane, uint64_t *sequence);
void pawl_store_key_wake(pawl_key *key, uint32_t type, uint64_t due, uint64_t number);
void pawl_store_key_status(pawl_key *key, uint32_t status, uint64_t number);
void pawl_store_key_ended(pawl_key *key, uint64_t ended_unix_ns, uint64_t number);
void pawl_store_key_post(pawl_key *key, uint64_t number, uint32_t kind, pawl_bytes post_id);
#define STORE_RELATION_ORPHANS   ((uint8_t)'o')
#define STORE_RELATION_DEADLINE  ((uint8_t)'d')
#define STORE_RELATION_TOMBSTONE ((uint8_t)'z')
/** relation: 's' session, 'p' parent, 't' type (value: its number), 'o' (value: 0) ended with children to look after,
 *  'd' (value: when) has a deadline. */
void pawl_store_key_relation(pawl_key *key, uint8_t relation, uint64_t value, uint64_t number);
uint64_t pawl_store_hash(pawl_bytes bytes);

#endif
