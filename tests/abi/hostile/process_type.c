/* process_type.c: offers the process type "hostile.type". */
#define ID      "hostile.process"
#define FACTORY PAWL_FACTORY_PROCESS
#define TABLE   &process_table
#define PARTS   "\"kinds\":[\"process\"],\"processes\":[{\"name\":\"hostile.type\",\"revision\":1,\"input_schema\":true}]"
#include "base.h"

static pawl_status PAWL_CALL activate(pawl_process *p, pawl_bytes type_name, uint32_t revision)
{
    (void)p;
    (void)type_name;
    (void)revision;
    return PAWL_SUSPEND;
}
PAWL_PROCESS_TABLE(process_table, activate);
HOSTILE;
