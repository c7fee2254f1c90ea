/* process_counter.c: it remembers something outside of its journal. */
#include "program.h"

static pawl_status program(pawl_process *p)
{
    static int activations;
    PAWL_TRY(pawl_sleep(p, PAWL_SECOND));
    return pawl_complete(p, pawl_printf(p, "%d", activations++));
}
PROGRAM;
