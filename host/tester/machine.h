/* machine.h: one process under test: its journal, the deterministic core over it, a scripted world, and virtual time.
 * Does what a worker does with a process it holds (worker/resident), in one thread and without a store: records are fed
 * as soon as they are made, effects end as the script says, and the clock jumps to the next event. Owns all of that.
 * Never: calls an effect of the plugin, reads a clock of the machine it runs on, or decides anything by chance. */
#ifndef PAWL_TESTER_MACHINE_H
#define PAWL_TESTER_MACHINE_H

#include "host/loader/manifest.h"
#include "script.h"
#include "traps.h"
#include "witness.h"
#include "worker/activation/activation.h"

/** What is tested. Outlives its machines. */
typedef struct pawl_tester_subject {
    const pawl_process_table *program;
    const pawl_manifest *manifest; /* of its plugin; NULL: none */
    pawl_bytes type, id, session, input;
    uint32_t revision;
    const pawl_script *script;
    pawl_traps *traps;           /* NULL: none */
    uint64_t events_max;         /* of one machine; beyond it the process counts as endless */
    void (*beat)(void *context); /* told before every activation; may be NULL */
    void *beat_context;
} pawl_tester_subject;

/** How the machine treats the program, as bits. */
enum {
    PAWL_MACHINE_TWICE = 1,   /* every activation runs again, and once more over a fresh mirror */
    PAWL_MACHINE_DROPPED = 2, /* at every wait the mirror is dropped and made from the journal */
    PAWL_MACHINE_KEPT = 4,    /* the program is kept where it waits */
    PAWL_MACHINE_TRACED = 8,  /* a trace for people is written */
    PAWL_MACHINE_LONG = 16    /* the program is kept from so many commands on that its time would grow with each */
};

enum { PAWL_HAPPENS_CALL = 1, PAWL_HAPPENS_CHILD, PAWL_HAPPENS_TIMER, PAWL_HAPPENS_SCRIPT };

/** Something that happens: an attempt or a child ends, a timer fires, something comes from outside. */
typedef struct pawl_happening {
    uint32_t kind; /* PAWL_HAPPENS_* */
    uint32_t run, attempt;
    uint64_t number; /* ordinal, or the place in the script */
    uint64_t unix_ns;
    pawl_tester_token token;
    bool shared; /* what it gives depends on others that are shared */
    bool ends;   /* of an attempt that has happened: the call ended with it */
} pawl_happening;
bool pawl_happening_same(const pawl_happening *left, const pawl_happening *right);

/** One call or child that fails instead of what the script says. */
typedef struct pawl_fault {
    uint32_t run;
    uint64_t ordinal;
    uint32_t attempt; /* that fails; the next ones are as scripted. 0: all */
    pawl_script_answer answer;
} pawl_fault;

/** What stands beside a record of the journal. */
typedef struct pawl_mark {
    uint32_t run;
    size_t run_first;                /* of its run, in records */
    size_t happened;                 /* so many happenings up to here */
    size_t script_at;                /* so many events of the script */
    pawl_bytes document, attributes; /* as stored with it */
    bool together;                   /* the record behind it is of the same batch, and never there without it */
} pawl_mark;

/** A moment at which one of several things could happen. */
typedef struct pawl_choice_point {
    size_t first, count; /* in the machine's `could` */
} pawl_choice_point;

enum {
    PAWL_END_NONE = 0,
    PAWL_END_ENDED,      /* status, output or failure */
    PAWL_END_WAITS,      /* it waits, and nothing is left that could happen */
    PAWL_END_STUCK,      /* code, reason: as a worker would park it */
    PAWL_END_DIFFERS,    /* code, reason: it did not do again what it had done; expected and found are set */
    PAWL_END_UNSCRIPTED, /* reason: it calls what the script does not answer */
    PAWL_END_ENDLESS,
    PAWL_END_PLAN, /* what was planned to happen next could not */
    PAWL_END_MEMORY
};

typedef struct pawl_issue pawl_issue;
typedef struct pawl_flight_in pawl_flight_in;

typedef struct pawl_machine {
    const pawl_tester_subject *subject;
    uint32_t mode;
    pawl_arena arena; /* everything with no shorter life */
    uint64_t now;
    /* journal */
    pawl_record *records;
    pawl_mark *marks;
    size_t record_count, record_room;
    uint32_t run;
    size_t run_first;
    /* core */
    pawl_witness witness;
    pawl_activation *activation;
    pawl_run_result result;
    bool dirty;
    pawl_tester_text before; /* what the program did in the activation before, in this run */
    uint32_t before_run;
    pawl_bytes document, attributes; /* last given */
    /* world */
    pawl_issue *issues; /* calls and children that it ever began, in order */
    size_t issue_count, issue_room;
    pawl_flight_in *flights; /* what is in flight */
    size_t flight_count, flight_room;
    size_t script_at;
    bool stop_told; /* to what was in flight when the cancel request came */
    bool doubtful;  /* a call ended because nobody knows whether it happened */
    bool happened;  /* what was in flight when its worker died had happened */
    /* what happened, and is to happen first */
    pawl_happening *history;
    size_t history_count, history_room;
    pawl_happening *could; /* at every choice point, all that could have happened */
    size_t could_count, could_room;
    pawl_choice_point *choices; /* one for each of history */
    size_t choice_room;
    const pawl_happening *plan;
    size_t plan_count, plan_at;
    bool plan_strict;        /* end with PAWL_END_PLAN where the plan cannot be followed */
    const pawl_fault *fault; /* NULL: none */
    bool happening;          /* the last of history has not been recorded yet, at most that it is about to begin */
    size_t history_base;     /* so many happenings before those of history: it began with a journal */
    uint64_t cancel_at;      /* ask it to stop before this happening, counted from 1; 0: never */
    bool cancel_sent;
    /* texts */
    pawl_tester_text trace;           /* for people */
    pawl_tester_text did;             /* by the program, in runs that are over */
    pawl_tester_text expected, found; /* PAWL_END_DIFFERS and nondeterminism */
    pawl_tester_text reason;
    /* the end */
    uint32_t end; /* PAWL_END_* */
    char code[64];
    uint32_t status;
    pawl_bytes output;
    pawl_failure failure;
} pawl_machine;

/** A process that is about to begin. */
pawl_status pawl_machine_init(pawl_machine *m, const pawl_tester_subject *subject, uint32_t mode);
/** The same process at an earlier moment of another machine, whose first `count` records are in the journal and whose
 *  worker is lost: nothing else is left. `from` must live as long. The plan is what happened then. */
pawl_status pawl_machine_init_after(pawl_machine *m, const pawl_machine *from, size_t count, uint32_t mode);
void pawl_machine_finish(pawl_machine *m);

/** Let it happen: until m->end says how it ended. */
void pawl_machine_run(pawl_machine *m);
/** All that must be the same however often it was interrupted: what the program did, the steps as recorded, the end. */
void pawl_machine_summary(const pawl_machine *m, pawl_tester_text *ret);
/** "completed", ... with output or failure, in one line. */
void pawl_machine_say_end(const pawl_machine *m, pawl_tester_text *ret);

/* ---- between machine.c, core.c, world.c and calls.c ---- */

void pawl_machine_no_memory(pawl_machine *m);
/** Append a record whose body is the machine's, and feed it. */
void pawl_machine_append(pawl_machine *m, uint32_t kind, pawl_bytes body);
void pawl_machine_feed(pawl_machine *m, pawl_activation *activation, const pawl_record *record);

/* core.c */
pawl_activation *pawl_core_create(pawl_machine *m);
/** From the journal of this run. */
pawl_activation *pawl_core_load(pawl_machine *m);
void pawl_core_drop(pawl_machine *m);
/** Run the program, compare, and record what it asks to be recorded. */
void pawl_core_run(pawl_machine *m);
/** Drop what is in memory, and go on from the journal. */
void pawl_core_put_away(pawl_machine *m);

/** Append a record, and feed it. */
void pawl_machine_record(pawl_machine *m, const pawl_entry *entry);
void pawl_machine_stop(pawl_machine *m, uint32_t end, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/** A line of the trace, if there is one. ordinal: 0: none. */
void pawl_machine_trace(pawl_machine *m, uint64_t ordinal, const char *what, pawl_bytes name, pawl_bytes value);

/** After a run of the program: begin what it started, end what is to stop. */
void pawl_world_look(pawl_machine *m);
/** All that could happen now, into m->could from *first on. */
size_t pawl_world_could(pawl_machine *m, size_t *first);
/** Of those the one that happens unless planned otherwise. */
size_t pawl_world_next(const pawl_machine *m, size_t first, size_t count);
/** Let it happen. */
void pawl_world_happen(pawl_machine *m, const pawl_happening *what);
/** Is the call of this ordinal still without an end? */
bool pawl_world_is_open(const pawl_machine *m, uint64_t ordinal);
/** The program has ended, or goes on as a new run: nothing in flight is its any more. */
void pawl_world_end(pawl_machine *m);
/** Take what is known of calls and children from another machine. */
bool pawl_world_copy(pawl_machine *m, const pawl_machine *from);
/** Children that the journal knows to be started. */
void pawl_world_recover(pawl_machine *m);
void pawl_world_finish(pawl_machine *m);

#endif
