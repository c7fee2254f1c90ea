/* process_empty.c: it says that all is well, and not what came of it. */
#include "program.h"

static pawl_status program(pawl_process *p)
{
    PAWL_TRY(pawl_sleep(p, PAWL_SECOND));
    return PAWL_OK;
}
PROGRAM;
