/* schema.c: a schema of its manifest is none. */
#define PARTS                                                                                                          \
    "\"kinds\":[\"process\"],\"processes\":[{\"name\":\"bad.schema\",\"revision\":1,\"input_schema\":{\"type\":"       \
    "\"strnig\"}}]"
#include "pawl_process.h"

static pawl_status program(pawl_process *p)
{
    return pawl_complete(p, pawl_input(p));
}
PAWL_PROCESS("bad.schema", 1, program)
#define GET_FACTORY pawl_process_factory
#include "base.h"
HOSTILE;
