/* state.h: what a schedule remembers between two turns: how far it has come, its latest runs, what waits; and its forms
 * as JSON: the whole of it (the journal's) and the document that others see. Owns nothing but a copy of a backfill
 * list. [any] */
#ifndef PAWL_SCHEDULE_STATE_H
#define PAWL_SCHEDULE_STATE_H

#include "spec.h"

#define PAWL_SCHEDULE_RUNS_MAX      10u /* latest runs that are remembered */
#define PAWL_SCHEDULE_BACKFILLS_MAX 10u /* that are not done */
#define PAWL_SCHEDULE_ANSWERS_MAX   10u /* latest requests with an id that are known when they come again */
#define PAWL_REQUEST_ID_SIZE        257u
#define PAWL_ANSWER_SIZE            400u
#define PAWL_RUN_ID_SIZE            257u
#define PAWL_RUN_WHY_SIZE           200u

/** What became of a run, as far as was seen. */
enum {
    PAWL_RUN_LIVE,
    PAWL_RUN_COMPLETED,
    PAWL_RUN_FAILED,
    PAWL_RUN_CANCELLED,
    PAWL_RUN_TERMINATED,
    PAWL_RUN_FORGOTTEN,   /* ended, and no longer retained */
    PAWL_RUN_NOT_STARTED, /* it could not be started: why */
};

typedef struct pawl_schedule_run {
    char id[PAWL_RUN_ID_SIZE];
    uint64_t time; /* that it is for */
    uint32_t fate; /* PAWL_RUN_* */
    char why[PAWL_RUN_WHY_SIZE];
} pawl_schedule_run;

/** A time to run, or a run by hand. */
typedef struct pawl_schedule_slot {
    uint64_t time;   /* 0: none */
    uint64_t manual; /* not 0: the number of a run by hand */
} pawl_schedule_slot;

typedef struct pawl_schedule_backfill {
    uint64_t after; /* done up to here */
    uint64_t until;
    bool one_by_one;
} pawl_schedule_backfill;

/** What a request got, for when it comes again. */
typedef struct pawl_schedule_answer {
    char id[PAWL_REQUEST_ID_SIZE];
    char reply[PAWL_ANSWER_SIZE]; /* JSON */
} pawl_schedule_answer;

typedef struct pawl_schedule_state {
    uint64_t considered; /* every time up to here is dealt with; 0: not begun */
    bool paused;
    bool profile; /* the profile of a host asked for it */
    char note[PAWL_SCHEDULE_NOTE_BYTES_MAX + 1];
    uint64_t paused_since;
    uint64_t started;
    uint64_t skipped;     /* because of overlap */
    uint64_t missed;      /* beyond the catch-up window */
    uint64_t not_started; /* refused: see the runs */
    uint64_t manual;      /* runs by hand so far */
    pawl_schedule_slot buffered;
    pawl_schedule_run runs[PAWL_SCHEDULE_RUNS_MAX]; /* oldest first */
    size_t run_count;
    pawl_schedule_backfill backfills[PAWL_SCHEDULE_BACKFILLS_MAX];
    size_t backfill_count;
    pawl_schedule_answer answers[PAWL_SCHEDULE_ANSWERS_MAX]; /* oldest first */
    size_t answer_count;
} pawl_schedule_state;

/** From what pawl_schedule_state_json made; NULL is a new one. False when it is something else. */
bool pawl_schedule_state_read(const json_t *json, pawl_schedule_state *ret);
/** A new object, or NULL. */
json_t *pawl_schedule_state_json(const pawl_schedule_state *state);

/** What others see: spec without its input, next times, runs, counts. A new object, or NULL. */
json_t *pawl_schedule_document(const char *name, const pawl_schedule_spec *spec, const pawl_schedule_state *state);

/** "running", "completed", ... */
const char *pawl_run_fate_name(uint32_t fate);

#endif
