/* process_any.c: it runs the same program for whatever type it is asked for. */
#define PROCESS_FACTORY any_factory
#include "program.h"

static pawl_status PAWL_CALL any(pawl_process *p, pawl_bytes type, uint32_t revision)
{
    (void)type;
    (void)revision;
    PAWL_TRY(pawl_sleep(p, PAWL_SECOND));
    return pawl_complete(p, pawl_text("{}"));
}
PAWL_PROCESS_TABLE(any_table, any);
PAWL_FACTORY_OF(any_factory, PAWL_FACTORY_PROCESS, &any_table);
HOSTILE;
