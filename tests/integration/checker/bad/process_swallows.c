/* process_swallows.c: it takes a wait for a failure. */
#include "program.h"

static pawl_status program(pawl_process *p)
{
    if (pawl_sleep(p, PAWL_SECOND) != PAWL_OK)
        return PAWL_E_FAILED;
    return pawl_complete(p, pawl_text("{}"));
}
PROGRAM;
