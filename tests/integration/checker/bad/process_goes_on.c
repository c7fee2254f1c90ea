/* process_goes_on.c: it does not look at what an await says. */
#include "program.h"

static pawl_status program(pawl_process *p)
{
    pawl_status slept = pawl_sleep(p, PAWL_SECOND);
    pawl_set_status(p, pawl_text("{\"step\":\"slept\"}"));
    return slept == PAWL_OK ? pawl_complete(p, pawl_text("{}")) : slept;
}
PROGRAM;
