/* guard.h: what stands between a process and an effect: rate limits, places, circuit breakers and the middleware of
 * plugins, in the order of the profile. Owns their state, each behind a lock of its own, and the lines of calls that
 * wait for a place. A call that is held back has no thread, no attempt, no record.
 *
 * An attempt passes the guards of its effect one by one, outermost first; what it has passed is in its passage, which
 * is ended exactly once: with the call, or by giving everything back. Never calls a plugin under a lock; never blocks.
 * [any] */
#ifndef PAWL_GUARD_H
#define PAWL_GUARD_H

#include "circuit.h"
#include "rate.h"
#include "worker/base/clock.h"
#include "worker/base/sink.h"

#include <pthread.h>
#include <stdatomic.h>

#define PAWL_GUARDS_MAX 40u /* of one effect: two of each own kind, and two orders full of middleware */
#define PAWL_GUARD_WHY  192u

/** A switch of an operator: over all calls of one connector instance, or all processes of a type. */
typedef struct pawl_gate {
    const char *name;
    atomic_bool paused;
} pawl_gate;

/** NULL is a gate that is open. */
static inline bool pawl_gate_is_shut(const pawl_gate *gate)
{
    return gate != NULL && atomic_load_explicit(&gate->paused, memory_order_acquire);
}

typedef enum pawl_guard_kind {
    PAWL_GUARD_RATE = 0,
    PAWL_GUARD_PLACES = 1,
    PAWL_GUARD_CIRCUIT = 2,
    PAWL_GUARD_MIDDLEWARE = 3
} pawl_guard_kind;

typedef struct pawl_guard pawl_guard;

/** A call that waits for a place, in the line of a guard. Memory of the one who waits. */
typedef struct pawl_waiter {
    struct pawl_waiter *next;
    pawl_guard *guard;
    bool granted; /* it has a place, and wake was called or is about to be */
    /** [any] Called once, without a lock: the place is its own now. */
    void (*wake)(struct pawl_waiter *waiter);
} pawl_waiter;

struct pawl_guard {
    pawl_guard_kind kind;
    const char *of; /* the connector instance or effect it was made for; of middleware, its name in the profile */
    struct {
        const pawl_middleware_table *table;
        pawl_middleware *instance;
        const char *plugin; /* its id */
    } middleware;           /* never called under the lock */
    pthread_mutex_t lock;   /* guards what follows */
    pawl_rate rate;
    pawl_circuit circuit;
    struct {
        uint32_t limit, taken;
        pawl_waiter *first, *last; /* who waits for one */
        uint32_t waiting;
    } places;
    uint64_t passed, held, refused; /* attempts let through; times one was told to wait; calls failed at once */
    uint64_t longest_ns;            /* MIDDLEWARE: of its decisions */
};

/** The guards of one effect, outermost first. Constant once made. */
typedef struct pawl_guards {
    pawl_guard *items[PAWL_GUARDS_MAX];
    size_t count;
} pawl_guards;

/** What an operator sees of a guard. */
typedef struct pawl_guard_view {
    pawl_guard_kind kind;
    const char *of;
    uint64_t passed, held, refused;
    uint32_t tokens, burst;         /* RATE */
    uint32_t limit, taken, waiting; /* PLACES */
    pawl_circuit_state state;       /* CIRCUIT, and the rest */
    uint64_t open_left_ns;
    uint32_t calls, failed, slow;
    uint64_t transitions[3];
    uint64_t longest_ns; /* MIDDLEWARE */
    const char *plugin;  /* likewise */
} pawl_guard_view;

/* ---- making ---- */

/** Each copies its settings. NULL: out of memory. `of` outlives the guard. */
pawl_guard *pawl_guard_rate(const char *of, pawl_rate rate);
pawl_guard *pawl_guard_places(const char *of, uint32_t limit);
pawl_guard *pawl_guard_circuit(const char *of, const pawl_circuit_config *config);
/** The instance belongs to whoever made it, and outlives the guard, as the table and the plugin's id do. */
pawl_guard *pawl_guard_middleware(const char *of, const char *plugin, const pawl_middleware_table *table,
                                  pawl_middleware *instance);
pawl_guard *pawl_guard_destroy(pawl_guard *guard); /* NULL is allowed; returns NULL. Nobody is passing it */
void pawl_guard_look(pawl_guard *guard, uint64_t now_mono_ns, pawl_guard_view *ret);
const char *pawl_guard_kind_name(pawl_guard_kind kind); /* "rate_limit", "concurrency", "circuit", "middleware" */
/** What middleware says of itself, into the sink. False: nothing. [any] */
bool pawl_guard_describe(pawl_guard *guard, pawl_sink *json);

/* ---- passing ---- */

/** The way of one attempt through the guards of its effect. Zeroed but for guards, to begin with. */
typedef struct pawl_passage {
    const pawl_guards *guards;
    size_t passed; /* so many of them */
    uint64_t permits[PAWL_GUARDS_MAX];
    pawl_waiter *waiter;   /* in a line; its place may have come already */
    pawl_attempt *attempt; /* for middleware; NULL where there is none */
    const pawl_clock *clock;
    /** Middleware is about to decide about it (guard), or has (NULL). NULL: nobody wants to know. */
    void (*decides)(struct pawl_passage *passage, const pawl_guard *guard);
} pawl_passage;

typedef enum pawl_pass {
    PAWL_PASSED = 0, /* all of them: begin */
    PAWL_HELD = 1,   /* not now */
    PAWL_REFUSED = 2 /* not at all: the call fails */
} pawl_pass;

/** Why an attempt may not begin now. */
typedef struct pawl_held {
    uint64_t wait_ns;         /* go on after this span; UINT64_MAX: a waiter will be woken */
    bool is_short;            /* not worth leaving memory for: it stands in a line, or goes on within a second or so */
    bool until_told;          /* asking again earlier makes sense once somebody says that things have changed */
    const char *code;         /* REFUSED, and nothing was said */
    pawl_failure_slot said;   /* by middleware that refuses. Initialised and finished by the caller */
    char why[PAWL_GUARD_WHY]; /* "circuit of bank is open (6 of 10 calls failed)" */
} pawl_held;

/** Go as far as possible. HELD with wait_ns: call again then, with the same passage. returning: this process was put
 * away to wait here before. waiter: used when it has to stand in a line; *ret_held then says UINT64_MAX, and the
 * passage goes on once wake was called and pawl_passage_grant told it so. */
pawl_pass pawl_passage_go(pawl_passage *passage, uint64_t now_mono_ns, bool returning, pawl_waiter *waiter,
                          pawl_held *ret_held);
/** The place that was waited for has come. */
void pawl_passage_grant(pawl_passage *passage);

/** How a call ended, for those who judge. */
typedef struct pawl_call_end {
    bool failed;   /* of a kind that says something about the other side */
    bool terminal; /* TERMINAL: it answered, with a no */
    bool unbegun;  /* or ended because it was asked to: says nothing */
    bool begun;    /* it did, however it ended */
    pawl_status status;
    const pawl_failure *failure; /* NULL: it did not fail */
    uint64_t duration_ns;
} pawl_call_end;

/** The attempt is over. True: calls that are held back may look again. */
bool pawl_passage_end(pawl_passage *passage, uint64_t now_mono_ns, const pawl_call_end *end);
/** It does not begin after all: everything is given back. False: its waiter has been granted a place meanwhile, and
 * wake was called or is about to be; whoever is woken gives the place back with pawl_waiter_return. */
bool pawl_passage_abandon(pawl_passage *passage, uint64_t now_mono_ns);
void pawl_waiter_return(pawl_waiter *waiter);

#endif
