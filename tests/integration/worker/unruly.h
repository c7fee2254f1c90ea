/* unruly.h: a process registry that forwards to a real one and misbehaves when told: it fails chosen operations, holds
 * them back, finishes them late and in another order, loses a worker session, pokes without cause, stands still for a
 * while as if its program had been stopped. Each worker of a test has its own. Owns a thread that answers for it; never
 * changes what the real registry did, and never breaks the ABI itself: what is told about one process is told in the
 * order of its records.
 *
 * Thread tag: [any], but create and destroy. */
#ifndef PAWL_TEST_UNRULY_H
#define PAWL_TEST_UNRULY_H

#include "worker/registry.h"

#include <stdbool.h>

typedef struct unruly unruly;

enum {
    UNRULY_FAIL = 1,   /* not forwarded: ends with the rule's status */
    UNRULY_HOLD = 2,   /* not forwarded until unruly_let_go */
    UNRULY_FORGET = 3, /* done by the real registry, but the answer is held until unruly_let_go */
};

/** What to do with which operations. */
typedef struct unruly_rule {
    uint32_t action;
    uint32_t op_kind;     /* PAWL_OP_*; 0: any */
    uint32_t record_kind; /* only commits with such a record; 0: any */
    uint32_t skip;        /* let so many pass first */
    uint32_t times;       /* then so many; 0: all */
    pawl_status status;   /* FAIL */
} unruly_rule;

unruly *unruly_create(pawl_registry *real);
/** No worker uses it any more. */
void unruly_destroy(unruly *u);
/** What a worker is given. */
pawl_registry *unruly_registry(unruly *u);

void unruly_add(unruly *u, const unruly_rule *rule);
/** Forget all rules; what is held goes on. */
void unruly_let_go(unruly *u);
/** Wait until so many operations are held. False after a long time. */
bool unruly_wait_held(unruly *u, uint32_t count);
/** How many operations the rules have touched. */
uint32_t unruly_touched(unruly *u);
/** From now on answers come late by up to so many ms, and not in order between processes. */
void unruly_shuffle(unruly *u, uint32_t late_ms);
/** The next so many calls of these fail with a status. */
void unruly_fail_claims(unruly *u, uint32_t times, pawl_status status);
void unruly_fail_journals(unruly *u, uint32_t times, pawl_status status);
void unruly_fail_heartbeats(unruly *u, uint32_t times, pawl_status status);
/** Journals read from now on lack the record with this sequence; 0: none. */
void unruly_omit_record(unruly *u, uint64_t sequence);
/** How often claim was called. */
uint32_t unruly_claims(unruly *u);
/** Send WORK events without cause. */
void unruly_poke(unruly *u, uint32_t times);
/** No event reaches the worker any more. */
void unruly_deafen(unruly *u);
/** The worker is dead as far as the store can tell: nothing it does arrives any more, its session ends at once, and it
 * hears nothing. What it was told before stays told. */
void unruly_cut(unruly *u);

/** Trouble by chance, of operations that have not reached the real registry. All zero: none. */
typedef struct unruly_weather {
    uint64_t seed;
    uint32_t fail_permille;  /* one fails: PAWL_E_IO, _BUSY, _FULL or _NOMEM */
    uint32_t spell_permille; /* this and the next up to spell_max fail */
    uint32_t spell_max;
    uint32_t deaf_permille;  /* of events about one process one gets lost, as where there is no memory for it */
    uint32_t fence_permille; /* a commit finds its lease given back, and is judged by the real registry */
} unruly_weather;
void unruly_set_weather(unruly *u, const unruly_weather *weather);

/** As if the program had been stopped: nothing it does arrives, nothing reaches it, its calls do not return. Its
 * threads run on otherwise, so that effects begin and end. */
void unruly_freeze(unruly *u);
/** And goes on: what it was about to be told is told, then what it had handed over arrives, late. */
void unruly_thaw(unruly *u);

/* ---- watching ---- */

enum {
    UNRULY_SAW_FORWARD = 1, /* an operation is about to reach the real registry */
    UNRULY_SAW_ANSWER,      /* the real registry has answered it; nobody has been told */
    UNRULY_SAW_OPEN,        /* a worker session: session, ttl_ns */
    UNRULY_SAW_BEATING,     /* its heartbeat is about to reach the real registry */
    UNRULY_SAW_BEAT,        /* and was answered: status */
    UNRULY_SAW_CLOSING,     /* it is about to be closed */
    UNRULY_SAW_CLOSE,       /* it is closed now */
    UNRULY_SAW_CLAIMING,    /* a claim is about to reach the real registry: count is its limit */
    UNRULY_SAW_GRANT,       /* a lease: session, number, token, head; ttl_ns is 0 */
    UNRULY_SAW_CLAIMED,     /* the claim has returned: status */
    UNRULY_SAW_RELEASING,   /* a lease is about to be given back: number, token */
    UNRULY_SAW_RELEASE,     /* and was, or not: status */
    UNRULY_SAW_RECORD,      /* the worker reads a journal: number, record */
};

typedef struct unruly_sight {
    uint32_t kind;
    uint32_t who; /* as given with the observer */
    uint64_t session, number, token, head, count, ttl_ns;
    pawl_status status;
    const pawl_registry_op *op; /* FORWARD, ANSWER */
    const pawl_record *record;  /* RECORD */
} unruly_sight;

/** Told of everything that passes, on whatever thread it passes, under no lock. Must not block. */
typedef struct unruly_observer {
    void (*saw)(const struct unruly_observer *observer, const unruly_sight *sight);
} unruly_observer;
/** Before the first use. */
void unruly_observe(unruly *u, const unruly_observer *observer, uint32_t who);

#endif
