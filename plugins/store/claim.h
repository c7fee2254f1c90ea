/* claim.h: one claim on its way, between the rooms that pick: claim.c (what was given back, what is due) and pick.c
 * (what is ready). Used by one thread, under the registry's claim_lock. */
#ifndef PAWL_STORE_CLAIM_H
#define PAWL_STORE_CLAIM_H

#include "row.h"

typedef struct pawl_store_pick {
    pawl_store_entry *entry; /* pinned */
    uint64_t token;
} pawl_store_pick;

typedef struct pawl_store_claiming {
    pawl_store_registry *registry;
    uint64_t session;
    uint64_t now_unix_ns;
    uint64_t token; /* fetched, not used yet; 0: none */
    pawl_store_pick *picks;
    size_t count;
    size_t limit;
    bool over; /* the session has ended */
    pawl_fault *fault;
} pawl_store_claiming;

/** Lease the process with this number, if it can be leased now. A damaged process stalls nobody else: it is reported
 *  and passed over. */
pawl_status pawl_store_claim_number(pawl_store_claiming *c, uint64_t number);
/** A cursor over the rows of one type in a family that begins with types. NULL: out of memory. */
pawl_kv_cursor *pawl_store_claim_cursor(pawl_store_claiming *c, pawl_family family, uint32_t type);
/** Lease what is ready: by priority, then key by key in turn, each first come first served. (pick.c) */
pawl_status pawl_store_claim_ready(pawl_store_claiming *c, pawl_store_type *type);

#endif
