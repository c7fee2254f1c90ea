/* process_thread.c: what it does depends on the thread it is on. */
#include "program.h"

static pawl_status program(pawl_process *p)
{
    static int here;
    static _Thread_local int other;
    static int known;
    if (!known) {
        known = 1;
        other = 1;
    }
    here = other;
    PAWL_TRY(pawl_sleep(p, here ? PAWL_SECOND : PAWL_MINUTE));
    return pawl_complete(p, pawl_text("{}"));
}
PROGRAM;
