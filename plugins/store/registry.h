/* registry.h: the process registry inside one store: what is held in memory, and who may touch it.
 *
 * Durable truth is in the engine. In memory are the processes that are leased, watched, part of the running group
 * commit, or recently used (entries), the worker sessions and the leases, which live here alone: a claim writes
 * nothing.
 *
 * Threads. The committer is one thread for each store and the only one that changes what is durable:
 *   take what is queued -> stage each op in order -> one write -> publish -> events -> completed.
 * `lock` guards everything in memory that several threads see. It is never held over engine calls, callbacks or
 * anything else that can take long, so that a heartbeat never waits for a write. An entry that is part of the running
 * round (entry->stage) cannot be claimed until that is published; so what the committer checked while staging still
 * holds when it publishes, except that a lease may have ended meanwhile.
 * Lock order: claim_lock, lock, queue_lock. */
#ifndef PAWL_STORE_REGISTRY_H
#define PAWL_STORE_REGISTRY_H

#include "arena.h"
#include "queue.h"
#include "store.h"

#include <stdatomic.h>

#define STORE_NEVER        UINT64_MAX
#define STORE_STATUS_COUNT 20u

typedef struct pawl_store_worker pawl_store_worker;
typedef struct pawl_store_watch pawl_store_watch;
typedef struct pawl_store_round pawl_store_round;
typedef struct pawl_store_stage pawl_store_stage;

/* ---- process types ---- */

/* A type name's dense number, and where claims of this type stand. All but id and name under `lock`. */
struct pawl_store_type {
    RB_ENTRY(pawl_store_type) link;
    uint32_t id;
    pawl_store_queue queue; /* of ready rows */
    /* No wake row in front of (wake_cursor_due, wake_cursor_number) is of interest. next_due: none is due before it.
     * wake_writes is raised with each one published: a scan that overlaps that is not the whole truth. */
    uint64_t wake_cursor_due;
    uint64_t wake_cursor_number;
    uint64_t wake_writes;
    uint64_t next_due;
    bool announced;                        /* that next_due has come was told to the worker sessions */
    struct pawl_store_entry_list returned; /* claimable, and no scan will meet them again */
    size_t name_size;
    char name[];
};
RB_HEAD(pawl_store_type_tree, pawl_store_type);

static inline pawl_bytes pawl_store_type_name(const pawl_store_type *type)
{
    return (pawl_bytes){type->name, type->name_size};
}

/* ---- processes in memory ---- */

/* What never changes about a process, whichever run it is in. The bytes point into `encoded`, which is how a header row
 * holds it. */
typedef struct pawl_store_identity {
    uint32_t type;
    uint32_t revision;
    uint32_t external;
    uint64_t created_unix_ns;
    pawl_bytes id;
    pawl_bytes plugin;
    pawl_bytes digest;
    pawl_bytes profile;
    pawl_bytes session;
    pawl_bytes parent;
    pawl_bytes fingerprint;
    /* What most processes have not: stored only where it is something else than nothing. */
    pawl_bytes parent_note;
    pawl_bytes close_body;
    pawl_bytes key;
    uint32_t parent_close;
    uint32_t priority; /* never 0 */
    uint64_t deadline_unix_ns;
    pawl_bytes deadline_body; /* empty: the deadline is known and does nothing */
    bool exclusive;
    pawl_bytes encoded;
    uint64_t lane; /* hash of the key it queues under; 0: none. Worked out, not stored */
} pawl_store_identity;

/* What is durable about a process and changes. `status` says what may be done with it; `shown`, which follows from it
 * and from compensating, is what others see and what the lists and counts go by. */
typedef struct pawl_store_state {
    uint32_t status; /* never PAWL_RUNNING: that is a lease, in memory; never PAWL_COMPENSATING */
    uint32_t shown;  /* never PAWL_RUNNING */
    bool cancelled;
    bool behind;       /* exclusive, and it is not its turn yet */
    bool untimed;      /* its deadline does not hold any more: it passed, or a cancel request came first */
    bool compensating; /* its journal has a record COMPENSATING */
    bool has_document;
    bool has_attributes;
    bool has_children; /* some were started and, since it ended, not all of them were looked after */
    uint32_t run;      /* 1, and one more with each CONTINUE, or when the id is used again */
    uint32_t rewinds;  /* of this run */
    uint64_t base;     /* sequence of STARTED, the first record of this run; nothing stands before it */
    uint64_t head;
    uint64_t journal_bytes;  /* of this run */
    uint64_t last_posted;    /* sequence of the last record of kind 64 and up; 0: none but STARTED */
    uint64_t ready_sequence; /* of its ready row; 0: it has none */
    uint64_t wake_unix_ns;   /* of its wake row; 0: it has none */
    uint64_t paused;         /* sequence of the PAUSED record that keeps it still; 0: it is not paused */
    uint64_t token;          /* as of the last header row */
    uint64_t updated_unix_ns;
    uint32_t pinned_revision; /* not 0: it was pinned anew, and this and the digest count instead of the identity's */
    uint8_t pinned_digest_size;
    uint8_t pinned_digest[PAWL_STORE_DIGEST_BYTES];
} pawl_store_state;

/** What `shown` is. */
static inline uint32_t pawl_store_shown(const pawl_store_state *state)
{
    bool undoes = state->compensating && (state->status == PAWL_READY || state->status == PAWL_WAITING);
    return undoes ? PAWL_COMPENSATING : state->status;
}

struct pawl_store_entry {
    RB_ENTRY(pawl_store_entry) number_link;
    RB_ENTRY(pawl_store_entry) id_link;
    uint64_t number;
    uint64_t id_hash;
    pawl_store_type *type;
    pawl_store_identity identity; /* constant */
    pawl_store_state state;       /* published; changed by the committer under lock */
    pawl_store_stage *stage;      /* not NULL: part of the running round */
    uint32_t pins;                /* users outside of the lock */
    bool fresh;                   /* its registration is not published: nobody but the committer may use it */
    bool listed;                  /* in by_id; one that takes the place of another is so when it is published */
    bool gone;                    /* out of the tables: freed with its last user */
    bool returned;                /* on its type's list, or its account's */
    pawl_store_account *held;     /* at whose limit it hangs although it is claimable; NULL: none */
    pawl_store_account *account;  /* that counts its lease; NULL: none */
    bool idle;                    /* on the list of entries kept as a cache */
    uint64_t token;               /* of the current or last lease */
    pawl_store_worker *worker;    /* who leases it; NULL: nobody */
    uint64_t claims;
    uint64_t cancel_sequence; /* of the last CANCEL posted while it was in memory */
    LIST_ENTRY(pawl_store_entry) lease_link;
    TAILQ_ENTRY(pawl_store_entry) returned_link;
    TAILQ_ENTRY(pawl_store_entry) idle_link;
    LIST_HEAD(, pawl_store_watch) watches;
    uint8_t encoded[];
};
RB_HEAD(pawl_store_number_tree, pawl_store_entry);
RB_HEAD(pawl_store_id_tree, pawl_store_entry);

/* ---- worker sessions, watches, events ---- */

struct pawl_store_worker {
    LIST_ENTRY(pawl_store_worker) link;
    uint64_t id;
    uint64_t ttl_ns;
    uint64_t expires_mono_ns;
    void *listener;
    bool expired;    /* waits for worker_close */
    bool work;       /* a WORK event is due */
    bool delivering; /* the committer is inside a callback for it */
    bool closed;     /* worker_close was called meanwhile, and waits */
    bool abandoned;  /* worker_close was called from inside the callback: whoever delivers frees it */
    LIST_HEAD(, pawl_store_entry) leases;
    size_t name_size;
    char name[];
};

struct pawl_store_watch {
    RB_ENTRY(pawl_store_watch) link;
    LIST_ENTRY(pawl_store_watch) entry_link;
    pawl_registry_op *op;
    pawl_store_entry *entry;
    uint64_t after;
    uint64_t kinds;
};
RB_HEAD(pawl_store_watch_tree, pawl_store_watch);

/* An end that the store makes by itself, as everybody is told of it; in the round's arena. */
typedef struct pawl_store_told_end {
    pawl_bytes id, type, session;
    uint32_t status;
    pawl_record record;
} pawl_store_told_end;

typedef struct pawl_store_event {
    uint64_t worker; /* id of the session */
    uint32_t kind;
    uint64_t number;
    uint64_t token;
    const pawl_record *record;        /* POSTED, ENDED: of the running round */
    const pawl_store_told_end *ended; /* ENDED: of the running round */
} pawl_store_event;

/* ---- children of parents that have ended, see orphan.c ---- */

typedef struct pawl_store_orphans {
    uint64_t *parents; /* whose row was written since the store was opened */
    size_t count;
    size_t capacity;
    bool scan;           /* there may be rows of others, behind this one: */
    uint64_t scan_after; /* (so that deleted rows are not walked over again and again) */
    uint64_t parent;     /* whose children are being looked after; 0: nobody's */
    uint64_t after;      /* and behind which of them to go on */
    bool wait;           /* it failed: again when there is something else to do */
} pawl_store_orphans;

/* ---- deadlines, see deadline.c ---- */

typedef struct pawl_store_deadlines {
    uint64_t next; /* no row is due before; 0: nobody knows yet */
    uint64_t from; /* no row stands in front of this time (so that deleted rows are not walked over again and again) */
    bool wait;     /* it failed: again later */
} pawl_store_deadlines;

/* ---- the registry ---- */

struct pawl_store_registry {
    pawl_store *store;
    pthread_mutex_t claim_lock; /* one claim at a time: guards next_type and scans */
    uint64_t next_type;         /* round robin over a claim's types */
    uint64_t scans;             /* of ready rows, so far */

    pthread_mutex_t lock; /* guards from here to the queue */
    struct pawl_store_number_tree by_number;
    struct pawl_store_id_tree by_id;
    TAILQ_HEAD(, pawl_store_entry) idle;
    size_t idle_count;
    size_t entry_count;
    uint32_t loading;  /* entries being read: nothing is evicted meanwhile, so that none of them can be outdated */
    uint64_t removals; /* raised when an entry leaves for good; what was being read then is read again */
    struct pawl_store_type_tree types;
    pawl_store_type **types_by_id;
    size_t lane_count;
    size_t account_count;
    uint32_t type_count;
    uint32_t types_stored; /* the rows of the first so many are durable */
    LIST_HEAD(, pawl_store_worker) workers;
    uint32_t worker_count; /* not expired */
    struct pawl_store_watch_tree watches;
    pawl_store_event *events;
    size_t event_count;
    size_t event_capacity;
    pthread_cond_t delivered;            /* some worker's `delivering` ended */
    pthread_cond_t published;            /* a round ended */
    uint64_t counts[STORE_STATUS_COUNT]; /* status as shown, without leases */
    uint64_t leased[STORE_STATUS_COUNT]; /* of those, leased now */
    uint64_t next_number;
    pawl_registry_op *unwatched;  /* to be completed as cancelled */
    pawl_registry_op **round_ops; /* the running round, for unwatch */
    uint8_t *round_cancelled;
    size_t round_count;
    uint64_t prune_from;            /* no end row in front of this time is left */
    pawl_store_orphans orphans;     /* the committer's own */
    pawl_store_deadlines deadlines; /* likewise */
    atomic_bool queue_news;         /* there may be queues whose waiting processes are to be told */
    bool queue_news_wait;           /* not in the next round: the committer's own */

    pthread_mutex_t queue_lock; /* guards the queue and what follows */
    pthread_cond_t queue_cond;
    pawl_registry_op *queue_first;
    pawl_registry_op *queue_last;
    bool poked; /* look again: events, clocks, unwatched */
    bool stopping;
    bool sleeping;

    pawl_store_round *round; /* the committer's own */
    pthread_t committer;
};

pawl_status pawl_store_registry_open(pawl_store *store, pawl_fault *fault);
void pawl_store_registry_close(pawl_store *store);
void pawl_store_registry_describe(pawl_store_registry *registry, json_t *facts);

/* ---- entry.c: processes in memory ---- */

/** The process with this number or id, from memory or read, pinned. PAWL_E_NOT_FOUND (with code
 *  "registry.no_longer_retained" when it was pruned), PAWL_E_CORRUPT. Not under lock. */
pawl_status pawl_store_entry_by_number(pawl_store_registry *registry, uint64_t number, pawl_store_entry **entry,
                                       pawl_fault *fault);
pawl_status pawl_store_entry_by_id(pawl_store_registry *registry, pawl_bytes id, pawl_store_entry **entry,
                                   pawl_fault *fault);
/** Make an entry that is not in the tables. */
pawl_store_entry *pawl_store_entry_create(uint64_t number, pawl_store_type *type, pawl_bytes encoded);
/** The rest are called under lock. */
pawl_store_entry *pawl_store_entry_find(pawl_store_registry *registry, uint64_t number);
void pawl_store_entry_insert(pawl_store_registry *registry, pawl_store_entry *entry);
/** Let it be found by its id, whose former process was removed. */
void pawl_store_entry_list(pawl_store_registry *registry, pawl_store_entry *entry);
void pawl_store_entry_remove(pawl_store_registry *registry,
                             pawl_store_entry *entry); /**< from the tables; freed when unused */
void pawl_store_entry_pin(pawl_store_registry *registry, pawl_store_entry *entry);
void pawl_store_entry_unpin(pawl_store_registry *registry, pawl_store_entry *entry);
/** Put the entry where it belongs after a change: in use, kept as a cache, or freed. */
void pawl_store_entry_settle(pawl_store_registry *registry, pawl_store_entry *entry);
void pawl_store_entries_finish(pawl_store_registry *registry);

uint32_t pawl_store_priority_of(const pawl_store_identity *identity); /**< from 0; in row.c */

/* ---- type.c ---- */

pawl_store_type *pawl_store_type_find(pawl_store_registry *registry, pawl_bytes name); /* under lock */
/** Find or make; the row of a new one is not written yet. Under lock. NULL: no room, see fault. */
pawl_store_type *pawl_store_type_intern(pawl_store_registry *registry, pawl_bytes name, pawl_fault *fault);
pawl_store_type *pawl_store_type_by_id(pawl_store_registry *registry, uint32_t id); /* under lock */
pawl_status pawl_store_types_open(pawl_store_registry *registry, pawl_fault *fault);
void pawl_store_types_finish(pawl_store_registry *registry);
void pawl_store_put_type(pawl_batch *batch, const pawl_store_type *type); /**< its row */
/** Tell the type of a wake row that now is durable, so that claims and the clock meet it. Under lock. */
void pawl_store_type_note_wake(pawl_store_type *type, uint64_t due, uint64_t number);

/* ---- lease.c: worker sessions and leases. All under lock, unless it says otherwise ---- */

pawl_store_worker *pawl_store_worker_find(pawl_store_registry *registry, uint64_t id);
/** The one with this id if it is alive now, else NULL (and if it just expired, all of that). */
pawl_store_worker *pawl_store_worker_alive(pawl_store_registry *registry, uint64_t id);
void pawl_store_lease_take(pawl_store_registry *registry, pawl_store_entry *entry, pawl_store_worker *worker,
                           uint64_t token);
/** End the lease, if there is one. lost: tell its holder. */
void pawl_store_lease_drop(pawl_store_registry *registry, pawl_store_entry *entry, bool lost);
bool pawl_store_claimable(const pawl_store_entry *entry, uint64_t now_unix_ns); /* by what is durable about it */
/** Put on its type's list, or take off. */
void pawl_store_returned_add(pawl_store_entry *entry);
void pawl_store_returned_remove(pawl_store_registry *registry, pawl_store_entry *entry);
/** Expire worker sessions whose time has come. */
void pawl_store_workers_expire(pawl_store_registry *registry);
/** Every worker session is to get a WORK event. */
void pawl_store_announce_work(pawl_store_registry *registry);
/** Announce types whose next wake has come. */
void pawl_store_announce_due(pawl_store_registry *registry);
/** When the clock has to be looked at again, in nanoseconds from now; STORE_NEVER: no need. */
uint64_t pawl_store_next_look(pawl_store_registry *registry);
void pawl_store_event_push(pawl_store_registry *registry, const pawl_store_event *event);
/** Deliver what is due, from the committer, not under lock. */
void pawl_store_events_deliver(pawl_store_registry *registry);
void pawl_store_workers_finish(pawl_store_registry *registry);
pawl_status pawl_store_worker_open(pawl_store *store, pawl_bytes name, uint64_t ttl_ns, void *listener,
                                   uint64_t *session, pawl_failure_sink *why); /* not under lock, like the rest */
pawl_status pawl_store_heartbeat(pawl_store *store, uint64_t session);
void pawl_store_worker_close(pawl_store *store, uint64_t session);
pawl_status pawl_store_release(pawl_store *store, uint64_t number, uint64_t token);
void pawl_store_tick(pawl_store *store);

/* ---- committer.c ---- */

void pawl_store_submit(pawl_store *store, pawl_registry_op *const *ops, size_t count);
void pawl_store_unwatch(pawl_store *store, pawl_registry_op *op);
/** Make the committer look again. May be called under lock. */
void pawl_store_poke(pawl_store_registry *registry);

/* ---- claim.c, read.c ---- */

pawl_status pawl_store_claim(pawl_store *store, const pawl_claim *claim, pawl_row_visit visit, void *context,
                             pawl_failure_sink *why);
pawl_status pawl_store_get(pawl_store *store, pawl_bytes id, pawl_row_visit visit, void *context,
                           pawl_failure_sink *why);
pawl_status pawl_store_journal(pawl_store *store, uint64_t number, uint64_t from, uint64_t limit,
                               pawl_record_visit visit, void *context, pawl_failure_sink *why);
pawl_status pawl_store_list(pawl_store *store, const pawl_list *list, pawl_row_visit visit, void *context,
                            uint64_t *next, pawl_failure_sink *why);
pawl_status pawl_store_ended(pawl_store *store, const pawl_ended *ended, pawl_row_visit visit, void *context,
                             pawl_failure_sink *why);
pawl_status pawl_store_count(pawl_store *store, uint64_t *counts, size_t count, pawl_failure_sink *why);

#endif
