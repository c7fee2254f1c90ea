/* process_clock.c: it looks at a clock of its own, though nothing comes of it. */
#include <time.h>

#include "program.h"

static pawl_status program(pawl_process *p)
{
    if (time(NULL) < 1000)
        return pawl_fail(p, "clock.early", "it is very early");
    PAWL_TRY(pawl_sleep(p, PAWL_SECOND));
    return pawl_complete(p, pawl_text("{}"));
}
PROGRAM;
