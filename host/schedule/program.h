/* program.h: the process type "pawl.schedule": process code like any other's, over abi/pawl_process.h. It waits for the
 * next time, for wishes (updates named "schedule") and for the end of runs, and leaves all decisions to the effect
 * "pawl.schedule.turn", so that its journal stays true when time zones change. Owns nothing. [instance]
 *
 * Input, of the first and every later run: {"spec": {...}, "state": {...}}.
 * Effects: pawl.schedule.turn     input {"spec", "state", "now", "wish"}; output: PAWL_TURN_FORMAT, then those bytes
 *          pawl.schedule.watch    input: id of a run; ends when that has ended, or when it is told to
 *          pawl.schedule.unwatch  ends the watches of this schedule */
#ifndef PAWL_SCHEDULE_PROGRAM_H
#define PAWL_SCHEDULE_PROGRAM_H

#include "pawl_abi.h"

#define PAWL_SCHEDULE_UPDATE   "schedule"
#define PAWL_SCHEDULE_REVISION 1u

/** What a turn gives, in this order: 1 when it was not through; when to wake; sizes of what follows: the spec when it
 * is another one now, the state, the document, the run to watch, the reply, the code and the message of a refusal. */
#define PAWL_TURN_FORMAT "%d %llu %zu %zu %zu %zu %zu %zu %zu\n"
#define PAWL_TURN_SIZES  7

const pawl_process_table *pawl_schedule_program(void);

#endif
