/* soak.h: a long run of a real `pawl serve` under a mixed load, with trouble at random moments. Owns what is known of
 * each process from the outside: what was asked, what was acknowledged, what must therefore be true at the end. It
 * never looks into the store; what the server says is compared with what the effects wrote down themselves (audit.h).
 */
#ifndef PAWL_SOAK_H
#define PAWL_SOAK_H

#include "audit.h"
#include "yard.h"

#define SOAK_LIVE_MAX   300u /* processes at once */
#define SOAK_PER_SECOND 80u  /* processes started, at most, so that the audit stays short beside the run */

/* How a plan must end. */
enum { SOAK_COMPLETES = 1, SOAK_FAILS = 2, SOAK_ONLY_BY_CANCEL = 4, SOAK_MAY_BE_CANCELLED = 8, SOAK_PARKS = 16 };

typedef struct soak_plan {
    const char *words;
    unsigned flags;
    unsigned results; /* in the output of one that completed */
    unsigned signals; /* it waits for so many signals "go" */
} soak_plan;

/* One process. What was not acknowledged is asked again, under the same id. */
typedef struct soak_process {
    char id[12];
    unsigned char plan;
    unsigned char signals; /* acknowledged */
    bool started;          /* acknowledged */
    bool to_cancel;
    bool cancel_asked; /* at least tried */
    bool cancelled;    /* acknowledged */
} soak_process;

typedef struct soak_numbers {
    unsigned kills, stops, spells, refused, unanswered, duplicates, resumed, signals, cancels, lives;
} soak_numbers;

typedef struct soak {
    yard *y;
    unsigned seed;
    double seconds;  /* of load */
    double patience; /* seconds without any end before it counts as stuck */
    bool stall;      /* prove the detector: hold every effect */
    double began;
    soak_process *processes;
    size_t room;
    size_t count; /* asked for at least once */
    size_t first; /* none in front of it needs anything from us */
    size_t started;
    json_int_t ended, stuck; /* by the server's last word */
    double moved;            /* when `ended` last changed, or could not have */
    bool spell;              /* the disk is full now */
    double spell_until;
    soak_numbers numbers;
} soak;

/* ---- soak_load.c: what is asked of the server ---- */

const soak_plan *soak_plan_of(const soak_process *process);
/** A generator of its own, so that a seed means the same on every machine. */
unsigned soak_random(soak *s, unsigned below);
/** One round of everything: starts (when wanted), duplicates, signals, cancels, resumes. */
void soak_feed(soak *s, bool more);
/** Does anything remain to be asked? */
bool soak_is_fed(const soak *s);

/* ---- soak_trouble.c: what is done to it ---- */

/** Start the server, with a disk that can fill up. */
void soak_serve(soak *s);
/** It will be killed or stopped at a random moment; asked only when none is due. */
void soak_plan_trouble(soak *s);
/** Begin or end a spell; start the server again when it has ended. */
void soak_keep_alive(soak *s);
/** No more trouble: the disk has space and the server runs. */
void soak_calm(soak *s);

/* ---- soak_look.c: whether it moves ---- */

/** Ask for the counts; print a line every 10 s; fail with everything there is to know when nothing moves. */
void soak_look(soak *s);

/* ---- soak_audit.c ---- */

/** Everything acknowledged is there, has ended, and rightly. */
void soak_audit(soak *s);

#endif
