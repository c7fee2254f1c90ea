/* counter.c: a counter that may live for years. Its journal does not grow with it: after some signals it goes on as a
 * new run, whose input is all that it has to know. */
#include <pawl_plugin.h>
#include <pawl_process.h>

#include <stdlib.h>

#define SIGNALS_OF_A_RUN 10u /* few, so that it can be watched; 1000 would do */

static pawl_status counter(pawl_process *p)
{
    long total = strtol(pawl_cstring(p, pawl_input(p)), NULL, 10);
    for (unsigned taken = 1;; taken++) {
        pawl_bytes text;
        PAWL_TRY(pawl_signal(p, "add", &text)); /* those that no run has taken yet go over to the next one */
        long amount = strtol(pawl_cstring(p, text), NULL, 10);
        total += amount;
        if (amount == 0)
            return pawl_complete(p, pawl_printf(p, "{\"total\":%ld}", total));
        if (taken == SIGNALS_OF_A_RUN || pawl_should_continue(p))
            return pawl_continue_as_new(p, pawl_printf(p, "%ld", total));
    }
}

PAWL_PROCESSES(PAWL_TYPE("count.up", 1, counter))
PAWL_PLUGIN("com.example.counter", "1.0.0", "Example",
            "{\"manifest_version\":1, \"id\":\"com.example.counter\", \"version\":\"1.0.0\","
            "\"abi\":{\"major\":1,\"minor\":0}, \"kinds\":[\"process\"],"
            "\"processes\":[{\"name\":\"count.up\",\"revision\":1}]}",
            pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
