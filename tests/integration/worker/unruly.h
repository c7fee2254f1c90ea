/* unruly.h: a process registry that forwards to a real one and misbehaves when told: it fails chosen operations, holds
 * them back, finishes them late and in another order, loses a worker session, pokes without cause. Each worker of a
 * test has its own. Owns a thread that answers for it; never changes what the real registry did.
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
/** How often claim was called. */
uint32_t unruly_claims(unruly *u);
/** Send WORK events without cause. */
void unruly_poke(unruly *u, uint32_t times);
/** No event reaches the worker any more. */
void unruly_deafen(unruly *u);
/** The worker is dead as far as the store can tell: nothing it does arrives any more, its session ends at once, and it
 * hears nothing. What it was told before stays told. */
void unruly_cut(unruly *u);

#endif
