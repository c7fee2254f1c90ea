/* process_random.c: chance of its own decides what it does. */
#include "program.h"

static pawl_status program(pawl_process *p)
{
    PAWL_TRY(pawl_call(p, "other.effect", pawl_printf(p, "%d", rand()), NULL));
    return pawl_complete(p, pawl_text("{}"));
}
PROGRAM;
