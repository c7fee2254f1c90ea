/* strict_plugin.c: see strict_plugin.h. */
#include "strict_plugin.h"

#include <pawl_process.h>

static pawl_status ledger(pawl_process *p)
{
    return pawl_complete(p, pawl_input(p));
}
PAWL_PROCESS("strict.ledger", 1, ledger)
PAWL_LINKED_PLUGIN(
    strict_plugin, "strict.plugin", "1.0.0", "Pawl tests",
    "{\"manifest_version\":1,\"id\":\"strict.plugin\",\"version\":\"1.0.0\","
    "\"abi\":{\"major\":1,\"minor\":0},\"kinds\":[\"process\"],"
    "\"processes\":[{\"name\":\"strict.ledger\",\"revision\":1,\"input_schema\":true,\"tier\":\"durable\"}]}",
    pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
