/* process_slow.c: it holds its thread for more than a second. */
#include <time.h>

#include "program.h"

static pawl_status program(pawl_process *p)
{
    const struct timespec span = {1, 100000000};
    nanosleep(&span, NULL);
    return pawl_complete(p, pawl_text("{}"));
}
PROGRAM;
