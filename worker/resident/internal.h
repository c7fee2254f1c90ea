/* internal.h: what the parts of a resident share, each of which opens with what it is about: resident.c (what next),
 * load.c, commit.c, calls.c and settle.c, guard.c, ahead.c, children.c, pause.c, recovery.c, explain.c, observe.c.
 * Nobody else includes it. */
#ifndef PAWL_RESIDENT_INTERNAL_H
#define PAWL_RESIDENT_INTERNAL_H

#include "resident.h"
#include "worker/activation/activation.h"

/** The way of one attempt through the guards of its effect, and its place in a line there. Belongs to the effort, then
 *  to the call in flight; to the message that says its place has come, when the effort is gone by then. */
typedef struct pawl_way {
    pawl_message message; /* "its place has come" */
    pawl_waiter waiter;
    pawl_passage passage;
    pawl_attempt attempt; /* for middleware; its bytes are in memory behind this struct */
    pawl_shard *shard;
    pawl_resident *resident; /* only the shard's thread looks at it; NULL: nobody wants the place any more */
    uint64_t ordinal;
} pawl_way;

/** A call in flight. It stays when its resident goes, with resident NULL, until the plugin answers. */
typedef struct pawl_running {
    pawl_message message; /* "it has ended", from the pool */
    struct pawl_running *next;
    pawl_resident *resident; /* only the shard's thread looks at it */
    pawl_shard *shard;
    pawl_call *call;
    pawl_way *way; /* through guards; NULL: there were none */
    bool deadline_told;
    bool stop_asked; /* because its process is to stop */
} pawl_running;

/** What this worker knows of an open call beyond its records: worker_data of pawl_open_call. */
typedef struct pawl_effort {
    pawl_running *running;  /* NULL: not in flight */
    uint32_t intent;        /* attempt whose INTENT this residency wrote */
    uint32_t reconciles;    /* reconcile attempts that could not tell */
    bool reconcile;         /* ask before anything else */
    bool admitted;          /* nothing holds it back: it may begin */
    bool stays;             /* it is held back, and goes on soon: worth memory */
    bool held;              /* it is held back, and r->held may say so */
    bool until_told;        /* it is held back by what may change at any time */
    bool fresh;             /* this residency was the first to know of it: no other worker has begun it */
    bool settled;           /* its end or next attempt is in a record not yet durable: leave it alone */
    uint64_t due_unix_ns;   /* not before this: the next reconcile, or attempt */
    uint64_t until_unix_ns; /* the deadline that this residency wrote; 0: none */
    pawl_way *way;          /* of the next attempt, as far as it has come; NULL: not begun, or no guards */
} pawl_effort;

/** A batch of records on its way. */
typedef struct pawl_batch {
    pawl_arena arena; /* of the bodies */
    pawl_record *records;
    size_t count, room;
    pawl_bytes document;
    bool has_document;
    pawl_bytes attributes;
    bool has_attributes;
} pawl_batch;

/** What the journal says of workers that died while they ran the process, and who owns it. */
typedef struct pawl_recovery {
    atomic_uint deaths;                     /* in a row: nothing of it was recorded since the first; also for explain */
    uint64_t last_unix_ns;                  /* of the last one */
    atomic_uint_least64_t back_off_unix_ns; /* not run before this; 0: it may run. Also for explain */
    char what[128];                         /* what ran then. Changed under the shard's table_lock */
    uint64_t owner;                         /* worker session of an owner-bound process that has begun; 0: none */
    char owner_name[128];
    bool abandoned; /* its owner is gone: it is to end, and not to be run again */
} pawl_recovery;

/** "End it over its head", on its way to the registry. */
typedef struct pawl_termination pawl_termination;

struct pawl_resident {
    pawl_message admit;
    pawl_resident *next; /* in the shard's table */
    pawl_timer timer;
    pawl_worker *worker;
    pawl_shard *shard;

    uint64_t number, token;
    uint32_t revision, run;
    const pawl_type *code; /* what runs it; NULL: nothing here may */
    bool trial;            /* that is not what it is pinned to, and has still to live its journal again */
    bool pinning;          /* it has: the next commit says so */
    pawl_pin pin;
    uint32_t depth;    /* of its tree of processes: how many ancestors it has */
    uint32_t priority; /* as it was registered: what its children get */
    /* In memory behind this struct. */
    pawl_bytes id, type, plugin, digest, session, profile, document, attributes, key;
    bool attributes_known; /* those are all that is stored */
    pawl_activation *activation;
    pawl_running *calls; /* changed under the shard's table_lock */
    uint64_t loaded_unix_ns;
    uint64_t grace_from_unix_ns; /* from when on the grace after a cancel request counts; 0: nobody asked */
    uint64_t journal_bytes;      /* of the bodies of its records */

    /* the program */
    bool dirty; /* it has not seen everything that it could wait for */
    pawl_run_result result;
    char waits[260];
    char held[260];               /* what holds a call of it back; "": nothing. Changed under the shard's table_lock */
    uint32_t runs;                /* of the program, here */
    bool returning;               /* it was put away until now: what it waits for may be over */
    atomic_uint_least64_t undoes; /* which compensation is under way (upper half) of how many; 0: none. For explain */

    /* records */
    pawl_batch pending;   /* to be written next */
    bool results;         /* pending holds something the program may wait for: write before running it */
    size_t ahead;         /* so many records, the first of pending or else of batch, the mirror has and the store not */
    pawl_batch batch;     /* being written */
    pawl_request request; /* the operation that writes it */
    pawl_commit commit;
    pawl_message committed;
    bool committing;
    bool wait_more; /* the registry said MORE: the records it means are on their way as events */
    uint32_t commit_failures;
    uint64_t commit_again_mono_ns; /* the store failed: try the same batch again then; 0: no */
    struct pawl_posted *early;     /* posted records beyond the mirror's head + 1, by sequence */

    uint32_t child_ops;            /* operations on its children that the registry has not answered */
    bool ends_cancelled;           /* its code has ended so, and it waits for its children alone */
    atomic_uint waits_children;    /* its code has ended, and so many children must end before it; read by others too */
    pawl_termination *termination; /* posted when the cancel grace was over; NULL: not yet */

    pawl_recovery recovery;

    bool parking;
    char park_code[64];
    char park_reason[512];

    atomic_bool paused;            /* by its journal: an operator wants nothing of it to go on. Also for explain */
    const pawl_gate *_Atomic gate; /* an operator's, over its type; NULL: none. Also for explain */
    atomic_bool asked_to_stop;     /* by its journal: the gate holds it no more. Also for explain */

    bool foreign;    /* registered under another host profile: held untouched, for a host that has it */
    bool load_again; /* the store could not be read; no activation yet */
    bool lost;       /* no longer ours: go as soon as nothing of it is in flight at the registry */
    bool broken;     /* can neither be run nor parked: held, untouched, so that it is not claimed over and over */
    bool warned_size;
    bool told_compensating; /* observers know */
};

static inline uint64_t resident_unix_now(const pawl_resident *r)
{
    return r->worker->config.clock->unix_ns(r->worker->config.clock);
}

static inline uint64_t resident_mono_now(const pawl_resident *r)
{
    return r->worker->config.clock->mono_ns(r->worker->config.clock);
}

/* Where the shard's table holds this process, or would. The shard's thread, or under the table's lock. */
pawl_resident **pawl_resident_find(pawl_shard *shard, uint64_t number);

/* ---- resident/watch.c ---- */

/* Code of this plugin runs on the shard from now on, and has come back: for the watchdog. plugin: the catalog's. */
void pawl_resident_runs(pawl_resident *r, const char *plugin);
void pawl_resident_ran(pawl_resident *r);

/* resident.c */
/** The lease is gone: leave, at once or when what is at the registry has come back. May free r. */
void pawl_resident_lose(pawl_resident *r);
/** Load its journal and go on. May free r. */
void pawl_resident_start(pawl_resident *r);
/** Forget posted records that wait for their turn. */
void pawl_resident_drop_early(pawl_resident *r);
/** Do whatever can be done now. May free r. */
void pawl_resident_advance(pawl_resident *r);
/** Give a durable record to the mirror. False: the process is to be parked. */
bool pawl_resident_feed(pawl_resident *r, const pawl_record *record);
/** Give it posted records whose turn has come. */
void pawl_resident_feed_early(pawl_resident *r);
/** Give the lease back and forget the process. Frees r. */
void pawl_resident_release(pawl_resident *r);
/** Forget the process: what is durable stays, the rest never was. Frees r. */
void pawl_resident_leave(pawl_resident *r);

/** When the next timer that the program may wait for fires, or UINT64_MAX. */
uint64_t pawl_resident_next_timer(const pawl_resident *r);

/* resident/commit.c */
void pawl_resident_batch_reset(pawl_batch *batch);
void pawl_resident_batch_finish(pawl_batch *batch);
bool pawl_resident_batch_add(pawl_batch *batch, uint32_t kind, pawl_bytes body); /* false: out of memory */
bool pawl_resident_batch_empty(const pawl_batch *batch);
/** Write what is pending, as this PAWL_OP_*. */
void pawl_resident_commit(pawl_resident *r, uint32_t kind);
/** Write the same batch again, after the store failed. */
void pawl_resident_submit(pawl_resident *r);
/** The registry has answered. */
void pawl_resident_committed(pawl_shard *shard, pawl_message *message);
/** The grace after a cancel is over: end it over its head; again, when the store did not take it. */
void pawl_resident_terminate(pawl_resident *r);
/** Let go of a termination: it ends on its own. */
void pawl_resident_detach_termination(pawl_resident *r);
/** Add a record to what is written next. result: the program may be waiting for it. */
void pawl_resident_record(pawl_resident *r, const pawl_entry *entry, bool result);
/** Become stuck as soon as nothing is in flight. The first reason stays. */
void pawl_resident_park(pawl_resident *r, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* resident/ahead.c */
/** The last sequence that is durable, of those the mirror has. */
uint64_t pawl_resident_durable_head(const pawl_resident *r);
/** Does pending hold anything that the program has not seen? */
bool pawl_resident_has_unseen(const pawl_resident *r);
/** May the result of this call, which is about to start, be seen before it is durable? */
bool pawl_resident_may_go_ahead(pawl_resident *r, const pawl_open_call *open);
/** The same, of the only thing that can be started now, while records are ahead already. */
bool pawl_resident_may_stay_ahead(pawl_resident *r);
/** Show the program the result that was added last. pawl_resident_may_go_ahead was true. */
void pawl_resident_go_ahead(pawl_resident *r);
/** Forget everything that was ahead, and go on from the journal. May free r. */
void pawl_resident_go_back(pawl_resident *r);

/* resident/children.c */
/** Park unless the child that this open call starts can be started here. */
void pawl_resident_check_child(pawl_resident *r, const pawl_open_call *open);
/** Register it. */
void pawl_resident_start_child(pawl_resident *r, pawl_open_call *open);
/** Was it registered, perhaps before a crash? Its id. */
bool pawl_resident_child_was_started(pawl_resident *r, const pawl_open_call *open, pawl_bytes *ret_id);
/** Ask those to stop that were started before the process was told to; all: every one that must end before it does. */
void pawl_resident_stop_children(pawl_resident *r, bool all);
/** End those that must end before it does and have not. */
void pawl_resident_end_children(pawl_resident *r);
/** How many children must still end before the process can be reported as cancelled. */
uint32_t pawl_resident_children_left(pawl_resident *r);

/* resident/settle.c */
/** A record of this kind about this call: its ordinal, name and digest. */
pawl_entry pawl_open_call_entry(const pawl_open_call *open, uint32_t kind, uint32_t attempt);
/** It may have happened, and nobody can tell: that is its end. */
void pawl_resident_record_doubt(pawl_resident *r, const pawl_open_call *open);
/** An attempt has ended: its result, another attempt, or doubt. */
void pawl_resident_settle(pawl_resident *r, const pawl_call *call);
/** The pool's end of a call; and the message that brings it to the shard. */
void pawl_resident_call_done(pawl_call *call);
void pawl_resident_call_ended(pawl_shard *shard, pawl_message *message);
/** Can its plugin say whether an attempt happened? */
bool pawl_effect_has_reconcile(const pawl_effect *effect);

/* resident/calls.c */
/** Must an attempt be on record before it begins? */
bool pawl_effect_needs_intent(const pawl_effect *effect);
/** What this worker knows of an open call; NULL (and the process parked) when there is no memory. */
pawl_effort *pawl_resident_effort(pawl_resident *r, pawl_open_call *open);
/** The open call of this ordinal, or NULL. */
pawl_open_call *pawl_resident_find_open(pawl_resident *r, uint64_t ordinal);
/** Record how an open call has ended. */
void pawl_resident_record_value(pawl_resident *r, const pawl_open_call *open, uint32_t attempt, pawl_bytes value);
void pawl_resident_record_failure(pawl_resident *r, const pawl_open_call *open, uint32_t attempt,
                                  const pawl_failure *failure);
/** Write the INTENT records that calls which can start now need. */
void pawl_resident_prepare_calls(pawl_resident *r);
/** How many open calls could be started now. pawl_resident_prepare_calls comes first. */
size_t pawl_resident_startable(pawl_resident *r);
/** Could this open call be started now, records permitting? */
bool pawl_resident_is_startable(const pawl_resident *r, const pawl_open_call *open);
void pawl_resident_start_calls(pawl_resident *r);
/** Fail what a process that was told to stop had started before and that was never begun. */
void pawl_resident_drop_unbegun(pawl_resident *r);
/** Does an open call wait in a way that only memory knows: for another reconcile, in a line, or for a short time? */
bool pawl_resident_waits_here(pawl_resident *r);
/** Ask all calls in flight to stop; those not begun end at once. */
void pawl_resident_cancel_calls(pawl_resident *r);
/** The same, of the program's own: what undoes its steps goes on. */
void pawl_resident_cancel_program_calls(pawl_resident *r);
/** Let go of the calls in flight: they end on their own. */
void pawl_resident_detach_calls(pawl_resident *r);
/** A record of this call is durable: a STEP ends it (before the mirror forgets it), an ATTEMPT lets the next one start.
 */
void pawl_resident_call_recorded(pawl_resident *r, uint32_t kind, uint64_t ordinal);
/** Free what is known of all open calls. */
void pawl_resident_forget_efforts(pawl_resident *r);
/** Deadlines of calls in flight: ask those that are over; the next one, or UINT64_MAX. */
uint64_t pawl_resident_call_deadlines(pawl_resident *r, uint64_t now_mono_ns);
/* resident/pause.c */
/** A record of it is durable that may begin or end a pause. */
void pawl_resident_note_pause(pawl_resident *r, uint32_t kind);
/** Does an operator want it to keep still, or all of its type? */
bool pawl_resident_is_paused(const pawl_resident *r);
/** It is paused: begin nothing, and give it back once nothing is in flight. False: r is gone. */
bool pawl_resident_keep_still(pawl_resident *r);

/* resident/observe.c */
/** Does an observer want to know of this kind of thing (PAWL_OBSERVED_*)? */
bool pawl_resident_observed(const pawl_resident *r, uint32_t kind);
/** Tell it, with what it is about filled in. */
void pawl_resident_tell(pawl_resident *r, pawl_observation *what);
/** Each of these tells only if somebody wants to know. A kind that says all by itself. */
void pawl_resident_tell_plain(pawl_resident *r, uint32_t kind);
/** Its program has run: not asked for if nobody wants to know. */
void pawl_resident_tell_ran(pawl_resident *r, uint64_t began_mono_ns);
void pawl_resident_tell_begun(pawl_resident *r, const pawl_call *call);
/** r: NULL when it is gone. */
void pawl_resident_tell_call_ended(pawl_resident *r, const pawl_shard *shard, const pawl_call *call);
void pawl_resident_tell_retry(pawl_resident *r, const pawl_open_call *open, uint32_t attempt,
                              const pawl_failure *failure, uint64_t due_unix_ns);
void pawl_resident_tell_committed(pawl_resident *r, const pawl_registry_op *op);

/* resident/deadline.c */
/** A call with a deadline is about to be started for the first time: put that on record. */
void pawl_resident_set_deadline(pawl_resident *r, const pawl_open_call *open, const pawl_effect *effect,
                                pawl_effort *effort);
/** When this call fails if it has not ended; UINT64_MAX: never. */
uint64_t pawl_resident_deadline(const pawl_open_call *open);
/** The same on the monotonic clock; 0: never. */
uint64_t pawl_resident_deadline_mono(const pawl_resident *r, const pawl_open_call *open);
/** It ends because of its deadline. attempt: the last one; failure: of that, or NULL. */
void pawl_resident_fail_late(pawl_resident *r, pawl_open_call *open, const pawl_effect *effect, uint32_t attempt,
                             const pawl_failure *failure);
/** Nothing of it is running: does it end now, because of its deadline? */
bool pawl_resident_expire(pawl_resident *r, pawl_open_call *open);

/* resident/calls.c, for resident/deadline.c */
pawl_effort *pawl_resident_effort_of(pawl_resident *r, pawl_open_call *open); /* NULL: out of memory, and parked */
bool pawl_resident_in_doubt(const pawl_open_call *open, const pawl_effort *effort);
bool pawl_effect_needs_intent(const pawl_effect *effect);
bool pawl_effect_has_reconcile(const pawl_effect *effect);

/* resident/guard.c */
/** May this attempt begin, as far as guards and operators are concerned? It is asked again when it is due. */
bool pawl_resident_may_begin(pawl_resident *r, pawl_open_call *open, const pawl_effect *effect, pawl_effort *effort);
/** Say no more that something is held back, if nothing is. */
void pawl_resident_look_held(pawl_resident *r);
/** The end of an attempt, on any thread: everything it passed is told. Frees the way. NULL is allowed. */
void pawl_resident_way_ended(pawl_way *way, const pawl_call *call);
/** Free an effort; what it was let through is given back. NULL is allowed. */
void pawl_resident_effort_free(pawl_resident *r, pawl_effort *effort);

/* resident/calls.c, again */
/** Start those whose intent is durable: unlike others they cannot be left for later. */
void pawl_resident_start_intended(pawl_resident *r);
/** Record the end of a call that never began. */
void pawl_resident_refuse_call(pawl_resident *r, const pawl_open_call *open, const pawl_failure *failure);
/** When the next open call that waits for its next attempt may start, or UINT64_MAX. */
uint64_t pawl_resident_next_attempt(pawl_resident *r);

/* How the reasons of what lacks an effect, or the type of a child, go on in front of its name: read again by
 * pawl_worker_has_again. */
#define PAWL_REASON_CALLS  "the program calls "
#define PAWL_REASON_STARTS "the program starts a child of type "

/* resident/version.c */
/** Find what may run it, which is then r->code; none: park it. */
void pawl_resident_find_code(pawl_resident *r);
/** The program has run over the whole journal. On trial: pin the process to it, or write nothing of what it did. */
void pawl_resident_end_trial(pawl_resident *r);

/* resident/recovery.c */
/** Take from a record what it says of deaths and owners. */
void pawl_resident_note_recovery(pawl_resident *r, const pawl_record *record);
/** Its journal is loaded: decide whether it may run, has to wait, is to be parked, or to be given up. */
void pawl_resident_recover(pawl_resident *r);
/** Is it to be left alone for now? */
bool pawl_resident_backs_off(pawl_resident *r);

#endif
