/* pump.h: moves the standard streams of a running child until it ends, is cancelled, runs out of time or says too much;
 * then the whole group is told to go, and made to go half a second later. Blocks nobody but its own thread. */
#ifndef PAWL_EXEC_PUMP_H
#define PAWL_EXEC_PUMP_H

#include "plugins/exec/child.h"

typedef enum pawl_exec_end {
    PAWL_EXEC_ENDED,     /* by itself */
    PAWL_EXEC_CANCELLED, /* from here on: the group was killed */
    PAWL_EXEC_DEADLINE,
    PAWL_EXEC_OUTPUT_LIMIT,
    PAWL_EXEC_BROKEN /* moving content failed; the call's error says why */
} pawl_exec_end;

/** Run until the child has ended. Close the child afterwards. */
pawl_exec_end pawl_exec_pump(pawl_connector_call *call, pawl_exec_child *child, pawl_connector_source *input,
                             pawl_connector_body *output, pawl_connector_body *errors);

#endif
