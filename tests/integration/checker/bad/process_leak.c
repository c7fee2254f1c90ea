/* process_leak.c: memory of its own does not survive a wait, and is lost. */
#include "program.h"

static pawl_status program(pawl_process *p)
{
    char *volatile text = malloc(64);
    if (text == NULL)
        return PAWL_E_NOMEM;
    PAWL_TRY(pawl_sleep(p, PAWL_SECOND));
    free(text);
    return pawl_complete(p, pawl_text("{}"));
}
PROGRAM;
