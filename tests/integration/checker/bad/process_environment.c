/* process_environment.c: what it does depends on where it runs. */
#include "program.h"

static pawl_status program(pawl_process *p)
{
    if (getenv("PAWL_CHECK_MODE") != NULL)
        return pawl_fail(p, "environment.mode", "another mode");
    PAWL_TRY(pawl_sleep(p, PAWL_SECOND));
    return pawl_complete(p, pawl_text("{}"));
}
PROGRAM;
