/* activation.h: the deterministic core of a process: a mirror of its journal, and one run of its program over it.
 *
 * Sans-I/O: records are fed in, commands come out; nothing here reads a clock, a store or a lock. The worker feeds
 * records in journal order, whether they come from disk (replay) or were just committed (live): the two are the same
 * path, which is what makes replay true. Then it runs the program, and does what the commands say.
 *
 * Rules that make it deterministic:
 *  - a call, timer, clock reading or compensation gets the next ordinal in program order; signal waits and versions
 *    take none;
 *  - a future comes at the sequence of its record (STEP, FIRED, SIGNAL), that of a child at the later of the two that
 *    say that it was started (STEP) and that it has ended (CHILD); `await any` gives the smallest sequence among those
 *    that came; a cancel request counts as one more thing awaited, told once: an await ends as cancelled when the
 * CANCEL record stands before what it would have given;
 *  - the k-th taken wait for a signal name takes the earliest signal of that name not yet taken; a wait takes one only
 *    when an await ends with it;
 *  - a version is that of its MARKER; without one it is the oldest when later commands are in the journal, else the
 * newest and the MARKER is written; the first time in a run decides for the whole run;
 *  - REWOUND makes what stands before it of ordinals from its own on, the end and the cancel request as if they had
 * never been; signals are there again, in their order;
 *  - random bytes and uuids come from a seed (process id, run, time of its first record) and the ordinal;
 *  - how long the journal is, is asked as of what the program has seen of it: up to the record that the last await
 *    ended with; from when on it is long is recorded when that is first asked (LIMITS);
 *  - a program that ends as failed or cancelled and has registered compensations is undone by the core, by calls at the
 *    ordinals after its own, in reverse order of completion (activation/undo.c).
 *
 * A command that differs from what the journal holds at its ordinal (kind, name, input digest, span), or a journal with
 * commands that the program, having ended or suspended, did not issue, is nondeterminism: expected and found are named.
 *
 * [instance]: one thread at a time. Never calls anything but the program. */
#ifndef PAWL_ACTIVATION_H
#define PAWL_ACTIVATION_H

#include "worker/attributes.h"
#include "worker/contract.h"
#include "worker/journal.h"

#include <stdatomic.h>

typedef struct pawl_activation pawl_activation;

/** Where log lines of process code go. NULL members are allowed. */
typedef struct pawl_activation_log {
    void (*line)(void *context, pawl_bytes process, uint32_t level, pawl_bytes message, pawl_bytes fields_json);
    void *context;
} pawl_activation_log;

typedef struct pawl_activation_config {
    pawl_bytes id;      /* copied */
    pawl_bytes session; /* copied */
    pawl_bytes type;    /* copied */
    uint32_t revision;
    uint32_t run;
    const pawl_process_table *program; /* outlives the activation */
    const pawl_contract *contract;     /* of the input of the next run; NULL: anything */
    size_t value_bytes_max;            /* limit of one input, result, document or output */
    size_t commands_max;               /* calls and timers that may be open at once; e.g. 10000 */
    uint64_t warn_bytes, warn_records; /* a journal beyond one of them is long; 0: never */
    /* From so many commands on, a program that waits is kept where it stands, on a stack of its own, and goes on from
     * there: else the time of each step grows with the steps before it. UINT64_MAX: never. What it does is the same. */
    uint64_t keep_from;
    atomic_uint_fast32_t *keeps_left; /* how many more may be kept so; NULL: any number */
    pawl_activation_log log;
    pawl_bytes
        document; /* the status document in the store, if known: it is not given again. Read during create only */
    const pawl_attribute_schema *schema; /* of search attributes; outlives the activation; NULL: there are none */
    bool attributes_known;               /* the next is all that is stored; else anything may be */
    pawl_bytes attributes;               /* those in the store, for they are not given again. Read during create only */
} pawl_activation_config;

/** A call the program has started and whose end is not in the journal. Lives until its STEP record is fed. */
typedef struct pawl_open_call {
    struct pawl_open_call *next; /* in order of ordinal */
    uint64_t ordinal;
    pawl_bytes name;  /* of the effect */
    pawl_bytes input; /* empty until the program has issued the call in this residency (see issued) */
    uint8_t digest[16];
    uint32_t attempts_max;          /* from pawl_call_options; 0: policy */
    uint64_t timeout_ns;            /* likewise */
    uint64_t deadline_ns;           /* likewise, of all attempts */
    bool issued;                    /* the program has started it in a run of this mirror */
    bool child;                     /* it starts a process: the input is a request of child.h, no effect is called */
    uint32_t intents;               /* highest attempt with an INTENT record; 0: none */
    uint32_t attempts;              /* highest attempt with an ATTEMPT record; 0: none. intents > attempts: in doubt */
    uint64_t due_unix_ns;           /* of the last ATTEMPT record: not before this */
    uint64_t first_attempt_unix_ns; /* time of the first INTENT or ATTEMPT record; 0: none */
    uint64_t deadline_unix_ns;      /* of the DEADLINE record; 0: none */
    bool maybe_happened;            /* an attempt ended with an unknown outcome */
    pawl_failure last_failure;      /* of the last ATTEMPT record; bytes live as long as the mirror */
    void *worker_data;              /* the caller's own; NULL at first */
} pawl_open_call;

/** A timer that was set and has not fired. */
typedef struct pawl_open_timer {
    struct pawl_open_timer *next; /* in order of ordinal */
    uint64_t ordinal;
    uint64_t after_ns;
    uint64_t due_unix_ns; /* 0 until its TIMER record is fed; the caller chooses due when it writes that record */
    bool recorded;
} pawl_open_timer;

/** A child that was started and whose end is not in the journal. Lives as long as the mirror. */
typedef struct pawl_open_child {
    struct pawl_open_child *next; /* in the order in which their starts were recorded */
    uint64_t ordinal;
    pawl_bytes id;         /* empty until the program has issued it in this residency */
    uint32_t parent_close; /* likewise */
    uint32_t asked;        /* the caller's own; 0 at first */
} pawl_open_child;

/** How a run ended. */
enum {
    PAWL_RUN_SUSPENDED = 1, /* it waits; see the open calls and timers, and `waits` */
    PAWL_RUN_ENDED = 2,     /* outcome is set */
    /* reason_code and reason are set: "nondeterminism"; "contract" (activate returned what makes no sense); "limit"
     * (host calls or memory of one run); "unsupported" (no program for this type and revision); "out_of_memory". */
    PAWL_RUN_STUCK = 3,
    PAWL_RUN_CONTINUED = 4, /* it goes on as the next run: output is the input of that. See pawl_activation_carry */
};

/** What one run gave. Bytes live until the next run or the activation's end. */
typedef struct pawl_run_result {
    uint32_t kind;                  /* PAWL_RUN_* */
    uint32_t status;                /* ENDED: PAWL_COMPLETED, PAWL_FAILED or PAWL_CANCELLED; CANCEL: PAWL_FAILED when a
                                       deadline asks, and it is to end as failed; else 0 */
    pawl_bytes output;              /* ENDED and completed, CONTINUED */
    pawl_failure failure;           /* ENDED and failed or cancelled */
    pawl_bytes reason_code, reason; /* STUCK */
    pawl_bytes waits;               /* SUSPENDED: in words, e.g. "signal accepted, timer" (at most 256 bytes) */
    /* What this run did that is recorded by itself and not in the journal yet: NOW, MARKER, ROLLBACK and COMPENSATING
     * records to write before any call of this run is started; kind and body. Every run asks for them again until they
     * are fed, so the program must not be run while they are on their way to the store. */
    const pawl_record *local;
    size_t local_count;
    /* The status document, when it is not known to be stored (see pawl_activation_document_stored); else NULL. */
    const pawl_bytes *document;
    /* Search attributes to be set (null: removed) that are not known to be stored; NULL when there are none. */
    const pawl_bytes *attributes;
    bool waits_for_signal; /* SUSPENDED: an await includes a signal wait */
    /* SUSPENDED: the program has ended, and what it did is undone. Its own calls (up to program_ordinal) are to stop.
     */
    bool compensating;
    uint32_t undo_step, undo_count; /* of the compensations that there are, which one is under way; 0: none yet */
} pawl_run_result;

/** Make an empty mirror. Errors: PAWL_E_NOMEM. */
pawl_status pawl_activation_create(const pawl_activation_config *config, pawl_activation **ret, pawl_error *error);
/** NULL is allowed; returns NULL. On the thread that has run it: a program that is kept returns from its await first.
 */
pawl_activation *pawl_activation_destroy(pawl_activation *activation);

/** Give the records that go over into the next run, in their order: the last answers to updates (as REPLY of ordinal 0;
 * at most 64 and 256 KiB, and those of this run that are not recorded), signals that no wait has taken, and the cancel
 * request. After a run that gave PAWL_RUN_CONTINUED. sequence: of the record that is carried. Errors: what visit gives
 * (it then ends). */
pawl_status pawl_activation_carry(const pawl_activation *activation,
                                  pawl_status (*visit)(void *context, const pawl_entry *entry), void *context);

/** Add the next record (its bytes are copied). The first one may have any sequence: it begins the run. Errors:
 * PAWL_E_CORRUPT when it cannot be decoded or contradicts the mirror (for instance a STEP for an ordinal that has
 * ended), PAWL_E_INVALID when its sequence is not head + 1, PAWL_E_UNSUPPORTED for a newer version, PAWL_E_NOMEM. */
pawl_status pawl_activation_feed(pawl_activation *activation, const pawl_record *record, pawl_error *error);

/** Run the program: from the top, or on from where it is kept. now_unix_ns is what a first reading of the clock gives.
 * Needs a first record. Never fails otherwise: what goes wrong is the process's and comes out as ENDED or STUCK. */
void pawl_activation_run(pawl_activation *activation, uint64_t now_unix_ns, pawl_run_result *ret);

/** The document that the last run gave is in the store: the next runs give it again only when it has changed. Without
 *  this call every run gives it, for a commit may have been refused or (PAWL_RESULT_MORE) done by half. */
void pawl_activation_document_stored(pawl_activation *activation);

/** The same for search attributes. */
void pawl_activation_attributes_stored(pawl_activation *activation);

/** Facts about the mirror. */
uint64_t pawl_activation_head(const pawl_activation *activation);       /* sequence of the last record fed */
pawl_open_call *pawl_activation_calls(pawl_activation *activation);     /* first open call, or NULL */
pawl_open_timer *pawl_activation_timers(pawl_activation *activation);   /* first open timer, or NULL */
pawl_open_child *pawl_activation_children(pawl_activation *activation); /* first open child, or NULL */
/** The journal says that the child of this command has ended (it may, before it says that it was started). */
bool pawl_activation_child_ended(const pawl_activation *activation, uint64_t ordinal);
uint64_t pawl_activation_cancel_time(const pawl_activation *activation); /* of the first CANCEL record; 0: none */
bool pawl_activation_cancel_told(const pawl_activation *activation);     /* the last run was told of it */
bool pawl_activation_deadline_told(const pawl_activation *activation);   /* likewise, and a deadline asked */
/** The last command that the last run had issued when it was told: what came later is its way of stopping. 0: not told.
 */
uint64_t pawl_activation_cancel_ordinal(const pawl_activation *activation);
/** The program has ended, and what it did is undone; also when only the journal says so, before the first run. */
bool pawl_activation_compensating(const pawl_activation *activation);
/** The last command of a program that has ended and is being undone; those behind it undo. UINT64_MAX: it has not. */
uint64_t pawl_activation_program_ordinal(const pawl_activation *activation);
/** The last command before the last await: those behind it were never begun, by any worker. */
uint64_t pawl_activation_awaited_ordinal(const pawl_activation *activation);
/** How often this ordinal was made anew by rewinds; 0: never. Keys of its effects hold it. */
uint32_t pawl_activation_generation(const pawl_activation *activation, uint64_t ordinal);
bool pawl_activation_ended(const pawl_activation *activation);    /* an ENDED record was fed */
size_t pawl_activation_memory(const pawl_activation *activation); /* bytes held, about */

#endif
