/* unruly_internal.h: what the two halves of the unruly registry share: unruly.c, the way of an operation and of an
 * event through it, and unruly_calls.c, calls that return at once and what a test sets. Nobody else includes it. */
#ifndef PAWL_TEST_UNRULY_INTERNAL_H
#define PAWL_TEST_UNRULY_INTERNAL_H

#include "unruly.h"

#include "lab.h"

#define UNRULY_RULES_MAX 8

/* One operation on its way through, or one event on its way to the worker. */
typedef struct passage {
    pawl_request request; /* what the real registry sees */
    pawl_registry_op *op; /* the worker's; NULL: this is an event */
    unruly *owner;
    struct passage *next;
    uint64_t number; /* of the process whose order counts; 0: none does */
    uint64_t due_mono_ns;
    bool answered; /* by the real registry, or in its place */
    bool forget;
    pawl_registry_event event;
    pawl_record record; /* of the event; its body stands behind this struct */
} passage;

struct unruly {
    pawl_registry registry; /* what the worker sees: store is this struct */
    pawl_registry *real;
    pawl_registry_listener listener; /* what the real registry tells */
    const unruly_observer *observer; /* set before the first use; may be NULL */
    uint32_t observed_as;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    pawl_registry_listener *worker; /* whom events are meant for */
    uint64_t session;
    unruly_rule rules[UNRULY_RULES_MAX];
    uint32_t rule_count, touched;
    passage *held, **held_end; /* not forwarded, or not told; in the order in which they came */
    passage *answer;           /* to be told, when due */
    uint32_t held_count, outstanding;
    uint32_t late_ms;
    uint64_t random;
    unruly_weather weather;
    uint32_t spell_left;
    pawl_status spell_status;
    uint32_t claims, claim_failures, journal_failures, heartbeat_failures;
    pawl_status claim_status, journal_status, heartbeat_status;
    uint64_t omitted; /* sequence of a record that no reading of a journal gives; 0: none */
    bool cut, deaf, frozen, closing, telling_event;
};

static inline unruly *unruly_of_store(pawl_store *store)
{
    return (unruly *)(void *)store;
}

/** The calls of the table that are not submit. */
void unruly_fill_calls(pawl_registry_table *table);
void unruly_saw(const unruly *u, unruly_sight *sight);
/** What the real registry tells; the listener's function. */
void unruly_on_event(pawl_registry_listener *listener, const pawl_registry_event *event);
/** Its session is closed: forget every event, and wait until none is being told. */
void unruly_drop_events(unruly *u);
/** A number below most; most 0: 0. Locked. */
uint64_t unruly_roll(unruly *u, uint64_t most);

#endif
