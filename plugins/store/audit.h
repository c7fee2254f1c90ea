/* audit.h: looking through a whole closed store for rows that contradict each other, and rebuilding those that can be
 * worked out from others. Primary, and never touched: headers, journals, documents, sessions, contents, links, ids, the
 * names of types. Derived: the places in queues and lists, reverse links, counters, the id row of a process that is
 * there, a lost or outdated epoch.
 *
 * Memory is bounded: families are walked with cursors, side by side where they are sorted alike, and looked up by key
 * where not. A repair writes one row's worth at a time, each from the state it finds, so that it may die anywhere and
 * be begun again. One thread; nobody else has the store open. */
#ifndef PAWL_STORE_AUDIT_H
#define PAWL_STORE_AUDIT_H

#include "row.h"

/** How far a restored or rebuilt epoch jumps over what was seen, so that no token is given out twice. */
#define PAWL_STORE_EPOCH_JUMP 65536u

typedef struct pawl_audit {
    pawl_kv *kv;
    bool repair;
    pawl_care_visit visit;
    void *context;
    bool stopped;    /* the visitor said so */
    bool incomplete; /* a family could not be read to its end: what is counted over all rows says nothing */
    uint64_t rows;
    uint64_t processes;
    uint64_t problems;
    uint64_t repairable;
    uint64_t repaired;
    uint64_t sessions;
    uint64_t attachments;
    uint64_t artifacts;
    uint64_t queue_items;
    uint64_t abandoned_uploads; /* no problem: collected later */
    uint64_t loose_attachments; /* that nothing links: no problem, likewise */
    uint64_t leftover_chunks;   /* of interrupted artifact puts: no problem */
    uint64_t counts[STORE_STATUS_COUNT];
    uint64_t largest_number;
    uint64_t largest_ticket; /* of all tokens, queue places and upload numbers seen */
    uint32_t type_count;
    uint64_t known_bad_ready; /* rows that cannot be read and were told of with their process already */
    uint64_t known_bad_ident;
    pawl_batch fix;     /* what would put the problem at hand right */
    pawl_buffer header; /* of the process at hand, and what was looked up */
    pawl_buffer scratch;
} pawl_audit;

/** Where a problem is. */
typedef struct pawl_audit_place {
    pawl_family family;
    pawl_bytes key;
    pawl_bytes process;
    uint64_t number;
} pawl_audit_place;

/* ---- audit.c ---- */

/** Look through a store; PAWL_OK when it came to its end, whatever was found. */
pawl_status pawl_store_audit_run(pawl_audit *audit, pawl_fault *fault);
void pawl_store_audit_finish(pawl_audit *audit);
/** What was counted, as an object. */
json_t *pawl_store_audit_facts(const pawl_audit *audit);

/** One more row was looked at. @return false when the visitor wants to stop */
bool pawl_store_audit_row(pawl_audit *audit, pawl_family family);
/** Tell of damage that only a backup can mend. */
void pawl_store_audit_primary(pawl_audit *audit, const pawl_audit_place *place, const char *found, const char *wanted,
                              const char *advice);
/** Tell of damage that audit->fix would mend, and mend it when repairing. Takes what is in audit->fix. */
pawl_status pawl_store_audit_derived(pawl_audit *audit, const pawl_audit_place *place, const char *found,
                                     const char *wanted, pawl_fault *fault);
/** A walk over a family has ended: tell when that was not its end. */
void pawl_store_audit_walked(pawl_audit *audit, pawl_family family, pawl_kv_cursor *cursor);
/** A row whose seal is broken, or what the engine said of it instead of giving it; fault as it came. */
void pawl_store_audit_unreadable(pawl_audit *audit, const pawl_audit_place *place, const pawl_fault *fault,
                                 const char *advice);
void pawl_store_audit_ticket(pawl_audit *audit, uint64_t ticket);
#define PAWL_AUDIT_RESTORE "restore a backup"

/* ---- the walks ---- */

pawl_status pawl_store_audit_processes(pawl_audit *audit, pawl_fault *fault); /* headers, journals, posts, documents */
pawl_status pawl_store_audit_indexes(pawl_audit *audit, pawl_fault *fault);   /* what leads to a process */
pawl_status pawl_store_audit_sessions(pawl_audit *audit, pawl_fault *fault);
pawl_status pawl_store_audit_handles(pawl_audit *audit, pawl_fault *fault); /* the rights of sessions on processes */
pawl_status pawl_store_audit_inboxes(pawl_audit *audit, pawl_fault *fault); /* the queues of sessions */
pawl_status pawl_store_audit_attachments(pawl_audit *audit, pawl_fault *fault);
pawl_status pawl_store_audit_artifacts(pawl_audit *audit, pawl_fault *fault);

/** This process as a parent, with so many records of children that ended, and as a child. (audit_children.c) */
pawl_status pawl_store_audit_children(pawl_audit *audit, uint64_t number, const pawl_store_header *header,
                                      uint64_t records, pawl_fault *fault);

/** Everything that leads to this process is there. (audit_index.c) */
pawl_status pawl_store_audit_expect_indexes(pawl_audit *audit, uint64_t number, const pawl_store_header *header,
                                            pawl_fault *fault);

#endif
