/* history.h: everything that is known about one run of a fleet, as plain data: what passed between the workers and the
 * store (in an order that no clock has a say in), what the effects noted of themselves, what was asked from outside and
 * acknowledged, and what the store holds at the end. The auditor judges nothing else, so that a test can write a
 * history by hand. Owns its arrays.
 *
 * Thread tag: fleet_add_event [any]; everything else one thread at a time. */
#ifndef PAWL_TEST_FLEET_HISTORY_H
#define PAWL_TEST_FLEET_HISTORY_H

#include "abi/pawl_abi.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What passed. Members that a kind does not name are zero. */
enum {
    FLEET_OPENED = 1, /* a worker session: session, ttl_ns, mono_ns (of the store, before the call) */
    FLEET_BEAT,       /* its heartbeat was taken: session, mono_ns (before the call) */
    FLEET_CLOSING,    /* it is about to be closed: session */
    FLEET_CLOSED,     /* it is closed: session */
    FLEET_GRANTED,    /* a lease: session, number, token, head, mono_ns (after the grant), begun */
    FLEET_READ,       /* a worker begins to read the journal of what it leases: worker, number */
    FLEET_CLAIMED,    /* a claim ended: session, limit, count */
    FLEET_RELEASING,  /* a lease is about to be given back: number, token */
    FLEET_RELEASED,   /* and was: number, token, begun */
    FLEET_HANDED,     /* a commit reaches the store: number, token, op */
    FLEET_WROTE,      /* the store has answered it: number, token, op, status, flags, sequence, count */
    FLEET_KNOWN,      /* a record is durable: number, sequence, record_kind, ordinal; token: of its writer; 0:
                         worker has read it */
    FLEET_BEGUN,      /* an execution began; made by the auditor: worker, number, ordinal, index */
    FLEET_ENDED,      /* and ended */
};

typedef struct fleet_event {
    uint64_t order; /* larger than that of anything it can know of */
    uint64_t begun; /* the order in which the call began */
    uint32_t kind, worker;
    uint64_t session, number, token, head, sequence, count, limit, ordinal, mono_ns, ttl_ns, index;
    uint32_t op, record_kind, flags;
    pawl_status status;
} fleet_event;

/* One call that reached an effect. */
typedef struct fleet_execution {
    uint64_t number, ordinal, begin_order, end_order; /* end 0: it never ended */
    uint64_t input_hash;
    uint32_t worker, attempt, effect; /* index of the effect */
    bool reconcile, told_at_once;     /* to stop, before it began */
    char key[96];
} fleet_execution;

typedef struct fleet_effect {
    char name[24];
    uint32_t outcome; /* PAWL_OUTCOME_* */
    uint32_t limit;   /* of one worker's bulkhead; 0: none */
} fleet_effect;

typedef struct fleet_record {
    uint64_t sequence, ordinal, time_unix_ns, due_unix_ns;
    uint32_t kind, attempt, status;
    bool failed;
    char name[32], value[64];
} fleet_record;

/* What its program is known to do. */
#define FLEET_SEQUENTIAL 1u /* begins a call only after it has seen the result of the one before */
#define FLEET_OBEDIENT   2u /* ends as cancelled once it is told to */
#define FLEET_LISTENER   4u /* calls "take" with each signal, in their order */
#define FLEET_OFFENDER   8u /* may be stuck at the end */

typedef struct fleet_process {
    uint64_t number, head, token;
    uint32_t status, traits;
    bool external, cancelled;
    char id[32], reason_code[64];
    fleet_record *records; /* its journal */
    size_t record_count;
} fleet_process;

typedef struct fleet_post {
    uint64_t number, sequence; /* as acknowledged */
    uint32_t kind;             /* PAWL_RECORD_SIGNAL or _CANCEL */
    bool acknowledged;
    char value[64]; /* no other post to this process has it */
} fleet_post;

typedef struct fleet_history {
    pthread_mutex_t lock; /* guards events */
    fleet_event *events;
    size_t event_count, event_room;
    fleet_execution *executions;
    size_t execution_count, execution_room;
    fleet_effect effects[16];
    size_t effect_count;
    fleet_process *processes;
    size_t process_count, process_room;
    fleet_post *posts;
    size_t post_count, post_room;
    uint64_t clock_back_ns; /* how far the store's time of day was set back, in all */
    bool timers_by_store;   /* every worker has the store's time of day */
} fleet_history;

void fleet_history_init(fleet_history *history);
void fleet_history_finish(fleet_history *history);
/** Copies. Ends the program when there is no memory. */
void fleet_add_event(fleet_history *history, const fleet_event *event);
void fleet_add_execution(fleet_history *history, const fleet_execution *execution);
void fleet_add_post(fleet_history *history, const fleet_post *post);
/** The process with this number; made when there is none. Valid until the next one is made. */
fleet_process *fleet_process_of(fleet_history *history, uint64_t number);
void fleet_add_record(fleet_process *process, const fleet_record *record);

#endif
