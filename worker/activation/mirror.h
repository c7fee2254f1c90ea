/* activation/mirror.h: what the files activation*.c and process_host.c share; nobody else includes it. Owns the memory
 * layout of the mirror (what the journal says, indexed for the program's questions) and of one run over it. Every
 * lookup is O(1) and a run allocates nothing for a step that the journal already holds: this is the hot path of replay.
 * [instance] */
#ifndef PAWL_ACTIVATION_MIRROR_H
#define PAWL_ACTIVATION_MIRROR_H

#include "activation.h"
#include "coroutine.h"
#include "worker/child.h"

#define COMMANDS_PER_CHUNK ((size_t)16)
/* A record may name an ordinal this far beyond those known (calls that were started and not yet recorded); more is
 * damage. It bounds what one bad record can make us allocate. */
#define ORDINAL_GAP_MAX  ((uint64_t)1 << 20)
#define HOST_CALLS_MAX   ((uint64_t)10 * 1000 * 1000) /* of one run: a program that asks more never ends */
#define RUN_MEMORY_MAX   ((size_t)256 * 1024 * 1024)  /* of one run's arena */
#define NAME_BYTES_MAX   ((size_t)256)                /* of an effect's or a signal's name */
#define WAITS_BYTES_MAX  ((size_t)256)
#define REASON_BYTES_MAX ((size_t)1536)
#define DETAIL_BYTES_MAX ((size_t)64 * 1024) /* of a failure's detail_json; a longer one is left out */

/* Names of updates are kept apart from those of signals, which have no such character. */
#define UPDATE_PREFIX '\x01'

/* One SIGNAL or UPDATE record. */
struct signal {
    struct signal *next;  /* of the same name, in order of sequence */
    struct signal *later; /* of any name, likewise */
    const struct name *name;
    uint64_t bytes; /* of the journal up to its record */
    uint64_t sequence;
    pawl_bytes payload;
    pawl_bytes id; /* of an update; empty: a signal */
    bool notice;   /* by the store, that something has changed which the process waits for */
};

/* A recorded answer to an update: the next run brings the last ones along, for who asks again. */
struct answer {
    struct answer *next;
    uint64_t ordinal; /* 0: of an earlier run */
    bool failed;
    pawl_bytes id, value;
    pawl_failure failure;
};

/* One name, of an effect or a signal: stored once, so that steps need no copy of it. */
struct name {
    pawl_bytes text;
    uint64_t hash;
    struct name *next_in_bucket;
    struct signal *first_signal, *last_signal;
    /* The last signal that a wait has taken: valid when the epoch is the current run's, else none was. */
    struct signal *taken;
    uint64_t taken_epoch;
    /* The same within one `await all`, before it is known whether all have come. */
    struct signal *tentative;
    uint64_t tentative_epoch;
    /* As id of a change: the version in the journal, and the one that this run lives by (valid in its epoch). */
    bool marked;
    uint32_t marker, chosen;
    uint64_t chosen_epoch;
};

#define OUTCOME_CONTINUED UINT32_MAX

enum command_kind { COMMAND_NONE, COMMAND_CALL, COMMAND_TIMER, COMMAND_NOW, COMMAND_ROLLBACK, COMMAND_REPLY };

struct open_call {
    pawl_open_call call; /* first: what others see */
    struct open_call *previous;
    void *input; /* owned copy */
};

struct open_timer {
    pawl_open_timer timer; /* first: what others see */
    struct open_timer *previous;
};

/* What is known of a child, from the journal or from the command that starts it. */
struct child {
    pawl_open_child open; /* first: what others see */
    struct child *previous;
    bool detached;
    bool started; /* its STEP was fed */
    bool ended;   /* its CHILD record was fed */
    bool failed;  /* it could not be started, or it ended otherwise than completed */
    uint32_t status;
    pawl_bytes output;
    pawl_failure failure;
};

/* What is known of one ordinal, from the journal or from an earlier run of this mirror. */
struct command {
    uint8_t kind;              /* enum command_kind; NONE: nothing is known */
    bool recorded;             /* the journal has a record of it; else only a run has issued it */
    bool failed;               /* CALL that came as a failure */
    bool child;                /* CALL that starts a child, or NONE of which the journal says that it was one */
    uint64_t came;             /* sequence of its STEP or FIRED record; 0: not yet */
    uint64_t came_bytes;       /* of the journal up to that record */
    struct command *next_came; /* in order of sequence */
    union {
        uint8_t digest[16]; /* CALL, ROLLBACK */
        uint64_t after_ns;  /* TIMER */
        uint64_t value_ns;  /* NOW */
    } of;
    const struct name *name; /* CALL, ROLLBACK */
    union {
        pawl_bytes value;            /* CALL that succeeded; ROLLBACK that is recorded: its input */
        const pawl_failure *failure; /* CALL that failed */
        struct child *child;         /* when `child` is set */
    } end;
    union {
        struct open_call *call;   /* CALL that has not come */
        struct open_timer *timer; /* TIMER that has not come */
        uint64_t of;              /* ROLLBACK: ordinal of the call it undoes; 0: of none */
    } open;
};

/* One wait for a signal, in one run. */
struct wait {
    struct name *name;
    bool answered;            /* an update, in this run */
    struct signal *taken;     /* NULL: none yet */
    struct signal *tentative; /* valid when the epoch is the current await's */
    uint64_t tentative_epoch;
};

/* What the program registered to be undone. */
struct rollback {
    uint64_t ordinal;
    uint64_t place; /* the sequence by which they are put in order */
    const struct command *command;
    pawl_bytes input;
    pawl_call_options options;
    uint64_t undo_ordinal;      /* of the call that undoes it */
    const struct command *undo; /* NULL: not begun */
};

/* The way from the program's end to the process's. */
struct undo {
    uint32_t status; /* how the program ended */
    pawl_failure failure;
    uint64_t program_ordinal; /* of the program's last command */
    bool ordered;             /* what is to be undone is known, and in order */
    size_t done, failed;
};

/* One run of the program: everything the program has done so far in it. */
struct run {
    pawl_process process; /* first: what the program sees */
    struct pawl_activation *mirror;
    uint64_t now_unix_ns;
    uint64_t ordinal;        /* of the last command issued */
    uint64_t cancel_ordinal; /* what ordinal was when the cancel request was told */
    /* The program's own time: the largest sequence that an await has ended with. A future that came later is not yet
     * known to the program, however long it has been in the journal. */
    uint64_t horizon;
    uint64_t open;               /* commands started and not come before the horizon */
    uint64_t open_calls;         /* those of them that are calls */
    struct signal *last_taken;   /* the one of the largest sequence; NULL: none */
    struct command *last_known;  /* the last command that came up to the horizon; NULL: none */
    struct open_call *last_call; /* of smaller ordinal than the next command; NULL: none */
    struct open_timer *last_timer;
    struct wait *waits; /* kept from run to run */
    size_t wait_count, wait_room;
    uint64_t await_epoch; /* never starts again, so that a stale mark in a name cannot match */
    uint64_t host_calls;
    uint64_t progress; /* commands and awaits so far: how far the program is, for replaying() */
    uint64_t draws;    /* uses of the random source so far */
    bool cancel_told;
    bool suspended;       /* an await has given PAWL_SUSPEND, or the program is kept in one */
    pawl_status returned; /* by a program on a stack of its own */
    bool waits_for_signal;
    size_t waits_size;
    char waits_text[WAITS_BYTES_MAX];
    /* Sticky end: whatever the program does now, the run is stuck. PAWL_OK: none. */
    pawl_status stuck;
    const char *stuck_code;
    pawl_bytes stuck_reason;
    /* Why the last start gave 0. */
    pawl_status refused;
    pawl_failure refusal;
    /* The failure that the last result() or await gave, and with which status. */
    pawl_status seen;
    pawl_failure seen_failure;
    /* What the program said about its end. */
    uint32_t outcome; /* 0, PAWL_COMPLETED, PAWL_FAILED or OUTCOME_CONTINUED */
    pawl_bytes output;
    pawl_failure failure;
    bool has_document;
    pawl_bytes document;
    void *document_buffer; /* holds it; kept from run to run */
    size_t document_room;
    json_t *attributes;    /* that the program has set in this run: name to value or null; NULL: none */
    char *attributes_text; /* what of them is news to the store */
    pawl_bytes attributes_bytes;
    pawl_record *local;
    size_t local_count, local_room;
    const bool *local_done;     /* turns true when the last one is in the journal */
    struct rollback *rollbacks; /* kept from run to run */
    size_t rollback_count, rollback_room;
    struct undo undo;
    uint64_t awaited_ordinal; /* of the last command issued before the last await: what came later was never begun */
};

struct pawl_activation {
    pawl_activation_config config; /* its bytes are in the arena */
    pawl_arena arena;              /* lives as long as the mirror */
    pawl_arena run_arena;          /* of the last run */
    uint64_t head;
    uint64_t base;       /* sequence of the first record */
    uint64_t bytes;      /* of all bodies fed */
    uint64_t base_bytes; /* of the first record's */
    pawl_bytes input;
    uint64_t started_unix_ns;
    uint8_t seed[16]; /* of random(); set with record 1 */
    bool ended;
    /* commands by ordinal */
    struct command **chunks;
    size_t chunk_count;
    uint64_t ordinal_max;  /* highest ordinal known */
    uint64_t recorded_max; /* highest ordinal in the journal */
    struct command *first_came, *last_came;
    /* names */
    struct name **buckets;
    size_t bucket_count, name_count;
    struct signal *first_signal, *last_signal; /* of any name */
    struct answer *first_answer, *last_answer;
    size_t answer_count;
    /* the LIMITS record, or what the current run was told, which is to be recorded */
    bool limits_recorded;
    uint64_t limits_epoch, limit_bytes, limit_records;
    uint64_t *rewinds; /* ordinals of the REWOUND records */
    size_t rewind_count;
    /* what is open */
    struct open_call *first_call, *last_call;
    struct open_timer *first_timer, *last_timer;
    struct child *first_child, *last_child;
    struct open_call *spare_calls;
    struct open_timer *spare_timers;
    size_t input_bytes; /* of the open calls */
    /* the first CANCEL record */
    uint64_t cancel_sequence, cancel_unix_ns, cancel_bytes;
    pawl_bytes cancel_reason;
    uint32_t cancel_status; /* of the CANCEL record */
    /* the COMPENSATING record */
    bool undo_recorded;
    uint32_t undo_status;
    pawl_bytes undo_code;
    bool undoing; /* the program has ended and is not run again: its run is kept, and the core goes on by itself */
    /* runs */
    uint64_t epoch;        /* number of the current run */
    uint64_t progress_max; /* of all runs so far */
    bool document_stored;  /* stored_digest is of the document in the store */
    uint8_t stored_digest[16];
    uint8_t given_digest[16]; /* of the document that the last run gave */
    json_t *attributes;       /* known to be in the store, or, as null, not to be there */
    bool attributes_complete; /* what is not named above is not there */
    json_t *given_attributes; /* that the last run gave */
    uint64_t effort;          /* rounds of every loop whose length depends on history; for the tests of linearity */
    pawl_coroutine *kept; /* the program stands on it, in an await or about to begin; NULL: it is run from the top */
    bool unwinding;       /* it is to return from there */
    struct run run;
};

/* ---- mirror (activation/mirror.c) ---- */

/* The command of an ordinal >= 1, or NULL when there is no room for it yet. */
struct command *pawl_mirror_command(const pawl_activation *mirror, uint64_t ordinal);
/* The same, making room. NULL when out of memory. */
struct command *pawl_mirror_command_make(pawl_activation *mirror, uint64_t ordinal);
/* The one `name` for this text. NULL when out of memory. */
struct name *pawl_mirror_name(pawl_activation *mirror, pawl_bytes text);
/* A new open call or timer, in the list after `after` (NULL: first) which must be its place by ordinal. NULL when out
 * of memory. */
struct open_call *pawl_mirror_call_open(pawl_activation *mirror, uint64_t ordinal, struct command *command,
                                        struct open_call *after);
struct open_timer *pawl_mirror_timer_open(pawl_activation *mirror, uint64_t ordinal, struct command *command,
                                          struct open_timer *after);
/* The last open one of a smaller ordinal, looked for from the end. */
struct open_call *pawl_mirror_call_before(pawl_activation *mirror, uint64_t ordinal);
struct open_timer *pawl_mirror_timer_before(pawl_activation *mirror, uint64_t ordinal);
/* Take out of the list and free. */
void pawl_mirror_call_close(pawl_activation *mirror, struct command *command);
void pawl_mirror_timer_close(pawl_activation *mirror, struct command *command);
/* The command's sequence is that of its end: it stands behind everything that came before. */
void pawl_mirror_note_came(pawl_activation *mirror, struct command *command, uint64_t sequence);
/* XXH3-128 in canonical byte order. */
void pawl_mirror_digest(pawl_bytes bytes, uint8_t ret[16]);
bool pawl_mirror_bytes_equal(pawl_bytes left, pawl_bytes right);

/* Eight bytes, least significant first: hashed things must not depend on the machine. */
void pawl_mirror_put_fixed(uint8_t at[8], uint64_t value);

/* ---- children (activation/child.c) ---- */

/* Is this the name of a command that starts a child? */
bool pawl_mirror_is_child(pawl_bytes name);
/* The STEP of a child's start: it was started, or could not be. The command is checked and not yet ended. */
pawl_status pawl_mirror_child_started(pawl_activation *mirror, struct command *command, const pawl_entry *entry,
                                      pawl_error *error);
/* Its command is to be done again: it is open no more. */
void pawl_mirror_child_forget(pawl_activation *mirror, struct command *command);
/* A CHILD record. */
pawl_status pawl_mirror_child_ended(pawl_activation *mirror, const pawl_entry *entry, pawl_error *error);
pawl_future pawl_program_start_child(struct run *run, pawl_bytes type, pawl_bytes input,
                                     const pawl_child_options *options);
/* What a child that has come has given, as pawl_program_result. */
pawl_status pawl_program_child_result(const struct child *child, pawl_bytes *value, const pawl_failure **failure);

/* Forget what is known of the ordinals from this one on, the end and, unless it is kept, the cancel request
 * (activation/rewind.c). */
pawl_status pawl_mirror_rewind(pawl_activation *mirror, uint64_t ordinal, bool keep_cancel);

/* ---- run (activation.c) ---- */

/* Make the run stuck for good; the first reason wins. Returns status. */
pawl_status pawl_program_stick(struct run *run, pawl_status status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Out of memory is the host's trouble, not the process's failure: stuck, so that it can be resumed. */
pawl_status pawl_program_out_of_memory(struct run *run);
/* Call the program, or let it go on where it is kept. PAWL_SUSPEND: it waits. */
pawl_status pawl_program_run(pawl_activation *mirror);
/* A program that is kept returns now, whatever it returns: its run is over. */
void pawl_program_unwind(pawl_activation *mirror);
/* An await has nothing to give: stay in it until the program is run again. False: return from it. */
bool pawl_program_stay(struct run *run);
/* Start of every host call: counts it; not PAWL_OK when the run is stuck. */
pawl_status pawl_program_enter(struct run *run);
/* Bytes of the run, zeroed; NULL when out of memory or beyond the limit (the run is stuck then). */
void *pawl_program_alloc(struct run *run, size_t size);
bool pawl_program_copy(struct run *run, pawl_bytes from, pawl_bytes *ret_to);
/* Remember why a host call could not be done, for when the program returns this status. Code and message are static or
 * of the run. Returns status. */
pawl_status pawl_program_misuse(struct run *run, pawl_status status, const char *code, const char *message);

/* ---- search attributes (activation/attributes.c) ---- */

void pawl_mirror_attributes_init(pawl_activation *mirror, const pawl_activation_config *config);
void pawl_mirror_attributes_finish(pawl_activation *mirror);
/* What set_attributes of the process host does. */
pawl_status pawl_program_set_attributes(struct run *run, pawl_bytes object);
/* At the end of a run: what the store has to be told. */
void pawl_program_report_attributes(struct run *run, pawl_run_result *ret);
/* Before a run that begins at the top. */
void pawl_program_attributes_forget(struct run *run);

/* ---- commands (activation/commands.c) ---- */

/* What the table of the process host does under these names. 0: refused; awaiting it says why. */
pawl_future pawl_program_start_call(struct run *run, pawl_bytes name, pawl_bytes input,
                                    const pawl_call_options *options);
pawl_future pawl_program_start_timer(struct run *run, uint64_t after_ns);
pawl_future pawl_program_wait_signal(struct run *run, pawl_bytes name);
/* May the program start something now? Counts a host call; otherwise the refusal is remembered. */
bool pawl_program_may_start(struct run *run);
/* A start that cannot be done: remembered, and told when the program awaits 0. Returns 0. */
pawl_future pawl_program_refuse(struct run *run, pawl_status status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Names of effects, signals and types in process code. */
bool pawl_program_name_is_good(pawl_bytes name);
/* Is anything known of the next command? */
bool pawl_program_next_is_new(const struct run *run);
/* The next command is this call: checked against what is known of its ordinal, or opened. */
pawl_future pawl_program_issue_call(struct run *run, pawl_bytes name, pawl_bytes input,
                                    const pawl_call_options *options);
uint64_t pawl_program_now(struct run *run);
/* How long the journal is, up to what the program has seen of it. */
uint64_t pawl_program_journal_bytes(const struct run *run);
uint64_t pawl_program_journal_records(const struct run *run);
bool pawl_program_should_continue(struct run *run);
/* Go on as the next run. What it returns, activate should return. */
pawl_status pawl_program_continue(struct run *run, pawl_bytes input);
uint32_t pawl_program_version(struct run *run, pawl_bytes change_id, uint32_t min, uint32_t max);
/* A record to be written before anything that the run starts later; *done turns true when it is fed. False: out of
 * memory. */
bool pawl_program_note(struct run *run, const pawl_entry *entry, const bool *done);
/* May the program begin a command now? Else why not. */
pawl_status pawl_program_may_command(struct run *run);
bool pawl_program_name_is_good(pawl_bytes name);
/* What is known of the next ordinal, or NULL when nothing is. */
struct command *pawl_program_known_command(const struct run *run);
/* Stuck: the program does something else than is known of this ordinal. */
pawl_status pawl_program_differs(struct run *run, uint64_t ordinal, const struct command *expected,
                                 const struct command *found);
/* Stuck unless the run has issued every command that is known. did: "ends", "waits". */
void pawl_program_check_all_issued(struct run *run, const char *did);

/* A wait in the queue of this name, which may be an update's. */
pawl_future pawl_program_wait_named(struct run *run, pawl_bytes name);

/* ---- updates (activation/update.c) ---- */

struct name *pawl_mirror_update_name(pawl_activation *mirror, pawl_bytes name);
/* Keep a REPLY for the next run. False: out of memory. */
bool pawl_mirror_answer_keep(pawl_activation *mirror, const pawl_entry *entry);
/* Forget those of ordinals from this one on. */
void pawl_mirror_answers_rewind(pawl_activation *mirror, uint64_t ordinal);
/* Give the last ones, in their order, as REPLY entries of no ordinal. */
pawl_status pawl_mirror_answers_carry(const pawl_activation *mirror,
                                      pawl_status (*visit)(void *context, const pawl_entry *entry), void *context);
/* Copy a failure and its bytes. False: out of memory. */
bool pawl_mirror_failure_copy(pawl_arena *arena, const pawl_failure *from, pawl_failure *to);
/* What a REPLY says, in 16 bytes. */
void pawl_mirror_answer_digest(const pawl_entry *entry, uint8_t ret[16]);
pawl_future pawl_program_wait_update(struct run *run, pawl_bytes name);
pawl_status pawl_program_answer(struct run *run, pawl_future future, pawl_bytes value, const pawl_failure *failure);

/* ---- undoing (activation/undo.c) ---- */

pawl_status pawl_program_on_rollback(struct run *run, pawl_future of, pawl_bytes name, pawl_bytes input,
                                     const pawl_call_options *options);
/* Something was registered, or the journal says that it is undone. */
bool pawl_program_undoes(const struct run *run);
/* The program goes on, or completes ("waits", "completes"): not when the journal says that its steps are undone. */
void pawl_program_check_undo(struct run *run, const char *did);
/* The program has ended as failed or cancelled, as ret says: go on from there, as far as it goes now. Changes ret to
 * how the run ends. */
void pawl_program_undo(struct run *run, pawl_run_result *ret);

/* ---- await (activation/await.c) ---- */

/* Why the last start could not be done, as what the program sees. Returns the status. */
pawl_status pawl_program_refused(struct run *run);

#define FUTURE_OF_ORDINAL(ordinal) ((pawl_future)((ordinal) << 1))
#define FUTURE_OF_WAIT(index)      ((pawl_future)((((uint64_t)(index) + 1) << 1) | 1))

pawl_status pawl_program_await(struct run *run, uint32_t mode, const pawl_future *futures, size_t count, size_t *index);
/* The end of a future that the program knows to have come: PAWL_OK and its value, PAWL_E_FAILED and its failure, or
 * what is wrong with asking. */
pawl_status pawl_program_result(struct run *run, pawl_future future, pawl_bytes *value, const pawl_failure **failure);
pawl_status pawl_program_child_id(struct run *run, pawl_future future, pawl_bytes *id);

#endif
