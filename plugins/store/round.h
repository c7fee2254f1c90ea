/* round.h: one group commit: what its operations stage, in memory and as rows, until the write has succeeded (publish)
 * or failed (undo). Belongs to the committer's thread; entries are changed under the registry's lock only. */
#ifndef PAWL_STORE_ROUND_H
#define PAWL_STORE_ROUND_H

#include "row.h"

/* A record of kind 64 and up that this round appends: what watches look at. */
typedef struct pawl_store_posted {
    struct pawl_store_posted *next;
    uint64_t sequence;
    uint32_t kind;
} pawl_store_posted;

/* An idempotency row that this round writes. */
typedef struct pawl_store_staged_post {
    struct pawl_store_staged_post *next;
    const pawl_post *post;
    uint64_t sequence;
} pawl_store_staged_post;

/* A change of one process's search attributes, worked out in full, so that staging it cannot fail. Zero: no change. */
typedef struct pawl_store_attribute_change {
    json_t *before;
    json_t *after;
    char *text; /* after, as it is stored */
} pawl_store_attribute_change;

/* What the round does to one process. */
struct pawl_store_stage {
    pawl_store_stage *next;
    pawl_store_entry *entry;
    pawl_store_state state; /* as it will be */
    bool drop_lease;        /* by its holder: SUSPEND, COMPLETE, PARK */
    bool ended;
    bool fenced; /* rewound: whoever holds it has lost it */
    bool made_ready;
    bool wake_set;
    bool waits; /* was stored as waiting: the count of claims starts anew */
    bool pruned;
    bool queue_told;                     /* that a queue has changed for which it waited */
    bool orphans;                        /* it ended and has children */
    const pawl_store_told_end *told_end; /* not NULL: the store ends it by itself */
    const char *attributes;              /* not NULL: as this round leaves them, JSON in its arena */
    uint64_t cancel_sequence;
    pawl_registry_op *claim; /* REGISTER that wants the lease at once */
    uint64_t claim_token;
    pawl_store_posted *posted;
    pawl_store_posted **posted_end;
    pawl_store_staged_post *posts;
    struct pawl_store_posted_event *events; /* to tell its holder, in order */
    struct pawl_store_posted_event **events_end;
};

typedef struct pawl_store_posted_event {
    struct pawl_store_posted_event *next;
    pawl_record record;
} pawl_store_posted_event;

/* Why an operation was refused: told when the round has been written, for it may have been judged by what only this
 * round has staged. */
typedef struct pawl_store_refusal {
    struct pawl_store_refusal *next;
    pawl_registry_op *op;
    pawl_fault fault;
} pawl_store_refusal;

struct pawl_store_turns;

struct pawl_store_round {
    pawl_store_registry *registry;
    pawl_registry_op **ops; /* PAWL_STORE_ROUND_OPS_MAX of them */
    size_t op_count;        /* taken */
    size_t op_at;           /* the first that this write does not cover */
    size_t op_from;         /* the first that it does */
    pawl_batch rows;
    pawl_store_arena arena;
    pawl_store_stage *stages;
    pawl_store_stage **stages_end;
    pawl_store_refusal *refusals;
    struct pawl_store_turns *turns; /* sessions whose turns this round has looked at */
    int64_t deltas[STORE_STATUS_COUNT];
    uint64_t next_number;
    uint32_t types_stored;
    uint64_t prune_from;
    uint64_t now_unix_ns;
    uint64_t orphan_parent; /* whose children this round looks after; 0: nobody's */
    uint64_t orphan_after;  /* up to this one */
    bool orphan_scanned;    /* it was found by its row */
    bool orphans_done;      /* these were all of them */
    bool queue_waits;       /* a process began to wait for a queue: its row is not there yet */
    bool deadlines_looked_at;
    uint64_t deadline_next;       /* the first that is left */
    uint64_t deadline_set;        /* the first that this round sets; STORE_NEVER: none */
    bool closed;                  /* takes no further operation */
    pawl_registry_op *done_first; /* to be completed, in order, linked by provider_data[0] */
    pawl_registry_op *done_last;
    size_t done_count;
    pawl_registry_op **done; /* the same as an array */
    size_t done_capacity;
    pawl_buffer scratch;
    pawl_store_attribute_change attributes; /* of the operation that is being staged */
};

pawl_store_round *pawl_store_round_create(pawl_store_registry *registry);
void pawl_store_round_destroy(pawl_store_round *round);
/** Begin staging. */
void pawl_store_round_begin(pawl_store_round *round);
/** Make what was staged what is in memory. After a write that succeeded. */
void pawl_store_round_publish(pawl_store_round *round);
/** Forget what was staged; operations that were fine get this fault. */
void pawl_store_round_undo(pawl_store_round *round, const pawl_fault *fault);
void pawl_store_round_done(pawl_store_round *round, pawl_registry_op *op);

/* ---- for the operations ---- */

/** The stage of an entry, made if need be; NULL: out of memory. Under lock. */
pawl_store_stage *pawl_store_stage_of(pawl_store_round *round, pawl_store_entry *entry);
/** The same by number, read if need be; *leased as pawl_store_stage_is_leased. Not under lock. */
pawl_status pawl_store_stage_by_number(pawl_store_round *round, uint64_t number, pawl_store_stage **ret, bool *leased,
                                       pawl_fault *fault);
/** Somebody leases it now, and this round has not ended that. Under lock. */
bool pawl_store_stage_is_leased(const pawl_store_stage *stage);
/** Append a record after everything staged so far. @return its sequence */
uint64_t pawl_store_stage_record(pawl_store_round *round, pawl_store_stage *stage, uint32_t kind, pawl_bytes body);
/** Delete the records of a run from the first to the last sequence given. */
void pawl_store_stage_forget(pawl_store_round *round, uint64_t number, uint64_t first, uint64_t last);
/** Room for records of these sizes? */
pawl_status pawl_store_stage_has_room(const pawl_store_round *round, const pawl_store_stage *stage, uint64_t records,
                                      uint64_t bytes, pawl_fault *fault);
/** Move to a status, with all index rows; ready: a ticket for the ready row if PAWL_READY needs one. */
void pawl_store_stage_move(pawl_store_round *round, pawl_store_stage *stage, uint32_t status, uint64_t wake_unix_ns,
                           uint64_t ready);
/** Put it among those of the status that others see, after what that follows from has changed. */
void pawl_store_stage_show(pawl_store_round *round, pawl_store_stage *stage);
bool pawl_store_stage_needs_ready(const pawl_store_stage *stage); /**< would PAWL_READY need a ticket? */
/** Write the header row as staged. */
void pawl_store_stage_header(pawl_store_round *round, pawl_store_stage *stage, pawl_bytes reason_code,
                             pawl_bytes reason);
/** Remove everything of a process that has ended, but its id. It was not part of this round before. */
pawl_status pawl_store_stage_remove(pawl_store_round *round, pawl_store_stage *stage, uint64_t ended_unix_ns,
                                    pawl_fault *fault);
/** Remember a posted record for watches; false: out of memory. */
bool pawl_store_stage_note_posted(pawl_store_round *round, pawl_store_stage *stage, uint32_t kind, uint64_t sequence);

/** What comes from outside, once its id is known to be new: the record, its id row, and what it makes of the process.
 *  post lives as long as the round. */
pawl_status pawl_store_stage_posted(pawl_store_round *round, pawl_store_stage *stage, bool leased,
                                    const pawl_post *post, uint64_t *sequence, pawl_fault *fault);

/* ---- child.c ---- */

/** Somebody who is to be told of an end: prepared before anything is staged, so that telling cannot fail. */
typedef struct pawl_store_parent {
    pawl_store_stage *stage; /* NULL: nobody */
    bool leased;
    uint64_t ready;
    pawl_bytes body;
    struct pawl_store_posted_event *event;
} pawl_store_parent;

/** Find who is told that this process ends, with this body. */
pawl_status pawl_store_parent_find(pawl_store_round *round, const pawl_store_stage *child, pawl_bytes ended,
                                   pawl_store_parent *ret, pawl_fault *fault);
/** Stage that they are told. */
void pawl_store_parent_tell(pawl_store_round *round, const pawl_store_parent *parent);
/** The same with any posted kind: prepare a stage that is found (ret->stage, ret->leased, ret->body), and tell it. */
pawl_status pawl_store_told_prepare(pawl_store_round *round, pawl_store_parent *ret, pawl_fault *fault);
void pawl_store_told_stage(pawl_store_round *round, const pawl_store_parent *told, uint32_t kind);
/** A process that asks to be registered as a child: its parent must be held by somebody, and is noted to have one. */
pawl_status pawl_store_parent_adopt(pawl_store_round *round, const pawl_register *request, pawl_fault *fault);

/* ---- turn.c ---- */

/** Who is to have the turn when a process ends: prepared before anything is staged, so that it cannot fail. */
typedef struct pawl_store_turn {
    struct pawl_store_turns *turns; /* NULL: the process is not exclusive */
    bool hands_on;                  /* it has the turn */
    pawl_store_stage *next;         /* NULL: nobody waits */
    uint64_t ready;
} pawl_store_turn;

/** A process that asks to be registered: must it wait for others? PAWL_E_INVALID when it cannot be exclusive. */
pawl_status pawl_store_turn_ask(pawl_store_round *round, const pawl_register *request, bool *behind, pawl_fault *fault);
/** It is registered: it has the turn, or waits (state.behind). Before its header is written. */
void pawl_store_turn_take_place(pawl_store_round *round, pawl_store_stage *stage);
/** Prepare for its end, or for its leaving the line. */
pawl_status pawl_store_turn_find(pawl_store_round *round, const pawl_store_stage *stage, pawl_store_turn *ret,
                                 pawl_fault *fault);
/** It waits no more, and goes on out of turn: it was asked to stop. Before its header is written. */
void pawl_store_turn_leave(pawl_store_round *round, pawl_store_stage *stage, const pawl_store_turn *turn);
/** It ends. */
void pawl_store_turn_hand_on(pawl_store_round *round, pawl_store_stage *stage, const pawl_store_turn *turn);

/* ---- deadline.c ---- */

/** Of a process that begins: let its deadline hold, if it has one. Before its header is written, as all of these. */
void pawl_store_deadline_set(pawl_store_round *round, pawl_store_stage *stage);
/** It ends: the deadline's row goes. */
void pawl_store_deadline_drop(pawl_store_round *round, pawl_store_stage *stage);
/** It was asked to stop: the deadline holds no more. */
void pawl_store_deadline_void(pawl_store_round *round, pawl_store_stage *stage);
/** It is rewound: the deadline holds again if it has not passed. */
void pawl_store_deadline_renew(pawl_store_round *round, pawl_store_stage *stage);
/** Post what is to be posted when deadlines pass, for some of those that have. */
void pawl_store_stage_deadlines(pawl_store_round *round);
/** What the round did about them is durable. */
void pawl_store_deadlines_publish(pawl_store_round *round);
/** When to look again, in nanoseconds from now; STORE_NEVER: no need. */
uint64_t pawl_store_deadlines_left(const pawl_store_registry *registry);

/* ---- orphan.c ---- */

/** The end that was just staged, which no operation has asked for, is told to everybody. Without memory nobody is told,
 *  and the end stands. body: of its ENDED record. */
void pawl_store_stage_tell_end(pawl_store_round *round, pawl_store_stage *child, pawl_bytes body, uint64_t sequence);
/** Look after some children of parents that have ended, if there are any. */
void pawl_store_stage_orphans(pawl_store_round *round);
/** Is there more to do? */
bool pawl_store_orphans_left(const pawl_store_registry *registry);
/** What the round did about them is durable. Under lock, after its stages are published. */
void pawl_store_orphans_publish(pawl_store_round *round);
/** The end of a parent is durable. */
void pawl_store_orphans_note(pawl_store_registry *registry, uint64_t parent);

/* ---- the operations: check everything, then stage. They set the op's results, not its status ----
 * REGISTER may answer PAWL_PENDING: it has to wait for the next round. */

pawl_status pawl_store_stage_register(pawl_store_round *round, pawl_registry_op *op, pawl_fault *fault);
pawl_status pawl_store_stage_commit(pawl_store_round *round, pawl_registry_op *op, pawl_fault *fault);
pawl_status pawl_store_stage_post(pawl_store_round *round, pawl_registry_op *op, pawl_fault *fault);
pawl_status pawl_store_stage_prune(pawl_store_round *round, pawl_registry_op *op, pawl_fault *fault);
pawl_status pawl_store_stage_post_all(pawl_store_round *round, pawl_registry_op *op, pawl_fault *fault);
/** The part of PRUNE that forgets ids. (tombstone.c) */
pawl_status pawl_store_stage_forget_ids(pawl_store_round *round, const pawl_prune *prune, uint64_t *count,
                                        pawl_fault *fault);

/* ---- watch.c ---- */

/** After publishing: complete the watch now, or keep it. cancelled: unwatch came while it was in the round. */
void pawl_store_watch_begin(pawl_store_round *round, pawl_registry_op *op, const uint8_t *cancelled);
/** Complete the watches that what was just published fulfils. Under lock. */
void pawl_store_watches_fire(pawl_store_round *round, pawl_store_stage *stage);
/** Complete all of them, the store is closing. */
void pawl_store_watches_close(pawl_store_round *round);
/** Take a watch out by its op; NULL when it is not there. Under lock. */
bool pawl_store_watch_remove(pawl_store_registry *registry, pawl_registry_op *op);

#endif
