/* turn.h: one turn of a schedule: given what it is told, what it remembers, the time and perhaps a wish from outside,
 * it starts what is due and says what to do next. What it does to the world goes through a table, so that a test can be
 * the world. The same turn may be done again after a crash: what it starts has ids that follow from the times alone, so
 * nothing is started twice, and what it could not finish it does then. Owns nothing, keeps nothing. [worker] */
#ifndef PAWL_SCHEDULE_TURN_H
#define PAWL_SCHEDULE_TURN_H

#include "state.h"

#define PAWL_SCHEDULE_STARTS_MAX 100u    /* in one turn; the rest come in the next, at once */
#define PAWL_SCHEDULE_STEPS_MAX  100000u /* times looked at in one turn, likewise */

/** What a turn may do. All of it blocks and is durable when it returns. */
typedef struct pawl_schedule_world {
    void *context;
    /** Start a run; the same id again is the same run. PAWL_E_IO, FULL, BUSY, NOMEM and CLOSED pass by themselves: the
     * whole turn is done again then. Any other failure is for good. */
    pawl_status (*start)(void *context, const pawl_schedule_spec *spec, const char *id, uint64_t now_unix_ns,
                         pawl_error *error);
    /** *fate: PAWL_RUN_*. */
    pawl_status (*look)(void *context, const char *id, uint32_t *fate, pawl_error *error);
    /** One that has ended already is fine. */
    pawl_status (*cancel)(void *context, const char *id, pawl_error *error);
    pawl_status (*terminate)(void *context, const char *id, pawl_error *error);
} pawl_schedule_world;

/** What a turn comes to. */
typedef struct pawl_schedule_turn {
    bool again;                   /* it was not through: the next turn is due now */
    uint64_t wake_unix_ns;        /* when the next one is due; 0: only when something is wished for */
    char watch[PAWL_RUN_ID_SIZE]; /* not "": likewise when this run has ended */
    json_t *reply;                /* to the wish; NULL: there was none, or it is refused */
    char code[64];                /* not "": why it is refused */
    char message[400];
    bool respecified; /* *spec is another one now */
} pawl_schedule_turn;

/** Do one.
 *  @param wish  {"do": "pause" | "resume" | "trigger" | "backfill" | "replace" | "look", ...} or NULL
 *  @return PAWL_OK, or what passes by itself: nothing of *spec and *state counts then. Free *ret->reply. */
pawl_status pawl_schedule_do_turn(const char *name, pawl_schedule_spec *spec, pawl_schedule_state *state,
                                  const json_t *wish, uint64_t now_unix_ns, const pawl_schedule_world *world,
                                  pawl_schedule_turn *ret, pawl_error *error);

#endif
