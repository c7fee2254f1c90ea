/* round.h: one group commit: what its operations stage, in memory and as rows, until the write has succeeded (publish)
 * or failed (undo). Belongs to the committer's thread; entries are changed under the registry's lock only. */
#ifndef PAWL_STORE_ROUND_H
#define PAWL_STORE_ROUND_H

#include "row.h"

/* A record of kind 64 and up that this round appends: what watches look at. */
typedef struct store_posted {
    struct store_posted *next;
    uint64_t sequence;
    uint32_t kind;
} store_posted;

/* An idempotency row that this round writes. */
typedef struct store_staged_post {
    struct store_staged_post *next;
    const pawl_post *post;
    uint64_t sequence;
} store_staged_post;

/* What the round does to one process. */
struct store_stage {
    store_stage *next;
    store_entry *entry;
    store_state state; /* as it will be */
    bool drop_lease;   /* by its holder: SUSPEND, COMPLETE, PARK */
    bool ended;
    bool made_ready;
    bool wake_set;
    bool waits; /* was stored as waiting: the count of claims starts anew */
    bool pruned;
    uint64_t cancel_sequence;
    pawl_registry_op *claim; /* REGISTER that wants the lease at once */
    uint64_t claim_token;
    store_posted *posted;
    store_posted **posted_end;
    store_staged_post *posts;
    struct store_posted_event *events; /* to tell its holder, in order */
    struct store_posted_event **events_end;
};

typedef struct store_posted_event {
    struct store_posted_event *next;
    pawl_record record;
} store_posted_event;

/* Why an operation was refused: told when the round has been written, for it may have been judged by what only this
 * round has staged. */
typedef struct store_refusal {
    struct store_refusal *next;
    pawl_registry_op *op;
    pawl_fault fault;
} store_refusal;

struct store_round {
    store_registry *registry;
    pawl_registry_op **ops; /* PAWL_STORE_ROUND_OPS_MAX of them */
    size_t op_count;        /* taken */
    size_t op_at;           /* the first that this write does not cover */
    size_t op_from;         /* the first that it does */
    pawl_batch rows;
    store_arena arena;
    store_stage *stages;
    store_stage **stages_end;
    store_refusal *refusals;
    int64_t deltas[STORE_STATUS_COUNT];
    uint64_t next_number;
    uint32_t types_stored;
    uint64_t prune_from;
    uint64_t now_unix_ns;
    bool closed;                  /* takes no further operation */
    pawl_registry_op *done_first; /* to be completed, in order, linked by provider_data[0] */
    pawl_registry_op *done_last;
    size_t done_count;
    pawl_registry_op **done; /* the same as an array */
    size_t done_capacity;
    pawl_buffer scratch;
};

store_round *store_round_create(store_registry *registry);
void store_round_destroy(store_round *round);
/** Begin staging. */
void store_round_begin(store_round *round);
/** Make what was staged what is in memory. After a write that succeeded. */
void store_round_publish(store_round *round);
/** Forget what was staged; operations that were fine get this fault. */
void store_round_undo(store_round *round, const pawl_fault *fault);
void store_round_done(store_round *round, pawl_registry_op *op);

/* ---- for the operations ---- */

/** The stage of an entry, made if need be; NULL: out of memory. Under lock. */
store_stage *store_stage_of(store_round *round, store_entry *entry);
/** Somebody leases it now, and this round has not ended that. Under lock. */
bool store_stage_is_leased(const store_stage *stage);
/** Append a record after everything staged so far. @return its sequence */
uint64_t store_stage_record(store_round *round, store_stage *stage, uint32_t kind, pawl_bytes body);
/** Room for records of these sizes? */
pawl_status store_stage_has_room(const store_round *round, const store_stage *stage, uint64_t records, uint64_t bytes,
                                 pawl_fault *fault);
/** Move to a status, with all index rows; ready: a ticket for the ready row if PAWL_READY needs one. */
void store_stage_move(store_round *round, store_stage *stage, uint32_t status, uint64_t wake_unix_ns, uint64_t ready);
bool store_stage_needs_ready(const store_stage *stage); /**< would PAWL_READY need a ticket? */
/** Write the header row as staged. */
void store_stage_header(store_round *round, store_stage *stage, pawl_bytes reason_code, pawl_bytes reason);
/** Remember a posted record for watches; false: out of memory. */
bool store_stage_note_posted(store_round *round, store_stage *stage, uint32_t kind, uint64_t sequence);

/* ---- the operations: check everything, then stage. They set the op's results, not its status ---- */

pawl_status store_stage_register(store_round *round, pawl_registry_op *op, pawl_fault *fault);
pawl_status store_stage_commit(store_round *round, pawl_registry_op *op, pawl_fault *fault);
pawl_status store_stage_post(store_round *round, pawl_registry_op *op, pawl_fault *fault);
pawl_status store_stage_prune(store_round *round, pawl_registry_op *op, pawl_fault *fault);

/* ---- watch.c ---- */

/** After publishing: complete the watch now, or keep it. cancelled: unwatch came while it was in the round. */
void store_watch_begin(store_round *round, pawl_registry_op *op, const uint8_t *cancelled);
/** Complete the watches that what was just published fulfils. Under lock. */
void store_watches_fire(store_round *round, store_stage *stage);
/** Complete all of them, the store is closing. */
void store_watches_close(store_round *round);
/** Take a watch out by its op; NULL when it is not there. Under lock. */
bool store_watch_remove(store_registry *registry, pawl_registry_op *op);

#endif
