/* queue.h: the ready queue of one process type as it is known in memory: by priority, then by key, then first come,
 * first served. The rows are in the engine; here is where each key's rows begin, whose turn it is, and what holds whom.
 *
 * A lane is one key of one priority. Lanes take turns, so that a key with a million rows costs the others nothing. A
 * lane stands here only while it has rows and there is room (PAWL_STORE_LANES_MAX): what has none is found again by
 * looking for keys in the engine. Processes without a key share the lane of key 0, which is always here.
 * An account counts what one key of a type has leased, over all priorities, and how much its rate leaves; it is here
 * only while there is something to count. A lane whose key is at a limit hangs at its account and is not looked at.
 *
 * Everything under the registry's lock. Lanes leave only under claim_lock, too: whoever claims may keep one. */
#ifndef PAWL_STORE_QUEUE_H
#define PAWL_STORE_QUEUE_H

#include "bytes.h"

#include <pawl_abi.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/tree.h>

#define STORE_PRIORITY_COUNT (PAWL_PRIORITY_LOWEST - PAWL_PRIORITY_HIGHEST + 1u)
/* Of a level that higher ones go before, one is taken for each so many of theirs. */
#define STORE_PASSED_MAX 32u

typedef struct pawl_store_registry pawl_store_registry;
typedef struct pawl_store_type pawl_store_type;
typedef struct pawl_store_entry pawl_store_entry;
typedef struct pawl_store_lane pawl_store_lane;
typedef struct pawl_store_level pawl_store_level;
typedef struct pawl_store_account pawl_store_account;
TAILQ_HEAD(pawl_store_lane_list, pawl_store_lane);
TAILQ_HEAD(pawl_store_entry_list, pawl_store_entry);
RB_HEAD(pawl_store_lane_tree, pawl_store_lane);
RB_HEAD(pawl_store_account_tree, pawl_store_account);
RB_HEAD(pawl_store_timed_tree, pawl_store_account);

struct pawl_store_lane {
    RB_ENTRY(pawl_store_lane) link;
    TAILQ_ENTRY(pawl_store_lane) turn_link; /* among its level's turns, or what hangs at its account */
    pawl_store_level *level;
    uint64_t key;    /* hash of the key; 0: none */
    uint64_t cursor; /* no row in front of this ready sequence is of interest */
    uint64_t
        written;   /* the queue's writes when its last row was published: a scan begun before is not the whole truth */
    uint64_t scan; /* the last scan of ready rows that found nothing more here */
    bool in_turn;  /* it may have rows; else, unless held, it has none */
    pawl_store_account *held; /* at whose limit it hangs; NULL: none */
};

struct pawl_store_level {
    uint32_t priority; /* from 0 */
    pawl_store_lane base;
    struct pawl_store_lane_tree lanes; /* those with a key */
    struct pawl_store_lane_list turns;
    size_t turn_count;
    size_t held_count;
    bool whole;           /* every key that has rows has its lane here */
    uint64_t look_from;   /* where looking for keys that are not here goes on */
    uint64_t missed;      /* raised with each row or lane there was no room for */
    uint64_t look_missed; /* missed when looking began at key 0 */
    uint64_t passed;      /* taken from higher levels while this one had something */
};

struct pawl_store_account {
    RB_ENTRY(pawl_store_account) link;
    RB_ENTRY(pawl_store_account) timed_link;
    pawl_store_type *type;
    uint64_t key;
    uint32_t leased;
    uint64_t next_mono_ns;               /* of its rate: as if it had been used evenly until then */
    uint64_t until_mono_ns;              /* in `timed` until then */
    struct pawl_store_timed_tree *timed; /* of the queue: rated or refilling; NULL: neither */
    struct pawl_store_lane_list lanes;
    struct pawl_store_entry_list entries;
};

typedef struct pawl_store_queue {
    pawl_store_level levels[STORE_PRIORITY_COUNT];
    uint64_t writes;         /* raised with each ready row published */
    pawl_type_limits limits; /* as the last claim had them */
    bool limited;
    uint32_t leased;
    uint64_t next_mono_ns; /* of the rate of the type */
    uint64_t look_mono_ns; /* when a rate lets something go again; STORE_NEVER: none holds anything */
    size_t held_entries;
    struct pawl_store_account_tree accounts;
    struct pawl_store_timed_tree rated;     /* accounts whose rate holds something, by until_mono_ns */
    struct pawl_store_timed_tree refilling; /* accounts that are here for their rate alone, likewise */
} pawl_store_queue;

void pawl_store_queue_init(pawl_store_type *type);
void pawl_store_queue_finish(pawl_store_registry *registry, pawl_store_type *type);
/** After opening: there may be rows of any key. */
void pawl_store_queue_reopen(pawl_store_type *type);
/** What a claim says of the type. */
void pawl_store_queue_set_limits(pawl_store_registry *registry, pawl_store_type *type, const pawl_type_limits *limits);

/** The entry's ready row is durable. */
void pawl_store_queue_note(pawl_store_registry *registry, const pawl_store_entry *entry);
/** Nothing stands in front of a process of this priority (from 0) that is new, and no limit is to be kept. */
bool pawl_store_queue_is_clear(const pawl_store_type *type, uint32_t priority);

/** A lease was taken, or has ended. */
void pawl_store_queue_took(pawl_store_registry *registry, pawl_store_entry *entry);
void pawl_store_queue_left(pawl_store_registry *registry, pawl_store_entry *entry);
/** How many more of this type may be leased; of this key, by concurrency alone. */
size_t pawl_store_queue_room(const pawl_store_type *type);
bool pawl_store_queue_key_has_room(const pawl_store_type *type, uint64_t key);
/** Keep a claimable entry whose key is at its limit with its account. False: out of memory. */
bool pawl_store_queue_hold_entry(pawl_store_registry *registry, pawl_store_entry *entry);
/** Take it off again (see pawl_store_returned_remove). */
void pawl_store_queue_drop_entry(pawl_store_registry *registry, pawl_store_entry *entry);
/** Too many are kept: no more due ones are to be looked at. */
bool pawl_store_queue_is_crowded(const pawl_store_type *type);

/* ---- for the scan of ready rows ---- */

/** How many the rate of the type lets go now; if none, the queue's clock is set. */
size_t pawl_store_queue_rate_room(pawl_store_type *type, uint64_t now_mono_ns);
/** How many of this lane may be leased now; 0: it hangs at its account from here on. */
size_t pawl_store_lane_room(pawl_store_registry *registry, pawl_store_type *type, pawl_store_lane *lane,
                            uint64_t now_mono_ns);
/** So many were leased from it. */
void pawl_store_lane_spend(pawl_store_registry *registry, pawl_store_type *type, const pawl_store_lane *lane,
                           size_t count, uint64_t now_mono_ns);
void pawl_store_lane_leave_turn(pawl_store_lane *lane);
void pawl_store_lane_join_turn(pawl_store_lane *lane); /**< behind the others */
/** It has no rows; not in turn, not held. */
void pawl_store_lane_drained(pawl_store_registry *registry, pawl_store_lane *lane);
/** It has rows, and makes room for others: looking for keys will find it again. Not in turn, not held. */
void pawl_store_lane_forget(pawl_store_registry *registry, pawl_store_lane *lane);
/** The lane of a key that has rows, made if there is room; NULL: no room. */
pawl_store_lane *pawl_store_lane_found(pawl_store_registry *registry, pawl_store_level *level, uint64_t key);
bool pawl_store_lanes_are_full(const pawl_store_registry *registry);

/** Let go what rates have held until now. */
void pawl_store_queue_let_due_go(pawl_store_registry *registry, pawl_store_type *type, uint64_t now_mono_ns);

/** No row of a key is of interest in front of this ready sequence. */
uint64_t pawl_store_queue_begins_at(const pawl_store_type *type, uint32_t priority, uint64_t key);
/** Why a process that is ready is not leased: PAWL_HELD_* and the limit in question; 0: nothing holds it. */
uint32_t pawl_store_queue_held_by(const pawl_store_type *type, uint64_t key, uint64_t now_mono_ns, uint64_t *limit,
                                  uint64_t *interval_ns);

#endif
