/* lab.h: a place to watch real workers at: a real store, workers over it (each through an unruly registry), effects
 * whose behaviour a test scripts and whose every execution is noted, and an audit of all journals at the end. Owns all
 * of it. Time is the machine's, moved forward by lab_advance.
 *
 * Thread tag: the test's thread only, unless said otherwise. */
#ifndef PAWL_TEST_LAB_H
#define PAWL_TEST_LAB_H

#include "unruly.h"
#include "worker/base/clock.h"
#include "worker/catalog.h"
#include "worker/journal.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
/* Tables of the ABI have a member of this name. */
#undef fail
#undef fail_msg
#define fail_msg(...)                                                                                                  \
    do {                                                                                                               \
        print_error("ERROR: " __VA_ARGS__);                                                                            \
        print_error("\n");                                                                                             \
        _fail(__FILE__, __LINE__);                                                                                     \
    } while (0)

#define LAB_PATIENCE_NS (40 * PAWL_NS_PER_SECOND) /* how long a wait may take before the test fails */

typedef struct lab lab;
typedef struct lab_effect lab_effect;
typedef struct lab_worker lab_worker;

/* ---- time and waiting: [any] ---- */

uint64_t lab_mono_ns(void); /* the machine's */
void lab_condition_init(pthread_cond_t *condition);
void lab_wait(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t ns);
/** Move the clock of the store and of the workers forward, and have the store look at it. */
void lab_advance(lab *own, uint64_t ns);
/** Set the time of day of store and workers, forward or back; no monotonic clock moves. The store is not told. From now
 * on the audit does not compare times. */
void lab_set_wall(lab *own, int64_t ns);
/** What has happened so far, counted: an event that can know of another has a larger number. [any] */
uint64_t lab_order(lab *own);
uint64_t lab_store_mono_ns(lab *own);
uint64_t lab_store_unix_ns(lab *own);

/** Wait until an expression is true; fail the test when it takes too long. */
#define LAB_UNTIL(own, expression)                                                                                     \
    do {                                                                                                               \
        uint64_t lab_until_ = lab_mono_ns() + LAB_PATIENCE_NS;                                                         \
        while (!(expression)) {                                                                                        \
            if (lab_mono_ns() > lab_until_)                                                                            \
                fail_msg("%s:%d: in vain: %s\n%s", __FILE__, __LINE__, #expression, lab_log_text(own));                \
            lab_nap();                                                                                                 \
        }                                                                                                              \
    } while (0)
void lab_nap(void); /* a millisecond, between two looks */

/* ---- the place ---- */

/** provider: "memory" or "rocksdb" (in a directory of its own). Asserts. */
lab *lab_create(const char *provider);
/** The same, with store configuration: a JSON object. */
lab *lab_create_with(const char *provider, const char *config_json);
/** Lets every effect go and ends the workers; the store stays open. */
void lab_end_all(lab *own);
/** Lets every effect go, ends the workers, audits every journal, removes everything. */
void lab_destroy(lab *own);
/** Close the store and open it again; no worker may be left. */
void lab_reopen(lab *own);
/** What its files hold; "rocksdb". */
uint64_t lab_store_bytes(lab *own);
bool lab_logged(lab *own, const char *text);
uint32_t lab_logged_times(lab *own, const char *text);
const char *lab_log_text(lab *own);
const struct pawl_log *lab_log(lab *own); /* to write into */
const pawl_core *lab_core(void);          /* as plugins have it */

/* ---- effects ---- */

enum { LAB_DID_NOT_HAPPEN = 0, LAB_HAPPENED = 1, LAB_CANNOT_TELL = 2 };

/** What an effect does. Members up to `own` are the script: set them before a worker starts; those marked [live] may be
 *  changed with lab_script afterwards. Its result is "name(input)". */
struct lab_effect {
    const char *name;
    uint32_t runs;             /* PAWL_RUNS_*; 0: pool */
    uint32_t outcome;          /* PAWL_OUTCOME_*; 0: idempotent */
    uint32_t limit;            /* of its bulkhead; 0: none */
    uint64_t timeout_ns;       /* of one attempt */
    uint64_t deadline_ns;      /* of all of them */
    pawl_retry_policy retry;   /* attempts_max 0: five attempts a millisecond apart */
    bool no_reconcile;         /* the plugin has no such function */
    bool local;                /* it shows nothing outside */
    const pawl_guards *guards; /* what an attempt passes first; NULL: nothing. They live as long as the lab */
    const pawl_gate *gate;
    uint32_t fail_times;     /* [live] so many executions fail */
    uint32_t klass;          /* [live] with this class; 0: retryable */
    const char *code;        /* [live] and code; NULL: "lab.failed" */
    uint64_t retry_after_ns; /* [live] */
    pawl_status answer;      /* [live] not 0: answer this bare status without a word */
    bool held;               /* [live] executions wait until lab_let_go, or to be told to stop */
    bool deaf;               /* [live] they do not hear that they should stop */
    size_t output_size;      /* [live] not 0: the result has this size */
    uint32_t reconcile;      /* [live] LAB_* */
    /* the lab's own */
    lab *own;
    uint32_t executions, reconciles, running, running_peak;
};

/** Add an effect for workers that start from now on. */
lab_effect *lab_add(lab *own, const lab_effect *script);
/** Change members of the script under the lab's lock: LAB_SCRIPT(effect, held = false). */
#define LAB_SCRIPT(effect, assignment)                                                                                 \
    do {                                                                                                               \
        lab_lock((effect)->own);                                                                                       \
        (effect)->assignment;                                                                                          \
        lab_unlock((effect)->own);                                                                                     \
    } while (0)
void lab_lock(lab *own);
void lab_unlock(lab *own);
void lab_let_go(lab_effect *effect); /* also of what waits now */
void lab_wait_executions(lab_effect *effect, uint32_t count);
void lab_wait_running(lab_effect *effect, uint32_t count);
uint32_t lab_executions(lab_effect *effect); /* begun */
uint32_t lab_running(lab_effect *effect);

/** One call that reached a plugin. */
typedef struct lab_execution {
    char effect[48], key[96];
    uint32_t attempt;
    bool reconcile, ended, told_to_stop;
    bool told_at_once;               /* to stop, before it began */
    uint32_t worker;                 /* lab_index of it */
    uint64_t begin_order, end_order; /* lab_order; end 0: it has not ended */
    uint64_t input_hash;
    uint64_t begin_unix_ns, end_unix_ns, deadline_mono_ns;
} lab_execution;
/** The n-th execution of an effect (0 and up), reconciles among them. Asserts that there is one. */
lab_execution lab_execution_of(lab_effect *effect, uint32_t index);

/* ---- workers ---- */

/** What a worker may run from now on. */
void lab_add_type(lab *own, const char *name, uint32_t revision, const pawl_process_table *program);
void lab_forget_types(lab *own);

/** Settings; 0 or NULL gives the lab's: 2 shards, 4 effect threads, a lease of a minute, no cancel grace to speak of.
 */
typedef struct lab_settings {
    const char *name;
    uint32_t shards, effect_threads, resident_max, effects_queued_max;
    uint64_t lease_ttl_ns, heartbeat_ns, cancel_grace_ns, activation_warn_ns;
    size_t value_bytes_max;
    uint64_t journal_warn_bytes, journal_max_bytes;
    struct pawl_observers *observers; /* told what it does; NULL: nobody. They outlive it */
} lab_settings;

/** Start a worker with the lab's types and effects. settings may be NULL. */
lab_worker *lab_start(lab *own, const lab_settings *settings);
void lab_stop(lab_worker *w, uint32_t mode, uint64_t within_ns); /* pawl_worker_stop */
/** Stop it hard, free it. Effects that run are let go first. */
void lab_end(lab_worker *w);
/** End it as a host would while an effect never returns: what that uses is left in place for ever. */
void lab_abandon(lab_worker *w);
uint32_t lab_stop_mode(lab_worker *w);
/** As if its program had been killed: the store never hears of it again. Its memory goes with the lab. */
void lab_crash(lab_worker *w);
unruly *lab_store(lab_worker *w);
uint32_t lab_index(const lab_worker *w);
/** Let this worker's clocks differ from the store's. Before it has processes. */
void lab_skew(lab_worker *w, int64_t wall_ns, uint64_t mono_ns);
/** Let its time of day go on by so much each time that the worker looks at it: as if it were stopped in between. */
void lab_step(lab_worker *w, uint64_t ns);
/** The audit at the end compares no times: what is judged elsewhere, or clocks that differ. */
void lab_judge_no_times(lab *own);
/** The store itself. */
pawl_registry *lab_registry(lab *own);
/** Told of everything that workers started from now on do at the registry. */
void lab_observe(lab *own, const unruly_observer *observer);

/** Numbers of a worker. */
typedef struct lab_numbers {
    uint64_t claimed, activations, steps, retries, commits, lost_leases;
    uint32_t resident, effects_running, effects_queued;
} lab_numbers;
lab_numbers lab_stats(lab_worker *w);
/** What holds calls back may have changed. */
void lab_look_again(lab_worker *w);
/** What a worker says a process does now; false: it does not hold it. */
bool lab_explain(lab_worker *w, const char *id, char *text, size_t room);

/* ---- processes, from outside ---- */

/** From now on registrations and posts go through this; NULL: straight to the store. */
void lab_go_through(lab *own, pawl_registry *outside);
void lab_register(lab *own, const char *id, const char *type, const char *input);
/** The same, and it may be refused. external: it is ended from outside. */
pawl_status lab_try_register(lab *own, const char *id, const char *type, const char *input, bool external);
void lab_register_revision(lab *own, const char *id, const char *type, uint32_t revision, const char *input);
/** Register and lease to this worker at once, as a host does with its own worker. True: the worker was given it. */
bool lab_register_claimed(lab_worker *w, const char *id, const char *type, const char *input);
pawl_status lab_signal(lab *own, const char *id, const char *post_id, const char *name, const char *payload);
pawl_status lab_cancel(lab *own, const char *id, const char *reason);
pawl_status lab_terminate(lab *own, const char *id);
/** The sequence that the last post was given; 0: it was refused. */
uint64_t lab_posted(const lab *own);
/** End an external process. */
pawl_status lab_finish(lab *own, const char *id, const char *post_id, const char *output);
pawl_status lab_resume(lab *own, const char *id);
/** Have the steps from this ordinal on done again. */
pawl_status lab_rewind(lab *own, const char *id, const char *post_id, uint64_t ordinal);
/** Remove every process that has ended. */
pawl_status lab_prune(lab *own, uint64_t *removed);

/** A header, and its outcome in plain words. */
typedef struct lab_row {
    uint32_t status;
    uint64_t number, token, head, base, wake_unix_ns;
    uint32_t run;
    bool cancelled;
    char reason_code[64], reason[512], worker[32], document[256];
    char output[256]; /* ENDED with a value */
    char code[64];    /* ENDED with a failure */
    char message[512];
} lab_row;
lab_row lab_look(lab *own, const char *id);
lab_row lab_wait_status(lab *own, const char *id, uint32_t status);
lab_row lab_wait_end(lab *own, const char *id); /* any terminal status */
uint64_t lab_count(lab *own, uint32_t status);

/** The journal in words: "started step(1 a #1 = a(x)) ended(completed = ok)". Lives until the next call. */
const char *lab_journal(lab *own, const char *id);
/** How many records of a kind it has. */
uint32_t lab_records(lab *own, const char *id, uint32_t kind);

#endif
